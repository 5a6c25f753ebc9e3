"""El tablero de coordinación: dice la verdad, lo malo primero, sin enseñar lo que nadie debe ver; y sus acciones."""

from __future__ import annotations

import re
from datetime import UTC, timedelta
from pathlib import Path

import pytest

from appliance import situacion
from appliance.documentos.recibo import Recibo, pdf_de_recibo, recibo_de
from appliance.imagenes_declaradas import ORDEN, PAUSA
from appliance.llave import leer_publica
from appliance.mesa import PLAZO_ENCARGO, Mesa
from appliance.pantalla.grafica import avance_por_hora
from appliance.pantalla.linea_de_tiempo import pasos_de
from appliance.pantalla.rutas_coordinacion import hace
from appliance.reloj import RelojFijado
from appliance.tablero import Retrato, Situacion, Tablero
from nucleo.acta import Digitalizacion, MotivoSinActa, Origen, asentado_de_campos
from nucleo.acuse import Acuse, Apartado, CorteCubierto
from nucleo.campo import Numero
from nucleo.hechos import IdActa, Recaptura
from nucleo.promesa import leer_promesa
from tests.kiosco_de_prueba import (
    A1,
    A2,
    A3,
    EPOCA,
    PROCESO,
    abrir_mesa,
    bien,
    codigo,
    hora,
    identidad,
    lectura,
    vigente,
)
from tests.pantallas_de_prueba import mandar, pantallas
from tests.sobres_de_prueba import AHORA
from tests.unidad.test_cotejo import verificar

RUTA = f"/coordinacion/acta/{A1.eleccion}/{A1.casilla}"
SECRETO = Numero(7131)
"""Un voto que no puede salir en ninguna página antes de que el acta se verifique."""


@pytest.fixture
def reloj() -> RelojFijado:
    return RelojFijado(hora())


@pytest.fixture
def mesa(tmp_path: Path, reloj: RelojFijado) -> Mesa:
    return abrir_mesa(tmp_path, reloj=reloj)


def retrato(mesa: Mesa) -> Retrato:
    return Tablero(mesa.almacen, PLAZO_ENCARGO).retrato(mesa.reloj.ahora())


def situaciones(mesa: Mesa) -> dict[str, str]:
    return {f.acta.casilla: f.situacion.name for f in retrato(mesa).fichas}


def acopiar(mesa: Mesa, *actas: IdActa) -> None:
    for acta in actas or (A1,):
        bien(mesa.acopiar(acta, persona="acopio-1", origen=Origen.CATD))


def leer(mesa: Mesa, persona: str, **votos: Numero) -> None:
    bien(mesa.tomar(A1, persona))
    asentado = asentado_de_campos(lectura(A1).campos() | votos)
    bien(mesa.capturar(A1, persona, asentado, imagen=vigente(mesa)))


def discrepar(mesa: Mesa) -> None:
    """Dos lecturas que no coinciden."""
    acopiar(mesa)
    leer(mesa, "capturista-1")
    leer(mesa, "capturista-2", PRI=SECRETO)


# ----------------------------------------------------------------------------------------------------------- el tablero


def test_cada_acta_esta_en_una_sola_situacion_desde_que_llega_hasta_la_caja(mesa: Mesa, reloj: RelojFijado) -> None:
    vistas = []

    def mirar() -> None:
        vistas.append(situaciones(mesa).get(A1.casilla, "ninguna"))
        reloj.avanzar(timedelta(minutes=1))

    mirar()
    acopiar(mesa)
    mirar()
    bien(mesa.digitalizar(A1, persona="e-1", digitalizacion=Digitalizacion.ESCANER, contenido=b"\x89PNG"))
    mirar()
    leer(mesa, "capturista-1")
    mirar()
    leer(mesa, "capturista-2")
    mirar()
    assert vistas == ["ninguna", "POR_DIGITALIZAR", "POR_CAPTURAR", "SEGUNDA_LECTURA", "POR_COTEJAR"]
    bien(mesa.pedir_recaptura(A1, "coordinacion", "la solicitó un partido"))
    assert situaciones(mesa)[A1.casilla] == "POR_CAPTURAR"
    assert sum(m.cuantas for m in retrato(mesa).montones) == 1


def test_los_problemas_van_primero_aunque_sean_los_mas_nuevos(mesa: Mesa, reloj: RelojFijado) -> None:
    acopiar(mesa, A2, A3)
    reloj.avanzar(timedelta(minutes=30))
    discrepar(mesa)
    fichas = retrato(mesa).fichas
    assert [f.acta for f in fichas] == [A1, A2, A3]
    assert fichas[0].problemas == ("dos lecturas no coinciden",)
    bien(mesa.tomar(A1, "capturista-3"))
    bien(mesa.corregir(A1, "capturista-3", {"PRI": Numero(3)}, imagen=vigente(mesa)))
    assert situaciones(mesa)[A1.casilla] == "EN_REVISION"


def test_un_acta_abierta_y_abandonada_se_ve_y_se_libera(mesa: Mesa, tmp_path: Path, reloj: RelojFijado) -> None:
    acopiar(mesa)
    bien(mesa.tomar(A1, "capturista-1"))
    assert retrato(mesa).fichas[0].problemas == ()
    reloj.avanzar(PLAZO_ENCARGO)
    assert retrato(mesa).fichas[0].problemas == ("abierta sin actividad por capturista-1",)
    navegador = pantallas(mesa, tmp_path, "coordinacion")
    assert "Liberar el acta" in navegador.get(RUTA).text
    assert "Acta liberada" in mandar(navegador, RUTA, f"{RUTA}/liberar")
    assert retrato(mesa).fichas[0].abierta is None
    assert "Nadie tiene abierta" in mandar(navegador, "/cotejo", f"{RUTA}/liberar"), "el segundo toque se explica"


def test_lo_que_el_centro_aparto_se_ve(mesa: Mesa) -> None:
    acopiar(mesa)
    huella = mesa.almacen.ultimo().huella
    apartado = (Apartado(huella, "CASILLA_DESCONOCIDA"),)
    mesa.almacen.cerrar(Acuse("catd-01", EPOCA, 0, "0" * 64, (), (), apartado, AHORA), AHORA)
    (ficha,) = retrato(mesa).fichas
    assert ficha.apartada == "CASILLA_DESCONOCIDA"
    assert ficha.problemas == ("el centro la apartó (CASILLA_DESCONOCIDA)",)


def test_sin_acta_y_despues_aparece(mesa: Mesa, reloj: RelojFijado) -> None:
    bien(mesa.declarar_sin_acta(A1, "ana", "coordinacion", MotivoSinActa.PAQUETE_NO_ENTREGADO))
    assert situaciones(mesa) == {A1.casilla: "SIN_ACTA"}
    reloj.avanzar(timedelta(minutes=1))
    acopiar(mesa)
    assert situaciones(mesa) == {A1.casilla: "POR_DIGITALIZAR"}


def test_el_tablero_se_pone_al_dia_con_lo_que_escribio_otra_pantalla(mesa: Mesa, tmp_path: Path) -> None:
    tablero = Tablero(mesa.almacen, PLAZO_ENCARGO)
    assert tablero.retrato(hora()).fichas == ()
    assert tablero.ficha(A1, hora()) is None
    acopiar(abrir_mesa(tmp_path))
    assert [f.acta for f in tablero.retrato(hora()).fichas] == [A1]
    ficha = tablero.ficha(A1, hora())
    assert ficha is not None
    assert ficha.situacion is Situacion.POR_DIGITALIZAR


def test_la_grafica_cruza_la_medianoche_y_no_se_alarga_sin_fin(mesa: Mesa, reloj: RelojFijado) -> None:
    assert avance_por_hora(()) == ""
    acopiar(mesa, A1)
    reloj.avanzar(timedelta(hours=9))
    acopiar(mesa, A2)
    avance = retrato(mesa).avance
    assert [h.acopiadas for h in avance] == [1, 0, 0, 0, 0, 0, 0, 0, 0, 1]
    dibujo = avance_por_hora(avance)
    assert dibujo.startswith("<svg")
    assert "style=" not in dibujo, "la CSP no lo deja"
    assert dibujo.count("<rect") == 2 + 2, "dos barras, y el fondo rayado"
    reloj.avanzar(timedelta(hours=20))
    assert len(retrato(mesa).avance) == 12


@pytest.mark.parametrize(
    ("minutos", "dicho"),
    [
        (-3, "hace un momento"),
        (0, "hace un momento"),
        (59, "hace 59 min"),
        (61, "hace 1 h 01 min"),
        (3000, "hace 2 días"),
    ],
)
def test_hace_cuanto_en_palabras(minutos: int, dicho: str) -> None:
    assert hace(hora(), hora(minutos)) == dicho


def test_la_pausa_de_imagenes_que_pidio_el_centro_se_ve_en_el_estado_aunque_no_falte_ninguna(
    mesa: Mesa, tmp_path: Path
) -> None:
    navegador = pantallas(mesa, tmp_path, "coordinacion")
    assert "en pausa" not in navegador.get("/coordinacion/estado").text
    with mesa.almacen.transaccion() as t:
        situacion.poner(t.conexion, PAUSA, ORDEN)
    assert "ninguna por llegar al centro; en pausa: lo pidió el centro" in navegador.get("/coordinacion/estado").text


# -------------------------------------------------------------------------------------------------- nadie ve lo de otra


def test_nadie_ve_lo_que_alguien_leyo_hasta_que_se_verifica(mesa: Mesa, tmp_path: Path) -> None:
    discrepar(mesa)
    navegador = pantallas(mesa, tmp_path, "coordinacion")
    for ruta in ("/coordinacion", RUTA, "/coordinacion/bitacora", "/coordinacion/estado", "/cotejo", "/empaquetado"):
        pagina = navegador.get(ruta)
        assert pagina.status_code == 200, ruta
        assert str(SECRETO.valor) not in re.sub(r'value="[^"]*"', "", pagina.text), ruta
    assert "no se muestra a nadie" in navegador.get(RUTA).text
    bien(mesa.tomar(A1, "capturista-3"))
    bien(mesa.corregir(A1, "capturista-3", {"PRI": SECRETO}, imagen=vigente(mesa)))
    assert "7 131" in navegador.get(RUTA).text


@pytest.mark.parametrize(
    "ruta",
    ["", "/estado", "/bitacora", "/alistamiento", "/alistamiento/avance", "/mochila", "/mochila/avance", RUTA[13:]],
)
def test_solo_coordinacion_entra(mesa: Mesa, tmp_path: Path, ruta: str) -> None:
    acopiar(mesa)
    respuesta = pantallas(mesa, tmp_path, "capturista-1").get(f"/coordinacion{ruta}")
    assert respuesta.status_code == 403


# ----------------------------------------------------------------------------------------------------------- el detalle


def test_la_historia_dice_que_paso_quien_y_si_el_centro_lo_tiene(mesa: Mesa, tmp_path: Path) -> None:
    verificar(mesa)
    navegador = pantallas(mesa, tmp_path, "coordinacion")
    huella = mesa.almacen.sobres(3, 3)[0].huella
    mesa.almacen.cerrar(Acuse("catd-01", EPOCA, 3, huella, (), (), (), AHORA), AHORA)
    pasos = pasos_de(mesa.almacen, A1, str)
    assert [p.que for p in pasos if p.envio] == [
        "Se acopió",
        "Se digitalizó",
        "Terminó de capturarla",
        "Terminó de capturarla",
    ]
    assert [p.envio for p in pasos if p.envio] == ["el centro la tiene"] * 3 + ["en espera de enviarse"]
    assert sum(p.que == "Abrió el acta para leerla" for p in pasos) == 2
    pagina = navegador.get(RUTA).text
    assert "Capturista 1" in pagina
    assert "Todavía no se sabe de un corte" in pagina


def test_dice_en_que_corte_salio(mesa: Mesa, tmp_path: Path) -> None:
    verificar(mesa)
    huella = mesa.almacen.sobres(4, 4)[0].huella
    corte = CorteCubierto(hora(30).astimezone(UTC), 4)
    mesa.almacen.cerrar(Acuse("catd-01", EPOCA, 4, huella, (), (), (), AHORA, corte), AHORA)
    navegador = pantallas(mesa, tmp_path, "coordinacion")
    # 18:00 UTC + 2 h 30 min, en la Ciudad de México (UTC−5 ese junio).
    assert "Publicada en el corte 15:30" in navegador.get(RUTA).text
    assert "✔ corte 15:30" in navegador.get("/coordinacion").text
    assert retrato(mesa).publicadas == 1


def test_se_filtra_por_situacion_y_se_busca_por_seccion(mesa: Mesa, tmp_path: Path) -> None:
    acopiar(mesa, A1, A3)
    navegador = pantallas(mesa, tmp_path, "coordinacion")
    for consulta, esperadas in (
        ("", {A1, A3}),
        ("?situacion=POR_DIGITALIZAR", {A1, A3}),
        ("?situacion=EMPACADA", set()),
        ("?seccion=2", {A3}),
        ("?seccion=0001", {A1}),
        ("?seccion=9999", set()),
        ("?situacion=nada&seccion=%3Cscript%3E&desde=-5", set()),
        ("?desde=99999", {A1, A3}),
    ):
        pagina = navegador.get("/coordinacion" + consulta)
        assert pagina.status_code == 200
        assert {a for a in (A1, A3) if f"/coordinacion/acta/GUB/{a.casilla}" in pagina.text} == esperadas, consulta
        assert "<script>" not in pagina.text
    assert navegador.get("/coordinacion?desde=muchas").status_code == 422
    assert navegador.get(f"/coordinacion/acta/GUB/{A2.casilla}").status_code == 404
    assert navegador.get("/coordinacion/acta/NADA/x").status_code == 404


# --------------------------------------------------------------------------------------------------------- las acciones


def test_la_recaptura_pide_motivo_y_queda_en_la_historia(mesa: Mesa, tmp_path: Path, reloj: RelojFijado) -> None:
    verificar(mesa)
    navegador = pantallas(mesa, tmp_path, "coordinacion")
    assert "Falta el motivo" in mandar(navegador, RUTA, f"{RUTA}/recaptura")
    assert "Falta el motivo" in mandar(navegador, RUTA, f"{RUTA}/recaptura", motivo="el PRI trae 7131")
    reloj.avanzar(timedelta(minutes=1))
    assert "Se pidió volver a capturarla" in mandar(navegador, RUTA, f"{RUTA}/recaptura", motivo="solicitud")
    (recaptura,) = [h for h in mesa.almacen.hechos_de(A1) if isinstance(h, Recaptura)]
    assert recaptura.persona == "coordinacion"
    assert "Sólo se recaptura" in mandar(navegador, RUTA, f"{RUTA}/recaptura", motivo="solicitud")
    assert situaciones(mesa)[A1.casilla] == "POR_CAPTURAR"


def test_se_pide_otra_imagen_y_se_puede_arrepentir(mesa: Mesa, tmp_path: Path) -> None:
    acopiar(mesa)
    navegador = pantallas(mesa, tmp_path, "coordinacion")
    assert "aún no tiene imagen" in mandar(navegador, "/cotejo", f"{RUTA}/redigitalizar", motivo="borrosa")
    bien(mesa.digitalizar(A1, persona="e-1", digitalizacion=Digitalizacion.ESCANER, contenido=b"\x89PNG"))
    assert "Falta el motivo" in mandar(navegador, "/cotejo", f"{RUTA}/redigitalizar")
    vieja = vigente(mesa) or ""
    bien(mesa.digitalizar(A1, persona="e-1", digitalizacion=Digitalizacion.ESCANER, contenido=b"\x89PNG otra"))
    pide = {"motivo": "borrosa", "imagen": vieja}
    assert "cambió" in mandar(navegador, "/cotejo", f"{RUTA}/redigitalizar", **pide), "no se queja de la que no vio"
    assert bien(mesa.por_redigitalizar()) == []
    pide["imagen"] = vigente(mesa) or ""
    assert f'name="imagen" value="{pide["imagen"]}"' in navegador.get(RUTA).text
    assert "Se pidió otra imagen" in mandar(navegador, "/cotejo", f"{RUTA}/redigitalizar", **pide)
    assert bien(mesa.siguiente("capturista-1")) is None
    assert "Espera otra imagen: está borrosa" in navegador.get(RUTA).text
    assert "Regresó a la fila" in mandar(navegador, RUTA, f"{RUTA}/regresar")
    assert bien(mesa.siguiente("capturista-1")) == A1
    assert "✖" in mandar(navegador, RUTA, f"{RUTA}/regresar"), "el segundo toque se explica"


def test_el_recibo_nombra_la_imagen_y_el_hecho_y_no_trae_votos(mesa: Mesa, tmp_path: Path) -> None:
    acopiar(mesa)
    assert codigo(recibo_de(mesa.almacen, A1, identidad(), PROCESO)) == "SIN_IMAGEN"
    bien(mesa.digitalizar(A1, persona="e-1", digitalizacion=Digitalizacion.ESCANER, contenido=b"\x89PNG 1"))
    bien(mesa.digitalizar(A1, persona="e-1", digitalizacion=Digitalizacion.ESCANER, contenido=b"\x89PNG 2"))
    leer(mesa, "capturista-1", PRI=SECRETO)
    recibo = recibo_de(mesa.almacen, A1, identidad(), PROCESO)
    assert isinstance(recibo, Recibo)
    tercero = mesa.almacen.sobres(3, 3)[0]
    assert (recibo.secuencia, recibo.huella) == (3, tercero.huella), "la imagen vigente es la última"
    assert recibo.qr.split("|")[:5] == ["PREPC2", "prueba2022", "simulacro", str(A1), recibo.imagen]
    promesa = leer_promesa(recibo.qr)
    assert (promesa.secuencia, promesa.huella) == (3, tercero.huella)
    promesa.comprobar(leer_publica(tmp_path / "llave.pem"))
    pdf = pdf_de_recibo(recibo, identidad(), PROCESO, hora(5))
    assert pdf.startswith(b"%PDF")
    navegador = pantallas(mesa, tmp_path, "coordinacion")
    assert "Recibo en PDF" in mandar(navegador, RUTA, f"/recibo/GUB/{A1.casilla}")
    with mesa.almacen.lectura() as mirada:
        filas = mirada.conexion.execute("SELECT persona, acta FROM bitacora WHERE evento = 'recibo_impreso'").fetchall()
    assert filas == [("coordinacion", str(A1))]
    assert "✖" in mandar(navegador, RUTA, "/recibo/NADA/x")


def test_la_bitacora_pone_lo_grave_arriba(mesa: Mesa, tmp_path: Path) -> None:
    acopiar(mesa)
    with mesa.almacen.transaccion() as t:
        t.anotar(hora(), "gafete_desconocido", detalle="<b>uno</b>")
        for _ in range(3):
            t.anotar(hora(1), "tomada", persona="capturista-1", acta=str(A1))
    pagina = pantallas(mesa, tmp_path, "coordinacion").get("/coordinacion/bitacora").text
    assert pagina.index("Se leyó un gafete") < pagina.index("Abrió el acta")
    assert "1 renglón grave" in pagina
    assert "<b>uno</b>" not in pagina
