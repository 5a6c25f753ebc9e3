"""El acuse: lo que el centro firma *después* de que la transacción es durable, y lo único que cierra un renglón de
bandeja.

Es acumulativo (`contiguo`, todo lo anterior está guardado y encadenado, con la huella del último) más `sueltos`
(guardados más allá de un hueco), y pide lo que falta. PUBACK sólo dice que el bróker lo tomó; el acuse, que el centro
lo aceptó. Si ya hay un corte publicado dice también hasta dónde incluye a este equipo.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any, Final

from joserfc.jwk import ECKey

from nucleo import formas
from nucleo.carga import leer_carga
from nucleo.formas import EPOCA, EQUIPO, HEX64
from nucleo.renglon import CLAVE, hora_con_huso
from nucleo.sobre import CADENA_NUEVA, Firmante, Tipo, es_version_1, verificar
from nucleo.temas import USUARIO_CENTRO

MAXIMO_SUELTOS: Final = 64
MAXIMO_FALTAN: Final = 16
BIFURCADO: Final = "BIFURCADO"
"""Código de lo apartado porque en su lugar de la cadena ya hay otra hoja."""

MAXIMO_APARTADOS: Final = 16
MAXIMO_EN_DUDA: Final = 64

_CAMPOS: Final = {"v", "equipo", "epoca", "contiguo", "huella", "sueltos", "faltan", "apartados", "hora"}
_CODIGO: Final = re.compile(r"[A-Z_]{1,40}")
_ACTA: Final = re.compile(rf"{CLAVE.pattern}/{CLAVE.pattern}")


@dataclass(frozen=True, slots=True)
class Apartado:
    """Un sobre que el centro tiene pero no contó. `codigo`: BIFURCADO, FIRMA, FORMA…; `huella` es la del apartado."""

    huella: str
    codigo: str


@dataclass(frozen=True, slots=True)
class CorteCubierto:
    """El último corte publicado y hasta qué secuencia de este equipo, sin huecos, alcanzó a incluir."""

    hora: datetime
    contiguo: int
    """De 1 al `contiguo` del acuse."""
    en_duda: tuple[str, ...] | None = ()
    """«elección/casilla», en orden, de las actas que ese equipo tocó y que en ese corte no salieron porque sus lecturas
    no concuerdan (otro kiosco pudo ponerlas en duda). `None` si no caben: de ninguna se sabe."""


@dataclass(frozen=True, slots=True)
class Acuse:
    """Estado de la cadena de un equipo en el centro."""

    equipo: str
    epoca: str
    contiguo: int
    """Última secuencia guardada sin huecos desde 1; 0 si ninguna."""
    huella: str
    """Huella del sobre `contiguo`, o `CADENA_NUEVA` si es 0."""
    sueltos: tuple[tuple[int, str], ...]
    """(secuencia, huella) guardadas después del hueco, en orden, hasta `MAXIMO_SUELTOS`."""
    faltan: tuple[tuple[int, int], ...]
    """Rangos [desde, hasta] que el centro sabe que existen y no tiene."""
    apartados: tuple[Apartado, ...]
    """Los más recientes de ese equipo en cuarentena o bifurcados."""
    hora: datetime
    corte: CorteCubierto | None = None
    """`None` si aún no se publica nada de este equipo; un centro anterior a este campo no lo manda."""


def sellar_acuse(acuse: Acuse, firmante: Firmante) -> str:
    """JWS compacto del acuse, firmado por el centro.

    Raises:
        SobreInvalido: FORMA, si ningún kiosco podría abrirlo.
    """
    dato: dict[str, Any] = {
        "v": 1,
        "equipo": acuse.equipo,
        "epoca": acuse.epoca,
        "contiguo": acuse.contiguo,
        "huella": acuse.huella,
        "sueltos": [list(s) for s in acuse.sueltos[:MAXIMO_SUELTOS]],
        "faltan": [list(f) for f in acuse.faltan[:MAXIMO_FALTAN]],
        "apartados": [[a.huella, a.codigo] for a in acuse.apartados[:MAXIMO_APARTADOS]],
        "hora": acuse.hora.isoformat(),
    }
    if acuse.corte is not None:
        corte: list[Any] = [acuse.corte.hora.isoformat(), acuse.corte.contiguo]
        # Lo que un kiosco anterior no lee va sólo si hace falta.
        dato["corte"] = corte if acuse.corte.en_duda == () else [*corte, acuse.corte.en_duda]
    carga = json.dumps(dato, separators=(",", ":")).encode()
    _abrir_carga(carga)
    return firmante.firmar(Tipo.ACUSE, carga)


def abrir_acuse(compacto: str, llave_centro: ECKey) -> Acuse:
    """Verifica y lee un acuse.

    Raises:
        SobreInvalido: si no lo firmó el centro o no tiene la forma.
    """
    return _abrir_carga(verificar(compacto, llave_centro, Tipo.ACUSE, de=USUARIO_CENTRO))


def _abrir_carga(carga: bytes) -> Acuse:
    return leer_carga(carga, _leer, "el acuse")


def _leer(dato: dict[str, Any]) -> Acuse:
    if set(dato) - {"corte"} != _CAMPOS:
        raise ValueError
    contiguo = formas.entero(dato["contiguo"])
    huella = formas.texto(dato["huella"], HEX64)
    if not es_version_1(dato) or (contiguo == 0) != (huella == CADENA_NUEVA):
        raise ValueError
    sueltos = tuple(
        (formas.entero(s), formas.texto(h, HEX64)) for s, h in formas.lista(dato["sueltos"], MAXIMO_SUELTOS)
    )
    faltan = tuple((formas.entero(a), formas.entero(b)) for a, b in formas.lista(dato["faltan"], MAXIMO_FALTAN))
    if not _crecen([contiguo, *(s for s, _ in sueltos)]) or any(a > b for a, b in faltan):
        raise ValueError
    if not all(uno < otro for (_, uno), (otro, _) in pairwise([(0, contiguo), *faltan])):
        raise ValueError
    return Acuse(
        equipo=formas.texto(dato["equipo"], EQUIPO),
        epoca=formas.texto(dato["epoca"], EPOCA),
        contiguo=contiguo,
        huella=huella,
        sueltos=sueltos,
        faltan=faltan,
        apartados=tuple(
            Apartado(formas.texto(h, HEX64), formas.texto(c, _CODIGO))
            for h, c in formas.lista(dato["apartados"], MAXIMO_APARTADOS)
        ),
        hora=hora_con_huso(dato["hora"]),
        corte=_corte(dato["corte"], contiguo) if "corte" in dato else None,
    )


def _corte(dato: object, contiguo: int) -> CorteCubierto:
    hora, hasta, *resto = formas.lista(dato, 3)
    # Ningún corte incluye lo que el centro no tiene: decirlo publicado sería mentirle a quien mira la pantalla.
    if not 1 <= formas.entero(hasta) <= contiguo:
        raise ValueError
    return CorteCubierto(hora_con_huso(hora), hasta, _en_duda(resto[0]) if resto else ())


def _en_duda(dato: object) -> tuple[str, ...] | None:
    if dato is None:
        return None
    claves = tuple(formas.texto(acta, _ACTA) for acta in formas.lista(dato, MAXIMO_EN_DUDA))
    if not claves or list(claves) != sorted(set(claves)):
        raise ValueError
    return claves


def _crecen(numeros: list[int]) -> bool:
    return all(uno < otro for uno, otro in pairwise(numeros))
