"""La carpeta del centro y su `centro.toml`, que escribe la inscripción."""

from __future__ import annotations

import json
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
PADRON: Final = "padron.jws"
ALMACEN: Final = "almacen.sqlite"
BROKER: Final = "broker"
KID_CENTRO: Final = "centro"
"""`kid` de quien firma los acuses."""

_CAMPOS: Final = ("modo", "proceso", "broker_host", "broker_puerto")


@dataclass(frozen=True, slots=True)
class Ajustes:
    """Lo que dice `centro.toml`. `proceso` es la carpeta de la definición."""

    modo: str
    proceso: Path
    broker_host: str
    broker_puerto: int


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
    if set(dato) != set(_CAMPOS):
        raise _tropiezo(f"{ruta} no tiene exactamente {', '.join(_CAMPOS)}", "se editó a mano")
    modo, proceso, host, puerto = (dato[c] for c in _CAMPOS)
    if modo not in CON_CENTRO:
        raise _tropiezo(f"{ruta}: «modo» no es simulacro ni oficial", "se editó a mano")
    if not (isinstance(proceso, str) and isinstance(host, str) and proceso and host):
        raise _tropiezo(f"{ruta}: «proceso» y «broker_host» son textos", "se editó a mano")
    if not isinstance(puerto, int) or isinstance(puerto, bool) or not 1 <= puerto <= 65535:
        raise _tropiezo(f"{ruta}: «broker_puerto» no es un puerto de 1 a 65535", "se editó a mano")
    return Ajustes(modo, (carpeta / proceso).resolve(), host, puerto)


def escribir(carpeta: Path, ajustes: Ajustes) -> None:
    """Escribe `centro.toml`."""
    dato = {
        "modo": ajustes.modo,
        "proceso": str(ajustes.proceso),
        "broker_host": ajustes.broker_host,
        "broker_puerto": ajustes.broker_puerto,
    }
    disco.escribir(carpeta / ARCHIVO, a_toml(dato))


def a_toml(dato: Mapping[str, object]) -> bytes:
    """TOML de una tabla sin niveles. Un texto JSON con sus escapes es también un texto TOML."""
    return "".join(f"{llave} = {json.dumps(valor, ensure_ascii=False)}\n" for llave, valor in dato.items()).encode()


def _tropiezo(que: str, causa: str) -> Tropiezo:
    return Tropiezo("CENTRO", que, causa, "indique la carpeta correcta o repita `./prep inscribir`")
