"""Lee del almacén los hechos aceptados de una elección, en una sola transacción y sin estorbar a la ingesta.

Los hechos sólo se agregan: lo leído en el corte anterior sigue igual, así que cada corte lee sólo lo nuevo.
"""

from __future__ import annotations

import base64
import hashlib
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from nucleo.hechos import Hecho, de_contenido, del_catd
from nucleo.sobre import leer_json
from servicio_central import ajustes, almacen


@dataclass(frozen=True)
class Leidos:
    """Los hechos aceptados de una elección en un instante."""

    hechos: tuple[Hecho, ...]
    conjunto: str
    """SHA-256 de las huellas, ordenadas y separadas por saltos: dos centros con las mismas hojas dan lo mismo."""


@dataclass
class _Memoria:
    posicion: int = 0
    ultima: str = ""
    hechos: list[Hecho] = field(default_factory=list)
    huellas: list[str] = field(default_factory=list)


_recordados: dict[tuple[int, int, str], _Memoria] = {}


def leer_hechos(carpeta: Path, eleccion: str) -> Leidos:
    """Hechos aceptados de esa elección en el almacén de la carpeta del centro.

    Las firmas no se vuelven a comprobar: se comprobaron al aceptarlos y el almacén sólo agrega. Quien no confíe en este
    centro las comprueba con `./prep auditar`.

    Raises:
        sqlite3.Error: si no hay almacén o no se puede leer.
    """
    ruta = carpeta / ajustes.ALMACEN
    with closing(almacen.leer(ruta)) as bd:
        bd.execute("BEGIN")
        archivo = ruta.stat()
        clave = (archivo.st_dev, archivo.st_ino, eleccion)
        memoria = _recordados.get(clave) or _Memoria()
        if memoria.posicion:
            fila = bd.execute("SELECT huella FROM hechos WHERE posicion = ?", (memoria.posicion,)).fetchone()
            if fila is None or fila[0] != memoria.ultima:
                memoria = _Memoria()  # el sistema de archivos reutilizó el inodo: es otro almacén
        for posicion, huella, sobre in bd.execute(
            "SELECT posicion, huella, sobre FROM hechos WHERE posicion > ? AND eleccion = ? ORDER BY posicion",
            (memoria.posicion, eleccion),
        ):
            memoria.hechos.append(_hecho_de(sobre))
            memoria.huellas.append(huella)
            memoria.posicion, memoria.ultima = posicion, huella
        _recordados[clave] = memoria
    conjunto = hashlib.sha256("".join(f"{h}\n" for h in sorted(memoria.huellas)).encode()).hexdigest()
    return Leidos(tuple(memoria.hechos), conjunto)


def _hecho_de(compacto: str) -> Hecho:
    carga = compacto.split(".")[1]
    sobre = leer_json(base64.urlsafe_b64decode(carga + "=" * (-len(carga) % 4)))
    return del_catd(de_contenido(sobre["contenido"]), str(sobre["catd"]))
