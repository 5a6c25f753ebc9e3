"""El resultado de auditar una base, y su forma JSON estable."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import Enum
from typing import Any

from auditoria.inferencia import Planilla
from auditoria.reglas_renglon import Gravedad, Violacion
from auditoria.resumen import Dato
from auditoria.revision import Criterios
from nucleo.base_oficial.dialecto import Dialecto
from nucleo.problema_archivo import Problema


class Veredicto(Enum):
    """Lo que resultó; el orden es el de los códigos de salida 0, 1 y 2."""

    CONSISTENTE = "consistente"
    DISCREPANCIAS = "discrepancias"
    ILEGIBLE = "ilegible"


@dataclass(frozen=True)
class Cotejo:
    """Cuántos renglones traen bien una columna derivable."""

    columna: str
    revisados: int
    coinciden: int
    regla: str


@dataclass(frozen=True)
class Hallado:
    """Lo que se encontró en una base que sí se pudo leer."""

    tipo_eleccion: str
    corte: str
    dialecto: Dialecto
    esperadas: Dato
    resumen: list[Dato]
    renglones: int
    por_contabilizada: Counter[str]
    columnas: list[Cotejo]
    violaciones: list[Violacion]
    planilla: Planilla
    criterios: Criterios

    @property
    def comprobado(self) -> bool:
        """Si hubo algo con qué comparar: sin eso, callar sería dar por bueno lo que nadie revisó."""
        cifras = any(d.coincide is not None for d in (self.esperadas, *self.resumen))
        return self.renglones > 0 and (cifras or any(c.revisados for c in self.columnas))

    @property
    def discrepa(self) -> bool:
        resumen = any(d.coincide is False for d in (self.esperadas, *self.resumen))
        return resumen or any(v.regla.gravedad is Gravedad.DISCREPANCIA for v in self.violaciones)


@dataclass(frozen=True)
class Informe:
    """El informe de un archivo: lo hallado, o el problema que impidió leerlo."""

    archivo: str
    hallado: Hallado | Problema

    @property
    def veredicto(self) -> Veredicto:
        if isinstance(self.hallado, Problema):
            return Veredicto.ILEGIBLE
        return Veredicto.DISCREPANCIAS if self.hallado.discrepa else Veredicto.CONSISTENTE

    def a_json(self) -> dict[str, Any]:
        """Objeto JSON; las claves son estables y sólo pueden aumentar."""
        if isinstance(self.hallado, Problema):
            p = self.hallado
            motivo = {"linea": p.linea, "que": p.que, "causa": p.causa, "siguiente": p.siguiente}
            return {
                "archivo": self.archivo,
                "dialecto": None,
                "resumen": [],
                "renglones": {
                    "total": 0,
                    "por_contabilizada": dict.fromkeys(("0", "1", "2", ""), 0),
                    "violaciones": [],
                },
                "veredicto": self.veredicto.value,
                "motivo": motivo,
            }
        h = self.hallado
        return {
            "archivo": self.archivo,
            "tipo_eleccion": h.tipo_eleccion,
            "corte": h.corte,
            "dialecto": h.dialecto.describir(),
            "esperadas": _dato(h.esperadas),
            "resumen": [_dato(d) for d in h.resumen],
            "renglones": {
                "total": h.renglones,
                "por_contabilizada": {c: h.por_contabilizada[c] for c in ("0", "1", "2", "")},
                "columnas": [
                    {"columna": c.columna, "revisados": c.revisados, "coinciden": c.coinciden, "regla": c.regla}
                    for c in h.columnas
                ],
                "violaciones": [
                    {
                        "regla": v.regla.clave,
                        "gravedad": v.regla.gravedad.value,
                        "clave_acta": v.clave_acta,
                        "linea": v.linea,
                        "detalle": v.detalle,
                    }
                    for v in h.violaciones
                ],
            },
            "deducido": {
                "partidos": list(h.planilla.partidos),
                "independientes": list(h.planilla.independientes),
                "combinaciones": {c: list(p) for c, p in h.planilla.combinaciones.items()},
                "tope_especial": h.criterios.especial.explicacion,
            },
            "veredicto": self.veredicto.value,
        }


def _dato(d: Dato) -> dict[str, Any]:
    return {
        "campo": d.campo,
        "publicado": d.publicado,
        "recalculado": d.recalculado,
        "coincide": d.coincide,
        "regla": d.regla,
    }
