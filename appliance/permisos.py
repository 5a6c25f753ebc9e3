"""Que sólo la cuenta del kiosco pueda leer su carpeta y su almacén."""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path

from appliance.consola import decir
from appliance.falla import Falla


def nacer_reservado(ruta: Path) -> None:
    """Crea el archivo vacío con permisos 0600 si no existe; si existe, no lo abre.

    No falla: si no se pudo crear, lo dirá quien lo abra.
    """
    # Abrir y cerrar un almacén que ya se usa soltaría los candados POSIX que SQLite tiene sobre él en este proceso.
    with contextlib.suppress(OSError):
        os.close(os.open(ruta, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))


def reservar(*rutas: Path) -> None:
    """Quita a las demás cuentas todo permiso sobre lo que exista de `rutas`, y lo dice.

    Raises:
        Falla: PERMISOS, si otras cuentas pueden leerlo y no se les pudo quitar.
    """
    for ruta in rutas:
        try:
            permisos = stat.S_IMODE(ruta.stat().st_mode)
            if permisos & 0o077:
                ruta.chmod(permisos & 0o700)
                decir(
                    f"{ruta} estaba a la vista de otras cuentas de este equipo (permisos {permisos:o}); ya no. "
                    "Causa probable: se copió sin conservar sus permisos. "
                    "Siguiente paso: si el equipo lo usan otras personas, avise al área técnica."
                )
        except FileNotFoundError:
            continue
        except OSError as error:
            raise Falla(
                "PERMISOS",
                f"No se pudo quitar de la vista de otras cuentas {ruta} ({error.strerror})",
                "es de otra cuenta o el disco quedó de sólo lectura",
                f"con la cuenta dueña corra `chmod go-rwx {ruta}` y vuelva a arrancar",
            ) from error
