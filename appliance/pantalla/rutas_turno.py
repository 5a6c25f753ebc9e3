"""Entrar con gafete y NIP, bloquear, relevar, terminar el turno, y lo que lee el lector."""

from __future__ import annotations

import contextlib
from typing import Any, Final

from fastapi import FastAPI
from fastapi.responses import JSONResponse, Response
from starlette.routing import Match

from appliance.falla import Falla
from appliance.pantalla.lectura import GAFETE, clase_de
from appliance.pantalla.pagina import (
    Aviso,
    Entrada,
    Pantalla,
    Pide,
    PideCoordinacion,
    PidePersona,
    de_rechazo,
    persona_de,
)
from appliance.pantalla.vuelta import ruta_propia
from appliance.personas import NOMBRES, Papel, Persona
from appliance.turnos import Relevo
from appliance.vigilante import mandar_bitacora
from nucleo.hechos import IdActa
from nucleo.problema import Rechazo


def agregar(app: FastAPI, p: Pantalla) -> None:
    def de_regreso(texto: str) -> str:
        """La página a la que se regresa. Una que sólo contesta formularios no se puede volver a pedir."""
        pedida = {"type": "http", "method": "GET", "path": ruta_propia(texto)}
        hay = any(ruta.matches(pedida)[0] is Match.FULL for ruta in app.routes)
        return str(pedida["path"]) if hay else "/"

    @app.get("/turno")
    def turno(e: Pide, otra: str = "", volver: str = "", perdido: str = "") -> Response:
        error = _PERDIDO if perdido == "1" and e.persona is None else None
        return _pagina(p, e, otra=otra == "1", volver=de_regreso(volver), error=error, codigo=200)

    @app.post("/turno/gafete")
    def gafete(e: Pide) -> Response:
        def accion() -> tuple[str, Aviso | None] | Response:
            persona = p.acceso.identificar(e.texto("gafete"))
            if isinstance(persona, Rechazo):
                p.presentados.olvidar(e.sesion.azar)
                return _pagina(p, e, otra=True, error=de_rechazo(persona))
            p.presentados.presentar(e.sesion.azar, persona.clave)
            return "/turno", None

        return p.una_vez(e, accion)

    @app.post("/turno/otra")
    def otra_persona(e: Pide) -> Response:
        """Quien pasó su gafete no va a entrar: se olvida."""

        def accion() -> tuple[str, Aviso | None]:
            p.presentados.olvidar(e.sesion.azar)
            return "/turno" if e.persona is None else "/", None

        return p.una_vez(e, accion)

    @app.post("/turno/nip")
    def teclear_nip(e: Pide) -> Response:
        volver = de_regreso(e.texto("volver"))

        def accion() -> tuple[str, Aviso | None] | Response:
            persona = _quien_teclea(p, e)
            if persona is None:
                return _pagina(p, e, otra=True, error=_OTRA_VEZ)
            rechazo = p.comprobar_nip(persona, e)
            if rechazo is not None:
                return _pagina(p, e, error=de_rechazo(rechazo), volver=volver)
            p.presentados.olvidar(e.sesion.azar)
            if e.turno is not None and e.turno.persona == persona.clave:
                p.turnos.desbloquear(e.sesion.azar, persona.clave)
                return volver, None
            return "/", _bienvenida(p, persona, p.turnos.abrir(e.sesion.azar, persona.clave))

        return p.una_vez(e, accion)

    @app.post("/turno/bloquear")
    def bloquear(e: PidePersona) -> Response:
        def accion() -> tuple[str, Aviso | None]:
            p.turnos.bloquear(e.sesion.azar, "la bloqueó su persona")
            volver = de_regreso(e.texto("volver"))
            return ("/turno" if volver == "/" else f"/turno?volver={volver}"), None

        return p.una_vez(e, accion)

    @app.post("/turno/terminar")
    def terminar(e: PidePersona) -> Response:
        persona = persona_de(e)

        def accion() -> tuple[str, Aviso | None]:
            sueltas = _soltar_todo(p, persona)
            p.turnos.cerrar(e.sesion.azar, f"soltó {len(sueltas)} actas" if sueltas else "")
            # La hoja de bitácora saldrá de todos modos en un minuto: que falle no impide irse.
            with contextlib.suppress(Falla):
                mandar_bitacora(p.kiosco.almacen, p.kiosco.reloj)
            return "/turno", _despedida(persona, sueltas)

        return p.una_vez(e, accion)

    @app.post("/turno/destrabar")
    def destrabar(e: PideCoordinacion) -> Response:
        """Otra persona no puede entrar porque se tecleó demasiadas veces mal su NIP: se le perdona la espera."""

        def accion() -> tuple[str, Aviso | None]:
            hecho = p.acceso.destrabar(e.texto("persona"), persona_de(e))
            if isinstance(hecho, Rechazo):
                return "/turno", de_rechazo(hecho)
            siguiente = "avísele que lo teclee despacio: si falla, vuelve a esperar"
            return "/turno", Aviso(True, f"{hecho.nombre} ya puede teclear su NIP", "", siguiente)

        return p.una_vez(e, accion)

    @app.post("/turno/actividad")
    def actividad(e: PidePersona) -> Response:
        """Hubo un toque o una tecla en la página: el plazo de la pantalla vuelve a empezar."""
        return Response(status_code=204)

    @app.get("/lector")
    def lector(e: Pide, pide: str = "") -> Response:
        """La última lectura fresca, que así queda recogida; 204 si no hay.

        JSON `{"texto", "clase"}`; `clase` es `gafete`, `acta` u `otro`. De un gafete que la página no pide se dice de
        quién es (`persona`, `nombre`, `propio`), nunca su contenido, y queda presentado por si va a relevar.
        """
        texto = p.puesto.lector() if p.puesto.lector is not None else None
        if texto is None:
            return Response(status_code=204)
        clase = clase_de(texto, p.proceso)
        if clase != GAFETE or pide == GAFETE:
            return JSONResponse({"texto": texto, "clase": clase})
        persona = p.acceso.identificar(texto)
        if isinstance(persona, Rechazo):
            return JSONResponse({"texto": "", "clase": clase, "persona": "", "nombre": "", "aviso": str(persona)})
        propio = e.sesion.persona == persona.clave
        if not propio:
            p.presentados.presentar(e.sesion.azar, persona.clave)
        dicho = {"persona": persona.clave, "nombre": persona.nombre, "propio": propio}
        return JSONResponse({"texto": "", "clase": clase, **dicho})


def _pagina(
    p: Pantalla, e: Entrada, *, otra: bool = False, volver: str = "/", error: Aviso | None = None, codigo: int = 422
) -> Response:
    """La que toca: teclear el NIP, su propio turno, o pasar un gafete. Un error tapa al aviso que hubiera."""
    comunes: dict[str, Any] = {"volver": volver}
    if error is not None:
        comunes |= {"aviso": error, "codigo": codigo}
    presentada = p.personas.get(p.presentados.en(e.sesion.azar))
    if presentada is not None and (e.persona is None or presentada.clave != e.persona.clave):
        actual = p.personas.get(e.sesion.persona)
        return p.pagina(
            "turno_nip.html",
            e,
            titulo="Teclee su NIP",
            quien=presentada,
            regresa=False,
            releva=actual if actual is not None and actual.clave != presentada.clave else None,
            en_otra=p.turnos.otra_estacion(e.sesion.azar, presentada.clave),
            **comunes,
        )
    del_turno = p.personas.get(e.sesion.persona)
    if e.persona is None and del_turno is not None and not otra:
        return p.pagina(
            "turno_nip.html",
            e,
            titulo="Pantalla bloqueada",
            quien=del_turno,
            regresa=True,
            releva=None,
            en_otra=False,
            **comunes,
        )
    if e.persona is not None and e.turno is not None and not otra:
        abiertas = p.mesa.abiertas_de(e.persona.clave)
        return p.pagina(
            "turno.html",
            e,
            titulo="Su turno",
            desde=e.turno.desde.astimezone(p.ahora().tzinfo),
            abiertas=0 if isinstance(abiertas, Rechazo) else len(abiertas),
            esperan=_los_que_esperan(p, e.persona),
            papeles=" · ".join(NOMBRES[papel] for papel in Papel if papel in e.persona.papeles),
            **comunes,
        )
    return p.pagina(
        "turno_gafete.html",
        e,
        titulo="Pase su gafete",
        practica=[x for x in p.personas.values() if x.de_practica],
        espera=del_turno,
        **comunes,
    )


def _los_que_esperan(p: Pantalla, persona: Persona) -> list[tuple[Persona, str]]:
    """A quiénes puede destrabar, y hasta qué hora esperarían."""
    if not persona.coordina:
        return []
    huso = p.ahora().tzinfo
    return [(x.persona, f"{x.hasta.astimezone(huso):%H:%M:%S}") for x in p.acceso.esperas(persona)]


def _quien_teclea(p: Pantalla, e: Entrada) -> Persona | None:
    """De quién es el NIP: la que dice el formulario, si es la del gafete recién leído o la del turno bloqueado."""
    clave = e.texto("persona")
    bloqueada = e.sesion.persona if e.persona is None else ""
    return p.personas.get(clave) if clave and clave in (p.presentados.en(e.sesion.azar), bloqueada) else None


def _soltar_todo(p: Pantalla, persona: Persona) -> list[IdActa]:
    """Las que volvieron a la fila. Una que no se pudo soltar vuelve sola cuando venza su plazo: no impide irse."""
    abiertas = p.mesa.abiertas_de(persona.clave)
    if isinstance(abiertas, Rechazo):
        return []
    return [acta for acta in abiertas if not isinstance(p.mesa.soltar(acta, persona.clave), Rechazo)]


def _bienvenida(p: Pantalla, persona: Persona, relevo: Relevo) -> Aviso:
    partes = []
    if relevo.persona:
        anterior = p.personas.get(relevo.persona)
        quien = anterior.nombre if anterior else relevo.persona
        partes.append(f"relevó a {quien}; las actas que dejó abiertas conservan lo tecleado")
    if relevo.otra_estacion:
        partes.append("su turno en la otra estación se cerró")
    return Aviso(True, f"Empezó su turno, {persona.nombre}", "; ".join(partes))


def _despedida(persona: Persona, sueltas: list[IdActa]) -> Aviso:
    titulo = f"Terminó el turno de {persona.nombre}"
    if not sueltas:
        return Aviso(True, titulo, "no tenía actas abiertas")
    cuales = ", ".join(acta.casilla for acta in sueltas[:5]) + (" y otras" if len(sueltas) > 5 else "")
    que = "volvió a la fila el acta" if len(sueltas) == 1 else f"volvieron a la fila {len(sueltas)} actas:"
    return Aviso(True, titulo, f"{que} {cuales}", "lo que tecleó sigue guardado, por si la retoma")


_PERDIDO: Final = Aviso(
    False,
    "Lo último que mandó no se guardó",
    "la pantalla se bloqueó antes, porque pasó un rato sin uso",
    "teclee su NIP y repita esa acción; lo guardado antes sigue guardado",
)
_OTRA_VEZ: Final = Aviso(
    False,
    "Hay que pasar el gafete otra vez",
    "pasó más de un minuto, o se cambió de persona en otra ventana",
    "pase su gafete y teclee su NIP",
)
