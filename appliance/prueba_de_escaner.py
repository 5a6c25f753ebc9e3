"""Pasar una hoja en blanco por el escáner del puesto y ver si sale limpia. La imagen no se guarda: no es de un acta."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from threading import Lock, Thread
from typing import Final

from appliance.escaneo.puerto import Ajustes, Escaner, HojaLista
from appliance.hoja_en_blanco import Blancura, mirar
from nucleo.problema import Rechazo

Fuente = Callable[[], tuple[Escaner, Ajustes] | Rechazo]
"""El escáner de ahora y con qué opciones, o por qué no hay."""

_SIN_HOJA: Final = Rechazo(
    "SIN_HOJA",
    "El escáner no entregó la hoja en blanco",
    "no tenía papel, o no la jaló",
    "ponga una hoja en blanco y pruebe otra vez",
)
_ILEGIBLE: Final = Rechazo(
    "ILEGIBLE",
    "Lo que entregó el escáner no es una imagen que se pueda mirar",
    "el controlador falló, o las opciones del modelo no son las suyas",
    "pruebe otra vez; si se repite, llame al área técnica",
)
_OCUPADO: Final = Rechazo(
    "OCUPADO",
    "El escáner ya está pasando una hoja",
    "se tocó dos veces",
    "espere a que termine",
)


def probar(fuente: Fuente, carpeta: Path) -> Blancura | Rechazo:
    """Digitaliza una hoja y la mira. Puede tardar lo que tarde el escáner.

    Args:
        carpeta: donde se deja el archivo mientras se mira; se borra al terminar.
    """
    hallado = fuente()
    if isinstance(hallado, Rechazo):
        return hallado
    escaner, ajustes = hallado
    resultado: Blancura | Rechazo = _SIN_HOJA
    try:
        with tempfile.TemporaryDirectory(prefix=".hoja-en-blanco-", dir=carpeta) as temporal:
            for novedad in escaner.digitalizar(replace(ajustes, una_hoja=True), Path(temporal)):
                if isinstance(novedad, HojaLista):
                    resultado = mirar(novedad.ruta.read_bytes()) or _ILEGIBLE
                elif resultado is _SIN_HOJA and novedad.falla is not None:
                    resultado = novedad.falla
    except OSError as error:
        return Rechazo(
            "DISCO",
            f"No se pudo guardar la hoja de prueba ({error.strerror})",
            "el disco está lleno o falla",
            "llame al área técnica",
        )
    return resultado


class PruebaDeEscaner:
    """La prueba en su hilo; el resultado se queda hasta la siguiente."""

    def __init__(self, fuente: Fuente, carpeta: Path) -> None:
        self._fuente = fuente
        self._carpeta = carpeta
        self._candado = Lock()
        self._hilo: Thread | None = None
        self.resultado: Blancura | Rechazo | None = None

    @property
    def corriendo(self) -> bool:
        hilo = self._hilo
        return hilo is not None and hilo.is_alive()

    def empezar(self) -> Rechazo | None:
        """Arranca la prueba, o dice por qué no."""
        with self._candado:
            if self.corriendo:
                return _OCUPADO
            self.resultado = None
            self._hilo = Thread(target=self._correr, name="hoja-en-blanco", daemon=True)
            self._hilo.start()
        return None

    def esperar(self, segundos: float) -> None:
        """Hasta que termine, o ese tiempo."""
        if self._hilo is not None:
            self._hilo.join(segundos)

    def _correr(self) -> None:
        try:
            self.resultado = probar(self._fuente, self._carpeta)
        except Exception as error:
            # El hilo no tiene a quién decírselo: que lo diga la página.
            self.resultado = Rechazo(
                "DEFECTO",
                f"La prueba del escáner no terminó ({type(error).__name__})",
                "una falla del programa",
                "pruebe otra vez; si se repite, llame al área técnica",
            )
