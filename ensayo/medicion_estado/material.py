"""El centro que se mide: inscrito, con su almacén lleno de sobres firmados de un estado como Jalisco.

Los sobres se firman como los firma un kiosco y se guardan como los guarda la ingesta; sólo se salta el viaje, que se
mide aparte (`./prep medir enlace`).
"""

from __future__ import annotations

import base64
import hashlib
import random
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from ensayo.agenda import Documento
from ensayo.laboratorio.jalisco.estado import Estado, documentos_de, escribir_definicion, leer_estado
from nucleo.acta import Asentado, Digitalizacion, MotivoSinActa
from nucleo.campo import ILEGIBLE, SIN_DATO, Numero
from nucleo.eleccion import Proceso
from nucleo.hechos import Acopio, Captura, Correccion, HechoDeActa, IdActa, Imagen, SinActa, a_contenido, tipo_de
from nucleo.sobre import CADENA_NUEVA, Sobre, Tipo, carga_de, huella
from servicio_central import imagenes, inscripcion, padrones, vigente
from servicio_central.almacen import Almacen
from servicio_central.cadena import Cadena
from servicio_central.puerto_almacen import Asentado as Renglon

_MODO: Final = "simulacro"
_ES256: Final = ec.ECDSA(hashes.SHA256())
_UN_RATO: Final = timedelta(minutes=3)


@dataclass
class _Kiosco:
    """Un equipo inscrito que va firmando su cadena."""

    nombre: str
    epoca: str
    llave: ec.EllipticCurvePrivateKey
    encabezado: str
    secuencia: int = 0
    previo: str = CADENA_NUEVA

    def sellar(self, proceso: Proceso, hecho: HechoDeActa) -> tuple[int, str, str]:
        """Secuencia, huella del anterior y sobre firmado, de ese hecho."""
        previo, self.secuencia = self.previo, self.secuencia + 1
        sobre = Sobre(
            *(proceso.clave, _MODO, self.nombre, self.nombre, self.epoca, self.secuencia, previo, hecho.hora),
            *("sincronizado", "ensayo", "ensayo", a_contenido(hecho)),
        )
        firmado = f"{self.encabezado}.{_base64(carga_de(sobre))}"
        uno, otro = decode_dss_signature(self.llave.sign(firmado.encode(), _ES256))
        compacto = f"{firmado}.{_base64(uno.to_bytes(32, 'big') + otro.to_bytes(32, 'big'))}"
        self.previo = huella(compacto)
        return self.secuencia, previo, compacto


class CentroDeEnsayo:
    """Un centro de verdad en una carpeta, al que le llegan actas por lotes."""

    def __init__(self, raiz: Path, casillas: int, kioscos: int, semilla: int) -> None:
        """Raises: lo que digan la inscripción, la definición o el disco."""
        definicion = self.definicion = escribir_definicion(raiz, casillas)
        autoridad, self.carpeta = raiz / "autoridad", raiz / "centro"
        inscripcion.crear_autoridad(autoridad)
        inscripcion.inscribir_centro(
            autoridad, self.carpeta, proceso=definicion, modo=_MODO, broker_host="localhost", broker_puerto=8883
        )
        self.estado: Estado = leer_estado(definicion, kioscos)
        self._kioscos: dict[str, _Kiosco] = {}
        for equipo in self.estado.catds:
            suya = raiz / "kioscos" / equipo
            inscripcion.inscribir_kiosco(autoridad, self.carpeta, suya, equipo=equipo, catd=equipo)
            self._kioscos[equipo] = _kiosco(equipo, suya)
        padrones.recordar(self.carpeta, padrones.mas_nuevo(self.carpeta))
        self.proceso = vigente.adoptar(self.carpeta, definicion, _MODO, self.estado.proceso.clave)
        self._almacen = Almacen.abrir(self.carpeta / "almacen.sqlite")
        self._imagenes = imagenes.Imagenes(self.carpeta).raiz
        self._por_llegar: list[tuple[str, Documento]] = [(e, d) for e in self.estado.catds for d in self._documentos(e)]
        random.Random(semilla).shuffle(self._por_llegar)
        for n in range(256):
            (self._imagenes / f"{n:02x}").mkdir(mode=0o700)

    def cerrar(self) -> None:
        self._almacen.cerrar()

    @property
    def faltan(self) -> int:
        """Actas que no han llegado."""
        return len(self._por_llegar)

    def llegar(self, actas: int) -> int:
        """Llegan esas, al azar de todo el estado, cada una con su acopio, su imagen y dos capturas. Devuelve cuántos
        hechos son."""
        tanda, self._por_llegar = self._por_llegar[:actas], self._por_llegar[actas:]
        cuantos = 0
        self._almacen.bd.execute("PRAGMA synchronous = OFF")  # la durabilidad del almacén no es lo que se mide
        with self._almacen.transaccion():
            for equipo, documento in tanda:
                kiosco = self._kioscos[equipo]
                for hecho in self._hechos(documento):
                    self._guardar(kiosco, hecho)
                    cuantos += 1
            for k in self._kioscos.values():
                self._almacen.guardar_cadena(k.nombre, k.epoca, Cadena(k.secuencia, k.previo))
        return cuantos

    def _documentos(self, equipo: str) -> list[Documento]:
        return documentos_de(self.estado, equipo)

    def _hechos(self, d: Documento) -> Iterator[HechoDeActa]:
        if d.asentado is None or d.captura is None or d.verificacion is None:
            raise ValueError(f"{d.acta} no trae capturas")
        yield Acopio(d.acta, d.acopio, d.origen, d.tipo_documento, d.mecanismo_traslado, "acopio-1")
        datos = f"imagen de ensayo de {d.acta}\n".encode()
        sha256 = hashlib.sha256(datos).hexdigest()
        (self._imagenes / sha256[:2] / sha256).write_bytes(datos)
        yield Imagen(d.acta, d.acopio, sha256, len(datos), Digitalizacion.ESCANER, "digital-1")
        yield from _lecturas(d.acta, d.captura, d.verificacion, d.asentado)

    def _guardar(self, kiosco: _Kiosco, hecho: HechoDeActa) -> None:
        secuencia, previo, compacto = kiosco.sellar(self.proceso, hecho)
        acta, hora = hecho.acta, hecho.hora.isoformat()
        self._almacen.agregar(
            Renglon(
                *(kiosco.previo, kiosco.nombre, kiosco.epoca, secuencia, previo, acta.eleccion, acta.casilla),
                *(tipo_de(hecho), hora, compacto),
            ),
            hora,
        )


def _lecturas(acta: IdActa, captura: datetime, verificacion: datetime, leido: Asentado) -> Iterator[HechoDeActa]:
    """Dos iguales, casi siempre; y de cada cien, unas pocas de cada rareza de una noche."""
    suerte = random.Random(f"lecturas de {acta}").randrange(100)
    votos = dict(leido.votos)
    primero = next(iter(votos))
    if suerte == 0:
        yield SinActa(acta, captura, MotivoSinActa.PAQUETE_SIN_BOLSA, "captura-1", "coord-1")
        return
    if suerte == 1:
        votos |= {primero: ILEGIBLE}
    elif suerte == 2:
        votos = dict.fromkeys(votos, SIN_DATO)
    elif suerte == 3:
        votos |= {primero: Numero(9000)}
    leido = replace(leido, votos=votos)
    yield Captura(acta, 1, captura, "captura-1", leido)
    if suerte == 4:
        return
    otra = replace(leido, votos=votos | {primero: Numero(999)}) if suerte in (5, 6) else leido
    yield Captura(acta, 1, verificacion, "captura-2", otra)
    if suerte == 6:
        yield Correccion(acta, 1, verificacion + _UN_RATO, "captura-3", {primero: votos[primero]})


def horas(proceso: Proceso, cuantas: int) -> Sequence[datetime]:
    """Horas de corte, una tras otra desde que empieza la publicación."""
    paso = (proceso.cierre - proceso.inicio_publicacion) / max(cuantas, 96)
    return [(proceso.inicio_publicacion + paso * n).replace(second=0, microsecond=0) for n in range(cuantas)]


def _kiosco(equipo: str, carpeta: Path) -> _Kiosco:
    llave = load_pem_private_key((carpeta / "llave.pem").read_bytes(), None)
    if not isinstance(llave, ec.EllipticCurvePrivateKey):
        raise ValueError(f"la llave de {equipo} no es P-256")
    encabezado = f'{{"alg":"ES256","typ":"{Tipo.HECHO.value}","kid":"{equipo}"}}'
    return _Kiosco(equipo, _epoca(carpeta), llave, _base64(encabezado.encode()))


def _epoca(carpeta: Path) -> str:
    return str(tomllib.loads((carpeta / "identidad.toml").read_text("utf-8"))["epoca"])


def _base64(datos: bytes) -> str:
    return base64.urlsafe_b64encode(datos).rstrip(b"=").decode()
