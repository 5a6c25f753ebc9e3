"""El reparto de coaliciones: contra lo que publicó Quintana Roo y contra la ley de conservación."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nucleo.base_oficial.celdas import campo
from nucleo.base_oficial.lectura import BaseLeida, leer_csv
from nucleo.base_oficial.paquetes import bases
from nucleo.campo import Numero
from nucleo.coalicion import VotosAjenos, por_candidatura, repartir, repartir_divisiones
from nucleo.eleccion import Ambito, CandidaturaComun, Coalicion, Eleccion, Opcion, TipoOpcion
from tests.unidad.actas_de_prueba import proceso_raro

RARA = proceso_raro().elecciones["DIP_LOC"]

PARTIDOS = ("PAN", "PRI", "PRD", "PVEM", "PT", "MC", "MORENA", "MAS", "CQROO", "PESQROO")
COALICIONES = (("PAN", "PRD", "PESQROO"), ("PVEM", "PT", "MORENA"))


@pytest.fixture(scope="module")
def base(datos: Path) -> BaseLeida:
    paquete = datos / "quintana_roo_2019" / "20190603_0547_PREP_DIP_QROO.zip"
    return leer_csv(bases(paquete.read_bytes(), paquete.name)[0].contenido)


def _json(datos: Path, nombre: str) -> list[dict[str, Any]]:
    contenido = gzip.decompress((datos / "quintana_roo_2019" / f"{nombre}.json.gz").read_bytes())
    lista: list[dict[str, Any]] = json.loads(contenido)["json"]
    return lista


def _votos_por_distrito(base: BaseLeida) -> dict[int, dict[str, int]]:
    distritos: dict[int, dict[str, int]] = {}
    for renglon in base.renglones:
        if base.valor(renglon, "CONTABILIZADA") == "1":
            suma = distritos.setdefault(int(base.valor(renglon, "ID_DISTRITO_LOCAL")), {})
            for columna, celda in base.celdas_de_votos(renglon).items():
                dato = campo(celda)
                suma[columna] = suma.get(columna, 0) + (dato.valor if isinstance(dato, Numero) else 0)
    return distritos


def _eleccion(base: BaseLeida, coaliciones: tuple[Coalicion, ...] = ()) -> Eleccion:
    opciones = []
    for columna in (base.columnas[lugar] for lugar in base.votos):
        if columna.startswith("C_"):
            partidos = tuple(columna.removeprefix("C_").split("_"))
            opciones.append(Opcion(columna, TipoOpcion.COMBINACION, columna, partidos))
        else:
            tipo = TipoOpcion.PARTIDO if columna in PARTIDOS else TipoOpcion.INDEPENDIENTE
            opciones.append(Opcion(columna, tipo, columna))
    return Eleccion("DIP_LOC", "Diputaciones", Ambito.DISTRITO, tuple(opciones), coaliciones)


def test_los_150_votos_por_partido_que_publico_quintana_roo(base: BaseLeida, datos: Path) -> None:
    eleccion = _eleccion(base)
    publicado = {d["id_distrto"]: d for d in _json(datos, "distrito_votos_pp_ci")}
    comparados = 0
    for distrito, votos in _votos_por_distrito(base).items():
        repartidos = repartir(votos, eleccion, distrito)
        for partido in PARTIDOS:
            assert repartidos[partido] == publicado[distrito][partido.lower()], (distrito, partido)
            comparados += 1
        assert sum(repartidos.values()) == publicado[distrito]["total"]
    assert comparados == 150


def test_los_votos_por_candidatura_que_publico_quintana_roo(base: BaseLeida, datos: Path) -> None:
    publicado = {d["id_distrito"]: d for d in _json(datos, "distrito_votos_candidatura")}

    def junta(partidos: tuple[str, ...]) -> frozenset[int]:
        return frozenset(d for d, v in publicado.items() if v["_".join(partidos).lower()] != "0")

    combinaciones = [c for c in _eleccion(base).por_clave if c.startswith("C_")]
    coaliciones = tuple(
        Coalicion(
            "_".join(p).lower(),
            p,
            tuple(c for c in combinaciones if set(c.removeprefix("C_").split("_")) <= set(p)),
            junta(p),
        )
        for p in COALICIONES
    )
    assert all(coalicion.ambitos for coalicion in coaliciones)
    eleccion = _eleccion(base, coaliciones)
    for distrito, votos in _votos_por_distrito(base).items():
        for candidatura, cuantos in por_candidatura(votos, eleccion, distrito).items():
            if candidatura in PARTIDOS or candidatura in ("pan_prd_pesqroo", "pvem_pt_morena"):
                assert cuantos == int(publicado[distrito][candidatura.lower()]), (distrito, candidatura)


votos_cualesquiera = st.fixed_dictionaries({o.clave: st.integers(0, 5000) for o in RARA.opciones})


@given(votos_cualesquiera, st.sampled_from([1, 2, None]))
def test_ni_un_voto_aparece_ni_desaparece_al_repartir(votos: dict[str, int], ambito: int | None) -> None:
    assert sum(repartir(votos, RARA, ambito).values()) == sum(votos.values())
    assert sum(por_candidatura(votos, RARA, ambito).values()) == sum(votos.values())


@given(votos_cualesquiera)
def test_a_nadie_le_toca_menos_de_su_parte_ni_mas_de_un_voto_de_sobra(votos: dict[str, int]) -> None:
    repartidos = repartir(votos, RARA, 1)
    for partido in ("PAN", "PRI", "NA"):
        suyas = [o for o in RARA.opciones if o.tipo is TipoOpcion.COMBINACION and partido in o.partidos]
        minimo = votos[partido] + sum(votos[o.clave] // len(o.partidos) for o in suyas)
        assert minimo <= repartidos[partido] <= minimo + len(suyas)


def test_el_sobrante_de_dos_se_da_uno_a_cada_uno_y_no_dos_al_mayor() -> None:
    votos = dict.fromkeys(RARA.por_clave, 0) | {"PAN": 5, "PRI": 50, "NA": 9, "PAN_PRI_NA": 5}
    repartidos = repartir(votos, RARA, 1)
    assert (repartidos["PRI"], repartidos["NA"], repartidos["PAN"]) == (52, 11, 6)


def test_hay_empate_de_votos_directos_y_decide_el_orden_del_acta() -> None:
    votos = dict.fromkeys(RARA.por_clave, 0) | {"PAN": 7, "PRI": 7, "NA": 7, "PRI_NA": 1, "PAN_PRI_NA": 2}
    repartidos = repartir(votos, RARA, 1)
    assert (repartidos["PAN"], repartidos["PRI"], repartidos["NA"]) == (8, 9, 7)


def test_se_reparte_en_cada_distrito_y_no_sobre_la_suma() -> None:
    distritos: dict[int | None, dict[str, int]] = {
        1: {"PAN": 9, "PRI": 1, "PAN_PRI": 1},
        2: {"PAN": 9, "PRI": 1, "PAN_PRI": 1},
    }
    total = repartir_divisiones(distritos, RARA)
    assert (total["PAN"], total["PRI"]) == (20, 2)
    assert repartir({"PAN": 18, "PRI": 2, "PAN_PRI": 2}, RARA, None)["PAN"] == 19


def test_donde_no_hay_coalicion_cada_partido_va_solo() -> None:
    votos = {"PAN": 3, "PRI": 2, "NA": 1, "NULOS": 4}
    assert por_candidatura(votos, RARA, 1) == {"Va por la prueba": 6, "NULOS": 4}
    assert por_candidatura(votos, RARA, 2) == votos


COMUN = Eleccion(
    "GUB",
    "Jefatura de Gobierno",
    Ambito.ENTIDAD,
    (
        Opcion("CC", TipoOpcion.COMUN, "candidatura común", ("MORENA", "PT", "PVEM")),
        Opcion("NULOS", TipoOpcion.NULOS, "Nulos"),
    ),
    comunes=(
        CandidaturaComun(
            "CC", ("MORENA", "PT", "PVEM"), {"MORENA": 5333, "PT": 2000, "PVEM": 2667}, "MORENA", frozenset({1})
        ),
    ),
)


@given(st.integers(0, 10**6))
def test_la_fraccion_de_la_candidatura_comun_va_a_quien_dice_el_convenio(votos: int) -> None:
    repartidos = repartir({"CC": votos, "NULOS": 3}, COMUN, 1)
    assert repartidos["PT"] == votos * 2000 // 10_000
    assert repartidos["PVEM"] == votos * 2667 // 10_000
    assert sum(repartidos.values()) == votos + 3
    assert por_candidatura({"CC": votos, "NULOS": 3}, COMUN, 1) == {"CC": votos, "NULOS": 3}


def test_llegan_votos_que_la_eleccion_no_conoce() -> None:
    with pytest.raises(VotosAjenos, match="XYZ"):
        repartir({"XYZ": 1}, RARA, 1)
    with pytest.raises(VotosAjenos, match="XYZ"):
        por_candidatura({"XYZ": 1}, RARA, 1)
    with pytest.raises(VotosAjenos, match="no tiene convenio"):
        repartir({"CC": 1}, COMUN, 2)


def test_sin_votos_todos_los_partidos_aparecen_en_cero() -> None:
    assert repartir({"CC": 0, "NULOS": 0}, COMUN, 2) == {"NULOS": 0, "MORENA": 0, "PT": 0, "PVEM": 0}
