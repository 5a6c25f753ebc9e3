"""De los bytes de un TOML al perfil que describe, o a todos sus defectos, cada uno con su línea."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Final, TypeVar

from appliance.dispositivos import esquema as e
from appliance.dispositivos.perfil import (
    Clase,
    FallaConocida,
    Firmware,
    IdUsb,
    Lector,
    ModoDeLector,
    Perfil,
    Sane,
)
from appliance.escaneo.opciones import MEDIDAS, opcion_prohibida, variable_prohibida
from nucleo.definicion.esquema import Claves
from nucleo.definicion.sintaxis import abrir
from nucleo.definicion.tabla import Lectura
from nucleo.problema_archivo import Problema

_Enumerado = TypeVar("_Enumerado", Clase, ModoDeLector)

GENERICO: Final = "generico"
"""Clave del perfil con que se maneja el escáner que no tiene el suyo."""


def leer_perfil(toml: bytes, nombre: str, comunes: Sequence[FallaConocida]) -> Perfil | list[Problema]:
    """El perfil que describen esos bytes, con las fallas comunes ya incluidas.

    Args:
        toml: el archivo entero.
        nombre: el del archivo, para los mensajes; sin `.toml` debe ser la clave.
        comunes: las de `fallas.toml`.
    """
    abierto = _abrir(toml, nombre, e.ESQUEMA)
    if isinstance(abierto, Problema):
        return [abierto]
    lectura, tabla = abierto
    perfil = _perfil(tabla, comunes)
    if perfil.clave and f"{perfil.clave}.toml" != nombre:
        que = f"el archivo se llama {nombre} y su clave es {perfil.clave}"
        tabla.problema(que, "se copió de otro perfil", "iguálelos", "clave")
    return sorted(lectura.problemas) or perfil


def leer_fallas(toml: bytes, nombre: str) -> tuple[FallaConocida, ...] | list[Problema]:
    """Las fallas comunes, en el orden del archivo; la última es la de «no se sabe», que nada reconoce."""
    abierto = _abrir(toml, nombre, e.COMUNES)
    if isinstance(abierto, Problema):
        return [abierto]
    lectura, tabla = abierto
    fallas = _fallas(tabla, ())
    if not fallas or fallas[-1].estados or fallas[-1].dice is not None:
        que = "la última falla no es la de «no se sabe»"
        tabla.problema(
            que, "tiene «estados» o «dice», o falta", "termine con una falla que sólo tenga palabras", "fallas"
        )
    return sorted(lectura.problemas) or fallas


def _abrir(toml: bytes, nombre: str, esquema: Mapping[str, Claves]) -> tuple[Lectura, e.TablaDePerfil] | Problema:
    abierto = abrir(toml, nombre)
    if isinstance(abierto, Problema):
        return abierto
    lectura, _ = abierto
    # `abrir` juzgó la raíz como si fuera la definición del proceso; las llaves de aquí son otras.
    lectura.problemas.clear()
    return lectura, e.TablaDePerfil(lectura, (), tomllib.loads(toml.decode("utf-8")), e.RAIZ, esquema)


def _perfil(tabla: e.TablaDePerfil, comunes: Sequence[FallaConocida]) -> Perfil:
    clase = _enumerado(tabla, "clase", Clase.ESCANER)
    perfil = Perfil(
        clave=tabla.texto("clave", e.CLAVE),
        clase=clase,
        marca=tabla.texto("marca", e.ROTULO),
        modelo=tabla.texto("modelo", e.ROTULO),
        simulado=tabla.logico("simulado"),
        notas=tabla.texto("notas", e.FRASE),
        usb=tuple(_id_usb(t, clase) for t in tabla.tablas("usb", "usb")),
        sane=_sane(tabla.tabla("sane", "sane")),
        lector=_lector(tabla.tabla("lector", "lector")),
        firmware=_firmware(tabla.tabla("firmware", "firmware")),
        pasos=_pasos(tabla.tabla("diagnostico", "diagnostico")),
        fallas=_fallas(tabla, comunes),
    )
    _concordar(tabla, perfil)
    return perfil


def _concordar(tabla: e.TablaDePerfil, perfil: Perfil) -> None:
    """Lo que una llave exige de otra."""
    for llave, clase in (("sane", Clase.ESCANER), ("lector", Clase.LECTOR)):
        if (llave in tabla) != (perfil.clase is clase):
            que = f"[{llave}] {'sobra' if llave in tabla else 'falta'} en un perfil de clase {perfil.clase}"
            tabla.problema(
                que, "se copió de un perfil de otra clase", f"[{llave}] es sólo de la clase {clase}", "clase"
            )
    sin_numero = perfil.simulado or perfil.clave == GENERICO
    if sin_numero and "usb" in tabla:
        que = "lleva [[usb]] y no es un modelo que se conecte"
        tabla.problema(que, "los simulados y el genérico no tienen número USB", "quite [[usb]]", "usb")
    if not sin_numero and not perfil.usb and "usb" not in tabla:
        tabla.problema("falta [[usb]]", "se copió a medias", "agregue el número USB del modelo, con su fuente")
    repetidos = {str(i) for i in perfil.usb if [str(j) for j in perfil.usb].count(str(i)) > 1}
    if repetidos - {":"}:
        que = f"{', '.join(sorted(repetidos))} aparece dos veces en [[usb]]"
        tabla.problema(que, "se copió sin cambiarlo", "deje uno", "usb")


def _enumerado(tabla: e.TablaDePerfil, llave: str, defecto: _Enumerado) -> _Enumerado:
    """El valor de esa llave, o `defecto` si falta o no es uno de los de su enumeración."""
    valores = {str(v): v for v in type(defecto)}
    return valores.get(tabla.uno_de(llave, tuple(valores), str(defecto)), defecto)


def _id_usb(tabla: e.TablaDePerfil, clase: Clase) -> IdUsb:
    if (clase is Clase.LECTOR) != ("modo" in tabla):
        que = f"«modo» {'sobra' if 'modo' in tabla else 'falta'} en [[usb]]"
        tabla.problema(que, "sólo los lectores tienen modo", "un lector dice teclado o serie; lo demás, nada")
    return IdUsb(
        vid=tabla.texto("vid", e.HEX4),
        pid=tabla.texto("pid", e.HEX4),
        verificado=tabla.logico("verificado"),
        fuente=tabla.texto("fuente", e.FRASE),
        modo=_enumerado(tabla, "modo", ModoDeLector.SERIE) if clase is Clase.LECTOR else None,
    )


def _sane(tabla: e.TablaDePerfil | None) -> Sane | None:
    if tabla is None:
        return None
    return Sane(
        backend=tabla.texto("backend", e.BACKEND),
        origen=tabla.uno_de("origen", e.ORIGENES, "debian"),
        dispositivo=_expresion(tabla, "dispositivo") or re.compile(""),
        modos=_modos(tabla),
        entorno=_entorno(tabla),
        verificado=tabla.logico("verificado"),
        fuente=tabla.texto("fuente", e.FRASE),
    )


def _modos(tabla: e.TablaDePerfil) -> Mapping[str, tuple[str, ...]]:
    modos: dict[str, tuple[str, ...]] = {}
    for modo, opciones in tabla.pares("modos").items():
        if not e.MODO.fullmatch(modo):
            tabla.problema(
                f"el modo «{modo[:40]}» no se puede usar", "tiene otros signos", "use minúsculas y _", "modos", modo
            )
        elif not isinstance(opciones, list) or not all(isinstance(o, str) for o in opciones):
            tabla.problema(
                f"«{modo}» no es una lista de textos", "faltan comillas o corchetes", "escríbala", "modos", modo
            )
        else:
            for i, opcion in enumerate(opciones):
                if opcion_prohibida(opciones[i - 1] if i else "", opcion):
                    que = f"el modo {modo} no puede llevar la opción {opcion[:60]!r}"
                    causa = "no es una opción del controlador, o le falta su medida"
                    tabla.problema(que, causa, "use --opcion=valor, o -x, -y, -l, -t y su medida", "modos", modo, i)
            modos[modo] = tuple(opciones)
            if opciones and opciones[-1] in MEDIDAS:
                que = f"al modo {modo} le falta la medida de {opciones[-1]}"
                tabla.problema(que, "se cortó la lista", "agregue los milímetros", "modos", modo)
    if "modos" in tabla and "adf_carta" not in tabla.pares("modos"):
        tabla.problema("falta el modo adf_carta", "es con el que se digitaliza un acta", "agréguelo", "modos")
    return modos


def _entorno(tabla: e.TablaDePerfil) -> Mapping[str, str]:
    entorno: dict[str, str] = {}
    for variable, nivel in tabla.pares("entorno").items():
        if isinstance(nivel, str) and not variable_prohibida(variable, nivel):
            entorno[variable] = nivel
        else:
            que = f"«{variable[:60]}» no se puede poner en el entorno del controlador"
            siguiente = 'sólo se admite SANE_DEBUG_… = "número"'
            tabla.problema(que, "un perfil no cambia otras variables", siguiente, "entorno", variable)
    return entorno


def _lector(tabla: e.TablaDePerfil | None) -> Lector | None:
    if tabla is None:
        return None
    return Lector(_enumerado(tabla, "modo", ModoDeLector.SERIE), tabla.uno_de("sufijo", e.SUFIJOS, "CR"))


def _firmware(tabla: e.TablaDePerfil | None) -> Firmware:
    if tabla is None:
        return Firmware()
    firmware = Firmware(
        version=tabla.texto("version", e.REVISION),
        archivo=tabla.texto("archivo", e.ARCHIVO),
        destino=tabla.texto("destino", e.DESTINO),
        sha256=tabla.texto("sha256", e.SHA256),
        fuente=tabla.texto("fuente", e.FRASE),
    )
    llaves = [llave for llave in ("archivo", "destino", "sha256") if llave in tabla]
    if llaves and (len(llaves) < 3 or not firmware.archivo or not firmware.destino):
        que = "el firmware está a medias"
        siguiente = "escriba archivo, destino y sha256 (vacía si el instituto aún no la fija), o ninguno de los tres"
        tabla.problema(que, "falta archivo, destino o sha256", siguiente)
    elif firmware.archivo and PurePosixPath(firmware.destino).name != firmware.archivo:
        que = f"«destino» no termina en {firmware.archivo}"
        tabla.problema(que, "se copió de otro perfil", "el controlador lo busca con ese nombre", "destino")
    return firmware


def _pasos(tabla: e.TablaDePerfil | None) -> tuple[str, ...]:
    return () if tabla is None else tabla.textos("pasos", e.FRASE) or ()


def _fallas(tabla: e.TablaDePerfil, comunes: Sequence[FallaConocida]) -> tuple[FallaConocida, ...]:
    """Las del archivo fundidas con las comunes: la que afina ocupa el lugar de la común; la nueva va antes de todas."""
    por_clave = {falla.clave: falla for falla in comunes}
    nuevas: dict[str, FallaConocida] = {}
    vistas: set[str] = set()
    for t in tabla.tablas("fallas", "fallas"):
        base = por_clave.get(t.texto("clave", e.CLAVE), FallaConocida("", "", "", ""))
        falla = _falla(t, base)
        if falla.clave and falla.clave in vistas:
            t.problema(f"la falla {falla.clave} aparece dos veces", "se copió sin cambiarla", "deje una", "clave")
        vistas.add(falla.clave)
        if falla.clave in por_clave:
            por_clave[falla.clave] = falla
        else:
            nuevas[falla.clave] = falla
    return (*nuevas.values(), *por_clave.values())


def _falla(tabla: e.TablaDePerfil, base: FallaConocida) -> FallaConocida:
    falla = replace(
        base,
        clave=tabla.texto("clave", e.CLAVE),
        que=tabla.texto("que", e.FRASE, base.que),
        causa=tabla.texto("causa", e.FRASE, base.causa),
        siguiente=tabla.texto("siguiente", e.FRASE, base.siguiente),
    )
    if "estados" in tabla:
        falla = replace(falla, estados=_estados(tabla))
    if "dice" in tabla:
        falla = replace(falla, dice=_expresion(tabla, "dice"))
    for llave in ("que", "causa", "siguiente"):
        if llave not in tabla and falla.clave and not getattr(falla, llave):
            que = f"falta «{llave}» y no hay una falla común {falla.clave} de la cual tomarla"
            tabla.problema(que, "la clave está mal escrita, o es una falla nueva", f"agregue «{llave}»", "clave")
    return falla


def _estados(tabla: e.TablaDePerfil) -> tuple[int, ...]:
    estados: list[int] = []
    for i, estado in enumerate(tabla.textos("estados", e.EXPRESION) or ()):
        if estado in e.ESTADOS:
            estados.append(e.ESTADOS.index(estado))
        else:
            siguiente = f"escriba uno de {', '.join(e.ESTADOS)}"
            tabla.problema(f"{estado[:40]!r} no es un estado de SANE", "está mal escrito", siguiente, "estados", i)
    return tuple(estados)


def _expresion(tabla: e.TablaDePerfil, llave: str) -> re.Pattern[str] | None:
    texto = tabla.texto(llave, e.EXPRESION)
    try:
        expresion = re.compile(texto, re.IGNORECASE if llave == "dice" else 0)
    except (re.error, OverflowError, RecursionError) as error:
        tabla.problema(f"«{llave}» no es una expresión regular", str(error)[:80], "corrija la expresión", llave)
        return None
    if texto and expresion.fullmatch(""):
        siguiente = "escriba algo que no coincida con un texto vacío"
        tabla.problema(f"«{llave}» coincide con cualquier cosa", "un * o un | de más", siguiente, llave)
    return expresion
