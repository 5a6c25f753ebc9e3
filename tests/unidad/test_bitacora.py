"""La bitácora encadenada: llega entera al centro, y quitarle o cambiarle un renglón se nota en los dos lados."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance import bitacora
from appliance.almacen import Almacen
from appliance.escribir_bitacora import DOCUMENTO
from appliance.reloj import RelojFijado
from appliance.vigilante import Vigilante, faltan_por_mandar, mandar_bitacora, repasar_bitacora
from nucleo.acuse import Acuse
from nucleo.eventos import BITACORA_NUEVA, RenglonDeBitacora, en_markdown, encadenar, eventos, huella_de_hoja
from nucleo.hechos import HojaDeBitacora, de_contenido
from nucleo.hoja_de_bitacora import MAXIMO_DETALLE
from nucleo.sobre import CADENA_NUEVA, leer_json
from servicio_central.bitacora import Anomalia, Defecto, Hoja, anomalias_de, comprobar
from tests.estrategias import desarmar
from tests.kiosco_de_prueba import A1, EPOCA, abrir_almacen, hora, un_hecho
from tests.sobres_de_prueba import AHORA, CentroDePrueba, EquipoDePrueba

RELOJ = RelojFijado(hora())


def con_renglones(carpeta: Path, cuantos: int) -> Almacen:
    almacen = abrir_almacen(carpeta)
    anotar(almacen, cuantos)
    return almacen


def anotar(almacen: Almacen, cuantos: int, detalle: str = "") -> None:
    with almacen.transaccion() as t:
        for numero in range(cuantos):
            t.anotar(hora(numero), "tomada", persona="ana", acta=str(A1), detalle=detalle or str(numero))


def hojas(almacen: Almacen) -> list[Hoja]:
    """Las que el kiosco asentó, como las leería el centro."""
    leidas = []
    for sobre in almacen.sobres(1, 10_000, 10_000):
        hecho = de_contenido(leer_json(desarmar(sobre.sobre)[1])["contenido"])
        if isinstance(hecho, HojaDeBitacora):
            leidas.append(Hoja(sobre.secuencia, hecho))
    return leidas


def intruso(almacen: Almacen, *ordenes: str) -> None:
    """Otro programa, con el archivo en la mano, que ya quitó los candados."""
    with sqlite3.connect(almacen.ruta) as bd:
        for candado in ("bitacora_sin_update", "bitacora_sin_delete", "bitacora_encadena"):
            bd.execute(f"DROP TRIGGER IF EXISTS {candado}")
        for orden in ordenes:
            bd.execute(orden)
    bd.close()


def repasar(almacen: Almacen) -> int:
    """Repasa toda la bitácora y dice en cuántos tramos."""
    ancla, tramos = repasar_bitacora(almacen, RELOJ, 0), 1
    while ancla:
        ancla, tramos = repasar_bitacora(almacen, RELOJ, ancla), tramos + 1
    return tramos


def anotados(almacen: Almacen, evento: str) -> list[str]:
    with almacen.lectura() as mirada:
        filas = mirada.conexion.execute("SELECT detalle FROM bitacora WHERE evento = ? ORDER BY renglon", (evento,))
        return [str(d) for (d,) in filas]


# --------------------------------------------------------------------------------------------------------- lo que llega


def test_toda_la_bitacora_llega_en_hojas_y_encadena(tmp_path: Path) -> None:
    almacen = con_renglones(tmp_path, 230)
    assert mandar_bitacora(almacen, RELOJ) == 3
    assert mandar_bitacora(almacen, RELOJ) == 0, "nada nuevo: nada que mandar"
    anotar(almacen, 5)
    assert mandar_bitacora(almacen, RELOJ) == 1
    todas = hojas(almacen)
    assert [len(h.contenido.renglones) for h in todas] == [100, 100, 30, 5]
    assert comprobar("catd-01", EPOCA, todas) == []
    assert comprobar("catd-01", EPOCA, reversed(todas)) == [], "ni el orden de llegada importa"


def test_cien_renglones_llenos_no_atoran_la_bitacora(tmp_path: Path) -> None:
    almacen = abrir_almacen(tmp_path)
    anotar(almacen, 130, "ñ€𝄞" * MAXIMO_DETALLE)
    cuantas = mandar_bitacora(almacen, RELOJ)
    assert cuantas > 2
    assert sum(len(h.contenido.renglones) for h in hojas(almacen)) == 130
    assert comprobar("catd-01", EPOCA, hojas(almacen)) == []


def test_un_detalle_con_signos_raros_no_atora_la_bitacora(tmp_path: Path) -> None:
    almacen = abrir_almacen(tmp_path)
    with almacen.transaccion() as t:
        t.anotar(hora(), "papel_ajeno", persona="ana", acta="GUB/\x00\u202e", detalle="/ruta\ncon saltos\ud800")
    assert mandar_bitacora(almacen, RELOJ) == 1
    (hoja,) = hojas(almacen)
    assert hoja.contenido.renglones[0].detalle == "/ruta?con saltos?"
    assert hoja.contenido.renglones[0].acta == "GUB/??"


def test_se_va_la_luz_entre_asentar_la_hoja_y_recordarlo(tmp_path: Path) -> None:
    almacen = con_renglones(tmp_path, 3)

    def se_va_la_luz() -> None:
        with almacen.transaccion() as t:
            hoja = bitacora.hoja_pendiente(t.conexion, hora())
            assert hoja is not None
            t.asentar([hoja], hora(), "virtual")
            raise RuntimeError("se fue la luz")

    with pytest.raises(RuntimeError):
        se_va_la_luz()
    assert hojas(almacen) == []
    mandar_bitacora(almacen, RELOJ)
    assert [h.contenido.desde for h in hojas(almacen)] == [1]


def test_el_centro_recibe_las_hojas_como_cualquier_hecho(tmp_path: Path) -> None:
    almacen = con_renglones(tmp_path / "kiosco", 3)
    mandar_bitacora(almacen, RELOJ)
    equipo = EquipoDePrueba("catd-01")
    centro = CentroDePrueba(tmp_path / "centro", [equipo])
    assert centro.destinos(*(equipo.mensaje(h.contenido) for h in hojas(almacen))) == ["aceptado"]
    assert anomalias_de(tmp_path / "centro") == []


# ------------------------------------------------------------------------------------------------------ lo que se nota


@pytest.mark.parametrize("mandado_antes", [0, 4, 10])
@pytest.mark.parametrize("renglon", [1, 5, 10])
def test_quitar_un_renglon_del_kiosco_se_nota(tmp_path: Path, mandado_antes: int, renglon: int) -> None:
    almacen = con_renglones(tmp_path / "kiosco", mandado_antes)
    mandar_bitacora(almacen, RELOJ)
    anotar(almacen, 10 - mandado_antes)
    intruso(almacen, f"DELETE FROM bitacora WHERE renglon = {renglon}")
    anotar(almacen, 2)
    ya_estaba = renglon <= mandado_antes
    mandar_bitacora(almacen, RELOJ)
    repasar(almacen)
    if renglon == 10 and not ya_estaba:
        # Ninguna hoja lo compromete todavía: sólo el kiosco sabe que hubo uno más, y lo dice en la siguiente.
        assert anotados(almacen, "bitacora_rota") == [
            "lo último que se anotó fue el renglón 10, y ya no está o se cambió"
        ]
        dicho = [r.evento for h in hojas(almacen) for r in h.contenido.renglones]
        assert dicho.count("bitacora_rota") == 1
        return
    assert len(anotados(almacen, "bitacora_rota")) == 1
    anomalias = comprobar("catd-01", EPOCA, hojas(almacen))
    if ya_estaba and renglon < 10:
        assert anomalias == [], "el centro ya tenía el renglón quitado"
    else:
        assert anomalias != []
    mandar_bitacora(almacen, RELOJ)
    repasar(almacen)
    assert len(anotados(almacen, "bitacora_rota")) == 1, "se denuncia una vez, no cada minuto"


@pytest.mark.parametrize(
    "orden",
    [
        "UPDATE bitacora SET persona = 'otra' WHERE renglon = 3",
        "UPDATE bitacora SET renglon = 99 WHERE renglon = 5",
        "DELETE FROM bitacora WHERE renglon BETWEEN 2 AND 4",
    ],
)
def test_cambiar_un_renglon_sin_mandar_se_nota_en_los_dos_lados(tmp_path: Path, orden: str) -> None:
    almacen = con_renglones(tmp_path, 6)
    intruso(almacen, orden)
    mandar_bitacora(almacen, RELOJ)
    assert len(anotados(almacen, "bitacora_rota")) == 1
    assert comprobar("catd-01", EPOCA, hojas(almacen)) != []


def test_cambiar_solo_una_huella_se_nota_en_el_kiosco_y_al_centro_no_le_falta_nada(tmp_path: Path) -> None:
    almacen = con_renglones(tmp_path, 6)
    intruso(almacen, "UPDATE bitacora SET huella = printf('%064d', 7) WHERE renglon = 3")
    mandar_bitacora(almacen, RELOJ)
    assert anotados(almacen, "bitacora_rota") == ["el renglón 3 se cambió"]
    assert comprobar("catd-01", EPOCA, hojas(almacen)) == []


def test_borrar_los_ultimos_ya_mandados_no_calla_lo_que_sigue(tmp_path: Path) -> None:
    almacen = con_renglones(tmp_path, 8)
    mandar_bitacora(almacen, RELOJ)
    intruso(almacen, "DELETE FROM bitacora WHERE renglon > 5")
    anotar(almacen, 1, "después")
    mandar_bitacora(almacen, RELOJ)
    detalles = [r.detalle for h in hojas(almacen) for r in h.contenido.renglones]
    assert "después" in detalles
    defectos = {a.defecto for a in comprobar("catd-01", EPOCA, hojas(almacen))}
    assert Defecto.REPETIDA in defectos


@pytest.mark.parametrize("quita", ["renglon = 6", "renglon > 3", "renglon > 0"])
def test_quitar_los_ultimos_antes_de_que_vayan_en_una_hoja_deja_rastro(tmp_path: Path, quita: str) -> None:
    almacen = con_renglones(tmp_path, 6)
    intruso(almacen, f"DELETE FROM bitacora WHERE {quita}")
    mandar_bitacora(almacen, RELOJ)
    anotar(almacen, 2)
    mandar_bitacora(almacen, RELOJ)
    repasar(almacen)
    assert anotados(almacen, "bitacora_rota") == ["lo último que se anotó fue el renglón 6, y ya no está o se cambió"]
    # Y va al centro, en una hoja que encadena.
    todas = hojas(almacen)
    assert [r.evento for h in todas for r in h.contenido.renglones].count("bitacora_rota") == 1
    assert comprobar("catd-01", EPOCA, todas) == []


def test_un_almacen_que_aun_no_recordaba_el_ultimo_renglon_sigue_igual(tmp_path: Path) -> None:
    almacen = con_renglones(tmp_path, 6)
    intruso(almacen, "DELETE FROM situacion WHERE llave = 'bitacora_cabeza'")
    mandar_bitacora(almacen, RELOJ)
    anotar(almacen, 2)
    mandar_bitacora(almacen, RELOJ)
    assert anotados(almacen, "bitacora_rota") == []


@pytest.mark.parametrize("danado", ["", "basura", "-3 abc", "999999999999999999999999 abc", "\u0663 abc"])
@pytest.mark.parametrize("cual", ["bitacora_cabeza", "bitacora_mandada"])
def test_se_dana_hasta_donde_iba_la_bitacora_y_se_sigue_asentando_y_se_dice(
    tmp_path: Path, cual: str, danado: str
) -> None:
    almacen = con_renglones(tmp_path, 6)
    mandar_bitacora(almacen, RELOJ)
    with sqlite3.connect(almacen.ruta) as bd:
        assert bd.execute("UPDATE situacion SET valor = ? WHERE llave = ?", (danado, cual)).rowcount == 1
    almacen.desconectar()
    almacen = abrir_almacen(tmp_path)
    almacen.asentar([un_hecho(1)], RELOJ.ahora(), "virtual")
    anotar(almacen, 2)
    repasar(almacen)
    mandar_bitacora(almacen, RELOJ)
    anotar(almacen, 1)
    mandar_bitacora(almacen, RELOJ)
    (dicho,) = anotados(almacen, "bitacora_rota")
    assert "se dañó lo que se recordaba" in dicho
    assert "-1" not in dicho
    # Lo asentado sigue ahí y todo acaba en el centro.
    detalles = [r.detalle for h in hojas(almacen) for r in h.contenido.renglones]
    assert {*map(str, range(6))} <= set(detalles)
    assert len(almacen.hechos_desde(0)) == len(almacen.sobres(1, 10_000, 10_000))
    repasar(almacen)
    assert len(anotados(almacen, "bitacora_rota")) == 1


def test_mandar_lo_nuevo_no_vuelve_a_recorrer_lo_mandado(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    con_renglones(tmp_path, 900).desconectar()
    mandar_bitacora(abrir_almacen(tmp_path), RELOJ)
    # Hasta dónde se mandó está en el disco: lo sabe el que apenas abre.
    almacen = abrir_almacen(tmp_path)
    anotar(almacen, 5)
    vistos: list[str] = []

    def contado(previo: str, renglon: RenglonDeBitacora) -> str:
        vistos.append(renglon.detalle)
        return encadenar(previo, renglon)

    monkeypatch.setattr(bitacora, "encadenar", contado)
    assert mandar_bitacora(almacen, RELOJ) == 1
    # Los cinco nuevos (al comprobarlos y al hacer la hoja) y el último mandado.
    assert set(vistos) == {*map(str, range(5)), "899"}
    assert len(vistos) < 20


def test_el_vigilante_acaba_por_ver_un_renglon_viejo_que_alguien_cambio(tmp_path: Path) -> None:
    almacen = con_renglones(tmp_path, 700)
    vigilante = Vigilante(almacen, RELOJ, ahora=Maquina())
    vigilante.vuelta()
    intruso(
        almacen,
        "UPDATE bitacora SET persona = 'otra' WHERE renglon = 502",
        "DELETE FROM bitacora WHERE renglon IN (251, 600)",
    )
    for _ in range(8):
        vigilante.vuelta()
    assert set(anotados(almacen, "bitacora_rota")) == {
        "faltan los renglones 251 a 251",
        "el renglón 502 se cambió",
        "faltan los renglones 600 a 600",
    }


def test_el_centro_dice_donde_y_que(tmp_path: Path) -> None:
    def renglones(*detalles: str) -> tuple[RenglonDeBitacora, ...]:
        return tuple(RenglonDeBitacora(AHORA.isoformat(), "tomada", "ana", "", d) for d in detalles)

    una = HojaDeBitacora(AHORA, 1, BITACORA_NUEVA, renglones("a", "b"))
    sigue = HojaDeBitacora(AHORA, 3, huella_de_hoja(BITACORA_NUEVA, una.renglones), renglones("c"))
    for segunda, esperada in (
        (replace(sigue, desde=5), Anomalia("catd-01", EPOCA, Defecto.HUECO, 3, 4, 2)),
        (replace(sigue, desde=2), Anomalia("catd-01", EPOCA, Defecto.REPETIDA, 2, 2, 2)),
        (replace(sigue, previo="b" * 64), Anomalia("catd-01", EPOCA, Defecto.ROTA, 3, 3, 2)),
    ):
        assert comprobar("catd-01", EPOCA, [Hoja(1, una), Hoja(2, segunda)]) == [esperada]
        assert "catd-01" in str(esperada)
        equipo = EquipoDePrueba("catd-01")
        carpeta = tmp_path / esperada.defecto.name
        CentroDePrueba(carpeta, [equipo]).destinos(equipo.mensaje(una), equipo.mensaje(segunda))
        assert anomalias_de(carpeta) == [esperada]


def test_una_hoja_que_aun_no_llega_no_es_un_renglon_quitado(tmp_path: Path) -> None:
    almacen = con_renglones(tmp_path / "kiosco", 250)
    mandar_bitacora(almacen, RELOJ)
    equipo = EquipoDePrueba("catd-01")
    centro = CentroDePrueba(tmp_path / "centro", [equipo])
    mensajes = [equipo.mensaje(h.contenido) for h in hojas(almacen)]
    centro.destinos(mensajes[0], mensajes[2])
    assert anomalias_de(tmp_path / "centro") == []
    centro.destinos(mensajes[1])
    assert anomalias_de(tmp_path / "centro") == []


@given(st.lists(st.integers(1, 9), min_size=1, max_size=6), st.data())
def test_cualquier_reparto_en_hojas_encadena_y_cualquier_renglon_quitado_se_ve(
    tamanos: list[int], datos: st.DataObject
) -> None:
    total = sum(tamanos)
    renglones = [RenglonDeBitacora(AHORA.isoformat(), "tomada", "ana", "", str(n)) for n in range(total)]
    todas, previo, desde = [], BITACORA_NUEVA, 0
    for secuencia, tamano in enumerate(tamanos, start=1):
        hoja = HojaDeBitacora(AHORA, desde + 1, previo, tuple(renglones[desde : desde + tamano]))
        todas.append(Hoja(secuencia, hoja))
        previo, desde = huella_de_hoja(previo, hoja.renglones), desde + tamano
    assert comprobar("catd-01", EPOCA, todas) == []
    cual = datos.draw(st.integers(0, len(todas) - 2)) if len(todas) > 1 else None
    if cual is not None:
        victima = todas[cual]
        quitado = datos.draw(st.integers(0, len(victima.contenido.renglones) - 1))
        quedan = tuple(r for i, r in enumerate(victima.contenido.renglones) if i != quitado)
        if quedan:
            todas[cual] = Hoja(victima.secuencia, replace(victima.contenido, renglones=quedan))
        else:
            del todas[cual]
        assert comprobar("catd-01", EPOCA, todas) != []


# --------------------------------------------------------------------------------------------------------- el vigilante


class Maquina:
    """El reloj de la máquina, que se mueve a mano."""

    def __init__(self) -> None:
        self.hora = AHORA

    def __call__(self) -> datetime:
        return self.hora


def test_la_bitacora_sale_cada_minuto_o_con_cincuenta_renglones(tmp_path: Path) -> None:
    almacen, maquina = con_renglones(tmp_path, 1), Maquina()
    vigilante = Vigilante(almacen, RELOJ, ahora=maquina)
    vigilante.vuelta()
    assert len(hojas(almacen)) == 1
    anotar(almacen, 3)
    maquina.hora += timedelta(seconds=30)
    vigilante.vuelta()
    assert len(hojas(almacen)) == 1
    anotar(almacen, 50)
    vigilante.vuelta()
    assert len(hojas(almacen)) == 2
    anotar(almacen, 1)
    maquina.hora -= timedelta(hours=3)
    vigilante.vuelta()
    assert faltan_por_mandar(almacen) == 0, "un reloj que retrocede no la detiene"


@pytest.mark.parametrize("evento", ["turno_cerrado", "gafete_desconocido"])
def test_al_terminar_un_turno_o_pasar_algo_grave_sale_luego(tmp_path: Path, evento: str) -> None:
    almacen = con_renglones(tmp_path, 1)
    vigilante = Vigilante(almacen, RELOJ, ahora=Maquina())
    vigilante.vuelta()
    anotar(almacen, 2)
    vigilante.vuelta()
    assert faltan_por_mandar(almacen) == 2
    with almacen.transaccion() as t:
        t.anotar(hora(), evento, persona="ana")
    vigilante.vuelta()
    assert faltan_por_mandar(almacen) == 0


def test_el_enlace_que_se_va_y_vuelve_queda_escrito_una_vez(tmp_path: Path) -> None:
    almacen, maquina = abrir_almacen(tmp_path), Maquina()
    vigilante = Vigilante(almacen, RELOJ, ahora=maquina)
    vigilante.vuelta()
    assert anotados(almacen, "enlace_perdido") == [], "al encender aún no hay enlace que perder"

    def acusar() -> None:
        almacen.cerrar(Acuse("catd-01", EPOCA, 0, CADENA_NUEVA, (), (), (), AHORA), maquina.hora)

    acusar()
    vigilante.vuelta()
    maquina.hora += timedelta(minutes=2)
    for _ in range(3):
        vigilante.vuelta()
    assert len(anotados(almacen, "enlace_perdido")) == 1
    acusar()
    vigilante.vuelta()
    assert len(anotados(almacen, "enlace_recuperado")) == 2


def test_al_apagar_se_manda_lo_que_falta_y_terminar_dos_veces_no_estorba(tmp_path: Path) -> None:
    almacen = con_renglones(tmp_path, 4)
    vigilante = Vigilante(almacen, RELOJ, sondeo_s=3600)
    vigilante.empezar()
    vigilante.terminar()
    vigilante.terminar()
    assert faltan_por_mandar(almacen) == 0


def test_un_reloj_de_fabrica_se_dice_y_no_tumba_al_vigilante(tmp_path: Path) -> None:
    almacen, dicho = con_renglones(tmp_path, 4), list[str]()
    reloj = RelojFijado(hora().replace(year=1970))
    vigilante = Vigilante(almacen, reloj, sondeo_s=0.01, decir=dicho.append)
    vigilante.empezar()
    while not dicho:
        pass
    reloj.fijar(hora())
    vigilante.terminar()
    assert len(dicho) == 1, "una queja, no una por sondeo"
    assert "reloj" in dicho[0]
    assert faltan_por_mandar(almacen) == 0


@pytest.mark.parametrize("anio", [1, 1970, 2155, 9999])
def test_lo_anotado_con_el_reloj_de_fabrica_no_detiene_a_la_bitacora(tmp_path: Path, anio: int) -> None:
    almacen = con_renglones(tmp_path, 1)
    with almacen.transaccion() as t:
        t.anotar(hora().replace(year=anio), "tomada", persona="ana", detalle="antes de ponerse en hora")
    anotar(almacen, 1)
    assert mandar_bitacora(almacen, RELOJ) == 1
    (hoja,) = hojas(almacen)
    assert [r.persona for r in hoja.contenido.renglones] == ["ana"] * 3
    assert hoja.contenido.renglones[1].detalle.startswith(f"el reloj decía {anio:04d}-")
    assert comprobar("catd-01", EPOCA, [hoja]) == []


# ------------------------------------------------------------------------------------------------------- el documento


def test_el_documento_de_la_bitacora_es_el_de_los_eventos_declarados() -> None:
    assert DOCUMENTO.read_text("utf-8") == en_markdown(), "corra `python -m appliance.escribir_bitacora`"


def test_no_se_anota_lo_que_nadie_declaro(tmp_path: Path) -> None:
    almacen: Any = abrir_almacen(tmp_path)
    with pytest.raises(KeyError), almacen.transaccion() as t:
        t.anotar(hora(), "inventado")
    assert all(e.texto and not e.texto.endswith(".") for e in eventos().values())
