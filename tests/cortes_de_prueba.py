"""Carpetas de corte hechas a mano, para las pruebas que sólo miran qué se publica."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

from servicio_central.publicado import RESUMEN


def con_resumen(corte: Path, dato: dict[str, Any]) -> None:
    """Una carpeta de corte que sólo tiene su resumen."""
    corte.mkdir(parents=True, exist_ok=True)
    (corte / f"{RESUMEN}.gz").write_bytes(gzip.compress(json.dumps(dato).encode()))
