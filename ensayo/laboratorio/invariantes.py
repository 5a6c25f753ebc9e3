"""El juez: lo que debe ser cierto a media noche y, sobre todo, cuando todo volvió a andar.

No sabe qué desgracias hubo más que por lo que dejan en disco: lee los almacenes de los kioscos y el del centro con su
propia conexión, que sólo ve lo confirmado, y los cortes como los vería cualquiera.
"""

from __future__ import annotations

import base64
import hashlib
import json
import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from ensayo.laboratorio.kiosco import Kiosco
from ensayo.laboratorio.proceso import RENGLONES
from ensayo.laboratorio.recalculo import Votos, votos_publicables
from ensayo.publicada import leer_publicada
from servicio_central import publicado
from servicio_central.publicacion import escritura
from servicio_central.publicacion.corte_hecho import Corte

VISTO_S: Final = 45.0
"""Segundos en que, con todo en pie, el centro debe haber oído a cada kiosco: tres latidos."""


@dataclass
class _Corte:
    hora: datetime
    carpeta: Path
    huellas: frozenset[str]
    votos: dict[str, Votos]
    sumas: dict[str, str]
    """Archivo → SHA-256 el día que se publicó."""


@dataclass
class Juez:
    """Junta violaciones; cada una es una frase con lo que hace falta para entenderla."""

    centro: Path
    cuenta: Counter[str]
    violaciones: list[str] = field(default_factory=list)
    emitidos: dict[str, str] = field(default_factory=dict)
    """Todo lo que alguien firmó bien: huella → sobre."""
    discos_cambiados: set[str] = field(default_factory=set)
    """Equipos clonados o restaurados: lo que se llevó el disco del centro y ya no está en ningún disco suyo no puede
    volver."""
    _durables: dict[str, int] = field(default_factory=dict)
    """Lo que el centro tiene, con su posición."""
    _perdidos: set[str] = field(default_factory=set)
    """Lo que tuvo y se llevó su disco, hasta que alguien lo vuelva a dar."""
    _cortes: list[_Corte] = field(default_factory=list)

    def acusar(self, que: str) -> None:
        if len(self.violaciones) < 20 and que not in self.violaciones:
            self.violaciones.append(que)

    # ---------------------------------------------------------------------------------------------------- a media noche

    def mirar(self, kioscos: Iterable[Kiosco]) -> None:
        """Nada está cerrado en un kiosco sin estar, durable y con la misma huella, en el centro."""
        self._leer_durables()
        for kiosco in kioscos:
            for secuencia, huella, estado, sobre in _filas(kiosco.ruta, _HOJAS):
                self.emitidos[huella] = sobre
                if estado == "cerrado" and huella not in self._durables and huella not in self._perdidos:
                    self.acusar(f"{kiosco.nombre} cerró el {secuencia} y el centro no lo tiene durable")

    def _leer_durables(self) -> None:
        filas = _filas(self.centro, "SELECT huella, posicion, equipo, epoca, secuencia FROM hechos")
        self._durables = {huella: posicion for huella, posicion, *_ in filas}
        if len(filas) != len(self._durables):
            self.acusar("el centro guarda dos veces la misma hoja")
        if len(filas) != len({tuple(lugar) for _, _, *lugar in filas}):
            self.acusar("el centro cuenta dos hojas del mismo lugar de la cadena")
        self._perdidos -= self._durables.keys()

    def al_cerrar(self, kiosco: Kiosco) -> None:
        """Lo mismo, en el instante en que un acuse cerró algo."""
        cerrados = kiosco.disco.execute(_CERRADOS).fetchall()
        nuevos = {h: s for s, h in cerrados if h not in self._durables and h not in self._perdidos}
        if not nuevos:
            return
        self._leer_durables()
        for huella, secuencia in nuevos.items():
            if huella not in self._durables:
                self.acusar(f"{kiosco.nombre} cerró el {secuencia} y el centro no lo tiene durable")

    def recordar(self, kiosco: Kiosco) -> None:
        """Recuerda la última hoja firmada por ese kiosco."""
        huella, sobre = kiosco.disco.execute(_ULTIMA).fetchone()
        self.emitidos[huella] = sobre

    def se_perdio_el_disco_del_centro(self) -> None:
        """Antes de poner un respaldo: lo que había y ya no está es una pérdida con nombre."""
        self._leer_durables()
        self._perdidos |= self._durables.keys()

    def al_revivir(self, kiosco: Kiosco) -> None:
        """Lo que la pantalla dijo «guardada» sigue ahí."""
        suyas = self.registrar(kiosco)
        if faltan := kiosco.dichos - suyas:
            self.acusar(f"{kiosco.nombre} dijo guardadas {len(faltan)} hojas que ya no tiene")

    def registrar(self, kiosco: Kiosco) -> set[str]:
        """Recuerda todo lo firmado por ese kiosco y devuelve sus huellas."""
        filas = dict(_filas(kiosco.ruta, "SELECT huella, sobre FROM hechos"))
        self.emitidos.update(filas)
        return set(filas)

    def casillas_aceptadas(self) -> set[str]:
        """De qué casillas tiene hechos el centro."""
        return {c for (c,) in _filas(self.centro, "SELECT DISTINCT casilla FROM hechos WHERE casilla NOT NULL")}

    # ---------------------------------------------------------------------------------------------------------- cortes

    def anotar_corte(self, corte: Corte) -> None:
        """Revisa un corte recién publicado contra los hechos y contra el anterior."""
        self._leer_durables()
        self._revisar_presentes()
        votos = _votos_de(corte.zip)
        resumen = publicado.leer_resumen(corte.carpeta)["elecciones"][corte.eleccion]
        huellas = frozenset(self._durables)
        conjunto = hashlib.sha256("".join(f"{h}\n" for h in sorted(huellas)).encode()).hexdigest()
        if (resumen["hechos"], resumen["conjunto"]) != (len(huellas), conjunto):
            self.acusar(f"el corte {corte.carpeta.name} no es de los hechos que hay: {resumen['hechos']}")
        conocidos = [self.emitidos[h] for h in huellas if h in self.emitidos]
        if len(conocidos) == len(huellas):
            self._comparar(corte, votos, votos_publicables(conocidos), _votos_por_renglon(corte))
        self._contra_el_anterior(corte, votos, huellas)
        sumas = _sumas(corte.carpeta)
        self.cuenta["acta publicada"] += len(votos)
        self.cuenta["acta en duda"] += len(resumen["en_duda"])
        self._cortes.append(_Corte(corte.hora.astimezone(UTC), corte.carpeta, huellas, votos, sumas))

    def _revisar_presentes(self) -> None:
        if fantasmas := self._durables.keys() - self.emitidos.keys():
            self.acusar(f"el centro cuenta {len(fantasmas)} hojas que nadie firmó")

    def _comparar(
        self, corte: Corte, votos: Mapping[str, Votos], otros: Mapping[str, Votos], totales: Mapping[str, int]
    ) -> None:
        if dict(votos) != dict(otros):
            cual = next(c for c in sorted({*votos, *otros}) if votos.get(c) != otros.get(c))
            self.acusar(f"{corte.carpeta.name} publica {cual} como {votos.get(cual)} y es {otros.get(cual)}")
        for renglon in RENGLONES:
            if totales[renglon] != sum(v[renglon] for v in otros.values()):
                self.acusar(f"{corte.carpeta.name}: el total de {renglon} no es la suma de las actas")

    def _contra_el_anterior(self, corte: Corte, votos: Mapping[str, Votos], huellas: frozenset[str]) -> None:
        if not self._cortes:
            return
        anterior = self._cortes[-1]
        explican = self._casillas(huellas ^ anterior.huellas)
        for casilla, antes in anterior.votos.items():
            if votos.get(casilla) != antes:
                self.cuenta["acta publicada que un hecho nuevo cambió"] += 1
                if casilla not in explican:
                    self.acusar(f"{corte.carpeta.name} cambia {casilla} sin un hecho que lo explique")
        if idas := anterior.huellas - huellas - self._perdidos:
            self.acusar(f"{corte.carpeta.name} ya no cuenta {len(idas)} hojas que {anterior.carpeta.name} contaba")

    def _equipo(self, huella: str) -> str:
        return str(_carga(self.emitidos[huella])["equipo"]) if huella in self.emitidos else ""

    def _casillas(self, huellas: Iterable[str]) -> set[str]:
        return {c for h in huellas if h in self.emitidos for c in [_casilla(self.emitidos[h])] if c}

    # ------------------------------------------------------------------------------------------------------ a la mañana

    def sentenciar(self, kioscos: Iterable[Kiosco], encendidos: Iterable[Kiosco], ahora: datetime) -> None:
        """Todo lo asentado, aceptado o explicado, y ninguna espera sin nombre; y a los encendidos se les ve."""
        self._leer_durables()
        self._revisar_presentes()
        aparte = {str(h) for (h,) in _filas(self.centro, "SELECT huella FROM bifurcaciones")}
        cuarentena = {str(h) for (h,) in _filas(self.centro, "SELECT huella FROM cuarentena")}
        esperan = {str(h) for (h,) in _filas(self.centro, "SELECT huella FROM en_espera")}
        if esperan:
            self.acusar(f"{len(esperan)} hojas siguen en espera con la definición completa")
        idas = self._perdidos - aparte - cuarentena
        self.cuenta["hoja perdida con el disco del centro y con el del kiosco"] += len(idas)
        if sin_razon := [h for h in idas if self._equipo(h) not in self.discos_cambiados]:
            self.acusar(f"{len(sin_razon)} hojas que el centro perdió con su disco nadie las volvió a dar")
        for kiosco in kioscos:
            alarma = dict(_filas(kiosco.ruta, "SELECT llave, valor FROM situacion")).get("alarma")
            for secuencia, huella, estado, apartado in _filas(kiosco.ruta, _BANDEJA):
                quien = f"{kiosco.nombre} {secuencia} ({estado}, {apartado or 'sin apartar'})"
                if huella in self._durables:
                    if estado != "cerrado" and alarma is None:
                        self.acusar(f"{quien}: está en el centro y el kiosco no se ha enterado")
                elif huella not in aparte | cuarentena:
                    self.acusar(f"{quien}: ni aceptado ni explicado")
                elif apartado is None and (estado == "cerrado" or alarma is None):
                    self.acusar(f"{quien}: apartado en el centro y el kiosco no lo sabe")
            self._revisar_publicado(kiosco)
        for kiosco in encendidos:
            self._revisar_latido(kiosco, ahora)
            self._revisar_imagenes(kiosco)
        for corte in self._cortes:
            if _sumas(corte.carpeta) != corte.sumas:
                self.acusar(f"cambiaron los bytes del corte {corte.carpeta.name}")

    def _revisar_publicado(self, kiosco: Kiosco) -> None:
        """Lo que el kiosco cree publicado en un corte, de veras iba en él."""
        for hora, contiguo in _filas(kiosco.ruta, "SELECT hora, contiguo FROM cortes"):
            corte = next((c for c in self._cortes if c.hora == datetime.fromisoformat(hora)), None)
            suyas = {h for (h,) in _filas(kiosco.ruta, f"SELECT huella FROM hechos WHERE secuencia <= {int(contiguo)}")}
            if corte is None or not suyas <= corte.huellas:
                self.acusar(f"{kiosco.nombre} da por publicado a las {hora} lo que ese corte no incluye")

    def _revisar_imagenes(self, kiosco: Kiosco) -> None:
        """Toda imagen está completa en el centro, con su huella, o apartada con su nota."""
        alarma = dict(_filas(kiosco.ruta, "SELECT llave, valor FROM situacion")).get("alarma")
        for sha256, estado, nota, cifra in _filas(kiosco.ruta, _IMAGENES):
            archivo = self.centro.parent / "imagenes" / sha256[:2] / sha256
            completa = archivo.is_file() and hashlib.sha256(archivo.read_bytes()).hexdigest() == sha256
            self.cuenta[f"imagen {'completa' if completa else nota or 'sin acabar'}"] += 1
            if estado == "completa" and not completa:
                self.acusar(f"{kiosco.nombre} da por entregada la imagen {sha256[:8]} y el centro no la tiene")
            elif estado != "completa" and not nota and cifra == "cerrado" and alarma is None:
                self.acusar(f"{kiosco.nombre} no ha entregado la imagen {sha256[:8]} ni dice por qué")

    def _revisar_latido(self, kiosco: Kiosco, ahora: datetime) -> None:
        filas = _filas(self.centro, f"SELECT secuencia, recibido FROM latidos WHERE equipo = '{kiosco.equipo}'")
        (ultima,) = _filas(kiosco.ruta, "SELECT coalesce(max(secuencia), 0) FROM hechos")[0]
        if not filas:
            self.acusar(f"el centro nunca ha visto latir a {kiosco.nombre}")
            return
        secuencia, recibido = filas[0]
        callado = (ahora - datetime.fromisoformat(recibido)).total_seconds()
        if callado > VISTO_S:
            self.acusar(f"{kiosco.nombre} late y operación lo ve callado hace {callado:.0f} s")
        elif secuencia != ultima:
            self.acusar(f"{kiosco.nombre} tiene {ultima} hojas y operación ve {secuencia}")


_CERRADOS: Final = (
    "SELECT h.secuencia, h.huella FROM bandeja b JOIN hechos h USING (secuencia) WHERE estado = 'cerrado'"
)
_IMAGENES: Final = "SELECT i.sha256, i.estado, i.nota, b.estado FROM imagenes i JOIN bandeja b USING (secuencia)"
_ULTIMA: Final = "SELECT huella, sobre FROM hechos ORDER BY secuencia DESC LIMIT 1"
_HOJAS: Final = "SELECT h.secuencia, h.huella, b.estado, h.sobre FROM bandeja b JOIN hechos h USING (secuencia)"
_BANDEJA: Final = "SELECT h.secuencia, h.huella, b.estado, b.apartado FROM bandeja b JOIN hechos h USING (secuencia)"


def _filas(ruta: Path, consulta: str) -> list[Any]:
    with closing(sqlite3.connect(f"file:{ruta}?mode=ro", uri=True, timeout=5)) as bd:
        return bd.execute(consulta).fetchall()


def _casilla(sobre: str) -> str:
    return str(_carga(sobre)["contenido"].get("casilla", ""))


def _carga(sobre: str) -> dict[str, Any]:
    carga = sobre.split(".")[1]
    dato: dict[str, Any] = json.loads(base64.urlsafe_b64decode(carga + "=" * (-len(carga) % 4)))
    return dato


def _votos_de(ruta: Path) -> dict[str, Votos]:
    """Lo que dice la base publicada, de las actas con votos."""
    (base,) = leer_publicada(ruta)
    renglones = [(r, [r[columna] for columna in base.votos]) for r in base.renglones]
    return {
        r["CLAVE_CASILLA"]: dict(zip(RENGLONES, map(int, votos), strict=True))
        for r, votos in renglones
        if all(v.isdigit() for v in votos)
    }


def _sumas(corte: Path) -> dict[str, str]:
    return {ruta: hashlib.sha256(datos).hexdigest() for ruta, datos in publicado.contenido(corte).items()}


def _votos_por_renglon(corte: Corte) -> dict[str, int]:
    dato = json.loads(escritura.leer(corte.carpeta, f"{corte.eleccion}/index.json"))
    return {r["clave"]: r["votos"] for r in dato["por_renglon"]}
