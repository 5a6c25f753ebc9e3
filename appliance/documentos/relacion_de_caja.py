"""La relación que va con cada caja: qué actas lleva y un QR con que se comprueba que la lista es la que se imprimió."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from appliance.documentos.hoja_carta import HojaCarta
from appliance.empaquetado import Caja
from appliance.identidad import Identidad
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

    QR: `PREPR1|proceso|modo|CATD|caja|cuántas|huella`.
    """
    renglones = tuple(sorted(f"{d.acta} {d.huella}" for d in caja.actas))
    huella = hashlib.sha256("\n".join(renglones).encode()).hexdigest()
    partes = ("PREPR1", proceso.clave, identidad.modo, identidad.catd, caja.nombre, str(len(renglones)), huella)
    return Relacion(caja.nombre, renglones, huella, "|".join(partes))


def pdf_de_relacion(caja: Caja, identidad: Identidad, proceso: Proceso, ahora: datetime) -> bytes:
    """El PDF, con una tabla por acta y lugar para firmar. `ahora` lleva el huso del proceso."""
    relacion = relacion_de(caja, identidad, proceso)
    huso = ZoneInfo(proceso.huso)
    cerrada = caja.cerrada.astimezone(huso) if caja.cerrada else None
    estado = f"cerrada el {cerrada:%d/%m/%Y a las %H:%M} por {caja.cerro}" if cerrada else "ABIERTA: faltan actas"
    hoja = HojaCarta(
        f"Relación de la {caja.nombre}",
        f"{proceso.nombre} · {identidad.catd} · impresa el {ahora:%d/%m/%Y a las %H:%M}",
        identidad.modo,
        f"Huella de la lista: {relacion.huella}",
    )
    hoja.qr(relacion.qr)
    hoja.espacio(6)
    hoja.parrafo(f"{len(caja.actas)} actas", negrita=True, tamano=26)
    hoja.espacio(6)
    hoja.parrafo(f"Caja {estado}.", ancho=330)
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
