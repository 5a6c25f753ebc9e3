"""La cadena de la hoja: qué se asigna, qué queda dudoso, qué decide la gente y qué queda después de un apagón."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.digitalizacion import tabla
from appliance.digitalizacion.decisiones import Decisiones
from appliance.digitalizacion.hoja import Codigo, Dispensa, EstadoDeHoja, Hoja, Vista
from appliance.digitalizacion.juicio import juzgar
from appliance.digitalizacion.motivo import EXPLICACIONES, Motivo
from appliance.falla import Falla
from appliance.mesa import Mesa
from nucleo.acta import Digitalizacion, Origen
from nucleo.hechos import FueraDeCatalogo, IdActa, Imagen
from nucleo.problema import Rechazo
from tests.hojas_de_prueba import Lector, hoja_con, qr, un_rato
from tests.kiosco_de_prueba import A1, A2, A3, abrir_mesa, bien, codigo


@pytest.fixture
def mesa(tmp_path: Path) -> Mesa:
    mesa = abrir_mesa(tmp_path)
    for acta in (A1, A2):
        bien(mesa.acopiar(acta, persona="acopio-1", origen=Origen.CATD))
    return mesa


@pytest.fixture
def lector(mesa: Mesa, tmp_path: Path) -> Lector:
    return Lector(tmp_path, mesa)


@pytest.fixture
def decisiones(lector: Lector, mesa: Mesa) -> Decisiones:
    return Decisiones(lector.cadena, mesa)


def imagenes(mesa: Mesa, acta: IdActa = A1) -> list[Imagen]:
    return [h for h in mesa.almacen.hechos_de(acta) if isinstance(h, Imagen)]


def archivos(carpeta: Path) -> list[str]:
    return sorted(str(r.relative_to(carpeta)) for r in (carpeta / "entrada").rglob("*") if r.is_file())


def anotado(mesa: Mesa) -> list[str]:
    with mesa.almacen.lectura() as mirada:
        return [e for (e,) in mirada.conexion.execute("SELECT evento FROM bitacora ORDER BY renglon")]


# ----------------------------------------------------------------------------------------------------------- asignación


def test_una_hoja_buena_se_asigna_sola_y_su_archivo_se_va(lector: Lector, mesa: Mesa, tmp_path: Path) -> None:
    quedo = lector.pasar(hoja_con(qr(A1)))
    assert (quedo.estado, quedo.acta, quedo.motivo) == (EstadoDeHoja.ASIGNADA, A1, None)
    (imagen,) = imagenes(mesa)
    assert imagen.sha256 == quedo.sha256
    assert (imagen.persona, imagen.digitalizacion) == ("digital-1", Digitalizacion.ESCANER)
    contenido = mesa.imagenes.leer(quedo.sha256)
    assert contenido is not None
    assert len(contenido) == imagen.bytes
    assert mesa.imagenes.ruta(quedo.sha256).suffix == ".webp"
    assert archivos(tmp_path) == []


@pytest.mark.parametrize(
    ("hoja", "motivo"),
    [
        (hoja_con(), Motivo.SIN_CODIGO),
        (hoja_con(anverso=False, aceptable=False), Motivo.NO_ES_EL_ANVERSO),
        (hoja_con("https://ejemplo.mx"), Motivo.CODIGO_AJENO),
        (hoja_con(qr(A1).replace("|0001|", "|0777|")), Motivo.CASILLA_DESCONOCIDA),
        (hoja_con(qr(A1).replace("GUB", "PRESIDENCIA")), Motivo.CODIGO_DE_OTRA_ELECCION),
        (hoja_con(qr(A1)[:-3] + "\x01|"), Motivo.CODIGO_AJENO),
        (hoja_con(qr(A1), qr(A2)), Motivo.VARIOS_CODIGOS),
        (hoja_con(qr(A1), anverso=False, aceptable=False), Motivo.NO_ES_EL_ANVERSO),
        (hoja_con(qr(A1), aceptable=False, que="Borrosa"), Motivo.CALIDAD),
        (hoja_con(qr(A3)), Motivo.SIN_ACOPIO),
    ],
)
def test_lo_que_no_esta_claro_queda_dudoso_con_su_motivo_y_sin_hecho(
    lector: Lector, mesa: Mesa, hoja: bytes, motivo: Motivo
) -> None:
    antes = mesa.almacen.ultimo()
    quedo = lector.pasar(hoja)
    assert quedo.estado is EstadoDeHoja.DUDOSA
    assert quedo.motivo in (motivo, Motivo.CODIGO_ROTO) if motivo is Motivo.CODIGO_AJENO else quedo.motivo is motivo
    assert mesa.imagenes.leer(quedo.sha256) is not None, "la imagen se conserva para que alguien la mire"
    assert mesa.almacen.ultimo() == antes
    assert anotado(mesa)[-1] == "hoja_dudosa"


def test_un_codigo_malo_junto_a_uno_bueno_no_estorba(lector: Lector) -> None:
    quedo = lector.pasar(hoja_con("https://ejemplo.mx", qr(A1)))
    assert (quedo.estado, quedo.acta) == (EstadoDeHoja.ASIGNADA, A1)


@pytest.mark.parametrize("otro", [qr(A1).replace("GUB", "PRESIDENCIA"), qr(A1).replace("|0001|", "|0777|")])
def test_nuestra_etiqueta_pegada_en_el_acta_de_otra_eleccion_no_se_asigna_sola(
    lector: Lector, mesa: Mesa, decisiones: Decisiones, otro: str
) -> None:
    quedo = lector.pasar(hoja_con(qr(A1), otro))
    assert (quedo.estado, quedo.motivo) == (EstadoDeHoja.DUDOSA, Motivo.VARIOS_CODIGOS)
    assert imagenes(mesa) == []
    assert bien(decisiones.identificar(quedo.hoja, "digital-1", A1)).estado is EstadoDeHoja.ASIGNADA, "manda la persona"


def test_cada_motivo_tiene_palabras_distintas_y_alguna_salida() -> None:
    assert set(EXPLICACIONES) == set(Motivo)
    assert len({e.que for e in EXPLICACIONES.values()}) == len(Motivo)
    for explicada in EXPLICACIONES.values():
        assert explicada.acciones
        assert all((explicada.que, explicada.causa, explicada.siguiente))


def test_una_imagen_que_no_se_abre_no_se_pierde_y_se_puede_intentar_otra_vez(
    lector: Lector, decisiones: Decisiones, tmp_path: Path
) -> None:
    quedo = lector.pasar(b"cortad")
    assert (quedo.estado, quedo.motivo) == (EstadoDeHoja.DUDOSA, Motivo.IMAGEN_DANADA)
    (archivo,) = archivos(tmp_path)
    (tmp_path / archivo).write_bytes(hoja_con(qr(A1)))
    assert bien(decisiones.reintentar(quedo.hoja, "digital-1")).estado is EstadoDeHoja.RECIBIDA
    assert lector.mirar_todas()[-1].estado is EstadoDeHoja.ASIGNADA
    assert archivos(tmp_path) == []


def test_descartar_una_imagen_danada_se_lleva_su_archivo(
    lector: Lector, decisiones: Decisiones, tmp_path: Path
) -> None:
    quedo = lector.pasar(b"cortad")
    bien(decisiones.descartar(quedo.hoja, "digital-1", "no abre"))
    assert archivos(tmp_path) == []


def test_el_archivo_se_borro_antes_de_mirarlo(lector: Lector, tmp_path: Path) -> None:
    lector.lote(hoja_con(qr(A1)))
    (tmp_path / archivos(tmp_path)[0]).unlink()
    (quedo,) = lector.mirar_todas()
    assert (quedo.estado, quedo.motivo) == (EstadoDeHoja.DUDOSA, Motivo.SIN_ARCHIVO)


# ------------------------------------------------------------------------------------------------------------ repetidas


def test_la_misma_imagen_dos_veces_se_aparta_sola_y_se_dice_a_que_hora(lector: Lector, mesa: Mesa) -> None:
    lector.pasar(hoja_con(qr(A1)))
    un_rato(mesa, 5)
    otra = lector.pasar(hoja_con(qr(A1)))
    assert otra.estado is EstadoDeHoja.DESCARTADA
    assert "misma imagen" in otra.detalle
    assert "a las" in otra.detalle
    assert len(imagenes(mesa)) == 1
    assert anotado(mesa)[-1] == "hoja_repetida"


def test_la_misma_hoja_pasada_otra_vez_pregunta_si_se_conserva_o_se_sustituye(
    lector: Lector, mesa: Mesa, decisiones: Decisiones
) -> None:
    primera = lector.pasar(hoja_con(qr(A1)))
    segunda = lector.pasar(hoja_con(qr(A1), toma=2))
    assert (segunda.estado, segunda.motivo) == (EstadoDeHoja.DUDOSA, Motivo.YA_DIGITALIZADA)
    assert "digital-1" in segunda.detalle
    quedo = bien(decisiones.sustituir(segunda.hoja, "digital-2"))
    assert quedo.estado is EstadoDeHoja.ASIGNADA
    assert [i.sha256 for i in imagenes(mesa)] == [primera.sha256, segunda.sha256], "la historia queda"
    tercera = lector.pasar(hoja_con(qr(A1), toma=3))
    assert bien(decisiones.descartar(tercera.hoja, "digital-2", "repetida")).estado is EstadoDeHoja.DESCARTADA
    assert len(imagenes(mesa)) == 2


def test_no_se_cambia_la_imagen_a_media_captura(lector: Lector, mesa: Mesa, decisiones: Decisiones) -> None:
    lector.pasar(hoja_con(qr(A1)))
    bien(mesa.tomar(A1, "capturista-1"))
    otra = lector.pasar(hoja_con(qr(A1), toma=2))
    assert codigo(decisiones.sustituir(otra.hoja, "digital-1")) == "EN_CAPTURA"
    assert len(imagenes(mesa)) == 1
    un_rato(mesa, 60)
    assert bien(decisiones.sustituir(otra.hoja, "digital-1")).estado is EstadoDeHoja.ASIGNADA, "quien la tenía se fue"
    assert len(imagenes(mesa)) == 2


def test_si_se_pidio_otra_imagen_la_nueva_sustituye_sin_preguntar(lector: Lector, mesa: Mesa) -> None:
    mala = lector.pasar(hoja_con(qr(A1)))
    bien(mesa.pedir_imagen(A1, "capturista-1", "borrosa", mala.sha256))
    nueva = lector.pasar(hoja_con(qr(A1), toma=2))
    assert nueva.estado is EstadoDeHoja.ASIGNADA
    assert imagenes(mesa)[-1].sha256 == nueva.sha256
    assert bien(mesa.por_redigitalizar()) == []


def test_repetir_una_mala_y_que_salga_bien_quita_la_mala_de_la_lista(lector: Lector) -> None:
    mala = lector.pasar(hoja_con(qr(A1), aceptable=False, que="Borrosa"))
    lector.pasar(hoja_con(qr(A1), toma=2))
    quedo = next(h for h in lector.hojas() if h.hoja == mala.hoja)
    assert quedo.estado is EstadoDeHoja.DESCARTADA
    assert "quedó bien" in quedo.detalle


# ----------------------------------------------------------------------------------------------------------- decisiones


def test_aceptar_asi_se_anota_y_asigna(lector: Lector, mesa: Mesa, decisiones: Decisiones) -> None:
    mala = lector.pasar(hoja_con(qr(A1), aceptable=False, que="La imagen salió borrosa"))
    assert bien(decisiones.aceptar(mala.hoja, "digital-2")).estado is EstadoDeHoja.ASIGNADA
    assert "hoja_aceptada_asi" in anotado(mesa)
    assert imagenes(mesa)[0].persona == "digital-1", "el hecho es de quien la digitalizó"


def test_identificar_a_mano_y_que_falte_otra_cosa_la_vuelve_a_preguntar(
    lector: Lector, mesa: Mesa, decisiones: Decisiones
) -> None:
    sin = lector.pasar(hoja_con(aceptable=False, que="Manchada"))
    quedo = bien(decisiones.identificar(sin.hoja, "digital-1", A3))
    assert (quedo.estado, quedo.motivo, quedo.acta) == (EstadoDeHoja.DUDOSA, Motivo.SIN_ACOPIO, A3)
    quedo = bien(decisiones.acopiar(sin.hoja, "digital-1", mesa.reloj.ahora()))
    assert (quedo.estado, quedo.acta) == (EstadoDeHoja.ASIGNADA, A3)
    assert len(imagenes(mesa, A3)) == 1


def test_identificar_con_una_casilla_que_no_existe_se_niega(lector: Lector, decisiones: Decisiones) -> None:
    sin = lector.pasar(hoja_con())
    assert codigo(decisiones.identificar(sin.hoja, "digital-1", IdActa("GUB", "200009B0100"))) == "FUERA_DE_CATALOGO"
    assert codigo(decisiones.identificar(sin.hoja, "digital-1", IdActa("XXX", A1.casilla))) == "ELECCION_DESCONOCIDA"


def test_dos_pantallas_resuelven_la_misma_hoja_y_sale_un_solo_hecho(
    lector: Lector, mesa: Mesa, decisiones: Decisiones
) -> None:
    sin = lector.pasar(hoja_con())
    bien(decisiones.identificar(sin.hoja, "digital-1", A1))
    assert codigo(decisiones.identificar(sin.hoja, "digital-2", A2)) == "HOJA_RESUELTA"
    assert codigo(decisiones.descartar(sin.hoja, "digital-2", "no")) == "HOJA_RESUELTA"
    assert codigo(decisiones.aceptar(10**6, "digital-2")) == "HOJA_RESUELTA"
    assert (len(imagenes(mesa, A1)), len(imagenes(mesa, A2))) == (1, 0)


def test_fuera_de_catalogo_da_un_hecho_aunque_se_vaya_la_luz_entre_el_hecho_y_la_hoja(
    lector: Lector, mesa: Mesa, decisiones: Decisiones
) -> None:
    sin = lector.pasar(hoja_con(qr(A1).replace("|0001|", "|0777|")))
    # Como si se hubiera ido la luz después de asentar: el hecho está y la hoja sigue dudosa.
    bien(
        mesa.declarar_fuera_de_catalogo(
            "GUB",
            persona="digital-1",
            origen=Origen.CATD,
            digitalizacion=Digitalizacion.ESCANER,
            tipo_documento="ACTA PREP",
            mecanismo_traslado="",
            sha256=sin.sha256,
        )
    )
    quedo = bien(decisiones.declarar_fuera(sin.hoja, "digital-1", "coordinacion", "GUB", "ACTA PREP", ""))
    assert quedo.estado is EstadoDeHoja.FUERA
    hechos = [h for _, h in mesa.almacen.hechos_desde(0) if isinstance(h, FueraDeCatalogo)]
    assert [h.sha256 for h in hechos] == [sin.sha256]


# --------------------------------------------------------------------------------------------------------------- apagón


class SeFueLaLuz(BaseException):
    """Lo que haría el apagón: nada de lo que sigue ocurre."""


@pytest.mark.parametrize("paso", ["archivo", "renglon", "vista", "imagen", "hecho", "asentada", "borrado"])
@pytest.mark.parametrize("hoja", [hoja_con(qr(A1)), hoja_con(), b"cortad"], ids=["buena", "dudosa", "danada"])
def test_se_va_la_luz_en_cada_paso_y_al_volver_hay_un_registro_y_ningun_hecho_doble(
    tmp_path: Path, mesa: Mesa, paso: str, hoja: bytes
) -> None:
    def cortar(donde: str) -> None:
        if donde == paso:
            raise SeFueLaLuz

    victima = Lector(tmp_path, mesa, cortar)
    try:
        victima.lote(hoja, cerrar=False)
        victima.mirar_todas()
    except SeFueLaLuz:
        pass
    despues = Lector(tmp_path, mesa)
    despues.cadena.retomar()
    despues.mirar_todas()
    assert despues.cadena.recoger_sueltas() == 0, "ninguna imagen queda sin nombre"
    (quedo,) = despues.hojas()
    esperado = EstadoDeHoja.ASIGNADA if hoja == hoja_con(qr(A1)) else EstadoDeHoja.DUDOSA
    assert quedo.estado is esperado
    assert len(imagenes(mesa)) == (esperado is EstadoDeHoja.ASIGNADA)
    assert len(archivos(tmp_path)) == (hoja == b"cortad"), "sólo se queda el archivo de lo que nadie ha podido ver"
    with mesa.almacen.lectura() as mirada:
        (lote,) = tabla.lotes_con_falla(mirada)
        assert (lote.fin, lote.entraron, sum(tabla.cuentas(mirada, lote.lote).values())) == ("interrumpido", 1, 1)


def test_un_archivo_sin_renglon_ni_lote_se_recoge_y_pide_que_alguien_lo_reconozca(
    tmp_path: Path, mesa: Mesa, lector: Lector, decisiones: Decisiones
) -> None:
    perdida = tmp_path / "entrada" / "lote-perdido"
    perdida.mkdir()
    (perdida / "hoja-0003.png").write_bytes(hoja_con(qr(A1)))
    (perdida / ".hoja-0004.png.a-medias").write_bytes(b"medi")
    assert lector.cadena.retomar() == 1
    (quedo,) = lector.mirar_todas()
    assert (quedo.estado, quedo.motivo, quedo.numero) == (EstadoDeHoja.DUDOSA, Motivo.SIN_DUENO, 3)
    quedo = bien(decisiones.aceptar(quedo.hoja, "digital-2"))
    assert quedo.estado is EstadoDeHoja.ASIGNADA
    assert imagenes(mesa)[0].persona == "digital-2"
    assert archivos(tmp_path) == []


def test_hay_basura_en_la_entrada_y_lo_bueno_sale_igual(lector: Lector, mesa: Mesa, tmp_path: Path) -> None:
    lote = lector.lote(hoja_con(qr(A1)), cerrar=False)
    carpeta = tmp_path / "entrada" / lote.lote
    for nombre in (b"hoja-\xff\xfe.png", b"hoja\n2.png"):
        Path(os.fsdecode(os.fsencode(carpeta) + b"/" + nombre)).write_bytes(b"basura")
    (carpeta / "carpeta.png").mkdir()
    (carpeta / "liga.png").symlink_to("/etc/passwd")
    os.mkfifo(carpeta / "tubo.png")
    (tmp_path / "entrada" / "suelto.png").write_bytes(b"basura")
    (tmp_path / "entrada" / os.fsdecode(b"lote-\xff")).mkdir()
    assert lector.cadena.retomar() == 0
    assert [h.estado for h in lector.mirar_todas()] == [EstadoDeHoja.ASIGNADA]
    assert len(imagenes(mesa)) == 1


def test_una_imagen_que_nadie_nombra_aparece_por_revisar_una_sola_vez(
    mesa: Mesa, lector: Lector, decisiones: Decisiones
) -> None:
    mesa.imagenes.guardar(b"RIFF\0\0\0\0WEBPsuelta")
    assert lector.cadena.recoger_sueltas() == 1
    assert lector.cadena.recoger_sueltas() == 0
    (suelta,) = lector.hojas()
    assert (suelta.estado, suelta.motivo) == (EstadoDeHoja.DUDOSA, Motivo.SIN_DUENO)
    quedo = bien(decisiones.identificar(suelta.hoja, "digital-2", A1))
    assert quedo.estado is EstadoDeHoja.ASIGNADA
    assert imagenes(mesa)[0].persona == "digital-2"


def test_el_reloj_retrocede_y_el_ultimo_lote_sigue_siendo_el_ultimo(lector: Lector, mesa: Mesa) -> None:
    lector.lote(hoja_con(qr(A1)))
    un_rato(mesa, -40)
    segundo = lector.lote(hoja_con(qr(A2)))
    with mesa.almacen.lectura() as mirada:
        ultimo = tabla.ultimo_lote(mirada)
    assert ultimo is not None
    assert ultimo.lote == segundo.lote


def test_recibir_dos_veces_el_mismo_archivo_no_da_dos_hojas(lector: Lector, tmp_path: Path) -> None:
    lote = lector.lote(hoja_con(qr(A1)), cerrar=False)
    ruta = tmp_path / archivos(tmp_path)[0]
    lector.cadena.recibir(lote, 1, ruta)
    assert len(lector.hojas()) == 1


def test_con_el_disco_lleno_la_hoja_espera_y_sale_cuando_hay_lugar(lector: Lector, mesa: Mesa, tmp_path: Path) -> None:
    lector.lote(hoja_con(qr(A1)))
    carpeta = tmp_path / "imagenes"
    carpeta.rename(tmp_path / "quitada")
    hoja = lector.cadena.siguiente()
    assert hoja is not None
    with pytest.raises(Falla) as fallo:
        lector.cadena.avanzar(hoja)
    assert fallo.value.rechazo.siguiente
    assert len(archivos(tmp_path)) == 1
    (tmp_path / "quitada").rename(carpeta)
    assert lector.mirar_todas()[-1].estado is EstadoDeHoja.ASIGNADA
    assert len(imagenes(mesa)) == 1


# ----------------------------------------------------------------------------------------------------------------- fuzz

_ACTAS = st.sampled_from([A1, A2, A3])
_VISTAS = st.builds(
    Vista,
    st.lists(
        st.builds(Codigo, st.text(max_size=20), st.none() | _ACTAS, st.sampled_from(["", *[m.value for m in Motivo]])),
        max_size=4,
    ).map(tuple),
    st.none() | st.booleans(),
    st.booleans(),
    st.text(max_size=20),
    elegida=st.none() | _ACTAS,
    dispensas=st.frozensets(st.sampled_from(list(Dispensa))),
)


@given(_VISTAS)
def test_lo_visto_va_al_disco_y_vuelve_igual(vista: Vista) -> None:
    assert Vista.de_texto(vista.a_texto()) == vista


@given(_VISTAS, st.booleans())
def test_sin_exactamente_un_acta_nunca_se_asigna_nada(vista: Vista, con_dueno: bool) -> None:
    juicio = juzgar(vista, "0" * 64, con_dueno=con_dueno, historia=lambda _: [])
    if len(vista.actas) != 1:
        assert juicio.acta is None
    assert juicio.motivo is not None, "sin acopio no se asigna"


def test_una_hoja_resuelta_no_es_un_rechazo_vacio(lector: Lector, decisiones: Decisiones) -> None:
    quedo = lector.pasar(hoja_con(qr(A1)))
    assert isinstance(quedo, Hoja)
    rechazo = decisiones.sustituir(quedo.hoja, "digital-1")
    assert isinstance(rechazo, Rechazo)
    assert "asignada" in rechazo.que
