"""La orden `scanimage` de un lote: lo que llega de fuera nunca acaba siendo una opción suya."""

from __future__ import annotations

import re
from typing import Final

from appliance.escaneo.opciones import MEDIDAS, opcion_prohibida, variable_prohibida
from appliance.escaneo.puerto import Ajustes
from nucleo.problema import Rechazo

FORMATO: Final = "pnm"
"""Sin comprimir: una carta a 200 ppp en color tarda 50 ms en escribirse; en PNG, de 0.2 a 0.4 s."""
PREFIJO: Final = "h"

_NOMBRE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_+.-]{0,39}(?::.{1,160})?")
_ALIMENTADOR: Final = re.compile(r"adf|feeder|alimentador", re.IGNORECASE)
_FUENTE: Final = re.compile(r"--source=(.*)")


def nombre_valido(dispositivo: str) -> bool:
    """Si puede ser un nombre SANE (`fujitsu:fi-7160:1234`): sin controles y sin parecer una opción."""
    return dispositivo.isprintable() and _NOMBRE.fullmatch(dispositivo) is not None


def nombre_de_hoja(numero: int) -> str:
    """Como escribe `scanimage` la hoja con ese número."""
    return f"{PREFIJO}{numero:06d}.{FORMATO}"


def una_hoja(ajustes: Ajustes) -> bool:
    """Si se va a tomar una sola hoja."""
    if ajustes.una_hoja is not None:
        return ajustes.una_hoja
    fuentes = [m[1] for opcion in ajustes.opciones if (m := _FUENTE.fullmatch(opcion))]
    return not (fuentes and _ALIMENTADOR.search(fuentes[-1]))


def orden_de_lote(ajustes: Ajustes) -> list[str] | Rechazo:
    """Los argumentos de `scanimage`, o por qué esos ajustes no se pueden usar.

    Cada hoja se escribe en la carpeta de trabajo como `nombre_de_hoja(n)`; antes de cada una espera un renglón en su
    entrada.
    """
    if not nombre_valido(ajustes.dispositivo):
        return _invalido(f"{ajustes.dispositivo[:40]!r} no es el nombre de un escáner")
    anterior = ""
    for opcion in ajustes.opciones:
        if opcion_prohibida(anterior, opcion):
            return _invalido(f"{opcion[:40]!r} no es una opción del controlador")
        anterior = opcion
    if anterior in MEDIDAS:
        return _invalido(f"a {anterior} le falta su medida")
    for variable, valor in ajustes.entorno:
        if variable_prohibida(variable, valor):
            return _invalido(f"{variable[:40]!r} no es una variable del controlador")
    orden = ["scanimage", f"--device-name={ajustes.dispositivo}", f"--format={FORMATO}", "--progress"]
    # Sin la ruta de la carpeta: un «%» en ella sería otra plantilla. scanimage corre dentro.
    orden += [f"--batch={PREFIJO}%06d.{FORMATO}", "--batch-prompt"]
    if una_hoja(ajustes):
        orden.append("--batch-count=1")
    return [*orden, *ajustes.opciones]


def _invalido(que: str) -> Rechazo:
    return Rechazo(
        "AJUSTES",
        f"No se digitalizó: {que}",
        "el perfil del escáner no corresponde a este modelo, o el nombre no salió de la lista de aparatos",
        "elija el escáner de la lista; si sigue igual, avise al área técnica",
    )
