"""Lo mismo que la sala, con `mosquitto_sub` a secas: la orden es la de docs/operacion.md, tal cual."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from paho.mqtt.enums import MQTTProtocolVersion

from nucleo.temas import USUARIO_OBSERVADOR, Carril
from servicio_central import broker, observador_mqtt, orden_inscribir
from servicio_central.tropiezo import Tropiezo
from tests.centro_de_verdad import Cliente, Inscrito, esperar
from tests.sobres_de_prueba import EquipoDePrueba, captura

pytestmark = pytest.mark.broker
MANUAL: Final = Path(__file__).resolve().parents[2] / "docs" / "operacion.md"


@pytest.fixture(scope="module")
def sistema(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inscrito]:
    inscrito = Inscrito(tmp_path_factory.mktemp("observador"))
    inscrito.kiosco("catd-01")
    orden_inscribir.main(
        ["--autoridad", str(inscrito.autoridad), "--centro", str(inscrito.centro),
         "--observador", str(inscrito.carpeta / "observador")]
    )  # fmt: skip
    inscrito.levantar_broker()
    yield inscrito
    inscrito.matar_broker()


def orden_del_manual(sistema: Inscrito, carriles: str) -> str:
    """La línea de shell que el manual enseña, con las rutas y el puerto de esta prueba."""
    bloques: list[str] = re.findall(r"```sh\n(.+?)```", MANUAL.read_text("utf-8"), re.DOTALL)
    (orden,) = [b for b in bloques if "mosquitto_sub" in b and carriles in b]
    return (
        orden.replace("~/prep/observador", str(sistema.carpeta / "observador"))
        .replace("8883", str(sistema.puerto))
        .replace("simulacro-oax2022", sistema.ambito)
    )


@pytest.mark.parametrize(("carriles", "carril"), [("+/sube/latido", Carril.LATIDO), ("+/sube/hechos", Carril.HECHOS)])
def test_con_la_orden_del_manual_se_lee_lo_que_dice_el_kiosco(
    sistema: Inscrito, tmp_path: Path, carriles: str, carril: Carril
) -> None:
    assert shutil.which("mosquitto_sub"), "falta mosquitto-clients; `./prep probar` lo instala"
    salida = tmp_path / "visto"
    with salida.open("wb") as archivo:
        oyente = subprocess.Popen(
            ["sh", "-c", orden_del_manual(sistema, carriles)], stdout=archivo, stderr=subprocess.STDOUT,
            start_new_session=True,
        )  # fmt: skip
    kiosco = Cliente(sistema.puerto, broker.contexto_tls(sistema.kiosco("catd-01")), "catd-01")
    equipo = EquipoDePrueba("catd-01")
    try:

        def visto() -> bool:
            # Sin retenidos: lo publicado antes de suscribirse no se ve, y no se sabe cuándo terminó de suscribirse.
            datos = equipo.latido(pendientes=41) if carril is Carril.LATIDO else equipo.mensaje(captura())
            kiosco.publicar(sistema.tema("catd-01", carril), datos.datos)
            return esperar(lambda: b"}" in salida.read_bytes(), 0.5)

        assert esperar(visto), salida.read_text()
        tema, _, carga = salida.read_text().splitlines()[0].partition(" ")
        assert tema == sistema.tema("catd-01", carril)
        dicho = json.loads(carga)
        assert dicho["equipo"] == "catd-01"
        if carril is Carril.LATIDO:
            assert dicho["pendientes"] == 41
        else:
            assert dicho["contenido"]["hecho"] == "captura"
    finally:
        kiosco.cerrar()
        os.killpg(oyente.pid, 15)
        oyente.wait()


def test_el_observador_no_escribe_nada(sistema: Inscrito) -> None:
    centro = Cliente(
        sistema.puerto, broker.contexto_tls(sistema.centro), "centro", temas=f"prep/{sistema.ambito}/+/sube/hechos"
    )
    intruso = Cliente(
        sistema.puerto, broker.contexto_tls(sistema.carpeta / "observador"), USUARIO_OBSERVADOR,
        version=MQTTProtocolVersion.MQTTv5,
    )  # fmt: skip
    prohibidos = [sistema.tema("catd-01", c) for c in Carril]
    prohibidos += [t.replace("catd-01", USUARIO_OBSERVADOR) for t in prohibidos]
    for tema in prohibidos:
        intruso.publicar(tema, b"intrusion")
    assert esperar(lambda: intruso.tomados == len(prohibidos))
    assert intruso.codigos[1:] == ["Not authorized"] * len(prohibidos)
    assert centro.recibidos == []
    intruso.cerrar()
    centro.cerrar()


def test_inscribirlo_dos_veces_no_pisa_su_llave(sistema: Inscrito) -> None:
    carpeta = sistema.carpeta / "observador"
    antes = (carpeta / "tls.key").read_bytes()
    assert (carpeta / "tls.key").stat().st_mode & 0o777 == 0o600
    with pytest.raises(Tropiezo, match="no se sobrescribe"):
        observador_mqtt.inscribir(sistema.autoridad, sistema.centro, carpeta)
    assert (carpeta / "tls.key").read_bytes() == antes
    assert list((sistema.autoridad / "emitidos").glob(f"{USUARIO_OBSERVADOR}-*.pem")), "se puede revocar"
