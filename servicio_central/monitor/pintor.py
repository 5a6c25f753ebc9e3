"""Pinta los pedazos de la sala y dice cuáles cambiaron: lo que se manda a los navegadores ya va hecho.

Cada pedazo tiene un identificador fijo en la página. Cambia uno y se manda ése; sube uno en la tabla y se manda sólo
ése, con su nuevo lugar. La tabla entera son setenta kilobytes y un tercio de segundo del navegador que la recibe.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from importlib import resources
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from nucleo.concordancia import concordar
from servicio_central.monitor import cartograma, grupos, motivos, vista
from servicio_central.monitor.episodios import Presente
from servicio_central.monitor.mesa import Mesa
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
    hecho.filters["motivo"] = motivos.en_palabras
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
            movidos = [] if list(previos) == list(renglones) else por_mover(list(previos), list(renglones))
            if len(movidos) > _MAXIMO_MOVIDOS or not previos:
                partes.append(_contenedor(contenedor, renglones))
                continue
            idos = previos.keys() - renglones.keys()
            partes += [_quitado(contenedor, clave) for clave in sorted(idos | {m for m, _ in movidos if m in previos})]
            partes += [_puesto(contenedor, clave, tras, renglones[clave]) for clave, tras in movidos]
            quietos = renglones.keys() - {m for m, _ in movidos}
            cambiados = [html for clave, html in renglones.items() if clave in quietos and previos[clave] != html]
            # Un <tr> suelto no se puede leer como HTML: htmx lo saca de su <template>.
            partes += [f"<template>{html}</template>" for html in cambiados]
        return "".join(partes)


def _contenedor(nombre: str, renglones: Mapping[str, str]) -> str:
    dentro = "".join(renglones.values())
    if nombre == TABLA:
        return f'<template><tbody id="{TABLA}" hx-swap-oob="true">{dentro}</tbody></template>'
    return f'<ul id="{nombre}" class="rejilla" hx-swap-oob="true">{dentro}</ul>'


_MAXIMO_MOVIDOS: Final = 40
"""Con más que éstos sale mejor mandar la lista entera."""

_RENGLON: Final = {TABLA: ("k", "tr", "tbody"), REJILLA: ("c", "li", "ul")}
"""Contenedor → (prefijo del identificador de cada renglón, su etiqueta, la del contenedor)."""


def por_mover(antes: Sequence[str], ahora: Sequence[str]) -> list[tuple[str, str]]:
    """(renglón, tras cuál va) de los menos que hay que poner para pasar de un orden al otro, según se van poniendo.

    «Tras» vacío es al principio. Los que no están en `antes` son nuevos; los que ya no están en `ahora` no salen aquí.
    """
    lugares = {clave: n for n, clave in enumerate(antes)}
    quietos = _subida_mas_larga([(lugares[c], c) for c in ahora if c in lugares])
    return [(clave, ahora[n - 1] if n else "") for n, clave in enumerate(ahora) if clave not in quietos]


def _subida_mas_larga(pares: Sequence[tuple[int, str]]) -> set[str]:
    """Las claves de la subsucesión creciente más larga: las que pueden quedarse donde están."""
    colas: list[int] = []
    en_cola: list[int] = []
    previo = [-1] * len(pares)
    for i, (lugar, _) in enumerate(pares):
        n = bisect_left(colas, lugar)
        colas[n : n + 1] = [lugar]
        en_cola[n : n + 1] = [i]
        previo[i] = en_cola[n - 1] if n else -1
    quietos, i = set(), en_cola[-1] if en_cola else -1
    while i >= 0:
        quietos.add(pares[i][1])
        i = previo[i]
    return quietos


def _quitado(contenedor: str, clave: str) -> str:
    prefijo, etiqueta, _ = _RENGLON[contenedor]
    return f'<template><{etiqueta} id="{prefijo}-{clave}" hx-swap-oob="delete"></{etiqueta}></template>'


def _puesto(contenedor: str, clave: str, tras: str, html: str) -> str:
    prefijo, _, de_fuera = _RENGLON[contenedor]
    donde = f"afterend:#{prefijo}-{tras}" if tras else f"afterbegin:#{contenedor}"
    return f'<template><{de_fuera} hx-swap-oob="{donde}">{html}</{de_fuera}></template>'


class Pintor:
    """Recuerda lo pintado de cada kiosco: si sus palabras son las mismas, no se vuelve a pintar."""

    def __init__(self, umbrales: Umbrales) -> None:
        self._umbrales = umbrales
        self._piezas: Any = entorno().get_template("piezas.html").module
        self._pintados: dict[str, tuple[VistaDeKiosco, str, str, str]] = {}

    def pintar(
        self, retrato: Retrato, presentes: Sequence[Presente], mesa: Mesa, huso: str
    ) -> tuple[Pagina, Pagina, Pagina]:
        """La sala, el proyector y la mesa."""
        por_equipo: dict[str, list[Presente]] = {}
        for p in presentes:
            por_equipo.setdefault(p.alarma.equipo, []).append(p)
        vistas = [vista.ver(k, por_equipo.get(k.equipo, ()), retrato, self._umbrales) for k in retrato.kioscos]
        pintados = {v.equipo: self._kiosco(v) for v in vistas}
        self._pintados = {e: p for e, p in self._pintados.items() if e in pintados}
        agrupadas = grupos.agrupar(presentes, huso)
        resumen = resumir(retrato, presentes, vistas)
        fecha = partial(grupos.fecha, huso=huso)
        mapa = cartograma.dibujar(retrato.lugares, retrato.kioscos, retrato.hora, self._umbrales)
        en_orden = sorted(vistas, key=lambda v: (v.peor, v.equipo))
        sala = Pagina(
            {
                "resumen": self._piezas.resumen(resumen, retrato, mesa),
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
        de_mesa = Pagina(
            {
                "pedidos": self._piezas.pedidos(mesa.pedidos, fecha),
                "ordenes": self._piezas.ordenes(mesa, fecha),
                "mochilas": self._piezas.mochilas(mesa.mochilas, fecha),
            }
        )
        return sala, proyector, de_mesa

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
    en_pausa: int
    """Kioscos a los que se les ordenó no mandar imágenes."""
    por_recibir: int
    con_hechos: int
    esperadas: int

    @property
    def titulo(self) -> str:
        """Lo primero que se lee, en palabras."""
        partes = [
            concordar(n, uno, varios)
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
        en_pausa=sum(k.imagenes_en_pausa is not None for k in vigentes),
        por_recibir=sum(k.por_recibir for k in retrato.kioscos),
        con_hechos=sum(lugar.con_hechos for lugar in retrato.lugares),
        esperadas=sum(lugar.esperadas for lugar in retrato.lugares),
    )
