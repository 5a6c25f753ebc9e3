"""Qué imágenes declaradas le faltan al centro, y la única forma de darlas por entregadas: su recibo firmado.

Se anotan en la misma transacción que el hecho que las nombra, y se mandan cuando ese hecho ya tiene acuse. La misma
imagen declarada dos veces se manda una. Lo recibido se va anotando con su hora: de ahí, y no de lo mandado, sale en
cuánto tiempo estarán al día.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from appliance import situacion
from nucleo.hechos import FueraDeCatalogo, Hecho, Imagen
from nucleo.recibo import ImagenRecibida, Recibo, Situacion

if TYPE_CHECKING:
    from appliance.almacen import Transaccion

PERDIDA: Final = "perdida"
"""Nota de la que ya no está, o se dañó, en el disco de este kiosco."""

PAUSA: Final = "imagenes_pausa"
"""Llave de `appliance.situacion`: por qué no se mandan imágenes; vacío si se mandan."""

PRESUPUESTO: Final = "presupuesto"
ORDEN: Final = "orden"
"""Los porqués de una pausa: se acabó lo que se podía gastar de la salida, o lo pidió el centro."""

_AVANCES: Final = 500
"""Cuántos recibos se recuerdan para medir el paso."""


@dataclass(frozen=True, slots=True)
class ImagenPorEnviar:
    """Una imagen que el centro no tiene completa. `bytes` es 0 si aún no se mide."""

    sha256: str
    bytes: int


@dataclass(frozen=True, slots=True)
class ResumenDeImagenes:
    """Cómo van las imágenes, sin contar las `apartadas`."""

    pendientes: int
    bytes: int
    """Los que faltan, según los recibos."""
    sin_medir: int
    """Pendientes de las que no se sabe cuánto miden."""
    apartadas: int
    """Las que no se pueden mandar: el centro no las reconoce, o aquí ya no están."""
    pausa: str
    """Por qué no se mandan; vacío si se mandan."""


_PENDIENTES: Final = """
SELECT i.sha256, i.bytes FROM imagenes i JOIN bandeja b USING (secuencia) JOIN hechos h USING (secuencia)
WHERE i.estado = 'pendiente' AND b.estado = 'cerrado'
ORDER BY h.casilla IS NOT NULL AND (
    SELECT count(*) FROM hechos c WHERE c.eleccion = h.eleccion AND c.casilla = h.casilla AND c.tipo = 'captura'
) < 2, i.secuencia LIMIT ?
"""


def declarar(conexion: sqlite3.Connection, hecho: Hecho, secuencia: int) -> None:
    """Anota la imagen que nombra el hecho, si nombra una, dentro de la transacción que lo asienta."""
    if not isinstance(hecho, Imagen | FueraDeCatalogo):
        return
    total = hecho.bytes if isinstance(hecho, Imagen) else 0
    conexion.execute(
        "INSERT INTO imagenes (sha256, secuencia, bytes) SELECT ?, ?, ? "
        "WHERE NOT EXISTS (SELECT 1 FROM imagenes WHERE sha256 = ?)",
        (hecho.sha256, secuencia, total, hecho.sha256),
    )
    # Si el hecho que la declaró primero nunca se acusa (quedó apartado), vale el siguiente.
    conexion.execute(
        "UPDATE imagenes SET secuencia = ? WHERE sha256 = ? AND estado = 'pendiente' AND secuencia <> ? "
        "AND secuencia NOT IN (SELECT secuencia FROM bandeja WHERE estado = 'cerrado')",
        (secuencia, hecho.sha256, secuencia),
    )


def pendientes(conexion: sqlite3.Connection, limite: int) -> list[ImagenPorEnviar]:
    """Las que ya se pueden mandar: primero las de actas con dos lecturas, y de ésas la más vieja.

    Con dos lecturas casi siempre está verificada; saberlo de cierto costaría leer la historia de cada acta.
    """
    return [ImagenPorEnviar(*fila) for fila in conexion.execute(_PENDIENTES, (limite,))]


def medir(conexion: sqlite3.Connection, sha256: str, total: int) -> None:
    """Anota cuánto mide una que no lo decía (el hecho fuera de catálogo no trae sus bytes)."""
    conexion.execute("UPDATE imagenes SET bytes = ? WHERE sha256 = ? AND bytes = 0", (total, sha256))


def perder(t: Transaccion, sha256: str, hora: datetime) -> None:
    """Anota que ya no está en el disco, o que se dañó. Se dice una vez."""
    if _apartar(t.conexion, sha256, PERDIDA):
        t.anotar(hora, "imagen_perdida", detalle=sha256)


def aplicar(t: Transaccion, recibo: Recibo, hora: datetime, equipo: str, epoca: str) -> bool:
    """Lo que cambia un recibo cuya firma ya se verificó; es lo único que cierra imágenes. Falso si no es de aquí."""
    if (recibo.equipo, recibo.epoca) != (equipo, epoca):
        return False
    avance = sum(_aplicar(t, imagen, hora) for imagen in recibo.imagenes)
    if avance:
        t.conexion.execute("INSERT INTO avances (hora, bytes) VALUES (?, ?)", (hora.isoformat(), avance))
        t.conexion.execute("DELETE FROM avances WHERE id <= (SELECT max(id) FROM avances) - ?", (_AVANCES,))
    return True


def resumen(conexion: sqlite3.Connection) -> ResumenDeImagenes:
    pendientes, faltan, sin_medir, apartadas = conexion.execute(
        "SELECT count(*) FILTER (WHERE nota = ''), coalesce(sum(bytes - recibidos) FILTER (WHERE nota = ''), 0), "
        "count(*) FILTER (WHERE nota = '' AND bytes = 0), count(*) FILTER (WHERE nota <> '') "
        "FROM imagenes WHERE estado = 'pendiente'"
    ).fetchone()
    return ResumenDeImagenes(pendientes, faltan, sin_medir, apartadas, situacion.leer(conexion, PAUSA))


def _aplicar(t: Transaccion, imagen: ImagenRecibida, hora: datetime) -> int:
    """Bytes nuevos que el centro dice tener."""
    fila = t.conexion.execute(
        "SELECT bytes, recibidos, nota FROM imagenes WHERE sha256 = ? AND estado = 'pendiente'", (imagen.sha256,)
    ).fetchone()
    if fila is None:
        return 0
    total, antes = int(fila[0]) or imagen.total, int(fila[1])
    match imagen.situacion:
        case Situacion.COMPLETA:
            _poner(t.conexion, imagen.sha256, total, total, "completa", "")
            return total - antes
        case Situacion.PARCIAL:
            tiene = min(total, sum(hasta - desde for desde, hasta in imagen.rangos))
            # Que el centro conteste no quiere decir que aquí se pueda leer.
            nota = fila[2] if fila[2] == PERDIDA and tiene <= antes else ""
            _poner(t.conexion, imagen.sha256, total, tiene, "pendiente", nota)
            return max(0, tiene - antes)
        case Situacion.AJENA | Situacion.DANADA:
            if _apartar(t.conexion, imagen.sha256, imagen.situacion.value):
                t.anotar(hora, "imagen_no_recibida", detalle=f"{imagen.situacion.value} {imagen.sha256}")
    return 0


def _poner(conexion: sqlite3.Connection, sha256: str, total: int, recibidos: int, estado: str, nota: str) -> None:
    conexion.execute(
        "UPDATE imagenes SET bytes = ?, recibidos = ?, estado = ?, nota = ? WHERE sha256 = ?",
        (total, recibidos, estado, nota, sha256),
    )


def _apartar(conexion: sqlite3.Connection, sha256: str, nota: str) -> bool:
    """Dice si no lo estaba ya por lo mismo."""
    cambio = conexion.execute(
        "UPDATE imagenes SET nota = ? WHERE sha256 = ? AND estado = 'pendiente' AND nota <> ?",
        (nota, sha256, nota),
    )
    return cambio.rowcount > 0
