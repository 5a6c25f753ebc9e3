"""El corte: lo que ve la ciudadanía a una hora, como función pura de los hechos aceptados y de esa hora.

Se escribe completo en una carpeta nueva que ya no cambia (`cortes/AAAAMMDD_HHMM`) y se publica moviendo un enlace:
quien lea ve el corte anterior o el nuevo, nunca la mitad. Los bytes dependen sólo del conjunto de hechos, la definición
y la hora; cualquiera con las mismas hojas obtiene los mismos. La carpeta es el registro: no hay otra lista de cortes.

`python -m servicio_central.corte --carpeta DIR [--hora ISO] [--ultimo]` lo hace sin detener al centro.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import shutil
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from nucleo.acta import Acta
from nucleo.base_oficial.escritura import escribir_zip
from nucleo.computo import Resumen, resumir
from nucleo.definicion import DefinicionInvalida
from nucleo.eleccion import Proceso
from nucleo.hechos import IdActa
from nucleo.libro import actas_de, en_duda
from nucleo.padron import Padron
from servicio_central import cubierto, disco, exclusiones, padrones, pagina, vigente
from servicio_central.lectura import Leidos, leer_hechos
from servicio_central.puerto_almacen import ERRORES
from servicio_central.tablas import Tablas, tablas_de
from servicio_central.tropiezo import Tropiezo

CORTES: Final = "cortes"
PUBLICO: Final = "publico"
RESUMEN: Final = "resumen.json"
HOLGURA: Final = timedelta(minutes=2)
"""Cuánto puede adelantarse la hora de un corte al reloj de la máquina."""

_TURNO: Final = ".turno-cortes"
_PROVISIONAL: Final = ".corte-"

_NOMBRE: Final = re.compile(r"[0-9]{8}_[0-9]{4}(?:[0-9]{2})?")


@dataclass(frozen=True)
class Corte:
    """Un corte ya publicado, de una elección."""

    eleccion: str
    hora: datetime
    ultimo: bool
    carpeta: Path
    """`cortes/AAAAMMDD_HHMM`, con la página, el resumen y el zip de cada elección."""
    zip: Path
    """Base de datos oficial."""
    resumen: Resumen
    hechos: int
    conjunto: str
    """Huella del conjunto de hechos (`servicio_central.lectura`)."""
    aviso: str = field(default="", compare=False)
    """Lo inesperado al publicarlo, para decirlo a quien lo pidió; vacío si quedó publicado sin más."""


def actas_del_libro(carpeta: Path, proceso: Proceso, eleccion: str) -> tuple[Acta, ...]:
    """Las actas de una elección según los hechos aceptados por el centro de esa carpeta.

    Raises:
        uno de `puerto_almacen.ERRORES`: si el almacén no se puede leer.
    """
    return actas_de(proceso, eleccion, leer_hechos(carpeta, eleccion).hechos)


def hacer_corte(carpeta: Path, proceso: Proceso, eleccion: str, hora: datetime, *, ultimo: bool = False) -> Corte:
    """Hace y publica el corte de todas las elecciones del proceso y devuelve el de una.

    Args:
        carpeta: la del centro; puede estar corriendo.
        hora: la del corte, con huso.
        ultimo: si es el de cierre: la participación incluye las casillas especiales (Anexo 13, numeral 29).

    Raises:
        Tropiezo: CORTE_FUTURO, si esa hora aún no llega; CORTE_EXISTENTE, si ya hay uno de esa hora con otros datos.
        OSError: si no se pudo escribir.
        uno de `puerto_almacen.ERRORES`: si el almacén no se puede leer.
    """
    return hacer_cortes(carpeta, proceso, hora, ultimo=ultimo)[eleccion]


def hacer_cortes(
    carpeta: Path, proceso: Proceso, hora: datetime, *, ultimo: bool = False, ahora: datetime | None = None
) -> dict[str, Corte]:
    """Hace el corte de todas las elecciones, lo escribe y lo publica. Repetirlo con los mismos hechos no cambia nada.

    Args:
        ahora: el reloj de la máquina, si no se quiere preguntarle.

    Raises:
        Como `hacer_corte`.
    """
    ahora = ahora or datetime.now(UTC)
    if hora > ahora + HOLGURA:
        raise Tropiezo(
            "CORTE_FUTURO",
            f"la hora pedida, {hora.isoformat()}, aún no llega",
            "un dedazo en --hora, o el reloj de esta máquina está atrasado",
            "corrija la hora (`timedatectl` dice la de la máquina) y repita",
        )
    # Dos cortes a la vez se estorbarían al renombrar y el más lento podría retroceder lo publicado.
    with disco.turno(carpeta / _TURNO):
        return _hacer(carpeta, proceso, hora, ultimo, ahora)


def _hacer(carpeta: Path, proceso: Proceso, hora: datetime, ultimo: bool, ahora: datetime) -> dict[str, Corte]:
    for resto in carpeta.glob(f"{_PROVISIONAL}*"):
        shutil.rmtree(resto, ignore_errors=True)  # de un proceso que murió: quien vive tiene el turno
    nombre = nombre_de(proceso, hora)
    destino = carpeta / CORTES / nombre
    # Antes de leer los hechos: lo que ya era contiguo aquí, por fuerza queda incluido.
    cadenas = cubierto.contar(carpeta)
    # Un solo padrón para todas las elecciones del corte, y la huella del que se usó queda en el resumen.
    padron = padrones.para_contar(carpeta)
    cadenas = exclusiones.recortar(cadenas, padron)
    partes = [_preparar(carpeta, proceso, clave, hora, ultimo, padron) for clave in proceso.elecciones]
    archivos = _archivos(proceso, hora, nombre, ultimo, partes, padron)
    cambia = exclusiones.aviso(carpeta / PUBLICO / RESUMEN, padron, [(p.eleccion, p.tablas.resumen) for p in partes])
    if destino.exists():
        if not _iguales(destino, archivos):
            raise Tropiezo(
                "CORTE_EXISTENTE",
                f"ya hay un corte {nombre} y sus datos son otros",
                "llegaron hechos después de publicarlo",
                "un corte publicado no cambia: haga otro con la hora siguiente",
            )
    else:
        _escribir(carpeta, destino, archivos)
    # Si el corte ya estaba, sus bytes son los de estos mismos hechos: lo cubierto ahora también lo estaba.
    dudosas = [IdActa(p.eleccion, c) for p in partes for c in p.en_duda]
    aviso = _anotar_cubierto(carpeta, nombre, hora, cadenas, dudosas)
    aviso = "; ".join(filter(None, (_publicar(carpeta, proceso, nombre, ahora), aviso, cambia)))
    return {
        p.eleccion: Corte(
            p.eleccion,
            hora,
            ultimo,
            destino,
            destino / p.zip[0],
            p.tablas.resumen,
            len(p.leidos.hechos),
            p.leidos.conjunto,
            aviso,
        )
        for p in partes
    }


def _anotar_cubierto(
    carpeta: Path, nombre: str, hora: datetime, cadenas: cubierto.Cadenas, dudosas: Sequence[IdActa]
) -> str:
    # Sólo sirve para decirlo en los acuses: que no se pueda escribir no detiene la publicación.
    try:
        dudas = cubierto.tocadas(carpeta, dudosas)
        cual = cubierto.Cubierto(hora, cadenas, dudas, cubierto.huellas(carpeta, cadenas))
        cubierto.guardar(carpeta, nombre, cual)
    except (OSError, *ERRORES) as error:
        return f"los acuses no dirán qué incluye el {nombre} ({error}): revise la carpeta {cubierto.CARPETA}"
    return ""


def nombre_de(proceso: Proceso, hora: datetime) -> str:
    """Nombre de la carpeta del corte, en hora de la entidad: `20220605_2120`; con segundos sólo si no son cero."""
    local = hora.astimezone(ZoneInfo(proceso.huso))
    return f"{local:%Y%m%d_%H%M%S}" if local.second else f"{local:%Y%m%d_%H%M}"


def ultimo_publicado(carpeta: Path) -> str | None:
    """Nombre del corte que se está publicando; `None` si todavía ninguno."""
    try:
        nombre = (carpeta / PUBLICO).readlink().name
    except OSError:
        return None
    return nombre if _NOMBRE.fullmatch(nombre) else None


def es_futuro(proceso: Proceso, nombre: str, ahora: datetime) -> bool:
    """Si ese corte dice una hora que aún no llega: nació de un dedazo o de un salto del reloj."""
    return nombre > nombre_de(proceso, ahora + HOLGURA)


def es_de_cierre(carpeta: Path, nombre: str) -> bool:
    """Si ese corte se hizo como el último; falso también si no se puede leer."""
    try:
        return json.loads((carpeta / CORTES / nombre / RESUMEN).read_bytes())["ultimo"] is True
    except (OSError, ValueError, KeyError, TypeError):
        return False


def actas_en_duda(carpeta: Path, nombre: str) -> tuple[str, ...]:
    """`elección/casilla` de lo que ese corte no publica porque sus lecturas no concuerdan; vacío si no se lee."""
    try:
        dato = json.loads((carpeta / CORTES / nombre / RESUMEN).read_bytes())["elecciones"]
        return tuple(f"{eleccion}/{clave}" for eleccion, e in dato.items() for clave in e["en_duda"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return ()


@dataclass(frozen=True)
class _Parte:
    eleccion: str
    leidos: Leidos
    tablas: Tablas
    zip: tuple[str, bytes]
    en_duda: tuple[str, ...]
    """CLAVE_CASILLA de lo que no sale porque sus lecturas no concuerdan."""


def _preparar(
    carpeta: Path, proceso: Proceso, eleccion: str, hora: datetime, ultimo: bool, padron: Padron | None
) -> _Parte:
    leidos = leer_hechos(carpeta, eleccion, padron)
    actas = actas_de(proceso, eleccion, leidos.hechos)
    resumen = resumir(actas, proceso, eleccion, ultimo)
    base = escribir_zip(proceso, eleccion, actas, hora, ultimo)
    dudosas = en_duda(eleccion, leidos.hechos)
    return _Parte(eleccion, leidos, tablas_de(actas, proceso, eleccion, resumen), base, dudosas)


def _archivos(
    proceso: Proceso, hora: datetime, nombre: str, ultimo: bool, partes: Iterable[_Parte], padron: Padron | None
) -> dict[str, bytes]:
    partes = list(partes)
    archivos = {p.zip[0]: p.zip[1] for p in partes}
    dato: dict[str, Any] = {
        "v": 1,
        "proceso": proceso.clave,
        "definicion": proceso.huella,
        "modo": proceso.modo,
        "corte": hora.astimezone(ZoneInfo(proceso.huso)).isoformat(),
        "ultimo": ultimo,
        "padron": exclusiones.para_el_resumen(padron),
        "elecciones": {p.eleccion: _resumen_json(p) for p in partes},
    }
    for p in partes:
        archivos[f"{p.eleccion}.html"] = pagina.publica(
            proceso, p.tablas, hora, nombre, p.zip[0], dato["elecciones"][p.eleccion]
        )
    archivos["index.html"] = archivos[f"{partes[0].eleccion}.html"]
    archivos["estilo.css"] = pagina.estilo()
    archivos[RESUMEN] = (json.dumps(dato, ensure_ascii=False, indent=1) + "\n").encode()
    return archivos


def _resumen_json(p: _Parte) -> dict[str, Any]:
    t = p.tablas
    return {
        "hechos": len(p.leidos.hechos),
        "conjunto": p.leidos.conjunto,
        "resumen": t.resumen.oficial(),
        "votos_por_renglon": t.por_renglon,
        "votos_por_candidatura": t.por_candidatura,
        "votos_por_partido": t.por_partido,
        "faltantes_por_causa": t.faltantes,
        "en_duda": list(p.en_duda),
        "contabilizadas_por_ubicacion": t.por_ubicacion,
        "zip": {"archivo": p.zip[0], "bytes": len(p.zip[1]), "sha256": hashlib.sha256(p.zip[1]).hexdigest()},
    }


def _iguales(destino: Path, archivos: dict[str, bytes]) -> bool:
    if {r.name for r in destino.iterdir()} != set(archivos):
        return False
    return all((destino / nombre).read_bytes() == contenido for nombre, contenido in archivos.items())


def _escribir(carpeta: Path, destino: Path, archivos: dict[str, bytes]) -> None:
    """Todo a una carpeta provisional, fsync, y un renombre que la hace existir de golpe."""
    destino.parent.mkdir(exist_ok=True, mode=0o755)
    provisional = carpeta / f"{_PROVISIONAL}{destino.name}-{os.getpid()}"
    shutil.rmtree(provisional, ignore_errors=True)
    try:
        provisional.mkdir(mode=0o755)
        for nombre, contenido in archivos.items():
            disco.crear(provisional / nombre, contenido, 0o644)
        provisional.rename(destino)
    except BaseException:
        shutil.rmtree(provisional, ignore_errors=True)
        raise
    disco.sincronizar(destino.parent)


def _publicar(carpeta: Path, proceso: Proceso, nombre: str, ahora: datetime) -> str:
    """Publica el corte si es el más nuevo y devuelve el aviso que haga falta.

    Volver a hacer un corte viejo no retrocede lo publicado; pero uno cuya hora no ha llegado no es una barrera: si lo
    fuera, un dedazo detendría la publicación hasta esa fecha.
    """
    publicado = ultimo_publicado(carpeta)
    futuro = publicado is not None and es_futuro(proceso, publicado, ahora)
    if publicado is not None and publicado >= nombre and not futuro:
        return "" if publicado == nombre else f"no se publicó: ya se publica el {publicado}, que es posterior"
    apuntar(carpeta, f"{CORTES}/{nombre}")
    return f"se publicaba el {publicado}, cuya hora aún no llega; se sustituyó por el {nombre}" if futuro else ""


def apuntar(carpeta: Path, destino: str) -> None:
    """Hace que `publico` sea esa carpeta, de una vez. La ruta es relativa para que la carpeta del centro se pueda
    mudar."""
    provisional = carpeta / f".{PUBLICO}-{os.getpid()}"
    provisional.unlink(missing_ok=True)
    provisional.symlink_to(destino)
    provisional.replace(carpeta / PUBLICO)
    disco.sincronizar(carpeta)


def main() -> None:
    """Línea de órdenes del corte."""
    lector = argparse.ArgumentParser(prog="python -m servicio_central.corte", description="Hace y publica un corte.")
    lector.add_argument("--carpeta", type=Path, required=True, help="carpeta del centro")
    lector.add_argument(
        "--hora", type=datetime.fromisoformat, help="hora del corte, ISO 8601 con huso; si falta, ahora"
    )
    lector.add_argument("--ultimo", action="store_true", help="es el corte de cierre")
    opciones = lector.parse_args()
    if opciones.hora is not None and opciones.hora.utcoffset() is None:
        lector.error("--hora debe decir su huso, como 2022-06-05T21:20-05:00")
    try:
        proceso = vigente.leer(opciones.carpeta)
        hora = opciones.hora or datetime.now(ZoneInfo(proceso.huso)).replace(second=0, microsecond=0)
        cortes = hacer_cortes(opciones.carpeta, proceso, hora, ultimo=opciones.ultimo)
        for corte in cortes.values():
            avance = f"{corte.resumen.capturadas} de {corte.resumen.esperadas} actas capturadas"
            print(f"{corte.eleccion} {corte.carpeta.name}: {avance}; {corte.zip}")
        for aviso in {c.aviso for c in cortes.values()} - {""}:
            print(f"corte: {aviso}", file=sys.stderr)
    except (Tropiezo, DefinicionInvalida, *ERRORES, OSError) as error:
        print(f"corte: {error}", file=sys.stderr)
        raise SystemExit(1) from None
    except Exception as error:
        # Quien lo lee a media noche necesita una línea; lo anterior sigue publicado.
        tropiezo = Tropiezo(
            "DEFECTO",
            f"no se pudo hacer ({error!r})",
            "un defecto del programa, o la definición no es la de estos hechos",
            "el anterior sigue publicado; revise la definición y avise a quien mantiene el programa",
        )
        print(f"corte: {tropiezo}", file=sys.stderr)
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
