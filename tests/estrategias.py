"""Estrategias de hypothesis para los valores del núcleo, y un firmante de verdad con la llave en memoria."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any, Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from hypothesis import strategies as st
from joserfc.jwk import ECKey

from nucleo.acta import (
    COMPLEMENTARIOS,
    MECANISMOS_TRASLADO,
    TIPOS_DOCUMENTO,
    Asentado,
    Digitalizacion,
    MotivoSinActa,
    Origen,
    ResultadoCotejo,
    asentado_de_campos,
)
from nucleo.campo import ILEGIBLE, MAXIMO, SIN_DATO, Campo, Numero
from nucleo.eventos import RenglonDeBitacora, eventos
from nucleo.hechos import (
    MAXIMO_VUELTAS,
    Acopio,
    Captura,
    Correccion,
    Cotejo,
    Empaque,
    FueraDeCatalogo,
    Hecho,
    HojaDeBitacora,
    IdActa,
    Imagen,
    Recaptura,
    Revision,
    SinActa,
)
from nucleo.hoja_de_bitacora import MAXIMO_DETALLE
from nucleo.orden import (
    MostrarMensaje,
    PausarImagenes,
    Que,
    Reenviar,
    Renacer,
    SeguirImagenes,
    TomarDefinicion,
)
from nucleo.paquete import MAXIMO_PAQUETE
from nucleo.sobre import Sobre, Tipo, firmar_con

PARTIDOS: Final = ("PAN", "PRI", "PAN_PRI", "MC", "NO_REGISTRADAS", "NULOS")


@dataclass(frozen=True)
class FirmanteEnMemoria:
    """Firma de verdad, ES256; sólo la llave no está en un archivo."""

    identidad: str
    llave: ECKey

    def firmar(self, tipo: Tipo, carga: bytes) -> str:
        return firmar_con(self.llave, self.identidad, tipo, carga)


def firmante(identidad: str) -> FirmanteEnMemoria:
    return FirmanteEnMemoria(identidad, ECKey.generate_key("P-256"))


campos: st.SearchStrategy[Campo] = st.one_of(
    st.just(ILEGIBLE), st.just(SIN_DATO), st.integers(0, MAXIMO).map(Numero), st.integers(0, 3).map(Numero)
)
claves = st.text("AZ09_ÑÁÉÍÓÚ-", min_size=1, max_size=40)
personas = st.text("az09-", min_size=1, max_size=40)
hex64 = st.binary(min_size=32, max_size=32).map(bytes.hex)
epocas = st.binary(min_size=8, max_size=8).map(bytes.hex)
equipos = st.text("az09-", min_size=1, max_size=39).filter(lambda nombre: not nombre.startswith("-"))
husos = st.integers(-12 * 60, 14 * 60).map(lambda minutos: timezone(timedelta(minutes=minutos)))
horas = st.datetimes(datetime(2000, 1, 2), datetime(2099, 12, 30), timezones=husos)
actas = st.builds(IdActa, claves, claves)
vueltas = st.integers(1, MAXIMO_VUELTAS)
textos = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=60)
imprimibles = st.text(st.characters(exclude_categories=("C", "Z")), max_size=MAXIMO_DETALLE)
renglones_de_bitacora = st.builds(
    RenglonDeBitacora,
    horas.map(lambda hora: hora.isoformat()),
    st.sampled_from(sorted(eventos())),
    st.just("") | personas,
    imprimibles.map(lambda texto: texto[:90]),
    imprimibles,
)
ordenes: st.SearchStrategy[Que] = st.one_of(
    st.sampled_from((PausarImagenes(), SeguirImagenes(), Renacer())),
    st.integers(1, 2**53 - 1).map(Reenviar),
    st.builds(TomarDefinicion, hex64, st.integers(1, MAXIMO_PAQUETE), st.integers(1, 2**53 - 1)),
    textos.map(MostrarMensaje),
)
json_cualquiera: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda hijos: st.lists(hijos, max_size=4) | st.dictionaries(st.text(max_size=12), hijos, max_size=4),
    max_leaves=12,
)


def asentados(renglones: tuple[str, ...] = PARTIDOS) -> st.SearchStrategy[Asentado]:
    return st.fixed_dictionaries(dict.fromkeys((*renglones, *COMPLEMENTARIOS), campos)).map(asentado_de_campos)


def hechos(actas: st.SearchStrategy[IdActa] = actas) -> dict[type, st.SearchStrategy[Hecho]]:
    """Una estrategia por cada clase de hecho."""
    origenes, digitalizaciones = st.sampled_from(Origen), st.sampled_from(Digitalizacion)
    documentos, traslados = st.sampled_from(TIPOS_DOCUMENTO), st.sampled_from(MECANISMOS_TRASLADO)
    sueltos = st.dictionaries(claves, campos, min_size=1, max_size=6)
    pareja = st.lists(personas, min_size=2, max_size=2, unique=True).map(lambda p: (p[0], p[1]))
    motivos = st.sampled_from(MotivoSinActa)
    vistas = st.none() | hex64
    return {
        Acopio: st.builds(Acopio, actas, horas, origenes, documentos, traslados, personas),
        Imagen: st.builds(Imagen, actas, horas, hex64, st.integers(1, 2**31), digitalizaciones, personas),
        Captura: st.builds(Captura, actas, vueltas, horas, personas, asentados(), vistas),
        Correccion: st.builds(Correccion, actas, vueltas, horas, personas, sueltos, vistas),
        Revision: st.builds(Revision, actas, vueltas, horas, pareja, sueltos, vistas),
        Recaptura: st.builds(Recaptura, actas, st.integers(2, MAXIMO_VUELTAS), horas, personas, textos),
        SinActa: st.builds(
            lambda acta, hora, motivo, pareja: SinActa(acta, hora, motivo, *pareja), actas, horas, motivos, pareja
        ),
        FueraDeCatalogo: st.builds(
            FueraDeCatalogo, claves, claves, horas, origenes, digitalizaciones, documentos, traslados, hex64, personas
        ),
        Cotejo: st.builds(Cotejo, actas, horas, st.sampled_from(ResultadoCotejo), personas),
        Empaque: st.builds(Empaque, actas, horas, claves, personas),
        HojaDeBitacora: st.builds(
            HojaDeBitacora,
            horas,
            st.integers(1, 2**53 - 1),
            hex64,
            st.lists(renglones_de_bitacora, min_size=1, max_size=4).map(tuple),
        ),
    }


cortos = st.text("AZaz09_.:-", min_size=1, max_size=80)


def sobres(equipo: str, contenidos: st.SearchStrategy[dict[str, Any]] | None = None) -> st.SearchStrategy[Sobre]:
    """Sobres bien formados de ese equipo."""
    return st.builds(
        Sobre,
        proceso=cortos,
        modo=st.sampled_from(("simulacro", "oficial")),
        catd=equipos,
        equipo=st.just(equipo),
        epoca=epocas,
        secuencia=st.integers(1, 2**53 - 1),
        previo=hex64,
        creado=horas,
        reloj=st.sampled_from(("sincronizado", "libre", "desconocido", "virtual")),
        arranque=cortos,
        sistema=cortos,
        contenido=contenidos or st.dictionaries(st.text(max_size=10), st.integers() | st.text(max_size=20), max_size=5),
    )


def desarmar(compacto: str) -> tuple[bytes, bytes, bytes]:
    """Encabezado, carga y firma de un JWS compacto, sin comprobar nada."""
    cabeza, carga, firma = (urlsafe_b64decode(parte + "==") for parte in compacto.split("."))
    return cabeza, carga, firma


def armar(cabeza: bytes, carga: bytes, firma: bytes) -> str:
    """Un JWS compacto con esas partes, valgan o no."""
    return ".".join(urlsafe_b64encode(parte).rstrip(b"=").decode() for parte in (cabeza, carga, firma))


def firmar_a_mano(llave: ECKey, cabeza: bytes, carga: bytes) -> str:
    """Un JWS cuya firma ES256 sí vale, con el encabezado que sea: lo que puede hacer quien controla un kiosco."""
    firmado = armar(cabeza, carga, b"").removesuffix(".")
    privada = llave.private_key
    assert isinstance(privada, ec.EllipticCurvePrivateKey)
    r, s = decode_dss_signature(privada.sign(firmado.encode(), ec.ECDSA(hashes.SHA256())))
    return f"{firmado}.{armar(b'', b'', r.to_bytes(32, 'big') + s.to_bytes(32, 'big')).removeprefix('..')}"
