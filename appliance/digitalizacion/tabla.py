"""Las tablas `lotes` y `hojas`: leerlas y escribirlas, dentro de la mirada o la transacción que abrió quien llama."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from appliance.almacen import Lectura, Transaccion
from appliance.digitalizacion.hoja import EstadoDeHoja, Hoja, Lote, Vista
from appliance.digitalizacion.motivo import Motivo, motivo_de
from nucleo.acta import Digitalizacion
from nucleo.hechos import IdActa
from nucleo.problema import Rechazo

_CAMPOS: Final = (
    "hoja, lote, numero, estado, digitalizacion, persona, hora, origen, sha256, lectura, eleccion, casilla, motivo, "
    "detalle"
)
_DEL_LOTE: Final = "lote, digitalizacion, persona, hora, entraron, a_medias, fin, falla"


# ---------------------------------------------------------------------------------------------------------------- lotes


def abrir_lote(t: Transaccion, lote: Lote) -> None:
    t.conexion.execute(
        "INSERT INTO lotes (lote, digitalizacion, persona, hora) VALUES (?, ?, ?, ?)",
        (lote.lote, lote.digitalizacion.value, lote.persona, lote.hora.isoformat()),
    )


def cerrar_lote(t: Transaccion, lote: str, *, entraron: int, a_medias: int, fin: str, falla: Rechazo | None) -> None:
    texto = json.dumps([falla.codigo, falla.que, falla.causa, falla.siguiente]) if falla else ""
    t.conexion.execute(
        "UPDATE lotes SET entraron = max(entraron, ?), a_medias = ?, fin = ?, falla = ? WHERE lote = ?",
        (entraron, a_medias, fin, texto, lote),
    )


def contar_entrada(t: Transaccion, lote: str, entraron: int) -> None:
    """Recuerda cuántas hojas dijo el aparato que pasaron; nunca baja."""
    t.conexion.execute("UPDATE lotes SET entraron = max(entraron, ?) WHERE lote = ?", (entraron, lote))


def entender_falla(t: Transaccion, lote: str) -> bool:
    """Quita de la pantalla la falla de ese lote. Si no la tenía, `False`."""
    return bool(t.conexion.execute("UPDATE lotes SET falla = '' WHERE lote = ? AND falla <> ''", (lote,)).rowcount)


def lote_de(mirada: Lectura, lote: str) -> Lote | None:
    fila = mirada.conexion.execute(f"SELECT {_DEL_LOTE} FROM lotes WHERE lote = ?", (lote,)).fetchone()
    return _lote(fila) if fila else None


def ultimo_lote(mirada: Lectura) -> Lote | None:
    """El último que se empezó. Lo dice el orden de la bitácora y no la hora, que se puede corregir hacia atrás."""
    fila = mirada.conexion.execute(
        "SELECT detalle FROM bitacora WHERE evento = 'lote_empezado' ORDER BY renglon DESC LIMIT 1"
    ).fetchone()
    return lote_de(mirada, str(fila[0]).partition(" ")[0]) if fila else None


def lotes_abiertos(mirada: Lectura) -> list[Lote]:
    """Los que no terminaron: si el kiosco acaba de arrancar, se interrumpieron."""
    return [_lote(f) for f in mirada.conexion.execute(f"SELECT {_DEL_LOTE} FROM lotes WHERE fin = ''")]


def lotes_con_falla(mirada: Lectura) -> list[Lote]:
    """Los que terminaron mal y nadie ha dicho «Entendido», del más viejo al más nuevo."""
    return [_lote(f) for f in mirada.conexion.execute(f"SELECT {_DEL_LOTE} FROM lotes WHERE falla <> '' ORDER BY hora")]


# ---------------------------------------------------------------------------------------------------------------- hojas


def recibir(t: Transaccion, lote: Lote, numero: int, origen: str, hora: datetime) -> int | None:
    """El renglón nuevo de ese archivo; `None` si ya tenía uno."""
    cursor = t.conexion.execute(
        "INSERT INTO hojas (lote, numero, estado, digitalizacion, persona, hora, origen) VALUES (?, ?, ?, ?, ?, ?, ?) "
        "ON CONFLICT (origen) DO NOTHING",
        (
            lote.lote,
            numero,
            EstadoDeHoja.RECIBIDA.value,
            lote.digitalizacion.value,
            lote.persona,
            hora.isoformat(),
            origen,
        ),
    )
    return cursor.lastrowid if cursor.rowcount else None


def hoja_de(mirada: Lectura, hoja: int) -> Hoja | None:
    fila = mirada.conexion.execute(f"SELECT {_CAMPOS} FROM hojas WHERE hoja = ?", (hoja,)).fetchone()
    return _hoja(fila) if fila else None


def siguiente_recibida(mirada: Lectura, despues_de: int = 0) -> Hoja | None:
    """La más antigua que falta mirar."""
    fila = mirada.conexion.execute(
        f"SELECT {_CAMPOS} FROM hojas WHERE estado = 'recibida' AND hoja > ? ORDER BY hoja LIMIT 1", (despues_de,)
    ).fetchone()
    return _hoja(fila) if fila else None


def dudosas(mirada: Lectura, limite: int = 200) -> list[Hoja]:
    """Las que esperan a una persona, de la más antigua a la más nueva."""
    filas = mirada.conexion.execute(
        f"SELECT {_CAMPOS} FROM hojas WHERE estado = 'dudosa' ORDER BY hoja LIMIT ?", (limite,)
    )
    return [_hoja(f) for f in filas]


def dudosas_de(mirada: Lectura, acta: IdActa) -> list[Hoja]:
    filas = mirada.conexion.execute(
        f"SELECT {_CAMPOS} FROM hojas WHERE estado = 'dudosa' AND eleccion = ? AND casilla = ? ORDER BY hoja",
        (acta.eleccion, acta.casilla),
    )
    return [_hoja(f) for f in filas]


def recientes(mirada: Lectura, limite: int = 24) -> list[Hoja]:
    """Las últimas que entraron y no están dudosas, de la más nueva a la más antigua."""
    filas = mirada.conexion.execute(
        f"SELECT {_CAMPOS} FROM hojas WHERE estado <> 'dudosa' ORDER BY hoja DESC LIMIT ?", (limite,)
    )
    return [_hoja(f) for f in filas]


def gemela(mirada: Lectura, hoja: int, sha256: str) -> Hoja | None:
    """Otra hoja con exactamente la misma imagen, ya asignada o declarada."""
    fila = mirada.conexion.execute(
        f"SELECT {_CAMPOS} FROM hojas WHERE sha256 = ? AND hoja <> ? AND estado IN ('asignada', 'fuera', 'dudosa') "
        "ORDER BY estado = 'dudosa', hoja LIMIT 1",
        (sha256, hoja),
    ).fetchone()
    return _hoja(fila) if fila else None


def cuentas(mirada: Lectura, lote: str | None = None) -> Counter[EstadoDeHoja]:
    """Cuántas hay en cada estado, del lote o de todo el kiosco."""
    donde, datos = ("WHERE lote = ?", (lote,)) if lote is not None else ("", ())
    filas = mirada.conexion.execute(f"SELECT estado, count(*) FROM hojas {donde} GROUP BY estado", datos)
    return Counter({EstadoDeHoja(estado): cuantas for estado, cuantas in filas})


def origenes(mirada: Lectura) -> dict[str, bool]:
    """Archivo de entrada → si ya sobra: su hoja se resolvió, o su imagen ya está guardada."""
    filas = mirada.conexion.execute(
        "SELECT origen, estado <> 'recibida' AND (estado <> 'dudosa' OR sha256 <> '') FROM hojas"
    )
    return {origen: bool(sobra) for origen, sobra in filas}


def imagenes_nombradas(mirada: Lectura) -> set[str]:
    """Huellas de imagen que alguna hoja nombra."""
    return {s for (s,) in mirada.conexion.execute("SELECT DISTINCT sha256 FROM hojas WHERE sha256 <> ''")}


def escribir(
    t: Transaccion,
    hoja: Hoja,
    *,
    estado: EstadoDeHoja,
    vista: Vista,
    sha256: str,
    acta: IdActa | None,
    motivo: Motivo | None,
    detalle: str = "",
    persona: str | None = None,
) -> None:
    t.conexion.execute(
        "UPDATE hojas SET estado = ?, lectura = ?, sha256 = ?, eleccion = ?, casilla = ?, motivo = ?, detalle = ?, "
        "persona = ? WHERE hoja = ?",
        (
            estado.value,
            vista.a_texto(),
            sha256,
            acta.eleccion if acta else None,
            acta.casilla if acta else None,
            motivo.value if motivo else "",
            detalle[:300],
            hoja.persona if persona is None else persona,
            hoja.hoja,
        ),
    )


def _hoja(fila: Sequence[Any] | sqlite3.Row) -> Hoja:
    hoja, lote, numero, estado, digitalizacion, persona, hora, origen, sha256, lectura, *resto = fila
    eleccion, casilla, motivo, detalle = resto
    return Hoja(
        hoja,
        lote,
        numero,
        EstadoDeHoja(estado),
        Digitalizacion(digitalizacion),
        persona,
        datetime.fromisoformat(hora),
        origen,
        sha256,
        Vista.de_texto(lectura),
        IdActa(eleccion, casilla) if eleccion is not None and casilla is not None else None,
        motivo_de(motivo),
        detalle,
    )


def _lote(fila: Sequence[Any] | sqlite3.Row) -> Lote:
    lote, digitalizacion, persona, hora, entraron, a_medias, fin, falla = fila
    partes = tuple(json.loads(falla)) if falla else None
    return Lote(
        lote,
        Digitalizacion(digitalizacion),
        persona,
        datetime.fromisoformat(hora),
        entraron,
        a_medias,
        fin,
        partes,
    )


def hora_de_etiqueta(mirada: Lectura, nonces: Sequence[str]) -> datetime | None:
    """Cuándo imprimió este kiosco la etiqueta con alguno de esos números al azar; `None` si no es suya."""
    for nonce in nonces:
        fila = mirada.conexion.execute("SELECT hora FROM etiquetas WHERE nonce = ?", (nonce,)).fetchone()
        if fila:
            return datetime.fromisoformat(fila[0])
    return None
