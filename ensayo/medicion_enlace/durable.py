"""e) Lo que cuesta que el lote del centro sea durable: los mismos sobres con `synchronous` FULL y OFF, alternando."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ensayo.medicion_enlace.material import centro_aparte, noche
from ensayo.medicion_enlace.medida import Decir, Medida, Renglon, percentil
from ensayo.medir import preparar
from servicio_central.ingesta import LOTE, Destino, Ingesta, Mensaje

META: Final = 1.02


@dataclass(frozen=True)
class Tamano:
    """Sobres de cada pasada, de a cuántos van los lotes y cuántas pasadas, cada una sobre dos almacenes nuevos."""

    sobres: int = 16_000
    lote: int = LOTE
    pasadas: int = 4


CHICO: Final = Tamano(sobres=120, lote=40, pasadas=2)


@dataclass(frozen=True)
class Par:
    """Segundos del mismo lote en cada almacén."""

    durable: float
    sin_sincronizar: float


def medir(carpeta: Path, t: Tamano, decir: Decir) -> Medida:
    """Mide en una carpeta vacía."""
    decir(f"firmando {t.sobres} sobres")
    pares: list[Par] = []
    for pasada in range(t.pasadas):
        pares += pasar(carpeta / f"pasada-{pasada}", t, pasada)
        decir(f"pasada {pasada + 1} de {t.pasadas}: {_razon(pares):.3f} hasta ahora")
    razon = _razon(pares)
    cada_uno = [p.durable / p.sin_sincronizar for p in pares]
    con, sin = (1000 * sum(s) / len(pares) for s in ([p.durable for p in pares], [p.sin_sincronizar for p in pares]))
    renglon = Renglon(
        f"lote de {t.lote} con FULL entre el mismo lote con OFF ({len(pares)} pares)",
        f"≤ {META:.2f}",
        f"{razon:.3f} ({con:.1f} ms)",
        f"{sin:.1f} ms, el mismo lote sin sincronizar",
        f"{razon:.3f}",
        razon <= META,
    )
    return Medida(
        "e",
        "el lote durable",
        (renglon,),
        (
            f"Por par: mediana {percentil(cada_uno, 50):.3f}, de {percentil(cada_uno, 5):.3f} (p5) a "
            f"{percentil(cada_uno, 95):.3f} (p95).",
            "Reales: `Ingesta.procesar` y el almacén del centro en disco. Los pares se turnan quién va primero; "
            "incluye los puntos de control del WAL.",
        ),
    )


def _razon(pares: Sequence[Par]) -> float:
    return sum(p.durable for p in pares) / sum(p.sin_sincronizar for p in pares)


def pasar(carpeta: Path, t: Tamano, pasada: int) -> list[Par]:
    """Los mismos lotes a `durable.sqlite` y a `sin-sincronizar.sqlite`; `pasada` decide quién va primero."""
    carpeta.mkdir()
    tuberia, _, mensajes = preparar(t.sobres, carpeta)
    durable, almacen, _ = centro_aparte(tuberia, noche(), carpeta / "durable.sqlite")
    apurada, otro, _ = centro_aparte(tuberia, noche(), carpeta / "sin-sincronizar.sqlite")
    otro.bd.execute("PRAGMA synchronous = OFF")
    pares = []
    for n, i in enumerate(range(0, len(mensajes), t.lote)):
        lote = mensajes[i : i + t.lote]
        if (n + pasada) % 2:
            con = _cronometrar(durable, lote)
            sin = _cronometrar(apurada, lote)
        else:
            sin = _cronometrar(apurada, lote)
            con = _cronometrar(durable, lote)
        pares.append(Par(con, sin))
    for uno in (almacen, otro):
        uno.cerrar()
    return pares


def _cronometrar(ingesta: Ingesta, lote: Sequence[Mensaje]) -> float:
    inicio = time.perf_counter()
    cuenta = ingesta.procesar(lote).cuenta
    segundos = time.perf_counter() - inicio
    if cuenta[Destino.ACEPTADO] != len(lote):
        raise RuntimeError(f"el centro no aceptó todo el lote: {cuenta}")
    return segundos
