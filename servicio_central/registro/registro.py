"""El registro en disco: baldosas, paquetes de entradas y el punto de control, que es lo último que se escribe.

Lo agregado vive en memoria hasta `asentar`. Si la luz se va antes, el punto de control sigue siendo el anterior y las
baldosas de más no son de nadie: se vuelven a escribir. Al abrir se comprueba todo contra la raíz firmada; con una sola
hoja cambiada no se firma nada más.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from nucleo.hechos import IdActa
from nucleo.publicacion.reserva import HechoReservado
from nucleo.sobre import huella
from nucleo.transparencia.arbol import Arbol, PruebaInvalida
from nucleo.transparencia.arbol_de_baldosas import ArbolDeBaldosas
from nucleo.transparencia.baldosas import ANCHO, ENTRADAS, BaldosaInvalida, baldosas_nuevas, bytes_de
from nucleo.transparencia.entradas import empaquetar
from nucleo.transparencia.hojas import ActaPublicada, Ceros, CortePublicado, Documento, HojaInvalida, leer
from nucleo.transparencia.nota import Firma, FirmanteDeNotas, Nota, NotaInvalida
from nucleo.transparencia.punto import Punto, abrir_punto, firmar_punto
from servicio_central import disco
from servicio_central.tropiezo import Tropiezo

CARPETA: Final = "registro"
PUNTO: Final = "checkpoint"
LLAVE: Final = "llave"
"""La vkey, para quien compruebe sin abrir la hoja 0. No prueba nada por sí sola: se compara con la que se imprimió."""
PUNTOS: Final = "puntos"
"""El punto de control de cada corte, por si alguien quiere ver cómo creció."""


class Registro:
    """Lo que ya se publicó y lo que se está por publicar. Un solo proceso lo usa a la vez (`disco.turno`).

    Raises:
        Tropiezo: REGISTRO, si lo que hay en disco no es lo que se firmó.
    """

    def __init__(self, centro: Path, quien: FirmanteDeNotas) -> None:
        self._carpeta = centro / CARPETA
        self._quien = quien
        self._arbol = Arbol()
        self._cola: list[bytes] = []
        """Las hojas del último paquete, que puede estar a medias."""
        self._asentadas = 0
        self._abiertas: dict[str, int] = {}
        self._eslabones: set[str] = set()
        self._actas: dict[IdActa, tuple[int, ActaPublicada]] = {}
        self._documentos: dict[str, Documento] = {}
        self._corte: CortePublicado | None = None
        self._ceros: Ceros | None = None
        self.nota: Nota | None = None
        """El último punto de control, con las firmas que tenga."""
        self._cargar()

    # ------------------------------------------------------------------------------------------------ lo que ya está

    @property
    def tamano(self) -> int:
        """Hojas, con las que todavía no se asientan."""
        return self._arbol.tamano

    @property
    def asentadas(self) -> int:
        """Hojas del último punto de control firmado."""
        return self._asentadas

    @property
    def ceros(self) -> Ceros | None:
        return self._ceros

    @property
    def abiertas(self) -> Mapping[str, int]:
        """Huella de cada sobre publicado con su contenido → índice de su hoja."""
        return self._abiertas

    @property
    def eslabones(self) -> set[str]:
        """Huellas de los que están como eslabón."""
        return self._eslabones

    @property
    def actas(self) -> Mapping[IdActa, tuple[int, ActaPublicada]]:
        """Lo último que se publicó de cada acta, con el índice de su hoja."""
        return self._actas

    def actas_de(self, corte: str) -> list[tuple[int, ActaPublicada]]:
        """Las que publicó ese corte, si nadie las ha vuelto a publicar después."""
        return [(indice, acta) for indice, acta in self._actas.values() if acta.corte == corte]

    def es_el_del_disco(self) -> bool:
        """Si nadie más ha asentado nada desde que se abrió. Raises: OSError."""
        return self._leer_si_hay(PUNTO) == (b"" if self.nota is None else self.nota.a_bytes())

    @property
    def documentos(self) -> Mapping[str, Documento]:
        """`definicion`, `padron`… → el vigente."""
        return self._documentos

    @property
    def ultimo_corte(self) -> CortePublicado | None:
        return self._corte

    def hojas(self) -> Iterator[tuple[int, bytes]]:
        """Índice y contenido de las asentadas, releídas del disco y comprobadas. Raises: BaldosaInvalida, OSError."""
        baldosas = ArbolDeBaldosas(self._asentadas, self._arbol.raiz(self._asentadas), self._leer)
        return baldosas.entradas()

    def raiz(self, tamano: int | None = None) -> bytes:
        """La raíz de las primeras `tamano` hojas, o de todas."""
        return self._arbol.raiz(tamano)

    def inclusion(self, indice: int, tamano: int) -> tuple[bytes, ...]:
        return self._arbol.inclusion(indice, tamano)

    def consistencia(self, viejo: int, nuevo: int) -> tuple[bytes, ...]:
        return self._arbol.consistencia(viejo, nuevo)

    # ---------------------------------------------------------------------------------------------------- agregar

    def agregar(self, hojas: Iterable[bytes]) -> None:
        """Agrega hojas, sólo en memoria.

        Raises:
            HojaInvalida: si alguna no se podría leer; nada queda a medias que se firme, pero hay que volver a abrir.
        """
        for hoja in hojas:
            self._absorber(self._arbol.agregar(hoja), hoja)
            self._cola.append(hoja)

    def asentar(self, corte: str, antes: Callable[[Nota], None] = lambda _: None) -> Nota:
        """Escribe lo agregado, durable, y al final el punto de control firmado, que devuelve.

        Args:
            antes: qué más escribir con la nota ya firmada, antes de que alguien la vea.

        Raises:
            OSError: si no se pudo; el punto de control sigue siendo el de antes.
        """
        primera = self._arbol.tamano - len(self._cola)
        for baldosa in baldosas_nuevas(self._asentadas, self._arbol.tamano):
            if baldosa.nivel == ENTRADAS:
                desde = baldosa.indice * ANCHO - primera
                datos = empaquetar(self._cola[desde : desde + baldosa.ancho])
            else:
                datos = bytes_de(baldosa, self._arbol)
            self._escribir(baldosa.ruta, datos)
        if self.nota is None:
            self._escribir(LLAVE, f"{self._quien.llave.vkey}\n".encode())
        nota = firmar_punto(Punto(self._quien.nombre, self._arbol.tamano, self._arbol.raiz()), self._quien)
        antes(nota)
        self._escribir(f"{PUNTOS}/{corte}", nota.a_bytes())
        self._escribir(PUNTO, nota.a_bytes())
        self.nota = nota
        self._asentadas = self._arbol.tamano
        self._cola = self._cola[self._asentadas // ANCHO * ANCHO - primera :]
        return nota

    def cofirmar(self, corte: str, firmas: Iterable[Firma]) -> None:
        """Agrega cofirmas ya comprobadas al último punto de control, que es el de ese corte. Raises: OSError."""
        if self.nota is None:
            return
        self.nota = self.nota.con(*firmas)
        self._escribir(f"{PUNTOS}/{corte}", self.nota.a_bytes())
        self._escribir(PUNTO, self.nota.a_bytes())

    def escribir_aparte(self, ruta: str, datos: bytes) -> None:
        """Un archivo que acompaña al registro sin ser parte de él (la prueba de un acta). Sin fsync: se rehace."""
        destino = self._carpeta / ruta
        destino.parent.mkdir(parents=True, exist_ok=True)
        destino.write_bytes(datos)

    # ------------------------------------------------------------------------------------------------------- interior

    def _cargar(self) -> None:
        datos = self._leer_si_hay(PUNTO)
        if not datos:
            return  # las baldosas que haya son de un primer corte que no llegó a firmarse
        try:
            firmado = abrir_punto(datos, self._quien.llave)
            punto = firmado.punto
            baldosas = ArbolDeBaldosas(punto.tamano, punto.raiz, self._leer)
            for indice, hoja in baldosas.entradas():
                self._arbol.agregar(hoja)
                self._absorber(indice, hoja)
                if indice >= punto.tamano // ANCHO * ANCHO:
                    self._cola.append(hoja)
        except (NotaInvalida, BaldosaInvalida, HojaInvalida, PruebaInvalida, OSError) as error:
            raise Tropiezo(
                "REGISTRO",
                f"el registro de {self._carpeta} no es el que se firmó ({error})",
                "se dañó el disco, se restauró un respaldo a medias o alguien lo cambió",
                "cópielo completo de un espejo (`./prep espejo`); mientras tanto lo publicado sigue como estaba",
            ) from error
        self._asentadas = punto.tamano
        self.nota = firmado.nota

    def _absorber(self, indice: int, datos: bytes) -> None:
        match leer(datos):
            case str(sobre):
                self._abiertas[huella(sobre)] = indice
            case HechoReservado(huella=cual):
                self._eslabones.add(cual)
            case ActaPublicada() as acta:
                self._actas[IdActa(acta.eleccion, acta.casilla)] = (indice, acta)
            case CortePublicado() as corte:
                self._corte = corte
            case Documento() as documento:
                self._documentos[documento.que] = documento
            case Ceros() as ceros:
                if indice:
                    raise HojaInvalida(f"la hoja {indice} es otra puesta en ceros")
                self._ceros = ceros
            case _:
                pass
        if not indice and self._ceros is None:
            raise HojaInvalida("la hoja 0 no es la puesta en ceros")

    def _escribir(self, ruta: str, datos: bytes) -> None:
        destino = self._carpeta / ruta
        destino.parent.mkdir(parents=True, exist_ok=True, mode=0o755)
        disco.escribir(destino, datos)

    def _leer(self, ruta: str) -> bytes:
        return (self._carpeta / ruta).read_bytes()

    def _leer_si_hay(self, ruta: str) -> bytes:
        try:
            return self._leer(ruta)
        except FileNotFoundError:
            return b""
