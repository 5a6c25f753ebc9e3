"""De votos por renglón del acta a votos por partido y por candidatura.

El reparto se hace por ámbito (distrito o municipio) y no por acta: cada combinación se suma, se divide en
partes iguales entre sus partidos y el sobrante va de uno en uno a los de más votos directos (LGIPE 311.1.c;
reproduce 150 de 150 valores por distrito de Quintana Roo 2019). En candidatura común de emblema único manda
el porcentaje del convenio.
"""

from __future__ import annotations

from collections.abc import Mapping

from nucleo.eleccion import CandidaturaComun, Eleccion, Opcion, TipoOpcion


class VotosAjenos(ValueError):
    """Hay votos de una opción que la elección no conoce o que ningún convenio reparte."""


def repartir(votos_por_opcion: Mapping[str, int], eleccion: Eleccion, ambito: int | None) -> dict[str, int]:
    """Votos por partido de un ámbito; independientes, no registradas y nulos conservan su clave.

    La suma de lo repartido es igual a la suma de lo recibido. En un empate de votos directos el sobrante va
    primero al partido que aparece antes en el acta: la ley no resuelve el empate y el orden del acta es
    público y fijo.

    Args:
        votos_por_opcion: clave de opción → votos contabilizados de ese ámbito.
        ambito: distrito o municipio; `None` para las mesas sin división.

    Raises:
        VotosAjenos: si una clave no es de la elección o una candidatura común no tiene convenio en el ámbito.
    """
    propios = {o.clave: votos_por_opcion.get(o.clave, 0) for o in eleccion.opciones if not _compartida(o)}
    orden = {clave: lugar for lugar, clave in enumerate(propios)}
    repartidos = {clave: propios[clave] for clave in propios if clave in votos_por_opcion}
    for renglon in eleccion.opciones:
        if _compartida(renglon) and renglon.clave in votos_por_opcion:
            repartidos |= {p: repartidos.get(p, 0) for p in renglon.partidos}
    for clave, votos in votos_por_opcion.items():
        opcion = eleccion.por_clave.get(clave)
        if opcion is None:
            raise VotosAjenos(f"{clave!r} no es un renglón de la elección {eleccion.clave}")
        if not _compartida(opcion) or not votos:
            continue
        if opcion.tipo is TipoOpcion.COMUN:
            partes = _por_convenio(votos, _convenio(opcion, eleccion, ambito))
        else:
            fuertes_primero = sorted(opcion.partidos, key=lambda p: (-propios.get(p, 0), orden.get(p, len(orden))))
            partes = _por_igual(votos, fuertes_primero)
        for partido, parte in partes.items():
            repartidos[partido] = repartidos.get(partido, 0) + parte
    return repartidos


def repartir_divisiones(
    votos_por_division: Mapping[int | None, Mapping[str, int]], eleccion: Eleccion
) -> dict[str, int]:
    """Votos por partido de toda la elección.

    La suma de lo repartido en cada división, nunca el reparto de la suma.
    """
    total: dict[str, int] = {}
    for ambito, votos in votos_por_division.items():
        for partido, cuantos in repartir(votos, eleccion, ambito).items():
            total[partido] = total.get(partido, 0) + cuantos
    return total


def por_candidatura(votos_por_opcion: Mapping[str, int], eleccion: Eleccion, ambito: int | None) -> dict[str, int]:
    """Votos por candidatura de un ámbito, en el orden del acta.

    La coalición reúne a sus partidos y combinaciones.

    Las claves son el nombre de la coalición, la clave de la candidatura común o la de la opción que va sola.
    Donde la coalición no existe, sus partidos compiten por separado.

    Raises:
        VotosAjenos: si una clave no es de la elección.
    """
    candidatura = _candidatura_de_cada_renglon(eleccion, ambito)
    suma: dict[str, int] = {}
    for clave in eleccion.por_clave:
        if clave in votos_por_opcion:
            nombre = candidatura.get(clave, clave)
            suma[nombre] = suma.get(nombre, 0) + votos_por_opcion[clave]
    if ajenas := set(votos_por_opcion) - set(eleccion.por_clave):
        raise VotosAjenos(f"{sorted(ajenas)[0]!r} no es un renglón de la elección {eleccion.clave}")
    return suma


def _candidatura_de_cada_renglon(eleccion: Eleccion, ambito: int | None) -> dict[str, str]:
    candidatura: dict[str, str] = {}
    for coalicion in eleccion.coaliciones:
        if _rige(coalicion.ambitos, ambito):
            candidatura.update(dict.fromkeys((*coalicion.partidos, *coalicion.combinaciones), coalicion.nombre))
    for comun in eleccion.comunes:
        if _rige(comun.ambitos, ambito):
            candidatura.update(dict.fromkeys((*comun.partidos, comun.clave), comun.clave))
    return candidatura


def _compartida(opcion: Opcion) -> bool:
    return opcion.tipo in (TipoOpcion.COMBINACION, TipoOpcion.COMUN)


def _rige(ambitos: frozenset[int] | None, ambito: int | None) -> bool:
    return ambitos is None or ambito in ambitos


def _por_igual(votos: int, partidos: list[str]) -> dict[str, int]:
    parte, sobrante = divmod(votos, len(partidos))
    return {partido: parte + (lugar < sobrante) for lugar, partido in enumerate(partidos)}


def _convenio(opcion: Opcion, eleccion: Eleccion, ambito: int | None) -> CandidaturaComun:
    for comun in eleccion.comunes:
        if comun.clave == opcion.clave and _rige(comun.ambitos, ambito):
            return comun
    raise VotosAjenos(f"la candidatura común {opcion.clave!r} no tiene convenio en el ámbito {ambito}")


def _por_convenio(votos: int, comun: CandidaturaComun) -> dict[str, int]:
    partes = {p: votos * comun.diezmilesimas.get(p, 0) // 10_000 for p in comun.partidos}
    partes[comun.remanente] = partes.get(comun.remanente, 0) + votos - sum(partes.values())
    return partes
