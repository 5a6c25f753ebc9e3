"""Un equipo que firma sobres encadenados y un centro sin bróker: lo mínimo para probar la ingesta."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from joserfc.jwk import ECKey

from nucleo.acta import Asentado, asentado_de_campos
from nucleo.acuse import Acuse, abrir_acuse
from nucleo.campo import Campo, Numero
from nucleo.eleccion import Proceso
from nucleo.hechos import Captura, Hecho, IdActa, a_contenido
from nucleo.latido import Latido, sellar_latido
from nucleo.padron import Equipo, Padron
from nucleo.sobre import CADENA_NUEVA, Sobre, huella, sellar
from nucleo.temas import Carril, Tema, ambito_de
from servicio_central.almacen import Almacen
from servicio_central.ingesta import Ingesta, Mensaje, Resultado
from tests.estrategias import FirmanteEnMemoria, firmante
from tests.muestras import proceso_chico

PROCESO: Final = proceso_chico()
AMBITO: Final = ambito_de(PROCESO.modo, PROCESO.clave)
EPOCA: Final = "00000000000000e1"
AHORA: Final = datetime(2022, 6, 6, 2, 0, tzinfo=UTC)


@dataclass
class EquipoDePrueba:
    """Firma una cadena de sobres. `secuencia` y `previo` se pueden mover para hacer trampa."""

    nombre: str
    epoca: str = EPOCA
    quien: FirmanteEnMemoria = field(init=False)
    secuencia: int = 0
    previo: str = CADENA_NUEVA

    def __post_init__(self) -> None:
        self.quien = firmante(self.nombre)

    def inscrito(self, **distinto: Any) -> Equipo:
        publica = ECKey.import_key(self.quien.llave.as_dict(private=False))
        return replace(Equipo(self.nombre, self.nombre, frozenset({self.epoca}), publica), **distinto)

    def sobre(self, contenido: dict[str, Any], **distinto: Any) -> str:
        """El siguiente de su cadena, con lo que se quiera cambiado."""
        self.secuencia += 1
        llano = Sobre(
            PROCESO.clave,
            PROCESO.modo,
            self.nombre,
            self.nombre,
            self.epoca,
            self.secuencia,
            self.previo,
            AHORA,
            "libre",
            "arranque",
            "sistema",
            contenido,
        )
        firmado = sellar(replace(llano, **distinto), self.quien)
        self.previo = huella(firmado)
        return firmado

    def firmar(self, hecho: Hecho, **distinto: Any) -> str:
        return self.sobre(a_contenido(hecho), **distinto)

    def mensaje(self, hecho: Hecho, **distinto: Any) -> Mensaje:
        return self.envio(self.firmar(hecho, **distinto))

    def envio(self, compacto: str | bytes, carril: Carril = Carril.HECHOS) -> Mensaje:
        datos = compacto.encode() if isinstance(compacto, str) else compacto
        return Mensaje(str(Tema(AMBITO, self.nombre, carril)), datos)

    def latido(self, secuencia: int | None = None, segundo: int = 0, **distinto: Any) -> Mensaje:
        ultimo = self.secuencia if secuencia is None else secuencia
        hora = (AHORA + timedelta(seconds=segundo)).isoformat()
        llano = Latido(
            self.nombre,
            self.nombre,
            self.epoca,
            "0" * 16,
            "pulso",
            ultimo,
            self.previo,
            0,
            0,
            hora,
            "libre",
            10**10,
            "v1",
        )
        return self.envio(sellar_latido(replace(llano, **distinto), self.quien), Carril.LATIDO)


@dataclass
class CentroDePrueba:
    """Una ingesta de verdad sobre un SQLite de verdad, con sus equipos en el padrón."""

    carpeta: Path
    equipos: list[EquipoDePrueba]
    proceso: Proceso = PROCESO
    llave: FirmanteEnMemoria = field(default_factory=lambda: firmante("centro"))
    almacen: Almacen = field(init=False)
    ingesta: Ingesta = field(init=False)

    def __post_init__(self) -> None:
        self.carpeta.mkdir(parents=True, exist_ok=True)
        self.arrancar()

    def arrancar(self) -> None:
        """Abre el almacén y la ingesta, como después de un apagón."""
        self.almacen = Almacen.abrir(self.carpeta / "almacen.sqlite")
        self.ingesta = Ingesta(self.almacen, self.proceso, self.padron(), self.llave, lambda: AHORA)

    def padron(self, **distintos: Equipo) -> Padron:
        equipos = {e.nombre: e.inscrito() for e in self.equipos}
        return Padron(PROCESO.clave, PROCESO.modo, 1, equipos | {n.replace("_", "-"): e for n, e in distintos.items()})

    def destinos(self, *mensajes: Mensaje) -> list[str]:
        return [d.destino.value for d in self.ingesta.procesar(mensajes).dictamenes]

    def acuses(self, resultado: Resultado) -> list[Acuse]:
        publica = ECKey.import_key(self.llave.llave.as_dict(private=False))
        return [abrir_acuse(compacto, publica) for _, compacto in resultado.acuses]


def captura(casilla: str = "200001B0100", persona: str = "ana", votos: int = 10, **distintos: Campo) -> Captura:
    """Una captura completa de una casilla del proceso chico."""
    return Captura(IdActa("GUB", casilla), 1, AHORA, persona, asentado(votos, **distintos))


def asentado(votos: int = 10, **distintos: Campo) -> Asentado:
    campos: dict[str, Campo] = dict.fromkeys(PROCESO.elecciones["GUB"].por_clave, Numero(votos))
    complementarios = "BOLETAS_SOBRANTES PERSONAS_VOTARON REPRESENTANTES_VOTARON VOTOS_SACADOS TOTAL_ASENTADO"
    return asentado_de_campos({**dict.fromkeys(complementarios.split(), Numero(1)), **campos, **distintos})
