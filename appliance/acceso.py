"""Comprobar que alguien es quien dice: su gafete y su NIP, y la espera de quien se equivoca demasiado.

**Quién espera.** Se cuenta por persona y por `desde` (`cuenta_en`): de quién es el turno de la estación donde se
tecleó, y si ahí se acababa de leer el gafete. No es la galleta del navegador, que se tira y se hace otra: abrir otro
turno pide su gafete y su NIP. Así, quien teclea NIP malos con el nombre de otra se estorba a sí mismo, también si
ella acaba de pasar su gafete en esa estación: en otra, su gafete es otra cuenta. Sólo en las estaciones libres la
cuenta del gafete es una: si lo presenta ahí y se va, en ese minuto le pueden gastar intentos.

**Cuánto.** Tras las fallas seguidas 1, 2, 3… hay que esperar 0 s, 0 s, 5 s, 15 s, 60 s y, desde la sexta, 5 min
(`ESPERAS`). Acertar borra esa cuenta; el tiempo, no. Destrabar perdona la espera en curso y deja la cuenta: es un
intento más. Se puede una vez por hora y persona, y no alcanza a lo tecleado en el turno de quien destraba.

**Con qué reloj.** Con uno que nadie pone en hora, mientras viva el proceso. De lo contado antes de arrancar sólo
queda la hora: si la de ahora es anterior, se espera entero. Un reloj que se adelanta con el kiosco apagado sí acorta
la espera.

**Qué protege.** Que se adivine en línea. Quedan 911 145 NIP que no son triviales. En una noche de 12 h (43 200 s), en
cada cuenta caben 5 intentos en los primeros 20 s, uno a los 80 s y uno cada 300 s: 6 + ⌊43 120 / 300⌋ = 149. Con
alguien de coordinación que la destrabe cada hora, 12 más: 161, o sea 1 en 5 659. Veinte cómplices, cada uno en su
turno, y la pantalla bloqueada de la dueña son 21 cuentas y 3 381 intentos: 1 en 269. Si además tienen su gafete, 42
cuentas y 6 762: 1 en 134. En cada cuenta, de la quinta falla en adelante todas dejan su aviso grave. Cada acierto de
la dueña en una cuenta regala ahí a lo más seis: con doscientos, 1 361, 1 en 669. Sin espera, a 112 ms cada uno, uno
solo probaría 4 de cada 10 NIP.

Las fallas se cuentan en el almacén: apagar el kiosco no borra una espera. Ni el NIP ni el azar llegan a la bitácora.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import Final

from appliance import gafete, nip
from appliance.almacen import Almacen
from appliance.personas import Persona
from appliance.reloj import Reloj
from nucleo.problema import Rechazo

ESPERAS: Final = tuple(timedelta(seconds=s) for s in (0, 0, 5, 15, 60, 300))
"""Cuánto se espera tras cada falla seguida; de la última en adelante, lo mismo."""
FALLAS: Final = 3
"""La primera que hace esperar."""
TOPE: Final = ESPERAS[-1]
ENTRE_DESTRABES: Final = timedelta(hours=1)
CON_GAFETE: Final = ""
"""El `desde` de quien acaba de presentar su gafete en una estación libre o suya."""

_GAFETE_EN: Final = "gafete "
_DESTRABE: Final = "*destrabe"
"""No es un lugar: la cuenta de cuándo se le destrabó. Ninguna persona se puede llamar así, ni como lo de arriba."""

_GRAVE: Final = timedelta(minutes=1)
"""Desde cuánta espera se escribe `gafete_suspendido`: un par de dedazos no son un aviso grave."""
_MEMORIA: Final = 200
"""Intentos fallidos que se recuerdan, para contestar igual a su segundo toque."""

NIP_DE_PRACTICA: Final = "000000"
"""El de todas las personas de práctica; se dice en pantalla. Ninguna persona real lo tiene: es trivial."""
GAFETE_DE_PRACTICA: Final = "PRACTICA"


@dataclass(frozen=True, slots=True)
class Espera:
    """A quién no se le acepta su NIP, y la última hora en que se le acepta en todas partes."""

    persona: Persona
    hasta: datetime


@dataclass(frozen=True, slots=True)
class _Cuenta:
    """Fallas seguidas, y desde cuándo (segundos de `Reloj.monotonico`) se acepta otro intento."""

    fallas: int
    libre: float


def cuenta_en(persona: str, turno: str, *, gafete: bool) -> str:
    """El `desde` de un NIP de `persona`.

    Args:
        turno: de quién es el turno de la estación, aunque esté bloqueado; vacío si está libre.
        gafete: si ahí se acaba de leer el de `persona`.
    """
    if not gafete:
        return turno
    return CON_GAFETE if turno in ("", persona) else _GAFETE_EN + turno


class Acceso:
    """Quién puede entrar a este kiosco. Se puede compartir entre hilos."""

    def __init__(self, almacen: Almacen, reloj: Reloj, personas: Iterable[Persona]) -> None:
        self._almacen = almacen
        self._reloj = reloj
        self._personas = {p.clave: p for p in personas}
        self._turno = Lock()
        # Lo mismo que en el almacén: con el disco lleno no se puede escribir, y aun así debe contar.
        self._recientes: dict[tuple[str, str], _Cuenta] = {}
        self._secreto = secrets.token_bytes(32)
        self._fallidos: OrderedDict[bytes, Rechazo] = OrderedDict()

    def identificar(self, texto: str) -> Persona | Rechazo:
        """De quién es el gafete que se leyó. Aún falta su NIP. Raises: Falla."""
        persona = self._de_practica(texto) or self._del_gafete(texto)
        if persona is not None:
            return self._en_espera(persona, CON_GAFETE) or persona
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

    def comprobar_nip(
        self, persona: Persona, tecleado: str, *, desde: str = CON_GAFETE, intento: str = ""
    ) -> Rechazo | None:
        """`None` si es su NIP; cada falla seguida hace esperar más (`ESPERAS`). Raises: Falla.

        Args:
            desde: dónde se teclea, según `cuenta_en`.
            intento: el número de un solo uso del formulario. El mismo número con el mismo NIP es un segundo toque: se
                contesta igual y no cuenta. Con otro NIP sí cuenta: repetir el número no sirve para adivinar.
        """
        if not nip.bien_formado(tecleado):
            return Rechazo(
                "NIP_INCOMPLETO",
                f"El NIP son {nip.LARGO} números",
                "faltó o sobró alguno al teclearlo",
                "tecléelo otra vez; esto no cuenta como equivocación",
            )
        toque = self._toque(persona, desde, intento, tecleado)
        # Uno a la vez: dos intentos simultáneos contarían como uno.
        with self._turno:
            if intento and (dicho := self._fallidos.get(toque)) is not None:
                return dicho
            if rechazo := self._en_espera(persona, desde):
                return rechazo
            if _es_suyo(persona, tecleado):
                self._olvidar(persona, desde)
                return None
            rechazo = self._equivocado(persona, desde)
            self._fallidos[toque] = rechazo
            while len(self._fallidos) > _MEMORIA:
                self._fallidos.popitem(last=False)
            return rechazo

    def esperas(self, quien: Persona) -> list[Espera]:
        """A quiénes no se les acepta ahora su NIP y `quien` puede destrabar. Raises: Falla."""
        with self._turno:
            with self._almacen.lectura() as mirada:
                filas = mirada.conexion.execute("SELECT DISTINCT persona FROM intentos").fetchall()
            claves = ({str(c) for (c,) in filas} | {c for c, _ in self._recientes}) & set(self._personas)
            hasta = {c: max(x.values()) for c in claves - {quien.clave} if (x := self._trabada(c, quien))}
        return sorted((Espera(self._personas[c], h) for c, h in hasta.items()), key=lambda e: e.persona.nombre)

    def destrabar(self, clave: str, quien: Persona) -> Persona | Rechazo:
        """Le perdona a esa persona la espera en curso, no la cuenta; lo hace otra, de coordinación. Raises: Falla."""
        persona = self._personas.get(clave)
        if persona is None or not quien.coordina:
            return Rechazo(
                "SIN_DESTRABAR", "No se destrabó a nadie", "no se eligió a la persona", "elíjala de la lista"
            )
        if persona.clave == quien.clave:
            return Rechazo(
                "MISMA_PERSONA",
                "Nadie se destraba a sí mismo",
                "se eligió a la misma persona",
                "pase su gafete y teclee su NIP, o pídaselo a alguien más de coordinación",
            )
        with self._turno:
            cuentas = self._trabada(clave, quien)
            if not cuentas:
                return Rechazo(
                    "NADA_QUE_DESTRABAR",
                    f"A {persona.nombre} no la detiene nada que usted pueda destrabar",
                    "su espera ya terminó, o es por lo que se tecleó en el turno de usted",
                    "que pase su gafete en otra estación y teclee su NIP",
                )
            if (hasta := self._hasta(clave, _DESTRABE)) is not None:
                return Rechazo(
                    "YA_DESTRABADA",
                    f"A {persona.nombre} no se le destraba otra vez hasta las {hasta:%H:%M:%S}",
                    "ya se le destrabó hace menos de una hora, y se volvió a teclear un NIP que no es el suyo",
                    "espere lo que dice la pantalla, que son cinco minutos cuando mucho; si no recuerda su NIP, avise",
                )
            ahora, mono = self._reloj.ahora(), self._reloj.monotonico()
            with self._almacen.transaccion() as t:
                for desde in cuentas:
                    t.conexion.execute(
                        "UPDATE intentos SET ultima = ? WHERE persona = ? AND desde = ?",
                        ((ahora - TOPE).isoformat(), clave, desde),
                    )
                t.conexion.execute(
                    "INSERT OR REPLACE INTO intentos VALUES (?, ?, 1, ?)", (clave, _DESTRABE, ahora.isoformat())
                )
                t.anotar(ahora, "nip_destrabado", persona=quien.clave, detalle=clave)
            for desde in cuentas:
                self._recientes[clave, desde] = _Cuenta(self._cuenta(clave, desde).fallas, mono)
            self._recientes[clave, _DESTRABE] = _Cuenta(1, mono + ENTRE_DESTRABES.total_seconds())
        return persona

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

    def _trabada(self, clave: str, quien: Persona) -> dict[str, datetime]:
        """Desde dónde no se le acepta su NIP y hasta cuándo, sin lo tecleado en el turno de `quien`."""
        with self._almacen.lectura() as mirada:
            filas = mirada.conexion.execute("SELECT desde FROM intentos WHERE persona = ?", (clave,)).fetchall()
        lugares = {str(d) for (d,) in filas} | {d for c, d in self._recientes if c == clave}
        lugares -= {_DESTRABE, quien.clave, _GAFETE_EN + quien.clave}
        return {d: hora for d in lugares if (hora := self._hasta(clave, d)) is not None}

    def _hasta(self, clave: str, desde: str) -> datetime | None:
        """Cuándo se le vuelve a aceptar ahí su NIP; `None` si ya."""
        restan = self._cuenta(clave, desde).libre - self._reloj.monotonico()
        return self._reloj.ahora() + timedelta(seconds=restan) if restan > 0 else None

    def _en_espera(self, persona: Persona, desde: str) -> Rechazo | None:
        hasta = self._hasta(persona.clave, desde)
        if hasta is None:
            return None
        con_el = ""
        if desde != CON_GAFETE:
            otra = " en otra estación" if desde.startswith(_GAFETE_EN) else ""
            con_el = f" o que {persona.nombre} pase su gafete{otra} y lo teclee;"
        return Rechazo(
            "GAFETE_SUSPENDIDO",
            f"El NIP de {persona.nombre} no se acepta aquí hasta las {hasta:%H:%M:%S}",
            "se tecleó varias veces seguidas un NIP que no es el suyo",
            f"espere a esa hora;{con_el} si urge, otra persona de coordinación lo destraba desde su turno",
        )

    def _equivocado(self, persona: Persona, desde: str) -> Rechazo:
        ahora = self._reloj.ahora()
        fallas = self._cuenta(persona.clave, desde).fallas + 1
        espera = _espera(fallas, desde)
        libre = self._reloj.monotonico() + espera.total_seconds()
        self._recientes[persona.clave, desde] = _Cuenta(fallas, libre)
        donde = _donde(desde)
        with self._almacen.transaccion() as t:
            t.conexion.execute(
                "INSERT OR REPLACE INTO intentos VALUES (?, ?, ?, ?)", (persona.clave, desde, fallas, ahora.isoformat())
            )
            t.anotar(ahora, "nip_equivocado", persona=persona.clave, detalle=f"{fallas} seguidas, {donde}")
            if espera >= _GRAVE:
                cuanto = f"{espera.total_seconds():.0f} s, {donde}"
                t.anotar(ahora, "gafete_suspendido", persona=persona.clave, detalle=cuanto)
        return Rechazo(
            "NIP_EQUIVOCADO",
            f"Ese no es el NIP de {persona.nombre}",
            "se oprimió un número por otro, o el gafete es de otra persona",
            f"espere {_en_palabras(espera)} y tecléelo otra vez, despacio" if espera else "tecléelo otra vez, despacio",
        )

    def _olvidar(self, persona: Persona, desde: str) -> None:
        if self._cuenta(persona.clave, desde).fallas:
            with self._almacen.transaccion() as t:
                t.conexion.execute("DELETE FROM intentos WHERE persona = ? AND desde = ?", (persona.clave, desde))
            self._recientes.pop((persona.clave, desde), None)

    def _cuenta(self, clave: str, desde: str) -> _Cuenta:
        if (reciente := self._recientes.get((clave, desde))) is not None:
            return reciente
        with self._almacen.lectura() as mirada:
            fila = mirada.conexion.execute(
                "SELECT fallas, ultima FROM intentos WHERE persona = ? AND desde = ?", (clave, desde)
            ).fetchone()
        if fila is None:
            return _Cuenta(0, self._reloj.monotonico())
        # De antes de arrancar sólo queda la hora. Si el reloj retrocedió, no dice nada: se espera entero.
        pasado = max(self._reloj.ahora() - datetime.fromisoformat(fila[1]), timedelta())
        restan = max(_espera(fila[0], desde) - pasado, timedelta())
        cuenta = _Cuenta(fila[0], self._reloj.monotonico() + restan.total_seconds())
        return self._recientes.setdefault((clave, desde), cuenta)

    def _toque(self, persona: Persona, desde: str, intento: str, tecleado: str) -> bytes:
        # Con un secreto que muere con el proceso: un volcado de memoria no enseña lo que se tecleó.
        partes = "\n".join((persona.clave, desde, intento, tecleado))
        return hmac.digest(self._secreto, partes.encode(), hashlib.sha256)


def _espera(fallas: int, desde: str) -> timedelta:
    if desde == _DESTRABE:
        return ENTRE_DESTRABES
    return ESPERAS[min(fallas, len(ESPERAS)) - 1] if fallas else timedelta()


def _donde(desde: str) -> str:
    if desde == CON_GAFETE:
        return "con su gafete"
    con = "con" if desde.startswith(_GAFETE_EN) else "sin"
    return f"{con} su gafete, en el turno de {desde.removeprefix(_GAFETE_EN)}"


def _en_palabras(espera: timedelta) -> str:
    segundos = int(espera.total_seconds())
    if segundos < 60:
        return f"{segundos} segundos"
    return "1 minuto" if segundos == 60 else f"{segundos // 60} minutos"


def _es_suyo(persona: Persona, tecleado: str) -> bool:
    if persona.de_practica:
        return hmac.compare_digest(tecleado, NIP_DE_PRACTICA)
    return nip.es_el_de(tecleado, persona.nip)
