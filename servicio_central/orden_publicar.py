"""`./prep publicar --carpeta CENTRO`: sirve con nginx, en primer plano, lo que el centro (o su espejo) ya publicó."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from servicio_central import nginx, nginx_en_marcha
from servicio_central.tropiezo import Tropiezo


def main(argumentos: Sequence[str] | None = None) -> int:
    """Sirve hasta SIGTERM o Ctrl+C; devuelve 0, o 1 si no se pudo o nginx terminó solo."""
    lector = argparse.ArgumentParser(
        prog="./prep publicar", description="Sirve con nginx el sitio público de una carpeta, sin pasar por Python."
    )
    lector.add_argument("--carpeta", type=Path, required=True, help="la del centro, o la de un espejo suyo")
    lector.add_argument("--direccion", default="127.0.0.1", help="en cuál escucha; 0.0.0.0, en todas (%(default)s)")
    lector.add_argument("--puerto", type=int, default=8081, help="en cuál escucha (%(default)s)")
    lector.add_argument("--nombre", default="", help="nombre del sitio, como prep.ejemplo.mx")
    lector.add_argument("--certificado", type=Path, help="PEM con toda la cadena; sin él va sin TLS, sólo para ensayar")
    lector.add_argument("--llave", type=Path, help="PEM con la llave del certificado")
    lector.add_argument("--puerto-http", type=int, default=0, help="con TLS, desde cuál se manda al otro (ninguno)")
    lector.add_argument("--cuenta", default="", help="si arranca root, con cuál se atiende (www-data)")
    lector.add_argument("--trabajo", type=Path, help="carpeta de nginx: configuración y bitácora (CARPETA/nginx)")
    lector.add_argument("--trabajadores", type=int, default=0, help="procesos que atienden (uno por núcleo)")
    por_direccion = "consultas por segundo que se atienden a una sola dirección (%(default)s)"
    lector.add_argument("--por-direccion", type=int, default=300, help=por_direccion)
    lector.add_argument("--solo-configurar", action="store_true", help="escribe y comprueba; no sirve nada")
    opciones = lector.parse_args(argumentos)
    ajustes = nginx.Ajustes(
        opciones.carpeta,
        opciones.trabajo or opciones.carpeta / nginx.CARPETA,
        opciones.puerto,
        opciones.direccion,
        opciones.nombre,
        opciones.certificado and opciones.certificado.absolute(),
        opciones.llave and opciones.llave.absolute(),
        opciones.puerto_http,
        opciones.cuenta,
        opciones.trabajadores,
        nginx.descriptores(),
        opciones.por_direccion,
        min(opciones.por_direccion * 2, 65_535),
    )
    try:
        if opciones.solo_configurar:
            print(nginx_en_marcha.preparar(nginx_en_marcha.con_cuenta(ajustes)))
            return 0
        return 1 if nginx_en_marcha.correr(ajustes) else 0
    except (Tropiezo, OSError) as error:
        print(f"publicar: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
