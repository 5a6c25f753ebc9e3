"""Los perfiles que hay, buscados por lo que el aparato dice de sí, y lo que de ellos necesita quien digitaliza.

perfiles = leer_perfiles(CARPETA)
perfil = perfiles.perfil_de("04c5", "132e")
opciones = opciones_sane(perfil, "adf_carta")          # argumentos de scanimage
rechazo = explicar(perfil, 6, "…double feed…")         # qué pasó, por qué y qué hacer
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from appliance.dispositivos.lectura import GENERICO, leer_fallas, leer_perfil
from appliance.dispositivos.perfil import Clase, FallaConocida, IdUsb, Perfil
from appliance.falla import Falla
from nucleo.definicion.sintaxis import MAXIMO_TOML
from nucleo.problema import Rechazo
from nucleo.problema_archivo import Problema

CARPETA: Final = Path(__file__).resolve().parents[2] / "firmware_scanners"
"""Donde están los perfiles en una copia del proyecto."""

FALLAS: Final = "fallas.toml"
MODO_DE_ACTA: Final = "adf_carta"
"""El modo que todo perfil de escáner tiene: charola, color, 200 ppp, carta, una cara."""

_MAXIMO_DICHO: Final = 4_000


class PerfilesInvalidos(Falla):
    """Los perfiles no se pueden usar. Lleva todos los defectos de todos los archivos."""

    def __init__(self, problemas: list[Problema]) -> None:
        self.problemas: Final = tuple(problemas)
        resto = f" (y {len(problemas) - 1} más)" if len(problemas) > 1 else ""
        primero = problemas[0]
        donde = f"{primero.archivo}, línea {primero.linea}" if primero.linea else primero.archivo
        super().__init__("PERFILES", f"{donde}: {primero.que}{resto}", primero.causa, primero.siguiente)


@dataclass(frozen=True)
class Perfiles:
    """Los perfiles leídos, por clave."""

    por_clave: Mapping[str, Perfil]
    por_usb: Mapping[tuple[str, str], Perfil]
    fallas_comunes: tuple[FallaConocida, ...]

    @property
    def todos(self) -> tuple[Perfil, ...]:
        return tuple(self.por_clave.values())

    @property
    def generico(self) -> Perfil:
        return self.por_clave[GENERICO]

    def perfil_de(self, vid: str, pid: str, propiedades: Mapping[str, str] | None = None) -> Perfil | None:
        """El perfil de ese número USB; el genérico si udev dice que SANE lo reconoce; si no, ninguno.

        Args:
            vid: cuatro cifras hexadecimales, como las da udev.
            pid: lo mismo.
            propiedades: las de udev (`libsane_matched`).
        """
        propio = self.por_usb.get((vid.lower(), pid.lower()))
        if propio is not None:
            return propio
        return self.generico if (propiedades or {}).get("libsane_matched") == "yes" else None

    def perfil_de_sane(self, nombre: str) -> Perfil:
        """El perfil de un nombre de `scanimage -L`. Si dos modelos comparten la forma de su nombre, el genérico.

        Quien sabe también el número USB debe preguntar por `perfil_de`: canon_dr y epsonds no dicen el modelo.
        """
        suyos = [p for p in self.todos if p.clave != GENERICO and _es_de(p, nombre)]
        return suyos[0] if len(suyos) == 1 else self.generico


def leer_perfiles(carpeta: Path = CARPETA, *, con_simulados: bool = False) -> Perfiles:
    """Todos los perfiles de la carpeta. Los simulados sólo están si se piden: en producción no existen.

    Raises:
        PerfilesInvalidos: con todos los defectos de todos los archivos.
    """
    problemas: list[Problema] = []
    toml = _leer(carpeta / FALLAS, problemas)
    comunes: tuple[FallaConocida, ...] = ()
    if toml is not None:
        leidas = leer_fallas(toml, FALLAS)
        if isinstance(leidas, tuple):
            comunes = leidas
        else:
            problemas += leidas
    por_clave: dict[str, Perfil] = {}
    for ruta in sorted(carpeta.glob("*.toml")):
        toml = _leer(ruta, problemas) if ruta.name != FALLAS else None
        perfil = leer_perfil(toml, ruta.name, comunes) if toml is not None else []
        if isinstance(perfil, Perfil):
            por_clave[perfil.clave] = perfil
        elif comunes:
            # Sin las comunes, cada perfil reclamaría las palabras que de ahí toma: se dice sólo la causa.
            problemas += perfil
    if GENERICO not in por_clave and not problemas:
        que = "no está el perfil genérico"
        problemas.append(Problema(f"{GENERICO}.toml", 0, que, "la carpeta está incompleta o es otra", "cópiela entera"))
    por_usb = _por_usb(por_clave, problemas)
    if problemas:
        raise PerfilesInvalidos(problemas)
    return Perfiles({c: p for c, p in por_clave.items() if con_simulados or not p.simulado}, por_usb, comunes)


def opciones_sane(perfil: Perfil, modo: str = MODO_DE_ACTA) -> list[str]:
    """Los argumentos de `scanimage` con que ese modelo digitaliza en ese modo.

    Raises:
        Falla: MODO_DE_ESCANER, si el aparato no es un escáner o no tiene ese modo.
    """
    if perfil.sane is None or modo not in perfil.sane.modos:
        tiene = ", ".join(perfil.sane.modos) if perfil.sane else "ninguno: no es un escáner"
        raise Falla(
            "MODO_DE_ESCANER",
            f"{perfil.nombre} no sabe digitalizar en el modo «{modo}»",
            f"los modos de su perfil son: {tiene}",
            "elija otro modo u otro escáner",
        )
    return list(perfil.sane.modos[modo])


def entorno_sane(perfil: Perfil) -> dict[str, str]:
    """Variables `SANE_DEBUG_…` con que debe correr `scanimage` para que `explicar` distinga las fallas."""
    return {} if perfil.sane is None else dict(perfil.sane.entorno)


def explicar(perfil: Perfil, estado_sane: int, dicho: str) -> Rechazo:
    """La falla, con las palabras del modelo. El código es la clave de la falla en mayúsculas.

    Manda lo que dijo el controlador sobre el estado, porque el estado es más general: al fujitsu le da «atasco» tanto
    una hoja trabada como dos hojas juntas. Entre dos que coinciden, la que el perfil puso antes.

    Args:
        estado_sane: `SANE_Status`, que es también el código de salida de `scanimage`.
        dicho: lo que escribieron `scanimage` y el controlador en su salida de errores.
    """
    return _en_palabras(reconocer(perfil, estado_sane, dicho))


def explicar_lote(
    perfil: Perfil, motivo: str, estado_sane: int, dicho: str, motivos: Collection[str]
) -> Rechazo | None:
    """Las palabras del modelo para un lote que terminó por `motivo`; `None` si el perfil no tiene esa falla.

    Quien vio el lote sabe en qué iba, y su motivo manda; salvo que el controlador haya dicho algo que ningún motivo
    distingue (le falta el firmware, o una falla propia del modelo): lo específico no lo tapa lo general.

    Args:
        motivos: todos los que distingue quien vio el lote.
    """
    suya = next((f for f in perfil.fallas if f.clave == motivo), None)
    dicha = reconocer(perfil, estado_sane, dicho)
    if suya is None:
        return None
    return _en_palabras(suya if dicha.clave in motivos else dicha)


def reconocer(perfil: Perfil, estado_sane: int, dicho: str) -> FallaConocida:
    """La falla que `explicar` pone en palabras; si ninguna coincide, la última, que es la de «no se sabe»."""
    # Lo último que dijo es lo que lo detuvo; acotado, porque un controlador puede escribir sin fin.
    final = dicho[-_MAXIMO_DICHO:]
    por_dicho = (f for f in perfil.fallas if f.dice is not None and f.dice.search(final))
    por_estado = (f for f in perfil.fallas if estado_sane in f.estados)
    return next(por_dicho, None) or next(por_estado, None) or perfil.fallas[-1]


def modo_del_lector(perfil: Perfil, vid: str, pid: str) -> IdUsb | None:
    """Con qué número, y por lo tanto en qué modo, está conectado ese lector."""
    if perfil.clase is not Clase.LECTOR:
        return None
    return next((i for i in perfil.usb if (i.vid, i.pid) == (vid.lower(), pid.lower())), None)


def _en_palabras(falla: FallaConocida) -> Rechazo:
    return Rechazo(falla.clave.upper(), falla.que, falla.causa, falla.siguiente)


def _es_de(perfil: Perfil, nombre: str) -> bool:
    return perfil.sane is not None and perfil.sane.dispositivo.fullmatch(nombre[:200]) is not None


def _por_usb(por_clave: Mapping[str, Perfil], problemas: list[Problema]) -> dict[tuple[str, str], Perfil]:
    por_usb: dict[tuple[str, str], Perfil] = {}
    for perfil in por_clave.values():
        for numero in perfil.usb:
            otro = por_usb.setdefault((numero.vid, numero.pid), perfil)
            if otro is not perfil:
                que = f"{numero} ya es de {otro.clave}"
                siguiente = "deje el número en un solo perfil"
                problemas.append(Problema(f"{perfil.clave}.toml", 0, que, "dos perfiles para un aparato", siguiente))
    return por_usb


def _leer(ruta: Path, problemas: list[Problema]) -> bytes | None:
    try:
        with ruta.open("rb") as archivo:
            return archivo.read(MAXIMO_TOML + 1)
    except OSError as error:
        que = f"no se pudo leer ({error.strerror})"
        causa = "no está, o es de otra cuenta"
        problemas.append(Problema(ruta.name, 0, que, causa, "copie entera la carpeta firmware_scanners del proyecto"))
        return None
