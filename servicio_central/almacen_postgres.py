"""El almacén del centro en PostgreSQL con réplica síncrona: varios ingestores pueden escribir a la vez.

Cada transacción aparta los equipos de su lote (`pg_advisory_xact_lock`), lee de ellos lo guardado, y al final agrega
todo de un golpe. Si la conexión se pierde, el lote entero se repite: lo que ya estaba sale `repetido`.

Toda transacción escribe algo en el WAL, aunque no traiga nada nuevo. Sin eso, repetir un lote cuyo primer COMMIT se
cortó esperando a la réplica encontraría los hechos en el primario y los acusaría sin que nadie más los tuviera.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager

from servicio_central.almacen_comun import HECHO, AlmacenComun, del_hecho
from servicio_central.cadena import Cadena, Eslabon
from servicio_central.conexion_postgres import Postgres
from servicio_central.puerto_almacen import Asentado, FallaDelAlmacen, Sabido


class AlmacenPostgres(AlmacenComun):
    """La conexión de un ingestor. Cumple `PuertoAlmacen`; toda operación puede lanzar `FallaDelAlmacen`."""

    bd: Postgres

    compartido = True

    def __init__(self, dsn: str) -> None:
        super().__init__()
        # Un ingestor que se congela con equipos apartados no debe detener a los demás.
        opciones = {"synchronous_commit": "on", "idle_in_transaction_session_timeout": "30s", "lock_timeout": "30s"}
        self.bd = Postgres(dsn, "read-write", opciones)
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
            self._olvidar_llenos()
            self.bd.deshacer()
            raise
        finally:
            self._olvidar()

    def _olvidar(self) -> None:
        self._lugares, self._por_agregar, self._por_guardar = {}, [], {}

    def _vaciar(self) -> None:
        if self._por_agregar:
            renglones = [(*del_hecho(h), recibido) for h, recibido in self._por_agregar]
            columnas = [list(c) for c in zip(*renglones, strict=True)]
            tipos = ", ".join("?::bigint[]" if c == "secuencia" else "?::text[]" for c in (*HECHO, "recibido"))
            hecho = self.bd.execute(
                f"INSERT INTO hechos ({', '.join(HECHO)}, recibido) SELECT * FROM unnest({tipos})"
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
        return super().huella_en(equipo, epoca, secuencia)

    def contiene(self, huella: str) -> bool:
        return any(h.huella == huella for h, _ in self._por_agregar) or super().contiene(huella)

    def agregar(self, hecho: Asentado, recibido: str) -> None:
        """Queda para el final de la transacción, con todo el lote."""
        self._por_agregar.append((hecho, recibido))
        self._lugares[hecho.equipo, hecho.epoca, hecho.secuencia] = hecho.huella

    def guardar_cadena(self, equipo: str, epoca: str, cadena: Cadena) -> None:
        self._por_guardar[equipo, epoca] = cadena

    # --------------------------------------------------------------------------------------------------------- apartado

    def _apartar_lo_de_nadie(self) -> None:
        self.bd.execute("SELECT pg_advisory_xact_lock(0)")

    def _ya_visto(self, clave: str) -> bool:
        visto = self.bd.execute(
            "UPDATE veces SET veces = veces + 1, ultima = nextval('turnos') WHERE clave = ?", (clave,)
        )
        return visto.rowcount > 0

    def _primera_vez(self, clave: str) -> None:
        self.bd.execute("INSERT INTO veces VALUES (?, 1, nextval('turnos'))", (clave,))
