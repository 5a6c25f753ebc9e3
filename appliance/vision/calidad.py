"""Juzga si una persona podrá leer la imagen de un acta, región por región, y lo dice con sus palabras.

Sólo lo grave pide repetir; lo dudoso avisa y quien mira decide. Los umbrales se fijaron con actas dibujadas y dañadas a
propósito: hay que calibrarlos otra vez con el escáner y el papel de cada instituto.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from appliance.vision.motivos import Motivo, motivo
from appliance.vision.plantilla import PX_POR_MM_FINO, Gris, Mascara, Plantilla, mapa_de_trazos
from appliance.vision.registro import NCC_MINIMO, Registro, SinRegistro, correlacion
from nucleo.formato import Caja

PPP_MINIMOS: Final = 90.0
_RECORTE_MM: Final = 4.0
"""Cuánto del papel puede quedar fuera: menos que eso es margen sin nada escrito."""
_ORILLA_MM: Final = 5.0
_PAPEL_OSCURO: Final = 90.0
_PAPEL_CLARO: Final = 225.0
_CONTRASTE_QUEMADA: Final = 45.0
_CONTRASTE_PALIDA: Final = 45.0
_FOCO_BORROSA: Final = 0.15
"""Nitidez de lo impreso, respecto al formato en blanco, en la dirección en que es peor: un desenfoque de 0.6 mm."""
_FOCO_MOVIDA: Final = 0.27
_DIRECCION_DE_MOVIDA: Final = 0.62
"""Si la peor dirección es menos que esta parte de la mejor, no es desenfoque: se movió (unos 2 mm)."""
_ONDULADA_MM: Final = 0.7
_ARRUGADA_MM: Final = 1.4
_HALLADO_ARRUGADA: Final = 0.4
_TESELAS_TAPADAS: Final = 3
_TESELA_MM: Final = 25.0


@dataclass(frozen=True, slots=True)
class Veredicto:
    """Si la imagen sirve, y todo lo que se le encontró, primero lo grave."""

    aceptable: bool
    motivos: tuple[Motivo, ...]


@dataclass(frozen=True, slots=True)
class Medidas:
    """Lo que se midió para juzgar; sirve para calibrar los umbrales."""

    ppp: float
    papel: float
    """Tono del papel, de 0 a 255."""
    contraste: float
    """Del papel a la tinta impresa, de 0 a 255."""
    foco: float
    """Nitidez en su peor dirección; 1 es como el formato en blanco."""
    foco_mejor: float
    fuera_mm: float


def sin_registro(causa: SinRegistro) -> Veredicto:
    """El veredicto de una página que no se encontró en ningún formato."""
    return Veredicto(False, (motivo(causa.value),))


def sin_formato() -> Veredicto:
    """El veredicto cuando no hay formato contra el cual comparar: se avisa y decide quien mira."""
    return Veredicto(True, (motivo("SIN_FORMATO"),))


def es_el_acta(registro: Registro) -> bool:
    """Si lo registrado es el anverso del formato, aunque esté arrugado."""
    return registro.ncc >= NCC_MINIMO or registro.hallado >= _HALLADO_ARRUGADA


def juzgar(gris: Gris, registro: Registro, plantilla: Plantilla) -> Veredicto:
    """El veredicto de una página registrada (unos 60 ms).

    Args:
        gris: la página, en la misma orientación que el registro.
    """
    vista, dentro = _sobre_el_formato(gris, registro, plantilla)
    medidas = _medir(gris.shape, vista, dentro, registro, plantilla)
    fuera_mm, lado = _fuera(gris.shape, registro, plantilla)
    encontrados = [motivo("RECORTADA", lado)] if fuera_mm > _RECORTE_MM else []
    if medidas.ppp < PPP_MINIMOS:
        encontrados.append(motivo("BAJA_RESOLUCION"))
    if medidas.papel < _PAPEL_OSCURO:
        encontrados.append(motivo("OSCURA"))
    if not any(m.grave for m in encontrados):
        # De lo que tiene pocos puntos o poca luz no se juzga el foco. Lo desenfocado pierde contraste y parece quemado,
        # y lo movido parece arrugado: por eso el foco va primero.
        encontrados += _de_foco(medidas) or [*_de_contraste(medidas), *_de_forma(registro)]
    # Con poco foco toda la hoja parece tapada.
    if medidas.foco >= _FOCO_MOVIDA and not any(m.grave for m in encontrados):
        encontrados += [motivo("TAPADA", r) for r in _tapadas(vista, dentro, plantilla)]
    if abs(registro.giro) > 45:
        encontrados.append(motivo("GIRADA"))
    encontrados.sort(key=lambda m: not m.grave)
    return Veredicto(not any(m.grave for m in encontrados), tuple(encontrados))


def medir(gris: Gris, registro: Registro, plantilla: Plantilla) -> Medidas:
    """Las cifras con que se juzga, para calibrar."""
    vista, dentro = _sobre_el_formato(gris, registro, plantilla)
    return _medir(gris.shape, vista, dentro, registro, plantilla)


def _sobre_el_formato(gris: Gris, registro: Registro, plantilla: Plantilla) -> tuple[Gris, Mascara]:
    alto, ancho = plantilla.fino.shape
    k = PX_POR_MM_FINO
    a_raster = np.array([[k, 0, -0.5], [0, k, -0.5], [0, 0, 1.0]]) @ registro.matriz
    vista = cv2.warpPerspective(gris, a_raster, (ancho, alto), borderMode=cv2.BORDER_REPLICATE)
    dentro = cv2.warpPerspective(np.ones_like(gris), a_raster, (ancho, alto), flags=cv2.INTER_NEAREST)
    return np.asarray(vista, np.uint8), np.asarray(dentro) > 0


def _medir(forma: tuple[int, ...], vista: Gris, dentro: Mascara, registro: Registro, plantilla: Plantilla) -> Medidas:
    impreso = plantilla.impreso_fino & dentro
    # Con una muestra de cada tres renglones y columnas bastan los percentiles, y cuestan la novena parte.
    muestra = np.s_[::3, ::3]
    papel = float(np.percentile(vista[muestra][dentro[muestra]], 80)) if dentro.any() else 0.0
    tinta = float(np.percentile(vista[muestra][impreso[muestra]], 10)) if impreso[muestra].any() else papel
    contraste = max(1.0, papel - tinta)
    suyo = 255.0 - float(np.percentile(plantilla.fino[muestra][plantilla.impreso_fino[muestra]], 10))
    focos = [
        _nitidez(vista, d, impreso) / contraste / max(1e-6, _nitidez(plantilla.fino, d, impreso) / suyo)
        for d in ((0, 1), (1, 0), (1, 1), (1, -1))
    ]
    formato = plantilla.formato
    centro = registro.px_por_mm(formato.ancho_mm / 2, formato.alto_mm / 2)
    fuera, _ = _fuera(forma, registro, plantilla)
    return Medidas(centro * 25.4, papel, contraste, min(focos), max(focos), fuera)


def _nitidez(vista: Gris, hacia: tuple[int, int], donde: Mascara) -> float:
    """El cambio de tono más brusco (percentil 95) entre puntos vecinos en esa dirección."""
    dy, dx = hacia
    alto, ancho = vista.shape
    a = vista[: alto - dy, max(0, -dx) : ancho - max(0, dx)].astype(np.int16)
    b = vista[dy:, max(0, dx) : ancho + min(0, dx)]
    m = donde[: alto - dy, max(0, -dx) : ancho - max(0, dx)]
    cambios = np.abs(a - b)[::2][m[::2]]
    return float(np.percentile(cambios, 95)) / math.hypot(dx, dy) if cambios.size else 0.0


def _de_contraste(medidas: Medidas) -> list[Motivo]:
    if medidas.contraste < _CONTRASTE_QUEMADA and medidas.papel > _PAPEL_CLARO:
        return [motivo("QUEMADA")]
    if medidas.contraste < _CONTRASTE_PALIDA:
        return [motivo("PALIDA")]
    return []


def _de_foco(medidas: Medidas) -> list[Motivo]:
    if medidas.foco < _FOCO_MOVIDA and medidas.foco < _DIRECCION_DE_MOVIDA * medidas.foco_mejor:
        return [motivo("MOVIDA")]
    return [motivo("BORROSA")] if medidas.foco < _FOCO_BORROSA else []


def _de_forma(registro: Registro) -> list[Motivo]:
    if registro.ncc < NCC_MINIMO or registro.error_mm > _ARRUGADA_MM:
        return [motivo("ARRUGADA")]
    return [motivo("ONDULADA")] if registro.error_mm > _ONDULADA_MM else []


def _fuera(forma: tuple[int, ...], registro: Registro, plantilla: Plantilla) -> tuple[float, str]:
    """Cuántos mm del formato, sin contar su orilla, rebasan el marco de la imagen, y por qué lado de la hoja."""
    ancho_mm, alto_mm = plantilla.formato.ancho_mm, plantilla.formato.alto_mm
    xs = np.linspace(_ORILLA_MM, ancho_mm - _ORILLA_MM, 24)
    ys = np.linspace(_ORILLA_MM, alto_mm - _ORILLA_MM, 30)
    puntos = np.stack(np.meshgrid(xs, ys), axis=-1).reshape(-1, 2)
    en_imagen = cv2.perspectiveTransform(puntos[None], np.linalg.inv(registro.matriz))[0]
    x, y = en_imagen[:, 0], en_imagen[:, 1]
    alto, ancho = forma[:2]
    afuera = np.maximum(np.maximum(-x, x - ancho), np.maximum(-y, y - alto))
    if afuera.max() <= 0:
        return 0.0, ""
    peor = int(afuera.argmax())
    mm = float(afuera[peor]) / max(1e-6, registro.px_por_mm(*puntos[peor]))
    dx, dy = (puntos[afuera > 0].mean(axis=0) / (ancho_mm, alto_mm) - 0.5).tolist()
    if abs(dx) > abs(dy):
        return mm, "derecha" if dx > 0 else "izquierda"
    return mm, "abajo" if dy > 0 else "arriba"


def _tapadas(vista: Gris, dentro: Mascara, plantilla: Plantilla) -> list[str]:
    """Regiones donde faltan varias teselas impresas contiguas: una mano, un doblez, otro papel."""
    trazos, suyos = mapa_de_trazos(vista), mapa_de_trazos(plantilla.fino)
    lado = round(_TESELA_MM * PX_POR_MM_FINO)
    filas, columnas = -(-vista.shape[0] // lado), -(-vista.shape[1] // lado)
    parecidos = np.full((filas, columnas), np.nan)
    tinta = np.full((filas, columnas), np.nan)
    for f in range(filas):
        for c in range(columnas):
            tesela = np.s_[f * lado : (f + 1) * lado, c * lado : (c + 1) * lado]
            donde = plantilla.impreso_fino[tesela] & dentro[tesela]
            if donde.mean() < 0.05:
                continue
            a, b = trazos[tesela][donde], suyos[tesela][donde]
            parecidos[f, c] = correlacion(a, b)
            tinta[f, c] = np.minimum(a, 90).mean() / np.minimum(b, 90).mean()
    juzgadas = ~np.isnan(tinta)
    if not juzgadas.any():
        return []
    faltan = juzgadas & ((parecidos < 0.3) | (tinta < 0.3 * np.nanmedian(tinta)))
    cuantas, grupos = cv2.connectedComponents(faltan.astype(np.uint8), connectivity=4)
    regiones = []
    for grupo in range(1, cuantas):
        lugares = np.argwhere(grupos == grupo)
        if len(lugares) >= _TESELAS_TAPADAS:
            y, x = (lugares.mean(axis=0) + 0.5) * _TESELA_MM
            regiones.append(_region_de(float(x), float(y), plantilla))
    return list(dict.fromkeys(regiones))


def _region_de(x: float, y: float, plantilla: Plantilla) -> str:
    """La región del formato que contiene ese punto, o la más cercana."""

    def lejos(caja: Caja) -> float:
        dx = max(caja.x - x, 0.0, x - caja.x - caja.ancho)
        dy = max(caja.y - y, 0.0, y - caja.y - caja.alto)
        return math.hypot(dx, dy)

    regiones = plantilla.formato.regiones
    return min(regiones, key=lambda nombre: lejos(regiones[nombre]))
