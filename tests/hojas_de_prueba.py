"""Hojas para las pruebas de la cadena: un archivo que dice lo que se vería en él, y quien lo «mira» sin cámara."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from appliance.digitalizacion import tabla
from appliance.digitalizacion.cadena import Cadena, Vistazo
from appliance.digitalizacion.entrada import escribir_hoja
from appliance.digitalizacion.hoja import Codigo, Hoja, Lote, Vista
from appliance.mesa import Mesa
from nucleo.acta import Digitalizacion
from nucleo.codigo_qr import codigo_de, identificar
from nucleo.hechos import IdActa
from nucleo.problema import Rechazo
from tests.kiosco_de_prueba import PROCESO


def qr(acta: IdActa) -> str:
    """El código impreso de esa acta."""
    return codigo_de(PROCESO.casillas[acta.casilla], PROCESO.elecciones[acta.eleccion])


def hoja_con(*codigos: str, **visto: Any) -> bytes:
    """Un archivo en el que se verían esos códigos; `visto` cambia la vista y `toma` distingue dos tomas."""
    return json.dumps({"codigos": codigos, "visto": visto}).encode()


def mirar(ruta: Path) -> Vistazo | Rechazo:
    """Lo que dice el archivo. Uno que no se entiende es una imagen dañada."""
    contenido = ruta.read_bytes()
    try:
        dato = json.loads(contenido)
    except ValueError:
        return Rechazo("IMAGEN_ILEGIBLE", "El archivo no es una imagen", "llegó cortado", "pase otra vez la hoja")
    visto = {"anverso": True} | dato["visto"]
    visto.pop("toma", None)
    codigos = []
    for texto in dato["codigos"]:
        leido = identificar(texto, PROCESO)
        if isinstance(leido, Rechazo):
            codigos.append(Codigo(texto, None, leido.codigo))
        else:
            codigos.append(Codigo(texto, leido.acta, "", leido.nonce or ""))
    return Vistazo(Vista(tuple(codigos), **visto), b"RIFF\0\0\0\0WEBP" + contenido)


class Lector:
    """Una cadena con su carpeta y atajos para meter hojas."""

    def __init__(self, carpeta: Path, mesa: Mesa, al_paso: Callable[[str], None] = lambda _: None) -> None:
        self.mesa = mesa
        self.cadena = Cadena(carpeta, mesa, mirar, al_paso=al_paso)

    def lote(self, *hojas: bytes, persona: str = "digital-1", cerrar: bool = True) -> Lote:
        """Pasa esas hojas como un lote, sin mirarlas todavía."""
        lote, carpeta = self.cadena.abrir_lote(persona, Digitalizacion.ESCANER)
        for numero, contenido in enumerate(hojas, start=1):
            ruta = carpeta / f"hoja-{numero:04d}.png"
            escribir_hoja(ruta, contenido)
            self.cadena.recibir(lote, numero, ruta)
        if cerrar:
            self.cadena.cerrar_lote(lote, entraron=len(hojas), a_medias=0, fin="sin_papel", falla=None)
        return lote

    def mirar_todas(self) -> list[Hoja]:
        """Anda la cadena hasta que no falte ninguna."""
        quedaron = []
        while (hoja := self.cadena.siguiente()) is not None:
            quedo = self.cadena.avanzar(hoja)
            assert quedo is not None
            quedaron.append(quedo)
        return quedaron

    def pasar(self, contenido: bytes) -> Hoja:
        """Una hoja de principio a fin."""
        self.lote(contenido)
        return self.mirar_todas()[-1]

    def hojas(self) -> list[Hoja]:
        """Todas, por número."""
        with self.mesa.almacen.lectura() as mirada:
            todas = [*tabla.dudosas(mirada), *tabla.recientes(mirada, 500)]
        return sorted(todas, key=lambda h: h.hoja)


def un_rato(mesa: Mesa, minutos: int) -> None:
    """Adelanta el reloj de la mesa."""
    mesa.reloj.avanzar(timedelta(minutes=minutos))  # type: ignore[attr-defined]
