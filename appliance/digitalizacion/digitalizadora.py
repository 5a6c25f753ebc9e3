"""Los dos hilos de la digitalización: el que recibe hojas del aparato y el que las mira una por una.

Ninguno detiene a la pantalla, y el tropiezo de uno no detiene al otro: con el disco lleno el escáner deja de jalar
papel, lo que ya entró espera en su carpeta y se retoma solo en cuanto se puede escribir.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

from appliance.digitalizacion.cadena import Cadena
from appliance.digitalizacion.fotos import Importacion, Memoria, Memorias, importar
from appliance.digitalizacion.hoja import Lote
from appliance.digitalizacion.marcha import Marcha
from appliance.escaneo.puerto import Ajustes, Escaner, FinDeLote, HojaLista
from appliance.falla import Falla
from nucleo.acta import Digitalizacion
from nucleo.problema import Rechazo

_REGISTRO: Final = logging.getLogger("kiosco")

_DESCANSO_S: Final = 2.0
_TRAS_TROPIEZO_S: Final = 3.0

Fuente = Callable[[], tuple[Escaner, Ajustes] | Rechazo]
"""El escáner que hay ahora y con qué opciones, o por qué no hay. Se pregunta cada segundo: debe ser rápida."""

_OCUPADA: Final = Rechazo(
    "OCUPADA",
    "Ya se está digitalizando un lote",
    "alguien tocó «Digitalizar» en otra pantalla o se están copiando fotografías",
    "espere a que termine o toque «Detener»",
)
_INESPERADO: Final = Rechazo(
    "INESPERADO",
    "Una hoja no se pudo procesar",
    "una falla del programa; quedó anotada",
    "siga con las demás: se vuelve a intentar sola. Si no sale, llame al área técnica y no tire el papel",
)


class Digitalizadora:
    """La digitalización de un kiosco. `arrancar` y `cerrar` una vez cada uno; lo demás, de cualquier hilo."""

    def __init__(self, cadena: Cadena, fuente: Fuente, memorias: Memorias) -> None:
        self.cadena = cadena
        self.memorias = memorias
        self._fuente = fuente
        self._candado = threading.Lock()
        self._hilo_lote: threading.Thread | None = None
        self._hilo_vista: threading.Thread | None = None
        self._escaner: Escaner | None = None
        self._deteniendo = False
        self._por_cerrar: list[Callable[[], None]] = []
        self._sin_renglon = False
        self._tropiezo: Rechazo | None = None
        self._importacion: Importacion | Rechazo | None = None
        self._hay = threading.Event()
        self._fin = threading.Event()

    # ---------------------------------------------------------------------------------------------------------- mandos

    def arrancar(self) -> None:
        """Empieza a mirar hojas, primero las que quedaron de antes. Raises: Falla, si otro kiosco usa la carpeta."""
        self.cadena.entrada.tomar()
        self._hilo_vista = threading.Thread(target=self._mirar_siempre, name="hojas", daemon=True)
        self._hilo_vista.start()

    def cerrar(self, plazo_s: float = 10.0) -> None:
        """Detiene el aparato y los hilos; lo que no alcanzó se retoma al arrancar."""
        self.detener()
        self._fin.set()
        self._hay.set()
        for hilo in (self._hilo_lote, self._hilo_vista):
            if hilo is not None:
                hilo.join(plazo_s)
        # Un hilo que no se fue todavía puede escribir: la carpeta se suelta sola al morir el proceso.
        if not any(hilo is not None and hilo.is_alive() for hilo in (self._hilo_lote, self._hilo_vista)):
            self.cadena.entrada.soltar()

    def escaner(self) -> tuple[Escaner, Ajustes] | Rechazo:
        """El escáner que se usaría ahora, o por qué no hay."""
        return self._fuente()

    def marcha(self) -> Marcha:
        with self._candado:
            corriendo = self._corre()
            return Marcha(corriendo, corriendo and self._deteniendo, self._tropiezo, self._importacion)

    def digitalizar(self, persona: str) -> Lote | Rechazo:
        """Empieza un lote con lo que haya en la charola; vuelve enseguida."""
        with self._candado:
            if self._corre():
                return _OCUPADA
            fuente = self._fuente()
            if isinstance(fuente, Rechazo):
                return fuente
            escaner, ajustes = fuente
            try:
                lote, carpeta = self.cadena.abrir_lote(persona, Digitalizacion.ESCANER)
            except Falla as falla:
                return falla.rechazo
            self._escaner = escaner
            self._empezar(lambda: self._pasar_hojas(escaner, ajustes, lote, carpeta))
            return lote

    def importar(self, clave: str, persona: str) -> Memoria | Rechazo:
        """Empieza a copiar las fotografías de esa memoria; vuelve enseguida."""
        with self._candado:
            if self._corre():
                return _OCUPADA
            memoria = self.memorias.memoria(clave)
            if isinstance(memoria, Memoria):
                self._importacion = None
                self._empezar(lambda: self._copiar(memoria, persona))
            return memoria

    def detener(self) -> None:
        """Pide al aparato que no jale más hojas; la que va a la mitad no cuenta."""
        with self._candado:
            if not self._corre() or self._deteniendo:
                return
            self._deteniendo, escaner = True, self._escaner
        if escaner is not None:
            escaner.cancelar()

    def avisar(self) -> None:
        """Hay algo nuevo que mirar: no esperar al descanso."""
        self._hay.set()

    def _corre(self) -> bool:
        return self._hilo_lote is not None and self._hilo_lote.is_alive()

    def _empezar(self, tarea: Callable[[], None]) -> None:
        self._deteniendo = False
        self._hilo_lote = threading.Thread(target=tarea, name="lote", daemon=True)
        self._hilo_lote.start()

    # ----------------------------------------------------------------------------------------------------- recibe hojas

    def _pasar_hojas(self, escaner: Escaner, ajustes: Ajustes, lote: Lote, carpeta: Path) -> None:
        recibidas = 0
        fin: FinDeLote | None = None
        falla: Rechazo | None = None
        try:
            for novedad in escaner.digitalizar(ajustes, carpeta):
                if isinstance(novedad, FinDeLote):
                    fin = novedad
                    break
                recibidas += 1
                if falla is None:
                    falla = self._recibir(lote, novedad)
                    if falla is not None:
                        # Sin dónde guardar no se jala más papel; lo que ya entró se retoma de su carpeta.
                        escaner.cancelar()
                if self._deteniendo:
                    # Detener justo antes de que el aparato empezara no lo oyó nadie: se repite.
                    escaner.cancelar()
        except Exception:
            _REGISTRO.exception("tropiezo al digitalizar el lote %s", lote.lote)
            falla = falla or _INESPERADO
        finally:
            self._escaner = None
        entraron, a_medias, motivo = recibidas, 0, "desconocido"
        if fin is not None:
            a_medias, motivo = fin.a_medias, fin.motivo
            entraron = max(recibidas, fin.hojas) + a_medias
            falla = falla or fin.falla
        self._cerrar_lote(lambda: self._asentar_fin(lote, entraron, a_medias, motivo, falla))

    def _asentar_fin(self, lote: Lote, entraron: int, a_medias: int, fin: str, falla: Rechazo | None) -> None:
        self.cadena.cerrar_lote(lote, entraron=entraron, a_medias=a_medias, fin=fin, falla=falla)

    def _recibir(self, lote: Lote, hoja: HojaLista) -> Rechazo | None:
        try:
            self.cadena.recibir(lote, hoja.numero, hoja.ruta)
        except Falla as falla:
            self._sin_renglon = True
            return falla.rechazo
        self._hay.set()
        return None

    def _copiar(self, memoria: Memoria, persona: str) -> None:
        self._importacion = importar(self.cadena, memoria, persona, self._cerrar_lote)
        # Si el disco dejó escribir una fotografía y no su renglón, no espera al siguiente arranque.
        self._sin_renglon = True
        self._hay.set()

    def _cerrar_lote(self, cerrar: Callable[[], None]) -> None:
        try:
            cerrar()
        except Falla as falla:
            # El disco no dejó: se intenta otra vez al rato; si se apaga antes, al arrancar se dice «interrumpido».
            self._por_cerrar.append(cerrar)
            self._tropiezo = falla.rechazo
        self._hay.set()

    # ------------------------------------------------------------------------------------------------------- mira hojas

    def _mirar_siempre(self) -> None:
        arrancado, recogido, saltada = False, False, 0
        while not self._fin.is_set():
            self._hay.clear()
            hoja = None
            try:
                if not arrancado:
                    self.cadena.retomar()
                    arrancado = True
                self._reponerse()
                hoja = self.cadena.siguiente(saltada)
                if hoja is not None:
                    self.cadena.avanzar(hoja)
                elif not recogido and saltada == 0:
                    # Ya sin hojas a medias: lo que nadie nombre es de verdad suelto.
                    self.cadena.recoger_sueltas()
                    recogido = True
                self._tropiezo = None if saltada == 0 else self._tropiezo
            except Falla as falla:
                self._tropiezo = falla.rechazo
                self._fin.wait(_TRAS_TROPIEZO_S)
            except Exception:
                _REGISTRO.exception("tropiezo con la hoja %s", hoja.hoja if hoja else "ninguna")
                self._tropiezo = _INESPERADO
                # Una hoja que tumba al programa no detiene a las demás: se salta y se vuelve a intentar al final.
                saltada = hoja.hoja if hoja else saltada
                self._fin.wait(_TRAS_TROPIEZO_S)
            else:
                if hoja is None:
                    if saltada == 0:
                        self._hay.wait(_DESCANSO_S)
                    else:
                        self._fin.wait(_TRAS_TROPIEZO_S)
                    saltada = 0

    def _reponerse(self) -> None:
        while self._por_cerrar:
            self._por_cerrar[0]()
            self._por_cerrar.pop(0)
        if self._sin_renglon:
            self._sin_renglon = False
            try:
                self.cadena.dar_renglones()
            except Falla:
                self._sin_renglon = True
                raise
