"""Con qué se cuenta: los documentos públicos de que depende un corte, leídos, y cómo los dice `resumen.json`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from nucleo.catalogo import MAXIMO_BYTES
from nucleo.definicion.proceso import NOMBRE_CATALOGO, NOMBRE_TOML, huella_de, leer_proceso
from nucleo.eleccion import Proceso
from nucleo.gzip_acotado import descomprimir
from nucleo.padron import Padron
from nucleo.paquete import PaqueteInvalido, abrir_archivo

Conjuntos = Mapping[str, tuple[int, str]]
"""Elección → cuántos hechos cuentan y la huella de su conjunto."""

_GZIP: Final = f"{NOMBRE_CATALOGO}.gz"


class DocumentoInvalido(ValueError):
    """Un documento público no es lo que dice ser."""


def leer_definicion(comprimido: bytes) -> Proceso:
    """El proceso que define el tar.gz público, con su huella y el modo que ahí diga.

    Raises:
        DocumentoInvalido: con la causa.
    """
    try:
        archivos = abrir_archivo(comprimido)
        catalogo = archivos.pop(NOMBRE_CATALOGO, None)
        if catalogo is None:
            catalogo = descomprimir(archivos.pop(_GZIP), MAXIMO_BYTES)
        toml = archivos.pop(NOMBRE_TOML)
    except (PaqueteInvalido, ValueError, KeyError) as error:
        raise DocumentoInvalido(f"no es una definición ({error})") from error
    proceso = leer_proceso(toml, catalogo)
    if not isinstance(proceso, Proceso):
        raise DocumentoInvalido(f"no es una definición ({proceso[0]})")
    propios = {NOMBRE_TOML: toml, NOMBRE_CATALOGO: catalogo, **dict(sorted(archivos.items()))}
    return replace(proceso, huella=huella_de(propios))


def leer_autoridad(pem: bytes) -> ECKey:
    """La llave pública de la autoridad que firma el padrón. Raises: DocumentoInvalido."""
    try:
        llave = ECKey.import_key(pem)
    except (JoseError, ValueError, TypeError) as error:
        raise DocumentoInvalido("no es una llave P-256 en PEM") from error
    if llave.curve_name != "P-256" or llave.is_private:
        raise DocumentoInvalido("no es una llave pública P-256 en PEM")
    return llave


def huella_de_conjunto(huellas: Iterable[str]) -> tuple[int, str]:
    """Cuántos hechos son y el SHA-256 de sus huellas, ordenadas y cada una con su salto de renglón."""
    todas = sorted(huellas)
    return len(todas), hashlib.sha256("".join(f"{h}\n" for h in todas).encode()).hexdigest()


def para_el_resumen(padron: Padron | None) -> dict[str, Any] | None:
    """Con qué padrón se contó, para quien recalcule; `None` si no hay ninguno. Sale sólo del padrón: otro centro con
    las mismas hojas y el mismo padrón dice lo mismo, haya visto o no lo excluido."""
    if padron is None:
        return None
    return {
        "version": padron.version,
        "huella": padron.huella,
        "exclusiones": [
            {"equipo": n, "epoca": p, "hasta": x.hasta, "motivo": x.motivo, "fecha": x.fecha.isoformat()}
            for n, p, x in padron.exclusiones
        ],
    }


def con_el_padron(dato: dict[str, Any], padron: Padron | None, conjuntos: Conjuntos) -> dict[str, Any]:
    """El resumen, con qué padrón se contó y la huella del conjunto de hechos de cada elección."""
    elecciones = {
        clave: e | {"hechos": conjuntos[clave][0], "conjunto": conjuntos[clave][1]}
        for clave, e in dato["elecciones"].items()
    }
    return dato | {"padron": json.loads(json.dumps(para_el_resumen(padron))), "elecciones": elecciones}
