"""Un renglón publicado, entendido: en qué estado está y qué valores derivados le corresponden."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

from auditoria.inferencia import TopeEspecial
from nucleo.base_oficial import celdas, vocabularios
from nucleo.base_oficial.celdas import Marca
from nucleo.base_oficial.escritura import MESAS
from nucleo.base_oficial.lectura import BaseLeida, Renglon
from nucleo.base_oficial.vocabularios import Observado
from nucleo.campo import Campo, Numero
from nucleo.inconsistencias import (
    ALGUN_CAMPO_ILEGIBLE_O_SIN_DATO,
    CATALOGO,
    EXCEDE_LISTA_NOMINAL,
    FUERA_DE_CATALOGO,
    POR_MOTIVO,
    TODOS_ILEGIBLES_O_SIN_DATO,
)

NADA: Final = frozenset({"", "-", "--", "N/A"})
"""Celdas que no dicen nada."""

_SIN_ACTA: Final = frozenset({*POR_MOTIVO.values(), vocabularios.SIN_ACTA_SIN_MOTIVO})
INCONSISTENTES: Final = frozenset(c for c, entrada in CATALOGO.items() if entrada.cuenta_en_porcentaje)
"""Códigos que entran en PORCENTAJE_ACTAS_INCONSISTENCIAS."""


class Estado(Enum):
    """En qué va el acta según sus datos, sin creerle a CONTABILIZADA."""

    PENDIENTE = "pendiente"
    CAPTURADA = "capturada"
    SIN_ACTA = "sin acta"
    FUERA_DE_CATALOGO = "fuera de catálogo"


@dataclass(frozen=True)
class Ficha:
    """Un renglón con sus celdas ya interpretadas. Los enteros son `None` si la celda no trae número."""

    linea: int
    clave_acta: str
    tipo: str
    estado: Estado
    votos: dict[str, Campo | Marca]
    publicada: str
    """CONTABILIZADA tal como se publicó: 0, 1, 2 o vacío (el guion cuenta como vacío)."""
    observado: Observado
    lista_nominal: int | None
    representantes: int | None

    @property
    def especial(self) -> bool:
        return self.tipo == "S"

    @property
    def mesa(self) -> bool:
        """Si es de voto en el extranjero, anticipado o en prisión: no tiene sección ni representaciones."""
        return bool(self.tipo) and self.tipo in MESAS

    @property
    def excedida(self) -> bool:
        """Si OBSERVACIONES dice que excede."""
        return EXCEDE_LISTA_NOMINAL in self.observado.codigos

    @property
    def total(self) -> int:
        return sum(v.valor for v in self.votos.values() if isinstance(v, Numero))

    @property
    def legible(self) -> bool:
        """Si algún renglón de votos trae cantidad."""
        return any(isinstance(v, Numero) for v in self.votos.values())

    @property
    def contabilizada(self) -> bool:
        """Si el instituto la sumó."""
        return self.publicada == "1"

    @property
    def dice_inconsistencia(self) -> bool:
        """Si OBSERVACIONES trae alguna que cuente para el porcentaje."""
        return bool(self.observado.codigos & INCONSISTENTES)

    def tope(self, especial: TopeEspecial, representantes_por_omision: int) -> int | None:
        """Votos que caben en la casilla; `None` si el archivo no permite saberlo."""
        representantes = representantes_por_omision if self.representantes is None else self.representantes
        if self.especial:
            return especial.de(representantes)
        return None if self.lista_nominal is None else self.lista_nominal + representantes

    def codigos(self, tope: int | None, vacio_es_sin_dato: bool) -> frozenset[str]:
        """Inconsistencias que resultan de los campos.

        Args:
            tope: votos que caben; `None` no juzga el exceso, y en una especial vale lo que se haya publicado.
            vacio_es_sin_dato: si una celda vacía se puede tomar por renglón en blanco (Puebla 2018 no lo
                permite).
        """
        if self.estado is not Estado.CAPTURADA:
            return frozenset()
        existentes = [v for v in self.votos.values() if v not in (Marca.NO_EXISTE, Marca.NO_APLICA)]
        if not self.legible:
            return frozenset({TODOS_ILEGIBLES_O_SIN_DATO})
        dichos = existentes if vacio_es_sin_dato else [v for v in existentes if v is not Marca.VACIA]
        codigos = set()
        if self.total > tope if tope is not None else self.especial and self.excedida:
            codigos.add(EXCEDE_LISTA_NOMINAL)
        if not all(isinstance(v, Numero) for v in dichos):
            codigos.add(ALGUN_CAMPO_ILEGIBLE_O_SIN_DATO)
        return frozenset(codigos)

    def debida(self, codigos: frozenset[str]) -> str:
        """CONTABILIZADA que corresponde a esas inconsistencias."""
        match self.estado:
            case Estado.FUERA_DE_CATALOGO:
                return "2"
            case Estado.SIN_ACTA:
                return "0"
            case Estado.PENDIENTE:
                return ""
            case Estado.CAPTURADA:
                return "0" if any(CATALOGO[c].contabilizada == 0 for c in codigos) else "1"


def leer_ficha(base: BaseLeida, renglon: Renglon) -> Ficha:
    """Interpreta un renglón; nunca falla: lo que no entiende queda como `Marca.DESCONOCIDA` o `None`."""
    votos = {nombre: celdas.campo(celda) for nombre, celda in base.celdas_de_votos(renglon).items()}
    observado = vocabularios.interpretar(base.valor(renglon, "OBSERVACIONES"))
    publicada = base.valor(renglon, "CONTABILIZADA")
    clave = base.valor(renglon, "CLAVE_ACTA")
    ficha = Ficha(
        linea=renglon.linea,
        clave_acta="" if clave in NADA else clave,
        tipo=base.valor(renglon, "TIPO_CASILLA").upper(),
        estado=_estado(base, renglon, votos, observado, publicada),
        votos=votos,
        publicada="" if publicada in NADA else publicada,
        observado=observado,
        lista_nominal=celdas.entero(base.valor(renglon, "LISTA_NOMINAL")),
        representantes=celdas.entero(base.valor(renglon, "REPRESENTANTES_PP_CI")),
    )
    # «N/A» en una mesa no es un dato perdido: ahí no hay representaciones que puedan votar.
    sin_representantes = ficha.mesa and celdas.campo(base.valor(renglon, "REPRESENTANTES_PP_CI")) is Marca.NO_APLICA
    return replace(ficha, representantes=0) if sin_representantes else ficha


def _estado(
    base: BaseLeida, renglon: Renglon, votos: dict[str, Campo | Marca], observado: Observado, publicada: str
) -> Estado:
    sin_clave = "CLAVE_CASILLA" in base.posiciones and base.valor(renglon, "CLAVE_CASILLA") in NADA
    if sin_clave or FUERA_DE_CATALOGO in observado.codigos or base.valor(renglon, "UBICACION_CASILLA") == "3":
        return Estado.FUERA_DE_CATALOGO
    if observado.codigos & _SIN_ACTA or Marca.SIN_ACTA in votos.values():
        return Estado.SIN_ACTA
    callado = all(v in (Marca.VACIA, Marca.NO_EXISTE, Marca.NO_APLICA) for v in votos.values())
    if callado and publicada in NADA and base.valor(renglon, "CODIGO_INTEGRIDAD") in NADA:
        return Estado.PENDIENTE
    return Estado.CAPTURADA
