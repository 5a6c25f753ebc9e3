"""Las imágenes, del disco del kiosco al del centro, por una red pésima y con el tiempo en la mano."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest

from appliance.enlace.ciclo import Ajustes
from appliance.enlace.imagenes_por_enviar import SIN_RECIBO, VENTANA
from appliance.enlace.presupuesto import Tope
from nucleo.recibo import ImagenRecibida, Recibo, Situacion, sellar_recibo
from nucleo.sobre import Tipo
from nucleo.temas import Carril, Tema
from nucleo.trozo import MAXIMO_DATOS, Trozo, a_bytes, cortar, cuantos
from servicio_central.recepcion import CADA
from tests.estrategias import firmante
from tests.kiosco_de_prueba import A1, A2, A3, EPOCA, abrir_almacen, hora, un_hecho
from tests.noche_con_imagenes import HECHOS, IMAGEN, RECIBO, NocheConImagenes, contenido
from tests.sobres_de_prueba import AMBITO, captura

EN_CAMINO = -(-VENTANA // MAXIMO_DATOS)
"""Trozos que caben sin PUBACK."""


@pytest.fixture
def noche(tmp_path: Path) -> NocheConImagenes:
    return NocheConImagenes(tmp_path)


def datos_de(noche: NocheConImagenes, huella: str) -> list[int]:
    """Números de los trozos con datos de esa imagen, como llegaron."""
    return [t.numero for t in noche.centro.trozos if t.sha256 == huella and not t.pregunta]


def test_llega_entera_una_sola_vez_y_despues_de_su_hecho(noche: NocheConImagenes) -> None:
    bytes_ = contenido(1, 5.3)
    huella = noche.digitalizar(bytes_)
    noche.correr(noche.entregadas)
    assert noche.estado(huella) == ("completa", "")
    assert noche.centro.recepcion.imagenes.ruta(huella).read_bytes() == bytes_
    assert datos_de(noche, huella) == list(range(6))
    assert noche.centro.llegadas.index(Carril.HECHOS) < noche.centro.llegadas.index(Carril.IMAGEN)


def test_una_cifra_nueva_sale_antes_que_los_trozos_que_faltan(noche: NocheConImagenes) -> None:
    huella = noche.digitalizar(contenido(1, 60))
    noche.correr(lambda: len(datos_de(noche, huella)) >= 10)
    for n in range(5):
        noche.almacen.asentar([un_hecho(n)], hora(), "virtual")
        antes = len(noche.centro.llegadas)
        noche.correr(lambda: noche.almacen.resumen().pendientes == 0)
        llegadas = noche.centro.llegadas[antes:]
        assert llegadas[: llegadas.index(Carril.HECHOS)].count(Carril.IMAGEN) <= EN_CAMINO
    assert not noche.entregadas(), "la cifra no esperó a la imagen"


def test_tampoco_mientras_las_cifras_que_no_caben_en_la_ventana_esperan_su_acuse(
    noche: NocheConImagenes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tras un corte largo: el hueco entre una ventana y la siguiente no es de las imágenes."""
    noche.digitalizar(contenido(1, 3))
    for n in range(3):
        noche.almacen.asentar([un_hecho(n * 50 + k) for k in range(50)], hora(), "virtual")
    atender, proxima = noche.atender, 0.0

    def atender_despacio() -> None:
        nonlocal proxima
        if noche.segundos >= proxima:
            proxima = noche.segundos + 1.5
            atender()

    monkeypatch.setattr(noche, "atender", atender_despacio)
    noche.correr(noche.entregadas)
    llegadas = noche.centro.llegadas
    assert llegadas.count(Carril.HECHOS) > 150
    assert Carril.HECHOS not in llegadas[llegadas.index(Carril.IMAGEN) :]


def test_con_cifras_sin_mandar_no_sale_ni_un_trozo(noche: NocheConImagenes) -> None:
    noche.digitalizar(contenido(1, 3))
    noche.correr(lambda: noche.almacen.resumen().pendientes == 0)
    noche.centro.llegadas.clear()
    noche.almacen.asentar([un_hecho(n) for n in range(200)], hora(), "virtual")
    noche.correr(noche.entregadas)
    llegadas = noche.centro.llegadas
    assert (
        llegadas[: 1 + max(i for i, c in enumerate(llegadas) if c is Carril.HECHOS)].count(Carril.IMAGEN) <= EN_CAMINO
    )


def test_que_el_broker_tome_los_trozos_no_cierra_la_imagen(noche: NocheConImagenes) -> None:
    huella = noche.digitalizar(contenido(1))
    noche.broker.pierde = lambda tema: tema == IMAGEN
    noche.correr(lambda: False, limite_s=60)
    assert noche.estado(huella) == ("pendiente", "")
    noche.broker.pierde = lambda _: False
    noche.correr(noche.entregadas)
    assert noche.tiene(huella)


def test_se_pierde_el_recibo_final_y_se_vuelve_a_preguntar_sin_remandar(noche: NocheConImagenes) -> None:
    huella = noche.digitalizar(contenido(1))
    noche.broker.pierde = lambda tema: tema == RECIBO and noche.tiene(huella)
    noche.correr(lambda: noche.segundos > 20)
    assert noche.estado(huella)[0] == "pendiente"
    noche.broker.pierde = lambda _: False
    noche.correr(noche.entregadas)
    assert datos_de(noche, huella) == list(range(5))


def test_se_corta_a_media_imagen_y_al_volver_sigue_donde_iba(noche: NocheConImagenes) -> None:
    huella = noche.digitalizar(contenido(1, 40))
    noche.correr(lambda: len(datos_de(noche, huella)) >= 25)
    noche.broker.caer()
    noche.centro.recibidos.clear()
    noche.broker.levantado = True
    noche.centro.conectar()
    noche.centro.trozos.clear()
    noche.correr(noche.entregadas)
    assert noche.centro.trozos[0].pregunta, "al volver, primero se pregunta"
    assert len(datos_de(noche, huella)) <= 40 - 25 + 2 * EN_CAMINO
    assert noche.tiene(huella)


def test_el_centro_reinicia_a_media_imagen_y_no_promete_lo_que_no_tiene(noche: NocheConImagenes) -> None:
    bytes_ = contenido(1, 40)
    huella = noche.digitalizar(bytes_)
    noche.correr(lambda: len(datos_de(noche, huella)) >= 21)
    llegados = len(datos_de(noche, huella))
    noche.centro.morir_y_volver()
    noche.centro.trozos.clear()
    noche.correr(noche.entregadas)
    # Lo que estaba sincronizado no se vuelve a pedir; lo demás, sí.
    assert 40 - llegados <= len(datos_de(noche, huella)) <= 40 - llegados // CADA * CADA + 2 * EN_CAMINO
    assert noche.centro.recepcion.imagenes.ruta(huella).read_bytes() == bytes_


@pytest.mark.parametrize("semilla", range(5))
def test_con_una_red_pesima_toda_imagen_llega_y_ninguna_se_cierra_sin_estar(tmp_path: Path, semilla: int) -> None:
    azar = random.Random(semilla)
    noche = NocheConImagenes(tmp_path, semilla, Ajustes(latido_s=5, silencio_s=20))
    huellas = [noche.digitalizar(contenido(n, azar.uniform(0.1, 30)), (A1, A2, A3)[n % 3]) for n in range(6)]

    def danar(_: float) -> None:
        if azar.random() < 0.005:
            noche.centro.morir_y_volver()
        if azar.random() < 0.004:
            noche.broker.caer()
        if not noche.broker.levantado and azar.random() < 0.1:
            noche.broker.levantado = True
            noche.centro.conectar()
        if azar.random() < 0.1:
            # Se duplica y se revuelve lo que estaba por llegar.
            noche.centro.recibidos += noche.centro.recibidos[:3]
            azar.shuffle(noche.centro.recibidos)
        for huella in huellas:
            assert noche.estado(huella)[0] == "pendiente" or noche.tiene(huella)

    noche.broker.pierde = lambda _: azar.random() < 0.2
    noche.al_pasar = danar
    noche.correr(noche.entregadas, limite_s=90)
    noche.al_pasar, noche.broker.pierde = (lambda _: None), (lambda _: False)
    if not noche.broker.levantado:
        noche.broker.levantado = True
        noche.centro.conectar()
    noche.correr(noche.entregadas, limite_s=600)
    assert all(noche.tiene(h) for h in huellas)


def test_nunca_van_mas_trozos_de_la_cuenta_sin_recibo(noche: NocheConImagenes) -> None:
    huella = noche.digitalizar(contenido(1, 100))
    noche.broker.pierde = lambda tema: tema == RECIBO and bool(datos_de(noche, huella))
    noche.correr(lambda: False, limite_s=1.9)
    assert len(datos_de(noche, huella)) == SIN_RECIBO


def test_dos_imagenes_iguales_se_mandan_una(noche: NocheConImagenes) -> None:
    bytes_ = contenido(1)
    una, otra = noche.digitalizar(bytes_, A1), noche.digitalizar(bytes_, A2)
    noche.correr(noche.entregadas)
    assert una == otra
    assert datos_de(noche, una) == list(range(5))
    noche.digitalizar(bytes_, A3)
    noche.correr(lambda: noche.almacen.resumen().pendientes == 0)
    assert noche.entregadas(), "la que ya se entregó no se vuelve a deber"


def test_primero_las_actas_con_dos_lecturas_y_de_esas_la_mas_vieja(noche: NocheConImagenes) -> None:
    vieja, leida, otra = (noche.digitalizar(contenido(n, 1), a) for n, a in ((1, A1), (2, A2), (3, A3)))
    for casilla in (A2.casilla, A3.casilla):
        for persona in ("ana", "beto"):
            noche.almacen.asentar([captura(casilla, persona)], hora(), "virtual")
    noche.correr(noche.entregadas)
    orden = list(dict.fromkeys(t.sha256 for t in noche.centro.trozos if not t.pregunta))
    assert orden == [leida, otra, vieja]


# -------------------------------------------------------------------------------------------- lo que no se puede mandar


def test_una_imagen_que_ya_no_esta_se_dice_una_vez_y_no_frena(noche: NocheConImagenes) -> None:
    perdida, podrida, buena = (noche.digitalizar(contenido(n, 2)) for n in (1, 2, 3))
    noche.imagenes.ruta(perdida).unlink()
    noche.imagenes.ruta(podrida).write_bytes(bytes(2 * MAXIMO_DATOS))
    noche.correr(lambda: False, limite_s=100)
    assert noche.tiene(buena)
    assert [noche.estado(h) for h in (perdida, podrida)] == [("pendiente", "perdida")] * 2
    assert noche.eventos().count("imagen_perdida") == 2
    noche.imagenes.guardar(contenido(1, 2))
    noche.imagenes.guardar(contenido(2, 2))
    noche.correr(lambda: noche.tiene(perdida) and noche.tiene(podrida), limite_s=90)
    assert noche.estado(perdida) == ("completa", "")


def test_la_que_el_centro_no_reconoce_se_deja_para_despues(noche: NocheConImagenes) -> None:
    huella = noche.digitalizar(contenido(1, 2))
    tema = str(Tema(AMBITO, "catd-01", Carril.RECIBO))
    ajena = (ImagenRecibida(huella, 2 * MAXIMO_DATOS, Situacion.AJENA),)
    recibo = sellar_recibo(Recibo("catd-01", EPOCA, hora(), ajena), noche.centro.firmante)
    noche.broker.pierde = lambda t: t == IMAGEN
    noche.al_pasar = lambda _: noche.broker.repartir(tema, recibo.encode())
    noche.correr(lambda: noche.estado(huella)[1] == "ajena", limite_s=60)
    noche.al_pasar, noche.broker.pierde = (lambda _: None), (lambda _: False)
    otra = noche.digitalizar(contenido(2, 2))
    noche.correr(lambda: noche.tiene(otra), limite_s=10)
    assert noche.eventos().count("imagen_no_recibida") == 1
    noche.correr(lambda: noche.tiene(huella) and noche.entregadas(), limite_s=60)
    assert noche.estado(huella) == ("completa", "")


def test_llega_danada_se_vuelve_a_pedir_y_llega_bien(noche: NocheConImagenes) -> None:
    bytes_ = contenido(1, 4)
    huella = noche.digitalizar(bytes_)
    malo = a_bytes(replace(cortar(huella, bytes_, 1), datos=bytes(MAXIMO_DATOS)))
    noche.permitidas = False
    noche.correr(lambda: noche.almacen.resumen().pendientes == 0)
    noche.broker.repartir(IMAGEN, malo)
    noche.centro.atender()
    noche.permitidas = True
    noche.correr(noche.entregadas, limite_s=60)
    assert sum("DAÑADA" in a for a in noche.centro.alarmas) == 1
    assert noche.centro.recepcion.imagenes.ruta(huella).read_bytes() == bytes_


def test_basura_en_el_tema_del_recibo_no_tumba_el_enlace_ni_cierra_nada(noche: NocheConImagenes) -> None:
    huella = noche.digitalizar(contenido(1, 60))
    completa = (ImagenRecibida(huella, 60 * MAXIMO_DATOS, Situacion.COMPLETA),)
    recibo = Recibo("catd-01", EPOCA, hora(), completa)
    centro = noche.centro.firmante
    basura = [
        b"",
        b"\xff\xfe",
        b"a.b.c",
        sellar_recibo(recibo, replace(firmante("catd-02"), identidad="centro")).encode(),
        sellar_recibo(replace(recibo, equipo="catd-02"), centro).encode(),
        sellar_recibo(replace(recibo, epoca="f" * 16), centro).encode(),
        centro.firmar(Tipo.RECIBO, b'{"v":1}').encode(),
    ]

    def ensuciar(_: float) -> None:
        for carga in basura:
            noche.broker.repartir(RECIBO, carga)
        assert noche.estado(huella)[0] == "pendiente" or noche.tiene(huella)

    noche.al_pasar = ensuciar
    noche.correr(noche.entregadas)
    assert noche.tiene(huella)
    assert not any("Traceback" in dicho for dicho in noche.dichos)


def test_el_disco_del_kiosco_ya_no_escribe_y_lo_que_no_se_pudo_anotar_no_se_da_por_entregado(
    noche: NocheConImagenes,
) -> None:
    huella = noche.digitalizar(contenido(1, 3))
    noche.correr(lambda: noche.almacen.resumen().pendientes == 0)
    with noche.almacen.lectura() as mirada:
        conexion = mirada.conexion
    conexion.execute("PRAGMA query_only = ON")
    noche.correr(lambda: False, limite_s=20)
    conexion.execute("PRAGMA query_only = OFF")
    assert noche.tiene(huella), "la imagen sí llegó"
    assert noche.estado(huella)[0] == "pendiente", "y aquí no consta"
    noche.correr(noche.entregadas, limite_s=120)
    assert noche.estado(huella) == ("completa", "")


# ------------------------------------------------------------------------------------------------------ pausa y tope


def test_el_centro_pide_pausar_las_imagenes_y_las_cifras_siguen(noche: NocheConImagenes) -> None:
    huella = noche.digitalizar(contenido(1, 20))
    noche.permitidas = False
    noche.correr(lambda: False, limite_s=30)
    assert noche.almacen.resumen().pendientes == 0
    assert datos_de(noche, huella) == []
    assert noche.almacen.resumen_de_imagenes().pausa == "orden"
    noche.permitidas = True
    noche.correr(noche.entregadas)
    assert noche.almacen.resumen_de_imagenes().pausa == ""
    assert [e for e in noche.eventos() if e.startswith("imagenes_")] == ["imagenes_en_pausa", "imagenes_siguen"]


def test_se_acaba_lo_contratado_y_se_detienen_las_imagenes_nunca_las_cifras(tmp_path: Path) -> None:
    tope = Tope("celular", 1_000_000, reserva=400_000)
    noche = NocheConImagenes(tmp_path, ajustes=Ajustes(tope=tope))
    noche.salida = "celular"
    noche.digitalizar(contenido(1, 100))
    noche.correr(lambda: noche.almacen.resumen_de_imagenes().pausa == "presupuesto", limite_s=60)
    gastado = noche.enlace._presupuesto.gastado("celular")
    assert 600_000 <= gastado <= 600_000 + 5 * MAXIMO_DATOS
    noche.almacen.asentar([un_hecho(n) for n in range(600)], hora(), "virtual")
    noche.correr(lambda: noche.almacen.resumen().pendientes == 0, limite_s=60)
    assert noche.enlace._presupuesto.gastado("celular") > 1_000_000, "pasado el tope, las cifras siguen"
    noche.salida = "cable"
    noche.correr(noche.entregadas, limite_s=60)
    latidos = noche.centro.almacen.bd.execute("SELECT salida, medidos_bytes FROM latidos").fetchall()
    assert latidos[0][0] == "cable"
    assert latidos[0][1] > 1_000_000


def test_el_latido_dice_cuantas_imagenes_faltan_y_la_edad_de_lo_mas_viejo(noche: NocheConImagenes) -> None:
    noche.permitidas = False
    noche.digitalizar(contenido(1, 4))
    noche.digitalizar(contenido(2, 6))
    noche.broker.pierde = lambda tema: tema == HECHOS
    noche.correr(lambda: False, limite_s=20)
    fila = "SELECT mas_viejo_s, imagenes, imagenes_bytes, definicion FROM latidos"
    assert noche.centro.almacen.bd.execute(fila).fetchall() == [(0, 2, 10 * MAXIMO_DATOS, "")]
    noche.broker.pierde = lambda _: False
    noche.permitidas = True
    noche.correr(noche.entregadas)
    noche.correr(lambda: False, limite_s=20)
    assert noche.centro.almacen.bd.execute(fila).fetchall() == [(-1, 0, 0, "")]


# --------------------------------------------------------------------------------------------------------- el almacén


def test_un_almacen_de_antes_se_pone_al_dia_y_debe_sus_imagenes(tmp_path: Path) -> None:
    noche = NocheConImagenes(tmp_path)
    huella = noche.digitalizar(contenido(1))
    noche.almacen.asentar([un_hecho()], hora(), "virtual")
    with noche.almacen.lectura() as mirada:
        conexion = mirada.conexion
    for tabla in ("imagenes", "avances", "dudas"):
        conexion.execute(f"DROP TABLE {tabla}")
    conexion.execute("PRAGMA user_version = 3")
    noche.almacen.desconectar()
    almacen = abrir_almacen(noche.carpeta)
    assert almacen.ultimo().secuencia == 2
    assert almacen.resumen_de_imagenes().pendientes == 1
    with almacen.lectura() as mirada:
        assert mirada.conexion.execute("SELECT sha256, bytes FROM imagenes").fetchall() == [(huella, 5 * MAXIMO_DATOS)]
    almacen.desconectar()
    abrir_almacen(noche.carpeta).desconectar()


def test_una_imagen_entregada_no_se_reabre_ni_se_borra(noche: NocheConImagenes) -> None:
    huella = noche.digitalizar(contenido(1, 1))
    noche.correr(noche.entregadas)
    with noche.almacen.lectura() as mirada:
        conexion = mirada.conexion
    for orden in (
        "UPDATE imagenes SET estado = 'pendiente'",
        "DELETE FROM imagenes",
        f"INSERT OR REPLACE INTO imagenes (sha256, secuencia, bytes) VALUES ('{huella}', 1, 1)",
    ):
        with pytest.raises(Exception, match="imagen"):
            conexion.execute(orden)


def test_un_trozo_suelto_de_otro_equipo_o_de_nadie_no_se_guarda(noche: NocheConImagenes) -> None:
    huella = noche.digitalizar(contenido(1, 1))
    noche.permitidas = False
    noche.correr(lambda: noche.almacen.resumen().pendientes == 0)
    ajeno = str(Tema(AMBITO, "catd-02", Carril.IMAGEN))
    noche.broker.repartir(ajeno, a_bytes(cortar(huella, contenido(1, 1), 0)))
    noche.broker.repartir(IMAGEN, a_bytes(Trozo("ab" * 32, 5, 0, b"12345")))
    noche.centro.atender()
    assert not noche.tiene(huella)
    assert not noche.tiene("ab" * 32)
    assert cuantos(1) == 1


def test_una_cifra_y_una_pregunta_en_camino_no_le_quitan_su_lugar_a_un_trozo(noche: NocheConImagenes) -> None:
    """A 1 Mbit/s, cada cifra que ocupaba el lugar de un trozo dejaba el enlace ocioso una ida y vuelta."""
    huella = noche.digitalizar(contenido(1, 10))
    noche.correr(lambda: noche.almacen.resumen().pendientes == 0)
    envio = noche.enlace._imagenes_por_enviar()
    assert envio is not None
    salieron: list[bytes] = []

    def publicar(crudo: bytes) -> bool:
        salieron.append(crudo)
        return True

    def trozos(en_vuelo: int) -> int:
        salieron.clear()
        envio.mandar(100.0, en_vuelo, publicar)
        return sum(len(c) > MAXIMO_DATOS for c in salieron)

    assert trozos(0) == 0
    assert len(salieron) == 1, "primero se pregunta"
    nada = ImagenRecibida(huella, 10 * MAXIMO_DATOS, Situacion.PARCIAL)
    envio.recibir(Recibo("catd-01", EPOCA, hora(), (nada,)), 100.0)
    assert trozos(1500 + 60) == 2
    assert trozos(MAXIMO_DATOS + 100 + 1500) == 1
    assert trozos(2 * MAXIMO_DATOS) == 0
