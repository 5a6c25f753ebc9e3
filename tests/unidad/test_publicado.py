"""«Publicada en el corte 20:40»: del corte del centro al acuse, y del acuse a la pantalla, sin prometer de más."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.publicado import CorteSabido, corte_que_cubre, cortes, secuencia_verificada
from nucleo.acta import Origen
from nucleo.acuse import Acuse, CorteCubierto
from nucleo.campo import Campo, Numero
from nucleo.hechos import Captura, HechoDeActa, IdActa, Recaptura, Revision
from nucleo.sobre import CADENA_NUEVA
from servicio_central import ajustes, cubierto
from servicio_central.almacen import Almacen as AlmacenDelCentro
from servicio_central.corte import hacer_cortes
from servicio_central.cubierto import Cubierto, Publicado
from servicio_central.ingesta import Ingesta, Mensaje
from servicio_central.publicado import CORTES, PUBLICO, apuntar, contenido
from tests.kiosco_de_prueba import A1, abrir_almacen, abrir_mesa, bien, hora, lectura
from tests.sobres_de_prueba import AHORA, EPOCA, PROCESO, CentroDePrueba, EquipoDePrueba, captura


def hechos_de(carpeta: Path, contiguo: int, corte: CorteCubierto | None, cuantos: int = 3) -> list[CorteSabido]:
    """Los cortes que sabe un kiosco con `cuantos` hechos después de un acuse."""
    almacen = abrir_almacen(carpeta)
    mesa = abrir_mesa(carpeta, almacen)
    bien(mesa.acopiar(A1, persona="acopio-1", origen=Origen.CATD))
    for persona in ("ana", "beto")[: cuantos - 1]:
        bien(mesa.tomar(A1, persona))
        bien(mesa.capturar(A1, persona, lectura()))
    huella = almacen.sobres(contiguo, contiguo)[0].huella if contiguo else CADENA_NUEVA
    almacen.cerrar(Acuse("catd-01", EPOCA, contiguo, huella, (), (), (), AHORA, corte), AHORA)
    with almacen.lectura() as mirada:
        return list(cortes(mirada.conexion))


# ------------------------------------------------------------------------------------------------------------ el centro


def centro(tmp_path: Path) -> tuple[CentroDePrueba, EquipoDePrueba]:
    equipo = EquipoDePrueba("catd-01")
    prueba = CentroDePrueba(tmp_path, [equipo])
    prueba.ingesta = Ingesta(
        prueba.almacen, PROCESO, prueba.padron(), prueba.llave, lambda: AHORA, cubierto=Publicado(tmp_path)
    )
    return prueba, equipo


def test_el_corte_publicado_viaja_en_el_acuse_y_solo_incluye_lo_que_ya_estaba(tmp_path: Path) -> None:
    prueba, equipo = centro(tmp_path)
    primero = prueba.ingesta.procesar([equipo.mensaje(captura(persona="ana"))])
    assert prueba.acuses(primero)[0].corte is None, "aún no se publica nada"
    hacer_cortes(tmp_path, PROCESO, AHORA, ahora=AHORA)
    (acuse,) = prueba.acuses(prueba.ingesta.procesar([equipo.mensaje(captura(persona="beto"))]))
    assert acuse.contiguo == 2
    assert acuse.corte == CorteCubierto(AHORA, 1)
    hacer_cortes(tmp_path, PROCESO, AHORA + timedelta(minutes=1), ahora=AHORA)
    (acuse,) = prueba.acuses(prueba.ingesta.procesar([equipo.latido()]))
    assert acuse.corte == CorteCubierto(AHORA + timedelta(minutes=1), 2)


def test_lo_que_esta_mas_alla_de_un_hueco_no_se_dice_publicado(tmp_path: Path) -> None:
    prueba, equipo = centro(tmp_path)
    mensajes = [equipo.mensaje(captura(persona=p)) for p in ("ana", "beto", "caro")]
    prueba.ingesta.procesar([mensajes[0], mensajes[2]])
    hacer_cortes(tmp_path, PROCESO, AHORA, ahora=AHORA)
    (acuse,) = prueba.acuses(prueba.ingesta.procesar([equipo.latido()]))
    assert acuse.corte == CorteCubierto(AHORA, 1)


def test_un_equipo_del_que_no_se_publica_nada_no_recibe_corte(tmp_path: Path) -> None:
    prueba, equipo = centro(tmp_path)
    hacer_cortes(tmp_path, PROCESO, AHORA, ahora=AHORA)
    (acuse,) = prueba.acuses(prueba.ingesta.procesar([equipo.mensaje(captura())]))
    assert acuse.corte is None


def test_un_corte_hecho_y_no_publicado_no_cuenta(tmp_path: Path) -> None:
    prueba, equipo = centro(tmp_path)
    prueba.ingesta.procesar([equipo.mensaje(captura(persona="ana"))])
    hacer_cortes(tmp_path, PROCESO, AHORA, ahora=AHORA)
    primero = (tmp_path / PUBLICO).readlink().name
    prueba.ingesta.procesar([equipo.mensaje(captura(persona="beto"))])
    hacer_cortes(tmp_path, PROCESO, AHORA + timedelta(minutes=1), ahora=AHORA)
    # El segundo salió mal y se vuelve a publicar el de antes.
    apuntar(tmp_path, f"{CORTES}/{primero}")
    (acuse,) = prueba.acuses(prueba.ingesta.procesar([equipo.latido()]))
    assert acuse.corte == CorteCubierto(AHORA, 1)


def test_no_se_puede_anotar_lo_cubierto_y_el_corte_se_publica_igual(tmp_path: Path) -> None:
    prueba, equipo = centro(tmp_path)
    prueba.ingesta.procesar([equipo.mensaje(captura(persona="ana"))])
    (tmp_path / cubierto.CARPETA).write_text("aquí debía ir una carpeta")
    (corte, *_) = hacer_cortes(tmp_path, PROCESO, AHORA, ahora=AHORA).values()
    assert "los acuses no dirán" in corte.aviso
    assert (tmp_path / PUBLICO).resolve() == corte.carpeta.resolve()
    (acuse,) = prueba.acuses(prueba.ingesta.procesar([equipo.mensaje(captura(persona="beto"))]))
    assert acuse.corte is None


def test_repetir_un_corte_con_los_mismos_hechos_no_cambia_lo_publicado(tmp_path: Path) -> None:
    prueba, equipo = centro(tmp_path)
    prueba.ingesta.procesar([equipo.mensaje(captura())])
    for _ in range(2):
        hacer_cortes(tmp_path, PROCESO, AHORA, ahora=AHORA)
    nombre = (tmp_path / PUBLICO).readlink().name
    leido = cubierto.leer(tmp_path, nombre)
    assert leido is not None
    assert leido == Cubierto(AHORA, {("catd-01", EPOCA): 1}, {}, leido.huellas)
    assert set(leido.huellas) == {("catd-01", EPOCA)}
    assert contenido(tmp_path / PUBLICO) == contenido(tmp_path / CORTES / nombre)
    assert not list((tmp_path / PUBLICO).rglob("cubierto*")), "no se publica"


@given(
    st.one_of(
        st.binary(max_size=60),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=8),
            lambda h: st.lists(h, max_size=3) | st.dictionaries(st.sampled_from(["v", "hora", "cadenas"]), h),
        ).map(lambda dato: json.dumps(dato).encode()),
    )
)
def test_lo_anotado_de_un_corte_se_entiende_o_no_se_dice(tmp_path_factory: pytest.TempPathFactory, malo: bytes) -> None:
    carpeta = tmp_path_factory.mktemp("centro")
    (carpeta / cubierto.CARPETA).mkdir()
    (carpeta / cubierto.CARPETA / "20220605_2040.json").write_bytes(malo)
    leido = cubierto.leer(carpeta, "20220605_2040")
    assert leido is None or leido.hora.utcoffset() is not None


def test_nunca_se_dice_publicado_mas_de_lo_que_se_acusa() -> None:
    suya = "a" * 64
    anotado = Cubierto(AHORA, {("catd-01", EPOCA): 9, ("catd-02", EPOCA): 0}, {}, {("catd-01", EPOCA): suya})
    assert anotado.de("catd-01", EPOCA, 12, lambda *_: suya) == CorteCubierto(AHORA, 9)
    assert anotado.de("catd-01", EPOCA, 9, lambda *_: suya) == CorteCubierto(AHORA, 9)
    assert anotado.de("catd-01", EPOCA, 4, lambda *_: suya) is None
    assert anotado.de("catd-02", EPOCA, 4, lambda *_: suya) is None
    assert anotado.de("catd-03", EPOCA, 4, lambda *_: suya) is None


@pytest.mark.parametrize("hay", [None, "b" * 64])
def test_de_los_lugares_que_hoy_ocupan_otras_hojas_no_se_promete_nada(hay: str | None) -> None:
    """El disco del centro y el del kiosco volvieron de una copia: las hojas nuevas no iban en aquel corte."""
    anotado = Cubierto(AHORA, {("catd-01", EPOCA): 9}, {}, {("catd-01", EPOCA): "a" * 64})
    assert anotado.de("catd-01", EPOCA, 9, lambda *_: hay) is None


def test_sin_almacen_no_hay_corte_ni_anotacion(tmp_path: Path) -> None:
    AlmacenDelCentro.abrir(tmp_path / ajustes.ALMACEN).cerrar()
    assert cubierto.contar(tmp_path) == {}
    assert Publicado(tmp_path)() is None


def lecturas(equipo: EquipoDePrueba, casilla: str, *votos: int) -> list[Mensaje]:
    return [equipo.mensaje(captura(casilla, f"p-{equipo.nombre}-{n}", v)) for n, v in enumerate(votos)]


def test_otro_kiosco_la_puso_en_duda_y_a_los_dos_se_les_dice_que_no_salio(tmp_path: Path) -> None:
    uno, otro = EquipoDePrueba("catd-01"), EquipoDePrueba("catd-02")
    prueba = CentroDePrueba(tmp_path, [uno, otro])
    prueba.ingesta = Ingesta(
        prueba.almacen, PROCESO, prueba.padron(), prueba.llave, lambda: AHORA, cubierto=Publicado(tmp_path)
    )
    prueba.ingesta.procesar([*lecturas(uno, "200001B0100", 10, 10), *lecturas(uno, "200001C0100", 5, 5)])
    prueba.ingesta.procesar(lecturas(otro, "200001B0100", 99, 99))
    hacer_cortes(tmp_path, PROCESO, AHORA, ahora=AHORA)
    for equipo, contiguo in ((uno, 4), (otro, 2)):
        (acuse,) = prueba.acuses(prueba.ingesta.procesar([equipo.latido()]))
        assert acuse.corte == CorteCubierto(AHORA, contiguo, ("GUB/200001B0100",))
    # En el corte siguiente una revisión ya la resolvió: vuelve a salir.
    acta, voto = IdActa("GUB", "200001B0100"), Numero(10)
    campos: dict[str, Campo] = dict.fromkeys(PROCESO.elecciones["GUB"].por_clave, voto)
    prueba.ingesta.procesar([uno.mensaje(Revision(acta, 1, AHORA, ("ana", "caro"), campos))])
    hacer_cortes(tmp_path, PROCESO, AHORA + timedelta(minutes=1), ahora=AHORA)
    (acuse,) = prueba.acuses(prueba.ingesta.procesar([otro.latido(segundo=1)]))
    assert acuse.corte == CorteCubierto(AHORA + timedelta(minutes=1), 2)


def test_si_las_dudosas_no_caben_no_se_promete_nada_de_ninguna(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cubierto, "MAXIMO_EN_DUDA", 1)
    prueba, equipo = centro(tmp_path)
    dudosas = [*lecturas(equipo, "200001B0100", 10, 11), *lecturas(equipo, "200001C0100", 10, 11)]
    prueba.ingesta.procesar(dudosas)
    hacer_cortes(tmp_path, PROCESO, AHORA, ahora=AHORA)
    (acuse,) = prueba.acuses(prueba.ingesta.procesar([equipo.latido()]))
    assert acuse.corte == CorteCubierto(AHORA, 4, None)


# ------------------------------------------------------------------------------------------------------------ el kiosco


def test_lo_que_otro_puso_en_duda_no_se_dice_publicado_hasta_el_corte_en_que_sale(tmp_path: Path) -> None:
    primera = datetime(2022, 6, 6, 1, 40, tzinfo=UTC)
    hechos_de(tmp_path, 3, CorteCubierto(primera, 3, (str(A1),)))
    almacen = abrir_almacen(tmp_path)
    huella = almacen.sobres(3, 3)[0].huella

    def dice(corte: CorteCubierto, acta: str = str(A1)) -> datetime | None:
        almacen.cerrar(Acuse("catd-01", EPOCA, 3, huella, (), (), (), AHORA, corte), AHORA)
        with almacen.lectura() as mirada:
            return corte_que_cubre(cortes(mirada.conexion), 3, acta)

    assert dice(CorteCubierto(primera, 3, (str(A1),))) is None
    assert dice(CorteCubierto(primera, 3, (str(A1),)), "GUB/200002S0100") == primera
    assert dice(CorteCubierto(primera + timedelta(minutes=20), 3, None)) is None, "eran demasiadas para decirlas"
    tercera = primera + timedelta(minutes=40)
    assert dice(CorteCubierto(tercera, 3)) == tercera
    assert dice(CorteCubierto(primera, 3)) == primera, "del mismo corte vale lo último que se dijo"


def test_el_kiosco_recuerda_los_cortes_y_no_olvida_los_de_antes(tmp_path: Path) -> None:
    primero = CorteCubierto(datetime(2022, 6, 6, 1, 40, tzinfo=UTC), 1)
    assert hechos_de(tmp_path, 3, primero) == [CorteSabido(primero.hora, 1)]
    almacen = abrir_almacen(tmp_path)
    huella = almacen.sobres(3, 3)[0].huella
    segundo = CorteCubierto(primero.hora + timedelta(minutes=20), 3)
    for corte in (segundo, primero, CorteCubierto(segundo.hora, 2)):
        almacen.cerrar(Acuse("catd-01", EPOCA, 3, huella, (), (), (), AHORA, corte), AHORA)
    with almacen.lectura() as mirada:
        sabidos = cortes(mirada.conexion)
    assert sabidos == (CorteSabido(primero.hora, 1), CorteSabido(segundo.hora, 3))
    assert [corte_que_cubre(sabidos, s) for s in (0, 1, 2, 3, 4)] == [
        None,
        primero.hora,
        segundo.hora,
        segundo.hora,
        None,
    ]


def test_el_corte_de_una_cadena_que_no_es_la_nuestra_no_se_cree(tmp_path: Path) -> None:
    almacen = abrir_almacen(tmp_path)
    bien(abrir_mesa(tmp_path, almacen).acopiar(A1, persona="acopio-1", origen=Origen.CATD))
    for contiguo, huella in ((1, "c" * 64), (7, "d" * 64)):
        corte = CorteCubierto(AHORA, 1)
        almacen.cerrar(Acuse("catd-01", EPOCA, contiguo, huella, (), (), (), AHORA, corte), AHORA)
    almacen.cerrar(Acuse("catd-02", EPOCA, 1, "c" * 64, (), (), (), AHORA, CorteCubierto(AHORA, 1)), AHORA)
    with almacen.lectura() as mirada:
        assert cortes(mirada.conexion) == ()


def test_cuenta_el_hecho_con_que_se_verifico_y_no_lo_que_llego_despues() -> None:
    def lee(minuto: int, persona: str, vuelta: int = 1) -> Captura:
        return Captura(A1, vuelta, hora(minuto), persona, lectura())

    historia: list[tuple[int, HechoDeActa]] = [(2, lee(1, "ana")), (5, lee(2, "beto"))]
    assert secuencia_verificada(historia[:1]) == 0
    assert secuencia_verificada(historia) == 5
    assert secuencia_verificada([*historia, (9, lee(3, "caro"))]) == 5
    recaptura = (7, Recaptura(A1, 2, hora(4), "coordinacion", "se pidió"))
    assert secuencia_verificada([*historia, recaptura]) == 0, "lo que se recaptura ya no es lo publicado"
    assert secuencia_verificada([*historia, recaptura, (8, lee(5, "ana", 2)), (9, lee(6, "beto", 2))]) == 9


def test_en_una_revision_cuenta_la_revision() -> None:
    voto = Numero(999)
    historia: list[tuple[int, HechoDeActa]] = [
        (1, Captura(A1, 1, hora(1), "ana", lectura())),
        (2, Captura(A1, 1, hora(2), "beto", lectura(PRI=voto))),
        (4, Revision(A1, 1, hora(3), ("ana", "caro"), {"PRI": voto})),
    ]
    assert secuencia_verificada(historia[:2]) == 0
    assert secuencia_verificada(historia) == 4
