"""Cualquier archivo, por roto o malintencionado que esté: se lee o se dice por qué no. Nada más puede escapar."""

from __future__ import annotations

import gzip
import io
import zipfile
from collections.abc import Callable
from functools import cache

from hypothesis import given, settings
from hypothesis import strategies as st

from auditoria.auditar import auditar_base
from auditoria.redaccion import redactar
from nucleo.base_oficial.ilegible import BaseIlegible
from nucleo.base_oficial.lectura import leer_csv
from nucleo.base_oficial.modelo import a_modelo
from nucleo.base_oficial.paquetes import Archivo, bases
from tests.conftest import RAIZ
from tests.unidad.actas_de_prueba import proceso_raro
from tests.unidad.bases_de_otros_anios import MUESTRAS

PROCESO = proceso_raro()
DATOS = RAIZ / "datos"


@cache
def _trozos() -> tuple[bytes, ...]:
    """Las primeras líneas de cada base real y las muestras de otros años."""
    reales = (
        "quintana_roo_2019/20190603_0547_PREP_DIP_QROO.zip",
        "oaxaca_2022/cortes/20220606_0000_PREP_GUB_OAX.zip",
        "campeche_2021/20210601_1852_PREP_JUNTAS_CAMP.zip",
    )
    trozos = [bases((DATOS / r).read_bytes(), r)[0].contenido for r in reales]
    return (*(b"".join(t.splitlines(keepends=True)[:25]) for t in trozos), *(m.contenido for m in MUESTRAS))


def _problema(funcion: Callable[[], object]) -> str:
    """Qué dijo de un archivo ilegible; vacío si se pudo leer. Cualquier otra excepción escapa y hace fallar."""
    try:
        funcion()
    except BaseIlegible as error:
        return str(error)
    return ""


def _procesar(contenido: bytes) -> None:
    problema = _problema(lambda: bases(contenido, "x"))
    if problema:
        assert "Siguiente paso" in problema
        return
    for archivo in bases(contenido, "x"):
        redactar(auditar_base(archivo))
        _problema(lambda archivo=archivo: a_modelo(leer_csv(archivo.contenido), PROCESO, "GUB"))  # type: ignore[misc]


@given(st.binary(max_size=400))
@settings(max_examples=150)
def test_bytes_al_azar(contenido: bytes) -> None:
    _procesar(contenido)


@given(
    st.binary(max_size=200), st.sampled_from([b"PK\x03\x04", b"PK\x05\x06", b"\x1f\x8b\x08", b"\x00" * 257 + b"ustar"])
)
@settings(max_examples=80)
def test_bytes_al_azar_que_dicen_ser_un_paquete(contenido: bytes, firma: bytes) -> None:
    _procesar(firma + contenido)


@st.composite
def _mutado(sortea: st.DrawFn, originales: tuple[bytes, ...]) -> bytes:
    contenido = bytearray(sortea(st.sampled_from(originales)))
    for _ in range(sortea(st.integers(1, 4))):
        lugar = sortea(st.integers(0, len(contenido)))
        largo = sortea(st.integers(0, 40))
        contenido[lugar : lugar + largo] = sortea(
            st.one_of(
                st.binary(max_size=20),
                st.sampled_from([b"\n", b"\r", b",", b"|", b'"', b"'", b"\t", b"-", b"9" * 30, b"\xf1", b"=", b"NA"]),
            )
        )
    return bytes(contenido)


@given(st.data())
@settings(max_examples=200)
def test_una_base_real_a_la_que_le_pasa_algo(datos: st.DataObject) -> None:
    _procesar(datos.draw(_mutado(_trozos())))


@given(st.data())
@settings(max_examples=100)
def test_un_zip_real_al_que_le_pasa_algo(datos: st.DataObject) -> None:
    salida = io.BytesIO()
    with zipfile.ZipFile(salida, "w", zipfile.ZIP_DEFLATED) as paquete:
        paquete.writestr("base.csv", _trozos()[0])
        paquete.writestr("LEEME.txt", b"hola")
    originales = (salida.getvalue(), gzip.compress(_trozos()[2], mtime=0))
    _procesar(datos.draw(_mutado(originales)))


def test_un_encabezado_hecho_para_no_terminar_nunca() -> None:
    partidos = [f"Q{n}" for n in range(40)]
    ancho = ",".join(
        ["SECCION", "TIPO_CASILLA", *partidos, "_".join(partidos), "NULOS", "LISTA_NOMINAL", "OBSERVACIONES"]
    )
    _procesar(f"{ancho}\n{',' * 45}\n".encode())
    _procesar(f"{ancho}{',X' * 2_000}\n".encode())
    _procesar(f"{ancho}\n{',' * 3_000_000}\n".encode())


@given(st.data())
@settings(max_examples=100)
def test_un_renglon_de_cualquier_cosa(datos: st.DataObject) -> None:
    original = datos.draw(st.sampled_from(_trozos()))
    base = leer_csv(original)
    celda = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)
    celdas = datos.draw(st.lists(celda, min_size=len(base.columnas), max_size=len(base.columnas)))
    renglon = base.dialecto.separador.join(celdas).encode()
    informe = auditar_base(Archivo("x.csv", original.rstrip() + b"\n" + renglon + b"\n"))
    redactar(informe)
