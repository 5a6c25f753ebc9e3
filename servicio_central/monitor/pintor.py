"""Pinta los pedazos de la sala y dice cuáles cambiaron: lo que se manda a los navegadores ya va hecho.

Cada pedazo tiene un identificador fijo en la página. Cambia uno y se manda ése; cambia el orden de los renglones o hay
equipos nuevos y se manda la tabla.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from servicio_central.monitor import cartograma, grupos, vista
from servicio_central.monitor.episodios import Presente
from servicio_central.monitor.retrato import EstadoDeEnlace, Retrato
from servicio_central.monitor.umbrales import Umbrales
from servicio_central.monitor.vista import VistaDeKiosco

TABLA: Final = "tabla"
REJILLA: Final = "rejilla"
_ALARMAS_DEL_PROYECTOR: Final = 4
_COLUMNAS_DEL_PROYECTOR: Final = 6


@cache
def entorno() -> Environment:
    """Plantillas de la sala, con escape automático: lo que diga un kiosco nunca se vuelve HTML."""
    hecho = Environment(
        loader=PackageLoader("servicio_central.monitor", "plantillas"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    hecho.filters["miles"] = lambda n: f"{n:,}"
    hecho.globals["nombres_de_alarma"] = grupos.NOMBRES
    return hecho


def estatico(nombre: str) -> bytes:
    """Un archivo de `estaticos/`."""
    return resources.files("servicio_central.monitor").joinpath("estaticos", nombre).read_bytes()


@dataclass(frozen=True)
class Pagina:
    """Los pedazos ya pintados de una pantalla. `sueltos` son por identificador; `listas`, los que llevan renglones."""

    sueltos: Mapping[str, str] = field(default_factory=dict)
    listas: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Contenedor → (identificador → renglón), en orden."""

    def completa(self) -> str:
        """Todo, para quien acaba de llegar o se atrasó."""
        return "".join((*self.sueltos.values(), *(_contenedor(c, p) for c, p in self.listas.items())))

    def cambios(self, antes: Pagina) -> str:
        """Lo que hay que mandar a quien tiene `antes`; vacío si nada."""
        partes = [html for clave, html in self.sueltos.items() if antes.sueltos.get(clave) != html]
        for contenedor, renglones in self.listas.items():
            previos = antes.listas.get(contenedor, {})
            if list(previos) != list(renglones):
                partes.append(_contenedor(contenedor, renglones))
                continue
            cambiados = [html for clave, html in renglones.items() if previos[clave] != html]
            # Un <tr> suelto no se puede leer como HTML: htmx lo saca de su <template>.
            partes += [f"<template>{html}</template>" for html in cambiados]
        return "".join(partes)


def _contenedor(nombre: str, renglones: Mapping[str, str]) -> str:
    dentro = "".join(renglones.values())
    if nombre == TABLA:
        return f'<template><tbody id="{TABLA}" hx-swap-oob="true">{dentro}</tbody></template>'
    return f'<ul id="{nombre}" class="rejilla" hx-swap-oob="true">{dentro}</ul>'


class Pintor:
    """Recuerda lo pintado de cada kiosco: si sus palabras son las mismas, no se vuelve a pintar."""

    def __init__(self, umbrales: Umbrales) -> None:
        self._umbrales = umbrales
        self._piezas: Any = entorno().get_template("piezas.html").module
        self._pintados: dict[str, tuple[VistaDeKiosco, str, str, str]] = {}

    def pintar(self, retrato: Retrato, presentes: Sequence[Presente], huso: str) -> tuple[Pagina, Pagina]:
        """La sala y el proyector."""
        por_equipo: dict[str, list[Presente]] = {}
        for p in presentes:
            por_equipo.setdefault(p.alarma.equipo, []).append(p)
        vistas = [vista.ver(k, por_equipo.get(k.equipo, ()), retrato, self._umbrales) for k in retrato.kioscos]
        pintados = {v.equipo: self._kiosco(v) for v in vistas}
        self._pintados = {e: p for e, p in self._pintados.items() if e in pintados}
        agrupadas = grupos.agrupar(presentes, huso)
        resumen = resumir(retrato, presentes, vistas)
        mapa = cartograma.dibujar(retrato.lugares, retrato.kioscos, retrato.hora, self._umbrales)
        en_orden = sorted(vistas, key=lambda v: (v.peor, v.equipo))
        sala = Pagina(
            {
                "resumen": self._piezas.resumen(resumen, retrato),
                "alarmas": self._piezas.alarmas(agrupadas),
                "mapa": self._piezas.mapa(mapa, True),
            },
            {
                REJILLA: {v.equipo: pintados[v.equipo][0] for v in vistas},
                TABLA: {v.equipo: pintados[v.equipo][1] for v in en_orden},
            },
        )
        proyector = Pagina(
            {
                "resumen": self._piezas.resumen_del_proyector(resumen, retrato),
                "alarmas": self._piezas.alarmas_del_proyector(
                    agrupadas[:_ALARMAS_DEL_PROYECTOR], len(agrupadas[_ALARMAS_DEL_PROYECTOR:])
                ),
                "mapa": self._piezas.mapa(
                    cartograma.dibujar(
                        retrato.lugares, retrato.kioscos, retrato.hora, self._umbrales, _COLUMNAS_DEL_PROYECTOR
                    ),
                    False,
                ),
            },
            {REJILLA: {v.equipo: pintados[v.equipo][2] for v in vistas}},
        )
        return sala, proyector

    def _kiosco(self, v: VistaDeKiosco) -> tuple[str, str, str]:
        anterior = self._pintados.get(v.equipo)
        if anterior is None or anterior[0] != v:
            anterior = (
                v,
                str(self._piezas.celda(v, True)),
                str(self._piezas.renglon(v)),
                str(self._piezas.celda(v, False)),
            )
            self._pintados[v.equipo] = anterior
        return anterior[1:]


@dataclass(frozen=True, slots=True)
class Resumen:
    """El encabezado: cuánto hay de cada cosa."""

    criticas: int
    altas: int
    avisos: int
    sin_reconocer: int
    kioscos: int
    en_linea: int
    callados: int
    nunca: int
    pendientes: int
    imagenes: int
    imagenes_bytes: str
    con_hechos: int
    esperadas: int

    @property
    def titulo(self) -> str:
        """Lo primero que se lee, en palabras."""
        partes = [
            f"{n} {uno if n == 1 else varios}"
            for n, uno, varios in (
                (self.criticas, "crítica", "críticas"),
                (self.altas, "alta", "altas"),
                (self.avisos, "aviso", "avisos"),
            )
            if n
        ]
        return " · ".join(partes) or "Todo en orden"


def resumir(retrato: Retrato, presentes: Sequence[Presente], vistas: Sequence[VistaDeKiosco]) -> Resumen:
    """Las cuentas del encabezado."""
    gravedades = [p.alarma.gravedad for p in presentes]
    estados = [k.estado for k in retrato.kioscos]
    vigentes = [k for k in retrato.kioscos if k.estado is not EstadoDeEnlace.BAJA]
    return Resumen(
        criticas=sum(g == 0 for g in gravedades),
        altas=sum(g == 1 for g in gravedades),
        avisos=sum(g == 2 for g in gravedades),
        sin_reconocer=sum(not p.reconocida for p in presentes),
        kioscos=len(vigentes),
        en_linea=estados.count(EstadoDeEnlace.EN_LINEA),
        callados=sum(e.callado for e in estados),
        nunca=estados.count(EstadoDeEnlace.NUNCA),
        pendientes=sum(k.pendientes for k in vigentes),
        imagenes=sum(k.imagenes for k in vigentes),
        imagenes_bytes=vista.bytes_en_palabras(sum(k.imagenes_bytes for k in vigentes)),
        con_hechos=sum(lugar.con_hechos for lugar in retrato.lugares),
        esperadas=sum(lugar.esperadas for lugar in retrato.lugares),
    )
