"""Lo que operación necesita saber, lo malo primero: un retrato de sólo lectura del centro."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from nucleo.eleccion import Proceso
from nucleo.padron import Padron
from servicio_central import almacenes, exclusiones
from servicio_central.cadena import Cadena, Eslabon
from servicio_central.corte import actas_en_duda, es_futuro, nombre_de, ultimo_publicado
from servicio_central.enlace import Estado
from servicio_central.puerto_almacen import Lector

SILENCIO: Final = timedelta(seconds=45)
"""Tres latidos perdidos: uno solo puede ser un corte breve."""

TARDANZA: Final = timedelta(seconds=10)
"""Una hoja anunciada llega en menos de un segundo; pasados diez, algo la detiene."""

_DUDAS_A_LA_VISTA: Final = 6

DISCO_BAJO: Final = 500_000_000
"""Bytes libres en un kiosco: unas 1 500 imágenes de acta."""


@dataclass(frozen=True, slots=True)
class Renglon:
    """Un kiosco. `latido` es cuánto hace del último; `None` si nunca habló."""

    equipo: str
    catd: str
    latido: timedelta | None
    caido: bool
    pendientes: int
    anunciada: int
    contiguo: int
    guardados: int
    reloj: str
    disco_libre: int | None
    version: str
    problemas: tuple[str, ...]


@dataclass(frozen=True)
class Tablero:
    """El retrato completo en un instante."""

    hora: datetime
    problemas: tuple[str, ...]
    renglones: tuple[Renglon, ...]
    hechos: int
    bifurcaciones: int
    cuarentena: Mapping[str, int]
    """Código → distintos."""
    en_espera: Mapping[str, int]
    padron: int
    ultimo_corte: str | None
    enlazado: bool


def retratar(carpeta: Path, proceso: Proceso, padron: Padron, enlace: Estado, ahora: datetime) -> Tablero:
    """Lee el almacén en una transacción y lo cruza con el padrón.

    Raises:
        uno de `puerto_almacen.ERRORES`: si el almacén no se puede leer.
    """
    with closing(almacenes.leer(carpeta)) as bd:
        bd.execute("BEGIN")
        (hechos,) = bd.execute("SELECT count(*) FROM hechos").fetchone()
        bifurcaciones = dict(bd.execute("SELECT equipo, count(*) FROM bifurcaciones GROUP BY equipo"))
        cuarentena = dict(bd.execute("SELECT codigo, count(*) FROM cuarentena GROUP BY codigo ORDER BY codigo"))
        apartados = dict(bd.execute("SELECT equipo, count(*) FROM cuarentena WHERE equipo IS NOT NULL GROUP BY equipo"))
        en_espera = dict(bd.execute("SELECT codigo, count(*) FROM en_espera GROUP BY codigo ORDER BY codigo"))
        desbordes = bd.execute("SELECT clave, veces FROM desbordes ORDER BY clave").fetchall()
        latidos = _latidos(bd)
        cadenas = _cadenas(bd)
    excluidos = exclusiones.contar(carpeta, padron)
    renglones = []
    for equipo in sorted(padron.equipos.values(), key=lambda e: e.nombre):
        propias = {p: n for (e, p), n in cadenas.items() if e == equipo.nombre}
        latido = latidos.get(equipo.nombre)
        epoca = latido["epoca"] if latido else next(iter(propias), "")
        cadena, guardados = propias.get(epoca, (Cadena(), 0))
        hace = None if latido is None else max(timedelta(), ahora - datetime.fromisoformat(latido["recibido"]))
        renglones.append(
            Renglon(
                equipo.nombre,
                equipo.catd,
                hace,
                latido is not None and latido["motivo"] == "muerte",
                latido["pendientes"] if latido else 0,
                latido["secuencia"] if latido else 0,
                cadena.contiguo,
                guardados,
                latido["reloj"] if latido else "",
                latido["disco_libre"] if latido else None,
                latido["version"] if latido else "",
                tuple(
                    _problemas(
                        latido,
                        hace,
                        cadena,
                        guardados,
                        bifurcaciones.get(equipo.nombre, 0),
                        apartados.get(equipo.nombre, 0),
                        equipo.vigente,
                    )
                ),
            )
        )
    publicado = ultimo_publicado(carpeta)
    return Tablero(
        ahora,
        (
            *(f"EXCLUIDO por la autoridad: {x}. Siguen guardados." for x in excluidos),
            *_generales(enlace, en_espera, desbordes, proceso, publicado, ahora),
            *_en_duda(actas_en_duda(carpeta, publicado) if publicado else ()),
        ),
        # El orden no es alfabético: quien vigila muchos equipos mira sólo el principio.
        tuple(sorted(renglones, key=lambda r: (not r.problemas, r.equipo))),
        hechos,
        sum(bifurcaciones.values()),
        cuarentena,
        en_espera,
        padron.version,
        publicado,
        enlace.conectado and not enlace.detenido,
    )


def _en_duda(actas: Sequence[str]) -> list[str]:
    if not actas:
        return []
    cuales = ", ".join(actas[:_DUDAS_A_LA_VISTA]) + ("…" if len(actas) > _DUDAS_A_LA_VISTA else "")
    return [
        f"Actas que no se publican porque sus lecturas no concuerdan: {len(actas)} ({cuales}). Si en unos minutos "
        "siguen así, pida a su CATD que las corrija o las revise."
    ]


def _generales(
    enlace: Estado,
    en_espera: Mapping[str, int],
    desbordes: list[tuple[str, int]],
    proceso: Proceso,
    publicado: str | None,
    ahora: datetime,
) -> list[str]:
    problemas = []
    if enlace.detenido:
        problemas.append(f"LA INGESTA SE DETUVO: nadie recibe hojas ({enlace.causa}). El centro se reinicia solo.")
    elif not enlace.conectado:
        problemas.append(
            f"El centro no tiene enlace con el bróker ({enlace.causa}). Revise que el bróker esté corriendo; los "
            "kioscos guardan todo mientras tanto."
        )
    if fuera := en_espera.get("FUERA_DE_AMBITO", 0):
        problemas.append(
            f"{fuera} hojas son de casillas que el padrón no le da a quien las mandó: no se cuentan. Si el CATD sí "
            "recibió esos paquetes, pida a la autoridad un padrón que se las dé."
        )
    sin_lugar = sum(n for codigo, n in en_espera.items() if codigo not in ("FUERA_DE_AMBITO", "EXCLUIDO"))
    if sin_lugar:
        problemas.append(
            f"{sin_lugar} hojas hablan de casillas o elecciones que la definición no tiene. Revise que "
            "la definición del centro sea la misma que la de los kioscos."
        )
    for clave, veces in desbordes:
        problemas.append(f"{clave}: se llegó al tope y {veces} más sólo se contaron. Alguien manda basura sin parar.")
    if publicado is not None and es_futuro(proceso, publicado, ahora):
        problemas.append(
            f"Se publica el corte {publicado}, cuya hora aún no llega. Revise el reloj de esta máquina y corra "
            "`python -m servicio_central.corte`: lo sustituye."
        )
    limite = ahora - timedelta(minutes=proceso.minutos_entre_cortes, seconds=120)
    if proceso.inicio_publicacion <= limite and ahora <= proceso.cierre + timedelta(minutes=2):
        atrasado = publicado is None or publicado < nombre_de(proceso, limite)
        if atrasado:
            problemas.append(
                "El último corte tiene más tiempo del permitido. Corra `python -m servicio_central.corte`."
            )
    return problemas


def _problemas(
    latido: Mapping[str, Any] | None,
    hace: timedelta | None,
    cadena: Cadena,
    guardados: int,
    bifurcadas: int,
    apartados: int,
    vigente: bool,
) -> list[str]:
    problemas = []
    if bifurcadas:
        problemas.append(f"BIFURCADO: {bifurcadas} hojas con secuencia repetida; posible copia de su llave o su disco")
    if cadena.rota:
        problemas.append(f"Cadena rota en la hoja {cadena.contiguo + 1}: no encadena con la anterior")
    if latido is not None and latido["retroceso"]:
        problemas.append("Dice tener menos hojas que las recibidas: se restauró de una copia o hay dos equipos")
    if apartados:
        problemas.append(f"{apartados} mensajes en cuarentena")
    if not vigente:
        return [*problemas, "Dado de baja"] if problemas else []
    if latido is None or hace is None:
        return [*problemas, "Nunca ha hablado: no se ha encendido o no tiene red"]
    if latido["motivo"] == "muerte":
        problemas.append("Se cortó su conexión: sin luz o sin red en el CATD")
    elif hace > SILENCIO:
        problemas.append("No da señales: sin luz o sin red en el CATD")
    elif hace > TARDANZA and latido["secuencia"] > guardados:
        problemas.append(f"Faltan {latido['secuencia'] - guardados} hojas que dijo tener")
    if 0 <= latido["disco_libre"] < DISCO_BAJO:
        problemas.append("Le queda poco disco")
    return problemas


def _latidos(bd: Lector) -> dict[str, dict[str, Any]]:
    filas = bd.execute("SELECT * FROM latidos")
    columnas = [c[0] for c in filas.description or ()]
    return {latido["equipo"]: latido for latido in (dict(zip(columnas, fila, strict=True)) for fila in filas)}


def _cadenas(bd: Lector) -> dict[tuple[str, str], tuple[Cadena, int]]:
    """(equipo, época) → (cadena, hojas guardadas). Sólo se necesita saber si el siguiente ya está: entonces está
    rota."""
    filas = bd.execute(
        "SELECT c.equipo, c.epoca, c.contiguo, c.huella,"
        " (SELECT count(*) FROM hechos h WHERE h.equipo = c.equipo AND h.epoca = c.epoca),"
        " (SELECT h.huella || h.previo FROM hechos h"
        "   WHERE h.equipo = c.equipo AND h.epoca = c.epoca AND h.secuencia = c.contiguo + 1)"
        " FROM cadenas c"
    )
    cadenas = {}
    for equipo, epoca, contiguo, huella, guardados, choque in filas:
        cadena = Cadena(contiguo, huella)
        if choque is not None:
            cadena.agregar(contiguo + 1, Eslabon(choque[:64], choque[64:]))
        cadenas[equipo, epoca] = (cadena, guardados)
    return cadenas
