"""La línea de órdenes de `./prep inscribir`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from nucleo.modos import CON_CENTRO, SIMULACRO
from servicio_central import ajustes, cambios_de_padron, disco, firma_de_definicion, inscripcion, observador_mqtt
from servicio_central.tropiezo import Tropiezo

_ACCESO: Final = "Si el bróker corre con `./prep broker`, él nota su lista de acceso nueva; si no, reinícielo."
_REVOCADO: Final = "Si corre con `./prep broker`, él nota la lista de revocados y corta la sesión; si no, reinícielo."


def main(argumentos: Sequence[str] | None = None) -> None:
    """Inscribe lo que falte y dice qué hizo; sale con 1 si algo lo impidió."""
    opciones = _leer(argumentos)
    # El candado va en la carpeta de arriba: la de la autoridad aparece completa, por renombre.
    arriba: Path = opciones.autoridad.absolute().parent
    try:
        arriba.mkdir(parents=True, exist_ok=True)
        with disco.turno(arriba):
            _inscribir(opciones)
    except Tropiezo as tropiezo:
        print(f"inscribir: {tropiezo}", file=sys.stderr)
        raise SystemExit(1) from None


def _leer(argumentos: Sequence[str] | None) -> argparse.Namespace:
    lector = argparse.ArgumentParser(prog="./prep inscribir", description=inscripcion.__doc__)
    lector.add_argument("--autoridad", type=Path, required=True, help="carpeta de la autoridad (se crea si falta)")
    lector.add_argument("--centro", type=Path, required=True, help="carpeta del centro (se crea si falta)")
    lector.add_argument("--proceso", type=Path, help="carpeta de la definición; hace falta para crear el centro")
    lector.add_argument("--modo", choices=CON_CENTRO, default=SIMULACRO)
    lector.add_argument("--broker-host", default="localhost", help="con qué nombre se busca al bróker")
    lector.add_argument("--broker-puerto", type=int, default=8883)
    lector.add_argument("--equipo", action="append", default=[], help="kiosco por inscribir; se puede repetir")
    lector.add_argument("--catd", help="CATD del equipo, si no se llama igual que él")
    lector.add_argument("--salida", type=Path, help="dónde dejar la carpeta de cada kiosco")
    lector.add_argument("--solicitud", type=Path, help="lo que generó el kiosco, si hizo él sus llaves")
    lector.add_argument(
        "--baja", "--revocar", action="append", default=[], metavar="EQUIPO", help="da de baja un equipo"
    )
    lector.add_argument("--rotar", metavar="EQUIPO", help="inscribe la llave nueva de --solicitud; va con --salida")
    lector.add_argument("--cerrar-llave", metavar="EQUIPO", help="cierra sus llaves anteriores en --hasta")
    lector.add_argument("--excluir", metavar="EQUIPO", help="no cuenta lo posterior a --hasta; va con --motivo")
    lector.add_argument("--quitar-exclusion", metavar="EQUIPO", help="vuelve a contar lo que se excluyó")
    lector.add_argument("--hasta", type=int, metavar="SECUENCIA", help="última que vale o que se cuenta")
    lector.add_argument("--epoca", help="cuál de las cadenas del equipo, si tiene más de una")
    lector.add_argument("--motivo", default="", help="por qué; el de una exclusión se publica")
    lector.add_argument(
        "--casillas",
        action="append",
        default=[],
        metavar="EQUIPO=CUÁLES",
        help="de qué casillas puede hablar: prefijos, D5 o M12 separados con comas, o «todas»",
    )
    lector.add_argument("--definicion", type=Path, metavar="DIR", help="firma esa definición para repartirla")
    lector.add_argument(
        "--observador", type=Path, metavar="DIR", help="deja ahí un certificado que sólo lee, para mosquitto_sub"
    )
    opciones = lector.parse_args(argumentos)
    if opciones.equipo and opciones.salida is None:
        lector.error("con --equipo hace falta --salida, la carpeta donde quedará cada kiosco")
    if opciones.rotar and (opciones.equipo or opciones.solicitud is None or opciones.salida is None):
        lector.error("--rotar va con --solicitud y --salida, y sin --equipo")
    if not opciones.rotar and len(opciones.equipo) != 1 and (opciones.solicitud or opciones.catd):
        lector.error("--solicitud y --catd van con un solo --equipo")
    if (opciones.excluir or opciones.cerrar_llave) and opciones.hasta is None:
        lector.error("--excluir y --cerrar-llave van con --hasta, la última secuencia que vale")
    if opciones.excluir and not opciones.motivo.strip():
        lector.error("--excluir va con --motivo: se publica con cada corte")
    if any("=" not in c for c in opciones.casillas):
        lector.error("--casillas se escribe EQUIPO=CUÁLES, como catd-01=D5,200123")
    return opciones


def _inscribir(opciones: argparse.Namespace) -> None:
    autoridad, centro = opciones.autoridad, opciones.centro
    if not (autoridad / "ca.key").exists():
        inscripcion.crear_autoridad(autoridad)
        print(f"Autoridad nueva en {autoridad}: guárdela fuera de línea; quien la tenga puede inscribir equipos.")
    if not (centro / ajustes.ARCHIVO).exists():
        if opciones.proceso is None:
            raise Tropiezo(
                "DATOS",
                "falta --proceso para crear el centro",
                "es la primera inscripción",
                "indique la carpeta de la definición, como datos/oaxaca_2022",
            )
        inscripcion.inscribir_centro(
            autoridad,
            centro,
            proceso=opciones.proceso,
            modo=opciones.modo,
            broker_host=opciones.broker_host,
            broker_puerto=opciones.broker_puerto,
        )
        print(f"Centro nuevo en {centro}.")
    if not (centro / ajustes.BROKER / "servidor.key").exists():
        inscripcion.crear_broker(autoridad, centro)
        print(f"Bróker configurado en {centro / ajustes.BROKER}.")
    solicitud = opciones.solicitud.read_bytes() if opciones.solicitud else None
    for equipo in opciones.equipo:
        carpeta = opciones.salida / equipo
        if equipo in inscripcion.leer_padron(centro).equipos and (carpeta / "identidad.toml").exists():
            if inscripcion.completar_sello(centro, carpeta):
                print(f"{equipo} ya estaba inscrito; se agregó {carpeta / ajustes.SELLO_PUBLICO}: llévelo al kiosco.")
                continue
            print(f"{equipo} ya estaba inscrito en {carpeta}; no se tocó.")
            continue
        catd = opciones.catd or equipo
        inscripcion.inscribir_kiosco(autoridad, centro, carpeta, equipo=equipo, catd=catd, solicitud=solicitud)
        print(f"{equipo} inscrito; su carpeta es {carpeta}.")
    if opciones.observador:
        observador_mqtt.inscribir(autoridad, centro, opciones.observador)
        print(f"Certificado de sólo lectura en {opciones.observador}. {_ACCESO}")
    _cambiar(opciones)


def _cambiar(o: argparse.Namespace) -> None:
    """Lo que cambia de equipos ya inscritos, y la definición por firmar."""
    for equipo in o.baja:
        cambios_de_padron.baja(o.autoridad, o.centro, equipo, o.motivo)
        print(f"{equipo} dado de baja. {_REVOCADO} Lo que ya mandó sigue contando; para que no, --excluir {equipo}.")
    if o.rotar:
        solicitud = o.solicitud.read_bytes()
        carpeta = cambios_de_padron.rotar(o.autoridad, o.centro, o.salida, o.rotar, solicitud, o.motivo)
        print(f"{o.rotar}: llave nueva en el padrón. Lleve {carpeta} al kiosco: ./prep catd llave --instalar.")
    if o.cerrar_llave:
        cuantas = cambios_de_padron.cerrar_llave(
            o.autoridad, o.centro, o.cerrar_llave, hasta=o.hasta, motivo=o.motivo, epoca=o.epoca
        )
        print(f"{o.cerrar_llave}: {cuantas} llaves cerradas después de la {o.hasta}. {_REVOCADO}")
    if o.excluir:
        cambios_de_padron.excluir(o.autoridad, o.centro, o.excluir, hasta=o.hasta, motivo=o.motivo, epoca=o.epoca)
        print(f"{o.excluir}: lo posterior a la {o.hasta} no se cuenta desde el siguiente corte; nada se borra.")
    if o.quitar_exclusion:
        cambios_de_padron.quitar_exclusion(o.autoridad, o.centro, o.quitar_exclusion, motivo=o.motivo, epoca=o.epoca)
        print(f"{o.quitar_exclusion}: se vuelve a contar desde el siguiente corte.")
    for pedido in o.casillas:
        equipo, _, cuales = pedido.partition("=")
        casillas = [] if cuales == "todas" else [c.strip() for c in cuales.split(",")]
        cambios_de_padron.dar_casillas(o.autoridad, o.centro, equipo, casillas, o.motivo)
        print(f"{equipo}: puede hablar de {cuales}.")
    if o.definicion:
        firmada, ruta = firma_de_definicion.firmar(o.autoridad, o.centro, o.definicion)
        print(f"Definición versión {firmada.version} ({firmada.huella[:12]}) firmada en {ruta}.")
