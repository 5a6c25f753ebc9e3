"""Los documentos no se oxidan: todo lo que tiene nombre está escrito, y todo lo escrito existe."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path
from typing import Final, get_args

import pytest

from nucleo.acta import MotivoSinActa
from nucleo.acuse import Acuse
from nucleo.captura import Estado
from nucleo.hechos import Hecho, tipo_de
from nucleo.latido import Latido
from nucleo.sobre import Sobre, Tipo
from nucleo.temas import Carril
from servicio_central.ingesta import Destino
from tests.unidad.test_hechos import EJEMPLOS

RAIZ: Final = Path(__file__).resolve().parents[2]
DOCUMENTOS: Final = [RAIZ / "README.md", *sorted((RAIZ / "docs").rglob("*.md"))]
GLOSARIO: Final = RAIZ / "docs" / "glosario.md"
PROTOCOLO: Final = RAIZ / "docs" / "protocolo.md"
PARTES_DE_DECISION: Final = ("**Problema.**", "**Elección.**", "**Alternativas descartadas.**", "**Costo.**")
_ENLACE: Final = re.compile(r"(?<!`)\[[^\]]*\]\(([^)\s]+)\)")
_TITULO: Final = re.compile(r"^#+ (.+)$", re.MULTILINE)
_PRUEBA: Final = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
_INVARIANTE: Final = re.compile(r"^\| I(\d+) \| (.+?) \| (.+?) \|$", re.MULTILINE)


@cache
def texto(documento: Path) -> str:
    return documento.read_text("utf-8")


def ordenes() -> list[str]:
    """Nombres de las órdenes de `prep`, leídos sin ejecutarlo."""
    lanzador = ast.parse(texto(RAIZ / "prep"))
    llamadas = [n for n in ast.walk(lanzador) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)]
    primeros = [n.args[0] for n in llamadas if isinstance(n.func, ast.Name) and n.func.id == "Orden"]
    return [p.value for p in primeros if isinstance(p, ast.Constant) and isinstance(p.value, str)]


def ancla(titulo: str) -> str:
    """El ancla que se le da a un título: minúsculas, sin signos, espacios por guiones."""
    return re.sub(r"[^\w\- ]", "", titulo.strip().lower()).replace(" ", "-")


def nombre(documento: Path) -> str:
    return str(documento.relative_to(RAIZ))


def se_dice(palabra: str, documento: Path = GLOSARIO) -> bool:
    return f"`{palabra}`" in texto(documento)


@pytest.mark.parametrize("carril", Carril)
def test_cada_carril_esta_escrito(carril: Carril) -> None:
    assert se_dice(carril.value)
    assert f"/{'sube' if carril.sube else 'baja'}/{carril.value}" in texto(PROTOCOLO)


@pytest.mark.parametrize("clase", get_args(Hecho), ids=lambda c: c.__name__)
def test_cada_hecho_esta_en_el_glosario_con_el_nombre_que_viaja(clase: type) -> None:
    (viaja,) = (tipo_de(ejemplo) for ejemplo in EJEMPLOS if type(ejemplo) is clase)
    assert re.search(rf"^\| `{viaja}` \|.+`nucleo\.hechos\.{clase.__name__}`", texto(GLOSARIO), re.MULTILINE)


@pytest.mark.parametrize("destino", Destino)
def test_cada_destino_esta_escrito(destino: Destino) -> None:
    assert se_dice(destino.value)
    assert re.search(rf"^\| `{destino.value}` \|", texto(PROTOCOLO), re.MULTILINE)


@pytest.mark.parametrize("tipo", Tipo)
def test_cada_tipo_de_firma_esta_escrito(tipo: Tipo) -> None:
    assert se_dice(tipo.value, PROTOCOLO)


@pytest.mark.parametrize("campo", ["v", *Sobre.__annotations__])
def test_cada_campo_del_sobre_esta_escrito(campo: str) -> None:
    assert se_dice(campo, PROTOCOLO)


@pytest.mark.parametrize("campo", [c for c in Acuse.__annotations__ if c not in ("equipo", "epoca", "hora")])
def test_cada_campo_del_acuse_esta_escrito(campo: str) -> None:
    assert se_dice(campo, PROTOCOLO)


@pytest.mark.parametrize("palabra", ["nacimiento", "pulso", "muerte"])
def test_cada_motivo_de_latido_esta_escrito(palabra: str) -> None:
    assert se_dice(palabra, PROTOCOLO)
    assert "motivo" in Latido.__annotations__


@pytest.mark.parametrize("estado", get_args(Estado), ids=lambda e: e.__name__)
def test_cada_estado_de_la_captura_esta_escrito(estado: type) -> None:
    assert estado.__name__ in texto(PROTOCOLO) + texto(GLOSARIO)


def test_hay_tantos_motivos_sin_acta_como_en_el_dominio() -> None:
    assert {m.value for m in MotivoSinActa} == {1, 2, 3, 4}
    assert "sin acta de resultados por contingencia" in texto(RAIZ / "docs" / "dominio.md")


def test_las_ordenes_se_leyeron() -> None:
    assert {"jornada", "auditar", "probar"} <= set(ordenes())


@pytest.mark.parametrize("orden", ordenes())
def test_cada_orden_de_prep_esta_escrita(orden: str) -> None:
    assert se_dice(f"./prep {orden}")


@pytest.mark.parametrize("documento", DOCUMENTOS, ids=nombre)
def test_no_se_escribe_de_ordenes_que_no_existen(documento: Path) -> None:
    dichas = set(re.findall(r"\./prep ([a-z]+)", texto(documento)))
    assert dichas <= set(ordenes()), f"{nombre(documento)} habla de {dichas - set(ordenes())}"


@pytest.mark.parametrize("documento", DOCUMENTOS, ids=nombre)
def test_todo_enlace_local_lleva_a_algo(documento: Path) -> None:
    for destino in _ENLACE.findall(texto(documento)):
        if "://" in destino or destino.startswith("mailto:"):
            continue
        camino, _, seccion = destino.partition("#")
        archivo = (documento.parent / camino).resolve() if camino else documento
        assert archivo.exists(), f"{nombre(documento)} enlaza a {camino}, que no existe"
        if seccion:
            assert seccion in map(ancla, _TITULO.findall(texto(archivo))), f"{nombre(documento)}: no hay #{seccion}"


@pytest.mark.parametrize("documento", DOCUMENTOS, ids=nombre)
def test_el_codigo_que_se_nombra_existe(documento: Path) -> None:
    """`nucleo.captura.Verificada`, `servicio_central/ingesta.py`: lo que se escribe como código tiene que estar."""
    for dicho in re.findall(
        r"`((?:nucleo|appliance|servicio_central|auditoria|ensayo|tests)[./][\w./]+)`", texto(documento)
    ):
        assert existe(dicho), f"{nombre(documento)} nombra {dicho}, que no existe"


def existe(dicho: str) -> bool:
    if "/" in dicho:
        return (RAIZ / dicho).exists()
    partes = dicho.split(".")
    for cuantas in range(len(partes), 0, -1):
        base = RAIZ.joinpath(*partes[:cuantas])
        archivo = base / "__init__.py" if base.is_dir() else base.with_suffix(".py")
        if archivo.is_file():
            resto = partes[cuantas:]
            return not resto or re.search(rf"\b{re.escape(resto[0])}\b", texto(archivo)) is not None
    return False


def test_los_invariantes_van_numerados_sin_saltos() -> None:
    numeros = [int(n) for n, _, _ in _INVARIANTE.findall(texto(PROTOCOLO))]
    assert numeros == list(range(1, len(numeros) + 1))
    assert len(numeros) >= 15


@pytest.mark.parametrize(("numero", "pruebas"), [(f"I{n}", p) for n, _, p in _INVARIANTE.findall(texto(PROTOCOLO))])
def test_cada_invariante_tiene_pruebas_que_existen(numero: str, pruebas: str) -> None:
    citadas = _PRUEBA.findall(pruebas)
    assert citadas, f"nadie cuida {numero}"
    for archivo, prueba in citadas:
        modulo = ast.parse(texto(RAIZ / archivo))
        definidas = {n.name for n in modulo.body if isinstance(n, ast.FunctionDef | ast.ClassDef)}
        asignadas = {
            t.id for n in modulo.body if isinstance(n, ast.Assign) for t in n.targets if isinstance(t, ast.Name)
        }
        assert prueba in definidas | asignadas, f"{numero} cita {archivo}::{prueba}, que no existe"


@pytest.mark.parametrize("decision", sorted((RAIZ / "docs" / "decisiones").glob("*.md")), ids=lambda d: d.name)
def test_cada_decision_dice_problema_eleccion_alternativas_y_costo(decision: Path) -> None:
    lugares = [texto(decision).find(parte) for parte in PARTES_DE_DECISION]
    assert -1 not in lugares, f"{decision.name}: falta {PARTES_DE_DECISION[lugares.index(-1)]}"
    assert lugares == sorted(lugares)
    numero = int(decision.name[:4])
    assert texto(decision).startswith(f"# {numero}. "), f"{decision.name} no lleva su número en el título"


def test_las_decisiones_van_numeradas_sin_saltos() -> None:
    numeros = sorted(int(d.name[:4]) for d in (RAIZ / "docs" / "decisiones").glob("*.md"))
    assert numeros == list(range(1, len(numeros) + 1))


def test_cada_termino_del_glosario_se_define_una_vez() -> None:
    terminos = re.findall(r"^\| ([^|`]+|`[a-z_]+`) \|", texto(GLOSARIO), re.MULTILINE)
    encabezados = {"Término", "Hecho", "Orden", "No"}
    propios = [t.strip("` ") for t in terminos if t not in encabezados and not t.startswith("-")]
    assert len(propios) > 50
    assert len(propios) == len(set(propios)), {t for t in propios if propios.count(t) > 1}
