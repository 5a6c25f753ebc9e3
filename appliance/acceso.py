"""Comprobar que alguien es quien dice: su gafete y su NIP, y la suspensión de quien se equivoca demasiado.

Las fallas se cuentan en el almacén: apagar el kiosco no borra una suspensión. Ni el NIP ni el azar llegan a la
bitácora.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from datetime import datetime, timedelta
from threading import Lock
from typing import Final

from appliance import gafete, nip
from appliance.almacen import Almacen
from appliance.personas import Persona
from appliance.reloj import Reloj
from nucleo.problema import Rechazo

FALLAS: Final = 5
SUSPENSION: Final = timedelta(minutes=5)

NIP_DE_PRACTICA: Final = "000000"
"""El de todas las personas de práctica; se dice en pantalla. Ninguna persona real lo tiene: es trivial."""
GAFETE_DE_PRACTICA: Final = "PRACTICA"


class Acceso:
    """Quién puede entrar a este kiosco. Se puede compartir entre hilos."""

    def __init__(self, almacen: Almacen, reloj: Reloj, personas: Iterable[Persona]) -> None:
        self._almacen = almacen
        self._reloj = reloj
        self._personas = {p.clave: p for p in personas}
        self._turno = Lock()
        # Lo mismo que en el almacén: con el disco lleno no se puede escribir, y aun así debe contar.
        self._recientes: dict[str, tuple[int, datetime]] = {}

    def identificar(self, texto: str) -> Persona | Rechazo:
        """De quién es el gafete que se leyó. Aún falta su NIP. Raises: Falla."""
        persona = self._de_practica(texto) or self._del_gafete(texto)
        if persona is not None:
            return self._suspendida(persona) or persona
        if gafete.parece_gafete(texto) and gafete.leer_gafete(texto) is None:
            return Rechazo(
                "GAFETE_A_MEDIAS",
                "El gafete no se leyó completo",
                "está doblado o sucio, o se quitó antes del tono del lector",
                "páselo otra vez, plano y sin prisa",
            )
        leido = gafete.leer_gafete(texto)
        if leido is None:
            return Rechazo(
                "NO_ES_GAFETE",
                "Eso no es un gafete del PREP" if texto.strip() else "Falta pasar el gafete",
                "se leyó otro código" if texto.strip() else "el lector no mandó nada",
                "pase por el lector el código cuadrado de su gafete",
            )
        with self._almacen.transaccion() as t:
            t.anotar(self._reloj.ahora(), "gafete_desconocido", detalle=leido.clave)
        return Rechazo(
            "GAFETE_DESCONOCIDO",
            "Ese gafete no es de este CATD, o ya no sirve",
            "es de otro CATD, o se hizo uno nuevo para esa persona",
            "avise a coordinación: quien lo trae no puede entrar con él",
        )

    def comprobar_nip(self, persona: Persona, tecleado: str) -> Rechazo | None:
        """`None` si es su NIP. A la quinta falla seguida, su gafete se suspende cinco minutos. Raises: Falla."""
        if not nip.bien_formado(tecleado):
            return Rechazo(
                "NIP_INCOMPLETO",
                f"El NIP son {nip.LARGO} números",
                "faltó o sobró alguno al teclearlo",
                "tecléelo otra vez; esto no cuenta como equivocación",
            )
        # Uno a la vez: dos intentos simultáneos contarían como uno.
        with self._turno:
            if rechazo := self._suspendida(persona):
                return rechazo
            if _es_suyo(persona, tecleado):
                self._olvidar(persona)
                return None
            return self._equivocado(persona)

    def _del_gafete(self, texto: str) -> Persona | None:
        leido = gafete.leer_gafete(texto)
        persona = self._personas.get(leido.clave) if leido is not None else None
        if leido is None or persona is None or persona.de_practica:
            return None
        return persona if gafete.es_el_de(leido, persona.gafete) else None

    def _de_practica(self, texto: str) -> Persona | None:
        forma, _, clave = texto.strip().partition(":")
        persona = self._personas.get(clave) if forma == GAFETE_DE_PRACTICA else None
        return persona if persona is not None and persona.de_practica else None

    def _suspendida(self, persona: Persona) -> Rechazo | None:
        fallas, ultima = self._fallas(persona)
        ahora = self._reloj.ahora()
        # Con el valor absoluto, un reloj que retrocede no alarga la suspensión.
        if fallas < FALLAS or ultima is None or abs(ahora - ultima) >= SUSPENSION:
            return None
        hasta = (ultima + SUSPENSION).astimezone(ahora.tzinfo)
        return Rechazo(
            "GAFETE_SUSPENDIDO",
            f"El gafete de {persona.nombre} está suspendido hasta las {hasta:%H:%M}",
            f"se tecleó {FALLAS} veces un NIP que no es el suyo",
            "espere a esa hora; si no fue usted, avise a coordinación",
        )

    def _equivocado(self, persona: Persona) -> Rechazo:
        ahora = self._reloj.ahora()
        previas, ultima = self._fallas(persona)
        vigentes = previas if ultima is not None and abs(ahora - ultima) < SUSPENSION else 0
        fallas = vigentes + 1
        self._recientes[persona.clave] = (fallas, ahora)
        with self._almacen.transaccion() as t:
            t.conexion.execute(
                "INSERT OR REPLACE INTO intentos VALUES (?, ?, ?)", (persona.clave, fallas, ahora.isoformat())
            )
            t.anotar(ahora, "nip_equivocado", persona=persona.clave, detalle=f"{fallas} de {FALLAS}")
            if fallas >= FALLAS:
                minutos = int(SUSPENSION.total_seconds() // 60)
                t.anotar(ahora, "gafete_suspendido", persona=persona.clave, detalle=f"{minutos} minutos")
        if (suspendida := self._suspendida(persona)) is not None:
            return suspendida
        quedan = FALLAS - fallas
        return Rechazo(
            "NIP_EQUIVOCADO",
            f"Ese no es el NIP de {persona.nombre}",
            "se oprimió un número por otro, o el gafete es de otra persona",
            "tecléelo otra vez; " + ("queda 1 intento" if quedan == 1 else f"quedan {quedan} intentos"),
        )

    def _olvidar(self, persona: Persona) -> None:
        if self._fallas(persona)[0]:
            with self._almacen.transaccion() as t:
                t.conexion.execute("DELETE FROM intentos WHERE persona = ?", (persona.clave,))
            self._recientes.pop(persona.clave, None)

    def _fallas(self, persona: Persona) -> tuple[int, datetime | None]:
        if (recientes := self._recientes.get(persona.clave)) is not None:
            return recientes
        with self._almacen.lectura() as mirada:
            fila = mirada.conexion.execute(
                "SELECT fallas, ultima FROM intentos WHERE persona = ?", (persona.clave,)
            ).fetchone()
        return (fila[0], datetime.fromisoformat(fila[1])) if fila else (0, None)


def _es_suyo(persona: Persona, tecleado: str) -> bool:
    if persona.de_practica:
        return hmac.compare_digest(tecleado, NIP_DE_PRACTICA)
    return nip.es_el_de(tecleado, persona.nip)
