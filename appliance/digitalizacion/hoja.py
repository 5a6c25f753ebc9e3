"""Una hoja que entró: en qué va y qué se vio en ella.

Lo visto se guarda como JSON en la columna `lectura` de su renglón: de ahí salen los recortes de la captura (`registro`)
y de ahí se vuelve a juzgar la hoja cuando una persona decide algo, sin volver a mirarla.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from appliance.digitalizacion.motivo import Motivo
from nucleo.acta import Digitalizacion
from nucleo.hechos import IdActa


class EstadoDeHoja(Enum):
    """En qué va una hoja. De las tres últimas no sale."""

    RECIBIDA = "recibida"
    """Su archivo está completo y falta mirarlo."""
    DUDOSA = "dudosa"
    ASIGNADA = "asignada"
    FUERA = "fuera"
    DESCARTADA = "descartada"


class Dispensa(Enum):
    """Lo que una persona ya decidió de la hoja y no se le vuelve a preguntar."""

    ANVERSO = "anverso"
    CALIDAD = "calidad"
    SUSTITUIR = "sustituir"
    DUENO = "dueno"


@dataclass(frozen=True, slots=True)
class Codigo:
    """Un código hallado. `acta` si el catálogo lo reconoce; si no, `rechazo` dice por qué."""

    texto: str
    acta: IdActa | None = None
    rechazo: str = ""
    nonce: str = ""


@dataclass(frozen=True)
class Vista:
    """Lo que se vio en la hoja.

    `anverso` es si se registró contra el formato en blanco; `None` si no hay formato contra el cual comparar.
    `que`, `causa` y `siguiente` son las palabras del veredicto cuando algo no está bien.
    """

    codigos: tuple[Codigo, ...] = ()
    anverso: bool | None = None
    aceptable: bool = True
    que: str = ""
    causa: str = ""
    siguiente: str = ""
    formato: str = ""
    registro: str | None = None
    """`appliance.vision.registro.Registro.a_json`, referido a la imagen guardada."""
    elegida: IdActa | None = None
    """La que dijo una persona; manda sobre los códigos."""
    dispensas: frozenset[Dispensa] = frozenset()

    @property
    def actas(self) -> tuple[IdActa, ...]:
        """Las actas distintas que dice la hoja, o la que dijo una persona."""
        if self.elegida is not None:
            return (self.elegida,)
        return tuple(dict.fromkeys(c.acta for c in self.codigos if c.acta is not None))

    @property
    def nonces(self) -> tuple[str, ...]:
        return tuple(c.nonce for c in self.codigos if c.nonce)

    def a_texto(self) -> str:
        """Su JSON, para la columna `lectura`."""
        return json.dumps(
            {
                "codigos": [[c.texto, _par(c.acta), c.rechazo, c.nonce] for c in self.codigos],
                "anverso": self.anverso,
                "aceptable": self.aceptable,
                "veredicto": [self.que, self.causa, self.siguiente],
                "formato": self.formato,
                "registro": self.registro,
                "elegida": _par(self.elegida),
                "dispensas": sorted(d.value for d in self.dispensas),
            },
            ensure_ascii=False,
            separators=(",", ":"),
        )

    @classmethod
    def de_texto(cls, texto: str) -> Vista:
        """Inversa de `a_texto`; vacía si la hoja aún no se mira."""
        if not texto:
            return cls()
        dato = json.loads(texto)
        que, causa, siguiente = dato["veredicto"]
        return cls(
            tuple(Codigo(t, _acta(a), r, n) for t, a, r, n in dato["codigos"]),
            dato["anverso"],
            dato["aceptable"],
            que,
            causa,
            siguiente,
            formato=dato["formato"],
            registro=dato["registro"],
            elegida=_acta(dato["elegida"]),
            dispensas=frozenset(Dispensa(d) for d in dato["dispensas"]),
        )


@dataclass(frozen=True)
class Hoja:
    """Un renglón de la tabla `hojas`. `origen` es su archivo, relativo a `entrada/`."""

    hoja: int
    lote: str
    numero: int
    estado: EstadoDeHoja
    digitalizacion: Digitalizacion
    persona: str
    hora: datetime
    origen: str
    sha256: str
    vista: Vista
    acta: IdActa | None
    motivo: Motivo | None
    detalle: str
    """De un motivo, lo que lo precisa: «a las 20:35», o la razón que dio una persona."""


@dataclass(frozen=True, slots=True)
class Lote:
    """Hojas que pasaron juntas. `persona` vacía es que no se supo quién."""

    lote: str
    digitalizacion: Digitalizacion
    persona: str
    hora: datetime
    entraron: int
    a_medias: int
    fin: str
    """Vacío mientras corre."""
    falla: tuple[str, str, str, str] | None
    """El `Rechazo` con que terminó, si terminó mal y nadie ha dicho «Entendido»."""


def _par(acta: IdActa | None) -> list[str] | None:
    return None if acta is None else [acta.eleccion, acta.casilla]


def _acta(par: list[str] | None) -> IdActa | None:
    return None if par is None else IdActa(*par)
