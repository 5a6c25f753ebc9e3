"""Quién trabaja en el CATD y en qué: las personas inscritas y su papel.

Una persona puede tener varios papeles (en un CATD chico recibe y digitaliza la misma); lo que nunca pasa es que lea dos
veces la misma acta, y eso lo cuida `nucleo.captura`, no el papel. La lista es `personas.toml` en la carpeta del kiosco;
la escribe `./prep catd gafetes` y la lleva `playbooks/personas.yml`. Si falta, en los ensayos se usa la de práctica, y
en oficial no se arranca: a nombre de nadie no se captura una elección.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from pathlib import Path
from typing import Final

from appliance import gafete, nip
from appliance.falla import Falla
from nucleo.modos import OFICIAL

ARCHIVO: Final = "personas.toml"
INACTIVIDAD: Final = timedelta(minutes=3)
"""Cuánto puede estar una pantalla sin que nadie la use antes de bloquearse."""
MAXIMO_NOMBRE: Final = 60
MAXIMO_ARCHIVO: Final = 1024 * 1024
"""Bytes. Mil personas ocupan unos 300 KiB."""

_CLAVE: Final = re.compile(r"[a-z0-9][a-z0-9\-]{0,39}")
_LLAVES: Final = {"clave", "nombre", "papeles", "nip", "gafete"}


class Papel(Enum):
    """Lo que alguien hace en el CATD (roles de los planes de trabajo; dominio §2)."""

    ACOPIO = "acopio"
    DIGITALIZACION = "digitalizacion"
    CAPTURA = "captura"
    """Hace primeras lecturas."""
    VERIFICACION = "verificacion"
    """Hace segundas lecturas, correcciones ciegas, revisiones y cotejo."""
    COORDINACION = "coordinacion"


NOMBRES = {
    Papel.ACOPIO: "Acopio",
    Papel.DIGITALIZACION: "Digitalización",
    Papel.CAPTURA: "Captura",
    Papel.VERIFICACION: "Verificación",
    Papel.COORDINACION: "Coordinación",
}


@dataclass(frozen=True, slots=True)
class Persona:
    """`clave` es la que se asienta en los hechos; `nombre`, lo que ve la gente.

    `nip` y `gafete` son resúmenes (nunca el dato): así la lista puede viajar por un playbook y quedar en el disco.
    """

    clave: str
    nombre: str
    papeles: frozenset[Papel]
    nip: str = ""
    """`scrypt$…` (`appliance.nip`); vacío sólo en la lista de práctica."""
    gafete: str = ""
    """SHA-256 hexadecimal del azar del gafete; vacío sólo en la lista de práctica."""

    @property
    def coordina(self) -> bool:
        return Papel.COORDINACION in self.papeles

    @property
    def de_practica(self) -> bool:
        return not self.nip

    def puede(self, *papeles: Papel) -> bool:
        """Si tiene alguno de esos papeles."""
        return not self.papeles.isdisjoint(papeles)


_TODOS: Final = frozenset(Papel) - {Papel.COORDINACION}

DE_PRACTICA: Final = (
    Persona("capturista-1", "Capturista 1", _TODOS),
    Persona("capturista-2", "Capturista 2", _TODOS),
    Persona("capturista-3", "Capturista 3", _TODOS),
    Persona("coordinacion", "Coordinación", frozenset(Papel)),
)


@dataclass(frozen=True, slots=True)
class ListaDePersonas:
    """`catd` es de quién es la lista; vacío si no lo dice."""

    personas: tuple[Persona, ...]
    inactividad: timedelta = INACTIVIDAD
    catd: str = ""


class ListaInvalida(ValueError):
    """La lista no se entiende; el texto dice qué tiene."""


def leer_personas(carpeta: Path, modo: str, catd: str = "") -> ListaDePersonas:
    """La lista de la carpeta del kiosco, inscrito en ese modo y en ese CATD.

    Raises:
        Falla: PERSONAS, si el archivo existe y no se entiende o es de otro CATD, o si falta y el modo es oficial.
    """
    ruta = carpeta / ARCHIVO
    try:
        return leer_lista(ruta, catd)
    except FileNotFoundError as error:
        if modo != OFICIAL:
            return ListaDePersonas(DE_PRACTICA)
        raise Falla(
            "PERSONAS",
            f"Falta la lista de personas {ruta}",
            "el kiosco es de modo oficial, que no admite a las personas de práctica, y nadie la llevó",
            "hágala con `./prep catd gafetes` y llévela con playbooks/personas.yml",
        ) from error
    except (OSError, ListaInvalida) as error:
        raise Falla(
            "PERSONAS",
            f"La lista de personas {ruta} no sirve: {error}",
            "se editó a mano, quedó incompleta o es de otro CATD",
            "vuelva a hacerla con `./prep catd gafetes`; en simulacro también puede quitarla y usar la de práctica",
        ) from error


def leer_lista(ruta: Path, catd: str = "") -> ListaDePersonas:
    """La lista de ese archivo. Raises: OSError, ListaInvalida."""
    with ruta.open("rb") as archivo:
        crudo = archivo.read(MAXIMO_ARCHIVO + 1)
    if len(crudo) > MAXIMO_ARCHIVO:
        raise ListaInvalida("es demasiado grande")
    try:
        return lista_de_toml(crudo.decode("utf-8"), catd)
    except UnicodeDecodeError as error:
        raise ListaInvalida("no está en UTF-8") from error


def lista_de_toml(texto: str, catd: str = "") -> ListaDePersonas:
    """La lista de ese texto TOML. Raises: ListaInvalida."""
    try:
        dato = tomllib.loads(texto)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ListaInvalida(f"no es TOML ({error})") from error
    if sobran := sorted(set(dato) - {"personas", "catd", "inactividad_minutos"}):
        raise ListaInvalida(f"no se conoce la llave «{sobran[0][:40]}»")
    propio, minutos, renglones = dato.get("catd", ""), dato.get("inactividad_minutos", 3), dato.get("personas")
    if not isinstance(propio, str) or (propio and _CLAVE.fullmatch(propio) is None):
        raise ListaInvalida("«catd» no es la clave de un CATD")
    if catd and propio not in ("", catd):
        raise ListaInvalida(f"es del CATD {propio} y éste es {catd}")
    if not isinstance(minutos, int) or isinstance(minutos, bool) or not 1 <= minutos <= 60:
        raise ListaInvalida("«inactividad_minutos» no es un número de 1 a 60")
    if not isinstance(renglones, list) or not renglones:
        raise ListaInvalida("debe traer una lista [[personas]]")
    personas = tuple(_leer(renglon) for renglon in renglones)
    if len({p.clave for p in personas}) != len(personas):
        raise ListaInvalida("hay dos personas con la misma clave")
    return ListaDePersonas(personas, timedelta(minutes=minutos), propio)


def clave_valida(clave: str) -> bool:
    """Minúsculas, números y guiones, hasta cuarenta: va en los hechos y en el gafete."""
    return _CLAVE.fullmatch(clave) is not None


def nombre_valido(nombre: str) -> bool:
    return 0 < len(nombre) <= MAXIMO_NOMBRE and nombre.isprintable() and nombre == nombre.strip()


def papeles_de(nombres: list[str]) -> frozenset[Papel]:
    """Los papeles de esos nombres. Raises: ListaInvalida."""
    conocidos = {p.value: p for p in Papel}
    if ajenos := [n for n in nombres if n not in conocidos]:
        raise ListaInvalida(f"«{ajenos[0][:40]}» no es un papel: use {', '.join(conocidos)}")
    if not nombres or len(set(nombres)) != len(nombres):
        raise ListaInvalida("los papeles faltan o se repiten")
    return frozenset(conocidos[n] for n in nombres)


def _leer(renglon: object) -> Persona:
    if not isinstance(renglon, dict) or set(renglon) != _LLAVES:
        raise ListaInvalida(f"cada persona lleva {', '.join(sorted(_LLAVES))}, y nada más")
    clave, nombre, papeles = renglon["clave"], renglon["nombre"], renglon["papeles"]
    if not isinstance(clave, str) or not clave_valida(clave):
        raise ListaInvalida(f"la clave {str(clave)[:40]!r} no es de minúsculas, números y guiones")
    if not isinstance(nombre, str) or not nombre_valido(nombre):
        raise ListaInvalida(f"el nombre de {clave} no es un texto de hasta {MAXIMO_NOMBRE} caracteres")
    if not isinstance(papeles, list) or not all(isinstance(p, str) for p in papeles):
        raise ListaInvalida(f"los papeles de {clave} no son una lista de textos")
    suyos = papeles_de(papeles)
    if not isinstance(renglon["nip"], str) or not isinstance(renglon["gafete"], str):
        raise ListaInvalida(f"el NIP o el gafete de {clave} no es un texto")
    try:
        nip.exigir_resumen(renglon["nip"])
    except nip.ResumenInvalido as error:
        raise ListaInvalida(f"el NIP de {clave} no es un resumen: {error}") from error
    if not gafete.es_resumen(renglon["gafete"]):
        raise ListaInvalida(f"el gafete de {clave} no es un SHA-256 hexadecimal")
    return Persona(clave, nombre, suyos, renglon["nip"], renglon["gafete"])
