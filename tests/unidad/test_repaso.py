"""La noche repetida desde el registro: sale lo mismo que en el centro, y cada hoja que miente se nombra."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from joserfc.util import urlsafe_b64decode

from nucleo.hechos import IdActa
from nucleo.publicacion import recuerdo
from nucleo.publicacion.mentira import Mentira
from nucleo.publicacion.repaso import Repaso, rehacer_recuerdos
from nucleo.publicacion.reserva import HechoReservado
from nucleo.sobre import huella
from nucleo.transparencia import hojas
from nucleo.transparencia.hojas import ActaPublicada, Ceros, CortePublicado, Documento, Hoja
from servicio_central.corte import hacer_cortes
from servicio_central.publicacion import memoria
from servicio_central.publicacion.publicador import Publicador
from servicio_central.tropiezo import Tropiezo
from tests.noche_de_registro import NocheDeRegistro, casillas, vivir

Hojas = list[bytes]


@pytest.fixture(scope="module")
def noche(tmp_path_factory: pytest.TempPathFactory) -> NocheDeRegistro:
    return vivir(tmp_path_factory.mktemp("repaso"))


@pytest.fixture(scope="module")
def todas(noche: NocheDeRegistro) -> Hojas:
    registro = noche.publicador._registro
    assert registro is not None
    return [dato for _, dato in registro.hojas()]


def repasar(noche: NocheDeRegistro, todas: Sequence[bytes]) -> Repaso:
    repaso = Repaso(lambda sha256: (noche.carpeta / "documentos_publicos" / sha256).read_bytes())
    for indice, dato in enumerate(todas):
        repaso.hoja(indice, dato)
    return repaso


def test_sale_lo_mismo_que_en_el_centro_y_su_memoria_se_rehace(noche: NocheDeRegistro, todas: Hojas) -> None:
    repaso = repasar(noche, todas)
    (guardada,) = (noche.carpeta / memoria.CARPETA).iterdir()
    assert recuerdo.leer(guardada.read_bytes()) == repaso.recuerdos
    documentos = noche.carpeta / "documentos_publicos"
    assert rehacer_recuerdos(enumerate(todas), lambda s: (documentos / s).read_bytes()) == repaso.recuerdos
    assert list(repaso.cadenas.avisos()) == []
    assert {p.version for p in repaso.padrones} == {1, 2}
    # En el último corte sólo quedan cerrados la bitácora y lo excluido.
    assert {c.equipo for c in repaso.cadenas.cerrados} <= {"catd-02"}


def test_lo_que_se_capturaba_a_ciegas_no_estaba_en_el_registro(noche: NocheDeRegistro, todas: Hojas) -> None:
    reservadas = [h for h in map(hojas.leer, todas) if isinstance(h, HechoReservado)]
    assert {h.tipo for h in reservadas} == {"bitacora", "captura"}
    assert not any(b"secreto del turno" in dato for dato in todas)


def primera(todas: Hojas, cual: Callable[[Hoja | str], bool], desde: int = 0) -> int:
    return next(i for i, dato in enumerate(todas) if i >= desde and cual(hojas.leer(dato)))


def de_hecho(hoja: object) -> bool:
    return isinstance(hoja, str)


def quitar_un_acta(t: Hojas) -> str:
    del t[primera(t, lambda h: isinstance(h, ActaPublicada))]
    return "Se calló un acta"


def repetir_un_hecho(t: Hojas) -> str:
    i = primera(t, de_hecho)
    corte = primera(t, lambda h: isinstance(h, CortePublicado), i)
    t.insert(corte + 1, t[i])
    return "una vez"


def desordenar_dos_hechos(t: Hojas) -> str:
    i = next(i for i in range(len(t)) if de_hecho(hojas.leer(t[i])) and de_hecho(hojas.leer(t[i + 1])))
    t[i], t[i + 1] = t[i + 1], t[i]
    return "en su orden"


def cambiar_la_ficha(t: Hojas) -> str:
    i = primera(t, lambda h: isinstance(h, ActaPublicada))
    hoja = hojas.leer(t[i])
    assert isinstance(hoja, ActaPublicada)
    t[i] = hojas.escribir(replace(hoja, ficha="0" * 64))
    return "no sale de los hechos firmados"


def cambiar_la_imagen(t: Hojas) -> str:
    i = primera(t, lambda h: isinstance(h, ActaPublicada) and h.imagen != "")
    hoja = hojas.leer(t[i])
    assert isinstance(hoja, ActaPublicada)
    t[i] = hojas.escribir(replace(hoja, imagen="0" * 64))
    return "imagen"


def firmar_con_otra_llave(t: Hojas) -> str:
    i = primera(t, de_hecho)
    sobre = hojas.leer(t[i])
    assert isinstance(sobre, str)
    otro = hojas.leer(t[primera(t, de_hecho, i + 1)])
    assert isinstance(otro, str)
    t[i] = hojas.hoja_de_hecho(f"{sobre.rpartition('.')[0]}.{otro.rpartition('.')[2]}")
    return "no corresponde a la llave inscrita"


def callar_un_hecho_publico(t: Hojas) -> str:
    """Deja en eslabón el acopio, que no es una lectura y nunca se reserva."""
    i = next(i for i, d in enumerate(t) if d[:5] == b"hecho" and _contenido(d)["hecho"] == "acopio")
    sobre = json.loads(_carga(t[i]))
    acta = IdActa(sobre["contenido"]["eleccion"], sobre["contenido"]["casilla"])
    compacto = t[i].partition(b"\n")[2].decode()
    lugar = (sobre["equipo"], sobre["epoca"], sobre["secuencia"])
    t[i] = hojas.escribir(HechoReservado(*lugar, sobre["previo"], huella(compacto), "acopio", acta, None))
    return "ya no había por qué reservarlo|no dice de qué sobres|Se calló|no sale de los hechos|No dice"


def revelar_otra_cosa(t: Hojas) -> str:
    i = primera(t, lambda h: isinstance(h, HechoReservado) and h.tipo == "captura")
    hoja = hojas.leer(t[i])
    assert isinstance(hoja, HechoReservado)
    t[i] = hojas.escribir(replace(hoja, vuelta=2))
    return "no es lo que se había anunciado|a ciegas|Se calló|no sale|No dice"


def otra_puesta_en_ceros(t: Hojas) -> str:
    t.insert(3, t[0])
    return "empieza en cero una sola vez"


def otra_hora(t: Hojas) -> str:
    i = primera(t, lambda h: isinstance(h, CortePublicado))
    hoja = hojas.leer(t[i])
    assert isinstance(hoja, CortePublicado)
    t[i] = hojas.escribir(replace(hoja, corte="20200101_0000"))
    return "por su hora"


def otro_padron(t: Hojas) -> str:
    i = primera(t, lambda h: isinstance(h, Documento) and h.que == "padron")
    hoja = hojas.leer(t[i])
    assert isinstance(hoja, Documento)
    t[i] = hojas.escribir(replace(hoja, nombre="7"))
    return "el padrón"


def padron_que_no_esta(t: Hojas) -> str:
    i = primera(t, lambda h: isinstance(h, Documento) and h.que == "padron")
    hoja = hojas.leer(t[i])
    assert isinstance(hoja, Documento)
    t[i] = hojas.escribir(replace(hoja, sha256="0" * 64))
    return "no está"


def sin_autoridad(t: Hojas) -> str:
    hoja = hojas.leer(t[0])
    assert isinstance(hoja, Ceros)
    t[0] = hojas.escribir(replace(hoja, autoridad=""))
    return "autoridad"


def una_hoja_ilegible(t: Hojas) -> str:
    t[5] = b"otra\n{}"
    return "no se puede leer"


def _carga(dato: bytes) -> bytes:
    return urlsafe_b64decode(dato.partition(b"\n")[2].split(b".")[1])


def _contenido(dato: bytes) -> dict[str, str]:
    contenido: dict[str, str] = json.loads(_carga(dato))["contenido"]
    return contenido


@pytest.mark.parametrize(
    "trampa",
    [
        quitar_un_acta,
        repetir_un_hecho,
        desordenar_dos_hechos,
        cambiar_la_ficha,
        cambiar_la_imagen,
        firmar_con_otra_llave,
        callar_un_hecho_publico,
        revelar_otra_cosa,
        otra_puesta_en_ceros,
        otra_hora,
        otro_padron,
        padron_que_no_esta,
        sin_autoridad,
        una_hoja_ilegible,
    ],
)
def test_cada_trampa_en_las_hojas_se_halla_y_se_dice(
    noche: NocheDeRegistro, todas: Hojas, trampa: Callable[[Hojas], str]
) -> None:
    cambiadas = list(todas)
    motivo = trampa(cambiadas)
    with pytest.raises(Mentira, match=motivo) as hallada:
        repasar(noche, cambiadas)
    assert all((hallada.value.donde, hallada.value.decia, hallada.value.debia, hallada.value.significa))


def test_la_captura_que_debia_ser_a_ciegas_no_se_puede_publicar(tmp_path: Path) -> None:
    """Un centro que abre en el registro la primera captura le dice a la segunda persona qué poner."""
    noche = NocheDeRegistro(tmp_path)
    acta = IdActa("GUB", next(iter(noche.proceso.casillas)))
    (sobre,) = noche.mandar(noche.uno, noche.captura(acta, "ana"))
    noche.corte(0)
    registro = noche.publicador._registro
    assert registro is not None
    cambiadas = [dato for _, dato in registro.hojas()]
    i = primera(cambiadas, lambda h: isinstance(h, HechoReservado))
    repasar(noche, cambiadas)
    cambiadas[i] = hojas.hoja_de_hecho(sobre)
    with pytest.raises(Mentira, match="a ciegas"):
        repasar(noche, cambiadas)
    noche.almacen.cerrar()


@pytest.mark.parametrize("como", ["falta", "se dañó"])
def test_se_pierde_la_memoria_de_los_cortes_y_el_siguiente_sale_igual(tmp_path: Path, como: str) -> None:
    noche = NocheDeRegistro(tmp_path / "sana")
    gub = casillas(noche, "GUB")
    noche.mandar(noche.uno, *noche.pareja(gub[1]), noche.captura(gub[2], "ana"))
    noche.corte(0)
    noche.mandar(noche.uno, noche.captura(gub[2], "beto"), *noche.pareja(gub[3]))
    noche.almacen.cerrar()
    golpeada = tmp_path / "golpeada"
    shutil.copytree(noche.carpeta, golpeada, symlinks=True)
    (guardada,) = (golpeada / memoria.CARPETA).iterdir()
    if como == "falta":
        guardada.unlink()
    else:
        guardada.write_bytes(guardada.read_bytes()[:-20])
    hora = noche.hora(20)
    manifiestos = []
    for carpeta in (noche.carpeta, golpeada):
        hechos = hacer_cortes(carpeta, noche.proceso, hora, ahora=hora, publicador=Publicador(carpeta))
        manifiestos.append((next(iter(hechos.values())).carpeta / "manifiesto.json.gz").read_bytes())
    assert manifiestos[0] == manifiestos[1]
    # Sin los documentos públicos ya no se puede, y se dice.
    (guardada,) = (golpeada / memoria.CARPETA).iterdir()
    guardada.unlink()
    shutil.rmtree(golpeada / "documentos_publicos")
    with pytest.raises(Tropiezo, match="no se pudo rehacer"):
        hacer_cortes(golpeada, noche.proceso, noche.hora(40), ahora=noche.hora(40), publicador=Publicador(golpeada))
