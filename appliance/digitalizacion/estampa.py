"""Vistas chicas de una hoja para la pantalla, la miniatura y la cabecera; se recuerdan, con tope."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from appliance.digitalizacion.hoja import Hoja
from appliance.imagenes import Imagenes
from appliance.vision.recortes import recorte
from appliance.vision.registro import Registro, RegistroInvalido
from nucleo.formato import Formato

Pagina = NDArray[np.uint8]
_Hacer = Callable[[Pagina], bytes | None]

_ALTO_MINIATURA: Final = 240
_ANCHO_CABECERA: Final = 1000
_PARTE_CABECERA: Final = 0.34
"""De la página, cuando no se sabe dónde está la identificación: el tercio de arriba."""
_PPP_CABECERA: Final = 150
_RECORDADAS: Final = 300
_CALIDAD: Final = 70


class Estampas:
    """Las miniaturas y cabeceras de las hojas de un kiosco. Se puede compartir entre hilos."""

    def __init__(self, imagenes: Imagenes, formatos: Sequence[Formato]) -> None:
        self._imagenes = imagenes
        self._formatos = {f.clave: f for f in formatos}
        self._hechas: OrderedDict[tuple[str, str], bytes] = OrderedDict()
        self._candado = threading.Lock()

    def miniatura(self, sha256: str) -> bytes | None:
        """WebP de 240 px de alto; `None` si la imagen no está o no se abre."""

        def hacer(pagina: Pagina) -> bytes | None:
            ancho = max(1, round(pagina.shape[1] * _ALTO_MINIATURA / pagina.shape[0]))
            return _webp(cv2.resize(pagina, (ancho, _ALTO_MINIATURA), interpolation=cv2.INTER_AREA))

        return self._de("miniatura", sha256, hacer)

    def cabecera(self, hoja: Hoja) -> bytes | None:
        """La identificación de la casilla, derecha; si no se sabe dónde está, el tercio de arriba."""

        def hacer(pagina: Pagina) -> bytes | None:
            if (registro := _registro(hoja)) is not None:
                formato = self._formatos.get(registro.formato)
                caja = formato.regiones.get("identificacion") if formato else None
                if caja is not None:
                    return recorte(pagina, registro, caja, _PPP_CABECERA)
            arriba = pagina[: max(1, round(pagina.shape[0] * _PARTE_CABECERA))]
            alto = max(1, round(arriba.shape[0] * _ANCHO_CABECERA / arriba.shape[1]))
            return _webp(cv2.resize(arriba, (_ANCHO_CABECERA, alto), interpolation=cv2.INTER_AREA))

        return self._de("cabecera", hoja.sha256, hacer)

    def _de(self, clase: str, sha256: str, hacer: _Hacer) -> bytes | None:
        with self._candado:
            if (hecha := self._hechas.get((clase, sha256))) is not None:
                self._hechas.move_to_end((clase, sha256))
                return hecha
        contenido = self._imagenes.leer(sha256) if sha256 else None
        # Sólo se abre lo que guardó la cadena: ya lo abrió y lo volvió a comprimir el proceso de visión.
        leida = cv2.imdecode(np.frombuffer(contenido, np.uint8), cv2.IMREAD_COLOR) if contenido else None
        nueva = hacer(np.asarray(leida, np.uint8)) if leida is not None else None
        if nueva is not None:
            with self._candado:
                self._hechas[(clase, sha256)] = nueva
                while len(self._hechas) > _RECORDADAS:
                    self._hechas.popitem(last=False)
        return nueva


def _registro(hoja: Hoja) -> Registro | None:
    try:
        return Registro.de_json(hoja.vista.registro) if hoja.vista.registro else None
    except RegistroInvalido:
        return None


def _webp(imagen: NDArray[np.generic]) -> bytes | None:
    bien, contenido = cv2.imencode(".webp", np.asarray(imagen, np.uint8), [cv2.IMWRITE_WEBP_QUALITY, _CALIDAD])
    return contenido.tobytes() if bien else None
