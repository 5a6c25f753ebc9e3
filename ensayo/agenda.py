"""Qué hizo cada persona, y a qué hora, según lo que se publicó.

Cada renglón publicado se vuelve el trabajo que lo produjo: acopio, digitalización, una captura, la otra y, de vez en
cuando, un desliz que resuelve una tercera persona. Sólo se toma lo que una persona pudo leer o asentar; ninguna
columna derivada (totales calculados, observaciones, contabilizada) pasa por aquí.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from nucleo.acta import Asentado, Digitalizacion, MotivoSinActa, Origen, asentado_de_campos
from nucleo.campo import Numero, a_json, de_json
from nucleo.hechos import IdActa

UNA_DE_CADA: Final = 40
"""Frecuencia con que el ensayo hace que la segunda captura se equivoque en un renglón."""

ANTES_DEL_CORTE: Final = timedelta(minutes=1)
"""Los renglones «sin acta» no publican hora: se declaran un minuto antes del primer corte en que aparecen."""


@dataclass(frozen=True)
class Documento:
    """Un acta (o un documento fuera de catálogo) con lo que dice y cómo llegó, según su publicación."""

    acta: IdActa
    """En los documentos fuera de catálogo, `casilla` está vacía."""
    distrito: int
    acopio: datetime
    captura: datetime | None
    verificacion: datetime | None
    asentado: Asentado | None
    origen: Origen
    digitalizacion: Digitalizacion
    tipo_documento: str
    mecanismo_traslado: str
    sin_acta: MotivoSinActa | None = None
    huella_publicada: str = ""
    """SHA-256 que publicó el instituto; sólo distingue entre sí los documentos fuera de catálogo."""


@dataclass(frozen=True)
class Tarea:
    """Una acción de una persona. `orden` desempata las de la misma hora dentro de un documento."""

    hora: datetime
    orden: int
    accion: str
    persona: str
    documento: int
    """Posición del documento en la agenda."""


@dataclass(frozen=True)
class Agenda:
    """El trabajo de un CATD en la noche, en orden."""

    documentos: tuple[Documento, ...]
    tareas: tuple[Tarea, ...]


def agenda_de(documentos: list[Documento]) -> Agenda:
    """Ordena el trabajo de un CATD; la misma entrada da siempre la misma agenda."""
    tareas = [t for i, d in enumerate(documentos) for t in _tareas(i, d)]
    return Agenda(tuple(documentos), tuple(sorted(tareas, key=lambda t: (t.hora, t.documento, t.orden))))


def _tareas(indice: int, d: Documento) -> Iterator[Tarea]:
    if d.sin_acta is not None:
        yield Tarea(d.acopio, 0, "sin_acta", "acopio-1", indice)
        return
    if d.asentado is None or d.captura is None or d.verificacion is None:
        yield Tarea(d.acopio, 0, "fuera_de_catalogo", "acopio-1", indice)
        return
    # Hay actas cuya hora estampada de acopio es posterior a su captura: se registran antes, con la hora que dice el
    # sello.
    recibida = min(d.acopio, d.captura)
    yield Tarea(recibida, 0, "acopiar", "acopio-1", indice)
    yield Tarea(recibida, 1, "digitalizar", "digitaliza-1", indice)
    primera, segunda = ("captura-1", "captura-2") if indice % 2 else ("captura-2", "captura-1")
    yield Tarea(d.captura, 2, "capturar", primera, indice)
    if _se_equivoca(d):
        mitad = d.captura + (d.verificacion - d.captura) // 2
        yield Tarea(max(mitad, d.captura), 3, "equivocarse", segunda, indice)
        yield Tarea(d.verificacion, 4, "corregir", "coordina-1", indice)
    else:
        yield Tarea(d.verificacion, 3, "capturar", segunda, indice)


def _se_equivoca(d: Documento) -> bool:
    huella = hashlib.sha256(str(d.acta).encode()).digest()
    return int.from_bytes(huella[:4]) % UNA_DE_CADA == 0 and d.captura != d.verificacion


def con_desliz(asentado: Asentado) -> Asentado:
    """La misma transcripción con un renglón mal leído: el primero que es un número."""
    campos = asentado.campos()
    for nombre, campo in campos.items():
        if isinstance(campo, Numero):
            return asentado_de_campos(campos | {nombre: Numero(campo.valor + 1 if campo.valor < 999 else 0)})
    return asentado_de_campos(campos | {"TOTAL_ASENTADO": Numero(1)})


def guardar(agenda: Agenda, ruta: Path) -> None:
    """Escribe la agenda para el proceso que la vivirá."""
    dato = {
        "documentos": [_documento_a_json(d) for d in agenda.documentos],
        "tareas": [[t.hora.isoformat(), t.orden, t.accion, t.persona, t.documento] for t in agenda.tareas],
    }
    ruta.write_text(json.dumps(dato, ensure_ascii=False), encoding="utf-8")


def cargar(ruta: Path) -> Agenda:
    """Lee lo que escribió `guardar`."""
    dato = json.loads(ruta.read_text(encoding="utf-8"))
    return Agenda(
        tuple(_documento_de_json(d) for d in dato["documentos"]),
        tuple(Tarea(datetime.fromisoformat(h), o, a, p, d) for h, o, a, p, d in dato["tareas"]),
    )


def _documento_a_json(d: Documento) -> dict[str, Any]:
    return {
        "acta": [d.acta.eleccion, d.acta.casilla],
        "distrito": d.distrito,
        "horas": [h.isoformat() if h else None for h in (d.acopio, d.captura, d.verificacion)],
        "campos": {k: a_json(v) for k, v in d.asentado.campos().items()} if d.asentado else None,
        "origen": d.origen.value,
        "digitalizacion": d.digitalizacion.value,
        "tipo_documento": d.tipo_documento,
        "mecanismo_traslado": d.mecanismo_traslado,
        "sin_acta": d.sin_acta.value if d.sin_acta else None,
        "huella_publicada": d.huella_publicada,
    }


def _documento_de_json(dato: Mapping[str, Any]) -> Documento:
    acopio, captura, verificacion = (datetime.fromisoformat(h) if h else None for h in dato["horas"])
    assert acopio is not None
    campos = dato["campos"]
    return Documento(
        IdActa(*dato["acta"]),
        dato["distrito"],
        acopio,
        captura,
        verificacion,
        asentado_de_campos({k: de_json(v) for k, v in campos.items()}) if campos else None,
        Origen(dato["origen"]),
        Digitalizacion(dato["digitalizacion"]),
        dato["tipo_documento"],
        dato["mecanismo_traslado"],
        MotivoSinActa(dato["sin_acta"]) if dato["sin_acta"] else None,
        dato["huella_publicada"],
    )
