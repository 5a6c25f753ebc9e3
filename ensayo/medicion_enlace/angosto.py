"""d) Las cifras mientras las imágenes llenan un enlace de 1 Mbit/s."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from appliance.imagenes import Imagenes
from ensayo.medicion_enlace.acuse import asentar_al_azar, demoras_de
from ensayo.medicion_enlace.banco import PLAZO, Banco, BancoRoto
from ensayo.medicion_enlace.material import capturas
from ensayo.medicion_enlace.medida import Decir, Medida, Renglon, percentil
from ensayo.medicion_enlace.red import SEDE, Angosta
from nucleo.acta import Digitalizacion
from nucleo.hechos import Imagen

META_S: Final = 0.5
META_USO: Final = 0.90
BITS: Final = 1_000_000
DEMORA_S: Final = 0.040
"""De ida; 80 ms de ida y vuelta, como se midió el prototipo."""


@dataclass(frozen=True)
class Tamano:
    """Cuántas imágenes y de qué tamaño, a qué ritmo las cifras y por cuántos segundos."""

    imagenes: int = 80
    bytes_de_imagen: int = 300_000
    por_segundo: float = 1.0
    segundos: float = 150.0
    solas_s: float = 30.0
    """Para la referencia: las mismas cifras por el mismo enlace sin imágenes."""


CHICO: Final = Tamano(imagenes=6, bytes_de_imagen=150_000, por_segundo=3.0, segundos=3.0, solas_s=1.0)


@dataclass(frozen=True)
class Corrida:
    """Lo que se vio. Los bytes son los de los `segundos` en que cifras e imágenes iban juntas."""

    asentadas: int
    demoras: tuple[float, ...]
    """De las cifras con imágenes, en segundos; faltan las que no se cerraron."""
    sin_imagenes: tuple[float, ...]
    """De las cifras solas, antes."""
    segundos: float
    subidos: int
    """Bytes IP del CATD a la sede."""
    utiles: int
    """Bytes de imagen que el centro dijo tener."""
    quedan: int
    """Imágenes por subir cuando se dejó de medir: si no queda ninguna, el enlace no estuvo lleno hasta el final."""

    @property
    def cabe(self) -> float:
        """Bytes que caben en el enlace en ese tiempo."""
        return BITS / 8 * self.segundos


def correr(carpeta: Path, t: Tamano, decir: Decir) -> Corrida:
    """Corre en una carpeta vacía. Raises: BancoRoto; SinRed, si aquí no se puede poner un enlace así."""
    with Angosta(BITS, DEMORA_S) as red, Banco(carpeta / "banco", 1, host=SEDE, delante=(red.sede, red.catd)) as banco:
        (equipo,) = banco.equipos
        _guardar_imagenes(banco, t)
        banco.levantar_sede()
        banco.levantar_enlaces()
        # Al nacer no hay imágenes declaradas: primero, las cifras solas.
        _asentar_uno(banco)
        banco.esperar_al_corriente()
        decir(f"cifras solas por {BITS / 1e6:g} Mbit/s y {2000 * DEMORA_S:.0f} ms de ida y vuelta")
        solas, _ = asentar_al_azar(banco, t.por_segundo, t.solas_s, decir)
        banco.esperar_al_corriente()
        _declarar_imagenes(banco, t)
        _esperar_que_suban(banco)
        decir(f"{t.imagenes} imágenes de {t.bytes_de_imagen // 1000} kB subiendo; {t.por_segundo:g} cifras/s")
        inicio, subidos, utiles = time.monotonic(), red.subidos, banco.bytes_recibidos(equipo)
        creados, _ = asentar_al_azar(banco, t.por_segundo, t.segundos, decir)
        segundos = time.monotonic() - inicio
        subidos, utiles = red.subidos - subidos, banco.bytes_recibidos(equipo) - utiles
        quedan = banco.almacen(equipo).resumen_de_imagenes().pendientes
        banco.esperar_al_corriente()
        demoras, sin_imagenes = (tuple(demoras_de(banco, c).values()) for c in (creados, solas))
    return Corrida(len(creados), demoras, sin_imagenes, segundos, subidos, utiles, quedan)


def medir(carpeta: Path, t: Tamano, decir: Decir) -> Medida:
    """Mide en una carpeta vacía. Raises: como `correr`."""
    c = correr(carpeta, t, decir)
    medido, piso, uso = percentil(c.demoras, 95), percentil(c.sin_imagenes, 95), c.utiles / c.cabe
    renglones = (
        Renglon(
            f"cifras, creación → acuse firmado, p95 de {len(c.demoras)}",
            f"≤ {META_S * 1000:.0f} ms",
            f"{medido * 1000:.0f} ms (p50 {percentil(c.demoras, 50) * 1000:.0f} ms)",
            f"{piso * 1000:.0f} ms, las mismas cifras por el mismo enlace sin imágenes",
            f"{medido / piso:.1f} veces",
            medido <= META_S and len(c.demoras) == c.asentadas,
        ),
        Renglon(
            "enlace ocupado sólo por bytes de imagen que el centro ya tiene",
            f"≥ {META_USO:.0%}",
            f"{uso:.1%}",
            f"{c.cabe / 1e6:.2f} MB que caben en {c.segundos:.0f} s; pasaron {c.subidos / 1e6:.2f} MB de paquetes",
            f"{uso:.3f}; con encabezados y cifras, {c.subidos / c.cabe:.3f}",
            uso >= META_USO and c.quedan > 0,
        ),
    )
    return Medida(
        "d",
        "cifras detrás de las imágenes",
        renglones,
        (
            "Reales: un `appliance.enlace` con sus ajustes, mosquitto y `servicio_central`, en dos espacios de red; el "
            "ancho lo pone el núcleo (`tbf`, en los dos sentidos); los paquetes pasan de un TUN a otro 40 ms tarde.",
            f"Lo que el centro tiene se sabe por sus recibos, de a ocho trozos. Al final faltaban {c.quedan} imágenes.",
        ),
    )


def _asentar_uno(banco: Banco) -> None:
    hecho = next(capturas())
    banco.almacen(banco.equipos[0]).asentar([hecho], hecho.hora, "virtual")


def _guardar_imagenes(banco: Banco, t: Tamano) -> None:
    imagenes = Imagenes(banco.kiosco(banco.equipos[0]) / "imagenes")
    cabeza = b"RIFF" + (t.bytes_de_imagen - 8).to_bytes(4, "little") + b"WEBP"
    for _ in range(t.imagenes):
        imagenes.guardar(cabeza + os.urandom(t.bytes_de_imagen - len(cabeza)))


def _declarar_imagenes(banco: Banco, t: Tamano) -> None:
    (equipo,) = banco.equipos
    huellas = sorted(Imagenes(banco.kiosco(equipo) / "imagenes").huellas())
    for huella, captura in zip(huellas, capturas(), strict=False):
        hora = captura.hora - timedelta(minutes=1)
        hecho = Imagen(captura.acta, hora, huella, t.bytes_de_imagen, Digitalizacion.ESCANER, "digitalizacion-1")
        banco.almacen(equipo).asentar([hecho], hora, "virtual")


def _esperar_que_suban(banco: Banco) -> None:
    (equipo,) = banco.equipos
    limite = time.monotonic() + PLAZO
    while not banco.bytes_recibidos(equipo):
        if time.monotonic() > limite:
            raise BancoRoto(f"las imágenes no empiezan a subir:\n{banco.piezas['centro'].ultimas_lineas()}")
        time.sleep(0.1)
