"""Compara una base que hicimos con la que publicó el instituto, y explica cada diferencia o dice que no tiene
explicación.

Una diferencia sólo se da por explicada si un defecto conocido del sistema oficial la produce *con su aritmética*: se
rehace la cuenta como la hizo el instituto y tiene que dar exactamente lo publicado. Lo demás queda «sin explicar» y
hace fallar el ensayo.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from auditoria.reglas_porcentaje import truncado_dos_veces
from ensayo.publicada import Publicada
from nucleo.base_oficial import fechas
from nucleo.computo import RESUMEN, Resumen
from nucleo.porcentaje import a_texto

Renglon = Mapping[str, str]

NO_COMPARADAS: Final = {"CODIGO_INTEGRIDAD": "las imágenes originales no están publicadas; el ensayo dibuja las suyas"}
"""Columnas que no se comparan, con su razón."""

DERIVADAS: Final = (
    "CLAVE_CASILLA",
    "CLAVE_ACTA",
    "TIPO_ACTA",
    "TOTAL_VOTOS_CALCULADO",
    "LISTA_NOMINAL",
    "REPRESENTANTES_PP_CI",
    "OBSERVACIONES",
    "CONTABILIZADA",
)
"""Columnas que nadie teclea: salen del catálogo o del cálculo."""

_HORAS: Final = ("FECHA_HORA_ACOPIO", "FECHA_HORA_CAPTURA", "FECHA_HORA_VERIFICACION")
_RELLENADAS: Final = ("LISTA_NOMINAL", "REPRESENTANTES_PP_CI", "TOTAL_VOTOS_CALCULADO")
_DE_MESA: Final = ("ID_DISTRITO_LOCAL", "DISTRITO_LOCAL", "SECCION", "ID_CASILLA", "REPRESENTANTES_PP_CI")
_VACIOS: Final = frozenset({"", "-", "--", "N/A"})


@dataclass(frozen=True)
class Diferencia:
    """Un valor que no coincide. `defecto` nombra la causa conocida, o está vacío si nadie la ha explicado."""

    donde: str
    campo: str
    publicado: str
    nuestro: str
    defecto: str = ""
    aritmetica: str = ""


@dataclass
class Comparacion:
    """Resultado de comparar un corte."""

    corte: str
    iguales_resumen: int = 0
    iguales_derivadas: int = 0
    iguales_transcritas: int = 0
    resumen: list[Diferencia] = field(default_factory=list)
    renglones: list[Diferencia] = field(default_factory=list)

    @property
    def sin_explicar(self) -> list[Diferencia]:
        return [d for d in (*self.resumen, *self.renglones) if not d.defecto]

    def por_defecto(self) -> Counter[str]:
        """Cuántas diferencias explica cada defecto nombrado."""
        return Counter(d.defecto for d in (*self.resumen, *self.renglones) if d.defecto)


def comparar(corte: str, publicada: Publicada, nuestra: Publicada, resumen: Resumen) -> Comparacion:
    """Compara renglón por renglón y luego el resumen.

    Args:
        publicada: la base del instituto.
        nuestra: la nuestra, leída de vuelta del zip que se publicó (no de la memoria).
        resumen: nuestro resumen, para rehacer las cuentas del instituto.
    """
    resultado = Comparacion(corte)
    contadas_de_mas = _comparar_renglones(resultado, publicada.renglones, nuestra.renglones)
    _comparar_resumen(resultado, publicada.resumen, nuestra.resumen, resumen, contadas_de_mas)
    return resultado


# --------------------------------------------------------------------------------------------------------------
# renglones


def _comparar_renglones(
    resultado: Comparacion, publicados: Sequence[Renglon], nuestros: Sequence[Renglon]
) -> list[Renglon]:
    """Llena `resultado` y devuelve las actas que el instituto contabilizó sin un solo voto legible."""
    mios = dict(_con_identidad(nuestros))
    contadas_de_mas: list[Renglon] = []
    for identidad, publicado in _con_identidad(publicados):
        mio = mios.pop(identidad, None)
        if mio is None:
            resultado.renglones.append(Diferencia(identidad, "renglón", "presente", "ausente"))
            continue
        for columna in publicado:
            if columna in NO_COMPARADAS or columna not in mio:
                continue
            diferencia = _comparar_celda(identidad, columna, publicado, mio)
            if diferencia is not None:
                resultado.renglones.append(diferencia)
                if diferencia.campo == "CONTABILIZADA" and diferencia.defecto:
                    contadas_de_mas.append(mio)
            elif columna in DERIVADAS:
                resultado.iguales_derivadas += 1
            else:
                resultado.iguales_transcritas += 1
    resultado.renglones += [Diferencia(i, "renglón", "ausente", "presente") for i in mios]
    return contadas_de_mas


def _con_identidad(renglones: Sequence[Renglon]) -> Iterator[tuple[str, Renglon]]:
    for renglon in renglones:
        if renglon["CONTABILIZADA"] == "2":
            # Los documentos fuera de catálogo no tienen clave: los distingue su hora de acopio.
            yield f"fuera de catálogo {_normal('FECHA_HORA_ACOPIO', renglon['FECHA_HORA_ACOPIO'])}", renglon
        else:
            yield renglon["CLAVE_ACTA"], renglon


def _comparar_celda(identidad: str, columna: str, publicado: Renglon, mio: Renglon) -> Diferencia | None:
    a, b = publicado[columna], mio[columna]
    if _normal(columna, a) == _normal(columna, b):
        return None
    defecto, aritmetica = _explicar(columna, publicado, mio)
    return Diferencia(identidad, columna, a, b, defecto, aritmetica)


def _normal(columna: str, texto: str) -> str:
    """Valor sin su adorno: `'0001` y `01` son la casilla 1; `-`, `N/A` y vacío dicen lo mismo; las horas, un
    instante.
    """
    limpio = texto.strip().strip("'").upper()
    if limpio in _VACIOS:
        return ""
    if columna in _HORAS:
        instante = fechas.leer(limpio)
        return instante.replace(tzinfo=None).isoformat() if instante else limpio
    if limpio.isascii() and limpio.isdigit() and columna not in ("CLAVE_ACTA", "CLAVE_CASILLA"):
        return str(int(limpio))
    return limpio


def _explicar(columna: str, publicado: Renglon, mio: Renglon) -> tuple[str, str]:
    valor = publicado[columna].strip().upper()
    if columna in _RELLENADAS and valor in {"SIN ACTA", "ILEGIBLE", "SIN DATO"} and mio["CONTABILIZADA"] == "0":
        return (
            "rellenó con la leyenda columnas que no vienen del acta",
            f"{columna} es del catálogo o del cálculo: vale {mio[columna]}",
        )
    if (
        columna in ("CONTABILIZADA", "OBSERVACIONES")
        and publicado["CONTABILIZADA"] == "1"
        and mio["CONTABILIZADA"] == "0"
        and not any(mio[c].isdigit() for c in _votos(mio))
    ):
        return (
            "contabilizó actas sin un solo voto legible",
            f"0 de {len(_votos(mio))} renglones de votación con número",
        )
    if mio["TIPO_CASILLA"] in ("M", "A", "P") and columna in _DE_MESA and mio[columna] == "N/A":
        return (
            "escribió ceros o un nombre donde el LEEME 2024 pide N/A (mesas M, A, P)",
            "una mesa no pertenece a distrito ni sección",
        )
    return "", ""


def _votos(renglon: Renglon) -> list[str]:
    columnas = list(renglon)
    desde = columnas.index("TOTAL_VOTOS_SACADOS") + 1
    return columnas[desde : columnas.index("TOTAL_VOTOS_ASENTADO")]


# ----------------------------------------------------------------------------------------------------------------
# resumen


def _comparar_resumen(
    resultado: Comparacion,
    publicado: Mapping[str, str],
    nuestro: Mapping[str, str],
    resumen: Resumen,
    contadas_de_mas: Sequence[Renglon],
) -> None:
    # La cuenta del instituto: las mismas actas, más las que contabilizó sin un solo voto legible (que suman cero
    # votos).
    n, lista = len(contadas_de_mas), sum(int(r["LISTA_NOMINAL"]) for r in contadas_de_mas)
    suyo = {
        "ACTAS_CONTABILIZADAS": (resumen.contabilizadas + n, 0),
        "ACTAS_NO_CONTABILIZADAS": (resumen.no_contabilizadas - n, 0),
        "LISTA_NOMINAL_ACTAS_CONTABILIZADAS": (resumen.lista_nominal + lista, 0),
        "PORCENTAJE_ACTAS_CAPTURADAS": resumen.porcentaje_capturadas,
        "PORCENTAJE_ACTAS_CONTABILIZADAS": (resumen.contabilizadas + n, resumen.esperadas),
        "PORCENTAJE_ACTAS_INCONSISTENCIAS": resumen.porcentaje_inconsistencias,
        "PORCENTAJE_PARTICIPACION_CIUDADANA": (resumen.participacion[0], resumen.lista_nominal + lista),
    }
    for campo in RESUMEN:
        a, b = publicado[campo], nuestro[campo]
        if a == b:
            resultado.iguales_resumen += 1
            continue
        defecto, aritmetica = _explicar_resumen(campo, a, suyo.get(campo), n)
        resultado.resumen.append(Diferencia("resumen", campo, a, b, defecto, aritmetica))


def _explicar_resumen(campo: str, publicado: str, suyo: tuple[int, int] | None, de_mas: int) -> tuple[str, str]:
    if suyo is None:
        return "", ""
    parte, total = suyo
    por_ellas = f"contabilizó {de_mas} actas sin un solo voto legible" if de_mas else ""
    if not campo.startswith("PORCENTAJE"):
        cuenta = f"{parte - de_mas} + {de_mas}" if campo == "ACTAS_CONTABILIZADAS" else f"con ellas da {parte}"
        return (por_ellas, cuenta) if publicado == str(parte) else ("", "")
    exacto = a_texto(parte, total)
    if publicado == exacto:
        return por_ellas, f"{parte} × 100 / {total} = {exacto}"
    flotante = truncado_dos_veces(parte, total)
    if publicado == flotante:
        causas = [por_ellas] if por_ellas and campo in _TOCADOS_POR_ELLAS else []
        causas.append("truncó dos veces en punto flotante")
        return " y ".join(causas), f"{parte} × 100 / {total} = {exacto} en enteros; dos truncamientos dan {flotante}"
    return "", ""


_TOCADOS_POR_ELLAS: Final = ("PORCENTAJE_ACTAS_CONTABILIZADAS", "PORCENTAJE_PARTICIPACION_CIUDADANA")
