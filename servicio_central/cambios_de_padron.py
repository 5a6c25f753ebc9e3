"""Lo que la autoridad cambia de un equipo ya inscrito: darlo de baja, cambiarle la llave, excluir lo que firmó otro, y
de qué casillas puede hablar.

Cada cambio firma un padrón nuevo, con su renglón en la bitácora de la autoridad; ningún padrón anterior se pisa. El
centro relee el padrón solo. `./prep broker` se arranca otra vez al cambiar los revocados, porque mosquitto no corta una
sesión ya abierta (`guardia_del_broker`); quien decide es siempre el padrón.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from cryptography import x509

from nucleo.padron import MAXIMO_LLAVES, MAXIMO_MOTIVO, Equipo, Exclusion, LlaveInscrita, Padron
from nucleo.sobre import SobreInvalido
from servicio_central import ajustes, disco, inscripcion
from servicio_central.certificados import Autoridad
from servicio_central.firmante import publica_de
from servicio_central.tropiezo import Tropiezo

RESPUESTA: Final = ("tls.pem", "ca.pem", "centro.pub.pem", "autoridad.pub.pem", "padron.jws")
"""Lo que se le lleva al kiosco que cambia de llave."""


def baja(autoridad: Path, centro: Path, equipo: str, motivo: str = "") -> None:
    """Da de baja un equipo: no vigente en el padrón y sus certificados en la lista de revocados.

    Los hechos que el centro ya aceptó siguen contando (para eso está `excluir`); los que sigan llegando van a
    cuarentena.

    Raises:
        Tropiezo: si el equipo no está en el padrón.
    """
    with inscripcion.turno(centro):
        ca, padron = inscripcion.abrir_autoridad(autoridad), inscripcion.leer_padron(centro)
        anterior = _inscrito(padron, equipo)
        _firmar(autoridad, centro, padron, replace(anterior, vigente=False), "baja", motivo)
        _revocar(autoridad, centro, ca, _series(autoridad, equipo), padron.version + 1)


def excluir(autoridad: Path, centro: Path, equipo: str, *, hasta: int, motivo: str, epoca: str | None = None) -> None:
    """Deja de contar lo que ese equipo firmó después de la secuencia `hasta`. No borra nada ni da de baja a nadie.

    Args:
        hasta: la última que se cuenta; 0 para que no cuente ninguna.
        motivo: se publica con cada corte.
        epoca: cuál de sus cadenas; puede faltar si tiene una.

    Raises:
        Tropiezo: si el equipo o la época no están en el padrón, o falta el motivo.
    """
    motivo = motivo.strip()
    if not 0 < len(motivo) <= MAXIMO_MOTIVO or not motivo.isprintable() or hasta < 0:
        raise Tropiezo(
            "DATOS",
            f"falta el motivo (hasta {MAXIMO_MOTIVO} letras) o la secuencia es negativa",
            "se tecleó incompleta",
            "repita con --motivo «por qué» y --hasta con la última secuencia que se cuenta",
        )
    with inscripcion.turno(centro):
        padron = inscripcion.leer_padron(centro)
        anterior = _inscrito(padron, equipo)
        cual = _epoca(anterior, epoca)
        exclusion = Exclusion(hasta, motivo, datetime.now(UTC).replace(microsecond=0))
        nuevo = replace(anterior, exclusiones={**anterior.exclusiones, cual: exclusion})
        _firmar(autoridad, centro, padron, nuevo, "excluir", f"época {cual} después de la {hasta}: {motivo}")


def quitar_exclusion(autoridad: Path, centro: Path, equipo: str, *, motivo: str = "", epoca: str | None = None) -> None:
    """Vuelve a contar lo excluido de esa época. Raises: Tropiezo, si no había nada excluido."""
    with inscripcion.turno(centro):
        padron = inscripcion.leer_padron(centro)
        anterior = _inscrito(padron, equipo)
        cual = _epoca(anterior, epoca)
        if cual not in anterior.exclusiones:
            raise Tropiezo("DATOS", f"de {equipo} no hay nada excluido", "ya se quitó", "no hace falta hacer nada")
        quedan = {e: x for e, x in anterior.exclusiones.items() if e != cual}
        _firmar(autoridad, centro, padron, replace(anterior, exclusiones=quedan), "quitar exclusión", motivo)


def rotar(autoridad: Path, centro: Path, salida: Path, equipo: str, solicitud: bytes, motivo: str = "") -> Path:
    """Inscribe la llave nueva que generó el kiosco, en su misma cadena, y deja lo que hay que llevarle.

    La anterior sigue abierta: el kiosco firma con ella hasta que instala la nueva, y lo ya firmado se sigue aceptando.
    Después se cierra con `cerrar_llave`. Repetirla con la misma solicitud no firma otro padrón.

    Args:
        salida: ahí se crea `<equipo>-llave-<identificador>/`.
        solicitud: lo que escribió `./prep catd llave`: PKCS#10 de la llave TLS y llave pública de registro.

    Returns:
        La carpeta que se lleva al kiosco.

    Raises:
        Tropiezo: si el equipo no está o está de baja, la solicitud no vale, la llave es de otro o ya tiene cuatro.
    """
    with inscripcion.turno(centro):
        ca, padron = inscripcion.abrir_autoridad(autoridad), inscripcion.leer_padron(centro)
        anterior = _inscrito(padron, equipo)
        if not anterior.vigente:
            raise _mal(f"{equipo} está dado de baja", "se revocó antes", "inscríbalo con otro nombre")
        certificado, pem = inscripcion.de_solicitud(ca, equipo, solicitud)
        nueva = LlaveInscrita(publica_de(pem))
        if nueva.identificador != anterior.llaves[0].identificador:
            _exigir_nueva(padron, anterior, nueva.identificador)
            cambiado = replace(anterior, llave=nueva.llave, hasta=None, anteriores=anterior.llaves)
            detalle = f"llave {nueva.identificador}; {motivo}".rstrip("; ")
            _firmar(autoridad, centro, padron, cambiado, "rotar", detalle)
        carpeta = salida / f"{equipo}-llave-{nueva.identificador[:12]}"
        if (carpeta / RESPUESTA[0]).exists():
            return carpeta
        disco.carpeta_privada(carpeta)
        inscripcion.anotar_emitido(autoridad, equipo, certificado)
        inscripcion.copiar(autoridad, carpeta, "ca.pem", "autoridad.pub.pem")
        inscripcion.copiar(centro, carpeta, "centro.pub.pem", ajustes.PADRON)
        # Al final: con él la respuesta está completa.
        disco.escribir(carpeta / RESPUESTA[0], inscripcion.pem(certificado))
        return carpeta


def cerrar_llave(
    autoridad: Path, centro: Path, equipo: str, *, hasta: int, motivo: str = "", epoca: str | None = None
) -> int:
    """Deja de aceptar lo firmado con las llaves anteriores después de la secuencia `hasta`, y revoca sus certificados.

    Si sólo tiene una, se cierra ésa: el equipo queda sin con qué firmar hasta que se le rote. Lo aceptado sigue
    contando.

    Returns:
        Cuántas llaves se cerraron.

    Raises:
        Tropiezo: si el equipo o la época no están en el padrón, o todas estaban cerradas.
    """
    with inscripcion.turno(centro):
        ca, padron = inscripcion.abrir_autoridad(autoridad), inscripcion.leer_padron(centro)
        anterior = _inscrito(padron, equipo)
        limite = {_epoca(anterior, epoca): hasta}
        una = not anterior.anteriores
        por_cerrar = [i for i in ((*anterior.llaves,) if una else anterior.anteriores) if i.hasta is None]
        if not por_cerrar or hasta < 0:
            raise _mal(f"{equipo} no tiene llaves por cerrar", "ya se cerraron", "revise con qué llave firma")
        cerradas = tuple(replace(i, hasta=limite) if i.hasta is None else i for i in anterior.anteriores)
        nuevo = replace(anterior, hasta=limite) if una else replace(anterior, anteriores=cerradas)
        cuales = ", ".join(i.identificador for i in por_cerrar)
        _firmar(autoridad, centro, padron, nuevo, "cerrar llave", f"{cuales} después de la {hasta}; {motivo}")
        series = _series(autoridad, equipo)
        _revocar(autoridad, centro, ca, series if una else series[:-1], padron.version + 1)
        return len(por_cerrar)


def dar_casillas(autoridad: Path, centro: Path, equipo: str, casillas: Iterable[str], motivo: str = "") -> None:
    """Fija de qué casillas puede hablar el equipo; sin ninguna, de todas.

    Args:
        casillas: prefijos de CLAVE_CASILLA, `D5` (distrito) o `M12` (municipio).

    Raises:
        Tropiezo: si el equipo no está o alguna no tiene esa forma.
    """
    propias = tuple(dict.fromkeys(casillas))
    with inscripcion.turno(centro):
        padron = inscripcion.leer_padron(centro)
        nuevo = replace(_inscrito(padron, equipo), casillas=propias)
        try:
            detalle = f"{' '.join(propias) or 'todas'}; {motivo}".rstrip("; ")
            _firmar(autoridad, centro, padron, nuevo, "casillas", detalle)
        except SobreInvalido as error:
            raise _mal(
                f"{' '.join(propias)[:80]!r} no son casillas",
                "se tecleó otra cosa",
                "use prefijos de la clave (200123), D5 para un distrito o M12 para un municipio",
            ) from error


def _firmar(autoridad: Path, centro: Path, padron: Padron, equipo: Equipo, orden: str, detalle: str) -> None:
    equipos = {**padron.equipos, equipo.nombre: equipo}
    nuevo = Padron(padron.proceso, padron.modo, padron.version + 1, equipos)
    inscripcion.guardar_padron(autoridad, centro, nuevo, orden, equipo.nombre, detalle.rstrip("; "))


def _inscrito(padron: Padron, equipo: str) -> Equipo:
    inscrito = padron.equipos.get(equipo)
    if inscrito is None:
        raise Tropiezo(
            "NO_INSCRITO",
            f"{equipo} no está en el padrón",
            "el nombre está mal escrito",
            f"use uno de: {', '.join(sorted(padron.equipos)) or '(padrón vacío)'}",
        )
    return inscrito


def _epoca(equipo: Equipo, pedida: str | None) -> str:
    if pedida is None and len(equipo.epocas) == 1:
        return next(iter(equipo.epocas))
    if pedida in equipo.epocas:
        return str(pedida)
    raise _mal(
        f"{equipo.nombre} no tiene la época {pedida or '(sin decir)'}",
        "se tecleó mal, o tiene más de una y no se dijo cuál",
        f"use --epoca con una de: {', '.join(sorted(equipo.epocas)) or '(ninguna)'}",
    )


def _exigir_nueva(padron: Padron, equipo: Equipo, identificador: str) -> None:
    duenos = [e.nombre for e in padron.equipos.values() for i in e.llaves if i.identificador == identificador]
    if duenos:
        raise _mal(
            f"esa llave ya es o fue de {duenos[0]}",
            "se repitió una solicitud vieja o se copió una llave",
            "genere otra en el kiosco con `./prep catd llave`",
        )
    if len(equipo.llaves) >= MAXIMO_LLAVES:
        raise _mal(
            f"{equipo.nombre} ya ha tenido {MAXIMO_LLAVES} llaves",
            "se rotó demasiadas veces",
            "délo de baja e inscríbalo con otro nombre",
        )


def _series(autoridad: Path, equipo: str) -> list[int]:
    """Series de los certificados emitidos a ese equipo, del más viejo al más nuevo."""
    emitidos = []
    for ruta in (autoridad / "emitidos").glob("*.pem"):
        if ruta.name.rpartition("-")[0] == equipo:
            certificado = x509.load_pem_x509_certificate(ruta.read_bytes())
            emitidos.append((certificado.not_valid_before_utc, ruta.stat().st_mtime_ns, certificado.serial_number))
    return [serie for _, _, serie in sorted(emitidos)]


def _revocar(autoridad: Path, centro: Path, ca: Autoridad, series: Iterable[int], numero: int) -> None:
    ya = [r.serial_number for r in x509.load_pem_x509_crl((autoridad / "crl.pem").read_bytes())]
    todas = list(dict.fromkeys([*ya, *series]))
    disco.escribir(autoridad / "crl.pem", ca.lista_de_revocados(todas, numero))
    if (centro / ajustes.BROKER).is_dir():
        disco.sustituir(centro / ajustes.BROKER / "crl.pem", (autoridad / "crl.pem").read_bytes())


def _mal(que: str, causa: str, siguiente: str) -> Tropiezo:
    return Tropiezo("DATOS", que, causa, siguiente)
