"""Certificados X.509 de la autoridad fuera de línea: EC P-256, con el uso de cada llave escrito en su certificado.

Un certificado de kiosco o del centro sólo sirve para presentarse como cliente; el del bróker, sólo como servidor. El CN
es la identidad con la que el bróker aplica su lista de acceso (`nucleo.temas.acl_mosquitto`).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

VIGENCIA_AUTORIDAD: Final = timedelta(days=3 * 365)
"""De la inscripción al fin de los medios de impugnación, con holgura: un proceso local dura menos de dos años."""

VIGENCIA_EQUIPO: Final = timedelta(days=180)
"""De los simulacros (tres domingos antes, art. 349 del Reglamento de Elecciones) al cierre, con holgura."""

_MARGEN: Final = timedelta(days=1)
"""Se emite con fecha de ayer: el reloj de un kiosco recién encendido puede venir atrasado."""


class SolicitudInvalida(ValueError):
    """La solicitud de certificado no sirve; el mensaje dice por qué."""


def llave_nueva() -> ec.EllipticCurvePrivateKey:
    """Una llave P-256 nueva."""
    return ec.generate_private_key(ec.SECP256R1())


def pem_privado(llave: ec.EllipticCurvePrivateKey) -> bytes:
    """PEM PKCS#8 sin contraseña: los servicios arrancan solos; lo protegen los permisos del archivo."""
    return llave.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def pem_publico(llave: ec.EllipticCurvePublicKey) -> bytes:
    """PEM SubjectPublicKeyInfo."""
    return llave.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


class Autoridad:
    """La autoridad certificadora en memoria: sólo existe mientras dura una inscripción."""

    def __init__(self, certificado: x509.Certificate, llave: ec.EllipticCurvePrivateKey) -> None:
        self.certificado = certificado
        self._llave = llave

    @classmethod
    def nueva(cls, nombre: str) -> tuple[Autoridad, ec.EllipticCurvePrivateKey]:
        """Autoridad raíz autofirmada, que no puede delegar (pathlen 0), y su llave."""
        llave = llave_nueva()
        sujeto = _nombre(nombre)
        certificado = (
            _base(sujeto, sujeto, llave.public_key(), VIGENCIA_AUTORIDAD)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usos(firma_certificados=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(llave.public_key()), critical=False)
            .sign(llave, hashes.SHA256())
        )
        return cls(certificado, llave), llave

    @classmethod
    def de_pem(cls, certificado: bytes, llave: bytes) -> Autoridad:
        """Raises: ValueError, si los PEM no son una autoridad P-256 y su llave."""
        privada = serialization.load_pem_private_key(llave, None)
        if not isinstance(privada, ec.EllipticCurvePrivateKey):
            raise ValueError("la llave de la autoridad no es de curva elíptica")
        return cls(x509.load_pem_x509_certificate(certificado), privada)

    def emitir_cliente(self, nombre: str, llave: ec.EllipticCurvePublicKey) -> x509.Certificate:
        """Certificado con que un equipo (o el centro) se presenta ante el bróker."""
        return self._emitir(nombre, llave, ExtendedKeyUsageOID.CLIENT_AUTH, [nombre])

    def emitir_servidor(self, hosts: Iterable[str], llave: ec.EllipticCurvePublicKey) -> x509.Certificate:
        """Certificado del bróker, para todos los nombres o direcciones con que lo buscarán."""
        nombres = list(dict.fromkeys(hosts))
        return self._emitir(nombres[0], llave, ExtendedKeyUsageOID.SERVER_AUTH, nombres)

    def emitir_solicitado(self, nombre: str, solicitud: bytes) -> x509.Certificate:
        """Certificado de cliente para la llave de una solicitud PKCS#10 hecha en el equipo.

        De la solicitud sólo se toma la llave: nombre, usos y vigencia los pone la autoridad.

        Raises:
            SolicitudInvalida: si no es una solicitud P-256, su firma no vale o la hizo otro equipo.
        """
        try:
            csr = x509.load_pem_x509_csr(solicitud)
            valida = csr.is_signature_valid
        except (ValueError, TypeError, InvalidSignature) as error:
            raise SolicitudInvalida("no es una solicitud de certificado en PEM") from error
        llave = csr.public_key()
        if not isinstance(llave, ec.EllipticCurvePublicKey) or not isinstance(llave.curve, ec.SECP256R1):
            raise SolicitudInvalida("la llave de la solicitud no es P-256")
        if not valida:
            raise SolicitudInvalida("la firma de la solicitud no corresponde a su llave")
        nombres = [a.value for a in csr.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
        if nombres != [nombre]:
            raise SolicitudInvalida(f"la solicitud es de {nombres[0] if nombres else 'nadie'!r} y no de {nombre!r}")
        return self.emitir_cliente(nombre, llave)

    def lista_de_revocados(self, series: Iterable[int], numero: int) -> bytes:
        """CRL en PEM. Vale tanto como la autoridad: una CRL vencida dejaría fuera a todos los equipos a la vez."""
        ahora = datetime.now(UTC)
        lista = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self.certificado.subject)
            .last_update(ahora - _MARGEN)
            .next_update(self.certificado.not_valid_after_utc)
            .add_extension(x509.CRLNumber(numero), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._llave.public_key()), critical=False)
        )
        for serie in series:
            revocado = x509.RevokedCertificateBuilder().serial_number(serie).revocation_date(ahora).build()
            lista = lista.add_revoked_certificate(revocado)
        return lista.sign(self._llave, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    def _emitir(
        self, nombre: str, llave: ec.EllipticCurvePublicKey, uso: x509.ObjectIdentifier, nombres: Iterable[str]
    ) -> x509.Certificate:
        return (
            _base(_nombre(nombre), self.certificado.subject, llave, VIGENCIA_EQUIPO)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usos(firma_certificados=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([uso]), critical=False)
            .add_extension(x509.SubjectAlternativeName([_alterno(n) for n in nombres]), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(llave), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._llave.public_key()), critical=False)
            .sign(self._llave, hashes.SHA256())
        )


def _base(
    sujeto: x509.Name, emisor: x509.Name, llave: ec.EllipticCurvePublicKey, vigencia: timedelta
) -> x509.CertificateBuilder:
    ahora = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(sujeto)
        .issuer_name(emisor)
        .public_key(llave)
        .serial_number(x509.random_serial_number())
        .not_valid_before(ahora - _MARGEN)
        .not_valid_after(ahora + vigencia)
    )


def _usos(*, firma_certificados: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not firma_certificados,
        key_cert_sign=firma_certificados,
        crl_sign=firma_certificados,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _nombre(comun: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, comun)])


def _alterno(nombre: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(nombre))
    except ValueError:
        return x509.DNSName(nombre)
