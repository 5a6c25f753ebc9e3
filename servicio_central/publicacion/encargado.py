"""Quien le encarga los cortes al proceso publicador, lo levanta si murió y lo mata si se atora."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from threading import Thread
from typing import Final

PLAZO: Final = 600.0
"""Segundos que puede tardar un corte."""

_MODULO: Final = "servicio_central.publicacion.servicio"


class Encargado:
    """Hace cada corte en otro proceso, que sigue vivo para el siguiente. Lo usa un solo hilo."""

    def __init__(self, carpeta: Path, avisar: Callable[[str], None], plazo: float = PLAZO) -> None:
        self._carpeta = carpeta
        self._avisar = avisar
        self._plazo = plazo
        self._proceso: subprocess.Popen[str] | None = None

    def __call__(self, hora: datetime, ultimo: bool) -> str:
        """Pide ese corte y devuelve la queja, o vacío si salió."""
        pedido = json.dumps({"hora": hora.isoformat(), "ultimo": ultimo})
        try:
            proceso = self._vivo()
            entrada, salida = proceso.stdin, proceso.stdout
            if entrada is None or salida is None:
                raise OSError("el publicador no tiene por dónde hablar")
            print(pedido, file=entrada, flush=True)
            respuesta: list[str] = []
            oido = Thread(target=lambda: respuesta.append(salida.readline()), daemon=True)
            oido.start()
            oido.join(self._plazo)
            if not respuesta:
                return self._matar(f"tardó más de {self._plazo:.0f} s y se detuvo")
            if not respuesta[0]:
                return self._matar(f"el publicador murió a medio corte (salió con {proceso.poll()})")
            return str(json.loads(respuesta[0])["queja"])
        except (OSError, ValueError, KeyError) as error:
            return self._matar(f"no se pudo pedir ({error})")

    def cerrar(self) -> None:
        """Termina el proceso, si lo hay."""
        if self._proceso is not None and self._proceso.stdin is not None:
            self._proceso.stdin.close()
            try:
                self._proceso.wait(5)
            except subprocess.TimeoutExpired:
                self._matar("")

    def _vivo(self) -> subprocess.Popen[str]:
        if self._proceso is None or self._proceso.poll() is not None:
            orden = [sys.executable, "-m", _MODULO, "--carpeta", str(self._carpeta)]
            tubo = subprocess.PIPE
            # En su propia sesión: el Ctrl+C es para el centro, y él le cierra la entrada al terminar o al morir.
            self._proceso = subprocess.Popen(
                orden, stdin=tubo, stdout=tubo, stderr=tubo, text=True, start_new_session=True
            )
            Thread(target=self._repetir, args=(self._proceso,), daemon=True).start()
        return self._proceso

    def _repetir(self, proceso: subprocess.Popen[str]) -> None:
        for renglon in proceso.stderr or ():
            self._avisar(renglon.rstrip())

    def _matar(self, queja: str) -> str:
        if self._proceso is not None:
            self._proceso.kill()
            self._proceso.wait()
            self._proceso = None
        return queja
