"""Un corte ya hecho, como lo dice su `resumen.json`: para contestarle a quien lo pidió y no hacerlo otra vez."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from nucleo.computo import Resumen
from nucleo.eleccion import Proceso
from nucleo.padron import Padron
from nucleo.publicacion import fichas
from nucleo.publicacion.armado import Armador
from nucleo.publicacion.json_publico import piezas
from nucleo.transparencia.hojas import CortePublicado
from servicio_central import publicado
from servicio_central.tropiezo import Tropiezo


@dataclass(frozen=True)
class Corte:
    """Un corte ya hecho, de una elección."""

    eleccion: str
    hora: datetime
    ultimo: bool
    carpeta: Path
    """`cortes/AAAAMMDD_HHMM`."""
    zip: Path
    """Base de datos oficial."""
    resumen: Resumen
    hechos: int
    """Los que cuentan."""
    conjunto: str
    """SHA-256 de las huellas de los hechos que cuentan, ordenadas y separadas por saltos: dos centros con las mismas
    hojas y el mismo padrón dan lo mismo."""
    aviso: str = field(default="", compare=False)
    """Lo inesperado al publicarlo, para decirlo a quien lo pidió; vacío si quedó publicado sin más."""


def exigir_igual(destino: Path, armador: Armador, padron: Padron | None, ultimo: bool) -> None:
    """Que el corte que ya está sea de estos mismos hechos. Raises: Tropiezo, CORTE_EXISTENTE, si no."""
    dato = publicado.leer_resumen(destino)
    suyos = {e: (d["hechos"], d["conjunto"]) for e, d in dato["elecciones"].items()}
    conjuntos = {clave: armador.conjunto(clave) for clave in armador.proceso.elecciones}
    igual = (dato["definicion"], dato["corte"]["ultimo"]) == (armador.proceso.huella, ultimo)
    if not igual or suyos != conjuntos or dato["padron"] != piezas.padron(padron):
        raise Tropiezo(
            "CORTE_EXISTENTE",
            f"ya hay un corte {destino.name} y sus datos son otros",
            "llegaron hechos después de publicarlo",
            "un corte publicado no cambia: haga otro con la hora siguiente",
        )


def anterior(centro: Path, ultimo: CortePublicado | None) -> tuple[fichas.Corte | None, dict[str, Resumen]]:
    """El corte con que se compara el siguiente, y sus trece datos por elección. Raises: OSError o ValueError."""
    if ultimo is None:
        return None, {}
    dato = publicado.leer_resumen(centro / publicado.CORTES / ultimo.corte)["elecciones"]
    return fichas.Corte(ultimo.corte, ultimo.hora, ultimo.ultimo), {
        e: _resumen(d, ultimo.ultimo) for e, d in dato.items()
    }


def cortes(
    destino: Path,
    hora: datetime,
    ultimo: bool,
    proceso: Proceso,
    aviso: str,
) -> dict[str, Corte]:
    """Lo que ese corte dice de cada elección."""
    dato = publicado.leer_resumen(destino)["elecciones"]
    return {
        clave: Corte(
            clave,
            hora,
            ultimo,
            destino,
            destino / dato[clave]["base_de_datos"]["archivo"],
            _resumen(dato[clave], ultimo),
            dato[clave]["hechos"],
            dato[clave]["conjunto"],
            aviso,
        )
        for clave in proceso.elecciones
    }


def _resumen(dato: dict[str, Any], ultimo: bool) -> Resumen:
    actas, votos = dato["actas"], dato["votos"]
    return Resumen(
        actas["esperadas"],
        actas["fuera_catalogo"],
        actas["contabilizadas"],
        actas["no_contabilizadas"],
        actas["inconsistentes"],
        dato["lista_nominal"]["parte"],
        votos["con_especiales"],
        votos["sin_especiales"],
        ultimo,
    )
