"""Los sucesos de un acta a la hora en que pasaron, sin decir qué leyó nadie ni quién fue."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Final

from nucleo.acta import Acta, ActaVerificada, Digitalizacion, Origen, ResultadoCotejo
from nucleo.hechos import (
    Acopio,
    Captura,
    Correccion,
    Cotejo,
    Empaque,
    HechoDeActa,
    Imagen,
    Recaptura,
    Revision,
    SinActa,
    tipo_de,
)
from nucleo.inconsistencias import CATALOGO, POR_MOTIVO
from nucleo.publicacion.fichas import Corte, Suceso
from nucleo.publicacion.reserva import Vista

QUE: Final[Mapping[str, str]] = {
    "acopio": "Se recibió el documento.",
    "imagen": "Se digitalizó.",
    "captura": "Una persona transcribió el acta completa.",
    "correccion": "Una tercera persona transcribió sólo lo que difería.",
    "revision": "Dos personas juntas decidieron lo que seguía sin acuerdo.",
    "recaptura": "Se pidió volver a capturarla desde la imagen.",
    "sin_acta": "Se declaró que no hay acta.",
    "verificada": "Hubo acuerdo entre personas distintas en todos los renglones.",
    "cotejo": "Se comparó contra el acta física.",
    "empaque": "El acta física se guardó en una caja, o salió de ella.",
    "publicada": "Apareció por primera vez en un corte tal como está.",
}
"""Cada `Suceso.que`, en el orden en que se dicen si pasaron a la misma hora."""

_COTEJOS: Final = {
    ResultadoCotejo.ACEPTADA: "coincide con el acta física",
    ResultadoCotejo.ACEPTADA_TRAS_CORREGIR: "coincide con el acta física después de corregirse",
    ResultadoCotejo.NO_ACEPTADA: "no coincidió: se vuelve a capturar o a digitalizar",
}

_LUGAR: Final = {que: lugar for lugar, que in enumerate(QUE)}


def cronologia_de(acta: Acta, vista: Vista) -> tuple[Suceso, ...]:
    """Lo que se ve de un acta, por hora. Una lectura reservada no aparece: su hora se publica junto con ella."""
    por_vuelta: Counter[int] = Counter()
    sucesos: list[Suceso] = []
    registrados = sorted(vista.abiertos, key=lambda a: (a.hecho.hora, a.huella))
    for registrado in registrados:
        hecho = registrado.hecho
        if isinstance(hecho, Captura):
            por_vuelta[hecho.vuelta] += 1
        if isinstance(hecho, HechoDeActa):
            numero = por_vuelta[hecho.vuelta] if isinstance(hecho, Captura) else 0
            sucesos.append(Suceso(hecho.hora, tipo_de(hecho), _detalle(hecho, numero), registrado.huella))
    if isinstance(acta, ActaVerificada) and acta.procedencia.verificacion is not None:
        sucesos.append(Suceso(acta.procedencia.verificacion, "verificada"))
    return en_orden(sucesos)


def con_publicada(sucesos: tuple[Suceso, ...], corte: Corte) -> tuple[Suceso, ...]:
    """Agrega el corte en que el acta apareció."""
    return en_orden([*sucesos, Suceso(corte.hora, "publicada", f"corte {corte.nombre}")])


def en_orden(sucesos: list[Suceso]) -> tuple[Suceso, ...]:
    return tuple(sorted(sucesos, key=lambda s: (s.hora, _LUGAR[s.que], s.huella)))


def _detalle(hecho: HechoDeActa, numero: int) -> str:
    match hecho:
        case Acopio(origen=origen):
            return "en la casilla" if origen is Origen.CASILLA else "en el centro de acopio"
        case Imagen(digitalizacion=digitalizacion):
            return "con teléfono" if digitalizacion is Digitalizacion.MOVIL else "con escáner"
        case Captura(vuelta=vuelta):
            return f"lectura {numero}" + (f" de la vuelta {vuelta}" if vuelta > 1 else "")
        case Correccion(campos=campos) | Revision(campos=campos):
            return "1 renglón" if len(campos) == 1 else f"{len(campos)} renglones"
        case Recaptura(vuelta=vuelta):
            # El motivo lo escribe una persona y podría citar lo que leyó.
            return f"comienza la vuelta {vuelta}"
        case SinActa(motivo=motivo):
            return CATALOGO[POR_MOTIVO[motivo]].publico
        case Cotejo(resultado=resultado):
            return _COTEJOS[resultado]
        case Empaque(caja=caja):
            return "salió de su caja" if caja == "FUERA" else f"caja {caja}"
