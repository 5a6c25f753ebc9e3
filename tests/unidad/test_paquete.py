"""El paquete de una definición: determinista, firmado por la autoridad, y estricto con lo que trae adentro."""

from __future__ import annotations

import hashlib
import io
import tarfile
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nucleo.definicion import cargar_proceso
from nucleo.padron import AUTORIDAD
from nucleo.paquete import (
    DefinicionFirmada,
    PaqueteInvalido,
    abrir_archivo,
    abrir_paquete,
    armar,
    comprimir,
    sellar_definicion,
)
from tests.estrategias import FirmanteEnMemoria, firmante

AUTORA: Final = firmante(AUTORIDAD)
EJEMPLO: Final = Path(__file__).resolve().parents[2] / "datos" / "oaxaca_2022"
ARCHIVOS: Final = {"eleccion.toml": b"a = 1\n", "casillas.csv": b"x\n", "formatos/GUB.toml": b"b = 2\n"}


def firmado(comprimido: bytes, quien: FirmanteEnMemoria = AUTORA, version: int = 1) -> bytes:
    sha256 = hashlib.sha256(comprimido).hexdigest()
    firmada = DefinicionFirmada("oax2022", "simulacro", version, sha256, len(comprimido), "e" * 64)
    return armar(sellar_definicion(firmada, quien), comprimido)


PAQUETE: Final = firmado(comprimir(ARCHIVOS))


def empacado(*miembros: tuple[tarfile.TarInfo, bytes]) -> bytes:
    """Un tar.gz hecho por otro, con lo que se quiera."""
    salida = io.BytesIO()
    with tarfile.TarFile(fileobj=salida, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for info, contenido in miembros:
            info.size = len(contenido)
            tar.addfile(info, io.BytesIO(contenido))
    compresor = zlib.compressobj(wbits=31)
    return compresor.compress(salida.getvalue()) + compresor.flush()


def test_ida_y_vuelta_y_los_mismos_archivos_dan_los_mismos_bytes() -> None:
    al_reves = dict(reversed(ARCHIVOS.items()))
    assert comprimir(ARCHIVOS) == comprimir(al_reves)
    firmada, archivos = abrir_paquete(PAQUETE, AUTORA.llave)
    assert (firmada.version, archivos) == (1, ARCHIVOS)


def test_una_definicion_de_verdad_cabe_y_vuelve_con_la_misma_huella(tmp_path: Path) -> None:
    rutas = [EJEMPLO / "eleccion.toml", EJEMPLO / "casillas.csv.gz", *(EJEMPLO / "formatos").iterdir()]
    archivos = {str(r.relative_to(EJEMPLO)): r.read_bytes() for r in rutas}
    for nombre, contenido in abrir_archivo(comprimir(archivos)).items():
        (tmp_path / nombre).parent.mkdir(exist_ok=True)
        (tmp_path / nombre).write_bytes(contenido)
    assert cargar_proceso(tmp_path).huella == cargar_proceso(EJEMPLO).huella


@pytest.mark.parametrize(
    "nombre", ["../eleccion.toml", "/etc/passwd", "formatos/../x.toml", "otro.txt", "formatos/a/b.png"]
)
def test_una_ruta_ajena_no_entra(nombre: str) -> None:
    with pytest.raises(PaqueteInvalido):
        comprimir({**ARCHIVOS, nombre: b""})
    miembros = [(tarfile.TarInfo(n), c) for n, c in sorted({**ARCHIVOS, nombre: b""}.items())]
    with pytest.raises(PaqueteInvalido):
        abrir_archivo(empacado(*miembros))


def test_ni_ligas_ni_repetidos_ni_fechas_ni_bytes_de_mas() -> None:
    liga = tarfile.TarInfo("formatos/x.toml")
    liga.type, liga.linkname = tarfile.SYMTYPE, "/etc/passwd"
    fechado = tarfile.TarInfo("eleccion.toml")
    fechado.mtime = 1
    toml, casillas = (tarfile.TarInfo("eleccion.toml"), b"a"), (tarfile.TarInfo("casillas.csv"), b"x")
    for malo in (
        empacado(casillas, toml, (liga, b"")),
        empacado(casillas, toml, toml),
        empacado(casillas, (fechado, b"a")),
        empacado(toml, casillas),
        empacado(toml),
        comprimir(ARCHIVOS) + b"\0",
        comprimir(ARCHIVOS)[:-1],
        b"",
    ):
        with pytest.raises(PaqueteInvalido):
            abrir_archivo(malo)


def test_la_firma_del_centro_no_vale_por_la_de_la_autoridad() -> None:
    centro = firmante("centro")
    for falso in (
        firmado(comprimir(ARCHIVOS), centro),
        firmado(comprimir(ARCHIVOS), replace(centro, identidad=AUTORIDAD)),
        firmado(comprimir(ARCHIVOS), replace(AUTORA, identidad="centro")),
    ):
        with pytest.raises(PaqueteInvalido, match="autoridad"):
            abrir_paquete(falso, AUTORA.llave)


@given(st.data())
@settings(max_examples=200)
def test_cortado_o_con_un_byte_cambiado_nunca_pasa_por_bueno(datos: st.DataObject) -> None:
    lugar = datos.draw(st.integers(0, len(PAQUETE) - 1))
    cambiado = bytearray(PAQUETE)
    cambiado[lugar] ^= datos.draw(st.integers(1, 255))
    for malo in (PAQUETE[:lugar], bytes(cambiado), PAQUETE + b"x", datos.draw(st.binary(max_size=200))):
        try:
            firmada, archivos = abrir_paquete(malo, AUTORA.llave)
        except PaqueteInvalido:
            continue
        # Otra firma de los mismos bytes es la misma definición: ECDSA es maleable.
        assert (firmada.version, archivos) == (1, ARCHIVOS)


@given(st.binary(max_size=300))
@settings(max_examples=100)
def test_un_gzip_bien_firmado_con_basura_adentro(basura: bytes) -> None:
    compresor = zlib.compressobj(wbits=31)
    with pytest.raises(PaqueteInvalido):
        abrir_paquete(firmado(compresor.compress(basura) + compresor.flush()), AUTORA.llave)
