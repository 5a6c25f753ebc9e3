"""Un proceso electoral inventado, del tamaño que pida la noche, y las llaves de sus equipos."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Final

from joserfc.jwk import ECKey

from ensayo.tuberia import LlaveEnMemoria
from nucleo.casilla import Casilla
from nucleo.eleccion import Ambito, Candidatura, Coalicion, Eleccion, Opcion, Proceso, TipoOpcion, Vocabulario
from nucleo.inconsistencias import CATALOGO

ELECCION: Final = "GUB"
EPOCA: Final = "00000000000000e1"
INICIO: Final = datetime(2022, 6, 6, 1, 0, tzinfo=UTC)
"""Empieza la noche: la publicación también."""

RENGLONES: Final = ("PAN", "PRI", "PAN_PRI", "MC", "NO_REGISTRADAS", "NULOS")


@cache
def proceso_de(casillas: int) -> Proceso:
    """Un proceso de una elección con ese número de casillas, repartidas en dos distritos."""
    lista = [
        Casilla(20, n + 1, "B", 1, 0, 1 + n % 2, ("Acatlán", "Tuxtepec")[n % 2], 2, "Acatlán", 1 + n % 2, 700, 8)
        for n in range(casillas)
    ]
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
        coaliciones=(Coalicion("Va por el laboratorio", ("PAN", "PRI"), ("PAN_PRI",)),),
        candidaturas=(Candidatura(("PAN", "PRI"), "Ana Ruiz Cruz"), Candidatura(("MC",), "Benito López Ortiz")),
    )
    return Proceso(
        clave="lab2022",
        nombre="Proceso de laboratorio",
        entidad=20,
        siglas="OAX",
        entidad_nombre="OAXACA",
        huso="America/Mexico_City",
        inicio_operacion=INICIO - timedelta(hours=7),
        inicio_publicacion=INICIO,
        cierre=INICIO + timedelta(hours=24),
        minutos_entre_cortes=20,
        boletas_especial=1000,
        especial_suma_representantes=False,
        vocabulario=Vocabulario({codigo: i.texto for codigo, i in CATALOGO.items()}),
        casillas={c.clave: c for c in lista},
        elecciones={ELECCION: gubernatura},
    )


@cache
def llave_de(nombre: str) -> LlaveEnMemoria:
    """La llave de ese nombre; la misma durante todo el proceso, porque las huellas no dependen de ella."""
    return LlaveEnMemoria(nombre, ECKey.generate_key("P-256"))


@cache
def publica_de(nombre: str) -> ECKey:
    """Su mitad pública."""
    return ECKey.import_key(llave_de(nombre).llave.as_dict(private=False))
