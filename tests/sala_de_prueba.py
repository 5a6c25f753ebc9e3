"""Un centro inscrito con muchos kioscos, sin bróker, sirviendo la sala: los latidos y hojas entran por la ingesta."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pyotp
import uvicorn

from ensayo.puertos import puerto_libre
from nucleo.eleccion import Proceso
from nucleo.hechos import Hecho
from nucleo.latido import Latido, sellar_latido
from nucleo.padron import AUTORIDAD, Padron, sellar_padron
from nucleo.temas import Carril
from servicio_central import ajustes, arranque, web
from servicio_central.arranque import Centro
from servicio_central.enlace import Estado
from servicio_central.firmante import FirmanteDeArchivo
from servicio_central.ingesta import Mensaje, Resultado
from servicio_central.inscripcion import leer_padron
from servicio_central.monitor import alarmas, umbrales
from servicio_central.monitor.fotografo import Fotografo
from servicio_central.monitor.papeles import Papel
from servicio_central.monitor.sala import Sala
from tests.centro_de_verdad import OAXACA, Inscrito, esperar
from tests.sobres_de_prueba import EquipoDePrueba

CLAVE: Final = "caballo correcto bateria grapa"


class SalaDePrueba:
    """El centro, sus kioscos (`equipos`) y las cuentas que se le hagan."""

    def __init__(self, carpeta: Path, cuantos: int, *, servir: bool = True, definicion: Path = OAXACA) -> None:
        self.inscrito = Inscrito(carpeta, definicion)
        self.equipos = {f"catd-{n:03d}": EquipoDePrueba(f"catd-{n:03d}", f"{n:016x}") for n in range(1, cuantos + 1)}
        self._inscribir()
        self.centro: Centro = arranque.abrir_centro(self.inscrito.centro, avisar=lambda _: None)
        self.proceso = self.centro.vigia.proceso
        # Sin bróker: que la sala no diga que falta, salvo en la prueba que lo quita.
        estado = self.centro.enlace.estado
        estado.conectado, estado.desde, estado.causa = True, estado.desde - 3600, ""
        self.secretos: dict[str, str] = {}
        self._latidos = 0
        self.puerto = puerto_libre()
        self.url = f"http://127.0.0.1:{self.puerto}"
        self.app = web.aplicacion(self.centro, lambda: self._servidor.should_exit, avisar=lambda _: None)
        sala = self.app.state.sala
        assert isinstance(sala, Sala)
        self.sala = sala
        self._servidor = uvicorn.Server(
            uvicorn.Config(
                self.app, port=self.puerto, log_level="error", proxy_headers=False, timeout_graceful_shutdown=3
            )
        )
        self._hilo: threading.Thread | None = None
        if servir:
            self._hilo = threading.Thread(target=self._servidor.run, daemon=True)
            self._hilo.start()
            assert esperar(lambda: self._servidor.started)

    def _inscribir(self) -> None:
        """Todos en un solo padrón firmado: inscribirlos de uno en uno tardaría más que la prueba."""
        centro, vacio = self.inscrito.centro, leer_padron(self.inscrito.centro)
        inscritos = {e.nombre: e.inscrito() for e in self.equipos.values()}
        padron = Padron(vacio.proceso, vacio.modo, vacio.version + 1, inscritos)
        autoridad = FirmanteDeArchivo(self.inscrito.autoridad / "autoridad.pem", AUTORIDAD)
        (centro / ajustes.PADRON).write_text(sellar_padron(padron, autoridad))

    def cerrar(self) -> None:
        self._servidor.should_exit = True
        if self._hilo is not None:
            self._hilo.join(timeout=10)
            assert not self._hilo.is_alive(), "el servidor no terminó con navegadores oyendo"

    # ------------------------------------------------------------------------------------------- lo que mandan

    def latir(self, *equipos: str, **distinto: Any) -> Resultado:
        """Un latido sellado de cada uno, por la ingesta."""
        return self.centro.ingesta.procesar([self.latido(e, **distinto) for e in equipos])

    def latido(self, nombre: str, **distinto: Any) -> Mensaje:
        equipo = self.equipos[nombre]
        self._latidos += 1
        llano = Latido(
            nombre, nombre, equipo.epoca, f"{self._latidos:016x}", "pulso", equipo.secuencia, equipo.previo, 0, 0,
            datetime.now(UTC).isoformat(), "sincronizado", 40 * 10**9, "v4.1",
            salida="cable", escaner="listo", definicion=self.proceso.huella,
        )  # fmt: skip
        return Mensaje(
            self.inscrito.tema(nombre, Carril.LATIDO), sellar_latido(replace(llano, **distinto), equipo.quien).encode()
        )

    def mandar(self, nombre: str, *hechos: Hecho) -> Resultado:
        """Hojas firmadas y encadenadas de ese equipo, por la ingesta."""
        return self.centro.ingesta.procesar([self.hoja(nombre, h) for h in hechos])

    def hoja(self, nombre: str, hecho: Hecho) -> Mensaje:
        sobre = self.equipos[nombre].firmar(hecho, proceso=self.proceso.clave)
        return Mensaje(self.inscrito.tema(nombre, Carril.HECHOS), sobre.encode())

    # ----------------------------------------------------------------------------------------------- cuentas

    def cuenta(self, nombre: str, papel: Papel) -> None:
        secreto = self.sala.cuentas.alta(nombre, papel, CLAVE, "la prueba", datetime.now(UTC))
        assert isinstance(secreto, str), secreto
        self.secretos[nombre] = secreto

    def codigo(self, nombre: str, pasos: int = 0) -> str:
        return pyotp.TOTP(self.secretos[nombre]).generate_otp(int(datetime.now(UTC).timestamp()) // 30 + pasos)


def alarmas_de(carpeta: Path, proceso: Proceso, padron: Padron, estado: Estado, ahora: datetime) -> list[str]:
    """Lo que la sala diría de esa carpeta en ese instante, lo peor primero."""
    de_la_casa = umbrales.leer()
    retrato = Fotografo(carpeta, de_la_casa).retratar(proceso, padron, estado, ahora)
    return [a.que for a in alarmas.calcular(retrato, de_la_casa)]
