"""Importar una mochila: cada sobre pasa por la misma ingesta que si hubiera llegado por el enlace, y cada imagen por el
mismo almacén.

Por eso se puede importar dos veces, en cualquier orden y a la vez que el enlace: lo que ya estaba es `repetido`. Un
archivo dañado no detiene a los demás: cada sobre va firmado por sí mismo y cada imagen se reconoce por su huella.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import datetime
from itertools import chain, islice
from pathlib import Path
from typing import Final

from joserfc.jwk import ECKey

from nucleo import mochila, sello
from nucleo.mochila import Manifiesto
from nucleo.padron import Equipo, Padron
from nucleo.sello import SelloInvalido
from nucleo.sobre import huella
from nucleo.temas import Carril, Tema, ambito_de
from servicio_central import ajustes, almacenes, disco
from servicio_central.declaradas import Declaradas
from servicio_central.firmante import leer_privada
from servicio_central.imagenes import Imagenes
from servicio_central.informe_de_mochila import Informe
from servicio_central.ingesta import LOTE, Destino, Dictamen, Mensaje, Resultado
from servicio_central.lector_de_mochila import ArchivoMalo, LectorDeMochila, verificar
from servicio_central.puerto_almacen import ERRORES
from servicio_central.recepcion import RESERVA
from servicio_central.tropiezo import Tropiezo

Procesar = Callable[[Sequence[Mensaje]], Resultado]
"""La ingesta. Raises: lo que sea un defecto con esos mensajes."""

_PROVISIONAL: Final = ".de-mochila"
_MAXIMO_HUECOS: Final = 16


class AlmacenOcupado(Exception):
    """El disco o el almacén no dejan: la mochila sigue en el buzón y se intenta después."""


class Importador:
    """Importa las copias del buzón. Lo usa un solo hilo de un solo proceso, el que tiene tomado el centro."""

    def __init__(
        self, carpeta: Path, padron: Callable[[], Padron], avisar: Callable[[str], None], ahora: Callable[[], datetime]
    ) -> None:
        self._carpeta = carpeta
        self._padron = padron
        self._avisar = avisar
        self._ahora = ahora
        self._declaradas = Declaradas.de_carpeta(carpeta)

    def importar(self, copia: Path, procesar: Procesar) -> Informe:
        """Importa una y dice qué pasó. No la saca del buzón.

        Raises:
            AlmacenOcupado: si hay que volver a intentarla más tarde.
        """
        informe = Informe(copia.name, self._ahora().isoformat(timespec="seconds"))
        try:
            llave = leer_privada(self._carpeta / ajustes.SELLO)
            with LectorDeMochila(copia) as lector:
                firmado = lector.firmado()
                manifiesto, equipo = verificar(firmado, self._padron(), sello.identificador(llave))
                informe.de(manifiesto, huella(firmado))
                informe.avisos += avisos_de(manifiesto, equipo)
                informe.sobran = lector.sobran(manifiesto)
                self._sobres(lector, manifiesto, llave, procesar, informe)
                self._imagenes(lector, manifiesto, llave, informe)
            informe.huecos = self._huecos(manifiesto)
        except Tropiezo as tropiezo:
            informe.rechazo = tropiezo.rechazo
        except ERRORES as error:
            raise AlmacenOcupado(f"el almacén no contesta ({error})") from error
        except OSError as error:
            raise AlmacenOcupado(f"el disco no deja ({error.strerror})") from error
        return informe

    # --------------------------------------------------------------------------------------------------------- adentro

    def _sobres(
        self, lector: LectorDeMochila, manifiesto: Manifiesto, llave: ECKey, procesar: Procesar, informe: Informe
    ) -> None:
        tema = str(Tema(ambito_de(manifiesto.modo, manifiesto.proceso), manifiesto.equipo, Carril.HECHOS))
        for archivo in manifiesto.archivos:
            if not archivo.de_sobres or (contenido := _abierto(lector, archivo, llave, informe)) is None:
                continue
            sobres = mochila.sobres_de(contenido)
            while lote := [Mensaje(tema, s) for s in islice(sobres, min(LOTE, manifiesto.sobres - informe.leidos))]:
                dictamenes = self._con_cuidado(lote, procesar)
                if any(d.codigo == "ALMACEN" for d in dictamenes):
                    raise AlmacenOcupado(dictamenes[0].causa)
                informe.contar(dictamenes)
            # Más de los que firmó que venían: ni se juzgan.
            informe.renglones_de_mas += sum(1 for _ in sobres)

    def _con_cuidado(self, lote: Sequence[Mensaje], procesar: Procesar) -> tuple[Dictamen, ...]:
        """Un defecto nuestro con un mensaje no debe dejar fuera a los demás: se prueba uno por uno."""
        try:
            return procesar(lote).dictamenes
        except AlmacenOcupado:
            raise
        except Exception as error:
            if len(lote) > 1:
                return tuple(d for m in lote for d in self._con_cuidado([m], procesar))
            self._avisar(f"DEFECTO: un sobre de mochila no se pudo procesar ({error!r})")
            return (Dictamen(Destino.FATAL, "DEFECTO", repr(error)[:300]),)

    def _imagenes(self, lector: LectorDeMochila, manifiesto: Manifiesto, llave: ECKey, informe: Informe) -> None:
        imagenes = Imagenes(self._carpeta)
        for archivo in manifiesto.archivos:
            if archivo.de_sobres or (contenido := _abierto(lector, archivo, llave, informe)) is None:
                continue
            sha256 = hashlib.sha256(contenido).hexdigest()
            if not self._declaradas.declaro(manifiesto.equipo, sha256):
                informe.imagenes_ajenas += 1
            elif imagenes.contiene(sha256):
                informe.imagenes_que_estaban += 1
            else:
                if shutil.disk_usage(imagenes.raiz).free < RESERVA:
                    raise AlmacenOcupado("queda poco disco y es para los hechos: las imágenes esperan")
                provisional = imagenes.raiz / _PROVISIONAL
                disco.escribir(provisional, contenido, 0o600)
                imagenes.adoptar(provisional, sha256)
                informe.imagenes_nuevas += 1

    def _huecos(self, manifiesto: Manifiesto) -> list[tuple[int, int]]:
        """Lo que falta de esa cadena hasta donde llega la mochila."""
        huecos, espera = [], 1
        with closing(almacenes.leer(self._carpeta)) as lector:
            filas = lector.execute(
                "SELECT secuencia FROM hechos WHERE equipo = ? AND epoca = ? AND secuencia <= ? ORDER BY secuencia",
                (manifiesto.equipo, manifiesto.epoca, manifiesto.hasta),
            )
            for secuencia in chain((int(s) for (s,) in filas), [manifiesto.hasta + 1]):
                if secuencia > espera:
                    huecos.append((espera, secuencia - 1))
                espera = secuencia + 1
        return huecos[:_MAXIMO_HUECOS]


def avisos_de(manifiesto: Manifiesto, equipo: Equipo) -> list[str]:
    """Lo que hay que saber antes de creer que una mochila entró: sus sobres irán a cuarentena."""
    avisos = []
    siguiente = "si fue un error, que la autoridad firme otro padrón y repita la importación: la copia se guarda"
    if not equipo.vigente:
        avisos.append(f"{equipo.nombre} está dado de baja: lo que no estuviera ya queda en cuarentena; {siguiente}")
    if manifiesto.epoca not in equipo.epocas:
        avisos.append(f"la época {manifiesto.epoca} no está inscrita: queda en cuarentena; {siguiente}")
    return avisos


def _abierto(lector: LectorDeMochila, archivo: mochila.Archivo, llave: ECKey, informe: Informe) -> bytes | None:
    try:
        return sello.abrir(lector.leer(archivo), llave)
    except (ArchivoMalo, SelloInvalido) as malo:
        informe.archivos_malos[archivo.ruta] = str(malo)
        return None
