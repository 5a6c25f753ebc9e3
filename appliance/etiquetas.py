"""Las etiquetas que ha impreso este kiosco: quién, cuándo y con qué número de un solo uso.

El número queda guardado antes de que la etiqueta salga: así, al digitalizarla, se sabe que la imprimió este kiosco.
Reimprimir da otro número y el anterior sigue valiendo: la primera pudo quedar pegada.
"""

from __future__ import annotations

import secrets
from datetime import datetime

from appliance.almacen import Almacen, Lectura
from nucleo.etiqueta import BYTES_NONCE, Etiqueta, nonce_de
from nucleo.hechos import IdActa


def emitir(almacen: Almacen, acta: IdActa, persona: str, hora: datetime) -> Etiqueta:
    """Una etiqueta nueva para esa acta, ya anotada de forma durable. Raises: Falla."""
    nueva = Etiqueta(acta, nonce_de(secrets.token_bytes(BYTES_NONCE)))
    with almacen.transaccion() as t:
        t.conexion.execute(
            "INSERT INTO etiquetas VALUES (?, ?, ?, ?, ?)",
            (nueva.nonce, acta.eleccion, acta.casilla, persona, hora.isoformat()),
        )
    return nueva


def es_nuestra(mirada: Lectura, etiqueta: Etiqueta) -> bool:
    """Si este kiosco imprimió esa etiqueta, con ese número, para esa acta."""
    fila = mirada.conexion.execute(
        "SELECT eleccion, casilla FROM etiquetas WHERE nonce = ?", (etiqueta.nonce,)
    ).fetchone()
    return fila is not None and IdActa(*fila) == etiqueta.acta
