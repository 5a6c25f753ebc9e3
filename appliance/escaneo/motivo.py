"""Por qué terminó un lote: lo que se sabe del proceso y lo que dijo el controlador, en un motivo con palabras.

El estado de SANE es más general que la causa: al fujitsu le da «atasco» tanto una hoja trabada como dos juntas, y un
escáner apagado da el mismo «error de E/S» que un cable jalado a media hoja. Por eso cuenta también en qué iba.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Final

from nucleo.problema import Rechazo


class Motivo(StrEnum):
    """Cómo terminó un lote. Los mismos nombres que las claves de falla de los perfiles, donde ambos existen."""

    SIN_PAPEL = "sin_papel"
    COMPLETO = "completo"
    CANCELADO = "cancelado"
    ATASCO = "atasco"
    DOBLE_HOJA = "doble_hoja"
    TAPA_ABIERTA = "tapa_abierta"
    DESCONECTADO = "desconectado"
    SIN_CORRIENTE = "sin_corriente"
    OCUPADO = "ocupado"
    TIEMPO = "tiempo"
    SIN_ESCANER = "sin_escaner"
    DISCO_LLENO = "disco_lleno"
    HOJA_INCOMPLETA = "hoja_incompleta"
    CONTROLADOR_MUERTO = "controlador_muerto"
    OPCION_NO_ADMITIDA = "opcion_no_admitida"
    SIN_PERMISO = "sin_permiso"
    SIN_MEMORIA = "sin_memoria"
    DESCONOCIDO = "desconocido"


class Estado(IntEnum):
    """`SANE_Status`, que es también con lo que sale `scanimage`."""

    BIEN = 0
    CANCELADO = 2
    OCUPADO = 3
    INVALIDO = 4
    FIN = 5
    ATASCO = 6
    SIN_HOJAS = 7
    TAPA_ABIERTA = 8
    ENTRADA_SALIDA = 9
    SIN_MEMORIA = 10
    SIN_PERMISO = 11


# Lo que dice `sane_strstatus` en inglés; con esto sale también `sane_open`, que siempre da código 1.
_POR_FRASE: Final[dict[str, int]] = {
    "Operation was cancelled": Estado.CANCELADO,
    "Device busy": Estado.OCUPADO,
    "Invalid argument": Estado.INVALIDO,
    "End of file reached": Estado.FIN,
    "Document feeder jammed": Estado.ATASCO,
    "Document feeder out of documents": Estado.SIN_HOJAS,
    "Scanner cover is open": Estado.TAPA_ABIERTA,
    "Error during device I/O": Estado.ENTRADA_SALIDA,
    "Out of memory": Estado.SIN_MEMORIA,
    "Access to resource has been denied": Estado.SIN_PERMISO,
}
_QUEJA: Final = re.compile(r"^scanimage: (?:sane_(?:start|read)|open of device .*? failed): (.+?)\s*$", re.MULTILINE)
_DOBLE: Final = re.compile(r"double[ _-]?feed|multi[ _-]?(?:feed|pick)", re.IGNORECASE)
_OPCION: Final = re.compile(r"unrecognized option|ambiguous option|invalid option|setting of option", re.IGNORECASE)
# airscan pide la hoja siguiente antes de que scanimage lea la primera. Si el escáner contesta que ya no hay antes de
# que despierte quien espera en `sane_start`, éste dice «sin hojas» y la que ya bajó se tira (visto en la 0.99.27).
_BAJADA: Final = re.compile(r"HTTP GET \S+/NextDocument: 200\b")
_NO_ABRIO: Final = re.compile(r"open of device .* failed|no SANE devices found", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Desenlace:
    """Lo que se sabe al terminar `scanimage`.

    Args:
        salida: su código; negativo, la señal que lo mató.
        dicho: lo último que escribieron él y el controlador.
        hojas: las que salieron completas.
        pagina_abierta: si se le había pedido una hoja que no terminó.
        avanzo: si el escáner alcanzó a empezarla.
        una_hoja: si sólo se pidió una.
    """

    salida: int
    dicho: str
    hojas: int = 0
    pagina_abierta: bool = False
    avanzo: bool = False
    una_hoja: bool = False

    @property
    def estado(self) -> int:
        """El estado de SANE: lo que dijo al final o, si nada dijo, el código de salida."""
        quejas: list[str] = _QUEJA.findall(self.dicho)
        return _POR_FRASE.get(quejas[-1], self.salida) if quejas else self.salida

    @property
    def bajadas_y_tiradas(self) -> int:
        """Hojas que salieron del escáner y el controlador tiró sin entregarlas; sólo las primeras de un lote."""
        return len(_BAJADA.findall(self.dicho)) if self.hojas == 0 and self.estado == Estado.SIN_HOJAS else 0


def motivo_de(fin: Desenlace) -> Motivo:
    """El motivo de un lote que terminó solo; lo que decidió el kiosco (cancelar, plazo, disco) lo sabe quien llama."""
    if fin.salida < 0:
        return Motivo.CONTROLADOR_MUERTO
    estado = fin.estado
    if estado in (Estado.BIEN, Estado.FIN, Estado.SIN_HOJAS):
        if fin.una_hoja and fin.hojas:
            return Motivo.COMPLETO
        if fin.bajadas_y_tiradas:
            return Motivo.HOJA_INCOMPLETA
        return Motivo.SIN_PAPEL if fin.hojas or estado == Estado.SIN_HOJAS else Motivo.DESCONOCIDO
    if fin.hojas == 0 and _NO_ABRIO.search(fin.dicho):
        if estado == Estado.ENTRADA_SALIDA:
            return Motivo.SIN_CORRIENTE
        return _POR_ESTADO.get(estado, Motivo.SIN_ESCANER)
    if fin.hojas == 0 and not fin.avanzo and _OPCION.search(fin.dicho):
        return Motivo.OPCION_NO_ADMITIDA
    if _DOBLE.search(fin.dicho):
        return Motivo.DOBLE_HOJA
    if estado == Estado.ENTRADA_SALIDA:
        # Si llegó a pedírsele una hoja es que contestó al abrirlo: después, algo se soltó, y pudo llevarse papel.
        return Motivo.DESCONECTADO if fin.hojas or fin.pagina_abierta else Motivo.SIN_CORRIENTE
    return _POR_ESTADO.get(estado, Motivo.DESCONOCIDO)


_POR_ESTADO: Final[dict[int, Motivo]] = {
    Estado.CANCELADO: Motivo.CANCELADO,
    Estado.OCUPADO: Motivo.OCUPADO,
    Estado.ATASCO: Motivo.ATASCO,
    Estado.TAPA_ABIERTA: Motivo.TAPA_ABIERTA,
    Estado.SIN_MEMORIA: Motivo.SIN_MEMORIA,
    Estado.SIN_PERMISO: Motivo.SIN_PERMISO,
}


def hojas_a_medias(motivo: Motivo, fin: Desenlace) -> int:
    """Cuántas hojas entraron, o pudieron entrar, sin dar archivo: ante la duda se cuenta y alguien la busca."""
    if motivo in _SIN_PAPEL_EN_EL_CAMINO:
        return 0
    if not fin.pagina_abierta:
        # Entre dos hojas, el alimentador pudo haber tomado ya la siguiente: airscan la baja por adelantado y el fujitsu
        # la deja a la entrada del rodillo.
        return int(fin.hojas > 0 and not fin.una_hoja)
    if motivo is Motivo.TAPA_ABIERTA:
        return int(fin.avanzo)
    if motivo is Motivo.DOBLE_HOJA:
        return 2
    return max(1, fin.bajadas_y_tiradas)


_SIN_PAPEL_EN_EL_CAMINO: Final = (
    *(Motivo.SIN_PAPEL, Motivo.COMPLETO, Motivo.OCUPADO, Motivo.SIN_CORRIENTE, Motivo.SIN_ESCANER),
    *(Motivo.OPCION_NO_ADMITIDA, Motivo.SIN_PERMISO),
)

_OTRA_VEZ: Final = "vuelva a poner la hoja que no salió en la pantalla y las que siguen"
_PALABRAS: Final[dict[Motivo, tuple[str, str, str]]] = {
    Motivo.SIN_PAPEL: (
        "El escáner no encontró hojas",
        "la charola está vacía o las hojas no llegan hasta el tope",
        "ponga las hojas hasta el tope de la charola y digitalice otra vez",
    ),
    Motivo.CANCELADO: (
        "Se canceló el lote y una hoja pudo quedar a medio camino",
        "alguien tocó cancelar mientras pasaba el papel",
        f"busque la última hoja en el escáner y en su salida, y {_OTRA_VEZ}",
    ),
    Motivo.ATASCO: (
        "Se atascó una hoja en el escáner",
        "entró chueca, arrugada o con grapa",
        f"abra la tapa, saque la hoja sin jalar con fuerza, cierre, y {_OTRA_VEZ}",
    ),
    Motivo.DOBLE_HOJA: (
        "El escáner tomó dos hojas juntas y se detuvo",
        "venían pegadas, dobladas o con una grapa",
        f"saque las dos, sepárelas, y {_OTRA_VEZ}",
    ),
    Motivo.TAPA_ABIERTA: (
        "La tapa del escáner está abierta",
        "se abrió para sacar una hoja y no cerró hasta el clic",
        "ciérrela hasta oír el clic y digitalice otra vez",
    ),
    Motivo.DESCONECTADO: (
        "Se perdió la comunicación con el escáner a medio lote",
        "se soltó su cable o se quedó sin corriente",
        f"revise los dos cables, saque la hoja si quedó dentro, y {_OTRA_VEZ}",
    ),
    Motivo.SIN_CORRIENTE: (
        "El escáner no responde",
        "está apagado o su cable de corriente se soltó",
        "revise que su luz esté encendida y los dos cables en su lugar; espere diez segundos y repita",
    ),
    Motivo.OCUPADO: (
        "El escáner está ocupado",
        "todavía termina el lote anterior o lo usa otra pantalla",
        "espere diez segundos y repita; si sigue ocupado, apáguelo y enciéndalo",
    ),
    Motivo.TIEMPO: (
        "El escáner dejó de avanzar y se detuvo el lote",
        "se trabó o se durmió a media hoja",
        f"apáguelo y enciéndalo, saque la hoja que quedó dentro, y {_OTRA_VEZ}",
    ),
    Motivo.SIN_ESCANER: (
        "El kiosco no encuentra el escáner",
        "está apagado, sin corriente, o se soltó su cable",
        "revise que su luz esté encendida y los dos cables en su lugar; espere diez segundos y repita",
    ),
    Motivo.DISCO_LLENO: (
        "No se digitaliza: el disco del kiosco está lleno",
        "se acumularon imágenes o archivos ajenos",
        "no apague el equipo ni guarde el papel; llame al área técnica para liberar espacio",
    ),
    Motivo.HOJA_INCOMPLETA: (
        "La hoja llegó incompleta y no se guardó",
        "el escáner se interrumpió o el disco falló",
        f"busque la última hoja en la charola de salida, y {_OTRA_VEZ}",
    ),
    Motivo.CONTROLADOR_MUERTO: (
        "El programa que maneja el escáner se cerró solo a media hoja",
        "el controlador falló; lo ya digitalizado está guardado",
        f"apague y encienda el escáner, saque la hoja que quedó dentro, y {_OTRA_VEZ}",
    ),
    Motivo.OPCION_NO_ADMITIDA: (
        "No se digitalizó: los ajustes del escáner no son válidos",
        "el perfil del escáner no corresponde a este modelo",
        "use otro escáner y avise al área técnica",
    ),
    Motivo.SIN_PERMISO: (
        "El kiosco no tiene permiso de usar el escáner",
        "faltan las reglas de aparatos del kiosco en este equipo",
        "desconecte y conecte su cable USB; si sigue igual, llame al área técnica",
    ),
    Motivo.SIN_MEMORIA: (
        "El equipo se quedó sin memoria al digitalizar",
        "hay demasiados programas abiertos",
        "repita con menos hojas; si vuelve a pasar, reinicie el kiosco",
    ),
    Motivo.DESCONOCIDO: (
        "El escáner falló y no dijo por qué",
        "un cable flojo o una hoja mal puesta",
        "apáguelo, enciéndalo y repita; si vuelve a fallar, use otro escáner y llame al área técnica",
    ),
}


def palabras(motivo: Motivo) -> Rechazo:
    """La falla en palabras de la casa, para cuando el perfil del modelo no tiene las suyas."""
    que, causa, siguiente = _PALABRAS.get(motivo, _PALABRAS[Motivo.DESCONOCIDO])
    return Rechazo(motivo.value.upper(), que, causa, siguiente)
