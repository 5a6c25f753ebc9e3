"""El libro es función del conjunto de hechos, sin orden ni repetición; sólo lo verificado llega a los totales."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nucleo.acta import (
    COMPLEMENTARIOS,
    ActaFueraDeCatalogo,
    ActaPendiente,
    ActaSinActa,
    ActaVerificada,
    Asentado,
    Digitalizacion,
    MotivoSinActa,
    Origen,
    asentado_de_campos,
)
from nucleo.campo import Campo, Numero
from nucleo.captura import Verificada, estado_de
from nucleo.computo import resumir, votos_por_opcion
from nucleo.hechos import (
    Acopio,
    Captura,
    Correccion,
    FueraDeCatalogo,
    Hecho,
    HojaDeBitacora,
    IdActa,
    Imagen,
    Recaptura,
    Revision,
    SinActa,
    pertenencia,
)
from nucleo.libro import actas_de, hechos_por_acta
from tests.estrategias import PARTIDOS
from tests.muestras import proceso_chico

PROCESO: Final = proceso_chico()
CLAVES: Final = tuple(PROCESO.casillas)
CERO: Final = datetime(2022, 6, 6, 1, 0, tzinfo=UTC)


def a_las(minuto: int) -> datetime:
    return CERO + timedelta(minutes=minuto)


def transcrito(votos: int = 10) -> Asentado:
    return asentado_de_campos(dict.fromkeys((*PARTIDOS, *COMPLEMENTARIOS), Numero(votos)))


def id_de(casilla: int, eleccion: str = "GUB") -> IdActa:
    return IdActa(eleccion, CLAVES[casilla])


def captura(minuto: int, persona: str, votos: int = 10, casilla: int = 0) -> Captura:
    return Captura(id_de(casilla), 1, a_las(minuto), persona, transcrito(votos))


def acopio(minuto: int, casilla: int = 0) -> Acopio:
    return Acopio(id_de(casilla), a_las(minuto), Origen.CATD, "ACTA PREP", "D", "acopio-1")


def imagen(minuto: int, sha: str, casilla: int = 0) -> Imagen:
    return Imagen(id_de(casilla), a_las(minuto), sha * 32, 1000, Digitalizacion.ESCANER, "escaner-1")


def fuera(minuto: int, folio: str, sha: str = "ee") -> FueraDeCatalogo:
    documento = (Origen.CATD, Digitalizacion.ESCANER, "ACTA PREP", "")
    return FueraDeCatalogo("GUB", folio, a_las(minuto), *documento, sha * 32, "acopio-1")


COMPLETA: Final[tuple[Hecho, ...]] = (acopio(0), imagen(1, "ab"), captura(2, "ana"), captura(3, "beto"))

_personas = st.sampled_from(("ana", "beto", "caro", "dino"))
_minutos = st.integers(0, 6)
_ids = st.builds(IdActa, st.sampled_from(("GUB", "GUB", "GUB", "DIP")), st.sampled_from((*CLAVES, "209999B0100")))
_parcial: st.SearchStrategy[dict[str, Campo]] = st.dictionaries(
    st.sampled_from(PARTIDOS), st.builds(Numero, st.integers(9, 10)), min_size=1, max_size=2
)
_horas = _minutos.map(a_las)
un_hecho: st.SearchStrategy[Hecho] = st.one_of(
    st.builds(Captura, _ids, st.sampled_from((1, 1, 2)), _horas, _personas, st.builds(transcrito, st.integers(9, 10))),
    st.builds(Correccion, _ids, st.just(1), _horas, _personas, _parcial),
    st.builds(Revision, _ids, st.just(1), _horas, st.just(("caro", "dino")), _parcial),
    st.builds(Recaptura, _ids, st.just(2), _horas, _personas, st.just("borrosa")),
    st.builds(SinActa, _ids, _horas, st.sampled_from(MotivoSinActa), st.just("ana"), st.just("beto")),
    st.builds(acopio, _minutos, st.integers(0, 2)),
    st.builds(imagen, _minutos, st.sampled_from(("aa", "bb")), st.integers(0, 2)),
    st.builds(fuera, _minutos, st.sampled_from(("FC-1", "FC-2")), st.sampled_from(("aa", "bb"))),
)


@given(st.lists(un_hecho, max_size=25), st.data())
@settings(max_examples=150)
def test_las_mismas_hojas_dan_las_mismas_actas(hechos: list[Hecho], datos: st.DataObject) -> None:
    repetidos = datos.draw(st.lists(st.sampled_from(hechos), max_size=10)) if hechos else []
    # Otros objetos con el mismo contenido, como los que lee otra máquina.
    otra = [replace(h) for h in datos.draw(st.permutations(hechos + repetidos))]
    assert repr(actas_de(PROCESO, "GUB", otra)) == repr(actas_de(PROCESO, "GUB", hechos))


@given(st.lists(un_hecho, max_size=25), st.integers(0, 25))
def test_por_partes_o_de_una_vez(hechos: list[Hecho], corte: int) -> None:
    """La mitad por el enlace y la otra por la mochila, con lo de en medio en las dos."""
    juntos = hechos[: corte + 3] + hechos[corte:]
    assert actas_de(PROCESO, "GUB", juntos) == actas_de(PROCESO, "GUB", hechos)


@given(st.lists(un_hecho, max_size=25))
def test_siempre_estan_todas_las_esperadas_y_nadie_mas(hechos: list[Hecho]) -> None:
    actas = actas_de(PROCESO, "GUB", hechos)
    casillas = [a.casilla.clave for a in actas if not isinstance(a, ActaFueraDeCatalogo)]
    assert tuple(casillas) == CLAVES
    folios = [a.folio for a in actas if isinstance(a, ActaFueraDeCatalogo)]
    assert sorted(folios) == sorted({h.folio for h in hechos if isinstance(h, FueraDeCatalogo)})


@given(st.lists(un_hecho, max_size=25))
def test_lo_parcial_nunca_entra_a_los_totales(hechos: list[Hecho]) -> None:
    actas = actas_de(PROCESO, "GUB", hechos)
    for acta in actas:
        if isinstance(acta, ActaVerificada):
            suyos = [h for h in hechos_por_acta(hechos)[IdActa("GUB", acta.casilla.clave)] if isinstance(h, Captura)]
            assert len({h.persona for h in suyos}) >= 2
    # Quitar todo lo que no llegó a verificarse no mueve ni un voto.
    buenas = {IdActa("GUB", a.casilla.clave) for a in actas if isinstance(a, ActaVerificada)}
    solo = [h for h in hechos if not isinstance(h, FueraDeCatalogo | HojaDeBitacora) and h.acta in buenas]
    solas = actas_de(PROCESO, "GUB", solo)
    assert votos_por_opcion(actas, PROCESO, "GUB") == votos_por_opcion(solas, PROCESO, "GUB")
    assert resumir(actas, PROCESO, "GUB", False).votos_c_cs == resumir(solas, PROCESO, "GUB", False).votos_c_cs


@given(st.lists(un_hecho, max_size=25))
def test_lo_de_otra_eleccion_no_toca_nada(hechos: list[Hecho]) -> None:
    suyos = [h for h in hechos if pertenencia(h)[0] == "GUB"]
    assert actas_de(PROCESO, "GUB", hechos) == actas_de(PROCESO, "GUB", suyos)


def primera(*hechos: Hecho) -> object:
    return actas_de(PROCESO, "GUB", hechos)[0]


def test_de_la_bolsa_a_la_publicacion() -> None:
    for cuantos in range(4):
        assert isinstance(primera(*COMPLETA[:cuantos]), ActaPendiente)
    acta = primera(*COMPLETA)
    assert isinstance(acta, ActaVerificada)
    assert acta.asentado == transcrito()
    p = acta.procedencia
    assert (p.acopio, p.captura, p.verificacion) == (a_las(0), a_las(2), a_las(3))
    assert (p.origen, p.digitalizacion, p.imagen) == (Origen.CATD, Digitalizacion.ESCANER, "ab" * 32)
    assert (p.tipo_documento, p.mecanismo_traslado) == ("ACTA PREP", "D")


def test_una_discrepancia_no_se_publica() -> None:
    assert isinstance(primera(*COMPLETA[:3], captura(3, "beto", 11)), ActaPendiente)


def test_vale_la_primera_recepcion_y_la_ultima_imagen() -> None:
    acta = primera(*COMPLETA, acopio(-5), imagen(9, "cd"))
    assert isinstance(acta, ActaVerificada)
    assert acta.procedencia.acopio == a_las(-5)
    assert acta.procedencia.imagen == "cd" * 32


def test_se_capturo_antes_de_registrar_el_acopio_y_se_publica_igual() -> None:
    """30 de 5 581 actas reales de Oaxaca 2022 tienen captura anterior al acopio: se registra, no se prohíbe."""
    acta = primera(*COMPLETA[2:], acopio(30))
    assert isinstance(acta, ActaVerificada)
    assert acta.procedencia.acopio == a_las(30)
    assert acta.procedencia.imagen == ""


def test_mientras_se_recaptura_sigue_publicada_la_anterior() -> None:
    otra_vez = Recaptura(id_de(0), 2, a_las(9), "coordina", "se capturó otra imagen")
    assert primera(*COMPLETA, otra_vez) == primera(*COMPLETA)
    estado = estado_de([h for h in (*COMPLETA, otra_vez) if not isinstance(h, FueraDeCatalogo | HojaDeBitacora)])
    assert not isinstance(estado, Verificada)
    nuevas = (replace(captura(10, p, 12), vuelta=2) for p in ("ana", "beto"))
    acta = primera(*COMPLETA, otra_vez, *nuevas)
    assert isinstance(acta, ActaVerificada)
    assert acta.asentado == transcrito(12)


def test_sin_acta_hasta_que_aparece() -> None:
    ausencia = SinActa(id_de(0), a_las(0), MotivoSinActa.PAQUETE_SIN_BOLSA, "ana", "coordina")
    assert primera(ausencia) == ActaSinActa(PROCESO.casillas[CLAVES[0]], MotivoSinActa.PAQUETE_SIN_BOLSA)
    assert isinstance(primera(ausencia, captura(1, "ana")), ActaPendiente)
    assert isinstance(primera(ausencia, captura(1, "ana"), captura(2, "beto")), ActaVerificada)


def test_una_casilla_que_no_esta_en_el_catalogo_no_se_inventa() -> None:
    ajena = IdActa("GUB", "209999B0100")
    actas = actas_de(PROCESO, "GUB", [replace(captura(0, p), acta=ajena) for p in ("ana", "beto")])
    assert all(isinstance(a, ActaPendiente) for a in actas)
    assert len(actas) == len(CLAVES)


def test_fuera_de_catalogo_al_final_por_hora_y_una_vez_por_folio() -> None:
    actas = actas_de(PROCESO, "GUB", [fuera(5, "FC-1"), fuera(2, "FC-2"), fuera(5, "FC-1"), fuera(2, "FC-0")])
    assert [a.folio for a in actas if isinstance(a, ActaFueraDeCatalogo)] == ["FC-0", "FC-2", "FC-1"]
    assert isinstance(actas[-1], ActaFueraDeCatalogo)


def test_una_eleccion_que_no_existe_se_dice() -> None:
    with pytest.raises(KeyError):
        actas_de(PROCESO, "AYUN", COMPLETA)
