"""Lo que la autoridad cambia de un equipo inscrito: nada se pisa, todo queda en su bitácora, y el kiosco lo sigue."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from cryptography import x509

from appliance import cambio_de_llave, durable
from appliance.catd.orden import main as catd
from appliance.falla import Falla
from appliance.identidad import leer_identidad
from appliance.llave import LlaveDeArchivo
from nucleo.sobre import Tipo, verificar
from servicio_central import ajustes, cambios_de_padron, ceremonia, inscripcion
from servicio_central.inscripcion import leer_padron
from servicio_central.orden_inscribir import main
from servicio_central.tropiezo import Tropiezo

RAIZ = Path(__file__).resolve().parents[2]
OAXACA = RAIZ / "datos" / "oaxaca_2022"


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """Una autoridad, un centro con bróker y dos kioscos."""
    inscripcion.crear_autoridad(tmp_path / "a")
    inscripcion.inscribir_centro(
        tmp_path / "a", tmp_path / "c", proceso=OAXACA, modo="simulacro", broker_host="localhost", broker_puerto=18883
    )
    inscripcion.crear_broker(tmp_path / "a", tmp_path / "c")
    for equipo in ("catd-01", "catd-02"):
        inscripcion.inscribir_kiosco(tmp_path / "a", tmp_path / "c", tmp_path / equipo, equipo=equipo, catd=equipo)
    return tmp_path


def rotar(base: Path, equipo: str = "catd-01") -> Path:
    """La ceremonia completa, sin instalarla en el kiosco."""
    solicitud = cambio_de_llave.generar(base / equipo).read_bytes()
    return cambios_de_padron.rotar(base / "a", base / "c", base / "usb", equipo, solicitud, "rutina")


def revocados(base: Path) -> set[int]:
    return {r.serial_number for r in x509.load_pem_x509_crl((base / "c" / "broker" / "crl.pem").read_bytes())}


def serie(ruta: Path) -> int:
    return x509.load_pem_x509_certificate(ruta.read_bytes()).serial_number


def contenido(base: Path) -> dict[str, bytes]:
    return {str(r.relative_to(base)): r.read_bytes() for r in sorted(base.rglob("*")) if r.is_file()}


def test_rotar_conserva_la_epoca_y_la_llave_vieja_sigue_abierta(base: Path) -> None:
    carpeta, antes = base / "catd-01", leer_padron(base / "c").equipos["catd-01"]
    respuesta = rotar(base)
    padron = leer_padron(base / "c")
    equipo = padron.equipos["catd-01"]
    assert (equipo.epocas, equipo.vigente, len(equipo.llaves)) == (antes.epocas, True, 2)
    assert equipo.llaves[1].identificador == antes.llaves[0].identificador
    assert [i.hasta for i in equipo.llaves] == [None, None]
    vieja = serie(carpeta / "tls.pem")
    assert cambio_de_llave.instalar(carpeta, respuesta) == equipo.llaves[0].identificador
    firmado = LlaveDeArchivo(carpeta / "llave.pem", "catd-01").firmar(Tipo.LATIDO, b"{}")
    assert verificar(firmado, equipo.llave, Tipo.LATIDO) == b"{}"
    assert not (carpeta / cambio_de_llave.NUEVA).exists()
    assert leer_identidad(carpeta).epoca in equipo.epocas
    assert not revocados(base), "el kiosco debe poder conectarse hasta que se cierre la vieja"
    assert cambios_de_padron.cerrar_llave(base / "a", base / "c", "catd-01", hasta=41) == 1
    cerrada = leer_padron(base / "c").equipos["catd-01"]
    assert [i.hasta for i in cerrada.llaves] == [None, {leer_identidad(carpeta).epoca: 41}]
    assert revocados(base) == {vieja}
    assert serie(carpeta / "tls.pem") not in revocados(base)
    with pytest.raises(Tropiezo, match="no tiene llaves por cerrar"):
        cambios_de_padron.cerrar_llave(base / "a", base / "c", "catd-01", hasta=41)


def test_repetir_la_ceremonia_no_firma_otro_padron_ni_pisa_la_respuesta(base: Path) -> None:
    respuesta, antes = rotar(base), contenido(base)
    assert rotar(base) == respuesta
    assert contenido(base) == antes


def test_se_fue_la_luz_entre_el_padron_y_la_respuesta_y_al_repetir_se_completa(base: Path) -> None:
    respuesta = rotar(base)
    version = leer_padron(base / "c").version
    (respuesta / "tls.pem").unlink()
    assert rotar(base) == respuesta
    assert leer_padron(base / "c").version == version
    cambio_de_llave.instalar(base / "catd-01", respuesta)


@pytest.mark.parametrize("hechos", [0, 1, 2, 3])
def test_se_va_la_luz_a_medio_cambio_de_llaves_y_al_arrancar_se_termina(
    base: Path, monkeypatch: pytest.MonkeyPatch, hechos: int
) -> None:
    carpeta, respuesta = base / "catd-01", rotar(base)
    escribir, cuenta = durable.escribir, [0]

    def sin_luz(destino: Path, datos: bytes, permisos: int = 0o600) -> None:
        if destino.parent == carpeta:
            cuenta[0] += 1
            if cuenta[0] > hechos:
                raise KeyboardInterrupt
        escribir(destino, datos, permisos)

    with monkeypatch.context() as m:
        m.setattr(durable, "escribir", sin_luz)
        if hechos == 3:
            m.setattr(Path, "rename", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            cambio_de_llave.instalar(carpeta, respuesta)
    assert cambio_de_llave.completar(carpeta)
    assert not cambio_de_llave.completar(carpeta)
    nueva = leer_padron(base / "c").equipos["catd-01"].llaves[0].identificador
    assert LlaveDeArchivo(carpeta / "llave.pem", "catd-01").publica().thumbprint() == nueva
    assert serie(carpeta / "tls.pem") == serie(respuesta / "tls.pem")
    assert not list(carpeta.glob(".llave*"))
    assert {stat.S_IMODE((carpeta / n).stat().st_mode) for n in ("llave.pem", "tls.key")} == {0o600}


def test_una_respuesta_que_no_es_para_este_kiosco_no_cambia_nada(base: Path) -> None:
    propia, ajena = rotar(base), rotar(base, "catd-02")
    antes = contenido(base / "catd-01")
    rota = base / "rota"
    rota.mkdir()
    for nombre in cambios_de_padron.RESPUESTA:
        (rota / nombre).write_bytes((propia / nombre).read_bytes())
    (rota / "padron.jws").write_bytes((base / "c" / "padrones" / "000002.jws").read_bytes())
    for mala in (ajena, rota, base / "no-esta"):
        with pytest.raises(Falla, match="no sirve"):
            cambio_de_llave.instalar(base / "catd-01", mala)
    assert contenido(base / "catd-01") == antes
    with pytest.raises(Falla, match="No hay llaves nuevas"):
        cambio_de_llave.instalar(_sin_pedir(base), propia)


def _sin_pedir(base: Path) -> Path:
    inscripcion.inscribir_kiosco(base / "a", base / "c", base / "catd-03", equipo="catd-03", catd="catd-03")
    return base / "catd-03"


def test_lo_que_la_autoridad_no_rota(base: Path) -> None:
    solicitud = cambio_de_llave.generar(base / "catd-01").read_bytes()
    cambios = (base / "a", base / "c", base / "usb")
    with pytest.raises(Tropiezo, match="solicitud"):
        cambios_de_padron.rotar(*cambios, "catd-02", solicitud)
    with pytest.raises(Tropiezo, match="no está en el padrón"):
        cambios_de_padron.rotar(*cambios, "catd-77", solicitud)
    cambios_de_padron.baja(base / "a", base / "c", "catd-01")
    with pytest.raises(Tropiezo, match="dado de baja"):
        cambios_de_padron.rotar(*cambios, "catd-01", solicitud)
    for _ in range(3):
        cambio_de_llave.instalar(base / "catd-02", rotar(base, "catd-02"))
    with pytest.raises(Tropiezo, match="ya ha tenido 4"):
        rotar(base, "catd-02")


def test_excluir_dar_casillas_y_dar_de_baja_conservan_lo_demas_del_equipo(base: Path) -> None:
    rotar(base)
    cambios_de_padron.excluir(base / "a", base / "c", "catd-01", hasta=7, motivo="robo")
    cambios_de_padron.dar_casillas(base / "a", base / "c", "catd-01", ["D5", "200001"])
    cambios_de_padron.baja(base / "a", base / "c", "catd-01", "robo")
    equipo = leer_padron(base / "c").equipos["catd-01"]
    assert (equipo.vigente, len(equipo.llaves), equipo.casillas) == (False, 2, ("D5", "200001"))
    assert [x.hasta for x in equipo.exclusiones.values()] == [7]
    cambios_de_padron.quitar_exclusion(base / "a", base / "c", "catd-01")
    assert leer_padron(base / "c").equipos["catd-01"].exclusiones == {}
    assert len(list((base / "c" / "padrones").iterdir())) == leer_padron(base / "c").version


@pytest.mark.parametrize(
    "malo",
    [
        {"hasta": -1, "motivo": "robo"},
        {"hasta": 3, "motivo": " "},
        {"hasta": 3, "motivo": "x" * 201},
        {"hasta": 3, "motivo": "robo", "epoca": "f" * 16},
    ],
)
def test_una_exclusion_mal_pedida_no_firma_nada(base: Path, malo: dict[str, object]) -> None:
    antes = contenido(base / "c")
    with pytest.raises(Tropiezo):
        cambios_de_padron.excluir(base / "a", base / "c", "catd-01", **malo)  # type: ignore[arg-type]
    with pytest.raises(Tropiezo, match="no son casillas"):
        cambios_de_padron.dar_casillas(base / "a", base / "c", "catd-01", ["*"])
    assert contenido(base / "c") == antes


def test_cada_firma_queda_en_la_bitacora_encadenada_y_un_renglon_cambiado_se_nota(base: Path) -> None:
    cambios_de_padron.excluir(base / "a", base / "c", "catd-01", hasta=7, motivo="robo")
    renglones = ceremonia.leer(base / "a")
    assert [r.orden for r in renglones] == ["centro", "inscribir", "inscribir", "excluir"]
    assert "después de la 7: robo" in renglones[-1].detalle
    ruta = base / "a" / ceremonia.ARCHIVO
    lineas = ruta.read_text().splitlines()
    lineas[1] = lineas[1].replace("catd-01", "catd-99")
    ruta.write_text("\n".join(lineas) + "\n")
    version = leer_padron(base / "c").version
    with pytest.raises(Tropiezo, match="no encadena"):
        cambios_de_padron.baja(base / "a", base / "c", "catd-02")
    assert leer_padron(base / "c").version == version, "sin bitácora no se firma"


def test_las_ordenes_completas_de_principio_a_fin(base: Path, capsys: pytest.CaptureFixture[str]) -> None:
    orden = ["--autoridad", str(base / "a"), "--centro", str(base / "c")]
    carpeta = ["llave", "--carpeta", str(base / "catd-01")]
    assert catd([*carpeta, "--nueva"]) == 0
    solicitud = str(base / "catd-01" / cambio_de_llave.NUEVA / cambio_de_llave.SOLICITUD)
    main([*orden, "--rotar", "catd-01", "--solicitud", solicitud, "--salida", str(base / "usb")])
    (respuesta,) = (base / "usb").iterdir()
    assert catd(carpeta) == 0
    assert "esperando respuesta" in capsys.readouterr().out
    assert catd([*carpeta, "--instalar", str(respuesta)]) == 0
    main([*orden, "--cerrar-llave", "catd-01", "--hasta", "12"])
    main([*orden, "--excluir", "catd-02", "--hasta", "0", "--motivo", "se perdió", "--baja", "catd-02"])
    main([*orden, "--casillas", "catd-01=D5,200001"])
    main([*orden, "--casillas", "catd-01=todas", "--quitar-exclusion", "catd-02"])
    main([*orden, "--definicion", str(OAXACA)])
    dicho = capsys.readouterr().out
    assert "Definición versión 1" in dicho
    assert "corta la sesión" in dicho
    equipos = leer_padron(base / "c").equipos
    assert (equipos["catd-01"].casillas, equipos["catd-02"].vigente) == ((), False)
    assert catd([*carpeta, "--instalar", str(respuesta)]) == 1, "ya se instaló"
    assert json.loads((base / "a" / ceremonia.ARCHIVO).read_text().splitlines()[-1])["orden"] == "definicion"
    for mal in (["--excluir", "catd-01"], ["--rotar", "catd-01"], ["--casillas", "catd-01"]):
        with pytest.raises(SystemExit):
            main([*orden, *mal])


def test_un_kiosco_nuevo_recibe_la_llave_publica_de_la_autoridad(base: Path) -> None:
    publica = (base / "a" / "autoridad.pub.pem").read_bytes()
    assert (base / "catd-01" / "autoridad.pub.pem").read_bytes() == publica
    assert ajustes.leer(base / "c").modo == "simulacro"
