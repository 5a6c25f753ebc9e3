"""El código que identifica un acta: dice de qué casilla y elección es; nunca trae votos.

Cada instituto imprime el suyo, así que hay un registro de formas. `INE8` son ocho campos unidos con `|`, en el orden
que usa el área de pruebas del INE (`docs/dominio.md` §5.2):
`ID_ESTADO|ID_DISTRITO|TIPO_ACTA|SECCION|ID_CASILLA|TIPO_CASILLA|EXT_CONTIGUA|ID_TIPO_CANDIDATURA`, y en su variante
firmada un noveno con el HMAC-SHA256. `PREP1` es nuestra etiqueta (`nucleo.etiqueta`). Un código sólo vale después de
`identificar`, que lo coteja contra el catálogo.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType
from typing import Final

from nucleo import etiqueta
from nucleo.casilla import TIPOS, Casilla
from nucleo.eleccion import Eleccion, Proceso
from nucleo.hechos import IdActa
from nucleo.problema import Rechazo

INE8: Final = "INE8"
PREP1: Final = etiqueta.FORMA
MAXIMO_TEXTO: Final = 300
"""Caracteres; el más largo que se conoce, el de ocho campos con su HMAC, no llega a 130."""

_TIPO_ACTA: Final = re.compile(r"[0-9A-Z]{1,6}")
_CANDIDATURA: Final = re.compile(r"[A-Z0-9_]{1,20}")
_HMAC: Final = re.compile(r"[0-9A-Fa-f]{64}")


class CodigoInvalido(ValueError):
    """Lo leído no es el código de un acta."""


class FirmaInvalida(CodigoInvalido):
    """El código dice ser del instituto y su firma no lo confirma."""


class Firma(Enum):
    """Qué se sabe de quién hizo el código."""

    NO_LLEVA = "NO_LLEVA"
    SIN_COMPROBAR = "SIN_COMPROBAR"
    """Trae firma y en este kiosco no hay llave con qué comprobarla."""
    VALIDA = "VALIDA"


@dataclass(frozen=True, slots=True)
class CodigoDeActa:
    """Lo que dice el QR. `distrito` es 0 si la casilla no tiene; `candidatura` es la clave de la elección."""

    entidad: int
    distrito: int
    tipo_acta: str
    seccion: int
    numero: int
    tipo: str
    ext_contigua: int
    candidatura: str

    @property
    def clave_casilla(self) -> str:
        return f"{self.entidad:02d}{self.seccion:04d}{self.tipo}{self.numero:02d}{self.ext_contigua:02d}"


@dataclass(frozen=True)
class Formas:
    """Qué códigos imprime el instituto y cómo se comprueban."""

    admitidas: tuple[str, ...] = (PREP1, INE8)
    """Nombres de formas registradas, en el orden en que se prueban."""
    llave: bytes | None = field(default=None, repr=False)
    """La del HMAC del instituto. Si se da, un código de ocho campos sin firma se rechaza."""
    candidaturas: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """ID_TIPO_CANDIDATURA del instituto → clave de la elección; la que no esté se toma tal cual."""
    cotejar_distrito: bool = True
    """Si el distrito del código es el mismo del catálogo; en casilla única el INE puede imprimir el federal."""

    def __post_init__(self) -> None:
        for nombre in self.admitidas:
            if nombre not in _REGISTRO:
                raise ValueError(f"no existe la forma de código {nombre!r}; hay {', '.join(_REGISTRO)}")


@dataclass(frozen=True, slots=True)
class Identificado:
    """El acta que dice un código, ya cotejada con el catálogo."""

    acta: IdActa
    forma: str
    nonce: str | None = None
    """El de nuestra etiqueta, si se leyó completa."""
    firma: Firma = Firma.NO_LLEVA
    folio: int | None = None
    """`etiqueta.folio_de`, si sólo se leyó el Code 128 de nuestra etiqueta."""


@dataclass(frozen=True, slots=True)
class _Dicho:
    """Lo que afirma un código de cualquier forma, antes de cotejarlo. Lo que esa forma no dice es `None`."""

    casilla: str
    eleccion: str | None = None
    resumen_de_eleccion: int | None = None
    tipo_acta: str | None = None
    distrito: int | None = None
    nonce: str | None = None
    folio: int | None = None
    firma: Firma = Firma.NO_LLEVA


def codigo_de(casilla: Casilla, eleccion: Eleccion) -> str:
    """Texto del QR de ocho campos para el acta de esa casilla y elección."""
    return "|".join(
        (
            f"{casilla.entidad:02d}",
            f"{casilla.distrito or 0:02d}",
            eleccion.tipo_acta_de(casilla),
            f"{casilla.seccion:04d}",
            f"{casilla.numero:02d}",
            casilla.tipo,
            f"{casilla.ext_contigua:02d}",
            eleccion.clave,
        )
    )


def codigo_firmado(codigo: str, llave: bytes) -> str:
    """El código de ocho campos con su noveno: HMAC-SHA256 hexadecimal del base64 de los ocho (dominio §5.2)."""
    return f"{codigo}|{_hmac(codigo, llave)}"


def leer_codigo(texto: str) -> CodigoDeActa:
    """Inversa de `codigo_de`. No consulta el catálogo: eso toca a `identificar`.

    Raises:
        CodigoInvalido: si no son ocho campos con su forma.
    """
    campos = texto.split("|")
    if len(campos) != 8:
        raise CodigoInvalido(f"tiene {len(campos)} campos y deben ser 8")
    entidad, distrito, tipo_acta, seccion, numero, tipo, ext, candidatura = campos
    if tipo not in TIPOS or len(tipo) != 1:
        raise CodigoInvalido(f"tipo de casilla desconocido: {tipo[:10]!r}")
    if _TIPO_ACTA.fullmatch(tipo_acta) is None or _CANDIDATURA.fullmatch(candidatura) is None:
        raise CodigoInvalido("el tipo de acta o la elección no tienen su forma")
    return CodigoDeActa(
        _numero("entidad", entidad, 2),
        _numero("distrito", distrito, 3),
        tipo_acta,
        _numero("sección", seccion, 4),
        _numero("número de casilla", numero, 4),
        tipo,
        _numero("extraordinaria contigua", ext, 2),
        candidatura,
    )


def identificar(texto: str, proceso: Proceso, formas: Formas | None = None) -> Identificado | Rechazo:
    """De qué acta es un código, cotejado siempre con su verificador y con el catálogo del proceso.

    Args:
        texto: lo que leyó la cámara, el escáner o el lector, tal cual.
        formas: las del instituto; si faltan, nuestra etiqueta y la de ocho campos sin llave.

    Returns:
        `Rechazo` con código CODIGO_AJENO, CODIGO_ROTO, FIRMA_INVALIDA, CODIGO_DE_OTRA_ELECCION, CASILLA_DESCONOCIDA o
        TIPO_DE_ACTA.
    """
    formas = formas or Formas()
    texto = texto.strip()
    for nombre in formas.admitidas:
        try:
            dicho = _REGISTRO[nombre](texto, formas) if len(texto) <= MAXIMO_TEXTO else None
        except FirmaInvalida as error:
            return Rechazo("FIRMA_INVALIDA", f"El código no es de fiar: {error}", *_FIRMA)
        except CodigoInvalido as error:
            return Rechazo("CODIGO_ROTO", f"El código no se leyó bien: {error}", *_ROTO)
        if dicho is not None:
            return _cotejar(dicho, nombre, proceso, formas)
    return Rechazo("CODIGO_AJENO", f"El código {_corto(texto)} no identifica un acta", *_AJENO)


def parece_de_acta(texto: str) -> bool:
    """Si tiene la forma completa de alguno de los registrados, verificador incluido; no consulta el catálogo."""
    texto = texto.strip()
    try:
        return len(texto) <= MAXIMO_TEXTO and any(leer(texto, _SIN_LLAVE) is not None for leer in _REGISTRO.values())
    except CodigoInvalido:
        return False


def _leer_prep1(texto: str, formas: Formas) -> _Dicho | None:
    try:
        if texto.startswith(f"{PREP1}:"):
            leida = etiqueta.leer_etiqueta(texto)
            return _Dicho(leida.acta.casilla, leida.acta.eleccion, nonce=leida.nonce)
        if len(texto) == etiqueta.CIFRAS_CODE128 and texto.isascii() and texto.isdigit():
            corta = etiqueta.leer_code128(texto)
            return _Dicho(corta.casilla, resumen_de_eleccion=corta.eleccion, folio=corta.folio)
    except etiqueta.EtiquetaInvalida as error:
        raise CodigoInvalido(str(error)) from error
    return None


def _leer_ine8(texto: str, formas: Formas) -> _Dicho | None:
    if texto.count("|") not in (7, 8):
        return None
    ocho, firma = texto, Firma.NO_LLEVA
    if texto.count("|") == 8:
        ocho, _, marca = texto.rpartition("|")
        if _HMAC.fullmatch(marca) is None:
            raise CodigoInvalido("su firma no tiene 64 cifras hexadecimales")
        firma = Firma.SIN_COMPROBAR
        if formas.llave is not None:
            if not hmac.compare_digest(_hmac(ocho, formas.llave), marca.lower()):
                raise FirmaInvalida("su firma no corresponde a lo que dice")
            firma = Firma.VALIDA
    elif formas.llave is not None:
        raise FirmaInvalida("los de este instituto van firmados y éste no trae firma")
    codigo = leer_codigo(ocho)
    eleccion = formas.candidaturas.get(codigo.candidatura, codigo.candidatura)
    return _Dicho(codigo.clave_casilla, eleccion, None, codigo.tipo_acta, codigo.distrito, firma=firma)


_REGISTRO: Final[Mapping[str, Callable[[str, Formas], _Dicho | None]]] = {PREP1: _leer_prep1, INE8: _leer_ine8}
"""Forma → su lector: `None` si el texto no es de esa forma; `CodigoInvalido` si lo es y está mal."""
FORMAS: Final = tuple(_REGISTRO)
_SIN_LLAVE: Final = Formas()


def _cotejar(dicho: _Dicho, forma: str, proceso: Proceso, formas: Formas) -> Identificado | Rechazo:
    posibles = _elecciones(dicho, proceso)
    if len(posibles) > 1:
        que = "El código de barras no alcanza a decir de qué elección es"
        return Rechazo("CODIGO_ROTO", que, *_ROTO)
    eleccion = posibles[0] if posibles else None
    entidad = dicho.casilla[:2]
    if eleccion is None or entidad != f"{proceso.entidad:02d}":
        de = f"de la elección {dicho.eleccion[:20]}" if dicho.eleccion else "de otra elección"
        de = de if eleccion is None else f"de la entidad {entidad}"
        return Rechazo("CODIGO_DE_OTRA_ELECCION", f"El código es {de}, que aquí no se recibe", *_OTRA)
    casilla = proceso.casillas.get(dicho.casilla)
    if casilla is None:
        que = f"La casilla {dicho.casilla} no está en el catálogo"
        return Rechazo("CASILLA_DESCONOCIDA", que, *_DESCONOCIDA)
    if casilla.tipo not in eleccion.tipos_casilla:
        que = f"La casilla {casilla.clave} no levanta acta de {eleccion.nombre}"
        return Rechazo("TIPO_DE_ACTA", que, *_TIPO)
    esperado = eleccion.tipo_acta_de(casilla)
    if dicho.tipo_acta is not None and dicho.tipo_acta.lstrip("0") != esperado.lstrip("0"):
        que = f"El código es de un acta tipo {dicho.tipo_acta} y la de esa casilla es tipo {esperado}"
        return Rechazo("TIPO_DE_ACTA", que, *_TIPO)
    if formas.cotejar_distrito and dicho.distrito is not None and dicho.distrito != (casilla.distrito or 0):
        que = f"El código dice distrito {dicho.distrito} y la casilla {casilla.clave} es del {casilla.distrito or 0}"
        return Rechazo("CODIGO_ROTO", que, *_ROTO)
    return Identificado(IdActa(eleccion.clave, casilla.clave), forma, dicho.nonce, dicho.firma, dicho.folio)


def _elecciones(dicho: _Dicho, proceso: Proceso) -> list[Eleccion]:
    """Las de este proceso que pueden ser la del código; más de una sólo si su resumen coincide."""
    if dicho.eleccion is not None:
        return [e for e in proceso.elecciones.values() if e.clave == dicho.eleccion]
    return [
        e for e in proceso.elecciones.values() if etiqueta.resumen_de_eleccion(e.clave) == dicho.resumen_de_eleccion
    ]


_A_MANO: Final = "vuelva a pasarlo; si no se puede, identifique el acta por su sección y casilla"
_AJENO: Final = (
    "es el código de otra cosa: publicidad, un paquete o la página de un partido",
    f"busque la etiqueta del acta y {_A_MANO}",
)
_ROTO: Final = ("la etiqueta está manchada, arrugada o cortada", _A_MANO)
_FIRMA: Final = (
    "el código no lo imprimió el instituto, o la llave instalada es de otro proceso",
    "aparte el acta y llame a coordinación",
)
_OTRA: Final = (
    "la bolsa es de otra elección o de otra entidad, o es material de un simulacro",
    "compare la etiqueta con el papel y llame a coordinación",
)
_DESCONOCIDA: Final = (
    "el catálogo instalado no es el último aprobado, o la etiqueta es de un simulacro",
    "busque la casilla por su sección; si no aparece, el documento es fuera de catálogo",
)
_TIPO: Final = (
    "la etiqueta se imprimió para otra acta de la misma casilla",
    "compare la etiqueta con el título del acta e identifíquela por su sección y casilla",
)


def _hmac(codigo: str, llave: bytes) -> str:
    return hmac.new(llave, base64.b64encode(codigo.encode("utf-8")), hashlib.sha256).hexdigest()


def _corto(texto: str) -> str:
    return repr(texto if len(texto) <= 40 else f"{texto[:40]}…")


def _numero(nombre: str, texto: str, cifras: int) -> int:
    if not (texto.isascii() and texto.isdigit() and len(texto) <= cifras):
        raise CodigoInvalido(f"{nombre}: {texto[:10]!r} no es un número de hasta {cifras} cifras")
    return int(texto)
