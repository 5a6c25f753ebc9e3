"""Ida y vuelta de cada hecho, y todo lo que la lectura estricta no deja pasar."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from datetime import UTC, datetime
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nucleo.acta import COMPLEMENTARIOS, Digitalizacion, MotivoSinActa, Origen, ResultadoCotejo, asentado_de_campos
from nucleo.campo import ILEGIBLE, SIN_DATO, Numero
from nucleo.eventos import BITACORA_NUEVA, RenglonDeBitacora
from nucleo.hechos import (
    MAXIMO_CAMPOS,
    Acopio,
    Captura,
    Correccion,
    Cotejo,
    Empaque,
    FueraDeCatalogo,
    Hecho,
    HechoInvalido,
    HojaDeBitacora,
    IdActa,
    Imagen,
    Recaptura,
    Revision,
    SinActa,
    a_contenido,
    de_contenido,
    tipo_de,
)
from nucleo.hoja_de_bitacora import MAXIMO_RENGLONES
from nucleo.renglon import _exigir_claves, hora_con_huso
from nucleo.sobre import leer_json
from tests.estrategias import campos, hechos, horas, json_cualquiera

CLASES = get_args(Hecho)
POR_CLASE = hechos()
HORA = datetime(2022, 6, 6, 1, 2, 3, tzinfo=UTC)
ACTA = IdActa("GUB", "200001B0100")
TRANSCRITO = asentado_de_campos(dict.fromkeys(("PAN", *COMPLEMENTARIOS), Numero(1)))
RENGLON = RenglonDeBitacora(HORA.isoformat(), "tomada", "ana", str(ACTA), "")
CAPTURA = Captura(ACTA, 1, HORA, "ana", TRANSCRITO)
EJEMPLOS: tuple[Hecho, ...] = (
    Acopio(ACTA, HORA, Origen.CATD, "ACTA PREP", "", "acopio-1"),
    Imagen(ACTA, HORA, "ab" * 32, 300_000, Digitalizacion.ESCANER, "escaner-1"),
    CAPTURA,
    Correccion(ACTA, 1, HORA, "caro", {"PAN": ILEGIBLE}),
    Revision(ACTA, 1, HORA, ("dino", "eva"), {"PAN": SIN_DATO}),
    Recaptura(ACTA, 2, HORA, "ana", "se capturó la imagen de otra casilla"),
    SinActa(ACTA, HORA, MotivoSinActa.PAQUETE_SIN_BOLSA, "ana", "coordina-1"),
    FueraDeCatalogo("GUB", "FC-1", HORA, Origen.CASILLA, Digitalizacion.MOVIL, "ACTA PREP", "D", "cd" * 32, "acopio-1"),
    Cotejo(ACTA, HORA, ResultadoCotejo.ACEPTADA, "ana"),
    Empaque(ACTA, HORA, "CAJA-01", "acopio-1"),
    HojaDeBitacora(HORA, 1, BITACORA_NUEVA, (RENGLON,)),
)
cualquier_hecho = st.one_of(*POR_CLASE.values())


def contenido(**cambios: object) -> dict[str, Any]:
    """Contenido de un acopio bien formado, con algún cambio."""
    return a_contenido(EJEMPLOS[0]) | cambios


def test_hay_una_estrategia_y_un_nombre_por_cada_clase_de_hecho() -> None:
    assert set(POR_CLASE) == set(CLASES) == {type(e) for e in EJEMPLOS}
    assert len({tipo_de(e) for e in EJEMPLOS}) == len(CLASES)


@pytest.mark.parametrize("clase", CLASES)
@given(st.data())
def test_ida_y_vuelta_por_bytes(clase: type, datos: st.DataObject) -> None:
    hecho = datos.draw(POR_CLASE[clase])
    bytes_json = json.dumps(a_contenido(hecho), ensure_ascii=False).encode()
    vuelto = de_contenido(leer_json(bytes_json))
    assert vuelto == hecho
    assert type(vuelto) is clase
    assert json.dumps(a_contenido(vuelto), ensure_ascii=False).encode() == bytes_json


@given(cualquier_hecho, st.data())
def test_ni_una_llave_de_mas_ni_una_de_menos(hecho: Hecho, datos: st.DataObject) -> None:
    bueno = a_contenido(hecho)
    quitada = datos.draw(st.sampled_from(sorted(set(bueno) - {"imagen"} if not isinstance(hecho, Imagen) else bueno)))
    with pytest.raises(HechoInvalido):
        de_contenido({k: v for k, v in bueno.items() if k != quitada})
    nueva = datos.draw(st.text(max_size=10).filter(lambda k: k not in bueno))
    with pytest.raises(HechoInvalido) as error:
        de_contenido(bueno | {nueva: 1})
    # El motivo se guarda en la cuarentena: tiene que poder escribirse.
    str(error.value).encode()


@given(cualquier_hecho, st.data(), json_cualquiera)
def test_un_valor_de_otro_tipo_no_pasa(hecho: Hecho, datos: st.DataObject, otro: object) -> None:
    bueno = a_contenido(hecho)
    llave = datos.draw(st.sampled_from(sorted(bueno)))
    if isinstance(otro, type(bueno[llave])) and not isinstance(otro, bool):
        return
    with pytest.raises(HechoInvalido):
        de_contenido(bueno | {llave: otro})


@pytest.mark.parametrize("lectura", EJEMPLOS[2:5])
def test_un_sobre_de_antes_no_dice_que_imagen_se_vio_y_se_lee_igual(lectura: Captura | Correccion | Revision) -> None:
    viejo = a_contenido(lectura)
    assert "imagen" not in viejo
    assert de_contenido(viejo) == lectura
    nuevo = a_contenido(replace(lectura, imagen="ab" * 32))
    assert nuevo == viejo | {"imagen": "ab" * 32}
    assert de_contenido(nuevo) == replace(lectura, imagen="ab" * 32)
    for mala in (None, "", "AB" * 32, "ab" * 31, 7):
        with pytest.raises(HechoInvalido):
            de_contenido(viejo | {"imagen": mala})


@pytest.mark.parametrize("dato", [None, [], "acopio", 1, True, {}, {"hecho": None}, {"hecho": ["acopio"]}])
def test_lo_que_no_es_un_hecho(dato: object) -> None:
    with pytest.raises(HechoInvalido):
        de_contenido(dato)


@pytest.mark.parametrize(
    "hora",
    [
        "2022-06-05T20:00:00",  # sin huso: ¿la de quién?
        "2022-06-05",
        "2022-06-05T20:00-05:00",
        "20220605T200000Z",
        "2022-W22-7T20:00:00Z",
        "2022-06-05 20:00:00-05:00",
        "2022-06-05T20:00:00-05:00\n",
        "2022-06-05T24:00:00Z",  # Python 3.13 la acepta; 3.11, no
        "2022-02-30T20:00:00Z",
        "0001-01-01T00:00:00+23:59",  # al pasarla a hora local desborda
        "9999-12-31T23:59:59-23:59",
        "٢٠٢٢-٠٦-٠٥T٢٠:٠٠:٠٠Z",
        1654477200,
        None,
    ],
)
def test_horas_que_cada_quien_entenderia_distinto(hora: object) -> None:
    with pytest.raises(HechoInvalido):
        de_contenido(contenido(hora=hora))


@given(horas)
def test_la_hora_que_escribe_un_kiosco_se_lee_igual(hora: datetime) -> None:
    assert hora_con_huso(hora.isoformat()) == hora
    assert hora_con_huso(hora.astimezone(UTC).isoformat().replace("+00:00", "Z")) == hora


@pytest.mark.parametrize(
    "campo", [True, False, 1.0, "12", "", None, -1, 100_000, [], {}, "ilegible", "SIN  DATO", 10**400]
)
def test_un_campo_de_acta_es_entero_en_rango_o_una_de_dos_palabras(campo: object) -> None:
    malo = a_contenido(CAPTURA)
    malo["campos"]["PAN"] = campo
    with pytest.raises(HechoInvalido):
        de_contenido(malo)


@given(st.integers(1, 3), campos)
def test_demasiados_renglones(de_mas: int, campo: Any) -> None:
    muchos = {f"R{i}": campo for i in range(MAXIMO_CAMPOS + de_mas)}
    malo = a_contenido(Revision(ACTA, 1, HORA, ("ana", "beto"), muchos))
    with pytest.raises(HechoInvalido):
        de_contenido(malo)


def test_una_captura_sin_total_no_es_una_captura() -> None:
    malo = a_contenido(CAPTURA)
    del malo["campos"]["TOTAL_ASENTADO"]
    with pytest.raises(HechoInvalido, match="TOTAL_ASENTADO"):
        de_contenido(malo)


def test_dos_personas_son_dos() -> None:
    sola = Revision(ACTA, 1, HORA, ("ana", "ana"), {"PAN": Numero(1)})
    with pytest.raises(HechoInvalido):
        de_contenido(a_contenido(sola))
    for personas in (["ana"], ["ana", "beto", "caro"], "ana", ["ana", 2], ["ana", "Beto Cruz"]):
        with pytest.raises(HechoInvalido):
            de_contenido(a_contenido(sola) | {"personas": personas})
    with pytest.raises(HechoInvalido):
        de_contenido(a_contenido(SinActa(ACTA, HORA, MotivoSinActa.PAQUETE_SIN_BOLSA, "ana", "ana")))


@pytest.mark.parametrize("vuelta", [0, -1, 100, 1.0, True, "1"])
def test_vueltas_que_no_existen(vuelta: object) -> None:
    with pytest.raises(HechoInvalido):
        de_contenido(a_contenido(CAPTURA) | {"vuelta": vuelta})


@pytest.mark.parametrize("motivo", ["", "dos\nrenglones", "x" * 501, "\u202egnp.exe", "\ud800", "\x00"])
def test_un_motivo_que_no_se_puede_imprimir(motivo: str) -> None:
    """Lo lee una persona en pantalla y en la bitácora: sin saltos, sin texto al revés, sin sustitutos sueltos."""
    with pytest.raises(HechoInvalido):
        de_contenido(a_contenido(Recaptura(ACTA, 2, HORA, "ana", motivo)))


@pytest.mark.parametrize(
    "renglon",
    [
        [],
        ["2022-06-05T20:00:00", "tomada", "ana", "", ""],  # sin huso
        [HORA.isoformat(), "Tomada", "ana", "", ""],
        [HORA.isoformat(), "tomada", "Ana Ruiz", "", ""],
        [HORA.isoformat(), "tomada", "ana", "x" * 91, ""],
        [HORA.isoformat(), "tomada", "ana", "", "x" * 201],
        [HORA.isoformat(), "tomada", "ana", "", "dos\nrenglones"],
        [HORA.isoformat(), "tomada", "ana", "", None],
        [HORA.isoformat(), "tomada", "ana", "", "", ""],
        "tomada",
    ],
)
def test_un_renglon_de_bitacora_que_no_lo_es(renglon: object) -> None:
    with pytest.raises(HechoInvalido):
        de_contenido(a_contenido(EJEMPLOS[-1]) | {"renglones": [renglon]})


def test_una_hoja_de_bitacora_ni_vacia_ni_sin_fin() -> None:
    malas: tuple[object, ...] = ([], [["x"] * 5] * (MAXIMO_RENGLONES + 1), {}, None)
    for renglones in malas:
        with pytest.raises(HechoInvalido):
            de_contenido(a_contenido(EJEMPLOS[-1]) | {"renglones": renglones})


@pytest.mark.parametrize("resultado", [0, 4, True, "1", 1.0, None])
def test_un_cotejo_sale_de_una_de_tres_maneras(resultado: object) -> None:
    with pytest.raises(HechoInvalido):
        de_contenido(a_contenido(EJEMPLOS[-3]) | {"resultado": resultado})


def test_los_hechos_no_se_pueden_modificar() -> None:
    for hecho in EJEMPLOS:
        with pytest.raises(AttributeError):
            setattr(hecho, fields(hecho)[0].name, None)


def test_miles_de_nombres_de_campo_enormes_no_se_quedan_en_la_memoria() -> None:
    """Los manda quien controla un kiosco: cada sobre vale, su contenido no."""
    malo = a_contenido(CAPTURA)
    antes = _exigir_claves.cache_info().currsize
    for n in range(50):
        with pytest.raises(HechoInvalido, match="no es el nombre de un campo"):
            de_contenido({**malo, "campos": {f"{n}" + "A" * 20_000: 1}})
    assert _exigir_claves.cache_info().currsize == antes
