"""Una llave de kiosco clonada y un sobre alterado, con procesos de verdad: se ven, y los demás siguen."""

from __future__ import annotations

import json
import shutil
import sqlite3
import ssl
import subprocess
import sys
import time
import urllib.request
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from appliance.arranque import abrir_kiosco
from appliance.reloj import RelojFijado
from ensayo.escenario import RAIZ, Escenario
from ensayo.noche import Noche, cargar_noche
from nucleo.acta import Origen
from nucleo.hechos import IdActa
from nucleo.problema import Rechazo
from nucleo.temas import Carril, Tema, ambito_de
from servicio_central import ajustes


@pytest.fixture(scope="module")
def noche() -> Noche:
    return cargar_noche(distritos=frozenset({10, 21}))


def _esperar(que: Callable[[], bool], segundos: float = 30.0) -> bool:
    limite = time.monotonic() + segundos
    while time.monotonic() < limite:
        if que():
            return True
        time.sleep(0.1)
    return False


def _filas(centro: Path, consulta: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(f"file:{centro / 'almacen.sqlite'}?mode=ro", uri=True)) as bd:
        return [tuple(f) for f in bd.execute(consulta)]


def test_una_llave_clonada_se_bifurca_a_la_vista_y_los_demas_siguen(noche: Noche, tmp_path: Path) -> None:
    hora = noche.inicio + timedelta(minutes=70)
    with Escenario(tmp_path / "e", noche.definicion, noche.proceso, noche.agendas, "minimas") as escenario:
        escenario.vivir_hasta(hora)
        escenario.escurrir()
        victima, sano = escenario.equipos
        # Alguien copia el disco del kiosco a media noche, y los dos siguen asentando por su lado.
        escenario.piezas[f"enlace/{victima}"].matar()
        clon = tmp_path / "clon"
        shutil.copytree(escenario.kiosco(victima), clon)
        falso = abrir_kiosco(clon, RelojFijado(hora))
        libre = _sin_acopio(noche, victima)
        hecha = falso.mesa.acopiar(libre, persona="acopio-9", origen=Origen.CATD)
        assert not isinstance(hecha, Rechazo)
        secuencia = falso.almacen.ultimo().secuencia
        falso.almacen.desconectar()
        # El clon llega primero; el legítimo, después, con otra hoja en la misma secuencia.
        orden = [sys.executable, "-m", "appliance.enlace", "--carpeta", str(clon)]
        with subprocess.Popen(orden, cwd=RAIZ, stderr=subprocess.DEVNULL) as impostor:
            try:
                cuenta = f"SELECT 1 FROM hechos WHERE equipo = '{victima}' AND secuencia = {secuencia}"
                assert _esperar(lambda: bool(_filas(escenario.centro, cuenta)))
            finally:
                impostor.kill()
        escenario.vivir_hasta(hora + timedelta(minutes=30))
        escenario.piezas[f"enlace/{victima}"].levantar()
        assert _esperar(lambda: bool(_filas(escenario.centro, "SELECT 1 FROM bifurcaciones"))), (
            "nadie vio la bifurcación"
        )
        ((equipo, donde),) = _filas(escenario.centro, "SELECT DISTINCT equipo, min(secuencia) FROM bifurcaciones")
        assert (equipo, donde) == (victima, secuencia)
        # Nada del sano se detuvo, y operación lo lee en su página.
        assert _esperar(lambda: escenario.pendientes()[sano] == 0)
        url = f"http://127.0.0.1:{escenario.puerto_web}/proyector"
        # La sala mira cada tanto: la página llega un momento después que el hecho.
        assert _esperar(lambda: "bifurca" in _pagina(url).lower() and victima in _pagina(url)), _pagina(url)


def _pagina(url: str) -> str:
    with urllib.request.urlopen(url, timeout=10) as respuesta:
        return str(respuesta.read().decode())


def _sin_acopio(noche: Noche, equipo: str) -> IdActa:
    conocidas = {d.acta.casilla for d in noche.agendas[equipo].documentos}
    distrito = int(equipo.removeprefix("catd-"))
    libre = next(c for c in noche.proceso.casillas.values() if c.distrito == distrito and c.clave not in conocidas)
    return IdActa(noche.eleccion.clave, libre.clave)


def test_un_sobre_alterado_en_el_camino_queda_en_cuarentena_y_el_bueno_se_cuenta(noche: Noche, tmp_path: Path) -> None:
    hora = noche.inicio + timedelta(minutes=60)
    with Escenario(tmp_path / "e", noche.definicion, noche.proceso, noche.agendas, "minimas") as escenario:
        equipo = escenario.equipos[0]
        escenario.piezas[f"enlace/{equipo}"].matar()
        escenario.vivir_hasta(hora)
        carpeta = escenario.kiosco(equipo)
        with closing(sqlite3.connect(carpeta / "almacen.sqlite")) as bd:
            buenos = [str(f[0]) for f in bd.execute("SELECT sobre FROM hechos ORDER BY secuencia LIMIT 3")]
        _publicar(escenario, carpeta, equipo, [_alterar_carga(buenos[0]), _alterar_firma(buenos[1])])
        cuarentena = "SELECT codigo FROM cuarentena"
        assert _esperar(lambda: len(_filas(escenario.centro, cuarentena)) == 2)
        assert {c for (c,) in _filas(escenario.centro, cuarentena)} == {"FIRMA"}
        escenario.piezas[f"enlace/{equipo}"].levantar()
        escenario.escurrir()
        aceptados = _filas(escenario.centro, f"SELECT sobre FROM hechos WHERE equipo = '{equipo}' ORDER BY secuencia")
        assert [s for (s,) in aceptados[:3]] == buenos


def _alterar_carga(compacto: str) -> str:
    encabezado, carga, firma = compacto.split(".")
    dato = json.loads(urlsafe_b64decode(carga + "=" * (-len(carga) % 4)))
    dato["contenido"]["persona"] = "intruso"
    otra = urlsafe_b64encode(json.dumps(dato, separators=(",", ":")).encode()).decode().rstrip("=")
    return f"{encabezado}.{otra}.{firma}"


def _alterar_firma(compacto: str) -> str:
    encabezado, carga, firma = compacto.split(".")
    return f"{encabezado}.{carga}.{('A' if firma[0] != 'A' else 'B') + firma[1:]}"


def _publicar(escenario: Escenario, carpeta: Path, equipo: str, sobres: list[str]) -> None:
    donde = ajustes.leer(escenario.centro)
    tls = ssl.create_default_context(cafile=str(carpeta / "ca.pem"))
    tls.load_cert_chain(carpeta / "tls.pem", carpeta / "tls.key")
    cliente = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=equipo)
    cliente.tls_set_context(tls)
    cliente.connect(donde.broker_host, donde.broker_puerto)
    cliente.loop_start()
    tema = str(Tema(ambito_de(escenario.proceso.modo, escenario.proceso.clave), equipo, Carril.HECHOS))
    for sobre in sobres:
        cliente.publish(tema, sobre, qos=1).wait_for_publish(10)
    cliente.disconnect()
    cliente.loop_stop()
