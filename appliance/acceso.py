"""Comprobar que alguien es quien dice: su gafete y su NIP, y la espera de quien se equivoca demasiado.

**Quién espera.** Se cuenta por persona y por `desde`, que es dónde se tecleó: con su gafete recién leído, o sin él en
la estación donde otra tiene su turno (ahí se confirma eligiendo un nombre) o en su propia pantalla bloqueada. No es la
galleta del navegador, que se tira y se hace otra, sino de quién es el turno: abrir otro pide su gafete y su NIP. Así,
quien teclea NIP malos con el nombre de otra se estorba a sí mismo: ella pasa su gafete, que lleva 80 bits al azar, y
su cuenta es otra.

**Cuánto.** Tras las fallas seguidas 1, 2, 3… hay que esperar 0 s, 0 s, 5 s, 15 s, 60 s y, desde la sexta, 5 min
(`ESPERAS`). Acertar perdona esa cuenta; el tiempo, no.

**Qué protege.** Que se adivine en línea. Quedan 911 145 NIP que no son triviales. En una noche de 12 h (43 200 s)
caben 5 intentos en los primeros 20 s, uno a los 80 s y uno cada 300 s: 6 + ⌊43 120 / 300⌋ = 149, o sea 1 en 6 100
por cada `desde`. Con veinte cómplices, cada uno en su turno, 2 980: 1 en 306, y con más de 2 800 avisos graves en
la bitácora. Cada acierto de la dueña en esa misma cuenta regala a lo más seis: con doscientos, 1 350 intentos, 1 en
675. Con NIP de cuatro números, veinte cómplices acertarían 3 de cada 10 noches; con los seis y sin espera, a 112 ms
cada uno, uno solo probaría 4 de cada 10 NIP.

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
CON_GAFETE: Final = ""
"""El `desde` de quien acaba de presentar su gafete."""

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


class Acceso:
    """Quién puede entrar a este kiosco. Se puede compartir entre hilos."""

    def __init__(self, almacen: Almacen, reloj: Reloj, personas: Iterable[Persona]) -> None:
        self._almacen = almacen
        self._reloj = reloj
        self._personas = {p.clave: p for p in personas}
        self._turno = Lock()
        # Lo mismo que en el almacén: con el disco lleno no se puede escribir, y aun así debe contar.
        self._recientes: dict[tuple[str, str], tuple[int, datetime]] = {}
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
            desde: de quién es el turno de la estación donde se teclea, o `CON_GAFETE` si la persona presentó el suyo.
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

    def esperas(self) -> list[Espera]:
        """A quiénes no se les acepta su NIP ahora, desde algún lado. Raises: Falla."""
        with self._turno:
            with self._almacen.lectura() as mirada:
                filas = mirada.conexion.execute("SELECT persona, desde FROM intentos").fetchall()
            hasta: dict[str, datetime] = {}
            for clave, desde in {(str(c), str(d)) for c, d in filas} | set(self._recientes):
                hora = self._hasta(clave, desde)
                if hora is not None and clave in self._personas:
                    hasta[clave] = max(hora, hasta.get(clave, hora))
        return sorted((Espera(self._personas[c], h) for c, h in hasta.items()), key=lambda e: e.persona.nombre)

    def destrabar(self, clave: str, quien: Persona) -> Persona | Rechazo:
        """Le perdona a esa persona todas sus fallas; lo hace otra, de coordinación. Raises: Falla."""
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
            with self._almacen.transaccion() as t:
                t.conexion.execute("DELETE FROM intentos WHERE persona = ?", (clave,))
                t.anotar(self._reloj.ahora(), "nip_destrabado", persona=quien.clave, detalle=clave)
            for llave in [x for x in self._recientes if x[0] == clave]:
                del self._recientes[llave]
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

    def _hasta(self, clave: str, desde: str) -> datetime | None:
        """Cuándo se le vuelve a aceptar ahí su NIP; `None` si ya."""
        fallas, ultima = self._fallas(clave, desde)
        ahora = self._reloj.ahora()
        # Con el valor absoluto, un reloj que retrocede no alarga la espera.
        if ultima is None or abs(ahora - ultima) >= (espera := _espera(fallas)):
            return None
        return (ultima + espera).astimezone(ahora.tzinfo)

    def _en_espera(self, persona: Persona, desde: str) -> Rechazo | None:
        hasta = self._hasta(persona.clave, desde)
        if hasta is None:
            return None
        con_el = "" if desde == CON_GAFETE else f" o que {persona.nombre} pase su gafete y lo teclee;"
        return Rechazo(
            "GAFETE_SUSPENDIDO",
            f"El NIP de {persona.nombre} no se acepta aquí hasta las {hasta:%H:%M:%S}",
            "se tecleó varias veces seguidas un NIP que no es el suyo",
            f"espere a esa hora;{con_el} si urge, otra persona de coordinación lo destraba desde su turno",
        )

    def _equivocado(self, persona: Persona, desde: str) -> Rechazo:
        ahora = self._reloj.ahora()
        fallas = self._fallas(persona.clave, desde)[0] + 1
        espera = _espera(fallas)
        self._recientes[persona.clave, desde] = (fallas, ahora)
        donde = "con su gafete" if desde == CON_GAFETE else f"sin su gafete, en el turno de {desde}"
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
        if self._fallas(persona.clave, desde)[0]:
            with self._almacen.transaccion() as t:
                t.conexion.execute("DELETE FROM intentos WHERE persona = ? AND desde = ?", (persona.clave, desde))
            self._recientes.pop((persona.clave, desde), None)

    def _fallas(self, clave: str, desde: str) -> tuple[int, datetime | None]:
        if (recientes := self._recientes.get((clave, desde))) is not None:
            return recientes
        with self._almacen.lectura() as mirada:
            fila = mirada.conexion.execute(
                "SELECT fallas, ultima FROM intentos WHERE persona = ? AND desde = ?", (clave, desde)
            ).fetchone()
        return (fila[0], datetime.fromisoformat(fila[1])) if fila else (0, None)

    def _toque(self, persona: Persona, desde: str, intento: str, tecleado: str) -> bytes:
        # Con un secreto que muere con el proceso: un volcado de memoria no enseña lo que se tecleó.
        partes = "\n".join((persona.clave, desde, intento, tecleado))
        return hmac.digest(self._secreto, partes.encode(), hashlib.sha256)


def _espera(fallas: int) -> timedelta:
    return ESPERAS[min(fallas, len(ESPERAS)) - 1] if fallas else timedelta()


def _en_palabras(espera: timedelta) -> str:
    segundos = int(espera.total_seconds())
    if segundos < 60:
        return f"{segundos} segundos"
    return "1 minuto" if segundos == 60 else f"{segundos // 60} minutos"


def _es_suyo(persona: Persona, tecleado: str) -> bool:
    if persona.de_practica:
        return hmac.compare_digest(tecleado, NIP_DE_PRACTICA)
    return nip.es_el_de(tecleado, persona.nip)
