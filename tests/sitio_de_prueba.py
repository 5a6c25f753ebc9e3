"""Un armador sencillo de fichas: de unas actas cualesquiera a lo que el sitio publica, sin registro ni firmas.

Las fichas de verdad las arma `nucleo.publicacion` con los hechos; aquí se parte de las actas, y lo que no se sabe de
ellas (sucesos, huellas de hojas) se inventa siempre igual.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Final

from ensayo.documentos import documentos_de
from ensayo.publicada import leer_publicada
from nucleo import coalicion
from nucleo.acta import (
    Acta,
    ActaFueraDeCatalogo,
    ActaPendiente,
    ActaSinActa,
    ActaVerificada,
    Procedencia,
)
from nucleo.campo import valor
from nucleo.clasificacion import clasificar, cuenta_como_inconsistente, tope, total_calculado
from nucleo.definicion import cargar_proceso
from nucleo.eleccion import Eleccion, Proceso, TipoOpcion
from nucleo.publicacion.fichas import (
    Corte,
    FichaActa,
    FichaDivision,
    FichaEleccion,
    FichaProceso,
    FichaSeccion,
    Situacion,
    Suceso,
)
from nucleo.publicacion.parcial import Parcial
from servicio_central.sitio.paginas import (
    Contexto,
    pagina_de_casilla,
    paginas_de_division,
    paginas_de_eleccion,
    paginas_de_proceso,
    paginas_de_seccion,
    paginas_de_siempre,
)

DATOS: Final = Path(__file__).resolve().parents[1] / "datos"
_PENDIENTES: Final = (
    Situacion.NO_HA_LLEGADO,
    Situacion.NO_HA_LLEGADO,
    Situacion.NO_HA_LLEGADO,
    Situacion.RECIBIDA,
    Situacion.DIGITALIZADA,
    Situacion.EN_CAPTURA,
    Situacion.EN_DISCREPANCIA,
    Situacion.EN_DUDA,
)


@cache
def oaxaca() -> Proceso:
    return cargar_proceso(DATOS / "oaxaca_2022")


@cache
def actas_de_oaxaca(corte: str) -> tuple[Acta, ...]:
    """Las del corte publicado a esa hora (`20220606_0000`), en orden de catálogo y al final las fuera de catálogo."""
    proceso = oaxaca()
    (eleccion,) = proceso.elecciones.values()
    bases = leer_publicada(DATOS / "oaxaca_2022" / "cortes" / f"{corte}_PREP_GUB_OAX.zip")
    llegaron: dict[str, Acta] = {}
    fuera: list[Acta] = []
    for d in documentos_de(bases, proceso, eleccion):
        procedencia = Procedencia(
            d.acopio,
            d.captura,
            d.verificacion,
            d.origen,
            d.digitalizacion,
            d.tipo_documento,
            d.mecanismo_traslado,
            _huella(d.acta.casilla or d.huella_publicada),
        )
        if not d.acta.casilla:
            fuera.append(ActaFueraDeCatalogo(d.huella_publicada[:12], procedencia))
            continue
        casilla = proceso.casillas[d.acta.casilla]
        if d.asentado is not None:
            llegaron[casilla.clave] = ActaVerificada(casilla, d.asentado, procedencia)
        elif d.sin_acta is not None:
            llegaron[casilla.clave] = ActaSinActa(casilla, d.sin_acta)
    esperadas = proceso.esperadas(eleccion.clave)
    return (*(llegaron.get(c.clave) or ActaPendiente(c) for c in esperadas), *fuera)


def primeras(cuantas: int) -> tuple[Acta, ...]:
    """Oaxaca cuando sólo habían llegado esas actas."""
    con_votos = [a for a in actas_de_oaxaca("20220606_0000") if isinstance(a, ActaVerificada)][:cuantas]
    llegaron = {a.casilla.clave: a for a in con_votos}
    return tuple(llegaron.get(c.clave) or ActaPendiente(c) for c in oaxaca().esperadas("GUB"))


def corte_a_las(hora: datetime, *, ultimo: bool = False) -> Corte:
    return Corte(f"{hora:%Y%m%d_%H%M}", hora, ultimo)


def ficha_de(proceso: Proceso, actas: Mapping[str, Sequence[Acta]], corte: Corte) -> FichaProceso:
    """Arma todo un proceso. `actas` va por clave de elección; las que no tenga son todas pendientes."""
    fichas = []
    for eleccion in proceso.elecciones.values():
        suyas = actas.get(eleccion.clave) or [ActaPendiente(c) for c in proceso.esperadas(eleccion.clave)]
        fichas.append(_eleccion(proceso, eleccion, suyas, corte))
    return FichaProceso(proceso, corte, tuple(fichas), None)


def sitio(ficha: FichaProceso, contexto: Contexto, cada: int = 1) -> Iterator[tuple[str, bytes]]:
    """Todas las páginas de un corte, como las pedirá quien lo haga; de las secciones, una de cada tantas."""
    yield from paginas_de_proceso(ficha, contexto)
    yield from paginas_de_siempre(contexto)
    por_seccion: dict[int, list[FichaSeccion]] = defaultdict(list)
    for e in ficha.elecciones:
        yield from paginas_de_eleccion(e, ficha.corte, contexto)
        for d in e.divisiones:
            yield from paginas_de_division(d, ficha.corte, contexto)
            for s in d.secciones[::cada]:
                por_seccion[s.seccion].append(s)
                yield from paginas_de_seccion(s, contexto)
    for fichas in por_seccion.values():
        yield pagina_de_casilla(fichas, contexto)


def escribir(paginas: Iterable[tuple[str, bytes]], carpeta: Path) -> None:
    for ruta, datos in paginas:
        (carpeta / ruta).parent.mkdir(parents=True, exist_ok=True)
        (carpeta / ruta).write_bytes(datos)


def _eleccion(proceso: Proceso, eleccion: Eleccion, actas: Sequence[Acta], corte: Corte) -> FichaEleccion:
    fuera = tuple(a for a in actas if isinstance(a, ActaFueraDeCatalogo))
    fichas = [_acta(proceso, eleccion, a, corte) for a in actas if not isinstance(a, ActaFueraDeCatalogo)]
    grupos = _agrupar(fichas, lambda f: eleccion.division(f.casilla))
    divisiones = [_division(proceso, eleccion, clave, suyas) for clave, suyas in grupos.items()]
    divisiones.sort(key=lambda d: (d.clave is None, d.clave or 0))
    por_division = {d.clave: d.parcial.votos for d in divisiones}
    candidaturas: Counter[str] = Counter()
    for d in divisiones:
        candidaturas.update(d.por_candidatura)
    parcial = _parcial(proceso, eleccion, fichas, len(fuera))
    nombre = f"{corte.nombre}_PREP_{eleccion.clave}_{proceso.siglas}.zip"
    return FichaEleccion(
        eleccion,
        parcial,
        dict(candidaturas),
        coalicion.repartir_divisiones(por_division, eleccion),
        _adelante(candidaturas, eleccion),
        tuple(divisiones),
        _parcial(proceso, eleccion, [f for f in fichas if f.casilla.especial], 0),
        fuera,
        (nombre, 413_201, _huella(nombre)),
        len(fichas),
        _huella(eleccion.clave),
    )


def _division(proceso: Proceso, eleccion: Eleccion, clave: int | None, fichas: Sequence[FichaActa]) -> FichaDivision:
    casilla = fichas[0].casilla
    nombre = casilla.municipio_nombre if eleccion.ambito.value == "municipio" else casilla.distrito_nombre
    secciones = tuple(
        FichaSeccion(
            eleccion,
            seccion,
            clave,
            nombre,
            suyas[0].casilla.municipio_nombre,
            _parcial(proceso, eleccion, suyas, 0),
            tuple(suyas),
        )
        for seccion, suyas in sorted(_agrupar(fichas, lambda f: f.casilla.seccion).items())
    )
    parcial = _parcial(proceso, eleccion, fichas, 0)
    candidaturas = coalicion.por_candidatura(dict(parcial.votos), eleccion, clave)
    partidos = coalicion.repartir(dict(parcial.votos), eleccion, clave)
    adelante = _adelante(candidaturas, eleccion)
    return FichaDivision(eleccion, clave, nombre, parcial, candidaturas, partidos, adelante, secciones)


def _acta(proceso: Proceso, eleccion: Eleccion, acta: Acta, corte: Corte) -> FichaActa:
    assert not isinstance(acta, ActaFueraDeCatalogo)
    casilla = acta.casilla
    clasificacion = clasificar(acta, proceso)
    base = (proceso, eleccion, casilla, acta, clasificacion)
    if isinstance(acta, ActaPendiente):
        azar = int(_huella(casilla.clave)[:4], 16)
        situacion = _PENDIENTES[azar % len(_PENDIENTES)] if corte.hora > proceso.inicio_publicacion else _PENDIENTES[0]
        return FichaActa(*base, situacion, (), None, tope(casilla, proceso), (), "", 0, False, (), None)
    hojas = tuple(_huella(f"{casilla.clave}{n}") for n in range(4))
    if isinstance(acta, ActaSinActa):
        dicho = (Suceso(corte.hora, "sin_acta", "", hojas[0]), Suceso(corte.hora, "publicada"))
        return FichaActa(
            *base, Situacion.SIN_ACTA, (), None, tope(casilla, proceso), dicho, "", 0, False, hojas[:1], corte
        )
    assert clasificacion is not None
    p = acta.procedencia
    sucesos = tuple(
        Suceso(hora, que, "", hoja)
        for hora, que, hoja in (
            (p.acopio, "acopio", hojas[0]),
            (p.acopio, "imagen", hojas[1]),
            (p.captura, "captura", hojas[2]),
            (p.verificacion, "captura", hojas[3]),
            (p.verificacion, "verificada", ""),
            (corte.hora, "publicada", ""),
        )
        if hora is not None
    )
    suma = clasificacion.contabilizada == 1
    return FichaActa(
        *base,
        Situacion.CONTABILIZADA if suma else Situacion.NO_CONTABILIZADA,
        tuple((o, acta.asentado.votos[o.clave]) for o in eleccion.opciones_de(casilla)),
        total_calculado(acta.asentado),
        tope(casilla, proceso),
        sucesos,
        p.imagen,
        412_345,
        int(p.imagen[:2], 16) % 5 > 0 if p.imagen else False,
        hojas,
        corte,
    )


def _parcial(proceso: Proceso, eleccion: Eleccion, fichas: Sequence[FichaActa], fuera: int) -> Parcial:
    votos: dict[str, int] = {}
    faltantes: Counter[str] = Counter()
    codigos: Counter[str] = Counter()
    cuenta: Counter[str] = Counter(esperadas=len(fichas), fuera_catalogo=fuera)
    for f in fichas:
        cuenta["lista_nominal_esperada"] += f.casilla.lista_nominal
        for opcion in eleccion.opciones_de(f.casilla):
            votos.setdefault(opcion.clave, 0)
        if f.clasificacion is None:
            faltantes[f.situacion.value] += 1
            continue
        codigos.update(f.clasificacion.inconsistencias)
        cuenta["inconsistentes"] += cuenta_como_inconsistente(f.clasificacion)
        if f.clasificacion.contabilizada != 1:
            cuenta["no_contabilizadas"] += 1
            faltantes[f.clasificacion.inconsistencias[0]] += 1
            continue
        cuenta["contabilizadas"] += 1
        cuenta["urbanas" if f.casilla.ubicacion == 1 else "no_urbanas"] += 1
        cuenta["votos_c_cs"] += f.total_calculado or 0
        if not f.casilla.especial:
            cuenta["votos_s_cs"] += f.total_calculado or 0
            cuenta["lista_nominal"] += f.casilla.lista_nominal
        for opcion, campo in f.renglones:
            votos[opcion.clave] += valor(campo)
    return Parcial(**cuenta, votos=votos, faltantes=dict(faltantes), inconsistencias=dict(codigos))


def _adelante(candidaturas: Mapping[str, int], eleccion: Eleccion) -> tuple[str, ...]:
    no_compiten = {o.clave for o in eleccion.opciones if o.tipo in (TipoOpcion.NO_REGISTRADAS, TipoOpcion.NULOS)}
    compiten = {c: n for c, n in candidaturas.items() if c not in no_compiten}
    mayor = max(compiten.values(), default=0)
    return tuple(c for c, n in compiten.items() if n == mayor > 0)


def _agrupar(fichas: Sequence[FichaActa], por: Callable[[FichaActa], int | None]) -> dict[int, list[FichaActa]]:
    grupos: dict[int, list[FichaActa]] = {}
    for f in fichas:
        grupos.setdefault(por(f), []).append(f)  # type: ignore[arg-type]
    return grupos


def _huella(texto: str) -> str:
    return sha256(texto.encode()).hexdigest()
