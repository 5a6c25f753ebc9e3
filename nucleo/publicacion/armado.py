"""De los hechos a las fichas, sin volver a hacer las que no cambiaron.

Un `Armador` recuerda los hechos de cada acta y la última ficha de cada sección. En cada corte recalcula sólo las actas
que recibieron algo y las secciones donde están; las divisiones y la elección son sumas de parciales. Da lo mismo que
uno nuevo al que se le den de una vez todos los hechos y los `Recuerdos` del corte anterior.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import Final

from nucleo.acta import Acta, ActaFueraDeCatalogo, ActaSinActa, ActaVerificada
from nucleo.campo import Campo, a_texto
from nucleo.casilla import Casilla
from nucleo.clasificacion import clasificar, tope, total_calculado
from nucleo.eleccion import Ambito, Eleccion, Opcion, Proceso
from nucleo.hechos import FueraDeCatalogo, HojaDeBitacora, IdActa, Imagen
from nucleo.libro import actas_de
from nucleo.padron import Padron
from nucleo.publicacion.cronologia import con_publicada, cronologia_de
from nucleo.publicacion.fichas import (
    Corte,
    FichaActa,
    FichaDivision,
    FichaEleccion,
    FichaProceso,
    FichaSeccion,
    Situacion,
)
from nucleo.publicacion.json_publico import paginas, piezas
from nucleo.publicacion.parcial import parcial_de, sumar
from nucleo.publicacion.quien_va_adelante import adelante_de, candidaturas_de, partidos_de
from nucleo.publicacion.recuerdo import Recuerdo, Recuerdos
from nucleo.publicacion.reserva import HechoRegistrado, HechoVisible, Vista, partir
from nucleo.publicacion.seccion_partida import juntar
from nucleo.publicacion.situacion import acta_publicada, situacion_de

_SIN_ZIP: Final = ("", 0, "")
_POR_CLAVE: Final = attrgetter("eleccion", "casilla")  # el orden de la clase es el mismo y cuesta diez veces más


@dataclass(frozen=True)
class Cambios:
    """Lo que un corte cambió respecto al anterior. Todo en orden."""

    actas: tuple[IdActa, ...]
    secciones: tuple[tuple[str, int], ...]
    """(elección, sección) que hay que volver a escribir: las de esas actas; todas, si es el primer corte o la
    definición es otra.
    """
    de_cero: bool = False
    """Si de las secciones no hay nada escrito que sirva: ni sus actas que no cambiaron."""


class Armador:
    """Las fichas de un proceso, corte tras corte."""

    def __init__(self, proceso: Proceso, anteriores: Recuerdos | None = None) -> None:
        """
        Args:
            anteriores: lo que dejó el último corte publicado, si lo hubo; los hechos hay que dárselos todos de nuevo.
        """
        # Un corte en ceros no recuerda ningún acta, y también dejó escritas sus secciones.
        self._faltan_todas = anteriores is None or anteriores.definicion != proceso.huella
        """Si no hay secciones ya escritas que sirvan: ningún corte antes, o con otra definición."""
        anteriores = anteriores or Recuerdos()
        self.proceso = proceso
        self._recuerdos = dict(anteriores.actas)
        self._cerrado = anteriores.cerrado
        self._visibles: dict[IdActa, dict[str, HechoVisible]] = defaultdict(dict)
        self._fuera: dict[str, dict[str, FueraDeCatalogo]] = defaultdict(dict)
        self._presentes: frozenset[str] = frozenset()
        self._de_imagen: dict[str, set[IdActa]] = defaultdict(set)
        self._con_reserva: set[IdActa] = set()
        self._vistas: dict[IdActa, Vista] = {}
        self._fichas: dict[IdActa, FichaActa] = {}
        self._partes: dict[tuple[str, int | None, int], FichaSeccion] = {}
        self._divisiones: dict[tuple[str, int | None], FichaDivision] = {}
        self._casillas: dict[IdActa, Casilla] = {}
        self._esperadas: dict[str, list[IdActa]] = {clave: [] for clave in proceso.elecciones}
        self._especiales: dict[str, list[IdActa]] = {clave: [] for clave in proceso.elecciones}
        self._huellas: dict[str, list[str]] = defaultdict(list)  # de los hechos que cuentan en cada elección
        self._dichos: dict[IdActa, bytes] = {}  # el JSON de las que cambiaron en el último corte
        self._donde: dict[tuple[str, int | None, int], list[IdActa]] = defaultdict(list)
        self._secciones_de: dict[tuple[str, int | None], set[int]] = defaultdict(set)
        for clave, eleccion in proceso.elecciones.items():
            for casilla in proceso.esperadas(clave):
                cual = IdActa(clave, casilla.clave)
                self._casillas[cual] = casilla
                self._esperadas[clave].append(cual)
                if casilla.especial:
                    self._especiales[clave].append(cual)
                division = eleccion.division(casilla)
                self._donde[clave, division, casilla.seccion].append(cual)
                self._secciones_de[clave, division].add(casilla.seccion)
        self._tocadas: set[IdActa] = set(self._casillas)
        self._recien_hecho = True

    @property
    def recuerdos(self) -> Recuerdos:
        """Lo que hay que guardar con el corte para poder seguir desde él."""
        return Recuerdos(self.proceso.huella, dict(self._recuerdos), self._cerrado)

    def agregar(self, hechos: Iterable[HechoVisible]) -> None:
        """Más hechos, en cualquier orden y con repeticiones. Un hecho completo sustituye a su eslabón.

        Los de una casilla o elección que no está en la definición se ignoran: nunca se inventa un acta.
        """
        for visible in hechos:
            if isinstance(visible, HechoRegistrado):
                hecho = visible.hecho
                if isinstance(hecho, FueraDeCatalogo):
                    if visible.huella not in self._fuera[hecho.eleccion]:
                        self._huellas[hecho.eleccion].append(visible.huella)
                    self._fuera[hecho.eleccion][visible.huella] = hecho
                    continue
                acta = None if isinstance(hecho, HojaDeBitacora) else hecho.acta
            else:
                hecho, acta = None, visible.acta
            if acta is None or acta not in self._casillas:
                continue
            conocidos = self._visibles[acta]
            conocido = conocidos.get(visible.huella)
            if conocido is None:
                self._huellas[acta.eleccion].append(visible.huella)
            if conocido is None or (isinstance(visible, HechoRegistrado) and not isinstance(conocido, HechoRegistrado)):
                conocidos[visible.huella] = visible
                self._tocadas.add(acta)
                if isinstance(hecho, Imagen):
                    self._de_imagen[hecho.sha256].add(acta)

    def imagenes(self, presentes: AbstractSet[str]) -> None:
        """SHA-256 de todas las imágenes que ya están en este centro."""
        for huella in presentes ^ self._presentes:
            self._tocadas |= self._de_imagen.get(huella, set())
        self._presentes = frozenset(presentes)

    def cortar(self, corte: Corte) -> Cambios:
        """Hace las fichas de ese corte. Los cortes se piden en orden de hora."""
        if corte.ultimo and not self._cerrado:
            self._cerrado = True
            self._tocadas |= self._con_reserva
        distintas: set[IdActa] = set()
        self._dichos = {}
        partes: set[tuple[str, int | None, int]] = set()
        for acta in self._tocadas:
            ficha = self._ficha(acta, corte)
            anterior = self._fichas.get(acta)
            if anterior != ficha:
                self._fichas[acta] = ficha
                partes.add(self._parte(acta))
            if ficha.publicada_en == corte:
                distintas.add(acta)
        self._tocadas = set()
        for parte in partes:
            self._partes[parte] = self._seccion(*parte)
        for division in {(e, d) for e, d, _ in partes}:
            self._divisiones[division] = self._division(*division)
        de_cero = self._recien_hecho and self._faltan_todas
        if self._recien_hecho:
            # Lo que no cambió en este corte ya está escrito por quien dejó los recuerdos.
            tocadas = self._donde if de_cero else {self._parte(a) for a in distintas}
            self._recien_hecho = False
        else:
            tocadas = partes
        secciones = {(e, s) for e, _, s in tocadas}
        return Cambios(tuple(sorted(distintas, key=_POR_CLAVE)), tuple(sorted(secciones)), de_cero)

    def espera(self, acta: IdActa) -> bool:
        """Si la definición tiene esa acta."""
        return acta in self._casillas

    def ficha(self, acta: IdActa) -> FichaActa:
        return self._fichas[acta]

    def json_de(self, acta: IdActa) -> bytes:
        """Los bytes de su página JSON; los de una que cambió en el último corte ya están hechos."""
        hecho = self._dichos.get(acta)
        return piezas.a_bytes(paginas.de_acta(self._fichas[acta])) if hecho is None else hecho

    @property
    def todas_las_secciones(self) -> tuple[tuple[str, int], ...]:
        """(elección, sección) de todas las páginas de sección, en orden."""
        return tuple(sorted({(eleccion, seccion) for eleccion, _, seccion in self._donde}))

    def abre(self, acta: IdActa, huella: str) -> bool:
        """Si ese hecho del acta se ve completo en el último corte hecho."""
        vista = self._vistas.get(acta)
        return vista is not None and any(a.huella == huella for a in vista.abiertos)

    def en_duda(self, eleccion: str) -> list[IdActa]:
        """Las actas cuyas lecturas no concuerdan y que por eso no se publican, en orden."""
        sin_acuerdo = (Situacion.EN_DISCREPANCIA, Situacion.EN_DUDA)
        return sorted(a for a, f in self._fichas.items() if a.eleccion == eleccion and f.situacion in sin_acuerdo)

    def vista(self, acta: IdActa) -> Vista:
        """Qué hechos suyos se ven completos en el último corte hecho y de cuáles sólo el eslabón."""
        return self._vistas[acta]

    def secciones(self, cuales: Iterable[tuple[str, int]]) -> list[FichaSeccion]:
        """Las páginas de esas (elección, sección), en el orden pedido; si el catálogo parte una sección entre varias
        divisiones, sale entera.
        """
        por_pagina: dict[tuple[str, int], list[FichaSeccion]] = defaultdict(list)
        for (eleccion, _, seccion), parte in sorted(self._partes.items(), key=_orden_de_parte):
            por_pagina[eleccion, seccion].append(parte)
        return [p[0] if len(p := por_pagina[cual]) == 1 else juntar(p) for cual in cuales]

    def eleccion(self, clave: str, base: tuple[str, int, str] = _SIN_ZIP) -> FichaEleccion:
        """La ficha de una elección.

        Args:
            base: nombre, bytes y SHA-256 de su base oficial.
        """
        eleccion = self.proceso.elecciones[clave]
        divisiones = [d for (e, _), d in sorted(self._divisiones.items(), key=_orden_de_division) if e == clave]
        fuera = self._fuera_de_catalogo(clave)
        ajenas = parcial_de(((a, Situacion.NO_CONTABILIZADA) for a in fuera), self.proceso, eleccion)
        total = sumar([*(d.parcial for d in divisiones), ajenas])
        por_candidatura = candidaturas_de({d.clave: d.parcial.votos for d in divisiones}, eleccion)
        especiales = (self._fichas[a] for a in self._especiales[clave])
        return FichaEleccion(
            eleccion,
            total,
            por_candidatura,
            partidos_de({d.clave: d.parcial.votos for d in divisiones}, eleccion),
            adelante_de(por_candidatura, eleccion),
            tuple(divisiones),
            parcial_de(((f.acta, f.situacion) for f in especiales), self.proceso, eleccion),
            fuera,
            base,
            *self.conjunto(clave),
        )

    def todo(
        self, corte: Corte, bases: Mapping[str, tuple[str, int, str]] | None = None, padron: Padron | None = None
    ) -> FichaProceso:
        """La ficha del proceso en el último corte hecho.

        Args:
            bases: elección → nombre, bytes y SHA-256 de su base oficial.
            padron: con cuál se escogieron los hechos que se le dieron.
        """
        bases = bases or {}
        elecciones = tuple(self.eleccion(e, bases.get(e, _SIN_ZIP)) for e in self.proceso.elecciones)
        return FichaProceso(self.proceso, corte, elecciones, padron)

    def actas(self, eleccion: str) -> tuple[Acta, ...]:
        """Las mismas que `nucleo.libro.actas_de`, para escribir la base oficial."""
        esperadas = tuple(self._fichas[cual].acta for cual in self._esperadas[eleccion])
        return esperadas + self._fuera_de_catalogo(eleccion)

    def conjunto(self, eleccion: str) -> tuple[int, str]:
        """Cuántos hechos de esa elección cuentan, y la huella de su conjunto."""
        huellas = self._huellas[eleccion]
        huellas.sort()  # casi todas ya lo están
        return len(huellas), hashlib.sha256("".join([f"{h}\n" for h in huellas]).encode()).hexdigest()

    # ----------------------------------------------------------------------------------------------------------- hacer

    def _ficha(self, cual: IdActa, corte: Corte) -> FichaActa:
        anterior = self._recuerdos.get(cual)
        vuelta = anterior.vuelta if anterior is not None else 0
        vista = partir(self._visibles.get(cual, {}).values(), vuelta, self._cerrado)
        self._vistas[cual] = vista
        if vista.reservados:
            self._con_reserva.add(cual)
        else:
            self._con_reserva.discard(cual)
        ficha = self._en_blanco(cual, vista, vuelta)
        if anterior is None and not vista.abiertos and ficha.situacion is Situacion.NO_HA_LLEGADO:
            return ficha
        dicho = paginas.lo_que_dice(ficha)
        recuerdo = _recordar(ficha, piezas.a_bytes(dicho), anterior, vista, corte)
        self._recuerdos[cual] = recuerdo
        cronologia = ficha.cronologia
        if recuerdo.publicada is not None:
            cronologia = con_publicada(cronologia, recuerdo.publicada)
        ficha = replace(ficha, cronologia=cronologia, publicada_en=recuerdo.cambio)
        if recuerdo.cambio == corte:
            self._dichos[cual] = piezas.a_bytes(paginas.ya_publicada(dicho, ficha))
        return ficha

    def _en_blanco(self, cual: IdActa, vista: Vista, publicada: int) -> FichaActa:
        """La ficha según sus hechos, todavía sin los cortes."""
        eleccion, casilla = self.proceso.elecciones[cual.eleccion], self._casillas[cual]
        acta = acta_publicada(casilla, vista)
        verificada = acta if isinstance(acta, ActaVerificada) else None
        imagen = verificada.procedencia.imagen if verificada else ""
        return FichaActa(
            proceso=self.proceso,
            eleccion=eleccion,
            casilla=casilla,
            acta=acta,
            clasificacion=clasificar(acta, self.proceso),
            situacion=situacion_de(acta, vista, publicada, self.proceso),
            renglones=_renglones(verificada, eleccion, casilla),
            total_calculado=total_calculado(verificada.asentado) if verificada else None,
            tope=tope(casilla, self.proceso),
            cronologia=cronologia_de(acta, vista),
            imagen=imagen,
            imagen_bytes=_bytes_de(imagen, vista),
            imagen_presente=imagen in self._presentes,
            hojas=tuple(a.huella for a in vista.abiertos),
            publicada_en=None,
        )

    def _parte(self, cual: IdActa) -> tuple[str, int | None, int]:
        casilla = self._casillas[cual]
        return cual.eleccion, self.proceso.elecciones[cual.eleccion].division(casilla), casilla.seccion

    def _seccion(self, clave: str, division: int | None, seccion: int) -> FichaSeccion:
        eleccion = self.proceso.elecciones[clave]
        actas = tuple(self._fichas[a] for a in self._donde[clave, division, seccion])
        parcial = parcial_de(((a.acta, a.situacion) for a in actas), self.proceso, eleccion)
        casilla = actas[0].casilla
        nombre = nombre_de_division(eleccion, casilla)
        return FichaSeccion(eleccion, seccion, division, nombre, casilla.municipio_nombre, parcial, actas)

    def _division(self, clave: str, division: int | None) -> FichaDivision:
        eleccion = self.proceso.elecciones[clave]
        secciones = tuple(self._partes[clave, division, s] for s in sorted(self._secciones_de[clave, division]))
        parcial = sumar(s.parcial for s in secciones)
        por_candidatura = candidaturas_de({division: parcial.votos}, eleccion)
        return FichaDivision(
            eleccion,
            division,
            secciones[0].division_nombre,
            parcial,
            por_candidatura,
            partidos_de({division: parcial.votos}, eleccion),
            adelante_de(por_candidatura, eleccion),
            secciones,
        )

    def _fuera_de_catalogo(self, eleccion: str) -> tuple[ActaFueraDeCatalogo, ...]:
        hechos = self._fuera.get(eleccion, {}).values()
        actas = actas_de(replace(self.proceso, casillas={}), eleccion, hechos) if hechos else ()
        return tuple(a for a in actas if isinstance(a, ActaFueraDeCatalogo))


def nombre_de_division(eleccion: Eleccion, casilla: Casilla) -> str:
    """Cómo se llama el distrito o municipio en que cuenta la casilla; vacío si no pertenece a ninguno."""
    if eleccion.division(casilla) is None:
        return ""
    return casilla.municipio_nombre if eleccion.ambito is Ambito.MUNICIPIO else casilla.distrito_nombre


def _recordar(ficha: FichaActa, dicho: bytes, anterior: Recuerdo | None, vista: Vista, corte: Corte) -> Recuerdo:
    forma = hashlib.sha256(dicho).hexdigest()
    datos = _datos(ficha.acta)
    vuelta = vista.verificada
    if anterior is None:
        return Recuerdo(forma, corte, vuelta, datos, corte if datos else None)
    publicada = anterior.publicada if datos == anterior.datos else (corte if datos else None)
    igual = forma == anterior.forma and publicada == anterior.publicada
    return Recuerdo(forma, anterior.cambio if igual else corte, max(vuelta, anterior.vuelta), datos, publicada)


def _datos(acta: Acta) -> str:
    match acta:
        case ActaVerificada(asentado=asentado):
            # El orden de los campos es el de quien capturó primero; lo asentado es lo mismo en cualquier orden.
            dicho = "\n".join(f"{nombre}={a_texto(dato)}" for nombre, dato in sorted(asentado.campos().items()))
        case ActaSinActa(motivo=motivo):
            dicho = motivo.name
        case _:
            return ""
    return hashlib.sha256(dicho.encode()).hexdigest()


def _renglones(acta: ActaVerificada | None, eleccion: Eleccion, casilla: Casilla) -> tuple[tuple[Opcion, Campo], ...]:
    if acta is None:
        return ()
    return tuple(
        (o, acta.asentado.votos[o.clave]) for o in eleccion.opciones_de(casilla) if o.clave in acta.asentado.votos
    )


def _bytes_de(sha256: str, vista: Vista) -> int:
    return max((h.bytes for h in vista.hechos if isinstance(h, Imagen) and h.sha256 == sha256), default=0)


def _orden_de_parte(par: tuple[tuple[str, int | None, int], FichaSeccion]) -> tuple[str, bool, int, int]:
    (eleccion, division, seccion), _ = par
    return eleccion, division is None, division or 0, seccion


def _orden_de_division(par: tuple[tuple[str, int | None], FichaDivision]) -> tuple[str, bool, int]:
    (eleccion, division), _ = par
    return eleccion, division is None, division or 0
