"""Los pedazos de que se hacen las páginas JSON: porcentajes con su denominador, avances, votos y cortes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from nucleo import porcentaje
from nucleo.campo import valor
from nucleo.eleccion import Ambito, Eleccion, Proceso
from nucleo.inconsistencias import CODIGOS
from nucleo.padron import Padron
from nucleo.publicacion.fichas import Corte, FichaSeccion, Situacion
from nucleo.publicacion.parcial import CAUSAS, Parcial
from nucleo.publicacion.quien_va_adelante import candidaturas_de

VERSION: Final = 1
"""De la forma de los JSON; sube si una llave cambia de significado o desaparece."""


def a_bytes(dato: Mapping[str, Any]) -> bytes:
    """Los bytes publicados: UTF-8, sin espacios de sobra, las llaves en el orden en que se escribieron, y LF al final.

    Sin sangrías porque el codificador rápido de Python no las hace, y son treinta mil páginas.
    """
    return json.dumps(dato, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode() + b"\n"


def parte(cuantos: int, entre: int) -> dict[str, Any]:
    """Una proporción: nunca se publica un porcentaje sin su denominador."""
    return {"parte": cuantos, "entre": entre, "porcentaje": porcentaje.a_texto(cuantos, entre)}


def hora(cuando: datetime, proceso: Proceso) -> str:
    """ISO 8601 en hora de la entidad, con su desfase."""
    return cuando.astimezone(ZoneInfo(proceso.huso)).isoformat()


def corte(cual: Corte, proceso: Proceso) -> dict[str, Any]:
    return {"nombre": cual.nombre, "hora": hora(cual.hora, proceso), "ultimo": cual.ultimo}


def corte_o_nada(cual: Corte | None, proceso: Proceso) -> dict[str, Any] | None:
    return None if cual is None else corte(cual, proceso)


def padron(cual: Padron | None) -> dict[str, Any] | None:
    """Con qué padrón se contó, para quien recalcule. Sale sólo de él, haya visto o no el centro lo excluido."""
    if cual is None:
        return None
    return {
        "version": cual.version,
        "huella": cual.huella,
        "exclusiones": [
            {"equipo": n, "epoca": p, "hasta": x.hasta, "motivo": x.motivo, "fecha": x.fecha.isoformat()}
            for n, p, x in cual.exclusiones
        ],
    }


def encabezado(proceso: Proceso, eleccion: Eleccion) -> dict[str, Any]:
    """Con lo que empieza toda página de una elección."""
    return {
        "v": VERSION,
        "proceso": proceso.clave,
        "modo": proceso.modo,
        "definicion": proceso.huella,
        "eleccion": {"clave": eleccion.clave, "nombre": eleccion.nombre},
    }


def avance(parcial: Parcial) -> dict[str, Any]:
    """Lo que va junto a cualquier total: cuánto ha llegado, cuánto falta y por qué."""
    resumen = parcial.resumen(False)
    return {
        "actas": {
            "esperadas": resumen.esperadas,
            "registradas": resumen.registradas,
            "fuera_catalogo": resumen.fuera_catalogo,
            "capturadas": resumen.capturadas,
            "contabilizadas": resumen.contabilizadas,
            "no_contabilizadas": resumen.no_contabilizadas,
            "inconsistentes": resumen.inconsistentes,
        },
        "avance": {
            "capturadas": parte(*resumen.porcentaje_capturadas),
            "contabilizadas": parte(*resumen.porcentaje_contabilizadas),
            "inconsistentes": parte(*resumen.porcentaje_inconsistencias),
        },
        "faltan": {
            "total": parcial.esperadas - parcial.contabilizadas,
            "por_causa": {causa: parcial.faltantes.get(causa, 0) for causa in CAUSAS},
        },
        "lista_nominal": parte(parcial.lista_nominal, parcial.lista_nominal_esperada),
        "votos": {"con_especiales": parcial.votos_c_cs, "sin_especiales": parcial.votos_s_cs},
        "participacion": {
            "sin_especiales": parte(*parcial.resumen(False).participacion),
            "con_especiales": parte(*parcial.resumen(True).participacion),
        },
        "ubicacion": {"urbanas": parcial.urbanas, "no_urbanas": parcial.no_urbanas},
        "inconsistencias": {codigo: parcial.inconsistencias.get(codigo, 0) for codigo in CODIGOS},
    }


def tabla(votos: Iterable[tuple[str, int]], nombres: Mapping[str, str], total: int) -> list[dict[str, Any]]:
    """Votos de cada clave, en el orden recibido, entre el total de votos."""
    return [{"clave": c, "nombre": nombres.get(c, c), "votos": v, **_entre(v, total)} for c, v in votos]


def renglones(parcial: Parcial, eleccion: Eleccion) -> list[dict[str, Any]]:
    """Votos de cada renglón que existe en esas actas, en el orden del acta."""
    votos = [(clave, parcial.votos[clave]) for clave in eleccion.por_clave if clave in parcial.votos]
    return tabla(votos, nombres_de_renglon(eleccion), parcial.votos_c_cs)


def nombres_de_renglon(eleccion: Eleccion) -> dict[str, str]:
    return {o.clave: o.nombre for o in eleccion.opciones}


def votos_de(
    parcial: Parcial,
    eleccion: Eleccion,
    por_candidatura: Mapping[str, int],
    por_partido: Mapping[str, int],
    adelante: tuple[str, ...],
) -> dict[str, Any]:
    """Las tres maneras de ver los mismos votos, y quién va adelante; con un empate, todas las que empatan."""
    nombres = nombres_de_renglon(eleccion)
    return {
        "por_renglon": renglones(parcial, eleccion),
        "por_candidatura": tabla(por_candidatura.items(), nombres, parcial.votos_c_cs),
        "por_partido": tabla(por_partido.items(), nombres, parcial.votos_c_cs),
        "adelante": {"candidaturas": list(adelante), "empate": len(adelante) > 1},
    }


def candidaturas_de_seccion(ficha: FichaSeccion) -> dict[str, int]:
    """Votos por candidatura de una sección, aunque el catálogo la parta entre divisiones con coaliciones distintas."""
    eleccion = ficha.eleccion
    votos: dict[int | None, dict[str, int]] = {}
    for acta in ficha.actas:
        suma = votos.setdefault(eleccion.division(acta.casilla), {})
        for opcion in eleccion.opciones_de(acta.casilla):
            suma.setdefault(opcion.clave, 0)
        if acta.situacion is Situacion.CONTABILIZADA:
            for opcion, dato in acta.renglones:
                suma[opcion.clave] += valor(dato)
    return candidaturas_de(votos, eleccion)


def division(clave: int | None, nombre: str, eleccion: Eleccion) -> dict[str, Any]:
    tipo = "municipio" if eleccion.ambito is Ambito.MUNICIPIO else "distrito"
    return {"tipo": tipo, "clave": clave, "nombre": nombre}


def cambio_de(ficha: FichaSeccion) -> Corte | None:
    """El corte en que cambió por última vez alguna de sus actas."""
    cortes = [a.publicada_en for a in ficha.actas if a.publicada_en is not None]
    return max(cortes, key=lambda c: (c.hora, c.nombre), default=None)


def _entre(cuantos: int, total: int) -> dict[str, Any]:
    return {"entre": total, "porcentaje": porcentaje.a_texto(cuantos, total)}
