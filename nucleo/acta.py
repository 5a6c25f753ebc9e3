"""El acta: lo que dice el papel, cómo llegó y en qué quedó.

`Asentado` es la transcripción (de una captura o de la verificada). `Acta` es el renglón que se publica: nunca lleva
columnas derivadas, porque la clasificación y los totales se calculan (`nucleo.clasificacion`, `nucleo.computo`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from nucleo.campo import Campo
from nucleo.casilla import Casilla


@dataclass(frozen=True)
class Asentado:
    """Transcripción de un acta. `votos` tiene un campo por cada `Opcion` que existe en esa casilla."""

    votos: Mapping[str, Campo]
    boletas_sobrantes: Campo
    personas_votaron: Campo
    representantes_votaron: Campo
    votos_sacados: Campo
    total_asentado: Campo

    def campos(self) -> dict[str, Campo]:
        """Todos los campos con nombre, en el orden en que se capturan: complementarios, votos y total."""
        return {
            "BOLETAS_SOBRANTES": self.boletas_sobrantes,
            "PERSONAS_VOTARON": self.personas_votaron,
            "REPRESENTANTES_VOTARON": self.representantes_votaron,
            "VOTOS_SACADOS": self.votos_sacados,
            **self.votos,
            "TOTAL_ASENTADO": self.total_asentado,
        }


COMPLEMENTARIOS = ("BOLETAS_SOBRANTES", "PERSONAS_VOTARON", "REPRESENTANTES_VOTARON", "VOTOS_SACADOS", "TOTAL_ASENTADO")
"""Campos del acta que no son votos; ninguna opción puede llamarse así."""

_NO_SON_VOTOS = frozenset(COMPLEMENTARIOS)


def asentado_de_campos(campos: Mapping[str, Campo]) -> Asentado:
    """Inversa de `Asentado.campos`. Raises: KeyError si falta un complementario."""
    return Asentado(
        votos={k: v for k, v in campos.items() if k not in _NO_SON_VOTOS},
        boletas_sobrantes=campos["BOLETAS_SOBRANTES"],
        personas_votaron=campos["PERSONAS_VOTARON"],
        representantes_votaron=campos["REPRESENTANTES_VOTARON"],
        votos_sacados=campos["VOTOS_SACADOS"],
        total_asentado=campos["TOTAL_ASENTADO"],
    )


class MotivoSinActa(Enum):
    """Por qué no hay acta (columna OBSERVACIONES; números del INE 2024)."""

    PAQUETE_NO_ENTREGADO = 1
    CASILLA_NO_INSTALADA = 2
    PAQUETE_SIN_BOLSA = 3
    CONTINGENCIA_URNA_ELECTRONICA = 4


class Origen(Enum):
    """Dónde se digitalizó."""

    CASILLA = "CASILLA"
    CATD = "CATD"


class Digitalizacion(Enum):
    """Con qué se digitalizó."""

    MOVIL = "MOVIL"
    ESCANER = "ESCANER"


class ResultadoCotejo(Enum):
    """Cómo salió el cotejo contra el papel (columna COTEJADA, LEEME INE 2024)."""

    ACEPTADA = 1
    ACEPTADA_TRAS_CORREGIR = 2
    NO_ACEPTADA = 3
    """Está en recaptura o redigitalización."""


TIPOS_DOCUMENTO = ("ACTA PREP", "RPP", "CC", "PPC", "ACTA VMRE", "ACTA VA", "ACTA VPPP", "ACTA UE")
"""Valores de TIPO_DOCUMENTO (LEEME IECM 2024)."""

MECANISMOS_TRASLADO = ("", "D", "F", "I")
"""Ninguno, dispositivo de apoyo, centro fijo, centro itinerante."""


@dataclass(frozen=True)
class Procedencia:
    """Cómo y cuándo llegó un documento. Las horas llevan huso; `None` es que esa fase no ha ocurrido."""

    acopio: datetime | None
    captura: datetime | None
    verificacion: datetime | None
    origen: Origen | None
    digitalizacion: Digitalizacion | None
    tipo_documento: str
    mecanismo_traslado: str
    imagen: str
    """SHA-256 hexadecimal de la imagen (CODIGO_INTEGRIDAD), o vacío si aún no hay imagen."""


SIN_PROCEDENCIA = Procedencia(None, None, None, None, None, "", "", "")


@dataclass(frozen=True)
class ActaPendiente:
    """Esperada y todavía sin publicar."""

    casilla: Casilla


@dataclass(frozen=True)
class ActaVerificada:
    """Con dos capturas iguales: se publica como está, cuadre o no."""

    casilla: Casilla
    asentado: Asentado
    procedencia: Procedencia


@dataclass(frozen=True)
class ActaSinActa:
    """El paquete llegó (o no) sin el acta PREP."""

    casilla: Casilla
    motivo: MotivoSinActa


@dataclass(frozen=True)
class ActaFueraDeCatalogo:
    """Documento recibido que no se puede asociar a ninguna casilla aprobada."""

    folio: str
    """Identificador propio y estable del documento (ordena los renglones)."""
    procedencia: Procedencia


Acta = ActaPendiente | ActaVerificada | ActaSinActa | ActaFueraDeCatalogo
