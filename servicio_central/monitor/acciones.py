"""Lo que operación le puede pedir a un kiosco desde la sala, y qué hace falta para cada cosa.

Las órdenes las firma el centro con su llave, que está en red; por eso ninguna toca un hecho. Lo que mueve totales,
llaves o el acta que se captura lo firma la autoridad fuera de línea: aquí sólo se solicita (decisiones 15 y 16).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

from nucleo.orden import (
    MAXIMO_TEXTO,
    MostrarMensaje,
    PausarImagenes,
    Que,
    Reenviar,
    Renacer,
    SeguirImagenes,
    TomarDefinicion,
)
from nucleo.problema import Rechazo
from servicio_central.monitor import escrito


class Tramite(Enum):
    """Qué hace falta para que ocurra."""

    DIRECTA = "directa"
    """La ordena quien opera, con su sesión."""
    DOS = "dos personas"
    """Una la pide y otra, supervisora, la autoriza con un código nuevo."""
    AUTORIDAD = "autoridad"
    """Como la anterior, pero lo autorizado es una solicitud: la llave que firma no vive en el centro."""


@dataclass(frozen=True, slots=True)
class Accion:
    """Un botón. `pide` es el dato que hay que escribir: `texto`, `desde` o nada."""

    clave: str
    titulo: str
    explica: str
    tramite: Tramite
    pide: str = ""


_TODAS: Final = (
    Accion("renacer", "Que dé señales", "Contesta en cuanto la reciba: sirve para saber si oye.", Tramite.DIRECTA),
    Accion(
        "mensaje",
        "Mostrarle un mensaje",
        "Aparece en la barra de su pantalla hasta que mande otro o lo quite.",
        Tramite.DIRECTA,
        "texto",
    ),
    Accion("seguir_imagenes", "Que siga con las imágenes", "Quita una pausa.", Tramite.DIRECTA),
    Accion(
        "pausar_imagenes",
        "Que no mande imágenes",
        "Las cifras siguen saliendo. Las imágenes se quedan en el kiosco, sin publicar, hasta que se le diga que siga.",
        Tramite.DOS,
    ),
    Accion(
        "reenviar",
        "Que vuelva a mandar sus hojas",
        "Desde la hoja que se diga. Nada se cuenta dos veces, pero gasta su enlace.",
        Tramite.DOS,
        "desde",
    ),
    Accion(
        "definicion",
        "Que tome la definición firmada",
        "Baja la última que firmó la autoridad y la usa al volver a arrancar sus pantallas.",
        Tramite.DOS,
    ),
    Accion(
        "firmar_definicion",
        "Una definición nueva",
        "La firma la autoridad. Con ella ya en el centro, se ordena tomarla.",
        Tramite.AUTORIDAD,
    ),
    Accion(
        "baja",
        "Darlo de baja",
        "De aquí sólo sale la solicitud: el equipo sigue trabajando hasta que la autoridad firme. Desde "
        "entonces ya no entra ni se le acepta nada nuevo; lo ya contado no cambia.",
        Tramite.AUTORIDAD,
    ),
)

ACCIONES: Final[Mapping[str, Accion]] = {a.clave: a for a in _TODAS}


def armar(clave: str, texto: str, desde: str) -> Que | Rechazo | None:
    """La orden que pide ese botón; `None` si no es de las que el centro firma así, sin más.

    `definicion` es `None`: qué paquete es lo dice el que haya cuando se autorice.
    """
    match clave:
        case "renacer":
            return Renacer()
        case "seguir_imagenes":
            return SeguirImagenes()
        case "pausar_imagenes":
            return PausarImagenes()
        case "mensaje":
            limpio = escrito.limpio(texto)
            mal = escrito.objecion("el mensaje", limpio, "resúmalo", minimo=0, maximo=MAXIMO_TEXTO)
            if mal is not None:
                return mal
            return MostrarMensaje(limpio)
        case "reenviar":
            if not (desde.isascii() and desde.isdigit() and 0 < int(desde[:18]) < 2**53):
                return Rechazo(
                    "DESDE",
                    "falta desde qué hoja",
                    "se envió vacío o con letras",
                    "escriba un número: 1 para todas, o el de «completas hasta» más uno",
                )
            return Reenviar(int(desde[:18]))
    return None


def en_palabras(que: Que) -> str:
    """Una orden, como se lee en la sala."""
    match que:
        case MostrarMensaje(texto):
            return f"mensaje: «{texto}»" if texto else "quitar el mensaje"
        case Reenviar(desde):
            return f"volver a mandar desde la hoja {desde:,}"
        case TomarDefinicion() as definicion:
            return f"tomar la definición {definicion.version}"
        case PausarImagenes():
            return "no mandar imágenes"
        case SeguirImagenes():
            return "seguir con las imágenes"
    return "dar señales"


def dicho(clave: str, texto: str, desde: str) -> str:
    """Lo pedido con ese botón, en palabras, antes de que sea una orden."""
    que = armar(clave, texto, desde)
    if clave == "definicion" and texto:
        return f"que tome la definición firmada, {texto}"
    if que is None or isinstance(que, Rechazo):
        titulo = ACCIONES[clave].titulo.lower()
        return (
            f"{titulo} (sólo una solicitud a la autoridad)" if ACCIONES[clave].tramite is Tramite.AUTORIDAD else titulo
        )
    return en_palabras(que)
