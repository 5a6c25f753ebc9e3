"""El tablero de coordinación: en qué está cada acta de este kiosco, desde cuándo, y qué pide atención primero.

Es una proyección en memoria del libro que se pone al día con los hechos nuevos; lo que no es hecho (quién la tiene
abierta, qué apartó el centro, en qué corte salió) se mira en cada consulta. Nunca lleva lo que alguien leyó.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import Enum
from typing import Final

from appliance import publicado
from appliance.almacen import Almacen, Encargo, Lectura
from appliance.cotejo import cotejo_vigente
from appliance.empaquetado import empaque_vigente
from appliance.fila import acopiada
from appliance.redigitalizacion import imagen_por_confirmar
from nucleo.captura import Discrepante, EnRevision, PrimeraConcluida, SinActaDeclarada, Verificada, estado_de
from nucleo.hechos import (
    Acopio,
    FueraDeCatalogo,
    HechoDeActa,
    HojaDeBitacora,
    IdActa,
    Imagen,
    Recaptura,
)


class Situacion(Enum):
    """En qué está un acta, en el orden del trabajo."""

    POR_DIGITALIZAR = "Por digitalizar"
    POR_CAPTURAR = "Por capturar"
    SEGUNDA_LECTURA = "Por leer otra vez"
    DISCREPANTE = "Tercera lectura"
    EN_REVISION = "Revisión entre dos"
    IMAGEN_POR_CONFIRMAR = "Imagen por confirmar"
    """Su imagen cambió después de leerse: coordinación decide con el papel en la mano."""
    POR_COTEJAR = "Por cotejar"
    POR_EMPACAR = "Por empacar"
    EMPACADA = "Empacadas"
    SIN_ACTA = "Sin acta"

    @property
    def de_una(self) -> str:
        """Lo mismo, dicho de un acta."""
        return _DE_UNA.get(self, self.value)


_DE_UNA: Final = {
    Situacion.SEGUNDA_LECTURA: "Espera segunda lectura",
    Situacion.DISCREPANTE: "Espera tercera lectura",
    Situacion.EN_REVISION: "Espera revisión entre dos",
    Situacion.IMAGEN_POR_CONFIRMAR: "Verificada, con imagen nueva por confirmar",
    Situacion.POR_COTEJAR: "Verificada, por cotejar",
    Situacion.POR_EMPACAR: "Cotejada, por empacar",
    Situacion.EMPACADA: "Empacada",
}

PENDIENTES: Final = tuple(s for s in Situacion if s not in (Situacion.EMPACADA, Situacion.SIN_ACTA))
"""Las que todavía piden trabajo."""


@dataclass(frozen=True, slots=True)
class Ficha:
    """Un acta en el tablero. `desde` es cuándo llegó a la situación en que está."""

    acta: IdActa
    situacion: Situacion
    desde: datetime
    vuelta: int
    verificada: bool
    imagen: bool
    caja: str
    secuencia: int
    """Del hecho con que se verificó; 0 si no lo está."""
    abierta: Encargo | None = None
    apartada: str = ""
    """Código con que el centro apartó alguno de sus hechos."""
    corte: datetime | None = None
    """Primer corte sabido que la incluye."""
    sin_publicar: bool = False
    problemas: tuple[str, ...] = ()
    """Lo que pide atención, en palabras."""


@dataclass(frozen=True, slots=True)
class Monton:
    """Las actas de una situación: cuántas son y desde cuándo espera la más vieja."""

    situacion: Situacion
    cuantas: int
    mas_vieja: datetime | None


@dataclass(frozen=True, slots=True)
class Hora:
    """Lo hecho en una hora de reloj, que empieza en `inicio`."""

    inicio: datetime
    acopiadas: int
    verificadas: int


@dataclass(frozen=True)
class Retrato:
    """El tablero en un instante; `fichas` va con los problemas primero y, después, de la más vieja a la más nueva."""

    fichas: tuple[Ficha, ...]
    montones: tuple[Monton, ...]
    avance: tuple[Hora, ...]
    hojas_dudosas: int
    """Hojas digitalizadas que esperan que alguien diga de qué acta son."""
    publicadas: int


@dataclass
class _Propia:
    historia: list[tuple[int, HechoDeActa]] = field(default_factory=list)
    ficha: Ficha | None = None
    acopio: datetime | None = None
    verificacion: datetime | None = None


class Tablero:
    """Se puede compartir entre hilos: toma el turno del almacén."""

    def __init__(self, almacen: Almacen, plazo: timedelta) -> None:
        self._almacen = almacen
        self._plazo = plazo
        self._vista = 0
        self._propias: dict[IdActa, _Propia] = {}

    def retrato(self, ahora: datetime) -> Retrato:
        """El tablero a esa hora. Raises: Falla."""
        with self._almacen.lectura() as mirada:
            self._actualizar()
            fichas = self._completas(mirada, ahora)
            dudosas = mirada.conexion.execute("SELECT count(*) FROM hojas WHERE estado = 'dudosa'").fetchone()[0]
        montones = tuple(_monton(s, fichas) for s in Situacion)
        avance = _por_hora(self._propias.values(), ahora)
        return Retrato(fichas, montones, avance, dudosas, sum(f.corte is not None for f in fichas))

    def ficha(self, acta: IdActa, ahora: datetime) -> Ficha | None:
        """La de un acta; `None` si este kiosco no sabe de ella. Raises: Falla."""
        with self._almacen.lectura() as mirada:
            self._actualizar()
            if acta not in self._propias:
                return None
            return next(f for f in self._completas(mirada, ahora) if f.acta == acta)

    def _actualizar(self) -> None:
        tocadas: dict[IdActa, None] = {}
        for secuencia, hecho in self._almacen.hechos_desde(self._vista):
            self._vista = secuencia
            if not isinstance(hecho, FueraDeCatalogo | HojaDeBitacora):
                self._propias.setdefault(hecho.acta, _Propia()).historia.append((secuencia, hecho))
                tocadas[hecho.acta] = None
        for acta in tocadas:
            _deducir(acta, self._propias[acta])

    def _completas(self, mirada: Lectura, ahora: datetime) -> tuple[Ficha, ...]:
        encargos, cortes = mirada.encargos(), publicado.cortes(mirada.conexion)
        apartadas = {
            IdActa(e, c): codigo
            for e, c, codigo in mirada.conexion.execute(
                "SELECT eleccion, casilla, apartado FROM bandeja JOIN hechos USING (secuencia) "
                "WHERE apartado IS NOT NULL AND casilla IS NOT NULL"
            )
        }
        fichas = [
            self._completa(p.ficha, encargos.get(a), apartadas.get(a, ""), cortes, ahora)
            for a, p in self._propias.items()
            if p.ficha is not None
        ]
        return tuple(sorted(fichas, key=lambda f: (not f.problemas, f.situacion not in PENDIENTES, f.desde)))

    def _completa(
        self,
        ficha: Ficha,
        abierta: Encargo | None,
        apartada: str,
        cortes: Sequence[publicado.CorteSabido],
        ahora: datetime,
    ) -> Ficha:
        corte = publicado.corte_que_cubre(cortes, ficha.secuencia, str(ficha.acta))
        problemas = []
        if apartada:
            problemas.append(f"el centro la apartó ({apartada})")
        if ficha.situacion is Situacion.EN_REVISION:
            problemas.append("ni la tercera lectura la resolvió: júntense dos personas")
        if ficha.situacion is Situacion.IMAGEN_POR_CONFIRMAR:
            donde = f" (el papel está en la {ficha.caja})" if ficha.caja else ""
            problemas.append(f"su imagen cambió después de leerse: decidan con el papel en la mano{donde}")
        if ficha.situacion is Situacion.DISCREPANTE:
            problemas.append("dos lecturas no coinciden")
        if abierta is not None and abs(ahora - abierta.desde) >= self._plazo:
            problemas.append(f"abierta sin actividad por {abierta.persona}")
        return replace(
            ficha,
            abierta=abierta,
            apartada=apartada,
            corte=corte,
            sin_publicar=ficha.verificada and corte is None,
            problemas=tuple(problemas),
        )


def _deducir(acta: IdActa, propia: _Propia) -> None:
    historia = [h for _, h in propia.historia]
    estado = estado_de(historia)
    empaque, cotejo = empaque_vigente(historia), cotejo_vigente(historia)
    verificada = isinstance(estado, Verificada)
    imagen = any(isinstance(h, Imagen) for h in historia)
    match estado:
        case Verificada() if imagen_por_confirmar(historia) is not None:
            situacion = Situacion.IMAGEN_POR_CONFIRMAR
        case Verificada() if empaque is not None and (cotejo is not None or estado.vuelta == 1):
            situacion = Situacion.EMPACADA
        case Verificada() if cotejo is not None:
            situacion = Situacion.POR_EMPACAR
        case Verificada():
            situacion = Situacion.POR_COTEJAR
        case EnRevision():
            situacion = Situacion.EN_REVISION
        case Discrepante():
            situacion = Situacion.DISCREPANTE
        case PrimeraConcluida():
            situacion = Situacion.SEGUNDA_LECTURA
        case SinActaDeclarada() if not acopiada(historia):
            situacion = Situacion.SIN_ACTA
        case _:
            situacion = Situacion.POR_CAPTURAR if imagen else Situacion.POR_DIGITALIZAR
    vuelta = max([estado.vuelta, *(h.vuelta for h in historia if isinstance(h, Recaptura))])
    secuencia = publicado.secuencia_verificada(propia.historia)
    propia.ficha = Ficha(
        acta,
        situacion,
        max(h.hora for h in historia),
        vuelta,
        verificada,
        imagen,
        empaque.caja if empaque else "",
        secuencia,
    )
    propia.acopio = next((h.hora for h in historia if isinstance(h, Acopio)), None)
    propia.verificacion = estado.verificacion if isinstance(estado, Verificada) else None


def _monton(situacion: Situacion, fichas: Iterable[Ficha]) -> Monton:
    horas = [f.desde for f in fichas if f.situacion is situacion]
    return Monton(situacion, len(horas), min(horas, default=None))


def _por_hora(propias: Iterable[_Propia], ahora: datetime) -> tuple[Hora, ...]:
    """De la hora de la primera acta a la de ahora, sin saltos; a lo más las últimas doce."""
    acopios: Counter[datetime] = Counter()
    verificaciones: Counter[datetime] = Counter()
    for propia in propias:
        for hora, cuenta in ((propia.acopio, acopios), (propia.verificacion, verificaciones)):
            if hora is not None:
                cuenta[_en_punto(hora.astimezone(ahora.tzinfo))] += 1
    if not acopios and not verificaciones:
        return ()
    ultima = max(_en_punto(ahora), *acopios, *verificaciones)
    primera = max(min([*acopios, *verificaciones]), ultima - timedelta(hours=_HORAS - 1))
    horas = [primera + timedelta(hours=n) for n in range(_HORAS) if primera + timedelta(hours=n) <= ultima]
    return tuple(Hora(h, acopios[h], verificaciones[h]) for h in horas)


def _en_punto(hora: datetime) -> datetime:
    return hora.replace(minute=0, second=0, microsecond=0)


_HORAS: Final = 12
