"""Una cantidad y su palabra en singular o plural: «1 sobre», «2 sobres», «0 sobres»."""

from __future__ import annotations


def concordar(cantidad: int, una: str, varias: str) -> str:
    """La cantidad, con coma de millares, y la palabra que le toca. Lo que venga detrás puede ir en las dos formas."""
    return f"{cantidad:,} {una if cantidad == 1 else varias}"
