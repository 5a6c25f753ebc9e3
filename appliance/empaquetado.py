"""Las cajas en que se guardan las actas físicas para entregarlas a la presidencia del consejo.

Un acta está en una sola caja: volver a empacarla asienta otro `Empaque` y el último manda. Que una caja esté cerrada no
es un hecho del acta; se recuerda aquí, y una caja cerrada ya no recibe nada.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from appliance import rechazos
from appliance.almacen import Asiento, Lectura
from appliance.fila import acopiada
from appliance.mesa import Mesa
from appliance.rechazos import con_rechazo
from appliance.reloj import hora_creible
from nucleo.captura import SinActaDeclarada, Verificada, estado_de
from nucleo.hechos import Empaque, HechoDeActa, IdActa
from nucleo.problema import Rechazo


@dataclass(frozen=True, slots=True)
class EnCaja:
    """Un acta dentro de su caja."""

    acta: IdActa
    hora: datetime
    persona: str
    huella: str
    """La del sobre de su `Empaque`: con ella se encuentra en el libro."""


@dataclass(frozen=True, slots=True)
class Caja:
    """Una caja y lo que tiene, en el orden en que se guardó."""

    nombre: str
    actas: tuple[EnCaja, ...]
    cerrada: datetime | None = None
    cerro: str = ""


@dataclass(frozen=True, slots=True)
class Empacada:
    """Quedó en `caja`. `antes` es la caja de la que salió, si estaba en otra; sin `asiento`, ya estaba."""

    caja: str
    antes: str = ""
    asiento: Asiento | None = None


class Empacador:
    """Lo que se hace en el empaquetado."""

    def __init__(self, mesa: Mesa) -> None:
        self._mesa = mesa

    @con_rechazo
    def empacar(self, acta: IdActa, persona: str, *, sin_verificar: bool = False) -> Empacada | Rechazo:
        """Guarda el acta en la caja abierta.

        Args:
            sin_verificar: coordinación admite guardarla aunque le falte alguna lectura.
        """
        if isinstance(ajena := self._mesa.renglones(acta), Rechazo):
            return ajena
        with self._mesa.almacen.transaccion() as t:
            historia = t.hechos_de(acta)
            estado = estado_de(historia)
            if isinstance(estado, SinActaDeclarada) or not acopiada(historia):
                return rechazos.sin_acopio(acta)
            if not isinstance(estado, Verificada) and not sin_verificar:
                return _por_verificar(acta)
            caja = _abierta(t)
            antes = empaque_vigente(historia)
            if antes is not None and antes.caja == caja:
                return Empacada(caja)
            hora = hora_creible(self._mesa.reloj)
            asientos = t.asentar([Empaque(acta, hora, caja, persona)], hora, self._mesa.reloj.calidad())
            return Empacada(caja, antes.caja if antes else "", asientos[0])

    @con_rechazo
    def cerrar_caja(self, persona: str, nombre: str | None = None) -> Caja | Rechazo:
        """Cierra la caja abierta y devuelve lo que lleva. La siguiente queda abierta.

        Args:
            nombre: la que la persona tiene enfrente; si ya no es la abierta, no se cierra ninguna.
        """
        with self._mesa.almacen.transaccion() as t:
            caja = _cajas(t)[-1]
            if nombre is not None and nombre != caja.nombre:
                return _ya_cerrada(nombre, caja.nombre)
            if not caja.actas:
                return _vacia(caja.nombre)
            hora = hora_creible(self._mesa.reloj)
            t.conexion.execute("INSERT INTO cajas VALUES (?, ?, ?)", (caja.nombre, hora.isoformat(), persona))
            detalle = f"{caja.nombre}: {len(caja.actas)} actas"
            t.anotar(hora, "caja_cerrada", persona=persona, detalle=detalle)
            return Caja(caja.nombre, caja.actas, hora, persona)

    @con_rechazo
    def cajas(self) -> tuple[Caja, ...] | Rechazo:
        """Todas, en orden; la última es la abierta, aunque esté vacía."""
        with self._mesa.almacen.lectura() as mirada:
            return _cajas(mirada)


def empaque_vigente(historia: Sequence[HechoDeActa]) -> Empaque | None:
    """El último empaque del acta."""
    return next((h for h in reversed(historia) if isinstance(h, Empaque)), None)


def _cajas(mirada: Lectura) -> tuple[Caja, ...]:
    dentro = _en_cajas(mirada)
    cerradas = {
        nombre: (datetime.fromisoformat(hora), persona)
        for nombre, hora, persona in mirada.conexion.execute("SELECT caja, cerrada, persona FROM cajas")
    }
    nombres = sorted({*dentro, *cerradas, _abierta(mirada)}, key=_orden)
    return tuple(Caja(n, tuple(dentro.get(n, ())), *cerradas.get(n, (None, ""))) for n in nombres)


def _en_cajas(mirada: Lectura) -> Mapping[str, list[EnCaja]]:
    ultimos: dict[IdActa, tuple[str, EnCaja]] = {}
    for hecho, huella in mirada.empaques():
        ultimos.pop(hecho.acta, None)
        ultimos[hecho.acta] = (hecho.caja, EnCaja(hecho.acta, hecho.hora, hecho.persona, huella))
    cajas: dict[str, list[EnCaja]] = {}
    for caja, dentro in ultimos.values():
        cajas.setdefault(caja, []).append(dentro)
    return cajas


def _abierta(mirada: Lectura) -> str:
    cerradas = [caja for (caja,) in mirada.conexion.execute("SELECT caja FROM cajas")]
    return f"CAJA-{max((_orden(c)[0] for c in cerradas), default=0) + 1:02d}"


def _orden(caja: str) -> tuple[int, str]:
    numero = caja.removeprefix("CAJA-")
    return (int(numero) if numero.isascii() and numero.isdigit() else 0, caja)


def _por_verificar(acta: IdActa) -> Rechazo:
    return Rechazo(
        "POR_VERIFICAR",
        f"El acta {acta.casilla} todavía no está verificada",
        "le falta alguna lectura, y para eso puede hacer falta el papel",
        "déjela fuera y empáquela cuando se verifique; coordinación puede guardarla así",
    )


def _ya_cerrada(caja: str, abierta: str) -> Rechazo:
    return Rechazo(
        "CAJA_CERRADA",
        f"La {caja[:20]} ya estaba cerrada; la {abierta} sigue abierta",
        "la cerró otra persona, o la página quedó de antes",
        "si le falta su relación, imprímala de la lista de cajas cerradas",
    )


def _vacia(caja: str) -> Rechazo:
    return Rechazo(
        "CAJA_VACIA",
        f"La {caja} no tiene ningún acta",
        "todavía no se le agrega nada, o se tocó dos veces «Cerrar caja»",
        "agregue actas y ciérrela cuando esté llena",
    )
