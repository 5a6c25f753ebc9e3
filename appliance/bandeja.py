"""La bandeja: qué hechos falta que el centro acuse, y la única forma de cerrarlos.

Un renglón se cierra si el acuse trae, para esa secuencia, la misma huella que este kiosco firmó: `contiguo` cierra todo
lo anterior porque la cadena de huellas lo compromete; cada `suelto`, sólo el suyo. Si las huellas difieren, o el centro
recuerda más que nosotros, alguien copió o restauró el disco: se levanta una alarma que no se quita sola, `contiguo` ya
no cierra nada y sólo se cierran los sueltos que son nuestros. Lo demás se sigue mandando: el centro guarda las dos
versiones y operación las ve; callar sería perder las actas de este CATD.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import TYPE_CHECKING

from appliance import publicado
from appliance.contenido import calidad_de
from appliance.reloj import VIRTUAL
from nucleo.acuse import Acuse
from nucleo.sobre import CADENA_NUEVA

if TYPE_CHECKING:
    from appliance.almacen import Transaccion


@dataclass(frozen=True, slots=True)
class Pendiente:
    """Un sobre por enviar."""

    secuencia: int
    huella: str
    sobre: str
    apartado: str | None
    """Código con que el centro lo apartó, si lo hizo."""


class Veredicto(Enum):
    """Qué resultó de un acuse."""

    APLICADO = "aplicado"
    AJENO = "ajeno"
    BIFURCADO = "bifurcado"
    RETROCEDIDO = "retrocedido"


@dataclass(frozen=True, slots=True)
class ResultadoAcuse:
    """`cerrados` y `apartados` cuentan los renglones que cambiaron con este acuse."""

    veredicto: Veredicto
    cerrados: int = 0
    apartados: int = 0


@dataclass(frozen=True, slots=True)
class Resumen:
    """Cómo va la bandeja. `pendientes` incluye a los `apartados`."""

    secuencia: int
    huella: str
    pendientes: int
    apartados: int
    alarma: str | None
    """`bifurcado` o `retrocedido`; no se quita sola."""
    ultimo_acuse: datetime | None
    """Cuándo llegó el último acuse válido, por el reloj de la máquina."""


_COLUMNAS = "SELECT h.secuencia, h.huella, h.sobre, b.apartado FROM bandeja b JOIN hechos h USING (secuencia) WHERE "
_CERRAR = "UPDATE bandeja SET estado = 'cerrado', cerrado_en = ?, apartado = NULL WHERE estado = 'pendiente' AND "


def pendientes(conexion: sqlite3.Connection, desde: int, limite: int) -> list[Pendiente]:
    donde = "b.estado = 'pendiente' AND b.apartado IS NULL AND b.secuencia >= ? ORDER BY b.secuencia LIMIT ?"
    return [Pendiente(*fila) for fila in conexion.execute(_COLUMNAS + donde, (desde, limite))]


def apartados(conexion: sqlite3.Connection, limite: int) -> list[Pendiente]:
    donde = "b.estado = 'pendiente' AND b.apartado IS NOT NULL ORDER BY b.secuencia LIMIT ?"
    return [Pendiente(*fila) for fila in conexion.execute(_COLUMNAS + donde, (limite,))]


def sobres(conexion: sqlite3.Connection, desde: int, hasta: int, limite: int) -> list[Pendiente]:
    donde = "b.secuencia BETWEEN ? AND ? ORDER BY b.secuencia LIMIT ?"
    return [Pendiente(*fila) for fila in conexion.execute(_COLUMNAS + donde, (desde, hasta, limite))]


def mas_viejo(conexion: sqlite3.Connection, ahora: datetime, calidad: str) -> int:
    """Segundos que lleva asentado el hecho sin acuse más antiguo; -1 si no hay, o si se selló con un reloj de ensayo
    y éste no lo es."""
    fila = conexion.execute(
        "SELECT h.creado, h.sobre FROM bandeja b JOIN hechos h USING (secuencia) WHERE b.estado = 'pendiente' "
        "ORDER BY b.secuencia LIMIT 1"
    ).fetchone()
    if fila is None or (calidad_de(fila[1]) == VIRTUAL) != (calidad == VIRTUAL):
        return -1
    return max(0, (ahora - datetime.fromisoformat(fila[0])) // timedelta(seconds=1))


def resumen(conexion: sqlite3.Connection) -> Resumen:
    ultimo = conexion.execute("SELECT secuencia, huella FROM hechos ORDER BY secuencia DESC LIMIT 1").fetchone()
    cuenta = conexion.execute("SELECT count(*), count(apartado) FROM bandeja WHERE estado = 'pendiente'").fetchone()
    situacion = dict(conexion.execute("SELECT llave, valor FROM situacion").fetchall())
    acuse = situacion.get("ultimo_acuse")
    return Resumen(
        secuencia=ultimo[0] if ultimo else 0,
        huella=ultimo[1] if ultimo else CADENA_NUEVA,
        pendientes=cuenta[0],
        apartados=cuenta[1],
        alarma=situacion.get("alarma"),
        ultimo_acuse=datetime.fromisoformat(acuse) if acuse else None,
    )


def alarma(conexion: sqlite3.Connection) -> str | None:
    fila = conexion.execute("SELECT valor FROM situacion WHERE llave = 'alarma'").fetchone()
    return str(fila[0]) if fila else None


def aplicar(t: Transaccion, acuse: Acuse, recibido: datetime, equipo: str, epoca: str) -> ResultadoAcuse:
    """Lo que un acuse cambia, dentro de la transacción `t`."""
    if (acuse.equipo, acuse.epoca) != (equipo, epoca):
        t.anotar(recibido, "acuse_ajeno", detalle=f"{acuse.equipo} {acuse.epoca}")
        return ResultadoAcuse(Veredicto.AJENO)
    _poner(t.conexion, "ultimo_acuse", recibido.isoformat())
    ultima = t.conexion.execute("SELECT coalesce(max(secuencia), 0) FROM hechos").fetchone()[0]
    if max([acuse.contiguo, *(s for s, _ in acuse.sueltos)]) > ultima:
        detalle = f"el centro tiene {acuse.contiguo} y aquí hay {ultima}"
        return _alarmar(t, acuse, recibido, Veredicto.RETROCEDIDO, "retrocedido", detalle)
    ajenos = [s for s, h in ((acuse.contiguo, acuse.huella), *acuse.sueltos) if s and _huella_en(t.conexion, s) != h]
    if ajenos:
        detalle = f"secuencia {ajenos[0]}: el centro acusa otra huella"
        return _alarmar(t, acuse, recibido, Veredicto.BIFURCADO, "bifurcado", detalle)
    cerrados = t.conexion.execute(_CERRAR + "secuencia <= ?", (recibido.isoformat(), acuse.contiguo)).rowcount
    cerrados += _cerrar_sueltos(t, acuse, recibido)
    if acuse.corte is not None:
        publicado.recordar(t.conexion, acuse.corte)
    return ResultadoAcuse(Veredicto.APLICADO, cerrados, _apartar(t, acuse, recibido))


def _cerrar_sueltos(t: Transaccion, acuse: Acuse, recibido: datetime) -> int:
    propio = _CERRAR + "secuencia = (SELECT secuencia FROM hechos WHERE secuencia = ? AND huella = ?)"
    return sum(t.conexion.execute(propio, (recibido.isoformat(), s, h)).rowcount for s, h in acuse.sueltos)


def _apartar(t: Transaccion, acuse: Acuse, recibido: datetime) -> int:
    # Sólo lo que sigue pendiente: el centro también lista copias dañadas de sobres que sí aceptó.
    cuantos = 0
    for apartado in acuse.apartados:
        cambio = t.conexion.execute(
            "UPDATE bandeja SET apartado = ? WHERE estado = 'pendiente' AND apartado IS NOT ? "
            "AND secuencia = (SELECT secuencia FROM hechos WHERE huella = ?)",
            (apartado.codigo, apartado.codigo, apartado.huella),
        ).rowcount
        if cambio:
            t.anotar(recibido, "apartado", detalle=f"{apartado.codigo} {apartado.huella}")
        cuantos += cambio
    return cuantos


def _alarmar(
    t: Transaccion, acuse: Acuse, recibido: datetime, veredicto: Veredicto, evento: str, detalle: str
) -> ResultadoAcuse:
    # La misma alarma llega con cada acuse: se anota la primera vez y cuando cambia.
    if t.alarma() != veredicto.value:
        _poner(t.conexion, "alarma", veredicto.value)
        t.anotar(recibido, evento, detalle=detalle)
    return ResultadoAcuse(veredicto, _cerrar_sueltos(t, acuse, recibido), _apartar(t, acuse, recibido))


def _huella_en(conexion: sqlite3.Connection, secuencia: int) -> str:
    fila = conexion.execute("SELECT huella FROM hechos WHERE secuencia = ?", (secuencia,)).fetchone()
    return str(fila[0]) if fila else ""


def _poner(conexion: sqlite3.Connection, llave: str, valor: str) -> None:
    conexion.execute("INSERT OR REPLACE INTO situacion VALUES (?, ?)", (llave, valor))
