"""Lo que baja y no es un acuse: las órdenes firmadas del centro y los trozos de una definición nueva.

Una orden se obedece una vez: su número, mayor que el de la última, se recuerda en la misma transacción que su efecto.
Si ya caducó, se mira con la hora del centro (la del último acuse) y no con la del kiosco, que puede estar mal.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from joserfc.jwk import ECKey

from appliance import situacion
from appliance.almacen import Almacen
from appliance.enlace.paquete_que_baja import Guardar, PaqueteQueBaja
from appliance.enlace.transporte import Mensaje
from appliance.identidad import Identidad
from appliance.reloj import Reloj
from nucleo.orden import (
    NOMBRES,
    MostrarMensaje,
    Orden,
    PausarImagenes,
    Reenviar,
    SeguirImagenes,
    TomarDefinicion,
    abrir_orden,
)
from nucleo.problema import Rechazo
from nucleo.sobre import SobreInvalido
from nucleo.temas import Carril, Tema, ambito_de

ULTIMA: Final = "orden_ultima"
IMAGENES: Final = "orden_imagenes"
"""`pausadas` si el centro pidió no mandarlas."""

MENSAJE: Final = "orden_mensaje"

ENTRE_REPETIDAS_S: Final = 2.0
"""Lo menos que pasa entre dos latidos por órdenes ya obedecidas."""


class CarrilDeOrdenes:
    """Lo usa sólo el ciclo del enlace.

    Args:
        guardar: qué se hace con un paquete completo (`appliance.definicion_recibida.guardar`).
        decir: bitácora de consola: (suceso, detalle).
    """

    def __init__(
        self,
        almacen: Almacen,
        identidad: Identidad,
        proceso: str,
        llave_centro: ECKey,
        reloj: Reloj,
        guardar: Guardar,
        decir: Callable[[str, str], None] = lambda _suceso, _detalle: None,
    ) -> None:
        self._almacen = almacen
        self._identidad = identidad
        self._proceso = proceso
        self._llave_centro = llave_centro
        self._reloj = reloj
        self._decir = decir
        ambito = ambito_de(identidad.modo, proceso)
        self._tema_orden = str(Tema(ambito, identidad.equipo, Carril.ORDEN))
        self._tema_paquete = str(Tema(ambito, identidad.equipo, Carril.PAQUETE))
        self.temas = (self._tema_orden, self._tema_paquete)
        """A los que hay que suscribirse en cada conexión."""
        self.paquete = PaqueteQueBaja(almacen, guardar)
        self.reenviar_desde = 0
        """Secuencia desde la que el centro quiere todo otra vez; 0 si nada. Quien lo manda la adelanta."""
        self._urge = False
        self._repetida = -ENTRE_REPETIDAS_S
        self._tarde = 0
        self._hora_centro: tuple[datetime, float] | None = None
        with almacen.lectura() as mirada:
            self.ultima = int(situacion.leer(mirada.conexion, ULTIMA) or 0)
            self._pausadas = situacion.leer(mirada.conexion, IMAGENES) == "pausadas"

    def imagenes_permitidas(self) -> bool:
        """Falso si el centro pidió pausarlas."""
        return not self._pausadas

    def oir(self, hora: datetime, ahora: float) -> None:
        """Toma la hora de un acuse del centro. Uno viejo, repetido por el bróker, no la atrasa."""
        if self._hora_centro is None or hora > self._hora_de(ahora):
            self._hora_centro = (hora, ahora)

    def recibir(self, mensajes: Sequence[Mensaje], ahora: float) -> None:
        """Obedece las órdenes y junta los trozos que vengan; lo demás no lo mira.

        Raises:
            Falla: si el almacén no se pudo escribir: la orden no queda obedecida y el centro la repite.
        """
        for mensaje in mensajes:
            if mensaje.tema == self._tema_orden:
                self._orden(mensaje.carga, ahora)
            elif mensaje.tema == self._tema_paquete and (fin := self.paquete.recibir(mensaje.carga)) is not None:
                self._urge = True
                if isinstance(fin, Rechazo):
                    self._anotar_rechazo(fin)
                else:
                    self._anotar_recibida(f"versión {fin.version}, {fin.huella[:16]}: se toma al volver a arrancar")

    def urge_latir(self, ahora: float) -> bool:
        """Si no conviene esperar al siguiente pulso: hay una orden que contestar o un paquete que pedir."""
        return self._urge or self.paquete.toca_pedir(ahora)

    def latio(self, ahora: float) -> None:
        """El latido ya salió, con lo de `para_el_latido`."""
        self._urge = False
        self.paquete.pedido(ahora)

    def para_el_latido(self) -> dict[str, Any]:
        """Los campos del latido que dicen hasta dónde se obedeció y qué se espera."""
        espera = self.paquete.espera
        return {
            "orden": self.ultima,
            "paquete": espera.sha256 if espera is not None else "",
            "paquete_bytes": self.paquete.llevo if espera is not None else 0,
        }

    def _orden(self, carga: bytes, ahora: float) -> None:
        try:
            orden = abrir_orden(carga.decode("ascii"), self._llave_centro)
        except (SobreInvalido, UnicodeDecodeError) as error:
            self._decir("orden ilegible", str(error))
            return
        i = self._identidad
        if (orden.equipo, orden.epoca, orden.modo, orden.proceso) != (i.equipo, i.epoca, i.modo, self._proceso):
            self._decir("orden ajena", f"{orden.modo}/{orden.proceso} {orden.equipo} {orden.epoca}")
            return
        if orden.numero <= self.ultima:
            # Al centro no le llegó que se obedeció; se le dice, pero quien repita sin fin no nos hace latir sin fin.
            if ahora - self._repetida >= ENTRE_REPETIDAS_S:
                self._repetida, self._urge = ahora, True
            return
        if self._hora_centro is None or self._hora_de(ahora) >= orden.caduca:
            self._decir("orden caduca", f"la {orden.numero} valía hasta {orden.caduca.isoformat()}")
            if self._hora_centro is not None and orden.numero > self._tarde:
                # El centro la repite hasta que caduca: se anota una vez, y así operación sabe que sí llegó.
                with self._almacen.transaccion() as t:
                    t.anotar(self._reloj.ahora(), "orden_tarde", detalle=str(orden.numero))
                self._tarde = orden.numero
            return
        self._obedecer(orden)
        self._urge = True

    def _obedecer(self, orden: Orden) -> None:
        with self._almacen.transaccion() as t:
            match orden.que:
                case PausarImagenes():
                    situacion.poner(t.conexion, IMAGENES, "pausadas")
                case SeguirImagenes():
                    situacion.poner(t.conexion, IMAGENES, "")
                case MostrarMensaje(texto):
                    situacion.poner(t.conexion, MENSAJE, texto)
                case TomarDefinicion() as pedido:
                    self.paquete.esperar(t, pedido)
                case _:
                    pass
            situacion.poner(t.conexion, ULTIMA, str(orden.numero))
            t.anotar(self._reloj.ahora(), "orden_obedecida", detalle=f"{orden.numero} {NOMBRES[type(orden.que)]}")
        self.ultima = orden.numero
        match orden.que:
            case PausarImagenes():
                self._pausadas = True
            case SeguirImagenes():
                self._pausadas = False
            case Reenviar(desde):
                self.reenviar_desde = desde
            case TomarDefinicion() as pedido:
                self.paquete.empezar(pedido)
            case _:
                pass
        self._decir("orden obedecida", f"{orden.numero} {NOMBRES[type(orden.que)]}")

    def _anotar_recibida(self, detalle: str) -> None:
        self._decir("definición recibida", detalle)
        with self._almacen.transaccion() as t:
            t.anotar(self._reloj.ahora(), "definicion_recibida", detalle=detalle)

    def _anotar_rechazo(self, rechazo: Rechazo) -> None:
        self._decir("definición rechazada", str(rechazo))
        with self._almacen.transaccion() as t:
            t.anotar(self._reloj.ahora(), "definicion_rechazada", detalle=f"{rechazo.codigo}: {rechazo.que}")

    def _hora_de(self, ahora: float) -> datetime:
        assert self._hora_centro is not None
        hora, cuando = self._hora_centro
        return hora + timedelta(seconds=max(0.0, ahora - cuando))
