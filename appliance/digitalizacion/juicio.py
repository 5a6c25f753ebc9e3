"""Qué toca hacer con una hoja ya vista: asignarla, o decir por qué no se puede todavía.

Es una función de lo que se vio y de la historia del acta; no escribe nada. Las objeciones van de una en una: resuelta
la primera por una persona, se juzga otra vez y sale la siguiente, si la hay.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from appliance.digitalizacion.hoja import Dispensa, Vista
from appliance.digitalizacion.motivo import Motivo, motivo_de
from appliance.fila import acopiada
from nucleo.hechos import HechoDeActa, IdActa, Imagen


@dataclass(frozen=True, slots=True)
class Juicio:
    """`acta` si ya se sabe de cuál es. Sin `motivo`, se asigna; `repetida` si su imagen ya es la de esa acta."""

    acta: IdActa | None
    motivo: Motivo | None
    detalle: str = ""
    repetida: bool = False


_DE_CODIGO: Final = (
    Motivo.FIRMA_INVALIDA,
    Motivo.CODIGO_DE_OTRA_ELECCION,
    Motivo.CASILLA_DESCONOCIDA,
    Motivo.TIPO_DE_ACTA,
    Motivo.CODIGO_ROTO,
    Motivo.CODIGO_AJENO,
)
"""De lo que más dice a lo que menos: si una hoja trae varios códigos malos, se explica el primero que salga aquí."""

_CONTRADICEN: Final = frozenset(_DE_CODIGO) - {Motivo.CODIGO_ROTO, Motivo.CODIGO_AJENO}
"""Dicen que el papel es otra acta. Uno roto o ajeno (publicidad, una mala lectura) no dice nada del papel."""


def juzgar(
    vista: Vista,
    sha256: str,
    *,
    con_dueno: bool,
    historia: Callable[[IdActa], Sequence[HechoDeActa]],
    pedida: Callable[[IdActa], bool] = lambda _: False,
) -> Juicio:
    """El juicio de esa hoja.

    Args:
        con_dueno: si se sabe quién la digitalizó.
        historia: los hechos del acta en este kiosco.
        pedida: si se pidió volver a digitalizar esa acta; entonces la nueva sustituye sin preguntar.
    """
    actas = vista.actas
    if len(actas) > 1:
        return Juicio(None, Motivo.VARIOS_CODIGOS, " y ".join(a.casilla for a in actas))
    if not actas:
        return _sin_acta(vista)
    acta = actas[0]
    # Nuestra etiqueta pegada en el acta de otra elección: el código impreso en el papel dice que no es ésta.
    if vista.elegida is None and any(motivo_de(c.rechazo) in _CONTRADICEN for c in vista.codigos):
        return Juicio(None, Motivo.VARIOS_CODIGOS, f"{acta.casilla} y otra que aquí no se recibe")
    hechos = historia(acta)
    imagenes = [h for h in hechos if isinstance(h, Imagen)]
    if imagenes and imagenes[-1].sha256 == sha256:
        return Juicio(acta, None, f"a las {imagenes[-1].hora:%H:%M}", repetida=True)
    if not con_dueno and Dispensa.DUENO not in vista.dispensas:
        return Juicio(acta, Motivo.SIN_DUENO)
    if vista.anverso is False and Dispensa.ANVERSO not in vista.dispensas:
        return Juicio(acta, Motivo.NO_ES_EL_ANVERSO)
    if not vista.aceptable and not vista.dispensas & {Dispensa.CALIDAD, Dispensa.ANVERSO}:
        return Juicio(acta, Motivo.CALIDAD)
    if not acopiada(hechos):
        return Juicio(acta, Motivo.SIN_ACOPIO)
    if imagenes and Dispensa.SUSTITUIR not in vista.dispensas and not pedida(acta):
        ultima = imagenes[-1]
        return Juicio(acta, Motivo.YA_DIGITALIZADA, f"a las {ultima.hora:%H:%M} ({ultima.persona})")
    return Juicio(acta, None)


def _sin_acta(vista: Vista) -> Juicio:
    rechazos = {motivo_de(c.rechazo) for c in vista.codigos}
    for motivo in _DE_CODIGO:
        if motivo in rechazos:
            return Juicio(None, motivo)
    if vista.codigos:
        return Juicio(None, Motivo.CODIGO_AJENO)
    # Sin código y sin parecerse al formato, «dígame de qué casilla es» sería la pregunta equivocada.
    return Juicio(None, Motivo.NO_ES_EL_ANVERSO if vista.anverso is False else Motivo.SIN_CODIGO)
