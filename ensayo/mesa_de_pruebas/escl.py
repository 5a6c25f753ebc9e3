"""Un escáner eSCL en 127.0.0.1, para que lo maneje el `sane-airscan` de verdad.

Lo que se simula es el aparato; el protocolo, el controlador y `scanimage` son los de producción. Entrega los píxeles de
cada hoja tal cual: la hoja debe venir ya del tamaño que se va a pedir (carta a 200 ppp: 1700 × 2200).
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
import uuid
from collections.abc import Iterator
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

from ensayo.mesa_de_pruebas.charola import Charola, Estorbo
from ensayo.puertos import puerto_libre

RESOLUCIONES: Final = (75, 100, 150, 200, 300)
_RODILLO_S: Final = 0.3
"""Un rodillo de verdad gira antes de saber que ya no hay hoja o que se atoró. Contestarlo al instante le gana a
sane-airscan 0.99, que pide una hoja por adelantado, y se pierde la que ya bajó (el kiosco dice HOJA_INCOMPLETA)."""
_SEGUNDOS_COLGADO: Final = 120.0
_TROZO: Final = 64 * 1024
_NS: Final = (
    'xmlns:scan="http://schemas.hp.com/imaging/escl/2011/05/03" xmlns:pwg="http://www.pwg.org/schemas/2010/12/sm"'
)
_ESTADO_ADF: Final = {
    Estorbo.ATASCO: "ScannerAdfJam",
    Estorbo.DOBLE_HOJA: "ScannerAdfJam",
    Estorbo.TAPA_ABIERTA: "ScannerAdfDoorOpen",
}


class EscanerEscl:
    """El aparato. Nace enchufado; `apagar` lo cierra para siempre.

    Args:
        charola: de dónde sale el papel.
        segundos_por_hoja: lo que tarda el rodillo. Un escáner de oficina da una hoja por segundo.
    """

    def __init__(self, charola: Charola, segundos_por_hoja: float = 0.0) -> None:
        self.charola = charola
        self.segundos_por_hoja = segundos_por_hoja
        self.trabajos: dict[str, bool] = {}
        """Trabajo abierto → si es de la cama plana y aún no se entrega."""
        self.pidieron: list[str] = []
        """El cuerpo de cada trabajo, como lo mandó el controlador."""
        self.cortar_en: float | None = None
        """Fracción de la próxima hoja en que se desenchufa solo; `None`, no se desenchufa."""
        self._conexiones: set[socket.socket] = set()
        self._candado = threading.Lock()
        self._cable = threading.Lock()
        """Enchufar espera a que acabe de desenchufarse: si no, el puerto aún es del servidor que se está cerrando."""
        self._servidor: _Servidor | None = None
        # El puerto es suyo también desenchufado: si no, otro programa podría tomarlo y ya no se podría enchufar.
        self._reserva = socket.socket()
        self._reserva.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.puerto = puerto_libre()
        self._reserva.bind(("127.0.0.1", self.puerto))
        self.enchufar()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.puerto}/eSCL/"

    @property
    def enchufado(self) -> bool:
        return self._servidor is not None

    def enchufar(self) -> None:
        """Vuelve a contestar, en el mismo puerto. Repetirlo no hace nada."""
        with self._cable:
            if self._servidor is not None:
                return
            self._servidor = servidor = _Servidor(self, self.puerto)
            threading.Thread(target=servidor.serve_forever, args=(0.02,), name="escaner-escl", daemon=True).start()

    def desenchufar(self) -> None:
        """Corta lo que se esté entregando y deja de contestar: quien llame ve la conexión rechazada."""
        with self._cable:
            servidor, self._servidor = self._servidor, None
            with self._candado:
                conexiones, self._conexiones = self._conexiones, set()
            self.trabajos.clear()
            if servidor is None:
                return
            for conexion in conexiones:
                _cortar(conexion)
            servidor.shutdown()
            servidor.server_close()
            self.charola.quedo_a_medias()

    def apagar(self) -> None:
        self.charola.soltar()
        self.desenchufar()
        self._reserva.close()

    @contextlib.contextmanager
    def conexion(self, zocalo: socket.socket) -> Iterator[None]:
        """Recuerda la conexión mientras dura, para poder cortarla."""
        with self._candado:
            self._conexiones.add(zocalo)
        try:
            yield
        finally:
            with self._candado:
                self._conexiones.discard(zocalo)


class _Servidor(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, escaner: EscanerEscl, puerto: int) -> None:
        self.escaner = escaner
        super().__init__(("127.0.0.1", puerto), _Atencion)

    def handle_error(self, request: object, client_address: object) -> None:
        """Un controlador que cuelga no es noticia."""


class _Atencion(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Servidor

    @property
    def _escaner(self) -> EscanerEscl:
        return self.server.escaner

    def handle(self) -> None:
        with self._escaner.conexion(self.connection):
            super().handle()

    def log_message(self, format: str, *args: object) -> None:
        """No se dice nada: la mesa se mira en su tablero."""

    def do_GET(self) -> None:
        if not self._despierto():
            return
        camino = self.path.rstrip("/")
        if camino == "/eSCL/ScannerCapabilities":
            self._responder(HTTPStatus.OK, _capacidades(), "text/xml")
        elif camino == "/eSCL/ScannerStatus":
            self._responder(HTTPStatus.OK, self._estado(), "text/xml")
        elif camino == "/eSCL/double-feed/NextDocument":
            self._responder(HTTPStatus.CONFLICT)
        elif camino.endswith("/NextDocument") and camino.split("/")[-2] in self._escaner.trabajos:
            self._siguiente(camino.split("/")[-2])
        else:
            self._responder(HTTPStatus.NOT_FOUND)

    def do_POST(self) -> None:
        cuerpo = self.rfile.read(min(int(self.headers.get("Content-Length", "0") or 0), 65536)).decode(
            "utf-8", "replace"
        )
        if not self._despierto():
            return
        if self.path.rstrip("/") != "/eSCL/ScanJobs":
            self._responder(HTTPStatus.NOT_FOUND)
            return
        plana = ">Platen<" in cuerpo
        estorbo = None if plana else self._escaner.charola.estorbo
        if estorbo is not None or (not plana and self._escaner.charola.hojas == 0):
            self._responder(HTTPStatus.CONFLICT)
        else:
            trabajo = uuid.uuid4().hex
            self._escaner.trabajos[trabajo] = plana
            self._escaner.pidieron.append(cuerpo)
            lugar = f"{self._escaner.url}ScanJobs/{trabajo}"
            self._responder(HTTPStatus.CREATED, lugar=lugar)

    def do_DELETE(self) -> None:
        if not self._despierto():
            return
        self._escaner.trabajos.pop(self.path.rstrip("/").split("/")[-1], None)
        self._responder(HTTPStatus.OK)

    def _despierto(self) -> bool:
        return self._escaner.charola.esperar_si_esta_colgado(_SEGUNDOS_COLGADO)

    def _siguiente(self, trabajo: str) -> None:
        escaner, charola = self._escaner, self._escaner.charola
        if escaner.trabajos[trabajo]:
            hoja = charola.vidrio
            escaner.trabajos[trabajo] = False
            self._entregar(hoja) if hoja is not None else self._responder(HTTPStatus.NOT_FOUND)
            escaner.trabajos.pop(trabajo, None)
            return
        jalada = charola.jalar()
        if jalada is None or isinstance(jalada, Estorbo):
            time.sleep(_RODILLO_S)
        if jalada is None:
            self._responder(HTTPStatus.NOT_FOUND)
        elif jalada is Estorbo.DOBLE_HOJA:
            # eSCL no tiene palabra para la doble hoja y airscan la da por atasco. Con SANE_DEBUG_AIRSCAN repite a dónde
            # se le manda: ahí se le dice.
            self._responder(HTTPStatus.FOUND, lugar=f"{escaner.url}double-feed/NextDocument")
        elif isinstance(jalada, Estorbo):
            self._responder(HTTPStatus.CONFLICT)
        elif self._entregar(jalada):
            charola.salio(jalada)

    def _entregar(self, hoja: bytes) -> bool:
        escaner = self._escaner
        corte = None if escaner.cortar_en is None else int(len(hoja) * escaner.cortar_en)
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", "image/png")
        self.send_header("Content-Length", str(len(hoja)))
        self.end_headers()
        trozos = range(0, len(hoja), _TROZO)
        for desde in trozos:
            # Colgarse o cortarse a media hoja es a media transferencia, no antes de empezar.
            if not self._despierto():
                return False
            if corte is not None and desde + _TROZO > corte:
                self.wfile.write(hoja[desde:corte])
                escaner.cortar_en = None
                escaner.desenchufar()
                return False
            self.wfile.write(hoja[desde : desde + _TROZO])
            time.sleep(escaner.segundos_por_hoja / len(trozos))
        return True

    def _estado(self) -> bytes:
        charola = self._escaner.charola
        estorbo = charola.estorbo
        vacia = "ScannerAdfEmpty" if charola.hojas == 0 else "ScannerAdfLoaded"
        adf = vacia if estorbo is None else _ESTADO_ADF[estorbo]
        return (
            f'<?xml version="1.0" encoding="UTF-8"?><scan:ScannerStatus {_NS}><pwg:Version>2.63</pwg:Version>'
            f"<pwg:State>Idle</pwg:State><scan:AdfState>{adf}</scan:AdfState></scan:ScannerStatus>"
        ).encode()

    def _responder(
        self, codigo: HTTPStatus, cuerpo: bytes = b"", clase: str = "text/plain", *, lugar: str = ""
    ) -> None:
        self.send_response(codigo)
        self.send_header("Content-Type", clase)
        self.send_header("Content-Length", str(len(cuerpo)))
        if lugar:
            self.send_header("Location", lugar)
        self.end_headers()
        self.wfile.write(cuerpo)


def _cortar(zocalo: socket.socket) -> None:
    with contextlib.suppress(OSError):
        # Con espera cero el cierre es un RST: un cable jalado no se despide.
        zocalo.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        zocalo.shutdown(socket.SHUT_RDWR)


def _capacidades() -> bytes:
    resoluciones = "".join(
        f"<scan:DiscreteResolution><scan:XResolution>{r}</scan:XResolution><scan:YResolution>{r}</scan:YResolution>"
        "</scan:DiscreteResolution>"
        for r in RESOLUCIONES
    )
    formatos = "".join(
        f"<pwg:DocumentFormat>{f}</pwg:DocumentFormat><scan:DocumentFormatExt>{f}</scan:DocumentFormatExt>"
        for f in ("image/png",)
    )
    # En trescientosavos de pulgada: hasta oficio mexicano y legal (8.5 × 14").
    entrada = (
        "<scan:MinWidth>100</scan:MinWidth><scan:MaxWidth>2550</scan:MaxWidth>"
        "<scan:MinHeight>100</scan:MinHeight><scan:MaxHeight>4200</scan:MaxHeight>"
        "<scan:MaxScanRegions>1</scan:MaxScanRegions><scan:SettingProfiles><scan:SettingProfile><scan:ColorModes>"
        "<scan:ColorMode>RGB24</scan:ColorMode><scan:ColorMode>Grayscale8</scan:ColorMode></scan:ColorModes>"
        f"<scan:DocumentFormats>{formatos}</scan:DocumentFormats><scan:SupportedResolutions>"
        f"<scan:DiscreteResolutions>{resoluciones}</scan:DiscreteResolutions></scan:SupportedResolutions>"
        "</scan:SettingProfile></scan:SettingProfiles>"
    )
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><scan:ScannerCapabilities {_NS}><pwg:Version>2.63</pwg:Version>'
        "<pwg:MakeAndModel>Escaner simulado</pwg:MakeAndModel><pwg:SerialNumber>MESA0001</pwg:SerialNumber>"
        f"<scan:UUID>{uuid.uuid5(uuid.NAMESPACE_URL, 'mesa-de-pruebas')}</scan:UUID>"
        f"<scan:Platen><scan:PlatenInputCaps>{entrada}</scan:PlatenInputCaps></scan:Platen>"
        f"<scan:Adf><scan:AdfSimplexInputCaps>{entrada}</scan:AdfSimplexInputCaps>"
        f"<scan:AdfDuplexInputCaps>{entrada}</scan:AdfDuplexInputCaps><scan:FeederCapacity>100</scan:FeederCapacity>"
        "<scan:AdfOptions><scan:AdfOption>DetectPaperLoaded</scan:AdfOption><scan:AdfOption>Duplex</scan:AdfOption>"
        "</scan:AdfOptions></scan:Adf></scan:ScannerCapabilities>"
    ).encode()
