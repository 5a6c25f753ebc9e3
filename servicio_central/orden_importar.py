"""`./prep importar`: mete al centro las mochilas que llegaron en mano, corra el centro o no.

Siempre hace lo mismo: verifica, copia al buzón y espera el informe. Si el centro corre, él lo atiende; si no, lo
atiende esta orden, que toma el centro mientras dura.
"""

from __future__ import annotations

import argparse
import os
import secrets
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from nucleo import sello
from nucleo.padron import Padron
from servicio_central import ajustes, arranque, padrones
from servicio_central.buzon import Buzon
from servicio_central.firmante import leer_privada
from servicio_central.importacion import AlmacenOcupado
from servicio_central.informe_de_mochila import Informe
from servicio_central.lector_de_mochila import FIRMA, LectorDeMochila, camino, legible, verificar
from servicio_central.puerto_almacen import ERRORES
from servicio_central.tropiezo import Tropiezo

_MAXIMO_MOCHILAS: Final = 100
"""Por memoria."""

_SONDEO_S: Final = 0.3


def main(argumentos: Sequence[str] | None = None) -> int:
    """Devuelve 0 si todo entró, 1 si algo no, y 3 si quedó esperando en el buzón."""
    lector = argparse.ArgumentParser(prog="./prep importar", description=__doc__)
    lector.add_argument("--carpeta", type=Path, required=True, help="carpeta del centro")
    lector.add_argument("--espera-s", type=float, default=600.0, help="segundos que espera el informe (%(default)s)")
    lector.add_argument(
        "mochilas", type=Path, nargs="*", metavar="DIR", help="una mochila, o la memoria con varias; nada: el buzón"
    )
    leidas = lector.parse_args(argumentos)
    try:
        orden = _Orden(leidas.carpeta)
        esperan = orden.copiar(leidas.mochilas)
        esperan += [e for e in orden.en_el_buzon() if e not in esperan] if not leidas.mochilas else []
        return orden.esperar(esperan, leidas.espera_s)
    except (Tropiezo, AlmacenOcupado, *ERRORES, OSError) as error:
        print(f"importar: {error}", file=sys.stderr)
        return 1


class _Orden:
    def __init__(self, carpeta: Path) -> None:
        """Raises: Tropiezo u OSError, si no es un centro o no tiene su llave de sellado."""
        self._carpeta = carpeta
        ajustes.leer(carpeta)
        self._sello = sello.identificador(leer_privada(carpeta / ajustes.SELLO))
        self._buzon = Buzon(carpeta)
        self._mal = False

    def copiar(self, lugares: Sequence[Path]) -> list[str]:
        """Copia al buzón las mochilas de esos lugares y devuelve sus entregas; lo que no se pudo, se dice."""
        self._buzon.limpiar()
        padron, entregas = padrones.mas_nuevo(self._carpeta), []
        for lugar in lugares:
            try:
                halladas = _mochilas_en(lugar)
            except Tropiezo as tropiezo:
                # Una ruta mal tecleada no es una mochila: la sala no tiene nada que atender.
                self._mal = True
                print(f"importar: {tropiezo}", file=sys.stderr, flush=True)
                continue
            for ruta in halladas:
                try:
                    entregas.append(self._una(ruta, padron))
                except Tropiezo as tropiezo:
                    self._rechazar(legible(ruta), tropiezo)
        return entregas

    def en_el_buzon(self) -> list[str]:
        """Lo que dejó ahí otra orden."""
        return [copia.name for copia in self._buzon.por_importar()]

    def esperar(self, entregas: Sequence[str], plazo_s: float) -> int:
        """Enseña cada informe en cuanto esté. Raises: lo que impida atenderlo, si le toca a esta orden."""
        faltan, limite = list(entregas), time.monotonic() + plazo_s
        while faltan:
            for entrega in list(faltan):
                if (informe := self._buzon.informe(entrega)) is not None:
                    faltan.remove(entrega)
                    self._mal |= not informe.get("absorbida")
                    print(informe.get("texto"), flush=True)
            if not faltan:
                break
            if self._atender() and all(self._buzon.informe(e) is not None for e in faltan):
                continue
            if time.monotonic() >= limite:
                print(f"Siguen en el buzón: {', '.join(faltan)}. El centro las importará; el informe quedará en")
                print(f"{self._buzon.informes}. Para verlo, repita esta orden sin carpetas.")
                return 3
            time.sleep(_SONDEO_S)
        return 1 if self._mal else 0

    def _una(self, ruta: Path, padron: Padron) -> str:
        with LectorDeMochila(ruta) as lector:
            firmado = lector.firmado()
            manifiesto, _ = verificar(firmado, padron, self._sello)
            copia = self._buzon.dejar(lector, firmado, manifiesto)
        print(f"{legible(ruta)} ▸ {copia.entrega}: copiada al centro; espero el informe.", flush=True)
        for archivo, que in copia.malos.items():
            print(f"  {archivo} {que}: no se copió", flush=True)
        return copia.entrega

    def _rechazar(self, nombre: str, tropiezo: Tropiezo) -> None:
        self._mal = True
        ahora = datetime.now(UTC)
        informe = Informe(
            f"rechazada-{ahora:%Y%m%dT%H%M%S}-{secrets.token_hex(4)}",
            ahora.isoformat(timespec="seconds"),
            avisos=[nombre],
            rechazo=tropiezo.rechazo,
        )
        print(f"{nombre}: {informe.texto}", flush=True)
        self._buzon.informar(informe)

    def _atender(self) -> bool:
        """Importa aquí mismo, si ningún centro corre; falso si hay uno y le toca a él."""
        try:
            centro = arranque.abrir_centro(self._carpeta)
        except Tropiezo as tropiezo:
            if tropiezo.rechazo.codigo == "YA_CORRE":
                return False
            raise
        try:
            centro.mochilas.atender(centro.ingesta.procesar)
        finally:
            centro.almacen.cerrar()
            os.close(centro.candado)
        return True


def _mochilas_en(lugar: Path) -> list[Path]:
    """La mochila que es esa carpeta, o las que tiene dentro. Raises: Tropiezo."""
    if (lugar / FIRMA).is_file():
        return [lugar]
    if dentro := _dentro(lugar):
        return dentro[:_MAXIMO_MOCHILAS]
    if not lugar.is_dir():
        raise Tropiezo(
            "MOCHILA",
            f"{camino(lugar)} no es una carpeta que se pueda abrir",
            "se tecleó mal, o la memoria no está montada",
            "revise la ruta con `ls`; indique la carpeta «mochila-…», o la memoria que la trae",
        )
    if mas_abajo := next((r for r in _carpetas_en(lugar)[:_MAXIMO_MOCHILAS] if _dentro(r)), None):
        raise Tropiezo(
            "MOCHILA",
            f"en {camino(lugar)} no hay ninguna mochila, pero sí en {camino(mas_abajo)}",
            "se dio la carpeta donde se montan las memorias y no la memoria",
            f"repita la orden con {camino(mas_abajo)}",
        )
    raise Tropiezo(
        "MOCHILA",
        f"en {camino(lugar)} no hay ninguna mochila",
        "es otra memoria, no está montada, o la copia se interrumpió",
        "indique la carpeta «mochila-…», o la memoria que la trae",
    )


def _dentro(lugar: Path) -> list[Path]:
    try:
        return sorted(r for r in lugar.iterdir() if r.name.startswith("mochila-") and not r.is_symlink())
    except OSError:
        return []


def _carpetas_en(lugar: Path) -> list[Path]:
    try:
        return sorted(r for r in lugar.iterdir() if r.is_dir() and not r.is_symlink())
    except OSError:
        return []


if __name__ == "__main__":
    sys.exit(main())
