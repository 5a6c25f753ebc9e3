"""Lo que la sala dice de lo traído en mano y de las imágenes que faltan: mochilas, buzón e imágenes por recibir."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nucleo.acta import Digitalizacion
from nucleo.hechos import IdActa, Imagen
from nucleo.problema import Rechazo
from servicio_central import ajustes
from servicio_central.imagenes import Imagenes
from servicio_central.informe_de_mochila import Informe
from servicio_central.monitor import imagenes_de_actas, mochilas_vistas, vida_de_acta
from servicio_central.monitor.observador import Pantalla
from tests.mochila_de_prueba import Banco, armar, declarar
from tests.sala_de_prueba import SalaDePrueba


@pytest.fixture
def sala(tmp_path: Path) -> Iterator[SalaDePrueba]:
    sala = SalaDePrueba(tmp_path, 3, servir=False)
    sala.latir(*sala.equipos)
    yield sala
    sala.centro.almacen.cerrar()


def informar(sala: SalaDePrueba, entrega: str, equipo: str, hace_s: int = 0, **distinto: Any) -> None:
    informe = Informe(entrega, (datetime.now(UTC) - timedelta(seconds=hace_s)).isoformat(timespec="seconds"))
    informe.equipo = equipo
    for campo, valor in distinto.items():
        setattr(informe, campo, valor)
    sala.centro.mochilas.buzon.informar(informe)


def alarmas(sala: SalaDePrueba, tipo: str) -> list[str]:
    sala.sala.observador.mirar()
    return [p.alarma.equipo for p in sala.sala.observador.presentes if p.alarma.tipo == tipo]


# --------------------------------------------------------------------------------------------------- mochilas


def test_lo_importado_se_ve_por_catd_con_nuevos_repetidos_y_rechazados(sala: SalaDePrueba) -> None:
    informar(
        sala, "catd-001-abc-01", "catd-001", 60, sobres=12, imagenes=5, imagenes_nuevas=3, imagenes_que_estaban=2,
        destinos=Counter(aceptado=7, repetido=4, fatal=1), codigos=Counter(FIRMA=1),
    )  # fmt: skip
    informar(sala, "catd-002-abc-02", "catd-002", sobres=2, destinos=Counter(repetido=2))
    assert alarmas(sala, "MOCHILA") == ["catd-001"]
    una, otra = sala.sala.observador.mesa.mochilas.vistas[::-1]
    assert (una.equipo, una.nuevos, una.repetidos, una.rechazados, una.porques) == (
        "catd-001", 7, 4, 1, (("FIRMA", 1),)
    )  # fmt: skip
    assert (una.imagenes_nuevas, una.imagenes_repetidas, una.como) == (3, 2, "entró en parte")
    assert (otra.como, otra.repetidos) == ("entró completa", 2)
    assert sala.sala.observador.mesa.mochilas.de("catd-002") == (otra,)


def test_la_misma_mochila_entera_despues_quita_el_aviso(sala: SalaDePrueba) -> None:
    informar(sala, "catd-001-a-1", "catd-001", 600, sobres=2, destinos=Counter(aceptado=1))
    assert alarmas(sala, "MOCHILA") == ["catd-001"]
    informar(sala, "catd-001-a-2", "catd-001", sobres=2, destinos=Counter(aceptado=1, repetido=1))
    assert alarmas(sala, "MOCHILA") == []


def test_la_que_no_se_pudo_importar_dice_por_que(sala: SalaDePrueba) -> None:
    informar(
        sala, "rechazada-x", "", rechazo=Rechazo("MOCHILA", "es de otro centro", "se confundió", "llévela al suyo")
    )
    assert alarmas(sala, "MOCHILA") == [""]
    (vista,) = sala.sala.observador.mesa.mochilas.vistas
    assert vista.mal == "Es de otro centro. Llévela al suyo"


def test_una_mochila_de_verdad_importada_se_ve_igual_que_su_informe(tmp_path: Path) -> None:
    banco = Banco(tmp_path)
    contenido = b"una imagen" * 100
    sobres = [declarar(banco.equipo, contenido)]
    mochila = armar(tmp_path / "usb", banco.equipo, sobres, [contenido])
    informe = banco.importar(mochila)
    (vista,) = mochilas_vistas.Mirador(banco.carpeta).mirar().vistas
    assert (vista.nuevos, vista.imagenes_nuevas, vista.entera, vista.mal) == (1, 1, True, "")
    assert vista.texto == informe.texto


def test_lo_que_espera_en_el_buzon_se_dice(sala: SalaDePrueba) -> None:
    (sala.centro.mochilas.buzon.entrada / "catd-002-0123456789ab-01234567").mkdir()
    (sala.centro.mochilas.buzon.entrada / ".catd-003-a-medias").mkdir()
    sala.sala.observador.mirar()
    mochilas = sala.sala.observador.mesa.mochilas
    assert (mochilas.esperan_de("catd-002"), mochilas.esperan_de("catd-003"), len(mochilas.esperan)) == (1, 0, 1)


def test_lo_que_alguien_dejo_a_mano_en_el_buzon_no_espera_se_dice_que_no_es_una_mochila(sala: SalaDePrueba) -> None:
    buzon = sala.centro.mochilas.buzon
    (buzon.entrada / "MOCHILA CATD 1").mkdir()
    (buzon.entrada / "léeme.txt").write_text("hola")
    (buzon.entrada / "catd-001-0123456789ab-01234567").write_text("ni carpeta es")
    (buzon.entrada / "catd-002-0123456789ab-01234567").mkdir()
    sala.sala.observador.mirar()
    mochilas = sala.sala.observador.mesa.mochilas
    assert mochilas.esperan == tuple(r.name for r in buzon.por_importar()) == ("catd-002-0123456789ab-01234567",)
    assert mochilas.ajenos == ("MOCHILA CATD 1", "catd-001-0123456789ab-01234567", "léeme.txt")
    assert mochilas.esperan_de("catd-001") == 0
    pedazo = sala.sala.observador.pagina(Pantalla.MESA)[1].sueltos["mochilas"]
    assert "1 en el buzón, sin importar todavía: catd-002-0123456789ab-01234567." in pedazo
    assert "hay 3 cosas que no son mochilas y el centro no tomará: «MOCHILA CATD 1»" in pedazo
    assert "./prep importar --carpeta" in pedazo


def test_un_informe_danado_no_quita_a_los_demas(sala: SalaDePrueba) -> None:
    informar(sala, "catd-001-a-1", "catd-001", sobres=1, destinos=Counter(aceptado=1))
    (sala.centro.mochilas.buzon.informes / "catd-002-b-2.json").write_bytes(b'{"equipo": "catd-002"')
    sala.sala.observador.mirar()
    vistas = {m.entrega: m for m in sala.sala.observador.mesa.mochilas.vistas}
    assert vistas["catd-001-a-1"].entera
    assert "no se entiende" in vistas["catd-002-b-2"].mal


_BUENO = json.loads(Informe("catd-001-a-1", "2022-06-06T01:00:00+00:00").a_json())
_COSA = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8), st.lists, max_leaves=4
)


@given(st.dictionaries(st.sampled_from(sorted(_BUENO)), _COSA | st.dictionaries(st.text(max_size=4), _COSA)))
def test_un_informe_con_cualquier_cosa_no_tumba_la_sala(cambios: dict[str, Any]) -> None:
    vista = mochilas_vistas.leer("x", json.dumps(_BUENO | cambios).encode())
    assert vista.entrega == "x"
    assert min(vista.nuevos, vista.repetidos, vista.rechazados, vista.imagenes) >= 0


@given(st.binary(max_size=200))
def test_bytes_al_azar_tampoco(crudo: bytes) -> None:
    assert mochilas_vistas.leer("x", crudo).mal


# --------------------------------------------------------------------------------------------------- imágenes


def imagen(sala: SalaDePrueba, n: int, huella: str, medida: int = 1000) -> Imagen:
    (eleccion,) = sala.proceso.elecciones
    casilla = list(sala.proceso.casillas)[n]
    return Imagen(
        IdActa(eleccion, casilla), sala.proceso.inicio_publicacion, huella, medida, Digitalizacion.ESCANER, "ana"
    )


def recibir(sala: SalaDePrueba, huella: str) -> None:
    """Como la deja la recepción: completa y con su nombre."""
    ruta = Imagenes(sala.inscrito.centro).ruta(huella)
    ruta.parent.mkdir(exist_ok=True)
    ruta.write_bytes(b"x")


def por_recibir(sala: SalaDePrueba) -> dict[str, tuple[int, int]]:
    observador = sala.sala.observador
    observador._contador.contar()
    observador.mirar()
    assert observador.retrato is not None
    return {k.equipo: (k.por_recibir, k.por_recibir_bytes) for k in observador.retrato.kioscos if k.por_recibir}


def test_las_imagenes_declaradas_que_faltan_se_ven_por_catd_y_por_acta(sala: SalaDePrueba) -> None:
    una, dos = "a1" * 32, "b2" * 32
    sala.mandar("catd-001", imagen(sala, 0, una), imagen(sala, 1, dos, 500))
    assert por_recibir(sala) == {"catd-001": (2, 1500)}
    (eleccion,) = sala.proceso.elecciones
    primera, segunda = list(sala.proceso.casillas)[:2]
    faltan = imagenes_de_actas.de_equipo(sala.inscrito.centro, "catd-001")
    assert [(f.casilla, f.bytes) for f in faltan] == [(primera, 1000), (segunda, 500)]
    recibir(sala, una)
    assert por_recibir(sala) == {"catd-001": (1, 500)}
    argumentos = (sala.inscrito.centro, sala.proceso, sala.centro.vigia.padron, eleccion)
    ya, aun = (vida_de_acta.contar(*argumentos, c) for c in (primera, segunda))
    assert ya is not None
    assert aun is not None
    assert [s.falta_imagen for s in ya.sucesos] == [False]
    assert [s.falta_imagen for s in aun.sucesos] == [True]
    recibir(sala, dos)
    assert por_recibir(sala) == {}
    assert "faltan aquí" not in sala.sala.observador.pagina()[1].listas["tabla"]["catd-001"]


def test_dos_imagenes_en_la_misma_carpeta_y_el_mismo_instante_se_ven_las_dos(sala: SalaDePrueba) -> None:
    huellas = [f"cc{n:062x}" for n in range(6)]
    sala.mandar("catd-001", *(imagen(sala, n, h) for n, h in enumerate(huellas)))
    for n, huella in enumerate(huellas):
        recibir(sala, huella)
        assert por_recibir(sala).get("catd-001", (0, 0))[0] == len(huellas) - n - 1


def test_sin_almacen_se_sigue_viendo_lo_ultimo_que_se_conto(sala: SalaDePrueba) -> None:
    sala.mandar("catd-001", imagen(sala, 0, "a1" * 32))
    assert por_recibir(sala) == {"catd-001": (1, 1000)}
    sala.centro.almacen.cerrar()
    ruta = sala.inscrito.centro / ajustes.ALMACEN
    for resto in ruta.parent.glob(f"{ruta.name}*"):
        resto.unlink()
    ruta.write_bytes(b"esto no es SQLite" * 100)
    assert por_recibir(sala) == {"catd-001": (1, 1000)}
    assert sala.sala.observador._contador.mal
    sala.centro.almacen = type(sala.centro.almacen).abrir(sala.inscrito.centro / "otro.sqlite")  # type: ignore[attr-defined]
