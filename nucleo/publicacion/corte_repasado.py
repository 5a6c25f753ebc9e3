"""Un corte vuelto a hacer desde el registro, y los archivos que salen de él."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from nucleo.base_oficial.escritura import escribir_zip
from nucleo.eleccion import Proceso
from nucleo.padron import Padron
from nucleo.publicacion import fichas, rutas
from nucleo.publicacion.armado import Armador, Cambios
from nucleo.publicacion.con_que_se_cuenta import Conjuntos, con_el_padron
from nucleo.publicacion.json_publico import paginas, piezas
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
    conjuntos: Conjuntos
    armador: Armador
    cambios: Cambios
    actas: tuple[tuple[int, ActaPublicada], ...]
    """Las que publicó, con el índice de su hoja."""

    def archivos(self, raiz: bytes) -> Iterator[tuple[str, bytes]]:
        """(ruta, contenido) de lo que sale de las hojas: bases, JSON del corte y de las secciones que cambiaron.

        Args:
            raiz: la del árbol de las primeras `indice` hojas.
        """
        bases: dict[str, tuple[str, int, str]] = {}
        for clave in self.proceso.elecciones:
            actas = self.armador.actas(clave)
            nombre, datos = escribir_zip(self.proceso, clave, actas, self.corte.hora, self.corte.ultimo)
            bases[clave] = (nombre, len(datos), hashlib.sha256(datos).hexdigest())
            yield nombre, datos
        ficha = self.armador.todo(self.corte, self.indice, raiz.hex(), bases)
        for ruta, dato in paginas.paginas_del_corte(ficha):
            if ruta == rutas.RESUMEN:
                dato = con_el_padron(dato, self.padron, self.conjuntos)
            yield ruta, piezas.a_bytes(dato)
        for ruta, dato in paginas.paginas_de_secciones(self.armador.secciones(self.cambios.secciones), self.proceso):
            yield ruta, piezas.a_bytes(dato)
