"""De qué acta habla lo que se escaneó o se tecleó, y cómo se le nombra a una persona."""

from __future__ import annotations

from typing import Final

from appliance.pantalla.pagina import Pantalla
from nucleo.codigo_qr import identificar
from nucleo.hechos import IdActa
from nucleo.problema import Rechazo

TIPOS: Final = {
    "B": "Básica",
    "C": "Contigua",
    "E": "Extraordinaria",
    "S": "Especial",
    "M": "Voto en el extranjero",
    "A": "Voto anticipado",
    "P": "Prisión preventiva",
}
"""El tipo de casilla como se le dice a la gente (dominio §§1 y 5.1). M, A y P se nombran por su modalidad de voto."""


def actas_nombradas(p: Pantalla, texto: str) -> list[IdActa] | Rechazo:
    """Las actas que nombra un código o una clave: varias si sólo dice la casilla y hay varias elecciones."""
    clave = clave_tecleada(texto)
    casilla = p.proceso.casillas.get(clave)
    if casilla is not None:
        return [IdActa(e.clave, clave) for e in p.proceso.elecciones.values() if casilla.tipo in e.tipos_casilla]
    if not texto:
        return Rechazo(
            "FALTA",
            "Falta decir qué acta",
            "el campo quedó vacío",
            "pase el código por el lector o teclee la clave de la casilla",
        )
    leido = identificar(texto, p.proceso, p.puesto.formas)
    return leido if isinstance(leido, Rechazo) else [leido.acta]


def clave_tecleada(texto: str) -> str:
    """La clave como va en el catálogo: mayúsculas y sin los espacios o guiones con que la separa la vista."""
    return "".join(c for c in texto.upper() if c not in " -")[:40]


def en_palabras(p: Pantalla, acta: IdActa) -> str:
    """«sección 0002, Básica 1», como se busca en el papel."""
    casilla = p.proceso.casillas.get(acta.casilla)
    if casilla is None:
        return acta.casilla
    return f"sección {casilla.seccion:04d}, {TIPOS[casilla.tipo]} {casilla.numero}"


def lugar(p: Pantalla, acta: IdActa) -> str:
    """El municipio o distrito de la casilla."""
    casilla = p.proceso.casillas.get(acta.casilla)
    return casilla.lugar if casilla else ""
