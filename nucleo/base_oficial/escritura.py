"""Escribe la base de datos pública de un corte, idéntica byte por byte en cualquier máquina.

Sigue la estructura de 2024 (dominio §7.1): coma, UTF-8, LF, sin apóstrofos. Trae todas las actas esperadas
desde el primer corte: las mesas M, A y P en los primeros renglones, luego el catálogo y al final las fuera de
catálogo. Los valores no se maquillan: lo que no cabe en una celda se rechaza con error.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from nucleo.acta import (
    SIN_PROCEDENCIA,
    Acta,
    ActaFueraDeCatalogo,
    ActaPendiente,
    ActaSinActa,
    ActaVerificada,
    Asentado,
    Procedencia,
)
from nucleo.base_oficial import columnas, fechas, leeme
from nucleo.campo import Campo, SinDato, a_texto
from nucleo.casilla import Casilla
from nucleo.clasificacion import clasificar, observaciones, total_calculado
from nucleo.computo import Resumen, resumir
from nucleo.eleccion import Ambito, Eleccion, Proceso

NO_APLICA: Final = "N/A"
SIN_ACTA: Final = "SIN ACTA"
NO_EXISTE: Final = "-"
"""Renglón que no existe en ese distrito o municipio, y claves de las fuera de catálogo."""

MESAS: Final = "MAP"
"""Tipos de casilla sin sección ni distrito, en el orden en que encabezan el archivo (LEEME IECM 2024)."""

_FUERA_DE_CATALOGO: Final = "3"
_SALTOS: Final = re.compile(r"[\r\n\0]")


class Renglones:
    """Los renglones ya escritos de una elección: quien hace un corte tras otro sólo vuelve a escribir los que cambian.

    Un acta es la misma si es el mismo objeto: quien la cambie hace otra.
    """

    def __init__(self, proceso: Proceso, eleccion_clave: str) -> None:
        self._proceso = proceso
        self._eleccion = proceso.elecciones[eleccion_clave]
        self._escritos: dict[str, tuple[Acta, str]] = {}

    def de(self, acta: Acta) -> str:
        """El renglón del acta, con su salto. Raises: ValueError, si un texto de la definición tiene un salto."""
        clave = "" if isinstance(acta, ActaFueraDeCatalogo) else acta.casilla.clave
        visto = self._escritos.get(clave)
        if visto is not None and visto[0] is acta:
            return visto[1]
        texto = _csv([_renglon(acta, self._proceso, self._eleccion)])
        if clave:
            self._escritos[clave] = acta, texto
        return texto


class ActasImposibles(ValueError):
    """Las actas recibidas no pueden ser las de un corte: repetidas o ajenas a la elección."""


def nombre_base(proceso: Proceso, eleccion_clave: str) -> str:
    """Nombre del CSV sin extensión: `OAX_GUB_2022`."""
    return f"{proceso.siglas}_{eleccion_clave}_{_anio(proceso)}"


def nombre_zip(proceso: Proceso, eleccion_clave: str, corte: datetime) -> str:
    """Nombre del zip de un corte, en hora de la entidad: `20220605_2120_PREP_GUB_OAX.zip`."""
    local = corte.astimezone(ZoneInfo(proceso.huso))
    return f"{local:%Y%m%d_%H%M}_PREP_{eleccion_clave}_{proceso.siglas}.zip"


def escribir_zip(
    proceso: Proceso,
    eleccion_clave: str,
    actas: Iterable[Acta],
    corte: datetime,
    ultimo_corte: bool,
    resumen: Resumen | None = None,
    renglones: Renglones | None = None,
) -> tuple[str, bytes]:
    """El zip de un corte: resultados, candidaturas y LEEME.

    Va sin comprimir porque la salida de *deflate* cambia entre versiones de zlib y el archivo debe poder
    reproducirse idéntico; el servidor web lo comprime al transmitirlo.

    Args:
        resumen: el de esas actas, si ya se contaron.
        renglones: los que se escribieron en el corte anterior de la misma elección y definición.

    Returns:
        Nombre del archivo y sus bytes.

    Raises:
        ActasImposibles: si hay dos actas de una casilla o una de casilla no esperada.
    """
    base = nombre_base(proceso, eleccion_clave)
    archivos = (
        (f"{base}.csv", escribir_csv(proceso, eleccion_clave, actas, corte, ultimo_corte, resumen, renglones)),
        (
            f"{proceso.siglas}_{eleccion_clave}_CANDIDATURAS_{_anio(proceso)}.csv",
            escribir_candidaturas(proceso, eleccion_clave),
        ),
        ("LEEME.txt", leeme.generar(proceso, eleccion_clave).encode()),
    )
    return nombre_zip(proceso, eleccion_clave, corte), _zip(archivos, corte.astimezone(ZoneInfo(proceso.huso)))


def escribir_csv(
    proceso: Proceso,
    eleccion_clave: str,
    actas: Iterable[Acta],
    corte: datetime,
    ultimo_corte: bool,
    resumen: Resumen | None = None,
    renglones: Renglones | None = None,
) -> bytes:
    """El CSV de resultados: encabezado de dos líneas, resumen, línea en blanco y un renglón por acta.

    Las casillas esperadas que no vengan en `actas` se escriben como pendientes. `resumen` y `renglones`, como en
    `escribir_zip`.

    Raises:
        ActasImposibles: si hay dos actas de una casilla o una de casilla no esperada.
        ValueError: si un texto de la definición tiene un salto de línea.
    """
    eleccion = proceso.elecciones[eleccion_clave]
    ordenadas = ordenar(actas, proceso, eleccion_clave)
    trece = (resumen or resumir(ordenadas, proceso, eleccion_clave, ultimo_corte)).oficial()
    cabeza = _csv(
        [
            (eleccion.nombre.upper(),),
            (fechas.corte(corte, proceso.huso),),
            tuple(trece),
            tuple(trece.values()),
            (),
            encabezado(eleccion),
        ]
    )
    escritos = renglones or Renglones(proceso, eleccion_clave)
    return "".join([cabeza, *(escritos.de(acta) for acta in ordenadas)]).encode()


def encabezado(eleccion: Eleccion) -> tuple[str, ...]:
    """Nombres de las columnas de resultados de una elección."""
    return (
        *(c.nombre for c in columnas.fijas_antes(eleccion.ambito)),
        *(o.clave for o in eleccion.opciones),
        *(c.nombre for c in columnas.DESPUES_DE_LOS_VOTOS),
    )


def escribir_candidaturas(proceso: Proceso, eleccion_clave: str) -> bytes:
    """El CSV de candidaturas, en el orden de la definición."""
    eleccion = proceso.elecciones[eleccion_clave]
    con_division = eleccion.ambito is not Ambito.ENTIDAD
    id_division = columnas.division(eleccion.ambito)[0].nombre
    nombres = (
        "ID_ENTIDAD",
        *([id_division] if con_division else []),
        *(c.nombre for c in columnas.CANDIDATURAS),
    )
    renglones = [nombres]
    for c in eleccion.candidaturas:
        ambito = [_division(c.ambito)] if con_division else []
        renglones.append((f"{proceso.entidad:02d}", *ambito, ",".join(c.partidos), c.propietaria, c.suplente))
    return _csv(renglones).encode()


def ordenar(actas: Iterable[Acta], proceso: Proceso, eleccion_clave: str) -> list[Acta]:
    """Las actas en el orden del archivo, con una pendiente por cada esperada que falte.

    Raises:
        ActasImposibles: si hay dos actas de una casilla o una de casilla no esperada.
    """
    por_casilla: dict[str, Acta] = {}
    fuera: list[ActaFueraDeCatalogo] = []
    for acta in actas:
        if isinstance(acta, ActaFueraDeCatalogo):
            fuera.append(acta)
        elif por_casilla.setdefault(acta.casilla.clave, acta) is not acta:
            raise ActasImposibles(f"hay dos actas de la casilla {acta.casilla.clave}")
    esperadas = sorted(proceso.esperadas(eleccion_clave), key=_lugar)
    ordenadas = [por_casilla.pop(c.clave, ActaPendiente(c)) for c in esperadas]
    if por_casilla:
        raise ActasImposibles(f"la casilla {next(iter(por_casilla))} no se espera en la elección {eleccion_clave}")
    return ordenadas + sorted(fuera, key=lambda acta: acta.folio)


def _lugar(casilla: Casilla) -> int:
    return MESAS.index(casilla.tipo) if casilla.tipo in MESAS else len(MESAS)


def _renglon(acta: Acta, proceso: Proceso, eleccion: Eleccion) -> tuple[str, ...]:
    cuantos_votos = len(eleccion.opciones)
    match acta:
        case ActaFueraDeCatalogo():
            return (
                *(NO_EXISTE, NO_EXISTE, f"{proceso.entidad:02d}", proceso.entidad_nombre),
                *("",) * 6,
                *(_FUERA_DE_CATALOGO, NO_EXISTE),
                *("",) * (len(columnas.COMPLEMENTARIAS) + cuantos_votos + 4),
                *_estatus(acta, proceso),
                *_procedencia(acta.procedencia, proceso.huso),
            )
        case ActaPendiente():
            datos = ("",) * (len(columnas.COMPLEMENTARIAS) + cuantos_votos + 2)
            rastro = _procedencia(SIN_PROCEDENCIA, proceso.huso)
        case ActaSinActa():
            existen = {o.clave for o in eleccion.opciones_de(acta.casilla)}
            datos = (
                *(SIN_ACTA,) * len(columnas.COMPLEMENTARIAS),
                *(SIN_ACTA if o.clave in existen else NO_EXISTE for o in eleccion.opciones),
                *(SIN_ACTA, SIN_ACTA),
            )
            rastro = ("", *(NO_APLICA,) * 7)
        case ActaVerificada():
            datos = _datos(acta.asentado, acta.casilla, eleccion)
            rastro = _procedencia(acta.procedencia, proceso.huso)
    casilla = acta.casilla
    return (
        *_identificacion(casilla, proceso, eleccion),
        *datos,
        "0" if casilla.especial else str(casilla.lista_nominal),
        NO_APLICA if casilla.tipo in MESAS else str(casilla.representantes),
        *_estatus(acta, proceso),
        *rastro,
    )


def _identificacion(casilla: Casilla, proceso: Proceso, eleccion: Eleccion) -> tuple[str, ...]:
    mesa = casilla.tipo in MESAS
    municipio = eleccion.ambito is Ambito.MUNICIPIO
    return (
        casilla.clave,
        eleccion.clave_acta(casilla),
        f"{proceso.entidad:02d}",
        proceso.entidad_nombre,
        NO_APLICA if mesa else _division(eleccion.division(casilla)),
        NO_APLICA if mesa else (casilla.municipio_nombre if municipio else casilla.distrito_nombre),
        NO_APLICA if mesa else f"{casilla.seccion:04d}",
        NO_APLICA if mesa else f"{casilla.numero:02d}",
        casilla.tipo,
        f"{casilla.ext_contigua:02d}",
        "1" if mesa else str(casilla.ubicacion),
        eleccion.tipo_acta_de(casilla),
    )


def _datos(asentado: Asentado, casilla: Casilla, eleccion: Eleccion) -> tuple[str, ...]:
    votos = asentado.votos
    return (
        _complementario(asentado.boletas_sobrantes, casilla),
        _complementario(asentado.personas_votaron, casilla),
        _complementario(asentado.representantes_votaron, casilla),
        _complementario(asentado.votos_sacados, casilla),
        *(a_texto(votos[o.clave]) if o.clave in votos else NO_EXISTE for o in eleccion.opciones),
        a_texto(asentado.total_asentado),
        str(total_calculado(asentado)),
    )


def _complementario(campo: Campo, casilla: Casilla) -> str:
    """El acta de mesa M, A o P no trae estos apartados.

    Si alguno sí viniera, se publica (LEEME IECM 2024).
    """
    return NO_APLICA if casilla.tipo in MESAS and isinstance(campo, SinDato) else a_texto(campo)


def _estatus(acta: Acta, proceso: Proceso) -> tuple[str, str]:
    clasificacion = clasificar(acta, proceso)
    if clasificacion is None:
        return "", ""
    return observaciones(clasificacion, proceso.vocabulario), str(clasificacion.contabilizada)


def _procedencia(p: Procedencia, huso: str) -> tuple[str, ...]:
    return (
        p.mecanismo_traslado,
        p.imagen,
        *(
            "" if instante is None else fechas.hora(instante, huso)
            for instante in (p.acopio, p.captura, p.verificacion)
        ),
        p.origen.value if p.origen else "",
        p.digitalizacion.value if p.digitalizacion else "",
        p.tipo_documento,
    )


def _division(numero: int | None) -> str:
    return NO_APLICA if numero is None else f"{numero:03d}"


def _anio(proceso: Proceso) -> int:
    return proceso.inicio_operacion.year


def _csv(renglones: Iterable[tuple[str, ...]]) -> str:
    salida = io.StringIO(newline="")
    csv.writer(salida, lineterminator="\n").writerows(_sin_saltos(renglones))
    return salida.getvalue()


def _sin_saltos(renglones: Iterable[tuple[str, ...]]) -> Iterator[tuple[str, ...]]:
    for renglon in renglones:
        if _SALTOS.search("".join(renglon)):
            celda = next(c for c in renglon if _SALTOS.search(c))
            raise ValueError(f"{celda[:40]!r} tiene un salto de línea y no cabe en una celda")
        yield renglon


def _zip(archivos: Iterable[tuple[str, bytes]], local: datetime) -> bytes:
    salida = io.BytesIO()
    with zipfile.ZipFile(salida, "w") as paquete:
        for nombre, contenido in archivos:
            ficha = zipfile.ZipInfo(
                nombre, (local.year, local.month, local.day, local.hour, local.minute, local.second)
            )
            ficha.create_system = 3  # fijo: por omisión depende del sistema operativo
            ficha.external_attr = 0o644 << 16
            paquete.writestr(ficha, contenido)
    return salida.getvalue()
