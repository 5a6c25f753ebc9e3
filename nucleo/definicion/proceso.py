"""La definición y el catálogo de un proceso: entran bytes y sale un `Proceso` o todos los defectos."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from typing import Final

from nucleo.campo import MAXIMO
from nucleo.catalogo import Catalogo, leer_catalogo
from nucleo.definicion.calendario import leer_calendario
from nucleo.definicion.eleccion import leer_eleccion
from nucleo.definicion.renglones import choca_con_fija
from nucleo.definicion.sintaxis import abrir
from nucleo.definicion.tabla import COLUMNA, LIBRE, Forma, Tabla
from nucleo.eleccion import Eleccion, Proceso, Vocabulario
from nucleo.inconsistencias import CODIGOS
from nucleo.modos import MODOS, SIMULACRO
from nucleo.problema_archivo import Problema

NOMBRE_TOML: Final = "eleccion.toml"
NOMBRE_CATALOGO: Final = "casillas.csv"

# La clave del proceso forma parte de los temas MQTT, que no admiten más.
_CLAVE: Final = Forma(
    re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,29}"), "letras sin acento, cifras y guiones, hasta 30, como oax2022"
)
_SIGLAS: Final = Forma(re.compile(r"[A-Z]{2,5}"), "de dos a cinco mayúsculas, como OAX")
_SEPARADOR: Final = Forma(re.compile(r".{1,10}"), "de 1 a 10 caracteres, como «. »")


def leer_proceso(
    toml: bytes, catalogo: bytes, nombre_toml: str = NOMBRE_TOML, nombre_catalogo: str = NOMBRE_CATALOGO
) -> Proceso | list[Problema]:
    """Valida la definición completa.

    Args:
        toml: la definición, en UTF-8.
        catalogo: el CSV de casillas, ya descomprimido.
        nombre_toml: cómo llamar a la definición en los problemas.
        nombre_catalogo: cómo llamar al catálogo en los problemas.

    Returns:
        El proceso, con sus horas en el huso de la entidad, o todos los problemas: primero los de la definición y
        luego los del catálogo, por línea. Los avisos del catálogo no impiden nada; están en
        `leer_catalogo(…).avisos`.
    """
    casillas = leer_catalogo(catalogo, nombre_catalogo)
    abierto = abrir(toml, nombre_toml)
    if isinstance(abierto, Problema):
        return [abierto, *casillas.problemas]
    lectura, raiz = abierto
    proceso = _proceso(raiz, casillas, huella_de({NOMBRE_TOML: toml, NOMBRE_CATALOGO: catalogo}))
    problemas = [
        *sorted(lectura.problemas, key=lambda p: p.linea),
        *casillas.problemas,
        *_de_otra_entidad(proceso, casillas, nombre_catalogo),
    ]
    return problemas or proceso


def huella_de(archivos: Mapping[str, bytes]) -> str:
    """Lo mismo que `sha256sum eleccion.toml casillas.csv formatos/* | sha256sum`, para que cualquiera la recalcule.

    Args:
        archivos: por su ruta y en ese orden; el catálogo, ya descomprimido.
    """
    renglones = (f"{hashlib.sha256(datos).hexdigest()}  {nombre}\n" for nombre, datos in archivos.items())
    return hashlib.sha256("".join(renglones).encode()).hexdigest()


def _proceso(raiz: Tabla, catalogo: Catalogo, huella: str) -> Proceso:
    """El proceso que describe la raíz; sólo sirve si no quedó anotado ningún problema."""
    calendario = leer_calendario(raiz)
    return Proceso(
        clave=raiz.texto("clave", _CLAVE),
        nombre=raiz.texto("nombre"),
        entidad=raiz.entero("entidad", 1, 32),
        siglas=raiz.texto("siglas", _SIGLAS),
        entidad_nombre=raiz.texto("entidad_nombre"),
        huso=calendario.huso,
        inicio_operacion=calendario.inicio_operacion,
        inicio_publicacion=calendario.inicio_publicacion,
        cierre=calendario.cierre,
        minutos_entre_cortes=calendario.minutos_entre_cortes,
        boletas_especial=raiz.entero("boletas_especial", 1, MAXIMO),
        especial_suma_representantes=raiz.logico("especial_suma_representantes"),
        vocabulario=_vocabulario(raiz),
        casillas=catalogo.casillas,
        elecciones=_elecciones(raiz, _partidos(raiz), catalogo),
        modo=raiz.uno_de("modo", MODOS, SIMULACRO),
        huella=huella,
    )


def _vocabulario(raiz: Tabla) -> Vocabulario:
    tabla = raiz.tabla("observaciones", "observaciones")
    if tabla is None:
        return Vocabulario({})
    textos = tabla.tabla("textos", "observaciones.textos")
    return Vocabulario(
        textos={codigo: textos.texto(codigo) for codigo in CODIGOS if codigo in textos} if textos else {},
        sin_observacion=tabla.texto("sin_observacion", LIBRE),
        separador=tabla.texto("separador", _SEPARADOR, ". "),
        excede_prevalece=tabla.logico("excede_prevalece"),
    )


def _partidos(raiz: Tabla) -> dict[str, str]:
    """Sigla → nombre, en el orden escrito."""
    partidos: dict[str, str] = {}
    lineas: dict[str, int] = {}
    for tabla in raiz.tablas("partidos", "partidos"):
        sigla, nombre = tabla.texto("sigla", COLUMNA), tabla.texto("nombre")
        if sigla in partidos:
            tabla.problema(
                f"el partido {sigla} ya está en la línea {lineas[sigla]}",
                "se copió dos veces",
                "deje uno solo",
                "sigla",
            )
        elif sigla and not choca_con_fija(sigla, tabla, "sigla"):
            partidos[sigla], lineas[sigla] = nombre, tabla.linea("sigla")
    return partidos


def _elecciones(raiz: Tabla, partidos: Mapping[str, str], catalogo: Catalogo) -> dict[str, Eleccion]:
    # Con un catálogo a medias, cada ámbito parecería no tener casillas.
    casillas = {} if catalogo.problemas else catalogo.casillas
    elecciones: dict[str, Eleccion] = {}
    for tabla in raiz.tablas("elecciones", "elecciones"):
        eleccion = leer_eleccion(tabla, partidos, casillas, catalogo.lineas)
        if eleccion.clave and eleccion.clave in elecciones:
            tabla.problema(
                f"la elección {eleccion.clave} está repetida", "se copió dos veces", "cambie su clave", "clave"
            )
        elecciones[eleccion.clave] = eleccion
    if "elecciones" in raiz and not elecciones:
        raiz.problema("no hay ninguna elección", "«elecciones» está vacío", "agregue [[elecciones]]", "elecciones")
    return elecciones


def _de_otra_entidad(proceso: Proceso, catalogo: Catalogo, nombre: str) -> Iterator[Problema]:
    ajenas = [c.clave for c in catalogo.casillas.values() if c.entidad != proceso.entidad]
    if ajenas and proceso.entidad:
        yield Problema(
            nombre,
            catalogo.lineas[ajenas[0]],
            f"hay casillas que no son de la entidad {proceso.entidad:02d} ({len(ajenas)}); la primera es {ajenas[0]}",
            "es el catálogo de otro estado, o «entidad» está mal en la definición",
            "corrija uno de los dos",
        )
