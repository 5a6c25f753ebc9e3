"""Dónde está cada página dentro de un corte, y cómo se llega de una a otra.

Los enlaces son relativos: la misma página sirve en `/`, en `/cortes/<nombre>/`, en un espejo y desde una carpeta. Van
al archivo (`index.html`) y no a su carpeta, porque en disco sólo está comprimido y así nadie tiene que adivinarlo.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from nucleo.casilla import Casilla
from nucleo.eleccion import Eleccion
from nucleo.publicacion import rutas

PORTADA: Final = "index.html"


def raiz(ruta: str) -> str:
    """Prefijo relativo hasta la raíz del corte: `GUB/d/3/index.html` es `../../../`."""
    return "../" * ruta.count("/")


def eleccion(e: Eleccion, pagina: str = "index.html") -> str:
    return f"{e.clave}/{pagina}"


def division(e: Eleccion, clave: int | None) -> str:
    return f"{rutas.division(e.clave, clave)}.html"


def seccion(e: Eleccion, numero: int) -> str:
    return f"{rutas.seccion(e.clave, numero)}.html"


def nombre_de_acta(casilla: Casilla) -> str:
    """Tipo, número y extraordinaria contigua: `C0100`."""
    return casilla.clave[6:]


def acta(e: Eleccion, casilla: Casilla) -> str:
    return f"{rutas.acta(e.clave, casilla)}.html"


def casilla(seccion: int) -> str:
    """La sección en todas las elecciones."""
    return f"casilla/{seccion:04d}.html"


def centena(numero: int) -> str:
    """Lista de las secciones que comienzan con esas dos cifras."""
    return f"casilla/centena-{numero:02d}.html"


def prueba(corte: str, e: Eleccion, casilla: Casilla) -> str:
    """La prueba de inclusión del acta que se publicó en ese corte."""
    return f"/registro/actas/{corte}/{e.clave}/{casilla.clave}.tlog-proof"


def imagen(huella: str) -> str:
    return f"/{rutas.imagen(huella)}"


def corte(nombre: str, ruta: str = "index.html") -> str:
    """Dirección de una página que ya no va a cambiar."""
    return f"/cortes/{nombre}/{ruta}"


def sello(hora: datetime) -> str:
    """Hora como la pide un `<time datetime>`."""
    return hora.isoformat()
