"""La noche con muertes de verdad: mosquitto con TLS, centro, personas y enlaces en sus procesos, y `kill -9` al azar.

Lo que el simulador inventa (cuándo confirma SQLite, qué pierde el bróker) aquí lo hacen los programas. La base
publicada debe ser byte por byte la de una noche tranquila.
"""

from __future__ import annotations

import math
import random
import threading
import time
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console

from ensayo.escenario import Escenario, EscenarioRoto
from ensayo.noche import Noche, cargar_noche
from ensayo.veredicto import Conservacion, contar_sobres
from servicio_central.corte import hacer_corte

DISTRITOS = frozenset({10, 9, 21})
"""Los CATD con menos casillas de Oaxaca 2022."""

MUERTES = 24
CLASES = ("personas", "enlace", "centro", "broker")


class Segador(threading.Thread):
    """Mata una pieza al azar cada tanto y, si no la levanta nadie más, la vuelve a levantar."""

    def __init__(self, escenario: Escenario, azar: random.Random) -> None:
        super().__init__(daemon=True)
        self.victimas: list[str] = []
        self.debidas = 0
        """Cuántas muertes debe llevar ya la noche: en una máquina lenta, sin tope, nadie acabaría de levantarse."""
        self._escenario = escenario
        self._azar = azar
        self._fin = threading.Event()

    def run(self) -> None:
        while not self._fin.wait(self._azar.uniform(0.05, 0.5)):
            if len(self.victimas) >= self.debidas:
                continue
            # Primero la clase y luego la pieza: así el centro y el bróker mueren tanto como los kioscos.
            clase = CLASES[len(self.victimas) % len(CLASES)]
            nombre = self._azar.choice([n for n in self._escenario.piezas if n.startswith(clase)])
            pieza = self._escenario.piezas[nombre]
            if not pieza.viva:
                continue
            pieza.matar()
            self.victimas.append(nombre)
            if clase != "personas":  # a las personas las levanta quien dirige la noche, al ver que callaron
                time.sleep(self._azar.uniform(0.0, 0.4))
                pieza.levantar()

    def detener(self) -> None:
        self._fin.set()
        self.join()


@dataclass(frozen=True)
class Corrida:
    """Cómo acabó una noche: la base publicada, las cuentas de sobres y a quiénes se mató."""

    base: bytes
    sobres: Conservacion
    victimas: list[str]


def vivir(noche: Noche, carpeta: Path, muertes: int, azar: random.Random) -> Corrida:
    """Vive la noche hasta su primer corte publicado, con ese número de muertes repartidas.

    Raises:
        EscenarioRoto: si algo no arranca, o al final queda algo sin acuse.
    """
    fin = noche.cortes[0][0]
    with Escenario(carpeta, noche.definicion, noche.proceso, noche.agendas, "muestra") as escenario:
        segador = Segador(escenario, azar)
        if muertes:
            segador.start()
        hora = noche.inicio
        while hora < fin:
            hora = min(fin, hora + timedelta(minutes=10))
            # Las muertes se reparten por toda la noche, corra la máquina lo que corra.
            segador.debidas = math.ceil(muertes * (hora - noche.inicio) / (fin - noche.inicio))
            escenario.vivir_hasta(hora)
            _esperar_muertes(escenario, segador)
        if muertes:
            segador.detener()
        escenario.vigilar()
        escenario.escurrir(plazo=120)
        corte = hacer_corte(escenario.centro, noche.proceso, noche.eleccion.clave, fin)
        sobres = contar_sobres({e: escenario.kiosco(e) for e in escenario.equipos}, escenario.centro)
        return Corrida(corte.zip.read_bytes(), sobres, segador.victimas)


def _esperar_muertes(escenario: Escenario, segador: Segador) -> None:
    limite = time.monotonic() + 60
    while len(segador.victimas) < segador.debidas:
        if time.monotonic() > limite:
            raise EscenarioRoto(f"el segador sólo lleva {len(segador.victimas)} muertes", con_bitacoras=True)
        # A las demás piezas las levanta él; a las personas, quien dirige.
        for nombre, pieza in escenario.piezas.items():
            if nombre.startswith("personas") and not pieza.viva:
                pieza.levantar()
        time.sleep(0.05)


def principal(corridas: int, semilla: int, consola: Console) -> int:
    """`--procesos R`: una noche tranquila y R con muertes. Devuelve 0 si todas dan la misma base."""
    noche = cargar_noche(distritos=DISTRITOS)
    cuenta: Counter[str] = Counter()
    with TemporaryDirectory(prefix="prep-laboratorio-") as raiz:
        tranquila = vivir(noche, Path(raiz) / "tranquila", 0, random.Random(semilla))
        consola.print(f"noche tranquila: {tranquila.sobres.asentados:,} hojas asentadas")
        for vez in range(semilla, semilla + corridas):
            comienzo = time.monotonic()
            try:
                corrida = vivir(noche, Path(raiz) / f"noche-{vez}", MUERTES, random.Random(vez))
            except EscenarioRoto as error:
                consola.print(f"[bold red]semilla {vez}: {error}[/]")
                return 1
            cuenta.update(v.split("/")[0] for v in corrida.victimas)
            bien = corrida.base == tranquila.base and corrida.sobres.cuadra
            consola.print(
                f"semilla {vez}: {len(corrida.victimas)} muertes, {corrida.sobres.asentados:,} hojas, "
                f"{time.monotonic() - comienzo:.0f} s: {'misma base' if bien else 'BASE DISTINTA'}"
            )
            if not bien:
                consola.print(f"[bold red]Falló la semilla {vez}:[/] {corrida.sobres}")
                return 1
    consola.print(f"[bold green]{corridas} corridas, la misma base siempre.[/] Muertes: {dict(cuenta)}")
    return 0
