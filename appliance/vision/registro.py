"""Registrar una página: encontrar en qué lugar de la imagen cae cada milímetro del formato en blanco.

El papel puede venir en cualquier giro, inclinado, en perspectiva o a otra escala. Se emparejan rasgos SIFT con los del
formato, se ajusta una semejanza y con ella una homografía, y decide la correlación (NCC) entre lo impreso en la página
y en el formato: un QR legible no prueba que se vio el anverso, porque también se lee por detrás del papel.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from appliance.vision.plantilla import PX_POR_MM, Gris, Plantilla, Rasgos, mapa_de_trazos, rasgos_de
from nucleo.formato import Caja

Matriz = NDArray[np.float64]

NCC_MINIMO: Final = 0.55
"""Debajo de esto no es el anverso de este formato."""
_NCC_BASTA: Final = 0.72
_LADO_DE_TRABAJO: Final = 1100
"""Lado mayor, en píxeles, de la página en que se mide el parecido."""
_LADO_DE_RASGOS: Final = 840
_RASGOS_DE_PAGINA: Final = 2000
_PAREJAS_MINIMAS: Final = 8
_TESELA_MM: Final = 18.0
_BUSCA_MM: Final = 3.0
_NCC_TESELA: Final = 0.5
_NCC_ESPEJO: Final = 0.3
_MAXIMO_JSON: Final = 2_000


class SinRegistro(Enum):
    """Por qué una página no se pudo registrar."""

    EN_BLANCO = "EN_BLANCO"
    REVERSO = "REVERSO"
    OTRO_DOCUMENTO = "OTRO_DOCUMENTO"


class RegistroInvalido(ValueError):
    """El texto guardado no es un registro."""


@dataclass(frozen=True, slots=True)
class Registro:
    """Dónde está el formato en una imagen."""

    formato: str
    """Clave del formato."""
    homografia: tuple[float, ...]
    """Nueve números, por renglones: de píxeles de la imagen a milímetros del formato."""
    ncc: float
    """Parecido entre lo impreso en la página y en el formato, de −1 a 1."""
    giro: float
    """Grados, en el sentido del reloj, que hay que girar la imagen para verla derecha; de −180 a 180."""
    error_mm: float
    """Desvío que queda en las partes impresas, percentil 85: si el papel está arrugado, crece."""
    hallado: float
    """Parte de lo impreso que sí se encontró, de 0 a 1; lo que está fuera del cuadro no cuenta."""

    @property
    def confianza(self) -> float:
        """De 0 a 1: lo parecido, menos lo que el papel se aparta de una hoja plana."""
        parecido = min(1.0, max(0.0, (self.ncc - 0.4) / 0.4))
        return round(parecido / (1.0 + max(0.0, self.error_mm - 0.5)), 3)

    @property
    def matriz(self) -> Matriz:
        """La homografía, 3 × 3."""
        return np.array(self.homografia, np.float64).reshape(3, 3)

    def compuesto(self, de_otra: Matriz) -> Registro:
        """El mismo registro para otra imagen; `de_otra` lleva sus píxeles a los de ésta."""
        nueva = self.matriz @ de_otra
        return replace(self, homografia=_normal(nueva), giro=giro_de(nueva))

    def en_pagina(self, x: float, y: float) -> tuple[float, float]:
        """El píxel de la imagen donde está ese milímetro del formato."""
        u, v, w = np.linalg.inv(self.matriz) @ (x, y, 1.0)
        return float(u / w), float(v / w)

    def esquinas(self, caja: Caja) -> tuple[tuple[float, float], ...]:
        """Las cuatro esquinas de una caja del formato, en píxeles de la imagen, desde la superior izquierda."""
        x, y, a, h = caja.x, caja.y, caja.ancho, caja.alto
        return tuple(self.en_pagina(*p) for p in ((x, y), (x + a, y), (x + a, y + h), (x, y + h)))

    def px_por_mm(self, x: float, y: float) -> float:
        """Cuántos píxeles de la imagen mide un milímetro, alrededor de ese punto del formato."""
        (x0, y0), (x1, y1), (x2, y2) = self.en_pagina(x, y), self.en_pagina(x + 1, y), self.en_pagina(x, y + 1)
        return math.sqrt(abs((x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0)))

    def a_json(self) -> str:
        """Forma corta, para guardarla junto a la imagen."""
        h = [float(f"{n:.9g}") for n in self.homografia]
        medidas = {"ncc": round(self.ncc, 4), "error_mm": round(self.error_mm, 3), "hallado": round(self.hallado, 3)}
        dato = {"formato": self.formato, "h": h, **medidas}
        return json.dumps(dato, separators=(",", ":"), ensure_ascii=False)

    @staticmethod
    def de_json(texto: str) -> Registro:
        """Inversa de `a_json`.

        Raises:
            RegistroInvalido: si no tiene esa forma.
        """
        try:
            dato = json.loads(texto) if len(texto) <= _MAXIMO_JSON else None
        except (ValueError, RecursionError) as error:
            raise RegistroInvalido("no es JSON") from error
        if not isinstance(dato, dict) or set(dato) != {"formato", "h", "ncc", "error_mm", "hallado"}:
            raise RegistroInvalido("no tiene las llaves de un registro")
        numeros = [dato["ncc"], dato["error_mm"], dato["hallado"], *(dato["h"] if isinstance(dato["h"], list) else ())]
        if len(numeros) != 12 or not all(_es_medida(n) for n in numeros):
            raise RegistroInvalido("no trae sus doce números")
        if not isinstance(dato["formato"], str) or not 0 < len(dato["formato"]) <= 60:
            raise RegistroInvalido("no dice de qué formato es")
        ncc, error_mm, hallado, *h = (float(n) for n in numeros)
        matriz = np.array(h, np.float64).reshape(3, 3)
        if abs(np.linalg.det(matriz)) < 1e-12:
            raise RegistroInvalido("su homografía no tiene inversa")
        return Registro(dato["formato"], tuple(h), ncc, giro_de(matriz), error_mm, hallado)


@dataclass(frozen=True, slots=True)
class Pagina:
    """Una página en gris y sus rasgos, para compararla con varios formatos sin buscarlos otra vez."""

    gris: Gris
    reducida: Gris
    escala: float
    """Píxeles de la reducida por cada uno de la entera."""
    rasgos: Rasgos


def mirar(gris: Gris) -> Pagina:
    """Reduce la página y busca sus rasgos (unos 0.1 s)."""
    reducida, escala = _reducir(gris, _LADO_DE_TRABAJO)
    chica, otra = _reducir(reducida, _LADO_DE_RASGOS)
    rasgos = rasgos_de(chica, _RASGOS_DE_PAGINA)
    puntos = (rasgos.puntos + np.float32(0.5)) / np.float32(otra) - np.float32(0.5)
    return Pagina(gris, reducida, escala, Rasgos(puntos, rasgos.descripciones))


def _reducir(gris: Gris, lado: int) -> tuple[Gris, float]:
    """La imagen con su lado mayor de a lo más `lado` píxeles, y cuánto se redujo."""
    escala = lado / max(gris.shape)
    if escala >= 1.0:
        return gris, 1.0
    tamano = max(1, round(gris.shape[1] * escala)), max(1, round(gris.shape[0] * escala))
    return np.asarray(cv2.resize(gris, tamano, interpolation=cv2.INTER_AREA), np.uint8), escala


def registrar(pagina: Pagina, plantilla: Plantilla) -> Registro | None:
    """El registro de la página contra ese formato, o `None` si no se encontró ninguno creíble.

    Un registro devuelto puede tener NCC menor que `NCC_MINIMO`; quien llama compara y decide.
    """
    mejor: tuple[float, Matriz] | None = None
    for candidata in _candidatas(pagina, plantilla):
        if _creible(candidata, pagina.reducida.shape, plantilla):
            ncc = parecido(pagina.reducida, candidata, plantilla)
            if mejor is None or ncc > mejor[0]:
                mejor = ncc, candidata
            if ncc >= _NCC_BASTA:
                break
    if mejor is None:
        return None
    if mejor[0] < _NCC_BASTA:
        guiada = _guiada(pagina, plantilla, mejor[1])
        if guiada is not None and _creible(guiada, pagina.reducida.shape, plantilla):
            mejor = max(mejor, (parecido(pagina.reducida, guiada, plantilla), guiada), key=lambda m: m[0])
    return _afinado(pagina, plantilla, *mejor)


def por_que_no(pagina: Pagina, plantillas: tuple[Plantilla, ...]) -> SinRegistro:
    """La causa más probable de que ninguna plantilla registrara."""
    if _sin_tinta(pagina):
        return SinRegistro.EN_BLANCO
    espejo = mirar(np.ascontiguousarray(pagina.reducida[:, ::-1]))
    for plantilla in plantillas:
        visto = registrar(espejo, plantilla)
        if visto is not None and visto.ncc >= _NCC_ESPEJO:
            return SinRegistro.REVERSO
    return SinRegistro.OTRO_DOCUMENTO


def giro_de(homografia: Matriz) -> float:
    """Grados que hay que girar la imagen, en el sentido del reloj, para ver derecho el formato."""
    inversa = np.linalg.inv(homografia)
    centro, derecha = (inversa @ (x, 140.0, 1.0) for x in (98.0, 118.0))
    dx, dy = derecha[:2] / derecha[2] - centro[:2] / centro[2]
    return round(-math.degrees(math.atan2(dy, dx)), 2)


def _candidatas(pagina: Pagina, plantilla: Plantilla) -> list[Matriz]:
    """Homografías posibles, de píxeles de la reducida a milímetros: la que pasa por una semejanza y la directa."""
    if len(pagina.rasgos.puntos) < _PAREJAS_MINIMAS:
        return []
    parejas = cv2.BFMatcher(cv2.NORM_L2).knnMatch(pagina.rasgos.descripciones, plantilla.rasgos.descripciones, k=2)
    buenas = [p[0] for p in parejas if len(p) == 2 and p[0].distance < 0.86 * p[1].distance]
    if len(buenas) < _PAREJAS_MINIMAS:
        return []
    origen = pagina.rasgos.puntos[[m.queryIdx for m in buenas]]
    destino = plantilla.rasgos.puntos[[m.trainIdx for m in buenas]]
    candidatas = []
    semejanza, _ = cv2.estimateAffinePartial2D(
        origen, destino, method=cv2.RANSAC, ransacReprojThreshold=3.0, maxIters=4000, confidence=0.999
    )
    if np.ndim(semejanza) == 2:  # None si no halló ninguna, aunque el tipo declarado no lo diga
        lejos = np.linalg.norm(origen @ semejanza[:, :2].T + semejanza[:, 2] - destino, axis=1)
        cerca = lejos < 8.0
        candidatas.append(_homografia(origen[cerca], destino[cerca]))
    candidatas.append(_homografia(origen, destino))
    return [c for c in candidatas if c is not None]


def _homografia(origen: NDArray[np.float32], destino: NDArray[np.float32], tolera: float = 0.6) -> Matriz | None:
    if len(origen) < _PAREJAS_MINIMAS:
        return None
    matriz, _ = cv2.findHomography(origen, destino, cv2.USAC_MAGSAC, tolera, maxIters=4000, confidence=0.999)
    return np.asarray(matriz, np.float64) if np.ndim(matriz) == 2 else None


def _guiada(pagina: Pagina, plantilla: Plantilla, cerca_de: Matriz) -> Matriz | None:
    """Vuelve a emparejar, ahora sólo con los rasgos del formato a menos de 9 mm de donde cae cada uno."""
    puntos = cv2.perspectiveTransform(pagina.rasgos.puntos[None], cerca_de)[0]
    parecido = pagina.rasgos.descripciones @ plantilla.rasgos.descripciones.T
    suyos = plantilla.rasgos.puntos
    lejos = (np.abs(puntos[:, None, 0] - suyos[None, :, 0]) > 9) | (np.abs(puntos[:, None, 1] - suyos[None, :, 1]) > 9)
    parecido[lejos] = -1
    cual = parecido.argmax(axis=1)
    bien = parecido[np.arange(len(cual)), cual] > 0.75
    return _homografia(pagina.rasgos.puntos[bien], suyos[cual[bien]])


def _creible(matriz: Matriz, forma: tuple[int, ...], plantilla: Plantilla) -> bool:
    """Descarta lo doblado, lo absurdo y lo visto en espejo."""
    try:
        inversa = np.linalg.inv(matriz)
    except np.linalg.LinAlgError:
        return False
    ancho, alto = plantilla.formato.ancho_mm, plantilla.formato.alto_mm
    hoja = np.array([[[0, 0], [ancho, 0], [ancho, alto], [0, alto]]], np.float32)
    q = cv2.perspectiveTransform(hoja, inversa)[0].astype(np.float64)
    if not np.isfinite(q).all() or np.abs(q).max() > 1e5:
        return False
    sigue = np.roll(q, -1, axis=0)
    area = 0.5 * float((q[:, 0] * sigue[:, 1] - sigue[:, 0] * q[:, 1]).sum())
    if not 0.1 < area / (forma[0] * forma[1]) < 4.0 or not cv2.isContourConvex(q.astype(np.float32)):
        return False
    lados = np.linalg.norm(sigue - q, axis=1)
    opuestos = (lados[0] / lados[2], lados[1] / lados[3])
    proporcion = (lados[0] + lados[2]) / (lados[1] + lados[3]) * alto / ancho
    return all(0.45 < r < 2.2 for r in opuestos) and 0.55 < proporcion < 1.8


def sobre_el_formato(
    reducida: Gris, matriz: Matriz, plantilla: Plantilla
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Los trazos de la página puestos sobre el formato, y qué parte de éste cayó dentro de la imagen."""
    alto, ancho = plantilla.trazos.shape
    a_raster = np.array([[PX_POR_MM, 0, -0.5], [0, PX_POR_MM, -0.5], [0, 0, 1.0]]) @ matriz
    # El borde se repite para que el filo de la hoja no parezca un trazo.
    vista = cv2.warpPerspective(reducida, a_raster, (ancho, alto), borderMode=cv2.BORDER_REPLICATE)
    dentro = cv2.warpPerspective(np.ones_like(reducida), a_raster, (ancho, alto), flags=cv2.INTER_NEAREST)
    return mapa_de_trazos(np.asarray(vista, np.uint8)), np.asarray(dentro) > 0


def parecido(reducida: Gris, matriz: Matriz, plantilla: Plantilla) -> float:
    """Parecido de lo que cayó dentro de la imagen; nada, si cayó menos de la cuarta parte."""
    trazos, dentro = sobre_el_formato(reducida, matriz, plantilla)
    donde = plantilla.impreso & dentro
    if donde.sum() < 0.25 * plantilla.impreso.sum():
        return -1.0
    return correlacion(trazos[donde], plantilla.trazos[donde])


def correlacion(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    """Correlación normalizada entre dos muestras de trazos; la tinta muy oscura se recorta para que no pese de más."""
    a = np.minimum(a, np.percentile(a, 98) + 1e-3)
    a, b = a - a.mean(), b - b.mean()
    return float((a * b).sum() / math.sqrt(float((a * a).sum()) * float((b * b).sum()) + 1e-6))


def _afinado(pagina: Pagina, plantilla: Plantilla, ncc: float, matriz: Matriz) -> Registro:
    """Corrige lo que queda con desvíos medidos tesela por tesela, si con eso mejora, y estima el error final."""
    medida = _medir(pagina.reducida, matriz, plantilla)
    if ncc > 0.3 and len(medida.centros) >= 12:
        ajuste = _ajuste(medida.centros + medida.desvios, medida.centros)
        if _creible(ajuste @ matriz, pagina.reducida.shape, plantilla):
            ncc_otra = parecido(pagina.reducida, ajuste @ matriz, plantilla)
            if ncc_otra > ncc:
                ncc, matriz = ncc_otra, ajuste @ matriz
                medida = _medir(pagina.reducida, matriz, plantilla)
    lejos = np.linalg.norm(medida.desvios, axis=1)
    error = float(np.percentile(lejos, 85)) if len(lejos) >= 4 else _BUSCA_MM
    # La reducida muestrea el centro de bloques de 1/escala píxeles: medio píxel no está en el mismo lugar.
    f = pagina.escala
    entera = matriz @ np.array([[f, 0, f / 2 - 0.5], [0, f, f / 2 - 0.5], [0, 0, 1.0]])
    return Registro(plantilla.formato.clave, _normal(entera), ncc, giro_de(entera), error, medida.hallado)


def _ajuste(origen: NDArray[np.float32], destino: NDArray[np.float32]) -> Matriz:
    """La homografía de mínimos cuadrados entre teselas, sin las que la escritura de encima desvió.

    Con más de cien teselas medidas a décimas de píxel promediar yerra menos que elegir (0.03 contra 0.11 mm).
    """
    matriz = np.eye(3)
    lejos = np.linalg.norm(origen - destino - np.median(origen - destino, axis=0), axis=1)
    for _ in range(3):
        cerca = lejos <= max(0.1, 2 * float(np.median(lejos)))
        propuesta, _ = cv2.findHomography(origen[cerca], destino[cerca], 0)
        if np.ndim(propuesta) != 2:
            break
        matriz = np.asarray(propuesta, np.float64)
        lejos = np.linalg.norm(cv2.perspectiveTransform(origen[None], matriz)[0] - destino, axis=1)
    return matriz


@dataclass(frozen=True, slots=True)
class _Medida:
    """Teselas impresas que se encontraron: su centro y cuánto se corrieron, en mm; y qué parte de todas son."""

    centros: NDArray[np.float32]
    desvios: NDArray[np.float32]
    hallado: float


def _medir(reducida: Gris, matriz: Matriz, plantilla: Plantilla) -> _Medida:
    trazos, dentro = sobre_el_formato(reducida, matriz, plantilla)
    lado, busca = round(_TESELA_MM * PX_POR_MM), round(_BUSCA_MM * PX_POR_MM)
    alto, ancho = trazos.shape
    centros, desvios, buscadas = [], [], 0
    for y in range(busca, alto - lado - busca, lado):
        for x in range(busca, ancho - lado - busca, lado):
            tesela = np.s_[y : y + lado, x : x + lado]
            if plantilla.impreso[tesela].mean() < 0.08 or not dentro[tesela].all():
                continue
            buscadas += 1
            ventana = trazos[y - busca : y + lado + busca, x - busca : x + lado + busca]
            mapa = cv2.matchTemplate(ventana, plantilla.trazos[tesela], cv2.TM_CCOEFF_NORMED)
            _, cuanto, _, (mx, my) = cv2.minMaxLoc(mapa)
            if cuanto < _NCC_TESELA or not (0 < mx < mapa.shape[1] - 1 and 0 < my < mapa.shape[0] - 1):
                continue
            dx = mx - busca + _vertice(mapa[my, mx - 1], mapa[my, mx], mapa[my, mx + 1])
            dy = my - busca + _vertice(mapa[my - 1, mx], mapa[my, mx], mapa[my + 1, mx])
            centros.append(((x + lado / 2) / PX_POR_MM, (y + lado / 2) / PX_POR_MM))
            desvios.append((dx / PX_POR_MM, dy / PX_POR_MM))
    return _Medida(
        np.array(centros, np.float32).reshape(-1, 2),
        np.array(desvios, np.float32).reshape(-1, 2),
        len(centros) / max(1, buscadas),
    )


def _vertice(antes: float, en: float, despues: float) -> float:
    """Dónde, entre −0.5 y 0.5 píxeles, está la cima de la parábola que pasa por tres valores."""
    curva = antes - 2 * en + despues
    return 0.0 if curva >= 0 else max(-0.5, min(0.5, 0.5 * (antes - despues) / curva))


def _sin_tinta(pagina: Pagina) -> bool:
    """Una hoja en blanco tiene grano, pero casi nada más oscuro que su alrededor."""
    trazos = mapa_de_trazos(pagina.reducida)
    alto, ancho = trazos.shape
    centro = trazos[alto // 12 : alto - alto // 12, ancho // 12 : ancho - ancho // 12]
    return float((centro > 14).mean()) < 0.004 if centro.size else True


def _normal(matriz: Matriz) -> tuple[float, ...]:
    return tuple(float(n) for n in (matriz / matriz[2, 2]).ravel())


def _es_medida(dato: object) -> bool:
    return isinstance(dato, int | float) and not isinstance(dato, bool) and abs(dato) < 1e9
