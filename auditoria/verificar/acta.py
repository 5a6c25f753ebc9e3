"""Verificar un acta: con toda la publicación a la mano, o sólo con su JSON, su prueba y la llave del registro."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from auditoria.verificar import comprimido, noche
from auditoria.verificar.lector import CORTES, Lector, NoSePuede, servido
from auditoria.verificar.registro import falta, ruta_de_prueba
from nucleo.hechos import IdActa
from nucleo.publicacion import manifiesto, rutas
from nucleo.publicacion.manifiesto import ManifiestoInvalido, archivo_de
from nucleo.publicacion.mentira import Mentira
from nucleo.transparencia import hojas
from nucleo.transparencia.arbol import PruebaInvalida
from nucleo.transparencia.hojas import ActaPublicada, HojaInvalida
from nucleo.transparencia.nota import LlaveDeRegistro, NotaInvalida
from nucleo.transparencia.prueba import comprobar_prueba, leer_prueba


@dataclass(frozen=True)
class ActaVerificada:
    """Lo que se comprobó de un acta."""

    acta: IdActa
    corte: str
    """El que la publicó así por última vez."""
    indice: int
    situacion: str
    imagen: str
    """SHA-256 de la que ya se publica; vacío si ninguna."""
    sobres: int
    """Hechos firmados de que sale."""
    prueba: str


def en_publicacion(
    lector: Lector, clave: str, llave: str = "", avance: noche.Avance = noche.nada
) -> tuple[noche.Repasada, list[ActaVerificada]]:
    """El acta `ELE/CASILLA`, o todas las de una `CASILLA`.

    Raises:
        Mentira: la primera que se halla. NoSePuede: si esa acta no existe, o no hay qué leer.
    """
    repasada = noche.repasar(lector, llave, avance)
    cuales = [c for c in sorted(repasada.actas) if clave in (str(c), c.casilla)]
    if not cuales:
        raise NoSePuede(_sin_hoja(repasada, clave))
    return repasada, [_una(lector, repasada, c) for c in cuales]


def _sin_hoja(repasada: noche.Repasada, clave: str) -> str:
    proceso = repasada.repaso.proceso
    esperadas = (
        () if proceso is None else [IdActa(e, c.clave) for e in proceso.elecciones for c in proceso.esperadas(e)]
    )
    if any(clave in (str(a), a.casilla) for a in esperadas):
        return (
            f"de {clave} no se ha recibido nada todavía: se publica como pendiente y aún no tiene hoja en el registro"
        )
    return f"{clave} no es un acta de este proceso; se escribe ELECCION/CLAVE_CASILLA, como GUB/140101B0100"


def _una(lector: Lector, repasada: noche.Repasada, cual: IdActa) -> ActaVerificada:
    indice, hoja = repasada.actas[cual]
    repasada.registro.comprobar_prueba(indice, hoja)
    ruta = f"{CORTES}/{hoja.corte}/{rutas.en_disco(f'{rutas.acta_por_id(cual)}.json')}"
    try:
        datos = comprimido.abrir(ruta, lector.leer(ruta))
    except FileNotFoundError as error:
        raise falta(ruta, "La hoja del acta dice que se publicó y no está.") from error
    _exigir_ficha(ruta, datos, hoja)
    _exigir_vigente(lector, repasada, cual, hoja)
    if hoja.imagen:
        noche.imagen(lector, hoja.imagen)
    situacion = str(json.loads(datos)["situacion"])
    return ActaVerificada(cual, hoja.corte, indice, situacion, hoja.imagen, len(hoja.hojas), ruta_de_prueba(hoja))


def _exigir_ficha(ruta: str, datos: bytes, hoja: ActaPublicada) -> None:
    suyo = hashlib.sha256(datos).hexdigest()
    if suyo != hoja.ficha:
        significa = "La página del acta no es la que sale de los hechos firmados."
        raise Mentira(ruta, f"algo con SHA-256 {suyo[:16]}…", f"{hoja.ficha[:16]}…", significa)


def _exigir_vigente(lector: Lector, repasada: noche.Repasada, cual: IdActa, hoja: ActaPublicada) -> None:
    """Que el último corte la siga publicando así, según los manifiestos que están en el registro."""
    assert repasada.ultimo is not None
    corte = repasada.ultimo.corte.nombre
    ruta = f"{rutas.acta_por_id(cual)}.json"
    carpeta, _, nombre = ruta.rpartition("/")
    sha256 = repasada.ultimo.hoja.manifiesto
    try:
        for de, este in ((corte, f"{CORTES}/{corte}"), (carpeta, f"{CORTES}/{corte}/{carpeta}")):
            donde = rutas.en_disco(f"{este}/{rutas.MANIFIESTO}")
            datos = comprimido.abrir(donde, servido(lector, donde))
            dicho = manifiesto.leer(datos)
            if dicho.de != de or archivo_de(datos).sha256 != sha256:
                raise ManifiestoInvalido("no es el que está en el registro")
            buscado = manifiesto.ruta_del_de_seccion(carpeta) if de == corte else nombre
            sha256 = dicho.archivos[buscado].sha256
    except FileNotFoundError as error:
        raise falta(donde, "El último corte no se puede comprobar.") from error
    except (ManifiestoInvalido, KeyError) as error:
        raise Mentira(donde, f"otra cosa ({error})", "el manifiesto del registro", "Alguien lo cambió.") from error
    if sha256 != hoja.ficha:
        raise Mentira(
            donde, f"que el acta es {sha256[:16]}…", f"{hoja.ficha[:16]}…", "El último corte publica otra cosa."
        )


def fuera_de_linea(prueba: Path, ficha: Path, llave: str) -> ActaVerificada:
    """Un `.tlog-proof` suelto, el JSON del acta (comprimido o no) y la llave del registro: sin red y sin nada más.

    Raises:
        Mentira: si la prueba no es de ese JSON. NoSePuede: si algo no se puede leer.
    """
    if not llave:
        raise NoSePuede("sin la publicación a la mano hace falta --llave: sin ella la prueba no demuestra nada")
    try:
        crudo, datos = prueba.read_bytes(), ficha.read_bytes()
        registro = LlaveDeRegistro.de_vkey(llave)
    except (OSError, NotaInvalida) as error:
        raise NoSePuede(f"no se pudo leer: {error}") from error
    if datos.startswith(b"\x1f\x8b"):
        datos = comprimido.abrir(str(ficha), datos)
    try:
        dato = json.loads(datos)
        imagen = dato["imagen"]
        hoja = ActaPublicada(
            dato["eleccion"]["clave"],
            dato["casilla"]["clave"],
            dato["publicada_en"]["nombre"],
            hashlib.sha256(datos).hexdigest(),
            imagen["sha256"] if imagen is not None and imagen["presente"] is True else "",
            tuple(dato["hojas"]),
        )
        escrita = hojas.escribir(hoja)
        situacion = str(dato["situacion"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, HojaInvalida) as error:
        raise NoSePuede(f"{ficha} no es el JSON de un acta ({error})") from error
    try:
        leida = leer_prueba(crudo)
        comprobar_prueba(leida, escrita, registro)
    except PruebaInvalida as error:
        raise Mentira(
            str(prueba),
            f"una prueba que no vale ({error})",
            f"la de {ficha.name}",
            "Ese JSON no es el que se publicó, o la prueba es de otra acta o de otro registro.",
        ) from error
    return ActaVerificada(
        IdActa(hoja.eleccion, hoja.casilla),
        hoja.corte,
        leida.indice,
        situacion,
        hoja.imagen,
        len(hoja.hojas),
        str(prueba),
    )
