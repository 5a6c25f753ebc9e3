"""El almacén del centro en PostgreSQL con réplica síncrona: varios ingestores pueden escribir a la vez.

Cada transacción aparta los equipos de su lote (`pg_advisory_xact_lock`), lee de ellos lo guardado, y al final agrega
todo de un golpe. Si la conexión se pierde, el lote entero se repite: lo que ya estaba sale `repetido`.

Toda transacción escribe algo en el WAL, aunque no traiga nada nuevo. Sin eso, repetir un lote cuyo primer COMMIT se
cortó esperando a la réplica encontraría los hechos en el primario y los acusaría sin que nadie más los tuviera.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import fields
from typing import Final

from nucleo.latido import Latido
from servicio_central import almacen
from servicio_central.almacen import Asentado
from servicio_central.cadena import Cadena, Eslabon, de_eslabones
from servicio_central.conexion_postgres import Postgres
from servicio_central.puerto_almacen import FallaDelAlmacen, Sabido

_HECHO: Final = tuple(f.name for f in fields(Asentado))
_LATIDO: Final = tuple(f.name for f in fields(Latido))


class AlmacenPostgres:
    """La conexión de un ingestor. Cumple `PuertoAlmacen`; toda operación puede lanzar `FallaDelAlmacen`."""

    compartido = True

    def __init__(self, dsn: str) -> None:
        # Un ingestor que se congela con equipos apartados no debe detener a los demás.
        opciones = {"synchronous_commit": "on", "idle_in_transaction_session_timeout": "30s", "lock_timeout": "30s"}
        self.bd = Postgres(dsn, "read-write", opciones)
        self._desbordados: dict[tuple[str, str], int] = {}
        self._lugares: dict[tuple[str, str, int], str | None] = {}
        self._por_agregar: list[tuple[Asentado, str]] = []
        self._por_guardar: dict[tuple[str, str], Cadena] = {}
        self.bd.abrir()

    def cerrar(self) -> None:
        self.bd.close()

    @contextmanager
    def transaccion(self) -> Iterator[None]:
        self._olvidar()
        try:
            self.bd.execute("BEGIN ISOLATION LEVEL READ COMMITTED")
            self.bd.execute("SELECT pg_logical_emit_message(true, 'prep', '')")
            yield
            self._vaciar()
            self.bd.confirmar()
        except BaseException:
            self.bd.deshacer()
            raise
        finally:
            self._olvidar()

    def _olvidar(self) -> None:
        self._lugares, self._por_agregar, self._por_guardar = {}, [], {}

    def _vaciar(self) -> None:
        if self._por_agregar:
            renglones = [(*(getattr(h, c) for c in _HECHO), recibido) for h, recibido in self._por_agregar]
            columnas = [list(c) for c in zip(*renglones, strict=True)]
            tipos = ", ".join("?::bigint[]" if c == "secuencia" else "?::text[]" for c in (*_HECHO, "recibido"))
            hecho = self.bd.execute(
                f"INSERT INTO hechos ({', '.join(_HECHO)}, recibido) SELECT * FROM unnest({tipos})"
                " ON CONFLICT DO NOTHING",
                columnas,
            )
            if hecho.rowcount != len(renglones):
                # Alguien escribió sin apartar el equipo. Repetir el lote lo verá como repetido o bifurcado.
                raise FallaDelAlmacen(f"otro escritor agregó {len(renglones) - hecho.rowcount} de estos hechos")
        if self._por_guardar:
            filas = [(e, p, c.contiguo, c.huella) for (e, p), c in sorted(self._por_guardar.items())]
            self.bd.execute(
                "INSERT INTO cadenas SELECT * FROM unnest(?::text[], ?::text[], ?::bigint[], ?::text[])"
                " ON CONFLICT (equipo, epoca) DO UPDATE SET contiguo = excluded.contiguo, huella = excluded.huella",
                [list(c) for c in zip(*filas, strict=True)],
            )

    # ------------------------------------------------------------------------------------------------------- compartido

    def tomar(self, equipos: Collection[str], lugares: Collection[tuple[str, str, int]] = ()) -> Sabido:
        suyos = [sorted(equipos)]
        # Todos apartan en el mismo orden: ninguno espera a quien lo espera. OFFSET 0 impide que se apliquen antes de
        # ordenarse.
        self.bd.execute(
            "SELECT pg_advisory_xact_lock(k) FROM"
            " (SELECT hashtextextended(e, 0) AS k FROM unnest(?::text[]) AS e ORDER BY 1 OFFSET 0) AS orden",
            suyos,
        )
        cadenas = {
            (e, p): Cadena(n, h)
            for e, p, n, h in self.bd.execute(
                "SELECT equipo, epoca, contiguo, huella FROM cadenas WHERE equipo = ANY(?)", suyos
            )
        }
        for e, p, n, huella, previo in self.bd.execute(
            "SELECT h.equipo, h.epoca, h.secuencia, h.huella, h.previo FROM hechos h LEFT JOIN cadenas c"
            " ON c.equipo = h.equipo AND c.epoca = h.epoca"
            " WHERE h.equipo = ANY(?) AND h.secuencia > coalesce(c.contiguo, 0)",
            suyos,
        ):
            cadenas.setdefault((e, p), Cadena()).agregar(n, Eslabon(huella, previo))
        for e, p, n in self.bd.execute("SELECT equipo, epoca, secuencia FROM latidos WHERE equipo = ANY(?)", suyos):
            cadenas.setdefault((e, p), Cadena()).anunciada = n
        self._lugares = dict.fromkeys(lugares)
        if self._lugares:
            for e, p, n, huella in self.bd.execute(
                "SELECT equipo, epoca, secuencia, huella FROM hechos JOIN"
                " unnest(?::text[], ?::text[], ?::bigint[]) AS u (equipo, epoca, secuencia)"
                " USING (equipo, epoca, secuencia)",
                [list(c) for c in zip(*self._lugares, strict=True)],
            ):
                self._lugares[e, p, n] = huella
        con_apartados = self.bd.execute(
            "SELECT equipo FROM cuarentena WHERE equipo = ANY(?) UNION SELECT equipo FROM bifurcaciones"
            " WHERE equipo = ANY(?)",
            suyos * 2,
        )
        esperan = self.bd.execute("SELECT huella FROM en_espera WHERE equipo = ANY(?)", suyos)
        return Sabido(cadenas, frozenset(e for (e,) in con_apartados), frozenset(h for (h,) in esperan))

    # ------------------------------------------------------------------------------------------------------------ hecho

    def huella_en(self, equipo: str, epoca: str, secuencia: int) -> str | None:
        if (equipo, epoca, secuencia) in self._lugares:
            return self._lugares[equipo, epoca, secuencia]
        fila = self.bd.execute(
            "SELECT huella FROM hechos WHERE equipo = ? AND epoca = ? AND secuencia = ?", (equipo, epoca, secuencia)
        ).fetchone()
        return None if fila is None else str(fila[0])

    def contiene(self, huella: str) -> bool:
        if any(h.huella == huella for h, _ in self._por_agregar):
            return True
        return self.bd.execute("SELECT 1 FROM hechos WHERE huella = ?", (huella,)).fetchone() is not None

    def agregar(self, hecho: Asentado, recibido: str) -> None:
        """Queda para el final de la transacción, con todo el lote."""
        self._por_agregar.append((hecho, recibido))
        self._lugares[hecho.equipo, hecho.epoca, hecho.secuencia] = hecho.huella

    # ----------------------------------------------------------------------------------------------------------- cadena

    def cadenas_desde_hechos(self) -> dict[tuple[str, str], Cadena]:
        grupos: dict[tuple[str, str], list[tuple[int, Eslabon]]] = {}
        for e, p, n, huella, previo in self.bd.execute("SELECT equipo, epoca, secuencia, huella, previo FROM hechos"):
            grupos.setdefault((e, p), []).append((n, Eslabon(huella, previo)))
        return {clave: de_eslabones(eslabones) for clave, eslabones in grupos.items()}

    def cadenas_guardadas(self) -> dict[tuple[str, str], tuple[int, str]]:
        filas = self.bd.execute("SELECT equipo, epoca, contiguo, huella FROM cadenas")
        return {(e, p): (n, h) for e, p, n, h in filas}

    def anunciadas(self) -> dict[tuple[str, str], int]:
        return {(e, p): n for e, p, n in self.bd.execute("SELECT equipo, epoca, secuencia FROM latidos")}

    def guardar_cadena(self, equipo: str, epoca: str, cadena: Cadena) -> None:
        self._por_guardar[equipo, epoca] = cadena

    # --------------------------------------------------------------------------------------------- lo que no se pudo co

    def bifurcar(self, hecho: Asentado, contada: str, recibido: str) -> bool:
        if self._ya_visto(hecho.huella) or self._desborda("bifurcaciones", hecho.equipo, recibido):
            return False
        self.bd.execute(
            "INSERT INTO bifurcaciones (equipo, epoca, secuencia, huella_contada, huella, sobre, recibido)"
            " VALUES (?,?,?,?,?,?,?)",
            (hecho.equipo, hecho.epoca, hecho.secuencia, contada, hecho.huella, hecho.sobre, recibido),
        )
        self._primera_vez(hecho.huella)
        return True

    def apartar(
        self,
        sha256: str,
        huella: str,
        equipo: str | None,
        tema: str,
        codigo: str,
        causa: str,
        datos: bytes,
        tamano: int,
        recibido: str,
    ) -> bool:
        if equipo is None:
            # Lo que no es de nadie conocido también va de uno en uno.
            self.bd.execute("SELECT pg_advisory_xact_lock(0)")
        if self._ya_visto(sha256) or self._desborda("cuarentena", equipo, recibido):
            return False
        self.bd.execute(
            "INSERT INTO cuarentena (sha256, huella, equipo, tema, codigo, causa, tamano, bytes, primera_vez)"
            " VALUES (?,?,?,?,?,?,?,?,?)",
            (sha256, huella, equipo, tema, codigo, causa, tamano, datos, recibido),
        )
        self._primera_vez(sha256)
        return True

    def apartados_de(self, equipo: str, cuantos: int) -> list[tuple[str, str]]:
        filas = self.bd.execute(
            "SELECT huella, codigo, max(ultima) AS u FROM ("
            " SELECT c.huella, c.codigo, v.ultima FROM cuarentena c JOIN veces v ON v.clave = c.sha256"
            "  WHERE c.equipo = ? AND c.huella <> '' AND c.tema LIKE '%/hechos'"
            " UNION ALL SELECT b.huella, 'BIFURCADO', v.ultima FROM bifurcaciones b JOIN veces v ON v.clave = b.huella"
            "  WHERE b.equipo = ?) AS apartados"
            " WHERE NOT EXISTS (SELECT 1 FROM hechos h WHERE h.huella = apartados.huella)"
            " GROUP BY huella, codigo ORDER BY u DESC LIMIT ?",
            (equipo, equipo, cuantos),
        )
        vistas: dict[str, str] = {}
        for huella, codigo, _ in filas:
            vistas.setdefault(huella, codigo)
        return list(vistas.items())

    def equipos_con_apartados(self) -> set[str]:
        filas = self.bd.execute(
            "SELECT equipo FROM cuarentena WHERE equipo IS NOT NULL UNION SELECT equipo FROM bifurcaciones"
        )
        return {equipo for (equipo,) in filas}

    def esperar(self, huella: str, equipo: str, tema: str, codigo: str, causa: str, datos: bytes, desde: str) -> None:
        if self.bd.execute("SELECT 1 FROM en_espera WHERE huella = ?", (huella,)).fetchone():
            return
        if self._desborda("en_espera", equipo, desde):
            return
        self.bd.execute(
            "INSERT INTO en_espera VALUES (?,?,?,?,?,?,?)", (huella, equipo, tema, codigo, causa, datos, desde)
        )

    def esperan(self) -> list[tuple[str, bytes]]:
        filas = self.bd.execute("SELECT tema, bytes FROM en_espera ORDER BY desde, huella")
        return [(tema, bytes(datos)) for tema, datos in filas]

    def huellas_en_espera(self) -> set[str]:
        return {huella for (huella,) in self.bd.execute("SELECT huella FROM en_espera")}

    def ya_no_espera(self, huella: str) -> None:
        self.bd.execute("DELETE FROM en_espera WHERE huella = ?", (huella,))

    def _ya_visto(self, clave: str) -> bool:
        visto = self.bd.execute(
            "UPDATE veces SET veces = veces + 1, ultima = nextval('turnos') WHERE clave = ?", (clave,)
        )
        return visto.rowcount > 0

    def _primera_vez(self, clave: str) -> None:
        self.bd.execute("INSERT INTO veces VALUES (?, 1, nextval('turnos'))", (clave,))

    def _desborda(self, tabla: str, equipo: str | None, ahora: str) -> bool:
        clave = (tabla, equipo or "")
        cuantos = self._desbordados.get(clave, -1)
        if cuantos < almacen.TOPE_APARTADOS:
            # El nombre de la tabla viene de este archivo, nunca de fuera.
            filtro = f"SELECT count(*) FROM {tabla} WHERE equipo IS NOT DISTINCT FROM ?"
            (cuantos,) = self.bd.execute(filtro, (equipo,)).fetchone() or (0,)
        if cuantos < almacen.TOPE_APARTADOS:
            return False
        # en_espera también baja: de ella no se recuerda que estuvo llena.
        if tabla != "en_espera":
            self._desbordados[clave] = cuantos
        self.bd.execute(
            "INSERT INTO desbordes VALUES (?, 1, ?) ON CONFLICT (clave)"
            " DO UPDATE SET veces = desbordes.veces + 1, ultima_vez = excluded.ultima_vez",
            (f"{tabla}/{equipo or ''}", ahora),
        )
        return True

    # ----------------------------------------------------------------------------------------------------------- latido

    def ultimo_latido(self, equipo: str) -> tuple[str, bool] | None:
        fila = self.bd.execute("SELECT sesion, motivo FROM latidos WHERE equipo = ?", (equipo,)).fetchone()
        return None if fila is None else (str(fila[0]), fila[1] == "muerte")

    def es_primer_latido(self, latido: Latido) -> bool:
        visto = self.bd.execute(
            "INSERT INTO latidos_vistos VALUES (?,?,?) ON CONFLICT DO NOTHING",
            (latido.equipo, latido.sesion, latido.hora),
        )
        return visto.rowcount > 0

    def guardar_latido(self, latido: Latido, recibido: str, *, retroceso: bool) -> None:
        nuevas = ", ".join(f"{c} = excluded.{c}" for c in (*_LATIDO[1:], "recibido", "retroceso"))
        self.bd.execute(
            f"INSERT INTO latidos ({', '.join(_LATIDO)}, recibido, retroceso)"
            f" VALUES ({', '.join('?' for _ in (*_LATIDO, 1, 1))}) ON CONFLICT (equipo) DO UPDATE SET {nuevas}",
            [*(getattr(latido, c) for c in _LATIDO), recibido, int(retroceso)],
        )

    def guardar_muerte(self, equipo: str, recibido: str) -> None:
        self.bd.execute("UPDATE latidos SET motivo = 'muerte', recibido = ? WHERE equipo = ?", (recibido, equipo))
