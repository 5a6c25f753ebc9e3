"""El NIP de una persona: seis números que sólo ella sabe. En disco queda su resumen, nunca el número."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import secrets
from datetime import date
from itertools import pairwise
from typing import Final

LARGO: Final = 6

_FORMA: Final = re.compile(r"[0-9]{6}")
_LOG2_N: Final = 14
"""Costo de scrypt: 2^14 bloques de 1 KiB son 16 MiB y de 50 a 170 ms, según el equipo y su carga.

Tarda a propósito, aunque entrar pase de los 50 ms por toque que se buscan: quien se lleve `personas.toml` paga eso
por cada NIP que pruebe (un día con un núcleo en vez de un instante). Se calcula en un hilo y sin el candado de Python:
las demás pantallas siguen.
"""
_R: Final = 8
_P: Final = 1
_SAL: Final = 16
_RESUMEN: Final = 32
_LOG2_N_ADMITIDOS: Final = range(14, 18)
"""Menos se adivina pronto; más agotaría la memoria del kiosco con sólo teclear un NIP."""


class ResumenInvalido(ValueError):
    """El texto no es un resumen de NIP que este programa haya escrito."""


def bien_formado(nip: str) -> bool:
    """Si son exactamente seis números (ASCII)."""
    return _FORMA.fullmatch(nip) is not None


def trivial(nip: str) -> bool:
    """Si es de los que se prueban primero: repetidos, en escalera, de dos cifras o fechas."""
    pasos = {(int(b) - int(a)) % 10 for a, b in pairwise(nip)}
    en_bloques = nip[:3] == nip[3:] or nip[:2] * 3 == nip
    en_pares = all(nip[i] == nip[i + 1] for i in (0, 2, 4))
    capicua = nip == nip[::-1]
    escalera = len(pasos) == 1
    return escalera or en_bloques or en_pares or capicua or len(set(nip)) < 3 or _es_fecha(nip)


def nuevo() -> str:
    """Un NIP al azar que no es trivial."""
    while trivial(nip := f"{secrets.randbelow(10**LARGO):0{LARGO}d}"):
        pass
    return nip


def resumir(nip: str) -> str:
    """`scrypt$log2n$r$p$sal$resumen`, con sal propia; sal y resumen en base64.

    Raises:
        ValueError: si el NIP no son seis números.
    """
    if not bien_formado(nip):
        raise ValueError("el NIP son seis números")
    sal = secrets.token_bytes(_SAL)
    partes = (sal, _scrypt(nip, sal, _LOG2_N))
    return "$".join(("scrypt", str(_LOG2_N), str(_R), str(_P), *(base64.b64encode(x).decode() for x in partes)))


def es_el_de(nip: str, resumen: str) -> bool:
    """Si ese NIP es el del resumen; tarda lo mismo acierte o no. Raises: ResumenInvalido."""
    log2_n, sal, esperado = _leer(resumen)
    return hmac.compare_digest(_scrypt(nip, sal, log2_n), esperado)


def exigir_resumen(resumen: str) -> None:
    """Comprueba la forma del resumen, sin calcular nada. Raises: ResumenInvalido."""
    _leer(resumen)


def _leer(resumen: str) -> tuple[int, bytes, bytes]:
    partes = resumen.split("$")
    if len(partes) != 6 or partes[0] != "scrypt" or partes[2:4] != [str(_R), str(_P)]:
        raise ResumenInvalido("no empieza con scrypt$ o sus parámetros son otros")
    if partes[1] not in map(str, _LOG2_N_ADMITIDOS):
        raise ResumenInvalido("su costo está fuera de lo admitido")
    try:
        sal, esperado = (base64.b64decode(x.encode("ascii"), validate=True) for x in partes[4:])
    except (binascii.Error, UnicodeEncodeError) as error:
        raise ResumenInvalido("no está en base64") from error
    if len(sal) != _SAL or len(esperado) != _RESUMEN:
        raise ResumenInvalido("está cortado")
    return int(partes[1]), sal, esperado


def _scrypt(nip: str, sal: bytes, log2_n: int) -> bytes:
    n = 2**log2_n
    return hashlib.scrypt(nip.encode(), salt=sal, n=n, r=_R, p=_P, maxmem=256 * _R * n, dklen=_RESUMEN)


def _es_fecha(nip: str) -> bool:
    a, b, c = (int(nip[i : i + 2]) for i in (0, 2, 4))
    return any(_existe(mes, dia) for mes, dia in ((b, a), (a, b), (b, c)))


def _existe(mes: int, dia: int) -> bool:
    try:
        date(2024, mes, dia)
    except ValueError:
        return False
    return True
