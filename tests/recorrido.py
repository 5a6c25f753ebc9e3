"""Lo que se le exige a cada pantalla que se visita: foto, cero violaciones de axe, blancos de 44 px y nada de lado.

También junta lo que tardó el servidor en cada interacción (cabecera `Server-Timing`).
"""

from __future__ import annotations

import re
import statistics
from pathlib import Path
from typing import Any, Final

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, Response

from tests.foto import tomar

MINIMO_PX: Final = 44

_CHICOS: Final = """(minimo) => {
  // Un enlace dentro de un párrafo se exime (WCAG 2.5.8): agrandarlo rompería el renglón.
  const enParrafo = (e) => e.matches('a:not(.boton)') && e.closest('p') && getComputedStyle(e).display === 'inline';
  const visible = (e) => e.checkVisibility({ visibilityProperty: true }) && e.getClientRects().length > 0;
  return [...document.querySelectorAll(
    'a[href], button, summary, select, textarea, input:not([type=hidden]), [role=button], [popovertarget]')]
    .filter(visible).filter((e) => !enParrafo(e))
    .map((e) => {
      const caja = (e.matches('input[type=radio], input[type=checkbox]') && e.closest('label') || e)
        .getBoundingClientRect();
      return [e.outerHTML.slice(0, 90), caja.width, caja.height];
    })
    .filter(([, ancho, alto]) => ancho > 0 && alto > 0 && (ancho < minimo - 0.5 || alto < minimo - 0.5))
    .map(([html, ancho, alto]) => `${Math.round(ancho)}×${Math.round(alto)} ${html}`);
}"""

_DE_FONDO: Final = re.compile(
    r"^/(estatico/|barra$|lector$|modo/arranque$|imagen/|digitalizacion/marcha|hoja/\d+/(imagen|miniatura|cabecera)$"
    r"|.*/(avance|latido)$)"
)
"""Lo que la página pide sola: no es una interacción de nadie."""


class Recorrido:
    """Acompaña a una página. Al final, `hallazgos` dice qué no cumplió y dónde."""

    def __init__(self, pagina: Page, fotos: Path) -> None:
        self.pagina = pagina
        self.fotos = fotos
        self.vistas: list[str] = []
        self.hallazgos: list[str] = []
        self.tiempos: list[tuple[str, float]] = []
        pagina.on("pageerror", lambda error: self.hallazgos.append(f"error de JavaScript en {pagina.url}: {error}"))
        pagina.on("console", lambda m: self._consola(m.text))
        pagina.on("response", self._cronometrar)

    def ver(self, nombre: str) -> None:
        """Exige a la pantalla que está enfrente; una con ese nombre que ya se vio no se repite."""
        if nombre in self.vistas:
            return
        self.vistas.append(nombre)
        tomar(self.pagina, self.fotos / f"{len(self.vistas):02d}-{nombre}.png")
        for chico in self.pagina.evaluate(_CHICOS, MINIMO_PX):
            self.hallazgos.append(f"{nombre}: blanco chico {chico}")
        if not self.pagina.evaluate("document.documentElement.scrollWidth <= innerWidth"):
            self.hallazgos.append(f"{nombre}: se sale de lado")
        violaciones: list[dict[str, Any]] = Axe().run(self.pagina).response["violations"]
        for v in violaciones:
            donde = "; ".join(n["html"][:100] for n in v["nodes"][:3])
            self.hallazgos.append(f"{nombre}: axe {v['id']}: {donde}")

    def informe(self) -> str:
        """Cuántas pantallas, y la mediana y el p95 de los tiempos del servidor, en milisegundos."""
        if not self.tiempos:
            return f"{len(self.vistas)} pantallas, sin tiempos"
        solos = sorted(ms for _, ms in self.tiempos)
        lentas = sorted(self.tiempos, key=lambda t: -t[1])[:6]
        p95 = solos[int(len(solos) * 0.95)]
        return (
            f"{len(self.vistas)} pantallas distintas; {len(solos)} interacciones; servidor: mediana "
            f"{statistics.median(solos):.1f} ms, p95 {p95:.1f} ms, máximo {solos[-1]:.1f} ms\n"
            + "más lentas: "
            + ", ".join(f"{ruta} {ms:.0f} ms" for ruta, ms in lentas)
        )

    def _consola(self, texto: str) -> None:
        if "Content Security" in texto:
            self.hallazgos.append(f"{self.pagina.url}: {texto[:200]}")

    def _cronometrar(self, respuesta: Response) -> None:
        camino = re.sub(r"^https?://[^/]+|\?.*$", "", respuesta.url)
        medida = re.search(r"dur=([0-9.]+)", respuesta.headers.get("server-timing", ""))
        if medida is not None and _DE_FONDO.match(camino) is None:
            metodo = respuesta.request.method
            self.tiempos.append((f"{metodo} {camino}", float(medida[1])))
        if respuesta.status >= 500:
            self.hallazgos.append(f"{respuesta.status} en {camino}")
