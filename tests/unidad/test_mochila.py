"""La mochila USB: se quita a medias, se llena, miente al releer, es un enlace, es la carpeta de debajo; y la buena."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import ECKey

from appliance.copia_en_curso import CopiaEnCurso
from appliance.documentos.comprobante_de_mochila import pdf_de_comprobante
from appliance.imagenes import Imagenes
from appliance.llave import LlaveDeArchivo
from appliance.memorias import Memoria, memoria_en, memorias
from appliance.mesa import Mesa
from appliance.mochila import SELLO, Comprobante, Mochila, comprobar
from appliance.puesto import Puesto
from nucleo import sello
from nucleo.acta import Digitalizacion, Origen
from nucleo.acuse import Acuse
from nucleo.mochila import sobres_de
from nucleo.sobre import Tipo, abrir, huella
from tests.kiosco_de_prueba import A1, A2, EPOCA, PROCESO, abrir_mesa, bien, codigo, hora, identidad
from tests.pantallas_de_prueba import mandar, pantallas
from tests.sobres_de_prueba import AHORA

CENTRO = ECKey.generate_key("P-256", private=True)
"""Con la que el centro abre."""

IMAGEN = b"\x89PNG" + b"acta" * 2000


def _montar(punto: Path, kilobytes: int) -> bool:
    punto.mkdir(parents=True)
    orden = ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(punto)]
    return subprocess.run(orden, capture_output=True, check=False).returncode == 0


@contextmanager
def montada(
    raiz: Path, nombre: str = "USB DE PRUEBA", kilobytes: int = 4096, *, ofrecida: bool = True
) -> Iterator[Memoria]:
    """Una memoria montada de verdad; sin permiso para montar, la prueba se salta."""
    punto = raiz / nombre
    if not _montar(punto, kilobytes):
        pytest.skip("aquí no se puede montar")
    try:
        yield bien(memoria_en(str(punto), [raiz])) if ofrecida else Memoria(punto, 0, 0, escribible=True)
    finally:
        subprocess.run(["umount", "-l", str(punto)], check=False, capture_output=True)


@pytest.fixture
def mesa(tmp_path: Path) -> Mesa:
    """Cinco sobres: dos actas acopiadas y digitalizadas, y una digitalizada otra vez."""
    mesa = abrir_mesa(tmp_path / "kiosco")
    for acta in (A1, A2):
        bien(mesa.acopiar(acta, persona="acopio-1", origen=Origen.CATD))
        contenido = IMAGEN + str(acta).encode()
        bien(mesa.digitalizar(acta, persona="e-1", digitalizacion=Digitalizacion.ESCANER, contenido=contenido))
    bien(mesa.digitalizar(A2, persona="e-1", digitalizacion=Digitalizacion.ESCANER, contenido=IMAGEN))
    return mesa


def mochila_de(mesa: Mesa, tmp_path: Path, llave_de_sello: ECKey | None = CENTRO) -> Mochila:
    llave = LlaveDeArchivo(tmp_path / "kiosco" / "llave.pem", "catd-01")
    return Mochila(mesa.almacen, mesa.imagenes, llave, llave.publica(), PROCESO.clave, PROCESO.modo, llave_de_sello)


def exportar(mesa: Mesa, tmp_path: Path, memoria: Memoria) -> Comprobante:
    return bien(mochila_de(mesa, tmp_path).exportar(memoria, hora()))


def abiertos(carpeta: Path) -> list[str]:
    """Los sobres que lleva, como los lee el centro."""
    archivos = sorted((carpeta / "sobres").iterdir())
    return [s.decode() for a in archivos for s in sobres_de(sello.abrir(a.read_bytes(), CENTRO))]


def publica(tmp_path: Path) -> ECKey:
    return LlaveDeArchivo(tmp_path / "kiosco" / "llave.pem", "catd-01").publica()


# ------------------------------------------------------------------------------------------------------------- la buena


def test_lleva_todo_lo_pendiente_con_sus_imagenes_y_se_comprueba_al_releer(mesa: Mesa, tmp_path: Path) -> None:
    with montada(tmp_path / "media") as memoria:
        hecha = exportar(mesa, tmp_path, memoria)
        assert (hecha.sobres, hecha.imagenes, hecha.sin_imagen, hecha.desde, hecha.hasta) == (5, 3, 0, 1, 5)
        assert hecha.carpeta == f"mochila-catd-01-{EPOCA}-1-5"
        carpeta = memoria.ruta / hecha.carpeta
        assert sorted(r.name for r in memoria.ruta.iterdir()) == [hecha.carpeta], "nada a medias"
        assert [abrir(s, publica(tmp_path)).secuencia for s in abiertos(carpeta)] == [1, 2, 3, 4, 5]
        imagenes = [sello.abrir(r.read_bytes(), CENTRO) for r in (carpeta / "imagenes").iterdir()]
        assert {hashlib.sha256(i).hexdigest() for i in imagenes} == mesa.imagenes.huellas()
        assert comprobar(carpeta, publica(tmp_path)) == hecha
        assert pdf_de_comprobante(hecha, identidad(), PROCESO, hora()).startswith(b"%PDF")


def test_no_cierra_ningun_renglon_y_repetirla_no_escribe_otra(mesa: Mesa, tmp_path: Path) -> None:
    with montada(tmp_path / "media") as memoria:
        exportar(mesa, tmp_path, memoria)
        assert mesa.almacen.resumen().pendientes == 5, "eso sólo lo hace el acuse"
        assert exportar(mesa, tmp_path, memoria).ya_estaba
        assert len(list(memoria.ruta.iterdir())) == 1
        tercero = mesa.almacen.sobres(3, 3)[0].huella
        mesa.almacen.cerrar(Acuse("catd-01", EPOCA, 2, mesa.almacen.sobres(2, 2)[0].huella, (), (), (), AHORA), AHORA)
        otra = exportar(mesa, tmp_path, memoria)
        assert (otra.desde, otra.sobres, otra.ya_estaba) == (3, 3, False)
        assert tercero in [huella(s) for s in abiertos(memoria.ruta / otra.carpeta)]


def test_la_que_quedo_rota_no_pasa_por_buena_y_se_hace_otra_al_lado(mesa: Mesa, tmp_path: Path) -> None:
    with montada(tmp_path / "media") as memoria:
        primera = exportar(mesa, tmp_path, memoria)
        sobres = memoria.ruta / primera.carpeta / "sobres" / "00001.jwe"
        sobres.write_bytes(sobres.read_bytes()[:-40])
        segunda = exportar(mesa, tmp_path, memoria)
        assert segunda.carpeta == primera.carpeta + "-2"
        assert isinstance(comprobar(memoria.ruta / segunda.carpeta, publica(tmp_path)), Comprobante)


@pytest.mark.parametrize("nombre", ["manifiesto.json", "manifiesto.jws", "sobres/00001.jwe"])
def test_en_la_memoria_hay_una_tuberia_con_el_nombre_de_la_mochila(mesa: Mesa, tmp_path: Path, nombre: str) -> None:
    with montada(tmp_path / "media") as memoria:
        primera = exportar(mesa, tmp_path, memoria)
        (memoria.ruta / primera.carpeta / nombre).unlink()
        os.mkfifo(memoria.ruta / primera.carpeta / nombre)
        hechas: list[Comprobante] = []
        # En otro hilo: si se quedara esperando en la tubería, la prueba debe fallar y no colgarse.
        copia = threading.Thread(target=lambda: hechas.append(exportar(mesa, tmp_path, memoria)), daemon=True)
        copia.start()
        copia.join(20)
        assert [h.carpeta for h in hechas] == [primera.carpeta + "-2"]


def test_sin_pendientes_no_hay_nada_que_llevar(tmp_path: Path) -> None:
    mesa = abrir_mesa(tmp_path / "kiosco")
    with montada(tmp_path / "media") as memoria:
        assert codigo(mochila_de(mesa, tmp_path).exportar(memoria, hora())) == "NADA_PENDIENTE"
        assert list(memoria.ruta.iterdir()) == []


def test_lo_apartado_por_el_centro_tambien_se_lleva(mesa: Mesa, tmp_path: Path) -> None:
    with mesa.almacen.transaccion() as t:
        t.conexion.execute("UPDATE bandeja SET apartado = 'FORMA' WHERE secuencia = 2")
    with montada(tmp_path / "media") as memoria:
        assert exportar(mesa, tmp_path, memoria).sobres == 5


def test_una_imagen_que_ya_no_esta_o_se_pudrio_se_dice_y_lo_demas_va(mesa: Mesa, tmp_path: Path) -> None:
    imagenes = sorted((tmp_path / "kiosco" / "imagenes").iterdir())
    imagenes[0].unlink()
    imagenes[1].write_bytes(b"podrida")
    with montada(tmp_path / "media") as memoria:
        hecha = exportar(mesa, tmp_path, memoria)
        assert (hecha.sobres, hecha.imagenes, hecha.sin_imagen) == (5, 1, 2)


def test_en_la_memoria_no_va_nada_que_se_lea_sin_la_llave_del_centro(mesa: Mesa, tmp_path: Path) -> None:
    with montada(tmp_path / "media") as memoria:
        carpeta = memoria.ruta / exportar(mesa, tmp_path, memoria).carpeta
        todo = b"".join(r.read_bytes() for r in sorted(carpeta.rglob("*")) if r.is_file())
        nombres = " ".join(str(r) for r in carpeta.rglob("*"))
        for pendiente in mesa.almacen.sobres(1, 5):
            assert pendiente.huella.encode() not in todo
            assert pendiente.sobre.split(".")[1].encode()[:60] not in todo
        for sha256 in mesa.imagenes.huellas():
            assert sha256.encode() not in todo
            assert sha256 not in nombres
        assert b"acta" * 20 not in todo


def test_un_kiosco_inscrito_sin_sello_no_exporta_en_claro_y_dice_que_hacer(mesa: Mesa, tmp_path: Path) -> None:
    with montada(tmp_path / "media") as memoria:
        negada = mochila_de(mesa, tmp_path, None).exportar(memoria, hora())
        assert codigo(negada) == "SIN_SELLO"
        assert "prep inscribir" in str(negada)
        assert list(memoria.ruta.iterdir()) == []
    assert mesa.almacen.resumen().pendientes == 5


def test_le_cambiaron_el_sello_al_centro_y_la_de_antes_no_pasa_por_la_misma(mesa: Mesa, tmp_path: Path) -> None:
    with montada(tmp_path / "media") as memoria:
        exportar(mesa, tmp_path, memoria)
        otra = bien(mochila_de(mesa, tmp_path, ECKey.generate_key("P-256")).exportar(memoria, hora()))
        assert not otra.ya_estaba
        assert otra.carpeta.endswith("-2")


# ---------------------------------------------------------------------------------------------------------- las malas


def test_la_memoria_llena_se_dice_y_no_deja_nada_que_parezca_bueno(mesa: Mesa, tmp_path: Path) -> None:
    with montada(tmp_path / "media", kilobytes=12) as memoria:
        assert codigo(mochila_de(mesa, tmp_path).exportar(memoria, hora())) == "MEMORIA_LLENA"
        assert list(memoria.ruta.iterdir()) == []
    assert mesa.almacen.resumen().pendientes == 5


def test_si_no_caben_las_imagenes_se_llevan_los_sobres(mesa: Mesa, tmp_path: Path) -> None:
    with montada(tmp_path / "media", kilobytes=1024) as memoria:
        hecha = exportar(mesa, tmp_path, memoria)
        assert (hecha.sobres, hecha.imagenes, hecha.sin_imagen) == (5, 0, 3)


def test_se_le_hace_lugar_a_la_memoria_y_las_imagenes_que_faltaban_si_van(mesa: Mesa, tmp_path: Path) -> None:
    with montada(tmp_path / "media") as memoria:
        ajeno = memoria.ruta / "pelicula.mp4"
        ajeno.write_bytes(bytes(3_000_000))
        primera = exportar(mesa, tmp_path, memoria)
        assert (primera.imagenes, primera.sin_imagen) == (0, 3)
        assert exportar(mesa, tmp_path, memoria).ya_estaba, "sin lugar, la misma"
        ajeno.unlink()
        segunda = exportar(mesa, tmp_path, memoria)
        assert (segunda.imagenes, segunda.sin_imagen, segunda.ya_estaba) == (3, 0, False)
        assert exportar(mesa, tmp_path, memoria).ya_estaba


def test_se_quita_la_memoria_y_debajo_queda_el_disco_del_kiosco(mesa: Mesa, tmp_path: Path) -> None:
    with montada(tmp_path / "media") as memoria:
        subprocess.run(["umount", str(memoria.ruta)], check=True)
        assert codigo(mochila_de(mesa, tmp_path).exportar(memoria, hora())) == "MEMORIA"
        assert list(memoria.ruta.iterdir()) == [], "no se escribió en el disco del kiosco"
        assert codigo(memoria_en(str(memoria.ruta), [memoria.ruta.parent])) == "SIN_MEMORIA"


def test_se_quita_la_memoria_a_media_copia(mesa: Mesa, tmp_path: Path) -> None:
    with montada(tmp_path / "media") as memoria:

        class Arrancan(Imagenes):
            def leer(self, huella: str) -> bytes | None:
                for resto in memoria.ruta.glob(".a-medias-*"):
                    shutil.rmtree(resto)
                return super().leer(huella)

        mesa.imagenes = Arrancan(tmp_path / "kiosco" / "imagenes")
        assert codigo(mochila_de(mesa, tmp_path).exportar(memoria, hora())) == "MEMORIA"
        assert [r for r in memoria.ruta.iterdir() if not r.name.startswith(".")] == []


def test_con_el_seguro_puesto_se_explica(mesa: Mesa, tmp_path: Path) -> None:
    with montada(tmp_path / "media") as memoria:
        subprocess.run(["mount", "-o", "remount,ro", str(memoria.ruta)], check=True)
        assert not memorias([memoria.ruta.parent])[0].escribible
        assert codigo(mochila_de(mesa, tmp_path).exportar(memoria, hora())) == "MEMORIA_CERRADA"


@pytest.mark.parametrize(
    "ruta",
    ["", "/", "/etc", "{raiz}", "{raiz}/no-existe", "{raiz}/USB DE PRUEBA/..", "{raiz}/enlace", "{raiz}/carpeta"],
)
def test_solo_se_escribe_en_un_punto_de_montaje_permitido(tmp_path: Path, ruta: str) -> None:
    raiz = tmp_path / "media"
    with montada(raiz):
        (raiz / "carpeta").mkdir()
        (raiz / "enlace").symlink_to(raiz / "USB DE PRUEBA")
        assert codigo(memoria_en(ruta.replace("{raiz}", str(raiz)), [raiz])) == "SIN_MEMORIA"


@pytest.mark.parametrize("nombre", [b"USB\nDOS", b"MEMORIA \xd1", b"USB\x1b[31m"])
def test_una_memoria_con_nombre_que_no_se_puede_escribir_no_tumba_la_pantalla(
    mesa: Mesa, tmp_path: Path, nombre: bytes
) -> None:
    with montada(tmp_path / "media"), montada(tmp_path / "media", os.fsdecode(nombre), ofrecida=False):
        assert [m.nombre for m in memorias([tmp_path / "media"])] == ["USB DE PRUEBA"]
        navegador = pantallas(mesa, tmp_path / "kiosco", "coordinacion")
        navegador.app.state.raices_de_memorias = (tmp_path / "media",)  # type: ignore[attr-defined]
        assert navegador.get("/coordinacion/mochila").status_code == 200


def test_la_mochila_se_ofrece_donde_el_puesto_dice_que_se_montan_las_memorias(mesa: Mesa, tmp_path: Path) -> None:
    with montada(tmp_path / "media"):
        navegador = pantallas(mesa, tmp_path / "kiosco", "coordinacion", Puesto(memorias=(tmp_path / "media",)))
        assert "USB DE PRUEBA" in navegador.get("/coordinacion/mochila").text


def _quitar_firma(carpeta: Path) -> None:
    (carpeta / "manifiesto.jws").unlink()


def _otra_imagen(carpeta: Path) -> None:
    next((carpeta / "imagenes").iterdir()).write_bytes(b"otra")


def _de_mas(carpeta: Path) -> None:
    (carpeta / "imagenes" / "de-mas.jwe").write_bytes(b"x")


def _de_menos(carpeta: Path) -> None:
    next((carpeta / "imagenes").iterdir()).unlink()


def _manifiesto_editado(carpeta: Path) -> None:
    ruta = carpeta / "manifiesto.json"
    ruta.write_text(ruta.read_text().replace('"sobres": 5', '"sobres": 4'))


def _por_un_enlace(carpeta: Path) -> None:
    imagen = next((carpeta / "imagenes").iterdir())
    copia = carpeta.parent / "fuera"
    shutil.move(imagen, copia)
    imagen.symlink_to(copia)


def _firma_de_otra_cosa(carpeta: Path) -> None:
    quien = LlaveDeArchivo(carpeta.parents[2] / "kiosco" / "llave.pem", "catd-01")
    crudo = (carpeta / "manifiesto.json").read_bytes()
    (carpeta / "manifiesto.jws").write_text(quien.firmar(Tipo.LATIDO, crudo))


@pytest.mark.parametrize(
    "dano",
    [_quitar_firma, _otra_imagen, _de_mas, _de_menos, _manifiesto_editado, _por_un_enlace, _firma_de_otra_cosa],
)
def test_ningun_dano_pasa_por_bueno(mesa: Mesa, tmp_path: Path, dano: object) -> None:
    assert callable(dano)
    with montada(tmp_path / "media") as memoria:
        carpeta = memoria.ruta / exportar(mesa, tmp_path, memoria).carpeta
        dano(carpeta)
        assert codigo(comprobar(carpeta, publica(tmp_path))) == "MOCHILA_ROTA"


@given(st.binary(max_size=200), st.sampled_from(["manifiesto.json", "manifiesto.jws", "00001.jwe"]))
def test_cualquier_basura_en_la_memoria_se_rechaza(
    tmp_path_factory: pytest.TempPathFactory, basura: bytes, donde: str
) -> None:
    carpeta = tmp_path_factory.mktemp("mochila")
    (carpeta / donde).write_bytes(basura)
    llave = ECKey.generate_key("P-256")
    assert codigo(comprobar(carpeta, llave)) == "MOCHILA_ROTA"


# ---------------------------------------------------------------------------------------------------------- la pantalla


def test_desde_la_pantalla_se_copia_sin_detener_a_nadie_y_queda_escrito(mesa: Mesa, tmp_path: Path) -> None:
    with montada(tmp_path / "media") as memoria:
        (tmp_path / "kiosco" / SELLO).write_bytes(CENTRO.as_pem(private=False))
        navegador = pantallas(mesa, tmp_path / "kiosco", "coordinacion")
        estado = navegador.app.state  # type: ignore[attr-defined]
        estado.raices_de_memorias = (tmp_path / "media",)
        pagina = navegador.get("/coordinacion/mochila").text
        assert "5 sobres esperan acuse" in pagina
        assert "USB DE PRUEBA" in pagina
        ruta = "/coordinacion/mochila"
        mandar(navegador, ruta, ruta, memoria=str(memoria.ruta))
        copia: CopiaEnCurso = estado.copia_en_curso
        copia.esperar(30)
        assert navegador.get(ruta + "/avance").headers["HX-Refresh"] == "true"
        pagina = navegador.get(ruta).text
        assert "completa: 5 sobres y 3 imágenes" in pagina
        assert navegador.get(copia.impreso).content.startswith(b"%PDF")
        assert "esa memoria no está" in mandar(navegador, ruta, ruta, memoria="/etc").lower()
    with mesa.almacen.lectura() as mirada:
        filas = mirada.conexion.execute("SELECT persona, detalle FROM bitacora WHERE evento = 'mochila_exportada'")
        ((persona, detalle),) = filas.fetchall()
    assert persona == "coordinacion"
    assert "5 sobres, 3 imágenes" in detalle


def test_una_copia_que_truena_se_dice_en_la_pantalla_y_no_se_anota_como_hecha(mesa: Mesa) -> None:
    copia = CopiaEnCurso(mesa.almacen)

    def truena() -> Comprobante:
        raise RuntimeError(os.strerror(5))

    assert copia.empezar(truena, lambda _: "", "c", hora) is None
    copia.esperar(10)
    assert codigo(copia.resultado) == "DEFECTO"
    with mesa.almacen.lectura() as mirada:
        eventos = [e for (e,) in mirada.conexion.execute("SELECT evento FROM bitacora")]
    assert "mochila_exportada" not in eventos
    assert "mochila_fallida" in eventos


def test_la_impresora_truena_y_la_mochila_ya_hecha_no_se_dice_fallida(mesa: Mesa, tmp_path: Path) -> None:
    copia = CopiaEnCurso(mesa.almacen)

    def truena(_: Comprobante) -> str:
        raise RuntimeError(os.strerror(5))

    with montada(tmp_path / "media") as memoria:
        assert copia.empezar(lambda: exportar(mesa, tmp_path, memoria), truena, "c", hora) is None
        copia.esperar(30)
    assert isinstance(copia.resultado, Comprobante)
    with mesa.almacen.lectura() as mirada:
        eventos = [e for (e,) in mirada.conexion.execute("SELECT evento FROM bitacora")]
    assert "mochila_exportada" in eventos
    assert "mochila_fallida" not in eventos
