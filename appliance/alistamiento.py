"""El informe de alistamiento: si este kiosco está listo para la noche, renglón por renglón y con qué hacer.

Cada revisión prueba de verdad lo que dice: escribe y relee en el disco, firma y verifica, recorre la bitácora. Lo que
no se puede probar aquí se dice «no probado», nunca «bien».
"""

from __future__ import annotations

import contextlib
import os
import platform
import secrets
import shutil
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from pathlib import Path
from typing import Final

from appliance import bitacora
from appliance.almacen import Almacen
from appliance.arranque import Kiosco, huella_del_programa
from appliance.corriente import Corriente
from appliance.disco import ESPERA_S, explicada
from appliance.falla import Falla
from appliance.hoja_en_blanco import Blancura
from appliance.llave import LlaveDeArchivo
from appliance.mochila import sello_de
from appliance.personas import NOMBRES, Papel, Persona
from appliance.reloj import LIBRE, SINCRONIZADO, VIRTUAL
from nucleo.concordancia import concordar
from nucleo.problema import Rechazo
from nucleo.sobre import CADENA_NUEVA, Sobre, SobreInvalido, abrir, sellar

DISCO_BAJO: Final = 2_000_000_000
"""Bytes libres: unas diez mil imágenes de acta y sobra para una noche."""

DISCO_CRITICO: Final = 300_000_000
_PRUEBA_BYTES: Final = 4 * 2**20
_RESTO: Final = ".alistamiento-"
_LEJOS: Final = timedelta(days=1)


class Estado(Enum):
    """Cómo salió una revisión."""

    BIEN = "bien"
    ATENCION = "atención"
    MAL = "mal"
    NO_PROBADO = "no probado"


@dataclass(frozen=True, slots=True)
class Revision:
    """Un renglón del informe. `hacer` va vacío sólo si está bien."""

    nombre: str
    estado: Estado
    dicho: str
    hacer: str = ""


@dataclass(frozen=True)
class Informe:
    """El informe completo, en el orden en que se lee."""

    hora: datetime
    revisiones: tuple[Revision, ...]

    @property
    def veredicto(self) -> Estado:
        """El peor de todos; lo no probado pide atención."""
        estados = {r.estado for r in self.revisiones}
        if Estado.MAL in estados:
            return Estado.MAL
        return Estado.ATENCION if estados & {Estado.ATENCION, Estado.NO_PROBADO} else Estado.BIEN

    def cuenta(self, estado: Estado) -> int:
        return sum(r.estado is estado for r in self.revisiones)


@dataclass(frozen=True)
class Aparatos:
    """Lo que sólo sabe quien tiene los aparatos. `None` en `hoja` es que no se pasó ninguna."""

    corriente: Corriente
    hoja: Blancura | Rechazo | None = None
    impresora: str | Rechazo | None = None
    """Cómo está, en palabras; `None` si no hay."""
    impresora_lista: bool = True


def informe(kiosco: Kiosco, personas: Sequence[Persona], aparatos: Aparatos, ahora: datetime) -> Informe:
    """Revisa todo. Lo que falle por dentro es un renglón «mal», no una excepción."""
    revisiones = (
        _hoja(aparatos.hoja),
        _impresora(aparatos),
        _corriente(aparatos.corriente),
        _disco(kiosco.carpeta),
        _escritura(kiosco.carpeta),
        _reloj(kiosco, ahora),
        _llave(kiosco, ahora),
        _sello(kiosco.carpeta),
        _definicion(kiosco),
        _bandeja(kiosco.almacen),
        _bitacora(kiosco.almacen),
        *_personas(personas),
        _programa(),
    )
    return Informe(ahora, revisiones)


def tirar_restos(carpeta: Path) -> None:
    """Al arrancar: si se fue la luz a media prueba de escritura, quedó su archivo, que no guarda nada."""
    for ruta in carpeta.glob(f"{_RESTO}*"):
        with contextlib.suppress(OSError):
            ruta.unlink()


def _hoja(hoja: Blancura | Rechazo | None) -> Revision:
    nombre = "Escáner, con una hoja en blanco"
    match hoja:
        case None:
            que_hacer = "ponga una hoja en blanco y toque «Probar el escáner»"
            return Revision(nombre, Estado.NO_PROBADO, "no se ha pasado una hoja en blanco", que_hacer)
        case Rechazo():
            return Revision(nombre, Estado.MAL, hoja.que, hoja.siguiente)
        case Blancura(limpia=True):
            return Revision(nombre, Estado.BIEN, "sale limpia: sin rayas ni manchas")
        case Blancura(rayas=rayas) if rayas:
            lugares = ", ".join(f"{r} %" for r in rayas[:5])
            dicho = f"salen {len(rayas)} rayas (a {lugares} del ancho, desde la izquierda)"
            hacer = "limpie el vidrio y los rodillos con el paño del equipo y pruebe otra vez"
            return Revision(nombre, Estado.MAL, dicho, hacer)
        case Blancura(manchas=manchas) if manchas:
            dicho = f"{len(manchas)} celdas manchadas; la primera en la fila {manchas[0][0]}, columna {manchas[0][1]}"
            hacer = "use otra hoja; si sale igual, limpie el vidrio"
            return Revision(nombre, Estado.ATENCION, dicho, hacer)
        case _:
            return Revision(nombre, Estado.MAL, "sale negra", "revise que la hoja esté del lado que se lee")


def _impresora(aparatos: Aparatos) -> Revision:
    nombre = "Impresora de etiquetas"
    match aparatos.impresora:
        case None:
            hacer = "conéctela; sin ella las etiquetas y relaciones quedan en PDF"
            return Revision(nombre, Estado.NO_PROBADO, "no hay impresora dada de alta", hacer)
        case Rechazo() as rechazo:
            return Revision(nombre, Estado.MAL, rechazo.que, rechazo.siguiente)
        case str(palabras):
            estado = Estado.BIEN if aparatos.impresora_lista else Estado.MAL
            hacer = "" if aparatos.impresora_lista else "revísela y vuelva a hacer el informe"
            return Revision(nombre, estado, palabras, hacer)


def _corriente(corriente: Corriente) -> Revision:
    nombre = "Corriente y batería"
    if corriente.carga is None:
        hacer = "conecte el kiosco a un no-break y anote cuántos minutos aguanta"
        return Revision(nombre, Estado.NO_PROBADO, corriente.palabras, hacer)
    if corriente.enchufado is False:
        return Revision(nombre, Estado.MAL, corriente.palabras, "conéctelo a la corriente")
    if corriente.carga < 80:
        return Revision(nombre, Estado.ATENCION, corriente.palabras, "déjelo cargar antes de que empiece la noche")
    return Revision(nombre, Estado.BIEN, corriente.palabras)


def _disco(carpeta: Path) -> Revision:
    nombre = "Espacio en disco"
    try:
        libre = shutil.disk_usage(carpeta).free
    except OSError as error:
        return Revision(nombre, Estado.MAL, f"no se puede leer ({error.strerror})", "llame al área técnica")
    dicho = f"{libre / 1e9:.1f} GB libres"
    if libre < DISCO_CRITICO:
        return Revision(nombre, Estado.MAL, dicho, "llame al área técnica: no alcanza para la noche")
    if libre < DISCO_BAJO:
        return Revision(nombre, Estado.ATENCION, dicho, "llame al área técnica para liberar espacio")
    return Revision(nombre, Estado.BIEN, dicho)


def _escritura(carpeta: Path) -> Revision:
    nombre = "Escritura en disco, probada"
    ruta = carpeta / f"{_RESTO}{secrets.token_hex(4)}"
    bloque = secrets.token_bytes(_PRUEBA_BYTES)
    try:
        with ruta.open("xb") as salida:
            salida.write(bloque)
            salida.flush()
            os.fsync(salida.fileno())
            os.posix_fadvise(salida.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        if ruta.read_bytes() != bloque:
            return Revision(nombre, Estado.MAL, "lo releído no es lo escrito", "no use este equipo: el disco falla")
    except OSError as error:
        return Revision(nombre, Estado.MAL, f"no se pudo ({error.strerror})", "llame al área técnica")
    finally:
        with contextlib.suppress(OSError):
            ruta.unlink()
    return Revision(nombre, Estado.BIEN, f"{_PRUEBA_BYTES // 2**20} MB escritos, asegurados y releídos iguales")


def _reloj(kiosco: Kiosco, ahora: datetime) -> Revision:
    nombre = "Reloj"
    calidad = kiosco.reloj.calidad()
    dicho = f"{ahora:%d/%m/%Y %H:%M:%S}, {calidad}"
    inicio, cierre = kiosco.proceso.inicio_operacion, kiosco.proceso.cierre
    if calidad == VIRTUAL:
        return Revision(nombre, Estado.ATENCION, dicho, "es la hora de un ensayo: en una jornada real no debe verse")
    if calidad == SINCRONIZADO:
        return Revision(nombre, Estado.BIEN, dicho)
    if not inicio - _LEJOS <= ahora <= cierre + _LEJOS:
        que = f"la operación es del {inicio:%d/%m/%Y}: si es hoy, ponga el reloj en hora"
        return Revision(nombre, Estado.ATENCION, dicho, que)
    sin_red = "sin red el reloj corre solo" if calidad == LIBRE else "no se sabe si está sincronizado"
    return Revision(nombre, Estado.ATENCION, dicho, f"{sin_red}: compárelo con un reloj confiable")


def _llave(kiosco: Kiosco, ahora: datetime) -> Revision:
    nombre = "Llave: firmar y verificar"
    i = kiosco.identidad
    try:
        llave = LlaveDeArchivo(kiosco.carpeta / "llave.pem", i.equipo)
        # No se asienta: la secuencia 1 sobre una cadena nueva no es la de este libro, y nadie la manda.
        prueba = Sobre(
            kiosco.proceso.clave,
            i.modo,
            i.catd,
            i.equipo,
            i.epoca,
            1,
            CADENA_NUEVA,
            ahora,
            "desconocido",
            "alistamiento",
            "alistamiento",
            {"prueba": "alistamiento"},
        )
        abierto = abrir(sellar(prueba, llave), llave.publica())
    except Falla as falla:
        return Revision(nombre, Estado.MAL, falla.rechazo.que, falla.rechazo.siguiente)
    except SobreInvalido as error:
        return Revision(
            nombre, Estado.MAL, f"lo firmado no se pudo verificar ({error})", "vuelva a inscribir el kiosco"
        )
    return Revision(nombre, Estado.BIEN, f"firma y verifica como {abierto.equipo}, época {abierto.epoca}")


def _sello(carpeta: Path) -> Revision:
    nombre = "Sello de la mochila"
    try:
        llave = sello_de(carpeta)
    except Falla as falla:
        return Revision(nombre, Estado.MAL, falla.rechazo.que, falla.rechazo.siguiente)
    if llave is None:
        dicho = "no está: sin él no se puede copiar a una memoria USB"
        return Revision(
            nombre, Estado.ATENCION, dicho, "que la autoridad repita `./prep inscribir`, y traiga el archivo"
        )
    return Revision(nombre, Estado.BIEN, f"para el centro {llave.thumbprint()[:12]}")


def _definicion(kiosco: Kiosco) -> Revision:
    p = kiosco.proceso
    dicho = f"{p.clave}, modo {kiosco.identidad.modo}; {concordar(len(p.elecciones), 'elección', 'elecciones')}, "
    dicho += f"{concordar(len(p.casillas), 'casilla', 'casillas')}; "
    dicho += f"huella {p.huella[:16] or 'sin calcular'}"
    if kiosco.identidad.modo != p.modo:
        return Revision("Definición y catálogo", Estado.MAL, dicho, "el modo no es el inscrito: vuelva a inscribir")
    return Revision("Definición y catálogo", Estado.BIEN, dicho)


def _bandeja(almacen: Almacen) -> Revision:
    nombre = "Bandeja y contadores"
    try:
        r = almacen.resumen()
    except Falla as falla:
        return Revision(nombre, Estado.MAL, falla.rechazo.que, falla.rechazo.siguiente)
    dicho = f"{r.secuencia} hojas en el libro, {r.pendientes} sin acuse, {r.apartados} apartadas"
    if r.alarma:
        return Revision(nombre, Estado.MAL, f"{dicho}; alarma: {r.alarma}", "no lo use: llame al área técnica")
    if r.apartados:
        return Revision(nombre, Estado.ATENCION, dicho, "abra Coordinación: ahí dice qué apartó el centro")
    if r.ultimo_acuse is None:
        return Revision(nombre, Estado.ATENCION, f"{dicho}; el centro nunca ha contestado", "revise la red y el enlace")
    return Revision(nombre, Estado.BIEN, dicho)


def _bitacora(almacen: Almacen) -> Revision:
    nombre = "Bitácora encadenada"
    try:
        # Con su propia conexión: recorrerla toda con el almacén tomado detendría a las demás pantallas.
        with explicada(), contextlib.closing(_aparte(almacen.ruta)) as conexion:
            conexion.execute("BEGIN")
            defecto = bitacora.comprobar(conexion)
            faltan = bitacora.cuantos_faltan(conexion)
    except Falla as falla:
        return Revision(nombre, Estado.MAL, falla.rechazo.que, falla.rechazo.siguiente)
    if defecto:
        return Revision(nombre, Estado.MAL, f"rota: {defecto}", "avise al área técnica: alguien la modificó")
    return Revision(nombre, Estado.BIEN, f"entera, renglón por renglón; {faltan} por mandar")


def _aparte(ruta: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{ruta.resolve().as_uri()}?mode=ro", uri=True, timeout=ESPERA_S, isolation_level=None)


def _personas(personas: Sequence[Persona]) -> tuple[Revision, ...]:
    por_papel = {papel: sum(p.puede(papel) for p in personas) for papel in Papel}
    dicho = ", ".join(f"{NOMBRES[papel]}: {cuantas}" for papel, cuantas in por_papel.items())
    vacios = [NOMBRES[papel] for papel, cuantas in por_papel.items() if not cuantas]
    if vacios:
        hacer = f"inscriba a alguien en {', '.join(vacios)}"
        por_papeles = Revision("Personas inscritas", Estado.MAL, dicho, hacer)
    else:
        por_papeles = Revision("Personas inscritas", Estado.BIEN, dicho)
    leen = sum(p.puede(Papel.CAPTURA, Papel.VERIFICACION) for p in personas)
    nombre = "Gente para la doble captura"
    lectores = f"{leen} personas pueden leer actas"
    if leen < 2:
        return por_papeles, Revision(nombre, Estado.MAL, lectores, "con menos de dos ningún acta se verifica")
    if leen < 3:
        hacer = "si dos lecturas no coinciden hace falta una tercera persona: inscriba a otra"
        return por_papeles, Revision(nombre, Estado.ATENCION, lectores, hacer)
    return por_papeles, Revision(nombre, Estado.BIEN, lectores)


def _programa() -> Revision:
    dicho = f"{huella_del_programa()}; Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, "
    return Revision("Programa", Estado.BIEN, f"{dicho}Linux {platform.release()}")
