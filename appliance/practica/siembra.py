"""Pone las actas de muestra en el kiosco, como si hubieran llegado y se hubieran digitalizado.

Desde ahí son actas como cualquiera: se toman, se leen dos veces y se verifican con las mismas pantallas. Sólo en modo
capacitación: en otro modo sería inventar actas.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from appliance.almacen import Almacen, Lectura
from appliance.digitalizacion.hoja import Vista
from appliance.mesa import Mesa
from appliance.practica.lecciones import Leccion
from appliance.vision.registro import Registro
from nucleo.acta import Digitalizacion, Origen
from nucleo.formato import Formato, formato_para
from nucleo.hechos import Acopio, Imagen
from nucleo.modos import CAPACITACION
from nucleo.problema import Rechazo

PERSONA: Final = "practica"
_EMPEZADA: Final = "practica_empezada"
_TERMINADA: Final = "practica_terminada"
_PULGADA_MM: Final = 25.4


def sembrar(mesa: Mesa, lecciones: tuple[Leccion, ...], formatos: tuple[Formato, ...]) -> Rechazo | None:
    """Acopia y digitaliza las actas que falten. Repetirlo no agrega nada.

    Raises:
        Falla: por el disco o el reloj.
    """
    if mesa.proceso.modo != CAPACITACION:
        return Rechazo(
            "MODO",
            "La práctica sólo existe en modo capacitación",
            f"este kiosco está en modo {mesa.proceso.modo}",
            "cambie de modo con `./prep catd modo`, o practique en otro equipo",
        )
    for leccion in lecciones:
        historia = mesa.almacen.hechos_de(leccion.acta)
        contenido = leccion.imagen.read_bytes()
        hecha: object = None
        if not any(isinstance(h, Acopio) for h in historia):
            hecha = mesa.acopiar(leccion.acta, persona=PERSONA, origen=Origen.CATD)
        if not isinstance(hecha, Rechazo) and not any(isinstance(h, Imagen) for h in historia):
            # El registro va antes que la imagen: si se va la luz en medio, repetirlo lo completa.
            _registrar(mesa, leccion, formatos, contenido)
            hecha = mesa.digitalizar(
                leccion.acta, persona=PERSONA, digitalizacion=Digitalizacion.ESCANER, contenido=contenido
            )
        if isinstance(hecha, Rechazo):
            return hecha
    return None


def empezar(almacen: Almacen, persona: str, hora: datetime) -> None:
    """Anota que esa persona empezó la práctica. Raises: Falla."""
    with almacen.transaccion() as t:
        t.anotar(hora, _EMPEZADA, persona=persona)


def terminar(almacen: Almacen, persona: str, hora: datetime, detalle: str) -> None:
    """Anota, una sola vez, que esa persona leyó todas las actas de muestra y cómo le fue. Raises: Falla."""
    with almacen.transaccion() as t:
        if not _anotado(t, _TERMINADA, persona):
            t.anotar(hora, _TERMINADA, persona=persona, detalle=detalle)


def practico(almacen: Almacen, persona: str) -> bool:
    """Si esa persona ya empezó la práctica en este kiosco. Raises: Falla."""
    with almacen.lectura() as mirada:
        return _anotado(mirada, _EMPEZADA, persona)


def _anotado(mirada: Lectura, evento: str, persona: str) -> bool:
    fila = mirada.conexion.execute(
        "SELECT 1 FROM bitacora WHERE evento = ? AND persona = ? LIMIT 1", (evento, persona)
    ).fetchone()
    return fila is not None


def _registrar(mesa: Mesa, leccion: Leccion, formatos: tuple[Formato, ...], contenido: bytes) -> None:
    # La imagen de muestra está derecha y completa: dónde está cada renglón se sabe por su densidad, sin buscarlo.
    casilla = mesa.proceso.casillas[leccion.acta.casilla]
    formato = formato_para(formatos, mesa.proceso.elecciones[leccion.acta.eleccion], casilla)
    if formato is None:
        return
    escala = _PULGADA_MM / leccion.ppp
    registro = Registro(formato.clave, (escala, 0.0, 0.0, 0.0, escala, 0.0, 0.0, 0.0, 1.0), 1.0, 0.0, 0.0, 1.0)
    sha256 = mesa.imagenes.guardar(contenido)
    with mesa.almacen.transaccion() as t:
        t.conexion.execute(
            "INSERT OR IGNORE INTO hojas (lote, numero, estado, digitalizacion, persona, hora, origen, sha256, "
            "lectura, eleccion, casilla) VALUES ('practica', 1, 'asignada', ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                Digitalizacion.ESCANER.value,
                PERSONA,
                mesa.reloj.ahora().isoformat(),
                f"practica/{leccion.imagen.name}",
                sha256,
                Vista(anverso=True, formato=formato.clave, registro=registro.a_json()).a_texto(),
                leccion.acta.eleccion,
                leccion.acta.casilla,
            ),
        )
