"""`./prep publicar` de verdad: se corre, se le pide, se le cambia el certificado, se le despide y se le estorba."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Final

import pytest

from ensayo.puertos import puerto_libre
from servicio_central.orden_publicar import main
from tests.broker_de_prueba import Autoridad
from tests.carpeta_publica_de_prueba import armar, crudo, pedir

RAIZ: Final = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.skipif(
    shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin") is None, reason="no hay nginx"
)


@pytest.fixture
def centro(tmp_path: Path) -> Path:
    return armar(tmp_path / "centro")


@contextmanager
def corriendo(centro: Path, puerto: int, *mas: str) -> Iterator[subprocess.Popen[str]]:
    """La orden, en su proceso y ya atendiendo."""
    orden = [sys.executable, "-m", "servicio_central.orden_publicar", "--carpeta", str(centro), "--puerto", str(puerto)]
    canales = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen([*orden, *mas], cwd=RAIZ, text=True, **canales) as proceso:  # type: ignore[call-overload]
        try:
            assert proceso.stdout.readline().startswith("Sitio: ")
            yield proceso
        finally:
            proceso.terminate()


def dice(proceso: subprocess.Popen[str], que: str) -> bool:
    """Si entre lo que va diciendo está eso; calla para siempre si no, y eso también se nota."""
    assert proceso.stderr is not None
    return any(que in renglon for renglon in proceso.stderr)


def nadie_escucha(puerto: int) -> bool:
    limite = time.monotonic() + 10
    while time.monotonic() < limite:
        with suppress(OSError), socket.create_connection(("127.0.0.1", puerto), 0.2):
            time.sleep(0.05)
            continue
        return True
    return False


@pytest.mark.parametrize("senal", [signal.SIGTERM, signal.SIGINT])
def test_se_despide_limpia_y_no_deja_a_nginx(centro: Path, senal: signal.Signals) -> None:
    puerto = puerto_libre()
    with corriendo(centro, puerto, "--trabajadores", "1") as proceso:
        assert pedir(puerto, "/").codigo == 200
        proceso.send_signal(senal)
        assert proceso.wait(20) == 0
    assert nadie_escucha(puerto)
    # Lo suyo queda en su carpeta y en ninguna otra.
    assert {"nginx.conf", "nginx.log", "errores"} <= {r.name for r in (centro / "nginx").iterdir()}


def huella_del_certificado(puerto: int) -> bytes:
    contexto = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    contexto.check_hostname, contexto.verify_mode = False, ssl.CERT_NONE
    with (
        socket.create_connection(("127.0.0.1", puerto), 10) as enchufe,
        contexto.wrap_socket(enchufe, server_hostname="prep.ejemplo.mx") as seguro,
    ):
        seguro.sendall(b"GET / HTTP/1.1\r\nHost: prep.ejemplo.mx\r\nConnection: close\r\n\r\n")
        dicho = b""
        while parte := seguro.recv(65536):
            dicho += parte
        assert b"\r\nStrict-Transport-Security: max-age=31536000\r\n" in dicho
        assert (seguro.version() or "") >= "TLSv1.2"
        return seguro.getpeercert(binary_form=True) or b""


def test_con_tls_y_el_certificado_renovado_se_toma_sin_cortar(centro: Path, tmp_path: Path) -> None:
    autoridad = Autoridad(tmp_path / "ca")
    certificado, llave = autoridad.emitir(tmp_path / "tls", "prep.ejemplo.mx", servidor=True)
    puerto, sin_tls = puerto_libre(), puerto_libre()
    mas = ("--certificado", str(certificado), "--llave", str(llave), "--nombre", "prep.ejemplo.mx")
    with corriendo(centro, puerto, *mas, "--puerto-http", str(sin_tls), "--trabajadores", "1") as proceso:
        antes = huella_del_certificado(puerto)
        redirigida = pedir(sin_tls, "/GUB/?a=1")
        assert redirigida.codigo == 301
        assert redirigida.cabeceras["location"] == f"https://prep.ejemplo.mx:{puerto}/GUB/?a=1"
        assert crudo(puerto, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").startswith(b"HTTP/1.1 400 ")
        # Uno dañado no se toma: sigue con el que tenía.
        bueno = certificado.read_bytes()
        certificado.write_text("esto no es un certificado")
        assert dice(proceso, "no se recarga y sigue con lo anterior")
        assert huella_del_certificado(puerto) == antes
        certificado.write_bytes(bueno)
        assert dice(proceso, "recargado")
        autoridad.emitir(tmp_path / "tls", "prep.ejemplo.mx", servidor=True)
        limite = time.monotonic() + 20
        while huella_del_certificado(puerto) == antes:
            assert time.monotonic() < limite, "no tomó el certificado nuevo"
            time.sleep(0.1)


def test_el_puerto_ocupado_se_dice_con_palabras(centro: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as ocupado:
        puerto = ocupado.getsockname()[1]
        assert main(["--carpeta", str(centro), "--puerto", str(puerto)]) == 1
    dicho = capsys.readouterr().err
    assert f"no se pudo tomar 127.0.0.1:{puerto}" in dicho
    assert "Siguiente paso" in dicho


def test_dos_a_la_vez_en_la_misma_carpeta_no_se_pisan(centro: Path, capsys: pytest.CaptureFixture[str]) -> None:
    puerto = puerto_libre()
    with corriendo(centro, puerto, "--trabajadores", "1"):
        assert main(["--carpeta", str(centro), "--puerto", str(puerto_libre())]) == 1
        assert pedir(puerto, "/").codigo == 200
    assert "otra corrida ya usa" in capsys.readouterr().err


def test_una_carpeta_que_no_es_de_un_centro_no_se_toca(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ajena = tmp_path / "ajena"
    ajena.mkdir()
    assert main(["--carpeta", str(ajena)]) == 1
    assert "no hay nada publicado" in capsys.readouterr().err
    assert list(ajena.iterdir()) == []
    assert main(["--carpeta", str(tmp_path / "no-existe")]) == 1
    assert not (tmp_path / "no-existe").exists()


@pytest.mark.parametrize(
    ("mas", "dice"),
    [
        (
            ["--certificado", "/no/existe.pem", "--llave", "/no/existe.key"],
            "el certificado o su llave no se dejan leer",
        ),
        (["--certificado", "/no/existe.pem"], "hacen falta los dos"),
        (["--nombre", "con espacio"], "no es nombre de un sitio"),
        (["--puerto", "99999"], "no es un puerto"),
        (["--direccion", "prep.mx"], "no es una dirección IP"),
        (["--trabajo", "/proc/nada"], "no se pudo escribir en /proc/nada"),
    ],
)
def test_lo_que_nginx_no_aceptaria_se_dice_con_palabras(
    centro: Path, mas: list[str], dice: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--carpeta", str(centro), "--solo-configurar", *mas]) == 1
    dicho = capsys.readouterr().err
    assert dice in dicho
    assert "Siguiente paso" in dicho
    assert "Traceback" not in dicho


def test_configurar_sin_servir_deja_una_configuracion_que_nginx_acepta(
    centro: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--carpeta", str(centro), "--solo-configurar", "--direccion", "::1"]) == 0
    escrita = Path(capsys.readouterr().out.strip())
    assert escrita == (centro / "nginx" / "nginx.conf").resolve()
    assert "listen [::1]:8081" in escrita.read_text()


def test_el_sitio_no_se_sirve_como_root(centro: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("sólo tiene sentido como root")
    # La carpeta de pytest es privada: se abre el paso para que la otra cuenta llegue.
    for carpeta in (centro, *centro.parents[:3]):
        carpeta.chmod(carpeta.stat().st_mode | 0o055)
    puerto = puerto_libre()
    with corriendo(centro, puerto, "--trabajadores", "1"):
        assert pedir(puerto, "/").codigo == 200
        principal = int((centro / "nginx" / "nginx.pid").read_text())
        (hijo,) = Path(f"/proc/{principal}/task/{principal}/children").read_text().split()
        assert Path(f"/proc/{hijo}").stat().st_uid != 0
