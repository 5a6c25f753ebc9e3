"""Lo reservado: de una lectura todavía sin verificar sólo se publica que existe.

Quien pudiera leer en el sitio la primera captura de un acta ya no la capturaría a ciegas. Por eso de las capturas,
correcciones y revisiones de una vuelta que no se ha publicado sale nada más su eslabón (`HechoReservado`): prueba que
el equipo ya la firmó, y cuando el acta se verifica su contenido tiene que dar esa misma huella. Lo que se publica se
calcula sólo de lo que se ve, así que sale igual para quien tiene todos los hechos que para quien tiene los eslabones.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from nucleo.captura import Verificada, ultima_verificada
from nucleo.hechos import (
    Captura,
    Correccion,
    FueraDeCatalogo,
    Hecho,
    HechoDeActa,
    HojaDeBitacora,
    IdActa,
    Recaptura,
    Revision,
    de_contenido,
    del_catd,
    tipo_de,
)
from nucleo.sobre import leer_json


@dataclass(frozen=True, slots=True)
class HechoRegistrado:
    """Un hecho aceptado, con su lugar en la cadena de quien lo firmó."""

    equipo: str
    epoca: str
    secuencia: int
    previo: str
    huella: str
    hecho: Hecho

    @property
    def lugar(self) -> tuple[str, str, int]:
        """Dónde está en las cadenas; ordena lo que se publica."""
        return self.equipo, self.epoca, self.secuencia

    def reservado(self) -> HechoReservado:
        """Su eslabón: todo menos lo que dice."""
        hecho = self.hecho
        acta = None if isinstance(hecho, HojaDeBitacora | FueraDeCatalogo) else hecho.acta
        vuelta = hecho.vuelta if isinstance(hecho, Captura | Correccion | Revision | Recaptura) else None
        return HechoReservado(
            self.equipo, self.epoca, self.secuencia, self.previo, self.huella, tipo_de(hecho), acta, vuelta
        )


@dataclass(frozen=True, slots=True)
class HechoReservado:
    """El eslabón de un hecho cuyo contenido no se publica."""

    equipo: str
    epoca: str
    secuencia: int
    previo: str
    """Huella del anterior en su cadena."""
    huella: str
    """SHA-256 del sobre: ata el contenido que algún día se revele."""
    tipo: str
    """Como en el sobre: `captura`, `correccion`, `revision` o `bitacora`."""
    acta: IdActa | None
    """`None` en la bitácora."""
    vuelta: int | None

    @property
    def lugar(self) -> tuple[str, str, int]:
        return self.equipo, self.epoca, self.secuencia


HechoVisible = HechoRegistrado | HechoReservado


@dataclass(frozen=True, slots=True)
class Vista:
    """Los hechos de un acta, partidos en lo que se ve y lo reservado. Los dos en orden de lugar."""

    abiertos: tuple[HechoRegistrado, ...]
    reservados: tuple[HechoReservado, ...]
    verificada: int
    """La vuelta que se publica; 0 si ninguna."""
    lectura: Verificada | None = None
    """Lo que dice esa vuelta."""

    @property
    def hechos(self) -> list[HechoDeActa]:
        """Lo que dicen los abiertos."""
        return [h for a in self.abiertos if not isinstance(h := a.hecho, HojaDeBitacora | FueraDeCatalogo)]


def partir(visibles: Iterable[HechoVisible], publicada: int, cerrado: bool) -> Vista:
    """Parte los hechos de UN acta.

    Args:
        visibles: todos los que se tengan, en cualquier orden y con repeticiones; un eslabón sobra si también está
            completo.
        publicada: la vuelta más alta que se ha publicado verificada en un corte anterior; 0 si ninguna. De ella para
            abajo ya nada se reserva: sus lecturas ya son públicas, y las que lleguen tarde no tienen qué proteger.
        cerrado: si es el último corte o ya lo hubo. Entonces nada queda reservado.
    """
    completos: dict[str, HechoRegistrado] = {}
    eslabones: dict[str, HechoReservado] = {}
    for visible in visibles:
        if isinstance(visible, HechoReservado):
            eslabones.setdefault(visible.huella, visible)
        else:
            completos.setdefault(visible.huella, visible)
    en_orden = sorted(completos.values(), key=lambda h: h.lugar)
    lectura = _verificada([h.hecho for h in en_orden])
    verificada = lectura.vuelta if lectura is not None else 0
    umbral = max(publicada, verificada)
    abiertos: list[HechoRegistrado] = []
    for registrado in en_orden:
        if es_reservado(registrado.hecho, umbral, cerrado):
            eslabones.setdefault(registrado.huella, registrado.reservado())
        else:
            abiertos.append(registrado)
            eslabones.pop(registrado.huella, None)
    return Vista(tuple(abiertos), tuple(sorted(eslabones.values(), key=lambda h: h.lugar)), verificada, lectura)


def es_reservado(hecho: Hecho, umbral: int, cerrado: bool) -> bool:
    """Si de ese hecho sólo se publica el eslabón.

    Args:
        umbral: la vuelta más alta de su acta que está verificada o que ya se publicó.
    """
    if isinstance(hecho, HojaDeBitacora):
        return True  # nombra personas y cosas del centro; la audita quien debe, no cualquiera
    return not cerrado and isinstance(hecho, Captura | Correccion | Revision) and hecho.vuelta > umbral


def vuelta_verificada(hechos: Sequence[Hecho]) -> int:
    """La vuelta que se publica de un acta según sus hechos completos; 0 si ninguna."""
    verificada = _verificada(hechos)
    return verificada.vuelta if verificada is not None else 0


def registrado_de(huella: str, compacto: str) -> HechoRegistrado:
    """El hecho de un sobre ya aceptado: la firma se comprobó al aceptarlo."""
    carga = compacto.split(".")[1]
    sobre = leer_json(base64.urlsafe_b64decode(carga + "=" * (-len(carga) % 4)))
    hecho = del_catd(de_contenido(sobre["contenido"]), str(sobre["catd"]))
    return HechoRegistrado(
        str(sobre["equipo"]), str(sobre["epoca"]), int(sobre["secuencia"]), str(sobre["previo"]), huella, hecho
    )


def _verificada(hechos: Sequence[Hecho]) -> Verificada | None:
    de_acta = [h for h in hechos if isinstance(h, Captura | Correccion | Revision)]
    return ultima_verificada(de_acta) if len(de_acta) > 1 else None
