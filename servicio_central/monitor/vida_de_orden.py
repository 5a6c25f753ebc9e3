"""La vida de una orden: encolada, bajada al bróker, recibida por el kiosco, y cumplida o rechazada con causa.

Función pura de lo que hay asentado y de lo que el kiosco dice en su latido y en su bitácora. Que el bróker la tenga no
es que el kiosco la tenga: «recibida» sólo lo dice él.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Final

from nucleo.concordancia import concordar
from nucleo.orden import TomarDefinicion
from servicio_central.monitor.acciones import en_palabras
from servicio_central.monitor.rastro_de_orden import Rastro
from servicio_central.monitor.retrato import EstadoDeEnlace, Kiosco
from servicio_central.ordenes import OrdenGuardada


class Paso(Enum):
    """Hasta dónde llegó. Los dos últimos son finales."""

    ENCOLADA = "encolada"
    BAJADA = "bajada"
    RECIBIDA = "recibida"
    CUMPLIDA = "cumplida"
    RECHAZADA = "rechazada"

    @property
    def termino(self) -> bool:
        return self in (Paso.CUMPLIDA, Paso.RECHAZADA)


ICONOS: Final = {
    Paso.ENCOLADA: "○",
    Paso.BAJADA: "↓",
    Paso.RECIBIDA: "◐",
    Paso.CUMPLIDA: "✔",
    Paso.RECHAZADA: "✖",
}


@dataclass(frozen=True, slots=True)
class VidaDeOrden:
    """Una orden como se lee. `porque` dice qué falta o por qué no se cumplió; `siguiente`, qué hacer, si hay qué."""

    equipo: str
    epoca: str
    numero: int
    que: str
    quien: str
    paso: Paso
    encolada: datetime
    bajada: datetime | None
    recibida: datetime | None
    caduca: datetime
    porque: str = ""
    siguiente: str = ""

    @property
    def icono(self) -> str:
        return ICONOS[self.paso]


def contar(
    orden: OrdenGuardada,
    de_la_cadena: Sequence[OrdenGuardada],
    kiosco: Kiosco | None,
    rastro: Rastro,
    huella_firmada: str,
    ahora: datetime,
) -> VidaDeOrden:
    """La vida de `orden`.

    Args:
        de_la_cadena: todas las de ese equipo y época.
        kiosco: el equipo en el retrato; `None` si ya no está en el padrón.
        huella_firmada: la de la definición que firmó la autoridad, si es la de esta orden; vacía si no se sabe.
    """
    paso, porque, siguiente = _paso(orden, de_la_cadena, kiosco, rastro, huella_firmada, ahora)
    return VidaDeOrden(
        orden.equipo,
        orden.epoca,
        orden.numero,
        en_palabras(orden.que),
        orden.quien,
        paso,
        orden.hora,
        orden.bajada,
        orden.obedecida,
        orden.caduca,
        porque,
        siguiente,
    )


def _paso(
    o: OrdenGuardada,
    otras: Sequence[OrdenGuardada],
    k: Kiosco | None,
    rastro: Rastro,
    huella_firmada: str,
    ahora: datetime,
) -> tuple[Paso, str, str]:
    if o.obedecida is not None:
        return _recibida(o, k, rastro, huella_firmada)
    if any(x.obedecida is not None and x.numero > o.numero for x in otras):
        return Paso.RECHAZADA, "obedeció una posterior: ésta ya nunca la obedecerá", "si hace falta, mándela otra vez"
    if o.numero in rastro.tarde:
        return Paso.RECHAZADA, "le llegó ya caduca", "revise su enlace y mándela otra vez"
    if ahora >= o.caduca:
        return Paso.RECHAZADA, f"caducó sin que la recibiera: {_por_que_no_oye(k, o)}", "cuando hable, mándela otra vez"
    if o.bajada is None:
        # Se manda una a la vez, la más vieja primero.
        antes = sum(x.obedecida is None and x.numero < o.numero and ahora < x.caduca for x in otras)
        return Paso.ENCOLADA, f"espera a {concordar(antes, 'anterior', 'anteriores')}" if antes else "por salir", ""
    return Paso.BAJADA, f"la tiene el bróker; {_por_que_no_oye(k, o)}", ""


def _recibida(o: OrdenGuardada, k: Kiosco | None, rastro: Rastro, huella_firmada: str) -> tuple[Paso, str, str]:
    if not isinstance(o.que, TomarDefinicion):
        return Paso.CUMPLIDA, "", ""
    if k is not None and huella_firmada and k.definicion == huella_firmada:
        return Paso.CUMPLIDA, "ya la usa", ""
    if o.numero in rastro.rechazos:
        return (
            Paso.RECHAZADA,
            f"el kiosco no la puede usar y sigue con la de antes ({rastro.rechazos[o.numero]})",
            "dígaselo a quien firmó la definición: hace falta otra",
        )
    if o.numero in rastro.completas:
        return Paso.RECIBIDA, "ya la tiene completa; la toma al volver a arrancar sus pantallas", ""
    if k is not None and k.paquete == o.que.sha256:
        return Paso.RECIBIDA, f"la está bajando: {100 * min(k.paquete_bytes, o.que.bytes) // o.que.bytes} %", ""
    return Paso.RECIBIDA, "falta que la baje completa y la tome", ""


def _por_que_no_oye(k: Kiosco | None, o: OrdenGuardada) -> str:
    if k is None or k.estado is EstadoDeEnlace.BAJA:
        return "el equipo está de baja"
    if k.epoca and k.epoca != o.epoca:
        return "el equipo late con otra época (se sustituyó)"
    if k.estado is EstadoDeEnlace.NUNCA:
        return "el kiosco nunca ha hablado"
    if k.estado.callado:
        return f"el kiosco está callado ({k.estado.value})"
    return "el kiosco aún no contesta"
