"""Qué pasó con una mochila: lo que se enseña a quien la trajo y se guarda en `mochilas/informes/`."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Final

from nucleo.concordancia import concordar
from nucleo.mochila import Manifiesto
from nucleo.problema import Rechazo
from servicio_central.ingesta import Destino, Dictamen

_A_LA_VISTA: Final = 20
_VARIOS: Final = {d.value: f"{d.value}es" if d is Destino.FATAL else f"{d.value}s" for d in Destino}


@dataclass
class Informe:
    """Se va llenando al importar. Las horas son ISO 8601."""

    entrega: str
    importada: str
    huella: str = ""
    """SHA-256 del manifiesto firmado, sin la firma: qué mochila es."""
    equipo: str = ""
    epoca: str = ""
    desde: int = 0
    hasta: int = 0
    hecha: str = ""
    sobres: int = 0
    """Los que dice el manifiesto."""
    destinos: Counter[str] = field(default_factory=Counter)
    codigos: Counter[str] = field(default_factory=Counter)
    """Por qué no se aceptaron, los que no."""
    renglones_de_mas: int = 0
    imagenes: int = 0
    imagenes_nuevas: int = 0
    imagenes_que_estaban: int = 0
    imagenes_ajenas: int = 0
    """Las que ningún hecho aceptado de ese equipo nombra."""
    sin_imagen: int = 0
    """Las que el kiosco ya no tenía o no cupieron en la memoria."""
    archivos_malos: dict[str, str] = field(default_factory=dict)
    """Ruta → qué tiene; no se abrieron."""
    sobran: int = 0
    huecos: list[tuple[int, int]] = field(default_factory=list)
    """Secuencias de esa cadena, hasta donde llega la mochila, que el centro no tiene."""
    avisos: list[str] = field(default_factory=list)
    rechazo: Rechazo | None = None

    def de(self, manifiesto: Manifiesto, huella: str) -> None:
        """Anota de qué mochila se trata."""
        self.huella, self.equipo, self.epoca = huella, manifiesto.equipo, manifiesto.epoca
        self.desde, self.hasta, self.hecha = manifiesto.desde, manifiesto.hasta, manifiesto.hora.isoformat()
        self.sobres, self.imagenes, self.sin_imagen = manifiesto.sobres, manifiesto.imagenes, manifiesto.sin_imagen

    def contar(self, dictamenes: tuple[Dictamen, ...]) -> None:
        self.destinos.update(d.destino.value for d in dictamenes)
        self.codigos.update(d.codigo for d in dictamenes if d.codigo)

    @property
    def leidos(self) -> int:
        return self.destinos.total()

    @property
    def absorbida(self) -> bool:
        """Si ya nada de lo que trae hace falta: todo está en el centro."""
        return not (
            self.rechazo
            or self.archivos_malos
            or self.imagenes_ajenas
            or self.renglones_de_mas
            or self.destinos[Destino.FATAL.value]
            or self.leidos < self.sobres
        )

    @property
    def texto(self) -> str:
        """Para la pantalla y la bitácora."""
        if self.rechazo is not None:
            return f"{self.entrega}: NO SE IMPORTÓ. {self.rechazo}"
        nuevas, estaban = self.imagenes_nuevas, self.imagenes_que_estaban
        destinos = ", ".join(concordar(n, d, _VARIOS[d]) for d, n in self.destinos.most_common()) or "ninguno"
        renglones = [
            f"{self.entrega}: {'importada completa' if self.absorbida else 'IMPORTADA EN PARTE'}",
            f"  sobres: {self.leidos} de {self.sobres} (de la {self.desde} a la {self.hasta}): {destinos}",
            f"  imágenes: {nuevas} nuevas y {estaban} que ya estaban, de {self.imagenes}",
        ]
        if self.codigos:
            renglones.append("  por qué no: " + ", ".join(f"{c} ({n})" for c, n in self.codigos.most_common()))
        if self.imagenes_ajenas:
            renglones.append(f"  {self.imagenes_ajenas} imágenes que ningún hecho aceptado de {self.equipo} nombra")
        if self.sin_imagen:
            renglones.append(f"  {self.sin_imagen} imágenes no venían: las tiene el kiosco y llegarán por el enlace")
        for ruta, que in list(self.archivos_malos.items())[:_A_LA_VISTA]:
            renglones.append(f"  {ruta} {que}")
        if len(self.archivos_malos) > _A_LA_VISTA:
            renglones.append(f"  y otros {len(self.archivos_malos) - _A_LA_VISTA} archivos malos")
        if self.renglones_de_mas:
            renglones.append(f"  {self.renglones_de_mas} renglones más de los que dice el manifiesto; no se leyeron")
        if self.sobran:
            renglones.append(f"  {self.sobran} archivos que el manifiesto no nombra; no se abrieron")
        if self.huecos:
            dicho = ", ".join(str(a) if a == b else f"{a} a {b}" for a, b in self.huecos)
            renglones.append(f"  de esa cadena aún faltan: {dicho}; están en el kiosco o en otra mochila")
        return "\n".join([*renglones, *(f"  {a}" for a in self.avisos)])

    def a_json(self) -> bytes:
        dato: dict[str, Any] = {campo.name: getattr(self, campo.name) for campo in fields(self)}
        dato["rechazo"] = None if self.rechazo is None else asdict(self.rechazo)
        dato |= {"absorbida": self.absorbida, "texto": self.texto}
        return (json.dumps(dato, ensure_ascii=False, indent=1) + "\n").encode()
