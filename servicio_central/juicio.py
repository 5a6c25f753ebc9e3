"""Juzga un mensaje sin tocar nada: qué es y, si no se puede aceptar, por qué.

El orden de las comprobaciones va de lo barato y lo que identifica a lo caro: tamaño, tema, padrón, `kid`, firma y
forma, a quién dice pertenecer, contenido y, al final, si la elección y la casilla existen y son de ese equipo. Todo
depende sólo del mensaje, la definición y el padrón vigentes: nada se recuerda entre juicios, así que un mensaje
rechazado hoy puede ser válido cuando el padrón cambie.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from nucleo import hechos, latido, sobre, temas, trozo
from nucleo.cabida import Cabida
from nucleo.eleccion import Proceso
from nucleo.hechos import Hecho, HechoInvalido
from nucleo.latido import Latido
from nucleo.padron import Equipo, LlaveInscrita, Padron
from nucleo.sobre import MAXIMO_BYTES, Sobre, SobreInvalido, Tipo
from nucleo.temas import Carril, Tema, TemaInvalido
from nucleo.trozo import Trozo, TrozoInvalido
from servicio_central.puerto_almacen import Asentado


@dataclass(frozen=True, slots=True)
class Mensaje:
    """Lo que entrega el bróker."""

    tema: str
    datos: bytes


@dataclass(frozen=True, slots=True)
class HechoValido:
    """Firmado por un equipo vigente y bien formado. Falta saber si es nuevo."""

    hecho: Asentado


@dataclass(frozen=True, slots=True)
class LatidoValido:
    """Un latido legítimo."""

    latido: Latido


@dataclass(frozen=True, slots=True)
class TrozoValido:
    """Un trozo bien formado de un equipo vigente. Si su imagen está declarada lo dice la recepción de imágenes."""

    equipo: str
    epocas: tuple[str, ...]
    """Las inscritas: por cada una se le contesta."""
    trozo: Trozo


@dataclass(frozen=True, slots=True)
class Todavia:
    """Legítimo, pero habla de una elección o casilla que la definición vigente no tiene, o que el padrón no le da a ese
    equipo, o está excluido: aún no se puede contar."""

    hecho: Asentado
    codigo: str
    causa: str


@dataclass(frozen=True, slots=True)
class Inaceptable:
    """No se acepta. `equipo` es el del tema si está en el padrón; `huella`, la del sobre, o vacía si no tiene forma
    de serlo."""

    codigo: str
    causa: str
    equipo: str | None = None
    huella: str = ""
    trozo: bool = False
    """Llegó por el carril de las imágenes: no es un sobre y nadie lo espera en un acuse."""


Juicio = HechoValido | LatidoValido | TrozoValido | Todavia | Inaceptable


class _Falla(Exception):
    def __init__(self, codigo: str, causa: str) -> None:
        super().__init__(causa)
        self.codigo = codigo


class Juez:
    """Juzga con una definición y un padrón fijos; si cambian, se hace otro."""

    def __init__(self, proceso: Proceso, padron: Padron, modo: str) -> None:
        self.proceso = proceso
        self.padron = padron
        self._modo = modo
        self._ambito = temas.ambito_de(modo, proceso.clave)
        self._cabida = Cabida(proceso)

    def juzgar(self, mensaje: Mensaje) -> Juicio:
        """Juzga un mensaje. Nunca lanza por lo que el mensaje contenga."""
        equipo: Equipo | None = None
        compacto = ""
        de_imagen = mensaje.tema.endswith(f"/{Carril.IMAGEN.value}")
        try:
            if len(mensaje.datos) > MAXIMO_BYTES:
                raise _Falla("TAMANO", f"mide {len(mensaje.datos)} bytes y el tope es {MAXIMO_BYTES}")
            if not de_imagen:
                compacto = mensaje.datos.decode("ascii", "replace")
            tema = self._tema(mensaje.tema)
            equipo = self.padron.equipos.get(tema.equipo)
            if equipo is None:
                raise _Falla("EQUIPO_DESCONOCIDO", f"{tema.equipo} no está en el padrón {self.padron.version}")
            if not equipo.vigente:
                raise _Falla("EQUIPO_NO_VIGENTE", f"{tema.equipo} está dado de baja")
            if tema.carril is Carril.IMAGEN:
                return TrozoValido(equipo.nombre, tuple(sorted(equipo.epocas)), trozo.leer(mensaje.datos))
            if tema.carril is Carril.LATIDO:
                return self._latido(compacto, equipo)
            return self._hecho(compacto, equipo)
        except (_Falla, TrozoInvalido) as falla:
            return replace(_inaceptable(falla.codigo, falla, equipo, compacto), trozo=de_imagen)
        except SobreInvalido as error:
            return _inaceptable(error.codigo, error, equipo, compacto)
        except HechoInvalido as error:
            return _inaceptable("HECHO_INVALIDO", error, equipo, compacto)

    def objecion(self, hecho: Hecho) -> str:
        """Por qué ese hecho no cabe en la definición; vacío si cabe."""
        objecion = self._cabida.objecion(hecho)
        return "" if objecion is None else objecion.causa

    def _tema(self, texto: str) -> Tema:
        try:
            tema = temas.leer_tema(texto)
        except TemaInvalido as error:
            raise _Falla("TEMA", str(error)) from error
        if tema.ambito != self._ambito:
            raise _Falla("AMBITO", f"{tema.ambito} no es {self._ambito}")
        if not tema.carril.sube:
            raise _Falla("TEMA", f"{tema.carril.value} no es un carril que suba")
        return tema

    def _latido(self, compacto: str, equipo: Equipo) -> LatidoValido:
        try:
            recibido, llave = equipo.abrir(compacto, latido.abrir_latido)
        except SobreInvalido:
            _exigir_kid(compacto, Tipo.LATIDO, equipo)
            raise
        _exigir_identidad(recibido.equipo, recibido.catd, recibido.epoca, equipo)
        # Con una llave ya cerrada se firmaría para siempre «sigo vivo, voy en la misma»: para latir, sólo las abiertas.
        if llave.hasta is not None:
            raise _Falla("LLAVE_REVOCADA", f"la llave {llave.identificador[:12]} de {equipo.nombre} ya se cerró")
        return LatidoValido(recibido)

    def _hecho(self, compacto: str, equipo: Equipo) -> HechoValido | Todavia:
        try:
            abierto, llave = equipo.abrir(compacto, sobre.abrir)
        except SobreInvalido:
            # Abrir con una llave de ese equipo ya exige que sea suyo; sólo si falla vale la pena decir de quién dice
            # ser.
            _exigir_kid(compacto, Tipo.HECHO, equipo)
            raise
        _exigir_identidad(abierto.equipo, abierto.catd, abierto.epoca, equipo)
        _exigir_llave(llave, abierto, equipo)
        if abierto.proceso != self.proceso.clave:
            raise _Falla("PROCESO_AJENO", f"es del proceso {abierto.proceso}")
        if abierto.modo != self._modo:
            raise _Falla("MODO_AJENO", f"es de modo {abierto.modo} y este centro es de {self._modo}")
        hecho = hechos.de_contenido(abierto.contenido)
        asentado = _asentado(hecho, abierto, compacto)
        objecion = self._cabida.objecion(hecho)
        if objecion is not None:
            if not objecion.espera:
                raise _Falla(objecion.codigo, objecion.causa)
            return Todavia(asentado, objecion.codigo, objecion.causa)
        return self._ajeno_o_excluido(asentado, equipo) or HechoValido(asentado)

    def _ajeno_o_excluido(self, hecho: Asentado, equipo: Equipo) -> Todavia | None:
        """Lo legítimo que la autoridad no admite hoy: se guarda y espera a que lo diga un padrón nuevo."""
        exclusion = equipo.excluye(hecho.epoca, hecho.secuencia)
        if exclusion is not None:
            causa = f"la autoridad excluyó lo posterior a la {exclusion.hasta} de {equipo.nombre}: {exclusion.motivo}"
            return Todavia(hecho, "EXCLUIDO", causa)
        if hecho.casilla is not None and not equipo.toca(self.proceso.casillas[hecho.casilla]):
            causa = f"el padrón {self.padron.version} no le da la casilla {hecho.casilla} a {equipo.nombre}"
            return Todavia(hecho, "FUERA_DE_AMBITO", causa)
        return None


def _exigir_kid(compacto: str, tipo: Tipo, equipo: Equipo) -> None:
    kid = sobre.quien_dice_ser(compacto, tipo)
    if kid != equipo.nombre:
        raise _Falla("KID_AJENO", f"lo firma {kid} y llegó por el tema de {equipo.nombre}")


def _exigir_identidad(nombre: str, catd: str, epoca: str, equipo: Equipo) -> None:
    if nombre != equipo.nombre:
        raise _Falla("EQUIPO_AJENO", f"dice ser de {nombre} y lo firma {equipo.nombre}")
    if catd != equipo.catd:
        raise _Falla("CATD_AJENO", f"dice ser del {catd} y {nombre} está inscrito en {equipo.catd}")
    if epoca not in equipo.epocas:
        raise _Falla("EPOCA_NO_INSCRITA", f"la época {epoca} no está inscrita: la llave está en otro disco")


def _exigir_llave(llave: LlaveInscrita, abierto: Sobre, equipo: Equipo) -> None:
    if not llave.vale(abierto.epoca, abierto.secuencia):
        ultima = (llave.hasta or {}).get(abierto.epoca, 0)
        raise _Falla(
            "LLAVE_REVOCADA",
            f"la llave {llave.identificador[:12]} de {equipo.nombre} vale hasta la {ultima} y ésta es la "
            f"{abierto.secuencia}",
        )


def _asentado(hecho: Hecho, abierto: Sobre, compacto: str) -> Asentado:
    eleccion, casilla = hechos.pertenencia(hecho)
    return Asentado(
        huella=sobre.huella(compacto),
        equipo=abierto.equipo,
        epoca=abierto.epoca,
        secuencia=abierto.secuencia,
        previo=abierto.previo,
        eleccion=eleccion,
        casilla=casilla,
        tipo=hechos.tipo_de(hecho),
        creado=abierto.creado.isoformat(),
        sobre=compacto,
    )


def _inaceptable(codigo: str, causa: Exception, equipo: Equipo | None, compacto: str) -> Inaceptable:
    nombre = None if equipo is None else equipo.nombre
    con_forma = compacto.isascii() and compacto.count(".") == 2
    return Inaceptable(codigo, str(causa)[:300], nombre, sobre.huella(compacto) if con_forma else "")
