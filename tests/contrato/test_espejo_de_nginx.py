"""El espejo y quien verifica, contra un nginx de verdad con la configuración que aquí se genera."""

from __future__ import annotations

import os
import shutil
import urllib.request
from pathlib import Path
from typing import Final

import pytest

from auditoria.verificar import noche
from auditoria.verificar.lector import LectorDeCarpeta
from tests.carpeta_publica_de_prueba import con_nginx
from tests.noche_de_registro import vivir
from vigilancia.entre_espejos import comparar
from vigilancia.espejo import espejar
from vigilancia.lector_http import LectorHttp

HAY_NGINX: Final = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin")
pytestmark = pytest.mark.skipif(HAY_NGINX is None, reason="no hay nginx (lo instala ./prep probar)")


def etiqueta(puerto: int, camino: str) -> str:
    pedido = urllib.request.Request(f"http://127.0.0.1:{puerto}{camino}", headers={"Accept-Encoding": "gzip"})
    with urllib.request.urlopen(pedido, timeout=10) as respuesta:
        return str(respuesta.headers["ETag"])


def test_un_espejo_de_nginx_servido_por_nginx_da_los_mismos_bytes_y_la_misma_etiqueta(tmp_path: Path) -> None:
    centro = vivir(tmp_path / "centro").carpeta
    espejo = tmp_path / "espejo"
    with con_nginx(centro) as puerto:
        origen = LectorHttp(f"http://127.0.0.1:{puerto}")
        hecho = espejar(origen, espejo)
        assert hecho.publica == Path(os.readlink(centro / "publico")).name  # noqa: PTH115
        noche.todo(LectorDeCarpeta(espejo))
        with con_nginx(espejo) as otro:
            assert "son los mismos bytes" in comparar(origen, LectorHttp(f"http://127.0.0.1:{otro}"))
            for camino in ("/", "/resumen.json", "/GUB/s/0101/B0100.json", "/casilla/0101.html", "/diccionario.json"):
                assert etiqueta(puerto, camino) == etiqueta(otro, camino), camino
