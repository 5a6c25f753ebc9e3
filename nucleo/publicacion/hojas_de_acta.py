"""Con qué se comprueba un acta sin bajar el registro: su hoja, los sobres que nombra y la llave de cada uno.

Va junto a la prueba del acta, fuera del corte. No es fuente de nada: son los mismos bytes que están en el registro y en
el padrón, reunidos, y cualquiera los vuelve a escribir iguales.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from nucleo.padron import LlaveInscrita, Padron
from nucleo.sobre import SobreInvalido, Tipo, abrir, quien_dice_ser
from nucleo.transparencia import hojas
from nucleo.transparencia.hojas import ActaPublicada

VERSION: Final = 1


def a_bytes(acta: ActaPublicada, sobres: Mapping[str, str], padron: Padron | None) -> bytes:
    """El `.hojas.json`, en su única forma.

    Los hechos reservados no van: la hoja sólo nombra los que ya son públicos.

    Args:
        sobres: huella → JWS compacto. El que falte no va, y quien compruebe dirá que falta.
        padron: con cuál se cuenta; `None` en un libro suelto, y entonces no hay llaves.
    """
    llaves: dict[str, Mapping[str, str]] = {}
    reunidos: list[dict[str, str]] = []
    for huella in acta.hojas:
        if huella not in sobres:
            continue
        inscrita = _llave_de(sobres[huella], padron)
        if inscrita is not None:
            llaves[inscrita.identificador] = inscrita.publica
        identificador = "" if inscrita is None else inscrita.identificador
        reunidos.append({"huella": huella, "llave": identificador, "sobre": sobres[huella]})
    dato: dict[str, Any] = {
        "v": VERSION,
        "hoja": hojas.escribir(acta).decode(),
        "padron": None if padron is None else {"version": padron.version, "huella": padron.huella},
        "llaves": llaves,
        "sobres": reunidos,
    }
    return json.dumps(dato, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode() + b"\n"


def _llave_de(sobre: str, padron: Padron | None) -> LlaveInscrita | None:
    """La llave inscrita con que se abre; `None` si el padrón ya no la tiene."""
    try:
        equipo = None if padron is None else padron.equipos.get(quien_dice_ser(sobre, Tipo.HECHO))
        if equipo is None:
            return None
        # Con una sola no hay qué probar: quien compruebe la firma dirá si no era ésa.
        return equipo.llaves[0] if len(equipo.llaves) == 1 else equipo.abrir(sobre, abrir)[1]
    except SobreInvalido:
        return None
