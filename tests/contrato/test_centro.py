"""El centro como proceso, con su bróker: lo acusado sobrevive a todo y lo demás se vuelve a pedir."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from ensayo.puertos import puerto_libre
from nucleo.acta import asentado_de_campos
from nucleo.acuse import Acuse
from nucleo.campo import Numero
from nucleo.hechos import Captura, IdActa, a_contenido
from nucleo.latido import Latido, sellar_latido
from nucleo.sobre import CADENA_NUEVA, Sobre, huella, sellar
from nucleo.temas import Carril
from servicio_central import ajustes, almacen, broker, cambios_de_padron
from servicio_central.firmante import FirmanteDeArchivo
from tests.centro_de_verdad import RAIZ, Cliente, Inscrito, ProcesoCentro, epoca_de, esperar

pytestmark = pytest.mark.broker


@dataclass
class KioscoAMano:
    """Un kiosco mínimo: firma, manda y guarda lo que le acusaron. Ni base de datos ni reintentos propios."""

    sistema: Inscrito
    nombre: str
    sobres: list[str] = field(default_factory=list)
    previo: str = CADENA_NUEVA
    latidos: int = 0
    acusados: dict[int, str] = field(default_factory=dict)
    """Secuencia → huella de todo lo que algún acuse firmado cubrió."""
    cliente: Cliente | None = None

    def __post_init__(self) -> None:
        self.carpeta = self.sistema.kiosco(self.nombre)
        self.epoca = epoca_de(self.carpeta)
        self.firmante = FirmanteDeArchivo(self.carpeta / "llave.pem", self.nombre)
        proceso = self.sistema.proceso
        self.eleccion = next(iter(proceso.elecciones.values()))
        self.casillas = list(proceso.casillas.values())

    def conectar(self) -> None:
        self.cerrar()
        tls = broker.contexto_tls(self.carpeta)
        baja = self.sistema.tema(self.nombre, Carril.ACUSE)
        self.cliente = Cliente(self.sistema.puerto, tls, self.nombre, temas=baja)
        assert self.cliente.listo, self.cliente.codigos

    def cerrar(self) -> None:
        if self.cliente is not None:
            self.cliente.cerrar()

    def asentar(self, cuantos: int) -> None:
        for _ in range(cuantos):
            n = len(self.sobres)
            casilla = self.casillas[n % len(self.casillas)]
            campos = dict.fromkeys((o.clave for o in self.eleccion.opciones_de(casilla)), Numero(n % 90))
            otros = "BOLETAS_SOBRANTES PERSONAS_VOTARON REPRESENTANTES_VOTARON VOTOS_SACADOS TOTAL_ASENTADO"
            asentado = asentado_de_campos({**campos, **dict.fromkeys(otros.split(), Numero(n % 90))})
            acta = IdActa(self.eleccion.clave, casilla.clave)
            hora = self.sistema.proceso.inicio_publicacion
            contenido = a_contenido(Captura(acta, 1, hora, f"{self.nombre}-{n % 2}", asentado))
            sobre = Sobre(
                self.sistema.proceso.clave,
                "simulacro",
                self.nombre,
                self.nombre,
                self.epoca,
                n + 1,
                self.previo,
                hora,
                "libre",
                "a",
                "b",
                contenido,
            )
            self.sobres.append(sellar(sobre, self.firmante))
            self.previo = huella(self.sobres[-1])

    def mandar(self, desde: int = 1, hasta: int | None = None) -> None:
        assert self.cliente is not None
        for sobre in self.sobres[desde - 1 : hasta]:
            self.cliente.publicar(self.sistema.tema(self.nombre, Carril.HECHOS), sobre)

    def latir(self) -> None:
        assert self.cliente is not None
        self.latidos += 1
        hora = f"2022-06-06T02:{self.latidos // 60:02d}:{self.latidos % 60:02d}+00:00"
        ultimo = huella(self.sobres[-1]) if self.sobres else CADENA_NUEVA
        latido = Latido(
            self.nombre,
            self.nombre,
            self.epoca,
            "a" * 16,
            "pulso",
            len(self.sobres),
            ultimo,
            0,
            0,
            hora,
            "libre",
            10**10,
            "v1",
        )
        self.cliente.publicar(self.sistema.tema(self.nombre, Carril.LATIDO), sellar_latido(latido, self.firmante))

    def acuse(self) -> Acuse | None:
        """El último acuse firmado; anota todo lo que haya cubierto cualquiera."""
        assert self.cliente is not None
        acuses = self.cliente.acuses(self.carpeta)
        for acuse in acuses:
            for n in range(1, acuse.contiguo + 1):
                self.acusados[n] = huella(self.sobres[n - 1])
            self.acusados.update(dict(acuse.sueltos))
        return acuses[-1] if acuses else None

    def hasta(self) -> int:
        acuse = self.acuse()
        return acuse.contiguo if acuse else 0


@pytest.fixture
def sistema(tmp_path: Path) -> Iterator[Inscrito]:
    inscrito = Inscrito(tmp_path)
    inscrito.kiosco("catd-01")
    inscrito.levantar_broker()
    yield inscrito
    inscrito.matar_broker()


@pytest.fixture
def centro(sistema: Inscrito) -> Iterator[ProcesoCentro]:
    proceso = ProcesoCentro(sistema.centro, "--sin-web")
    proceso.levantar()
    yield proceso
    proceso.matar()


@pytest.fixture
def kiosco(sistema: Inscrito, centro: ProcesoCentro) -> Iterator[KioscoAMano]:
    kiosco = KioscoAMano(sistema, "catd-01")
    kiosco.conectar()
    yield kiosco
    kiosco.cerrar()


def _guardados(sistema: Inscrito) -> dict[int, str]:
    bd = almacen.leer(sistema.centro / ajustes.ALMACEN)
    try:
        return dict(bd.execute("SELECT secuencia, huella FROM hechos WHERE equipo = 'catd-01'"))
    finally:
        bd.close()


def test_lo_que_manda_un_kiosco_se_guarda_y_se_acusa(sistema: Inscrito, kiosco: KioscoAMano) -> None:
    kiosco.asentar(120)
    kiosco.mandar()
    assert esperar(lambda: kiosco.hasta() == 120)
    acuse = kiosco.acuse()
    assert acuse is not None
    assert acuse.huella == kiosco.previo
    assert _guardados(sistema) == {n + 1: huella(s) for n, s in enumerate(kiosco.sobres)}


@pytest.mark.lento
def test_matar_al_centro_y_al_broker_a_media_entrega_no_pierde_nada_acusado(
    sistema: Inscrito, centro: ProcesoCentro, kiosco: KioscoAMano
) -> None:
    azar = random.Random(20220605)
    for vuelta in range(6):
        kiosco.asentar(80)
        kiosco.mandar(max(1, kiosco.hasta() - 5))
        time.sleep(azar.uniform(0.0, 0.12))
        kiosco.acuse()
        centro.matar()
        # Todo lo que un acuse firmado cubrió está en disco, aunque al centro se le matara en cualquier instante.
        guardados = _guardados(sistema)
        assert {n: guardados.get(n) for n in kiosco.acusados} == kiosco.acusados
        if vuelta % 2:
            sistema.matar_broker()
            sistema.levantar_broker()
            kiosco.conectar()
        centro.levantar()
    # Y al volver, pide lo que falta y el kiosco lo completa.
    total = len(kiosco.sobres)
    limite = time.monotonic() + 30
    while kiosco.hasta() < total and time.monotonic() < limite:
        kiosco.latir()
        assert esperar(lambda: kiosco.acuse() is not None)
        kiosco.mandar(kiosco.hasta() + 1)
        esperar(lambda: kiosco.hasta() == total, 3)
    assert kiosco.hasta() == total
    assert _guardados(sistema) == {n + 1: huella(s) for n, s in enumerate(kiosco.sobres)}


def test_el_acuse_llega_solo_despues_de_lo_durable(sistema: Inscrito, kiosco: KioscoAMano) -> None:
    # Otro proceso tiene tomado el almacén: el centro no puede guardar y por lo tanto no acusa.
    bd = almacen.Almacen.abrir(sistema.centro / ajustes.ALMACEN).bd
    bd.execute("BEGIN IMMEDIATE")
    kiosco.asentar(3)
    kiosco.mandar()
    time.sleep(1.0)
    assert kiosco.acuse() is None
    bd.execute("ROLLBACK")
    bd.close()
    assert esperar(lambda: kiosco.hasta() == 3)


def test_un_equipo_inscrito_o_dado_de_baja_a_media_noche_se_nota_sin_reiniciar(
    sistema: Inscrito, centro: ProcesoCentro, kiosco: KioscoAMano
) -> None:
    nuevo = KioscoAMano(sistema, "catd-02")
    assert esperar(lambda: "padrón 3" in centro.bitacora(), 5)
    nuevo.conectar()
    nuevo.asentar(1)
    nuevo.mandar()
    assert esperar(lambda: nuevo.hasta() == 1)
    cambios_de_padron.baja(sistema.autoridad, sistema.centro, "catd-02")
    assert esperar(lambda: "padrón 4" in centro.bitacora(), 5)
    nuevo.asentar(1)
    nuevo.mandar(2)
    assert esperar(
        lambda: (a := nuevo.acuse()) is not None and [x.codigo for x in a.apartados] == ["EQUIPO_NO_VIGENTE"]
    )
    nuevo.cerrar()
    # Un padrón anterior, aunque bien firmado, no le devuelve la vigencia.
    viejo = (sistema.centro / "padrones" / "000003.jws").read_bytes()
    (sistema.centro / ajustes.PADRON).write_bytes(viejo)
    assert esperar(lambda: "anterior al 4" in centro.bitacora(), 5)
    kiosco.asentar(1)
    kiosco.mandar()
    assert esperar(lambda: kiosco.hasta() == 1)


def test_con_sigterm_termina_limpio_y_las_paginas_dicen_donde_estan(sistema: Inscrito) -> None:
    puerto = puerto_libre()
    proceso = ProcesoCentro(sistema.centro, "--puerto", str(puerto))
    proceso.levantar()
    base = f"http://127.0.0.1:{puerto}"
    assert esperar(lambda: f"{base}/operacion" in proceso.bitacora())

    def responde() -> bool:
        try:
            return httpx.get(f"{base}/proyector").status_code == 200
        except httpx.TransportError:
            return False

    assert esperar(responde)
    assert "catd-01" in httpx.get(f"{base}/proyector").text
    assert "Los resultados preliminares comienzan" in httpx.get(base).text
    assert httpx.get(base, headers={"Host": "malo.example"}).status_code == 421
    assert httpx.post(f"{base}/proyector").status_code == 405
    assert httpx.get(f"{base}/operacion").headers["location"] == "/operacion/entrar"
    for camino in ("/../centro.pem", "/%2e%2e/centro.pem", "/cortes/../centro.pem", "/cortes/..%2fcentro.pem"):
        assert httpx.get(base + camino).status_code in (400, 404)
    assert proceso.terminar() == 0
    assert "terminado" in proceso.bitacora()
    assert "Traceback" not in proceso.bitacora()


def test_con_el_disco_de_la_bitacora_lleno_se_sigue_recibiendo(sistema: Inscrito) -> None:
    orden = [sys.executable, "-m", "servicio_central", "--carpeta", str(sistema.centro), "--sin-web"]
    with Path("/dev/full").open("w") as lleno:
        proceso = subprocess.Popen(orden, stdout=lleno, stderr=lleno, cwd=RAIZ)
    kiosco = KioscoAMano(sistema, "catd-01")
    try:
        kiosco.conectar()
        kiosco.asentar(3)

        def acusado() -> bool:
            # Lo mandado antes de que el centro se suscriba se pierde: el kiosco insiste.
            kiosco.mandar()
            return esperar(lambda: kiosco.hasta() == 3, 1)

        assert esperar(acusado)
        assert proceso.poll() is None
    finally:
        kiosco.cerrar()
        proceso.kill()
        proceso.wait()


def test_si_la_ingesta_muere_el_proceso_sale_con_error_y_antes_la_pagina_lo_dice(sistema: Inscrito) -> None:
    puerto = puerto_libre()
    programa = (
        "import sys; from servicio_central import __main__ as m, enlace\n"
        "def morir(*_): raise MemoryError\n"
        "enlace.Enlace._ciclo = morir; m._ROJO = 3.0\n"
        f"sys.argv = ['centro', '--carpeta', {str(sistema.centro)!r}, '--puerto', '{puerto}']; m.main()"
    )
    proceso = subprocess.Popen([sys.executable, "-c", programa], cwd=RAIZ, stderr=subprocess.PIPE, text=True)

    def roja() -> bool:
        try:
            return "LA INGESTA SE DETUVO" in httpx.get(f"http://127.0.0.1:{puerto}/proyector").text
        except httpx.TransportError:
            return False

    assert esperar(roja)
    _, dicho = proceso.communicate(timeout=20)
    assert proceso.returncode == 1
    assert "sin que nadie lo pidiera" in dicho


def test_sin_inscribir_dice_que_hacer(tmp_path: Path) -> None:
    proceso = ProcesoCentro(tmp_path / "nada", "--sin-web")
    with pytest.raises(AssertionError, match="Siguiente paso"):
        proceso.levantar()
