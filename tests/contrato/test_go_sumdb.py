"""Las bibliotecas de Go para registros transparentes aceptan lo que hace el núcleo, y el núcleo lo que hacen ellas.

golang.org/x/mod/sumdb es código que nadie de aquí escribió y con el que Go comprueba sus propios módulos. Se compila de
la fuente que trae Debian, sin red, un programa pequeño (`go_sumdb/main.go`) que contesta peticiones.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from base64 import b64decode, b64encode
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from nucleo.transparencia.arbol import (
    Arbol,
    PruebaInvalida,
    comprobar_consistencia,
    comprobar_inclusion,
    huella_de_hoja,
)
from nucleo.transparencia.arbol_de_baldosas import ArbolDeBaldosas
from nucleo.transparencia.baldosas import ENTRADAS, BaldosaInvalida, baldosas_nuevas, bytes_de
from nucleo.transparencia.cofirma import Cofirmante
from nucleo.transparencia.nota import FirmanteDeNotas, LlaveDeRegistro, NotaInvalida
from nucleo.transparencia.prueba import Prueba, comprobar_prueba, leer_prueba
from nucleo.transparencia.punto import Punto, abrir_punto, firmar_punto, leer_punto

RAIZ: Final = Path(__file__).resolve().parents[2]
PROGRAMA: Final = RAIZ / "tests" / "contrato" / "go_sumdb"
DE_DEBIAN: Final = Path("/usr/share/gocode")
ORIGEN: Final = "prep.ejemplo.mx/oax2022"
CHICOS: Final = 24
"""Hasta aquí, todas las hojas y todas las parejas de tamaños."""
GRANDES: Final = (255, 256, 257, 600, 65_537)

Go = Callable[..., list[dict[str, Any]]]


@pytest.fixture(scope="module")
def go(tmp_path_factory: pytest.TempPathFactory) -> Go:
    """Manda peticiones al programa de Go, todas de una vez, y devuelve sus respuestas en el mismo orden."""
    compilador = shutil.which("go")
    if compilador is None or not (DE_DEBIAN / "src" / "golang.org" / "x" / "mod" / "sumdb").is_dir():
        pytest.skip("faltan los paquetes golang-go y golang-golang-x-mod-dev; `./prep probar` los instala")
    binario = tmp_path_factory.mktemp("go") / "go_sumdb"
    ambiente = {
        "PATH": os.environ["PATH"],
        # Sin módulos no hay nada que bajar; la caché se comparte entre corridas: Go 1.24 compila su propia biblioteca.
        **{"GO111MODULE": "off", "GOPATH": str(DE_DEBIAN), "GOCACHE": str(RAIZ / ".ensayo" / "go")},
        **{"CGO_ENABLED": "0", "GOENV": "off", "GOPROXY": "off", "GOTOOLCHAIN": "local", "GOTELEMETRY": "off"},
    }
    orden = [compilador, "build", "-o", str(binario), "main.go"]
    hecho = subprocess.run(orden, cwd=PROGRAMA, env=ambiente, capture_output=True, text=True, check=False)
    assert hecho.returncode == 0, hecho.stderr

    def pedir(*peticiones: dict[str, object]) -> list[dict[str, Any]]:
        entrada = "".join(json.dumps(p, default=en_base64) + "\n" for p in peticiones)
        corrida = subprocess.run([binario], input=entrada, capture_output=True, text=True, check=False)
        assert corrida.returncode == 0, corrida.stderr
        respuestas = [json.loads(renglon) for renglon in corrida.stdout.splitlines()]
        assert len(respuestas) == len(peticiones)
        return respuestas

    return pedir


def en_base64(dato: object) -> str:
    assert isinstance(dato, bytes)
    return b64encode(dato).decode()


def huellas(lista: Sequence[str] | None) -> tuple[bytes, ...]:
    return tuple(map(b64decode, lista or ()))


def hoja(i: int) -> bytes:
    return b"acta %d" % i


def privada(semilla: int) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(bytes([semilla]) * 32)


REGISTRO: Final = FirmanteDeNotas(ORIGEN, privada(1))
TESTIGO: Final = Cofirmante("testigo.ejemplo.mx", privada(2))


@pytest.fixture(scope="module")
def arbol() -> Arbol:
    nuevo = Arbol()
    for i in range(max(GRANDES)):
        nuevo.agregar(hoja(i))
    return nuevo


def con_un_bit_cambiado(datos: bytes, lugar: int) -> bytes:
    mala = bytearray(datos)
    mala[lugar % len(datos)] ^= 1 << lugar % 8
    return bytes(mala)


def inclusion(arbol: Arbol, indice: int, tamano: int) -> dict[str, object]:
    camino, raiz = arbol.inclusion(indice, tamano), arbol.raiz(tamano)
    pedido: dict[str, object] = {"Que": "inclusion", "Tamano": tamano, "Raiz": raiz, "Indice": indice}
    return {**pedido, "Huella": huella_de_hoja(hoja(indice)), "Camino": camino}


def consistencia(arbol: Arbol, viejo: int, nuevo: int) -> dict[str, object]:
    camino, raiz = arbol.consistencia(viejo, nuevo), arbol.raiz(nuevo)
    pedido: dict[str, object] = {"Que": "consistencia", "Tamano": nuevo, "Raiz": raiz, "Indice": viejo}
    return {**pedido, "Huella": arbol.raiz(viejo), "Camino": camino}


def pedidos(arbol: Arbol) -> list[dict[str, object]]:
    chicos = range(1, CHICOS + 1)
    lugares = {n: {0, 1, 254, 255, 256, n // 3, n // 2, n - 2, n - 1} & set(range(n)) for n in GRANDES}
    return [
        *(inclusion(arbol, i, n) for n in chicos for i in range(n)),
        *(consistencia(arbol, m, n) for n in chicos for m in range(1, n + 1)),
        *(inclusion(arbol, i, n) for n in GRANDES for i in lugares[n]),
        *(consistencia(arbol, m + 1, n) for n in GRANDES for m in lugares[n]),
    ]


def alterado(pedido: dict[str, object], lugar: int) -> dict[str, object]:
    """El mismo, con un bit cambiado en su raíz, en su huella o en alguna de su camino."""
    camino = pedido["Camino"]
    assert isinstance(camino, tuple)
    cual = lugar % (len(camino) + 2)
    if cual >= 2:
        malo = [con_un_bit_cambiado(h, lugar) if i == cual - 2 else h for i, h in enumerate(camino)]
        return {**pedido, "Camino": malo}
    llave = ("Raiz", "Huella")[cual]
    dato = pedido[llave]
    assert isinstance(dato, bytes)
    return {**pedido, llave: con_un_bit_cambiado(dato, lugar)}


def test_go_acepta_nuestras_pruebas_y_ninguna_con_un_bit_cambiado(go: Go, arbol: Arbol) -> None:
    buenos = pedidos(arbol)
    assert [(p, r["causa"]) for p, r in zip(buenos, go(*buenos), strict=True) if r["causa"]] == []
    malos = [alterado(p, 37 * i) for i, p in enumerate(buenos)]
    assert [p for p, r in zip(malos, go(*malos), strict=True) if not r["causa"]] == []


def test_go_abre_nuestra_nota_y_aparta_la_cofirma_que_no_conoce(go: Go, arbol: Arbol) -> None:
    punto = Punto(ORIGEN, 600, arbol.raiz(600))
    nota = firmar_punto(punto, REGISTRO).con(TESTIGO.cofirmar(punto, 1_654_473_600))
    (abierta,) = go({"Que": "abrir", "Nota": nota.a_bytes(), "Llaves": [REGISTRO.llave.vkey]})
    assert abierta == {"causa": "", "texto": punto.texto, "conocidas": 1, "desconocidas": 1}
    (ajena,) = go({"Que": "abrir", "Nota": nota.a_bytes(), "Llaves": [FirmanteDeNotas("otro", privada(1)).llave.vkey]})
    assert ajena["causa"]


def test_go_comprueba_nuestra_cofirma_y_ninguna_con_un_bit_cambiado(go: Go, arbol: Arbol) -> None:
    """sumdb no trae cofirmas: el comprobador es del programa de Go, escrito de la norma y no de este núcleo."""
    punto = Punto(ORIGEN, 600, arbol.raiz(600))
    nota = firmar_punto(punto, REGISTRO).con(TESTIGO.cofirmar(punto, 1_654_473_600))
    pedido = {"Que": "abrir", "Llaves": [REGISTRO.llave.vkey, TESTIGO.llave.vkey]}
    (abierta,) = go({**pedido, "Nota": nota.a_bytes()})
    assert abierta == {"causa": "", "texto": punto.texto, "conocidas": 2, "desconocidas": 0}
    firma = nota.firmas[1]
    malas = [firma._replace(firma=con_un_bit_cambiado(firma.firma, n)) for n in range(len(firma.firma))]
    respuestas = go(*({**pedido, "Nota": nota.con(mala).a_bytes()} for mala in malas))
    assert [n for n, r in enumerate(respuestas) if not r["causa"]] == []


def test_go_rechaza_nuestra_nota_con_un_bit_cambiado_donde_sea(go: Go, arbol: Arbol) -> None:
    datos = firmar_punto(Punto(ORIGEN, 600, arbol.raiz(600)), REGISTRO).a_bytes()
    # La última letra antes del «=» lleva bits que no son de la firma: Go los pasa por alto; el núcleo no.
    lugares = [n for n in range(len(datos)) if n != len(datos) - 3]
    malas = [con_un_bit_cambiado(datos, n) for n in lugares]
    llaves = [REGISTRO.llave.vkey]
    respuestas = go(*({"Que": "abrir", "Nota": mala, "Llaves": llaves} for mala in malas))
    assert [n for n, r in zip(lugares, respuestas, strict=True) if not r["causa"]] == []
    for mala in (*malas, con_un_bit_cambiado(datos, len(datos) - 3)):
        with pytest.raises(NotaInvalida):
            abrir_punto(mala, REGISTRO.llave)


def test_go_lee_nuestras_baldosas_y_saca_de_ellas_lo_mismo(go: Go, arbol: Arbol, tmp_path: Path) -> None:
    pedidas, esperadas = [], []
    for n in (1, CHICOS, *GRANDES):
        carpeta = escribir(arbol, n, tmp_path / str(n))
        viejos = sorted({1, 2, 255, 256, 257, n // 2, n - 1, n} & set(range(1, n + 1)))
        pedidas.append({"Que": "leer", "Tamano": n, "Raiz": arbol.raiz(n), "Carpeta": str(carpeta), "Viejos": viejos})
        inclusiones = [arbol.inclusion(v - 1, n) for v in viejos]
        esperadas.append(([arbol.raiz(v) for v in viejos], inclusiones, [arbol.consistencia(v, n) for v in viejos]))
    assert [lo_leido(r) for r in go(*pedidas)] == esperadas


def escribir(arbol: Arbol, tamano: int, carpeta: Path) -> Path:
    for b in baldosas_nuevas(0, tamano):
        if b.nivel != ENTRADAS:
            archivo = carpeta / b.ruta
            archivo.parent.mkdir(parents=True, exist_ok=True)
            archivo.write_bytes(bytes_de(b, arbol))
    return carpeta


Leido = tuple[list[bytes], list[tuple[bytes, ...]], list[tuple[bytes, ...]]]


def lo_leido(respuesta: dict[str, Any]) -> Leido:
    assert respuesta["causa"] == ""
    inclusiones, consistencias = (list(map(huellas, respuesta[que])) for que in ("inclusiones", "consistencias"))
    return list(huellas(respuesta["raices"])), inclusiones, consistencias


def test_go_y_el_nucleo_rechazan_la_misma_baldosa_alterada(go: Go, arbol: Arbol, tmp_path: Path) -> None:
    tamano, raiz = 65_537, arbol.raiz(65_537)
    escribir(arbol, tamano, tmp_path)
    pedido = {"Que": "leer", "Tamano": tamano, "Raiz": raiz, "Carpeta": str(tmp_path), "Viejos": [300]}
    for ruta in ("tile/0/001", "tile/0/256.p/1", "tile/1/000", "tile/2/000.p/1"):
        archivo = tmp_path / ruta
        buena = archivo.read_bytes()
        archivo.write_bytes(con_un_bit_cambiado(buena, 40 * 32 + 5))
        (dicho,) = go(pedido)
        assert dicho["causa"]
        with pytest.raises(BaldosaInvalida):
            ArbolDeBaldosas(tamano, raiz, lambda r: (tmp_path / r).read_bytes()).inclusion(299)
        archivo.write_bytes(buena)
    assert go(pedido)[0]["causa"] == ""


def test_go_saca_de_cada_baldosa_llena_la_huella_que_esta_en_la_de_arriba(go: Go, arbol: Arbol, tmp_path: Path) -> None:
    escribir(arbol, 65_537, tmp_path)
    llenas = [b for b in baldosas_nuevas(0, 65_537) if b.llena and b.nivel != ENTRADAS]
    assert len(llenas) == 257
    pedido = {"Que": "baldosa", "Carpeta": str(tmp_path)}
    nombres = [b.ruta.replace("tile/", "tile/8/", 1) for b in llenas]
    resumenes = [arbol.nodo(8 * (b.nivel + 1), b.indice) for b in llenas]
    buenas = [{**pedido, "Nombre": n, "Huella": h} for n, h in zip(nombres, resumenes, strict=True)]
    assert {r["causa"] for r in go(*buenas)} == {""}
    malas = [{**b, "Huella": con_un_bit_cambiado(h, i)} for i, (b, h) in enumerate(zip(buenas, resumenes, strict=True))]
    assert {r["causa"] for r in go(*malas)} == {"la baldosa no resume eso"}


@pytest.mark.parametrize("tamano", [1, 2, 7, 255, 256, 300, 600])
def test_el_nucleo_acepta_el_arbol_las_pruebas_y_las_baldosas_de_go(
    go: Go, arbol: Arbol, tmp_path: Path, tamano: int
) -> None:
    viejos = sorted({1, 2, 3, 100, 255, 256, 257, tamano // 2, tamano - 1, tamano} & set(range(1, tamano + 1)))
    hojas = [hoja(i) for i in range(tamano)]
    (hecho,) = go({"Que": "hacer", "Hojas": hojas, "Viejos": viejos, "Carpeta": str(tmp_path)})
    raices, inclusiones, consistencias = lo_leido(hecho)
    raiz = raices[-1]
    assert raiz == arbol.raiz(tamano)
    leido = ArbolDeBaldosas(tamano, raiz, lambda ruta: (tmp_path / ruta).read_bytes())
    for b in baldosas_nuevas(0, tamano):
        if b.nivel != ENTRADAS:
            assert leido.huellas(b.nivel, b.indice) == bytes_de(b, arbol)
    for viejo, vieja, camino, prueba in zip(viejos, raices, inclusiones, consistencias, strict=True):
        huella = huella_de_hoja(hojas[viejo - 1])
        comprobar_inclusion(huella, viejo - 1, tamano, raiz, camino)
        comprobar_consistencia(viejo, tamano, vieja, raiz, prueba)
        with pytest.raises(PruebaInvalida):
            comprobar_inclusion(con_un_bit_cambiado(huella, viejo), viejo - 1, tamano, raiz, camino)
        with pytest.raises(PruebaInvalida):
            comprobar_consistencia(viejo, tamano, con_un_bit_cambiado(vieja, viejo), raiz, prueba)


def test_el_nucleo_abre_la_nota_que_firma_go(go: Go, arbol: Arbol) -> None:
    punto = Punto(ORIGEN, 600, arbol.raiz(600))
    (firmada,) = go({"Que": "firmar", "Nombre": ORIGEN, "Nota": punto.texto.encode()})
    assert firmada["causa"] == ""
    llave, datos = LlaveDeRegistro.de_vkey(firmada["llave"]), b64decode(firmada["nota"])
    assert llave.vkey == firmada["llave"]
    firmado = abrir_punto(datos, llave)
    assert firmado.punto == punto
    assert firmado.nota.a_bytes() == datos
    for lugar in range(len(datos)):
        with pytest.raises(NotaInvalida):
            abrir_punto(con_un_bit_cambiado(datos, lugar), llave)
    prueba = Prueba(77, arbol.inclusion(77, 600), firmado.nota)
    comprobar_prueba(leer_prueba(prueba.a_bytes()), hoja(77), llave)
    with pytest.raises(PruebaInvalida):
        comprobar_prueba(replace(prueba, indice=78), hoja(77), llave)


def test_un_texto_con_acentos_y_renglones_vacios_va_y_viene(go: Go) -> None:
    """La nota no es sólo para puntos de control."""
    texto = "Tehuantepec: acta señalada\n\nsegundo párrafo\n"
    (firmada,) = go({"Que": "firmar", "Nombre": "notaría.ejemplo.mx", "Nota": texto.encode()})
    llave = LlaveDeRegistro.de_vkey(firmada["llave"])
    (abierta,) = go({"Que": "abrir", "Nota": b64decode(firmada["nota"]), "Llaves": [llave.vkey]})
    assert abierta["texto"] == texto
    with pytest.raises(NotaInvalida):
        leer_punto(texto)
