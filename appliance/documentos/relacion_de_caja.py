"""La relación que va con cada caja: qué actas lleva y un QR con que se comprueba que la lista es la que se imprimió."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from appliance.documentos.hoja_carta import HojaCarta
from appliance.empaquetado import Caja
from appliance.identidad import Identidad
from nucleo.concordancia import concordar
from nucleo.eleccion import Proceso


@dataclass(frozen=True, slots=True)
class Relacion:
    """Lo que dice la relación. `huella` es el SHA-256 de `renglones`, unidos con saltos."""

    caja: str
    renglones: tuple[str, ...]
    huella: str
    qr: str


def relacion_de(caja: Caja, identidad: Identidad, proceso: Proceso) -> Relacion:
    """Un renglón `elección/casilla huella` por acta, en orden de clave: no depende de cómo se fueron guardando.

    QR: `PREPR2|proceso|modo|CATD|caja|cuántas|huella|relación|sustituye`. El último, vacío si es la primera, es cuándo
    se cerró la caja con la que ya no vale. (El de antes, `PREPR1`, llega hasta la huella.)
    """
    renglones = tuple(sorted(f"{d.acta} {d.huella}" for d in caja.actas))
    huella = hashlib.sha256("\n".join(renglones).encode()).hexdigest()
    sustituye = caja.anterior.astimezone(ZoneInfo(proceso.huso)).isoformat(timespec="minutes") if caja.anterior else ""
    quien = (proceso.clave, identidad.modo, identidad.catd, caja.nombre)
    partes = ("PREPR2", *quien, str(len(renglones)), huella, str(caja.relacion), sustituye)
    return Relacion(caja.nombre, renglones, huella, "|".join(partes))


def nombre_de_relacion(caja: Caja, proceso: Proceso) -> str:
    """«Relación 2 de la CAJA-01, sustituye a la de las 21:05»; de la primera, sólo «Relación de la CAJA-01»."""
    if caja.anterior is None:
        return f"Relación de la {caja.nombre}"
    hora = caja.anterior.astimezone(ZoneInfo(proceso.huso))
    return f"Relación {caja.relacion} de la {caja.nombre}, sustituye a la de las {hora:%H:%M}"


def pdf_de_relacion(caja: Caja, identidad: Identidad, proceso: Proceso, ahora: datetime) -> bytes:
    """El PDF, con una tabla por acta y lugar para firmar. `ahora` lleva el huso del proceso."""
    relacion = relacion_de(caja, identidad, proceso)
    huso = ZoneInfo(proceso.huso)
    cerrada = caja.cerrada.astimezone(huso) if caja.cerrada else None
    estado = f"cerrada el {cerrada:%d/%m/%Y a las %H:%M} por {caja.cerro}" if cerrada else "ABIERTA: faltan actas"
    hoja = HojaCarta(
        nombre_de_relacion(caja, proceso),
        f"{proceso.nombre} · {identidad.catd} · impresa el {ahora:%d/%m/%Y a las %H:%M}",
        identidad.modo,
        f"Huella de la lista: {relacion.huella}",
    )
    hoja.qr(relacion.qr)
    hoja.espacio(6)
    hoja.parrafo(concordar(len(caja.actas), "acta", "actas"), negrita=True, tamano=26)
    hoja.espacio(6)
    hoja.parrafo(f"Caja {estado}.", ancho=330)
    if caja.anterior is not None:
        de_antes = caja.anterior.astimezone(huso)
        hoja.parrafo(
            f"Sustituye a la relación de las {de_antes:%H:%M} del {de_antes:%d/%m/%Y}, que ya no vale: destrúyala.",
            negrita=True,
            ancho=330,
        )
    hoja.parrafo("Antes de entregarla, cuente las hojas: deben ser tantas como renglones hay aquí.", ancho=330)
    hoja.espacio(66)
    por_clave = sorted(caja.actas, key=lambda d: str(d.acta))
    filas = [
        (
            str(numero),
            d.acta.casilla,
            d.acta.eleccion,
            str(proceso.casillas[d.acta.casilla].seccion) if d.acta.casilla in proceso.casillas else "",
            f"{d.hora.astimezone(huso):%d/%m %H:%M}",
            d.huella[:16],
        )
        for numero, d in enumerate(por_clave, start=1)
    ]
    hoja.tabla(("N.º", "Casilla", "Elección", "Sección", "Se guardó", "Huella"), filas, (14, 40, 32, 24, 32, 38))
    hoja.firmas(("Entrega (CATD): nombre y firma", "Recibe (consejo): nombre y firma"))
    return hoja.cerrar()
