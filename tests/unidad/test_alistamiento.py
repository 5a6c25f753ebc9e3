"""El informe de alistamiento: cada renglón prueba algo de verdad, y lo que no se probó no dice «bien»."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from threading import Event

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import ECKey
from PIL import Image, ImageDraw

from appliance.alistamiento import Aparatos, Estado, Informe, _bitacora, informe
from appliance.arranque import Kiosco
from appliance.corriente import Corriente, corriente
from appliance.documentos.informe_de_alistamiento import pdf_de_informe
from appliance.escaneo.motivo import Motivo
from appliance.escaneo.puerto import Ajustes, Escaner, FinDeLote, HojaLista
from appliance.falla import Falla
from appliance.hoja_en_blanco import Blancura, mirar
from appliance.mesa import Mesa
from appliance.mochila import SELLO
from appliance.pantalla.en_segundo_plano import EnSegundoPlano
from appliance.pantalla.pagina import Aviso
from appliance.personas import Papel, Persona
from appliance.prueba_de_escaner import PruebaDeEscaner, probar
from appliance.reloj import RelojFijado
from nucleo.acta import Origen
from nucleo.acuse import Acuse
from nucleo.problema import Rechazo
from tests.kiosco_de_prueba import A1, EPOCA, PROCESO, abrir_mesa, bien, codigo, hora, identidad
from tests.pantallas_de_prueba import mandar, pantallas

LIMPIA = Blancura((), (), 250.0)
ENCHUFADO = Corriente(True, 100)
TODOS = tuple(Persona(f"p-{n}", f"Persona {n}", frozenset(Papel)) for n in range(3))
CARTA = (850, 1100)


@pytest.fixture
def kiosco(tmp_path: Path) -> Kiosco:
    mesa = abrir_mesa(tmp_path)
    (tmp_path / SELLO).write_bytes(ECKey.generate_key("P-256").as_pem(private=False))
    bien(mesa.acopiar(A1, persona="acopio-1", origen=Origen.CATD))
    huella = mesa.almacen.ultimo().huella
    mesa.almacen.cerrar(Acuse("catd-01", EPOCA, 1, huella, (), (), (), datetime.now(UTC)), datetime.now(UTC))
    return Kiosco(mesa, mesa.almacen, PROCESO, identidad(), mesa.reloj, tmp_path)


def hacer(kiosco: Kiosco, personas: tuple[Persona, ...] = TODOS, **aparatos: object) -> Informe:
    base = Aparatos(ENCHUFADO, LIMPIA, "lista")
    return informe(kiosco, personas, replace(base, **aparatos), hora())  # type: ignore[arg-type]


def estado(hecho: Informe, nombre: str) -> Estado:
    (revision,) = [r for r in hecho.revisiones if r.nombre.startswith(nombre)]
    assert revision.dicho
    assert revision.hacer or revision.estado is Estado.BIEN, "lo que no está bien dice qué hacer"
    return revision.estado


# ----------------------------------------------------------------------------------------------------------- el informe


def test_un_kiosco_sano_sale_bien_en_todo_menos_el_reloj_del_ensayo(kiosco: Kiosco) -> None:
    hecho = hacer(kiosco)
    assert {r.nombre for r in hecho.revisiones if r.estado is not Estado.BIEN} == {"Reloj"}
    assert hecho.veredicto is Estado.ATENCION
    assert not list(kiosco.carpeta.glob(".alistamiento-*")), "no deja archivos"
    assert kiosco.almacen.ultimo().secuencia == 1, "la prueba de la llave no asienta nada"


def test_lo_que_no_se_probo_no_dice_bien(kiosco: Kiosco) -> None:
    hecho = hacer(kiosco, hoja=None, impresora=None, corriente=Corriente(None, None))
    for nombre in ("Escáner", "Impresora", "Corriente"):
        assert estado(hecho, nombre) is Estado.NO_PROBADO
    assert hecho.veredicto is Estado.ATENCION


def test_se_perdio_o_se_abrio_la_llave(kiosco: Kiosco) -> None:
    llave = kiosco.carpeta / "llave.pem"
    llave.chmod(0o644)
    assert estado(hacer(kiosco), "Llave") is Estado.MAL
    llave.unlink()
    hecho = hacer(kiosco)
    assert estado(hecho, "Llave") is Estado.MAL
    assert hecho.veredicto is Estado.MAL


def test_el_sello_de_la_mochila_falta_o_se_dano_y_se_sabe_antes_de_la_noche(kiosco: Kiosco) -> None:
    sello = kiosco.carpeta / SELLO
    sello.write_text("no es una llave")
    assert estado(hacer(kiosco), "Sello") is Estado.MAL
    sello.unlink()
    assert estado(hacer(kiosco), "Sello") is Estado.ATENCION


def test_alguien_quito_un_renglon_de_la_bitacora(kiosco: Kiosco) -> None:
    with kiosco.almacen.transaccion() as t:
        for _ in range(3):
            t.anotar(hora(), "tomada", persona="ana")
        t.conexion.execute("DROP TRIGGER bitacora_sin_delete")
        t.conexion.execute("DELETE FROM bitacora WHERE renglon = 2")
    assert estado(hacer(kiosco), "Bitácora") is Estado.MAL


def test_con_alarma_apartados_o_sin_centro_la_bandeja_lo_dice(kiosco: Kiosco, tmp_path: Path) -> None:
    assert estado(hacer(kiosco), "Bandeja") is Estado.BIEN
    kiosco.almacen.cerrar(Acuse("catd-01", EPOCA, 9, "c" * 64, (), (), (), datetime.now(UTC)), datetime.now(UTC))
    assert estado(hacer(kiosco), "Bandeja") is Estado.MAL
    otra = abrir_mesa(tmp_path / "otro")
    solo = replace(kiosco, mesa=otra, almacen=otra.almacen, carpeta=tmp_path / "otro")
    assert estado(hacer(solo), "Bandeja") is Estado.ATENCION


@pytest.mark.parametrize(
    ("papeles", "por_papel", "doble"),
    [
        ([], Estado.MAL, Estado.MAL),
        ([set(Papel)], Estado.BIEN, Estado.MAL),
        ([set(Papel), {Papel.CAPTURA}], Estado.BIEN, Estado.ATENCION),
        ([set(Papel), {Papel.CAPTURA}, {Papel.VERIFICACION}], Estado.BIEN, Estado.BIEN),
        ([set(Papel) - {Papel.COORDINACION}] * 3, Estado.MAL, Estado.BIEN),
    ],
)
def test_si_la_gente_no_alcanza_se_dice(
    kiosco: Kiosco, papeles: list[set[Papel]], por_papel: Estado, doble: Estado
) -> None:
    personas = tuple(Persona(f"p-{n}", "x", frozenset(p)) for n, p in enumerate(papeles))
    hecho = hacer(kiosco, personas)
    assert estado(hecho, "Personas") is por_papel
    assert estado(hecho, "Gente") is doble


def test_la_carpeta_ya_no_esta(kiosco: Kiosco, tmp_path: Path) -> None:
    hecho = hacer(replace(kiosco, carpeta=tmp_path / "no-existe"))
    assert estado(hecho, "Espacio") is Estado.MAL
    assert estado(hecho, "Escritura") is Estado.MAL


def test_el_pdf_trae_todo_aunque_un_texto_sea_largo(kiosco: Kiosco) -> None:
    largo = Rechazo("X", "no contesta " * 40, "apagada", "enciéndala " * 30)
    pdf = pdf_de_informe(hacer(kiosco, impresora=largo), identidad(), PROCESO, "Ana Ruiz")
    assert pdf.startswith(b"%PDF")


# ------------------------------------------------------------------------------------------------------ la hoja blanca


def hoja(*, fondo: int = 245, tamano: tuple[int, int] = CARTA) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    imagen = Image.new("L", tamano, fondo)
    return imagen, ImageDraw.Draw(imagen)


def en_png(imagen: Image.Image) -> bytes:
    salida = io.BytesIO()
    imagen.save(salida, "PNG")
    return salida.getvalue()


def vista(imagen: Image.Image) -> Blancura:
    vista = mirar(en_png(imagen))
    assert vista is not None
    return vista


def test_una_hoja_en_blanco_sale_limpia_aunque_la_lampara_no_sea_pareja() -> None:
    imagen, lapiz = hoja()
    for x in range(CARTA[0]):
        lapiz.line((x, 0, x, CARTA[1]), fill=250 - x // 40)
    assert vista(imagen).limpia


@pytest.mark.parametrize("x", [60, 425, 800])
@pytest.mark.parametrize(("ancho", "gris"), [(1, 120), (2, 200), (4, 0)])
def test_una_raya_de_polvo_se_ve_donde_esta(x: int, ancho: int, gris: int) -> None:
    imagen, lapiz = hoja()
    lapiz.line((x, 0, x, CARTA[1]), fill=gris, width=ancho)
    (donde,) = vista(imagen).rayas
    assert abs(donde - 100 * (x - CARTA[0] * 0.03) / (CARTA[0] * 0.94)) <= 2


def test_una_mancha_no_es_raya_y_un_renglon_escrito_tampoco() -> None:
    imagen, lapiz = hoja()
    lapiz.ellipse((300, 300, 380, 380), fill=90)
    lapiz.line((100, 700, 700, 700), fill=0, width=3)
    visto = vista(imagen)
    assert visto.rayas == ()
    assert visto.manchas
    assert not visto.limpia


def test_una_hoja_negra_no_es_blanca() -> None:
    assert not vista(hoja(fondo=20)[0]).limpia


@given(st.binary(max_size=400))
def test_lo_que_no_es_imagen_no_tumba_nada(basura: bytes) -> None:
    assert mirar(basura) is None


def test_una_bomba_de_pixeles_no_se_abre() -> None:
    assert mirar(en_png(Image.new("1", (9_000, 9_000)))) is None
    assert mirar(en_png(Image.new("L", (20, 20)))) is None


@pytest.mark.parametrize(
    ("blancura", "esperado"),
    [
        (LIMPIA, Estado.BIEN),
        (Blancura((50,), (), 240.0), Estado.MAL),
        (Blancura((), ((1, 1),), 240.0), Estado.ATENCION),
        (Blancura((), (), 10.0), Estado.MAL),
        (Rechazo("ATASCO", "se atoró", "papel", "sáquelo"), Estado.MAL),
    ],
)
def test_lo_que_salio_en_la_hoja_dice_que_hacer(kiosco: Kiosco, blancura: object, esperado: Estado) -> None:
    assert estado(hacer(kiosco, hoja=blancura), "Escáner") is esperado


class EscanerDeUnaHoja:
    """Un escáner que entrega los bytes que se le dieron, o la falla con que se quedó."""

    def __init__(self, contenido: bytes | None, falla: Rechazo | None = None) -> None:
        self.contenido, self.falla = contenido, falla
        self.sigue = threading.Event()
        self.sigue.set()

    def presentes(self) -> tuple[str, ...] | Rechazo:
        return ("de-prueba",)

    def digitalizar(self, ajustes: Ajustes, carpeta: Path) -> Iterator[HojaLista | FinDeLote]:
        assert ajustes.una_hoja, "una hoja en blanco, no el lote que esté en la charola"
        self.sigue.wait(10)
        if self.contenido is not None:
            ruta = carpeta / "1.png"
            ruta.write_bytes(self.contenido)
            yield HojaLista(1, ruta)
        yield FinDeLote(int(self.contenido is not None), Motivo.SIN_PAPEL, self.falla)

    def cancelar(self) -> None:
        return


def test_la_hoja_pasa_por_el_escaner_del_puesto_y_no_se_queda_guardada(tmp_path: Path) -> None:
    atasco = Rechazo("ATASCO", "se atoró", "papel", "sáquelo")
    casos: list[tuple[bytes | None, Rechazo | None, str]] = [
        (None, None, "SIN_HOJA"),
        (None, atasco, "ATASCO"),
        (b"no es imagen", None, "ILEGIBLE"),
    ]
    for contenido, falla, esperado in casos:
        escaner: Escaner = EscanerDeUnaHoja(contenido, falla)
        assert codigo(probar(lambda e=escaner: (e, Ajustes("de-prueba", ())), tmp_path)) == esperado  # type: ignore[misc]
    bueno = EscanerDeUnaHoja(en_png(hoja()[0]))
    assert bien(probar(lambda: (bueno, Ajustes("de-prueba", ())), tmp_path)).limpia
    assert codigo(probar(lambda: atasco, tmp_path)) == "ATASCO"
    assert list(tmp_path.iterdir()) == []
    assert codigo(probar(lambda: (bueno, Ajustes("x", ())), tmp_path / "no-existe")) == "DISCO"


def test_dos_toques_no_pasan_dos_hojas(tmp_path: Path) -> None:
    escaner = EscanerDeUnaHoja(en_png(hoja()[0]))
    escaner.sigue.clear()
    prueba = PruebaDeEscaner(lambda: (escaner, Ajustes("x", ())), tmp_path)
    assert prueba.empezar() is None
    assert codigo(prueba.empezar()) == "OCUPADO"
    assert prueba.resultado is None
    escaner.sigue.set()
    prueba.esperar(10)
    assert isinstance(prueba.resultado, Blancura)


# ------------------------------------------------------------------------------------------------------------ corriente


def fuente(carpeta: Path, nombre: str, **datos: str) -> None:
    (carpeta / nombre).mkdir(parents=True)
    for archivo, texto in datos.items():
        (carpeta / nombre / archivo).write_text(texto + "\n")


def test_se_fue_la_luz_y_queda_bateria(tmp_path: Path) -> None:
    fuente(tmp_path, "AC", type="Mains", online="0")
    fuente(tmp_path, "BAT0", type="Battery", capacity="63", status="Discharging")
    assert corriente(tmp_path) == Corriente(False, 63)
    assert "SIN CORRIENTE" in corriente(tmp_path).palabras


def test_la_pila_del_raton_no_es_la_del_kiosco(tmp_path: Path) -> None:
    fuente(tmp_path, "hidpp_battery_0", type="Battery", capacity="5", scope="Device", status="Discharging")
    fuente(tmp_path, "UPS", type="UPS", capacity="100", status="Full")
    fuente(tmp_path, "AC", type="Mains", online="1")
    assert corriente(tmp_path) == Corriente(True, 100)


@given(st.text(max_size=20), st.text(max_size=20))
def test_lo_que_diga_el_nucleo_no_tumba_nada(tmp_path_factory: pytest.TempPathFactory, carga: str, tipo: str) -> None:
    carpeta = tmp_path_factory.mktemp("sys")
    (carpeta / "BAT0").mkdir()
    for archivo, texto in (("type", tipo), ("capacity", carga)):
        (carpeta / "BAT0" / archivo).write_bytes(texto.encode("utf-16"))
    assert corriente(carpeta).palabras
    assert corriente(carpeta / "no-existe") == Corriente(None, None)


# ---------------------------------------------------------------------------------------------------------- la pantalla


def test_desde_la_pantalla_se_hace_se_ve_y_queda_en_pdf(tmp_path: Path) -> None:
    mesa: Mesa = abrir_mesa(tmp_path, reloj=RelojFijado(hora()))
    navegador = pantallas(mesa, tmp_path, "coordinacion")
    ruta = "/coordinacion/alistamiento"
    assert "Hacer el informe" in navegador.get(ruta).text
    assert "no tiene escáner" in mandar(navegador, ruta, f"{ruta}/escaner")
    mandar(navegador, ruta, ruta)
    navegador.app.state.informe_de_alistamiento.esperar(30)  # type: ignore[attr-defined]
    assert navegador.get(f"{ruta}/avance").headers["HX-Refresh"] == "true"
    pagina = navegador.get(ruta).text
    assert "Haciendo el informe" not in pagina
    assert "firma y verifica como catd-01" in pagina
    assert "○ no probado" in pagina
    assert "Ver el PDF" in pagina
    assert "Ver el PDF" in navegador.get(ruta).text, "se puede volver a ver"
    assert "Ver el PDF" not in mandar(navegador, ruta, f"{ruta}/escaner")
    with mesa.almacen.lectura() as mirada:
        eventos = [e for (e,) in mirada.conexion.execute("SELECT evento FROM bitacora")]
    assert "informe_generado" in eventos


def test_el_informe_tropieza_en_su_hilo_y_lo_dice_la_pagina() -> None:
    plano = EnSegundoPlano("prueba")

    def mala() -> Aviso:
        raise ValueError("sin avisar")

    def llena() -> Aviso:
        raise Falla("DISCO_LLENO", "No cupo", "el disco está lleno", "llame al área técnica")

    for tarea, dicho in ((mala, "No se terminó"), (llena, "No cupo")):
        assert plano.empezar(tarea, "e1")
        plano.esperar(10)
        assert plano.aviso("e2") is None, "no lo pidió"
        aviso = plano.aviso("e1")
        assert aviso is not None
        assert (aviso.bueno, aviso.titulo) == (False, dicho)
        assert plano.aviso("e1") is None, "ya se dijo"
        assert plano.tropezo


def test_el_hilo_no_arranca_y_lo_dice_la_pagina(monkeypatch: pytest.MonkeyPatch) -> None:
    plano, bien_dicho = EnSegundoPlano("prueba"), Aviso(True, "hecho")

    def sin_memoria(hilo: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as poco:
        poco.setattr(threading.Thread, "start", sin_memoria)
        assert plano.empezar(lambda: bien_dicho, "e1")
    plano.esperar(1)
    aviso = plano.aviso("e1")
    assert (plano.corriendo, aviso and aviso.titulo) == (False, "No se empezó")
    assert plano.empezar(lambda: bien_dicho, "e1")
    plano.esperar(10)
    assert plano.aviso("e1") == bien_dicho


def test_otra_lo_pide_a_medias_y_se_entera_de_que_no_empezo_y_de_que_no_se_termino(tmp_path: Path) -> None:
    navegador = pantallas(abrir_mesa(tmp_path), tmp_path, "coordinacion")
    ruta, seguir = "/coordinacion/alistamiento", Event()
    haciendo = navegador.app.state.informe_de_alistamiento  # type: ignore[attr-defined]
    mandar(navegador, ruta, ruta)
    haciendo.esperar(30)
    assert "Ver el PDF" in navegador.get(ruta).text

    def tropieza() -> Aviso:
        seguir.wait(30)
        raise ValueError("sin avisar")

    assert haciendo.empezar(tropieza, "otra estación")
    assert "El suyo no empezó" in mandar(navegador, ruta, ruta)
    seguir.set()
    haciendo.esperar(30)
    pagina = navegador.get(ruta).text
    assert "No se terminó" in pagina
    assert "Éste es el anterior" in pagina
    pagina = navegador.get(ruta).text
    assert "No se terminó" not in pagina, "se dice una vez"
    assert "Éste es el anterior" in pagina
    mandar(navegador, ruta, ruta)
    haciendo.esperar(30)
    assert "Éste es el anterior" not in navegador.get(ruta).text


def test_se_va_la_luz_a_media_prueba_de_escritura_y_al_arrancar_no_queda_su_resto(tmp_path: Path) -> None:
    resto = tmp_path / ".alistamiento-0badcafe"
    resto.write_bytes(bytes(4096))
    pantallas(abrir_mesa(tmp_path), tmp_path, "coordinacion")
    assert not resto.exists()


def test_la_bitacora_se_recorre_sin_esperar_a_que_otra_pantalla_suelte_el_almacen(kiosco: Kiosco) -> None:
    """Y al revés: quien la recorre no detiene a las demás."""
    tomado, soltar = Event(), Event()

    def otra_pantalla() -> None:
        with kiosco.almacen.transaccion() as t:
            t.anotar(hora(), "tomada", persona="ana")
            tomado.set()
            soltar.wait(30)

    with ThreadPoolExecutor(2) as hilos:
        hilos.submit(otra_pantalla)
        assert tomado.wait(10)
        try:
            assert hilos.submit(_bitacora, kiosco.almacen).result(10).estado is Estado.BIEN
        finally:
            soltar.set()


def test_dos_toques_no_hacen_dos_informes() -> None:
    plano, seguir = EnSegundoPlano("prueba"), Event()

    def tarda() -> Aviso:
        seguir.wait(10)
        return Aviso(True, "hecho", "", "")

    assert plano.empezar(tarda, "e1")
    assert not plano.empezar(tarda, "e1")
    assert plano.aviso("e1") is None
    seguir.set()
    plano.esperar(10)
    assert plano.aviso("e2") == Aviso(True, "hecho", "", "")
