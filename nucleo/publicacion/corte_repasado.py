"""Un corte vuelto a hacer desde el registro, y los archivos que salen de él."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from nucleo.base_oficial.escritura import escribir_zip
from nucleo.computo import Resumen
from nucleo.eleccion import Proceso
from nucleo.padron import Padron
from nucleo.publicacion import fichas, rutas
from nucleo.publicacion.armado import Armador, Cambios
from nucleo.publicacion.json_publico import delta, diccionario, esquema, paginas, piezas
from nucleo.transparencia.hojas import ActaPublicada, CortePublicado


@dataclass(frozen=True)
class CorteRepasado:
    """Un corte que se volvió a hacer y cuyas hojas de acta coinciden. Vale hasta que se pide la hoja siguiente."""

    indice: int
    """El de su hoja: las anteriores son de las que sale."""
    hoja: CortePublicado
    corte: fichas.Corte
    proceso: Proceso
    padron: Padron | None
    armador: Armador
    cambios: Cambios
    actas: tuple[tuple[int, ActaPublicada], ...]
    """Las que publicó, con el índice de su hoja."""

    anterior: fichas.Corte | None
    """El que se asentó antes; `None` si es el primero."""
    antes: Mapping[str, Resumen]
    """Elección → los trece datos de ese corte."""

    @property
    def resumenes(self) -> dict[str, Resumen]:
        """Elección → sus trece datos."""
        return {e: self.armador.eleccion(e).parcial.resumen(self.corte.ultimo) for e in self.proceso.elecciones}

    def archivos(self) -> Iterator[tuple[str, bytes]]:
        """(ruta, contenido) de lo que sale de las hojas: bases, JSON del corte y de las secciones que cambiaron."""
        bases: dict[str, tuple[str, int, str]] = {}
        for clave in self.proceso.elecciones:
            actas = self.armador.actas(clave)
            nombre, datos = escribir_zip(self.proceso, clave, actas, self.corte.hora, self.corte.ultimo)
            bases[clave] = (nombre, len(datos), hashlib.sha256(datos).hexdigest())
            yield nombre, datos
        ficha = self.armador.todo(self.corte, bases, self.padron)
        for ruta, dato in paginas.paginas_del_corte(ficha):
            yield ruta, piezas.a_bytes(dato)
        yield rutas.DICCIONARIO, piezas.a_bytes(diccionario.diccionario(self.proceso))
        yield rutas.ESQUEMA, piezas.a_bytes(esquema.esquema())
        yield rutas.DELTA, piezas.a_bytes(delta.entre(self.anterior, self.antes, ficha, self.cambios))
        for ruta, dato in paginas.paginas_de_secciones(self.armador.secciones(self.cambios.secciones), self.proceso):
            yield ruta, piezas.a_bytes(dato)
