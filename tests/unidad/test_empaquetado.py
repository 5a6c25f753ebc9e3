"""Las cajas: una a la vez, que no se pierda la cuenta, que no se guarde lo que aún hace falta, y la relación con QR."""

from __future__ import annotations

import re
import tempfile
import zlib
from base64 import a85decode
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.documentos.relacion_de_caja import pdf_de_relacion, relacion_de
from appliance.empaquetado import FUERA, Caja, Empacador, EnCaja
from appliance.mesa import Mesa
from appliance.pantalla.linea_de_tiempo import pasos_de
from appliance.reloj import RelojFijado
from nucleo.acta import MotivoSinActa, Origen
from nucleo.captura import SinCaptura
from nucleo.hechos import Empaque, IdActa
from tests.kiosco_de_prueba import A1, A2, A3, PROCESO, abrir_mesa, bien, codigo, hora, identidad
from tests.pantallas_de_prueba import mandar, pantallas
from tests.turno_de_prueba import oculto
from tests.unidad.test_cotejo import otra_imagen, verificar


@pytest.fixture
def reloj() -> RelojFijado:
    return RelojFijado(hora())


@pytest.fixture
def mesa(tmp_path: Path, reloj: RelojFijado) -> Mesa:
    return abrir_mesa(tmp_path, reloj=reloj)


def contenido(mesa: Mesa) -> dict[str, list[IdActa]]:
    return {c.nombre: [d.acta for d in c.actas] for c in bien(Empacador(mesa).cajas())}


def textos(pdf: bytes) -> str:
    """Lo escrito en un PDF de los nuestros."""
    trozos = re.findall(rb"stream\r?\n(.*?)endstream", pdf, re.DOTALL)
    crudo = b"".join(
        zlib.decompress(a85decode(t.strip(), adobe=False) if b"~>" not in t else _ascii85(t)) for t in trozos
    )
    return crudo.decode("latin-1")


def _ascii85(trozo: bytes) -> bytes:
    return a85decode(b"<~" + trozo.strip(), adobe=True)


def test_se_guarda_una_vez_aunque_se_escanee_dos(mesa: Mesa) -> None:
    verificar(mesa)
    empacador = Empacador(mesa)
    assert bien(empacador.empacar(A1, "ana")).asiento is not None
    assert bien(empacador.empacar(A1, "ana")).asiento is None
    assert contenido(mesa) == {"CAJA-01": [A1]}
    assert sum(isinstance(h, Empaque) for h in mesa.almacen.hechos_de(A1)) == 1


def test_no_se_guarda_el_papel_que_aun_puede_hacer_falta(mesa: Mesa) -> None:
    empacador = Empacador(mesa)
    assert codigo(empacador.empacar(A1, "ana")) == "SIN_ACOPIO"
    bien(mesa.acopiar(A1, persona="acopio-1", origen=Origen.CATD))
    assert codigo(empacador.empacar(A1, "ana")) == "POR_VERIFICAR"
    assert bien(empacador.empacar(A1, "coordinacion", sin_verificar=True)).caja == "CAJA-01"
    bien(mesa.declarar_sin_acta(A2, "ana", "coordinacion", MotivoSinActa.PAQUETE_SIN_BOLSA))
    assert codigo(empacador.empacar(A2, "ana")) == "SIN_ACOPIO"
    assert codigo(empacador.empacar(IdActa("GUB", "209999B0100"), "ana")) == "FUERA_DE_CATALOGO"


def test_de_una_caja_cerrada_ni_entra_ni_sale_nada(mesa: Mesa) -> None:
    verificar(mesa, A1)
    verificar(mesa, A2)
    empacador = Empacador(mesa)
    assert codigo(empacador.cerrar_caja("ana")) == "CAJA_VACIA"
    bien(empacador.empacar(A1, "ana"))
    assert bien(empacador.cerrar_caja("ana")).nombre == "CAJA-01"
    assert codigo(empacador.cerrar_caja("ana")) == "CAJA_VACIA", "el segundo toque no cierra la siguiente"
    bien(empacador.empacar(A2, "ana"))
    for sin_verificar in (False, True):
        assert codigo(empacador.empacar(A1, "coordinacion", sin_verificar=sin_verificar)) == "EN_CAJA_CERRADA"
    assert contenido(mesa) == {"CAJA-01": [A1], "CAJA-02": [A2]}


def eventos(mesa: Mesa, evento: str) -> list[tuple[str, str]]:
    with mesa.almacen.lectura() as mirada:
        filas = mirada.conexion.execute("SELECT persona, detalle FROM bitacora WHERE evento = ?", (evento,))
        return filas.fetchall()


def test_reabrirla_queda_dicho_y_solo_entonces_pasa_un_acta_a_otra_caja(mesa: Mesa) -> None:
    verificar(mesa, A1)
    verificar(mesa, A2)
    verificar(mesa, A3)
    empacador = Empacador(mesa)
    for acta in (A1, A3):
        bien(empacador.empacar(acta, "ana"))
    bien(empacador.cerrar_caja("ana"))
    bien(empacador.empacar(A2, "ana"))
    assert codigo(empacador.reabrir_caja("coordinacion", "CAJA-01", "porque sí")) == "FORMA"
    assert codigo(empacador.reabrir_caja("coordinacion", "CAJA-02", "sacar")) == "CAJA_ABIERTA"
    assert codigo(empacador.reabrir_caja("coordinacion", "CAJA-99", "sacar")) == "CAJA_ABIERTA"
    assert eventos(mesa, "caja_reabierta") == []
    bien(empacador.reabrir_caja("coordinacion", "CAJA-01", "sacar"))
    assert codigo(empacador.reabrir_caja("coordinacion", "CAJA-01", "sacar")) == "CAJA_ABIERTA", "el segundo toque"
    ((persona, detalle),) = eventos(mesa, "caja_reabierta")
    assert persona == "coordinacion"
    assert detalle.startswith("CAJA-01: 2 actas; hay que sacar un acta")
    movida = bien(empacador.empacar(A1, "ana"))
    assert (movida.caja, movida.antes) == ("CAJA-02", "CAJA-01")
    assert contenido(mesa) == {"CAJA-01": [A3], "CAJA-02": [A2, A1]}
    cerrada = bien(empacador.cerrar_caja("ana", "CAJA-01"))
    assert ([d.acta for d in cerrada.actas], cerrada.cerro) == ([A3], "ana")
    assert bien(empacador.cajas())[-1].nombre == "CAJA-02", "la que recibe no cambió"
    assert codigo(empacador.empacar(A3, "ana")) == "EN_CAJA_CERRADA"


def test_se_reabre_la_ultima_y_vuelve_a_recibir(mesa: Mesa) -> None:
    verificar(mesa, A1)
    verificar(mesa, A2)
    empacador = Empacador(mesa)
    bien(empacador.empacar(A1, "ana"))
    bien(empacador.cerrar_caja("ana"))
    bien(empacador.reabrir_caja("coordinacion", "CAJA-01", "cuenta"))
    assert bien(empacador.empacar(A2, "ana")).caja == "CAJA-01"
    bien(empacador.cerrar_caja("ana", "CAJA-01"))
    assert contenido(mesa) == {"CAJA-01": [A1, A2], "CAJA-02": []}


# ------------------------------------------------------------------------------------------------------ sacar de verdad


def recapturar(mesa: Mesa, reloj: RelojFijado, acta: IdActa = A1) -> None:
    reloj.avanzar(timedelta(minutes=1))
    bien(mesa.pedir_recaptura(acta, "coordinacion", "la solicitó un partido"))
    assert bien(mesa.estado(acta)) == SinCaptura(2)


def test_se_reabre_para_sacar_y_la_relacion_nueva_ya_no_la_nombra(mesa: Mesa, reloj: RelojFijado) -> None:
    for acta in (A1, A2):
        verificar(mesa, acta)
    empacador = Empacador(mesa)
    for acta in (A1, A2):
        bien(empacador.empacar(acta, "ana"))
    bien(empacador.cerrar_caja("ana"))
    assert codigo(empacador.sacar(A1, "ana")) == "EN_CAJA_CERRADA"
    bien(empacador.reabrir_caja("coordinacion", "CAJA-01", "sacar"))
    assert bien(empacador.sacar(A1, "ana")).antes == "CAJA-01"
    assert codigo(empacador.sacar(A1, "ana")) == "EN_NINGUNA_CAJA", "el segundo toque"
    assert codigo(empacador.sacar(A3, "ana")) == "EN_NINGUNA_CAJA"
    assert codigo(empacador.sacar(IdActa("GUB", "209999B0100"), "ana")) == "FUERA_DE_CATALOGO"
    ultimo = mesa.almacen.hechos_de(A1)[-1]
    assert isinstance(ultimo, Empaque)
    assert ultimo.caja == FUERA, "queda en el libro, con quién y a qué hora"
    pasos = pasos_de(mesa.almacen, A1, lambda clave: clave)
    assert [(x.que, x.detalle) for x in pasos if "uard" in x.que or "sac" in x.que] == [
        ("Se guardó", "CAJA-01"),
        ("Se sacó de su caja", ""),
    ]
    recapturar(mesa, reloj)
    assert [d.acta for d in bien(empacador.cerrar_caja("ana")).actas] == [A2]
    verificar(mesa, A1)
    assert bien(empacador.empacar(A1, "ana")).caja == "CAJA-02", "al volver, se guarda como cualquiera"
    assert contenido(mesa) == {"CAJA-01": [A2], "CAJA-02": [A1]}


def test_se_tecleo_la_clave_de_otra_y_se_quita_de_la_caja_abierta(mesa: Mesa, tmp_path: Path) -> None:
    for acta in (A1, A2):
        verificar(mesa, acta)
    acopio = pantallas(mesa, tmp_path, "capturista-1")
    for acta in (A1, A2):
        mandar(acopio, "/empaquetado", "/empaquetado", que=acta.casilla)
    pagina = mandar(acopio, "/empaquetado", "/empaquetado/sacar", que=A2.casilla)
    assert "Salió de la CAJA-01: sección 0001, Contigua 1" in pagina
    assert "1 verificada falta por guardar" in pagina
    assert "no está en ninguna caja" in mandar(acopio, "/empaquetado", "/empaquetado/sacar", que=A2.casilla)
    assert "no identifica un acta" in mandar(acopio, "/empaquetado", "/empaquetado/sacar", que="209999B0100")
    assert contenido(mesa) == {"CAJA-01": [A1]}
    mandar(acopio, "/empaquetado", "/empaquetado/sacar", que=A1.casilla)
    assert contenido(mesa) == {"CAJA-01": []}, "vaciarla no la brinca: sigue recibiendo la misma"


def test_con_una_en_recaptura_la_caja_no_se_cierra_sin_que_alguien_lo_decida(mesa: Mesa, reloj: RelojFijado) -> None:
    for acta in (A1, A2):
        verificar(mesa, acta)
    empacador = Empacador(mesa)
    for acta in (A1, A2):
        bien(empacador.empacar(acta, "ana"))
    recapturar(mesa, reloj)
    hecha = empacador.cerrar_caja("ana")
    assert codigo(hecha) == "POR_VERIFICAR"
    assert A1.casilla in str(hecha)
    assert A2.casilla not in str(hecha)
    assert codigo(empacador.empacar(A1, "ana")) == "POR_VERIFICAR"
    assert bien(empacador.empacar(A1, "coordinacion", sin_verificar=True)).asiento is not None, "lo admite coordinación"
    assert bien(empacador.empacar(A1, "coordinacion", sin_verificar=True)).asiento is None, "una sola vez"
    assert len(bien(empacador.cerrar_caja("ana")).actas) == 2


def test_la_que_coordinacion_guardo_sin_verificar_no_detiene_la_caja(mesa: Mesa, reloj: RelojFijado) -> None:
    bien(mesa.acopiar(A1, persona="acopio-1", origen=Origen.CATD))
    empacador = Empacador(mesa)
    bien(empacador.empacar(A1, "coordinacion", sin_verificar=True))
    reloj.avanzar(timedelta(minutes=1))
    bien(mesa.tomar(A1, "capturista-1"))
    bien(empacador.cerrar_caja("ana"))


def test_le_cambia_la_imagen_con_el_papel_guardado_y_la_caja_no_se_cierra(mesa: Mesa, tmp_path: Path) -> None:
    for acta in (A1, A2):
        verificar(mesa, acta)
    empacador = Empacador(mesa)
    for acta in (A1, A2):
        bien(empacador.empacar(acta, "ana"))
    otra_imagen(mesa)
    for sin_verificar in (False, True):
        hecha = empacador.empacar(A1, "coordinacion", sin_verificar=sin_verificar)
        assert codigo(hecha) == "IMAGEN_POR_CONFIRMAR", "antes que «ya estaba»"
    rechazada = empacador.cerrar_caja("ana")
    assert codigo(rechazada) == "IMAGEN_POR_CONFIRMAR"
    assert (A1.casilla in str(rechazada), A2.casilla in str(rechazada)) == (True, False)
    navegador = pantallas(mesa, tmp_path, "coordinacion")
    assert "falta decidir" in mandar(navegador, "/empaquetado", "/empaquetado/cerrar")
    ruta = f"/cotejo/GUB/{A1.casilla}"
    pagina = navegador.get(ruta).text
    assert "El papel está en la CAJA-01, abierta" in pagina
    assert "Cotejada" in mandar(navegador, ruta, f"{ruta}/coincide", nueva=oculto(pagina, "nueva"))
    bien(empacador.cerrar_caja("ana"))


# --------------------------------------------------------------------------------------- la relación que ya no vale


def test_la_reabierta_que_recibe_dice_que_su_relacion_ya_no_vale(
    mesa: Mesa, tmp_path: Path, reloj: RelojFijado
) -> None:
    for acta in (A1, A2):
        verificar(mesa, acta)
    empacador = Empacador(mesa)
    bien(empacador.empacar(A1, "ana"))
    cerrada = bien(empacador.cerrar_caja("ana")).cerrada
    assert cerrada is not None
    de_las = f"su relación de las {cerrada.astimezone(ZoneInfo(PROCESO.huso)):%H:%M}"
    navegador = pantallas(mesa, tmp_path, "coordinacion")
    reloj.avanzar(timedelta(minutes=1))
    pagina = mandar(navegador, "/empaquetado", "/empaquetado/reabrir", caja="CAJA-01", motivo="cuenta")
    assert f"La CAJA-01 se reabrió: {de_las} ya no vale" in pagina
    assert "no está cerrada" in mandar(navegador, "/empaquetado", "/empaquetado/relacion", caja="CAJA-01")
    pagina = mandar(navegador, "/empaquetado", "/empaquetado/sacar", que=A1.casilla)
    assert f"quedó vacía: destruya {de_las}" in pagina
    mandar(navegador, "/empaquetado", "/empaquetado", que=A2.casilla)
    pagina = mandar(navegador, "/empaquetado", "/empaquetado/cerrar")
    assert (
        f"Relación 2 de la CAJA-01, sustituye a la de las {cerrada.astimezone(ZoneInfo(PROCESO.huso)):%H:%M}" in pagina
    )
    assert "relación 2, sustituye a la de las" in pagina, "también en la lista de cajas"


def test_la_reabierta_que_se_vacio_no_desaparece(mesa: Mesa, tmp_path: Path) -> None:
    for acta in (A1, A2):
        verificar(mesa, acta)
    empacador = Empacador(mesa)
    bien(empacador.empacar(A1, "ana"))
    bien(empacador.cerrar_caja("ana"))
    bien(empacador.empacar(A2, "ana"))
    bien(empacador.reabrir_caja("coordinacion", "CAJA-01", "equivocada"))
    navegador = pantallas(mesa, tmp_path, "coordinacion")
    pagina = mandar(navegador, "/empaquetado", "/empaquetado", que=A1.casilla)
    assert "staba en la CAJA-01: sáquela de ahí; quedó vacía: destruya su relación de las" in pagina
    assert contenido(mesa) == {"CAJA-01": [], "CAJA-02": [A2, A1]}
    pagina = navegador.get("/empaquetado").text
    assert "La CAJA-01 quedó vacía: destruya su relación de las" in pagina
    assert codigo(empacador.cerrar_caja("ana", "CAJA-01")) == "CAJA_VACIA"
    mesa.almacen.desconectar()
    otra = abrir_mesa(tmp_path)
    assert bien(Empacador(otra).cajas())[0].reabierta, "ni con un apagón"


def test_la_relacion_nueva_lleva_su_numero_y_a_cual_sustituye_en_papel_y_en_el_qr(
    mesa: Mesa, reloj: RelojFijado
) -> None:
    verificar(mesa, A1)
    empacador = Empacador(mesa)
    bien(empacador.empacar(A1, "ana"))
    horas = []
    for _ in range(3):
        caja = bien(empacador.cerrar_caja("ana"))
        horas.append(caja.cerrada)
        reloj.avanzar(timedelta(minutes=9))
        bien(empacador.reabrir_caja("coordinacion", "CAJA-01", "cuenta"))
    assert (caja.relacion, caja.anterior) == (3, horas[1])
    assert caja.anterior is not None
    huso = ZoneInfo(PROCESO.huso)
    qr = relacion_de(caja, identidad(), PROCESO).qr.split("|")
    assert qr[0] == "PREPR2"
    assert qr[7:] == ["3", caja.anterior.astimezone(huso).isoformat(timespec="minutes")]
    dicho = textos(pdf_de_relacion(caja, identidad(), PROCESO, hora(61)))
    assert f"n 3 de la CAJA-01, sustituye a la de las {caja.anterior.astimezone(huso):%H:%M}" in dicho
    assert "ya no vale" in dicho
    primera = Caja("CAJA-01", caja.actas, hora(60), "ana")
    assert relacion_de(primera, identidad(), PROCESO).qr.split("|")[7:] == ["1", ""]
    assert "ya no vale" not in textos(pdf_de_relacion(primera, identidad(), PROCESO, hora(61)))


def test_la_pagina_de_antes_no_cierra_la_que_se_acaba_de_reabrir(mesa: Mesa, tmp_path: Path) -> None:
    for acta in (A1, A2):
        verificar(mesa, acta)
    empacador = Empacador(mesa)
    bien(empacador.empacar(A1, "ana"))
    acopio = pantallas(mesa, tmp_path, "capturista-1")
    vieja = acopio.get("/empaquetado").text
    datos = {n: oculto(vieja, n) for n in ("sello", "intento", "abierta", "visto")}
    bien(empacador.cerrar_caja("ana"))
    bien(empacador.reabrir_caja("coordinacion", "CAJA-01", "sacar"))
    assert "ya no es como la vio" in acopio.post("/empaquetado/cerrar", data=datos).text
    sin_verla = {n: v for n, v in datos.items() if n != "visto"} | {"intento": "otro"}
    assert "ya no es como la vio" in acopio.post("/empaquetado/cerrar", data=sin_verla).text
    assert bien(empacador.cajas())[-1].reabierta
    assert len(eventos(mesa, "caja_cerrada")) == 1
    vieja = acopio.get("/empaquetado").text
    bien(empacador.empacar(A2, "ana"))
    datos = {n: oculto(vieja, n) for n in ("sello", "intento", "abierta", "visto")}
    assert "ahora lleva 2" in acopio.post("/empaquetado/cerrar", data=datos).text, "tampoco con una de más"
    assert "Relación 2 de la CAJA-01" in mandar(acopio, "/empaquetado", "/empaquetado/cerrar")


@given(st.lists(st.tuples(st.sampled_from(["empacar", "cerrar", "reabrir", "sacar"]), st.integers(0, 3)), max_size=14))
def test_ningun_numero_de_caja_se_repite_ni_se_pierde_un_acta(pasos: list[tuple[str, int]]) -> None:
    with tempfile.TemporaryDirectory() as carpeta:
        mesa = abrir_mesa(Path(carpeta))
        todas = (A1, A2, A3)
        for acta in todas:
            verificar(mesa, acta)
        empacador = Empacador(mesa)
        dentro: dict[IdActa, str] = {}
        con_relacion: set[str] = set()
        for que, n in pasos:
            cerradas = {c.nombre for c in bien(empacador.cajas()) if c.cerrada}
            acta = todas[n % 3]
            if que == "empacar":
                hecha = empacador.empacar(acta, "ana")
                if dentro.get(acta) in cerradas:
                    assert codigo(hecha) == "EN_CAJA_CERRADA"
                else:
                    dentro[acta] = bien(hecha).caja
                    assert dentro[acta] not in cerradas
            elif que == "sacar":
                hecha = empacador.sacar(acta, "ana")
                if acta not in dentro:
                    assert codigo(hecha) == "EN_NINGUNA_CAJA"
                elif dentro[acta] in cerradas:
                    assert codigo(hecha) == "EN_CAJA_CERRADA"
                else:
                    assert bien(hecha).antes == dentro.pop(acta)
            elif que == "cerrar":
                cerrada = empacador.cerrar_caja("ana", f"CAJA-{n:02d}" if n else None)
                con_relacion |= {cerrada.nombre} if isinstance(cerrada, Caja) else set()
            else:
                empacador.reabrir_caja("coordinacion", f"CAJA-{n:02d}", "cuenta")
            cajas = bien(empacador.cajas())
            assert {d.acta: c.nombre for c in cajas for d in c.actas} == dentro
            assert cajas[-1].cerrada is None
            assert con_relacion == {c.nombre for c in cajas if c.cerrada or c.reabierta}, "su relación no se olvida"
        mesa.almacen.desconectar()


def test_dos_cierran_la_misma_caja_y_la_siguiente_no_se_cierra_con_una_sola_acta(mesa: Mesa, tmp_path: Path) -> None:
    verificar(mesa, A1)
    verificar(mesa, A2)
    empacador = Empacador(mesa)
    bien(empacador.empacar(A1, "ana"))
    navegador = pantallas(mesa, tmp_path, "coordinacion")
    vieja = navegador.get("/empaquetado").text
    bien(empacador.cerrar_caja("ana", "CAJA-01"))
    bien(empacador.empacar(A2, "ana"))
    vista = {n: oculto(vieja, n) for n in ("sello", "intento", "abierta")}
    assert "ya estaba cerrada" in navegador.post("/empaquetado/cerrar", data=vista).text
    assert [c.cerrada is not None for c in bien(empacador.cajas())] == [True, False]


def test_se_va_la_luz_y_las_cajas_siguen_igual(mesa: Mesa, tmp_path: Path) -> None:
    verificar(mesa, A1)
    bien(Empacador(mesa).empacar(A1, "ana"))
    bien(Empacador(mesa).cerrar_caja("ana"))
    mesa.almacen.desconectar()
    otra = abrir_mesa(tmp_path)
    assert contenido(otra) == {"CAJA-01": [A1], "CAJA-02": []}
    assert bien(Empacador(otra).cajas())[0].cerro == "ana"


@given(st.permutations([A1, A2, A3]))
def test_la_relacion_no_depende_de_como_se_fueron_guardando(orden: list[IdActa]) -> None:
    fijas = {a: EnCaja(a, hora(), "ana", f"{i:064d}") for i, a in enumerate((A1, A2, A3))}
    caja = Caja("CAJA-01", tuple(fijas[a] for a in orden))
    relacion = relacion_de(caja, identidad(), PROCESO)
    assert relacion == relacion_de(Caja("CAJA-01", tuple(fijas.values())), identidad(), PROCESO)
    assert relacion.qr.split("|")[:6] == ["PREPR2", "prueba2022", "simulacro", "catd-01", "CAJA-01", "3"]
    sin_una = replace(caja, actas=caja.actas[1:])
    assert relacion_de(sin_una, identidad(), PROCESO).huella != relacion.huella


def test_la_relacion_de_una_caja_grande_cabe_en_varias_hojas_y_las_nombra_a_todas() -> None:
    casilla = IdActa("GUB", A1.casilla)
    muchas = tuple(EnCaja(casilla, hora() + timedelta(seconds=i), "ana", f"{i:064x}") for i in range(150))
    pdf = pdf_de_relacion(Caja("CAJA-01", muchas, hora(60), "ana"), identidad(), PROCESO, hora(61))
    assert pdf.startswith(b"%PDF")
    dicho = textos(pdf)
    assert dicho.count(A1.casilla) == 150
    assert "SIMULACRO" in dicho
    assert pdf == pdf_de_relacion(Caja("CAJA-01", muchas, hora(60), "ana"), identidad(), PROCESO, hora(61))


# ---------------------------------------------------------------------------------------------------------- la pantalla


def test_se_escanea_se_cierra_la_caja_y_la_relacion_queda_en_pdf(mesa: Mesa, tmp_path: Path) -> None:
    verificar(mesa, A1)
    verificar(mesa, A2)
    navegador = pantallas(mesa, tmp_path, "coordinacion")
    assert "2 verificadas faltan por guardar" in navegador.get("/empaquetado").text
    pagina = mandar(navegador, "/empaquetado", "/empaquetado", que="200001b0100")
    assert "En la CAJA-01: sección 0001, Básica 1" in pagina
    assert "1 verificada falta por guardar" in pagina
    mandar(navegador, "/empaquetado", "/empaquetado", que=A2.casilla, eleccion="GUB")
    pagina = mandar(navegador, "/empaquetado", "/empaquetado/cerrar")
    assert "Relación de la CAJA-01" in pagina
    assert "en la CAJA-02, abierta" in pagina
    ver = re.search(r'href="(/impreso/[^"]+)"', pagina)
    assert ver is not None
    pdf = navegador.get(ver[1]).content
    assert A1.casilla in textos(pdf)
    assert A2.casilla in textos(pdf)
    assert "Relación de la CAJA-01" in mandar(navegador, "/empaquetado", "/empaquetado/relacion", caja="CAJA-01")
    assert "no tiene actas" in mandar(navegador, "/empaquetado", "/empaquetado/relacion", caja="CAJA-77")


def test_solo_coordinacion_reabre_y_al_cerrar_sale_otra_relacion(mesa: Mesa, tmp_path: Path) -> None:
    verificar(mesa, A1)
    verificar(mesa, A2)
    empacador = Empacador(mesa)
    bien(empacador.empacar(A1, "ana"))
    bien(empacador.cerrar_caja("ana"))
    bien(empacador.empacar(A2, "ana"))
    acopio = pantallas(mesa, tmp_path, "capturista-1")
    assert "Reabrir" not in acopio.get("/empaquetado").text
    assert "ya se cerró con su relación" in mandar(acopio, "/empaquetado", "/empaquetado", que=A1.casilla)
    mandar(acopio, "/empaquetado", "/empaquetado/reabrir", caja="CAJA-01", motivo="sacar")
    assert eventos(mesa, "caja_reabierta") == []
    coordina = pantallas(mesa, tmp_path, "coordinacion")
    assert "falta decir por qué" in mandar(coordina, "/empaquetado", "/empaquetado/reabrir", caja="CAJA-01")
    pagina = mandar(coordina, "/empaquetado", "/empaquetado/reabrir", caja="CAJA-01", motivo="sacar")
    assert "Se reabrió la CAJA-01" in pagina
    assert "La CAJA-01 está reabierta, con 1 acta" in pagina
    visto = bien(empacador.cajas())[0].visto
    pagina = mandar(coordina, "/empaquetado", "/empaquetado/cerrar", abierta="CAJA-01", visto=visto)
    assert "Relación 2 de la CAJA-01" in pagina
    assert "está reabierta" not in pagina
    assert [c.cerrada is not None for c in bien(empacador.cajas())] == [True, False]


def test_solo_coordinacion_guarda_lo_que_no_esta_verificado(mesa: Mesa, tmp_path: Path) -> None:
    bien(mesa.acopiar(A1, persona="acopio-1", origen=Origen.CATD))
    acopio = pantallas(mesa, tmp_path, "capturista-1")
    pagina = mandar(acopio, "/empaquetado", "/empaquetado", que=A1.casilla, forzar="1")
    assert "todavía no está verificada" in pagina
    assert "Guardarla aunque" not in pagina
    coordina = pantallas(mesa, tmp_path, "coordinacion")
    assert "Guardarla aunque" in mandar(coordina, "/empaquetado", "/empaquetado", que=A1.casilla)
    assert "En la CAJA-01" in mandar(coordina, "/empaquetado", "/empaquetado", que=A1.casilla, forzar="1")


def test_lo_que_no_es_un_acta_no_entra_a_ninguna_caja(mesa: Mesa, tmp_path: Path) -> None:
    navegador = pantallas(mesa, tmp_path, "coordinacion")
    for que in ("", "PREPG1:ana", "209999B0100", "x" * 199):
        assert "✖ No se guardó" in mandar(navegador, "/empaquetado", "/empaquetado", que=que)
    assert contenido(mesa) == {"CAJA-01": []}
