"""Con qué definición cuenta el centro: la última que firmó la autoridad o, mientras no haya ninguna, la de su carpeta.

Los kioscos toman la firmada; si el centro contara con otra, lo que asienten podría no caber. Por eso la adopta él
primero, y no la reparte mientras no la haya adoptado. Nada de lo que impida adoptarla detiene al centro: quien llama
sigue con la que tenía y lo dice.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

from nucleo.definicion import DefinicionInvalida
from nucleo.eleccion import Proceso
from nucleo.paquete import DefinicionFirmada, abrir_paquete
from servicio_central import disco, firma_de_definicion, vigente
from servicio_central.firmante import leer_publica
from servicio_central.tropiezo import Tropiezo

CODIGO: Final = "DEFINICION_FIRMADA"
"""De todo `Tropiezo` por el que no se adopta la firmada."""


def adoptar(carpeta: Path, origen: Path, modo: str, clave: str) -> Proceso:
    """Deja vigente la definición que toca y la devuelve.

    Args:
        origen: la carpeta de `centro.toml`, que sólo cuenta mientras la autoridad no firme ninguna.

    Raises:
        Tropiezo: `CODIGO`, si la firmada no se puede usar; lo demás, como `vigente.adoptar`.
    """
    hay, ya = _ultima(carpeta), firma_de_definicion.adoptada(carpeta)
    if hay is None and not ya:
        return vigente.adoptar(carpeta, origen, modo, clave)
    if hay is None or hay[0].version < ya:
        raise _mal(
            f"ya se adoptó la definición firmada {ya} y la más nueva que hay es la {hay[0].version if hay else 0}",
            f"se borró o se dañó un archivo de {carpeta / firma_de_definicion.CARPETA}",
            "copie ahí otra vez el que dejó la autoridad",
        )
    firmada, datos = hay
    proceso = _la_firmada(carpeta, firmada, datos, modo, clave)
    if firmada.version > ya:
        ruta = carpeta / firma_de_definicion.CARPETA / firma_de_definicion.ADOPTADA
        disco.escribir(ruta, f"{firmada.version}\n".encode(), 0o600)
    return proceso


def manda_la_firmada(carpeta: Path) -> bool:
    """Si la autoridad ya firmó alguna y el centro la adoptó: lo que diga la carpeta ya no cuenta."""
    return firma_de_definicion.adoptada(carpeta) > 0


def falta(carpeta: Path) -> bool:
    """Si hay una firmada que aún no se adopta, o no se puede saber."""
    try:
        hay = _ultima(carpeta)
        return hay is not None and hay[0].version > firma_de_definicion.adoptada(carpeta)
    except (OSError, Tropiezo):
        return True


def exigir_adoptada(carpeta: Path, firmada: DefinicionFirmada) -> None:
    """Antes de repartirla. Un centro que nunca ha arrancado todavía no cuenta con ninguna.

    Raises:
        Tropiezo: `CODIGO`, si el centro cuenta con otra.
    """
    propia = vigente.cual(carpeta)
    if propia and not firmada.huella.startswith(propia):
        raise _mal(
            f"no se reparte la definición {firmada.version} ({firmada.huella[:12]}): este centro usa {propia[:12]}",
            "apenas se copió y aún no la adopta, o en ella ya no cabe algo aceptado (lo dice la bitácora del centro)",
            "repita en un momento; si sigue, que la autoridad firme otra en la que quepa todo lo aceptado",
        )


def _la_firmada(carpeta: Path, firmada: DefinicionFirmada, datos: bytes, modo: str, clave: str) -> Proceso:
    if (firmada.proceso, firmada.modo) != (clave, modo):
        raise _mal(
            f"la definición firmada {firmada.version} es de {firmada.modo}/{firmada.proceso}, no de {modo}/{clave}",
            "se copió la de otro centro",
            f"quítela de {carpeta / firma_de_definicion.CARPETA} y deje la que corresponde",
        )
    _, archivos = abrir_paquete(datos, leer_publica(carpeta / "autoridad.pub.pem"))
    # Sólo la abre quien tiene el candado del centro: con otro nombre cada vez, lo de un centro muerto ahí se quedaría.
    abierta = carpeta / ".firmada"
    for resto in carpeta.glob(f"{abierta.name}*"):
        shutil.rmtree(resto, ignore_errors=True)
    try:
        for nombre, contenido in archivos.items():
            ruta = abierta / nombre
            ruta.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            ruta.write_bytes(contenido)
        return vigente.adoptar(carpeta, abierta, modo, clave)
    except (DefinicionInvalida, Tropiezo) as error:
        raise _mal(
            f"la definición firmada {firmada.version} no se puede usar ({error})",
            "no cabe en ella algo ya aceptado, o este programa es anterior y no la entiende",
            "que la autoridad firme otra; mientras, se cuenta con la de antes y no se reparte ésta",
        ) from error
    finally:
        shutil.rmtree(abierta, ignore_errors=True)


def _ultima(carpeta: Path) -> tuple[DefinicionFirmada, bytes] | None:
    try:
        return firma_de_definicion.ultima(carpeta)
    except OSError as error:
        raise _mal(
            f"no se puede leer la definición firmada ({error})",
            "el archivo se copió con otro dueño o sin permiso, o falla el disco",
            "cópielo otra vez con la cuenta del centro",
        ) from error


def _mal(que: str, causa: str, siguiente: str) -> Tropiezo:
    return Tropiezo(CODIGO, que, causa, siguiente)
