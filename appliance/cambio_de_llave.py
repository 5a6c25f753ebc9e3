"""Cambiar las llaves del kiosco, la que firma y la de TLS, sin perder la cadena ni lo pendiente.

    generar    ▶ llave-nueva/ con las dos llaves y la solicitud; se sigue trabajando con las de antes
    (la autoridad firma un padrón que ya tiene la nueva y un certificado)
    instalar   ▶ se comprueba la respuesta, se deja junto a las llaves y se pone la marca
    completar  ▶ las nuevas toman el lugar de las viejas; si se va la luz en medio, al arrancar se termina

La llave privada nueva nunca sale del equipo y la vieja se destruye al final: los sobres que firmó ya están firmados y
se siguen mandando tal cual.
"""

from __future__ import annotations

import shutil
from datetime import datetime
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from joserfc.jwk import ECKey

from appliance import durable, situacion
from appliance.almacen import Almacen
from appliance.falla import Falla
from appliance.identidad import Identidad, leer_identidad
from appliance.llave import LlaveDeArchivo, leer_publica
from nucleo.padron import abrir_padron
from nucleo.sobre import SobreInvalido

NUEVA: Final = "llave-nueva"
SOLICITUD: Final = "solicitud.pem"
_MARCA: Final = "lista"
_BORRANDO: Final = ".llave-vieja-borrando"
_SE_CAMBIAN: Final = ("tls.key", "tls.pem", "llave.pem")
"""`llave.pem` al final: cuando cambia, ya cambió todo."""

_RECORDADA: Final = "llave"


def generar(carpeta: Path) -> Path:
    """Hace las llaves nuevas y la solicitud que se lleva a la autoridad. Repetirla devuelve la misma solicitud.

    Raises:
        Falla: IDENTIDAD, si no es un kiosco inscrito; DISCO, si no se pudo escribir.
    """
    identidad = leer_identidad(carpeta)
    nueva = carpeta / NUEVA
    try:
        nueva.mkdir(mode=0o700, exist_ok=True)
        tls = _privada(nueva / "tls.key")
        registro = _privada(nueva / "llave.pem")
        solicitud = nueva / SOLICITUD
        if not solicitud.exists():
            sujeto = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, identidad.equipo)])
            csr = x509.CertificateSigningRequestBuilder().subject_name(sujeto).sign(tls, hashes.SHA256())
            publica = registro.public_key().public_bytes(
                serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
            )
            durable.escribir(solicitud, csr.public_bytes(serialization.Encoding.PEM) + publica)
    except (OSError, ValueError, TypeError) as error:
        raise Falla(
            "DISCO",
            f"No se pudieron escribir las llaves nuevas en {nueva} ({error})",
            "el disco está lleno, la carpeta es de otra cuenta o quedó un archivo a medias",
            f"libere espacio; si se repite, aparte {nueva} y vuelva a generarlas",
        ) from error
    return solicitud


def instalar(carpeta: Path, respuesta: Path) -> str:
    """Comprueba lo que firmó la autoridad y cambia de llaves. Devuelve el identificador de la nueva.

    Args:
        respuesta: la carpeta que dejó `./prep inscribir --rotar`.

    Raises:
        Falla: LLAVE, si no hay llaves esperando o la respuesta no es para ellas; no cambia nada.
    """
    identidad, nueva = leer_identidad(carpeta), carpeta / NUEVA
    if not (nueva / SOLICITUD).exists():
        raise _mal("No hay llaves nuevas esperando respuesta", "ya se instalaron, o aún no se generan", "genérelas")
    firmante = LlaveDeArchivo(nueva / "llave.pem", identidad.equipo)
    identificador = firmante.publica().thumbprint()
    try:
        certificado = (respuesta / "tls.pem").read_bytes()
        _exigir_certificado(carpeta, nueva, identidad, certificado)
        _exigir_padron(carpeta, respuesta, identidad, identificador)
        durable.escribir(nueva / "tls.pem", certificado)
        durable.escribir(nueva / _MARCA, identificador.encode())
    except (OSError, ValueError, TypeError, InvalidSignature) as error:
        raise _mal(
            f"La respuesta {respuesta} no sirve ({error})",
            "es de otro kiosco, de otra solicitud, o se copió a medias",
            "lleve la carpeta que dejó `./prep inscribir --rotar` para esta solicitud",
        ) from error
    completar(carpeta)
    return identificador


def completar(carpeta: Path) -> bool:
    """Termina el cambio que quedó listo, si lo hay; se llama siempre al arrancar. Dice si cambió algo.

    Raises:
        Falla: DISCO, si no se pudo escribir; al repetirlo sigue donde se quedó.
    """
    nueva = carpeta / NUEVA
    try:
        shutil.rmtree(carpeta / _BORRANDO, ignore_errors=True)
        if not (nueva / _MARCA).exists():
            return False
        for nombre in _SE_CAMBIAN:
            durable.escribir(carpeta / nombre, (nueva / nombre).read_bytes())
        # De golpe: con la carpeta a medio borrar, la siguiente solicitud sería la que ya se instaló.
        nueva.rename(carpeta / _BORRANDO)
        durable.asegurar(carpeta)
        shutil.rmtree(carpeta / _BORRANDO, ignore_errors=True)
    except OSError as error:
        raise Falla(
            "DISCO",
            f"El cambio de llaves no terminó ({error.strerror})",
            "el disco está lleno o la carpeta es de otra cuenta",
            "libere espacio y vuelva a arrancar: sigue donde se quedó",
        ) from error
    return True


def recordar(almacen: Almacen, publica: ECKey, hora: datetime) -> None:
    """Deja en la bitácora con qué llave se firma desde ahora, si ya no es la de antes. Raises: Falla."""
    identificador = publica.thumbprint()
    with almacen.lectura() as mirada:
        antes = situacion.leer(mirada.conexion, _RECORDADA)
    if antes == identificador:
        return
    with almacen.transaccion() as t:
        situacion.poner(t.conexion, _RECORDADA, identificador)
        if antes:
            t.anotar(hora, "llave_cambiada", detalle=f"de {antes} a {identificador}")


def _privada(ruta: Path) -> ec.EllipticCurvePrivateKey:
    """La que dejó ahí un intento anterior, o una nueva."""
    if not ruta.exists():
        formato = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        durable.escribir(ruta, ec.generate_private_key(ec.SECP256R1()).private_bytes(*formato))
    llave = serialization.load_pem_private_key(ruta.read_bytes(), None)
    if not isinstance(llave, ec.EllipticCurvePrivateKey):
        raise ValueError(f"{ruta} no es una llave P-256")
    return llave


def _exigir_certificado(carpeta: Path, nueva: Path, identidad: Identidad, pem: bytes) -> None:
    certificado = x509.load_pem_x509_certificate(pem)
    certificado.verify_directly_issued_by(x509.load_pem_x509_certificate((carpeta / "ca.pem").read_bytes()))
    if certificado.public_key() != _privada(nueva / "tls.key").public_key():
        raise ValueError("el certificado es de otra llave")
    nombres = [a.value for a in certificado.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    if nombres != [identidad.equipo]:
        raise ValueError(f"el certificado es de {nombres}")


def _exigir_padron(carpeta: Path, respuesta: Path, identidad: Identidad, identificador: str) -> None:
    try:
        padron = abrir_padron(
            (respuesta / "padron.jws").read_text("ascii"), leer_publica(carpeta / "autoridad.pub.pem")
        )
    except SobreInvalido as error:
        raise ValueError(f"el padrón no lo firmó la autoridad: {error}") from error
    equipo = padron.equipos.get(identidad.equipo)
    if equipo is None or not equipo.vigente or padron.modo != identidad.modo or identidad.epoca not in equipo.epocas:
        raise ValueError(f"en el padrón {padron.version} este kiosco no está vigente, en este modo y época")
    if not any(i.identificador == identificador and i.hasta is None for i in equipo.llaves):
        raise ValueError(f"el padrón {padron.version} no tiene la llave nueva")


def _mal(que: str, causa: str, siguiente: str) -> Falla:
    return Falla("LLAVE", que, causa, siguiente)
