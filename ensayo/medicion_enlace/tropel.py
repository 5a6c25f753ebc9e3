"""Muchos kioscos con pendientes que vuelven a la vez, y cuánto le cuesta al centro recibirlos."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ensayo.medicion_enlace.banco import PLAZO, Banco, BancoRoto
from ensayo.medicion_enlace.material import capturas
from ensayo.medicion_enlace.medida import Decir, Renglon
from ensayo.tuberia import carpeta_en_memoria

_POR_PROCESO: Final = 100
"""Cada kiosco abre seis o siete archivos y enchufes, y paho usa select(2), que no ve más allá del 1024."""


@dataclass(frozen=True)
class Tamano:
    """Kioscos, sobres pendientes de cada uno, y sobres de la referencia."""

    kioscos: int
    pendientes: int
    de_referencia: int = 8000

    @property
    def grupos(self) -> int:
        """En cuántos procesos se reparten los kioscos."""
        return -(-self.kioscos // _POR_PROCESO)


@dataclass(frozen=True)
class Corrida:
    """Cómo quedó un tropel. Los tiempos, en segundos desde que se les dijo que ya podían conectarse."""

    sobres: int
    aceptados: int
    apartados: int
    vacias: tuple[float, ...]
    """Cuándo se vació cada bandeja."""
    cpu_centro: float
    cpu_kioscos: float
    cpu_broker: float
    mandados: int
    """Sobres que salieron de los kioscos: los de más son repeticiones, porque su acuse tardó."""
    corriente: float
    """Del primer sobre aceptado al último: sin contar saludos TLS."""

    def llegaron(self) -> Renglon:
        """Si se aceptó todo lo asentado, y una sola vez."""
        return Renglon(
            "sobres aceptados",
            "todos, una vez",
            f"{self.aceptados}, {self.apartados} apartados",
            f"{self.sobres} asentados",
            f"{self.aceptados / self.sobres:.3f}",
            self.completa,
        )

    def consumo(self) -> str:
        """La CPU de cada quien y lo que se mandó de más."""
        return (
            f"CPU: centro {self.cpu_centro:.1f} s, kioscos {self.cpu_kioscos:.1f} s, bróker {self.cpu_broker:.1f} s, "
            f"en la misma máquina. Sobres mandados por cada uno asentado: {self.mandados / self.sobres:.2f}."
        )

    @property
    def completa(self) -> bool:
        """Si llegó todo y una sola vez."""
        return self.aceptados == self.sobres and not self.apartados


def correr(carpeta: Path, t: Tamano, decir: Decir) -> Corrida:
    """Inscribe, asienta, levanta la sede y los suelta. Raises: BancoRoto."""
    with carpeta_en_memoria() as memoria:
        decir(f"inscribiendo {t.kioscos} kioscos")
        with Banco(carpeta / "banco", t.kioscos, kioscos=memoria) as banco:
            decir(f"asentando {t.pendientes} sobres en cada uno")
            total = t.kioscos * t.pendientes
            _asentar(banco, t.pendientes)
            banco.levantar_sede()
            piezas = banco.levantar_juntos(t.grupos)
            for pieza in piezas:
                _esperar(pieza.proceso and pieza.proceso.stdout, "listos")
            decir(f"{total} sobres pendientes: ya")
            antes = {p: banco.cpu(p) for p in ("centro", "broker")}
            inicio = time.monotonic()
            for pieza in piezas:
                assert pieza.proceso is not None
                assert pieza.proceso.stdin is not None
                pieza.proceso.stdin.write("ya\n")
                pieza.proceso.stdin.flush()
            primero, ultimo = _seguir(banco, total, inicio, decir)
            cpu = {p: banco.cpu(p) - antes[p] for p in antes}
            dichos = [json.loads(_esperar(pieza.proceso and pieza.proceso.stdout, "{")) for pieza in piezas]
            return Corrida(
                total,
                banco.aceptados(),
                banco.apartados(),
                tuple(sorted(s for d in dichos for s in d["vacias"])),
                cpu["centro"],
                sum(float(d["cpu"]) for d in dichos),
                cpu["broker"],
                sum(int(d["mandados"]) for d in dichos),
                ultimo - primero,
            )


def _asentar(banco: Banco, pendientes: int) -> None:
    hechos = capturas()
    for equipo in banco.equipos:
        suyos = [next(hechos) for _ in range(pendientes)]
        # Uno por transacción en la vida real; aquí importa lo que quedó, no cuánto tardó en quedar.
        banco.almacen(equipo).asentar(suyos, suyos[0].hora, "virtual")
        banco.soltar(equipo)


def _seguir(banco: Banco, total: int, inicio: float, decir: Decir) -> tuple[float, float]:
    """Cuándo se vio aceptado el primero y cuándo todos, en segundos desde el inicio."""
    primero, vistos, dicho, avance = 0.0, 0, 0.0, inicio
    while (aceptados := banco.aceptados()) < total:
        ahora = time.monotonic()
        primero = primero or (ahora - inicio if aceptados else 0.0)
        if aceptados != vistos:
            vistos, avance = aceptados, ahora
        if ahora - avance > PLAZO:
            raise BancoRoto(f"se quedó en {aceptados} de {total}:\n{banco.piezas['centro'].ultimas_lineas()}")
        if ahora - inicio - dicho > 5:
            dicho = ahora - inicio
            decir(f"  {dicho:.0f} s: {aceptados} aceptados")
        time.sleep(0.05)
    return primero, time.monotonic() - inicio


def _esperar(tubo: object, principio: str) -> str:
    for renglon in tubo if hasattr(tubo, "__iter__") else ():
        if str(renglon).startswith(principio):
            return str(renglon)
    raise BancoRoto("un grupo de kioscos terminó antes de tiempo; su bitácora está en kioscos-*.log")
