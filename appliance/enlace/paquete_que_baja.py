"""El paquete de definición que está bajando: se arma en orden, se pide desde donde va y, completo, se juzga una vez.

El kiosco es quien pide: su latido dice qué paquete espera y cuánto lleva, y el centro contesta con unos trozos. Así
nada se manda dos veces por si acaso, y un enlace lento marca su propio paso.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Final

from appliance import situacion
from appliance.almacen import Almacen, Transaccion
from nucleo.orden import TomarDefinicion
from nucleo.paquete import DefinicionFirmada
from nucleo.problema import Rechazo
from nucleo.trozo import TrozoInvalido, leer

RAFAGA: Final = 8
"""Trozos que el centro manda por cada latido: 128 KiB, un segundo de un enlace de 1 Mbit/s."""

QUIETO_S: Final = 3.0
"""Sin trozos nuevos en este tiempo se vuelve a pedir."""

MAXIMO_QUIETO_S: Final = 60.0
"""Lo más que se espera, si nadie contesta: el centro puede ya no tener ése, y pedir es latir."""

MAXIMO_INTENTOS: Final = 3
"""Veces que se baja uno cuya huella no da, antes de dejarlo."""

_ESPERADO: Final = "paquete_esperado"

Guardar = Callable[[bytes], DefinicionFirmada | Rechazo]


class PaqueteQueBaja:
    """A lo más uno. Lo que se espera sobrevive a un reinicio; lo que llevaba bajado, no."""

    def __init__(self, almacen: Almacen, guardar: Guardar) -> None:
        self._almacen = almacen
        self._guardar = guardar
        self._datos = bytearray()
        self._intentos = 0
        self._pedido = -QUIETO_S
        self._quieto_s = QUIETO_S / 2
        self._recientes = 0
        with almacen.lectura() as mirada:
            guardado = situacion.leer(mirada.conexion, _ESPERADO)
        self.espera = TomarDefinicion(**json.loads(guardado)) if guardado else None

    def esperar(self, t: Transaccion, pedido: TomarDefinicion) -> None:
        """Empieza a esperar ése, dentro de la transacción; el anterior, si lo había, se deja."""
        dato = {"sha256": pedido.sha256, "bytes": pedido.bytes, "version": pedido.version}
        situacion.poner(t.conexion, _ESPERADO, json.dumps(dato))

    def empezar(self, pedido: TomarDefinicion) -> None:
        """Como `esperar`, ya confirmada la transacción."""
        self.espera, self._intentos = pedido, 0
        self._vaciar()

    def recibir(self, crudo: bytes) -> DefinicionFirmada | Rechazo | None:
        """Agrega un trozo; al completarse, cómo acabó. Lo que no es el siguiente de lo que se espera se ignora.

        Raises:
            Falla: si no se pudo escribir en el almacén.
        """
        espera = self.espera
        if espera is None:
            return None
        try:
            trozo = leer(crudo)
        except TrozoInvalido:
            return None
        if (trozo.sha256, trozo.total, trozo.desde) != (espera.sha256, espera.bytes, len(self._datos)):
            return None
        self._datos += trozo.datos
        self._recientes += 1
        if len(self._datos) < espera.bytes:
            return None
        datos = bytes(self._datos)
        self._vaciar()
        if hashlib.sha256(datos).hexdigest() != espera.sha256:
            self._intentos += 1
            if self._intentos < MAXIMO_INTENTOS:
                return None
            return self._acabar(
                Rechazo(
                    "DEFINICION_DANADA",
                    f"La definición nueva llegó dañada {MAXIMO_INTENTOS} veces",
                    "alguien la cambia en el camino, o el centro tiene otra",
                    "se sigue con la de antes; avise al centro",
                )
            )
        return self._acabar(self._guardar(datos))

    def toca_pedir(self, ahora: float) -> bool:
        """Si hay que latir para que el centro mande más; quien late llama a `pedido`."""
        return self.espera is not None and (self._recientes >= RAFAGA or ahora - self._pedido >= self._quieto_s)

    def pedido(self, ahora: float) -> None:
        self._quieto_s = QUIETO_S if self._recientes else min(self._quieto_s * 2, MAXIMO_QUIETO_S)
        self._pedido, self._recientes = ahora, 0

    @property
    def llevo(self) -> int:
        """Bytes que ya se tienen, sin huecos, del que se espera."""
        return len(self._datos)

    def _vaciar(self) -> None:
        self._datos, self._recientes, self._pedido = bytearray(), 0, -QUIETO_S
        self._quieto_s = QUIETO_S / 2

    def _acabar(self, resultado: DefinicionFirmada | Rechazo) -> DefinicionFirmada | Rechazo:
        with self._almacen.transaccion() as t:
            situacion.poner(t.conexion, _ESPERADO, "")
        self.espera = None
        return resultado
