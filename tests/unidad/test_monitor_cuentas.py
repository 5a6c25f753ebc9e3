"""Quien quiere entrar a la sala sin deber: adivina, repite, insiste, finge formularios o hace lo que no le toca."""

from __future__ import annotations

import io
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pyotp
import pytest
from fastapi.routing import APIRoute
from hypothesis import given
from hypothesis import strategies as st

from nucleo.problema import Rechazo
from servicio_central.monitor import contrasena, orden_operador, segundo_factor
from servicio_central.monitor.accesos import ENTRO, FALLO, FRENADO, SIN_NOMBRE, Accesos
from servicio_central.monitor.cuentas import Cuentas
from servicio_central.monitor.frenos import Fallas, espera
from servicio_central.monitor.libreta import Libreta
from servicio_central.monitor.papeles import Papel
from servicio_central.monitor.puerta import CAMINO, GALLETA
from servicio_central.monitor.sesiones import Sesion, Sesiones
from servicio_central.monitor.umbrales import leer
from tests.sala_de_prueba import CLAVE, SalaDePrueba

HORA = datetime(2022, 6, 6, 4, 0, tzinfo=UTC)
IP, OTRA_IP = "10.0.0.7", "10.0.0.8"


class Puerta:
    """Una libreta con dos cuentas y un reloj que se mueve a mano."""

    def __init__(self, carpeta: Path) -> None:
        self.ahora = HORA
        self.libreta = Libreta.abrir(carpeta / "operacion.sqlite")
        self.cuentas = Cuentas(self.libreta)
        self.accesos = Accesos(self.libreta)
        self.sesiones = Sesiones(self.libreta, leer(), lambda: self.ahora)
        self.secretos = {}
        for nombre in ("ana", "beto"):
            secreto = self.cuentas.alta(nombre, Papel.OPERADOR, CLAVE, "prueba", HORA)
            assert isinstance(secreto, str)
            self.secretos[nombre] = secreto

    def codigo(self, quien: str = "ana", pasos: int = 0) -> str:
        return pyotp.TOTP(self.secretos[quien]).generate_otp(int(self.ahora.timestamp()) // 30 + pasos)

    def entrar(self, quien: str = "ana", clave: str = CLAVE, codigo: str | None = None, ip: str = IP) -> str | Rechazo:
        hecho = self.sesiones.entrar(quien, clave, self.codigo(quien) if codigo is None else codigo, ip)
        return hecho if isinstance(hecho, Rechazo) else hecho[0]

    def pasan(self, segundos: float) -> None:
        self.ahora += timedelta(seconds=segundos)

    def sucesos(self) -> list[str]:
        return [a.suceso for a in self.accesos.ultimos()][::-1]


@pytest.fixture
def puerta(tmp_path: Path) -> Puerta:
    return Puerta(tmp_path)


# ------------------------------------------------------------------------------------------ los dos factores


def test_con_los_dos_factores_se_entra_y_queda_asentado(puerta: Puerta) -> None:
    galleta = puerta.entrar()
    assert isinstance(galleta, str)
    sesion = puerta.sesiones.reconocer(galleta)
    assert isinstance(sesion, Sesion)
    assert (sesion.cuenta, sesion.papel) == ("ana", Papel.OPERADOR)
    assert puerta.sucesos()[-1] == ENTRO
    assert galleta not in str([tuple(f) for f in puerta.libreta.filas("SELECT * FROM sesiones")])


def test_el_mismo_codigo_no_sirve_dos_veces_ni_el_anterior(puerta: Puerta) -> None:
    codigo = puerta.codigo()
    assert isinstance(puerta.entrar(codigo=codigo), str)
    assert isinstance(puerta.entrar(codigo=codigo), Rechazo)
    puerta.pasan(29)
    assert isinstance(puerta.entrar(codigo=codigo), Rechazo)
    assert isinstance(puerta.entrar(codigo=puerta.codigo(pasos=-1)), Rechazo)
    puerta.pasan(31)
    assert isinstance(puerta.entrar(), str)


def test_quien_no_sabe_la_contrasena_no_quema_los_codigos(puerta: Puerta) -> None:
    codigo = puerta.codigo()
    assert isinstance(puerta.entrar(clave="otra cosa muy larga", codigo=codigo, ip=OTRA_IP), Rechazo)
    assert isinstance(puerta.entrar(codigo=codigo), str)


def test_no_se_dice_que_fallo_ni_si_la_cuenta_existe(puerta: Puerta) -> None:
    dichos = {
        str(puerta.entrar(clave="mala mala mala")),
        str(puerta.entrar(codigo="000000")),
        str(puerta.sesiones.entrar("nadie", CLAVE, "123456", IP)),
    }
    assert len(dichos) == 1
    assert puerta.sucesos().count(FALLO) == 3


@given(st.text(max_size=30))
def test_un_codigo_cualquiera_no_tumba_a_nadie(texto: str) -> None:
    secreto = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
    paso = segundo_factor.paso_de(texto, secreto, HORA)
    assert paso is None or texto.replace(" ", "") == pyotp.TOTP(secreto).generate_otp(paso)


def test_un_telefono_medio_minuto_atrasado_entra_y_uno_de_dos_minutos_no(puerta: Puerta) -> None:
    assert isinstance(puerta.entrar(codigo=puerta.codigo(pasos=-4)), Rechazo)
    assert isinstance(puerta.entrar(codigo=puerta.codigo(pasos=-1)), str)


@pytest.mark.parametrize("mala", ["corta", "aaaaaaaaaaaaaaa", "ana-ana-ana-ana-ana", "x" * 500])
def test_una_contrasena_que_se_adivina_no_se_acepta(mala: str) -> None:
    assert contrasena.objecion(mala, "ana") is not None


def test_el_resumen_no_es_la_contrasena_y_no_se_repite() -> None:
    uno, otro = contrasena.resumir(CLAVE), contrasena.resumir(CLAVE)
    assert uno != otro
    assert CLAVE not in uno
    assert contrasena.coincide(CLAVE, uno)
    assert not contrasena.coincide(CLAVE + " ", uno)


# -------------------------------------------------------------------------------------------------- los frenos


def test_adivinar_se_vuelve_cada_vez_mas_lento(puerta: Puerta) -> None:
    for _ in range(3):
        puerta.entrar(clave="no es esta clave")
    frenado = puerta.entrar()
    assert isinstance(frenado, Rechazo)
    assert frenado.codigo == "FRENO"
    for _ in range(5):
        puerta.entrar()
    assert puerta.sucesos().count(FRENADO) == 1, "insistir no llena la bitácora"
    puerta.pasan(6)
    assert isinstance(puerta.entrar(clave="tampoco es esta"), Rechazo)
    puerta.pasan(6)
    assert isinstance(puerta.entrar(), Rechazo), "la segunda espera es más larga"
    puerta.pasan(6)
    assert isinstance(puerta.entrar(), str)


def test_quien_ataca_una_cuenta_desde_otra_parte_no_deja_fuera_a_su_dueno(puerta: Puerta) -> None:
    assert isinstance(puerta.entrar(), str)
    for n in range(40):
        puerta.accesos.anotar(FALLO, "ana", f"203.0.113.{n}", puerta.ahora)
    puerta.pasan(31)
    assert isinstance(puerta.entrar(ip="203.0.113.99"), Rechazo)
    assert isinstance(puerta.entrar(), str)


def test_quien_falla_desde_la_direccion_de_la_sala_no_deja_fuera_a_los_demas(puerta: Puerta) -> None:
    assert isinstance(puerta.entrar("beto"), str)
    for n in range(60):
        puerta.accesos.anotar(FALLO, f"intento-{n}", IP, puerta.ahora)
    puerta.pasan(30)
    assert isinstance(puerta.entrar("beto"), str)
    # Quien nunca ha entrado desde ahí espera, pero no más de medio minuto.
    assert isinstance(puerta.entrar("ana"), Rechazo) or puerta.ahora - HORA >= timedelta(seconds=30)
    puerta.pasan(31)
    assert isinstance(puerta.entrar("ana"), str)


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 10**6), st.booleans())
def test_ninguna_espera_pasa_de_un_cuarto_de_hora(a: int, b: int, c: int, conocida: bool) -> None:
    falta = espera(Fallas(a, HORA), Fallas(b, HORA), Fallas(c, HORA), conocida, HORA)
    assert 0 <= falta <= 900
    assert espera(Fallas(0, HORA), Fallas(b, HORA), Fallas(c, HORA), True, HORA) == 0


def test_quien_teclea_su_contrasena_donde_va_la_cuenta_no_la_deja_escrita(puerta: Puerta) -> None:
    puerta.sesiones.entrar(CLAVE, "", "", IP)
    assert puerta.accesos.ultimos()[0].cuenta == SIN_NOMBRE


# ------------------------------------------------------------------------------------------------- la sesión


def test_la_sesion_caduca_si_no_se_usa_y_el_tablero_solo_no_cuenta(puerta: Puerta) -> None:
    galleta = puerta.entrar()
    assert isinstance(galleta, str)
    for _ in range(4):
        puerta.pasan(29 * 60)
        assert puerta.sesiones.reconocer(galleta) is not None
    for _ in range(3):
        puerta.pasan(11 * 60)
        vivo = puerta.sesiones.reconocer(galleta, uso=False)
    assert vivo is None
    assert puerta.sesiones.reconocer(galleta) is None
    assert puerta.sucesos()[-1] == "venció"


def test_ninguna_sesion_dura_mas_que_la_noche(puerta: Puerta) -> None:
    galleta = puerta.entrar()
    assert isinstance(galleta, str)
    for _ in range(14 * 4):
        puerta.pasan(15 * 60)
        puerta.sesiones.reconocer(galleta)
    puerta.pasan(60)
    assert puerta.sesiones.reconocer(galleta) is None


def test_una_baja_saca_al_momento_y_un_papel_nuevo_vale_en_el_siguiente_clic(puerta: Puerta) -> None:
    ana, beto = puerta.entrar("ana"), puerta.entrar("beto")
    assert isinstance(ana, str)
    assert isinstance(beto, str)
    assert puerta.cuentas.cambiar_papel("ana", Papel.VISTA, "jefa", HORA) is None
    sesion = puerta.sesiones.reconocer(ana)
    assert sesion is not None
    assert sesion.papel is Papel.VISTA
    assert puerta.cuentas.baja("beto", "jefa", HORA) is None
    assert puerta.sesiones.reconocer(beto) is None
    puerta.pasan(30)
    assert isinstance(puerta.entrar("beto"), Rechazo)


def test_al_cambiar_la_clave_lo_anterior_deja_de_servir(puerta: Puerta) -> None:
    galleta, viejo = puerta.entrar(), puerta.secretos["ana"]
    assert isinstance(galleta, str)
    nuevo = puerta.cuentas.nueva_clave("ana", CLAVE + " dos", "jefa", HORA)
    assert isinstance(nuevo, str)
    assert nuevo != viejo
    assert puerta.sesiones.reconocer(galleta) is None
    puerta.pasan(30)
    assert isinstance(puerta.entrar(clave=CLAVE + " dos"), Rechazo), "con el teléfono de antes"
    puerta.secretos["ana"] = nuevo
    puerta.pasan(30)
    assert isinstance(puerta.entrar(clave=CLAVE + " dos"), str)


# ------------------------------------------------------------------------------------------------ la libreta


@pytest.mark.parametrize("tabla", ["accesos", "cambios", "episodios", "cierres", "notas", "propuestas", "resoluciones"])
def test_lo_asentado_no_se_cambia_ni_se_borra_ni_se_reemplaza(puerta: Puerta, tabla: str) -> None:
    with puerta.libreta.transaccion() as bd:
        bd.execute("INSERT INTO cambios VALUES (1, 'h', 'catd-01', '', 'en línea', '')")
        bd.execute("INSERT INTO episodios VALUES (1, 'c', 't', 'alta', '', 'h', 'q', 'c', 's')")
        bd.execute("INSERT INTO cierres VALUES (1, 'h')")
        bd.execute("INSERT INTO notas VALUES (1, 1, 'h', 'ana', 1, '')")
        bd.execute("INSERT INTO propuestas VALUES (1, 'c', 1, 'h', 'ana', 'ruido', 'n')")
        bd.execute("INSERT INTO resoluciones VALUES (1, 'h', 'beto', 1, '')")
    antes = [tuple(f) for f in puerta.libreta.filas(f"SELECT * FROM {tabla}")]
    valores = ", ".join("?" * len(antes[0]))
    for orden, datos in (
        (f"UPDATE {tabla} SET hora = 'otra'", ()),
        (f"DELETE FROM {tabla}", ()),
        (f"REPLACE INTO {tabla} VALUES ({valores})", antes[0]),
    ):
        with pytest.raises(sqlite3.IntegrityError, match="sólo se agrega"), puerta.libreta.transaccion() as bd:
            bd.execute(orden, datos)
    assert [tuple(f) for f in puerta.libreta.filas(f"SELECT * FROM {tabla}")] == antes


def test_ni_la_base_deja_que_confirme_quien_propuso(puerta: Puerta) -> None:
    with puerta.libreta.transaccion() as bd:
        bd.execute("INSERT INTO propuestas VALUES (1, 'c', 1, 'h', 'ana', 'ruido', 'n')")
    with pytest.raises(sqlite3.IntegrityError, match="quien propone"), puerta.libreta.transaccion() as bd:
        bd.execute("INSERT INTO resoluciones VALUES (1, 'h', 'ana', 1, '')")


# ------------------------------------------------------------------------------------------------- la orden


@pytest.mark.parametrize("que", ["alta", "clave"])
def test_sin_terminal_ni_contrasena_por_la_entrada_se_dice_que_hace_falta(
    que: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sala = SalaDePrueba(tmp_path, 1, servir=False)
    monkeypatch.setattr("sys.stdin", io.StringIO())
    papel = ["--papel", "operador"] if que == "alta" else []
    with pytest.raises(SystemExit):
        orden_operador.main([que, "--carpeta", str(sala.inscrito.centro), "ana-lopez", *papel])
    assert "en una terminal" in capsys.readouterr().err
    assert sala.sala.cuentas.una("ana-lopez") is None


def test_la_orden_da_de_alta_con_qr_y_dice_lo_que_no_se_puede(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sala = SalaDePrueba(tmp_path, 1, servir=False)
    carpeta = ["--carpeta", str(sala.inscrito.centro)]

    def correr(*argumentos: str, entrada: str = CLAVE) -> str:
        monkeypatch.setattr("sys.stdin", io.StringIO(entrada + "\n"))
        orden_operador.main(list(argumentos))
        return capsys.readouterr().out

    qr = tmp_path / "qr.png"
    dicho = correr("alta", *carpeta, "ana-lopez", "--papel", "supervisor", "--qr", str(qr))
    cuenta = sala.sala.cuentas.una("ana-lopez")
    assert cuenta is not None
    assert cuenta.secreto in dicho
    assert CLAVE not in dicho
    assert qr.stat().st_mode & 0o777 == 0o600
    assert "es operador" in correr("papel", *carpeta, "ana-lopez", "--papel", "operador")
    assert "teclee" in correr("clave", *carpeta, "ana-lopez", entrada=CLAVE + " nueva")
    assert "ana-lopez" in correr("lista", *carpeta)
    correr("baja", *carpeta, "ana-lopez")
    assert "de baja" in correr("lista", *carpeta)
    for argumentos in (
        ["alta", *carpeta, "Ana López", "--papel", "vista"],
        ["alta", *carpeta, "ana-lopez", "--papel", "supervisor"],
        ["baja", *carpeta, "nadie"],
        ["lista", "--carpeta", str(tmp_path / "nada")],
    ):
        with pytest.raises(SystemExit) as salida:
            correr(*argumentos)
        assert salida.value.code == 1
        assert "Siguiente paso" in capsys.readouterr().err
    sucesos = [a.suceso for a in sala.sala.accesos.ultimos()]
    assert sucesos == ["baja", "clave", "papel", "alta"]


# ---------------------------------------------------------------------------------------- papeles × rutas, CSRF


@pytest.fixture(scope="module")
def sala(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SalaDePrueba]:
    sala = SalaDePrueba(tmp_path_factory.mktemp("puerta"), 3)
    for papel in Papel:
        sala.cuenta(papel.value, papel)
    sala.latir(*sala.equipos)
    sala.sala.observador.mirar()
    yield sala
    sala.cerrar()


_galletas: dict[str, str] = {}


def cliente(sala: SalaDePrueba, quien: str | None) -> httpx.Client:
    """Un navegador; con sesión si se dice de quién."""
    if quien is not None and quien not in _galletas:
        datos = {"cuenta": quien, "clave": CLAVE, "codigo": sala.codigo(quien)}
        dicho = httpx.post(f"{sala.url}{CAMINO}/entrar", data=datos, headers={"Origin": sala.url})
        assert dicho.status_code == 303, dicho.text
        assert {"httponly", "samesite=strict"} <= {p.strip().lower() for p in dicho.headers["set-cookie"].split(";")}
        _galletas[quien] = dicho.cookies[GALLETA]
    nuevo = httpx.Client(base_url=sala.url, headers={"Origin": sala.url})
    if quien is not None:
        nuevo.cookies.set(GALLETA, _galletas[quien], domain="127.0.0.1", path=CAMINO)
    return nuevo


def forma(sala: SalaDePrueba, quien: str) -> str:
    sesion = sala.sala.sesiones.reconocer(_galletas[quien])
    assert sesion is not None
    return sesion.forma


MINIMOS: dict[tuple[str, str], Papel | None] = {
    ("GET", "/operacion"): Papel.VISTA,
    ("GET", "/operacion/vivo"): Papel.VISTA,
    ("GET", "/operacion/equipo/{equipo}"): Papel.VISTA,
    ("GET", "/operacion/distrito/{distrito}"): Papel.VISTA,
    ("GET", "/operacion/acta"): Papel.VISTA,
    ("GET", "/operacion/acta/{eleccion}/{casilla}"): Papel.VISTA,
    ("GET", "/operacion/alarmas"): Papel.VISTA,
    ("GET", "/operacion/alarmas/{tipo}"): Papel.VISTA,
    ("POST", "/operacion/alarmas/{tipo}"): Papel.OPERADOR,
    ("GET", "/operacion/alarma/{numero}"): Papel.VISTA,
    ("POST", "/operacion/alarma/{numero}"): Papel.OPERADOR,
    ("GET", "/operacion/revision"): Papel.VISTA,
    ("GET", "/operacion/revision/{clave}"): Papel.VISTA,
    ("POST", "/operacion/revision/{clave}"): Papel.OPERADOR,
    ("POST", "/operacion/revision/{clave}/{numero}"): Papel.SUPERVISOR,
    ("GET", "/operacion/ordenes"): Papel.VISTA,
    ("GET", "/operacion/ordenes/vivo"): Papel.VISTA,
    ("GET", "/operacion/ordenes/{numero}"): Papel.VISTA,
    ("GET", "/operacion/ordenes/{numero}/solicitud.txt"): Papel.VISTA,
    ("GET", "/operacion/equipo/{equipo}/ordenar"): Papel.VISTA,
    ("POST", "/operacion/equipo/{equipo}/ordenar"): Papel.OPERADOR,
    ("POST", "/operacion/ordenes/{numero}"): Papel.SUPERVISOR,
    ("GET", "/operacion/accesos"): Papel.SUPERVISOR,
    ("POST", "/operacion/salir"): Papel.VISTA,
    ("GET", "/operacion/entrar"): None,
    ("POST", "/operacion/entrar"): None,
    ("GET", "/proyector"): None,
    ("GET", "/proyector/vivo"): None,
    ("GET", "/metrics"): None,
}
"""Ruta → papel mínimo; `None` si no pide cuenta. Una ruta nueva que no esté aquí hace fallar la prueba."""


def rutas_de(sala: SalaDePrueba) -> dict[tuple[str, str], str]:
    ejemplo = {"equipo": "catd-001", "distrito": "1", "eleccion": "GUB", "casilla": "x", "tipo": "RELOJ", "numero": "1"}
    halladas = {}
    pendientes = list(sala.app.routes)
    while pendientes:
        ruta = pendientes.pop()
        if isinstance(ruta, APIRoute):
            for metodo in ruta.methods or ():
                halladas[metodo, ruta.path] = ruta.path.format(**ejemplo, clave="cuarentena:-:TEMA")
        elif (original := getattr(ruta, "original_router", None)) is not None:
            pendientes += original.routes
    return halladas


def test_cada_ruta_pide_el_papel_que_le_toca(sala: SalaDePrueba) -> None:
    rutas = rutas_de(sala)
    assert set(rutas) == set(MINIMOS)
    for (metodo, ruta), minimo in MINIMOS.items():
        if minimo is None:
            continue
        camino = rutas[metodo, ruta]
        with cliente(sala, None) as nadie:
            dicho = nadie.request(metodo, camino)
            esperado = 204 if ruta.endswith("/vivo") else 303
            assert dicho.status_code == esperado, (metodo, camino, dicho.status_code)
            assert "catd-001" not in dicho.text
        for papel in Papel:
            if ruta.endswith(("/vivo", "/salir")):
                continue  # la primera no termina y la segunda cierra la sesión de las demás pruebas
            with cliente(sala, papel.value) as alguien:
                datos = {"forma": forma(sala, papel.value)} if metodo == "POST" else None
                codigo = alguien.request(metodo, camino, data=datos).status_code
            if papel.alcanza(minimo):
                assert codigo in (200, 303, 400, 404), (papel, metodo, camino, codigo)
            else:
                assert codigo == 403, (papel, metodo, camino, codigo)
    assert "negado" in {a.suceso for a in sala.sala.accesos.ultimos()}


def test_un_formulario_ajeno_o_de_otra_sesion_no_hace_nada(sala: SalaDePrueba) -> None:
    camino = f"{CAMINO}/alarmas/RELOJ"
    with cliente(sala, "operador") as ana, cliente(sala, "supervisor"):
        buena = {"forma": forma(sala, "operador"), "nota": "x"}
        assert ana.post(camino, data=buena).status_code == 303
        assert ana.post(camino, data={"nota": "x"}).status_code == 403
        assert ana.post(camino, data=buena | {"forma": forma(sala, "supervisor")}).status_code == 403
        for cabeceras in (
            {"Origin": "https://ataque.example"},
            {"Origin": "null"},
            {"Origin": ""},
            {"Sec-Fetch-Site": "cross-site"},
            {"Sec-Fetch-Site": "same-site"},
            {"Sec-Fetch-Site": "none"},
        ):
            assert ana.post(camino, data=buena, headers=cabeceras).status_code == 403, cabeceras
        assert (
            ana.post(camino, data=buena, headers={"Sec-Fetch-Site": "same-origin", "Origin": "null"}).status_code == 303
        )
        ajena = {"cuenta": "operador", "clave": CLAVE, "codigo": "000000"}
        assert ana.post(f"{CAMINO}/entrar", data=ajena, headers={"Origin": "https://x.example"}).status_code == 403


def test_lo_que_no_es_un_formulario_chico_no_pasa(sala: SalaDePrueba) -> None:
    with cliente(sala, None) as nadie:
        assert nadie.post(f"{CAMINO}/entrar", data={"cuenta": "x" * 20_000}).status_code == 413
        for metodo in ("PUT", "DELETE", "OPTIONS", "PATCH"):
            assert nadie.request(metodo, CAMINO).status_code == 405
        assert nadie.post("/").status_code == 405
        assert nadie.post("/", headers={"Host": "malo.example"}).status_code == 421


def test_las_cabeceras_no_dejan_enmarcar_ni_correr_lo_ajeno(sala: SalaDePrueba) -> None:
    with cliente(sala, None) as nadie:
        politica = nadie.get("/proyector").headers["content-security-policy"]
        assert "script-src 'self';" in politica
        assert "frame-ancestors 'none'" in politica
        assert "unsafe" not in politica
        publica = nadie.get("/").headers["content-security-policy"]
        assert "default-src 'none'" in publica
        assert "unsafe" not in publica


def test_las_metricas_son_solo_para_esta_maquina(sala: SalaDePrueba) -> None:
    with cliente(sala, None) as nadie:
        assert nadie.get("/metrics").status_code == 200
        for cabecera, valor in (
            ("X-Forwarded-For", "203.0.113.9"),
            ("X-Real-IP", "203.0.113.9"),
            ("Forwarded", "for=203.0.113.9"),
            ("Via", "1.1 tunel"),
        ):
            assert nadie.get("/metrics", headers={cabecera: valor}).status_code == 403, cabecera


def test_detras_de_nginx_se_anota_la_direccion_que_el_puso_y_la_galleta_va_segura(sala: SalaDePrueba) -> None:
    cabeceras = {"X-Forwarded-For": "1.2.3.4, 203.0.113.9", "X-Forwarded-Proto": "https"}
    with cliente(sala, None) as nadie:
        nadie.post(f"{CAMINO}/entrar", data={"cuenta": "quien", "clave": "x", "codigo": "1"}, headers=cabeceras)
        assert sala.sala.accesos.ultimos()[0].ip == "203.0.113.9"
    sala.cuenta("lejana", Papel.VISTA)
    with cliente(sala, None) as nadie:
        datos = {"cuenta": "lejana", "clave": CLAVE, "codigo": sala.codigo("lejana")}
        dicho = nadie.post(f"{CAMINO}/entrar", data=datos, headers=cabeceras)
        assert "Secure" in dicho.headers["set-cookie"]
