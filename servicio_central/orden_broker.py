"""`./prep broker --carpeta CENTRO`: corre el bróker de un centro inscrito, en primer plano."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from servicio_central import guardia_del_broker
from servicio_central.tropiezo import Tropiezo


def main() -> None:
    """Corre mosquitto hasta SIGTERM o hasta que él termine; sale con lo que él salga, o con 1 si no se puede."""
    lector = argparse.ArgumentParser(prog="./prep broker", description="Corre el bróker de un centro inscrito.")
    lector.add_argument("--carpeta", type=Path, required=True, help="carpeta del centro (la hace `./prep inscribir`)")
    opciones = lector.parse_args()
    try:
        raise SystemExit(guardia_del_broker.correr(opciones.carpeta))
    except Tropiezo as error:
        print(f"broker: {error}", file=sys.stderr)
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
