"""Orden que verifica una publicación: `./prep verificar …`. Cómo se lee una dirección de internet lo pone quien llama.

Sale con 0 si todo es cierto, 1 en la primera mentira y 2 si algo no se pudo leer.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from auditoria.verificar import acta, noche, recibo
from auditoria.verificar.lector import Lector, LectorDeCarpeta, NoSePuede
from nucleo.publicacion.mentira import Mentira

CIERTO, MIENTE, NO_SE_PUDO = 0, 1, 2

Abrir = Callable[[str], Lector]
"""De lo que se escribió como DIR a de dónde leer. Raises: NoSePuede."""

_SIN_COMPARAR: Final = (
    "la llave se tomó de la propia publicación: compárela con la puesta en ceros impresa, o repita con --llave"
)


def abrir_carpeta(donde: str) -> Lector:
    """El lector de una carpeta. Raises: NoSePuede."""
    return LectorDeCarpeta(Path(donde))


def suborden(ordenes: Any, nombre: str, ayuda: str) -> argparse.ArgumentParser:
    """Otra pregunta, con lo que todas aceptan."""
    esta: argparse.ArgumentParser = ordenes.add_parser(nombre, help=ayuda, description=ayuda)
    esta.add_argument("--llave", default="", help="la llave del registro (vkey) que usted ya conoce")
    esta.add_argument("--json", action="store_true", help="dice el resultado en un objeto JSON")
    return esta


def lector_de_argumentos() -> tuple[argparse.ArgumentParser, Any]:
    """Lo que se puede pedir, y dónde agregarle más preguntas (`suborden`)."""
    raiz = argparse.ArgumentParser(prog="./prep verificar", description="Comprueba una publicación.")
    ordenes = raiz.add_subparsers(dest="que", required=True, metavar="QUÉ")
    suborden(ordenes, "todo", "todo lo publicado, hasta el último archivo").add_argument("donde", metavar="DIR|URL")
    corte = suborden(ordenes, "corte", "los archivos de un corte")
    corte.add_argument("corte", metavar="N", help="su nombre, como 20240602_2000")
    corte.add_argument("donde", metavar="DIR|URL")
    un_acta = suborden(ordenes, "acta", "un acta; sin publicación, con su prueba, su JSON y --llave")
    un_acta.add_argument("acta", metavar="CLAVE|ARCHIVO.tlog-proof", help="ELECCION/CLAVE_CASILLA, o una prueba suelta")
    un_acta.add_argument("donde", metavar="DIR|URL|ACTA.json")
    un_recibo = suborden(ordenes, "recibo", "el QR del recibo que dio el CATD")
    un_recibo.add_argument("recibo", metavar="TEXTO", help="lo que dice el QR, entre comillas")
    un_recibo.add_argument("donde", metavar="DIR|URL")
    minutos = int(recibo.PLAZO.total_seconds() // 60)
    un_recibo.add_argument("--plazo", type=int, default=minutos, help="minutos que se esperan (%(default)s)")
    return raiz, ordenes


def correr(opciones: argparse.Namespace, abrir: Abrir = abrir_carpeta) -> int:
    """Hace lo pedido, lo dice y devuelve la salida de la orden."""
    try:
        if opciones.json:
            dicho = _hacer(opciones, abrir, noche.nada)
        else:
            with con_barra() as avance:
                dicho = _hacer(opciones, abrir, avance)
    except Mentira as mentira:
        return decir_mentira(mentira, opciones.json)
    except (NoSePuede, OSError) as error:
        return decir_que_no_se_pudo(error, opciones.json)
    decir_cierto(dicho, opciones)
    return CIERTO


def _hacer(opciones: argparse.Namespace, abrir: Abrir, avance: noche.Avance) -> dict[str, Any]:
    if opciones.que == "acta" and opciones.acta.endswith(".tlog-proof"):
        una = acta.fuera_de_linea(Path(opciones.acta), Path(opciones.donde), opciones.llave)
        return {"actas": [_de_acta(una)], "llave": opciones.llave}
    lector = abrir(opciones.donde)
    if opciones.que == "todo":
        return _de_noche(noche.todo(lector, opciones.llave, avance, espera=noche.ESPERA))
    if opciones.que == "corte":
        return _de_noche(noche.repasar(lector, opciones.llave, avance, archivos_de=opciones.corte))
    if opciones.que == "acta":
        repasada, actas = acta.en_publicacion(lector, opciones.acta, opciones.llave, avance)
        return _de_noche(repasada) | {"actas": list(map(_de_acta, actas))}
    plazo = timedelta(minutes=opciones.plazo)
    repasada, hallado = recibo.verificar(lector, opciones.recibo, opciones.llave, avance, plazo)
    de_recibo = {
        "acta": str(hallado.promesa.acta),
        "destino": hallado.destino.value,
        "detalle": hallado.detalle,
    }
    return _de_noche(repasada) | {"recibo": de_recibo}


def _de_noche(repasada: noche.Repasada) -> dict[str, Any]:
    registro, cuenta = repasada.registro, repasada.cuenta
    firmado = registro.firmado
    return {
        "registro": registro.ceros.origen,
        "llave": registro.ceros.llave,
        "hojas": firmado.punto.tamano,
        "raiz": firmado.punto.raiz.hex(),
        "cofirmas": len(firmado.firmas) - 1,
        "testigos": len(registro.testigos),
        "quorum": registro.ceros.quorum,
        "cortes": [n for n, _ in repasada.cortes],
        "recalculados": cuenta.recalculados,
        "por_huella": cuenta.por_huella,
        "avisos": cuenta.avisos,
    }


def _de_acta(una: acta.ActaVerificada) -> dict[str, Any]:
    return {
        "acta": str(una.acta),
        "situacion": una.situacion,
        "corte": una.corte,
        "hoja": una.indice,
        "imagen": una.imagen,
        "sobres": una.sobres,
        "prueba": una.prueba,
    }


def decir_cierto(dicho: dict[str, Any], opciones: argparse.Namespace) -> None:
    """Lo que se comprobó."""
    if opciones.json:
        print(json.dumps({"resultado": "cierto", **dicho}, ensure_ascii=False))
        return
    pantalla = Console(highlight=False, soft_wrap=True)
    if "hojas" in dicho:
        pantalla.print(
            f"{dicho['registro']}: {dicho['hojas']} hojas, {len(dicho['cortes'])} cortes; el último punto de control "
            f"lo cofirman {dicho['cofirmas']} de {dicho['testigos']} testigos (se piden {dicho['quorum']})"
        )
    if dicho.get("recalculados"):
        pantalla.print(
            f"{dicho['recalculados']} archivos salen, byte por byte, de los hechos firmados; "
            f"{dicho['por_huella']} más son los que el registro dice"
        )
    for una in dicho.get("actas", ()):
        imagen = f"imagen {una['imagen'][:16]}…" if una["imagen"] else "sin imagen publicada"
        pantalla.print(
            f"{una['acta']}: {una['situacion']}, desde el corte {una['corte']}; hoja {una['hoja']}, "
            f"{una['sobres']} hechos firmados, {imagen}"
        )
    if "recibo" in dicho:
        pantalla.print("recibo de {acta}: {destino}, {detalle}".format(**dicho["recibo"]))
    for aviso in dicho.get("avisos", ()):
        pantalla.print(f"aviso: {escape(aviso)}")
    if "espejos" in dicho:
        pantalla.print(dicho["espejos"])
    elif not opciones.llave:
        pantalla.print(f"llave {dicho['llave']}: {_SIN_COMPARAR}")
    pantalla.print("CIERTO: no se halló ninguna mentira")


def decir_mentira(mentira: Mentira, en_json: bool) -> int:
    """La dice y devuelve 1."""
    if en_json:
        partes = {n: getattr(mentira, n) for n in ("donde", "decia", "debia", "significa")}
        print(json.dumps({"resultado": "mentira", **partes}, ensure_ascii=False))
        return MIENTE
    pantalla = Console(highlight=False, soft_wrap=True)
    pantalla.print(f"MENTIRA en {escape(mentira.donde)}")
    pantalla.print(f"  decía:       {escape(mentira.decia)}")
    pantalla.print(f"  debía decir: {escape(mentira.debia)}")
    pantalla.print(f"  {escape(mentira.significa)}")
    return MIENTE


def decir_que_no_se_pudo(error: Exception, en_json: bool) -> int:
    """Lo dice y devuelve 2."""
    if en_json:
        print(json.dumps({"resultado": "ilegible", "causa": str(error)}, ensure_ascii=False))
    else:
        Console(stderr=True, highlight=False, soft_wrap=True).print(f"verificar: {escape(str(error))}")
    return NO_SE_PUDO


@contextmanager
def con_barra() -> Iterator[noche.Avance]:
    """Cuánto va, en la pantalla y no en la salida."""
    columnas = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columnas, console=Console(stderr=True), transient=True) as barra:
        tarea = barra.add_task("registro", total=None)

        def avanzar(que: str, va: int, de: int) -> None:
            barra.update(tarea, description=que, completed=va, total=de)

        yield avanzar


def main(argumentos: Sequence[str] | None = None) -> int:
    """La orden, sin red: sólo carpetas."""
    return correr(lector_de_argumentos()[0].parse_args(argumentos))
