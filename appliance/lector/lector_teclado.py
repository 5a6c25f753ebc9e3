"""El lector en modo teclado (`/dev/input/event*`), tomado sólo para el kiosco.

Sin `EVIOCGRAB` lo leído se escribiría además donde esté el cursor: un gafete sobre el campo de votos de un acta.
"""

from __future__ import annotations

import fcntl
import os
import stat
import struct
from pathlib import Path
from typing import Final

from appliance.lector.descriptor import Lecturas, abrir
from appliance.lector.puerto import no_abre
from appliance.lector.renglones import Renglones
from appliance.lector.teclas import FINES, MAYUSCULAS, MODIFICADORAS, SIGNOS

EVIOCGRAB: Final = 0x40044590
"""`_IOW('E', 0x90, int)` de `linux/input.h`."""

_EVENTO: Final = struct.Struct("@llHHi")
"""`struct input_event`: segundos, microsegundos, tipo, código y valor."""
_EV_SYN, _EV_KEY, _SYN_DROPPED = 0, 1, 3
_SOLTAR, _APRETAR = 0, 1


class LectorTeclado(Lecturas):
    """Toma el aparato de eventos para sí. Raises: Falla."""

    def __init__(self, ruta: Path) -> None:
        descriptor = abrir(ruta, os.O_RDONLY)
        try:
            # Un FIFO lleva los mismos bytes pero no hay a quién quitárselo; un aparato que no se deja tomar no se usa.
            if stat.S_ISCHR(os.fstat(descriptor).st_mode):
                fcntl.ioctl(descriptor, EVIOCGRAB, 1)
        except OSError as error:
            os.close(descriptor)
            raise no_abre(f"{ruta}: {error.strerror}") from error
        super().__init__(ruta, descriptor)
        self._renglones = Renglones()
        self._resto = b""
        self._apretadas: set[int] = set()

    def _interpretar(self, datos: bytes) -> list[str]:
        datos = self._resto + datos
        entero = len(datos) // _EVENTO.size * _EVENTO.size
        self._resto = datos[entero:]
        listas: list[str] = []
        for _, _, tipo, codigo, valor in _EVENTO.iter_unpack(datos[:entero]):
            if tipo == _EV_SYN and codigo == _SYN_DROPPED:
                # El núcleo tiró eventos: falta un pedazo del código.
                self._renglones.echar_a_perder()
                self._apretadas.clear()
            elif tipo == _EV_KEY:
                listas += self._tecla(codigo, valor)
        return listas

    def _tecla(self, codigo: int, valor: int) -> list[str]:
        if codigo in MAYUSCULAS or codigo in MODIFICADORAS:
            self._apretadas.discard(codigo) if valor == _SOLTAR else self._apretadas.add(codigo)
            return []
        # Un lector no repite teclas; la repetición es la del núcleo cuando tarda en soltarla.
        if valor != _APRETAR:
            return []
        if codigo in FINES:
            return self._renglones.agregar("\n")
        if codigo not in SIGNOS or not self._apretadas.isdisjoint(MODIFICADORAS):
            return []
        return self._renglones.agregar(SIGNOS[codigo][not self._apretadas.isdisjoint(MAYUSCULAS)])
