"""`./prep laboratorio --fuzz N`: bytes malos, buenos y casi buenos en la puerta del centro, de a cientos de miles.

Cada caso sale de un mensaje válido: se le cambian, quitan, repiten o injertan bytes, o se le cambia la carga y se
vuelve a firmar con la llave buena (lo que haría un kiosco tomado). Al final cada mensaje debe tener un destino con su
porqué, y la cuarentena debe cuadrar al último con lo rechazado.
"""

from __future__ import annotations

import faulthandler
import json
import random
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from joserfc.util import urlsafe_b64decode
from rich.console import Console

from ensayo.laboratorio.guion import guion_de
from ensayo.laboratorio.proceso import EPOCA, INICIO, llave_de, proceso_de, publica_de
from ensayo.tuberia import carpeta_en_memoria
from nucleo.acuse import Acuse, sellar_acuse
from nucleo.hechos import a_contenido
from nucleo.latido import Latido, sellar_latido
from nucleo.padron import Equipo, Padron
from nucleo.sobre import CADENA_NUEVA, MAXIMO_BYTES, Sobre, Tipo, huella, sellar
from nucleo.temas import Carril, Tema, ambito_de
from servicio_central.almacen import Almacen
from servicio_central.ingesta import LOTE, Destino, Ingesta, Mensaje

EQUIPO: Final = "catd-001"
TANDA: Final = 20_000
"""Casos por centro: después se estrena otro, para que el almacén no crezca."""

_LATIDO: Final = (
    sellar_latido(
        Latido(*(EQUIPO, EQUIPO, EPOCA, "0" * 16, "pulso", 0, "0" * 64, 0, 0, INICIO.isoformat(), "virtual", 1, "x")),
        llave_de(EQUIPO),
    )
    .split(".")[0]
    .encode()
)
"""Con qué empieza un latido."""

ATORADO_S: Final = 60.0
"""Un lote que tarde más es un atorón: el proceso termina y dice dónde estaba."""


class Fuzz:
    """Un centro recién hecho y la fábrica de casos de una semilla."""

    def __init__(self, semilla: int, carpeta: Path) -> None:
        self.cuenta: Counter[str] = Counter()
        self.fallas: list[str] = []
        self._azar = random.Random(f"fuzz {semilla}")
        proceso = proceso_de(6)
        self._ambito = ambito_de(proceso.modo, proceso.clave)
        equipos = {n: Equipo(n, n, frozenset({EPOCA}), publica_de(n)) for n in (EQUIPO, "catd-002")}
        padron = Padron(proceso.clave, proceso.modo, 1, equipos)
        carpeta.mkdir(parents=True)
        self.almacen = Almacen.abrir(carpeta / "almacen.sqlite")
        self.ingesta = Ingesta(self.almacen, proceso, padron, llave_de("centro"), lambda: INICIO)
        self.corpus = self._corpus()
        self._cambios: tuple[Callable[[bytes], bytes], ...] = (
            *(self._un_byte, self._insertar, self._quitar, self._repetir, self._injertar, self._cortar),
        )

    def _corpus(self) -> list[bytes]:
        proceso = proceso_de(6)
        previo, buenos = CADENA_NUEVA, []
        tareas = guion_de(self._azar, list(proceso.casillas), 24, 0, 100)
        for n, tarea in enumerate(tareas, 1):
            hora = INICIO + timedelta(seconds=n)
            llano = Sobre(
                *(proceso.clave, proceso.modo, EQUIPO, EQUIPO, EPOCA, n, previo, hora, "virtual", "x", "x"),
                contenido=a_contenido(tarea.hacer(hora)),
            )
            compacto = sellar(llano, llave_de(EQUIPO))
            previo = huella(compacto)
            buenos.append(compacto)
        latido = Latido(
            *(EQUIPO, EQUIPO, EPOCA, "0" * 16, "pulso", 24, previo, 3, 0, INICIO.isoformat(), "virtual", 10**9, "x")
        )
        buenos += [
            sellar_latido(replace(latido, motivo=m), llave_de(EQUIPO)) for m in ("nacimiento", "pulso", "muerte")
        ]
        acuse = Acuse(EQUIPO, EPOCA, 2, "a" * 64, ((4, "b" * 64),), ((3, 3),), (), INICIO)
        buenos.append(sellar_acuse(acuse, llave_de("centro")))
        trozo = b"PRT1" + self._azar.randbytes(32) + (60_000).to_bytes(4, "big") + bytes(4) + self._azar.randbytes(600)
        return [*(b.encode() for b in buenos), trozo]

    # ------------------------------------------------------------------------------------------------------------ casos

    def caso(self) -> Mensaje:
        """Un mensaje para la puerta del centro."""
        datos = self._azar.choice(self.corpus)
        suerte = self._azar.random()
        if suerte < 0.12:
            datos = self._refirmar(datos)
        elif suerte < 0.97:
            for _ in range(self._azar.choice((1, 1, 1, 2, 5))):
                datos = self._azar.choice(self._cambios)(datos)
        return Mensaje(self._tema(datos), datos)

    def _tema(self, datos: bytes) -> str:
        suerte = self._azar.random()
        carril = Carril.IMAGEN if datos.startswith(b"PRT1") else self._azar.choice((*[Carril.HECHOS] * 6, *Carril))
        if _LATIDO in datos and suerte < 0.8:
            carril = Carril.LATIDO
        bueno = str(Tema(self._ambito, EQUIPO, carril))
        if suerte < 0.92:
            return bueno
        if suerte < 0.97:
            return self._un_byte(bueno.encode()).decode("utf-8", "surrogateescape")
        return "".join(chr(self._azar.choice((0, 47, 0xD800, 0x1F600, 0x2F))) for _ in range(self._azar.randrange(30)))

    def _lugar(self, datos: bytes) -> int:
        return self._azar.randrange(len(datos) + 1)

    def _un_byte(self, datos: bytes) -> bytes:
        lugar = self._lugar(datos)
        return (
            datos[:lugar]
            + bytes([self._azar.choice((0, 10, 46, 61, 255, self._azar.randrange(256)))])
            + datos[lugar + 1 :]
        )

    def _insertar(self, datos: bytes) -> bytes:
        lugar = self._lugar(datos)
        return datos[:lugar] + self._azar.randbytes(self._azar.choice((1, 2, 40))) + datos[lugar:]

    def _quitar(self, datos: bytes) -> bytes:
        lugar = self._lugar(datos)
        return datos[:lugar] + datos[lugar + self._azar.choice((1, 2, 80)) :]

    def _repetir(self, datos: bytes) -> bytes:
        lugar = self._lugar(datos)
        trozo = datos[lugar : lugar + self._azar.choice((4, 64))]
        return datos[:lugar] + trozo * self._azar.choice((1, 2, MAXIMO_BYTES // 64)) + datos[lugar:]

    def _injertar(self, datos: bytes) -> bytes:
        otro = self._azar.choice(self.corpus)
        return datos[: self._lugar(datos)] + otro[self._lugar(otro) :]

    def _cortar(self, datos: bytes) -> bytes:
        return datos[: self._lugar(datos)]

    def _refirmar(self, datos: bytes) -> bytes:
        """La misma carga con algo cambiado, bien firmada."""
        partes = datos.split(b".")
        if len(partes) != 3 or datos.startswith(b"PRT1"):
            return self._un_byte(datos)
        carga = urlsafe_b64decode(partes[1])
        if self._azar.random() < 0.4:
            carga = self._azar.choice(self._cambios)(carga)
        else:
            carga = json.dumps(self._mutar(json.loads(carga))).encode()
        tipo = self._azar.choice((Tipo.HECHO, Tipo.HECHO, Tipo.LATIDO, *Tipo))
        return llave_de(EQUIPO).firmar(tipo, carga).encode()

    def _mutar(self, dato: Any) -> Any:
        if isinstance(dato, dict) and dato and self._azar.random() < 0.9:
            llave = self._azar.choice([*sorted(dato), *[k for k in ("contenido", "campos") if k in dato] * len(dato)])
            suerte = self._azar.random()
            if suerte < 0.1:
                return {k: v for k, v in dato.items() if k != llave}
            if suerte < 0.2:
                return dato | {"otra": self._disparate()}
            return dato | {llave: self._mutar(dato[llave])}
        if isinstance(dato, int) and self._azar.random() < 0.5:
            return dato + self._azar.choice((-1, 1, 7))
        return self._disparate()

    def _disparate(self) -> Any:
        hondo: Any = 1
        for _ in range(self._azar.choice((0, 0, 9, 400))):
            hondo = [hondo]
        return self._azar.choice((None, True, -1, 0, 2**53, 10**40, 1.5, "", "\0", "ñ" * 90, "\ud800", [], {}, hondo))

    # ----------------------------------------------------------------------------------------------------------- correr

    def correr(self, casos: int) -> None:
        """Da esos casos por lotes y revisa el destino de cada uno."""
        while casos > 0 and not self.fallas:
            lote = [self.caso() for _ in range(min(LOTE, casos))]
            casos -= len(lote)
            faulthandler.dump_traceback_later(ATORADO_S, exit=True)
            try:
                self._dar(lote)
            finally:
                faulthandler.cancel_dump_traceback_later()
        self._cuadrar()

    def _dar(self, lote: list[Mensaje]) -> None:
        try:
            resultado = self.ingesta.procesar(lote)
        except Exception as error:
            self.fallas.append(f"la ingesta lanzó {error!r} con {self._culpable(lote)}")
            return
        if len(resultado.dictamenes) != len(lote):
            self.fallas.append(f"{len(lote)} mensajes y {len(resultado.dictamenes)} destinos")
        for mensaje, dictamen in zip(lote, resultado.dictamenes, strict=False):
            self.cuenta[f"{dictamen.destino.value} {dictamen.codigo}".strip()] += 1
            explicado = dictamen.destino in (Destino.ACEPTADO, Destino.REPETIDO) or (dictamen.codigo and dictamen.causa)
            if not explicado or dictamen.codigo == "ALMACEN":
                self.fallas.append(f"{dictamen} para {mensaje.tema!r} {mensaje.datos[:2000]!r}")

    def _culpable(self, lote: list[Mensaje]) -> str:
        for mensaje in lote:
            try:
                self.ingesta.procesar([mensaje])
            except Exception:
                return f"{mensaje.tema!r} {mensaje.datos[:2000]!r}"
        return "el lote completo, y con ninguno a solas"

    def _cuadrar(self) -> None:
        bd = self.almacen.bd
        (vistas,) = bd.execute("SELECT coalesce(sum(veces), 0) FROM veces JOIN cuarentena ON sha256 = clave").fetchone()
        (de_mas,) = bd.execute(
            "SELECT coalesce(sum(veces), 0) FROM desbordes WHERE clave LIKE 'cuarentena/%'"
        ).fetchone()
        fatales = sum(n for suceso, n in self.cuenta.items() if suceso.startswith(Destino.FATAL.value))
        if vistas + de_mas != fatales and not self.fallas:
            self.fallas.append(f"{fatales} rechazados y la cuarentena explica {vistas} más {de_mas} contados aparte")
        mudos = bd.execute("SELECT count(*) FROM cuarentena WHERE codigo = '' OR causa = ''").fetchone()[0]
        if mudos:
            self.fallas.append(f"{mudos} renglones de cuarentena sin explicación")


def probar(semilla: int, casos: int) -> tuple[Counter[str], list[str]]:
    """Una tanda en su propia carpeta: qué destinos hubo y qué falló."""
    with carpeta_en_memoria() as carpeta:
        fuzz = Fuzz(semilla, carpeta / "centro")
        try:
            fuzz.correr(casos)
        finally:
            fuzz.almacen.cerrar()
        return fuzz.cuenta, fuzz.fallas


def principal(casos: int, semilla: int, nucleos: int, consola: Console) -> int:
    """Reparte los casos en tandas. Devuelve 0 si ninguno falló."""
    tandas = [(semilla + i, min(TANDA, casos - i * TANDA)) for i in range(-(-casos // TANDA))]
    cuenta: Counter[str] = Counter()
    comienzo = time.monotonic()
    with ProcessPoolExecutor(nucleos) as hijos:
        for (cual, _), (vistos, fallas) in zip(tandas, hijos.map(probar, *zip(*tandas, strict=True)), strict=True):
            cuenta += vistos
            if fallas:
                consola.print(f"[bold red]Falló la semilla {cual}:[/]")
                consola.print(*fallas[:5], sep="\n", markup=False)
                return 1
    segundos = time.monotonic() - comienzo
    for suceso, veces in cuenta.most_common():
        consola.print(f"{veces:>10,}  {suceso}")
    consola.print(
        f"{casos:,} casos en {segundos:,.0f} s: {casos / segundos:,.0f} por segundo; cada uno con su destino."
    )
    return 0
