"""Los hechos que se asientan en el libro, y su forma JSON dentro del sobre.

Un hecho dice lo que alguien hizo; nunca lo que de ello se deduce. «Verificada», «contabilizada» u «observaciones» no
son hechos: se calculan de las capturas (`nucleo.captura`, `nucleo.clasificacion`), y cualquiera puede volver a
calcularlos. La lectura es estricta: una llave de más o de menos, un tipo equivocado o una hora sin huso se rechazan.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from nucleo.acta import (
    MECANISMOS_TRASLADO,
    TIPOS_DOCUMENTO,
    Asentado,
    Digitalizacion,
    MotivoSinActa,
    Origen,
    asentado_de_campos,
)
from nucleo.campo import Campo, CampoInvalido, a_json, de_json

MAXIMO_CAMPOS: Final = 400
"""Renglones por acta. La coalición de siete partidos da 120 combinaciones; 400 deja margen."""

MAXIMO_VUELTAS: Final = 99
"""Veces que un acta puede capturarse desde el principio; más sería un disparate o un bucle."""

_CLAVE: Final = re.compile(r"[A-Z0-9_ÑÁÉÍÓÚ\-]{1,40}")
_HEX64: Final = re.compile(r"[0-9a-f]{64}")
_PERSONA: Final = re.compile(r"[a-z0-9\-]{1,40}")
_MAXIMO_TEXTO: Final = 500
_HORA: Final = re.compile(
    r"20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{3}|\.[0-9]{6})?(Z|[+\-][0-9]{2}:[0-9]{2})"
)


class HechoInvalido(ValueError):
    """El contenido de un sobre no es un hecho bien formado."""


@dataclass(frozen=True, slots=True, order=True)
class IdActa:
    """Un acta es casilla × elección."""

    eleccion: str
    casilla: str

    def __str__(self) -> str:
        return f"{self.eleccion}/{self.casilla}"


@dataclass(frozen=True)
class Acopio:
    """Se recibió la bolsa PREP (o la imagen de PREP Casilla). `hora` es la estampada, que puede no ser la del
    registro.
    """

    acta: IdActa
    hora: datetime
    origen: Origen
    tipo_documento: str
    mecanismo_traslado: str
    persona: str


@dataclass(frozen=True)
class Imagen:
    """Se digitalizó el documento. `sha256` es la huella del archivo; `bytes` su tamaño."""

    acta: IdActa
    hora: datetime
    sha256: str
    bytes: int
    digitalizacion: Digitalizacion
    persona: str


@dataclass(frozen=True)
class Captura:
    """Una persona transcribió el acta completa sin ver el trabajo de nadie. `vuelta` crece con cada recaptura."""

    acta: IdActa
    vuelta: int
    hora: datetime
    persona: str
    asentado: Asentado


@dataclass(frozen=True)
class Correccion:
    """Una tercera persona transcribió en blanco sólo los campos en que dos capturas diferían."""

    acta: IdActa
    vuelta: int
    hora: datetime
    persona: str
    campos: Mapping[str, Campo]


@dataclass(frozen=True)
class Revision:
    """Dos personas juntas decidieron los campos que ni la corrección resolvió."""

    acta: IdActa
    vuelta: int
    hora: datetime
    personas: tuple[str, str]
    campos: Mapping[str, Campo]


@dataclass(frozen=True)
class Recaptura:
    """Se pidió volver a capturar desde la imagen. `vuelta` es la que comienza."""

    acta: IdActa
    vuelta: int
    hora: datetime
    persona: str
    motivo: str


@dataclass(frozen=True)
class SinActa:
    """El paquete no trae acta PREP, o no hay paquete. Lo declara una persona y lo confirma coordinación."""

    acta: IdActa
    hora: datetime
    motivo: MotivoSinActa
    persona: str
    confirma: str


@dataclass(frozen=True)
class FueraDeCatalogo:
    """Documento que no se puede asociar a una casilla aprobada. `folio` lo distingue dentro de la elección."""

    eleccion: str
    folio: str
    hora: datetime
    origen: Origen
    digitalizacion: Digitalizacion
    tipo_documento: str
    mecanismo_traslado: str
    sha256: str
    persona: str


HechoDeActa = Acopio | Imagen | Captura | Correccion | Revision | Recaptura | SinActa
Hecho = HechoDeActa | FueraDeCatalogo


def tipo_de(hecho: Hecho) -> str:
    """Nombre del hecho dentro del sobre."""
    return _NOMBRES[type(hecho)]


def a_contenido(hecho: Hecho) -> dict[str, Any]:
    """Contenido JSON del sobre para ese hecho."""
    base: dict[str, Any] = {"hecho": tipo_de(hecho), "hora": hecho.hora.isoformat()}
    if isinstance(hecho, FueraDeCatalogo):
        base |= {"eleccion": hecho.eleccion, "folio": hecho.folio}
    else:
        base |= {"eleccion": hecho.acta.eleccion, "casilla": hecho.acta.casilla}
    propio: dict[str, Any]
    match hecho:
        case Acopio():
            propio = {
                "origen": hecho.origen.value,
                "tipo_documento": hecho.tipo_documento,
                "mecanismo_traslado": hecho.mecanismo_traslado,
                "persona": hecho.persona,
            }
        case Imagen():
            propio = {
                "sha256": hecho.sha256,
                "bytes": hecho.bytes,
                "digitalizacion": hecho.digitalizacion.value,
                "persona": hecho.persona,
            }
        case Captura():
            propio = {
                "vuelta": hecho.vuelta,
                "persona": hecho.persona,
                "campos": _campos_a_json(hecho.asentado.campos()),
            }
        case Correccion():
            propio = {"vuelta": hecho.vuelta, "persona": hecho.persona, "campos": _campos_a_json(hecho.campos)}
        case Revision():
            propio = {
                "vuelta": hecho.vuelta,
                "personas": list(hecho.personas),
                "campos": _campos_a_json(hecho.campos),
            }
        case Recaptura():
            propio = {"vuelta": hecho.vuelta, "persona": hecho.persona, "motivo": hecho.motivo}
        case SinActa():
            propio = {"motivo": hecho.motivo.value, "persona": hecho.persona, "confirma": hecho.confirma}
        case FueraDeCatalogo():
            propio = {
                "origen": hecho.origen.value,
                "digitalizacion": hecho.digitalizacion.value,
                "tipo_documento": hecho.tipo_documento,
                "mecanismo_traslado": hecho.mecanismo_traslado,
                "sha256": hecho.sha256,
                "persona": hecho.persona,
            }
    return base | propio


def de_contenido(contenido: object) -> Hecho:
    """Inversa estricta de `a_contenido`.

    Raises:
        HechoInvalido: con la causa, si no es exactamente un hecho conocido.
    """
    if not isinstance(contenido, dict):
        raise HechoInvalido("el contenido no es un objeto")
    lector = _LECTORES.get(str(contenido.get("hecho")))
    if lector is None:
        raise HechoInvalido(f"hecho desconocido: {str(contenido.get('hecho'))[:40]!r}")
    renglon = _Renglon(contenido)
    hecho = lector(renglon)
    renglon.agotado()
    return hecho


class _Renglon:
    """Lee llaves una a una, con su tipo, y exige que no sobre ninguna."""

    def __init__(self, dato: Mapping[str, object]) -> None:
        self._dato = dato
        self._leidas = {"hecho"}

    def tomar(self, llave: str) -> object:
        if llave not in self._dato:
            raise HechoInvalido(f"falta «{llave}»")
        self._leidas.add(llave)
        return self._dato[llave]

    def agotado(self) -> None:
        sobra = sorted(str(llave) for llave in set(self._dato) - self._leidas)
        if sobra:
            raise HechoInvalido(f"sobra {sobra[0][:40]!r}")

    def texto(self, llave: str, forma: re.Pattern[str]) -> str:
        dato = self.tomar(llave)
        if not isinstance(dato, str) or forma.fullmatch(dato) is None:
            raise HechoInvalido(f"«{llave}» no tiene la forma esperada")
        return dato

    def libre(self, llave: str) -> str:
        dato = self.tomar(llave)
        if not isinstance(dato, str) or not 0 < len(dato) <= _MAXIMO_TEXTO or not dato.isprintable():
            raise HechoInvalido(f"«{llave}» no es un texto imprimible de hasta {_MAXIMO_TEXTO} caracteres")
        return dato

    def entero(self, llave: str, minimo: int, maximo: int) -> int:
        dato = self.tomar(llave)
        if not isinstance(dato, int) or isinstance(dato, bool) or not minimo <= dato <= maximo:
            raise HechoInvalido(f"«{llave}» no es un entero entre {minimo} y {maximo}")
        return dato

    def uno_de(self, llave: str, permitidos: tuple[str, ...]) -> str:
        dato = self.tomar(llave)
        if not isinstance(dato, str) or dato not in permitidos:
            raise HechoInvalido(f"«{llave}» no es ninguno de {', '.join(permitidos)}")
        return dato

    def hora(self) -> datetime:
        return hora_con_huso(self.tomar("hora"))

    def acta(self) -> IdActa:
        return IdActa(self.texto("eleccion", _CLAVE), self.texto("casilla", _CLAVE))

    def persona(self, llave: str = "persona") -> str:
        return self.texto(llave, _PERSONA)

    def vuelta(self) -> int:
        return self.entero("vuelta", 1, MAXIMO_VUELTAS)

    def campos(self) -> dict[str, Campo]:
        dato = self.tomar("campos")
        if not isinstance(dato, dict) or not 0 < len(dato) <= MAXIMO_CAMPOS:
            raise HechoInvalido(f"«campos» no es un objeto de 1 a {MAXIMO_CAMPOS} renglones")
        try:
            return {self._clave_de_campo(k): de_json(v) for k, v in dato.items()}
        except CampoInvalido as error:
            raise HechoInvalido(str(error)) from error

    @staticmethod
    def _clave_de_campo(llave: object) -> str:
        if not isinstance(llave, str) or _CLAVE.fullmatch(llave) is None:
            raise HechoInvalido(f"{str(llave)[:40]!r} no es el nombre de un campo")
        return llave


def hora_con_huso(dato: object) -> datetime:
    """Instante ISO 8601 con huso: `2022-06-05T18:03:07-05:00`, con fracción o sin ella, o con `Z`.

    Una sola forma de las muchas de ISO 8601, y de este siglo: qué otras acepta `fromisoformat` cambia con la versión de
    Python, y el año 1 desborda al pasarlo a la hora local de cada corte.

    Raises:
        HechoInvalido: si no tiene esa forma, no es una fecha o no dice su huso.
    """
    if not isinstance(dato, str) or _HORA.fullmatch(dato) is None:
        raise HechoInvalido("la hora no es ISO 8601 con segundos y huso, de este siglo")
    try:
        instante = datetime.fromisoformat(dato)
    except ValueError as error:
        raise HechoInvalido("la hora no existe en el calendario") from error
    return instante


def _campos_a_json(campos: Mapping[str, Campo]) -> dict[str, int | str]:
    return {k: a_json(v) for k, v in campos.items()}


def _leer_acopio(r: _Renglon) -> Hecho:
    return Acopio(
        r.acta(),
        r.hora(),
        Origen(r.uno_de("origen", tuple(o.value for o in Origen))),
        r.uno_de("tipo_documento", TIPOS_DOCUMENTO),
        r.uno_de("mecanismo_traslado", MECANISMOS_TRASLADO),
        r.persona(),
    )


def _leer_imagen(r: _Renglon) -> Hecho:
    return Imagen(
        r.acta(),
        r.hora(),
        r.texto("sha256", _HEX64),
        r.entero("bytes", 1, 2**31),
        Digitalizacion(r.uno_de("digitalizacion", tuple(d.value for d in Digitalizacion))),
        r.persona(),
    )


def _leer_captura(r: _Renglon) -> Hecho:
    try:
        return Captura(r.acta(), r.vuelta(), r.hora(), r.persona(), asentado_de_campos(r.campos()))
    except KeyError as error:
        raise HechoInvalido(f"la captura no trae {error.args[0]}") from error


def _leer_correccion(r: _Renglon) -> Hecho:
    return Correccion(r.acta(), r.vuelta(), r.hora(), r.persona(), r.campos())


def _leer_revision(r: _Renglon) -> Hecho:
    personas = r.tomar("personas")
    if (
        not isinstance(personas, list)
        or len(personas) != 2
        or not all(isinstance(p, str) and _PERSONA.fullmatch(p) for p in personas)
        or personas[0] == personas[1]
    ):
        raise HechoInvalido("«personas» no son dos personas distintas")
    return Revision(r.acta(), r.vuelta(), r.hora(), (personas[0], personas[1]), r.campos())


def _leer_recaptura(r: _Renglon) -> Hecho:
    return Recaptura(r.acta(), r.entero("vuelta", 2, MAXIMO_VUELTAS), r.hora(), r.persona(), r.libre("motivo"))


def _leer_sin_acta(r: _Renglon) -> Hecho:
    motivo = MotivoSinActa(r.entero("motivo", 1, len(MotivoSinActa)))
    hecho = SinActa(r.acta(), r.hora(), motivo, r.persona(), r.persona("confirma"))
    if hecho.persona == hecho.confirma:
        raise HechoInvalido("quien declara y quien confirma no son dos personas distintas")
    return hecho


def _leer_fuera(r: _Renglon) -> Hecho:
    return FueraDeCatalogo(
        r.texto("eleccion", _CLAVE),
        r.texto("folio", _CLAVE),
        r.hora(),
        Origen(r.uno_de("origen", tuple(o.value for o in Origen))),
        Digitalizacion(r.uno_de("digitalizacion", tuple(d.value for d in Digitalizacion))),
        r.uno_de("tipo_documento", TIPOS_DOCUMENTO),
        r.uno_de("mecanismo_traslado", MECANISMOS_TRASLADO),
        r.texto("sha256", _HEX64),
        r.persona(),
    )


_NOMBRES: Final[dict[type, str]] = {
    Acopio: "acopio",
    Imagen: "imagen",
    Captura: "captura",
    Correccion: "correccion",
    Revision: "revision",
    Recaptura: "recaptura",
    SinActa: "sin_acta",
    FueraDeCatalogo: "fuera_de_catalogo",
}

_LECTORES: Final[dict[str, Callable[[_Renglon], Hecho]]] = {
    "acopio": _leer_acopio,
    "imagen": _leer_imagen,
    "captura": _leer_captura,
    "correccion": _leer_correccion,
    "revision": _leer_revision,
    "recaptura": _leer_recaptura,
    "sin_acta": _leer_sin_acta,
    "fuera_de_catalogo": _leer_fuera,
}
