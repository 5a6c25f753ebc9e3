"""El único lugar del kiosco que construye las cosas reales: llave, almacén, reloj, definición y enlace."""

from __future__ import annotations

import hashlib
import random
import ssl
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Final

from appliance import cambio_de_llave, definicion_recibida
from appliance.almacen import Almacen
from appliance.candado import Candado
from appliance.consola import decir
from appliance.enlace import Ajustes, Enlace, interfaz, sonda
from appliance.enlace.carril_de_ordenes import CarrilDeOrdenes
from appliance.enlace.ciclo import Alrededor
from appliance.enlace.relevo import Relevo
from appliance.enlace.salidas import Salida, leer_salidas, tope_de
from appliance.enlace.transporte import Fabrica, Testamento, Transporte
from appliance.enlace.transporte_mqtt import TransporteMqtt, contexto_tls
from appliance.enlace.transporte_por_salida import Anotador, TransportePorSalida
from appliance.falla import Falla
from appliance.identidad import Identidad, leer_identidad
from appliance.imagenes import Imagenes
from appliance.llave import LlaveDeArchivo, leer_publica
from appliance.mesa import Mesa
from appliance.permisos import reservar
from appliance.reloj import Reloj, RelojDeEnsayo, RelojDelSistema
from nucleo.definicion import DefinicionInvalida, cargar_proceso
from nucleo.eleccion import Proceso
from nucleo.modos import CAPACITACION, CON_CENTRO
from nucleo.paquete import DefinicionFirmada
from nucleo.problema import Rechazo
from nucleo.sobre import Firmante

_RAIZ: Final = Path(__file__).resolve().parent.parent
_ARRANQUE: Final = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True)
class Kiosco:
    """Un kiosco abierto. Quien lo abre lo cierra con `almacen.desconectar()`."""

    mesa: Mesa
    almacen: Almacen
    proceso: Proceso
    identidad: Identidad
    reloj: Reloj
    carpeta: Path


def abrir_kiosco(carpeta: Path, reloj: Reloj | None = None) -> Kiosco:
    """Abre la carpeta de un kiosco inscrito. Sin `reloj`, usa el de la máquina.

    Raises:
        Falla: si la identidad, la llave, la definición o el almacén no sirven; dice cuál y qué hacer.
    """
    cambio_de_llave.completar(carpeta)
    identidad, proceso = _definicion(carpeta)
    propio = reloj or _reloj(proceso)
    firmante = LlaveDeArchivo(carpeta / "llave.pem", identidad.equipo)
    almacen = _almacen(carpeta, identidad, proceso, firmante)
    identidad, proceso = _tomar_definicion(carpeta, identidad, proceso, almacen, propio)
    cambio_de_llave.recordar(almacen, firmante.publica(), propio.ahora())
    mesa = Mesa(almacen, Imagenes(carpeta / "imagenes"), proceso, propio)
    return Kiosco(mesa, almacen, proceso, identidad, propio, carpeta)


def abrir_enlace(carpeta: Path, ajustes: Ajustes | None = None) -> Enlace:
    """Arma el enlace de la carpeta de un kiosco inscrito, sin conectarlo todavía.

    Raises:
        Falla: como `abrir_kiosco`; TLS si faltan o no sirven los certificados; ENLACE_REPETIDO si ya hay otro.
    """
    leer_identidad(carpeta)
    # Dos se quitarían la conexión uno al otro, sin fin.
    candado = Candado(
        carpeta,
        Falla(
            "ENLACE_REPETIDO",
            f"Otro enlace ya atiende la carpeta {carpeta}",
            "se arrancó dos veces, a mano y por el sistema",
            "deje corriendo el primero; si debe ser éste, detenga antes el otro",
        ),
    )
    try:
        cambio_de_llave.completar(carpeta)
        identidad, proceso = _definicion(carpeta)
        return _enlace(carpeta, identidad, proceso, ajustes or Ajustes(), candado)
    except BaseException:
        candado.soltar()
        raise


def _enlace(carpeta: Path, identidad: Identidad, proceso: Proceso, ajustes: Ajustes, candado: Candado) -> Enlace:
    firmante = LlaveDeArchivo(carpeta / "llave.pem", identidad.equipo)
    tls = contexto_tls(carpeta / "ca.pem", carpeta / "tls.pem", carpeta / "tls.key")
    almacen, reloj = _almacen(carpeta, identidad, proceso, firmante), RelojDelSistema(proceso.huso)
    cambio_de_llave.recordar(almacen, firmante.publica(), reloj.ahora())
    llave_centro = leer_publica(carpeta / "centro.pub.pem")
    ordenes = CarrilDeOrdenes(
        almacen,
        identidad,
        proceso.clave,
        llave_centro,
        reloj,
        lambda datos: _guardar_definicion(carpeta, datos, identidad, proceso.clave, almacen),
        lambda suceso, detalle: decir(f"{identidad.equipo} · {suceso} · {detalle}"),
    )
    salidas = leer_salidas(carpeta)
    relevo = Relevo(salidas, ajustes.vuelta_s, random.Random()) if salidas else None
    return Enlace(
        almacen=almacen,
        identidad=identidad,
        proceso=proceso.clave,
        firmante=firmante,
        llave_centro=llave_centro,
        reloj=reloj,
        version=huella_del_programa(),
        fabrica=_fabrica(identidad, tls, relevo, almacen),
        ajustes=replace(ajustes, tope=ajustes.tope or tope_de(salidas)),
        candado=candado,
        alrededor=Alrededor(
            imagenes=Imagenes(carpeta / "imagenes"),
            imagenes_permitidas=ordenes.imagenes_permitidas,
            salida=lambda: relevo.actual.nombre if relevo is not None else "",
            contador=_contador(salidas),
            definicion=proceso.huella,
        ),
        ordenes=ordenes,
    )


def _fabrica(identidad: Identidad, tls: ssl.SSLContext, relevo: Relevo | None, almacen: Almacen) -> Fabrica:
    destino, anotador = (identidad.broker_host, identidad.broker_puerto), Anotador(almacen)
    if relevo is None:
        anotador.contesto("")
        return lambda testamento: TransporteMqtt(*destino, identidad.equipo, tls, testamento)
    sondeo = sonda.Sonda(lambda salida: sonda.llega(destino, salida, tls))

    def fabrica(testamento: Testamento) -> Transporte:
        def abrir(salida: Salida) -> Transporte:
            return TransporteMqtt(
                *destino, identidad.equipo, tls, testamento, lambda d, plazo: interfaz.abrir(d, salida.interfaz, plazo)
            )

        return TransportePorSalida(relevo, abrir, sondeo, anotador.contesto, time.monotonic)

    return fabrica


def _contador(salidas: Sequence[Salida]) -> Callable[[], tuple[str, int] | None]:
    medida = next((s.interfaz for s in salidas if s.por_byte), None)
    return lambda: interfaz.contador(medida) if medida is not None else None


def huella_del_programa() -> str:
    """`sistema` de cada sobre: 16 cifras del SHA-256 de los archivos del kiosco y del núcleo."""
    suma = hashlib.sha256()
    for paquete in ("appliance", "nucleo"):
        for archivo in sorted((_RAIZ / paquete).rglob("*")):
            if archivo.is_file() and "__pycache__" not in archivo.parts:
                suma.update(str(archivo.relative_to(_RAIZ)).encode() + b"\0")
                suma.update(hashlib.sha256(archivo.read_bytes()).digest())
    return f"kiosco-{suma.hexdigest()[:16]}"


def _almacen(carpeta: Path, identidad: Identidad, proceso: Proceso, firmante: Firmante) -> Almacen:
    reservar(carpeta)
    return Almacen.abrir(
        carpeta / "almacen.sqlite",
        identidad,
        firmante,
        proceso=proceso.clave,
        sistema=huella_del_programa(),
        arranque=_arranque(),
    )


def _definicion(carpeta: Path) -> tuple[Identidad, Proceso]:
    """La definición en uso: la última que se tomó del centro o, si no hay o se dañó, la de la inscripción."""
    inscrita = leer_identidad(carpeta)
    usada = definicion_recibida.en_uso(carpeta, inscrita)
    if usada != inscrita:
        try:
            return usada, _proceso(usada)
        except Falla as falla:
            decir(f"{inscrita.equipo}: se usa la definición con que se inscribió. {falla}")
    return inscrita, _proceso(inscrita)


def _tomar_definicion(
    carpeta: Path, identidad: Identidad, proceso: Proceso, almacen: Almacen, reloj: Reloj
) -> tuple[Identidad, Proceso]:
    """La que llegó por el enlace, si la hay y con ella vale todo lo asentado; si no, la de antes."""
    if identidad.modo not in CON_CENTRO:
        return identidad, proceso
    espera = definicion_recibida.pendiente(carpeta, identidad, proceso.clave)
    if espera is None:
        return identidad, proceso
    if isinstance(espera, Rechazo):
        objecion = espera.que
    else:
        version, nuevo = espera
        # Se capturó mientras esperaba: lo que cabía al llegar puede ya no caber.
        objecion = definicion_recibida.no_cabe(nuevo, (h for _, h in almacen.hechos_desde(0))) or ""
        if not objecion:
            try:
                definicion_recibida.tomar(carpeta, version)
            except OSError as error:
                objecion = f"no se pudo dejar en uso ({error.strerror})"
    if objecion:
        decir(f"{identidad.equipo}: se sigue con la definición de antes: {objecion}")
        with almacen.transaccion() as t:
            t.anotar(reloj.ahora(), "definicion_rechazada", detalle=objecion)
        return identidad, proceso
    with almacen.transaccion() as t:
        t.anotar(reloj.ahora(), "definicion_tomada", detalle=f"{version.name}, antes {proceso.huella[:16]}")
    return definicion_recibida.en_uso(carpeta, identidad), nuevo


def _guardar_definicion(
    carpeta: Path, datos: bytes, identidad: Identidad, clave: str, almacen: Almacen
) -> DefinicionFirmada | Rechazo:
    hechos = (h for _, h in almacen.hechos_desde(0))
    return definicion_recibida.guardar(carpeta, datos, identidad, clave, hechos)


def _proceso(identidad: Identidad) -> Proceso:
    try:
        proceso = cargar_proceso(identidad.proceso)
    except (DefinicionInvalida, OSError) as error:
        raise Falla(
            "DEFINICION",
            f"No se pudo leer la definición del proceso en {identidad.proceso}: {error}",
            "la carpeta se movió, está incompleta o se editó",
            "vuelva a poner la carpeta de la definición con que se inscribió el kiosco",
        ) from error
    if proceso.modo != identidad.modo:
        raise Falla(
            "MODO",
            f"El kiosco se inscribió en modo {identidad.modo} y la definición es de modo {proceso.modo}",
            "se cambió la definición después de inscribir",
            "inscriba el kiosco otra vez: simulacro y oficial nunca se mezclan",
        )
    return proceso


def _reloj(proceso: Proceso) -> Reloj:
    # Se practica cualquier día: el reloj empieza con la operación ya en marcha, y cada sobre dice que es virtual.
    if proceso.modo == CAPACITACION:
        return RelojDeEnsayo(proceso.inicio_operacion + timedelta(hours=2))
    return RelojDelSistema(proceso.huso)


def _arranque() -> str:
    try:
        return _ARRANQUE.read_text().strip() or "desconocido"
    except OSError:
        return "desconocido"
