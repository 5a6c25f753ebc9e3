"""La ingesta: cada mensaje recibido tiene exactamente uno de cinco destinos, y el acuse se firma después de lo durable.

| Caso | Destino | Efecto |
|---|---|---|
| nuevo y válido | `aceptado` | hecho guardado; acuse cuando la transacción ya es durable |
| ya estaba | `repetido` | se acusa otra vez |
| aún no se puede juzgar | `transitorio` | no se acusa: el kiosco insiste y los de atrás pasan |
| firma, equipo o forma inválidos | `fatal` | cuarentena con motivo, visible para operación y anunciada en el acuse |
| misma (equipo, época, secuencia), otra huella | `bifurcado` | se guardan ambos y se da la alarma |

**Bifurcación.** La primera hoja aceptada se queda contada y la segunda se guarda aparte: si la segunda pudiera
desplazarla, quien robe una llave reescribiría lo ya publicado. Ninguna gana en silencio: sale en la página de operación
y en el acuse.

**Cadena rota.** Un hecho cuyo `previo` no encadena se guarda y cuenta (va firmado), pero `contiguo` no avanza.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Final

from nucleo.acuse import BIFURCADO, MAXIMO_APARTADOS, sellar_acuse
from nucleo.eleccion import Proceso
from nucleo.latido import Latido
from nucleo.padron import Padron
from nucleo.sobre import MAXIMO_BYTES, Firmante
from nucleo.temas import Carril, Tema, ambito_de
from servicio_central.acuses import armar_acuses
from servicio_central.cadena import Cadena, Eslabon
from servicio_central.cubierto import Cubierto
from servicio_central.juicio import HechoValido, Inaceptable, Juez, Juicio, LatidoValido, Mensaje, Todavia, TrozoValido
from servicio_central.puerto_almacen import ERRORES, Asentado, PuertoAlmacen

LOTE: Final = 400
"""Mensajes por transacción: a partir de 100 el fsync ya no se nota (medido: 3.8 veces más que uno por uno)."""


class Destino(Enum):
    """En qué quedó un mensaje."""

    ACEPTADO = "aceptado"
    REPETIDO = "repetido"
    TRANSITORIO = "transitorio"
    FATAL = "fatal"
    BIFURCADO = "bifurcado"


@dataclass(frozen=True, slots=True)
class Dictamen:
    """Destino de un mensaje, con el código y la causa cuando no es `aceptado` ni `repetido`."""

    destino: Destino
    codigo: str = ""
    causa: str = ""


@dataclass(frozen=True, slots=True)
class Resultado:
    """Qué pasó con un lote. `dictamenes` va en el orden de los mensajes."""

    dictamenes: tuple[Dictamen, ...]
    acuses: tuple[tuple[str, str], ...] = ()
    """(tema, JWS compacto), por publicar. Vacío si la transacción falló."""
    alarmas: tuple[str, ...] = ()
    """Lo que operación debe ver ya: bifurcaciones, cadenas rotas, retrocesos y cuarentenas nuevas."""
    trozos: tuple[TrozoValido, ...] = ()
    """Los de imagen, que aquí sólo se juzgan: se los queda `servicio_central.recepcion`, que contesta con recibos."""

    @property
    def cuenta(self) -> Counter[Destino]:
        return Counter(d.destino for d in self.dictamenes)


_Clave = tuple[str, str]
"""(equipo, época)"""


@dataclass
class _Lote:
    """Lo que se va sabiendo de un lote mientras se asienta."""

    ahora: str
    tocadas: dict[_Clave, set[int]] = field(default_factory=dict)
    """Cadenas que necesitan acuse, con las secuencias vistas en este lote."""
    cambiadas: set[_Clave] = field(default_factory=set)
    apartadas: dict[str, dict[str, str]] = field(default_factory=dict)
    """Equipo → huella → código de lo que en este lote no se pudo aceptar."""
    alarmas: list[str] = field(default_factory=list)
    latidos: list[Latido] = field(default_factory=list)


_ACEPTADO: Final = Dictamen(Destino.ACEPTADO)
_REPETIDO: Final = Dictamen(Destino.REPETIDO)


class Ingesta:
    """Un solo hilo la usa. Todo lo que sabe está en SQLite: al volver a arrancar se rehace de ahí.

    Args:
        firmante: llave del centro, la que firma los acuses.
        ahora: reloj del centro; sólo fecha la recepción y los acuses, nunca ordena.
        cubierto: qué incluye de cada cadena el corte que se publica; va en los acuses.
    """

    def __init__(
        self,
        almacen: PuertoAlmacen,
        proceso: Proceso,
        padron: Padron,
        firmante: Firmante,
        ahora: Callable[[], datetime],
        modo: str | None = None,
        cubierto: Callable[[], Cubierto | None] = lambda: None,
    ) -> None:
        self._almacen = almacen
        self._firmante = firmante
        self._ahora = ahora
        self._cubierto = cubierto
        self._modo = modo or proceso.modo
        self.al_latir: Callable[[Latido], None] = lambda _: None
        """Se llama con cada latido nuevo, ya guardado; no debe lanzar."""
        self._juez = Juez(proceso, padron, self._modo)
        self._ambito = ambito_de(self._modo, proceso.clave)
        self._recordar()

    def _recordar(self) -> None:
        self._cubiertas: dict[_Clave, tuple[int, str]] = {}
        """Cadena → (secuencia, huella) del último lugar que se comprobó contra un corte."""
        if self._almacen.compartido:
            # Cada lote lo lee de la base con sus equipos apartados; de memoria no se decide nada.
            self._cadenas, self._con_apartados, self._esperan = {}, set[str](), set[str]()
            self._de_fiar = True
            return
        self._cadenas = self._almacen.cadenas_desde_hechos()
        for clave, anunciada in self._almacen.anunciadas().items():
            self._cadenas.setdefault(clave, Cadena()).anunciada = anunciada
        self._con_apartados = self._almacen.equipos_con_apartados()
        self._esperan = self._almacen.huellas_en_espera()
        self._de_fiar = True

    def recargar(self, proceso: Proceso | None = None, padron: Padron | None = None) -> Resultado:
        """Cambia la definición o el padrón y vuelve a juzgar lo que esperaba."""
        self._juez = Juez(proceso or self._juez.proceso, padron or self._juez.padron, self._modo)
        esperan = [Mensaje(tema, datos) for tema, datos in self._almacen.esperan()]
        partes = [self.procesar(esperan[i : i + LOTE]) for i in range(0, len(esperan), LOTE)]
        return Resultado(
            tuple(d for p in partes for d in p.dictamenes),
            tuple(a for p in partes for a in p.acuses),
            tuple(a for p in partes for a in p.alarmas),
        )

    def procesar(self, mensajes: Sequence[Mensaje]) -> Resultado:
        """Juzga y asienta un lote en una transacción; los acuses se firman cuando ya es durable.

        Si el almacén no puede (disco lleno, archivo tomado, sin red) el lote entero es `transitorio`: nada se acusa y
        nada queda a medias.
        """
        juicios = [self._juez.juzgar(m) for m in mensajes]
        trozos = tuple(j for j in juicios if isinstance(j, TrozoValido))
        if len(trozos) == len(juicios):
            # Una imagen no abre la transacción de los hechos ni la espera.
            return Resultado((_ACEPTADO,) * len(juicios), trozos=trozos)
        lote = _Lote(self._ahora().isoformat())
        try:
            if not self._de_fiar:
                self._recordar()
            self._de_fiar = False
            with self._almacen.transaccion():
                self._ponerse_al_dia(juicios)
                dictamenes = tuple(
                    self._asentar(juicio, mensaje, lote) for juicio, mensaje in zip(juicios, mensajes, strict=True)
                )
                for clave in lote.cambiadas:
                    self._almacen.guardar_cadena(*clave, self._cadenas[clave])
            acuses = self._acusar(lote)
        except ERRORES as error:
            causa = f"el almacén no pudo escribir ({error})"
            return Resultado(
                (Dictamen(Destino.TRANSITORIO, "ALMACEN", causa),) * len(mensajes),
                alarmas=(f"{causa}; nada se acusa hasta que haya disco",),
                trozos=trozos,
            )
        # Si algo falló a medio camino, lo recordado en memoria ya no es lo guardado y se vuelve a leer.
        self._de_fiar = True
        for latido in lote.latidos:
            self.al_latir(latido)
        return Resultado(dictamenes, acuses, tuple(lote.alarmas), trozos)

    def _ponerse_al_dia(self, juicios: Sequence[Juicio]) -> None:
        """Con otro escritor en el mismo almacén, lo recordado de estos equipos puede haber cambiado."""
        if not self._almacen.compartido:
            return
        equipos = {equipo for j in juicios if (equipo := _equipo_de(j)) is not None}
        hechos = [j.hecho for j in juicios if isinstance(j, HechoValido | Todavia)]
        sabido = self._almacen.tomar(equipos, {(h.equipo, h.epoca, h.secuencia) for h in hechos})
        for clave, cadena in sabido.cadenas.items():
            # Lo que un latido anunció existe, aunque otro posterior haya dicho menos.
            cadena.anunciada = max(cadena.anunciada, self._cadenas.get(clave, Cadena()).anunciada)
        self._cadenas |= sabido.cadenas
        self._con_apartados, self._esperan = set(sabido.con_apartados), set(sabido.esperan)

    # ---------------------------------------------------------------------------------------------------- uno por uno

    def _asentar(self, juicio: Juicio, mensaje: Mensaje, lote: _Lote) -> Dictamen:
        match juicio:
            case HechoValido(hecho):
                return self._hecho(hecho, lote)
            case LatidoValido(latido):
                return self._latido(latido, lote)
            case TrozoValido():
                return _ACEPTADO
            case Todavia(hecho) if self._almacen.huella_en(hecho.equipo, hecho.epoca, hecho.secuencia) is not None:
                # Su lugar ya está ocupado: es el mismo, que se aceptó antes de excluirlo, o una bifurcación.
                return self._hecho(hecho, lote)
            case Todavia(hecho, codigo, causa):
                self._almacen.esperar(
                    hecho.huella, hecho.equipo, mensaje.tema, codigo, causa, mensaje.datos, lote.ahora
                )
                self._esperan.add(hecho.huella)
                # No es un rechazo, pero el kiosco debe saberlo para no detener la ventana esperando su acuse.
                lote.tocadas.setdefault((hecho.equipo, hecho.epoca), set())
                lote.apartadas.setdefault(hecho.equipo, {})[hecho.huella] = codigo
                return Dictamen(Destino.TRANSITORIO, codigo, causa)
            case Inaceptable():
                return self._apartar(juicio, mensaje, lote)

    def _hecho(self, hecho: Asentado, lote: _Lote) -> Dictamen:
        clave = (hecho.equipo, hecho.epoca)
        lote.tocadas.setdefault(clave, set()).add(hecho.secuencia)
        if hecho.huella in self._esperan:
            self._almacen.ya_no_espera(hecho.huella)
            self._esperan.discard(hecho.huella)
        contada = self._almacen.huella_en(hecho.equipo, hecho.epoca, hecho.secuencia)
        cadena = self._cadenas.setdefault(clave, Cadena())
        if contada == hecho.huella:
            if not cadena.conoce(hecho.secuencia):
                # Lo guardó otro proceso sobre el mismo almacén: sin esto se pediría para siempre lo que ya está.
                cadena.agregar(hecho.secuencia, Eslabon(hecho.huella, hecho.previo))
                lote.cambiadas.add(clave)
            return _REPETIDO
        if contada is not None:
            causa = f"{hecho.equipo} firmó dos hojas distintas con la secuencia {hecho.secuencia}"
            if self._almacen.bifurcar(hecho, contada, lote.ahora):
                lote.alarmas.append(f"BIFURCADO: {causa}; se cuenta la primera ({contada[:12]})")
            self._con_apartados.add(hecho.equipo)
            lote.apartadas.setdefault(hecho.equipo, {})[hecho.huella] = BIFURCADO
            return Dictamen(Destino.BIFURCADO, BIFURCADO, causa)
        self._almacen.agregar(hecho, lote.ahora)
        estaba_rota = cadena.rota
        cadena.agregar(hecho.secuencia, Eslabon(hecho.huella, hecho.previo))
        lote.cambiadas.add(clave)
        if cadena.rota and not estaba_rota:
            lote.alarmas.append(
                f"CADENA ROTA: la hoja {cadena.contiguo + 1} de {hecho.equipo} no encadena con la anterior"
            )
        return _ACEPTADO

    def _latido(self, latido: Latido, lote: _Lote) -> Dictamen:
        clave = (latido.equipo, latido.epoca)
        lote.tocadas.setdefault(clave, set())
        cadena = self._cadenas.setdefault(clave, Cadena())
        # Va firmado: cuando sea que llegue, esa hoja existe.
        cadena.anunciada = max(cadena.anunciada, latido.secuencia)
        anterior = self._almacen.ultimo_latido(latido.equipo)
        if latido.motivo == "muerte":
            # El testamento lo escribió el kiosco al conectarse: sus cifras son viejas, y si ya hay otra sesión no dice
            # nada.
            if anterior == (latido.sesion, False):
                self._almacen.guardar_muerte(latido.equipo, lote.ahora)
                return _ACEPTADO
            return _REPETIDO
        # La hora no sirve para ordenarlos: el reloj del kiosco se puede corregir hacia atrás. Cada latido vale una vez.
        if not self._almacen.es_primer_latido(latido):
            return _REPETIDO
        retroceso = latido.secuencia < cadena.ultima
        if retroceso:
            lote.alarmas.append(
                f"RETROCESO: {latido.equipo} dice tener {latido.secuencia} hojas y aquí hay {cadena.ultima}: "
                "su disco se restauró de una copia o hay dos equipos con la misma llave"
            )
        self._almacen.guardar_latido(latido, lote.ahora, retroceso=retroceso)
        lote.latidos.append(latido)
        return _ACEPTADO

    def _apartar(self, juicio: Inaceptable, mensaje: Mensaje, lote: _Lote) -> Dictamen:
        # De trozos malos se guarda uno por equipo y código, y los demás se cuentan: son miles y no dicen más.
        propio, cabe = (juicio.codigo.encode(), 64) if juicio.trozo else (mensaje.datos, MAXIMO_BYTES)
        sha256 = hashlib.sha256(mensaje.tema.encode("utf-8", "replace") + b"\0" + propio).hexdigest()
        nueva = self._almacen.apartar(
            sha256,
            juicio.huella,
            juicio.equipo,
            mensaje.tema.encode("utf-8", "replace").decode()[:200],
            juicio.codigo,
            juicio.causa,
            mensaje.datos[:cabe],
            len(mensaje.datos),
            lote.ahora,
        )
        if nueva:
            lote.alarmas.append(f"CUARENTENA {juicio.codigo}: {mensaje.tema[:80]}: {juicio.causa}")
        if juicio.huella in self._esperan:
            self._almacen.ya_no_espera(juicio.huella)
            self._esperan.discard(juicio.huella)
        if juicio.equipo is not None and not juicio.trozo:
            self._anunciar(juicio.equipo, juicio, lote)
        return Dictamen(Destino.FATAL, juicio.codigo, juicio.causa)

    def _anunciar(self, equipo: str, juicio: Inaceptable, lote: _Lote) -> None:
        self._con_apartados.add(equipo)
        # Lo rechazado no dice de qué época es con certeza: se anuncia en todas las inscritas, que son una o dos.
        for epoca in self._juez.padron.equipos[equipo].epocas:
            lote.tocadas.setdefault((equipo, epoca), set())
        # Una copia con la firma dañada comparte huella con la buena: si la buena ya es un hecho, no hay nada que
        # anunciar.
        if juicio.huella and not self._almacen.contiene(juicio.huella):
            lote.apartadas.setdefault(equipo, {})[juicio.huella] = juicio.codigo

    # ---------------------------------------------------------------------------------------------------------- acuses

    def _acusar(self, lote: _Lote) -> tuple[tuple[str, str], ...]:
        """Un acuse por cadena tocada; más de uno sólo si lo visto en el lote no cabe en uno."""
        firmados = []
        cubierto = self._cubierto() if lote.tocadas else None
        for (equipo, epoca), vistas in lote.tocadas.items():
            cadena = self._cadenas.get((equipo, epoca)) or Cadena()
            tema = str(Tema(self._ambito, equipo, Carril.ACUSE))
            vistos = lote.apartadas.get(equipo, {})
            otros: list[tuple[str, str]] = []
            if equipo in self._con_apartados:
                otros = [a for a in self._almacen.apartados_de(equipo, MAXIMO_APARTADOS) if a[0] not in vistos]
            corte = None
            if cubierto is not None:
                corte = cubierto.de(equipo, epoca, cadena.contiguo, self._huella_cubierta)
            aparte = list(vistos.items())
            for acuse in armar_acuses(equipo, epoca, cadena, vistas, aparte, otros, self._ahora(), corte):
                firmados.append((tema, sellar_acuse(acuse, self._firmante)))
        return tuple(firmados)

    def _huella_cubierta(self, equipo: str, epoca: str, secuencia: int) -> str | None:
        """Lo guardado no cambia: se le pregunta al almacén una vez por cadena y corte, y no con cada acuse."""
        sabida = self._cubiertas.get((equipo, epoca))
        if sabida is not None and sabida[0] == secuencia:
            return sabida[1]
        huella = self._almacen.huella_en(equipo, epoca, secuencia)
        if huella is not None:
            self._cubiertas[equipo, epoca] = (secuencia, huella)
        return huella


def _equipo_de(juicio: Juicio) -> str | None:
    match juicio:
        case HechoValido(hecho) | Todavia(hecho, _, _):
            return hecho.equipo
        case LatidoValido(latido):
            return latido.equipo
        case Inaceptable():
            return juicio.equipo
        case TrozoValido():
            return None


def mensaje_de_hecho(ambito: str, equipo: str, compacto: str) -> Mensaje:
    """El mensaje que llegaría con ese sobre; lo usan la mochila USB y las mediciones."""
    return Mensaje(str(Tema(ambito, equipo, Carril.HECHOS)), compacto.encode("ascii"))


__all__ = ["LOTE", "Destino", "Dictamen", "Ingesta", "Mensaje", "Resultado", "mensaje_de_hecho"]
