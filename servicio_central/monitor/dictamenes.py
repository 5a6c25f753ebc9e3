"""La revisión entre dos personas de lo bifurcado y de la cuarentena: una propone, otra distinta confirma.

Un dictamen **no cambia lo contado**: deja asentado qué se concluyó y dice el siguiente paso exacto. Lo que sí puede
cambiarlo es un padrón nuevo con exclusión, que sólo firma la autoridad, fuera de línea.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Final

from nucleo.problema import Rechazo
from servicio_central.monitor import escrito
from servicio_central.monitor.dos_personas import DeDos, DosPersonas, Palabras, Respuesta

NADIE: Final = "-"
"""En la clave de un caso, el equipo que no se supo cuál es."""


class Clase(Enum):
    """De qué es el caso."""

    BIFURCACION = "bifurcacion"
    CUARENTENA = "cuarentena"


@dataclass(frozen=True, slots=True)
class Caso:
    """Lo que se revisa junto: las bifurcaciones de una cadena, o la cuarentena de un equipo con un mismo código.

    `detalle` es la época o el código. `hasta` es el último renglón que hay: lo que llegue después de un dictamen vuelve
    a abrir el caso.
    """

    clase: Clase
    equipo: str
    detalle: str
    cuantos: int
    hasta: int
    primera: int = 0
    """La secuencia repetida más baja, si es una bifurcación."""

    @property
    def clave(self) -> str:
        return f"{self.clase.value}:{self.equipo}:{self.detalle}"

    def siguiente(self, dictamen: str) -> str:
        """El paso exacto que sigue si se confirma ese dictamen."""
        texto = OPCIONES[self.clase][dictamen].siguiente
        equipo = "ese equipo" if self.equipo == NADIE else self.equipo
        return texto.format(equipo=equipo, detalle=self.detalle, desde=self.primera, hasta=max(0, self.primera - 1))


@dataclass(frozen=True, slots=True)
class Opcion:
    """Un dictamen posible. `siguiente` se llena con `Caso.siguiente`."""

    que: str
    siguiente: str


_NADA: Final = "nada que hacer: no se contó y no se contará"

OPCIONES: Final[Mapping[Clase, Mapping[str, Opcion]]] = {
    Clase.BIFURCACION: {
        "copia": Opcion(
            "Copiaron su llave o su disco: no se puede confiar en lo que firmó desde la hoja repetida",
            "pida a la autoridad dar de baja a {equipo} y excluir lo que firmó desde la hoja {desde}: ella firma, "
            "fuera de línea, un padrón nuevo (`./prep inscribir` con `--baja {equipo}`, y luego con "
            "`--excluir {equipo} --epoca {detalle} --hasta {hasta}` y su `--motivo`); usted lo copia sobre "
            "`padron.jws` del centro y los cortes siguientes ya no lo cuentan",
        ),
        "restauracion": Opcion(
            "Se restauró de un respaldo y siguió trabajando; nadie lo copió",
            "que el CATD vuelva a capturar lo que dice la hoja que no se contó, y que el técnico sustituya el equipo",
        ),
        "sin_efecto": Opcion(
            "Las dos hojas dicen lo mismo, o la repetida no cambia ningún acta",
            "nada que hacer con lo contado; que el técnico averigüe por qué se repitió",
        ),
    },
    Clase.CUARENTENA: {
        "dano": Opcion(
            "Llegó dañado en el camino; la hoja buena ya se contó o el kiosco la reenvía",
            _NADA + ". Si la alarma crece, revise la red de {equipo}",
        ),
        "mal_inscrito": Opcion(
            "El equipo es legítimo pero no está inscrito como debe (época, modo, proceso o CATD)",
            "pida a la autoridad inscribirlo otra vez (`./prep inscribir`); lo que firmó con lo anterior se vuelve a "
            "capturar",
        ),
        "ataque": Opcion(
            "Alguien manda lo que no debe, con un certificado de la casa",
            "pida a la autoridad dar de baja a {equipo} (`./prep inscribir` con `--baja {equipo}`); `./prep "
            "broker` lo saca solo. Conserve el equipo para la investigación",
        ),
        "ruido": Opcion("Es basura sin consecuencia, o una prueba", _NADA),
    },
}


@dataclass(frozen=True, slots=True)
class Propuesta(DeDos):
    """El dictamen que alguien propuso para un caso. `motivo` es cómo lo sabe."""

    caso: str
    hasta: int
    dictamen: str


class Dictamenes(DosPersonas[Propuesta]):
    """Asienta propuestas y respuestas."""

    palabras = Palabras(
        *("esa propuesta", "la", "propone", "propuso", "confirma", "confirmó", "confirmar"),
        donde="abajo, en lo asentado",
        otra_vez="vuelva a leer el caso y propóngala otra vez",
    )
    tablas = ("propuestas", "resoluciones")
    columnas = ("propuesta", "confirma")

    def proponer(self, caso: Caso, dictamen: str, nota: str, quien: str, ahora: datetime) -> int | Rechazo:
        """Asienta una propuesta y devuelve su número.

        Raises:
            sqlite3.Error: si no se pudo asentar.
        """
        nota = escrito.limpio(nota)
        if dictamen not in OPCIONES[caso.clase]:
            return Rechazo("DICTAMEN", "falta escoger el dictamen", "se envió sin marcar ninguno", "escoja uno")
        if (mal := escrito.objecion("la nota", nota, "diga en pocas palabras cómo lo sabe")) is not None:
            return mal
        with self._libreta.transaccion() as bd:
            abierta = next((p for p in self.de(caso.clave) if p.espera(ahora)), None)
            if abierta is not None:
                return Rechazo(
                    "YA_PROPUESTO",
                    f"este caso ya tiene una propuesta de {abierta.quien} sin responder",
                    "dos personas lo abrieron a la vez",
                    "confírmela o rechácela antes de proponer otra cosa",
                )
            hecho = bd.execute(
                "INSERT INTO propuestas (caso, hasta, hora, quien, dictamen, nota) VALUES (?,?,?,?,?,?)",
                (caso.clave, caso.hasta, ahora.isoformat(), quien, dictamen, nota),
            )
            return int(hecho.lastrowid or 0)

    def de(self, caso: str) -> list[Propuesta]:
        """Las de un caso, la más reciente primero."""
        return self._leer("p.caso = ?", caso)

    def por_caso(self) -> dict[str, Propuesta]:
        """La última de cada caso."""
        ultimas: dict[str, Propuesta] = {}
        for propuesta in self._leer("1 = 1"):
            ultimas.setdefault(propuesta.caso, propuesta)
        return ultimas

    def _de_fila(self, fila: sqlite3.Row, respuesta: Respuesta | None) -> Propuesta:
        return Propuesta(
            *(fila["id"], datetime.fromisoformat(fila["hora"]), fila["quien"], fila["nota"], respuesta),
            *(fila["caso"], fila["hasta"], fila["dictamen"]),
        )


def situacion(caso: Caso, ultima: Propuesta | None, ahora: datetime) -> str:
    """En qué está un caso, en palabras: lo que falta hacer con él."""
    if ultima is None:
        return "sin dictamen"
    if ultima.respuesta is None and not ultima.espera(ahora):
        return f"lo que propuso {ultima.quien} caducó sin respuesta; sin dictamen"
    if ultima.respuesta is None:
        return f"propuesto por {ultima.quien}; falta que otra persona confirme"
    if not ultima.aceptado:
        return f"propuesta rechazada por {ultima.respuesta.quien}; sin dictamen"
    if caso.hasta > ultima.hasta:
        return "llegó más después del dictamen: hay que volver a verlo"
    return f"dictaminado por {ultima.quien} y {ultima.respuesta.quien}"


def falta(caso: Caso, ultima: Propuesta | None) -> bool:
    """Si todavía hay algo que alguien deba hacer en la pantalla."""
    return ultima is None or not ultima.aceptado or caso.hasta > ultima.hasta
