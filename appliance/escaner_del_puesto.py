"""Cuál es el escáner de este puesto ahora mismo: lo que ve udev, el nombre que le da SANE y el perfil de su modelo.

Preguntarle a SANE tarda segundos, así que se hace en un hilo cada vez que cambia lo conectado; contestar a la pantalla
es mirar la última respuesta.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final

from appliance.dispositivos.bus import Dispositivo
from appliance.dispositivos.inventario import Diferencia, Foto
from appliance.dispositivos.perfil import Clase, Perfil
from appliance.dispositivos.perfiles import Perfiles, entorno_sane, explicar, opciones_sane
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


class EscanerDelPuesto:
    """El escáner que se usaría si alguien tocara «Digitalizar». Se puede compartir entre hilos.

    Args:
        fabrica: hace el escáner con esas palabras para sus fallas.
        foto: la última del inventario.
        fijo: nombre SANE de un escáner que udev no ve (el de la mesa de pruebas); vacío en producción.
    """

    def __init__(
        self,
        fabrica: Callable[[Callable[[Motivo, int, str], Rechazo | None]], Escaner],
        perfiles: Perfiles,
        foto: Callable[[], Foto],
        *,
        fijo: str = "",
    ) -> None:
        self._perfiles = perfiles
        self._foto = foto
        self._fijo = fijo
        self._nombres: tuple[str, ...] | Rechazo | None = None
        self._perfil = perfiles.generico
        self._escaner = fabrica(self._palabras)
        self._preguntando = threading.Lock()

    def fuente(self) -> tuple[Escaner, Ajustes] | Rechazo:
        """El escáner y con qué opciones digitaliza un acta, o por qué no hay."""
        elegido = self._elegir()
        if isinstance(elegido, Rechazo):
            return elegido
        nombre, perfil = elegido
        self._perfil = perfil
        try:
            opciones = tuple(opciones_sane(perfil))
        except Falla as falla:
            return falla.rechazo
        return self._escaner, Ajustes(nombre, opciones, entorno=tuple(entorno_sane(perfil).items()))

    def nombre(self) -> str:
        """Cómo se le dice a una persona; vacío si no hay."""
        elegido = self._elegir()
        if isinstance(elegido, Rechazo):
            return ""
        _, perfil = elegido
        if perfil.clave != self._perfiles.generico.clave:
            return perfil.nombre
        visto = next(iter(self._foto().de(Clase.ESCANER)), None)
        return f"{visto.nombre if visto else 'escáner'} (con el perfil genérico)"

    def hay(self) -> bool:
        """Si hay uno conectado, conteste o no."""
        return bool(self._fijo or self._foto().de(Clase.ESCANER))

    def cambio(self, diferencia: Diferencia) -> None:
        """Cambió lo conectado: si fue un escáner, se vuelve a preguntar su nombre, sin hacer esperar a nadie."""
        if any(d.clase is Clase.ESCANER for d in (*diferencia.altas, *diferencia.bajas)):
            self._nombres = None
            threading.Thread(target=self._preguntar, name="nombre-del-escaner", daemon=True).start()

    def _preguntar(self) -> None:
        with self._preguntando:
            self._nombres = self._escaner.presentes()

    def _elegir(self) -> tuple[str, Perfil] | Rechazo:
        if self._fijo:
            return self._fijo, self._perfiles.perfil_de_sane(self._fijo)
        vistos = self._foto().de(Clase.ESCANER)
        if not vistos:
            return self._foto().aviso or _SIN_ESCANER
        if self._nombres is None:
            return _DESPERTANDO
        if isinstance(self._nombres, Rechazo):
            return self._nombres
        return self._emparejar(vistos, self._nombres)

    def _emparejar(self, vistos: tuple[Dispositivo, ...], nombres: tuple[str, ...]) -> tuple[str, Perfil] | Rechazo:
        for visto in vistos:
            perfil = self._perfiles.por_clave.get(visto.perfil, self._perfiles.generico)
            for nombre in nombres:
                if perfil.sane is not None and perfil.sane.dispositivo.fullmatch(nombre):
                    return nombre, perfil
        # udev lo ve y SANE lo llama de un modo que su perfil no espera: sirve igual, con el genérico.
        return (nombres[0], self._perfiles.generico) if nombres else _DESPERTANDO

    def _palabras(self, motivo: Motivo, estado: int, dicho: str) -> Rechazo | None:
        # Lo que decidió el kiosco (cancelar, plazo, disco) lo explica mejor la casa que el modelo.
        perfil = self._perfil
        propia = next((f for f in perfil.fallas if f.clave == motivo.value), None)
        if propia is not None:
            return Rechazo(propia.clave.upper(), propia.que, propia.causa, propia.siguiente)
        return explicar(perfil, estado, dicho) if motivo is Motivo.DESCONOCIDO else None
