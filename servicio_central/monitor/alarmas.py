"""De un retrato a sus alarmas: función pura. Cada una dice qué pasó, la causa más probable y el siguiente paso.

La clave es estable: la misma causa en el mismo equipo es la misma alarma mientras dure. Si se quita y vuelve, quien
lleva la cuenta (`episodios`) la toma por nueva.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from servicio_central.monitor.retrato import EstadoDeEnlace, Kiosco, Retrato
from servicio_central.monitor.umbrales import Umbrales

_A_LA_VISTA: Final = 6
_MAYORIA: Final = 3
"""Con menos equipos que éstos no hay mayoría que valga para decir cuál versión es la distinta."""


class Gravedad(IntEnum):
    """De peor a menor, que es como se ordenan."""

    CRITICA = 0
    """Se puede estar perdiendo o contando mal algo, o nadie recibe."""
    ALTA = 1
    """Un CATD no avanza."""
    AVISO = 2
    """Conviene mirarlo antes de que sea otra cosa."""

    @property
    def palabra(self) -> str:
        return ("crítica", "alta", "aviso")[self]


@dataclass(frozen=True, slots=True)
class Alarma:
    """Una causa presente. `equipo` es vacío si es de todo el centro."""

    tipo: str
    gravedad: Gravedad
    equipo: str
    que: str
    causa: str
    siguiente: str
    detalle: str = ""
    """Lo que distingue dos alarmas del mismo tipo y equipo."""

    @property
    def clave(self) -> str:
        return ":".join(filter(None, (self.tipo, self.equipo, self.detalle)))


def calcular(retrato: Retrato, umbrales: Umbrales) -> tuple[Alarma, ...]:
    """Todas las alarmas del retrato, lo peor primero."""
    comun = _VersionEsperada.de(retrato)
    alarmas = list(_del_centro(retrato, umbrales))
    for kiosco in retrato.kioscos:
        alarmas += _de_integridad(kiosco)
        if kiosco.estado is not EstadoDeEnlace.BAJA:
            alarmas += _de_senal(kiosco)
            alarmas += _de_avance(kiosco, retrato, umbrales)
            alarmas += _de_aparato(kiosco, umbrales, comun)
    return tuple(sorted(alarmas, key=lambda a: (a.gravedad, a.tipo, a.equipo, a.detalle)))


# --------------------------------------------------------------------------------------------------- el centro


def _del_centro(r: Retrato, u: Umbrales) -> Iterator[Alarma]:
    critica, alta, aviso = Gravedad.CRITICA, Gravedad.ALTA, Gravedad.AVISO
    if r.enlace.detenido:
        yield Alarma(
            "INGESTA", critica, "",
            f"LA INGESTA SE DETUVO: nadie recibe hojas ({r.enlace.causa})",
            "un defecto del programa o la máquina se quedó sin memoria; el centro se reinicia solo",
            "espere un minuto; si no vuelve, arranque el centro otra vez. Los kioscos guardan todo mientras tanto",
        )  # fmt: skip
    elif not r.enlace.conectado:
        yield Alarma(
            "BROKER", critica, "",
            f"El centro no tiene enlace con el bróker ({r.enlace.causa})",
            "el bróker no está corriendo, o se venció o cambió un certificado",
            "revise el servicio del bróker y su bitácora; los kioscos guardan todo mientras tanto",
        )  # fmt: skip
    if r.almacen_mal:
        yield Alarma(
            "ALMACEN", critica, "",
            f"El almacén no se puede leer ({r.almacen_mal}); lo que se ve es de antes",
            "el disco del centro está lleno o dañado",
            "revise el disco del centro (`df -h`, `dmesg`) antes que nada",
        )  # fmt: skip
    if r.libreta_mal:
        yield Alarma(
            "LIBRETA", alta, "",
            f"No se puede asentar en la libreta de la sala ({r.libreta_mal})",
            "el disco del centro está lleno o `operacion.sqlite` es de otra cuenta",
            "revise el disco; mientras, lo que reconozca no quedará guardado",
        )  # fmt: skip
    if r.disco_libre is not None and r.disco_libre < u.disco_centro:
        yield Alarma(
            "DISCO_CENTRO", critica, "",
            f"Al centro le quedan {r.disco_libre // 10**6:,} MB de disco",
            "imágenes y respaldos crecieron más de lo previsto",
            "haga lugar o amplíe el disco ya: sin disco no se acepta ninguna hoja",
        )  # fmt: skip
    if r.cortes.futuro:
        yield Alarma(
            "CORTE_FUTURO", critica, "",
            f"Se publica el corte {r.cortes.publicado}, cuya hora aún no llega",
            "el reloj de esta máquina saltó, o hubo un dedazo al pedir el corte",
            "revise el reloj (`timedatectl`) y corra `python -m servicio_central.corte`: lo sustituye",
        )  # fmt: skip
    if r.cortes.atrasado:
        yield Alarma(
            "CORTE_TARDE", critica, "",
            f"El último corte ({r.cortes.publicado or 'ninguno'}) tiene más tiempo del permitido",
            "el centro corre sin `--calendario`, o el corte falló (lo dice su bitácora)",
            "corra `python -m servicio_central.corte --carpeta` con la carpeta del centro",
        )  # fmt: skip
    if r.cortes.en_duda:
        cuales = _algunas(r.cortes.en_duda)
        yield Alarma(
            "EN_DUDA", aviso, "",
            f"{_n(len(r.cortes.en_duda), 'acta no se publica', 'actas no se publican')}: "
            f"sus lecturas no concuerdan ({cuales})",
            "dos personas leyeron distinto y falta la tercera, o dos CATD capturaron la misma acta",
            "si en unos minutos siguen así, pida a su CATD que las corrija o las revise",
        )  # fmt: skip
    for codigo, cuantos in sorted(r.en_espera.items()):
        causa, siguiente = _ESPERAS.get(codigo, _ESPERAS[""])
        yield Alarma(
            "EN_ESPERA", alta, "",
            f"{_n(cuantos, 'hoja espera', 'hojas esperan')} por {codigo}: ni se cuentan ni se rechazan",
            causa, siguiente, codigo,
        )  # fmt: skip
    for dicho in r.excluidos:
        yield Alarma(
            "EXCLUIDO", aviso, "", f"EXCLUIDO por la autoridad: {dicho}",
            "un padrón nuevo dice que eso no lo firmó quien debía",
            "siguen guardados y a la vista; los cortes de antes no cambian. Explíquelo a quien pregunte por la baja",
            dicho.partition(" hechos de ")[2].partition(",")[0],
        )  # fmt: skip
    for codigo, cuantos in sorted(r.cuarentena_sin_equipo.items()):
        yield Alarma(
            "CUARENTENA_AJENA", aviso, "",
            f"{_n(cuantos, 'mensaje', 'mensajes')} de nadie conocido en cuarentena ({codigo})",
            "un equipo con certificado pero fuera del padrón, o temas de otro proceso",
            "véalos en Revisión; si no son de una prueba, avise a la autoridad",
            codigo,
        )  # fmt: skip
    for clave, veces in r.desbordes:
        yield Alarma(
            "DESBORDE", alta, "",
            f"{clave}: se llegó al tope y {veces:,} más sólo se contaron",
            "alguien manda basura sin parar",
            "revise ese equipo; si no es un defecto, pida a la autoridad darlo de baja",
            clave,
        )  # fmt: skip
    callados = [k.equipo for k in r.kioscos if k.estado.callado]
    if len(callados) >= u.silencio_masivo:
        yield Alarma(
            "SILENCIO_MASIVO", critica, "",
            f"{len(callados)} CATD callados a la vez de {len(r.kioscos)}: {_algunas(callados)}",
            "se cayó la red de una región, el acceso de internet del centro o el bróker",
            "llame primero al proveedor de la red y revise el bróker, no a cada CATD",
        )  # fmt: skip


_ESPERAS: Final = {
    "FUERA_DE_AMBITO": (
        "el CATD recibió paquetes de otro distrito, o el equipo está tomado",
        "pregunte al CATD; si sí los recibió, pida a la autoridad un padrón que le dé esas casillas",
    ),
    "EXCLUIDO": (
        "la autoridad excluyó lo que ese equipo firmó desde ahí",
        "nada que hacer: son las que llegaron después; si cree que es un error, hable con la autoridad",
    ),
    "": (
        "la definición del centro no es la de los kioscos",
        "compare la huella de la definición del centro con la de los kioscos y ponga la correcta",
    ),
}
"""Código de espera → causa y siguiente paso; el vacío, para los demás."""


# -------------------------------------------------------------------------------------------------- un kiosco


def _de_integridad(k: Kiosco) -> Iterator[Alarma]:
    critica = Gravedad.CRITICA
    if k.bifurcadas:
        yield Alarma(
            "BIFURCACION", critica, k.equipo,
            f"BIFURCADO: {_n(k.bifurcadas, 'hoja', 'hojas')} con secuencia repetida",
            "copiaron su llave o su disco, o se restauró de un respaldo y siguió trabajando",
            "llame al CATD y pare ese equipo; luego abra el caso en Revisión",
        )  # fmt: skip
    if k.rota:
        yield Alarma(
            "CADENA_ROTA", critica, k.equipo,
            f"Cadena rota en la hoja {k.contiguo + 1}: no encadena con la anterior",
            "el almacén del kiosco se alteró o se restauró de una copia",
            "pare ese equipo, sustitúyalo y conserve su disco",
        )  # fmt: skip
    if k.retroceso:
        yield Alarma(
            "RETROCESO", critica, k.equipo,
            "Dice tener menos hojas que las recibidas",
            "su disco se restauró de una copia, o hay dos equipos con la misma llave",
            "llame al CATD: que nadie capture en él hasta saber cuál es el bueno",
        )  # fmt: skip
    if k.bitacora:
        yield Alarma(
            "BITACORA", Gravedad.ALTA, k.equipo,
            f"Su bitácora no cuadra: {k.bitacora[0]}" + (f", y {len(k.bitacora) - 1} más" if k.bitacora[1:] else ""),
            "alguien quitó o cambió renglones, o el disco se restauró de una copia",
            "no borre nada; anote quién tuvo acceso al equipo y consérvelo para la auditoría",
        )  # fmt: skip
    for codigo, cuantos in k.cuarentena:
        yield Alarma(
            "CUARENTENA", Gravedad.ALTA, k.equipo,
            f"{_n(cuantos, 'mensaje', 'mensajes')} en cuarentena ({codigo})",
            _CAUSAS.get(codigo, "llegaron dañados, o el equipo no es el que está inscrito"),
            "véalos en Revisión; si son hojas buenas, el kiosco las reenvía solo",
            codigo,
        )  # fmt: skip


_CAUSAS: Final = {
    "FIRMA": "se dañaron en el camino, o se firmaron con otra llave",
    "EQUIPO_NO_VIGENTE": "el equipo está dado de baja y sigue encendido",
    "LLAVE_REVOCADA": "el equipo sigue usando una llave revocada",
    "EPOCA_NO_INSCRITA": "la llave está en otro disco, o el equipo se reinstaló sin volver a inscribirse",
    "MODO_AJENO": "el kiosco trabaja en otro modo que el centro",
    "PROCESO_AJENO": "el kiosco trabaja en otro proceso que el centro",
    "TAMANO": "no es un programa de la casa el que los manda",
    "RENGLONES": "el kiosco usa otra definición que el centro",
}
"""Código de cuarentena → causa más probable."""


def _de_senal(k: Kiosco) -> Iterator[Alarma]:
    if k.estado is EstadoDeEnlace.NUNCA:
        yield Alarma(
            "NUNCA", Gravedad.AVISO, k.equipo,
            "Nunca ha hablado",
            "no se ha encendido o no tiene red",
            "llame al CATD y pregunte si el equipo ya está encendido y conectado",
        )  # fmt: skip
    elif k.estado.callado:
        cortado = k.estado is EstadoDeEnlace.CAIDO
        yield Alarma(
            "SILENCIO", Gravedad.ALTA, k.equipo,
            "Se cortó su conexión" if cortado else "No da señales",
            "sin luz o sin red en el CATD",
            "llame al CATD; lo capturado está guardado ahí y saldrá solo (o por mochila, si la red no vuelve)",
        )  # fmt: skip


def _de_avance(k: Kiosco, r: Retrato, u: Umbrales) -> Iterator[Alarma]:
    edad = k.mas_viejo_s
    if edad >= u.mas_viejo_s:
        yield Alarma(
            "BANDEJA", Gravedad.ALTA if edad >= u.mas_viejo_grave_s else Gravedad.AVISO, k.equipo,
            f"{_n(k.pendientes, 'hoja espera', 'hojas esperan')} acuse; "
            f"la más vieja pasa de {en_palabras(_escalon(edad, u))}",
            "su red es lenta o se corta",
            "pida al CATD cambiar a la otra salida (cable o celular); si tampoco, mochila",
        )  # fmt: skip
    elif k.pendientes >= u.pendientes and k.crecimiento >= u.crecimiento:
        yield Alarma(
            "BANDEJA", Gravedad.AVISO, k.equipo,
            "Su bandeja crece más aprisa de lo que sale",
            "su red es lenta para lo que captura",
            "vigílelo; si sigue, pida al CATD cambiar a la otra salida",
        )  # fmt: skip
    if k.latido is None or k.estado.callado or (r.hora - k.latido).total_seconds() < u.faltan_s:
        return
    if k.anunciada > k.guardados:
        yield Alarma(
            "FALTAN", Gravedad.AVISO, k.equipo,
            f"Faltan hojas que dijo tener, después de la {k.contiguo}",
            "están en camino por una red lenta, o quedaron apartadas",
            "si pasan varios minutos, mire el equipo: el acuse ya se las pidió",
        )  # fmt: skip


def _escalon(segundos: int, u: Umbrales) -> int:
    """El borde ya pasado: la alarma no cambia de texto a cada segundo."""
    bordes = sorted({u.mas_viejo_s, u.mas_viejo_grave_s, *(3600 * n for n in range(1, 25))})
    return max((b for b in bordes if b <= segundos), default=segundos)


def _de_aparato(k: Kiosco, u: Umbrales, comun: _VersionEsperada) -> Iterator[Alarma]:
    if k.latido is None:
        return
    if abs(k.desfase_ms) >= u.desfase_ms:
        lado = "adelantado" if k.desfase_ms > 0 else "atrasado"
        yield Alarma(
            "RELOJ", Gravedad.ALTA, k.equipo,
            f"Su reloj va {lado} más de {u.desfase_ms // 1000} s",
            "no alcanza un servidor de hora, o su pila se agotó",
            "pida al técnico revisar la hora; las horas que publique serán las de ese reloj",
        )  # fmt: skip
    elif k.reloj and k.reloj not in u.relojes_buenos:
        yield Alarma(
            "RELOJ", Gravedad.AVISO, k.equipo,
            f"Su reloj no está sincronizado ({k.reloj})",
            "no alcanza un servidor de hora",
            "pida al técnico revisar la hora del equipo contra la de su teléfono",
        )  # fmt: skip
    if k.disco_libre is not None and 0 <= k.disco_libre < u.disco_kiosco:
        yield Alarma(
            "DISCO", Gravedad.ALTA, k.equipo,
            f"Le quedan menos de {u.disco_kiosco // 10**6:,} MB de disco",
            "muchas imágenes, o archivos ajenos en el equipo",
            "pida al técnico hacer lugar; sin disco el kiosco no deja capturar",
        )  # fmt: skip
    if k.escaner in ("sin_escaner", "falla"):
        yield Alarma(
            "ESCANER", Gravedad.AVISO, k.equipo,
            "No encuentra su escáner" if k.escaner == "sin_escaner" else "Su escáner falla",
            "está apagado o desconectado, o tiene papel atorado",
            "que el técnico siga «aparatos» del manual; mientras, pueden fotografiar",
        )  # fmt: skip
    if comun.definicion and k.definicion and k.definicion != comun.definicion:
        yield Alarma(
            "DEFINICION", Gravedad.ALTA, k.equipo,
            f"Usa otra definición: {k.definicion[:12]} y no {comun.definicion[:12]}",
            "no le ha llegado la última, o se instaló de otra copia",
            "mándele la definición vigente; lo que capture con otra puede quedar en espera",
        )  # fmt: skip
    if comun.version and k.version != comun.version:
        yield Alarma(
            "VERSION", Gravedad.AVISO, k.equipo,
            f"Corre la versión {k.version} y la mayoría la {comun.version}",
            "no se actualizó, o se actualizó solo él",
            "anótelo para el técnico; no lo actualice en plena noche",
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _VersionEsperada:
    """Contra qué se compara cada kiosco: la definición del centro y la versión de la mayoría."""

    definicion: str
    version: str

    @classmethod
    def de(cls, retrato: Retrato) -> _VersionEsperada:
        cuenta = Counter(k.version for k in retrato.kioscos if k.latido is not None and k.version)
        (version, cuantos), *_ = cuenta.most_common(1) or [("", 0)]
        mayoria = cuantos >= _MAYORIA and 2 * cuantos > cuenta.total()
        return cls(retrato.definicion, version if mayoria else "")


def _algunas(cuales: tuple[str, ...] | list[str]) -> str:
    return ", ".join(cuales[:_A_LA_VISTA]) + ("…" if len(cuales) > _A_LA_VISTA else "")


def _n(cuantos: int, uno: str, varios: str) -> str:
    return f"{cuantos:,} {uno if cuantos == 1 else varios}"


def en_palabras(segundos: int) -> str:
    """«45 s», «12 min», «3 h»."""
    if segundos < 60:
        return f"{segundos} s"
    return f"{segundos // 60} min" if segundos < 7200 else f"{segundos // 3600} h"
