"""El recibo de un acta para quien representa a un partido: con qué comprobar después que es la misma que se publicó.

No trae votos: dice qué imagen se digitalizó y qué hecho firmado la nombra. Con las hojas publicadas, cualquiera busca
esa huella y ve si está y qué dice.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from appliance.almacen import Almacen, HechoConSobre
from appliance.documentos.hoja_carta import HojaCarta
from appliance.identidad import Identidad
from nucleo.eleccion import Proceso
from nucleo.hechos import Acopio, IdActa, Imagen
from nucleo.problema import Rechazo
from nucleo.promesa import promesa_de


@dataclass(frozen=True, slots=True)
class Recibo:
    """Los datos del recibo. `imagen` y `huella` son SHA-256 hexadecimal; `hora`, la del hecho que nombra la imagen."""

    acta: IdActa
    acopio: datetime
    hora: datetime
    imagen: str
    huella: str
    secuencia: int
    qr: str


def recibo_de(almacen: Almacen, acta: IdActa, identidad: Identidad, proceso: Proceso) -> Recibo | Rechazo:
    """El recibo de la imagen vigente del acta. Sin imagen no hay qué comprobar, y se rechaza.

    El QR es una promesa de inclusión (`nucleo.promesa`). Raises: Falla.
    """
    with almacen.lectura() as mirada:
        sobres = mirada.sobres_de(acta)
    imagen = _ultimo(sobres, Imagen)
    acopio = _ultimo(sobres, Acopio)
    if imagen is None or not isinstance(imagen.hecho, Imagen) or acopio is None:
        return Rechazo(
            "SIN_IMAGEN",
            f"Todavía no hay recibo para {acta.casilla}",
            "el acta no se ha digitalizado: sin imagen no hay qué comprobar después",
            "digitalícela y vuelva a pedir el recibo",
        )
    sha256, hora = imagen.hecho.sha256, imagen.hecho.hora
    lugar = (identidad.equipo, identidad.epoca, imagen.secuencia)
    promesa = promesa_de(proceso.clave, identidad.modo, acta, sha256, hora, lugar, imagen.sobre)
    qr = promesa.qr
    return Recibo(acta, acopio.hecho.hora, hora, sha256, imagen.huella, imagen.secuencia, qr)


def pdf_de_recibo(recibo: Recibo, identidad: Identidad, proceso: Proceso, ahora: datetime) -> bytes:
    """El PDF de una página. `ahora` lleva el huso del proceso."""
    huso = ZoneInfo(proceso.huso)
    casilla = proceso.casillas[recibo.acta.casilla]
    hoja = HojaCarta(
        "Recibo de acta",
        f"{proceso.nombre} · {identidad.catd} · impreso el {ahora:%d/%m/%Y a las %H:%M}",
        identidad.modo,
        "Este recibo no trae resultados. Sirve para comprobar que la imagen publicada es la que se digitalizó aquí.",
    )
    hoja.qr(recibo.qr, 52)
    hoja.espacio(6)
    hoja.parrafo(f"Casilla {recibo.acta.casilla}", negrita=True, tamano=20, ancho=330)
    hoja.espacio(4)
    hoja.parrafo(proceso.elecciones[recibo.acta.eleccion].nombre, tamano=13, ancho=330)
    hoja.parrafo(f"Sección {casilla.seccion} · {casilla.lugar}", ancho=330)
    hoja.espacio(110)
    hoja.datos(
        (
            ("Se recibió", f"{recibo.acopio.astimezone(huso):%d/%m/%Y a las %H:%M}"),
            ("Se digitalizó", f"{recibo.hora.astimezone(huso):%d/%m/%Y a las %H:%M:%S}"),
            ("Huella de la imagen", _en_grupos(recibo.imagen)),
            ("Equipo y hoja", f"{identidad.equipo}, hoja {recibo.secuencia}"),
            ("Huella de la hoja", _en_grupos(recibo.huella)),
        )
    )
    hoja.espacio(14)
    hoja.parrafo("Cómo se comprueba", negrita=True, tamano=12)
    hoja.parrafo(
        "1. Cuando el PREP publique la imagen de esta acta, calcule su SHA-256: debe ser la huella de la imagen.",
        ancho=500,
    )
    hoja.parrafo(
        "2. En las hojas firmadas que publica el PREP busque la huella de la hoja: dice esta casilla y esta imagen, y "
        "la firmó este equipo.",
        ancho=500,
    )
    hoja.parrafo(
        "3. Si no está, o dice otra cosa, preséntelo con este recibo ante la instancia interna del PREP.", ancho=500
    )
    hoja.firmas(("Entrega (CATD): nombre y firma", "Recibe (representación): partido, nombre y firma"))
    return hoja.cerrar()


def _ultimo(sobres: list[HechoConSobre], clase: type) -> HechoConSobre | None:
    return next((s for s in reversed(sobres) if isinstance(s.hecho, clase)), None)


def _en_grupos(huella: str) -> str:
    return " ".join(huella[i : i + 8] for i in range(0, len(huella), 8))
