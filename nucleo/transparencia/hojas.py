"""Qué dice cada hoja del registro de transparencia, y su única forma en bytes.

Una hoja es su clase, un salto de línea y su cuerpo. El cuerpo de un hecho es el JWS del kiosco tal cual; el de las
demás, un objeto JSON con una sola escritura posible (llaves en orden, sin espacios): quien lee vuelve a escribir y
exige los mismos bytes, así que no hay dos hojas que digan lo mismo. La hoja 0 es la puesta en ceros.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any, Final

from nucleo import formas
from nucleo.carga import leer_carga
from nucleo.formas import CORTO, EPOCA, EQUIPO, HEX64
from nucleo.hechos import MAXIMO_VUELTAS, IdActa
from nucleo.publicacion.reserva import HechoReservado
from nucleo.renglon import CLAVE, hora_con_huso
from nucleo.sobre import SobreInvalido

MAXIMO_HOJA: Final = 65_535
"""Bytes: lo que cabe en los dos del tamaño de una entrada (C2SP tlog-tiles)."""

_CORTE: Final = re.compile(r"[0-9]{8}_[0-9]{4}(?:[0-9]{2})?")
_TIPO: Final = re.compile(r"[a-z_]{1,40}")
_LIBRE: Final = re.compile(r"[^\x00-\x1f\x7f]{1,500}")
_VKEY: Final = re.compile(r"[^\s+]{1,120}\+[0-9a-f]{8}\+[A-Za-z0-9+/]{20,200}={0,2}")
_RAYA: Final = b"\n"
MAXIMO_TESTIGOS: Final = 64
MAXIMO_HOJAS_DE_ACTA: Final = 4096


class Clase(Enum):
    """La clase de una hoja, como se escribe en su primer renglón."""

    CEROS = "ceros"
    """La puesta en ceros: con qué se va a contar. Sólo la 0, y sólo una."""
    HECHO = "hecho"
    """Un sobre aceptado, con su firma."""
    RESERVADO = "reservado"
    """El eslabón de un sobre aceptado cuyo contenido no se publica (todavía): así la cadena se puede seguir."""
    DOCUMENTO = "documento"
    """Un archivo que cambia con qué se cuenta: definición o padrón."""
    ACTA = "acta"
    """Lo que el centro publica de un acta, y de qué sobres sale."""
    CORTE = "corte"
    """El manifiesto de un corte. Un corte es función de las hojas anteriores a la suya."""
    SUCESO = "suceso"
    """Algo de la operación que la ciudadanía debe poder ver: pausa, regreso, cambio de programa."""


class HojaInvalida(ValueError):
    """Los bytes no son una hoja de este registro; el mensaje dice por qué."""


@dataclass(frozen=True, slots=True)
class Ceros:
    """La hoja 0. Todo lo que después se cuenta, se cuenta con esto o con lo que una hoja posterior diga que cambió."""

    proceso: str
    modo: str
    hora: datetime
    origen: str
    """El nombre del registro en sus puntos de control."""
    llave: str
    """La llave del registro, como vkey de signed-note."""
    autoridad: str
    """SHA-256 de `autoridad.pub.pem`; vacío si es un libro suelto, sin autoridad."""
    definicion: str
    """Huella de la definición (`nucleo.eleccion.Proceso.huella`): catálogo, renglones y calendario.
    Vacía en un libro suelto."""
    programa: str
    """Huella del programa del centro."""
    testigos: tuple[str, ...]
    """vkey de cada testigo, en orden."""
    quorum: int
    """Cofirmas con que un punto de control se dice atestiguado. Publicar nunca las espera."""


@dataclass(frozen=True, slots=True)
class Documento:
    """Un archivo público del que depende el cómputo; se sirve por su SHA-256."""

    que: str
    """`definicion`, `padron` o `programa`."""
    sha256: str
    bytes: int
    nombre: str
    """Su huella o versión, como la nombran quienes lo usan."""


@dataclass(frozen=True, slots=True)
class ActaPublicada:
    """Lo que se publica de un acta desde un corte."""

    eleccion: str
    casilla: str
    corte: str
    ficha: str
    """SHA-256 de su JSON público."""
    imagen: str
    """SHA-256 de su imagen, si en ese corte ya se publica; vacío si viene en camino o no la hay."""
    hojas: tuple[str, ...]
    """Huellas de los sobres de que sale, en orden de (equipo, época, secuencia)."""


@dataclass(frozen=True, slots=True)
class CortePublicado:
    """Un corte: el SHA-256 de su manifiesto, que dice el de cada uno de sus archivos."""

    corte: str
    hora: datetime
    ultimo: bool
    manifiesto: str


@dataclass(frozen=True, slots=True)
class SucesoDeOperacion:
    """Algo que pasó en la operación."""

    hora: datetime
    que: str
    """`arranque`, `pausa`, `regreso`, `programa`, `correccion` o `cierre`."""
    detalle: str


Hoja = Ceros | HechoReservado | Documento | ActaPublicada | CortePublicado | SucesoDeOperacion

_SUCESOS: Final = ("arranque", "pausa", "regreso", "programa", "correccion", "cierre")
_DOCUMENTOS: Final = ("definicion", "padron", "programa")

_CLASES: Final[dict[type, Clase]] = {
    Ceros: Clase.CEROS,
    HechoReservado: Clase.RESERVADO,
    Documento: Clase.DOCUMENTO,
    ActaPublicada: Clase.ACTA,
    CortePublicado: Clase.CORTE,
    SucesoDeOperacion: Clase.SUCESO,
}


def hoja_de_hecho(sobre: str) -> bytes:
    """La hoja de un sobre, con su firma. Raises: HojaInvalida, si no cabe."""
    return _con_clase(Clase.HECHO, sobre.encode("ascii"))


def escribir(hoja: Hoja) -> bytes:
    """Los bytes de una hoja que no es un hecho. Raises: HojaInvalida, si nadie podría leerla."""
    clase = _CLASES[type(hoja)]
    cuerpo = _escrito(hoja)
    _leer_cuerpo(clase, cuerpo)
    return _con_clase(clase, cuerpo)


def leer(datos: bytes) -> Hoja | str:
    """Inversa estricta: la hoja, o el JWS compacto si es un hecho (sin comprobar su firma).

    Raises:
        HojaInvalida: con la causa.
    """
    if len(datos) > MAXIMO_HOJA:
        raise HojaInvalida(f"mide {len(datos)} bytes y el tope es {MAXIMO_HOJA}")
    nombre, raya, cuerpo = datos.partition(_RAYA)
    try:
        clase = Clase(nombre.decode("ascii")) if raya else None
    except ValueError:
        clase = None
    if clase is None:
        raise HojaInvalida(f"su clase, {nombre[:20]!r}, no es ninguna de las conocidas")
    if clase is Clase.HECHO:
        if not cuerpo.isascii():
            raise HojaInvalida("el sobre no es un JWS compacto")
        return cuerpo.decode("ascii")
    return _leer_cuerpo(clase, cuerpo)


def _con_clase(clase: Clase, cuerpo: bytes) -> bytes:
    hoja = clase.value.encode() + _RAYA + cuerpo
    if len(hoja) > MAXIMO_HOJA:
        raise HojaInvalida(f"mide {len(hoja)} bytes y el tope es {MAXIMO_HOJA}")
    return hoja


def _escrito(hoja: Hoja) -> bytes:
    dato = {nombre: _a_json(getattr(hoja, nombre)) for nombre in hoja.__dataclass_fields__}
    return json.dumps(dato, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()


def _a_json(valor: object) -> object:
    if isinstance(valor, datetime):
        return valor.isoformat()
    if isinstance(valor, IdActa):
        return [valor.eleccion, valor.casilla]
    return list(valor) if isinstance(valor, tuple) else valor


def _leer_cuerpo(clase: Clase, cuerpo: bytes) -> Hoja:
    try:
        hoja = leer_carga(cuerpo, _LECTORES[clase], f"la hoja «{clase.value}»")
    except SobreInvalido as error:
        raise HojaInvalida(str(error)) from error
    if _escrito(hoja) != cuerpo:
        raise HojaInvalida(f"la hoja «{clase.value}» no está escrita en su única forma")
    return hoja


def _texto_o_nada(dato: object, forma: re.Pattern[str]) -> str:
    return "" if dato == "" else formas.texto(dato, forma)


def _uno_de(dato: object, cuales: tuple[str, ...]) -> str:
    if not isinstance(dato, str) or dato not in cuales:
        raise ValueError(str(dato)[:40])
    return dato


def _verdad(dato: object) -> bool:
    if not isinstance(dato, bool):
        raise ValueError(str(dato)[:40])
    return dato


def _ceros(d: dict[str, Any]) -> Hoja:
    testigos = tuple(formas.texto(t, _VKEY) for t in formas.lista(d["testigos"], MAXIMO_TESTIGOS))
    return Ceros(
        proceso=formas.texto(d["proceso"], CORTO),
        modo=formas.texto(d["modo"], CORTO),
        hora=hora_con_huso(d["hora"]),
        origen=formas.texto(d["origen"], _LIBRE),
        llave=formas.texto(d["llave"], _VKEY),
        autoridad=_texto_o_nada(d["autoridad"], HEX64),
        definicion=_texto_o_nada(d["definicion"], HEX64),
        programa=formas.texto(d["programa"], HEX64),
        testigos=testigos,
        quorum=formas.entero(d["quorum"], 0, len(testigos) + 1),
    )


def _reservado(d: dict[str, Any]) -> Hoja:
    acta = None if d["acta"] is None else IdActa(*(formas.texto(t, CLAVE) for t in formas.lista(d["acta"], 2)))
    return HechoReservado(
        equipo=formas.texto(d["equipo"], EQUIPO),
        epoca=formas.texto(d["epoca"], EPOCA),
        secuencia=formas.entero(d["secuencia"], 1),
        previo=formas.texto(d["previo"], HEX64),
        huella=formas.texto(d["huella"], HEX64),
        tipo=formas.texto(d["tipo"], _TIPO),
        acta=acta,
        vuelta=None if d["vuelta"] is None else formas.entero(d["vuelta"], 1, MAXIMO_VUELTAS + 1),
    )


def _documento(d: dict[str, Any]) -> Hoja:
    return Documento(
        que=_uno_de(d["que"], _DOCUMENTOS),
        sha256=formas.texto(d["sha256"], HEX64),
        bytes=formas.entero(d["bytes"], 1),
        nombre=formas.texto(d["nombre"], CORTO),
    )


def _acta(d: dict[str, Any]) -> Hoja:
    return ActaPublicada(
        eleccion=formas.texto(d["eleccion"], CLAVE),
        casilla=formas.texto(d["casilla"], CLAVE),
        corte=formas.texto(d["corte"], _CORTE),
        ficha=formas.texto(d["ficha"], HEX64),
        imagen=_texto_o_nada(d["imagen"], HEX64),
        hojas=tuple(formas.texto(h, HEX64) for h in formas.lista(d["hojas"], MAXIMO_HOJAS_DE_ACTA)),
    )


def _corte(d: dict[str, Any]) -> Hoja:
    return CortePublicado(
        corte=formas.texto(d["corte"], _CORTE),
        hora=hora_con_huso(d["hora"]),
        ultimo=_verdad(d["ultimo"]),
        manifiesto=formas.texto(d["manifiesto"], HEX64),
    )


def _suceso(d: dict[str, Any]) -> Hoja:
    return SucesoDeOperacion(
        hora=hora_con_huso(d["hora"]), que=_uno_de(d["que"], _SUCESOS), detalle=formas.texto(d["detalle"], _LIBRE)
    )


_LECTORES: Final = {
    Clase.CEROS: _ceros,
    Clase.RESERVADO: _reservado,
    Clase.DOCUMENTO: _documento,
    Clase.ACTA: _acta,
    Clase.CORTE: _corte,
    Clase.SUCESO: _suceso,
}
