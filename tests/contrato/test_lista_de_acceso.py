"""La lista de acceso del bróker rige siempre: pase lo que pase con su archivo, mosquitto no se queda sin ella."""

from __future__ import annotations

import os
import pwd
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from paho.mqtt.enums import MQTTProtocolVersion

from nucleo.temas import USUARIO_OBSERVADOR, Carril
from servicio_central import ajustes, broker, cambios_de_padron, orden_inscribir
from tests.centro_de_verdad import Cliente, Inscrito, esperar
from tests.guardado import Guardado

pytestmark = pytest.mark.broker


@pytest.fixture
def sistema(tmp_path: Path) -> Iterator[tuple[Inscrito, Guardado]]:
    # pytest hace sus carpetas 0700: se abre el paso, como en /var/lib, para que el bróker corra con su cuenta.
    if os.geteuid() == 0:
        for padre in (tmp_path, *list(tmp_path.parents)[:-2]):
            padre.chmod(0o711)
    inscrito = Inscrito(tmp_path / "prep")
    inscrito.kiosco("catd-01")
    inscrito.kiosco("catd-02")
    guardado = Guardado(inscrito)
    yield inscrito, guardado
    guardado.terminar()


def lista(inscrito: Inscrito) -> Path:
    return inscrito.centro / ajustes.BROKER / broker.LISTA_DE_ACCESO


def rige(inscrito: Inscrito) -> bool:
    """Con el bróker arriba, un kiosco no escribe por otro ni oye lo ajeno."""
    espia = Cliente(inscrito.puerto, broker.contexto_tls(inscrito.kiosco("catd-02")), "catd-02", temas="#")
    intruso = Cliente(
        inscrito.puerto, broker.contexto_tls(inscrito.kiosco("catd-01")), "catd-01", version=MQTTProtocolVersion.MQTTv5
    )
    try:
        assert espia.listo
        assert intruso.listo
        prohibidos = [inscrito.tema("catd-02", Carril.ORDEN), inscrito.tema("catd-02", Carril.HECHOS), "otra/cosa"]
        for tema in prohibidos:
            intruso.publicar(tema, b"intrusion")
        intruso.publicar(inscrito.tema("catd-01", Carril.HECHOS), b"hoja")
        assert esperar(lambda: intruso.tomados == len(prohibidos) + 1)
        return intruso.codigos[1:-1] == ["Not authorized"] * len(prohibidos) and espia.recibidos == []
    finally:
        espia.cerrar()
        intruso.cerrar()


def inscribir_observador(inscrito: Inscrito) -> Path:
    carpeta = inscrito.carpeta / "observador"
    orden_inscribir.main(
        ["--autoridad", str(inscrito.autoridad), "--centro", str(inscrito.centro), "--observador", str(carpeta)]
    )
    return carpeta


def test_inscribir_al_observador_con_el_broker_arriba_no_lo_deja_abierto(sistema: tuple[Inscrito, Guardado]) -> None:
    inscrito, guardado = sistema
    antes = lista(inscrito).stat()
    if os.geteuid() == 0:
        assert antes.st_uid == pwd.getpwnam(broker.CUENTA).pw_uid
    viejo = guardado.hijo()
    carpeta = inscribir_observador(inscrito)
    despues = lista(inscrito).stat()
    assert (despues.st_uid, despues.st_gid, despues.st_mode) == (antes.st_uid, antes.st_gid, antes.st_mode)
    guardado.proceso.send_signal(signal.SIGHUP)
    assert guardado.otro_en_vez_de(viejo)
    assert rige(inscrito)
    observador = Cliente(
        inscrito.puerto, broker.contexto_tls(carpeta), USUARIO_OBSERVADOR, version=MQTTProtocolVersion.MQTTv5
    )
    try:
        for tema in (inscrito.tema("catd-01", Carril.HECHOS), inscrito.tema("catd-02", Carril.ORDEN)):
            observador.publicar(tema, b"{}")
        assert esperar(lambda: observador.tomados == 2)
        assert observador.codigos[1:] == ["Not authorized"] * 2
    finally:
        observador.cerrar()
    assert guardado.dijo("Unable to open acl_file") == 0


def test_la_lista_de_acceso_nueva_se_nota_sola(sistema: tuple[Inscrito, Guardado]) -> None:
    inscrito, guardado = sistema
    viejo = guardado.hijo()
    lista(inscrito).write_text(lista(inscrito).read_text().partition(f"\nuser {USUARIO_OBSERVADOR}")[0])
    assert guardado.otro_en_vez_de(viejo)
    viejo = guardado.hijo()
    carpeta = inscribir_observador(inscrito)
    assert guardado.otro_en_vez_de(viejo), "nadie le mandó señal alguna"
    observador = Cliente(
        inscrito.puerto, broker.contexto_tls(carpeta), USUARIO_OBSERVADOR, temas=f"prep/{inscrito.ambito}/+/sube/hechos"
    )
    try:
        assert rige(inscrito)
        assert esperar(lambda: [d for _, d in observador.recibidos] == [b"hoja"])
    finally:
        observador.cerrar()


def test_alguien_deja_la_lista_a_nombre_de_root_y_manda_sighup_directo_a_mosquitto(
    sistema: tuple[Inscrito, Guardado],
) -> None:
    if os.geteuid() != 0:
        pytest.skip("sólo root regala archivos")
    inscrito, guardado = sistema
    viejo = guardado.hijo()
    os.chown(lista(inscrito), 0, 0)
    os.kill(viejo, signal.SIGHUP)
    assert guardado.otro_en_vez_de(viejo)
    assert lista(inscrito).stat().st_uid == pwd.getpwnam(broker.CUENTA).pw_uid
    assert rige(inscrito)


def test_se_borra_la_lista_y_el_broker_sigue_con_la_que_tenia_y_lo_dice(sistema: tuple[Inscrito, Guardado]) -> None:
    inscrito, guardado = sistema
    contenido, hijo = lista(inscrito).read_bytes(), guardado.hijo()
    lista(inscrito).unlink()
    guardado.proceso.send_signal(signal.SIGHUP)
    assert esperar(lambda: guardado.dijo("sigue con las listas que ya tenía") == 1)
    assert guardado.dijo("no existe: se borró") == 1
    assert guardado.dijo("Siguiente paso") == 1
    assert guardado.hijo() == hijo
    assert rige(inscrito)
    lista(inscrito).write_bytes(contenido)
    assert guardado.otro_en_vez_de(hijo)
    assert rige(inscrito)


def test_con_una_lista_que_mosquitto_no_entiende_se_queda_cerrado_y_no_abierto(
    sistema: tuple[Inscrito, Guardado],
) -> None:
    inscrito, guardado = sistema
    lista(inscrito).write_text("patron write #\n")
    os.kill(guardado.hijo(), signal.SIGHUP)
    assert guardado.proceso.wait(timeout=30) == 1
    assert guardado.dijo("se le detuvo: sin ella dejaría leer y escribir todo") == 1
    with pytest.raises(OSError, match="refused"):
        Cliente(inscrito.puerto, broker.contexto_tls(inscrito.kiosco("catd-01")), "catd-01")


def test_la_lista_de_revocados_tampoco_cambia_de_dueno(sistema: tuple[Inscrito, Guardado]) -> None:
    inscrito, guardado = sistema
    revocados = inscrito.centro / ajustes.BROKER / broker.REVOCADOS
    antes, contenido, viejo = revocados.stat(), revocados.read_bytes(), guardado.hijo()
    cambios_de_padron.baja(inscrito.autoridad, inscrito.centro, "catd-02")
    despues = revocados.stat()
    assert revocados.read_bytes() != contenido
    assert (despues.st_uid, despues.st_gid, despues.st_mode) == (antes.st_uid, antes.st_gid, antes.st_mode)
    assert guardado.otro_en_vez_de(viejo)
