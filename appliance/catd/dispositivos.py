"""`./prep catd dispositivos`: qué aparatos hay conectados ahora, con qué perfil, y qué le falta a cada uno."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace
from dataclasses import asdict
from pathlib import Path

from appliance.catd.suborden import BIEN, NO_COINCIDE, Suborden, con_perfiles
from appliance.consola import anunciar
from appliance.dispositivos import firmware
from appliance.dispositivos.bus import Bus, Dispositivo
from appliance.dispositivos.bus_udev import BusUdev
from appliance.dispositivos.perfil import Clase, ModoDeLector
from appliance.dispositivos.perfiles import Perfiles, leer_perfiles, modo_del_lector
from appliance.falla import Falla
from nucleo.problema import Rechazo


def faltantes(dispositivos: tuple[Dispositivo, ...], perfiles: Perfiles, raiz: Path = Path("/")) -> list[Rechazo]:
    """Lo que le falta a cada aparato para trabajar, y el escáner o el lector que no se ve."""
    hay = {d.clase for d in dispositivos}
    faltan = [_no_se_ve(clase) for clase in (Clase.ESCANER, Clase.LECTOR) if clase not in hay]
    for dispositivo in dispositivos:
        perfil = perfiles.por_clave.get(dispositivo.perfil)
        if perfil is None:
            continue
        suyos = [firmware.revisar(perfil, raiz), firmware.revisar_version(perfil, dispositivo.version)]
        if not dispositivo.nodo:
            suyos.append(_sin_nodo(dispositivo))
        numero = modo_del_lector(perfil, dispositivo.vid, dispositivo.pid)
        if numero is not None and perfil.lector is not None and numero.modo is not perfil.lector.modo:
            suyos.append(_otro_modo(dispositivo, perfil.lector.modo))
        faltan += [r for r in suyos if r is not None]
    return faltan


def correr(opciones: Namespace, bus: Bus | None = None) -> int:
    """Dice lo que hay. El `bus` se da en las pruebas; si no, es el de udev."""
    perfiles = leer_perfiles(opciones.perfiles)
    try:
        bus = bus or BusUdev(perfiles)
        presentes = bus.presentes()
        aviso = bus.aviso()
    except (OSError, ImportError) as error:
        raise Falla(
            "SIN_UDEV",
            "No se puede saber qué aparatos hay conectados",
            f"udev no contesta ({str(error)[:80]})",
            "si es el kiosco, reinícielo; si es un contenedor, así es",
        ) from error
    faltan = ([aviso] if aviso else []) + faltantes(presentes, perfiles)
    if opciones.json:
        dato = {"dispositivos": [asdict(d) for d in presentes], "faltantes": [asdict(r) for r in faltan]}
        anunciar(json.dumps(dato, ensure_ascii=False, indent=2))
    else:
        for dispositivo in presentes:
            anunciar(_renglon(dispositivo))
        for rechazo in faltan:
            anunciar(f"! {rechazo}")
    return NO_COINCIDE if faltan else BIEN


def _renglon(d: Dispositivo) -> str:
    datos = [f"{d.clase.nombre}: {d.nombre}", f"USB {d.vid}:{d.pid}", d.nodo or "sin nodo"]
    if d.serie:
        datos.append(f"serie {d.serie}")
    if d.perfil:
        datos.append(f"perfil {d.perfil}")
    if d.clase is Clase.USB:
        datos.append("se puede retirar" if d.extraible else "disco fijo")
        datos += [f"{p.nodo} {p.sistema or 'sin formato conocido'} {p.bytes // 2**20} MiB" for p in d.particiones]
    return " · ".join(datos)


def _no_se_ve(clase: Clase) -> Rechazo:
    siguiente = "revise que esté encendido y conectado; espere diez segundos y repita"
    causa = "está apagado, sin corriente, o su cable USB se soltó"
    return Rechazo(f"SIN_{clase.upper()}", f"No se ve ningún {clase.nombre}", causa, siguiente)


def _sin_nodo(dispositivo: Dispositivo) -> Rechazo:
    que = f"El {dispositivo.nombre} está conectado y el sistema no lo puede abrir"
    causa = "acaba de conectarse, o a este sistema le falta su controlador"
    return Rechazo("SIN_NODO", que, causa, "espere diez segundos; si sigue igual, desconéctelo y conéctelo")


def _otro_modo(dispositivo: Dispositivo, modo: ModoDeLector) -> Rechazo:
    que = f"El {dispositivo.nombre} no está en modo {modo}"
    siguiente = f"léale el código de modo {modo} de su guía rápida; mientras, se puede usar así"
    return Rechazo("MODO_DE_LECTOR", que, "así sale de fábrica", siguiente)


def _preparar(argumentos: ArgumentParser) -> None:
    con_perfiles(argumentos)
    argumentos.add_argument("--json", action="store_true", help="para que lo lea otro programa")


SUBORDEN = Suborden("dispositivos", "qué aparatos hay conectados, con su perfil y lo que les falta", _preparar, correr)
