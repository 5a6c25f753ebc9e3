"""El único lugar del kiosco que construye las cosas reales: llave, almacén, reloj, definición y enlace."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from appliance.almacen import Almacen
from appliance.candado import Candado
from appliance.enlace import Ajustes, Enlace
from appliance.enlace.transporte_mqtt import TransporteMqtt, contexto_tls
from appliance.falla import Falla
from appliance.identidad import Identidad, leer_identidad
from appliance.imagenes import Imagenes
from appliance.llave import LlaveDeArchivo, leer_publica
from appliance.mesa import Mesa
from appliance.permisos import reservar
from appliance.reloj import Reloj, RelojDeEnsayo, RelojDelSistema
from nucleo.definicion import DefinicionInvalida, cargar_proceso
from nucleo.eleccion import Proceso
from nucleo.modos import CAPACITACION
from nucleo.sobre import Firmante

_RAIZ: Final = Path(__file__).resolve().parent.parent
_ARRANQUE: Final = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True)
class Kiosco:
    """Un kiosco abierto. Quien lo abre lo cierra con `almacen.desconectar()`."""

    mesa: Mesa
    almacen: Almacen
    proceso: Proceso
    identidad: Identidad
    reloj: Reloj
    carpeta: Path


def abrir_kiosco(carpeta: Path, reloj: Reloj | None = None) -> Kiosco:
    """Abre la carpeta de un kiosco inscrito. Sin `reloj`, usa el de la máquina.

    Raises:
        Falla: si la identidad, la llave, la definición o el almacén no sirven; dice cuál y qué hacer.
    """
    identidad = leer_identidad(carpeta)
    proceso = _proceso(identidad)
    propio = reloj or _reloj(proceso)
    almacen = _almacen(carpeta, identidad, proceso, LlaveDeArchivo(carpeta / "llave.pem", identidad.equipo))
    mesa = Mesa(almacen, Imagenes(carpeta / "imagenes"), proceso, propio)
    return Kiosco(mesa, almacen, proceso, identidad, propio, carpeta)


def abrir_enlace(carpeta: Path, ajustes: Ajustes | None = None) -> Enlace:
    """Arma el enlace de la carpeta de un kiosco inscrito, sin conectarlo todavía.

    Raises:
        Falla: como `abrir_kiosco`; TLS si faltan o no sirven los certificados; ENLACE_REPETIDO si ya hay otro.
    """
    identidad = leer_identidad(carpeta)
    # Dos se quitarían la conexión uno al otro, sin fin.
    candado = Candado(
        carpeta,
        Falla(
            "ENLACE_REPETIDO",
            f"Otro enlace ya atiende la carpeta {carpeta}",
            "se arrancó dos veces, a mano y por el sistema",
            "deje corriendo el primero; si debe ser éste, detenga antes el otro",
        ),
    )
    try:
        return _enlace(carpeta, identidad, ajustes or Ajustes(), candado)
    except BaseException:
        candado.soltar()
        raise


def _enlace(carpeta: Path, identidad: Identidad, ajustes: Ajustes, candado: Candado) -> Enlace:
    proceso = _proceso(identidad)
    firmante = LlaveDeArchivo(carpeta / "llave.pem", identidad.equipo)
    tls = contexto_tls(carpeta / "ca.pem", carpeta / "tls.pem", carpeta / "tls.key")
    return Enlace(
        almacen=_almacen(carpeta, identidad, proceso, firmante),
        identidad=identidad,
        proceso=proceso.clave,
        firmante=firmante,
        llave_centro=leer_publica(carpeta / "centro.pub.pem"),
        reloj=RelojDelSistema(proceso.huso),
        version=huella_del_programa(),
        fabrica=lambda testamento: TransporteMqtt(
            identidad.broker_host, identidad.broker_puerto, identidad.equipo, tls, testamento
        ),
        ajustes=ajustes,
        candado=candado,
    )


def huella_del_programa() -> str:
    """`sistema` de cada sobre: 16 cifras del SHA-256 de los archivos del kiosco y del núcleo."""
    suma = hashlib.sha256()
    for paquete in ("appliance", "nucleo"):
        for archivo in sorted((_RAIZ / paquete).rglob("*")):
            if archivo.is_file() and "__pycache__" not in archivo.parts:
                suma.update(str(archivo.relative_to(_RAIZ)).encode() + b"\0")
                suma.update(hashlib.sha256(archivo.read_bytes()).digest())
    return f"kiosco-{suma.hexdigest()[:16]}"


def _almacen(carpeta: Path, identidad: Identidad, proceso: Proceso, firmante: Firmante) -> Almacen:
    reservar(carpeta)
    return Almacen.abrir(
        carpeta / "almacen.sqlite",
        identidad,
        firmante,
        proceso=proceso.clave,
        sistema=huella_del_programa(),
        arranque=_arranque(),
    )


def _proceso(identidad: Identidad) -> Proceso:
    try:
        proceso = cargar_proceso(identidad.proceso)
    except (DefinicionInvalida, OSError) as error:
        raise Falla(
            "DEFINICION",
            f"No se pudo leer la definición del proceso en {identidad.proceso}: {error}",
            "la carpeta se movió, está incompleta o se editó",
            "vuelva a poner la carpeta de la definición con que se inscribió el kiosco",
        ) from error
    if proceso.modo != identidad.modo:
        raise Falla(
            "MODO",
            f"El kiosco se inscribió en modo {identidad.modo} y la definición es de modo {proceso.modo}",
            "se cambió la definición después de inscribir",
            "inscriba el kiosco otra vez: simulacro y oficial nunca se mezclan",
        )
    return proceso


def _reloj(proceso: Proceso) -> Reloj:
    # Se practica cualquier día: el reloj empieza con la operación ya en marcha, y cada sobre dice que es virtual.
    if proceso.modo == CAPACITACION:
        return RelojDeEnsayo(proceso.inicio_operacion + timedelta(hours=2))
    return RelojDelSistema(proceso.huso)


def _arranque() -> str:
    try:
        return _ARRANQUE.read_text().strip() or "desconocido"
    except OSError:
        return "desconocido"
