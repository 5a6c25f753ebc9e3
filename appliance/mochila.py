"""La mochila: los sobres pendientes copiados a una memoria USB, sellados para el centro, para cuando no hay enlace.

Carpeta `mochila-<equipo>-<epoca>-<desde>-<hasta>/` con `sobres/` e `imagenes/`, cada archivo un JWE que sólo abre el
centro (`nucleo.sello`), `manifiesto.json` (SHA-256 de cada uno) y `manifiesto.jws` (sus bytes firmados por el kiosco).
Se escribe con otro nombre, con fsync de todo, se vuelve a leer de la memoria y sólo si cada byte coincide toma su
nombre: una que se arrancó a medias nunca pasa por buena. No cierra renglones: eso sólo lo hace el acuse.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import shutil
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final

from joserfc.jwk import ECKey

from appliance import durable
from appliance.almacen import Almacen
from appliance.bandeja import Pendiente
from appliance.imagenes import Imagenes
from appliance.llave import leer_publica
from appliance.memorias import Memoria
from nucleo import mochila, sello
from nucleo.hechos import FueraDeCatalogo, Imagen
from nucleo.mochila import Archivo, Manifiesto
from nucleo.problema import Rechazo
from nucleo.sobre import Firmante, SobreInvalido

SELLO: Final = "sello.pub.pem"
"""En la carpeta del kiosco: la llave pública para la que se sella. La pone la inscripción."""

_PROVISIONAL: Final = ".a-medias-"
_MANIFIESTO: Final = "manifiesto.json"
_FIRMA: Final = "manifiesto.jws"
_HOLGURA: Final = 2 * 2**20
"""Bytes que se dejan libres al decidir si caben las imágenes: el sistema de archivos ocupa los suyos."""

_ENVOLTURA: Final = 2048
"""Lo más que crece un archivo al sellarse, además del tercio del base64."""


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


def sello_de(carpeta: Path) -> ECKey | None:
    """La llave de sellado del centro que trae la carpeta del kiosco; `None` si se inscribió antes de que la hubiera.

    Raises:
        Falla: LLAVE, si está y no sirve.
    """
    ruta = carpeta / SELLO
    return leer_publica(ruta) if ruta.exists() else None


class Mochila:
    """Exporta la bandeja de un kiosco.

    Args:
        sello: la llave pública del centro; sin ella no se exporta nada.
    """

    def __init__(
        self,
        almacen: Almacen,
        imagenes: Imagenes,
        firmante: Firmante,
        llave: ECKey,
        proceso: str,
        modo: str,
        sello: ECKey | None,
    ) -> None:
        self._almacen = almacen
        self._imagenes = imagenes
        self._firmante = firmante
        self._llave = llave
        self._proceso = proceso
        self._modo = modo
        self._sello = sello

    def exportar(self, memoria: Memoria, hora: datetime) -> Comprobante | Rechazo:
        """Copia todo lo pendiente. Repetirlo con lo mismo pendiente comprueba la que ya está y no escribe otra.

        Raises:
            Falla: si el almacén no se puede leer.
        """
        if self._sello is None:
            # En claro nunca, ni avisando: quien halle la memoria leería votos que aún no se publican.
            return Rechazo(
                "SIN_SELLO",
                "No se copió nada: este kiosco no tiene con qué sellar la mochila",
                f"se inscribió antes de que hubiera sello, o se borró {SELLO}",
                f"pida a la autoridad que repita `./prep inscribir` con este equipo y traiga {SELLO} a la carpeta del "
                "kiosco; mientras, lo capturado sigue guardado aquí",
            )
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
                    self._escribir(carpeta, pendientes, self._sello, hora)
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
        return sorted(sueltos, key=lambda p: p.secuencia)[: mochila.MAXIMO_SOBRES]

    def _lugar(self, raiz: Path, base: str, pendientes: Sequence[Pendiente]) -> tuple[Path, Comprobante | None]:
        """El primer nombre libre, o la que ya está y lleva exactamente esto."""
        for numero in range(1, 100):
            destino = raiz / (base if numero == 1 else f"{base}-{numero}")
            if not destino.exists():
                return destino, None
            previa = comprobar(destino, self._llave)
            if not isinstance(previa, Comprobante) or not self._es_lo_mismo(destino, pendientes):
                continue
            if not self._ya_caben(raiz, previa, pendientes):
                return destino, replace(previa, ya_estaba=True)
        raise OSError(errno.EEXIST, "la memoria ya tiene demasiadas mochilas iguales")

    def _es_lo_mismo(self, carpeta: Path, pendientes: Sequence[Pendiente]) -> bool:
        """Si ésa, ya comprobada, lleva exactamente esos sobres y va sellada para el mismo centro."""
        manifiesto, _ = _manifiesto(carpeta, self._llave)
        mismo_sello = self._sello is not None and manifiesto.sello == sello.identificador(self._sello)
        return mismo_sello and manifiesto.resumen == mochila.resumen_de(p.huella for p in pendientes)

    def _ya_caben(self, raiz: Path, previa: Comprobante, pendientes: Sequence[Pendiente]) -> bool:
        """Si a ésa le faltaron imágenes que hoy sí están y caben junto con todo lo demás."""
        if not previa.sin_imagen:
            return False
        pesos = [p for s in self._imagenes_nombradas(pendientes) if (p := self._imagenes.tamano(s)) is not None]
        # Sellada no se sabe cuáles lleva, pero sí cuántas.
        return len(pesos) > previa.imagenes and shutil.disk_usage(raiz).free > previa.bytes + _sellado(pesos)

    def _escribir(self, carpeta: Path, pendientes: Sequence[Pendiente], llave: ECKey, hora: datetime) -> None:
        archivos = _escribir_sobres(carpeta, pendientes, llave)
        (carpeta / mochila.IMAGENES).mkdir(mode=0o700)
        van = sin_imagen = 0
        for sha256 in self._imagenes_nombradas(pendientes):
            contenido = self._imagenes.leer(sha256)
            cabe = contenido is not None and shutil.disk_usage(carpeta).free >= _sellado([len(contenido)])
            if contenido is None or not cabe or len(archivos) >= mochila.MAXIMO_ARCHIVOS:
                sin_imagen += 1
                continue
            van += 1
            archivos.append(_volcar_sellado(carpeta, mochila.nombre_de(mochila.IMAGENES, van), contenido, llave))
        durable.asegurar(carpeta / mochila.IMAGENES)
        manifiesto = Manifiesto(
            proceso=self._proceso,
            modo=self._modo,
            equipo=self._almacen.equipo,
            epoca=self._almacen.epoca,
            desde=pendientes[0].secuencia,
            hasta=pendientes[-1].secuencia,
            sobres=len(pendientes),
            resumen=mochila.resumen_de(p.huella for p in pendientes),
            sin_imagen=sin_imagen,
            hora=hora,
            sello=sello.identificador(llave),
            archivos=tuple(archivos),
        )
        crudo = mochila.a_bytes(manifiesto)
        _volcar(carpeta, _MANIFIESTO, crudo)
        # La firma va al final: sin ella no hay mochila.
        _volcar(carpeta, _FIRMA, mochila.firmar(crudo, self._firmante).encode())
        durable.asegurar(carpeta)

    def _imagenes_nombradas(self, pendientes: Sequence[Pendiente]) -> list[str]:
        lleva = {p.secuencia for p in pendientes}
        hechos = [h for s, h in self._almacen.hechos_desde(pendientes[0].secuencia - 1) if s in lleva]
        return list(dict.fromkeys(h.sha256 for h in hechos if isinstance(h, Imagen | FueraDeCatalogo)))


def comprobar(carpeta: Path, llave: ECKey) -> Comprobante | Rechazo:
    """Vuelve a leer una mochila entera: firma, manifiesto y cada byte de cada archivo; nada de más ni de menos.

    No abre nada: para saber que se copió bien bastan los bytes sellados.

    Args:
        llave: la pública del kiosco que la hizo.
    """
    try:
        manifiesto, crudo = _manifiesto(carpeta, llave)
        if _presentes(carpeta) != {a.ruta for a in manifiesto.archivos} | {_MANIFIESTO, _FIRMA}:
            return _rota("sobra o falta algún archivo")
        for archivo in manifiesto.archivos:
            contenido = _leer(carpeta / archivo.ruta, archivo.bytes)
            if len(contenido) != archivo.bytes or hashlib.sha256(contenido).hexdigest() != archivo.sha256:
                return _rota(f"{archivo.ruta} no es el que se escribió")
        return _comprobante(carpeta, manifiesto, crudo)
    except (OSError, SobreInvalido, ValueError) as error:
        return _rota(f"no se pudo leer ({error})")


def _manifiesto(carpeta: Path, llave: ECKey) -> tuple[Manifiesto, bytes]:
    """Raises: OSError, SobreInvalido o ValueError."""
    crudo = _leer(carpeta / _MANIFIESTO, mochila.MAXIMO_MANIFIESTO)
    firmado = _leer(carpeta / _FIRMA, mochila.MAXIMO_FIRMADO).decode("ascii")
    manifiesto, firmados = mochila.abrir_con_bytes(firmado, llave)
    if firmados != crudo:
        raise ValueError("el manifiesto no es el que se firmó")
    return manifiesto, crudo


def _comprobante(carpeta: Path, m: Manifiesto, crudo: bytes) -> Comprobante:
    return Comprobante(
        carpeta.name,
        m.equipo,
        m.epoca,
        m.desde,
        m.hasta,
        m.sobres,
        m.imagenes,
        m.sin_imagen,
        m.bytes,
        hashlib.sha256(crudo).hexdigest(),
        m.hora,
    )


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


def _escribir_sobres(carpeta: Path, pendientes: Sequence[Pendiente], llave: ECKey) -> list[Archivo]:
    """En varios archivos si hace falta: ni aquí ni en el centro hay que tener toda la noche en memoria."""
    (carpeta / mochila.SOBRES).mkdir(mode=0o700)
    archivos: list[Archivo] = []
    trozo = bytearray()

    def cerrar() -> None:
        nombre = mochila.nombre_de(mochila.SOBRES, len(archivos) + 1)
        archivos.append(_volcar_sellado(carpeta, nombre, bytes(trozo), llave))
        trozo.clear()

    for pendiente in pendientes:
        trozo += mochila.renglon(pendiente.secuencia, pendiente.sobre)
        if len(trozo) >= mochila.TROZO_DE_SOBRES:
            cerrar()
    if trozo:
        cerrar()
    durable.asegurar(carpeta / mochila.SOBRES)
    return archivos


def _sellado(pesos: Sequence[int]) -> int:
    """Bytes que hay que tener libres para sellar archivos de ese tamaño."""
    return sum(4 * -(-peso // 3) + _ENVOLTURA for peso in pesos) + _HOLGURA


def _volcar_sellado(carpeta: Path, nombre: str, contenido: bytes, llave: ECKey) -> Archivo:
    sellado = sello.sellar(contenido, llave)
    _volcar(carpeta, nombre, sellado)
    return Archivo(nombre, len(sellado), hashlib.sha256(sellado).hexdigest())


def _volcar(carpeta: Path, nombre: str, contenido: bytes) -> None:
    with (carpeta / nombre).open("xb") as salida:
        salida.write(contenido)
        salida.flush()
        os.fsync(salida.fileno())


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
