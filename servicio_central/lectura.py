"""Lee del almacén los hechos aceptados de una elección, en una sola transacción y sin estorbar a la ingesta.

Los hechos sólo se agregan: lo leído en el corte anterior sigue igual, así que cada corte lee sólo lo nuevo.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Hashable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from nucleo.hechos import Hecho, de_contenido, del_catd
from nucleo.sobre import leer_json
from servicio_central import almacenes
from servicio_central.puerto_almacen import Marca


@dataclass(frozen=True)
class Leidos:
    """Los hechos aceptados de una elección en un instante."""

    hechos: tuple[Hecho, ...]
    conjunto: str
    """SHA-256 de las huellas, ordenadas y separadas por saltos: dos centros con las mismas hojas dan lo mismo."""


@dataclass
class _Memoria:
    marca: Marca = field(default_factory=Marca)
    hechos: list[Hecho] = field(default_factory=list)
    huellas: list[str] = field(default_factory=list)


_recordados: dict[tuple[Hashable, str], _Memoria] = {}


def leer_hechos(carpeta: Path, eleccion: str) -> Leidos:
    """Hechos aceptados de esa elección en el almacén de la carpeta del centro.

    Las firmas no se vuelven a comprobar: se comprobaron al aceptarlos y el almacén sólo agrega. Quien no confíe en este
    centro las comprueba con `./prep auditar`.

    Raises:
        uno de `puerto_almacen.ERRORES`: si no hay almacén o no se puede leer.
    """
    with closing(almacenes.leer(carpeta)) as bd:
        bd.execute("BEGIN")
        clave = (bd.identidad, eleccion)
        memoria = _recordados.get(clave) or _Memoria()
        leido = bd.nuevos(eleccion, memoria.marca)
        if leido is None:
            memoria = _Memoria()
            leido = bd.nuevos(eleccion, memoria.marca) or ([], Marca())
    nuevos, marca = leido
    hechos = [_hecho_de(sobre) for _, sobre in nuevos]
    memoria.hechos += hechos
    memoria.huellas += [huella for huella, _ in nuevos]
    memoria.marca = marca
    _recordados[clave] = memoria
    conjunto = hashlib.sha256("".join(f"{h}\n" for h in sorted(memoria.huellas)).encode()).hexdigest()
    return Leidos(tuple(memoria.hechos), conjunto)


def _hecho_de(compacto: str) -> Hecho:
    carga = compacto.split(".")[1]
    sobre = leer_json(base64.urlsafe_b64decode(carga + "=" * (-len(carga) % 4)))
    return del_catd(de_contenido(sobre["contenido"]), str(sobre["catd"]))
