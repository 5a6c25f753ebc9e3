"""Cómo está el kiosco (enlace y su historia, reloj, disco, corriente, gente) y su bitácora, lo grave arriba."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from fastapi import FastAPI
from fastapi.responses import Response

from appliance.almacen import Lectura
from appliance.corriente import corriente
from appliance.pantalla.barra import imagenes_en_palabras
from appliance.pantalla.linea_de_tiempo import horas_de_corte
from appliance.pantalla.pagina import Pantalla, PideCoordinacion
from appliance.pantalla.rutas_coordinacion import hace, nombre_de, p_local
from appliance.vigilante import faltan_por_mandar
from nucleo.codigo_qr import INE8
from nucleo.eventos import eventos
from nucleo.problema import Rechazo

RENGLONES: Final = 100
_HISTORIA: Final = 12
_DEL_ENLACE: Final = ("enlace_perdido", "enlace_recuperado")

CALIDADES: Final = {
    "sincronizado": "sincronizado con la red",
    "libre": "corre solo: compárelo con un reloj confiable",
    "desconocido": "no se sabe si está sincronizado: compárelo con un reloj confiable",
    "virtual": "es la hora de un ensayo",
}


@dataclass(frozen=True, slots=True)
class Anotado:
    """Un renglón de la bitácora, en palabras."""

    hora: datetime
    que: str
    quien: str
    acta: str
    detalle: str
    grave: bool


def agregar(app: FastAPI, p: Pantalla) -> None:
    @app.get("/coordinacion/estado")
    def estado(e: PideCoordinacion) -> Response:
        ahora = p.ahora()
        resumen = p.kiosco.almacen.resumen()
        with p.kiosco.almacen.lectura() as mirada:
            enlaces = _renglones(p, mirada, _HISTORIA, _DEL_ENLACE)
            graves = _renglones(p, mirada, _HISTORIA, tuple(c for c, x in eventos().items() if x.grave))
            turnos = mirada.conexion.execute("SELECT persona, desde, bloqueado FROM turnos ORDER BY desde").fetchall()
        return p.pagina(
            "coordinacion_estado.html",
            e,
            titulo="Estado del kiosco",
            resumen=resumen,
            imagenes=imagenes_en_palabras(p.kiosco.almacen.resumen_de_imagenes()),
            # Por el reloj de la máquina, que es el del acuse; el de la pantalla puede ser el de un ensayo.
            ultimo_acuse=hace(resumen.ultimo_acuse, datetime.now(UTC)) if resumen.ultimo_acuse else "",
            enlaces=enlaces,
            graves=graves,
            cortes=horas_de_corte(p.kiosco.almacen)[-6:],
            reloj=CALIDADES.get(p.kiosco.reloj.calidad(), p.kiosco.reloj.calidad()),
            libre=shutil.disk_usage(p.kiosco.carpeta).free,
            corriente=corriente().palabras,
            aparatos=_aparatos(p),
            turnos=[(nombre_de(p, c), datetime.fromisoformat(d), bool(b)) for c, d, b in turnos],
            por_mandar=faltan_por_mandar(p.kiosco.almacen),
            equipo=p.kiosco.identidad.equipo,
            hace=lambda hora: hace(hora, ahora),
            local=p_local(p),
        )

    @app.get("/coordinacion/bitacora")
    def bitacora(e: PideCoordinacion) -> Response:
        with p.kiosco.almacen.lectura() as mirada:
            renglones = _renglones(p, mirada, RENGLONES)
        graves = [r for r in renglones if r.grave]
        return p.pagina(
            "coordinacion_bitacora.html",
            e,
            titulo="Bitácora",
            renglones=graves + [r for r in renglones if not r.grave],
            graves=len(graves),
            tope=RENGLONES,
            local=p_local(p),
        )


def _renglones(p: Pantalla, mirada: Lectura, cuantos: int, cuales: tuple[str, ...] = ()) -> list[Anotado]:
    """Los más recientes primero."""
    donde = f"WHERE evento IN ({','.join('?' * len(cuales))}) " if cuales else ""
    filas = mirada.conexion.execute(
        f"SELECT hora, evento, persona, acta, detalle FROM bitacora {donde}ORDER BY renglon DESC LIMIT ?",
        (*cuales, cuantos),
    )
    anotados = []
    for hora, evento, persona, acta, detalle in filas:
        declarado = eventos().get(evento)
        anotados.append(
            Anotado(
                datetime.fromisoformat(hora),
                declarado.texto if declarado else evento,
                nombre_de(p, persona) if persona else "",
                acta,
                detalle,
                declarado is not None and declarado.grave,
            )
        )
    return anotados


def _aparatos(p: Pantalla) -> list[tuple[str, str]]:
    """(aparato, cómo está), de lo que tenga este puesto."""
    impresora = p.imprenta.impresora
    estado = impresora.estado() if impresora is not None else None
    if estado is None:
        dicho = "no hay: etiquetas y relaciones quedan en PDF"
    else:
        dicho = getattr(estado, "palabras", "") or getattr(estado, "que", "")
    escaner = p.puesto.nombre_escaner() or _sin_escaner(p)
    conectado = "; ".join(p.puesto.dispositivos()) or "nada que este kiosco reconozca"
    codigos = ", ".join(p.puesto.formas.admitidas)
    if INE8 in p.puesto.formas.admitidas and p.puesto.formas.llave is None:
        codigos += f" (firma de los {INE8} sin comprobar: este kiosco no lleva la llave del instituto)"
    return [("Escáner", escaner), ("Impresora", dicho), ("Conectado ahora", conectado), ("Códigos de acta", codigos)]


def _sin_escaner(p: Pantalla) -> str:
    # Conectado y despertando no es lo mismo que no haberlo.
    fuente = p.puesto.digitalizadora.escaner() if p.puesto.digitalizadora is not None else None
    return fuente.que if isinstance(fuente, Rechazo) else "no se ve ninguno"
