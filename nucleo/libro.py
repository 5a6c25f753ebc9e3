"""Del libro de hechos a las actas: una función pura del *conjunto* de hechos aceptados.

Ni el orden de llegada, ni las repeticiones, ni por qué camino llegó cada hecho cambian el resultado; así dos personas
que tengan las mismas hojas publican los mismos bytes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from nucleo.acta import (
    Acta,
    ActaFueraDeCatalogo,
    ActaPendiente,
    ActaSinActa,
    ActaVerificada,
    Procedencia,
)
from nucleo.captura import Discrepante, EnRevision, SinActaDeclarada, Verificada, estado_de, ultima_verificada
from nucleo.casilla import Casilla
from nucleo.eleccion import Proceso
from nucleo.hechos import Acopio, FueraDeCatalogo, Hecho, HechoDeActa, HojaDeBitacora, IdActa, Imagen


def actas_de(proceso: Proceso, eleccion: str, hechos: Iterable[Hecho]) -> tuple[Acta, ...]:
    """Todas las actas esperadas de la elección, en orden de catálogo, y al final las que están fuera de catálogo.

    Los hechos de otras elecciones se ignoran. Un hecho de una casilla que no está en el catálogo no produce renglón: la
    ingesta no lo acepta, y aquí nunca se inventa una casilla.
    """
    por_acta: dict[str, list[HechoDeActa]] = defaultdict(list)
    fuera: dict[str, FueraDeCatalogo] = {}
    for hecho in hechos:
        if isinstance(hecho, FueraDeCatalogo):
            if hecho.eleccion == eleccion:
                fuera[hecho.folio] = min(hecho, fuera.get(hecho.folio, hecho), key=repr)
        elif isinstance(hecho, HojaDeBitacora):
            continue
        elif hecho.acta.eleccion == eleccion:
            por_acta[hecho.acta.casilla].append(hecho)
    esperadas = tuple(acta_de(c, por_acta.get(c.clave, ())) for c in proceso.esperadas(eleccion))
    documentos = sorted(fuera.values(), key=lambda h: (h.hora, h.folio))
    return esperadas + tuple(_fuera_de_catalogo(h) for h in documentos)


def acta_de(casilla: Casilla, hechos: Iterable[HechoDeActa]) -> Acta:
    """El acta de una casilla según sus hechos."""
    todos = list(hechos)
    if not todos:
        return ActaPendiente(casilla)
    verificada = ultima_verificada(todos)
    if verificada is not None:
        return acta_verificada(casilla, todos, verificada)
    estado = estado_de(todos)
    if isinstance(estado, SinActaDeclarada):
        return ActaSinActa(casilla, estado.motivo)
    return ActaPendiente(casilla)


def acta_verificada(casilla: Casilla, hechos: Iterable[HechoDeActa], verificada: Verificada) -> ActaVerificada:
    """La de unos hechos que ya se juzgaron: `verificada` es su `ultima_verificada`."""
    return ActaVerificada(casilla, verificada.asentado, _procedencia(list(hechos), verificada))


def en_duda(eleccion: str, hechos: Iterable[Hecho]) -> tuple[str, ...]:
    """CLAVE_CASILLA de las actas con lecturas que no concuerdan y que por eso no se publican, en orden.

    Una que ya se había publicado también puede quedar en duda, si llega una lectura que la contradice: operación debe
    verla.
    """
    grupos = hechos_por_acta(hechos)
    dudosas = (a.casilla for a, h in grupos.items() if a.eleccion == eleccion and _duda(h))
    return tuple(sorted(dudosas))


def _duda(hechos: list[HechoDeActa]) -> bool:
    return isinstance(estado_de(hechos), Discrepante | EnRevision) and ultima_verificada(hechos) is None


def hechos_por_acta(hechos: Iterable[Hecho]) -> dict[IdActa, list[HechoDeActa]]:
    """Agrupa los hechos de acta por su identidad, sin juzgarlos."""
    grupos: dict[IdActa, list[HechoDeActa]] = defaultdict(list)
    for hecho in hechos:
        if not isinstance(hecho, FueraDeCatalogo | HojaDeBitacora):
            grupos[hecho.acta].append(hecho)
    return dict(grupos)


def _procedencia(hechos: list[HechoDeActa], verificada: Verificada) -> Procedencia:
    # Vale la primera recepción y la última imagen: una redigitalización sustituye a la anterior.
    acopio = min((h for h in hechos if isinstance(h, Acopio)), key=lambda h: (h.hora, repr(h)), default=None)
    imagen = max((h for h in hechos if isinstance(h, Imagen)), key=lambda h: (h.hora, repr(h)), default=None)
    return Procedencia(
        acopio=acopio.hora if acopio else None,
        captura=verificada.captura,
        verificacion=verificada.verificacion,
        origen=acopio.origen if acopio else None,
        digitalizacion=imagen.digitalizacion if imagen else None,
        tipo_documento=acopio.tipo_documento if acopio else "",
        mecanismo_traslado=acopio.mecanismo_traslado if acopio else "",
        imagen=imagen.sha256 if imagen else "",
    )


def _fuera_de_catalogo(hecho: FueraDeCatalogo) -> ActaFueraDeCatalogo:
    return ActaFueraDeCatalogo(
        hecho.folio,
        Procedencia(
            acopio=hecho.hora,
            captura=None,
            verificacion=None,
            origen=hecho.origen,
            digitalizacion=hecho.digitalizacion,
            tipo_documento=hecho.tipo_documento,
            mecanismo_traslado=hecho.mecanismo_traslado,
            imagen=hecho.sha256,
        ),
    )
