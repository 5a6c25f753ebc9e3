"""El lector de códigos de este puesto: se abre el que udev ve, en el modo en que está conectado."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from appliance.dispositivos.inventario import Foto
from appliance.dispositivos.perfil import Clase, ModoDeLector
from appliance.dispositivos.perfiles import Perfiles, modo_del_lector
from appliance.lector.buzon import Buzon
from appliance.lector.escucha import Escucha
from appliance.lector.lector_serie import LectorSerie
from appliance.lector.lector_teclado import LectorTeclado
from appliance.lector.puerto import Lector


class LectorDelPuesto:
    """Escucha al lector presente y guarda su última lectura mientras esté fresca.

    Args:
        fijo: ruta de un tty que udev no ve (el de la mesa de pruebas); vacía en producción.
    """

    def __init__(self, perfiles: Perfiles, foto: Callable[[], Foto], *, fijo: str = "") -> None:
        self._perfiles = perfiles
        self._foto = foto
        self._fijo = fijo
        self._buzon = Buzon()
        self._escucha = Escucha(self._abrir, self._buzon.dejar)

    def empezar(self) -> None:
        self._escucha.empezar()

    def terminar(self) -> None:
        self._escucha.terminar()

    def tomar(self) -> str | None:
        """La última lectura fresca, y deja el buzón vacío."""
        lectura = self._buzon.recoger()
        return None if lectura is None else lectura.texto

    def _abrir(self) -> Lector | None:
        if self._fijo:
            return LectorSerie(Path(self._fijo))
        for visto in self._foto().de(Clase.LECTOR):
            perfil = self._perfiles.por_clave.get(visto.perfil)
            conectado = modo_del_lector(perfil, visto.vid, visto.pid) if perfil is not None else None
            if not visto.nodo or conectado is None:
                continue
            if conectado.modo is ModoDeLector.TECLADO:
                return LectorTeclado(Path(visto.nodo))
            return LectorSerie(Path(visto.nodo))
        return None
