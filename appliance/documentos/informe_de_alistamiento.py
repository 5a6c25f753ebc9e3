"""El informe de alistamiento en PDF, para firmarlo y archivarlo."""

from __future__ import annotations

from appliance.alistamiento import Estado, Informe
from appliance.documentos.hoja_carta import HojaCarta
from appliance.identidad import Identidad
from nucleo.eleccion import Proceso

VEREDICTOS = {
    Estado.BIEN: "LISTO: todo está bien",
    Estado.ATENCION: "LISTO CON RESERVAS: hay renglones que piden atención",
    Estado.MAL: "NO ESTÁ LISTO: hay renglones mal",
}


def pdf_de_informe(informe: Informe, identidad: Identidad, proceso: Proceso, persona: str) -> bytes:
    """El PDF; `persona` es quien lo hizo."""
    hoja = HojaCarta(
        "Informe de alistamiento",
        f"{proceso.nombre} · {identidad.catd} · equipo {identidad.equipo} · {informe.hora:%d/%m/%Y %H:%M:%S}",
        identidad.modo,
        f"Lo hizo {persona}",
    )
    hoja.parrafo(VEREDICTOS[informe.veredicto], negrita=True, tamano=15)
    hoja.parrafo(", ".join(f"{informe.cuenta(e)} {e.value}" for e in Estado) + ".")
    hoja.espacio(10)
    filas = [(r.estado.value.upper(), r.nombre, r.dicho, r.hacer) for r in informe.revisiones]
    hoja.tabla(("Cómo está", "Qué", "Qué se vio", "Qué hacer"), filas, (26, 40, 66, 48))
    hoja.firmas(("Coordinación: nombre y firma", "Área técnica: nombre y firma"))
    return hoja.cerrar()
