"""`python -m appliance.escribir_bitacora`: vuelve a escribir `docs/bitacora.md` con los eventos declarados."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from nucleo.eventos import en_markdown

DOCUMENTO: Final = Path(__file__).resolve().parent.parent / "docs" / "bitacora.md"


def main() -> None:
    DOCUMENTO.write_text(en_markdown(), encoding="utf-8")


if __name__ == "__main__":
    main()
