"""Nuestros JSON contra los 67 del sitio del PREP de Quintana Roo 2019: coinciden, o se sabe con qué cuenta salió cada
cifra distinta.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import pytest

from tests.sitio_de_quintana_roo import (
    DIP,
    Cifra,
    Json,
    Nuestras,
    armar,
    armar_especiales,
    asentado_de,
    comparar,
    leer_sitio,
)

EXCEDEN: Final = {
    "230535C0100": (465, 452),
    "230001C1000": (719, 701),
    "230138B0100": (665, 652),
    "230899B0100": (483, 472),
    "230685C0100": (758, 756),
    "230196C0200": (700, 682),
}
"""Casilla → (votos del acta, lista nominal más representaciones). La regla dice que no se contabilizan; el instituto
las contabilizó en su base y en su sitio."""

SIN_CASILLAS: Final = frozenset({"0171", "0180", "0213", "0236", "0971", "0973"})

SIN_EXPLICAR: Final = ("entidad", "entidad", "participacion")
"""336.673 no es un porcentaje, ni la suma de los de ningún archivo del sitio."""


ESPERADO: Final = {
    "coinciden": 102_088,
    "por las seis actas": 2_005,
    "redondea la participación en vez de truncarla": 1_854,
    "en el total de la coalición del acta olvida los votos de PESQROO": 1_786,
    "en el de la sección olvida a PESQROO y suma PAN_PRD otra vez en lugar de PRD_PESQROO": 849,
    "en la sección divide entre toda la lista nominal, no entre la contabilizada, y redondea": 68,
    "si nada se lee, también marca el renglón independiente que esa boleta no tiene": 21,
    "en la participación por partido olvida las combinaciones con PESQROO": 14,
    "lista una sección donde no se aprobó ninguna casilla": 6,
    "trunca después de dividir en punto flotante": 3,
}
"""De 108,695 cifras. Cada una de las que no coinciden se rehace con su cuenta y da lo que el sitio publicó."""


class Cuentas:
    """Las cuentas con que el sitio obtuvo lo que no coincide, hechas con nuestras cifras."""

    def __init__(self, paginas: Nuestras, especiales: Nuestras) -> None:
        self._paginas = paginas
        self._especiales = especiales

    def hacer(self, cifra: Cifra) -> Mapping[str, str]:
        """Causa → lo que el sitio habría escrito por ella."""
        causas: dict[str, Callable[[Cifra], str | None]] = {
            "redondea la participación en vez de truncarla": self._redondeada,
            "en la sección divide entre toda la lista nominal, no entre la contabilizada, y redondea": self._entre_toda,
            "trunca después de dividir en punto flotante": self._flotante,
            "en el total de la coalición del acta olvida los votos de PESQROO": self._acta_sin_pesqroo,
            "en el de la sección olvida a PESQROO y suma PAN_PRD otra vez en lugar de PRD_PESQROO": self._copiado,
            "en la participación por partido olvida las combinaciones con PESQROO": self._sin_combinaciones,
            "si nada se lee, también marca el renglón independiente que esa boleta no tiene": self._renglon_ajeno,
            "lista una sección donde no se aprobó ninguna casilla": self._sin_casillas,
        }
        return {causa: dicho for causa, cuenta in causas.items() if (dicho := cuenta(cifra)) is not None}

    def _pagina(self, cifra: Cifra) -> Json:
        lugar = cifra.lugar.split()
        origen = self._especiales if cifra.archivo.endswith("_rp") else self._paginas
        if lugar[0] == "distrito":
            return origen[f"d/{lugar[1]}/index"]
        if lugar[0] == "entidad":
            return origen["index"]
        return origen[f"s/{lugar[0][:4]}/{lugar[0][4:] or 'index'}"]

    def _redondeada(self, cifra: Cifra) -> str | None:
        if not cifra.llave.startswith("participacion") or cifra.lugar == "entidad":
            return None
        proporcion = self._pagina(cifra)["participacion"]
        if "parte" not in proporcion:
            proporcion = proporcion["sin_especiales" if cifra.llave.endswith("sesp") else "con_especiales"]
        return _redondeo(proporcion["parte"], proporcion["entre"])

    def _entre_toda(self, cifra: Cifra) -> str | None:
        if cifra.llave != "participacion" or not cifra.archivo.endswith("_seccion_casilla"):
            return None
        pagina = self._pagina(cifra)
        return _redondeo(pagina["votos"]["con_especiales"], pagina["lista_nominal"]["entre"])

    def _flotante(self, cifra: Cifra) -> str | None:
        if cifra.llave != "porcentaje" or "_seccion_casilla" not in cifra.archivo:
            return None
        pagina = self._pagina(cifra)
        renglones = pagina["por_renglon"] if "por_renglon" in pagina else pagina["renglones"]
        nulos = next(f for f in renglones if f["clave"] == "NULOS")
        return f"{int(nulos['votos'] / nulos['entre'] * 100 * 10_000) / 10_000:.4f}"

    def _acta_sin_pesqroo(self, cifra: Cifra) -> str | None:
        if cifra.llave != "total_pan_prd_pesqroo" or len(cifra.lugar) != 9:
            return None
        votos = _votos_de_acta(self._pagina(cifra))
        return str(sum(votos[k] for k in _DE_COALICION if k != "pesqroo"))

    def _copiado(self, cifra: Cifra) -> str | None:
        if cifra.llave != "total_pan_prd_pesqroo" or len(cifra.lugar) != 4:
            return None
        suma = 0
        for casilla in self._pagina(cifra)["casillas"]:
            if casilla["situacion"] != "contabilizada":
                continue
            pagina = self._paginas.paginas[casilla["ruta"]]
            dicho, votos = asentado_de(pagina), _votos_de_acta(pagina)
            suma += sum(votos[k] for k in _DE_COALICION if k not in ("pesqroo", "prd_pesqroo"))
            # Donde PRD_PESQROO es un número toma PAN_PRD, y ahí lo que está en blanco lo guarda como 999.
            if isinstance(dicho["prd_pesqroo"], int):
                otra = dicho["pan_prd"]
                suma += otra if isinstance(otra, int) else _CENTINELAS[otra]
        return str(suma)

    def _sin_combinaciones(self, cifra: Cifra) -> str | None:
        if (cifra.archivo, cifra.llave) != ("distrito_votos_pp_ci", "participacion"):
            return None
        pagina = self._pagina(cifra)
        votos = {f["clave"]: f["votos"] for f in pagina["por_renglon"]}
        olvidadas = votos["C_PAN_PRD_PESQROO"] + votos["C_PAN_PESQROO"] + votos["C_PRD_PESQROO"]
        con = pagina["participacion"]["con_especiales"]
        return _redondeo(con["parte"] - olvidadas, con["entre"])

    def _renglon_ajeno(self, cifra: Cifra) -> str | None:
        if cifra.llave != "cand_ind" or len(cifra.lugar) != 9:
            return None
        pagina = self._pagina(cifra)
        existe = any(f["clave"].startswith("CAND_IND") for f in pagina["renglones"])
        if existe or pagina["inconsistencias"] != ["TODOS_ILEGIBLES_O_SIN_DATO"]:
            return None
        (marca,) = {f["asentado"] for f in pagina["renglones"]}
        return str(marca)

    def _sin_casillas(self, cifra: Cifra) -> str | None:
        if cifra.archivo != "seccion_con_distrito" or cifra.lugar not in SIN_CASILLAS:
            return None
        assert f"{DIP}/s/{cifra.lugar}/index.json" not in self._paginas.paginas
        return cifra.sitio


_DE_COALICION: Final = ("pan", "prd", "pesqroo", "pan_prd_pesqroo", "pan_prd", "pan_pesqroo", "prd_pesqroo")
_CENTINELAS: Final = {"SIN DATO": 999, "ILEGIBLE": 888}


def _votos_de_acta(pagina: Json) -> dict[str, int]:
    return {llave: dicho if isinstance(dicho, int) else 0 for llave, dicho in asentado_de(pagina).items()}


def _redondeo(parte: int, entre: int) -> str:
    diezmilesimas = int(Fraction(parte * 1_000_000, entre) + Fraction(1, 2)) if entre else 0
    return f"{diezmilesimas // 10_000}.{diezmilesimas % 10_000:04d}"


@pytest.fixture(scope="module")
def sitio(datos: Path) -> dict[str, list[dict[str, Any]]]:
    return leer_sitio(datos)


def test_son_los_67_archivos_del_sitio_y_no_otros(datos: Path, sitio: dict[str, list[Json]]) -> None:
    assert len(sitio) == 67
    fuente = (datos / "quintana_roo_2019" / "FUENTE.md").read_text("utf-8")
    comprimido = (datos / "quintana_roo_2019" / "json_sitio.tar.gz").read_bytes()
    assert hashlib.sha256(comprimido).hexdigest() in fuente


@pytest.mark.lento
def test_cada_cifra_del_sitio_coincide_o_se_sabe_con_que_cuenta_salio(
    datos: Path, sitio: dict[str, list[Json]]
) -> None:
    """Tres pasos: con la regla tal cual; con las seis actas que el instituto contó de más; y, cifra por cifra, la
    cuenta del sitio, que tiene que dar exactamente lo que publicó.
    """
    especiales = armar_especiales(sitio, datos)
    con_la_regla = list(comparar(sitio, armar(datos, {}), especiales))
    paginas = armar(datos, EXCEDEN)
    como_conto = list(comparar(sitio, paginas, especiales))
    assert len(con_la_regla) == len(como_conto)
    cuentas = Cuentas(paginas, especiales)
    resultado: Counter[str] = Counter()
    ejemplos: dict[str, list[Cifra]] = defaultdict(list)
    sin_cuenta = []
    for una, otra in zip(con_la_regla, como_conto, strict=True):
        if una.coincide:
            resultado["coinciden"] += 1
        elif otra.coincide:
            resultado["por las seis actas"] += 1
            _exigir_que_sea_de_las_seis(otra, paginas)
        else:
            causa = next((c for c, dicho in cuentas.hacer(otra).items() if dicho == otra.sitio), None)
            if causa is None:
                sin_cuenta.append(otra)
            else:
                resultado[causa] += 1
                ejemplos[causa].append(otra)
    print(f"\n{len(como_conto)} cifras comparadas")
    for causa, cuantas in resultado.most_common():
        muestra = ejemplos[causa][0] if ejemplos[causa] else ""
        print(f"{cuantas:7d} {causa} {muestra}")
    assert [(c.archivo, c.lugar, c.llave) for c in sin_cuenta] == [SIN_EXPLICAR], sin_cuenta[:10]
    assert sum(resultado.values()) == len(como_conto) - 1
    assert dict(resultado) == ESPERADO


def _exigir_que_sea_de_las_seis(cifra: Cifra, paginas: Nuestras) -> None:
    """Sólo pueden cambiar sus actas, sus secciones, sus distritos y la entidad."""
    suyos = {"entidad"}
    for clave in EXCEDEN:
        seccion = paginas[f"s/{clave[2:6]}/index"]
        suyos |= {clave[2:], clave[2:6], f"distrito {seccion['division']['clave']}"}
    assert cifra.lugar in suyos or " ".join(cifra.lugar.split()[:2]) in suyos or cifra.lugar.startswith("entidad")


def test_las_seis_que_se_contaron_de_mas_exceden_de_verdad(datos: Path) -> None:
    paginas = armar(datos, {})
    exceden = {
        pagina["casilla"]["clave"]: (pagina["total_calculado"], pagina["tope"])
        for ruta, pagina in paginas.paginas.items()
        if "casilla" in pagina and "EXCEDE_LISTA_NOMINAL" in pagina["inconsistencias"]
    }
    assert exceden == EXCEDEN
    assert all(votos > tope for votos, tope in exceden.values())
