"""Un proceso con todo lo raro que puede traer una elección, y estrategias que levantan sus actas."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from nucleo.acta import (
    MECANISMOS_TRASLADO,
    TIPOS_DOCUMENTO,
    Acta,
    ActaFueraDeCatalogo,
    ActaPendiente,
    ActaSinActa,
    ActaVerificada,
    Asentado,
    Digitalizacion,
    MotivoSinActa,
    Origen,
    Procedencia,
)
from nucleo.campo import ILEGIBLE, SIN_DATO, Campo, Numero
from nucleo.casilla import Casilla
from nucleo.eleccion import Ambito, Candidatura, Coalicion, Eleccion, Opcion, Proceso, TipoOpcion, Vocabulario

HUSO: Final = ZoneInfo("America/Mexico_City")
INICIO: Final = datetime(2024, 6, 2, 18, 0, tzinfo=HUSO)

_P, _C = TipoOpcion.PARTIDO, TipoOpcion.COMBINACION


def _eleccion(clave: str, nombre: str, ambito: Ambito, donde: frozenset[int] | None) -> Eleccion:
    """Coalición PAN-PRI-NA sólo en `donde`; la independiente, sólo en la división 2 si hay divisiones."""
    independiente = None if donde is None else frozenset({2})
    return Eleccion(
        clave=clave,
        nombre=nombre,
        ambito=ambito,
        opciones=(
            Opcion("PAN", _P, "Acción Nacional", ("PAN",)),
            Opcion("PRI", _P, "Revolucionario Institucional", ("PRI",)),
            Opcion("NA", _P, "Nueva Alianza", ("NA",)),
            Opcion("PAN_PRI_NA", _C, "coalición", ("PAN", "PRI", "NA"), donde),
            Opcion("PAN_PRI", _C, "coalición", ("PAN", "PRI"), donde),
            Opcion("PAN_NA", _C, "coalición", ("PAN", "NA"), donde),
            Opcion("PRI_NA", _C, "coalición", ("PRI", "NA"), donde),
            Opcion("CI_1", TipoOpcion.INDEPENDIENTE, "Ana Ruiz", (), independiente),
            Opcion("NO_REGISTRADAS", TipoOpcion.NO_REGISTRADAS, "No registradas"),
            Opcion("NULOS", TipoOpcion.NULOS, "Nulos"),
        ),
        coaliciones=(
            Coalicion("Va por la prueba", ("PAN", "PRI", "NA"), ("PAN_PRI_NA", "PAN_PRI", "PAN_NA", "PRI_NA"), donde),
        ),
        candidaturas=(Candidatura(("PAN", "PRI", "NA"), 'Ñica "la Güera", de Ejutla', ambito=1 if donde else None),),
        ancho_tipo_acta=2,
        tipos_casilla=frozenset("BCESMAP") if donde is None else frozenset("BCES"),
    )


CASILLAS: Final = (
    Casilla(20, 1, "B", 1, 0, 1, "Acatlán", 2, "Acatlán, de Pérez Figueroa", 1, 500, 8),
    Casilla(20, 1, "C", 1, 0, 1, "Acatlán", 2, "Acatlán, de Pérez Figueroa", 1, 499, 8),
    Casilla(20, 7, "E", 1, 2, 2, "Tuxtepec", 184, "San Juan Bautista Tuxtepec", 2, 73, 8),
    Casilla(20, 9, "S", 1, 0, 2, "Tuxtepec", 184, "San Juan Bautista Tuxtepec", 2, 0, 8),
    Casilla(20, 0, "P", 1, 0, None, "", None, "", 1, 40, 0),
    Casilla(20, 0, "A", 1, 0, None, "", None, "", 1, 90, 0),
    Casilla(20, 0, "M", 1, 0, None, "", None, "", 1, 700, 0),
)


def proceso_raro(**cambios: object) -> Proceso:
    """Siete casillas (una de cada tipo), tres elecciones y una coalición que sólo existe en una división."""
    base: dict[str, object] = {
        "clave": "raro2024",
        "nombre": "Proceso raro 2024",
        "entidad": 20,
        "siglas": "OAX",
        "entidad_nombre": "OAXACA",
        "huso": HUSO.key,
        "inicio_operacion": INICIO,
        "inicio_publicacion": INICIO + timedelta(hours=2),
        "cierre": INICIO + timedelta(hours=26),
        "minutos_entre_cortes": 20,
        "boletas_especial": 1000,
        "especial_suma_representantes": False,
        "vocabulario": Vocabulario({}),
        "casillas": {c.clave: c for c in CASILLAS},
        "elecciones": {
            "GUB": _eleccion("GUB", "Gubernatura", Ambito.ENTIDAD, None),
            "DIP_LOC": _eleccion("DIP_LOC", "Diputaciones locales", Ambito.DISTRITO, frozenset({1})),
            "AYUN": _eleccion("AYUN", "Ayuntamientos", Ambito.MUNICIPIO, frozenset({2})),
        },
    }
    return Proceso(**(base | cambios))  # type: ignore[arg-type]


def asentado_con(votos: dict[str, Campo], total: Campo = SIN_DATO) -> Asentado:
    """Acta con esos votos y lo demás en blanco."""
    return Asentado(votos, SIN_DATO, SIN_DATO, SIN_DATO, SIN_DATO, total)


def campos(maximo: int) -> st.SearchStrategy[Campo]:
    """Un número, ilegible o sin dato; los tres frecuentes."""
    return st.one_of(st.integers(0, maximo).map(Numero), st.just(Numero(0)), st.just(ILEGIBLE), st.just(SIN_DATO))


_horas = st.none() | st.integers(0, 26 * 3600).map(lambda s: INICIO + timedelta(seconds=s))

procedencias = st.builds(
    Procedencia,
    _horas,
    _horas,
    _horas,
    st.sampled_from([*Origen, None]),
    st.sampled_from([*Digitalizacion, None]),
    st.sampled_from(TIPOS_DOCUMENTO),
    st.sampled_from(MECANISMOS_TRASLADO),
    st.sampled_from(["", "ab" * 32]),
)


@st.composite
def de_casilla(sortea: st.DrawFn, casilla: Casilla, eleccion: Eleccion) -> Acta:
    """Acta de una casilla en cualquier estado. Las mesas M, A y P no traen boletas ni representaciones."""
    estado = sortea(st.sampled_from(["pendiente", "sin acta", "verificada", "verificada", "en blanco"]))
    if estado == "pendiente":
        return ActaPendiente(casilla)
    if estado == "sin acta":
        return ActaSinActa(casilla, sortea(st.sampled_from(MotivoSinActa)))
    en_blanco: st.SearchStrategy[Campo] = st.sampled_from([ILEGIBLE, SIN_DATO])
    de_voto = en_blanco if estado == "en blanco" else campos(400)
    mesa = casilla.tipo in "MAP"
    asentado = Asentado(
        votos={o.clave: sortea(de_voto) for o in eleccion.opciones_de(casilla)},
        boletas_sobrantes=SIN_DATO if mesa else sortea(campos(750)),
        personas_votaron=sortea(campos(750)),
        representantes_votaron=SIN_DATO if mesa else sortea(campos(20)),
        votos_sacados=sortea(campos(750)),
        total_asentado=sortea(campos(99_999)),
    )
    return ActaVerificada(casilla, asentado, sortea(procedencias))


@st.composite
def de_eleccion(sortea: st.DrawFn, proceso: Proceso, clave: str) -> list[Acta]:
    """Un acta por casilla esperada y algunas fuera de catálogo, en cualquier orden."""
    actas: list[Acta] = [sortea(de_casilla(casilla, proceso.elecciones[clave])) for casilla in proceso.esperadas(clave)]
    huellas = sortea(st.lists(st.sampled_from("0123456789abcdef"), max_size=3, unique=True))
    for huella in huellas:
        p = sortea(procedencias)
        con_imagen = Procedencia(
            p.acopio, None, None, p.origen, p.digitalizacion, p.tipo_documento, p.mecanismo_traslado, huella * 64
        )
        actas.append(ActaFueraDeCatalogo(huella * 64, con_imagen))
    return sortea(st.permutations(actas))
