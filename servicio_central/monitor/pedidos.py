"""Lo delicado se pide aquí: una persona lo pide con su motivo y otra distinta lo autoriza o lo rechaza.

Autorizar encola la orden y asienta la respuesta juntas; si la luz se va en medio, autorizar otra vez no manda otra.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from nucleo.problema import Rechazo
from servicio_central.monitor import escrito
from servicio_central.monitor.acciones import ACCIONES, Accion, dicho
from servicio_central.monitor.dos_personas import HORAS, DeDos, DosPersonas, Palabras, Respuesta

_CUANTOS: Final = 100


@dataclass(frozen=True, slots=True)
class Pedido(DeDos):
    """Lo que alguien pidió que se le ordene a un equipo."""

    equipo: str
    accion: Accion
    texto: str
    desde: str

    @property
    def que(self) -> str:
        return dicho(self.accion.clave, self.texto, self.desde)

    @property
    def firmas(self) -> str:
        """Lo que queda escrito en la orden: de qué pedido salió y quiénes."""
        return f"{self.quien} y {self.respuesta.quien if self.respuesta else 'nadie'} (pedido {self.numero})"

    def situacion(self, ahora: datetime) -> str:
        """En qué está, en palabras."""
        if self.respuesta is None and not self.espera(ahora):
            return f"la pidió {self.quien}; nadie la respondió en {HORAS} horas y caducó"
        if self.respuesta is None:
            return f"la pidió {self.quien}; falta que otra persona la autorice"
        if not self.aceptado:
            return f"la pidió {self.quien}; {self.respuesta.quien} la rechazó: {self.respuesta.nota}"
        return f"la pidió {self.quien}; la autorizó {self.respuesta.quien}"


class Pedidos(DosPersonas[Pedido]):
    """Asienta pedidos y respuestas."""

    palabras = Palabras(
        *("ese pedido", "lo", "pide", "pidió", "autoriza", "autorizó", "autorizar"),
        donde="en Órdenes",
        otra_vez="si todavía hace falta, que alguien lo pida otra vez",
    )
    tablas = ("pedidos", "respuestas")
    columnas = ("pedido", "autoriza")

    def pedir(
        self, equipo: str, accion: Accion, texto: str, desde: str, motivo: str, quien: str, ahora: datetime
    ) -> int | Rechazo:
        """Asienta un pedido y devuelve su número. Raises: sqlite3.Error si no se pudo."""
        motivo = escrito.limpio(motivo)
        if (mal := escrito.objecion("el motivo", motivo, "diga en pocas palabras por qué")) is not None:
            return mal
        with self._libreta.transaccion() as bd:
            igual = next((p for p in self.abiertos(ahora) if p.equipo == equipo and p.accion is accion), None)
            if igual is not None:
                return Rechazo(
                    "YA_PEDIDO",
                    f"eso mismo ya lo pidió {igual.quien} para {equipo} y nadie ha respondido",
                    "dos personas lo pidieron a la vez, o se apretó dos veces",
                    "que un supervisor responda ese pedido",
                )
            hecho = bd.execute(
                "INSERT INTO pedidos (equipo, accion, texto, desde, hora, quien, motivo) VALUES (?,?,?,?,?,?,?)",
                (equipo, accion.clave, texto, desde, ahora.isoformat(), quien, motivo),
            )
            return int(hecho.lastrowid or 0)

    def abiertos(self, ahora: datetime) -> list[Pedido]:
        """Los que esperan respuesta y aún la pueden tener, el más viejo primero."""
        return [p for p in self._leer("r.pedido IS NULL")[::-1] if p.espera(ahora)]

    def de(self, equipo: str) -> list[Pedido]:
        """Los de un equipo, el más reciente primero."""
        return self._leer("p.equipo = ?", equipo, cuantos=_CUANTOS)

    def ultimos(self, ahora: datetime) -> list[Pedido]:
        """Los más recientes que ya no esperan: respondidos o caducos."""
        return [p for p in self._leer("1 = 1") if not p.espera(ahora)][:_CUANTOS]

    def _de_fila(self, fila: sqlite3.Row, respuesta: Respuesta | None) -> Pedido:
        return Pedido(
            *(fila["id"], datetime.fromisoformat(fila["hora"]), fila["quien"], fila["motivo"], respuesta),
            *(fila["equipo"], ACCIONES[fila["accion"]], fila["texto"], fila["desde"]),
        )
