"""Repasar la noche entera de una publicación: lo que hacen juntas todas las preguntas de `prep verificar`."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from auditoria.verificar.corte import Compartir, Cortes, Cuenta
from auditoria.verificar.lector import CORTES, DOCUMENTOS, IMAGENES, PUBLICO, Lector, NoSePuede
from auditoria.verificar.registro import CEROS, PUNTO, RegistroAbierto, falta, ruta_de_hojas, ruta_de_prueba, sobra
from nucleo.hechos import IdActa
from nucleo.publicacion import rutas
from nucleo.publicacion.corte_repasado import CorteRepasado
from nucleo.publicacion.mentira import Mentira
from nucleo.publicacion.repaso import Repaso, SinDefinicion
from nucleo.sobre import huella
from nucleo.transparencia.hojas import ActaPublicada, Clase

Avance = Callable[[str, int, int], None]
"""Qué se está comprobando, cuánto va y de cuánto."""

TODOS: Final = ""
_HECHO: Final = f"{Clase.HECHO.value}\n".encode()
ESPERA: Final = 3.0
"""Segundos que puede pasar entre que un corte se asienta en el registro y se muestra."""


def nada(_: str, __: int, ___: int) -> None:
    """No decir nada."""


def no_importa(_: str, __: str) -> None:
    """Quien sólo verifica no guarda nada."""


@dataclass
class Repasada:
    """Una noche que se repitió sin hallar mentiras."""

    registro: RegistroAbierto
    repaso: Repaso
    cuenta: Cuenta
    ultimo: CorteRepasado | None = None
    cortes: list[tuple[str, int]] = field(default_factory=list)
    """Nombre de cada corte e índice de su hoja, en el orden del registro."""
    horas: dict[str, datetime] = field(default_factory=dict)
    """La de cada corte."""
    actas: dict[IdActa, tuple[int, ActaPublicada]] = field(default_factory=dict)
    """Lo último que se publicó de cada una."""
    todas: list[tuple[int, ActaPublicada]] = field(default_factory=list)
    sobres: dict[str, str] = field(default_factory=dict)
    """Huella → sobre de los que ya son públicos, si se pidió comprobarlo todo."""
    usados: set[str] = field(default_factory=set)
    """SHA-256 de los documentos que nombra el registro."""

    @property
    def ultimo_publicado(self) -> str:
        """El corte más nuevo por su hora; vacío si ninguno."""
        return max((n for n, _ in self.cortes), default="")


def repasar(
    lector: Lector,
    llave: str = "",
    avance: Avance = nada,
    *,
    archivos_de: str | None = None,
    al_compartir: Compartir = no_importa,
) -> Repasada:
    """Lee el registro completo y repite cada corte.

    Args:
        llave: la vkey que se exige; vacía si se toma la de la puesta en ceros.
        archivos_de: de qué corte comprobar además todos sus archivos; `TODOS` de todos, `None` de ninguno.

    Raises:
        Mentira: la primera que se halla. NoSePuede: si no hay qué leer, o es un libro suelto.
    """
    registro = RegistroAbierto(lector, llave)
    usados: set[str] = set()

    def documento(sha256: str) -> bytes:
        usados.add(sha256)
        return lector.leer(f"{DOCUMENTOS}/{sha256}")

    repaso = Repaso(documento)
    noche = Repasada(registro, repaso, Cuenta(), usados=usados)
    cortes = Cortes(lector, noche.cuenta, al_compartir)
    for indice, dato in registro.hojas():
        if archivos_de == TODOS and dato.startswith(_HECHO):
            sobre = dato.removeprefix(_HECHO).decode("ascii")
            noche.sobres[huella(sobre)] = sobre
        try:
            hecho = repaso.hoja(indice, dato)
        except SinDefinicion as error:
            raise NoSePuede(str(error)) from error
        if hecho is None:
            continue
        nombre = hecho.corte.nombre
        avance(f"corte {nombre}", indice, registro.tamano)
        noche.cortes.append((nombre, indice))
        noche.horas[nombre] = hecho.corte.hora
        noche.ultimo = hecho
        noche.todas += hecho.actas
        noche.actas |= {IdActa(a.eleccion, a.casilla): (i, a) for i, a in hecho.actas}
        if archivos_de is not None:
            cortes.repasar(hecho, leer=archivos_de in (TODOS, nombre))
        if archivos_de == TODOS:
            for _, acta in hecho.actas:
                registro.comprobar_hojas(acta, noche.sobres, hecho.padron)
    if archivos_de and archivos_de not in cortes.nombres:
        cuales = ", ".join(cortes.nombres) or "ninguno"
        raise NoSePuede(f"en el registro no hay un corte {archivos_de}: los que hay son {cuales}")
    noche.cuenta.avisos += repaso.cadenas.avisos()
    return noche


def todo(
    lector: Lector,
    llave: str = "",
    avance: Avance = nada,
    al_compartir: Compartir = no_importa,
    espera: float = 0,
) -> Repasada:
    """Comprueba todo lo publicado, hasta el último archivo.

    Args:
        al_compartir: como en `Cortes`.
        espera: segundos que puede pasar entre que un corte se asienta y se muestra.

    Raises:
        Como `repasar`.
    """
    antes = _punto(lector)
    try:
        noche = repasar(lector, llave, avance, archivos_de=TODOS, al_compartir=al_compartir)
        _acompanantes(lector, noche, avance)
        _exigir_vigente(lector, noche, espera)
    except Mentira as mentira:
        # Lo que aún se publica puede leerse a medias: antes de acusar a alguien, que no haya sido eso.
        time.sleep(espera)
        if _punto(lector) != antes:
            que = f"el registro creció mientras se leía ({mentira.donde}): repita, o verifique un espejo"
            raise NoSePuede(que) from mentira
        raise
    return noche


def _punto(lector: Lector) -> bytes | None:
    try:
        return lector.leer(PUNTO)
    except (FileNotFoundError, Mentira):
        return None


def _exigir_vigente(lector: Lector, noche: Repasada, espera: float) -> None:
    try:
        _vigente(lector, noche)
    except Mentira:
        if not espera:
            raise
        time.sleep(espera)
        _vigente(lector, noche)


def _acompanantes(lector: Lector, noche: Repasada, avance: Avance) -> None:
    """Lo que no es de un corte: puntos de control, pruebas, imágenes, documentos y el enlace a lo vigente."""
    registro = noche.registro
    registro.comprobar_llave()
    registro.comprobar_punto(CEROS, 1)
    for nombre, indice in noche.cortes:
        registro.comprobar_punto(nombre, indice + 1)
    for numero, (indice, acta) in enumerate(noche.todas):
        avance("pruebas e imágenes", numero, len(noche.todas))
        registro.comprobar_prueba(indice, acta)
    imagenes = {a.imagen for _, a in noche.todas} - {""}
    for sha256 in sorted(imagenes):
        imagen(lector, sha256)
    pruebas = frozenset(ruta(a) for _, a in noche.todas for ruta in (ruta_de_prueba, ruta_de_hojas))
    nombres = frozenset(n for n, _ in noche.cortes)
    noche.cuenta.avisos += registro.comprobar_archivos(nombres, pruebas)
    for ruta in lector.listar(CORTES) or ():
        if ruta.split("/")[1] not in nombres:
            raise sobra(ruta)
    noche.cuenta.avisos += _sueltos(lector, IMAGENES, {_de_imagen(s) for s in imagenes})
    noche.cuenta.avisos += _sueltos(lector, DOCUMENTOS, {f"{DOCUMENTOS}/{s}" for s in noche.usados})


def imagen(lector: Lector, sha256: str) -> None:
    """Que esté y sea la de esa huella. Raises: Mentira."""
    ruta = _de_imagen(sha256)
    try:
        datos = lector.leer(ruta)
    except FileNotFoundError as error:
        raise falta(ruta, "La hoja de un acta dice que su imagen ya se publica y no está.") from error
    suyo = hashlib.sha256(datos).hexdigest()
    if suyo != sha256:
        raise Mentira(ruta, f"una imagen con SHA-256 {suyo[:16]}…", f"{sha256[:16]}…", "No es la imagen que se firmó.")


def _de_imagen(sha256: str) -> str:
    return f"{IMAGENES}/{sha256[:2]}/{sha256}.webp"


def _sueltos(lector: Lector, carpeta: str, propios: set[str]) -> Iterator[str]:
    """Los que nadie nombra. Uno que dice bien su SHA-256 pudo quedar de un corte que un apagón impidió: se avisa."""
    for ruta in lector.listar(carpeta) or ():
        if ruta in propios:
            continue
        nombre = ruta.rpartition("/")[2].partition(".")[0]
        debida = _de_imagen(nombre) if carpeta == IMAGENES else f"{carpeta}/{nombre}"
        if ruta != debida or hashlib.sha256(lector.leer(ruta)).hexdigest() != nombre:
            raise sobra(ruta)
        yield f"{ruta} no lo nombra ninguna hoja del registro"


def _vigente(lector: Lector, noche: Repasada) -> None:
    if not noche.cortes:
        return
    # El último asentado no es el de hora más nueva sólo si alguno se hizo con una hora equivocada.
    buenos = {noche.ultimo_publicado, noche.cortes[-1][0]}
    destino = lector.enlace(PUBLICO)
    if destino is None and lector.listar(CORTES) is None:
        _portada(lector, buenos)
    elif destino not in {f"{CORTES}/{n}" for n in buenos}:
        raise Mentira(
            PUBLICO,
            f"un enlace a {str(destino)[:120]}" if destino else "algo que no es un enlace",
            f"{CORTES}/{noche.ultimo_publicado}",
            "Lo que se muestra no es el último corte que está en el registro.",
        )


def _portada(lector: Lector, buenos: set[str]) -> None:
    """Por la red no se ve el enlace: lo que sirve la raíz tiene que ser el último corte."""
    ruta = rutas.en_disco(rutas.MANIFIESTO)
    try:
        servido = lector.leer(f"{PUBLICO}/{ruta}")
        debidos = [lector.leer(f"{CORTES}/{n}/{ruta}") for n in sorted(buenos)]
    except FileNotFoundError as error:
        raise falta(f"{PUBLICO}/{ruta}", "La portada no es ninguno de los cortes.") from error
    if servido not in debidos:
        raise Mentira(
            f"{PUBLICO}/{ruta}", "otro manifiesto", f"el del corte {max(buenos)}", "La portada no es el último corte."
        )
