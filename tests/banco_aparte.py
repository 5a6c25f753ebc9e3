"""El banco de aparatos en su propio proceso: los enchufa a un kiosco que corre aparte, sin envolver a la prueba.

Un renglón JSON por orden, `[método, argumentos…]`, y uno por respuesta. El kiosco ve este banco si arranca con
`umockdev-wrapper` y `UMOCKDEV_DIR` en su `raiz`.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Final

from appliance.dispositivos.perfiles import leer_perfiles
from tests.banco_de_udev import Banco

RAIZ: Final = Path(__file__).resolve().parents[1]
ENVOLTURA: Final = "umockdev-wrapper"


def se_puede() -> bool:
    """Si esta máquina tiene umockdev."""
    return shutil.which(ENVOLTURA) is not None


class BancoAparte:
    """Se usa con `with`. Cada método devuelve la ruta en `/sys` de lo que se enchufó."""

    def __init__(self) -> None:
        orden = [ENVOLTURA, sys.executable, "-m", "tests.banco_aparte"]
        tubo = subprocess.PIPE
        self._proceso = subprocess.Popen(orden, cwd=RAIZ, stdin=tubo, stdout=tubo, text=True)
        self.raiz = Path(self._respuesta())

    def __enter__(self) -> BancoAparte:
        return self

    def __exit__(
        self, clase: type[BaseException] | None, error: BaseException | None, traza: TracebackType | None
    ) -> None:
        with self._proceso:
            assert self._proceso.stdin is not None
            self._proceso.stdin.close()
            self._proceso.wait(20)

    def escaner(self, perfil: str) -> str:
        return self._pedir("escaner", perfil)

    def desconocido(self, vid: str, pid: str, nombre: str) -> str:
        """Un escáner que SANE reconoce y no tiene perfil."""
        return self._pedir("desconocido", vid, pid, nombre)

    def lector(self, perfil: str, modo: str) -> str:
        return self._pedir("lector", perfil, modo)

    def impresora(self) -> str:
        return self._pedir("impresora")

    def memoria(self) -> str:
        return self._pedir("memoria")

    def baja(self, ruta: str, *, avisar: bool = True) -> None:
        self._pedir("baja", ruta, avisar)

    @contextmanager
    def sordo(self) -> Iterator[None]:
        """Mientras dura, ningún aviso del núcleo llega a nadie."""
        oidos = [(oido, oido.with_name(f"sordo-{oido.name}")) for oido in self.raiz.glob("event*")]
        for oido, tapado in oidos:
            oido.rename(tapado)
        try:
            yield
        finally:
            for oido, tapado in oidos:
                tapado.rename(oido)

    def _pedir(self, que: str, *con: str | bool) -> str:
        assert self._proceso.stdin is not None
        self._proceso.stdin.write(json.dumps([que, *con]) + "\n")
        self._proceso.stdin.flush()
        return self._respuesta()

    def _respuesta(self) -> str:
        assert self._proceso.stdout is not None
        renglon = self._proceso.stdout.readline()
        assert renglon, "el banco se cayó"
        return str(json.loads(renglon))


def _atender(banco: Banco, que: str, *con: str) -> str | None:
    perfiles = leer_perfiles().por_clave
    match que, *con:
        case "escaner", clave:
            return banco.escaner(perfiles[clave])
        case "desconocido", vid, pid, nombre:
            return banco.usb(vid, pid, nombre, libsane_matched="yes")
        case "lector", clave, modo:
            return banco.lector(perfiles[clave], next(i for i in perfiles[clave].usb if i.modo == modo))
        case ("impresora",):
            return banco.impresora()
        case ("memoria",):
            return banco.memoria()
        case "baja", ruta, avisar:
            banco.baja(ruta, avisar=bool(avisar))
            return ""
    raise ValueError(que)


if __name__ == "__main__":
    with Banco() as banco:
        print(json.dumps(banco.raiz), flush=True)
        for renglon in sys.stdin:
            print(json.dumps(_atender(banco, *json.loads(renglon))), flush=True)
