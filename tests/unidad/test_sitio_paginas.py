"""El sitio entero en memoria: ningún enlace cuelga, ningún nombre se vuelve HTML, y siempre los mismos bytes."""

from __future__ import annotations

import gzip
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from functools import cache
from html.parser import HTMLParser
from posixpath import join, normpath
from xml.etree import ElementTree

import pytest

from nucleo.acta import (
    SIN_PROCEDENCIA,
    Acta,
    ActaFueraDeCatalogo,
    ActaPendiente,
    ActaSinActa,
    ActaVerificada,
    Asentado,
    MotivoSinActa,
)
from nucleo.campo import ILEGIBLE, SIN_DATO, Numero
from nucleo.definicion import cargar_proceso
from nucleo.eleccion import Eleccion, Proceso
from nucleo.inconsistencias import CATALOGO
from nucleo.publicacion.fichas import FichaProceso
from servicio_central.sitio.paginas import Contexto, paginas_de_espera, paginas_de_seccion
from tests.sitio_de_prueba import DATOS, actas_de_oaxaca, corte_a_las, ficha_de, oaxaca, primeras, sitio

MALO = "<script>alert(1)</script>\"&'</title>"
DE_OTROS = re.compile(
    r"^/(imagenes/[0-9a-f]{2}/[0-9a-f]{64}\.webp|registro/checkpoint|definicion/[0-9a-f]{64}\.tar\.gz|casilla)$"
    r"|.*\.(json|zip|tlog-proof)$"
)
"""Lo que publica alguien más junto al sitio; `/casilla` lo resuelve nginx."""


class Enlaces(HTMLParser):
    """Junta los enlaces de una página y los identificadores a que puede apuntar un ancla."""

    def __init__(self, datos: bytes) -> None:
        super().__init__()
        self.enlaces: list[str] = []
        self.anclas: list[str] = []
        self.titulares: list[int] = []
        self.tablas_sin_titulo = 0
        self.malos: list[str] = []
        self.feed(datos.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        atributos = dict(attrs)
        self.anclas += [v for k, v in attrs if k == "id" and v]
        self.enlaces += [v for k, v in attrs if k in ("href", "src", "action") and v]
        if tag == "meta" and atributos.get("http-equiv") == "refresh":
            self.enlaces.append((atributos["content"] or "").partition("url=")[2])
        if re.fullmatch("h[1-6]", tag):
            self.titulares.append(int(tag[1]))
        self.tablas_sin_titulo += (tag == "table") - (tag == "caption")
        if "style" in atributos or tag == "style" or (tag == "script" and "src" not in atributos):
            self.malos.append(tag)
        self.malos += [k for k, _ in attrs if k.startswith("on")]


def tres_elecciones() -> Proceso:
    return cargar_proceso(DATOS / "ejemplo_tres_elecciones")


def actas_variadas(proceso: Proceso, eleccion: Eleccion) -> list[Acta]:
    """De todo: buenas, con renglones ilegibles, sin acta, que exceden, pendientes y fuera de catálogo."""
    actas: list[Acta] = []
    for i, c in enumerate(proceso.esperadas(eleccion.clave)):
        votos = {o.clave: Numero((i + 3 * j) % 11) for j, o in enumerate(eleccion.opciones_de(c))}
        if i % 5 == 1:
            votos[next(iter(votos))] = ILEGIBLE  # type: ignore[assignment]
        if i % 5 == 4:
            votos[next(iter(votos))] = Numero(9000)
        complementarios = (Numero(1), Numero(2), SIN_DATO, ILEGIBLE, Numero(5))
        procedencia = replace(SIN_PROCEDENCIA, imagen=f"{i:02x}" * 32, acopio=proceso.inicio_publicacion)
        acta = ActaVerificada(c, Asentado(votos, *complementarios), procedencia)
        otras: dict[int, Acta] = {2: ActaSinActa(c, MotivoSinActa.CASILLA_NO_INSTALADA), 3: ActaPendiente(c)}
        actas.append(otras.get(i % 5, acta))
    procedencia = replace(SIN_PROCEDENCIA, imagen="ab" * 32, acopio=proceso.inicio_publicacion)
    return [*actas, ActaFueraDeCatalogo("F-1", procedencia), ActaFueraDeCatalogo("F-2", SIN_PROCEDENCIA)]


def ficha_variada(proceso: Proceso | None = None) -> FichaProceso:
    proceso = proceso or tres_elecciones()
    hora = proceso.inicio_publicacion + timedelta(hours=1)
    return ficha_de(proceso, {k: actas_variadas(proceso, e) for k, e in proceso.elecciones.items()}, corte_a_las(hora))


@cache
def sitio_chico() -> Mapping[str, bytes]:
    ficha = ficha_variada()
    return dict(sitio(ficha, Contexto(ficha.proceso, "https://prep.ejemplo.mx")))


def de(paginas: Mapping[str, bytes], final: str) -> dict[str, bytes]:
    return {r: d for r, d in paginas.items() if r.endswith(final)}


def texto(datos: bytes) -> str:
    plano = re.sub(r"<[^>]+>", " ", re.sub(r"(?s)<(style|script|title).*?</\1>", " ", datos.decode()))
    return re.sub(r"\s+", " ", plano.replace("\u00a0", " "))


def test_todo_enlace_interno_llega_a_algun_lado() -> None:
    paginas = sitio_chico()
    hechas = {r: Enlaces(d) for r, d in de(paginas, ".html").items()}
    vistos = 0
    for ruta, pagina in hechas.items():
        for enlace in pagina.enlaces:
            if enlace.startswith("#"):
                assert enlace[1:] in pagina.anclas, f"{ruta}: {enlace}"
                continue
            # Dentro de un corte, su dirección que no cambia es la misma página.
            enlace = re.sub(r"^/cortes/[0-9_]+/", "/", enlace)
            destino = enlace if enlace.startswith("/") else "/" + normpath(join("x", ruta, "..", enlace))[2:]
            camino, _, ancla = destino.partition("#")
            vistos += 1
            if camino[1:] in paginas:
                assert not ancla or ancla in hechas[camino[1:]].anclas, f"{ruta}: {enlace}"
            else:
                assert DE_OTROS.fullmatch(camino), f"{ruta}: {enlace} no existe"
    assert vistos > 2000


def test_ninguna_pagina_lleva_estilo_ni_guion_en_linea_y_su_orden_se_puede_seguir() -> None:
    for ruta, datos in de(sitio_chico(), ".html").items():
        pagina = Enlaces(datos)
        assert not pagina.malos, ruta
        assert pagina.tablas_sin_titulo == 0, f"{ruta}: hay una tabla sin caption"
        assert pagina.titulares.count(1) == 1, ruta
        assert all(b - a <= 1 for a, b in zip(pagina.titulares, pagina.titulares[1:], strict=False)), ruta
        assert len(set(pagina.anclas)) == len(pagina.anclas), f"{ruta}: un identificador se repite"
        assert b'<html lang="es-MX">' in datos
    for ruta, datos in {**de(sitio_chico(), ".svg"), **de(sitio_chico(), ".xml"), **de(sitio_chico(), ".atom")}.items():
        raiz = ElementTree.fromstring(datos)
        assert b"style" not in datos, ruta
        assert raiz.tag.rpartition("}")[2] in ("svg", "urlset", "feed")


def test_un_nombre_hostil_se_lee_y_no_se_ejecuta() -> None:
    proceso = tres_elecciones()
    elecciones = {
        k: replace(
            e,
            nombre=MALO,
            opciones=tuple(replace(o, nombre=MALO) for o in e.opciones),
            candidaturas=tuple(replace(c, propietaria=MALO) for c in e.candidaturas),
        )
        for k, e in proceso.elecciones.items()
    }
    casillas = {k: replace(c, distrito_nombre=MALO, municipio_nombre=MALO) for k, c in proceso.casillas.items()}
    proceso = replace(proceso, nombre=MALO, entidad_nombre=MALO, elecciones=elecciones, casillas=casillas)
    paginas = dict(sitio(ficha_variada(proceso), Contexto(proceso, "https://x.mx")))
    assert any(b"&lt;script&gt;" in d for d in paginas.values())
    for ruta, datos in paginas.items():
        if not ruta.endswith((".js", ".css")):
            assert b"<script>" not in datos, ruta
            assert b"alert(1)</title>" not in datos
        if ruta.endswith((".svg", ".xml", ".atom")):
            ElementTree.fromstring(datos)
        if ruta.endswith(".html"):
            assert not Enlaces(datos).malos, ruta


def test_otra_maquina_con_las_mismas_actas_hace_los_mismos_bytes() -> None:
    """Otro proceso, con otra semilla de `hash` y en otro huso."""
    programa = (
        "import hashlib; from tests.unidad.test_sitio_paginas import sitio_chico\n"
        "h = hashlib.sha256()\n"
        "for r, d in sitio_chico().items(): h.update(r.encode() + b'\\0' + d)\n"
        "print(h.hexdigest())"
    )
    ambiente = {"PYTHONPATH": str(DATOS.parent), "TZ": "Asia/Tokyo", "LC_ALL": "C"}
    huellas = {
        subprocess.run(
            [sys.executable, "-c", programa],
            env={**ambiente, "PYTHONHASHSEED": semilla},
            cwd=DATOS.parent,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for semilla in ("1", "2")
    }
    assert len(huellas) == 1
    assert len(huellas.pop().strip()) == 64


def test_todo_porcentaje_dice_de_cuanto_es() -> None:
    """Cada «%» va con su «de N», en una columna cuyo encabezado lo dice, o en una división con sus dos cantidades."""
    for ruta, datos in de(sitio_chico(), ".html").items():
        sin_columnas = re.sub(r"(?s)<table.*?</table>", " ", datos.decode())
        for pedazo in re.findall(r"[0-9]\.[0-9]{4} %(.{0,40})", texto(sin_columnas.encode())):
            # «78.5 % de 224», «37.8 % = 887,240 votos ÷ …» y «176 de 224 actas (78.5 %)».
            assert re.match(r" (de|=) [\d,]+|\)", pedazo), f"{ruta}: {pedazo}"
        for tabla in re.findall(r"(?s)<table.*?</table>", datos.decode()):
            if "\u00a0%</td>" in tabla or "\u00a0%<br>" in tabla:
                assert re.search(r"% de ([\d,]+|esperadas|los votos)", tabla), f"{ruta}: una columna no dice de cuánto"


@pytest.mark.parametrize(
    ("actas", "minutos", "dice"),
    [
        ((), 0, ["0.0000 % de 5,707 esperadas", "Todavía no hay votos contabilizados", "No ha llegado 5,707"]),
        (primeras(1), 0, ["Está contabilizada 1 de 5,707 actas", "0.0175 % de 5,707", "5,706 de 5,707"]),
        (actas_de_oaxaca("20220605_2120"), 80, ["Corte de las 21:20 h (UTC-5) del domingo 5 de junio de 2022"]),
        (actas_de_oaxaca("20220606_0000"), 240, ["Va adelante Salomon Jara Cruz", "4,447 77.9218 % de 5,707"]),
    ],
    ids=["en-ceros", "un-acta", "21:20", "00:00"],
)
def test_la_portada_de_oaxaca_pesa_menos_que_la_primera_rafaga(
    actas: tuple[Acta, ...], minutos: int, dice: list[str]
) -> None:
    proceso = oaxaca()
    corte = corte_a_las(proceso.inicio_publicacion + timedelta(minutes=minutos))
    paginas = dict(sitio(ficha_de(proceso, {"GUB": actas}, corte), Contexto(proceso), cada=50))
    dicho = texto(paginas["index.html"])
    for frase in dice:
        assert frase in dicho, dicho
    pesos = {r: len(gzip.compress(d, 9)) for r, d in de(paginas, ".html").items()}
    assert pesos["index.html"] <= 14_000
    assert max(pesos.values()) <= 14_000
    assert len(gzip.compress(paginas["estilo.css"], 9)) <= 5_000


def test_al_cien_por_ciento_no_falta_ninguna_y_los_especiales_cuentan() -> None:
    proceso = oaxaca()
    actas = [a for a in primeras(10**6) if isinstance(a, ActaVerificada)]
    sanas = [a for a in actas if not a.casilla.especial][:60]
    chico = replace(proceso, casillas={a.casilla.clave: a.casilla for a in sanas})
    hora = proceso.inicio_publicacion + timedelta(hours=9)
    ficha = ficha_de(chico, {"GUB": sanas}, corte_a_las(hora, ultimo=True))
    assert ficha.elecciones[0].parcial.contabilizadas == 60
    paginas = dict(sitio(ficha, Contexto(chico)))
    dicho = texto(paginas["index.html"])
    assert "No falta ninguna: las 60 actas esperadas están contabilizadas" in dicho
    assert "100.0000 % de 60 esperadas" in dicho
    assert "Último corte de las" in dicho
    assert "incluye los votos de las casillas especiales" in dicho
    assert "Faltan actas" not in dicho


def test_un_empate_se_dice_empate_en_todas_partes() -> None:
    proceso = tres_elecciones()
    eleccion = proceso.elecciones["GUB"]
    actas: list[Acta] = []
    for c in proceso.esperadas("GUB"):
        votos = {o.clave: Numero(7 if o.clave in ("PAN", "MC") else 0) for o in eleccion.opciones_de(c)}
        actas.append(ActaVerificada(c, Asentado(votos, *[SIN_DATO] * 5), SIN_PROCEDENCIA))
    ficha = ficha_de(proceso, {"GUB": actas}, corte_a_las(proceso.inicio_publicacion))
    paginas = dict(sitio(ficha, Contexto(proceso)))
    for ruta in ("index.html", "GUB/index.html", "GUB/divisiones.html", "GUB/d/1/index.html"):
        assert "Empate" in texto(paginas[ruta]), ruta
    assert "Va adelante" not in texto(paginas["GUB/d/1/index.html"])
    assert "Empate en 3 distritos" in texto(paginas["GUB/index.html"])
    assert b"Empate en 3 distritos" in paginas["GUB/mapa.svg"]


def test_el_acta_dice_sus_observaciones_en_palabras_y_su_referencia_exacta() -> None:
    ficha = ficha_variada()
    for eleccion in ficha.elecciones:
        for division in eleccion.divisiones:
            for seccion in division.secciones:
                paginas = dict(paginas_de_seccion(seccion, Contexto(ficha.proceso)))
                for acta in seccion.actas:
                    datos = paginas[f"{eleccion.eleccion.clave}/s/{seccion.seccion:04d}/{acta.casilla.clave[6:]}.html"]
                    dicho = texto(datos)
                    for codigo in acta.clasificacion.inconsistencias if acta.clasificacion else ():
                        assert CATALOGO[codigo].publico in dicho
                    assert eleccion.eleccion.clave_acta(acta.casilla) in dicho
                    assert acta.imagen in dicho
                    if acta.imagen:
                        assert acta.imagen_presente == (b"<img" in datos)
                        assert acta.imagen_presente != ("La imagen viene en camino" in dicho)
                    if acta.situacion.value == "no_ha_llegado":
                        assert "Todavía no hay imagen" in dicho


def test_lo_que_no_cambia_se_escribe_igual_aunque_pase_otro_corte() -> None:
    """Ni la página de la sección ni las de sus actas dicen el corte vigente: se pueden enlazar al corte anterior."""
    proceso = oaxaca()
    actas = primeras(3)
    antes = ficha_de(proceso, {"GUB": actas}, corte_a_las(proceso.inicio_publicacion))
    contexto = Contexto(proceso)
    seccion = antes.elecciones[0].divisiones[0].secciones[0]
    primera = dict(paginas_de_seccion(seccion, contexto))
    assert all(b"20:00" in d for d in primera.values())
    assert not any(b'id="aviso"' in d for d in primera.values())


def test_antes_del_primer_corte_se_explica_y_se_dice_la_hora() -> None:
    paginas = dict(paginas_de_espera(Contexto(oaxaca())))
    dicho = texto(paginas["index.html"])
    assert "comienzan a las 20:00 h (UTC-5) del domingo 5 de junio de 2022" in dicho
    assert "Gubernatura: 5,707 actas" in dicho
    assert "%" not in dicho


def test_el_mapa_del_sitio_y_el_canal_llevan_direcciones_completas() -> None:
    paginas = sitio_chico()
    urls = re.findall(r"<loc>https://prep\.ejemplo\.mx/([^<]+)</loc>", paginas["sitemap.xml"].decode())
    assert len(urls) > 30
    assert set(urls) <= set(paginas)
    canal = ElementTree.fromstring(paginas["avance.atom"])
    espacio = {"a": "http://www.w3.org/2005/Atom"}
    assert len(canal.findall("a:entry", espacio)) == 3
    ficha = ficha_variada()
    assert "sitemap.xml" not in dict(sitio(ficha, Contexto(ficha.proceso)))


def test_el_404_se_lee_desde_cualquier_direccion() -> None:
    enlaces = Enlaces(sitio_chico()["404.html"]).enlaces
    assert all(e.startswith(("/", "#")) for e in enlaces)
