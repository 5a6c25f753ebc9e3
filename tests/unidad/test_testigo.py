"""El testigo: cofirma lo que continúa y nunca lo que retrocede o se bifurca, ni después de que lo maten."""

from __future__ import annotations

import http.client
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from auditoria.verificar.lector import LectorDeCarpeta, NoSePuede
from nucleo.publicacion.mentira import Mentira
from nucleo.transparencia.arbol import Arbol
from nucleo.transparencia.cofirma import LlaveDeTestigo
from nucleo.transparencia.nota import FirmanteDeNotas, Nota, NotaInvalida, a_base64
from nucleo.transparencia.punto import Punto, abrir_punto, firmar_punto
from servicio_central.registro import testigos
from tests.noche_de_registro import NocheDeRegistro, casillas
from tests.publicacion_por_http import servida
from vigilancia import orden_testigo
from vigilancia.lector_http import LectorHttp
from vigilancia.servidor import ServidorDeTestigo
from vigilancia.sondeo import COFIRMAS, sondear
from vigilancia.testigo import MAXIMO_CUERPO, leer_pedido
from vigilancia.testigo import Testigo as Vigilante
from vigilancia.testigo import TestigoOcupado as Ocupado

RAIZ = Path(__file__).resolve().parents[2]
REGISTRO = FirmanteDeNotas("prep/prueba/simulacro", Ed25519PrivateKey.generate())
HORA = 1_700_000_000


class Historia:
    """Un registro en memoria que se firma cuando se quiera."""

    def __init__(self, *hojas: str, quien: FirmanteDeNotas = REGISTRO) -> None:
        self.arbol = Arbol()
        self._quien = quien
        for hoja in hojas:
            self.arbol.agregar(hoja.encode())

    def nota(self, tamano: int | None = None) -> Nota:
        hasta = self.arbol.tamano if tamano is None else tamano
        return firmar_punto(Punto(self._quien.nombre, hasta, self.arbol.raiz(hasta)), self._quien)

    def pedido(self, viejo: int, tamano: int | None = None) -> bytes:
        camino = self.arbol.consistencia(viejo, tamano)
        renglones = (f"old {viejo}", *map(a_base64, camino), "", "")
        return "\n".join(renglones).encode() + self.nota(tamano).a_bytes()


BUENA = Historia(*"abcdefg")
OTRA = Historia(*"abcdXfgh")


def abrir(carpeta: Path) -> Vigilante:
    return Vigilante(carpeta, REGISTRO.llave, "testigo.ejemplo", lambda: HORA)


@pytest.fixture
def testigo(tmp_path: Path) -> Iterator[Vigilante]:
    este = abrir(tmp_path / "testigo")
    yield este
    este.cerrar()


def test_cofirma_lo_que_continua_y_la_cofirma_vale(testigo: Vigilante) -> None:
    for viejo, nuevo in ((0, 3), (3, 3), (3, 7)):
        respuesta = testigo.atender(BUENA.pedido(viejo, nuevo))
        assert respuesta.codigo == 200
        firmado = abrir_punto(BUENA.nota(nuevo).a_bytes() + respuesta.cuerpo, REGISTRO.llave, [testigo.llave])
        assert testigo.llave in firmado.firmas
        assert testigo.visto.tamano == nuevo


def test_retroceso_y_bifurcacion_se_rechazan_y_no_se_olvida_lo_visto(testigo: Vigilante) -> None:
    assert testigo.atender(BUENA.pedido(0)).codigo == 200
    visto = testigo.visto
    retroceso = testigo.atender(BUENA.pedido(0, 3))
    assert (retroceso.codigo, retroceso.cuerpo, retroceso.tipo) == (409, b"7\n", "text/x.tlog.size")
    assert testigo.atender(OTRA.pedido(7, 7)).codigo == 409, "mismo tamaño, otra raíz"
    assert testigo.atender(OTRA.pedido(7, 8)).codigo == 422, "crece desde otra historia"
    assert testigo.visto == visto


def test_cada_pedido_malo_tiene_su_respuesta(testigo: Vigilante) -> None:
    ajeno = FirmanteDeNotas("otro/registro", Ed25519PrivateKey.generate())
    impostor = FirmanteDeNotas(REGISTRO.nombre, Ed25519PrivateKey.generate())
    assert testigo.atender(Historia("a", quien=ajeno).pedido(0)).codigo == 404
    assert testigo.atender(Historia("a", quien=impostor).pedido(0)).codigo == 403
    bueno = BUENA.pedido(0, 3)
    for malo in (b"", b"old 0\n", b"old -1\n\n" + bueno, b"old 00" + bueno[5:], b"old 9" + bueno[5:], bueno[:-5]):
        assert testigo.atender(malo).codigo == 400, malo
    assert testigo.atender(b"old 0\n" + a_base64(bytes(32)).encode() + bueno[5:]).codigo == 422
    assert testigo.visto.tamano == 0


def test_recuerda_al_volver_y_no_empieza_de_cero_por_un_archivo_danado(tmp_path: Path) -> None:
    primero = abrir(tmp_path)
    assert primero.atender(BUENA.pedido(0)).codigo == 200
    llave, visto = primero.llave, primero.visto
    with pytest.raises(Ocupado):
        abrir(tmp_path)
    primero.cerrar()
    segundo = abrir(tmp_path)
    assert (segundo.llave, segundo.visto) == (llave, visto)
    segundo.cerrar()
    (tmp_path / "checkpoint").write_bytes(visto.nota[:-9])
    with pytest.raises(ValueError, match="restáurelo"):
        abrir(tmp_path)
    (tmp_path / "checkpoint").write_bytes(visto.nota)
    (tmp_path / "testigo.pem").unlink()
    with pytest.raises(ValueError, match="ya se había cofirmado"):
        abrir(tmp_path)


def test_sin_disco_no_hay_cofirma(testigo: Vigilante, monkeypatch: pytest.MonkeyPatch) -> None:
    def lleno(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("vigilancia.durable.escribir", lleno)
    with pytest.raises(OSError, match="No space"):
        testigo.atender(BUENA.pedido(0))
    assert testigo.visto.tamano == 0


@given(st.binary(max_size=400))
@settings(max_examples=300, deadline=None)
def test_nada_de_lo_que_llegue_tumba_al_lector(basura: bytes) -> None:
    bueno = BUENA.pedido(3)
    for cuerpo in (basura, b"old 3\n" + basura, bueno[:40] + basura, basura + bueno):
        with suppress(NotaInvalida):
            viejo, camino, _ = leer_pedido(cuerpo)
            assert viejo >= 0
            assert all(len(h) == 32 for h in camino)


# ------------------------------------------------------------------------------------------------------- por la red


@contextmanager
def atendiendo(testigo: Vigilante, plazo: float = 10.0, a_la_vez: int = 32) -> Iterator[int]:
    with ServidorDeTestigo(("127.0.0.1", 0), testigo, plazo, a_la_vez) as servidor:
        hilo = Thread(target=servidor.serve_forever, args=(0.02,), daemon=True)
        hilo.start()
        yield servidor.server_address[1]
        servidor.shutdown()
        hilo.join()


def pedir(puerto: int, cuerpo: bytes, ruta: str = "/add-checkpoint", metodo: str = "POST") -> int:
    conexion = http.client.HTTPConnection("127.0.0.1", puerto, timeout=10)
    try:
        conexion.request(metodo, ruta, cuerpo)
        return conexion.getresponse().status
    finally:
        conexion.close()


def recoger(historia: Historia, puerto: int, llave: LlaveDeTestigo, conocidos: dict[str, int]) -> testigos.Cofirmas:
    cual = testigos.Testigo(llave, f"http://127.0.0.1:{puerto}")
    return testigos.recoger(
        historia.nota(), historia.arbol.tamano, conocidos, [cual], lambda a, b: historia.arbol.consistencia(a, b)
    )


def test_el_cliente_del_centro_y_el_testigo_se_entienden(testigo: Vigilante) -> None:
    with atendiendo(testigo) as puerto:
        conocidos: dict[str, int] = {}
        corta = Historia(*"abc")
        assert len(recoger(corta, puerto, testigo.llave, conocidos).firmas) == 1
        assert len(recoger(BUENA, puerto, testigo.llave, conocidos).firmas) == 1
        assert len(recoger(BUENA, puerto, testigo.llave, {}).firmas) == 1, "al centro que olvidó se le dice hasta dónde"
        (queja,) = recoger(OTRA, puerto, testigo.llave, {}).quejas
        assert "422" in queja
        (queja,) = recoger(corta, puerto, testigo.llave, {}).quejas
        assert "dos historias" in queja


def test_lo_que_no_es_un_pedido_se_contesta_y_no_cuelga_a_nadie(testigo: Vigilante) -> None:
    with atendiendo(testigo) as puerto:
        assert pedir(puerto, b"x", "/otra") == 404
        assert pedir(puerto, b"", metodo="GET") == 404
        assert pedir(puerto, b"", metodo="DELETE") == 501
        for cabeza in (
            b"POST /add-checkpoint HTTP/1.1\r\n\r\n",
            b"POST /add-checkpoint HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
            b"POST /add-checkpoint HTTP/1.1\r\nContent-Length: -5\r\n\r\n",
            b"POST /add-checkpoint HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n",
            b"POST /add-checkpoint HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % (MAXIMO_CUERPO + 1),
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
            b"A" * 70_000 + b"\r\n\r\n",
            b"POST /add-checkpoint HTTP/1.1\r\n" + b"X: y\r\n" * 200 + b"\r\n",
        ):
            with socket.create_connection(("127.0.0.1", puerto), timeout=10) as cruda:
                cruda.sendall(cabeza)
                dicho = cruda.recv(200)
            assert b" 4" in dicho[:14] or b"Error code: 4" in dicho or not dicho, dicho
        assert pedir(puerto, BUENA.pedido(0)) == 200


def test_quien_manda_de_a_poquito_no_le_quita_el_lugar_a_los_demas(testigo: Vigilante) -> None:
    with atendiendo(testigo, plazo=0.5, a_la_vez=3) as puerto:
        lentos = [socket.create_connection(("127.0.0.1", puerto), timeout=10) for _ in range(6)]
        for lento in lentos:
            lento.sendall(b"POST /add-checkpoint HTTP/1.1\r\nContent-Le")
        # Todos se cuelgan solos: unos por no haber lugar y otros por su plazo, y después hay lugar.
        for lento in lentos:
            try:
                while lento.recv(1000):
                    pass
            except ConnectionResetError:
                pass
            lento.close()
        codigos = []
        for _ in range(50):
            try:
                codigos.append(pedir(puerto, BUENA.pedido(0)))
                break
            except (ConnectionError, http.client.HTTPException):
                continue
        assert codigos == [200]


@given(st.binary(max_size=300))
@settings(max_examples=40, deadline=None)
def test_basura_por_la_red_no_tumba_al_testigo(basura: bytes) -> None:
    with (
        _prestado() as puerto,
        socket.create_connection(("127.0.0.1", puerto), timeout=10) as cruda,
    ):
        cruda.sendall(basura + b"\r\n\r\n")
        cruda.shutdown(socket.SHUT_WR)
        try:
            while cruda.recv(4096):
                pass
        except ConnectionResetError:
            pass
        assert pedir(puerto, b"", metodo="GET") == 404


_PUERTO: list[int] = []


@contextmanager
def _prestado() -> Iterator[int]:
    yield _PUERTO[0]


@pytest.fixture(scope="module", autouse=True)
def _uno_para_la_basura(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    este = abrir(tmp_path_factory.mktemp("basura"))
    with atendiendo(este) as puerto:
        _PUERTO.append(puerto)
        yield
    este.cerrar()


# --------------------------------------------------------------------------------------------------- matar al proceso


@contextmanager
def proceso(carpeta: Path) -> Iterator[tuple[subprocess.Popen[str], int, LlaveDeTestigo]]:
    orden = [sys.executable, "-m", "vigilancia.orden_testigo", "--carpeta", str(carpeta)]
    orden += ["--registro", REGISTRO.llave.vkey, "--escuchar", "127.0.0.1:0", "--nombre", "testigo.ejemplo"]
    with subprocess.Popen(orden, cwd=RAIZ, stdout=subprocess.PIPE, text=True) as corriendo:
        try:
            assert corriendo.stdout is not None
            primero, segundo = corriendo.stdout.readline(), corriendo.stdout.readline()
            vkey, puerto = re.search(r"llave es (\S+);", primero), re.search(r":(\d+)/", segundo)
            assert vkey is not None
            assert puerto is not None
            yield corriendo, int(puerto[1]), LlaveDeTestigo.de_vkey(vkey[1])
        finally:
            corriendo.kill()


def test_despues_de_kill_9_sigue_rechazando_bifurcacion_y_retroceso(tmp_path: Path) -> None:
    with proceso(tmp_path) as (corriendo, puerto, llave):
        assert len(recoger(BUENA, puerto, llave, {}).firmas) == 1
        corriendo.send_signal(signal.SIGKILL)
        assert corriendo.wait(10) == -signal.SIGKILL
    with proceso(tmp_path) as (_, puerto, la_misma):
        assert la_misma == llave
        assert pedir(puerto, OTRA.pedido(7, 8)) == 422
        assert pedir(puerto, OTRA.pedido(7, 7)) == 409
        assert pedir(puerto, BUENA.pedido(0, 3)) == 409
        assert len(recoger(BUENA, puerto, llave, {}).firmas) == 1


# ------------------------------------------------------------------------------------------------------------- sondeo


def test_el_que_va_por_lo_publicado_cofirma_y_no_acepta_retrocesos(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    noche = NocheDeRegistro(tmp_path / "centro")
    noche.mandar(noche.uno, *noche.pareja(casillas(noche, "GUB")[1]))
    noche.corte(0)
    registro = noche.publicador._registro
    assert registro is not None
    assert registro.ceros is not None
    vkey, corto = registro.ceros.llave, (noche.carpeta / "registro" / "checkpoint").read_bytes()
    donde = tmp_path / "testigo"
    with servida(noche.carpeta) as servidor:
        orden = ["--carpeta", str(donde), "--registro", vkey, "--sondear", servidor.url]
        assert orden_testigo.main(orden) == 0
        noche.corte(20)
        assert orden_testigo.main(orden) == 0
        assert orden_testigo.main(orden) == 0
        dicho = capsys.readouterr().out
        assert dicho.count("cofirmé") == 2
        assert "nada nuevo" in dicho
        assert len(list((donde / COFIRMAS).iterdir())) == 2
        servidor.cambios["/registro/checkpoint"] = corto
        assert orden_testigo.main(orden) == 1
        assert "retrocedió" in capsys.readouterr().out
        # Una hoja cambiada, y todo lo demás igual.
        del servidor.cambios["/registro/checkpoint"]
        llave = registro._quien.llave
        limpio = Vigilante(tmp_path / "otro", llave, "otro", lambda: HORA)
        entradas = f"tile/entries/000.p/{registro.asentadas}"
        datos = bytearray((noche.carpeta / "registro" / entradas).read_bytes())
        datos[-1] ^= 1
        servidor.cambios[f"/registro/{entradas}"] = bytes(datos)
        with pytest.raises(Mentira, match="tile/entries"):
            sondear(limpio, llave, LectorHttp(servidor.url), tmp_path / "otro")
        limpio.cerrar()
    with pytest.raises(NoSePuede):
        sondear(limpio, llave, LectorDeCarpeta(tmp_path), tmp_path)
    noche.almacen.cerrar()
