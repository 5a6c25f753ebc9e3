"""`./prep catd firmware`: compara el firmware con el perfil, e instala el que dé el instituto si es exactamente ése."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

from appliance.catd.suborden import BIEN, NO_COINCIDE, Suborden, con_perfiles
from appliance.consola import anunciar, decir
from appliance.dispositivos import firmware
from appliance.dispositivos.bus import Dispositivo
from appliance.dispositivos.bus_udev import BusUdev
from appliance.dispositivos.perfil import Perfil
from appliance.dispositivos.perfiles import Perfiles, leer_perfiles
from appliance.falla import Falla


def correr(opciones: Namespace) -> int:
    """Sin `--perfil`, revisa los aparatos conectados; con él, ese modelo, esté o no."""
    perfiles = leer_perfiles(opciones.perfiles)
    elegido = None if opciones.perfil is None else _perfil(perfiles, opciones.perfil)
    if opciones.instalar is not None:
        return _instalar(elegido, opciones.instalar, opciones.raiz)
    conectados = _conectados(perfiles)
    por_revisar = (
        [elegido] if elegido else [perfiles.por_clave[c] for c in sorted({d.perfil for d in conectados} - {""})]
    )
    if not por_revisar:
        anunciar("No hay ningún aparato con perfil conectado; con --perfil se revisa un modelo aunque no esté.")
    rechazos = 0
    for perfil in por_revisar:
        hallados = [firmware.revisar(perfil, opciones.raiz)]
        hallados += [firmware.revisar_version(perfil, d.version) for d in conectados if d.perfil == perfil.clave]
        malos = [r for r in hallados if r is not None]
        rechazos += len(malos)
        for rechazo in malos:
            anunciar(f"! {perfil.clave}: {rechazo}")
        if not malos:
            anunciar(f"{perfil.clave}: {_bien(perfil)}")
    return NO_COINCIDE if rechazos else BIEN


def _instalar(perfil: Perfil | None, archivo: Path, raiz: Path) -> int:
    if perfil is None:
        causa = "un archivo de firmware no dice de quién es"
        raise Falla("PERFIL", "Falta decir de qué modelo es el firmware", causa, "agregue --perfil y su clave")
    hecho = firmware.instalar(perfil, archivo, raiz)
    if isinstance(hecho, firmware.Instalado):
        como = "ya estaba instalado" if hecho.repetido else "instalado"
        anunciar(f"{perfil.clave}: {como} en {hecho.destino} (SHA-256 {hecho.sha256})")
        return BIEN
    decir(f"catd firmware: {hecho}")
    return NO_COINCIDE


def _conectados(perfiles: Perfiles) -> tuple[Dispositivo, ...]:
    try:
        return BusUdev(perfiles).presentes()
    except (OSError, ImportError) as error:
        decir(f"catd firmware: no se pudo ver qué hay conectado ({str(error)[:80]}); sólo se revisan archivos")
        return ()


def _bien(perfil: Perfil) -> str:
    partes = [
        f"el firmware {perfil.firmware.archivo} es el del perfil"
        if perfil.firmware.archivo
        else "no se le carga firmware"
    ]
    if not perfil.firmware.version:
        partes.append("su versión no se compara: el instituto no la ha fijado en el perfil")
    return "; ".join(partes)


def _perfil(perfiles: Perfiles, clave: str) -> Perfil:
    perfil = perfiles.por_clave.get(clave)
    if perfil is None:
        causa = "la clave está mal escrita, o el modelo no tiene perfil"
        raise Falla("PERFIL", f"No hay un perfil {clave[:40]!r}", causa, f"use uno de {', '.join(perfiles.por_clave)}")
    return perfil


def _preparar(argumentos: ArgumentParser) -> None:
    con_perfiles(argumentos)
    argumentos.add_argument("--perfil", metavar="CLAVE", help="el modelo; si no, los que estén conectados")
    argumentos.add_argument("--instalar", type=Path, metavar="ARCHIVO", help="el firmware que dio el instituto")
    argumentos.add_argument("--raiz", type=Path, default=Path("/"), metavar="DIR", help="la del sistema (%(default)s)")


SUBORDEN = Suborden(
    "firmware", "compara el firmware con el perfil, o instala el que dé el instituto", _preparar, correr
)
