"""Fotos de una página, que no se echan a perder porque el instrumento parpadee.

Chromium sin pantalla, justo después de navegar y con la máquina cargada, contesta a veces «Protocol error
(Page.captureScreenshot): Unable to capture screenshot»: todavía no tiene un cuadro que entregar. Es un error de la
cámara y no de la página, y hacía fallar pruebas sanas. Sólo ése se repite; cualquier otro se propaga.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from playwright.sync_api import Error, Page

INTENTOS: Final = 3
ENTRE_INTENTOS_MS: Final = 500

_DE_LA_CAMARA: Final = "Unable to capture screenshot"


def tomar(pagina: Page, ruta: Path, *, completa: bool = False) -> None:
    """Fotografía lo que se ve, o la página entera, cuando ya cargó.

    Raises:
        playwright.sync_api.Error: lo que no sea de la cámara, a la primera; lo de la cámara, al tercer intento.
    """
    for intento in range(1, INTENTOS + 1):
        pagina.wait_for_load_state()
        try:
            pagina.screenshot(path=ruta, full_page=completa)
            return
        except Error as error:
            if _DE_LA_CAMARA not in error.message or intento == INTENTOS:
                raise
        pagina.wait_for_timeout(ENTRE_INTENTOS_MS)
