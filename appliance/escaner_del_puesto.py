"""Cuál es el escáner de este puesto ahora mismo: lo que ve udev, el nombre que le da SANE y el perfil de su modelo.

Preguntarle a SANE tarda segundos, así que se hace en un hilo cada vez que cambia lo conectado, y otra vez cada pocos
segundos mientras SANE no lo vea; contestar a la pantalla es mirar la última respuesta.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from appliance.dispositivos.bus import Dispositivo
from appliance.dispositivos.inventario import Diferencia, Foto
from appliance.dispositivos.perfil import Clase, Perfil
from appliance.dispositivos.perfiles import Perfiles, entorno_sane, explicar_lote, opciones_sane
from appliance.escaneo.motivo import Motivo
from appliance.escaneo.puerto import Ajustes, Escaner
from appliance.falla import Falla
from nucleo.problema import Rechazo

_SIN_ESCANER: Final = Rechazo(
    "SIN_ESCANER",
    "No hay escáner conectado",
    "está apagado, o su cable USB se soltó",
    "enciéndalo y revise sus dos cables; mientras, puede copiar fotografías de una memoria USB",
)
_DESPERTANDO: Final = Rechazo(
    "ESCANER_DESPERTANDO",
    "El escáner está conectado y aún no contesta",
    "se está encendiendo",
    "espere unos segundos; si sigue así, apáguelo y enciéndalo",
)

INSISTE_S: Final = 5.0
"""Un escáner tarda hasta medio minuto en despertar, y udev lo ve desde el primer segundo."""

_MOTIVOS: Final = frozenset(m.value for m in Motivo)


@dataclass(frozen=True, slots=True)
class _Elegido:
    nombre: str
    """El que le da SANE."""
    perfil: Perfil
    visto: Dispositivo | None = None


class EscanerDelPuesto:
    """El escáner que se usaría si alguien tocara «Digitalizar». Se puede compartir entre hilos.

    Args:
        fabrica: hace el escáner con esas palabras para sus fallas.
        foto: la última del inventario.
        fijo: nombre SANE de un escáner que udev no ve (el de la mesa de pruebas); vacío en producción.
        insiste_s: cada cuánto se vuelve a preguntar por un escáner conectado que SANE no ve.
    """

    def __init__(
        self,
        fabrica: Callable[[Callable[[Motivo, int, str], Rechazo | None]], Escaner],
        perfiles: Perfiles,
        foto: Callable[[], Foto],
        *,
        fijo: str = "",
        insiste_s: float = INSISTE_S,
    ) -> None:
        self._perfiles = perfiles
        self._foto = foto
        self._fijo = fijo
        self._insiste_s = insiste_s
        self._preguntado_s = time.monotonic()
        self._nombres: tuple[str, ...] | Rechazo | None = None
        self._perfil = perfiles.generico
        self._escaner = fabrica(self._palabras)
        self._preguntando = threading.Lock()

    def fuente(self) -> tuple[Escaner, Ajustes] | Rechazo:
        """El escáner y con qué opciones digitaliza un acta, o por qué no hay."""
        elegido = self._elegir()
        if isinstance(elegido, Rechazo):
            return elegido
        self._perfil = elegido.perfil
        try:
            opciones = tuple(opciones_sane(elegido.perfil))
        except Falla as falla:
            return falla.rechazo
        return self._escaner, Ajustes(elegido.nombre, opciones, entorno=tuple(entorno_sane(elegido.perfil).items()))

    def nombre(self) -> str:
        """Cómo se le dice a una persona; vacío si no hay."""
        elegido = self._elegir()
        if isinstance(elegido, Rechazo):
            return ""
        if elegido.perfil.clave != self._perfiles.generico.clave:
            return elegido.perfil.nombre
        if elegido.visto is not None and elegido.visto.generico:
            # Su nombre ya dice que no tiene perfil.
            return elegido.visto.nombre.removeprefix(f"{Clase.ESCANER.nombre} ")
        return f"{elegido.visto.nombre if elegido.visto else 'escáner'} (con el perfil genérico)"

    def hay(self) -> bool:
        """Si hay uno conectado, conteste o no."""
        return bool(self._fijo or self._foto().de(Clase.ESCANER))

    def cambio(self, diferencia: Diferencia) -> None:
        """Cambió lo conectado: si fue un escáner, se vuelve a preguntar su nombre, sin hacer esperar a nadie."""
        if any(d.clase is Clase.ESCANER for d in (*diferencia.altas, *diferencia.bajas)):
            self._nombres = None
            self._ir_a_preguntar()

    def _ir_a_preguntar(self) -> None:
        self._preguntado_s = time.monotonic()
        threading.Thread(target=self._preguntar, name="nombre-del-escaner", daemon=True).start()

    def _preguntar(self) -> None:
        with self._preguntando:
            self._nombres = self._escaner.presentes()
            self._preguntado_s = time.monotonic()

    def _insistir(self) -> None:
        # Se insiste sólo mientras alguien mira: quien pregunta es la pantalla.
        if not self._preguntando.locked() and time.monotonic() - self._preguntado_s >= self._insiste_s:
            self._ir_a_preguntar()

    def _elegir(self) -> _Elegido | Rechazo:
        if self._fijo:
            return _Elegido(self._fijo, self._perfiles.perfil_de_sane(self._fijo))
        vistos = self._foto().de(Clase.ESCANER)
        if not vistos:
            return self._foto().aviso or _SIN_ESCANER
        nombres = self._nombres
        if not nombres or isinstance(nombres, Rechazo):
            self._insistir()
            return nombres if isinstance(nombres, Rechazo) else _DESPERTANDO
        return self._emparejar(vistos, nombres)

    def _emparejar(self, vistos: tuple[Dispositivo, ...], nombres: tuple[str, ...]) -> _Elegido:
        # Primero los que tienen perfil: al genérico le sirve cualquier nombre, también el de otro.
        for visto in sorted(vistos, key=lambda d: d.generico):
            perfil = self._perfiles.por_clave.get(visto.perfil, self._perfiles.generico)
            for nombre in nombres:
                if perfil.sane is not None and perfil.sane.dispositivo.fullmatch(nombre):
                    return _Elegido(nombre, perfil, visto)
        # udev lo ve y SANE lo llama de un modo que su perfil no espera: sirve igual, con el genérico.
        return _Elegido(nombres[0], self._perfiles.generico, vistos[0])

    def _palabras(self, motivo: Motivo, estado: int, dicho: str) -> Rechazo | None:
        # Lo que el perfil no nombra (disco lleno, hoja incompleta) lo explica la casa.
        return explicar_lote(self._perfil, motivo.value, estado, dicho, _MOTIVOS)
