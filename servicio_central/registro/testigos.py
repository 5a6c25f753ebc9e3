"""Pedir cofirmas a los testigos (C2SP tlog-witness): partidos, difusores, notaría, cada uno en su máquina.

Se les pide después de publicar y a todos a la vez: quien no contesta a tiempo se queda sin cofirmar este corte y puede
cofirmar el siguiente. Nada de lo que diga un testigo detiene la publicación; lo que diga y no cuadre se le dice a
operación.
"""

from __future__ import annotations

import tomllib
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from nucleo.transparencia.cofirma import LlaveDeTestigo
from nucleo.transparencia.nota import Firma, Nota, NotaInvalida, a_base64, leer_nota
from nucleo.transparencia.punto import leer_natural
from servicio_central.tropiezo import Tropiezo

ARCHIVO: Final = "testigos.toml"
PLAZO: Final = 10.0
"""Segundos que se espera a cada uno."""

_MAXIMO: Final = 64 * 1024
_RUTA: Final = "/add-checkpoint"
_CONFLICTO: Final = 409


@dataclass(frozen=True, slots=True)
class Testigo:
    llave: LlaveDeTestigo
    url: str


@dataclass(frozen=True, slots=True)
class Testigos:
    """Los de `testigos.toml`. Sin archivo, ninguno."""

    todos: tuple[Testigo, ...] = ()
    quorum: int = 0


@dataclass(frozen=True, slots=True)
class Cofirmas:
    """Lo que contestaron."""

    firmas: tuple[Firma, ...]
    quejas: tuple[str, ...]
    """De cada testigo que no cofirmó, por qué."""


Consistencia = Callable[[int, int], Sequence[bytes]]


def leer(carpeta: Path) -> Testigos:
    """Los testigos configurados.

    Raises:
        Tropiezo: TESTIGOS, con la causa, si el archivo no se entiende.
    """
    ruta = carpeta / ARCHIVO
    if not ruta.exists():
        return Testigos()
    try:
        dato = tomllib.loads(ruta.read_text("utf-8"))
        todos = tuple(_leer_uno(t) for t in dato.pop("testigo", []))
        quorum = dato.pop("quorum", 0)
        if dato or type(quorum) is not int or not 0 <= quorum <= len(todos):
            raise ValueError("«quorum» no es un número entre 0 y los testigos que hay, o sobra algo")
        if len({t.llave.nombre for t in todos}) != len(todos) or len({t.llave.publica for t in todos}) != len(todos):
            raise ValueError("dos testigos tienen el mismo nombre o la misma llave")
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise Tropiezo(
            "TESTIGOS", f"{ruta} no se entiende ({error})", "se editó a mano", "corríjalo como dice docs/publicacion.md"
        ) from error
    return Testigos(todos, quorum)


def recoger(
    nota: Nota, tamano: int, conocidos: dict[str, int], testigos: Iterable[Testigo], consistencia: Consistencia
) -> Cofirmas:
    """Pide a todos que cofirmen ese punto de control.

    Args:
        conocidos: hasta dónde cofirmó cada testigo, por nombre; se actualiza.
    """
    todos = list(testigos)
    if not todos:
        return Cofirmas((), ())

    def pedir(testigo: Testigo) -> Firma | str:
        nombre = testigo.llave.nombre
        try:
            firma = _pedir(testigo, nota, tamano, conocidos.get(nombre, 0), consistencia)
        except (OSError, ValueError) as error:
            return f"{nombre} no cofirmó: {error}"
        conocidos[nombre] = tamano
        return firma

    with ThreadPoolExecutor(max_workers=min(32, len(todos))) as hilos:
        respuestas = list(hilos.map(pedir, todos))
    return Cofirmas(
        tuple(r for r in respuestas if isinstance(r, Firma)), tuple(r for r in respuestas if isinstance(r, str))
    )


def _pedir(testigo: Testigo, nota: Nota, tamano: int, viejo: int, consistencia: Consistencia) -> Firma:
    for intento in range(2):
        if viejo > tamano:
            raise ValueError(f"dice que ya vio {viejo} hojas y este registro tiene {tamano}: hay dos historias")
        camino = consistencia(viejo, tamano)
        renglones = (f"old {viejo}", *map(a_base64, camino), "", "")
        cuerpo = "\n".join(renglones).encode() + nota.a_bytes()
        codigo, respuesta = _enviar(testigo.url, cuerpo)
        if codigo == 200:
            return _leer_firma(testigo, nota, respuesta)
        if codigo != _CONFLICTO or intento:
            raise ValueError(f"contestó {codigo}: {respuesta[:200].decode('utf-8', 'replace').strip()}")
        # Nos dice hasta dónde vio: se le vuelve a pedir desde ahí.
        viejo = leer_natural(respuesta[:32].decode("ascii", "replace").strip())
    raise AssertionError("inalcanzable")


def _enviar(url: str, cuerpo: bytes) -> tuple[int, bytes]:
    pedido = urllib.request.Request(url + _RUTA, cuerpo, {"Content-Type": "text/plain; charset=utf-8"})
    try:
        with _ABRIDOR.open(pedido, timeout=PLAZO) as respuesta:
            return respuesta.status, respuesta.read(_MAXIMO)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read(_MAXIMO)


def _leer_firma(testigo: Testigo, nota: Nota, respuesta: bytes) -> Firma:
    contestada = leer_nota(nota.texto.encode() + b"\n" + respuesta)
    for firma in contestada.firmas:
        if (firma.nombre, firma.id) == (testigo.llave.nombre, testigo.llave.id):
            testigo.llave.comprobar(nota.texto, firma.firma)
            return firma
    raise NotaInvalida("la respuesta no trae su cofirma")


class _SinRedirigir(urllib.request.HTTPRedirectHandler):
    """Un testigo que manda a otro lado no es el que se configuró."""

    def redirect_request(self, *_: object) -> None:
        return None


_ABRIDOR: Final = urllib.request.build_opener(_SinRedirigir)


def _leer_uno(dato: dict[str, object]) -> Testigo:
    if set(dato) != {"vkey", "url"} or not isinstance(dato["vkey"], str) or not isinstance(dato["url"], str):
        raise ValueError("cada testigo lleva «vkey» y «url»")
    partes = urlsplit(dato["url"])
    if partes.scheme not in ("http", "https") or not partes.hostname or partes.query or partes.fragment:
        raise ValueError(f"{dato['url'][:80]!r} no es una dirección http o https")
    return Testigo(LlaveDeTestigo.de_vkey(dato["vkey"]), dato["url"].rstrip("/"))
