"""`/metrics`: lo mismo que el tablero, en la forma de Prometheus. Sin cuenta, pero sólo para esta máquina."""

from __future__ import annotations

import ipaddress
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from servicio_central.ingesta import Destino
from servicio_central.monitor.alarmas import Gravedad
from servicio_central.monitor.grupos import NOMBRES
from servicio_central.monitor.mesa import Mesa
from servicio_central.monitor.mochilas_vistas import COMO_ENTRO
from servicio_central.monitor.puerta import la_sala
from servicio_central.monitor.retrato import EstadoDeEnlace, Kiosco, Retrato
from servicio_central.monitor.sala import Sala
from servicio_central.monitor.vida_de_orden import Paso

TIPO: Final = "text/plain; version=0.0.4; charset=utf-8"
_DE_UN_INTERMEDIARIO: Final = frozenset(
    {"forwarded", "via", "x-real-ip", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"}
)
"""Con cualquiera de éstas, quien pide no es esta máquina aunque la conexión lo sea."""

rutas = APIRouter()


@rutas.get("/metrics")
def metricas(peticion: Request) -> Response:
    """Para el Prometheus de esta máquina. Lo que llega por un intermediario viene de fuera y no se atiende."""
    directa = peticion.client.host if peticion.client else ""
    try:
        local = ipaddress.ip_address(directa).is_loopback
    except ValueError:
        local = False
    if not local or not _DE_UN_INTERMEDIARIO.isdisjoint(peticion.headers.keys()):
        return PlainTextResponse("Las métricas sólo se dan en la propia máquina.", 403)
    return Response(escribir(la_sala(peticion)), media_type=TIPO)


def escribir(sala: Sala) -> bytes:
    """Todas las métricas, del último retrato."""
    registro = CollectorRegistry(auto_describe=False)
    registro.register(_DeLaSala(sala))
    return generate_latest(registro)


class _DeLaSala(Collector):
    def __init__(self, sala: Sala) -> None:
        self._sala = sala

    def collect(self) -> Iterable[Metric]:
        observador = self._sala.observador
        try:
            observador.pagina()
        except Exception as error:
            # Lo que no se pudo pintar se cuenta aquí mismo: callarlo todo escondería también el defecto.
            observador.anotar_defecto(error)
        retrato = observador.retrato
        if retrato is None:
            yield from _de_la_sala(self._sala)
            return
        yield from _del_centro(retrato, self._sala)
        yield from _de_los_kioscos(retrato)
        yield from _de_los_distritos(retrato)
        yield from _de_la_mesa(observador.mesa)
        yield from _de_la_sala(self._sala)


def _del_centro(r: Retrato, sala: Sala) -> Iterator[Metric]:
    estado = sala.centro.enlace.estado
    yield _uno("prep_centro_conectado", "1 si el centro está en línea con el bróker", r.enlace.conectado)
    yield _uno("prep_centro_ingesta_viva", "1 si la ingesta corre", not r.enlace.detenido)
    yield _uno("prep_centro_almacen_legible", "1 si el almacén se puede leer", not r.almacen_mal)
    yield _suma("prep_centro_recibidos", "Mensajes recibidos desde que arrancó", {(): estado.recibidos})
    yield _suma("prep_centro_lotes", "Lotes asentados desde que arrancó", {(): estado.lotes})
    yield _suma("prep_centro_lote_segundos", "Segundos juzgando y asentando lotes", {(): estado.segundos_de_lote})
    destinos: dict[tuple[str, ...], float] = {(d.value,): float(estado.destinos.get(d.value, 0)) for d in Destino}
    yield _suma("prep_centro_destinos", "Mensajes por destino desde que arrancó", destinos, "destino")
    yield _uno("prep_centro_hechos", "Hojas aceptadas", r.hechos)
    yield _uno("prep_centro_bifurcaciones", "Hojas bifurcadas", r.bifurcaciones)
    yield _varios("prep_centro_cuarentena", "Mensajes en cuarentena", r.cuarentena, "codigo")
    yield _varios("prep_centro_en_espera", "Hojas que esperan otra definición o padrón", r.en_espera, "codigo")
    yield _varios("prep_centro_desbordes", "Lo que sólo se contó, pasado el tope", dict(r.desbordes), "clave")
    yield _uno("prep_centro_padron_version", "Versión del padrón", r.padron)
    if r.disco_libre is not None:
        yield _uno("prep_centro_disco_libre_bytes", "Bytes libres en el centro", r.disco_libre)
    yield _uno("prep_centro_cortes", "Cortes hechos", r.cortes.hechos)
    yield _uno("prep_centro_corte_atrasado", "1 si el último corte debió salir y no está", r.cortes.atrasado)
    yield _uno("prep_centro_actas_en_duda", "Actas que el último corte no publica", len(r.cortes.en_duda))
    yield _varios("prep_centro_corte_publicado", "El corte que se publica", {r.cortes.publicado or "": 1}, "corte")


def _de_los_kioscos(r: Retrato) -> Iterator[Metric]:
    estados = GaugeMetricFamily("prep_kiosco_estado", "1 en el estado en que está", labels=["equipo", "catd", "estado"])
    dichos = GaugeMetricFamily(
        "prep_kiosco_info", "Lo que el kiosco dice de sí", labels=["equipo", "version", "definicion", "salida", "reloj"]
    )
    escaner = GaugeMetricFamily("prep_kiosco_escaner", "1 en lo que dice de su escáner", labels=["equipo", "escaner"])
    cuarentena = GaugeMetricFamily("prep_kiosco_cuarentena", "Sus mensajes apartados", labels=["equipo", "codigo"])
    numeros = {
        nombre: GaugeMetricFamily(f"prep_kiosco_{nombre}", explica, labels=["equipo"])
        for nombre, explica in _NUMEROS.items()
    }
    for k in r.kioscos:
        for estado in EstadoDeEnlace:
            estados.add_metric([k.equipo, k.catd, estado.value], float(k.estado is estado))
        for nombre, valor in _numeros(k, r).items():
            numeros[nombre].add_metric([k.equipo], valor)
        for codigo, cuantos in k.cuarentena:
            cuarentena.add_metric([k.equipo, codigo], cuantos)
        if k.latido is not None:
            dichos.add_metric([k.equipo, k.version, k.definicion[:12], k.salida, k.reloj], 1)
            escaner.add_metric([k.equipo, k.escaner], 1)
    yield estados
    yield dichos
    yield escaner
    yield cuarentena
    yield from numeros.values()


_NUMEROS: Final = {
    "latido_segundos": "Segundos desde su último latido",
    "pendientes": "Hojas sin acuse, según él",
    "mas_viejo_segundos": "Edad de su hoja sin acuse más vieja; -1 si no hay",
    "crecimiento": "Pendientes de más en la ventana",
    "imagenes": "Imágenes por salir",
    "imagenes_bytes": "Bytes de imágenes por salir",
    "imagenes_en_pausa": "1 si obedeció la orden de no mandar imágenes",
    "anunciada": "Última hoja que dice tener",
    "contiguo": "Hasta dónde está completo en el centro",
    "guardados": "Hojas suyas en el centro",
    "bifurcadas": "Hojas bifurcadas",
    "cadena_rota": "1 si su cadena no encadena",
    "retroceso": "1 si dice tener menos que lo recibido",
    "bitacora_anomalias": "Lo que no cuadra en su bitácora",
    "desfase_segundos": "Su reloj menos el del centro",
    "por_recibir": "Imágenes que declaró y el centro aún no tiene",
    "por_recibir_bytes": "Bytes que dicen medir",
    "disco_libre_bytes": "Bytes libres",
    "medidos_bytes": "Bytes gastados en la salida que se paga",
}
"""Métrica de un kiosco, sin `prep_kiosco_` → qué es."""


def _numeros(k: Kiosco, r: Retrato) -> dict[str, float]:
    valores: dict[str, float] = {
        "contiguo": k.contiguo,
        "guardados": k.guardados,
        "bifurcadas": k.bifurcadas,
        "cadena_rota": k.rota,
        "bitacora_anomalias": len(k.bitacora),
        "por_recibir": k.por_recibir,
        "por_recibir_bytes": k.por_recibir_bytes,
    }
    if k.latido is None:
        return valores
    return valores | {
        "latido_segundos": max(0.0, (r.hora - k.latido).total_seconds()),
        "pendientes": k.pendientes,
        "mas_viejo_segundos": k.mas_viejo_s,
        "crecimiento": k.crecimiento,
        "imagenes": k.imagenes,
        "imagenes_bytes": k.imagenes_bytes,
        "imagenes_en_pausa": k.imagenes_en_pausa is not None,
        "anunciada": k.anunciada,
        "retroceso": k.retroceso,
        "desfase_segundos": k.desfase_ms / 1000,
        "disco_libre_bytes": -1 if k.disco_libre is None else k.disco_libre,
        "medidos_bytes": k.medidos_bytes,
    }


def _de_los_distritos(r: Retrato) -> Iterator[Metric]:
    hechas = {f"{x.distrito}": x.con_hechos for x in r.lugares}
    yield _varios("prep_distrito_actas_con_hechos", "Actas esperadas de las que ya llegó algo", hechas, "distrito")
    esperadas = {f"{x.distrito}": x.esperadas for x in r.lugares}
    yield _varios("prep_distrito_actas_esperadas", "Actas que se esperan", esperadas, "distrito")


def _de_la_mesa(mesa: Mesa) -> Iterator[Metric]:
    pasos = Counter(v.paso.value for v in mesa.ordenes)
    yield _varios("prep_ordenes", "Órdenes de las últimas doce horas", {p.value: pasos[p.value] for p in Paso}, "paso")
    yield _uno("prep_pedidos_por_autorizar", "Pedidos que esperan a un supervisor", len(mesa.pedidos))
    mochilas = Counter(m.como for m in mesa.mochilas.vistas)
    yield _varios("prep_mochilas", "Mochilas por cómo entraron", {c: mochilas[c] for c in COMO_ENTRO}, "como")
    yield _uno("prep_mochilas_en_buzon", "Mochilas que esperan en el buzón", len(mesa.mochilas.esperan))
    yield _uno("prep_buzon_ajenos", "Lo del buzón que no es una mochila", len(mesa.mochilas.ajenos))


def _de_la_sala(sala: Sala) -> Iterator[Metric]:
    observador = sala.observador
    por_gravedad = GaugeMetricFamily("prep_alarmas", "Alarmas presentes", labels=["gravedad", "reconocida"])
    cuenta = Counter((p.alarma.gravedad, p.reconocida) for p in observador.presentes)
    for gravedad in Gravedad:
        for reconocida in (False, True):
            valores = [gravedad.palabra, "sí" if reconocida else "no"]
            por_gravedad.add_metric(valores, cuenta[gravedad, reconocida])
    yield por_gravedad
    tipos = Counter(p.alarma.tipo for p in observador.presentes)
    yield _varios("prep_alarmas_por_tipo", "Alarmas presentes de cada tipo", {t: tipos[t] for t in NOMBRES}, "tipo")
    oyentes = {"sala": observador.sala.oyentes, "proyector": observador.proyector.oyentes}
    yield _varios("prep_sala_navegadores", "Navegadores oyendo", oyentes, "canal")
    yield _suma("prep_sala_miradas", "Retratos tomados", {(): observador.miradas})
    yield _suma("prep_sala_defectos", "Retratos que un defecto de la sala no dejó pintar", {(): observador.defectos})
    yield _suma("prep_sala_mirada_segundos", "Segundos tomando retratos", {(): observador.segundos_de_mirada})


def _uno(nombre: str, explica: str, valor: float) -> Metric:
    return GaugeMetricFamily(nombre, explica, value=float(valor))


def _varios(nombre: str, explica: str, valores: Mapping[str, float], etiqueta: str) -> Metric:
    familia = GaugeMetricFamily(nombre, explica, labels=[etiqueta])
    for clave, valor in valores.items():
        familia.add_metric([clave], float(valor))
    return familia


def _suma(nombre: str, explica: str, valores: Mapping[tuple[str, ...], float], *etiquetas: str) -> Metric:
    familia = CounterMetricFamily(nombre, explica, labels=list(etiquetas))
    for claves, valor in valores.items():
        familia.add_metric(list(claves), valor)
    return familia
