"""Valida lo poco de JSON Schema 2020-12 que usa `esquema.json`; una palabra que no conozca es un error."""

from __future__ import annotations

import re
from typing import Any, Final

_ANOTACIONES: Final = {"description", "x-fuente", "$schema", "$comment"}
_TIPOS: Final[dict[str, tuple[type, ...]]] = {
    "object": (dict,),
    "array": (list,),
    "integer": (int,),
    "string": (str,),
    "boolean": (bool,),
    "null": (type(None),),
}


def faltas(dato: Any, forma: dict[str, Any], donde: str = "") -> list[str]:
    """Lo que ese dato no cumple; vacío si cumple todo."""
    malas: list[str] = []
    for palabra, valor in forma.items():
        match palabra:
            case "type":
                if not isinstance(dato, _TIPOS[valor]) or (valor == "integer" and isinstance(dato, bool)):
                    malas.append(f"{donde}: {dato!r} no es {valor}")
            case "const":
                if dato != valor:
                    malas.append(f"{donde}: {dato!r} no es {valor!r}")
            case "enum":
                if dato not in valor:
                    malas.append(f"{donde}: {dato!r} no es uno de {valor}")
            case "minimum":
                if isinstance(dato, int) and dato < valor:
                    malas.append(f"{donde}: {dato} es menor que {valor}")
            case "pattern":
                if isinstance(dato, str) and re.search(valor, dato) is None:
                    malas.append(f"{donde}: {dato!r} no tiene la forma {valor}")
            case "items":
                if isinstance(dato, list):
                    malas += [f for n, e in enumerate(dato) for f in faltas(e, valor, f"{donde}[{n}]")]
            case "required":
                if isinstance(dato, dict):
                    malas += [f"{donde}: falta {llave}" for llave in valor if llave not in dato]
            case "properties":
                if isinstance(dato, dict):
                    malas += [f for k, v in valor.items() if k in dato for f in faltas(dato[k], v, f"{donde}.{k}")]
            case "additionalProperties":
                if isinstance(dato, dict):
                    ajenas = [llave for llave in dato if llave not in forma.get("properties", {})]
                    if valor is False:
                        malas += [f"{donde}: sobra {llave}" for llave in ajenas]
                    else:
                        malas += [f for k in ajenas for f in faltas(dato[k], valor, f"{donde}.{k}")]
            case "anyOf":
                if all(faltas(dato, opcion) for opcion in valor):
                    malas.append(f"{donde}: {str(dato)[:60]!r} no cumple ninguna de sus formas")
            case _:
                if palabra not in _ANOTACIONES:
                    raise ValueError(f"el validador de pruebas no conoce {palabra!r}")
    return malas
