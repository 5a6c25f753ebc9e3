"""Lo que se espera en este CATD y en qué va: el denominador siempre a la vista."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from appliance.ambito import Ambito
from appliance.fila import Fila, acopiada
from nucleo.captura import EstadoAsentado, SinActaDeclarada, SinCaptura, Verificada
from nucleo.casilla import Casilla
from nucleo.eleccion import Proceso
from nucleo.hechos import HechoDeActa, IdActa, Imagen


class Situacion(Enum):
    """En qué va un acta esperada; el valor es lo que se lee."""

    FALTA = "no ha llegado"
    SIN_ACTA = "sin acta"
    ACOPIADA = "acopiada"
    DIGITALIZADA = "digitalizada"
    EN_CAPTURA = "en captura"
    VERIFICADA = "verificada"


@dataclass(frozen=True, slots=True)
class Esperada:
    """Un acta que se espera aquí."""

    acta: IdActa
    casilla: Casilla
    situacion: Situacion


@dataclass(frozen=True, slots=True)
class Cuenta:
    """Cuántas actas hay de cada situación en un lugar. `lugar` es municipio o distrito; `clave`, su número."""

    clave: int
    lugar: str
    por_situacion: Mapping[Situacion, int]

    @property
    def total(self) -> int:
        return sum(self.por_situacion.values())

    @property
    def faltan(self) -> int:
        return self.por_situacion.get(Situacion.FALTA, 0)


class Esperadas:
    """Las actas del ámbito del CATD. Se puede compartir entre hilos."""

    def __init__(self, fila: Fila, proceso: Proceso, ambito: Ambito) -> None:
        """Args: fila: la de la mesa (`appliance.mesa.Mesa.fila`): cada hecho se analiza una vez para las dos."""
        self._fila = fila
        self._casillas = [proceso.casillas[clave] for clave in ambito.casillas]
        self._de_seccion: dict[int, list[Casilla]] = {}
        for casilla in self._casillas:
            self._de_seccion.setdefault(casilla.seccion, []).append(casilla)
        self._elecciones = proceso.elecciones
        self.ambito = ambito

    def todas(self, eleccion: str) -> list[Esperada]:
        """Las de una elección, en orden de catálogo. Raises: Falla."""
        return self._de(eleccion, self._casillas)

    def de_seccion(self, seccion: int) -> list[Esperada]:
        """Las de una sección, en todas las elecciones. Raises: Falla."""
        casillas = self._de_seccion.get(seccion, [])
        return [e for eleccion in self._elecciones for e in self._de(eleccion, casillas)]

    def _de(self, eleccion: str, casillas: Sequence[Casilla]) -> list[Esperada]:
        tipos = self._elecciones[eleccion].tipos_casilla
        actas = [(IdActa(eleccion, c.clave), c) for c in casillas if c.tipo in tipos]
        conocidas = self._fila.conocidas(acta for acta, _ in actas)
        return [Esperada(acta, c, _situacion(conocidas.get(acta))) for acta, c in actas]


def por_lugar(esperadas: Iterable[Esperada]) -> list[Cuenta]:
    """Una cuenta por municipio (o distrito, si el catálogo no trae municipios): donde más falta, primero."""
    cuentas: dict[tuple[int, str], Counter[Situacion]] = {}
    for e in esperadas:
        cuentas.setdefault(lugar_de(e.casilla), Counter())[e.situacion] += 1
    lista = [Cuenta(clave, lugar, cuenta) for (clave, lugar), cuenta in cuentas.items()]
    return sorted(lista, key=lambda c: (-c.faltan, c.lugar))


def lugar_de(casilla: Casilla) -> tuple[int, str]:
    """(número, nombre) del municipio de la casilla o, si no tiene, de su distrito."""
    if casilla.municipio is not None:
        return casilla.municipio, casilla.municipio_nombre
    return casilla.distrito or 0, casilla.distrito_nombre or "Sin distrito"


def _situacion(conocida: tuple[Sequence[HechoDeActa], EstadoAsentado] | None) -> Situacion:
    if conocida is None:
        return Situacion.FALTA
    historia, estado = conocida
    match estado:
        case Verificada():
            return Situacion.VERIFICADA
        case SinActaDeclarada() if not acopiada(historia):
            return Situacion.SIN_ACTA
        case SinCaptura() | SinActaDeclarada():
            if not acopiada(historia):
                return Situacion.FALTA
            return Situacion.DIGITALIZADA if any(isinstance(h, Imagen) for h in historia) else Situacion.ACOPIADA
        case _:
            return Situacion.EN_CAPTURA
