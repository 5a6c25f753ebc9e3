"""La copia de una mochila mientras corre: en su hilo, para que una memoria lenta no detenga a las demás pantallas."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from datetime import datetime
from threading import Lock, Thread

from appliance.almacen import Almacen
from appliance.falla import Falla
from appliance.mochila import Comprobante
from nucleo.problema import Rechazo


class CopiaEnCurso:
    """Una a la vez. El resultado se queda hasta que empiece otra."""

    def __init__(self, almacen: Almacen) -> None:
        self._almacen = almacen
        self._candado = Lock()
        self._hilo: Thread | None = None
        self.resultado: Comprobante | Rechazo | None = None
        self.impreso: str = ""
        """Ruta del comprobante en PDF, si ya lo hay."""

    @property
    def corriendo(self) -> bool:
        hilo = self._hilo
        return hilo is not None and hilo.is_alive()

    def empezar(
        self,
        copiar: Callable[[], Comprobante | Rechazo],
        imprimir: Callable[[Comprobante], str],
        persona: str,
        ahora: Callable[[], datetime],
    ) -> Rechazo | None:
        """Arranca la copia, o dice por qué no.

        Args:
            copiar: hace la mochila. imprimir: el comprobante; devuelve la ruta del PDF.
        """
        with self._candado:
            if self.corriendo:
                return Rechazo(
                    "COPIANDO",
                    "Ya se está copiando una mochila",
                    "se tocó dos veces, o la pidió otra persona",
                    "espere a que termine y no quite la memoria",
                )
            self.resultado, self.impreso = None, ""

            def correr() -> None:
                try:
                    hecha = copiar()
                    if isinstance(hecha, Comprobante):
                        self._anotar_hecha(hecha, persona, ahora())
                        # Se comprobó en la memoria: que falle la impresora no la vuelve una copia fallida.
                        with contextlib.suppress(Exception):
                            self.impreso = imprimir(hecha)
                except Falla as falla:
                    hecha = falla.rechazo
                except Exception as error:
                    hecha = Rechazo(
                        "DEFECTO",
                        f"La copia no terminó ({type(error).__name__})",
                        "una falla del programa",
                        "repita; en el kiosco no cambió nada",
                    )
                if isinstance(hecha, Rechazo):
                    self._anotar_fallida(hecha, persona, ahora())
                self.resultado = hecha

            self._hilo = Thread(target=correr, name="mochila", daemon=True)
            self._hilo.start()
        return None

    def esperar(self, segundos: float) -> None:
        """Hasta que termine, o ese tiempo."""
        if self._hilo is not None:
            self._hilo.join(segundos)

    def _anotar_hecha(self, hecha: Comprobante, persona: str, hora: datetime) -> None:
        detalle = f"{hecha.carpeta}: {hecha.sobres} sobres, {hecha.imagenes} imágenes, {hecha.huella[:16]}"
        with self._almacen.transaccion() as t:
            t.anotar(hora, "mochila_exportada", persona=persona, detalle=detalle)

    def _anotar_fallida(self, rechazo: Rechazo, persona: str, hora: datetime) -> None:
        try:
            with self._almacen.transaccion() as t:
                t.anotar(hora, "mochila_fallida", persona=persona, detalle=rechazo.codigo)
        except Falla:
            # Sin disco para anotarlo, la pantalla aún dice por qué no se copió.
            return
