"""El bróker: un mosquitto que sólo mueve bytes entre quienes traen certificado de la autoridad.

No se confía en él: puede perder o retrasar, nunca falsificar (los sobres y los acuses van firmados). Medidas y trampas
en `recetas/mqtt.md` §4.1: `max_packet_size` y no `message_size_limit` (que confirma y tira), cola de 20 000 (la de 1000
pierde callada), `use_username_as_clientid` (nadie desplaza la sesión de otro).
"""

from __future__ import annotations

import ipaddress
import os
import pwd
import shutil
import socket
import ssl
import stat
import subprocess
import sys
import time
from functools import cache
from pathlib import Path
from typing import Final

from nucleo.temas import acl_mosquitto, ambito_de
from servicio_central import ajustes, disco
from servicio_central.ajustes import Ajustes
from servicio_central.tropiezo import Tropiezo

MAXIMO_PAQUETE: Final = 64 * 1024
"""Bytes de un paquete MQTT: el doble del sobre más grande (`nucleo.sobre.MAXIMO_BYTES`)."""

MAXIMOS_EN_COLA: Final = 60_000
"""Mensajes que el bróker guarda para el centro. Seiscientos kioscos que vuelven a la vez con su ventana de 48 llena son
28,800: con un tope menor tira los que sobran, y cada uno se vuelve a mandar."""

MAXIMA_COLA: Final = 256 * 2**20
"""Bytes que se le guardan a un cliente lento. Más allá el bróker tira, y cada kiosco reenvía lo que no se le acusó; sin
este tope, veinte mil mensajes grandes serían toda la memoria."""

CUENTA: Final = "mosquitto"
"""Cuenta sin privilegios con la que corre si lo arranca root."""

LISTA_DE_ACCESO: Final = "acl"
REVOCADOS: Final = "crl.pem"

_CONFIGURACION: Final = "mosquitto.conf"
_LEE: Final = (LISTA_DE_ACCESO, REVOCADOS, "ca.pem", "servidor.pem", "servidor.key")
_RUTAS: Final = ("/usr/sbin", "/usr/local/sbin", "/usr/bin", "/usr/local/bin")


def escribir_configuracion(carpeta: Path, donde: Ajustes, proceso: str) -> None:
    """Escribe `mosquitto.conf` y la lista de acceso en la carpeta del bróker.

    Raises:
        TemaInvalido: si el modo y el proceso no forman un ámbito de temas.
    """
    disco.carpeta_privada(carpeta / "persistencia")
    disco.sustituir(carpeta / LISTA_DE_ACCESO, acl_mosquitto(ambito_de(donde.modo, proceso)).encode(), 0o600)
    disco.sustituir(carpeta / _CONFIGURACION, _configuracion(carpeta.resolve(), donde).encode())


def _configuracion(carpeta: Path, donde: Ajustes) -> str:
    # Con nombre público se escucha en todas las interfaces: la máquina puede estar detrás de una traducción de
    # direcciones.
    interfaz = f" {donde.broker_host}" if _es_local(donde.broker_host) else ""
    return f"""\
# Generado por servicio_central.broker: no se edita a mano.
per_listener_settings false
allow_anonymous false
acl_file {carpeta}/{LISTA_DE_ACCESO}
persistence true
persistence_location {carpeta}/persistencia/
autosave_interval 30
max_inflight_messages 100
max_queued_messages {MAXIMOS_EN_COLA}
max_queued_bytes {MAXIMA_COLA}
max_packet_size {MAXIMO_PAQUETE}
max_keepalive 300
retain_available false
allow_zero_length_clientid false
persistent_client_expiration 1h
set_tcp_nodelay true
log_dest stderr
log_type error
log_type warning
log_type notice
connection_messages true

listener {donde.broker_puerto}{interfaz}
cafile {carpeta}/ca.pem
certfile {carpeta}/servidor.pem
keyfile {carpeta}/servidor.key
crlfile {carpeta}/{REVOCADOS}
tls_version tlsv1.3
require_certificate true
use_identity_as_username true
use_username_as_clientid true
"""


def orden(centro: Path) -> list[str]:
    """La orden que corre el bróker de ese centro, en primer plano.

    Si la corre root, deja la carpeta del bróker a nombre de la cuenta `mosquitto` y el bróker suelta los privilegios.
    Si esa cuenta no existe o no puede entrar a la carpeta (está dentro de una privada, como en un ensayo), corre como
    root y lo dice.

    Raises:
        Tropiezo: si mosquitto no está instalado, el bróker no se ha creado o la cuenta no puede leer lo que necesita.
    """
    carpeta = (centro / ajustes.BROKER).resolve()
    configuracion = carpeta / _CONFIGURACION
    if not configuracion.exists():
        raise Tropiezo(
            "BROKER",
            f"no existe {configuracion}",
            "el centro no se ha inscrito o la carpeta es otra",
            "corra `./prep inscribir`",
        )
    programa = _buscar_mosquitto()
    # Lo que el bróker guarda se puede perder entero: que falte su carpeta no debe pedirle nada a nadie.
    disco.carpeta_privada(carpeta / "persistencia")
    cuenta = ""
    if os.geteuid() == 0:
        cuenta = _ceder(carpeta)
        propia = carpeta / "mosquitto.root.conf"
        contenido = f"user {cuenta}\n".encode() + configuracion.read_bytes()
        # Con el disco lleno se debe poder arrancar otra vez: lo que ya está no se vuelve a escribir.
        if not propia.exists() or propia.read_bytes() != contenido:
            disco.sustituir(propia, contenido)
        configuracion = propia
    _que_pueda_leer(carpeta, cuenta)
    return [programa, "-c", str(configuracion)]


def arrancar(centro: Path, plazo: float = 10.0) -> subprocess.Popen[bytes]:
    """Corre el bróker y espera, hasta `plazo` segundos, a que acepte conexiones TLS. Su bitácora es
    `broker/mosquitto.log`.

    Raises:
        Tropiezo: si falta mosquitto, no arranca o no contesta a tiempo.
    """
    mandato = orden(centro)
    ruta = centro / ajustes.BROKER / "mosquitto.log"
    with ruta.open("ab") as bitacora:
        proceso = subprocess.Popen(mandato, stdin=subprocess.DEVNULL, stdout=bitacora, stderr=bitacora)
    try:
        esperar(centro, plazo, proceso)
    except BaseException:
        proceso.kill()
        proceso.wait()
        raise
    return proceso


def esperar(centro: Path, plazo: float = 10.0, proceso: subprocess.Popen[bytes] | None = None) -> None:
    """Vuelve cuando el bróker acepta de verdad una conexión TLS con el certificado del centro.

    Raises:
        Tropiezo: BROKER, si `proceso` termina antes o pasan `plazo` segundos.
    """
    donde = ajustes.leer(centro)
    contexto = contexto_tls(centro)
    limite = time.monotonic() + plazo
    causa = "no contesta"
    while time.monotonic() < limite:
        if proceso is not None and proceso.poll() is not None:
            causa = f"terminó solo con {proceso.returncode}"
            break
        try:
            with (
                socket.create_connection((donde.broker_host, donde.broker_puerto), timeout=1) as enchufe,
                contexto.wrap_socket(enchufe, server_hostname=donde.broker_host),
            ):
                return
        except ssl.SSLCertVerificationError as error:
            causa = f"su certificado no es de esta autoridad ({error.verify_message})"
            break
        except OSError as error:
            causa = str(error)
            time.sleep(0.05)
    raise Tropiezo(
        "BROKER",
        f"el bróker de {donde.broker_host}:{donde.broker_puerto} no quedó listo: {causa}",
        _ultimo_error(centro) or "otro programa usa ese puerto o el bróker no se ha arrancado",
        f"lea su bitácora ({centro / ajustes.BROKER / 'mosquitto.log'} si lo arrancó esta orden) y libere el puerto",
    )


def contexto_tls(carpeta: Path) -> ssl.SSLContext:
    """TLS mutuo con `ca.pem`, `tls.pem` y `tls.key` de esa carpeta.

    Raises:
        Tropiezo: TLS, si falta alguno.
    """
    try:
        contexto = ssl.create_default_context(ssl.Purpose.SERVER_AUTH, cafile=str(carpeta / "ca.pem"))
        contexto.minimum_version = ssl.TLSVersion.TLSv1_2
        contexto.load_cert_chain(carpeta / "tls.pem", carpeta / "tls.key")
    except (OSError, ssl.SSLError) as error:
        raise Tropiezo(
            "TLS",
            f"no se pudieron leer los certificados de {carpeta} ({error})",
            "la inscripción quedó a medias o la carpeta es otra",
            "repita `./prep inscribir` en una carpeta nueva",
        ) from error
    return contexto


def _buscar_mosquitto() -> str:
    programa = shutil.which("mosquitto") or shutil.which("mosquitto", path=os.pathsep.join(_RUTAS))
    if programa is None:
        raise Tropiezo(
            "BROKER",
            "no está instalado mosquitto",
            "la máquina es nueva",
            "corra `apt-get install --no-install-recommends mosquitto` como root y repita",
        )
    return programa


def _ceder(carpeta: Path) -> str:
    try:
        cuenta = pwd.getpwnam(CUENTA)
    except KeyError:
        return "root"
    centro, *mas_arriba = carpeta.parents
    if not all(_deja_pasar(padre, cuenta) for padre in mas_arriba):
        _decir_que_es_root(centro.parent)
        return "root"
    # A la carpeta del centro sólo se le permite el paso: no la puede listar, y lo privado que hay dentro es 0600.
    os.chown(centro, -1, cuenta.pw_gid)
    centro.chmod(0o710)
    for ruta in (carpeta, *carpeta.rglob("*")):
        os.chown(ruta, cuenta.pw_uid, cuenta.pw_gid, follow_symlinks=False)
    return CUENTA


@cache
def _decir_que_es_root(carpeta: Path) -> None:
    """Una vez por proceso: la orden se vuelve a armar cada vez que el bróker se arranca."""
    print(
        f"broker: la cuenta {CUENTA} no puede entrar a {carpeta}; el bróker corre como root. "
        "En producción ponga la carpeta del centro donde esa cuenta pueda pasar, como /var/lib/prep.",
        file=sys.stderr,
    )


def _que_pueda_leer(carpeta: Path, cuenta: str) -> None:
    """Sin su lista de acceso un mosquitto que ya corre los deja pasar a todos: antes de tocarlo se ve que la lea."""
    for ruta in (carpeta / nombre for nombre in _LEE):
        if not ruta.is_file():
            causa = "no existe: se borró, o la inscripción quedó a medias"
            siguiente = f"aparte {carpeta} y repita `./prep inscribir` con la misma autoridad y el mismo centro"
        elif not (os.access(ruta, os.R_OK) if cuenta in ("", "root") else _la_lee(ruta, cuenta)):
            causa = "sus permisos o su dueño no lo dejan: alguien lo cambió a mano, o lo escribió otra cuenta"
            siguiente = f"como root, `chown {cuenta or os.geteuid()} {ruta}; chmod 600 {ruta}`"
        else:
            continue
        raise Tropiezo("BROKER", f"el bróker no puede leer {ruta}", causa, siguiente)


def _la_lee(ruta: Path, cuenta: str) -> bool:
    de_quien, dato = pwd.getpwnam(cuenta), ruta.stat()
    if dato.st_uid == de_quien.pw_uid:
        return bool(dato.st_mode & stat.S_IRUSR)
    if dato.st_gid in os.getgrouplist(cuenta, de_quien.pw_gid):
        return bool(dato.st_mode & stat.S_IRGRP)
    return bool(dato.st_mode & stat.S_IROTH)


def _deja_pasar(carpeta: Path, cuenta: pwd.struct_passwd) -> bool:
    dato = carpeta.stat()
    if dato.st_uid == cuenta.pw_uid:
        return bool(dato.st_mode & stat.S_IXUSR)
    if dato.st_gid == cuenta.pw_gid:
        return bool(dato.st_mode & stat.S_IXGRP)
    return bool(dato.st_mode & stat.S_IXOTH)


def _es_local(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _ultimo_error(centro: Path) -> str:
    try:
        lineas = (centro / ajustes.BROKER / "mosquitto.log").read_text("utf-8", "replace").splitlines()
    except OSError:
        return ""
    return next((linea for linea in reversed(lineas[-20:]) if "rror" in linea), "")
