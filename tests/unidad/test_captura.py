"""La doble captura frente a lo que pasa de noche: desorden, repeticiones, centros que no se hablan y gente que yerra.

Lo que se espera de la máquina está escrito aparte, en `tests/sombra_captura.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from nucleo.acta import COMPLEMENTARIOS, Asentado, MotivoSinActa, asentado_de_campos
from nucleo.campo import ILEGIBLE, SIN_DATO, Campo, Numero
from nucleo.captura import (
    Accion,
    Capturar,
    Corregir,
    DeclararSinActa,
    Discrepante,
    EnRevision,
    Estado,
    PedirRecaptura,
    PrimeraConcluida,
    Revisar,
    SinActaDeclarada,
    SinCaptura,
    Soltar,
    Tomada,
    Tomar,
    Verificada,
    estado_de,
    paso,
    ultima_verificada,
)
from nucleo.diferencia import campos_distintos
from nucleo.hechos import (
    MAXIMO_VUELTAS,
    Captura,
    Correccion,
    HechoDeActa,
    IdActa,
    Recaptura,
    Revision,
    SinActa,
)
from nucleo.problema import Rechazo
from tests.sombra_captura import resumen, sombra

ACTA = IdActa("GUB", "200001B0100")
RENGLONES = ("PAN", "MC")
CERO = datetime(2022, 6, 6, 1, 0, tzinfo=UTC)
PERSONAS = ("ana", "beto", "caro", "dino", "eva", "fito")
Historia = list[HechoDeActa]


def a_las(minuto: int) -> datetime:
    return CERO + timedelta(minutes=minuto)


def transcrito(pan: int | Campo = 5, mc: int | Campo = 7) -> Asentado:
    votos = {n: Numero(v) if isinstance(v, int) else v for n, v in (("PAN", pan), ("MC", mc))}
    return asentado_de_campos(votos | dict.fromkeys(COMPLEMENTARIOS, Numero(1)))


def captura(minuto: int, persona: str, pan: int | Campo = 5, mc: int | Campo = 7, vuelta: int = 1) -> Captura:
    return Captura(ACTA, vuelta, a_las(minuto), persona, transcrito(pan, mc))


def correccion(minuto: int, persona: str, **votos: int) -> Correccion:
    return Correccion(ACTA, 1, a_las(minuto), persona, {n: Numero(v) for n, v in votos.items()})


def revision(minuto: int, una: str, otra: str, **votos: int) -> Revision:
    return Revision(ACTA, 1, a_las(minuto), (una, otra), {n: Numero(v) for n, v in votos.items()})


def sin_acta(minuto: int) -> SinActa:
    return SinActa(ACTA, a_las(minuto), MotivoSinActa.PAQUETE_SIN_BOLSA, "ana", "coordina")


def hace(historia: Historia, accion: Accion, estado: Estado | None = None) -> Estado:
    """Aplica una acción que debe proceder y deja sus hechos en la historia."""
    resultado = paso(ACTA, RENGLONES, estado or estado_de(historia), historia, accion)
    assert not isinstance(resultado, Rechazo), resultado
    historia += resultado.hechos
    if resultado.hechos:
        assert resultado.estado == estado_de(historia)
    return resultado.estado


def rechazo(historia: Historia, accion: Accion, estado: Estado | None = None) -> str:
    """Código del rechazo de una acción que no debe proceder."""
    resultado = paso(ACTA, RENGLONES, estado or estado_de(historia), historia, accion)
    assert isinstance(resultado, Rechazo), resultado
    assert all((resultado.que, resultado.causa, resultado.siguiente))
    return resultado.codigo


# ----------------------------------------------------------------------------------------------- historias cualesquiera

_valores: st.SearchStrategy[Campo] = st.sampled_from((Numero(5), Numero(6), ILEGIBLE, SIN_DATO))
_votos: st.SearchStrategy[dict[str, Campo]] = st.dictionaries(st.sampled_from((*RENGLONES, "DE_MAS")), _valores)
_alguien = st.sampled_from(PERSONAS)
_pareja = st.permutations(PERSONAS).map(lambda p: (p[0], p[1]))
_vuelta = st.sampled_from((1, 1, 1, 2))


def _completo(votos: Mapping[str, Campo]) -> Asentado:
    return asentado_de_campos({**dict.fromkeys(COMPLEMENTARIOS, Numero(1)), **votos})


_con_renglon = _votos.filter(bool)
un_hecho: st.SearchStrategy[HechoDeActa] = st.one_of(
    st.builds(Captura, st.just(ACTA), _vuelta, st.just(CERO), _alguien, _votos.map(_completo)),
    st.builds(Captura, st.just(ACTA), st.just(1), st.just(CERO), _alguien, st.builds(transcrito, _valores, _valores)),
    st.builds(Correccion, st.just(ACTA), _vuelta, st.just(CERO), _alguien, _con_renglon),
    st.builds(Revision, st.just(ACTA), _vuelta, st.just(CERO), _pareja, _con_renglon),
    st.builds(Recaptura, st.just(ACTA), st.just(2), st.just(CERO), _alguien, st.just("borrosa")),
    st.just(sin_acta(0)),
)


@st.composite
def historias(dibuja: st.DrawFn, maximo: int = 9) -> Historia:
    """Hechos cualesquiera de un acta, también los que `paso` no dejaría: los asentó otro centro. Cada uno a su hora."""
    sueltos = dibuja(st.lists(un_hecho, max_size=maximo))
    minutos = dibuja(st.permutations(range(len(sueltos))))
    return [replace(h, hora=a_las(m)) for h, m in zip(sueltos, minutos, strict=True)]


@given(historias())
@settings(max_examples=250)
def test_la_maquina_y_el_modelo_sombra_dicen_lo_mismo(historia: Historia) -> None:
    assert resumen(estado_de(historia)) == sombra(historia)


@given(st.data(), st.lists(un_hecho, max_size=8))
def test_ni_el_orden_de_llegada_ni_las_repeticiones_cambian_nada(datos: st.DataObject, sueltos: Historia) -> None:
    """Aunque varios hechos digan la misma hora, que con relojes de minuto es lo normal."""
    historia = [replace(h, hora=a_las(datos.draw(st.integers(0, 3)))) for h in sueltos]
    otra = datos.draw(st.permutations(historia + datos.draw(st.lists(st.sampled_from(historia))) if historia else []))
    assert estado_de(otra) == estado_de(historia)
    assert ultima_verificada(otra) == ultima_verificada(historia)


@given(historias(), _alguien)
def test_una_sola_persona_no_verifica_nada_por_mas_que_insista(historia: Historia, persona: str) -> None:
    suyos = [h for h in historia if isinstance(h, Captura | Correccion) and h.persona == persona]
    assert not isinstance(estado_de(suyos), Verificada)
    assert ultima_verificada(suyos) is None


@given(historias(), st.lists(un_hecho, max_size=4))
def test_lo_que_llega_despues_no_mueve_la_hora_de_verificacion(historia: Historia, tardios: Historia) -> None:
    antes = estado_de(historia)
    despues = estado_de([*historia, *(replace(h, hora=a_las(100 + i)) for i, h in enumerate(tardios))])
    if isinstance(antes, Verificada) and isinstance(despues, Verificada) and despues.vuelta == antes.vuelta:
        if despues.asentado == antes.asentado:
            assert despues == antes
        else:
            assert despues.verificacion > antes.verificacion


# --------------------------------------------------------------------------------------------------------------- salida


def sale_adelante(historia: Historia, lee: Callable[[str, str], Campo]) -> int:
    """Acciones que gente nueva necesita para verificar el acta; cada quien sólo sabe los nombres de los campos.

    Que baste con esto es, además, la prueba de que nadie necesita ver lo que leyó otra persona.
    """
    minutos = count(1000)
    gente: Iterator[str] = (f"nueva-{i}" for i in count())
    for acciones in count():
        assert acciones <= 5, f"atorada en {estado_de(historia)}"
        hora = a_las(next(minutos))
        match estado_de(historia):
            case Verificada():
                return acciones
            case EnRevision(campos=campos):
                quienes = (next(gente), next(gente))
                antes = estado_de(historia)
                despues = hace(historia, Revisar(quienes, hora, {c: lee(quienes[0], c) for c in campos}))
                assert despues != antes
            case Discrepante(campos=campos):
                quien = next(gente)
                tomada = hace(historia, Tomar(quien, hora))
                hace(historia, Corregir(quien, hora, {c: lee(quien, c) for c in campos}), tomada)
            case SinCaptura() | PrimeraConcluida() | SinActaDeclarada():
                quien = next(gente)
                tomada = hace(historia, Tomar(quien, hora))
                leido = asentado_de_campos({c: lee(quien, c) for c in (*RENGLONES, *COMPLEMENTARIOS)})
                hace(historia, Capturar(quien, hora, leido), tomada)
    raise AssertionError


def _lee_bien(persona: str, campo: str) -> Campo:
    return Numero(1) if campo in COMPLEMENTARIOS else Numero(5)


def _cada_quien_lee_otra_cosa(persona: str, campo: str) -> Campo:
    return Numero(10 + int(persona.removeprefix("nueva-")))


@pytest.mark.parametrize("lee", [_lee_bien, _cada_quien_lee_otra_cosa])
@given(historias())
@example([captura(0, "ana", pan=5), captura(1, "beto", pan=6), correccion(2, "caro", PAN=5), captura(0, "dino", mc=9)])
def test_de_cualquier_estado_se_sale_con_gente_suficiente(lee: Callable[[str, str], Campo], historia: Historia) -> None:
    assert sale_adelante(list(historia), lee) <= 5


def test_quien_ya_corrigio_un_campo_puede_corregir_otro_que_se_hizo_discrepante() -> None:
    """Su segunda corrección se perdía en silencio: la pantalla decía «hecho» y el acta seguía igual."""
    historia: Historia = [captura(0, "ana", pan=5, mc=7), captura(1, "beto", pan=6, mc=8), correccion(2, "caro", PAN=5)]
    assert resumen(estado_de(historia)) == ("Discrepante", 1, {"MC"})
    tomada = hace(historia, Tomar("caro", a_las(3)))
    assert isinstance(hace(historia, Corregir("caro", a_las(4), {"MC": Numero(7)}), tomada), Verificada)


def test_la_revision_de_un_campo_vale_aunque_una_captura_tardia_abra_otro() -> None:
    """Antes la revisión se ignoraba entera si no cubría todos los pendientes, y lo revisado volvía a la fila."""
    historia: Historia = [
        *(captura(0, "ana", pan=5), captura(1, "beto", pan=6), correccion(2, "caro", PAN=8)),
        revision(3, "dino", "eva", PAN=8),
    ]
    assert isinstance(estado_de(historia), Verificada)
    historia += [captura(4, "fito", pan=8, mc=1), captura(5, "gala", pan=8, mc=1)]
    assert resumen(estado_de(historia)) == ("EnRevision", 1, {"MC"})
    assert isinstance(hace(historia, Revisar(("dino", "eva"), a_las(6), {"MC": Numero(7)})), Verificada)


def test_lo_que_dos_personas_revisaron_no_lo_cambia_una_lectura_tardia() -> None:
    """Antes una captura que llegaba tarde hacía mayoría y cambiaba, ya publicada, la decisión de dos personas."""
    historia: Historia = [captura(0, "ana", 5), captura(1, "beto", 6), correccion(2, "caro", PAN=8)]
    verificada = hace(historia, Revisar(("dino", "eva"), a_las(3), {"PAN": Numero(8)}))
    assert estado_de([*historia, captura(4, "fito", 5)]) == verificada


def test_la_segunda_captura_de_la_misma_persona_no_cuenta_para_nada() -> None:
    una, otra = captura(0, "ana", 5), captura(2, "beto", 5)
    de_mas = Captura(ACTA, 1, a_las(1), "ana", _completo({"PAN": Numero(6), "DE_MAS": Numero(1)}))
    assert estado_de([una, de_mas, otra]) == estado_de([una, otra])


def test_una_revision_no_toca_lo_que_todos_leyeron_igual() -> None:
    iguales: Historia = [captura(0, "ana"), captura(1, "beto")]
    assert estado_de([*iguales, revision(2, "caro", "dino", PAN=9)]) == estado_de(iguales)


def test_con_dos_revisiones_del_mismo_campo_queda_la_primera() -> None:
    historia: Historia = [captura(0, "ana", 5), captura(1, "beto", 6), correccion(2, "caro", PAN=8)]
    una, otra = revision(3, "dino", "eva", PAN=5), revision(4, "fito", "gala", PAN=6)
    assert estado_de([*historia, otra, una]) == estado_de([*historia, una])


def test_un_renglon_que_alguien_no_transcribio_se_corrige_como_los_demas() -> None:
    """Un kiosco con la definición anterior no manda el renglón: sin esto, cada corrección quedaba una contra una."""
    corta = Captura(ACTA, 1, a_las(1), "beto", _completo({"PAN": Numero(5)}))
    historia: Historia = [captura(0, "ana"), corta]
    assert resumen(estado_de(historia)) == ("Discrepante", 1, {"MC"})
    assert isinstance(estado_de([*historia, correccion(2, "caro", MC=7)]), Verificada)


def test_una_disputa_tardia_retira_el_acta_hasta_la_revision() -> None:
    """Dos centros capturaron sin saberlo, cada uno de acuerdo consigo: no gana ninguno en silencio."""
    uno: Historia = [captura(0, "ana", 5), captura(2, "beto", 5)]
    otro: Historia = [captura(1, "caro", 6), captura(3, "dino", 6)]
    assert isinstance(estado_de(uno), Verificada)
    assert resumen(estado_de(uno + otro)) == ("EnRevision", 1, {"PAN"})
    assert ultima_verificada(uno + otro) is None
    historia = uno + otro
    hace(historia, Revisar(("eva", "fito"), a_las(9), {"PAN": Numero(6)}))
    publicada = ultima_verificada(historia)
    assert publicada is not None
    assert publicada.asentado == transcrito(6)


# -------------------------------------------------------------------------------------------------- paso, de uno en uno


def test_dos_iguales_de_distinta_persona_verifican() -> None:
    historia: Historia = []
    hace(historia, Capturar("ana", a_las(0), transcrito()), hace(historia, Tomar("ana", a_las(0))))
    tomada = hace(historia, Tomar("beto", a_las(1)))
    assert hace(historia, Capturar("beto", a_las(2), transcrito()), tomada) == Verificada(
        1, transcrito(), a_las(0), a_las(2), ("ana", "beto")
    )


def test_quien_hizo_la_primera_captura_no_hace_la_segunda() -> None:
    assert rechazo([captura(0, "ana")], Tomar("ana", a_las(1))) == "MISMA_PERSONA"


@pytest.mark.parametrize("persona", ["ana", "beto"])
def test_quien_ya_capturo_no_corrige(persona: str) -> None:
    assert rechazo([captura(0, "ana", 5), captura(1, "beto", 6)], Tomar(persona, a_las(2))) == "MISMA_PERSONA"


def test_la_correccion_es_exactamente_de_los_campos_discrepantes() -> None:
    historia: Historia = [captura(0, "ana", 5), captura(1, "beto", 6)]
    tomada = hace(historia, Tomar("caro", a_las(2)))
    ajenos: list[dict[str, Campo]] = [{}, {"MC": Numero(7)}, {"PAN": Numero(5), "MC": Numero(7)}]
    for campos in ajenos:
        assert rechazo(historia, Corregir("caro", a_las(3), campos), tomada) == "CAMPOS_EQUIVOCADOS"
    assert rechazo(historia, Capturar("caro", a_las(3), transcrito()), tomada) == "NO_LA_TIENE"


def test_tercera_lectura_sin_acuerdo_va_a_dos_personas_distintas() -> None:
    historia: Historia = [captura(0, "ana", 5), captura(1, "beto", 6)]
    tomada = hace(historia, Tomar("caro", a_las(2)))
    assert isinstance(hace(historia, Corregir("caro", a_las(3), {"PAN": ILEGIBLE}), tomada), EnRevision)
    campos: dict[str, Campo] = {"PAN": Numero(6)}
    assert rechazo(historia, Tomar("dino", a_las(4))) == "FUERA_DE_MOMENTO"
    assert rechazo(historia, Revisar(("dino", "dino"), a_las(4), campos)) == "MISMA_PERSONA"
    assert rechazo(historia, Revisar(("dino", "eva"), a_las(4), {"MC": Numero(1)})) == "CAMPOS_EQUIVOCADOS"
    estado = hace(historia, Revisar(("dino", "eva"), a_las(4), campos))
    assert estado == Verificada(1, transcrito(6), a_las(0), a_las(4), ("ana", "beto", "caro", "dino", "eva"))


def test_ilegible_sin_dato_y_cero_son_lecturas_distintas() -> None:
    for una, otra in ((ILEGIBLE, SIN_DATO), (SIN_DATO, Numero(0)), (Numero(0), ILEGIBLE)):
        assert resumen(estado_de([captura(0, "ana", una), captura(1, "beto", otra)])) == ("Discrepante", 1, {"PAN"})


def test_otra_persona_la_tiene_abierta() -> None:
    tomada = hace([], Tomar("ana", a_las(0)))
    assert rechazo([], Tomar("beto", a_las(1)), tomada) == "OCUPADA"
    assert rechazo([], Capturar("beto", a_las(1), transcrito()), tomada) == "NO_LA_TIENE"
    assert rechazo([], Soltar("beto"), tomada) == "NO_LA_TIENE"
    assert hace([], Tomar("ana", a_las(1)), tomada) == tomada
    assert hace([], Soltar("ana"), tomada) == SinCaptura()


def test_se_va_la_luz_a_media_captura_y_queda_libre() -> None:
    """`Tomada` no es un hecho: nada que asentar, y el estado se rehace sin ella."""
    historia: Historia = []
    assert isinstance(hace(historia, Tomar("ana", a_las(0))), Tomada)
    assert historia == []
    assert estado_de(historia) == SinCaptura()


def test_la_pantalla_quedo_de_otra_eleccion() -> None:
    tomada = hace([], Tomar("ana", a_las(0)))
    assert rechazo([], Capturar("ana", a_las(1), _completo({"PAN": Numero(1)})), tomada) == "RENGLONES_DISTINTOS"


def test_aparece_el_acta_que_se_habia_declarado_ausente() -> None:
    """Antes el acta declarada no se podía tomar y sólo otro centro podía capturarla."""
    historia: Historia = []
    hace(historia, DeclararSinActa("ana", "coordina", a_las(0), MotivoSinActa.PAQUETE_SIN_BOLSA))
    tomada = hace(historia, Tomar("beto", a_las(1)))
    assert hace(historia, Soltar("beto"), tomada) == estado_de(historia)
    hace(historia, Capturar("beto", a_las(2), transcrito()), tomada)
    assert resumen(estado_de(historia)) == ("PrimeraConcluida", 1, "beto")
    hace(historia, Capturar("caro", a_las(4), transcrito()), hace(historia, Tomar("caro", a_las(3))))
    assert isinstance(estado_de(historia), Verificada)


def test_recapturar_lo_que_alguna_vez_se_declaro_sin_acta() -> None:
    """Antes, al pedir recaptura, revivía la declaración vieja y nadie podía volver a capturar."""
    historia: Historia = [sin_acta(0), captura(1, "ana"), captura(2, "beto")]
    assert hace(historia, PedirRecaptura("ana", a_las(3), "imagen equivocada")) == SinCaptura(2)
    assert sale_adelante(historia, _lee_bien) == 2


def test_sin_acta_la_declaran_dos_personas_y_sólo_si_nadie_ha_capturado() -> None:
    motivo = MotivoSinActa.CASILLA_NO_INSTALADA
    assert rechazo([], DeclararSinActa("ana", "ana", a_las(0), motivo)) == "MISMA_PERSONA"
    for historia in ([captura(0, "ana")], [sin_acta(0)], [Recaptura(ACTA, 2, a_las(0), "ana", "borrosa")]):
        assert rechazo(list(historia), DeclararSinActa("ana", "beto", a_las(1), motivo)) == "FUERA_DE_MOMENTO"


def test_la_recaptura_conserva_la_historia_y_lo_publicado() -> None:
    historia: Historia = [captura(0, "ana"), captura(1, "beto")]
    antes = estado_de(historia)
    hace(historia, PedirRecaptura("caro", a_las(2), "se capturó la imagen de otra casilla"))
    assert ultima_verificada(historia) == antes
    tomada = hace(historia, Tomar("ana", a_las(3)))
    hace(historia, Capturar("ana", a_las(4), transcrito(9)), tomada)
    assert ultima_verificada(historia) == antes
    nueva = hace(historia, Capturar("beto", a_las(6), transcrito(9)), hace(historia, Tomar("beto", a_las(5))))
    assert ultima_verificada(historia) == nueva == Verificada(2, transcrito(9), a_las(4), a_las(6), ("ana", "beto"))
    assert len(historia) == 5


def test_no_se_recaptura_lo_que_aun_no_se_ha_capturado_dos_veces() -> None:
    for historia in ([], [captura(0, "ana")], [sin_acta(0)]):
        assert rechazo(list(historia), PedirRecaptura("ana", a_las(9), "borrosa")) == "FUERA_DE_MOMENTO"


def test_la_ultima_vuelta_posible_no_deja_un_hecho_que_nadie_leeria() -> None:
    historia: Historia = [captura(i, p, vuelta=MAXIMO_VUELTAS) for i, p in enumerate(("ana", "beto"))]
    assert rechazo(historia, PedirRecaptura("ana", a_las(9), "borrosa")) == "DEMASIADAS_VUELTAS"


@given(st.builds(transcrito, _valores, _valores), st.builds(transcrito, _valores, _valores))
def test_discrepan_exactamente_los_campos_distintos(una: Asentado, otra: Asentado) -> None:
    distintos = campos_distintos(una, otra)
    assert set(distintos) == {n for n in RENGLONES if una.votos[n] != otra.votos[n]}
    assert campos_distintos(otra, una) == distintos
    estado = estado_de([Captura(ACTA, 1, a_las(0), "ana", una), Captura(ACTA, 1, a_las(1), "beto", otra)])
    assert (estado.campos if isinstance(estado, Discrepante) else ()) == distintos


def test_campos_distintos_ve_los_que_faltan_de_un_lado() -> None:
    corta: Sequence[str] = campos_distintos(transcrito(), _completo({"PAN": Numero(5)}))
    assert corta == ("MC",)
