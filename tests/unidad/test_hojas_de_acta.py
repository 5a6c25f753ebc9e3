"""Lo que se publica para comprobar un acta en el navegador: sus bytes, y qué no puede hacer el guion que los lee."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import ECKey

from nucleo.hechos import IdActa
from nucleo.padron import AUTORIDAD, LlaveInscrita, Padron, abrir_padron
from nucleo.publicacion import hojas_de_acta
from nucleo.sobre import abrir, huella
from nucleo.transparencia import hojas
from nucleo.transparencia.hojas import ActaPublicada
from nucleo.transparencia.nota import LlaveDeRegistro
from nucleo.transparencia.prueba import comprobar_prueba, leer_prueba
from servicio_central.corte import hacer_cortes
from servicio_central.publicacion.hojas_de_acta import _padron
from servicio_central.publicacion.publicador import Publicador
from servicio_central.sitio.plantilla import estatico
from tests.acta_comprobable import (
    BASICA,
    CONTIGUA,
    ESPECIAL,
    HORA,
    PRIMERO,
    SEGUNDO,
    Publicado,
    archivos_de,
    publicar,
)
from tests.estrategias import firmante
from tests.sobres_de_prueba import PROCESO, EquipoDePrueba, captura

GUIONES = ("comprobar.js", "comprobaciones.js")


@pytest.fixture(scope="module")
def publicado(tmp_path_factory: pytest.TempPathFactory) -> Publicado:
    return publicar(tmp_path_factory.mktemp("comprobable") / "centro")


def leido(centro: Path, acta: IdActa, corte: str = SEGUNDO) -> dict[str, Any]:
    dato: dict[str, Any] = json.loads(gzip.decompress((centro / archivos_de(acta, corte)["hojas"]).read_bytes()))
    return dato


@pytest.mark.parametrize(
    ("acta", "corte", "hechos"),
    [
        (BASICA, PRIMERO, ["acopio", "imagen"]),
        (BASICA, SEGUNDO, ["acopio", "imagen", "captura", "captura"]),
        (CONTIGUA, PRIMERO, []),
        (CONTIGUA, SEGUNDO, ["captura", "acopio", "imagen", "captura", "correccion"]),
        (ESPECIAL, SEGUNDO, ["sin_acta"]),
    ],
    ids=["la captura aún reservada no va", "verificada", "sólo eslabones", "corregida", "sin acta"],
)
def test_cada_acta_va_con_su_hoja_sus_sobres_y_sus_llaves(
    publicado: Publicado, acta: IdActa, corte: str, hechos: list[str]
) -> None:
    centro, dato = publicado.centro, leido(publicado.centro, acta, corte)
    hoja = hojas.leer(dato["hoja"].encode())
    assert isinstance(hoja, ActaPublicada)
    assert (hoja.eleccion, hoja.casilla, hoja.corte) == (acta.eleccion, acta.casilla, corte)
    archivos = archivos_de(acta, corte)
    assert hoja.ficha == hashlib.sha256(gzip.decompress((centro / archivos["datos"]).read_bytes())).hexdigest()
    llave = LlaveDeRegistro.de_vkey((centro / archivos["llave"]).read_text("ascii").removesuffix("\n"))
    comprobar_prueba(leer_prueba((centro / archivos["prueba"]).read_bytes()), dato["hoja"].encode(), llave)
    assert tuple(s["huella"] for s in dato["sobres"]) == hoja.hojas
    abiertos = [abrir(s["sobre"], ECKey.import_key(dato["llaves"][s["llave"]])) for s in dato["sobres"]]
    assert [huella(s["sobre"]) for s in dato["sobres"]] == list(hoja.hojas)
    assert [a.contenido["hecho"] for a in abiertos] == hechos
    autoridad = ECKey.import_key((centro / "autoridad.pub.pem").read_bytes())
    padron = abrir_padron((centro / "padron.jws").read_text("ascii"), autoridad)
    assert dato["padron"] == {"version": padron.version, "huella": padron.huella}


def test_son_los_mismos_bytes_si_se_va_la_luz_antes_de_escribirlos(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    centro = publicar(tmp_path / "centro").centro
    suyas = sorted((centro / "registro" / "actas" / SEGUNDO).rglob("*.hojas.json.gz"))
    antes = [r.read_bytes() for r in suyas]
    registro = Publicador(centro)._abrir_registro(PROCESO, HORA)
    for ruta in suyas:
        ruta.unlink()
    Publicador(centro)._asentar(registro, SEGUNDO)
    assert [r.read_bytes() for r in suyas] == antes


def test_un_padron_publicado_que_se_dana_no_detiene_el_corte(tmp_path: Path) -> None:
    centro = publicar(tmp_path / "centro").centro
    for ruta in (centro / "documentos_publicos").iterdir():
        ruta.write_bytes(b"x")
    registro = Publicador(centro)._abrir_registro(PROCESO, HORA)
    _padron.cache_clear()  # se recuerda por su SHA-256 mientras vive el proceso; aquí se quiere el del disco
    Publicador(centro)._asentar(registro, SEGUNDO)
    dato = leido(centro, BASICA)
    assert (dato["padron"], dato["llaves"]) == (None, {})
    assert len(dato["sobres"]) == 4
    hacer_cortes(centro, PROCESO, HORA + timedelta(minutes=40))


# ----------------------------------------------------------------------------------------------------------- las llaves


def un_acta(*sobres: str) -> tuple[ActaPublicada, dict[str, str]]:
    por_huella = {huella(s): s for s in sobres}
    return ActaPublicada("GUB", BASICA.casilla, SEGUNDO, "ab" * 32, "", tuple(por_huella)), por_huella


def test_de_un_kiosco_que_cambio_de_llave_va_la_que_firmo() -> None:
    equipo = EquipoDePrueba("catd-01")
    con_la_vieja = equipo.firmar(captura(persona="ana"))
    vieja = equipo.inscrito().llave
    equipo.quien = firmante("catd-01")
    con_la_nueva = equipo.firmar(captura(persona="beto"))
    inscrito = replace(equipo.inscrito(), anteriores=(LlaveInscrita(vieja, {equipo.epoca: 1}),))
    padron = Padron(PROCESO.clave, PROCESO.modo, 2, {"catd-01": inscrito}, "cd" * 32)
    acta, sobres = un_acta(con_la_vieja, con_la_nueva)
    dato = json.loads(hojas_de_acta.a_bytes(acta, sobres, padron))
    usadas = [ECKey.import_key(dato["llaves"][s["llave"]]) for s in dato["sobres"]]
    assert [k.thumbprint() for k in usadas] == [vieja.thumbprint(), inscrito.llave.thumbprint()]
    for sobre, llave in zip((con_la_vieja, con_la_nueva), usadas, strict=True):
        abrir(sobre, llave)


@pytest.mark.parametrize("conocido", [True, False], ids=["ya no está en el padrón", "libro suelto"])
def test_sin_llave_el_sobre_va_y_se_dice_que_no_la_hay(conocido: bool) -> None:
    acta, sobres = un_acta(EquipoDePrueba("catd-01").firmar(captura()))
    padron = Padron(PROCESO.clave, PROCESO.modo, 2, {}, "cd" * 32) if conocido else None
    dato = json.loads(hojas_de_acta.a_bytes(acta, sobres, padron))
    assert [s["llave"] for s in dato["sobres"]] == [""]
    assert dato["llaves"] == {}


def test_el_sobre_que_el_almacen_no_tiene_no_va_y_el_orden_es_el_de_la_hoja() -> None:
    equipo = EquipoDePrueba("catd-01")
    acta, sobres = un_acta(*(equipo.firmar(captura(persona=p)) for p in ("ana", "beto", "caro")))
    datos = hojas_de_acta.a_bytes(acta, sobres, None)
    assert hojas_de_acta.a_bytes(acta, dict(reversed(sobres.items())), None) == datos
    del sobres[acta.hojas[1]]
    dato = json.loads(hojas_de_acta.a_bytes(acta, sobres, None))
    assert [s["huella"] for s in dato["sobres"]] == [acta.hojas[0], acta.hojas[2]]
    assert dato["hoja"].encode() == hojas.escribir(acta)


def test_ninguna_llave_privada_sale_aunque_este_en_el_padron_en_memoria() -> None:
    equipo = EquipoDePrueba("catd-01")
    con_privada = replace(equipo.inscrito(), llave=equipo.quien.llave)
    acta, sobres = un_acta(equipo.firmar(captura()))
    padron = Padron(PROCESO.clave, PROCESO.modo, 1, {AUTORIDAD + "-x": con_privada, "catd-01": con_privada}, "")
    dato = json.loads(hojas_de_acta.a_bytes(acta, sobres, padron))
    assert {frozenset(llave) for llave in dato["llaves"].values()} == {frozenset(("crv", "kty", "x", "y"))}


# ------------------------------------------------------------------------------------------------------------- el guion

_PELIGROSO = re.compile(
    r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function|srcdoc|DOMParser"
    r"|setTimeout\(\s*[\"'`]|localStorage|sessionStorage|document\.cookie|https?:(?!//\")"
)


@pytest.mark.parametrize("guion", GUIONES)
def test_el_guion_no_escribe_html_ni_evalua_texto_ni_guarda_ni_sale_del_sitio(guion: str) -> None:
    texto = estatico(guion).decode()
    assert _PELIGROSO.findall(texto) == []
    assert re.findall(r'\bfrom "([^"]+)"', texto) in ([], ["./comprobaciones.js"])


def test_el_guion_sale_con_cada_corte_y_solo_lo_carga_la_pagina_de_un_acta(publicado: Publicado) -> None:
    corte = publicado.centro / "cortes" / SEGUNDO
    for guion in GUIONES:
        assert gzip.decompress((corte / f"{guion}.gz").read_bytes()) == estatico(guion)
    paginas = {r: gzip.decompress(r.read_bytes()).decode() for r in corte.rglob("*.html.gz")}
    con_guion = {r.name for r, texto in paginas.items() if "comprobar.js" in texto}
    assert con_guion == {f"{a.casilla[6:]}.html.gz" for a in (BASICA, CONTIGUA, ESPECIAL)}
