"""Un kiosco de la noche: su almacén y su enlace de producción, un reloj que miente y un disco que falla."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Final

from appliance.almacen import Almacen
from appliance.enlace.ciclo import Ajustes, Alrededor, Enlace
from appliance.enlace.transporte import Testamento, Transporte
from appliance.falla import Falla
from appliance.identidad import Identidad
from appliance.imagenes import Imagenes
from ensayo.laboratorio.fragil import Momento, Muerte
from ensayo.laboratorio.guion import Tarea
from ensayo.laboratorio.mortal import Mortal
from ensayo.laboratorio.proceso import EPOCA, llave_de, proceso_de, publica_de
from ensayo.laboratorio.red import Conexion, Red
from ensayo.laboratorio.tiempo import RelojDeKiosco, Tiempo
from nucleo.hechos import Hecho, HechoDeActa, IdActa, pertenencia
from nucleo.sobre import huella

AJUSTES: Final = Ajustes(sondeo_s=2.0)
"""Los de producción, salvo el sondeo: aquí se despierta al enlace en cuanto hay algo, así que mirar cada 50 ms sólo
gastaría tiempo de máquina."""

REPETIR_S: Final = 4.0
"""Lo que espera una persona para repetir lo que el kiosco no le guardó."""


class Kiosco(Mortal):
    """Uno de los kioscos. `nombre` lo distingue en el informe; `equipo` es con el que está inscrito."""

    QUIEN = "kiosco"
    ENTRE = "entre dos pasos"
    RESTAURADO = "de una copia vieja"

    def __init__(
        self,
        nombre: str,
        equipo: str,
        carpeta: Path,
        red: Red,
        azar: random.Random,
        cuenta: Counter[str],
        narrar: Callable[[str], None],
    ) -> None:
        super().__init__(carpeta / "almacen.sqlite", azar, cuenta)
        self.nombre = nombre
        self.equipo = equipo
        self.imagenes = Imagenes(carpeta / "imagenes")
        self.reloj = RelojDeKiosco(red.tiempo)
        self.dichos: set[str] = set()
        """Huellas de lo que la pantalla ya dijo «guardada»."""
        self.defectos: list[str] = []
        """Lo que ningún infortunio debe provocar: un programa que se cae solo."""
        self.al_guardar: Callable[[], None] = lambda: None
        self.al_cerrar: Callable[[], None] = lambda: None
        """Para quien quiera mirar el almacén justo después de asentar, y de que un acuse cerró algo."""
        self._cerrados = 0
        self.sin_hacer = 0
        """Tareas que las personas aún no logran dejar guardadas."""
        self._red = red
        self._tiempo: Tiempo = red.tiempo
        self._narrar = narrar
        self._turno = 0
        self._arranques = 0

    # ------------------------------------------------------------------------------------------------------ prender

    def prender(self) -> None:
        """Arranca como después de un apagón: abre el almacén que haya y empieza el ciclo."""
        if self.vivo:
            return
        self._arranques += 1
        identidad = Identidad(self.equipo, self.equipo, EPOCA, "simulacro", Path("/no/se/usa"), "localhost", 8883)
        firmante = llave_de(self.equipo)
        proceso = proceso_de(1)
        try:
            self.almacen = Almacen.abrir(
                *(self.ruta, identidad, firmante),
                proceso=proceso.clave,
                sistema="laboratorio",
                arranque=f"arranque-{self._arranques}",
            )
        except Falla as falla:
            self.defectos.append(f"{self.nombre} no vuelve a abrir: {falla}")
            return
        self.almacen._conexion = self._sobre_disco_fragil(self.almacen._conexion)
        self.enlace = Enlace(
            almacen=self.almacen,
            identidad=identidad,
            proceso=proceso.clave,
            firmante=firmante,
            llave_centro=publica_de("centro"),
            reloj=self.reloj,
            version="laboratorio",
            fabrica=self._conectar,
            ajustes=AJUSTES,
            cronometro=lambda: self._tiempo.segundos,
            dormir=lambda _segundos: None,
            azar=self._azar,
            decir=self._oir,
            alrededor=Alrededor(imagenes=self.imagenes),
        )
        self.vivo = True
        self._conexion: Conexion | None = None
        self._pasos: Iterator[float] = self.enlace.pasos()
        self.avisar()

    def _conectar(self, testamento: Testamento) -> Transporte:
        self._mandadas: set[str] = set()
        self._conexion = self._red.conexion(self.equipo, testamento)
        self._conexion.avisar = self.avisar
        return self._conexion

    def ver_subir(self, conexion: Conexion, tema: str, carga: bytes) -> str:
        """Mira pasar lo que este enlace publica; devuelve la queja si una imagen se adelanta a una cifra."""
        if not self.vivo or conexion is not self._conexion:
            return ""
        if tema.endswith("/hechos"):
            self._mandadas.add(huella(carga.decode("ascii")))
        elif tema.endswith("/imagen"):
            self._cuenta["trozo de imagen mandado"] += 1
            esperan = [p.huella for p in self.almacen.pendientes(1, AJUSTES.ventana)]
            if faltan := [h for h in esperan if h not in self._mandadas]:
                return f"{self.nombre} manda imágenes con {len(faltan)} cifras sin mandar"
        return ""

    def _oir(self, dicho: str) -> None:
        self._narrar(f"{self._tiempo.segundos:7.2f} · {self.nombre} · {dicho.split(' · ', 2)[2]}")
        for senal in ("ALARMA", "apartó", "acuse sin guardar", "acuse ilegible", "no contesta"):
            if senal in dicho:
                self._cuenta[f"el enlace dijo: {senal}"] += 1

    def avisar(self) -> None:
        """Hay algo que atender: el ciclo da su paso ya, como cuando la red o la bandeja lo despiertan."""
        self._turno += 1
        turno = self._turno
        self._tiempo.dentro_de(0.0, lambda: self._paso(turno))

    def _paso(self, turno: int) -> None:
        if not self.vivo or turno != self._turno:
            return
        try:
            espera = next(self._pasos)
        except Muerte:
            self._morir()
            return
        except Exception as error:
            self.defectos.append(f"el enlace de {self.nombre} se cayó solo: {error!r}")
            self._morir()
            return
        self._mirar_cerrados()
        self._turno += 1
        siguiente = self._turno
        self._tiempo.dentro_de(max(espera, 0.001), lambda: self._paso(siguiente))

    def _mirar_cerrados(self) -> None:
        (cerrados,) = self.disco.execute("SELECT count(*) FROM bandeja WHERE estado = 'cerrado'").fetchone()
        if cerrados != self._cerrados:
            self._cerrados = cerrados
            self.al_cerrar()

    # -------------------------------------------------------------------------------------------------------- morir

    def _contar_muerte(self, momento: Momento) -> None:
        super()._contar_muerte(momento)
        # Ya: si no, al desenredarse el ciclo alcanzaría a despedirse del bróker.
        if self._conexion is not None:
            self._conexion.abandonar()

    def _morir(self) -> None:
        super()._morir()
        if self._conexion is not None:
            self._conexion.abandonar()
        # El generador queda a medias: al soltarlo cerraría su transporte, que ya no es de nadie.
        self._pasos = iter(())

    def _cerrar(self) -> None:
        self._pasos = iter(())
        self.almacen.desconectar()

    # -------------------------------------------------------------------------------------------------- las personas

    def trabajar(self, tareas: Sequence[Tarea]) -> None:
        """Anota las tareas de la noche."""
        for tarea in tareas:
            self.sin_hacer += 1
            self._tiempo.dentro_de(tarea.segundo - self._tiempo.segundos, lambda t=tarea: self._intentar(t, None))  # type: ignore[misc]

    def _intentar(self, tarea: Tarea, empezado: Hecho | None) -> None:
        if not self.vivo:
            self._luego(tarea, empezado)
            return
        try:
            if empezado is not None and self._ya_esta(empezado):
                self.sin_hacer -= 1
                return
            hora = self.reloj.ahora()
            hecho = empezado or tarea.hacer(hora)
            empezado = hecho if hora.year > 1971 else None
            if tarea.imagen:
                self.imagenes.guardar(tarea.imagen)
            (asiento,) = self.almacen.asentar([hecho], hora, self.reloj.calidad())
        except Falla as falla:
            self._cuenta[f"el kiosco no guardó: {falla.rechazo.codigo}"] += 1
            self._luego(tarea, empezado)
        except Muerte:
            self._morir()
            self._luego(tarea, empezado)
        else:
            self.dichos.add(asiento.huella)
            self.sin_hacer -= 1
            self.al_guardar()
            self.avisar()

    def _luego(self, tarea: Tarea, empezado: Hecho | None) -> None:
        self._tiempo.dentro_de(REPETIR_S, lambda: self._intentar(tarea, empezado))

    def _ya_esta(self, hecho: Hecho) -> bool:
        # La pantalla lo sabe por `appliance.mesa`; aquí basta mirar si el hecho quedó.
        eleccion, casilla = pertenencia(hecho)
        if casilla is None:
            return any(h == hecho for _, h in self.almacen.hechos_desde(0))
        historia: list[HechoDeActa] = self.almacen.hechos_de(IdActa(eleccion, casilla))
        return hecho in historia

    def mover_reloj(self, desfase: timedelta, *, sin_pila: bool = False) -> None:
        self.reloj.desfase, self.reloj.sin_pila = desfase, sin_pila
