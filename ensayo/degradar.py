"""Actas dañadas a propósito y con su verdad: lo que llega a un CATD tras un día de casilla, un sobre y una lluvia.

Cada imagen es función pura de (semilla, clase, índice): se puede volver a hacer la que falló sin guardar ninguna. La
verdad incluye dónde quedó cada milímetro del papel, para medir el registro en milímetros y no en impresiones.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ensayo import papel_danado as papel
from ensayo.hoja_de_banco import Hoja, hoja_de
from ensayo.toma import Flotante, Matriz, Toma, escanear, fotografiar
from nucleo.eleccion import Proceso

Imagen = NDArray[np.uint8]
Azar = np.random.Generator


@dataclass(frozen=True)
class Muestra:
    """Una imagen dañada y lo que se sabe de ella."""

    imagen: Imagen
    """BGR."""
    clase: str
    indice: int
    hoja: Hoja
    """El acta que es, con sus códigos y su formato."""
    gravedad: str
    """Los parámetros del daño, para repetir a ojo."""
    motivos: frozenset[str]
    """Códigos de `motivos.toml` con que la imagen queda bien nombrada; vacío si es buena y no debe rechazarse."""
    _toma: Toma | None

    def donde(self, puntos_mm: NDArray[np.float64]) -> NDArray[np.float64] | None:
        """n × 2: el píxel verdadero de cada punto del papel; `None` si el papel no es el acta o se ve por detrás."""
        return self._toma.donde(puntos_mm) if self._toma is not None else None

    @property
    def homografia(self) -> Matriz | None:
        """La verdadera, de milímetros del papel a píxeles; si el papel está arrugado, la de antes de arrugarlo."""
        return self._toma.matriz if self._toma is not None else None


# --- Las veintitrés clases de lo que hay que poder leer. ---


def _digitalizada(
    hoja: Hoja, azar: Azar, *danos: str, ppp: int = 200, cuartos: int = 0, angulo: float | None = None
) -> tuple[Toma, str]:
    """Del escáner, con los daños que se digan; cada uno con su gravedad al azar."""
    dicho: list[str] = []

    def anotar(nombre: str, valor: float) -> float:
        dicho.append(f"{nombre}={valor:.2f}")
        return valor

    base: Imagen = hoja.imagen
    corrida = (0.0, 0.0)
    if "mancha" in danos:
        base = papel.manchar(base, hoja, azar, anotar("mancha", azar.uniform(0.05, 0.32)))
    if "traspaso" in danos:
        base = papel.traspasar(base, hoja.otra(), anotar("traspaso", azar.uniform(0.15, 0.45)))
    if "giro10" in danos:
        angulo = anotar("ángulo", azar.uniform(-10, 10))
    if "adf" in danos:
        corrida = (azar.uniform(-3.5, 3.5), azar.uniform(-3.5, 3.5))
    ppp = 100 if "ppp100" in danos else ppp
    cuartos = {"giro90": 1, "giro180": 2, "giro270": 3}.get(next((d for d in danos if d in _GIROS), ""), cuartos)
    inclinada = azar.uniform(-1.5, 1.5) if angulo is None else angulo
    toma = escanear(base, hoja, azar, ppp=ppp, angulo=inclinada, cuartos=cuartos, corrida_mm=corrida)
    relativo = ppp / 200
    if "arrugada" in danos:
        toma = papel.arrugar(toma, azar, anotar("arruga_px", azar.uniform(3, 14)) * relativo)
    if "sombra" in danos:
        toma = toma.con(papel.sombra(toma.imagen, azar, anotar("luz", azar.uniform(0.35, 0.6))))
    if "contraste" in danos:
        factor, nivel = anotar("contraste", azar.uniform(0.12, 0.4)), azar.uniform(60, 150)
        toma = toma.con(toma.imagen * np.float32(factor) + np.float32(nivel))
    if "desenfoque" in danos:
        toma = toma.con(papel.desenfocar(toma.imagen, anotar("sigma", azar.uniform(1, 4)) * relativo))
    if "movimiento" in danos:
        toma = toma.con(papel.mover(toma.imagen, azar, anotar("movida_px", azar.uniform(5, 21)) * relativo))
    if "adf" in danos:
        toma = toma.con(papel.rayas_de_cristal(toma.imagen, azar))
    ruido = anotar("ruido", azar.uniform(12, 45)) if "ruido" in danos else azar.uniform(1, 3)
    toma = toma.con(papel.ruido(toma.imagen, azar, ruido))
    if "jpeg" in danos:
        toma = toma.con(papel.jpeg(toma.imagen, anotar("calidad", azar.uniform(6, 30))))
    return toma, " ".join(dicho)


_GIROS: Final = frozenset(("giro90", "giro180", "giro270"))
_MEZCLABLES: Final = (
    *("giro10", "giro90", "giro180", "desenfoque", "ruido", "jpeg"),
    *("contraste", "sombra", "mancha", "arrugada", "ppp100", "traspaso"),
)


def _mezcla(hoja: Hoja, azar: Azar, cuantos: int) -> tuple[Toma, str]:
    danos = [str(d) for d in azar.choice(_MEZCLABLES, cuantos, replace=False)]
    toma, dicho = _digitalizada(hoja, azar, *danos)
    return toma, f"{'+'.join(danos)} {dicho}".strip()


def _telefono(
    hoja: Hoja,
    azar: Azar,
    inclinacion: float,
    *,
    medidas: tuple[int, int] = (3264, 2448),
    sombra_dura: bool = False,
    poca_luz: bool = False,
    calidad: tuple[int, int] = (75, 92),
) -> tuple[Toma, str]:
    angulo = azar.uniform(-8, 8)
    if inclinacion > 0.4 and azar.random() < 0.3:
        angulo += 180
    toma = fotografiar(hoja.imagen, hoja, azar, inclinacion=inclinacion, angulo=angulo, medidas=medidas)
    luz = azar.uniform(0.55, 0.9)
    imagen = papel.sombra(toma.imagen, azar, luz) if sombra_dura else papel.luz_pareja(toma.imagen, azar, luz)
    if poca_luz:
        imagen = imagen * np.float32(azar.uniform(0.38, 0.55))
        imagen = papel.mover(papel.ruido(imagen, azar, azar.uniform(5, 11)), azar, azar.uniform(3, 9))
    else:
        imagen = papel.ruido(papel.desenfocar(imagen, azar.uniform(0.5, 1.4)), azar, azar.uniform(2, 6))
    return toma.con(papel.jpeg(imagen, azar.uniform(*calidad))), f"inclinación={inclinacion} ángulo={angulo:.1f}"


Danar = Callable[[Hoja, Azar], tuple[Toma, str]]


def _simple(*danos: str) -> Danar:
    return lambda hoja, azar: _digitalizada(hoja, azar, *danos)


CLASES: Final[Mapping[str, Danar]] = {
    "limpia": _simple(),
    **{n: _simple(n) for n in ("giro10", "giro90", "giro180", "giro270", "desenfoque", "movimiento", "ruido", "jpeg")},
    **{n: _simple(n) for n in ("contraste", "sombra", "mancha", "arrugada", "ppp100", "traspaso", "adf")},
    "telefono_suave": partial(_telefono, inclinacion=0.15),
    "telefono_fuerte": partial(_telefono, inclinacion=0.42),
    "telefono_sombra": partial(_telefono, inclinacion=0.25, sombra_dura=True),
    "telefono_oscuro": partial(_telefono, inclinacion=0.2, poca_luz=True),
    "telefono_chico": partial(_telefono, inclinacion=0.2, medidas=(1600, 1200), calidad=(45, 70)),
    "mezcla2": partial(_mezcla, cuantos=2),
    "mezcla3": partial(_mezcla, cuantos=3),
}
"""Lo que hay que leer, del acta limpia a la peor."""

EXTREMAS: Final = frozenset(("mancha", "movimiento", "mezcla2", "mezcla3"))
"""Donde el código puede haber desaparecido del papel."""


# --- Las malas: lo que hay que rechazar y nombrar. ---


def _mala(danar: Callable[[Toma, Azar], Flotante], hoja: Hoja, azar: Azar) -> tuple[Toma, str]:
    toma, _ = _digitalizada(hoja, azar)
    return toma.con(danar(toma, azar)), ""


def _en_blanco(hoja: Hoja, azar: Azar) -> tuple[Toma, str]:
    return _otro_papel(np.full_like(hoja.imagen, 255), hoja, azar)


def _reverso(hoja: Hoja, azar: Azar) -> tuple[Toma, str]:
    tenue = azar.uniform(0.2, 0.5)
    toma, _ = _otro_papel(papel.por_detras(hoja.imagen, tenue), hoja, azar)
    return toma, f"se trasluce={tenue:.2f}"


def _otro_documento(hoja: Hoja, azar: Azar) -> tuple[Toma, str]:
    return _otro_papel(papel.otro_documento(hoja, azar), hoja, azar)


def _otro_papel(imagen: Imagen, hoja: Hoja, azar: Azar) -> tuple[Toma, str]:
    toma = escanear(imagen, hoja, azar, ppp=200, angulo=azar.uniform(-1.5, 1.5))
    return toma.con(papel.ruido(toma.imagen, azar, azar.uniform(1, 3))), ""


def _recorte(hoja: Hoja, azar: Azar) -> tuple[Toma, str]:
    toma, _ = _digitalizada(hoja, azar)
    falta = azar.uniform(0.07, 0.3)
    return papel.recortar(toma, int(azar.integers(4)), falta), f"falta={falta:.2f}"


def _baja_resolucion(hoja: Hoja, azar: Azar) -> tuple[Toma, str]:
    ppp = int(azar.integers(40, 76))
    return _digitalizada(hoja, azar, ppp=ppp)[0], f"ppp={ppp}"


MALAS: Final[Mapping[str, tuple[Danar, frozenset[str]]]] = {
    "mala_en_blanco": (_en_blanco, frozenset(("EN_BLANCO",))),
    "mala_reverso": (_reverso, frozenset(("REVERSO",))),
    "mala_otro_documento": (_otro_documento, frozenset(("OTRO_DOCUMENTO",))),
    "mala_recorte": (_recorte, frozenset(("RECORTADA",))),
    "mala_desenfoque": (
        partial(_mala, lambda t, azar: papel.desenfocar(t.imagen, azar.uniform(6, 10))),
        frozenset(("BORROSA", "MOVIDA")),
    ),
    "mala_oscura": (
        partial(_mala, lambda t, azar: t.imagen * np.float32(azar.uniform(0.1, 0.28))),
        frozenset(("OSCURA",)),
    ),
    "mala_quemada": (
        partial(_mala, lambda t, azar: 255 - (255 - t.imagen) * np.float32(azar.uniform(0.06, 0.15))),
        frozenset(("QUEMADA",)),
    ),
    "mala_resolucion": (_baja_resolucion, frozenset(("BAJA_RESOLUCION",))),
    "mala_movimiento": (
        partial(_mala, lambda t, azar: papel.mover(t.imagen, azar, azar.uniform(24, 40))),
        frozenset(("MOVIDA", "BORROSA")),
    ),
}
"""Lo que hay que rechazar → cómo se hace y con qué motivos queda bien nombrado."""

_SIN_VERDAD: Final = frozenset(("mala_en_blanco", "mala_reverso", "mala_otro_documento"))


def muestra(proceso: Proceso, semilla: int, clase: str, indice: int) -> Muestra:
    """La imagen de esa clase y ese índice; un índice de cada tres es una copia autocopiante pálida.

    Args:
        proceso: de él salen las casillas y el papel; su primera elección es la que se dibuja.
        clase: una de `CLASES` o de `MALAS`.

    Raises:
        KeyError: si la clase no existe.
    """
    danar, motivos = (CLASES[clase], frozenset[str]()) if clase in CLASES else MALAS[clase]
    hoja = hoja_de(proceso, semilla, indice)
    azar = np.random.default_rng(_semilla(semilla, clase, indice))
    toma, gravedad = danar(hoja, azar)
    imagen = np.clip(toma.imagen, 0, 255).astype(np.uint8)
    verdad = None if clase in _SIN_VERDAD else toma
    return Muestra(imagen, clase, indice, hoja, gravedad, motivos, verdad)


def _semilla(semilla: int, clase: str, indice: int) -> int:
    return int.from_bytes(hashlib.sha256(f"{semilla}/{clase}/{indice}".encode()).digest()[:8], "big")
