"""Qué sobres toca mandar en este momento.

La ventana son los primeros sobres sin acuse. Cada uno se repite si su acuse no llega a tiempo, con esperas que se
doblan y nunca menores que lo que vienen tardando los acuses: con cientos de kioscos de regreso tardan, y repetirle al
centro lo que ya tiene en la fila lo hundiría. Lo de un equipo llega al centro en el orden en que salió: mientras se
sigan cerrando los de antes, su turno no ha llegado; si se cierra uno que salió después, ése se perdió, y su espera
corre. El que no se acusa tras varios intentos (el centro aún no lo puede juzgar) o el que el centro apartó deja su
lugar en la ventana y se reintenta despacio: nunca frena a los de atrás.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from appliance.bandeja import Pendiente
from nucleo.acuse import BIFURCADO

_INTENTOS: Final = 4
"""Veces que se manda un sobre (unos 30 s) antes de darlo por rezagado."""

_MAXIMO_REZAGADOS: Final = 480
_REPETIR_PEDIDO_S: Final = 1.0
"""Un sobre recién mandado no se repite aunque el centro lo pida: el acuse y él se cruzaron en el camino. Y el centro
pide todo lo que el latido anunció y no ha leído, también lo que le espera en la fila."""

_BIFURCADO_S: Final = 300.0
"""Lo más que se espera para repetir lo bifurcado: su lugar lo ocupa otra y, si el centro la pierde, la pide él."""

_HOLGURA: Final = 2.0
"""Cuántas veces lo que tardan los acuses se espera antes de repetir."""

_GIRO_S: Final = 1.0
"""Lo menos que se miran unos apartados antes de pasar a los siguientes: cada vuelta se leen del disco."""

_OLVIDO: Final = 0.25
"""Cuánto pesa cada acuse más rápido que los anteriores; a uno más lento se le cree enseguida."""


class Libro(Protocol):
    """Lo que el envío mira del almacén."""

    def pendientes(self, desde: int, limite: int) -> list[Pendiente]: ...
    def apartados(self, limite: int, desde: int) -> list[Pendiente]: ...
    def sobres(self, desde: int, hasta: int, limite: int) -> list[Pendiente]: ...


@dataclass(slots=True)
class _Intento:
    veces: int
    primero: float
    ultimo: float
    proximo: float
    lento: bool
    """Apartado o rezagado: lleva su propio paso."""


class Envio:
    """Lo enviado en una conexión y cuándo repetirlo. Los tiempos son segundos de un reloj monótono."""

    def __init__(
        self, libro: Libro, *, ventana: int, rto_s: float, rto_maximo_s: float, lento_s: float, azar: random.Random
    ) -> None:
        self._libro = libro
        self._ventana = ventana
        self._rto_s = rto_s
        self._rto_maximo_s = rto_maximo_s
        self._lento_s = lento_s
        self._azar = azar
        self._intentos: dict[int, _Intento] = {}
        self._rezagados: set[int] = set()
        self._pedidos: dict[int, Pendiente] = {}
        self._filas: list[Pendiente] = []
        self._esperan_turno = False
        """Si detrás de la ventana hay más que nunca ha salido."""
        self._primera = 0
        """La secuencia más baja de la ventana."""
        self._contestan = False
        """Si en esta conexión ya se cerró algo de lo mandado."""
        self._apartados: list[Pendiente] = []
        """Los que se miran ahora: si son más, se turnan."""
        self._turno_desde = 1
        self._giro = 0.0
        self._fuera_de_turno: dict[int, _Intento] = {}
        """Cuándo toca repetir los apartados que ahora no se miran: cada uno conserva su paso."""
        self._cerrados: list[_Intento] = []
        self._tarda_s = 0.0
        """Lo que tardan los acuses, desde que salió el sobre por primera vez."""
        self._nada_hasta = -math.inf
        """Antes de esto no toca nada, si no se relee ni se pide nada: el ciclo pregunta veinte veces por segundo."""
        self._cerraron = False
        """Si se cerró algo desde la última vez que se mandó."""
        self._avance = -math.inf
        """Cuándo se vio cerrado lo último."""
        self._rebasa = -math.inf
        """Cuándo salió por primera vez lo más nuevo que se ha cerrado."""

    def releer(self) -> None:
        """Vuelve a mirar la bandeja; hace falta cuando hay hechos nuevos o un acuse cerró algo."""
        self._nada_hasta = -math.inf
        antes = {f.secuencia for f in self._filas}
        a_tiempo = {f.secuencia for f in self._filas if f.apartado is None}
        filas = self._libro.pendientes(1, self._ventana + len(self._rezagados) + 1)
        self._rezagados &= {f.secuencia for f in filas}
        frescos = [f for f in filas if f.secuencia not in self._rezagados]
        en_ventana = frescos[: self._ventana]
        self._esperan_turno = len(frescos) > self._ventana
        self._primera = en_ventana[0].secuencia if en_ventana else 0
        rezagados = [f for f in filas if f.secuencia in self._rezagados]
        self._apartados = self._libro.apartados(self._ventana, self._turno_desde)
        for fila in self._apartados:
            if (intento := self._fuera_de_turno.pop(fila.secuencia, None)) is not None:
                self._intentos[fila.secuencia] = intento
        self._filas = sorted([*en_ventana, *rezagados, *self._apartados], key=lambda f: f.secuencia)
        vivas = {f.secuencia for f in self._filas} | set(self._pedidos)
        self._contestan = self._contestan or not vivas.issuperset(self._intentos)
        # De lo rezagado o apartado nada se aprende: esperaba a que el centro lo pudiera juzgar, no a que le tocara.
        cerrados = [(s, i) for s, i in self._intentos.items() if s in antes and s not in vivas]
        self._cerraron = self._cerraron or bool(cerrados)
        self._rebasa = max([self._rebasa, *(i.primero for _, i in cerrados)])
        self._cerrados += [i for s, i in cerrados if s in a_tiempo and i.veces < _INTENTOS]
        self._intentos = {s: i for s, i in self._intentos.items() if s in vivas}

    def pedir(self, rangos: Sequence[tuple[int, int]]) -> None:
        """El centro dice que le faltan esos rangos: se vuelven a dar, aunque alguna vez los haya acusado."""
        self._nada_hasta = -math.inf
        cupo = self._ventana - len(self._pedidos)
        for desde, hasta in rangos:
            if cupo <= 0:
                return
            filas = self._libro.sobres(desde, hasta, cupo)
            self._pedidos.update({f.secuencia: f for f in filas})
            cupo -= len(filas)

    def reenviar(self, desde: int) -> int:
        """El centro quiere todo otra vez desde ahí: toma los que caben y dice con cuál seguir; 0 si ya no hay más."""
        self._nada_hasta = -math.inf
        cupo = self._ventana - len(self._pedidos)
        if cupo <= 0:
            return desde
        filas = self._libro.sobres(desde, 2**53, cupo)
        self._pedidos.update({f.secuencia: f for f in filas})
        return filas[-1].secuencia + 1 if len(filas) == cupo else 0

    def mandar(self, ahora: float, publicar: Callable[[str], bool]) -> int:
        """Manda lo que toca, en orden, hasta que `publicar` diga que ya no cabe. Devuelve cuántos mandó."""
        self._medir(ahora)
        self._turnar(ahora)
        enviados = 0
        for fila in self._que_toca(ahora):
            if not publicar(fila.sobre):
                break
            enviados += 1
            self._anotar(fila, ahora)
        return enviados

    def hay_por_mandar(self, ahora: float) -> bool:
        """Si queda algún sobre que toque mandar o repetir ya, o que espere lugar; mientras, no sale ninguna imagen."""
        return self._esperan_turno or bool(self._que_toca(ahora))

    def _turnar(self, ahora: float) -> None:
        """Con más apartados de los que se miran, pasa a los siguientes cuando a ninguno de éstos le toca."""
        if len(self._apartados) < self._ventana or ahora - self._giro < _GIRO_S:
            return
        vistos = [f.secuencia for f in self._apartados]
        if any(self._cuando(s) <= ahora for s in vistos):
            return
        self._giro, self._turno_desde = ahora, vistos[-1] + 1
        self._fuera_de_turno |= {s: self._intentos.pop(s) for s in vistos if s in self._intentos}
        self.releer()

    def _medir(self, ahora: float) -> None:
        """Aprende de lo que se acaba de cerrar cuánto tardan los acuses."""
        if self._cerraron:
            self._avance, self._cerraron = ahora, False
        if not self._cerrados:
            return
        # La de en medio: uno perdido y repetido tarda mucho, y no por eso el centro es lento.
        tarda = sorted(ahora - i.primero for i in self._cerrados)[len(self._cerrados) // 2]
        self._tarda_s = tarda if tarda > self._tarda_s else self._tarda_s + _OLVIDO * (tarda - self._tarda_s)
        self._cerrados.clear()

    def _espera(self, minima_s: float) -> float:
        return min(max(minima_s, _HOLGURA * self._tarda_s), max(minima_s, self._rto_maximo_s))

    def _que_toca(self, ahora: float) -> list[Pendiente]:
        if ahora < self._nada_hasta:
            return []
        cuando = {f.secuencia: self._cuando(f.secuencia) for f in self._filas}
        toca = {f.secuencia: f for f in self._filas if cuando[f.secuencia] <= ahora}
        esperan = list(cuando.values())
        for secuencia, fila in list(self._pedidos.items()):
            intento = self._intentos.get(secuencia)
            if secuencia not in cuando:
                # Ya se había acusado: el centro perdió su disco. No hay más quien lo recuerde, y se espera aquí.
                desde = -math.inf if intento is None else intento.ultimo + self._espera(_REPETIR_PEDIDO_S)
                esperan.append(desde)
            else:
                desde = -math.inf if intento is None else self._desde(intento) + self._espera(_REPETIR_PEDIDO_S)
                if desde > ahora or cuando[secuencia] == math.inf:
                    del self._pedidos[secuencia]
                    continue
            if desde <= ahora:
                toca[secuencia] = fila
        self._nada_hasta = -math.inf if toca else min(esperan, default=math.inf)
        return [toca[s] for s in sorted(toca)]

    def _cuando(self, secuencia: int) -> float:
        """Desde cuándo toca mandarlo o repetirlo."""
        intento = self._intentos.get(secuencia)
        if intento is None:
            return -math.inf
        # Mientras nadie haya contestado se insiste sólo con la primera: si el centro está, su acuse dirá qué le falta;
        # si está ahogado, cientos de ventanas enteras otra vez lo hundirían.
        if not self._contestan and secuencia > self._primera and not intento.lento:
            return math.inf
        # Lo que se aprendió después de mandarlo también cuenta.
        return max(intento.proximo, self._desde(intento) + self._espera(0.0))

    def _desde(self, intento: _Intento) -> float:
        """Desde cuándo se espera su acuse."""
        # Con lo de antes cerrándose, el suyo viene detrás en la fila; rebasado, ya no viene.
        return intento.ultimo if intento.ultimo < self._rebasa else max(intento.ultimo, self._avance)

    def _anotar(self, fila: Pendiente, ahora: float) -> None:
        self._pedidos.pop(fila.secuencia, None)
        previo = self._intentos.get(fila.secuencia)
        veces = previo.veces + 1 if previo else 1
        if veces >= _INTENTOS and fila.apartado is None and len(self._rezagados) < _MAXIMO_REZAGADOS:
            self._rezagados.add(fila.secuencia)
        lento = fila.apartado is not None or fila.secuencia in self._rezagados
        doble = 2.0 ** min(veces - 1, 10)
        if fila.apartado == BIFURCADO:
            espera = min(self._lento_s * doble, max(self._lento_s, _BIFURCADO_S))
        elif lento:
            espera = self._lento_s
        else:
            espera = min(self._espera(self._rto_s) * doble, self._rto_maximo_s)
        # El azar separa a los kioscos que perdieron el enlace en el mismo instante.
        primero = previo.primero if previo else ahora
        proximo = ahora + espera * self._azar.uniform(0.8, 1.2)
        self._intentos[fila.secuencia] = _Intento(veces, primero, ahora, proximo, lento)
