"""El cotejo: comparar lo verificado contra el papel, y qué se hace si no coincide.

El acta no se corrige: si lo verificado no dice lo que el papel, se pide volver a capturarla (o a digitalizarla, si la
imagen es la equivocada) y se coteja otra vez. Si su imagen cambió después de leerse, el cotejo es de coordinación,
coincida o no: dice además qué muestra la imagen nueva. Con el papel en una caja cerrada no se coteja: nadie lo comparó.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from enum import Enum

from appliance import rechazos
from appliance.almacen import Lectura
from appliance.empaquetado import caja_cerrada_de
from appliance.mesa import Mesa
from appliance.recepcion import Hecha
from appliance.rechazos import con_rechazo
from appliance.redigitalizacion import imagen_por_confirmar
from appliance.reloj import hora_creible
from nucleo.acta import ResultadoCotejo
from nucleo.campo import a_texto
from nucleo.captura import PedirRecaptura, Verificada, estado_de, paso
from nucleo.hechos import Captura, Cotejo, HechoDeActa, IdActa, Recaptura
from nucleo.problema import Rechazo


class Remedio(Enum):
    """Qué se pide cuando lo verificado no coincide con el papel."""

    RECAPTURA = "recaptura"
    """La imagen es la buena y se leyó mal."""
    REDIGITALIZACION = "redigitalizacion"
    """La imagen es de otra acta o no se ve bien."""


class Cotejador:
    """Asienta los cotejos de un kiosco, con las mismas reglas para las pantallas y para el ensayo."""

    def __init__(self, mesa: Mesa) -> None:
        self._mesa = mesa

    @con_rechazo
    def coincide(
        self, acta: IdActa, persona: str, visto: str | None = None, *, confirma: str | None = None
    ) -> Hecha | Rechazo:
        """El papel dice lo verificado. Repetirlo no agrega otro hecho.

        Args:
            visto: `huella_de` lo que la persona tuvo enfrente; si lo verificado ya es otra cosa, no se asienta nada.
            confirma: SHA-256 de la imagen nueva (`appliance.redigitalizacion.imagen_por_confirmar`) que coordinación
                comparó con el papel; aquí, la que muestra lo mismo. Sin ella, esa acta no se coteja.
        """
        if isinstance(ajena := self._mesa.renglones(acta), Rechazo):
            return ajena
        with self._mesa.almacen.transaccion() as t:
            historia = t.hechos_de(acta)
            estado = _cotejable(acta, historia, visto, confirma)
            if isinstance(estado, Rechazo):
                return estado
            nueva = imagen_por_confirmar(historia)
            previo = cotejo_vigente(historia)
            if nueva is None and previo is not None and previo.resultado is not ResultadoCotejo.NO_ACEPTADA:
                return Hecha(estado)
            if caja := caja_cerrada_de(t, historia):
                return rechazos.en_caja_cerrada(acta, caja)
            hora = hora_creible(self._mesa.reloj)
            resultado = ResultadoCotejo.ACEPTADA_TRAS_CORREGIR if estado.vuelta > 1 else ResultadoCotejo.ACEPTADA
            cotejo = Cotejo(acta, hora, resultado, persona)
            if nueva is not None:
                t.anotar(hora, "imagen_confirmada", persona=persona, acta=str(acta), detalle=nueva.sha256)
            return Hecha(estado, t.asentar([cotejo], hora, self._mesa.reloj.calidad()))

    @con_rechazo
    def no_coincide(
        self,
        acta: IdActa,
        persona: str,
        remedio: Remedio,
        motivo: str,
        visto: str | None = None,
        *,
        imagen: str = "",
        confirma: str | None = None,
    ) -> Hecha | Rechazo:
        """El papel dice otra cosa: queda no aceptada y vuelve a la captura.

        Args:
            visto, confirma: como en `coincide`.
            imagen: SHA-256 de la que la persona tuvo enfrente: sólo de ésa se puede pedir otra.
            motivo: para `REDIGITALIZACION`, una llave de `appliance.redigitalizacion.MOTIVOS_IMAGEN`; para `RECAPTURA`,
                lo que se escribe en el hecho. No debe decir números: quien recaptura lee a ciegas.
        """
        renglones = self._mesa.renglones(acta)
        if isinstance(renglones, Rechazo):
            return renglones
        if remedio is Remedio.REDIGITALIZACION:
            with self._mesa.almacen.lectura() as mirada:
                if isinstance(no := _con_papel(mirada, acta, visto, confirma), Rechazo):
                    return no
            # Primero la imagen: si algo falla después, el acta sigue verificada y esto se repite sin daño.
            pedida = self._mesa.pedir_imagen(acta, persona, motivo, imagen)
            if isinstance(pedida, Rechazo):
                return pedida
            motivo = "el papel no es el de la imagen que se capturó"
        with self._mesa.almacen.transaccion() as t:
            historia = t.hechos_de(acta)
            estado = estado_de(historia)
            if remedio is Remedio.RECAPTURA and isinstance(no := _con_papel(t, acta, visto, confirma), Rechazo):
                return no
            hora = hora_creible(self._mesa.reloj)
            resultado = paso(acta, renglones, estado, historia, PedirRecaptura(persona, hora, motivo))
            if isinstance(resultado, Rechazo):
                return resultado
            cotejo = Cotejo(acta, hora, ResultadoCotejo.NO_ACEPTADA, persona)
            asientos = t.asentar([cotejo, *resultado.hechos], hora, self._mesa.reloj.calidad())
            t.anotar(hora, "recaptura_pedida", persona=persona, acta=str(acta), detalle=f"en el cotejo: {motivo}")
            return Hecha(resultado.estado, asientos)


def huella_de(verificada: Verificada) -> str:
    """Corta y distinta si cambia cualquier renglón o la vuelta: liga lo que se vio en pantalla con lo que se acepta."""
    campos = {nombre: a_texto(campo) for nombre, campo in verificada.asentado.campos().items()}
    dicho = json.dumps([verificada.vuelta, campos], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(dicho.encode()).hexdigest()[:16]


def cotejo_vigente(historia: Sequence[HechoDeActa]) -> Cotejo | None:
    """El último cotejo de la vuelta en curso; una recaptura posterior lo deja sin efecto.

    Uno no aceptado no cuenta como vigente: lo sigue su propia recaptura.
    """
    vigente = None
    for hecho in historia:
        if isinstance(hecho, Cotejo):
            vigente = hecho
        elif isinstance(hecho, Recaptura):
            vigente = None
    return vigente


def capturaron(historia: Sequence[HechoDeActa]) -> tuple[str, ...]:
    """Quienes transcribieron la vuelta en curso: conviene que coteje otra persona."""
    capturas = [h for h in historia if isinstance(h, Captura)]
    vuelta = max((c.vuelta for c in capturas), default=0)
    return tuple(dict.fromkeys(c.persona for c in capturas if c.vuelta == vuelta))


def _cotejable(
    acta: IdActa, historia: Sequence[HechoDeActa], visto: str | None, confirma: str | None
) -> Verificada | Rechazo:
    estado = estado_de(historia)
    if not isinstance(estado, Verificada):
        return _sin_verificar(acta)
    if visto is not None and visto != huella_de(estado):
        return _cambio(acta)
    nueva = imagen_por_confirmar(historia)
    if nueva is not None and nueva.sha256 != confirma:
        return rechazos.imagen_por_confirmar(acta)
    return estado


def _con_papel(mirada: Lectura, acta: IdActa, visto: str | None, confirma: str | None) -> Verificada | Rechazo:
    historia = mirada.hechos_de(acta)
    if isinstance(estado := _cotejable(acta, historia, visto, confirma), Rechazo):
        return estado
    caja = caja_cerrada_de(mirada, historia)
    return rechazos.en_caja_cerrada(acta, caja) if caja else estado


def _cambio(acta: IdActa) -> Rechazo:
    return Rechazo(
        "CAMBIO",
        f"Lo verificado del acta {acta.casilla} cambió mientras usted la miraba",
        "otra persona pidió capturarla otra vez y ya se verificó",
        "compare otra vez el papel con lo que ahora dice la pantalla",
    )


def _sin_verificar(acta: IdActa) -> Rechazo:
    return Rechazo(
        "SIN_VERIFICAR",
        f"El acta {acta.casilla} todavía no está verificada",
        "le falta alguna lectura, o se pidió capturarla otra vez",
        "espere a que se verifique y cotéjela después",
    )
