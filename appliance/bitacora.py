"""La bitácora del kiosco: se encadena renglón a renglón y se manda al centro en hojas, dentro de la cadena firmada.

Los eventos se declaran en `nucleo/eventos.toml`. Una hoja se asienta como cualquier hecho (`hoja_pendiente`), así que
sobrevive a un enlace caído y a la mochila igual que las actas.
"""

from __future__ import annotations

import json
import sqlite3
from datetime import datetime
from typing import Final

from nucleo.eventos import BITACORA_NUEVA, RenglonDeBitacora, encadenar, eventos, huella_de_hoja
from nucleo.hoja_de_bitacora import MAXIMO_ACTA, MAXIMO_DETALLE, MAXIMO_RENGLONES, HojaDeBitacora
from nucleo.renglon import HechoInvalido, hora_con_huso

_MANDADA: Final = "bitacora_mandada"
"""Último renglón que ya va en una hoja, y su huella: hasta aquí ya no se recorre para mandar lo demás."""

_CABEZA: Final = "bitacora_cabeza"
"""Último renglón anotado, y su huella: sin ella, quitar los que aún no van en una hoja no dejaría rastro."""

_DANADA: Final = -1
_CIFRAS: Final = 18
"""Las que siempre caben en un entero de SQLite."""

_SIN_HORA: Final = "2000-01-01T00:00:00+00:00"
_CABIDA: Final = 18_000
"""Bytes de renglones por hoja: en base64 y con su encabezado debe caber en un sobre de 32 KiB."""


def anotar(conexion: sqlite3.Connection, renglon: RenglonDeBitacora) -> None:
    """Agrega un renglón, dentro de la transacción abierta. Raises: KeyError si el evento no está declarado."""
    eventos()[renglon.evento]
    hora, aclarado = _hora_que_viaja(renglon.hora)
    acta, detalle = _limpio(renglon.acta)[:MAXIMO_ACTA], _limpio(aclarado + renglon.detalle)[:MAXIMO_DETALLE]
    limpio = RenglonDeBitacora(hora, renglon.evento, renglon.persona, acta, detalle)
    defecto = "" if renglon.evento == "bitacora_rota" else _falta_la_cabeza(conexion)
    # Ahora, porque este renglón va a ser la cabeza. Si también faltan mandados, ya lo dirá `comprobar`.
    if defecto and not _cambio_lo_mandado(conexion):
        anotar(conexion, RenglonDeBitacora(renglon.hora, "bitacora_rota", detalle=defecto))
    previo = _ultima_huella(conexion)
    huella = encadenar(previo, limpio)
    numero = conexion.execute(
        "INSERT INTO bitacora (hora, evento, persona, acta, detalle, previo, huella) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            limpio.hora,
            limpio.evento,
            limpio.persona,
            limpio.acta,
            limpio.detalle,
            previo,
            huella,
        ),
    ).lastrowid
    conexion.execute("INSERT OR REPLACE INTO situacion VALUES (?, ?)", (_CABEZA, f"{numero} {huella}"))


def hoja_pendiente(conexion: sqlite3.Connection, hora: datetime) -> HojaDeBitacora | None:
    """La siguiente hoja por mandar, o `None`. Quien la asienta llama a `marcar_mandada` en la misma transacción.

    La hoja se corta donde los renglones dejan de seguirse: la que sigue empieza después del hueco, y el centro lo ve.
    """
    filas = conexion.execute(
        "SELECT renglon, hora, evento, persona, acta, detalle, previo, huella FROM bitacora WHERE renglon > ? "
        "ORDER BY renglon LIMIT ?",
        (_mandada(conexion), MAXIMO_RENGLONES),
    ).fetchall()
    if not filas:
        return None
    renglones: list[RenglonDeBitacora] = []
    tamano, numero, huella = 0, filas[0][0], filas[0][6]
    for fila in filas:
        renglon = RenglonDeBitacora(*fila[1:6])
        tamano += len(json.dumps(fila[1:6], ensure_ascii=False).encode())
        if renglones and (fila[0] != numero or fila[6] != huella or tamano > _CABIDA):
            break
        renglones.append(renglon)
        numero, huella = numero + 1, encadenar(huella, renglon)
        if huella != fila[7]:
            break
    return HojaDeBitacora(hora, filas[0][0], filas[0][6], tuple(renglones))


def cuantos_faltan(conexion: sqlite3.Connection) -> int:
    """Renglones que aún no van en ninguna hoja."""
    fila = conexion.execute("SELECT count(*) FROM bitacora WHERE renglon > ?", (_mandada(conexion),)).fetchone()
    return int(fila[0])


def urge(conexion: sqlite3.Connection) -> bool:
    """Si hay algo por mandar que no espera: terminó un turno, y con él puede apagarse el kiosco, o pasó algo grave."""
    pendientes = conexion.execute("SELECT DISTINCT evento FROM bitacora WHERE renglon > ?", (_mandada(conexion),))
    declarados = eventos()
    return any(e == "turno_cerrado" or (e in declarados and declarados[e].grave) for (e,) in pendientes)


def comprobar(conexion: sqlite3.Connection) -> str:
    """Qué tiene de malo la cadena de la bitácora, recorriéndola toda; vacío si está entera.

    Se nota un renglón quitado, cambiado o agregado por otro programa, también si es de los últimos.
    """
    return _recorrer(conexion, 0, -1)[0] or _fallan_los_ultimos(conexion)


def comprobar_lo_nuevo(conexion: sqlite3.Connection) -> str:
    """Lo mismo, de lo que aún no va en ninguna hoja: lo demás ya está en el centro, y `repasar` lo vuelve a ver."""
    ancla = 0 if _cambio_lo_mandado(conexion) else _mandada(conexion)
    return _recorrer(conexion, ancla, -1)[0] or _fallan_los_ultimos(conexion)


def repasar(conexion: sqlite3.Connection, ancla: int, cuantos: int) -> tuple[str, int]:
    """Comprueba `cuantos` renglones a partir de `ancla` (0, el principio).

    Returns:
        Qué tienen de malo, o vacío; y con qué ancla seguir: 0 si ya no hay más.
    """
    return _recorrer(conexion, ancla, cuantos)


def _recorrer(conexion: sqlite3.Connection, ancla: int, cuantos: int) -> tuple[str, int]:
    # El ancla ya se comprobó: con ella se encadena el siguiente, y así no hay orilla en que quitar uno no se note.
    filas = conexion.execute(
        "SELECT renglon, hora, evento, persona, acta, detalle, previo, huella FROM bitacora WHERE renglon >= ? "
        "ORDER BY renglon LIMIT ?",
        (ancla, cuantos if cuantos < 0 else cuantos + 1),
    ).fetchall()
    numero, huella = ancla and ancla - 1, "" if ancla else BITACORA_NUEVA
    for fila in filas:
        if ancla and fila[0] == ancla:
            numero, huella = ancla, fila[7]
            continue
        if numero and fila[0] != numero + 1:
            return f"faltan los renglones {numero + 1} a {fila[0] - 1}", fila[0]
        if (huella and fila[6] != huella) or (not numero and fila[0] > 1):
            return f"el renglón {fila[0]} no sigue al anterior", fila[0]
        if encadenar(fila[6], RenglonDeBitacora(*fila[1:6])) != fila[7]:
            return f"el renglón {fila[0]} se cambió", fila[0]
        numero, huella = fila[0], fila[7]
    return "", numero if len(filas) == cuantos + 1 else 0


def _fallan_los_ultimos(conexion: sqlite3.Connection) -> str:
    if _cambio_lo_mandado(conexion):
        if _mandada(conexion) == _DANADA:
            return "se dañó lo que se recordaba de hasta cuál renglón se había mandado; se manda todo otra vez"
        return f"lo que hay hasta el renglón {_mandada(conexion)} no es lo que ya se había mandado"
    return _falta_la_cabeza(conexion)


def _falta_la_cabeza(conexion: sqlite3.Connection) -> str:
    """Vacío si el último renglón que se anotó sigue ahí, o si lo anotó un programa que no lo recordaba."""
    numero, huella = _marca(conexion, _CABEZA)
    if numero == _DANADA:
        return "se dañó lo que se recordaba de cuál fue el último renglón que se anotó; se sigue con los que hay"
    if (
        not numero
        or conexion.execute("SELECT 1 FROM bitacora WHERE renglon = ? AND huella = ?", (numero, huella)).fetchone()
    ):
        return ""
    return f"lo último que se anotó fue el renglón {numero}, y ya no está o se cambió"


def rebobinar(conexion: sqlite3.Connection) -> None:
    """Si lo ya mandado no es lo que aquí hay, se manda todo otra vez: no se sabe desde dónde se cambió.

    El centro recibirá dos veces los mismos números con otro contenido, y lo dirá.
    """
    if _cambio_lo_mandado(conexion):
        conexion.execute("DELETE FROM situacion WHERE llave = ?", (_MANDADA,))


def marcar_mandada(conexion: sqlite3.Connection, hoja: HojaDeBitacora) -> None:
    """Recuerda hasta dónde se ha mandado, y con qué huella."""
    ultimo = hoja.desde + len(hoja.renglones) - 1
    huella = huella_de_hoja(hoja.previo, hoja.renglones)
    conexion.execute("INSERT OR REPLACE INTO situacion VALUES (?, ?)", (_MANDADA, f"{ultimo} {huella}"))


def _mandada(conexion: sqlite3.Connection) -> int:
    return _marca(conexion)[0]


def _marca(conexion: sqlite3.Connection, cual: str = _MANDADA) -> tuple[int, str]:
    """El número y la huella que se recuerdan en esa llave; cero si no hay, `_DANADA` si no se entiende."""
    fila = conexion.execute("SELECT valor FROM situacion WHERE llave = ?", (cual,)).fetchone()
    numero, _, huella = str(fila[0]).partition(" ") if fila else ("0", "", BITACORA_NUEVA)
    # Un error aquí impediría asentar lo que sea: se dice con un renglón, y al anotarlo se vuelve a recordar.
    entero = numero.isascii() and numero.isdecimal() and len(numero) <= _CIFRAS
    return (int(numero), huella) if entero else (_DANADA, "")


def _cambio_lo_mandado(conexion: sqlite3.Connection) -> bool:
    numero, huella = _marca(conexion)
    if not numero:
        return False
    fila = conexion.execute(
        "SELECT hora, evento, persona, acta, detalle, previo FROM bitacora WHERE renglon = ?", (numero,)
    ).fetchone()
    return fila is None or encadenar(fila[5], RenglonDeBitacora(*fila[:5])) != huella


def _ultima_huella(conexion: sqlite3.Connection) -> str:
    fila = conexion.execute("SELECT huella FROM bitacora ORDER BY renglon DESC LIMIT 1").fetchone()
    return str(fila[0]) if fila else BITACORA_NUEVA


def _hora_que_viaja(hora: str) -> tuple[str, str]:
    """Una hora que el centro acepta y, si no es la del reloj, lo que el reloj decía.

    Un equipo sin pila arranca en 1970: un solo renglón con esa hora detendría para siempre la bitácora entera.
    """
    try:
        hora_con_huso(hora)
    except HechoInvalido:
        return _SIN_HORA, f"el reloj decía {hora[:19]}; "
    return hora, ""


def _limpio(texto: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in texto)
