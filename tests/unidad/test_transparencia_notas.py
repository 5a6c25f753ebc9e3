"""Notas, puntos de control, cofirmas y pruebas: exactas al escribir, estrictas al leer."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import replace
from typing import Final

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from nucleo.transparencia.arbol import RAIZ_VACIA, Arbol, PruebaInvalida
from nucleo.transparencia.cofirma import Cofirmante, LlaveDeTestigo, hora_de
from nucleo.transparencia.nota import (
    MAXIMO_FIRMAS,
    MAXIMO_NOTA,
    Firma,
    FirmanteDeNotas,
    LlaveDeRegistro,
    Nota,
    NotaInvalida,
    comprobar_nota,
    leer_nota,
)
from nucleo.transparencia.prueba import MAXIMO_PRUEBA, Prueba, comprobar_prueba, leer_prueba
from nucleo.transparencia.punto import Punto, abrir_punto, firmar_punto, leer_punto

ORIGEN: Final = "prep.ejemplo.mx/oax2022"
HORA: Final = 1_654_473_600


def privada(semilla: int) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(bytes([semilla]) * 32)


REGISTRO: Final = FirmanteDeNotas(ORIGEN, privada(1))
UNA: Final = Cofirmante("testigo.ejemplo.mx/una", privada(2))
OTRA: Final = Cofirmante("testigo.ejemplo.mx/otra", privada(3))
INTRUSO: Final = FirmanteDeNotas(ORIGEN, privada(9))
HOJAS: Final = [b"acta %d" % i for i in range(11)]


def arbol() -> Arbol:
    nuevo = Arbol()
    for h in HOJAS:
        nuevo.agregar(h)
    return nuevo


ARBOL: Final = arbol()
PUNTO: Final = Punto(ORIGEN, len(HOJAS), ARBOL.raiz())
NOTA: Final = firmar_punto(PUNTO, REGISTRO).con(UNA.cofirmar(PUNTO, HORA), OTRA.cofirmar(PUNTO, HORA + 1))
PRUEBA: Final = Prueba(4, ARBOL.inclusion(4), NOTA)
TESTIGOS: Final = (UNA.llave, OTRA.llave)


def test_la_llave_de_ejemplo_de_go_se_lee_y_se_escribe_igual() -> None:
    """La de la documentación de golang.org/x/mod/sumdb/note; su identificador lo calculó Go."""
    vkey = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
    assert LlaveDeRegistro.de_vkey(vkey).vkey == vkey


@pytest.mark.parametrize("llave", [REGISTRO.llave, UNA.llave], ids=["registro", "testigo"])
def test_una_llave_mal_copiada_no_se_acepta(llave: LlaveDeRegistro | LlaveDeTestigo) -> None:
    clase = type(llave)
    assert clase.de_vkey(llave.vkey) == llave
    nombre, identificador, codigo = llave.vkey.split("+", 2)
    for mala in (
        "",
        nombre,
        f"{nombre}+{identificador}",
        f"{nombre}x+{identificador}+{codigo}",
        f"{nombre} +{identificador}+{codigo}",
        f"{nombre}+{identificador.upper()}x+{codigo}",
        f"{nombre}+00000000+{codigo}",
        f"{nombre}+{identificador}+{codigo[:-4]}",
        f"{nombre}+{identificador}+{codigo}AAAA",
        f"\ud800+{identificador}+{codigo}",
        llave.vkey + "\n",
    ):
        with pytest.raises(NotaInvalida):
            clase.de_vkey(mala)


def test_la_llave_de_un_testigo_no_pasa_por_la_del_registro() -> None:
    with pytest.raises(NotaInvalida, match="tipo 04 y aquí va 01"):
        LlaveDeRegistro.de_vkey(UNA.llave.vkey)
    with pytest.raises(NotaInvalida, match="tipo 01 y aquí va 04"):
        LlaveDeTestigo.de_vkey(REGISTRO.llave.vkey)


def test_la_nota_se_lee_y_se_escribe_igual_y_dice_quien_la_firma() -> None:
    datos = NOTA.a_bytes()
    assert leer_nota(datos) == NOTA
    assert leer_nota(datos).a_bytes() == datos
    assert datos.startswith(f"{ORIGEN}\n11\n{b64encode(ARBOL.raiz()).decode()}\n\n— {ORIGEN} ".encode())
    firmado = abrir_punto(datos, REGISTRO.llave, TESTIGOS)
    assert firmado.punto == PUNTO
    assert set(firmado.firmas) == {REGISTRO.llave, *TESTIGOS}
    assert hora_de(firmado.firmas[UNA.llave].firma) == HORA
    assert set(abrir_punto(datos, REGISTRO.llave).firmas) == {REGISTRO.llave}


def test_todo_byte_de_la_nota_firmada_esta_cuidado() -> None:
    """Un bit cambiado en el texto o en una firma conocida la tumba; en nombre o identificador, deja de ser conocida."""
    datos = NOTA.a_bytes()
    for lugar in range(len(datos)):
        mala = bytearray(datos)
        mala[lugar] ^= 0x01
        try:
            firmado = abrir_punto(bytes(mala), REGISTRO.llave, TESTIGOS)
        except NotaInvalida:
            continue
        assert firmado.punto == PUNTO
        assert len(firmado.firmas) < 3
        assert lugar > len(PUNTO.texto.encode())


def test_la_firma_de_un_intruso_con_el_mismo_nombre_no_cuenta() -> None:
    suya = firmar_punto(PUNTO, INTRUSO)
    with pytest.raises(NotaInvalida, match="ninguna llave conocida"):
        abrir_punto(suya.a_bytes(), REGISTRO.llave)
    abrir_punto(suya.con(*NOTA.firmas).a_bytes(), REGISTRO.llave)


def test_un_punto_que_solo_firman_los_testigos_no_es_del_registro() -> None:
    sola = Nota(PUNTO.texto, (UNA.cofirmar(PUNTO, HORA),))
    with pytest.raises(NotaInvalida, match="no lo firma"):
        abrir_punto(sola.a_bytes(), REGISTRO.llave, TESTIGOS)


def test_la_firma_de_registro_no_vale_como_cofirma_ni_al_reves() -> None:
    como_testigo = Cofirmante(ORIGEN, privada(1))
    trocada = como_testigo.cofirmar(PUNTO, HORA)._replace(id=REGISTRO.llave.id)
    with pytest.raises(NotaInvalida, match="no corresponde"):
        comprobar_nota(Nota(PUNTO.texto, (trocada,)), [REGISTRO.llave])
    with pytest.raises(NotaInvalida, match="una hora y una firma"):
        como_testigo.llave.comprobar(PUNTO.texto, REGISTRO.firmar(PUNTO.texto).firma)


def test_cambiar_la_hora_de_una_cofirma_la_tumba() -> None:
    firma = UNA.cofirmar(PUNTO, HORA)
    tarde = (HORA + 3600).to_bytes(8, "big") + firma.firma[8:]
    with pytest.raises(NotaInvalida, match="no corresponde"):
        UNA.llave.comprobar(PUNTO.texto, tarde)
    for hora in (-1, 2**63):
        with pytest.raises(NotaInvalida, match="no es una hora"):
            UNA.cofirmar(PUNTO, hora)
    for cofirma in (b"\xff" * 72, b"\0" * 71, b"\0" * 73, b""):
        with pytest.raises(NotaInvalida, match="una hora y una firma"):
            hora_de(cofirma)


def test_quien_vuelve_a_firmar_reemplaza_su_firma() -> None:
    despues = NOTA.con(UNA.cofirmar(PUNTO, HORA + 60))
    assert [f.nombre for f in despues.firmas] == [f.nombre for f in NOTA.firmas]
    firmas = abrir_punto(despues.a_bytes(), REGISTRO.llave, TESTIGOS).firmas
    assert hora_de(firmas[UNA.llave].firma) == HORA + 60


def test_si_una_llave_firmo_dos_veces_cuenta_la_primera_y_las_dos_tienen_que_ser_buenas() -> None:
    dos = [UNA.cofirmar(PUNTO, HORA), UNA.cofirmar(PUNTO, HORA + 60)]
    firmas = abrir_punto(Nota(PUNTO.texto, (*NOTA.firmas[:1], *dos)).a_bytes(), REGISTRO.llave, TESTIGOS).firmas
    assert hora_de(firmas[UNA.llave].firma) == HORA
    dos[1] = dos[1]._replace(firma=bytes(72))
    with pytest.raises(NotaInvalida, match="no corresponde"):
        abrir_punto(Nota(PUNTO.texto, (*NOTA.firmas[:1], *dos)).a_bytes(), REGISTRO.llave, TESTIGOS)


def test_dos_llaves_que_se_confunden_no_se_aceptan() -> None:
    class Gemela(LlaveDeRegistro):
        __slots__ = ()

    with pytest.raises(NotaInvalida, match="mismo identificador"):
        comprobar_nota(NOTA, [REGISTRO.llave, Gemela(ORIGEN, REGISTRO.llave.publica)])


BUENA: Final = "— a AAAAAAA=\n"


@pytest.mark.parametrize(
    ("datos", "causa"),
    [
        (b"", "cortada"),
        (b"texto\n\n", "cortada"),
        (f"texto\n{BUENA}".encode(), "cortada"),
        (f"texto\n\n{BUENA}".encode()[:-1], "cortada"),
        (f"texto\r\n\n{BUENA}".encode(), "caracteres de control"),
        (f"te\txto\n\n{BUENA}".encode(), "caracteres de control"),
        (f"texto\n\n{BUENA}".encode("utf-16"), "UTF-8"),
        (b"texto\n\n- a AAAAAAA=\n", "raya"),
        ("texto\n\n— a AAAAAAA\n".encode(), "base64"),
        ("texto\n\n— a AAAAAAB=\n".encode(), "única manera"),
        ("texto\n\n— a  AAAAAAA=\n".encode(), "base64"),
        ("texto\n\n— a AAAA\n".encode(), "vacía"),
        ("texto\n\n— a AAAAAA==\n".encode(), "vacía"),
        ("texto\n\n— a\n".encode(), "vacía"),
        ("texto\n\n—  AAAAAAA=\n".encode(), "nombre de una llave"),
        ("texto\n\n— a+b AAAAAAA=\n".encode(), "nombre de una llave"),
        ("texto\n\n— a\u00a0b AAAAAAA=\n".encode(), "nombre de una llave"),
        (f"texto\n\n{BUENA}{BUENA[2:]}".encode(), "raya"),
        (f"texto\n\n{BUENA * (MAXIMO_FIRMAS + 1)}".encode(), "firmas y el tope"),
        (b"x" * (MAXIMO_NOTA + 1), "el tope es"),
    ],
)
def test_una_nota_mal_hecha_dice_por_que(datos: bytes, causa: str) -> None:
    with pytest.raises(NotaInvalida, match=causa):
        leer_nota(datos)


def test_el_texto_puede_traer_renglones_vacios() -> None:
    """El que separa es el último (signed-note, «Format»)."""
    nota = leer_nota(f"uno\n\ndos\n\n{BUENA}".encode())
    assert nota.texto == "uno\n\ndos\n"
    assert nota.firmas == (Firma("a", b"\0\0\0\0", b"\0"),)


RAIZ: Final = b64encode(ARBOL.raiz()).decode()


@pytest.mark.parametrize(
    "texto",
    [
        *("", "a\n", "a\n1\n", f"a\n1\n{RAIZ}", f"\n1\n{RAIZ}\n", f"a\n\n{RAIZ}\n", f"a\n1\n{RAIZ}\n\n"),
        *(f"a\n01\n{RAIZ}\n", f"a\n-1\n{RAIZ}\n", f"a\n+1\n{RAIZ}\n", f"a\n٣\n{RAIZ}\n", f"a\n{2**63}\n{RAIZ}\n"),
        *(
            f"a\n1\n{RAIZ[:-4]}\n",
            f"a\n1\n{RAIZ}AAAA\n",
            f"a\n0\n{RAIZ}\n",
            f"a\n1\n{RAIZ}\nx\n\ny\n",
            f"a\r\n1\n{RAIZ}\n",
        ),
    ],
)
def test_un_punto_mal_hecho_no_se_lee(texto: str) -> None:
    with pytest.raises(NotaInvalida):
        leer_punto(texto)


def test_un_punto_vacio_y_uno_con_extensiones_se_leen() -> None:
    for punto in (Punto("a b", 0, RAIZ_VACIA), replace(PUNTO, extensiones=("uno", "dos tres"))):
        assert leer_punto(punto.texto) == punto
    for malo in (("\ud800",), ("dos\nrenglones",), ("",)):
        with pytest.raises(NotaInvalida):
            replace(PUNTO, extensiones=malo)


def test_el_punto_de_otro_registro_no_sirve_aunque_lo_firme_la_misma_llave() -> None:
    ajeno = replace(PUNTO, origen="prep.ejemplo.mx/otro")
    with pytest.raises(NotaInvalida, match="el registro se llama"):
        firmar_punto(ajeno, REGISTRO)
    with pytest.raises(NotaInvalida, match="es de otro registro"):
        abrir_punto(Nota(ajeno.texto, (REGISTRO.firmar(ajeno.texto),)).a_bytes(), REGISTRO.llave)


def test_la_prueba_se_comprueba_sola() -> None:
    for i, hoja in enumerate(HOJAS):
        datos = replace(PRUEBA, indice=i, camino=ARBOL.inclusion(i)).a_bytes()
        leida = leer_prueba(datos)
        assert leida.a_bytes() == datos
        assert comprobar_prueba(leida, hoja, REGISTRO.llave, TESTIGOS, quorum=2).punto == PUNTO


@pytest.mark.parametrize("de_mas", [None, b"", b"lo que sea"])
def test_lo_de_mas_va_y_viene_sin_que_nadie_le_crea(de_mas: bytes | None) -> None:
    prueba = replace(PRUEBA, de_mas=de_mas)
    assert leer_prueba(prueba.a_bytes()) == prueba
    comprobar_prueba(prueba, HOJAS[4], REGISTRO.llave)


def test_la_prueba_de_la_unica_hoja_no_lleva_camino() -> None:
    solo = Arbol()
    solo.agregar(b"puesta en ceros")
    nota = firmar_punto(Punto(ORIGEN, 1, solo.raiz()), REGISTRO)
    datos = Prueba(0, (), nota).a_bytes()
    assert datos == b"c2sp.org/tlog-proof@v1\nindex 0\n\n" + nota.a_bytes()
    comprobar_prueba(leer_prueba(datos), b"puesta en ceros", REGISTRO.llave)


def test_cada_mentira_de_una_prueba_tiene_su_causa() -> None:
    def comprobar(prueba: Prueba, causa: str, hoja: bytes = HOJAS[4], quorum: int = 0) -> None:
        with pytest.raises(PruebaInvalida, match=causa):
            comprobar_prueba(prueba, hoja, REGISTRO.llave, TESTIGOS, quorum)

    comprobar(PRUEBA, "no llega a la raíz", hoja=b"otros votos")
    comprobar(replace(PRUEBA, indice=5), "no llega a la raíz")
    comprobar(replace(PRUEBA, indice=11), "no puede estar")
    comprobar(replace(PRUEBA, camino=PRUEBA.camino[:-1]), "incompleto")
    comprobar(replace(PRUEBA, nota=firmar_punto(PUNTO, INTRUSO)), "no vale: no la firma")
    comprobar(
        replace(PRUEBA, nota=firmar_punto(PUNTO, REGISTRO)), "cofirman 0 testigos conocidos y se piden 1", quorum=1
    )
    comprobar(PRUEBA, "cofirman 2 testigos conocidos y se piden 3", quorum=3)


def test_un_testigo_con_dos_nombres_no_son_dos() -> None:
    doble = Cofirmante("testigo.ejemplo.mx/alias", privada(2))
    propio = Cofirmante(ORIGEN, privada(1))
    nota = firmar_punto(PUNTO, REGISTRO).con(*(c.cofirmar(PUNTO, HORA) for c in (UNA, doble, propio)))
    testigos = (UNA.llave, doble.llave, propio.llave)
    with pytest.raises(PruebaInvalida, match="cofirman 1 testigos conocidos y se piden 2"):
        comprobar_prueba(replace(PRUEBA, nota=nota), HOJAS[4], REGISTRO.llave, testigos, 2)


BUEN_ARCHIVO: Final = replace(PRUEBA, de_mas=b"xyz").a_bytes()


@pytest.mark.parametrize(
    "datos",
    [
        *(b"", b"\n\n", BUEN_ARCHIVO[1:], BUEN_ARCHIVO[:-1], BUEN_ARCHIVO + b"\n"),
        BUEN_ARCHIVO.replace(b"@v1", b"@v2"),
        BUEN_ARCHIVO.replace(b"extra ", b"extra  "),
        BUEN_ARCHIVO.replace(b"extra ", b"extra eHl6\nextra "),
        BUEN_ARCHIVO.replace(b"index 4\n", b""),
        BUEN_ARCHIVO.replace(b"index 4", b"index 04"),
        BUEN_ARCHIVO.replace(b"index 4", "index ٤".encode()),
        BUEN_ARCHIVO.replace(b"index 4", b"index 4\n"),
        BUEN_ARCHIVO.replace(b"index 4\n", b"index 4\n" + b"AAAA\n" * 64),
        b"x" * (MAXIMO_PRUEBA + 1),
    ],
)
def test_una_prueba_mal_hecha_no_se_lee(datos: bytes) -> None:
    with pytest.raises(PruebaInvalida):
        leer_prueba(datos)


@st.composite
def con_un_trozo_cambiado(draw: st.DrawFn, bueno: bytes) -> bytes:
    a, b = sorted((draw(st.integers(0, len(bueno))), draw(st.integers(0, len(bueno)))))
    return bueno[:a] + draw(st.one_of(st.binary(max_size=8), st.text(max_size=4).map(str.encode))) + bueno[b:]


@given(st.one_of(st.binary(), con_un_trozo_cambiado(BUEN_ARCHIVO)))
def test_basura_en_una_prueba_no_tumba_al_lector(datos: bytes) -> None:
    try:
        leida = leer_prueba(datos)
        assert leida.a_bytes() == datos
        comprobar_prueba(leida, HOJAS[4], REGISTRO.llave, TESTIGOS)
    except PruebaInvalida:
        return


@given(st.one_of(st.binary(), con_un_trozo_cambiado(NOTA.a_bytes())))
def test_basura_en_una_nota_no_tumba_al_lector(datos: bytes) -> None:
    try:
        assert leer_nota(datos).a_bytes() == datos
        assert abrir_punto(datos, REGISTRO.llave, TESTIGOS).punto == PUNTO
    except NotaInvalida:
        return


@given(st.one_of(st.text(), con_un_trozo_cambiado(UNA.llave.vkey.encode()).map(lambda b: b.decode("utf-8", "replace"))))
def test_basura_en_una_llave_no_tumba_al_lector(vkey: str) -> None:
    for clase in (LlaveDeRegistro, LlaveDeTestigo):
        try:
            assert clase.de_vkey(vkey).vkey == vkey
        except NotaInvalida:
            continue


@given(st.text(st.characters(codec="utf-8")), st.binary(max_size=80))
def test_una_firma_cualquiera_no_tumba_a_quien_comprueba(texto: str, firma: bytes) -> None:
    for llave in (REGISTRO.llave, UNA.llave):
        with pytest.raises(NotaInvalida):
            llave.comprobar(texto, firma)
