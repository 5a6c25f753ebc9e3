"""Lo que toda petición debe cumplir antes de llegar a una página.

Sólo el navegador de esta máquina, por un nombre de esta máquina (así un sitio ajeno que resuelva a 127.0.0.1 no entra)
y, para escribir, desde una página nuestra. El navegador no guarda ninguna respuesta ni admite código de fuera.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

from starlette.datastructures import Headers, MutableHeaders

MAXIMO_FORMULARIO: Final = 256 * 1024
"""Bytes. Una hoja de 400 renglones ocupa cerca de 40 KiB."""

Mensaje = MutableMapping[str, Any]
Recibir = Callable[[], Awaitable[Mensaje]]
Mandar = Callable[[Mensaje], Awaitable[None]]
Aplicacion = Callable[[Mensaje, Recibir, Mandar], Awaitable[None]]

CABECERAS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # No «no-referrer»: con ella el navegador manda «Origin: null» y ya no se sabe de dónde vino el formulario.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}


class Guardias:
    """Envoltura ASGI de la aplicación."""

    def __init__(self, app: Aplicacion, *, puerto: int) -> None:
        self._app = app
        self._nombres = {f"127.0.0.1:{puerto}", f"localhost:{puerto}", f"[::1]:{puerto}"}

    async def __call__(self, entorno: Mensaje, recibir: Recibir, mandar: Mandar) -> None:
        if entorno["type"] != "http":
            if entorno["type"] == "lifespan":
                await self._app(entorno, recibir, mandar)
            return

        empezo = time.perf_counter()

        async def mandar_con_cabeceras(mensaje: Mensaje) -> None:
            if mensaje["type"] == "http.response.start":
                cabeceras = MutableHeaders(scope=mensaje)
                for nombre, valor in CABECERAS.items():
                    cabeceras[nombre] = valor
                cabeceras["Server-Timing"] = f"kiosco;dur={(time.perf_counter() - empezo) * 1000:.1f}"
            await mandar(mensaje)

        if problema := self._problema(Headers(scope=entorno), entorno["method"]):
            await _negar(problema, mandar_con_cabeceras)
            return
        await self._app(entorno, recibir, mandar_con_cabeceras)

    def _problema(self, cabeceras: Headers, metodo: str) -> tuple[int, str] | None:
        if cabeceras.get("host", "") not in self._nombres:
            return 421, "Esta pantalla sólo atiende en la propia máquina. Abra http://127.0.0.1 con su puerto."
        if metodo in ("GET", "HEAD"):
            return None
        if metodo != "POST":
            return 405, "Esta pantalla no admite esa operación. Regrese al inicio."
        origen = cabeceras.get("origin", "")
        if (
            origen.removeprefix("http://") not in self._nombres
            or cabeceras.get("sec-fetch-site", "same-origin") != "same-origin"
        ):
            return (
                403,
                "El formulario no salió de esta pantalla y no se guardó nada. Regrese al inicio y repita la acción.",
            )
        tamano = cabeceras.get("content-length", "")
        if not (tamano.isascii() and tamano.isdigit()) or int(tamano) > MAXIMO_FORMULARIO:
            return 413, "El formulario es demasiado grande y no se guardó nada. Regrese al inicio y repita la acción."
        return None


async def _negar(problema: tuple[int, str], mandar: Mandar) -> None:
    codigo, texto = problema
    cuerpo = texto.encode()
    cabeceras = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(cuerpo)).encode())]
    await mandar({"type": "http.response.start", "status": codigo, "headers": cabeceras})
    await mandar({"type": "http.response.body", "body": cuerpo})
