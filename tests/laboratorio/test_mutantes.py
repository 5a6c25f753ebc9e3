"""Siete errores clásicos metidos a propósito en el código de producción: el juez debe atrapar los siete.

Un laboratorio que nunca reprueba no prueba nada. Cada mutante cambia en memoria una sola decisión; con las mismas
semillas, el código sin tocar no viola ningún invariante.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import pytest

from appliance import bandeja
from appliance.bandeja import Pendiente, ResultadoAcuse
from appliance.enlace.envio import Envio
from ensayo.laboratorio.noche import plan_de
from ensayo.laboratorio.tanda import vivir_plan
from nucleo.latido import Latido
from servicio_central import almacen as del_centro
from servicio_central.almacen import Almacen
from servicio_central.cadena import Cadena, Eslabon
from servicio_central.esquema import ESQUEMA
from servicio_central.ingesta import Destino, Dictamen, Ingesta

SEMILLAS: Final = range(40)
"""En cuántas noches, a lo más, debe caer cada mutante."""

Mutar = Callable[[pytest.MonkeyPatch], None]


def cerrar_con_puback(parche: pytest.MonkeyPatch) -> None:
    """Que el bróker lo tome basta para no volver a mandarlo."""
    original = Envio._anotar

    def anotar(self: Envio, fila: Pendiente, ahora: float) -> None:
        original(self, fila, ahora)
        with self._libro.transaccion() as t:  # type: ignore[attr-defined]
            t.conexion.execute("UPDATE bandeja SET estado = 'cerrado' WHERE secuencia = ?", (fila.secuencia,))

    parche.setattr(Envio, "_anotar", anotar)


def acusar_antes_de_confirmar(parche: pytest.MonkeyPatch) -> None:
    """El acuse sale con la transacción todavía abierta; se confirma con la siguiente."""

    @contextmanager
    def transaccion(self: Almacen) -> Iterator[None]:
        if self.bd.in_transaction:
            self.bd.execute("COMMIT")
        self.bd.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            if self.bd.in_transaction:
                self.bd.execute("ROLLBACK")
            raise

    parche.setattr(Almacen, "transaccion", transaccion)


def no_revisar_la_cadena(parche: pytest.MonkeyPatch) -> None:
    """`contiguo` avanza aunque el `previo` no sea la huella del anterior."""

    def agregar(self: Cadena, secuencia: int, eslabon: Eslabon) -> None:
        self.sueltos[secuencia] = eslabon
        while (siguiente := self.sueltos.get(self.contiguo + 1)) is not None:
            self.contiguo += 1
            self.huella = siguiente.huella
            del self.sueltos[self.contiguo]

    parche.setattr(Cadena, "agregar", agregar)


def sin_idempotencia(parche: pytest.MonkeyPatch) -> None:
    """Lo que llega dos veces se guarda dos veces."""
    esquema = ESQUEMA.replace("huella TEXT NOT NULL UNIQUE,\n  equipo", "huella TEXT NOT NULL,\n  equipo")
    parche.setattr(
        del_centro,
        "ESQUEMA",
        esquema.replace("sobre TEXT NOT NULL,\n  UNIQUE (equipo, epoca, secuencia)", "sobre TEXT NOT NULL"),
    )
    parche.setattr(del_centro, "disparadores", lambda: "")
    parche.setattr(Almacen, "huella_en", lambda *_: None)
    agregar = Cadena.agregar
    parche.setattr(Cadena, "agregar", lambda c, s, e: None if c.conoce(s) else agregar(c, s, e))


class _SiempreIgual(str):
    def __ne__(self, _otra: object) -> bool:
        return False

    __hash__ = str.__hash__


def ignorar_la_huella(parche: pytest.MonkeyPatch) -> None:
    """El acuse cierra por secuencia, sea cual sea la hoja que el centro tiene ahí."""
    parche.setattr(bandeja, "_huella_en", lambda *_: _SiempreIgual())


def dar_por_bueno_lo_cerrado(parche: pytest.MonkeyPatch) -> None:
    """Lo que se cerró no se vuelve a ofrecer, diga lo que diga después el centro."""
    parche.setattr(bandeja, "_en_duda", lambda *_: ())


def ordenar_por_reloj_de_pared(parche: pytest.MonkeyPatch) -> None:
    """«Hasta la 7» se entiende como «hasta la hora de la 7»."""
    original = bandeja.aplicar

    def aplicar(t: Any, acuse: Any, *resto: Any) -> ResultadoAcuse:
        resultado = original(t, acuse, *resto)
        t.conexion.execute(
            "UPDATE bandeja SET estado = 'cerrado' WHERE secuencia IN (SELECT secuencia FROM hechos WHERE creado <= "
            "(SELECT creado FROM hechos WHERE secuencia = ? AND huella = ?))",
            (acuse.contiguo, acuse.huella),
        )
        return resultado

    parche.setattr(bandeja, "aplicar", aplicar)


def ordenar_latidos_por_reloj(parche: pytest.MonkeyPatch) -> None:
    """Un latido con hora anterior a la del último no cuenta."""

    def es_primer_latido(self: Almacen, latido: Latido) -> bool:
        fila = self.bd.execute("SELECT hora FROM latidos WHERE equipo = ?", (latido.equipo,)).fetchone()
        return fila is None or fila[0] < latido.hora

    parche.setattr(Almacen, "es_primer_latido", es_primer_latido)


def borrar_antes_de_tiempo(parche: pytest.MonkeyPatch) -> None:
    """Lo acusado se borra del kiosco, para que quepa más."""
    original = bandeja.aplicar

    def aplicar(t: Any, acuse: Any, *resto: Any) -> ResultadoAcuse:
        resultado = original(t, acuse, *resto)
        for tabla in ("imagenes", "hechos", "bandeja"):
            t.conexion.execute(f"DROP TRIGGER IF EXISTS {tabla}_sin_delete")
        cerrados = (
            "SELECT secuencia FROM bandeja WHERE estado = 'cerrado' AND secuencia < (SELECT max(secuencia) FROM hechos)"
        )
        viejos = [f for f in t.conexion.execute(cerrados) if f[0] < acuse.contiguo]
        t.conexion.executemany("DELETE FROM imagenes WHERE secuencia = ?", viejos)
        t.conexion.executemany("DELETE FROM bandeja WHERE secuencia = ?", viejos)
        t.conexion.executemany("DELETE FROM hechos WHERE secuencia = ?", viejos)
        return resultado

    parche.setattr(bandeja, "aplicar", aplicar)


def mandar_imagenes_antes_que_cifras(parche: pytest.MonkeyPatch) -> None:
    """Los trozos no esperan a que salgan las cifras, y salen antes."""
    parche.setattr(Envio, "hay_por_mandar", lambda *_: False)
    mandar = Envio.mandar

    def despacio(self: Envio, ahora: float, publicar: Callable[[str], bool]) -> int:
        return mandar(self, ahora, publicar) if int(ahora) % 3 == 0 else 0

    parche.setattr(Envio, "mandar", despacio)


def callar_lo_bifurcado(parche: pytest.MonkeyPatch) -> None:
    """El centro toma por repetida cualquier hoja de una secuencia que ya tiene."""

    def hecho(self: Ingesta, hecho: Any, lote: Any) -> Any:
        if self._almacen.huella_en(hecho.equipo, hecho.epoca, hecho.secuencia) is None:
            return verdadero(self, hecho, lote)
        lote.tocadas.setdefault((hecho.equipo, hecho.epoca), set()).add(hecho.secuencia)
        return Dictamen(Destino.REPETIDO)

    verdadero = Ingesta._hecho
    parche.setattr(Ingesta, "_hecho", hecho)


MUTANTES: Final[Sequence[Mutar]] = (
    cerrar_con_puback,
    acusar_antes_de_confirmar,
    no_revisar_la_cadena,
    sin_idempotencia,
    ignorar_la_huella,
    callar_lo_bifurcado,
    dar_por_bueno_lo_cerrado,
    ordenar_por_reloj_de_pared,
    ordenar_latidos_por_reloj,
    borrar_antes_de_tiempo,
    mandar_imagenes_antes_que_cifras,
)


def _primera_que_falla() -> tuple[int, list[str]] | None:
    for semilla in SEMILLAS:
        if violaciones := vivir_plan(plan_de(semilla)).violaciones:
            return semilla, violaciones
    return None


@pytest.mark.parametrize("mutar", MUTANTES, ids=lambda m: m.__name__)
def test_el_juez_atrapa_al_mutante_y_absuelve_al_codigo_sin_tocar(mutar: Mutar) -> None:
    with pytest.MonkeyPatch.context() as parche:
        mutar(parche)
        caida = _primera_que_falla()
    assert caida is not None, f"{mutar.__name__} sobrevivió {len(SEMILLAS)} noches"
    semilla, violaciones = caida
    print(f"{mutar.__name__}: semilla {semilla}: {violaciones[0]}")
    assert vivir_plan(plan_de(semilla)).violaciones == []
