"""`playbooks/personas.yml` con el Ansible de verdad, sobre carpetas de esta máquina que hacen de kioscos."""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from appliance.catd import main
from appliance.personas import leer_personas

RAIZ: Final = Path(__file__).resolve().parents[2]
ANSIBLE: Final = Path(sys.executable).with_name("ansible-playbook")

pytestmark = pytest.mark.lento


class Campo:
    """Dos kioscos, cada uno de su CATD, y el inventario que los nombra."""

    def __init__(self, carpeta: Path) -> None:
        self.carpeta = carpeta
        self.kioscos = {catd: carpeta / f"kiosco-{catd}" for catd in ("catd-01", "catd-02")}
        for kiosco in self.kioscos.values():
            kiosco.mkdir()
            (kiosco / "identidad.toml").write_text("")
        for catd in self.kioscos:
            self.hacer_lista(catd, "ana,Ana López,captura\n")

    def lista(self, catd: str) -> Path:
        return self.carpeta / f"lista-{catd}" / "personas.toml"

    def hacer_lista(self, catd: str, personas: str) -> None:
        csv = self.carpeta / f"{catd}.csv"
        csv.write_text("clave,nombre,papeles\n" + personas, "utf-8")
        orden = ["gafetes", "--catd", catd, "--lista", str(csv), "--salida", str(self.lista(catd).parent)]
        assert main(orden) == 0

    def correr(self, *mas: str, **distintas: str) -> tuple[int, str, dict[str, int]]:
        """Devuelve la salida, lo dicho y cuántas tareas cambiaron algo en cada kiosco."""
        quien = {"personas_dueno": str(os.getuid()), "personas_grupo": str(os.getgid())}
        comunes = quien | {"personas_python": sys.executable, "ansible_python_interpreter": sys.executable} | distintas
        kioscos = {
            catd: {"personas_catd": catd, "personas_lista": str(self.lista(catd)), "personas_carpeta": str(kiosco)}
            for catd, kiosco in self.kioscos.items()
        }
        inventario = self.carpeta / "inventario.json"
        inventario.write_text(json.dumps({"kioscos": {"hosts": kioscos, "vars": comunes}}))
        propias = {"HOME": str(self.carpeta), "ANSIBLE_LOCAL_TEMP": str(self.carpeta / "t"), "LC_ALL": "C.UTF-8"}
        propias |= {"ANSIBLE_REMOTE_TEMP": str(self.carpeta / "r"), "ANSIBLE_NOCOLOR": "1", "PATH": os.environ["PATH"]}
        orden = [str(ANSIBLE), "-c", "local", "-i", str(inventario), *mas, str(RAIZ / "playbooks" / "personas.yml")]
        hecho = subprocess.run(orden, capture_output=True, text=True, check=False, env=propias, cwd=self.carpeta)
        dicho = hecho.stdout + hecho.stderr
        cambios = {m[1]: int(m[2]) for m in re.finditer(r"^(\S+)\s+: ok=\d+\s+changed=(\d+)", dicho, re.MULTILINE)}
        return hecho.returncode, dicho, cambios

    def en_kiosco(self, catd: str) -> Path:
        return self.kioscos[catd] / "personas.toml"


@pytest.fixture
def campo(tmp_path: Path) -> Campo:
    return Campo(tmp_path)


def test_cada_kiosco_recibe_la_lista_de_su_catd_y_repetirlo_no_cambia_nada(campo: Campo) -> None:
    salida, dicho, cambios = campo.correr()
    assert salida == 0, dicho
    assert cambios == {"catd-01": 1, "catd-02": 1}
    for catd, kiosco in campo.kioscos.items():
        llegada = campo.en_kiosco(catd)
        assert stat.S_IMODE(llegada.stat().st_mode) == 0o600
        assert llegada.stat().st_uid == os.getuid()
        assert [p.clave for p in leer_personas(kiosco, "oficial", catd).personas] == ["ana"]
        assert "scrypt" not in dicho
    salida, dicho, cambios = campo.correr()
    assert salida == 0, dicho
    assert cambios == {"catd-01": 0, "catd-02": 0}


def test_una_sola_lista_mala_y_no_se_toca_ningun_kiosco(campo: Campo) -> None:
    assert campo.correr()[0] == 0
    antes = {catd: campo.en_kiosco(catd).read_bytes() for catd in campo.kioscos}
    campo.hacer_lista("catd-01", "ana,Ana López,captura\nbeto,Beto Ruiz,verificacion\n")
    campo.lista("catd-02").write_bytes(campo.lista("catd-01").read_bytes())
    salida, dicho, _ = campo.correr()
    assert salida != 0
    assert "es del CATD catd-01 y éste es catd-02" in dicho
    assert {catd: campo.en_kiosco(catd).read_bytes() for catd in campo.kioscos} == antes


def test_una_carpeta_que_no_es_de_un_kiosco_se_niega_con_palabras(campo: Campo) -> None:
    (campo.kioscos["catd-02"] / "identidad.toml").unlink()
    salida, dicho, _ = campo.correr()
    assert salida != 0
    assert "no es la carpeta de un kiosco" in dicho
    assert not campo.en_kiosco("catd-01").exists()
    assert not campo.en_kiosco("catd-02").exists()


def test_en_ensayo_de_ansible_se_revisa_la_lista_y_no_se_copia(campo: Campo) -> None:
    salida, dicho, cambios = campo.correr("--check", "--diff")
    assert salida == 0, dicho
    assert cambios == {"catd-01": 1, "catd-02": 1}
    assert "scrypt" not in dicho, "los resúmenes no van a la pantalla de quien lo corre"
    assert not campo.en_kiosco("catd-01").exists()


def test_falta_decir_de_que_catd_es_el_kiosco_y_no_se_hace_nada(campo: Campo) -> None:
    campo.kioscos = {"catd-01": campo.kioscos["catd-01"]}
    salida, dicho, _ = campo.correr("-e", '{"personas_catd": null}')
    assert salida != 0
    assert "personas_catd" in dicho
    assert not campo.en_kiosco("catd-01").exists()
