"""Qué se elige, con qué renglones y bajo qué calendario.

Un `Proceso` reúne una o varias elecciones (gubernatura, diputaciones, munícipes) sobre un mismo catálogo de casillas;
un acta es casilla × elección. Se escribe en un TOML que lee `nucleo.definicion`; aquí sólo están los valores ya
validados.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from functools import cached_property

from nucleo.casilla import Casilla


class TipoOpcion(Enum):
    """Clase de renglón de votación del acta (apartado 6 del formato INE)."""

    PARTIDO = "partido"
    COMBINACION = "combinacion"
    COMUN = "comun"
    INDEPENDIENTE = "independiente"
    NO_REGISTRADAS = "no_registradas"
    NULOS = "nulos"


@dataclass(frozen=True, slots=True)
class Opcion:
    """Un renglón de votación: su columna en la base de datos y los partidos entre los que se reparte."""

    clave: str
    tipo: TipoOpcion
    nombre: str
    partidos: tuple[str, ...] = ()
    ambitos: frozenset[int] | None = None
    """Distritos o municipios donde existe el renglón; `None` es en todos (coaliciones parciales, dominio §5.4)."""


@dataclass(frozen=True, slots=True)
class Coalicion:
    """Partidos que postulan juntos. `combinaciones` son las claves de `Opcion` con cada subconjunto de dos o más."""

    nombre: str
    partidos: tuple[str, ...]
    combinaciones: tuple[str, ...]
    ambitos: frozenset[int] | None = None


@dataclass(frozen=True, slots=True)
class CandidaturaComun:
    """Emblema único cuyos votos se reparten por el porcentaje del convenio.

    `diezmilesimas[partido]` está en diezmilésimas (53.33 % = 5333) y suma 10 000; las fracciones van a `remanente`.
    """

    clave: str
    partidos: tuple[str, ...]
    diezmilesimas: Mapping[str, int]
    remanente: str
    ambitos: frozenset[int] | None = None


@dataclass(frozen=True, slots=True)
class Candidatura:
    """Renglón del archivo de candidaturas: quién va por qué partidos y dónde (`ambito` None = toda la entidad)."""

    partidos: tuple[str, ...]
    propietaria: str
    suplente: str = ""
    ambito: int | None = None


class Ambito(Enum):
    """División en que se gana la elección y se reparte la coalición."""

    ENTIDAD = "entidad"
    DISTRITO = "distrito"
    MUNICIPIO = "municipio"


@dataclass(frozen=True)
class Eleccion:
    """Una elección del proceso. `clave` es la de los archivos y sobres: GUB, DIP_LOC, AYUN."""

    clave: str
    nombre: str
    ambito: Ambito
    opciones: tuple[Opcion, ...]
    """Renglones en el orden del acta; los dos últimos son no registradas y nulos."""
    coaliciones: tuple[Coalicion, ...] = ()
    comunes: tuple[CandidaturaComun, ...] = ()
    candidaturas: tuple[Candidatura, ...] = ()
    tipo_acta: str = "2"
    """Número impreso en el acta de casilla ordinaria."""
    tipo_acta_especial: str = "2E"
    ancho_tipo_acta: int = 0
    """Relleno con ceros a la izquierda del tipo dentro de CLAVE_ACTA (Oaxaca 2; IECM 0; INE 0)."""
    tipos_casilla: frozenset[str] = frozenset("BCESMAP")
    """Tipos de casilla que levantan acta de esta elección."""
    formato: str = ""
    """Identificador del formato impreso, para el QR."""

    @cached_property
    def por_clave(self) -> Mapping[str, Opcion]:
        return {o.clave: o for o in self.opciones}

    def division(self, casilla: Casilla) -> int | None:
        """Distrito o municipio en que cuenta la casilla; `None` si no pertenece a ninguno (mesas M, A, P)."""
        return casilla.municipio if self.ambito is Ambito.MUNICIPIO else casilla.distrito

    def opciones_de(self, casilla: Casilla) -> tuple[Opcion, ...]:
        """Renglones que existen en el acta de esa casilla, en el orden del acta."""
        donde = self.division(casilla)
        return tuple(o for o in self.opciones if o.ambitos is None or donde in o.ambitos)

    def tipo_acta_de(self, casilla: Casilla) -> str:
        return self.tipo_acta_especial if casilla.especial else self.tipo_acta

    def clave_acta(self, casilla: Casilla) -> str:
        """CLAVE_CASILLA más el tipo de acta, con el relleno del instituto (`200003C010002`)."""
        return casilla.clave + self.tipo_acta_de(casilla).rjust(self.ancho_tipo_acta, "0")


@dataclass(frozen=True, slots=True)
class Vocabulario:
    """Palabras con que el instituto publica cada inconsistencia (dominio §4.3)."""

    textos: Mapping[str, str]
    """Código del catálogo `inconsistencias.toml` → texto de OBSERVACIONES."""
    sin_observacion: str = ""
    """Qué se escribe si no hay ninguna: vacío, `-` o `--`."""
    separador: str = ". "
    """Cómo se juntan dos observaciones; si `excede_prevalece`, nunca acompaña a otra (LEEME IECM 2024)."""
    excede_prevalece: bool = False


@dataclass(frozen=True)
class Proceso:
    """El proceso electoral completo: calendario, vocabulario, catálogo y elecciones. Todas las horas llevan huso."""

    clave: str
    nombre: str
    entidad: int
    """Clave de entidad del Anexo 18.10 del Reglamento de Elecciones (20 = Oaxaca)."""
    siglas: str
    """Prefijo de los archivos: OAX, JAL."""
    entidad_nombre: str
    huso: str
    """Nombre IANA; el desfase publicado (`UTC-5`) se deduce de él y de la fecha."""
    inicio_operacion: datetime
    inicio_publicacion: datetime
    cierre: datetime
    minutos_entre_cortes: int
    """Como máximo 20: el Reglamento pide al menos tres actualizaciones por hora."""
    boletas_especial: int
    especial_suma_representantes: bool
    """Si el tope de una casilla especial es boletas + representantes o sólo boletas (dominio §4.2.4)."""
    vocabulario: Vocabulario
    casillas: Mapping[str, Casilla]
    """CLAVE_CASILLA → casilla, en el orden del catálogo aprobado."""
    elecciones: Mapping[str, Eleccion]
    modo: str = "simulacro"
    """Uno de `nucleo.modos`; viaja en cada sobre y nunca se mezclan."""
    huella: str = field(default="", compare=False)
    """SHA-256 hexadecimal de los archivos de la definición (TOML y catálogo)."""

    def esperadas(self, eleccion: str) -> tuple[Casilla, ...]:
        """Casillas de las que se espera acta de esa elección, en orden de catálogo."""
        tipos = self.elecciones[eleccion].tipos_casilla
        return tuple(c for c in self.casillas.values() if c.tipo in tipos)
