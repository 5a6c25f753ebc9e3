"""La cámara de las pruebas: repite sólo lo suyo."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest
from playwright.sync_api import Error, Page

from tests.foto import INTENTOS, tomar

CAMARA = "Page.screenshot: Protocol error (Page.captureScreenshot): Unable to capture screenshot"
SE_FUE = "Page.screenshot: Target page, context or browser has been closed"


class PaginaQueFalla:
    """Lo que `tomar` usa de una página; cada foto gasta un mensaje, y sin mensajes sale."""

    def __init__(self, *mensajes: str) -> None:
        self.mensajes = list(mensajes)
        self.hizo: list[str] = []

    def wait_for_load_state(self) -> None:
        self.hizo.append("espera")

    def wait_for_timeout(self, _ms: float) -> None:
        self.hizo.append("respira")

    def screenshot(self, *, path: Path, full_page: bool) -> None:
        self.hizo.append(f"foto {path} {full_page}")
        if self.mensajes:
            raise Error(self.mensajes.pop(0))


def test_la_camara_parpadea_dos_veces_y_la_foto_sale() -> None:
    pagina = PaginaQueFalla(CAMARA, CAMARA)
    tomar(cast(Page, pagina), Path("a.png"), completa=True)
    assert pagina.hizo == ["espera", "foto a.png True", "respira"] * 2 + ["espera", "foto a.png True"]


def test_la_camara_que_nunca_sirve_hace_fallar() -> None:
    pagina = PaginaQueFalla(*[CAMARA] * 9)
    with pytest.raises(Error, match="Unable to capture"):
        tomar(cast(Page, pagina), Path("a.png"))
    assert len(pagina.mensajes) == 9 - INTENTOS


def test_lo_que_no_es_de_la_camara_no_se_repite() -> None:
    pagina = PaginaQueFalla(SE_FUE)
    with pytest.raises(Error, match="has been closed"):
        tomar(cast(Page, pagina), Path("a.png"))
    assert pagina.hizo == ["espera", "foto a.png False"]
