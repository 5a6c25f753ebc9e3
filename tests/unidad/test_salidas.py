"""Dos salidas sobre una red en memoria y con el tiempo en la mano: relevo, regreso sin vaivén, y lo que se dice."""

from __future__ import annotations

import heapq
import random
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance import situacion
from appliance.bandeja import Resumen
from appliance.enlace.ajustes import Ajustes, Alrededor
from appliance.enlace.aviso_de_reloj import DESFASE, AvisoDeReloj
from appliance.enlace.ciclo import Enlace
from appliance.enlace.rechazos import CIERRES, LARGA_S, PACIENCIA_S, RECHAZADO, Rechazos
from appliance.enlace.relevo import ESTANCIA_MAXIMA_S, Relevo
from appliance.enlace.salidas import ARCHIVO, Salida, leer_salidas, tope_de
from appliance.enlace.transporte import EnlaceCaido, NoAutorizado, Transporte
from appliance.enlace.transporte import Testamento as _Testamento
from appliance.enlace.transporte_memoria import BrokerEnMemoria, TransporteEnMemoria
from appliance.enlace.transporte_por_salida import SALIDA, Anotador, TransportePorSalida
from appliance.falla import Falla
from appliance.imagenes_declaradas import PRESUPUESTO, ResumenDeImagenes
from appliance.llave import LlaveDeArchivo
from appliance.pantalla.barra import EsperaDeImagenes, enlace_de
from appliance.reloj import LIBRE, VIRTUAL, RelojFijado
from tests.centro_de_prueba import Centro
from tests.kiosco_de_prueba import PROCESO, abrir_almacen, hora, identidad, un_hecho
from tests.unidad.test_enlace import AMBITO, Noche

CABLE, CELULAR = Salida("cable", "enp2s0"), Salida("celular", "wwan0", por_byte=True, tope_mb=800)
LAS_DOS = """\
[[salidas]]
nombre = "cable"
interfaz = "enp2s0"

[[salidas]]
nombre = "celular"
interfaz = "wwan0"
por_byte = true
tope_mb = 800
"""


# ----------------------------------------------------------------------------------------------------- enlace.toml


def test_sin_enlace_toml_todo_es_como_antes(tmp_path: Path) -> None:
    assert leer_salidas(tmp_path) == ()
    assert tope_de(()) is None


def test_las_salidas_van_en_orden_y_una_se_paga(tmp_path: Path) -> None:
    (tmp_path / ARCHIVO).write_text(LAS_DOS)
    assert leer_salidas(tmp_path) == (CABLE, CELULAR)
    tope = tope_de((CABLE, CELULAR))
    assert tope is not None
    assert (tope.salida, tope.bytes) == ("celular", 800 * 10**6)
    sin_tope = tope_de((CABLE, Salida("celular", "wwan0", por_byte=True)))
    assert sin_tope is not None, "se cuenta aunque no se detenga"


@pytest.mark.parametrize(
    ("cambio", "dicho"),
    [
        (("salidas", "salida"), "de 1 a 4"),
        (('"cable"', '"celular"'), "el mismo «nombre»"),
        (('"enp2s0"', '"wwan0"'), "la misma|el mismo «interfaz»"),
        (('"cable"', '"Cable Uno"'), "minúsculas"),
        (('"enp2s0"', '"../../etc"'), "interfaz"),
        (('"enp2s0"', '"de-mas-de-quince"'), "interfaz"),
        (('interfaz = "enp2s0"', 'interfaz = "enp2s0"\npor_byte = true'), "sólo una"),
        (('interfaz = "enp2s0"', 'interfaz = "enp2s0"\ntope_mb = 9'), "tope_mb"),
        (("tope_mb = 800", "tope_mb = 1"), "tope_mb"),
        (("tope_mb = 800", "tope_mb = true"), "tope_mb"),
        (("por_byte = true", "por_byte = 1"), "por_byte"),
        (("por_byte", "por_bite"), "sólo puede llevar"),
        (("[[salidas]]\n", "otra = 1\n[[salidas]]\n"), "nada más"),
        (("[[salidas]]", "[[salidas"), "no es TOML"),
    ],
)
def test_un_enlace_toml_mal_editado_se_explica(tmp_path: Path, cambio: tuple[str, str], dicho: str) -> None:
    (tmp_path / ARCHIVO).write_text(LAS_DOS.replace(*cambio, 1))
    with pytest.raises(Falla, match=dicho) as falla:
        leer_salidas(tmp_path)
    assert falla.value.rechazo.codigo == "ENLACE_TOML"


@given(st.binary(max_size=300) | st.text(max_size=200).map(lambda t: (LAS_DOS + t).encode()))
def test_cualquier_archivo_se_lee_o_se_explica(tmp_path_factory: pytest.TempPathFactory, datos: bytes) -> None:
    carpeta = tmp_path_factory.mktemp("e")
    (carpeta / ARCHIVO).write_bytes(datos)
    try:
        assert 1 <= len(leer_salidas(carpeta)) <= 4
    except Falla as falla:
        codigo = falla.rechazo.codigo
    else:
        codigo = "ENLACE_TOML"
    assert codigo == "ENLACE_TOML"


# --------------------------------------------------------------------------------------------------------- el relevo


def test_cada_recaida_pronta_dobla_la_estancia_y_aguantar_la_regresa_a_la_de_siempre() -> None:
    relevo, ahora, estancias = Relevo((CABLE, CELULAR), 60, random.Random(1)), 0.0, []

    def regreso(ahora: float) -> float:
        relevo.contesto(ahora)
        inicio = ahora
        while not relevo.conviene_regresar():
            ahora += 1
            if relevo.toca_probar(ahora):
                relevo.probada(True, ahora)
        relevo.regresar(ahora)
        estancias.append(ahora - inicio)
        return ahora

    relevo.cayo(ahora)
    for _ in range(8):
        ahora = regreso(ahora) + 5
        relevo.cayo(ahora)
        assert relevo.actual is CELULAR
    assert estancias[:5] == sorted(estancias[:5])
    assert 45 <= estancias[0] <= 80
    assert 0.7 * ESTANCIA_MAXIMA_S <= estancias[-1] <= 1.3 * ESTANCIA_MAXIMA_S
    ahora = regreso(ahora) + 3600
    relevo.cayo(ahora)
    regreso(ahora)
    assert estancias[-1] <= 80, "una hora sin caer: se le vuelve a creer"


def test_una_prueba_mala_empieza_la_cuenta_otra_vez() -> None:
    relevo = Relevo((CABLE, CELULAR), 60, random.Random(1))
    relevo.cayo(0)
    relevo.contesto(1)
    for bien in (True, True, False, True, True):
        relevo.probada(bien, 2)
    assert not relevo.conviene_regresar()
    relevo.probada(True, 3)
    assert relevo.conviene_regresar()


@given(st.lists(st.tuples(st.sampled_from(["contesto", "cayo", "prueba"]), st.booleans(), st.floats(0.1, 900))))
def test_pase_lo_que_pase_siempre_hay_una_salida_y_la_preferida_no_se_prueba_a_si_misma(
    sucesos: list[tuple[str, bool, float]],
) -> None:
    salidas = (CABLE, CELULAR, Salida("satelite", "sat0"))
    relevo, ahora, regresos = Relevo(salidas, 60, random.Random(1)), 0.0, []
    for que, bien, pasan in sucesos:
        ahora += pasan
        match que:
            case "contesto":
                relevo.contesto(ahora)
            case "cayo":
                antes = relevo.actual
                relevo.cayo(ahora)
                assert relevo.actual is not antes
            case _ if relevo.toca_probar(ahora):
                assert relevo.actual is not CABLE
                relevo.probada(bien, ahora)
        if relevo.conviene_regresar():
            relevo.regresar(ahora)
            regresos.append(ahora)
            assert relevo.actual is CABLE
    assert all(b - a >= 0.75 * 60 for a, b in pairwise(regresos)), "ni una vez seguida de otra"


# --------------------------------------------------------------------------------------------- con el ciclo de verdad


class PorSalida(TransporteEnMemoria):
    """Una conexión en memoria que muere con su salida."""

    def __init__(self, noche: NocheConSalidas, salida: Salida, testamento: _Testamento) -> None:
        super().__init__(noche.broker, testamento, noche.pasar)
        self._noche, self._salida = noche, salida

    def conectar(self) -> None:
        self._noche.intentos.append((self._noche.segundos, self._salida.nombre))
        self._exigir_salida()
        super().conectar()

    def bombear(self, segundos: float) -> list:  # type: ignore[type-arg]
        self._exigir_salida()
        return super().bombear(segundos)

    def _exigir_salida(self) -> None:
        if self._salida.nombre in self._noche.caidas:
            self.romper()
            raise EnlaceCaido(f"{self._salida.interfaz}: no hay ruta")


class SondaEnMemoria:
    def __init__(self, noche: NocheConSalidas) -> None:
        self._noche = noche
        self._bien: bool | None = None

    def empezar(self, salida: Salida) -> None:
        self._noche.pruebas.append(self._noche.segundos)
        self._bien = salida.nombre not in self._noche.caidas

    def resultado(self) -> bool | None:
        bien, self._bien = self._bien, None
        return bien


class NocheConSalidas(Noche):
    """La de siempre, con cable y celular."""

    def __init__(self, carpeta: Path, semilla: int = 1) -> None:
        super().__init__(carpeta, semilla)
        self.caidas: set[str] = set()
        self.mudas: set[str] = set()
        self.intentos: list[tuple[float, str]] = []
        self.pruebas: list[float] = []
        self.contados = 0
        self.relevo = Relevo((CABLE, CELULAR), 60, random.Random(semilla))
        anotador, sonda = Anotador(self.almacen), SondaEnMemoria(self)

        def fabrica(testamento: _Testamento) -> Transporte:
            return TransportePorSalida(
                self.relevo,
                lambda salida: PorSalida(self, salida, testamento),
                sonda,
                anotador.contesto,
                lambda: self.segundos,
                lambda salida: True,
            )

        self.enlace = self.enlazar(
            identidad(),
            self.firmante,
            self.centro.publica,
            semilla=semilla,
            ajustes=Ajustes(sondeo_s=0.25, tope=tope_de((CABLE, CELULAR))),
            fabrica=fabrica,
            alrededor=Alrededor(salida=lambda: self.relevo.actual.nombre, contador=lambda: ("a:1", self.contados)),
        )

    def bitacora(self, evento: str) -> list[str]:
        with self.almacen.lectura() as mirada:
            filas = mirada.conexion.execute(
                "SELECT detalle FROM bitacora WHERE evento = ? ORDER BY rowid", (evento,)
            ).fetchall()
        return [d for (d,) in filas]

    def recordado(self, llave: str) -> str:
        with self.almacen.lectura() as mirada:
            return situacion.leer(mirada.conexion, llave)


@pytest.fixture
def noche(tmp_path: Path) -> NocheConSalidas:
    return NocheConSalidas(tmp_path)


def correr(noche: NocheConSalidas, segundos: float) -> None:
    noche.correr(lambda: False, segundos)


def test_se_cae_el_cable_sigue_por_celular_y_al_volver_regresa_una_sola_vez(noche: NocheConSalidas) -> None:
    noche.contados = 12_345
    noche.asentar(20)
    noche.correr(lambda: noche.pendientes() == 0)
    noche.caidas.add("cable")
    noche.asentar(20)
    noche.correr(lambda: noche.pendientes() == 0, 30)
    assert noche.pendientes() == 0, "por celular"
    noche.contados += 5 * 10**6
    correr(noche, 300)
    assert noche.centro.latidos[-1].salida == "celular"
    assert noche.centro.latidos[-1].medidos_bytes >= 5 * 10**6, "lo que dice la interfaz, que es lo que se cobra"
    assert noche.recordado(SALIDA) == "celular"
    antes = len(noche.intentos)
    noche.caidas.clear()
    correr(noche, 600)
    assert [s for _, s in noche.intentos[antes:]] == ["celular", "cable"] or [s for _, s in noche.intentos[antes:]] == [
        "cable"
    ]
    assert noche.recordado(SALIDA) == "cable"
    assert noche.bitacora("salida_cambiada") == ["de cable a celular", "de celular a cable"]
    noche.asentar(5)
    noche.correr(lambda: noche.pendientes() == 0, 30)
    assert sorted(noche.centro.hechos) == list(range(1, 46))


def test_un_cable_que_va_y_viene_cada_pocos_segundos_no_arrastra_al_enlace(noche: NocheConSalidas) -> None:
    def parpadear(segundos: float) -> None:
        (noche.caidas.add if int(segundos) % 10 < 5 else noche.caidas.discard)("cable")

    noche.al_pasar = parpadear
    correr(noche, 3600)
    cambios = noche.bitacora("salida_cambiada")
    assert len(cambios) <= 20, "una hora de cable malo"
    noche.asentar(5)
    noche.correr(lambda: noche.pendientes() == 0, 60)
    assert noche.pendientes() == 0


def test_con_las_dos_caidas_se_turnan_y_la_que_vuelva_primero_sirve(noche: NocheConSalidas) -> None:
    noche.caidas = {"cable", "celular"}
    noche.asentar(3)
    correr(noche, 300)
    assert {s for _, s in noche.intentos} == {"cable", "celular"}
    noche.caidas = {"cable"}
    noche.correr(lambda: noche.pendientes() == 0, 90)
    assert noche.pendientes() == 0


def test_un_centro_que_calla_por_el_cable_se_busca_por_celular(noche: NocheConSalidas) -> None:
    noche.correr(lambda: noche.recordado(SALIDA) == "cable", 30)
    noche.centro.mudo = True
    noche.correr(lambda: noche.relevo.actual is CELULAR, 90)
    noche.centro.mudo = False
    noche.asentar(2)
    noche.correr(lambda: noche.pendientes() == 0, 90)
    assert noche.pendientes() == 0


def test_una_interfaz_sin_senal_se_suelta_en_cuanto_se_sabe(tmp_path: Path) -> None:
    noche = NocheConSalidas(tmp_path)
    relevo = Relevo((CABLE, CELULAR), 60, random.Random(1))
    ahora = [0.0]
    transporte = TransportePorSalida(
        relevo,
        lambda salida: TransporteEnMemoria(noche.broker),
        SondaEnMemoria(noche),
        lambda _: None,
        lambda: ahora[0],
        lambda salida: False,
    )
    transporte.conectar()
    transporte.bombear(0)
    ahora[0] = 1.5
    with pytest.raises(EnlaceCaido, match="cable perdió la señal"):
        transporte.bombear(0)
    transporte.cerrar()
    transporte.cerrar()
    assert relevo.actual is CELULAR, "cerrar dos veces no da dos vueltas"


def test_la_barra_dice_por_donde_y_por_que_no_hay_imagenes() -> None:
    maquina = hora()
    resumen = Resumen(90, "0" * 64, 0, 0, None, maquina - timedelta(seconds=5))
    pausa = EsperaDeImagenes(ResumenDeImagenes(3, 9, 0, 0, PRESUPUESTO))
    dicho = enlace_de(resumen, maquina, maquina, None, pausa, "celular").texto
    assert dicho.startswith("con enlace por celular")
    assert "imágenes en pausa para no gastar datos" in dicho
    mal = enlace_de(resumen, maquina, maquina, None, pausa, "celular", "el bróker cerró")
    assert (mal.clase, "no nos deja entrar" in mal.texto) == ("mal", True)


# ------------------------------------------------------------------------------------------- un bróker que no deja


def test_un_broker_que_cierra_la_puerta_no_hace_dar_vueltas_al_kiosco_y_se_dice(noche: NocheConSalidas) -> None:
    intentos: list[float] = []
    cerrada = [True]

    def fabrica(testamento: _Testamento) -> Transporte:
        class Cerrado(TransporteEnMemoria):
            def conectar(self) -> None:
                intentos.append(noche.segundos)
                if cerrada[0]:
                    raise NoAutorizado("el bróker cerró en cuanto se entró")
                super().conectar()

        return Cerrado(noche.broker, testamento, noche.pasar)

    noche.enlace._fabrica = fabrica
    noche.asentar(2)
    correr(noche, 3600)
    # Los primeros son pronto; después, a lo menos tres cuartos de lo que lleva cerrado, hasta la espera larga.
    serios = [(a, b) for a, b in pairwise(intentos[CIERRES:]) if a - intentos[0] >= PACIENCIA_S]
    assert len(serios) > 10
    assert all(b - a >= 0.75 * min(LARGA_S, a - intentos[0]) for a, b in serios)
    assert len(intentos) <= 10 * CIERRES
    assert "cerró" in noche.recordado(RECHAZADO)
    assert len(noche.bitacora("broker_rechaza")) == 1
    cerrada[0] = False
    noche.correr(lambda: noche.pendientes() == 0, 400)
    assert noche.pendientes() == 0
    assert noche.recordado(RECHAZADO) == ""
    assert len(noche.bitacora("broker_admite")) == 1


def test_un_broker_que_arranca_y_niega_unos_segundos_no_deja_al_kiosco_esperando_minutos(
    noche: NocheConSalidas,
) -> None:
    """RabbitMQ niega las suscripciones mientras arranca: cinco negativas en tres segundos costaban tres minutos."""
    abre = noche.segundos + PACIENCIA_S * 0.9
    negativas: list[float] = []

    def fabrica(testamento: _Testamento) -> Transporte:
        class Arrancando(TransporteEnMemoria):
            def suscribir(self, *temas: str) -> None:
                if noche.segundos < abre:
                    negativas.append(noche.segundos)
                    raise NoAutorizado("el bróker negó la suscripción")
                super().suscribir(*temas)

        return Arrancando(noche.broker, testamento, noche.pasar)

    noche.enlace._fabrica = fabrica
    noche.enlace._ajustes = replace(noche.enlace._ajustes, tope_s=1.0)
    noche.asentar(2)
    noche.correr(lambda: noche.pendientes() == 0, PACIENCIA_S + 10)
    assert len(negativas) >= CIERRES
    assert noche.pendientes() == 0
    assert noche.bitacora("broker_rechaza") == []


def test_una_hora_de_red_caida_entre_dos_negativas_no_cuenta_como_puerta_cerrada(noche: NocheConSalidas) -> None:
    """El centro se apaga negando a todos, tarda una hora en volver y al arrancar niega otro par de veces."""
    segundos = [0.0]
    rechazos = Rechazos(noche.almacen, random.Random(1), lambda: segundos[0])
    for _ in range(CIERRES - 2):
        assert rechazos.espera(NoAutorizado("se apaga")) == 0.0
    for _ in range(120):
        segundos[0] += 30
        assert rechazos.espera(EnlaceCaido("nadie atiende")) == 0.0
    esperas = []
    for _ in range(2):
        segundos[0] += 0.5
        esperas.append(rechazos.espera(NoAutorizado("arranca")))
    assert max(esperas) < 2 * PACIENCIA_S < LARGA_S


# ------------------------------------------------------------------------------------------------------- el reloj


def test_el_reloj_mal_se_dice_una_vez_y_al_componerse_tambien(tmp_path: Path) -> None:
    almacen = abrir_almacen(tmp_path)

    def anotados() -> list[str]:
        with almacen.lectura() as mirada:
            return [e for (e,) in mirada.conexion.execute("SELECT evento FROM bitacora ORDER BY rowid")]

    def dicho() -> str:
        with almacen.lectura() as mirada:
            return situacion.leer(mirada.conexion, DESFASE)

    aviso = AvisoDeReloj(almacen)
    for desfase in (0, 1999, -2000):
        aviso.revisar(desfase, LIBRE)
    aviso.revisar(90_000, VIRTUAL)
    assert anotados() == []
    for desfase in (-2001, -9000, -1500, 1200):
        aviso.revisar(desfase, LIBRE)
    assert (anotados(), dicho()) == (["reloj_desfasado"], "-2001")
    AvisoDeReloj(almacen).revisar(-3000, LIBRE)
    assert anotados() == ["reloj_desfasado"], "tampoco al volver a arrancar"
    aviso.revisar(300, LIBRE)
    assert (anotados(), dicho()) == (["reloj_desfasado", "reloj_en_hora"], "")


def test_con_el_reloj_mal_ningun_hecho_se_rechaza(noche: NocheConSalidas, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(noche.reloj, "calidad", lambda: LIBRE)
    noche.asentar(4)
    noche.correr(lambda: noche.pendientes() == 0, 30)
    assert noche.pendientes() == 0
    # El centro de la prueba vive hoy y el kiosco en su noche: años de diferencia.
    assert len(noche.bitacora("reloj_desfasado")) == 1


# ---------------------------------------------------------------------------------------- ciento cuarenta a la vez


def test_vuelven_140_kioscos_a_la_vez_y_nadie_habla_antes_de_su_acuse(tmp_path: Path) -> None:

    cuantos, regreso, tiempo, broker = 140, 3 * 3600.0, [0.0], BrokerEnMemoria()
    broker.levantado = False
    conexiones: list[float] = []
    sucesos: dict[str, list[str]] = {}
    centros: dict[str, Centro] = {}
    enlaces, fila = {}, []

    class Espiado(TransporteEnMemoria):
        def __init__(self, equipo: str, testamento: _Testamento) -> None:
            super().__init__(broker, testamento)
            self._equipo = equipo

        def conectar(self) -> None:
            super().conectar()
            conexiones.append(tiempo[0])
            sucesos[self._equipo].append("entra")

        def publicar(self, tema: str, carga: bytes) -> bool:
            salio = super().publicar(tema, carga)
            if salio:
                sucesos[self._equipo].append(tema.rsplit("/", 1)[1])
                if respuesta := centros[self._equipo].atender(tema, carga):
                    # El centro contesta lo suyo y lo hace después de todos los que ya esperaban.
                    en_camino.append((tiempo[0] + 0.2, self._equipo, respuesta))
            return salio

    en_camino: list[tuple[float, str, tuple[str, str]]] = []

    def entregar() -> None:
        while en_camino and en_camino[0][0] <= tiempo[0]:
            _, equipo, (tema, acuse) = en_camino.pop(0)
            sucesos[equipo].append("acuse")
            broker.repartir(tema, acuse.encode())

    for n in range(cuantos):
        equipo = f"catd-{n:03}"
        carpeta, quien = tmp_path / equipo, identidad(equipo)
        almacen = abrir_almacen(carpeta, quien)
        almacen.asentar([un_hecho(i) for i in range(3)], hora(), "virtual")
        firmante = LlaveDeArchivo(carpeta / "llave.pem", equipo)
        centros[equipo], sucesos[equipo] = Centro(AMBITO, firmante.publica()), []
        enlaces[equipo] = Enlace(
            almacen=almacen, identidad=quien, proceso=PROCESO.clave, firmante=firmante,
            llave_centro=centros[equipo].publica, reloj=RelojFijado(hora()), version="prueba",
            fabrica=lambda testamento, equipo=equipo: Espiado(equipo, testamento),  # type: ignore[misc]
            ajustes=Ajustes(sondeo_s=1.0), cronometro=lambda: tiempo[0], dormir=lambda _: None,
            azar=random.Random(n), decir=lambda _: None,
        )  # fmt: skip
        # La caída ya lleva horas: se empieza poco antes de que vuelva la red, con la espera ya crecida.
        fila.append((regreso - 70 + n / 1000, n, enlaces[equipo].pasos()))
    heapq.heapify(fila)

    def falta() -> int:
        return sum(e.almacen.resumen().pendientes for e in enlaces.values())

    vueltas = 0
    while tiempo[0] < regreso + 60 and not (vueltas % cuantos == 0 and len(conexiones) >= cuantos and falta() == 0):
        vueltas += 1
        tiempo[0], n, pasos = heapq.heappop(fila)
        broker.levantado = tiempo[0] >= regreso
        entregar()
        heapq.heappush(fila, (tiempo[0] + next(pasos), n, pasos))
    assert falta() == 0
    assert len(conexiones) == cuantos, "una sola vez cada uno"
    por_segundo = [int(c - regreso) for c in conexiones]
    assert max(por_segundo.count(s) for s in set(por_segundo)) <= cuantos // 7, "se reparten"
    assert len(set(por_segundo)) >= 20
    for equipo, suyos in sucesos.items():
        assert suyos.index("acuse") < suyos.index("hechos"), equipo
        assert suyos[:2] == ["entra", "latido"]
