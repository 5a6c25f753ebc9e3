"""Lo que puede salirle mal al centro una noche, cada prueba con el nombre de la desgracia."""

from __future__ import annotations

import io
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Thread

import pytest

from nucleo.definicion import cargar_proceso
from nucleo.temas import Carril
from servicio_central import (
    ajustes,
    arranque,
    calendario,
    cambios_de_padron,
    corte,
    inscripcion,
    padrones,
    publicado,
    vigente,
)
from servicio_central.almacen import Almacen
from servicio_central.corte import hacer_cortes
from servicio_central.enlace import Conexion, Enlace, Estado
from servicio_central.ingesta import Mensaje, Resultado
from servicio_central.publicacion.encargado import Encargado
from servicio_central.publicacion.escritura import CorteEnObra
from servicio_central.publicado import nombre_de, ultimo_publicado
from servicio_central.tropiezo import Tropiezo
from tests.centro_de_verdad import OAXACA, RAIZ, Inscrito, esperar
from tests.contrato.test_centro import KioscoAMano
from tests.cortes_de_prueba import con_resumen
from tests.sala_de_prueba import alarmas_de
from tests.sobres_de_prueba import PROCESO, CentroDePrueba, EquipoDePrueba

HORA = datetime(2022, 6, 6, 2, 20, tzinfo=UTC)


@pytest.fixture
def centro(tmp_path: Path) -> CentroDePrueba:
    return CentroDePrueba(tmp_path, [EquipoDePrueba("catd-01")])


@pytest.fixture
def inscrito(tmp_path: Path) -> Inscrito:
    """Un centro inscrito, con su propia copia de la definición para poder echarla a perder."""
    definicion = tmp_path / "definicion"
    definicion.mkdir()
    for nombre in ("eleccion.toml", "casillas.csv.gz"):
        shutil.copy(OAXACA / nombre, definicion / nombre)
    return Inscrito(tmp_path, definicion)


# --------------------------------------------------------------------------------------------- cortes y calendario


def test_un_dedazo_en_la_hora_no_hace_un_corte_del_futuro(centro: CentroDePrueba) -> None:
    with pytest.raises(Tropiezo, match="aún no llega"):
        hacer_cortes(centro.carpeta, PROCESO, HORA.replace(year=2042), ahora=HORA)
    assert ultimo_publicado(centro.carpeta) is None
    hacer_cortes(centro.carpeta, PROCESO, HORA + timedelta(minutes=1), ahora=HORA)


def test_un_salto_del_reloj_publico_un_corte_del_futuro_y_el_siguiente_lo_sustituye(centro: CentroDePrueba) -> None:
    en_2042 = HORA.replace(year=2042)
    hacer_cortes(centro.carpeta, PROCESO, en_2042, ahora=en_2042)
    hecho = hacer_cortes(centro.carpeta, PROCESO, HORA, ahora=HORA)["GUB"]
    assert ultimo_publicado(centro.carpeta) == nombre_de(PROCESO, HORA)
    assert "2042" in hecho.aviso
    anterior = hacer_cortes(centro.carpeta, PROCESO, HORA - timedelta(minutes=20), ahora=HORA)["GUB"]
    assert "no se publicó" in anterior.aviso


def test_un_corte_del_futuro_no_cuenta_como_hecho_y_operacion_lo_ve(tmp_path: Path) -> None:
    ahora, futuro = PROCESO.inicio_publicacion + timedelta(minutes=5), "20420605_2120"
    assert calendario.atrasado(PROCESO, ahora, futuro) is not None
    publicado.apuntar(tmp_path, f"cortes/{futuro}")
    dicho: list[str] = []
    vuelta = calendario._Vuelta(tmp_path, lambda: PROCESO, lambda *_: "disco lleno", dicho.append)
    vuelta.dar(ahora)
    assert "ERROR" in dicho[0]
    Almacen.abrir(tmp_path / ajustes.ALMACEN).cerrar()
    padron = CentroDePrueba(tmp_path / "c", []).padron()
    assert any(futuro in que for que in alarmas_de(tmp_path, PROCESO, padron, Estado(conectado=True), ahora))


def test_despues_del_cierre_el_calendario_sigue_vivo(tmp_path: Path) -> None:
    nombre = nombre_de(PROCESO, PROCESO.cierre)
    publicado.apuntar(tmp_path, f"cortes/{nombre}")
    (tmp_path / "cortes" / nombre).mkdir(parents=True)
    con_resumen(tmp_path / "cortes" / nombre, {"corte": {"ultimo": True}})
    dicho: list[str] = []
    parar = Event()
    hilo = calendario.empezar(tmp_path, lambda: PROCESO, lambda *_: "no", dicho.append, parar)
    assert esperar(lambda: bool(dicho), 5)
    hilo.join(timeout=0.2)
    assert hilo.is_alive()
    parar.set()
    hilo.join(timeout=5)
    assert dicho == ["ya se hizo el último corte del calendario"]


def test_un_corte_a_mano_despues_del_cierre_no_pasa_por_el_ultimo(centro: CentroDePrueba) -> None:
    despues = PROCESO.cierre + timedelta(minutes=3)
    hacer_cortes(centro.carpeta, PROCESO, despues)
    pedidos: list[tuple[datetime, bool]] = []

    def hacer(hora: datetime, ultimo: bool) -> str:
        pedidos.append((hora, ultimo))
        hacer_cortes(centro.carpeta, PROCESO, hora, ultimo=ultimo)
        return ""

    vuelta = calendario._Vuelta(centro.carpeta, lambda: PROCESO, hacer, lambda _: None)
    for _ in range(3):
        vuelta.dar(despues + timedelta(minutes=2))
    assert pedidos == [(despues + timedelta(minutes=2), True)]


def test_un_corte_que_se_atora_o_no_empieza_es_una_queja(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dicho: list[str] = []
    assert "tardó más" in Encargado(tmp_path, dicho.append, plazo=0.01)(HORA, False)
    encargado = Encargado(tmp_path, dicho.append)
    assert "Siguiente paso" in encargado(HORA, False), "sin centro en esa carpeta, y el publicador sigue vivo"
    proceso = encargado._proceso
    assert proceso is not None
    proceso.kill()
    proceso.wait()
    assert "Siguiente paso" in encargado(HORA, False), "si lo matan, se levanta otro"
    assert encargado._proceso is not proceso
    encargado.cerrar()
    monkeypatch.setattr(sys, "executable", str(tmp_path / "no-hay-python"))
    assert "no se pudo pedir" in Encargado(tmp_path, dicho.append)(HORA, False)


def test_un_defecto_no_termina_el_calendario(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calendario, "_REINTENTO", 0.01)
    dicho: list[str] = []
    veces: list[datetime] = []

    def hacer(hora: datetime, _ultimo: bool) -> str:
        veces.append(hora)
        raise ZeroDivisionError

    parar = Event()
    hilo = calendario.empezar(tmp_path, lambda: PROCESO, hacer, dicho.append, parar)
    assert esperar(lambda: len(veces) > 2, 5)
    parar.set()
    hilo.join(timeout=5)
    assert "DEFECTO" in dicho[0]


def test_dos_cortes_a_la_vez_no_chocan_ni_retroceden(centro: CentroDePrueba, monkeypatch: pytest.MonkeyPatch) -> None:
    levantar, quejas, nombres = CorteEnObra.levantar, list[BaseException](), list[str]()

    def despacio(obra: CorteEnObra) -> None:
        time.sleep(0.15)
        levantar(obra)

    monkeypatch.setattr(CorteEnObra, "levantar", despacio)

    def cortar() -> None:
        try:
            hacer_cortes(centro.carpeta, PROCESO, HORA)
            nombres.append(str(ultimo_publicado(centro.carpeta)))
        except BaseException as error:
            quejas.append(error)

    hilos = [Thread(target=cortar) for _ in range(3)]
    for hilo in hilos:
        hilo.start()
    for hilo in hilos:
        hilo.join()
    assert quejas == []
    assert set(nombres) == {nombre_de(PROCESO, HORA)}


def test_lo_que_dejo_un_corte_muerto_a_medias_se_limpia(centro: CentroDePrueba) -> None:
    resto = centro.carpeta / ".corte-20220605_2000-999999"
    resto.mkdir()
    (resto / "index.html").write_text("medio corte")
    hacer_cortes(centro.carpeta, PROCESO, HORA)
    assert not list(centro.carpeta.glob(".corte-*"))


# ------------------------------------------------------------------------------------------------------ la ingesta


def test_con_la_bitacora_en_un_disco_lleno_decir_no_lanza(monkeypatch: pytest.MonkeyPatch) -> None:
    lleno = io.TextIOWrapper(io.FileIO("/dev/full", "w"), write_through=True)
    monkeypatch.setattr(sys, "stderr", lleno)
    with pytest.raises(OSError, match="No space"):
        print("no cabe", file=sys.stderr, flush=True)
    arranque.decir("no cabe")
    lleno.detach().close()
    arranque.decir("ya no hay a dónde")


def test_si_no_se_puede_avisar_el_estado_no_dice_en_linea(centro: CentroDePrueba) -> None:
    def no_cabe(_texto: str) -> None:
        raise OSError(28, "No space left on device")

    enlace = Enlace(centro.ingesta, lambda _: _muda(), no_cabe)
    enlace.estado.conectado = True
    with pytest.raises(OSError, match="No space"):
        enlace._sin_enlace("se fue la luz")
    assert not enlace.estado.conectado


def _muda() -> Conexion:
    raise AssertionError


def test_el_almacen_no_contesta_al_revisar_el_padron_y_se_sigue_recibiendo(centro: CentroDePrueba) -> None:
    def ocupado() -> Resultado | None:
        raise sqlite3.OperationalError("database is locked")

    dicho: list[str] = []
    enlace = Enlace(centro.ingesta, lambda _: _muda(), dicho.append, ocupado)
    for _ in range(3):
        enlace._vigilado = -10.0
        enlace._revisar()
    assert len(dicho) == 1
    assert "database is locked" in dicho[0]


def test_si_la_ingesta_muere_operacion_se_pone_roja(centro: CentroDePrueba, monkeypatch: pytest.MonkeyPatch) -> None:
    dicho: list[str] = []
    enlace = Enlace(centro.ingesta, lambda _: _muda(), dicho.append)
    enlace.estado.conectado = True

    def morir(_parar: Event) -> None:
        raise MemoryError

    monkeypatch.setattr(enlace, "_ciclo", morir)
    enlace.correr(Event())
    alarmas = alarmas_de(centro.carpeta, PROCESO, centro.padron(), enlace.estado, HORA)
    assert any("LA INGESTA SE DETUVO" in que for que in alarmas)
    assert "DEFECTO" in dicho[0]


# ---------------------------------------------------------------------------------------------- definición y padrón


def _sin_coalicion(definicion: Path) -> None:
    toml = definicion / "eleccion.toml"
    texto = toml.read_text()
    desde = texto.index('[[elecciones.coaliciones]]\nnombre = "PRI-PRD"')
    hasta = texto.index("[[elecciones.coaliciones]]", desde + 1)
    texto = texto[:desde] + texto[hasta:]
    toml.write_text(texto.replace('partidos = ["PRI", "PRD"]', 'partidos = ["PRI"]'))


def _con_una_captura(inscrito: Inscrito, centro: arranque.Centro) -> None:
    kiosco = KioscoAMano(inscrito, "catd-01")
    kiosco.asentar(1)
    tema = inscrito.tema("catd-01", Carril.HECHOS)
    centro.ingesta.recargar(padron=inscripcion.leer_padron(inscrito.centro))
    (dictamen,) = centro.ingesta.procesar([Mensaje(tema, kiosco.sobres[0].encode())]).dictamenes
    assert dictamen.destino.value == "aceptado", dictamen


def test_quitar_una_coalicion_ya_capturada_no_detiene_los_cortes(inscrito: Inscrito, tmp_path: Path) -> None:
    dicho: list[str] = []
    centro = arranque.abrir_centro(inscrito.centro, dicho.append)
    _con_una_captura(inscrito, centro)
    antes = centro.vigia.proceso.huella
    _sin_coalicion(tmp_path / "definicion")
    assert cargar_proceso(tmp_path / "definicion").huella != antes
    centro.vigia.revisar()
    assert "ya no vale un hecho aceptado" in dicho[-1]
    assert centro.vigia.proceso.huella == antes
    # El corte, que corre en otro proceso, usa la misma que el centro aceptó.
    hora = HORA.isoformat()
    orden = [sys.executable, "-m", "servicio_central.corte", "--carpeta", str(inscrito.centro), "--hora", hora]
    hecho = subprocess.run(orden, capture_output=True, text=True, check=False, cwd=RAIZ)
    assert hecho.returncode == 0, hecho.stderr
    resumen = publicado.leer_resumen(inscrito.centro / publicado.PUBLICO)
    assert resumen["definicion"] == antes
    # Y al volver a arrancar, también.
    os.close(centro.candado)
    otra_vez = arranque.abrir_centro(inscrito.centro, dicho.append)
    assert otra_vez.vigia.proceso.huella == antes
    os.close(otra_vez.candado)


def test_una_definicion_que_no_quita_nada_si_se_adopta(inscrito: Inscrito, tmp_path: Path) -> None:
    centro = arranque.abrir_centro(inscrito.centro, lambda _: None)
    _con_una_captura(inscrito, centro)
    toml = tmp_path / "definicion" / "eleccion.toml"
    toml.write_text(toml.read_text().replace("independiente 1", "independiente uno"))
    centro.vigia.revisar()
    assert vigente.leer(inscrito.centro).huella == cargar_proceso(tmp_path / "definicion").huella
    assert centro.vigia.proceso.huella == vigente.leer(inscrito.centro).huella
    os.close(centro.candado)


def test_un_defecto_en_el_corte_se_dice_en_un_renglon(
    inscrito: Inscrito, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def roto(*_: object, **__: object) -> None:
        raise KeyError("C_PRI_PRD")

    monkeypatch.setattr(corte, "hacer_cortes", roto)
    monkeypatch.setattr(sys, "argv", ["corte", "--carpeta", str(inscrito.centro), "--hora", HORA.isoformat()])
    with pytest.raises(SystemExit) as salida:
        corte.main()
    assert salida.value.code == 1
    dicho = capsys.readouterr().err
    assert "C_PRI_PRD" in dicho
    assert "Siguiente paso" in dicho
    assert dicho.count("\n") == 1


def test_dos_centros_en_la_misma_carpeta_el_segundo_no_arranca(inscrito: Inscrito) -> None:
    centro = arranque.abrir_centro(inscrito.centro, lambda _: None)
    with pytest.raises(Tropiezo, match="otro centro ya usa"):
        arranque.abrir_centro(inscrito.centro, lambda _: None)
    os.close(centro.candado)
    os.close(arranque.abrir_centro(inscrito.centro, lambda _: None).candado)


def test_con_el_centro_apagado_alguien_puso_un_padron_viejo(inscrito: Inscrito) -> None:
    inscrito.kiosco("catd-01")
    cambios_de_padron.baja(inscrito.autoridad, inscrito.centro, "catd-01")
    viejo = (inscrito.centro / "padrones" / "000002.jws").read_bytes()
    (inscrito.centro / ajustes.PADRON).write_bytes(viejo)
    (inscrito.centro / "padrones" / "999999.jws").write_text("basura sin firma")
    dicho: list[str] = []
    centro = arranque.abrir_centro(inscrito.centro, dicho.append)
    assert centro.vigia.padron.version == 3
    assert not centro.vigia.padron.equipos["catd-01"].vigente
    assert "anterior al 3" in dicho[0]
    os.close(centro.candado)


def test_un_padron_traido_en_una_memoria_tambien_se_recuerda(inscrito: Inscrito) -> None:
    inscrito.kiosco("catd-01")
    for ruta in (inscrito.centro / "padrones").glob("*.jws"):
        ruta.unlink()
    os.close(arranque.abrir_centro(inscrito.centro, lambda _: None).candado)
    assert [r.name for r in (inscrito.centro / padrones.CARPETA).glob("*.jws")] == ["000002.jws"]
