"""Lo que operación mandó y lo que le trajeron en mano: órdenes, pedidos por autorizar y mochilas, como valores.

Nada de esto es del libro de hechos: si la bandeja o el buzón no se pueden leer, se dice y el tablero sigue.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from nucleo.orden import PausarImagenes, SeguirImagenes, TomarDefinicion
from nucleo.sobre import SobreInvalido
from servicio_central import almacenes, firma_de_definicion
from servicio_central.monitor.alarmas import Alarma, Gravedad
from servicio_central.monitor.mochilas_vistas import Mirador, Mochilas
from servicio_central.monitor.pedidos import Pedido, Pedidos
from servicio_central.monitor.rastro_de_orden import Rastro, leer
from servicio_central.monitor.retrato import Retrato
from servicio_central.monitor.vida_de_orden import Paso, VidaDeOrden, contar
from servicio_central.ordenes import BandejaDeOrdenes, OrdenGuardada
from servicio_central.puerto_almacen import ERRORES
from servicio_central.tropiezo import Tropiezo

_MEMORIA: Final = timedelta(hours=12)
_RECIENTE: Final = timedelta(hours=1)
"""Lo que dura a la vista como alarma una orden que no se cumplió."""


Pausas = Mapping[tuple[str, str], datetime]
"""(equipo, época) → cuándo se supo que obedeció la orden de no mandar imágenes."""


@dataclass(frozen=True, slots=True)
class Mesa:
    """Lo de las últimas doce horas, lo más reciente primero. `mal` es por qué no se pudo leer la bandeja."""

    ordenes: tuple[VidaDeOrden, ...] = ()
    pedidos: tuple[Pedido, ...] = ()
    """Los que esperan a un supervisor."""
    mochilas: Mochilas = field(default_factory=Mochilas)
    mal: str = ""

    @property
    def en_curso(self) -> tuple[VidaDeOrden, ...]:
        return tuple(v for v in self.ordenes if not v.paso.termino)

    @property
    def terminadas(self) -> tuple[VidaDeOrden, ...]:
        return tuple(v for v in self.ordenes if v.paso.termino)

    def de(self, equipo: str) -> tuple[VidaDeOrden, ...]:
        return tuple(v for v in self.ordenes if v.equipo == equipo)


def en_pausa(ordenes: Iterable[OrdenGuardada]) -> Pausas:
    """Desde cuándo no manda imágenes cada cadena. Las órdenes, por número dentro de cada una."""
    desde: dict[tuple[str, str], datetime] = {}
    for o in ordenes:
        match o:
            case OrdenGuardada(obedecida=None):
                continue
            case OrdenGuardada(que=PausarImagenes(), obedecida=datetime() as hora):
                desde.setdefault((o.equipo, o.epoca), hora)
            case OrdenGuardada(que=SeguirImagenes()):
                desde.pop((o.equipo, o.epoca), None)
    return desde


class MiradorDeMesa:
    """Lo usa sólo quien retrata: recuerda lo que no ha cambiado."""

    def __init__(self, carpeta: Path, bandeja: BandejaDeOrdenes, pedidos: Pedidos) -> None:
        self._carpeta = carpeta
        self._bandeja = bandeja
        self._pedidos = pedidos
        self._mochilas = Mirador(carpeta)
        self._leidas: tuple[object, tuple[OrdenGuardada, ...]] = (None, ())
        self._pausas: tuple[object, Pausas] = (None, {})
        self._firmada: tuple[object, int, str] = (None, 0, "")
        self._rastros: dict[tuple[str, str], tuple[int, Rastro]] = {}

    def marca(self) -> object:
        """Distinta si algo de aquí pudo cambiar. Nunca lanza."""
        try:
            return self._bandeja.marca(), self._mochilas.marca()
        except OSError:
            return None

    def pausas(self) -> Pausas:
        """Las cadenas cuya última orden obedecida sobre imágenes es no mandarlas. Nunca lanza."""
        try:
            if (marca := self._bandeja.marca()) != self._pausas[0]:
                # Toda la noche, y no sólo lo que la mesa enseña: una pausa no caduca.
                self._pausas = (marca, en_pausa(self._bandeja.recientes(datetime.min.replace(tzinfo=UTC))))
        except (*ERRORES, OSError, SobreInvalido):
            # Lo dirá `mirar`; mientras, vale lo último que se supo.
            pass
        return self._pausas[1]

    def mirar(self, retrato: Retrato, bitacoras: Mapping[tuple[str, str], int], ahora: datetime) -> Mesa:
        """La mesa de este instante. Nunca lanza.

        Args:
            bitacoras: cadena → secuencia de su última hoja de bitácora.
        """
        mochilas = self._mochilas.mirar()
        try:
            vidas = self._vidas(retrato, bitacoras, ahora)
            return Mesa(vidas, tuple(self._pedidos.abiertos(ahora)), mochilas)
        except (*ERRORES, OSError, SobreInvalido, Tropiezo) as error:
            return Mesa(mochilas=mochilas, mal=str(error))

    def _vidas(
        self, retrato: Retrato, bitacoras: Mapping[tuple[str, str], int], ahora: datetime
    ) -> tuple[VidaDeOrden, ...]:
        marca = self._bandeja.marca()
        if marca != self._leidas[0]:
            self._leidas = (marca, self._bandeja.recientes(ahora - _MEMORIA))
        cadenas: dict[tuple[str, str], list[OrdenGuardada]] = defaultdict(list)
        for orden in self._leidas[1]:
            cadenas[orden.equipo, orden.epoca].append(orden)
        por_equipo = retrato.por_equipo if cadenas else {}
        vidas = [
            contar(o, suyas, por_equipo.get(o.equipo), self._rastro(c, bitacoras.get(c, 0)), self._huella(o), ahora)
            for c, suyas in cadenas.items()
            for o in suyas
        ]
        return tuple(sorted(vidas, key=lambda v: (v.encolada, v.numero, v.equipo), reverse=True))

    def _rastro(self, cadena: tuple[str, str], ultima: int) -> Rastro:
        visto = self._rastros.get(cadena)
        if visto is None or visto[0] != ultima:
            rastro = Rastro()
            if ultima:
                with closing(almacenes.leer(self._carpeta)) as bd:
                    rastro = leer(bd, *cadena, ultima)
            self._rastros[cadena] = visto = (ultima, rastro)
        return visto[1]

    def _huella(self, orden: OrdenGuardada) -> str:
        if not isinstance(orden.que, TomarDefinicion):
            return ""
        marca = firma_de_definicion.marca(self._carpeta)
        if marca != self._firmada[0]:
            ultima = firma_de_definicion.ultima(self._carpeta)
            self._firmada = (marca, 0, "") if ultima is None else (marca, ultima[0].version, ultima[0].huella)
        return self._firmada[2] if self._firmada[1] == orden.que.version else ""


def alarmas_de(mesa: Mesa, ahora: datetime) -> Iterator[Alarma]:
    """Lo que de la mesa hay que atender: todo es aviso, porque nada de esto pierde un voto.

    Sale también en el proyector, que no pide cuenta: no dice personas ni lo que se le escribió a un CATD.
    """
    if mesa.mal:
        yield Alarma(
            "ORDEN", Gravedad.AVISO, "", f"La bandeja de órdenes no se puede leer ({mesa.mal})",
            "el disco del centro está lleno o `ordenes.sqlite` está dañado",
            "revise el disco; los hechos no dependen de ella", "bandeja",
        )  # fmt: skip
    vistas: set[tuple[str, str, str]] = set()
    for v in mesa.ordenes:
        # La más reciente de cada cosa es la que vale: si la nueva se cumplió, la vieja ya no importa.
        clave = (v.equipo, v.epoca, v.que)
        if clave not in vistas and v.paso is Paso.RECHAZADA and ahora < v.caduca + _RECIENTE:
            yield Alarma(
                "ORDEN", Gravedad.AVISO, v.equipo, f"No se cumplió la orden {v.numero}: {v.que.partition(':')[0]}",
                v.porque, v.siguiente or "revise el equipo", v.que,
            )  # fmt: skip
        vistas.add(clave)
    for p in mesa.pedidos:
        yield Alarma(
            "PEDIDO", Gravedad.AVISO, p.equipo, f"Se pide {p.que}",
            "lo delicado lo autorizan dos personas", "que un supervisor lo responda en Órdenes",
            f"{p.numero}",
        )  # fmt: skip
    vistos: set[str] = set()
    for m in mesa.mochilas.vistas:
        reciente = m.importada is not None and ahora - m.importada < _RECIENTE
        if m.equipo not in vistos and not m.entera and (m.equipo or reciente):
            yield Alarma(
                "MOCHILA", Gravedad.AVISO, m.equipo, f"Una mochila {m.como}",
                m.mal or "la memoria está dañada, o trae algo que el centro no puede aceptar",
                "vea su informe en Órdenes, abajo, en Mochilas; la copia quedó apartada y la memoria no se borra",
                m.entrega,
            )  # fmt: skip
        vistos.add(m.equipo)
