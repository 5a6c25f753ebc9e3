"""El centro perdió su disco y otro disco con la misma llave ocupó los lugares: lo que ya estaba cerrado aparece.

El almacén del kiosco y la ingesta del centro son los de verdad; entre ellos, sólo mensajes.
"""

from __future__ import annotations

import random
import shutil
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from appliance.almacen import Almacen
from appliance.bandeja import MAXIMO_EN_DUDA, Veredicto
from appliance.enlace.envio import Envio
from appliance.enlace.lo_dudoso import TOPE_S, LoDudoso
from nucleo.acuse import MAXIMO_SUELTOS, Acuse, Apartado
from nucleo.sobre import CADENA_NUEVA
from servicio_central.ingesta import Ingesta, Mensaje
from tests.kiosco_de_prueba import hora, identidad, un_hecho
from tests.sobres_de_prueba import AHORA, PROCESO, CentroDePrueba, EquipoDePrueba


@dataclass
class Disco:
    """El almacén de un kiosco y quien lleva sus sobres y le trae los acuses."""

    carpeta: Path
    equipo: EquipoDePrueba = field(default_factory=lambda: EquipoDePrueba("catd-01"))
    almacen: Almacen = field(init=False)
    ofrecidas: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.carpeta.mkdir(parents=True, exist_ok=True)
        self.almacen = Almacen.abrir(
            self.carpeta / "almacen.sqlite",
            identidad(),
            self.equipo.quien,
            proceso=PROCESO.clave,
            sistema="prueba",
            arranque="prueba",
        )

    def clonar(self, carpeta: Path) -> Disco:
        carpeta.mkdir()
        self.almacen._conexion.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        shutil.copy(self.carpeta / "almacen.sqlite", carpeta)
        return Disco(carpeta, self.equipo)

    def asentar(self, cuantos: int, desde: int = 0) -> None:
        base = self.almacen.ultimo().secuencia + desde
        self.almacen.asentar([un_hecho(base + i) for i in range(cuantos)], hora(), "virtual")

    def huellas(self) -> dict[int, str]:
        return {p.secuencia: p.huella for p in self.almacen.sobres(1, 2**31, 2**31)}

    def estados(self) -> dict[int, tuple[str, str | None]]:
        with self.almacen.lectura() as mirada:
            filas = mirada.conexion.execute("SELECT secuencia, estado, apartado FROM bandeja")
            return {secuencia: (estado, apartado) for secuencia, estado, apartado in filas}


class CentroConReloj(CentroDePrueba):
    """Su hora avanza con cada acuse, y su disco se puede respaldar y volver a poner."""

    def arrancar(self) -> None:
        super().arrancar()
        self.segundos = 0.0
        self.ingesta = Ingesta(self.almacen, self.proceso, self.padron(), self.llave, self._ahora)

    def _ahora(self) -> datetime:
        self.segundos += 15.037
        return AHORA + timedelta(seconds=self.segundos)

    def respaldar(self) -> None:
        self.almacen.bd.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        shutil.copy(self.carpeta / "almacen.sqlite", self.carpeta / "respaldo")

    def perder_el_disco(self) -> None:
        self.almacen.cerrar()
        for archivo in self.carpeta.glob("almacen.sqlite*"):
            archivo.unlink()
        shutil.copy(self.carpeta / "respaldo", self.carpeta / "almacen.sqlite")
        self.arrancar()

    def tiene(self) -> set[str]:
        filas = self.almacen.bd.execute("SELECT huella FROM hechos UNION SELECT huella FROM bifurcaciones")
        return {huella for (huella,) in filas}


@pytest.fixture
def disco(tmp_path: Path) -> Disco:
    return Disco(tmp_path / "original")


@pytest.fixture
def centro(tmp_path: Path, disco: Disco) -> CentroConReloj:
    return CentroConReloj(tmp_path / "centro", [disco.equipo])


def _entregar(disco: Disco, centro: CentroConReloj, vueltas: int = 60) -> Veredicto:
    """Late, oye y manda lo que toque, hasta que ya nada cambie."""
    veredicto, quietas = Veredicto.AJENO, 0
    for vuelta in range(vueltas):
        ultimo = disco.almacen.ultimo()
        latido = disco.equipo.latido(ultimo.secuencia, huella=ultimo.huella, segundo=vuelta, sesion=f"{id(disco):016x}")
        quietas += 1
        for acuse in _oir(centro, [latido]):
            resultado = disco.almacen.cerrar(acuse, AHORA)
            veredicto = resultado.veredicto
            pedidos = {*resultado.en_duda, *(s for a, b in acuse.faltan for s in range(a, b + 1))}
            pedidos |= {p.secuencia for p in disco.almacen.pendientes()}
            disco.ofrecidas += resultado.en_duda
            sobres = [p.sobre for s in sorted(pedidos) for p in disco.almacen.sobres(s, s)]
            for otro in _oir(centro, [disco.equipo.envio(sobre) for sobre in sobres]):
                cambio = disco.almacen.cerrar(otro, AHORA)
                quietas = 0 if cambio.cerrados or cambio.apartados else quietas
        if quietas > 8:
            break
    return veredicto


def _oir(centro: CentroConReloj, mensajes: list[Mensaje]) -> list[Acuse]:
    return centro.acuses(centro.ingesta.procesar(mensajes)) if mensajes else []


@pytest.mark.parametrize("propias", [3, 3 * MAXIMO_EN_DUDA])
def test_el_clon_ocupa_los_lugares_que_el_centro_perdio_y_lo_cerrado_se_vuelve_a_dar(
    disco: Disco, centro: CentroConReloj, tmp_path: Path, propias: int
) -> None:
    disco.asentar(40)
    _entregar(disco, centro)
    centro.respaldar()
    clon = disco.clonar(tmp_path / "clon")
    disco.asentar(propias)
    assert _entregar(disco, centro) is Veredicto.APLICADO
    centro.perder_el_disco()
    clon.asentar(propias + 2, desde=500)
    assert _entregar(clon, centro) is Veredicto.APLICADO
    contadas = set(clon.huellas().values())
    assert _entregar(disco, centro) is Veredicto.RETROCEDIDO
    assert set(disco.huellas().values()) <= centro.tiene()
    assert [s for s, e in disco.estados().items() if e == ("cerrado", "BIFURCADO")] == list(range(41, 41 + propias))
    # Nada desplazó a lo contado, y de lo común se ofreció a lo más una tanda.
    assert {h for (h,) in centro.almacen.bd.execute("SELECT huella FROM hechos")} == contadas
    assert min(disco.ofrecidas) > 40 - MAXIMO_EN_DUDA
    resumen = disco.almacen.resumen()
    assert (resumen.pendientes, resumen.apartados) == (propias, propias)


def test_se_bifurca_atras_del_respaldo_y_los_lugares_ajenos_no_caben_en_un_acuse(
    disco: Disco, centro: CentroConReloj, tmp_path: Path
) -> None:
    """El centro ya tenía la 4 y la 5 de este disco: las del clon que siguen no encadenan, y son más de las que un acuse
    puede nombrar."""
    disco.asentar(3)
    clon = disco.clonar(tmp_path / "clon")
    disco.asentar(2)
    _entregar(disco, centro)
    centro.respaldar()
    cuantas = MAXIMO_SUELTOS + 40
    disco.asentar(cuantas)
    _entregar(disco, centro)
    centro.perder_el_disco()
    clon.asentar(cuantas + 2, desde=500)
    _entregar(clon, centro)
    _entregar(disco, centro)
    assert set(disco.huellas().values()) | set(clon.huellas().values()) <= centro.tiene()


def test_una_sola_hoja_del_clon_no_hace_reenviar_todo_toda_la_noche(
    disco: Disco, centro: CentroConReloj, tmp_path: Path
) -> None:
    disco.asentar(3)
    _entregar(disco, centro)
    clon = disco.clonar(tmp_path / "clon")
    clon.asentar(40, desde=500)
    (lejana,) = clon.almacen.sobres(43, 43)
    _oir(centro, [disco.equipo.envio(lejana.sobre)])
    disco.asentar(20)
    assert _entregar(disco, centro) is Veredicto.RETROCEDIDO
    assert set(disco.huellas().values()) <= centro.tiene()
    resumen = disco.almacen.resumen()
    assert (resumen.pendientes, resumen.alarma) == (0, "retrocedido")


def test_lo_bifurcado_que_el_centro_acaba_contando_deja_de_estar_apartado(
    disco: Disco, centro: CentroConReloj, tmp_path: Path
) -> None:
    disco.asentar(2)
    _entregar(disco, centro)
    centro.respaldar()
    clon = disco.clonar(tmp_path / "clon")
    disco.asentar(1)
    _entregar(disco, centro)
    centro.perder_el_disco()
    clon.asentar(1, desde=500)
    _entregar(clon, centro)
    _entregar(disco, centro)
    assert disco.estados()[3] == ("cerrado", "BIFURCADO")
    assert [p.secuencia for p in disco.almacen.apartados()] == [3]
    # Se vuelve a perder, y ahora llega primero el original: la da el reintento de lo apartado.
    centro.perder_el_disco()
    (acuse,) = _oir(centro, [disco.equipo.envio(p.sobre) for p in disco.almacen.apartados()])
    assert disco.almacen.cerrar(acuse, AHORA).veredicto is Veredicto.APLICADO
    assert disco.estados()[3] == ("cerrado", None)


def test_sin_otro_disco_nada_se_vuelve_a_ofrecer(disco: Disco, centro: CentroConReloj) -> None:
    disco.asentar(30)
    assert _entregar(disco, centro) is Veredicto.APLICADO
    assert disco.ofrecidas == []
    assert disco.almacen.resumen().pendientes == 0


def test_lo_mismo_se_ofrece_cada_vez_mas_despacio_y_lo_que_cambia_en_el_acto() -> None:
    dudoso = LoDudoso(30.0)
    assert dudoso.toca((9, 8), 0.0) == [(8, 8), (9, 9)]
    assert dudoso.toca((9, 8), 29.0) == []
    assert dudoso.toca((9, 8), 30.0) == [(8, 8), (9, 9)]
    assert dudoso.toca((9, 8), 89.0) == []
    assert dudoso.toca((9, 8, 7), 89.0) == [(7, 7)]
    ofrecidas = sum(bool(dudoso.toca((8,), 100.0 + s)) for s in range(3600))
    assert ofrecidas <= 3600 / TOPE_S + 5
    assert dudoso.toca((), 9999.0) == []


def test_el_centro_nombra_otras_en_cada_acuse_y_no_se_reenvia_sin_fin() -> None:
    """Con muchas ajenas cada acuse nombra otras; si ninguna se aparta (llave cerrada), ofrecerlas trae otro acuse."""
    dudoso = LoDudoso(30.0)
    acuses = [tuple(range(200, 184, -1)), tuple(range(140, 124, -1)), ()]
    ofrecidas = sum(len(dudoso.toca(acuses[n % 3], n / 10)) for n in range(36_000))
    assert ofrecidas <= 2 * 16 * (3600 / TOPE_S + 5)


def test_lo_bifurcado_se_repite_cada_vez_mas_despacio(disco: Disco) -> None:
    """Nunca se va a contar: cuarenta y ocho cada treinta segundos eran quince megas por hora de celular."""
    disco.asentar(3)
    envio = Envio(disco.almacen, ventana=48, rto_s=2.0, rto_maximo_s=20.0, lento_s=30.0, azar=random.Random(1))
    apartados = tuple(Apartado(huella, "BIFURCADO") for huella in disco.huellas().values())
    acuse = Acuse("catd-01", disco.almacen.epoca, 0, CADENA_NUEVA, (), (), apartados, AHORA)
    assert disco.almacen.cerrar(acuse, AHORA).apartados == 3
    envio.releer()
    mandados = sum(envio.mandar(float(s), lambda _: True) for s in range(3600))
    assert 3 * 10 <= mandados <= 3 * 25
