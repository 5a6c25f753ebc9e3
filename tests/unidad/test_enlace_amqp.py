"""Lo que se le devuelve a RabbitMQ y cuándo, con la ingesta de verdad y un almacén que a ratos no contesta."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import pytest

from servicio_central.enlace_amqp import ConexionAmqp, Devolviendo, Entrega
from servicio_central.ingesta import Ingesta, Mensaje, Resultado
from tests.sobres_de_prueba import CentroDePrueba, EquipoDePrueba, captura


class ConexionDePrueba:
    """Anota lo devuelto; lo demás de una conexión no se usa aquí."""

    def __init__(self) -> None:
        self.viva = True
        self.devueltos: list[int] = []

    def devolver(self, numero: int) -> None:
        self.devueltos.append(numero)


@pytest.fixture
def conexion() -> ConexionDePrueba:
    return ConexionDePrueba()


def _entregas(conexion: ConexionDePrueba, mensajes: Sequence[Mensaje]) -> list[Mensaje]:
    return [Entrega(m.tema, m.datos, n, cast(ConexionAmqp, conexion)) for n, m in enumerate(mensajes, 1)]


def test_se_devuelve_una_vez_y_despues_de_lo_durable(tmp_path: Path, conexion: ConexionDePrueba) -> None:
    equipo = EquipoDePrueba("catd-01")
    centro = CentroDePrueba(tmp_path, [equipo])
    lote = _entregas(conexion, [equipo.mensaje(captura(persona=p)) for p in ("ana", "beto")])
    resultado = Devolviendo(centro.ingesta, print).procesar([*lote, equipo.envio("basura")])
    assert [d.destino.value for d in resultado.dictamenes] == ["aceptado", "aceptado", "fatal"]
    assert conexion.devueltos == [2]


def test_el_almacen_no_contesta_y_el_lote_espera_entero(tmp_path: Path, conexion: ConexionDePrueba) -> None:
    equipo = EquipoDePrueba("catd-01")
    centro = CentroDePrueba(tmp_path, [equipo])
    lote = _entregas(conexion, [equipo.mensaje(captura())])
    centro.almacen.bd.execute("PRAGMA query_only = ON")
    dichos: list[str] = []
    esperas: list[float] = []

    def dormir(segundos: float) -> None:
        assert conexion.devueltos == [], "se devolvió algo que no se había guardado"
        esperas.append(segundos)
        if len(esperas) == 4:
            centro.almacen.bd.execute("PRAGMA query_only = OFF")

    resultado = Devolviendo(centro.ingesta, dichos.append, dormir).procesar(lote)
    assert [d.destino.value for d in resultado.dictamenes] == ["aceptado"]
    assert conexion.devueltos == [1]
    assert len(esperas) == 4
    assert "se repite entero" in dichos[0]
    assert "volvió" in dichos[1]


def test_si_se_va_la_conexion_se_deja_de_insistir(tmp_path: Path, conexion: ConexionDePrueba) -> None:
    equipo = EquipoDePrueba("catd-01")
    centro = CentroDePrueba(tmp_path, [equipo])
    centro.almacen.bd.execute("PRAGMA query_only = ON")
    lote = _entregas(conexion, [equipo.mensaje(captura())])

    def dormir(_segundos: float) -> None:
        conexion.viva = False

    resultado = Devolviendo(centro.ingesta, lambda _: None, dormir).procesar(lote)
    assert [d.codigo for d in resultado.dictamenes] == ["ALMACEN"]
    assert resultado.acuses == ()
    assert conexion.devueltos == []


def test_un_mensaje_que_nos_tumba_no_se_pide_para_siempre(tmp_path: Path, conexion: ConexionDePrueba) -> None:
    class Defectuosa(Ingesta):
        def procesar(self, mensajes: Sequence[Mensaje]) -> Resultado:
            if any(m.datos == b"veneno" for m in mensajes):
                raise ZeroDivisionError
            return super().procesar(mensajes)

    equipo = EquipoDePrueba("catd-01")
    centro = CentroDePrueba(tmp_path, [equipo])
    centro.ingesta.__class__ = cast(Any, Defectuosa)
    devolviendo = Devolviendo(centro.ingesta, print)
    lote = _entregas(conexion, [equipo.mensaje(captura()), equipo.envio("veneno")])
    with pytest.raises(ZeroDivisionError):
        devolviendo.procesar(lote)
    # El enlace los prueba uno por uno: el lote no se devuelve, cada uno sí.
    assert conexion.devueltos == []
    devolviendo.procesar(lote[:1])
    with pytest.raises(ZeroDivisionError):
        devolviendo.procesar(lote[1:])
    assert conexion.devueltos == [1, 2]
