"""De las medidas del banco a una tabla por clase y un resumen de metas, sin esconder lo que no llega."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from ensayo.degradar import CLASES, EXTREMAS, MALAS
from ensayo.medida_vision import Medida, es_mala

DUDOSAS: Final = EXTREMAS - {"mancha"} | {"arrugada", "telefono_oscuro"}
"""Clases cuya gravedad llega a lo ilegible: rechazar alguna puede ser lo correcto, y no cuentan como buenas."""

_RAYA: Final = "—"


@dataclass(frozen=True)
class Meta:
    """Lo prometido en el asunto 3 y lo que salió."""

    nombre: str
    prometido: str
    medido: str
    cumple: bool | None
    """`None` si no hubo con qué medirla."""


def percentil(valores: Iterable[float], cual: float) -> float:
    lista = list(valores)
    return float(np.percentile(lista, cual)) if lista else float("nan")


def por_ciento(cuantos: int, de: int) -> float:
    return 100 * cuantos / de if de else float("nan")


def metas(medidas: Sequence[Medida]) -> list[Meta]:
    """El resumen, en el orden del asunto."""
    leibles = [m for m in medidas if not es_mala(m.clase)]
    comunes = [m for m in leibles if m.clase not in EXTREMAS]
    buenas = [m for m in leibles if m.clase not in DUDOSAS]
    malas = [m for m in medidas if es_mala(m.clase)]
    falsas = sum(m.cascada.falsas for m in medidas)
    registradas = [m for m in leibles if m.error_mm is not None]
    calladas = sum(m.lejos for m in leibles if not m.avisada)
    casillas = sum(m.casillas for m in leibles)
    kb = [m.kb for m in leibles if m.kb]

    def al_menos(nombre: str, cuantos: int, de: int, meta: float) -> Meta:
        valor = por_ciento(cuantos, de)
        return Meta(nombre, f"≥ {meta} %", f"{valor:.2f} % ({cuantos}/{de})", valor >= meta if de else None)

    def a_lo_mas(nombre: str, valor: float, meta: float, unidad: str, nota: str = "") -> Meta:
        cumple = None if valor != valor else valor <= meta
        return Meta(nombre, f"≤ {meta} {unidad}", f"{valor:.2f} {unidad}{nota}", cumple)

    return [
        al_menos("QR o Code 128 leído, todas", sum(m.cascada.leyo for m in leibles), len(leibles), 98),
        al_menos("ídem sin mancha, movimiento ni mezclas", sum(m.cascada.leyo for m in comunes), len(comunes), 99.9),
        Meta("códigos falsos", "0", str(falsas), falsas == 0 if medidas else None),
        a_lo_mas("primer paso, ms p95", percentil((m.primer_paso.ms for m in leibles), 95), 30, "ms"),
        a_lo_mas("cascada, ms p95", percentil((m.cascada.ms for m in leibles), 95), 500, "ms"),
        a_lo_mas("error de casilla, mediana", percentil((m.error_mm or 0 for m in registradas), 50), 0.1, "mm"),
        a_lo_mas(
            "casillas a más de 2 mm sin aviso", por_ciento(calladas, casillas), 1, "%", f" ({calladas}/{casillas})"
        ),
        a_lo_mas(
            "buenas rechazadas",
            por_ciento(sum(not m.aceptable for m in buenas), len(buenas)),
            1,
            "%",
            f" ({sum(not m.aceptable for m in buenas)}/{len(buenas)})",
        ),
        al_menos("malas nombradas", sum(m.nombrada for m in malas), len(malas), 97),
        a_lo_mas("página completa, ms p95", percentil((m.ms_pagina for m in leibles), 95), 1000, "ms"),
        a_lo_mas("peso, mediana", percentil(kb, 50), 150, "KB"),
        a_lo_mas("peso, máximo", max(kb, default=float("nan")), 200, "KB"),
    ]


def en_markdown(medidas: Sequence[Medida], semilla: int) -> str:
    """La tabla completa: por clase, las malas, la referencia y las metas."""
    clases = [c for c in CLASES if any(m.clase == c for m in medidas)]
    malas = [c for c in MALAS if any(m.clase == c for m in medidas)]
    leibles = [m for m in medidas if not es_mala(m.clase)]
    partes = [
        f"# Banco de imágenes: {len(leibles)} legibles de {len(clases)} clases y {len(medidas) - len(leibles)} malas "
        f"de {len(malas)}, semilla {semilla}",
        "Tiempos en milisegundos de procesador de un núcleo: valen las razones. El 1.er paso es una pasada de zxing.",
        _tabla(_COLUMNAS, [*clases, "**Todas**"], medidas),
    ]
    if malas:
        partes += ["## Malas", _tabla(_DE_MALAS, malas, medidas)]
    partes += ["## Contra cada lector solo, en la misma corrida", _referencia(leibles)]
    partes += ["## Por etapa", _etapas(leibles)]
    partes += ["## Metas", "| meta | prometido | medido | cumple |\n|---|---|---|---|"]
    dicho = {True: "sí", False: "**NO**", None: "sin medir"}
    partes[-1] += "".join(f"\n| {m.nombre} | {m.prometido} | {m.medido} | {dicho[m.cumple]} |" for m in metas(medidas))
    return "\n\n".join(partes) + "\n"


_Columna = tuple[str, Callable[[list[Medida]], str]]


def _pct(cual: Callable[[Medida], bool]) -> Callable[[list[Medida]], str]:
    return lambda ms: f"{por_ciento(sum(map(cual, ms)), len(ms)):.1f}" if ms else _RAYA


def _par(cual: Callable[[Medida], float | None], formato: str = ".0f") -> Callable[[list[Medida]], str]:
    def celda(ms: list[Medida]) -> str:
        valores = [v for v in map(cual, ms) if v is not None]
        return f"{percentil(valores, 50):{formato}} / {percentil(valores, 95):{formato}}" if valores else _RAYA

    return celda


def _motivos(ms: list[Medida]) -> str:
    cuenta: dict[str, int] = {}
    for m in ms:
        for motivo in m.motivos if not m.rechazo else (m.rechazo,):
            cuenta[motivo] = cuenta.get(motivo, 0) + 1
    return ", ".join(f"{k} {n}" for k, n in sorted(cuenta.items(), key=lambda par: -par[1])[:4]) or _RAYA


_COLUMNAS: Final[Sequence[_Columna]] = (
    ("n", lambda ms: str(len(ms))),
    ("QR %", _pct(lambda m: m.cascada.qr)),
    ("C128 %", _pct(lambda m: m.cascada.code128)),
    ("alguno %", _pct(lambda m: m.cascada.leyo)),
    ("falsos", lambda ms: str(sum(m.cascada.falsas for m in ms))),
    ("1.er paso p50 / p95", _par(lambda m: m.primer_paso.ms)),
    ("cascada p50 / p95", _par(lambda m: m.cascada.ms)),
    ("error mm p50 / p95", _par(lambda m: m.error_mm, ".2f")),
    (
        "> 2 mm sin aviso %",
        lambda ms: f"{por_ciento(sum(m.lejos for m in ms if not m.avisada), sum(m.casillas for m in ms)):.2f}",
    ),
    ("rechazadas %", _pct(lambda m: not m.aceptable)),
    ("avisadas %", _pct(lambda m: m.avisada)),
    ("página p50 / p95", _par(lambda m: m.ms_pagina)),
    ("KB p50 / p95", _par(lambda m: m.kb)),
    ("KB máx", lambda ms: f"{max((m.kb for m in ms), default=0):.0f}"),
)
_DE_MALAS: Final[Sequence[_Columna]] = (
    ("n", lambda ms: str(len(ms))),
    ("rechazadas %", _pct(lambda m: not m.aceptable)),
    ("nombradas %", _pct(lambda m: m.nombrada)),
    ("algún código %", _pct(lambda m: m.cascada.leyo)),
    ("en espejo", lambda ms: str(sum(m.en_espejo for m in ms))),
    ("falsos", lambda ms: str(sum(m.cascada.falsas for m in ms))),
    ("motivos", _motivos),
    ("página p50 / p95", _par(lambda m: m.ms_pagina)),
)


def _tabla(columnas: Sequence[_Columna], clases: Sequence[str], medidas: Sequence[Medida]) -> str:
    lineas = ["| clase | " + " | ".join(n for n, _ in columnas) + " |", "|---" * (len(columnas) + 1) + "|"]
    for clase in clases:
        suyas = [m for m in medidas if m.clase == clase or (clase == "**Todas**" and not es_mala(m.clase))]
        lineas.append(f"| {clase} | " + " | ".join(celda(suyas) for _, celda in columnas) + " |")
    return "\n".join(lineas)


def _referencia(leibles: Sequence[Medida]) -> str:
    lineas = [
        "| lector | QR % | alguno % | falsos | ms media / p95 | fallos por cada uno de la cascada |",
        "|---" * 6 + "|",
    ]
    de_cascada = sum(not m.cascada.leyo for m in leibles)
    for nombre, suyas in (
        ("zxing solo", [m.primer_paso for m in leibles]),
        ("pyzbar solo", [m.zbar for m in leibles]),
        ("cascada", [m.cascada for m in leibles]),
    ):
        fallos = sum(not s.leyo for s in suyas)
        razon = f"{fallos / de_cascada:.1f}" if de_cascada else f"{fallos} entre 0"
        ms = [s.ms for s in suyas]
        lineas.append(
            f"| {nombre} | {por_ciento(sum(s.qr for s in suyas), len(suyas)):.1f} | "
            f"{por_ciento(sum(s.leyo for s in suyas), len(suyas)):.1f} | {sum(s.falsas for s in suyas)} | "
            f"{np.mean(ms) if ms else 0:.0f} / {percentil(ms, 95):.0f} | {razon} |"
        )
    return "\n".join(lineas)


def _etapas(leibles: Sequence[Medida]) -> str:
    nombres = dict.fromkeys(n for m in leibles for n in m.etapas)
    lineas = ["| etapa | ms p50 | ms p95 |", "|---|---|---|"]
    for nombre in nombres:
        ms = [m.etapas[nombre] for m in leibles if nombre in m.etapas]
        lineas.append(f"| {nombre} | {percentil(ms, 50):.0f} | {percentil(ms, 95):.0f} |")
    return "\n".join(lineas)
