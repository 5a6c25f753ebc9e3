"""Lo delicado se pide aquí: una persona lo pide con su motivo y otra distinta lo autoriza o lo rechaza.

Autorizar encola la orden y asienta la respuesta juntas; si la luz se va en medio, autorizar otra vez no manda otra.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from typing import Final

from nucleo.problema import Rechazo
from servicio_central.monitor.acciones import ACCIONES, Accion, dicho
from servicio_central.monitor.episodios import MAXIMO_NOTA
from servicio_central.monitor.libreta import Libreta
from servicio_central.monitor.vigencia import HORAS, caduca, caduco

_CUANTOS: Final = 100


@dataclass(frozen=True, slots=True)
class Pedido:
    """Algo que espera, o esperó, a una segunda persona. `autoriza` es `None` mientras nadie responda."""

    numero: int
    equipo: str
    accion: Accion
    texto: str
    desde: str
    hora: datetime
    quien: str
    motivo: str
    autoriza: bool | None = None
    respondio: str = ""
    respondido: datetime | None = None
    nota: str = ""

    @property
    def que(self) -> str:
        return dicho(self.accion.clave, self.texto, self.desde)

    @property
    def firmas(self) -> str:
        """Lo que queda escrito en la orden: de qué pedido salió y quiénes."""
        return f"{self.quien} y {self.respondio} (pedido {self.numero})"

    @property
    def caduca(self) -> datetime:
        """Hasta cuándo se puede responder."""
        return caduca(self.hora)

    def espera(self, ahora: datetime) -> bool:
        """Si todavía alguien lo puede responder."""
        return self.autoriza is None and not caduco(self.hora, ahora)

    def situacion(self, ahora: datetime) -> str:
        """En qué está, en palabras."""
        if self.autoriza is None and not self.espera(ahora):
            return f"la pidió {self.quien}; nadie la respondió en {HORAS} horas y caducó"
        if self.autoriza is None:
            return f"la pidió {self.quien}; falta que otra persona la autorice"
        if not self.autoriza:
            return f"la pidió {self.quien}; {self.respondio} la rechazó: {self.nota}"
        return f"la pidió {self.quien}; la autorizó {self.respondio}"


class Pedidos:
    """Asienta pedidos y respuestas."""

    def __init__(self, libreta: Libreta) -> None:
        self._libreta = libreta
        self.turno = Lock()
        """Se toma para responder, con el código y todo: el segundo toque de un doble clic no es un código malo."""

    def pedir(
        self, equipo: str, accion: Accion, texto: str, desde: str, motivo: str, quien: str, ahora: datetime
    ) -> int | Rechazo:
        """Asienta un pedido y devuelve su número. Raises: sqlite3.Error si no se pudo."""
        motivo = " ".join(motivo.split())
        if not 0 < len(motivo) <= MAXIMO_NOTA or not motivo.isprintable():
            return _motivo_malo(motivo)
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

    def responder(
        self,
        numero: int,
        quien: str,
        nota: str,
        ahora: datetime,
        *,
        autoriza: bool,
        hacer: Callable[[Pedido], Rechazo | None] = lambda _: None,
    ) -> Rechazo | None:
        """Autoriza (y entonces hace) o rechaza el pedido de otra persona.

        Args:
            hacer: encola la orden de ese pedido, ya con quien respondió; si dice que no, nada queda asentado.

        Raises:
            sqlite3.Error: si no se pudo asentar.
        """
        if (mal := self.objecion(nota, autoriza=autoriza)) is not None:
            return mal
        nota = " ".join(nota.split())
        try:
            return self._responder(numero, quien, nota, ahora, hacer if autoriza else None)
        except _NoSePudo as error:
            return error.rechazo

    def objecion(self, nota: str, *, autoriza: bool) -> Rechazo | None:
        """Por qué esa nota no sirve para responder."""
        nota = " ".join(nota.split())
        if (not autoriza and not nota) or len(nota) > MAXIMO_NOTA or not nota.isprintable():
            return _motivo_malo(nota)
        return None

    def _responder(
        self,
        numero: int,
        quien: str,
        nota: str,
        ahora: datetime,
        hacer: Callable[[Pedido], Rechazo | None] | None,
    ) -> Rechazo | None:
        with self._libreta.transaccion() as bd:
            pedido = self.uno(numero)
            if pedido is not None and pedido.autoriza is not None and pedido.respondio == quien:
                return Rechazo(
                    "YA_RESPONDIO",
                    f"usted ya lo {'autorizó' if pedido.autoriza else 'rechazó'}, y vale esa vez",
                    "se apretó dos veces, o es una página de antes",
                    "nada más que hacer; vea en qué va en Órdenes",
                )
            if pedido is None or pedido.autoriza is not None:
                return Rechazo(
                    "PEDIDO",
                    "ese pedido no existe o ya tiene respuesta",
                    "otra persona respondió antes",
                    "vea en qué quedó en Órdenes",
                )
            if not pedido.espera(ahora):
                return Rechazo(
                    "CADUCO",
                    f"ese pedido caducó: es de hace más de {HORAS} horas",
                    "nadie lo respondió la noche en que se pidió",
                    "si todavía hace falta, que alguien lo pida otra vez",
                )
            if pedido.quien == quien:
                return Rechazo(
                    "DOS_PERSONAS",
                    "quien pide no autoriza",
                    "lo delicado es de dos personas distintas",
                    "pida a un supervisor que lo revise con su propia cuenta",
                )
            bd.execute(
                "INSERT INTO respuestas VALUES (?,?,?,?,?)",
                (numero, ahora.isoformat(), quien, int(hacer is not None), nota),
            )
            if hacer is not None:
                respondido = self.uno(numero)
                assert respondido is not None
                if (mal := hacer(respondido)) is not None:
                    raise _NoSePudo(mal)
        return None

    def uno(self, numero: int) -> Pedido | None:
        filas = self._leer("p.id = ?", numero)
        return filas[0] if filas else None

    def abiertos(self, ahora: datetime) -> list[Pedido]:
        """Los que esperan respuesta y aún la pueden tener, el más viejo primero."""
        return [p for p in self._leer("r.pedido IS NULL AND p.id > ?", 0, -1)[::-1] if p.espera(ahora)]

    def de(self, equipo: str) -> list[Pedido]:
        """Los de un equipo, el más reciente primero."""
        return self._leer("p.equipo = ?", equipo)

    def ultimos(self, ahora: datetime) -> list[Pedido]:
        """Los más recientes que ya no esperan: respondidos o caducos."""
        return [p for p in self._leer("p.id > ?", 0, -1) if not p.espera(ahora)][:_CUANTOS]

    def _leer(self, condicion: str, valor: object, cuantos: int = _CUANTOS) -> list[Pedido]:
        filas = self._libreta.filas(
            "SELECT p.*, r.hora AS respondido, r.quien AS respondio, r.autoriza, r.nota FROM pedidos p"
            f" LEFT JOIN respuestas r ON r.pedido = p.id WHERE {condicion} ORDER BY p.id DESC LIMIT {cuantos}",
            (valor,),
        )
        return [_pedido(f) for f in filas]


class _NoSePudo(Exception):
    """Deshace la transacción."""

    def __init__(self, rechazo: Rechazo) -> None:
        self.rechazo = rechazo


def _motivo_malo(texto: str) -> Rechazo:
    if 0 < len(texto) <= MAXIMO_NOTA:
        return Rechazo(
            "MOTIVO",
            "el texto trae un carácter que no se ve",
            "se copió de un mensaje del teléfono, con un emoji compuesto o una marca invisible",
            "tecléelo aquí",
        )
    return Rechazo(
        "MOTIVO",
        f"el motivo mide {len(texto)} caracteres y debe medir de 1 a {MAXIMO_NOTA}",
        "se envió sin escribirlo, o se pegó un texto largo",
        "diga en pocas palabras por qué",
    )


def _pedido(f: sqlite3.Row) -> Pedido:
    return Pedido(
        f["id"],
        f["equipo"],
        ACCIONES[f["accion"]],
        f["texto"],
        f["desde"],
        datetime.fromisoformat(f["hora"]),
        f["quien"],
        f["motivo"],
        None if f["autoriza"] is None else bool(f["autoriza"]),
        f["respondio"] or "",
        None if f["respondido"] is None else datetime.fromisoformat(f["respondido"]),
        f["nota"] or "",
    )
