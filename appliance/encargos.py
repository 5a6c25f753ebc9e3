"""Las actas que alguien tiene abiertas: quién, lo que lleva tecleado, y cómo se pausan y se sueltan.

Un encargo no es un hecho: dice quién la tiene y cuándo hizo algo en ella por última vez. Guardar un renglón lo renueva;
sin actividad, al pasar el plazo otra persona puede tomarla. Lo tecleado no se pierde al soltarla: reaparece si la misma
persona la vuelve a tomar, y nadie más lo ve.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from appliance import borradores, rechazos, segunda_lectura
from appliance.almacen import Almacen, Encargo, Lectura
from appliance.borradores import Borrador
from appliance.imagenes import Imagenes
from appliance.recepcion import Recepcion
from appliance.rechazos import con_rechazo
from appliance.reloj import Reloj
from nucleo.acta import COMPLEMENTARIOS
from nucleo.captura import (
    Discrepante,
    Estado,
    Libre,
    PrimeraConcluida,
    SinActaDeclarada,
    SinCaptura,
    Soltar,
    Tomada,
    estado_de,
    paso,
)
from nucleo.eleccion import Proceso
from nucleo.hechos import HechoDeActa, IdActa
from nucleo.problema import Rechazo

PLAZO_ENCARGO: Final = timedelta(minutes=10)
"""Cuánto puede estar un acta abierta sin actividad antes de que otra persona la pueda tomar."""


class Encargos(Recepcion):
    """La parte de la mesa (`appliance.mesa.Mesa`) que cuida las actas abiertas."""

    def __init__(
        self,
        almacen: Almacen,
        imagenes: Imagenes,
        proceso: Proceso,
        reloj: Reloj,
        *,
        plazo: timedelta = PLAZO_ENCARGO,
    ) -> None:
        super().__init__(almacen, imagenes, proceso, reloj)
        self._plazo = plazo

    # -------------------------------------------------------------------------------------------------------- consultas

    @con_rechazo
    def abierta(self, acta: IdActa, persona: str) -> Tomada | Rechazo:
        """El acta que esta persona tiene abierta, aunque su plazo haya vencido, si nadie más la tomó."""
        if rechazo := self._ajena(acta):
            return rechazo
        with self.almacen.lectura() as mirada:
            return self._propia(mirada, acta, persona)

    @con_rechazo
    def abiertas_de(self, persona: str) -> list[IdActa] | Rechazo:
        """Las que esta persona tiene a su cargo, en pantalla o en pausa."""
        with self.almacen.lectura() as mirada:
            return [acta for acta, encargo in mirada.encargos().items() if encargo.persona == persona]

    @con_rechazo
    def borrador(self, acta: IdActa, persona: str) -> Borrador | Rechazo:
        """Lo que esta persona lleva tecleado en el acta que tiene abierta."""
        if rechazo := self._ajena(acta):
            return rechazo
        with self.almacen.lectura() as mirada:
            tomada = self._propia(mirada, acta, persona)
            if isinstance(tomada, Rechazo):
                return tomada
            return borradores.leer(mirada.conexion, borradores.llave_de(acta, persona, tomada.libre))

    @con_rechazo
    def senalados(self, acta: IdActa, persona: str) -> tuple[str, ...] | Rechazo:
        """Renglones que ya se le dijo que no coinciden con otra lectura (`appliance.segunda_lectura`)."""
        if rechazo := self._ajena(acta):
            return rechazo
        with self.almacen.lectura() as mirada:
            tomada = self._propia(mirada, acta, persona)
            if isinstance(tomada, Rechazo) or not isinstance(tomada.libre, PrimeraConcluida):
                return ()
            por_revisar = segunda_lectura.senalados(mirada, acta, persona, tomada.libre.vuelta)
            return por_revisar.campos if por_revisar else ()

    # --------------------------------------------------------------------------------------------------------- acciones

    @con_rechazo
    def guardar_renglones(
        self, acta: IdActa, persona: str, textos: Mapping[str, str], imagen: str | None = None
    ) -> datetime | Rechazo:
        """Guarda lo tecleado en esos renglones y renueva el encargo. Devuelve la hora del guardado.

        Args:
            imagen: SHA-256 de la que se tenía enfrente, aunque ya no sea la vigente; `None` si fue el papel.
            textos: renglón → lo tecleado tal cual, o `ILEGIBLE` o `SIN DATO`; vacío es que se borró.
        """
        if rechazo := self._ajena(acta):
            return rechazo
        if any(not borradores.cabe(texto) for texto in textos.values()):
            return rechazos.renglon_imposible()
        with self.almacen.transaccion() as t:
            tomada = self._propia(t, acta, persona)
            if isinstance(tomada, Rechazo):
                return tomada
            if not set(textos) <= set(self._legibles(acta, tomada.libre)):
                return rechazos.renglones_ajenos(acta)
            ahora = self.reloj.ahora()
            borradores.guardar(t.conexion, borradores.llave_de(acta, persona, tomada.libre), textos, ahora, imagen)
            t.encargar(acta, persona, ahora)
            return ahora

    @con_rechazo
    def renovar(self, acta: IdActa, persona: str) -> datetime | Rechazo:
        """Hubo actividad en la hoja aunque no se tecleara nada: el plazo vuelve a empezar."""
        return self.guardar_renglones(acta, persona, {})

    @con_rechazo
    def pausar(
        self, acta: IdActa, persona: str, textos: Mapping[str, str], imagen: str | None = None
    ) -> datetime | Rechazo:
        """Deja el acta para después, con lo tecleado. Devuelve hasta cuándo queda reservada para esta persona.

        Se retoma con `tomar_siguiente`, antes que cualquier otra. Pasada esa hora la puede tomar otra persona, pero lo
        tecleado sigue guardado.
        """
        guardada = self.guardar_renglones(acta, persona, textos, imagen)
        if isinstance(guardada, Rechazo):
            return guardada
        with self.almacen.transaccion() as t:
            t.anotar(guardada, "acta_pausada", persona=persona, acta=str(acta))
        return guardada + self._plazo

    @con_rechazo
    def soltar(self, acta: IdActa, persona: str) -> Estado | Rechazo:
        """Deja el acta sin terminar: vuelve a la fila. Lo tecleado queda guardado para si la retoma."""
        with self.almacen.transaccion() as t:
            historia = t.hechos_de(acta)
            estado = self._estado_con(t, acta, historia, persona)
            resultado = paso(acta, self._claves(acta), estado, historia, Soltar(persona))
            if isinstance(resultado, Rechazo):
                return resultado
            t.desencargar(acta)
            t.anotar(self.reloj.ahora(), "soltada", persona=persona, acta=str(acta))
            return resultado.estado

    @con_rechazo
    def liberar(self, acta: IdActa, quien_coordina: str) -> Estado | Rechazo:
        """Coordinación devuelve a la fila un acta que otra persona dejó abierta; lo que ésta tecleó sigue guardado."""
        if rechazo := self._ajena(acta):
            return rechazo
        with self.almacen.transaccion() as t:
            encargo = t.encargo(acta)
            if encargo is None:
                return rechazos.nadie_la_tiene(acta)
            t.desencargar(acta)
            detalle = f"la tenía {encargo.persona} desde {encargo.desde:%H:%M}"
            t.anotar(self.reloj.ahora(), "acta_liberada", persona=quien_coordina, acta=str(acta), detalle=detalle)
            return estado_de(t.hechos_de(acta))

    # ---------------------------------------------------------------------------------------------------------- adentro

    def _propia(self, mirada: Lectura, acta: IdActa, persona: str) -> Tomada | Rechazo:
        estado = self._estado_con(mirada, acta, mirada.hechos_de(acta), persona)
        return estado if isinstance(estado, Tomada) and estado.persona == persona else rechazos.no_la_tiene(acta)

    def _vencido(self, encargo: Encargo) -> bool:
        # Sin el valor absoluto, un encargo tomado con el reloj adelantado duraría hasta que la hora lo alcance.
        return abs(self.reloj.ahora() - encargo.desde) >= self._plazo

    def _estado_con(
        self, mirada: Lectura, acta: IdActa, historia: list[HechoDeActa], quien: str | None = None
    ) -> Estado:
        asentado = estado_de(historia)
        encargo = mirada.encargo(acta)
        # El plazo deja que otra persona la tome; a quien tardó en teclear no se le tira su trabajo si nadie la tomó.
        if encargo is None or (self._vencido(encargo) and encargo.persona != quien):
            return asentado
        if not isinstance(asentado, SinCaptura | SinActaDeclarada | PrimeraConcluida | Discrepante):
            return asentado
        return Tomada(asentado, encargo.persona, encargo.desde)

    def _claves(self, acta: IdActa) -> tuple[str, ...]:
        casilla = self.proceso.casillas[acta.casilla]
        return tuple(o.clave for o in self.proceso.elecciones[acta.eleccion].opciones_de(casilla))

    def _legibles(self, acta: IdActa, libre: Libre) -> tuple[str, ...]:
        """Los renglones que esa lectura puede tocar."""
        return libre.campos if isinstance(libre, Discrepante) else (*self._claves(acta), *COMPLEMENTARIOS)
