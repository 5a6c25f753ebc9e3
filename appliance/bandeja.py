"""La bandeja: qué hechos falta que el centro acuse, y la única forma de cerrarlos.

Un renglón se cierra si el acuse trae, para esa secuencia, la misma huella que este kiosco firmó: `contiguo` cierra todo
lo anterior porque la cadena de huellas lo compromete; cada `suelto`, sólo el suyo. Si las huellas difieren, o el centro
recuerda más que nosotros, alguien copió o restauró el disco: se levanta una alarma que no se quita sola, un `contiguo`
ajeno no cierra nada y sólo se cierran los sueltos que son nuestros. Lo demás se sigue mandando: el centro guarda las
dos versiones y operación las ve; callar sería perder las actas de este CATD. Un `contiguo` nuestro cierra también con
alarma: si no, a quien tenga el otro disco le bastaría una hoja para que éste reenviara todo, toda la noche.

Por lo mismo, lo que ya estaba cerrado donde el centro tiene hoy otra huella queda en duda y se vuelve a ofrecer
(`ResultadoAcuse.en_duda`): el centro pudo perder su disco y el otro disco ocupar antes ese lugar. Cuando el centro
contesta que la apartó por bifurcada se anota en el renglón, que no se vuelve a abrir.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import TYPE_CHECKING, Final

from appliance import publicado
from appliance.contenido import calidad_de
from appliance.reloj import VIRTUAL
from nucleo.acuse import BIFURCADO, MAXIMO_APARTADOS, Acuse
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
    en_duda: tuple[int, ...] = ()
    """Secuencias cerradas de las que ya no consta que el centro las tenga; de mayor a menor, hasta `MAXIMO_EN_DUDA`."""


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


MAXIMO_EN_DUDA: Final = MAXIMO_APARTADOS
"""Las que caben en la respuesta. Bajo un `contiguo` ajeno van primero las últimas: lo que se bifurcó está siempre
arriba de lo común, y al apartarse deja su lugar a la anterior."""

_COLUMNAS = "SELECT h.secuencia, h.huella, h.sobre, b.apartado FROM bandeja b JOIN hechos h USING (secuencia) WHERE "
_CERRAR = "UPDATE bandeja SET estado = 'cerrado', cerrado_en = ?, apartado = NULL WHERE estado = 'pendiente' AND "


def pendientes(conexion: sqlite3.Connection, desde: int, limite: int) -> list[Pendiente]:
    donde = "b.estado = 'pendiente' AND b.apartado IS NULL AND b.secuencia >= ? ORDER BY b.secuencia LIMIT ?"
    return [Pendiente(*fila) for fila in conexion.execute(_COLUMNAS + donde, (desde, limite))]


def apartados(conexion: sqlite3.Connection, limite: int, desde: int = 1) -> list[Pendiente]:
    """Los primeros a partir de `desde`; si no alcanzan, se sigue con los de antes, como en una rueda."""
    donde = f"{_por_aceptar(conexion)} AND b.apartado IS NOT NULL ORDER BY b.secuencia < ?, b.secuencia LIMIT ?"
    return [Pendiente(*fila) for fila in conexion.execute(_COLUMNAS + donde, (desde, limite))]


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
    cuenta = conexion.execute(
        f"SELECT count(*), count(b.apartado) FROM bandeja b WHERE {_por_aceptar(conexion)}"
    ).fetchone()
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


def _por_aceptar(conexion: sqlite3.Connection) -> str:
    """Condición de los renglones que el centro no tiene contados; con alarma, también los que tuvo y hoy aparta."""
    # Sin alarma no hay de los segundos, y basta el índice de lo pendiente.
    return "(b.estado = 'pendiente' OR b.apartado IS NOT NULL)" if alarma(conexion) else "b.estado = 'pendiente'"


def aplicar(t: Transaccion, acuse: Acuse, recibido: datetime, equipo: str, epoca: str) -> ResultadoAcuse:
    """Lo que un acuse cambia, dentro de la transacción `t`."""
    if (acuse.equipo, acuse.epoca) != (equipo, epoca):
        t.anotar(recibido, "acuse_ajeno", detalle=f"{acuse.equipo} {acuse.epoca}")
        return ResultadoAcuse(Veredicto.AJENO)
    _poner(t.conexion, "ultimo_acuse", recibido.isoformat())
    ultima = t.conexion.execute("SELECT coalesce(max(secuencia), 0) FROM hechos").fetchone()[0]
    ajenos = [s for s, h in ((acuse.contiguo, acuse.huella), *acuse.sueltos) if s and _huella_en(t.conexion, s) != h]
    veredicto = Veredicto.APLICADO
    if max([acuse.contiguo, *(s for s, _ in acuse.sueltos)]) > ultima:
        veredicto = Veredicto.RETROCEDIDO
        _alarmar(t, recibido, "retrocedido", f"el centro tiene {acuse.contiguo} y aquí hay {ultima}")
    elif ajenos:
        veredicto = Veredicto.BIFURCADO
        _alarmar(t, recibido, "bifurcado", f"secuencia {ajenos[0]}: el centro acusa otra huella")
    cerrados = _cerrar_sueltos(t, acuse, recibido)
    if acuse.contiguo not in ajenos:
        cerrados += _cerrar(t, recibido, "secuencia <= ?", (acuse.contiguo,))
    if veredicto is Veredicto.APLICADO and acuse.corte is not None:
        publicado.recordar(t.conexion, acuse.corte)
    apartados = _apartar(t, acuse, recibido)
    return ResultadoAcuse(veredicto, cerrados, apartados, _en_duda(t.conexion, acuse.contiguo, ajenos))


def _en_duda(conexion: sqlite3.Connection, contiguo: int, ajenos: list[int]) -> tuple[int, ...]:
    if not ajenos:
        return ()
    # El contiguo ajeno no dice desde dónde: todo lo anterior puede ser del otro disco.
    hasta = contiguo if contiguo in ajenos else 0
    lugares = ", ".join("?" * len(ajenos))
    filas = conexion.execute(
        "SELECT secuencia FROM bandeja WHERE estado = 'cerrado' AND apartado IS NULL "
        f"AND (secuencia <= ? OR secuencia IN ({lugares})) ORDER BY secuencia DESC LIMIT ?",
        (hasta, *ajenos, MAXIMO_EN_DUDA),
    )
    return tuple(secuencia for (secuencia,) in filas)


def _cerrar(t: Transaccion, recibido: datetime, cual: str, valores: tuple[int | str, ...]) -> int:
    if t.alarma():
        # Lo que se había apartado ya cerrado, y el centro acabó contando.
        t.conexion.execute(f"UPDATE bandeja SET apartado = NULL WHERE apartado IS NOT NULL AND {cual}", valores)
    return t.conexion.execute(_CERRAR + cual, (recibido.isoformat(), *valores)).rowcount


def _cerrar_sueltos(t: Transaccion, acuse: Acuse, recibido: datetime) -> int:
    propio = "secuencia = (SELECT secuencia FROM hechos WHERE secuencia = ? AND huella = ?)"
    return sum(_cerrar(t, recibido, propio, (s, h)) for s, h in acuse.sueltos)


def _apartar(t: Transaccion, acuse: Acuse, recibido: datetime) -> int:
    # De lo cerrado sólo se cree que hay otra en su lugar: el centro también lista copias dañadas de sobres que sí
    # aceptó.
    cuantos = 0
    for apartado in acuse.apartados:
        cambio = t.conexion.execute(
            "UPDATE bandeja SET apartado = ? WHERE (estado = 'pendiente' OR ?) AND apartado IS NOT ? "
            "AND secuencia = (SELECT secuencia FROM hechos WHERE huella = ?)",
            (apartado.codigo, apartado.codigo == BIFURCADO, apartado.codigo, apartado.huella),
        ).rowcount
        if cambio:
            t.anotar(recibido, "apartado", detalle=f"{apartado.codigo} {apartado.huella}")
        cuantos += cambio
    return cuantos


def _alarmar(t: Transaccion, recibido: datetime, evento: str, detalle: str) -> None:
    # La misma alarma llega con cada acuse: se anota la primera vez y cuando cambia.
    if t.alarma() != evento:
        _poner(t.conexion, "alarma", evento)
        t.anotar(recibido, evento, detalle=detalle)


def _huella_en(conexion: sqlite3.Connection, secuencia: int) -> str:
    fila = conexion.execute("SELECT huella FROM hechos WHERE secuencia = ?", (secuencia,)).fetchone()
    return str(fila[0]) if fila else ""


def _poner(conexion: sqlite3.Connection, llave: str, valor: str) -> None:
    conexion.execute("INSERT OR REPLACE INTO situacion VALUES (?, ?)", (llave, valor))
