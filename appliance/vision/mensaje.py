"""Lo que se dicen la pantalla y el proceso de visión: bloques con su longitud por delante.

Del otro lado pudo haberse abierto una imagen maliciosa: nada de lo que llega se cree sin revisarlo.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Final

from appliance.vision.calidad import Veredicto
from appliance.vision.codigo_leido import CodigoLeido, Punto
from appliance.vision.motivos import CATALOGO, motivo
from appliance.vision.pagina import Analisis
from appliance.vision.registro import Registro, RegistroInvalido
from nucleo.problema import Rechazo

MAXIMO_TEXTO: Final = 256 * 1024
MAXIMO_IMAGEN: Final = 32 * 2**20
LARGO: Final = 4
"""Bytes con que se escribe cada longitud, el más significativo primero."""

_MAXIMO_CODIGOS: Final = 50
_MAXIMO_CODIGO: Final = 400
"""Caracteres que viajan; uno de más de `nucleo.codigo_qr.MAXIMO_TEXTO` ya no es de un acta, y el resto sobra."""
_MAXIMO_LADO: Final = 20_000


class MensajeInvalido(ValueError):
    """Lo recibido no tiene la forma acordada."""


def bloque(datos: bytes) -> bytes:
    """Los datos con su longitud por delante."""
    return len(datos).to_bytes(LARGO, "big") + datos


def respuesta(resultado: Analisis | Rechazo) -> tuple[bytes, bytes]:
    """El texto y la imagen con que se contesta; un rechazo no lleva imagen."""
    if isinstance(resultado, Rechazo):
        partes = (resultado.codigo, resultado.que, resultado.causa, resultado.siguiente)
        return json.dumps({"rechazo": partes}).encode(), b""
    dato = {
        # Una hoja llena de códigos ajenos, o uno enorme, no es una imagen dañada: se manda lo que cabe.
        "codigos": [
            [c.texto[:_MAXIMO_CODIGO], c.simbologia, c.espejo, *c.posicion] for c in resultado.codigos[:_MAXIMO_CODIGOS]
        ],
        "registro": resultado.registro.a_json() if resultado.registro else None,
        "aceptable": resultado.veredicto.aceptable,
        "motivos": [[m.codigo, m.region] for m in resultado.veredicto.motivos],
        "tamano": [resultado.ancho, resultado.alto],
        "ms": dict(resultado.milisegundos),
    }
    return json.dumps(dato).encode(), resultado.imagen


def leer_respuesta(texto: bytes, imagen: bytes) -> Analisis | Rechazo:
    """Inversa de `respuesta`.

    Raises:
        MensajeInvalido: si no tiene esa forma.
    """
    dato = leer_objeto(texto)
    if set(dato) == {"rechazo"}:
        partes = dato["rechazo"]
        if not isinstance(partes, list) or len(partes) != 4 or not all(isinstance(p, str) for p in partes):
            raise MensajeInvalido("el rechazo no trae sus cuatro textos")
        return Rechazo(*partes)
    if set(dato) != {"codigos", "registro", "aceptable", "motivos", "tamano", "ms"}:
        raise MensajeInvalido("no trae las llaves de un análisis")
    registro = _registro(dato["registro"])
    ancho, alto = _tamano(dato["tamano"])
    if not imagen.startswith(b"RIFF") or imagen[8:12] != b"WEBP":
        raise MensajeInvalido("la imagen no es WebP")
    return Analisis(
        _codigos(dato["codigos"]),
        registro.formato if registro else None,
        registro,
        _veredicto(dato["aceptable"], dato["motivos"]),
        imagen,
        ancho,
        alto,
        _tiempos(dato["ms"]),
    )


def leer_objeto(texto: bytes) -> Mapping[str, object]:
    """Un objeto JSON.

    Raises:
        MensajeInvalido: si no lo es.
    """
    try:
        dato = json.loads(texto)
    except (ValueError, RecursionError) as error:
        raise MensajeInvalido("no es JSON") from error
    if not isinstance(dato, dict):
        raise MensajeInvalido("no es un objeto")
    return dato


def _registro(dato: object) -> Registro | None:
    if dato is None:
        return None
    if not isinstance(dato, str):
        raise MensajeInvalido("el registro no es un texto")
    try:
        return Registro.de_json(dato)
    except RegistroInvalido as error:
        raise MensajeInvalido(f"el registro {error}") from error


def _codigos(dato: object) -> tuple[CodigoLeido, ...]:
    if not isinstance(dato, list) or len(dato) > _MAXIMO_CODIGOS:
        raise MensajeInvalido("los códigos no son una lista corta")
    return tuple(_codigo(d) for d in dato)


def _codigo(dato: object) -> CodigoLeido:
    if not isinstance(dato, list) or len(dato) != 7 or dato[1] not in ("QR", "CODE128"):
        raise MensajeInvalido("un código no trae sus siete partes")
    texto, simbologia, espejo, *esquinas = dato
    if not isinstance(texto, str) or len(texto) > _MAXIMO_CODIGO:
        raise MensajeInvalido("un código es demasiado largo")
    if not isinstance(espejo, bool | None):
        raise MensajeInvalido("no dice si está en espejo")
    a, b, c, d = (_punto(e) for e in esquinas)
    return CodigoLeido(texto, simbologia, (a, b, c, d), espejo)


def _punto(dato: object) -> Punto:
    if not isinstance(dato, list) or len(dato) != 2:
        raise MensajeInvalido("una esquina no es un punto")
    return _numero(dato[0]), _numero(dato[1])


def _numero(dato: object) -> float:
    if type(dato) in (int, float) and isinstance(dato, int | float) and abs(dato) < 1e9 and math.isfinite(dato):
        return float(dato)
    raise MensajeInvalido("un número no lo es")


def _tamano(dato: object) -> tuple[int, int]:
    if isinstance(dato, list) and len(dato) == 2 and all(type(n) is int and 0 < n <= _MAXIMO_LADO for n in dato):
        return dato[0], dato[1]
    raise MensajeInvalido("el tamaño no son dos enteros")


def _veredicto(aceptable: object, motivos: object) -> Veredicto:
    if not isinstance(aceptable, bool) or not isinstance(motivos, list) or len(motivos) > _MAXIMO_CODIGOS:
        raise MensajeInvalido("el veredicto no tiene su forma")
    leidos = []
    for dato in motivos:
        if not isinstance(dato, list) or len(dato) != 2 or not isinstance(dato[0], str) or dato[0] not in CATALOGO:
            raise MensajeInvalido("un motivo no está en el catálogo")
        region = dato[1]
        if not (region is None or (isinstance(region, str) and len(region) <= 40)):
            raise MensajeInvalido("una región no es un nombre")
        leidos.append(motivo(dato[0], region))
    # La puerta no la abre el otro lado: si hay algo grave, no es aceptable.
    if aceptable == any(m.grave for m in leidos):
        raise MensajeInvalido("el veredicto contradice sus motivos")
    return Veredicto(aceptable, tuple(leidos))


def _tiempos(dato: object) -> dict[str, float]:
    if not isinstance(dato, dict) or len(dato) > _MAXIMO_CODIGOS:
        raise MensajeInvalido("los tiempos no son una tabla")
    return {str(etapa): _numero(ms) for etapa, ms in dato.items()}
