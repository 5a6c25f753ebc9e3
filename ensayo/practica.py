"""Dibuja las actas de muestra de la práctica guiada y escribe sus lecciones: `python -m ensayo.practica`.

Lo que escribe va en el repositorio (`datos/capacitacion/practica`): un kiosco de producción no lleva con qué dibujar.
"""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from PIL import Image, ImageDraw

from ensayo.dibujo import formato_dibujado
from ensayo.dibujo_en_color import dibujar_en_color
from ensayo.formato_dibujado import letra
from nucleo.acta import asentado_de_campos
from nucleo.campo import ILEGIBLE, SIN_DATO, Campo, Numero, a_texto
from nucleo.casilla import Casilla
from nucleo.definicion import cargar_proceso
from nucleo.eleccion import Eleccion, Proceso

RAIZ: Final = Path(__file__).resolve().parents[1] / "datos" / "capacitacion"
PPP: Final = 130
_CALIDAD: Final = 55


@dataclass(frozen=True)
class _Muestra:
    """Un acta por dibujar. `papel` es lo que traen los números; `letras`, la letra donde dice otra cosa."""

    clave: str
    titulo: str
    ensena: str
    casilla: str
    papel: Mapping[str, Campo] = field(default_factory=dict)
    letras: Mapping[str, Campo] = field(default_factory=dict)
    respuestas: Mapping[str, Campo] = field(default_factory=dict)
    porque: Mapping[str, str] = field(default_factory=dict)
    tachados: Mapping[str, int] = field(default_factory=dict)
    """Renglones con un número tachado y otro escrito a un lado."""


MUESTRAS: Final = (
    _Muestra(
        "limpia",
        "Un acta sin problemas",
        "Número y letra coinciden en todo. Escriba lo que ve y avance con «Sigue».",
        "320001B0100",
    ),
    _Muestra(
        "letra",
        "La letra manda",
        "En dos renglones el número y la letra no dicen lo mismo. Vale la letra.",
        "320001C0100",
        letras={"CACAO": Numero(74), "NULOS": Numero(6)},
        papel={"CACAO": Numero(47), "NULOS": Numero(9)},
        respuestas={"CACAO": Numero(74), "NULOS": Numero(6)},
        porque={
            "CACAO": "El número dice 47 y la letra setenta y cuatro: vale la letra.",
            "NULOS": "El número dice 9 y la letra seis: vale la letra.",
        },
    ),
    _Muestra(
        "vacios",
        "Ilegible y sin dato",
        "Un renglón está tachado y no se lee; otro está vacío. Vacío no es cero.",
        "320002B0100",
        papel={"NOPAL": ILEGIBLE, "MANGO": SIN_DATO},
        porque={
            "NOPAL": "No se lee ni en número ni en letra: ILEGIBLE.",
            "MANGO": "No hay número ni letra: SIN DATO. Un cero sólo se captura si está escrito.",
        },
    ),
    _Muestra(
        "sumas",
        "No corrija las sumas",
        "El total no cuadra con los votos. Se captura como está escrito.",
        "320002E0100",
        papel={"TOTAL_ASENTADO": Numero(300)},
        porque={"TOTAL_ASENTADO": "El acta dice 300 aunque no cuadre: se captura lo que dice el papel."},
    ),
    _Muestra(
        "tachada",
        "Tachado, sólo letra y sólo número",
        "Un número tachado con otro al lado, un renglón sólo con letra y otro sólo con número.",
        "320003B0100",
        papel={"CHILE": SIN_DATO},
        letras={"CHILE": Numero(33), "CACAO": SIN_DATO, "MAIZ": Numero(58)},
        respuestas={"CHILE": Numero(33), "MAIZ": Numero(58)},
        tachados={"MAIZ": 58},
        porque={
            "MAIZ": "Hay dos números y uno tachado: vale la letra, cincuenta y ocho.",
            "CHILE": "Sólo está la letra: se captura lo que dice, treinta y tres.",
            "CACAO": "Sólo está el número: se captura el número.",
        },
    ),
)


def campos_del_papel(proceso: Proceso, muestra: _Muestra) -> dict[str, Campo]:
    """Los números que trae el acta de muestra, completos."""
    casilla, eleccion = proceso.casillas[muestra.casilla], proceso.elecciones["GUB"]
    votos: dict[str, Campo] = {
        o.clave: Numero((7 + 13 * i * (casilla.seccion + casilla.numero)) % 53)
        for i, o in enumerate(eleccion.opciones_de(casilla))
    }
    votos |= {k: v for k, v in muestra.papel.items() if k in votos}
    suma = sum(v.valor for v in votos.values() if isinstance(v, Numero))
    generales: dict[str, Campo] = {
        "BOLETAS_SOBRANTES": Numero(max(0, casilla.lista_nominal + casilla.representantes - suma)),
        "PERSONAS_VOTARON": Numero(suma - 4),
        "REPRESENTANTES_VOTARON": Numero(4),
        "VOTOS_SACADOS": Numero(suma),
        "TOTAL_ASENTADO": Numero(suma),
    }
    generales |= {k: v for k, v in muestra.papel.items() if k in generales}
    return asentado_de_campos(generales | votos).campos()


def dibujar(proceso: Proceso, muestra: _Muestra) -> bytes:
    """WebP del acta de muestra, derecha y completa, a `PPP`."""
    casilla, eleccion = proceso.casillas[muestra.casilla], proceso.elecciones["GUB"]
    campos = campos_del_papel(proceso, muestra)
    puntos = dibujar_en_color(casilla, eleccion, asentado_de_campos(campos), ppp=PPP, letras=muestra.letras)
    hoja = Image.fromarray(puntos[:, :, ::-1].copy())
    for clave, bueno in muestra.tachados.items():
        _tachar(hoja, casilla, eleccion, clave, bueno)
    salida = io.BytesIO()
    hoja.save(salida, "WEBP", quality=_CALIDAD, method=6)
    return salida.getvalue()


def _tachar(hoja: Image.Image, casilla: Casilla, eleccion: Eleccion, clave: str, bueno: int) -> None:
    caja = formato_dibujado(casilla, eleccion).casillas[clave]
    mm = PPP / 25.4
    lapiz = ImageDraw.Draw(hoja)
    x, y, ancho, alto = caja.x * mm, caja.y * mm, caja.ancho * mm, caja.alto * mm
    lapiz.line([(x - 2, y + alto * 0.7), (x + ancho + 2, y + alto * 0.3)], (38, 44, 120), 3)
    tipo = letra(round(alto * 0.75))
    lapiz.text((x - tipo.getlength(f"{bueno:03d}") - 6, y + alto * 0.1), f"{bueno:03d}", (38, 44, 120), tipo)


def escribir(carpeta: Path) -> list[Path]:
    """Escribe las imágenes y `lecciones.toml` en `carpeta/practica`. Devuelve lo escrito."""
    proceso = cargar_proceso(carpeta)
    destino = carpeta / "practica"
    destino.mkdir(exist_ok=True)
    escritos, renglones = [], ["# Lo escribe `python -m ensayo.practica`; las imágenes son dibujos propios."]
    for muestra in MUESTRAS:
        imagen = destino / f"{muestra.clave}.webp"
        imagen.write_bytes(dibujar(proceso, muestra))
        escritos.append(imagen)
        respuestas = campos_del_papel(proceso, muestra) | dict(muestra.respuestas)
        renglones += [
            "",
            "[[lecciones]]",
            *(
                f"{llave} = {json.dumps(valor, ensure_ascii=False)}"
                for llave, valor in (
                    ("titulo", muestra.titulo),
                    ("ensena", muestra.ensena),
                    ("eleccion", "GUB"),
                    ("casilla", muestra.casilla),
                    ("imagen", imagen.name),
                    ("ppp", PPP),
                )
            ),
            "[lecciones.respuestas]",
            *(f"{clave} = {json.dumps(a_texto(campo))}" for clave, campo in respuestas.items()),
            "[lecciones.porque]",
            *(f"{clave} = {json.dumps(texto, ensure_ascii=False)}" for clave, texto in muestra.porque.items()),
        ]
    toml = destino / "lecciones.toml"
    toml.write_text("\n".join(renglones) + "\n", encoding="utf-8")
    return [*escritos, toml]


def principal(argumentos: Sequence[str]) -> int:
    for archivo in escribir(Path(argumentos[0]) if argumentos else RAIZ):
        print(f"{archivo} ({archivo.stat().st_size:,} bytes)")
    return 0


if __name__ == "__main__":
    sys.exit(principal(sys.argv[1:]))
