"""Sustituir un archivo que lee otra cuenta, sin quitárselo."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from servicio_central import disco


def test_root_reescribe_lo_de_otra_cuenta_y_sigue_siendo_suyo(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("sólo root regala archivos")
    ruta = tmp_path / "acl"
    ruta.write_bytes(b"antes")
    os.chown(ruta, 65534, 65534)
    ruta.chmod(0o640)
    disco.sustituir(ruta, b"despues", 0o600)
    dato = ruta.stat()
    assert (ruta.read_bytes(), dato.st_uid, dato.st_gid, dato.st_mode & 0o777) == (b"despues", 65534, 65534, 0o640)
    os.chown(tmp_path, 65534, 65534)
    disco.sustituir(tmp_path / "nuevo", b"x", 0o600)
    dato = (tmp_path / "nuevo").stat()
    assert (dato.st_uid, dato.st_gid, dato.st_mode & 0o777) == (65534, 65534, 0o600)


@pytest.mark.parametrize("como", [disco.escribir, disco.sustituir])
def test_no_se_escribe_a_traves_de_un_enlace_que_alguien_dejo(tmp_path: Path, como: object) -> None:
    assert callable(como)
    ajeno = tmp_path / "ajeno"
    ajeno.write_bytes(b"intacto")
    (tmp_path / f".acl.{os.getpid()}").symlink_to(ajeno)
    como(tmp_path / "acl", b"lista")
    assert ajeno.read_bytes() == b"intacto"
    assert (tmp_path / "acl").read_bytes() == b"lista"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["acl", "ajeno"]
