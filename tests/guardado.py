"""`./prep broker` de verdad, en su proceso, con su bitácora a la vista."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from servicio_central import broker
from tests.centro_de_verdad import RAIZ, Inscrito, esperar


class Guardado:
    """El guardia y, debajo de él, su mosquitto."""

    def __init__(self, sistema: Inscrito) -> None:
        self._centro = sistema.centro
        self.bitacora = sistema.carpeta / "guardado.log"
        with self.bitacora.open("ab") as salida:
            self.proceso = subprocess.Popen(
                [sys.executable, "-m", "servicio_central.orden_broker", "--carpeta", str(sistema.centro)],
                stdout=salida, stderr=salida, cwd=RAIZ, env={**os.environ, "PYTHONPATH": str(RAIZ)},
            )  # fmt: skip
        broker.esperar(sistema.centro, 30, self.proceso)

    def dijo(self, que: str) -> int:
        """Cuántas veces está en la bitácora."""
        return self.bitacora.read_text("utf-8", "replace").count(que)

    def hijo(self) -> int:
        (hijo,) = self._hijos()
        return int(hijo)

    def otro_en_vez_de(self, viejo: int) -> bool:
        """Si llega a haber otro mosquitto, y ya contesta."""
        if not esperar(lambda: len(hijos := self._hijos()) == 1 and hijos != [str(viejo)]):
            return False
        broker.esperar(self._centro, 15, self.proceso)
        return True

    def _hijos(self) -> list[str]:
        return Path(f"/proc/{self.proceso.pid}/task/{self.proceso.pid}/children").read_text().split()

    def terminar(self) -> int:
        self.proceso.send_signal(signal.SIGTERM)
        try:
            return self.proceso.wait(timeout=15)
        finally:
            self.proceso.kill()
