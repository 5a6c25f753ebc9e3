"""La imagen de un acta lista para leerse: cuál es la vigente, a quién se le enseña y el recorte de cada renglón.

Un recorte sólo se da si la imagen se registró contra el formato de esa acta: más vale la imagen completa que el renglón
de junto. La página se abre una vez y sus recortes se recuerdan, con tope; los del acta que sigue se adelantan.
"""

from __future__ import annotations

import contextlib
import json
import threading
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from appliance.mesa import Mesa
from appliance.personas import Papel, Persona
from appliance.redigitalizacion import imagen_de
from appliance.vision.recortes import recorte
from appliance.vision.registro import Registro, RegistroInvalido
from nucleo.captura import EnRevision, Verificada, estado_de
from nucleo.formato import Caja, Formato, formato_para
from nucleo.hechos import IdActa, Imagen
from nucleo.problema import Rechazo

Pagina = NDArray[np.uint8]
_Llave = tuple[IdActa, str, str]

PPP: Final = 200
"""Densidad de los recortes, en puntos por pulgada: la de la página digitalizada."""
ANCHA_MM: Final = 120.0
"""Un renglón más largo que esto ocupa todo el ancho de la pantalla, encima de su campo."""

_ORILLA_MM: Final = 0.8
_PAGINAS: Final = 3
"""Páginas abiertas a la vez: cada una ocupa cerca de 11 MB."""
_BYTES: Final = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class ImagenDelActa:
    """La imagen vigente de un acta. Sin `recortes`, sólo se puede ver completa."""

    sha256: str
    recortes: frozenset[str] = frozenset()
    """Claves de los renglones con recorte."""
    regiones: frozenset[str] = frozenset()
    ancha: bool = False


class VistaDelActa:
    """Las imágenes de las actas de un kiosco. Se puede compartir entre hilos."""

    def __init__(self, mesa: Mesa, formatos: Sequence[Formato]) -> None:
        self._mesa = mesa
        self._formatos = formatos
        self._candado = threading.Lock()
        self._abriendo = threading.Lock()
        self._paginas: OrderedDict[str, Pagina] = OrderedDict()
        self._recortes: OrderedDict[_Llave, bytes] = OrderedDict()
        self._bytes = 0
        self._de_quien: dict[str, IdActa] = {}
        self._vista = 0
        self._adelanto = ThreadPoolExecutor(max_workers=1, thread_name_prefix="recortes")

    def de(self, acta: IdActa) -> ImagenDelActa | None:
        """La imagen vigente del acta y qué recortes tiene; `None` si no se ha digitalizado. Raises: Falla."""
        sha256 = imagen_de(self._mesa.almacen.hechos_de(acta))
        if sha256 is None:
            return None
        hallado = self._registro(acta, sha256)
        if hallado is None:
            return ImagenDelActa(sha256)
        formato, _ = hallado
        ancha = any(caja.ancho > ANCHA_MM for caja in formato.renglones.values())
        return ImagenDelActa(sha256, frozenset(formato.renglones), frozenset(formato.regiones), ancha)

    def acta_visible(self, sha256: str, persona: Persona) -> IdActa | None:
        """De qué acta es esa imagen, si a esa persona le toca verla; `None` si no.

        La ve quien tiene abierta el acta; verificación, además, las que se revisan o ya se pueden cotejar; y
        coordinación, todas. Raises: Falla.
        """
        suyas = self._mesa.abiertas_de(persona.clave)
        for acta in () if isinstance(suyas, Rechazo) else suyas:
            if imagen_de(self._mesa.almacen.hechos_de(acta)) == sha256:
                return acta
        if not persona.puede(Papel.VERIFICACION, Papel.COORDINACION):
            return None
        de_quien = self._acta_de(sha256)
        if de_quien is None or persona.coordina:
            return de_quien
        estado = estado_de(self._mesa.almacen.hechos_de(de_quien))
        return de_quien if isinstance(estado, EnRevision | Verificada) else None

    def completa(self, sha256: str) -> bytes | None:
        """La imagen tal como se asentó; `None` si ya no está en el disco."""
        return self._mesa.imagenes.leer(sha256)

    def recorte(self, acta: IdActa, sha256: str, clave: str) -> bytes | None:
        """El recorte de un renglón o de una región con nombre, o `None` si no se puede afirmar dónde está."""
        with self._candado:
            if (hecho := self._recortes.get((acta, sha256, clave))) is not None:
                self._recortes.move_to_end((acta, sha256, clave))
                return hecho
        hallado = self._registro(acta, sha256)
        if hallado is None:
            return None
        formato, registro = hallado
        caja = formato.renglones.get(clave) or formato.regiones.get(clave)
        pagina = self._pagina(sha256) if caja is not None else None
        if caja is None or pagina is None:
            return None
        nuevo = recorte(pagina, registro, _con_orilla(caja, formato), PPP)
        self._recordar((acta, sha256, clave), nuevo)
        return nuevo

    def adelantar(self, actas: Iterable[IdActa]) -> None:
        """Deja listos, sin hacer esperar a nadie, los recortes de esas actas."""
        for acta in actas:
            self._adelanto.submit(self._adelantar, acta)

    # ---------------------------------------------------------------------------------------------------------- adentro

    def _adelantar(self, acta: IdActa) -> None:
        # Es sólo un adelanto: si algo falla, lo dirá quien pida el recorte.
        with contextlib.suppress(Exception):
            imagen = self.de(acta)
            if imagen is not None:
                for clave in ("identificacion", *imagen.recortes):
                    self.recorte(acta, imagen.sha256, clave)

    def _registro(self, acta: IdActa, sha256: str) -> tuple[Formato, Registro] | None:
        casilla = self._mesa.proceso.casillas[acta.casilla]
        formato = formato_para(self._formatos, self._mesa.proceso.elecciones[acta.eleccion], casilla)
        if formato is None:
            return None
        with self._mesa.almacen.lectura() as mirada:
            fila = mirada.conexion.execute(
                "SELECT lectura FROM hojas WHERE sha256 = ? AND lectura <> '' ORDER BY hoja DESC LIMIT 1", (sha256,)
            ).fetchone()
        registro = registro_de(fila[0]) if fila is not None else None
        return (formato, registro) if registro is not None and registro.formato == formato.clave else None

    def _pagina(self, sha256: str) -> Pagina | None:
        # Un solo turno: dos recortes de la misma página no la abren dos veces.
        with self._abriendo:
            if (abierta := self._paginas.get(sha256)) is not None:
                self._paginas.move_to_end(sha256)
                return abierta
            contenido = self._mesa.imagenes.leer(sha256)
            if contenido is None:
                return None
            leida = cv2.imdecode(np.frombuffer(contenido, np.uint8), cv2.IMREAD_COLOR)
            if leida is None:
                return None
            pagina = leida.astype(np.uint8, copy=False)
            self._paginas[sha256] = pagina
            while len(self._paginas) > _PAGINAS:
                self._paginas.popitem(last=False)
            return pagina

    def _recordar(self, llave: _Llave, contenido: bytes) -> None:
        with self._candado:
            if llave not in self._recortes:
                self._bytes += len(contenido)
            self._recortes[llave] = contenido
            while self._bytes > _BYTES:
                _, viejo = self._recortes.popitem(last=False)
                self._bytes -= len(viejo)

    def _acta_de(self, sha256: str) -> IdActa | None:
        with self._candado:
            for secuencia, hecho in self._mesa.almacen.hechos_desde(self._vista):
                self._vista = secuencia
                if isinstance(hecho, Imagen):
                    self._de_quien[hecho.sha256] = hecho.acta
            return self._de_quien.get(sha256)


def registro_de(lectura: str) -> Registro | None:
    """El registro que guardó la digitalización en la columna `lectura`, o `None` si no hay o no se entiende."""
    try:
        dato = json.loads(lectura)
        guardado = dato.get("registro") if isinstance(dato, dict) else None
        texto = guardado if isinstance(guardado, str) else json.dumps(guardado)
        return Registro.de_json(texto) if guardado else None
    except (ValueError, RecursionError, RegistroInvalido):
        return None


def _con_orilla(caja: Caja, formato: Formato) -> Caja:
    """Un poco más que el renglón: quien escribe se sale de la raya."""
    x, y = max(0.0, caja.x - _ORILLA_MM), max(0.0, caja.y - _ORILLA_MM)
    derecha = min(formato.ancho_mm, caja.x + caja.ancho + _ORILLA_MM)
    abajo = min(formato.alto_mm, caja.y + caja.alto + _ORILLA_MM)
    return Caja(x, y, derecha - x, abajo - y)
