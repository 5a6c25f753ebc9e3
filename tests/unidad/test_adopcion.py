"""Con qué definición cuenta el centro cuando la autoridad firma otra, y cuando alguien se equivoca a media noche."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from nucleo import paquete
from nucleo.definicion import cargar_proceso
from nucleo.padron import AUTORIDAD
from nucleo.temas import Carril
from servicio_central import adopcion, arranque, firma_de_definicion, inscripcion, publicado, vigente
from servicio_central.firmante import FirmanteDeArchivo
from servicio_central.ingesta import Mensaje
from servicio_central.tropiezo import Tropiezo
from tests.centro_de_verdad import OAXACA, RAIZ, Inscrito
from tests.unidad.test_centro_desgracias import HORA, _con_una_captura, _sin_coalicion


@pytest.fixture
def inscrito(tmp_path: Path) -> Inscrito:
    return Inscrito(tmp_path, _copia(tmp_path / "definicion", ""))


def _copia(carpeta: Path, nombre: str) -> Path:
    """La de Oaxaca; con nombre, otra huella."""
    shutil.copytree(OAXACA, carpeta, ignore=shutil.ignore_patterns("cortes", "*.md", "*.py"))
    if nombre:
        toml = carpeta / "eleccion.toml"
        toml.write_text(toml.read_text("utf-8") + f"# {nombre}\n", "utf-8")
    return carpeta


def _firmar(inscrito: Inscrito, carpeta: Path) -> str:
    return firma_de_definicion.firmar(inscrito.autoridad, inscrito.centro, carpeta)[0].huella


@contextmanager
def _centro(inscrito: Inscrito, dicho: list[str]) -> Iterator[arranque.Centro]:
    centro = arranque.abrir_centro(inscrito.centro, dicho.append)
    try:
        yield centro
    finally:
        centro.almacen.cerrar()
        os.close(centro.candado)


def _repartir(inscrito: Inscrito, centro: arranque.Centro) -> None:
    inscrito.kiosco("catd-01")
    centro.vigia.revisar()
    centro.despacho.repartir_definicion(centro.vigia.padron, ["catd-01"], "ana y sofia")


def test_el_centro_cuenta_con_la_que_firmo_la_autoridad_sin_que_nadie_copie_nada(
    inscrito: Inscrito, tmp_path: Path
) -> None:
    dicho: list[str] = []
    with _centro(inscrito, dicho) as centro:
        antes = centro.vigia.proceso.huella
        firmada = _firmar(inscrito, _copia(tmp_path / "otra", "otra"))
        centro.vigia.revisar()
        assert centro.vigia.proceso.huella == firmada != antes
        _repartir(inscrito, centro)
    # Al volver a arrancar la carpeta de centro.toml, que nadie tocó, no la devuelve; y el corte usa la misma.
    with _centro(inscrito, dicho) as centro:
        assert centro.vigia.proceso.huella == firmada
    assert vigente.leer(inscrito.centro).huella == firmada
    assert not list(inscrito.centro.glob(".firmada-*"))


def test_firmada_con_el_centro_apagado_se_adopta_al_arrancar(inscrito: Inscrito, tmp_path: Path) -> None:
    firmada = _firmar(inscrito, _copia(tmp_path / "otra", "otra"))
    with _centro(inscrito, []) as centro:
        assert centro.vigia.proceso.huella == firmada


def test_ya_firmada_alguien_edita_la_carpeta_a_media_noche_y_no_cambia_nada(inscrito: Inscrito, tmp_path: Path) -> None:
    dicho: list[str] = []
    with _centro(inscrito, dicho) as centro:
        firmada = _firmar(inscrito, tmp_path / "definicion")
        centro.vigia.revisar()
        toml = tmp_path / "definicion" / "eleccion.toml"
        toml.write_text(toml.read_text("utf-8").replace("independiente 1", "independiente uno"), "utf-8")
        centro.vigia.revisar()
        assert centro.vigia.proceso.huella == firmada
        assert "no cuenta" in dicho[-1]
        assert "--definicion" in dicho[-1]
    toml.write_text("esto no es TOML =", "utf-8")
    with _centro(inscrito, dicho) as centro:
        assert centro.vigia.proceso.huella == firmada


def test_se_firma_una_en_la_que_ya_no_cabe_lo_aceptado_y_ni_se_usa_ni_se_reparte(
    inscrito: Inscrito, tmp_path: Path
) -> None:
    dicho: list[str] = []
    with _centro(inscrito, dicho) as centro:
        _con_una_captura(inscrito, centro)
        antes = centro.vigia.proceso.huella
        mala = _copia(tmp_path / "mala", "")
        _sin_coalicion(mala)
        _firmar(inscrito, mala)
        centro.vigia.revisar()
        assert centro.vigia.proceso.huella == antes
        assert "ya no vale un hecho aceptado" in dicho[-1]
        with pytest.raises(Tropiezo, match="este centro usa") as excepcion:
            _repartir(inscrito, centro)
        assert excepcion.value.rechazo.siguiente
        assert centro.despacho._bandeja.de("catd-01") == ()
    # No detiene el arranque ni el corte, y firmar otra buena lo compone.
    with _centro(inscrito, dicho) as centro:
        assert centro.vigia.proceso.huella == antes
        assert "se sigue con la última aceptada" in dicho[-1]
        orden = [sys.executable, "-m", "servicio_central.corte", "--carpeta", str(inscrito.centro)]
        hecho = subprocess.run(
            [*orden, "--hora", HORA.isoformat()], capture_output=True, text=True, check=False, cwd=RAIZ
        )
        assert hecho.returncode == 0, hecho.stderr
        resumen = publicado.leer_resumen(inscrito.centro / publicado.PUBLICO)
        assert resumen["definicion"] == antes
        buena = _firmar(inscrito, _copia(tmp_path / "buena", "buena"))
        _repartir(inscrito, centro)
        assert centro.vigia.proceso.huella == buena


def test_se_borra_el_archivo_firmado_y_no_se_vuelve_a_una_anterior(inscrito: Inscrito, tmp_path: Path) -> None:
    dicho: list[str] = []
    _firmar(inscrito, _copia(tmp_path / "una", "una"))
    firmada = _firmar(inscrito, _copia(tmp_path / "otra", "otra"))
    with _centro(inscrito, dicho) as centro:
        archivo = inscrito.centro / firma_de_definicion.CARPETA / "000002.prd"
        bytes_buenos = archivo.read_bytes()
        archivo.unlink()
        centro.vigia.revisar()
        assert centro.vigia.proceso.huella == firmada
        assert "ya se adoptó la definición firmada 2 y la más nueva que hay es la 1" in dicho[-1]
        with pytest.raises(Tropiezo):
            _repartir(inscrito, centro)
    archivo.with_name("000001.prd").unlink()
    with _centro(inscrito, dicho) as centro:
        assert centro.vigia.proceso.huella == firmada
        archivo.write_bytes(bytes_buenos)
        _repartir(inscrito, centro)


@pytest.mark.parametrize("dano", ["adoptada", "permiso", "cortada"])
def test_lo_que_se_dane_no_impide_arrancar(
    inscrito: Inscrito, tmp_path: Path, dano: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    dicho: list[str] = []
    firmada = _firmar(inscrito, _copia(tmp_path / "otra", "otra"))
    with _centro(inscrito, dicho):
        pass
    carpeta = inscrito.centro / firma_de_definicion.CARPETA
    if dano == "adoptada":
        (carpeta / "adoptada").write_bytes(b"\xff\x00")
    elif dano == "cortada":
        (carpeta / "000001.prd").write_bytes((carpeta / "000001.prd").read_bytes()[:-9])
    else:
        # root lee aunque no haya permiso.
        monkeypatch.setattr(firma_de_definicion, "ultima", _sin_permiso)
    with _centro(inscrito, dicho) as centro:
        assert centro.vigia.proceso.huella == firmada
    assert "se sigue con la última aceptada" in dicho[-1]


def _sin_permiso(_carpeta: Path) -> None:
    raise PermissionError(13, "Permission denied")


def test_la_de_otro_modo_no_se_adopta_y_un_centro_que_nace_empieza_con_la_de_su_carpeta(
    inscrito: Inscrito, tmp_path: Path
) -> None:
    _firmar(inscrito, _copia(tmp_path / "otra", "otra"))
    hay = firma_de_definicion.ultima(inscrito.centro)
    assert hay is not None
    firmante = FirmanteDeArchivo(inscrito.autoridad / "autoridad.pem", AUTORIDAD)
    firma = paquete.sellar_definicion(replace(hay[0], version=7, modo="oficial"), firmante)
    largo = int.from_bytes(hay[1][4:8], "big")
    carpeta = inscrito.centro / firma_de_definicion.CARPETA
    (carpeta / "000007.prd").write_bytes(paquete.armar(firma, hay[1][8 + largo :]))
    dicho: list[str] = []
    with _centro(inscrito, dicho) as centro:
        assert centro.vigia.proceso.huella == cargar_proceso(tmp_path / "definicion").huella
        assert "es de oficial/" in dicho[-1]
        assert not adopcion.manda_la_firmada(inscrito.centro)


def test_una_baja_no_espera_a_que_la_definicion_se_pueda_leer(
    inscrito: Inscrito, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """La definición falla cada segundo (disco lleno, un archivo de otra cuenta) y mientras roban un kiosco."""
    inscrito.kiosco("catd-01")
    with _centro(inscrito, []) as centro:
        firmada = _firmar(inscrito, _copia(tmp_path / "otra", "otra"))
        padron = inscripcion.leer_padron(inscrito.centro)
        equipos = {n: replace(e, vigente=False) for n, e in padron.equipos.items()}
        nuevo = replace(padron, version=padron.version + 1, equipos=equipos)
        inscripcion.guardar_padron(inscrito.autoridad, inscrito.centro, nuevo, "baja", "catd-01", "robado")
        with monkeypatch.context() as roto:
            roto.setattr(adopcion, "adoptar", _sin_disco)
            centro.vigia.revisar()
            tema = inscrito.tema("catd-01", Carril.LATIDO)
            (dictamen,) = centro.ingesta.procesar([Mensaje(tema, b"a.b.c")]).dictamenes
            assert dictamen.codigo == "EQUIPO_NO_VIGENTE"
            with pytest.raises(OSError, match="No space left"):
                centro.vigia.revisar()
        centro.vigia.revisar()
        assert centro.vigia.proceso.huella == firmada


def test_la_firmada_llega_con_otro_dueno_y_se_corrige_el_permiso_sin_volver_a_copiarla(
    inscrito: Inscrito, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with _centro(inscrito, []) as centro:
        firmada = _firmar(inscrito, _copia(tmp_path / "otra", "otra"))
        with monkeypatch.context() as ajeno:
            ajeno.setattr(firma_de_definicion, "ultima", _sin_disco)
            for _ in range(2):
                with pytest.raises(Tropiezo, match="no se puede leer la definición firmada"):
                    centro.vigia.revisar()
        centro.vigia.revisar()
        assert centro.vigia.proceso.huella == firmada


def test_se_repone_con_la_copia_de_la_autoridad_que_se_llama_de_otro_modo_y_no_tapa_a_la_siguiente(
    inscrito: Inscrito, tmp_path: Path
) -> None:
    with _centro(inscrito, []) as centro:
        _firmar(inscrito, _copia(tmp_path / "otra", "otra"))
        centro.vigia.revisar()
        carpeta = inscrito.centro / firma_de_definicion.CARPETA
        (carpeta / "000001.prd").unlink()
        (copia,) = (inscrito.autoridad / "definiciones").glob("*.prd")
        shutil.copy(copia, carpeta)
        segunda = _firmar(inscrito, _copia(tmp_path / "segunda", "segunda"))
        centro.vigia.revisar()
        assert centro.vigia.proceso.huella == segunda
        _repartir(inscrito, centro)


def test_llega_una_que_no_sirve_y_la_que_se_usa_se_sigue_sirviendo_a_quien_la_baja(
    inscrito: Inscrito, tmp_path: Path
) -> None:
    with _centro(inscrito, []) as centro:
        _con_una_captura(inscrito, centro)
        en_uso = _firmar(inscrito, _copia(tmp_path / "otra", "otra"))
        centro.vigia.revisar()
        mala = _copia(tmp_path / "mala", "")
        _sin_coalicion(mala)
        _firmar(inscrito, mala)
        centro.vigia.revisar()
        assert centro.vigia.proceso.huella == en_uso
        datos = (inscrito.centro / firma_de_definicion.CARPETA / "000001.prd").read_bytes()
        assert centro.despacho._paquete(hashlib.sha256(datos).hexdigest()) == datos


def test_el_centro_arranca_con_el_disco_lleno_y_la_adopta_en_cuanto_hay_lugar(
    inscrito: Inscrito, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with _centro(inscrito, []):
        pass
    firmada = _firmar(inscrito, _copia(tmp_path / "otra", "otra"))
    monkeypatch.setattr(vigente, "_copiar", _sin_disco)
    with _centro(inscrito, []) as centro:
        assert centro.vigia.proceso.huella != firmada
        monkeypatch.undo()
        centro.vigia.revisar()
        assert centro.vigia.proceso.huella == firmada


def test_se_pierden_los_archivos_firmados_y_la_siguiente_no_repite_el_numero(
    inscrito: Inscrito, tmp_path: Path
) -> None:
    """Los kioscos ya tienen la 1 y no tomarían otra 1: el centro se quedaría contando con otra."""
    with _centro(inscrito, []) as centro:
        _firmar(inscrito, _copia(tmp_path / "otra", "otra"))
        centro.vigia.revisar()
        shutil.rmtree(inscrito.autoridad / "definiciones")
        (inscrito.centro / firma_de_definicion.CARPETA / "000001.prd").unlink()
        firmada, _ = firma_de_definicion.firmar(
            inscrito.autoridad, inscrito.centro, _copia(tmp_path / "segunda", "segunda")
        )
        centro.vigia.revisar()
        assert (firmada.version, centro.vigia.proceso.huella) == (2, firmada.huella)


def _sin_disco(*_: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_matan_al_centro_al_adoptar_la_firmada_y_al_volver_no_queda_nada_a_medias(
    inscrito: Inscrito, tmp_path: Path
) -> None:
    firmada = _firmar(inscrito, _copia(tmp_path / "otra", "otra"))
    guion = (
        "import os, sys; from pathlib import Path; from servicio_central import adopcion, ajustes, vigente\n"
        "carpeta, cuando = Path(sys.argv[1]), sys.argv[2]\n"
        "morir = lambda *_: os.kill(os.getpid(), 9)\n"
        "if cuando == 'al_abrirla': vigente.adoptar = morir\n"
        "elif cuando == 'al_copiarla': vigente.cargar_proceso = lambda c, f=vigente.cargar_proceso: "
        "morir() if c.parent.name == 'definiciones' else f(c)\n"
        "else: Path.replace = morir\n"
        "donde = ajustes.leer(carpeta)\n"
        "adopcion.adoptar(carpeta, donde.proceso, donde.modo, sys.argv[3])\n"
    )
    clave = inscripcion.leer_padron(inscrito.centro).proceso
    for cuando in ("al_abrirla", "al_copiarla", "al_cambiar_el_enlace"):
        orden = [sys.executable, "-c", guion, str(inscrito.centro), cuando, clave]
        assert subprocess.run(orden, check=False, cwd=RAIZ, env={"PYTHONPATH": str(RAIZ)}).returncode == -9
    with _centro(inscrito, []) as centro:
        assert centro.vigia.proceso.huella == firmada
    restos = [r.name for r in (*inscrito.centro.glob(".*"), *(inscrito.centro / "definiciones").glob(".*"))]
    assert set(restos) <= {".centro", ".inscripcion"}, "sólo los candados"
