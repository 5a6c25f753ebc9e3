"""La fila del kiosco: qué actas esperan trabajo, de la acopiada primero a la última.

Es una proyección en memoria del libro. Como al libro sólo se agrega, ponerla al día es leer los hechos nuevos, los haya
escrito esta pantalla u otra.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from appliance.almacen import Almacen
from nucleo.captura import EstadoAsentado, Verificada, estado_de
from nucleo.hechos import Acopio, FueraDeCatalogo, HechoDeActa, HojaDeBitacora, IdActa, SinActa


def acopiada(historia: Sequence[HechoDeActa]) -> bool:
    """Si el acta está aquí: hay acopio, y no se declaró sin acta después de él.

    Se declara sin acta y horas después aparece: su acopio nuevo la devuelve a la fila.
    """
    ultimo = next((h for h in reversed(historia) if isinstance(h, Acopio | SinActa)), None)
    return isinstance(ultimo, Acopio)


class Fila:
    """Estados de las actas de este kiosco.

    Se puede compartir entre hilos: toma el turno del almacén. Uno propio se cruzaría con aquél y se trabarían.
    """

    def __init__(self, almacen: Almacen) -> None:
        self._almacen = almacen
        self._vista = 0
        self._historias: dict[IdActa, list[HechoDeActa]] = {}
        self._estados: dict[IdActa, EstadoAsentado] = {}
        self._activas: dict[IdActa, EstadoAsentado] = {}

    def activas(self) -> list[tuple[IdActa, EstadoAsentado]]:
        """Actas acopiadas que aún no se verifican, en orden de llegada. Raises: Falla."""
        with self._almacen.lectura():
            self._actualizar()
            return list(self._activas.items())

    def cuenta(self) -> Counter[str]:
        """Cuántas actas conocidas por este kiosco hay en cada estado, por nombre del tipo. Raises: Falla."""
        with self._almacen.lectura():
            self._actualizar()
            return Counter(type(estado).__name__ for estado in self._estados.values())

    def historias(self) -> Mapping[IdActa, tuple[Sequence[HechoDeActa], EstadoAsentado]]:
        """Los hechos y el estado de cada acta conocida por este kiosco, en orden de llegada. Raises: Falla."""
        with self._almacen.lectura():
            self._actualizar()
            return {acta: (tuple(historia), self._estados[acta]) for acta, historia in self._historias.items()}

    def conocidas(self, actas: Iterable[IdActa]) -> Mapping[IdActa, tuple[Sequence[HechoDeActa], EstadoAsentado]]:
        """Como `historias`, sólo de esas actas; las que este kiosco no conoce no salen. Raises: Falla."""
        with self._almacen.lectura():
            self._actualizar()
            return {a: (tuple(self._historias[a]), self._estados[a]) for a in actas if a in self._historias}

    def _actualizar(self) -> None:
        tocadas: dict[IdActa, None] = {}
        for secuencia, hecho in self._almacen.hechos_desde(self._vista):
            self._vista = secuencia
            if not isinstance(hecho, FueraDeCatalogo | HojaDeBitacora):
                self._historias.setdefault(hecho.acta, []).append(hecho)
                tocadas[hecho.acta] = None
        for acta in tocadas:
            historia = self._historias[acta]
            estado = estado_de(historia)
            self._estados[acta] = estado
            if acopiada(historia) and not isinstance(estado, Verificada):
                self._activas[acta] = estado
            else:
                self._activas.pop(acta, None)
