"""Lo que una persona decide de una hoja dudosa. Cada decisión se anota, vuelve a juzgar la hoja y dice en qué quedó.

La hoja se lee otra vez dentro de la transacción: si otra pantalla ya la resolvió, se dice y no se hace nada.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Final

from appliance import rechazos
from appliance.almacen import Transaccion
from appliance.digitalizacion import tabla
from appliance.digitalizacion.cadena import Cadena
from appliance.digitalizacion.hoja import Dispensa, EstadoDeHoja, Hoja, Vista
from appliance.digitalizacion.motivo import Motivo
from appliance.encargos import PLAZO_ENCARGO
from appliance.mesa import Mesa
from appliance.rechazos import con_rechazo
from nucleo.acta import Origen
from nucleo.hechos import IdActa
from nucleo.problema import Rechazo

RAZONES: Final = {
    "repetida": "Ya está digitalizada",
    "no_es_acta": "No es un acta",
    "otra_eleccion": "Es de otra elección",
    "en_blanco": "Está en blanco",
}
"""Por qué se descarta una hoja, en palabras de quien la mira."""


class Decisiones:
    """Las decisiones de las personas sobre las hojas de un kiosco. Todas devuelven la hoja o un `Rechazo`."""

    def __init__(self, cadena: Cadena, mesa: Mesa) -> None:
        self._cadena = cadena
        self._mesa = mesa
        self._almacen = mesa.almacen

    @con_rechazo
    def identificar(self, hoja: int, persona: str, acta: IdActa) -> Hoja | Rechazo:
        """La persona dice de qué acta es, comparando con la imagen; manda sobre los códigos."""
        conocida = self._mesa.renglones(acta)
        if isinstance(conocida, Rechazo):
            return conocida

        def decidir(t: Transaccion, h: Hoja, ahora: datetime) -> Hoja | Rechazo:
            if not h.sha256:
                return _sin_imagen()
            # Quien la identificó la tuvo a la vista: no se le pregunta otra vez si es el frente de un acta.
            vista = replace(h.vista, elegida=acta, dispensas=h.vista.dispensas | {Dispensa.ANVERSO, Dispensa.DUENO})
            t.anotar(
                ahora,
                "hoja_identificada_a_mano",
                persona=persona,
                acta=str(acta),
                detalle=f"hoja {h.hoja}",
            )
            return self._resolver(t, h, vista, persona)

        return self._decidir(hoja, decidir)

    @con_rechazo
    def aceptar(self, hoja: int, persona: str) -> Hoja | Rechazo:
        """La imagen se queda como está, con sus defectos o sin dueño conocido; queda anotado quién lo dijo."""

        def decidir(t: Transaccion, h: Hoja, ahora: datetime) -> Hoja | Rechazo:
            if not h.sha256:
                return _sin_imagen()
            nuevas = {Dispensa.DUENO} if h.motivo is Motivo.SIN_DUENO else {Dispensa.CALIDAD, Dispensa.ANVERSO}
            vista = replace(h.vista, dispensas=h.vista.dispensas | nuevas)
            acta = str(h.acta or "")
            t.anotar(ahora, "hoja_aceptada_asi", persona=persona, acta=acta, detalle=f"hoja {h.hoja}: {h.vista.que}")
            return self._resolver(t, h, vista, persona)

        return self._decidir(hoja, decidir)

    @con_rechazo
    def sustituir(self, hoja: int, persona: str) -> Hoja | Rechazo:
        """Esta imagen toma el lugar de la que ya tenía el acta; la anterior se conserva en la historia.

        No mientras alguien la lee: se quedaría a media captura sin recortes, con renglones de una y de otra imagen.
        """

        def decidir(t: Transaccion, h: Hoja, ahora: datetime) -> Hoja | Rechazo:
            encargo = t.encargo(h.acta) if h.acta is not None else None
            if encargo is not None and abs(ahora - encargo.desde) < PLAZO_ENCARGO:
                return _la_estan_leyendo()
            vista = replace(h.vista, dispensas=h.vista.dispensas | {Dispensa.SUSTITUIR})
            return self._resolver(t, h, vista, persona)

        return self._decidir(hoja, decidir)

    @con_rechazo
    def acopiar(self, hoja: int, persona: str, hora: datetime) -> Hoja | Rechazo:
        """Registra el acopio del acta de esta hoja y la asigna. Si ya se acopió mientras tanto, sólo la asigna."""
        with self._almacen.lectura() as mirada:
            h = tabla.hoja_de(mirada, hoja)
        if h is None or h.estado is not EstadoDeHoja.DUDOSA or h.acta is None:
            return _ya_resuelta(h)
        hecha = self._mesa.acopiar(h.acta, persona=persona, origen=Origen.CATD, hora=hora)
        if isinstance(hecha, Rechazo) and hecha.codigo != "YA_ACOPIADA":
            return hecha
        return self._decidir(hoja, lambda t, actual, _: self._resolver(t, actual, actual.vista, persona))

    @con_rechazo
    def declarar_fuera(
        self, hoja: int, persona: str, confirma: str, eleccion: str, tipo_documento: str, mecanismo_traslado: str
    ) -> Hoja | Rechazo:
        """Declara el documento fuera de catálogo; `confirma` es de coordinación."""
        with self._almacen.lectura() as mirada:
            h = tabla.hoja_de(mirada, hoja)
        if h is None or h.estado is not EstadoDeHoja.DUDOSA:
            return _ya_resuelta(h)
        if not h.sha256:
            return _sin_imagen()
        hecha = self._mesa.declarar_fuera_de_catalogo(
            eleccion,
            persona=persona,
            origen=Origen.CATD,
            digitalizacion=h.digitalizacion,
            tipo_documento=tipo_documento,
            mecanismo_traslado=mecanismo_traslado,
            sha256=h.sha256,
        )
        # Si se fue la luz entre el hecho y el renglón, el folio ya está y sólo falta marcar la hoja.
        if isinstance(hecha, Rechazo) and hecha.codigo != "YA_DECLARADO":
            return hecha

        def marcar(t: Transaccion, actual: Hoja, ahora: datetime) -> Hoja | Rechazo:
            detalle = f"lo confirmó {confirma}"
            t.anotar(ahora, "hoja_fuera_de_catalogo", persona=persona, detalle=f"hoja {hoja}: {detalle}")
            return _terminar(t, actual, EstadoDeHoja.FUERA, detalle)

        return self._decidir(hoja, marcar)

    @con_rechazo
    def descartar(self, hoja: int, persona: str, razon: str) -> Hoja | Rechazo:
        """La hoja no se usa; su imagen se conserva. `razon` la lee una persona."""
        if not 0 < len(razon) <= 120 or not razon.isprintable():
            return rechazos.forma("falta decir por qué se descarta la hoja")

        def decidir(t: Transaccion, h: Hoja, ahora: datetime) -> Hoja | Rechazo:
            t.anotar(
                ahora, "hoja_descartada", persona=persona, acta=str(h.acta or ""), detalle=f"hoja {h.hoja}: {razon}"
            )
            return _terminar(t, h, EstadoDeHoja.DESCARTADA, razon)

        quedo = self._decidir(hoja, decidir)
        if isinstance(quedo, Hoja) and not quedo.sha256:
            self._cadena.entrada.borrar(quedo.origen)
        return quedo

    @con_rechazo
    def reintentar(self, hoja: int, persona: str) -> Hoja | Rechazo:
        """Vuelve a mirar el archivo de una hoja que no se pudo abrir."""

        def decidir(t: Transaccion, h: Hoja, ahora: datetime) -> Hoja | Rechazo:
            if h.sha256 or not self._cadena.entrada.ruta(h.origen).is_file():
                return rechazos.forma("de esa hoja ya no hay archivo que volver a mirar")
            tabla.escribir(
                t, h, estado=EstadoDeHoja.RECIBIDA, vista=Vista(), sha256="", acta=None, motivo=None, detalle=""
            )
            t.anotar(ahora, "hoja_recibida", persona=persona, detalle=f"{h.lote} hoja {h.numero}, otra vez")
            quedo = tabla.hoja_de(t, h.hoja)
            assert quedo is not None
            return quedo

        return self._decidir(hoja, decidir)

    # ---------------------------------------------------------------------------------------------------------- adentro

    def _decidir(self, hoja: int, decidir: Callable[[Transaccion, Hoja, datetime], Hoja | Rechazo]) -> Hoja | Rechazo:
        with self._almacen.transaccion() as t:
            actual = tabla.hoja_de(t, hoja)
            if actual is None or actual.estado is not EstadoDeHoja.DUDOSA:
                return _ya_resuelta(actual)
            return decidir(t, actual, self._mesa.reloj.ahora())

    def _resolver(self, t: Transaccion, h: Hoja, vista: Vista, persona: str) -> Hoja:
        contenido = self._mesa.imagenes.leer(h.sha256)
        if contenido is None:
            quedo = replace(h, motivo=Motivo.SIN_ARCHIVO)
            tabla.escribir(
                t, quedo, estado=EstadoDeHoja.DUDOSA, vista=vista, sha256="", acta=h.acta, motivo=Motivo.SIN_ARCHIVO
            )
            return replace(quedo, sha256="")
        # De quien la digitalizó es el hecho; si no se supo, de quien la reconoció.
        con_dueno = h if h.persona else replace(h, persona=persona)
        return self._cadena.resolver(t, con_dueno, vista, h.sha256, len(contenido))


def _terminar(t: Transaccion, h: Hoja, estado: EstadoDeHoja, detalle: str) -> Hoja:
    tabla.escribir(t, h, estado=estado, vista=h.vista, sha256=h.sha256, acta=h.acta, motivo=h.motivo, detalle=detalle)
    quedo = tabla.hoja_de(t, h.hoja)
    assert quedo is not None
    return quedo


def _ya_resuelta(hoja: Hoja | None) -> Rechazo:
    como = f"ya quedó {hoja.estado.value}" if hoja else "no existe"
    return Rechazo(
        "HOJA_RESUELTA",
        f"Esa hoja {como}",
        "la resolvió otra persona, o la página estuvo abierta mucho tiempo",
        "regrese a la lista y siga con la que sigue",
    )


def _la_estan_leyendo() -> Rechazo:
    return Rechazo(
        "EN_CAPTURA",
        "Alguien está capturando esa acta con la imagen que ya tiene",
        "se digitalizó otra vez después de que la tomaron",
        "espere a que la concluya y sustitúyala después; si la imagen no sirve, que toque «La imagen no se ve bien»",
    )


def _sin_imagen() -> Rechazo:
    return Rechazo(
        "SIN_IMAGEN",
        "De esa hoja no hay imagen",
        "el archivo llegó dañado o se perdió",
        "busque el papel y páselo otra vez",
    )
