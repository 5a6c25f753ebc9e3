"""Un proceso hijo al que nunca se le espera de más: grupo propio, topes propios, y si no se va, se le mata."""

from __future__ import annotations

import contextlib
import os
import resource
import selectors
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

GRACIA_S: Final = 3.0
"""Segundos que se le dan a `scanimage` para soltar el escáner con `sane_cancel` antes de matarlo."""
_GRACIA_MUERTO_S: Final = 2.0
_TROZO: Final = 64 * 1024


class Proceso:
    """El hijo, ya arrancado en `carpeta`.

    Args:
        orden: sus argumentos; el primero se busca en el `PATH`.
        entorno: sus variables, y ninguna más.
        tope_archivo: bytes que puede medir lo que escriba.

    Raises:
        OSError: si no se pudo arrancar.
    """

    def __init__(self, orden: Sequence[str], carpeta: Path, entorno: Mapping[str, str], tope_archivo: int) -> None:
        # Si el kiosco muere de golpe, el hijo no se queda con el escáner; y nada de lo que corra gana privilegios.
        guardia = ["setpriv", "--no-new-privs", "--pdeathsig", "TERM", "--"] if shutil.which("setpriv") else []
        self._hijo = subprocess.Popen(
            [*guardia, *orden],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=carpeta,
            env=dict(entorno),
            start_new_session=True,
            umask=0o077,
        )
        with contextlib.suppress(ProcessLookupError):
            resource.prlimit(self._hijo.pid, resource.RLIMIT_FSIZE, (tope_archivo, tope_archivo))
            resource.prlimit(self._hijo.pid, resource.RLIMIT_CORE, (0, 0))
        assert self._hijo.stdin is not None
        assert self._hijo.stdout is not None
        assert self._hijo.stderr is not None
        self._entrada = self._hijo.stdin
        self._oidos = selectors.DefaultSelector()
        for tubo in (self._hijo.stdout, self._hijo.stderr):
            os.set_blocking(tubo.fileno(), False)
            self._oidos.register(tubo, selectors.EVENT_READ)
        self._salida = self._hijo.stdout

    @property
    def pid(self) -> int:
        return self._hijo.pid

    @property
    def codigo(self) -> int | None:
        """Con qué salió, o `None` si sigue. Negativo es la señal que lo mató."""
        return self._hijo.poll()

    def oir(self, espera_s: float, salida: Callable[[bytes], None], errores: Callable[[bytes], None]) -> bool:
        """Entrega lo que haya dicho, esperando a lo más `espera_s`; falso si ya cerró sus dos salidas."""
        if not self._oidos.get_map():
            return False
        for llave, _ in self._oidos.select(espera_s):
            try:
                datos = os.read(llave.fd, _TROZO)
            except BlockingIOError:
                continue
            if not datos:
                self._oidos.unregister(llave.fileobj)
            elif llave.fileobj is self._salida:
                salida(datos)
            else:
                errores(datos)
        return True

    def decir(self, datos: bytes) -> None:
        """Le escribe en su entrada. Si ya no oye, se sabrá por su código."""
        with contextlib.suppress(OSError, ValueError):
            self._entrada.write(datos)
            self._entrada.flush()

    def despedir(self) -> None:
        """Cierra su entrada: entre dos hojas, eso termina el lote sin tocar el papel."""
        with contextlib.suppress(OSError, ValueError):
            self._entrada.close()

    def senalar(self, senal: signal.Signals) -> None:
        """A todo su grupo: algunos controladores tienen un hijo que lee."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._hijo.pid, senal)

    def esperar(self, plazo_s: float) -> bool:
        """Verdadero si ya terminó."""
        try:
            self._hijo.wait(plazo_s)
        except subprocess.TimeoutExpired:
            return False
        return True

    def terminar(self) -> bool:
        """SIGTERM, y SIGKILL si no basta. Falso si ni así: está detenido dentro del núcleo, y se deja."""
        self.despedir()
        if self._hijo.poll() is None:
            self.senalar(signal.SIGTERM)
            self.esperar(GRACIA_S)
        # Aunque el hijo ya terminó, lo que haya dejado corriendo en su grupo tiene el escáner tomado.
        self.senalar(signal.SIGKILL)
        return self.esperar(_GRACIA_MUERTO_S)

    def cerrar(self) -> None:
        """Suelta los tubos. No espera al hijo."""
        self._oidos.close()
        self.despedir()
        for tubo in (self._hijo.stdout, self._hijo.stderr):
            if tubo is not None:
                tubo.close()


def correr(orden: Sequence[str], carpeta: Path, entorno: Mapping[str, str], plazo_s: float) -> tuple[int, bytes] | None:
    """Corre algo corto y da su código y lo que dijo en su salida; `None` si no terminó a tiempo. Raises: OSError."""
    proceso = Proceso(orden, carpeta, entorno, _TROZO)
    dicho = bytearray()

    def anotar(datos: bytes) -> None:
        dicho.extend(datos[: max(0, _TROZO - len(dicho))])

    limite = time.monotonic() + plazo_s
    try:
        proceso.despedir()
        while (falta := limite - time.monotonic()) > 0 and proceso.oir(falta, anotar, lambda _: None):
            pass
        a_tiempo = proceso.esperar(max(0.0, limite - time.monotonic()))
        codigo = proceso.codigo
        return (codigo, bytes(dicho)) if a_tiempo and codigo is not None else None
    finally:
        proceso.terminar()
        proceso.cerrar()
