"""El corte: lo que ve la ciudadanía a una hora, como función pura de los hechos aceptados y de esa hora.

`python -m servicio_central.corte --carpeta DIR [--hora ISO] [--ultimo]` lo hace sin detener al centro. Cómo se hace,
`servicio_central.publicacion`; qué hay hecho, `servicio_central.publicado`.
"""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from nucleo.acta import Acta
from nucleo.definicion import DefinicionInvalida
from nucleo.eleccion import Proceso
from nucleo.libro import actas_de
from servicio_central import vigente
from servicio_central.lectura import leer_hechos
from servicio_central.publicacion.corte_hecho import Corte
from servicio_central.publicacion.publicador import Publicador
from servicio_central.publicado import HOLGURA
from servicio_central.puerto_almacen import ERRORES
from servicio_central.tropiezo import Tropiezo


def actas_del_libro(carpeta: Path, proceso: Proceso, eleccion: str) -> tuple[Acta, ...]:
    """Las actas de una elección según los hechos aceptados por el centro de esa carpeta.

    Raises:
        uno de `puerto_almacen.ERRORES`: si el almacén no se puede leer.
    """
    return actas_de(proceso, eleccion, leer_hechos(carpeta, eleccion).hechos)


def hacer_corte(carpeta: Path, proceso: Proceso, eleccion: str, hora: datetime, *, ultimo: bool = False) -> Corte:
    """Hace y publica el corte de todas las elecciones del proceso y devuelve el de una.

    Args:
        carpeta: la del centro; puede estar corriendo.
        hora: la del corte, con huso.
        ultimo: si es el de cierre: la participación incluye las casillas especiales (Anexo 13, numeral 29).

    Raises:
        Como `hacer_cortes`.
    """
    return hacer_cortes(carpeta, proceso, hora, ultimo=ultimo)[eleccion]


def hacer_cortes(
    carpeta: Path,
    proceso: Proceso,
    hora: datetime,
    *,
    ultimo: bool = False,
    ahora: datetime | None = None,
    publicador: Publicador | None = None,
) -> dict[str, Corte]:
    """Hace el corte de todas las elecciones, lo escribe y lo publica. Repetirlo con los mismos hechos no cambia nada.

    Args:
        ahora: el reloj de la máquina, si no se quiere preguntarle.
        publicador: el de esa carpeta que hizo el corte anterior, que recuerda lo ya leído.

    Raises:
        Tropiezo: CORTE_FUTURO, si esa hora aún no llega; CORTE_EXISTENTE, si ya hay uno de esa hora con otros datos.
        OSError: si no se pudo escribir.
        uno de `puerto_almacen.ERRORES`: si el almacén no se puede leer.
    """
    ahora = ahora or datetime.now(UTC)
    if hora > ahora + HOLGURA:
        raise Tropiezo(
            "CORTE_FUTURO",
            f"la hora pedida, {hora.isoformat()}, aún no llega",
            "un dedazo en --hora, o el reloj de esta máquina está atrasado",
            "corrija la hora (`timedatectl` dice la de la máquina) y repita",
        )
    return (publicador or Publicador(carpeta)).cortar(proceso, hora, ultimo=ultimo, ahora=ahora)


def main() -> None:
    """Línea de órdenes del corte."""
    lector = argparse.ArgumentParser(prog="python -m servicio_central.corte", description="Hace y publica un corte.")
    lector.add_argument("--carpeta", type=Path, required=True, help="carpeta del centro")
    lector.add_argument(
        "--hora", type=datetime.fromisoformat, help="hora del corte, ISO 8601 con huso; si falta, ahora"
    )
    lector.add_argument("--ultimo", action="store_true", help="es el corte de cierre")
    opciones = lector.parse_args()
    if opciones.hora is not None and opciones.hora.utcoffset() is None:
        lector.error("--hora debe decir su huso, como 2022-06-05T21:20-05:00")
    try:
        proceso = vigente.leer(opciones.carpeta)
        hora = opciones.hora or datetime.now(ZoneInfo(proceso.huso)).replace(second=0, microsecond=0)
        cortes = hacer_cortes(opciones.carpeta, proceso, hora, ultimo=opciones.ultimo)
        for corte in cortes.values():
            avance = f"{corte.resumen.capturadas} de {corte.resumen.esperadas} actas capturadas"
            print(f"{corte.eleccion} {corte.carpeta.name}: {avance}; {corte.zip}")
        for aviso in {c.aviso for c in cortes.values()} - {""}:
            print(f"corte: {aviso}", file=sys.stderr)
    except (Tropiezo, DefinicionInvalida, *ERRORES, OSError) as error:
        print(f"corte: {error}", file=sys.stderr)
        raise SystemExit(1) from None
    except Exception as error:
        # Quien lo lee a media noche necesita una línea; lo anterior sigue publicado.
        tropiezo = Tropiezo(
            "DEFECTO",
            f"no se pudo hacer ({error!r})",
            "un defecto del programa, o la definición no es la de estos hechos",
            "el anterior sigue publicado; revise la definición y avise a quien mantiene el programa",
        )
        print(f"corte: {tropiezo}", file=sys.stderr)
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
