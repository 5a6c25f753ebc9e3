"""Cuánto se espera a la pantalla en las pruebas con navegador, de una vez y para todas.

Playwright espera cinco segundos: de sobra en una máquina quieta, pero dos núcleos cargados los pasan sin que nada esté
mal, y una espera que se cumple no tarda más por tener más plazo. La prueba que necesite otro lo dice en su renglón.
"""

from __future__ import annotations

from playwright.sync_api import expect

expect.set_options(timeout=30_000)
