"""Lo que en la sala se leía mal: lo peligroso igual a lo simple, un código a secas, un ✔ junto a lo que falta."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from nucleo.acta import Digitalizacion
from nucleo.hechos import IdActa, Imagen
from nucleo.orden import MostrarMensaje
from servicio_central.informe_de_mochila import Informe
from servicio_central.monitor import motivos
from servicio_central.monitor.observador import Pantalla
from servicio_central.monitor.papeles import Papel
from tests.sala_de_prueba import SalaDePrueba
from tests.unidad.test_monitor_ordenes import Navegador

RAIZ = Path(__file__).parents[2]


@pytest.fixture
def sala(tmp_path: Path) -> Iterator[SalaDePrueba]:
    sala = SalaDePrueba(tmp_path, 2, servir=False)
    sala.cuenta("ana", Papel.OPERADOR)
    sala.latir(*sala.equipos)
    sala.sala.observador.mirar()
    yield sala
    sala.centro.almacen.cerrar()


def test_cada_codigo_con_que_se_aparta_algo_tiene_sus_palabras() -> None:
    codigos: set[str] = set()
    for ruta in ("servicio_central/juicio.py", "nucleo/sobre.py", "nucleo/cabida.py"):
        fuente = (RAIZ / ruta).read_text("utf-8")
        codigos |= set(re.findall(r'(?:_Falla|SobreInvalido|Objecion|_inaceptable)\(\s*"([A-Z_]+)"', fuente))
        codigos |= set(re.findall(r'Todavia\(hecho, "([A-Z_]+)"', fuente))
    assert {"FIRMA", "RENGLONES", "EXCLUIDO", "CASILLA_DESCONOCIDA"} <= codigos
    assert codigos <= motivos.MOTIVOS.keys()
    assert motivos.en_palabras("DE_OTRA_VERSION") == "DE_OTRA_VERSION"


def test_una_mochila_que_entro_en_parte_no_se_ve_como_la_que_no_entro(sala: SalaDePrueba) -> None:
    ahora = datetime.now(UTC).isoformat(timespec="seconds")
    informe = Informe("catd-001-abc-01", ahora, equipo="catd-001", sobres=3)
    informe.destinos, informe.codigos = Counter(aceptado=2, fatal=1), Counter(FIRMA=1)
    sala.centro.mochilas.buzon.informar(informe)
    sala.sala.observador.mirar()
    pedazo = sala.sala.observador.pagina(Pantalla.MESA)[1].sueltos["mochilas"]
    assert "◐" in pedazo
    assert "✖" not in pedazo
    assert 'class="mal"' not in pedazo
    assert "1 porque la firma no es la de su equipo (FIRMA)" in pedazo


def test_un_catd_al_que_le_faltan_imagenes_que_ya_no_tiene_por_salir_no_dice_que_todo_esta_bien(
    sala: SalaDePrueba,
) -> None:
    ana, observador = Navegador(sala, "ana"), sala.sala.observador
    bien = "✔ Nada por atender en este equipo"
    assert bien in ana.ver("/operacion/equipo/catd-001")
    (eleccion,) = sala.proceso.elecciones
    acta = IdActa(eleccion, next(iter(sala.proceso.casillas)))
    imagen = Imagen(acta, sala.proceso.inicio_publicacion, "a1" * 32, 1000, Digitalizacion.ESCANER, "ana")
    sala.mandar("catd-001", imagen)
    sala.latir("catd-001")
    observador._contador.contar()
    observador.mirar()
    pagina = ana.ver("/operacion/equipo/catd-001")
    assert bien not in pagina
    assert "Falta aquí una imagen, y el equipo dice tener 0 por salir" in pagina
    assert "Siguiente paso" in pagina
    sala.latir("catd-001", imagenes=1, imagenes_bytes=1000)
    observador.mirar()
    assert bien in ana.ver("/operacion/equipo/catd-001"), "la tiene y viene en camino"


def test_lo_que_firma_la_autoridad_va_aparte_y_dice_que_solo_es_una_solicitud(sala: SalaDePrueba) -> None:
    pagina = Navegador(sala, "ana").ver("/operacion/equipo/catd-001/ordenar")
    antes, aparte = pagina.split("Lo que firma la autoridad")
    assert ('value="pausar_imagenes"' in antes, 'value="baja"' in antes) == (True, False)
    assert 'value="baja"' in aparte
    assert "De aquí sólo sale la solicitud: el equipo sigue trabajando hasta que la autoridad firme" in aparte


def test_un_mensaje_vacio_no_quita_el_que_habia_sin_confirmarlo(sala: SalaDePrueba) -> None:
    ana, bandeja = Navegador(sala, "ana"), sala.centro.despacho.bandeja
    for campos, dicho in (
        ({"texto": "  "}, "El mensaje está vacío y no se mandó nada"),
        ({"texto": "llamen", "quitar": "1"}, "No se mandó nada"),
    ):
        r = ana.ordenar("catd-001", "mensaje", **campos)
        assert r.status_code == 400
        assert dicho in r.text
    assert bandeja.de("catd-001") == ()
    assert ana.ordenar("catd-001", "mensaje", texto="", quitar="1").status_code == 303
    assert [o.que for o in bandeja.de("catd-001")] == [MostrarMensaje("")]
