"""Un puesto de verdad sobre la mesa de pruebas: SANE y visión reales, con el escáner simulado debajo."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import cv2
import numpy as np
import uvicorn

from appliance.ajustes_del_puesto import leer_ajustes
from appliance.arranque import Kiosco, abrir_kiosco
from appliance.arranque_del_puesto import abrir_puesto
from appliance.pantalla.app import crear_app
from appliance.puesto import Puesto
from appliance.reloj import RelojDeEnsayo
from ensayo.dibujo_en_color import TextosDeEtiqueta, dibujar_en_color
from ensayo.mesa_de_pruebas.mesa import MesaDePruebas
from ensayo.puertos import puerto_libre
from nucleo.acta import Asentado
from nucleo.campo import Campo, Numero
from nucleo.codigo_qr import codigo_de
from nucleo.eleccion import Proceso
from nucleo.hechos import IdActa
from tests.kiosco_de_prueba import carpeta_inscrita


@dataclass
class PuestoDePrueba:
    """Lo que una prueba toca: el papel, la memoria USB y las pantallas."""

    kiosco: Kiosco
    puesto: Puesto
    mesa: MesaDePruebas
    casa: str

    def meter(self, *hojas: bytes) -> None:
        for hoja in hojas:
            self.mesa.meter_hoja(hoja)


@contextmanager
def puesto_abierto(carpeta: Path, definicion: Path, *, segundos_por_hoja: float = 0.0) -> Iterator[PuestoDePrueba]:
    """El kiosco de esa carpeta con su puesto y sus pantallas sirviendo; lo inscribe si hace falta."""
    if not (carpeta / "identidad.toml").exists():
        carpeta_inscrita(carpeta, definicion)
    mesa = MesaDePruebas(carpeta.parent / "mesa", segundos_por_hoja)
    kiosco = abrir_kiosco(carpeta, RelojDeEnsayo(datetime.fromisoformat("2022-06-05T20:14:00-05:00")))
    puesto = abrir_puesto(kiosco, leer_ajustes(carpeta, kiosco.identidad.modo, mesa.anunciar()))
    puerto = puerto_libre()
    app = crear_app(kiosco, puerto, puesto)
    servidor = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=puerto, log_level="warning"))
    hilo = threading.Thread(target=servidor.run)
    hilo.start()
    try:
        while not servidor.started:
            time.sleep(0.02)
        yield PuestoDePrueba(kiosco, puesto, mesa, f"http://127.0.0.1:{puerto}")
    finally:
        servidor.should_exit = True
        hilo.join(timeout=15)
        puesto.cerrar()
        mesa.cerrar()
        kiosco.almacen.desconectar()


def acta_dibujada(proceso: Proceso, acta: IdActa, *, base: int = 10, con_etiqueta: bool = True) -> bytes:
    """PNG carta a 200 ppp de esa acta, llena y con su código."""
    casilla, eleccion = proceso.casillas[acta.casilla], proceso.elecciones[acta.eleccion]
    votos: dict[str, Campo] = {o.clave: Numero(base + i) for i, o in enumerate(eleccion.opciones_de(casilla))}
    asentado = Asentado(votos, Numero(100), Numero(80), Numero(4), Numero(84), Numero(sum(range(len(votos)))))
    etiqueta = TextosDeEtiqueta(codigo_de(casilla, eleccion), "", acta.casilla) if con_etiqueta else None
    return png(dibujar_en_color(casilla, eleccion, asentado, etiqueta))


def hoja_en_blanco() -> bytes:
    """PNG carta a 200 ppp sin nada escrito."""
    return png(np.full((2200, 1700, 3), 250, np.uint8))


def png(imagen: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> bytes:
    bien, datos = cv2.imencode(".png", imagen, [cv2.IMWRITE_PNG_COMPRESSION, 1])
    assert bien
    return datos.tobytes()
