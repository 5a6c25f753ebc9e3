"""La noche que se repite: definición, cortes publicados y el trabajo repartido por CATD."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from ensayo.agenda import Agenda, Documento, agenda_de
from ensayo.documentos import documentos_de
from ensayo.publicada import Publicada, leer_publicada
from nucleo.definicion import cargar_proceso
from nucleo.eleccion import Eleccion, Proceso

DATOS = Path(__file__).resolve().parent.parent / "datos"
OAXACA_2022 = DATOS / "oaxaca_2022"


@dataclass(frozen=True)
class Noche:
    """Una jornada real publicada, lista para vivirse otra vez."""

    definicion: Path
    proceso: Proceso
    eleccion: Eleccion
    cortes: tuple[tuple[datetime, Publicada], ...]
    """(hora del corte, base publicada), en orden."""
    agendas: dict[str, Agenda]
    """Equipo → trabajo; un kiosco por distrito."""

    @property
    def inicio(self) -> datetime:
        """Hora de la primera tarea de la noche."""
        return min(a.tareas[0].hora for a in self.agendas.values() if a.tareas)

    @property
    def acopiadas(self) -> frozenset[str]:
        """CLAVE_CASILLA de todo lo que llegó esa noche."""
        return frozenset(d.acta.casilla for a in self.agendas.values() for d in a.documentos)


def cargar_noche(definicion: Path = OAXACA_2022, distritos: frozenset[int] | None = None) -> Noche:
    """Lee la definición y los cortes de su carpeta `cortes/` y arma las agendas.

    Args:
        distritos: si se dan, sólo trabajan esos CATD (ensayos parciales y pruebas); los cortes ya no se pueden
        comparar.
    """
    proceso = cargar_proceso(definicion)
    (eleccion,) = proceso.elecciones.values()
    huso = ZoneInfo(proceso.huso)
    bases = []
    for archivo in sorted((definicion / "cortes").glob("*.zip")):
        (base,) = leer_publicada(archivo)
        assert base.corte is not None
        bases.append((base.corte.astimezone(huso) if base.corte.tzinfo else base.corte.replace(tzinfo=huso), base))
    bases.sort(key=lambda par: par[0])
    por_catd: dict[str, list[Documento]] = defaultdict(list)
    todos = sorted({c.distrito for c in proceso.casillas.values() if c.distrito})
    for distrito in todos:
        if distritos is None or distrito in distritos:
            por_catd[nombre_catd(distrito)] = []
    primero = next(iter(por_catd))
    for documento in documentos_de([b for _, b in bases], proceso, eleccion):
        # Lo que no tiene distrito (fuera de catálogo) se asienta en el primer CATD.
        destino = nombre_catd(documento.distrito) if documento.distrito else primero
        if destino in por_catd:
            por_catd[destino].append(documento)
    agendas = {catd: agenda_de(documentos) for catd, documentos in por_catd.items()}
    return Noche(definicion, proceso, eleccion, tuple(bases), agendas)


def nombre_catd(distrito: int) -> str:
    """Nombre del equipo de un distrito: `catd-05`."""
    return f"catd-{distrito:02d}"
