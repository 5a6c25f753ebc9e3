"""La definición vigente: la última que el centro aceptó, copiada en su carpeta (`definicion/`).

El corte usa esta copia y no la carpeta que alguien puede estar editando: con una definición sin los renglones que ya se
capturaron no saldría ningún corte. Por lo mismo, una definición así no se acepta. Cada versión aceptada se conserva en
`definiciones/`, con su huella por nombre.
"""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Final

from nucleo.definicion import cargar_proceso
from nucleo.definicion.carpeta import nombres_de_formatos
from nucleo.eleccion import Proceso
from nucleo.padron import Padron
from servicio_central import ajustes, almacenes, disco
from servicio_central.juicio import Juez
from servicio_central.lectura import leer_aceptados
from servicio_central.tropiezo import Tropiezo

COPIA: Final = "definicion"
"""Enlace a la versión vigente."""

_VERSIONES: Final = "definiciones"
_A_MEDIAS: Final = ".a-medias"
"""Lo que se está copiando. Siempre el mismo nombre: lo que deje un centro al que mataron, el siguiente lo quita."""


def leer(carpeta: Path) -> Proceso:
    """La definición con que se hacen los cortes: la copia vigente o, si el centro nunca ha arrancado, la inscrita.

    Raises:
        Tropiezo: si no hay centro en esa carpeta.
        DefinicionInvalida: si no se puede usar.
    """
    donde = ajustes.leer(carpeta)
    copia = carpeta / COPIA
    return replace(cargar_proceso(copia if copia.exists() else donde.proceso), modo=donde.modo)


def cual(carpeta: Path) -> str:
    """Con qué empieza la huella de la vigente; vacío si el centro nunca ha arrancado."""
    enlace = carpeta / COPIA
    return enlace.readlink().name if enlace.is_symlink() else ""


def adoptar(carpeta: Path, origen: Path, modo: str, clave: str) -> Proceso:
    """Lee la definición de `origen`, comprueba que con ella valga todo lo ya aceptado y la deja vigente.

    Args:
        clave: el proceso de este centro.

    Raises:
        DefinicionInvalida: si tiene errores. OSError si no se pudo copiar.
        Tropiezo: DEFINICION_AJENA, si es de otro proceso; DEFINICION_INCOMPATIBLE, si algún hecho aceptado quedaría
        sin lugar.
        uno de `puerto_almacen.ERRORES`: si el almacén no se puede leer.
    """
    proceso = replace(cargar_proceso(origen), modo=modo)
    if proceso.clave != clave:
        raise Tropiezo(
            "DEFINICION_AJENA",
            f"la definición es de {proceso.clave} y este centro es de {clave}",
            "se copió la de otro proceso",
            "deje en su lugar la que corresponde",
        )
    version = carpeta / _VERSIONES / proceso.huella[:16]
    enlace = carpeta / COPIA
    if enlace.is_symlink() and enlace.readlink().name == version.name and version.is_dir():
        return proceso
    objecion = _objecion(carpeta, proceso)
    if objecion:
        raise Tropiezo(
            "DEFINICION_INCOMPATIBLE",
            f"con esta definición ya no vale un hecho aceptado: {objecion}",
            "se quitó o se agregó una coalición, candidatura, casilla o elección después de empezar a capturar",
            "devuelva la definición a como estaba; lo ya capturado no cambia",
        )
    if not version.is_dir():
        _copiar(origen, version, proceso.huella)
    provisional = carpeta / f".{COPIA}"
    provisional.unlink(missing_ok=True)
    provisional.symlink_to(f"{_VERSIONES}/{version.name}")
    provisional.replace(enlace)
    disco.sincronizar(carpeta)
    return proceso


def archivos(carpeta: Path) -> list[Path]:
    """Los archivos de una definición, en orden: los de la carpeta y los de `formatos/`."""
    sueltos = sorted(r for r in carpeta.glob("*") if r.suffix in (".toml", ".csv", ".gz"))
    return sueltos + [carpeta / nombre for nombre in nombres_de_formatos(carpeta)]


def _objecion(carpeta: Path, proceso: Proceso) -> str:
    """Por qué algún hecho aceptado no cabe en esa definición; vacío si caben todos."""
    if not almacenes.hay(carpeta):
        return ""
    with closing(almacenes.leer(carpeta)) as bd:
        try:
            elecciones = [str(e) for (e,) in bd.execute("SELECT DISTINCT eleccion FROM hechos ORDER BY eleccion")]
        except sqlite3.OperationalError as error:
            if "no such table" in str(error):
                return ""  # un almacén recién creado, todavía sin tablas
            raise
    juez = Juez(proceso, Padron(proceso.clave, proceso.modo, 0, {}), proceso.modo)
    objeciones = (juez.objecion(h) for eleccion in elecciones for h in leer_aceptados(carpeta, eleccion))
    return next((o for o in objeciones if o), "")


def _copiar(origen: Path, version: Path, huella: str) -> None:
    provisional = version.with_name(_A_MEDIAS)
    shutil.rmtree(provisional, ignore_errors=True)
    disco.carpeta_privada(version.parent)
    try:
        provisional.mkdir(mode=0o700)
        for ruta in archivos(origen):
            copia = provisional / ruta.relative_to(origen)
            copia.parent.mkdir(mode=0o700, exist_ok=True)
            disco.crear(copia, ruta.read_bytes())
        if cargar_proceso(provisional).huella != huella:
            raise OSError(f"{origen} cambió mientras se copiaba")
        provisional.rename(version)
    except BaseException:
        shutil.rmtree(provisional, ignore_errors=True)
        raise
    disco.sincronizar(version.parent)
