"""Pasar una imagen del banco por la cadena de producción y anotar qué tan lejos quedó de la verdad."""

from __future__ import annotations

import io
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from PIL import Image

from appliance.vision.codigo_leido import CodigoLeido
from appliance.vision.codigos import LectorDeCodigos, primer_paso
from appliance.vision.compresion import comprimir
from appliance.vision.pagina import Analisis, analizar
from appliance.vision.plantilla import Plantilla, preparar
from appliance.vision.segunda_opinion import SegundaOpinion
from ensayo.degradar import CLASES, Muestra, muestra
from nucleo.codigo_qr import Identificado, identificar
from nucleo.definicion import cargar_proceso
from nucleo.eleccion import Proceso
from nucleo.formato import leer_formatos
from nucleo.problema import Rechazo

LEJOS_MM: Final = 2.0
"""Un recorte corrido más que esto puede mostrar el renglón de al lado."""
SIN_FORMA: Final = frozenset(("GIRADA", "PALIDA", "SIN_FORMATO"))
"""Avisos que nada dicen de si los recortes están en su lugar."""


@dataclass(frozen=True)
class Lectura:
    """Qué sacó un lector de una imagen."""

    qr: bool
    code128: bool
    falsas: int
    """Códigos que identifican un acta que no es."""
    ms: float
    """Milisegundos de procesador."""

    @property
    def leyo(self) -> bool:
        return self.qr or self.code128


@dataclass(frozen=True)
class Medida:
    """Todo lo que se midió de una imagen."""

    clase: str
    indice: int
    copia: bool
    gravedad: str
    primer_paso: Lectura
    zbar: Lectura
    cascada: Lectura
    en_espejo: int
    """Códigos que el lector supo que veía por detrás."""
    rechazo: str
    """Código del `Rechazo` si ni siquiera se analizó."""
    aceptable: bool
    motivos: tuple[str, ...]
    nombrada: bool
    """Si es mala, que se rechazó con un motivo que la describe."""
    error_mm: float | None
    """El mayor entre sus casillas; `None` si no se registró o no hay verdad."""
    lejos: int
    """Casillas a más de `LEJOS_MM` de su lugar."""
    casillas: int
    avisada: bool
    ms_pagina: float
    etapas: dict[str, float]
    kb: float


@dataclass(frozen=True)
class Banco:
    """Lo que un proceso prepara una vez: el acta, los formatos y los lectores."""

    proceso: Proceso
    plantillas: tuple[Plantilla, ...]
    segunda: SegundaOpinion
    lector: LectorDeCodigos


def preparar_banco(carpeta: Path) -> Banco:
    """Carga el proceso de esa carpeta, con los formatos de su primera elección."""
    proceso = cargar_proceso(carpeta)
    eleccion = next(iter(proceso.elecciones))
    plantillas = tuple(preparar(f, carpeta) for f in leer_formatos(carpeta, eleccion))
    segunda = SegundaOpinion(plazo_s=20)
    return Banco(proceso, plantillas, segunda, LectorDeCodigos(segunda))


def medir_una(banco: Banco, semilla: int, clase: str, indice: int) -> Medida:
    """Genera esa imagen y la mide."""
    m = muestra(banco.proceso, semilla, clase, indice)
    return medir_muestra(banco, m)


def medir_muestra(banco: Banco, m: Muestra) -> Medida:
    antes = time.thread_time()
    gris = np.asarray(cv2.cvtColor(m.imagen, cv2.COLOR_BGR2GRAY), np.uint8)
    primero = primer_paso(gris)
    ms_primero = (time.thread_time() - antes) * 1000
    antes_zbar = banco.segunda.procesador_s
    de_zbar = banco.segunda(gris)
    ms_zbar = (banco.segunda.procesador_s - antes_zbar) * 1000
    antes, antes_zbar = time.thread_time(), banco.segunda.procesador_s
    leidos = banco.lector(m.imagen)
    ms_cascada = (time.thread_time() - antes + banco.segunda.procesador_s - antes_zbar) * 1000
    # Una «lectura» con las esquinas de la imagen dice, al salir, cómo se giró y redujo lo que se guardó.
    alto, ancho = gris.shape
    marca = CodigoLeido("", "MARCA", ((0, 0), (ancho - 1, 0), (ancho - 1, alto - 1), (0, alto - 1)))
    analisis = analizar(_archivo(m), banco.plantillas, lambda _: (*leidos, marca), comprimir)
    comunes = (
        *(m.clase, m.indice, m.hoja.copia, m.gravedad),
        _lectura(banco, m, primero, ms_primero),
        _lectura(banco, m, de_zbar, ms_zbar),
        _lectura(banco, m, leidos, ms_cascada),
        sum(codigo.espejo is True for codigo in leidos),
    )
    if isinstance(analisis, Rechazo):
        return Medida(*comunes, analisis.codigo, False, (), False, None, 0, 0, True, ms_cascada, {}, 0.0)
    motivos = tuple(motivo.codigo for motivo in analisis.veredicto.motivos)
    errores = _errores(m, analisis)
    etapas = {**analisis.milisegundos, "codigos": ms_cascada}
    return Medida(
        *comunes,
        "",
        analisis.veredicto.aceptable,
        motivos,
        not analisis.veredicto.aceptable and bool(m.motivos & set(motivos)),
        max(errores) if errores else None,
        sum(e > LEJOS_MM for e in errores),
        len(errores),
        not analisis.veredicto.aceptable or bool(set(motivos) - SIN_FORMA),
        sum(etapas.values()),
        etapas,
        len(analisis.imagen) / 1024,
    )


def _archivo(m: Muestra) -> bytes:
    """Como llega: el escáner entrega PNM y el teléfono JPEG."""
    salida = io.BytesIO()
    hoja = Image.fromarray(np.ascontiguousarray(m.imagen[:, :, ::-1]))
    if m.clase.startswith("telefono"):
        hoja.save(salida, "JPEG", quality=95)
    else:
        hoja.save(salida, "PPM")
    return salida.getvalue()


def _lectura(banco: Banco, m: Muestra, leidos: Sequence[CodigoLeido], ms: float) -> Lectura:
    suyos = {(c.simbologia, c.texto) for c in leidos}
    falsas = 0
    for codigo in leidos:
        de_quien = identificar(codigo.texto, banco.proceso)
        # Lo leído por detrás se sabe que no es de esta cara del papel.
        if isinstance(de_quien, Identificado) and de_quien.acta != m.hoja.etiqueta.acta and codigo.espejo is not True:
            falsas += 1
    return Lectura(("QR", m.hoja.qr) in suyos, ("CODE128", m.hoja.code128) in suyos, falsas, ms)


def _errores(m: Muestra, analisis: Analisis) -> list[float]:
    """Milímetros entre donde se cree que está cada casilla y donde está."""
    marca = next(c for c in analisis.codigos if c.simbologia == "MARCA")
    centros = np.array([(c.x + c.ancho / 2, c.y + c.alto / 2) for c in m.hoja.formato.casillas.values()], np.float64)
    verdad = m.donde(centros)
    if analisis.registro is None or verdad is None:
        return []
    alto, ancho = m.imagen.shape[:2]
    esquinas = np.array([[0, 0], [ancho - 1, 0], [ancho - 1, alto - 1], [0, alto - 1]], np.float32)
    a_guardada = cv2.getPerspectiveTransform(esquinas, np.array(marca.posicion, np.float32))
    creidos = cv2.perspectiveTransform(verdad[None], analisis.registro.matriz @ a_guardada)[0]
    return [math.hypot(dx, dy) for dx, dy in (creidos - centros).tolist()]


def es_mala(clase: str) -> bool:
    return clase not in CLASES
