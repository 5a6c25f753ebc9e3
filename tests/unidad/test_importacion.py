"""La mochila llega al centro: dos veces, en desorden, rota, ajena, con trampa, y con el disco lleno."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from threading import Event

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc.jwk import ECKey

from nucleo import mochila, sello
from nucleo.sobre import Tipo, huella
from servicio_central import buzon as modulo_buzon
from servicio_central import disco, importacion
from servicio_central.importacion import AlmacenOcupado
from servicio_central.ingesta import Destino, Dictamen, Mensaje, Resultado
from servicio_central.lector_de_mochila import ArchivoMalo, LectorDeMochila
from servicio_central.tropiezo import Tropiezo
from tests.mochila_de_prueba import SELLO, Banco, armar, declarar, editar, firmar
from tests.sobres_de_prueba import EquipoDePrueba, captura


@pytest.fixture
def banco(tmp_path: Path) -> Banco:
    return Banco(tmp_path / "centro")


def imagen(numero: int) -> bytes:
    return b"RIFF" + bytes([numero]) * 3000


def capturas(quien: EquipoDePrueba, cuantas: int) -> list[str]:
    return [quien.firmar(captura(persona=f"p{n}", votos=n)) for n in range(cuantas)]


def rechazo(banco: Banco, ruta: Path) -> str:
    """Con qué código no la toma la orden."""
    with pytest.raises(Tropiezo) as cazado:
        banco.dejar(ruta)
    assert banco.carril.buzon.por_importar() == []
    assert cazado.value.rechazo.causa
    assert cazado.value.rechazo.siguiente
    return cazado.value.rechazo.codigo


# ------------------------------------------------------------------------------------------------------------- la buena


def test_todo_entra_como_si_hubiera_llegado_por_el_enlace(banco: Banco, tmp_path: Path) -> None:
    fotos = [imagen(1), imagen(2)]
    sobres = [*capturas(banco.equipo, 3), *(declarar(banco.equipo, f) for f in fotos)]
    informe = banco.importar(armar(tmp_path / "m", banco.equipo, sobres, fotos, por_archivo=2))
    assert informe.absorbida, informe.texto
    assert dict(informe.destinos) == {"aceptado": 5}
    assert (informe.imagenes_nuevas, informe.imagenes_ajenas, informe.huecos) == (2, 0, [])
    assert [s for _, s, _ in banco.hechos()] == [1, 2, 3, 4, 5]
    assert all(banco.tiene(f) for f in fotos)
    assert banco.carril.buzon.por_importar() == banco.apartadas() == []
    guardado = banco.carril.buzon.informe(informe.entrega)
    assert guardado is not None
    assert guardado["destinos"] == {"aceptado": 5}
    assert "importada completa" in guardado["texto"]
    assert "5 aceptados\n" in guardado["texto"]
    assert any("importada completa" in a for a in banco.avisos)
    resultado = banco.centro.ingesta.procesar([banco.equipo.latido()])
    (acuse,) = banco.centro.acuses(resultado)
    assert acuse.contiguo == 5, "con el primer latido, el kiosco sabe que llegó"


def test_la_misma_mochila_otra_vez_no_cuenta_doble(banco: Banco, tmp_path: Path) -> None:
    foto = imagen(1)
    ruta = armar(tmp_path / "m", banco.equipo, [declarar(banco.equipo, foto), *capturas(banco.equipo, 2)], [foto])
    banco.importar(ruta)
    antes = banco.hechos()
    informe = banco.importar(ruta)
    assert dict(informe.destinos) == {"repetido": 3}
    assert (informe.imagenes_nuevas, informe.imagenes_que_estaban) == (0, 1)
    assert informe.absorbida
    assert banco.hechos() == antes


def test_dos_mochilas_en_desorden(banco: Banco, tmp_path: Path) -> None:
    sobres = capturas(banco.equipo, 6)
    primera = armar(tmp_path / "a", banco.equipo, sobres[:3], hasta=3)
    segunda = armar(tmp_path / "b", banco.equipo, sobres[3:], desde=4)
    informe = banco.importar(segunda)
    assert informe.huecos == [(1, 3)]
    assert "faltan: 1 a 3" in informe.texto
    assert banco.importar(primera).huecos == []
    assert [s for _, s, _ in banco.hechos()] == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("orden", list(itertools.permutations("emn")))
def test_lo_mismo_por_el_enlace_y_por_dos_mochilas_en_cualquier_orden(tmp_path: Path, orden: Sequence[str]) -> None:
    banco = Banco(tmp_path / "centro")
    sobres = capturas(banco.equipo, 6)
    rutas = {
        "m": armar(tmp_path / "m", banco.equipo, sobres[:4]),
        "n": armar(tmp_path / "n", banco.equipo, sobres[2:]),
    }
    for camino in orden:
        if camino == "e":
            banco.centro.ingesta.procesar([banco.equipo.envio(s) for s in sobres[1:5]])
        else:
            banco.importar(rutas[camino])
    assert [(s, h) for _, s, h in banco.hechos()] == [(n, huella(s)) for n, s in enumerate(sobres, 1)]
    assert banco.en_cuarentena() == {}


def test_dos_a_la_vez_de_lo_mismo(banco: Banco, tmp_path: Path) -> None:
    ruta = armar(tmp_path / "m", banco.equipo, capturas(banco.equipo, 50))
    hilos = [threading.Thread(target=banco.dejar, args=(ruta,)) for _ in range(4)]
    for hilo in hilos:
        hilo.start()
    for hilo in hilos:
        hilo.join()
    informes = banco.carril.atender(banco.centro.ingesta.procesar)
    assert sorted(dict(i.destinos).popitem()[0] for i in informes) == ["aceptado", "repetido", "repetido", "repetido"]
    assert len(banco.hechos()) == 50


# ------------------------------------------------------------------------------------------------------- de quién y qué


def test_de_un_equipo_dado_de_baja_todo_queda_en_cuarentena_y_al_readmitirlo_entra(
    banco: Banco, tmp_path: Path
) -> None:
    foto = imagen(1)
    ruta = armar(tmp_path / "m", banco.equipo, [declarar(banco.equipo, foto), *capturas(banco.equipo, 2)], [foto])
    vigente = banco.padron
    banco.inscribir(banco.centro.padron(catd_01=banco.equipo.inscrito(vigente=False)))
    informe = banco.importar(ruta)
    assert "dado de baja" in informe.texto
    assert dict(informe.codigos) == {"EQUIPO_NO_VIGENTE": 3}
    assert banco.en_cuarentena() == {"EQUIPO_NO_VIGENTE": 3}
    assert banco.hechos() == []
    assert not banco.tiene(foto)
    (apartada,) = banco.apartadas()
    banco.inscribir(vigente)
    assert banco.importar(apartada).absorbida
    assert len(banco.hechos()) == 3
    assert banco.tiene(foto)
    assert banco.apartadas() == []


def test_de_una_epoca_que_no_esta_inscrita(banco: Banco, tmp_path: Path) -> None:
    copiado = replace(banco.equipo, epoca="00000000000000ff")
    copiado.quien = banco.equipo.quien
    informe = banco.importar(armar(tmp_path / "m", copiado, capturas(copiado, 2)))
    assert dict(informe.codigos) == {"EPOCA_NO_INSCRITA": 2}
    assert "no está inscrita" in informe.texto
    assert not informe.absorbida
    assert banco.hechos() == []


@pytest.mark.parametrize("distinto", [{"proceso": "jal2021"}, {"modo": "oficial"}])
def test_de_otro_proceso_o_modo_no_entra_nada(banco: Banco, tmp_path: Path, distinto: dict[str, str]) -> None:
    ruta = armar(tmp_path / "m", banco.equipo, capturas(banco.equipo, 1))
    editar(ruta, banco.equipo, **distinto)
    assert rechazo(banco, ruta) == "MOCHILA_AJENA"


def test_sellada_para_otro_centro(banco: Banco, tmp_path: Path) -> None:
    otra = ECKey.generate_key("P-256", private=True)
    ruta = armar(tmp_path / "m", banco.equipo, capturas(banco.equipo, 1), llave=otra)
    assert rechazo(banco, ruta) == "SELLO_AJENO"


def test_el_manifiesto_dice_este_centro_y_un_archivo_va_sellado_para_otro(banco: Banco, tmp_path: Path) -> None:
    otra = ECKey.generate_key("P-256", private=True)
    ruta = armar(tmp_path / "m", banco.equipo, capturas(banco.equipo, 1), llave=otra, sello=sello.identificador(SELLO))
    informe = banco.importar(ruta)
    assert informe.archivos_malos == {"sobres/00001.jwe": "está sellado para otra llave"}
    assert not informe.absorbida


def test_de_un_equipo_que_no_esta_en_el_padron(banco: Banco, tmp_path: Path) -> None:
    ajeno = EquipoDePrueba("catd-99")
    assert rechazo(banco, armar(tmp_path / "m", ajeno, capturas(ajeno, 1))) == "EQUIPO_DESCONOCIDO"


def test_un_kiosco_no_mete_lo_de_otro_ni_con_su_propia_firma(banco: Banco, tmp_path: Path) -> None:
    """catd-02 hace una mochila con hojas de catd-01 y una foto que catd-01 declaró."""
    uno, otro = banco.equipos
    foto = imagen(1)
    robados = [declarar(uno, foto), *capturas(uno, 2)]
    informe = banco.importar(armar(tmp_path / "m", otro, robados, [foto]))
    assert dict(informe.codigos) == {"KID_AJENO": 3}
    assert banco.hechos() == []
    assert informe.imagenes_ajenas == 1
    assert not banco.tiene(foto)
    banco.importar(armar(tmp_path / "n", uno, robados))
    assert len(banco.hechos()) == 3, "lo bueno de catd-01 sigue entrando"


def test_la_llave_se_roto_a_media_noche_y_la_mochila_va_firmada_con_la_vieja(banco: Banco, tmp_path: Path) -> None:
    sobres = capturas(banco.equipo, 3)
    ruta = armar(tmp_path / "m", banco.equipo, sobres)
    viejo = banco.equipo.inscrito()
    nueva = ECKey.import_key(ECKey.generate_key("P-256").as_dict(private=False))
    cerrada = replace(viejo.llaves[0], hasta={banco.equipo.epoca: 2})
    rotado = replace(viejo, llave=nueva, anteriores=(cerrada,))
    banco.inscribir(banco.centro.padron(catd_01=rotado))
    informe = banco.importar(ruta)
    assert dict(informe.destinos) == {"aceptado": 2, "fatal": 1}
    assert dict(informe.codigos) == {"LLAVE_REVOCADA": 1}


# ------------------------------------------------------------------------------------------------------------ alterada


def _firma_de_otro(ruta: Path) -> None:
    crudo = (ruta / "manifiesto.json").read_bytes()
    (ruta / "manifiesto.jws").write_text(EquipoDePrueba("catd-01").quien.firmar(Tipo.MOCHILA, crudo))


def _firma_de_otra_cosa(ruta: Path) -> None:
    (ruta / "manifiesto.jws").write_text("a.b.c")


@pytest.mark.parametrize("dano", [_firma_de_otro, _firma_de_otra_cosa])
def test_si_la_firma_no_vale_no_se_abre_nada(banco: Banco, tmp_path: Path, dano: Callable[[Path], None]) -> None:
    ruta = armar(tmp_path / "m", banco.equipo, capturas(banco.equipo, 1))
    dano(ruta)
    assert rechazo(banco, ruta) == "MOCHILA_ALTERADA"


def _sin_firma(ruta: Path) -> None:
    (ruta / "manifiesto.jws").unlink()


def _firma_enlazada(ruta: Path) -> None:
    (ruta / "manifiesto.jws").rename(ruta.parent / "fuera.jws")
    (ruta / "manifiesto.jws").symlink_to(ruta.parent / "fuera.jws")


def _firma_tuberia(ruta: Path) -> None:
    (ruta / "manifiesto.jws").unlink()
    os.mkfifo(ruta / "manifiesto.jws")


def _firma_enorme(ruta: Path) -> None:
    os.truncate(ruta / "manifiesto.jws", 10**12)


@pytest.mark.parametrize("dano", [_sin_firma, _firma_enlazada, _firma_tuberia, _firma_enorme])
def test_sin_una_firma_que_se_pueda_leer_no_se_sabe_de_quien_es(
    banco: Banco, tmp_path: Path, dano: Callable[[Path], None]
) -> None:
    ruta = armar(tmp_path / "m", banco.equipo, capturas(banco.equipo, 1))
    dano(ruta)
    assert rechazo(banco, ruta) == "MOCHILA_INCOMPLETA"


def test_una_de_las_que_iban_en_claro(banco: Banco, tmp_path: Path) -> None:
    ruta = armar(tmp_path / "m", banco.equipo, capturas(banco.equipo, 1))
    firmar(ruta, banco.equipo, json.dumps({"v": 1, "archivos": [["sobres.jsonl", 1, "a" * 64]]}).encode())
    assert rechazo(banco, ruta) == "SIN_SELLAR"


def test_un_manifiesto_bien_firmado_que_nombra_lo_de_afuera(banco: Banco, tmp_path: Path) -> None:
    ruta = armar(tmp_path / "m", banco.equipo, capturas(banco.equipo, 1))
    editar(ruta, banco.equipo, archivos=[["../../etc/shadow", 10, "a" * 64]])
    assert rechazo(banco, ruta) == "MOCHILA_ALTERADA"


def _borrado(ruta: Path) -> None:
    ruta.unlink()


def _cambiado(ruta: Path) -> None:
    contenido = bytearray(ruta.read_bytes())
    contenido[-3] ^= 1
    ruta.write_bytes(contenido)


def _recortado(ruta: Path) -> None:
    os.truncate(ruta, ruta.stat().st_size - 1)


def _crecido(ruta: Path) -> None:
    os.truncate(ruta, 10**12)


def _enlace(ruta: Path) -> None:
    ruta.rename(ruta.parents[2] / "fuera")
    ruta.symlink_to(ruta.parents[2] / "fuera")


def _tuberia(ruta: Path) -> None:
    ruta.unlink()
    os.mkfifo(ruta)


def _carpeta(ruta: Path) -> None:
    ruta.unlink()
    ruta.mkdir()


@pytest.mark.parametrize("dano", [_borrado, _cambiado, _recortado, _crecido, _enlace, _tuberia, _carpeta])
def test_un_archivo_danado_se_dice_no_se_abre_y_los_demas_entran(
    banco: Banco, tmp_path: Path, dano: Callable[[Path], None]
) -> None:
    foto = imagen(1)
    sobres = [declarar(banco.equipo, foto), *capturas(banco.equipo, 3)]
    ruta = armar(tmp_path / "usb" / "m", banco.equipo, sobres, [foto], por_archivo=2)
    sana = shutil.copytree(ruta, tmp_path / "sana")
    dano(ruta / "sobres" / "00002.jwe")
    informe = banco.importar(ruta)
    assert list(informe.archivos_malos) == ["sobres/00002.jwe"]
    assert "IMPORTADA EN PARTE" in informe.texto
    assert dict(informe.destinos) == {"aceptado": 2}
    assert informe.huecos == [(3, 4)]
    assert banco.tiene(foto)
    assert len(banco.apartadas()) == 1
    assert banco.importar(sana).absorbida
    assert [s for _, s, _ in banco.hechos()] == [1, 2, 3, 4]
    assert banco.apartadas() == []


def test_dos_memorias_danadas_en_lados_distintos_se_completan_entre_si(banco: Banco, tmp_path: Path) -> None:
    ruta = armar(tmp_path / "a", banco.equipo, capturas(banco.equipo, 4), por_archivo=2)
    otra = shutil.copytree(ruta, tmp_path / "b")
    _cambiado(ruta / "sobres" / "00001.jwe")
    _cambiado(otra / "sobres" / "00002.jwe")
    banco.importar(ruta)
    banco.importar(otra)
    assert len(banco.hechos()) == 4
    (apartada,) = banco.apartadas()
    assert banco.importar(apartada).absorbida


def test_la_carpeta_de_sobres_es_un_enlace_a_otra_parte(banco: Banco, tmp_path: Path) -> None:
    ruta = armar(tmp_path / "m", banco.equipo, capturas(banco.equipo, 1))
    (ruta / "sobres").rename(tmp_path / "fuera")
    (ruta / "sobres").symlink_to(tmp_path / "fuera")
    assert list(banco.importar(ruta).archivos_malos) == ["sobres/00001.jwe"]
    assert banco.hechos() == []


def test_la_mochila_misma_es_un_enlace_o_un_archivo(banco: Banco, tmp_path: Path) -> None:
    ruta = armar(tmp_path / "m", banco.equipo, capturas(banco.equipo, 1))
    (tmp_path / "enlace").symlink_to(ruta)
    (tmp_path / "archivo").write_text("no")
    assert rechazo(banco, tmp_path / "enlace") == "MOCHILA"
    assert rechazo(banco, tmp_path / "archivo") == "MOCHILA"


def test_lo_que_el_manifiesto_no_nombra_no_se_abre_y_se_dice(banco: Banco, tmp_path: Path) -> None:
    ruta = armar(tmp_path / "m", banco.equipo, capturas(banco.equipo, 1))
    (ruta / ".DS_Store").write_text("x")
    os.mkfifo(ruta / "sobres" / "00009.jwe")
    (ruta / "imagenes" / "enlace").symlink_to("/etc/shadow")
    with LectorDeMochila(ruta) as lector:
        assert lector.sobran(mochila.abrir(lector.firmado(), banco.equipo.inscrito().llave)) == 3
    entrega = banco.dejar(ruta)
    copiado = {str(r.relative_to(banco.carril.buzon.entrada / entrega)) for r in _archivos(banco, entrega)}
    assert copiado == {"manifiesto.jws", "sobres/00001.jwe"}


def _archivos(banco: Banco, entrega: str) -> list[Path]:
    return [r for r in (banco.carril.buzon.entrada / entrega).rglob("*") if not r.is_dir()]


def test_un_archivo_cambia_mientras_se_lee(banco: Banco, tmp_path: Path) -> None:
    """Sale lo que se firmó, o se dice que no es: nunca una mezcla."""
    ruta = armar(tmp_path / "m", banco.equipo, capturas(banco.equipo, 400))
    archivo = ruta / "sobres" / "00001.jwe"
    bueno, parar = archivo.read_bytes(), Event()

    def cambiar() -> None:
        with archivo.open("r+b") as abierto:
            for n in itertools.count():
                if parar.is_set():
                    return
                abierto.seek(0)
                abierto.write(bueno if n % 2 else bytes(len(bueno)))
                abierto.flush()

    hilo = threading.Thread(target=cambiar, daemon=True)
    hilo.start()
    leidos: list[bytes | str] = []
    with LectorDeMochila(ruta) as lector:
        (nombrado,) = mochila.abrir(lector.firmado(), banco.equipo.inscrito().llave).archivos
        for _ in range(200):
            try:
                leidos.append(lector.leer(nombrado))
            except ArchivoMalo as malo:
                leidos.append(str(malo))
    assert set(leidos) <= {bueno, "no es el que firmó el kiosco"}
    parar.set()
    hilo.join()


def test_mas_renglones_de_los_firmados_no_se_juzgan(banco: Banco, tmp_path: Path) -> None:
    sobres = capturas(banco.equipo, 3)
    crudo = b"".join(mochila.renglon(1, s) for s in sobres) + b"basura\n" * 5000
    informe = banco.importar(armar(tmp_path / "m", banco.equipo, sobres, crudo=crudo))
    assert dict(informe.destinos) == {"aceptado": 3}
    assert informe.renglones_de_mas == 5000
    assert banco.en_cuarentena() == {}


def test_la_basura_dentro_de_lo_sellado_va_a_cuarentena_y_lo_bueno_entra(banco: Banco, tmp_path: Path) -> None:
    bueno = capturas(banco.equipo, 1)[0]
    crudo = b"\xff\xfe basura\n" + mochila.renglon(1, bueno) + b"x" * 50_000 + b"\n"
    informe = banco.importar(armar(tmp_path / "m", banco.equipo, [bueno] * 3, crudo=crudo))
    assert dict(informe.destinos) == {"aceptado": 1, "fatal": 2}
    assert banco.en_cuarentena() == {"FORMA": 1, "TAMANO": 1}


def test_una_imagen_que_nadie_declaro_no_entra_y_cuando_se_declara_si(banco: Banco, tmp_path: Path) -> None:
    foto, intrusa = imagen(1), imagen(2)
    ruta = armar(tmp_path / "m", banco.equipo, [declarar(banco.equipo, foto)], [foto, intrusa])
    informe = banco.importar(ruta)
    assert (informe.imagenes_nuevas, informe.imagenes_ajenas) == (1, 1)
    assert not banco.tiene(intrusa)
    banco.centro.ingesta.procesar([banco.equipo.envio(declarar(banco.equipo, intrusa))])
    assert banco.importar(banco.apartadas()[0]).absorbida
    assert banco.tiene(intrusa)


# --------------------------------------------------------------------------------------------------- el disco y la luz


def test_el_almacen_no_puede_escribir_y_la_mochila_espera_en_el_buzon(banco: Banco, tmp_path: Path) -> None:
    banco.dejar(armar(tmp_path / "m", banco.equipo, capturas(banco.equipo, 2)))
    bd = banco.centro.almacen.bd
    bd.execute("PRAGMA query_only = ON")
    with pytest.raises(AlmacenOcupado):
        banco.carril.atender(banco.centro.ingesta.procesar)
    assert len(banco.carril.buzon.por_importar()) == 1
    bd.execute("PRAGMA query_only = OFF")
    (informe,) = banco.carril.atender(banco.centro.ingesta.procesar)
    assert dict(informe.destinos) == {"aceptado": 2}


def test_no_cabe_en_el_disco_del_centro(banco: Banco, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ruta = armar(tmp_path / "m", banco.equipo, capturas(banco.equipo, 1))
    monkeypatch.setattr(modulo_buzon, "RESERVA", 10**18)
    assert rechazo(banco, ruta) == "DISCO"
    assert list(banco.carril.buzon.entrada.iterdir()) == []


def test_con_poco_disco_entran_los_sobres_y_las_imagenes_esperan(
    banco: Banco, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    foto = imagen(1)
    banco.dejar(armar(tmp_path / "m", banco.equipo, [declarar(banco.equipo, foto)], [foto]))
    monkeypatch.setattr(importacion, "RESERVA", 10**18)
    with pytest.raises(AlmacenOcupado):
        banco.carril.atender(banco.centro.ingesta.procesar)
    assert len(banco.hechos()) == 1
    assert not banco.tiene(foto)
    monkeypatch.undo()
    (informe,) = banco.carril.atender(banco.centro.ingesta.procesar)
    assert informe.absorbida
    assert banco.tiene(foto)


def test_se_va_la_luz_a_media_copia_y_lo_a_medias_no_se_atiende_y_se_limpia(banco: Banco, tmp_path: Path) -> None:
    entrega = banco.dejar(armar(tmp_path / "m", banco.equipo, capturas(banco.equipo, 1)))
    entrada = banco.carril.buzon.entrada
    (entrada / entrega).rename(entrada / f".{entrega}")
    assert banco.carril.atender(banco.centro.ingesta.procesar) == []
    banco.carril.buzon.limpiar()
    assert len(list(entrada.iterdir())) == 1, "reciente: otra orden puede estar copiando"
    viejo = time.time() - 3600
    os.utime(entrada / f".{entrega}", (viejo, viejo))
    with disco.turno(entrada / f".{entrega}"):
        banco.carril.buzon.limpiar()
        assert len(list(entrada.iterdir())) == 1, "la tiene tomada una que sigue viva"
    banco.carril.buzon.limpiar()
    assert list(entrada.iterdir()) == []


def test_se_va_la_luz_entre_asentar_y_sacar_del_buzon(banco: Banco, tmp_path: Path) -> None:
    """En cada lote: lo asentado queda, y al volver se importa otra vez sin contar doble."""
    foto = imagen(1)
    sobres = [declarar(banco.equipo, foto), *capturas(banco.equipo, 5)]
    banco.dejar(armar(tmp_path / "m", banco.equipo, sobres, [foto], por_archivo=2))

    class SeFue(BaseException):
        pass

    for corte in (1, 2, 3):
        cuenta = itertools.count(1)

        def muere(mensajes: Sequence[Mensaje], corte: int = corte, cuenta: itertools.count[int] = cuenta) -> Resultado:
            resultado = banco.centro.ingesta.procesar(mensajes)
            if next(cuenta) == corte:
                raise SeFue
            return resultado

        with pytest.raises(SeFue):
            banco.carril.atender(muere)
        banco.centro.almacen.cerrar()
        banco.centro.arrancar()
        assert len(banco.hechos()) == 2 * corte
    (informe,) = banco.carril.atender(banco.centro.ingesta.procesar)
    assert dict(informe.destinos) == {"repetido": 6}
    assert informe.absorbida
    assert banco.tiene(foto)


def test_un_defecto_con_un_sobre_no_deja_fuera_a_los_demas(banco: Banco, tmp_path: Path) -> None:
    sobres = capturas(banco.equipo, 5)
    banco.dejar(armar(tmp_path / "m", banco.equipo, sobres))

    def truena(mensajes: Sequence[Mensaje]) -> Resultado:
        if any(m.datos.decode() == sobres[2] for m in mensajes):
            raise RuntimeError("defecto")
        return banco.centro.ingesta.procesar(mensajes)

    (informe,) = banco.carril.atender(truena)
    assert dict(informe.destinos) == {"aceptado": 4, "fatal": 1}
    assert dict(informe.codigos) == {"DEFECTO": 1}
    assert len(banco.apartadas()) == 1


# ---------------------------------------------------------------------------------------------- con el centro corriendo


def test_los_sobres_los_procesa_solo_el_hilo_de_la_ingesta(banco: Banco, tmp_path: Path) -> None:
    foto = imagen(1)
    sobres = [declarar(banco.equipo, foto), *capturas(banco.equipo, 1300)]
    banco.dejar(armar(tmp_path / "m", banco.equipo, sobres, [foto]))
    quienes: set[str] = set()
    procesar = banco.centro.ingesta.procesar

    def anotado(mensajes: Sequence[Mensaje]) -> Resultado:
        quienes.add(threading.current_thread().name)
        return procesar(mensajes)

    banco.centro.ingesta.procesar = anotado  # type: ignore[method-assign]
    parar = Event()
    hilo = banco.carril.empezar(parar)
    revisar = banco.carril.junto_con(lambda: None)
    acuses: list[tuple[str, str]] = []
    limite = time.monotonic() + 60
    while banco.carril.buzon.por_importar() and time.monotonic() < limite:
        if (resultado := revisar()) is not None:
            acuses += resultado.acuses
        time.sleep(0.01)
    parar.set()
    hilo.join(10)
    assert quienes == {threading.current_thread().name}
    assert len(banco.hechos()) == 1301
    assert banco.tiene(foto)
    (ultimo,) = banco.centro.acuses(Resultado((), tuple(acuses[-1:])))
    assert ultimo.contiguo == 1301, "el acuse sale por el enlace en cuanto se asienta"


def test_una_vuelta_toma_pocos_lotes_y_suma_lo_del_vigia(banco: Banco) -> None:
    del_vigia = Resultado((Dictamen(Destino.REPETIDO),), alarmas=("padrón",))
    revisar = banco.carril.junto_con(lambda: del_vigia)
    assert revisar() is del_vigia
    assert banco.carril.junto_con(lambda: None)() is None


def test_se_detiene_el_centro_a_media_mochila_y_al_volver_sigue(banco: Banco, tmp_path: Path) -> None:
    banco.dejar(armar(tmp_path / "m", banco.equipo, capturas(banco.equipo, 10)))
    parar = Event()
    hilo = banco.carril.empezar(parar)
    time.sleep(0.7)  # ya está esperando a la ingesta, que no llega
    parar.set()
    hilo.join(10)
    assert not hilo.is_alive()
    assert len(banco.carril.buzon.por_importar()) == 1
    (informe,) = banco.carril.atender(banco.centro.ingesta.procesar)
    assert dict(informe.destinos) == {"aceptado": 10}


# ---------------------------------------------------------------------------------------------------------------- fuzz


@pytest.fixture(scope="module")
def sembrado(tmp_path_factory: pytest.TempPathFactory) -> tuple[Banco, Path, set[str]]:
    """Un centro, una mochila buena y las huellas de lo que trae."""
    base = tmp_path_factory.mktemp("fuzz")
    banco = Banco(base / "centro", [EquipoDePrueba("catd-01")])
    foto = imagen(1)
    sobres = [declarar(banco.equipo, foto), *capturas(banco.equipo, 2)]
    return banco, armar(base / "m", banco.equipo, sobres, [foto]), {huella(s) for s in sobres}


@settings(max_examples=80, deadline=None)
@given(
    donde=st.sampled_from(["manifiesto.jws", "sobres/00001.jwe", "imagenes/00001.jwe"]),
    lugar=st.floats(0, 1, exclude_max=True),
    que=st.binary(max_size=40),
    quita=st.integers(0, 200),
)
def test_cualquier_dano_en_la_memoria_se_explica_y_nunca_cuenta_otra_cosa(
    sembrado: tuple[Banco, Path, set[str]], donde: str, lugar: float, que: bytes, quita: int
) -> None:
    banco, ruta, huellas = sembrado
    bueno = (ruta / donde).read_bytes()
    desde = int(lugar * len(bueno))
    (ruta / donde).write_bytes(bueno[:desde] + que + bueno[desde + quita :])
    try:
        informe = banco.importar(ruta)
        dicho = "" if informe.rechazo is None else informe.rechazo.codigo
    except Tropiezo as tropiezo:
        dicho = tropiezo.rechazo.codigo
    finally:
        (ruta / donde).write_bytes(bueno)
    assert dicho in ("", "MOCHILA_ALTERADA", "MOCHILA_INCOMPLETA", "EQUIPO_DESCONOCIDO")
    assert {h for _, _, h in banco.hechos()} <= huellas
    assert banco.en_cuarentena() == {}
    assert banco.carril.buzon.por_importar() == []


@settings(max_examples=80, deadline=None)
@given(renglones=st.lists(st.binary(max_size=80), max_size=8))
def test_cualesquiera_renglones_sellados_tienen_un_destino(
    sembrado: tuple[Banco, Path, set[str]], renglones: list[bytes]
) -> None:
    banco, ruta, huellas = sembrado
    crudo = b"\n".join(renglones) or b"\n"
    cuantos = len(list(mochila.sobres_de(crudo)))
    hecha = armar(ruta.parent / "otra", banco.equipo, ["a.b.c"] * max(1, cuantos), crudo=crudo)
    informe = banco.importar(hecha)
    shutil.rmtree(hecha)
    assert informe.leidos == cuantos
    assert informe.rechazo is None
    assert {h for _, _, h in banco.hechos()} <= huellas
