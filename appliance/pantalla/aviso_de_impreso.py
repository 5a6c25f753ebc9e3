"""Lo que se dice al imprimir: dónde quedó el documento y qué se hace con ese, que no es lo mismo con todos."""

from __future__ import annotations

from dataclasses import dataclass

from appliance.impresion.imprenta import Impreso
from appliance.pantalla.pagina import Aviso


@dataclass(frozen=True, slots=True)
class Documento:
    """Cómo se habla de un documento."""

    nombre: str
    salio: str
    """«impresa» o «impreso», según su nombre."""
    con_papel: str
    """Qué hacer con él."""
    sin_impresora: str
    """Qué hacer si el kiosco no tiene en qué imprimirlo."""


def aviso_de(impreso: Impreso, documento: Documento) -> Aviso:
    """Dónde quedó lo impreso, y si no salió en papel, por qué y qué hacer."""
    ver = f"/impreso/{impreso.archivo}"
    if (porque := impreso.porque) is not None:
        que = f"{documento.nombre}: no salió en papel y quedó en PDF. {porque.que}"
        return Aviso(False, que, porque.causa, porque.siguiente, ver)
    if impreso.impresora is None:
        sin = "este kiosco no tiene impresora configurada"
        return Aviso(True, f"{documento.nombre} en PDF", sin, documento.sin_impresora, ver)
    return Aviso(True, f"{documento.nombre} {documento.salio} en {impreso.impresora}", "", documento.con_papel, ver)
