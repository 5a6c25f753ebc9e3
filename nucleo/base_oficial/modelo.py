"""De la base leída a las actas del modelo: la vuelta de `escritura`.

Leer lo que escribimos devuelve las mismas actas, con dos cosas que el archivo no publica: el folio de un
documento fuera de catálogo se rehace con la huella de su imagen, y las horas quedan al segundo.
"""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import Final, TypeVar
from zoneinfo import ZoneInfo

from nucleo.acta import (
    Acta,
    ActaFueraDeCatalogo,
    ActaPendiente,
    ActaSinActa,
    ActaVerificada,
    Asentado,
    Digitalizacion,
    MotivoSinActa,
    Origen,
    Procedencia,
)
from nucleo.base_oficial import celdas, columnas, fechas, vocabularios
from nucleo.base_oficial.ilegible import BaseIlegible
from nucleo.base_oficial.lectura import BaseLeida, Renglon
from nucleo.campo import SIN_DATO, Campo, Numero
from nucleo.casilla import Casilla
from nucleo.eleccion import Eleccion, Proceso
from nucleo.inconsistencias import CATALOGO, FUERA_DE_CATALOGO, POR_MOTIVO

_E = TypeVar("_E", bound=Enum)

_NADA: Final = frozenset({"", "-", "--", "N/A"})


def a_modelo(base: BaseLeida, proceso: Proceso, eleccion_clave: str) -> list[Acta]:
    """Las actas que dice la base, en el orden del archivo.

    Args:
        base: base leída de la misma elección y el mismo catálogo que `proceso`.

    Raises:
        BaseIlegible: si un renglón nombra una casilla ajena, trae un dato que no cabe en el modelo o falta
            una columna.
    """
    eleccion = proceso.elecciones[eleccion_clave]
    lector = _Lector(base, proceso, eleccion)
    return [lector.acta(renglon) for renglon in base.renglones]


class _Lector:
    def __init__(self, base: BaseLeida, proceso: Proceso, eleccion: Eleccion) -> None:
        self._base = base
        self._proceso = proceso
        self._eleccion = eleccion
        self._huso = ZoneInfo(proceso.huso)
        propios = {c: proceso.vocabulario.textos.get(c, i.texto) for c, i in CATALOGO.items()}
        self._codigo_de = {texto: codigo for codigo, texto in propios.items()}
        self._lugares = self._ubicar_opciones()

    def _ubicar_opciones(self) -> dict[str, int]:
        por_nombre = {self._base.columnas[lugar]: lugar for lugar in self._base.votos}
        for final in columnas.FINALES_DE_VOTO:
            if final.nombre in self._base.posiciones:
                por_nombre.setdefault(final.nombre, self._base.posiciones[final.nombre])
        lugares = {}
        for opcion in self._eleccion.opciones:
            lugar = por_nombre.get(opcion.clave, por_nombre.get(columnas.canonica(opcion.clave) or ""))
            if lugar is None:
                raise self._error(0, f"falta la columna de votos {opcion.clave}")
            lugares[opcion.clave] = lugar
        return lugares

    def acta(self, renglon: Renglon) -> Acta:
        observado = self._observado(renglon)
        if FUERA_DE_CATALOGO in observado or self._texto(renglon, "CONTABILIZADA") == "2":
            procedencia = self._procedencia(renglon)
            return ActaFueraDeCatalogo(procedencia.imagen or f"renglon-{renglon.linea:06d}", procedencia)
        casilla = self._casilla(renglon)
        for motivo, codigo in POR_MOTIVO.items():
            if codigo in observado:
                return ActaSinActa(casilla, MotivoSinActa(motivo))
        if vocabularios.SIN_ACTA_SIN_MOTIVO in observado:
            raise self._error(renglon.linea, "dice «sin acta» y no por qué")
        if self._pendiente(renglon):
            return ActaPendiente(casilla)
        return ActaVerificada(casilla, self._asentado(renglon, casilla), self._procedencia(renglon))

    def _observado(self, renglon: Renglon) -> frozenset[str]:
        texto = self._base.valor(renglon, "OBSERVACIONES")
        # Primero las palabras del propio instituto, por si llama a algo como nadie más.
        if texto in self._codigo_de:
            return frozenset({self._codigo_de[texto]})
        return vocabularios.interpretar(texto).codigos

    def _pendiente(self, renglon: Renglon) -> bool:
        if self._texto(renglon, "CONTABILIZADA"):
            return False
        return not any(celdas.limpiar(renglon.celdas[lugar]) not in _NADA for lugar in self._lugares.values())

    def _casilla(self, renglon: Renglon) -> Casilla:
        clave = self._base.valor(renglon, "CLAVE_CASILLA")
        casilla = self._proceso.casillas.get(clave)
        if casilla is None:
            raise self._error(renglon.linea, f"la casilla {clave[:20]!r} no está en el catálogo del proceso")
        return casilla

    def _asentado(self, renglon: Renglon, casilla: Casilla) -> Asentado:
        existen = {o.clave for o in self._eleccion.opciones_de(casilla)}
        votos = {}
        for clave, lugar in self._lugares.items():
            campo = self._campo(renglon, renglon.celdas[lugar], clave)
            if clave in existen:
                votos[clave] = campo
            elif isinstance(campo, Numero) and campo.valor:
                raise self._error(renglon.linea, f"trae votos de {clave}, que no existe en esa casilla")
        boletas, personas, representantes, sacados = (
            self._campo(renglon, self._base.valor(renglon, c.nombre), c.nombre) for c in columnas.COMPLEMENTARIAS
        )
        asentado = self._campo(renglon, self._base.valor(renglon, "TOTAL_VOTOS_ASENTADO"), "TOTAL_VOTOS_ASENTADO")
        return Asentado(votos, boletas, personas, representantes, sacados, asentado)

    def _campo(self, renglon: Renglon, celda: str, columna: str) -> Campo:
        """Vacío, guion y «no aplica» son un renglón en blanco: el archivo no distingue más."""
        campo = celdas.campo(celda)
        if campo in (celdas.Marca.DESCONOCIDA, celdas.Marca.SIN_ACTA):
            raise self._error(renglon.linea, f"{celda[:20]!r} no es un dato de {columna}")
        return SIN_DATO if isinstance(campo, celdas.Marca) else campo

    def _procedencia(self, renglon: Renglon) -> Procedencia:
        return Procedencia(
            acopio=self._hora(renglon, "FECHA_HORA_ACOPIO"),
            captura=self._hora(renglon, "FECHA_HORA_CAPTURA"),
            verificacion=self._hora(renglon, "FECHA_HORA_VERIFICACION"),
            origen=self._valor_de(Origen, renglon, "ORIGEN"),
            digitalizacion=self._valor_de(Digitalizacion, renglon, "DIGITALIZACION"),
            tipo_documento=self._texto(renglon, "TIPO_DOCUMENTO"),
            mecanismo_traslado=self._texto(renglon, "MECANISMOS_TRASLADO"),
            imagen=self._texto(renglon, "CODIGO_INTEGRIDAD"),
        )

    def _hora(self, renglon: Renglon, columna: str) -> datetime | None:
        texto = self._texto(renglon, columna)
        hora = fechas.leer(texto, self._huso)
        if texto and hora is None:
            raise self._error(renglon.linea, f"{texto[:30]!r} no es una fecha y hora en {columna}")
        return hora

    def _valor_de(self, tipo: type[_E], renglon: Renglon, columna: str) -> _E | None:
        texto = celdas.llano(self._texto(renglon, columna))
        if not texto:
            return None
        try:
            return tipo(texto)
        except ValueError:
            raise self._error(renglon.linea, f"{texto[:20]!r} no es un valor de {columna}") from None

    def _texto(self, renglon: Renglon, columna: str) -> str:
        texto = self._base.valor(renglon, columna)
        return "" if texto in _NADA else texto

    def _error(self, linea: int, que: str) -> BaseIlegible:
        return BaseIlegible(
            self._base.nombre,
            linea,
            que,
            "la base es de otra elección o de otro catálogo de casillas, o fue editada",
            "compruebe que la definición del proceso corresponde a esta base",
        )
