"""El libro del kiosco ante lo que le puede pasar: procesos a la vez, muertes, discos llenos y acuses que no cuadran."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from appliance.almacen import Almacen
from appliance.arranque import abrir_kiosco
from appliance.bandeja import Veredicto
from appliance.falla import Falla
from appliance.identidad import leer_identidad
from appliance.imagenes import MAXIMO_BYTES, Imagenes
from appliance.llave import LlaveDeArchivo, generar
from nucleo.acuse import Acuse, Apartado
from nucleo.sobre import CADENA_NUEVA, abrir, huella
from tests.kiosco_de_prueba import A1, EPOCA, abrir_almacen, carpeta_inscrita, hora, identidad, un_hecho

RAIZ = Path(__file__).resolve().parents[2]
RESTO = "sobre, eleccion, casilla, tipo, creado FROM hechos"
AHORA = datetime(2026, 6, 7, 20, 0, tzinfo=UTC)


def lleno(carpeta: Path, cuantos: int) -> Almacen:
    almacen = abrir_almacen(carpeta)
    almacen.asentar([un_hecho(i) for i in range(cuantos)], hora(), "virtual")
    return almacen


def acuse(almacen: Almacen, contiguo: int, **cambios: object) -> Acuse:
    """El que mandaría un centro con todo hasta `contiguo`."""
    huellas = {p.secuencia: p.huella for p in almacen.sobres(1, contiguo, 10_000)}
    base = Acuse("catd-01", EPOCA, contiguo, huellas.get(contiguo, CADENA_NUEVA), (), (), (), AHORA)
    return replace(base, **cambios)  # type: ignore[arg-type]


def correr(guion: str, *argumentos: str, limite: str = "") -> subprocess.CompletedProcess[str]:
    """Corre Python aparte, con el proyecto a la vista."""
    ambiente = {**os.environ, "PYTHONPATH": str(RAIZ)}
    orden = [sys.executable, "-c", limite + guion, *argumentos]
    return subprocess.run(orden, env=ambiente, capture_output=True, text=True, timeout=60, check=False)


# ------------------------------------------------------------------------------------------------------------ la cadena


def test_cada_hecho_se_firma_y_encadena_con_el_anterior(tmp_path: Path) -> None:
    almacen = lleno(tmp_path, 5)
    llave = LlaveDeArchivo(tmp_path / "llave.pem", "catd-01").publica()
    previo = CADENA_NUEVA
    for numero, fila in enumerate(almacen.sobres(1, 5), start=1):
        sobre = abrir(fila.sobre, llave)
        assert (sobre.secuencia, sobre.previo, sobre.epoca) == (numero, previo, EPOCA)
        assert fila.huella == huella(fila.sobre)
        previo = fila.huella
    assert almacen.resumen().pendientes == 5


def test_dos_procesos_asientan_a_la_vez_y_la_cadena_queda_entera(tmp_path: Path) -> None:
    abrir_almacen(tmp_path).desconectar()
    guion = (
        "import sys; from pathlib import Path; from tests.kiosco_de_prueba import *\n"
        "a = abrir_almacen(Path(sys.argv[1])); base = int(sys.argv[2])\n"
        "for i in range(60): a.asentar([un_hecho(base + i)], hora(), 'virtual')\n"
    )
    ambiente = {**os.environ, "PYTHONPATH": str(RAIZ)}
    procesos = [
        subprocess.Popen([sys.executable, "-c", guion, str(tmp_path), str(base)], env=ambiente)
        for base in (0, 1000, 2000)
    ]
    assert [p.wait(timeout=60) for p in procesos] == [0, 0, 0]
    almacen = abrir_almacen(tmp_path)  # Abrir comprueba los últimos 500 eslabones.
    filas = almacen.sobres(1, 1000, 1000)
    assert [f.secuencia for f in filas] == list(range(1, 181))
    assert almacen.resumen().pendientes == 180


@pytest.mark.parametrize(
    "orden",
    [
        "UPDATE hechos SET tipo = 'otro'",
        "DELETE FROM hechos",
        "REPLACE INTO hechos SELECT * FROM hechos WHERE secuencia = 2",
        f"INSERT OR REPLACE INTO hechos SELECT 4, huella, previo, {RESTO} LIMIT 1",
        f"INSERT INTO hechos SELECT 9, 'x', huella, {RESTO} WHERE secuencia = 3",
        f"INSERT INTO hechos SELECT 4, 'x', 'y', {RESTO} WHERE secuencia = 3",
        "DELETE FROM bandeja",
        "REPLACE INTO bandeja (secuencia) VALUES (1)",
        "UPDATE bandeja SET estado = 'pendiente' WHERE secuencia = 1",
        "DELETE FROM bitacora",
        "UPDATE bitacora SET evento = 'otro'",
        "REPLACE INTO bitacora SELECT * FROM bitacora",
        "UPDATE pertenencia SET epoca = 'x'",
        "INSERT INTO pertenencia VALUES ('a', 'b', 'c', 'd')",
    ],
)
def test_otro_programa_no_puede_reescribir_la_historia(tmp_path: Path, orden: str) -> None:
    almacen = lleno(tmp_path, 3)
    almacen.cerrar(acuse(almacen, 1), AHORA)
    almacen.cerrar(replace(acuse(almacen, 1), epoca="f" * 16), AHORA)  # Deja un renglón en la bitácora.
    with sqlite3.connect(almacen.ruta) as intruso, pytest.raises(sqlite3.IntegrityError):
        intruso.execute(orden)
    intruso.close()
    assert [f.secuencia for f in almacen.sobres(1, 99)] == [1, 2, 3]


def test_un_sobre_alterado_por_fuera_se_descubre_al_abrir(tmp_path: Path) -> None:
    lleno(tmp_path, 3).desconectar()
    intruso = sqlite3.connect(tmp_path / "almacen.sqlite")
    intruso.execute("DROP TRIGGER hechos_sin_update")
    intruso.execute("UPDATE hechos SET sobre = 'e30.e30.e30' WHERE secuencia = 2")
    intruso.commit()
    intruso.close()
    with pytest.raises(Falla) as falla:
        abrir_almacen(tmp_path)
    assert falla.value.rechazo.codigo == "ALMACEN_DANADO"


def test_el_almacen_de_otro_kiosco_o_de_otra_epoca_no_se_abre(tmp_path: Path) -> None:
    abrir_almacen(tmp_path).desconectar()
    for otra in (identidad(epoca="f" * 16), identidad("catd-02"), replace(identidad(), modo="oficial")):
        with pytest.raises(Falla) as falla:
            abrir_almacen(tmp_path, otra)
        assert falla.value.rechazo.codigo == "ALMACEN_AJENO"


def test_un_archivo_que_no_es_almacen_se_dice_sin_traza(tmp_path: Path) -> None:
    (tmp_path / "almacen.sqlite").write_bytes(b"esto no es una base de datos" * 500)
    with pytest.raises(Falla) as falla:
        abrir_almacen(tmp_path)
    assert falla.value.rechazo.codigo == "ALMACEN_DANADO"


# ----------------------------------------------------------------------------------------------------------- los acuses


def test_el_acuse_cierra_hasta_contiguo_y_los_sueltos_y_nada_mas(tmp_path: Path) -> None:
    almacen = lleno(tmp_path, 6)
    filas = {p.secuencia: p.huella for p in almacen.pendientes()}
    resultado = almacen.cerrar(acuse(almacen, 2, sueltos=((5, filas[5]),)), AHORA)
    assert (resultado.veredicto, resultado.cerrados) == (Veredicto.APLICADO, 3)
    assert [p.secuencia for p in almacen.pendientes()] == [3, 4, 6]
    assert almacen.cerrar(acuse(almacen, 2), AHORA).cerrados == 0


@pytest.mark.parametrize(
    ("cambios", "veredicto", "quedan"),
    [
        ({"huella": "a" * 64}, Veredicto.BIFURCADO, 6),
        ({"sueltos": ((4, "b" * 64),)}, Veredicto.BIFURCADO, 3),
        ({"contiguo": 9, "huella": "c" * 64}, Veredicto.RETROCEDIDO, 6),
        ({"sueltos": ((7, "d" * 64),)}, Veredicto.RETROCEDIDO, 3),
    ],
)
def test_un_acuse_que_no_es_de_esta_cadena_solo_cierra_lo_propio_y_levanta_alarma(
    tmp_path: Path, cambios: dict[str, object], veredicto: Veredicto, quedan: int
) -> None:
    almacen = lleno(tmp_path, 6)
    recibido = replace(acuse(almacen, 3), **cambios)  # type: ignore[arg-type]
    assert almacen.cerrar(recibido, AHORA).veredicto is veredicto
    assert almacen.resumen().pendientes == quedan
    almacen.desconectar()
    otra_vez = abrir_almacen(tmp_path)
    assert otra_vez.resumen().alarma == veredicto.value, "la alarma sobrevive a un reinicio"


@pytest.mark.parametrize("cambios", [{"epoca": "f" * 16}, {"equipo": "catd-02"}])
def test_un_acuse_de_otro_equipo_u_otra_epoca_se_ignora_y_se_anota(tmp_path: Path, cambios: dict[str, object]) -> None:
    almacen = lleno(tmp_path, 2)
    assert almacen.cerrar(acuse(almacen, 2, **cambios), AHORA).veredicto is Veredicto.AJENO
    resumen = almacen.resumen()
    assert (resumen.pendientes, resumen.alarma, resumen.ultimo_acuse) == (2, None, None)
    with almacen.lectura() as mirada:
        assert mirada.conexion.execute("SELECT evento FROM bitacora").fetchall() == [("acuse_ajeno",)]


def test_lo_apartado_sigue_pendiente_y_visible_hasta_que_se_acusa(tmp_path: Path) -> None:
    almacen = lleno(tmp_path, 3)
    filas = {p.secuencia: p.huella for p in almacen.pendientes()}
    almacen.cerrar(acuse(almacen, 1, apartados=(Apartado(filas[2], "FIRMA"),)), AHORA)
    assert [p.secuencia for p in almacen.pendientes()] == [3]
    assert [(p.secuencia, p.apartado) for p in almacen.apartados()] == [(2, "FIRMA")]
    assert (almacen.resumen().pendientes, almacen.resumen().apartados) == (2, 1)
    almacen.cerrar(acuse(almacen, 3), AHORA)
    assert (almacen.resumen().pendientes, almacen.resumen().apartados) == (0, 0)


def test_una_copia_danada_de_un_sobre_ya_aceptado_no_lo_aparta(tmp_path: Path) -> None:
    almacen = lleno(tmp_path, 2)
    filas = {p.secuencia: p.huella for p in almacen.pendientes()}
    almacen.cerrar(acuse(almacen, 2, apartados=(Apartado(filas[1], "FIRMA"),)), AHORA)
    assert almacen.resumen().apartados == 0


# ------------------------------------------------------------------------------------------------ muertes y disco lleno


def test_lo_dicho_guardado_sobrevive_a_un_kill_9(tmp_path: Path) -> None:
    abrir_almacen(tmp_path).desconectar()
    guion = (
        "import sys; from pathlib import Path; from tests.kiosco_de_prueba import *\n"
        "a = abrir_almacen(Path(sys.argv[1]))\n"
        "for i in range(100000):\n"
        "    print(a.asentar([un_hecho(i)], hora(), 'virtual')[0].huella, flush=True)\n"
    )
    proceso = subprocess.Popen(
        [sys.executable, "-c", guion, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": str(RAIZ)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert proceso.stdout is not None
    dichas = [proceso.stdout.readline().strip() for _ in range(25)]
    proceso.kill()
    dichas += proceso.stdout.read().split()
    proceso.stdout.close()
    proceso.wait()
    guardadas = {p.huella for p in abrir_almacen(tmp_path).sobres(1, 10**6, 10**6)}
    assert {d for d in dichas if len(d) == 64} <= guardadas


def test_se_va_la_luz_entre_imagen_y_renglon(tmp_path: Path) -> None:
    guion = (
        "import os, signal, sys; from pathlib import Path; from tests.kiosco_de_prueba import *\n"
        "from appliance.almacen import Transaccion; from nucleo.acta import Digitalizacion\n"
        "m = abrir_mesa(Path(sys.argv[1])); bien(m.acopiar(A1, persona='acopio-1', origen=Origen.CATD))\n"
        "Transaccion.asentar = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\n"
        "m.digitalizar(A1, persona='acopio-1', digitalizacion=Digitalizacion.ESCANER, contenido=b'imagen')\n"
    )
    muerto = correr(guion, str(tmp_path))
    assert muerto.returncode == -signal.SIGKILL, muerto.stderr
    almacen = abrir_almacen(tmp_path)
    assert [type(h).__name__ for h in almacen.hechos_de(A1)] == ["Acopio"], "nunca un hecho sin imagen"
    imagenes = Imagenes(tmp_path / "imagenes")
    sha256 = imagenes.guardar(b"imagen")
    assert imagenes.leer(sha256) == b"imagen"
    assert [r.name for r in (tmp_path / "imagenes").iterdir()] == [f"{sha256}.png"]


def test_el_disco_se_llena_a_media_noche(tmp_path: Path) -> None:
    abrir_almacen(tmp_path).desconectar()
    # El tope por archivo se comporta como un disco lleno: la escritura se queda corta.
    limite = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, 150_000))\n"
    guion = (
        "import sys; from pathlib import Path; from tests.kiosco_de_prueba import *\n"
        "from appliance.falla import Falla\n"
        "a = abrir_almacen(Path(sys.argv[1]))\n"
        "for i in range(2000):\n"
        "    try:\n"
        "        print(a.asentar([un_hecho(i), un_hecho(10000 + i)], hora(), 'virtual')[-1].secuencia)\n"
        "    except Falla as falla:\n"
        "        print(falla.rechazo.codigo, a.ultimo().secuencia); break\n"
    )
    salida = correr(guion, str(tmp_path), limite=limite)
    assert salida.returncode == 0, salida.stderr
    *guardadas, falla = salida.stdout.split("\n")[:-1]
    codigo, ultima = falla.split()
    assert codigo in ("DISCO_LLENO", "DISCO")
    assert ultima == guardadas[-1], "nada a medias: los dos hechos de la transacción o ninguno"
    almacen = abrir_almacen(tmp_path)
    assert almacen.ultimo().secuencia == int(ultima)
    almacen.asentar([un_hecho(1)], hora(), "virtual")


def test_la_imagen_que_no_cabe_no_deja_restos(tmp_path: Path) -> None:
    limite = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
    guion = (
        "import sys; from pathlib import Path; from appliance.imagenes import Imagenes\n"
        "from appliance.falla import Falla\n"
        "try: Imagenes(Path(sys.argv[1])).guardar(b'x' * 5000)\n"
        "except Falla as falla: print(falla.rechazo.codigo)\n"
    )
    salida = correr(guion, str(tmp_path / "imagenes"), limite=limite)
    assert salida.stdout.strip() == "DISCO_LLENO", salida.stderr
    assert list((tmp_path / "imagenes").iterdir()) == []


@pytest.mark.parametrize("tamano", [0, MAXIMO_BYTES + 1])
def test_una_imagen_vacia_o_enorme_se_rechaza(tmp_path: Path, tamano: int) -> None:
    with pytest.raises(Falla) as falla:
        Imagenes(tmp_path).guardar(b"x" * tamano)
    assert falla.value.rechazo.codigo == "IMAGEN"


def test_una_imagen_podrida_en_el_disco_no_se_entrega_y_se_puede_rehacer(tmp_path: Path) -> None:
    imagenes = Imagenes(tmp_path)
    sha256 = imagenes.guardar(b"buena")
    imagenes.ruta(sha256).write_bytes(b"mala!")
    assert imagenes.leer(sha256) is None
    assert imagenes.guardar(b"buena") == sha256
    assert imagenes.leer(sha256) == b"buena"


# ------------------------------------------------------------------------------------------------- la llave e identidad


def test_una_llave_a_la_vista_de_otras_cuentas_no_se_usa(tmp_path: Path) -> None:
    generar(tmp_path / "llave.pem")
    (tmp_path / "llave.pem").chmod(0o640)
    with pytest.raises(Falla, match="chmod 600"):
        LlaveDeArchivo(tmp_path / "llave.pem", "catd-01")


def a_la_vista(carpeta: Path) -> dict[str, str]:
    """Los archivos del almacén que otras cuentas pueden leer."""
    archivos = {r.name: r.stat().st_mode & 0o777 for r in carpeta.glob("almacen.sqlite*")}
    assert len(archivos) == 3, archivos
    return {nombre: f"{modo:o}" for nombre, modo in archivos.items() if modo & 0o077}


def test_el_almacen_nace_sin_que_otra_cuenta_lo_pueda_leer(tmp_path: Path) -> None:
    anterior = os.umask(0)
    try:
        almacen = lleno(tmp_path, 1)
    finally:
        os.umask(anterior)
    assert a_la_vista(tmp_path) == {}
    almacen.desconectar()


def test_un_almacen_que_quedo_a_la_vista_se_cierra_y_se_dice(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    viejo = lleno(tmp_path, 1)
    for archivo in tmp_path.glob("almacen.sqlite*"):
        archivo.chmod(0o644)
    abrir_almacen(tmp_path).desconectar()
    assert a_la_vista(tmp_path) == {}
    assert "a la vista de otras cuentas" in capsys.readouterr().err
    viejo.desconectar()


def test_la_carpeta_del_kiosco_a_la_vista_de_otros_se_cierra_y_se_dice(
    tmp_path: Path, datos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    carpeta = carpeta_inscrita(tmp_path / "kiosco", datos / "oaxaca_2022")
    carpeta.chmod(0o755)
    abrir_kiosco(carpeta).almacen.desconectar()
    assert carpeta.stat().st_mode & 0o777 == 0o700
    dicho = capsys.readouterr().err
    assert str(carpeta) in dicho
    assert "permisos 755" in dicho
    assert "Siguiente paso" in dicho


def test_generar_nunca_pisa_una_llave(tmp_path: Path) -> None:
    generar(tmp_path / "llave.pem")
    antes = (tmp_path / "llave.pem").read_bytes()
    with pytest.raises(FileExistsError):
        generar(tmp_path / "llave.pem")
    assert (tmp_path / "llave.pem").read_bytes() == antes


BUENA = {
    "equipo": '"catd-01"',
    "catd": '"catd-01"',
    "epoca": '"0123456789abcdef"',
    "modo": '"simulacro"',
    "proceso": '"../definicion"',
    "broker_host": '"localhost"',
    "broker_puerto": "8883",
}


@pytest.mark.parametrize(
    ("cambios", "dice"),
    [
        ({"epoca": '"0123"'}, "epoca"),
        ({"modo": '"prueba"'}, "modo"),
        ({"broker_puerto": "true"}, "broker_puerto"),
        ({"broker_puerto": "0"}, "broker_puerto"),
        ({"equipo": '"CATD 1"'}, "equipo"),
        ({"catd": None}, "falta «catd»"),
        ({"clave": '"x"'}, "sobra «clave»"),
        ({"equipo": '"sin cerrar'}, "no es TOML"),
    ],
)
def test_una_identidad_incompleta_dice_el_archivo_y_la_causa(
    tmp_path: Path, cambios: dict[str, str | None], dice: str
) -> None:
    datos = {k: v for k, v in (BUENA | cambios).items() if v is not None}
    (tmp_path / "identidad.toml").write_text("\n".join(f"{k} = {v}" for k, v in datos.items()))
    with pytest.raises(Falla) as falla:
        leer_identidad(tmp_path)
    assert "identidad.toml" in falla.value.rechazo.que
    assert dice in falla.value.rechazo.que


def test_la_definicion_relativa_se_busca_desde_la_carpeta_del_kiosco(tmp_path: Path) -> None:
    (tmp_path / "identidad.toml").write_text("\n".join(f"{k} = {v}" for k, v in BUENA.items()))
    assert leer_identidad(tmp_path).proceso == (tmp_path.parent / "definicion").resolve()
