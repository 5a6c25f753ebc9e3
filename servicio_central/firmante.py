"""Las llaves del centro y de la autoridad, guardadas en archivos que sólo su dueño puede leer."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from nucleo.sobre import Tipo, firmar_con
from servicio_central.tropiezo import Tropiezo


class FirmanteDeArchivo:
    """Firma con la llave P-256 de un PEM (`nucleo.sobre.Firmante`).

    Raises:
        Tropiezo: LLAVE, si falta, la pueden leer otras cuentas o no es una llave privada P-256.
    """

    def __init__(self, ruta: Path, identidad: str) -> None:
        self._llave = _privada(ruta)
        self._identidad = identidad

    @property
    def identidad(self) -> str:
        return self._identidad

    def firmar(self, tipo: Tipo, carga: bytes) -> str:
        return firmar_con(self._llave, self._identidad, tipo, carga)


def leer_publica(ruta: Path) -> ECKey:
    """Llave pública P-256 de un PEM.

    Raises:
        Tropiezo: LLAVE, si falta o no es una llave P-256.
    """
    try:
        return publica_de(ruta.read_bytes())
    except OSError as error:
        raise _tropiezo(f"no se pudo leer {ruta}", error.strerror or "no se puede abrir") from error
    except ValueError as error:
        raise _tropiezo(f"{ruta} no es una llave pública P-256", "se copió otro archivo") from error


def leer_privada(ruta: Path) -> ECKey:
    """Llave privada P-256 de un PEM que sólo puede leer su dueño: la de sellado.

    Raises:
        Tropiezo: LLAVE, como `FirmanteDeArchivo`.
    """
    return _privada(ruta)


def publica_de(pem: bytes) -> ECKey:
    """La mitad pública de una llave P-256 en PEM.

    Raises:
        ValueError: si no es una llave P-256.
    """
    try:
        llave = ECKey.import_key(pem)
    except (JoseError, ValueError, TypeError) as error:
        raise ValueError("no es una llave P-256 en PEM") from error
    if llave.curve_name != "P-256":
        raise ValueError(f"es de la curva {llave.curve_name} y no P-256")
    return ECKey.import_key(llave.as_dict(private=False))


def _privada(ruta: Path) -> ECKey:
    try:
        # Se miran los permisos del archivo ya abierto: por nombre podrían cambiar entre mirar y leer.
        with ruta.open("rb") as archivo:
            permisos = stat.S_IMODE(os.fstat(archivo.fileno()).st_mode)
            pem = archivo.read(64 * 1024)
    except OSError as error:
        raise _tropiezo(f"no se pudo leer la llave {ruta}", error.strerror or "no se puede abrir") from error
    if permisos & 0o077:
        raise Tropiezo(
            "LLAVE",
            f"la llave {ruta} la pueden leer otras cuentas (permisos {permisos:o})",
            "se copió sin conservar sus permisos",
            f"corra `chmod 600 {ruta}`; si otras personas usan esta máquina, cambie la llave",
        )
    try:
        llave = ECKey.import_key(pem)
    except (JoseError, ValueError, TypeError) as error:
        raise _tropiezo(f"la llave {ruta} no se entiende", "el archivo está incompleto") from error
    if llave.curve_name != "P-256" or not llave.is_private:
        raise _tropiezo(f"{ruta} no es una llave privada P-256", "se copió otra o sólo su mitad pública")
    return llave


def _tropiezo(que: str, causa: str) -> Tropiezo:
    return Tropiezo("LLAVE", que, causa, "revise la carpeta o repita la inscripción con `./prep inscribir`")
