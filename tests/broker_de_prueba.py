"""Un mosquitto de verdad para las pruebas, con TLS mutua y la lista de acceso del proyecto."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import time
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from ensayo.puertos import puerto_libre
from nucleo.temas import acl_mosquitto

MOSQUITTO: Final = shutil.which("mosquitto", path="/usr/sbin:/usr/bin:/usr/local/sbin")


class Autoridad:
    """Una autoridad de certificados de mentiras, tan pequeña como se puede."""

    def __init__(self, carpeta: Path) -> None:
        carpeta.mkdir(parents=True, exist_ok=True)
        self._llave = ec.generate_private_key(ec.SECP256R1())
        self._nombre = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "autoridad de prueba")])
        publica = self._llave.public_key()
        certificado = (
            _por_firmar(self._nombre, self._nombre, publica)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(publica), critical=False)
            .sign(self._llave, hashes.SHA256())
        )
        self.ca = carpeta / "ca.pem"
        self.ca.write_bytes(certificado.public_bytes(serialization.Encoding.PEM))

    def emitir(self, carpeta: Path, nombre: str, *, servidor: bool = False) -> tuple[Path, Path]:
        """`tls.pem` y `tls.key` para ese nombre, y una copia de `ca.pem`, en la carpeta."""
        carpeta.mkdir(parents=True, exist_ok=True)
        llave = ec.generate_private_key(ec.SECP256R1())
        por_firmar = _por_firmar(
            x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, nombre)]), self._nombre, llave.public_key()
        ).add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._llave.public_key()), critical=False)
        if servidor:
            nombres = [x509.DNSName("localhost"), x509.IPAddress(IPv4Address("127.0.0.1"))]
            por_firmar = por_firmar.add_extension(x509.SubjectAlternativeName(nombres), critical=False)
        certificado, clave = carpeta / "tls.pem", carpeta / "tls.key"
        certificado.write_bytes(por_firmar.sign(self._llave, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
        clave.write_bytes(
            llave.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        if carpeta / "ca.pem" != self.ca:
            shutil.copy(self.ca, carpeta / "ca.pem")
        return certificado, clave


class Broker:
    """Un mosquitto que se puede matar y volver a levantar en el mismo puerto."""

    def __init__(self, carpeta: Path, ambito: str) -> None:
        carpeta.mkdir(parents=True, exist_ok=True)
        self.autoridad = Autoridad(carpeta / "autoridad")
        self.puerto = puerto_libre()
        self._carpeta = carpeta
        self._proceso: subprocess.Popen[bytes] | None = None
        certificado, clave = self.autoridad.emitir(carpeta / "servidor", "localhost", servidor=True)
        (carpeta / "acl").write_text(acl_mosquitto(ambito))
        (carpeta / "mosquitto.conf").write_text(
            f"listener {self.puerto} 127.0.0.1\ncafile {self.autoridad.ca}\ncertfile {certificado}\nkeyfile {clave}\n"
            "require_certificate true\nuse_identity_as_username true\nallow_anonymous false\n"
            f"acl_file {carpeta / 'acl'}\npersistence false\nmax_inflight_messages 100\nmax_queued_messages 20000\n"
            # Las pruebas corren como root en carpetas que el usuario mosquitto no puede leer.
            "user root\n"
        )

    def levantar(self) -> None:
        assert MOSQUITTO is not None, "falta mosquitto; `./prep probar` lo instala"
        registro = (self._carpeta / "mosquitto.log").open("ab")
        self._proceso = subprocess.Popen(
            [MOSQUITTO, "-c", str(self._carpeta / "mosquitto.conf")], stdout=registro, stderr=registro
        )
        registro.close()
        limite = time.monotonic() + 10
        while time.monotonic() < limite:
            try:
                socket.create_connection(("127.0.0.1", self.puerto), timeout=1).close()
            except OSError:
                time.sleep(0.02)
            else:
                return
        raise AssertionError((self._carpeta / "mosquitto.log").read_text())

    def matar(self) -> None:
        """`kill -9`: sin despedidas ni testamentos."""
        if self._proceso is not None:
            self._proceso.kill()
            self._proceso.wait()
            self._proceso = None

    def contexto(self, nombre: str) -> ssl.SSLContext:
        """Contexto TLS de cliente con un certificado recién emitido a ese nombre."""
        certificado, clave = self.autoridad.emitir(self._carpeta / "clientes" / nombre, nombre)
        contexto = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        contexto.load_verify_locations(self.autoridad.ca)
        contexto.load_cert_chain(certificado, clave)
        return contexto


def _por_firmar(sujeto: x509.Name, emisor: x509.Name, publica: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    ahora = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(sujeto)
        .issuer_name(emisor)
        .public_key(publica)
        .serial_number(x509.random_serial_number())
        .not_valid_before(ahora - timedelta(minutes=5))
        .not_valid_after(ahora + timedelta(days=1))
    )
