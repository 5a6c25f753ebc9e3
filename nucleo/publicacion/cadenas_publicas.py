"""Las cadenas de los equipos tal como se ven en el registro: cada lugar con una sola hoja, y cada una tras la anterior.

Un eslabón que después se revela tiene que ser exactamente lo que se había dicho. Que una cadena tenga huecos o no
encadene no es mentira de quien publica —el centro cuenta lo que viene firmado, y lo que falta puede no haber llegado—,
pero se dice.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from nucleo.publicacion.mentira import Mentira
from nucleo.publicacion.reserva import HechoRegistrado, HechoReservado, HechoVisible
from nucleo.sobre import CADENA_NUEVA

BITACORA: Final = "bitacora"

Lugar = tuple[str, str, int]


class CadenasPublicas:
    """Lo que el registro dice de cada cadena."""

    def __init__(self) -> None:
        self._de: dict[Lugar, HechoVisible] = {}
        self._cerrados: dict[str, HechoReservado] = {}

    @property
    def cerrados(self) -> list[HechoReservado]:
        """Los eslabones cuyo contenido se tiene que publicar algún día: todos menos los de la bitácora."""
        return list(self._cerrados.values())

    @property
    def todos(self) -> list[HechoVisible]:
        """Lo más que se sabe de cada hecho, en el orden en que aparecieron."""
        return list(self._de.values())

    def en(self, lugar: Lugar) -> HechoVisible | None:
        return self._de.get(lugar)

    def agregar(self, donde: str, nuevo: HechoVisible) -> None:
        """Un hecho o un eslabón que aparece en la hoja `donde`.

        Raises:
            Mentira: si ese lugar ya lo ocupa otro, si se repite, o si lo revelado no es lo que decía su eslabón.
        """
        ya = self._de.get(nuevo.lugar)
        if ya is not None and ya.huella != nuevo.huella:
            raise Mentira(
                donde,
                f"que la hoja {nuevo.secuencia} de {nuevo.equipo} es {nuevo.huella[:16]}…",
                f"{ya.huella[:16]}…, como ya decía otra hoja",
                "Se publicaron dos hechos distintos en el mismo lugar de una cadena: uno de los dos no debió contarse.",
            )
        if ya is not None and (isinstance(nuevo, HechoReservado) or isinstance(ya, HechoRegistrado)):
            raise Mentira(
                donde,
                f"otra vez la hoja {nuevo.secuencia} de {nuevo.equipo}",
                "un hecho que no estuviera ya",
                "Cada hecho se publica una vez, y lo que se reveló no se vuelve a reservar.",
            )
        if isinstance(nuevo, HechoReservado):
            if nuevo.tipo != BITACORA:
                self._cerrados[nuevo.huella] = nuevo
        elif isinstance(ya, HechoReservado):
            if nuevo.reservado() != ya:
                raise Mentira(
                    donde,
                    f"{nuevo.reservado()}",
                    f"{ya}, como decía su eslabón",
                    "Lo que se reveló no es lo que se había anunciado cuando estaba reservado.",
                )
            self._cerrados.pop(nuevo.huella, None)
        self._de[nuevo.lugar] = nuevo

    def avisos(self) -> Iterator[str]:
        """Los huecos y las hojas que no encadenan, en orden de cadena."""
        anterior: HechoVisible | None = None
        for lugar, visible in sorted(self._de.items()):
            misma = anterior is not None and anterior.lugar[:2] == lugar[:2]
            ultima = anterior.secuencia if anterior is not None and misma else 0
            if visible.secuencia != ultima + 1:
                faltan = f"{ultima + 1} a {visible.secuencia - 1}"
                yield f"de {visible.equipo} no están las hojas {faltan}: no llegaron, o no se publicaron"
            elif visible.previo != (anterior.huella if anterior is not None and misma else CADENA_NUEVA):
                yield f"la hoja {visible.secuencia} de {visible.equipo} no encadena con la anterior"
            anterior = visible
