"""En qué está un acta esperada, para quien mira desde fuera y sólo con lo que desde fuera se ve."""

from __future__ import annotations

from enum import Enum
from typing import Final

from nucleo.acta import Acta, ActaPendiente, ActaSinActa
from nucleo.casilla import Casilla
from nucleo.clasificacion import clasificar
from nucleo.eleccion import Proceso
from nucleo.hechos import Acopio, Captura, Correccion, Imagen, Recaptura, Revision
from nucleo.libro import acta_de, acta_verificada
from nucleo.publicacion.reserva import Vista


class Situacion(Enum):
    """En qué está un acta esperada, para quien mira desde fuera. El valor es el texto de los JSON."""

    NO_HA_LLEGADO = "no_ha_llegado"
    RECIBIDA = "recibida"
    """Acopiada, todavía sin imagen."""
    DIGITALIZADA = "digitalizada"
    """Con imagen, nadie ha concluido una captura."""
    EN_CAPTURA = "en_captura"
    """Una persona la capturó; falta que otra, sin ver, haga lo mismo."""
    EN_DISCREPANCIA = "en_discrepancia"
    """Dos capturas difieren y una tercera persona transcribe lo que difiere, o dos la revisan juntas."""
    EN_DUDA = "en_duda"
    """Se había publicado y una lectura posterior la contradice: se retiró hasta aclararla."""
    SIN_ACTA = "sin_acta"
    CONTABILIZADA = "contabilizada"
    NO_CONTABILIZADA = "no_contabilizada"
    """Verificada, pero no suma: nada legible o excede a quienes podían votar."""


PENDIENTES: Final = (
    Situacion.NO_HA_LLEGADO,
    Situacion.RECIBIDA,
    Situacion.DIGITALIZADA,
    Situacion.EN_CAPTURA,
    Situacion.EN_DISCREPANCIA,
    Situacion.EN_DUDA,
)
"""Las de un acta que todavía puede publicarse, en el orden en que suceden."""


def acta_publicada(casilla: Casilla, vista: Vista) -> Acta:
    """El acta de esa casilla según lo que se ve; la misma que `nucleo.libro.acta_de` con todos sus hechos."""
    if vista.lectura is not None:
        return acta_verificada(casilla, vista.hechos, vista.lectura)
    acta = acta_de(casilla, vista.hechos)
    # Quien declaró «sin acta» se equivocó si después alguien la capturó, aunque esa captura aún no se pueda leer.
    if isinstance(acta, ActaSinActa) and any(r.tipo == "captura" for r in vista.reservados):
        return ActaPendiente(casilla)
    return acta


def situacion_de(acta: Acta, vista: Vista, publicada: int, proceso: Proceso) -> Situacion:
    """La situación de un acta esperada.

    De lo reservado sólo se cuentan los eslabones: dos capturas de la misma persona, que nunca debería haber, se ven
    desde fuera como dos.

    Args:
        acta: `acta_publicada` de esa vista.
        publicada: la vuelta más alta que se ha publicado verificada en un corte anterior; 0 si ninguna.
    """
    if isinstance(acta, ActaSinActa):
        return Situacion.SIN_ACTA
    clasificacion = clasificar(acta, proceso)
    if clasificacion is not None:
        return Situacion.CONTABILIZADA if clasificacion.contabilizada == 1 else Situacion.NO_CONTABILIZADA
    if publicada:
        return Situacion.EN_DUDA
    capturas = _capturas_de_la_vuelta(vista)
    if capturas:
        return Situacion.EN_CAPTURA if capturas == 1 else Situacion.EN_DISCREPANCIA
    if any(isinstance(h, Imagen) for h in vista.hechos):
        return Situacion.DIGITALIZADA
    return Situacion.RECIBIDA if any(isinstance(h, Acopio) for h in vista.hechos) else Situacion.NO_HA_LLEGADO


def _capturas_de_la_vuelta(vista: Vista) -> int:
    """Capturas de la vuelta más alta que haya comenzado."""
    capturas = [h.vuelta for h in vista.hechos if isinstance(h, Captura)]
    capturas += [r.vuelta for r in vista.reservados if r.tipo == "captura" and r.vuelta is not None]
    otras = [h.vuelta for h in vista.hechos if isinstance(h, Correccion | Revision | Recaptura)]
    otras += [r.vuelta for r in vista.reservados if r.vuelta is not None]
    return capturas.count(max((*capturas, *otras), default=1))
