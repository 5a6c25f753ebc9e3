"""El catálogo de casillas: lo que se acepta, lo que se rechaza y en qué línea."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

import pytest

from nucleo.catalogo import COLUMNAS, MAXIMO_PROBLEMAS, leer_catalogo
from nucleo.gzip_acotado import DemasiadoGrande, descomprimir

EJEMPLO = Path(__file__).parents[2] / "datos" / "ejemplo_tres_elecciones" / "casillas.csv"
TEXTO = EJEMPLO.read_text("utf-8")
RENGLON = "140101B0100,1,Villa Ejemplo,10,Villa Ejemplo,1,612,18"


def cambiado(viejo: str, nuevo: str) -> bytes:
    assert viejo in TEXTO
    return TEXTO.replace(viejo, nuevo, 1).encode()


def test_el_ejemplo_se_lee_completo_y_en_orden() -> None:
    catalogo = leer_catalogo(EJEMPLO.read_bytes())
    assert not catalogo.problemas
    assert not catalogo.avisos
    assert len(catalogo.casillas) == 18
    assert next(iter(catalogo.casillas)) == "140000M0000"
    contigua = catalogo.casillas["140102E0101"]
    assert (contigua.tipo, contigua.numero, contigua.ext_contigua, contigua.lista_nominal) == ("E", 1, 1, 214)
    assert catalogo.casillas["140202B0100"].municipio_nombre == "San Imaginario, El Alto"
    assert catalogo.casillas["140000M0000"].distrito is None
    assert catalogo.lineas["140102E0101"] == 8


def test_con_bom_con_crlf_y_con_columnas_en_otro_orden_es_el_mismo_catalogo() -> None:
    original = leer_catalogo(EJEMPLO.read_bytes()).casillas
    assert leer_catalogo(b"\xef\xbb\xbf" + TEXTO.replace("\n", "\r\n").encode()).casillas == original
    simple = TEXTO.replace('"San Imaginario, El Alto"', "San Imaginario El Alto")
    volteado = "\n".join(",".join(reversed(r.split(","))) for r in simple.splitlines())
    assert leer_catalogo(volteado.encode()).casillas == leer_catalogo(simple.encode()).casillas


@pytest.mark.parametrize(
    ("datos", "linea", "que"),
    [
        pytest.param(b"", 0, "vacío", id="vacio"),
        pytest.param(cambiado("140000M", "140000X"), 2, "no tiene la forma", id="tipo_que_no_existe"),
        pytest.param(cambiado("140101B0100", "140101B100"), 3, "no tiene la forma", id="clave_sin_sus_ceros"),
        pytest.param(cambiado("140101C0100", "140101B0100"), 4, "ya estaba en la línea 3", id="casilla_repetida"),
        pytest.param(cambiado(",612,", ",-612,"), 3, "LISTA_NOMINAL dice '-612'", id="lista_negativa"),
        pytest.param(cambiado(",612,", ',"1,612",'), 3, "LISTA_NOMINAL dice '1,612'", id="miles_con_coma"),
        pytest.param(cambiado(",612,", ",612.0,"), 3, "LISTA_NOMINAL dice '612.0'", id="decimales_de_excel"),
        pytest.param(cambiado(",612,", ",٦١٢,"), 3, "LISTA_NOMINAL", id="cifras_de_otro_alfabeto"),
        pytest.param(cambiado(",612,", "," + "9" * 500 + ","), 3, "LISTA_NOMINAL", id="numero_enorme"),
        pytest.param(cambiado(",612,18", ",612,"), 3, "REPRESENTANTES dice ''", id="representantes_vacio"),
        pytest.param(cambiado("Villa Ejemplo,1,612", "Villa Ejemplo,3,612"), 3, "UBICACION", id="ubicacion_tres"),
        pytest.param(cambiado(",1,0,18", ",1,1000,18"), 9, "especial 140103S0100 tiene lista", id="especial_con_lista"),
        pytest.param(cambiado(RENGLON, RENGLON + ",x"), 3, "tiene 9 columnas", id="columna_de_mas"),
        pytest.param(
            cambiado('"San Imaginario, El Alto"', "San Imaginario, El Alto"), 13, "9 columnas", id="coma_suelta"
        ),
        pytest.param(cambiado(RENGLON, '"' + RENGLON), 3, "comilla", id="comilla_sin_cerrar"),
        pytest.param(cambiado(RENGLON, ""), 3, "en blanco", id="renglon_en_blanco"),
        pytest.param(cambiado(RENGLON, RENGLON.replace("V", "V\x00")), 3, "invisibles", id="caracter_nulo"),
        pytest.param(cambiado(RENGLON, RENGLON.replace("Villa", "V" * 1000)), 3, "más de 1000", id="renglon_enorme"),
        pytest.param(cambiado(",10,Villa Ejemplo,1,612", ",10,Otra Villa,1,612"), 4, "se llama aquí", id="dos_nombres"),
        pytest.param(cambiado("B0100,1,Villa Ejemplo", "B0100,,Villa Ejemplo"), 3, "ID_DISTRITO no", id="sin_numero"),
        pytest.param(cambiado("B0100,1,Villa Ejemplo", "B0100,1,"), 3, "DISTRITO no", id="sin_nombre"),
        pytest.param(cambiado("LISTA_NOMINAL", "LISTANOMINAL"), 1, "'LISTANOMINAL' no existe", id="encabezado_mal"),
        pytest.param(cambiado("LISTA_NOMINAL", "UBICACION"), 1, "UBICACION está repetida", id="columna_repetida"),
        pytest.param(TEXTO.replace(",", ";").encode(), 1, "no existe", id="punto_y_coma"),
        pytest.param(TEXTO.replace("\n", "\r").encode(), 1, "más de 1000", id="renglones_de_mac"),
        pytest.param(",".join(COLUMNAS).encode(), 1, "ninguna casilla", id="solo_encabezado"),
        pytest.param(TEXTO.replace("Villa Ejemplo", "Tamazulápam", 1).encode("cp1252"), 3, "UTF-8", id="windows_1252"),
    ],
)
def test_catalogo_que_no_se_puede_usar(datos: bytes, linea: int, que: str) -> None:
    problemas = leer_catalogo(datos, "casillas.csv").problemas
    assert problemas
    assert que in problemas[0].que
    assert (problemas[0].archivo, problemas[0].linea) == ("casillas.csv", linea)
    assert problemas[0].causa
    assert problemas[0].siguiente


def test_una_columna_mal_escrita_se_sugiere() -> None:
    problemas = leer_catalogo(cambiado("LISTA_NOMINAL", "LISTA_NOMINALES")).problemas
    assert "¿quiso decir LISTA_NOMINAL?" in {p.causa for p in problemas}


def test_se_dicen_todos_los_defectos_de_una_vez() -> None:
    datos = TEXTO.replace(",612,", ",x,").replace("140201B0100", "140201Z0100").replace(",298,7", ",298,-7")
    assert [p.linea for p in leer_catalogo(datos.encode()).problemas] == [3, 11, 17]


def test_diez_mil_renglones_malos_no_llenan_la_pantalla() -> None:
    datos = ",".join(COLUMNAS) + "\n" + "x\n" * 10_000
    problemas = leer_catalogo(datos.encode()).problemas
    assert len(problemas) == MAXIMO_PROBLEMAS + 1
    assert "9900 problemas más" in problemas[-1].que


def test_lo_raro_se_avisa_y_no_estorba() -> None:
    datos = (
        TEXTO.replace("140302B0100", "140302C0100")
        .replace("140201C0100,2,Puerto Supuesto", "140201C0100,3,Cerro Inventado")
        .replace(",488,", ",0,")
    )
    catalogo = leer_catalogo(datos.encode())
    assert not catalogo.problemas
    assert [(a.linea, a.que) for a in catalogo.avisos] == [
        (6, "la casilla 140102B0100 tiene lista nominal 0"),
        (12, "la sección 201 aparece en dos distritos"),
        (17, "la sección 302 no tiene casilla básica"),
    ]


def test_un_gzip_que_se_infla_sin_fin_se_detiene_en_el_tope() -> None:
    bomba = gzip.compress(bytes(10_000_000))
    with pytest.raises(DemasiadoGrande):
        descomprimir(bomba, 1_000_000)


@pytest.mark.parametrize(
    "datos",
    [b"", b"no es gzip", gzip.compress(b"hola")[:-3], gzip.compress(b"hola") + b"x", zlib.compress(b"hola")],
    ids=["vacio", "texto", "cortado", "con_cola", "zlib"],
)
def test_un_gzip_danado_se_rechaza(datos: bytes) -> None:
    with pytest.raises(ValueError, match="gzip"):
        descomprimir(datos, 1_000)


def test_un_gzip_integro_se_abre() -> None:
    assert descomprimir(gzip.compress(b"hola"), 4) == b"hola"
