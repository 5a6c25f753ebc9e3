"""`./prep inscribir`: la única ceremonia en que existen la autoridad y sus llaves.

Corre en una máquina sin red. Crea la autoridad y el centro la primera vez, y deja la carpeta de cada kiosco lista para
llevarla en una memoria. Nunca pisa una llave: repetir la orden deja lo que ya estaba y dice qué hizo.
"""

from __future__ import annotations

import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from nucleo.padron import AUTORIDAD, Equipo, Padron, abrir_padron, sellar_padron
from nucleo.sobre import SobreInvalido
from nucleo.temas import RESERVADOS, Carril, Tema, TemaInvalido, ambito_de
from servicio_central import ajustes, ceremonia, certificados, disco
from servicio_central.ajustes import Ajustes
from servicio_central.certificados import Autoridad, SolicitudInvalida
from servicio_central.firmante import FirmanteDeArchivo, leer_publica, publica_de
from servicio_central.tropiezo import Tropiezo

_RESERVADOS: Final = (*RESERVADOS, AUTORIDAD)
_LLAVE_PUBLICA: Final = re.compile(rb"-----BEGIN PUBLIC KEY-----.+?-----END PUBLIC KEY-----\s*", re.DOTALL)


def crear_autoridad(carpeta: Path) -> None:
    """Crea la autoridad: `ca.pem`, `ca.key` y la llave que firma el padrón. Existe completa o no existe.

    Raises:
        Tropiezo: YA_EXISTE, si la carpeta ya tiene llaves; DATOS, si tiene otras cosas.
    """
    _sin_llaves(carpeta, "ca.key", "autoridad.pem")
    carpeta.parent.mkdir(parents=True, exist_ok=True)
    provisional = carpeta.with_name(f".{carpeta.name}-a-medias")
    shutil.rmtree(provisional, ignore_errors=True)
    autoridad, llave = Autoridad.nueva("Autoridad de inscripción PREP")
    firma = certificados.llave_nueva()
    disco.carpeta_privada(provisional / "emitidos")
    provisional.chmod(0o700)
    disco.crear(provisional / "ca.key", certificados.pem_privado(llave))
    disco.crear(provisional / "autoridad.pem", certificados.pem_privado(firma))
    disco.crear(provisional / "ca.pem", pem(autoridad.certificado), 0o644)
    disco.crear(provisional / "autoridad.pub.pem", certificados.pem_publico(firma.public_key()), 0o644)
    disco.crear(provisional / "crl.pem", autoridad.lista_de_revocados((), 1), 0o644)
    try:
        provisional.rename(carpeta)
    except OSError as error:
        shutil.rmtree(provisional, ignore_errors=True)
        raise _mal(f"no se pudo crear {carpeta} ({error})", "ya tiene otros archivos", "use una nueva") from error
    disco.sincronizar(carpeta.parent)


def inscribir_centro(
    autoridad: Path, carpeta: Path, *, proceso: Path, modo: str, broker_host: str, broker_puerto: int
) -> None:
    """Crea la carpeta del centro, con sus llaves y un padrón vacío.

    Args:
        proceso: carpeta de la definición (`eleccion.toml`).
        modo: `simulacro` u `oficial`.
        broker_host: nombre o dirección con que kioscos y centro buscan al bróker.

    Raises:
        Tropiezo: si la carpeta ya es un centro, falta la autoridad o los datos no sirven.
    """
    ca = abrir_autoridad(autoridad)
    clave = _clave_de(proceso, modo)
    if not 1 <= broker_puerto <= 65535:
        raise _mal(f"{broker_puerto} no es un puerto", "se escribió de más", "use uno de 1 a 65535, como 8883")
    _sin_llaves(carpeta, ajustes.ARCHIVO)
    with turno(carpeta):
        _sin_llaves(carpeta, ajustes.ARCHIVO)
        disco.carpeta_privada(carpeta / "padrones")
        (carpeta / "cortes").mkdir(exist_ok=True)  # lo publicado es de todos: aquí llegará nginx
        llave = _llave_de(carpeta / "tls.key")
        acuses = _llave_de(carpeta / ajustes.LLAVE_ACUSES)
        _poner_sello(carpeta)
        certificado = ca.emitir_cliente(ajustes.KID_CENTRO, llave.public_key())
        disco.escribir(carpeta / "centro.pub.pem", certificados.pem_publico(acuses.public_key()))
        disco.escribir(carpeta / "tls.pem", pem(certificado))
        copiar(autoridad, carpeta, "ca.pem", "autoridad.pub.pem")
        if not (carpeta / ajustes.PADRON).exists():
            guardar_padron(autoridad, carpeta, Padron(clave, modo, 1, {}), "centro", "", "centro nuevo, padrón vacío")
        anotar_emitido(autoridad, ajustes.KID_CENTRO, certificado)
        # Al final: con él la carpeta ya es un centro; sin él, repetir la orden la completa con las mismas llaves.
        ajustes.escribir(carpeta, Ajustes(modo, proceso.resolve(), broker_host, broker_puerto))


def inscribir_kiosco(
    autoridad: Path, centro: Path, carpeta: Path, *, equipo: str, catd: str, solicitud: bytes | None = None
) -> None:
    """Crea la carpeta de un kiosco y lo agrega al padrón con una época nueva.

    El kiosco entra al padrón al final: si la ceremonia se interrumpe, el centro no conoce una llave que nadie tiene.

    Args:
        solicitud: lo que trajo un kiosco que ya hizo sus llaves: su solicitud PKCS#10 (llave TLS, CN = equipo) y su
        llave
            pública de registro, dos bloques PEM seguidos. Así ninguna llave privada sale del equipo. Sin ella, las
            llaves se crean aquí y viajan en la carpeta.

    Raises:
        Tropiezo: si el nombre no sirve, ya está inscrito, la carpeta ya tiene llaves o la solicitud no vale.
    """
    _nombre_valido(equipo)
    _nombre_valido(catd)
    with turno(centro):
        ca, donde = abrir_autoridad(autoridad), ajustes.leer(centro)
        padron = leer_padron(centro)
        if equipo in padron.equipos:
            raise Tropiezo(
                "YA_INSCRITO",
                f"{equipo} ya está en el padrón",
                "se repitió la orden, o es la sustitución de un equipo descompuesto",
                f"un equipo que sustituye a otro se inscribe con nombre propio, como {equipo}b, y el anterior se da de "
                f"baja con --baja {equipo}; para cambiarle la llave al mismo, --rotar {equipo}",
            )
        disco.carpeta_privada(carpeta)
        _sin_llaves(carpeta, "llave.pem", "tls.key", "tls.pem")
        epoca = secrets.token_hex(8)
        if solicitud is None:
            llave_tls, llave = certificados.llave_nueva(), certificados.llave_nueva()
            certificado = ca.emitir_cliente(equipo, llave_tls.public_key())
            registro = publica_de(certificados.pem_publico(llave.public_key()))
            disco.crear(carpeta / "tls.key", certificados.pem_privado(llave_tls))
            disco.crear(carpeta / "llave.pem", certificados.pem_privado(llave))
        else:
            certificado, publica = de_solicitud(ca, equipo, solicitud)
            registro = publica_de(publica)
        disco.carpeta_privada(carpeta / "imagenes")
        # La de la autoridad: con ella el kiosco comprueba las definiciones y los padrones que le lleguen.
        copiar(autoridad, carpeta, "ca.pem", "autoridad.pub.pem")
        _poner_sello(centro)
        copiar(centro, carpeta, "centro.pub.pem", ajustes.SELLO_PUBLICO)
        disco.escribir(carpeta / "tls.pem", pem(certificado))
        identidad = {
            "equipo": equipo,
            "catd": catd,
            "epoca": epoca,
            "modo": donde.modo,
            "proceso": str(donde.proceso),
            "broker_host": donde.broker_host,
            "broker_puerto": donde.broker_puerto,
        }
        disco.escribir(carpeta / "identidad.toml", ajustes.a_toml(identidad))
        anotar_emitido(autoridad, equipo, certificado)
        equipos = {**padron.equipos, equipo: Equipo(equipo, catd, frozenset({epoca}), registro)}
        nuevo = Padron(padron.proceso, padron.modo, padron.version + 1, equipos)
        detalle = f"CATD {catd}, época {epoca}, llave {equipos[equipo].llaves[0].identificador}"
        guardar_padron(autoridad, centro, nuevo, "inscribir", equipo, detalle)


def completar_sello(centro: Path, carpeta: Path) -> bool:
    """Deja la llave pública de sellado en la carpeta de un kiosco que se inscribió antes de que la hubiera. Dice si
    faltaba.

    Raises:
        Tropiezo: DATOS, si la llave del centro está y no se puede leer.
    """
    with turno(centro):
        _poner_sello(centro)
        publica = (centro / ajustes.SELLO_PUBLICO).read_bytes()
        destino = carpeta / ajustes.SELLO_PUBLICO
        if destino.exists() and destino.read_bytes() == publica:
            return False
        disco.escribir(destino, publica)
        return True


def crear_broker(autoridad: Path, centro: Path, carpeta: Path | None = None) -> None:
    """Crea la carpeta del bróker: certificado de servidor, lista de acceso, revocados y `mosquitto.conf`.

    Raises:
        Tropiezo: YA_EXISTE, si ya tiene llave; o si faltan la autoridad o el centro.
    """
    # Aquí y no arriba: broker.py necesita de esta carpeta y no al revés.
    from servicio_central import broker

    destino = carpeta or centro / ajustes.BROKER
    ca, donde = abrir_autoridad(autoridad), ajustes.leer(centro)
    disco.carpeta_privada(destino)
    _sin_llaves(destino, "servidor.key")
    llave = certificados.llave_nueva()
    hosts = (donde.broker_host, "localhost", "127.0.0.1", "::1")
    disco.crear(destino / "servidor.key", certificados.pem_privado(llave))
    disco.escribir(destino / "servidor.pem", pem(ca.emitir_servidor(hosts, llave.public_key())))
    copiar(autoridad, destino, "ca.pem", "crl.pem")
    broker.escribir_configuracion(destino, donde, leer_padron(centro).proceso)


def leer_padron(centro: Path) -> Padron:
    """El padrón vigente del centro, con la firma de la autoridad comprobada.

    Raises:
        Tropiezo: PADRON, si falta o no lo firmó la autoridad.
    """
    ruta = centro / ajustes.PADRON
    try:
        return abrir_padron(ruta.read_text("ascii"), leer_publica(centro / "autoridad.pub.pem"))
    except (OSError, UnicodeDecodeError, SobreInvalido) as error:
        raise Tropiezo(
            "PADRON",
            f"el padrón {ruta} no sirve ({error})",
            "falta, se alteró o lo firmó otra autoridad",
            "copie el último padrón firmado por la autoridad de este proceso",
        ) from error


def guardar_padron(autoridad: Path, centro: Path, padron: Padron, orden: str, equipo: str, detalle: str) -> None:
    """Firma el padrón, lo anota en la bitácora de la autoridad y lo deja en el centro.

    Raises:
        Tropiezo: CEREMONIA, si la bitácora no encadena; no se firma nada.
    """
    firmado = sellar_padron(padron, FirmanteDeArchivo(autoridad / "autoridad.pem", AUTORIDAD)).encode()
    ceremonia.anotar(autoridad, orden, equipo, f"padrón {padron.version}: {detalle}", firmado)
    # Todas las versiones se conservan: así se puede mostrar cuándo entró o salió cada equipo.
    disco.escribir(disco.carpeta_privada(centro / "padrones") / f"{padron.version:06d}.jws", firmado)
    disco.escribir(centro / ajustes.PADRON, firmado)


def de_solicitud(ca: Autoridad, equipo: str, solicitud: bytes) -> tuple[x509.Certificate, bytes]:
    """El certificado TLS y la llave de registro (PEM) de lo que generó un kiosco. Raises: Tropiezo."""
    siguiente = "pida al kiosco que vuelva a generar su solicitud"
    publica = _LLAVE_PUBLICA.search(solicitud)
    if publica is None:
        raise _mal("la solicitud no trae la llave pública de registro", "se copió a medias", siguiente)
    try:
        publica_de(publica[0])
        return ca.emitir_solicitado(equipo, _LLAVE_PUBLICA.sub(b"", solicitud)), publica[0]
    except (SolicitudInvalida, ValueError) as error:
        raise _mal(f"la solicitud de {equipo} no vale: {error}", "es de otro equipo o se alteró", siguiente) from error


def _clave_de(proceso: Path, modo: str) -> str:
    from nucleo.definicion import DefinicionInvalida, cargar_proceso

    try:
        clave = cargar_proceso(proceso).clave
        ambito_de(modo, clave)
    except (DefinicionInvalida, OSError, TemaInvalido) as error:
        raise _mal(f"la definición {proceso} no sirve: {error}", "la carpeta es otra", "corrija y repita") from error
    return clave


def _nombre_valido(nombre: str) -> None:
    try:
        Tema("simulacro-x", nombre, Carril.HECHOS)
    except TemaInvalido:
        valido = False
    else:
        # Un kiosco llamado «centro» tendría, para el bróker, los permisos del centro.
        valido = nombre not in _RESERVADOS
    if not valido:
        raise _mal(
            f"{nombre[:60]!r} no sirve como nombre",
            "tiene mayúsculas, puntos o acentos, mide más de 39 o es reservado",
            "use minúsculas, cifras y guiones, como catd-01",
        )


def abrir_autoridad(carpeta: Path) -> Autoridad:
    """La autoridad de esa carpeta. Raises: Tropiezo."""
    try:
        return Autoridad.de_pem((carpeta / "ca.pem").read_bytes(), (carpeta / "ca.key").read_bytes())
    except (OSError, ValueError) as error:
        raise Tropiezo(
            "AUTORIDAD",
            f"no se pudo abrir la autoridad de {carpeta} ({error})",
            "la carpeta es otra o la memoria de la autoridad no está puesta",
            "indique la carpeta con --autoridad",
        ) from error


def _llave_de(ruta: Path) -> ec.EllipticCurvePrivateKey:
    """La que dejó ahí una ceremonia interrumpida, o una nueva."""
    if ruta.exists():
        try:
            llave = serialization.load_pem_private_key(ruta.read_bytes(), None)
        except (OSError, ValueError) as error:
            raise _mal(f"{ruta} no se puede leer ({error})", "se escribió a medias", "aparte ese archivo") from error
        if isinstance(llave, ec.EllipticCurvePrivateKey):
            return llave
        raise _mal(f"{ruta} no es una llave P-256", "es de otro programa", "aparte ese archivo")
    nueva = certificados.llave_nueva()
    disco.crear(ruta, certificados.pem_privado(nueva))
    return nueva


def _poner_sello(centro: Path) -> None:
    """La llave de sellado del centro, si aún no la tiene: un centro inscrito antes de que la hubiera la recibe aquí."""
    llave = _llave_de(centro / ajustes.SELLO)
    disco.escribir(centro / ajustes.SELLO_PUBLICO, certificados.pem_publico(llave.public_key()))


def _sin_llaves(carpeta: Path, *nombres: str) -> None:
    for nombre in nombres:
        if (carpeta / nombre).exists():
            raise Tropiezo(
                "YA_EXISTE",
                f"{carpeta / nombre} ya existe y no se sobrescribe",
                "esta carpeta ya se había inscrito",
                "use otra carpeta; si de verdad quiere empezar de nuevo, apártela usted primero",
            )


def copiar(origen: Path, destino: Path, *nombres: str) -> None:
    """Copia archivos de una carpeta a otra, durables."""
    for nombre in nombres:
        disco.escribir(destino / nombre, (origen / nombre).read_bytes())


def anotar_emitido(autoridad: Path, nombre: str, certificado: x509.Certificate) -> None:
    """Guarda el certificado entre los emitidos: de ahí salen las series que se revocan."""
    disco.escribir(autoridad / "emitidos" / f"{nombre}-{certificado.serial_number:x}.pem", pem(certificado))


@contextmanager
def turno(centro: Path) -> Iterator[None]:
    """Dos inscripciones a la vez no firman dos padrones con la misma versión."""
    with disco.turno(disco.carpeta_privada(centro) / ".inscripcion"):
        yield


def pem(certificado: x509.Certificate) -> bytes:
    """El certificado en PEM."""
    return certificado.public_bytes(serialization.Encoding.PEM)


def _mal(que: str, causa: str, siguiente: str) -> Tropiezo:
    return Tropiezo("DATOS", que, causa, siguiente)


if __name__ == "__main__":
    from servicio_central.orden_inscribir import main

    main()
