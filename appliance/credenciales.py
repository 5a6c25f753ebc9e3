"""Dar gafete y NIP a la gente de un CATD sin cambiar los de quien ya los tiene.

El azar y el NIP sólo existen mientras se imprimen: en `personas.toml` quedan sus resúmenes y no hay cómo recuperarlos.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass, replace

from appliance import gafete, nip
from appliance.falla import Falla
from appliance.lista_en_csv import Inscrita
from appliance.personas import INACTIVIDAD, ListaDePersonas, Papel, Persona, lista_de_toml


@dataclass(frozen=True, slots=True)
class Credencial:
    """Lo que se imprime para una persona y no se guarda en ninguna parte."""

    persona: Persona
    gafete: gafete.Gafete
    nip: str


@dataclass(frozen=True, slots=True)
class Tanda:
    """La lista que queda y lo que hay que imprimir. `cambiadas` conservan su gafete, que dice lo de antes."""

    lista: ListaDePersonas
    nuevas: tuple[Credencial, ...]
    cambiadas: tuple[Persona, ...] = ()
    fuera_del_csv: tuple[Persona, ...] = ()
    """Siguen inscritas aunque el CSV ya no las nombre."""
    bajas: tuple[Persona, ...] = ()


def preparar(
    previa: ListaDePersonas | None,
    inscritas: Collection[Inscrita],
    catd: str,
    *,
    renovar: Collection[str] = (),
    bajas: Collection[str] = (),
) -> Tanda:
    """La tanda que resulta de la lista previa (si la hay) y del CSV.

    Args:
        renovar: claves a las que se les hace otro gafete y otro NIP; los de antes dejan de servir.
        bajas: claves que salen de la lista; ya no deben estar en el CSV.

    Raises:
        Falla: PERSONAS, si se pide renovar o dar de baja a quien no corresponde.
    """
    antes = {p.clave: p for p in previa.personas} if previa else {}
    pedidas = {i.clave for i in inscritas}
    if ajenas := sorted(set(renovar) - pedidas):
        raise _falla(f"No se puede renovar a {ajenas[0][:40]}", "no está en el CSV", "escriba su clave tal cual")
    if ajenas := sorted(set(bajas) - set(antes)):
        raise _falla(f"No se puede dar de baja a {ajenas[0][:40]}", "no está inscrita", "escriba su clave tal cual")
    if siguen := sorted(set(bajas) & pedidas):
        raise _falla(f"No se dio de baja a {siguen[0]}", "sigue en el CSV", "quite su renglón y repita")
    personas: list[Persona] = []
    nuevas: list[Credencial] = []
    cambiadas: list[Persona] = []
    nips: set[str] = set()
    for inscrita in inscritas:
        previo = antes.get(inscrita.clave)
        if previo is None or inscrita.clave in renovar:
            credencial = _acreditar(inscrita, nips)
            nuevas.append(credencial)
            personas.append(credencial.persona)
            continue
        persona = replace(previo, nombre=inscrita.nombre, papeles=inscrita.papeles)
        personas.append(persona)
        if persona != previo:
            cambiadas.append(persona)
    fuera = [p for p in antes.values() if p.clave not in pedidas and p.clave not in bajas]
    lista = ListaDePersonas((*personas, *fuera), previa.inactividad if previa else INACTIVIDAD, catd)
    return Tanda(lista, tuple(nuevas), tuple(cambiadas), tuple(fuera), tuple(antes[c] for c in sorted(bajas)))


def a_toml(lista: ListaDePersonas) -> str:
    """El texto de `personas.toml`, que se vuelve a leer igual."""
    renglones = [
        "# La escribe `./prep catd gafetes`. Trae resúmenes, y aun así es secreta: con tiempo y otra máquina, de un",
        "# resumen se adivina un NIP de seis números. El gafete no se puede sacar de aquí.",
        f"catd = {_texto(lista.catd)}",
        f"inactividad_minutos = {int(lista.inactividad.total_seconds() // 60)}",
    ]
    for p in lista.personas:
        papeles = ", ".join(_texto(papel.value) for papel in Papel if papel in p.papeles)
        renglones += ["", "[[personas]]", f"clave = {_texto(p.clave)}", f"nombre = {_texto(p.nombre)}"]
        renglones += [f"papeles = [{papeles}]", f"nip = {_texto(p.nip)}", f"gafete = {_texto(p.gafete)}"]
    texto = "\n".join(renglones) + "\n"
    if lista_de_toml(texto, lista.catd) != lista:
        raise AssertionError("la lista no se vuelve a leer igual")
    return texto


def _acreditar(inscrita: Inscrita, nips: set[str]) -> Credencial:
    # Dos NIP iguales en el mismo CATD delatarían a uno con el sobre del otro.
    while (numero := nip.nuevo()) in nips:
        pass
    nips.add(numero)
    suyo = gafete.Gafete(inscrita.clave, gafete.nuevo_azar())
    resumenes = nip.resumir(numero), gafete.resumir(suyo.azar)
    return Credencial(Persona(inscrita.clave, inscrita.nombre, inscrita.papeles, *resumenes), suyo, numero)


def _texto(valor: str) -> str:
    # Una cadena básica de TOML se escapa igual que una de JSON.
    return json.dumps(valor, ensure_ascii=False)


def _falla(que: str, causa: str, siguiente: str) -> Falla:
    return Falla("PERSONAS", que, causa, siguiente)
