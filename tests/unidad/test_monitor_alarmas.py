"""Las alarmas son una función de lo que se ve: cada desgracia da la suya, con clave estable y siguiente paso."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from servicio_central.monitor import alarmas as las_alarmas
from servicio_central.monitor import umbrales as los_umbrales
from servicio_central.monitor.alarmas import Alarma, Gravedad, calcular, fichas
from servicio_central.monitor.episodios import Episodios
from servicio_central.monitor.grupos import NOMBRES, agrupar
from servicio_central.monitor.libreta import Libreta
from servicio_central.monitor.retrato import Cortes, EnlaceDelCentro, EstadoDeEnlace, Kiosco, Retrato
from servicio_central.tropiezo import Tropiezo

AHORA = datetime(2022, 6, 6, 4, 0, tzinfo=UTC)
UMBRALES = los_umbrales.leer()
EN_LINEA = EnlaceDelCentro(True, AHORA - timedelta(hours=2))


def kiosco(nombre: str = "catd-01", **distinto: Any) -> Kiosco:
    sano = Kiosco(
        nombre, nombre, EstadoDeEnlace.EN_LINEA, AHORA - timedelta(seconds=12), "e" * 16, anunciada=9, contiguo=9,
        guardados=9, reloj="sincronizado", disco_libre=10**11, version="v4", definicion="d" * 64, escaner="listo",
    )  # fmt: skip
    return replace(sano, **distinto)


def retrato(*kioscos: Kiosco, **distinto: Any) -> Retrato:
    return replace(Retrato(AHORA, EN_LINEA, kioscos, definicion="d" * 64, disco_libre=10**12), **distinto)


def tipos(r: Retrato) -> list[str]:
    return [a.tipo for a in calcular(r, UMBRALES)]


def test_una_noche_sin_desgracias_no_suena() -> None:
    assert tipos(retrato(*(kiosco(f"catd-{n:02d}") for n in range(20)))) == []


@pytest.mark.parametrize(
    ("distinto", "tipo", "gravedad"),
    [
        ({"estado": EstadoDeEnlace.SIN_SENAL}, "SILENCIO", Gravedad.ALTA),
        ({"estado": EstadoDeEnlace.CAIDO}, "SILENCIO", Gravedad.ALTA),
        ({"estado": EstadoDeEnlace.NUNCA, "latido": None}, "NUNCA", Gravedad.AVISO),
        ({"bifurcadas": 1}, "BIFURCACION", Gravedad.CRITICA),
        ({"rota": True}, "CADENA_ROTA", Gravedad.CRITICA),
        ({"retroceso": True}, "RETROCESO", Gravedad.CRITICA),
        ({"bitacora": ("faltan renglones",)}, "BITACORA", Gravedad.ALTA),
        ({"cuarentena": (("FIRMA", 2),)}, "CUARENTENA", Gravedad.ALTA),
        ({"mas_viejo_s": 700, "pendientes": 3}, "BANDEJA", Gravedad.AVISO),
        ({"mas_viejo_s": 1900, "pendientes": 3}, "BANDEJA", Gravedad.ALTA),
        ({"pendientes": 90, "crecimiento": 60}, "BANDEJA", Gravedad.AVISO),
        ({"anunciada": 12}, "FALTAN", Gravedad.AVISO),
        ({"reloj": "libre"}, "RELOJ", Gravedad.AVISO),
        ({"desfase_ms": -9000}, "RELOJ", Gravedad.ALTA),
        ({"disco_libre": 10**8}, "DISCO", Gravedad.ALTA),
        ({"escaner": "falla"}, "ESCANER", Gravedad.AVISO),
        ({"escaner": "sin_escaner"}, "ESCANER", Gravedad.AVISO),
        ({"definicion": "a" * 64}, "DEFINICION", Gravedad.ALTA),
        ({"version": "v3"}, "VERSION", Gravedad.AVISO),
    ],
)
def test_a_un_kiosco_le_pasa_algo_y_solo_eso_suena(distinto: dict[str, Any], tipo: str, gravedad: Gravedad) -> None:
    (alarma,) = calcular(retrato(*(kiosco(f"catd-{n:02d}") for n in range(5)), kiosco("malo", **distinto)), UMBRALES)
    assert (alarma.tipo, alarma.gravedad, alarma.equipo) == (tipo, gravedad, "malo")
    assert alarma.clave.startswith(f"{tipo}:malo")
    assert alarma.que
    assert alarma.causa
    assert alarma.siguiente
    assert tipo in NOMBRES


@pytest.mark.parametrize(
    ("distinto", "tipo"),
    [
        ({"enlace": replace(EN_LINEA, conectado=False, causa="no contesta")}, "BROKER"),
        ({"enlace": replace(EN_LINEA, conectado=False, detenido=True)}, "INGESTA"),
        ({"almacen_mal": "disk I/O error"}, "ALMACEN"),
        ({"libreta_mal": "disk full"}, "LIBRETA"),
        ({"disco_libre": 10**9}, "DISCO_CENTRO"),
        ({"cortes": Cortes("20420605_2120", futuro=True)}, "CORTE_FUTURO"),
        ({"cortes": Cortes("20220605_2120", atrasado=True)}, "CORTE_TARDE"),
        ({"cortes": Cortes("20220605_2120", en_duda=("GUB/200001B0100",))}, "EN_DUDA"),
        ({"en_espera": {"CASILLA_DESCONOCIDA": 4}}, "EN_ESPERA"),
        ({"en_espera": {"FUERA_DE_AMBITO": 4}}, "EN_ESPERA"),
        ({"cuarentena_sin_equipo": {"TEMA": 1}}, "CUARENTENA_AJENA"),
        ({"desbordes": (("cuarentena/catd-01", 9),)}, "DESBORDE"),
        ({"excluidos": ("3 hechos de catd-01, después de la 7, no se cuentan: robo",)}, "EXCLUIDO"),
    ],
)
def test_al_centro_le_pasa_algo_y_suena(distinto: dict[str, Any], tipo: str) -> None:
    (alarma,) = calcular(retrato(kiosco(), **distinto), UMBRALES)
    assert (alarma.tipo, alarma.equipo) == (tipo, "")
    assert tipo in NOMBRES


def test_cada_alarma_tiene_su_ficha_y_ninguna_sobra() -> None:
    usadas = set(re.findall(r'_alarma\(\s*"([A-Z_]+)"', Path(las_alarmas.__file__).read_text()))
    assert {clave for clave in fichas() if "." not in clave} == usadas


def test_una_variante_dice_lo_suyo_y_lo_demas_lo_toma_de_su_tipo() -> None:
    (una,) = calcular(retrato(kiosco(cuarentena=(("FIRMA", 1),))), UMBRALES)
    (otra,) = calcular(retrato(kiosco(cuarentena=(("DESCONOCIDO", 1),))), UMBRALES)
    assert una.causa != otra.causa
    assert (una.gravedad, una.siguiente) == (otra.gravedad, otra.siguiente)


def test_se_cae_la_red_de_una_region_y_un_renglon_lo_dice_antes_que_los_cuarenta() -> None:
    callados = [kiosco(f"catd-{n:02d}", estado=EstadoDeEnlace.SIN_SENAL) for n in range(40)]
    alarmas = calcular(retrato(*callados, kiosco("vivo")), UMBRALES)
    assert alarmas[0].tipo == "SILENCIO_MASIVO"
    assert "40 CATD callados a la vez de 41" in alarmas[0].que
    assert sum(a.tipo == "SILENCIO" for a in alarmas) == 40


def test_la_clave_no_cambia_aunque_cambien_las_cifras() -> None:
    claves = {
        calcular(retrato(kiosco(mas_viejo_s=1900 + n, pendientes=n, bifurcadas=n)), UMBRALES)[0].clave
        for n in range(1, 200)
    }
    assert len(claves) == 1


def test_dado_de_baja_no_se_le_espera_pero_si_mando_basura_se_ve() -> None:
    assert tipos(retrato(kiosco(estado=EstadoDeEnlace.BAJA, mas_viejo_s=9999, reloj="libre"))) == []
    assert tipos(retrato(kiosco(estado=EstadoDeEnlace.BAJA, bifurcadas=2))) == ["BIFURCACION"]


def test_con_dos_versiones_a_partes_iguales_ninguna_es_la_rara() -> None:
    mitades = [kiosco(f"catd-{n:02d}", version="v3" if n % 2 else "v4") for n in range(10)]
    assert tipos(retrato(*mitades)) == []


# --------------------------------------------------------------------------------------------- reconocer


@pytest.fixture
def libreta(tmp_path: Path) -> Libreta:
    return Libreta.abrir(tmp_path / "operacion.sqlite")


def alarma(equipo: str = "catd-01") -> Alarma:
    return Alarma("SILENCIO", Gravedad.ALTA, equipo, "No da señales", "sin luz", "llame")


def test_se_reconoce_y_sigue_ahi_se_quita_y_vuelve_y_es_otra(libreta: Libreta) -> None:
    episodios = Episodios(libreta)
    (primera,) = episodios.asentar([alarma()], AHORA)
    assert primera.episodio is not None
    assert episodios.anotar(primera.episodio.numero, "ana", "ya llamé", AHORA, reconoce=True) is None
    assert episodios.anotar(primera.episodio.numero, "beto", "sigue sin luz", AHORA, reconoce=False) is None
    (igual,) = episodios.asentar([alarma()], AHORA)
    assert igual.reconocida
    assert igual.episodio is not None
    assert (igual.episodio.numero, igual.episodio.reconocio) == (primera.episodio.numero, "ana")
    assert [(n.quien, n.reconoce) for n in episodios.notas(igual.episodio.numero)] == [("ana", True), ("beto", False)]
    assert agrupar([igual], "America/Mexico_City")[0].viva is False
    assert episodios.asentar([], AHORA) == ()
    (vuelta,) = episodios.asentar([alarma()], AHORA)
    assert vuelta.episodio is not None
    assert vuelta.episodio.numero > primera.episodio.numero
    assert not vuelta.reconocida
    terminada = episodios.uno(primera.episodio.numero)
    assert terminada is not None
    assert terminada.termino == AHORA


def test_el_centro_se_reinicia_y_lo_reconocido_sigue_reconocido(libreta: Libreta) -> None:
    (primera,) = (antes := Episodios(libreta)).asentar([alarma()], AHORA)
    assert primera.episodio is not None
    antes.anotar(primera.episodio.numero, "ana", "", AHORA, reconoce=True)
    (despues,) = Episodios(libreta).asentar([alarma()], AHORA)
    assert despues.episodio is not None
    assert despues.episodio.numero == primera.episodio.numero
    assert despues.reconocida


@pytest.mark.parametrize("nota", ["", "x" * 501, "campana\x07"])
def test_una_nota_vacia_larga_o_con_basura_no_se_asienta(libreta: Libreta, nota: str) -> None:
    episodios = Episodios(libreta)
    (p,) = episodios.asentar([alarma()], AHORA)
    assert p.episodio is not None
    assert episodios.anotar(p.episodio.numero, "ana", nota, AHORA, reconoce=False) is not None
    assert episodios.notas(p.episodio.numero) == []
    assert episodios.anotar(99, "ana", "no existe", AHORA, reconoce=False) is not None


# --------------------------------------------------------------------------------------------- umbrales


def test_un_centro_cambia_un_umbral_y_los_demas_son_los_de_la_casa(tmp_path: Path) -> None:
    (tmp_path / "umbrales.toml").write_text("[silencio]\nsegundos = 90\n[reloj]\nbuenos = ['sincronizado']\n")
    leidos = los_umbrales.leer(tmp_path)
    assert leidos.silencio_s == 90
    assert leidos.relojes_buenos == {"sincronizado"}
    assert replace(leidos, silencio_s=UMBRALES.silencio_s, relojes_buenos=UMBRALES.relojes_buenos) == UMBRALES


@pytest.mark.parametrize(
    "mal",
    [
        "[silencio]\nsegundos = 0",
        "[silencio]\nsegundos = 'mucho'",
        "[silencio]\nsegundos = true",
        "[silencio]\nsegundo = 5",
        "[ruido]\nx = 1",
        "silencio = 5",
        "[calor]\nsegundos = [5, 4, 3, 2]",
        "[calor]\nsegundos = [1, 2]",
        "[reloj]\nbuenos = [3]",
        "esto no es toml",
    ],
)
def test_umbrales_mal_escritos_se_dicen_y_no_se_adivinan(tmp_path: Path, mal: str) -> None:
    (tmp_path / "umbrales.toml").write_text(mal)
    with pytest.raises(Tropiezo, match="Siguiente paso"):
        los_umbrales.leer(tmp_path)
