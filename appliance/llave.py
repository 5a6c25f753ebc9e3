"""La llave del kiosco guardada en un archivo. Un TPM ocupará este mismo lugar (`nucleo.sobre.Firmante`)."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from appliance.falla import Falla
from nucleo.sobre import Tipo, firmar_con


class LlaveDeArchivo:
    """Firma con la llave P-256 de `llave.pem`, que sólo puede leer su dueño.

    Raises:
        Falla: LLAVE, si falta, está a la vista de otros o no es una llave privada P-256.
    """

    def __init__(self, ruta: Path, identidad: str) -> None:
        self._llave = _leer(ruta)
        self._identidad = identidad

    @property
    def identidad(self) -> str:
        return self._identidad

    def firmar(self, tipo: Tipo, carga: bytes) -> str:
        return firmar_con(self._llave, self._identidad, tipo, carga)

    def publica(self) -> ECKey:
        """La mitad pública, la que se inscribe en el padrón."""
        return ECKey.import_key(self._llave.as_dict(private=False))


def generar(ruta: Path) -> ECKey:
    """Crea una llave P-256 y la escribe en `ruta` con permisos 0600. Nunca pisa una existente.

    Raises:
        FileExistsError: si ya hay una llave ahí.
    """
    llave = ECKey.generate_key("P-256", private=True)
    descriptor = os.open(ruta, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as archivo:
        archivo.write(llave.as_pem(private=True))
        archivo.flush()
        os.fsync(archivo.fileno())
    return llave


def leer_publica(ruta: Path) -> ECKey:
    """Llave pública P-256 de un PEM, como `centro.pub.pem`.

    Raises:
        Falla: LLAVE, si falta o no es una llave P-256.
    """
    try:
        llave = ECKey.import_key(ruta.read_text())
    except (OSError, ValueError, JoseError) as error:
        raise _falla(f"No se pudo leer la llave pública {ruta}", _causa(error)) from error
    if llave.curve_name != "P-256":
        raise _falla(f"La llave {ruta} es de la curva {llave.curve_name}", "se copió otra llave")
    return llave


def _leer(ruta: Path) -> ECKey:
    try:
        # Se miran los permisos del archivo ya abierto: por nombre podrían cambiar entre mirar y leer.
        with ruta.open("rb") as archivo:
            permisos = stat.S_IMODE(os.fstat(archivo.fileno()).st_mode)
            pem = archivo.read(64 * 1024)
    except OSError as error:
        raise _falla(f"No se pudo leer la llave {ruta}", _causa(error)) from error
    if permisos & 0o077:
        raise Falla(
            "LLAVE",
            f"La llave {ruta} la pueden leer otras cuentas de este equipo (permisos {permisos:o})",
            "se copió sin conservar sus permisos",
            f"corra `chmod 600 {ruta}`; si el equipo lo usan otras personas, vuelva a inscribirlo",
        )
    try:
        llave = ECKey.import_key(pem)
    except (ValueError, JoseError) as error:
        raise _falla(f"La llave {ruta} no se entiende", _causa(error)) from error
    if llave.curve_name != "P-256" or not llave.is_private:
        raise _falla(f"{ruta} no es una llave privada P-256", "se copió otra llave o sólo su mitad pública")
    return llave


def _causa(error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return "el archivo no está: el kiosco no se ha inscrito o la carpeta es otra"
    if isinstance(error, PermissionError):
        return "la carpeta es de otra cuenta"
    return "el archivo está incompleto o es de otra cosa"


def _falla(que: str, causa: str) -> Falla:
    return Falla("LLAVE", que, causa, "revise la carpeta del kiosco o vuelva a inscribirlo con `./prep inscribir`")
