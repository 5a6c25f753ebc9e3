"""Los dos lectores pasan la misma batería: el de serie sobre un pty de verdad, el de teclado sobre bytes de evdev."""

from __future__ import annotations

import contextlib
import os
import stat
import struct
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, Protocol

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.falla import Falla
from appliance.lector import lector_serie
from appliance.lector.buzon import CADUCA_S, Buzon
from appliance.lector.escucha import Escucha
from appliance.lector.lector_serie import LectorSerie
from appliance.lector.lector_teclado import LectorTeclado
from appliance.lector.puerto import MAXIMO, Lector
from appliance.lector.renglones import Renglones
from appliance.lector.teclas import SIGNOS
from ensayo.mesa_de_pruebas.lector import LectorDeMesa

ESPERA_S: Final = 15.0
NADA_S: Final = 0.05
CODIGO: Final = 'https://prep.mx/a?c=200003C0100&n=7F#"¡no!"'.replace("¡", "")
EVENTO: Final = struct.Struct("@llHHi")
TECLAS: Final = {
    signo: (tecla, mayuscula) for tecla, par in SIGNOS.items() for mayuscula, signo in reversed(list(enumerate(par)))
}


class Aparato(Protocol):
    """El lector físico: lo que hay debajo del código de producción."""

    ruta: Path

    def mandar(self, texto: str) -> None: ...

    def desconectar(self) -> None: ...


class AparatoSerie:
    def __init__(self, carpeta: Path) -> None:
        self._mesa = LectorDeMesa(carpeta / "lector")
        self.ruta = self._mesa.enlace

    def mandar(self, texto: str) -> None:
        self._mesa.mandar(texto.encode())

    def desconectar(self) -> None:
        self._mesa.desconectar()


class AparatoTeclado:
    """Aquí no hay /dev/uinput: un FIFO lleva los mismos `struct input_event` que el núcleo."""

    def __init__(self, carpeta: Path) -> None:
        self.ruta = carpeta / "event7"
        os.mkfifo(self.ruta)
        self._extremo = os.open(self.ruta, os.O_RDWR)

    def mandar(self, texto: str) -> None:
        self.crudo(b"".join(map(tecleo, texto)))

    def crudo(self, datos: bytes) -> None:
        os.write(self._extremo, datos)

    def desconectar(self) -> None:
        if self._extremo >= 0:
            os.close(self._extremo)
        self._extremo = -1


def evento(tipo: int, codigo: int, valor: int) -> bytes:
    return EVENTO.pack(1_780_000_000, 123, tipo, codigo, valor)


def tecleo(signo: str) -> bytes:
    """Lo que manda el núcleo por una tecla: MSC_SCAN, apretar, SYN, soltar, SYN, con la mayúscula si hace falta."""
    tecla, mayuscula = (28, 0) if signo in "\r\n" else TECLAS[signo]
    pasos = evento(4, 4, 0x70004) + evento(1, tecla, 1) + evento(0, 0, 0) + evento(1, tecla, 0) + evento(0, 0, 0)
    return evento(1, 42, 1) + evento(0, 0, 0) + pasos + evento(1, 42, 0) if mayuscula else pasos


@pytest.fixture(params=["serie", "teclado"])
def aparato(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Aparato]:
    aparato = AparatoSerie(tmp_path) if request.param == "serie" else AparatoTeclado(tmp_path)
    try:
        yield aparato
    finally:
        aparato.desconectar()


def abrir(aparato: Aparato) -> Lector:
    return LectorSerie(aparato.ruta) if isinstance(aparato, AparatoSerie) else LectorTeclado(aparato.ruta)


@pytest.fixture
def lector(aparato: Aparato) -> Iterator[Lector]:
    lector = abrir(aparato)
    try:
        yield lector
    finally:
        lector.cerrar()


# ----------------------------------------------------------------------------------------------- la batería de contrato


def test_lo_leido_llega_tal_cual(aparato: Aparato, lector: Lector) -> None:
    aparato.mandar(CODIGO + "\r")
    assert lector.leer(ESPERA_S) == CODIGO
    assert lector.leer(NADA_S) is None


def test_dos_lecturas_de_un_golpe_llegan_las_dos_y_en_orden(aparato: Aparato, lector: Lector) -> None:
    aparato.mandar("uno\r\ndos\r\n\r\n")
    assert [lector.leer(ESPERA_S), lector.leer(0), lector.leer(NADA_S)] == ["uno", "dos", None]


def test_una_lectura_partida_en_pedazos_llega_entera(aparato: Aparato, lector: Lector) -> None:
    aparato.mandar("2000")
    assert lector.leer(NADA_S) is None
    aparato.mandar("03C0100\r")
    assert lector.leer(ESPERA_S) == "200003C0100"


def test_un_codigo_kilometrico_se_tira_entero_y_el_siguiente_sirve(aparato: Aparato, lector: Lector) -> None:
    for _ in range((MAXIMO + 100) // 50):
        aparato.mandar("a" * 50)
        assert lector.leer(NADA_S / 10) is None
    aparato.mandar("\rbueno\r")
    assert lector.leer(ESPERA_S) == "bueno"


def test_se_desconecta_y_se_dice(aparato: Aparato, lector: Lector) -> None:
    aparato.desconectar()
    with pytest.raises(Falla) as falla:
        lector.leer(ESPERA_S)
    assert falla.value.rechazo.codigo == "LECTOR"
    assert "conéctelo" in falla.value.rechazo.siguiente


def test_cerrar_dos_veces_no_falla_y_cerrado_no_lee(lector: Lector) -> None:
    lector.cerrar()
    lector.cerrar()
    with pytest.raises(Falla):
        lector.leer(0)


def test_no_esta_donde_se_esperaba(aparato: Aparato, tmp_path: Path) -> None:
    for clase in (LectorSerie, LectorTeclado):
        with pytest.raises(Falla):
            clase(tmp_path / "no está")


def test_se_desconecta_y_al_volver_se_sigue_leyendo(tmp_path: Path) -> None:
    mesa = LectorDeMesa(tmp_path / "lector")
    leidas: list[str] = []
    escucha = Escucha(
        lambda: LectorSerie(mesa.enlace) if mesa.enlace.exists() else None,
        leidas.append,
        reintento_s=0.01,
        decir=_callar,
    )
    escucha.empezar()
    try:
        esperar(lambda: escucha.estado().presente)
        mesa.leer("gafete-1")
        esperar(lambda: leidas == ["gafete-1"])
        mesa.desconectar()
        esperar(lambda: not escucha.estado().presente)
        falla = escucha.estado().falla
        assert falla is not None
        assert falla.codigo == "LECTOR"
        mesa.conectar()
        esperar(lambda: escucha.estado().presente)
        mesa.leer("gafete-2")
        esperar(lambda: leidas == ["gafete-1", "gafete-2"])
        assert escucha.estado().falla is None
        assert escucha.estado().lecturas == 2
    finally:
        escucha.terminar()
        mesa.desconectar()
    escucha.terminar()


def test_quien_recibe_falla_y_se_sigue_escuchando(tmp_path: Path) -> None:
    mesa = LectorDeMesa(tmp_path / "lector")
    leidas: list[str] = []
    dicho: list[str] = []

    def recibir(texto: str) -> None:
        leidas.append(texto)
        raise KeyError(texto)

    escucha = Escucha(lambda: LectorSerie(mesa.enlace), recibir, decir=dicho.append)
    escucha.empezar()
    try:
        esperar(lambda: escucha.estado().presente)
        for n in range(3):
            mesa.leer(f"secreto-{n}")
        esperar(lambda: len(leidas) == 3)
        assert escucha.estado().presente
    finally:
        escucha.terminar()
        mesa.desconectar()
    assert dicho
    assert not any("secreto" in renglon for renglon in dicho)


def test_no_hay_lector_y_el_hilo_espera(tmp_path: Path) -> None:
    veces: list[None] = []

    def abrir() -> None:
        veces.append(None)
        if len(veces) == 2:
            raise RuntimeError("udev se confundió")

    escucha = Escucha(abrir, lambda _: None, reintento_s=0.01, decir=_callar)
    escucha.empezar()
    try:
        esperar(lambda: len(veces) > 3)
        assert not escucha.estado().presente
    finally:
        escucha.terminar()


# ------------------------------------------------------------------------------------------------------- lo de cada uno


def test_medio_codigo_tras_un_silencio_no_se_pega_al_siguiente(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Media clave pegada a otra podría ser la de una tercera casilla."""
    monkeypatch.setattr(lector_serie, "SILENCIO_S", 0.05)
    mesa = LectorDeMesa(tmp_path / "lector")
    lector = LectorSerie(mesa.enlace)
    mesa.mandar(b"200003C")
    assert lector.leer(NADA_S) is None
    time.sleep(0.1)
    mesa.mandar(b"200004B0100\r")
    assert lector.leer(ESPERA_S) == "200004B0100"
    lector.cerrar()
    mesa.desconectar()


def test_un_byte_torcido_no_se_vuelve_otro_codigo(tmp_path: Path) -> None:
    mesa = LectorDeMesa(tmp_path / "lector")
    lector = LectorSerie(mesa.enlace)
    mesa.mandar(b"\x02200\xff003\x03\r" + "Muñoz".encode()[:3])
    assert lector.leer(ESPERA_S) == "200�003"
    mesa.mandar("Muñoz".encode()[3:] + b"\r")
    assert lector.leer(ESPERA_S) == "Muñoz"
    lector.cerrar()
    mesa.desconectar()


def test_un_aparato_que_no_calla_no_retiene_a_quien_espera() -> None:
    """Basura sin fin y sin fin de renglón: `leer` regresa, para que el hilo se pueda terminar."""
    lectura, escritura = os.pipe()
    lector = LectorTeclado(Path(f"/proc/self/fd/{lectura}"))
    os.close(lectura)
    parar = threading.Event()

    def parlotear() -> None:
        with contextlib.suppress(BrokenPipeError):
            while not parar.is_set():
                os.write(escritura, tecleo("a") * 20)

    hilo = threading.Thread(target=parlotear)
    hilo.start()
    try:
        assert lector.leer(NADA_S) is None
    finally:
        parar.set()
        lector.cerrar()
        hilo.join()
        os.close(escritura)


def test_al_lector_no_se_le_devuelve_eco(tmp_path: Path) -> None:
    mesa = LectorDeMesa(tmp_path / "lector")
    lector = LectorSerie(mesa.enlace)
    mesa.leer("hola")
    assert lector.leer(ESPERA_S) == "hola"
    with pytest.raises(BlockingIOError):
        os.read(mesa._amo, 100)
    lector.cerrar()
    mesa.desconectar()


def test_el_nucleo_tira_eventos_y_el_codigo_mocho_no_pasa(tmp_path: Path) -> None:
    aparato = AparatoTeclado(tmp_path)
    lector = LectorTeclado(aparato.ruta)
    aparato.mandar("2000")
    aparato.crudo(evento(0, 3, 0))
    aparato.mandar("0100\rbueno\r")
    assert lector.leer(ESPERA_S) == "bueno"
    lector.cerrar()
    aparato.desconectar()


def test_un_evento_partido_a_la_mitad_se_junta(tmp_path: Path) -> None:
    aparato = AparatoTeclado(tmp_path)
    lector = LectorTeclado(aparato.ruta)
    datos = b"".join(map(tecleo, "Ab1\r"))
    leidas = []
    for desde in range(0, len(datos), 7):
        aparato.crudo(datos[desde : desde + 7])
        leidas.append(lector.leer(0))
    assert [leida for leida in leidas if leida is not None] == ["Ab1"]
    lector.cerrar()
    aparato.desconectar()


def test_teclas_con_control_o_repetidas_no_escriben(tmp_path: Path) -> None:
    aparato = AparatoTeclado(tmp_path)
    lector = LectorTeclado(aparato.ruta)
    a = 30
    con_control = evento(1, 29, 1) + evento(1, a, 1) + evento(1, a, 0) + evento(1, 29, 0)
    repetida = evento(1, a, 1) + evento(1, a, 2) * 5 + evento(1, a, 0)
    aparato.crudo(con_control + repetida + evento(1, 59, 1) + evento(1, 59, 0))
    aparato.mandar("\r")
    assert lector.leer(ESPERA_S) == "a"
    lector.cerrar()
    aparato.desconectar()


def test_un_aparato_que_no_se_deja_tomar_no_se_usa() -> None:
    """Sin EVIOCGRAB el gafete se escribiría en el acta. /dev/null es de caracteres y no es un teclado."""
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)  # noqa: PTH116
    with pytest.raises(Falla):
        LectorTeclado(Path("/dev/null"))


def test_un_archivo_no_es_una_linea_serie(tmp_path: Path) -> None:
    archivo = tmp_path / "x"
    archivo.write_text("hola\r")
    with pytest.raises(Falla):
        LectorSerie(archivo)


# ------------------------------------------------------------------------------------------------------------- el buzón


def test_un_gafete_leido_hace_rato_no_entra_despues() -> None:
    hora = [100.0]
    buzon = Buzon(lambda: hora[0])
    buzon.dejar("gafete")
    hora[0] += CADUCA_S + 0.1
    assert buzon.recoger() is None
    buzon.dejar("otro")
    hora[0] += CADUCA_S - 0.1
    leido = buzon.recoger()
    assert leido is not None
    assert leido.texto == "otro"
    assert buzon.recoger() is None


def test_lo_leido_antes_de_abrir_la_pantalla_no_es_para_ella() -> None:
    hora = [100.0]
    buzon = Buzon(lambda: hora[0])
    buzon.dejar("para la de antes")
    hora[0] += 1
    assert buzon.recoger(desde=100.5) is None
    assert buzon.esperar(0) is None
    buzon.dejar("para ésta")
    leido = buzon.esperar(0, desde=100.5)
    assert leido is not None
    assert leido.texto == "para ésta"


def test_la_lectura_nueva_sustituye_a_la_que_nadie_recogio() -> None:
    buzon = Buzon()
    buzon.dejar("una")
    buzon.dejar("dos")
    leido = buzon.recoger()
    assert leido is not None
    assert leido.texto == "dos"


# ----------------------------------------------------------------------------------------------------------------- fuzz


@given(st.lists(st.text(max_size=700), max_size=8))
def test_cualquier_cosa_que_mande_sale_limpia_o_no_sale(trozos: list[str]) -> None:
    renglones = Renglones()
    for trozo in trozos:
        for listo in renglones.agregar(trozo):
            assert 0 < len(listo) <= MAXIMO
            assert listo.isprintable()
    renglones.tirar()
    assert renglones.agregar("limpio\r") == ["limpio"]


@given(st.text(st.characters(codec="ascii", min_codepoint=33, max_codepoint=126), min_size=1, max_size=60))
def test_todo_lo_que_cabe_en_una_etiqueta_se_teclea_igual(texto: str) -> None:
    assert _por_teclado(b"".join(map(tecleo, texto + "\r"))) == [texto]


@given(st.lists(st.binary(max_size=200), max_size=6))
def test_bytes_al_azar_no_tumban_al_lector_de_teclado(trozos: list[bytes]) -> None:
    for leido in _por_teclado(*trozos):
        assert leido.isprintable()
        assert 0 < len(leido) <= MAXIMO


def _por_teclado(*trozos: bytes) -> list[str]:
    lectura, escritura = os.pipe()
    lector = LectorTeclado(Path(f"/proc/self/fd/{lectura}"))
    try:
        leidas = []
        for trozo in trozos:
            if trozo:
                os.write(escritura, trozo)
            while (leido := lector.leer(0)) is not None:
                leidas.append(leido)
        return leidas
    finally:
        lector.cerrar()
        os.close(lectura)
        os.close(escritura)


@given(st.lists(st.binary(max_size=300), max_size=5))
def test_bytes_al_azar_no_tumban_al_lector_de_serie(
    tmp_path_factory: pytest.TempPathFactory, trozos: list[bytes]
) -> None:
    mesa = LectorDeMesa(tmp_path_factory.mktemp("serie") / "lector")
    lector = LectorSerie(mesa.enlace)
    try:
        for trozo in trozos:
            mesa.mandar(trozo)
            while (leido := lector.leer(0)) is not None:
                assert leido.isprintable()
                assert 0 < len(leido) <= MAXIMO
        mesa.mandar(b"\rbueno\r")
        ultimo = None
        while (leido := lector.leer(0.02)) is not None:
            ultimo = leido
        assert ultimo == "bueno"
    finally:
        lector.cerrar()
        mesa.desconectar()


def esperar(que: Callable[[], object]) -> None:
    limite = time.monotonic() + 10
    while not que():
        assert time.monotonic() < limite, "nunca pasó"
        time.sleep(0.005)


def _callar(_: str) -> None:
    """Lo esperado en estas pruebas no se imprime."""
