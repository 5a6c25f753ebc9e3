"""`./prep verificar` completa: la de `auditoria.verificar`, que además puede leer de una dirección de internet."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from auditoria.verificar import orden
from auditoria.verificar.lector import Lector, NoSePuede
from nucleo.publicacion.mentira import Mentira
from vigilancia.entre_espejos import comparar
from vigilancia.lector_http import LectorHttp


def abrir(donde: str) -> Lector:
    """El lector de una carpeta o de una dirección. Raises: NoSePuede."""
    return LectorHttp(donde) if donde.startswith(("http://", "https://")) else orden.abrir_carpeta(donde)


def main(argumentos: Sequence[str] | None = None) -> int:
    """Como `auditoria.verificar.orden.main`, con `espejo URL1 URL2`."""
    lector, ordenes = orden.lector_de_argumentos()
    espejo = orden.suborden(ordenes, "espejo", "si dos direcciones publican lo mismo")
    espejo.add_argument("uno", metavar="URL1|DIR")
    espejo.add_argument("otro", metavar="URL2|DIR")
    opciones = lector.parse_args(argumentos)
    if opciones.que != "espejo":
        return orden.correr(opciones, abrir)
    try:
        with orden.con_barra() as avance:
            dicho = comparar(abrir(opciones.uno), abrir(opciones.otro), opciones.llave, avance)
    except Mentira as mentira:
        return orden.decir_mentira(mentira, opciones.json)
    except (NoSePuede, OSError) as error:
        return orden.decir_que_no_se_pudo(error, opciones.json)
    orden.decir_cierto({"espejos": dicho}, opciones)
    return orden.CIERTO


if __name__ == "__main__":
    sys.exit(main())
