"""Qué trozo de imagen toca mandar en este momento, cuando no hay cifras que mandar.

De cada imagen se pregunta primero qué tiene el centro, y se manda sólo lo que le falta: así se reanuda sin remandar,
tras un corte o tras reiniciar. Van pocos trozos sin PUBACK, para que una cifra nueva espere a lo más por ellos, y pocos
sin recibo, para no llenar la cola del bróker. Si el recibo no llega se vuelve a preguntar, con esperas que se doblan.
Lo que el centro no toma, o aquí ya no está, se deja para después y no frena a las demás.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from appliance.imagenes_declaradas import ImagenPorEnviar
from nucleo.recibo import ImagenRecibida, Recibo, Situacion
from nucleo.trozo import MAXIMO_DATOS, Trozo, a_bytes, cortar, cuantos

VENTANA: Final = 3 * MAXIMO_DATOS // 2
"""Mientras haya menos bytes que éstos sin PUBACK sale otro trozo: van dos, y una cifra espera 0.3 s a 1 Mbit/s. Se
cuentan bytes porque una cifra o una pregunta, en el lugar de un trozo, dejarían el enlace ocioso."""

SIN_RECIBO: Final = 32
"""Trozos mandados que ningún recibo menciona todavía."""

_ADELANTE: Final = 8
"""Imágenes por las que se pregunta antes de que les toque, para no parar entre una y otra."""

_LISTA: Final = 64
_RELEER_S: Final = 2.0
_DANADAS: Final = 3
"""Veces que se manda otra vez, enseguida, una que el centro recibió dañada."""


class Libro(Protocol):
    """Lo que este envío mira y anota en el almacén."""

    def imagenes_pendientes(self, limite: int) -> list[ImagenPorEnviar]: ...
    def imagen_perdida(self, sha256: str) -> None: ...
    def medir_imagen(self, sha256: str, total: int) -> None: ...


class Disco(Protocol):
    """Las imágenes guardadas (`appliance.imagenes.Imagenes`)."""

    def leer(self, huella: str) -> bytes | None: ...
    def tamano(self, huella: str) -> int | None: ...


@dataclass(slots=True)
class _EnCurso:
    sha256: str
    total: int
    rto_s: float
    faltan: list[int] | None = None
    """Trozos por mandar; `None` mientras el centro no diga qué tiene."""
    sin_recibo: set[int] = field(default_factory=set)
    preguntar: float = 0.0
    """Cuándo volver a preguntar."""
    movida: float = 0.0
    """Última vez que se le mandó un trozo o llegó un recibo."""
    danadas: int = 0


class ImagenesPorEnviar:
    """Lo enviado en una conexión. Los tiempos son segundos de un reloj monótono."""

    def __init__(
        self,
        libro: Libro,
        disco: Disco,
        *,
        rto_s: float,
        rto_maximo_s: float,
        lento_s: float,
        azar: random.Random,
        permitidas: Callable[[], bool] = lambda: True,
    ) -> None:
        self._libro = libro
        self._disco = disco
        self._rto_s = rto_s
        self._rto_maximo_s = rto_maximo_s
        self._lento_s = lento_s
        self._azar = azar
        self._permitidas = permitidas
        self._en_curso: dict[str, _EnCurso] = {}
        self._despues: dict[str, float] = {}
        """Huella → cuándo volver a intentarla."""
        self._lista: list[ImagenPorEnviar] = []
        self._releer = 0.0
        self._abierta: tuple[str, bytes] = ("", b"")
        self._descanso = 0.0
        self._activo = 0.0
        """Última vez que había algo sin PUBACK: antes de eso no hay por qué esperar recibos."""

    def mandar(self, ahora: float, en_vuelo: int, publicar: Callable[[bytes], bool]) -> int:
        """Manda lo que quepa en la ventana y devuelve cuánto mandó.

        Args:
            en_vuelo: bytes de cualquier carril que van sin PUBACK.
            publicar: manda un trozo; falso si ya no cabe.
        """
        if en_vuelo:
            self._activo = ahora
        if ahora < self._descanso or not self._permitidas():
            return 0
        self._traer(ahora)
        enviados = 0
        while en_vuelo < VENTANA and (sigue := self._siguiente(ahora, en_vuelo)) is not None:
            imagen, trozo = sigue
            crudo = a_bytes(trozo)
            if not publicar(crudo):
                break
            enviados += 1
            en_vuelo += len(crudo)
            self._anotar(imagen, trozo, ahora)
        return enviados

    def descansar(self, ahora: float) -> None:
        """No se pudo leer o anotar en el almacén: se vuelve a intentar más tarde."""
        self._descanso = ahora + self._lento_s

    def releer(self) -> None:
        """Puede haber imágenes nuevas que mandar: un acuse cerró el hecho que las declara."""
        self._releer = 0.0

    def recibir(self, recibo: Recibo, ahora: float, *, guardado: bool = True) -> None:
        """Aplica un recibo de este equipo. Si no se pudo guardar, lo completo se vuelve a preguntar más tarde."""
        for imagen in recibo.imagenes:
            if (propia := self._en_curso.get(imagen.sha256)) is None:
                continue
            if imagen.situacion is Situacion.COMPLETA and not guardado:
                self._dejar(imagen.sha256, ahora)
            else:
                self._aplicar(propia, imagen, ahora)

    # --------------------------------------------------------------------------------------------------------- qué toca

    def _traer(self, ahora: float) -> None:
        """Mantiene `_ADELANTE` imágenes en curso."""
        if len(self._en_curso) >= _ADELANTE:
            return
        if not self._lista and ahora >= self._releer:
            self._despues = {h: cuando for h, cuando in self._despues.items() if cuando > ahora}
            fuera = self._despues.keys() | self._en_curso.keys()
            filas = self._libro.imagenes_pendientes(_LISTA + len(fuera))
            self._lista = [f for f in filas if f.sha256 not in fuera]
            self._releer = ahora if len(self._lista) >= _LISTA else ahora + _RELEER_S
        while self._lista and len(self._en_curso) < _ADELANTE:
            fila = self._lista.pop(0)
            total = self._disco.tamano(fila.sha256)
            if total is None:
                self._perder(fila.sha256, ahora)
                continue
            if not fila.bytes:
                self._libro.medir_imagen(fila.sha256, total)
            self._en_curso[fila.sha256] = _EnCurso(fila.sha256, total, self._rto_s)

    def _siguiente(self, ahora: float, en_vuelo: int) -> tuple[_EnCurso, Trozo] | None:
        for imagen in self._en_curso.values():
            if imagen.faltan is None and ahora >= imagen.preguntar:
                return imagen, Trozo(imagen.sha256, imagen.total)
        if sum(len(i.sin_recibo) for i in self._en_curso.values()) < SIN_RECIBO:
            for imagen in list(self._en_curso.values()):
                if imagen.faltan and (trozo := self._cortar(imagen, ahora)) is not None:
                    return imagen, trozo
        if not en_vuelo:
            for imagen in self._en_curso.values():
                if imagen.sin_recibo and ahora - max(imagen.movida, self._activo) >= imagen.rto_s:
                    return imagen, Trozo(imagen.sha256, imagen.total)
        return None

    def _cortar(self, imagen: _EnCurso, ahora: float) -> Trozo | None:
        """El siguiente trozo; `None` si la imagen ya no se puede leer."""
        if self._abierta[0] != imagen.sha256:
            contenido = self._disco.leer(imagen.sha256)
            if contenido is None or len(contenido) != imagen.total:
                self._perder(imagen.sha256, ahora)
                return None
            self._abierta = (imagen.sha256, contenido)
        assert imagen.faltan
        return cortar(imagen.sha256, self._abierta[1], imagen.faltan[0])

    def _anotar(self, imagen: _EnCurso, trozo: Trozo, ahora: float) -> None:
        imagen.movida = ahora
        if trozo.pregunta:
            # Lo que siga sin recibo después de preguntar, no llegó.
            imagen.faltan, imagen.sin_recibo = None, set()
            imagen.preguntar = ahora + imagen.rto_s * self._azar.uniform(0.8, 1.2)
            imagen.rto_s = min(imagen.rto_s * 2, self._rto_maximo_s)
            return
        assert imagen.faltan
        imagen.sin_recibo.add(imagen.faltan.pop(0))

    # ---------------------------------------------------------------------------------------------------------- recibos

    def _aplicar(self, propia: _EnCurso, imagen: ImagenRecibida, ahora: float) -> None:
        match imagen.situacion:
            case Situacion.COMPLETA:
                self._quitar(propia.sha256)
            case Situacion.AJENA | Situacion.ESPERA:
                self._dejar(propia.sha256, ahora)
            case Situacion.DANADA if propia.danadas + 1 >= _DANADAS:
                self._dejar(propia.sha256, ahora)
            case Situacion.DANADA:
                # Puede ser esta copia la que se dañó: se vuelve a leer del disco, que comprueba su huella.
                self._abierta = ("", b"")
                propia.danadas, propia.faltan = propia.danadas + 1, None
                self._que_falta(propia, (), ahora)
            case Situacion.PARCIAL:
                self._que_falta(propia, imagen.rangos, ahora)

    def _que_falta(self, propia: _EnCurso, rangos: Sequence[tuple[int, int]], ahora: float) -> None:
        tiene = {n for desde, hasta in rangos for n in range(desde // MAXIMO_DATOS, -(-hasta // MAXIMO_DATOS))}
        avanzo = bool(propia.sin_recibo & tiene) or propia.faltan is None
        if propia.faltan is None:
            propia.faltan, propia.sin_recibo = [n for n in range(cuantos(propia.total)) if n not in tiene], set()
        else:
            propia.faltan = [n for n in propia.faltan if n not in tiene]
            propia.sin_recibo -= tiene
        propia.movida = ahora
        if avanzo:
            propia.rto_s = self._rto_s

    def _perder(self, sha256: str, ahora: float) -> None:
        self._libro.imagen_perdida(sha256)
        self._dejar(sha256, ahora)

    def _dejar(self, sha256: str, ahora: float) -> None:
        self._quitar(sha256)
        self._despues[sha256] = ahora + self._lento_s * self._azar.uniform(0.8, 1.2)

    def _quitar(self, sha256: str) -> None:
        self._en_curso.pop(sha256, None)
        if self._abierta[0] == sha256:
            self._abierta = ("", b"")
