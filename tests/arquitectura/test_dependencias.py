"""Quién puede importar a quién, y qué no puede hacer el núcleo: se lee del código, no se promete."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Final

import pytest

RAIZ: Final = Path(__file__).resolve().parents[2]
PAQUETES: Final = ("nucleo", "appliance", "servicio_central", "auditoria", "vigilancia", "ensayo")
CASA: Final = {*PAQUETES, "tests"}
DE_LA_CASA: Final[dict[str, set[str]]] = {
    "nucleo": {"nucleo"},
    "appliance": {"nucleo", "appliance"},
    "servicio_central": {"nucleo", "servicio_central"},
    "auditoria": {"nucleo", "auditoria"},
    "vigilancia": {"nucleo", "auditoria", "vigilancia"},
    "ensayo": set(PAQUETES),
}
DE_FUERA: Final = {"nucleo": {"cryptography", "joserfc"}, "auditoria": {"rich"}, "vigilancia": {"cryptography"}}
"""Los que no están aquí pueden usar cualquier paquete que declare `requisitos.in`."""

VIENE_CON: Final = {"starlette": "fastapi", "markupsafe": "jinja2"}
"""Lo que otro paquete ya declarado trae como base suya y documenta como tal."""

MAXIMO_LINEAS: Final = 400
SIN_CONCEPTO: Final = {"utils", "util", "utilidades", "helpers", "ayudas", "comun", "common", "varios", "misc"}

IMPUROS: Final = {
    "nucleo/inconsistencias.py": {"read_text"},  # lee su propio catálogo, que viaja dentro del paquete
    "nucleo/eventos.py": {"read_text"},  # lo mismo
    "nucleo/definicion/carpeta.py": {"open"},  # el único lector de archivos: la carpeta de la definición
    "nucleo/base_oficial/paquetes.py": {"open"},  # abre miembros de un zip o tar que ya está en memoria
}
"""Módulo del núcleo → llamadas impuras que se le permiten, cada una con su razón."""
CON_FLOTANTES: Final = {
    "nucleo/base_oficial/fechas.py",  # minutos de desfase de un huso: una duración entre otra, no votos
}
LLAMADAS_IMPURAS: Final = {
    *("open", "print", "input", "exec", "eval", "read_text", "read_bytes", "write_text", "write_bytes", "unlink"),
    *("now", "today", "utcnow", "time_ns", "monotonic", "perf_counter", "sleep", "getenv", "urandom", "uuid4"),
}
MODULOS_IMPUROS: Final = {
    *("os", "sys", "time", "random", "secrets", "uuid", "socket", "subprocess", "threading", "asyncio", "logging"),
    *("sqlite3", "shutil", "tempfile", "urllib", "http", "ssl", "locale", "platform", "getpass"),
}


def modulos(*carpetas: str) -> list[Path]:
    return [m for c in carpetas for m in sorted((RAIZ / c).rglob("*.py")) if "__pycache__" not in m.parts]


def nombre(modulo: Path) -> str:
    return str(modulo.relative_to(RAIZ))


def arbol(modulo: Path) -> ast.Module:
    return ast.parse(modulo.read_text("utf-8"), filename=str(modulo))


def importados(modulo: Path) -> Iterator[str]:
    """Nombre completo de cada módulo importado; también los de dentro de funciones y los de `import_module("…")`."""
    for nodo in ast.walk(arbol(modulo)):
        match nodo:
            case ast.Import(names=nombres):
                yield from (n.name for n in nombres)
            case ast.ImportFrom(module=str(origen), level=0):
                yield origen
            case ast.ImportFrom(level=nivel) if nivel:
                yield str(modulo.relative_to(RAIZ).parts[0])
            case ast.Call(func=ast.Name(id="__import__") | ast.Attribute(attr="import_module"), args=[primero, *_]):
                assert isinstance(primero, ast.Constant), f"{nombre(modulo)} importa algo que no se puede leer aquí"
                yield str(primero.value)


def ajenos(modulo: Path) -> set[str]:
    return {i.partition(".")[0] for i in importados(modulo)} - sys.stdlib_module_names - {"__future__"}


@pytest.mark.parametrize("modulo", modulos(*PAQUETES), ids=nombre)
def test_cada_paquete_importa_solo_lo_que_le_toca(modulo: Path) -> None:
    paquete = modulo.relative_to(RAIZ).parts[0]
    de_casa = ajenos(modulo) & CASA
    assert de_casa <= DE_LA_CASA[paquete], f"{paquete} no puede importar {de_casa - DE_LA_CASA[paquete]}"
    if paquete in DE_FUERA:
        de_fuera = ajenos(modulo) - CASA
        assert de_fuera <= DE_FUERA[paquete], f"{paquete} no puede depender de {de_fuera - DE_FUERA[paquete]}"


def test_los_dos_lados_del_enlace_no_se_conocen() -> None:
    """El kiosco y el centro se encuentran sólo en los bytes del sobre y los nombres de los temas."""
    for uno, otro in (("appliance", "servicio_central"), ("servicio_central", "appliance")):
        assert modulos(uno), f"no hay nada en {uno}"
        assert not [nombre(m) for m in modulos(uno) if otro in ajenos(m)]


@pytest.mark.parametrize("modulo", modulos("appliance"), ids=nombre)
def test_el_kiosco_no_sabe_que_hay_simulados(modulo: Path) -> None:
    """En producción no existen: ni se importan, ni se nombra el código que los hace."""
    texto = modulo.read_text("utf-8")
    for palabra in ("import ensayo", "from ensayo", "ensayo.mesa", "ensayo/mesa", "EscanerEscl", "LectorDeMesa"):
        assert palabra not in texto, f"{nombre(modulo)} nombra {palabra}"


def test_todo_lo_que_se_importa_esta_declarado() -> None:
    declarados = {
        re.split(r"[<>=;\s\[]", renglon, maxsplit=1)[0].lower().replace("_", "-")
        for archivo in ("requisitos.in", "requisitos-kiosco.in", "requisitos-dev.in")
        for renglon in (RAIZ / archivo).read_text("utf-8").splitlines()
        if renglon and not renglon.startswith(("#", "-"))
    }
    repartos = packages_distributions()
    for modulo in modulos(*PAQUETES, "tests"):
        for externo in ajenos(modulo) - CASA:
            origen = VIENE_CON.get(externo, externo)
            de_quien = {d.lower().replace("_", "-") for d in repartos.get(origen, [origen])}
            assert de_quien & declarados, f"{nombre(modulo)} importa {externo}, que no está en requisitos.in"


@pytest.mark.parametrize("modulo", modulos("nucleo"), ids=nombre)
def test_el_nucleo_no_toca_el_mundo(modulo: Path) -> None:
    """Sin archivos, red, reloj, azar ni ambiente: las mismas hojas dan los mismos bytes en cualquier máquina y día."""
    impuros = {i.partition(".")[0] for i in importados(modulo)} & MODULOS_IMPUROS
    llamadas = set()
    for nodo in ast.walk(arbol(modulo)):
        match nodo:
            case ast.Call(func=ast.Name(id=quien)) | ast.Call(func=ast.Attribute(attr=quien)):
                llamadas |= {quien} & LLAMADAS_IMPURAS
    assert not impuros, f"{nombre(modulo)} importa {impuros}"
    assert llamadas <= IMPUROS.get(nombre(modulo), set()), f"{nombre(modulo)} llama a {llamadas}"


def test_ninguna_excepcion_a_la_pureza_sobra() -> None:
    for donde, llamadas in IMPUROS.items():
        texto = (RAIZ / donde).read_text("utf-8")
        assert all(f"{llamada}(" in texto for llamada in llamadas), f"{donde} ya no necesita {llamadas}"


@pytest.mark.parametrize("modulo", [m for m in modulos("nucleo") if nombre(m) not in CON_FLOTANTES], ids=nombre)
def test_los_porcentajes_y_totales_no_pasan_por_flotantes(modulo: Path) -> None:
    """Oaxaca 2022 publicó 76.3272 donde era 76.3273 por truncar en flotante."""
    for nodo in ast.walk(arbol(modulo)):
        lugar = f"{nombre(modulo)}:{getattr(nodo, 'lineno', 0)}"
        match nodo:
            case ast.BinOp(op=ast.Div(), left=ast.Name(id="carpeta")):
                pass  # `carpeta / nombre` es una ruta
            case ast.BinOp(op=ast.Div()):
                raise AssertionError(f"{lugar} divide con «/»")
            case ast.Constant(value=float()):
                raise AssertionError(f"{lugar} usa un decimal")
            case ast.Call(func=ast.Name(id="float" | "round")):
                raise AssertionError(f"{lugar} convierte a flotante o redondea")


@pytest.mark.parametrize("modulo", modulos(*PAQUETES), ids=nombre)
def test_un_concepto_por_archivo(modulo: Path) -> None:
    lineas = modulo.read_text("utf-8").count("\n")
    assert lineas <= MAXIMO_LINEAS, f"{nombre(modulo)} tiene {lineas} líneas: ¿no son dos conceptos?"
    assert modulo.stem not in SIN_CONCEPTO, f"{nombre(modulo)} no nombra ningún concepto"
    assert ast.get_docstring(arbol(modulo)), f"{nombre(modulo)} no dice qué es"


@pytest.mark.parametrize("modulo", [m for m in modulos("tests") if m.name.startswith("test_")], ids=nombre)
def test_toda_prueba_comprueba_algo(modulo: Path) -> None:
    """Cada archivo de prueba asevera, y ninguno finge: los dobles son adaptadores sencillos, no *mocks*."""
    comprueba = False
    for nodo in ast.walk(arbol(modulo)):
        match nodo:
            case ast.Assert() | ast.Call(func=ast.Attribute(attr="raises")):
                comprueba = True
    assert comprueba
    assert not {"unittest", "mock", "pytest_mock"} & {i.partition(".")[0] for i in importados(modulo)}


def test_cada_paquete_existe_y_se_instala() -> None:
    """Un paquete que falte en `pyproject.toml` corre desde el repositorio y falta en el kiosco."""
    incluidos = tomllib.loads((RAIZ / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]["packages"]["find"]
    for paquete in PAQUETES:
        assert (RAIZ / paquete / "__init__.py").is_file()
        assert f"{paquete}*" in incluidos["include"]
    con_codigo = {p.parent.name for p in RAIZ.glob("*/__init__.py") if not p.parent.name.startswith(".")}
    assert con_codigo - {"tests"} == set(PAQUETES)
