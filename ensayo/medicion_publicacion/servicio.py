"""a) Portada, acta al azar, lo mismo mientras se publica, y 304; cada una contra el nginx pelón de la misma ronda."""

from __future__ import annotations

import random
import statistics
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ensayo.medicion_enlace.medida import Decir, Medida, Renglon
from ensayo.medicion_publicacion import republicar
from ensayo.medicion_publicacion.banco import Banco
from ensayo.medicion_publicacion.carga import Carga, SinMedir, cargar, escribir_guion, nucleos, pedir, sumar

PELON, PORTADA, ACTA, PUBLICANDO, SIN_CAMBIOS = "pelón", "portada", "acta", "publicando", "304"
CASOS: Final = (PELON, PORTADA, ACTA, PUBLICANDO, SIN_CAMBIOS)
_META_PORTADA: Final = 0.80
_META_ACTA: Final = 0.45
_META_PUBLICANDO: Final = 0.95


@dataclass(frozen=True)
class Tamano:
    """Cuánto se mide. `cortes` es el total, repartido entre las rondas."""

    rondas: int = 10
    segundos: float = 2
    largos_s: float = 6
    """De las dos que se comparan con y sin publicar: así las dos llenan sus cachés."""
    cortes: int = 100
    cambian: int = 300
    """Secciones que cambia cada corte."""


CHICO: Final = Tamano(rondas=1, segundos=1, largos_s=1, cortes=3, cambian=5)

Ronda = dict[str, Carga]


def medir(banco: Banco, tamano: Tamano, decir: Decir) -> Medida:
    """Las rondas, cada una con sus casos en orden al azar.

    Raises:
        SinMedir: si algo no contesta lo que se quiere medir.
    """
    return juzgar(correr(banco, tamano, decir), len(banco.actas))


def correr(banco: Banco, tamano: Tamano, decir: Decir) -> list[Ronda]:
    """Lo medido, sin juzgar. Raises: SinMedir."""
    azar = random.Random(7)
    guion = escribir_guion(banco.carpeta)
    rutas = {caso: banco.carpeta / f"{n}.txt" for n, caso in enumerate(CASOS)}
    actas = azar.sample(banco.actas, len(banco.actas))
    for caso, caminos in {PELON: ["/caliente"], PORTADA: ["/"], ACTA: actas}.items():
        rutas[caso].write_text("".join(f"{c}\n" for c in caminos), "utf-8")
    rutas[PUBLICANDO], rutas[SIN_CAMBIOS] = rutas[ACTA], rutas[PORTADA]
    _comprobar(banco, actas[0])
    rondas, publicados = [], 0
    for numero in range(tamano.rondas):
        ronda: Ronda = {}
        for caso in azar.sample(CASOS, len(CASOS)):
            servidor = banco.pelon if caso == PELON else banco.sitio
            semilla = azar.randrange(2**31)
            segundos = tamano.largos_s if caso in (ACTA, PUBLICANDO) else tamano.segundos
            etiqueta = pedir(banco.sitio.puerto, "/")[1]["ETag"] if caso == SIN_CAMBIOS else ""
            publica = None
            if caso == PUBLICANDO:
                cuantos = (numero + 1) * tamano.cortes // tamano.rondas - publicados
                publica = _publicar(banco, publicados, cuantos, tamano.cambian)
                publicados += cuantos
            pedazos: list[Carga] = []
            try:
                # Mientras quede un corte por publicar se sigue pidiendo: los cien se publican con el sitio cargado.
                while not pedazos or (publica is not None and publica.poll() is None):
                    pedazos.append(
                        cargar(
                            guion,
                            servidor.proceso.pid,
                            servidor.puerto,
                            rutas[caso],
                            semilla + len(pedazos),
                            segundos,
                            etiqueta,
                        )
                    )
            finally:
                if publica is not None and publica.wait() != 0:
                    raise SinMedir("quien publicaba los cortes terminó mal")
            ronda[caso] = sumar(pedazos)
        rondas.append(ronda)
        cifras = ", ".join(f"{caso} {ronda[caso].por_cpu:,.0f}" for caso in CASOS)
        decir(f"ronda {numero + 1} de {tamano.rondas}, peticiones por segundo de procesador: {cifras}")
    return rondas


def juzgar(rondas: Sequence[Ronda], paginas: int) -> Medida:
    """De las rondas a sus razones, con la mediana y de cuánto a cuánto fueron."""
    errores = sum(c.errores for r in rondas for caso, c in r.items() if caso != PUBLICANDO)
    publicando = sum(r[PUBLICANDO].errores for r in rondas)
    renglones = (
        _renglon(rondas, "portada, con todas sus cabeceras", PORTADA, PELON, _META_PORTADA),
        _renglon(rondas, f"acta al azar entre {paginas:,} páginas", ACTA, PELON, _META_ACTA),
        _renglon(rondas, "acta al azar mientras se publica", PUBLICANDO, ACTA, _META_PUBLICANDO, publicando),
        _renglon(rondas, "304 de la portada", SIN_CAMBIOS, PORTADA, 1.0),
        Renglon(
            "peticiones sin contestar o con error",
            "0",
            f"{errores + publicando}",
            f"{sum(c.peticiones for r in rondas for c in r.values()):,} peticiones",
            f"{publicando} de ellas mientras se publicaba",
            errores + publicando == 0,
        ),
    )
    notas = (
        "se cuenta por segundo de procesador del servidor, que va solo en un núcleo; cliente y publicación, en el otro",
        "pelón: los mismos bytes de la portada, sin cabeceras, límites ni reglas, y ya abiertos",
    )
    return Medida("a", "servir el sitio", renglones, notas)


def _renglon(rondas: Sequence[Ronda], que: str, caso: str, contra: str, meta: float, errores: int = 0) -> Renglon:
    # Por ronda, que es casi el mismo instante: lo que estorbe la máquina estorba a los dos.
    razones = sorted(r[caso].por_cpu / r[contra].por_cpu for r in rondas)
    mediana = statistics.median(razones)
    suyas, ajenas = (statistics.median(r[c].por_cpu for r in rondas) for c in (caso, contra))
    return Renglon(
        que,
        f"≥ {meta:.2f}" + (" y 0 errores" if caso == PUBLICANDO else ""),
        f"{mediana:.2f}",
        f"{contra}, {ajenas:,.0f} por segundo de procesador contra {suyas:,.0f}",
        f"{mediana:.3f} (de {razones[0]:.3f} a {razones[-1]:.3f} en {len(razones)} rondas)",
        mediana >= meta and errores == 0,
    )


def _publicar(banco: Banco, primero: int, cuantos: int, cambian: int) -> subprocess.Popen[bytes]:
    orden = ["taskset", "-c", str(nucleos()[1]), sys.executable, "-m", republicar.__name__]
    return subprocess.Popen(
        [*orden, str(banco.centro), str(banco.base), str(primero), str(cuantos), str(cambian)],
        cwd=Path(__file__).resolve().parents[2],
    )


def _comprobar(banco: Banco, acta: str) -> None:
    """Que se mida lo que se dice: páginas comprimidas y con sus cabeceras, y un 304 de verdad."""
    for camino in ("/", acta):
        codigo, cabeceras, _ = pedir(banco.sitio.puerto, camino)
        if codigo != 200 or "Content-Security-Policy" not in cabeceras:
            raise SinMedir(f"el sitio contestó {codigo} a {camino}, o sin sus cabeceras")
        if pedir(banco.sitio.puerto, camino, {"If-None-Match": cabeceras["ETag"]})[0] != 304:
            raise SinMedir(f"el sitio no contestó 304 a {camino}")
