"""Una hoja digitalizada, dicha con palabras: de qué acta es, en qué quedó y por qué."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import tzinfo
from typing import Final

from appliance.digitalizacion.hoja import EstadoDeHoja, Hoja
from appliance.digitalizacion.motivo import EXPLICACIONES, Accion, Explicacion, Motivo
from appliance.pantalla.acta_nombrada import TIPOS
from nucleo.casilla import Casilla
from nucleo.eleccion import Proceso
from nucleo.hechos import IdActa

_ESTADOS: Final = {
    EstadoDeHoja.RECIBIDA: "Mirándola",
    EstadoDeHoja.DUDOSA: "Por revisar",
    EstadoDeHoja.ASIGNADA: "Lista",
    EstadoDeHoja.FUERA: "Fuera de catálogo",
    EstadoDeHoja.DESCARTADA: "Apartada",
}


@dataclass(frozen=True, slots=True)
class Renglon:
    """Lo que se ve de una hoja en la lista."""

    hoja: int
    estado: str
    palabra: str
    que_acta: str
    lugar: str
    que: str
    siguiente: str
    hora: str
    miniatura: bool
    sha256: str


def renglon_de(proceso: Proceso, hoja: Hoja, huso: tzinfo | None) -> Renglon:
    explicada = explicar(hoja)
    que_acta, lugar = ("", "") if hoja.acta is None else en_palabras(proceso, hoja.acta)
    que = hoja.detalle if hoja.estado is EstadoDeHoja.DESCARTADA else (explicada.que if explicada else "")
    return Renglon(
        hoja.hoja,
        hoja.estado.value,
        _ESTADOS[hoja.estado],
        que_acta,
        lugar,
        que,
        explicada.siguiente if explicada else "",
        f"{hoja.hora.astimezone(huso):%H:%M}",
        bool(hoja.sha256),
        hoja.sha256[:12],
    )


def explicar(hoja: Hoja) -> Explicacion | None:
    """Por qué está dudosa, con las palabras de la imagen cuando la imagen es el problema; `None` si no lo está."""
    if hoja.motivo is None or hoja.estado is not EstadoDeHoja.DUDOSA:
        return None
    base = EXPLICACIONES[hoja.motivo]
    if hoja.motivo in (Motivo.CALIDAD, Motivo.NO_ES_EL_ANVERSO) and hoja.vista.que:
        v = hoja.vista
        return Explicacion(v.que, v.causa, v.siguiente, _posibles(hoja, base))
    que = f"{base.que}: {hoja.detalle}" if hoja.motivo is not Motivo.YA_DIGITALIZADA and hoja.detalle else base.que
    if hoja.motivo is Motivo.YA_DIGITALIZADA:
        # Nuestra etiqueta es única: con el mismo número al azar, es el mismo papel.
        que = f"{'Esta hoja' if hoja.vista.nonces else 'El acta de esta hoja'} ya se digitalizó {hoja.detalle}"
    return Explicacion(que, base.causa, base.siguiente, _posibles(hoja, base))


def en_palabras(proceso: Proceso, acta: IdActa) -> tuple[str, str]:
    """(«Sección 0002 Básica 1», lugar y elección) de un acta."""
    casilla = proceso.casillas.get(acta.casilla)
    if casilla is None:
        return acta.casilla, acta.eleccion
    lugar = casilla.lugar
    eleccion = proceso.elecciones.get(acta.eleccion)
    if len(proceso.elecciones) > 1 and eleccion is not None:
        lugar = f"{lugar} · {eleccion.nombre}"
    return f"Sección {casilla.seccion:04d} {nombre_de(casilla)}", lugar


def nombre_de(casilla: Casilla) -> str:
    """«Contigua 2», «Extraordinaria 1 contigua 1»."""
    contigua = f" contigua {casilla.ext_contigua}" if casilla.ext_contigua else ""
    return f"{TIPOS[casilla.tipo]} {casilla.numero}{contigua}"


def _posibles(hoja: Hoja, base: Explicacion) -> tuple[Accion, ...]:
    # Sin saber de qué acta es no hay nada que aceptar.
    if hoja.acta is None:
        return tuple(a for a in base.acciones if a is not Accion.ACEPTAR)
    return base.acciones
