"""`./prep mesa` y `./prep kiosco --mesa-de-pruebas` por sus órdenes: dos programas que se conocen por `mesa.json`."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import httpx
import pytest

from appliance.personas import Papel
from ensayo.puertos import puerto_libre
from nucleo.definicion import cargar_proceso
from nucleo.hechos import IdActa
from tests.catd_de_prueba import NOCHE, Gente, Pieza, escribir_personas, esperar
from tests.kiosco_de_prueba import carpeta_inscrita
from tests.persona_por_http import PersonaPorHttp, sin_marcas
from tests.puesto_de_prueba import acta_dibujada
from tests.turno_de_prueba import presentar, teclear_nip

DORA: Final = Gente.nueva("digital-1", "Dora Digital", Papel.ACOPIO, Papel.DIGITALIZACION)
TRES: Final = tuple(IdActa("GUB", c) for c in ("200003B0100", "200003C0100", "200002B0100"))

pytestmark = pytest.mark.lento


class Ordenes:
    """La mesa y el kiosco corriendo cada uno por su orden; `tablero` es el de la mesa."""

    def __init__(self, carpeta: Path, definicion: Path) -> None:
        self.proceso = cargar_proceso(definicion)
        self.anuncio = carpeta / "mesa" / "mesa.json"
        self.mesa = Pieza(
            "ensayo.mesa_de_pruebas",
            carpeta / "mesa.log",
            *("--carpeta", str(self.anuncio.parent), "--segundos-por-hoja", "0.1"),
        )
        kiosco = carpeta_inscrita(carpeta / "kiosco", definicion)
        escribir_personas(kiosco, (DORA,))
        puerto = puerto_libre()
        self.casa = f"http://127.0.0.1:{puerto}"
        self.kiosco = Pieza(
            "appliance",
            carpeta / "kiosco.log",
            *("--carpeta", str(kiosco), "--puerto", str(puerto), "--reloj-de-ensayo", NOCHE),
            *("--mesa-de-pruebas", str(self.anuncio)),
        )
        self.tablero = ""

    def levantar(self) -> None:
        self.mesa.levantar()
        assert esperar(self.anuncio.exists, 30), self.mesa.dicho()
        self.tablero = json.loads(self.anuncio.read_bytes())["tablero"]
        self.kiosco.levantar()
        limite = time.monotonic() + 60
        while True:
            try:
                httpx.get(self.casa + "/turno", trust_env=False)
                return
            except httpx.TransportError:
                assert self.kiosco.viva, self.kiosco.dicho()
                assert time.monotonic() < limite, self.kiosco.dicho()
                time.sleep(0.05)

    def en_la_mesa(self, camino: str, cuerpo: bytes = b"") -> dict[str, object]:
        respuesta = httpx.post(self.tablero + camino, content=cuerpo, trust_env=False)
        assert respuesta.status_code == 200, respuesta.text
        return dict(respuesta.json())


@pytest.fixture
def ordenes(tmp_path: Path, datos: Path) -> Iterator[Ordenes]:
    ordenes = Ordenes(tmp_path, datos / "oaxaca_2022")
    try:
        ordenes.levantar()
        yield ordenes
    finally:
        ordenes.kiosco.terminar()
        ordenes.mesa.terminar()
    assert not ordenes.anuncio.exists(), "la mesa se va y ya no se anuncia"


def test_tres_hojas_de_la_charola_simulada_a_la_lista_de_hechas(ordenes: Ordenes) -> None:
    cabeceras = {"origin": ordenes.casa, "sec-fetch-site": "same-origin"}
    with httpx.Client(
        base_url=ordenes.casa, headers=cabeceras, follow_redirects=True, trust_env=False, timeout=30
    ) as cliente:

        def leido() -> str:
            ordenes.en_la_mesa("leer", f"texto={DORA.gafete}".encode())
            respuesta = cliente.get("/lector?pide=gafete")
            return str(respuesta.json()["texto"]) if respuesta.status_code == 200 else ""

        assert esperar(lambda: leido() == DORA.gafete, 20), "el gafete no llegó por el lector de la mesa"
        teclear_nip(cliente, presentar(cliente, DORA.gafete), DORA.nip)
        dora = PersonaPorHttp(cliente)
        for acta in TRES:
            assert "Acopio registrado" in dora.acopiar(acta)
            ordenes.en_la_mesa("hoja", acta_dibujada(ordenes.proceso, acta))
        assert "escáner eSCL de la mesa de pruebas" in sin_marcas(dora.ver("/digitalizacion"))
        dora.mandar("/digitalizacion", "/digitalizacion", mando="digitalizar")
        assert esperar(lambda: dora.ver("/digitalizacion").count("hecha asignada") == 3, 60), sin_marcas(
            dora.ultima.text
        )
        assert "Todo lo que entró tiene registro" in sin_marcas(dora.ultima.text)
        estado = httpx.get(ordenes.tablero + "estado", trust_env=False).json()
        assert (estado["hojas"], estado["salieron"]) == (0, 3)
        ordenes.en_la_mesa("boton/desenchufar")
        dora.mandar("/digitalizacion", "/digitalizacion", mando="digitalizar")
        assert esperar(lambda: 'class="falla"' in dora.ver("/digitalizacion"), 60)
        assert "Siguiente paso" in sin_marcas(dora.ultima.text)
