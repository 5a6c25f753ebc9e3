"""La vida de un acta: todos sus hechos, de qué equipo y persona, cuándo, y en qué corte salió."""

from __future__ import annotations

import base64
import json
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from nucleo import formas
from nucleo.captura import estado_de
from nucleo.casilla import Casilla
from nucleo.eleccion import Proceso
from nucleo.hechos import (
    Captura,
    Correccion,
    FueraDeCatalogo,
    Hecho,
    HojaDeBitacora,
    Imagen,
    Revision,
    de_contenido,
    del_catd,
    tipo_de,
)
from nucleo.padron import Padron
from nucleo.sobre import leer_json
from servicio_central import almacenes, cubierto
from servicio_central.imagenes import Imagenes
from servicio_central.publicado import actas_en_duda, ultimo_publicado
from servicio_central.puerto_almacen import Lector


@dataclass(frozen=True, slots=True)
class Suceso:
    """Un hecho del acta en su lugar de la cadena."""

    hora: datetime
    """La que dice el kiosco."""
    recibido: datetime
    tipo: str
    equipo: str
    epoca: str
    secuencia: int
    personas: str
    detalle: str
    aparte: str
    """Por qué no se cuenta (excluido, bifurcado, en espera); vacío si se cuenta."""
    corte: str
    """El primer corte que lo incluye; vacío si ninguno todavía."""
    falta_imagen: bool = False
    """Si declara una imagen que el centro aún no tiene completa."""


@dataclass(frozen=True, slots=True)
class Vida:
    """Un acta con todo lo suyo. `estado` es el de la doble captura, en palabras."""

    casilla: Casilla
    eleccion: str
    estado: str
    en_duda: bool
    sucesos: tuple[Suceso, ...]


_CANDIDATOS: Final = 3000
"""Mensajes apartados entre los que se busca: lo más reciente. Quien mande basura no vuelve lenta esta página."""

_ESTADOS: Final = {
    "SinCaptura": "sin captura",
    "PrimeraConcluida": "primera captura concluida",
    "Discrepante": "discrepante: falta la corrección de otra persona",
    "EnRevision": "en revisión: la deciden dos personas juntas",
    "Verificada": "verificada",
    "SinActaDeclarada": "declarada sin acta",
}


def contar(carpeta: Path, proceso: Proceso, padron: Padron, eleccion: str, clave: str) -> Vida | None:
    """La vida de esa acta; `None` si no es de este proceso.

    Raises:
        uno de `puerto_almacen.ERRORES`: si el almacén no se puede leer.
    """
    casilla = proceso.casillas.get(clave)
    if casilla is None or eleccion not in proceso.elecciones:
        return None
    cortes, imagenes = _Cortes(carpeta), Imagenes(carpeta)
    with closing(almacenes.leer(carpeta)) as bd:
        bd.execute("BEGIN")
        contados = bd.execute(
            "SELECT equipo, epoca, secuencia, recibido, sobre FROM hechos WHERE eleccion = ? AND casilla = ?",
            (eleccion, clave),
        ).fetchall()
        aparte = _aparte(bd, eleccion, clave)
    sucesos, hechos = [], []
    for equipo, epoca, secuencia, recibido, sobre in contados:
        hecho = _hecho(sobre)
        excluido = padron.excluye(equipo, epoca, secuencia)
        if excluido is None and not isinstance(hecho, HojaDeBitacora | FueraDeCatalogo):
            hechos.append(hecho)
        motivo = "" if excluido is None else f"excluido por la autoridad: {excluido.motivo}"
        salio = cortes.de(equipo, epoca, secuencia) if excluido is None else ""
        suceso = _suceso(hecho, recibido, equipo, epoca, secuencia, motivo, salio)
        falta = isinstance(hecho, Imagen) and not imagenes.contiene(hecho.sha256)
        sucesos.append(replace(suceso, falta_imagen=falta))
    for motivo, recibido, sobre in aparte:
        sucesos.append(_suceso(_hecho(sobre), recibido, *_lugar(sobre), motivo, ""))
    publicado = ultimo_publicado(carpeta)
    return Vida(
        casilla,
        eleccion,
        _ESTADOS[type(estado_de(hechos)).__name__] if hechos else "sin hechos",
        publicado is not None and f"{eleccion}/{clave}" in actas_en_duda(carpeta, publicado),
        tuple(sorted(sucesos, key=lambda s: (s.recibido, s.equipo, s.secuencia))),
    )


def buscar(proceso: Proceso, texto: str, cuantas: int = 40) -> list[Casilla]:
    """Casillas de esa sección, si es un número; si no, o si no la hay, las que tienen eso en su clave.

    La clave se puede escribir como la enseña el kiosco, con espacios.
    """
    texto = "".join(texto.split()).upper()
    casillas = proceso.casillas.values()
    de_la_seccion: list[Casilla] = []
    if texto.isascii() and texto.isdigit() and len(texto) <= 4:
        de_la_seccion = [c for c in casillas if c.seccion == int(texto)]
    return (de_la_seccion or [c for c in casillas if len(texto) > 3 and texto in c.clave])[:cuantas]


def _suceso(hecho: Hecho, recibido: str, equipo: str, epoca: str, secuencia: int, aparte: str, salio: str) -> Suceso:
    return Suceso(
        hecho.hora,
        datetime.fromisoformat(recibido),
        tipo_de(hecho).replace("_", " "),
        equipo,
        epoca,
        secuencia,
        _personas(hecho),
        _detalle(hecho),
        aparte,
        salio,
    )


def _aparte(bd: Lector, eleccion: str, clave: str) -> list[tuple[str, str, str]]:
    """(motivo, recibido, sobre) de lo de esa acta que no se cuenta."""
    marca = f'"casilla":"{clave}"'
    limite = f"ORDER BY 2 DESC LIMIT {_CANDIDATOS}"
    bifurcados = bd.execute(f"SELECT 'bifurcado', recibido, sobre FROM bifurcaciones {limite}")
    esperan = bd.execute(f"SELECT codigo, desde, bytes FROM en_espera {limite}")
    apartados = bd.execute(f"SELECT codigo, primera_vez, bytes FROM cuarentena WHERE huella <> '' {limite}")
    candidatos = [
        *(("bifurcado: otra hoja ocupa su lugar", r, s) for _, r, s in bifurcados.fetchall()),
        *((f"en espera: {c}", r, _texto(b)) for c, r, b in esperan.fetchall()),
        *((f"en cuarentena: {c}", r, _texto(b)) for c, r, b in apartados.fetchall()),
    ]
    suyos = []
    for motivo, recibido, sobre in candidatos:
        try:
            carga = _carga(sobre)
            if marca.encode() not in carga:
                continue
            contenido = json.loads(carga)["contenido"]
            if contenido["casilla"] == clave and contenido["eleccion"] == eleccion:
                _hecho(sobre)
                _lugar(sobre)
                suyos.append((motivo, recibido, sobre))
        except (ValueError, KeyError, TypeError, IndexError, RecursionError):
            continue  # lo que no tiene forma de hecho no es de ninguna acta
    return suyos


def _texto(datos: bytes) -> str:
    return bytes(datos).decode("ascii", "replace")


def _carga(sobre: str) -> bytes:
    segmento = sobre.split(".")[1]
    return base64.urlsafe_b64decode(segmento + "=" * (-len(segmento) % 4))


def _hecho(sobre: str) -> Hecho:
    dato = leer_json(_carga(sobre))
    return del_catd(de_contenido(dato["contenido"]), str(dato["catd"]))


def _lugar(sobre: str) -> tuple[str, str, int]:
    """(equipo, época, secuencia) que dice un sobre apartado, que nadie verificó. Raises: ValueError, KeyError."""
    dato = leer_json(_carga(sobre))
    return (
        formas.texto(dato["equipo"], formas.EQUIPO),
        formas.texto(dato["epoca"], formas.EPOCA),
        formas.entero(dato["secuencia"], 1),
    )


def _personas(hecho: Hecho) -> str:
    match hecho:
        case HojaDeBitacora():
            return ""
        case Revision():
            return " y ".join(hecho.personas)
        case _:
            confirma: Any = getattr(hecho, "confirma", "")
            return f"{hecho.persona}, confirma {confirma}" if confirma else hecho.persona


def _detalle(hecho: Hecho) -> str:
    match hecho:
        case Captura():
            return f"vuelta {hecho.vuelta}"
        case Correccion() | Revision():
            return f"vuelta {hecho.vuelta}: {', '.join(sorted(hecho.campos))}"
        case _:
            dichos = {c: getattr(hecho, c, None) for c in ("motivo", "resultado", "caja", "origen", "digitalizacion")}
            return ", ".join(f"{c} {getattr(v, 'name', v)}".lower() for c, v in dichos.items() if v is not None)


class _Cortes:
    """En qué corte salió cada hoja: el primero cuyo `cubierto` llega hasta ella."""

    def __init__(self, carpeta: Path) -> None:
        self._anotados = []
        for ruta in sorted((carpeta / cubierto.CARPETA).glob("*.json")):
            anotado = cubierto.leer(carpeta, ruta.stem)
            if anotado is not None:
                self._anotados.append((ruta.stem, anotado))

    def de(self, equipo: str, epoca: str, secuencia: int) -> str:
        return next((n for n, a in self._anotados if a.cadenas.get((equipo, epoca), 0) >= secuencia), "")
