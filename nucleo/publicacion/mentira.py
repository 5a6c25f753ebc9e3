"""Una mentira hallada: dónde está, qué decía, qué debía decir y qué significa."""

from __future__ import annotations

from nucleo.problema import Rechazo


class Mentira(Exception):
    """Lo publicado no sale de lo que se firmó. Lleva lo que se le dice a una persona."""

    def __init__(self, donde: str, decia: str, debia: str, significa: str) -> None:
        super().__init__(f"{donde}: decía {decia}; debía decir {debia}. {significa}")
        self.donde = donde
        """El archivo, relativo a la carpeta pública, o la hoja del registro."""
        self.decia = decia
        self.debia = debia
        self.significa = significa

    @property
    def rechazo(self) -> Rechazo:
        """La misma, en la forma de todo error de la casa."""
        que = f"{self.donde} dice {self.decia} y debía decir {self.debia}"
        return Rechazo("MENTIRA", que, self.significa, "compare con otro espejo y guarde esta carpeta como prueba")
