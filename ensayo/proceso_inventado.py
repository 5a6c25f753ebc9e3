"""Un proceso electoral inventado: una gubernatura con coalición, sobre las casillas que se pidan."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final

from nucleo.casilla import Casilla
from nucleo.eleccion import Ambito, Candidatura, Coalicion, Eleccion, Opcion, Proceso, TipoOpcion, Vocabulario
from nucleo.inconsistencias import CATALOGO

ELECCION: Final = "GUB"
PUBLICACION: Final = datetime(2022, 6, 6, 1, 0, tzinfo=UTC)
"""Se opera desde siete horas antes y hasta veinticuatro después."""


def proceso_inventado(clave: str, nombre: str, coalicion: str, casillas: Iterable[Casilla]) -> Proceso:
    """El proceso, con esas casillas de la entidad 20."""
    gubernatura = Eleccion(
        clave=ELECCION,
        nombre="GUBERNATURA",
        ambito=Ambito.ENTIDAD,
        opciones=(
            Opcion("PAN", TipoOpcion.PARTIDO, "Partido Acción Nacional", ("PAN",)),
            Opcion("PRI", TipoOpcion.PARTIDO, "Partido Revolucionario Institucional", ("PRI",)),
            Opcion("PAN_PRI", TipoOpcion.COMBINACION, "PAN-PRI", ("PAN", "PRI")),
            Opcion("MC", TipoOpcion.PARTIDO, "Movimiento Ciudadano", ("MC",)),
            Opcion("NO_REGISTRADAS", TipoOpcion.NO_REGISTRADAS, "Candidaturas no registradas"),
            Opcion("NULOS", TipoOpcion.NULOS, "Votos nulos"),
        ),
        coaliciones=(Coalicion(coalicion, ("PAN", "PRI"), ("PAN_PRI",)),),
        candidaturas=(Candidatura(("PAN", "PRI"), "Ana Ruiz Cruz"), Candidatura(("MC",), "Benito López Ortiz")),
    )
    return Proceso(
        clave=clave,
        nombre=nombre,
        entidad=20,
        siglas="OAX",
        entidad_nombre="OAXACA",
        huso="America/Mexico_City",
        inicio_operacion=PUBLICACION - timedelta(hours=7),
        inicio_publicacion=PUBLICACION,
        cierre=PUBLICACION + timedelta(hours=24),
        minutos_entre_cortes=20,
        boletas_especial=1000,
        especial_suma_representantes=False,
        vocabulario=Vocabulario({codigo: i.texto for codigo, i in CATALOGO.items()}),
        casillas={c.clave: c for c in casillas},
        elecciones={ELECCION: gubernatura},
    )
