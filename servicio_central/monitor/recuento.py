"""Lo que se cuenta de los hechos sin volver a leerlos todos: cuántos por cadena, qué actas por distrito, qué bitácoras.

Los hechos sólo se agregan, así que basta leer los que están después del último visto. Con varios escritores las
posiciones no se confirman en orden: cada medio minuto se compara la cuenta y, si no es la misma, se vuelve a empezar.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Hashable
from typing import Final

from nucleo.eleccion import Proceso
from nucleo.padron import Padron
from servicio_central import bitacora
from servicio_central.monitor.retrato import Lugar
from servicio_central.puerto_almacen import Lector

_REPASO: Final = 30.0
_SIN_DISTRITO: Final = 0


class Recuento:
    """Se le presenta el almacén en cada retrato y recuerda hasta dónde leyó."""

    def __init__(self) -> None:
        self._de: tuple[Hashable, str, int] | None = None
        self._olvidar()

    def _olvidar(self) -> None:
        self._posicion = 0
        self.total = 0
        self.por_cadena: dict[tuple[str, str], int] = defaultdict(int)
        self._actas: dict[int, set[tuple[str, str]]] = defaultdict(set)
        self._equipos: dict[int, set[str]] = defaultdict(set)
        self.bitacoras: dict[tuple[str, str], int] = {}
        """Cadena → secuencia de su última hoja de bitácora."""
        self._revisadas: dict[tuple[str, str], int] = {}
        """Cadena → hasta qué hoja de bitácora ya se comprobó."""
        self._anomalias: dict[tuple[str, str], tuple[str, ...]] = {}
        self._repaso = time.monotonic()

    def ponerse_al_dia(self, bd: Lector, proceso: Proceso, padron: Padron) -> None:
        """Lee lo nuevo. Otra definición u otro padrón (que puede excluir) obligan a contar desde el principio.

        Raises:
            uno de `puerto_almacen.ERRORES`.
        """
        de = (bd.identidad, proceso.huella, padron.version)
        if de != self._de or (time.monotonic() - self._repaso > _REPASO and not self._cuadra(bd)):
            self._olvidar()
            self._de = de
        for posicion, equipo, epoca, secuencia, eleccion, casilla, tipo in bd.execute(
            "SELECT posicion, equipo, epoca, secuencia, eleccion, casilla, tipo FROM hechos WHERE posicion > ?"
            " ORDER BY posicion",
            (self._posicion,),
        ):
            self._posicion = posicion
            self.total += 1
            self.por_cadena[equipo, epoca] += 1
            if tipo == "bitacora":
                self.bitacoras[equipo, epoca] = max(secuencia, self.bitacoras.get((equipo, epoca), 0))
            elif casilla is not None and padron.excluye(equipo, epoca, secuencia) is None:
                aprobada = proceso.casillas.get(casilla)
                distrito = (aprobada.distrito if aprobada else None) or _SIN_DISTRITO
                self._actas[distrito].add((eleccion, casilla))
                self._equipos[distrito].add(equipo)

    def _cuadra(self, bd: Lector) -> bool:
        self._repaso = time.monotonic()
        return int(bd.execute("SELECT count(*) FROM hechos").fetchone()[0]) == self.total

    def anomalias(self, bd: Lector, contiguos: dict[tuple[str, str], int]) -> dict[str, tuple[str, ...]]:
        """Equipo → lo que no cuadra en sus bitácoras. Sólo vuelve a comprobar las que crecieron.

        Raises:
            uno de `puerto_almacen.ERRORES`.
        """
        for cadena, ultima in self.bitacoras.items():
            if self._revisadas.get(cadena, 0) >= ultima or contiguos.get(cadena, 0) < ultima:
                continue
            hallado = bitacora.anomalias_de_cadena(bd, *cadena, ultima)
            self._anomalias[cadena] = tuple(str(a) for a in hallado)
            self._revisadas[cadena] = ultima
        juntas: dict[str, tuple[str, ...]] = {}
        for (equipo, _), dichas in self._anomalias.items():
            if dichas:
                juntas[equipo] = (*juntas.get(equipo, ()), *dichas)
        return juntas

    def lugares(self, proceso: Proceso, padron: Padron) -> tuple[Lugar, ...]:
        """Los distritos del catálogo, en orden, con lo que ha llegado de cada uno."""
        nombres, esperadas = _distritos(proceso)
        inscritos: dict[int, set[str]] = defaultdict(set)
        for equipo in padron.equipos.values():
            for lugar in equipo.casillas:
                if lugar.startswith("D") and lugar[1:].isdigit():
                    inscritos[int(lugar[1:])].add(equipo.nombre)
        return tuple(
            Lugar(n, nombres[n], esperadas[n], len(self._actas[n]), tuple(sorted(self._equipos[n] | inscritos[n])))
            for n in sorted(nombres)
        )


_de_catalogo: dict[str, tuple[dict[int, str], dict[int, int]]] = {}


def _distritos(proceso: Proceso) -> tuple[dict[int, str], dict[int, int]]:
    """Nombre y actas esperadas de cada distrito. Once mil casillas no se recorren cuatro veces por segundo."""
    if proceso.huella and proceso.huella in _de_catalogo:
        return _de_catalogo[proceso.huella]
    nombres: dict[int, str] = {}
    esperadas: dict[int, int] = defaultdict(int)
    for eleccion in proceso.elecciones:
        for casilla in proceso.esperadas(eleccion):
            distrito = casilla.distrito or _SIN_DISTRITO
            nombres.setdefault(distrito, casilla.distrito_nombre or "Sin distrito")
            esperadas[distrito] += 1
    _de_catalogo[proceso.huella] = (nombres, dict(esperadas))
    return nombres, dict(esperadas)
