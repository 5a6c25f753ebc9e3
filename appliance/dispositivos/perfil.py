"""El perfil de un modelo de aparato: todo lo que el kiosco sabe de él, como dato y sin conducta.

Cada perfil se escribe una sola vez, en `firmware_scanners/<clave>.toml`; de él salen las reglas udev, las opciones del
controlador, los mensajes y la documentación.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Clase(StrEnum):
    """Para qué sirve un aparato en el CATD."""

    ESCANER = "escaner"
    LECTOR = "lector"
    CAMARA = "camara"
    IMPRESORA = "impresora"
    USB = "usb"

    @property
    def nombre(self) -> str:
        """Como se le dice a una persona."""
        return _NOMBRES[self]


_NOMBRES = {
    Clase.ESCANER: "escáner",
    Clase.LECTOR: "lector de códigos",
    Clase.CAMARA: "cámara",
    Clase.IMPRESORA: "impresora",
    Clase.USB: "memoria USB",
}


class ModoDeLector(StrEnum):
    """Cómo se presenta un lector de códigos."""

    TECLADO = "teclado"
    SERIE = "serie"


@dataclass(frozen=True, slots=True)
class IdUsb:
    """Un número USB con que el modelo se presenta: `vid` y `pid`, cuatro cifras hexadecimales minúsculas."""

    vid: str
    pid: str
    verificado: bool
    fuente: str
    modo: ModoDeLector | None = None
    """Sólo en lectores: el mismo modelo cambia de número al cambiar de modo."""

    def __str__(self) -> str:
        return f"{self.vid}:{self.pid}"


@dataclass(frozen=True, slots=True)
class Sane:
    """Cómo se maneja con SANE."""

    backend: str
    origen: str
    """`debian`, o `fabricante` si hay que instalar aparte su controlador."""
    dispositivo: re.Pattern[str]
    """Expresión del nombre completo con que `scanimage -L` lo anuncia."""
    modos: Mapping[str, tuple[str, ...]]
    """Nombre del modo → argumentos de `scanimage`, tal cual."""
    entorno: Mapping[str, str]
    """Variables `SANE_DEBUG_…` sin las que el controlador calla lo que distingue una falla de otra."""
    verificado: bool
    fuente: str


@dataclass(frozen=True, slots=True)
class Lector:
    """Cómo entrega lo que lee."""

    modo: ModoDeLector
    """El modo en que conviene tenerlo."""
    sufijo: str
    """`CR`, `LF`, `CRLF` o `TAB`: con qué termina cada lectura."""


@dataclass(frozen=True, slots=True)
class Firmware:
    """Lo que se espera del firmware. `archivo` vacío: el controlador no le carga ninguno."""

    version: str = ""
    """`bcdDevice`, cuatro cifras, como lo da udev en `ID_REVISION`; vacía, el instituto no la ha fijado."""
    archivo: str = ""
    destino: str = ""
    """Ruta absoluta donde lo busca el controlador."""
    sha256: str = ""
    """Hexadecimal. Vacía: no se instala hasta que el instituto la escriba."""
    fuente: str = ""


@dataclass(frozen=True, slots=True)
class FallaConocida:
    """Una falla del aparato: cómo se reconoce y con qué palabras se explica."""

    clave: str
    que: str
    causa: str
    siguiente: str
    estados: tuple[int, ...] = ()
    """Estados de SANE (los mismos números con que sale `scanimage`)."""
    dice: re.Pattern[str] | None = None


@dataclass(frozen=True, slots=True)
class Perfil:
    """Un modelo. `fallas` ya trae las comunes, con lo que este modelo afina, de lo específico a lo general."""

    clave: str
    clase: Clase
    marca: str
    modelo: str
    simulado: bool
    notas: str
    usb: tuple[IdUsb, ...]
    sane: Sane | None
    lector: Lector | None
    firmware: Firmware
    pasos: tuple[str, ...]
    """Qué revisar, en orden, cuando no anda."""
    fallas: tuple[FallaConocida, ...]

    @property
    def nombre(self) -> str:
        return f"{self.marca} {self.modelo}"

    @property
    def verificado(self) -> bool:
        """Si todos sus datos tienen una fuente que los confirma."""
        return all(i.verificado for i in self.usb) and (self.sane is None or self.sane.verificado)
