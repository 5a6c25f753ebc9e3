"""Las fotografías de una memoria USB: qué se toma, qué no y por qué, y qué pasa si trae trampas o se daña."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from appliance.digitalizacion import fotos, tabla
from appliance.digitalizacion.cadena import Cadena, Mirar
from appliance.digitalizacion.fotos import MAXIMO_BYTES, Importacion, Memoria, Memorias, importar
from appliance.digitalizacion.hoja import EstadoDeHoja
from appliance.mesa import Mesa
from nucleo.acta import Digitalizacion, Origen
from nucleo.hechos import Imagen
from nucleo.problema import Rechazo
from tests.hojas_de_prueba import Lector, hoja_con, mirar, qr
from tests.kiosco_de_prueba import A1, A2, abrir_mesa, bien, codigo

JPEG = b"\xff\xd8\xff\xe0" + b"foto"


@pytest.fixture
def mesa(tmp_path: Path) -> Mesa:
    mesa = abrir_mesa(tmp_path)
    for acta in (A1, A2):
        bien(mesa.acopiar(acta, persona="acopio-1", origen=Origen.CATD))
    return mesa


@pytest.fixture
def lector(mesa: Mesa, tmp_path: Path) -> Lector:
    return Lector(tmp_path, mesa)


def archivos(carpeta: Path) -> list[str]:
    return sorted(str(r.relative_to(carpeta)) for r in (carpeta / "entrada").rglob("*") if r.is_file())


@pytest.fixture
def memoria(tmp_path: Path) -> Memoria:
    raiz = tmp_path / "montadas"
    (raiz / "TELEFONO" / "DCIM" / "100ANDRO").mkdir(parents=True)
    (hallada,) = Memorias(raiz.iterdir).montadas()
    return hallada


def nombres(lector: Lector) -> list[Digitalizacion]:
    return [h.digitalizacion for h in lector.hojas()]


def test_las_fotos_de_la_raiz_y_de_dcim_entran_como_movil(lector: Lector, memoria: Memoria, tmp_path: Path) -> None:
    (memoria.ruta / "acta.JPG").write_bytes(JPEG + b"1")
    (memoria.ruta / "DCIM" / "100ANDRO" / "dos.jpeg").write_bytes(JPEG + b"2")
    (memoria.ruta / "otra").mkdir()
    (memoria.ruta / "otra" / "no.jpg").write_bytes(JPEG)
    (memoria.ruta / "._acta.jpg").write_bytes(JPEG)
    hecha = bien(importar(lector.cadena, memoria, "digital-1"))
    assert (hecha.copiadas, hecha.negadas) == (2, ())
    assert nombres(lector) == [Digitalizacion.MOVIL] * 2
    assert len(archivos(tmp_path)) == 2


def test_un_heic_se_niega_con_palabras_y_lo_demas_entra(lector: Lector, memoria: Memoria) -> None:
    (memoria.ruta / "a.heic").write_bytes(b"\0\0\0\x18ftypheic")
    assert codigo(importar(lector.cadena, memoria, "digital-1")) == "SIN_FOTOS"
    (memoria.ruta / "b.png").write_bytes(b"\x89PNG\r\n\x1a\nresto")
    (memoria.ruta / "c.jpg").write_bytes(b"MZ programa")
    hecha = bien(importar(lector.cadena, memoria, "digital-1"))
    assert hecha.copiadas == 1
    assert {n for n, _ in hecha.negadas} == {"a.heic", "c.jpg"}


def test_una_memoria_con_trampas_no_saca_nada_de_fuera_ni_cuelga(
    lector: Lector, memoria: Memoria, tmp_path: Path
) -> None:
    secreto = tmp_path / "llave.jpg"
    secreto.write_bytes(JPEG + b"secreto")
    (memoria.ruta / "liga.jpg").symlink_to(secreto)
    (memoria.ruta / "DCIM" / "fuera").symlink_to(tmp_path)
    os.mkfifo(memoria.ruta / "tubo.jpg")
    grande = memoria.ruta / "grande.jpg"
    with grande.open("wb") as archivo:
        archivo.write(JPEG)
        archivo.truncate(MAXIMO_BYTES + 1)
    hecha = bien(importar(lector.cadena, memoria, "digital-1"))
    assert hecha.copiadas == 0
    assert {n for n, _ in hecha.negadas} == {"tubo.jpg", "grande.jpg"}


def test_una_foto_con_nombre_que_no_se_puede_escribir_se_dice_y_no_se_calla(lector: Lector, memoria: Memoria) -> None:
    for crudo in (b"a\xf1o.jpg", b"dos\nrenglones.png"):
        Path(os.fsdecode(os.fsencode(memoria.ruta) + b"/" + crudo)).write_bytes(JPEG)
    nada = importar(lector.cadena, memoria, "digital-1")
    assert isinstance(nada, Rechazo)
    assert "signos" in nada.causa
    (memoria.ruta / "buena.jpg").write_bytes(JPEG)
    hecha = bien(importar(lector.cadena, memoria, "digital-1"))
    assert hecha.copiadas == 1
    assert sorted(n for n, _ in hecha.negadas) == ["a?o.jpg", "dos?renglones.png"]


def test_una_memoria_con_miles_de_archivos_dice_que_no_los_miro_todos(lector: Lector, memoria: Memoria) -> None:
    (memoria.ruta / "acta.jpg").write_bytes(JPEG)
    for numero in range(fotos._MAXIMO_VISTOS):
        (memoria.ruta / f"basura-{numero}").touch()
    importada = importar(lector.cadena, memoria, "digital-1")
    dicho = importada.causa if isinstance(importada, Rechazo) else str(importada.negadas)
    assert "más de 5000 archivos" in dicho


@contextmanager
def ilegible(ruta: Path) -> Iterator[None]:
    """Un archivo que se abre y al leerlo da error de E/S de verdad, como un sector dañado."""
    ruta.touch()
    montado = subprocess.run(["mount", "--bind", f"/proc/{os.getpid()}/mem", ruta], capture_output=True, check=False)
    if montado.returncode:
        pytest.skip("aquí no se puede montar")
    try:
        yield
    finally:
        subprocess.run(["umount", ruta], check=True)


def test_una_foto_en_un_pedazo_danado_de_la_memoria_no_deja_afuera_a_las_que_siguen(
    lector: Lector, memoria: Memoria
) -> None:
    for nombre in ("a.jpg", "c.jpg"):
        (memoria.ruta / nombre).write_bytes(JPEG + nombre.encode())
    with ilegible(memoria.ruta / "b.jpg"):
        hecha = bien(importar(lector.cadena, memoria, "digital-1"))
    assert hecha.copiadas == 2
    assert [n for n, _ in hecha.negadas] == ["b.jpg"]
    with lector.mesa.almacen.lectura() as mirada:
        assert tabla.lotes_con_falla(mirada) == []


def test_se_arranca_la_memoria_a_media_copia_y_queda_dicho_en_el_lote(lector: Lector, memoria: Memoria) -> None:
    (memoria.ruta / "a.jpg").write_bytes(JPEG)
    with ExitStack() as malas:
        for nombre in ("b.jpg", "c.jpg", "d.jpg", "e.jpg"):
            malas.enter_context(ilegible(memoria.ruta / nombre))
        hecha = bien(importar(lector.cadena, memoria, "digital-1"))
    assert (hecha.copiadas, len(hecha.negadas)) == (1, 3), "no se insiste con toda la memoria"
    with lector.mesa.almacen.lectura() as mirada:
        (lote,) = tabla.lotes_con_falla(mirada)
    assert lote.falla is not None
    assert lote.falla[0] == "MEMORIA"


@pytest.mark.parametrize("clave", ["", "../..", "/etc", "{m}/..", "{m}/DCIM", "{m}/", "TELEFONO"])
def test_solo_se_abre_una_memoria_de_la_lista(memoria: Memoria, clave: str) -> None:
    memorias = Memorias(memoria.ruta.parent.iterdir)
    assert codigo(memorias.memoria(clave.format(m=memoria.ruta))) == "SIN_MEMORIA"
    assert memorias.memoria(memoria.clave) == memoria


def test_la_memoria_montada_que_es_una_liga_no_aparece(memoria: Memoria, tmp_path: Path) -> None:
    (memoria.ruta.parent / "liga").symlink_to(tmp_path)
    assert Memorias(memoria.ruta.parent.iterdir).montadas() == (memoria,)


def test_se_saca_la_memoria_antes_de_empezar(lector: Lector, memoria: Memoria) -> None:
    assert codigo(importar(lector.cadena, replace(memoria, ruta=memoria.ruta / "ya-no"), "digital-1")) == "MEMORIA"


def test_la_misma_foto_dos_veces_se_nota(lector: Lector, memoria: Memoria, mesa: Mesa, tmp_path: Path) -> None:
    otra = Cadena(tmp_path, mesa, siempre(hoja_con(qr(A1)), tmp_path))
    for _ in range(2):
        (memoria.ruta / "acta.jpg").write_bytes(JPEG)
        assert isinstance(importar(otra, memoria, "digital-1"), Importacion)
        while (hoja := otra.siguiente()) is not None:
            otra.avanzar(hoja)
    assert [h.estado for h in lector.hojas()] == [EstadoDeHoja.ASIGNADA, EstadoDeHoja.DESCARTADA]
    (imagen,) = [h for h in mesa.almacen.hechos_de(A1) if isinstance(h, Imagen)]
    assert imagen.digitalizacion is Digitalizacion.MOVIL


def siempre(contenido: bytes, carpeta: Path) -> Mirar:
    """Quien mira cualquier archivo como si dijera eso."""
    ruta = carpeta / "lo-que-se-ve"
    ruta.write_bytes(contenido)
    return lambda _: mirar(ruta)
