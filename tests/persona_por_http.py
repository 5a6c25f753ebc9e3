"""Una persona que usa las pantallas sin navegador: las mismas páginas y los mismos formularios que ve en la suya."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from nucleo.campo import Campo, Ilegible, Numero, SinDato
from nucleo.hechos import IdActa

_RENGLON: Final = re.compile(r'name="renglon" value="([^"]+)"')
_HOJA: Final = re.compile(r'<form id="hoja"[^>]*action="(/(?:acta|revision)/([^/"]+)/([^/"]+))"')

Lee = Callable[[IdActa], Mapping[str, Campo]]


class PersonaPorHttp:
    """Maneja un `httpx.Client` o un `TestClient` ya apuntado al kiosco, que siga redirecciones."""

    def __init__(self, cliente: Any) -> None:
        self.cliente = cliente
        self.ultima: Any = None

    def ver(self, ruta: str) -> str:
        self.ultima = self.cliente.get(ruta)
        return str(self.ultima.text)

    def mandar(self, desde: str, ruta: str, **campos: str) -> str:
        """Abre la página `desde` y manda su formulario a `ruta`; devuelve la página que resulta."""
        return self.con(self.ver(desde), ruta, **campos)

    def con(self, pagina: str, ruta: str, **campos: str | list[str]) -> str:
        """Manda un formulario de esa página, ya abierta."""
        sellos = {
            n: oculto(pagina, n) for n in ("sello", "intento", "visto", "abierta", "imagen") if f'name="{n}"' in pagina
        }
        self.ultima = self.cliente.post(ruta, data={**sellos, **campos})
        return str(self.ultima.text)

    def acopiar(self, acta: IdActa) -> str:
        ruta = f"/acopio/{acta.eleccion}/{acta.casilla}"
        return self.mandar(ruta, ruta, hora="20:14", origen="CATD", documento="ACTA PREP", traslado="")

    def leer_siguiente(self, lee: Lee) -> IdActa | None:
        """Toma la siguiente acta, la lee como diga `lee` y la concluye. `None` si no le tocaba ninguna."""
        pagina = self.mandar("/", "/siguiente")
        return self.concluir(pagina, lee)

    def concluir(self, pagina: str, lee: Lee) -> IdActa | None:
        """Llena y concluye la hoja que trae esa página; si le señalan renglones, deja lo que leyó."""
        hallada = _HOJA.search(pagina)
        if hallada is None:
            return None
        acta = IdActa(hallada[2], hallada[3])
        campos = lee(acta)
        for _ in range(2):
            formulario: dict[str, str | list[str]] = {"clase": oculto(pagina, "clase")}
            if 'name="revisada"' in pagina:
                formulario["revisada"] = "1"
            renglones = _RENGLON.findall(pagina)
            formulario["renglon"] = renglones
            for clave in renglones:
                formulario |= escrito(clave, campos[clave])
            pagina = self.con(pagina, hallada[1], **formulario)
            if _HOJA.search(pagina) is None:
                return acta
        raise AssertionError(f"{acta} no se concluyó:\n{sin_marcas(pagina)[:1500]}")


def escrito(clave: str, campo: Campo) -> dict[str, str | list[str]]:
    """Cómo va ese campo en el formulario de la hoja."""
    match campo:
        case Numero(valor):
            return {f"v.{clave}": str(valor)}
        case Ilegible():
            return {f"v.{clave}": "", f"m.{clave}": "ILEGIBLE"}
        case SinDato():
            return {f"v.{clave}": "", f"m.{clave}": "SIN DATO"}


def oculto(pagina: str, nombre: str) -> str:
    hallado = re.search(rf'name="{nombre}" value="([^"]*)"', pagina)
    assert hallado is not None, f"no hay «{nombre}» en:\n{sin_marcas(pagina)[:1500]}"
    return html.unescape(hallado[1])


def sin_marcas(pagina: str) -> str:
    """Lo que se lee en la página."""
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", pagina))).strip()
