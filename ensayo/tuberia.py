"""Toda la tubería en un solo proceso y sin bróker: la mesa del kiosco, sus sobres firmados y la ingesta del centro."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from joserfc.jwk import ECKey

from appliance import almacen as kiosco
from appliance.identidad import Identidad
from appliance.imagenes import Imagenes
from appliance.mesa import Mesa
from appliance.reloj import RelojFijado
from ensayo.agenda import Documento, agenda_de
from ensayo.personas import Personas
from nucleo.eleccion import Proceso
from nucleo.padron import Equipo, Padron
from nucleo.sobre import Tipo, firmar_con
from nucleo.temas import ambito_de
from servicio_central import almacen as centro
from servicio_central.ingesta import LOTE, Destino, Ingesta, Mensaje, mensaje_de_hecho

EQUIPO: Final = "ensayo-01"
_EPOCA: Final = "0" * 16
_MEMORIA: Final = Path("/dev/shm")


@dataclass(frozen=True)
class LlaveEnMemoria:
    """Firmante para ensayos: la llave nace y muere con el proceso."""

    identidad: str
    llave: ECKey

    def firmar(self, tipo: Tipo, carga: bytes) -> str:
        return firmar_con(self.llave, self.identidad, tipo, carga)


@contextmanager
def carpeta_en_memoria() -> Iterator[Path]:
    """Carpeta temporal en memoria (o en disco, si la máquina no ofrece `/dev/shm`)."""
    with TemporaryDirectory(prefix="prep-", dir=_MEMORIA if _MEMORIA.is_dir() else None) as carpeta:
        yield Path(carpeta)


@dataclass(frozen=True)
class Tuberia:
    """Un kiosco y un centro unidos por una lista de mensajes."""

    mesa: Mesa
    reloj: RelojFijado
    ingesta: Ingesta
    firmante: LlaveEnMemoria
    ambito: str

    def mensajes(self) -> list[Mensaje]:
        """Todos los sobres del kiosco, como llegarían por el bróker."""
        ultima = self.mesa.almacen.ultimo().secuencia
        pendientes = self.mesa.almacen.sobres(1, ultima, limite=ultima or 1)
        return [mensaje_de_hecho(self.ambito, EQUIPO, p.sobre) for p in pendientes]


def montar(carpeta: Path, proceso: Proceso, inicio: datetime) -> Tuberia:
    """Arma la tubería en una carpeta vacía, con llaves nuevas."""
    firmante = LlaveEnMemoria(EQUIPO, ECKey.generate_key("P-256"))
    identidad = Identidad(EQUIPO, EQUIPO, _EPOCA, proceso.modo, carpeta, "localhost", 1)
    libro = kiosco.Almacen.abrir(
        carpeta / "kiosco.sqlite", identidad, firmante, proceso=proceso.clave, sistema="ensayo", arranque="ensayo"
    )
    reloj = RelojFijado(inicio)
    padron = Padron(
        proceso.clave, proceso.modo, 1, {EQUIPO: Equipo(EQUIPO, EQUIPO, frozenset({_EPOCA}), firmante.llave)}
    )
    ingesta = Ingesta(
        centro.Almacen.abrir(carpeta / "almacen.sqlite"),
        proceso,
        padron,
        LlaveEnMemoria("centro", ECKey.generate_key("P-256")),
        reloj.ahora,
    )
    mesa = Mesa(libro, Imagenes(carpeta / "imagenes"), proceso, reloj)
    return Tuberia(mesa, reloj, ingesta, firmante, ambito_de(proceso.modo, proceso.clave))


class TuberiaRota(RuntimeError):
    """El centro no aceptó un sobre que el kiosco firmó."""


def vivir(
    tuberia: Tuberia, documentos: list[Documento], avance: Callable[[int, int], None] = lambda hechas, total: None
) -> int:
    """Captura todos los documentos y los ingiere. Devuelve cuántos sobres aceptó el centro.

    Args:
        avance: se llama con (tareas hechas, tareas en total).

    Raises:
        TuberiaRota: si algún sobre no resulta `aceptado`.
    """
    agenda = agenda_de(documentos)
    personas = Personas(tuberia.mesa, agenda, tuberia.reloj, "minimas")
    for hechas, tarea in enumerate(agenda.tareas):
        personas.vivir_hasta(tarea.hora)
        if hechas % 200 == 0:
            avance(hechas, len(agenda.tareas))
    mensajes = tuberia.mensajes()
    for desde in range(0, len(mensajes), LOTE):
        for dictamen in tuberia.ingesta.procesar(mensajes[desde : desde + LOTE]).dictamenes:
            if dictamen.destino is not Destino.ACEPTADO:
                raise TuberiaRota(f"{dictamen.destino.value}: {dictamen.codigo} {dictamen.causa}")
    avance(len(agenda.tareas), len(agenda.tareas))
    return len(mensajes)
