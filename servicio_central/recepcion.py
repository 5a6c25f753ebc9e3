"""La recepción de imágenes: junta los trozos que llegan y firma recibos de lo que ya es durable.

Sólo se toma lo que ese mismo equipo declaró en un hecho aceptado, y de cada equipo hay a medias hasta `CUOTA` bytes:
pasada, se olvida lo que lleva más tiempo sin moverse, y el recibo siguiente lo dice. Con el disco casi lleno las
imágenes esperan, porque ese lugar es de los hechos. Nada de esto pasa por la transacción de los hechos.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from nucleo.recibo import MAXIMO_IMAGENES, ImagenRecibida, Recibo, Situacion, sellar_recibo
from nucleo.sobre import Firmante
from nucleo.temas import Carril, Tema
from nucleo.trozo import Trozo
from servicio_central import disco
from servicio_central.a_medias import AMedias
from servicio_central.declaradas import Declaradas
from servicio_central.imagenes import A_MEDIAS, Imagenes
from servicio_central.juicio import TrozoValido
from servicio_central.puerto_almacen import ERRORES

CUOTA: Final = 64 * 2**20
"""Bytes a medias por equipo: dos imágenes de las más grandes."""

MAXIMO_A_MEDIAS: Final = 32
"""Imágenes a medias por equipo."""

CADA: Final = 8
"""Trozos de una imagen que se juntan antes de sincronizar y dar recibo: 128 KiB por fsync y por firma."""

RESERVA: Final = 512 * 2**20
"""Bytes libres que se dejan a los hechos: con menos, las imágenes esperan."""

_NOMBRE: Final = re.compile(r"([0-9a-f]{64})-([0-9]{1,8})")
_TOPE_ALARMAS: Final = 1000


@dataclass(frozen=True, slots=True)
class Recibidos:
    """Qué contestar a un lote de trozos."""

    recibos: tuple[tuple[str, str], ...] = ()
    """(tema, JWS compacto), por publicar."""
    alarmas: tuple[str, ...] = ()


class Recepcion:
    """Un solo hilo la usa. Lo que sabe está en la carpeta de imágenes y en los hechos: al volver a arrancar se rehace.

    Args:
        carpeta: la del centro.
        libre: bytes libres en el disco de esa carpeta.

    Raises:
        OSError: si la carpeta de imágenes no se puede usar.
    """

    def __init__(
        self,
        carpeta: Path,
        declaradas: Declaradas,
        firmante: Firmante,
        ahora: Callable[[], datetime],
        ambito: str,
        *,
        cuota: int = CUOTA,
        libre: Callable[[], int] | None = None,
    ) -> None:
        self.imagenes = Imagenes(carpeta)
        self._declaradas = declaradas
        self._firmante = firmante
        self._ahora = ahora
        self._ambito = ambito
        self._cuota = cuota
        self._libre = libre or (lambda: shutil.disk_usage(self.imagenes.raiz).free)
        self._a_medias = disco.carpeta_privada(self.imagenes.raiz / A_MEDIAS)
        self._partes: dict[str, dict[str, AMedias]] = {}
        """Equipo → huella → lo que va, lo movido más recientemente al final."""
        self._dichas: set[tuple[str, ...]] = set()
        self._recordar()

    def recibir(self, trozos: Sequence[TrozoValido]) -> Recibidos:
        """Toma un lote. Al volver, todo lo que dicen sus recibos es durable; lo que no se pudo decir se preguntará."""
        alarmas: list[str] = []
        apretado = self._libre() < RESERVA
        if apretado:
            self._avisar(alarmas, ("disco",), "queda poco disco: las imágenes esperan para dejarlo a los hechos")
        else:
            self._dichas.discard(("disco",))
        decir: dict[str, dict[str, ImagenRecibida]] = {}
        epocas: dict[str, tuple[str, ...]] = {}
        for valido in trozos:
            epocas[valido.equipo] = valido.epocas
            try:
                imagen = self._uno(valido.equipo, valido.trozo, apretado, alarmas)
            except OSError as error:
                self._avisar(alarmas, ("disco",), f"no se pudo guardar una imagen ({error.strerror}); se esperará")
                imagen = _en(valido.trozo, Situacion.ESPERA)
            except ERRORES as error:
                # Sin poder leer los hechos no se sabe de quién es: no se contesta y el kiosco vuelve a preguntar.
                self._avisar(alarmas, ("almacen",), f"no se pudo saber quién declaró una imagen ({error})")
                continue
            if imagen is not None:
                decir.setdefault(valido.equipo, {})[imagen.sha256] = imagen
        return Recibidos(self._firmar(decir, epocas), tuple(alarmas))

    # ---------------------------------------------------------------------------------------------------- uno por uno

    def _uno(self, equipo: str, trozo: Trozo, apretado: bool, alarmas: list[str]) -> ImagenRecibida | None:
        """Qué decir de esa imagen; `None` si todavía nada."""
        if not self._declaradas.declaro(equipo, trozo.sha256):
            return _en(trozo, Situacion.AJENA)
        partes = self._partes.setdefault(equipo, {})
        parte = partes.get(trozo.sha256)
        if parte is not None and parte.total != trozo.total:
            # Uno de los dos totales miente y los dos son del mismo equipo: se vuelve a empezar con el último.
            self._olvidar(equipo, trozo.sha256)
            parte = None
        if self.imagenes.contiene(trozo.sha256):
            self._olvidar(equipo, trozo.sha256)
            return _en(trozo, Situacion.COMPLETA)
        if not trozo.pregunta:
            if apretado:
                return _en(trozo, Situacion.ESPERA)
            parte = parte or self._nueva(equipo, trozo)
            partes[trozo.sha256] = partes.pop(trozo.sha256, parte)
            parte.escribir(trozo)
            if len(parte.escritos) < CADA and not parte.entera:
                return None
        if parte is None:
            return _en(trozo, Situacion.PARCIAL)
        parte.sincronizar()
        if parte.entera:
            return self._terminar(equipo, trozo, parte, alarmas)
        return ImagenRecibida(trozo.sha256, trozo.total, Situacion.PARCIAL, parte.rangos())

    def _terminar(self, equipo: str, trozo: Trozo, parte: AMedias, alarmas: list[str]) -> ImagenRecibida:
        buena = self.imagenes.adoptar(parte.terminar(), trozo.sha256)
        self._olvidar(equipo, trozo.sha256)
        if not buena:
            texto = f"IMAGEN DAÑADA: lo que mandó {equipo} no es {trozo.sha256[:12]}; se le vuelve a pedir"
            self._avisar(alarmas, (equipo, trozo.sha256), texto)
        return _en(trozo, Situacion.COMPLETA if buena else Situacion.DANADA)

    def _nueva(self, equipo: str, trozo: Trozo) -> AMedias:
        partes = self._partes[equipo]
        while partes and (
            len(partes) >= MAXIMO_A_MEDIAS or sum(p.total for p in partes.values()) + trozo.total > self._cuota
        ):
            self._olvidar(equipo, next(iter(partes)))
        carpeta = disco.carpeta_privada(self._a_medias / equipo)
        return AMedias.abrir(carpeta, trozo.sha256, trozo.total)

    def _olvidar(self, equipo: str, sha256: str) -> None:
        if (parte := self._partes.get(equipo, {}).pop(sha256, None)) is not None:
            parte.tirar()

    def _recordar(self) -> None:
        """Lo que quedó a medias de antes; lo que ya no sirve se borra."""
        restos = [r for r in self._a_medias.glob("*/*") if r.is_file()]
        for ruta in sorted(restos, key=lambda r: r.stat().st_mtime):
            forma, equipo = _NOMBRE.fullmatch(ruta.name), ruta.parent.name
            partes = self._partes.setdefault(equipo, {})
            if forma is None or forma[1] in partes or self.imagenes.contiene(forma[1]):
                ruta.unlink()
                continue
            partes[forma[1]] = AMedias.abrir(ruta.parent, forma[1], int(forma[2]))

    # --------------------------------------------------------------------------------------------------------- recibos

    def _firmar(
        self, decir: Mapping[str, Mapping[str, ImagenRecibida]], epocas: Mapping[str, tuple[str, ...]]
    ) -> tuple[tuple[str, str], ...]:
        firmados = []
        for equipo, imagenes in decir.items():
            tema, todas = str(Tema(self._ambito, equipo, Carril.RECIBO)), tuple(imagenes.values())
            for epoca in epocas[equipo]:
                for i in range(0, len(todas), MAXIMO_IMAGENES):
                    recibo = Recibo(equipo, epoca, self._ahora(), todas[i : i + MAXIMO_IMAGENES])
                    firmados.append((tema, sellar_recibo(recibo, self._firmante)))
        return tuple(firmados)

    def _avisar(self, alarmas: list[str], de_que: tuple[str, ...], texto: str) -> None:
        # Lo mismo llega con cada trozo: se avisa una vez.
        if de_que not in self._dichas:
            if len(self._dichas) >= _TOPE_ALARMAS:
                self._dichas.clear()
            self._dichas.add(de_que)
            alarmas.append(texto)


def _en(trozo: Trozo, situacion: Situacion) -> ImagenRecibida:
    return ImagenRecibida(trozo.sha256, trozo.total, situacion)
