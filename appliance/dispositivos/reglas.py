"""Las reglas udev del kiosco, escritas a partir de los perfiles: quién puede abrir cada aparato y cuál es su perfil.

Un número USB por renglón y cada número una sola vez. No se usa `uaccess`: el permiso es de un grupo, no de quien tenga
la sesión abierta.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

from appliance.dispositivos.perfil import Clase, IdUsb, ModoDeLector, Perfil
from appliance.dispositivos.perfiles import Perfiles
from appliance.falla import Falla
from nucleo.problema import Rechazo

NOMBRE: Final = "60-prep-catd.rules"
"""Después de 60-libsane1.rules en orden alfabético: ahí `libsane_matched` ya está puesta."""

GRUPO: Final = "prep-kiosco"
"""El grupo del usuario con que corren las pantallas, si no se dice otro."""

_GRUPO: Final = re.compile(r"[a-z_][a-z0-9_-]{0,30}")
_ESPERA_S: Final = 20.0
_FIN: Final = "prep_catd_fin"


def generar(perfiles: Perfiles, grupo: str = GRUPO) -> str:
    """El texto de `60-prep-catd.rules`. Los simulados nunca están.

    Raises:
        Falla: GRUPO, si ese nombre no es el de un grupo de Unix.
    """
    if not _GRUPO.fullmatch(grupo):
        causa = "tiene signos que un grupo de Unix no admite"
        raise Falla("GRUPO", f"No se puede usar el grupo {grupo[:40]!r}", causa, "use minúsculas, cifras, - y _")
    lineas = [
        "# Lo escribe `./prep catd reglas` a partir de firmware_scanners/*.toml. No se edita a mano.",
        f'ACTION=="remove", GOTO="{_FIN}"',
    ]
    for perfil in perfiles.todos:
        if perfil.usb and not perfil.simulado:
            lineas += ["", f"# {perfil.nombre}", *(_regla(perfil, numero, grupo) for numero in perfil.usb)]
    generico = perfiles.generico
    lineas += [
        "",
        f"# {generico.nombre}",
        'SUBSYSTEM=="usb", ENV{DEVTYPE}=="usb_device", ENV{PREP_PERFIL}=="", ENV{libsane_matched}=="yes", '
        + _asignar(generico, grupo),
        "",
        f'LABEL="{_FIN}"',
    ]
    return "\n".join(lineas) + "\n"


def verificar(texto: str) -> Rechazo | None:
    """Lo que `udevadm verify` objeta; `None` si nada, o si este sistema no lo trae (Debian 12: systemd 252)."""
    udevadm = shutil.which("udevadm") or shutil.which("udevadm", path="/usr/bin:/sbin:/usr/sbin")
    if udevadm is None:
        return None
    try:
        with tempfile.TemporaryDirectory() as carpeta:
            archivo = Path(carpeta) / NOMBRE
            archivo.write_text(texto, encoding="utf-8")
            orden = [udevadm, "verify", "--resolve-names=never", str(archivo)]
            hecho = subprocess.run(orden, capture_output=True, text=True, timeout=_ESPERA_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return _objetadas(str(error))
    salida = hecho.stderr + hecho.stdout
    if hecho.returncode == 0 or "Unknown command verb" in salida:
        return None
    return _objetadas(salida)


def _objetadas(salida: str) -> Rechazo:
    primero = next((r for r in salida.strip().splitlines() if r), "no dijo por qué")[:160]
    siguiente = "no las instale; avise al área técnica"
    return Rechazo("REGLAS", "udev no admite las reglas generadas", f"udevadm dijo «{primero}»", siguiente)


def _regla(perfil: Perfil, numero: IdUsb, grupo: str) -> str:
    if perfil.clase is not Clase.LECTOR:
        donde = f'SUBSYSTEM=="usb", ENV{{DEVTYPE}}=="usb_device", {_numero("ATTR", numero)}'
        return f"{donde}, {_asignar(perfil, grupo)}"
    if numero.modo is ModoDeLector.SERIE:
        # ModemManager abre todo puerto nuevo y le escribe órdenes de módem.
        donde = f'SUBSYSTEM=="tty", {_numero("ATTRS", numero)}'
        return f'{donde}, {_asignar(perfil, grupo)}, ENV{{ID_MM_DEVICE_IGNORE}}="1"'
    # Sin esto, un gafete leído se teclea en el campo que esté abierto.
    donde = f'SUBSYSTEM=="input", KERNEL=="event*", {_numero("ATTRS", numero)}'
    return f'{donde}, {_asignar(perfil, grupo)}, ENV{{LIBINPUT_IGNORE_DEVICE}}="1"'


def _numero(llave: str, numero: IdUsb) -> str:
    return f'{llave}{{idVendor}}=="{numero.vid}", {llave}{{idProduct}}=="{numero.pid}"'


def _asignar(perfil: Perfil, grupo: str) -> str:
    return f'MODE="0660", GROUP="{grupo}", ENV{{PREP_PERFIL}}="{perfil.clave}", ENV{{PREP_CLASE}}="{perfil.clase}"'
