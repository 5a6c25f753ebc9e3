"""Un CUPS de verdad, aparte del de la máquina, con una impresora simulada debajo: un *backend* que obedece a archivos.

La cola, los permisos, las alertas y las órdenes son las de CUPS; lo único simulado es el papel.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import Final

COLA: Final = "etiquetas"
_SISTEMA: Final = Path("/usr/lib/cups")
_BACKEND: Final = """#!/bin/sh
[ $# -eq 0 ] && { echo 'direct prepsim "Simulada" "Simulada"'; exit 0; }
D=@PAPEL@
while [ -f "$D/sin_papel" ]; do echo 'STATE: +media-empty-error' >&2; sleep 0.1; done
echo 'STATE: -media-empty-error' >&2
while [ -f "$D/atorada" ]; do echo 'STATE: +media-jam-error' >&2; sleep 0.1; done
echo 'STATE: -media-jam-error' >&2
[ -f "$D/apagada" ] && exit 1
cat "${6:--}" >"$D/trabajo-$1.pdf"
"""


class Cups:
    """Se arranca al crearla; `detener` la apaga. `papel` es la carpeta donde «salen» los trabajos."""

    def __init__(self, carpeta: Path) -> None:
        self._carpeta = carpeta
        self.servidor = str(carpeta / "z")
        self.papel = carpeta / "papel"
        for nombre in ("raiz", "req", "cache", "estado", "bin/backend", "bin/filter", "bin/cgi-bin", "papel"):
            (carpeta / nombre).mkdir(parents=True)
        # cupsd suelta privilegios para el backend: la carpeta y todas las de arriba deben dejarlo pasar.
        self.papel.chmod(0o777)
        for arriba in (carpeta, *carpeta.parents):
            if arriba.owner() == "root" and len(arriba.parts) > 2:
                arriba.chmod(arriba.stat().st_mode | 0o711)
        for nombre in ("daemon", "monitor", "notifier"):
            (carpeta / "bin" / nombre).symlink_to(_SISTEMA / nombre)
        backend = carpeta / "bin" / "backend" / "prepsim"
        backend.write_text(_BACKEND.replace("@PAPEL@", str(self.papel)))
        backend.chmod(0o755)
        (carpeta / "raiz" / "cupsd.conf").write_text(
            f"LogLevel debug\nListen {self.servidor}\nDefaultAuthType None\nWebInterface No\nBrowsing No\n"
            + "".join(f"<Location {r}>\nOrder allow,deny\nAllow all\n</Location>\n" for r in ("/", "/admin"))
            + "<Policy default>\n<Limit All>\nOrder deny,allow\nAllow all\n</Limit>\n</Policy>\n"
        )
        (carpeta / "raiz" / "cups-files.conf").write_text(
            "".join(
                f"{llave} {carpeta / nombre}\n"
                for llave, nombre in (
                    ("ServerRoot", "raiz"),
                    ("ServerBin", "bin"),
                    ("RequestRoot", "req"),
                    ("TempDir", "req"),
                    ("CacheDir", "cache"),
                    ("StateDir", "estado"),
                    ("AccessLog", "acceso.log"),
                    ("ErrorLog", "error.log"),
                    ("PageLog", "pagina.log"),
                )
            )
            + "SystemGroup root\n"
        )
        self._proceso: subprocess.Popen[bytes] | None = None
        self.arrancar()
        self.orden("lpadmin", "-p", COLA, "-E", "-v", "prepsim:/x", "-m", "raw")

    def arrancar(self) -> None:
        raiz = self._carpeta / "raiz"
        cupsd = shutil.which("cupsd", path="/usr/sbin") or "cupsd"
        self._proceso = subprocess.Popen(
            [cupsd, "-f", "-c", str(raiz / "cupsd.conf"), "-s", str(raiz / "cups-files.conf")],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        limite = time.monotonic() + 10
        while self.orden("lpstat", "-r") != 0 or not Path(self.servidor).exists():
            assert time.monotonic() < limite, (self._carpeta / "error.log").read_text()[-2000:]
            time.sleep(0.05)

    def orden(self, *orden: str) -> int:
        ambiente = {**os.environ, "CUPS_SERVER": self.servidor, "PATH": f"{os.environ['PATH']}:/usr/sbin"}
        return subprocess.run(orden, env=ambiente, capture_output=True, check=False).returncode

    def trabajos(self) -> list[bytes]:
        """Lo que salió en papel, en orden."""
        return [p.read_bytes() for p in sorted(self.papel.glob("trabajo-*.pdf"))]

    def pasa(self, que: str) -> None:
        (self.papel / que).touch()

    def se_arregla(self, que: str) -> None:
        (self.papel / que).unlink()

    def detener(self) -> None:
        if self._proceso is not None:
            self._proceso.terminate()
            self._proceso.wait(10)
            self._proceso = None
