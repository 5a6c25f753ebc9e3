"""Una base ajena vuelta proceso nuestro: catálogo, renglones y documentos deducidos sólo de lo que el archivo trae.

Sirve para pasar cualquier base publicada por toda la tubería. Lo que hubo que suponer se devuelve en `avisos`: quien
lea el resultado debe saber qué no dijo el archivo.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from auditoria.ficha import Estado, Ficha, leer_ficha
from auditoria.inferencia import BOLETAS_ESPECIAL, planilla
from auditoria.revision import Criterios, deducir
from ensayo.agenda import Documento
from ensayo.documentos import motivo_sin_acta
from nucleo.acta import TIPOS_DOCUMENTO, Asentado, Digitalizacion, MotivoSinActa, Origen
from nucleo.base_oficial import celdas, columnas, fechas
from nucleo.base_oficial.celdas import Marca
from nucleo.base_oficial.lectura import BaseLeida, Renglon
from nucleo.campo import ILEGIBLE, SIN_DATO, Campo, Numero
from nucleo.casilla import Casilla, ClaveInvalida, partir_clave
from nucleo.eleccion import Ambito, Eleccion, Opcion, Proceso, TipoOpcion, Vocabulario
from nucleo.hechos import IdActa
from nucleo.inconsistencias import CATALOGO

CLAVE_DE_ELECCION = "INFERIDA"

_NO_REGISTRADAS, _NULOS = (c.nombre for c in columnas.FINALES_DE_VOTO)


class NoReproducible(ValueError):
    """La base se puede leer, pero no trae con qué volver a vivirla; dice qué falta."""


@dataclass
class Inferido:
    """El proceso deducido, los documentos de la noche y lo que hubo que suponer."""

    proceso: Proceso
    documentos: list[Documento]
    fichas: dict[str, Ficha]
    """CLAVE_CASILLA → renglón publicado, ya interpretado."""
    fuera: list[Ficha]
    avisos: list[str] = field(default_factory=list)


def inferir(base: BaseLeida) -> Inferido:
    """Deduce el proceso de una base.

    Raises:
        NoReproducible: si faltan la clave de casilla, el corte o las columnas de votos.
    """
    if "CLAVE_CASILLA" not in base.posiciones or not base.votos:
        raise NoReproducible("no trae CLAVE_CASILLA o columnas de votos: sin eso no hay acta que volver a capturar")
    if base.corte is None:
        raise NoReproducible("no dice la fecha y hora de su corte")
    return _Inferencia(base, base.corte).hacer()


class _Inferencia:
    def __init__(self, base: BaseLeida, corte: datetime) -> None:
        self.base = base
        self.huso = _huso(corte)
        self.corte = corte if corte.tzinfo else corte.replace(tzinfo=ZoneInfo(self.huso))
        self.ambito = Ambito.MUNICIPIO if "ID_MUNICIPIO" in base.posiciones else Ambito.DISTRITO
        self.pares = [(r, leer_ficha(base, r)) for r in base.renglones]
        self.criterios: Criterios = deducir(base, [f for _, f in self.pares])
        self.claves = {base.columnas[i]: _clave(base.columnas[i]) for i in base.votos}
        self.avisos: list[str] = []

    def hacer(self) -> Inferido:
        casillas, fichas = self._catalogo()
        eleccion = Eleccion(
            CLAVE_DE_ELECCION,
            self.base.tipo_eleccion or "ELECCIÓN",
            self.ambito,
            self._opciones(),
            tipos_casilla=frozenset(c.tipo for c in casillas.values()),
        )
        horas = [h for r, _ in self.pares for c in _HORAS if (h := self._hora(r, c))] + [self.corte]
        entidad = next((c.entidad for c in casillas.values()), 1)
        proceso = Proceso(
            clave="REPRODUCIDO",
            nombre="Base publicada, vuelta a vivir",
            entidad=entidad,
            siglas="EXT",
            entidad_nombre="",
            huso=self.huso,
            inicio_operacion=min(horas),
            inicio_publicacion=min(horas),
            cierre=max(horas) + timedelta(days=1),
            minutos_entre_cortes=20,
            boletas_especial=self.criterios.especial.boletas or BOLETAS_ESPECIAL,
            especial_suma_representantes=self.criterios.especial.con_representantes,
            vocabulario=Vocabulario({c: e.texto for c, e in CATALOGO.items()}),
            casillas=casillas,
            elecciones={eleccion.clave: eleccion},
        )
        documentos = [self._documento(r, fichas[c], proceso.casillas[c], eleccion) for c, r in self._capturadas(fichas)]
        fuera = [(r, f) for r, f in self.pares if f.estado is Estado.FUERA_DE_CATALOGO]
        documentos += [self._fuera(r, i) for i, (r, _) in enumerate(fuera)]
        return Inferido(proceso, documentos, fichas, [f for _, f in fuera], self.avisos)

    def _catalogo(self) -> tuple[dict[str, Casilla], dict[str, Ficha]]:
        casillas: dict[str, Casilla] = {}
        fichas: dict[str, Ficha] = {}
        repetidas, malas = 0, 0
        for renglon, ficha in self.pares:
            if ficha.estado is Estado.FUERA_DE_CATALOGO:
                continue
            try:
                partes = partir_clave(self.base.valor(renglon, "CLAVE_CASILLA"))
            except ClaveInvalida:
                malas += 1
                continue
            id_division, nombre = (
                ("ID_MUNICIPIO", "MUNICIPIO") if self._municipal else ("ID_DISTRITO_LOCAL", "DISTRITO_LOCAL")
            )
            division = celdas.entero(self.base.valor(renglon, id_division))
            texto = self.base.valor(renglon, nombre)
            casilla = Casilla(
                partes.entidad,
                partes.seccion,
                partes.tipo,
                partes.numero,
                partes.ext_contigua,
                distrito=None if self._municipal else division,
                distrito_nombre="" if self._municipal else texto,
                municipio=division if self._municipal else None,
                municipio_nombre=texto if self._municipal else "",
                ubicacion=1 if self.base.valor(renglon, "UBICACION_CASILLA") == "1" else 2,
                lista_nominal=ficha.lista_nominal or 0,
                representantes=(
                    self.criterios.representantes_por_omision if ficha.representantes is None else ficha.representantes
                ),
            )
            if casilla.clave in casillas:
                repetidas += 1
                continue
            casillas[casilla.clave] = casilla
            fichas[casilla.clave] = ficha
        if repetidas or malas:
            self.avisos.append(
                f"no se volvieron a vivir {repetidas} renglones de casilla repetida y {malas} con clave mal formada"
            )
        return casillas, fichas

    @property
    def _municipal(self) -> bool:
        return self.ambito is Ambito.MUNICIPIO

    def _opciones(self) -> tuple[Opcion, ...]:
        """Un renglón existe en una división si alguna acta de ahí no trae guion en su columna."""
        columna = "ID_MUNICIPIO" if self._municipal else "ID_DISTRITO_LOCAL"
        donde: dict[str, set[int]] = defaultdict(set)
        divisiones: set[int] = set()
        for renglon, ficha in self.pares:
            division = celdas.entero(self.base.valor(renglon, columna))
            if division is None or ficha.estado is not Estado.CAPTURADA:
                continue
            divisiones.add(division)
            for nombre, valor in ficha.votos.items():
                if valor is not Marca.NO_EXISTE:
                    donde[nombre].add(division)
        formada = planilla(self.base)
        opciones = []
        for nombre, clave in self.claves.items():
            tipo = _tipo(nombre, clave, formada.independientes, formada.combinaciones)
            en = frozenset(donde[nombre]) if divisiones and donde[nombre] != divisiones else None
            opciones.append(Opcion(clave, tipo, nombre, formada.combinaciones.get(nombre, (clave,)), en))
        return tuple(opciones)

    def _capturadas(self, fichas: dict[str, Ficha]) -> list[tuple[str, Renglon]]:
        vistas = {id(f) for f in fichas.values()}
        return [
            (self.base.valor(r, "CLAVE_CASILLA"), r)
            for r, f in self.pares
            if id(f) in vistas and f.estado in (Estado.CAPTURADA, Estado.SIN_ACTA)
        ]

    def _documento(self, renglon: Renglon, ficha: Ficha, casilla: Casilla, eleccion: Eleccion) -> Documento:
        acta = IdActa(eleccion.clave, casilla.clave)
        acopio = self._hora(renglon, "FECHA_HORA_ACOPIO") or self.corte
        distrito = casilla.distrito or 0
        procedencia = self._procedencia(renglon)
        if ficha.estado is Estado.SIN_ACTA:
            motivo = motivo_sin_acta(self.base.valor(renglon, "OBSERVACIONES")) or MotivoSinActa.PAQUETE_SIN_BOLSA
            return Documento(acta, distrito, acopio, None, None, None, *procedencia, motivo)
        captura = self._hora(renglon, "FECHA_HORA_CAPTURA") or acopio
        verificacion = self._hora(renglon, "FECHA_HORA_VERIFICACION") or captura
        asentado = self._asentado(renglon, ficha, {o.clave for o in eleccion.opciones_de(casilla)})
        return Documento(acta, distrito, acopio, captura, verificacion, asentado, *procedencia)

    def _asentado(self, renglon: Renglon, ficha: Ficha, existen: set[str]) -> Asentado:
        votos = {self.claves[n]: self._campo(v) for n, v in ficha.votos.items()}

        def complementario(columna: str) -> Campo:
            return self._campo(celdas.campo(self.base.valor(renglon, columna)))

        return Asentado(
            votos={c: v for c, v in votos.items() if c in existen},
            boletas_sobrantes=complementario("TOTAL_BOLETAS_SOBRANTES"),
            personas_votaron=complementario("TOTAL_PERSONAS_VOTARON"),
            representantes_votaron=complementario("TOTAL_REP_PARTIDO_CI_VOTARON"),
            votos_sacados=complementario("TOTAL_VOTOS_SACADOS"),
            total_asentado=complementario("TOTAL_VOTOS_ASENTADO"),
        )

    def _fuera(self, renglon: Renglon, indice: int) -> Documento:
        hora = self._hora(renglon, "FECHA_HORA_ACOPIO") or self.corte
        huella = self.base.valor(renglon, "CODIGO_INTEGRIDAD").lower()
        if re.fullmatch("[0-9a-f]{64}", huella) is None:
            huella = f"{indice:064x}"
        acta = IdActa(CLAVE_DE_ELECCION, "")
        return Documento(acta, 0, hora, None, None, None, *self._procedencia(renglon), huella_publicada=huella)

    def _campo(self, valor: Campo | Marca) -> Campo:
        if not isinstance(valor, Marca):
            return valor
        if valor is Marca.DESCONOCIDA:
            return ILEGIBLE
        # Hay institutos que dejan la celda vacía por un cero: ahí no se puede llamar «sin dato».
        return SIN_DATO if self.criterios.vacio_es_sin_dato else Numero(0)

    def _hora(self, renglon: Renglon, columna: str) -> datetime | None:
        return fechas.leer(self.base.valor(renglon, columna), ZoneInfo(self.huso))

    def _procedencia(self, renglon: Renglon) -> tuple[Origen, Digitalizacion, str, str]:
        origen = Origen.CASILLA if self.base.valor(renglon, "ORIGEN").upper() == "CASILLA" else Origen.CATD
        movil = self.base.valor(renglon, "DIGITALIZACION").upper() in ("MOVIL", "MÓVIL")
        documento = self.base.valor(renglon, "TIPO_DOCUMENTO").upper()
        mecanismo = self.base.valor(renglon, "MECANISMOS_TRASLADO").upper()
        return (
            origen,
            Digitalizacion.MOVIL if movil else Digitalizacion.ESCANER,
            documento if documento in TIPOS_DOCUMENTO else "ACTA PREP",
            mecanismo if mecanismo in ("D", "F", "I") else "",
        )


_HORAS = ("FECHA_HORA_ACOPIO", "FECHA_HORA_CAPTURA", "FECHA_HORA_VERIFICACION")


def _huso(corte: datetime) -> str:
    if corte.tzinfo is None:
        return "America/Mexico_City"
    horas = round((corte.utcoffset() or timedelta()).total_seconds() / 3600)
    return f"Etc/GMT{-horas:+d}" if horas else "Etc/GMT"


def _clave(columna: str) -> str:
    canonica = columnas.canonica(columna)
    return canonica or re.sub(r"[^A-Z0-9_\-]", "_", columnas.normalizar(columna))[:40]


def _tipo(
    nombre: str, clave: str, independientes: Sequence[str], combinaciones: dict[str, tuple[str, ...]]
) -> TipoOpcion:
    if clave == _NO_REGISTRADAS:
        return TipoOpcion.NO_REGISTRADAS
    if clave == _NULOS:
        return TipoOpcion.NULOS
    if nombre in independientes:
        return TipoOpcion.INDEPENDIENTE
    return TipoOpcion.COMBINACION if nombre in combinaciones else TipoOpcion.PARTIDO
