"""`./prep medir`: cuánto rinde el centro, como razón contra lo que de ninguna manera se puede ahorrar.

Hay otras: `./prep medir enlace`, las metas del enlace entero (`ensayo.medicion_enlace`); `./prep medir publicacion`, lo
que cuesta servir el sitio (`ensayo.medicion_publicacion`), y `./prep medir estado`, hacerlo (`ensayo.medicion_estado`).

La referencia se corre en el mismo proceso y alternada con lo medido: verificar cada firma P-256 (con `cryptography`,
sin nada más) y confirmar los mismos bytes en SQLite con el mismo tamaño de lote y la misma durabilidad. La razón dice
qué parte del costo del centro es inevitable; los segundos sólo valen en esta máquina.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from joserfc.jwk import ECKey
from joserfc.util import urlsafe_b64decode

from ensayo.noche import cargar_noche
from ensayo.tuberia import EQUIPO, Tuberia, montar
from nucleo.hechos import Captura, a_contenido
from nucleo.sobre import CADENA_NUEVA, Sobre, huella, sellar
from servicio_central.ingesta import LOTE, Destino, Mensaje, mensaje_de_hecho

_DICE: Final = (
    "Mide la ingesta del centro contra lo inevitable. Con `enlace` por delante, las metas del enlace entero; con "
    "`publicacion`, lo que cuesta servir el sitio; con `estado`, lo que cuesta hacerlo."
)


@dataclass(frozen=True)
class Ronda:
    """Segundos de pared de una ronda con los mismos sobres."""

    centro: float
    firmas: float
    disco: float

    @property
    def razon(self) -> float:
        """Costo del centro entre la suma de lo inevitable: 1.0 sería perfecto."""
        return self.centro / (self.firmas + self.disco)


def medir(sobres: int, rondas: int, carpeta: Path) -> list[Ronda]:
    """Corre `rondas` alternadas con `sobres` cada una, en una carpeta del disco que se quiere medir."""
    return [_ronda(sobres, carpeta / f"ronda-{i}") for i in range(rondas)]


def _ronda(sobres: int, carpeta: Path) -> Ronda:
    carpeta.mkdir()
    tuberia, llave, mensajes = preparar(sobres, carpeta)
    lotes = [mensajes[i : i + LOTE] for i in range(0, len(mensajes), LOTE)]
    centro = _cronometrar(lambda: _ingerir(tuberia, lotes))
    publica = llave.get_op_key("verify")
    assert isinstance(publica, ec.EllipticCurvePublicKey)
    return Ronda(
        centro,
        firmas=_cronometrar(lambda: verificar(publica, mensajes)),
        disco=_cronometrar(lambda: confirmar(carpeta / "referencia.sqlite", lotes)),
    )


def preparar(sobres: int, carpeta: Path) -> tuple[Tuberia, ECKey, list[Mensaje]]:
    """Una tubería nueva en la carpeta, su llave y tantos sobres sellados, encadenados y sin ingerir."""
    noche = cargar_noche()
    tuberia = montar(carpeta, noche.proceso, noche.inicio)
    firmante = tuberia.firmante
    documentos = [d for a in noche.agendas.values() for d in a.documentos if d.asentado and d.captura]
    previo, mensajes = CADENA_NUEVA, []
    for secuencia in range(1, sobres + 1):
        d = documentos[secuencia % len(documentos)]
        assert d.asentado is not None
        assert d.captura is not None
        hecho = Captura(d.acta, 1, d.captura, f"captura-{secuencia}", d.asentado)
        compacto = sellar(_sobre(noche.proceso.clave, noche.proceso.modo, secuencia, previo, hecho), firmante)
        previo = huella(compacto)
        mensajes.append(mensaje_de_hecho(tuberia.ambito, EQUIPO, compacto))
    return tuberia, firmante.llave, mensajes


def _sobre(proceso: str, modo: str, secuencia: int, previo: str, hecho: Captura) -> Sobre:
    return Sobre(
        proceso, modo, EQUIPO, EQUIPO, "0" * 16, secuencia, previo, hecho.hora, "virtual", "x", "x", a_contenido(hecho)
    )


def _ingerir(tuberia: Tuberia, lotes: Sequence[Sequence[Mensaje]]) -> None:
    for lote in lotes:
        cuenta = tuberia.ingesta.procesar(lote).cuenta
        if cuenta[Destino.ACEPTADO] != len(lote):
            raise RuntimeError(f"el centro no aceptó todo el lote: {cuenta}")


def verificar(publica: ec.EllipticCurvePublicKey, mensajes: Sequence[Mensaje]) -> None:
    """Sólo las firmas, con `cryptography` a secas. Raises: InvalidSignature."""
    algoritmo = ec.ECDSA(hashes.SHA256())
    for mensaje in mensajes:
        firmado, _, firma = mensaje.datos.rpartition(b".")
        par = urlsafe_b64decode(firma)
        der = encode_dss_signature(int.from_bytes(par[:32], "big"), int.from_bytes(par[32:], "big"))
        publica.verify(der, firmado, algoritmo)


def confirmar(ruta: Path, lotes: Sequence[Sequence[Mensaje]]) -> None:
    """Sólo los bytes, en una base nueva, una transacción durable por lote."""
    with closing(sqlite3.connect(ruta, isolation_level=None)) as bd:
        bd.execute("PRAGMA journal_mode = WAL")
        bd.execute("PRAGMA synchronous = FULL")
        bd.execute("CREATE TABLE hojas (n INTEGER PRIMARY KEY, sobre BLOB NOT NULL)")
        for lote in lotes:
            bd.execute("BEGIN IMMEDIATE")
            bd.executemany("INSERT INTO hojas (sobre) VALUES (?)", [(m.datos,) for m in lote])
            bd.execute("COMMIT")


def _cronometrar(hacer: Callable[[], None]) -> float:
    inicio = time.perf_counter()
    hacer()
    return time.perf_counter() - inicio


def principal(argumentos: list[str] | None = None) -> int:
    """Punto de entrada: imprime la mediana de las razones y sobres por segundo."""
    dados = sys.argv[1:] if argumentos is None else argumentos
    if dados[:1] == ["enlace"]:
        # Aquí y no arriba: sus referencias se miden con lo de este módulo.
        from ensayo.medicion_enlace import orden

        return orden.principal(dados[1:])
    if dados[:1] == ["publicacion"]:
        from ensayo.medicion_publicacion import orden as de_publicacion

        return de_publicacion.principal(dados[1:])
    if dados[:1] == ["estado"]:
        from ensayo.medicion_estado import orden as de_estado

        return de_estado.principal(dados[1:])
    lector = argparse.ArgumentParser(prog="prep medir", description=_DICE)
    lector.add_argument("--sobres", type=int, default=4000, help="sobres por ronda (por omisión, %(default)s)")
    lector.add_argument("--rondas", type=int, default=5, help="rondas alternadas (por omisión, %(default)s)")
    lector.add_argument("--carpeta", type=Path, help="dónde escribir; decide qué disco se mide (por omisión, temporal)")
    lector.add_argument("--json", action="store_true", help="imprime las rondas como JSON")
    opciones = lector.parse_args(dados)
    if opciones.sobres < 1 or opciones.rondas < 1:
        lector.error("--sobres y --rondas son al menos 1")
    if opciones.carpeta is not None and not opciones.carpeta.is_dir():
        lector.error(f"--carpeta {opciones.carpeta} no es una carpeta; dé una que exista en el disco que quiere medir")
    with TemporaryDirectory(prefix="prep-medir-", dir=opciones.carpeta) as carpeta:
        rondas = medir(opciones.sobres, opciones.rondas, Path(carpeta))
    razon = statistics.median(r.razon for r in rondas)
    por_segundo = [statistics.median(opciones.sobres / s for s in t) for t in zip(*map(_tiempos, rondas), strict=True)]
    if opciones.json:
        cuerpo = {"sobres": opciones.sobres, "razon_mediana": razon, "rondas": [vars(r) for r in rondas]}
        print(json.dumps(cuerpo, indent=2))
        return 0
    print(f"{opciones.rondas} rondas de {opciones.sobres:,} sobres, en lotes de {LOTE} (medianas):")
    nombres = ("centro: juzgar, guardar y acusar", "sólo verificar firmas P-256", "sólo confirmar en SQLite")
    for nombre, ritmo in zip(nombres, por_segundo, strict=True):
        print(f"  {nombre:<34} {ritmo:>9,.0f} sobres/s")
    print(f"Razón del centro contra firmas + disco: {razon:.2f} (de {min(r.razon for r in rondas):.2f}", end="")
    print(f" a {max(r.razon for r in rondas):.2f}; 1.00 es el mínimo imaginable)")
    return 0


def _tiempos(ronda: Ronda) -> tuple[float, float, float]:
    return ronda.centro, ronda.firmas, ronda.disco


if __name__ == "__main__":
    sys.exit(principal())
