"""El libro propio del kiosco: hechos encadenados y firmados, y la bandeja de lo que falta acusar, en un SQLite.

Un hecho existe cuando su transacción (WAL, `synchronous=FULL`) quedó en disco; sólo entonces se le dice a la persona
«guardada». Secuencia y `previo` se leen dentro de la misma transacción que los escribe, así que varias pantallas y el
enlace pueden usar el archivo a la vez. Si el disco falla justo al confirmar, puede que el hecho sí quedara: por eso
repetir la misma acción no crea otro (`appliance.mesa`).
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from appliance import apertura, bandeja, bitacora, imagenes_declaradas
from appliance.bandeja import Pendiente, ResultadoAcuse, Resumen
from appliance.contenido import contenido_de as _contenido
from appliance.disco import explicada
from appliance.identidad import Identidad
from appliance.imagenes_declaradas import ImagenPorEnviar, ResumenDeImagenes
from appliance.reloj import exigir_creible
from nucleo.acuse import Acuse
from nucleo.eventos import RenglonDeBitacora
from nucleo.hechos import (
    Empaque,
    FueraDeCatalogo,
    Hecho,
    HechoDeActa,
    HojaDeBitacora,
    IdActa,
    a_contenido,
    de_contenido,
    pertenencia,
    tipo_de,
)
from nucleo.recibo import Recibo
from nucleo.sobre import CADENA_NUEVA, Firmante, Sobre, huella, sellar


@dataclass(frozen=True, slots=True)
class Asiento:
    """Un hecho ya durable: su lugar en la cadena y su identidad."""

    secuencia: int
    huella: str


@dataclass(frozen=True, slots=True)
class HechoConSobre:
    """Un hecho y su sobre: `creado` es ISO 8601; `estado`, `pendiente` o `cerrado`; `apartado`, por qué lo apartó el
    centro, si lo hizo.
    """

    secuencia: int
    huella: str
    hecho: Hecho
    sobre: str
    creado: str
    estado: str
    apartado: str | None


@dataclass(frozen=True, slots=True)
class Encargo:
    """Quién tiene abierta un acta y desde cuándo. No es un hecho."""

    persona: str
    desde: datetime


class Lectura:
    """Lo que se puede mirar de una vez, sin que cambie entre una consulta y otra."""

    def __init__(self, conexion: sqlite3.Connection) -> None:
        self.conexion = conexion

    def hechos_de(self, acta: IdActa) -> list[HechoDeActa]:
        """Historia del acta en este kiosco, en orden de secuencia."""
        return _hechos_de(self.conexion, acta)

    def existe_fuera_de_catalogo(self, eleccion: str, folio: str) -> bool:
        filas = self.conexion.execute(
            "SELECT sobre FROM hechos WHERE eleccion = ? AND casilla IS NULL AND tipo = 'fuera_de_catalogo'",
            (eleccion,),
        )
        return any(_contenido(sobre).get("folio") == folio for (sobre,) in filas)

    def fuera_de_catalogo(self) -> list[FueraDeCatalogo]:
        """Los documentos declarados fuera de catálogo, en orden de secuencia."""
        filas = self.conexion.execute("SELECT sobre FROM hechos WHERE tipo = 'fuera_de_catalogo' ORDER BY secuencia")
        leidos = [de_contenido(_contenido(sobre)) for (sobre,) in filas]
        return [hecho for hecho in leidos if isinstance(hecho, FueraDeCatalogo)]

    def empaques(self) -> list[tuple[Empaque, str]]:
        """Cada `Empaque` con la huella de su sobre, en orden de secuencia."""
        filas = self.conexion.execute("SELECT sobre, huella FROM hechos WHERE tipo = 'empaque' ORDER BY secuencia")
        leidos = [(de_contenido(_contenido(sobre)), huella) for sobre, huella in filas]
        return [(hecho, huella) for hecho, huella in leidos if isinstance(hecho, Empaque)]

    def ultimos_empaques(self) -> Iterator[Empaque]:
        """Del más nuevo al más viejo; se leen conforme se piden."""
        filas = self.conexion.execute("SELECT sobre FROM hechos WHERE tipo = 'empaque' ORDER BY secuencia DESC")
        for (sobre,) in filas:
            if isinstance(hecho := de_contenido(_contenido(sobre)), Empaque):
                yield hecho

    def sobres_de(self, acta: IdActa) -> list[HechoConSobre]:
        """La historia del acta con el lugar de cada hecho en la cadena y en qué quedó su envío."""
        filas = self.conexion.execute(
            "SELECT h.secuencia, h.huella, h.sobre, h.creado, b.estado, b.apartado FROM hechos h "
            "JOIN bandeja b USING (secuencia) WHERE h.eleccion = ? AND h.casilla = ? ORDER BY h.secuencia",
            (acta.eleccion, acta.casilla),
        ).fetchall()
        leidos = [HechoConSobre(s, h, de_contenido(_contenido(c)), c, *resto) for s, h, c, *resto in filas]
        return [h for h in leidos if not isinstance(h.hecho, FueraDeCatalogo | HojaDeBitacora)]

    def encargo(self, acta: IdActa) -> Encargo | None:
        fila = self.conexion.execute(
            "SELECT persona, desde FROM encargos WHERE eleccion = ? AND casilla = ?", (acta.eleccion, acta.casilla)
        ).fetchone()
        return Encargo(fila[0], datetime.fromisoformat(fila[1])) if fila else None

    def alarma(self) -> str | None:
        """La alarma de la bandeja (`appliance.bandeja.Resumen`), si se levantó."""
        return bandeja.alarma(self.conexion)

    def encargos(self) -> dict[IdActa, Encargo]:
        """Todas las actas abiertas en alguna pantalla, también las de plazo vencido."""
        filas = self.conexion.execute("SELECT eleccion, casilla, persona, desde FROM encargos")
        return {IdActa(e, c): Encargo(persona, datetime.fromisoformat(desde)) for e, c, persona, desde in filas}


class Transaccion(Lectura):
    """Lo que se puede hacer dentro de una escritura: nadie más escribe hasta que termine."""

    def __init__(self, conexion: sqlite3.Connection, molde: Sobre, firmante: Firmante) -> None:
        super().__init__(conexion)
        self._molde = molde
        self._firmante = firmante

    def asentar(self, hechos: Sequence[Hecho], creado: datetime, calidad: str) -> tuple[Asiento, ...]:
        """Encadena, firma y escribe los hechos con su renglón de bandeja.

        Raises:
            nucleo.hechos.HechoInvalido: si el centro no lo aceptaría; no se escribe nada.
            Falla: RELOJ, si no aceptaría la hora.
        """
        exigir_creible(creado)
        asientos = []
        for hecho in hechos:
            asientos.append(self._asentar(hecho, creado, calidad))
        return tuple(asientos)

    def _asentar(self, hecho: Hecho, creado: datetime, calidad: str) -> Asiento:
        contenido = a_contenido(hecho)
        # Lo que entra al libro no sale: se comprueba aquí con la misma lectura estricta que hará el centro.
        de_contenido(contenido)
        ultima, previo = _ultimo(self.conexion)
        sobre = replace(
            self._molde, secuencia=ultima + 1, previo=previo, creado=creado, reloj=calidad, contenido=contenido
        )
        compacto = sellar(sobre, self._firmante)
        asiento = Asiento(ultima + 1, huella(compacto))
        eleccion, casilla = pertenencia(hecho)
        self.conexion.execute(
            "INSERT INTO hechos VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                asiento.secuencia,
                asiento.huella,
                previo,
                compacto,
                eleccion,
                casilla,
                tipo_de(hecho),
                creado.isoformat(),
            ),
        )
        self.conexion.execute("INSERT INTO bandeja (secuencia) VALUES (?)", (asiento.secuencia,))
        imagenes_declaradas.declarar(self.conexion, hecho, asiento.secuencia)
        return asiento

    def encargar(self, acta: IdActa, persona: str, desde: datetime) -> None:
        self.conexion.execute(
            "INSERT OR REPLACE INTO encargos VALUES (?, ?, ?, ?)",
            (acta.eleccion, acta.casilla, persona, desde.isoformat()),
        )

    def desencargar(self, acta: IdActa) -> None:
        self.conexion.execute("DELETE FROM encargos WHERE eleccion = ? AND casilla = ?", (acta.eleccion, acta.casilla))

    def anotar(self, hora: datetime, evento: str, *, persona: str = "", acta: str = "", detalle: str = "") -> None:
        """Agrega un renglón a la bitácora; `evento` es uno de `nucleo/eventos.toml`."""
        bitacora.anotar(self.conexion, RenglonDeBitacora(hora.isoformat(), evento, persona, acta, detalle))


class Almacen:
    """El archivo abierto. Se puede compartir entre hilos: cada operación toma su turno."""

    def __init__(self, conexion: sqlite3.Connection, ruta: Path, molde: Sobre, firmante: Firmante) -> None:
        self.ruta = ruta
        self.equipo = molde.equipo
        self.epoca = molde.epoca
        self._conexion = conexion
        self._molde = molde
        self._firmante = firmante
        self._turno = threading.RLock()

    @classmethod
    def abrir(
        cls, ruta: Path, identidad: Identidad, firmante: Firmante, *, proceso: str, sistema: str, arranque: str
    ) -> Almacen:
        """Abre el almacén, lo crea si no existe y comprueba que esté sano y sea de este kiosco.

        Args:
            proceso: clave del proceso, como va en cada sobre.
            sistema: huella del programa; arranque: identificador del arranque del sistema operativo.

        Raises:
            Falla: ALMACEN_DANADO, ALMACEN_AJENO o la causa física.
        """
        with explicada():
            conexion = apertura.conectar(ruta, (identidad.equipo, identidad.epoca, proceso, identidad.modo))
        i = identidad
        molde = Sobre(
            proceso,
            i.modo,
            i.catd,
            i.equipo,
            i.epoca,
            0,
            CADENA_NUEVA,
            datetime.min,
            "",
            arranque,
            sistema,
            contenido={},
        )
        return cls(conexion, ruta, molde, firmante)

    def desconectar(self) -> None:
        with self._turno:
            self._conexion.close()

    @contextlib.contextmanager
    def transaccion(self) -> Iterator[Transaccion]:
        """Una escritura completa: si algo falla no queda nada de ella.

        Raises:
            Falla: DISCO_LLENO, DISCO, OCUPADO o ALMACEN_DANADO.
        """
        with self._turno, explicada():
            self._conexion.execute("BEGIN IMMEDIATE")
            try:
                yield Transaccion(self._conexion, self._molde, self._firmante)
                self._conexion.execute("COMMIT")
            except BaseException:
                # Con el disco lleno SQLite pudo haber deshecho ya; lo importante es no dejarla abierta.
                with contextlib.suppress(sqlite3.Error):
                    if self._conexion.in_transaction:
                        self._conexion.execute("ROLLBACK")
                raise

    @contextlib.contextmanager
    def lectura(self) -> Iterator[Lectura]:
        """Una mirada consistente; dentro de `transaccion`, la de esa transacción. Raises: Falla."""
        with self._turno, explicada():
            if self._conexion.in_transaction:
                yield Lectura(self._conexion)
                return
            self._conexion.execute("BEGIN")
            try:
                yield Lectura(self._conexion)
            finally:
                self._conexion.execute("ROLLBACK")

    def asentar(self, hechos: Sequence[Hecho], creado: datetime, calidad: str) -> tuple[Asiento, ...]:
        """Asienta sin más condición, en una transacción propia. Raises: Falla, HechoInvalido."""
        with self.transaccion() as t:
            return t.asentar(hechos, creado, calidad)

    def hechos_de(self, acta: IdActa) -> list[HechoDeActa]:
        """Historia del acta en este kiosco, en orden de secuencia. Raises: Falla."""
        with self.lectura() as mirada:
            return mirada.hechos_de(acta)

    def hechos_desde(self, secuencia: int) -> list[tuple[int, Hecho]]:
        """Hechos posteriores a `secuencia`, en orden. Raises: Falla."""
        with self.lectura() as mirada:
            filas = mirada.conexion.execute(
                "SELECT secuencia, sobre FROM hechos WHERE secuencia > ? ORDER BY secuencia", (secuencia,)
            )
            return [(s, de_contenido(_contenido(sobre))) for s, sobre in filas]

    def ultimo(self) -> Asiento:
        """Último asiento; secuencia 0 y `CADENA_NUEVA` si no hay ninguno. Raises: Falla."""
        # Una sola consulta no necesita transacción, y el enlace pregunta esto veinte veces por segundo.
        with self._turno, explicada():
            return Asiento(*_ultimo(self._conexion))

    # ---------------------------------------------------------------------------------------------------------- bandeja

    def pendientes(self, desde: int = 1, limite: int = 48) -> list[Pendiente]:
        """Sobres sin acuse y sin apartar, de `desde` en adelante, en orden. Raises: Falla."""
        with self.lectura() as mirada:
            return bandeja.pendientes(mirada.conexion, desde, limite)

    def apartados(self, limite: int = 48, desde: int = 1) -> list[Pendiente]:
        """Los que el centro apartó y siguen sin acuse, de `desde` en adelante y luego los de antes. Raises: Falla."""
        with self.lectura() as mirada:
            return bandeja.apartados(mirada.conexion, limite, desde)

    def sobres(self, desde: int, hasta: int, limite: int = 48) -> list[Pendiente]:
        """Sobres de ese rango, acusados o no: si el centro los vuelve a pedir, se le vuelven a dar. Raises: Falla."""
        with self.lectura() as mirada:
            return bandeja.sobres(mirada.conexion, desde, hasta, limite)

    def cerrar(self, acuse: Acuse, recibido: datetime) -> ResultadoAcuse:
        """Aplica un acuse cuya firma ya se verificó; es lo único que cierra renglones.

        Args:
            recibido: cuándo llegó, por el reloj de la máquina y con huso.

        Raises:
            Falla: si no se pudo escribir; no cambió nada.
        """
        with self.transaccion() as t:
            return bandeja.aplicar(t, acuse, recibido, self.equipo, self.epoca)

    def resumen(self) -> Resumen:
        """Cómo va la bandeja. Raises: Falla."""
        with self.lectura() as mirada:
            return bandeja.resumen(mirada.conexion)

    # --------------------------------------------------------------------------------------------------------- imágenes

    def imagenes_pendientes(self, limite: int) -> list[ImagenPorEnviar]:
        """Las que el centro no tiene y cuyo hecho ya acusó, en el orden en que se mandan. Raises: Falla."""
        with self.lectura() as mirada:
            return imagenes_declaradas.pendientes(mirada.conexion, limite)

    def recibir(self, recibo: Recibo, recibido: datetime) -> bool:
        """Aplica un recibo cuya firma ya se verificó; es lo único que cierra imágenes. Falso si es de otra cadena.

        Raises:
            Falla: si no se pudo escribir; no cambió nada.
        """
        with self.transaccion() as t:
            return imagenes_declaradas.aplicar(t, recibo, recibido, self.equipo, self.epoca)

    def imagen_perdida(self, sha256: str) -> None:
        """Anota que una imagen por mandar ya no está, o se dañó, en el disco. Raises: Falla."""
        with self.transaccion() as t:
            imagenes_declaradas.perder(t, sha256, datetime.now(UTC))

    def resumen_de_imagenes(self) -> ResumenDeImagenes:
        """Cómo van las imágenes. Raises: Falla."""
        with self.lectura() as mirada:
            return imagenes_declaradas.resumen(mirada.conexion)

    def medir_imagen(self, sha256: str, total: int) -> None:
        """Anota cuánto mide una imagen cuyo hecho no lo dice. Raises: Falla."""
        with self.transaccion() as t:
            imagenes_declaradas.medir(t.conexion, sha256, total)


def _ultimo(conexion: sqlite3.Connection) -> tuple[int, str]:
    fila = conexion.execute("SELECT secuencia, huella FROM hechos ORDER BY secuencia DESC LIMIT 1").fetchone()
    return (fila[0], fila[1]) if fila else (0, CADENA_NUEVA)


def _hechos_de(conexion: sqlite3.Connection, acta: IdActa) -> list[HechoDeActa]:
    filas = conexion.execute(
        "SELECT sobre FROM hechos WHERE eleccion = ? AND casilla = ? ORDER BY secuencia", (acta.eleccion, acta.casilla)
    )
    hechos = [de_contenido(_contenido(sobre)) for (sobre,) in filas]
    return [h for h in hechos if not isinstance(h, FueraDeCatalogo | HojaDeBitacora)]
