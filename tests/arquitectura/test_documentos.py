"""Los documentos no se oxidan: todo lo que tiene nombre está escrito, y todo lo escrito existe."""

from __future__ import annotations

import ast
import re
import tomllib
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import Final, get_args

import pytest

from appliance.ajustes_del_puesto import AjustesDelPuesto
from appliance.ambito import ARCHIVO as AMBITO
from appliance.ambito import leer_ambito
from appliance.catd.registro import SUBORDENES
from appliance.catd.suborden import Suborden
from appliance.credenciales import a_toml
from appliance.digitalizacion.motivo import EXPLICACIONES
from appliance.digitalizacion.motivo import Motivo as MotivoDeHoja
from appliance.enlace.salidas import LLAVES as LLAVES_DE_SALIDA
from appliance.escaneo.motivo import Motivo as MotivoDeEscaner
from appliance.escaneo.motivo import palabras
from appliance.falla import Falla
from appliance.gafete import resumir as resumir_gafete
from appliance.nip import resumir as resumir_nip
from appliance.personas import NOMBRES, ListaDePersonas, Papel, Persona
from appliance.vision.motivos import CATALOGO
from nucleo.acta import MotivoSinActa
from nucleo.acuse import Acuse
from nucleo.captura import Estado
from nucleo.definicion import cargar_proceso
from nucleo.eventos import eventos
from nucleo.formato import leer_formatos
from nucleo.hechos import Hecho, tipo_de
from nucleo.latido import Latido
from nucleo.modos import MODOS
from nucleo.sobre import Sobre, Tipo
from nucleo.temas import Carril
from servicio_central.ingesta import Destino
from tests.unidad.test_hechos import EJEMPLOS

RAIZ: Final = Path(__file__).resolve().parents[2]
DOCUMENTOS: Final = [RAIZ / "README.md", *sorted((RAIZ / "docs").rglob("*.md"))]
GLOSARIO: Final = RAIZ / "docs" / "glosario.md"
PROTOCOLO: Final = RAIZ / "docs" / "protocolo.md"
MANUAL: Final = RAIZ / "docs" / "kiosco.md"
TECNICO: Final = RAIZ / "docs" / "tecnico_catd.md"
BITACORA: Final = RAIZ / "docs" / "bitacora.md"
DEFINICION: Final = RAIZ / "docs" / "definicion.md"
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


def apartado(documento: Path, titulo: str) -> str:
    """Lo que va de un título al siguiente, del nivel que sea."""
    partes = re.split(r"^##+ (.+)$", texto(documento), flags=re.MULTILINE)
    return next(cuerpo for t, cuerpo in zip(partes[1::2], partes[2::2], strict=True) if titulo in t)


def primera_columna(cuerpo: str) -> list[str]:
    """Lo escrito como código en la primera celda de cada renglón de las tablas."""
    return [c for celda in re.findall(r"^\| (`.+?`) \|", cuerpo, re.MULTILINE) for c in re.findall(r"`([^`]+)`", celda)]


def llaves_de_ambito(carpeta: Path) -> set[str]:
    """Las que el lector dice admitir cuando se le da otra."""
    (carpeta / AMBITO).write_text("ninguna = [1]\n", "utf-8")
    with pytest.raises(Falla) as cazada:
        leer_ambito(carpeta, cargar_proceso(RAIZ / "datos" / "capacitacion"))
    return set(cazada.value.rechazo.que.rpartition("sólo lleva listas ")[2].split(", "))


def llaves_de_personas() -> set[str]:
    """Las que lleva una lista recién hecha."""
    persona = Persona("ana", "Ana", frozenset(Papel), resumir_nip("271828"), resumir_gafete("A" * 16))
    lista = tomllib.loads(a_toml(ListaDePersonas((persona,), catd="catd-01")))
    return {*lista, *lista["personas"][0]}


@pytest.mark.parametrize("suborden", SUBORDENES, ids=lambda s: s.nombre)
def test_cada_suborden_de_catd_tiene_su_apartado_y_su_salida(suborden: Suborden) -> None:
    cuerpo = apartado(TECNICO, f"`catd {suborden.nombre}`")
    assert f"$ ./prep catd {suborden.nombre}" in cuerpo


def test_no_se_escribe_de_subordenes_que_no_existen() -> None:
    dichas = {s for d in DOCUMENTOS for s in re.findall(r"\./prep catd ([a-z]+)", texto(d))}
    assert dichas <= {s.nombre for s in SUBORDENES}


def test_cada_llave_de_puesto_toml_esta_escrita_y_ninguna_de_mas() -> None:
    # La mesa no sale de `puesto.toml`, sino de su propio archivo.
    llaves = {c.name for c in fields(AjustesDelPuesto)} - {"mesa"}
    assert set(primera_columna(apartado(TECNICO, "`puesto.toml`"))) == llaves


def test_cada_llave_de_ambito_toml_esta_escrita_y_ninguna_de_mas(tmp_path: Path) -> None:
    assert set(primera_columna(apartado(TECNICO, "`ambito.toml`"))) == llaves_de_ambito(tmp_path)


def test_cada_llave_de_enlace_toml_esta_escrita_y_ninguna_de_mas() -> None:
    assert primera_columna(apartado(TECNICO, "`enlace.toml`")) == list(LLAVES_DE_SALIDA)


def test_cada_llave_de_personas_toml_esta_escrita_y_ninguna_de_mas() -> None:
    assert set(primera_columna(apartado(TECNICO, "`personas.toml`"))) == llaves_de_personas()


def test_cada_llave_de_un_formato_esta_escrita_y_ninguna_de_mas() -> None:
    de_verdad = tomllib.loads(texto(RAIZ / "datos" / "capacitacion" / "formatos" / "GUB.toml"))
    assert leer_formatos(RAIZ / "datos" / "capacitacion")
    assert {llave.strip("[]") for llave in primera_columna(apartado(DEFINICION, "Formatos"))} == set(de_verdad)


@pytest.mark.parametrize("codigo", CATALOGO)
def test_cada_motivo_de_vision_esta_escrito_con_sus_palabras(codigo: str) -> None:
    motivo = CATALOGO[codigo]
    renglon = re.search(rf"^\| `{codigo}` \| (.+) \| (.+) \| (sí)? ?\|$", texto(TECNICO), re.MULTILINE)
    assert renglon is not None
    assert renglon[1] == motivo.que.replace("{region}", "…")
    assert renglon[2].lower() == motivo.siguiente.lower()
    assert (renglon[3] == "sí") is motivo.grave


def test_no_se_escribe_de_motivos_de_vision_que_no_existen() -> None:
    assert set(primera_columna(apartado(TECNICO, "Lo que ve el kiosco en una imagen"))) == set(CATALOGO)


@pytest.mark.parametrize("motivo", MotivoDeHoja, ids=lambda m: m.value)
def test_cada_motivo_de_hoja_por_revisar_esta_en_el_manual(motivo: MotivoDeHoja) -> None:
    dicho = EXPLICACIONES[motivo]
    assert f"| {dicho.que} | {dicho.siguiente[0].upper()}{dicho.siguiente[1:]} |" in texto(MANUAL)


# Un lote completo no es una falla: la pantalla no dice nada.
@pytest.mark.parametrize(
    "motivo", [m for m in MotivoDeEscaner if m is not MotivoDeEscaner.COMPLETO], ids=lambda m: str(m.value)
)
def test_cada_falla_del_escaner_esta_en_el_manual(motivo: MotivoDeEscaner) -> None:
    dicho = palabras(motivo)
    assert f"| {dicho.que} | {dicho.siguiente[0].upper()}{dicho.siguiente[1:]} |" in texto(MANUAL)
    assert se_dice(motivo.value, TECNICO)


@pytest.mark.parametrize("evento", eventos())
def test_cada_evento_de_la_bitacora_esta_escrito(evento: str) -> None:
    assert re.search(rf"^\| `{evento}` \|", texto(BITACORA), re.MULTILINE)


def test_el_tecnico_no_busca_eventos_que_no_existen() -> None:
    buscados = primera_columna(apartado(TECNICO, "Qué mirar en la bitácora"))
    assert buscados
    assert set(buscados) <= set(eventos())


@pytest.mark.parametrize("papel", Papel, ids=lambda p: p.value)
def test_cada_papel_tiene_su_pagina_en_el_manual(papel: Papel) -> None:
    assert f"\n## {NOMBRES[papel]}\n" in texto(MANUAL)
    assert se_dice(papel.value, TECNICO)


@pytest.mark.parametrize("modo", MODOS)
def test_cada_modo_esta_escrito(modo: str) -> None:
    assert se_dice(modo)
    assert se_dice(modo, PROTOCOLO)
    assert f'`"{modo}"`' in texto(DEFINICION)


@pytest.mark.parametrize("imagen", sorted((RAIZ / "docs" / "imagenes").iterdir()), ids=lambda i: i.name)
def test_las_imagenes_se_usan_y_no_pesan(imagen: Path) -> None:
    assert imagen.suffix == ".png"
    assert imagen.stat().st_size <= 120 * 1024
    assert any(f"imagenes/{imagen.name})" in texto(d) for d in DOCUMENTOS)


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
