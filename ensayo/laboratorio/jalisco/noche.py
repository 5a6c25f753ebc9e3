"""Monta el estado, vive la noche y la deja drenar, con todo lo de producción en su propio proceso.

```
 gente (2) ─▶ almacén de cada kiosco ◀─ enlace (uno por CATD) ─TLS─▶ [región] ─▶ mosquitto ◀─TLS─ centro ─▶ disco
```
"""

from __future__ import annotations

import os
import select
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Final

from ensayo.escenario import EscenarioRoto, Pieza
from ensayo.laboratorio.jalisco.estado import DURACION, Estado, escribir_definicion, leer_estado
from ensayo.laboratorio.jalisco.hojas import dibujar_hojas
from ensayo.laboratorio.jalisco.medidor import Avance, Medidor, Muestra, avance_de, hijos_de
from ensayo.laboratorio.jalisco.veredicto import Regreso, mirar_regreso
from ensayo.puertos import puertos_libres
from servicio_central import ajustes, broker, inscripcion
from servicio_central.almacen import leer

APAGON: Final = timedelta(hours=2, minutes=15), timedelta(hours=5, minutes=15)
"""Desde las 20:15 hasta las 23:15: tres horas, con el pico en medio."""

GENTE: Final = 2
PLAZO_S: Final = 180.0
"""Lo que se espera sin que nada avance antes de dar la noche por rota."""

_PAQUETE: Final = "ensayo.laboratorio.jalisco"


@dataclass(frozen=True)
class Pedido:
    """De qué tamaño es la noche."""

    casillas: int
    catds: int
    minutos: float
    hojas: int
    muestras: int = 30
    """Veces que se mide en la noche."""

    @property
    def velocidad(self) -> float:
        """Segundos de la noche por cada segundo de reloj."""
        return DURACION.total_seconds() / (self.minutos * 60)


@dataclass(frozen=True)
class Vivida:
    """Una noche ya apagada, con sus discos por revisar."""

    estado: Estado
    medidor: Medidor
    regreso: Regreso
    drenado_s: float
    """Lo que tardó en quedar todo entregado después de la última tarea."""
    retraso_s: float
    """Lo más que se atrasó una persona respecto a su agenda."""


Contar = Callable[[str, Muestra], None]
"""Recibe la hora de la noche y lo que se midió."""


class NocheDelEstado:
    """La noche montada en una carpeta vacía. Se usa con `with`: al salir no queda ningún proceso."""

    def __init__(self, carpeta: Path, pedido: Pedido, decir: Callable[[str], None]) -> None:
        self.carpeta = carpeta
        self.centro = carpeta / "centro"
        self._pedido = pedido
        self._decir = decir
        self.piezas: dict[str, Pieza] = {}
        self._apagado = False
        self._regreso: Regreso | None = None

    def kiosco(self, equipo: str) -> Path:
        return self.carpeta / "kioscos" / equipo

    @property
    def kioscos(self) -> list[Path]:
        return [self.kiosco(e) for e in self.estado.catds]

    @contextmanager
    def montada(self) -> Iterator[NocheDelEstado]:
        """Inscribe, levanta todo y espera a que cada kiosco haya latido. Raises: EscenarioRoto, Tropiezo."""
        try:
            self._preparar()
            self._levantar()
            yield self
        finally:
            self.apagar()

    def apagar(self) -> None:
        """Termina todo, al final el bróker, y espera a que los enlaces suelten sus almacenes."""
        proceso = self.piezas["bandada"].proceso if "bandada" in self.piezas else None
        enlaces = hijos_de(proceso.pid) if proceso is not None else []
        for pieza in reversed(self.piezas.values()):
            pieza.terminar()
        limite = time.monotonic() + PLAZO_S
        while any(Path(f"/proc/{e}").exists() for e in enlaces) and time.monotonic() < limite:
            time.sleep(0.1)

    # ------------------------------------------------------------------------------------------------------- montar

    def _preparar(self) -> None:
        p = self._pedido
        self.estado = leer_estado(escribir_definicion(self.carpeta, p.casillas), p.catds)
        (self.carpeta / "bitacoras").mkdir()
        dibujar_hojas(self.estado, self.carpeta / "hojas", p.hojas)
        self._decir(f"{p.hojas} hojas dibujadas; inscribiendo {p.catds} kioscos…")
        puerto, self._puerto_region = puertos_libres(2)
        autoridad = self.carpeta / "autoridad"
        inscripcion.crear_autoridad(autoridad)
        inscripcion.inscribir_centro(
            *(autoridad, self.centro),
            proceso=self.estado.definicion,
            modo=self.estado.proceso.modo,
            broker_host="localhost",
            broker_puerto=puerto,
        )
        inscripcion.crear_broker(autoridad, self.centro)
        for equipo in self.estado.catds:
            inscripcion.inscribir_kiosco(autoridad, self.centro, self.kiosco(equipo), equipo=equipo, catd=equipo)
        for equipo in self.estado.region:
            identidad = self.kiosco(equipo) / "identidad.toml"
            texto = identidad.read_text(encoding="utf-8")
            identidad.write_text(texto.replace(str(puerto), str(self._puerto_region)), encoding="utf-8")

    def _levantar(self) -> None:
        puerto = ajustes.leer(self.centro).broker_puerto
        self._pieza("broker", broker.orden(self.centro))
        broker.esperar(self.centro)
        self._pieza("centro", self._python("servicio_central", "--carpeta", str(self.centro), "--sin-web"))
        region = self._python(f"{_PAQUETE}.region", "--puerto", str(self._puerto_region), "--destino", str(puerto))
        self._pieza("region", region, conversa=True)
        aqui = ("--carpeta", str(self.carpeta))
        for n in range(GENTE):
            partes = ("--catds", str(self._pedido.catds), "--parte", str(n), "--partes", str(GENTE))
            self._pieza(f"gente-{n}", self._python(f"{_PAQUETE}.gente", *aqui, *partes), conversa=True)
        for nombre in ("region", *self._gente()):
            self._contesto(nombre)
        self._pieza("bandada", self._python(f"{_PAQUETE}.bandada", *aqui))
        self._decir("Bróker, centro y gente en su lugar; conectando los kioscos…")
        self._esperar_a_los_kioscos()

    def _gente(self) -> list[str]:
        return [f"gente-{n}" for n in range(GENTE)]

    @staticmethod
    def _python(modulo: str, *mas: str) -> list[str]:
        return [sys.executable, "-m", modulo, *mas]

    def _pieza(self, nombre: str, orden: list[str], *, conversa: bool = False) -> None:
        self.piezas[nombre] = Pieza(nombre, orden, self.carpeta / "bitacoras" / f"{nombre}.log", conversa)
        self.piezas[nombre].levantar()

    def _en_linea(self) -> int:
        """Kioscos que el centro ya vio latir."""
        try:
            with closing(leer(self.centro / ajustes.ALMACEN)) as bd:
                return int(bd.execute("SELECT count(*) FROM latidos").fetchone()[0])
        except sqlite3.OperationalError:
            return 0  # el centro apenas crea sus tablas

    def _mandar(self, nombre: str, orden: str) -> None:
        proceso = self.piezas[nombre].proceso
        assert proceso is not None
        assert proceso.stdin is not None
        try:
            proceso.stdin.write(orden + "\n")
            proceso.stdin.flush()
        except OSError as error:
            raise self._rota(nombre) from error

    def _contesto(self, nombre: str) -> list[str]:
        """Lo que dice después de `listo`. Raises: EscenarioRoto, si murió."""
        proceso = self.piezas[nombre].proceso
        assert proceso is not None
        assert proceso.stdout is not None
        primera, *resto = proceso.stdout.readline().split() or [""]
        if primera != "listo":
            raise self._rota(nombre)
        return resto

    def _acabo_la_gente(self) -> bool:
        procesos = [self.piezas[n].proceso for n in self._gente()]
        salidas = [p.stdout for p in procesos if p is not None and p.stdout is not None]
        return len(select.select(salidas, [], [], 0)[0]) == GENTE

    def _rota(self, nombre: str) -> EscenarioRoto:
        return EscenarioRoto(f"{nombre} murió:\n{self.piezas[nombre].ultimas_lineas()}", con_bitacoras=True)

    def _vigilar(self) -> None:
        for nombre, pieza in self.piezas.items():
            if not pieza.viva:
                raise self._rota(nombre)

    def _esperar_a_los_kioscos(self) -> None:
        cuantos, avanzo = 0, time.monotonic()
        while (ahora := self._en_linea()) < self._pedido.catds:
            self._vigilar()
            if ahora > cuantos:
                cuantos, avanzo = ahora, time.monotonic()
            if time.monotonic() - avanzo > PLAZO_S:
                raise EscenarioRoto(f"sólo se conectaron {cuantos} kioscos", con_bitacoras=True)
            time.sleep(0.1)

    # --------------------------------------------------------------------------------------------------------- vivir

    def vivir(self, contar: Contar) -> Vivida:
        """La noche, con su apagón, hasta que todo quede entregado. Raises: EscenarioRoto."""
        medidor = Medidor(self.kioscos, self._grupos())
        medidor.tomar()
        comienzo = time.time() + 0.2
        for nombre in self._gente():
            self._mandar(nombre, f"empieza {comienzo} {self._pedido.velocidad}")
        cada = self._pedido.minutos * 60 / self._pedido.muestras
        toca = comienzo + cada
        # La gente acaba después si la máquina no le dio tiempo: se le espera.
        while (virtual := timedelta(seconds=(time.time() - comienzo) * self._pedido.velocidad)) < DURACION or (
            not self._acabo_la_gente()
        ):
            self._apagar_y_volver(virtual)
            if time.time() >= toca:
                contar(self._reloj(min(virtual, DURACION)), medidor.tomar())
                # Si medir se tarda más que lo que toca, no se acumulan medidas.
                toca = max(toca + cada, time.time() + cada / 2)
            self._vigilar()
            time.sleep(min(0.1, cada / 4))
        # Si a quien dirige lo atrasó la máquina, el apagón ocurre aunque sea tarde.
        regreso = self._apagar_y_volver(DURACION) or self._apagar_y_volver(DURACION)
        assert regreso is not None
        retraso = max(float(self._contesto(nombre)[1]) for nombre in self._gente())
        ultima = time.monotonic()
        self._drenar(medidor, contar, cada)
        drenado = time.monotonic() - ultima
        self.apagar()
        return Vivida(self.estado, medidor, regreso, drenado, retraso)

    def _drenar(self, medidor: Medidor, contar: Contar, cada: float) -> None:
        """Espera a que todo tenga acuse y recibo. Raises: EscenarioRoto, si nada avanza."""
        antes, toca = Avance(), 0.0
        avanzo = time.monotonic()
        while True:
            self._vigilar()
            avance = avance_de(self.kioscos)
            acabo = not avance.sobres_faltan and not avance.imagenes_faltan
            if avance != antes:
                antes, avanzo = avance, time.monotonic()
            if acabo or time.monotonic() >= toca:
                contar("drena", medidor.tomar())
                toca = time.monotonic() + max(1.0, cada)
            if acabo:
                return
            if time.monotonic() - avanzo > PLAZO_S:
                raise EscenarioRoto(f"al drenar, nada avanza en {PLAZO_S:.0f} s: {avance}", con_bitacoras=True)
            time.sleep(0.2)

    def _apagar_y_volver(self, virtual: timedelta) -> Regreso | None:
        """El apagón y su fin, cada uno cuando le toca; lo que se debía al volver, si ya volvió."""
        desde, hasta = APAGON
        if not self._apagado and virtual >= desde:
            self._apagado = True
            self._region("apagar")
            self._decir(f"{self._reloj(virtual)} APAGÓN: {len(self.estado.region)} CATD sin enlace")
        elif self._apagado and self._regreso is None and virtual >= hasta:
            self._regreso = mirar_regreso(map(self.kiosco, self.estado.region), time.time())
            self._region("encender")
            debe = self._regreso
            self._decir(
                f"{self._reloj(virtual)} VUELVE: deben {debe.cifras:,} sobres y {debe.cuantas_imagenes:,} imágenes"
            )
        return self._regreso

    def _region(self, orden: str) -> None:
        self._mandar("region", orden)
        self._contesto("region")

    def _reloj(self, virtual: timedelta) -> str:
        return f"{self.estado.inicio + virtual:%H:%M}"

    def _grupos(self) -> dict[str, Callable[[], list[int]]]:
        def pid(nombre: str) -> int:
            proceso = self.piezas[nombre].proceso
            assert proceso is not None
            return proceso.pid

        return {
            "centro": lambda: [pid("centro")],
            "bróker": lambda: [pid("broker")],
            "kioscos": lambda: hijos_de(pid("bandada")),
            "gente": lambda: [pid(n) for n in self._gente()],
            "región": lambda: [pid("region")],
            "quien dirige": partial(list, [os.getpid()]),
        }


def fin_de(estado: Estado) -> datetime:
    """La hora del último corte."""
    return estado.inicio + DURACION
