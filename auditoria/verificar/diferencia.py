"""Dónde empieza a diferir un archivo publicado del que sale de los hechos, dicho para una persona."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

from nucleo.publicacion.mentira import Mentira

_CORTO = 160


def exigir_igual(donde: str, dicho: bytes, debia: bytes) -> None:
    """Que sean los mismos bytes. Raises: Mentira, con la primera diferencia."""
    if dicho == debia:
        return
    lugar, decia, deberia = _diferencia(dicho, debia)
    raise Mentira(
        f"{donde}{lugar}",
        decia,
        deberia,
        "No sale de los hechos firmados que están en el registro: alguien lo cambió o lo calculó mal.",
    )


def _diferencia(dicho: bytes, debia: bytes) -> tuple[str, str, str]:
    if dicho[:2] == debia[:2] == b"PK":
        return _de_zip(dicho, debia)
    try:
        uno, otro = json.loads(dicho), json.loads(debia)
    except (ValueError, RecursionError):
        return _de_renglones(dicho, debia)
    return _de_json("", uno, otro) or _de_renglones(dicho, debia)


def _de_zip(dicho: bytes, debia: bytes) -> tuple[str, str, str]:
    bueno = zipfile.ZipFile(io.BytesIO(debia))
    try:
        otro = zipfile.ZipFile(io.BytesIO(dicho))
        for nombre in bueno.namelist():
            uno, debido = otro.read(nombre), bueno.read(nombre)
            if uno != debido:
                lugar, decia, deberia = _de_renglones(uno, debido)
                return f", {nombre}{lugar}", decia, deberia
    except (zipfile.BadZipFile, KeyError, OSError, ValueError, NotImplementedError, RuntimeError, EOFError) as error:
        return "", f"un zip que no se puede leer ({str(error)[:_CORTO]})", f"uno con {', '.join(bueno.namelist())}"
    return _de_renglones(dicho, debia)


def _de_renglones(dicho: bytes, debia: bytes) -> tuple[str, str, str]:
    unos, otros = dicho.split(b"\n"), debia.split(b"\n")
    for numero, (uno, otro) in enumerate(zip(unos, otros, strict=False), 1):
        if uno != otro:
            return f", renglón {numero}", _recortado(uno, otro), _recortado(otro, uno)
    return "", f"{len(dicho)} bytes", f"{len(debia)} bytes"


def _recortado(este: bytes, otro: bytes) -> str:
    """El pedazo en que difieren: un renglón puede medir miles."""
    comunes = next((i for i, (a, b) in enumerate(zip(este, otro, strict=False)) if a != b), min(len(este), len(otro)))
    desde = max(0, comunes - 40)
    texto = este[desde : desde + _CORTO].decode("utf-8", "replace")
    return f"«{'…' if desde else ''}{''.join(c if c.isprintable() else '·' for c in texto)}»"


def _de_json(lugar: str, uno: Any, otro: Any) -> tuple[str, str, str] | None:
    if isinstance(uno, dict) and isinstance(otro, dict) and list(uno) == list(otro):
        pares = [(f"{lugar}.{llave}" if lugar else str(llave), uno[llave], otro[llave]) for llave in otro]
    elif isinstance(uno, list) and isinstance(otro, list) and len(uno) == len(otro):
        pares = [(f"{lugar}[{i}]", a, b) for i, (a, b) in enumerate(zip(uno, otro, strict=True))]
    elif uno == otro and type(uno) is type(otro):
        return None
    else:
        decia, debia = (json.dumps(x, ensure_ascii=False)[:_CORTO] for x in (uno, otro))
        return f", «{lugar[:_CORTO]}»", decia, debia
    return next((d for nombre, a, b in pares if (d := _de_json(nombre, a, b)) is not None), None)
