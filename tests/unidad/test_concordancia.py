"""«1 sobre» y «2 sobres», también en lo que va detrás."""

from __future__ import annotations

import pytest

from nucleo.concordancia import concordar


@pytest.mark.parametrize(
    ("cantidad", "dice"),
    [(0, "0 hojas esperan"), (1, "1 hoja espera"), (2, "2 hojas esperan"), (9820, "9,820 hojas esperan")],
)
def test_nadie_lee_1_hojas(cantidad: int, dice: str) -> None:
    assert concordar(cantidad, "hoja espera", "hojas esperan") == dice
