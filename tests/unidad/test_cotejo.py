"""El cotejo con el papel en la mano: coincide, no coincide, dos veces, antes de tiempo y por quien la capturó."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from appliance.cotejo import Cotejador, Remedio, capturaron, cotejo_vigente, huella_de
from appliance.empaquetado import Empacador
from appliance.mesa import Mesa
from appliance.redigitalizacion import imagen_de, imagen_por_confirmar
from appliance.reloj import RelojFijado
from nucleo.acta import Digitalizacion, Origen, ResultadoCotejo
from nucleo.campo import Numero
from nucleo.captura import SinCaptura, Verificada
from nucleo.hechos import Cotejo, IdActa, Recaptura
from tests.kiosco_de_prueba import A1, A2, A3, abrir_mesa, bien, codigo, hora, lectura
from tests.pantallas_de_prueba import mandar, pantallas
from tests.turno_de_prueba import oculto

RUTA = f"/cotejo/{A1.eleccion}/{A1.casilla}"
MOTIVO = "no coincide con el papel"


@pytest.fixture
def reloj() -> RelojFijado:
    return RelojFijado(hora())


@pytest.fixture
def mesa(tmp_path: Path, reloj: RelojFijado) -> Mesa:
    return abrir_mesa(tmp_path, reloj=reloj)


def verificar(mesa: Mesa, acta: IdActa = A1, quienes: tuple[str, str] = ("capturista-1", "capturista-2")) -> None:
    if not mesa.almacen.hechos_de(acta):
        bien(mesa.acopiar(acta, persona="acopio-1", origen=Origen.CATD))
        imagen = b"\x89PNG" + str(acta).encode()
        bien(mesa.digitalizar(acta, persona="e-1", digitalizacion=Digitalizacion.ESCANER, contenido=imagen))
    for persona in quienes:
        bien(mesa.tomar(acta, persona))
        bien(mesa.capturar(acta, persona, lectura(acta), imagen=imagen_de(mesa.almacen.hechos_de(acta))))
    assert isinstance(bien(mesa.estado(acta)), Verificada)


def cotejos(mesa: Mesa, acta: IdActa = A1) -> list[ResultadoCotejo]:
    return [h.resultado for h in mesa.almacen.hechos_de(acta) if isinstance(h, Cotejo)]


def test_coincide_y_un_segundo_toque_no_lo_asienta_dos_veces(mesa: Mesa) -> None:
    verificar(mesa)
    assert bien(Cotejador(mesa).coincide(A1, "caro")).asientos
    assert bien(Cotejador(mesa).coincide(A1, "caro")).asientos == ()
    assert cotejos(mesa) == [ResultadoCotejo.ACEPTADA]


def test_no_se_coteja_lo_que_aun_no_se_verifica(mesa: Mesa) -> None:
    bien(mesa.acopiar(A1, persona="acopio-1", origen=Origen.CATD))
    cotejador = Cotejador(mesa)
    assert codigo(cotejador.coincide(A1, "caro")) == "SIN_VERIFICAR"
    assert codigo(cotejador.no_coincide(A1, "caro", Remedio.RECAPTURA, MOTIVO)) == "SIN_VERIFICAR"
    assert codigo(cotejador.coincide(IdActa("GUB", "209999B0100"), "caro")) == "FUERA_DE_CATALOGO"
    assert cotejos(mesa) == []


def test_no_coincide_se_recaptura_y_despues_si_coincide(mesa: Mesa, reloj: RelojFijado) -> None:
    verificar(mesa)
    cotejador = Cotejador(mesa)
    hecha = bien(cotejador.no_coincide(A1, "caro", Remedio.RECAPTURA, MOTIVO))
    assert hecha.estado == SinCaptura(2)
    historia = mesa.almacen.hechos_de(A1)
    assert [type(h) for h in historia[-2:]] == [Cotejo, Recaptura], "los dos hechos, en una sola transacción"
    assert cotejo_vigente(historia) is None
    assert codigo(cotejador.no_coincide(A1, "caro", Remedio.RECAPTURA, MOTIVO)) == "SIN_VERIFICAR", "el segundo toque"
    reloj.avanzar(timedelta(minutes=5))
    verificar(mesa)
    bien(cotejador.coincide(A1, "caro"))
    assert cotejos(mesa) == [ResultadoCotejo.NO_ACEPTADA, ResultadoCotejo.ACEPTADA_TRAS_CORREGIR]


def test_la_imagen_era_de_otra_acta(mesa: Mesa) -> None:
    verificar(mesa)
    cotejador = Cotejador(mesa)
    assert codigo(cotejador.no_coincide(A1, "caro", Remedio.REDIGITALIZACION, "fea")) == "FORMA"
    assert isinstance(bien(mesa.estado(A1)), Verificada), "con un motivo desconocido no cambia nada"
    vista = imagen_de(mesa.almacen.hechos_de(A1)) or ""
    bien(cotejador.no_coincide(A1, "caro", Remedio.REDIGITALIZACION, "otra", imagen=vista))
    assert [x.acta for x in bien(mesa.por_redigitalizar())] == [A1]
    assert bien(mesa.siguiente("capturista-1")) is None, "no se recaptura de la imagen equivocada"
    bien(mesa.digitalizar(A1, persona="e-1", digitalizacion=Digitalizacion.ESCANER, contenido=b"\x89PNG la buena"))
    assert bien(mesa.siguiente("capturista-1")) == A1


def test_pedir_otra_imagen_de_un_acta_sin_imagen_se_explica(mesa: Mesa) -> None:
    bien(mesa.acopiar(A2, persona="acopio-1", origen=Origen.CATD))
    verificar(mesa, A2)
    assert codigo(Cotejador(mesa).no_coincide(A2, "caro", Remedio.REDIGITALIZACION, "otra")) == "SIN_IMAGEN"
    assert cotejos(mesa, A2) == []


def test_cotejar_despues_de_una_recaptura_pedida_por_otro_lado(mesa: Mesa, reloj: RelojFijado) -> None:
    verificar(mesa)
    bien(Cotejador(mesa).coincide(A1, "caro"))
    reloj.avanzar(timedelta(minutes=1))
    bien(mesa.pedir_recaptura(A1, "coordinacion", "la solicitó un partido"))
    assert cotejo_vigente(mesa.almacen.hechos_de(A1)) is None, "lo cotejado era la vuelta anterior"
    reloj.avanzar(timedelta(minutes=1))
    verificar(mesa, quienes=("capturista-2", "capturista-3"))
    assert capturaron(mesa.almacen.hechos_de(A1)) == ("capturista-2", "capturista-3")
    bien(Cotejador(mesa).coincide(A1, "caro"))
    assert cotejos(mesa)[-1] is ResultadoCotejo.ACEPTADA_TRAS_CORREGIR


# ----------------------------------------------------------------------------------- la imagen cambió después de leerse


def otra_imagen(mesa: Mesa, acta: IdActa = A1, contenido: bytes = b"\x89PNG otra") -> str:
    hecho = mesa.digitalizar(acta, persona="e-1", digitalizacion=Digitalizacion.ESCANER, contenido=contenido)
    bien(hecho)
    nueva = imagen_de(mesa.almacen.hechos_de(acta))
    assert nueva is not None
    return nueva


def pendiente(mesa: Mesa, acta: IdActa = A1) -> bool:
    return imagen_por_confirmar(mesa.almacen.hechos_de(acta)) is not None


def test_sustituir_la_imagen_de_una_verificada_no_pasa_en_silencio(mesa: Mesa) -> None:
    verificar(mesa)
    cotejador = Cotejador(mesa)
    bien(cotejador.coincide(A1, "caro"))
    assert not pendiente(mesa)
    nueva = otra_imagen(mesa)
    assert pendiente(mesa), "aunque ya se había cotejado"
    assert codigo(cotejador.coincide(A1, "caro")) == "IMAGEN_POR_CONFIRMAR"
    assert codigo(cotejador.coincide(A1, "coordinacion", confirma="0" * 64)) == "IMAGEN_POR_CONFIRMAR"
    assert codigo(Empacador(mesa).empacar(A1, "ana", sin_verificar=True)) == "IMAGEN_POR_CONFIRMAR"
    assert bien(cotejador.coincide(A1, "coordinacion", confirma=nueva)).asientos
    assert not pendiente(mesa)
    with mesa.almacen.lectura() as mirada:
        dicho = mirada.conexion.execute("SELECT persona, detalle FROM bitacora WHERE evento = 'imagen_confirmada'")
        assert dicho.fetchall() == [("coordinacion", nueva)]
    assert bien(cotejador.coincide(A1, "coordinacion", confirma=nueva)).asientos == (), "el segundo toque"
    bien(Empacador(mesa).empacar(A1, "ana"))


def test_la_imagen_nueva_muestra_otra_cosa_y_se_recaptura(mesa: Mesa, reloj: RelojFijado) -> None:
    verificar(mesa)
    nueva = otra_imagen(mesa)
    cotejador = Cotejador(mesa)
    assert codigo(cotejador.no_coincide(A1, "caro", Remedio.RECAPTURA, MOTIVO)) == "IMAGEN_POR_CONFIRMAR"
    bien(cotejador.no_coincide(A1, "coordinacion", Remedio.RECAPTURA, MOTIVO, confirma=nueva))
    assert not pendiente(mesa)
    reloj.avanzar(timedelta(minutes=1))
    verificar(mesa)
    assert not pendiente(mesa), "la vuelta nueva ya se leyó de la imagen nueva"


def test_la_imagen_nueva_llego_a_tiempo_y_no_hay_nada_que_decidir(mesa: Mesa) -> None:
    bien(mesa.acopiar(A1, persona="acopio-1", origen=Origen.CATD))
    primera = otra_imagen(mesa, contenido=b"\x89PNG una")
    bien(mesa.tomar(A1, "capturista-1"))
    bien(mesa.capturar(A1, "capturista-1", lectura(A1), imagen=primera))
    segunda = otra_imagen(mesa)
    bien(mesa.tomar(A1, "capturista-2"))
    bien(mesa.capturar(A1, "capturista-2", lectura(A1), imagen=segunda))
    assert not pendiente(mesa), "todo renglón lo leyó alguien en la nueva"


def test_cambia_a_media_discrepancia_y_al_verificarse_hay_que_decidir(mesa: Mesa) -> None:
    bien(mesa.acopiar(A1, persona="acopio-1", origen=Origen.CATD))
    vieja = otra_imagen(mesa, contenido=b"\x89PNG una")
    for persona, votos in (("capturista-1", 11), ("capturista-2", 12)):
        bien(mesa.tomar(A1, persona))
        bien(mesa.capturar(A1, persona, lectura(A1, PAN=Numero(votos)), imagen=vieja))
    nueva = otra_imagen(mesa)
    bien(mesa.tomar(A1, "capturista-3"))
    hecha = bien(mesa.corregir(A1, "capturista-3", {"PAN": Numero(11)}, imagen=nueva))
    assert isinstance(hecha.estado, Verificada)
    assert pendiente(mesa), "los demás renglones los leyeron dos en la vieja y nadie en la nueva"


def test_capturada_del_papel_su_primera_imagen_no_sustituye_a_nadie(mesa: Mesa) -> None:
    bien(mesa.acopiar(A2, persona="acopio-1", origen=Origen.CATD))
    verificar(mesa, A2)
    otra_imagen(mesa, A2)
    assert not pendiente(mesa, A2)
    bien(Cotejador(mesa).coincide(A2, "caro"))


def test_vuelve_la_imagen_que_todos_leyeron_y_se_olvida_la_otra(mesa: Mesa) -> None:
    bien(mesa.acopiar(A1, persona="acopio-1", origen=Origen.CATD))
    leida = otra_imagen(mesa, contenido=b"\x89PNG una")
    for persona in ("capturista-1", "capturista-2"):
        bien(mesa.tomar(A1, persona))
        bien(mesa.capturar(A1, persona, lectura(A1), imagen=leida))
    otra_imagen(mesa)
    assert pendiente(mesa)
    otra_imagen(mesa, contenido=b"\x89PNG una")
    assert not pendiente(mesa)


def test_no_se_confirma_con_el_papel_en_la_mano_si_esta_en_una_caja_cerrada(mesa: Mesa) -> None:
    verificar(mesa)
    empacador = Empacador(mesa)
    bien(empacador.empacar(A1, "ana"))
    bien(empacador.cerrar_caja("ana"))
    nueva = otra_imagen(mesa)
    assert codigo(Cotejador(mesa).coincide(A1, "coordinacion", confirma=nueva)) == "EN_CAJA_CERRADA"
    bien(empacador.reabrir_caja("coordinacion", "CAJA-01", "sacar"))
    bien(Cotejador(mesa).coincide(A1, "coordinacion", confirma=nueva))


def test_nadie_comparo_el_papel_que_esta_en_una_caja_cerrada(mesa: Mesa, tmp_path: Path) -> None:
    verificar(mesa)
    empacador, cotejador = Empacador(mesa), Cotejador(mesa)
    bien(empacador.empacar(A1, "ana"))
    verifica = pantallas(mesa, tmp_path, "capturista-3")
    vieja = verifica.get(RUTA).text
    assert "El papel está en la CAJA-01, abierta" in vieja
    assert "Sí, coincide" in vieja
    bien(empacador.cerrar_caja("ana"))
    datos = {n: oculto(vieja, n) for n in ("sello", "intento", "visto")}
    pagina = verifica.post(f"{RUTA}/coincide", data=datos).text
    assert "ya se cerró con su relación" in pagina
    assert "El papel está en la CAJA-01, cerrada" in pagina
    assert "Sí, coincide" not in pagina
    assert "capturar otra vez" not in pagina
    vista = imagen_de(mesa.almacen.hechos_de(A1)) or ""
    for remedio, motivo in ((Remedio.RECAPTURA, MOTIVO), (Remedio.REDIGITALIZACION, "otra")):
        assert codigo(cotejador.no_coincide(A1, "caro", remedio, motivo, imagen=vista)) == "EN_CAJA_CERRADA"
    assert cotejos(mesa) == []
    assert bien(mesa.por_redigitalizar()) == []
    bien(empacador.reabrir_caja("coordinacion", "CAJA-01", "sacar"))
    bien(cotejador.coincide(A1, "caro"))
    bien(empacador.cerrar_caja("ana"))
    assert bien(cotejador.coincide(A1, "caro")).asientos == (), "un segundo toque de lo ya cotejado no se queja"


def test_no_se_pide_otra_de_la_imagen_que_nadie_miro(mesa: Mesa, tmp_path: Path) -> None:
    verificar(mesa)
    navegador = pantallas(mesa, tmp_path, "coordinacion")
    vieja = navegador.get(RUTA).text
    vista = imagen_de(mesa.almacen.hechos_de(A1))
    assert vista is not None
    otra_imagen(mesa)
    datos = {n: oculto(vieja, n) for n in ("sello", "intento", "visto")} | {"imagen": vista}
    datos |= {"remedio": "redigitalizacion", "motivo": "otra"}
    navegador.post(f"{RUTA}/no-coincide", data=datos)
    nueva = imagen_de(mesa.almacen.hechos_de(A1)) or ""
    cotejador = Cotejador(mesa)
    pide = Remedio.REDIGITALIZACION
    hecha = cotejador.no_coincide(A1, "coordinacion", pide, "otra", imagen=vista, confirma=nueva)
    assert codigo(hecha) == "IMAGEN_CAMBIO"
    assert (bien(mesa.por_redigitalizar()), cotejos(mesa)) == ([], []), "la nueva sigue en su lugar, por confirmar"
    bien(cotejador.no_coincide(A1, "coordinacion", pide, "otra", imagen=nueva, confirma=nueva))


def test_solo_coordinacion_decide_y_el_tablero_lo_dice_mientras(mesa: Mesa, tmp_path: Path) -> None:
    verificar(mesa)
    otra_imagen(mesa)
    verifica = pantallas(mesa, tmp_path, "capturista-3")
    pagina = verifica.get(RUTA).text
    assert "Lleve el papel a coordinación" in pagina
    assert "Sí, coincide" not in pagina
    assert "capturar otra vez" not in pagina
    estado = bien(mesa.estado(A1))
    assert isinstance(estado, Verificada)
    visto = huella_de(estado)
    nueva = imagen_de(mesa.almacen.hechos_de(A1)) or ""
    for campos in ({"remedio": "recaptura"}, {"remedio": "redigitalizacion", "motivo": "otra", "imagen": nueva}):
        assert "falta decidir" in mandar(verifica, "/cotejo", f"{RUTA}/no-coincide", nueva=nueva, visto=visto, **campos)
    assert bien(mesa.por_redigitalizar()) == []
    dicho = mandar(verifica, "/cotejo", f"{RUTA}/coincide", nueva=nueva, visto=visto)
    assert "falta decidir" in dicho, "aunque teclee lo de la otra"
    assert cotejos(mesa) == []
    coordina = pantallas(mesa, tmp_path, "coordinacion")
    assert "Imagen por confirmar" in coordina.get("/coordinacion").text
    assert "decidan con el papel en la mano" in coordina.get("/coordinacion").text
    assert f'href="{RUTA}"' in coordina.get(f"/coordinacion/acta/{A1.eleccion}/{A1.casilla}").text
    assert "no hay verificadas por guardar" in coordina.get("/empaquetado").text.lower()
    pagina = coordina.get(RUTA).text
    assert "La imagen nueva muestra lo mismo" in pagina
    vieja = {n: oculto(pagina, n) for n in ("sello", "intento", "visto", "nueva")}
    otra_imagen(mesa, contenido=b"\x89PNG y otra")
    assert "falta decidir" in coordina.post(f"{RUTA}/coincide", data=vieja).text, "no es la que miró"
    pagina = coordina.get(RUTA).text
    datos = {n: oculto(pagina, n) for n in ("sello", "intento", "visto", "nueva")}
    assert "Cotejada" in coordina.post(f"{RUTA}/coincide", data=datos).text
    assert cotejos(mesa) == [ResultadoCotejo.ACEPTADA]


# ---------------------------------------------------------------------------------------------------------- la pantalla


def test_se_busca_por_clave_se_ve_lo_verificado_y_se_dice_que_coincide(mesa: Mesa, tmp_path: Path) -> None:
    verificar(mesa)
    navegador = pantallas(mesa, tmp_path, "coordinacion")
    assert "1 verificada espera cotejo" in navegador.get("/cotejo").text
    pagina = mandar(navegador, "/cotejo", "/cotejo", que="20 0001 b0100")
    assert "Sí, coincide" in pagina
    assert ">84<" in pagina
    assert f"/imagen/{'0' * 3}" not in pagina
    pagina = mandar(navegador, RUTA, f"{RUTA}/coincide")
    assert "Cotejada: sección 0001, Básica 1" in pagina
    assert "No hay verificadas por cotejar" in pagina
    assert "Ya se cotejó: coincide con el papel" in navegador.get(RUTA).text


def test_quien_la_capturo_recibe_un_aviso_y_no_un_candado(mesa: Mesa, tmp_path: Path) -> None:
    verificar(mesa)
    assert "Usted capturó esta acta" in pantallas(mesa, tmp_path, "capturista-1").get(RUTA).text
    assert "Usted capturó esta acta" not in pantallas(mesa, tmp_path, "capturista-3").get(RUTA).text
    mandar(pantallas(mesa, tmp_path, "capturista-1"), RUTA, f"{RUTA}/coincide")
    assert cotejos(mesa) == [ResultadoCotejo.ACEPTADA]


def test_lo_verificado_cambia_entre_mirarlo_y_aceptarlo(mesa: Mesa, tmp_path: Path, reloj: RelojFijado) -> None:
    verificar(mesa)
    navegador = pantallas(mesa, tmp_path, "coordinacion")
    vieja = navegador.get(RUTA).text
    vista = {n: oculto(vieja, n) for n in ("sello", "intento", "visto")}
    bien(Cotejador(mesa).no_coincide(A1, "caro", Remedio.RECAPTURA, MOTIVO))
    reloj.avanzar(timedelta(seconds=30))
    for persona in ("capturista-1", "capturista-2"):
        bien(mesa.tomar(A1, persona))
        imagen = imagen_de(mesa.almacen.hechos_de(A1))
        bien(mesa.capturar(A1, persona, lectura(A1, PAN=Numero(50)), imagen=imagen))
    pagina = navegador.post(f"{RUTA}/coincide", data=vista).text
    assert "cambió mientras usted la miraba" in pagina
    assert cotejos(mesa) == [ResultadoCotejo.NO_ACEPTADA], "nadie aceptó lo que no vio"
    otra = vista | {"intento": oculto(pagina, "intento"), "remedio": "recaptura"}
    assert "cambió mientras usted la miraba" in navegador.post(f"{RUTA}/no-coincide", data=otra).text
    assert isinstance(bien(mesa.estado(A1)), Verificada)
    assert "Cotejada" in mandar(navegador, RUTA, f"{RUTA}/coincide")


def test_no_coincide_sin_decir_que_hacer_no_cambia_nada(mesa: Mesa, tmp_path: Path) -> None:
    verificar(mesa)
    navegador = pantallas(mesa, tmp_path, "coordinacion")
    for campos in ({}, {"remedio": "quemarla"}, {"remedio": "redigitalizacion"}):
        assert "Falta decir qué se hace con ella" in mandar(navegador, RUTA, f"{RUTA}/no-coincide", **campos)
    assert cotejos(mesa) == []
    assert "se capturará otra vez" in mandar(navegador, RUTA, f"{RUTA}/no-coincide", remedio="recaptura")
    assert navegador.get(RUTA).status_code == 409
    (recaptura,) = [h for h in mesa.almacen.hechos_de(A1) if isinstance(h, Recaptura)]
    assert not any(c.isdigit() for c in recaptura.motivo), "el motivo no le sopla un número a quien lee a ciegas"


@pytest.mark.parametrize(
    ("que", "dicho"),
    [
        ("", "Falta decir qué acta"),
        ("https://ejemplo.mx/acta", "no identifica un acta"),
        ("209999B0100", "no identifica un acta"),
        ("<script>alert(1)</script>", "no identifica un acta"),
    ],
)
def test_lo_que_no_es_un_acta_se_explica(mesa: Mesa, tmp_path: Path, que: str, dicho: str) -> None:
    pagina = mandar(pantallas(mesa, tmp_path, "coordinacion"), "/cotejo", "/cotejo", que=que)
    assert dicho in pagina
    assert "<script>alert" not in pagina


def test_un_acta_sin_verificar_o_inexistente_no_es_un_tropiezo(mesa: Mesa, tmp_path: Path) -> None:
    bien(mesa.acopiar(A3, persona="acopio-1", origen=Origen.CATD))
    navegador = pantallas(mesa, tmp_path, "coordinacion")
    respuesta = navegador.get(f"/cotejo/GUB/{A3.casilla}")
    assert (respuesta.status_code, "todavía no está verificada" in respuesta.text) == (409, True)
    assert navegador.get("/cotejo/GUB/209999B0100").status_code == 404
    assert navegador.get("/cotejo/NADA/xx").status_code == 404
