"""La orden: lo que el centro le pide a un kiosco, firmado y numerado.

Cada kiosco obedece una vez y sólo en orden creciente: repetir, revolver o guardar una para después no hace nada.
Ninguna orden toca un hecho ni cierra un renglón; lo más que puede un centro tomado con ellas es molestar.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from joserfc.jwk import ECKey

from nucleo import formas
from nucleo.carga import leer_carga
from nucleo.formas import CORTO, EPOCA, EQUIPO, HEX64
from nucleo.paquete import MAXIMO_PAQUETE
from nucleo.renglon import hora_con_huso
from nucleo.sobre import Firmante, SobreInvalido, Tipo, es_version_1, leer_json, verificar
from nucleo.temas import USUARIO_CENTRO

MAXIMO_TEXTO: Final = 200
"""Caracteres de un mensaje: lo que cabe en la barra del kiosco."""

MAXIMA_VIGENCIA: Final = timedelta(hours=48)
"""Más que una jornada: una orden no sobrevive al proceso."""

_CAMPOS: Final = {"v", "proceso", "modo", "equipo", "epoca", "numero", "hora", "caduca", "orden", "datos"}


@dataclass(frozen=True, slots=True)
class PausarImagenes:
    """Deje de mandar imágenes hasta nueva orden; las cifras siguen."""


@dataclass(frozen=True, slots=True)
class SeguirImagenes:
    """Vuelva a mandar imágenes."""


@dataclass(frozen=True, slots=True)
class Renacer:
    """Lata ya: operación quiere saber cómo está."""


@dataclass(frozen=True, slots=True)
class Reenviar:
    """Vuelva a mandar sus sobres, acusados o no, desde esa secuencia."""

    desde: int


@dataclass(frozen=True, slots=True)
class TomarDefinicion:
    """Hay un paquete de definición: qué SHA-256 tiene, cuánto mide y qué versión trae. Que sirva, lo firma la
    autoridad dentro (`nucleo.paquete`)."""

    sha256: str
    bytes: int
    version: int


@dataclass(frozen=True, slots=True)
class MostrarMensaje:
    """Ponga ese texto en la barra; vacío lo quita."""

    texto: str


Que = PausarImagenes | SeguirImagenes | Renacer | Reenviar | TomarDefinicion | MostrarMensaje

NOMBRES: Final[dict[type[Que], str]] = {
    PausarImagenes: "pausar_imagenes",
    SeguirImagenes: "seguir_imagenes",
    Renacer: "renacer",
    Reenviar: "reenviar",
    TomarDefinicion: "definicion",
    MostrarMensaje: "mensaje",
}


@dataclass(frozen=True, slots=True)
class Orden:
    """Una orden a un equipo en una época. `numero` crece de orden en orden, desde 1."""

    proceso: str
    modo: str
    equipo: str
    epoca: str
    numero: int
    hora: datetime
    caduca: datetime
    """Posterior a `hora`, a lo más por `MAXIMA_VIGENCIA`; pasada, ya no se obedece."""
    que: Que


def sellar_orden(orden: Orden, firmante: Firmante) -> str:
    """JWS compacto de la orden, firmado por el centro. Raises: SobreInvalido, si ningún kiosco podría abrirla."""
    dato = {
        "v": 1,
        "proceso": orden.proceso,
        "modo": orden.modo,
        "equipo": orden.equipo,
        "epoca": orden.epoca,
        "numero": orden.numero,
        "hora": orden.hora.isoformat(),
        "caduca": orden.caduca.isoformat(),
        "orden": NOMBRES[type(orden.que)],
        "datos": asdict(orden.que),
    }
    carga = json.dumps(dato, ensure_ascii=False, separators=(",", ":")).encode()
    _abrir_carga(carga)
    return firmante.firmar(Tipo.ORDEN, carga)


def abrir_orden(compacto: str, llave_centro: ECKey) -> Orden:
    """Verifica y lee una orden.

    Raises:
        SobreInvalido: si no la firmó el centro o no tiene la forma.
    """
    return _abrir_carga(verificar(compacto, llave_centro, Tipo.ORDEN, de=USUARIO_CENTRO))


def a_datos(que: Que) -> tuple[str, str]:
    """(nombre, datos en JSON), para guardarla sin firmar."""
    return NOMBRES[type(que)], json.dumps(asdict(que), ensure_ascii=False, separators=(",", ":"))


def de_datos(nombre: str, datos: str) -> Que:
    """Inversa de `a_datos`. Raises: SobreInvalido."""
    try:
        return _que(nombre, leer_json(datos.encode()))
    except (KeyError, TypeError, ValueError) as error:
        raise SobreInvalido("FORMA", "no es una orden conocida") from error


def _abrir_carga(carga: bytes) -> Orden:
    return leer_carga(carga, _leer, "la orden")


def _leer(dato: dict[str, Any]) -> Orden:
    if set(dato) != _CAMPOS or not es_version_1(dato):
        raise ValueError
    hora, caduca = hora_con_huso(dato["hora"]), hora_con_huso(dato["caduca"])
    if not timedelta() < caduca - hora <= MAXIMA_VIGENCIA:
        raise ValueError
    return Orden(
        proceso=formas.texto(dato["proceso"], CORTO),
        modo=formas.texto(dato["modo"], CORTO),
        equipo=formas.texto(dato["equipo"], EQUIPO),
        epoca=formas.texto(dato["epoca"], EPOCA),
        numero=formas.entero(dato["numero"], 1),
        hora=hora,
        caduca=caduca,
        que=_que(dato["orden"], dato["datos"]),
    )


def _que(nombre: object, datos: object) -> Que:
    clase = next((c for c, n in NOMBRES.items() if n == nombre), None)
    if clase is None or not isinstance(datos, dict) or set(datos) != set(clase.__annotations__):
        raise ValueError
    match nombre:
        case "reenviar":
            return Reenviar(formas.entero(datos["desde"], 1))
        case "definicion":
            if formas.entero(datos["bytes"], 1) > MAXIMO_PAQUETE:
                raise ValueError
            return TomarDefinicion(
                formas.texto(datos["sha256"], HEX64), datos["bytes"], formas.entero(datos["version"], 1)
            )
        case "mensaje":
            texto = datos["texto"]
            if not isinstance(texto, str) or len(texto) > MAXIMO_TEXTO or not texto.isprintable():
                raise ValueError
            return MostrarMensaje(texto)
        case "pausar_imagenes":
            return PausarImagenes()
        case "seguir_imagenes":
            return SeguirImagenes()
    return Renacer()
