"""Vuelve a calcular lo publicado por otro camino: del JSON de los sobres, sin `nucleo.captura` ni `nucleo.libro`.

Es a propósito ingenuo y lento: recorre los hechos de cada acta como los leería una persona con la regla en la mano. Si
las dos cuentas coinciden en miles de noches al azar, o ambas están bien o ambas se equivocan igual.
"""

from __future__ import annotations

import base64
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from ensayo.laboratorio.proceso import RENGLONES

Votos = Mapping[str, int]
_Hecho = dict[str, Any]


def votos_publicables(sobres: Iterable[str]) -> dict[str, Votos]:
    """Casilla → votos de cada acta que con esos sobres queda verificada, en un proceso de una sola elección."""
    return {casilla: {r: votos[r] for r in RENGLONES} for (_, casilla), votos in votos_por_acta(sobres).items()}


def votos_por_acta(sobres: Iterable[str]) -> dict[tuple[str, str], Votos]:
    """(elección, casilla) → todos los campos de cada acta que con esos sobres queda verificada."""
    por_acta: dict[tuple[str, str], list[_Hecho]] = defaultdict(list)
    for sobre in sobres:
        hecho = _leer(sobre)
        if "casilla" in hecho:
            por_acta[hecho["eleccion"], hecho["casilla"]].append(hecho)
    verificadas = {acta: _verificar(hechos) for acta, hechos in por_acta.items()}
    return {acta: votos for acta, votos in verificadas.items() if votos is not None}


def _leer(sobre: str) -> _Hecho:
    carga = sobre.split(".")[1]
    dato = json.loads(base64.urlsafe_b64decode(carga + "=" * (-len(carga) % 4)))
    hecho: _Hecho = dict(dato["contenido"])
    quienes = hecho.get("personas") or [hecho["persona"]]
    hecho["quienes"] = [f"{dato['catd']}/{p}" for p in quienes]
    hecho["instante"] = datetime.fromisoformat(hecho["hora"])
    return hecho


def _verificar(hechos: list[_Hecho]) -> Votos | None:
    vueltas = sorted({h["vuelta"] for h in hechos if h["hecho"] == "captura"}, reverse=True)
    for vuelta in vueltas:
        votos = _verificar_vuelta([h for h in hechos if h.get("vuelta") == vuelta])
        if votos is not None:
            return votos
    return None


def _verificar_vuelta(hechos: list[_Hecho]) -> Votos | None:
    hechos = sorted(hechos, key=lambda h: (h["instante"], h["hecho"]))
    capturistas = {h["quienes"][0] for h in hechos if h["hecho"] == "captura"}
    if len(capturistas) < 2:
        return None
    todos = next(h["campos"] for h in hechos if h["hecho"] == "captura")
    decididos: dict[str, int] = {}
    for campo in todos:
        decidido = _decidir(campo, hechos)
        if decidido is None:
            return None
        decididos[campo] = decidido
    return decididos


def _decidir(campo: str, hechos: list[_Hecho]) -> int | None:
    leidos: dict[str, int] = {}
    ya_capturo: set[str] = set()
    for hecho in hechos:
        quien = hecho["quienes"][0]
        if hecho["hecho"] == "captura":
            if quien in ya_capturo:
                continue
            ya_capturo.add(quien)
        if hecho["hecho"] in ("captura", "correccion") and campo in hecho["campos"]:
            leidos.setdefault(quien, hecho["campos"][campo])
    if len(set(leidos.values())) > 1:
        for hecho in hechos:
            if hecho["hecho"] == "revision" and campo in hecho["campos"]:
                revisado: int = hecho["campos"][campo]
                return revisado
    apoyos = Counter(leidos.values())
    mayor = max(apoyos.values())
    ganan = [leido for leido, n in apoyos.items() if n == mayor]
    return ganan[0] if mayor >= 2 and len(ganan) == 1 else None
