"""Una hoja que no se asignó sola: verla en grande, saber por qué y decidir con un toque."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from fastapi import FastAPI
from fastapi.responses import RedirectResponse, Response

from appliance.digitalizacion import tabla
from appliance.digitalizacion.cadena import Cadena, Vistazo
from appliance.digitalizacion.decisiones import RAZONES, Decisiones
from appliance.digitalizacion.estampa import Estampas
from appliance.digitalizacion.hoja import EstadoDeHoja, Hoja
from appliance.digitalizacion.motivo import Accion
from appliance.imagenes import EXTENSIONES, extension_de
from appliance.pantalla.confirmacion import confirmar, quienes_confirman
from appliance.pantalla.formatos import formatos_de
from appliance.pantalla.hoja_en_palabras import en_palabras, explicar, nombre_de, renglon_de
from appliance.pantalla.pagina import Aviso, Entrada, Pantalla, PideDigitalizacion, de_rechazo, persona_de
from appliance.pantalla.rutas_acopio import DOCUMENTOS, TRASLADOS, hora_estampada
from appliance.personas import Papel
from nucleo.hechos import IdActa
from nucleo.problema import Rechazo

_OTRA_VEZ: Final = "Se va a pasar otra vez"

_NO_ESTA: Final = Aviso(
    False, "Esa hoja no está", "la dirección se tecleó a mano o es de antes", "regrese a la lista de hojas"
)
_NO_PROCEDE: Final = Aviso(
    False,
    "Eso ya no se puede hacer con esta hoja",
    "la resolvió otra persona mientras la miraba",
    "lea lo que dice ahora y elija otra vez",
)
_HORA: Final = Aviso(False, "La hora no se entiende", "falta un dígito o los dos puntos", "escríbala como 20:35")


def agregar(app: FastAPI, p: Pantalla) -> None:
    estampas = Estampas(p.mesa.imagenes, formatos_de(p))
    digitalizadora = p.puesto.digitalizadora
    cadena = digitalizadora.cadena if digitalizadora else Cadena(p.kiosco.carpeta, p.mesa, _sin_vision)
    decisiones = Decisiones(cadena, p.mesa)

    def hoja_de(numero: int) -> Hoja | None:
        with p.kiosco.almacen.lectura() as mirada:
            return tabla.hoja_de(mirada, numero) if 0 < numero < 2**63 else None

    def ver(e: Entrada, hoja: Hoja, error: Aviso | None = None, codigo: int = 200) -> Response:
        return p.pagina(
            "hoja_dudosa.html",
            e,
            codigo=codigo,
            titulo="Hoja por revisar" if hoja.estado is EstadoDeHoja.DUDOSA else "Hoja digitalizada",
            hoja=hoja,
            renglon=renglon_de(p.proceso, hoja, p.ahora().tzinfo),
            explicada=explicar(hoja),
            error=error,
            hora=_hora_de_acopio(p, hoja),
            Accion=Accion,
        )

    @app.get("/hoja/{numero}")
    def una(numero: int, e: PideDigitalizacion) -> Response:
        hoja = hoja_de(numero)
        return ver(e, hoja) if hoja is not None else _pagina_de(p, e, _NO_ESTA, 404)

    @app.get("/hoja/{numero}/imagen")
    def imagen(numero: int, e: PideDigitalizacion) -> Response:
        hoja = hoja_de(numero)
        return _imagen(p.mesa.imagenes.leer(hoja.sha256) if hoja and hoja.sha256 else None)

    @app.get("/hoja/{numero}/miniatura")
    def miniatura(numero: int, e: PideDigitalizacion) -> Response:
        hoja = hoja_de(numero)
        return _imagen(estampas.miniatura(hoja.sha256) if hoja and hoja.sha256 else None)

    @app.get("/hoja/{numero}/cabecera")
    def cabecera(numero: int, e: PideDigitalizacion) -> Response:
        hoja = hoja_de(numero)
        return _imagen(estampas.cabecera(hoja) if hoja and hoja.sha256 else None)

    # ------------------------------------------------------------------------------------------------------ identificar

    @app.get("/hoja/{numero}/identificar")
    def identificar(
        numero: int, e: PideDigitalizacion, seccion: str = "", casilla: str = "", eleccion: str = ""
    ) -> Response:
        hoja = hoja_de(numero)
        if hoja is None or hoja.estado is not EstadoDeHoja.DUDOSA:
            return _pagina_de(p, e, _NO_ESTA if hoja is None else _NO_PROCEDE, 404 if hoja is None else 409)
        elegida = p.proceso.casillas.get(casilla)
        de_seccion = [c for c in p.proceso.casillas.values() if seccion.isdecimal() and c.seccion == _entero(seccion)]
        elecciones = [x for x in p.proceso.elecciones.values() if elegida and elegida.tipo in x.tipos_casilla]
        if len(elecciones) == 1:
            eleccion = elecciones[0].clave
        acta = IdActa(eleccion, casilla) if elegida and eleccion in {x.clave for x in elecciones} else None
        error = None
        if (seccion and not de_seccion) or (casilla and elegida is None):
            error = Aviso(
                False,
                f"La sección {seccion[:6]} no está en el catálogo" if not casilla else "Esa casilla no está",
                "se tecleó mal, o el papel es de otra entidad",
                "mire otra vez el papel; si eso dice, coordinación la declara fuera de catálogo",
            )
        return p.pagina(
            "hoja_identificar.html",
            e,
            codigo=422 if error else 200,
            titulo="Decir de qué casilla es",
            hoja=hoja,
            seccion=seccion,
            casillas=[(c, nombre_de(c)) for c in de_seccion],
            elegida=elegida,
            elecciones=elecciones,
            acta=acta,
            palabras=en_palabras(p.proceso, acta) if acta else ("", ""),
            error=error,
        )

    # ------------------------------------------------------------------------------------------- decisiones de un toque

    def decidir(e: Entrada, numero: int, accion: Accion, que: Callable[[str], Hoja | Rechazo | Response]) -> Response:
        def correr() -> tuple[str, Aviso | None] | Response:
            hoja = hoja_de(numero)
            if hoja is None:
                return _pagina_de(p, e, _NO_ESTA, 404)
            explicada = explicar(hoja)
            if explicada is None or accion not in explicada.acciones:
                return ver(e, hoja, _NO_PROCEDE, 409)
            quedo = que(persona_de(e).clave)
            if isinstance(quedo, Response):
                return quedo
            if isinstance(quedo, Rechazo):
                return ver(e, hoja, de_rechazo(quedo), 409)
            if digitalizadora is not None:
                digitalizadora.avisar()
            return _despues(p, quedo, accion)

        return p.una_vez(e, correr)

    @app.post("/hoja/{numero}/identificar")
    def identificada(numero: int, e: PideDigitalizacion) -> Response:
        acta = IdActa(e.texto("eleccion")[:40], e.texto("casilla")[:40])
        return decidir(e, numero, Accion.IDENTIFICAR, lambda quien: decisiones.identificar(numero, quien, acta))

    @app.post("/hoja/{numero}/aceptar")
    def aceptar(numero: int, e: PideDigitalizacion) -> Response:
        return decidir(e, numero, Accion.ACEPTAR, lambda quien: decisiones.aceptar(numero, quien))

    @app.post("/hoja/{numero}/sustituir")
    def sustituir(numero: int, e: PideDigitalizacion) -> Response:
        return decidir(e, numero, Accion.SUSTITUIR, lambda quien: decisiones.sustituir(numero, quien))

    @app.post("/hoja/{numero}/conservar")
    def conservar(numero: int, e: PideDigitalizacion) -> Response:
        razon = "Se conservó la imagen anterior"
        return decidir(e, numero, Accion.CONSERVAR, lambda quien: decisiones.descartar(numero, quien, razon))

    @app.post("/hoja/{numero}/repetir")
    def repetir(numero: int, e: PideDigitalizacion) -> Response:
        return decidir(e, numero, Accion.REPETIR, lambda quien: decisiones.descartar(numero, quien, _OTRA_VEZ))

    @app.post("/hoja/{numero}/reintentar")
    def reintentar(numero: int, e: PideDigitalizacion) -> Response:
        return decidir(e, numero, Accion.REINTENTAR, lambda quien: decisiones.reintentar(numero, quien))

    @app.post("/hoja/{numero}/acopiar")
    def acopiar(numero: int, e: PideDigitalizacion) -> Response:
        hora = hora_estampada(e.texto("hora"), p.ahora())
        hoja = hoja_de(numero)
        if hora is None:
            return ver(e, hoja, _HORA, 422) if hoja else _pagina_de(p, e, _NO_ESTA, 404)
        return decidir(e, numero, Accion.ACOPIAR, lambda quien: decisiones.acopiar(numero, quien, hora))

    # ---------------------------------------------------------------------------------------------- descartar, declarar

    @app.get("/hoja/{numero}/descartar")
    def por_que(numero: int, e: PideDigitalizacion) -> Response:
        hoja = hoja_de(numero)
        if hoja is None or hoja.estado is not EstadoDeHoja.DUDOSA:
            return _pagina_de(p, e, _NO_ESTA if hoja is None else _NO_PROCEDE, 404 if hoja is None else 409)
        return p.pagina("hoja_descartar.html", e, titulo="Descartar la hoja", hoja=hoja, razones=RAZONES)

    @app.post("/hoja/{numero}/descartar")
    def descartar(numero: int, e: PideDigitalizacion) -> Response:
        razon = RAZONES.get(e.texto("razon"))
        if razon is None:
            return RedirectResponse(f"/hoja/{numero}/descartar", status_code=303)
        return decidir(e, numero, Accion.DESCARTAR, lambda quien: decisiones.descartar(numero, quien, razon))

    def formulario_fuera(e: Entrada, hoja: Hoja, error: Aviso | None = None) -> Response:
        datos = {n: e.texto(n) for n in ("eleccion", "documento", "traslado", "confirma")}
        datos["documento"] = datos["documento"] or "ACTA PREP"
        return p.pagina(
            "hoja_fuera.html",
            e,
            codigo=422 if error else 200,
            titulo="Declarar fuera de catálogo",
            hoja=hoja,
            datos=datos,
            documentos=DOCUMENTOS,
            traslados=TRASLADOS,
            coordinan=quienes_confirman(p, e, Papel.COORDINACION),
            error=error,
        )

    @app.get("/hoja/{numero}/fuera")
    def fuera(numero: int, e: PideDigitalizacion) -> Response:
        hoja = hoja_de(numero)
        if hoja is None or hoja.estado is not EstadoDeHoja.DUDOSA:
            return _pagina_de(p, e, _NO_ESTA if hoja is None else _NO_PROCEDE, 404 if hoja is None else 409)
        return formulario_fuera(e, hoja)

    @app.post("/hoja/{numero}/fuera")
    def declarar(numero: int, e: PideDigitalizacion) -> Response:
        hoja = hoja_de(numero)
        if hoja is None:
            return _pagina_de(p, e, _NO_ESTA, 404)
        if e.texto("eleccion") not in p.proceso.elecciones or e.texto("documento") not in DOCUMENTOS:
            error = Aviso(False, "Falta decir la elección o el documento", "quedó sin elegir", "elíjalo y repita")
            return formulario_fuera(e, hoja, error)
        if e.texto("traslado") not in TRASLADOS:
            error = Aviso(False, "El mecanismo de traslado no se conoce", "la página es de antes", "elíjalo otra vez")
            return formulario_fuera(e, hoja, error)
        eleccion, documento, traslado = e.texto("eleccion"), e.texto("documento"), e.texto("traslado")

        def confirmada(persona: str) -> Hoja | Rechazo | Response:
            # Adentro: el segundo toque contesta lo que hizo el primero, sin volver a pedir el NIP.
            quien = confirmar(p, e, Papel.COORDINACION)
            if isinstance(quien, Rechazo):
                return formulario_fuera(e, hoja, de_rechazo(quien))
            return decisiones.declarar_fuera(numero, persona, quien.clave, eleccion, documento, traslado)

        return decidir(e, numero, Accion.FUERA, confirmada)


def _despues(p: Pantalla, hoja: Hoja, accion: Accion) -> tuple[str, Aviso]:
    """A dónde ir y qué decir: si aún queda algo por decidir de la hoja, a ella misma."""
    lista = "/digitalizacion"
    if hoja.estado is EstadoDeHoja.DUDOSA:
        return f"/hoja/{hoja.hoja}", Aviso(True, "Anotado. Falta una cosa más de esta hoja")
    if hoja.estado is EstadoDeHoja.ASIGNADA and hoja.acta is not None:
        que_acta, lugar = en_palabras(p.proceso, hoja.acta)
        return lista, Aviso(True, f"La hoja quedó en {que_acta}", lugar, "siga con la que sigue")
    if hoja.estado is EstadoDeHoja.FUERA:
        return lista, Aviso(True, "Quedó declarada fuera de catálogo", hoja.detalle, "aparte el papel con las demás")
    if hoja.estado is EstadoDeHoja.RECIBIDA:
        return lista, Aviso(True, "Se está mirando otra vez", "", "en un momento dirá cómo quedó")
    if accion is Accion.REPETIR:
        siguiente = "ponga la hoja en la charola y toque «Digitalizar hojas»"
        return lista, Aviso(True, "Ahora pásela otra vez", "ésta ya no cuenta", siguiente)
    return lista, Aviso(True, "La hoja quedó apartada", hoja.detalle, "su imagen se conserva; siga con la que sigue")


def _hora_de_acopio(p: Pantalla, hoja: Hoja) -> str:
    # Si la etiqueta la imprimió este kiosco ya se sabe cuándo llegó la bolsa: no se le pregunta a nadie.
    with p.kiosco.almacen.lectura() as mirada:
        impresa = tabla.hora_de_etiqueta(mirada, hoja.vista.nonces)
    cuando = impresa.astimezone(p.ahora().tzinfo) if impresa is not None else p.ahora()
    return f"{cuando:%H:%M}"


def _pagina_de(p: Pantalla, e: Entrada, aviso: Aviso, codigo: int) -> Response:
    return p.pagina("error.html", e, titulo="Aviso", aviso=aviso, codigo=codigo)


def _imagen(contenido: bytes | None) -> Response:
    if contenido is None:
        return Response("De esa hoja no hay imagen. Regrese a la lista.", 404, media_type="text/plain; charset=utf-8")
    return Response(contenido, media_type=EXTENSIONES[extension_de(contenido)])


def _entero(texto: str) -> int:
    return int(texto) if texto.isascii() and len(texto) <= 6 else -1


def _sin_vision(_: object) -> Vistazo | Rechazo:
    return Rechazo(
        "SIN_VISION",
        "Este kiosco no puede mirar imágenes",
        "se abrió sin su puesto de trabajo",
        "ábralo con la orden kiosco",
    )
