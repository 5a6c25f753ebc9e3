"""Las baldosas que salen del árbol, y que de una carpeta en que algo miente se nombra qué."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Final

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from nucleo.transparencia.arbol import (
    RAIZ_VACIA,
    Arbol,
    comprobar_consistencia,
    comprobar_inclusion,
    huella_de_hoja,
)
from nucleo.transparencia.arbol_de_baldosas import ArbolDeBaldosas
from nucleo.transparencia.baldosas import (
    ENTRADAS,
    Baldosa,
    BaldosaInvalida,
    ancho_de,
    baldosas_nuevas,
    bytes_de,
    leer_huellas,
    leer_ruta,
)
from nucleo.transparencia.entradas import MAXIMO_ENTRADA, EntradaNoCabe, empaquetar, leer_paquete

TAMANOS: Final = (0, 1, 2, 255, 256, 257, 511, 512, 513, 700)
UN_POCO_MAS: Final = 66_000
"""Ya con nivel 2: 65,536 hojas son 256 baldosas llenas."""


def hoja(i: int) -> bytes:
    return b"hoja %d" % i


@pytest.fixture(scope="module")
def grande() -> Arbol:
    arbol = Arbol()
    for i in range(UN_POCO_MAS):
        arbol.agregar(hoja(i))
    return arbol


def publicar(arbol: Arbol, viejo: int, nuevo: int, carpeta: dict[str, bytes]) -> dict[str, bytes]:
    """Escribe lo nuevo en una «carpeta», como lo hace quien publica el registro."""
    for b in baldosas_nuevas(viejo, nuevo):
        if b.nivel == ENTRADAS:
            carpeta[b.ruta] = empaquetar(hoja(b.indice * 256 + i) for i in range(b.ancho))
        else:
            carpeta[b.ruta] = bytes_de(b, arbol)
    return carpeta


def test_el_ejemplo_de_la_norma_con_setenta_mil_hojas() -> None:
    """tlog-tiles, «Partial Tiles»: 273 llenas y una de 112; una llena y una de 17; una de 1."""
    por_nivel: dict[int, list[Baldosa]] = {}
    for b in baldosas_nuevas(0, 70_000):
        por_nivel.setdefault(b.nivel, []).append(b)
    assert {n: (sum(b.llena for b in bs), [b.ancho for b in bs if not b.llena]) for n, bs in por_nivel.items()} == {
        ENTRADAS: (273, [112]),
        0: (273, [112]),
        1: (1, [17]),
        2: (0, [1]),
    }
    assert [b.ruta for b in baldosas_nuevas(0, 256)] == ["tile/entries/000", "tile/0/000", "tile/1/000.p/1"]
    assert Baldosa(5, 1_234_067).ruta == "tile/5/x001/x234/067"


@given(st.integers(0, 300_000), st.integers(0, 3_000))
def test_lo_nuevo_es_lo_que_todavia_no_estaba(viejo: int, crece: int) -> None:
    def todas(tamano: int) -> set[Baldosa]:
        return set(baldosas_nuevas(0, tamano))

    nuevas = list(baldosas_nuevas(viejo, viejo + crece))
    assert len(nuevas) == len(set(nuevas))
    assert set(nuevas) == todas(viejo + crece) - todas(viejo)


def test_un_registro_no_encoge() -> None:
    for viejo, nuevo in ((2, 1), (-1, 5)):
        with pytest.raises(ValueError, match="no pasa de"):
            list(baldosas_nuevas(viejo, nuevo))


@given(st.integers(ENTRADAS, 63), st.integers(0, 2**56), st.integers(1, 256))
def test_cada_ruta_lleva_a_su_baldosa(nivel: int, indice: int, ancho: int) -> None:
    baldosa = Baldosa(nivel, indice, ancho)
    assert leer_ruta(baldosa.ruta) == baldosa


@pytest.mark.parametrize(
    "ruta",
    [
        *("", "tile/0/0", "tile/00/000", "tile/64/000", "tile/0/x000/001", "tile/0/000.p/0", "tile/0/000.p/256"),
        *("tile/0/000.p/07", "tile/0/001/000", "tile/0/x001", "tile/-1/000", "tile/data/000", "tile/8/0/000"),
        *("/tile/0/000", "tile/0/000/", "tile/0/../../etc/passwd", "tile/0/٠٠٠", "tile/0/000\n", "checkpoint"),
        *("tile/0/" + "x001/" * 30 + "000", "tile/0/000.p/999"),
    ],
)
def test_una_ruta_escrita_de_otro_modo_no_es_de_nadie(ruta: str) -> None:
    with pytest.raises(BaldosaInvalida, match="no es la ruta de una baldosa"):
        leer_ruta(ruta)


@given(st.one_of(st.text(), st.from_regex(r"tile/[0-9e]{1,3}/[x0-9/]{1,12}(\.p/[0-9]{1,4})?", fullmatch=True)))
def test_una_ruta_cualquiera_no_tumba_al_lector(ruta: str) -> None:
    with suppress(BaldosaInvalida):
        assert leer_ruta(ruta).ruta == ruta


@given(st.lists(st.binary(max_size=40), min_size=1, max_size=256))
@example([b"x" * MAXIMO_ENTRADA, b""])
def test_un_paquete_dice_lo_que_se_le_puso(entradas: list[bytes]) -> None:
    baldosa = Baldosa(ENTRADAS, 3, len(entradas))
    datos = empaquetar(entradas)
    assert leer_paquete(baldosa, datos) == entradas
    for malo in (datos[:-1], datos + b"\0", datos + b"\0\0"):
        with pytest.raises(BaldosaInvalida, match=r"tile/entries/003.*(cortado|después de la última)"):
            leer_paquete(baldosa, malo)


@given(st.binary(max_size=600), st.integers(1, 256))
def test_basura_en_un_paquete_no_tumba_al_lector(datos: bytes, ancho: int) -> None:
    baldosa = Baldosa(ENTRADAS, 0, ancho)
    with suppress(BaldosaInvalida):
        assert empaquetar(leer_paquete(baldosa, datos)) == datos
    if len(datos) != ancho * 32:
        with pytest.raises(BaldosaInvalida, match="está cortada"):
            leer_huellas(Baldosa(0, 0, ancho), datos)


def test_una_hoja_que_no_cabe_se_dice() -> None:
    with pytest.raises(EntradaNoCabe, match="65,536 bytes y en el registro caben 65,535"):
        empaquetar([b"x" * (MAXIMO_ENTRADA + 1)])


@pytest.mark.parametrize("tamano", TAMANOS)
def test_lo_publicado_se_lee_y_se_comprueba_entero(grande: Arbol, tamano: int) -> None:
    carpeta = publicar(grande, 0, tamano, {})
    leido = ArbolDeBaldosas(tamano, grande.raiz(tamano), carpeta.__getitem__)
    leido.comprobar_todo()
    assert list(leido.entradas()) == [(i, hoja(i)) for i in range(tamano)]
    assert list(leido.entradas(250, 260)) == [(i, hoja(i)) for i in range(250, min(tamano, 260))]
    assert leido.raiz() == grande.raiz(tamano)


def test_de_las_baldosas_salen_las_mismas_pruebas(grande: Arbol) -> None:
    carpeta = publicar(grande, 0, UN_POCO_MAS, {})
    leido = ArbolDeBaldosas(UN_POCO_MAS, grande.raiz(), carpeta.__getitem__)
    for tamano in (1, 256, 300, 65_535, 65_536, 65_537, UN_POCO_MAS):
        assert leido.raiz(tamano) == grande.raiz(tamano)
        for indice in {0, 1, 255, 256, tamano // 3, tamano - 1} & set(range(tamano)):
            camino = leido.inclusion(indice, tamano)
            assert camino == grande.inclusion(indice, tamano)
            comprobar_inclusion(huella_de_hoja(hoja(indice)), indice, tamano, grande.raiz(tamano), camino)
        prueba = leido.consistencia(tamano)
        assert prueba == grande.consistencia(tamano)
        comprobar_consistencia(tamano, UN_POCO_MAS, grande.raiz(tamano), grande.raiz(), prueba)


@given(st.lists(st.integers(0, 400), min_size=1, max_size=5))
@settings(max_examples=20)
def test_de_corte_en_corte_se_escribe_solo_lo_nuevo_y_todo_sigue_ahi(grande: Arbol, crece: list[int]) -> None:
    carpeta: dict[str, bytes] = {}
    tamano = 0
    for cuantas in crece:
        antes, viejas = tamano, dict(carpeta)
        tamano += cuantas
        publicar(grande, antes, tamano, carpeta)
        assert viejas.items() <= carpeta.items()
        leido = ArbolDeBaldosas(tamano, grande.raiz(tamano), carpeta.__getitem__)
        leido.comprobar_todo(antes)
    leido.comprobar_todo()


@pytest.mark.parametrize("tamano", [256, 300, 600])
def test_se_puede_borrar_la_parcial_que_ya_tiene_su_llena(grande: Arbol, tamano: int) -> None:
    carpeta = publicar(grande, 0, 1000, {})
    publicar(grande, 0, tamano, carpeta)
    for ruta in [r for r in carpeta if ".p/" in r and r.partition(".p/")[0] in carpeta]:
        del carpeta[ruta]
    leido = ArbolDeBaldosas(tamano, grande.raiz(tamano), carpeta.__getitem__)
    leido.comprobar_todo()
    for b in baldosas_nuevas(0, tamano):
        if b.nivel != ENTRADAS:
            assert leido.huellas(b.nivel, b.indice) == bytes_de(b, grande)


def bytes_que_cambiar(datos: bytes) -> Iterator[int]:
    yield from {0, 1, 2, 31, 32, len(datos) // 2, len(datos) - 1} & set(range(len(datos)))


@pytest.mark.parametrize("tamano", [1, 256, 300, 600])
def test_un_byte_cambiado_en_cualquier_archivo_se_halla_y_se_nombra(grande: Arbol, tamano: int) -> None:
    buena = publicar(grande, 0, tamano, {})
    for ruta, datos in buena.items():
        for lugar in bytes_que_cambiar(datos):
            mala = bytearray(datos)
            mala[lugar] ^= 0x40
            with pytest.raises(BaldosaInvalida) as cazada:
                comprobar_entero(tamano, grande, {**buena, ruta: bytes(mala)})
            assert cazada.value.ruta == ruta


@pytest.mark.parametrize("tamano", [1, 256, 600])
def test_un_archivo_que_falta_o_esta_cortado_se_nombra(grande: Arbol, tamano: int) -> None:
    buena = publicar(grande, 0, tamano, {})
    for ruta, datos in buena.items():
        with pytest.raises(BaldosaInvalida, match="no está") as cazada:
            comprobar_entero(tamano, grande, {r: d for r, d in buena.items() if r != ruta})
        assert cazada.value.ruta == ruta
        for cortada in (datos[:-1], b"", datos + b"\0"):
            with pytest.raises(BaldosaInvalida) as cazada:
                comprobar_entero(tamano, grande, {**buena, ruta: cortada})
            assert cazada.value.ruta == ruta


def comprobar_entero(tamano: int, grande: Arbol, carpeta: dict[str, bytes]) -> None:
    ArbolDeBaldosas(tamano, grande.raiz(tamano), carpeta.__getitem__).comprobar_todo()


def test_una_entrada_cambiada_con_su_baldosa_tambien_se_halla(grande: Arbol) -> None:
    """Quien cambia la hoja y su huella tendría que cambiar también la de arriba, y la raíz firmada."""
    carpeta = publicar(grande, 0, 600, {})
    entradas = leer_paquete(Baldosa(ENTRADAS, 1), carpeta["tile/entries/001"])
    entradas[9] = b"otros votos"
    carpeta["tile/entries/001"] = empaquetar(entradas)
    carpeta["tile/0/001"] = b"".join(map(huella_de_hoja, entradas))
    with pytest.raises(BaldosaInvalida, match=r"^tile/0/001: no es la que resume la baldosa de arriba"):
        comprobar_entero(600, grande, carpeta)


def test_si_mienten_dos_baldosas_de_la_orilla_no_se_culpa_a_una(grande: Arbol) -> None:
    carpeta = publicar(grande, 0, 600, {})
    for ruta in ("tile/0/002.p/88", "tile/1/000.p/2"):
        carpeta[ruta] = carpeta[ruta][:-1] + b"?"
    with pytest.raises(BaldosaInvalida, match=r"tile/0/002\.p/88, tile/1/000\.p/2.*más de una está cambiada"):
        comprobar_entero(600, grande, carpeta)


def carpeta_vacia(ruta: str) -> bytes:
    raise FileNotFoundError(ruta)


def test_otra_historia_entera_no_pasa_por_esta(grande: Arbol) -> None:
    otro = Arbol()
    for i in range(600):
        otro.agregar(b"otra %d" % i)
    with pytest.raises(BaldosaInvalida, match="es otra historia"):
        ArbolDeBaldosas(600, grande.raiz(600), publicar(otro, 0, 600, {}).__getitem__)
    with pytest.raises(BaldosaInvalida, match="cero hojas"):
        ArbolDeBaldosas(0, grande.raiz(1), carpeta_vacia)
    ArbolDeBaldosas(0, RAIZ_VACIA, carpeta_vacia).comprobar_todo()


def test_un_error_de_la_red_no_se_toma_por_baldosa_ausente() -> None:
    def se_cayo(ruta: str) -> bytes:
        raise ConnectionError(ruta)

    with pytest.raises(ConnectionError):
        ArbolDeBaldosas(5, RAIZ_VACIA, se_cayo)


def test_un_tamano_absurdo_no_cuelga_a_quien_comprueba() -> None:
    with pytest.raises(BaldosaInvalida, match="no está"):
        ArbolDeBaldosas(2**63 - 1, RAIZ_VACIA, carpeta_vacia)
    assert ancho_de(0, 2**55, 5) == 0
