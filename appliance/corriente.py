"""Si el kiosco tiene corriente y cuánta batería le queda, según el núcleo (`/sys/class/power_supply`)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

SYS: Final = Path("/sys/class/power_supply")


@dataclass(frozen=True, slots=True)
class Corriente:
    """`enchufado` es `None` si el equipo no lo dice; `carga`, de 0 a 100, es `None` si no hay batería."""

    enchufado: bool | None
    carga: int | None

    @property
    def palabras(self) -> str:
        if self.carga is None:
            return "sin batería ni UPS que se deje ver"
        if self.enchufado is False:
            return f"SIN CORRIENTE: batería al {self.carga} %"
        return f"con corriente, batería al {self.carga} %"


def corriente(carpeta: Path = SYS) -> Corriente:
    """Lo que dice el núcleo ahora. Nunca falla: lo que no se puede leer, no se sabe."""
    enchufado: bool | None = None
    cargas = []
    for fuente in sorted(carpeta.glob("*")):
        tipo = _dato(fuente / "type")
        if tipo in ("Mains", "USB"):
            en_linea = _dato(fuente / "online")
            if en_linea in ("0", "1"):
                enchufado = bool(enchufado) or en_linea == "1"
        # Las baterías de un teclado o un ratón también salen aquí; ésas dicen «Device».
        elif tipo in ("Battery", "UPS") and _dato(fuente / "scope") != "Device":
            carga = _dato(fuente / "capacity")
            if carga.isascii() and carga.isdigit():
                cargas.append(min(100, int(carga)))
            if _dato(fuente / "status") == "Discharging":
                enchufado = False
    return Corriente(enchufado, min(cargas, default=None))


def _dato(ruta: Path) -> str:
    try:
        return ruta.read_text("utf-8").strip()[:40]
    except (OSError, UnicodeDecodeError):
        return ""
