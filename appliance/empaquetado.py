"""Las cajas en que se guardan las actas físicas para entregarlas a la presidencia del consejo.

Un acta está en una sola caja: volver a empacarla asienta otro `Empaque` y el último manda; sacarla asienta uno en
`FUERA`. Que una caja esté cerrada no es un hecho del acta; se recuerda aquí, y de una caja cerrada ni entra ni sale
nada: su relación impresa dice lo que lleva. Sólo coordinación la reabre, con su motivo; desde entonces esa relación ya
no vale, y la que sale al cerrarla otra vez lleva su número y dice a cuál sustituye.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from appliance import rechazos
from appliance.almacen import Asiento, Lectura
from appliance.fila import acopiada
from appliance.mesa import Mesa
from appliance.rechazos import con_rechazo
from appliance.redigitalizacion import imagen_por_confirmar
from appliance.reloj import hora_creible
from nucleo.captura import SinActaDeclarada, Verificada, estado_de
from nucleo.hechos import Empaque, HechoDeActa, IdActa, Recaptura
from nucleo.problema import Rechazo

FUERA: Final = "FUERA"
"""La caja que dice el `Empaque` de un acta que se sacó de la suya: el papel no está en ninguna."""

MOTIVOS_REABRIR: Final = {
    "sacar": "Hay que sacar un acta: se va a leer o a digitalizar otra vez",
    "cuenta": "Las hojas no son las de la relación",
    "equivocada": "Se guardó un papel que no va en esta caja",
}
"""Por qué se reabre una caja, en palabras de quien coordina."""


A_NOMBRAR: Final = 5
"""Actas que se nombran cuando una caja no se cierra por ellas; de las demás se dice cuántas."""


@dataclass(frozen=True, slots=True)
class EnCaja:
    """Un acta dentro de su caja."""

    acta: IdActa
    hora: datetime
    persona: str
    huella: str
    """La del sobre de su `Empaque`: con ella se encuentra en el libro."""


@dataclass(frozen=True, slots=True)
class Caja:
    """Una caja y lo que tiene, en el orden en que se guardó."""

    nombre: str
    actas: tuple[EnCaja, ...]
    cerrada: datetime | None = None
    cerro: str = ""
    relacion: int = 1
    """Número de su relación; si está abierta, de la que saldrá al cerrarla."""
    anterior: datetime | None = None
    """Cuándo se cerró con la relación que ésta sustituye, que ya no vale; `None` si es la primera."""

    @property
    def reabierta(self) -> bool:
        """Ya se había cerrado: anda por ahí una relación que miente."""
        return self.cerrada is None and self.anterior is not None

    @property
    def visto(self) -> str:
        """Corta, y distinta si se le guarda o saca algo o se reabre: liga la página con lo que se cierra."""
        partes = (self.nombre, str(self.relacion), *(d.huella for d in self.actas))
        return hashlib.sha256(" ".join(partes).encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Empacada:
    """Quedó en `caja`, o en ninguna si es `FUERA`. `antes` es de la que salió; sin `asiento`, ya estaba."""

    caja: str
    antes: str = ""
    asiento: Asiento | None = None


class Empacador:
    """Lo que se hace en el empaquetado."""

    def __init__(self, mesa: Mesa) -> None:
        self._mesa = mesa

    @con_rechazo
    def empacar(self, acta: IdActa, persona: str, *, sin_verificar: bool = False) -> Empacada | Rechazo:
        """Guarda el acta en la caja abierta.

        Args:
            sin_verificar: coordinación admite guardarla aunque le falte alguna lectura. La que ya está en la caja y
                se mandó a capturar otra vez también se admite así; es otro `Empaque`.
        """
        if isinstance(ajena := self._mesa.renglones(acta), Rechazo):
            return ajena
        with self._mesa.almacen.transaccion() as t:
            historia = t.hechos_de(acta)
            estado = estado_de(historia)
            if isinstance(estado, SinActaDeclarada) or not acopiada(historia):
                return rechazos.sin_acopio(acta)
            if not isinstance(estado, Verificada) and not sin_verificar:
                return _por_verificar(acta)
            if cerrada := caja_cerrada_de(t, historia):
                return rechazos.en_caja_cerrada(acta, cerrada)
            if imagen_por_confirmar(historia) is not None:
                return rechazos.imagen_por_confirmar(acta)
            caja = _la_que_recibe(t)
            antes = empaque_vigente(historia)
            movida = antes is not None and antes.caja != caja
            if antes is not None and not movida and _admitida(historia):
                return Empacada(caja)
            hora = hora_creible(self._mesa.reloj)
            asientos = t.asentar([Empaque(acta, hora, caja, persona)], hora, self._mesa.reloj.calidad())
            return Empacada(caja, antes.caja if antes is not None and movida else "", asientos[0])

    @con_rechazo
    def sacar(self, acta: IdActa, persona: str) -> Empacada | Rechazo:
        """El papel sale de su caja, que está abierta o reabierta, y no queda en ninguna hasta guardarse otra vez."""
        if isinstance(ajena := self._mesa.renglones(acta), Rechazo):
            return ajena
        with self._mesa.almacen.transaccion() as t:
            historia = t.hechos_de(acta)
            antes = empaque_vigente(historia)
            if antes is None:
                return _en_ninguna(acta)
            if cerrada := caja_cerrada_de(t, historia):
                return rechazos.en_caja_cerrada(acta, cerrada)
            hora = hora_creible(self._mesa.reloj)
            asientos = t.asentar([Empaque(acta, hora, FUERA, persona)], hora, self._mesa.reloj.calidad())
            return Empacada(FUERA, antes.caja, asientos[0])

    @con_rechazo
    def cerrar_caja(self, persona: str, nombre: str | None = None, visto: str | None = None) -> Caja | Rechazo:
        """Cierra la caja abierta y devuelve lo que lleva. La siguiente queda abierta.

        No se cierra, y se dice por cuáles, si a algún acta le falta decidir sobre su imagen, o se mandó a capturar otra
        vez después de guardarla y coordinación no la ha admitido así.

        Args:
            nombre: la que la persona tiene enfrente, abierta o reabierta; si ya se cerró, no se cierra ninguna.
            visto: `Caja.visto` de la que tiene enfrente; si ya no es como la vio, no se cierra.
        """
        with self._mesa.almacen.transaccion() as t:
            cajas = _cajas(t)
            caja = next((c for c in cajas if c.nombre == nombre), cajas[-1])
            if caja.cerrada is not None or nombre not in (None, caja.nombre):
                return _ya_cerrada(nombre or "", cajas[-1].nombre)
            if visto is not None and visto != caja.visto:
                return _cambio(caja)
            if not caja.actas:
                return _vacia(caja.nombre)
            if detenida := _detenida(t, caja):
                return detenida
            hora = hora_creible(self._mesa.reloj)
            t.conexion.execute(
                "INSERT INTO cajas (caja, relacion, cerrada, persona) VALUES (?, ?, ?, ?)",
                (caja.nombre, caja.relacion, hora.isoformat(), persona),
            )
            detalle = f"{caja.nombre}: {len(caja.actas)} actas, relación {caja.relacion}"
            t.anotar(hora, "caja_cerrada", persona=persona, detalle=detalle)
            return replace(caja, cerrada=hora, cerro=persona)

    @con_rechazo
    def reabrir_caja(self, quien_coordina: str, nombre: str, motivo: str) -> Caja | Rechazo:
        """Coordinación reabre una caja cerrada: se puede sacar lo que lleva. Su relación impresa deja de valer.

        Si era la última, vuelve a ser la que recibe; si no, sólo espera a que se cierre otra vez.

        Args:
            motivo: una llave de `MOTIVOS_REABRIR`.
        """
        if motivo not in MOTIVOS_REABRIR:
            return rechazos.forma("falta decir por qué se reabre la caja")
        with self._mesa.almacen.transaccion() as t:
            caja = next((c for c in _cajas(t) if c.nombre == nombre and c.cerrada is not None), None)
            if caja is None:
                return _no_esta_cerrada(nombre)
            hora = hora_creible(self._mesa.reloj)
            t.conexion.execute(
                "UPDATE cajas SET reabierta = ? WHERE caja = ? AND relacion = ?",
                (hora.isoformat(), nombre, caja.relacion),
            )
            detalle = f"{nombre}: {len(caja.actas)} actas; {MOTIVOS_REABRIR[motivo].lower()}"
            t.anotar(hora, "caja_reabierta", persona=quien_coordina, detalle=detalle)
            return Caja(nombre, caja.actas, None, "", caja.relacion + 1, caja.cerrada)

    @con_rechazo
    def cajas(self) -> tuple[Caja, ...] | Rechazo:
        """Todas, en orden; la última es la abierta, aunque esté vacía. Una que tuvo relación no se olvida."""
        with self._mesa.almacen.lectura() as mirada:
            return _cajas(mirada)


def empaque_vigente(historia: Sequence[HechoDeActa]) -> Empaque | None:
    """El último empaque del acta; `None` si nunca se guardó o se sacó de su caja."""
    ultimo = next((h for h in reversed(historia) if isinstance(h, Empaque)), None)
    return ultimo if ultimo is not None and ultimo.caja != FUERA else None


def caja_cerrada_de(mirada: Lectura, historia: Sequence[HechoDeActa]) -> str:
    """La caja cerrada en que está el papel; vacía si está fuera o en una abierta."""
    empaque = empaque_vigente(historia)
    if empaque is None:
        return ""
    return empaque.caja if empaque.caja in _cerradas(mirada) else ""


def _admitida(historia: Sequence[HechoDeActa]) -> bool:
    """Si el acta puede irse en su caja: está verificada, o se guardó sin estarlo y desde entonces no se recapturó."""
    if isinstance(estado_de(historia), Verificada):
        return True
    guardada = max(i for i, h in enumerate(historia) if isinstance(h, Empaque))
    recapturada = any(isinstance(h, Recaptura) for h in historia[guardada:])
    return not recapturada and not isinstance(estado_de(historia[:guardada]), Verificada)


_CAMBIO_DESPUES: Final = (
    "SELECT 1 FROM hechos e JOIN hechos h USING (eleccion, casilla) WHERE e.huella = ? "
    "AND h.secuencia > e.secuencia AND h.tipo NOT IN ('empaque', 'cotejo') LIMIT 1"
)


def _detenida(mirada: Lectura, caja: Caja) -> Rechazo | None:
    """Por qué no se cierra todavía, con sus actas; `None` si puede cerrarse."""
    por_confirmar, sin_verificar = [], []
    for dentro in caja.actas:
        # Al guardarla podía irse: sólo se vuelve a leer la historia de las que algo les pasó después.
        if mirada.conexion.execute(_CAMBIO_DESPUES, (dentro.huella,)).fetchone() is None:
            continue
        historia = mirada.hechos_de(dentro.acta)
        if imagen_por_confirmar(historia) is not None:
            por_confirmar.append(dentro.acta)
        elif not _admitida(historia):
            sin_verificar.append(dentro.acta)
    if por_confirmar:
        return _con_imagen_por_confirmar(caja.nombre, por_confirmar)
    return _con_sin_verificar(caja.nombre, sin_verificar) if sin_verificar else None


def _cajas(mirada: Lectura) -> tuple[Caja, ...]:
    cajas = {nombre: Caja(nombre, tuple(actas)) for nombre, actas in _en_cajas(mirada).items()}
    recibe = _la_que_recibe(mirada)
    cajas.setdefault(recibe, Caja(recibe, ()))
    for nombre, relacion, cerrada, persona, reabierta in mirada.conexion.execute(
        "SELECT caja, relacion, cerrada, persona, reabierta FROM cajas ORDER BY caja, relacion"
    ):
        caja, hora = cajas.get(nombre, Caja(nombre, ())), datetime.fromisoformat(cerrada)
        cajas[nombre] = (
            replace(caja, relacion=relacion + 1, anterior=hora)
            if reabierta
            else replace(caja, relacion=relacion, cerrada=hora, cerro=persona)
        )
    return tuple(sorted(cajas.values(), key=lambda c: _orden(c.nombre)))


def _en_cajas(mirada: Lectura) -> Mapping[str, list[EnCaja]]:
    ultimos: dict[IdActa, tuple[str, EnCaja]] = {}
    for hecho, huella in mirada.empaques():
        ultimos.pop(hecho.acta, None)
        if hecho.caja != FUERA:
            ultimos[hecho.acta] = (hecho.caja, EnCaja(hecho.acta, hecho.hora, hecho.persona, huella))
    cajas: dict[str, list[EnCaja]] = {}
    for caja, dentro in ultimos.values():
        cajas.setdefault(caja, []).append(dentro)
    return cajas


def _la_que_recibe(mirada: Lectura) -> str:
    """La última, si está abierta; si no, la que sigue. Una reabierta de antes no recibe."""
    con_relacion = {caja for (caja,) in mirada.conexion.execute("SELECT DISTINCT caja FROM cajas")}
    # Todo lo que se guarda va a la que recibe: la del último es la más alta que tuvo algo, sin leer los demás.
    usada = next((e.caja for e in mirada.ultimos_empaques() if e.caja != FUERA), None)
    ultima = max(con_relacion | ({usada} if usada else set()), key=_orden, default="")
    return ultima if ultima and ultima not in _cerradas(mirada) else f"CAJA-{_orden(ultima)[0] + 1:02d}"


def _cerradas(mirada: Lectura) -> frozenset[str]:
    return frozenset(caja for (caja,) in mirada.conexion.execute("SELECT caja FROM cajas WHERE reabierta = ''"))


def _orden(caja: str) -> tuple[int, str]:
    numero = caja.removeprefix("CAJA-")
    return (int(numero) if numero.isascii() and numero.isdigit() else 0, caja)


def _por_verificar(acta: IdActa) -> Rechazo:
    return Rechazo(
        "POR_VERIFICAR",
        f"El acta {acta.casilla} todavía no está verificada",
        "le falta alguna lectura, y para eso puede hacer falta el papel",
        "déjela fuera y empáquela cuando se verifique; coordinación puede guardarla así",
    )


def _nombradas(actas: Sequence[IdActa]) -> str:
    dichas = ", ".join(f"{a.casilla} ({a.eleccion})" for a in actas[:A_NOMBRAR])
    return dichas if len(actas) <= A_NOMBRAR else f"{dichas} y otras {len(actas) - A_NOMBRAR}"


def _con_imagen_por_confirmar(caja: str, actas: Sequence[IdActa]) -> Rechazo:
    return Rechazo(
        "IMAGEN_POR_CONFIRMAR",
        f"La {caja} no se cerró: a {_nombradas(actas)} le cambió la imagen después de leerse, y falta decidir",
        "se digitalizó otra vez con el papel ya guardado",
        "sáquela de la caja y llévela a coordinación; cuando decidan, guárdela otra vez",
    )


def _con_sin_verificar(caja: str, actas: Sequence[IdActa]) -> Rechazo:
    return Rechazo(
        "POR_VERIFICAR",
        f"La {caja} no se cerró: lleva sin verificar {_nombradas(actas)}",
        "se mandó a capturar otra vez después de guardarla, y puede hacer falta el papel",
        "sáquela de la caja; si ya no se necesita el papel, coordinación vuelve a pasarla y la guarda así",
    )


def _en_ninguna(acta: IdActa) -> Rechazo:
    return Rechazo(
        "EN_NINGUNA_CAJA",
        f"El acta {acta.casilla} no está en ninguna caja",
        "ya se sacó, nunca se guardó, o se tecleó la clave de otra casilla",
        "compare la clave con su papel",
    )


def _cambio(caja: Caja) -> Rechazo:
    return Rechazo(
        "CAJA_CAMBIO",
        f"La {caja.nombre} no se cerró: ya no es como la vio; ahora lleva {len(caja.actas)}",
        "otra persona le guardó o le sacó un acta, o coordinación la reabrió",
        "mírela otra vez y ciérrela si ya está completa",
    )


def _ya_cerrada(caja: str, abierta: str) -> Rechazo:
    return Rechazo(
        "CAJA_CERRADA",
        f"La {caja[:20]} ya estaba cerrada; la {abierta} sigue abierta",
        "la cerró otra persona, o la página quedó de antes",
        "si le falta su relación, imprímala de la lista de cajas cerradas",
    )


def _no_esta_cerrada(caja: str) -> Rechazo:
    return Rechazo(
        "CAJA_ABIERTA",
        f"La {caja[:20]} no está cerrada",
        "ya se reabrió, o la página quedó de antes",
        "actualice la lista de cajas",
    )


def _vacia(caja: str) -> Rechazo:
    return Rechazo(
        "CAJA_VACIA",
        f"La {caja} no tiene ningún acta",
        "todavía no se le agrega nada, o se tocó dos veces «Cerrar caja»",
        "agregue actas y ciérrela cuando esté llena",
    )
