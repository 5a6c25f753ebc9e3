"""b) Cuántos sobres por segundo recibe el centro con un núcleo, de la red al acuse publicado, y contra qué límite."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from ensayo.medicion_enlace.medida import Decir, Medida, Renglon
from ensayo.medicion_enlace.referencia import Limite, limite
from ensayo.medicion_enlace.tropel import Tamano, correr

META_POR_NUCLEO: Final = 5000.0
META_DEL_LIMITE: Final = 0.40

ENTERO: Final = Tamano(kioscos=60, pendientes=500)
CHICO: Final = Tamano(kioscos=3, pendientes=60, de_referencia=200)


def medir(carpeta: Path, t: Tamano, decir: Decir) -> Medida:
    """Mide en una carpeta vacía. Raises: BancoRoto."""
    decir("la referencia, antes y después: verificar y confirmar a secas")
    antes = limite(carpeta / "limite-antes", t.de_referencia)
    corrida = correr(carpeta, t, decir)
    despues = limite(carpeta / "limite-despues", t.de_referencia)
    piso = Limite((antes.cpu + despues.cpu) / 2, (antes.pared + despues.pared) / 2)
    por_nucleo, a_secas = corrida.sobres / corrida.cpu_centro, 1 / piso.cpu
    referencia = f"{a_secas:,.0f}/s por núcleo, verificar y confirmar en lotes a secas"
    return Medida(
        "b",
        "el centro de punta a punta",
        (
            Renglon(
                "sobres por segundo de CPU del centro, de la red al acuse publicado",
                f"≥ {META_POR_NUCLEO:,.0f}/s",
                f"{por_nucleo:,.0f}/s",
                referencia,
                f"{por_nucleo / a_secas:.2f} del límite",
                por_nucleo >= META_POR_NUCLEO,
            ),
            Renglon(
                "parte del límite",
                f"≥ {META_DEL_LIMITE:.0%}",
                f"{por_nucleo / a_secas:.0%}",
                referencia,
                f"{por_nucleo / a_secas:.2f}",
                por_nucleo / a_secas >= META_DEL_LIMITE,
            ),
            corrida.llegaron(),
        ),
        (
            "Por núcleo quiere decir por segundo de CPU del proceso entero de `servicio_central` (leer de TLS, juzgar, "
            "asentar, firmar y publicar), en marcha con mosquitto y SQLite en disco; sólo capturas, el hecho más caro.",
            f"De reloj, del primero al último aceptado: {corrida.sobres / max(corrida.corriente, 1e-9):,.0f}/s.",
            corrida.consumo(),
        ),
    )
