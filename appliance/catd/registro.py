"""Las subórdenes de `./prep catd`, en el orden en que se ofrecen."""

from __future__ import annotations

from typing import Final

from appliance.catd import dispositivos, fichas, firmware, gafetes, llave, modo, reglas
from appliance.catd.suborden import Suborden

SUBORDENES: Final[tuple[Suborden, ...]] = (
    dispositivos.SUBORDEN,
    firmware.SUBORDEN,
    reglas.SUBORDEN,
    fichas.SUBORDEN,
    gafetes.SUBORDEN,
    modo.SUBORDEN,
    llave.SUBORDEN,
)
