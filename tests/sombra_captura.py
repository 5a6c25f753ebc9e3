"""La doble captura vuelta a escribir en SQL, desde `diseno` y las docstrings, para contrastar con `nucleo.captura`.

Es otra estructura de datos y otra manera de pensar (renglones y cuentas en lugar de estados y diccionarios): un error
de razonamiento en una difícilmente se repite en la otra.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection
from datetime import datetime
from typing import Any, Final

from nucleo.campo import a_texto
from nucleo.captura import (
    Discrepante,
    EnRevision,
    Estado,
    PrimeraConcluida,
    SinActaDeclarada,
    SinCaptura,
    Verificada,
)
from nucleo.hechos import Captura, Correccion, HechoDeActa, Recaptura, Revision, SinActa

_TABLAS: Final = """
CREATE TABLE captura  (hora TEXT, persona TEXT);
CREATE TABLE lectura  (hora TEXT, persona TEXT, campo TEXT, valor TEXT, completa INT);
CREATE TABLE revision (hora TEXT, campo TEXT, valor TEXT);
"""
_DECIDIR: Final = """
WITH renglon  AS (SELECT DISTINCT campo FROM lectura WHERE completa),
     autora   AS (SELECT DISTINCT persona FROM captura),
     primera  AS (SELECT campo, persona, valor, min(hora) FROM lectura GROUP BY campo, persona),
     leido    AS (SELECT campo, persona, valor FROM primera WHERE campo IN renglon
                  UNION ALL
                  SELECT r.campo, a.persona, 'SIN DATO' FROM renglon r, autora a
                  WHERE NOT EXISTS (SELECT 1 FROM primera p WHERE p.campo = r.campo AND p.persona = a.persona)),
     cuenta   AS (SELECT campo, valor, count(*) AS apoyos FROM leido GROUP BY campo, valor),
     mayoria  AS (SELECT campo, valor FROM cuenta c WHERE apoyos >= 2 AND NOT EXISTS
                  (SELECT 1 FROM cuenta o WHERE o.campo = c.campo AND o.valor <> c.valor AND o.apoyos >= c.apoyos)),
     disputa  AS (SELECT campo FROM cuenta GROUP BY campo HAVING count(*) > 1),
     revisado AS (SELECT campo, valor, min(hora) FROM revision WHERE campo IN disputa GROUP BY campo)
SELECT r.campo, coalesce(v.valor, m.valor), (SELECT count(*) FROM leido l WHERE l.campo = r.campo)
FROM renglon r LEFT JOIN mayoria m ON m.campo = r.campo LEFT JOIN revisado v ON v.campo = r.campo
"""

Resumen = tuple[Any, ...]


def sombra(hechos: Collection[HechoDeActa]) -> Resumen:
    """Lo mismo que `resumen(estado_de(hechos))`, si no hay dos hechos de la misma hora."""
    if not any(isinstance(h, Captura) for h in hechos):
        vuelta = max((h.vuelta for h in hechos if isinstance(h, Correccion | Revision | Recaptura)), default=1)
        declaradas = sorted((h.hora, h.motivo) for h in hechos if isinstance(h, SinActa))
        return ("SinActaDeclarada", declaradas[0][1], declaradas[0][0]) if declaradas else ("SinCaptura", vuelta)
    de_lectura = [h for h in hechos if isinstance(h, Captura | Correccion | Revision)]
    vuelta = max(h.vuelta for h in hechos if isinstance(h, Captura | Correccion | Revision | Recaptura))
    de_vuelta = [h for h in de_lectura if h.vuelta == vuelta]
    horas = sorted(h.hora for h in de_vuelta)
    if not horas:
        return ("SinCaptura", vuelta)
    final = _hasta(de_vuelta, vuelta, horas[-1])
    if final[0] != "Verificada":
        return final
    return next(r for hora in horas if (r := _hasta(de_vuelta, vuelta, hora))[:3] == final[:3])


def _hasta(hechos: Collection[HechoDeActa], vuelta: int, hora: datetime) -> Resumen:
    with sqlite3.connect(":memory:") as base:
        base.executescript(_TABLAS)
        ya_capturaron: set[str] = set()
        for h in sorted(hechos, key=lambda h: h.hora):
            if h.hora > hora or (isinstance(h, Captura) and h.persona in ya_capturaron):
                continue
            cuando = h.hora.isoformat()
            if isinstance(h, Captura):
                ya_capturaron.add(h.persona)
                base.execute("INSERT INTO captura VALUES (?, ?)", (cuando, h.persona))
                lecturas, completa = h.asentado.campos(), 1
            elif isinstance(h, Correccion):
                lecturas, completa = dict(h.campos), 0
            else:
                assert isinstance(h, Revision)
                for campo, valor in h.campos.items():
                    base.execute("INSERT INTO revision VALUES (?, ?, ?)", (cuando, campo, a_texto(valor)))
                continue
            for campo, valor in lecturas.items():
                fila = (cuando, h.persona, campo, a_texto(valor), completa)
                base.execute("INSERT INTO lectura VALUES (?, ?, ?, ?, ?)", fila)
        autoras = base.execute("SELECT persona, min(hora) FROM captura GROUP BY persona ORDER BY 2").fetchall()
        campos = base.execute(_DECIDIR).fetchall()
    base.close()
    if len(autoras) < 2:
        return ("PrimeraConcluida", vuelta, autoras[0][0]) if autoras else ("SinCaptura", vuelta)
    pendientes = [(campo, leidas) for campo, valor, leidas in campos if valor is None]
    if pendientes:
        nombre = "EnRevision" if any(leidas > 2 for _, leidas in pendientes) else "Discrepante"
        return (nombre, vuelta, {campo for campo, _ in pendientes})
    decididos = {campo: valor for campo, valor, _ in campos}
    return ("Verificada", vuelta, decididos, datetime.fromisoformat(autoras[0][1]), hora)


def resumen(estado: Estado) -> Resumen:
    """Lo que importa de un estado, en valores simples."""
    match estado:
        case SinCaptura(vuelta):
            return ("SinCaptura", vuelta)
        case PrimeraConcluida(vuelta, primera):
            return ("PrimeraConcluida", vuelta, primera.persona)
        case Discrepante(vuelta, _, campos) | EnRevision(vuelta, _, campos):
            return (type(estado).__name__, vuelta, set(campos))
        case SinActaDeclarada(motivo, hora):
            return ("SinActaDeclarada", motivo, hora)
        case Verificada(vuelta, asentado, captura, verificacion):
            return ("Verificada", vuelta, {n: a_texto(c) for n, c in asentado.campos().items()}, captura, verificacion)
        case _:
            raise AssertionError(estado)
