"""`./prep medir estado`: lo que cuesta publicar a un estado entero."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from ensayo.medicion_enlace.medida import Decir, Medida, Renglon
from ensayo.medicion_estado import millon
from ensayo.medicion_estado.cortes import Hecho, Noche
from ensayo.medicion_estado.material import CentroDeEnsayo

CORTES: Final = 72
"""Los de una noche de 24 horas a tres por hora: entre uno y otro llega, en promedio, una parte de éstas."""

_META_COMPLETO: Final = 20.0
_META_INCREMENTAL: Final = 2.0
_META_PUBLICO: Final = 5.0


@dataclass(frozen=True)
class Tamano:
    """De la noche que se mide."""

    casillas: int = 9820
    kioscos: int = 40
    incrementales: int = 4
    millon: int = 1_000_000


CHICO: Final = Tamano(casillas=60, kioscos=2, incrementales=2, millon=3000)


def medir(tamano: Tamano, carpeta: Path, decir: Decir) -> Medida:
    """La medida completa. Raises: lo que diga el disco o la publicación."""
    decir("inscribo el centro y firmo lo de la noche")
    centro = CentroDeEnsayo(carpeta, tamano.casillas, tamano.kioscos, 5)
    try:
        noche = Noche(centro, decir)
        parte = max(1, centro.faltan // CORTES)
        temprano = noche.cortar("primer corte, con una décima parte", centro.faltan // 10, por_etapa=False)
        pronto = noche.cortar("corte temprano", parte, por_etapa=False)
        completo = noche.cortar("sitio completo", centro.faltan - parte * (tamano.incrementales + 5), por_etapa=True)
        cada = [noche.cortar("corte incremental", parte, por_etapa=False) for _ in range(tamano.incrementales)]
        hechos = [temprano, pronto, completo, *cada]
        hechos.append(noche.cortar("corte incremental, por etapas", parte, por_etapa=True))
        hechos.append(noche.cortar("de hora pico", parte * 3, por_etapa=False))
        hechos.append(noche.cortar("con el publicador recién levantado", parte, por_etapa=False, de_nuevo=True))
        decir("rehago los CSV con el otro motor")
        iguales = noche.mismo_csv()
    finally:
        centro.cerrar()
    cifras = []
    if tamano.millon:
        decir(f"{tamano.millon:,} actas sintéticas")
        cifras = millon.medir(tamano.millon, centro.proceso)
    notas = [h.texto() for h in hechos]
    notas += [f"{c.que} de {tamano.millon:,} actas: {c.segundos:.2f} s de procesador; {c.detalle}" for c in cifras]
    return Medida(
        "E", "Publicar un estado", tuple(_renglones(completo, [pronto, *cada], iguales, tamano)), tuple(notas)
    )


def _renglones(
    completo: Hecho, cada: Sequence[Hecho], iguales: Sequence[tuple[str, int, bool]], tamano: Tamano
) -> list[Renglon]:
    referencia = f"{tamano.casillas:,} casillas × {len(iguales)} elecciones"
    peor = max(h.a_secas[1] for h in cada)
    publico = max(h.a_secas[0] for h in cada)
    mal = [e for e, _, igual in iguales if not igual]
    return [
        _renglon("sitio completo, procesador", completo.a_secas[1], _META_COMPLETO, referencia),
        _renglon(
            f"corte incremental (1/{CORTES} de las actas), procesador, el peor", peor, _META_INCREMENTAL, referencia
        ),
        _renglon("corte incremental, de cerrado a público, el peor", publico, _META_PUBLICO, referencia),
        Renglon(
            "el CSV oficial por dos motores",
            "los mismos bytes",
            "los mismos" if not mal else f"distintos en {', '.join(mal)}",
            "SQL sobre los sobres guardados",
            f"{sum(n for _, n, _ in iguales):,} bytes",
            not mal,
        ),
    ]


def _renglon(que: str, medido: float, meta: float, referencia: str) -> Renglon:
    return Renglon(
        que, f"≤ {meta:.0f} s", f"{medido:.2f} s", referencia, f"{medido / meta:.2f} de la meta", medido <= meta
    )


def principal(argumentos: Sequence[str] | None = None) -> int:
    """Devuelve 0 si se cumplen las metas (en chico no se juzgan los tiempos) y 1 si alguna no."""
    lector = argparse.ArgumentParser(prog="prep medir estado", description="Mide lo que cuesta publicar a un estado.")
    lector.add_argument("--temporal", type=Path, help="dónde escribir; decide qué disco se mide")
    lector.add_argument("--casillas", type=int, default=0, help="cuántas, hasta 9,820 (por omisión, todas)")
    lector.add_argument("--sinteticas", type=int, help="actas de la parte sintética; 0, sin ella (un millón)")
    lector.add_argument("--chico", action="store_true", help="en segundos: comprueba que se puede medir, no mide")
    opciones = lector.parse_args(argumentos)
    if opciones.temporal is not None and not opciones.temporal.is_dir():
        lector.error(f"--temporal {opciones.temporal} no es una carpeta; dé una que exista")
    tamano = CHICO if opciones.chico else Tamano()
    if opciones.casillas:
        if not 60 <= opciones.casillas <= Tamano().casillas:
            lector.error("--casillas va de 60 a 9820")
        tamano = replace(tamano, casillas=opciones.casillas)
    if opciones.sinteticas is not None:
        if opciones.sinteticas and opciones.sinteticas < 100:
            lector.error("--sinteticas es 0 o al menos 100")
        tamano = replace(tamano, millon=opciones.sinteticas)
    inicio = time.monotonic()

    def decir(que: str) -> None:
        print(f"   {time.monotonic() - inicio:6.1f} s · {que}", file=sys.stderr, flush=True)

    with TemporaryDirectory(prefix="prep-medir-", dir=opciones.temporal) as temporal:
        medida = medir(tamano, Path(temporal), decir)
    print(medida.texto(juzgar=not opciones.chico), flush=True)
    if opciones.chico:
        print("En chico los tiempos no valen y no se juzgan: sólo que se pueda medir y que los dos motores coincidan.")
        return 0 if medida.renglones[-1].cumple else 1
    return 0 if medida.cumple else 1
