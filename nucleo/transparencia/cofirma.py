"""La cofirma de un testigo (C2SP tlog-cosignature, Ed25519): a tal hora, esto era lo más nuevo y era consistente.

Lo firmado lleva delante `cosignature/v1` y la hora, así que una cofirma nunca vale como firma de registro ni al revés.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from nucleo.transparencia.nota import Firma, LlavePublica, NotaInvalida
from nucleo.transparencia.punto import Punto

_HORA: Final = 8
_FIRMA: Final = 64
_MAXIMA_HORA: Final = 2**63 - 1


class LlaveDeTestigo(LlavePublica):
    """La que cofirma, con hora: tipo 0x04. Un mismo par de llaves no sirve para dos testigos: no se firma el nombre."""

    TIPO = 0x04
    __slots__ = ()

    def comprobar(self, texto: str, firma: bytes) -> None:
        self.exigir(firma[_HORA:], _mensaje(hora_de(firma), texto))


@dataclass(frozen=True, slots=True)
class Cofirmante:
    """Un testigo: su nombre y su llave privada."""

    nombre: str
    privada: Ed25519PrivateKey

    @property
    def llave(self) -> LlaveDeTestigo:
        return LlaveDeTestigo(self.nombre, self.privada.public_key().public_bytes_raw())

    def cofirmar(self, punto: Punto, hora: int) -> Firma:
        """La cofirma de ese punto. `hora`, en segundos POSIX. Comprobar antes que es consistente le toca a quien llama.

        Raises:
            NotaInvalida: si la hora no cabe.
        """
        if not 0 <= hora <= _MAXIMA_HORA:
            raise NotaInvalida(f"{hora} no es una hora")
        firma = self.privada.sign(_mensaje(hora, punto.texto))
        return Firma(self.nombre, self.llave.id, hora.to_bytes(_HORA, "big") + firma)


def hora_de(firma: bytes) -> int:
    """A qué hora dice el testigo que la hizo, en segundos POSIX.

    Raises:
        NotaInvalida: si no mide lo que una cofirma, o la hora no cabe.
    """
    hora = int.from_bytes(firma[:_HORA], "big")
    if len(firma) != _HORA + _FIRMA or hora > _MAXIMA_HORA:
        raise NotaInvalida("la cofirma no lleva una hora y una firma Ed25519")
    return hora


def _mensaje(hora: int, texto: str) -> bytes:
    return f"cosignature/v1\ntime {hora}\n{texto}".encode()
