"""La raíz de Debian 13 donde corren RabbitMQ, PostgreSQL, Patroni, etcd y NATS, sin instalarlos en la máquina.

Se construye con mmdebstrap a partir de las fuentes de apt que la máquina ya usa. Comparte la red (sólo se escucha en
loopback) y nada más: cada banco de pruebas vive en una carpeta suya dentro de la raíz.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

RAIZ: Final = Path(os.environ.get("PREP_CRECER_RAIZ", "/srv/crecer/raiz"))

PAQUETES: Final = (
    *("ca-certificates", "iproute2", "procps", "rabbitmq-server", "postgresql", "patroni", "etcd-server"),
    *("etcd-client", "nats-server", "python3-etcd"),
)

_CAMINO: Final = "/usr/lib/postgresql/17/bin:/usr/lib/rabbitmq/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class SinRaiz(RuntimeError):
    """No se puede usar la raíz; el texto dice por qué y qué hacer."""


def impedimento() -> str:
    """Por qué no se puede usar la raíz; vacío si se puede."""
    if os.geteuid() != 0:
        return "hace falta ser root para entrar a la raíz de Debian 13 (chroot)"
    if not (RAIZ / "usr/sbin/rabbitmq-server").exists():
        return f"no está {RAIZ}: constrúyala con `./prep laboratorio crecer --preparar`"
    return ""


def preparar() -> None:
    """Construye la raíz si no está. Tarda unos tres minutos.

    Raises:
        SinRaiz: si falta mmdebstrap, permiso o red.
    """
    if not impedimento():
        return
    if os.geteuid() != 0:
        raise SinRaiz("Hace falta ser root para construir la raíz de Debian 13. Repita como root.")
    programa = shutil.which("mmdebstrap")
    if programa is None:
        raise SinRaiz(
            "No está mmdebstrap. Instálelo con `apt-get install --no-install-recommends mmdebstrap` y repita."
        )
    RAIZ.parent.mkdir(parents=True, exist_ok=True)
    nueva = RAIZ.with_name(f".{RAIZ.name}-nueva")
    shutil.rmtree(nueva, ignore_errors=True)
    # Los ajustes de apt de la máquina (de dónde baja y cómo) valen también para la raíz.
    opciones = [f"--aptopt={a}" for a in sorted(Path("/etc/apt/apt.conf.d").glob("*registry*"))]
    mandato = [programa, "--variant=minbase", f"--include={','.join(PAQUETES)}", *opciones, "trixie", str(nueva)]
    hecho = subprocess.run([*mandato, *_espejo()], check=False, capture_output=True, text=True)
    if hecho.returncode:
        ultimo = (hecho.stderr.strip().splitlines() or ["no dijo por qué"])[-1]
        raise SinRaiz(f"mmdebstrap no pudo construir {RAIZ} ({ultimo}). Revise la red y las fuentes de apt, y repita.")
    nueva.rename(RAIZ)


def _espejo() -> list[str]:
    for fuente in sorted(Path("/etc/apt/sources.list.d").glob("*.sources")):
        for renglon in fuente.read_text(encoding="utf-8").splitlines():
            if renglon.startswith("URIs:"):
                return [renglon.split()[1]]
    return []


def montar() -> None:
    """Deja /proc, /dev y /dev/shm dentro de la raíz, sin que se vea fuera de ella. Raises: SinRaiz."""
    if causa := impedimento():
        raise SinRaiz(causa)
    dev = RAIZ / "dev"
    for punto, mandatos in (
        (RAIZ / "proc", [["mount", "-t", "proc", "proc", str(RAIZ / "proc")]]),
        (dev, [["mount", "--bind", "/dev", str(dev)], ["mount", "--make-private", str(dev)]]),
        # Patroni usa semáforos con nombre para decidir quién queda de primario.
        (dev / "shm", [["mount", "-t", "tmpfs", "-o", "mode=1777,size=256m", "tmpfs", str(dev / "shm")]]),
    ):
        if not os.path.ismount(punto):
            for orden in mandatos:
                subprocess.run(orden, check=True)


def carpeta_nueva(nombre: str) -> Path:
    """Una carpeta vacía dentro de la raíz, por la que cualquier cuenta puede pasar."""
    carpeta = Path(tempfile.mkdtemp(prefix=f"prep-{nombre}-", dir=RAIZ / "var/tmp"))
    carpeta.chmod(0o755)
    return carpeta


def dentro(ruta: Path) -> str:
    """Cómo se llama esa ruta para quien corre en la raíz."""
    return "/" + str(ruta.relative_to(RAIZ))


def ceder(carpeta: Path, cuenta: str) -> None:
    """Deja la carpeta y lo que tiene a nombre de una cuenta de la raíz."""
    identidad = cuenta_de(cuenta)
    for ruta in (carpeta, *carpeta.rglob("*")):
        os.chown(ruta, *identidad, follow_symlinks=False)


def cuenta_de(nombre: str) -> tuple[int, int]:
    """(uid, gid) de una cuenta de la raíz."""
    for renglon in (RAIZ / "etc/passwd").read_text(encoding="utf-8").splitlines():
        campos = renglon.split(":")
        if campos[0] == nombre:
            return int(campos[2]), int(campos[3])
    raise SinRaiz(f"la raíz no tiene la cuenta {nombre}: constrúyala otra vez")


def mandato(cuenta: str, orden: Sequence[str]) -> list[str]:
    """La orden tal como se corre dentro de la raíz, con esa cuenta."""
    uid, gid = cuenta_de(cuenta)
    return ["chroot", f"--userspec={uid}:{gid}", f"--groups={gid}", str(RAIZ), *orden]


def ambiente(**mas: str) -> dict[str, str]:
    return {"PATH": _CAMINO, "LANG": "C.UTF-8", "HOME": "/tmp", **mas}


def lanzar(
    cuenta: str, orden: Sequence[str], bitacora: Path, propio: Mapping[str, str] | None = None
) -> subprocess.Popen[bytes]:
    """Deja corriendo un programa de la raíz, en su propio grupo para poder matarlo con todo y sus hijos."""
    with bitacora.open("ab") as salida:
        return subprocess.Popen(
            mandato(cuenta, orden),
            stdin=subprocess.DEVNULL,
            stdout=salida,
            stderr=salida,
            env=ambiente(**(propio or {})),
            start_new_session=True,
        )


def correr(
    cuenta: str, orden: Sequence[str], propio: Mapping[str, str] | None = None, entrada: str | None = None
) -> str:
    """Corre un programa de la raíz hasta que acabe y devuelve lo que dijo.

    Raises:
        SinRaiz: si terminó mal, con lo último que dijo.
    """
    hecho = subprocess.run(
        mandato(cuenta, orden),
        env=ambiente(**(propio or {})),
        input=entrada,
        capture_output=True,
        text=True,
        check=False,
    )
    if hecho.returncode:
        raise SinRaiz(f"{orden[0]} terminó con {hecho.returncode}: {(hecho.stderr or hecho.stdout).strip()[-500:]}")
    return hecho.stdout
