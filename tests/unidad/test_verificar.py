"""`prep verificar`: un byte cambiado en cualquier lugar se halla y se nombra; un centro que firma mentiras, también."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import shutil
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auditoria.verificar import noche
from auditoria.verificar.lector import LectorDeCarpeta, NoSePuede
from nucleo.eleccion import Proceso
from nucleo.hechos import IdActa, Imagen
from nucleo.promesa import promesa_de
from nucleo.publicacion import manifiesto, rutas
from nucleo.publicacion.json_publico import paginas
from nucleo.publicacion.manifiesto import Manifiesto, archivo_de
from nucleo.publicacion.mentira import Mentira
from nucleo.transparencia.cofirma import Cofirmante
from nucleo.transparencia.nota import leer_nota
from servicio_central.publicacion import escritura, memoria, publicador
from servicio_central.registro import pendiente, registro
from tests.noche_de_registro import NocheDeRegistro, casillas, publicos, vivir
from tests.publicacion_por_http import servida
from vigilancia import orden_verificar
from vigilancia.lector_http import LectorHttp


class Archivos(list[str]):
    """Los publicados; son cientos y nadie los quiere ver en cada ejemplo de hypothesis."""

    def __repr__(self) -> str:
        return f"{len(self)} archivos"


@pytest.fixture(scope="module")
def vivida(tmp_path_factory: pytest.TempPathFactory) -> NocheDeRegistro:
    return vivir(tmp_path_factory.mktemp("verificar"))


@pytest.fixture(scope="module")
def archivos(vivida: NocheDeRegistro) -> list[str]:
    return Archivos(str(r.relative_to(vivida.carpeta)) for r in publicos(vivida.carpeta))


def mentira_en(carpeta: Path) -> Mentira:
    with pytest.raises(Mentira) as hallada:
        noche.todo(LectorDeCarpeta(carpeta))
    assert all((hallada.value.donde, hallada.value.decia, hallada.value.debia, hallada.value.significa))
    return hallada.value


@contextmanager
def cambiado(carpeta: Path, ruta: str, datos: bytes) -> Iterator[None]:
    """El archivo con otro contenido mientras dura el bloque."""
    antes = (carpeta / ruta).read_bytes()
    (carpeta / ruta).write_bytes(datos)
    try:
        yield
    finally:
        (carpeta / ruta).write_bytes(antes)


def exigir_que_lo_nombre(carpeta: Path, ruta: str, hallada: Mentira) -> None:
    dicha = hallada.donde.partition(",")[0]
    # Un archivo que no cambió de un corte a otro es el mismo en disco, con dos nombres.
    assert dicha == ruta or (carpeta / dicha).samefile(carpeta / ruta), f"se cambió {ruta} y se dijo {hallada}"


def test_una_publicacion_buena_es_cierta(vivida: NocheDeRegistro, archivos: list[str]) -> None:
    repasada = noche.todo(LectorDeCarpeta(vivida.carpeta))
    assert repasada.cuenta.avisos == []
    assert len(repasada.cortes) == 4
    assert repasada.cuenta.recalculados > 200
    assert len(archivos) > 300
    assert len(repasada.registro.firmado.firmas) == 2, "la del registro y la del testigo"


@given(st.data())
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_un_bit_cambiado_en_cualquier_archivo_se_halla_y_se_nombra(
    vivida: NocheDeRegistro, archivos: list[str], data: st.DataObject
) -> None:
    # La mitad son páginas: primero de qué clase y luego cuál, para que las clases con pocos archivos también salgan.
    clases = sorted({clase_de(a) for a in archivos})
    clase = data.draw(st.sampled_from(clases))
    ruta = data.draw(st.sampled_from([a for a in archivos if clase_de(a) == clase]))
    datos = bytearray((vivida.carpeta / ruta).read_bytes())
    datos[data.draw(st.integers(0, len(datos) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with cambiado(vivida.carpeta, ruta, bytes(datos)):
        exigir_que_lo_nombre(vivida.carpeta, ruta, mentira_en(vivida.carpeta))


def clase_de(ruta: str) -> str:
    partes = ruta.split("/")
    return "/".join((partes[0], partes[1] if partes[0] == "registro" else "", "".join(Path(ruta).suffixes[-2:])))


def test_un_bit_de_mas_al_final_de_un_gzip_se_halla(vivida: NocheDeRegistro, archivos: list[str]) -> None:
    """Nadie lo ve al descomprimir; aun así no es el archivo que se publicó."""
    ruta = next(a for a in archivos if a.endswith("resumen.json.gz"))
    datos = (vivida.carpeta / ruta).read_bytes()
    contenido = gzip.decompress(datos)
    for escondido in (
        datos + gzip.compress(b"otra cosa"),
        datos + b"\0",
        gzip.compress(contenido, 9, mtime=1),
        gzip.compress(contenido, 1, mtime=0),
        datos[:3] + b"\x08" + datos[4:10] + b"un nombre\0" + datos[10:],
    ):
        with cambiado(vivida.carpeta, ruta, escondido):
            exigir_que_lo_nombre(vivida.carpeta, ruta, mentira_en(vivida.carpeta))


@given(st.data())
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_un_archivo_que_falta_se_halla_y_se_nombra(
    vivida: NocheDeRegistro, archivos: list[str], data: st.DataObject
) -> None:
    clase = data.draw(st.sampled_from(sorted({clase_de(a) for a in archivos})))
    ruta = data.draw(st.sampled_from([a for a in archivos if clase_de(a) == clase]))
    anterior = ruta.startswith("registro/tile/") and "/000.p/" in ruta and not ruta.endswith(_ancho(vivida))
    aparte = vivida.carpeta / "aparte"
    (vivida.carpeta / ruta).rename(aparte)
    try:
        if anterior:  # la baldosa a medias que otra reemplazó se puede borrar (C2SP tlog-tiles)
            noche.todo(LectorDeCarpeta(vivida.carpeta))
        else:
            assert mentira_en(vivida.carpeta).donde.partition(",")[0] == ruta
    finally:
        aparte.rename(vivida.carpeta / ruta)


def _ancho(vivida: NocheDeRegistro) -> str:
    registro = vivida.publicador._registro
    assert registro is not None
    return f"/{registro.asentadas}"


@pytest.mark.parametrize(
    "ruta",
    [
        "cortes/20240602_2000/de_mas.html.gz",
        "cortes/20240602_2000/GUB/s/0101/Z0100.json.gz",
        "cortes/20240602_2000/.escondido",
        "cortes/20240602_2030/resumen.json.gz",
        "registro/tile/0/000.p/3",
        "registro/tile/entries/001.p/3",
        "registro/tile/1/000.p/1",
        "registro/actas/20240602_2000/GUB/140302B0100.tlog-proof",
        "registro/puntos/20240602_2030",
        "registro/nota",
        f"imagenes_publicas/00/{'00' * 32}.webp",
        f"documentos_publicos/{'00' * 32}",
    ],
)
def test_un_archivo_de_mas_se_halla_y_se_nombra(vivida: NocheDeRegistro, ruta: str) -> None:
    destino = vivida.carpeta / ruta
    nuevas = [c for c in destino.parents if not c.exists()]
    destino.parent.mkdir(parents=True, exist_ok=True)
    destino.write_bytes(b"x")
    try:
        assert mentira_en(vivida.carpeta).donde == ruta
    finally:
        destino.unlink()
        for carpeta in nuevas:
            carpeta.rmdir()


def test_un_enlace_que_se_sale_se_halla_aunque_diga_lo_mismo(vivida: NocheDeRegistro, tmp_path: Path) -> None:
    base = vivida.carpeta / "cortes"
    seccion = next(r for r in sorted(base.glob("*/*/s/*")) if r.is_symlink())
    original = os.readlink(seccion)  # noqa: PTH115
    shutil.copytree(seccion, tmp_path / "copia")
    for otro in (str(tmp_path / "copia"), f"../../../../cortes/{original.removeprefix('../../../')}", f"./{original}"):
        seccion.unlink()
        seccion.symlink_to(otro)
        try:
            assert mentira_en(vivida.carpeta).donde == str(seccion.relative_to(vivida.carpeta))
        finally:
            seccion.unlink()
            seccion.symlink_to(original)
    resumen = base / "20240602_2000" / "resumen.json.gz"
    aparte = tmp_path / "resumen.json.gz"
    resumen.rename(aparte)
    resumen.symlink_to(aparte)
    try:
        assert "enlace" in mentira_en(vivida.carpeta).decia
    finally:
        resumen.unlink()
        aparte.rename(resumen)


def test_una_tuberia_en_vez_de_un_archivo_no_detiene_a_quien_verifica(vivida: NocheDeRegistro, tmp_path: Path) -> None:
    ruta = vivida.carpeta / "registro" / "puntos" / "ceros"
    ruta.rename(tmp_path / "ceros")
    os.mkfifo(ruta)
    try:
        assert mentira_en(vivida.carpeta).donde == "registro/puntos/ceros"
    finally:
        ruta.unlink()
        (tmp_path / "ceros").rename(ruta)


def test_lo_que_se_muestra_tiene_que_ser_el_ultimo_corte(vivida: NocheDeRegistro) -> None:
    publico = vivida.carpeta / "publico"
    original = os.readlink(publico)  # noqa: PTH115
    for otro in ("cortes/20240602_2000", "/etc", "cortes/../cortes/20240602_2100"):
        publico.unlink()
        publico.symlink_to(otro)
        try:
            assert mentira_en(vivida.carpeta).donde == "publico"
        finally:
            publico.unlink()
            publico.symlink_to(original)


def test_cambiar_una_cifra_y_rehacer_el_manifiesto_no_engana(vivida: NocheDeRegistro, tmp_path: Path) -> None:
    """Quien toma el servidor recalcula los SHA-256; el registro ya tenía el del manifiesto."""
    carpeta = copia(vivida, tmp_path)
    corte = carpeta / "cortes" / "20240602_2100"
    resumen = json.loads(gzip.decompress((corte / "resumen.json.gz").read_bytes()))
    resumen["elecciones"]["GUB"]["resumen"]["ACTAS_CAPTURADAS"] = "19"
    nuevo = json.dumps(resumen, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
    (corte / "resumen.json.gz").write_bytes(gzip.compress(nuevo, 9, mtime=0))
    dicho = manifiesto.leer(gzip.decompress((corte / "manifiesto.json.gz").read_bytes()))
    otro = Manifiesto(dicho.de, {**dicho.archivos, rutas.RESUMEN: archivo_de(nuevo)})
    (corte / "manifiesto.json.gz").write_bytes(gzip.compress(otro.a_bytes(), 9, mtime=0))
    hallada = mentira_en(carpeta)
    assert hallada.donde == "cortes/20240602_2100/manifiesto.json.gz"
    assert "no es la que se asentó" in hallada.significa


def copia(vivida: NocheDeRegistro, tmp_path: Path) -> Path:
    carpeta = tmp_path / "copia"
    carpeta.mkdir()
    for nombre in ("cortes", "registro", "imagenes_publicas", "documentos_publicos"):
        shutil.copytree(vivida.carpeta / nombre, carpeta / nombre, symlinks=True)
    (carpeta / "publico").symlink_to(os.readlink(vivida.carpeta / "publico"))  # noqa: PTH115
    return carpeta


# ------------------------------------------------------------------------------------- un centro que firma mentiras


def _csv_falso(real: Callable[..., tuple[str, bytes]]) -> Callable[..., tuple[str, bytes]]:
    def falso(proceso: Proceso, clave: str, *lo_demas: Any) -> tuple[str, bytes]:
        nombre, datos = real(proceso, clave, *lo_demas)
        salida = io.BytesIO()
        with zipfile.ZipFile(io.BytesIO(datos)) as bueno, zipfile.ZipFile(salida, "w") as falso:
            for miembro in bueno.infolist():
                falso.writestr(miembro, bueno.read(miembro).replace(b",10,", b",99,", 1))
        return nombre, salida.getvalue() if clave == "GUB" else datos

    return falso


def _con_votos_de_mas(real: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    def falso(*args: Any) -> dict[str, Any]:
        dato = real(*args)
        return dato | {"v": 7} if dato["eleccion"]["clave"] == "GUB" else dato

    return falso


@pytest.mark.parametrize(
    ("donde", "que", "trampa", "nombra"),
    [
        (publicador, "escribir_zip", _csv_falso, "_PREP_GUB_EJE.zip, EJE_GUB_2024.csv, renglón"),
        (paginas, "de_eleccion", _con_votos_de_mas, "/GUB/index.json.gz, «v»"),
        (paginas, "de_seccion", _con_votos_de_mas, "index.json.gz, «v»"),
        (paginas, "de_acta", _con_votos_de_mas, "/GUB/s/"),
    ],
    ids=["csv", "eleccion", "seccion", "acta"],
)
def test_un_centro_que_firma_un_corte_con_una_cifra_falsa_se_delata(
    tmp_path: Path, donde: Any, que: str, trampa: Callable[[Any], Any], nombra: str
) -> None:
    """Todo cuadra —manifiesto, registro, firma, pruebas— menos que la cifra no sale de los hechos firmados."""
    tramposa = NocheDeRegistro(tmp_path)
    acta = casillas(tramposa, "GUB")[1]
    tramposa.mandar(tramposa.uno, *tramposa.pareja(acta))
    with pytest.MonkeyPatch.context() as parche:
        parche.setattr(donde, que, trampa(getattr(donde, que)))
        tramposa.corte(0)
    tramposa.almacen.cerrar()
    assert nombra in mentira_en(tmp_path).donde


def test_un_centro_que_calla_un_acta_verificada_se_delata(tmp_path: Path) -> None:
    tramposa = NocheDeRegistro(tmp_path)
    acta = casillas(tramposa, "GUB")[1]
    tramposa.mandar(tramposa.uno, *tramposa.pareja(acta))
    real = publicador.Publicador._hojas

    def sin_actas(*args: Any) -> Iterator[bytes]:
        return (h for h in real(*args) if not h.startswith(b"acta\n"))

    with pytest.MonkeyPatch.context() as parche:
        parche.setattr(publicador.Publicador, "_hojas", sin_actas)
        tramposa.corte(0)
    tramposa.almacen.cerrar()
    assert str(acta) in mentira_en(tmp_path).decia


def test_la_cofirma_de_un_desconocido_no_se_da_por_buena(vivida: NocheDeRegistro) -> None:
    ruta = vivida.carpeta / "registro" / "checkpoint"
    nota = leer_nota(ruta.read_bytes())
    otro = Cofirmante("nadie", Ed25519PrivateKey.generate())
    firma = otro.cofirmar(noche.todo(LectorDeCarpeta(vivida.carpeta)).registro.firmado.punto, 1)
    with cambiado(vivida.carpeta, "registro/checkpoint", nota.con(firma).a_bytes()):
        assert "nadie" in mentira_en(vivida.carpeta).decia


@pytest.mark.parametrize(
    ("donde", "que"),
    [
        (escritura.CorteEnObra, "levantar"),
        (registro.Registro, "asentar"),
        (publicador.Publicador, "_pruebas"),
        (memoria, "barrer"),
        (pendiente, "quitar"),
    ],
    ids=lambda x: x if isinstance(x, str) else "",
)
def test_se_va_la_luz_a_medio_corte_y_lo_publicado_sigue_siendo_cierto(tmp_path: Path, donde: Any, que: str) -> None:
    esta = NocheDeRegistro(tmp_path)
    gub = casillas(esta, "GUB")
    esta.mandar(esta.uno, *esta.pareja(gub[1]), esta.captura(gub[2], "ana"))
    esta.corte(0)
    esta.mandar(esta.uno, *esta.pareja(gub[3]))

    def apagon(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as parche:
        parche.setattr(donde, que, apagon)
        with pytest.raises(KeyboardInterrupt):
            esta.corte(20)
    esta.publicador = publicador.Publicador(tmp_path)
    esta.mandar(esta.uno, esta.captura(gub[2], "beto"))
    esta.corte(40)
    esta.almacen.cerrar()
    assert noche.todo(LectorDeCarpeta(tmp_path)).cuenta.avisos == []


# --------------------------------------------------------------------------------------------------------- la orden

ACTA: Final = "GUB/140101B0100"


def correr(*args: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, Any]]:
    salida = orden_verificar.main([*args, "--json"])
    return salida, json.loads(capsys.readouterr().out)


def test_la_orden_dice_lo_mismo_de_una_carpeta_que_de_internet(
    vivida: NocheDeRegistro, capsys: pytest.CaptureFixture[str]
) -> None:
    de_carpeta = correr("todo", str(vivida.carpeta), capsys=capsys)
    assert de_carpeta[0] == 0
    assert correr("corte", "20240602_2040", str(vivida.carpeta), capsys=capsys)[0] == 0
    with servida(vivida.carpeta) as servidor:
        salida, dicho = correr("todo", servidor.url, capsys=capsys)
        assert (salida, dicho["raiz"], dicho["cortes"]) == (0, de_carpeta[1]["raiz"], de_carpeta[1]["cortes"])
        assert correr("acta", ACTA, servidor.url, capsys=capsys)[0] == 0
        assert correr("espejo", servidor.url, str(vivida.carpeta), capsys=capsys)[0] == 0
        servidor.cambios["/manifiesto.json"] = gzip.compress(b"{}", 9, mtime=0)
        assert correr("todo", servidor.url, capsys=capsys)[1]["donde"] == "publico/manifiesto.json.gz"


def test_lo_que_no_se_puede_leer_no_es_una_mentira(
    vivida: NocheDeRegistro, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for args in (
        ("todo", str(tmp_path / "no_hay")),
        ("todo", str(tmp_path)),
        ("todo", "http://127.0.0.1:9"),
        ("todo", "http://"),
        ("corte", "20300101_0000", str(vivida.carpeta)),
        ("acta", "GUB/NO_EXISTE", str(vivida.carpeta)),
        ("acta", "GUB/140303B0100", str(vivida.carpeta)),
        ("recibo", "PREPC2|no", str(vivida.carpeta)),
    ):
        salida, dicho = correr(*args, capsys=capsys)
        assert (salida, dicho["resultado"]) == (2, "ilegible"), args


def test_exigir_la_llave_que_uno_ya_conoce(vivida: NocheDeRegistro, capsys: pytest.CaptureFixture[str]) -> None:
    repasada = noche.repasar(LectorDeCarpeta(vivida.carpeta))
    buena, otra = repasada.registro.ceros.llave, vivida.testigo.llave.vkey
    assert correr("todo", str(vivida.carpeta), "--llave", buena, capsys=capsys)[0] == 0
    assert correr("todo", str(vivida.carpeta), "--llave", otra, capsys=capsys)[0] == 1
    assert orden_verificar.main(["todo", str(vivida.carpeta)]) == 0
    assert "compárela con la puesta en ceros impresa" in capsys.readouterr().out


def test_un_acta_se_verifica_sin_red_con_su_prueba_su_json_y_la_llave(
    vivida: NocheDeRegistro, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    salida, dicho = correr("acta", ACTA, str(vivida.carpeta), capsys=capsys)
    una = dicho["actas"][0]
    assert (salida, una["situacion"], una["corte"]) == (0, "contabilizada", "20240602_2100")
    prueba = vivida.carpeta / una["prueba"]
    ficha = vivida.carpeta / "cortes" / una["corte"] / f"{rutas.acta_por_id(IdActa(*ACTA.split('/')))}.json.gz"
    suelta = ("acta", str(prueba), str(ficha), "--llave", dicho["llave"])
    assert correr(*suelta, capsys=capsys)[0] == 0
    cambiada = tmp_path / "cambiada.json"
    cambiada.write_bytes(gzip.decompress(ficha.read_bytes()).replace(b'"votos":11', b'"votos":12', 1))
    assert correr("acta", str(prueba), str(cambiada), "--llave", dicho["llave"], capsys=capsys)[0] == 1
    assert correr("acta", str(prueba), str(ficha), capsys=capsys)[0] == 2, "sin llave no demuestra nada"
    cambiada.write_bytes(b"[]")
    assert correr("acta", str(prueba), str(cambiada), "--llave", dicho["llave"], capsys=capsys)[0] == 2


# ------------------------------------------------------------------------------------------------------- los recibos


def recibo_de(vivida: NocheDeRegistro, sobre: str, imagen: Imagen, secuencia: int, hora: datetime) -> str:
    lugar = ("catd-01", vivida.uno.epoca, secuencia)
    proceso = vivida.proceso
    return promesa_de(proceso.clave, proceso.modo, imagen.acta, imagen.sha256, hora, lugar, sobre).qr


def test_el_recibo_halla_su_acta_y_si_falta_lo_prueba(
    vivida: NocheDeRegistro, capsys: pytest.CaptureFixture[str]
) -> None:
    acta = IdActa(*ACTA.split("/"))
    datos = b"RIFF imagen de mentiras: primera" * 3
    foto = vivida.foto(acta, "primera", llega=False)
    assert foto.sha256 == hashlib.sha256(datos).hexdigest()
    bueno = recibo_de(vivida, vivida.sobres[2], foto, 3, foto.hora)
    salida, dicho = correr("recibo", bueno, str(vivida.carpeta), capsys=capsys)
    assert (salida, dicho["recibo"]["destino"]) == (0, "publicada")
    # El kiosco firma otra hoja que nunca llega al registro.
    secuencia, otra = vivida.uno.secuencia + 1, vivida.foto(acta, "callada", llega=False)
    callado = vivida.uno.firmar(otra, proceso=vivida.proceso.clave, modo=vivida.proceso.modo)
    falta = recibo_de(vivida, callado, otra, secuencia, otra.hora)
    salida, dicho = correr("recibo", falta, str(vivida.carpeta), capsys=capsys)
    assert (salida, dicho["decia"]) == (1, "nada")
    assert "su firma es buena" in dicho["significa"]
    # Alterado, el recibo no acusa a nadie.
    for malo in (falta.replace(otra.sha256, foto.sha256)[:-3] + "AAA", bueno.replace("catd-01", "catd-09")):
        assert correr("recibo", malo, str(vivida.carpeta), capsys=capsys)[0] == 2
    de_otra = bueno.replace(ACTA, "GUB/140101C0100")
    assert correr("recibo", de_otra, str(vivida.carpeta), capsys=capsys)[0] == 2


def test_el_recibo_de_lo_que_aun_puede_llegar_no_acusa(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    esta = NocheDeRegistro(tmp_path)
    acta = casillas(esta, "GUB")[1]
    esta.mandar(esta.uno, *esta.pareja(acta))
    nombre = esta.corte(0)
    esta.almacen.cerrar()
    foto = esta.foto(acta, "en camino", llega=False)
    sobre = esta.uno.firmar(foto, proceso=esta.proceso.clave, modo=esta.proceso.modo)
    reciente = recibo_de(esta, sobre, foto, esta.uno.secuencia, esta.hora(-10))
    salida, dicho = correr("recibo", reciente, str(tmp_path), capsys=capsys)
    assert (salida, dicho["recibo"]["destino"]) == (0, "todavia")
    assert nombre in dicho["recibo"]["detalle"]
    viejo = recibo_de(esta, sobre, foto, esta.uno.secuencia, esta.hora(-10) - timedelta(hours=3))
    assert correr("recibo", viejo, str(tmp_path), capsys=capsys)[0] == 1


def test_por_la_red_no_se_sigue_a_quien_manda_a_otro_lado(vivida: NocheDeRegistro) -> None:
    with servida(vivida.carpeta) as servidor:
        servidor.cambios["/registro/checkpoint"] = b""
        with pytest.raises(Mentira):
            noche.todo(LectorHttp(servidor.url))
    with pytest.raises(NoSePuede):
        LectorHttp("ftp://ejemplo")
