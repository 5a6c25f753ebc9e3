"""c) Cientos de kioscos vuelven en el mismo instante, cada uno con su bandeja llena."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from ensayo.medicion_enlace.medida import Decir, Medida, Renglon, percentil
from ensayo.medicion_enlace.referencia import limite
from ensayo.medicion_enlace.tropel import Tamano, correr

META_S: Final = 30.0

ENTERO: Final = Tamano(kioscos=600, pendientes=100)
CHICO: Final = Tamano(kioscos=6, pendientes=20, de_referencia=200)


def medir(carpeta: Path, t: Tamano, decir: Decir) -> Medida:
    """Mide en una carpeta vacía. Raises: BancoRoto."""
    corrida = correr(carpeta, t, decir)
    decir("la referencia: verificar y confirmar lo mismo, a secas")
    piso = limite(carpeta / "limite", t.de_referencia).pared * corrida.sobres
    # Al que no se vació en el plazo no se le puede poner hora: cuenta como no cumplido.
    todos = len(corrida.vacias) == t.kioscos
    fin = corrida.vacias[-1] if corrida.vacias else float("inf")
    renglones = (
        Renglon(
            f"{t.kioscos} kioscos × {t.pendientes} pendientes, hasta el último acuse",
            f"≤ {META_S:.0f} s",
            f"{fin:.1f} s" if todos else f"sólo {len(corrida.vacias)} bandejas se vaciaron",
            f"{piso:.1f} s, verificar y confirmar {corrida.sobres} sobres a secas en un núcleo",
            f"{fin / piso:.1f} veces",
            todos and fin <= META_S,
        ),
        corrida.llegaron(),
    )
    notas = [
        "Reales: mosquitto con TLS mutuo, `servicio_central`, SQLite del centro en disco; de cada kiosco, su "
        "certificado, su almacén, `appliance.enlace.ciclo` y el transporte con paho, desde el saludo TLS.",
        f"No reales: los kioscos comparten {t.grupos} procesos y esta máquina, que además corre la sede; sus almacenes "
        "van en memoria (en la noche cada uno trae su disco) y esperan todos en un mismo hilo.",
        corrida.consumo(),
    ]
    if corrida.vacias:
        mitad = percentil(corrida.vacias, 50)
        notas.append(
            f"La mitad de las bandejas quedó vacía a los {mitad:.1f} s; la primera, a los {corrida.vacias[0]:.1f} s."
        )
    return Medida("c", "todos vuelven a la vez", renglones, tuple(notas))
