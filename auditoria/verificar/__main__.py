"""`python -m auditoria.verificar`: lo mismo que `./prep verificar`, sólo de carpetas y sin red."""

import sys

from auditoria.verificar.orden import main

sys.exit(main())
