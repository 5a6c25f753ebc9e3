"""Las secciones de `centro.toml` para varias máquinas: sin ellas todo es como siempre, y lo mal escrito se dice."""

from __future__ import annotations

from pathlib import Path

import pytest

from servicio_central import ajustes, almacenes
from servicio_central.ajustes import Ajustes
from servicio_central.almacen import Almacen
from servicio_central.puerto_almacen import FallaDelAlmacen
from servicio_central.tropiezo import Tropiezo

DSN = "host=pg0,pg1 dbname=prep user=prep sslcert=/c/tls.pem"


def _escribir(carpeta: Path, mas: str) -> None:
    ajustes.escribir(carpeta, Ajustes("simulacro", carpeta, "localhost", 8883))
    with (carpeta / ajustes.ARCHIVO).open("a") as archivo:
        archivo.write(mas)


def test_sin_secciones_es_una_sola_maquina(tmp_path: Path) -> None:
    _escribir(tmp_path, "")
    leidos = ajustes.leer(tmp_path)
    assert (leidos.dsn, leidos.amqp) == ("", ())
    assert b"[" not in (tmp_path / ajustes.ARCHIVO).read_bytes()
    assert not almacenes.hay(tmp_path)
    almacen = almacenes.abrir(tmp_path)
    assert isinstance(almacen, Almacen)
    almacen.cerrar()


def test_lo_escrito_se_lee_igual(tmp_path: Path) -> None:
    dichos = Ajustes("oficial", tmp_path.resolve(), "localhost", 8883, DSN, ("n0:5671", "n1:5671"), 8)
    ajustes.escribir(tmp_path, dichos)
    assert ajustes.leer(tmp_path) == dichos
    assert ajustes.dsn_de(tmp_path) == DSN
    assert ajustes.dsn_de(tmp_path / "nada") == ""


@pytest.mark.parametrize(
    "mas",
    [
        '[almacen]\nmotor = "oracle"\n',
        '[almacen]\nmotor = "postgres"\n',
        '[almacen]\ndsn = "host=x"\n',
        '[almacen]\nmotor = "postgres"\ndsn = "x"\nclave = "y"\n',
        '[almacen]\nmotor = ["postgres"]\n',
        '[broker]\nmotor = "rabbitmq"\n',
        '[broker]\nservidores = ["n0:5671"]\n',
        '[broker]\nmotor = "rabbitmq"\nservidores = ["n0"]\n',
        '[broker]\nmotor = "rabbitmq"\nservidores = "n0:5671"\n',
        '[broker]\nmotor = "rabbitmq"\nservidores = ["n0:5671"]\ncolas = 0\n',
        '[broker]\nmotor = "rabbitmq"\nservidores = ["n0:5671"]\ncolas = true\n',
        "[otra]\nx = 1\n",
    ],
)
def test_una_seccion_mal_escrita_se_dice(tmp_path: Path, mas: str) -> None:
    _escribir(tmp_path, mas)
    with pytest.raises(Tropiezo, match="Siguiente paso"):
        ajustes.leer(tmp_path)


def test_un_dsn_con_contrasena_no_arranca(tmp_path: Path) -> None:
    _escribir(tmp_path, '[almacen]\nmotor = "postgres"\ndsn = "host=x password=secreta"\n')
    with pytest.raises(Tropiezo, match="contraseña"):
        almacenes.abrir(tmp_path)


def test_un_postgres_que_no_contesta_es_una_falla_del_almacen(tmp_path: Path) -> None:
    _escribir(tmp_path, f'[almacen]\nmotor = "postgres"\ndsn = "host={tmp_path} dbname=prep user=prep"\n')
    with pytest.raises(FallaDelAlmacen):
        almacenes.abrir(tmp_path)
    with pytest.raises(FallaDelAlmacen):
        almacenes.leer(tmp_path)
