"""Lo que se publica: los parciales suman lo que el cómputo, lo reservado no se filtra y da igual por dónde llegó."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nucleo import computo
from nucleo.acta import Acta, ActaFueraDeCatalogo, Digitalizacion, Origen
from nucleo.campo import Numero
from nucleo.hechos import Acopio, Captura, Hecho, HojaDeBitacora, IdActa, Imagen
from nucleo.libro import actas_de
from nucleo.publicacion import recuerdo
from nucleo.publicacion.armado import Armador
from nucleo.publicacion.fichas import Corte, FichaProceso, Situacion
from nucleo.publicacion.json_publico import paginas, piezas
from nucleo.publicacion.parcial import Parcial, sumar
from nucleo.publicacion.quien_va_adelante import adelante_de
from nucleo.publicacion.reserva import HechoRegistrado, HechoReservado, HechoVisible
from nucleo.publicacion.situacion import PENDIENTES
from tests.noche_publicada import ACTAS, PROCESO, Tramo, asentado, noches
from tests.tablas_de_prueba import tablas_de
from tests.unidad.actas_de_prueba import INICIO


def vivir(tramos: list[Tramo]) -> Armador:
    armador = Armador(PROCESO)
    for tramo in tramos:
        armador.agregar(tramo.hechos)
        armador.imagenes(tramo.imagenes)
        armador.cortar(tramo.corte)
    return armador


def visibles(armador: Armador, acta: IdActa) -> list[HechoVisible]:
    vista = armador.vista(acta)
    return [*vista.abiertos, *vista.reservados]


def publicado(armador: Armador, tramo: Tramo) -> FichaProceso:
    return armador.todo(tramo.corte)


def del_libro(tramos: list[Tramo], eleccion: str) -> tuple[Acta, ...]:
    return actas_de(PROCESO, eleccion, [h.hecho for t in tramos for h in t.hechos])


@given(noches())
@settings(max_examples=70)
def test_los_parciales_suman_lo_mismo_que_el_computo(tramos: list[Tramo]) -> None:
    """Dos cuentas que no comparten código: la de `nucleo.computo` recorre las actas; ésta suma secciones."""
    armador = vivir(tramos)
    for clave in PROCESO.elecciones:
        actas = del_libro(tramos, clave)
        assert Counter(map(repr, armador.actas(clave))) == Counter(map(repr, actas))
        ficha = armador.eleccion(clave)
        secciones = [s for d in ficha.divisiones for s in d.secciones]
        de_secciones = sumar(s.parcial for s in secciones)
        for ultimo in (False, True):
            esperado = computo.resumir(actas, PROCESO, clave, ultimo)
            assert ficha.parcial.resumen(ultimo) == esperado
            assert de_secciones.resumen(ultimo).contabilizadas == esperado.contabilizadas
        assert de_secciones.votos == computo.votos_por_opcion(actas, PROCESO, clave)
        por_seccion = computo.votos_por(lambda c: c.seccion, actas, PROCESO, clave)
        assert {s.seccion: s.parcial.votos for s in armador.secciones((clave, n) for n in por_seccion)} == por_seccion
        por_division = computo.votos_por_division(actas, PROCESO, clave)
        assert {d.clave: d.parcial.votos for d in ficha.divisiones} == por_division
        ubicacion = computo.contabilizadas_por_ubicacion(actas, PROCESO)
        assert {"urbanas": de_secciones.urbanas, "no_urbanas": de_secciones.no_urbanas} == ubicacion
        causas = computo.faltantes_por_causa(actas, PROCESO, clave)
        pendientes = {s.value for s in PENDIENTES}
        nuestras = Counter[str]()
        for causa, cuantas in ficha.parcial.faltantes.items():
            nuestras[computo.PENDIENTE if causa in pendientes else causa] += cuantas
        assert {c: nuestras[c] for c in causas} == causas
        assert sum(ficha.parcial.faltantes.values()) == ficha.parcial.esperadas - ficha.parcial.contabilizadas
        de_tablas = tablas_de(actas, PROCESO, clave, computo.resumir(actas, PROCESO, clave, False))
        assert ficha.por_candidatura == de_tablas.por_candidatura
        assert ficha.por_partido == de_tablas.por_partido
        assert de_secciones.lista_nominal_esperada == sum(c.lista_nominal for c in PROCESO.esperadas(clave))
        solas = [a for a in actas if not isinstance(a, ActaFueraDeCatalogo) and a.casilla.especial]
        assert ficha.especiales.votos_c_cs == sum(computo.votos_por_opcion(solas, PROCESO, clave).values())


@given(noches(), st.data())
@settings(max_examples=50)
def test_da_igual_como_se_agrupen_los_parciales(tramos: list[Tramo], datos: st.DataObject) -> None:
    armador = vivir(tramos)
    partes = [s.parcial for d in armador.eleccion("AYUN").divisiones for s in d.secciones]
    revueltas = datos.draw(st.permutations(partes))
    corte = datos.draw(st.integers(0, len(partes)))
    assert sumar(revueltas[:corte]) + sumar(revueltas[corte:]) == sumar(partes)
    assert sum(partes, Parcial()) == sumar(partes)


@given(noches())
@settings(max_examples=70)
def test_quien_solo_tiene_los_eslabones_publica_lo_mismo(tramos: list[Tramo]) -> None:
    """La noche recortada: en cada corte se le da lo que el registro público deja ver, y nada más."""
    completo, recortado = Armador(PROCESO), Armador(PROCESO)
    dados: list[HechoVisible] = []
    for tramo in tramos:
        completo.agregar(tramo.hechos)
        completo.imagenes(tramo.imagenes)
        completo.cortar(tramo.corte)
        sueltos = [h for h in tramo.hechos if not hasattr(h.hecho, "acta")]
        dados = [v for a in ACTAS for v in visibles(completo, a)]
        recortado.agregar([*sueltos, *dados])
        recortado.imagenes(tramo.imagenes)
        recortado.cortar(tramo.corte)
        assert publicado(recortado, tramo) == publicado(completo, tramo)
        assert recortado.recuerdos == completo.recuerdos
    if any(t.corte.ultimo for t in tramos):
        assert not any(isinstance(v, HechoReservado) for v in dados), "en el último corte nada queda reservado"


@given(noches())
@settings(max_examples=50)
def test_lo_revelado_no_se_vuelve_a_reservar(tramos: list[Tramo]) -> None:
    armador = Armador(PROCESO)
    vistos: set[str] = set()
    for tramo in tramos:
        armador.agregar(tramo.hechos)
        armador.cortar(tramo.corte)
        abiertos = {h.huella for a in ACTAS for h in armador.vista(a).abiertos}
        assert vistos <= abiertos
        vistos = abiertos


@given(noches())
@settings(max_examples=70)
def test_de_una_captura_sin_verificar_solo_se_sabe_que_existe(tramos: list[Tramo]) -> None:
    """Ni su hora, ni su huella, ni un renglón suyo aparecen en página alguna."""
    armador = vivir(tramos)
    reservadas = {h.huella for a in ACTAS for h in armador.vista(a).reservados}
    for pagina in _json(armador, tramos[-1]).values():
        assert not any(huella.encode() in pagina for huella in reservadas)
    for acta in ACTAS:
        vista, ficha = armador.vista(acta), armador.ficha(acta)
        assert {s.huella for s in ficha.cronologia} <= {h.huella for h in vista.abiertos} | {""}
        if ficha.situacion in PENDIENTES:
            assert not ficha.renglones
            assert ficha.total_calculado is None
            assert not ficha.imagen


def _json(armador: Armador, tramo: Tramo) -> dict[str, bytes]:
    ficha = publicado(armador, tramo)
    todas = [(e, s) for e in PROCESO.elecciones for s in sorted({c.seccion for c in PROCESO.esperadas(e)})]
    pares = [*paginas.paginas_del_corte(ficha), *paginas.paginas_de_secciones(armador.secciones(todas), PROCESO)]
    assert len(dict(pares)) == len(pares), "dos páginas con la misma ruta"
    return {ruta: piezas.a_bytes(dato) for ruta, dato in pares}


@given(noches())
@settings(max_examples=50)
def test_por_partes_es_lo_mismo_que_desde_cero(tramos: list[Tramo]) -> None:
    """En cada corte: el que sigue vivo contra uno nuevo, con todos los hechos y lo que el anterior dejó escrito."""
    vivo = Armador(PROCESO)
    guardado = recuerdo.Recuerdos().a_bytes()
    escritas: dict[str, bytes] = {}
    for numero, tramo in enumerate(tramos, 1):
        vivo.agregar(tramo.hechos)
        vivo.imagenes(tramo.imagenes)
        cambios = vivo.cortar(tramo.corte)
        nuevo = Armador(PROCESO, recuerdo.leer(guardado))
        nuevo.imagenes(tramo.imagenes)
        nuevo.agregar([h for t in reversed(tramos[:numero]) for h in (*t.hechos, *t.hechos[:2])])
        otros = nuevo.cortar(tramo.corte)
        assert publicado(nuevo, tramo) == publicado(vivo, tramo)
        assert otros.actas == cambios.actas
        assert nuevo.recuerdos == vivo.recuerdos
        guardado = vivo.recuerdos.a_bytes()
        # Sólo se reescriben las secciones que dice; el resultado es el de escribirlas todas.
        escritas |= {
            ruta: piezas.a_bytes(dato)
            for ruta, dato in paginas.paginas_de_secciones(vivo.secciones(cambios.secciones), PROCESO)
        }
        todas = _json(vivo, tramo)
        assert {r: b for r, b in todas.items() if r in escritas} == escritas
        assert {r for r in todas if "/s/" in r} == set(escritas)


@given(noches())
@settings(max_examples=50)
def test_cada_acta_dice_en_que_corte_cambio(tramos: list[Tramo]) -> None:
    armador = Armador(PROCESO)
    antes: dict[object, object] = {}
    for tramo in tramos:
        armador.agregar(tramo.hechos)
        armador.imagenes(tramo.imagenes)
        cambios = armador.cortar(tramo.corte)
        for acta in ACTAS:
            ficha = armador.ficha(acta)
            dicho = piezas.a_bytes(paginas.lo_que_dice(ficha))
            if acta in antes:
                assert (dicho != antes[acta]) == (acta in cambios.actas) == (ficha.publicada_en == tramo.corte)
            else:
                assert (ficha.publicada_en is None) == (ficha.situacion is Situacion.NO_HA_LLEGADO and not ficha.hojas)
            antes[acta] = dicho


def test_nadie_va_adelante_si_no_hay_votos_y_los_empates_se_dicen() -> None:
    eleccion = PROCESO.elecciones["GUB"]
    assert adelante_de({"PAN": 0, "NULOS": 9}, eleccion) == ()
    assert adelante_de({"PAN": 4, "PRI": 4, "NULOS": 9}, eleccion) == ("PAN", "PRI")
    assert adelante_de({"PAN": 4, "PRI": 5}, eleccion) == ("PRI",)


def test_la_bitacora_no_es_de_ningun_acta() -> None:
    """Por si alguien la da junto con lo demás: ni se ve ni estorba."""
    hoja = HechoReservado("catd-01", "e1", 9, "", "ff" * 32, "bitacora", None, None)
    armador = Armador(PROCESO)
    armador.agregar([hoja])
    assert HojaDeBitacora not in {type(h.hecho) for a in ACTAS for h in armador._visibles.get(a, {}).values()}  # type: ignore[union-attr]


@given(st.binary(max_size=200))
def test_una_memoria_de_cortes_ajena_se_rechaza(datos: bytes) -> None:
    with pytest.raises(recuerdo.RecuerdoInvalido):
        recuerdo.leer(datos)


@given(noches(), st.data())
@settings(max_examples=50)
def test_una_memoria_de_cortes_tocada_se_rechaza_o_dice_otra_cosa(tramos: list[Tramo], datos: st.DataObject) -> None:
    recuerdos = vivir(tramos).recuerdos
    escrito = bytearray(recuerdos.a_bytes())
    escrito[datos.draw(st.integers(0, len(escrito) - 1))] ^= datos.draw(st.integers(1, 255))
    try:
        leido = recuerdo.leer(bytes(escrito))
    except recuerdo.RecuerdoInvalido:
        return
    assert leido != recuerdos


def test_de_la_bolsa_a_la_duda_cada_situacion_en_su_corte() -> None:
    """Un acta en ocho cortes; lo que no se verifica cuenta en la situación aunque nadie lo pueda leer."""
    acta = ACTAS[0]

    def captura(minuto: int, persona: str, dato: int) -> Captura:
        return Captura(acta, 1, INICIO + timedelta(minutes=minuto), persona, asentado(acta, Numero(dato)))

    pasos: list[tuple[Hecho | None, Situacion]] = [
        (None, Situacion.NO_HA_LLEGADO),
        (Acopio(acta, INICIO, Origen.CATD, "ACTA PREP", "", "ana"), Situacion.RECIBIDA),
        (Imagen(acta, INICIO, "aa" * 32, 9, Digitalizacion.ESCANER, "ana"), Situacion.DIGITALIZADA),
        (captura(1, "ana", 7), Situacion.EN_CAPTURA),
        (captura(2, "beto", 8), Situacion.EN_DISCREPANCIA),
        (captura(3, "caro", 7), Situacion.CONTABILIZADA),
        (captura(4, "dino", 8), Situacion.EN_DUDA),
    ]
    armador = Armador(PROCESO)
    for numero, (hecho, esperada) in enumerate(pasos):
        if hecho is not None:
            armador.agregar([HechoRegistrado("catd-01", "e1", numero, "", f"{numero:064x}", hecho)])
        hora = INICIO + timedelta(minutes=20 * numero)
        armador.cortar(Corte(f"{hora:%Y%m%d_%H%M}", hora, False))
        ficha = armador.ficha(acta)
        assert ficha.situacion is esperada
        assert len(armador.vista(acta).reservados) == {Situacion.EN_CAPTURA: 1, Situacion.EN_DISCREPANCIA: 2}.get(
            esperada, 0
        )
        assert armador.eleccion(acta.eleccion).parcial.contabilizadas == (esperada is Situacion.CONTABILIZADA)
