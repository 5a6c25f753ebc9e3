"""Un árbol que se lee de baldosas ajenas y no le cree a ninguna: cada una se comprueba contra la raíz firmada.

Las de la orilla derecha, juntas, dan la raíz; cada baldosa llena da una huella de la de arriba, que ya se comprobó; y
cada paquete de entradas, las huellas de su baldosa del nivel 0. La primera que miente se nombra.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from nucleo.transparencia.arbol import (
    TAMANO_HUELLA,
    ArbolLegible,
    huella_de_hoja,
    raiz_de_completo,
)
from nucleo.transparencia.baldosas import (
    ALTURA,
    ANCHO,
    ENTRADAS,
    Baldosa,
    BaldosaInvalida,
    ancho_de,
    baldosas_nuevas,
    leer_huellas,
)
from nucleo.transparencia.entradas import leer_paquete

Leer = Callable[[str], bytes]
"""De la ruta de una baldosa a sus bytes. Si no está, `FileNotFoundError` o `KeyError`; otro error pasa tal cual."""

_GUARDADAS: Final = 512
"""Baldosas ya comprobadas que se tienen a mano: 4 MiB."""


class ArbolDeBaldosas(ArbolLegible):
    """El árbol de `tamano` hojas y esa `raiz`, leído de baldosas; al hacerlo se comprueba la orilla.

    Raises:
        BaldosaInvalida: aquí y en todo lo que se le pregunte, con la baldosa que falta o miente.
    """

    def __init__(self, tamano: int, raiz: bytes, leer: Leer) -> None:
        self._tamano = tamano
        self._leer = leer
        self._llenas: dict[tuple[int, int], bytes] = {}
        self._orilla = {b.nivel: self._huellas(b) for b in _orilla(tamano)}
        self._comprobar_orilla(raiz)

    @property
    def tamano(self) -> int:
        return self._tamano

    def nodo(self, nivel: int, indice: int) -> bytes:
        de_baldosa, dentro = divmod(nivel, ALTURA)
        baldosa, lugar = divmod(indice << dentro, ANCHO)
        fin = (lugar + (1 << dentro)) * TAMANO_HUELLA
        return raiz_de_completo(self.huellas(de_baldosa, baldosa)[lugar * TAMANO_HUELLA : fin])

    def huellas(self, nivel: int, indice: int) -> bytes:
        """Las de una baldosa, ya comprobadas hasta la raíz."""
        ancho = ancho_de(nivel, indice, self._tamano)
        if 0 < ancho < ANCHO:
            return self._orilla[nivel]
        if (guardada := self._llenas.get((nivel, indice))) is not None:
            return guardada
        baldosa = Baldosa(nivel, indice)
        if not ancho:
            raise BaldosaInvalida(baldosa.ruta, f"un registro de {self._tamano} hojas no la tiene")
        arriba, lugar = divmod(indice, ANCHO)
        esperada = self.huellas(nivel + 1, arriba)[lugar * TAMANO_HUELLA : (lugar + 1) * TAMANO_HUELLA]
        huellas = self._huellas(baldosa)
        if raiz_de_completo(huellas) != esperada:
            raise BaldosaInvalida(baldosa.ruta, "no es la que resume la baldosa de arriba: alguien la cambió")
        if len(self._llenas) >= _GUARDADAS:
            del self._llenas[next(iter(self._llenas))]
        self._llenas[nivel, indice] = huellas
        return huellas

    def entradas(self, desde: int = 0, hasta: int | None = None) -> Iterator[tuple[int, bytes]]:
        """Índice y contenido de las hojas `desde`…`hasta`-1, cada una comprobada contra el árbol."""
        fin = self._tamano if hasta is None else min(hasta, self._tamano)
        for indice in range(desde // ANCHO, -(-fin // ANCHO)):
            huellas = self.huellas(0, indice)
            paquete = Baldosa(ENTRADAS, indice, len(huellas) // TAMANO_HUELLA)
            for lugar, entrada in enumerate(self._entradas(paquete)):
                numero = indice * ANCHO + lugar
                if huella_de_hoja(entrada) != huellas[lugar * TAMANO_HUELLA : (lugar + 1) * TAMANO_HUELLA]:
                    raise BaldosaInvalida(paquete.ruta, f"la hoja {numero} no es la que se firmó: alguien la cambió")
                if desde <= numero < fin:
                    yield numero, entrada

    def comprobar_todo(self, desde: int = 0) -> None:
        """Que están y dicen la verdad todas las baldosas y entradas que el registro ganó desde que tenía `desde` hojas.

        Raises:
            BaldosaInvalida: la primera que falta o miente.
        """
        for nivel, indice, ancho in baldosas_nuevas(desde, self._tamano):
            if nivel != ENTRADAS:
                self.huellas(nivel, indice)
            else:
                for _ in self.entradas(indice * ANCHO, indice * ANCHO + ancho):
                    pass

    def _huellas(self, baldosa: Baldosa) -> bytes:
        traida, datos = self._traer(baldosa)
        return leer_huellas(traida, datos)[: baldosa.ancho * TAMANO_HUELLA]

    def _entradas(self, paquete: Baldosa) -> list[bytes]:
        traido, datos = self._traer(paquete)
        return leer_paquete(traido, datos)[: paquete.ancho]

    def _traer(self, baldosa: Baldosa) -> tuple[Baldosa, bytes]:
        """La baldosa, o la llena que la reemplazó: la parcial se puede borrar (tlog-tiles, «Partial Tiles»)."""
        for esta in (baldosa, Baldosa(baldosa.nivel, baldosa.indice)):
            try:
                return esta, self._leer(esta.ruta)
            except (FileNotFoundError, KeyError):
                continue
        raise BaldosaInvalida(baldosa.ruta, "no está: falta publicarla o alguien la borró")

    def _comprobar_orilla(self, raiz: bytes) -> None:
        if self.raiz() == raiz:
            return
        if not self._orilla:
            raise BaldosaInvalida("tile", "un registro de cero hojas no tiene esa raíz")
        for nivel in sorted(self._orilla, reverse=True):
            # Una sola mentira se delata: con lo que dice el nivel de abajo, la raíz sí sale.
            publicada = self._orilla[nivel]
            try:
                self._orilla[nivel] = self._desde_abajo(nivel)
            except BaldosaInvalida:
                continue
            if self.raiz() == raiz:
                raise BaldosaInvalida(
                    _de_la_orilla(nivel, self._tamano).ruta, "no da la raíz firmada: alguien la cambió"
                )
            self._orilla[nivel] = publicada
        rutas = ", ".join(b.ruta for b in _orilla(self._tamano))
        causa = f"con las de la orilla ({rutas}) no sale la raíz firmada: es otra historia, o más de una está cambiada"
        raise BaldosaInvalida(_de_la_orilla(min(self._orilla), self._tamano).ruta, causa)

    def _desde_abajo(self, nivel: int) -> bytes:
        """Lo que debería decir la baldosa de la orilla en ese nivel, según el de abajo (sin comprobar)."""
        baldosa = _de_la_orilla(nivel, self._tamano)
        if not nivel:
            paquete = Baldosa(ENTRADAS, baldosa.indice, baldosa.ancho)
            return b"".join(map(huella_de_hoja, self._entradas(paquete)))
        primera = baldosa.indice * ANCHO
        abajo = (Baldosa(nivel - 1, indice) for indice in range(primera, primera + baldosa.ancho))
        return b"".join(raiz_de_completo(self._huellas(b)) for b in abajo)


def _de_la_orilla(nivel: int, tamano: int) -> Baldosa:
    cuantas = tamano >> (ALTURA * nivel)
    return Baldosa(nivel, cuantas // ANCHO, cuantas % ANCHO)


def _orilla(tamano: int) -> list[Baldosa]:
    """Las baldosas a medias de un árbol, a lo más una por nivel: entre todas dan la raíz."""
    niveles = range(-(-tamano.bit_length() // ALTURA))
    return [baldosa for nivel in niveles if (baldosa := _de_la_orilla(nivel, tamano)).ancho]
