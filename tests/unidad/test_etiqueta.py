"""La etiqueta y los códigos: que un signo mal leído se note, y que un código ajeno nunca se tome por un acta."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import Final

import pytest
import segno
from hypothesis import example, given
from hypothesis import strategies as st

from nucleo.casilla import TIPOS
from nucleo.codigo_qr import (
    FORMAS,
    INE8,
    PREP1,
    Firma,
    Formas,
    Identificado,
    codigo_de,
    codigo_firmado,
    identificar,
    parece_de_acta,
)
from nucleo.eleccion import Proceso
from nucleo.etiqueta import (
    BYTES_NONCE,
    MAXIMO_QR,
    Etiqueta,
    EtiquetaInvalida,
    folio_de,
    huella,
    leer_code128,
    leer_etiqueta,
    legible,
    nonce_de,
    resumen_de_eleccion,
    texto_code128,
    texto_qr,
)
from nucleo.hechos import IdActa
from nucleo.problema import Rechazo
from tests.muestras import proceso_chico

PROCESO: Final = proceso_chico()
BASICA: Final = PROCESO.casillas["200001B0100"]
GUB: Final = PROCESO.elecciones["GUB"]
ACTA: Final = IdActa("GUB", BASICA.clave)
MIA: Final = Etiqueta(ACTA, nonce_de(bytes(range(8))))
LLAVE: Final = b"la llave secreta del instituto"
ALFABETO: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"

nonces = st.binary(min_size=BYTES_NONCE, max_size=BYTES_NONCE).map(nonce_de)
claves_eleccion = st.from_regex(r"[A-Z][A-Z0-9_]{0,12}", fullmatch=True)
claves_casilla = st.builds(
    lambda e, s, t, n, x: f"{e:02d}{s:04d}{t}{n:02d}{x:02d}",
    *(st.integers(1, 33), st.integers(0, 9999), st.sampled_from(TIPOS), st.integers(0, 99), st.integers(0, 99)),
)
etiquetas = st.builds(Etiqueta, st.builds(IdActa, claves_eleccion, claves_casilla), nonces)


def con_forma(cuales: str) -> Formas:
    return Formas(admitidas=tuple(cuales.split()))


def codigo_del(rechazo: Identificado | Rechazo) -> str:
    assert isinstance(rechazo, Rechazo)
    assert rechazo.que
    assert rechazo.causa
    assert rechazo.siguiente
    return rechazo.codigo


def con_otro_proceso(**cambios: object) -> Proceso:
    return replace(PROCESO, **cambios)  # type: ignore[arg-type]


# --- Lo que cabe y lo que regresa igual. ---


@given(etiquetas)
def test_lo_impreso_se_lee_igual_y_cabe_en_un_qr_de_version_3(etiqueta: Etiqueta) -> None:
    texto = texto_qr(etiqueta)
    assert leer_etiqueta(texto) == etiqueta
    assert len(texto) <= MAXIMO_QR
    assert set(texto) <= set(ALFABETO)
    qr = segno.make(texto, error="q", micro=False, boost_error=False)
    assert (qr.version, qr.mode) <= (3, "alphanumeric")


@given(etiquetas)
def test_las_veinte_cifras_dicen_la_casilla_completa(etiqueta: Etiqueta) -> None:
    corta = leer_code128(texto_code128(etiqueta))
    assert corta.casilla == etiqueta.acta.casilla
    assert corta.eleccion == resumen_de_eleccion(etiqueta.acta.eleccion)
    assert corta.folio == folio_de(etiqueta)


@given(etiquetas, etiquetas)
def test_dos_etiquetas_distintas_tienen_distinta_huella(una: Etiqueta, otra: Etiqueta) -> None:
    assert (huella(una) == huella(otra)) == (una == otra)


def test_lo_que_lee_una_persona_trae_la_clave_y_el_nonce() -> None:
    assert legible(MIA) == f"GUB 20 0001 B01 00\n{MIA.nonce[:4]}-{MIA.nonce[4:8]}-{MIA.nonce[8:]}"


@pytest.mark.parametrize(
    ("eleccion", "casilla", "nonce"),
    [
        ("GUBERNATURA_2024", "200001B0100", MIA.nonce),
        ("gub", "200001B0100", MIA.nonce),
        ("GUB", "200001X0100", MIA.nonce),
        ("GUB", "200001B0100", MIA.nonce[1:]),
        ("GUB", "200001B0100", "ILOUILOUILOU"),
    ],
)
def test_lo_que_no_cabe_en_la_etiqueta_no_se_imprime(eleccion: str, casilla: str, nonce: str) -> None:
    with pytest.raises(EtiquetaInvalida):
        Etiqueta(IdActa(eleccion, casilla), nonce)


@pytest.mark.parametrize("cuantos", [0, 7, 9])
def test_un_nonce_corto_no_es_un_nonce(cuantos: int) -> None:
    with pytest.raises(ValueError, match="bytes"):
        nonce_de(bytes(cuantos))


# --- Un signo mal leído. ---


@given(etiquetas, st.data())
def test_un_signo_cambiado_se_nota(etiqueta: Etiqueta, datos: st.DataObject) -> None:
    texto = texto_qr(etiqueta)
    lugar = datos.draw(st.integers(0, len(texto) - 1))
    signo = datos.draw(st.sampled_from(ALFABETO.replace(texto[lugar], "")))
    with pytest.raises(EtiquetaInvalida):
        leer_etiqueta(texto[:lugar] + signo + texto[lugar + 1 :])


def test_toda_sustitucion_y_todo_intercambio_se_notan_en_una_etiqueta() -> None:
    """Exhaustiva, no al azar: cada lugar con cada signo, y cada pareja de lugares."""
    for bueno, signos in ((texto_qr(MIA), ALFABETO), (texto_code128(MIA), "0123456789")):
        leer = leer_etiqueta if bueno.startswith(PREP1) else leer_code128
        malos = {bueno[:i] + s + bueno[i + 1 :] for i in range(len(bueno)) for s in signos}
        for i in range(len(bueno)):
            for j in range(i + 1, len(bueno)):
                malos.add(bueno[:i] + bueno[j] + bueno[i + 1 : j] + bueno[i] + bueno[j + 1 :])
        malos.discard(bueno)
        assert len(malos) > len(bueno) * (len(signos) - 1)
        for malo in malos:
            with pytest.raises(EtiquetaInvalida):
                leer(malo)


@given(etiquetas)
def test_un_simbolo_de_dos_cifras_mal_leido_se_nota(etiqueta: Etiqueta) -> None:
    """En juego C cada símbolo del Code 128 son dos cifras: equivocarse en uno cambia las dos."""
    bueno = texto_code128(etiqueta)
    for i in range(0, len(bueno), 2):
        for par in range(100):
            malo = f"{bueno[:i]}{par:02d}{bueno[i + 2 :]}"
            if malo != bueno:
                with pytest.raises(EtiquetaInvalida):
                    leer_code128(malo)


# --- Identificar contra el catálogo. ---


@pytest.mark.parametrize("clave", PROCESO.casillas)
def test_toda_forma_de_codigo_identifica_su_acta(clave: str) -> None:
    etiqueta = Etiqueta(IdActa("GUB", clave), MIA.nonce)
    casilla = PROCESO.casillas[clave]
    assert identificar(texto_qr(etiqueta), PROCESO) == Identificado(etiqueta.acta, PREP1, MIA.nonce)
    assert identificar(texto_code128(etiqueta), PROCESO) == Identificado(etiqueta.acta, PREP1, folio=folio_de(etiqueta))
    assert identificar(codigo_de(casilla, GUB), PROCESO) == Identificado(etiqueta.acta, INE8)


def test_el_lector_agrega_un_salto_de_linea() -> None:
    assert identificar(f"{texto_qr(MIA)}\r\n", PROCESO) == Identificado(ACTA, PREP1, MIA.nonce)


@pytest.mark.parametrize(
    "texto",
    [
        "https://partido.example/acta?id=200001B0100",
        "",
        "PREP",
        "7501031311309",
        "WIFI:S:casa;;",
        "200001B0100",
        "|" * 40,
    ],
)
def test_el_codigo_de_otra_cosa_no_es_un_acta(texto: str) -> None:
    assert codigo_del(identificar(texto, PROCESO)) == "CODIGO_AJENO"
    assert not parece_de_acta(texto)


@pytest.mark.parametrize(
    "texto",
    [texto_qr(MIA)[:-1], texto_qr(MIA).replace("B01", "C01"), "PREP1:", texto_code128(MIA)[:-1] + "x", "0" * 20],
)
def test_un_codigo_nuestro_mal_leido_se_dice_roto(texto: str) -> None:
    esperado = "CODIGO_AJENO" if texto.endswith("x") else "CODIGO_ROTO"
    assert codigo_del(identificar(texto, PROCESO)) == esperado


def test_un_codigo_de_otra_eleccion_se_distingue_de_uno_roto() -> None:
    de_otra = Etiqueta(IdActa("DIP_LOC", BASICA.clave), MIA.nonce)
    de_otra_entidad = Etiqueta(IdActa("GUB", "140001B0100"), MIA.nonce)
    for etiqueta in (de_otra, de_otra_entidad):
        for texto in (texto_qr(etiqueta), texto_code128(etiqueta)):
            assert codigo_del(identificar(texto, PROCESO)) == "CODIGO_DE_OTRA_ELECCION"
    ine = codigo_de(BASICA, replace(GUB, clave="DIP_LOC"))
    assert codigo_del(identificar(ine, PROCESO)) == "CODIGO_DE_OTRA_ELECCION"


def test_una_casilla_que_no_esta_en_el_catalogo() -> None:
    ajena = replace(BASICA, seccion=9999)
    for texto in (texto_qr(Etiqueta(IdActa("GUB", ajena.clave), MIA.nonce)), codigo_de(ajena, GUB)):
        assert codigo_del(identificar(texto, PROCESO)) == "CASILLA_DESCONOCIDA"


def test_el_tipo_de_acta_no_corresponde_a_la_casilla() -> None:
    especial = codigo_de(BASICA, replace(GUB, tipo_acta="2E"))
    assert codigo_del(identificar(especial, PROCESO)) == "TIPO_DE_ACTA"
    con_cero = codigo_de(BASICA, replace(GUB, tipo_acta="02"))
    assert identificar(con_cero, PROCESO) == Identificado(ACTA, INE8)
    sin_basicas = con_otro_proceso(elecciones={"GUB": replace(GUB, tipos_casilla=frozenset("S"))})
    assert codigo_del(identificar(texto_qr(MIA), sin_basicas)) == "TIPO_DE_ACTA"


def test_el_distrito_del_codigo_no_es_el_de_la_casilla() -> None:
    de_otro_distrito = codigo_de(replace(BASICA, distrito=7), GUB)
    assert codigo_del(identificar(de_otro_distrito, PROCESO)) == "CODIGO_ROTO"
    assert identificar(de_otro_distrito, PROCESO, Formas(cotejar_distrito=False)) == Identificado(ACTA, INE8)


def test_dos_elecciones_que_el_code128_no_distingue() -> None:
    resumen = resumen_de_eleccion("GUB")
    gemela = next(c for i in range(100_000) if resumen_de_eleccion(c := f"E{i}") == resumen)
    doble = con_otro_proceso(elecciones={"GUB": GUB, gemela: replace(GUB, clave=gemela)})
    dudoso = identificar(texto_code128(MIA), doble)
    assert isinstance(dudoso, Rechazo)
    assert dudoso.codigo == "CODIGO_ROTO", "no es de otra elección: no se sabe de cuál de las dos"
    assert identificar(texto_qr(MIA), doble) == Identificado(ACTA, PREP1, MIA.nonce)


# --- La variante firmada. ---


def test_el_codigo_firmado_se_comprueba_con_la_llave() -> None:
    firmado = codigo_firmado(codigo_de(BASICA, GUB), LLAVE)
    assert identificar(firmado, PROCESO, Formas(llave=LLAVE)) == Identificado(ACTA, INE8, firma=Firma.VALIDA)
    assert identificar(firmado, PROCESO) == Identificado(ACTA, INE8, firma=Firma.SIN_COMPROBAR)
    mayusculas = codigo_de(BASICA, GUB) + "|" + firmado.rpartition("|")[2].upper()
    assert identificar(mayusculas, PROCESO, Formas(llave=LLAVE)) == Identificado(ACTA, INE8, firma=Firma.VALIDA)


def test_un_codigo_que_alguien_armo_en_su_casa() -> None:
    bueno = codigo_de(BASICA, GUB)
    ajeno = codigo_firmado(bueno, b"otra llave")
    cambiado = codigo_firmado(bueno, LLAVE).replace("|0001|", "|0002|")
    sin_firma = bueno
    for texto in (ajeno, cambiado, sin_firma):
        assert codigo_del(identificar(texto, PROCESO, Formas(llave=LLAVE))) == "FIRMA_INVALIDA"
    assert codigo_del(identificar(f"{bueno}|abc", PROCESO)) == "CODIGO_ROTO"


def test_la_llave_no_se_asoma_en_los_mensajes() -> None:
    assert "secreta" not in repr(Formas(llave=LLAVE))


# --- Lo que el instituto configura. ---


def test_una_forma_que_el_instituto_no_usa_es_ajena() -> None:
    assert codigo_del(identificar(codigo_de(BASICA, GUB), PROCESO, con_forma(PREP1))) == "CODIGO_AJENO"
    assert codigo_del(identificar(texto_qr(MIA), PROCESO, con_forma(INE8))) == "CODIGO_AJENO"


def test_el_instituto_numera_las_candidaturas() -> None:
    numerado = codigo_de(BASICA, replace(GUB, clave="1"))
    assert identificar(numerado, PROCESO, Formas(candidaturas={"1": "GUB"})) == Identificado(ACTA, INE8)


def test_una_forma_mal_escrita_en_la_configuracion_se_dice_al_arrancar() -> None:
    with pytest.raises(ValueError, match="INE8"):
        Formas(admitidas=("INE9",))


# --- Basura. ---


@given(st.text(max_size=400))
@example("PREP1:\x00")
@example("²" * 20)
@example("٣" * 20)
@example("20|01|2|0001|01|B|00|GUB|")
def test_cualquier_texto_da_un_acta_del_catalogo_o_un_rechazo(texto: str) -> None:
    for formas in (None, Formas(llave=LLAVE), *map(con_forma, FORMAS)):
        leido = identificar(texto, PROCESO, formas)
        if isinstance(leido, Identificado):
            assert leido.acta.casilla in PROCESO.casillas
        else:
            assert codigo_del(leido)
    for leer in (leer_etiqueta, leer_code128):
        with suppress(EtiquetaInvalida):
            assert leer(texto) is not None


@given(st.lists(st.text("0123456789BCESMAPGU_2E", max_size=6), min_size=8, max_size=9).map("|".join))
def test_ocho_campos_cualesquiera(texto: str) -> None:
    leido = identificar(texto, PROCESO)
    assert isinstance(leido, Identificado) or codigo_del(leido) != "CODIGO_AJENO"


@given(st.from_regex(r"PREP1:[0-9A-Z:/.]{0,60}", fullmatch=True))
def test_una_etiqueta_inventada_no_pasa(texto: str) -> None:
    assert codigo_del(identificar(texto, PROCESO)) == "CODIGO_ROTO"
