"""`python -m appliance.catd`, que es lo que corre `./prep catd`."""

from __future__ import annotations

import sys

from appliance.catd.orden import main

if __name__ == "__main__":
    sys.exit(main())
