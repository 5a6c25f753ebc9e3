"""Órdenes desde la sala: quién puede, cuántas personas, qué firma el centro y qué no, y en qué va cada una."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nucleo.eventos import RenglonDeBitacora
from nucleo.hechos import HojaDeBitacora
from nucleo.orden import (
    MostrarMensaje,
    PausarImagenes,
    Reenviar,
    Renacer,
    SeguirImagenes,
    TomarDefinicion,
    a_datos,
    abrir_orden,
    de_datos,
)
from nucleo.problema import Rechazo
from nucleo.temas import Carril
from servicio_central import ajustes, firma_de_definicion
from servicio_central.bitacora import Hoja
from servicio_central.firmante import leer_publica
from servicio_central.monitor import acciones, rastro_de_orden
from servicio_central.monitor.acciones import ACCIONES, Tramite
from servicio_central.monitor.observador import Pantalla
from servicio_central.monitor.papeles import Papel
from servicio_central.monitor.pedidos import Pedido
from servicio_central.monitor.rastro_de_orden import Rastro
from servicio_central.monitor.retrato import EstadoDeEnlace, Kiosco
from servicio_central.monitor.vida_de_orden import Paso, VidaDeOrden, contar
from servicio_central.ordenes import ARCHIVO
from tests.centro_de_verdad import OAXACA
from tests.sala_de_prueba import CLAVE, SalaDePrueba


@pytest.fixture
def sala(tmp_path: Path) -> Iterator[SalaDePrueba]:
    sala = SalaDePrueba(tmp_path, 3, servir=False)
    for nombre, papel in (
        ("ana", Papel.OPERADOR), ("sofia", Papel.SUPERVISOR), ("rita", Papel.SUPERVISOR), ("vigia", Papel.VISTA),
    ):  # fmt: skip
        sala.cuenta(nombre, papel)
    sala.latir(*sala.equipos)
    yield sala
    sala.centro.almacen.cerrar()


class Navegador:
    """Alguien que ya entró. Los códigos sirven una vez: `paso` adelanta el reloj de la sala."""

    def __init__(self, sala: SalaDePrueba, quien: str) -> None:
        self.sala, self.quien = sala, quien
        self._galletas: dict[str, str] = {}
        r = self.mandar("/operacion/entrar", cuenta=quien, clave=CLAVE, codigo=sala.codigo(quien))
        assert r.status_code == 303, r.text

    def _pedir(self, metodo: str, camino: str, datos: dict[str, str] | None = None) -> httpx.Response:
        async def ir() -> httpx.Response:
            transporte = httpx.ASGITransport(app=self.sala.app)
            base = "http://localhost"
            async with httpx.AsyncClient(transport=transporte, base_url=base, cookies=self._galletas) as cliente:
                r = await cliente.request(metodo, camino, data=datos, headers={"sec-fetch-site": "same-origin"})
                self._galletas |= dict(r.cookies)
                return r

        return asyncio.run(ir())

    def ver(self, camino: str) -> str:
        r = self._pedir("GET", camino)
        assert r.status_code == 200, (r.status_code, r.text)
        return r.text

    def mandar(self, camino: str, **datos: str) -> httpx.Response:
        return self._pedir("POST", camino, datos)

    @property
    def forma(self) -> str:
        hallada = re.search(r'name="forma" value="([^"]+)"', self.ver("/operacion"))
        assert hallada is not None
        return hallada[1]

    def ordenar(self, equipo: str, accion: str, **datos: str) -> httpx.Response:
        return self.mandar(f"/operacion/equipo/{equipo}/ordenar", forma=self.forma, accion=accion, **datos)

    def responder(self, numero: int, respuesta: str, codigo: str = "", nota: str = "") -> httpx.Response:
        return self.mandar(
            f"/operacion/ordenes/{numero}", forma=self.forma, respuesta=respuesta, codigo=codigo, nota=nota
        )


def vidas(sala: SalaDePrueba, equipo: str = "catd-001") -> tuple[VidaDeOrden, ...]:
    sala.sala.observador.mirar()
    return sala.sala.observador.mesa.de(equipo)


def bajar(sala: SalaDePrueba) -> list[tuple[str, bytes]]:
    """Lo que el enlace habría publicado."""
    bajaron = []
    while (baja := sala.centro.despacho.siguiente()) is not None:
        bajaron.append(baja)
    return bajaron


# --------------------------------------------------------------------------------------------------- la vida


def test_una_orden_directa_se_ve_encolada_bajada_y_cumplida(sala: SalaDePrueba) -> None:
    ana = Navegador(sala, "ana")
    assert ana.ordenar("catd-001", "mensaje", texto="llamen al centro").status_code == 303
    (vida,) = vidas(sala)
    assert (vida.paso, vida.quien, vida.que) == (Paso.ENCOLADA, "ana", "mensaje: «llamen al centro»")
    ((tema, firmado),) = bajar(sala)
    assert tema == sala.inscrito.tema("catd-001", Carril.ORDEN)
    orden = abrir_orden(firmado.decode(), leer_publica(sala.inscrito.centro / "centro.pub.pem"))
    assert orden.que == MostrarMensaje("llamen al centro")
    (vida,) = vidas(sala)
    assert vida.paso is Paso.BAJADA
    assert "bróker" in vida.porque
    sala.latir("catd-001", orden=1)
    (vida,) = vidas(sala)
    assert vida.paso is Paso.CUMPLIDA
    assert vida.recibida is not None
    assert "llamen al centro" in ana.ver("/operacion/ordenes")
    assert "✔" in ana.ver("/operacion/equipo/catd-001")


def test_la_pausa_de_imagenes_ya_obedecida_se_ve_hasta_que_obedece_seguir(sala: SalaDePrueba) -> None:
    def pagina() -> str:
        sala.sala.observador.mirar()
        return sala.sala.observador.pagina()[1].completa()

    ana, sofia = Navegador(sala, "ana"), Navegador(sala, "sofia")
    ana.ordenar("catd-001", "pausar_imagenes", motivo="las cifras no salen")
    sofia.responder(1, "autoriza", sala.codigo("sofia", 1))
    bajar(sala)
    assert "en pausa" not in pagina(), "sólo lo ha oído el bróker"
    sala.latir("catd-001", orden=1)
    assert "1 CATD en pausa" in pagina()
    listas = sala.sala.observador.pagina()[1].listas["tabla"]
    assert ["en pausa" in listas[e] for e in ("catd-001", "catd-002")] == [True, False]
    assert "en pausa por orden de la sala" in ana.ver("/operacion/equipo/catd-001")
    # Doce horas después ya no está en la mesa, y sigue sin mandarlas.
    despues = datetime.now(UTC) + timedelta(hours=14)
    sala.sala.observador._ahora = lambda: despues
    ana.ordenar("catd-001", "seguir_imagenes")
    assert vidas(sala) == ()
    assert "1 CATD en pausa" in pagina()
    sala.latir("catd-001", orden=2)
    assert "en pausa" not in pagina()


def test_el_kiosco_esta_callado_y_la_orden_caduca_con_su_causa(sala: SalaDePrueba) -> None:
    Navegador(sala, "ana").ordenar("catd-001", "renacer")
    bajar(sala)
    despues = datetime.now(UTC) + timedelta(hours=1, minutes=1)
    sala.sala.observador._ahora = lambda: despues
    (vida,) = vidas(sala)
    assert vida.paso is Paso.RECHAZADA
    assert "caducó sin que la recibiera: el kiosco está callado" in vida.porque
    assert ("ORDEN", "catd-001") in {(p.alarma.tipo, p.alarma.equipo) for p in sala.sala.observador.presentes}


def test_la_segunda_espera_a_la_primera_y_la_saltada_se_dice(sala: SalaDePrueba) -> None:
    ana = Navegador(sala, "ana")
    ana.ordenar("catd-001", "renacer")
    ana.ordenar("catd-001", "seguir_imagenes")
    bajar(sala)
    segunda, primera = vidas(sala)
    assert (segunda.paso, segunda.porque) == (Paso.ENCOLADA, "espera a 1 anterior")
    assert primera.paso is Paso.BAJADA
    sala.latir("catd-001", orden=2)
    segunda, primera = vidas(sala)
    assert segunda.paso is Paso.CUMPLIDA
    assert primera.paso is Paso.RECHAZADA
    assert "posterior" in primera.porque


def test_le_llego_tarde_y_lo_dice_su_bitacora(sala: SalaDePrueba) -> None:
    Navegador(sala, "ana").ordenar("catd-001", "renacer")
    hora = sala.proceso.inicio_publicacion
    renglon = RenglonDeBitacora(hora.isoformat(), "orden_tarde", detalle="1")
    sala.mandar("catd-001", HojaDeBitacora(hora, 1, "0" * 64, (renglon,)))
    (vida,) = vidas(sala)
    assert (vida.paso, vida.porque) == (Paso.RECHAZADA, "le llegó ya caduca")


def test_la_definicion_se_sigue_hasta_que_la_usa_o_dice_por_que_no(sala: SalaDePrueba) -> None:
    firmada, _ = firma_de_definicion.firmar(sala.inscrito.autoridad, sala.inscrito.centro, OAXACA)
    otra = "ab" * 32
    for equipo in ("catd-001", "catd-002"):
        sala.latir(equipo, definicion=otra)
        sala.centro.despacho.repartir_definicion(sala.centro.vigia.padron, [equipo], "ana y sofia")
    (vida,) = vidas(sala)
    que = sala.centro.despacho.bandeja.de("catd-001")[0].que
    assert isinstance(que, TomarDefinicion)
    sala.latir("catd-001", orden=1, definicion=otra, paquete=que.sha256, paquete_bytes=que.bytes // 2)
    (vida,) = vidas(sala)
    assert vida.paso is Paso.RECIBIDA
    assert re.search(r"bajando: (49|50) %", vida.porque)
    sala.latir("catd-001", orden=1, definicion=firmada.huella)
    assert vidas(sala)[0].paso is Paso.CUMPLIDA
    # El otro la recibe y no la puede usar: lo dice su bitácora, que viaja firmada.
    hora = sala.proceso.inicio_publicacion
    renglones = (
        RenglonDeBitacora(hora.isoformat(), "orden_obedecida", detalle="1 definicion"),
        RenglonDeBitacora(hora.isoformat(), "definicion_rechazada", detalle="NO_CABE: la hoja 7 ya no cabe"),
    )
    sala.mandar("catd-002", HojaDeBitacora(hora, 1, "0" * 64, renglones))
    sala.latir("catd-002", orden=1, definicion=otra)
    (vida,) = vidas(sala, "catd-002")
    assert vida.paso is Paso.RECHAZADA
    assert "NO_CABE: la hoja 7 ya no cabe" in vida.porque


def test_la_bandeja_se_dana_y_el_tablero_sigue(sala: SalaDePrueba) -> None:
    (sala.inscrito.centro / ARCHIVO).write_bytes(b"esto no es SQLite" * 100)
    sala.sala.observador.mirar()
    assert sala.sala.observador.mesa.mal
    assert [p.alarma.detalle for p in sala.sala.observador.presentes if p.alarma.tipo == "ORDEN"] == ["bandeja"]
    assert "catd-003" in sala.sala.observador.pagina()[1].completa()


@pytest.mark.parametrize(
    ("estado", "epoca", "dice"),
    [
        (EstadoDeEnlace.BAJA, "", "de baja"),
        (EstadoDeEnlace.NUNCA, "", "nunca ha hablado"),
        (EstadoDeEnlace.EN_LINEA, "otra", "otra época"),
        (EstadoDeEnlace.EN_LINEA, "", "aún no contesta"),
    ],
)
def test_por_que_no_la_ha_recibido(sala: SalaDePrueba, estado: EstadoDeEnlace, epoca: str, dice: str) -> None:
    (orden,) = sala.centro.despacho.ordenar(sala.centro.vigia.padron, "catd-001", Renacer(), "ana")
    bajar(sala)
    (orden,) = sala.centro.despacho.bandeja.de("catd-001")
    kiosco = Kiosco("catd-001", "catd-001", estado, epoca=epoca)
    assert dice in contar(orden, [orden], kiosco, Rastro(), "", orden.hora).porque


@given(st.lists(st.tuples(st.sampled_from(sorted(rastro_de_orden._DE_ORDENES)), st.text(max_size=40))))
def test_la_bitacora_trae_cualquier_cosa_y_la_sala_no_se_cae(renglones: list[tuple[str, str]]) -> None:
    hora = datetime(2022, 6, 6, tzinfo=UTC)
    hoja = HojaDeBitacora(hora, 1, "0" * 64, tuple(RenglonDeBitacora("x", e, detalle=d) for e, d in renglones))
    rastro = rastro_de_orden.de_hojas([Hoja(1, hoja)])
    assert not rastro.rechazos or any(e == "definicion_rechazada" for e, _ in renglones)


# --------------------------------------------------------------------------------------------------- quién puede


def test_quien_solo_mira_no_ordena(sala: SalaDePrueba) -> None:
    vigia = Navegador(sala, "vigia")
    assert "sólo se mira" in vigia.ver("/operacion/equipo/catd-001/ordenar")
    assert "<textarea" not in vigia.ver("/operacion/equipo/catd-001/ordenar")
    assert vigia.ordenar("catd-001", "renacer").status_code == 403
    assert vidas(sala) == ()


def test_un_formulario_de_otra_parte_no_ordena(sala: SalaDePrueba) -> None:
    ana = Navegador(sala, "ana")
    camino = "/operacion/equipo/catd-001/ordenar"
    assert ana.mandar(camino, forma="inventada", accion="renacer").status_code == 403
    assert vidas(sala) == ()


@pytest.mark.parametrize("accion", [a for a in ACCIONES if ACCIONES[a].tramite is not Tramite.DIRECTA])
def test_lo_delicado_no_sale_con_una_sola_persona(sala: SalaDePrueba, accion: str, tmp_path: Path) -> None:
    firma_de_definicion.firmar(sala.inscrito.autoridad, sala.inscrito.centro, OAXACA)
    sofia = Navegador(sala, "sofia")
    assert sofia.ordenar("catd-001", accion, desde="1").status_code == 400, "sin motivo no"
    r = sofia.ordenar("catd-001", accion, desde="1", motivo="se atoró")
    assert (r.status_code, r.headers["location"]) == (303, "/operacion/ordenes/1")
    assert sofia.ordenar("catd-001", accion, desde="1", motivo="otra vez").status_code == 400, "ya está pedida"
    assert "Quien pide no autoriza" in sofia.responder(1, "autoriza", sala.codigo("sofia", 1)).text
    ana = Navegador(sala, "ana")
    assert ana.responder(1, "autoriza", sala.codigo("ana", 1)).status_code == 403, "operador no autoriza"
    assert vidas(sala) == ()
    assert [p.numero for p in sala.sala.observador.mesa.pedidos] == [1]
    with pytest.raises(sqlite3.IntegrityError, match="quien pide no autoriza"):
        sala.sala.libreta.agregar("INSERT INTO respuestas VALUES (?,?,?,?,?)", (1, "x", "sofia", 1, ""))


def test_dos_personas_y_un_codigo_nuevo_la_mandan_una_sola_vez(sala: SalaDePrueba) -> None:
    ana, sofia = Navegador(sala, "ana"), Navegador(sala, "sofia")
    ana.ordenar("catd-001", "pausar_imagenes", motivo="las cifras no salen")
    mal = sofia.responder(1, "autoriza", sala.codigo("sofia"))
    assert mal.status_code == 400, "el código con que entró ya no sirve"
    assert "El código no es correcto" in mal.text
    assert sofia.responder(1, "autoriza", "").status_code == 400
    assert vidas(sala) == ()
    assert sofia.responder(1, "autoriza", sala.codigo("sofia", 1)).status_code == 303
    (vida,) = vidas(sala)
    assert vida.quien == "ana y sofia (pedido 1)"
    assert sala.centro.despacho.bandeja.de("catd-001")[0].que == PausarImagenes()
    assert sofia.responder(1, "autoriza", sala.codigo("sofia", 1)).status_code == 400
    assert len(vidas(sala)) == 1
    sucesos = [(a.suceso, a.cuenta, a.detalle) for a in sala.sala.accesos.ultimos()]
    assert ("autorizó", "sofia", "pedido 1: no mandar imágenes") in sucesos
    assert sum(s == "falló" for s, _, _ in sucesos) == 2


def test_adivinar_el_codigo_se_frena(sala: SalaDePrueba) -> None:
    ana, sofia = Navegador(sala, "ana"), Navegador(sala, "sofia")
    ana.ordenar("catd-001", "pausar_imagenes", motivo="prueba")
    textos = [sofia.responder(1, "autoriza", f"{n:06d}").text for n in range(5)]
    assert "Hay que esperar" in textos[-1]
    assert "Hay que esperar" in sofia.responder(1, "autoriza", sala.codigo("sofia", 1)).text
    assert vidas(sala) == ()


def test_rechazar_pide_decir_por_que_y_no_manda_nada(sala: SalaDePrueba) -> None:
    ana, sofia = Navegador(sala, "ana"), Navegador(sala, "sofia")
    ana.ordenar("catd-001", "reenviar", desde="1", motivo="faltan")
    assert sofia.responder(1, "rechaza").status_code == 400
    assert sofia.responder(1, "rechaza", nota="ya llegaron").status_code == 303
    assert vidas(sala) == ()
    assert "sofia la rechazó: ya llegaron" in ana.ver("/operacion/ordenes/1")


def test_se_va_la_luz_entre_encolar_y_asentar_y_no_sale_otra(
    sala: SalaDePrueba, monkeypatch: pytest.MonkeyPatch
) -> None:
    ana, sofia, rita = (Navegador(sala, q) for q in ("ana", "sofia", "rita"))
    ana.ordenar("catd-001", "reenviar", desde="3", motivo="faltan")
    ordenar = sala.centro.despacho.ordenar

    def y_se_va_la_luz(*args: object, **otros: object) -> None:
        ordenar(*args, **otros)  # type: ignore[arg-type]
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr(sala.centro.despacho, "ordenar", y_se_va_la_luz)
    assert sofia.responder(1, "autoriza", sala.codigo("sofia", 1)).status_code == 503
    monkeypatch.undo()
    pedido = sala.sala.pedidos.uno(1)
    assert pedido is not None
    assert pedido.respuesta is None
    assert rita.responder(1, "autoriza", sala.codigo("rita", 1)).status_code == 303
    assert [o.que for o in sala.centro.despacho.bandeja.de("catd-001")] == [Reenviar(3)]


def test_el_proyector_no_dice_quien_pidio_ni_que_mensaje_se_mando(sala: SalaDePrueba) -> None:
    ana = Navegador(sala, "ana")
    ana.ordenar("catd-001", "mensaje", texto="que llame el licenciado Pech")
    ana.ordenar("catd-002", "pausar_imagenes", motivo="se tapa el enlace")
    despues = datetime.now(UTC) + timedelta(hours=1, minutes=1)
    sala.sala.observador._ahora = lambda: despues
    vidas(sala)
    dichas = {p.alarma.que for p in sala.sala.observador.presentes}
    assert {"No se cumplió la orden 1: mensaje", "Se pide no mandar imágenes"} <= dichas
    todo = sala.sala.observador.pagina(Pantalla.PROYECTOR)[1].completa()
    assert "Pech" not in todo
    assert "ana" not in re.findall(r"\w+", todo)


# --------------------------------------------------------------------------------------------------- la autoridad


def test_dar_de_baja_no_lo_firma_el_centro_y_sale_una_solicitud(sala: SalaDePrueba) -> None:
    ana, sofia = Navegador(sala, "ana"), Navegador(sala, "sofia")
    assert "su llave no está en el centro" in ana.ver("/operacion/equipo/catd-001/ordenar")
    padron = (sala.inscrito.centro / ajustes.PADRON).read_bytes()
    ana.ordenar("catd-001", "baja", motivo="se lo robaron")
    assert ana._pedir("GET", "/operacion/ordenes/1/solicitud.txt").status_code == 404, "aún no la autoriza nadie"
    assert sofia.responder(1, "autoriza", sala.codigo("sofia", 1)).status_code == 303
    assert "falta que la autoridad firme" in ana.ver("/operacion/ordenes/1")
    texto = ana.ver("/operacion/ordenes/1/solicitud.txt")
    for dicho in ("--baja catd-001", "se lo robaron", "Lo pide:   ana", "Autoriza:  sofia", "no firma nada"):
        assert dicho in texto
    assert vidas(sala) == ()
    assert bajar(sala) == []
    assert (sala.inscrito.centro / ajustes.PADRON).read_bytes() == padron


def test_sin_definicion_firmada_se_dice_a_quien_pedirla(sala: SalaDePrueba) -> None:
    ana = Navegador(sala, "ana")
    assert "no hay ninguna firmada" in ana.ver("/operacion/equipo/catd-001/ordenar")
    assert "la firma la autoridad, fuera de línea" in ana.ordenar("catd-001", "definicion", motivo="x").text


# --------------------------------------------------------------------------------------------------- los datos


@pytest.mark.parametrize("desde", ["", "0", "-1", "1.5", "uno", "٣", "9" * 30])
def test_una_secuencia_mal_escrita_se_dice(desde: str) -> None:
    hecho = acciones.armar("reenviar", "", desde)
    assert isinstance(hecho, Rechazo) or desde == "9" * 30


@given(st.text(max_size=300), st.text(max_size=30))
def test_ningun_texto_hace_una_orden_que_no_se_pueda_firmar(texto: str, desde: str) -> None:
    for clave in ACCIONES:
        hecho = acciones.armar(clave, texto, desde)
        if hecho is not None and not isinstance(hecho, Rechazo):
            assert de_datos(*a_datos(hecho)) == hecho
            assert acciones.en_palabras(hecho)
        assert acciones.dicho(clave, texto, desde)


def test_cada_orden_que_existe_tiene_su_boton_y_sus_palabras() -> None:
    armadas = {type(acciones.armar(c, "x", "1")) for c in ACCIONES}
    assert {Renacer, MostrarMensaje, PausarImagenes, SeguirImagenes, Reenviar} <= armadas
    assert "definicion" in ACCIONES
    assert isinstance(Pedido.que, property)
