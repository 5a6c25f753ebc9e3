"""El sobre frente a quien lo altera en el camino, quien firma con otra llave y un kiosco inscrito que hace trampa."""

from __future__ import annotations

import hmac
import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import ECKey
from joserfc.jws import JWSRegistry

from nucleo.acta import Origen
from nucleo.hechos import Acopio, IdActa, a_contenido, de_contenido
from nucleo.sobre import (
    CADENA_NUEVA,
    MAXIMA_HONDURA,
    MAXIMO_BYTES,
    MAXIMO_ENCABEZADO,
    Sobre,
    SobreInvalido,
    Tipo,
    abrir,
    carga_de,
    huella,
    leer_json,
    quien_dice_ser,
    sellar,
    verificar,
)
from tests.estrategias import armar, desarmar, firmante, firmar_a_mano, sobres

KIOSCO: Final = firmante("catd-01")
OTRO: Final = firmante("catd-02")
ORDEN_P256: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
ES256: Final = JWSRegistry(algorithms=["ES256"]).get_alg("ES256")
CABEZA: Final = b'{"alg":"ES256","typ":"prep-hecho+jws","kid":"catd-01"}'
HORA: Final = datetime(2022, 6, 6, 1, 2, 3, tzinfo=UTC)
ACOPIO: Final = Acopio(IdActa("GUB", "200001B0100"), HORA, Origen.CATD, "ACTA PREP", "", "acopio-1")
SOBRE: Final = Sobre(
    *("oax2022", "simulacro", "acatlan", "catd-01", "00112233aabbccdd", 1, CADENA_NUEVA, HORA),
    *("sincronizado", "a-1", "0.1.0", a_contenido(ACOPIO)),
)
COMPACTO: Final = sellar(SOBRE, KIOSCO)


def codigo_al_abrir(compacto: str, llave: ECKey = KIOSCO.llave) -> str:
    with pytest.raises(SobreInvalido) as error:
        abrir(compacto, llave)
    str(error.value).encode()
    return error.value.codigo


def con_carga(carga: bytes | Mapping[str, Any]) -> str:
    """Un sobre bien firmado por el kiosco con una carga cualquiera."""
    dato = carga if isinstance(carga, bytes) else json.dumps(carga).encode()
    return firmar_a_mano(KIOSCO.llave, CABEZA, dato)


def carga(**cambios: Any) -> dict[str, Any]:
    return json.loads(carga_de(SOBRE)) | cambios  # type: ignore[no-any-return]


# --------------------------------------------------------------------------------------------------------- ida y vuelta


@given(sobres("catd-01"))
def test_ida_y_vuelta(sobre: Sobre) -> None:
    compacto = sellar(sobre, KIOSCO)
    assert abrir(compacto, KIOSCO.llave) == sobre
    assert quien_dice_ser(compacto, Tipo.HECHO) == "catd-01"
    assert verificar(compacto, KIOSCO.llave, Tipo.HECHO) == carga_de(sobre)


def test_el_hecho_sale_como_entro() -> None:
    assert de_contenido(abrir(COMPACTO, KIOSCO.llave).contenido) == ACOPIO


def test_es_un_jws_cualquiera_que_otra_biblioteca_verifica() -> None:
    """Lo firmado a mano con `cryptography` y lo firmado con joserfc se abren igual."""
    assert abrir(firmar_a_mano(KIOSCO.llave, CABEZA, carga_de(SOBRE)), KIOSCO.llave) == SOBRE


def test_una_cadena_de_sobres_se_encadena_por_huellas() -> None:
    previo, cadena = CADENA_NUEVA, []
    for secuencia in range(1, 6):
        cadena.append(sellar(replace(SOBRE, secuencia=secuencia, previo=previo), KIOSCO))
        previo = huella(cadena[-1])
    abiertos = [abrir(c, KIOSCO.llave) for c in cadena]
    assert [s.previo for s in abiertos] == [CADENA_NUEVA, *map(huella, cadena[:-1])]
    assert len(set(map(huella, cadena))) == 5


# --------------------------------------------------------------------------------------------------------------- huella


def test_la_huella_es_de_lo_firmado_y_no_de_la_firma() -> None:
    """ECDSA es aleatorizada: el mismo sobre firmado dos veces son dos textos y una sola hoja."""
    otra_vez = sellar(SOBRE, KIOSCO)
    assert otra_vez != COMPACTO
    assert huella(otra_vez) == huella(COMPACTO)


def test_la_firma_es_maleable_y_aun_asi_es_la_misma_hoja() -> None:
    """Con (r, −s) cualquiera fabrica, sin la llave, otra firma que vale; si contara, la hoja contaría dos veces."""
    cabeza, datos, firma = desarmar(COMPACTO)
    s = ORDEN_P256 - int.from_bytes(firma[32:], "big")
    gemelo = armar(cabeza, datos, firma[:32] + s.to_bytes(32, "big"))
    assert gemelo != COMPACTO
    assert abrir(gemelo, KIOSCO.llave) == SOBRE
    assert huella(gemelo) == huella(COMPACTO)


def test_otro_contenido_es_otra_huella() -> None:
    assert huella(sellar(replace(SOBRE, secuencia=2), KIOSCO)) != huella(COMPACTO)


# ------------------------------------------------------------------------------------------------------------ alterados


def test_alterar_cualquier_byte_de_lo_firmado_lo_invalida() -> None:
    fin = COMPACTO.rindex(".")
    for lugar in range(fin):
        otro = "A" if COMPACTO[lugar] != "A" else "B"
        assert codigo_al_abrir(COMPACTO[:lugar] + otro + COMPACTO[lugar + 1 :]) in {"FIRMA", "FORMA", "TIPO"}


@given(st.integers(0, 511))
def test_voltear_un_bit_de_la_firma_la_invalida(bit: int) -> None:
    cabeza, datos, firma = desarmar(COMPACTO)
    volteada = (int.from_bytes(firma, "big") ^ (1 << bit)).to_bytes(64, "big")
    assert codigo_al_abrir(armar(cabeza, datos, volteada)) == "FIRMA"


@pytest.mark.parametrize("firma", [b"", b"\0" * 64, b"\xff" * 64, b"\0" * 63, b"\0" * 65, b"0" * 512])
def test_firmas_degeneradas(firma: bytes) -> None:
    """`\\0` * 64 fue la «firma psíquica» que otras bibliotecas dieron por buena (CVE-2022-21449)."""
    cabeza, datos, _ = desarmar(COMPACTO)
    assert codigo_al_abrir(armar(cabeza, datos, firma)) == "FIRMA"


def test_la_firma_de_otro_kiosco_no_vale() -> None:
    assert codigo_al_abrir(COMPACTO, OTRO.llave) == "FIRMA"


@pytest.mark.parametrize("curva", ["P-384", "P-521", "secp256k1"])
def test_una_llave_de_otra_curva_no_verifica_nada(curva: str) -> None:
    assert codigo_al_abrir(COMPACTO, ECKey.generate_key(curva)) == "FIRMA"


def test_un_kiosco_inscrito_no_habla_en_nombre_de_otro() -> None:
    """Antes bastaba con una llave inscrita para sellar sobres que decían ser de cualquier equipo."""
    assert codigo_al_abrir(con_carga(carga(equipo="catd-02"))) == "FORMA"
    with pytest.raises(SobreInvalido, match="catd-01"):
        sellar(replace(SOBRE, equipo="catd-02"), KIOSCO)


# ---------------------------------------------------------------------------------------------------------- encabezados


@pytest.mark.parametrize(
    "cambios",
    [
        {"alg": "none"},
        {"alg": "HS256"},
        {"alg": "ES384"},
        {"alg": "ES256K"},
        {"alg": None},
        {"typ": "prep-latido+jws"},
        {"typ": "JWT"},
        {"kid": "CATD 01"},
        {"kid": "../../etc/passwd"},
        {"kid": 1},
        {"crit": ["b64"], "b64": False},
        {"crit": []},
        {"jku": "https://malo.example/llaves"},
        {"jwk": {"kty": "EC"}},
        {"x5c": []},
        {"cty": "json"},
    ],
)
def test_el_encabezado_no_negocia_nada(cambios: dict[str, Any]) -> None:
    cabeza = json.dumps(json.loads(CABEZA) | cambios).encode()
    assert codigo_al_abrir(firmar_a_mano(KIOSCO.llave, cabeza, carga_de(SOBRE))) in {"FORMA", "TIPO"}


@pytest.mark.parametrize("falta", ["alg", "typ", "kid"])
def test_al_encabezado_no_le_falta_nada(falta: str) -> None:
    cabeza = json.dumps({k: v for k, v in json.loads(CABEZA).items() if k != falta}).encode()
    assert codigo_al_abrir(firmar_a_mano(KIOSCO.llave, cabeza, carga_de(SOBRE))) == "FORMA"


@pytest.mark.parametrize(
    "cabeza",
    [
        b'{"alg":"none","alg":"ES256","typ":"prep-hecho+jws","kid":"catd-01"}',
        b'{"alg":"ES256","typ":"prep-hecho+jws","kid":"catd-02","kid":"catd-01"}',
        CABEZA.decode().encode("utf-16"),
        b'["alg","typ","kid"]',
        b'"alg"',
        b"[" * 300,
        b"",
    ],
)
def test_un_encabezado_que_cada_biblioteca_leeria_distinto(cabeza: bytes) -> None:
    assert codigo_al_abrir(firmar_a_mano(KIOSCO.llave, cabeza, carga_de(SOBRE))) == "FORMA"


def test_un_encabezado_que_otra_biblioteca_ya_no_abriria() -> None:
    """Lo firma quien controla un kiosco: si aquí se contara, quien revise con joserfc diría que se contó sin firma."""
    largo = CABEZA.replace(b",", b"," + b" " * MAXIMO_ENCABEZADO)
    assert codigo_al_abrir(firmar_a_mano(KIOSCO.llave, largo, carga_de(SOBRE))) == "FORMA"
    cabeza = urlsafe_b64encode(CABEZA + b" " * ((1 - len(CABEZA)) % 3)).rstrip(b"=").decode()
    datos = armar(b"", carga_de(SOBRE), b"").split(".")[1]
    for ultima in (cabeza[-1], chr(ord(cabeza[-1]) + 1)):  # los cuatro bits de sobra
        firmado = f"{cabeza[:-1]}{ultima}.{datos}"
        firma = urlsafe_b64encode(ES256.sign(firmado.encode(), KIOSCO.llave)).rstrip(b"=").decode()
        if ultima == cabeza[-1]:
            assert abrir(f"{firmado}.{firma}", KIOSCO.llave) == SOBRE
        else:
            assert codigo_al_abrir(f"{firmado}.{firma}") == "FORMA"


def test_hmac_con_la_llave_publica_de_secreto() -> None:
    """La confusión de algoritmos de siempre: la llave pública la tiene todo el mundo."""
    cabeza = CABEZA.replace(b"ES256", b"HS256")
    firmado = armar(cabeza, carga_de(SOBRE), b"").removesuffix(".").encode()
    firma = hmac.digest(KIOSCO.llave.as_pem(private=False), firmado, "sha256")
    assert codigo_al_abrir(armar(cabeza, carga_de(SOBRE), firma)) == "TIPO"


@pytest.mark.parametrize("tipo", [t for t in Tipo if t is not Tipo.HECHO])
def test_una_firma_de_otra_cosa_no_vale_como_hecho(tipo: Tipo) -> None:
    assert codigo_al_abrir(KIOSCO.firmar(tipo, carga_de(SOBRE))) == "TIPO"


def test_base64_con_relleno_o_bits_de_sobra_no_es_otra_forma_de_lo_mismo() -> None:
    cabeza, datos, firma = COMPACTO.split(".")
    for variante in (f"{cabeza}=.{datos}.{firma}", f"{cabeza}.{datos}.{firma}==", f"{cabeza}.{datos}\n.{firma}"):
        assert codigo_al_abrir(variante) in {"FORMA", "FIRMA"}
    ultima = chr(ord(firma[-1]) + 1)  # los cuatro bits de sobra de 86 letras
    assert codigo_al_abrir(f"{cabeza}.{datos}.{firma[:-1]}{ultima}") == "FIRMA"


@pytest.mark.parametrize("texto", ["", ".", "..", "...", "a.b", "a.b.c", "ñ.ñ.ñ", "\ud800", COMPACTO + ".x", "\0" * 9])
def test_lo_que_no_es_un_jws(texto: str) -> None:
    assert codigo_al_abrir(texto) == "FORMA"


# ---------------------------------------------------------------------------------------------------------------- carga


@pytest.mark.parametrize("llave", list(carga()))
def test_ni_un_campo_de_menos(llave: str) -> None:
    assert codigo_al_abrir(con_carga({k: v for k, v in carga().items() if k != llave})) == "FORMA"


@pytest.mark.parametrize(
    "cambios",
    [
        {"otro": 1},
        {"v": 2},
        {"v": True},
        {"v": 1.0},
        {"v": "1"},
        {"secuencia": 0},
        {"secuencia": -1},
        {"secuencia": 2**53},
        {"secuencia": True},
        {"secuencia": "1"},
        {"secuencia": 1.0},
        {"epoca": "0011"},
        {"epoca": "00112233AABBCCDD"},
        {"previo": CADENA_NUEVA[1:]},
        {"previo": CADENA_NUEVA + "\n"},
        {"modo": "simulacro\n"},
        {"proceso": ""},
        {"catd": "../x"},
        {"creado": "2022-06-05T20:00:00"},
        {"contenido": []},
        {"contenido": None},
        {"contenido": "{}"},
        {"sistema": "x" * 81},
        {"sistema": "\ud800"},
    ],
)
def test_la_forma_de_la_carga_es_una(cambios: dict[str, Any]) -> None:
    assert codigo_al_abrir(con_carga(carga(**cambios))) == "FORMA"


BUENA: Final = carga_de(SOBRE)


@pytest.mark.parametrize(
    "datos",
    [
        b"",
        b"null",
        b"[]",
        b"1",
        BUENA[:-1],
        BUENA + b"{}",
        BUENA.replace(b'{"v":1', b'{"v":1,"v":1', 1),
        BUENA.replace(b'"contenido":{', b'"contenido":{"a":1,"\\u0061":2,', 1),
        BUENA.replace(b'"contenido":{', b'"contenido":{"x":NaN,', 1),
        BUENA.replace(b'"contenido":{', b'"contenido":{"x":-Infinity,', 1),
        BUENA.replace(b'"contenido":{', b'"contenido":{"x":1e999,', 1),
        BUENA.replace(b'"contenido":{', b'"contenido":{"x":0.5,', 1),
        BUENA.replace(b'"contenido":{', b'"contenido":{"x":' + b"9" * 5000 + b",", 1),
        BUENA.replace(b'"contenido":{', b'"contenido":{"x":' + b"[" * 950 + b"]" * 950 + b",", 1),
        BUENA.replace(b'"contenido":{', b'"contenido":{"x":' + b"[" * 9000 + b"]" * 9000 + b",", 1),
        b"\xef\xbb\xbf" + BUENA,
        BUENA.decode().encode("utf-16"),
        BUENA.decode().encode("utf-32"),
        BUENA.replace(b"sincronizado", b"\xff"),
        BUENA.replace(b'"contenido":{', b'"contenido":{"x":"\xed\xa0\x80",', 1),
    ],
    ids=lambda datos: repr(datos[:20]),
)
def test_json_que_dos_lectores_entenderian_distinto(datos: bytes) -> None:
    assert codigo_al_abrir(con_carga(datos)) == "FORMA"


@pytest.mark.parametrize("hondura", [MAXIMA_HONDURA, MAXIMA_HONDURA + 1])
def test_hondura_del_json(hondura: int) -> None:
    datos = b'{"x":' + b"[" * (hondura - 1) + b"]" * (hondura - 1) + b"}"
    if hondura <= MAXIMA_HONDURA:
        assert leer_json(datos)
    else:
        with pytest.raises(SobreInvalido, match="niveles"):
            leer_json(datos)


def test_un_sobre_enorme_se_rechaza_antes_de_mirarlo() -> None:
    assert codigo_al_abrir("A" * (MAXIMO_BYTES + 1)) == "TAMANO"
    gordo = replace(SOBRE, contenido={"x": "A" * MAXIMO_BYTES})
    with pytest.raises(SobreInvalido) as error:
        sellar(gordo, KIOSCO)
    assert error.value.codigo == "TAMANO"
    assert codigo_al_abrir(con_carga(carga_de(gordo))) == "TAMANO"


def test_el_acta_mas_larga_cabe_en_un_sobre() -> None:
    """400 renglones de clave larga: el máximo que `nucleo.hechos` acepta."""
    campos = {f"COMBINACION_DE_PARTIDOS_NUMERO_{i:04}": 99_999 for i in range(400)}
    contenido = {"hecho": "correccion", "campos": campos}
    assert len(sellar(replace(SOBRE, contenido=contenido), KIOSCO)) < MAXIMO_BYTES


@pytest.mark.parametrize(
    "cambios",
    [
        {"epoca": "x"},
        {"secuencia": 0},
        {"creado": datetime(2022, 6, 6, 1, 2, 3)},
        {"sistema": "0.1.0 (de prueba)"},
        {"catd": "Acatlán"},
        {"contenido": {"x": 0.5}},
    ],
)
def test_nadie_sella_lo_que_nadie_podria_abrir(cambios: dict[str, Any]) -> None:
    """Ya firmado ocupa su lugar en la cadena del kiosco, y ahí se quedaría, en cuarentena para siempre."""
    with pytest.raises(SobreInvalido) as error:
        sellar(replace(SOBRE, **cambios), KIOSCO)
    assert error.value.codigo == "FORMA"


def test_el_tema_de_la_firma_es_exactamente_lo_que_viaja() -> None:
    cabeza, datos, _ = desarmar(COMPACTO)
    assert cabeza == CABEZA
    assert datos == carga_de(SOBRE)
    assert COMPACTO.startswith(urlsafe_b64encode(CABEZA).rstrip(b"=").decode() + ".")
