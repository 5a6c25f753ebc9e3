"""El árbol de huellas (RFC 9162 §2.1): su raíz, y las pruebas de que una hoja está y de que nada se borró.

Cada subárbol completo —2**nivel hojas seguidas, desde un múltiplo de 2**nivel— tiene una huella que ya no cambia por
más que el árbol crezca. Todo lo demás se calcula de ésas, y por eso al árbol en memoria y al que se lee de baldosas
sólo los distingue de dónde sacan la huella de un nodo.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import Final

TAMANO_HUELLA: Final = 32
"""Bytes de un SHA-256."""

MAXIMO_TAMANO: Final = 2**63 - 1
"""Hojas. Lo que cabe en el entero con signo de casi todos los que leen (tlog-cosignature pone ese tope a la hora)."""

RAIZ_VACIA: Final = sha256(b"").digest()
"""La raíz del árbol sin hojas (RFC 9162 §2.1.1)."""

_HOJA: Final = b"\x00"
_NODO: Final = b"\x01"
# Sin estos prefijos, el contenido de un nodo podría pasar por hoja (RFC 9162 §2.1.1).


class PruebaInvalida(ValueError):
    """La prueba no demuestra lo que dice. El texto es la causa, para una persona."""


def huella_de_hoja(dato: bytes) -> bytes:
    """SHA-256 de 0x00 y lo que dice la hoja (RFC 9162 §2.1.1)."""
    return sha256(_HOJA + dato).digest()


def huella_de_nodo(izquierda: bytes, derecha: bytes) -> bytes:
    """SHA-256 de 0x01 y las dos huellas de abajo (RFC 9162 §2.1.1)."""
    return sha256(_NODO + izquierda + derecha).digest()


def raiz_de_completo(huellas: bytes) -> bytes:
    """La de un subárbol completo, de sus 2**n huellas de abajo, una tras otra."""
    while len(huellas) > TAMANO_HUELLA:
        huellas = b"".join(_subir(huellas, 0, len(huellas) // (2 * TAMANO_HUELLA)))
    return huellas


def _subir(abajo: bytes | bytearray, desde: int, hasta: int) -> Iterator[bytes]:
    """Las huellas `desde`…`hasta`-1 del nivel de arriba."""
    par = 2 * TAMANO_HUELLA
    for lugar in range(desde * par, hasta * par, par):
        yield sha256(_NODO + abajo[lugar : lugar + par]).digest()


class ArbolLegible(ABC):
    """Lo que se le puede preguntar a un árbol de `tamano` hojas."""

    @property
    @abstractmethod
    def tamano(self) -> int:
        """Cuántas hojas tiene."""

    @abstractmethod
    def nodo(self, nivel: int, indice: int) -> bytes:
        """Huella del subárbol de 2**`nivel` hojas que está en el lugar `indice` de su nivel, completo."""

    def raiz(self, tamano: int | None = None) -> bytes:
        """La raíz de las primeras `tamano` hojas; sin decirlo, de todas.

        Raises:
            PruebaInvalida: si no hay tantas hojas.
        """
        hasta = self._hasta(tamano)
        return self._entre(0, hasta) if hasta else RAIZ_VACIA

    def inclusion(self, indice: int, tamano: int | None = None) -> tuple[bytes, ...]:
        """El camino de la hoja `indice` a la raíz de las primeras `tamano`, de abajo arriba (RFC 9162 §2.1.3.1).

        Raises:
            PruebaInvalida: si la hoja no está entre ésas, o no hay tantas.
        """
        hasta = self._hasta(tamano)
        if not 0 <= indice < hasta:
            raise PruebaInvalida(f"la hoja {indice} no está entre las primeras {hasta}")
        camino, nivel, lugar, ultimo = [], 0, indice, hasta - 1
        while ultimo:
            hermano = lugar ^ 1
            if hermano == ultimo:  # El último de cada nivel puede estar a medias.
                camino.append(self._entre(hermano << nivel, hasta))
            elif hermano < ultimo:
                camino.append(self.nodo(nivel, hermano))
            lugar, ultimo, nivel = lugar >> 1, ultimo >> 1, nivel + 1
        return tuple(camino)

    def consistencia(self, viejo: int, nuevo: int | None = None) -> tuple[bytes, ...]:
        """La prueba de que las primeras `viejo` hojas siguen igual entre las primeras `nuevo` (RFC 9162 §2.1.4.1).

        Va vacía si son las mismas o si `viejo` es cero: de lo vacío no hay qué probar.

        Raises:
            PruebaInvalida: si `viejo` es mayor que `nuevo`, o no hay tantas hojas.
        """
        hasta = self._hasta(nuevo)
        if not 0 <= viejo <= hasta:
            raise PruebaInvalida(f"un registro de {viejo} hojas no puede ser el comienzo de uno de {hasta}")
        if not viejo:
            return ()
        camino, desde = [], 0
        while viejo != hasta:
            medio = desde + _mitad(hasta - desde)
            if viejo <= medio:
                camino.append(self._entre(medio, hasta))
                hasta = medio
            else:
                camino.append(self._entre(desde, medio))
                desde = medio
        if desde:  # Si no, lo viejo es un subárbol completo y quien comprueba ya tiene su huella.
            camino.append(self._entre(desde, hasta))
        return tuple(reversed(camino))

    def _hasta(self, tamano: int | None) -> int:
        if tamano is None:
            return self.tamano
        if not 0 <= tamano <= self.tamano:
            raise PruebaInvalida(f"se piden {tamano} hojas y el árbol tiene {self.tamano}")
        return tamano

    def _entre(self, desde: int, hasta: int) -> bytes:
        """La raíz de las hojas `desde`…`hasta`-1, que empiezan donde empieza un subárbol en que caben."""
        nivel, faltan, pedazos = 0, hasta - desde, []
        while faltan:
            if faltan & 1:
                pedazos.append(self.nodo(nivel, (hasta >> nivel) - 1))
                hasta -= 1 << nivel
            faltan, nivel = faltan >> 1, nivel + 1
        raiz = pedazos[0]
        for izquierda in pedazos[1:]:
            raiz = huella_de_nodo(izquierda, raiz)
        return raiz


def _mitad(cuantas: int) -> int:
    """La mayor potencia de dos menor que `cuantas` (la `k` de RFC 9162 §2.1.1)."""
    return 1 << ((cuantas - 1).bit_length() - 1)


class Arbol(ArbolLegible):
    """Un árbol que crece, en memoria: 64 bytes por hoja."""

    def __init__(self) -> None:
        self._niveles = [bytearray()]

    @property
    def tamano(self) -> int:
        return len(self._niveles[0]) // TAMANO_HUELLA

    def agregar(self, dato: bytes) -> int:
        """Agrega una hoja y devuelve su índice, desde cero."""
        self.agregar_huellas(huella_de_hoja(dato))
        return self.tamano - 1

    def agregar_huellas(self, huellas: bytes) -> None:
        """Agrega hojas de las que sólo se tiene la huella, una tras otra: las de una baldosa del nivel 0.

        Raises:
            ValueError: si no son huellas enteras.
        """
        if len(huellas) % TAMANO_HUELLA:
            raise ValueError(f"{len(huellas)} bytes no son huellas enteras de {TAMANO_HUELLA}")
        abajo = self._niveles[0]
        abajo += huellas
        nivel = 1
        while (completos := len(abajo) // (2 * TAMANO_HUELLA)) > 0:
            if nivel == len(self._niveles):
                self._niveles.append(bytearray())
            arriba = self._niveles[nivel]
            ya = len(arriba) // TAMANO_HUELLA
            if ya == completos:
                break
            for huella in _subir(abajo, ya, completos):
                arriba += huella
            abajo, nivel = arriba, nivel + 1

    def nodo(self, nivel: int, indice: int) -> bytes:
        return self.nodos(nivel, indice, 1)

    def nodos(self, nivel: int, desde: int, cuantos: int) -> bytes:
        """`cuantos` nodos seguidos de un nivel, una huella tras otra.

        Raises:
            PruebaInvalida: si alguno todavía no está completo.
        """
        pedidos = slice(desde * TAMANO_HUELLA, (desde + cuantos) * TAMANO_HUELLA)
        if nivel >= len(self._niveles) or desde < 0 or pedidos.stop > len(self._niveles[nivel]):
            raise PruebaInvalida(f"el nivel {nivel} no tiene completos los nodos {desde} a {desde + cuantos - 1}")
        return bytes(self._niveles[nivel][pedidos])


def comprobar_inclusion(huella: bytes, indice: int, tamano: int, raiz: bytes, camino: Sequence[bytes]) -> None:
    """Que la hoja de esa `huella` es la `indice` del árbol de `tamano` hojas y esa `raiz` (RFC 9162 §2.1.3.2).

    Raises:
        PruebaInvalida: con la causa.
    """
    if not 0 <= indice < tamano <= MAXIMO_TAMANO:
        raise PruebaInvalida(f"la hoja {indice} no puede estar en un registro de {tamano}")
    _exigir_huellas(huella, raiz, *camino)
    lugar, ultimo, calculada, resto = indice, tamano - 1, huella, iter(camino)
    while ultimo:
        if lugar & 1 or lugar < ultimo:  # Si no, es el último y va solo: sube sin hermano.
            hermano = next(resto, None)
            if hermano is None:
                raise PruebaInvalida("el camino está incompleto")
            calculada = huella_de_nodo(hermano, calculada) if lugar & 1 else huella_de_nodo(calculada, hermano)
        lugar, ultimo = lugar >> 1, ultimo >> 1
    if next(resto, None) is not None:
        raise PruebaInvalida("al camino le sobran huellas")
    if calculada != raiz:
        raise PruebaInvalida(f"el camino de la hoja {indice} no llega a la raíz del registro")


def comprobar_consistencia(
    viejo: int, nuevo: int, raiz_vieja: bytes, raiz_nueva: bytes, camino: Sequence[bytes]
) -> None:
    """Que el registro de `nuevo` hojas comienza con las mismas `viejo` de antes (RFC 9162 §2.1.4.2).

    Raises:
        PruebaInvalida: con la causa.
    """
    if not 0 <= viejo <= nuevo <= MAXIMO_TAMANO:
        raise PruebaInvalida(f"un registro de {viejo} hojas no puede ser el comienzo de uno de {nuevo}")
    _exigir_huellas(raiz_vieja, raiz_nueva, *camino)
    if viejo == nuevo:
        if raiz_vieja != raiz_nueva:
            raise PruebaInvalida(f"hay dos raíces para las mismas {nuevo} hojas: son dos historias")
        _exigir_vacio(camino)
        return
    if not viejo:
        if raiz_vieja != RAIZ_VACIA:
            raise PruebaInvalida("la raíz de cero hojas no es la del árbol vacío")
        _exigir_vacio(camino)
        return
    resto = iter(camino)
    lugar, ultimo = viejo - 1, nuevo - 1
    while lugar & 1:  # Lo que en lo viejo era un subárbol completo se salta: su huella es por donde se empieza.
        lugar, ultimo = lugar >> 1, ultimo >> 1
    inicio = next(resto, None) if lugar else raiz_vieja
    if inicio is None:
        raise PruebaInvalida("la prueba está incompleta")
    vieja = nueva = inicio
    while ultimo:
        if lugar & 1 or lugar < ultimo:
            hermano = next(resto, None)
            if hermano is None:
                raise PruebaInvalida("la prueba está incompleta")
            if lugar & 1:
                vieja, nueva = huella_de_nodo(hermano, vieja), huella_de_nodo(hermano, nueva)
            else:
                nueva = huella_de_nodo(nueva, hermano)
        lugar, ultimo = lugar >> 1, ultimo >> 1
    if next(resto, None) is not None:
        raise PruebaInvalida("a la prueba le sobran huellas")
    if vieja != raiz_vieja:
        raise PruebaInvalida(f"la prueba no sale de la raíz de {viejo} hojas: lo de antes ya no está igual")
    if nueva != raiz_nueva:
        raise PruebaInvalida(f"la prueba no llega a la raíz de {nuevo} hojas")


def _exigir_huellas(*huellas: bytes) -> None:
    if any(len(h) != TAMANO_HUELLA for h in huellas):
        raise PruebaInvalida(f"una huella no mide {TAMANO_HUELLA} bytes")


def _exigir_vacio(camino: Sequence[bytes]) -> None:
    if camino:
        raise PruebaInvalida("a la prueba le sobran huellas")
