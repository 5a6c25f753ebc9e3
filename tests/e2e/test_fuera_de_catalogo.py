"""Un documento de ninguna casilla, de la charola al libro del centro: lo declara una persona y lo confirma otra."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import httpx
import pytest

from nucleo.acta import Digitalizacion, Origen
from nucleo.hechos import IdActa
from tests.catd_de_prueba import CatdDePrueba, esperar
from tests.persona_por_http import PersonaPorHttp, sin_marcas
from tests.puesto_de_prueba import acta_dibujada
from tests.turno_de_prueba import entrar

AJENA: Final = IdActa("GUB", "200003B0100")
LLENA: Final = {"eleccion": "GUB", "documento": "CC", "traslado": "F", "confirma": "coordina-1"}

pytestmark = [pytest.mark.lento, pytest.mark.broker]


@pytest.fixture
def catd(tmp_path: Path) -> Iterator[CatdDePrueba]:
    with CatdDePrueba(tmp_path / "catd") as catd:
        yield catd


@contextmanager
def turno(catd: CatdDePrueba, clave: str) -> Iterator[PersonaPorHttp]:
    cabeceras = {"origin": catd.casa, "sec-fetch-site": "same-origin"}
    with httpx.Client(
        base_url=catd.casa, headers=cabeceras, follow_redirects=True, trust_env=False, timeout=30
    ) as cliente:
        entrar(cliente, clave, gafete=catd.gente[clave].gafete, nip=catd.gente[clave].nip)
        yield PersonaPorHttp(cliente)


def test_de_la_charola_a_la_publicacion_con_el_nip_de_coordinacion(catd: CatdDePrueba) -> None:
    catd.mesa.meter_hoja(acta_dibujada(catd.proceso, AJENA, con_etiqueta=False))
    with turno(catd, "digital-1") as dora:
        dora.mandar("/digitalizacion", "/digitalizacion", mando="digitalizar")
        assert esperar(lambda: 'class="dudosa"' in dora.ver("/digitalizacion"), 60), sin_marcas(dora.ultima.text)
        hallada = re.search(r'href="(/hoja/\d+)"', dora.ultima.text)
        assert hallada is not None
        ruta = hallada[1] + "/fuera"
        nip = catd.gente["coordina-1"].nip
        for mal, dicho in (
            ({"nip": "135790"}, "NIP"),
            ({"nip": nip, "confirma": "captura-1"}, "Falta que confirme"),
            ({"nip": nip, "confirma": "digital-1"}, "Falta que confirme"),
            ({"nip": nip, "eleccion": "OTRA"}, "Falta decir la elección"),
            ({"nip": nip, "traslado": "Z"}, "mecanismo de traslado"),
        ):
            assert dicho in dora.mandar(ruta, ruta, **(LLENA | mal))
            assert dora.ultima.status_code == 422
        pagina = dora.mandar(ruta, ruta, **LLENA, nip=nip)
        assert "fuera de catálogo" in sin_marcas(pagina)
        assert 'class="dudosa"' not in pagina
        # Otra vez, desde una página que se quedó abierta: ya está resuelta y no se declara dos veces.
        dora.ver(ruta)
        assert dora.ultima.status_code == 409
        imagen = dora.cliente.get(hallada[1] + "/imagen")
        assert imagen.headers["content-type"] == "image/webp"
    with turno(catd, "acopio-1") as ana:
        assert "Copia del consejo" in sin_marcas(ana.ver("/fuera"))
    assert esperar(lambda: bool(catd.fuera_de_catalogo()), 30), catd.enlace.dicho()[-2000:]
    (publicada,) = catd.fuera_de_catalogo()
    de = publicada.procedencia
    assert (de.tipo_documento, de.mecanismo_traslado, de.origen) == ("CC", "F", Origen.CATD)
    assert de.digitalizacion is Digitalizacion.ESCANER
    assert len(de.imagen) == 64
    assert publicada.folio
    assert AJENA not in {a for a, x in catd.libro().items() if getattr(x, "procedencia", None) is not None}
