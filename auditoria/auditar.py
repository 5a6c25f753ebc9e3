"""Orden que audita una base publicada: `./prep auditar ARCHIVO [--json]`.

Acepta el CSV, el zip de un corte o un paquete con varias elecciones. Sale con 0 si es consistente, 1 si hay
discrepancias y 2 si algo no se pudo leer.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from auditoria import inferencia, resumen, revision
from auditoria import reglas_renglon as reglas
from auditoria.ficha import Estado, Ficha, leer_ficha
from auditoria.informe import Cotejo, Hallado, Informe, Veredicto
from auditoria.redaccion import redactar, visible
from auditoria.reglas_renglon import Violacion
from nucleo.base_oficial.ilegible import BaseIlegible
from nucleo.base_oficial.lectura import BaseLeida, Renglon, leer_csv
from nucleo.base_oficial.paquetes import MAXIMO_BYTES, Archivo, bases
from nucleo.problema_archivo import Problema

USO: Final = """Uso: ./prep auditar ARCHIVO [--json]

Audita una base de datos publicada por un PREP (CSV, zip o tar.gz), sin más información que el propio archivo.
  --json   imprime un objeto JSON (una lista si el paquete trae varias bases)
  --ayuda  muestra este texto
Salida: 0 consistente, 1 hay discrepancias, 2 no se pudo leer."""

_SALIDA: Final = {Veredicto.CONSISTENTE: 0, Veredicto.DISCREPANCIAS: 1, Veredicto.ILEGIBLE: 2}

_SALIDA_CERRADA: Final = (OSError, ValueError, AttributeError)
"""Lo que lanza Python al escribir en un disco lleno, un archivo cerrado o una salida que no existe (`>&-`)."""

_COTEJOS: Final = (
    (
        "TOTAL_VOTOS_CALCULADO",
        "suma de todos los renglones de votos",
        (reglas.TOTAL_CALCULADO_NO_SUMA,),
    ),
    (
        "CONTABILIZADA",
        "2 fuera de catálogo; 0 sin acta, sin nada legible o excedida; 1 las demás",
        (
            reglas.TODOS_SIN_DATO_CONTABILIZADA,
            reglas.EXCEDE_CONTABILIZADA,
            reglas.CONTABILIZADA_NO_CORRESPONDE,
            reglas.VOTOS_EN_ACTA_EXCLUIDA,
            reglas.FUERA_DE_CATALOGO_CON_CASILLA,
            reglas.PENDIENTE_CON_DATOS,
        ),
    ),
    (
        "OBSERVACIONES",
        "las que resultan de los campos del acta",
        (reglas.OBSERVACION_NO_CORRESPONDE, reglas.OBSERVACION_DESCONOCIDA),
    ),
    (
        "CLAVE_CASILLA",
        "entidad, sección, tipo, número y extraordinaria contigua",
        (reglas.CLAVE_CASILLA_NO_COMPONE,),
    ),
    ("CLAVE_ACTA", "clave de casilla y tipo de acta, con o sin ceros", (reglas.CLAVE_ACTA_NO_COMPONE,)),
    ("LISTA_NOMINAL", "cero en las casillas especiales", (reglas.ESPECIAL_CON_LISTA_NOMINAL,)),
)


_MAL_USO: Final = (
    "la orden está mal escrita",
    "falta el archivo, sobra alguno o la opción no existe",
    "escriba: ./prep auditar ARCHIVO --json",
)
_FALLO: Final = ("es un defecto de este programa o faltó memoria", "repórtelo junto con el archivo")
_NADA_QUE_COMPROBAR: Final = (
    "no trae renglones de acta ni cifras que se puedan comprobar",
    "se publicó vacía o sin las columnas que se derivan de otras",
    "descargue otra vez el archivo; si sigue igual, pida al instituto la base completa",
)


def auditar_archivo(ruta: Path) -> list[Informe]:
    """Audita un archivo.

    Un informe por cada base que contenga, o uno solo con el problema si no se pudo abrir.
    """
    try:
        if ruta.stat().st_size > MAXIMO_BYTES:
            raise BaseIlegible(
                ruta.name,
                0,
                f"pesa más de {MAXIMO_BYTES // 1024 // 1024} MB",
                "no es una base PREP: la nacional de una elección ronda 60 MB",
                "revise de dónde se descargó",
            )
        archivos = bases(ruta.read_bytes(), ruta.name)
    except OSError as error:
        problema = Problema(
            ruta.name,
            0,
            f"el archivo no se pudo abrir ({error.strerror})",
            "no existe, es una carpeta o no hay permiso",
            "revise la ruta",
        )
        return [Informe(ruta.name, problema)]
    except BaseIlegible as error:
        return [Informe(ruta.name, error.problema)]
    return [auditar_base(archivo) for archivo in archivos]


def auditar_base(archivo: Archivo) -> Informe:
    """Audita el CSV de una elección."""
    try:
        base = leer_csv(archivo.contenido, archivo.nombre)
    except BaseIlegible as error:
        return Informe(archivo.nombre, error.problema)
    fichas = [leer_ficha(base, renglon) for renglon in base.renglones]
    criterios = revision.deducir(base, fichas)
    violaciones = revision.revisar(base, fichas, criterios)
    hallado = Hallado(
        tipo_eleccion=base.tipo_eleccion,
        corte=base.corte_texto,
        dialecto=base.dialecto,
        esperadas=resumen.comparar_esperadas(base, fichas),
        resumen=resumen.recalcular(base, fichas),
        renglones=len(fichas),
        por_contabilizada=Counter(f.publicada for f in fichas),
        columnas=_cotejar(base, fichas, violaciones),
        violaciones=violaciones,
        planilla=inferencia.planilla(base),
        criterios=criterios,
    )
    if not hallado.comprobado:
        return Informe(archivo.nombre, Problema(archivo.nombre, 0, *_NADA_QUE_COMPROBAR))
    return Informe(archivo.nombre, hallado)


def _cotejar(base: BaseLeida, fichas: Sequence[Ficha], violaciones: Sequence[Violacion]) -> list[Cotejo]:
    cotejos = []
    for columna, regla, rompen in _COTEJOS:
        if columna in base.posiciones:
            revisados = sum(
                _se_revisa(columna, base, renglon, ficha) for renglon, ficha in zip(base.renglones, fichas, strict=True)
            )
            mal = len({v.linea for v in violaciones if v.regla in rompen})
            cotejos.append(Cotejo(columna, revisados, revisados - mal, regla))
    return cotejos


def _se_revisa(columna: str, base: BaseLeida, renglon: Renglon, ficha: Ficha) -> bool:
    if columna == "CONTABILIZADA":
        return True
    if columna == "LISTA_NOMINAL":
        return ficha.especial
    if columna in ("CLAVE_CASILLA", "CLAVE_ACTA"):
        comprobable = columna == "CLAVE_ACTA" or revision.clave_comprobable(base, renglon, ficha)
        return comprobable and ficha.estado is not Estado.FUERA_DE_CATALOGO
    return ficha.estado is Estado.CAPTURADA


def main(argumentos: Sequence[str] | None = None) -> int:
    """Punto de entrada; devuelve el código de salida. Un fallo propio sale con 2: 1 es sólo «hay discrepancias»."""
    recibidos = list(sys.argv[1:] if argumentos is None else argumentos)
    en_json = "--json" in recibidos
    try:
        salida, texto = _atender(recibidos)
    except Exception as error:
        # Cualquier otra salida se tomaría por un veredicto o dejaría sin JSON a quien lo espera.
        salida, texto = 2, _fallo(error, en_json)
    return salida if _escribir(texto, en_json) else 2


def _atender(recibidos: Sequence[str]) -> tuple[int, str]:
    opciones = {a for a in recibidos if a.startswith("-")}
    rutas = [a for a in recibidos if not a.startswith("-")]
    if opciones & {"--ayuda", "--help", "-h"}:
        return 0, USO + "\n"
    if len(rutas) != 1 or opciones - {"--json"}:
        if "--json" in opciones:
            return 2, _en_json([Informe("", Problema("", 0, *_MAL_USO))])
        print(USO, file=sys.stderr)
        return 2, ""
    informes = auditar_archivo(Path(rutas[0]))
    texto = _en_json(informes) if opciones else "\n".join(redactar(informe) for informe in informes)
    return max(_SALIDA[informe.veredicto] for informe in informes), texto


def _en_json(informes: Sequence[Informe]) -> str:
    objetos = [informe.a_json() for informe in informes]
    return json.dumps(objetos[0] if len(objetos) == 1 else objetos, ensure_ascii=False, indent=2) + "\n"


def _fallo(error: Exception, en_json: bool) -> str:
    que = f"la auditoría falló por dentro ({type(error).__name__})"
    if en_json:
        return _en_json([Informe("", Problema("", 0, que, *_FALLO))])
    _quejarse(f"{que}; {_FALLO[1]}")
    return ""


def _escribir(texto: str, en_json: bool) -> bool:
    """Si se pudo entregar completo. Lo que la terminal no sabe escribir sale con otro signo, nunca como error."""
    try:
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(encoding="utf-8" if en_json else None, errors="replace")
        sys.stdout.write(texto)
        sys.stdout.flush()
    except _SALIDA_CERRADA as error:
        _quejarse(f"el informe no se pudo escribir ({error}); libere espacio o envíelo a otro archivo")
        # Al terminar, Python volvería a vaciar lo pendiente y cambiaría el código de salida.
        with contextlib.suppress(*_SALIDA_CERRADA):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return False
    return True


def _quejarse(que: str) -> None:
    with contextlib.suppress(*_SALIDA_CERRADA):
        print(f"auditar: {visible(que)}.", file=sys.stderr)


if __name__ == "__main__":
    # Como cualquier orden de Unix: si `head` cierra la tubería, se termina en silencio.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    sys.exit(main())
