"""Los hechos que se asientan en el libro, y su forma JSON dentro del sobre.

Un hecho dice lo que alguien hizo; nunca lo que de ello se deduce. «Verificada», «contabilizada» u «observaciones» no
son hechos: se calculan de las capturas (`nucleo.captura`, `nucleo.clasificacion`), y cualquiera puede volver a
calcularlos. La lectura es estricta: una llave de más o de menos, un tipo equivocado o una hora sin huso se rechazan.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from nucleo.acta import (
    MECANISMOS_TRASLADO,
    TIPOS_DOCUMENTO,
    Asentado,
    Digitalizacion,
    MotivoSinActa,
    Origen,
    ResultadoCotejo,
    asentado_de_campos,
)
from nucleo.campo import Campo, a_json
from nucleo.hoja_de_bitacora import HojaDeBitacora as HojaDeBitacora
from nucleo.hoja_de_bitacora import contenido_de_hoja, leer_hoja
from nucleo.renglon import CLAVE, PERSONA, Renglon
from nucleo.renglon import MAXIMO_CAMPOS as MAXIMO_CAMPOS
from nucleo.renglon import HechoInvalido as HechoInvalido

MAXIMO_VUELTAS: Final = 99
"""Veces que un acta puede capturarse desde el principio; más sería un disparate o un bucle."""


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
    """Una persona transcribió el acta completa sin ver el trabajo de nadie. `vuelta` crece con cada recaptura.

    `imagen` es el SHA-256 de la que tuvo enfrente; `None` si leyó el papel, o si es de antes de que se dijera. Lo mismo
    en las demás lecturas.
    """

    acta: IdActa
    vuelta: int
    hora: datetime
    persona: str
    asentado: Asentado
    imagen: str | None = None


@dataclass(frozen=True)
class Correccion:
    """Una tercera persona transcribió en blanco sólo los campos en que dos capturas diferían."""

    acta: IdActa
    vuelta: int
    hora: datetime
    persona: str
    campos: Mapping[str, Campo]
    imagen: str | None = None


@dataclass(frozen=True)
class Revision:
    """Dos personas juntas decidieron los campos que ni la corrección resolvió."""

    acta: IdActa
    vuelta: int
    hora: datetime
    personas: tuple[str, str]
    campos: Mapping[str, Campo]
    imagen: str | None = None


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


@dataclass(frozen=True)
class Cotejo:
    """Se comparó lo verificado contra el acta física. `resultado` es el de la columna COTEJADA (LEEME INE 2024)."""

    acta: IdActa
    hora: datetime
    resultado: ResultadoCotejo
    persona: str


@dataclass(frozen=True)
class Empaque:
    """El acta física quedó en una caja, para entregarla a la presidencia del consejo; en `FUERA`, salió de la suya."""

    acta: IdActa
    hora: datetime
    caja: str
    persona: str


HechoDeActa = Acopio | Imagen | Captura | Correccion | Revision | Recaptura | SinActa | Cotejo | Empaque
Hecho = HechoDeActa | FueraDeCatalogo | HojaDeBitacora


def pertenencia(hecho: Hecho) -> tuple[str, str | None]:
    """(elección, casilla) del hecho. La casilla es `None` fuera de catálogo; la bitácora no es de ninguna elección."""
    match hecho:
        case HojaDeBitacora():
            return "", None
        case FueraDeCatalogo():
            return hecho.eleccion, None
        case _:
            return hecho.acta.eleccion, hecho.acta.casilla


def tipo_de(hecho: Hecho) -> str:
    """Nombre del hecho dentro del sobre."""
    return _NOMBRES[type(hecho)]


def a_contenido(hecho: Hecho) -> dict[str, Any]:
    """Contenido JSON del sobre para ese hecho."""
    base: dict[str, Any] = {"hecho": tipo_de(hecho), "hora": hecho.hora.isoformat()}
    match hecho:
        case HojaDeBitacora():
            pass
        case FueraDeCatalogo():
            base |= {"eleccion": hecho.eleccion, "folio": hecho.folio}
        case _:
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
            campos = _campos_a_json(hecho.asentado.campos())
            propio = {"vuelta": hecho.vuelta, "persona": hecho.persona, "campos": campos}
        case Correccion():
            propio = {"vuelta": hecho.vuelta, "persona": hecho.persona, "campos": _campos_a_json(hecho.campos)}
        case Revision():
            personas, campos = list(hecho.personas), _campos_a_json(hecho.campos)
            propio = {"vuelta": hecho.vuelta, "personas": personas, "campos": campos}
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
        case Cotejo():
            propio = {"resultado": hecho.resultado.value, "persona": hecho.persona}
        case Empaque():
            propio = {"caja": hecho.caja, "persona": hecho.persona}
        case HojaDeBitacora():
            propio = contenido_de_hoja(hecho)
    if isinstance(hecho, Captura | Correccion | Revision) and hecho.imagen is not None:
        propio["imagen"] = hecho.imagen
    return base | propio


def del_catd(hecho: Hecho, catd: str) -> Hecho:
    """El mismo hecho con las personas nombradas como `catd/persona`.

    Los nombres son de cada CATD: «capturista-1» de uno no es la de otro, y confundirlas dejaría que una lectura de aquí
    sustituyera en silencio a una de allá. Sólo se hace con hechos ya leídos: `/` no es parte de un nombre en un sobre.
    """
    match hecho:
        case Revision(personas=(una, otra)):
            return replace(hecho, personas=(f"{catd}/{una}", f"{catd}/{otra}"))
        case SinActa():
            return replace(hecho, persona=f"{catd}/{hecho.persona}", confirma=f"{catd}/{hecho.confirma}")
        case HojaDeBitacora():
            return hecho
        case _:
            return replace(hecho, persona=f"{catd}/{hecho.persona}")


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
    renglon = Renglon(contenido)
    hecho = lector(renglon)
    renglon.agotado()
    return hecho


def _campos_a_json(campos: Mapping[str, Campo]) -> dict[str, int | str]:
    return {k: a_json(v) for k, v in campos.items()}


def _acta(r: Renglon) -> IdActa:
    return IdActa(r.texto("eleccion", CLAVE), r.texto("casilla", CLAVE))


def _vuelta(r: Renglon) -> int:
    return r.entero("vuelta", 1, MAXIMO_VUELTAS)


def _leer_acopio(r: Renglon) -> Hecho:
    return Acopio(
        _acta(r),
        r.hora(),
        Origen(r.uno_de("origen", tuple(o.value for o in Origen))),
        r.uno_de("tipo_documento", TIPOS_DOCUMENTO),
        r.uno_de("mecanismo_traslado", MECANISMOS_TRASLADO),
        r.persona(),
    )


def _leer_imagen(r: Renglon) -> Hecho:
    return Imagen(
        _acta(r),
        r.hora(),
        r.huella("sha256"),
        r.entero("bytes", 1, 2**31),
        Digitalizacion(r.uno_de("digitalizacion", tuple(d.value for d in Digitalizacion))),
        r.persona(),
    )


def _leer_captura(r: Renglon) -> Hecho:
    try:
        return Captura(_acta(r), _vuelta(r), r.hora(), r.persona(), asentado_de_campos(r.campos()), r.imagen())
    except KeyError as error:
        raise HechoInvalido(f"la captura no trae {error.args[0]}") from error


def _leer_correccion(r: Renglon) -> Hecho:
    return Correccion(_acta(r), _vuelta(r), r.hora(), r.persona(), r.campos(), r.imagen())


def _leer_revision(r: Renglon) -> Hecho:
    personas = r.tomar("personas")
    if (
        not isinstance(personas, list)
        or len(personas) != 2
        or not all(isinstance(p, str) and PERSONA.fullmatch(p) for p in personas)
        or personas[0] == personas[1]
    ):
        raise HechoInvalido("«personas» no son dos personas distintas")
    return Revision(_acta(r), _vuelta(r), r.hora(), (personas[0], personas[1]), r.campos(), r.imagen())


def _leer_recaptura(r: Renglon) -> Hecho:
    return Recaptura(_acta(r), r.entero("vuelta", 2, MAXIMO_VUELTAS), r.hora(), r.persona(), r.libre("motivo"))


def _leer_sin_acta(r: Renglon) -> Hecho:
    motivo = MotivoSinActa(r.entero("motivo", 1, len(MotivoSinActa)))
    hecho = SinActa(_acta(r), r.hora(), motivo, r.persona(), r.persona("confirma"))
    if hecho.persona == hecho.confirma:
        raise HechoInvalido("quien declara y quien confirma no son dos personas distintas")
    return hecho


def _leer_fuera(r: Renglon) -> Hecho:
    return FueraDeCatalogo(
        r.texto("eleccion", CLAVE),
        r.texto("folio", CLAVE),
        r.hora(),
        Origen(r.uno_de("origen", tuple(o.value for o in Origen))),
        Digitalizacion(r.uno_de("digitalizacion", tuple(d.value for d in Digitalizacion))),
        r.uno_de("tipo_documento", TIPOS_DOCUMENTO),
        r.uno_de("mecanismo_traslado", MECANISMOS_TRASLADO),
        r.huella("sha256"),
        r.persona(),
    )


def _leer_cotejo(r: Renglon) -> Hecho:
    resultado = ResultadoCotejo(r.entero("resultado", 1, len(ResultadoCotejo)))
    return Cotejo(_acta(r), r.hora(), resultado, r.persona())


def _leer_empaque(r: Renglon) -> Hecho:
    return Empaque(_acta(r), r.hora(), r.texto("caja", CLAVE), r.persona())


_NOMBRES: Final[dict[type, str]] = {
    Acopio: "acopio",
    Imagen: "imagen",
    Captura: "captura",
    Correccion: "correccion",
    Revision: "revision",
    Recaptura: "recaptura",
    SinActa: "sin_acta",
    FueraDeCatalogo: "fuera_de_catalogo",
    Cotejo: "cotejo",
    Empaque: "empaque",
    HojaDeBitacora: "bitacora",
}

_LECTORES: Final[dict[str, Callable[[Renglon], Hecho]]] = {
    "acopio": _leer_acopio,
    "imagen": _leer_imagen,
    "captura": _leer_captura,
    "correccion": _leer_correccion,
    "revision": _leer_revision,
    "recaptura": _leer_recaptura,
    "sin_acta": _leer_sin_acta,
    "fuera_de_catalogo": _leer_fuera,
    "cotejo": _leer_cotejo,
    "empaque": _leer_empaque,
    "bitacora": leer_hoja,
}
