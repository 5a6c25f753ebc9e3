"""De lo que dijo el proceso de visión a lo que se sabe de la hoja: aquí los códigos se cotejan con el catálogo."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from appliance.digitalizacion.cadena import Vistazo
from appliance.digitalizacion.hoja import Codigo, Vista
from appliance.falla import Falla
from appliance.vision.pagina import Analisis
from appliance.vision.trabajador import Trabajador
from nucleo.codigo_qr import Formas, identificar
from nucleo.eleccion import Proceso
from nucleo.problema import Rechazo

_DEL_PROCESO: Final = ("VISION_CAIDA", "VISION_TARDA")
"""Pudo ser el proceso y no la imagen: se intenta una vez más."""


class Mirador:
    """Mira archivos con el proceso de visión. Es un `appliance.digitalizacion.cadena.Mirar`."""

    def __init__(self, trabajador: Trabajador, proceso: Proceso, formas: Formas | None = None) -> None:
        self._trabajador = trabajador
        self._proceso = proceso
        self._formas = formas

    def __call__(self, ruta: Path) -> Vistazo | Rechazo:
        """Lo que se ve en ese archivo; `Rechazo` si no se pudo abrir.

        Raises:
            Falla: VISION_NO_ARRANCA; no es culpa de la hoja, que sigue esperando.
        """
        analisis = self._trabajador.analizar(ruta)
        if isinstance(analisis, Rechazo) and analisis.codigo in _DEL_PROCESO:
            analisis = self._trabajador.analizar(ruta)
        if isinstance(analisis, Analisis):
            return Vistazo(vista_de(analisis, self._proceso, self._formas), analisis.imagen)
        if analisis.codigo == "VISION_NO_ARRANCA":
            raise Falla(analisis.codigo, analisis.que, analisis.causa, analisis.siguiente)
        return analisis


def vista_de(analisis: Analisis, proceso: Proceso, formas: Formas | None = None) -> Vista:
    """La vista de una página ya analizada, con cada código cotejado contra el catálogo."""
    peor = next(iter(analisis.veredicto.motivos), None)
    con_formato = not any(m.codigo == "SIN_FORMATO" for m in analisis.veredicto.motivos)
    # Un código en espejo se trasluce de otra hoja o del reverso: no es el de esta cara.
    derechos = [c for c in analisis.codigos if c.espejo is not True]
    return Vista(
        tuple(_codigo(c.texto, proceso, formas) for c in derechos),
        (analisis.registro is not None) if con_formato else None,
        analisis.veredicto.aceptable,
        *((peor.que, peor.causa, peor.siguiente) if peor else ("", "", "")),
        formato=analisis.formato or "",
        registro=analisis.registro.a_json() if analisis.registro else None,
    )


def _codigo(texto: str, proceso: Proceso, formas: Formas | None) -> Codigo:
    leido = identificar(texto, proceso, formas)
    if isinstance(leido, Rechazo):
        return Codigo(texto[:200], None, leido.codigo)
    return Codigo(texto[:200], leido.acta, "", leido.nonce or "")
