"""En qué modo trabaja el aparato y cómo se cambia: cada modo es una carpeta aparte, con su llave y su almacén.

    aparato/activo          el nombre del modo
    aparato/capacitacion/   se crea aquí mismo, con una llave de práctica; no hay centro que la conozca
    aparato/simulacro/      carpeta inscrita
    aparato/oficial/        carpeta inscrita

Así los modos no se mezclan ni por descuido. Salir de un modo de ensayo borra su carpeta, con confirmación; lo oficial
no se borra nunca: es el respaldo de un CATD.
"""

from __future__ import annotations

import contextlib
import json
import secrets
import shutil
import sqlite3
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from joserfc.jwk import ECKey

from appliance import durable, llave
from appliance.falla import Falla
from appliance.identidad import ARCHIVO, Identidad, leer_identidad
from appliance.mochila import SELLO
from nucleo.definicion import DefinicionInvalida, cargar_proceso
from nucleo.modos import CAPACITACION, MODOS, OFICIAL
from nucleo.problema import Rechazo

ACTIVO: Final = "activo"
AJUSTES: Final = ("puesto.toml", "ambito.toml", "personas.toml", "enlace.toml")
PRACTICA: Final = Path(__file__).resolve().parents[1] / "datos" / "capacitacion"
"""La definición de capacitación que viene con el programa."""

_BORRANDO: Final = ".borrando-"
_SIN_CENTRO: Final = ("127.0.0.1", 8883)
_SIN_CATD: Final = "practica"
"""El CATD de quien practica sin haberse inscrito nunca."""
"""En capacitación no se conecta a nadie; la identidad exige un bróker y éste no contesta."""


@dataclass(frozen=True, slots=True)
class Cambio:
    """Lo que pasará al cambiar de modo. `confirmacion` es lo que hay que teclear tal cual."""

    de: str
    a: str
    se_borra: bool
    hechos: int
    confirmacion: str


def resolver(carpeta: Path) -> Path:
    """La carpeta con que se trabaja: la misma, si es de un solo modo, o la del modo activo del aparato.

    Raises:
        Falla: MODO, si el modo activo no se entiende o su carpeta no está.
    """
    if (carpeta / ARCHIVO).exists() or not (carpeta / ACTIVO).exists():
        return carpeta
    activo = _activo(carpeta)
    if not (carpeta / activo / ARCHIVO).exists():
        raise Falla(
            "MODO",
            f"El aparato está en modo {activo} y su carpeta no está",
            "se apagó a medio cambio de modo, o alguien la movió",
            "elija el modo otra vez con `./prep catd modo`",
        )
    return carpeta / activo


def planear(carpeta: Path, a: str) -> Cambio | Rechazo:
    """Qué pasará si se cambia a ese modo, o por qué no se puede. No cambia nada."""
    if a not in MODOS:
        return Rechazo("MODO", f"No hay un modo «{a[:20]}»", "se tecleó mal", f"use {', '.join(MODOS)}")
    if (carpeta / ARCHIVO).exists():
        return Rechazo(
            "MODO",
            "Este kiosco es de un solo modo",
            "su carpeta se inscribió sola, no dentro de un aparato con varios modos",
            "ponga cada carpeta inscrita en una común: aparato/simulacro, aparato/oficial",
        )
    de = ""
    # Un `activo` ilegible no debe impedir justo lo que lo repara.
    with contextlib.suppress(Falla):
        de = _activo(carpeta)
    if de == a and (carpeta / a / ARCHIVO).exists():
        return Rechazo("MODO", f"El aparato ya está en modo {a}", "se cambió antes", "siga trabajando")
    if a != CAPACITACION and (rechazo := _no_inscrita(carpeta, a)):
        return rechazo
    hechos, pendientes = _contenido(carpeta / de) if de else (0, 0)
    if de == OFICIAL and hechos:
        return Rechazo(
            "MODO_OFICIAL",
            f"El aparato ya tiene {hechos} hechos oficiales y no puede cambiar de modo",
            "la jornada empezó en este kiosco",
            "use otro equipo para capacitación o simulacro; éste se conserva hasta el cierre",
        )
    if de not in ("", CAPACITACION, OFICIAL) and pendientes:
        return Rechazo(
            "PENDIENTES",
            f"Quedan {pendientes} sobres de {de} sin acuse del centro",
            "el enlace está caído o aún no termina",
            "espere a que la barra diga «todo entregado», o lléveselos en la mochila, y repita",
        )
    se_borra = de not in ("", OFICIAL)
    return Cambio(de, a, se_borra, hechos, f"BORRAR {de}".upper() if se_borra else f"PASAR A {a}".upper())


def cambiar(carpeta: Path, a: str, confirmacion: str, *, practica: Path = PRACTICA) -> Path | Rechazo:
    """Cambia de modo y devuelve la carpeta nueva. Si se va la luz a la mitad, repetirlo lo completa.

    Args:
        confirmacion: el texto de `Cambio.confirmacion`, tal cual.
        practica: carpeta de la definición de capacitación; sólo hace falta para pasar a ese modo.

    Raises:
        Falla: DISCO o DEFINICION.
    """
    plan = confirmado(carpeta, a, confirmacion)
    if isinstance(plan, Rechazo):
        return plan
    try:
        for resto in carpeta.glob(_BORRANDO + "*"):
            shutil.rmtree(resto)
        if a == CAPACITACION and not (carpeta / CAPACITACION / ARCHIVO).exists():
            crear_capacitacion(carpeta, practica, _catd_de(carpeta))
        _conservar_ajustes(carpeta / plan.de, carpeta / a)
        # El orden importa: primero deja de verse lo que se borra, luego se anuncia el modo nuevo y al final se borra.
        basura = carpeta / f"{_BORRANDO}{plan.de}-{secrets.token_hex(4)}"
        if plan.se_borra and (carpeta / plan.de).exists():
            (carpeta / plan.de).rename(basura)
        _escribir(carpeta / ACTIVO, a)
        if basura.exists():
            shutil.rmtree(basura)
    except OSError as error:
        raise Falla(
            "DISCO",
            f"El cambio de modo no terminó ({error.strerror})",
            "el disco está lleno o la carpeta es de otra cuenta",
            "libere espacio y repita el mismo cambio: sigue donde se quedó",
        ) from error
    return carpeta / a


def _conservar_ajustes(de: Path, a: Path) -> None:
    """Lo que se configuró a mano en el modo que se deja pasa al nuevo, si allá no hay otro."""
    # El ámbito es de un catálogo, y el de la práctica es otro.
    ajenos = {"ambito.toml"} if CAPACITACION in (de.name, a.name) else set()
    for nombre in AJUSTES:
        if nombre not in ajenos and (de / nombre).is_file() and not (a / nombre).exists():
            _escribir(a / nombre, (de / nombre).read_text(encoding="utf-8").rstrip("\n"))


def confirmado(carpeta: Path, a: str, confirmacion: str) -> Cambio | Rechazo:
    """Lo que pasará, si se puede y se confirmó con el texto pedido. No cambia nada. Raises: Falla."""
    plan = planear(carpeta, a)
    if isinstance(plan, Rechazo) or confirmacion.strip().upper() == plan.confirmacion:
        return plan
    return Rechazo(
        "SIN_CONFIRMAR",
        "No se cambió de modo",
        "el texto de confirmación no es el pedido",
        f"escriba exactamente: {plan.confirmacion}",
    )


def crear_capacitacion(carpeta: Path, definicion: Path, catd: str) -> Path:
    """Crea `carpeta/capacitacion`: una identidad con llave propia que ningún centro conoce.

    Raises:
        Falla: DEFINICION, si no es de modo capacitación; OSError por el disco.
    """
    try:
        proceso = cargar_proceso(definicion)
    except (DefinicionInvalida, OSError) as error:
        raise Falla(
            "DEFINICION",
            f"No se pudo leer la definición de capacitación en {definicion}",
            "la carpeta es otra o está incompleta",
            "indique datos/capacitacion",
        ) from error
    if proceso.modo != CAPACITACION:
        raise Falla(
            "MODO",
            f"La definición {definicion} es de modo {proceso.modo}",
            "se indicó la de un simulacro o la oficial",
            "indique una definición con modo = «capacitacion»",
        )
    provisional = carpeta / f".{CAPACITACION}-a-medias"
    shutil.rmtree(provisional, ignore_errors=True)
    provisional.mkdir(mode=0o700, parents=True)
    llave.generar(provisional / "llave.pem")
    # La otra mitad no se guarda: una mochila de práctica se copia igual que las demás y nadie la puede abrir.
    durable.escribir(provisional / SELLO, ECKey.generate_key("P-256").as_pem(private=False))
    equipo = catd if catd == _SIN_CATD else f"{catd}-{_SIN_CATD}"[:38].strip("-")
    identidad = Identidad(equipo, catd, secrets.token_hex(8), CAPACITACION, definicion.resolve(), *_SIN_CENTRO)
    renglones = [
        # Una cadena básica de TOML se escapa igual que una de JSON.
        f"{llave_toml} = {json.dumps(valor if isinstance(valor, int) else str(valor))}"
        for llave_toml, valor in asdict(identidad).items()
    ]
    _escribir(provisional / ARCHIVO, "\n".join(renglones))
    leer_identidad(provisional)
    provisional.rename(carpeta / CAPACITACION)
    return carpeta / CAPACITACION


def _catd_de(carpeta: Path) -> str:
    for modo in MODOS:
        with contextlib.suppress(Falla):
            return leer_identidad(carpeta / modo).catd
    return _SIN_CATD


def _activo(carpeta: Path) -> str:
    try:
        activo = (carpeta / ACTIVO).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        activo = ""
    if activo not in MODOS:
        raise Falla(
            "MODO",
            f"El archivo {carpeta / ACTIVO} no dice un modo",
            "se editó a mano o el disco falló",
            "elija el modo otra vez con `./prep catd modo`",
        )
    return activo


def _no_inscrita(carpeta: Path, modo: str) -> Rechazo | None:
    try:
        identidad = leer_identidad(carpeta / modo)
    except Falla as falla:
        return Rechazo(
            "SIN_INSCRIBIR",
            f"El aparato no está inscrito para {modo}",
            falla.rechazo.que,
            f"inscríbalo y ponga la carpeta en {carpeta / modo}",
        )
    if identidad.modo != modo:
        return Rechazo(
            "MODO",
            f"La carpeta {carpeta / modo} es de modo {identidad.modo}",
            "se copió en el lugar de otra",
            "ponga cada carpeta inscrita en la de su modo",
        )
    return None


def _contenido(carpeta: Path) -> tuple[int, int]:
    """(hechos, pendientes de acuse) del almacén, sin contar hojas de bitácora; (0, 0) si aún no existe."""
    ruta = carpeta / "almacen.sqlite"
    if not ruta.exists():
        return 0, 0
    try:
        with contextlib.closing(sqlite3.connect(f"file:{ruta}?mode=ro", uri=True)) as conexion:
            # La bitácora se asienta sola: una hoja suya no es un acta que proteger, y nunca dejaría cambiar.
            (hechos,) = conexion.execute("SELECT count(*) FROM hechos WHERE tipo <> 'bitacora'").fetchone()
            (pendientes,) = conexion.execute(
                "SELECT count(*) FROM bandeja JOIN hechos USING (secuencia) "
                "WHERE estado = 'pendiente' AND tipo <> 'bitacora'"
            ).fetchone()
    except sqlite3.Error as error:
        raise Falla(
            "ALMACEN_DANADO",
            f"No se pudo leer {ruta} ({error})",
            "el disco falla o el archivo está dañado",
            "no cambie de modo; llame al área técnica",
        ) from error
    return int(hechos), int(pendientes)


def _escribir(ruta: Path, texto: str) -> None:
    durable.escribir(ruta, (texto + "\n").encode())
