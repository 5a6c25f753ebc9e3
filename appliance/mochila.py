"""La mochila: los sobres pendientes copiados a una memoria USB, para llevarlos al centro cuando no hay enlace.

Carpeta `mochila-<equipo>-<epoca>-<desde>-<hasta>/` con `sobres.jsonl`, `imagenes/`, `manifiesto.json` (SHA-256 de cada
archivo) y `manifiesto.jws` (sus bytes firmados por el kiosco). Se escribe con otro nombre, con fsync de todo, se vuelve
a leer de la memoria y sólo si cada byte coincide toma su nombre: una que se arrancó a medias nunca pasa por buena. No
cierra renglones: eso sólo lo hace el acuse. Va firmada pero sin cifrar; sellarla para el centro es de otra etapa.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import shutil
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from joserfc.jwk import ECKey

from appliance import durable
from appliance.almacen import Almacen
from appliance.bandeja import Pendiente
from appliance.imagenes import Imagenes
from appliance.memorias import Memoria
from nucleo.hechos import FueraDeCatalogo, Imagen
from nucleo.problema import Rechazo
from nucleo.sobre import Firmante, SobreInvalido, Tipo, huella, verificar

MAXIMO_MANIFIESTO: Final = 8 * 2**20
"""Bytes: más de cincuenta mil imágenes."""

_PROVISIONAL: Final = ".a-medias-"
_SOBRES: Final = "sobres.jsonl"
_MANIFIESTO: Final = "manifiesto.json"
_FIRMA: Final = "manifiesto.jws"
_IMAGENES: Final = "imagenes"
_HOLGURA: Final = 2 * 2**20
"""Bytes que se dejan libres al decidir si caben las imágenes: el sistema de archivos ocupa los suyos."""


@dataclass(frozen=True, slots=True)
class Archivo:
    """Uno de la mochila. `ruta` es relativa a ella."""

    ruta: str
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Comprobante:
    """Qué se llevó. `huella` es el SHA-256 de `manifiesto.json`."""

    carpeta: str
    equipo: str
    epoca: str
    desde: int
    hasta: int
    sobres: int
    imagenes: int
    sin_imagen: int
    """Imágenes nombradas por los sobres que no cupieron o no están en este kiosco."""
    bytes: int
    huella: str
    hora: datetime
    ya_estaba: bool = False


class Mochila:
    """Exporta la bandeja de un kiosco."""

    def __init__(self, almacen: Almacen, imagenes: Imagenes, firmante: Firmante, llave: ECKey, proceso: str) -> None:
        self._almacen = almacen
        self._imagenes = imagenes
        self._firmante = firmante
        self._llave = llave
        self._proceso = proceso

    def exportar(self, memoria: Memoria, persona: str, hora: datetime) -> Comprobante | Rechazo:
        """Copia todo lo pendiente. Repetirlo con lo mismo pendiente comprueba la que ya está y no escribe otra.

        Raises:
            Falla: si el almacén no se puede leer.
        """
        pendientes = self._pendientes()
        if not pendientes:
            return Rechazo(
                "NADA_PENDIENTE",
                "No hay nada que llevar: el centro ya tiene todo",
                "el enlace entregó cada sobre",
                "no hace falta la memoria",
            )
        base = f"mochila-{self._almacen.equipo}-{self._almacen.epoca}-{pendientes[0].secuencia}"
        base += f"-{pendientes[-1].secuencia}"
        try:
            with memoria.abierta() as raiz:
                destino, previa = self._lugar(raiz, base, pendientes)
                if previa is not None:
                    return previa
                with _provisional(raiz, destino.name) as carpeta:
                    self._escribir(carpeta, pendientes, persona, hora)
                    _olvidar_cache(carpeta)
                    hecha = comprobar(carpeta, self._llave)
                    if isinstance(hecha, Rechazo):
                        return _no_coincide(hecha)
                    carpeta.rename(destino)
                    durable.asegurar(raiz)
                _olvidar_cache(destino)
                final = comprobar(destino, self._llave)
                return _no_coincide(final) if isinstance(final, Rechazo) else final
        except OSError as error:
            return _de_disco(error)

    def _pendientes(self) -> list[Pendiente]:
        with self._almacen.lectura():
            ultimo = self._almacen.ultimo().secuencia
            sueltos = self._almacen.pendientes(1, ultimo + 1) + self._almacen.apartados(ultimo + 1)
        return sorted(sueltos, key=lambda p: p.secuencia)

    def _lugar(self, raiz: Path, base: str, pendientes: Sequence[Pendiente]) -> tuple[Path, Comprobante | None]:
        """El primer nombre libre, o la que ya está y lleva exactamente esto."""
        for numero in range(1, 100):
            destino = raiz / (base if numero == 1 else f"{base}-{numero}")
            if not destino.exists():
                return destino, None
            previa = comprobar(destino, self._llave)
            if not isinstance(previa, Comprobante) or _secuencias(destino) != [p.secuencia for p in pendientes]:
                continue
            if not self._ya_caben(raiz, destino, previa):
                return destino, replace(previa, ya_estaba=True)
        raise OSError(errno.EEXIST, "la memoria ya tiene demasiadas mochilas iguales")

    def _ya_caben(self, raiz: Path, destino: Path, previa: Comprobante) -> bool:
        """Si a ésa le faltaron imágenes que hoy sí están y caben junto con todo lo demás."""
        if not previa.sin_imagen:
            return False
        faltaron = json.loads(_leer(destino / _MANIFIESTO, MAXIMO_MANIFIESTO))["sin_imagen"]
        peso = sum(len(self._imagenes.leer(str(sha256)) or b"") for sha256 in faltaron)
        return peso > 0 and shutil.disk_usage(raiz).free > previa.bytes + peso + _HOLGURA

    def _escribir(self, carpeta: Path, pendientes: Sequence[Pendiente], persona: str, hora: datetime) -> None:
        renglones = [
            json.dumps({"secuencia": p.secuencia, "huella": p.huella, "sobre": p.sobre}, separators=(",", ":"))
            for p in pendientes
        ]
        archivos = [_volcar(carpeta, _SOBRES, ("\n".join(renglones) + "\n").encode())]
        (carpeta / _IMAGENES).mkdir(mode=0o700)
        faltan: list[str] = []
        for sha256 in self._imagenes_nombradas(pendientes):
            contenido = self._imagenes.leer(sha256)
            if contenido is None or shutil.disk_usage(carpeta).free < len(contenido) + _HOLGURA:
                faltan.append(sha256)
                continue
            nombre = f"{_IMAGENES}/{sha256}{self._imagenes.ruta(sha256).suffix}"
            archivos.append(_volcar(carpeta, nombre, contenido))
        durable.asegurar(carpeta / _IMAGENES)
        manifiesto = {
            "v": 1,
            "proceso": self._proceso,
            "equipo": self._almacen.equipo,
            "epoca": self._almacen.epoca,
            "desde": pendientes[0].secuencia,
            "hasta": pendientes[-1].secuencia,
            "sobres": len(pendientes),
            "hora": hora.isoformat(timespec="seconds"),
            "persona": persona,
            "archivos": [[a.ruta, a.bytes, a.sha256] for a in archivos],
            "sin_imagen": faltan,
        }
        bytes_manifiesto = (json.dumps(manifiesto, ensure_ascii=False, indent=1) + "\n").encode()
        _volcar(carpeta, _MANIFIESTO, bytes_manifiesto)
        # La firma va al final: sin ella no hay mochila.
        _volcar(carpeta, _FIRMA, self._firmante.firmar(Tipo.MOCHILA, bytes_manifiesto).encode())
        durable.asegurar(carpeta)

    def _imagenes_nombradas(self, pendientes: Sequence[Pendiente]) -> list[str]:
        lleva = {p.secuencia for p in pendientes}
        hechos = [h for s, h in self._almacen.hechos_desde(pendientes[0].secuencia - 1) if s in lleva]
        return list(dict.fromkeys(h.sha256 for h in hechos if isinstance(h, Imagen | FueraDeCatalogo)))


def comprobar(carpeta: Path, llave: ECKey) -> Comprobante | Rechazo:
    """Vuelve a leer una mochila entera: firma, manifiesto y cada byte de cada archivo; nada de más ni de menos.

    Args:
        llave: la pública del kiosco que la hizo.
    """
    try:
        crudo = _leer(carpeta / _MANIFIESTO, MAXIMO_MANIFIESTO)
        firmado = verificar(
            _leer(carpeta / _FIRMA, 2 * MAXIMO_MANIFIESTO).decode("ascii"), llave, Tipo.MOCHILA, 2 * MAXIMO_MANIFIESTO
        )
        if firmado != crudo:
            return _rota("el manifiesto no es el que se firmó")
        dato = json.loads(crudo)
        archivos = [Archivo(str(r), int(b), str(s)) for r, b, s in dato["archivos"]]
        if _presentes(carpeta) != {a.ruta for a in archivos} | {_MANIFIESTO, _FIRMA}:
            return _rota("sobra o falta algún archivo")
        for archivo in archivos:
            contenido = _leer(carpeta / archivo.ruta, archivo.bytes)
            if len(contenido) != archivo.bytes or hashlib.sha256(contenido).hexdigest() != archivo.sha256:
                return _rota(f"{archivo.ruta} no es el que se escribió")
        if (defecto := _sobres_malos(carpeta, dato)) is not None:
            return _rota(defecto)
        return _comprobante(carpeta, dato, crudo, archivos)
    except (OSError, SobreInvalido, ValueError, KeyError, TypeError) as error:
        return _rota(f"no se pudo leer ({error})")


def _sobres_malos(carpeta: Path, dato: dict[str, Any]) -> str | None:
    renglones = [json.loads(r) for r in (carpeta / _SOBRES).read_text("ascii").splitlines()]
    if len(renglones) != dato["sobres"] or any(huella(r["sobre"]) != r["huella"] for r in renglones):
        return "los sobres no son los que dice el manifiesto"
    return None


def _comprobante(carpeta: Path, dato: dict[str, Any], crudo: bytes, archivos: Sequence[Archivo]) -> Comprobante:
    return Comprobante(
        carpeta.name,
        str(dato["equipo"]),
        str(dato["epoca"]),
        int(dato["desde"]),
        int(dato["hasta"]),
        int(dato["sobres"]),
        len(archivos) - 1,
        len(dato["sin_imagen"]),
        sum(a.bytes for a in archivos),
        hashlib.sha256(crudo).hexdigest(),
        datetime.fromisoformat(dato["hora"]),
    )


def _secuencias(carpeta: Path) -> list[int]:
    return [json.loads(r)["secuencia"] for r in (carpeta / _SOBRES).read_text("ascii").splitlines()]


def _presentes(carpeta: Path) -> set[str]:
    return {str(r.relative_to(carpeta)) for r in carpeta.rglob("*") if not r.is_dir() or r.is_symlink()}


@contextlib.contextmanager
def _provisional(raiz: Path, nombre: str) -> Iterator[Path]:
    """Una carpeta con otro nombre; si algo falla se intenta quitar, y si ni eso se puede, su nombre dice qué es."""
    carpeta = raiz / f"{_PROVISIONAL}{nombre}"
    shutil.rmtree(carpeta, ignore_errors=True)
    carpeta.mkdir(mode=0o700)
    try:
        yield carpeta
    finally:
        shutil.rmtree(carpeta, ignore_errors=True)


def _volcar(carpeta: Path, nombre: str, contenido: bytes) -> Archivo:
    with (carpeta / nombre).open("xb") as salida:
        salida.write(contenido)
        salida.flush()
        os.fsync(salida.fileno())
    return Archivo(nombre, len(contenido), hashlib.sha256(contenido).hexdigest())


def _leer(ruta: Path, maximo: int) -> bytes:
    # En una memoria ajena, «sobres.jsonl» podría ser un enlace a cualquier archivo del kiosco, o una tubería que deje
    # esperando para siempre a quien la abra.
    descriptor = os.open(ruta, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as archivo:
        if not stat.S_ISREG(os.fstat(archivo.fileno()).st_mode):
            raise OSError(errno.EINVAL, f"{ruta.name} no es un archivo")
        contenido = archivo.read(maximo + 1)
    if len(contenido) > maximo:
        raise OSError(errno.EFBIG, f"{ruta.name} es más grande de lo que debe")
    return contenido


def _olvidar_cache(carpeta: Path) -> None:
    # Releer de la memoria RAM no comprueba nada de la USB.
    for ruta in carpeta.rglob("*"):
        if ruta.is_file() and not ruta.is_symlink():
            descriptor = os.open(ruta, os.O_RDONLY | os.O_NOFOLLOW)
            try:
                os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            finally:
                os.close(descriptor)


def _rota(detalle: str) -> Rechazo:
    return Rechazo(
        "MOCHILA_ROTA",
        f"La mochila no está completa: {detalle}",
        "se quitó la memoria a medias, o está dañada",
        "repita la copia en otra memoria",
    )


def _no_coincide(rota: Rechazo) -> Rechazo:
    return Rechazo(
        "MEMORIA_DANADA",
        f"Se copió, pero al volver a leer la memoria no dice lo mismo ({rota.que})",
        "la memoria está dañada o es falsa",
        "use otra memoria; en el kiosco no cambió nada",
    )


def _de_disco(error: OSError) -> Rechazo:
    if durable.disco_lleno(error):
        return Rechazo(
            "MEMORIA_LLENA",
            "No cupo en la memoria",
            "tiene otros archivos, o es muy chica",
            "use una memoria vacía; en el kiosco no cambió nada",
        )
    if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
        return Rechazo(
            "MEMORIA_CERRADA",
            f"No se pudo escribir en la memoria ({error.strerror})",
            "tiene el seguro puesto, o quedó de sólo lectura por estar dañada",
            "quite el seguro o use otra memoria; en el kiosco no cambió nada",
        )
    return Rechazo(
        "MEMORIA",
        f"La copia se interrumpió ({error.strerror or error})",
        "se quitó la memoria a medias, o está dañada",
        "vuelva a meterla o use otra, y repita; en el kiosco no cambió nada",
    )
