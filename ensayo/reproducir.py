"""`./prep reproducir ARCHIVO [--json]`: pasa una base publicada por toda la tubería y compara lo que sale con lo
publicado.

Auditar recalcula con fórmulas; reproducir vuelve a vivir: cada renglón se acopia, lo capturan dos personas, viaja en
sobres firmados, el centro los juzga y el corte se calcula de los hechos. Sale con 0 si todo coincide, 1 si hay
discrepancias y 2 si no se puede leer. La forma JSON es la de `auditar`.
"""

from __future__ import annotations

import argparse
import io
import json
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.progress import Progress

from auditoria import reglas_porcentaje
from ensayo.proceso_inferido import CLAVE_DE_ELECCION, Inferido, NoReproducible, inferir
from ensayo.tuberia import carpeta_en_memoria, montar, vivir
from nucleo.acta import Acta, ActaFueraDeCatalogo, ActaVerificada
from nucleo.base_oficial import paquetes
from nucleo.base_oficial.ilegible import BaseIlegible
from nucleo.base_oficial.lectura import BaseLeida, leer_csv
from nucleo.clasificacion import clasificar, cuenta_como_inconsistente, total_calculado
from nucleo.computo import RESUMEN, Resumen, resumir
from servicio_central.corte import actas_del_libro


@dataclass(frozen=True)
class Dato:
    """Un dato del resumen, publicado y reproducido."""

    campo: str
    publicado: str
    recalculado: str
    coincide: bool
    regla: str


@dataclass(frozen=True)
class Distinta:
    """Un acta cuyo valor derivado no es el publicado."""

    regla: str
    clave_acta: str
    detalle: str


@dataclass(frozen=True)
class Reproduccion:
    """Lo que resultó de volver a vivir una base."""

    archivo: str
    dialecto: str
    sobres: int
    resumen: tuple[Dato, ...]
    total: int
    por_contabilizada: Mapping[str, int]
    violaciones: tuple[Distinta, ...]
    avisos: tuple[str, ...]

    @property
    def consistente(self) -> bool:
        return not self.violaciones and all(d.coincide for d in self.resumen)

    def a_json(self) -> dict[str, Any]:
        """La forma estable de `auditar`, más los sobres que viajaron y lo que hubo que suponer."""
        return {
            "archivo": self.archivo,
            "dialecto": self.dialecto,
            "resumen": [vars(d) for d in self.resumen],
            "renglones": {
                "total": self.total,
                "por_contabilizada": dict(self.por_contabilizada),
                "violaciones": [vars(v) for v in self.violaciones],
            },
            "veredicto": "consistente" if self.consistente else "discrepancias",
            "sobres": self.sobres,
            "avisos": list(self.avisos),
        }


def reproducir(base: BaseLeida, avance: Progress | None = None) -> Reproduccion:
    """Vuelve a vivir una base leída.

    Raises:
        NoReproducible: si no trae lo necesario.
    """
    inferido = inferir(base)
    assert base.corte is not None
    tarea = avance.add_task(base.nombre[-50:], total=None) if avance else None

    def avanzar(hechas: int, total: int) -> None:
        if avance is not None and tarea is not None:
            avance.update(tarea, completed=hechas, total=max(total, 1))

    with carpeta_en_memoria() as carpeta:
        tuberia = montar(carpeta, inferido.proceso, inferido.proceso.inicio_operacion)
        sobres = vivir(tuberia, inferido.documentos, avanzar)
        actas = actas_del_libro(carpeta, inferido.proceso, CLAVE_DE_ELECCION)
    en_curso, cierre = (resumir(actas, inferido.proceso, CLAVE_DE_ELECCION, ultimo) for ultimo in (False, True))
    distintas = tuple(_distintas(actas, inferido))
    return Reproduccion(
        archivo=base.nombre,
        dialecto=base.dialecto.describir(),
        sobres=sobres,
        resumen=tuple(_resumen(base.resumen, en_curso, cierre, lambda r: _como_el_instituto(r, actas, inferido))),
        total=len(base.renglones),
        por_contabilizada=_por_contabilizada(actas, inferido),
        violaciones=distintas,
        avisos=tuple(inferido.avisos),
    )


def _resumen(
    publicado: Mapping[str, str], en_curso: Resumen, cierre: Resumen, suyo: Callable[[Resumen], Resumen]
) -> list[Dato]:
    """Compara cada dato con las formas de obtenerlo, de la que manda la regla a la que explica un defecto ajeno."""
    sin, con = "sin especiales, como en todo corte menos el último", "con especiales, como en el último corte"
    del_libro = "de los hechos del libro"
    contando = "sólo si se cuentan las actas listadas al final como las contó el instituto"
    datos = []
    for campo in RESUMEN[1:]:
        texto = publicado.get(campo)
        if texto is None:
            continue
        participa = campo == "PORCENTAJE_PARTICIPACION_CIUDADANA"
        fieles = [(en_curso, sin), (cierre, con)] if participa else [(en_curso, del_libro)]
        for resumen, regla in fieles:
            if _iguales(texto, resumen.oficial()[campo]):
                datos.append(Dato(campo, texto, resumen.oficial()[campo], True, regla))
                break
        else:
            posibles = [(r, "") for r, _ in fieles] + [(suyo(r), contando) for r, _ in fieles]
            regla = next((e for r, como in posibles if (e := _explicacion(campo, texto, r, como))), _SIN_EXPLICAR)
            datos.append(Dato(campo, texto, en_curso.oficial()[campo], False, regla))
    return datos


_SIN_EXPLICAR: Final = "ninguna de las reglas conocidas lo reproduce"


def _iguales(publicado: str, nuestro: str) -> bool:
    # En las bases «en ceros» un cero puede venir sin decimales o como celda vacía.
    return reglas_porcentaje.iguales(publicado, nuestro) or (publicado == "" and not nuestro.strip("0."))


def _explicacion(campo: str, publicado: str, resumen: Resumen, como: str) -> str:
    if not campo.startswith("PORCENTAJE"):
        return como if _iguales(publicado, resumen.oficial()[campo]) else ""
    parte, total = {
        "PORCENTAJE_ACTAS_CAPTURADAS": resumen.porcentaje_capturadas,
        "PORCENTAJE_ACTAS_CONTABILIZADAS": resumen.porcentaje_contabilizadas,
        "PORCENTAJE_ACTAS_INCONSISTENCIAS": resumen.porcentaje_inconsistencias,
    }.get(campo, resumen.participacion)
    aritmetica = reglas_porcentaje.que_lo_explica(publicado, parte, total)
    if aritmetica is None:
        return ""
    return "; ".join(filter(None, (f"{parte} × 100 / {total} con {aritmetica.nombre}", como)))


def _como_el_instituto(resumen: Resumen, actas: Sequence[Acta], inferido: Inferido) -> Resumen:
    """El resumen si las actas que el instituto clasificó de otro modo se contaran como él las contó."""
    for acta in actas:
        if not isinstance(acta, ActaVerificada):
            continue
        ficha, nuestra = inferido.fichas[acta.casilla.clave], clasificar(acta, inferido.proceso)
        assert nuestra is not None
        if ficha.publicada not in ("0", "1"):
            continue
        signo = int(ficha.publicada) - nuestra.contabilizada
        votos = signo * total_calculado(acta.asentado)
        especial = acta.casilla.especial
        resumen = replace(
            resumen,
            contabilizadas=resumen.contabilizadas + signo,
            no_contabilizadas=resumen.no_contabilizadas - signo,
            inconsistentes=resumen.inconsistentes + ficha.dice_inconsistencia - cuenta_como_inconsistente(nuestra),
            lista_nominal=resumen.lista_nominal + (0 if especial else signo * acta.casilla.lista_nominal),
            votos_c_cs=resumen.votos_c_cs + votos,
            votos_s_cs=resumen.votos_s_cs + (0 if especial else votos),
        )
    return resumen


def _por_contabilizada(actas: Sequence[Acta], inferido: Inferido) -> dict[str, int]:
    clases = (clasificar(a, inferido.proceso) for a in actas)
    cuenta = Counter("" if c is None else str(c.contabilizada) for c in clases)
    return {k: cuenta[k] for k in ("0", "1", "2", "")}


def _distintas(actas: Sequence[Acta], inferido: Inferido) -> list[Distinta]:
    distintas = []
    for acta in actas:
        if isinstance(acta, ActaFueraDeCatalogo):
            continue
        ficha = inferido.fichas[acta.casilla.clave]
        clasificacion = clasificar(acta, inferido.proceso)
        nuestra = "" if clasificacion is None else str(clasificacion.contabilizada)
        if nuestra != ficha.publicada:
            detalle = f"publicada {ficha.publicada or 'vacía'}, reproducida {nuestra or 'vacía'}"
            distintas.append(Distinta("CONTABILIZADA_DISTINTA", ficha.clave_acta, detalle))
        if isinstance(acta, ActaVerificada) and total_calculado(acta.asentado) != ficha.total:
            detalle = f"publicado {ficha.total}, reproducido {total_calculado(acta.asentado)}"
            distintas.append(Distinta("TOTAL_DISTINTO", ficha.clave_acta, detalle))
    return distintas


def principal(argumentos: list[str] | None = None) -> int:
    """Punto de entrada; devuelve 0, 1 ó 2."""
    lector = argparse.ArgumentParser(
        prog="prep reproducir",
        description="Vuelve a vivir una base publicada y compara.",
        epilog="Sale con 0 si todo coincide, 1 si algo difiere (aunque se explique) y 2 si no se puede leer.",
    )
    lector.add_argument("archivo", type=Path, metavar="ARCHIVO", help="CSV o paquete con una o varias bases")
    lector.add_argument("--json", action="store_true", help="imprime la comparación como JSON")
    opciones = lector.parse_args(argumentos)
    # Un nombre de archivo que no se puede escribir no debe parecer una discrepancia (salida 1).
    for tubo in (sys.stdout, sys.stderr):
        if isinstance(tubo, io.TextIOWrapper):
            tubo.reconfigure(errors="backslashreplace")
    try:
        archivos = paquetes.bases(opciones.archivo.read_bytes(), opciones.archivo.name)
        if not sys.stderr.isatty():
            print("Volviendo a capturar cada acta; una base estatal tarda cerca de medio minuto…", file=sys.stderr)
        with Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as avance:
            hechas = [reproducir(leer_csv(a.contenido, a.nombre), avance) for a in archivos]
    except OSError as error:
        return _ilegible(opciones, f"No se pudo abrir {opciones.archivo}: {error.strerror}. Revise la ruta.")
    except (BaseIlegible, NoReproducible) as error:
        return _ilegible(opciones, f"No se pudo volver a vivir {opciones.archivo.name}: {error}")
    if opciones.json:
        objetos = [r.a_json() for r in hechas]
        print(json.dumps(objetos[0] if len(objetos) == 1 else objetos, ensure_ascii=False, indent=2))
    else:
        for hecha in hechas:
            _redactar(hecha)
    return 0 if all(r.consistente for r in hechas) else 1


def _ilegible(opciones: argparse.Namespace, motivo: str) -> int:
    if opciones.json:
        nada = {"total": 0, "por_contabilizada": dict.fromkeys(("0", "1", "2", ""), 0), "violaciones": []}
        objeto = {"archivo": opciones.archivo.name, "dialecto": None, "resumen": [], "renglones": nada}
        print(json.dumps({**objeto, "veredicto": "ilegible", "motivo": motivo}, ensure_ascii=False, indent=2))
    else:
        print(motivo, file=sys.stderr)
    return 2


def _redactar(r: Reproduccion) -> None:
    iguales = sum(d.coincide for d in r.resumen)
    print(f"REPRODUCCIÓN DE {r.archivo}")
    print(f"{r.sobres:,} sobres firmados viajaron del kiosco al centro; {r.total:,} renglones publicados.")
    print(
        f"VEREDICTO: {'coincide' if r.consistente else 'hay diferencias'}: {iguales} de {len(r.resumen)} datos iguales,"
    )
    print(f"  {len(r.violaciones)} actas con un valor derivado distinto.")
    if not r.sobres:
        print("  Aviso: la base está en ceros; no había actas que volver a capturar.")
    for aviso in r.avisos:
        print(f"  Aviso: {aviso}.")
    print()
    for d in r.resumen:
        cifras = f"publicado {d.publicado:>10}   reproducido {d.recalculado:>10}"
        print(f"  {d.campo:<36} {cifras}   {'sí' if d.coincide else 'NO'}")
        if not d.coincide:
            print(f"      {d.regla}")
    if r.violaciones:
        print("\nActas que el instituto clasificó de otro modo que la regla (las que citan las explicaciones):")
    for v in r.violaciones[:20]:
        print(f"  {v.clave_acta}: {v.regla}: {v.detalle}")
    if len(r.violaciones) > 20:
        print(f"  … y {len(r.violaciones) - 20} más (todas con --json)")


if __name__ == "__main__":
    sys.exit(principal())
