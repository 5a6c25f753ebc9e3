"""El sello y el manifiesto de la mochila: lo que no abre, lo que miente, y cualquier basura."""

from __future__ import annotations

import json
import tracemalloc
from base64 import urlsafe_b64encode
from dataclasses import replace
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jwe
from joserfc.jwk import ECKey

from nucleo import mochila, sello
from nucleo.mochila import Archivo, Manifiesto
from nucleo.sello import MAXIMO_CONTENIDO, MAXIMO_SELLADO, SelloInvalido
from nucleo.sobre import SobreInvalido, Tipo
from tests.estrategias import firmante
from tests.mochila_de_prueba import SELLO
from tests.sobres_de_prueba import AHORA

QUIEN: Final = firmante("catd-01")
PUBLICA: Final = ECKey.import_key(QUIEN.llave.as_dict(private=False))
BUENO: Final = Manifiesto(
    proceso="oax2022",
    modo="simulacro",
    equipo="catd-01",
    epoca="00000000000000e1",
    desde=1,
    hasta=5,
    sobres=5,
    resumen="a" * 64,
    sin_imagen=0,
    hora=AHORA,
    sello=sello.identificador(SELLO),
    archivos=(Archivo("sobres/00001.jwe", 10, "b" * 64), Archivo("imagenes/00001.jwe", 20, "c" * 64)),
)
SELLADO: Final = sello.sellar(b"hola", SELLO)


def codigo(sellado: bytes, llave: ECKey = SELLO) -> str:
    with pytest.raises(SelloInvalido) as cazado:
        sello.abrir(sellado, llave)
    return cazado.value.codigo


def con_encabezado(**distinto: Any) -> bytes:
    """El mismo JWE con otro encabezado."""
    resto = SELLADO.split(b".")[1:]
    dato = jwe.decrypt_compact(SELLADO, SELLO, algorithms=["ECDH-ES+A256KW", "A256GCM"]).protected | distinto
    nuevo = urlsafe_b64encode(json.dumps({k: v for k, v in dato.items() if v is not None}).encode()).rstrip(b"=")
    return b".".join([nuevo, *resto])


# ------------------------------------------------------------------------------------------------------------- el sello


@pytest.mark.parametrize("tamano", [1, 1000, MAXIMO_CONTENIDO])
def test_lo_abre_el_centro_y_nadie_mas(tamano: int) -> None:
    sellado = sello.sellar(bytes(tamano), SELLO)
    assert len(sellado) <= MAXIMO_SELLADO
    assert sello.abrir(sellado, SELLO) == bytes(tamano)
    assert codigo(sellado, ECKey.generate_key("P-256", private=True)) == "SELLO_AJENO"


@pytest.mark.parametrize("tamano", [0, MAXIMO_CONTENIDO + 1])
def test_no_se_sella_lo_que_nadie_abriria(tamano: int) -> None:
    with pytest.raises(SelloInvalido, match="mide"):
        sello.sellar(bytes(tamano), SELLO)


@pytest.mark.parametrize(
    "distinto",
    [
        {"zip": "DEF"},
        {"alg": "dir"},
        {"alg": "ECDH-ES"},
        {"enc": "A128GCM"},
        {"typ": "prep-hecho+jws"},
        {"typ": None},
        {"kid": None},
        {"crit": ["zip"]},
        {"epk": None},
        {"epk": "no"},
        {"epk": {"kty": "EC", "crv": "P-521", "x": "AA", "y": "AA"}},
    ],
    ids=str,
)
def test_el_encabezado_no_negocia_nada(distinto: dict[str, Any]) -> None:
    assert codigo(con_encabezado(**distinto)) == "FORMA"


def test_una_llave_efimera_que_no_esta_en_la_curva_no_abre_ni_truena() -> None:
    fuera = {"kty": "EC", "crv": "P-256", "x": "A" * 43, "y": "A" * 43}
    assert codigo(con_encabezado(epk=fuera)) == "SELLO_ROTO"


def test_uno_comprimido_que_se_inflaria_ni_se_descifra() -> None:
    bomba = jwe.encrypt_compact(
        {"alg": "ECDH-ES+A256KW", "enc": "A256GCM", "typ": sello.TIPO, "kid": sello.identificador(SELLO), "zip": "DEF"},
        bytes(200_000),
        SELLO,
        algorithms=["ECDH-ES+A256KW", "A256GCM", "DEF"],
    ).encode()
    tracemalloc.start()
    assert codigo(bomba) == "FORMA"
    assert tracemalloc.get_traced_memory()[1] < 100_000
    tracemalloc.stop()


@given(st.integers(0, len(SELLADO) - 1), st.integers(0, 255))
def test_un_byte_cambiado_nunca_da_otra_cosa(lugar: int, byte: int) -> None:
    cambiado = SELLADO[:lugar] + bytes([byte]) + SELLADO[lugar + 1 :]
    try:
        dicho = sello.abrir(cambiado, SELLO).decode()
    except SelloInvalido as error:
        dicho = error.codigo
    # Base64 tiene bits que sobran: lo que se abra tiene que ser lo mismo.
    assert dicho in ("hola", "FORMA", "SELLO_ROTO", "SELLO_AJENO", "TAMANO")


@given(st.binary(max_size=400) | st.lists(st.binary(max_size=60), min_size=5, max_size=5).map(b".".join))
def test_cualquier_basura_se_rechaza_sin_tronar(basura: bytes) -> None:
    codigo(basura)


@given(
    st.dictionaries(st.sampled_from(["alg", "enc", "typ", "kid", "epk", "zip", "crit", "apu"]), st.text() | st.none())
)
def test_cualquier_encabezado_se_rechaza_o_es_el_de_siempre(distinto: dict[str, Any]) -> None:
    if distinto:
        codigo(con_encabezado(**distinto))


# -------------------------------------------------------------------------------------------------------- el manifiesto


def firmado(dato: object) -> str:
    return QUIEN.firmar(Tipo.MOCHILA, dato if isinstance(dato, bytes) else json.dumps(dato).encode())


def rechazado(dato: object) -> str:
    with pytest.raises(SobreInvalido) as cazado:
        mochila.abrir(firmado(dato), PUBLICA)
    return cazado.value.codigo


def dato_con(**distinto: Any) -> dict[str, Any]:
    dato: dict[str, Any] = json.loads(mochila.a_bytes(BUENO))
    return dato | distinto


def test_va_y_vuelve_igual() -> None:
    assert mochila.abrir(mochila.firmar(mochila.a_bytes(BUENO), QUIEN), PUBLICA) == BUENO


@pytest.mark.parametrize(
    "ruta",
    [
        "../sobres/00001.jwe",
        "sobres/../00001.jwe",
        "/etc/passwd",
        "sobres/00001.jwe\n",
        "sobres/1.jwe",
        "otra/00001.jwe",
        "sobres/00001.jwe\u0000",
        "sobres//00001.jwe",
        "imagenes/00001.png",
        "manifiesto.jws",
        7,
    ],
)
def test_ningun_nombre_sale_de_la_mochila(ruta: object) -> None:
    assert rechazado(dato_con(archivos=[[ruta, 1, "a" * 64]])) == "FORMA"


@pytest.mark.parametrize(
    "distinto",
    [
        {"archivos": []},
        {"archivos": [["sobres/00001.jwe", MAXIMO_SELLADO + 1, "a" * 64]]},
        {"archivos": [["sobres/00001.jwe", 0, "a" * 64]]},
        {"archivos": [["sobres/00001.jwe", True, "a" * 64]]},
        {"archivos": [["sobres/00001.jwe", 1, "a" * 64]] * 2},
        {"archivos": [[f"imagenes/{n:05d}.jwe", 1, "a" * 64] for n in range(mochila.MAXIMO_ARCHIVOS + 1)]},
        {"archivos": [[f"imagenes/{n:05d}.jwe", MAXIMO_SELLADO, "a" * 64] for n in range(800)]},
        {"sobres": mochila.MAXIMO_SOBRES + 1},
        {"sobres": 0},
        {"desde": 6},
        {"hasta": 2**60},
        {"hora": "ayer"},
        {"sello": "x"},
        {"v": 3},
        {"v": True},
        {"equipo": "catd-02"},
        {"otro": 1},
    ],
    ids=lambda d: str(d)[:40],
)
def test_bombas_y_mentiras_se_rechazan_antes_de_leer_un_archivo(distinto: dict[str, Any]) -> None:
    assert rechazado(dato_con(**distinto)) == "FORMA"


def test_una_de_las_que_iban_en_claro_se_reconoce() -> None:
    assert rechazado({"v": 1, "equipo": "catd-01", "archivos": [["sobres.jsonl", 3, "a" * 64]]}) == "SIN_SELLAR"


def test_no_se_firma_un_manifiesto_que_nadie_abriria() -> None:
    with pytest.raises(SobreInvalido):
        mochila.a_bytes(replace(BUENO, archivos=()))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda hijos: st.lists(hijos, max_size=4) | st.dictionaries(st.text(max_size=8), hijos, max_size=4),
    max_leaves=8,
)


@settings(max_examples=150)
@given(st.dictionaries(st.sampled_from(sorted(dato_con())), JSON, min_size=1))
def test_cualquier_manifiesto_bien_firmado_se_lee_o_se_rechaza(distinto: dict[str, Any]) -> None:
    try:
        leido = mochila.abrir(firmado(dato_con(**distinto)), PUBLICA)
        dicho = "" if mochila.abrir(mochila.firmar(mochila.a_bytes(leido), QUIEN), PUBLICA) == leido else "OTRA COSA"
    except SobreInvalido as error:
        dicho = error.codigo
    assert dicho in ("", "FORMA", "TAMANO", "SIN_SELLAR")


@given(st.binary(max_size=300))
def test_cualesquiera_bytes_bien_firmados_no_son_un_manifiesto(crudo: bytes) -> None:
    assert rechazado(crudo) in ("FORMA", "TAMANO")


# -------------------------------------------------------------------------------------------------------- los renglones


@given(st.binary(max_size=600) | st.lists(JSON.map(lambda d: json.dumps(d).encode())).map(b"\n".join))
def test_todo_renglon_sale_como_un_mensaje_y_ninguno_se_calla(contenido: bytes) -> None:
    salidos = list(mochila.sobres_de(contenido))
    assert len(salidos) == sum(bool(r.strip(b"\n")) for r in contenido.split(b"\n"))
    assert all(salidos)


def test_un_renglon_roto_no_se_lleva_a_los_demas() -> None:
    bueno = mochila.renglon(1, "a.b.c")
    contenido = bueno + b'{"secuencia":2,"hue\n\n' + b'{"secuencia":1,"huella":"x","sobre":"\xc3\xb1"}\n' + bueno
    assert [s for s in mochila.sobres_de(contenido) if s == b"a.b.c"] == [b"a.b.c"] * 2
    assert len(list(mochila.sobres_de(contenido))) == 4
