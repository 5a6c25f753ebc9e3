"""La segunda persona: quien confirma con su gafete y su NIP, ahí mismo, sin que la primera deje su turno."""

from __future__ import annotations

from appliance.pantalla.pagina import Entrada, Pantalla, persona_de
from appliance.personas import NOMBRES, Papel, Persona
from nucleo.problema import Rechazo


def confirmar(p: Pantalla, e: Entrada, papel: Papel) -> Persona | Rechazo:
    """La persona que confirma, si es otra, tiene ese papel y su NIP es el suyo.

    Lee `confirma` (la clave de la persona, elegida o puesta por el lector), `nip` e `intento` del formulario. Si
    acaba de pasar su gafete por el lector, sus fallas se cuentan aparte de las de quien tecleó con su nombre sin él.
    """
    otra = p.personas.get(e.texto("confirma"))
    if otra is None or not otra.puede(papel):
        return Rechazo(
            "SIN_CONFIRMAR",
            f"Falta que confirme {NOMBRES[papel]}",
            "no se leyó su gafete ni se eligió su nombre",
            "pase el gafete de quien confirma y teclee su NIP",
        )
    if otra.clave == persona_de(e).clave:
        return Rechazo(
            "MISMA_PERSONA",
            "Quien declara no puede confirmar",
            "se eligió a la misma persona",
            "llame a alguien más de coordinación",
        )
    return p.comprobar_nip(otra, e) or otra


def quienes_confirman(p: Pantalla, e: Entrada, papel: Papel) -> list[Persona]:
    """Las personas que podrían confirmar lo que hace quien está en pantalla."""
    propia = persona_de(e).clave
    return [x for x in p.personas.values() if x.puede(papel) and x.clave != propia]
