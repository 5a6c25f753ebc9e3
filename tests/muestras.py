"""Valores de muestra para las pruebas; quien usa hypothesis los necesita fuera de una *fixture*."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from nucleo.casilla import Casilla
from nucleo.eleccion import Ambito, Candidatura, Coalicion, Eleccion, Opcion, Proceso, TipoOpcion, Vocabulario
from nucleo.inconsistencias import CATALOGO


def proceso_chico() -> Proceso:
    """Tres casillas (básica, contigua y especial) y cuatro renglones de votación, uno de coalición."""
    casillas = (
        Casilla(20, 1, "B", 1, 0, 1, "Acatlán", 2, "Acatlán de Pérez Figueroa", 1, 500, 8),
        Casilla(20, 1, "C", 1, 0, 1, "Acatlán", 2, "Acatlán de Pérez Figueroa", 1, 499, 8),
        Casilla(20, 2, "S", 1, 0, 2, "Tuxtepec", 184, "San Juan Bautista Tuxtepec", 2, 0, 8),
    )
    gubernatura = Eleccion(
        clave="GUB",
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
        coaliciones=(Coalicion("Va por la prueba", ("PAN", "PRI"), ("PAN_PRI",)),),
        candidaturas=(
            Candidatura(("PAN", "PRI"), "Ana Ruiz Cruz"),
            Candidatura(("MC",), "Benito López Ortiz"),
        ),
    )
    inicio = datetime(2022, 6, 5, 18, 0, tzinfo=UTC)
    return Proceso(
        clave="prueba2022",
        nombre="Proceso de prueba 2022",
        entidad=20,
        siglas="OAX",
        entidad_nombre="OAXACA",
        huso="America/Mexico_City",
        inicio_operacion=inicio,
        inicio_publicacion=inicio + timedelta(hours=7),
        cierre=inicio + timedelta(hours=31),
        minutos_entre_cortes=20,
        boletas_especial=1000,
        especial_suma_representantes=False,
        vocabulario=Vocabulario({codigo: i.texto for codigo, i in CATALOGO.items()}),
        casillas={c.clave: c for c in casillas},
        elecciones={"GUB": gubernatura},
    )
