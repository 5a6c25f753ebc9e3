"""Lo que un kiosco tomado, un desconocido o la mala suerte le hacen al bróker, y que los demás ni lo noten."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Thread

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from appliance.enlace.transporte import NoAutorizado
from appliance.enlace.transporte import Testamento as _Testamento
from appliance.enlace.transporte_mqtt import TransporteMqtt
from nucleo.temas import Carril
from servicio_central import ajustes, broker, cambios_de_padron
from servicio_central.certificados import llave_nueva, pem_privado
from tests.centro_de_verdad import Cliente, Inscrito, esperar
from tests.guardado import Guardado
from tests.noche_con_broker import Noche

pytestmark = pytest.mark.broker

EQUIPOS = ("catd-01", "catd-02", "catd-03")
SUBEN = [c for c in Carril if c.sube]
BAJAN = [c for c in Carril if not c.sube]


@pytest.fixture(scope="module")
def sistema(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inscrito]:
    inscrito = Inscrito(tmp_path_factory.mktemp("atacado"))
    for equipo in EQUIPOS:
        inscrito.kiosco(equipo)
    inscrito.levantar_broker()
    yield inscrito
    inscrito.matar_broker()


@pytest.fixture
def abrir(sistema: Inscrito) -> Iterator[Callable[..., Cliente]]:
    with ExitStack() as abiertos:

        def abrir(quien: str, temas: str = "") -> Cliente:
            carpeta = sistema.centro if quien == "centro" else sistema.kiosco(quien)
            cliente = Cliente(sistema.puerto, broker.contexto_tls(carpeta), quien, temas=temas)
            abiertos.callback(cliente.cerrar)
            return cliente

        yield abrir


def entra(sistema: Inscrito, tls: ssl.SSLContext, nombre: str = "catd-01") -> bool:
    try:
        cliente = Cliente(sistema.puerto, tls, nombre)
    except OSError:
        return False
    try:
        return cliente.listo
    finally:
        cliente.cerrar()


def test_en_ningun_carril_se_escribe_por_otro_ni_por_el_centro(
    sistema: Inscrito, abrir: Callable[..., Cliente]
) -> None:
    centro = abrir("centro", f"prep/{sistema.ambito}/#")
    oyentes = {e: abrir(e, f"prep/{sistema.ambito}/{e}/baja/+") for e in ("catd-01", "catd-02")}
    intruso = abrir("catd-03")
    for carril in SUBEN:
        intruso.publicar(sistema.tema("catd-02", carril), b"intruso")
    for carril in BAJAN:
        for victima in ("catd-01", "catd-02", "catd-03"):
            intruso.publicar(sistema.tema(victima, carril), b"intruso")
    for carril in SUBEN:
        intruso.publicar(sistema.tema("catd-03", carril), b"propio")
    assert esperar(lambda: len(centro.recibidos) == len(SUBEN))
    assert {d for _, d in centro.recibidos} == {b"propio"}
    assert {t for t, _ in centro.recibidos} == {sistema.tema("catd-03", c) for c in SUBEN}
    assert all(o.recibidos == [] for o in oyentes.values())


@pytest.mark.parametrize("filtro", ["#", "+/#", "$SYS/#", "prep/+/+/+/+", "prep/{ambito}/catd-02/#"])
def test_con_ningun_filtro_se_oye_lo_ajeno(sistema: Inscrito, abrir: Callable[..., Cliente], filtro: str) -> None:
    espia = abrir("catd-01", filtro.format(ambito=sistema.ambito))
    centro, otro = abrir("centro"), abrir("catd-02")
    for carril in SUBEN:
        otro.publicar(sistema.tema("catd-02", carril), b"ajeno")
    for carril in BAJAN:
        centro.publicar(sistema.tema("catd-02", carril), b"ajeno")
    centro.publicar(sistema.tema("catd-01", Carril.ORDEN), b"propio")
    if filtro in ("#", "+/#", "prep/+/+/+/+"):
        assert esperar(lambda: bool(espia.recibidos))
    else:
        # Nada suyo cabe en ese filtro: basta que el bróker ya haya repartido lo demás.
        testigo = abrir("catd-03", sistema.tema("catd-03", Carril.ORDEN))
        centro.publicar(sistema.tema("catd-03", Carril.ORDEN), b"fin")
        assert esperar(lambda: bool(testigo.recibidos))
    assert {d for _, d in espia.recibidos} <= {b"propio"}


def test_un_retenido_no_se_queda_esperando_a_nadie(sistema: Inscrito, abrir: Callable[..., Cliente]) -> None:
    malo = abrir("catd-01")
    tema = sistema.tema("catd-01", Carril.HECHOS)
    malo._cliente.publish(tema, b"retenido", 1, retain=True)
    assert esperar(lambda: malo.caido is not None), "se le corta: el protocolo no usa retenidos"
    centro = abrir("centro", f"prep/{sistema.ambito}/+/sube/hechos")
    otra_vez = abrir("catd-01")
    otra_vez.publicar(tema, b"vivo")
    assert esperar(lambda: bool(centro.recibidos))
    assert [d for _, d in centro.recibidos] == [b"vivo"]


def test_un_testamento_en_tema_ajeno_no_se_cumple(sistema: Inscrito, abrir: Callable[..., Cliente]) -> None:
    centro = abrir("centro", f"prep/{sistema.ambito}/#")
    victima = abrir("catd-02", f"prep/{sistema.ambito}/catd-02/baja/+")
    for carril in (Carril.LATIDO, Carril.ACUSE):
        tema = sistema.tema("catd-02", carril)
        malo = TransporteMqtt(
            "localhost", sistema.puerto, "catd-03", broker.contexto_tls(sistema.kiosco("catd-03")),
            _Testamento(tema, b"muerte"),
        )  # fmt: skip
        malo.conectar()
        enchufe = malo._cliente.socket()
        assert isinstance(enchufe, socket.socket)
        socket.socket.shutdown(enchufe, socket.SHUT_RDWR)
        malo.cerrar()
    vivo = abrir("catd-01")
    vivo.publicar(sistema.tema("catd-01", Carril.HECHOS), b"despues")
    assert esperar(lambda: bool(centro.recibidos))
    assert [d for _, d in centro.recibidos] == [b"despues"]
    assert victima.recibidos == []


def test_un_certificado_vencido_o_aun_no_vigente_no_entra(sistema: Inscrito, tmp_path: Path) -> None:
    ca = x509.load_pem_x509_certificate((sistema.autoridad / "ca.pem").read_bytes())
    privada = next(
        llave
        for ruta in sorted(sistema.autoridad.rglob("*"))
        if ruta.is_file() and (llave := _privada(ruta)) is not None and llave.public_key() == ca.public_key()
    )
    ahora = datetime.now(UTC)
    bueno = x509.load_pem_x509_certificate((sistema.kiosco("catd-01") / "tls.pem").read_bytes())
    for caso, (desde, hasta, deberia) in {
        "vencido": (ahora - timedelta(days=9), ahora - timedelta(days=1), False),
        "futuro": (ahora + timedelta(days=1), ahora + timedelta(days=9), False),
        "vigente": (ahora - timedelta(days=1), ahora + timedelta(days=1), True),
    }.items():
        llave = llave_nueva()
        hecho = x509.CertificateBuilder(
            bueno.issuer, bueno.subject, llave.public_key(), x509.random_serial_number(), desde, hasta
        )
        for extension in bueno.extensions:
            if extension.oid != x509.OID_SUBJECT_KEY_IDENTIFIER:
                hecho = hecho.add_extension(extension.value, extension.critical)
        (tmp_path / f"{caso}.pem").write_bytes(
            hecho.sign(privada, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
        )
        (tmp_path / f"{caso}.key").write_bytes(pem_privado(llave))
        tls = ssl.create_default_context(cafile=str(sistema.autoridad / "ca.pem"))
        tls.load_cert_chain(tmp_path / f"{caso}.pem", tmp_path / f"{caso}.key")
        assert entra(sistema, tls) is deberia, caso


def _privada(ruta: Path) -> ec.EllipticCurvePrivateKey | None:
    try:
        llave = serialization.load_pem_private_key(ruta.read_bytes(), None)
    except ValueError:
        return None
    return llave if isinstance(llave, ec.EllipticCurvePrivateKey) else None


def test_muchas_conexiones_del_mismo_no_sacan_a_los_demas(sistema: Inscrito, abrir: Callable[..., Cliente]) -> None:
    centro = abrir("centro", f"prep/{sistema.ambito}/+/sube/hechos")
    bueno = abrir("catd-02")
    insistente = [abrir("catd-01") for _ in range(25)]
    assert esperar(lambda: sum(c.caido is None for c in insistente) == 1), "cada una echa a la anterior, y a nadie más"
    bueno.publicar(sistema.tema("catd-02", Carril.HECHOS), b"hoja")
    assert esperar(lambda: (sistema.tema("catd-02", Carril.HECHOS), b"hoja") in centro.recibidos)
    assert bueno.caido is None


def test_quien_no_termina_el_saludo_tls_no_le_quita_el_lugar_a_nadie(sistema: Inscrito) -> None:
    with ExitStack() as abiertos:
        for n in range(300):
            enchufe = abiertos.enter_context(socket.create_connection(("localhost", sistema.puerto), timeout=15))
            # Medio ClientHello: promete 512 bytes y no manda ninguno.
            enchufe.sendall(b"\x16\x03\x01\x02\x00" if n % 2 else b"\x16")
        for equipo in EQUIPOS[:2]:
            assert entra(sistema, broker.contexto_tls(sistema.kiosco(equipo)), equipo)


def test_al_kiosco_que_no_admiten_se_le_dice_que_es_eso_y_no_la_red(sistema: Inscrito, tmp_path: Path) -> None:
    otra = Inscrito(tmp_path)
    tls = ssl.create_default_context(cafile=str(sistema.autoridad / "ca.pem"))
    tls.load_cert_chain(otra.kiosco("catd-01") / "tls.pem", otra.kiosco("catd-01") / "tls.key")
    for _ in range(3):
        transporte = TransporteMqtt("localhost", sistema.puerto, "catd-01", tls, None)
        with pytest.raises(NoAutorizado, match="no admite el certificado"):
            transporte.conectar()
        transporte.cerrar()


# ------------------------------------------------------------------------------------------ el bróker como servicio


def test_al_revocar_se_corta_la_sesion_que_ya_estaba_abierta_y_los_demas_vuelven(tmp_path: Path) -> None:
    sistema = Inscrito(tmp_path)
    for equipo in EQUIPOS:
        sistema.kiosco(equipo)
    guardado = Guardado(sistema)
    try:
        limites = Path(f"/proc/{guardado.hijo()}/limits").read_text()
        descriptores = next(r for r in limites.splitlines() if r.startswith("Max open files")).split()
        assert descriptores[3] == descriptores[4], "todos los que el sistema permita"
        revocado = Cliente(sistema.puerto, broker.contexto_tls(sistema.kiosco("catd-03")), "catd-03")
        assert revocado.listo
        cambios_de_padron.baja(sistema.autoridad, sistema.centro, "catd-03")
        assert esperar(lambda: revocado.caido is not None), "seguía dentro"
        revocado.cerrar()
        broker.esperar(sistema.centro, 30)
        assert not entra(sistema, broker.contexto_tls(sistema.kiosco("catd-03")), "catd-03")
        assert entra(sistema, broker.contexto_tls(sistema.kiosco("catd-01")))
        viejo = guardado.hijo()
        guardado.proceso.send_signal(signal.SIGHUP)
        assert guardado.otro_en_vez_de(viejo)
        assert entra(sistema, broker.contexto_tls(sistema.kiosco("catd-01"))), "releer no lo tumba"
    finally:
        salio = guardado.terminar()
    assert salio == 0
    assert not entra(sistema, broker.contexto_tls(sistema.kiosco("catd-01"))), "no queda un mosquitto huérfano"


def test_si_el_broker_muere_solo_la_orden_lo_dice_con_su_salida(tmp_path: Path) -> None:
    sistema = Inscrito(tmp_path)
    guardado = Guardado(sistema)
    os.kill(guardado.hijo(), signal.SIGKILL)
    assert guardado.proceso.wait(timeout=15) != 0


def test_con_el_disco_del_broker_lleno_los_mensajes_siguen_pasando(tmp_path: Path) -> None:
    sistema = Inscrito(tmp_path)
    persistencia = sistema.centro / ajustes.BROKER / "persistencia"
    montar = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(persistencia)], capture_output=True, check=False
    )
    if montar.returncode:
        pytest.skip(f"aquí no se puede montar un disco chico: {montar.stderr.decode(errors='replace').strip()}")
    try:
        (persistencia / "relleno").write_bytes(b"x" * 4096)
        try:
            with (persistencia / "relleno").open("ab") as relleno:
                while True:
                    relleno.write(b"x" * 4096)
                    relleno.flush()
        except OSError:
            pass
        proceso = sistema.levantar_broker()
        centro = Cliente(
            sistema.puerto, broker.contexto_tls(sistema.centro), "centro", temas=f"prep/{sistema.ambito}/+/sube/hechos"
        )
        kiosco = Cliente(sistema.puerto, broker.contexto_tls(sistema.kiosco("catd-01")), "catd-01")
        for n in range(50):
            kiosco.publicar(sistema.tema("catd-01", Carril.HECHOS), f"hoja {n}")
            if n == 25:
                proceso.send_signal(signal.SIGUSR1)  # que guarde ya
        assert esperar(lambda: len(centro.recibidos) == 50)
        assert proceso.poll() is None
        kiosco.cerrar()
        centro.cerrar()
    finally:
        sistema.matar_broker()
        subprocess.run(["umount", str(persistencia)], check=False)


# ------------------------------------------------------------------------------------- con kioscos y centro de verdad


def test_un_kiosco_que_inunda_no_le_quita_la_palabra_a_los_demas(tmp_path: Path) -> None:
    with Noche(tmp_path, EQUIPOS[:2]) as noche:
        parar = Event()
        malo = Cliente(noche.sistema.puerto, broker.contexto_tls(noche.sistema.kiosco("catd-03")), "catd-03")

        def inundar() -> None:
            tema = noche.sistema.tema("catd-03", Carril.HECHOS)
            while not parar.is_set():
                for _ in range(200):
                    malo.publicar(tema, b"x" * 500)
                time.sleep(0.01)

        hilo = Thread(target=inundar, daemon=True)
        hilo.start()
        try:
            for _ in range(3):
                for equipo in EQUIPOS[:2]:
                    noche.asentar(equipo, 10)
                assert esperar(lambda: noche.pendientes() == 0, 60)
        finally:
            parar.set()
            hilo.join()
            malo.cerrar()
        assert noche.en_el_centro() == {"catd-01": list(range(1, 31)), "catd-02": list(range(1, 31))}
        assert noche.centro.proceso is not None
        assert noche.centro.proceso.poll() is None


def test_al_broker_se_le_borra_todo_a_media_noche_y_nadie_tiene_que_hacer_nada(tmp_path: Path) -> None:
    with Noche(tmp_path, EQUIPOS) as noche:
        for vez in range(2):
            for equipo in EQUIPOS:
                noche.asentar(equipo, 5)
            if vez == 0:
                assert esperar(lambda: noche.pendientes() == 0, 60)
            noche.sistema.matar_broker()
            shutil.rmtree(noche.sistema.centro / ajustes.BROKER / "persistencia")
            for equipo in EQUIPOS:
                noche.asentar(equipo, 3)
            noche.sistema.levantar_broker()
            assert esperar(lambda: noche.pendientes() == 0, 60)
        assert noche.en_el_centro() == {equipo: list(range(1, 17)) for equipo in EQUIPOS}
