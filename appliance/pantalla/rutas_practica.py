"""La práctica guiada: qué se aprende en cada acta de muestra, y cómo le fue a quien la hizo."""

from __future__ import annotations

from datetime import datetime

from fastapi import FastAPI
from fastapi.responses import Response

from appliance.pantalla.formatos import formatos_de
from appliance.pantalla.hoja import en_palabras, renglones_de
from appliance.pantalla.pagina import Aviso, Pantalla, PidePersona, de_rechazo, persona_de
from appliance.practica.calificacion import calificar_todas, tiempo
from appliance.practica.lecciones import Leccion, leer_lecciones
from appliance.practica.siembra import empezar as anotar_empezada
from appliance.practica.siembra import sembrar
from appliance.practica.siembra import terminar as anotar_terminada
from nucleo.hechos import Acopio
from nucleo.modos import CAPACITACION


def lecciones_de(p: Pantalla) -> tuple[Leccion, ...]:
    """Las de este kiosco; ninguna fuera de capacitación. Raises: Falla."""
    return leer_lecciones(p.kiosco.identidad.proceso, p.proceso) if p.proceso.modo == CAPACITACION else ()


def agregar(app: FastAPI, p: Pantalla) -> None:
    """En los demás modos no agrega nada: ahí la práctica no existe."""
    if p.proceso.modo != CAPACITACION:
        return
    lecciones = lecciones_de(p)
    formatos = formatos_de(p)

    def empezo() -> datetime | None:
        acopios = [h for x in lecciones for h in p.kiosco.almacen.hechos_de(x.acta) if isinstance(h, Acopio)]
        return min((a.hora for a in acopios), default=None)

    @app.get("/practica")
    def practica(e: PidePersona) -> Response:
        persona = persona_de(e)
        calificadas = calificar_todas(p.kiosco.almacen, lecciones, persona.clave)
        hechas = [c for c in calificadas.values() if c is not None]
        aciertos, total = sum(c.aciertos for c in hechas), sum(c.total for c in hechas)
        if len(hechas) == len(lecciones):
            anotar_terminada(p.kiosco.almacen, persona.clave, p.ahora(), f"{aciertos} de {total} renglones")
        return p.pagina(
            "practica.html",
            e,
            titulo="Práctica guiada",
            lecciones=[(x, calificadas[x.acta]) for x in lecciones],
            empezada=empezo() is not None,
            hechas=len(hechas),
            aciertos=aciertos,
            total=total,
            tardo=tiempo(hechas, empezo()),
            rotulos={x.acta: {r.clave: r.rotulo for r in renglones_de(p.proceso, x.acta)} for x in lecciones},
            en_palabras=en_palabras,
        )

    @app.post("/practica/empezar")
    def empezar(e: PidePersona) -> Response:
        persona = persona_de(e).clave

        def accion() -> tuple[str, Aviso | None]:
            rechazo = sembrar(p.mesa, lecciones, formatos)
            if rechazo is not None:
                return "/practica", de_rechazo(rechazo)
            anotar_empezada(p.kiosco.almacen, persona, p.ahora())
            return "/", Aviso(True, f"Hay {len(lecciones)} actas de muestra esperándole", "", "toque «Siguiente acta»")

        return p.una_vez(e, accion)
