"""Repetir la noche desde el registro: de sus hojas, en orden, salen los mismos cortes, o se dice la primera mentira.

No se le cree a nadie: cada sobre se abre con la llave que el padrón inscribió, cada documento con su SHA-256, cada hoja
de acta se compara con la que aquí sale. Lo que un corte necesita de los anteriores se recuerda igual que en el centro;
por eso también sirve para rehacer esa memoria si se perdió.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, Final

from joserfc.jwk import ECKey

from nucleo.computo import Resumen
from nucleo.eleccion import Proceso
from nucleo.hechos import FueraDeCatalogo, HechoInvalido, HojaDeBitacora, de_contenido, del_catd
from nucleo.padron import Padron, abrir_padron
from nucleo.publicacion import fichas, rutas
from nucleo.publicacion.armado import Armador, Cambios
from nucleo.publicacion.cadenas_publicas import CadenasPublicas
from nucleo.publicacion.con_que_se_cuenta import (
    DocumentoInvalido,
    leer_autoridad,
    leer_definicion,
)
from nucleo.publicacion.corte_repasado import CorteRepasado
from nucleo.publicacion.json_publico import paginas, piezas
from nucleo.publicacion.mentira import Mentira
from nucleo.publicacion.recuerdo import Recuerdos
from nucleo.publicacion.reserva import HechoRegistrado, HechoReservado, HechoVisible, registrado_de
from nucleo.sobre import Sobre, SobreInvalido, Tipo, abrir, huella, quien_dice_ser
from nucleo.transparencia import hojas
from nucleo.transparencia.hojas import ActaPublicada, Ceros, CortePublicado, Documento, HojaInvalida

DOCUMENTOS: Final = "documentos_publicos"
Documentos = Callable[[str], bytes]
"""Del SHA-256 de un documento público a sus bytes. Si no está, `FileNotFoundError`."""

_DE_LECTURA: Final = frozenset(("captura", "correccion", "revision"))


class SinDefinicion(ValueError):
    """El registro es de un libro suelto: no dice con qué definición se contó y no se puede repetir."""


class Repaso:
    """La noche, hoja por hoja.

    Args:
        documentos: de dónde salen la llave de la autoridad, los padrones y las definiciones.
        proceso: con qué repetir un libro suelto, que no publica su definición.
    """

    def __init__(self, documentos: Documentos, proceso: Proceso | None = None) -> None:
        self._documentos = documentos
        self._suelto = self._proceso = proceso
        self._autoridad: ECKey | None = None
        self._padrones: list[Padron] = []
        self._ceros: Ceros | None = None
        self._nuevos: list[HechoVisible] = []
        self._publicadas: list[tuple[int, ActaPublicada]] = []
        self._imagenes: set[str] = set()
        self._nombres: set[str] = set()
        self._armador: Armador | None = None
        self._contado: tuple[str, str] | None = None
        self._orden: tuple[Any, ...] = ()
        self._anterior: tuple[fichas.Corte | None, dict[str, Resumen]] = (None, {})
        self.cadenas = CadenasPublicas()

    @property
    def ceros(self) -> Ceros | None:
        return self._ceros

    @property
    def proceso(self) -> Proceso | None:
        """La definición vigente en la última hoja leída."""
        return self._proceso

    @property
    def padrones(self) -> tuple[Padron, ...]:
        """Los que se han publicado, del primero al último."""
        return tuple(self._padrones)

    @property
    def padron(self) -> Padron | None:
        return self._padrones[-1] if self._padrones else None

    @property
    def recuerdos(self) -> Recuerdos:
        """Lo que el último corte repasado le deja al siguiente."""
        return self._armador.recuerdos if self._armador is not None else Recuerdos()

    def hoja(self, indice: int, datos: bytes) -> CorteRepasado | None:
        """Lee la siguiente hoja; si es la de un corte, lo hace.

        Raises:
            Mentira: si no es lo que debía. SinDefinicion: si es un corte y no se sabe con qué se contó.
        """
        donde = f"registro, hoja {indice}"
        try:
            leida = hojas.leer(datos)
        except HojaInvalida as error:
            raise Mentira(
                donde, f"algo que no se entiende ({error})", "una hoja", "El registro no se puede leer."
            ) from error
        clase = datos[:12].partition(b"\n")[0].decode("ascii", "replace")
        if (indice == 0) != isinstance(leida, Ceros):
            raise Mentira(
                donde,
                f"«{clase}»",
                "la puesta en ceros" if not indice else "cualquier hoja menos otra puesta en ceros",
                "La noche empieza en cero una sola vez.",
            )
        match leida:
            case Ceros():
                self._empezar(donde, leida)
            case Documento():
                self._en_orden(donde, (0, leida.que))
                self._documento(donde, leida)
            case str():
                self._hecho(donde, leida)
            case HechoReservado():
                self._visible(donde, leida)
            case ActaPublicada():
                self._en_orden(donde, (2, leida.eleccion, leida.casilla))
                self._publicadas.append((indice, leida))
                self._imagenes |= {leida.imagen} - {""}
            case CortePublicado():
                return self._corte(donde, indice, leida)
        return None

    # ----------------------------------------------------------------------------------------------- con qué se cuenta

    def _empezar(self, donde: str, ceros: Ceros) -> None:
        self._ceros = ceros
        if ceros.autoridad:
            try:
                self._autoridad = leer_autoridad(self._traer(donde, ceros.autoridad))
            except DocumentoInvalido as error:
                raise Mentira(
                    f"{DOCUMENTOS}/{ceros.autoridad}",
                    str(error),
                    "la llave pública de la autoridad",
                    "Sin ella no se sabe quién inscribió a los equipos.",
                ) from error

    def _traer(self, donde: str, sha256: str) -> bytes:
        ruta = f"{DOCUMENTOS}/{sha256}"
        try:
            datos = self._documentos(sha256)
        except FileNotFoundError as error:
            raise Mentira(
                ruta, "nada: no está", f"el documento que nombra {donde}", "Sin él no se puede recalcular."
            ) from error
        suyo = hashlib.sha256(datos).hexdigest()
        if suyo != sha256:
            raise Mentira(ruta, f"algo con SHA-256 {suyo}", f"{sha256}", "El documento se alteró o se cambió por otro.")
        return datos

    def _documento(self, donde: str, hoja: Documento) -> None:
        assert self._ceros is not None
        datos = self._traer(donde, hoja.sha256)
        _exigir(donde, f"que mide {hoja.bytes} bytes", hoja.bytes == len(datos), f"{len(datos)} bytes")
        try:
            if hoja.que == "definicion":
                proceso = replace(leer_definicion(datos), modo=self._ceros.modo)
                primera = self._proceso is None and self._ceros.definicion
                huella_buena = proceso.huella in {hoja.nombre} and (not primera or proceso.huella == primera)
                _exigir(donde, f"la definición {hoja.nombre[:16]}…", huella_buena, f"{proceso.huella[:16]}…")
                _exigir(donde, proceso.clave, proceso.clave == self._ceros.proceso, self._ceros.proceso)
                self._proceso = proceso
            elif hoja.que == "padron":
                self._padron_nuevo(donde, hoja, datos)
        except (DocumentoInvalido, SobreInvalido, UnicodeDecodeError) as error:
            ruta = f"{DOCUMENTOS}/{hoja.sha256}"
            raise Mentira(ruta, str(error), f"«{hoja.que}»", "Con eso no se pudo haber contado.") from error

    def _padron_nuevo(self, donde: str, hoja: Documento, datos: bytes) -> None:
        assert self._ceros is not None
        if self._autoridad is None:
            raise Mentira(donde, "un padrón", "ninguno", "La puesta en ceros no nombra a la autoridad que lo firma.")
        padron = abrir_padron(datos.decode("ascii"), self._autoridad)
        suyo = (padron.proceso, padron.modo, str(padron.version))
        debia = (self._ceros.proceso, self._ceros.modo, hoja.nombre)
        _exigir(donde, f"el padrón {debia}", suyo == debia, f"el padrón {suyo}")
        if self._padrones and padron.version < self._padrones[-1].version:
            version = self._padrones[-1].version
            raise Mentira(
                donde, f"el padrón {padron.version}", f"uno posterior al {version}", "Uno viejo devuelve vigencias."
            )
        self._padrones.append(padron)

    # ---------------------------------------------------------------------------------------------------------- hechos

    def _hecho(self, donde: str, compacto: str) -> None:
        try:
            if self._autoridad is None and self._suelto is not None:
                registrado = registrado_de(huella(compacto), compacto)  # un libro suelto no inscribe a nadie
            else:
                registrado = self._registrado(compacto)
        except (SobreInvalido, HechoInvalido) as error:
            raise Mentira(
                donde,
                f"un sobre que no vale ({error})",
                "uno firmado por un equipo del padrón",
                "Alguien agregó o alteró un hecho: ningún equipo inscrito lo firmó así.",
            ) from error
        self._visible(donde, registrado)

    def _registrado(self, compacto: str) -> HechoRegistrado:
        sobre = self._abrir(compacto)
        hecho = del_catd(de_contenido(sobre.contenido), sobre.catd)
        return HechoRegistrado(sobre.equipo, sobre.epoca, sobre.secuencia, sobre.previo, huella(compacto), hecho)

    def _abrir(self, compacto: str) -> Sobre:
        """Con una llave que valga en algún padrón publicado: la baja de un equipo no borra lo que ya había firmado."""
        assert self._ceros is not None
        nombre = quien_dice_ser(compacto, Tipo.HECHO)
        if self._autoridad is None:
            raise SobreInvalido("FIRMA", "la puesta en ceros no dice qué autoridad inscribe a los equipos")
        falla = SobreInvalido("FIRMA", f"{nombre} no está en el padrón")
        for padron in reversed(self._padrones):
            equipo = padron.equipos.get(nombre)
            if equipo is None:
                continue
            try:
                sobre, llave = equipo.abrir(compacto, abrir)
            except SobreInvalido as error:
                falla = error
                continue
            dice = (sobre.proceso, sobre.modo, sobre.catd)
            if dice != (self._ceros.proceso, self._ceros.modo, equipo.catd) or sobre.epoca not in equipo.epocas:
                falla = SobreInvalido("FORMA", "es de otro proceso, CATD o época")
            elif not llave.vale(sobre.epoca, sobre.secuencia):
                falla = SobreInvalido("FIRMA", f"la llave de {nombre} ya no valía en la {sobre.secuencia}")
            else:
                return sobre
        raise falla

    def _visible(self, donde: str, visible: HechoVisible) -> None:
        self._en_orden(donde, (1, *visible.lugar))
        self.cadenas.agregar(donde, visible)
        self._nuevos.append(visible)

    def _en_orden(self, donde: str, lugar: tuple[Any, ...]) -> None:
        """Documentos, luego hechos por su lugar en las cadenas, luego actas: un corte tiene un solo orden posible."""
        _exigir(donde, f"{lugar[1:]} después de {self._orden[1:]}", self._orden < lugar, "lo mismo, en su orden")
        self._orden = lugar

    # ---------------------------------------------------------------------------------------------------------- cortes

    def _corte(self, donde: str, indice: int, hoja: CortePublicado) -> CorteRepasado:
        if self._proceso is None:
            raise SinDefinicion("el registro no dice con qué definición se contó: es un libro suelto")
        proceso, padron = self._proceso, self.padron
        nombre = rutas.nombre_de_corte(proceso.huso, hoja.hora)
        _exigir(donde, f"el corte {hoja.corte}", hoja.corte == nombre, f"{nombre}, por su hora")
        _exigir(donde, f"otra vez el corte {nombre}", nombre not in self._nombres, "uno que no se hubiera publicado")
        self._nombres.add(nombre)
        corte = fichas.Corte(nombre, hoja.hora, hoja.ultimo)
        contado = (proceso.huella, "" if padron is None else padron.huella)
        nuevos: Iterable[HechoVisible] = self._nuevos
        if self._armador is None or contado != self._contado:
            self._armador, self._contado = Armador(proceso, self.recuerdos), contado
            nuevos = self.cadenas.todos
        armador = self._armador
        armador.agregar(h for h in nuevos if _cuenta(h, padron))
        armador.imagenes(self._imagenes)
        cambios = armador.cortar(corte)
        self._comparar_actas(donde, armador, cambios, corte)
        self._comprobar_reserva(donde, armador)
        actas = tuple(self._publicadas)
        self._nuevos, self._publicadas, self._orden = [], [], ()
        repasado = CorteRepasado(indice, hoja, corte, proceso, padron, armador, cambios, actas, *self._anterior)
        self._anterior = (corte, repasado.resumenes)
        return repasado

    def _comparar_actas(self, donde: str, armador: Armador, cambios: Cambios, corte: fichas.Corte) -> None:
        dichas = {(a.eleccion, a.casilla): (i, a) for i, a in self._publicadas}
        for cual in cambios.actas:
            ficha = armador.ficha(cual)
            sha256 = hashlib.sha256(piezas.a_bytes(paginas.de_acta(ficha))).hexdigest()
            imagen = ficha.imagen if ficha.imagen_presente else ""
            debia = ActaPublicada(cual.eleccion, cual.casilla, corte.nombre, sha256, imagen, ficha.hojas)
            indice, dicha = dichas.pop((cual.eleccion, cual.casilla), (-1, None))
            if dicha is None:
                raise Mentira(
                    donde,
                    f"que en el corte {corte.nombre} no cambió el acta {cual}",
                    "la hoja de esa acta, que sí cambió",
                    "Se calló un acta: sus hechos están firmados y no se publicó lo que dicen.",
                )
            for campo in ("corte", "hojas", "imagen", "ficha"):
                _comparar(f"registro, hoja {indice} (acta {cual})", campo, getattr(dicha, campo), getattr(debia, campo))
        for (eleccion, casilla), (indice, _) in dichas.items():
            raise Mentira(
                f"registro, hoja {indice}",
                f"que cambió el acta {eleccion}/{casilla}",
                "nada de esa acta",
                "Ningún hecho firmado la cambia: lo que se publicó de ella no sale de ninguna parte.",
            )

    def _comprobar_reserva(self, donde: str, armador: Armador) -> None:
        """Que no se haya callado nada que ya era público, ni publicado lo que había que capturar a ciegas."""
        recuerdos, padron = self.recuerdos, self.padron
        for cerrado in self.cadenas.cerrados:
            acta = cerrado.acta
            if not _cuenta(cerrado, padron) or (acta is not None and not armador.espera(acta)):
                continue
            publicada = r.vuelta if acta is not None and (r := recuerdos.actas.get(acta)) is not None else 0
            reservable = cerrado.tipo in _DE_LECTURA and (cerrado.vuelta or 0) > publicada and not recuerdos.cerrado
            _exigir(
                donde,
                f"sólo el eslabón de la hoja {cerrado.secuencia} de {cerrado.equipo} ({cerrado.tipo}, {acta})",
                reservable,
                "el hecho completo: ya no había por qué reservarlo",
            )
        for nuevo in self._nuevos:
            if not isinstance(nuevo, HechoRegistrado) or not _cuenta(nuevo, padron):
                continue
            hecho = nuevo.hecho
            publico = isinstance(hecho, FueraDeCatalogo) or (
                not isinstance(hecho, HojaDeBitacora) and armador.abre(hecho.acta, nuevo.huella)
            )
            _exigir(
                donde,
                f"completa la hoja {nuevo.secuencia} de {nuevo.equipo}",
                publico,
                "sólo su eslabón: era una lectura que otra persona tenía que hacer a ciegas, o una bitácora",
            )


def rehacer_recuerdos(
    todas: Iterable[tuple[int, bytes]], documentos: Documentos, proceso: Proceso | None = None
) -> Recuerdos:
    """La memoria de los cortes, de las hojas del registro: para quien perdió `recuerdos.json`.

    Raises:
        Mentira: si las hojas no son las de una noche. SinDefinicion: si es un libro suelto y no se dio `proceso`.
    """
    repaso = Repaso(documentos, proceso)
    for indice, datos in todas:
        repaso.hoja(indice, datos)
    return repaso.recuerdos


def _cuenta(visible: HechoVisible, padron: Padron | None) -> bool:
    return padron is None or padron.excluye(*visible.lugar) is None


def _exigir(donde: str, decia: str, se_cumple: bool, debia: str) -> None:
    if not se_cumple:
        raise Mentira(donde, decia, debia, "Lo que dice el registro no es lo que pasó.")


_SIGNIFICA: Final = {
    "corte": "Un acta no puede ser de un corte que no es el suyo.",
    "hojas": "No dice de qué sobres firmados sale.",
    "imagen": "No es la imagen que dicen los hechos firmados.",
    "ficha": "Lo que se publica de esa acta no sale de los hechos firmados: alguien cambió una cifra o un dato.",
}


def _comparar(donde: str, campo: str, dicho: object, debia: object) -> None:
    if dicho != debia:
        raise Mentira(donde, f"«{campo}» {_corto(dicho)}", _corto(debia), _SIGNIFICA[campo])


def _corto(valor: object) -> str:
    return str(valor)[:200] or "nada"
