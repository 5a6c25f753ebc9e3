"""Los cinco destinos de la ingesta, con sobres firmados de verdad y un SQLite de verdad."""

from __future__ import annotations

import random
import sqlite3
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nucleo.acta import Digitalizacion, Origen
from nucleo.campo import Numero
from nucleo.hechos import Acopio, Correccion, FueraDeCatalogo, IdActa, a_contenido
from nucleo.sobre import CADENA_NUEVA, MAXIMO_BYTES, huella
from nucleo.temas import Carril
from servicio_central import almacen_comun
from servicio_central.almacen import Almacen
from servicio_central.cadena import Cadena, Eslabon, de_eslabones
from servicio_central.corte import hacer_corte
from servicio_central.ingesta import Destino, Mensaje, Resultado
from servicio_central.publicado import contenido
from tests.estrategias import armar, desarmar
from tests.sobres_de_prueba import AHORA, AMBITO, PROCESO, CentroDePrueba, EquipoDePrueba, captura

PERSONAS = ("ana", "beto", "carmen", "dora")
CASILLAS = tuple(PROCESO.casillas)
CORTE = datetime(2022, 6, 6, 2, 20, tzinfo=UTC)


@pytest.fixture
def equipo() -> EquipoDePrueba:
    return EquipoDePrueba("catd-01")


@pytest.fixture
def centro(tmp_path: Path, equipo: EquipoDePrueba) -> CentroDePrueba:
    return CentroDePrueba(tmp_path, [equipo, EquipoDePrueba("catd-02")])


def _codigos(resultado: Resultado) -> list[str]:
    return [d.codigo or d.destino.value for d in resultado.dictamenes]


def _cuantos(centro: CentroDePrueba, tabla: str) -> int:
    (cuantos,) = centro.almacen.bd.execute(f"SELECT count(*) FROM {tabla}").fetchone()
    return int(cuantos)


# ------------------------------------------------------------------------------------------------------ cinco destinos


def test_lo_nuevo_se_acepta_y_el_acuse_dice_hasta_donde(centro: CentroDePrueba, equipo: EquipoDePrueba) -> None:
    resultado = centro.ingesta.procesar([equipo.mensaje(captura(persona=p)) for p in PERSONAS[:2]])
    assert _codigos(resultado) == ["aceptado", "aceptado"]
    (acuse,) = centro.acuses(resultado)
    assert (acuse.equipo, acuse.contiguo, acuse.huella) == ("catd-01", 2, equipo.previo)
    assert resultado.acuses[0][0] == f"prep/{AMBITO}/catd-01/baja/acuse"


def test_lo_repetido_se_acusa_otra_vez_y_no_se_cuenta_dos(centro: CentroDePrueba, equipo: EquipoDePrueba) -> None:
    mensaje = equipo.mensaje(captura())
    assert centro.destinos(mensaje, mensaje) == ["aceptado", "repetido"]
    otra_vez = centro.ingesta.procesar([mensaje])
    assert _codigos(otra_vez) == ["repetido"]
    assert centro.acuses(otra_vez)[0].contiguo == 1
    assert _cuantos(centro, "hechos") == 1


def test_otra_firma_de_los_mismos_bytes_es_la_misma_hoja(centro: CentroDePrueba, equipo: EquipoDePrueba) -> None:
    uno = equipo.firmar(captura())
    equipo.secuencia, equipo.previo = 0, CADENA_NUEVA
    otro = equipo.firmar(captura())
    assert uno != otro
    assert huella(uno) == huella(otro)
    assert centro.destinos(equipo.envio(uno), equipo.envio(otro)) == ["aceptado", "repetido"]


def test_dos_hojas_en_el_mismo_lugar_se_guardan_ambas_y_cuenta_la_primera(
    centro: CentroDePrueba, equipo: EquipoDePrueba
) -> None:
    primera = equipo.firmar(captura(votos=10))
    equipo.secuencia, equipo.previo = 0, CADENA_NUEVA
    segunda = equipo.firmar(captura(votos=99))
    centro.destinos(equipo.envio(primera))
    resultado = centro.ingesta.procesar([equipo.envio(segunda), equipo.envio(segunda)])
    assert [d.destino for d in resultado.dictamenes] == [Destino.BIFURCADO] * 2
    assert len(resultado.alarmas) == 1
    (acuse,) = centro.acuses(resultado)
    assert acuse.huella == huella(primera)
    assert [(a.huella, a.codigo) for a in acuse.apartados] == [(huella(segunda), "BIFURCADO")]
    guardada = centro.almacen.bd.execute("SELECT huella_contada, huella, sobre FROM bifurcaciones").fetchall()
    assert guardada == [(huella(primera), huella(segunda), segunda)]
    # Tampoco al volver a arrancar gana la segunda.
    centro.arrancar()
    assert centro.destinos(equipo.envio(segunda), equipo.envio(primera)) == ["bifurcado", "repetido"]


@pytest.mark.parametrize(
    ("codigo", "cambio"),
    [
        ("PROCESO_AJENO", {"proceso": "otro2024"}),
        ("MODO_AJENO", {"modo": "oficial"}),
        ("CATD_AJENO", {"catd": "catd-02"}),
        ("EPOCA_NO_INSCRITA", {"epoca": "ffffffffffffffff"}),
    ],
)
def test_lo_que_es_de_otra_parte_va_a_cuarentena(
    centro: CentroDePrueba, equipo: EquipoDePrueba, codigo: str, cambio: dict[str, str]
) -> None:
    resultado = centro.ingesta.procesar([equipo.mensaje(captura(), **cambio)])
    assert _codigos(resultado) == [codigo]
    assert resultado.dictamenes[0].destino is Destino.FATAL
    assert _cuantos(centro, "cuarentena") == 1
    assert [a.codigo for a in centro.acuses(resultado)[0].apartados] == [codigo]


def test_un_kiosco_no_habla_por_otro_ni_por_su_tema_ni_con_su_nombre(
    centro: CentroDePrueba, equipo: EquipoDePrueba
) -> None:
    otro = centro.equipos[1]
    ajeno = equipo.firmar(captura())
    assert _codigos(centro.ingesta.procesar([otro.envio(ajeno)])) == ["KID_AJENO"]
    impostor = EquipoDePrueba("catd-02")
    impostor.quien = replace(impostor.quien, llave=equipo.quien.llave)
    assert _codigos(centro.ingesta.procesar([impostor.mensaje(captura())])) == ["FIRMA"]
    # Lo que llegó por el tema ajeno no estorba a su dueño.
    assert centro.destinos(equipo.envio(ajeno)) == ["aceptado"]


@pytest.mark.parametrize("lugar", [0.1, 0.5, 0.95])
def test_un_bit_cambiado_en_cualquier_parte_se_rechaza(
    centro: CentroDePrueba, equipo: EquipoDePrueba, lugar: float
) -> None:
    bueno = equipo.firmar(captura())
    i = int(len(bueno) * lugar)
    malo = bueno[:i] + ("A" if bueno[i] != "A" else "B") + bueno[i + 1 :]
    (dictamen,) = centro.ingesta.procesar([equipo.envio(malo)]).dictamenes
    assert dictamen.destino is Destino.FATAL
    assert centro.destinos(equipo.envio(bueno)) == ["aceptado"]


def test_una_copia_con_la_firma_rota_no_estorba_a_la_buena_ni_la_desmiente(
    centro: CentroDePrueba, equipo: EquipoDePrueba
) -> None:
    bueno = equipo.firmar(captura())
    cabeza, carga, _ = desarmar(bueno)
    malo = armar(cabeza, carga, bytes(64))
    assert huella(malo) == huella(bueno)
    antes = centro.ingesta.procesar([equipo.envio(malo)])
    assert [a.codigo for a in centro.acuses(antes)[0].apartados] == ["FIRMA"]
    despues = centro.ingesta.procesar([equipo.envio(bueno), equipo.envio(malo)])
    assert [d.destino.value for d in despues.dictamenes] == ["aceptado", "fatal"]
    (acuse,) = centro.acuses(despues)
    assert acuse.contiguo == 1
    assert acuse.apartados == ()


def test_un_equipo_dado_de_baja_o_desconocido_va_a_cuarentena_y_si_vuelve_se_acepta(
    centro: CentroDePrueba, equipo: EquipoDePrueba
) -> None:
    mensaje = equipo.mensaje(captura())
    centro.ingesta.recargar(padron=centro.padron(catd_01=equipo.inscrito(vigente=False)))
    resultado = centro.ingesta.procesar([mensaje])
    assert _codigos(resultado) == ["EQUIPO_NO_VIGENTE"]
    assert [a.codigo for a in centro.acuses(resultado)[0].apartados] == ["EQUIPO_NO_VIGENTE"]
    ajeno = EquipoDePrueba("catd-99")
    desconocido = centro.ingesta.procesar([ajeno.mensaje(captura())])
    assert _codigos(desconocido) == ["EQUIPO_DESCONOCIDO"]
    assert desconocido.acuses == ()
    centro.ingesta.recargar(padron=centro.padron())
    assert centro.destinos(mensaje) == ["aceptado"]


def test_los_renglones_tienen_que_ser_los_de_esa_acta(centro: CentroDePrueba, equipo: EquipoDePrueba) -> None:
    de_mas = captura(MORENA=Numero(3))
    acta = IdActa("GUB", CASILLAS[0])
    resultado = centro.ingesta.procesar(
        [
            equipo.mensaje(de_mas),
            equipo.mensaje(Correccion(acta, 1, AHORA, "carmen", {"PT": Numero(1)})),
            equipo.mensaje(Correccion(acta, 1, AHORA, "carmen", {"PAN": Numero(1), "TOTAL_ASENTADO": Numero(9)})),
        ]
    )
    assert _codigos(resultado) == ["RENGLONES", "RENGLONES", "aceptado"]
    assert "MORENA" in resultado.dictamenes[0].causa


def test_lo_enorme_y_lo_que_no_es_nada_no_tumban_ni_frenan(centro: CentroDePrueba, equipo: EquipoDePrueba) -> None:
    bueno = equipo.mensaje(captura())
    resultado = centro.ingesta.procesar(
        [
            equipo.envio("x" * (MAXIMO_BYTES + 1)),
            equipo.envio(b"\xff\x00"),
            equipo.envio(""),
            Mensaje("prep/oficial-prueba2022/catd-01/sube/hechos", bueno.datos),
            Mensaje(f"prep/{AMBITO}/catd-01/baja/acuse", bueno.datos),
            Mensaje("otra/cosa", bueno.datos),
            equipo.envio(equipo.sobre({"hecho": "otro"})),
            bueno,
        ]
    )
    esperados = ["TAMANO", "FORMA", "FORMA", "AMBITO", "TEMA", "TEMA", "HECHO_INVALIDO", "aceptado"]
    assert _codigos(resultado) == esperados
    (guardado,) = centro.almacen.bd.execute("SELECT length(bytes) FROM cuarentena WHERE codigo = 'TAMANO'").fetchone()
    assert guardado <= MAXIMO_BYTES


def test_la_basura_repetida_se_guarda_una_vez_y_se_cuenta(centro: CentroDePrueba, equipo: EquipoDePrueba) -> None:
    for _ in range(3):
        centro.destinos(equipo.envio("basura"))
    assert _cuantos(centro, "cuarentena") == 1
    assert centro.almacen.bd.execute("SELECT veces FROM veces").fetchall() == [(3,)]


def test_la_basura_distinta_sin_parar_no_llena_el_disco(
    centro: CentroDePrueba, equipo: EquipoDePrueba, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(almacen_comun, "TOPE_APARTADOS", 5)
    resultado = centro.ingesta.procesar([equipo.envio(f"basura {n}") for n in range(40)])
    assert resultado.cuenta == Counter({Destino.FATAL: 40})
    assert _cuantos(centro, "cuarentena") == 5
    assert _cuantos(centro, "veces") == 5
    assert centro.almacen.bd.execute("SELECT clave, veces FROM desbordes").fetchall() == [("cuarentena/catd-01", 35)]
    # El tope es por equipo: los demás no lo notan.
    assert centro.destinos(equipo.mensaje(captura())) == ["aceptado"]


def _apartar(centro: CentroDePrueba, sha256: str, huella_: str = "", codigo: str = "FORMA") -> bool:
    tema = f"prep/{AMBITO}/catd-01/sube/hechos"
    return centro.almacen.apartar(sha256, huella_, "catd-01", tema, codigo, "", b"x", 1, AHORA.isoformat())


def test_un_lote_que_lleno_la_cuarentena_y_se_deshizo_no_la_deja_por_llena(
    centro: CentroDePrueba, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(almacen_comun, "TOPE_APARTADOS", 3)

    def lote(falla: Exception | None) -> None:
        with centro.almacen.transaccion():
            assert [_apartar(centro, str(n)) for n in range(5)] == [True] * 3 + [False] * 2
            if falla is not None:
                raise falla

    with pytest.raises(OSError, match="se acabó el disco"):
        lote(OSError("se acabó el disco"))
    lote(None)


def test_una_hoja_apartada_por_dos_causas_no_le_quita_su_lugar_a_otra(centro: CentroDePrueba) -> None:
    with centro.almacen.transaccion():
        for n, (cual, codigo) in enumerate((("b", "FIRMA"), ("a", "FIRMA"), ("a", "FORMA"))):
            assert _apartar(centro, str(n), cual, codigo)
        assert centro.almacen.apartados_de("catd-01", 2) == [("a", "FORMA"), ("b", "FIRMA")]


# ---------------------------------------------------------------------------------------------------- aún no se puede


def test_una_casilla_desconocida_espera_sin_frenar_y_entra_cuando_llega_la_definicion(
    centro: CentroDePrueba, equipo: EquipoDePrueba
) -> None:
    completo = centro.proceso
    casillas = {c: v for c, v in completo.casillas.items() if c != "200001C0100"}
    centro.ingesta.recargar(proceso=replace(completo, casillas=casillas))
    resultado = centro.ingesta.procesar(
        [equipo.mensaje(captura(c)) for c in ("200001B0100", "200001C0100", "200002S0100")]
    )
    assert [d.destino.value for d in resultado.dictamenes] == ["aceptado", "transitorio", "aceptado"]
    (acuse,) = centro.acuses(resultado)
    assert (acuse.contiguo, [s for s, _ in acuse.sueltos], acuse.faltan) == (1, [3], ((2, 2),))
    # Se le dice al kiosco por qué, para que no detenga la fila; pero no se acusa.
    assert [a.codigo for a in acuse.apartados] == ["CASILLA_DESCONOCIDA"]
    # Sobrevive a un apagón del centro y entra sola.
    centro.proceso = replace(completo, casillas=casillas)
    centro.arrancar()
    recargada = centro.ingesta.recargar(proceso=completo)
    assert _codigos(recargada) == ["aceptado"]
    assert centro.acuses(recargada)[0].contiguo == 3
    assert _cuantos(centro, "en_espera") == 0


def test_la_espera_que_se_lleno_vuelve_a_admitir_en_cuanto_hay_lugar(
    centro: CentroDePrueba, equipo: EquipoDePrueba, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(almacen_comun, "TOPE_APARTADOS", 3)
    completo = centro.proceso
    incompleto = replace(completo, casillas={c: v for c, v in completo.casillas.items() if c != "200001C0100"})
    mensajes = [equipo.mensaje(captura("200001C0100", persona=f"p-{n}")) for n in range(5)]
    centro.ingesta.recargar(proceso=incompleto)
    assert centro.destinos(*mensajes) == ["transitorio"] * 5
    assert _cuantos(centro, "en_espera") == 3
    assert centro.almacen.bd.execute("SELECT clave, veces FROM desbordes").fetchall() == [("en_espera/catd-01", 2)]
    assert _codigos(centro.ingesta.recargar(proceso=completo)) == ["aceptado"] * 3
    # Las otras dos las reenvía el kiosco; si vuelven a faltar datos, ahora sí hay dónde esperar.
    centro.ingesta.recargar(proceso=incompleto)
    assert centro.destinos(*mensajes[3:]) == ["transitorio"] * 2
    assert _codigos(centro.ingesta.recargar(proceso=completo)) == ["aceptado"] * 2
    assert _cuantos(centro, "hechos") == 5


def test_una_eleccion_desconocida_espera(centro: CentroDePrueba, equipo: EquipoDePrueba) -> None:
    hecho = FueraDeCatalogo(
        "DIP_LOC", "F1", AHORA, Origen.CATD, Digitalizacion.ESCANER, "ACTA PREP", "", "a" * 64, "ana"
    )
    assert _codigos(centro.ingesta.procesar([equipo.mensaje(hecho)])) == ["ELECCION_DESCONOCIDA"]
    assert _cuantos(centro, "cuarentena") == 0


def test_una_casilla_que_no_levanta_acta_de_esa_eleccion_espera(tmp_path: Path, equipo: EquipoDePrueba) -> None:
    gubernatura = replace(PROCESO.elecciones["GUB"], tipos_casilla=frozenset("BC"))
    centro = CentroDePrueba(tmp_path, [equipo], replace(PROCESO, elecciones={"GUB": gubernatura}))
    assert _codigos(centro.ingesta.procesar([equipo.mensaje(captura("200002S0100"))])) == ["CASILLA_NO_ESPERADA"]


def test_con_el_disco_lleno_nada_se_acusa_y_despues_todo_entra(centro: CentroDePrueba, equipo: EquipoDePrueba) -> None:
    mensajes = [equipo.mensaje(captura(persona=p)) for p in PERSONAS]
    (paginas,) = centro.almacen.bd.execute("PRAGMA page_count").fetchone()
    centro.almacen.bd.execute(f"PRAGMA max_page_count = {paginas}")
    grandes = [equipo.mensaje(captura(c, persona=f"p-{n}")) for c in CASILLAS for n in range(60)]
    resultado = centro.ingesta.procesar(mensajes + grandes)
    assert set(resultado.cuenta) == {Destino.TRANSITORIO}
    assert resultado.acuses == ()
    assert "almacén" in resultado.alarmas[0]
    assert _cuantos(centro, "hechos") == 0
    centro.almacen.bd.execute("PRAGMA max_page_count = 1073741823")
    resultado = centro.ingesta.procesar(mensajes + grandes)
    assert set(resultado.cuenta) == {Destino.ACEPTADO}
    assert centro.acuses(resultado)[-1].contiguo == len(mensajes + grandes)


def test_con_el_archivo_tomado_por_otro_el_ciclo_sobrevive(centro: CentroDePrueba, equipo: EquipoDePrueba) -> None:
    mensaje = equipo.mensaje(captura())
    centro.almacen.bd.execute("PRAGMA busy_timeout = 10")
    otro = sqlite3.connect(centro.carpeta / "almacen.sqlite", isolation_level=None)
    otro.execute("BEGIN IMMEDIATE")
    assert _codigos(centro.ingesta.procesar([mensaje])) == ["ALMACEN"]
    otro.execute("ROLLBACK")
    otro.close()
    assert centro.destinos(mensaje) == ["aceptado"]


# ------------------------------------------------------------------------------------------------------------- cadenas


def test_un_hueco_no_detiene_y_se_pide_lo_que_falta(centro: CentroDePrueba, equipo: EquipoDePrueba) -> None:
    m = [equipo.mensaje(captura(persona=p)) for p in PERSONAS]
    (acuse,) = centro.acuses(centro.ingesta.procesar([m[0], m[3]]))
    assert (acuse.contiguo, [s for s, _ in acuse.sueltos], acuse.faltan) == (1, [4], ((2, 3),))
    (acuse,) = centro.acuses(centro.ingesta.procesar([m[2], m[1]]))
    assert (acuse.contiguo, acuse.sueltos, acuse.faltan) == (4, (), ())


def test_el_latido_delata_la_cola_perdida(centro: CentroDePrueba, equipo: EquipoDePrueba) -> None:
    m = [equipo.mensaje(captura(persona=p)) for p in PERSONAS]
    centro.destinos(*m[:2])
    (acuse,) = centro.acuses(centro.ingesta.procesar([equipo.latido()]))
    assert (acuse.contiguo, acuse.faltan) == (2, ((3, 4),))
    # También para quien nunca ha mandado nada, y después de volver a arrancar.
    centro.arrancar()
    nuevo = centro.equipos[1]
    (acuse,) = centro.acuses(centro.ingesta.procesar([nuevo.latido(7)]))
    assert (acuse.contiguo, acuse.huella, acuse.faltan) == (0, CADENA_NUEVA, ((1, 7),))


def test_una_cadena_rota_se_guarda_se_cuenta_y_no_avanza(centro: CentroDePrueba, equipo: EquipoDePrueba) -> None:
    uno = equipo.mensaje(captura(persona="ana"))
    equipo.previo = "f" * 64
    dos, tres = (equipo.mensaje(captura(persona=p)) for p in ("beto", "carmen"))
    resultado = centro.ingesta.procesar([uno, dos, tres])
    assert [d.destino.value for d in resultado.dictamenes] == ["aceptado"] * 3
    assert sum("CADENA ROTA" in a for a in resultado.alarmas) == 1
    (acuse,) = centro.acuses(resultado)
    assert (acuse.contiguo, [s for s, _ in acuse.sueltos], acuse.faltan) == (1, [2, 3], ())


def test_con_la_cadena_rota_y_cientos_de_sueltos_todos_se_llegan_a_acusar(
    centro: CentroDePrueba, equipo: EquipoDePrueba
) -> None:
    centro.destinos(equipo.mensaje(captura()))
    equipo.previo = "f" * 64
    m = [equipo.mensaje(captura(persona=f"p-{n}")) for n in range(150)]
    avisados = {s for a in centro.acuses(centro.ingesta.procesar(m)) for s, _ in a.sueltos}
    assert avisados == set(range(2, 152))
    # Quien perdió esos acuses reenvía, y le contestan por lo que reenvió aunque haya otros 150 antes.
    (acuse,) = centro.acuses(centro.ingesta.procesar(m[140:]))
    assert {s for s, _ in acuse.sueltos} >= set(range(142, 152))


def test_un_retroceso_se_ve_y_la_muerte_vieja_no_engana(centro: CentroDePrueba, equipo: EquipoDePrueba) -> None:
    m = [equipo.mensaje(captura(persona=p)) for p in PERSONAS]
    centro.destinos(*m)
    assert centro.ingesta.procesar([equipo.latido()]).alarmas == ()
    # El testamento se escribió al conectarse, con la secuencia de entonces: no es un retroceso.
    assert centro.ingesta.procesar([equipo.latido(0, motivo="muerte")]).alarmas == ()
    assert centro.almacen.bd.execute("SELECT motivo, secuencia FROM latidos").fetchall() == [("muerte", 4)]
    # La muerte de una sesión anterior se ignora.
    centro.destinos(equipo.latido(segundo=5, sesion="2" * 16))
    centro.destinos(equipo.latido(0, motivo="muerte"))
    assert centro.almacen.bd.execute("SELECT motivo FROM latidos").fetchall() == [("pulso",)]
    resultado = centro.ingesta.procesar([equipo.latido(2, segundo=9, sesion="2" * 16)])
    assert "RETROCESO" in resultado.alarmas[0]


def test_al_kiosco_le_atrasaron_el_reloj_y_sus_latidos_siguen_contando(
    centro: CentroDePrueba, equipo: EquipoDePrueba
) -> None:
    centro.destinos(equipo.latido(4, segundo=3600))
    assert centro.destinos(equipo.latido(4, segundo=15)) == ["aceptado"]
    (acuse,) = centro.acuses(centro.ingesta.procesar([equipo.latido(6, segundo=30)]))
    assert acuse.faltan == ((1, 6),)
    assert centro.almacen.bd.execute("SELECT secuencia FROM latidos").fetchall() == [(6,)]


def test_repetir_latidos_viejos_no_hace_parecer_vivo_a_un_kiosco_apagado(
    centro: CentroDePrueba, equipo: EquipoDePrueba
) -> None:
    grabados = [equipo.latido(n, segundo=n) for n in (1, 2, 3)]
    otra_sesion = equipo.latido(3, segundo=9, sesion="2" * 16)
    centro.destinos(*grabados, otra_sesion)
    centro.arrancar()
    for _ in range(2):
        assert set(centro.destinos(*grabados, otra_sesion)) == {"repetido"}
    # Y una secuencia menor no borra lo que ya se sabe que existe.
    (acuse,) = centro.acuses(centro.ingesta.procesar([grabados[0]]))
    assert acuse.faltan == ((1, 3),)


def test_otro_centro_guardo_la_hoja_y_este_no_la_pide_para_siempre(
    centro: CentroDePrueba, equipo: EquipoDePrueba
) -> None:
    uno, dos = (equipo.mensaje(captura(persona=p)) for p in PERSONAS[:2])
    este = centro.ingesta
    centro.arrancar()
    assert centro.destinos(uno) == ["aceptado"]
    resultado = este.procesar([uno, dos])
    assert _codigos(resultado) == ["repetido", "aceptado"]
    (acuse,) = centro.acuses(resultado)
    assert (acuse.contiguo, acuse.faltan) == (2, ())
    assert list(centro.almacen.cadenas_guardadas().values()) == [(2, equipo.previo)]


def test_un_latido_ajeno_o_alterado_no_entra(centro: CentroDePrueba, equipo: EquipoDePrueba) -> None:
    bueno = equipo.latido()
    otro = centro.equipos[1]
    ajeno = otro.envio(bueno.datos, Carril.LATIDO)
    como_hecho = equipo.envio(bueno.datos)
    assert _codigos(centro.ingesta.procesar([ajeno, como_hecho, equipo.latido(catd="catd-02")])) == [
        "KID_AJENO",
        "TIPO",
        "CATD_AJENO",
    ]
    assert _cuantos(centro, "latidos") == 0


# ------------------------------------------------------------------------------------------------------------ durable


def test_los_hechos_no_se_pueden_cambiar_borrar_ni_reemplazar(centro: CentroDePrueba, equipo: EquipoDePrueba) -> None:
    primera = equipo.mensaje(captura())
    centro.destinos(primera, equipo.envio("basura"))
    equipo.secuencia, equipo.previo = 0, CADENA_NUEVA
    centro.destinos(equipo.mensaje(captura(votos=99)))
    for tabla in ("hechos", "bifurcaciones", "cuarentena"):
        columnas = [f[1] for f in centro.almacen.bd.execute(f"PRAGMA table_info({tabla})")]
        for orden in (
            f"UPDATE {tabla} SET {columnas[1]} = 'x'",
            f"DELETE FROM {tabla}",
            f"INSERT OR REPLACE INTO {tabla} SELECT * FROM {tabla}",
            f"REPLACE INTO {tabla} ({','.join(columnas[1:])}) SELECT {','.join(columnas[1:])} FROM {tabla}",
        ):
            with pytest.raises(sqlite3.IntegrityError, match="sólo se agrega"):
                centro.almacen.bd.execute(orden)


def test_al_volver_a_arrancar_sabe_lo_mismo(centro: CentroDePrueba, equipo: EquipoDePrueba) -> None:
    m = [equipo.mensaje(captura(persona=p)) for p in PERSONAS]
    centro.destinos(m[0], m[1], m[3], equipo.latido())
    antes = centro.acuses(centro.ingesta.procesar([m[0]]))
    centro.arrancar()
    assert centro.acuses(centro.ingesta.procesar([m[0]])) == antes


# --------------------------------------------------------------------------------------------------------- propiedades


def _entregas(semilla: int, cuantos: int) -> tuple[list[EquipoDePrueba], list[Mensaje]]:
    """Los hechos de dos equipos sobre las mismas casillas: acopios y capturas de varias personas."""
    azar = random.Random(semilla)
    equipos = [EquipoDePrueba("catd-01"), EquipoDePrueba("catd-02")]
    mensajes = []
    for n in range(cuantos):
        casilla, hora = azar.choice(CASILLAS), AHORA + timedelta(seconds=n)
        if azar.random() < 0.3:
            mensajes.append(
                azar.choice(equipos).mensaje(
                    Acopio(IdActa("GUB", casilla), hora, Origen.CATD, "ACTA PREP", "", azar.choice(PERSONAS))
                )
            )
        else:
            hecho = replace(captura(casilla, azar.choice(PERSONAS), azar.choice((10, 10, 11))), hora=hora)
            mensajes.append(azar.choice(equipos).mensaje(hecho))
    return equipos, mensajes


@settings(max_examples=25)
@given(st.integers(0, 2**32), st.integers(1, 25), st.randoms(use_true_random=False), st.integers(1, 9))
def test_el_orden_las_repeticiones_y_los_cortes_de_luz_no_cambian_un_byte(
    semilla: int, cuantos: int, azar: random.Random, tramo: int
) -> None:
    equipos, mensajes = _entregas(semilla, cuantos)
    revueltos = mensajes + azar.choices(mensajes, k=azar.randrange(cuantos + 1))
    azar.shuffle(revueltos)
    with TemporaryDirectory() as temporal:
        publicado = []
        for nombre, entregas in (("derecho", mensajes), ("revuelto", revueltos)):
            centro = CentroDePrueba(Path(temporal, nombre), equipos)
            for desde in range(0, len(entregas), tramo):
                destinos = centro.destinos(*entregas[desde : desde + tramo])
                assert set(destinos) <= {"aceptado", "repetido"}
                if nombre == "revuelto":
                    centro.almacen.cerrar()
                    centro.arrancar()
            rehechas = centro.almacen.cadenas_desde_hechos()
            guardadas = centro.almacen.cadenas_guardadas()
            assert {k: (c.contiguo, c.huella) for k, c in rehechas.items()} == guardadas
            assert sum(c.contiguo for c in rehechas.values()) == cuantos
            corte = hacer_corte(centro.carpeta, PROCESO, "GUB", CORTE)
            publicado.append(contenido(corte.carpeta))
            centro.almacen.cerrar()
        assert publicado[0] == publicado[1]


@given(st.permutations(range(1, 9)), st.sets(st.integers(1, 8)))
def test_la_cadena_no_depende_del_orden(orden: list[int], rotas: set[int]) -> None:
    eslabones = {
        n: Eslabon(f"{n:064x}", "f" * 64 if n in rotas else (f"{n - 1:064x}" if n > 1 else CADENA_NUEVA))
        for n in range(1, 9)
    }
    cadena = de_eslabones((n, eslabones[n]) for n in orden)
    hasta = min(rotas, default=9) - 1
    assert cadena.contiguo == hasta
    assert cadena == Cadena(
        hasta, f"{hasta:064x}" if hasta else CADENA_NUEVA, {n: e for n, e in eslabones.items() if n > hasta}
    )
    assert cadena.rota == bool(rotas)
    assert cadena.faltan() == []


_cualquier_tema = st.one_of(
    st.text(max_size=60),
    st.sampled_from([f"prep/{AMBITO}/catd-01/sube/{c}" for c in ("hechos", "latido", "acuse")]),
    st.builds(
        lambda p: "/".join(p),
        st.tuples(
            st.sampled_from(["prep", "", "otro"]),
            st.sampled_from([AMBITO, "oficial-prueba2022", ""]),
            st.sampled_from(["catd-01", "centro", "+", "ñ"]),
            st.sampled_from(["sube", "baja"]),
            st.sampled_from(["hechos", "latido", "#"]),
        ),
    ),
)


_valores_buenos = list(a_contenido(captura()).values())


@settings(max_examples=150)
@given(datos=st.data())
def test_con_cualquier_tema_y_cualesquiera_bytes_hay_uno_de_cinco_destinos(datos: st.DataObject) -> None:
    equipo = EquipoDePrueba("catd-01")
    bueno = equipo.mensaje(captura()).datos
    mutado = st.builds(
        lambda i, b, fin: bueno[:i] + b + bueno[i + fin :],
        st.integers(0, len(bueno)),
        st.binary(max_size=6),
        st.integers(0, 40),
    )
    # Firmado de verdad, con cualquier contenido: lo que puede mandar quien controla un kiosco.
    contenido = st.dictionaries(
        st.sampled_from(["hecho", "hora", "eleccion", "casilla", "campos", "vuelta", "persona", "x"]),
        st.one_of(
            st.text(max_size=12), st.integers(), st.none(), st.sampled_from(list(a_contenido(captura()).values()))
        ),
    )
    firmado = contenido.map(lambda c: equipo.sobre(c).encode())
    lote = datos.draw(
        st.lists(st.builds(Mensaje, _cualquier_tema, st.one_of(st.binary(max_size=200), mutado, firmado)), max_size=6)
    )
    with TemporaryDirectory() as carpeta:
        centro = CentroDePrueba(Path(carpeta), [equipo])
        resultado = centro.ingesta.procesar(lote)
        assert len(resultado.dictamenes) == len(lote)
        assert all(isinstance(d.destino, Destino) for d in resultado.dictamenes)
        assert not any(d.codigo == "ALMACEN" for d in resultado.dictamenes)
        centro.acuses(resultado)
        centro.almacen.cerrar()


def test_un_almacen_recien_abierto_no_lo_leen_otras_cuentas(tmp_path: Path) -> None:
    Almacen.abrir(tmp_path / "a.sqlite").cerrar()
    assert (tmp_path / "a.sqlite").stat().st_mode & 0o777 == 0o600
