"""De los sobres aceptados a las actas: de quién es cada lectura y cuánto cuesta juzgarlas."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import nucleo.captura
from nucleo.acta import Acta, ActaPendiente, ActaVerificada, Asentado, MotivoSinActa, asentado_de_campos
from nucleo.campo import Numero
from nucleo.captura import MAXIMO_LECTURAS, estado_de
from nucleo.hechos import Captura, HechoDeActa, IdActa, Revision, SinActa, del_catd
from nucleo.libro import en_duda
from servicio_central.corte import actas_del_libro, hacer_corte
from servicio_central.enlace import Estado
from servicio_central.lectura import leer_hechos
from tests.sala_de_prueba import alarmas_de
from tests.sobres_de_prueba import AHORA, PROCESO, CentroDePrueba, EquipoDePrueba

CASILLA = next(iter(PROCESO.casillas.values()))
ELECCION = next(iter(PROCESO.elecciones.values()))
ACTA = IdActa(ELECCION.clave, CASILLA.clave)


def _asentado(votos: int) -> Asentado:
    nombres = ("BOLETAS_SOBRANTES", "PERSONAS_VOTARON", "REPRESENTANTES_VOTARON", "VOTOS_SACADOS", "TOTAL_ASENTADO")
    campos = {n: Numero(1) for n in nombres} | {o.clave: Numero(votos) for o in ELECCION.opciones_de(CASILLA)}
    return asentado_de_campos(campos)


def _captura(persona: str, votos: int, minutos: int) -> Captura:
    return Captura(ACTA, 1, AHORA + timedelta(minutes=minutos), persona, _asentado(votos))


def _acta(centro: CentroDePrueba) -> Acta:
    return actas_del_libro(centro.carpeta, PROCESO, ELECCION.clave)[0]


@pytest.fixture
def verificada(tmp_path: Path) -> tuple[CentroDePrueba, EquipoDePrueba]:
    """El CATD 1 ya verificó el acta con 10 votos; el CATD 2 existe y llama igual a su gente."""
    uno, dos = EquipoDePrueba("catd-01"), EquipoDePrueba("catd-02")
    centro = CentroDePrueba(tmp_path / "centro", [uno, dos])
    centro.ingesta.procesar([uno.mensaje(_captura(f"capturista-{n}", 10, n)) for n in (1, 2)])
    return centro, dos


def test_la_gente_de_otro_catd_con_el_mismo_nombre_no_sustituye_lo_ya_leido(
    verificada: tuple[CentroDePrueba, EquipoDePrueba],
) -> None:
    centro, otro = verificada
    # Su reloj va atrasado: si «capturista-1» fuera la misma persona, su lectura sería la primera y la que valdría.
    centro.ingesta.procesar([otro.mensaje(_captura("capturista-1", 3, -60))])
    acta = _acta(centro)
    assert isinstance(acta, ActaVerificada)
    assert acta.asentado == _asentado(10)


def test_dos_catd_que_leen_distinto_dejan_el_acta_en_duda_y_no_publicada(
    verificada: tuple[CentroDePrueba, EquipoDePrueba],
) -> None:
    centro, otro = verificada
    centro.ingesta.procesar([otro.mensaje(_captura(f"capturista-{n}", 3, n - 60)) for n in (1, 2)])
    assert isinstance(_acta(centro), ActaPendiente)
    hechos = leer_hechos(centro.carpeta, ELECCION.clave).hechos
    assert en_duda(ELECCION.clave, hechos) == (CASILLA.clave,)
    hacer_corte(centro.carpeta, PROCESO, ELECCION.clave, AHORA + timedelta(hours=1))
    dicho = alarmas_de(centro.carpeta, PROCESO, centro.padron(), Estado(), datetime.now(UTC))
    assert any(CASILLA.clave in que for que in dicho), "operación tiene que saber cuál se retiró"


def test_cada_nombre_queda_bajo_su_catd() -> None:
    revision = Revision(ACTA, 1, AHORA, ("ana", "beto"), {"PAN": Numero(1)})
    ausencia = SinActa(ACTA, AHORA, MotivoSinActa.CASILLA_NO_INSTALADA, "ana", "beto")
    assert del_catd(revision, "catd-7") == Revision(ACTA, 1, AHORA, ("catd-7/ana", "catd-7/beto"), revision.campos)
    assert del_catd(ausencia, "catd-7") == SinActa(ACTA, AHORA, ausencia.motivo, "catd-7/ana", "catd-7/beto")
    assert del_catd(_captura("ana", 1, 0), "catd-7") == _captura("catd-7/ana", 1, 0)


def test_miles_de_capturas_de_una_casilla_no_vuelven_cuadratico_el_corte(monkeypatch: pytest.MonkeyPatch) -> None:
    hechos: list[HechoDeActa] = [_captura(f"x{n}", 7 if n > 300 else 9, n) for n in range(601)]
    veces = 0
    juzgar = nucleo.captura._juzgar

    def contando(vuelta: int, de_vuelta: list[HechoDeActa]) -> object:
        nonlocal veces
        veces += 1
        return juzgar(vuelta, de_vuelta)

    monkeypatch.setattr(nucleo.captura, "_juzgar", contando)
    estado_de(hechos)
    assert veces <= MAXIMO_LECTURAS + 1
