"""La noche de un estado, en chico: los mismos procesos, el apagón y el veredicto de la de Jalisco entera."""

from __future__ import annotations

import hashlib
import io
import re
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from ensayo.escenario import RAIZ
from ensayo.laboratorio.jalisco.estado import DURACION, Estado, documentos_de, escribir_definicion, leer_estado
from ensayo.laboratorio.jalisco.hojas import TOPE, Hojas, dibujar_hojas
from ensayo.laboratorio.jalisco.medidor import Avance, Gasto, Medidor, Muestra
from ensayo.laboratorio.jalisco.orden import principal as jalisco
from ensayo.laboratorio.jalisco.veredicto import contar_imagenes
from servicio_central.imagenes import Imagenes
from tests.noche_con_imagenes import NocheConImagenes, contenido


@pytest.fixture(scope="module")
def estado(tmp_path_factory: pytest.TempPathFactory) -> Estado:
    return leer_estado(escribir_definicion(tmp_path_factory.mktemp("estado"), 60), 6)


def test_la_region_se_queda_sin_enlace_y_todo_acaba_entregado_y_publicado(tmp_path: Path) -> None:
    orden = [sys.executable, "-m", "ensayo.laboratorio", "jalisco", "--casillas", "24", "--catd", "4"]
    orden += ["--minutos", "0.06", "--hojas", "2", "--carpeta", str(tmp_path)]
    hecha = subprocess.run(orden, cwd=RAIZ, capture_output=True, text=True, timeout=300, check=False)
    assert hecha.returncode == 0, hecha.stdout + hecha.stderr
    assert re.search(r"VUELVE: deben \d+ sobres", hecha.stdout), hecha.stdout
    assert "72 imágenes declaradas, 72 enteras" in hecha.stdout
    assert "72 actas publicadas, 72 iguales" in hecha.stdout
    assert "NO ·" not in hecha.stdout
    assert list(tmp_path.iterdir()) == []


def test_se_da_una_carpeta_que_no_existe_y_se_dice_sin_traza(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as salida:
        jalisco(["--carpeta", "/no/existe"])
    assert salida.value.code == 2
    assert "--carpeta /no/existe no es una carpeta" in capsys.readouterr().err


def test_cada_acta_tiene_su_imagen_y_cualquiera_la_abre(estado: Estado, tmp_path: Path) -> None:
    dibujar_hojas(estado, tmp_path / "hojas", 2)
    hojas = Hojas(tmp_path / "hojas")
    actas = [d.acta for e in estado.catds for d in documentos_de(estado, e)]
    imagenes = [hojas.de(a) for a in actas]
    assert len({hashlib.sha256(i).digest() for i in imagenes}) == len(actas) == 180
    assert hojas.de(actas[0]) == imagenes[0]
    assert all(90 * 1024 < len(i) <= TOPE for i in imagenes)
    for imagen in imagenes[:3]:
        with Image.open(io.BytesIO(imagen)) as abierta:
            abierta.load()
            assert abierta.format == "WEBP"
            assert b"adobe:ns:meta" in abierta.info["xmp"]


def test_la_noche_pedida_dos_veces_es_la_misma_y_cabe_en_sus_horas(estado: Estado) -> None:
    todos = [d for e in estado.catds for d in documentos_de(estado, e)]
    assert todos == [d for e in estado.catds for d in documentos_de(estado, e)]
    assert len({d.acta for d in todos}) == estado.actas == 180
    for d in todos:
        assert d.captura is not None
        assert d.verificacion is not None
        assert estado.inicio <= d.acopio <= d.captura <= d.verificacion <= estado.inicio + DURACION


def test_una_imagen_podrida_en_el_disco_del_centro_no_pasa_por_entregada(tmp_path: Path) -> None:
    noche = NocheConImagenes(tmp_path)
    sana, podrida = (noche.digitalizar(contenido(n)) for n in (1, 2))
    noche.correr(noche.entregadas)
    assert contar_imagenes([noche.carpeta], noche.centro.carpeta).cuadra
    Imagenes(noche.centro.carpeta).ruta(podrida).write_bytes(b"otra cosa")
    entrega = contar_imagenes([noche.carpeta], noche.centro.carpeta)
    assert (entrega.declaradas, entrega.enteras, entrega.danadas) == (2, 1, 1)
    Imagenes(noche.centro.carpeta).ruta(sana).unlink()
    entrega = contar_imagenes([noche.carpeta], noche.centro.carpeta)
    assert (entrega.enteras, entrega.cuadra) == (0, False)


def test_una_fuga_de_memoria_se_ve_como_pendiente(tmp_path: Path) -> None:
    medidor = Medidor([], {})
    for n in range(20):
        gastos = {"fuga": Gasto(0.0, 10**8 + n * 10**6), "plano": Gasto(0.0, 10**8 + (n % 2) * 10**5)}
        medidor.muestras.append(Muestra(float(n), Avance(sobres=n * 1000), gastos))
    crecio, por_mil = medidor.crecimiento("fuga", 0.25)
    assert (round(crecio / 10**6), round(por_mil)) == (14, 10**6)
    assert abs(medidor.crecimiento("plano", 0.25)[0]) < 10**5


@pytest.mark.parametrize(
    "mal", [("--casillas", "99999"), ("--catd", "2"), ("--minutos", "0"), ("--casillas", "5", "--catd", "6")]
)
def test_un_tamano_imposible_recibe_una_frase(mal: tuple[str, ...], tmp_path: Path) -> None:
    orden = [sys.executable, "-m", "ensayo.laboratorio", "jalisco", *mal, "--carpeta", str(tmp_path)]
    hecha = subprocess.run(orden, cwd=RAIZ, capture_output=True, text=True, timeout=60, check=False)
    assert hecha.returncode == 2
    assert "Traceback" not in hecha.stderr
    assert list(tmp_path.iterdir()) == []
