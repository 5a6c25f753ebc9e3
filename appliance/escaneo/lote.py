"""El lote en curso: corre la digitalización en un hilo y deja mirarla y cancelarla sin esperar.

Una falla se queda a la vista hasta que una persona la reconoce, y mientras no se empieza otro lote: quien vuelve a la
pantalla debe enterarse de que una hoja no salió.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from threading import Lock, Thread
from typing import Final

from appliance.consola import decir
from appliance.escaneo.motivo import Motivo
from appliance.escaneo.puerto import Ajustes, Escaner, FinDeLote, HojaLista
from appliance.falla import Falla
from nucleo.problema import Rechazo

_DEFECTO: Final = Rechazo(
    "DEFECTO",
    "El lote se detuvo por un defecto del programa",
    "es un error nuestro; lo ya digitalizado está guardado",
    "reconozca este aviso y digitalice otra vez; avise al área técnica",
)


@dataclass(frozen=True, slots=True)
class EstadoDeLote:
    """Lo que se ve desde la pantalla. `empezo` y `ultima` son segundos del reloj monotónico."""

    corriendo: bool = False
    cancelando: bool = False
    hojas: tuple[HojaLista, ...] = ()
    fin: FinDeLote | None = None
    """Cómo terminó el último lote; `None` mientras corre o si no ha habido."""
    falla: Rechazo | None = None
    """La última que nadie ha reconocido."""
    empezo: float = 0.0
    ultima: float = 0.0

    @property
    def motivo(self) -> Motivo | None:
        return None if self.fin is None else self.fin.motivo


class LoteEnCurso:
    """Uno por escáner. Sus métodos se pueden llamar de varios hilos y ninguno espera al aparato.

    Args:
        al_hoja: se llama en el hilo del lote con cada hoja, antes de pedir la siguiente. Si levanta `Falla`, el lote
            se detiene con esas palabras; la hoja sigue en su carpeta.
        al_fin: se llama en el mismo hilo al terminar.
    """

    def __init__(
        self,
        escaner: Escaner,
        *,
        al_hoja: Callable[[HojaLista], None] = lambda _: None,
        al_fin: Callable[[FinDeLote], None] = lambda _: None,
        monotonico: Callable[[], float] = time.monotonic,
        decir: Callable[[str], None] = decir,
    ) -> None:
        self._escaner = escaner
        self._al_hoja = al_hoja
        self._al_fin = al_fin
        self._monotonico = monotonico
        self._decir = decir
        self._candado = Lock()
        self._estado = EstadoDeLote()
        self._hilo: Thread | None = None

    def estado(self) -> EstadoDeLote:
        """Cómo va, sin esperar."""
        with self._candado:
            return self._estado

    def empezar(
        self,
        ajustes: Ajustes,
        carpeta: Path,
        *,
        al_hoja: Callable[[HojaLista], None] | None = None,
        al_fin: Callable[[FinDeLote], None] | None = None,
    ) -> Rechazo | None:
        """Arranca un lote en `carpeta`, que ya existe, o dice por qué no. Lo que se dé aquí vale para este lote."""
        with self._candado:
            if self._estado.corriendo:
                return Rechazo(
                    "LOTE_EN_CURSO",
                    "Ya hay un lote digitalizándose en este escáner",
                    "lo empezó otra pantalla, o el botón se tocó dos veces",
                    "espere a que termine o cancélelo",
                )
            if self._estado.falla is not None:
                return Rechazo(
                    "FALLA_SIN_RECONOCER",
                    f"Falta reconocer el aviso anterior: {self._estado.falla.que}",
                    "el lote pasado no terminó bien y una hoja pudo no salir",
                    "lea el aviso, atiéndalo y tóquelo para reconocerlo",
                )
            self._estado = EstadoDeLote(corriendo=True, empezo=self._monotonico(), ultima=self._monotonico())
            # Se llama aquí para que un «cancelar» que llegue antes que el hilo ya sea de este lote.
            pasos = self._escaner.digitalizar(ajustes, carpeta)
            self._hilo = Thread(
                target=self._correr,
                args=(pasos, al_hoja or self._al_hoja, al_fin or self._al_fin),
                name="lote-de-escaneo",
                daemon=True,
            )
            self._hilo.start()
        return None

    def cancelar(self) -> None:
        """Pide terminar. No espera y se puede repetir."""
        with self._candado:
            if not self._estado.corriendo:
                return
            self._estado = replace(self._estado, cancelando=True)
        self._escaner.cancelar()

    def reconocer(self) -> Rechazo | None:
        """Alguien leyó la falla: la quita de la vista y la devuelve; `None` si no había."""
        with self._candado:
            falla = self._estado.falla
            self._estado = replace(self._estado, falla=None)
            return falla

    def esperar(self, plazo_s: float) -> bool:
        """Verdadero si no hay lote corriendo, o terminó antes del plazo. Para cerrar el programa."""
        hilo = self._hilo
        if hilo is not None:
            hilo.join(plazo_s)
        return not self.estado().corriendo

    def _correr(
        self,
        pasos: Iterator[HojaLista | FinDeLote],
        al_hoja: Callable[[HojaLista], None],
        al_fin: Callable[[FinDeLote], None],
    ) -> None:
        fin: FinDeLote | None = None
        ajena: Rechazo | None = None
        try:
            for paso in pasos:
                if isinstance(paso, FinDeLote):
                    fin = paso
                    break
                ajena = ajena or self._sin_caerse(partial(al_hoja, paso))
                with self._candado:
                    hojas = (*self._estado.hojas, paso)
                    self._estado = replace(self._estado, hojas=hojas, ultima=self._monotonico())
                if ajena is not None:
                    self._escaner.cancelar()
        except Exception as error:
            self._decir(f"escáner: defecto al digitalizar ({error!r})")
            ajena = ajena or _DEFECTO
        if fin is None:
            fin = FinDeLote(len(self.estado().hojas), Motivo.DESCONOCIDO, ajena or _DEFECTO)
        elif ajena is not None:
            fin = replace(fin, falla=ajena)
        tarde = self._sin_caerse(partial(al_fin, fin))
        with self._candado:
            self._estado = replace(
                self._estado,
                corriendo=False,
                cancelando=False,
                fin=fin,
                falla=fin.falla or tarde,
                ultima=self._monotonico(),
            )

    def _sin_caerse(self, accion: Callable[[], None]) -> Rechazo | None:
        try:
            accion()
        except Falla as falla:
            return falla.rechazo
        except Exception as error:
            self._decir(f"escáner: defecto al registrar una hoja ({error!r})")
            return _DEFECTO
        return None
