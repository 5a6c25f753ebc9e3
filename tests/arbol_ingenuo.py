"""El árbol de RFC 9162 §2.1 tal como lo define el texto: recursivo, lento y sin compartir nada con el del núcleo."""

from __future__ import annotations

import hashlib


def _sha(datos: bytes) -> bytes:
    return hashlib.sha256(datos).digest()


def _corte(cuantas: int) -> int:
    """La mayor potencia de dos estrictamente menor."""
    k = 1
    while k * 2 < cuantas:
        k *= 2
    return k


def raiz(hojas: list[bytes]) -> bytes:
    """MTH(D)."""
    if not hojas:
        return _sha(b"")
    if len(hojas) == 1:
        return _sha(b"\x00" + hojas[0])
    k = _corte(len(hojas))
    return _sha(b"\x01" + raiz(hojas[:k]) + raiz(hojas[k:]))


def camino(m: int, hojas: list[bytes]) -> list[bytes]:
    """PATH(m, D)."""
    if len(hojas) == 1:
        return []
    k = _corte(len(hojas))
    if m < k:
        return [*camino(m, hojas[:k]), raiz(hojas[k:])]
    return [*camino(m - k, hojas[k:]), raiz(hojas[:k])]


def consistencia(m: int, hojas: list[bytes]) -> list[bytes]:
    """PROOF(m, D)."""
    return _parte(m, hojas, True)


def _parte(m: int, hojas: list[bytes], era_la_raiz: bool) -> list[bytes]:
    """SUBPROOF(m, D, b)."""
    if m == len(hojas):
        return [] if era_la_raiz else [raiz(hojas)]
    k = _corte(len(hojas))
    if m <= k:
        return [*_parte(m, hojas[:k], era_la_raiz), raiz(hojas[k:])]
    return [*_parte(m - k, hojas[k:], False), raiz(hojas[:k])]
