"""El sitio público, servido por un nginx de verdad y por la demostración en Python: la misma batería para los dos."""

from __future__ import annotations

import gzip
import re
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Final

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from servicio_central import nginx
from servicio_central.archivos_comprimidos import a_la_casilla, acepta_gzip
from servicio_central.cabeceras_publicas import FALTA, INMUTABLE, PUNTO, SIN_GUARDAR, VIVO
from servicio_central.nginx import Ajustes
from servicio_central.publicado import apuntar
from servicio_central.tropiezo import Tropiezo
from tests.carpeta_publica_de_prueba import (
    HORA,
    NUEVO,
    SECRETO,
    VIEJO,
    ZIP,
    Respuesta,
    armar,
    comprimir,
    con_demo,
    con_nginx,
    crudo,
    pedir,
)

HAY_NGINX: Final = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin")
pytestmark = pytest.mark.skipif(HAY_NGINX is None, reason="no hay nginx (lo instala ./prep probar)")

HTML: Final = "text/html; charset=utf-8"
TEXTO: Final = "text/plain; charset=utf-8"
PAGINA, DATO, GRAFICA = "página", "dato", "gráfica"
RUTAS: Final = [
    ("/", HTML, VIVO, PAGINA),
    ("/index.html", HTML, VIVO, PAGINA),
    ("/sin_comprimir.html", HTML, VIVO, PAGINA),
    ("/resumen.json", "application/json", VIVO, DATO),
    ("/estilo.css", "text/css; charset=utf-8", VIVO, PAGINA),
    ("/avance.atom", "application/atom+xml", VIVO, PAGINA),
    ("/sitemap.xml", "application/xml", VIVO, PAGINA),
    ("/GUB.zip", "application/zip", VIVO, DATO),
    ("/GUB/", HTML, VIVO, PAGINA),
    ("/GUB/mapa.svg", "image/svg+xml", VIVO, GRAFICA),
    ("/GUB/s/0123/", HTML, VIVO, PAGINA),
    ("/GUB/s/0123/B0100.html", HTML, VIVO, PAGINA),
    ("/GUB/s/0123/B0100.tlog-proof", TEXTO, VIVO, DATO),
    (f"/registro/actas/{NUEVO}/GUB/200123B0100.tlog-proof", TEXTO, INMUTABLE, DATO),
    (f"/registro/actas/{NUEVO}/GUB/200123B0100.hojas.json", TEXTO, INMUTABLE, DATO),
    ("/registro/llave", TEXTO, PUNTO, DATO),
    ("/casilla/", HTML, VIVO, PAGINA),
    (f"/cortes/{VIEJO}/", HTML, INMUTABLE, PAGINA),
    (f"/cortes/{VIEJO}/resumen.json", "application/json", INMUTABLE, DATO),
    (f"/cortes/{NUEVO}/GUB/s/0123/B0100.html", HTML, INMUTABLE, PAGINA),
    ("/registro/checkpoint", TEXTO, PUNTO, DATO),
    ("/registro/tile/0/000", "application/octet-stream", INMUTABLE, DATO),
    ("/registro/tile/0/000.p/12", "application/octet-stream", INMUTABLE, DATO),
    ("/imagenes/ab/abcd.webp", "image/webp", INMUTABLE, PAGINA),
    ("/documentos/ab12", "application/octet-stream", INMUTABLE, DATO),
]
CSP: Final = (
    "default-src 'none'; img-src 'self'; style-src 'self'; script-src 'self'; connect-src 'self'; font-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
NO_ESTAN: Final = [
    *("/nada.html", "/GUB/s/9999/", "/GUB/nada/", "/cortes/", "/cortes/20990101_0000/", "/registro/", "/imagenes/"),
    *("/index.html.gz", "/GUB/index.html.gz", f"/cortes/{VIEJO}/index.html.gz", "/.error/404.html"),
    *("/cortes/.corte-a-medias/", "/cortes/.oculto.html", "/registro/.checkpoint.77", "/centro.pem", "/almacen.sqlite"),
    *("/cortes/../centro.pem", "/imagenes/../centro.pem", "/registro/..%2fcentro.pem", "/imagenes..%2fcentro.pem"),
    *("/imagenes../centro.pem", "/cortes../centro.pem", "/GUB/%2e%2e/%63entro.pem", "/nginx/nginx.conf"),
    *("/" + "a" * 300, "/%C3%B1", "/%FF%FE", "/casilla/0124.html", "/GUB.zip/", "/index.html/"),
]


@pytest.fixture(scope="module")
def centro(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return armar(tmp_path_factory.mktemp("centro"))


@pytest.fixture(scope="module")
def puertos(centro: Path) -> Iterator[dict[str, int]]:
    with ExitStack() as pila:
        yield {
            "nginx": pila.enter_context(con_nginx(centro)),
            "demo": pila.enter_context(con_demo(centro)),
        }


@pytest.fixture(params=["nginx", "demo"])
def puerto(request: pytest.FixtureRequest, puertos: dict[str, int]) -> int:
    return puertos[request.param]


def resguardadas(respuesta: Respuesta, clase: str) -> None:
    """Toda respuesta, también un error, lleva estas cabeceras."""
    cabeceras = respuesta.cabeceras
    assert cabeceras["x-content-type-options"] == "nosniff"
    assert cabeceras["referrer-policy"] == "no-referrer"
    assert cabeceras["cross-origin-opener-policy"] == "same-origin"
    assert "camera=()" in cabeceras["permissions-policy"]
    assert "set-cookie" not in cabeceras
    assert cabeceras["cross-origin-resource-policy"] == ("same-origin" if clase == PAGINA else "cross-origin")
    assert cabeceras.get("access-control-allow-origin") == ("*" if clase == DATO else None)
    if clase == GRAFICA:
        assert "frame-ancestors *" in cabeceras["content-security-policy"]
        assert "script-src" not in cabeceras["content-security-policy"]
    else:
        assert cabeceras["content-security-policy"] == CSP
    for dato in ("nginx/", "uvicorn", "python"):
        assert dato not in str(cabeceras).lower()


# ------------------------------------------------------------------------------------- lo que contesta cada dirección


@pytest.mark.parametrize(("camino", "tipo", "frescura", "clase"), RUTAS, ids=[r[0] for r in RUTAS])
def test_cada_ruta_dice_su_tipo_su_duracion_y_sus_cabeceras(
    puerto: int, camino: str, tipo: str, frescura: str, clase: str
) -> None:
    respuesta = pedir(puerto, camino, cabeceras={"Accept-Encoding": "gzip, br"})
    assert respuesta.codigo == 200
    assert respuesta.cabeceras["content-type"] == tipo
    assert respuesta.cabeceras["cache-control"] == frescura
    assert int(respuesta.cabeceras["content-length"]) == len(respuesta.cuerpo)
    resguardadas(respuesta, clase)
    # Un 304 cambia en el navegador las cabeceras que ya tenía: han de ser las mismas.
    etiqueta = respuesta.cabeceras["etag"]
    otra = pedir(puerto, camino, cabeceras={"Accept-Encoding": "gzip", "If-None-Match": etiqueta})
    assert (otra.codigo, otra.cuerpo) == (304, b"")
    assert otra.cabeceras["cache-control"] == frescura
    assert otra.cabeceras["etag"] == etiqueta
    resguardadas(otra, clase)
    cabeza = pedir(puerto, camino, "HEAD", {"Accept-Encoding": "gzip"})
    assert (cabeza.codigo, cabeza.cuerpo) == (200, b"")
    assert cabeza.cabeceras["content-length"] == respuesta.cabeceras["content-length"]


def test_los_dos_contestan_lo_mismo_a_todo(puertos: dict[str, int]) -> None:
    """Códigos, cuerpos y cabeceras, salvo la fecha y lo que cada servidor pone del transporte."""
    del_transporte = {"date", "server", "connection", "content-length", "transfer-encoding", "accept-ranges"}
    for camino in [*(r[0] for r in RUTAS), *NO_ESTAN, "/GUB", "/GUB?a=1", "/casilla?seccion=7"]:
        for acepta in ("gzip", "identity"):
            uno, otro = (pedir(puertos[q], camino, cabeceras={"Accept-Encoding": acepta}) for q in ("nginx", "demo"))
            suyas = [{n: v for n, v in r.cabeceras.items() if n not in del_transporte} for r in (uno, otro)]
            if uno.codigo in (301, 303):
                # El cuerpo de una redirección no lo lee nadie.
                for cabeceras in suyas:
                    cabeceras.pop("content-type", None)
            else:
                assert uno.cuerpo == otro.cuerpo, camino
            assert (uno.codigo, suyas[0]) == (otro.codigo, suyas[1]), camino


@pytest.mark.parametrize("camino", ["/", "/resumen.json", f"/cortes/{VIEJO}/", "/GUB/s/0123/B0100.html"])
def test_quien_no_acepta_gzip_recibe_la_misma_pagina_descomprimida(puerto: int, camino: str) -> None:
    corta = pedir(puerto, camino, cabeceras={"Accept-Encoding": "gzip"})
    larga = pedir(puerto, camino)
    assert corta.cabeceras["content-encoding"] == "gzip"
    assert "content-encoding" not in larga.cabeceras
    assert gzip.decompress(corta.cuerpo) == larga.cuerpo
    assert corta.cabeceras["vary"] == larga.cabeceras["vary"] == "Accept-Encoding"
    assert larga.cabeceras["etag"] == f"W/{corta.cabeceras['etag']}"
    assert pedir(puerto, camino, cabeceras={"If-None-Match": larga.cabeceras["etag"]}).codigo == 304


@pytest.mark.parametrize("camino", ["/GUB.zip", "/sin_comprimir.html", "/registro/checkpoint", "/documentos/ab12"])
def test_lo_que_no_esta_comprimido_va_tal_cual(puerto: int, camino: str) -> None:
    respuesta = pedir(puerto, camino, cabeceras={"Accept-Encoding": "gzip"})
    assert "content-encoding" not in respuesta.cabeceras
    if camino == "/GUB.zip":
        assert respuesta.cuerpo == ZIP


def test_un_intermediario_tambien_recibe_comprimido(puerto: int) -> None:
    respuesta = pedir(puerto, "/", cabeceras={"Accept-Encoding": "gzip", "Via": "1.1 difusor"})
    assert respuesta.cabeceras["content-encoding"] == "gzip"


def test_la_etiqueta_sale_de_la_hora_del_corte_y_no_de_la_maquina(puerto: int, centro: Path) -> None:
    tamano = (centro / "cortes" / NUEVO / "index.html.gz").stat().st_size
    respuesta = pedir(puerto, "/", cabeceras={"Accept-Encoding": "gzip"})
    assert respuesta.cabeceras["etag"] == f'"{HORA[NUEVO]:x}-{tamano:x}"'
    fecha = respuesta.cabeceras["last-modified"]
    assert pedir(puerto, "/", cabeceras={"If-Modified-Since": fecha}).codigo == 304
    assert pedir(puerto, "/", cabeceras={"If-Modified-Since": fecha, "If-None-Match": '"otra"'}).codigo == 200


def test_una_seccion_que_no_cambio_se_sirve_de_su_corte(puerto: int) -> None:
    de_ahora, de_antes = (
        pedir(puerto, f"{donde}/GUB/s/0123/B0100.html", cabeceras={"Accept-Encoding": "gzip"})
        for donde in ("", f"/cortes/{VIEJO}")
    )
    assert de_ahora.cuerpo == de_antes.cuerpo
    assert de_ahora.cabeceras["etag"] == de_antes.cabeceras["etag"]


@pytest.mark.parametrize("camino", NO_ESTAN)
def test_lo_que_no_esta_o_no_se_publica_es_un_404_con_palabras(puerto: int, camino: str) -> None:
    respuesta = pedir(puerto, camino)
    assert respuesta.codigo == 404
    assert respuesta.cabeceras["cache-control"] == FALTA
    assert respuesta.cabeceras["content-type"] == HTML
    assert "Esa página no existe" in respuesta.cuerpo.decode()
    assert SECRETO not in respuesta.cuerpo
    resguardadas(respuesta, PAGINA)


@pytest.mark.parametrize("camino", ["/../centro.pem", "/..", "/a/../../centro.pem", "/%2e%2e/centro.pem", "/a%00b"])
def test_lo_que_se_sale_de_la_raiz_no_se_entiende(puerto: int, camino: str) -> None:
    respuesta = pedir(puerto, camino)
    assert respuesta.codigo == 400
    assert SECRETO not in respuesta.cuerpo
    assert "No se entendió la petición" in respuesta.cuerpo.decode()


@pytest.mark.parametrize("metodo", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND", "MKCOL", "INVENTADO"])
@pytest.mark.parametrize("camino", ["/", "/GUB.zip", "/casilla?seccion=1", "/nada", "/registro/checkpoint"])
def test_solo_se_consulta(puerto: int, metodo: str, camino: str) -> None:
    respuesta = pedir(puerto, camino, metodo, cuerpo=b"seccion=1" if metodo == "POST" else b"")
    assert respuesta.codigo == 405
    assert respuesta.cabeceras["allow"] == "GET, HEAD"
    assert respuesta.cabeceras["cache-control"] == SIN_GUARDAR
    assert "Aquí sólo se consulta" in respuesta.cuerpo.decode()
    resguardadas(respuesta, PAGINA)


@pytest.mark.parametrize(
    ("consulta", "destino"),
    [
        ("seccion=123", "/casilla/0123.html"),
        ("seccion=7", "/casilla/0007.html"),
        ("seccion=0123", "/casilla/0123.html"),
        ("seccion=6543", "/casilla/6543.html"),
        ("seccion=+12+", "/casilla/0012.html"),
        ("otra=1&SECCION=45", "/casilla/0045.html"),
        ("seccion=9&seccion=8", "/casilla/0009.html"),
        *((mal, "/casilla/") for mal in ("", "seccion=", "seccion", "seccion=0", "seccion=12345", "seccion=-3")),
        *((mal, "/casilla/") for mal in ("seccion=1/../2", "seccion=%0d%0aX:1", "seccion=1%0a", "xseccion=3")),
        ("seccion=http://ajeno.mx/", "/casilla/"),
    ],
)
def test_la_busqueda_de_casilla_solo_lleva_a_una_seccion(puerto: int, consulta: str, destino: str) -> None:
    respuesta = pedir(puerto, f"/casilla?{consulta}")
    assert respuesta.codigo == 303
    assert respuesta.cabeceras["location"] == destino
    assert "x" not in respuesta.cabeceras
    resguardadas(respuesta, PAGINA)


def test_a_una_carpeta_sin_diagonal_se_le_pone_sin_decir_el_nombre_de_la_maquina(puerto: int) -> None:
    respuesta = pedir(puerto, "/GUB?de=aqui", cabeceras={"Host": "ajeno.mx"})
    assert (respuesta.codigo, respuesta.cabeceras["location"]) == (301, "/GUB/?de=aqui")


@settings(max_examples=60)
@given(st.text(st.characters(blacklist_categories=["Cs"]), max_size=40), st.sampled_from(["", "/cortes", "/registro"]))
@example("/..;/centro.pem", "")
@example("/%252e%252e/centro.pem", "/cortes")
@example("\\..\\centro.pem", "/registro")
def test_una_direccion_rara_nunca_tumba_ni_ensena_lo_que_no_es_publico(
    puertos: dict[str, int], raro: str, antes: str
) -> None:
    camino = f"{antes}/{raro}".encode().translate(None, b" \r\n\t\x0b\x0c\x00")
    for quien in puertos.values():
        dicho = crudo(quien, b"GET " + camino + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        codigo = dicho.split(b" ", 2)[1:2]
        assert codigo in ([b"200"], [b"301"], [b"303"], [b"400"], [b"404"]), dicho[:200]
        assert SECRETO not in dicho


@settings(max_examples=40)
@given(st.binary(max_size=300))
def test_bytes_que_no_son_http_no_lo_tumban(puertos: dict[str, int], basura: bytes) -> None:
    assert SECRETO not in crudo(puertos["nginx"], basura + b"\r\n\r\n")
    assert pedir(puertos["nginx"], "/").codigo == 200


@pytest.mark.parametrize(
    "acepta", ["gzip", "br, GZIP", "deflate,gzip;q=0.5", "gzip ; q=1", "br;q=1, gzip", "x, gzip, y"]
)
def test_quien_acepta_gzip_lo_recibe(puerto: int, acepta: str) -> None:
    assert pedir(puerto, "/", cabeceras={"Accept-Encoding": acepta}).cabeceras["content-encoding"] == "gzip"


@pytest.mark.parametrize("rechaza", ["", "br", "gzip;q=0", "gzip;q=0.000", "xgzip", "identity", "gzipo"])
def test_quien_no_acepta_gzip_no_lo_recibe(puerto: int, rechaza: str) -> None:
    assert "content-encoding" not in pedir(puerto, "/", cabeceras={"Accept-Encoding": rechaza}).cabeceras


@given(st.text(max_size=60))
def test_cualquier_accept_encoding_se_lee(cabecera: str) -> None:
    assert not acepta_gzip(cabecera) or "gzip" in cabecera.lower()


@given(st.text(max_size=30))
def test_la_busqueda_no_lleva_a_otro_sitio(valor: str) -> None:
    assert re.fullmatch(r"/casilla/(?:[0-9]{4}\.html)?", a_la_casilla(f"seccion={valor}"))


# --------------------------------------------------------------------------------------------------- cambia el corte


@pytest.mark.parametrize("como", [con_nginx, con_demo], ids=["nginx", "demo"])
def test_cambia_el_corte_mientras_se_pide_sin_parar(como: Callable[[Path], object], tmp_path: Path) -> None:
    """Ni un error, ni una página con mitad de cada corte, y al final todos ven el último."""
    centro = armar(tmp_path)
    cortes = [f"20240602_21{n:02}" for n in range(60)]
    for n, nombre in enumerate(cortes):
        comprimir(centro / "cortes" / nombre / "index.html", f"<p>{nombre}</p>" * (2000 + n), HORA[NUEVO] + 60 * n)
    listo, fallas, vistas = threading.Event(), [], set()
    with como(centro) as puerto:  # type: ignore[attr-defined]
        apuntar(centro, f"cortes/{cortes[0]}")
        # Lo que tarda en notar que ya es otro corte.
        time.sleep(2.2)

        def mirar() -> None:
            while not listo.is_set():
                r = pedir(puerto, "/", cabeceras={"Accept-Encoding": "gzip"})
                texto = gzip.decompress(r.cuerpo).decode() if r.codigo == 200 else ""
                nombre = texto[3:16]
                n = cortes.index(nombre) if nombre in cortes else -1
                entera = n >= 0 and texto == f"<p>{nombre}</p>" * (2000 + n)
                suya = r.cabeceras.get("etag") == f'"{HORA[NUEVO] + 60 * n:x}-{len(r.cuerpo):x}"'
                vistas.add(nombre)
                if not (entera and suya):
                    fallas.append((r.codigo, nombre))

        hilos = [threading.Thread(target=mirar) for _ in range(3)]
        for hilo in hilos:
            hilo.start()
        for nombre in cortes[1:]:
            apuntar(centro, f"cortes/{nombre}")
            time.sleep(0.05)
        time.sleep(2.2)
        listo.set()
        for hilo in hilos:
            hilo.join()
        ultima = pedir(puerto, "/")
    assert not fallas
    assert len(vistas) > 2
    assert cortes[-1] in ultima.cuerpo.decode()


# ------------------------------------------------------------------------------------------------- quien quiere dañar


def test_quien_manda_a_cuentagotas_no_deja_fuera_a_nadie(centro: Path) -> None:
    """Slowloris: trescientas peticiones que nunca acaban de llegar, y las normales se contestan todas."""
    with con_nginx(centro, trabajadores=1) as puerto:
        lentas = []
        for _ in range(300):
            enchufe = socket.create_connection(("127.0.0.1", puerto))
            enchufe.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nX-a: ")
            lentas.append(enchufe)
        for _ in range(50):
            assert pedir(puerto, "/").codigo == 200
        # A los cinco segundos se va, haya mandado lo que haya mandado.
        lentas[0].settimeout(20)
        with suppress(ConnectionResetError):
            assert lentas[0].recv(1) == b""
        for enchufe in lentas:
            enchufe.close()


def test_quien_pide_demasiado_recibe_429_y_los_demas_nada(centro: Path) -> None:
    with con_nginx(centro, peticiones_por_direccion=1, trabajadores=1) as puerto:
        codigos = [pedir(puerto, "/").codigo for _ in range(12)]
        respuesta = pedir(puerto, "/")
    assert set(codigos) == {200, 429}
    assert respuesta.codigo == 429
    assert respuesta.cabeceras["retry-after"] == "5"
    assert "Demasiadas consultas seguidas" in respuesta.cuerpo.decode()
    resguardadas(respuesta, PAGINA)


@pytest.mark.parametrize("de_mas", ["X-Larga: " + "a" * 20_000, "Cookie: " + "b" * 9_000])
def test_una_peticion_descomunal_se_rechaza(puertos: dict[str, int], de_mas: str) -> None:
    dicho = crudo(puertos["nginx"], f"GET / HTTP/1.1\r\nHost: x\r\n{de_mas}\r\n\r\n".encode())
    assert dicho.startswith(b"HTTP/1.1 400 ")


# ---------------------------------------------------------------------------------------------------- la configuración


def ajustes(carpeta: Path, **otros: object) -> Ajustes:
    return Ajustes(carpeta, carpeta / "nginx", 8081, **otros)  # type: ignore[arg-type]


def test_ninguna_peticion_publica_llega_a_python(tmp_path: Path) -> None:
    """Nada en la configuración puede pasarle una petición a otro proceso ni interpretar nada."""
    escrita = nginx.texto(ajustes(tmp_path))
    prohibidas = (
        r"\b(?:\w+_pass|upstream|include|load_module|perl\w*|js_\w+|lua_\w+|ssi|auth_request|autoindex|dav\w*)\b"
    )
    assert re.findall(prohibidas, escrita) == []
    # El único `if` sólo regresa: con otra cosa dentro, `if` hace lo que nadie espera.
    assert re.findall(r"if \([^)]*\) \{\s*(.*?)\s*\}", escrita, re.DOTALL) == ["return 405;"]


@pytest.mark.parametrize("descriptores", [1024, 4096, 20_000, 65_536])
def test_la_cache_de_archivos_nunca_agota_los_descriptores(tmp_path: Path, descriptores: int) -> None:
    """Con más, `open_file_cache` acaba con los descriptores y empiezan los errores (medido)."""
    escrita = nginx.texto(ajustes(tmp_path, descriptores=descriptores))
    (en_cache,) = (int(n) for n in re.findall(r"open_file_cache max=(\d+)", escrita))
    (conexiones,) = (int(n) for n in re.findall(r"worker_connections (\d+)", escrita))
    assert en_cache <= descriptores // 3
    assert en_cache + conexiones <= descriptores * 5 // 6


@pytest.mark.parametrize(
    "otros",
    [
        {"carpeta": Path('/tmp/a"; include /etc/passwd; #')},
        {"carpeta": Path("/tmp/$uri")},
        {"trabajo": Path("/tmp/a\nb")},
        {"nombre": "x; return 200"},
        {"nombre": "ejemplo.mx\n"},
        {"direccion": "localhost; x"},
        {"puerto": 0},
        {"puerto": 70_000},
        {"certificado": Path("/tmp/c.pem")},
        {"puerto_http": 80},
        {"cuenta": "root; x"},
        {"peticiones_por_direccion": 0},
        {"conexiones_por_direccion": 70_000},
    ],
    ids=str,
)
def test_un_dato_que_cambiaria_la_configuracion_se_rechaza(otros: dict[str, object]) -> None:
    base: dict[str, object] = {"carpeta": Path("/tmp/c"), "trabajo": Path("/tmp/c/nginx"), "puerto": 8081}
    with pytest.raises(Tropiezo, match="Siguiente paso"):
        nginx.texto(Ajustes(**{**base, **otros}))  # type: ignore[arg-type]
