"""El buzón de las mochilas: `mochilas/entrada/`, donde se dejan copiadas para que el centro las importe.

    mochilas/entrada/<entrega>/      copia durable, sellada como vino; la atiende el centro, o la orden si no corre
    mochilas/apartadas/<huella>/     la copia de las que no entraron enteras, por si luego se puede
    mochilas/informes/<entrega>.json qué pasó con cada una

Sólo se copian los archivos que el manifiesto firmado nombra y que miden y dicen lo que firmó. La copia se hace con otro
nombre y toma el suyo al final: una a medias nunca se atiende. La memoria no se toca.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from nucleo import mochila
from nucleo.mochila import Manifiesto
from nucleo.sobre import huella
from servicio_central import disco
from servicio_central.informe_de_mochila import Informe
from servicio_central.lector_de_mochila import FIRMA, ArchivoMalo, LectorDeMochila
from servicio_central.recepcion import RESERVA
from servicio_central.tropiezo import Tropiezo

CARPETA: Final = "mochilas"

_ABANDONADA_S: Final = 600
_ENTREGA: Final = re.compile(r"[a-z0-9][a-z0-9\-]{0,80}")


@dataclass(frozen=True, slots=True)
class Copia:
    """Una mochila ya en el buzón."""

    entrega: str
    malos: dict[str, str]
    """Archivos que no se copiaron y qué tienen."""


class Buzon:
    """El de la carpeta de un centro. Varios procesos pueden dejar a la vez; atiende uno, el que tiene el centro tomado.

    Raises:
        OSError: si no se pueden crear las carpetas.
    """

    def __init__(self, carpeta: Path) -> None:
        raiz = disco.carpeta_privada(carpeta / CARPETA)
        self.entrada = disco.carpeta_privada(raiz / "entrada")
        self.apartadas = disco.carpeta_privada(raiz / "apartadas")
        self.informes = disco.carpeta_privada(raiz / "informes")

    def dejar(self, lector: LectorDeMochila, firmado: str, manifiesto: Manifiesto) -> Copia:
        """Copia una mochila verificada. Al volver sobrevive a un corte de luz.

        Raises:
            Tropiezo: DISCO, si no cabe o no se pudo escribir; no queda nada a medias.
        """
        entrega = f"{manifiesto.equipo}-{huella(firmado)[:12]}-{secrets.token_hex(4)}"
        provisional = self.entrada / f".{entrega}"
        try:
            self._exigir_lugar(manifiesto)
            disco.carpeta_privada(provisional)
            with disco.turno(provisional):
                malos = _copiar(lector, manifiesto, provisional)
                disco.crear(provisional / FIRMA, firmado.encode("ascii"))
                provisional.rename(self.entrada / entrega)
            disco.sincronizar(self.entrada)
        except OSError as error:
            shutil.rmtree(provisional, ignore_errors=True)
            raise Tropiezo(
                "DISCO",
                f"la mochila no se pudo copiar al centro ({error.strerror})",
                "el disco está lleno, o la carpeta es de otra cuenta",
                "libere espacio y repita; la memoria no se tocó",
            ) from error
        return Copia(entrega, malos)

    def por_importar(self) -> list[Path]:
        """Las copias completas que esperan, en orden de nombre."""
        return sorted(r for r in self.entrada.iterdir() if es_entrega(r))

    def limpiar(self) -> None:
        """Quita lo que dejó a medias una orden que murió."""
        for resto in self.entrada.glob(".*"):
            # Lo que otra orden está copiando lo tiene tomado; lo reciente puede ser de una que apenas lo va a tomar.
            with suppress(OSError):
                if time.time() - resto.stat().st_mtime > _ABANDONADA_S:
                    tomado = disco.tomar(resto, esperar=False)
                    try:
                        shutil.rmtree(resto)
                    finally:
                        os.close(tomado)

    def informar(self, informe: Informe) -> None:
        """Guarda el informe de una entrega. Raises: OSError."""
        disco.escribir(self.informes / f"{informe.entrega}.json", informe.a_json(), 0o600)

    def informe(self, entrega: str) -> dict[str, Any] | None:
        """El de esa entrega, si ya lo hay."""
        try:
            dato = json.loads((self.informes / f"{entrega}.json").read_text("utf-8"))
        except (OSError, ValueError):
            return None
        return dato if isinstance(dato, dict) else None

    def terminar(self, informe: Informe) -> None:
        """Saca del buzón una que ya tiene informe: se borra si está entera en el centro, y si no se aparta.

        Raises:
            OSError: si el disco no deja; se volverá a importar, que no cambia nada.
        """
        copia = self.entrada / informe.entrega
        apartada = self.apartadas / (informe.huella or informe.entrega)
        if informe.absorbida:
            shutil.rmtree(copia)
        elif apartada.exists():
            _completar(apartada, copia)
        else:
            copia.rename(apartada)
        if informe.absorbida and apartada.exists():
            shutil.rmtree(apartada)
        disco.sincronizar(self.apartadas)
        disco.sincronizar(self.entrada)

    def _exigir_lugar(self, manifiesto: Manifiesto) -> None:
        # Sellada ocupa un tercio más que abierta, y habrá un momento con las dos.
        falta = 2 * manifiesto.bytes + RESERVA - shutil.disk_usage(self.entrada).free
        if falta > 0:
            raise Tropiezo(
                "DISCO",
                f"la mochila no cabe en el centro: faltan {-(-falta // 10**6)} MB",
                "el disco está casi lleno, y lo que queda es para los hechos",
                "libere espacio y repita; la memoria no se tocó",
            )


def _copiar(lector: LectorDeMochila, manifiesto: Manifiesto, destino: Path) -> dict[str, str]:
    malos: dict[str, str] = {}
    for carpeta in (mochila.SOBRES, mochila.IMAGENES):
        disco.carpeta_privada(destino / carpeta)
    for archivo in manifiesto.archivos:
        try:
            contenido = lector.leer(archivo)
        except ArchivoMalo as malo:
            malos[archivo.ruta] = str(malo)
            continue
        disco.crear(destino / archivo.ruta, contenido)
    return malos


def es_entrega(ruta: Path) -> bool:
    """Si el centro la va a tomar del buzón: lo demás se puede quedar ahí para siempre."""
    return _ENTREGA.fullmatch(ruta.name) is not None and _es_carpeta(ruta)


def _es_carpeta(ruta: Path) -> bool:
    return ruta.is_dir() and not ruta.is_symlink()


def _completar(apartada: Path, copia: Path) -> None:
    """Lo que la memoria dañada de antes no traía y ésta sí; cada archivo de las dos es el que se firmó."""
    for archivo in sorted(copia.glob("*/*.jwe")):
        destino = apartada / archivo.parent.name / archivo.name
        if not destino.exists():
            archivo.rename(destino)
            disco.sincronizar(destino.parent)
    shutil.rmtree(copia)
