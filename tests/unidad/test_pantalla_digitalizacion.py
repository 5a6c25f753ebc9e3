"""Las pantallas de digitalización por dentro: quién entra, qué se admite y qué se dice cuando algo no procede."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from appliance.acceso import FALLAS, NIP_DE_PRACTICA
from appliance.ajustes_del_puesto import leer_ajustes
from appliance.digitalizacion import digitalizadora as modulo_digitalizadora
from appliance.digitalizacion import tabla
from appliance.digitalizacion.cadena import Cadena
from appliance.digitalizacion.digitalizadora import Digitalizadora
from appliance.digitalizacion.fotos import Memorias
from appliance.digitalizacion.hoja import EstadoDeHoja
from appliance.escaneo.motivo import Motivo
from appliance.escaneo.puerto import Ajustes, FinDeLote, HojaLista
from appliance.falla import Falla
from appliance.mesa import Mesa
from appliance.puesto import Puesto
from nucleo.acta import Digitalizacion, Origen
from nucleo.hechos import Imagen
from nucleo.problema import Rechazo
from tests.hojas_de_prueba import Lector, hoja_con, mirar, qr
from tests.kiosco_de_prueba import A1, A3, abrir_mesa, bien
from tests.pantallas_de_prueba import mandar, pantallas
from tests.turno_de_prueba import oculto

_NADA = Rechazo("SIN_ESCANER", "No hay escáner", "no se conectó", "conéctelo")


class EscanerDeArchivos:
    """Un escáner que entrega las hojas que se le pusieron, y se detiene cuando se le pide."""

    def __init__(self) -> None:
        self.charola: list[bytes] = []
        self.falla: Rechazo | None = None
        self.seguir = threading.Event()
        self.seguir.set()
        self.cancelado = False

    def presentes(self) -> tuple[str, ...]:
        return ("prueba:0",)

    def digitalizar(self, _: Ajustes, carpeta: Path) -> Iterator[HojaLista | FinDeLote]:
        numero = 0
        while self.charola and not self.cancelado:
            numero += 1
            ruta = carpeta / f"hoja-{numero:06d}.pnm"
            ruta.write_bytes(self.charola.pop(0))
            yield HojaLista(numero, ruta)
            self.seguir.wait(10)
        motivo = Motivo.CANCELADO if self.cancelado else Motivo.SIN_PAPEL
        yield FinDeLote(numero, Motivo.ATASCO if self.falla else motivo, self.falla, int(self.falla is not None))

    def cancelar(self) -> None:
        self.cancelado = True
        self.seguir.set()


@pytest.fixture
def mesa(tmp_path: Path) -> Mesa:
    mesa = abrir_mesa(tmp_path)
    bien(mesa.acopiar(A1, persona="acopio-1", origen=Origen.CATD))
    return mesa


@pytest.fixture
def escaner() -> EscanerDeArchivos:
    return EscanerDeArchivos()


@pytest.fixture
def puesto(tmp_path: Path, mesa: Mesa, escaner: EscanerDeArchivos) -> Iterator[Puesto]:
    cadena = Lector(tmp_path, mesa).cadena
    digitalizadora = Digitalizadora(cadena, lambda: (escaner, Ajustes("prueba:0", ())), Memorias(lambda: ()))
    digitalizadora.arrancar()
    puesto = Puesto(digitalizadora=digitalizadora, nombre_escaner=lambda: "Escáner de prueba", con_el_papel=True)
    yield puesto
    digitalizadora.cerrar()


@pytest.fixture
def navegador(mesa: Mesa, tmp_path: Path, puesto: Puesto) -> TestClient:
    return pantallas(mesa, tmp_path, "capturista-1", puesto)


def dudosa(tmp_path: Path, mesa: Mesa, contenido: bytes) -> int:
    quedo = Lector(tmp_path, mesa).pasar(contenido)
    assert quedo.estado is EstadoDeHoja.DUDOSA
    return quedo.hoja


def esperar(puesto: Puesto, mesa: Mesa, cuantas: int) -> None:
    """Hasta que el lote termine y haya esa cantidad de hojas sin mirar pendiente."""
    d = puesto.digitalizadora
    assert d is not None
    for _ in range(500):
        with mesa.almacen.lectura() as mirada:
            faltan = mirada.conexion.execute("SELECT count(*) FROM hojas WHERE estado = 'recibida'").fetchone()[0]
            hay = mirada.conexion.execute("SELECT count(*) FROM hojas").fetchone()[0]
        if not d.marcha().corriendo and faltan == 0 and hay == cuantas:
            return
        threading.Event().wait(0.02)
    raise AssertionError("el lote no terminó")


def test_un_toque_pasa_el_lote_y_dice_cuantas_entraron_y_cuantas_salieron(
    navegador: TestClient, mesa: Mesa, puesto: Puesto, escaner: EscanerDeArchivos
) -> None:
    escaner.charola = [hoja_con(qr(A1)), hoja_con()]
    mandar(navegador, "/digitalizacion", "/digitalizacion", mando="digitalizar")
    esperar(puesto, mesa, 2)
    pagina = navegador.get("/digitalizacion").text
    assert "<dd>2</dd>" in pagina
    assert "Todo lo que entró tiene registro" in pagina
    assert "1 por revisar" in pagina
    assert "Sección 0001 Básica 1" in pagina


def test_se_arranca_dos_veces_el_kiosco_y_el_segundo_no_toca_el_lote_del_primero(
    navegador: TestClient, mesa: Mesa, puesto: Puesto, escaner: EscanerDeArchivos, tmp_path: Path
) -> None:
    escaner.charola = [hoja_con(qr(A1)), hoja_con()]
    escaner.seguir.clear()
    mandar(navegador, "/digitalizacion", "/digitalizacion", mando="digitalizar")
    (carpeta,) = (tmp_path / "entrada").iterdir()
    a_medias = carpeta / ".escaneo-x"
    a_medias.mkdir()
    otra = Digitalizadora(Lector(tmp_path, mesa).cadena, lambda: _NADA, Memorias(lambda: ()))
    with pytest.raises(Falla) as falla:
        otra.arrancar()
    assert falla.value.rechazo.codigo == "KIOSCO_REPETIDO"
    otra.cerrar()
    assert a_medias.is_dir(), "la hoja que va entrando es del primero"
    a_medias.rmdir()
    escaner.seguir.set()
    esperar(puesto, mesa, 2)
    with mesa.almacen.lectura() as mirada:
        lote = tabla.ultimo_lote(mirada)
    assert lote is not None
    assert (lote.fin, lote.falla) == ("sin_papel", None), "nadie lo dio por interrumpido"
    assert puesto.digitalizadora is not None
    puesto.digitalizadora.cerrar()
    otra = Digitalizadora(Lector(tmp_path, mesa).cadena, lambda: _NADA, Memorias(lambda: ()))
    otra.arrancar()
    otra.cerrar()


def test_el_disco_deja_escribir_la_foto_y_no_su_renglon_y_no_espera_al_siguiente_arranque(
    mesa: Mesa, tmp_path: Path
) -> None:
    memoria = tmp_path / "montadas" / "TELEFONO"
    memoria.mkdir(parents=True)
    (memoria / "acta.png").write_bytes(b"\x89PNG\r\n\x1a\nresto")
    fallas = iter([Falla("DISCO_LLENO", "El disco está lleno", "se llenó", "libere espacio")])

    def al_paso(paso: str) -> None:
        if paso == "archivo" and (falla := next(fallas, None)) is not None:
            raise falla

    class SeLlena(Cadena):
        def cerrar_lote(self, *args: Any, **kwargs: Any) -> None:
            if (falla := next(al_cerrar, None)) is not None:
                raise falla
            super().cerrar_lote(*args, **kwargs)

    al_cerrar = iter([Falla("DISCO_LLENO", "El disco está lleno", "se llenó", "libere espacio")])
    cadena = SeLlena(tmp_path, mesa, mirar, al_paso=al_paso)
    digitalizadora = Digitalizadora(cadena, lambda: _NADA, Memorias((tmp_path / "montadas").iterdir))
    digitalizadora.arrancar()
    bien(digitalizadora.importar(str(memoria), "digital-1"))
    esperar(Puesto(digitalizadora=digitalizadora), mesa, 1)
    digitalizadora.cerrar()
    with mesa.almacen.lectura() as mirada:
        (hoja,) = tabla.dudosas(mirada)
        assert tabla.lotes_abiertos(mirada) == [], "no se queda «corriendo» hasta que se apague el equipo"
    assert (hoja.persona, hoja.digitalizacion) == ("digital-1", Digitalizacion.MOVIL)


def test_una_hoja_que_tumba_al_programa_no_pierde_a_su_duena(
    mesa: Mesa, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(modulo_digitalizadora, "_TRAS_TROPIEZO_S", 0.05)
    tropiezos = iter([ZeroDivisionError] * 4)

    def al_paso(paso: str) -> None:
        # Ya guardada la imagen y aún sin hecho: mientras se reintenta, nadie la nombra todavía.
        if paso == "imagen" and (error := next(tropiezos, None)) is not None:
            raise error

    lector = Lector(tmp_path, mesa, al_paso)
    lector.lote(hoja_con(qr(A1)))
    digitalizadora = Digitalizadora(lector.cadena, lambda: _NADA, Memorias(lambda: ()))
    digitalizadora.arrancar()
    esperar(Puesto(digitalizadora=digitalizadora), mesa, 1)
    digitalizadora.cerrar()
    (hoja,) = lector.hojas()
    assert (hoja.estado, hoja.persona) == (EstadoDeHoja.ASIGNADA, "digital-1")


def test_la_falla_del_escaner_se_queda_hasta_que_alguien_dice_entendido(
    navegador: TestClient, mesa: Mesa, puesto: Puesto, escaner: EscanerDeArchivos
) -> None:
    escaner.charola = [hoja_con(qr(A1))]
    escaner.falla = Rechazo("ATASCO", "Se atascó", "entró chueca", "sáquela")
    mandar(navegador, "/digitalizacion", "/digitalizacion", mando="digitalizar")
    esperar(puesto, mesa, 1)
    for _ in range(2):
        pagina = navegador.get("/digitalizacion").text
        assert "Se atascó" in pagina
        assert "Entraron 2 y salieron 1" in pagina
    mandar(navegador, "/digitalizacion", "/digitalizacion/entendido", lote=oculto(pagina, "lote"))
    assert "Se atascó" not in navegador.get("/digitalizacion").text


def test_detener_no_jala_otra_hoja_y_dos_lotes_a_la_vez_se_niegan(
    navegador: TestClient, mesa: Mesa, puesto: Puesto, escaner: EscanerDeArchivos
) -> None:
    escaner.charola = [hoja_con(qr(A1)), hoja_con(), hoja_con()]
    escaner.seguir.clear()
    mandar(navegador, "/digitalizacion", "/digitalizacion", mando="digitalizar")
    assert "Detener escáner" in navegador.get("/digitalizacion").text
    assert "Ya se está digitalizando" in mandar(navegador, "/digitalizacion", "/digitalizacion", mando="digitalizar")
    mandar(navegador, "/digitalizacion", "/digitalizacion", mando="detener")
    esperar(puesto, mesa, 1)
    assert len(escaner.charola) == 2


def test_sin_nada_nuevo_la_lista_no_se_vuelve_a_pintar(navegador: TestClient, mesa: Mesa, tmp_path: Path) -> None:
    pagina = navegador.get("/digitalizacion").text
    version = pagina.split("/digitalizacion/marcha?v=")[1].split('"')[0]
    assert navegador.get(f"/digitalizacion/marcha?v={version}").status_code == 204
    dudosa(tmp_path, mesa, hoja_con())
    assert navegador.get(f"/digitalizacion/marcha?v={version}").status_code == 200


def test_sin_puesto_se_dice_y_las_dudosas_se_pueden_resolver(mesa: Mesa, tmp_path: Path) -> None:
    numero = dudosa(tmp_path, mesa, hoja_con())
    navegador = pantallas(mesa, tmp_path, "capturista-1")
    assert "no tiene aparatos" in navegador.get("/digitalizacion").text
    desde = f"/hoja/{numero}/identificar?casilla={A1.casilla}"
    pagina = mandar(navegador, desde, f"/hoja/{numero}/identificar", eleccion="GUB", casilla=A1.casilla)
    assert "La hoja quedó en Sección 0001 Básica 1" in pagina
    assert any(isinstance(h, Imagen) for h in mesa.almacen.hechos_de(A1))


def test_la_accion_que_no_toca_a_ese_motivo_se_niega_sin_tocar_nada(
    navegador: TestClient, mesa: Mesa, tmp_path: Path
) -> None:
    numero = dudosa(tmp_path, mesa, hoja_con())
    antes = mesa.almacen.ultimo()
    for accion in ("aceptar", "sustituir", "conservar", "reintentar"):
        pagina = mandar(navegador, f"/hoja/{numero}/descartar", f"/hoja/{numero}/{accion}")
        assert "ya no se puede hacer" in pagina
    assert mesa.almacen.ultimo() == antes


def test_acopiar_desde_la_hoja_pide_una_hora_que_se_entienda(navegador: TestClient, mesa: Mesa, tmp_path: Path) -> None:
    numero = dudosa(tmp_path, mesa, hoja_con(qr(A3)))
    ruta = f"/hoja/{numero}"
    assert "La hora no se entiende" in mandar(navegador, ruta, f"{ruta}/acopiar", hora="ayer")
    pagina = navegador.get(ruta).text
    assert 'name="hora"' in pagina
    hora = oculto(pagina.replace(' id="hora"', ""), "hora")
    assert "La hoja quedó en" in mandar(navegador, ruta, f"{ruta}/acopiar", hora=hora)


@pytest.mark.parametrize("numero", ["0", "-1", "999", "9" * 30, "x", "1.5"])
@pytest.mark.parametrize("resto", ["", "/imagen", "/miniatura", "/cabecera", "/identificar", "/descartar", "/fuera"])
def test_una_hoja_que_no_existe_es_una_pagina_que_lo_dice(navegador: TestClient, numero: str, resto: str) -> None:
    assert navegador.get(f"/hoja/{numero}{resto}").status_code in (404, 422)


@pytest.mark.parametrize(
    "consulta",
    ["seccion=9999", "seccion=abc", "seccion=%C2%B2", "seccion=" + "1" * 400, "casilla=x", "casilla=%00&eleccion=%00"],
)
def test_buscar_una_casilla_con_basura_no_tumba_nada(
    navegador: TestClient, mesa: Mesa, tmp_path: Path, consulta: str
) -> None:
    numero = dudosa(tmp_path, mesa, hoja_con())
    assert navegador.get(f"/hoja/{numero}/identificar?{consulta}").status_code in (200, 422)


def test_fuera_de_catalogo_no_sin_coordinacion(navegador: TestClient, mesa: Mesa, tmp_path: Path) -> None:
    numero = dudosa(tmp_path, mesa, hoja_con())
    antes = mesa.almacen.ultimo()
    ruta = f"/hoja/{numero}/fuera"
    pagina = mandar(navegador, ruta, ruta, eleccion="GUB", documento="ACTA PREP", traslado="", confirma="capturista-2")
    assert "Falta que confirme" in pagina
    pagina = mandar(navegador, ruta, ruta, eleccion="OTRA", documento="ACTA PREP", traslado="")
    assert "Falta decir la elección" in pagina
    assert mesa.almacen.ultimo() == antes


def test_un_dedo_nervioso_declara_fuera_dos_veces_y_el_segundo_toque_no_pide_otro_nip(
    navegador: TestClient, mesa: Mesa, tmp_path: Path
) -> None:
    """Con el gafete se confirmó; sin él, a esa hora no se le acepta su NIP: el segundo toque ya no se lo pregunta."""
    numero = dudosa(tmp_path, mesa, hoja_con())
    pantalla = navegador.app.state.pantalla  # type: ignore[attr-defined]
    azar = pantalla.sesiones.leer(navegador.cookies["kiosco"])
    duena = pantalla.turnos.de(azar).persona
    coordina = pantalla.personas["coordinacion"]
    for _ in range(FALLAS):
        pantalla.acceso.comprobar_nip(coordina, "111112", desde=duena)
    ruta = f"/hoja/{numero}/fuera"
    pagina = navegador.get(ruta).text
    campos = {n: oculto(pagina, n) for n in ("sello", "intento")}
    campos |= {"eleccion": "GUB", "documento": "ACTA PREP", "traslado": "", "confirma": "coordinacion"}
    pantalla.presentados.presentar(azar, "coordinacion")
    for _ in range(2):
        dicho = navegador.post(ruta, data=campos | {"nip": NIP_DE_PRACTICA}).text
        assert "declarada fuera de catálogo" in dicho
    with mesa.almacen.lectura() as mirada:
        assert len(mirada.fuera_de_catalogo()) == 1


def test_capturar_con_el_papel_lo_permite_solo_coordinacion(
    navegador: TestClient, mesa: Mesa, tmp_path: Path, puesto: Puesto
) -> None:
    mesa.exigir_imagen(True)
    assert mesa.siguiente("capturista-1") is None
    mandar(navegador, "/digitalizacion", "/digitalizacion/con-el-papel")
    assert mesa.siguiente("capturista-1") is None
    coordina = pantallas(mesa, tmp_path, "coordinacion", puesto)
    mandar(coordina, "/digitalizacion", "/digitalizacion/con-el-papel")
    assert mesa.siguiente("capturista-1") == A1


def test_la_mesa_de_pruebas_se_niega_en_oficial(tmp_path: Path) -> None:
    with pytest.raises(Falla, match="sólo se admite"):
        leer_ajustes(tmp_path, "oficial", tmp_path / "mesa.json")


@pytest.mark.parametrize(
    "toml",
    ["exigir_imagen = 1", 'impresora = "a; rm"', "memorias = ['/']", "memorias = ['/a/../b']", "otra = 1", "= ="],
)
def test_un_puesto_mal_escrito_no_arranca_y_dice_por_que(tmp_path: Path, toml: str) -> None:
    (tmp_path / "puesto.toml").write_text(toml)
    with pytest.raises(Falla) as fallo:
        leer_ajustes(tmp_path, "simulacro")
    assert fallo.value.rechazo.codigo == "PUESTO"
    assert leer_ajustes(tmp_path / "otra", "simulacro").exigir_imagen is None
