"""Toma el retrato: lee el almacén en una transacción y lo cruza con el padrón, los cortes y el enlace del centro."""

from __future__ import annotations

import shutil
from collections import defaultdict, deque
from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from nucleo.eleccion import Proceso
from nucleo.padron import Equipo, Padron
from servicio_central import almacenes, exclusiones
from servicio_central.cadena import Cadena, Eslabon
from servicio_central.enlace import Estado
from servicio_central.monitor.recuento import Recuento
from servicio_central.monitor.retrato import Cortes, EnlaceDelCentro, EstadoDeEnlace, Kiosco, Retrato
from servicio_central.monitor.umbrales import Umbrales
from servicio_central.publicado import CORTES, actas_en_duda, es_futuro, nombre_de, ultimo_publicado
from servicio_central.puerto_almacen import ERRORES, Lector


class Fotografo:
    """Uno por proceso: recuerda lo ya contado y lo anterior de cada equipo. Un solo hilo lo usa."""

    def __init__(
        self, carpeta: Path, umbrales: Umbrales, anteriores: Mapping[str, EstadoDeEnlace] | None = None
    ) -> None:
        self._carpeta = carpeta
        self._umbrales = umbrales
        self._recuento = Recuento()
        self._estados = dict(anteriores or {})
        self._pendientes: dict[str, deque[tuple[datetime, int]]] = defaultdict(deque)
        self._en_duda: tuple[str | None, tuple[str, ...]] = (None, ())
        self._ultimo: Retrato | None = None

    @property
    def bitacoras(self) -> Mapping[tuple[str, str], int]:
        """Cadena → secuencia de su última hoja de bitácora, en el último retrato."""
        return self._recuento.bitacoras

    def retratar(self, proceso: Proceso, padron: Padron, estado: Estado, ahora: datetime) -> Retrato:
        """El retrato de este instante. Si el almacén no se puede leer, el último bueno con el motivo encima."""
        enlace = EnlaceDelCentro(
            estado.conectado and not estado.detenido,
            datetime.fromtimestamp(estado.desde, UTC),
            estado.recibidos,
            estado.causa,
            estado.detenido,
        )
        try:
            with closing(almacenes.leer(self._carpeta)) as bd:
                bd.execute("BEGIN")
                retrato = self._leer(bd, proceso, padron, enlace, ahora)
        except ERRORES as error:
            base = self._ultimo or Retrato(ahora, enlace)
            return replace(base, hora=ahora, enlace=enlace, almacen_mal=str(error))
        retrato = replace(
            retrato,
            cortes=self._cortes(proceso, ahora),
            desbordes=(*retrato.desbordes, *estado.desbordes()),
            excluidos=tuple(str(x) for x in exclusiones.contar(self._carpeta, padron)),
            disco_libre=_disco_libre(self._carpeta),
        )
        self._ultimo = retrato
        return retrato

    def _leer(self, bd: Lector, proceso: Proceso, padron: Padron, enlace: EnlaceDelCentro, ahora: datetime) -> Retrato:
        self._recuento.ponerse_al_dia(bd, proceso, padron)
        bifurcadas = dict(bd.execute("SELECT equipo, count(*) FROM bifurcaciones GROUP BY equipo"))
        apartados = _apartados(bd)
        en_espera = dict(bd.execute("SELECT codigo, count(*) FROM en_espera GROUP BY codigo ORDER BY codigo"))
        desbordes = tuple((c, n) for c, n in bd.execute("SELECT clave, veces FROM desbordes ORDER BY clave"))
        latidos, cadenas = _latidos(bd), _cadenas(bd)
        bitacoras = self._recuento.anomalias(bd, {clave: cadena.contiguo for clave, cadena in cadenas.items()})
        kioscos = []
        for equipo in sorted(padron.equipos.values(), key=lambda e: e.nombre):
            kiosco = self._kiosco(equipo, latidos.get(equipo.nombre), cadenas, enlace, ahora)
            self._estados[equipo.nombre] = kiosco.estado
            kioscos.append(
                replace(
                    kiosco,
                    bifurcadas=bifurcadas.get(equipo.nombre, 0),
                    cuarentena=tuple(sorted(apartados.get(equipo.nombre, {}).items())),
                    bitacora=bitacoras.get(equipo.nombre, ()),
                )
            )
        return Retrato(
            hora=ahora,
            enlace=enlace,
            kioscos=tuple(kioscos),
            lugares=self._recuento.lugares(proceso, padron),
            hechos=self._recuento.total,
            bifurcaciones=sum(bifurcadas.values()),
            cuarentena=_sumar(apartados.values()),
            cuarentena_sin_equipo=_sumar(v for e, v in apartados.items() if e not in padron.equipos),
            en_espera=en_espera,
            desbordes=desbordes,
            padron=padron.version,
            definicion=proceso.huella,
        )

    def _kiosco(
        self,
        equipo: Equipo,
        latido: Mapping[str, Any] | None,
        cadenas: Mapping[tuple[str, str], Cadena],
        enlace: EnlaceDelCentro,
        ahora: datetime,
    ) -> Kiosco:
        propias = [epoca for nombre, epoca in cadenas if nombre == equipo.nombre]
        epoca = latido["epoca"] if latido else next(iter(propias), "")
        cadena = cadenas.get((equipo.nombre, epoca)) or Cadena()
        recibido = None if latido is None else datetime.fromisoformat(latido["recibido"])
        base = Kiosco(
            equipo.nombre,
            equipo.catd,
            self._estado(equipo, latido, recibido, enlace, ahora),
            recibido,
            epoca,
            contiguo=cadena.contiguo,
            guardados=self._recuento.por_cadena.get((equipo.nombre, epoca), 0),
            rota=cadena.rota,
        )
        if latido is None or recibido is None:
            return base
        mas_viejo = int(latido.get("mas_viejo_s", -1))
        if mas_viejo >= 0:
            mas_viejo += max(0, int((ahora - recibido).total_seconds()))
        return replace(
            base,
            pendientes=latido["pendientes"],
            mas_viejo_s=mas_viejo,
            crecimiento=self._crecimiento(equipo.nombre, latido["pendientes"], ahora),
            anunciada=latido["secuencia"],
            retroceso=bool(latido["retroceso"]),
            imagenes=int(latido.get("imagenes", 0)),
            imagenes_bytes=int(latido.get("imagenes_bytes", 0)),
            reloj=latido["reloj"],
            desfase_ms=int(latido.get("desfase_ms", 0)),
            disco_libre=latido["disco_libre"],
            version=latido["version"],
            definicion=str(latido.get("definicion", "")),
            salida=str(latido.get("salida", "")),
            medidos_bytes=int(latido.get("medidos_bytes", 0)),
            escaner=str(latido.get("escaner", "")),
            orden=int(latido.get("orden", 0)),
            paquete=str(latido.get("paquete", "")),
            paquete_bytes=int(latido.get("paquete_bytes", 0)),
        )

    def _estado(
        self,
        equipo: Equipo,
        latido: Mapping[str, Any] | None,
        recibido: datetime | None,
        enlace: EnlaceDelCentro,
        ahora: datetime,
    ) -> EstadoDeEnlace:
        if not equipo.vigente:
            return EstadoDeEnlace.BAJA
        if latido is None or recibido is None:
            return EstadoDeEnlace.NUNCA
        if latido["motivo"] == "muerte":
            return EstadoDeEnlace.CAIDO
        tope = timedelta(seconds=self._umbrales.silencio_s)
        if ahora - recibido <= tope:
            return EstadoDeEnlace.EN_LINEA
        # Si el centro no ha estado oyendo, el silencio es suyo: cada quien sigue como se le vio la última vez.
        oyendo = enlace.conectado and ahora - enlace.desde > tope
        anterior = self._estados.get(equipo.nombre)
        if not oyendo and anterior in (EstadoDeEnlace.EN_LINEA, EstadoDeEnlace.SIN_SENAL):
            return anterior
        return EstadoDeEnlace.SIN_SENAL

    def _crecimiento(self, equipo: str, pendientes: int, ahora: datetime) -> int:
        vistos = self._pendientes[equipo]
        if not vistos or vistos[-1][1] != pendientes:
            vistos.append((ahora, pendientes))
        desde = ahora - timedelta(seconds=self._umbrales.ventana_s)
        # Se conserva el último anterior a la ventana: es lo que había al empezar.
        while len(vistos) > 1 and vistos[1][0] <= desde:
            vistos.popleft()
        return pendientes - vistos[0][1]

    def _cortes(self, proceso: Proceso, ahora: datetime) -> Cortes:
        publicado = ultimo_publicado(self._carpeta)
        if self._en_duda[0] != publicado:
            dudosas = actas_en_duda(self._carpeta, publicado) if publicado else ()
            self._en_duda = (publicado, dudosas)
        tarde = timedelta(seconds=self._umbrales.corte_tarde_s)
        limite = ahora - timedelta(minutes=proceso.minutos_entre_cortes) - tarde
        atrasado = False
        if proceso.inicio_publicacion <= limite and ahora <= proceso.cierre + tarde:
            atrasado = publicado is None or publicado < nombre_de(proceso, limite)
        hechos = self._carpeta / CORTES
        return Cortes(
            publicado,
            sum(1 for _ in hechos.iterdir()) if hechos.is_dir() else 0,
            publicado is not None and es_futuro(proceso, publicado, ahora),
            atrasado,
            self._en_duda[1],
        )


def _apartados(bd: Lector) -> dict[str, dict[str, int]]:
    """Equipo (vacío si no se supo) → código → cuántos."""
    apartados: dict[str, dict[str, int]] = {}
    for equipo, codigo, cuantos in bd.execute(
        "SELECT equipo, codigo, count(*) FROM cuarentena GROUP BY equipo, codigo"
    ):
        apartados.setdefault(equipo or "", {})[codigo] = cuantos
    return apartados


def _sumar(partes: Any) -> dict[str, int]:
    suma: dict[str, int] = defaultdict(int)
    for parte in partes:
        for codigo, cuantos in parte.items():
            suma[codigo] += cuantos
    return dict(sorted(suma.items()))


def _latidos(bd: Lector) -> dict[str, dict[str, Any]]:
    filas = bd.execute("SELECT * FROM latidos")
    columnas = [c[0] for c in filas.description or ()]
    return {latido["equipo"]: latido for latido in (dict(zip(columnas, fila, strict=True)) for fila in filas)}


def _cadenas(bd: Lector) -> dict[tuple[str, str], Cadena]:
    """(equipo, época) → cadena. Sólo se necesita saber si el siguiente ya está: entonces está rota."""
    cadenas = {}
    for equipo, epoca, contiguo, huella, choque in bd.execute(
        "SELECT c.equipo, c.epoca, c.contiguo, c.huella,"
        " (SELECT h.huella || h.previo FROM hechos h"
        "   WHERE h.equipo = c.equipo AND h.epoca = c.epoca AND h.secuencia = c.contiguo + 1)"
        " FROM cadenas c"
    ):
        cadena = Cadena(contiguo, huella)
        if choque is not None:
            cadena.agregar(contiguo + 1, Eslabon(choque[:64], choque[64:]))
        cadenas[equipo, epoca] = cadena
    return cadenas


def _disco_libre(carpeta: Path) -> int | None:
    try:
        return shutil.disk_usage(carpeta).free
    except OSError:
        return None
