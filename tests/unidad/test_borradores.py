"""Lo tecleado a medias: que no se pierda, que nadie más lo vea y que quien se va no detenga el acta."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appliance.almacen import Transaccion
from appliance.falla import Falla
from appliance.mesa import Espera, Mesa
from appliance.personas import Papel
from appliance.recepcion import Hecha
from appliance.redigitalizacion import imagen_por_confirmar
from appliance.reloj import RelojFijado
from appliance.segunda_lectura import PorRevisar
from nucleo.acta import Digitalizacion, Origen
from nucleo.campo import ILEGIBLE, Campo, Numero
from nucleo.captura import Discrepante, PrimeraConcluida, SinCaptura, Verificada
from nucleo.hechos import Captura, HechoDeActa, IdActa, Imagen, Recaptura
from nucleo.problema import Rechazo
from tests.kiosco_de_prueba import A1, A2, PROCESO, abrir_mesa, bien, codigo, lectura, vigente

A_MEDIAS = {"BOLETAS_SOBRANTES": "120", "PAN": "ILEGIBLE", "PRI": "1"}


@pytest.fixture
def mesa(tmp_path: Path) -> Mesa:
    mesa = abrir_mesa(tmp_path)
    bien(mesa.acopiar(A1, persona="acopio-1", origen=Origen.CATD))
    return mesa


@pytest.fixture
def reloj(mesa: Mesa) -> RelojFijado:
    assert isinstance(mesa.reloj, RelojFijado)
    return mesa.reloj


def teclear(mesa: Mesa, persona: str, acta: IdActa = A1) -> None:
    bien(mesa.tomar(acta, persona))
    bien(mesa.guardar_renglones(acta, persona, A_MEDIAS, vigente(mesa, acta)))


def textos(mesa: Mesa, persona: str, acta: IdActa = A1) -> dict[str, str]:
    return dict(bien(mesa.borrador(acta, persona)).textos)


def concluir(mesa: Mesa, persona: str, *, revisada: bool = False, **distintos: Campo) -> Hecha | PorRevisar:
    hecha = mesa.concluir(A1, persona, lectura(A1, **distintos), imagen=vigente(mesa), revisada=revisada)
    assert not isinstance(hecha, Rechazo), str(hecha)
    return hecha


def primera(mesa: Mesa, persona: str = "ana") -> None:
    bien(mesa.tomar(A1, persona))
    assert isinstance(concluir(mesa, persona), Hecha)


def digitalizar(mesa: Mesa, contenido: bytes = b"una", acta: IdActa = A1) -> str:
    bien(mesa.digitalizar(acta, persona="acopio-1", digitalizacion=Digitalizacion.ESCANER, contenido=contenido))
    return vigente(mesa, acta) or ""


def eventos(mesa: Mesa, cual: str) -> list[tuple[str, str]]:
    with mesa.almacen.lectura() as mirada:
        return mirada.conexion.execute(
            "SELECT persona, detalle FROM bitacora WHERE evento = ? ORDER BY renglon", (cual,)
        ).fetchall()


# ------------------------------------------------------------------------------------------------------- los borradores


def test_se_va_la_luz_a_media_hoja_y_al_volver_esta_lo_tecleado(mesa: Mesa, tmp_path: Path) -> None:
    teclear(mesa, "ana")
    # Sin cerrar nada: otra conexión ve sólo lo que ya estaba en el disco.
    otra = abrir_mesa(tmp_path)
    assert bien(otra.siguiente("ana")) == A1
    assert textos(otra, "ana") == A_MEDIAS
    otra.almacen.desconectar()


def test_lo_que_se_borra_de_un_renglon_no_reaparece(mesa: Mesa) -> None:
    teclear(mesa, "ana")
    bien(mesa.guardar_renglones(A1, "ana", {"PAN": "", "PRI": "15"}))
    assert textos(mesa, "ana") == {"BOLETAS_SOBRANTES": "120", "PRI": "15"}


def test_la_segunda_persona_empieza_en_blanco_y_la_primera_recupera_lo_suyo(mesa: Mesa, reloj: RelojFijado) -> None:
    teclear(mesa, "ana")
    reloj.avanzar(timedelta(minutes=10))
    bien(mesa.tomar(A1, "beto"))
    assert textos(mesa, "beto") == {}
    assert codigo(mesa.borrador(A1, "ana")) == "NO_LA_TIENE"
    concluir(mesa, "beto")
    bien(mesa.tomar(A1, "ana"))
    assert textos(mesa, "ana") == A_MEDIAS


def test_al_concluir_el_borrador_se_va_con_el_hecho_y_si_el_disco_falla_se_queda(
    mesa: Mesa, monkeypatch: pytest.MonkeyPatch
) -> None:
    teclear(mesa, "ana")

    def sin_espacio(*_: object) -> None:
        raise Falla("DISCO_LLENO", "No se guardó", "lleno", "llame al área técnica")

    with monkeypatch.context() as roto:
        roto.setattr(Transaccion, "asentar", sin_espacio)
        assert codigo(mesa.concluir(A1, "ana", lectura())) == "DISCO_LLENO"
    assert textos(mesa, "ana") == A_MEDIAS
    concluir(mesa, "ana")
    with mesa.almacen.lectura() as mirada:
        assert mirada.conexion.execute("SELECT count(*) FROM borradores").fetchone() == (0,)


def test_una_recaptura_empieza_en_blanco(mesa: Mesa, reloj: RelojFijado) -> None:
    teclear(mesa, "caro")
    reloj.avanzar(timedelta(minutes=10))
    primera(mesa, "ana")
    bien(mesa.tomar(A1, "beto"))
    concluir(mesa, "beto")
    bien(mesa.pedir_recaptura(A1, "coordinacion", "se leyó otra acta"))
    bien(mesa.tomar(A1, "caro"))
    assert textos(mesa, "caro") == {}


def test_lo_tecleado_en_la_captura_no_aparece_en_la_correccion_a_ciegas(mesa: Mesa, reloj: RelojFijado) -> None:
    teclear(mesa, "caro")
    reloj.avanzar(timedelta(minutes=10))
    primera(mesa, "ana")
    bien(mesa.tomar(A1, "beto"))
    concluir(mesa, "beto", PAN=Numero(99))
    concluir(mesa, "beto", PAN=Numero(99), revisada=True)
    bien(mesa.tomar(A1, "caro"))
    assert textos(mesa, "caro") == {}
    assert codigo(mesa.guardar_renglones(A1, "caro", {"PRI": "5"})) == "RENGLONES_AJENOS"
    bien(mesa.guardar_renglones(A1, "caro", {"PAN": "5"}))
    assert textos(mesa, "caro") == {"PAN": "5"}


def test_quien_no_la_tiene_no_guarda_nada(mesa: Mesa) -> None:
    bien(mesa.tomar(A1, "ana"))
    assert codigo(mesa.guardar_renglones(A1, "beto", {"PAN": "1"})) == "NO_LA_TIENE"
    assert codigo(mesa.renovar(A1, "beto")) == "NO_LA_TIENE"
    assert codigo(mesa.pausar(A1, "beto", {})) == "NO_LA_TIENE"


def test_el_reloj_en_1970_no_impide_guardar_lo_tecleado(mesa: Mesa, reloj: RelojFijado) -> None:
    bien(mesa.tomar(A1, "ana"))
    reloj.fijar(datetime(1970, 1, 1, tzinfo=UTC))
    bien(mesa.guardar_renglones(A1, "ana", A_MEDIAS))
    assert textos(mesa, "ana") == A_MEDIAS


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(renglon=st.sampled_from(["PAN", "TOTAL_ASENTADO", "NADA", ""]) | st.text(max_size=6), texto=st.text(max_size=12))
def test_lo_que_sea_que_se_teclee_se_guarda_igual_o_se_rechaza(mesa: Mesa, renglon: str, texto: str) -> None:
    bien(mesa.tomar(A1, "ana"))
    hecho = mesa.guardar_renglones(A1, "ana", {renglon: texto})
    if isinstance(hecho, datetime):
        assert textos(mesa, "ana").get(renglon, "") == texto
    else:
        assert hecho.codigo in ("RENGLON", "RENGLONES_AJENOS")


# ------------------------------------------------------------------------------------------------ quien se va o regresa


def test_teclear_renueva_el_plazo(mesa: Mesa, reloj: RelojFijado) -> None:
    teclear(mesa, "ana")
    for _ in range(3):
        reloj.avanzar(timedelta(minutes=9))
        bien(mesa.renovar(A1, "ana"))
    reloj.avanzar(timedelta(minutes=9))
    assert codigo(mesa.tomar(A1, "beto")) == "OCUPADA"
    reloj.avanzar(timedelta(minutes=1))
    assert bien(mesa.tomar_siguiente("beto")) == A1


def test_pausar_reserva_el_acta_y_al_volver_es_la_primera(mesa: Mesa, reloj: RelojFijado) -> None:
    bien(mesa.acopiar(A2, persona="acopio-1", origen=Origen.CATD))
    assert mesa.tomar_siguiente("ana") == A1
    hasta = bien(mesa.pausar(A1, "ana", A_MEDIAS))
    assert hasta == reloj.ahora() + timedelta(minutes=10)
    assert bien(mesa.abiertas_de("ana")) == [A1]
    assert mesa.siguiente("beto") == A2
    assert mesa.tomar_siguiente("ana") == A1
    assert textos(mesa, "ana") == A_MEDIAS


def test_la_pausa_se_alarga_demasiado_y_otra_persona_la_toma(mesa: Mesa, reloj: RelojFijado) -> None:
    bien(mesa.tomar(A1, "ana"))
    bien(mesa.pausar(A1, "ana", A_MEDIAS))
    reloj.avanzar(timedelta(minutes=10))
    assert mesa.tomar_siguiente("beto") == A1
    assert eventos(mesa, "encargo_vencido") == [("ana", "la toma beto")]


def test_termina_el_turno_y_lo_tecleado_no_se_pierde(mesa: Mesa) -> None:
    teclear(mesa, "ana")
    bien(mesa.soltar(A1, "ana"))
    bien(mesa.tomar(A1, "ana"))
    assert textos(mesa, "ana") == A_MEDIAS


def test_coordinacion_libera_el_acta_de_quien_se_fue(mesa: Mesa) -> None:
    teclear(mesa, "ana")
    assert bien(mesa.liberar(A1, "coordinacion")) == SinCaptura()
    assert eventos(mesa, "acta_liberada")[0][0] == "coordinacion"
    assert "ana" in eventos(mesa, "acta_liberada")[0][1]
    assert codigo(mesa.abierta(A1, "ana")) == "NO_LA_TIENE"
    assert codigo(mesa.liberar(A1, "coordinacion")) == "NADIE_LA_TIENE"
    bien(mesa.tomar(A1, "ana"))
    assert textos(mesa, "ana") == A_MEDIAS


# ------------------------------------------------------------------------------------------------------ segunda lectura


def test_la_segunda_lectura_difiere_y_se_senala_sin_asentar_nada(mesa: Mesa) -> None:
    primera(mesa)
    bien(mesa.tomar(A1, "beto"))
    antes = mesa.almacen.ultimo().secuencia
    assert concluir(mesa, "beto", PAN=Numero(99), MC=ILEGIBLE) == PorRevisar(("PAN", "MC"))
    assert mesa.almacen.ultimo().secuencia == antes
    assert bien(mesa.senalados(A1, "beto")) == ("PAN", "MC")
    assert textos(mesa, "beto")["PAN"] == "99", "lo suyo no se pierde si se va la luz"
    assert eventos(mesa, "diferencia_senalada") == [("beto", "PAN, MC")]


def test_corrige_su_tecleo_y_el_acta_se_verifica_sin_tercera_persona(mesa: Mesa) -> None:
    primera(mesa)
    bien(mesa.tomar(A1, "beto"))
    concluir(mesa, "beto", PAN=Numero(99), MC=Numero(98))
    hecha = concluir(mesa, "beto", revisada=True)
    assert isinstance(hecha, Hecha)
    assert isinstance(hecha.estado, Verificada)
    assert eventos(mesa, "diferencia_revisada") == [("beto", "cambió PAN, MC")]


def test_sostiene_lo_que_leyo_y_decide_una_tercera_persona(mesa: Mesa) -> None:
    primera(mesa)
    bien(mesa.tomar(A1, "beto"))
    concluir(mesa, "beto", PAN=Numero(99), MC=Numero(98))
    hecha = concluir(mesa, "beto", PAN=Numero(99), revisada=True)
    assert isinstance(hecha, Hecha)
    assert isinstance(hecha.estado, Discrepante)
    assert hecha.estado.campos == ("PAN",)
    assert eventos(mesa, "diferencia_revisada") == [("beto", "cambió MC; dejó PAN")]


def test_el_doble_toque_no_concluye_sin_haber_visto_lo_senalado(mesa: Mesa) -> None:
    primera(mesa)
    bien(mesa.tomar(A1, "beto"))
    for _ in range(3):
        assert concluir(mesa, "beto", PAN=Numero(99)) == PorRevisar(("PAN",))
    assert isinstance(bien(mesa.abierta(A1, "beto")).libre, PrimeraConcluida)


def test_nadie_adivina_la_otra_lectura_a_tientas(mesa: Mesa, tmp_path: Path) -> None:
    primera(mesa)
    bien(mesa.tomar(A1, "beto"))
    assert concluir(mesa, "beto", PAN=Numero(1)) == PorRevisar(("PAN",))
    # Ni probando otro valor, ni reiniciando el kiosco, ni soltándola y volviéndola a tomar.
    otra = abrir_mesa(tmp_path)
    bien(otra.soltar(A1, "beto"))
    bien(otra.tomar(A1, "beto"))
    for intento in (Numero(2), Numero(10), ILEGIBLE):
        assert concluir(otra, "beto", PAN=intento, PRI=Numero(77)) == PorRevisar(("PAN",))
    otra.almacen.desconectar()


def test_la_marca_de_revisada_no_salta_la_primera_comparacion(mesa: Mesa) -> None:
    primera(mesa)
    bien(mesa.tomar(A1, "beto"))
    assert concluir(mesa, "beto", PAN=Numero(1), revisada=True) == PorRevisar(("PAN",))


def test_si_coinciden_no_se_senala_nada(mesa: Mesa) -> None:
    primera(mesa)
    bien(mesa.tomar(A1, "beto"))
    hecha = concluir(mesa, "beto")
    assert isinstance(hecha, Hecha)
    assert isinstance(hecha.estado, Verificada)
    assert eventos(mesa, "diferencia_senalada") == []


def test_en_otra_vuelta_se_vuelve_a_senalar(mesa: Mesa) -> None:
    primera(mesa)
    bien(mesa.tomar(A1, "beto"))
    concluir(mesa, "beto", PAN=Numero(1))
    concluir(mesa, "beto", revisada=True)
    bien(mesa.pedir_recaptura(A1, "coordinacion", "se leyó otra acta"))
    primera(mesa)
    bien(mesa.tomar(A1, "beto"))
    assert bien(mesa.senalados(A1, "beto")) == ()
    assert concluir(mesa, "beto", MC=Numero(1)) == PorRevisar(("MC",))


# ------------------------------------------------------------------------------------------------------------ la imagen


def test_la_imagen_no_se_ve_bien_y_el_acta_espera_otra(mesa: Mesa) -> None:
    vista = digitalizar(mesa)
    teclear(mesa, "ana")
    assert bien(mesa.pedir_imagen(A1, "ana", "borrosa", vista)).motivo == "borrosa"
    assert mesa.siguiente("ana") is None
    assert mesa.siguiente("beto") is None
    assert codigo(mesa.tomar(A1, "beto")) == "ESPERA_OTRA_IMAGEN"
    assert [p.acta for p in bien(mesa.por_redigitalizar())] == [A1]
    assert bien(mesa.espera()) == Espera(0, 1)
    digitalizar(mesa, b"una")
    assert mesa.siguiente("beto") is None, "la misma hoja otra vez no es otra imagen"
    digitalizar(mesa, b"otra")
    assert bien(mesa.por_redigitalizar()) == []
    assert mesa.tomar_siguiente("ana") == A1
    assert textos(mesa, "ana") == A_MEDIAS


def test_la_imagen_era_de_otra_acta_y_lo_tecleado_de_ella_no_reaparece(mesa: Mesa) -> None:
    vista = digitalizar(mesa, b"la de otra casilla")
    teclear(mesa, "ana")
    bien(mesa.pedir_imagen(A1, "ana", "otra", vista))
    digitalizar(mesa, b"la buena")
    bien(mesa.tomar(A1, "ana"))
    assert textos(mesa, "ana") == {}


def test_el_papel_tampoco_se_ve_y_coordinacion_la_regresa_a_la_fila(mesa: Mesa) -> None:
    vista = digitalizar(mesa)
    bien(mesa.tomar(A1, "ana"))
    bien(mesa.pedir_imagen(A1, "ana", "tapada", vista))
    bien(mesa.regresar_a_la_fila(A1, "coordinacion"))
    assert mesa.siguiente("ana") == A1
    assert codigo(mesa.regresar_a_la_fila(A1, "coordinacion")) == "NO_ESPERA_IMAGEN"


def test_nadie_aparta_el_acta_que_otra_persona_esta_leyendo(mesa: Mesa) -> None:
    vista = digitalizar(mesa)
    bien(mesa.tomar(A1, "ana"))
    assert codigo(mesa.pedir_imagen(A1, "beto", "borrosa", vista)) == "NO_LA_TIENE"
    assert codigo(mesa.pedir_imagen(A1, "ana", "<script>", vista)) == "FORMA"


def test_sin_imagen_no_hay_que_repetir(mesa: Mesa) -> None:
    bien(mesa.tomar(A1, "ana"))
    assert codigo(mesa.pedir_imagen(A1, "ana", "borrosa", "")) == "SIN_IMAGEN"


def test_llega_otra_imagen_y_lo_tecleado_sigue_siendo_de_la_que_se_leyo(mesa: Mesa) -> None:
    vieja = digitalizar(mesa)
    teclear(mesa, "ana")
    nueva = digitalizar(mesa, b"otra")
    assert bien(mesa.borrador(A1, "ana")).de_otra(vieja) == frozenset()
    # Mandar la hoja con lo mismo no es haberlo mirado otra vez; cambiarlo sí.
    bien(mesa.guardar_renglones(A1, "ana", A_MEDIAS | {"PRI": "2"}, nueva))
    assert bien(mesa.borrador(A1, "ana")).de_otra(nueva) == {"BOLETAS_SOBRANTES", "PAN"}


def test_se_leyo_el_papel_y_luego_llega_la_imagen(mesa: Mesa) -> None:
    teclear(mesa, "ana")
    imagen = digitalizar(mesa)
    assert bien(mesa.borrador(A1, "ana")).de_otra(imagen) == set(A_MEDIAS)
    antes = mesa.almacen.ultimo()
    for codigo_de in (mesa.capturar, mesa.concluir):
        assert codigo(codigo_de(A1, "ana", lectura())) == "IMAGEN_CAMBIO", "decir «del papel» no salta la imagen"
    assert mesa.almacen.ultimo() == antes
    assert isinstance(concluir(mesa, "ana"), Hecha)


def test_concluida_en_la_nueva_ya_nada_es_de_la_vieja_aunque_difiera(mesa: Mesa) -> None:
    digitalizar(mesa)
    primera(mesa)
    teclear(mesa, "beto")
    nueva = digitalizar(mesa, b"otra")
    assert bien(mesa.borrador(A1, "beto")).de_otra(nueva)
    assert concluir(mesa, "beto", PRI=Numero(1)) == PorRevisar(("PRI",))
    assert bien(mesa.borrador(A1, "beto")).de_otra(nueva) == frozenset()


def test_nadie_se_queja_de_la_imagen_que_no_ha_visto(mesa: Mesa) -> None:
    vieja = digitalizar(mesa)
    teclear(mesa, "ana")
    digitalizar(mesa, b"otra")
    assert codigo(mesa.pedir_imagen(A1, "ana", "otra", vieja)) == "IMAGEN_CAMBIO"
    assert bien(mesa.por_redigitalizar()) == []
    assert textos(mesa, "ana") == A_MEDIAS, "lo tecleado no se borra"


@pytest.mark.parametrize(
    ("segunda", "pendiente"), [("nueva", False), ("vieja", True), (None, True)], ids=["nueva", "vieja", "no dice"]
)
def test_nadie_leyo_la_imagen_que_queda_y_hay_que_confirmarla(segunda: str | None, pendiente: bool) -> None:
    hora = PROCESO.inicio_operacion
    vieja, nueva = (Imagen(A1, hora, sha, 9, Digitalizacion.ESCANER, "e-1") for sha in ("vieja", "nueva"))
    una, otra = (Captura(A1, 1, hora, quien, lectura(), en) for quien, en in (("ana", "vieja"), ("beto", segunda)))
    historia: list[HechoDeActa] = [vieja, una, nueva]
    assert imagen_por_confirmar(historia) is None, "la que falta lee la nueva"
    historia.append(otra)
    assert (imagen_por_confirmar(historia) == nueva) is pendiente
    decidida = Recaptura(A1, 2, hora, "coordinacion", "se lee otra vez")
    assert imagen_por_confirmar([*historia, decidida]) is None
    assert imagen_por_confirmar([vieja, una, replace(otra, imagen=None)]) is None, "no hubo otra imagen"


def test_si_se_exige_imagen_la_fila_dice_cuantas_la_esperan(mesa: Mesa) -> None:
    exigente = Mesa(mesa.almacen, mesa.imagenes, PROCESO, mesa.reloj, exigir_imagen=True)
    bien(exigente.acopiar(A2, persona="acopio-1", origen=Origen.CATD))
    assert bien(exigente.espera()) == Espera(2, 0)
    digitalizar(exigente)
    assert bien(exigente.espera()) == Espera(1, 0)
    assert exigente.siguiente("ana") == A1


# ---------------------------------------------------------------------------------------------------------- los papeles


def test_captura_hace_primeras_lecturas_y_verificacion_las_demas(mesa: Mesa) -> None:
    solo_captura, solo_verifica = {Papel.CAPTURA}, {Papel.VERIFICACION}
    assert mesa.siguiente("ana", solo_verifica) is None
    assert codigo(mesa.tomar(A1, "ana", solo_verifica)) == "PAPEL"
    assert bien(mesa.abiertas_de("ana")) == []
    assert mesa.tomar_siguiente("ana", solo_captura) == A1
    concluir(mesa, "ana")
    assert mesa.siguiente("beto", solo_captura) is None
    assert mesa.tomar_siguiente("beto", solo_verifica) == A1
    assert mesa.siguiente("caro", {Papel.ACOPIO}) is None


def test_las_proximas_son_las_que_le_tocarian(mesa: Mesa) -> None:
    bien(mesa.acopiar(A2, persona="acopio-1", origen=Origen.CATD))
    bien(mesa.tomar(A2, "ana"))
    assert bien(mesa.proximas("ana")) == [A2, A1]
    assert bien(mesa.proximas("beto")) == [A1]
