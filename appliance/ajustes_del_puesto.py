"""Cómo está armado este puesto: `puesto.toml` en la carpeta del kiosco y, sólo para ensayar, `mesa.json`.

Los dos son opcionales. Sin `puesto.toml` se usa lo que esté conectado; `mesa.json` lo escribe la mesa de pruebas y sólo
dice dónde escuchan sus aparatos: el programa que los maneja es el mismo.
"""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from appliance.falla import Falla
from appliance.memorias import RAICES
from nucleo.codigo_qr import FORMAS

ARCHIVO: Final = "puesto.toml"
MODOS_DE_MESA: Final = ("simulacro", "capacitacion")
"""En oficial no hay aparatos simulados."""

_COLA: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,60}")
_LLAVES: Final = {"exigir_imagen", "con_el_papel", "impresora", "servidor_impresora", "memorias", "formas_de_codigo"}


@dataclass(frozen=True)
class MesaDePruebas:
    """Dónde están los aparatos simulados."""

    sane_config_dir: Path
    escaner: str
    """Nombre SANE."""
    lector: str
    """Ruta de su tty; vacía si no hay."""
    memorias: Path | None = None
    """Carpeta cuyas subcarpetas hacen de memorias USB."""


@dataclass(frozen=True)
class AjustesDelPuesto:
    """Lo que dice `puesto.toml`."""

    exigir_imagen: bool | None = None
    """Si para capturar debe haber imagen; `None` es «si hay escáner al arrancar»."""
    con_el_papel: bool = False
    """Si coordinación puede permitir que se capture sin imagen cuando el escáner falla."""
    impresora: str = ""
    """Cola de CUPS; vacía, lo que se imprime queda en PDF."""
    servidor_impresora: str = ""
    memorias: tuple[Path, ...] = RAICES
    formas_de_codigo: tuple[str, ...] = FORMAS
    """Qué códigos identifican un acta, en el orden en que se prueban (`nucleo.codigo_qr`)."""
    mesa: MesaDePruebas | None = None


def leer_ajustes(carpeta: Path, modo: str, mesa: Path | None = None) -> AjustesDelPuesto:
    """Los ajustes del puesto de esa carpeta de kiosco.

    Args:
        modo: el del kiosco.
        mesa: el `mesa.json` de una mesa de pruebas, si se pidió.

    Raises:
        Falla: PUESTO, si un archivo no se entiende; MESA_DE_PRUEBAS, si se pidió en modo oficial.
    """
    if mesa is not None and modo not in MODOS_DE_MESA:
        raise Falla(
            "MESA_DE_PRUEBAS",
            "La mesa de pruebas sólo se admite en simulacro y capacitación",
            f"el kiosco se inscribió en modo {modo}",
            "arranque sin --mesa-de-pruebas y conecte un escáner de verdad",
        )
    ajustes = _de_toml(carpeta / ARCHIVO)
    return ajustes if mesa is None else replace(ajustes, mesa=_de_mesa(mesa))


def _de_toml(ruta: Path) -> AjustesDelPuesto:
    try:
        dato = tomllib.loads(ruta.read_text("utf-8"))
    except FileNotFoundError:
        return AjustesDelPuesto()
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise _falla(ruta, str(error)) from error
    if sobra := sorted(set(dato) - _LLAVES):
        raise _falla(ruta, f"no se conoce la llave «{sobra[0][:40]}»")
    exigir, papel = dato.get("exigir_imagen"), dato.get("con_el_papel", False)
    if not isinstance(exigir, bool | None) or not isinstance(papel, bool):
        raise _falla(ruta, "exigir_imagen y con_el_papel son true o false")
    cola, servidor = dato.get("impresora", ""), dato.get("servidor_impresora", "")
    if not isinstance(cola, str) or (cola and _COLA.fullmatch(cola) is None):
        raise _falla(ruta, "impresora no es el nombre de una cola de CUPS")
    if not isinstance(servidor, str) or not servidor.isprintable() or len(servidor) > 200:
        raise _falla(ruta, "servidor_impresora no es un texto corto")
    raices = dato.get("memorias", [str(r) for r in RAICES])
    if not isinstance(raices, list) or not all(isinstance(r, str) and _raiz_valida(r) for r in raices):
        raise _falla(ruta, "memorias es una lista de rutas absolutas, sin «..» y que no sea la raíz del disco")
    formas = dato.get("formas_de_codigo", list(FORMAS))
    if not isinstance(formas, list) or not formas or not all(f in FORMAS for f in formas):
        raise _falla(ruta, f"formas_de_codigo es una lista con una o más de: {', '.join(FORMAS)}")
    return AjustesDelPuesto(exigir, papel, cola, servidor, tuple(Path(r) for r in raices), tuple(formas))


def _de_mesa(ruta: Path) -> MesaDePruebas:
    try:
        dato = json.loads(ruta.read_text("utf-8"))
    except FileNotFoundError as error:
        raise Falla(
            "PUESTO",
            f"No existe {ruta}",
            "la mesa de pruebas no está corriendo, o se dio otra carpeta",
            "arránquela con `./prep mesa --carpeta DIR` y repita",
        ) from error
    except (OSError, ValueError, RecursionError) as error:
        raise _falla(ruta, str(error)) from error
    if not isinstance(dato, dict) or not all(isinstance(v, str) for v in dato.values()):
        raise _falla(ruta, "debe ser un objeto de textos")
    config, escaner = dato.get("sane_config_dir", ""), dato.get("escaner", "")
    if not Path(config).is_absolute() or not escaner:
        raise _falla(ruta, "le falta sane_config_dir (ruta absoluta) o escaner")
    memorias = dato.get("memorias", "")
    return MesaDePruebas(Path(config), escaner, dato.get("lector", ""), Path(memorias) if memorias else None)


def _raiz_valida(texto: str) -> bool:
    ruta = Path(texto)
    return ruta.is_absolute() and ".." not in ruta.parts and len(ruta.parts) > 1 and texto.isprintable()


def _falla(ruta: Path, que: str) -> Falla:
    return Falla(
        "PUESTO",
        f"{ruta} no sirve: {que}",
        "se editó a mano y quedó incompleto",
        "corríjalo o quítelo: sin él se usa lo que esté conectado",
    )
