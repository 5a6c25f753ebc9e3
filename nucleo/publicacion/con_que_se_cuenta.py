"""Con qué se cuenta: los documentos públicos de que depende un corte, leídos."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from nucleo.catalogo import MAXIMO_BYTES
from nucleo.definicion.proceso import NOMBRE_CATALOGO, NOMBRE_TOML, huella_de, leer_proceso
from nucleo.eleccion import Proceso
from nucleo.gzip_acotado import descomprimir
from nucleo.paquete import PaqueteInvalido, abrir_archivo

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
