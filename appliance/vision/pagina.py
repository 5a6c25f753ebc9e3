"""Analizar una página de principio a fin: abrirla, leer sus códigos, registrarla, juzgarla, enderezarla y comprimirla.

No consulta el catálogo: qué acta dice ser el código lo coteja la recepción. La imagen oficial sólo se gira en cuartos
de vuelta; los recortes usan la homografía.
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace

import cv2
import numpy as np
from PIL import Image

from appliance.vision.apertura_imagen import Imagen, abrir_imagen
from appliance.vision.calidad import Veredicto, es_el_acta, juzgar, sin_formato, sin_registro
from appliance.vision.codigo_leido import CodigoLeido
from appliance.vision.cual_formato import Hallado, cual_formato
from appliance.vision.motivos import motivo
from appliance.vision.plantilla import Gris, Plantilla
from appliance.vision.registro import Matriz, Pagina, Registro, SinRegistro, mirar, por_que_no
from nucleo.codigo_qr import CodigoInvalido, leer_codigo
from nucleo.etiqueta import EtiquetaInvalida, leer_code128, leer_etiqueta, resumen_de_eleccion
from nucleo.problema import Rechazo

LectorDeCodigos = Callable[[Imagen], Sequence[CodigoLeido]]
Compresor = Callable[[Imagen], bytes]
NombraEleccion = Callable[[str, str], bool]
"""Si el texto de un código nombra la elección de esa clave."""


@dataclass(frozen=True)
class Analisis:
    """Lo que se supo de una página. El registro se refiere a `imagen`, no a lo que entró."""

    codigos: tuple[CodigoLeido, ...]
    """Sin cotejar, con su posición en `imagen`."""
    formato: str | None
    """Clave del formato con que coincidió."""
    registro: Registro | None
    veredicto: Veredicto
    imagen: bytes
    """WebP, derecha."""
    ancho: int
    alto: int
    milisegundos: Mapping[str, float] = field(compare=False)
    """Tiempo de procesador por etapa."""


def nombra_eleccion(texto: str, eleccion: str) -> bool:
    """Si ese texto es de nuestra etiqueta o del código de ocho campos y nombra la elección; no prueba nada."""
    with suppress(EtiquetaInvalida):
        return leer_etiqueta(texto).acta.eleccion == eleccion
    with suppress(EtiquetaInvalida):
        return leer_code128(texto).eleccion == resumen_de_eleccion(eleccion)
    with suppress(CodigoInvalido):
        return leer_codigo(texto).candidatura == eleccion
    return False


def analizar(
    datos: bytes,
    plantillas: Sequence[Plantilla],
    leer_codigos: LectorDeCodigos,
    comprimir: Compresor,
    nombra: NombraEleccion = nombra_eleccion,
) -> Analisis | Rechazo:
    """Todo lo que se puede saber de la página sin el catálogo; un rechazo, si no es una imagen.

    Args:
        datos: los bytes tal como llegaron.
        plantillas: los formatos contra los que puede registrarse.
        leer_codigos: busca QR y Code 128 en una imagen BGR.
        comprimir: de BGR a WebP con tope de tamaño; puede reducir la imagen.
        nombra: reconoce la elección en el texto de un código.
    """
    reloj = _Reloj()
    with reloj("abrir"):
        imagen = abrir_imagen(datos)
        if isinstance(imagen, Rechazo):
            return imagen
        gris = np.asarray(cv2.cvtColor(imagen, cv2.COLOR_BGR2GRAY), np.uint8)
    with reloj("codigos"):
        codigos = tuple(leer_codigos(imagen))
    with reloj("registro"):
        pagina = mirar(gris)
        posibles = _posibles(codigos, plantillas, nombra)
        hallado = cual_formato(pagina, posibles)
    with reloj("calidad"):
        registro, veredicto = _juzgado(gris, pagina, hallado, posibles, codigos)
    with reloj("enderezar"):
        cuartos = _cuartos(registro, codigos)
        derecha = np.ascontiguousarray(np.rot90(imagen, -cuartos))
        vuelta = _de_vuelta(cuartos, derecha.shape)
    with reloj("comprimir"):
        guardada = comprimir(derecha)
        ancho, alto = _tamano(guardada)
        de_guardada = vuelta @ _escala(derecha.shape, ancho, alto)
    a_guardada = np.asarray(np.linalg.inv(de_guardada), np.float64)
    return Analisis(
        tuple(_movido(codigo, a_guardada) for codigo in codigos),
        registro.formato if registro else None,
        registro.compuesto(de_guardada) if registro else None,
        veredicto,
        guardada,
        ancho,
        alto,
        dict(reloj.ms),
    )


class _Reloj:
    """Tiempo de procesador de cada etapa, que no depende de quién más use la máquina."""

    def __init__(self) -> None:
        self.ms: dict[str, float] = {}

    @contextmanager
    def __call__(self, etapa: str) -> Iterator[None]:
        antes = time.thread_time()
        try:
            yield
        finally:
            self.ms[etapa] = round((time.thread_time() - antes) * 1000, 2)


def _posibles(
    codigos: Sequence[CodigoLeido], plantillas: Sequence[Plantilla], nombra: NombraEleccion
) -> tuple[Plantilla, ...]:
    """Los formatos de la elección que dice el código; todos, si no dice ninguna que se conozca."""
    dichos = tuple(p for p in plantillas if any(nombra(codigo.texto, p.formato.eleccion) for codigo in codigos))
    return dichos or tuple(plantillas)


def _juzgado(
    gris: Gris,
    pagina: Pagina,
    hallado: Hallado | None,
    posibles: tuple[Plantilla, ...],
    codigos: tuple[CodigoLeido, ...],
) -> tuple[Registro | None, Veredicto]:
    if hallado is not None and es_el_acta(hallado.registro):
        veredicto = juzgar(gris, hallado.registro, hallado.plantilla)
        if hallado.dudoso:
            veredicto = Veredicto(veredicto.aceptable, (*veredicto.motivos, motivo("FORMATO_DUDOSO")))
        return hallado.registro, veredicto
    if not posibles:
        return None, sin_formato()
    if any(codigo.espejo for codigo in codigos):
        return None, sin_registro(SinRegistro.REVERSO)
    return None, sin_registro(por_que_no(pagina, posibles))


def _cuartos(registro: Registro | None, codigos: Sequence[CodigoLeido]) -> int:
    """Cuartos de vuelta, en el sentido del reloj, para verla derecha: por el registro o, sin él, por el código."""
    if registro is not None:
        return round(registro.giro / 90) % 4
    for codigo in codigos:
        (x0, y0), (x1, y1), _, _ = codigo.posicion
        if abs(x1 - x0) + abs(y1 - y0) > 1:
            return round(-float(np.degrees(np.arctan2(y1 - y0, x1 - x0))) / 90) % 4
    return 0


def _de_vuelta(cuartos: int, forma: tuple[int, ...]) -> Matriz:
    """De los píxeles de la imagen enderezada a los de la que entró."""
    alto, ancho = forma[:2]
    vueltas: tuple[list[list[float]], ...] = (
        [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
        [[0, 1, 0], [-1, 0, ancho - 1], [0, 0, 1]],
        [[-1, 0, ancho - 1], [0, -1, alto - 1], [0, 0, 1]],
        [[0, -1, alto - 1], [1, 0, 0], [0, 0, 1]],
    )
    return np.array(vueltas[cuartos], np.float64)


def _escala(forma: tuple[int, ...], ancho: int, alto: int) -> Matriz:
    """De los píxeles de la imagen guardada a los de la enderezada; distintos sólo si el compresor la redujo."""
    fx, fy = forma[1] / ancho, forma[0] / alto
    return np.array([[fx, 0, fx / 2 - 0.5], [0, fy, fy / 2 - 0.5], [0, 0, 1.0]])


def _movido(codigo: CodigoLeido, matriz: Matriz) -> CodigoLeido:
    esquinas = cv2.perspectiveTransform(np.array([codigo.posicion], np.float64), matriz)[0]
    a, b, c, d = ((float(x), float(y)) for x, y in esquinas)
    return replace(codigo, posicion=(a, b, c, d))


def _tamano(guardada: bytes) -> tuple[int, int]:
    with Image.open(io.BytesIO(guardada), formats=("WEBP",)) as imagen:
        return imagen.size
