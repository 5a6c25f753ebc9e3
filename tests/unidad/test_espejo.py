"""El espejo: sólo publica lo comprobado, sigue donde iba, y no retrocede ni acepta otra historia."""

from __future__ import annotations

import gzip
import os
import shutil
from pathlib import Path

import pytest

from auditoria.verificar import noche
from auditoria.verificar.lector import LectorDeCarpeta, NoSePuede
from nucleo.publicacion.mentira import Mentira
from servicio_central.corte import hacer_cortes
from servicio_central.publicacion.publicador import Publicador
from tests.noche_de_registro import NocheDeRegistro, casillas, publicos
from tests.publicacion_por_http import servida
from vigilancia import orden_espejo
from vigilancia.espejo import APARTE, espejar
from vigilancia.lector_http import LectorHttp


@pytest.fixture
def centro(tmp_path: Path) -> NocheDeRegistro:
    """Un centro con un corte."""
    este = NocheDeRegistro(tmp_path / "centro")
    gub = casillas(este, "GUB")
    foto = este.foto(gub[1], "una")
    este.mandar(este.uno, foto, *este.pareja(gub[1], imagen=foto.sha256))
    este.corte(0)
    return este


def contenido(carpeta: Path) -> dict[str, bytes]:
    return {str(r.relative_to(carpeta)): r.read_bytes() for r in publicos(carpeta) if "/tile/" not in str(r)}


def vigente(carpeta: Path) -> str:
    return Path(os.readlink(carpeta / "publico")).name  # noqa: PTH115


def test_el_espejo_sirve_los_mismos_bytes_y_sigue_con_lo_nuevo(centro: NocheDeRegistro, tmp_path: Path) -> None:
    espejo = tmp_path / "espejo"
    with servida(centro.carpeta) as servidor:
        primero = espejar(LectorHttp(servidor.url), espejo)
        assert primero.publica == vigente(centro.carpeta) == vigente(espejo)
        centro.mandar(centro.uno, *centro.pareja(casillas(centro, "DIP_LOC")[1]))
        centro.corte(20)
        servidor.pedidas.clear()
        segundo = espejar(LectorHttp(servidor.url), espejo)
        assert segundo.publica == vigente(centro.carpeta) == vigente(espejo)
        assert 0 < segundo.nuevos < primero.nuevos
        assert not [p for p in servidor.pedidas if "/20240602_2000/" in p], "lo que ya tenía no se vuelve a bajar"
        assert espejar(LectorHttp(servidor.url), espejo).nuevos == 0
    assert contenido(espejo) == contenido(centro.carpeta)
    noche.todo(LectorDeCarpeta(espejo))
    for ruta in (centro.carpeta / "cortes").rglob("*"):
        copia = espejo / ruta.relative_to(centro.carpeta)
        assert ruta.is_symlink() == copia.is_symlink()
        if ruta.is_file():
            assert ruta.stat().st_mtime == copia.stat().st_mtime, "de la hora sale el ETag"
    centro.almacen.cerrar()


def test_si_algo_miente_el_espejo_se_queda_como_estaba(centro: NocheDeRegistro, tmp_path: Path) -> None:
    espejo = tmp_path / "espejo"
    with servida(centro.carpeta) as servidor:
        espejar(LectorHttp(servidor.url), espejo)
        antes, publicaba = contenido(espejo), vigente(espejo)
        centro.corte(20)
        resumen = centro.carpeta / "publico" / "GUB" / "index.json.gz"
        bueno = resumen.read_bytes()
        resumen.write_bytes(bueno[:-1] + bytes((bueno[-1] ^ 1,)))
        with pytest.raises(Mentira, match=r"GUB/index\.json"):
            espejar(LectorHttp(servidor.url), espejo)
        assert (contenido(espejo), vigente(espejo)) == (antes, publicaba)
        assert not (espejo / APARTE).exists(), "lo que mintió no se guarda"
        resumen.write_bytes(bueno)
        assert espejar(LectorHttp(servidor.url), espejo).publica == "20240602_2020"
    centro.almacen.cerrar()


def test_se_va_la_red_a_la_mitad_y_sigue_donde_iba(centro: NocheDeRegistro, tmp_path: Path) -> None:
    espejo = tmp_path / "espejo"
    with servida(centro.carpeta) as servidor:
        lector = LectorHttp(servidor.url)
        leer, cuantos = lector.leer, [0]

        def se_corta(ruta: str) -> bytes:
            cuantos[0] += 1
            if cuantos[0] > 60:
                raise NoSePuede("no hay red")
            return leer(ruta)

        lector.leer = se_corta  # type: ignore[method-assign]
        with pytest.raises(NoSePuede):
            espejar(lector, espejo)
        assert not (espejo / "publico").exists()
        hecho = espejar(LectorHttp(servidor.url), espejo)
        total = espejar(LectorHttp(servidor.url), tmp_path / "de_cero").nuevos
        assert total - 60 <= hecho.nuevos < total - 40
    noche.todo(LectorDeCarpeta(espejo))
    centro.almacen.cerrar()


def otra_historia(centro: NocheDeRegistro, carpeta: Path, minuto: int) -> Path:
    """El mismo centro, con su llave, contando otra cosa desde donde iba."""
    shutil.copytree(centro.carpeta, carpeta, symlinks=True)
    hora = centro.hora(minuto)
    hacer_cortes(carpeta, centro.proceso, hora, ahora=hora, publicador=Publicador(carpeta))
    return carpeta


def test_ni_retrocede_ni_acepta_otra_historia_aunque_la_firme_la_misma_llave(
    centro: NocheDeRegistro, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    centro.almacen.cerrar()
    viejo = tmp_path / "viejo"
    shutil.copytree(centro.carpeta, viejo, symlinks=True)
    una, otra = (otra_historia(centro, tmp_path / f"minuto{m}", m) for m in (20, 40))
    hora = centro.hora(60)
    hacer_cortes(otra, centro.proceso, hora, ahora=hora, publicador=Publicador(otra))
    espejo = tmp_path / "espejo"
    with servida(una) as servidor:
        assert orden_espejo.main([servidor.url, str(espejo)]) == 0
    antes = contenido(espejo)
    for mala, dice in ((viejo, "retrocedió"), (otra, "dos historias")):
        with servida(mala) as servidor:
            assert orden_espejo.main([servidor.url, str(espejo)]) == 1
            assert dice.lower() in capsys.readouterr().out.lower()
        assert contenido(espejo) == antes
    with servida(una) as servidor:
        assert orden_espejo.main([servidor.url, str(espejo), "--llave", centro.testigo.llave.vkey]) == 2
    assert orden_espejo.main(["http://127.0.0.1:9", str(espejo)]) == 2


def test_un_servidor_no_puede_escribir_fuera_del_espejo(centro: NocheDeRegistro, tmp_path: Path) -> None:
    """Las rutas salen del registro y del manifiesto; uno alterado con `..` no llega a escribirse."""
    espejo = tmp_path / "espejo"
    malo = b'{"v":1,"de":"20240602_2000","archivos":[\n["../../fuera","' + b"0" * 64 + b'",1]\n]}\n'
    with servida(centro.carpeta) as servidor:
        servidor.cambios["/cortes/20240602_2000/manifiesto.json"] = gzip.compress(malo, 9, mtime=0)
        with pytest.raises(Mentira, match="manifiesto"):
            espejar(LectorHttp(servidor.url), espejo)
    assert not list(tmp_path.glob("fuera*"))
    centro.almacen.cerrar()
