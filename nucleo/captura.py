"""La doble captura: una función pura del conjunto de hechos de un acta.

```
SinCaptura ▶ PrimeraConcluida ▶ (otra persona) iguales ▶ Verificada
                              └▶ difieren ▶ Discrepante ▶ corrección ciega de una tercera persona ▶ Verificada
                                                        └▶ ni así ▶ EnRevision ▶ dos personas ▶ Verificada
```

Un campo queda decidido cuando una lectura tiene el apoyo de dos personas distintas y más que cualquier otra, o cuando
hubo lecturas distintas y dos personas juntas lo revisaron; el acta se verifica cuando todos lo están. Dicho así el
orden de llegada no importa, y dos centros que capturen la misma acta sin saberlo llegan al mismo resultado. `paso`
decide si una acción procede y qué hecho deja; `estado_de` rehace el estado desde los hechos.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from nucleo.acta import Asentado, MotivoSinActa, asentado_de_campos
from nucleo.acuerdo import acuerdo, en_orden, lecturas_de
from nucleo.campo import Campo
from nucleo.hechos import MAXIMO_VUELTAS, Captura, Correccion, HechoDeActa, IdActa, Recaptura, Revision, SinActa
from nucleo.problema import Rechazo

# ----------------------------------------------------------------------------------------------------------------
# estados


@dataclass(frozen=True)
class SinCaptura:
    """Nadie ha concluido una captura en esta vuelta."""

    vuelta: int = 1


@dataclass(frozen=True)
class PrimeraConcluida:
    """Falta que otra persona capture."""

    vuelta: int
    primera: Captura


@dataclass(frozen=True)
class Discrepante:
    """Dos capturas difieren en `campos`; los transcribirá, en blanco, alguien más."""

    vuelta: int
    capturas: tuple[Captura, ...]
    campos: tuple[str, ...]


@dataclass(frozen=True)
class EnRevision:
    """Tres lecturas y ningún acuerdo en `campos`: lo deciden dos personas juntas."""

    vuelta: int
    capturas: tuple[Captura, ...]
    campos: tuple[str, ...]


@dataclass(frozen=True)
class Verificada:
    """Todo campo decidido. `captura` es la hora de la primera captura y `verificacion` la del hecho que la completó."""

    vuelta: int
    asentado: Asentado
    captura: datetime
    verificacion: datetime
    personas: tuple[str, ...]


@dataclass(frozen=True)
class SinActaDeclarada:
    """No hay acta que capturar; si después aparece, se toma como cualquiera y sus capturas prevalecen."""

    motivo: MotivoSinActa
    hora: datetime
    vuelta: int = 1


@dataclass(frozen=True)
class Tomada:
    """Alguien la tiene en su pantalla. No es un hecho: si se va la luz, vuelve a quedar libre."""

    libre: Libre
    persona: str
    desde: datetime


Libre = SinCaptura | PrimeraConcluida | Discrepante | SinActaDeclarada
"""Los estados en que una persona puede tomar el acta."""

EstadoAsentado = SinCaptura | PrimeraConcluida | Discrepante | EnRevision | Verificada | SinActaDeclarada
Estado = EstadoAsentado | Tomada

MAXIMO_LECTURAS: Final = 32
"""Hechos de una vuelta entre los que se busca el que completó el acuerdo; con más, vale la hora del último."""


def estado_de(hechos: Iterable[HechoDeActa]) -> EstadoAsentado:
    """Estado de un acta según todos sus hechos, en cualquier orden y con repeticiones.

    Manda la vuelta más alta. Si dos hechos de la misma persona y vuelta se contradicen, cuenta el primero por hora:
    nadie se corrige a sí mismo sin una recaptura.
    """
    orden = en_orden(h for h in hechos if isinstance(h, Captura | Correccion | Revision | Recaptura | SinActa))
    vuelta = max((h.vuelta for h in orden if not isinstance(h, SinActa)), default=1)
    de_vuelta = [h for h in orden if not isinstance(h, SinActa | Recaptura) and h.vuelta == vuelta]
    if not any(isinstance(h, Captura) for h in orden):
        ausencias = [h for h in orden if isinstance(h, SinActa)]
        return SinActaDeclarada(ausencias[0].motivo, ausencias[0].hora, vuelta) if ausencias else SinCaptura(vuelta)
    estado = _juzgar(vuelta, de_vuelta)
    if not isinstance(estado, Verificada):
        return estado
    # La hora de verificación es la del hecho que completó el acuerdo; lo llegado después no la mueve. El tope evita que
    # un kiosco hostil, con miles de capturas de una casilla, vuelva cuadrático el corte de todos.
    for corte in range(1, min(len(de_vuelta), MAXIMO_LECTURAS + 1)):
        parcial = _juzgar(vuelta, de_vuelta[:corte])
        if isinstance(parcial, Verificada) and parcial.asentado == estado.asentado:
            return parcial
    return estado


def ultima_verificada(hechos: Iterable[HechoDeActa]) -> Verificada | None:
    """Lo que se publica: la verificada de la vuelta más alta que lo esté, aunque haya una recaptura en curso.

    Si una lectura tardía empata a las de su vuelta, se retira hasta la revisión: lo que está en duda no se publica.
    """
    todos = list(hechos)
    vueltas = sorted({h.vuelta for h in todos if isinstance(h, Captura)}, reverse=True)
    for vuelta in vueltas:
        hasta = [h for h in todos if isinstance(h, Captura | Correccion | Revision) and h.vuelta == vuelta]
        estado = estado_de(hasta)
        if isinstance(estado, Verificada):
            return estado
    return None


def _juzgar(
    vuelta: int, hechos: Sequence[HechoDeActa]
) -> SinCaptura | PrimeraConcluida | Discrepante | EnRevision | Verificada:
    propias: dict[str, Captura] = {}
    for hecho in hechos:
        if isinstance(hecho, Captura):
            propias.setdefault(hecho.persona, hecho)
    capturas = tuple(propias.values())
    if not capturas:
        return SinCaptura(vuelta)
    if len(capturas) == 1:
        return PrimeraConcluida(vuelta, capturas[0])
    correcciones = [h for h in hechos if isinstance(h, Correccion)]
    lecturas = lecturas_de(capturas, correcciones)
    revisados: dict[str, Campo] = {}
    for revision in (h for h in hechos if isinstance(h, Revision)):
        revisados = dict(revision.campos) | revisados
    # Sólo se revisa lo que alguien leyó distinto; decidido así, ninguna lectura posterior lo vuelve a abrir.
    revisados = {n: campo for n, campo in revisados.items() if len(set(lecturas.get(n, {}).values())) > 1}
    decididos = {n: revisados[n] if n in revisados else acuerdo(leidos) for n, leidos in lecturas.items()}
    pendientes = tuple(nombre for nombre, campo in decididos.items() if campo is None)
    if pendientes:
        # Con tres lecturas y sin acuerdo ya no basta otra transcripción a solas.
        agotada = any(len(lecturas[nombre]) > 2 for nombre in pendientes)
        return (EnRevision if agotada else Discrepante)(vuelta, capturas, pendientes)
    personas = [c.persona for c in capturas]
    personas += [c.persona for c in correcciones]
    personas += [p for h in hechos if isinstance(h, Revision) and set(h.campos) & set(revisados) for p in h.personas]
    return Verificada(
        vuelta,
        asentado_de_campos({k: v for k, v in decididos.items() if v is not None}),
        capturas[0].hora,
        max(h.hora for h in hechos),
        tuple(dict.fromkeys(personas)),
    )


# ---------------------------------------------------------------------------------------------------------------
# acciones


@dataclass(frozen=True)
class Tomar:
    """Abrir el acta para capturarla o corregirla."""

    persona: str
    hora: datetime


@dataclass(frozen=True)
class Soltar:
    """Dejarla sin terminar: vuelve a quedar libre."""

    persona: str


@dataclass(frozen=True)
class Capturar:
    """Concluir la transcripción completa."""

    persona: str
    hora: datetime
    asentado: Asentado
    imagen: str | None = None
    """SHA-256 de la que se tuvo enfrente; `None` con el papel en la mano. Lo mismo en las demás lecturas."""


@dataclass(frozen=True)
class Corregir:
    """Concluir la corrección ciega: exactamente los campos discrepantes."""

    persona: str
    hora: datetime
    campos: Mapping[str, Campo]
    imagen: str | None = None


@dataclass(frozen=True)
class Revisar:
    """Decidir entre dos personas los campos que siguen sin acuerdo."""

    personas: tuple[str, str]
    hora: datetime
    campos: Mapping[str, Campo]
    imagen: str | None = None


@dataclass(frozen=True)
class DeclararSinActa:
    """Declarar que no hay acta; `confirma` es coordinación y no puede ser la misma persona."""

    persona: str
    confirma: str
    hora: datetime
    motivo: MotivoSinActa


@dataclass(frozen=True)
class PedirRecaptura:
    """Volver a empezar desde la imagen, conservando la historia."""

    persona: str
    hora: datetime
    motivo: str


Accion = Tomar | Soltar | Capturar | Corregir | Revisar | DeclararSinActa | PedirRecaptura


@dataclass(frozen=True)
class Paso:
    """La acción procede: en qué queda el acta y los hechos que hay que asentar."""

    estado: Estado
    hechos: tuple[HechoDeActa, ...] = ()


def paso(
    acta: IdActa, renglones: Sequence[str], estado: Estado, historia: Sequence[HechoDeActa], accion: Accion
) -> Paso | Rechazo:
    """Aplica una acción al acta.

    Args:
        renglones: claves de los votos que existen en esa acta (`Eleccion.opciones_de`).
        estado: el asentado (`estado_de(historia)`) o `Tomada` sobre él.
        historia: hechos del acta hasta ahora.

    Returns:
        `Paso` con `estado == estado_de(historia + hechos)` cuando deja hechos, o el `Rechazo` con su causa.
    """
    match accion:
        case Tomar(persona, hora):
            return _tomar(estado, persona, hora)
        case Soltar(persona):
            if isinstance(estado, Tomada) and estado.persona == persona:
                return Paso(estado.libre)
            return _no_la_tiene()
        case Capturar(persona, hora, asentado, imagen):
            if not isinstance(estado, Tomada) or estado.persona != persona or isinstance(estado.libre, Discrepante):
                return _no_la_tiene()
            # Tomar ya lo impide; aquí se repite porque un encargo mal puesto no debe bastar para leer dos veces.
            if isinstance(estado.libre, PrimeraConcluida) and estado.libre.primera.persona == persona:
                return _misma_persona("Usted hizo la primera captura de esta acta")
            if set(asentado.votos) != set(renglones):
                return Rechazo(
                    "RENGLONES_DISTINTOS",
                    "La captura no tiene los renglones de esta acta",
                    "la pantalla quedó de otra elección u otra casilla",
                    "cierre el acta y vuelva a abrirla",
                )
            return _asentar(historia, Captura(acta, estado.libre.vuelta, hora, persona, asentado, imagen))
        case Corregir(persona, hora, campos, imagen):
            if not isinstance(estado, Tomada) or estado.persona != persona or not isinstance(estado.libre, Discrepante):
                return _no_la_tiene()
            if set(campos) != set(estado.libre.campos):
                return _campos_equivocados()
            return _asentar(historia, Correccion(acta, estado.libre.vuelta, hora, persona, campos, imagen))
        case Revisar(personas, hora, campos, imagen):
            if not isinstance(estado, EnRevision):
                return _fuera_de_momento("Esta acta no está en revisión")
            if personas[0] == personas[1]:
                return _misma_persona("La revisión es de dos personas distintas")
            if set(campos) != set(estado.campos):
                return _campos_equivocados()
            return _asentar(historia, Revision(acta, estado.vuelta, hora, personas, campos, imagen))
        case DeclararSinActa(persona, confirma, hora, motivo):
            if not isinstance(estado, SinCaptura) or estado.vuelta > 1:
                return _fuera_de_momento("Esta acta ya tiene capturas o ya está declarada")
            if persona == confirma:
                return _misma_persona("Quien declara y quien confirma son personas distintas")
            return _asentar(historia, SinActa(acta, hora, motivo, persona, confirma))
        case PedirRecaptura(persona, hora, motivo):
            if not isinstance(estado, Verificada | Discrepante | EnRevision):
                return _fuera_de_momento("Sólo se recaptura lo que ya se capturó dos veces")
            if estado.vuelta >= MAXIMO_VUELTAS:
                return Rechazo(
                    "DEMASIADAS_VUELTAS",
                    f"Esta acta ya se capturó {MAXIMO_VUELTAS} veces desde el principio",
                    "se está pidiendo recaptura una y otra vez en lugar de revisarla",
                    "que dos personas la revisen contra el papel, o llame a coordinación",
                )
            return _asentar(historia, Recaptura(acta, estado.vuelta + 1, hora, persona, motivo))


def _tomar(estado: Estado, persona: str, hora: datetime) -> Paso | Rechazo:
    match estado:
        case Tomada(_, otra, _) if otra != persona:
            return Rechazo(
                "OCUPADA",
                "Otra persona tiene abierta esta acta",
                "la tomó antes en otra estación",
                "tome la siguiente de la fila",
            )
        case Tomada():
            return Paso(estado)
        case SinCaptura() | SinActaDeclarada():
            return Paso(Tomada(estado, persona, hora))
        case PrimeraConcluida(primera=primera):
            if primera.persona == persona:
                return _misma_persona("Usted hizo la primera captura de esta acta")
            return Paso(Tomada(estado, persona, hora))
        case Discrepante(capturas=capturas):
            if persona in {c.persona for c in capturas}:
                return _misma_persona("Usted ya capturó esta acta")
            return Paso(Tomada(estado, persona, hora))
        case _:
            return _fuera_de_momento("Esta acta no espera captura")


def _asentar(historia: Sequence[HechoDeActa], hecho: HechoDeActa) -> Paso:
    return Paso(estado_de([*historia, hecho]), (hecho,))


def _no_la_tiene() -> Rechazo:
    return Rechazo(
        "NO_LA_TIENE",
        "Usted no tiene abierta esta acta",
        "se liberó por inactividad o la abrió otra persona",
        "vuelva a la fila y tome la que se le asigne",
    )


def _misma_persona(que: str) -> Rechazo:
    return Rechazo(
        "MISMA_PERSONA",
        que,
        "cada lectura debe hacerla alguien que no haya visto el trabajo de las demás",
        "pida a otra persona que continúe",
    )


def _campos_equivocados() -> Rechazo:
    return Rechazo(
        "CAMPOS_EQUIVOCADOS",
        "Los campos no son los que están en discrepancia",
        "la pantalla quedó de un momento anterior",
        "cierre el acta y vuelva a abrirla",
    )


def _fuera_de_momento(que: str) -> Rechazo:
    return Rechazo("FUERA_DE_MOMENTO", que, "alguien más la atendió mientras tanto", "actualice la fila")
