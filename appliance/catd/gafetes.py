"""`./prep catd gafetes`: da gafete y NIP a la gente de un CATD, o revisa que su lista esté bien hecha."""

from __future__ import annotations

import re
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

from appliance.catd.suborden import BIEN, NO_COINCIDE, Suborden
from appliance.consola import anunciar, decir
from appliance.credenciales import Tanda, a_toml, preparar
from appliance.dispositivos import durable
from appliance.documentos.gafetes import pdf_de_gafetes, pdf_de_nips
from appliance.falla import Falla
from appliance.lista_en_csv import leer_csv
from appliance.personas import ARCHIVO, ListaDePersonas, ListaInvalida, Persona, clave_valida, leer_lista
from nucleo.concordancia import concordar
from nucleo.modos import MODOS, OFICIAL

_TANDA: Final = re.compile(r"(?:gafetes|nips)-([0-9]{2,4})\.pdf")
_SOLO_DUENO: Final = 0o600


def correr(opciones: Namespace) -> int:
    """Hace la tanda en `--salida`, o revisa la lista de `--revisar`. Raises: Falla."""
    if not clave_valida(opciones.catd):
        raise _falla(
            f"«{opciones.catd[:40]}» no es la clave de un CATD", "se tecleó mal", "use la de su identidad.toml"
        )
    if opciones.revisar is not None:
        lista = _leer(opciones.revisar, opciones.catd)
        anunciar(f"{opciones.revisar}: bien; {_cuantas(lista.personas)} de {opciones.catd}")
        return BIEN
    if opciones.salida is None:
        raise _falla(
            "Falta decir dónde se dejan los gafetes", "la orden va sin --salida", "agregue --salida y su carpeta"
        )
    inscritas = leer_csv(opciones.lista)
    destino = opciones.salida / ARCHIVO
    previa = _leer(destino, opciones.catd) if destino.exists() else None
    tanda = preparar(previa, inscritas, opciones.catd, renovar=opciones.renovar, bajas=opciones.baja)
    if tanda.lista == previa:
        anunciar(f"Nada que cambiar: {_cuantas(tanda.lista.personas)} ya con gafete en {destino}")
        return BIEN
    if rechazo := _escribir(tanda, opciones.salida, opciones.modo):
        decir(f"catd gafetes: {rechazo}")
        return NO_COINCIDE
    _contar(tanda, destino)
    return BIEN


def _escribir(tanda: Tanda, salida: Path, modo: str) -> object | None:
    try:
        _carpeta_privada(salida)
        numero = 1 + max((int(m[1]) for ruta in salida.iterdir() if (m := _TANDA.fullmatch(ruta.name))), default=0)
    except OSError as error:
        return durable.no_se_escribio(salida, error)
    ahora = datetime.now().astimezone()
    hojas: dict[Path, bytes] = {}
    if tanda.nuevas:
        hojas[salida / f"gafetes-{numero:02d}.pdf"] = pdf_de_gafetes(tanda.nuevas, tanda.lista.catd, modo, ahora)
        hojas[salida / f"nips-{numero:02d}.pdf"] = pdf_de_nips(tanda.nuevas, tanda.lista.catd, ahora)
    # La lista va al final: si algo falla antes, repetir la orden hace otros gafetes y nadie queda con uno sin imprimir.
    contenidos = hojas | {salida / ARCHIVO: a_toml(tanda.lista).encode("utf-8")}
    for ruta, contenido in contenidos.items():
        if rechazo := durable.escribir(ruta, contenido, _SOLO_DUENO):
            # Un gafete que no está en la lista no debe imprimirse ni repartirse.
            for hoja in hojas:
                hoja.unlink(missing_ok=True)
            return rechazo
    for hoja in hojas:
        anunciar(f"Escrito {hoja}")
    return None


def _carpeta_privada(salida: Path) -> None:
    # `parents=True` daría a las de arriba los permisos de costumbre, y adentro van los NIP.
    for carpeta in (*reversed(salida.parents), salida):
        carpeta.mkdir(mode=0o700, exist_ok=True)


def _contar(tanda: Tanda, destino: Path) -> None:
    anunciar(f"Escrito {destino}: {_cuantas(tanda.lista.personas)}, {len(tanda.nuevas)} con gafete nuevo")
    for persona in tanda.cambiadas:
        anunciar(f"! {persona.clave}: cambió su nombre o sus papeles; su gafete impreso dice lo de antes")
    for persona in tanda.fuera_del_csv:
        anunciar(f"! {persona.clave}: ya no está en el CSV y sigue inscrita; para quitarla use --baja {persona.clave}")
    for persona in tanda.bajas:
        anunciar(f"Baja: {persona.clave}; su gafete deja de servir cuando la lista llegue a los kioscos")
    if tanda.nuevas:
        anunciar("Imprima las dos hojas, meta cada NIP en su sobre y borre los PDF: no se pueden volver a hacer")


def _leer(ruta: Path, catd: str) -> ListaDePersonas:
    try:
        return leer_lista(ruta, catd)
    except (OSError, ListaInvalida) as error:
        porque = error.strerror if isinstance(error, OSError) else str(error)
        raise _falla(
            f"La lista {ruta} no sirve: {porque}",
            "la ruta es otra, se editó a mano o es de otro CATD",
            "vuelva a hacerla con `./prep catd gafetes`; ésta no se tocó",
        ) from error


def _cuantas(personas: Sequence[Persona]) -> str:
    return concordar(len(personas), "persona", "personas")


def _falla(que: str, causa: str, siguiente: str) -> Falla:
    return Falla("PERSONAS", que, causa, siguiente)


def _preparar(argumentos: ArgumentParser) -> None:
    argumentos.add_argument("--catd", required=True, metavar="CLAVE", help="de qué CATD son")
    que = argumentos.add_mutually_exclusive_group(required=True)
    que.add_argument("--lista", type=Path, metavar="CSV", help="clave,nombre,papeles; una persona por renglón")
    que.add_argument("--revisar", type=Path, metavar="TOML", help="sólo comprueba una lista ya hecha")
    argumentos.add_argument("--salida", type=Path, metavar="DIR", help="donde quedan la lista y las hojas")
    argumentos.add_argument("--modo", choices=MODOS, default=OFICIAL, help="el que dice el gafete (%(default)s)")
    for opcion, ayuda in (("--renovar", "hacerle otro gafete y otro NIP"), ("--baja", "quitarla de la lista")):
        argumentos.add_argument(opcion, action="append", default=[], metavar="CLAVE", help=f"{ayuda}; se puede repetir")


SUBORDEN = Suborden("gafetes", "da gafete y NIP a la gente de un CATD, o revisa su lista", _preparar, correr)
