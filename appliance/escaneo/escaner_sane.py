"""El escáner por SANE: cada lote es un `scanimage` aparte, al que se le pide una hoja a la vez.

Pedirlas de una en una (`--batch-prompt`) hace que el papel espere en la charola mientras la hoja anterior no esté en el
disco: si el kiosco muere, cuando mucho hay una hoja en el camino.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event, Lock
from typing import Final

from appliance import durable
from appliance.escaneo.avance import Avance
from appliance.escaneo.hoja_completa import esta_entera, hacer_durable
from appliance.escaneo.motivo import Desenlace, Motivo, hojas_a_medias, motivo_de, palabras
from appliance.escaneo.orden import FORMATO, nombre_de_hoja, nombre_valido, orden_de_lote, una_hoja
from appliance.escaneo.proceso import Proceso, correr
from appliance.escaneo.puerto import Ajustes, FinDeLote, HojaLista
from nucleo.problema import Rechazo

TOPE_HOJA: Final = 256 * 2**20
"""Bytes: doble carta en color a 600 ppp son 202 MiB."""
ESPACIO_MINIMO: Final = 128 * 2**20
"""Con menos disco libre no se toma papel: la imagen oficial y el almacén también necesitan lugar."""
MAXIMO_ESCANERES: Final = 32
TOPE_HOJA_VECES: Final = 5
"""Una hoja que avanza gota a gota se da por trabada a este número de plazos."""

_PLAZO_LISTA_S: Final = 15.0
_PASO_S: Final = 0.1
_TEMPORAL: Final = ".escaneo-"
_HOJA: Final = re.compile(r"hoja-([0-9]{6})\..*")

Explicador = Callable[[Motivo, int, str], Rechazo | None]
"""(motivo, estado de SANE, lo que se dijo) → las palabras del perfil del modelo, o `None` para las de la casa."""


class EscanerSane:
    """Los escáneres de SANE en esta máquina; un lote a la vez.

    Args:
        configuracion: `SANE_CONFIG_DIR`; `None` usa la de la máquina.
        explicador: las palabras del modelo.
        orden: el programa; se busca en el `PATH`.
        espacio_minimo: bytes libres sin los que no se toma papel.
        tope_hoja: bytes que puede medir una hoja.
    """

    def __init__(
        self,
        configuracion: Path | None = None,
        *,
        explicador: Explicador | None = None,
        orden: str = "scanimage",
        espacio_minimo: int = ESPACIO_MINIMO,
        tope_hoja: int = TOPE_HOJA,
    ) -> None:
        # LC_ALL=C: lo que se lee de scanimage son palabras, y cambian con el idioma.
        self._entorno = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "HOME": "/nonexistent"}
        if configuracion is not None:
            self._entorno["SANE_CONFIG_DIR"] = str(configuracion)
        self._explicador = explicador
        self._orden = orden
        self._espacio_minimo = espacio_minimo
        self._tope_hoja = tope_hoja
        self._en_uso = Lock()
        self._cancelar = Event()
        self._vistos: tuple[str, ...] = ()
        self._atorado: Proceso | None = None

    def presentes(self) -> tuple[str, ...] | Rechazo:
        # Preguntar abre los aparatos: a media hoja algunos controladores pierden el lote.
        if not self._en_uso.acquire(blocking=False):
            return self._vistos
        try:
            programa = shutil.which(self._orden)
            if programa is None:
                return _sin_sane()
            dicho = correr([programa, "-f", "%d%n"], Path("/"), self._entorno, _PLAZO_LISTA_S)
        except OSError as error:
            return _no_arranco(error)
        finally:
            self._en_uso.release()
        if dicho is None:
            return Rechazo(
                "TIEMPO",
                f"No se pudo saber qué escáneres hay: no contestaron en {_PLAZO_LISTA_S:.0f} segundos",
                "un escáner está trabado o despertando",
                "apáguelo, enciéndalo, espere diez segundos y repita",
            )
        renglones = dicho[1].decode("utf-8", "replace").splitlines()
        self._vistos = tuple(r for r in renglones if nombre_valido(r))[:MAXIMO_ESCANERES]
        return self._vistos

    def cancelar(self) -> None:
        self._cancelar.set()

    def digitalizar(self, ajustes: Ajustes, carpeta: Path) -> Iterator[HojaLista | FinDeLote]:
        # Aquí y no al pedir la primera hoja: lo que se cancele desde que esto regresa es de este lote. Si hay otro
        # corriendo, su aviso de cancelar no se toca.
        if not self._en_uso.locked():
            self._cancelar = Event()
        return self._si_esta_libre(ajustes, carpeta, self._cancelar)

    def _si_esta_libre(self, ajustes: Ajustes, carpeta: Path, cancelar: Event) -> Iterator[HojaLista | FinDeLote]:
        if not self._en_uso.acquire(blocking=False):
            yield _fin(Motivo.OCUPADO)
            return
        try:
            self._cancelar = cancelar
            yield from self._digitalizar(ajustes, carpeta)
        finally:
            self._en_uso.release()

    def _digitalizar(self, ajustes: Ajustes, carpeta: Path) -> Iterator[HojaLista | FinDeLote]:
        if not ajustes.dispositivo:
            yield _fin(Motivo.SIN_ESCANER)
            return
        orden = orden_de_lote(ajustes)
        programa = shutil.which(self._orden)
        if isinstance(orden, Rechazo):
            yield FinDeLote(0, Motivo.OPCION_NO_ADMITIDA, orden)
        elif programa is None:
            yield FinDeLote(0, Motivo.DESCONOCIDO, _sin_sane())
        elif self._atorado is not None and self._atorado.codigo is None:
            yield _fin(Motivo.OCUPADO)
        else:
            yield from self._con_temporal([programa, *orden[1:]], ajustes, carpeta)

    def _con_temporal(self, orden: list[str], ajustes: Ajustes, carpeta: Path) -> Iterator[HojaLista | FinDeLote]:
        try:
            if self._sin_espacio(carpeta):
                yield _fin(Motivo.DISCO_LLENO)
                return
            base = _ultimo_numero(carpeta)
            temporal = Path(tempfile.mkdtemp(prefix=_TEMPORAL, dir=carpeta))
        except OSError as error:
            yield _por_disco(error, 0, 0)
            return
        try:
            # Sin lo que airscan cuenta no se sabría que tiró una hoja que ya había salido (`Desenlace`). Sólo en un
            # lote: lo cuenta en la misma salida donde `presentes` lee los nombres.
            entorno = {**self._entorno, "SANE_DEBUG_AIRSCAN": "1", **dict(ajustes.entorno)}
            proceso = Proceso(orden, temporal, entorno, self._tope_hoja)
        except OSError as error:
            shutil.rmtree(temporal, ignore_errors=True)
            yield FinDeLote(0, Motivo.DESCONOCIDO, _no_arranco(error))
            return
        lote = _Lote(proceso, temporal, carpeta, base, una_hoja(ajustes))
        try:
            yield from self._hojas(lote, ajustes)
        finally:
            # También cuando quien llama cierra el generador a medio lote.
            if not proceso.terminar():
                self._atorado = proceso
            proceso.cerrar()
            shutil.rmtree(temporal, ignore_errors=True)

    def _hojas(self, lote: _Lote, ajustes: Ajustes) -> Iterator[HojaLista | FinDeLote]:
        propio: Motivo | None = None
        while propio is None:
            propio = self._esperar(lote, ajustes.plazo_hoja_s)
            try:
                lista = lote.recoger()
            except OSError as error:
                lote.proceso.terminar()
                yield _por_disco(error, lote.hojas, 1)
                return
            if lista is not None:
                yield lista
            if propio is not None or lote.proceso.codigo is not None:
                break
            propio = self._antes_de_pedir(lote)
            if propio is None:
                lote.pedir()
        if propio is not None:
            lote.proceso.terminar()
        lote.oir_el_final()
        yield self._fin_de(lote, propio)

    def _antes_de_pedir(self, lote: _Lote) -> Motivo | None:
        if self._cancelar.is_set():
            return Motivo.CANCELADO
        if lote.incompleta:
            return Motivo.HOJA_INCOMPLETA
        return Motivo.DISCO_LLENO if self._sin_espacio(lote.carpeta) else None

    def _esperar(self, lote: _Lote, plazo_s: float) -> Motivo | None:
        """Hasta que pida la hoja siguiente o termine; si no, por qué se le dejó de esperar."""
        inicio = movio = time.monotonic()
        marca = lote.marca()
        while not lote.avance.espera:
            if self._cancelar.is_set():
                return Motivo.CANCELADO
            if not lote.oir(_PASO_S) and lote.proceso.esperar(_PASO_S):
                return None
            ahora = time.monotonic()
            if (nueva := lote.marca()) != marca:
                marca, movio = nueva, ahora
            if ahora - movio > plazo_s or ahora - inicio > plazo_s * TOPE_HOJA_VECES:
                return Motivo.TIEMPO
        return None

    def _fin_de(self, lote: _Lote, propio: Motivo | None) -> FinDeLote:
        fin = lote.desenlace()
        motivo = propio or motivo_de(fin)
        if propio is None and lote.incompleta:
            motivo = Motivo.HOJA_INCOMPLETA
        # scanimage no dice que se acabó el disco: deja la hoja cortada, o el tope del sistema lo mata.
        if motivo in (Motivo.HOJA_INCOMPLETA, Motivo.CONTROLADOR_MUERTO) and (
            self._sin_espacio(lote.carpeta) or fin.salida == -signal.SIGXFSZ
        ):
            motivo = Motivo.DISCO_LLENO
        a_medias = max(hojas_a_medias(motivo, fin), int(lote.incompleta))
        bien = motivo in (Motivo.COMPLETO, Motivo.SIN_PAPEL) and lote.hojas > 0
        if bien or (motivo is Motivo.CANCELADO and a_medias == 0):
            return FinDeLote(lote.hojas, motivo, None, a_medias)
        dicha = self._explicador(motivo, fin.estado, fin.dicho) if self._explicador is not None else None
        return FinDeLote(lote.hojas, motivo, dicha or palabras(motivo), a_medias)

    def _sin_espacio(self, carpeta: Path) -> bool:
        disco = os.statvfs(carpeta)
        return disco.f_bavail * disco.f_frsize < self._espacio_minimo


class _Lote:
    """Un `scanimage` corriendo y las hojas que va dejando."""

    def __init__(self, proceso: Proceso, temporal: Path, carpeta: Path, base: int, una_hoja: bool) -> None:
        self.proceso = proceso
        self.carpeta = carpeta
        self.avance = Avance()
        self.hojas = 0
        self.incompleta = False
        self._temporal = temporal
        self._base = base
        self._una_hoja = una_hoja

    def oir(self, espera_s: float) -> bool:
        return self.proceso.oir(espera_s, self.avance.salida, self.avance.errores)

    def oir_el_final(self) -> None:
        limite = time.monotonic() + 1
        while time.monotonic() < limite and self.oir(_PASO_S):
            pass
        self.proceso.esperar(1)
        self.avance.cerrar()

    def marca(self) -> tuple[int, int]:
        """Cambia cuando avanza: lo que dijo o lo que pesa lo escrito."""
        peso = 0
        with contextlib.suppress(OSError):
            peso = sum(r.stat().st_size for r in self._temporal.iterdir())
        return self.avance.marca, peso

    def pedir(self) -> None:
        self.avance.pedida()
        self.proceso.decir(b"\n")

    def recoger(self) -> HojaLista | None:
        """La hoja que acaba de dejar, ya durable y con su nombre. Raises: OSError."""
        hecha = self._temporal / nombre_de_hoja(self.hojas + 1)
        if not hecha.exists():
            return None
        if not esta_entera(hecha):
            self.incompleta = True
            return None
        numero = self._base + self.hojas + 1
        destino = self.carpeta / f"hoja-{numero:06d}.{FORMATO}"
        hacer_durable(hecha, destino)
        self.hojas += 1
        self.avance.pagina_abierta = False
        return HojaLista(numero, destino)

    def desenlace(self) -> Desenlace:
        codigo = self.proceso.codigo
        return Desenlace(
            codigo if codigo is not None else 0,
            self.avance.dicho,
            hojas=self.hojas,
            pagina_abierta=self.avance.pagina_abierta,
            avanzo=self.avance.avanzo,
            una_hoja=self._una_hoja,
        )


def _ultimo_numero(carpeta: Path) -> int:
    """El de la última hoja que ya hay ahí: nunca se pisa. Raises: OSError."""
    return max((int(m[1]) for r in carpeta.iterdir() if (m := _HOJA.fullmatch(r.name))), default=0)


def _fin(motivo: Motivo, hojas: int = 0) -> FinDeLote:
    return FinDeLote(hojas, motivo, palabras(motivo))


def _por_disco(error: OSError, hojas: int, a_medias: int) -> FinDeLote:
    if durable.disco_lleno(error):
        return FinDeLote(hojas, Motivo.DISCO_LLENO, palabras(Motivo.DISCO_LLENO), a_medias)
    falla = Rechazo(
        "DISCO",
        f"No se guardó la hoja ({error.strerror})",
        "la carpeta del kiosco es de otra cuenta, o el disco está desconectado o dañado",
        "aparte el papel y llame al área técnica; lo ya digitalizado está guardado",
    )
    return FinDeLote(hojas, Motivo.HOJA_INCOMPLETA, falla, a_medias)


def _sin_sane() -> Rechazo:
    return Rechazo(
        "SIN_SANE",
        "Este kiosco no puede digitalizar",
        "falta el paquete sane-utils",
        "llame al área técnica; mientras, use otro kiosco",
    )


def _no_arranco(error: OSError) -> Rechazo:
    return Rechazo(
        "NO_ARRANCO",
        f"No se pudo arrancar el programa del escáner ({error.strerror})",
        "el equipo se quedó sin memoria o su instalación está incompleta",
        "repita; si vuelve a fallar, reinicie el kiosco",
    )
