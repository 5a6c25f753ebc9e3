"""Comprobar la configuración del sitio y correr su nginx en primer plano, sin root si se puede."""

from __future__ import annotations

import os
import pwd
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import replace
from hashlib import sha256
from ipaddress import ip_address
from pathlib import Path
from threading import Event
from types import FrameType
from typing import Final

from servicio_central import disco, nginx
from servicio_central.nginx import BITACORA, Ajustes
from servicio_central.tropiezo import Tropiezo

CUENTA: Final = "www-data"
"""Con la que atienden los trabajadores si lo arranca root y esa cuenta puede leer lo publicado."""

_RUTAS: Final = "/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin"
_PLAZO_S: Final = 10.0
_CADA_S: Final = 1.0
_EN_PALABRAS: Final = (
    (r"cannot load certificate (key )?\"(?P<que>[^\"]+)\"", "el certificado o su llave no se dejan leer, no son PEM o "
     "no son pareja", "revise las dos rutas y que esta cuenta los pueda leer"),
    (r"key values mismatch", "la llave no es la de ese certificado", "dé la que se generó junto con él"),
    (r"Permission denied", "esta cuenta no puede leer o escribir ahí", "corra la orden con la cuenta dueña de la "
     "carpeta, o diga otra con --trabajo"),
    (r"No space left", "el disco está lleno", "libere espacio y repita"),
    (r"unknown directive|invalid parameter", "este nginx es anterior a 1.22 o le faltan módulos", "instale el `nginx` "
     "de Debian 12 o 13"),
)  # fmt: skip


def programa() -> str:
    """La ruta de nginx. Raises: Tropiezo, si no está."""
    hallado = shutil.which("nginx") or shutil.which("nginx", path=_RUTAS)
    if hallado is None:
        siguiente = "corra `apt-get install --no-install-recommends nginx` como root y repita"
        raise Tropiezo("SITIO", "no está instalado nginx", "la máquina es nueva", siguiente)
    return hallado


def preparar(ajustes: Ajustes) -> Path:
    """Escribe la configuración, la comprueba con `nginx -t` y que el puerto esté libre; devuelve su ruta.

    Raises:
        Tropiezo: si falta algo por servir, no se puede escribir o nginx no la acepta.
    """
    _que_haya_sitio(ajustes)
    try:
        configuracion = nginx.escribir(ajustes)
    except OSError as error:
        causa = "es de otra cuenta, de sólo lectura o no hay espacio"
        siguiente = "diga con --trabajo una carpeta donde esta cuenta pueda escribir"
        raise Tropiezo("SITIO", f"no se pudo escribir en {ajustes.trabajo} ({error})", causa, siguiente) from error
    comprobar(configuracion)
    return configuracion


def comprobar(configuracion: Path) -> None:
    """`nginx -t`. Raises: Tropiezo, con lo que dijo y qué quiere decir."""
    hecho = subprocess.run([*_mandato(configuracion), "-t"], capture_output=True, text=True, errors="replace")
    if hecho.returncode:
        raise _en_palabras(hecho.stderr)


def puerto_disponible(ajustes: Ajustes) -> None:
    """Comprueba que los puertos se puedan tomar. Raises: Tropiezo, si no."""
    familia = socket.AF_INET6 if ip_address(ajustes.direccion).version == 6 else socket.AF_INET
    for puerto in filter(None, (ajustes.puerto, ajustes.puerto_http)):
        with closing(socket.socket(familia)) as enchufe:
            enchufe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                enchufe.bind((ajustes.direccion, puerto))
            except PermissionError as error:
                siguiente = "use uno de 1024 en adelante, o arranque como root (los trabajadores sueltan el privilegio)"
                raise Tropiezo(
                    "PUERTO", f"esta cuenta no puede tomar el puerto {puerto}", "es menor que 1024", siguiente
                ) from error
            except OSError as error:
                siguiente = f"vea quién lo tiene con `ss -ltnp`, deténgalo o diga otro con --puerto ({error.strerror})"
                causa = "otro programa lo usa, quizá otra corrida de esta orden, o esa dirección no es de esta máquina"
                que = f"no se pudo tomar {ajustes.direccion}:{puerto}"
                raise Tropiezo("PUERTO", que, causa, siguiente) from error


def con_cuenta(ajustes: Ajustes) -> Ajustes:
    """Con la cuenta de los trabajadores decidida: si arranca root, una que no lo sea y que pueda leer el sitio."""
    if os.geteuid() != 0 or not ajustes.carpeta.exists():
        return replace(ajustes, cuenta="")
    # Quien llegó con la carpeta de otro, a nombre de ese otro; sólo lo que es de root se queda como root.
    dueno = ajustes.carpeta.stat().st_uid
    candidatas = [ajustes.cuenta or CUENTA]
    with suppress(KeyError):
        candidatas.append(pwd.getpwuid(dueno).pw_name)
    for cuenta in candidatas:
        if _la_lee(ajustes, cuenta):
            return replace(ajustes, cuenta=cuenta)
    decir(
        f"la cuenta {candidatas[0]} no puede entrar a {ajustes.carpeta}; los trabajadores de nginx corren como root. "
        "En producción ponga la carpeta donde esa cuenta pueda pasar, como /var/lib/prep."
    )
    return replace(ajustes, cuenta="root")


def arrancar(ajustes: Ajustes, delante: Sequence[str] = ()) -> subprocess.Popen[bytes]:
    """Prepara, corre nginx y espera a que acepte conexiones. Quien llama lo termina con `terminar`.

    Args:
        delante: lo que va antes de la orden, como `taskset -c 0`.

    Raises:
        Tropiezo: si algo lo impide.
    """
    configuracion = preparar(ajustes)
    puerto_disponible(ajustes)
    _descriptores_al_tope()
    mandato = [*delante, *_mandato(configuracion)]
    errores = ajustes.trabajo / "arranque.log"
    with errores.open("wb") as salida:
        proceso = subprocess.Popen(mandato, stdin=subprocess.DEVNULL, stdout=salida, stderr=salida)
    limite = time.monotonic() + _PLAZO_S
    while time.monotonic() < limite and proceso.poll() is None:
        with suppress(OSError), socket.create_connection((_alcanzable(ajustes.direccion), ajustes.puerto), timeout=1):
            return proceso
        time.sleep(0.02)
    terminar(proceso)
    raise _en_palabras(errores.read_text("utf-8", "replace"))


def correr(ajustes: Ajustes) -> int:
    """Corre nginx en primer plano hasta SIGTERM o SIGINT; devuelve 0, o con qué salió si terminó solo.

    Con SIGHUP, o si cambia el certificado, se recarga sin cortar a nadie; si lo nuevo no sirve sigue con lo anterior y
    dice por qué.

    Raises:
        Tropiezo: si algo impide arrancar u otra corrida usa la misma carpeta de trabajo.
    """
    parar, releer = Event(), Event()

    def al_parar(_senal: int, _marco: FrameType | None) -> None:
        parar.set()

    def al_releer(_senal: int, _marco: FrameType | None) -> None:
        releer.set()

    for senal in (signal.SIGTERM, signal.SIGINT):
        signal.signal(senal, al_parar)
    signal.signal(signal.SIGHUP, al_releer)
    _que_haya_sitio(ajustes)
    ajustes = con_cuenta(ajustes)
    turno = _turno(ajustes.trabajo)
    try:
        huella = _huella(ajustes)
        proceso = arrancar(ajustes)
        with suppress(OSError):
            print(f"Sitio: {direccion_publica(ajustes)}  (Ctrl+C termina)", flush=True)
        try:
            while not parar.wait(_CADA_S):
                if proceso.poll() is not None:
                    decir(f"nginx terminó solo con {proceso.returncode}; lea {ajustes.trabajo / BITACORA}")
                    return proceso.returncode or 1
                if releer.is_set() or _huella(ajustes) != huella:
                    releer.clear()
                    huella = _huella(ajustes)
                    _recargar(ajustes, proceso)
            return 0
        finally:
            terminar(proceso)
    finally:
        os.close(turno)


def terminar(proceso: subprocess.Popen[bytes]) -> None:
    """Lo despide: primero deja acabar lo que se está entregando."""
    for senal, plazo in ((signal.SIGQUIT, 3.0), (signal.SIGTERM, 3.0), (signal.SIGKILL, None)):
        if proceso.poll() is None:
            proceso.send_signal(senal)
            with suppress(subprocess.TimeoutExpired):
                proceso.wait(plazo)


def direccion_publica(ajustes: Ajustes) -> str:
    """La dirección que se teclea en el navegador."""
    esquema, comun = ("https", 443) if ajustes.certificado else ("http", 80)
    donde = ajustes.nombre or _alcanzable(ajustes.direccion)
    puerto = "" if ajustes.puerto == comun else f":{ajustes.puerto}"
    return f"{esquema}://{f'[{donde}]' if ':' in donde else donde}{puerto}/"


def decir(que: str) -> None:
    """A quien corre la orden, por la salida de errores."""
    with suppress(OSError):
        print(f"publicar: {que}", file=sys.stderr, flush=True)


def _mandato(configuracion: Path) -> list[str]:
    # -e: si no, antes de leer la configuración intenta la bitácora del sistema, que no es suya.
    return [programa(), "-e", str(configuracion.parent / BITACORA), "-c", str(configuracion)]


def _recargar(ajustes: Ajustes, proceso: subprocess.Popen[bytes]) -> None:
    try:
        preparar(ajustes)
    except Tropiezo as error:
        decir(f"no se recarga y sigue con lo anterior. {error}")
        return
    proceso.send_signal(signal.SIGHUP)
    decir("cambió el certificado o se pidió releer; recargado")


def _huella(ajustes: Ajustes) -> str:
    huella = sha256()
    for ruta in (ajustes.certificado, ajustes.llave):
        if ruta is not None:
            with suppress(OSError):
                huella.update(sha256(ruta.read_bytes()).digest())
    return huella.hexdigest()


def _que_haya_sitio(ajustes: Ajustes) -> None:
    # Antes de crear nada: con la carpeta equivocada se dejaría ahí una que nadie pidió.
    if not (ajustes.carpeta / "publico").exists():
        raise Tropiezo(
            "SITIO",
            f"en {ajustes.carpeta} no hay nada publicado",
            "el centro todavía no arranca o la carpeta es otra",
            "arranque `./prep centro` una vez, o dé la carpeta del centro o de su espejo",
        )


def _turno(trabajo: Path) -> int:
    try:
        trabajo.mkdir(parents=True, exist_ok=True, mode=0o755)
        return disco.tomar(trabajo / ".turno", esperar=False)
    except BlockingIOError as error:
        siguiente = "use ésa, deténgala, o diga otra carpeta con --trabajo"
        raise Tropiezo("SITIO", f"otra corrida ya usa {trabajo}", "la orden ya se está corriendo", siguiente) from error
    except OSError as error:
        siguiente = "diga con --trabajo una carpeta donde esta cuenta pueda escribir"
        raise Tropiezo(
            "SITIO", f"no se puede escribir en {trabajo} ({error})", "es de otra cuenta", siguiente
        ) from error


def _descriptores_al_tope() -> None:
    _, maximo = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (maximo, maximo))


def _la_lee(ajustes: Ajustes, cuenta: str) -> bool:
    try:
        quien = pwd.getpwnam(cuenta)
    except KeyError:
        return False
    if quien.pw_uid == 0:
        return False
    # Se le pregunta al sistema con esa cuenta: así cuentan también las carpetas de arriba y las listas de acceso.
    ver = ["/usr/bin/test", "-r", f"{(ajustes.carpeta / 'publico').absolute()}/."]
    return subprocess.run(ver, user=quien.pw_uid, group=quien.pw_gid, extra_groups=[], check=False).returncode == 0


def _alcanzable(direccion: str) -> str:
    leida = ip_address(direccion)
    return ("::1" if leida.version == 6 else "127.0.0.1") if leida.is_unspecified else direccion


def _en_palabras(dicho: str) -> Tropiezo:
    renglones = [r for r in dicho.splitlines() if "[emerg]" in r or "[alert]" in r] or dicho.splitlines()[-1:]
    queja = re.sub(r"^.*?\[(?:emerg|alert)\] (?:\d+#\d+: )?", "", renglones[0]) if renglones else "no dijo por qué"
    for patron, causa, siguiente in _EN_PALABRAS:
        if re.search(patron, dicho):
            return Tropiezo("NGINX", f"nginx no acepta la configuración («{queja}»)", causa, siguiente)
    causa, siguiente = "un dato que no entiende", "revise lo que se le dio a la orden; si no es eso, avise a sistemas"
    return Tropiezo("NGINX", f"nginx no acepta la configuración («{queja}»)", causa, siguiente)
