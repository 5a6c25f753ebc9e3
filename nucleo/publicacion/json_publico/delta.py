"""`delta.json`: qué cambió de un corte al siguiente, para quien ya tenía el anterior."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nucleo.computo import Resumen
from nucleo.publicacion import rutas
from nucleo.publicacion.armado import Cambios
from nucleo.publicacion.fichas import Corte, FichaProceso
from nucleo.publicacion.json_publico import piezas


def entre(
    anterior: Corte | None, antes: Mapping[str, Resumen], ahora: FichaProceso, cambios: Cambios
) -> dict[str, Any]:
    """El delta entre dos cortes.

    Args:
        anterior: el corte que ya se había publicado; `None` si éste es el primero.
        antes: elección → sus trece datos en ese corte; vacío si no hubo.
        cambios: los que dio `Armador.cortar` al hacer el de ahora.
    """
    proceso = ahora.proceso
    return {
        "v": piezas.VERSION,
        "proceso": proceso.clave,
        "modo": proceso.modo,
        "definicion": proceso.huella,
        "corte": piezas.corte(ahora.corte, proceso),
        "anterior": piezas.corte_o_nada(anterior, proceso),
        "elecciones": {
            e.eleccion.clave: {
                "antes": antes[e.eleccion.clave].oficial() if e.eleccion.clave in antes else None,
                "ahora": e.parcial.resumen(ahora.corte.ultimo).oficial(),
            }
            for e in ahora.elecciones
        },
        "actas": [
            {
                "eleccion": acta.eleccion,
                "casilla": acta.casilla,
                "seccion": int(acta.casilla[2:6]),
                "ruta": f"{rutas.acta_por_id(acta)}.json",
                "ruta_seccion": f"{rutas.seccion(acta.eleccion, int(acta.casilla[2:6]))}.json",
            }
            for acta in cambios.actas
        ],
    }
