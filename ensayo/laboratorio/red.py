"""La red de la noche: un bróker que no guarda nada y, por kiosco, un cable que corta, retrasa, repite y estropea.

El bróker hace lo que se midió de los verdaderos: toma (PUBACK) y puede perder después; al morir olvida todo; admite una
sola conexión por nombre, y la nueva echa a la anterior; y nadie escribe ni lee temas que no son suyos.
"""

from __future__ import annotations

import random
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass

from appliance.enlace.transporte import EN_VUELO, EnlaceCaido, Mensaje, Testamento
from ensayo.laboratorio.tiempo import Tiempo
from nucleo.temas import Carril, TemaInvalido, leer_tema

REINTENTO_S = 1.0
"""Cada cuánto insiste TCP por un cable mudo."""

VIGILIA_S = 30.0
"""Segundos que tarda el bróker en dar por muerta una conexión que calla."""


@dataclass
class Cable:
    """Cómo anda el enlace de un kiosco. Las probabilidades son por mensaje y por sentido."""

    latencia: tuple[float, float] = (0.02, 0.08)
    pierde: float = 0.0
    duplica: float = 0.0
    estropea: float = 0.0
    cortado: bool = False
    """No hay por dónde conectarse."""
    mudo: bool = False
    """La conexión parece viva y nada pasa: el peor de los cortes."""


class Red:
    """El bróker y sus cables. `al_centro` recibe lo que sube mientras el centro está conectado."""

    def __init__(self, tiempo: Tiempo, azar: random.Random, cuenta: Counter[str]) -> None:
        self.tiempo = tiempo
        self.viva = True
        self.al_centro: Callable[[str, bytes], None] | None = None
        self.cables: dict[str, Cable] = {}
        self.mirar_subida: Callable[[Conexion, str, bytes], None] = lambda _conexion, _tema, _carga: None
        """Lo que el juez quiere ver pasar: por dónde se publica, en qué tema y qué."""
        self._azar = azar
        self._cuenta = cuenta
        self._conexiones: dict[str, Conexion] = {}
        self._vidas = 0

    def cable(self, equipo: str) -> Cable:
        return self.cables.setdefault(equipo, Cable())

    def conexion(self, equipo: str, testamento: Testamento | None = None) -> Conexion:
        """Una conexión nueva, aún sin conectar."""
        return Conexion(self, equipo, testamento)

    def morir(self) -> None:
        """El bróker muere de golpe: nada de lo que llevaba sobrevive y nadie publica testamentos."""
        self.viva = False
        self._vidas += 1
        for conexion in list(self._conexiones.values()):
            conexion.caer()
        self._conexiones.clear()

    def levantar(self) -> None:
        self.viva = True

    def cortar(self, equipo: str, *, mudo: bool) -> None:
        """El cable se va: con aviso (la conexión se rompe) o sin él (`mudo`: nadie se entera)."""
        cable = self.cable(equipo)
        cable.mudo, cable.cortado = mudo, not mudo
        conexion = self._conexiones.get(equipo)
        if conexion is None:
            return
        if mudo:
            self.tiempo.dentro_de(VIGILIA_S, lambda: self._dar_por_muerta(equipo, conexion))
        else:
            self._dar_por_muerta(equipo, conexion)
            conexion.caer()

    def reparar(self, equipo: str) -> None:
        cable = self.cable(equipo)
        cable.mudo = cable.cortado = False

    def _dar_por_muerta(self, equipo: str, conexion: Conexion) -> None:
        if self._conexiones.get(equipo) is conexion and (self.cable(equipo).mudo or self.cable(equipo).cortado):
            del self._conexiones[equipo]
            conexion.caer()
            self._testar(conexion)

    def _testar(self, conexion: Conexion) -> None:
        if conexion.testamento is not None:
            self._entregar_al_centro(conexion.testamento.tema, conexion.testamento.carga)

    # ------------------------------------------------------------------------------------------------------- conexiones

    def entrar(self, conexion: Conexion) -> None:
        cable = self.cable(conexion.equipo)
        if not self.viva:
            raise EnlaceCaido("nadie atiende ese puerto; el bróker no está levantado")
        if cable.cortado or cable.mudo:
            raise EnlaceCaido("no hay ruta hasta el bróker")
        anterior = self._conexiones.pop(conexion.equipo, None)
        if anterior is not None:
            self._cuenta["conexión echada por otra del mismo nombre"] += 1
            anterior.caer()
            self._testar(anterior)
        self._conexiones[conexion.equipo] = conexion

    def salir(self, conexion: Conexion, *, despedida: bool) -> None:
        if self._conexiones.get(conexion.equipo) is conexion:
            del self._conexiones[conexion.equipo]
            if not despedida:
                self._testar(conexion)

    def esta(self, conexion: Conexion) -> bool:
        return self._conexiones.get(conexion.equipo) is conexion

    # --------------------------------------------------------------------------------------------------------- mensajes

    def subir(self, conexion: Conexion, tema: str, carga: bytes) -> None:
        """Un PUBLISH del kiosco: llega al bróker, que lo toma y lo reparte."""
        self.mirar_subida(conexion, tema, carga)
        cable = self.cable(conexion.equipo)
        vida = self._vidas

        def tomar() -> None:
            if self.cable(conexion.equipo).mudo and vida == self._vidas and self.esta(conexion):
                # TCP insiste: mientras la conexión viva, lo mandado llega cuando el cable vuelve.
                self.tiempo.dentro_de(REINTENTO_S, tomar)
                return
            if vida != self._vidas or not self.esta(conexion):
                self._cuenta["mensaje que no llegó al bróker"] += 1
                return
            self.tiempo.dentro_de(self._azar.uniform(*cable.latencia), conexion.tomado)
            if not _puede_escribir(conexion.equipo, tema):
                self._cuenta["publicación que la lista de acceso tiró"] += 1
                return
            for copia in self._estropear(cable, carga, "subida"):
                self._entregar_al_centro(tema, copia)

        self.tiempo.dentro_de(self._azar.uniform(*cable.latencia), tomar)

    def bajar(self, tema: str, carga: bytes) -> None:
        """Un PUBLISH del centro: va a quien esté suscrito ahora, y si no hay nadie se tira."""
        if not self.viva:
            return
        for conexion in list(self._conexiones.values()):
            if tema not in conexion.filtros:
                continue
            cable = self.cable(conexion.equipo)
            for copia in self._estropear(cable, carga, "bajada"):
                self._entregar_al_kiosco(conexion, cable, tema, copia)

    def _entregar_al_kiosco(self, conexion: Conexion, cable: Cable, tema: str, carga: bytes) -> None:
        def llegar() -> None:
            if self.cable(conexion.equipo).mudo and self.esta(conexion):
                self.tiempo.dentro_de(REINTENTO_S, llegar)
            elif self.esta(conexion):
                conexion.recibir(Mensaje(tema, carga))

        self.tiempo.dentro_de(self._azar.uniform(*cable.latencia), llegar)

    def _entregar_al_centro(self, tema: str, carga: bytes) -> None:
        vida = self._vidas

        def llegar() -> None:
            if vida == self._vidas and self.viva and self.al_centro is not None:
                self.al_centro(tema, carga)
            else:
                self._cuenta["mensaje tomado que el bróker olvidó"] += 1

        self.tiempo.dentro_de(self._azar.uniform(0.001, 0.01), llegar)

    def _estropear(self, cable: Cable, carga: bytes, sentido: str) -> list[bytes]:
        """Las copias que llegan de un mensaje: ninguna, una o dos, y quizá con un byte cambiado."""
        if self._azar.random() < cable.pierde:
            self._cuenta[f"mensaje perdido después del PUBACK ({sentido})"] += 1
            return []
        if self._azar.random() < cable.estropea:
            self._cuenta[f"mensaje con un byte cambiado ({sentido})"] += 1
            lugar = self._azar.randrange(len(carga)) if carga else 0
            carga = carga[:lugar] + bytes([self._azar.randrange(256)]) + carga[lugar + 1 :]
        if self._azar.random() < cable.duplica:
            self._cuenta[f"mensaje duplicado ({sentido})"] += 1
            return [carga, carga]
        return [carga]


def _puede_escribir(equipo: str, tema: str) -> bool:
    try:
        leido = leer_tema(tema)
    except TemaInvalido:
        return False
    return leido.equipo == equipo and leido.carril.sube


class Conexion:
    """Un `appliance.enlace.transporte.Transporte` sobre la red de la noche. `bombear` no espera: quien lo recorre ya
    dejó pasar el tiempo."""

    def __init__(self, red: Red, equipo: str, testamento: Testamento | None) -> None:
        self.equipo = equipo
        self.testamento = testamento
        self.filtros: set[str] = set()
        self.avisar: Callable[[], None] = lambda: None
        """Se llama cuando hay algo que bombear."""
        self._red = red
        self._recibidos: list[Mensaje] = []
        self._en_vuelo: deque[int] = deque()
        """Bytes de cada mensaje sin PUBACK."""
        self._caida = False

    def conectar(self) -> None:
        self._red.entrar(self)

    def suscribir(self, *temas: str) -> None:
        self._exigir()
        for tema in temas:
            leido = leer_tema(tema)
            if leido.equipo == self.equipo and leido.carril in (c for c in Carril if not c.sube):
                self.filtros.add(tema)

    def publicar(self, tema: str, carga: bytes) -> bool:
        self._exigir()
        if len(self._en_vuelo) >= EN_VUELO:
            return False
        self._en_vuelo.append(len(carga))
        self._red.subir(self, tema, carga)
        return True

    def en_vuelo(self) -> int:
        return sum(self._en_vuelo)

    def bombear(self, segundos: float) -> list[Mensaje]:
        self._exigir()
        recibidos, self._recibidos = self._recibidos, []
        return recibidos

    def cerrar(self) -> None:
        self._red.salir(self, despedida=True)

    def abandonar(self) -> None:
        """El proceso murió: nadie se despide."""
        self._red.salir(self, despedida=False)
        self._caida = True

    def caer(self) -> None:
        self._caida = True
        self.avisar()

    def tomado(self) -> None:
        lleno = len(self._en_vuelo) >= EN_VUELO
        if self._en_vuelo:
            self._en_vuelo.popleft()
        if lleno:
            self.avisar()

    def recibir(self, mensaje: Mensaje) -> None:
        self._recibidos.append(mensaje)
        self.avisar()

    def _exigir(self) -> None:
        if self._caida or not self._red.esta(self):
            raise EnlaceCaido("se perdió la conexión con el bróker")
