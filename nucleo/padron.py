"""El padrón de equipos: qué llaves, qué CATD y qué época tiene cada kiosco inscrito, y qué de lo suyo no se cuenta. Lo
firma la autoridad fuera de línea.

La época también se inscribe: si alguien copia la llave a otro disco y empieza una cadena nueva, su época no está en
el padrón. Un equipo puede cambiar de llave sin cambiar de cadena, y lo que firmó un kiosco tomado se excluye aquí y
sólo aquí: contar es función de los hechos y de este documento.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, TypeVar

from joserfc.jwk import ECKey

from nucleo import formas
from nucleo.carga import leer_carga
from nucleo.casilla import Casilla
from nucleo.formas import CORTO, EPOCA, EQUIPO
from nucleo.renglon import HechoInvalido, hora_con_huso
from nucleo.sobre import MAXIMO_PADRON, Firmante, SobreInvalido, Tipo, huella, verificar
from nucleo.temas import RESERVADOS

AUTORIDAD: Final = "autoridad"
"""Identidad (`kid`) de la autoridad que firma el padrón."""

MAXIMO_LLAVES: Final = 4
"""Por equipo. Con dos basta para cambiarla; cada una de más es otra firma que probar en cada sobre ajeno."""

MAXIMO_AMBITO: Final = 200
MAXIMO_MOTIVO: Final = 200

_LLAVE: Final = {"kty", "crv", "x", "y"}
_AMBITO: Final = re.compile(r"[0-9]{2}[0-9A-Z]{0,9}|[DM][1-9][0-9]{0,3}")
_EXCLUSION: Final = {"hasta", "motivo", "fecha"}

_T = TypeVar("_T")


@dataclass(frozen=True)
class LlaveInscrita:
    """Una llave pública P-256 y hasta dónde vale."""

    llave: ECKey
    hasta: Mapping[str, int] | None = None
    """Época → última secuencia que vale con ella; `None` si sigue abierta. De la época que no está, ninguna."""

    @property
    def identificador(self) -> str:
        """Huella RFC 7638 de la llave."""
        return self.llave.thumbprint()

    @property
    def publica(self) -> dict[str, str]:
        """Sólo lo que identifica a la llave, como JWK (RFC 7518 §6.2.1)."""
        return {k: str(d) for k, d in self.llave.as_dict(private=False).items() if k in _LLAVE}

    def vale(self, epoca: str, secuencia: int) -> bool:
        """Si lo firmado con ella en ese lugar de la cadena se acepta."""
        return self.hasta is None or secuencia <= self.hasta.get(epoca, 0)


@dataclass(frozen=True, slots=True)
class Exclusion:
    """Lo de una época posterior a `hasta` no se cuenta: la autoridad sabe o sospecha que lo firmó otra persona."""

    hasta: int
    """Última secuencia que se cuenta; 0 si ninguna."""
    motivo: str
    fecha: datetime
    """Cuándo lo firmó la autoridad, con huso."""


@dataclass(frozen=True)
class Equipo:
    """Un kiosco inscrito."""

    nombre: str
    catd: str
    epocas: frozenset[str]
    llave: ECKey
    """La más nueva."""
    vigente: bool = True
    hasta: Mapping[str, int] | None = None
    """Hasta dónde vale `llave`, como en `LlaveInscrita`."""
    anteriores: tuple[LlaveInscrita, ...] = ()
    """Las que tuvo, de la más reciente a la más vieja."""
    exclusiones: Mapping[str, Exclusion] = field(default_factory=dict)
    """Época → qué de ella no se cuenta."""
    casillas: tuple[str, ...] = ()
    """De qué casillas puede hablar: prefijos de CLAVE_CASILLA, `D5` (distrito) o `M12` (municipio). Vacío: de todas."""

    @property
    def llaves(self) -> tuple[LlaveInscrita, ...]:
        """Todas, de la más nueva a la más vieja: en ese orden se prueban."""
        return (LlaveInscrita(self.llave, self.hasta), *self.anteriores)

    def abrir(self, compacto: str, lector: Callable[[str, ECKey], _T]) -> tuple[_T, LlaveInscrita]:
        """Lo que `lector` saca del sobre con la llave que lo firmó, y cuál fue. Que valga ahí, lo mira quien llama.

        Raises:
            SobreInvalido: FIRMA, si no la hizo ninguna de sus llaves; lo demás, como `lector`.
        """
        falla = SobreInvalido("FIRMA", "el equipo no tiene llaves")
        for inscrita in self.llaves:
            try:
                return lector(compacto, inscrita.llave), inscrita
            except SobreInvalido as error:
                if error.codigo != "FIRMA":
                    raise
                falla = error
        raise falla

    def toca(self, casilla: Casilla) -> bool:
        """Si puede hablar de esa casilla."""
        if not self.casillas:
            return True
        propios = {f"D{casilla.distrito}", f"M{casilla.municipio}"}
        return any(c in propios or casilla.clave.startswith(c) for c in self.casillas)

    def excluye(self, epoca: str, secuencia: int) -> Exclusion | None:
        """La exclusión que alcanza a ese lugar de la cadena, si la hay."""
        exclusion = self.exclusiones.get(epoca)
        return exclusion if exclusion is not None and secuencia > exclusion.hasta else None


@dataclass(frozen=True)
class Padron:
    """Equipos inscritos, por nombre. `version` crece con cada firma."""

    proceso: str
    modo: str
    version: int
    equipos: Mapping[str, Equipo]
    huella: str = field(default="", compare=False)
    """SHA-256 de lo firmado, sin la firma; vacía si aún no se firma."""

    def excluye(self, equipo: str, epoca: str, secuencia: int) -> Exclusion | None:
        """La exclusión que alcanza a ese hecho, si la hay. Un equipo que no está no tiene ninguna."""
        inscrito = self.equipos.get(equipo)
        return inscrito.excluye(epoca, secuencia) if inscrito is not None else None

    @property
    def exclusiones(self) -> tuple[tuple[str, str, Exclusion], ...]:
        """(equipo, época, exclusión) de todas, en orden."""
        return tuple((n, p, x) for n, e in sorted(self.equipos.items()) for p, x in sorted(e.exclusiones.items()))


def sellar_padron(padron: Padron, firmante: Firmante) -> str:
    """JWS compacto del padrón, versión 2. Puede ser grande (`MAXIMO_PADRON`): no viaja por MQTT.

    Raises:
        SobreInvalido: FORMA o TAMANO, si nadie podría abrirlo.
    """
    dato = {
        "v": 2,
        "proceso": padron.proceso,
        "modo": padron.modo,
        "version": padron.version,
        "equipos": {e.nombre: _dato(e) for e in padron.equipos.values()},
    }
    carga = json.dumps(dato, separators=(",", ":"), sort_keys=True).encode()
    _abrir_carga(carga)
    compacto = firmante.firmar(Tipo.PADRON, carga)
    if len(compacto) > MAXIMO_PADRON:
        raise SobreInvalido("TAMANO", f"el padrón mide {len(compacto)} bytes y el tope es {MAXIMO_PADRON}")
    return compacto


def abrir_padron(compacto: str, llave_autoridad: ECKey) -> Padron:
    """Verifica y lee un padrón, de la versión 1 o la 2.

    Raises:
        SobreInvalido: si no lo firmó la autoridad o no tiene la forma.
    """
    carga = verificar(compacto, llave_autoridad, Tipo.PADRON, MAXIMO_PADRON, de=AUTORIDAD)
    return _abrir_carga(carga, huella(compacto))


def _dato(equipo: Equipo) -> dict[str, Any]:
    dato: dict[str, Any] = {
        "catd": equipo.catd,
        "epocas": sorted(equipo.epocas),
        "llaves": [_dato_de_llave(i) for i in equipo.llaves],
        "vigente": equipo.vigente,
    }
    if equipo.exclusiones:
        dato["exclusiones"] = {
            epoca: {"hasta": x.hasta, "motivo": x.motivo, "fecha": x.fecha.isoformat()}
            for epoca, x in equipo.exclusiones.items()
        }
    if equipo.casillas:
        dato["casillas"] = list(equipo.casillas)
    return dato


def _dato_de_llave(inscrita: LlaveInscrita) -> dict[str, Any]:
    dato: dict[str, Any] = {"id": inscrita.identificador, "llave": inscrita.publica}
    if inscrita.hasta is not None:
        dato["hasta"] = dict(inscrita.hasta)
    return dato


def _abrir_carga(carga: bytes, propia: str = "") -> Padron:
    return leer_carga(carga, lambda dato: _leer(dato, propia), "el padrón")


def _leer(dato: Mapping[str, Any], propia: str) -> Padron:
    if set(dato) != {"v", "proceso", "modo", "version", "equipos"} or type(dato["v"]) is not int:
        raise ValueError
    lector = {1: _equipo_v1, 2: _equipo_v2}[dato["v"]]
    if CORTO.fullmatch(dato["proceso"]) is None or CORTO.fullmatch(dato["modo"]) is None:
        raise ValueError
    equipos = {nombre: lector(_nombre(nombre), datos) for nombre, datos in dato["equipos"].items()}
    return Padron(dato["proceso"], dato["modo"], formas.entero(dato["version"]), equipos, propia)


def _nombre(nombre: str) -> str:
    # Un kiosco con uno de esos nombres heredaría los permisos del centro en el bróker, o firmaría padrones.
    if EQUIPO.fullmatch(nombre) is None or nombre in (*RESERVADOS, AUTORIDAD):
        raise ValueError(nombre)
    return nombre


def _equipo_v1(nombre: str, dato: Mapping[str, Any]) -> Equipo:
    if set(dato) != {"catd", "epocas", "llave", "vigente"}:
        raise ValueError(nombre)
    return Equipo(nombre, _catd(dato), _epocas(dato), _llave(dato["llave"]), _vigente(dato))


def _equipo_v2(nombre: str, dato: Mapping[str, Any]) -> Equipo:
    if set(dato) - {"exclusiones", "casillas"} != {"catd", "epocas", "llaves", "vigente"}:
        raise ValueError(nombre)
    epocas, llaves = _epocas(dato), dato["llaves"]
    if not isinstance(llaves, list) or not 1 <= len(llaves) <= MAXIMO_LLAVES:
        raise ValueError(nombre)
    nueva, *anteriores = (_inscrita(llave, epocas) for llave in llaves)
    # Repetida, la cerrada seguiría valiendo por la que está abierta.
    if len({i.identificador for i in (nueva, *anteriores)}) != len(llaves):
        raise ValueError(nombre)
    return Equipo(
        nombre,
        _catd(dato),
        epocas,
        nueva.llave,
        _vigente(dato),
        nueva.hasta,
        tuple(anteriores),
        _exclusiones(dato["exclusiones"], epocas) if "exclusiones" in dato else {},
        _casillas(dato["casillas"]) if "casillas" in dato else (),
    )


def _inscrita(dato: Mapping[str, Any], epocas: frozenset[str]) -> LlaveInscrita:
    if set(dato) - {"hasta"} != {"id", "llave"}:
        raise ValueError
    hasta = None
    if "hasta" in dato:
        hasta = {e: formas.entero(n) for e, n in dato["hasta"].items()}
        if not hasta.keys() <= epocas:
            raise ValueError
    inscrita = LlaveInscrita(_llave(dato["llave"]), hasta)
    if dato["id"] != inscrita.identificador:
        raise ValueError
    return inscrita


def _llave(dato: Mapping[str, Any]) -> ECKey:
    if set(dato) != _LLAVE or (dato["kty"], dato["crv"]) != ("EC", "P-256"):
        raise ValueError
    return ECKey.import_key(dict(dato))


def _exclusiones(dato: Mapping[str, Any], epocas: frozenset[str]) -> dict[str, Exclusion]:
    if not dato or not dato.keys() <= epocas:
        raise ValueError
    return {epoca: _exclusion(exclusion) for epoca, exclusion in dato.items()}


def _exclusion(dato: Mapping[str, Any]) -> Exclusion:
    motivo = dato["motivo"]
    if set(dato) != _EXCLUSION or not isinstance(motivo, str):
        raise ValueError
    if not 0 < len(motivo) <= MAXIMO_MOTIVO or not motivo.isprintable():
        raise ValueError
    try:
        fecha = hora_con_huso(dato["fecha"])
    except HechoInvalido as error:
        raise ValueError from error
    return Exclusion(formas.entero(dato["hasta"]), motivo, fecha)


def _casillas(dato: object) -> tuple[str, ...]:
    if not isinstance(dato, list) or not 0 < len(dato) <= MAXIMO_AMBITO:
        raise ValueError
    if not all(isinstance(c, str) and _AMBITO.fullmatch(c) for c in dato):
        raise ValueError
    return tuple(dato)


def _catd(dato: Mapping[str, Any]) -> str:
    if EQUIPO.fullmatch(dato["catd"]) is None:
        raise ValueError
    return str(dato["catd"])


def _epocas(dato: Mapping[str, Any]) -> frozenset[str]:
    epocas = dato["epocas"]
    if not isinstance(epocas, list) or not all(EPOCA.fullmatch(e) for e in epocas):
        raise ValueError
    return frozenset(epocas)


def _vigente(dato: Mapping[str, Any]) -> bool:
    if not isinstance(dato["vigente"], bool):
        raise ValueError
    return dato["vigente"]
