"""Quien quiere cegar o engañar a la sala: manda lo que no se puede pintar, aprieta dos veces, llena el disco."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import os
import re
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nucleo.acta import MotivoSinActa
from nucleo.hechos import IdActa, SinActa
from nucleo.orden import Reenviar
from nucleo.problema import Rechazo
from nucleo.temas import Carril
from servicio_central import firma_de_definicion
from servicio_central.informe_de_mochila import Informe
from servicio_central.ingesta import Mensaje
from servicio_central.monitor import casos, metricas, orden_operador
from servicio_central.monitor.acciones import ACCIONES
from servicio_central.monitor.difusion import TOPE_FILA, Difusion, Lleno
from servicio_central.monitor.episodios import Episodio
from servicio_central.monitor.papeles import Papel
from tests.centro_de_verdad import OAXACA
from tests.disco_lleno import disco_lleno
from tests.sala_de_prueba import CLAVE, SalaDePrueba
from tests.unidad.test_monitor_ordenes import Navegador


@pytest.fixture
def sala(tmp_path: Path) -> Iterator[SalaDePrueba]:
    sala = SalaDePrueba(tmp_path, 3, servir=False)
    for nombre, papel in (("ana", Papel.OPERADOR), ("sofia", Papel.SUPERVISOR), ("rita", Papel.SUPERVISOR)):
        sala.cuenta(nombre, papel)
    sala.latir(*sala.equipos)
    sala.sala.observador.mirar()
    yield sala
    sala.centro.almacen.cerrar()


def en_base64(dato: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(dato, separators=(",", ":")).encode()).decode().rstrip("=")


# ------------------------------------------------------------------------------------- lo que no se puede pintar


def test_un_mensaje_apartado_que_no_cabe_en_utf8_se_puede_revisar(sala: SalaDePrueba) -> None:
    mensaje = f"a.{en_base64({'v': chr(0xD800)})}.b"
    sala.centro.ingesta.procesar([Mensaje(sala.inscrito.tema("catd-001", Carril.HECHOS), mensaje.encode())])
    ana = Navegador(sala, "ana")
    assert "\\xd800" in ana.ver("/operacion/revision/cuarentena:catd-001:FORMA")


@given(st.text(st.characters(exclude_categories=())))
def test_cualquier_cosa_apartada_se_puede_pintar(texto: str) -> None:
    for dicho in (texto, f"a.{en_base64(texto)}.b"):
        casos.leer_sin_creer(dicho).encode("utf-8")


@pytest.mark.parametrize(
    "lugar",
    [{"equipo": chr(0xD800)}, {"equipo": 7}, {"epoca": "<b>"}, {"secuencia": "x"}, {"secuencia": 2**60}, {"catd": 7}],
)
def test_un_sobre_apartado_que_nadie_firmo_no_deja_sin_vida_a_un_acta(
    sala: SalaDePrueba, lugar: dict[str, Any]
) -> None:
    casilla = next(iter(sala.proceso.casillas))
    (eleccion,) = sala.proceso.elecciones
    hora = sala.proceso.inicio_publicacion
    acta = IdActa(eleccion, casilla)
    bueno = sala.hoja("catd-001", SinActa(acta, hora, MotivoSinActa.CASILLA_NO_INSTALADA, "eva", "coordina"))
    encabezado, carga, firma = bueno.datos.decode().split(".")
    dato = json.loads(base64.urlsafe_b64decode(carga + "=" * (-len(carga) % 4))) | lugar
    sala.centro.ingesta.procesar([Mensaje(bueno.tema, f"{encabezado}.{en_base64(dato)}.{firma}".encode())])
    assert casilla in Navegador(sala, "ana").ver(f"/operacion/acta/{eleccion}/{casilla}")


# ---------------------------------------------------------------------------------------------- las alarmas


def test_se_reconoce_una_alarma_en_el_instante_en_que_se_quita(sala: SalaDePrueba) -> None:
    sala.latir("catd-001", escaner="falla")
    sala.sala.observador.mirar()
    (episodio,) = [p.episodio for p in sala.sala.observador.presentes if p.alarma.tipo == "ESCANER"]
    assert episodio is not None
    leer = sala.sala.episodios.uno
    vueltas: list[Thread] = []

    def y_en_eso_se_quita(numero: int) -> Episodio | None:
        leido = leer(numero)
        if len(vueltas) < 2:
            sala.latir("catd-001", escaner="listo")
            vueltas.append(Thread(target=sala.sala.observador.mirar))
            vueltas[-1].start()
            vueltas[-1].join(0.5)
        return leido

    sala.sala.episodios.uno = y_en_eso_se_quita  # type: ignore[method-assign]
    assert sala.sala.episodios.anotar(episodio.numero, "ana", "", datetime.now(UTC), reconoce=True) is None
    for vuelta in vueltas:
        vuelta.join()
    sala.latir("catd-002", escaner="falla")
    for _ in range(2):
        sala.sala.observador.mirar()
    (otro,) = [p for p in sala.sala.observador.presentes if p.alarma.tipo == "ESCANER"]
    assert otro.episodio is not None, "la libreta se sigue pudiendo asentar"


# ------------------------------------------------------------------------------------------ el disco del centro


def test_el_disco_se_llena_y_el_tablero_se_sigue_viendo(sala: SalaDePrueba) -> None:
    ana = Navegador(sala, "ana")
    with disco_lleno(1):
        for minutos in (1, 25, 50):
            sala.sala.sesiones._ahora = lambda m=minutos: datetime.now(UTC) + timedelta(minutes=m)  # type: ignore[misc]
            assert "catd-001" in ana.ver("/operacion")
        assert ana.ordenar("catd-001", "renacer").status_code in (400, 503), "lo que hay que asentar, no"
        sala.sala.sesiones._ahora = lambda: datetime.now(UTC) + timedelta(minutes=81)
        assert ana._pedir("GET", "/operacion").status_code == 303, "sin usarla vence igual"


def test_nadie_reconoce_de_una_vez_lo_que_empezo_mientras_leia(sala: SalaDePrueba) -> None:
    ana = Navegador(sala, "ana")
    sala.latir("catd-001", escaner="falla")
    sala.sala.observador.mirar()
    leida = ana.ver("/operacion/alarmas/ESCANER")
    sala.latir("catd-002", escaner="falla")
    sala.sala.observador.mirar()
    campos = dict(re.findall(r'name="(forma|vistas)" value="([^"]+)"', leida))
    assert ana.mandar("/operacion/alarmas/ESCANER", nota="voy", **campos).status_code == 303
    sala.sala.observador.mirar()
    assert [(p.alarma.equipo, p.reconocida) for p in sala.sala.observador.presentes if p.alarma.tipo == "ESCANER"] == [
        ("catd-001", True),
        ("catd-002", False),
    ]


# -------------------------------------------------------------------------------------------------- las órdenes


def test_se_pierde_la_libreta_y_el_pedido_uno_de_ahora_no_es_el_de_antes(sala: SalaDePrueba) -> None:
    bandeja, padron = sala.centro.despacho.bandeja, sala.centro.vigia.padron
    ayer = datetime.now(UTC) - timedelta(hours=5)
    bandeja.ordenar(padron, "catd-001", Reenviar(3), "ana y sofia (pedido 1)", ahora=ayer)
    ana, sofia = Navegador(sala, "ana"), Navegador(sala, "sofia")
    ana.ordenar("catd-001", "reenviar", desde="7", motivo="faltan")
    assert sofia.responder(1, "autoriza", sala.codigo("sofia", 1)).status_code == 303
    assert [o.que for o in bandeja.de("catd-001")] == [Reenviar(3), Reenviar(7)]


def test_no_se_asienta_como_rechazada_una_orden_que_ya_salio(
    sala: SalaDePrueba, monkeypatch: pytest.MonkeyPatch
) -> None:
    ana, sofia, rita = (Navegador(sala, q) for q in ("ana", "sofia", "rita"))
    ana.ordenar("catd-001", "reenviar", desde="3", motivo="faltan")
    ordenar = sala.centro.despacho.ordenar

    def y_se_va_la_luz(*args: Any) -> None:
        ordenar(*args)
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr(sala.centro.despacho, "ordenar", y_se_va_la_luz)
    assert sofia.responder(1, "autoriza", sala.codigo("sofia", 1)).status_code == 503
    monkeypatch.undo()
    assert "la orden ya se mandó" in rita.responder(1, "rechaza", nota="mejor no").text
    assert rita.responder(1, "autoriza", sala.codigo("rita", 1)).status_code == 303
    assert len(sala.centro.despacho.bandeja.de("catd-001")) == 1


def test_doble_clic_en_autorizar_no_es_un_codigo_malo_ni_otra_persona(sala: SalaDePrueba) -> None:
    ana, sofia = Navegador(sala, "ana"), Navegador(sala, "sofia")
    ana.ordenar("catd-001", "pausar_imagenes", motivo="se tapa")
    codigo, forma = sala.codigo("sofia", 1), sofia.forma
    campos = {"forma": forma, "respuesta": "autoriza", "codigo": codigo}
    respuestas: list[httpx.Response] = []
    toques = [Thread(target=lambda: respuestas.append(sofia.mandar("/operacion/ordenes/1", **campos))) for _ in "12"]
    for toque in toques:
        toque.start()
    for toque in toques:
        toque.join()
    assert sorted(r.status_code for r in respuestas) == [303, 400]
    assert "Usted ya lo autorizó" in max(respuestas, key=lambda r: r.status_code).text
    assert "falló" not in [a.suceso for a in sala.sala.accesos.ultimos()]
    assert len(sala.centro.despacho.bandeja.de("catd-001")) == 1


def test_una_nota_con_un_signo_invisible_se_dice_y_no_gasta_el_codigo(sala: SalaDePrueba) -> None:
    ana, sofia = Navegador(sala, "ana"), Navegador(sala, "sofia")
    assert "carácter que no se ve" in ana.ordenar("catd-001", "pausar_imagenes", motivo="sin luz\u200e").text
    ana.ordenar("catd-001", "pausar_imagenes", motivo="sin luz")
    codigo = sala.codigo("sofia", 1)
    assert sofia.responder(1, "autoriza", codigo, nota="va\u200d").status_code == 400
    assert sofia.responder(1, "autoriza", codigo, nota="va").status_code == 303


def test_con_mas_de_cien_pedidos_el_mas_viejo_no_se_pierde_de_vista(sala: SalaDePrueba) -> None:
    pedidos, ahora = sala.sala.pedidos, datetime.now(UTC)
    for n in range(120):
        pedidos.pedir(f"catd-{n}", ACCIONES["baja"], "", "", "robado", "ana", ahora)
    assert [p.numero for p in pedidos.abiertos(ahora)] == list(range(1, 121))
    assert isinstance(pedidos.pedir("catd-0", ACCIONES["baja"], "", "", "robado", "rita", ahora), Rechazo)


def test_en_el_buzon_hay_un_nombre_que_no_es_utf8_y_la_sala_sigue_viva(sala: SalaDePrueba) -> None:
    ana = Navegador(sala, "ana")
    (sala.inscrito.centro / "mochilas" / "entrada" / os.fsdecode(b"memoria \xd1")).mkdir()
    sala.sala.observador.mirar()
    assert "memoria ?" in ana.ver("/operacion/ordenes")


@pytest.mark.parametrize("tipo", ["multipart/form-data; boundary=X; charset=unicode_escape", "application/json"])
def test_un_formulario_que_no_es_de_aqui_no_entra(sala: SalaDePrueba, tipo: str) -> None:
    parte = b'--X\r\nContent-Disposition: form-data; name="cuenta"\r\n\r\n\\ud800\r\n--X--\r\n'

    async def ir() -> httpx.Response:
        transporte = httpx.ASGITransport(app=sala.app)
        async with httpx.AsyncClient(transport=transporte, base_url="http://localhost") as cliente:
            cabeceras = {"sec-fetch-site": "same-origin", "content-type": tipo}
            return await cliente.post("/operacion/entrar", content=parte, headers=cabeceras)

    assert asyncio.run(ir()).status_code == 415


@pytest.mark.parametrize("camino", ["/operacion/", "/operacion/nada", "/operacion/alarma/uno", "/operacion/salir"])
def test_una_direccion_mal_tecleada_se_dice_en_espanol(sala: SalaDePrueba, camino: str) -> None:
    r = Navegador(sala, "ana")._pedir("GET", camino)
    assert r.status_code in (404, 405, 422)
    assert "Siguiente paso" in r.text
    largo = Navegador(sala, "sofia")._pedir("GET", "/operacion/acta?buscar=" + "a" * 50)
    assert "demasiado largo" in largo.text


def test_la_sala_no_se_puede_pintar_y_el_registro_lo_dice_una_vez_por_causa(
    sala: SalaDePrueba, monkeypatch: pytest.MonkeyPatch
) -> None:
    observador, dichos = sala.sala.observador, list[str]()
    observador._avisar = dichos.append
    bueno = observador._pintor.pintar
    fallas = iter([ValueError("uno"), ValueError("uno"), KeyError("otro")])

    def y_no_se_puede(*args: Any) -> Any:
        if (falla := next(fallas, None)) is not None:
            raise falla
        observador._parar.set()
        return bueno(*args)

    monkeypatch.setattr(observador._pintor, "pintar", y_no_se_puede)
    observador._ciclo()
    assert observador.defectos == 3
    assert [("ValueError" in d, "KeyError" in d) for d in dichos] == [(True, False), (False, True)]
    assert "test_ataques_a_la_sala.py" in dichos[0]
    assert "repórtelo" in dichos[0]
    assert b"prep_sala_defectos_total 3.0" in metricas.escribir(sala.sala)


def test_ni_el_primer_retrato_se_puede_pintar_y_las_metricas_lo_cuentan(
    sala: SalaDePrueba, monkeypatch: pytest.MonkeyPatch
) -> None:
    observador = sala.sala.observador
    observador.retrato = None
    monkeypatch.setattr(observador, "mirar", lambda: 1 / 0)
    assert b"prep_sala_defectos_total 1.0" in metricas.escribir(sala.sala)


# ------------------------------------------------------------------------------------- los navegadores lentos


def test_navegadores_que_no_leen_no_dejan_abrir_otros_sin_fin() -> None:
    async def noche() -> None:
        canal = Difusion(3)
        filas = [canal.abrir() for _ in range(3)]
        for n in range(TOPE_FILA + 1):
            canal._repartir((n, b"x"))
        assert canal.oyentes == 3, "siguen colgados del servidor aunque ya no reciban"
        assert [f.qsize() for f in filas] == [1, 1, 1], "lo que no leyeron no se guarda"
        with pytest.raises(Lleno):
            canal.abrir()
        for fila in filas:
            assert fila.get_nowait() is None
            canal.soltar(fila)
        assert canal.oyentes == 0
        canal.abrir()

    asyncio.run(noche())


# ---------------------------------------------------------------------------------------------- las cuentas


def test_ya_habia_un_qr_con_ese_nombre_y_la_cuenta_no_se_crea_sin_secreto(
    sala: SalaDePrueba, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    qr = sala.inscrito.carpeta / "qr.png"
    qr.write_bytes(b"de otra persona")
    monkeypatch.setattr("sys.stdin", io.StringIO(CLAVE + "\n"))
    carpeta = str(sala.inscrito.centro)
    with pytest.raises(SystemExit):
        orden_operador.main(["alta", "--carpeta", carpeta, "eva", "--papel", "operador", "--qr", str(qr)])
    assert "Siguiente paso" in capsys.readouterr().err
    assert sala.sala.cuentas.una("eva") is None


def test_diez_clics_en_la_misma_orden_mandan_una(sala: SalaDePrueba) -> None:
    ana, bandeja = Navegador(sala, "ana"), sala.centro.despacho.bandeja
    assert ana.ordenar("catd-001", "renacer").status_code == 303
    repetida = ana.ordenar("catd-001", "renacer")
    assert repetida.status_code == 400
    assert "ya lo ordenó ana" in repetida.text
    assert ana.ordenar("catd-001", "seguir_imagenes").status_code == 303, "otra cosa sí"
    assert ana.ordenar("catd-001", "renacer").status_code == 303, "después de otra, también"
    sala.latir("catd-001", orden=3)
    assert ana.ordenar("catd-001", "renacer").status_code == 303, "ya contestó: se puede volver a pedir"
    assert len(bandeja.de("catd-001")) == 4


def test_se_autoriza_la_definicion_que_se_pidio_y_no_la_que_llego_despues(sala: SalaDePrueba) -> None:
    centro = sala.inscrito.centro
    firma_de_definicion.firmar(sala.inscrito.autoridad, centro, OAXACA)
    ana, sofia = Navegador(sala, "ana"), Navegador(sala, "sofia")
    ana.ordenar("catd-001", "definicion", motivo="se corrigió")
    assert "versión 1" in sofia.ver("/operacion/ordenes/1")
    firma_de_definicion.firmar(sala.inscrito.autoridad, centro, OAXACA)
    assert "firmó otra" in sofia.responder(1, "autoriza", sala.codigo("sofia", 1)).text
    assert sala.centro.despacho.bandeja.de("catd-001") == ()


@pytest.mark.parametrize(
    "mal", [{"importada": "0001-01-01T00:00:00+00:00"}, {"texto": chr(0xD800)}, {"codigos": {chr(0xD800): 1}}]
)
def test_un_informe_de_mochila_danado_no_apaga_los_tableros(sala: SalaDePrueba, mal: dict[str, Any]) -> None:
    dato = json.loads(Informe("catd-001-a-1", "2022-06-06T01:00:00+00:00").a_json()) | mal
    (sala.inscrito.centro / "mochilas" / "informes" / "catd-001-a-1.json").write_text(json.dumps(dato))
    sala.sala.observador.mirar()
    assert "no se entiende" in Navegador(sala, "ana").ver("/operacion/ordenes")


def test_el_disco_se_llena_al_mandar_y_la_pagina_no_se_va_sola(sala: SalaDePrueba) -> None:
    ana = Navegador(sala, "ana")
    forma = ana.forma
    with disco_lleno(1):
        r = ana.mandar("/operacion/equipo/catd-001/ordenar", forma=forma, accion="baja", motivo="se lo robaron")
    assert r.status_code == 503
    assert "refresh" not in r.headers
    assert "Atrás" in r.text
    assert sala.sala.pedidos.abiertos(datetime.now(UTC)) == []


def test_si_no_se_pudo_pedir_lo_escrito_sigue_en_su_lugar(sala: SalaDePrueba) -> None:
    r = Navegador(sala, "ana").ordenar("catd-001", "reenviar", desde="uno", motivo="faltan <las> del paquete 7")
    assert r.status_code == 400
    assert r.text.count("faltan &lt;las&gt; del paquete 7") == 1
    assert 'value="uno"' in r.text
