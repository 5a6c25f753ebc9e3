"""El escáner, visto desde las pantallas: se le pide un lote y da hojas completas hasta que dice cómo terminó."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from appliance.escaneo.motivo import Motivo
from nucleo.problema import Rechazo


@dataclass(frozen=True, slots=True)
class Ajustes:
    """Con qué y cómo digitalizar.

    Args:
        dispositivo: nombre SANE, como lo da `presentes`. Quien lo reciba de un formulario debe buscarlo ahí.
        opciones: argumentos del controlador, tal cual los da el perfil del modelo.
        plazo_hoja_s: segundos sin avance con que una hoja se da por trabada.
        entorno: variables `SANE_DEBUG_…` sin las que el controlador calla qué le pasó.
        una_hoja: si se toma una sola. `None` lo decide la fuente: sólo se toma un lote si nombra un alimentador,
            porque una cama plana digitaliza la misma hoja sin fin.
    """

    dispositivo: str
    opciones: tuple[str, ...]
    plazo_hoja_s: float = 60
    entorno: tuple[tuple[str, str], ...] = ()
    una_hoja: bool | None = None


@dataclass(frozen=True, slots=True)
class HojaLista:
    """Una hoja completa: `ruta` ya es durable y nadie más va a escribir en ella. `numero` empieza en 1."""

    numero: int
    ruta: Path


@dataclass(frozen=True, slots=True)
class FinDeLote:
    """Cómo terminó.

    `hojas` salieron completas; `a_medias` entraron, o pudieron entrar, y no dieron archivo: el papel que pasó es la
    suma. `falla` es `None` cuando todo salió bien.
    """

    hojas: int
    motivo: Motivo
    falla: Rechazo | None
    a_medias: int = 0

    @property
    def cuentas(self) -> str:
        """El papel que entró y los archivos que salieron, para una persona."""
        salieron = "Salió 1 hoja completa" if self.hojas == 1 else f"Salieron {self.hojas} hojas completas"
        if self.a_medias == 0:
            return salieron
        if self.a_medias == 1:
            return f"{salieron}; 1 hoja pudo quedar a medio camino: búsquela en el escáner"
        return f"{salieron}; {self.a_medias} hojas pudieron quedar a medio camino: búsquelas en el escáner"


class Escaner(Protocol):
    """Algo que convierte papel en archivos."""

    def presentes(self) -> tuple[str, ...] | Rechazo:
        """Los nombres SANE de los escáneres que se ven ahora. Mientras hay un lote, los últimos que se vieron."""
        ...

    def digitalizar(self, ajustes: Ajustes, carpeta: Path) -> Iterator[HojaLista | FinDeLote]:
        """Cada hoja en cuanto está en el disco y, siempre al final, un `FinDeLote`. No levanta lo esperado.

        La hoja siguiente no entra hasta que se pide: si quien llama no pudo registrar la anterior, el papel espera
        en la charola. Debe agotarse o cerrarse en el mismo hilo que lo empezó.
        """
        ...

    def cancelar(self) -> None:
        """Pide terminar el lote en curso, aun a media hoja. No espera, no falla y se puede repetir."""
        ...
