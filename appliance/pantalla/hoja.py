"""La hoja de captura: los renglones del acta con sus rótulos, y la lectura estricta de lo que alguien tecleó.

Un renglón vacío se rechaza, porque vacío no es cero: se escribe el número o se marca ILEGIBLE o SIN DATO. De sumas no
se dice nada a quien captura: una de cada diez actas no cuadra (dominio §1), y quien lo sabe antes de concluir acaba por
teclear lo que cuadra y no lo que dice el papel. Lo verá coordinación, cuando el acta esté verificada.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from nucleo.campo import MAXIMO, Campo, Numero, a_texto, de_texto
from nucleo.eleccion import Opcion, Proceso, TipoOpcion
from nucleo.hechos import IdActa

MARCAS: Final = ("ILEGIBLE", "SIN DATO")

_DICHOS: Final = 4
"""Renglones que se nombran en un aviso; hoja.js dice los mismos."""

_ANTES: Final = (
    ("BOLETAS_SOBRANTES", "Boletas sobrantes", "las que se inutilizaron", "2"),
    ("PERSONAS_VOTARON", "Personas que votaron", "de la lista nominal", "3"),
    ("REPRESENTANTES_VOTARON", "Representantes que votaron", "de partido y candidatura independiente", "4"),
    ("VOTOS_SACADOS", "Votos sacados de la urna", "", "7"),
)
_RESULTADOS: Final = "6 · Resultados de la votación"
_DESPUES: Final = ("TOTAL_ASENTADO", "Total", "el que dice el papel")


@dataclass(frozen=True, slots=True)
class Renglon:
    """Un renglón en la pantalla: `rotulo` es lo que se busca en el papel."""

    clave: str
    rotulo: str
    nombre: str
    apartado: str
    numero: str = ""
    """El de su apartado impreso en el papel (dominio §5), si es sólo suyo."""


@dataclass(frozen=True, slots=True)
class Tecleado:
    """Lo que la persona puso en un renglón y, si no se acepta, por qué."""

    texto: str = ""
    marcas: tuple[str, ...] = ()
    error: str = ""


def renglones_de(proceso: Proceso, acta: IdActa) -> tuple[Renglon, ...]:
    """Todos los renglones de esa acta, en el orden en que se capturan."""
    eleccion = proceso.elecciones[acta.eleccion]
    opciones = eleccion.opciones_de(proceso.casillas[acta.casilla])
    return (
        *(Renglon(clave, rotulo, nombre, "Boletas, personas y votos", n) for clave, rotulo, nombre, n in _ANTES),
        *(Renglon(o.clave, *_rotulo(o), _RESULTADOS) for o in opciones),
        Renglon(*_DESPUES, _RESULTADOS),
    )


def leer(renglones: Sequence[Renglon], formulario: Mapping[str, Sequence[str]]) -> dict[str, Tecleado]:
    """Lo tecleado en cada renglón, con su error si lo hay. Nada se corrige ni se adivina."""
    return {r.clave: _leer(formulario.get(f"v.{r.clave}", ()), formulario.get(f"m.{r.clave}", ())) for r in renglones}


def campos_de(tecleado: Mapping[str, Tecleado]) -> dict[str, Campo] | None:
    """Los campos del acta, o `None` si algún renglón tiene error."""
    if any(t.error for t in tecleado.values()):
        return None
    return {clave: de_texto(t.marcas[0] if t.marcas else t.texto) for clave, t in tecleado.items()}


def textos_de(tecleado: Mapping[str, Tecleado]) -> dict[str, str]:
    """Lo tecleado, como se guarda en el borrador: tal cual, esté bien o mal."""
    return {clave: t.marcas[0] if t.marcas else t.texto for clave, t in tecleado.items()}


def de_borrador(textos: Mapping[str, str]) -> dict[str, Tecleado]:
    """Inversa de `textos_de`."""
    return {clave: Tecleado(marcas=(t,)) if t in MARCAS else Tecleado(t) for clave, t in textos.items()}


def _leer(textos: Sequence[str], marcas: Sequence[str]) -> Tecleado:
    texto = textos[0].strip() if textos else ""
    validas = tuple(m for m in MARCAS if m in marcas)
    error = ""
    if len(validas) > 1:
        error = "Tiene ILEGIBLE y SIN DATO: deje sólo una."
    elif validas and texto:
        error = f"Tiene un número y también {validas[0]}: deje sólo uno de los dos."
    elif not validas and not texto:
        error = "Está vacío, y vacío no es cero: escriba el número, o toque ILEGIBLE o SIN DATO."
    elif texto and not (texto.isascii() and texto.isdigit() and len(texto) <= len(str(MAXIMO))):
        error = "Escriba sólo números, hasta cinco cifras, sin comas ni espacios."
    return Tecleado(texto, validas, error)


def _rotulo(opcion: Opcion) -> tuple[str, str]:
    match opcion.tipo:
        case TipoOpcion.COMBINACION:
            return " · ".join(opcion.partidos), "marcaron todos estos"
        case TipoOpcion.PARTIDO | TipoOpcion.COMUN:
            return opcion.clave, opcion.nombre
        case _:
            return opcion.nombre, ""


def enumerados(rotulos: Sequence[str]) -> str:
    """«PRI, PAN y Total»; de más de cuatro, los primeros y cuántos más."""
    dichos = list(rotulos[:_DICHOS])
    if len(rotulos) > _DICHOS:
        dichos.append(f"{len(rotulos) - _DICHOS} más")
    return " y ".join([", ".join(dichos[:-1]), *dichos[-1:]] if len(dichos) > 1 else dichos)


def en_palabras(campo: Campo) -> str:
    """Como se muestra un campo ya asentado."""
    return f"{campo.valor:,}".replace(",", " ") if isinstance(campo, Numero) else a_texto(campo)
