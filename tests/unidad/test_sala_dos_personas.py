"""Lo que en la sala piden dos personas: el código de la segunda, que no espere días, que lo escrito no se pierda."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread

import httpx
import pytest

from nucleo.problema import Rechazo
from nucleo.temas import Carril
from servicio_central.ingesta import Mensaje
from servicio_central.monitor import casos
from servicio_central.monitor.acciones import ACCIONES
from servicio_central.monitor.dos_personas import HORAS
from servicio_central.monitor.papeles import Papel
from tests.sala_de_prueba import SalaDePrueba
from tests.unidad.test_monitor_ordenes import Navegador

CASO = "cuarentena:catd-001:FORMA"


@pytest.fixture
def sala(tmp_path: Path) -> Iterator[SalaDePrueba]:
    sala = SalaDePrueba(tmp_path, 2, servir=False)
    for nombre, papel in (("ana", Papel.OPERADOR), ("sofia", Papel.SUPERVISOR), ("rita", Papel.SUPERVISOR)):
        sala.cuenta(nombre, papel)
    sala.latir(*sala.equipos)
    sala.centro.ingesta.procesar([Mensaje(sala.inscrito.tema("catd-001", Carril.HECHOS), b"basura")])
    sala.sala.observador.mirar()
    yield sala
    sala.centro.almacen.cerrar()


def proponer(quien: Navegador, dictamen: str = "ruido", nota: str = "era una prueba") -> httpx.Response:
    return quien.mandar(f"/operacion/revision/{CASO}", forma=quien.forma, dictamen=dictamen, nota=nota)


def resolver(quien: Navegador, respuesta: str, codigo: str = "", nota: str = "", numero: int = 1) -> httpx.Response:
    campos = {"forma": quien.forma, "respuesta": respuesta, "codigo": codigo, "nota": nota}
    return quien.mandar(f"/operacion/revision/{CASO}/{numero}", **campos)


def confirma(sala: SalaDePrueba, numero: int = 1) -> bool | None:
    propuesta = sala.sala.dictamenes.uno(numero)
    assert propuesta is not None
    return None if propuesta.respuesta is None else propuesta.respuesta.acepta


# ---------------------------------------------------------------------------------------------------- el código


def test_la_supervisora_dejo_su_sesion_abierta_y_quien_propuso_no_confirma_con_ella(sala: SalaDePrueba) -> None:
    ana, sofia = Navegador(sala, "ana"), Navegador(sala, "sofia")
    assert proponer(ana).status_code == 303
    for codigo in ("", "000000", sala.codigo("sofia")):
        mal = resolver(sofia, "confirma", codigo, nota="conforme <b>")
        assert mal.status_code == 400
        assert "El código no es correcto" in mal.text
        assert "conforme &lt;b&gt;</textarea>" in mal.text, "lo escrito sigue ahí"
    assert confirma(sala) is None
    assert [a.suceso for a in sala.sala.accesos.ultimos()].count("falló") == 3


def test_con_un_codigo_nuevo_confirma_y_queda_en_los_accesos(sala: SalaDePrueba) -> None:
    ana, sofia = Navegador(sala, "ana"), Navegador(sala, "sofia")
    proponer(ana)
    assert 'name="codigo"' in sofia.ver(f"/operacion/revision/{CASO}")
    assert resolver(sofia, "confirma", sala.codigo("sofia", 1)).status_code == 303
    assert confirma(sala) is True
    dichos = {(a.suceso, a.cuenta, a.detalle) for a in sala.sala.accesos.ultimos()}
    assert ("autorizó", "sofia", f"propuesta 1: ruido, {CASO}") in dichos


def test_rechazar_una_propuesta_no_pide_codigo_pero_si_decir_por_que(sala: SalaDePrueba) -> None:
    ana, sofia = Navegador(sala, "ana"), Navegador(sala, "sofia")
    proponer(ana)
    assert resolver(sofia, "rechaza").status_code == 400
    assert resolver(sofia, "rechaza", nota="no es ruido").status_code == 303
    assert confirma(sala) is False


def test_quien_propuso_no_gasta_su_codigo_queriendo_confirmarse(sala: SalaDePrueba) -> None:
    sofia = Navegador(sala, "sofia")
    proponer(sofia)
    codigo = sala.codigo("sofia", 1)
    assert "Quien propone no confirma" in resolver(sofia, "confirma", codigo).text
    assert sala.sala.cuentas.gastar_paso("sofia", int(datetime.now(UTC).timestamp()) // 30 + 1)


def test_doble_clic_en_confirmar_no_es_otra_persona_ni_un_codigo_malo(sala: SalaDePrueba) -> None:
    ana, sofia = Navegador(sala, "ana"), Navegador(sala, "sofia")
    proponer(ana)
    campos = {"forma": sofia.forma, "respuesta": "confirma", "codigo": sala.codigo("sofia", 1)}
    respuestas: list[httpx.Response] = []
    camino = f"/operacion/revision/{CASO}/1"
    toques = [Thread(target=lambda: respuestas.append(sofia.mandar(camino, **campos))) for _ in "12"]
    for toque in toques:
        toque.start()
    for toque in toques:
        toque.join()
    assert sorted(r.status_code for r in respuestas) == [303, 400]
    segundo = max(respuestas, key=lambda r: r.status_code).text
    assert "Usted ya la confirmó" in segundo
    assert "otra persona respondió antes" not in segundo
    assert "falló" not in [a.suceso for a in sala.sala.accesos.ultimos()]


# ---------------------------------------------------------------------------------------------------- lo caduco


def test_un_pedido_de_hace_tres_dias_ya_no_se_autoriza(sala: SalaDePrueba) -> None:
    sofia, ahora = Navegador(sala, "sofia"), datetime.now(UTC)
    pedir = sala.sala.pedidos.pedir
    viejo = pedir("catd-001", ACCIONES["pausar_imagenes"], "", "", "se tapa", "ana", ahora - timedelta(days=3))
    assert viejo == 1
    codigo = sala.codigo("sofia", 1)
    assert 'name="codigo"' not in sofia.ver("/operacion/ordenes/1")
    for respuesta in ("autoriza", "rechaza"):
        r = sofia.responder(1, respuesta, codigo, nota="va")
        assert r.status_code == 400
        assert "Ese pedido caducó" in r.text
        assert "pida otra vez" in r.text
    assert sala.centro.despacho.bandeja.de("catd-001") == ()
    sala.sala.observador.mirar()
    assert sala.sala.observador.mesa.pedidos == ()
    assert "PEDIDO" not in {p.alarma.tipo for p in sala.sala.observador.presentes}
    assert f"nadie la respondió en {HORAS} horas y caducó" in sofia.ver("/operacion/ordenes")
    # El caduco no estorba al que sí hace falta, y el código no se gastó con aquél.
    assert pedir("catd-001", ACCIONES["pausar_imagenes"], "", "", "se tapa hoy", "ana", ahora) == 2
    assert sofia.responder(2, "autoriza", codigo).status_code == 303


def test_a_las_doce_horas_menos_un_minuto_todavia_se_responde(sala: SalaDePrueba) -> None:
    pedidos, ahora = sala.sala.pedidos, datetime.now(UTC)
    hace = ahora - timedelta(hours=HORAS) + timedelta(minutes=1)
    pedidos.pedir("catd-001", ACCIONES["baja"], "", "", "se lo robaron", "ana", hace)
    assert [p.numero for p in pedidos.abiertos(ahora)] == [1]
    assert pedidos.abiertos(ahora + timedelta(minutes=1)) == []
    assert pedidos.responder(1, "sofia", "", ahora, acepta=True) is None


def test_una_propuesta_de_hace_tres_dias_ya_no_se_confirma(sala: SalaDePrueba) -> None:
    sofia, ahora = Navegador(sala, "sofia"), datetime.now(UTC)
    caso = casos.uno(sala.inscrito.centro, CASO)
    assert caso is not None
    proponer_en = sala.sala.dictamenes.proponer
    assert proponer_en(caso, "ataque", "lo vi", "ana", ahora - timedelta(days=3)) == 1
    mal = resolver(sofia, "confirma", codigo := sala.codigo("sofia", 1))
    assert "Esa propuesta caducó" in mal.text
    assert confirma(sala) is None
    assert "caducó sin respuesta; sin dictamen" in sofia.ver("/operacion/revision")
    assert not isinstance(proponer_en(caso, "ruido", "era prueba", "ana", ahora), Rechazo)
    assert resolver(sofia, "confirma", codigo, numero=2).status_code == 303


# ------------------------------------------------------------------------------------------------- lo escrito


def test_se_rechaza_el_formulario_y_la_nota_sigue_en_su_casilla(sala: SalaDePrueba) -> None:
    ana, sofia = Navegador(sala, "ana"), Navegador(sala, "sofia")
    sala.latir("catd-001", escaner="falla")
    sala.sala.observador.mirar()
    (episodio,) = [p.episodio for p in sala.sala.observador.presentes if p.alarma.tipo == "ESCANER"]
    assert episodio is not None
    mala = "va el <técnico>\u200d"
    visible = "va el &lt;técnico&gt;"
    ana.ordenar("catd-001", "pausar_imagenes", motivo="se tapa")
    for r in (
        ana.mandar(f"/operacion/alarma/{episodio.numero}", forma=ana.forma, nota=mala),
        ana.mandar("/operacion/alarmas/ESCANER", forma=ana.forma, nota=mala, vistas=f"{episodio.numero}"),
        sofia.responder(1, "rechaza", nota=mala),
        proponer(ana, nota=mala),
    ):
        assert r.status_code == 400
        assert r.text.count(visible) == 1, r.text
    sin_dictamen = proponer(ana, dictamen="", nota="lo vi")
    assert "lo vi</textarea>" in sin_dictamen.text
    assert 'value="ruido" checked' in proponer(ana, nota="").text


@pytest.mark.parametrize(
    ("invisible", "dice"),
    [
        ("\u200d", "en el lugar 8, unión de ancho cero, la de los emojis compuestos (U+200D)"),
        ("\u202e", "en el lugar 8, marca de dirección (U+202E)"),
        ("\x07", "en el lugar 8, carácter de control (U+0007)"),
        ("\ue000", "en el lugar 8, signo propio de otro programa (U+E000)"),
    ],
)
def test_se_pega_un_caracter_que_no_se_ve_y_se_dice_cual_y_que_hacer(
    sala: SalaDePrueba, invisible: str, dice: str
) -> None:
    ana, sofia = Navegador(sala, "ana"), Navegador(sala, "sofia")
    mala = f"lo vimo{invisible}s"
    for r in (proponer(ana, nota=mala), ana.ordenar("catd-001", "mensaje", texto=mala)):
        assert r.status_code == 400
        assert dice in r.text
        assert "tecléelo aquí, sin pegar" in r.text
        assert "mide" not in r.text
    proponer(ana)
    assert dice in resolver(sofia, "rechaza", nota=mala).text
