"""Tomar la siguiente acta, transcribirla, corregirla a ciegas y revisarla entre dos."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, assert_never

from fastapi import FastAPI
from fastapi.responses import Response

from appliance.pantalla.hoja import Renglon, Tecleado, campos_de, leer, renglones_de
from appliance.pantalla.pagina import Aviso, Entrada, Pantalla, Pide, de_rechazo, persona_de
from appliance.recepcion import Hecha
from nucleo.acta import asentado_de_campos
from nucleo.campo import Campo
from nucleo.captura import (
    Discrepante,
    EnRevision,
    Estado,
    PrimeraConcluida,
    SinActaDeclarada,
    SinCaptura,
    Tomada,
    Verificada,
)
from nucleo.hechos import IdActa
from nucleo.problema import Rechazo

_TITULOS: Final = {"captura": "Captura", "correccion": "Corrección a ciegas", "revision": "Revisión entre dos"}

_NADA_QUE_HACER: Final = Aviso(
    True,
    "Por ahora no hay actas para usted",
    "",
    "si llega una bolsa, registre su acopio; lo demás toca a otra persona",
)


def agregar(app: FastAPI, p: Pantalla) -> None:
    @app.post("/siguiente")
    def siguiente(e: Pide) -> Response:
        persona = persona_de(e)

        def accion() -> tuple[str, Aviso | None]:
            acta = p.mesa.tomar_siguiente(persona.clave)
            match acta:
                case Rechazo():
                    return "/", de_rechazo(acta)
                case None:
                    return "/", _NADA_QUE_HACER
                case IdActa():
                    return _ruta(acta), None

        return p.una_vez(e, accion)

    @app.get("/acta/{eleccion}/{casilla}")
    def hoja(eleccion: str, casilla: str, e: Pide) -> Response:
        persona, acta = persona_de(e), IdActa(eleccion, casilla)
        estado = p.mesa.abierta(acta, persona.clave)
        if isinstance(estado, Rechazo):
            return p.pagina("error.html", e, titulo="Aviso", aviso=de_rechazo(estado), codigo=409)
        renglones = renglones_de(p.proceso, acta)
        if isinstance(estado.libre, Discrepante):
            faltan = [r for r in renglones if r.clave in estado.libre.campos]
            return _hoja(p, e, acta, faltan, {}, clase="correccion")
        return _hoja(p, e, acta, renglones, {})

    @app.post("/acta/{eleccion}/{casilla}")
    def concluir(eleccion: str, casilla: str, e: Pide) -> Response:
        persona, acta = persona_de(e), IdActa(eleccion, casilla)

        def accion() -> tuple[str, Aviso | None] | Response:
            leido = _leer(p, e, acta)
            if isinstance(leido, Rechazo):
                return "/", de_rechazo(leido)
            renglones, tecleado, campos = leido
            correccion = e.texto("clase") == "correccion"
            if campos is None:
                clase = "correccion" if correccion else "captura"
                return _hoja(p, e, acta, renglones, tecleado, clase=clase, codigo=422)
            if correccion:
                return "/", _de_hecha(acta, p.mesa.corregir(acta, persona.clave, campos))
            return "/", _de_hecha(acta, p.mesa.capturar(acta, persona.clave, asentado_de_campos(campos)))

        return p.una_vez(e, accion)

    @app.post("/acta/{eleccion}/{casilla}/soltar")
    def soltar(eleccion: str, casilla: str, e: Pide) -> Response:
        persona, acta = persona_de(e), IdActa(eleccion, casilla)

        def accion() -> tuple[str, Aviso | None]:
            estado = p.mesa.soltar(acta, persona.clave)
            if isinstance(estado, Rechazo):
                return "/", de_rechazo(estado)
            return "/", Aviso(
                True, f"Dejó el acta {casilla} sin terminar", "", "volvió a la fila; no se guardó lo tecleado"
            )

        return p.una_vez(e, accion)

    @app.get("/revision/{eleccion}/{casilla}")
    def revision(eleccion: str, casilla: str, e: Pide) -> Response:
        persona_de(e)
        acta = IdActa(eleccion, casilla)
        estado = p.mesa.estado(acta)
        if isinstance(estado, Rechazo):
            return p.pagina("error.html", e, titulo="Aviso", aviso=de_rechazo(estado), codigo=409)
        if not isinstance(estado, EnRevision):
            return p.pagina("error.html", e, titulo="Aviso", aviso=_situacion(acta, estado), codigo=409)
        renglones = [r for r in renglones_de(p.proceso, acta) if r.clave in estado.campos]
        return _hoja(p, e, acta, renglones, {}, clase="revision")

    @app.post("/revision/{eleccion}/{casilla}")
    def decidir(eleccion: str, casilla: str, e: Pide) -> Response:
        persona, acta = persona_de(e), IdActa(eleccion, casilla)

        def accion() -> tuple[str, Aviso | None] | Response:
            leido = _leer(p, e, acta)
            if isinstance(leido, Rechazo):
                return "/", de_rechazo(leido)
            renglones, tecleado, campos = leido
            otra = e.texto("otra")
            if campos is None or otra not in p.personas:
                return _hoja(p, e, acta, renglones, tecleado, clase="revision", codigo=422, otra=otra)
            return "/", _de_hecha(acta, p.mesa.revisar(acta, (persona.clave, otra), campos))

        return p.una_vez(e, accion)


def _leer(
    p: Pantalla, e: Entrada, acta: IdActa
) -> tuple[list[Renglon], dict[str, Tecleado], dict[str, Campo] | None] | Rechazo:
    """Lo tecleado en los renglones que la persona vio; si el acta cambió mientras tanto, lo dirá la mesa."""
    if isinstance(rechazo := p.mesa.renglones(acta), Rechazo):
        return rechazo
    vistos = set(e.campos.get("renglon", []))
    renglones = [r for r in renglones_de(p.proceso, acta) if r.clave in vistos]
    if not renglones:
        return Rechazo("FORMA", "No llegó ningún renglón", "la página no cargó completa", "abra el acta otra vez")
    tecleado = leer(renglones, e.campos)
    campos = campos_de(tecleado)
    if campos is not None and e.texto("clase") == "captura" and len(renglones) != len(renglones_de(p.proceso, acta)):
        return Rechazo("FORMA", "Llegaron renglones de menos", "la página no cargó completa", "abra el acta otra vez")
    return renglones, tecleado, campos


def _hoja(
    p: Pantalla,
    e: Entrada,
    acta: IdActa,
    renglones: Sequence[Renglon],
    tecleado: Mapping[str, Tecleado],
    *,
    clase: str = "captura",
    codigo: int = 200,
    otra: str = "",
) -> Response:
    return p.pagina(
        "hoja.html",
        e,
        codigo=codigo,
        titulo=_TITULOS[clase],
        clase=clase,
        acta=acta,
        casilla=p.proceso.casillas[acta.casilla],
        eleccion=p.proceso.elecciones[acta.eleccion],
        renglones=renglones,
        tecleado=tecleado,
        vacio=Tecleado(),
        errores=sum(bool(t.error) for t in tecleado.values()),
        otras=[x for x in p.personas.values() if e.persona is None or x.clave != e.persona.clave],
        otra=otra,
        enviada=codigo != 200,
    )


def _de_hecha(acta: IdActa, hecha: Hecha | Rechazo) -> Aviso:
    return de_rechazo(hecha) if isinstance(hecha, Rechazo) else _situacion(acta, hecha.estado)


def _situacion(acta: IdActa, estado: Estado) -> Aviso:
    """Qué sigue, sin decir nunca qué leyó otra persona ni en qué renglón."""
    c = acta.casilla
    match estado:
        case Verificada():
            return Aviso(
                True, f"Acta {c} VERIFICADA", "cada renglón tiene el acuerdo de dos personas", "tome la siguiente"
            )
        case PrimeraConcluida():
            return Aviso(True, f"Acta {c} guardada", "", "ahora la leerá otra persona, sin ver esta captura")
        case Discrepante():
            return Aviso(
                True,
                f"Acta {c} guardada",
                "otra persona leyó distinto algún renglón",
                "lo leerá una tercera, sin ver ninguna",
            )
        case EnRevision():
            return Aviso(
                True, f"Acta {c} guardada", "aún hay renglones sin acuerdo", "avise: la revisan dos personas juntas"
            )
        case SinActaDeclarada():
            return Aviso(True, f"{c} quedó declarada sin acta", "", "tome la siguiente")
        case SinCaptura() | Tomada():
            return Aviso(True, f"El acta {c} está en la fila", "", "tome la siguiente")
        case _:
            assert_never(estado)


def _ruta(acta: IdActa) -> str:
    return f"/acta/{acta.eleccion}/{acta.casilla}"
