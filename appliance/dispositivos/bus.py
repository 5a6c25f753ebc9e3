"""Qué aparatos hay conectados: el puerto por el que el kiosco lo pregunta, y lo que se le contesta."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from appliance.dispositivos.perfil import Clase
from nucleo.problema import Rechazo


@dataclass(frozen=True, slots=True)
class Particion:
    """Una partición de una memoria USB."""

    nodo: str
    sistema: str
    """`vfat`, `exfat`, `ext4`…; vacío si udev no lo sabe."""
    etiqueta: str
    bytes: int


@dataclass(frozen=True, slots=True)
class Dispositivo:
    """Un aparato presente ahora. Dos son el mismo si todo es igual: desconectar y conectar cambia el nodo."""

    clase: Clase
    nombre: str
    """Como se le dice a una persona."""
    perfil: str
    """Clave de su perfil; `generico` si no tiene el suyo; vacía si su clase no lleva perfil."""
    vid: str
    pid: str
    serie: str
    nodo: str
    """`/dev/…`; vacío si el núcleo lo ve y todavía no le dio uno."""
    ruta: str
    """En `/sys`."""
    version: str = ""
    """`bcdDevice`: la del firmware, si el fabricante la cuida."""
    extraible: bool = False
    """Sólo en memorias USB: falso es un disco duro."""
    particiones: tuple[Particion, ...] = ()

    @property
    def generico(self) -> bool:
        return self.perfil == "generico"


class Bus(Protocol):
    """Lo que ve del mundo físico. `presentes` siempre vuelve a preguntar: nada se recuerda de los avisos."""

    def presentes(self) -> tuple[Dispositivo, ...]:
        """Lo que hay ahora, ordenado por clase y ruta.

        Raises:
            OSError: si no se pudo enumerar.
        """
        ...

    def cambios(self, espera_s: float) -> bool:
        """Verdadero si llegó un aviso antes de `espera_s` segundos. Sólo despierta: no dice qué cambió."""
        ...

    def aviso(self) -> Rechazo | None:
        """Lo que impide ver bien los aparatos, si algo lo impide."""
        ...
