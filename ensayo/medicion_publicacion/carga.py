"""Cargar un servidor con `wrk` y contar lo que contestó y los segundos de procesador que le costó a él.

El servidor va en un núcleo y el cliente en el otro. Se cuenta por segundo de procesador del servidor: así ni el cliente
ni quien publica, que van en el otro núcleo, cambian la cifra; sólo lo que de verdad le estorba a quien sirve.
"""

from __future__ import annotations

import http.client
import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_TICS: Final = os.sysconf("SC_CLK_TCK")
_CONEXIONES: Final = 32
_HILO: Final = 1
_GUION: Final = """\
local peticiones = {}
function init(dados)
  wrk.headers["Accept-Encoding"] = "gzip"
  if dados[3] then wrk.headers["If-None-Match"] = dados[3] end
  for camino in io.lines(dados[1]) do peticiones[#peticiones + 1] = wrk.format("GET", camino) end
  math.randomseed(tonumber(dados[2]))
end
function request()
  return peticiones[math.random(#peticiones)]
end
function done(hecho)
  local e = hecho.errors
  io.write(string.format("HECHO %d %d %d %d\\n", hecho.requests, hecho.duration, hecho.bytes,
    e.connect + e.read + e.write + e.status + e.timeout))
end
"""
_HECHO: Final = re.compile(r"^HECHO (\d+) (\d+) (\d+) (\d+)$", re.MULTILINE)


class SinMedir(RuntimeError):
    """Aquí no se puede medir, o lo medido no es lo que se quería; el mensaje dice por qué."""


@dataclass(frozen=True)
class Carga:
    """Lo que pasó en una ronda."""

    peticiones: int
    errores: int
    bytes: int
    pared: float
    cpu: float
    """Segundos de procesador del servidor."""

    @property
    def por_cpu(self) -> float:
        """Peticiones por segundo de procesador del servidor."""
        return self.peticiones / max(self.cpu, 1 / _TICS)


def sumar(cargas: Sequence[Carga]) -> Carga:
    """Varias, seguidas, como una sola."""
    return Carga(
        sum(c.peticiones for c in cargas),
        sum(c.errores for c in cargas),
        sum(c.bytes for c in cargas),
        sum(c.pared for c in cargas),
        sum(c.cpu for c in cargas),
    )


def nucleos() -> tuple[int, int]:
    """El del servidor y el del cliente. Raises: SinMedir, si no hay dos."""
    libres = sorted(os.sched_getaffinity(0))
    if len(libres) < 2:
        raise SinMedir("hacen falta dos núcleos: uno para quien sirve y otro para quien pide; use una máquina con dos")
    return libres[0], libres[1]


def exigir(programa: str) -> str:
    """La ruta de ese programa. Raises: SinMedir, si no está."""
    hallado = shutil.which(programa)
    if hallado is None:
        raise SinMedir(f"falta {programa}: `apt-get install --no-install-recommends {programa}` como root")
    return hallado


def escribir_guion(carpeta: Path) -> Path:
    """El guion de `wrk`, en esa carpeta."""
    guion = carpeta / "carga.lua"
    guion.write_text(_GUION, "utf-8")
    return guion


def cargar(
    guion: Path, servidor: int, puerto: int, rutas: Path, semilla: int, segundos: float, etiqueta: str = ""
) -> Carga:
    """Pide sin parar caminos de `rutas`, al azar: en orden, una caché más chica que la lista no acertaría nunca.

    Args:
        servidor: el pid del proceso principal de nginx.
        etiqueta: lo que va en If-None-Match.

    Raises:
        SinMedir: si `wrk` no corre.
    """
    # wrk sólo entiende segundos enteros.
    orden = [exigir("wrk"), f"-t{_HILO}", f"-c{_CONEXIONES}", f"-d{max(1, round(segundos))}s", "-s", str(guion)]
    antes = segundos_de_cpu(servidor)
    hecho = subprocess.run(
        ["taskset", "-c", str(nucleos()[1]), *orden, f"http://127.0.0.1:{puerto}/", "--", str(rutas), str(semilla)]
        + ([etiqueta] if etiqueta else []),
        capture_output=True,
        text=True,
        check=False,
    )
    cpu = segundos_de_cpu(servidor) - antes
    hallado = _HECHO.search(hecho.stdout)
    if hallado is None or not int(hallado[1]):
        raise SinMedir(f"wrk no terminó bien: {(hecho.stderr or hecho.stdout).strip()[-300:]}")
    peticiones, micros, recibidos, errores = map(int, hallado.groups())
    return Carga(peticiones, errores, recibidos, micros / 1e6, cpu)


def segundos_de_cpu(principal: int) -> float:
    """Los que llevan gastados los trabajadores de ese nginx."""
    hijos = Path(f"/proc/{principal}/task/{principal}/children").read_text().split()
    return sum(sum(map(int, _despues_del_nombre(hijo)[11:13])) for hijo in hijos) / _TICS


def _despues_del_nombre(pid: str) -> list[str]:
    # El nombre va entre paréntesis y puede llevar espacios: los campos se cuentan después de él (proc(5)).
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def pedir(puerto: int, camino: str, cabeceras: Mapping[str, str] | None = None) -> tuple[int, Mapping[str, str], bytes]:
    """Una petición suelta. Raises: OSError o http.client.HTTPException, si no contesta."""
    with closing(http.client.HTTPConnection("127.0.0.1", puerto, timeout=10)) as conexion:
        conexion.request("GET", camino, headers={"Accept-Encoding": "gzip", **(cabeceras or {})})
        respuesta = conexion.getresponse()
        return respuesta.status, dict(respuesta.getheaders()), respuesta.read()
