"""El mapa de una elección: quién va adelante en cada división, con letra y cifra además de color."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import Final

from nucleo.publicacion.fichas import FichaDivision, FichaEleccion
from servicio_central.sitio import cifras, palabras, rutas
from servicio_central.sitio.cartograma import panal
from servicio_central.sitio.competidoras import Competidora, competidora, todas
from servicio_central.sitio.contexto import Contexto
from servicio_central.sitio.geografia import Geografia

DEMASIADAS: Final = 130
"""Más divisiones no caben en una página ligera: el mapa va en su archivo y la página lo enlaza."""
_CON_NOMBRE: Final = 60
"""Con más teselas el nombre no se leería: sólo va el número."""
_LETRAS: Final = 12
_ENLACES: Final = ("de", "del", "la", "las", "los", "el", "y")


Lugar = tuple[int, int, str, bool]
"""Centro, contorno (vacío si es un hexágono) y si cabe el rótulo."""


@dataclass(frozen=True, slots=True)
class Tesela:
    """Una división en el dibujo."""

    numero: str
    nombre: tuple[str, ...]
    """Hasta dos renglones."""
    letra: str
    """De quien va adelante; `=` si hay empate, vacía si no hay votos."""
    clase: str
    color: str
    pocas: bool
    """Menos de la mitad de sus actas: se dibuja sólo el contorno."""
    titulo: str
    ruta: str
    x: int
    y: int
    trazo: str
    """Vacío si es un hexágono."""
    rotulo: bool
    """Si en su contorno cabe el número y la letra."""


@dataclass(frozen=True, slots=True)
class Mapa:
    """El dibujo y su leyenda, en unidades del dibujo."""

    ancho: int
    alto: int
    geografico: bool
    division: str
    teselas: tuple[Tesela, ...]
    adelante: tuple[tuple[Competidora, int], ...]
    """Quien va adelante en alguna división, y en cuántas, de más a menos."""
    empates: int
    sin_votos: int
    pocas: int

    @property
    def cabe(self) -> bool:
        return len(self.teselas) <= DEMASIADAS


def cartograma_de(f: FichaEleccion) -> Mapa:
    """Dibuja todas las divisiones con clave; las mesas sin división no son un lugar y no van en el mapa."""
    dibujo = panal(len(_divisiones(f)))
    return _mapa(f, dibujo.ancho, dibujo.alto, [(x, y, "", True) for x, y in dibujo.centros], geografico=False)


def mapa_de(f: FichaEleccion, contexto: Contexto) -> Mapa | None:
    """Lo mismo sobre los contornos que trae la definición; `None` si no los trae.

    Tampoco si falta alguno: haría desaparecer a una división. En los contornos chicos no cabe el rótulo; por eso va
    siempre junto al cartograma, donde cabe en todos.
    """
    geografia = contexto.geografia(f.eleccion)
    if geografia is None or not all(d.clave in geografia.trazos for d in _divisiones(f)):
        return None
    lugares = [_en_geografia(geografia, d.clave or 0) for d in _divisiones(f)]
    return _mapa(f, geografia.ancho, geografia.alto, lugares, geografico=True)


def _divisiones(f: FichaEleccion) -> list[FichaDivision]:
    return [d for d in f.divisiones if d.clave is not None]


def _mapa(f: FichaEleccion, ancho: int, alto: int, lugares: Sequence[Lugar], *, geografico: bool) -> Mapa:
    divisiones = _divisiones(f)
    teselas = tuple(
        _tesela(d, f, lugar, not geografico and len(divisiones) <= _CON_NOMBRE)
        for d, lugar in zip(divisiones, lugares, strict=True)
    )
    solas = Counter(d.adelante[0] for d in divisiones if len(d.adelante) == 1)
    orden = {clave: lugar for lugar, clave in enumerate(todas(f.eleccion))}
    adelante = sorted(solas.items(), key=lambda par: (-par[1], orden.get(par[0], 0)))
    return Mapa(
        ancho,
        alto,
        geografico,
        palabras.division(f.eleccion),
        teselas,
        tuple((competidora(clave, f.eleccion), n) for clave, n in adelante),
        sum(len(d.adelante) > 1 for d in divisiones),
        sum(not d.adelante for d in divisiones),
        sum(t.pocas for t in teselas),
    )


def _en_geografia(geografia: Geografia, clave: int) -> Lugar:
    return (*geografia.centros[clave], geografia.trazos[clave], clave in geografia.holgadas)


def _tesela(d: FichaDivision, f: FichaEleccion, lugar: Lugar, con_nombre: bool) -> Tesela:
    p = d.parcial
    quienes = [competidora(clave, f.eleccion) for clave in d.adelante]
    if not quienes:
        letra, clase, color, dicho = "", "k0", "#fff", "todavía sin votos"
    elif len(quienes) > 1:
        letra, clase, color = "=", "ke", "#fff"
        dicho = f"empate entre {cifras.enumerar([q.nombre for q in quienes])}"
    else:
        (quien,) = quienes
        letra, clase, color, dicho = quien.letra, quien.clase, quien.color, f"adelante {quien.letra}, {quien.nombre}"
    nombre = cifras.nombre_propio(d.nombre)
    titulo = palabras.titulo_de_division(f.eleccion, d.clave, nombre)
    return Tesela(
        str(d.clave),
        _corto(nombre) if con_nombre and nombre in titulo.partition(", ")[2] else (),
        letra,
        clase,
        color,
        bool(quienes) and 2 * p.contabilizadas < p.esperadas,
        f"{titulo}: {dicho}; {p.contabilizadas:,} de {cifras.cuenta(p.esperadas, 'acta')}",
        rutas.division(f.eleccion, d.clave),
        *lugar,
    )


def _corto(nombre: str) -> tuple[str, ...]:
    nombre = nombre.removeprefix("Heroica Ciudad de ").removeprefix("Heroica ")
    renglones = wrap(nombre, _LETRAS, break_long_words=False) or [""]
    if len(renglones) > 2:
        # «Tlacolula de…» no dice más que «Tlacolula»: el enlace del final se quita.
        renglones = [renglones[0], f"{renglones[1]}…"] if renglones[1] not in _ENLACES else [renglones[0] + "…"]
    return tuple(r if len(r) <= _LETRAS + 1 else r[:_LETRAS] + "…" for r in renglones)
