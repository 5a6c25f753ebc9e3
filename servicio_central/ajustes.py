"""La carpeta del centro y su `centro.toml`, que escribe la inscripción."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from nucleo.modos import CON_CENTRO
from servicio_central import disco
from servicio_central.tropiezo import Tropiezo

ARCHIVO: Final = "centro.toml"
LLAVE_ACUSES: Final = "centro.pem"
SELLO: Final = "sello.pem"
"""Con la que el centro abre las mochilas; su mitad pública, `SELLO_PUBLICO`, viaja en la carpeta de cada kiosco."""

SELLO_PUBLICO: Final = "sello.pub.pem"
PADRON: Final = "padron.jws"
ALMACEN: Final = "almacen.sqlite"
BROKER: Final = "broker"
KID_CENTRO: Final = "centro"
"""`kid` de quien firma los acuses."""

_CAMPOS: Final = ("modo", "proceso", "broker_host", "broker_puerto")
_SECCIONES: Final = {"almacen": ("motor", "dsn"), "broker": ("motor", "servidores", "colas")}
"""Lo que sólo escribe quien crece a varias máquinas (`docs/crecer.md`)."""

_SERVIDOR: Final = re.compile(r"[A-Za-z0-9.\-]{1,253}:[0-9]{1,5}")

SQLITE: Final = "sqlite"
POSTGRES: Final = "postgres"
MOSQUITTO: Final = "mosquitto"
RABBITMQ: Final = "rabbitmq"


@dataclass(frozen=True, slots=True)
class Ajustes:
    """Lo que dice `centro.toml`. `proceso` es la carpeta de la definición."""

    modo: str
    proceso: Path
    broker_host: str
    broker_puerto: int
    dsn: str = ""
    """Con qué se entra a PostgreSQL; vacío si el almacén es SQLite."""
    amqp: tuple[str, ...] = ()
    """`servidor:puerto` de cada nodo de RabbitMQ; vacío si el bróker es mosquitto."""
    colas: int = 4
    """Entre cuántas colas se reparten los equipos en RabbitMQ."""


def leer(carpeta: Path) -> Ajustes:
    """Lee `centro.toml`. Un `proceso` relativo se entiende desde esa carpeta.

    Raises:
        Tropiezo: CENTRO, con el archivo y la causa.
    """
    ruta = carpeta / ARCHIVO
    try:
        dato = tomllib.loads(ruta.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise _tropiezo(f"no existe {ruta}", "el centro no se ha inscrito o la carpeta es otra") from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise _tropiezo(f"{ruta} no se puede leer ({error})", "se editó a mano o es de otra cuenta") from error
    crecer = {nombre: dato.pop(nombre, {}) for nombre in _SECCIONES}
    if set(dato) != set(_CAMPOS):
        raise _tropiezo(f"{ruta} no tiene exactamente {', '.join(_CAMPOS)}", "se editó a mano")
    modo, proceso, host, puerto = (dato[c] for c in _CAMPOS)
    if modo not in CON_CENTRO:
        raise _tropiezo(f"{ruta}: «modo» no es simulacro ni oficial", "se editó a mano")
    if not (isinstance(proceso, str) and isinstance(host, str) and proceso and host):
        raise _tropiezo(f"{ruta}: «proceso» y «broker_host» son textos", "se editó a mano")
    if not isinstance(puerto, int) or isinstance(puerto, bool) or not 1 <= puerto <= 65535:
        raise _tropiezo(f"{ruta}: «broker_puerto» no es un puerto de 1 a 65535", "se editó a mano")
    for nombre, seccion in crecer.items():
        if not isinstance(seccion, dict) or not set(seccion) <= set(_SECCIONES[nombre]):
            raise _tropiezo(f"{ruta}: [{nombre}] sólo puede decir {', '.join(_SECCIONES[nombre])}", "se editó a mano")
    dsn = _dsn(ruta, crecer["almacen"])
    amqp, colas = _amqp(ruta, crecer["broker"])
    return Ajustes(modo, (carpeta / proceso).resolve(), host, puerto, dsn, amqp, colas)


def dsn_de(carpeta: Path) -> str:
    """El DSN del almacén de esa carpeta; vacío si es SQLite, o si ahí todavía no hay `centro.toml`.

    Raises:
        Tropiezo: CENTRO, si lo hay y no se entiende.
    """
    return leer(carpeta).dsn if (carpeta / ARCHIVO).exists() else ""


def _dsn(ruta: Path, seccion: Mapping[str, object]) -> str:
    motor, dsn = seccion.get("motor", SQLITE), seccion.get("dsn", "")
    if motor not in (SQLITE, POSTGRES):
        raise _tropiezo(f"{ruta}: [almacen] «motor» no es {SQLITE} ni {POSTGRES}", "se editó a mano")
    if not isinstance(dsn, str) or bool(dsn) != (motor == POSTGRES):
        raise _tropiezo(f"{ruta}: [almacen] lleva «dsn» si el motor es {POSTGRES} y sólo entonces", "se editó a mano")
    return dsn


def _amqp(ruta: Path, seccion: Mapping[str, object]) -> tuple[tuple[str, ...], int]:
    motor, servidores, colas = seccion.get("motor", MOSQUITTO), seccion.get("servidores", []), seccion.get("colas", 4)
    if motor not in (MOSQUITTO, RABBITMQ):
        raise _tropiezo(f"{ruta}: [broker] «motor» no es {MOSQUITTO} ni {RABBITMQ}", "se editó a mano")
    if not isinstance(servidores, list) or bool(servidores) != (motor == RABBITMQ):
        causa = f"{ruta}: [broker] lleva «servidores» si el motor es {RABBITMQ} y sólo entonces"
        raise _tropiezo(causa, "se editó a mano")
    if not all(isinstance(s, str) and _SERVIDOR.fullmatch(s) for s in servidores):
        raise _tropiezo(f"{ruta}: [broker] «servidores» son textos como «n0:5671»", "se editó a mano")
    if not isinstance(colas, int) or isinstance(colas, bool) or not 1 <= colas <= 64:
        raise _tropiezo(f"{ruta}: [broker] «colas» no es un número de 1 a 64", "se editó a mano")
    return tuple(servidores), colas


def escribir(carpeta: Path, ajustes: Ajustes) -> None:
    """Escribe `centro.toml`."""
    dato = {
        "modo": ajustes.modo,
        "proceso": str(ajustes.proceso),
        "broker_host": ajustes.broker_host,
        "broker_puerto": ajustes.broker_puerto,
    }
    contenido = a_toml(dato)
    if ajustes.dsn:
        contenido += b"\n[almacen]\n" + a_toml({"motor": POSTGRES, "dsn": ajustes.dsn})
    if ajustes.amqp:
        broker = {"motor": RABBITMQ, "servidores": list(ajustes.amqp), "colas": ajustes.colas}
        contenido += b"\n[broker]\n" + a_toml(broker)
    disco.escribir(carpeta / ARCHIVO, contenido)


def a_toml(dato: Mapping[str, object]) -> bytes:
    """TOML de una tabla sin niveles. Un texto JSON con sus escapes es también un texto TOML."""
    return "".join(f"{llave} = {json.dumps(valor, ensure_ascii=False)}\n" for llave, valor in dato.items()).encode()


def _tropiezo(que: str, causa: str) -> Tropiezo:
    return Tropiezo("CENTRO", que, causa, "indique la carpeta correcta o repita `./prep inscribir`")
