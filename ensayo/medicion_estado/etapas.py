"""Cuánto de un corte se va en cada etapa, sin que el programa medido sepa que lo miden.

Mientras se mide, las funciones que hacen cada etapa van envueltas. El tiempo es exclusivo: el de una etapa que llama a
otra no se cuenta dos veces, y lo que ninguna reclama queda en `demás`.
"""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, Final

from nucleo.publicacion import armado
from nucleo.publicacion.json_publico import delta, diccionario, esquema, paginas, piezas
from servicio_central import publicado
from servicio_central.publicacion import contenido, escritura, fuente, memoria, publicador
from servicio_central.registro import registro

DEMAS: Final = "demás"
_LEER: Final = "leer"
_ARMAR: Final = "armar"
_JSON: Final = "JSON"
_HTML: Final = "HTML"
_COMPRIMIR: Final = "comprimir"
_ESCRIBIR: Final = "escribir y enlazar"
_ZIP: Final = "zip"
_REGISTRO: Final = "registro"
_DURABLE: Final = "bajar a disco y renombrar"
ETAPAS: Final = (_LEER, _ARMAR, _JSON, _HTML, _COMPRIMIR, _ESCRIBIR, _ZIP, _REGISTRO, _DURABLE, DEMAS)

_DONDE: Final[tuple[tuple[object, str, str], ...]] = (
    (fuente.Fuente, "nuevos", _LEER),
    (fuente.Fuente, "sobres", _LEER),
    (fuente.Fuente, "imagenes", _LEER),
    (armado.Armador, "__init__", _ARMAR),
    (armado.Armador, "agregar", _ARMAR),
    (armado.Armador, "imagenes", _ARMAR),
    (armado.Armador, "cortar", _ARMAR),
    (armado.Armador, "todo", _ARMAR),
    (armado.Armador, "actas", _ARMAR),
    (armado.Armador, "secciones", _ARMAR),
    (memoria, "guardar", _ARMAR),
    (piezas, "a_bytes", _JSON),
    (paginas, "lo_que_dice", _JSON),
    (paginas, "de_acta", _JSON),
    (paginas, "paginas_del_corte", _JSON),
    (paginas, "de_seccion", _JSON),
    (delta, "entre", _JSON),
    (diccionario, "diccionario", _JSON),
    (esquema, "esquema", _JSON),
    (contenido, "contexto_de", _HTML),
    (contenido, "paginas_de_proceso", _HTML),
    (contenido, "paginas_de_siempre", _HTML),
    (contenido, "paginas_de_eleccion", _HTML),
    (contenido, "paginas_de_division", _HTML),
    (contenido, "paginas_de_seccion", _HTML),
    (contenido, "pagina_de_casilla", _HTML),
    (escritura, "comprimir", _COMPRIMIR),
    (escritura.CorteEnObra, "__init__", _ESCRIBIR),
    (escritura.CorteEnObra, "poner", _ESCRIBIR),
    (escritura.CorteEnObra, "repetir", _ESCRIBIR),
    (escritura.CorteEnObra, "compartir", _ESCRIBIR),
    (escritura.CorteEnObra, "compartir_seccion", _ESCRIBIR),
    (escritura.CorteEnObra, "manifestar", _ESCRIBIR),
    (escritura.CorteEnObra, "levantar", _DURABLE),
    (publicado, "publicar", _DURABLE),
    (publicador, "escribir_zip", _ZIP),
    (publicador.Publicador, "_abrir_registro", _REGISTRO),
    (publicador.Publicador, "_hojas", _REGISTRO),
    (publicador.Publicador, "_asentar", _REGISTRO),
    (registro.Registro, "agregar", _REGISTRO),
)


@dataclass
class Tiempos:
    """Segundos de pared y de procesador por etapa."""

    pared: dict[str, float] = field(default_factory=lambda: dict.fromkeys(ETAPAS, 0.0))
    procesador: dict[str, float] = field(default_factory=lambda: dict.fromkeys(ETAPAS, 0.0))

    @property
    def total(self) -> tuple[float, float]:
        return sum(self.pared.values()), sum(self.procesador.values())


class _Reloj:
    def __init__(self) -> None:
        self.tiempos = Tiempos()
        self._pila = [DEMAS]
        self._antes = (time.perf_counter(), time.process_time())

    def pasar(self) -> None:
        """Lo transcurrido, a la etapa en curso."""
        ahora = time.perf_counter(), time.process_time()
        etapa = self._pila[-1]
        self.tiempos.pared[etapa] += ahora[0] - self._antes[0]
        self.tiempos.procesador[etapa] += ahora[1] - self._antes[1]
        self._antes = ahora

    def entrar(self, etapa: str) -> None:
        self.pasar()
        self._pila.append(etapa)

    def salir(self) -> None:
        self.pasar()
        self._pila.pop()


@contextmanager
def midiendo() -> Iterator[Tiempos]:
    """Mide lo que se haga dentro. Los tiempos están completos al salir."""
    reloj = _Reloj()
    puestas: list[tuple[Any, str, Any]] = []
    try:
        for dueno, nombre, etapa in _DONDE:
            original = getattr(dueno, nombre)
            puestas.append((dueno, nombre, original))
            setattr(dueno, nombre, _envuelta(original, etapa, reloj))
        reloj.pasar()
        reloj.tiempos.pared[DEMAS] = reloj.tiempos.procesador[DEMAS] = 0.0
        yield reloj.tiempos
        reloj.pasar()
    finally:
        for dueno, nombre, original in puestas:
            setattr(dueno, nombre, original)


def _envuelta(original: Callable[..., Any], etapa: str, reloj: _Reloj) -> Callable[..., Any]:
    if inspect.isgeneratorfunction(original):

        @wraps(original)
        def generadora(*args: Any, **opciones: Any) -> Iterator[Any]:
            por_dar = original(*args, **opciones)
            while True:
                reloj.entrar(etapa)
                try:
                    dado = next(por_dar)
                except StopIteration:
                    return
                finally:
                    reloj.salir()
                yield dado

        return generadora

    @wraps(original)
    def funcion(*args: Any, **opciones: Any) -> Any:
        reloj.entrar(etapa)
        try:
            return original(*args, **opciones)
        finally:
            reloj.salir()

    return funcion
