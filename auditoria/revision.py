"""Revisa los renglones de una base, uno por uno y entre sí, y junta las reglas que rompen."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

from auditoria import inferencia
from auditoria import reglas_renglon as reglas
from auditoria.ficha import NADA, Estado, Ficha
from auditoria.inferencia import TopeEspecial
from auditoria.reglas_renglon import Regla, Violacion
from nucleo.base_oficial import fechas
from nucleo.base_oficial.celdas import Marca, campo, entero
from nucleo.base_oficial.lectura import BaseLeida, Renglon
from nucleo.campo import ILEGIBLE, SIN_DATO, Numero, SinDato
from nucleo.inconsistencias import EXCEDE_LISTA_NOMINAL, TODOS_ILEGIBLES_O_SIN_DATO

_SHA_256: Final = re.compile(r"[0-9a-fA-F]{64}")

_HORAS: Final = ("FECHA_HORA_ACOPIO", "FECHA_HORA_CAPTURA", "FECHA_HORA_VERIFICACION")

_DERIVADOS: Final = frozenset({EXCEDE_LISTA_NOMINAL, TODOS_ILEGIBLES_O_SIN_DATO})


@dataclass(frozen=True)
class Criterios:
    """Lo que se dedujo de toda la base para poder juzgar cada renglón."""

    especial: TopeEspecial
    representantes_por_omision: int
    """Dos por partido y candidatura independiente, cuando el archivo no trae la columna llena."""
    vacio_es_sin_dato: bool
    apertura: datetime | None
    corte: datetime | None


def deducir(base: BaseLeida, fichas: Sequence[Ficha]) -> Criterios:
    """Los criterios que la base permite deducir."""
    planilla = inferencia.planilla(base)
    especiales = [f for f in fichas if f.especial and f.estado is Estado.CAPTURADA]
    return Criterios(
        especial=inferencia.tope_especial(
            [(f.total, f.representantes or 0) for f in especiales if f.excedida],
            [(f.total, f.representantes or 0) for f in especiales if not f.excedida],
        ),
        representantes_por_omision=2 * (len(planilla.partidos) + len(planilla.independientes)),
        # Si nadie escribió «sin dato», una celda vacía puede ser cero, ilegible o en blanco (Puebla 2018).
        vacio_es_sin_dato=any(isinstance(v, SinDato) for f in fichas for v in f.votos.values()),
        apertura=inferencia.apertura(base.corte),
        corte=base.corte.replace(tzinfo=None) if base.corte else None,
    )


def revisar(base: BaseLeida, fichas: Sequence[Ficha], criterios: Criterios) -> list[Violacion]:
    """Todas las violaciones, en el orden del archivo."""
    violaciones = []
    vistas = _Repeticiones(base, fichas)
    for renglon, ficha in zip(base.renglones, fichas, strict=True):
        for regla, detalle in (
            *_estatus(base, ficha, criterios),
            *_especial(base, ficha, criterios.especial),
            *_excluida(base, renglon, ficha),
            *_totales(base, renglon, ficha),
            *_claves(base, renglon, ficha),
            *_padron(base, renglon, ficha),
            *_huella(base, renglon, ficha),
            *_horas(base, renglon, criterios),
            *vistas.de(base, renglon, ficha),
        ):
            violaciones.append(Violacion(regla, ficha.linea, ficha.clave_acta, detalle))
    return violaciones


_Hallazgos = Iterator[tuple[Regla, str]]


def _estatus(base: BaseLeida, ficha: Ficha, criterios: Criterios) -> _Hallazgos:
    if ficha.observado.desconocido:
        yield reglas.OBSERVACION_DESCONOCIDA, f"dice «{ficha.observado.desconocido[:60]}»"
    if raros := [c for c, v in ficha.votos.items() if v in (Marca.DESCONOCIDA, Marca.NO_APLICA)]:
        yield reglas.DATO_DESCONOCIDO, f"en {', '.join(raros[:5])}"
    tope = ficha.tope(criterios.especial, criterios.representantes_por_omision)
    codigos = ficha.codigos(tope, criterios.vacio_es_sin_dato)
    debida = ficha.debida(codigos)
    if "CONTABILIZADA" in base.posiciones and ficha.publicada != debida:
        yield _mal_contabilizada(ficha, codigos, tope, debida)
    elif "OBSERVACIONES" in base.posiciones and ficha.estado is Estado.CAPTURADA:
        yield from _observacion(ficha, codigos)


def _mal_contabilizada(ficha: Ficha, codigos: frozenset[str], tope: int | None, debida: str) -> tuple[Regla, str]:
    if ficha.contabilizada and TODOS_ILEGIBLES_O_SIN_DATO in codigos:
        return reglas.TODOS_SIN_DATO_CONTABILIZADA, "ningún renglón de votos tiene cantidad y CONTABILIZADA dice 1"
    if ficha.contabilizada and EXCEDE_LISTA_NOMINAL in codigos:
        return (
            reglas.EXCEDE_CONTABILIZADA,
            f"suma {ficha.total} votos, caben {tope} y CONTABILIZADA dice 1 (sobran {ficha.total - (tope or 0)})",
        )
    return (
        reglas.CONTABILIZADA_NO_CORRESPONDE,
        f"acta {ficha.estado.value}: dice {ficha.publicada or 'vacío'} y corresponde {debida or 'vacío'}",
    )


def _observacion(ficha: Ficha, codigos: frozenset[str]) -> _Hallazgos:
    dichos = ficha.observado.codigos
    # «Excede» puede ir sola aunque haya más que decir: prevalece (LEEME IECM 2024, columna 37).
    if dichos == codigos or dichos == codigos & {EXCEDE_LISTA_NOMINAL} != frozenset():
        return
    faltan, sobran = sorted(codigos - dichos), sorted(dichos - codigos)
    partes = [f"falta {', '.join(faltan)}"] * bool(faltan) + [f"sobra {', '.join(sobran)}"] * bool(sobran)
    yield reglas.OBSERVACION_NO_CORRESPONDE, "; ".join(partes)


def _especial(base: BaseLeida, ficha: Ficha, tope: TopeEspecial) -> _Hallazgos:
    if not ficha.especial or ficha.estado is not Estado.CAPTURADA or "OBSERVACIONES" not in base.posiciones:
        return
    representantes = ficha.representantes or 0
    if not ficha.excedida and (motivo := tope.delata(ficha.total, representantes)):
        yield reglas.EXCEDE_CONTABILIZADA, motivo
    elif ficha.excedida != (ficha.total > inferencia.BOLETAS_ESPECIAL + representantes * (not ficha.excedida)):
        marca = "marcada" if ficha.excedida else "sin marcar"
        yield reglas.ESPECIAL_FUERA_DE_LO_USUAL, f"{marca} con {ficha.total} votos y {representantes} representaciones"


def _excluida(base: BaseLeida, renglon: Renglon, ficha: Ficha) -> _Hallazgos:
    """Lo que se deja sin sumar no puede traer datos: así se desaparecería un acta legible."""
    if ficha.estado is Estado.CAPTURADA:
        return
    totales = [entero(base.valor(renglon, c)) or 0 for c in ("TOTAL_VOTOS_CALCULADO", "TOTAL_VOTOS_ASENTADO")]
    votos = max(ficha.total, *totales)
    if ficha.estado is Estado.PENDIENTE:
        if votos or ficha.observado.codigos or ficha.observado.desconocido:
            dice = base.valor(renglon, "OBSERVACIONES")[:60]
            yield reglas.PENDIENTE_CON_DATOS, f"trae {votos} votos y dice «{dice}»"
        return
    if votos:
        yield reglas.VOTOS_EN_ACTA_EXCLUIDA, f"{ficha.estado.value}, y trae {votos} votos"
    casilla = base.valor(renglon, "CLAVE_CASILLA")
    if ficha.estado is Estado.FUERA_DE_CATALOGO and casilla and casilla == _clave(base, renglon, ficha):
        yield reglas.FUERA_DE_CATALOGO_CON_CASILLA, f"sus partes forman {casilla}"


def _totales(base: BaseLeida, renglon: Renglon, ficha: Ficha) -> _Hallazgos:
    if ficha.estado is not Estado.CAPTURADA:
        return
    texto = base.valor(renglon, "TOTAL_VOTOS_CALCULADO")
    publicado = entero(texto)
    # Sin nada legible, Oaxaca 2022 llena todo el renglón con «ILEGIBLE» o «SIN DATO», también el total.
    relleno = not ficha.legible and campo(texto) in (ILEGIBLE, SIN_DATO)
    if publicado != ficha.total and "TOTAL_VOTOS_CALCULADO" in base.posiciones and not relleno:
        dice = f"«{texto[:20]}»" if publicado is None else publicado
        yield reglas.TOTAL_CALCULADO_NO_SUMA, f"dice {dice} y sus votos suman {ficha.total}"
    asentado = campo(base.valor(renglon, "TOTAL_VOTOS_ASENTADO"))
    if isinstance(asentado, Numero) and asentado.valor != ficha.total:
        yield reglas.TOTAL_ASENTADO_DISTINTO, f"el papel dice {asentado.valor} y sus votos suman {ficha.total}"


def _claves(base: BaseLeida, renglon: Renglon, ficha: Ficha) -> _Hallazgos:
    if ficha.estado is Estado.FUERA_DE_CATALOGO:
        return
    casilla = base.valor(renglon, "CLAVE_CASILLA")
    if clave_comprobable(base, renglon, ficha) and casilla != (compuesta := _clave(base, renglon, ficha)):
        forman = f"forman {compuesta}" if compuesta else "no son números"
        yield reglas.CLAVE_CASILLA_NO_COMPONE, f"dice {casilla or 'vacío'} y sus partes {forman}"
    if "CLAVE_ACTA" in base.posiciones and "CLAVE_CASILLA" in base.posiciones:
        tipo = base.valor(renglon, "TIPO_ACTA")
        final = ficha.clave_acta.removeprefix(casilla)
        if not ficha.clave_acta.startswith(casilla) or final.lstrip("0") != tipo.lstrip("0"):
            yield (
                reglas.CLAVE_ACTA_NO_COMPONE,
                f"dice {ficha.clave_acta or 'vacío'}; casilla {casilla}, tipo de acta {tipo or 'vacío'}",
            )


_PARTES: Final = ("ID_ENTIDAD", "SECCION", "ID_CASILLA", "EXT_CONTIGUA")


def clave_comprobable(base: BaseLeida, renglon: Renglon, ficha: Ficha) -> bool:
    """Si el archivo trae las partes de CLAVE_CASILLA; las mesas pueden decir «N/A» en alguna."""
    if not base.posiciones.keys() >= {"CLAVE_CASILLA", *_PARTES}:
        return False
    return not (ficha.mesa and any(campo(base.valor(renglon, c)) is Marca.NO_APLICA for c in _PARTES))


def _clave(base: BaseLeida, renglon: Renglon, ficha: Ficha) -> str:
    """CLAVE_CASILLA que forman sus partes; vacía si alguna no es un número."""
    numeros = [n for c in _PARTES if (n := entero(base.valor(renglon, c))) is not None]
    if len(numeros) < len(_PARTES):
        return ""
    entidad, seccion, numero, contigua = numeros
    return f"{entidad:02d}{seccion:04d}{ficha.tipo}{numero:02d}{contigua:02d}"


def _padron(base: BaseLeida, renglon: Renglon, ficha: Ficha) -> _Hallazgos:
    if ficha.estado is Estado.FUERA_DE_CATALOGO or "LISTA_NOMINAL" not in base.posiciones:
        return
    if ficha.lista_nominal is None:
        if ficha.estado is not Estado.PENDIENTE and not ficha.especial:
            yield reglas.LISTA_NOMINAL_NO_NUMERICA, f"dice «{base.valor(renglon, 'LISTA_NOMINAL')}»"
    elif ficha.especial and ficha.lista_nominal:
        yield reglas.ESPECIAL_CON_LISTA_NOMINAL, f"dice {ficha.lista_nominal}"


def _huella(base: BaseLeida, renglon: Renglon, ficha: Ficha) -> _Hallazgos:
    if "CODIGO_INTEGRIDAD" not in base.posiciones:
        return
    huella = base.valor(renglon, "CODIGO_INTEGRIDAD")
    if huella in NADA:
        if ficha.estado in (Estado.CAPTURADA, Estado.FUERA_DE_CATALOGO):
            yield reglas.HUELLA_FALTANTE, f"acta {ficha.estado.value} sin CODIGO_INTEGRIDAD"
    elif _SHA_256.fullmatch(huella) is None:
        yield reglas.HUELLA_MALFORMADA, f"«{huella[:20]}…» tiene {len(huella)} posiciones"


def _horas(base: BaseLeida, renglon: Renglon, criterios: Criterios) -> _Hallazgos:
    horas: list[tuple[str, datetime]] = []
    for columna in _HORAS:
        texto = base.valor(renglon, columna)
        hora = fechas.leer(texto)
        if hora is not None:
            horas.append((columna, hora.replace(tzinfo=None)))
        elif texto not in NADA:
            yield reglas.HORA_MALFORMADA, f"{columna} dice «{texto[:30]}»"
    for (antes, primera), (despues, segunda) in pairwise(horas):
        if segunda < primera:
            yield reglas.HORAS_EN_DESORDEN, f"{despues} es {primera - segunda} anterior a {antes}"
    # El corte se publica al minuto: lo ocurrido dentro de ese minuto no es posterior.
    if criterios.corte and (tardias := [h for h in horas if h[1] >= criterios.corte + timedelta(minutes=1)]):
        yield reglas.HORA_POSTERIOR_AL_CORTE, _cuando(tardias)
    if criterios.apertura and (tempranas := [h for h in horas if h[1] < criterios.apertura]):
        yield reglas.HORA_FUERA_DE_OPERACION, _cuando(tempranas)


def _cuando(horas: list[tuple[str, datetime]]) -> str:
    return ", ".join(f"{columna} es {hora:%d/%m/%Y %H:%M:%S}" for columna, hora in horas)


class _Repeticiones:
    """Claves e imágenes que aparecen en más de un renglón."""

    def __init__(self, base: BaseLeida, fichas: Sequence[Ficha]) -> None:
        self._claves = Counter(f.clave_acta for f in fichas if f.clave_acta)
        self._por_division = Counter(
            (f.clave_acta, _division(base, r)) for r, f in zip(base.renglones, fichas, strict=True) if f.clave_acta
        )
        self._huellas = Counter(_imagen(base, r) for r in base.renglones)
        self._identicas = Counter(
            (f.clave_acta, _imagen(base, r)) for r, f in zip(base.renglones, fichas, strict=True) if f.clave_acta
        )

    def de(self, base: BaseLeida, renglon: Renglon, ficha: Ficha) -> _Hallazgos:
        division, huella = _division(base, renglon), _imagen(base, renglon)
        if (veces := self._por_division[ficha.clave_acta, division]) > 1:
            yield reglas.ACTA_DUPLICADA, f"aparece {veces} veces en la misma división"
        elif huella and (veces := self._identicas[ficha.clave_acta, huella]) > 1:
            # Una sección partida levanta dos actas, con dos imágenes; con una sola es la misma acta sumada dos veces.
            yield reglas.ACTA_DUPLICADA, f"aparece {veces} veces con la misma imagen en distintas divisiones"
        elif self._claves[ficha.clave_acta] > 1:
            yield reglas.CLAVE_EN_DOS_DIVISIONES, f"este renglón es de {division or 'ninguna'}"
        if huella and self._huellas[huella] > 1:
            yield reglas.HUELLA_REPETIDA, f"{huella[:12]}… está en {self._huellas[huella]} actas"


def _imagen(base: BaseLeida, renglon: Renglon) -> str:
    huella = base.valor(renglon, "CODIGO_INTEGRIDAD")
    return "" if huella in NADA else huella.lower()


def _division(base: BaseLeida, renglon: Renglon) -> str:
    columnas = ("ID_DISTRITO_LOCAL", "DISTRITO_LOCAL", "ID_MUNICIPIO", "MUNICIPIO")
    return " ".join(v for c in columnas if (v := base.valor(renglon, c)))
