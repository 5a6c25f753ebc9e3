"""Las cajas en que se guardan las actas físicas para entregarlas a la presidencia del consejo.

Un acta está en una sola caja: volver a empacarla asienta otro `Empaque` y el último manda. Que una caja esté cerrada no
es un hecho del acta; se recuerda aquí, y de una caja cerrada ni entra ni sale nada: su relación impresa dice lo que
lleva. Sólo coordinación la reabre, con su motivo, y al cerrarla otra vez sale una relación nueva.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from appliance import rechazos
from appliance.almacen import Asiento, Lectura
from appliance.fila import acopiada
from appliance.mesa import Mesa
from appliance.rechazos import con_rechazo
from appliance.redigitalizacion import imagen_por_confirmar
from appliance.reloj import hora_creible
from nucleo.captura import SinActaDeclarada, Verificada, estado_de
from nucleo.hechos import Empaque, HechoDeActa, IdActa
from nucleo.problema import Rechazo

MOTIVOS_REABRIR: Final = {
    "sacar": "Hay que sacar un acta: se va a leer o a digitalizar otra vez",
    "cuenta": "Las hojas no son las de la relación",
    "equivocada": "Se guardó un papel que no va en esta caja",
}
"""Por qué se reabre una caja, en palabras de quien coordina."""


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
            caja = _la_que_recibe(t)
            antes = empaque_vigente(historia)
            if antes is not None and antes.caja == caja:
                return Empacada(caja)
            if cerrada := caja_cerrada_de(t, historia):
                return rechazos.en_caja_cerrada(acta, cerrada)
            if imagen_por_confirmar(historia) is not None:
                return rechazos.imagen_por_confirmar(acta)
            hora = hora_creible(self._mesa.reloj)
            asientos = t.asentar([Empaque(acta, hora, caja, persona)], hora, self._mesa.reloj.calidad())
            return Empacada(caja, antes.caja if antes else "", asientos[0])

    @con_rechazo
    def cerrar_caja(self, persona: str, nombre: str | None = None) -> Caja | Rechazo:
        """Cierra la caja abierta y devuelve lo que lleva. La siguiente queda abierta.

        Args:
            nombre: la que la persona tiene enfrente, abierta o reabierta; si ya se cerró, no se cierra ninguna.
        """
        with self._mesa.almacen.transaccion() as t:
            cajas = _cajas(t)
            caja = next((c for c in cajas if c.nombre == nombre), cajas[-1])
            if caja.cerrada is not None or nombre not in (None, caja.nombre):
                return _ya_cerrada(nombre or "", cajas[-1].nombre)
            if not caja.actas:
                return _vacia(caja.nombre)
            hora = hora_creible(self._mesa.reloj)
            t.conexion.execute("INSERT INTO cajas VALUES (?, ?, ?)", (caja.nombre, hora.isoformat(), persona))
            detalle = f"{caja.nombre}: {len(caja.actas)} actas"
            t.anotar(hora, "caja_cerrada", persona=persona, detalle=detalle)
            return Caja(caja.nombre, caja.actas, hora, persona)

    @con_rechazo
    def reabrir_caja(self, quien_coordina: str, nombre: str, motivo: str) -> Caja | Rechazo:
        """Coordinación reabre una caja cerrada: se puede sacar lo que lleva. Su relación impresa deja de valer.

        Si era la última, vuelve a ser la que recibe; si no, sólo espera a que se cierre otra vez.

        Args:
            motivo: una llave de `MOTIVOS_REABRIR`.
        """
        if motivo not in MOTIVOS_REABRIR:
            return rechazos.forma("falta decir por qué se reabre la caja")
        with self._mesa.almacen.transaccion() as t:
            caja = next((c for c in _cajas(t) if c.nombre == nombre and c.cerrada is not None), None)
            if caja is None:
                return _no_esta_cerrada(nombre)
            t.conexion.execute("DELETE FROM cajas WHERE caja = ?", (nombre,))
            detalle = f"{nombre}: {len(caja.actas)} actas; {MOTIVOS_REABRIR[motivo].lower()}"
            t.anotar(hora_creible(self._mesa.reloj), "caja_reabierta", persona=quien_coordina, detalle=detalle)
            return Caja(caja.nombre, caja.actas)

    @con_rechazo
    def cajas(self) -> tuple[Caja, ...] | Rechazo:
        """Todas, en orden; la última es la abierta, aunque esté vacía."""
        with self._mesa.almacen.lectura() as mirada:
            return _cajas(mirada)


def empaque_vigente(historia: Sequence[HechoDeActa]) -> Empaque | None:
    """El último empaque del acta."""
    return next((h for h in reversed(historia) if isinstance(h, Empaque)), None)


def caja_cerrada_de(mirada: Lectura, historia: Sequence[HechoDeActa]) -> str:
    """La caja cerrada en que está el papel; vacía si está fuera o en una abierta."""
    empaque = empaque_vigente(historia)
    if empaque is None:
        return ""
    hay = mirada.conexion.execute("SELECT 1 FROM cajas WHERE caja = ?", (empaque.caja,)).fetchone()
    return empaque.caja if hay else ""


def _cajas(mirada: Lectura) -> tuple[Caja, ...]:
    dentro = _en_cajas(mirada)
    cerradas = {
        nombre: (datetime.fromisoformat(hora), persona)
        for nombre, hora, persona in mirada.conexion.execute("SELECT caja, cerrada, persona FROM cajas")
    }
    nombres = sorted({*dentro, *cerradas, _la_que_recibe(mirada)}, key=_orden)
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


def _la_que_recibe(mirada: Lectura) -> str:
    """La última, si está abierta; si no, la que sigue. Una reabierta de antes no recibe."""
    cerradas = {caja for (caja,) in mirada.conexion.execute("SELECT caja FROM cajas")}
    # Todo empaque va a la que recibe: la del último es la más alta que tuvo algo, sin leer los demás.
    ultimo = mirada.ultimo_empaque()
    ultima = max(cerradas | ({ultimo.caja} if ultimo else set()), key=_orden, default="")
    return ultima if ultima and ultima not in cerradas else f"CAJA-{_orden(ultima)[0] + 1:02d}"


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


def _no_esta_cerrada(caja: str) -> Rechazo:
    return Rechazo(
        "CAJA_ABIERTA",
        f"La {caja[:20]} no está cerrada",
        "ya se reabrió, o la página quedó de antes",
        "actualice la lista de cajas",
    )


def _vacia(caja: str) -> Rechazo:
    return Rechazo(
        "CAJA_VACIA",
        f"La {caja} no tiene ningún acta",
        "todavía no se le agrega nada, o se tocó dos veces «Cerrar caja»",
        "agregue actas y ciérrela cuando esté llena",
    )
