"""De un retrato a sus alarmas: función pura. Cada una dice qué pasó; su gravedad, la causa más probable y el siguiente
paso están en `alarmas.toml`.

La clave es estable: la misma causa en el mismo equipo es la misma alarma mientras dure. Si se quita y vuelve, quien
lleva la cuenta (`episodios`) la toma por nueva.
"""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from importlib import resources
from typing import Final

from nucleo.concordancia import concordar
from servicio_central.monitor.retrato import EstadoDeEnlace, Kiosco, Retrato
from servicio_central.monitor.umbrales import Umbrales

_A_LA_VISTA: Final = 6
_MAYORIA: Final = 3
"""Con menos equipos que éstos no hay mayoría que valga para decir cuál versión es la distinta."""


class Gravedad(IntEnum):
    """De peor a menor, que es como se ordenan."""

    CRITICA = 0
    """Se puede estar perdiendo o contando mal algo, o nadie recibe."""
    ALTA = 1
    """Un CATD no avanza."""
    AVISO = 2
    """Conviene mirarlo antes de que sea otra cosa."""

    @property
    def palabra(self) -> str:
        return ("crítica", "alta", "aviso")[self]


@dataclass(frozen=True, slots=True)
class Alarma:
    """Una causa presente. `equipo` es vacío si es de todo el centro."""

    tipo: str
    gravedad: Gravedad
    equipo: str
    que: str
    causa: str
    siguiente: str
    detalle: str = ""
    """Lo que distingue dos alarmas del mismo tipo y equipo."""

    @property
    def clave(self) -> str:
        return ":".join(filter(None, (self.tipo, self.equipo, self.detalle)))


@dataclass(frozen=True, slots=True)
class Ficha:
    """Lo que no cambia de una clase de alarma."""

    gravedad: Gravedad
    causa: str
    siguiente: str


@cache
def fichas() -> Mapping[str, Ficha]:
    """Las de `alarmas.toml`, por tipo o por «tipo.variante»: la variante toma del tipo lo que no diga."""
    dato = tomllib.loads(resources.files("servicio_central.monitor").joinpath("alarmas.toml").read_text("utf-8"))
    leidas = {}
    for clave, propio in dato.items():
        todo = dato[clave.partition(".")[0]] | propio
        leidas[clave] = Ficha(**todo | {"gravedad": Gravedad[todo["gravedad"].upper()]})
    return leidas


def _alarma(tipo: str, que: str, equipo: str = "", detalle: str = "", *, variante: str = "") -> Alarma:
    ficha = fichas().get(f"{tipo}.{variante}") or fichas()[tipo]
    return Alarma(tipo, ficha.gravedad, equipo, que, ficha.causa, ficha.siguiente, detalle)


def calcular(retrato: Retrato, umbrales: Umbrales) -> tuple[Alarma, ...]:
    """Todas las alarmas del retrato, lo peor primero."""
    comun = _VersionEsperada.de(retrato)
    alarmas = list(_del_centro(retrato, umbrales))
    for kiosco in retrato.kioscos:
        alarmas += _de_integridad(kiosco)
        if kiosco.estado is not EstadoDeEnlace.BAJA:
            alarmas += _de_senal(kiosco)
            alarmas += _de_avance(kiosco, retrato, umbrales)
            alarmas += _de_aparato(kiosco, umbrales, comun)
    return ordenar(alarmas)


def ordenar(alarmas: Iterable[Alarma]) -> tuple[Alarma, ...]:
    """Lo peor primero."""
    return tuple(sorted(alarmas, key=lambda a: (a.gravedad, a.tipo, a.equipo, a.detalle)))


# --------------------------------------------------------------------------------------------------- el centro


def _del_centro(r: Retrato, u: Umbrales) -> Iterator[Alarma]:
    if r.enlace.detenido:
        yield _alarma("INGESTA", f"LA INGESTA SE DETUVO: nadie recibe hojas ({r.enlace.causa})")
    elif not r.enlace.conectado:
        yield _alarma("BROKER", f"El centro no tiene enlace con el bróker ({r.enlace.causa})")
    if r.almacen_mal:
        yield _alarma("ALMACEN", f"El almacén no se puede leer ({r.almacen_mal}); lo que se ve es de antes")
    if r.libreta_mal:
        yield _alarma("LIBRETA", f"No se puede asentar en la libreta de la sala ({r.libreta_mal})")
    if r.disco_libre is not None and r.disco_libre < u.disco_centro:
        yield _alarma("DISCO_CENTRO", f"Al centro le quedan {r.disco_libre // 10**6:,} MB de disco")
    if r.cortes.futuro:
        yield _alarma("CORTE_FUTURO", f"Se publica el corte {r.cortes.publicado}, cuya hora aún no llega")
    if r.cortes.atrasado:
        yield _alarma(
            "CORTE_TARDE", f"El último corte ({r.cortes.publicado or 'ninguno'}) tiene más tiempo del permitido"
        )
    if r.cortes.en_duda:
        cuales = _algunas(r.cortes.en_duda)
        yield _alarma(
            "EN_DUDA",
            f"{concordar(len(r.cortes.en_duda), 'acta no se publica', 'actas no se publican')}: "
            f"sus lecturas no concuerdan ({cuales})",
        )
    for codigo, cuantos in sorted(r.en_espera.items()):
        yield _alarma(
            "EN_ESPERA",
            f"{concordar(cuantos, 'hoja espera', 'hojas esperan')} por {codigo}: ni se cuentan ni se rechazan",
            detalle=codigo,
            variante=codigo,
        )
    for dicho in r.excluidos:
        yield _alarma(
            "EXCLUIDO",
            f"EXCLUIDO por la autoridad: {dicho}",
            detalle=dicho.partition(" hechos de ")[2].partition(",")[0],
        )
    for codigo, cuantos in sorted(r.cuarentena_sin_equipo.items()):
        yield _alarma(
            "CUARENTENA_AJENA",
            f"{concordar(cuantos, 'mensaje', 'mensajes')} de nadie conocido en cuarentena ({codigo})",
            detalle=codigo,
        )
    for clave, veces in r.desbordes:
        yield _alarma("DESBORDE", f"{clave}: se llegó al tope y {veces:,} más sólo se contaron", detalle=clave)
    callados = [k.equipo for k in r.kioscos if k.estado.callado]
    if len(callados) >= u.silencio_masivo:
        yield _alarma(
            "SILENCIO_MASIVO", f"{len(callados)} CATD callados a la vez de {len(r.kioscos)}: {_algunas(callados)}"
        )


# -------------------------------------------------------------------------------------------------- un kiosco


def _de_integridad(k: Kiosco) -> Iterator[Alarma]:
    if k.bifurcadas:
        yield _alarma(
            "BIFURCACION", f"BIFURCADO: {concordar(k.bifurcadas, 'hoja', 'hojas')} con secuencia repetida", k.equipo
        )
    if k.rota:
        yield _alarma("CADENA_ROTA", f"Cadena rota en la hoja {k.contiguo + 1}: no encadena con la anterior", k.equipo)
    if k.retroceso:
        yield _alarma("RETROCESO", "Dice tener menos hojas que las recibidas", k.equipo)
    if k.bitacora:
        yield _alarma(
            "BITACORA",
            f"Su bitácora no cuadra: {k.bitacora[0]}" + (f", y {len(k.bitacora) - 1} más" if k.bitacora[1:] else ""),
            k.equipo,
        )
    for codigo, cuantos in k.cuarentena:
        yield _alarma(
            "CUARENTENA",
            f"{concordar(cuantos, 'mensaje', 'mensajes')} en cuarentena ({codigo})",
            k.equipo,
            detalle=codigo,
            variante=codigo,
        )


def _de_senal(k: Kiosco) -> Iterator[Alarma]:
    if k.estado is EstadoDeEnlace.NUNCA:
        yield _alarma("NUNCA", "Nunca ha hablado", k.equipo)
    elif k.estado.callado:
        cortado = k.estado is EstadoDeEnlace.CAIDO
        yield _alarma("SILENCIO", "Se cortó su conexión" if cortado else "No da señales", k.equipo)


def _de_avance(k: Kiosco, r: Retrato, u: Umbrales) -> Iterator[Alarma]:
    edad = k.mas_viejo_s
    if edad >= u.mas_viejo_s:
        yield _alarma(
            "BANDEJA",
            f"{concordar(k.pendientes, 'hoja espera', 'hojas esperan')} acuse; "
            f"la más vieja pasa de {en_palabras(_escalon(edad, u))}",
            k.equipo,
            variante="GRAVE" if edad >= u.mas_viejo_grave_s else "",
        )
    elif k.pendientes >= u.pendientes and k.crecimiento >= u.crecimiento:
        yield _alarma("BANDEJA", "Su bandeja crece más aprisa de lo que sale", k.equipo, variante="CRECE")
    if k.latido is None or k.estado.callado or (r.hora - k.latido).total_seconds() < u.faltan_s:
        return
    if k.anunciada > k.guardados:
        yield _alarma("FALTAN", f"Faltan hojas que dijo tener, después de la {k.contiguo}", k.equipo)


def _escalon(segundos: int, u: Umbrales) -> int:
    """El borde ya pasado: la alarma no cambia de texto a cada segundo."""
    bordes = sorted({u.mas_viejo_s, u.mas_viejo_grave_s, *(3600 * n for n in range(1, 25))})
    return max((b for b in bordes if b <= segundos), default=segundos)


def _de_aparato(k: Kiosco, u: Umbrales, comun: _VersionEsperada) -> Iterator[Alarma]:
    if k.latido is None:
        return
    if abs(k.desfase_ms) >= u.desfase_ms:
        lado = "adelantado" if k.desfase_ms > 0 else "atrasado"
        yield _alarma("RELOJ", f"Su reloj va {lado} más de {u.desfase_ms // 1000} s", k.equipo)
    elif k.reloj and k.reloj not in u.relojes_buenos:
        yield _alarma("RELOJ", f"Su reloj no está sincronizado ({k.reloj})", k.equipo, variante="SIN_SINCRONIZAR")
    if k.disco_libre is not None and 0 <= k.disco_libre < u.disco_kiosco:
        yield _alarma("DISCO", f"Le quedan menos de {u.disco_kiosco // 10**6:,} MB de disco", k.equipo)
    if k.escaner in ("sin_escaner", "falla"):
        yield _alarma(
            "ESCANER", "No encuentra su escáner" if k.escaner == "sin_escaner" else "Su escáner falla", k.equipo
        )
    if comun.definicion and k.definicion and k.definicion != comun.definicion:
        yield _alarma("DEFINICION", f"Usa otra definición: {k.definicion[:12]} y no {comun.definicion[:12]}", k.equipo)
    if comun.version and k.version != comun.version:
        yield _alarma("VERSION", f"Corre la versión {k.version} y la mayoría la {comun.version}", k.equipo)


@dataclass(frozen=True, slots=True)
class _VersionEsperada:
    """Contra qué se compara cada kiosco: la definición del centro y la versión de la mayoría."""

    definicion: str
    version: str

    @classmethod
    def de(cls, retrato: Retrato) -> _VersionEsperada:
        cuenta = Counter(k.version for k in retrato.kioscos if k.latido is not None and k.version)
        (version, cuantos), *_ = cuenta.most_common(1) or [("", 0)]
        mayoria = cuantos >= _MAYORIA and 2 * cuantos > cuenta.total()
        return cls(retrato.definicion, version if mayoria else "")


def _algunas(cuales: tuple[str, ...] | list[str]) -> str:
    return ", ".join(cuales[:_A_LA_VISTA]) + ("…" if len(cuales) > _A_LA_VISTA else "")


def en_palabras(segundos: int) -> str:
    """«45 s», «12 min», «3 h»."""
    if segundos < 60:
        return f"{segundos} s"
    return f"{segundos // 60} min" if segundos < 7200 else f"{segundos // 3600} h"
