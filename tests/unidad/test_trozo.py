"""El trozo y el recibo: una sola forma de leerlos, y nada de lo que llegue por la red los tumba."""

from __future__ import annotations

import hashlib
import json
import struct
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nucleo.recibo import (
    MAXIMO_IMAGENES,
    MAXIMO_RANGOS,
    ImagenRecibida,
    Recibo,
    Situacion,
    abrir_recibo,
    sellar_recibo,
)
from nucleo.sobre import MAXIMO_BYTES as MAXIMO_SOBRE
from nucleo.sobre import SobreInvalido, Tipo
from nucleo.trozo import (
    MAXIMO_ARCHIVO,
    MAXIMO_BYTES,
    MAXIMO_DATOS,
    Trozo,
    TrozoInvalido,
    a_bytes,
    cortar,
    cuantos,
    leer,
)
from tests.estrategias import desarmar, firmante

CENTRO: Final = firmante("centro")
H: Final = "ab" * 32
HORA: Final = datetime(2022, 6, 6, 2, 0, tzinfo=UTC)


# ------------------------------------------------------------------------------------------------------------- el trozo


@given(st.binary(min_size=1, max_size=3 * MAXIMO_DATOS + 7))
def test_los_trozos_de_un_archivo_lo_rehacen(contenido: bytes) -> None:
    huella = hashlib.sha256(contenido).hexdigest()
    trozos = [leer(a_bytes(cortar(huella, contenido, n))) for n in range(cuantos(len(contenido)))]
    assert b"".join(t.datos for t in trozos) == contenido
    assert [t.numero for t in trozos] == list(range(len(trozos)))
    assert {(t.sha256, t.total) for t in trozos} == {(huella, len(contenido))}


def test_la_forma_es_la_escrita() -> None:
    crudo = a_bytes(Trozo(H, 16_385, 16_384, b"x"))
    assert crudo == b"PRT1" + bytes.fromhex(H) + (16_385).to_bytes(4, "big") + (16_384).to_bytes(4, "big") + b"x"
    assert leer(a_bytes(Trozo(H, 9))).pregunta


@pytest.mark.parametrize(
    ("malo", "codigo"),
    [
        (Trozo(H, 0), "TAMANO"),
        (Trozo(H, MAXIMO_ARCHIVO + 1), "TAMANO"),
        (Trozo(H, 9, 5), "FORMA"),  # una pregunta que empieza a la mitad
        (Trozo(H, 9, 0, b"12345678"), "FORMA"),  # le falta un byte
        (Trozo(H, 9, 0, b"1234567890"), "FORMA"),
        (Trozo(H, 99, 9, b"x" * 90), "FORMA"),  # fuera de la cuadrícula
        (Trozo(H, MAXIMO_DATOS, MAXIMO_DATOS, b"x"), "FORMA"),  # más allá del final
        (Trozo(H, 2**31, 0, b"x" * MAXIMO_DATOS), "TAMANO"),
        (Trozo("AB" * 32, 9), "FORMA"),
        (Trozo("ab", 9), "FORMA"),
        (Trozo(H, -1), "FORMA"),
        (Trozo(H, 2**32), "FORMA"),
    ],
)
def test_nadie_manda_ni_lee_un_trozo_que_se_encima_o_se_sale(malo: Trozo, codigo: str) -> None:
    with pytest.raises(TrozoInvalido) as error:
        a_bytes(malo)
    assert error.value.codigo == codigo
    if len(malo.sha256) == 64 and malo.sha256.islower() and 0 <= malo.total < 2**32:
        crudo = struct.pack(">4s32sII", b"PRT1", bytes.fromhex(malo.sha256), malo.total, malo.desde) + malo.datos
        with pytest.raises(TrozoInvalido):
            leer(crudo)


@pytest.mark.parametrize("crudo", [b"", b"PRT1", b"PRT2" + bytes(40), b"x" * 44, bytes(MAXIMO_BYTES + 1)])
def test_lo_que_no_es_un_trozo_se_dice(crudo: bytes) -> None:
    with pytest.raises(TrozoInvalido):
        leer(crudo)


@given(
    st.one_of(
        st.binary(max_size=200),
        st.binary(max_size=60).map(lambda b: b"PRT1" + b),
        st.builds(
            lambda total, desde, datos: struct.pack(">4s32sII", b"PRT1", bytes(32), total, desde) + datos,
            st.integers(0, 2**32 - 1) | st.integers(0, 40_000),
            st.integers(0, 2**32 - 1) | st.sampled_from([0, MAXIMO_DATOS, 2 * MAXIMO_DATOS]),
            st.binary(max_size=50) | st.integers(0, MAXIMO_DATOS + 1).map(bytes),
        ),
    )
)
def test_cualesquiera_bytes_son_un_trozo_exacto_o_no_lo_son(crudo: bytes) -> None:
    try:
        trozo = leer(crudo)
    except TrozoInvalido:
        return
    assert a_bytes(trozo) == crudo
    assert trozo.desde + len(trozo.datos) <= trozo.total <= MAXIMO_ARCHIVO


# ------------------------------------------------------------------------------------------------------------ el recibo

RECIBO: Final = Recibo(
    "catd-01",
    "0" * 16,
    HORA,
    (
        ImagenRecibida("a" * 64, 100_000, Situacion.PARCIAL, ((0, MAXIMO_DATOS), (3 * MAXIMO_DATOS, 100_000))),
        ImagenRecibida("b" * 64, 5, Situacion.COMPLETA),
        ImagenRecibida("c" * 64, 5, Situacion.AJENA),
        ImagenRecibida("d" * 64, 5, Situacion.DANADA),
        ImagenRecibida("e" * 64, 5, Situacion.ESPERA),
        ImagenRecibida("f" * 64, 5, Situacion.PARCIAL),
    ),
)


def _carga(recibo: Recibo = RECIBO) -> dict[str, Any]:
    dato: dict[str, Any] = json.loads(desarmar(sellar_recibo(recibo, CENTRO))[1])
    return dato


def _abrir(dato: object) -> Recibo:
    return abrir_recibo(CENTRO.firmar(Tipo.RECIBO, json.dumps(dato).encode()), CENTRO.llave)


def test_ida_y_vuelta_del_recibo() -> None:
    assert abrir_recibo(sellar_recibo(RECIBO, CENTRO), CENTRO.llave) == RECIBO


def test_el_recibo_mas_grande_cabe_en_un_sobre() -> None:
    rangos = tuple((2 * n * MAXIMO_DATOS, (2 * n + 1) * MAXIMO_DATOS) for n in range(MAXIMO_RANGOS))
    lleno = tuple(
        ImagenRecibida(f"{n:064x}", MAXIMO_ARCHIVO, Situacion.PARCIAL, rangos) for n in range(MAXIMO_IMAGENES)
    )
    compacto = sellar_recibo(replace(RECIBO, imagenes=lleno), CENTRO)
    assert len(compacto) <= MAXIMO_SOBRE
    assert abrir_recibo(compacto, CENTRO.llave).imagenes == lleno


def test_de_muchos_rangos_se_dicen_los_primeros_y_nunca_de_mas() -> None:
    total = 80 * MAXIMO_DATOS
    rangos = tuple((2 * n * MAXIMO_DATOS, (2 * n + 1) * MAXIMO_DATOS) for n in range(40))
    imagen = ImagenRecibida(H, total, Situacion.PARCIAL, rangos)
    (leida,) = abrir_recibo(sellar_recibo(replace(RECIBO, imagenes=(imagen,)), CENTRO), CENTRO.llave).imagenes
    assert leida.rangos == rangos[:MAXIMO_RANGOS]


def test_un_recibo_que_no_firmo_el_centro_no_es_un_recibo() -> None:
    carga = json.dumps(_carga()).encode()
    for ajeno in (
        firmante("catd-02").firmar(Tipo.RECIBO, carga),
        CENTRO.firmar(Tipo.ACUSE, carga),
        replace(CENTRO, identidad="catd-01").firmar(Tipo.RECIBO, carga),
    ):
        with pytest.raises(SobreInvalido):
            abrir_recibo(ajeno, CENTRO.llave)


@pytest.mark.parametrize(
    "tiene",
    [
        [[0, 100_000]],  # todo, y no dice que esté completa
        [[0, MAXIMO_DATOS], [MAXIMO_DATOS, 2 * MAXIMO_DATOS]],  # se tocan
        [[MAXIMO_DATOS, 2 * MAXIMO_DATOS], [0, MAXIMO_DATOS]],
        [[0, 0]],
        [[1, MAXIMO_DATOS]],
        [[0, MAXIMO_DATOS + 1]],
        [[0, 2 * 100_000]],
        [[-MAXIMO_DATOS, 0]],
        [[0, True]],
        [[0]],
        "parcial",
        "lista",
        "",
        None,
        5,
        {},
        [[0, MAXIMO_DATOS]] * (MAXIMO_RANGOS + 1),
    ],
)
def test_unos_rangos_que_dos_lectores_entenderian_distinto(tiene: object) -> None:
    dato = _carga() | {"imagenes": [["a" * 64, 100_000, tiene]]}
    with pytest.raises(SobreInvalido):
        _abrir(dato)


@pytest.mark.parametrize(
    "cambio",
    [
        {"v": 2},
        {"v": True},
        {"equipo": "Catd"},
        {"epoca": "x"},
        {"hora": "2022-06-06T01:40:00"},
        {"imagenes": []},
        {"imagenes": [["a" * 64, 5, "completa"]] * 2},
        {"imagenes": [[f"{n:064x}", 5, "completa"] for n in range(MAXIMO_IMAGENES + 1)]},
        {"imagenes": [["a" * 64, 0, "completa"]]},
        {"imagenes": [["a" * 64, MAXIMO_ARCHIVO + 1, "completa"]]},
        {"imagenes": [["a" * 63, 5, "completa"]]},
        {"otra": 1},
    ],
)
def test_un_recibo_con_otra_forma_se_rechaza(cambio: dict[str, object]) -> None:
    with pytest.raises(SobreInvalido):
        _abrir(_carga() | cambio)


@given(st.recursive(st.none() | st.integers() | st.text(max_size=70), lambda hijos: st.lists(hijos, max_size=4)))
def test_cualquier_cosa_en_las_imagenes_se_lee_o_se_rechaza(imagenes: Any) -> None:
    try:
        recibo = _abrir(_carga() | {"imagenes": imagenes})
    except SobreInvalido:
        return
    assert recibo.imagenes


@given(st.text(max_size=60) | st.binary(max_size=60).map(lambda b: b.decode("latin-1")))
def test_cualquier_texto_no_es_un_recibo(texto: str) -> None:
    with pytest.raises(SobreInvalido):
        abrir_recibo(texto, CENTRO.llave)
