"""La práctica guiada: sus actas son de verdad para el kiosco, no salen de capacitación, y califica con la regla."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from appliance.arranque import Kiosco, abrir_kiosco
from appliance.digitalizacion.hoja import Vista
from appliance.falla import Falla
from appliance.modo import crear_capacitacion
from appliance.pantalla.app import crear_app
from appliance.practica.calificacion import acabo_con, calificar, tiempo
from appliance.practica.lecciones import Leccion, leer_lecciones
from appliance.practica.siembra import sembrar, terminar
from nucleo.acta import asentado_de_campos
from nucleo.campo import Numero
from nucleo.definicion import cargar_proceso
from nucleo.formato import leer_formatos
from nucleo.hechos import Acopio, IdActa, Imagen
from nucleo.problema import Rechazo
from tests.kiosco_de_prueba import abrir_mesa, bien, vigente
from tests.persona_por_http import PersonaPorHttp, sin_marcas
from tests.turno_de_prueba import entrar

PRACTICA = Path(__file__).resolve().parents[2] / "datos" / "capacitacion"
PROCESO = cargar_proceso(PRACTICA)
LECCIONES = leer_lecciones(PRACTICA, PROCESO)
FORMATOS = leer_formatos(PRACTICA)


@pytest.fixture
def kiosco(tmp_path: Path) -> Iterator[Kiosco]:
    kiosco = abrir_kiosco(crear_capacitacion(tmp_path, PRACTICA, "catd-01"))
    yield kiosco
    kiosco.almacen.desconectar()


def test_hay_lecciones_y_cada_una_ensena_algo_distinto() -> None:
    assert len(LECCIONES) == 5
    assert len({x.acta for x in LECCIONES}) == 5
    assert sum(bool(x.porque) for x in LECCIONES) == 4


def test_sembrar_deja_las_actas_listas_para_leerse_y_repetirlo_no_agrega(kiosco: Kiosco) -> None:
    assert sembrar(kiosco.mesa, LECCIONES, FORMATOS) is None
    ultimo = kiosco.almacen.ultimo()
    assert sembrar(kiosco.mesa, LECCIONES, FORMATOS) is None
    assert kiosco.almacen.ultimo() == ultimo
    assert kiosco.mesa.siguiente("ana") == LECCIONES[0].acta
    for leccion in LECCIONES:
        historia = kiosco.almacen.hechos_de(leccion.acta)
        assert [type(h) for h in historia] == [Acopio, Imagen]


def test_quien_practico_tambien_digitaliza(kiosco: Kiosco) -> None:
    assert sembrar(kiosco.mesa, LECCIONES, FORMATOS) is None
    with kiosco.almacen.lectura() as mirada:
        textos = [t for (t,) in mirada.conexion.execute("SELECT lectura FROM hojas")]
    assert len(textos) == len(LECCIONES)
    assert all(Vista.de_texto(t).registro for t in textos)


def test_se_va_la_luz_a_media_siembra_y_repetirla_la_completa(kiosco: Kiosco, monkeypatch: pytest.MonkeyPatch) -> None:
    class SeFueLaLuz(BaseException):
        pass

    def apagon(*_: object, **__: object) -> None:
        raise SeFueLaLuz

    with monkeypatch.context() as parche:
        parche.setattr(kiosco.mesa, "digitalizar", apagon)
        with pytest.raises(SeFueLaLuz):
            sembrar(kiosco.mesa, LECCIONES, FORMATOS)
    assert sembrar(kiosco.mesa, LECCIONES, FORMATOS) is None
    for leccion in LECCIONES:
        assert [type(h) for h in kiosco.almacen.hechos_de(leccion.acta)] == [Acopio, Imagen]


def test_fuera_de_capacitacion_no_se_siembra_nada(tmp_path: Path) -> None:
    mesa = abrir_mesa(tmp_path)
    rechazo = sembrar(mesa, LECCIONES, FORMATOS)
    assert isinstance(rechazo, Rechazo)
    assert rechazo.codigo == "MODO"
    assert mesa.almacen.ultimo().secuencia == 0


def test_la_calificacion_dice_que_renglon_y_por_que(kiosco: Kiosco) -> None:
    sembrar(kiosco.mesa, LECCIONES, FORMATOS)
    letra = LECCIONES[1]
    assert calificar(letra, kiosco.almacen.hechos_de(letra.acta), "ana") is None
    _leer(kiosco, letra, CACAO=47)
    nota = calificar(letra, kiosco.almacen.hechos_de(letra.acta), "ana")
    assert nota is not None
    assert (nota.aciertos, nota.total) == (len(letra.respuestas) - 1, len(letra.respuestas))
    (fallo,) = nota.fallos
    assert (fallo.clave, fallo.puesto, fallo.correcto) == ("CACAO", Numero(47), Numero(74))
    assert "vale la letra" in fallo.porque
    assert tiempo([nota], nota.hora) is not None


def test_la_lectura_de_otra_persona_no_me_califica(kiosco: Kiosco) -> None:
    sembrar(kiosco.mesa, LECCIONES, FORMATOS)
    _leer(kiosco, LECCIONES[0])
    historia = kiosco.almacen.hechos_de(LECCIONES[0].acta)
    perfecta = calificar(LECCIONES[0], historia, "ana")
    assert perfecta is not None
    assert perfecta.fallos == ()
    assert calificar(LECCIONES[0], historia, "beto") is None


def test_mirar_otra_vez_su_calificacion_no_la_termina_dos_veces(kiosco: Kiosco) -> None:
    for quien in ("ana", "ana", "beto"):
        terminar(kiosco.almacen, quien, kiosco.reloj.ahora(), "30 de 30 renglones")
    with kiosco.almacen.lectura() as mirada:
        filas = mirada.conexion.execute("SELECT persona FROM bitacora WHERE evento = 'practica_terminada'").fetchall()
    assert filas == [("ana",), ("beto",)]


@pytest.mark.parametrize(
    ("de", "a", "causa"),
    [
        ('MAIZ = "7"\n', "", "no responde exactamente"),
        ('casilla = "320001B0100"', 'casilla = "999999B0100"', "no está en el catálogo"),
        ('imagen = "limpia.webp"', 'imagen = "../eleccion.toml"', "una imagen que no está"),
        ("ppp = 130", 'ppp = "muchos"', "su densidad"),
        ('CACAO = "33"', 'CACAO = "treinta"', "lección 1"),
        ("# Lo escribe", "otra = 1\n# Lo escribe", "sólo una lista"),
        ('titulo = "Un acta sin problemas"', "titulo = ", "no se puede leer"),
    ],
)
def test_lecciones_mal_escritas_dicen_donde(tmp_path: Path, de: str, a: str, causa: str) -> None:
    shutil.copytree(PRACTICA, tmp_path / "d")
    ruta = tmp_path / "d" / "practica" / "lecciones.toml"
    texto = ruta.read_text()
    assert de in texto
    ruta.write_text(texto.replace(de, a))
    with pytest.raises(Falla, match=causa):
        leer_lecciones(tmp_path / "d", PROCESO)


def _leer(kiosco: Kiosco, leccion: Leccion, **distintos: int) -> None:
    acta: IdActa = leccion.acta
    assert not isinstance(kiosco.mesa.tomar(acta, "ana"), Rechazo)
    campos = {**leccion.respuestas, **{k: Numero(v) for k, v in distintos.items()}}
    bien(kiosco.mesa.capturar(acta, "ana", asentado_de_campos(campos), imagen=vigente(kiosco.mesa, acta)))


def test_al_leer_la_ultima_acta_de_muestra_la_pantalla_ensena_la_calificacion(kiosco: Kiosco) -> None:
    casa = "http://127.0.0.1:8080"
    cliente: Any = TestClient(crear_app(kiosco, 8080), base_url=casa, headers={"origin": casa})
    entrar(cliente, "capturista-1")
    ana = PersonaPorHttp(cliente)
    ana.mandar("/practica", "/practica/empezar")
    respuestas = {x.acta: x.respuestas for x in LECCIONES}
    respuestas[LECCIONES[1].acta] = {**LECCIONES[1].respuestas, "CACAO": Numero(47)}
    for leccion in LECCIONES:
        assert ana.ultima.url.path == "/", "antes de la última se regresa por la que sigue"
        assert ana.leer_siguiente(respuestas.__getitem__) == leccion.acta
    total = sum(len(x.respuestas) for x in LECCIONES)
    assert ana.ultima.url.path == "/practica"
    dicho = sin_marcas(ana.ultima.text)
    assert "Leyó todas las actas de muestra" in dicho
    assert f"{total - 1} de {total} renglones bien leídos" in dicho
    assert "vale la letra" in dicho
    assert "Seguir practicando" not in dicho, "ya no hay nada que seguir"


def test_una_carpeta_sin_lecciones_no_da_por_acabada_la_practica(kiosco: Kiosco) -> None:
    assert not acabo_con(kiosco.almacen, (), "ana", LECCIONES[0].acta)
    sembrar(kiosco.mesa, LECCIONES, FORMATOS)
    for leccion in LECCIONES:
        assert not acabo_con(kiosco.almacen, LECCIONES, "ana", leccion.acta)
        _leer(kiosco, leccion)
    assert acabo_con(kiosco.almacen, LECCIONES, "ana", LECCIONES[-1].acta)
    assert not acabo_con(kiosco.almacen, LECCIONES, "beto", LECCIONES[-1].acta)
    ajena = IdActa(LECCIONES[0].acta.eleccion, "329999B0100")
    assert not acabo_con(kiosco.almacen, LECCIONES, "ana", ajena), "un acta que no es de la práctica no la acaba"
