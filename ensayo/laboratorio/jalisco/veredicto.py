"""El veredicto de la noche del estado, sacado de los discos cuando ya todo se apagó.

Se cruza lo firmado en cada kiosco con lo que el centro guardó, se vuelve a calcular la huella de cada imagen con los
bytes del disco del centro, y lo publicado se compara con lo que sale de los sobres de los kioscos por otro camino.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from ensayo.laboratorio.jalisco.gente import VERIFICADAS
from ensayo.laboratorio.recalculo import votos_por_acta
from ensayo.publicada import leer_publicada
from nucleo.eleccion import Proceso
from servicio_central import ajustes
from servicio_central.corte import hacer_cortes
from servicio_central.imagenes import Imagenes
from servicio_central.publicacion import escritura


@dataclass(frozen=True)
class Entrega:
    """Las imágenes: declaradas en los kioscos contra los archivos del centro."""

    declaradas: int
    enteras: int
    """Con los bytes que dan su SHA-256."""
    danadas: int
    de_mas: int
    sin_cerrar: int
    """Las que el kiosco no da por entregadas."""
    a_medias: int
    bytes: int
    mediana: int
    mayor: int

    @property
    def cuadra(self) -> bool:
        mal = self.danadas or self.de_mas or self.sin_cerrar or self.a_medias
        return not mal and self.enteras == self.declaradas


def contar_imagenes(kioscos: Iterable[Path], centro: Path) -> Entrega:
    """Lee todas las imágenes del centro."""
    declaradas: set[str] = set()
    sin_cerrar = 0
    for kiosco in kioscos:
        for sha256, estado in _filas(kiosco / "almacen.sqlite", "SELECT sha256, estado FROM imagenes"):
            declaradas.add(sha256)
            sin_cerrar += estado != "completa"
    raiz = Imagenes(centro).raiz
    tamanos, danadas, de_mas = [], 0, 0
    for archivo in sorted(r for r in raiz.glob("[0-9a-f][0-9a-f]/*") if r.is_file()):
        contenido = archivo.read_bytes()
        tamanos.append(len(contenido))
        danadas += hashlib.sha256(contenido).hexdigest() != archivo.name
        de_mas += archivo.name not in declaradas
    tamanos.sort()
    return Entrega(
        declaradas=len(declaradas),
        enteras=len(tamanos) - danadas - de_mas,
        danadas=danadas,
        de_mas=de_mas,
        sin_cerrar=sin_cerrar,
        a_medias=sum(1 for r in raiz.glob("a-medias/*/*") if r.is_file()),
        bytes=sum(tamanos),
        mediana=tamanos[len(tamanos) // 2] if tamanos else 0,
        mayor=tamanos[-1] if tamanos else 0,
    )


# -------------------------------------------------------------------------------------------------------- publicación


@dataclass(frozen=True)
class Publicacion:
    """Lo publicado contra lo recalculado."""

    actas: int
    iguales: int
    totales: bool
    """Si cada renglón del resumen es la suma de las actas."""

    @property
    def cuadra(self) -> bool:
        return self.iguales == self.actas > 0 and self.totales


def comparar_publicado(kioscos: Iterable[Path], centro: Path, proceso: Proceso, hora: datetime) -> Publicacion:
    """Hace el corte con `servicio_central.corte` y lo compara, acta por acta, con los sobres de los kioscos."""
    cortes = hacer_cortes(centro, proceso, hora, ultimo=True)
    recalculado = votos_por_acta(
        s for k in kioscos for (s,) in _filas(k / "almacen.sqlite", "SELECT sobre FROM hechos")
    )
    actas = iguales = 0
    totales = True
    for clave, corte in cortes.items():
        (base,) = leer_publicada(corte.zip)
        publicados = json.loads(escritura.leer(corte.carpeta, f"{clave}/index.json"))["por_renglon"]
        sumas: dict[str, int] = dict.fromkeys(base.votos, 0)
        for renglon in base.renglones:
            otros = recalculado.get((clave, renglon["CLAVE_CASILLA"]), {})
            actas += 1
            iguales += bool(otros) and all(renglon[v] == str(otros[v]) for v in base.votos)
            for voto in base.votos:
                sumas[voto] += otros.get(voto, 0)
        totales = totales and {r["clave"]: r["votos"] for r in publicados} == sumas
    return Publicacion(actas, iguales, totales and len(recalculado) == actas)


# ------------------------------------------------------------------------------------------------------------- tiempos


@dataclass(frozen=True)
class Demoras:
    """Segundos de verificada a aceptada (el acuse firmado, ya aplicado en el kiosco), en orden."""

    segundos: Sequence[float]

    def percentil(self, parte: float) -> float:
        return self.segundos[min(len(self.segundos) - 1, int(len(self.segundos) * parte))] if self.segundos else 0.0


def demoras_de(kioscos: Iterable[Path]) -> Demoras:
    """Las de todas las actas verificadas en esos kioscos."""
    todas: list[float] = []
    for kiosco in kioscos:
        cerrados: dict[int, str] = dict(_filas(kiosco / "almacen.sqlite", "SELECT secuencia, cerrado_en FROM bandeja"))
        for renglon in (kiosco / VERIFICADAS).read_text(encoding="ascii").splitlines():
            secuencia, instante = renglon.split()
            todas.append(max(0.0, datetime.fromisoformat(cerrados[int(secuencia)]).timestamp() - float(instante)))
    return Demoras(sorted(todas))


@dataclass
class Regreso:
    """Lo que la región debía al volver el camino, y cuándo quedó al corriente."""

    vuelta: float
    """Segundos de época."""
    ultimos: Mapping[Path, int]
    """Kiosco → última secuencia asentada al volver."""
    cifras: int
    imagenes: Mapping[Path, frozenset[str]]
    """Kiosco → las que faltaban."""
    cifras_s: float = 0.0
    imagenes_s: float = 0.0
    imagenes_ya: int = 0
    """De las imágenes que se debían, las que llegaron antes que la última cifra debida de su mismo kiosco."""
    al_reves: list[str] = field(default_factory=list)
    """Kioscos cuya última imagen debida llegó antes que su última cifra debida."""

    @property
    def cuantas_imagenes(self) -> int:
        return sum(map(len, self.imagenes.values()))

    @property
    def cuadra(self) -> bool:
        return not self.al_reves and (not self.cuantas_imagenes or self.cifras_s <= self.imagenes_s)


def mirar_regreso(region: Iterable[Path], vuelta: float) -> Regreso:
    """Lo que deben esos kioscos en este momento."""
    ultimos, faltan, cifras = {}, {}, 0
    for kiosco in region:
        ruta = kiosco / "almacen.sqlite"
        ((ultimos[kiosco], debidas),) = _filas(
            ruta, "SELECT coalesce(max(secuencia), 0), coalesce(sum(estado <> 'cerrado'), 0) FROM bandeja"
        )
        cifras += debidas
        faltan[kiosco] = frozenset(s for (s,) in _filas(ruta, "SELECT sha256 FROM imagenes WHERE estado <> 'completa'"))
    return Regreso(vuelta, ultimos, cifras, faltan)


def terminar_regreso(regreso: Regreso, centro: Path) -> None:
    """Con todo ya entregado, saca de los discos cuándo llegó lo que se debía.

    Qué llegó antes se juzga con las horas del centro: un acuse puede tardar más en bajar que una imagen en subir.
    """
    imagenes = Imagenes(centro)
    for kiosco, ultima in regreso.ultimos.items():
        donde = f"WHERE secuencia <= {int(ultima)}"
        acusada = _hora(kiosco / "almacen.sqlite", f"SELECT max(cerrado_en) FROM bandeja {donde}")
        aceptada = _hora(
            centro / ajustes.ALMACEN, f"SELECT max(recibido) FROM hechos {donde} AND equipo = '{kiosco.name}'"
        )
        llegadas = [imagenes.ruta(s).stat().st_mtime for s in regreso.imagenes[kiosco]]
        regreso.cifras_s = max(regreso.cifras_s, acusada - regreso.vuelta)
        regreso.imagenes_s = max([regreso.imagenes_s, *(x - regreso.vuelta for x in llegadas)])
        regreso.imagenes_ya += sum(x < aceptada for x in llegadas)
        if llegadas and max(llegadas) < aceptada:
            regreso.al_reves.append(kiosco.name)


def _hora(ruta: Path, consulta: str) -> float:
    """Segundos de época de la hora que da esa consulta; 0 si no da ninguna."""
    ((hora,),) = _filas(ruta, consulta)
    return datetime.fromisoformat(hora).timestamp() if hora else 0.0


def esperan(centro: Path) -> int:
    """Sobres que el centro aún no puede juzgar."""
    return int(_filas(centro / ajustes.ALMACEN, "SELECT count(*) FROM en_espera")[0][0])


def _filas(ruta: Path, consulta: str) -> list[Any]:
    with closing(sqlite3.connect(f"file:{ruta}?mode=ro", uri=True, timeout=10)) as bd:
        return bd.execute(consulta).fetchall()
