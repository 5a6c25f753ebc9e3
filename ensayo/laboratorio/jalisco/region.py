"""El camino de una región al bróker, que se puede apagar: los bytes pasan tal cual, sin abrir el TLS.

Apagado no avisa: deja de leer y de contestar, como una fibra rota, y quien intente entrar espera en vano. Al volver, lo
que estaba a medias se corta y se vuelve a empezar.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import sys
from typing import Final

_BLOQUE: Final = 65_536


class Region:
    """Escucha en un puerto de loopback y une cada conexión con el destino mientras haya camino."""

    def __init__(self, destino: int) -> None:
        self._destino = destino
        self._abierto = asyncio.Event()
        self._abierto.set()
        self._uniones: set[asyncio.Task[None]] = set()

    def apagar(self) -> None:
        self._abierto.clear()

    def encender(self) -> None:
        """Corta lo que quedó a medias y deja pasar lo nuevo."""
        for union in self._uniones:
            union.cancel()
        self._abierto.set()

    async def atender(self, lector: asyncio.StreamReader, escritor: asyncio.StreamWriter) -> None:
        union = asyncio.current_task()
        assert union is not None
        self._uniones.add(union)
        try:
            await self._abierto.wait()
            otro_lector, otro = await asyncio.open_connection("127.0.0.1", self._destino)
            try:
                async with asyncio.TaskGroup() as grupo:
                    grupo.create_task(self._pasar(lector, otro))
                    grupo.create_task(self._pasar(otro_lector, escritor))
            finally:
                otro.transport.abort()
        except (OSError, ExceptionGroup, asyncio.CancelledError):
            # Se cayó de un lado, o volvió la luz: el kiosco vuelve a llamar.
            pass
        finally:
            self._uniones.discard(union)
            escritor.transport.abort()

    async def _pasar(self, lector: asyncio.StreamReader, escritor: asyncio.StreamWriter) -> None:
        while datos := await lector.read(_BLOQUE):
            # Lo leído durante el apagón no llega: se queda aquí hasta que la conexión se corte.
            await self._abierto.wait()
            escritor.write(datos)
            await escritor.drain()
        raise ConnectionResetError


async def servir(puerto: int, destino: int) -> None:
    """Atiende hasta que se cierre la entrada; por ella llegan `apagar` y `encender`."""
    region = Region(destino)
    servidor = await asyncio.start_server(region.atender, "127.0.0.1", puerto, backlog=512)
    ordenes = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(ordenes), sys.stdin)
    print("listo", flush=True)
    async with servidor:
        while orden := (await ordenes.readline()).decode().strip():
            region.apagar() if orden == "apagar" else region.encender()
            print("listo", flush=True)


def principal() -> int:
    """`python -m ensayo.laboratorio.jalisco.region --puerto P --destino D`."""
    lector = argparse.ArgumentParser(description="El camino de una región (lo dirige `prep laboratorio jalisco`)")
    lector.add_argument("--puerto", type=int, required=True)
    lector.add_argument("--destino", type=int, required=True)
    opciones = lector.parse_args()
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(servir(opciones.puerto, opciones.destino))
    return 0


if __name__ == "__main__":
    sys.exit(principal())
