"""`./prep catd llave`: con qué llave firma el kiosco, y cambiarla con una solicitud y la respuesta de la autoridad."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

from appliance.cambio_de_llave import NUEVA, SOLICITUD, generar, instalar
from appliance.catd.suborden import BIEN, Suborden
from appliance.consola import anunciar
from appliance.identidad import leer_identidad
from appliance.llave import LlaveDeArchivo
from appliance.modo import resolver


def correr(opciones: Namespace) -> int:
    """Sin opciones dice cuál es la llave; con `--nueva` la genera y con `--instalar` la cambia. Raises: Falla."""
    carpeta = resolver(opciones.carpeta)
    if opciones.instalar is not None:
        anunciar(f"Llave cambiada: ahora firma con {instalar(carpeta, opciones.instalar)}.")
        anunciar("El enlace la toma solo; vuelva a arrancar las pantallas. Lo que esperaba se sigue mandando igual.")
        return BIEN
    if opciones.nueva:
        anunciar(f"Lleve {generar(carpeta)} a la autoridad: ./prep inscribir --rotar. Siga trabajando mientras tanto.")
        return BIEN
    firmante = LlaveDeArchivo(carpeta / "llave.pem", leer_identidad(carpeta).equipo)
    anunciar(f"{firmante.identidad} firma con la llave {firmante.publica().thumbprint()}")
    if (carpeta / NUEVA / SOLICITUD).exists():
        anunciar(f"Hay una nueva esperando respuesta de la autoridad: {carpeta / NUEVA / SOLICITUD}")
    return BIEN


def _preparar(argumentos: ArgumentParser) -> None:
    argumentos.add_argument("--carpeta", type=Path, required=True, help="carpeta del kiosco o del aparato")
    que = argumentos.add_mutually_exclusive_group()
    que.add_argument("--nueva", action="store_true", help="genera llaves nuevas y la solicitud para la autoridad")
    que.add_argument("--instalar", type=Path, metavar="DIR", help="cambia de llave con la respuesta de la autoridad")


SUBORDEN = Suborden("llave", "dice o cambia la llave con que firma el kiosco", _preparar, correr)
