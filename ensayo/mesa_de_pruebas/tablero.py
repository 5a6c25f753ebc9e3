"""El tablero de la mesa: una página en 127.0.0.1 con un botón por infortunio, que también sirve como API.

La dirección lleva una ficha al azar: en una máquina con varias cuentas, o desde otra página abierta en el navegador,
nadie atasca un escáner ni lee un gafete ajeno.
"""

from __future__ import annotations

import html
import json
import secrets
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final
from urllib.parse import parse_qs

from ensayo.mesa_de_pruebas.charola import MAXIMO_HOJA
from ensayo.mesa_de_pruebas.mesa import BotonDesconocido, MesaDePruebas

_PAGINA: Final = """<!doctype html><html lang="es"><meta charset="utf-8"><title>Mesa de pruebas</title>
<meta name="viewport" content="width=device-width">
<style>body{{font:18px system-ui;margin:2rem;max-width:60rem}}button,input{{font:inherit;min-height:44px;margin:4px}}
pre{{background:#eee;padding:1rem}}</style><h1>Mesa de pruebas</h1><pre id="estado">{estado}</pre>
<h2>Papel</h2><form id="hojas"><label>Hojas (JPEG, PNG o WebP) <input type="file" name="hoja" accept="image/*"
multiple></label><label><input type="checkbox" name="vidrio"> en el vidrio</label><button>Meter hojas</button></form>
<h2>Escáner y lector</h2><p>{botones}</p>
<h2>Código</h2><form id="codigo"><label>Texto <input name="texto" size="60"></label><button>Leer</button></form>
<script>
const aqui = location.pathname;
const mandar = async (camino, cuerpo) => {{
  const r = await fetch(aqui + camino, {{method: "POST", body: cuerpo}});
  document.getElementById("estado").textContent = await r.text();
}};
document.querySelectorAll("button[data-boton]").forEach(b => b.onclick = () => mandar("boton/" + b.dataset.boton));
document.getElementById("codigo").onsubmit = e => {{ e.preventDefault();
  mandar("leer", new URLSearchParams({{texto: e.target.texto.value}})); }};
document.getElementById("hojas").onsubmit = async e => {{ e.preventDefault();
  const donde = e.target.vidrio.checked ? "vidrio" : "hoja";
  for (const h of e.target.hoja.files) await mandar(donde, h); }};
</script></html>"""


class Tablero:
    """Se sirve desde que se crea; `cerrar` lo apaga."""

    def __init__(self, mesa: MesaDePruebas) -> None:
        self.ficha = secrets.token_urlsafe(16)
        self._servidor = _Servidor(mesa, self.ficha)
        self.url = f"http://127.0.0.1:{self._servidor.server_address[1]}/{self.ficha}/"
        threading.Thread(target=self._servidor.serve_forever, args=(0.05,), name="tablero", daemon=True).start()

    def cerrar(self) -> None:
        self._servidor.shutdown()
        self._servidor.server_close()


class _Servidor(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, mesa: MesaDePruebas, ficha: str) -> None:
        self.mesa = mesa
        self.ficha = ficha
        super().__init__(("127.0.0.1", 0), _Atencion)

    def handle_error(self, request: object, client_address: object) -> None:
        """Un navegador que se cierra a media respuesta no es noticia."""


class _Atencion(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Servidor

    def log_message(self, format: str, *args: object) -> None:
        """La ficha va en la dirección: no se escribe en ningún lado."""

    def do_GET(self) -> None:
        match self._camino():
            case "":
                self._responder(HTTPStatus.OK, self._pagina(), "text/html; charset=utf-8")
            case "estado":
                self._estado()
            case _:
                self._responder(HTTPStatus.NOT_FOUND)

    def do_POST(self) -> None:
        largo = self.headers.get("Content-Length", "0")
        if not largo.isdecimal() or int(largo) > MAXIMO_HOJA:
            self.close_connection = True
            self._responder(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            return
        cuerpo = self.rfile.read(int(largo))
        camino = self._camino()
        mesa = self.server.mesa
        try:
            if camino == "hoja" or camino == "vidrio":
                mesa.meter_hoja(cuerpo, en_el_vidrio=camino == "vidrio")
            elif camino == "leer":
                mesa.leer(parse_qs(cuerpo.decode("utf-8", "replace")).get("texto", [""])[0])
            elif camino is not None and camino.startswith("boton/"):
                mesa.pulsar(camino.removeprefix("boton/"))
            else:
                self._responder(HTTPStatus.NOT_FOUND)
                return
        except BotonDesconocido as error:
            self._responder(HTTPStatus.BAD_REQUEST, str(error).encode())
            return
        self._estado()

    def _camino(self) -> str | None:
        """Lo que sigue a la ficha; `None` si no la trae."""
        ficha, _, resto = self.path.partition("?")[0].lstrip("/").partition("/")
        return resto if secrets.compare_digest(ficha.encode(), self.server.ficha.encode()) else None

    def _estado(self) -> None:
        dicho = json.dumps(self.server.mesa.estado(), ensure_ascii=False, indent=1)
        self._responder(HTTPStatus.OK, dicho.encode(), "application/json")

    def _pagina(self) -> bytes:
        botones = "".join(
            f'<button type="button" data-boton="{b}">{html.escape(b.replace("_", " ").capitalize())}</button>'
            for b in self.server.mesa.botones
        )
        estado = json.dumps(self.server.mesa.estado(), ensure_ascii=False, indent=1)
        return _PAGINA.format(estado=html.escape(estado), botones=botones).encode()

    def _responder(self, codigo: HTTPStatus, cuerpo: bytes = b"", clase: str = "text/plain; charset=utf-8") -> None:
        self.send_response(codigo)
        self.send_header("Content-Type", clase)
        self.send_header("Content-Length", str(len(cuerpo)))
        self.end_headers()
        self.wfile.write(cuerpo)
