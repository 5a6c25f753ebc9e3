"""Pasar hojas por el escáner, o copiarlas de una memoria, y ver en qué van."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

from fastapi import FastAPI
from fastapi.responses import Response

from appliance.digitalizacion import tabla
from appliance.digitalizacion.digitalizadora import Digitalizadora
from appliance.digitalizacion.fotos import Importacion, Memoria
from appliance.digitalizacion.hoja import EstadoDeHoja, Hoja, Lote
from appliance.digitalizacion.marcha import Marcha
from appliance.pantalla.hoja_en_palabras import Renglon, renglon_de
from appliance.pantalla.pagina import (
    Aviso,
    Entrada,
    Pantalla,
    PideCoordinacion,
    PideDigitalizacion,
    de_rechazo,
    persona_de,
)
from nucleo.acta import Digitalizacion
from nucleo.problema import Rechazo

SIN_PUESTO: Final = Rechazo(
    "SIN_PUESTO",
    "Este kiosco no tiene aparatos",
    "se abrió sin su puesto de trabajo",
    "capture con el papel o llame al área técnica para abrirlo con su escáner",
)
_SIN_PERMISO: Final = Rechazo(
    "SIN_PERMISO",
    "Aquí no se admite capturar sin imagen",
    "así lo dice la configuración de este kiosco",
    "repare el escáner, o copie fotografías de una memoria USB",
)
_FIN_DE_FOTOS: Final = {"sin_papel": "se copiaron todas", "desconectado": "no se copiaron todas"}
_FIN: Final = {
    "": "entrando",
    "sin_papel": "terminó: ya no hay hojas en la charola",
    "completo": "terminó",
    "cancelado": "lo detuvo una persona",
    "interrumpido": "se interrumpió al apagarse el kiosco",
}


@dataclass(frozen=True)
class LoteEnPantalla:
    """El último lote: cuánto papel entró y cuántos registros salieron."""

    foto: bool
    hora: str
    fin: str
    entraron: int
    a_medias: int
    salieron: int
    listas: int
    por_revisar: int
    mirando: int
    apartadas: int

    @property
    def cuadra(self) -> bool:
        return self.entraron == self.salieron


@dataclass(frozen=True)
class Cuadro:
    """Todo lo que cambia en la pantalla; su huella dice si hay algo nuevo que pintar."""

    corriendo: bool
    deteniendo: bool
    escaner: str
    sin_escaner: Rechazo | None
    tropiezo: Rechazo | None
    fallas: tuple[tuple[str, tuple[str, str, str, str]], ...]
    importacion: Importacion | Rechazo | None
    lote: LoteEnPantalla | None
    esperan: int
    dudosas: tuple[Renglon, ...]
    recientes: tuple[Renglon, ...]
    memorias: tuple[Memoria, ...]
    piden: tuple[str, ...]
    """Actas de las que se pidió otra imagen, en palabras."""
    con_el_papel: bool

    @property
    def version(self) -> str:
        return hashlib.sha256(repr(self).encode()).hexdigest()[:16]


def agregar(app: FastAPI, p: Pantalla) -> None:
    @app.get("/digitalizacion")
    def digitalizacion(e: PideDigitalizacion) -> Response:
        return p.pagina("digitalizacion.html", e, titulo="Digitalizar", cuadro=_cuadro(p))

    @app.get("/digitalizacion/marcha")
    def marcha(e: PideDigitalizacion, v: str = "") -> Response:
        cuadro = _cuadro(p)
        if v == cuadro.version:
            return Response(status_code=204)
        return p.pagina("marcha.html", e, cuadro=cuadro)

    @app.post("/digitalizacion")
    def mandar(e: PideDigitalizacion) -> Response:
        def accion() -> tuple[str, Aviso | None]:
            d = p.puesto.digitalizadora
            if d is None:
                return "/digitalizacion", de_rechazo(SIN_PUESTO)
            if e.texto("mando") == "detener":
                d.detener()
                return "/digitalizacion", None
            lote = d.digitalizar(persona_de(e).clave)
            return "/digitalizacion", de_rechazo(lote) if isinstance(lote, Rechazo) else None

        return p.una_vez(e, accion)

    @app.post("/digitalizacion/entendido")
    def entendido(e: PideDigitalizacion) -> Response:
        def accion() -> tuple[str, Aviso | None]:
            if p.puesto.digitalizadora is not None:
                p.puesto.digitalizadora.cadena.entender(e.texto("lote")[:80], persona_de(e).clave)
            return "/digitalizacion", None

        return p.una_vez(e, accion)

    @app.post("/digitalizacion/con-el-papel")
    def con_el_papel(e: PideCoordinacion) -> Response:
        def accion() -> tuple[str, Aviso | None]:
            if not p.puesto.con_el_papel:
                return "/digitalizacion", de_rechazo(_SIN_PERMISO)
            with p.kiosco.almacen.transaccion() as t:
                t.anotar(p.kiosco.reloj.ahora(), "con_el_papel", persona=persona_de(e).clave)
            p.mesa.exigir_imagen(False)
            siguiente = "pase las hojas en cuanto el escáner vuelva"
            return "/digitalizacion", Aviso(True, "Ya se puede capturar con el papel", "quedó anotado", siguiente)

        return p.una_vez(e, accion)

    @app.post("/digitalizacion/fotos")
    def fotos(e: PideDigitalizacion) -> Response:
        def accion() -> tuple[str, Aviso | None]:
            return "/digitalizacion", _importar(p.puesto.digitalizadora, e)

        return p.una_vez(e, accion)


def _importar(d: Digitalizadora | None, e: Entrada) -> Aviso | None:
    if d is None:
        return de_rechazo(SIN_PUESTO)
    memoria = d.importar(e.texto("memoria")[:300], persona_de(e).clave)
    if isinstance(memoria, Rechazo):
        return de_rechazo(memoria)
    return Aviso(True, f"Copiando las fotografías de «{memoria.nombre}»", "", "no saque la memoria hasta que termine")


def _cuadro(p: Pantalla) -> Cuadro:
    d = p.puesto.digitalizadora
    marcha = d.marcha() if d is not None else Marcha(False, False, None, None)
    fuente = d.escaner() if d is not None else SIN_PUESTO
    with p.kiosco.almacen.lectura() as mirada:
        dudosas, recientes = tabla.dudosas(mirada, 30), tabla.recientes(mirada, 18)
        fallas = tabla.lotes_con_falla(mirada)
        ultimo = tabla.ultimo_lote(mirada)
        del_lote = tabla.cuentas(mirada, ultimo.lote) if ultimo is not None else None
        esperan = tabla.cuentas(mirada)[EstadoDeHoja.RECIBIDA]
    piden = p.mesa.por_redigitalizar()
    sin_escaner = fuente if isinstance(fuente, Rechazo) else None
    return Cuadro(
        marcha.corriendo,
        marcha.deteniendo,
        "" if isinstance(fuente, Rechazo) else p.puesto.nombre_escaner(),
        sin_escaner,
        marcha.tropiezo,
        tuple((lote.lote, lote.falla) for lote in fallas if lote.falla is not None),
        marcha.importacion,
        _lote(ultimo, del_lote) if ultimo is not None and del_lote is not None else None,
        esperan,
        _renglones(p, dudosas),
        _renglones(p, recientes),
        d.memorias.montadas() if d is not None else (),
        () if isinstance(piden, Rechazo) else tuple(f"{x.acta.casilla}" for x in piden[:6]),
        p.puesto.con_el_papel,
    )


def _renglones(p: Pantalla, hojas: list[Hoja]) -> tuple[Renglon, ...]:
    return tuple(renglon_de(p.proceso, hoja, p.ahora().tzinfo) for hoja in hojas)


def _lote(lote: Lote, cuentas: dict[EstadoDeHoja, int]) -> LoteEnPantalla:
    salieron = sum(cuentas.values())
    corriendo, foto = lote.fin == "", lote.digitalizacion is Digitalizacion.MOVIL
    return LoteEnPantalla(
        foto,
        f"{lote.hora:%H:%M}",
        (_FIN | _FIN_DE_FOTOS if foto else _FIN).get(lote.fin, "se detuvo por una falla"),
        max(lote.entraron, salieron) if corriendo else lote.entraron,
        lote.a_medias,
        salieron,
        cuentas.get(EstadoDeHoja.ASIGNADA, 0) + cuentas.get(EstadoDeHoja.FUERA, 0),
        cuentas.get(EstadoDeHoja.DUDOSA, 0),
        cuentas.get(EstadoDeHoja.RECIBIDA, 0),
        cuentas.get(EstadoDeHoja.DESCARTADA, 0),
    )
