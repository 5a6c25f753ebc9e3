"""La documentación de los aparatos, a partir de los perfiles: `docs/dispositivos.md` es exactamente lo que esto da."""

from __future__ import annotations

from collections.abc import Iterator

from appliance.dispositivos.perfil import Clase, FallaConocida, Firmware, Perfil
from appliance.dispositivos.perfiles import Perfiles

_INICIO = """\
# Aparatos: escáneres y lectores con perfil

Esta página la escribe `./prep catd fichas` a partir de `firmware_scanners/`: para cambiarla se cambia el perfil.
De esos mismos archivos salen las reglas udev (`./prep catd reglas`), los ajustes con que se digitaliza, los mensajes de
las pantallas y lo que revisa `./prep catd firmware`. `./prep catd dispositivos` dice qué hay conectado ahora.

Un escáner que no esté aquí y que SANE reconozca se maneja con el perfil genérico, y el kiosco lo dice.
«Verificado» quiere decir que la fuente citada lo confirma, no que se haya probado el aparato: eso lo hace el instituto
con una hoja antes de la jornada.
"""


def generar(perfiles: Perfiles) -> str:
    """El documento completo, en Markdown. Los simulados no aparecen: en producción no existen."""
    reales = [p for p in perfiles.todos if not p.simulado]
    comunes = {f.clave: f for f in perfiles.fallas_comunes}
    lineas = [
        _INICIO,
        "| Clave | Aparato | Clase | USB | Controlador | Firmware | Verificado |",
        "|---|---|---|---|---|---|---|",
    ]
    lineas += [_renglon(p) for p in reales]
    for perfil in reales:
        lineas += ["", *_ficha(perfil, comunes)]
    lineas += ["", "## Fallas y sus palabras", ""]
    lineas += ["Valen para todo escáner, salvo lo que su ficha diga distinto. Se buscan en este orden.", ""]
    lineas += ["| Falla | Qué pasó | Causa más probable | Siguiente paso |", "|---|---|---|---|"]
    lineas += [_falla(f) for f in perfiles.fallas_comunes]
    return "\n".join(lineas) + "\n"


def _renglon(perfil: Perfil) -> str:
    usb = ", ".join(f"`{i}`" for i in perfil.usb) or "—"
    controlador = f"`{perfil.sane.backend}`" if perfil.sane else "—"
    verificado = "sí" if perfil.verificado else "no"
    celdas = (f"`{perfil.clave}`", perfil.nombre, perfil.clase.nombre, usb, controlador, _firmware(perfil.firmware))
    return f"| {' | '.join(map(_celda, celdas))} | {verificado} |"


def _firmware(firmware: Firmware) -> str:
    if not firmware.archivo:
        return "no se le carga"
    return f"`{firmware.archivo}`" + ("" if firmware.sha256 else ": el instituto debe fijar su SHA-256")


def _ficha(perfil: Perfil, comunes: dict[str, FallaConocida]) -> Iterator[str]:
    yield f"## {perfil.nombre}"
    yield ""
    if perfil.notas:
        yield f"{perfil.notas[0].upper()}{perfil.notas[1:]}."
        yield ""
    for numero in perfil.usb:
        modo = f" en modo {numero.modo}" if numero.modo else ""
        yield f"- USB `{numero}`{modo}: {_dicho(numero.verificado)}{numero.fuente}."
    if perfil.sane is not None:
        origen = "de Debian" if perfil.sane.origen == "debian" else "del fabricante, aparte"
        yield f"- Controlador `{perfil.sane.backend}` ({origen}): {_dicho(perfil.sane.verificado)}{perfil.sane.fuente}."
        for modo, opciones in perfil.sane.modos.items():
            yield f"- Modo `{modo}`: `{' '.join(_entrecomillada(o) for o in opciones)}`"
        for variable, nivel in perfil.sane.entorno.items():
            yield f"- Entorno del controlador: `{variable}={nivel}`"
    if perfil.lector is not None:
        yield f"- Conviene en modo {perfil.lector.modo}, con sufijo {perfil.lector.sufijo}."
    yield from _ficha_de_firmware(perfil.firmware)
    if perfil.pasos:
        yield ""
        yield "Si no anda, en este orden:"
        yield ""
        yield from (f"{n}. {paso}" for n, paso in enumerate(perfil.pasos, 1))
    propias = [f for f in perfil.fallas if f != comunes.get(f.clave)] if perfil.clase is Clase.ESCANER else []
    if propias:
        yield ""
        yield "| Falla | Qué pasó | Causa más probable | Siguiente paso |"
        yield "|---|---|---|---|"
        yield from map(_falla, propias)


def _ficha_de_firmware(firmware: Firmware) -> Iterator[str]:
    if firmware.archivo:
        huella = (
            f"SHA-256 `{firmware.sha256}`" if firmware.sha256 else "se rechaza hasta que el instituto fije su SHA-256"
        )
        yield f"- Firmware `{firmware.archivo}` en `{firmware.destino}`: {huella} ({firmware.fuente})."
    if firmware.version:
        yield f"- Versión esperada (`bcdDevice`): `{firmware.version}` ({firmware.fuente})."


def _falla(falla: FallaConocida) -> str:
    return f"| {' | '.join(map(_celda, (f'`{falla.clave}`', falla.que, falla.causa, falla.siguiente)))} |"


def _dicho(verificado: bool) -> str:
    return "" if verificado else "**sin verificar**; "


def _entrecomillada(opcion: str) -> str:
    return f'"{opcion}"' if " " in opcion else opcion


def _celda(texto: str) -> str:
    return texto.replace("|", "\\|")
