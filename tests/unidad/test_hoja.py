"""La hoja de captura por HTTP: se guarda renglón a renglón, no enseña lo ajeno y el recorte es el del renglón."""

from __future__ import annotations

import io
import itertools
import json
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from httpx import Response
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from starlette.testclient import TestClient

from appliance.acceso import NIP_DE_PRACTICA
from appliance.arranque import Kiosco
from appliance.mesa import Mesa
from appliance.pantalla.app import crear_app
from appliance.reloj import RelojFijado
from appliance.vision.registro import Registro
from appliance.vista_del_acta import registro_de
from ensayo.formato_trazado import trazar
from nucleo.acta import Digitalizacion, Origen
from nucleo.campo import Campo, Numero, a_texto
from nucleo.captura import Discrepante, EnRevision, PrimeraConcluida, Verificada
from nucleo.formato import Formato
from nucleo.hechos import Captura
from tests.kiosco_de_prueba import A1, A2, PROCESO, abrir_mesa, bien, identidad, lectura, vigente
from tests.turno_de_prueba import entrar, oculto

CASA = "http://127.0.0.1:8080"
RUTA = f"/acta/GUB/{A1.casilla}"
CLAVES = tuple(lectura().campos())
_PX_POR_MM = 4.0
_INTENTOS = itertools.count()


@pytest.fixture
def mesa(tmp_path: Path) -> Mesa:
    mesa = abrir_mesa(tmp_path)
    bien(mesa.acopiar(A1, persona="acopio-1", origen=Origen.CATD))
    return mesa


@pytest.fixture
def casa(mesa: Mesa, tmp_path: Path) -> Casa:
    definicion = tmp_path / "definicion"
    escribir_formato(definicion, FORMATO)
    kiosco = Kiosco(
        mesa, mesa.almacen, PROCESO, replace(identidad(), proceso=definicion), mesa.reloj, tmp_path / "kiosco"
    )
    (tmp_path / "kiosco").mkdir()
    return Casa(crear_app(kiosco, 8080))


class Casa:
    """Las pantallas de un kiosco, y cuantos navegadores sin JavaScript se quieran."""

    def __init__(self, app: object) -> None:
        self._app = app

    def entra(self, persona: str) -> Navegador:
        navegador = Navegador(self._app)
        entrar(navegador, persona)
        return navegador


class Navegador(TestClient):
    def __init__(self, app: object) -> None:
        super().__init__(app, base_url=CASA, headers={"origin": CASA, "sec-fetch-site": "same-origin"})  # type: ignore[arg-type]

    def siguiente(self) -> str:
        respuesta = self.enviar("/siguiente", self.get("/").text, {})
        assert (respuesta.status_code, respuesta.url.path) == (200, RUTA), respuesta.text
        return respuesta.text

    def enviar(self, ruta: str, pagina: str, datos: Mapping[str, str | list[str]]) -> Response:
        """Manda un formulario con el sello de la página y un intento propio."""
        comunes = {"sello": oculto(pagina, "sello"), "intento": f"i{next(_INTENTOS)}"}
        if 'name="imagen"' in pagina:
            comunes["imagen"] = oculto(pagina, "imagen")
        respuesta: Response = self.post(ruta, data=comunes | dict(datos))
        return respuesta

    def renglon(self, pagina: str, renglon: str, texto: str) -> Response:
        return self.enviar(RUTA + "/renglon", pagina, {"renglon": renglon, "texto": texto})


def llena(clase: str = "captura", claves: tuple[str, ...] = CLAVES, **distintos: Campo) -> dict[str, str | list[str]]:
    campos = lectura(A1, **distintos).campos()
    datos: dict[str, str | list[str]] = {"clase": clase, "renglon": list(claves)}
    return datos | {f"v.{clave}": a_texto(campos[clave]) for clave in claves}


def primera(mesa: Mesa, persona: str = "capturista-1", **distintos: Campo) -> None:
    bien(mesa.tomar(A1, persona))
    bien(mesa.capturar(A1, persona, lectura(A1, **distintos), imagen=vigente(mesa)))


# ----------------------------------------------------------------------------------------------------------- borradores


def test_se_apaga_el_kiosco_a_media_hoja_y_la_pagina_vuelve_con_lo_tecleado(casa: Casa) -> None:
    ana = casa.entra("capturista-1")
    pagina = ana.siguiente()
    assert ana.renglon(pagina, "PRI", "321").json()["guardado"] is True
    assert ana.renglon(pagina, "MC", "SIN DATO").json()["guardado"] is True
    # Otro navegador de la misma persona: el de antes murió con el equipo.
    otra = casa.entra("capturista-1").siguiente()
    assert "Continúa donde iba: 2 de 11 renglones" in otra
    assert 'name="v.PRI" value="321"' in otra
    assert re.search(r'name="m.MC" value="SIN DATO" checked', otra)


def test_el_borrador_no_lo_ve_quien_hace_la_segunda_captura(casa: Casa, mesa: Mesa) -> None:
    ana = casa.entra("capturista-1")
    ana.renglon(ana.siguiente(), "PRI", "4321")
    assert isinstance(mesa.reloj, RelojFijado)
    mesa.reloj.avanzar(timedelta(minutes=10))
    pagina = casa.entra("capturista-2").siguiente()
    assert "4321" not in pagina
    assert "Continúa" not in pagina
    otra_vez = casa.entra("capturista-1")
    datos: dict[str, str | list[str]] = {"imagen": "", "renglon": "PRI", "texto": "4"}
    respuesta = otra_vez.enviar(RUTA + "/renglon", otra_vez.get("/").text, datos)
    assert respuesta.status_code == 409, respuesta.text


def test_no_se_pudo_guardar_un_renglon_y_se_dice_que_hacer(casa: Casa, mesa: Mesa) -> None:
    ana = casa.entra("capturista-1")
    pagina = ana.siguiente()
    respuesta = ana.renglon(pagina, "PRI", "123456789")
    assert respuesta.status_code == 422
    assert set(respuesta.json()) == {"guardado", "que", "causa", "siguiente"}
    assert ana.renglon(pagina, "NO_EXISTE", "1").status_code == 409
    bien(mesa.liberar(A1, "coordinacion"))
    respuesta = ana.renglon(pagina, "PRI", "1")
    assert respuesta.status_code == 409
    assert "Usted no tiene abierta" in respuesta.json()["que"]


def test_un_renglon_sin_el_sello_no_se_guarda(casa: Casa, mesa: Mesa) -> None:
    ana = casa.entra("capturista-1")
    ana.siguiente()
    assert ana.post(RUTA + "/renglon", data={"renglon": "PRI", "texto": "1"}).status_code == 403
    assert bien(mesa.borrador(A1, "capturista-1")).textos == {}


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(renglon=st.sampled_from(["PRI", "MC"]) | st.text(max_size=20), texto=st.text(max_size=20))
def test_nada_de_lo_que_mande_un_navegador_tumba_la_hoja(casa: Casa, renglon: str, texto: str) -> None:
    ana = casa.entra("capturista-1")
    pagina = ana.siguiente()
    assert ana.renglon(pagina, renglon, texto).status_code in (200, 409, 422)
    assert ana.get(RUTA).status_code == 200


def test_concluir_con_renglones_vacios_no_pierde_los_demas(casa: Casa, mesa: Mesa) -> None:
    ana = casa.entra("capturista-1")
    respuesta = ana.enviar(RUTA, ana.siguiente(), llena() | {"v.PRI": "", "v.MC": "12x"})
    assert respuesta.status_code == 422
    guardado = bien(mesa.borrador(A1, "capturista-1")).textos
    assert guardado["PAN"] == "10"
    assert guardado["MC"] == "12x", "mal escrito, pero es lo que tecleó"
    assert "PRI" not in guardado


def test_pausar_sin_javascript_conserva_todo_y_se_retoma(casa: Casa) -> None:
    ana = casa.entra("capturista-1")
    pagina = ana.siguiente()
    respuesta = ana.enviar(RUTA + "/pausar", pagina, llena() | {"v.PRI": "33", "v.MC": ""})
    assert "en pausa: lo tecleado está guardado" in respuesta.text
    assert "Queda reservada para usted hasta las" in respuesta.text
    assert 'name="v.PRI" value="33"' in ana.siguiente()


def test_dos_pestanas_de_la_misma_persona_y_una_concluye(casa: Casa, mesa: Mesa) -> None:
    ana = casa.entra("capturista-1")
    vieja = ana.siguiente()
    ana.enviar(RUTA, vieja, llena())
    respuesta = ana.renglon(vieja, "PRI", "5")
    assert respuesta.status_code == 409
    assert "ya la concluyó" in respuesta.json()["causa"]
    ana.enviar(RUTA, vieja, llena() | {"v.PRI": "5"})
    assert sum(isinstance(h, Captura) for h in mesa.almacen.hechos_de(A1)) == 1


def test_la_hoja_abierta_late_y_nadie_le_quita_el_acta(casa: Casa, mesa: Mesa) -> None:
    assert isinstance(mesa.reloj, RelojFijado)
    ana = casa.entra("capturista-1")
    pagina = ana.siguiente()
    for _ in range(6):
        mesa.reloj.avanzar(timedelta(minutes=2))
        assert ana.enviar(RUTA + "/latido", pagina, {}).json()["guardado"] is True
    assert mesa.siguiente("capturista-2") is None


# ------------------------------------------------------------------------------------------------------ segunda lectura


def test_la_segunda_lectura_sabe_que_renglones_difieren_y_nunca_el_otro_valor(casa: Casa, mesa: Mesa) -> None:
    primera(mesa, PAN=Numero(7531))
    beto = casa.entra("capturista-2")
    pagina = beto.siguiente()
    assert "7531" not in pagina
    datos = llena()
    aviso = beto.enviar(RUTA, pagina, datos)
    assert aviso.status_code == 409
    assert "Otra persona leyó distinto el renglón marcado" in aviso.text
    assert aviso.text.count("◆ Mírelo otra vez") == 1
    assert re.search(r'class="renglon[^"]*senalado[^"]*" data-renglon="PAN"', aviso.text)
    assert "7531" not in aviso.text
    assert 'name="v.PAN" value="10"' in aviso.text
    assert isinstance(bien(mesa.abierta(A1, "capturista-2")).libre, PrimeraConcluida)
    # El segundo toque del botón de antes no vale como «ya lo miré».
    assert beto.enviar(RUTA, pagina, datos).status_code == 409
    # Si se va la luz aquí, al volver siguen los renglones señalados.
    beto = casa.entra("capturista-2")
    pagina = beto.siguiente()
    assert "◆ Mírelo otra vez" in pagina
    final = beto.enviar(RUTA, pagina, datos | {"revisada": oculto(pagina, "revisada")})
    assert "lo leerá una tercera" in final.text.lower()
    assert isinstance(bien(mesa.estado(A1)), Discrepante)


def test_la_correccion_a_ciegas_tambien_se_guarda_renglon_a_renglon(casa: Casa, mesa: Mesa) -> None:
    primera(mesa, PAN=Numero(7531))
    primera(mesa, "capturista-2", PAN=Numero(8642))
    caro = casa.entra("capturista-3")
    pagina = caro.siguiente()
    assert re.findall(r'name="renglon" value="(\w+)"', pagina) == ["PAN"]
    assert "7531" not in pagina
    assert "8642" not in pagina
    caro.renglon(pagina, "PAN", "75")
    assert 'name="v.PAN" value="75"' in caro.siguiente()
    respuesta = caro.enviar(RUTA, pagina, llena("correccion", ("PAN",), PAN=Numero(7531)))
    assert "VERIFICADA" in respuesta.text
    assert isinstance(bien(mesa.estado(A1)), Verificada)


# ------------------------------------------------------------------------------------------------- la imagen y recortes


FORMATO = trazar("GUB", [c for c in CLAVES if c in ("PAN", "PRI", "PAN_PRI", "MC", "NO_REGISTRADAS", "NULOS")], "GUB")


def escribir_formato(definicion: Path, formato: Formato) -> None:
    def tabla(nombre: str, cajas: object) -> str:
        assert isinstance(cajas, dict)
        renglones = (f"{k} = [{c.x}, {c.y}, {c.ancho}, {c.alto}]" for k, c in cajas.items())
        return f"[{nombre}]\n" + "\n".join(renglones) + "\n"

    (definicion / "formatos").mkdir(parents=True)
    (definicion / "formatos/GUB.toml").write_text(
        f'clave = "GUB"\neleccion = "GUB"\nancho_mm = {formato.ancho_mm}\nalto_mm = {formato.alto_mm}\n'
        'imagen = "GUB.png"\n'
        + tabla("regiones", formato.regiones)
        + tabla("renglones", formato.renglones)
        + tabla("casillas", formato.casillas)
    )


def tono_de(clave: str) -> int:
    return 20 + 18 * CLAVES.index(clave)


def pagina_pintada() -> bytes:
    """Una página en la que cada renglón es de un gris propio: se ve si un recorte es de otro."""
    hoja = np.full((round(279 * _PX_POR_MM), round(216 * _PX_POR_MM), 3), 255, np.uint8)
    for clave, c in FORMATO.renglones.items():
        x, y, derecha, abajo = (round(v * _PX_POR_MM) for v in (c.x, c.y, c.x + c.ancho, c.y + c.alto))
        hoja[y:abajo, x:derecha] = tono_de(clave)
    salida = io.BytesIO()
    Image.fromarray(hoja).save(salida, "PNG")
    return salida.getvalue()


REGISTRO = Registro("GUB", (1 / _PX_POR_MM, 0, 0, 0, 1 / _PX_POR_MM, 0, 0, 0, 1), 0.9, 0.0, 0.1, 1.0)


def digitalizar(mesa: Mesa, registro: str | None, contenido: bytes | None = None) -> str:
    """Asienta la imagen como lo hace la digitalización, y devuelve su huella."""
    contenido = contenido or pagina_pintada()
    sha256 = mesa.imagenes.guardar(contenido)
    bien(mesa.digitalizar(A1, persona="acopio-1", digitalizacion=Digitalizacion.ESCANER, contenido=contenido))
    if registro is not None:
        with mesa.almacen.transaccion() as t:
            t.conexion.execute(
                "INSERT INTO hojas (lote, numero, estado, digitalizacion, persona, hora, origen, sha256, lectura) "
                "VALUES ('l', 1, 'asignada', 'ESCANER', 'p', '', ?, ?, ?)",
                (sha256, sha256, registro),
            )
    return sha256


def con_registro(registro: Registro) -> str:
    return json.dumps({"registro": json.loads(registro.a_json())})


def test_el_recorte_de_cada_renglon_es_el_suyo(casa: Casa, mesa: Mesa) -> None:
    sha256 = digitalizar(mesa, con_registro(REGISTRO))
    ana = casa.entra("capturista-1")
    pagina = ana.siguiente()
    for clave in CLAVES:
        ruta = f"/imagen/{sha256}/renglon/{clave}"
        assert f'src="{ruta}"' in pagina
        respuesta = ana.get(ruta)
        assert respuesta.headers["content-type"] == "image/webp"
        gris = np.asarray(Image.open(io.BytesIO(respuesta.content)).convert("L"))
        assert abs(int(gris[gris.shape[0] // 2, gris.shape[1] // 2]) - tono_de(clave)) <= 4, clave
    assert f'src="/imagen/{sha256}/region/identificacion"' in pagina
    assert ana.get(f"/imagen/{sha256}").content == mesa.imagenes.leer(sha256)


@pytest.mark.parametrize(
    "registro",
    [
        None,
        "",
        "{}",
        '{"registro": null}',
        '{"registro": {"formato": "GUB"}}',
        con_registro(replace(REGISTRO, formato="DIP")),
    ],
)
def test_sin_registro_de_este_formato_se_ve_la_imagen_completa_y_ningun_recorte(
    casa: Casa, mesa: Mesa, registro: str | None
) -> None:
    sha256 = digitalizar(mesa, registro)
    ana = casa.entra("capturista-1")
    pagina = ana.siguiente()
    assert f'src="/imagen/{sha256}"' in pagina
    assert "/renglon/" not in pagina
    assert ana.get(f"/imagen/{sha256}/renglon/PAN").status_code == 404


def test_la_imagen_se_pudrio_en_el_disco_y_no_se_ensena_otra_cosa(casa: Casa, mesa: Mesa) -> None:
    sha256 = digitalizar(mesa, con_registro(REGISTRO))
    mesa.imagenes.ruta(sha256).write_bytes(b"podrida")
    ana = casa.entra("capturista-1")
    ana.siguiente()
    assert ana.get(f"/imagen/{sha256}").status_code == 404
    assert ana.get(f"/imagen/{sha256}/renglon/PAN").status_code == 404


def test_solo_ve_la_imagen_quien_tiene_abierta_el_acta(casa: Casa, mesa: Mesa, tmp_path: Path) -> None:
    sha256 = digitalizar(mesa, con_registro(REGISTRO))
    rutas = (f"/imagen/{sha256}", f"/imagen/{sha256}/renglon/PAN", f"/imagen/{sha256}/region/identificacion")
    ana, beto, coordina = (casa.entra(x) for x in ("capturista-1", "capturista-2", "coordinacion"))
    assert [ana.get(r).status_code for r in rutas] == [404] * 3, "todavía no la toma"
    ana.siguiente()
    assert [ana.get(r).status_code for r in rutas] == [200] * 3
    assert [beto.get(r).status_code for r in rutas] == [404] * 3
    assert [coordina.get(r).status_code for r in rutas] == [200] * 3
    for mala in ("0" * 64, "..%2f..%2fllave", "a" * 63, sha256.upper()):
        assert coordina.get(f"/imagen/{mala}").status_code == 404
        assert coordina.get(f"/imagen/{mala}/renglon/PAN").status_code == 404
    assert coordina.get(f"/imagen/{sha256}/renglon/..%2fx").status_code == 404
    assert coordina.get(f"/imagen/{sha256}/renglon/NADA").status_code == 404


def test_al_verificarse_la_ve_quien_coteja(casa: Casa, mesa: Mesa) -> None:
    sha256 = digitalizar(mesa, None)
    primera(mesa)
    primera(mesa, "capturista-2")
    # En la lista de práctica todas verifican: la imagen de lo ya verificado es la del cotejo.
    assert casa.entra("capturista-3").get(f"/imagen/{sha256}").status_code == 200


def test_la_imagen_no_se_ve_bien_y_el_acta_espera_otra(casa: Casa, mesa: Mesa) -> None:
    digitalizar(mesa, None)
    ana = casa.entra("capturista-1")
    pagina = ana.siguiente()
    respuesta = ana.enviar(RUTA + "/imagen-mala", pagina, llena() | {"motivo": "borrosa", "v.PRI": "44"})
    assert "Se pidió otra imagen del acta" in respuesta.text
    assert [p.motivo for p in bien(mesa.por_redigitalizar())] == ["borrosa"]
    nada = ana.enviar("/siguiente", ana.get("/").text, {})
    assert "1 acta espera otra imagen" in nada.text
    digitalizar(mesa, None, pagina_pintada() + b" ")
    assert 'name="v.PRI" value="44"' in ana.siguiente()


def test_la_imagen_cambia_mientras_alguien_captura_y_lo_tecleado_sigue_ahi(casa: Casa, mesa: Mesa) -> None:
    vieja = digitalizar(mesa, None)
    ana = casa.entra("capturista-1")
    pagina = ana.siguiente()
    assert oculto(pagina, "imagen") == vieja
    nueva = digitalizar(mesa, None, pagina_pintada() + b" ")
    respuesta = ana.enviar(RUTA, pagina, llena(PRI=Numero(44)) | {"imagen": vieja})
    assert respuesta.status_code == 409
    assert "cambió mientras usted la leía. Mírela de nuevo" in respuesta.text
    assert 'name="v.PRI" value="44"' in respuesta.text
    assert oculto(respuesta.text, "imagen") == nueva, "la página ya muestra la nueva"
    assert not any(isinstance(h, Captura) for h in mesa.almacen.hechos_de(A1)), "nada se asentó"
    assert bien(mesa.borrador(A1, "capturista-1")).textos["PRI"] == "44", "aunque se vaya la luz"
    otra = ana.enviar(RUTA, respuesta.text, llena(PRI=Numero(44)) | {"imagen": nueva})
    assert "guardada" in otra.text
    (captura,) = (h for h in mesa.almacen.hechos_de(A1) if isinstance(h, Captura))
    assert captura.imagen == nueva


def test_la_segunda_lectura_de_la_imagen_vieja_no_gasta_su_unica_comparacion(casa: Casa, mesa: Mesa) -> None:
    vieja = digitalizar(mesa, None)
    primera(mesa)
    beto = casa.entra("capturista-2")
    pagina = beto.siguiente()
    nueva = digitalizar(mesa, None, pagina_pintada() + b" ")
    respuesta = beto.enviar(RUTA, pagina, llena(PRI=Numero(44)) | {"imagen": vieja})
    assert "Mírela de nuevo" in respuesta.text
    assert bien(mesa.senalados(A1, "capturista-2")) == ()
    respuesta = beto.enviar(RUTA, respuesta.text, llena(PRI=Numero(44)) | {"imagen": nueva})
    assert "Otra persona leyó distinto" in respuesta.text


def test_el_segundo_toque_despues_de_cambiar_la_imagen_no_asusta(mesa: Mesa) -> None:
    vieja = digitalizar(mesa, None)
    bien(mesa.tomar(A1, "ana"))
    bien(mesa.capturar(A1, "ana", lectura(), imagen=vieja))
    digitalizar(mesa, None, pagina_pintada() + b" ")
    assert bien(mesa.capturar(A1, "ana", lectura(), imagen=vieja)).asientos == (), "ya estaba asentada"


def test_la_correccion_y_la_revision_tambien_dicen_que_imagen_se_vio(casa: Casa, mesa: Mesa) -> None:
    vieja = digitalizar(mesa, None)
    primera(mesa, PAN=Numero(11))
    primera(mesa, "capturista-2", PAN=Numero(12))
    caro = casa.entra("capturista-3")
    pagina = caro.siguiente()
    nueva = digitalizar(mesa, None, pagina_pintada() + b" ")
    mala = caro.enviar(RUTA, pagina, llena("correccion", ("PAN",), PAN=Numero(13)) | {"imagen": vieja})
    assert "Mírela de nuevo" in mala.text
    assert 'name="v.PAN" value="13"' in mala.text
    caro.enviar(RUTA, mala.text, llena("correccion", ("PAN",), PAN=Numero(13)) | {"imagen": nueva})
    ruta, ana = f"/revision/GUB/{A1.casilla}", casa.entra("capturista-1")
    confirma: dict[str, str | list[str]] = {"confirma": "capturista-2", "nip": NIP_DE_PRACTICA}
    datos = llena("revision", ("PAN",), PAN=Numero(11)) | confirma
    assert "Mírela de nuevo" in ana.enviar(ruta, ana.get(ruta).text, datos | {"imagen": vieja}).text
    assert "VERIFICADA" in ana.enviar(ruta, ana.get(ruta).text, datos | {"imagen": nueva}).text
    vistas = [getattr(h, "imagen", "") for h in mesa.almacen.hechos_de(A1)][-2:]
    assert vistas == [nueva, nueva]


OTRA = "Esta acta tiene otra imagen"


def por_releer(pagina: str) -> set[str]:
    return set(re.findall(r'<div class="renglon [^"]*\bsenalado\b[^"]*" data-renglon="([^"]+)"', pagina))


def test_falta_un_renglon_y_mientras_llega_otra_imagen(casa: Casa, mesa: Mesa) -> None:
    digitalizar(mesa, None)
    ana = casa.entra("capturista-1")
    pagina = ana.siguiente()
    nueva = digitalizar(mesa, None, pagina_pintada() + b" ")
    respuesta = ana.enviar(RUTA, pagina, llena() | {"v.MC": ""})
    assert respuesta.status_code == 409
    assert "cambió mientras usted la leía" in respuesta.text
    assert "Falta 1: MC." in respuesta.text
    assert (oculto(respuesta.text, "imagen"), por_releer(respuesta.text)) == (nueva, set(CLAVES) - {"MC"})
    # Ya lo sabe: si vuelve a faltarle, se dice lo que falta y sigue señalado lo que no ha cambiado.
    respuesta = ana.enviar(RUTA, respuesta.text, llena(PRI=Numero(44)) | {"v.MC": ""})
    assert respuesta.status_code == 422
    assert OTRA in respuesta.text
    assert por_releer(respuesta.text) == set(CLAVES) - {"MC", "PRI"}


def test_la_pausa_y_mientras_llega_otra_imagen(casa: Casa, mesa: Mesa) -> None:
    digitalizar(mesa, None)
    ana = casa.entra("capturista-1")
    assert "en pausa" in ana.enviar(RUTA + "/pausar", ana.siguiente(), llena()).text
    digitalizar(mesa, None, pagina_pintada() + b" ")
    pagina = ana.siguiente()
    assert OTRA in pagina
    assert "Continúa donde iba" not in pagina
    assert por_releer(pagina) == set(CLAVES)


def test_un_renglon_guardado_desde_la_pagina_de_la_imagen_vieja(casa: Casa, mesa: Mesa) -> None:
    digitalizar(mesa, None)
    ana = casa.entra("capturista-1")
    pagina = ana.siguiente()
    assert ana.renglon(pagina, "PAN", "5").json() == {"guardado": True, "hora": f"{mesa.reloj.ahora():%H:%M}"}
    digitalizar(mesa, None, pagina_pintada() + b" ")
    respuesta = ana.renglon(pagina, "PRI", "77")
    assert (respuesta.status_code, respuesta.json()["guardado"]) == (409, True), "se guardó, y hay algo que decir"
    assert "cambió" in respuesta.json()["que"]
    assert "Pausar acta" in respuesta.json()["siguiente"], "la página sigue mostrando la vieja"
    otra = ana.get(RUTA).text
    assert 'name="v.PRI" value="77"' in otra
    assert por_releer(otra) == {"PAN", "PRI"}


def test_el_nip_no_pasa_en_la_revision_y_mientras_llega_otra_imagen(casa: Casa, mesa: Mesa) -> None:
    digitalizar(mesa, None)
    primera(mesa, PAN=Numero(11))
    primera(mesa, "capturista-2", PAN=Numero(12))
    bien(mesa.tomar(A1, "capturista-3"))
    bien(mesa.corregir(A1, "capturista-3", {"PAN": Numero(13)}, imagen=vigente(mesa)))
    ruta, ana = f"/revision/GUB/{A1.casilla}", casa.entra("capturista-1")
    pagina = ana.get(ruta).text
    nueva = digitalizar(mesa, None, pagina_pintada() + b" ")
    antes = mesa.almacen.ultimo()
    confirma: dict[str, str | list[str]] = {"confirma": "capturista-2", "nip": "999999"}
    respuesta = ana.enviar(ruta, pagina, llena("revision", ("PAN",), PAN=Numero(11)) | confirma)
    assert respuesta.status_code == 409
    assert "cambió mientras usted la leía" in respuesta.text
    assert (oculto(respuesta.text, "imagen"), por_releer(respuesta.text)) == (nueva, {"PAN"})
    assert mesa.almacen.ultimo() == antes


@pytest.mark.parametrize("con_imagen", [True, False], ids=["con imagen", "sin imagen"])
def test_la_pagina_perdio_que_imagen_mostraba_y_no_se_da_por_leido_el_papel(
    casa: Casa, mesa: Mesa, con_imagen: bool
) -> None:
    if con_imagen:
        digitalizar(mesa, None)
    ana = casa.entra("capturista-1")
    pagina = ana.siguiente()
    sin_campo = pagina.replace('name="imagen"', 'name="otro"')
    respuesta = ana.enviar(RUTA, sin_campo, llena(PRI=Numero(44)))
    assert "No llegó qué imagen se leyó" in respuesta.text
    assert not any(isinstance(h, Captura) for h in mesa.almacen.hechos_de(A1))
    assert bien(mesa.borrador(A1, "capturista-1")).textos["PRI"] == "44", "lo tecleado no se pierde"
    assert por_releer(ana.get(RUTA).text) == (set(CLAVES) if con_imagen else set())
    assert ana.renglon(sin_campo, "PRI", "4").status_code == 422


def test_se_queja_de_la_imagen_vieja_cuando_ya_llego_otra(casa: Casa, mesa: Mesa) -> None:
    digitalizar(mesa, None)
    ana = casa.entra("capturista-1")
    pagina = ana.siguiente()
    nueva = digitalizar(mesa, None, pagina_pintada() + b" ")
    respuesta = ana.enviar(RUTA + "/imagen-mala", pagina, llena() | {"motivo": "otra"})
    assert "mire la que llegó" in respuesta.text
    assert bien(mesa.por_redigitalizar()) == []
    assert oculto(respuesta.text, "imagen") == nueva, "sigue con el acta, y con la nueva enfrente"
    assert por_releer(respuesta.text) == set(CLAVES), "lo tecleado no se borró"


def test_el_disco_no_admite_el_borrador_y_ademas_llego_otra_imagen(casa: Casa, mesa: Mesa) -> None:
    digitalizar(mesa, None)
    ana = casa.entra("capturista-1")
    pagina = ana.siguiente()
    digitalizar(mesa, None, pagina_pintada() + b" ")
    mesa.almacen._conexion.execute("PRAGMA query_only = 1")
    respuesta = ana.enviar(RUTA, pagina, llena())
    mesa.almacen._conexion.execute("PRAGMA query_only = 0")
    assert por_releer(respuesta.text) == set(CLAVES), "aunque el borrador no lo sepa"


def test_un_numero_mal_escrito_no_se_anuncia_como_vacio(casa: Casa) -> None:
    ana = casa.entra("capturista-1")
    pagina = ana.siguiente()
    for malo in ({"v.PAN": "12a"}, {"m.PAN": "ILEGIBLE"}):
        dicho = ana.enviar(RUTA, pagina, llena() | malo).text
        assert "Corrija 1: PAN. Lo demás" in dicho
        assert "Falta" not in re.sub(r"<[^>]+>", " ", dicho)
    dicho = ana.enviar(RUTA, pagina, llena() | {"v.PAN": "12a", "v.PRI": "", "v.MC": ""}).text
    assert "Faltan 2: PRI y MC. Corrija 1: PAN. Lo demás" in dicho


def test_llegan_renglones_de_menos_y_los_que_llegaron_se_guardan(casa: Casa, mesa: Mesa) -> None:
    ana = casa.entra("capturista-1")
    respuesta = ana.enviar(RUTA, ana.siguiente(), llena() | {"renglon": list(CLAVES[1:])})
    assert "renglones de menos" in respuesta.text
    assert set(bien(mesa.borrador(A1, "capturista-1")).textos) == set(CLAVES[1:])


def test_un_motivo_inventado_no_aparta_el_acta(casa: Casa, mesa: Mesa) -> None:
    digitalizar(mesa, None)
    ana = casa.entra("capturista-1")
    ana.enviar(RUTA + "/imagen-mala", ana.siguiente(), llena() | {"motivo": "<script>"})
    assert bien(mesa.por_redigitalizar()) == []
    assert bien(mesa.abiertas_de("capturista-1")) == [A1]


def test_sin_imagen_la_hoja_habla_del_papel(casa: Casa) -> None:
    pagina = casa.entra("capturista-1").siguiente()
    assert "¿Es la clave de su papel?" in pagina
    assert "La imagen no se ve bien" not in pagina


@given(st.text(max_size=60) | st.binary(max_size=60).map(lambda b: b.decode("latin-1")))
def test_un_registro_que_no_se_entiende_es_no_tener_registro(texto: str) -> None:
    assert registro_de(texto) is None
    assert registro_de(json.dumps({"registro": texto})) is None


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=5),
        lambda x: st.lists(x) | st.dictionaries(st.sampled_from(["formato", "h", "ncc", "error_mm", "hallado"]), x),
    )
)
def test_un_registro_a_medias_no_tumba_la_hoja(dato: object) -> None:
    registro_de(json.dumps({"registro": dato}))


# ------------------------------------------------------------------------------------------------------------- revisión


def test_en_la_revision_no_se_ensena_lo_que_leyo_cada_quien(casa: Casa, mesa: Mesa) -> None:
    primera(mesa, PAN=Numero(7531))
    primera(mesa, "capturista-2", PAN=Numero(8642))
    bien(mesa.tomar(A1, "capturista-3"))
    bien(mesa.corregir(A1, "capturista-3", {"PAN": Numero(9753)}, imagen=vigente(mesa)))
    assert isinstance(bien(mesa.estado(A1)), EnRevision)
    pagina = casa.entra("capturista-1").get(f"/revision/GUB/{A1.casilla}").text
    assert not {"7531", "8642", "9753"} & set(re.findall(r"\d{4}", pagina))


def test_la_revision_exige_el_nip_de_la_segunda_persona(casa: Casa, mesa: Mesa) -> None:
    primera(mesa, PAN=Numero(11))
    primera(mesa, "capturista-2", PAN=Numero(12))
    bien(mesa.tomar(A1, "capturista-3"))
    bien(mesa.corregir(A1, "capturista-3", {"PAN": Numero(13)}))
    ruta = f"/revision/GUB/{A1.casilla}"
    ana = casa.entra("capturista-1")
    datos = llena("revision", ("PAN",), PAN=Numero(11))
    for malos in ({}, {"confirma": "capturista-2"}, {"confirma": "capturista-2", "nip": "999999"}, {"nip": "000000"}):
        respuesta = ana.enviar(ruta, ana.get(ruta).text, datos | malos)
        assert respuesta.status_code == 422
        assert "Siguiente paso" in respuesta.text
        assert "999999" not in respuesta.text
        assert 'name="v.PAN" value="11"' in respuesta.text, "lo decidido no se pierde por un NIP equivocado"
    misma = ana.enviar(ruta, ana.get(ruta).text, datos | {"confirma": "capturista-1", "nip": NIP_DE_PRACTICA})
    assert misma.status_code == 422
    bueno = ana.enviar(ruta, ana.get(ruta).text, datos | {"confirma": "capturista-2", "nip": NIP_DE_PRACTICA})
    assert "VERIFICADA" in bueno.text


def test_a_quien_no_le_toca_no_abre_una_hoja_ajena(casa: Casa) -> None:
    casa.entra("capturista-1").siguiente()
    respuesta = casa.entra("capturista-2").get(RUTA)
    assert respuesta.status_code == 409
    assert "Siguiente paso" in respuesta.text
    assert casa.entra("capturista-2").get(f"/acta/GUB/{A2.casilla}").status_code == 409
