"""Lo mismo que dice el sistema, en palabras que cualquiera entiende: causas, situaciones, sucesos y casillas."""

from __future__ import annotations

from typing import Final

from nucleo.acta import Acta, ActaVerificada
from nucleo.casilla import Casilla
from nucleo.computo import PENDIENTE
from nucleo.eleccion import Ambito, Eleccion
from nucleo.inconsistencias import (
    ALGUN_CAMPO_ILEGIBLE_O_SIN_DATO,
    CATALOGO,
    EXCEDE_LISTA_NOMINAL,
    FUERA_DE_CATALOGO,
    TODOS_ILEGIBLES_O_SIN_DATO,
)
from nucleo.publicacion.fichas import FichaActa, Situacion

SITUACIONES: Final[dict[Situacion, tuple[str, str]]] = {
    Situacion.NO_HA_LLEGADO: ("No ha llegado", "El acta todavía no se recibe en el centro de acopio."),
    Situacion.RECIBIDA: ("Recibida", "El acta ya se recibió; falta tomar su imagen."),
    Situacion.DIGITALIZADA: ("Con imagen, sin capturar", "Ya hay imagen; falta transcribir sus cantidades."),
    Situacion.EN_CAPTURA: (
        "En captura",
        "Una persona la transcribió; falta que otra, sin ver lo anterior, transcriba lo mismo.",
    ),
    Situacion.EN_DISCREPANCIA: (
        "En revisión",
        "Dos personas transcribieron algo distinto y otra más revisa la imagen para aclararlo.",
    ),
    Situacion.EN_DUDA: (
        "Retirada para aclararse",
        "Se había publicado, pero una lectura posterior la contradice: no suma hasta que se aclare.",
    ),
    Situacion.SIN_ACTA: ("Sin acta", "No hay acta que publicar."),
    Situacion.CONTABILIZADA: ("Contabilizada", "Sus votos suman en los resultados."),
    Situacion.NO_CONTABILIZADA: ("No se contabiliza", "Se publica como está, pero sus votos no suman."),
}
"""Situación → (título, explicación)."""

_TITULOS: Final = {
    FUERA_DE_CATALOGO: "Fuera de catálogo",
    "SIN_ACTA_PAQUETE_NO_ENTREGADO": "Sin acta: paquete no entregado",
    "SIN_ACTA_CASILLA_NO_INSTALADA": "Sin acta: casilla no instalada",
    "SIN_ACTA_PAQUETE_SIN_BOLSA": "Sin acta: paquete sin la bolsa del PREP",
    "SIN_ACTA_CONTINGENCIA_URNA": "Sin acta: contingencia en la urna electrónica",
    TODOS_ILEGIBLES_O_SIN_DATO: "Nada legible",
    EXCEDE_LISTA_NOMINAL: "Más votos que electores",
    ALGUN_CAMPO_ILEGIBLE_O_SIN_DATO: "Algún renglón ilegible o en blanco",
}

_POR_VALOR: Final = {s.value: textos for s, textos in SITUACIONES.items()}

SUCESOS: Final = {
    "acopio": "El acta se recibió en el centro de acopio",
    "imagen": "Se tomó la imagen del acta",
    "captura": "Una persona transcribió el acta",
    "correccion": "Otra persona transcribió lo que difería",
    "revision": "Dos personas revisaron juntas la imagen",
    "recaptura": "Se pidió volver a transcribirla desde el principio",
    "sin_acta": "Dos personas hicieron constar que no hay acta",
    "verificada": "Dos transcripciones independientes coincidieron",
    "cotejo": "Se comparó lo publicado contra el acta en papel",
    "empaque": "El acta en papel se guardó en su caja",
    "publicada": "Se publicó",
}

_TIPOS: Final = {
    "B": "Básica",
    "C": "Contigua",
    "E": "Extraordinaria",
    "S": "Especial",
    "M": "Mesa de voto en el extranjero",
    "A": "Mesa de voto anticipado",
    "P": "Mesa de prisión preventiva",
}

COMPLEMENTARIOS: Final = (
    ("boletas_sobrantes", "Boletas sobrantes"),
    ("personas_votaron", "Personas que votaron"),
    ("representantes_votaron", "Representantes que votaron"),
    ("votos_sacados", "Votos sacados de la urna"),
    ("total_asentado", "Total que escribió la casilla"),
)
"""Atributo de `Asentado` → cómo se lee."""


def causa(codigo: str) -> tuple[str, str]:
    """Título y explicación de por qué un acta esperada no suma; `codigo` es de situación o del catálogo."""
    if codigo in _POR_VALOR:
        return _POR_VALOR[codigo]
    if codigo in CATALOGO:
        return observacion(codigo)
    if codigo == PENDIENTE:
        return "Pendiente", "Todavía no llega o no termina de verificarse."
    return codigo.replace("_", " ").capitalize(), ""


def observacion(codigo: str) -> tuple[str, str]:
    """Título y frase llana de una inconsistencia del catálogo."""
    return _TITULOS.get(codigo, codigo.replace("_", " ").capitalize()), CATALOGO[codigo].publico


def suceso(que: str) -> str:
    return SUCESOS.get(que, que.replace("_", " ").capitalize())


def nombre_de_casilla(c: Casilla) -> str:
    """`Contigua 2`, `Extraordinaria 1 contigua 1`. La básica no lleva número."""
    nombre = _TIPOS.get(c.tipo, c.tipo)
    if c.tipo in "CES":
        nombre += f" {c.numero}"
    return f"{nombre} contigua {c.ext_contigua}" if c.ext_contigua else nombre


def division(e: Eleccion, mayuscula: bool = False) -> str:
    """Cómo se llama la división de esa elección: distrito o municipio."""
    nombre = "municipio" if e.ambito is Ambito.MUNICIPIO else "distrito"
    return nombre.capitalize() if mayuscula else nombre


def titulo_de_division(e: Eleccion, clave: int | None, nombre: str) -> str:
    """`Distrito 3, Loma Bonita`; sin repetir el número si el catálogo la llama «Distrito 3»."""
    if clave is None:
        return nombre or f"Mesas sin {division(e)}"
    titulo = f"{division(e, True)} {clave}"
    return titulo if not nombre or nombre.casefold() == titulo.casefold() else f"{titulo}, {nombre}"


def situacion_de(f: FichaActa) -> tuple[str, str]:
    """Título y explicación del acta; la de una sin acta es la de su motivo."""
    if f.situacion is Situacion.SIN_ACTA and f.clasificacion is not None and f.clasificacion.inconsistencias:
        return observacion(f.clasificacion.inconsistencias[0])
    return SITUACIONES[f.situacion]


def documento(acta: Acta) -> str:
    """De qué papel se tomó, si no fue del acta destinada al PREP."""
    tipo = acta.procedencia.tipo_documento if isinstance(acta, ActaVerificada) else ""
    return "" if tipo in ("", "ACTA PREP") else tipo
