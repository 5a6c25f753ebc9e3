"""El comprobante de una mochila: qué se llevó en la memoria, para quien la entrega y para quien la recibe."""

from __future__ import annotations

from datetime import datetime

from appliance.documentos.hoja_carta import HojaCarta
from appliance.identidad import Identidad
from appliance.mochila import Comprobante
from nucleo.eleccion import Proceso


def pdf_de_comprobante(hecho: Comprobante, identidad: Identidad, proceso: Proceso, ahora: datetime) -> bytes:
    """El PDF de una página, con QR `PREPM1|equipo|época|desde|hasta|sobres|huella del manifiesto`."""
    hoja = HojaCarta(
        "Comprobante de mochila",
        f"{proceso.nombre} · {identidad.catd} · impreso el {ahora:%d/%m/%Y a las %H:%M}",
        identidad.modo,
        "Los sobres siguen en el kiosco hasta que el centro los acuse.",
    )
    numeros = (str(hecho.desde), str(hecho.hasta), str(hecho.sobres))
    hoja.qr("|".join(("PREPM1", hecho.equipo, hecho.epoca, *numeros, hecho.huella)), 46)
    hoja.espacio(6)
    hoja.parrafo(f"{hecho.sobres} sobres, {hecho.imagenes} imágenes", negrita=True, tamano=18, ancho=330)
    hoja.espacio(100)
    falta = f"{hecho.sin_imagen} que no cupieron o no están en este kiosco" if hecho.sin_imagen else "ninguna"
    hoja.datos(
        (
            ("Carpeta", hecho.carpeta),
            ("Equipo y época", f"{hecho.equipo} · {hecho.epoca}"),
            ("Sobres", f"del {hecho.desde} al {hecho.hasta}: {hecho.sobres}"),
            ("Imágenes que faltan", falta),
            ("Tamaño", f"{hecho.bytes:,} bytes".replace(",", " ")),
            ("Copiada", f"{hecho.hora:%d/%m/%Y a las %H:%M:%S}"),
            ("Huella del manifiesto", " ".join(hecho.huella[i : i + 8] for i in range(0, 64, 8))),
            ("Comprobada", "sí: se volvió a leer de la memoria y cada byte coincide"),
        )
    )
    hoja.espacio(14)
    hoja.parrafo(
        "La memoria va firmada y sellada: sólo el centro la puede abrir. Quien la lleve la entrega en mano; no la "
        "borren hasta que el centro diga que la importó."
    )
    hoja.firmas(("Entrega (CATD): nombre y firma", "Lleva: nombre y firma", "Recibe (centro): nombre y firma"))
    return hoja.cerrar()
