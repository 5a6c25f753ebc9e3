"""Dibuja los formatos en blanco de un proceso y los escribe en su carpeta `formatos/`: un PNG y un TOML por cada uno.

    python -m ensayo.formato_dibujado datos/oaxaca_2022

El papel lleva texto impreso de sobra a propósito: contra él se registra cada imagen de la noche.
"""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Final

from PIL import Image, ImageDraw, ImageFont

from ensayo.formato_trazado import (
    ANTES,
    DIGITOS,
    ENCABEZADO,
    ETIQUETA,
    FIRMAS,
    IDENTIFICACION,
    MARGEN_MM,
    NoCabe,
    ancho_digito,
    ancho_rotulo,
    trazar,
    variantes,
)
from nucleo.definicion import DefinicionInvalida, cargar_proceso
from nucleo.eleccion import Eleccion, Opcion, Proceso
from nucleo.formato import CARPETA, Caja, Formato

PPP_ARCHIVO: Final = 200
MAXIMO_KB: Final = 60

# Del paquete fonts-dejavu-core: la tipografía que trae Pillow no tiene acentos.
_TIPOGRAFIAS: Final = Path("/usr/share/fonts/truetype/dejavu")
_ROTULOS: Final[Mapping[str, str]] = {
    "BOLETAS_SOBRANTES": "2 BOLETAS SOBRANTES|de esta elección, inutilizadas con dos rayas",
    "PERSONAS_VOTARON": "3 PERSONAS QUE VOTARON|marcadas en la lista nominal",
    "REPRESENTANTES_VOTARON": "4 REPRESENTACIONES|que votaron y no están en la lista",
    "VOTOS_SACADOS": "7 VOTOS SACADOS DE LA URNA|incluidos los de otras urnas",
    "TOTAL_ASENTADO": "TOTAL|suma de todos los renglones",
    "NO_REGISTRADAS": "CANDIDATURAS NO REGISTRADAS|",
    "NULOS": "VOTOS NULOS|",
}
_FUNCIONARIADO: Final = (
    "PRESIDENCIA",
    "SECRETARÍA 1",
    "SECRETARÍA 2",
    "PRIMER ESCRUTINIO",
    "SEGUNDO ESCRUTINIO",
    "TERCER ESCRUTINIO",
)


@lru_cache(maxsize=64)
def letra(pixeles: int, negrita: bool = False) -> ImageFont.FreeTypeFont:
    """La tipografía del papel a ese tamaño."""
    archivo = _TIPOGRAFIAS / ("DejaVuSans-Bold.ttf" if negrita else "DejaVuSans.ttf")
    # BASIC a propósito: si la máquina tiene libfribidi, Pillow cambiaría de trazador y con él la huella de cada imagen.
    return ImageFont.truetype(archivo, max(4, pixeles), layout_engine=ImageFont.Layout.BASIC)


class Pliego:
    """Una hoja en la que se dibuja en milímetros."""

    def __init__(self, hoja: Image.Image, ppp: int) -> None:
        self.hoja = hoja
        self.lapiz = ImageDraw.Draw(hoja)
        self._por_mm = ppp / 25.4

    def px(self, mm: float) -> int:
        return round(mm * self._por_mm)

    def texto(self, x: float, y: float, dicho: str, alto: float, negrita: bool = False, cabe: float = 0) -> None:
        """Escribe con la línea superior en `y`; si se da `cabe`, estrecha la letra hasta que quepa en esos mm."""
        tamano = self.px(alto)
        while cabe and tamano > 5 and letra(tamano, negrita).getlength(dicho) > self.px(cabe):
            tamano -= 1
        self.lapiz.text((self.px(x), self.px(y)), dicho, 0, letra(tamano, negrita))

    def caja(self, caja: Caja, grueso: float = 0.2) -> None:
        esquinas = (self.px(caja.x), self.px(caja.y), self.px(caja.x + caja.ancho), self.px(caja.y + caja.alto))
        self.lapiz.rectangle(esquinas, None, 0, max(1, self.px(grueso)))

    def lleno(self, x: float, y: float, ancho: float, alto: float, tono: int = 0) -> None:
        self.lapiz.rectangle((self.px(x), self.px(y), self.px(x + ancho), self.px(y + alto)), tono)

    def raya(self, x: float, y: float, ancho: float, grueso: float = 0.15) -> None:
        self.lapiz.line((self.px(x), self.px(y), self.px(x + ancho), self.px(y)), 0, max(1, self.px(grueso)))


def dibujar_formato(formato: Formato, nombre: str, opciones: Sequence[Opcion], ppp: int = PPP_ARCHIVO) -> Image.Image:
    """El papel en blanco, en gris, a esa densidad.

    Args:
        formato: sus medidas.
        nombre: el de la elección.
        opciones: las que trae impresas, en el orden del acta.
        ppp: píxeles por pulgada.
    """
    ancho, alto = round(formato.ancho_mm * ppp / 25.4), round(formato.alto_mm * ppp / 25.4)
    pliego = Pliego(Image.new("L", (ancho, alto), 255), ppp)
    _marcas(pliego, formato)
    _encabezado(pliego, nombre)
    _identificacion(pliego)
    _etiqueta(pliego)
    pliego.texto(
        8,
        52.5,
        "Escriba con bolígrafo, con letra y con número, lo que resultó del escrutinio. Si no hubo votos escriba "
        "CERO y 000. No deje renglones en blanco; ponga una cifra en cada recuadro.",
        2.3,
        cabe=200,
    )
    rotulos = {**{o.clave: _rotulo(o) for o in opciones}, **_ROTULOS}
    primero = next(iter(formato.renglones.values()))
    _titulo(pliego, primero.y - 4.6, "BOLETAS, PERSONAS Y VOTOS SACADOS", "(con letra)", "(con número)")
    votos = formato.renglones[formato.opciones[0]]
    _titulo(pliego, votos.y - 4.6, "6 RESULTADOS DE LA VOTACIÓN", "(con letra)", "(con número)")
    for indice, (clave, franja) in enumerate(formato.renglones.items()):
        _renglon(pliego, clave, franja, rotulos[clave], indice + 1, formato.casillas[clave])
    _pie(pliego, formato, opciones)
    return pliego.hoja


def _marcas(pliego: Pliego, formato: Formato) -> None:
    derecha, abajo = formato.ancho_mm - 9, formato.alto_mm - 9
    for x, y in ((4.0, 3.0), (derecha, 3.0), (4.0, abajo)):
        pliego.lleno(x, y, 5, 5)
    # La cuarta es una «L»: así la hoja no se confunde con ella misma de cabeza.
    pliego.lleno(derecha, abajo + 3.6, 5, 1.4)
    pliego.lleno(derecha + 3.6, abajo, 1.4, 5)


def _encabezado(pliego: Pliego, nombre: str) -> None:
    x, y = ENCABEZADO.x, ENCABEZADO.y
    pliego.texto(x + 2, y, "ACTA DE ESCRUTINIO Y CÓMPUTO DE CASILLA", 3.6, True, 95)
    pliego.texto(x + 2, y + 4.6, nombre, 4.4, True, 80)
    pliego.texto(x + 2, y + 10.4, "Programa de Resultados Electorales Preliminares", 2.6, cabe=80)
    radio = (x + 88, y + 4.2, x + 96, y + 12.2)
    pliego.lapiz.ellipse(tuple(pliego.px(v) for v in radio), None, 0, pliego.px(0.35))


def _identificacion(pliego: Pliego) -> None:
    c = IDENTIFICACION
    pliego.caja(c)
    pliego.texto(c.x + 1, c.y + 0.7, "1 IDENTIFICACIÓN DE LA CASILLA", 2.4, True)
    for fila, (rotulo, x, ancho) in enumerate((("DISTRITO", 1, 60), ("MUNICIPIO", 1, 60), ("DOMICILIO", 1, 96))):
        pliego.texto(c.x + x, c.y + 5.4 + fila * 5.4, rotulo, 2.0)
        pliego.raya(c.x + x + 16, c.y + 8.6 + fila * 5.4, ancho - 16)
    pliego.texto(c.x + 64, c.y + 5.4, "SECCIÓN", 2.0)
    for i in range(4):
        pliego.caja(Caja(c.x + 76 + i * 5, c.y + 3.6, 4.6, 5.4), 0.15)
    pliego.texto(c.x + 64, c.y + 11, "TIPO Y NÚM.", 2.0)
    for i in range(3):
        pliego.caja(Caja(c.x + 80 + i * 5, c.y + 9.6, 4.6, 5.4), 0.15)
    pliego.texto(c.x + 1, c.y + 22, "HORA DE ACOPIO EN EL CATD", 2.0)
    pliego.raya(c.x + 44, c.y + 25.2, 52)


def _etiqueta(pliego: Pliego) -> None:
    c = ETIQUETA
    for i in range(0, int(c.ancho), 4):
        for y in (c.y, c.y + c.alto):
            pliego.raya(c.x + i, y, 2)
    for i in range(0, int(c.alto), 4):
        for x in (c.x, c.x + c.ancho):
            pliego.lleno(x, c.y + i, 0.15, 2)
    pliego.texto(c.x + 21, c.y + 14, "PEGUE AQUÍ LA ETIQUETA", 3.4, True)
    pliego.texto(c.x + 25, c.y + 20, "con el código QR de esta acta", 2.8)


def _titulo(pliego: Pliego, y: float, nombre: str, *columnas: str) -> None:
    pliego.lleno(MARGEN_MM, y, 200, 4.1, 215)
    pliego.texto(MARGEN_MM + 2, y + 0.6, nombre, 2.8, True)
    for x, dicho in zip((118.0, 178.0), columnas, strict=True):
        pliego.texto(x, y + 0.8, dicho, 2.4)


def _rotulo(opcion: Opcion) -> str:
    corto = "-".join(opcion.partidos) if len(opcion.partidos) > 1 else opcion.clave
    return f"{corto}|{opcion.nombre if opcion.nombre != corto else opcion.clave}"


def _renglon(pliego: Pliego, clave: str, franja: Caja, rotulo: str, numero: int, casilla: Caja) -> None:
    x, y, alto = franja.x, franja.y, franja.alto
    pliego.caja(franja, 0.15)
    # Un punto negro al inicio y otro al final de cada renglón, como en los formatos del INE (dominio §5).
    for punto in (x + 0.6, x + franja.ancho - 2.2):
        pliego.lleno(punto, y + alto / 2 - 0.7, 1.5, 1.5)
    ancho = ancho_rotulo(franja) - 9
    if clave not in ANTES:
        pliego.texto(x + 2.8, y + alto / 2 - 1.2, f"{numero - len(ANTES):02d}", 2.2)
    grande, _, chico = rotulo.partition("|")
    inicio = x + (2.8 if clave in ANTES else 7.4)
    pliego.texto(inicio, y + 0.7, grande, min(3.2, alto * 0.42), True, ancho)
    pliego.texto(inicio, y + alto * 0.58, chico, 1.9, cabe=ancho)
    raya = x + ancho_rotulo(franja)
    pliego.raya(raya, y + alto - 1.3, casilla.x - raya - 2)
    paso = ancho_digito(franja)
    for i in range(DIGITOS):
        pliego.caja(Caja(casilla.x + i * paso, casilla.y, paso - 0.5, casilla.alto), 0.25)


def _pie(pliego: Pliego, formato: Formato, opciones: Sequence[Opcion]) -> None:
    for x, pregunta in (
        (8.0, "8 ¿Las personas que votaron son tantas como los votos sacados de la urna?"),
        (112.0, "9 ¿Los votos sacados de la urna son tantos como el TOTAL?"),
    ):
        pliego.texto(x, 230.2, pregunta, 2.2, cabe=78)
        for lejos, dicho in ((80, "SÍ"), (88, "NO")):
            pliego.texto(x + lejos, 230.2, dicho, 2.2)
            pliego.caja(Caja(x + lejos + 4.2, 230.0, 2.6, 2.6))
    pliego.texto(8, 234.4, "10 ¿Hubo incidentes durante el escrutinio y cómputo? Descríbalos:", 2.2)
    pliego.raya(94, 237.2, 114)
    c = FIRMAS
    pliego.caja(c)
    pliego.texto(c.x + 1, c.y + 0.6, "11 MESA DIRECTIVA DE CASILLA: nombre completo y firma", 2.3, True)
    for i, cargo in enumerate(_FUNCIONARIADO):
        x, y = c.x + 1 + (i // 3) * 100, c.y + 6 + (i % 3) * 4.6
        pliego.texto(x, y, cargo, 1.9)
        pliego.raya(x + 28, y + 2.6, 40)
        pliego.raya(x + 71, y + 2.6, 26)
    pliego.texto(
        c.x + 1,
        c.y + 19,
        "12 REPRESENTACIONES DE PARTIDO Y CANDIDATURA: nombre y firma; (P) propietaria, (S) suplente",
        2.0,
    )
    siglas = [o.clave for o in opciones if len(o.partidos) == 1][:12]
    for i, sigla in enumerate(siglas):
        x, y = c.x + 1 + (i % 6) * 33, c.y + 22.4 + (i // 6) * 2.9
        pliego.texto(x, y, sigla, 1.7, cabe=11)
        pliego.raya(x + 12, y + 2.2, 19)
    final = (
        "13 Escritos de protesta: anote cuántos entregó cada representación. 14 Una vez llena y firmada el acta, "
        "integre el original al expediente y entregue copia legible a cada representación."
    )
    pliego.texto(12, 268.4, final, 1.9, cabe=192)
    pliego.texto(12, 271.4, f"DESTINO: BOLSA PREP · PRIMERA COPIA · {formato.eleccion}", 2.6, True)
    pliego.texto(128, 271.6, "DOCUMENTO DE ENSAYO, SIN VALIDEZ OFICIAL", 2.4)


def a_toml(formato: Formato, divisiones: Sequence[int]) -> str:
    """El formato como lo lee `nucleo.formato`."""
    lineas = [
        f"# Formato {formato.clave}: en qué lugar del papel está cada campo, en milímetros [x, y, ancho, alto].",
        "# Lo escribe `python -m ensayo.formato_dibujado`; si se mide sobre un papel real, se corrige a mano.",
        f"# Divisiones (distritos o municipios; 0 es sin división) que lo usan: {_corta(divisiones)}",
        "",
        f'clave = "{formato.clave}"',
        f'eleccion = "{formato.eleccion}"',
        f"ancho_mm = {formato.ancho_mm}",
        f"alto_mm = {formato.alto_mm}",
        f'imagen = "{formato.imagen}"',
    ]
    for nombre, cajas in (
        ("regiones", formato.regiones),
        ("renglones", formato.renglones),
        ("casillas", formato.casillas),
    ):
        lineas += ["", f"[{nombre}]"]
        lineas += [f"{clave} = [{c.x}, {c.y}, {c.ancho}, {c.alto}]" for clave, c in cajas.items()]
    return "\n".join(lineas) + "\n"


def _corta(divisiones: Sequence[int]) -> str:
    dichas = ", ".join(map(str, divisiones[:40]))
    return dichas + (f" y {len(divisiones) - 40} más" if len(divisiones) > 40 else "")


def a_png(hoja: Image.Image) -> bytes:
    """El papel en dos tintas y bien comprimido: registrar no necesita más, y así pesa menos de 60 KB."""
    salida = io.BytesIO()
    hoja.point(lambda tono: 255 if tono > 140 else 0).convert("1").save(salida, "PNG", optimize=True)
    return salida.getvalue()


def formatos_de(proceso: Proceso, eleccion: Eleccion) -> list[tuple[Formato, tuple[int, ...]]]:
    """Los formatos que necesita una elección, con las divisiones que usan cada uno.

    Raises:
        NoCabe: si alguno no cabe en una hoja carta.
    """
    distintos = variantes(eleccion, proceso.esperadas(eleccion.clave))
    claves = [eleccion.clave] if len(distintos) == 1 else [f"{eleccion.clave}-{i + 1}" for i in range(len(distintos))]
    return [
        (trazar(eleccion.clave, opciones, clave), divisiones)
        for clave, (opciones, divisiones) in zip(claves, distintos.items(), strict=True)
    ]


def escribir(carpeta: Path) -> list[Path]:
    """Dibuja y escribe los formatos del proceso de esa carpeta; devuelve los PNG.

    Raises:
        DefinicionInvalida: si la definición no se puede leer.
        NoCabe: si una elección no cabe en una hoja carta.
    """
    proceso = cargar_proceso(carpeta)
    destino = carpeta / CARPETA
    destino.mkdir(exist_ok=True)
    escritos = []
    for eleccion in proceso.elecciones.values():
        for formato, divisiones in formatos_de(proceso, eleccion):
            (destino / f"{formato.clave}.toml").write_text(a_toml(formato, divisiones), "utf-8")
            escritos.append(destino / formato.imagen)
            opciones = [eleccion.por_clave[clave] for clave in formato.opciones]
            escritos[-1].write_bytes(a_png(dibujar_formato(formato, eleccion.nombre, opciones)))
    return escritos


def principal(argumentos: Sequence[str] | None = None) -> int:
    analizador = argparse.ArgumentParser(prog="prep formato", description=(__doc__ or "").splitlines()[0])
    analizador.add_argument("definicion", type=Path, help="carpeta del proceso, con su eleccion.toml")
    opciones = analizador.parse_args(argumentos)
    try:
        escritos = escribir(opciones.definicion)
    except (DefinicionInvalida, NoCabe) as error:
        print(error, file=sys.stderr)
        return 2
    except OSError as error:
        print(
            f"No se pudo escribir en {opciones.definicion / CARPETA} ({error.strerror}). Causa probable: la carpeta es "
            "de otra cuenta o el disco está lleno. Siguiente paso: revise los permisos y el espacio.",
            file=sys.stderr,
        )
        return 2
    for ruta in escritos:
        print(f"{ruta}  {ruta.stat().st_size / 1024:.0f} KB")
    return 0


if __name__ == "__main__":
    sys.exit(principal())
