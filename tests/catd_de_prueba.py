"""Un CATD completo para las pruebas: personas con gafete y NIP, kiosco, mesa de pruebas, bróker y centro de verdad.

Cada pieza es el proceso de producción; sólo el escáner y el lector son simulados, y corren debajo de él.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx

from appliance import gafete, nip
from appliance.personas import Papel
from ensayo.mesa_de_pruebas.mesa import MesaDePruebas
from ensayo.puertos import puerto_libre
from nucleo.acta import Acta, ActaFueraDeCatalogo
from nucleo.eleccion import Proceso
from nucleo.hechos import IdActa
from nucleo.libro import actas_de
from servicio_central.lectura import leer_hechos
from tests.centro_de_verdad import OAXACA, RAIZ, Inscrito, ProcesoCentro, esperar

NOCHE: Final = "2022-06-05T20:14:00-05:00"
EQUIPO: Final = "catd-01"


@dataclass(frozen=True)
class Gente:
    """Una persona inscrita, con lo que trae consigo: su gafete y su NIP."""

    clave: str
    nombre: str
    papeles: tuple[Papel, ...]
    nip: str
    gafete: str
    """Lo que dice el QR."""

    @classmethod
    def nueva(cls, clave: str, nombre: str, *papeles: Papel, con_nip: str = "480271") -> Gente:
        return cls(clave, nombre, papeles, con_nip, gafete.texto_qr(gafete.Gafete(clave, gafete.nuevo_azar())))


DOTACION: Final = (
    Gente.nueva("acopio-1", "Ana Acopio", Papel.ACOPIO),
    Gente.nueva("digital-1", "Dora Digital", Papel.DIGITALIZACION),
    Gente.nueva("captura-1", "Carlos Captura", Papel.CAPTURA),
    Gente.nueva("captura-2", "Carla Captura", Papel.CAPTURA),
    Gente.nueva("verifica-1", "Vera Verifica", Papel.VERIFICACION),
    Gente.nueva("verifica-2", "Víctor Verifica", Papel.VERIFICACION),
    Gente.nueva("coordina-1", "Coral Coordina", Papel.COORDINACION, con_nip="915037"),
    Gente.nueva("coordina-2", "Cosme Coordina", Papel.COORDINACION),
)


def escribir_personas(carpeta: Path, gente: Iterable[Gente]) -> Path:
    """`personas.toml` en la carpeta de un kiosco, con los resúmenes de sus NIP y gafetes."""
    renglones = []
    for g in gente:
        leido = gafete.leer_gafete(g.gafete)
        assert leido is not None
        papeles = ", ".join(f'"{p.value}"' for p in g.papeles)
        renglones.append(
            f'[[personas]]\nclave = "{g.clave}"\nnombre = "{g.nombre}"\npapeles = [{papeles}]\n'
            f'nip = "{nip.resumir(g.nip)}"\ngafete = "{gafete.resumir(leido.azar)}"\n'
        )
    ruta = carpeta / "personas.toml"
    ruta.write_text("\n".join(renglones), "utf-8")
    ruta.chmod(0o600)
    return ruta


class Pieza:
    """Un proceso de producción que se puede terminar o matar, con su bitácora en un archivo."""

    def __init__(self, modulo: str, bitacora: Path, *argumentos: str) -> None:
        self._orden = [sys.executable, "-m", modulo, *argumentos]
        self._bitacora = bitacora
        self._proceso: subprocess.Popen[bytes] | None = None

    def levantar(self, *envoltura: str, **ambiente: str) -> None:
        """Lo arranca, quizá debajo de otra orden (`umockdev-wrapper`) y con otras variables de ambiente."""
        with self._bitacora.open("ab") as salida:
            self._proceso = subprocess.Popen(
                [*envoltura, *self._orden],
                stdout=salida,
                stderr=salida,
                cwd=RAIZ,
                env={**os.environ, "PYTHONPATH": str(RAIZ), **ambiente},
            )

    @property
    def viva(self) -> bool:
        return self._proceso is not None and self._proceso.poll() is None

    def matar(self) -> None:
        self._acabar(signal.SIGKILL)

    def terminar(self) -> None:
        self._acabar(signal.SIGTERM)

    def dicho(self) -> str:
        return self._bitacora.read_text("utf-8", "replace") if self._bitacora.exists() else ""

    def _acabar(self, senal: signal.Signals) -> None:
        if self._proceso is None or self._proceso.poll() is not None:
            return
        self._proceso.send_signal(senal)
        try:
            self._proceso.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self._proceso.kill()
            self._proceso.wait()


class CatdDePrueba:
    """Se usa con `with`: al salir no queda ningún proceso.

    Args:
        secciones: las que se esperan en este CATD.
        con_centro: si se levantan bróker, centro y enlace; sin ellos, el kiosco trabaja igual.
    """

    def __init__(
        self,
        carpeta: Path,
        *,
        gente: tuple[Gente, ...] = DOTACION,
        secciones: tuple[int, ...] = (),
        con_centro: bool = True,
        definicion: Path = OAXACA,
    ) -> None:
        carpeta.mkdir(parents=True, exist_ok=True)
        self.gente: Mapping[str, Gente] = {g.clave: g for g in gente}
        self.inscrito = Inscrito(carpeta, definicion)
        self.proceso: Proceso = self.inscrito.proceso
        self.carpeta = self.inscrito.kiosco(EQUIPO)
        escribir_personas(self.carpeta, gente)
        if secciones:
            (self.carpeta / "ambito.toml").write_text(f"secciones = {list(secciones)}\n")
        self.memorias = carpeta / "memorias"
        self.memorias.mkdir()
        self.mesa = MesaDePruebas(carpeta / "mesa")
        self.puerto = puerto_libre()
        self.casa = f"http://127.0.0.1:{self.puerto}"
        self._con_centro = con_centro
        # Con su propio puerto: dos pruebas a la vez no se disputan el 8080.
        self.centro = ProcesoCentro(self.inscrito.centro, "--puerto", str(puerto_libre()))
        self.kiosco = Pieza(
            "appliance",
            carpeta / "kiosco.log",
            *("--carpeta", str(self.carpeta), "--puerto", str(self.puerto), "--reloj-de-ensayo", NOCHE),
            *("--mesa-de-pruebas", str(self.mesa.anunciar())),
        )
        self.enlace = Pieza(
            "appliance.enlace",
            carpeta / "enlace.log",
            *("--carpeta", str(self.carpeta), "--latido-s", "2", "--base-s", "0.2", "--tope-s", "1"),
        )

    def __enter__(self) -> CatdDePrueba:
        try:
            if self._con_centro:
                self.inscrito.levantar_broker()
                self.centro.levantar()
            self.encender()
            if self._con_centro:
                self.enlace.levantar()
        except BaseException:
            self.cerrar()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.cerrar()

    def cerrar(self) -> None:
        self.enlace.terminar()
        self.kiosco.terminar()
        if self.centro.proceso is not None:
            self.centro.matar()
        self.inscrito.matar_broker()
        self.mesa.cerrar()

    def encender(self) -> None:
        """Levanta las pantallas y espera a que contesten."""
        self.kiosco.levantar()
        limite = time.monotonic() + 60
        while True:
            try:
                httpx.get(self.casa + "/turno", trust_env=False)
                return
            except httpx.TransportError:
                assert self.kiosco.viva, self.kiosco.dicho()
                assert time.monotonic() < limite, f"el kiosco no arrancó\n{self.kiosco.dicho()}"
                time.sleep(0.05)

    def cortar_la_red(self) -> None:
        """El bróker desaparece, como cuando se cae el enlace del CATD."""
        self.inscrito.matar_broker()

    def devolver_la_red(self) -> None:
        self.inscrito.levantar_broker()

    def libro(self, eleccion: str = "GUB") -> dict[IdActa, Acta]:
        """Lo que el centro tiene de cada acta esperada, calculado de los hechos que aceptó."""
        esperadas = (a for a in self._actas(eleccion) if not isinstance(a, ActaFueraDeCatalogo))
        return {IdActa(eleccion, a.casilla.clave): a for a in esperadas}

    def fuera_de_catalogo(self, eleccion: str = "GUB") -> list[ActaFueraDeCatalogo]:
        """Los documentos fuera de catálogo que aceptó el centro."""
        return [a for a in self._actas(eleccion) if isinstance(a, ActaFueraDeCatalogo)]

    def _actas(self, eleccion: str) -> tuple[Acta, ...]:
        return actas_de(self.proceso, eleccion, leer_hechos(self.inscrito.centro, eleccion).hechos)


__all__ = ["DOTACION", "EQUIPO", "NOCHE", "CatdDePrueba", "Gente", "Pieza", "escribir_personas", "esperar"]
