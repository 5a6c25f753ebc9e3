"""`./prep catd …`: lo que el área técnica revisa y prepara en un CATD. Cada suborden es un módulo de esta carpeta."""

from __future__ import annotations

from appliance.catd.orden import main

__all__ = ["main"]
