"""El retrato: todo lo que la sala sabe en un instante, como valores. No lee ni escribe nada."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum


class EstadoDeEnlace(Enum):
    """Cómo está un kiosco según lo último que se oyó de él. El valor es lo que se asienta en la historia."""

    EN_LINEA = "en línea"
    SIN_SENAL = "sin señal"
    """Dejó de latir sin que el bróker avisara de la caída."""
    CAIDO = "caído"
    """El bróker publicó su testamento: la conexión se cortó."""
    NUNCA = "nunca"
    BAJA = "de baja"

    @property
    def callado(self) -> bool:
        return self in (EstadoDeEnlace.SIN_SENAL, EstadoDeEnlace.CAIDO)


@dataclass(frozen=True, slots=True)
class Kiosco:
    """Un equipo del padrón. Lo que dice su latido es de cuando lo mandó (`latido`); lo demás lo sabe el centro."""

    equipo: str
    catd: str
    estado: EstadoDeEnlace
    latido: datetime | None = None
    """Cuándo se recibió el último; `None` si nunca."""
    epoca: str = ""
    pendientes: int = 0
    """Hojas (cifras) sin acuse, según el kiosco."""
    mas_viejo_s: int = -1
    """Edad de la hoja sin acuse más vieja, ya sumado lo que pasó desde el latido; -1 si no hay o no se sabe."""
    crecimiento: int = 0
    """Cuántos pendientes más que al principio de la ventana."""
    anunciada: int = 0
    contiguo: int = 0
    guardados: int = 0
    rota: bool = False
    retroceso: bool = False
    bifurcadas: int = 0
    cuarentena: tuple[tuple[str, int], ...] = ()
    """(código, cuántos)."""
    imagenes: int = 0
    imagenes_bytes: int = 0
    imagenes_en_pausa: datetime | None = None
    """Desde cuándo se sabe que obedeció la orden de no mandarlas; `None` si no, o si ya se le dijo que siga."""
    reloj: str = ""
    desfase_ms: int = 0
    disco_libre: int | None = None
    version: str = ""
    definicion: str = ""
    salida: str = ""
    medidos_bytes: int = 0
    escaner: str = ""
    orden: int = 0
    """Número de la última orden que dice haber obedecido."""
    paquete: str = ""
    paquete_bytes: int = 0
    """De la definición que está bajando: cuál y cuánto lleva."""
    por_recibir: int = 0
    """Imágenes que declaró en hojas ya aceptadas y el centro aún no tiene completas."""
    por_recibir_bytes: int = 0
    bitacora: tuple[str, ...] = ()
    """Anomalías de su bitácora, en palabras."""


@dataclass(frozen=True, slots=True)
class EnlaceDelCentro:
    """Cómo está el centro con su bróker."""

    conectado: bool
    desde: datetime
    recibidos: int = 0
    causa: str = ""
    detenido: bool = False


@dataclass(frozen=True, slots=True)
class Lugar:
    """Un distrito: cuántas actas esperadas tienen ya algo en el centro y qué kioscos las han mandado."""

    distrito: int
    nombre: str
    esperadas: int
    con_hechos: int
    equipos: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Cortes:
    """Los cortes publicados."""

    publicado: str | None = None
    hechos: int = 0
    """Cuántos cortes hay en la carpeta."""
    futuro: bool = False
    atrasado: bool = False
    en_duda: tuple[str, ...] = ()
    """`elección/casilla` que el último no publica."""


@dataclass(frozen=True)
class Retrato:
    """El centro completo en un instante."""

    hora: datetime
    enlace: EnlaceDelCentro
    kioscos: tuple[Kiosco, ...] = ()
    """Por nombre de equipo."""
    lugares: tuple[Lugar, ...] = ()
    hechos: int = 0
    bifurcaciones: int = 0
    cuarentena: Mapping[str, int] = field(default_factory=dict)
    """Código → cuántos, de equipos conocidos o no."""
    cuarentena_sin_equipo: Mapping[str, int] = field(default_factory=dict)
    en_espera: Mapping[str, int] = field(default_factory=dict)
    desbordes: tuple[tuple[str, int], ...] = ()
    cortes: Cortes = field(default_factory=Cortes)
    excluidos: tuple[str, ...] = ()
    """Lo que la autoridad excluyó, en palabras."""
    padron: int = 0
    definicion: str = ""
    disco_libre: int | None = None
    """Bytes libres donde está el almacén del centro."""
    almacen_mal: str = ""
    """Por qué no se pudo leer el almacén; entonces lo demás es del último retrato bueno."""
    libreta_mal: str = ""
    """Por qué no se pudo asentar en la libreta de la sala."""

    @property
    def por_equipo(self) -> dict[str, Kiosco]:
        return {k.equipo: k for k in self.kioscos}
