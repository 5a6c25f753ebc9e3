"""La mesa de captura: lo que hacen las personas, también cuando dos tocan la misma acta o alguien tarda de más."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from appliance.bandeja import Veredicto
from appliance.falla import Falla
from appliance.mesa import Mesa
from appliance.recepcion import Hecha
from appliance.reloj import RelojFijado
from nucleo.acta import Digitalizacion, MotivoSinActa, Origen
from nucleo.acuse import Acuse
from nucleo.campo import ILEGIBLE, SIN_DATO, Numero
from nucleo.captura import (
    Discrepante,
    EnRevision,
    PrimeraConcluida,
    SinActaDeclarada,
    SinCaptura,
    Tomada,
    Verificada,
)
from nucleo.hechos import Acopio, IdActa, Imagen
from nucleo.problema import Rechazo
from tests.kiosco_de_prueba import (
    A1,
    A2,
    A3,
    EPOCA,
    PROCESO,
    abrir_almacen,
    abrir_mesa,
    bien,
    codigo,
    hora,
    lectura,
    un_hecho,
)


@pytest.fixture
def mesa(tmp_path: Path) -> Mesa:
    return abrir_mesa(tmp_path)


@pytest.fixture
def reloj(mesa: Mesa) -> RelojFijado:
    assert isinstance(mesa.reloj, RelojFijado)
    return mesa.reloj


def acopiar(mesa: Mesa, *actas: IdActa) -> None:
    for acta in actas:
        bien(mesa.acopiar(acta, persona="acopio-1", origen=Origen.CATD))


def capturar(mesa: Mesa, persona: str, acta: IdActa = A1, **distintos: Numero) -> Hecha:
    bien(mesa.tomar(acta, persona))
    return bien(mesa.capturar(acta, persona, lectura(acta, **distintos)))


def discrepante(mesa: Mesa) -> tuple[str, ...]:
    acopiar(mesa, A1)
    capturar(mesa, "capturista-1")
    estado = capturar(mesa, "capturista-2", PAN=Numero(99), MC=Numero(98)).estado
    assert isinstance(estado, Discrepante)
    return estado.campos


# -------------------------------------------------------------------------------------------------------- doble captura


def test_dos_personas_leen_lo_mismo_y_el_acta_queda_verificada(mesa: Mesa) -> None:
    acopiar(mesa, A1)
    assert isinstance(capturar(mesa, "capturista-1").estado, PrimeraConcluida)
    hecha = capturar(mesa, "capturista-2")
    assert isinstance(hecha.estado, Verificada)
    assert hecha.estado.asentado == lectura()
    assert isinstance(bien(mesa.estado(A1)), Verificada)
    assert mesa.almacen.resumen().pendientes == 3


def test_la_misma_persona_no_puede_hacer_las_dos_capturas(mesa: Mesa) -> None:
    acopiar(mesa, A1)
    capturar(mesa, "capturista-1")
    assert codigo(mesa.tomar(A1, "capturista-1")) == "MISMA_PERSONA"
    assert mesa.siguiente("capturista-1") is None


def test_la_discrepancia_la_resuelve_a_ciegas_una_tercera_persona(mesa: Mesa) -> None:
    campos = discrepante(mesa)
    assert campos == ("PAN", "MC")
    assert mesa.siguiente("capturista-1") is None
    assert mesa.siguiente("capturista-3") == A1
    tomada = bien(mesa.tomar(A1, "capturista-3"))
    assert isinstance(tomada.libre, Discrepante)
    assert codigo(mesa.corregir(A1, "capturista-3", {"PAN": Numero(10)})) == "CAMPOS_EQUIVOCADOS"
    hecha = bien(mesa.corregir(A1, "capturista-3", {"PAN": Numero(10), "MC": Numero(98)}))
    assert isinstance(hecha.estado, Verificada)
    assert hecha.estado.asentado.votos["PAN"] == Numero(10)
    assert hecha.estado.asentado.votos["MC"] == Numero(98)


def test_si_ni_la_tercera_coincide_la_revisan_dos_personas_juntas(mesa: Mesa) -> None:
    discrepante(mesa)
    bien(mesa.tomar(A1, "capturista-3"))
    hecha = bien(mesa.corregir(A1, "capturista-3", {"PAN": ILEGIBLE, "MC": Numero(98)}))
    assert isinstance(hecha.estado, EnRevision)
    assert hecha.estado.campos == ("PAN",)
    assert mesa.por_revisar() == [A1]
    assert mesa.siguiente("capturista-4") is None
    assert codigo(mesa.revisar(A1, ("coordinacion", "coordinacion"), {"PAN": SIN_DATO})) == "MISMA_PERSONA"
    assert isinstance(bien(mesa.revisar(A1, ("coordinacion", "capturista-1"), {"PAN": Numero(10)})).estado, Verificada)
    assert mesa.por_revisar() == []


def test_una_recaptura_conserva_la_historia_y_vuelve_a_la_fila(mesa: Mesa) -> None:
    acopiar(mesa, A1)
    capturar(mesa, "capturista-1")
    capturar(mesa, "capturista-2")
    assert mesa.siguiente("capturista-1") is None
    assert bien(mesa.pedir_recaptura(A1, "coordinacion", "se leyó otra acta")).estado == SinCaptura(2)
    assert mesa.siguiente("capturista-1") == A1
    assert len(mesa.almacen.hechos_de(A1)) == 4


# --------------------------------------------------------------------------------------------------- la fila y encargos


def test_se_da_primero_la_que_llego_primero(mesa: Mesa) -> None:
    acopiar(mesa, A2, A1, A3)
    assert mesa.tomar_siguiente("capturista-1") == A2
    assert mesa.tomar_siguiente("capturista-2") == A1
    assert mesa.tomar_siguiente("capturista-1") == A2, "la que ya tiene abierta"
    bien(mesa.soltar(A2, "capturista-1"))
    assert mesa.siguiente("capturista-3") == A2


def test_quien_deja_un_acta_abierta_y_se_va_no_la_detiene(mesa: Mesa, reloj: RelojFijado) -> None:
    acopiar(mesa, A1)
    bien(mesa.tomar(A1, "capturista-1"))
    reloj.avanzar(timedelta(minutes=9, seconds=59))
    assert codigo(mesa.tomar(A1, "capturista-2")) == "OCUPADA"
    assert mesa.siguiente("capturista-2") is None
    reloj.avanzar(timedelta(seconds=1))
    assert mesa.siguiente("capturista-2") == A1
    bien(mesa.tomar(A1, "capturista-2"))
    assert codigo(mesa.capturar(A1, "capturista-1", lectura())) == "NO_LA_TIENE"


def test_a_quien_tardo_en_teclear_no_se_le_tira_su_trabajo(mesa: Mesa, reloj: RelojFijado) -> None:
    acopiar(mesa, A1)
    bien(mesa.tomar(A1, "capturista-1"))
    reloj.avanzar(timedelta(hours=1))
    assert isinstance(bien(mesa.abierta(A1, "capturista-1")), Tomada)
    assert isinstance(bien(mesa.capturar(A1, "capturista-1", lectura())).estado, PrimeraConcluida)


@pytest.mark.parametrize("adelanto", [timedelta(hours=1), timedelta(days=365)])
def test_un_acta_tomada_con_el_reloj_adelantado_no_queda_apartada_un_anio(
    mesa: Mesa, reloj: RelojFijado, adelanto: timedelta
) -> None:
    acopiar(mesa, A1)
    reloj.avanzar(adelanto)
    bien(mesa.tomar(A1, "capturista-1"))
    reloj.avanzar(-adelanto)
    assert mesa.tomar_siguiente("capturista-2") == A1


def test_el_segundo_toque_no_crea_otro_hecho(mesa: Mesa) -> None:
    acopiar(mesa, A1)
    capturar(mesa, "capturista-1")
    repetida = bien(mesa.capturar(A1, "capturista-1", lectura()))
    assert repetida.asientos == ()
    assert codigo(mesa.capturar(A1, "capturista-1", lectura(PAN=Numero(3)))) == "NO_LA_TIENE"
    assert mesa.almacen.ultimo().secuencia == 2


def en_dos_pantallas(carpeta: Path, accion: Callable[[Mesa, str], object]) -> list[object]:
    """Corre la acción a la vez en dos pantallas: dos conexiones al mismo almacén."""
    resultados: list[object] = []
    salida = threading.Barrier(2)

    def pantalla(persona: str) -> None:
        propia = abrir_mesa(carpeta, abrir_almacen(carpeta))
        salida.wait()
        resultados.append(accion(propia, persona))
        propia.almacen.desconectar()

    hilos = [threading.Thread(target=pantalla, args=(p,)) for p in ("capturista-1", "capturista-2")]
    for hilo in hilos:
        hilo.start()
    for hilo in hilos:
        hilo.join()
    return resultados


@pytest.mark.parametrize("_vez", range(5))
def test_dos_pantallas_piden_a_la_vez_y_nunca_reciben_la_misma(tmp_path: Path, _vez: int) -> None:
    acopiar(abrir_mesa(tmp_path), A1, A2)
    assert set(en_dos_pantallas(tmp_path, lambda m, p: m.tomar_siguiente(p))) == {A1, A2}


@pytest.mark.parametrize("_vez", range(5))
def test_dos_pantallas_acopian_la_misma_y_solo_una_queda(tmp_path: Path, _vez: int) -> None:
    abrir_almacen(tmp_path).desconectar()
    resultados = en_dos_pantallas(tmp_path, lambda m, p: m.acopiar(A1, persona=p, origen=Origen.CATD))
    assert sorted(r.codigo for r in resultados if isinstance(r, Rechazo)) == ["YA_ACOPIADA"]
    assert len(abrir_almacen(tmp_path).hechos_de(A1)) == 1


def test_una_noche_cualquiera_termina_con_todo_verificado(mesa: Mesa, reloj: RelojFijado) -> None:
    azar = random.Random(7)
    acopiar(mesa, A1, A2, A3)
    vistas: dict[str, list[IdActa]] = {}
    for _ in range(400):
        persona = azar.choice(["capturista-1", "capturista-2", "capturista-3", "capturista-4"])
        acta = bien(mesa.tomar_siguiente(persona))
        reloj.avanzar(timedelta(seconds=azar.randint(1, 200)))
        if acta is None or azar.random() < 0.2:
            for pendiente in bien(mesa.por_revisar()):
                estado = bien(mesa.estado(pendiente))
                assert isinstance(estado, EnRevision)
                bien(mesa.revisar(pendiente, ("coordinacion", persona), dict.fromkeys(estado.campos, Numero(10))))
            continue
        abierta = bien(mesa.abierta(acta, persona))
        valor = Numero(azar.choice([10, 10, 11]))
        if isinstance(abierta.libre, Discrepante):
            bien(mesa.corregir(acta, persona, dict.fromkeys(abierta.libre.campos, valor)))
        else:
            vistas.setdefault(persona, []).append(acta)
            bien(mesa.capturar(acta, persona, lectura(acta, PAN=valor)))
    assert bien(mesa.avance()) == {"Verificada": 3}
    assert all(len(actas) == len(set(actas)) for actas in vistas.values())


# ------------------------------------------------------------------------------------------------------------ recepción


def test_la_misma_acta_no_se_acopia_dos_veces(mesa: Mesa) -> None:
    acopiar(mesa, A1)
    assert codigo(mesa.acopiar(A1, persona="acopio-2", origen=Origen.CATD)) == "YA_ACOPIADA"


@pytest.mark.parametrize("horas", [-2.1, 31])
def test_una_hora_fuera_de_la_operacion_se_rechaza(mesa: Mesa, horas: float) -> None:
    cuando = hora() + timedelta(hours=horas)
    assert codigo(mesa.acopiar(A1, persona="p", origen=Origen.CATD, hora=cuando)) == "FUERA_DE_OPERACION"


def test_un_kiosco_sin_pila_que_arranco_en_1970_lo_dice_y_no_revienta(mesa: Mesa, reloj: RelojFijado) -> None:
    acopiar(mesa, A1)
    bien(mesa.tomar(A1, "capturista-1"))
    en_hora = reloj.ahora()
    reloj.fijar(datetime(1970, 1, 1, tzinfo=UTC))
    for contestacion in (
        mesa.acopiar(A2, persona="acopio-1", origen=Origen.CATD),
        mesa.acopiar(A2, persona="acopio-1", origen=Origen.CATD, hora=hora()),
        mesa.digitalizar(A1, persona="p", digitalizacion=Digitalizacion.ESCANER, contenido=b"png"),
        mesa.capturar(A1, "capturista-1", lectura()),
        mesa.tomar(A1, "capturista-2"),
        mesa.declarar_sin_acta(A2, "capturista-1", "coordinacion", MotivoSinActa.PAQUETE_SIN_BOLSA),
    ):
        assert codigo(contestacion) == "RELOJ"
    with pytest.raises(Falla, match="01/01/1970"):
        mesa.almacen.asentar([un_hecho()], reloj.ahora(), "libre")
    assert mesa.almacen.ultimo().secuencia == 1
    reloj.fijar(en_hora)
    assert isinstance(bien(mesa.capturar(A1, "capturista-1", lectura())).estado, PrimeraConcluida)


def test_lo_asentado_con_la_alarma_levantada_queda_en_lista_para_recapturar(mesa: Mesa) -> None:
    acopiar(mesa, A1)
    ajeno = Acuse("catd-01", EPOCA, 9, "c" * 64, (), (), (), hora())
    assert mesa.almacen.cerrar(ajeno, hora()).veredicto is Veredicto.RETROCEDIDO
    acopiar(mesa, A2)
    capturar(mesa, "capturista-1", A2)
    with mesa.almacen.lectura() as mirada:
        filas = mirada.conexion.execute(
            "SELECT evento, acta, detalle FROM bitacora WHERE evento <> 'tomada' ORDER BY renglon"
        ).fetchall()
    assert [evento for evento, _, _ in filas] == ["retrocedido", "asentado_con_alarma", "asentado_con_alarma"]
    assert filas[2][1:] == (str(A2), "retrocedido: captura en la secuencia 3")


def test_una_hora_adelantada_al_reloj_se_acepta_y_se_anota(mesa: Mesa) -> None:
    bien(mesa.acopiar(A1, persona="acopio-1", origen=Origen.CATD, hora=hora(30)))
    with mesa.almacen.lectura() as mirada:
        evento, acta = mirada.conexion.execute("SELECT evento, acta FROM bitacora").fetchone()
    assert (evento, acta) == ("acopio_hora_rara", str(A1))


@pytest.mark.parametrize(
    ("acta", "esperado"),
    [
        (IdActa("GUB", "209999B0100"), "FUERA_DE_CATALOGO"),
        (IdActa("GUB", "<script>"), "FUERA_DE_CATALOGO"),
        (IdActa("DIP", A1.casilla), "ELECCION_DESCONOCIDA"),
    ],
)
def test_un_acta_que_no_es_de_aqui_se_rechaza_en_todas_las_acciones(mesa: Mesa, acta: IdActa, esperado: str) -> None:
    assert codigo(mesa.acopiar(acta, persona="p", origen=Origen.CATD)) == esperado
    assert codigo(mesa.tomar(acta, "p")) == esperado
    assert codigo(mesa.capturar(acta, "p", lectura())) == esperado
    assert codigo(mesa.estado(acta)) == esperado
    assert codigo(mesa.renglones(acta)) == esperado
    assert codigo(mesa.declarar_sin_acta(acta, "p", "q", MotivoSinActa.PAQUETE_SIN_BOLSA)) == esperado


def test_no_se_captura_lo_que_no_se_ha_acopiado(mesa: Mesa) -> None:
    assert codigo(mesa.tomar(A1, "capturista-1")) == "SIN_ACOPIO"
    assert codigo(mesa.capturar(A1, "capturista-1", lectura())) == "SIN_ACOPIO"


def test_si_se_exige_imagen_no_se_captura_sin_ella(tmp_path: Path) -> None:
    base = abrir_mesa(tmp_path)
    mesa = Mesa(base.almacen, base.imagenes, PROCESO, base.reloj, exigir_imagen=True)
    acopiar(mesa, A1)
    assert mesa.siguiente("capturista-1") is None
    assert codigo(mesa.tomar(A1, "capturista-1")) == "SIN_IMAGEN"
    bien(mesa.digitalizar(A1, persona="p", digitalizacion=Digitalizacion.ESCANER, contenido=b"png"))
    assert mesa.tomar_siguiente("capturista-1") == A1


def test_redigitalizar_conserva_ambas_imagenes_y_repetir_la_misma_no_agrega(mesa: Mesa) -> None:
    acopiar(mesa, A1)
    for contenido in (b"borrosa", b"nitida", b"nitida"):
        bien(mesa.digitalizar(A1, persona="p", digitalizacion=Digitalizacion.ESCANER, contenido=contenido))
    imagenes = [h for h in mesa.almacen.hechos_de(A1) if isinstance(h, Imagen)]
    assert [mesa.imagenes.leer(i.sha256) for i in imagenes] == [b"borrosa", b"nitida"]


def test_un_nombre_que_el_centro_no_aceptaria_no_llega_al_libro(mesa: Mesa) -> None:
    assert codigo(mesa.acopiar(A1, persona="María José", origen=Origen.CATD)) == "FORMA"
    assert mesa.almacen.ultimo().secuencia == 0


def test_se_declara_sin_acta_y_horas_despues_aparece(mesa: Mesa) -> None:
    motivo = MotivoSinActa.PAQUETE_SIN_BOLSA
    assert codigo(mesa.declarar_sin_acta(A1, "capturista-1", "capturista-1", motivo)) == "MISMA_PERSONA"
    hecha = bien(mesa.declarar_sin_acta(A1, "capturista-1", "coordinacion", motivo))
    assert isinstance(hecha.estado, SinActaDeclarada)
    assert bien(mesa.declarar_sin_acta(A1, "capturista-1", "coordinacion", motivo)).asientos == ()
    assert mesa.siguiente("capturista-1") is None
    acopiar(mesa, A1)
    assert mesa.siguiente("capturista-1") == A1
    capturar(mesa, "capturista-1")
    assert isinstance(capturar(mesa, "capturista-2").estado, Verificada)


def test_la_bolsa_llego_vacia_y_luego_aparecio_el_acta(mesa: Mesa) -> None:
    acopiar(mesa, A1)
    bien(mesa.declarar_sin_acta(A1, "capturista-1", "coordinacion", MotivoSinActa.PAQUETE_SIN_BOLSA))
    assert mesa.siguiente("capturista-1") is None
    acopiar(mesa, A1)
    assert mesa.siguiente("capturista-1") == A1
    assert sum(isinstance(h, Acopio) for h in mesa.almacen.hechos_de(A1)) == 2


def test_el_mismo_documento_fuera_de_catalogo_es_uno_solo(mesa: Mesa) -> None:
    def declarar(contenido: bytes | None, sha256: str | None = None) -> object:
        return mesa.declarar_fuera_de_catalogo(
            "GUB",
            persona="acopio-1",
            origen=Origen.CATD,
            digitalizacion=Digitalizacion.ESCANER,
            tipo_documento="ACTA PREP",
            mecanismo_traslado="",
            contenido=contenido,
            sha256=sha256,
        )

    assert not isinstance(declarar(b"hoja sin clave"), Rechazo)
    assert codigo(declarar(b"hoja sin clave")) == "YA_DECLARADO"
    assert not isinstance(declarar(None, "0" * 64), Rechazo)
    assert codigo(declarar(None, "corta")) == "FORMA"
    assert codigo(declarar(None)) == "FORMA"
    assert mesa.almacen.ultimo().secuencia == 2
