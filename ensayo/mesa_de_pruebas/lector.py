"""Un lector de códigos simulado: escribe en un pty lo que un lector en modo serie escribiría en su línea."""

from __future__ import annotations

import contextlib
import os
import pty
from pathlib import Path


class LectorDeMesa:
    """Nace conectado. `enlace` apunta siempre al pty de ahora, como `/dev/serial/by-id` apunta al aparato.

    Args:
        enlace: dónde se pone el enlace simbólico.
    """

    def __init__(self, enlace: Path) -> None:
        self.enlace = enlace
        self._amo = -1
        self._esclavo = -1
        self.conectar()

    @property
    def conectado(self) -> bool:
        return self._amo >= 0

    def conectar(self) -> None:
        """Vuelve a aparecer, con otro número de línea. Repetirlo no hace nada."""
        if self.conectado:
            return
        self._amo, self._esclavo = pty.openpty()
        os.set_blocking(self._amo, False)
        nuevo = self.enlace.with_name(f".{self.enlace.name}.nuevo")
        nuevo.unlink(missing_ok=True)
        nuevo.symlink_to(os.ttyname(self._esclavo))
        nuevo.replace(self.enlace)

    def desconectar(self) -> None:
        """Quien lo tenga abierto lee un error, como con el cable jalado."""
        if not self.conectado:
            return
        self.enlace.unlink(missing_ok=True)
        for descriptor in (self._esclavo, self._amo):
            with contextlib.suppress(OSError):
                os.close(descriptor)
        self._amo = self._esclavo = -1

    def leer(self, texto: str, fin: str = "\r") -> None:
        """Como si se apuntara a un código con ese texto. Raises: OSError, si está desconectado o nadie lo escucha."""
        self.mandar((texto + fin).encode())

    def mandar(self, crudo: bytes) -> None:
        """Bytes tal cual, también los que ningún lector sano mandaría. Raises: OSError."""
        if not self.conectado:
            raise OSError("el lector de la mesa está desconectado")
        while crudo:
            crudo = crudo[os.write(self._amo, crudo) :]
