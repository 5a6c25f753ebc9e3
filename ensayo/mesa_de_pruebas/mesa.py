"""La mesa completa: charola, escáner eSCL, lector y la carpeta con lo que un kiosco necesita para usarlos."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

from ensayo.mesa_de_pruebas.charola import Charola, Estorbo, HojaImposible
from ensayo.mesa_de_pruebas.escl import EscanerEscl
from ensayo.mesa_de_pruebas.lector import LectorDeMesa

NOMBRE: Final = "Mesa de pruebas"
DISPOSITIVO: Final = f"airscan:e0:{NOMBRE}"
"""El nombre SANE del escáner de la mesa."""
ARCHIVO: Final = "mesa.json"


class BotonDesconocido(ValueError):
    """La mesa no tiene ese botón, o lo que se le dio no sirve."""


class MesaDePruebas:
    """Se arranca al crearla; `cerrar` la apaga. Todo lo que escribe queda en `carpeta`.

    Args:
        carpeta: se crea si no existe; de ella sale la configuración propia de SANE, nunca de `/etc`.
        segundos_por_hoja: lo que tarda el rodillo del escáner.
    """

    def __init__(self, carpeta: Path, segundos_por_hoja: float = 0.0) -> None:
        carpeta.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.carpeta = carpeta.resolve()
        self.charola = Charola()
        self.escaner = EscanerEscl(self.charola, segundos_por_hoja)
        self.lector = LectorDeMesa(self.carpeta / "lector")
        self.memorias = self.carpeta / "memorias"
        """Cada subcarpeta que se le ponga hace de memoria USB."""
        self.memorias.mkdir(exist_ok=True)
        self.sane = self.carpeta / "sane.d"
        self.sane.mkdir(exist_ok=True)
        (self.sane / "dll.conf").write_text("airscan\n", "utf-8")
        (self.sane / "airscan.conf").write_text(
            f'[devices]\n"{NOMBRE}" = {self.escaner.url}, eSCL\n[options]\ndiscovery = disable\nws-discovery = off\n',
            "utf-8",
        )
        self._botones: dict[str, Callable[[], object]] = {
            "atascar": lambda: self.charola.fallar(Estorbo.ATASCO),
            "doble_hoja": lambda: self.charola.fallar(Estorbo.DOBLE_HOJA),
            "abrir_tapa": self.charola.abrir_tapa,
            "despejar": self.charola.despejar,
            "vaciar": self.charola.vaciar,
            "colgar": self.charola.colgar,
            "soltar": self.charola.soltar,
            "desenchufar": self.escaner.desenchufar,
            "desenchufar_a_media_hoja": self._cortar,
            "enchufar": self.escaner.enchufar,
            "desconectar_lector": self.lector.desconectar,
            "conectar_lector": self.lector.conectar,
        }

    @property
    def botones(self) -> tuple[str, ...]:
        """Los que no llevan nada."""
        return tuple(self._botones)

    def pulsar(self, boton: str) -> None:
        """Raises: BotonDesconocido."""
        accion = self._botones.get(boton)
        if accion is None:
            raise BotonDesconocido(f"la mesa no tiene el botón «{boton[:40]}»")
        accion()

    def meter_hoja(self, hoja: bytes, *, en_el_vidrio: bool = False) -> int:
        """Pone una imagen JPEG, PNG o WebP en la charola o el vidrio; dice cuántas hay. Raises: BotonDesconocido."""
        try:
            if en_el_vidrio:
                self.charola.poner_en_el_vidrio(hoja)
                return 1
            return self.charola.meter(hoja)
        except HojaImposible as error:
            raise BotonDesconocido(str(error)) from error

    def leer(self, texto: str) -> None:
        """Lee un código con ese texto. Raises: BotonDesconocido."""
        try:
            self.lector.leer(texto)
        except OSError as error:
            raise BotonDesconocido(f"el lector no está conectado ({error})") from error

    def estado(self) -> dict[str, object]:
        estorbo = self.charola.estorbo
        return {
            "hojas": self.charola.hojas,
            "salieron": self.charola.salieron,
            "vidrio": self.charola.vidrio is not None,
            "estorbo": estorbo.value if estorbo else "",
            "enchufado": self.escaner.enchufado,
            "lector": self.lector.conectado,
        }

    def anunciar(self, tablero: str = "") -> Path:
        """Escribe `mesa.json`, de un solo golpe, con lo que el kiosco necesita; devuelve su ruta."""
        dicho = {
            "sane_config_dir": str(self.sane),
            "escaner": DISPOSITIVO,
            "lector": str(self.lector.enlace),
            "memorias": str(self.memorias),
            "escl": self.escaner.url,
            "tablero": tablero,
        }
        archivo = self.carpeta / ARCHIVO
        provisional = self.carpeta / f".{ARCHIVO}"
        descriptor = os.open(provisional, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as salida:
            json.dump(dicho, salida, ensure_ascii=False, indent=1)
        provisional.replace(archivo)
        return archivo

    def cerrar(self) -> None:
        self.lector.desconectar()
        self.escaner.apagar()
        (self.carpeta / ARCHIVO).unlink(missing_ok=True)

    def _cortar(self) -> None:
        self.escaner.cortar_en = 0.5
