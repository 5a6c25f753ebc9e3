"""Mochilas hechas a mano, buenas y con trampa, y un buzón con su ingesta de verdad para importarlas."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from joserfc.jwk import ECKey

from nucleo import mochila, sello
from nucleo.acta import Digitalizacion
from nucleo.hechos import IdActa, Imagen
from nucleo.mochila import Archivo, Manifiesto
from nucleo.padron import Padron
from nucleo.sobre import Tipo, huella
from servicio_central import ajustes, disco
from servicio_central.carril_de_mochilas import CarrilDeMochilas
from servicio_central.imagenes import Imagenes
from servicio_central.informe_de_mochila import Informe
from servicio_central.lector_de_mochila import LectorDeMochila, verificar
from tests.sobres_de_prueba import AHORA, PROCESO, CentroDePrueba, EquipoDePrueba

SELLO: Final = ECKey.generate_key("P-256", private=True)
ACTA: Final = IdActa("GUB", "200001B0100")


def declarar(quien: EquipoDePrueba, contenido: bytes) -> str:
    """El sobre con que ese equipo declara esa imagen."""
    sha256 = hashlib.sha256(contenido).hexdigest()
    return quien.firmar(Imagen(ACTA, AHORA, sha256, len(contenido), Digitalizacion.ESCANER, "escaner-1"))


def armar(
    carpeta: Path,
    quien: EquipoDePrueba,
    sobres: Sequence[str],
    imagenes: Sequence[bytes] = (),
    *,
    llave: ECKey = SELLO,
    por_archivo: int = 400,
    crudo: bytes | None = None,
    **distinto: Any,
) -> Path:
    """Una mochila en esa carpeta. `crudo` sustituye lo que va dentro del primer archivo de sobres; `distinto`, campos
    del manifiesto."""
    renglones = [mochila.renglon(n, s) for n, s in enumerate(sobres, start=1)]
    partes = [b"".join(renglones[i : i + por_archivo]) for i in range(0, len(renglones), por_archivo)]
    if crudo is not None:
        partes = [crudo]
    carpeta.mkdir(parents=True)
    archivos = []
    for clase, contenidos in ((mochila.SOBRES, partes), (mochila.IMAGENES, imagenes)):
        (carpeta / clase).mkdir()
        for numero, contenido in enumerate(contenidos, start=1):
            sellado = sello.sellar(contenido, llave)
            ruta = mochila.nombre_de(clase, numero)
            (carpeta / ruta).write_bytes(sellado)
            archivos.append(Archivo(ruta, len(sellado), hashlib.sha256(sellado).hexdigest()))
    manifiesto = Manifiesto(
        proceso=PROCESO.clave,
        modo=PROCESO.modo,
        equipo=quien.nombre,
        epoca=quien.epoca,
        desde=1,
        hasta=max(1, quien.secuencia),
        sobres=max(1, len(sobres)),
        resumen=mochila.resumen_de(huella(s) for s in sobres),
        sin_imagen=0,
        hora=AHORA,
        sello=sello.identificador(llave),
        archivos=tuple(archivos),
    )
    firmar(carpeta, quien, mochila.a_bytes(replace(manifiesto, **distinto)))
    return carpeta


def firmar(carpeta: Path, quien: EquipoDePrueba, crudo: bytes) -> None:
    """Pone en esa mochila ese manifiesto, bien firmado, sirva o no."""
    (carpeta / "manifiesto.json").write_bytes(crudo)
    (carpeta / "manifiesto.jws").write_text(quien.quien.firmar(Tipo.MOCHILA, crudo))


def editar(carpeta: Path, quien: EquipoDePrueba, **distinto: Any) -> None:
    """Cambia campos del manifiesto sin pasar por quien los revisa, y lo vuelve a firmar."""
    dato = json.loads((carpeta / "manifiesto.json").read_bytes())
    firmar(carpeta, quien, json.dumps(dato | distinto).encode())


@dataclass
class Banco:
    """Un centro sin bróker con su buzón. `padron` se puede cambiar a media prueba."""

    carpeta: Path
    equipos: list[EquipoDePrueba] = field(
        default_factory=lambda: [EquipoDePrueba("catd-01"), EquipoDePrueba("catd-02")]
    )
    avisos: list[str] = field(default_factory=list)
    centro: CentroDePrueba = field(init=False)
    carril: CarrilDeMochilas = field(init=False)
    padron: Padron = field(init=False)

    def __post_init__(self) -> None:
        self.centro = CentroDePrueba(self.carpeta, self.equipos)
        self.padron = self.centro.padron()
        disco.escribir(self.carpeta / ajustes.SELLO, SELLO.as_pem(private=True), 0o600)
        self.carril = CarrilDeMochilas(
            self.carpeta, self.centro.ingesta, lambda: self.padron, self.avisos.append, lambda: AHORA
        )

    @property
    def equipo(self) -> EquipoDePrueba:
        return self.equipos[0]

    def inscribir(self, padron: Padron) -> None:
        """El centro cambia de padrón, como cuando el vigía lo relee."""
        self.padron = padron
        self.centro.ingesta.recargar(padron=padron)

    def dejar(self, mochila_: Path) -> str:
        """Lo que hace la orden con la memoria: verificar y copiar al buzón."""
        with LectorDeMochila(mochila_) as lector:
            firmado = lector.firmado()
            manifiesto, _ = verificar(firmado, self.padron, sello.identificador(SELLO))
            return self.carril.buzon.dejar(lector, firmado, manifiesto).entrega

    def importar(self, mochila_: Path) -> Informe:
        self.dejar(mochila_)
        (informe,) = self.carril.atender(self.centro.ingesta.procesar)
        return informe

    def hechos(self) -> list[tuple[str, int, str]]:
        filas = self.centro.almacen.bd.execute("SELECT equipo, secuencia, huella FROM hechos ORDER BY 1, 2")
        return [(str(e), int(s), str(h)) for e, s, h in filas]

    def en_cuarentena(self) -> dict[str, int]:
        """Código → renglones."""
        return dict(self.centro.almacen.bd.execute("SELECT codigo, count(*) FROM cuarentena GROUP BY codigo"))

    def tiene(self, contenido: bytes) -> bool:
        return Imagenes(self.carpeta).contiene(hashlib.sha256(contenido).hexdigest())

    def apartadas(self) -> list[Path]:
        return sorted(self.carril.buzon.apartadas.iterdir())
