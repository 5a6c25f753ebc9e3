"""Las mochilas que se trajeron en mano: los informes de lo importado y lo que aún espera en el buzón.

Lee lo que `./prep importar` y el centro dejaron en `mochilas/`. Un informe dañado o de otra versión no quita a los
demás: se dice que no se entiende.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from servicio_central.buzon import CARPETA, es_entrega
from servicio_central.ingesta import Destino

_TOPE: Final = 1_000_000
"""Bytes de un informe que se leen: más grande no lo escribió el centro."""

_CUANTOS: Final = 400
_EQUIPO: Final = re.compile(r"[a-z0-9][a-z0-9\-]{0,38}")
COMO_ENTRO: Final = ("entró completa", "entró en parte", "no se importó")
_BUENOS: Final = frozenset({Destino.ACEPTADO.value, Destino.REPETIDO.value})


@dataclass(frozen=True, slots=True)
class MochilaVista:
    """Una entrega. `importada` es `None` si el informe no lo dice."""

    entrega: str
    equipo: str
    importada: datetime | None
    sobres: int
    nuevos: int
    repetidos: int
    rechazados: int
    porques: tuple[tuple[str, int], ...]
    """(código, cuántos) de lo que no se aceptó."""
    imagenes: int
    imagenes_nuevas: int
    imagenes_repetidas: int
    imagenes_malas: int
    """Las que ningún hecho nombra y los archivos que no se pudieron abrir."""
    entera: bool
    """Si ya nada de lo que trae hace falta."""
    mal: str = ""
    """Por qué no se importó, en palabras; vacío si se importó."""
    texto: str = ""

    @property
    def como(self) -> str:
        return COMO_ENTRO[2 if self.mal else 0 if self.entera else 1]


@dataclass(frozen=True, slots=True)
class Mochilas:
    """Las de la noche, la más reciente primero, y las entregas que esperan en el buzón."""

    vistas: tuple[MochilaVista, ...] = ()
    esperan: tuple[str, ...] = ()
    ajenos: tuple[str, ...] = ()
    """Lo que alguien dejó en el buzón y el centro nunca tomará: no es una entrega."""

    def de(self, equipo: str) -> tuple[MochilaVista, ...]:
        return tuple(m for m in self.vistas if m.equipo == equipo)

    def esperan_de(self, equipo: str) -> int:
        """Cuántas suyas siguen en el buzón: el nombre de una entrega es «equipo-huella-azar»."""
        return sum(e.rsplit("-", 2)[0] == equipo for e in self.esperan)


class Mirador:
    """Uno por hilo: recuerda los informes ya leídos, que no cambian."""

    def __init__(self, carpeta: Path) -> None:
        self._raiz = carpeta / CARPETA
        self._leidos: dict[str, tuple[tuple[int, int], MochilaVista]] = {}
        self._marca: object = None
        self._ultimas = Mochilas()

    def marca(self) -> object:
        """Distinta si llegó, se importó o se quitó alguna."""
        return tuple(_instante(self._raiz / x) for x in ("informes", "entrada"))

    def mirar(self) -> Mochilas:
        """Nunca lanza: sin carpeta, ninguna."""
        marca = self.marca()
        if marca == self._marca:
            return self._ultimas
        self._marca = marca
        vistas = [v for ruta in self._informes() if (v := self._una(ruta)) is not None]
        vistas.sort(key=lambda m: (m.importada or datetime.min.replace(tzinfo=UTC), m.entrega), reverse=True)
        self._ultimas = Mochilas(tuple(vistas[:_CUANTOS]), *self._buzon())
        return self._ultimas

    def _informes(self) -> list[Path]:
        try:
            return sorted((self._raiz / "informes").glob("[!.]*.json"))
        except OSError:
            return []

    def _buzon(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Las entregas que esperan y lo que no es una entrega."""
        try:
            hay = [r for r in (self._raiz / "entrada").iterdir() if not r.name.startswith(".")]
        except OSError:
            return (), ()
        # Lo que alguien dejó a mano puede llamarse como sea, hasta con bytes que no son UTF-8 ni se pueden pintar.
        ajenos = ("".join(c if c.isprintable() else "?" for c in r.name)[:120] for r in hay if not es_entrega(r))
        return tuple(sorted(r.name for r in hay if es_entrega(r))), tuple(sorted(ajenos))

    def _una(self, ruta: Path) -> MochilaVista | None:
        try:
            dato = ruta.stat()
            marca = (dato.st_mtime_ns, dato.st_size)
            visto = self._leidos.get(ruta.name)
            if visto is None or visto[0] != marca:
                crudo = ruta.read_bytes() if dato.st_size <= _TOPE else b""
                visto = (marca, leer(ruta.stem, crudo))
                self._leidos[ruta.name] = visto
            return visto[1]
        except OSError:
            return None


def leer(entrega: str, crudo: bytes) -> MochilaVista:
    """Un informe; si no se entiende, se dice y ya. Nunca lanza."""
    try:
        dato = json.loads(crudo)
        if not isinstance(dato, dict):
            raise ValueError
        return _leer(entrega, dato)
    except (AttributeError, ValueError, KeyError, TypeError, RecursionError):
        mal = "el informe no se entiende: está dañado o es de otra versión"
        return MochilaVista(entrega, "", None, 0, 0, 0, 0, (), 0, 0, 0, 0, False, mal)


def _leer(entrega: str, d: Mapping[str, Any]) -> MochilaVista:
    destinos = {_texto(k): _entero(v) for k, v in d["destinos"].items()}
    codigos = {_texto(k): _entero(v) for k, v in d["codigos"].items()}
    rechazo = d["rechazo"]
    importada = datetime.fromisoformat(_texto(d["importada"]))
    # Una hora del año 1 no se puede pasar al huso de la entidad.
    if importada.tzinfo is None or not 2000 <= importada.year < 9000 or not isinstance(d["archivos_malos"], dict):
        raise ValueError
    equipo = _texto(d["equipo"])
    return MochilaVista(
        entrega=entrega,
        equipo=equipo if _EQUIPO.fullmatch(equipo) else "",
        importada=importada,
        sobres=_entero(d["sobres"]),
        nuevos=destinos.get(Destino.ACEPTADO.value, 0),
        repetidos=destinos.get(Destino.REPETIDO.value, 0),
        rechazados=sum(n for destino, n in destinos.items() if destino not in _BUENOS),
        porques=tuple(sorted(codigos.items())),
        imagenes=_entero(d["imagenes"]),
        imagenes_nuevas=_entero(d["imagenes_nuevas"]),
        imagenes_repetidas=_entero(d["imagenes_que_estaban"]),
        imagenes_malas=_entero(d["imagenes_ajenas"]) + len(d["archivos_malos"]),
        entera=d["absorbida"] is True,
        mal="" if rechazo is None else f"{_frase(_texto(rechazo['que']))}. {_frase(_texto(rechazo['siguiente']))}",
        texto=_texto(d["texto"]),
    )


def _frase(texto: str) -> str:
    return texto[:1].upper() + texto[1:]


def _texto(x: object) -> str:
    if not isinstance(x, str):
        raise TypeError
    # Medio sustituto de UTF-16 cabe en un JSON y en ninguna página.
    x.encode("utf-8")
    return x


def _entero(x: object) -> int:
    if type(x) is not int or not 0 <= x < 2**53:
        raise ValueError
    return x


def _instante(ruta: Path) -> int:
    try:
        return ruta.stat().st_mtime_ns
    except OSError:
        return 0
