"""El lector de códigos, visto por quien lo escucha."""

from __future__ import annotations

from typing import Final, Protocol

from appliance.falla import Falla

MAXIMO: Final = 512
"""Signos de una lectura. Nuestra etiqueta y el gafete llevan menos de 120; lo demás es un código ajeno."""


class Lector(Protocol):
    """Un lector abierto. No es seguro usarlo desde dos hilos a la vez."""

    def leer(self, espera_s: float) -> str | None:
        """La siguiente lectura completa, o `None` si no llegó en ese tiempo.

        Sólo signos imprimibles, de 1 a `MAXIMO`. Lo que viene a medias o de más se descarta entero: media lectura
        podría ser la clave de otra casilla.

        Raises:
            Falla: LECTOR, si se desconectó o dejó de poder leerse. Hay que cerrarlo y abrir otro.
        """
        ...

    def cerrar(self) -> None:
        """Lo suelta. Se puede repetir y no falla."""
        ...


def desconectado(detalle: str) -> Falla:
    return Falla(
        "LECTOR",
        f"El lector de códigos dejó de contestar ({detalle})",
        "se soltó su cable USB",
        "conéctelo otra vez; mientras, escriba la clave con el teclado",
    )


def no_abre(detalle: str) -> Falla:
    return Falla(
        "LECTOR",
        f"No se pudo abrir el lector de códigos ({detalle})",
        "acaba de conectarse, lo usa otro programa, o faltan las reglas de aparatos del kiosco",
        "desconéctelo y conéctelo otra vez; mientras, escriba la clave con el teclado",
    )
