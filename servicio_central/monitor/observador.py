"""El único que mira el almacén por cuenta de la sala: retrata, calcula alarmas, asienta lo que cambió y lo reparte.

Mira cuando el almacén cambia (`PRAGMA data_version`), cuando el enlace recibe algo o cuando alguien reconoce una
alarma, y una vez por segundo aunque nada cambie: el silencio también es noticia. Cuántos navegadores haya no le cuesta.
"""

from __future__ import annotations

import secrets
import sqlite3
import time
import traceback
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from enum import Enum
from pathlib import Path
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING, Final

from servicio_central import almacenes
from servicio_central.monitor import alarmas, mesa
from servicio_central.monitor.contador_de_imagenes import ContadorDeImagenes
from servicio_central.monitor.difusion import Difusion, Envio, suceso
from servicio_central.monitor.episodios import Episodios, Presente
from servicio_central.monitor.fotografo import Fotografo
from servicio_central.monitor.grupos import hora
from servicio_central.monitor.historia import Historia
from servicio_central.monitor.libreta import Libreta
from servicio_central.monitor.mesa import Mesa, MiradorDeMesa
from servicio_central.monitor.pedidos import Pedidos
from servicio_central.monitor.pintor import Pagina, Pintor
from servicio_central.monitor.retrato import Retrato
from servicio_central.monitor.umbrales import Umbrales
from servicio_central.puerto_almacen import ERRORES, Lector

if TYPE_CHECKING:
    from servicio_central.arranque import Centro

_SONDEO: Final = 0.05
"""Segundos entre preguntas de si algo cambió."""

_AL_MENOS: Final = 1.0
"""Segundos, como mucho, entre dos retratos."""

_DESCANSO: Final = 0.15
_PARTE: Final = 2.0
"""Descansa lo que `_DESCANSO` o el doble de lo que trabajó: nunca toma más de un tercio de un núcleo. Se mide lo que
trabajó y no lo que tardó: con la máquina ocupada, la espera por el procesador no se paga otra vez descansando."""

_PULSO: Final = 5.0
"""Segundos entre pulsos: con ellos el navegador sabe que lo que ve está al día."""

_RECIENTES: Final = 60
"""Versiones de las páginas que se recuerdan: las de, por lo menos, los últimos nueve segundos."""


class Pantalla(Enum):
    """Las que se mueven solas. El valor es su lugar entre las páginas."""

    SALA = 0
    PROYECTOR = 1
    MESA = 2


class Observador:
    """Lo último visto, ya pintado, y el hilo que lo mantiene."""

    def __init__(
        self,
        centro: Centro,
        libreta: Libreta,
        episodios: Episodios,
        umbrales: Umbrales,
        ahora: Callable[[], datetime],
        avisar: Callable[[str], None],
    ) -> None:
        self._centro = centro
        self._avisar = avisar
        self._umbrales = umbrales
        self._ahora = ahora
        self._historia = Historia(libreta)
        self._episodios = episodios
        self._fotografo = Fotografo(centro.carpeta, umbrales, self._historia.ultimos())
        self._mirador = MiradorDeMesa(centro.carpeta, centro.despacho.bandeja, Pedidos(libreta))
        self._contador = ContadorDeImagenes(centro.carpeta, self.despertar)
        self._pintor = Pintor(umbrales)
        self._turno = Lock()
        self._despertar = Event()
        self._hilo: Thread | None = None
        self._parar = Event()
        self._serie = secrets.token_hex(4)
        """Distingue este arranque: un navegador que vuelve con la versión de otro recibe todo."""
        self._numero = 0
        self._lector: Lector | None = None
        self._libreta_mal = ""
        self.sala, self.proyector, self.de_mesa = Difusion(200), Difusion(60), Difusion(60)
        self._canales = (self.sala, self.proyector, self.de_mesa)
        self.retrato: Retrato | None = None
        self.mesa = Mesa()
        self.presentes: tuple[Presente, ...] = ()
        self._paginas = (Pagina(), Pagina(), Pagina())
        self._recientes: OrderedDict[str, tuple[Pagina, ...]] = OrderedDict()
        """Versión → sus páginas. Quien acaba de cargar una recibe lo que cambió desde entonces, y no todo."""
        self.miradas = 0
        self.segundos_de_mirada = 0.0
        self.defectos = 0
        """Retratos que no se pudieron tomar o pintar por un defecto nuestro."""
        self._avisados: set[tuple[str, str, int]] = set()
        self.debe_terminar: Callable[[], bool] = lambda: False

    # ----------------------------------------------------------------------------------------------------- el hilo

    def empezar(self) -> None:
        """Corre en su hilo hasta `terminar`."""
        self._hilo = Thread(target=self._ciclo, name="observador", daemon=True)
        self._hilo.start()
        self._contador.empezar()

    def terminar(self) -> None:
        """Despide a los navegadores y espera al hilo."""
        self._parar.set()
        self._contador.terminar()
        self._despertar.set()
        self._despedir()
        if self._hilo is not None:
            self._hilo.join(timeout=5)

    def despertar(self) -> None:
        """Alguien asentó algo: que se vea ya."""
        self._despertar.set()

    def _despedir(self) -> None:
        for canal in self._canales:
            canal.cerrar()

    def _ciclo(self) -> None:
        marca: object = None
        visto = pulso = listo = 0.0
        while not self._parar.is_set():
            if self.debe_terminar():
                # Un navegador que sigue oyendo no dejaría terminar al servidor.
                self._despedir()
            pedido = self._despertar.wait(_SONDEO)
            self._despertar.clear()
            instante = time.monotonic()
            if instante < listo and not pedido:
                continue
            actual = self._marca()
            if pedido or actual != marca or instante - visto >= _AL_MENOS:
                marca = actual
                comienzo = time.thread_time()
                try:
                    self.mirar()
                    visto = time.monotonic()
                except Exception as error:
                    # Un defecto al pintar no debe apagar la sala: el navegador lo nota porque deja de haber pulso.
                    self.anotar_defecto(error)
                listo = time.monotonic() + max(_DESCANSO, _PARTE * (time.thread_time() - comienzo))
            if visto > pulso and time.monotonic() - pulso >= _PULSO:
                pulso = time.monotonic()
                self._pulsar()

    def _marca(self) -> object:
        """Cambia si algo pudo cambiar."""
        estado, vigia = self._centro.enlace.estado, self._centro.vigia
        version = None
        try:
            if self._lector is None:
                self._lector = almacenes.leer(self._centro.carpeta)
            version = self._lector.version()
        except ERRORES:
            self._lector = None
        return (
            version, estado.recibidos, estado.conectado, estado.detenido, vigia.padron.version, vigia.proceso.huella,
            self._mirador.marca(),
        )  # fmt: skip

    # ----------------------------------------------------------------------------------------------------- mirar

    def mirar(self) -> None:
        """Un retrato completo, hasta repartirlo. Raises: lo que sea un defecto; lo esperado se vuelve alarma."""
        comienzo = time.monotonic()
        with self._turno:
            vigia, ahora = self._centro.vigia, self._ahora()
            retrato = self._fotografo.retratar(vigia.proceso, vigia.padron, self._centro.enlace.estado, ahora)
            retrato = self._completar(retrato)
            self.mesa = self._mirador.mirar(retrato, self._fotografo.bitacoras, ahora)
            lista = alarmas.ordenar((*alarmas.calcular(retrato, self._umbrales), *mesa.alarmas_de(self.mesa, ahora)))
            try:
                if not retrato.almacen_mal:
                    self._historia.asentar(retrato.kioscos, ahora)
                self.presentes = self._episodios.asentar(lista, ahora)
                self._libreta_mal = ""
            except sqlite3.Error as error:
                self._libreta_mal = str(error)
                self.presentes = self._episodios.sin_asentar(lista)
            self.retrato = retrato
            antes, self._paginas = (
                self._paginas,
                self._pintor.pintar(retrato, self.presentes, self.mesa, vigia.proceso.huso),
            )
            cambios = [nueva.cambios(vieja) for nueva, vieja in zip(self._paginas, antes, strict=True)]
            if any(cambios):
                self._numero += 1
                self._recientes[self.version] = self._paginas
                if len(self._recientes) > _RECIENTES:
                    self._recientes.popitem(last=False)
            for canal, html in zip(self._canales, cambios, strict=True):
                if html:
                    canal.mandar(suceso("cambios", html, self.version), self._numero)
        self.miradas += 1
        self.segundos_de_mirada += time.monotonic() - comienzo

    def anotar_defecto(self, error: Exception) -> None:
        """Lo cuenta, y lo dice la primera vez que falla así y ahí: veinte veces por segundo no lo leería nadie."""
        self.defectos += 1
        donde = traceback.extract_tb(error.__traceback__)[-1:]
        archivo, renglon = (Path(donde[0].filename).name, donde[0].lineno or 0) if donde else ("", 0)
        causa = (type(error).__name__, archivo, renglon)
        if causa not in self._avisados:
            self._avisados.add(causa)
            self._avisar(
                f"la sala no se pudo pintar y lo que enseña es de antes: {causa[0]} en {archivo}:{renglon}"
                f" ({str(error)[:200]}); es un defecto de la sala, el centro sigue recibiendo y publicando;"
                " guarde este renglón y repórtelo"
            )

    def _completar(self, retrato: Retrato) -> Retrato:
        """Le pone lo que no está en el almacén."""
        faltan, pausas = self._contador.faltan, self._mirador.pausas()
        kioscos = retrato.kioscos
        if pausas:
            kioscos = tuple(replace(k, imagenes_en_pausa=pausas.get((k.equipo, k.epoca))) for k in kioscos)
        if faltan:
            kioscos = tuple(
                k
                if (f := faltan.get(k.equipo)) is None
                else replace(k, por_recibir=f.imagenes, por_recibir_bytes=f.bytes)
                for k in kioscos
            )
        return replace(retrato, kioscos=kioscos, libreta_mal=self._libreta_mal)

    def canal(self, pantalla: Pantalla) -> Difusion:
        """Por donde se reparten los cambios de esa pantalla."""
        return self._canales[pantalla.value]

    def _pulsar(self) -> None:
        for canal in self._canales:
            canal.mandar(suceso("cambios", self.pulso()))

    # ------------------------------------------------------------------------------------------- para las páginas

    @property
    def version(self) -> str:
        """De qué retrato son las páginas."""
        return f"{self._serie}-{self._numero}"

    def pulso(self) -> str:
        """La hora de lo que se ve."""
        retrato = self.retrato
        if retrato is None:
            return ""
        huso = self._centro.vigia.proceso.huso
        return f'<p id="pulso" class="pulso" hx-swap-oob="true">Al día a las {hora(retrato.hora, huso)}</p>'

    def pagina(self, pantalla: Pantalla = Pantalla.SALA) -> tuple[str, Pagina]:
        """La versión y sus pedazos; la primera vez, si el hilo aún no mira, los hace ya."""
        if self.retrato is None:
            self.mirar()
        with self._turno:
            return self.version, self._paginas[pantalla.value]

    def al_volver(self, version: str, pantalla: Pantalla = Pantalla.SALA) -> Envio:
        """Lo que le falta a quien tiene esa versión; todo, si es de hace mucho o de otro arranque."""
        self.pagina(pantalla)
        with self._turno:
            numero, actual, ahora = self._numero, self.version, self._paginas[pantalla.value]
            antes = self._recientes.get(version)
        falta = ahora.completa() if antes is None else ahora.cambios(antes[pantalla.value])
        return numero, suceso("cambios", self.pulso() + falta, actual)
