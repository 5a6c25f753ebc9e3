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
from threading import Lock
from typing import Final

from nucleo.problema import Rechazo
from servicio_central.monitor.episodios import MAXIMO_NOTA
from servicio_central.monitor.libreta import Libreta
from servicio_central.monitor.vigencia import HORAS, caduca, caduco

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
class Propuesta:
    """Lo que alguien propuso y, si ya la hay, la respuesta de otra persona. `confirma` es `None` mientras no."""

    numero: int
    caso: str
    hasta: int
    hora: datetime
    quien: str
    dictamen: str
    nota: str
    confirma: bool | None = None
    resolvio: str = ""
    resuelta: datetime | None = None
    nota_de_quien_resolvio: str = ""

    @property
    def caduca(self) -> datetime:
        """Hasta cuándo se puede responder."""
        return caduca(self.hora)

    def espera(self, ahora: datetime) -> bool:
        """Si todavía alguien la puede responder."""
        return self.confirma is None and not caduco(self.hora, ahora)


class Dictamenes:
    """Asienta propuestas y respuestas."""

    def __init__(self, libreta: Libreta) -> None:
        self._libreta = libreta
        self.turno = Lock()
        """Se toma para responder, con el código y todo: el segundo toque de un doble clic no es un código malo."""

    def proponer(self, caso: Caso, dictamen: str, nota: str, quien: str, ahora: datetime) -> int | Rechazo:
        """Asienta una propuesta y devuelve su número.

        Raises:
            sqlite3.Error: si no se pudo asentar.
        """
        nota = " ".join(nota.split())
        if dictamen not in OPCIONES[caso.clase]:
            return Rechazo("DICTAMEN", "falta escoger el dictamen", "se envió sin marcar ninguno", "escoja uno")
        if (mal := _nota_mala(nota)) is not None:
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

    def objecion(self, nota: str, *, confirma: bool) -> Rechazo | None:
        """Por qué esa nota no sirve para responder."""
        nota = " ".join(nota.split())
        return None if confirma and not nota else _nota_mala(nota)

    def resolver(self, numero: int, quien: str, nota: str, ahora: datetime, *, confirma: bool) -> Rechazo | None:
        """Confirma o rechaza una propuesta de otra persona.

        Raises:
            sqlite3.Error: si no se pudo asentar.
        """
        if (mal := self.objecion(nota, confirma=confirma)) is not None:
            return mal
        nota = " ".join(nota.split())
        with self._libreta.transaccion() as bd:
            propuesta = self.una(numero)
            if propuesta is not None and propuesta.confirma is not None and propuesta.resolvio == quien:
                return Rechazo(
                    "YA_RESPONDIO",
                    f"usted ya la {'confirmó' if propuesta.confirma else 'rechazó'}, y vale esa vez",
                    "se apretó dos veces, o es una página de antes",
                    "nada más que hacer: abajo, en lo asentado, está su respuesta",
                )
            if propuesta is None or propuesta.confirma is not None:
                return Rechazo(
                    "PROPUESTA",
                    "esa propuesta no existe o ya tiene respuesta",
                    "otra persona respondió antes",
                    "vuelva a abrir el caso",
                )
            if not propuesta.espera(ahora):
                return Rechazo(
                    "CADUCO",
                    f"esa propuesta caducó: es de hace más de {HORAS} horas",
                    "nadie la respondió la noche en que se propuso, y el caso pudo cambiar",
                    "vuelva a leer el caso y propóngala otra vez",
                )
            if propuesta.quien == quien:
                return Rechazo(
                    "DOS_PERSONAS",
                    "quien propone no confirma",
                    "la revisión es de dos personas distintas",
                    "pida a otra persona que lo revise con su propia cuenta",
                )
            bd.execute(
                "INSERT INTO resoluciones VALUES (?,?,?,?,?)", (numero, ahora.isoformat(), quien, int(confirma), nota)
            )
        return None

    def una(self, numero: int) -> Propuesta | None:
        filas = self._leer("p.id = ?", (numero,))
        return filas[0] if filas else None

    def de(self, caso: str) -> list[Propuesta]:
        """Las de un caso, la más reciente primero."""
        return self._leer("p.caso = ?", (caso,))

    def por_caso(self) -> dict[str, Propuesta]:
        """La última de cada caso."""
        ultimas: dict[str, Propuesta] = {}
        for propuesta in self._leer("1 = 1", ()):
            ultimas.setdefault(propuesta.caso, propuesta)
        return ultimas

    def _leer(self, condicion: str, valores: tuple[object, ...]) -> list[Propuesta]:
        filas = self._libreta.filas(
            "SELECT p.*, r.hora AS resuelta, r.quien AS resolvio, r.confirma, r.nota AS otra FROM propuestas p"
            f" LEFT JOIN resoluciones r ON r.propuesta = p.id WHERE {condicion} ORDER BY p.id DESC",
            valores,
        )
        return [_propuesta(f) for f in filas]


def situacion(caso: Caso, ultima: Propuesta | None, ahora: datetime) -> str:
    """En qué está un caso, en palabras: lo que falta hacer con él."""
    if ultima is None:
        return "sin dictamen"
    if ultima.confirma is None and not ultima.espera(ahora):
        return f"lo que propuso {ultima.quien} caducó sin respuesta; sin dictamen"
    if ultima.confirma is None:
        return f"propuesto por {ultima.quien}; falta que otra persona confirme"
    if not ultima.confirma:
        return f"propuesta rechazada por {ultima.resolvio}; sin dictamen"
    if caso.hasta > ultima.hasta:
        return "llegó más después del dictamen: hay que volver a verlo"
    return f"dictaminado por {ultima.quien} y {ultima.resolvio}"


def falta(caso: Caso, ultima: Propuesta | None) -> bool:
    """Si todavía hay algo que alguien deba hacer en la pantalla."""
    return ultima is None or not ultima.confirma or caso.hasta > ultima.hasta


def _nota_mala(nota: str) -> Rechazo | None:
    if 0 < len(nota) <= MAXIMO_NOTA and nota.isprintable():
        return None
    return Rechazo(
        "NOTA",
        f"la nota mide {len(nota)} caracteres y debe medir de 1 a {MAXIMO_NOTA}",
        "se envió sin escribirla, o se pegó un texto largo",
        "diga en pocas palabras cómo lo sabe",
    )


def _propuesta(f: sqlite3.Row) -> Propuesta:
    return Propuesta(
        f["id"],
        f["caso"],
        f["hasta"],
        datetime.fromisoformat(f["hora"]),
        f["quien"],
        f["dictamen"],
        f["nota"],
        None if f["confirma"] is None else bool(f["confirma"]),
        f["resolvio"] or "",
        None if f["resuelta"] is None else datetime.fromisoformat(f["resuelta"]),
        f["otra"] or "",
    )
