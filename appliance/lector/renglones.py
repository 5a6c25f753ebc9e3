"""Juntar signos hasta el fin de renglón, sin dejar pasar lo que llegó a medias o de más."""

from __future__ import annotations

from typing import Final

from appliance.lector.puerto import MAXIMO

FINES: Final = "\r\n\t"
"""Con lo que un lector puede estar configurado para terminar; ningún código nuestro los lleva dentro."""


class Renglones:
    """Se le dan trozos de texto; entrega renglones completos.

    Lo que no se imprime se ignora, porque muchos lectores rodean el código con STX y ETX. Un renglón de más de `MAXIMO`
    signos se tira entero, hasta su fin.
    """

    def __init__(self) -> None:
        self._juntos: list[str] = []
        self._de_mas = False

    @property
    def a_medias(self) -> bool:
        return bool(self._juntos) or self._de_mas

    def agregar(self, texto: str) -> list[str]:
        """Los renglones que se completaron con ese texto; los vacíos no cuentan."""
        listos: list[str] = []
        for signo in texto:
            if signo in FINES:
                listos += self._terminar()
            elif not signo.isprintable():
                continue
            elif len(self._juntos) >= MAXIMO:
                self._de_mas = True
            else:
                self._juntos.append(signo)
        return listos

    def tirar(self) -> None:
        """Olvida lo que iba a medias."""
        self._juntos.clear()
        self._de_mas = False

    def echar_a_perder(self) -> None:
        """Se perdió un pedazo: lo que falta hasta el fin de renglón tampoco sirve."""
        self._de_mas = True

    def _terminar(self) -> list[str]:
        listo = "" if self._de_mas else "".join(self._juntos).strip()
        self.tirar()
        return [listo] if listo else []
