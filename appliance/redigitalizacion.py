"""La imagen no se ve bien: el acta se aparta de la fila hasta que llegue otra imagen o coordinación la regrese.

Se recuerda de qué imagen se pidió: en cuanto el libro nombra otra, el acta vuelve sola a la fila. Si la otra llega
cuando el acta ya se leyó dos veces, nadie ha leído la que queda: coordinación decide, con el papel en la mano, si
muestra lo mismo (`appliance.cotejo`) o se captura otra vez.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from appliance import borradores, rechazos
from appliance.almacen import Lectura
from appliance.encargos import Encargos
from appliance.rechazos import con_rechazo
from nucleo.acta import ResultadoCotejo
from nucleo.hechos import Captura, Cotejo, HechoDeActa, IdActa, Imagen, Recaptura
from nucleo.problema import Rechazo

ES_OTRA: Final = "otra"
MOTIVOS_IMAGEN: Final = {
    "borrosa": "Está borrosa o movida",
    "oscura": "Está muy oscura o muy clara",
    "cortada": "Le falta un pedazo",
    "tapada": "Algo tapa los números",
    ES_OTRA: "Es otra acta u otro documento",
}
"""Por qué se pide otra imagen, en palabras de quien la mira."""


@dataclass(frozen=True, slots=True)
class PorRedigitalizar:
    """Un acta que espera otra imagen. `motivo` es una llave de `MOTIVOS_IMAGEN`."""

    acta: IdActa
    sha256: str
    persona: str
    motivo: str
    hora: datetime


def imagen_de(historia: list[HechoDeActa]) -> str | None:
    """SHA-256 de la imagen vigente de un acta: la última que se digitalizó."""
    return next((h.sha256 for h in reversed(historia) if isinstance(h, Imagen)), None)


def imagen_por_confirmar(historia: Sequence[HechoDeActa]) -> Imagen | None:
    """La imagen vigente, si sustituyó a otra, hay dos lecturas y falta decidir qué se hace; `None` si no.

    Con una sola lectura no hace falta: todo renglón se decide entre dos, y la que falta lee la nueva; si al cabo no la
    leyó (no dice en qué imagen, o dice otra), también hay que decidir. La decisión es un hecho posterior a la imagen:
    un cotejo aceptado o una recaptura.

    Args:
        historia: en el orden en que se asentó.
    """
    lecturas: dict[str, str | None] = {}
    vigente: Imagen | None = None
    hubo, pendiente = False, None
    for hecho in historia:
        match hecho:
            case Recaptura():
                lecturas, pendiente = {}, None
            case Captura():
                lecturas.setdefault(hecho.persona, hecho.imagen)
                if hubo and vigente and len(lecturas) > 1 and vigente.sha256 not in lecturas.values():
                    pendiente = vigente
            case Cotejo() if hecho.resultado is not ResultadoCotejo.NO_ACEPTADA:
                pendiente = None
            case Imagen():
                # Si vuelve la misma que todos leyeron, no hay nada que decidir.
                leida = set(lecturas.values()) == {hecho.sha256}
                hubo = vigente is not None
                pendiente = hecho if hubo and len(lecturas) > 1 and not leida else None
                vigente = hecho
    return pendiente


class Redigitalizacion(Encargos):
    """La parte de la mesa (`appliance.mesa.Mesa`) que pide otra imagen."""

    @con_rechazo
    def cambio_de_imagen(self, acta: IdActa, vista: str | None) -> Rechazo | None:
        """IMAGEN_CAMBIO si la imagen que alguien tiene enfrente (`None`: ninguna) ya no es la vigente."""
        with self.almacen.lectura() as mirada:
            return None if imagen_de(mirada.hechos_de(acta)) == vista else rechazos.imagen_cambio(acta)

    @con_rechazo
    def pedir_imagen(self, acta: IdActa, persona: str, motivo: str, vista: str) -> PorRedigitalizar | Rechazo:
        """Pide digitalizarla otra vez: quien la está leyendo o, si nadie la tiene, coordinación.

        Lo que se llevaba tecleado queda guardado, salvo si la imagen es de otra acta: esos números no son de ésta.

        Args:
            vista: SHA-256 de la imagen que la persona miraba: de otra que acaba de llegar no se puede quejar.
        """
        if rechazo := self._ajena(acta):
            return rechazo
        if motivo not in MOTIVOS_IMAGEN:
            return rechazos.forma("falta decir qué tiene la imagen")
        with self.almacen.transaccion() as t:
            encargo = t.encargo(acta)
            if encargo is not None and encargo.persona != persona:
                return rechazos.no_la_tiene(acta)
            sha256 = imagen_de(t.hechos_de(acta))
            if sha256 is None:
                return rechazos.sin_imagen(acta)
            if sha256 != vista:
                otra = "mire la que llegó; si tampoco se ve bien, pida otra entonces"
                return replace(rechazos.imagen_cambio(acta), siguiente=otra)
            pedida = PorRedigitalizar(acta, sha256, persona, motivo, self.reloj.ahora())
            t.conexion.execute(
                "INSERT OR REPLACE INTO redigitalizar VALUES (?, ?, ?, ?, ?, ?)",
                (acta.eleccion, acta.casilla, sha256, persona, motivo, pedida.hora.isoformat()),
            )
            t.desencargar(acta)
            if motivo == ES_OTRA:
                borradores.borrar(t.conexion, acta)
            detalle = MOTIVOS_IMAGEN[motivo]
            t.anotar(pedida.hora, "redigitalizacion_pedida", persona=persona, acta=str(acta), detalle=detalle)
            return pedida

    @con_rechazo
    def regresar_a_la_fila(self, acta: IdActa, quien_coordina: str) -> IdActa | Rechazo:
        """Coordinación decide que la imagen que hay se lea así."""
        with self.almacen.transaccion() as t:
            quitada = t.conexion.execute(
                "DELETE FROM redigitalizar WHERE eleccion = ? AND casilla = ?", (acta.eleccion, acta.casilla)
            )
            if not quitada.rowcount:
                return rechazos.no_espera_imagen(acta)
            t.anotar(self.reloj.ahora(), "regresada_a_la_fila", persona=quien_coordina, acta=str(acta))
            return acta

    @con_rechazo
    def por_redigitalizar(self) -> list[PorRedigitalizar] | Rechazo:
        """Las que esperan otra imagen, de la más antigua a la más nueva."""
        with self.almacen.lectura() as mirada:
            return self._esperan_imagen(mirada)

    def _esperan_imagen(self, mirada: Lectura) -> list[PorRedigitalizar]:
        filas = mirada.conexion.execute(
            "SELECT eleccion, casilla, sha256, persona, motivo, hora FROM redigitalizar ORDER BY hora"
        ).fetchall()
        todas = [
            PorRedigitalizar(IdActa(e, c), sha256, persona, motivo, datetime.fromisoformat(hora))
            for e, c, sha256, persona, motivo, hora in filas
        ]
        return [p for p in todas if imagen_de(mirada.hechos_de(p.acta)) == p.sha256]
