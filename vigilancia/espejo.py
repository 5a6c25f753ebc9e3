"""El espejo: baja lo nuevo a un lado, comprueba todo, y sólo entonces lo publica. Nunca retrocede ni se bifurca.

Lo que baja se queda aparte hasta que la publicación entera se verificó; si algo miente, nada de eso se ve. Si se
interrumpe, lo ya bajado sirve para la siguiente vez, y se vuelve a comprobar.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from auditoria.verificar import noche
from auditoria.verificar.lector import CORTES, PUBLICO, Lector, LectorDeCarpeta, NoSePuede
from auditoria.verificar.registro import PUNTO, RegistroAbierto
from nucleo.publicacion import rutas
from nucleo.publicacion.mentira import Mentira
from vigilancia import durable

APARTE: Final = ".por-comprobar"
_CANDADO: Final = ".turno-espejo"
_PUNTOS: Final = "registro/puntos/"
_PRIMERO_LO_DEMAS: Final = ("documentos_publicos", "imagenes_publicas", "registro", CORTES)


@dataclass(frozen=True)
class Hecho:
    """Cómo quedó el espejo."""

    publica: str
    """El corte que se publica; vacío si aún ninguno."""
    hojas: int
    nuevos: int
    """Archivos que se bajaron."""


@dataclass
class _PorEncima:
    """Lo que el espejo ya tiene, y encima lo que baja. Cumple `Lector`; lo que baja se queda en `aparte`."""

    origen: Lector
    espejo: Path
    aparte: Path
    vigente: str
    """El último corte que el espejo ya publica: de su punto de control para atrás, lo que hay ya no cambia."""
    bajados: list[str] = field(default_factory=list)
    _frescos: dict[str, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._local = LectorDeCarpeta(self.espejo)

    @property
    def lugar(self) -> str:
        return self.origen.lugar

    def leer(self, ruta: str) -> bytes:
        if self._cambia(ruta):
            if ruta not in self._frescos:
                self._frescos[ruta] = self.origen.leer(ruta)
                if not ruta.startswith(f"{PUBLICO}/"):
                    self._guardar(ruta, self._frescos[ruta])
            return self._frescos[ruta]
        with suppress(FileNotFoundError):
            return self._local.leer(ruta)
        with suppress(FileNotFoundError):
            return (self.aparte / ruta).read_bytes()
        datos = self.origen.leer(ruta)
        self._guardar(ruta, datos)
        self.bajados.append(ruta)
        return datos

    def crecio(self) -> bool:
        """Si el origen ya publicó otro punto de control. Raises: NoSePuede."""
        with suppress(FileNotFoundError):
            return PUNTO in self._frescos and self.origen.leer(PUNTO) != self._frescos[PUNTO]
        return False

    def enlace(self, ruta: str) -> str | None:
        return None if ruta == PUBLICO else self._local.enlace(ruta)

    def listar(self, carpeta: str) -> Iterator[str] | None:
        return None

    def _cambia(self, ruta: str) -> bool:
        """Lo que el origen reescribe: el punto de control, el de los últimos cortes (ganan cofirmas) y la portada."""
        if ruta.startswith(_PUNTOS):
            return ruta.removeprefix(_PUNTOS) >= self.vigente and ruta != f"{_PUNTOS}ceros"
        return ruta == PUNTO or ruta.startswith(f"{PUBLICO}/")

    def _guardar(self, ruta: str, datos: bytes) -> None:
        destino = self.aparte / ruta
        destino.parent.mkdir(parents=True, exist_ok=True, mode=0o755)
        provisional = destino.with_name(f".{destino.name}.bajando")
        provisional.write_bytes(datos)
        provisional.replace(destino)


def espejar(origen: Lector, espejo: Path, llave: str = "", avance: noche.Avance = noche.nada) -> Hecho:
    """Pone al día el espejo con lo que sirve `origen`.

    Args:
        llave: la vkey que se exige la primera vez; después vale la del propio espejo.

    Raises:
        Mentira: si algo no es cierto; el espejo sigue publicando lo de antes.
        NoSePuede: si no se pudo leer; lo bajado sirve para la próxima. OSError: si no se pudo escribir.
    """
    espejo.mkdir(parents=True, exist_ok=True, mode=0o755)
    with _turno(espejo):
        antes = _antes(espejo)
        if antes is not None:
            if llave and llave != antes.ceros.llave:
                raise NoSePuede(f"{espejo} es espejo de otro registro, el de {antes.ceros.llave}")
            llave = antes.ceros.llave
        aparte = espejo / APARTE
        vigente = Path(enlace).name if (enlace := LectorDeCarpeta(espejo).enlace(PUBLICO)) else ""
        encima = _PorEncima(origen, espejo, aparte, vigente)
        compartidos: dict[str, str] = {}
        try:
            _exigir_que_no_retroceda(encima, antes, llave)
            repasada = noche.todo(encima, llave, avance, compartidos.__setitem__)
            _exigir_que_continue(repasada, antes)
        except Mentira as mentira:
            shutil.rmtree(aparte, ignore_errors=True)  # si no, la mentira se quedaría guardada
            if encima.crecio():
                raise NoSePuede(f"se publicó algo mientras se copiaba ({mentira.donde}): repita") from mentira
            raise
        publica = _el_que_se_publica(encima, repasada)
        horas = {c: h.timestamp() for c, h in repasada.horas.items()}
        _recibir(espejo, aparte, compartidos, horas, publica)
        return Hecho(publica, repasada.registro.tamano, len(encima.bajados))


def _antes(espejo: Path) -> RegistroAbierto | None:
    """El registro que el espejo ya comprobó; `None` si es nuevo."""
    if not (espejo / PUNTO).exists():
        return None
    return RegistroAbierto(LectorDeCarpeta(espejo))


def _exigir_que_no_retroceda(lector: Lector, antes: RegistroAbierto | None, llave: str) -> None:
    nuevo = RegistroAbierto(lector, llave)
    if antes is not None and nuevo.tamano < antes.tamano:
        raise Mentira(
            PUNTO,
            f"{nuevo.tamano} hojas",
            f"al menos las {antes.tamano} que este espejo ya tiene",
            "El registro retrocedió: se restauró un respaldo viejo o alguien quiere borrar lo que ya se publicó.",
        )


def _exigir_que_continue(repasada: noche.Repasada, antes: RegistroAbierto | None) -> None:
    if antes is None:
        return
    punto = antes.firmado.punto
    suya = repasada.registro.arbol.raiz(punto.tamano)
    if suya != punto.raiz:
        raise Mentira(
            PUNTO,
            f"que las primeras {punto.tamano} hojas dan la raíz {suya.hex()[:16]}…",
            f"{punto.raiz.hex()[:16]}…, la que este espejo ya comprobó",
            "Hay dos historias firmadas: guarde los dos puntos de control, son la prueba.",
        )


def _el_que_se_publica(lector: Lector, repasada: noche.Repasada) -> str:
    if not repasada.cortes:
        return ""
    ruta = rutas.en_disco(rutas.MANIFIESTO)
    servido = lector.leer(f"{PUBLICO}/{ruta}")
    iguales = [n for n, _ in repasada.cortes if lector.leer(f"{CORTES}/{n}/{ruta}") == servido]
    return max(iguales)


def _recibir(espejo: Path, aparte: Path, compartidos: dict[str, str], horas: dict[str, float], publica: str) -> None:
    """Pasa lo comprobado a su lugar: al final el punto de control, y después el enlace."""
    punto = aparte / PUNTO
    for carpeta in _PRIMERO_LO_DEMAS:
        for ruta in sorted((aparte / carpeta).rglob("*")):
            if ruta.is_file() and ruta != punto and not ruta.name.endswith(".bajando"):
                relativa = ruta.relative_to(aparte)
                if carpeta == CORTES:
                    # El ETag de nginx sale de la hora y el tamaño: así todos los espejos dan el mismo.
                    os.utime(ruta, (horas[relativa.parts[1]],) * 2)
                destino = espejo / relativa
                destino.parent.mkdir(parents=True, exist_ok=True, mode=0o755)
                ruta.replace(destino)
    for nueva, ya in sorted(compartidos.items()):
        _compartir(espejo, nueva, ya)
    # Un fsync por archivo serían miles: se pide una vez, antes de lo único que los hace valer.
    os.sync()
    if punto.exists():
        durable.escribir(espejo / PUNTO, punto.read_bytes())
    if publica:
        durable.apuntar(espejo / PUBLICO, f"{CORTES}/{publica}")
    shutil.rmtree(aparte, ignore_errors=True)


def _compartir(espejo: Path, nueva: str, ya: str) -> None:
    destino, origen = espejo / nueva, espejo / ya
    if os.path.lexists(destino):
        return
    destino.parent.mkdir(parents=True, exist_ok=True, mode=0o755)
    if origen.is_dir():
        _, _, resto = nueva.split("/", 2)
        destino.symlink_to("../" * (resto.count("/") + 1) + ya.removeprefix(f"{CORTES}/"))
    else:
        os.link(origen, destino)


@contextmanager
def _turno(espejo: Path) -> Iterator[None]:
    descriptor = os.open(espejo / _CANDADO, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        raise NoSePuede(f"otro espejo está trabajando en {espejo}") from error
    try:
        yield
    finally:
        os.close(descriptor)
