"""Registrar, recortar y analizar una página: en el ángulo que venga, y sin que una imagen mala tumbe nada."""

from __future__ import annotations

import io
import os
import shutil
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from appliance.falla import Falla
from appliance.vision.apertura_imagen import abrir_imagen
from appliance.vision.codigo_leido import CodigoLeido
from appliance.vision.cual_formato import cual_formato
from appliance.vision.mensaje import MensajeInvalido, leer_respuesta, respuesta
from appliance.vision.pagina import Analisis, analizar
from appliance.vision.plantilla import preparar
from appliance.vision.recortes import recorte
from appliance.vision.registro import Registro, RegistroInvalido, mirar, registrar
from appliance.vision.trabajador import Trabajador
from nucleo.formato import CARPETA, Caja
from nucleo.problema import Rechazo
from tests.unidad.actas_en_imagen import (
    EJEMPLO,
    Captada,
    acta,
    con_luz,
    con_ruido,
    desenfocada,
    errores_mm,
    fotografiada,
    girada,
    gris,
    otro_documento,
    plantilla,
    png,
    webp_chico,
)

HOJAS = {
    "derecha": lambda: girada(acta(), 0.7),
    "chueca": lambda: girada(acta(), -8),
    "de lado": lambda: girada(acta(), 90.5),
    "de cabeza": lambda: girada(acta(), 179),
    "a 230 grados": lambda: girada(acta(), 230),
    "a 100 puntos por pulgada": lambda: girada(acta(), -1, 0.5),
    "foto": lambda: fotografiada(acta()),
    "foto borrosa y con ruido": lambda: _foto_mala(),
    "copia pálida": lambda: _palida(),
}


def _foto_mala() -> Captada:
    foto = fotografiada(acta(), 0.6)
    return foto.con(con_ruido(desenfocada(foto.imagen, 2), 12))


def _palida() -> Captada:
    hoja = girada(acta(), 1.2)
    return hoja.con(con_ruido(con_luz(hoja.imagen, 0.25, 150), 3))


@pytest.mark.parametrize("cual", HOJAS)
def test_cada_casilla_se_encuentra_venga_como_venga_la_hoja(cual: str) -> None:
    captada = HOJAS[cual]()
    registro = registrar(mirar(gris(captada.imagen)), plantilla("GUB"))
    assert registro is not None
    errores = errores_mm(registro, captada.verdad, "GUB")
    assert np.median(errores) <= 0.1
    assert float(np.max(errores)) <= 0.4
    assert registro.ncc > 0.7
    assert registro.error_mm < 0.7


def test_el_recorte_muestra_el_renglon_aunque_la_hoja_venga_de_cabeza() -> None:
    derecha, volteada = girada(acta(), 0), girada(acta(), 178)
    franja = plantilla("GUB").formato.renglones["MORENA"]
    vistos = []
    for captada in (derecha, volteada):
        registro = registrar(mirar(gris(captada.imagen)), plantilla("GUB"))
        assert registro is not None
        datos = recorte(captada.imagen, registro, franja)
        assert len(datos) < 8_000
        vistos.append(np.asarray(Image.open(io.BytesIO(datos)).convert("L"), np.float32))
    assert vistos[0].shape == vistos[1].shape
    assert np.corrcoef(vistos[0].ravel(), vistos[1].ravel())[0, 1] > 0.85


def test_un_recorte_fuera_de_la_imagen_sale_gris_y_no_falla() -> None:
    registro = Registro("GUB", (0.127, 0, 0, 0, 0.127, 0, 0, 0, 1.0), 0.9, 0.0, 0.1, 0.8)
    chica = np.zeros((100, 100, 3), np.uint8)
    visto = np.asarray(Image.open(io.BytesIO(recorte(chica, registro, Caja(150, 200, 40, 8)))).convert("L"))
    assert abs(float(visto.mean()) - 160) < 4
    with pytest.raises(ValueError, match="densidad"):
        recorte(chica, registro, Caja(0, 0, 10, 10), ppp=0)


@pytest.mark.parametrize("clave", ["AYUN-3", "AYUN-4"])
def test_el_papel_de_otra_eleccion_con_los_mismos_renglones_no_se_confunde(clave: str) -> None:
    todas = [plantilla(c) for c in ("GUB", "AYUN-2", "AYUN-3", "AYUN-4")]
    hallado = cual_formato(mirar(gris(girada(acta(clave), 1.5).imagen)), todas)
    assert hallado is not None
    assert hallado.registro.formato == clave
    assert not hallado.dudoso


def test_sin_la_imagen_del_formato_se_dice_que_hacer(tmp_path: Path) -> None:
    formato = plantilla("GUB").formato
    with pytest.raises(Falla, match="no se pudo leer"):
        preparar(formato, tmp_path)
    (tmp_path / CARPETA).mkdir()
    (tmp_path / CARPETA / "GUB.png").write_bytes(b"no soy un png")
    with pytest.raises(Falla, match="no es una imagen"):
        preparar(formato, tmp_path)
    (tmp_path / CARPETA / "GUB.png").write_bytes(png(np.full((500, 400, 3), 255, np.uint8)))
    with pytest.raises(Falla, match="texto impreso"):
        preparar(formato, tmp_path)


def test_el_registro_guardado_se_lee_igual() -> None:
    registro = registrar(mirar(gris(girada(acta(), 91).imagen)), plantilla("GUB"))
    assert registro is not None
    texto = registro.a_json()
    assert len(texto) < 300
    leido = Registro.de_json(texto)
    assert leido.a_json() == texto
    assert np.allclose(leido.en_pagina(100, 200), registro.en_pagina(100, 200), atol=0.05)
    assert abs(leido.giro - registro.giro) < 0.05


@given(st.text(max_size=200) | st.recursive(st.none() | st.floats() | st.text(max_size=5), st.lists).map(str))
def test_un_registro_guardado_danado_se_rechaza(texto: str) -> None:
    with pytest.raises(RegistroInvalido):
        Registro.de_json(texto)


@pytest.mark.parametrize(
    "cambio",
    [('"ncc":', '"ncz":'), ("[1", '["1'), ("[1", "[true"), ("[1", "[0"), ("[1", "[1e400"), ("[1", f"[1{'0' * 500}")],
)
def test_un_registro_con_un_dato_imposible_se_rechaza(cambio: tuple[str, str]) -> None:
    bueno = '{"formato":"GUB","h":[1,0,0,0,1,0,0,0,1],"ncc":0.9,"error_mm":0.1,"hallado":0.8}'
    assert Registro.de_json(bueno).confianza == 1.0
    with pytest.raises(RegistroInvalido):
        Registro.de_json(bueno.replace(*cambio, 1))


# -------------------------------------------------------------------------------------------------- abrir


def test_una_bomba_de_descompresion_se_rechaza_sin_abrirla() -> None:
    salida = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(salida, "PNG")
    assert len(salida.getvalue()) < 200_000
    rechazo = abrir_imagen(salida.getvalue())
    assert isinstance(rechazo, Rechazo)
    assert rechazo.codigo == "IMAGEN_ENORME"


@pytest.mark.parametrize(
    ("datos", "codigo"),
    [
        (b"", "IMAGEN_VACIA"),
        (b"%PDF-1.7 no soy una imagen", "IMAGEN_DESCONOCIDA"),
        (b"GIF89a\x01\x00\x01\x00\x00\x00\x00;", "IMAGEN_DESCONOCIDA"),
        (png(np.zeros((50, 50, 3), np.uint8)), "IMAGEN_CHICA"),
        (png(np.zeros((20_000, 210, 3), np.uint8)), "IMAGEN_CHICA"),
        (png(con_ruido(np.full((600, 600, 3), 128, np.uint8), 40))[:20_000], "IMAGEN_ROTA"),
    ],
)
def test_lo_que_no_es_una_imagen_completa_se_explica(datos: bytes, codigo: str) -> None:
    rechazo = abrir_imagen(datos)
    assert isinstance(rechazo, Rechazo)
    assert rechazo.codigo == codigo
    assert rechazo.causa
    assert rechazo.siguiente


@pytest.mark.parametrize("tipo", [3, 63])
def test_una_foto_buena_con_el_exif_danado_se_abre_igual(tipo: int) -> None:
    """Un byte cambiado en el EXIF hace tropezar a Pillow con `struct.error` o con `TypeError`."""
    exif = Image.Exif()
    exif[0x112], exif[0x10E] = 6, "hola"
    crudo = bytearray(exif.tobytes())
    crudo[17] = tipo
    salida = io.BytesIO()
    Image.new("RGB", (300, 400), "white").save(salida, "JPEG", exif=bytes(crudo))
    imagen = abrir_imagen(salida.getvalue())
    assert not isinstance(imagen, Rechazo), imagen


@pytest.mark.parametrize("modo", ["1", "L", "P", "RGBA", "CMYK", "I;16"])
@pytest.mark.parametrize("formato", ["PNG", "TIFF", "JPEG", "WEBP", "PPM"])
def test_todo_modo_de_escaner_se_abre_con_el_papel_claro(modo: str, formato: str) -> None:
    hoja = Image.fromarray(np.full((300, 220), 240, np.uint8))
    hoja = Image.fromarray(np.full((300, 220), 240 * 257, np.uint16)) if modo == "I;16" else hoja.convert(modo)
    salida = io.BytesIO()
    try:
        hoja.save(salida, formato)
    except OSError:
        pytest.skip(f"{formato} no guarda {modo}")
    imagen = abrir_imagen(salida.getvalue())
    assert isinstance(imagen, np.ndarray)
    assert imagen.shape == (300, 220, 3)
    assert imagen.dtype == np.uint8
    assert abs(float(imagen.mean()) - 240) < 17


def test_la_foto_de_lado_se_abre_como_dice_su_exif() -> None:
    foto = Image.new("RGB", (400, 300), "white")
    exif = Image.Exif()
    exif[0x0112] = 6
    salida = io.BytesIO()
    foto.save(salida, "JPEG", exif=exif)
    imagen = abrir_imagen(salida.getvalue())
    assert isinstance(imagen, np.ndarray)
    assert imagen.shape == (400, 300, 3)


_FIRMAS = [
    b"\x89PNG\r\n\x1a\n",
    b"\xff\xd8\xff\xe0",
    b"II*\x00",
    b"MM\x00*",
    b"RIFF\x10\x00\x00\x00WEBP",
    b"P6\n",
    b"P4\n",
]


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.sampled_from(_FIRMAS), st.binary(max_size=400))
def test_bytes_al_azar_con_firma_de_imagen_dan_un_rechazo(firma: bytes, resto: bytes) -> None:
    abierta = abrir_imagen(firma + resto)
    assert isinstance(abierta, Rechazo | np.ndarray)


_BUENAS = {f: io.BytesIO() for f in ("PNG", "JPEG", "TIFF", "WEBP", "PPM")}
for _formato, _salida in _BUENAS.items():
    Image.effect_noise((240, 260), 60).convert("RGB").save(_salida, _formato)


@settings(deadline=None, max_examples=60)
@given(st.sampled_from(sorted(_BUENAS)), st.floats(0, 1), st.binary(min_size=1, max_size=8))
def test_una_imagen_cortada_o_con_bytes_cambiados_no_tumba_nada(formato: str, donde: float, basura: bytes) -> None:
    datos = _BUENAS[formato].getvalue()
    corte = int(donde * len(datos))
    assert isinstance(abrir_imagen(datos[:corte]), Rechazo | np.ndarray)
    assert isinstance(abrir_imagen(datos[:corte] + basura + datos[corte + len(basura) :]), Rechazo | np.ndarray)


# ------------------------------------------------------------------------------------------------ analizar


def _sin_codigos(_: object) -> tuple[CodigoLeido, ...]:
    return ()


@pytest.mark.parametrize("grados", [0.6, 89, 181, -91])
def test_la_imagen_guardada_queda_derecha_y_su_registro_le_corresponde(grados: float) -> None:
    captada = girada(acta(), grados)
    analisis = analizar(png(captada.imagen), [plantilla("GUB")], _sin_codigos, webp_chico)
    assert isinstance(analisis, Analisis)
    assert analisis.registro is not None
    assert abs(analisis.registro.giro) < 5
    assert analisis.alto > analisis.ancho
    assert analisis.veredicto.aceptable
    assert any(m.codigo == "GIRADA" for m in analisis.veredicto.motivos) == (abs(grados) > 45)
    guardada = cv2.imdecode(np.frombuffer(analisis.imagen, np.uint8), cv2.IMREAD_COLOR)
    otro = registrar(mirar(gris(np.asarray(guardada, np.uint8))), plantilla("GUB"))
    assert otro is not None
    for x, y in ((20.0, 70.0), (200.0, 220.0)):
        assert np.allclose(otro.en_pagina(x, y), analisis.registro.en_pagina(x, y), atol=2.5)


def test_el_codigo_leido_queda_donde_se_ve_en_la_imagen_guardada() -> None:
    captada = girada(acta(con_etiqueta=False), 180)
    esquina = (500.0, 1900.0)
    leido = CodigoLeido("PREP1:nada", "QR", (esquina, (400.0, 1900.0), (400.0, 1800.0), (500.0, 1800.0)), False)
    analisis = analizar(png(captada.imagen), [plantilla("GUB")], lambda _: (leido,), webp_chico)
    assert isinstance(analisis, Analisis)
    alto, ancho = captada.imagen.shape[:2]
    x, y = analisis.codigos[0].posicion[0]
    k = analisis.ancho / ancho
    assert abs(x - (ancho - 1 - 500) * k) < 2
    assert abs(y - (alto - 1 - 1900) * k) < 2


def test_sin_formatos_la_imagen_se_acepta_con_aviso_y_se_endereza_por_su_codigo() -> None:
    hoja = con_luz(girada(acta(), 180).imagen, 1.0)
    leido = CodigoLeido("x", "QR", ((500.0, 500.0), (400.0, 500.0), (400.0, 400.0), (500.0, 400.0)))
    analisis = analizar(png(hoja), [], lambda _: (leido,), webp_chico)
    assert isinstance(analisis, Analisis)
    assert analisis.veredicto.aceptable
    assert [m.codigo for m in analisis.veredicto.motivos] == ["SIN_FORMATO"]
    (x, _), (derecha, _), _, _ = analisis.codigos[0].posicion
    assert derecha > x


# ------------------------------------------------------------------------------------------ proceso aparte


@pytest.fixture(scope="module")
def trabajador(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trabajador]:
    carpeta = tmp_path_factory.mktemp("proceso")
    (carpeta / CARPETA).mkdir()
    for nombre in ("GUB.toml", "GUB.png"):
        shutil.copy(EJEMPLO / CARPETA / nombre, carpeta / CARPETA)
    with Trabajador(carpeta) as trabajador:
        yield trabajador


@pytest.fixture
def hoja(tmp_path: Path) -> Path:
    ruta = tmp_path / "hoja.png"
    ruta.write_bytes(png(girada(acta(), 1).imagen))
    return ruta


def test_el_proceso_aparte_lee_el_codigo_y_registra(trabajador: Trabajador, hoja: Path) -> None:
    analisis = trabajador.analizar(hoja)
    assert isinstance(analisis, Analisis)
    assert analisis.formato == "GUB"
    assert analisis.veredicto.aceptable
    assert any(c.texto.startswith("PREP1:GUB/") for c in analisis.codigos)
    assert isinstance(trabajador.analizar(hoja, formatos=["GUB"]), Analisis)


def test_muere_a_media_pagina_y_la_siguiente_se_analiza(trabajador: Trabajador, hoja: Path) -> None:
    assert isinstance(trabajador.analizar(hoja), Analisis)
    victima = trabajador.pid
    assert victima is not None
    resultados: list[Analisis | Rechazo] = []
    hilo = threading.Thread(target=lambda: resultados.append(trabajador.analizar(hoja)))
    # Detenido no puede contestar antes de que lo maten: así muere siempre con la página a medias.
    os.kill(victima, signal.SIGSTOP)
    hilo.start()
    time.sleep(0.1)
    os.kill(victima, signal.SIGKILL)
    hilo.join(30)
    (rechazo,) = resultados
    assert isinstance(rechazo, Rechazo)
    assert rechazo.codigo == "VISION_CAIDA"
    assert isinstance(trabajador.analizar(hoja), Analisis)
    assert trabajador.pid != victima


def test_se_cuelga_y_al_vencer_el_plazo_se_levanta_otro(trabajador: Trabajador, hoja: Path) -> None:
    assert isinstance(trabajador.analizar(hoja), Analisis)
    colgado = trabajador.pid
    assert colgado is not None
    os.kill(colgado, signal.SIGSTOP)
    rechazo = trabajador.analizar(hoja, plazo_s=0.2)
    assert isinstance(rechazo, Rechazo)
    assert rechazo.codigo == "VISION_TARDA"
    assert isinstance(trabajador.analizar(hoja), Analisis)
    assert trabajador.pid != colgado


def test_una_imagen_que_se_lleva_la_memoria_no_se_lleva_al_proceso(
    trabajador: Trabajador, hoja: Path, tmp_path: Path
) -> None:
    assert isinstance(trabajador.analizar(hoja), Analisis)
    grande = tmp_path / "grande.tiff"
    # 79 millones de píxeles de 16 bits: cabe en los topes del archivo y no en la memoria si se convierte entera.
    Image.fromarray(np.zeros((8_900, 8_900), np.uint16)).save(grande, compression="tiff_deflate")
    antes = trabajador.pid
    resultado = trabajador.analizar(grande, plazo_s=60)
    assert isinstance(resultado, Analisis | Rechazo)
    assert trabajador.pid == antes


@pytest.mark.parametrize("que", ["nada", "carpeta", "liga", "tuberia"])
def test_lo_que_no_es_un_archivo_no_detiene_al_proceso(
    que: str, trabajador: Trabajador, hoja: Path, tmp_path: Path
) -> None:
    ruta = tmp_path / que
    match que:
        case "carpeta":
            ruta.mkdir()
        case "liga":
            ruta.symlink_to(hoja)
        case "tuberia":
            os.mkfifo(ruta)
    rechazo = trabajador.analizar(ruta, plazo_s=10)
    assert isinstance(rechazo, Rechazo)
    assert rechazo.codigo == "IMAGEN_PERDIDA"


def test_si_no_arranca_se_dice_y_no_se_espera_para_siempre(tmp_path: Path, hoja: Path) -> None:
    (tmp_path / CARPETA).mkdir()
    (tmp_path / CARPETA / "roto.toml").write_text("esto no es toml")
    with Trabajador(tmp_path) as roto:
        rechazo = roto.analizar(hoja)
    assert isinstance(rechazo, Rechazo)
    assert rechazo.codigo == "VISION_NO_ARRANCA"


def test_otro_documento_llega_con_su_motivo(trabajador: Trabajador, tmp_path: Path) -> None:
    ruta = tmp_path / "otro.png"
    ruta.write_bytes(png(otro_documento()))
    analisis = trabajador.analizar(ruta, formatos=["GUB"])
    assert isinstance(analisis, Analisis)
    assert [m.codigo for m in analisis.veredicto.motivos] == ["OTRO_DOCUMENTO"]
    assert analisis.registro is None


def test_la_respuesta_va_y_vuelve_igual() -> None:
    analisis = analizar(png(girada(acta(), 90).imagen), [plantilla("GUB")], _sin_codigos, webp_chico)
    assert isinstance(analisis, Analisis)
    leida = leer_respuesta(*respuesta(analisis))
    assert isinstance(leida, Analisis)
    assert (leida.imagen, leida.veredicto, leida.codigos) == (analisis.imagen, analisis.veredicto, analisis.codigos)
    rechazo = Rechazo("A", "b", "c", "d")
    assert leer_respuesta(*respuesta(rechazo)) == rechazo


@given(st.binary(max_size=200))
def test_un_proceso_tomado_por_una_imagen_no_engana_a_la_pantalla(datos: bytes) -> None:
    with pytest.raises(MensajeInvalido):
        leer_respuesta(datos, b"RIFF....WEBP")


@pytest.mark.parametrize(
    "mentira",
    [
        ('"aceptable": false', '"aceptable": true'),
        ('"EN_BLANCO"', '"QUE_BONITA"'),
        ('"tamano": [10, 10]', '"tamano": [10, 1e9]'),
        ('"registro": null', '"registro": "{}"'),
        ('"codigos": []', '"codigos": [["x","QR",null,[0,0],[0,0],[0,0]]]'),
        ('"codigos": []', '"codigos": [["x","EAN",null,[0,0],[0,0],[0,0],[0,0]]]'),
        ('"ms": {}', '"ms": {"a": "b"}'),
    ],
)
def test_una_respuesta_que_se_contradice_se_descarta(mentira: tuple[str, str]) -> None:
    buena = (
        '{"codigos": [], "registro": null, "aceptable": false, "motivos": [["EN_BLANCO", null]], '
        '"tamano": [10, 10], "ms": {}}'
    )
    imagen = b"RIFF....WEBP"
    assert isinstance(leer_respuesta(buena.encode(), imagen), Analisis)
    assert mentira[0] in buena
    with pytest.raises(MensajeInvalido):
        leer_respuesta(buena.replace(*mentira).encode(), imagen)
    with pytest.raises(MensajeInvalido):
        leer_respuesta(buena.encode(), b"<script>")
