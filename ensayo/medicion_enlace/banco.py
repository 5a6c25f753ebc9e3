"""El banco de medir: autoridad, bróker con TLS mutuo, centro y kioscos inscritos, cada uno en su proceso y su disco."""

from __future__ import annotations

import os
import resource
import sqlite3
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from appliance.almacen import Almacen
from appliance.identidad import leer_identidad
from appliance.llave import LlaveDeArchivo
from ensayo.escenario import Pieza
from ensayo.medicion_enlace.material import noche
from ensayo.noche import OAXACA_2022
from ensayo.puertos import puerto_libre
from servicio_central import broker, inscripcion

PLAZO: Final = 120.0
"""Segundos que se espera a que algo avance antes de decir que no anda."""

_TICS: Final = os.sysconf("SC_CLK_TCK")


class BancoRoto(RuntimeError):
    """Algo del banco no arrancó o no terminó; el mensaje dice qué."""


def equipos(cuantos: int) -> list[str]:
    """Nombres de tantos kioscos."""
    return [f"catd-{n:03}" for n in range(1, cuantos + 1)]


class Banco:
    """Se usa con `with`: al salir no queda ningún proceso.

    Args:
        kioscos: dónde van las carpetas de los kioscos; sin ella, junto al centro. Con cientos en una sola máquina van
            en memoria, porque en la realidad cada uno trae su disco.
        host: por dónde se busca al bróker.
        delante: lo que va antes de la orden de cada pieza del centro, o de un kiosco, para correrla en otra red.
    """

    def __init__(
        self,
        carpeta: Path,
        cuantos: int,
        *,
        kioscos: Path | None = None,
        host: str = "localhost",
        delante: tuple[Sequence[str], Sequence[str]] = ((), ()),
    ) -> None:
        self.carpeta, self.centro, self.equipos = carpeta, carpeta / "centro", equipos(cuantos)
        self.piezas: dict[str, Pieza] = {}
        self._kioscos = kioscos or carpeta / "kioscos"
        self._autoridad = carpeta / "autoridad"
        self._delante = {"sede": list(delante[0]), "catd": list(delante[1])}
        self._almacenes: dict[str, Almacen] = {}
        carpeta.mkdir(parents=True, exist_ok=True)
        inscripcion.crear_autoridad(self._autoridad)
        inscripcion.inscribir_centro(
            self._autoridad,
            self.centro,
            proceso=OAXACA_2022,
            modo=noche().proceso.modo,
            broker_host=host,
            broker_puerto=puerto_libre(),
        )
        inscripcion.crear_broker(self._autoridad, self.centro)
        for equipo in self.equipos:
            inscripcion.inscribir_kiosco(self._autoridad, self.centro, self.kiosco(equipo), equipo=equipo, catd=equipo)

    def kiosco(self, equipo: str) -> Path:
        """Su carpeta."""
        return self._kioscos / equipo

    def almacen(self, equipo: str) -> Almacen:
        """El almacén del kiosco, para asentar en él como lo hacen sus pantallas."""
        if equipo not in self._almacenes:
            self._almacenes[equipo] = abrir_almacen(self.kiosco(equipo))
        return self._almacenes[equipo]

    def soltar(self, equipo: str) -> None:
        """Cierra el almacén de ese kiosco: otro proceso lo va a abrir."""
        self._almacenes.pop(equipo).desconectar()

    # ------------------------------------------------------------------------------------------------------ las piezas

    def levantar(self, nombre: str, *orden: str, donde: str = "sede", conversa: bool = False) -> Pieza:
        """Corre una pieza; si ya la había, la misma otra vez."""
        if nombre not in self.piezas:
            bitacora = self.carpeta / f"{nombre}.log"
            self.piezas[nombre] = Pieza(nombre, [*self._delante[donde], *orden], bitacora, conversa)
        self.piezas[nombre].levantar()
        return self.piezas[nombre]

    def levantar_broker(self) -> None:
        """Con la orden de `./prep broker`; vuelve cuando corre, que no es cuando ya contesta."""
        # Se prepara otra vez, como al arrancar de veras: puede faltar la carpeta de su persistencia.
        self.levantar("broker", *broker.orden(self.centro))

    def levantar_sede(self) -> None:
        """El bróker y el centro. Raises: BancoRoto."""
        self.levantar_broker()
        centro = self.levantar("centro", *_python("servicio_central", "--carpeta", str(self.centro), "--sin-web"))
        limite = time.monotonic() + PLAZO
        while "en línea" not in centro.bitacora.read_text("utf-8", "replace"):
            if time.monotonic() > limite or not centro.viva:
                raise BancoRoto(f"el centro no se conecta al bróker:\n{centro.ultimas_lineas()}")
            time.sleep(0.05)

    def levantar_enlaces(self) -> None:
        """Un `./prep enlace` por kiosco, con los ajustes de producción."""
        for equipo in self.equipos:
            orden = _python("appliance.enlace", "--carpeta", str(self.kiosco(equipo)))
            self.levantar(f"enlace-{equipo}", *orden, donde="catd")

    def levantar_juntos(self, grupos: int) -> list[Pieza]:
        """Todos los kioscos, con su enlace de producción, en tantos procesos; cada uno dice «listos» y espera «ya»."""
        partes = [self.equipos[n::grupos] for n in range(grupos)]
        orden = _python("ensayo.medicion_enlace.kioscos_juntos", "--carpeta", str(self._kioscos))
        return [
            self.levantar(f"kioscos-{n}", *orden, "--equipos", ",".join(parte), donde="catd", conversa=True)
            for n, parte in enumerate(partes)
        ]

    # ------------------------------------------------------------------------------------------------ lo que se observa

    def pendientes(self) -> int:
        """Sobres sin acuse en todos los kioscos que se han abierto aquí."""
        return sum(a.resumen().pendientes for a in self._almacenes.values())

    def esperar_al_corriente(self, plazo: float = PLAZO) -> None:
        """Vuelve cuando nada está pendiente. Raises: BancoRoto, si en `plazo` segundos no se cierra ni un renglón."""
        faltaban, avance = self.pendientes(), time.monotonic()
        while faltaban:
            time.sleep(0.05)
            faltan = self.pendientes()
            if faltan < faltaban:
                avance = time.monotonic()
            if time.monotonic() - avance > plazo:
                raise BancoRoto(f"{faltan} sobres siguen sin acuse:\n{self.piezas['centro'].ultimas_lineas()}")
            faltaban = faltan

    def cerrados(self, equipo: str) -> dict[int, str]:
        """Secuencia → hora (ISO 8601) en que su kiosco oyó el acuse, según su propia bandeja."""
        with _mirar(self.kiosco(equipo)) as bd:
            return dict(bd.execute("SELECT secuencia, cerrado_en FROM bandeja WHERE cerrado_en IS NOT NULL"))

    def bytes_recibidos(self, equipo: str) -> int:
        """Bytes de imagen que, según los recibos que oyó ese kiosco, el centro ya tiene."""
        with _mirar(self.kiosco(equipo)) as bd:
            (recibidos,) = bd.execute("SELECT coalesce(sum(recibidos), 0) FROM imagenes").fetchone()
            return int(recibidos)

    def en_el_centro(self) -> list[tuple[str, int, str]]:
        """(equipo, secuencia, huella) de cada hecho aceptado."""
        with _mirar(self.centro) as bd:
            return bd.execute("SELECT equipo, secuencia, huella FROM hechos").fetchall()

    def aceptados(self) -> int:
        """Cuántos hechos tiene el centro."""
        return self._contar("hechos")

    def apartados(self) -> int:
        """Cuántos mensajes están en cuarentena, esperando o bifurcados."""
        return sum(self._contar(tabla) for tabla in ("cuarentena", "bifurcaciones", "en_espera"))

    def _contar(self, tabla: str) -> int:
        with _mirar(self.centro) as bd:
            (cuantos,) = bd.execute(f"SELECT count(*) FROM {tabla}").fetchone()
            return int(cuantos)

    def cpu(self, nombre: str) -> float:
        """Segundos de CPU que lleva esa pieza, con todos sus hilos."""
        proceso = self.piezas[nombre].proceso
        assert proceso is not None
        # Detrás del nombre, que puede traer espacios: utime y stime son los campos 14 y 15 (proc(5)).
        campos = Path(f"/proc/{proceso.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(campos[11]) + int(campos[12])) / _TICS

    def __enter__(self) -> Self:
        # mosquitto y los kioscos heredan el tope de descriptores; con los 1024 de siempre no caben seiscientos.
        _, maximo = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (maximo, maximo))
        return self

    def __exit__(
        self, tipo: type[BaseException] | None, error: BaseException | None, traza: TracebackType | None
    ) -> None:
        for pieza in reversed(self.piezas.values()):
            pieza.matar()
            pieza.terminar()
        for almacen in self._almacenes.values():
            almacen.desconectar()


def abrir_almacen(carpeta: Path) -> Almacen:
    """El almacén de un kiosco inscrito, sin leer otra vez la definición. Raises: Falla."""
    identidad = leer_identidad(carpeta)
    return Almacen.abrir(
        carpeta / "almacen.sqlite",
        identidad,
        LlaveDeArchivo(carpeta / "llave.pem", identidad.equipo),
        proceso=noche().proceso.clave,
        sistema="medicion",
        arranque="medicion",
    )


def _mirar(carpeta: Path) -> closing[sqlite3.Connection]:
    """El almacén de un kiosco o del centro, sin poder escribir en él."""
    return closing(sqlite3.connect(f"file:{carpeta / 'almacen.sqlite'}?mode=ro", uri=True, timeout=10))


def _python(modulo: str, *mas: str) -> list[str]:
    return [sys.executable, "-m", modulo, *mas]
