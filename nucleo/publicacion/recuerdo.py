"""Lo que un corte necesita saber de los anteriores, un renglón por acta: cuándo cambió y hasta dónde ya se reveló."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from nucleo.hechos import MAXIMO_VUELTAS, IdActa
from nucleo.publicacion.fichas import Corte
from nucleo.renglon import CLAVE

_HUELLA: Final = re.compile(r"[0-9a-f]{64}")
_NOMBRE: Final = re.compile(r"[0-9]{8}_[0-9]{4}(?:[0-9]{2})?")


class RecuerdoInvalido(ValueError):
    """Los bytes no son los de unos `Recuerdos`."""


@dataclass(frozen=True, slots=True)
class Recuerdo:
    """Lo último publicado de un acta que ya no está en cero."""

    forma: str
    """SHA-256 de lo que dice su página, sin el corte."""
    cambio: Corte
    """El corte en que tomó esa forma."""
    vuelta: int = 0
    """La vuelta más alta que se ha publicado verificada; 0 si ninguna."""
    datos: str = ""
    """SHA-256 de la transcripción (o del motivo de «sin acta») que se publica; vacío si está pendiente."""
    publicada: Corte | None = None
    """El corte en que esos datos aparecieron; `None` si está pendiente."""


@dataclass(frozen=True)
class Recuerdos:
    """De todas las actas que han cambiado alguna vez."""

    definicion: str = ""
    """Huella de la definición con que se hizo el corte."""
    actas: Mapping[IdActa, Recuerdo] = field(default_factory=dict)
    cerrado: bool = False
    """Si ya hubo un último corte: desde entonces nada se reserva."""

    def a_bytes(self) -> bytes:
        """Forma en disco: UTF-8, un acta por renglón, en orden."""
        cortes = {c.nombre: c for r in self.actas.values() for c in (r.cambio, r.publicada) if c is not None}
        dato = {
            "v": 1,
            "definicion": self.definicion,
            "cerrado": self.cerrado,
            "cortes": {n: [c.hora.isoformat(), c.ultimo] for n, c in sorted(cortes.items())},
            "actas": [
                [
                    a.eleccion,
                    a.casilla,
                    r.forma,
                    r.cambio.nombre,
                    r.vuelta,
                    r.datos,
                    r.publicada.nombre if r.publicada else None,
                ]
                for a, r in sorted(self.actas.items(), key=lambda par: (par[0].eleccion, par[0].casilla))
            ],
        }
        return json.dumps(dato, ensure_ascii=False, separators=(",", ":")).replace("],[", "],\n[").encode() + b"\n"


def leer(datos: bytes) -> Recuerdos:
    """Inversa estricta de `Recuerdos.a_bytes`.

    Raises:
        RecuerdoInvalido: si no es exactamente lo que se escribió.
    """
    try:
        dato = json.loads(datos)
        _exigir(
            isinstance(dato, dict) and set(dato) == {"v", "definicion", "cerrado", "cortes", "actas"} and dato["v"] == 1
        )
        _exigir(isinstance(dato["definicion"], str))
        _exigir(isinstance(dato["cerrado"], bool) and isinstance(dato["cortes"], dict))
        cortes = {nombre: _corte(nombre, valor) for nombre, valor in dato["cortes"].items()}
        actas = dict(_acta(renglon, cortes) for renglon in dato["actas"])
        recuerdos = Recuerdos(dato["definicion"], actas, dato["cerrado"])
        _exigir(recuerdos.a_bytes() == datos)
    except RecuerdoInvalido:
        raise
    except (ValueError, TypeError, KeyError, RecursionError, OverflowError) as error:
        raise RecuerdoInvalido(f"no es la memoria de los cortes ({error})") from error
    return recuerdos


def _corte(nombre: str, valor: Any) -> Corte:
    hora, ultimo = valor
    _exigir(_NOMBRE.fullmatch(nombre) is not None and isinstance(hora, str) and isinstance(ultimo, bool))
    leida = datetime.fromisoformat(hora)
    _exigir(leida.utcoffset() is not None)
    return Corte(nombre, leida, ultimo)


def _acta(renglon: Any, cortes: Mapping[str, Corte]) -> tuple[IdActa, Recuerdo]:
    eleccion, casilla, forma, cambio, vuelta, datos, publicada = renglon
    _exigir(CLAVE.fullmatch(eleccion) is not None and CLAVE.fullmatch(casilla) is not None)
    _exigir(_HUELLA.fullmatch(forma) is not None and (datos == "" or _HUELLA.fullmatch(datos) is not None))
    _exigir(type(vuelta) is int and 0 <= vuelta <= MAXIMO_VUELTAS)
    _exigir((publicada is None) == (datos == ""))
    recuerdo = Recuerdo(forma, cortes[cambio], vuelta, datos, None if publicada is None else cortes[publicada])
    return IdActa(eleccion, casilla), recuerdo


def _exigir(se_cumple: bool) -> None:
    if not se_cumple:
        raise RecuerdoInvalido("no es la memoria de los cortes: un dato no tiene la forma debida")
