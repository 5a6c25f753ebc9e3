"""La recepción del CATD: registrar que llegó un acta, guardar su imagen y apartar lo que no es de ninguna casilla."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime

from appliance import rechazos
from appliance.almacen import Almacen, Asiento, Transaccion
from appliance.fila import acopiada
from appliance.imagenes import Imagenes
from appliance.rechazos import con_rechazo
from appliance.reloj import Reloj, hora_creible
from nucleo.acta import Digitalizacion, Origen
from nucleo.captura import Estado, estado_de
from nucleo.eleccion import Proceso
from nucleo.hechos import Acopio, FueraDeCatalogo, Hecho, IdActa, Imagen, pertenencia, tipo_de
from nucleo.problema import Rechazo


@dataclass(frozen=True)
class Hecha:
    """La acción quedó asentada. Sin `asientos`, ya lo estaba desde antes."""

    estado: Estado
    asientos: tuple[Asiento, ...] = ()


class Recepcion:
    """La primera mitad de la mesa (`appliance.mesa.Mesa`)."""

    def __init__(self, almacen: Almacen, imagenes: Imagenes, proceso: Proceso, reloj: Reloj) -> None:
        self.almacen = almacen
        self.imagenes = imagenes
        self.proceso = proceso
        self.reloj = reloj

    @con_rechazo
    def acopiar(
        self,
        acta: IdActa,
        *,
        persona: str,
        origen: Origen,
        tipo_documento: str = "ACTA PREP",
        mecanismo_traslado: str = "",
        hora: datetime | None = None,
    ) -> Hecha | Rechazo:
        """Registra que llegó el acta. `hora` es la estampada; si falta, la del reloj.

        Rechaza YA_ACOPIADA, FUERA_DE_CATALOGO, SIN_ELECCION y FUERA_DE_OPERACION (LEEME IECM 2024: la hora de acopio
        cae dentro de la operación del PREP). Una hora posterior al reloj se acepta y se anota: en la realidad ocurre.
        """
        ahora = hora_creible(self.reloj)
        estampada = hora or ahora
        if rechazo := self._ajena(acta) or self._fuera_de_operacion(estampada):
            return rechazo
        nuevo = Acopio(acta, estampada, origen, tipo_documento, mecanismo_traslado, persona)
        with self.almacen.transaccion() as t:
            historia = t.hechos_de(acta)
            previo = next((h for h in historia if isinstance(h, Acopio)), None)
            if previo is not None and acopiada(historia):
                return rechazos.ya_acopiada(acta, previo)
            if estampada > ahora:
                t.anotar(ahora, "acopio_hora_rara", persona=persona, acta=str(acta), detalle=estampada.isoformat())
            return Hecha(estado_de([*historia, nuevo]), self._asentar(t, nuevo))

    @con_rechazo
    def acopio_de(self, acta: IdActa) -> Acopio | Rechazo:
        """El acopio con que el acta está aquí."""
        if rechazo := self._ajena(acta):
            return rechazo
        historia = self.almacen.hechos_de(acta)
        ultimo = next((h for h in reversed(historia) if isinstance(h, Acopio)), None)
        return ultimo if ultimo is not None and acopiada(historia) else rechazos.sin_acopio(acta)

    @con_rechazo
    def digitalizar(
        self, acta: IdActa, *, persona: str, digitalizacion: Digitalizacion, contenido: bytes
    ) -> Hecha | Rechazo:
        """Guarda la imagen y después asienta su huella. Una imagen nueva sustituye a la anterior, que se conserva."""
        if rechazo := self._ajena(acta):
            return rechazo
        hora_creible(self.reloj)
        sha256 = self.imagenes.guardar(contenido)
        with self.almacen.transaccion() as t:
            return self.asentar_imagen(
                t, acta, persona=persona, digitalizacion=digitalizacion, sha256=sha256, tamano=len(contenido)
            )

    def asentar_imagen(
        self, t: Transaccion, acta: IdActa, *, persona: str, digitalizacion: Digitalizacion, sha256: str, tamano: int
    ) -> Hecha | Rechazo:
        """Asienta, en la transacción abierta, una imagen que ya está guardada; la misma dos veces se asienta una.

        Raises:
            Falla: RELOJ o la causa física. nucleo.hechos.HechoInvalido: si un dato no tiene su forma.
        """
        if rechazo := self._ajena(acta):
            return rechazo
        nuevo = Imagen(acta, hora_creible(self.reloj), sha256, tamano, digitalizacion, persona)
        historia = t.hechos_de(acta)
        if not acopiada(historia):
            return rechazos.sin_acopio(acta)
        imagenes = [h for h in historia if isinstance(h, Imagen)]
        if imagenes and imagenes[-1].sha256 == sha256:
            return Hecha(estado_de(historia))
        return Hecha(estado_de(historia), self._asentar(t, nuevo))

    @con_rechazo
    def declarar_fuera_de_catalogo(
        self,
        eleccion: str,
        *,
        persona: str,
        origen: Origen,
        digitalizacion: Digitalizacion,
        tipo_documento: str,
        mecanismo_traslado: str,
        contenido: bytes | None = None,
        sha256: str | None = None,
        hora: datetime | None = None,
    ) -> tuple[Asiento, ...] | Rechazo:
        """Registra un documento que no se puede asociar a ninguna casilla. Va la imagen o, si no está aquí, su SHA-256.

        El folio se deduce de la elección y la imagen: la misma hoja declarada en dos kioscos es un solo documento.
        """
        if (contenido is None) == (sha256 is None):
            return rechazos.documento_sin_imagen()
        estampada = hora or hora_creible(self.reloj)
        if rechazo := self._eleccion_ajena(eleccion) or self._fuera_de_operacion(estampada):
            return rechazo
        imagen = self.imagenes.guardar(contenido) if contenido is not None else (sha256 or "")
        folio = folio_fuera_de_catalogo(eleccion, imagen)
        nuevo = FueraDeCatalogo(
            eleccion, folio, estampada, origen, digitalizacion, tipo_documento, mecanismo_traslado, imagen, persona
        )
        with self.almacen.transaccion() as t:
            if t.existe_fuera_de_catalogo(eleccion, folio):
                return rechazos.ya_declarado(folio)
            return self._asentar(t, nuevo)

    def _asentar(self, t: Transaccion, *hechos: Hecho) -> tuple[Asiento, ...]:
        ahora = self.reloj.ahora()
        asientos = t.asentar(hechos, ahora, self.reloj.calidad())
        if alarma := t.alarma():
            # Con la alarma se sigue trabajando; esta lista es la que habrá que recapturar.
            for hecho, asiento in zip(hechos, asientos, strict=True):
                que = hecho.folio if isinstance(hecho, FueraDeCatalogo) else "/".join(filter(None, pertenencia(hecho)))
                detalle = f"{alarma}: {tipo_de(hecho)} en la secuencia {asiento.secuencia}"
                t.anotar(ahora, "asentado_con_alarma", acta=que, detalle=detalle)
        return asientos

    def _ajena(self, acta: IdActa) -> Rechazo | None:
        if rechazo := self._eleccion_ajena(acta.eleccion):
            return rechazo
        casilla = self.proceso.casillas.get(acta.casilla)
        if casilla is None:
            return rechazos.fuera_de_catalogo(acta)
        if casilla.tipo not in self.proceso.elecciones[acta.eleccion].tipos_casilla:
            return rechazos.sin_eleccion(acta)
        return None

    def _eleccion_ajena(self, eleccion: str) -> Rechazo | None:
        if eleccion in self.proceso.elecciones:
            return None
        return rechazos.eleccion_desconocida(eleccion, tuple(self.proceso.elecciones))

    def _fuera_de_operacion(self, hora: datetime) -> Rechazo | None:
        inicio, cierre = self.proceso.inicio_operacion, self.proceso.cierre
        if inicio <= hora <= cierre:
            return None
        return rechazos.fuera_de_operacion(hora, inicio, cierre)


def folio_fuera_de_catalogo(eleccion: str, sha256: str) -> str:
    """Folio de un documento fuera de catálogo: `FC-` y 24 cifras de SHA-256 de elección e imagen."""
    return "FC-" + hashlib.sha256(f"{eleccion}\n{sha256}".encode()).hexdigest()[:24].upper()
