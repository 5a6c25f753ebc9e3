"""La ceremonia de inscripción: qué deja, qué se niega a pisar y qué rechaza."""

from __future__ import annotations

import stat
import subprocess
import sys
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from joserfc.jwk import ECKey

from appliance.identidad import leer_identidad
from appliance.llave import LlaveDeArchivo
from nucleo.acuse import abrir_acuse
from nucleo.padron import AUTORIDAD, abrir_padron, sellar_padron
from nucleo.sobre import Tipo, quien_dice_ser, verificar
from servicio_central import ajustes, cambios_de_padron, disco, inscripcion
from servicio_central.firmante import FirmanteDeArchivo, leer_publica
from servicio_central.inscripcion import leer_padron
from servicio_central.orden_inscribir import main
from servicio_central.tropiezo import Tropiezo

RAIZ = Path(__file__).resolve().parents[2]
OAXACA = RAIZ / "datos" / "oaxaca_2022"


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """Una autoridad y un centro recién hechos."""
    inscripcion.crear_autoridad(tmp_path / "autoridad")
    inscripcion.inscribir_centro(
        tmp_path / "autoridad",
        tmp_path / "centro",
        proceso=OAXACA,
        modo="simulacro",
        broker_host="localhost",
        broker_puerto=18883,
    )
    return tmp_path


def _inscribir(base: Path, equipo: str = "catd-01", solicitud: bytes | None = None) -> Path:
    carpeta = base / equipo
    inscripcion.inscribir_kiosco(
        base / "autoridad", base / "centro", carpeta, equipo=equipo, catd=equipo, solicitud=solicitud
    )
    return carpeta


def _certificado(ruta: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(ruta.read_bytes())


def _pem_publico(llave: ec.EllipticCurvePrivateKey) -> bytes:
    formato = serialization.PublicFormat.SubjectPublicKeyInfo
    return llave.public_key().public_bytes(serialization.Encoding.PEM, formato)


def _solicitud(nombre: str, llave: ec.EllipticCurvePrivateKey) -> bytes:
    sujeto = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, nombre)])
    csr = x509.CertificateSigningRequestBuilder().subject_name(sujeto).sign(llave, hashes.SHA256())
    return csr.public_bytes(serialization.Encoding.PEM)


def test_el_kiosco_inscrito_puede_firmar_y_el_centro_lo_conoce(base: Path) -> None:
    carpeta = _inscribir(base)
    identidad = leer_identidad(carpeta)
    llave = LlaveDeArchivo(carpeta / "llave.pem", identidad.equipo)
    equipo = leer_padron(base / "centro").equipos["catd-01"]
    assert equipo.epocas == {identidad.epoca}
    firmado = llave.firmar(Tipo.LATIDO, b"{}")
    assert verificar(firmado, equipo.llave, Tipo.LATIDO) == b"{}"
    assert identidad.proceso == OAXACA.resolve()
    assert _certificado(carpeta / "tls.pem").subject.rfc4514_string() == "CN=catd-01"


def test_las_llaves_privadas_solo_las_lee_su_dueno(base: Path) -> None:
    _inscribir(base)
    inscripcion.crear_broker(base / "autoridad", base / "centro")
    privadas = [r for r in base.rglob("*") if r.is_file() and b"PRIVATE KEY" in r.read_bytes()]
    nombres = {str(r.relative_to(base)) for r in privadas}
    assert nombres == {
        "autoridad/autoridad.pem",
        "autoridad/ca.key",
        "centro/centro.pem",
        "centro/sello.pem",
        "centro/tls.key",
        "centro/broker/servidor.key",
        "catd-01/llave.pem",
        "catd-01/tls.key",
    }
    assert {stat.S_IMODE(r.stat().st_mode) for r in privadas} == {0o600}
    carpetas = [base / n for n in ("autoridad", "centro", "catd-01", "centro/broker")]
    assert {stat.S_IMODE(c.stat().st_mode) for c in carpetas} == {0o700}


def test_cada_certificado_sirve_solo_para_lo_suyo(base: Path) -> None:
    carpeta = _inscribir(base)
    inscripcion.crear_broker(base / "autoridad", base / "centro")
    ca = _certificado(base / "autoridad" / "ca.pem")
    usos = {
        carpeta / "tls.pem": ExtendedKeyUsageOID.CLIENT_AUTH,
        base / "centro" / "tls.pem": ExtendedKeyUsageOID.CLIENT_AUTH,
        base / "centro" / "broker" / "servidor.pem": ExtendedKeyUsageOID.SERVER_AUTH,
    }
    for ruta, uso in usos.items():
        certificado = _certificado(ruta)
        certificado.verify_directly_issued_by(ca)
        assert list(certificado.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value) == [uso]
        assert not certificado.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
        assert certificado.extensions.get_extension_for_class(x509.KeyUsage).value.digital_signature
    servidor = _certificado(base / "centro" / "broker" / "servidor.pem")
    alternos = servidor.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert alternos.get_values_for_type(x509.DNSName) == ["localhost"]
    assert [str(ip) for ip in alternos.get_values_for_type(x509.IPAddress)] == ["127.0.0.1", "::1"]


def test_nunca_se_pisa_una_llave(base: Path) -> None:
    carpeta = _inscribir(base)
    antes = (carpeta / "llave.pem").read_bytes()
    with pytest.raises(Tropiezo, match="ya existe"):
        inscripcion.crear_autoridad(base / "autoridad")
    with pytest.raises(Tropiezo, match="ya existe"):
        inscripcion.inscribir_centro(
            base / "autoridad", base / "centro", proceso=OAXACA, modo="simulacro", broker_host="x", broker_puerto=1
        )
    with pytest.raises(Tropiezo, match="ya existe"):
        inscripcion.inscribir_kiosco(base / "autoridad", base / "centro", carpeta, equipo="catd-02", catd="catd-02")
    assert (carpeta / "llave.pem").read_bytes() == antes
    assert set(leer_padron(base / "centro").equipos) == {"catd-01"}


def test_un_equipo_no_se_inscribe_dos_veces_con_el_mismo_nombre(base: Path) -> None:
    _inscribir(base)
    with pytest.raises(Tropiezo, match="ya está en el padrón"):
        inscripcion.inscribir_kiosco(
            base / "autoridad", base / "centro", base / "otra", equipo="catd-01", catd="catd-01"
        )
    assert not (base / "otra").exists()


@pytest.mark.parametrize("nombre", ["centro", "autoridad", "CATD", "a.b", "", "../x", "ñ", "a/b", "-x", "a" * 40])
def test_un_nombre_que_daria_permisos_ajenos_se_rechaza(base: Path, nombre: str) -> None:
    with pytest.raises(Tropiezo, match="no sirve como nombre"):
        inscripcion.inscribir_kiosco(base / "autoridad", base / "centro", base / "k", equipo=nombre, catd="catd-01")


def test_el_padron_crece_firmado_y_se_conserva_cada_version(base: Path) -> None:
    for equipo in ("catd-01", "catd-02"):
        _inscribir(base, equipo)
    texto = (base / "centro" / ajustes.PADRON).read_text()
    assert quien_dice_ser(texto, Tipo.PADRON, 10**6) == AUTORIDAD
    assert leer_padron(base / "centro").version == 3
    publica = leer_publica(base / "autoridad" / "autoridad.pub.pem")
    versiones = [abrir_padron(r.read_text(), publica) for r in sorted((base / "centro" / "padrones").iterdir())]
    assert [len(p.equipos) for p in versiones] == [0, 1, 2]


def test_un_padron_firmado_por_otro_no_se_usa(base: Path) -> None:
    padron = leer_padron(base / "centro")
    falso = FirmanteDeArchivo(base / "centro" / ajustes.LLAVE_ACUSES, AUTORIDAD)
    (base / "centro" / ajustes.PADRON).write_text(sellar_padron(replace(padron, version=99), falso))
    with pytest.raises(Tropiezo, match="firma"):
        leer_padron(base / "centro")


def test_revocar_lo_saca_del_padron_y_del_tls(base: Path) -> None:
    for equipo in ("catd-01", "catd-02"):
        _inscribir(base, equipo)
    inscripcion.crear_broker(base / "autoridad", base / "centro")
    cambios_de_padron.baja(base / "autoridad", base / "centro", "catd-01")
    assert {e.nombre: e.vigente for e in leer_padron(base / "centro").equipos.values()} == {
        "catd-01": False,
        "catd-02": True,
    }
    lista = x509.load_pem_x509_crl((base / "centro" / "broker" / "crl.pem").read_bytes())
    assert {r.serial_number for r in lista} == {_certificado(base / "catd-01" / "tls.pem").serial_number}
    # La segunda baja no devuelve al primero.
    cambios_de_padron.baja(base / "autoridad", base / "centro", "catd-02")
    assert len(list(x509.load_pem_x509_crl((base / "autoridad" / "crl.pem").read_bytes()))) == 2
    with pytest.raises(Tropiezo, match="no está en el padrón"):
        cambios_de_padron.baja(base / "autoridad", base / "centro", "catd-77")


def test_con_solicitud_ninguna_llave_privada_sale_del_kiosco(base: Path) -> None:
    tls, registro = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    carpeta = _inscribir(base, solicitud=_solicitud("catd-01", tls) + _pem_publico(registro))
    assert not (carpeta / "llave.pem").exists()
    assert not (carpeta / "tls.key").exists()
    assert _certificado(carpeta / "tls.pem").public_key() == tls.public_key()
    inscrita = leer_padron(base / "centro").equipos["catd-01"].llave
    assert inscrita.as_dict() == ECKey.import_key(_pem_publico(registro)).as_dict()


def test_una_solicitud_que_no_vale_no_inscribe_a_nadie(base: Path) -> None:
    llave = ec.generate_private_key(ec.SECP256R1())
    otra_curva = ec.generate_private_key(ec.SECP384R1())
    buena = _solicitud("catd-01", llave)
    renglones = buena.splitlines(keepends=True)
    alterada = b"".join([*renglones[:-2], renglones[-2][::-1].strip() + b"\n", renglones[-1]])
    malas = [
        b"",
        buena,
        _solicitud("catd-02", llave) + _pem_publico(llave),
        _solicitud("catd-01", otra_curva) + _pem_publico(llave),
        buena + _pem_publico(otra_curva),
        alterada + _pem_publico(llave),
        b"-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n" + _pem_publico(llave),
    ]
    for mala in malas:
        with pytest.raises(Tropiezo, match="solicitud"):
            inscripcion.inscribir_kiosco(
                base / "autoridad", base / "centro", base / "k", equipo="catd-01", catd="catd-01", solicitud=mala
            )
    assert leer_padron(base / "centro").equipos == {}


def test_una_definicion_que_no_sirve_se_dice_antes_de_hacer_llaves(tmp_path: Path) -> None:
    inscripcion.crear_autoridad(tmp_path / "autoridad")
    with pytest.raises(Tropiezo, match="definición"):
        inscripcion.inscribir_centro(
            tmp_path / "autoridad",
            tmp_path / "centro",
            proceso=tmp_path / "nada",
            modo="simulacro",
            broker_host="localhost",
            broker_puerto=8883,
        )
    assert not (tmp_path / "centro").exists()


def test_la_orden_completa_se_puede_repetir(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    orden = ["--autoridad", str(tmp_path / "a"), "--centro", str(tmp_path / "c"), "--proceso", str(OAXACA)]
    orden += ["--salida", str(tmp_path / "k"), "--equipo", "catd-01"]
    main(orden)
    identidad = (tmp_path / "k" / "catd-01" / "identidad.toml").read_bytes()
    main([*orden, "--equipo", "catd-02"])
    dicho = capsys.readouterr().out
    assert "catd-01 ya estaba inscrito" in dicho
    assert "catd-02 inscrito" in dicho
    assert (tmp_path / "k" / "catd-01" / "identidad.toml").read_bytes() == identidad
    assert tomllib.loads(identidad.decode())["catd"] == "catd-01"
    sello = tmp_path / "k" / "catd-01" / ajustes.SELLO_PUBLICO
    publica = sello.read_bytes()
    sello.unlink()  # uno inscrito antes de que hubiera sello
    main(orden)
    assert f"se agregó {sello}" in capsys.readouterr().out
    assert sello.read_bytes() == publica == (tmp_path / "c" / ajustes.SELLO_PUBLICO).read_bytes()
    with pytest.raises(SystemExit):
        main([*orden[:4], "--revocar", "catd-55"])
    assert "Siguiente paso" in capsys.readouterr().err


def test_dos_primeras_inscripciones_a_la_vez_dejan_un_solo_centro_sano(tmp_path: Path) -> None:
    orden = [sys.executable, "-m", "servicio_central.inscripcion", "--autoridad", str(tmp_path / "a")]
    orden += ["--centro", str(tmp_path / "c"), "--proceso", str(OAXACA), "--salida", str(tmp_path / "k")]
    procesos = [
        subprocess.Popen([*orden, "--equipo", e], cwd=RAIZ, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)
        for e in ("catd-01", "catd-02")
    ]
    for proceso in procesos:
        _, dicho = proceso.communicate(timeout=60)
        assert proceso.returncode == 0, dicho
    assert set(leer_padron(tmp_path / "c").equipos) == {"catd-01", "catd-02"}


@pytest.mark.parametrize("falta", [ajustes.PADRON, ajustes.LLAVE_ACUSES, "tls.pem", ajustes.ARCHIVO])
def test_se_fue_la_luz_a_media_inscripcion_y_al_repetirla_se_completa(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, falta: str
) -> None:
    orden = ["--autoridad", str(tmp_path / "a"), "--centro", str(tmp_path / "c"), "--proceso", str(OAXACA)]
    volcar = disco._volcar

    def sin_luz(ruta: Path, contenido: bytes, permisos: int, modo: int, dueno: tuple[int, int] | None = None) -> None:
        if falta in ruta.name:
            raise KeyboardInterrupt
        volcar(ruta, contenido, permisos, modo, dueno)

    monkeypatch.setattr(disco, "_volcar", sin_luz)
    with pytest.raises(KeyboardInterrupt):
        main(orden)
    assert not (tmp_path / "c" / ajustes.ARCHIVO).exists()
    llaves = {r.name: r.read_bytes() for r in (tmp_path / "c").glob("*") if r.suffix in (".key",)}
    monkeypatch.undo()
    main([*orden, "--salida", str(tmp_path / "k"), "--equipo", "catd-01"])
    assert set(leer_padron(tmp_path / "c").equipos) == {"catd-01"}
    assert all((tmp_path / "c" / n).read_bytes() == llave for n, llave in llaves.items())


def test_se_fue_la_luz_al_crear_la_autoridad_y_no_queda_a_medias(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    crear = disco.crear

    def sin_luz(ruta: Path, contenido: bytes, permisos: int = 0o600) -> None:
        if ruta.name == "crl.pem":
            raise KeyboardInterrupt
        crear(ruta, contenido, permisos)

    monkeypatch.setattr(disco, "crear", sin_luz)
    with pytest.raises(KeyboardInterrupt):
        inscripcion.crear_autoridad(tmp_path / "a")
    assert not (tmp_path / "a").exists()
    monkeypatch.undo()
    inscripcion.crear_autoridad(tmp_path / "a")
    assert [r.name for r in tmp_path.iterdir()] == ["a"]


def test_la_orden_se_corre_como_modulo() -> None:
    orden = [sys.executable, "-m", "servicio_central.inscripcion", "--help"]
    hecho = subprocess.run(orden, capture_output=True, text=True, check=False, cwd=RAIZ)
    assert hecho.returncode == 0
    assert "--revocar" in hecho.stdout


def test_una_llave_a_la_vista_de_otros_no_se_usa(base: Path) -> None:
    ruta = base / "centro" / ajustes.LLAVE_ACUSES
    ruta.chmod(0o644)
    with pytest.raises(Tropiezo, match="chmod 600"):
        FirmanteDeArchivo(ruta, ajustes.KID_CENTRO)


def test_la_llave_publica_del_kiosco_es_la_que_firma_los_acuses(base: Path) -> None:
    carpeta = _inscribir(base)
    firmante = FirmanteDeArchivo(base / "centro" / ajustes.LLAVE_ACUSES, ajustes.KID_CENTRO)
    with pytest.raises(ValueError, match="acuse"):
        # La firma vale; lo que no tiene es forma de acuse.
        abrir_acuse(firmante.firmar(Tipo.ACUSE, b"{}"), leer_publica(carpeta / "centro.pub.pem"))
