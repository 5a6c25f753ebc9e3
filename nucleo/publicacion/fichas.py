"""Qué dice cada página pública, antes de que sea HTML o JSON: los dos salen de la misma ficha y no pueden discrepar."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from nucleo.acta import Acta
from nucleo.campo import Campo
from nucleo.casilla import Casilla
from nucleo.clasificacion import Clasificacion
from nucleo.eleccion import Eleccion, Opcion, Proceso
from nucleo.padron import Padron
from nucleo.publicacion.parcial import Parcial
from nucleo.publicacion.situacion import Situacion as Situacion


@dataclass(frozen=True, slots=True)
class Suceso:
    """Algo que de verdad pasó con un acta, con la hora en que pasó y no la de su registro."""

    hora: datetime
    que: str
    """`acopio`, `imagen`, `captura`, `correccion`, `revision`, `recaptura`, `sin_acta`, `verificada`, `cotejo`,
    `empaque` o `publicada`."""
    detalle: str = ""
    """En palabras llanas; vacío si `que` lo dice todo. Nunca el contenido de una captura ni quién la hizo."""
    huella: str = ""
    """Del sobre que lo dice; vacío si se deduce (verificada, publicada)."""


@dataclass(frozen=True, slots=True)
class Corte:
    """El corte que se publica."""

    nombre: str
    """AAAAMMDD_HHMM, en hora de la entidad."""
    hora: datetime
    ultimo: bool


@dataclass(frozen=True)
class FichaActa:
    """Un acta esperada: casilla × elección."""

    proceso: Proceso
    eleccion: Eleccion
    casilla: Casilla
    acta: Acta
    clasificacion: Clasificacion | None
    """`None` mientras esté pendiente."""
    situacion: Situacion
    renglones: tuple[tuple[Opcion, Campo], ...]
    """En el orden del acta; vacío si no está verificada."""
    total_calculado: int | None
    tope: int
    """Votos que caben: lista nominal más representaciones, o boletas si es especial."""
    cronologia: tuple[Suceso, ...]
    imagen: str
    """SHA-256 de la imagen publicada; vacío si no hay."""
    imagen_bytes: int
    imagen_presente: bool
    """Si sus bytes ya están en este centro y se publican; si no, «viene en camino»."""
    hojas: tuple[str, ...]
    """Huellas de los sobres de que sale lo publicado, en orden de (equipo, época, secuencia)."""
    publicada_en: Corte | None
    """El corte en que tomó la forma que tiene; `None` si nunca ha cambiado desde que todo estaba en cero."""


@dataclass(frozen=True)
class FichaSeccion:
    eleccion: Eleccion
    seccion: int
    division: int | None
    division_nombre: str
    municipio_nombre: str
    parcial: Parcial
    actas: tuple[FichaActa, ...]


@dataclass(frozen=True)
class FichaDivision:
    """Un distrito o municipio; `clave` es `None` para las mesas sin división."""

    eleccion: Eleccion
    clave: int | None
    nombre: str
    parcial: Parcial
    por_candidatura: Mapping[str, int]
    por_partido: Mapping[str, int]
    adelante: tuple[str, ...]
    """Candidaturas con más votos: una, varias si empatan, ninguna si no hay votos. No registradas y nulos no
    compiten."""
    secciones: tuple[FichaSeccion, ...]


@dataclass(frozen=True)
class FichaEleccion:
    eleccion: Eleccion
    parcial: Parcial
    por_candidatura: Mapping[str, int]
    por_partido: Mapping[str, int]
    adelante: tuple[str, ...]
    divisiones: tuple[FichaDivision, ...]
    """En orden de clave; las mesas sin división al final."""
    especiales: Parcial
    """Sólo casillas especiales."""
    fuera: tuple[Acta, ...]
    """Documentos fuera de catálogo."""
    zip: tuple[str, int, str]
    """Nombre, bytes y SHA-256 de la base oficial."""
    hechos: int
    """Los que cuentan, con los reservados."""
    conjunto: str
    """SHA-256 de sus huellas, ordenadas y separadas por saltos: dos centros con las mismas hojas y el mismo padrón dan
    lo mismo."""


@dataclass(frozen=True)
class FichaProceso:
    proceso: Proceso
    corte: Corte
    elecciones: tuple[FichaEleccion, ...]
    padron: Padron | None
    """Con cuál se contó; `None` en un libro suelto."""
