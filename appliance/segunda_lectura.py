"""La segunda lectura difiere de la primera: se dice en qué renglones, una sola vez, antes de asentarla.

Quien hizo la segunda mira otra vez sus renglones contra la imagen y deja lo que ve. Nunca se le muestra el otro valor,
y para que no lo adivine a tientas: se compara una vez por persona, acta y vuelta, lo señalado queda escrito antes de
decirlo, y si vuelve a mandar la hoja se le señala lo mismo, sin comparar de nuevo. Después se asienta lo que dejó,
coincida o no; si no coincide, decide una tercera persona a ciegas.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from appliance.almacen import Lectura, Transaccion
from nucleo.acta import Asentado
from nucleo.campo import Campo, a_json
from nucleo.captura import PrimeraConcluida
from nucleo.diferencia import campos_distintos
from nucleo.hechos import IdActa


@dataclass(frozen=True, slots=True)
class PorRevisar:
    """Nada se asentó todavía: estos renglones de la lectura propia no coinciden con otra."""

    campos: tuple[str, ...]


def senalados(mirada: Lectura, acta: IdActa, persona: str, vuelta: int) -> PorRevisar | None:
    """Lo que ya se le señaló a esa persona en esa acta y vuelta."""
    leido = _leido(mirada, acta, persona, vuelta)
    return PorRevisar(tuple(leido)) if leido is not None else None


def comparar(
    t: Transaccion,
    acta: IdActa,
    persona: str,
    libre: PrimeraConcluida,
    asentado: Asentado,
    hora: datetime,
    *,
    revisada: bool,
) -> PorRevisar | None:
    """Qué debe volver a mirar esa persona antes de asentar; `None` si ya se puede asentar.

    Args:
        revisada: si la hoja salió de la página donde ya se le señalaron; un segundo toque de la anterior no cuenta.
    """
    campos = asentado.campos()
    previo = _leido(t, acta, persona, libre.vuelta)
    if previo is None:
        distintos = campos_distintos(libre.primera.asentado, asentado)
        if not distintos:
            return None
        leido = {n: a_json(campos[n]) for n in distintos}
        t.conexion.execute(
            "INSERT INTO senalados VALUES (?, ?, ?, ?, ?, ?)",
            (acta.eleccion, acta.casilla, persona, libre.vuelta, json.dumps(leido), hora.isoformat()),
        )
        t.anotar(hora, "diferencia_senalada", persona=persona, acta=str(acta), detalle=", ".join(distintos))
        return PorRevisar(distintos)
    if not revisada:
        return PorRevisar(tuple(previo))
    t.anotar(hora, "diferencia_revisada", persona=persona, acta=str(acta), detalle=_que_cambio(previo, campos))
    return None


def _que_cambio(previo: Mapping[str, object], campos: Mapping[str, Campo]) -> str:
    cambio = [n for n, valor in previo.items() if n in campos and a_json(campos[n]) != valor]
    dejo = [n for n in previo if n not in cambio]
    return "; ".join(f"{que} {', '.join(nombres)}" for que, nombres in (("cambió", cambio), ("dejó", dejo)) if nombres)


def _leido(mirada: Lectura, acta: IdActa, persona: str, vuelta: int) -> dict[str, object] | None:
    fila = mirada.conexion.execute(
        "SELECT leido FROM senalados WHERE eleccion = ? AND casilla = ? AND persona = ? AND vuelta = ?",
        (acta.eleccion, acta.casilla, persona, vuelta),
    ).fetchone()
    if fila is None:
        return None
    leido: dict[str, object] = json.loads(fila[0])
    return leido
