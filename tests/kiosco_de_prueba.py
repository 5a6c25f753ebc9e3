"""Carpetas de kiosco para las pruebas: inscritas a mano, sin pasar por el centro."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, TypeVar

from appliance.almacen import Almacen
from appliance.identidad import Identidad
from appliance.imagenes import Imagenes
from appliance.llave import LlaveDeArchivo, generar
from appliance.mesa import Mesa
from appliance.redigitalizacion import imagen_de
from appliance.reloj import RelojFijado
from nucleo.acta import Asentado, Origen
from nucleo.campo import Campo, Numero
from nucleo.eleccion import Proceso
from nucleo.hechos import Acopio, Hecho, IdActa
from nucleo.problema import Rechazo
from tests.muestras import proceso_chico

_T = TypeVar("_T")

EPOCA: Final = "00000000000000e1"
PROCESO: Final = proceso_chico()
A1: Final = IdActa("GUB", "200001B0100")
A2: Final = IdActa("GUB", "200001C0100")
A3: Final = IdActa("GUB", "200002S0100")


def identidad(equipo: str = "catd-01", *, epoca: str = EPOCA, puerto: int = 8883) -> Identidad:
    return Identidad(equipo, equipo, epoca, "simulacro", Path("/no/se/usa"), "localhost", puerto)


def abrir_almacen(carpeta: Path, quien: Identidad | None = None) -> Almacen:
    """Abre (o crea) el almacén de la carpeta, con su llave."""
    quien = quien or identidad()
    llave = carpeta / "llave.pem"
    if not llave.exists():
        carpeta.mkdir(parents=True, exist_ok=True)
        generar(llave)
    firmante = LlaveDeArchivo(llave, quien.equipo)
    return Almacen.abrir(
        carpeta / "almacen.sqlite", quien, firmante, proceso=PROCESO.clave, sistema="prueba", arranque="prueba"
    )


def carpeta_inscrita(carpeta: Path, definicion: Path, *, equipo: str = "catd-01", puerto: int = 8883) -> Path:
    """Una carpeta de kiosco con identidad y llave; los certificados los pone quien los necesite."""
    carpeta.mkdir(parents=True)
    generar(carpeta / "llave.pem")
    (carpeta / "identidad.toml").write_text(
        f'equipo = "{equipo}"\ncatd = "{equipo}"\nepoca = "{EPOCA}"\nmodo = "simulacro"\n'
        f'proceso = "{definicion}"\nbroker_host = "localhost"\nbroker_puerto = {puerto}\n'
    )
    return carpeta


def hora(minutos: int = 0, proceso: Proceso = PROCESO) -> datetime:
    """Minutos después de las dos horas de operación."""
    return proceso.inicio_operacion + timedelta(hours=2, minutes=minutos)


def abrir_mesa(carpeta: Path, almacen: Almacen | None = None, reloj: RelojFijado | None = None) -> Mesa:
    almacen = almacen or abrir_almacen(carpeta)
    return Mesa(almacen, Imagenes(carpeta / "imagenes"), PROCESO, reloj or RelojFijado(hora()))


def un_hecho(numero: int = 0) -> Hecho:
    """Un hecho bien formado, distinto para cada número."""
    return Acopio(A1, hora(numero), Origen.CATD, "ACTA PREP", "", "acopio-1")


def lectura(acta: IdActa = A1, **distintos: Campo) -> Asentado:
    """Una transcripción completa; `distintos` cambia los votos que se digan."""
    casilla = PROCESO.casillas[acta.casilla]
    claves = [o.clave for o in PROCESO.elecciones[acta.eleccion].opciones_de(casilla)]
    votos: dict[str, Campo] = {clave: Numero(10 + i) for i, clave in enumerate(claves)}
    return Asentado(votos | distintos, Numero(100), Numero(80), Numero(4), Numero(84), Numero(84))


def vigente(mesa: Mesa, acta: IdActa = A1) -> str | None:
    """La imagen que tiene enfrente quien lee esa acta; `None` si no hay y se lee el papel."""
    return imagen_de(mesa.almacen.hechos_de(acta))


def bien(valor: _T | Rechazo) -> _T:
    """El valor, o la prueba falla con el rechazo."""
    assert not isinstance(valor, Rechazo), str(valor)
    return valor


def codigo(valor: object) -> str:
    """El código del rechazo, o la prueba falla."""
    assert isinstance(valor, Rechazo), repr(valor)
    return valor.codigo
