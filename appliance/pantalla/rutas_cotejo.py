"""El cotejo, con el papel en la mano: se ve lo verificado en grande junto a la imagen y se dice si coincide."""

from __future__ import annotations

from typing import Final

from fastapi import FastAPI
from fastapi.responses import Response

from appliance.cotejo import Cotejador, Remedio, capturaron, cotejo_vigente, huella_de
from appliance.empaquetado import caja_cerrada_de, empaque_vigente
from appliance.pantalla.acta_nombrada import TIPOS, actas_nombradas, en_palabras, lugar
from appliance.pantalla.hoja import en_palabras as campo_en_palabras
from appliance.pantalla.hoja import renglones_de
from appliance.pantalla.linea_de_tiempo import COTEJOS
from appliance.pantalla.pagina import Aviso, Entrada, Pantalla, PideVerificacion, de_rechazo, persona_de
from appliance.pantalla.rutas_coordinacion import hace, nombre_de, tablero_de
from appliance.pantalla.rutas_imagen import vista_de
from appliance.personas import Papel
from appliance.redigitalizacion import MOTIVOS_IMAGEN, imagen_por_confirmar
from appliance.tablero import Situacion
from nucleo.captura import Verificada, estado_de
from nucleo.hechos import IdActa
from nucleo.problema import Rechazo

A_LA_VISTA: Final = 9

MOTIVO_RECAPTURA: Final = "no coincide con el papel"
"""El que se asienta: no dice en qué renglón ni qué número, porque quien recaptura lee a ciegas."""


def agregar(app: FastAPI, p: Pantalla) -> None:
    tablero = tablero_de(app, p)
    cotejador = Cotejador(p.mesa)

    def buscar(e: Entrada, error: Aviso | None = None, elegir: list[IdActa] | None = None) -> Response:
        ahora = p.ahora()
        esperan = [f for f in tablero.retrato(ahora).fichas if f.situacion is Situacion.POR_COTEJAR]
        esperan.sort(key=lambda f: f.desde)
        return p.pagina(
            "cotejo.html",
            e,
            titulo="Cotejo",
            esperan=esperan[:A_LA_VISTA],
            cuantas=len(esperan),
            que=e.texto("que"),
            error=error,
            elegir=elegir or [],
            hace=lambda hora: hace(hora, ahora),
            donde=lambda acta: en_palabras(p, acta),
            codigo=422 if error else 200,
        )

    @app.get("/cotejo")
    def cotejo(e: PideVerificacion) -> Response:
        return buscar(e)

    @app.post("/cotejo")
    def hallar(e: PideVerificacion) -> Response:
        def accion() -> tuple[str, Aviso | None] | Response:
            actas = actas_nombradas(p, e.texto("que"))
            if isinstance(actas, Rechazo):
                return buscar(e, de_rechazo(actas))
            if len(actas) > 1:
                return buscar(e, elegir=actas)
            return _ruta(actas[0]), None

        return p.una_vez(e, accion)

    @app.get("/cotejo/{eleccion}/{casilla}")
    def ver(eleccion: str, casilla: str, e: PideVerificacion) -> Response:
        acta = IdActa(eleccion, casilla)
        if isinstance(ajena := p.mesa.renglones(acta), Rechazo):
            return p.pagina("error.html", e, titulo="Aviso", aviso=de_rechazo(ajena), codigo=404)
        with p.kiosco.almacen.lectura() as mirada:
            historia = mirada.hechos_de(acta)
            cerrada = caja_cerrada_de(mirada, historia)
        estado = estado_de(historia)
        if not isinstance(estado, Verificada):
            return p.pagina("error.html", e, titulo="Aviso", aviso=_SIN_VERIFICAR, codigo=409)
        campos = estado.asentado.campos()
        quienes = capturaron(historia)
        previo = cotejo_vigente(historia)
        nueva = imagen_por_confirmar(historia)
        empaque = empaque_vigente(historia)
        return p.pagina(
            "cotejo_acta.html",
            e,
            titulo=f"Cotejo de {casilla}",
            acta=acta,
            casilla=p.proceso.casillas[casilla],
            tipos=TIPOS,
            lugar=lugar(p, acta),
            eleccion=p.proceso.elecciones[eleccion],
            renglones=[(r, campo_en_palabras(campos[r.clave])) for r in renglones_de(p.proceso, acta)],
            imagen=vista_de(app, p).de(acta),
            vuelta=estado.vuelta,
            visto=huella_de(estado),
            ya=COTEJOS[previo.resultado] if previo is not None else "",
            conviene_otra=_conviene_otra(p, e, quienes),
            quienes=[nombre_de(p, c) for c in quienes],
            motivos_imagen=MOTIVOS_IMAGEN,
            nueva=nueva.sha256 if nueva is not None else "",
            caja=empaque.caja if empaque is not None else "",
            cerrada=cerrada,
            coordina=persona_de(e).coordina,
        )

    @app.post("/cotejo/{eleccion}/{casilla}/coincide")
    def coincide(eleccion: str, casilla: str, e: PideVerificacion) -> Response:
        acta = IdActa(eleccion, casilla)

        def accion() -> tuple[str, Aviso | None]:
            persona = persona_de(e)
            confirma = e.texto("nueva") if persona.coordina else None
            hecha = cotejador.coincide(acta, persona.clave, e.texto("visto"), confirma=confirma)
            if isinstance(hecha, Rechazo):
                return _ruta(acta) if hecha.codigo in _SE_MIRA_OTRA_VEZ else "/cotejo", de_rechazo(hecha)
            que = f"Cotejada: {en_palabras(p, acta)}" if hecha.asientos else f"{casilla} ya estaba cotejada"
            return "/cotejo", Aviso(True, que, "coincide con el papel", "guárdela en la caja y tome la siguiente")

        return p.una_vez(e, accion)

    @app.post("/cotejo/{eleccion}/{casilla}/no-coincide")
    def no_coincide(eleccion: str, casilla: str, e: PideVerificacion) -> Response:
        acta = IdActa(eleccion, casilla)

        def accion() -> tuple[str, Aviso | None]:
            remedio = next((r for r in Remedio if r.value == e.texto("remedio")), None)
            if remedio is None or (remedio is Remedio.REDIGITALIZACION and e.texto("motivo") not in MOTIVOS_IMAGEN):
                return _ruta(acta), _FALTA_REMEDIO
            motivo = MOTIVO_RECAPTURA if remedio is Remedio.RECAPTURA else e.texto("motivo")
            persona = persona_de(e)
            confirma = e.texto("nueva") if persona.coordina else None
            hecha = cotejador.no_coincide(
                acta,
                persona.clave,
                remedio,
                motivo,
                e.texto("visto"),
                imagen=e.texto("imagen"),
                confirma=confirma,
            )
            if isinstance(hecha, Rechazo):
                return _ruta(acta), de_rechazo(hecha)
            if remedio is Remedio.REDIGITALIZACION:
                return "/cotejo", Aviso(
                    True,
                    f"{casilla} no coincide: se pidió otra imagen",
                    "después se captura desde el principio",
                    "lleve el papel a digitalización",
                )
            return "/cotejo", Aviso(
                True,
                f"{casilla} no coincide: se capturará otra vez",
                "empieza en blanco, con dos lecturas",
                "deje el papel aparte; cuando se verifique, cotéjela de nuevo",
            )

        return p.una_vez(e, accion)


def _conviene_otra(p: Pantalla, e: Entrada, quienes: tuple[str, ...]) -> bool:
    """Si quien coteja la capturó y hay alguien más que pueda hacerlo. Se avisa; no se impide."""
    if persona_de(e).clave not in quienes:
        return False
    cotejan = [x for x in p.personas.values() if x.puede(Papel.VERIFICACION, Papel.COORDINACION)]
    return any(x.clave not in quienes for x in cotejan)


def _ruta(acta: IdActa) -> str:
    return f"/cotejo/{acta.eleccion}/{acta.casilla}"


_SE_MIRA_OTRA_VEZ: Final = ("CAMBIO", "IMAGEN_POR_CONFIRMAR", "EN_CAJA_CERRADA")
_SIN_VERIFICAR: Final = Aviso(
    False,
    "Esa acta todavía no está verificada",
    "le falta alguna lectura, o se pidió capturarla otra vez",
    "deje el papel aparte y cotéjela cuando se verifique",
)
_FALTA_REMEDIO: Final = Aviso(
    False,
    "Falta decir qué se hace con ella",
    "quedó sin elegir",
    "toque «Se leyó mal», o diga qué tiene la imagen",
)
