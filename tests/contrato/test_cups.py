"""Imprimir por un CUPS de verdad: cada causa con sus palabras, y lo que no salió a tiempo no sale después."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from appliance.impresion.cups import ImpresoraCups
from appliance.impresion.imprenta import Imprenta
from appliance.impresion.puerto import EstadoImpresora
from nucleo.problema import Rechazo
from tests.cups_de_prueba import COLA, Cups

PDF = b"%PDF-1.4\n% una etiqueta\n%%EOF\n"
HORA = datetime(2026, 6, 7, 20, 5, tzinfo=UTC)

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="cupsd propio necesita root: suelta privilegios al imprimir")


@pytest.fixture(scope="module")
def cups() -> Iterator[Cups]:
    # Ruta corta: la de un zócalo no pasa de 107 bytes.
    with tempfile.TemporaryDirectory(prefix="cups-") as carpeta:
        cups = Cups(Path(carpeta))
        try:
            yield cups
        finally:
            cups.detener()


@pytest.fixture
def impresora(cups: Cups) -> ImpresoraCups:
    return ImpresoraCups(COLA, cups.servidor)


def test_lo_que_se_manda_sale_tal_cual(cups: Cups, impresora: ImpresoraCups) -> None:
    assert impresora.estado() == EstadoImpresora(COLA, True, "lista")
    antes = len(cups.trabajos())
    assert impresora.imprimir(PDF, "Etiqueta ñ \x07") == COLA
    assert cups.trabajos()[antes:] == [PDF]


@pytest.mark.parametrize(("que", "codigo"), [("sin_papel", "SIN_PAPEL"), ("atorada", "ATASCO")])
def test_lo_que_no_salio_no_sale_despues(cups: Cups, impresora: ImpresoraCups, que: str, codigo: str) -> None:
    antes = len(cups.trabajos())
    cups.pasa(que)
    try:
        hecho = impresora.imprimir(PDF, "x")
    finally:
        cups.se_arregla(que)
    assert isinstance(hecho, Rechazo)
    assert hecho.codigo == codigo
    assert impresora.imprimir(PDF + b"otra", "y") == COLA
    assert cups.trabajos()[antes:] == [PDF + b"otra"]


def test_apagada(cups: Cups, impresora: ImpresoraCups) -> None:
    cups.pasa("apagada")
    try:
        hecho = impresora.imprimir(PDF, "x")
    finally:
        cups.se_arregla("apagada")
        cups.orden("cupsenable", COLA)
    assert isinstance(hecho, Rechazo)
    assert hecho.codigo in ("APAGADA", "COLA_DETENIDA")


def test_cola_detenida_y_cola_que_no_acepta(cups: Cups, impresora: ImpresoraCups) -> None:
    for detener, reanudar in (("cupsdisable", "cupsenable"), ("cupsreject", "cupsaccept")):
        cups.orden(detener, COLA)
        hecho = impresora.imprimir(PDF, "x")
        cups.orden(reanudar, COLA)
        assert isinstance(hecho, Rechazo), detener
        assert hecho.codigo == "COLA_DETENIDA"


def test_no_hay_tal_impresora(cups: Cups) -> None:
    hecho = ImpresoraCups("ninguna", cups.servidor).imprimir(PDF, "x")
    assert isinstance(hecho, Rechazo)
    assert hecho.codigo == "SIN_IMPRESORA"


def test_con_cups_muerto_queda_en_pdf_y_se_dice(cups: Cups, impresora: ImpresoraCups, tmp_path: Path) -> None:
    imprenta = Imprenta(tmp_path / "impresos", impresora)
    cups.detener()
    try:
        impreso = imprenta.imprimir(PDF, "Relación de la caja 1", HORA)
    finally:
        cups.arrancar()
    assert impreso.impresora is None
    assert impreso.porque is not None
    assert impreso.porque.codigo in ("CUPS_APAGADO", "SIN_IMPRESORA")
    assert imprenta.leer(impreso.archivo) == PDF
    assert imprenta.imprimir(PDF, "otra", HORA).impresora == COLA


@pytest.mark.parametrize("nombre", ["-h", "", "a b", "../x", "x" * 200, "-d otra"])
def test_un_nombre_de_cola_nunca_llega_a_ser_una_opcion(nombre: str) -> None:
    with pytest.raises(ValueError, match="cola"):
        ImpresoraCups(nombre)


def test_sin_impresora_queda_en_pdf(tmp_path: Path) -> None:
    imprenta = Imprenta(tmp_path / "impresos")
    impreso = imprenta.imprimir(PDF, "Etiqueta 20 0001 B01", HORA)
    assert (impreso.impresora, impreso.porque) == (None, None)
    assert imprenta.leer(impreso.archivo) == PDF
    assert imprenta.leer("../almacen.sqlite") is None
