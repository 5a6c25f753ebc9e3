"""Juzga un mensaje sin tocar nada: qué es y, si no se puede aceptar, por qué.

El orden de las comprobaciones va de lo barato y lo que identifica a lo caro: tamaño, tema, padrón, `kid`, firma y
forma, a quién dice pertenecer, contenido y, al final, si la elección y la casilla existen. Todo depende sólo del
mensaje, la definición y el padrón vigentes: nada se recuerda entre juicios, así que un mensaje rechazado hoy puede ser
válido cuando el padrón cambie.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from nucleo import hechos, latido, sobre, temas
from nucleo.acta import COMPLEMENTARIOS
from nucleo.casilla import Casilla
from nucleo.eleccion import Eleccion, Proceso
from nucleo.hechos import Captura, Correccion, FueraDeCatalogo, Hecho, HechoInvalido, HojaDeBitacora, Revision
from nucleo.latido import Latido
from nucleo.padron import Equipo, Padron
from nucleo.sobre import MAXIMO_BYTES, Sobre, SobreInvalido, Tipo
from nucleo.temas import Carril, Tema, TemaInvalido
from servicio_central.almacen import Asentado


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
class Todavia:
    """Legítimo, pero habla de una elección o casilla que la definición vigente no tiene: aún no se puede juzgar."""

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


Juicio = HechoValido | LatidoValido | Todavia | Inaceptable


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
        self._renglones: dict[tuple[str, int | None], frozenset[str]] = {}

    def juzgar(self, mensaje: Mensaje) -> Juicio:
        """Juzga un mensaje. Nunca lanza por lo que el mensaje contenga."""
        equipo: Equipo | None = None
        compacto = ""
        try:
            if len(mensaje.datos) > MAXIMO_BYTES:
                raise _Falla("TAMANO", f"mide {len(mensaje.datos)} bytes y el tope es {MAXIMO_BYTES}")
            compacto = mensaje.datos.decode("ascii", "replace")
            tema = self._tema(mensaje.tema)
            equipo = self.padron.equipos.get(tema.equipo)
            if equipo is None:
                raise _Falla("EQUIPO_DESCONOCIDO", f"{tema.equipo} no está en el padrón {self.padron.version}")
            if not equipo.vigente:
                raise _Falla("EQUIPO_NO_VIGENTE", f"{tema.equipo} está dado de baja")
            if tema.carril is Carril.LATIDO:
                return self._latido(compacto, equipo)
            return self._hecho(compacto, equipo)
        except _Falla as falla:
            return _inaceptable(falla.codigo, falla, equipo, compacto)
        except SobreInvalido as error:
            return _inaceptable(error.codigo, error, equipo, compacto)
        except HechoInvalido as error:
            return _inaceptable("HECHO_INVALIDO", error, equipo, compacto)

    def objecion(self, hecho: Hecho) -> str:
        """Por qué ese hecho no cabe en la definición; vacío si cabe."""
        try:
            falta = self._en_catalogo(hecho)
        except _Falla as falla:
            return str(falla)
        return "" if falta is None else falta[1]

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
            recibido = latido.abrir_latido(compacto, equipo.llave)
        except SobreInvalido:
            _exigir_kid(compacto, Tipo.LATIDO, equipo)
            raise
        _exigir_identidad(recibido.equipo, recibido.catd, recibido.epoca, equipo)
        return LatidoValido(recibido)

    def _hecho(self, compacto: str, equipo: Equipo) -> HechoValido | Todavia:
        try:
            abierto = sobre.abrir(compacto, equipo.llave)
        except SobreInvalido:
            # Abrir con la llave de ese equipo ya exige que sea suyo; sólo si falla vale la pena decir de quién dice
            # ser.
            _exigir_kid(compacto, Tipo.HECHO, equipo)
            raise
        _exigir_identidad(abierto.equipo, abierto.catd, abierto.epoca, equipo)
        if abierto.proceso != self.proceso.clave:
            raise _Falla("PROCESO_AJENO", f"es del proceso {abierto.proceso}")
        if abierto.modo != self._modo:
            raise _Falla("MODO_AJENO", f"es de modo {abierto.modo} y este centro es de {self._modo}")
        hecho = hechos.de_contenido(abierto.contenido)
        asentado = _asentado(hecho, abierto, compacto)
        falta = self._en_catalogo(hecho)
        return HechoValido(asentado) if falta is None else Todavia(asentado, *falta)

    def _en_catalogo(self, hecho: Hecho) -> tuple[str, str] | None:
        if isinstance(hecho, HojaDeBitacora):
            return None
        clave, _ = hechos.pertenencia(hecho)
        eleccion = self.proceso.elecciones.get(clave)
        if eleccion is None:
            return "ELECCION_DESCONOCIDA", f"la definición vigente no tiene la elección {clave}"
        if isinstance(hecho, FueraDeCatalogo):
            return None
        casilla = self.proceso.casillas.get(hecho.acta.casilla)
        if casilla is None:
            return "CASILLA_DESCONOCIDA", f"el catálogo vigente no tiene la casilla {hecho.acta.casilla}"
        if casilla.tipo not in eleccion.tipos_casilla:
            return "CASILLA_NO_ESPERADA", f"la casilla {casilla.clave} no levanta acta de {clave}"
        renglones = self._renglones_de(eleccion, casilla)
        if isinstance(hecho, Captura) and hecho.asentado.votos.keys() != renglones:
            _ajenos(renglones.symmetric_difference(hecho.asentado.votos), casilla)
        if isinstance(hecho, Correccion | Revision) and (ajenos := hecho.campos.keys() - renglones - _COMUNES):
            _ajenos(ajenos, casilla)
        return None

    def _renglones_de(self, eleccion: Eleccion, casilla: Casilla) -> frozenset[str]:
        lugar = (eleccion.clave, eleccion.division(casilla))
        renglones = self._renglones.get(lugar)
        if renglones is None:
            renglones = frozenset(o.clave for o in eleccion.opciones_de(casilla))
            self._renglones[lugar] = renglones
        return renglones


_COMUNES: Final = frozenset(COMPLEMENTARIOS)


def _ajenos(renglones: frozenset[str] | set[str], casilla: Casilla) -> None:
    cuales = ", ".join(sorted(renglones)[:5])
    raise _Falla("RENGLONES", f"los renglones no son los de la casilla {casilla.clave}: {cuales}")


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
