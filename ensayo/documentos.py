"""De una base publicada a los documentos que llegaron esa noche: lo único que se toma de ella es lo que alguien leyó
del papel.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from ensayo.agenda import ANTES_DEL_CORTE, Documento
from ensayo.publicada import Publicada
from nucleo.acta import Asentado, Digitalizacion, MotivoSinActa, Origen
from nucleo.base_oficial import fechas
from nucleo.campo import SIN_DATO, Campo, CampoInvalido, de_texto
from nucleo.eleccion import Eleccion, Proceso
from nucleo.hechos import IdActa

Renglon = Mapping[str, str]

_MOTIVOS: Final = {
    "NO ENTREGADO": MotivoSinActa.PAQUETE_NO_ENTREGADO,
    "NO INSTALADA": MotivoSinActa.CASILLA_NO_INSTALADA,
    "SIN BOLSA": MotivoSinActa.PAQUETE_SIN_BOLSA,
    "CONTINGENCIA": MotivoSinActa.CONTINGENCIA_URNA_ELECTRONICA,
}
_MOTIVO_POR_NUMERO: Final = {f"SIN ACTA({m.value})": m for m in MotivoSinActa}


class RenglonIncomprensible(ValueError):
    """Un renglón publicado no se puede volver documento; dice cuál y por qué."""


def documentos_de(cortes: Sequence[Publicada], proceso: Proceso, eleccion: Eleccion) -> list[Documento]:
    """Documentos de la noche, en el orden de la última base.

    Args:
        cortes: bases publicadas, de la más temprana a la más tardía. La última da los datos; las anteriores sólo
        dicen en
            qué corte apareció lo que no publica hora («sin acta»).

    Raises:
        RenglonIncomprensible: si un renglón tiene votos que no son campo de acta o le falta una hora.
    """
    huso = ZoneInfo(proceso.huso)
    aparicion: dict[str, datetime] = {}
    for base in reversed(cortes):
        assert base.corte is not None
        instante = base.corte.astimezone(huso) if base.corte.tzinfo else base.corte.replace(tzinfo=huso)
        aparicion |= {
            r["CLAVE_ACTA"]: instante for r in base.renglones if r["CONTABILIZADA"].strip() in ("0", "1", "2")
        }
    por_clave = {eleccion.clave_acta(c): c for c in proceso.esperadas(eleccion.clave)}
    documentos = []
    for renglon in cortes[-1].renglones:
        estatus = renglon["CONTABILIZADA"].strip()
        if estatus not in ("0", "1", "2"):
            continue
        if estatus == "2":
            documentos.append(_fuera_de_catalogo(renglon, eleccion, huso))
            continue
        casilla = por_clave.get(renglon["CLAVE_ACTA"])
        if casilla is None:
            raise RenglonIncomprensible(f"{renglon['CLAVE_ACTA']}: no está en el catálogo y no se marcó fuera de él")
        acta = IdActa(eleccion.clave, casilla.clave)
        motivo = motivo_sin_acta(renglon["OBSERVACIONES"])
        if motivo is not None:
            hora = aparicion[renglon["CLAVE_ACTA"]] - ANTES_DEL_CORTE
            documentos.append(_sin_acta(acta, casilla.distrito or 0, hora, motivo))
            continue
        documentos.append(
            Documento(
                acta,
                casilla.distrito or 0,
                _hora(renglon, "FECHA_HORA_ACOPIO", huso),
                _hora(renglon, "FECHA_HORA_CAPTURA", huso),
                _hora(renglon, "FECHA_HORA_VERIFICACION", huso),
                asentado_de(renglon, tuple(o.clave for o in eleccion.opciones_de(casilla))),
                *_procedencia(renglon),
            )
        )
    return documentos


def asentado_de(renglon: Renglon, opciones: Sequence[str]) -> Asentado:
    """Lo que se leyó del papel según el renglón.

    Raises:
        RenglonIncomprensible: si un campo no es número, ilegible ni sin dato.
    """

    def campo(columna: str) -> Campo:
        try:
            return de_texto(renglon.get(columna, "").upper())
        except CampoInvalido as error:
            if renglon.get(columna, "").strip() in ("", "-"):
                return SIN_DATO
            raise RenglonIncomprensible(f"{renglon['CLAVE_ACTA']}, {columna}: {error}") from error

    return Asentado(
        {clave: campo(clave) for clave in opciones},
        campo("TOTAL_BOLETAS_SOBRANTES"),
        campo("TOTAL_PERSONAS_VOTARON"),
        campo("TOTAL_REP_PARTIDO_CI_VOTARON"),
        campo("TOTAL_VOTOS_SACADOS"),
        campo("TOTAL_VOTOS_ASENTADO"),
    )


def _sin_acta(acta: IdActa, distrito: int, hora: datetime, motivo: MotivoSinActa) -> Documento:
    return Documento(
        acta, distrito, hora, None, None, None, Origen.CATD, Digitalizacion.ESCANER, "ACTA PREP", "", motivo
    )


def _fuera_de_catalogo(renglon: Renglon, eleccion: Eleccion, huso: ZoneInfo) -> Documento:
    return Documento(
        IdActa(eleccion.clave, ""),
        0,
        _hora(renglon, "FECHA_HORA_ACOPIO", huso),
        None,
        None,
        None,
        *_procedencia(renglon),
        huella_publicada=renglon["CODIGO_INTEGRIDAD"].strip().lower(),
    )


def _procedencia(renglon: Renglon) -> tuple[Origen, Digitalizacion, str, str]:
    mecanismo = renglon["MECANISMOS_TRASLADO"].strip()
    return (
        Origen(renglon["ORIGEN"].strip().upper()),
        Digitalizacion(renglon["DIGITALIZACION"].strip().upper()),
        renglon["TIPO_DOCUMENTO"].strip().upper(),
        "" if mecanismo == "-" else mecanismo,
    )


def _hora(renglon: Renglon, columna: str, huso: ZoneInfo) -> datetime:
    instante = fechas.leer(renglon[columna], huso)
    if instante is None:
        raise RenglonIncomprensible(f"{renglon['CLAVE_ACTA']}, {columna}: {renglon[columna]!r} no es una hora")
    return instante


def motivo_sin_acta(observaciones: str) -> MotivoSinActa | None:
    """Motivo que dice OBSERVACIONES, o `None` si no habla de «sin acta»; sin motivo conocido, «sin bolsa»."""
    texto = observaciones.strip().upper()
    if "SIN ACTA" not in texto:
        return None
    for fragmento, motivo in (_MOTIVOS | _MOTIVO_POR_NUMERO).items():
        if fragmento in texto:
            return motivo
    return MotivoSinActa.PAQUETE_SIN_BOLSA
