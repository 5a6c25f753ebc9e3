"""Escribir, junto a la prueba de cada acta, lo que su página necesita para comprobarla en el navegador."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Final

from nucleo.padron import Padron, abrir_padron
from nucleo.publicacion import hojas_de_acta
from nucleo.sobre import SobreInvalido
from nucleo.transparencia.hojas import ActaPublicada
from servicio_central.firmante import leer_publica
from servicio_central.publicacion import documentos, escritura
from servicio_central.registro.registro import Registro
from servicio_central.tropiezo import Tropiezo

_TANDA: Final = 64
"""Actas cuyos sobres se leen de una vez: con todas, las de la noche entera no cabrían en memoria."""


def escribir(
    centro: Path,
    registro: Registro,
    actas: Sequence[ActaPublicada],
    sobres: Callable[[Collection[str]], Mapping[str, str]],
) -> None:
    """Escribe el `.hojas.json` de cada una, con el padrón que dice el registro: así quien retoma escribe los mismos.

    Raises:
        OSError: si no se pudo escribir. Uno de `puerto_almacen.ERRORES`: si el almacén no se puede leer.
    """
    padron = _padron_del_registro(centro, registro)
    for tanda in _por_tandas(actas):
        leidos = sobres({h for acta in tanda for h in acta.hojas})
        for acta in tanda:
            datos = escritura.comprimir(hojas_de_acta.a_bytes(acta, leidos, padron))
            registro.escribir_aparte(f"actas/{acta.corte}/{acta.eleccion}/{acta.casilla}.hojas.json.gz", datos)


def _padron_del_registro(centro: Path, registro: Registro) -> Padron | None:
    documento = registro.documentos.get("padron")
    try:
        return None if documento is None else _padron(centro, documento.sha256)
    except (OSError, UnicodeDecodeError, SobreInvalido, Tropiezo):
        # El corte ya está asentado. Sin llaves la página dirá que no puede comprobar las firmas, y es mejor que callar
        # el corte; que ese documento se dañó lo dice `./prep verificar`.
        return None


@lru_cache(maxsize=2)
def _padron(centro: Path, sha256: str) -> Padron:
    compacto = (centro / documentos.CARPETA / sha256).read_text("ascii")
    return abrir_padron(compacto, leer_publica(centro / "autoridad.pub.pem"))


def _por_tandas(actas: Sequence[ActaPublicada]) -> Iterable[Sequence[ActaPublicada]]:
    return (actas[i : i + _TANDA] for i in range(0, len(actas), _TANDA))
