"""El registro, abierto y comprobado: su llave, su punto de control y el árbol entero desde las baldosas."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from auditoria.verificar import comprimido
from auditoria.verificar.lector import REGISTRO, Lector, NoSePuede
from nucleo.padron import Padron
from nucleo.publicacion import hojas_de_acta
from nucleo.publicacion.mentira import Mentira
from nucleo.transparencia import hojas
from nucleo.transparencia.arbol import Arbol, PruebaInvalida
from nucleo.transparencia.arbol_de_baldosas import ArbolDeBaldosas
from nucleo.transparencia.baldosas import (
    ANCHO,
    ENTRADAS,
    Baldosa,
    BaldosaInvalida,
    ancho_de,
    baldosas_nuevas,
    bytes_de,
    leer_ruta,
)
from nucleo.transparencia.cofirma import LlaveDeTestigo
from nucleo.transparencia.entradas import empaquetar, leer_paquete
from nucleo.transparencia.hojas import ActaPublicada, Ceros, HojaInvalida
from nucleo.transparencia.nota import LlaveDeRegistro, NotaInvalida, leer_nota
from nucleo.transparencia.prueba import comprobar_prueba, leer_prueba
from nucleo.transparencia.punto import PuntoFirmado, abrir_punto, leer_punto

PUNTO: Final = f"{REGISTRO}/checkpoint"
LLAVE: Final = f"{REGISTRO}/llave"
CEROS: Final = "ceros"
_RESTO: Final = re.compile(r"\..+\.[0-9]+")
"""Lo que deja a medias una escritura que un apagón interrumpió."""


class RegistroAbierto:
    """El de una publicación.

    Args:
        llave: la vkey que quien verifica ya conoce; vacía, se toma la que dice la hoja 0.

    Raises:
        Mentira: si el punto de control, su firma, la puesta en ceros o la orilla del árbol no son buenos.
        NoSePuede: si ahí no hay un registro.
    """

    def __init__(self, lector: Lector, llave: str = "") -> None:
        self._lector = lector
        try:
            self._nota = lector.leer(PUNTO)
        except FileNotFoundError as error:
            if next(lector.listar("cortes") or iter(()), None) is None:
                raise NoSePuede(f"en {lector.lugar} no hay un registro: falta {PUNTO}") from error
            raise falta(PUNTO, "Sin el punto de control nadie responde por lo publicado.") from error
        try:
            punto = leer_punto(leer_nota(self._nota).texto)
            if not punto.tamano:
                raise NotaInvalida("dice que el registro no tiene hojas")
            # Antes de creerle para leer el árbol: si no, una cifra cambiada en él parecería culpa de una baldosa.
            firma = self._llave_sin_comprobar(punto.tamano)
            if firma is not None:
                abrir_punto(self._nota, firma)
            self._baldosas = ArbolDeBaldosas(punto.tamano, punto.raiz, self._baldosa)
            self.ceros = self._primera(punto.tamano)
            self.llave = LlaveDeRegistro.de_vkey(self.ceros.llave)
            self.testigos = tuple(map(LlaveDeTestigo.de_vkey, self.ceros.testigos))
        except NotaInvalida as error:
            raise _del_punto(PUNTO, error) from error
        except BaldosaInvalida as error:
            raise _de_baldosa(error) from error
        if llave and llave != self.ceros.llave:
            raise Mentira(
                f"{REGISTRO}, hoja 0",
                f"la llave {self.ceros.llave}",
                llave,
                "Es otro registro: no es el de la llave que usted conoce.",
            )
        self.arbol = Arbol()
        """Crece conforme se leen las hojas."""
        self.firmado = self.punto(PUNTO, self._nota)

    @property
    def tamano(self) -> int:
        return self._baldosas.tamano

    def hojas(self) -> Iterator[tuple[int, bytes]]:
        """Todas, cada una comprobada hasta la raíz firmada. Raises: Mentira."""
        try:
            for indice, dato in self._baldosas.entradas():
                self.arbol.agregar(dato)
                yield indice, dato
            for nivel, indice, _ in baldosas_nuevas(0, self.tamano):
                if nivel != ENTRADAS:
                    self._baldosas.huellas(nivel, indice)
        except BaldosaInvalida as error:
            raise _de_baldosa(error) from error

    def punto(self, ruta: str, datos: bytes) -> PuntoFirmado:
        """Un punto de control, con su firma y las de los testigos declarados; ninguna de nadie más. Raises: Mentira."""
        try:
            firmado = abrir_punto(datos, self.llave, self.testigos)
        except NotaInvalida as error:
            raise _del_punto(ruta, error) from error
        conocidas = {(f.nombre, f.id) for f in firmado.firmas.values()}
        for firma in firmado.nota.firmas:
            if (firma.nombre, firma.id) not in conocidas:
                raise Mentira(
                    ruta,
                    f"una firma de {firma.nombre[:80]}",
                    "sólo la del registro y las de los testigos de la puesta en ceros",
                    "De esa firma nadie puede decir de quién es.",
                )
        if len(firmado.nota.firmas) != len(conocidas) or firmado.nota.a_bytes() != datos:
            raise _del_punto(ruta, NotaInvalida("repite una firma o no está escrito en su única forma"))
        if firmado.punto.extensiones:
            raise _del_punto(ruta, NotaInvalida("trae renglones de más"))
        return firmado

    def comprobar_punto(self, nombre: str, tamano: int) -> None:
        """El que se firmó al asentar ese corte, cuando había tantas hojas. Raises: Mentira."""
        ruta = f"{REGISTRO}/puntos/{nombre}"
        punto = self.punto(ruta, self._leer(ruta)).punto
        self._exigir_raiz(ruta, punto.tamano, punto.raiz)
        if punto.tamano != tamano:
            raise Mentira(ruta, f"{punto.tamano} hojas", f"{tamano}", "Es el punto de control de otro corte.")

    def comprobar_prueba(self, indice: int, acta: ActaPublicada) -> None:
        """La prueba de un acta publicada. Raises: Mentira."""
        ruta = ruta_de_prueba(acta)
        datos = self._leer(ruta)
        try:
            prueba = leer_prueba(datos)
            firmado = comprobar_prueba(prueba, hojas.escribir(acta), self.llave, self.testigos)
        except PruebaInvalida as error:
            significa = "La página de esa acta no se puede comprobar con ella."
            raise Mentira(ruta, f"una prueba que no vale ({error})", f"la de la hoja {indice}", significa) from error
        self.punto(ruta, prueba.nota.a_bytes())
        self._exigir_raiz(ruta, firmado.punto.tamano, firmado.punto.raiz)
        if prueba.indice != indice or prueba.de_mas is not None or prueba.a_bytes() != datos:
            raise Mentira(
                ruta, f"la hoja {prueba.indice} o datos de más", f"la hoja {indice}", "Es la prueba de otra cosa."
            )

    def comprobar_hojas(self, acta: ActaPublicada, sobres: Mapping[str, str], padron: Padron | None) -> None:
        """Lo que la página de un acta usa para comprobarla: los bytes que salen del registro. Raises: Mentira."""
        ruta = ruta_de_hojas(acta)
        datos = comprimido.abrir(ruta, self._leer(ruta))
        if datos != hojas_de_acta.a_bytes(acta, sobres, padron):
            significa = "Quien compruebe esa acta en su navegador vería otra cosa que lo que está en el registro."
            raise Mentira(ruta, "otras hojas o llaves", "las del registro y el padrón", significa)

    def comprobar_llave(self) -> None:
        """La llave que se sirve suelta es la de la puesta en ceros. Raises: Mentira."""
        if (dicha := self._leer(LLAVE)) != f"{self.llave.vkey}\n".encode():
            significa = "Quien compare esa llave con la puesta en ceros impresa creería en otro registro."
            raise Mentira(LLAVE, dicha[:200].decode("utf-8", "replace"), self.llave.vkey, significa)

    def comprobar_archivos(self, cortes: frozenset[str], pruebas: frozenset[str]) -> Iterator[str]:
        """Que en la carpeta no haya nada más, y que las baldosas de antes digan lo mismo; da los avisos.

        Raises:
            Mentira: si sobra o difiere alguno.
        """
        propios = pruebas | {PUNTO, LLAVE} | {f"{REGISTRO}/puntos/{n}" for n in (*cortes, CEROS)}
        for ruta in self._lector.listar(REGISTRO) or ():
            corta = ruta.removeprefix(f"{REGISTRO}/")
            if corta.startswith("tile/"):
                self._comprobar_baldosa(ruta, corta)
            elif _RESTO.fullmatch(ruta.rpartition("/")[2]):
                yield f"{ruta} es el resto de una escritura que se interrumpió: se puede borrar"
            elif ruta not in propios:
                raise sobra(ruta)

    def _comprobar_baldosa(self, ruta: str, corta: str) -> None:
        try:
            cual = leer_ruta(corta)
        except BaldosaInvalida as error:
            raise sobra(ruta) from error
        if cual.ancho > ancho_de(cual.nivel, cual.indice, self.tamano):
            raise sobra(ruta)
        try:
            if cual.nivel != ENTRADAS:
                debia = bytes_de(cual, self.arbol)
            else:
                desde = cual.indice * ANCHO
                debia = empaquetar(dato for _, dato in self._baldosas.entradas(desde, desde + cual.ancho))
        except BaldosaInvalida as error:
            raise _de_baldosa(error) from error
        if self._leer(ruta) != debia:
            raise Mentira(
                ruta, "otra cosa", "lo mismo que la baldosa que la siguió", "Se contó otra historia y quedó el rastro."
            )

    def _exigir_raiz(self, ruta: str, tamano: int, raiz: bytes) -> None:
        if tamano > self.arbol.tamano or self.arbol.raiz(tamano) != raiz:
            raise Mentira(
                ruta,
                f"que las primeras {tamano} hojas dan la raíz {raiz.hex()[:16]}…",
                "la raíz de las que hay",
                "El registro firmó dos historias distintas: guarde este archivo, es la prueba.",
            )

    def _primera(self, tamano: int) -> Ceros:
        for _, dato in self._baldosas.entradas(0, 1):
            try:
                hoja = hojas.leer(dato)
            except HojaInvalida as error:
                raise _sin_ceros(str(error)) from error
            if isinstance(hoja, Ceros):
                return hoja
        raise _sin_ceros("otra cosa")

    def _llave_sin_comprobar(self, tamano: int) -> LlaveDeRegistro | None:
        """La que dice la hoja 0, en el primer paquete que se deje leer; el árbol la comprueba después."""
        for cual in (Baldosa(ENTRADAS, 0, min(tamano, ANCHO)), Baldosa(ENTRADAS, 0), Baldosa(ENTRADAS, 0, 1)):
            try:
                hoja = hojas.leer(leer_paquete(cual, self._baldosa(cual.ruta))[0])
                if isinstance(hoja, Ceros):
                    return LlaveDeRegistro.de_vkey(hoja.llave)
            except (FileNotFoundError, BaldosaInvalida, HojaInvalida, NotaInvalida):
                continue
        return None

    def _baldosa(self, ruta: str) -> bytes:
        return self._lector.leer(f"{REGISTRO}/{ruta}")

    def _leer(self, ruta: str) -> bytes:
        try:
            return self._lector.leer(ruta)
        except FileNotFoundError as error:
            raise falta(ruta, "Se publicó y ya no está, o nunca estuvo.") from error


def ruta_de_prueba(acta: ActaPublicada) -> str:
    return f"{REGISTRO}/actas/{acta.corte}/{acta.eleccion}/{acta.casilla}.tlog-proof"


def ruta_de_hojas(acta: ActaPublicada) -> str:
    return f"{REGISTRO}/actas/{acta.corte}/{acta.eleccion}/{acta.casilla}.hojas.json.gz"


def falta(ruta: str, significa: str) -> Mentira:
    return Mentira(ruta, "nada: no está", "un archivo", significa)


def sobra(ruta: str) -> Mentira:
    return Mentira(ruta, "algo", "nada: ese archivo no es de esta publicación", "Alguien lo agregó.")


def _sin_ceros(decia: str) -> Mentira:
    return Mentira(f"{REGISTRO}, hoja 0", decia, "la puesta en ceros", "La noche no empezó en cero.")


def _del_punto(ruta: str, error: Exception) -> Mentira:
    return Mentira(
        ruta,
        f"un punto de control que no vale ({error})",
        "uno firmado por el registro",
        "Se alteró, o lo firmó alguien más.",
    )


def _de_baldosa(error: BaldosaInvalida) -> Mentira:
    return Mentira(
        f"{REGISTRO}/{error.ruta}",
        error.causa,
        "lo que resume el punto de control firmado",
        "El registro publicado no es el que se firmó.",
    )
