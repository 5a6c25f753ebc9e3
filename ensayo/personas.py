"""Las personas de un CATD: un proceso que vive su agenda llamando a las mismas funciones que llaman las pantallas.

Habla por renglones con quien dirige el ensayo: recibe `hasta <instante>` y contesta `listo <instante> <tareas>`. Si
lo matan y vuelve a nacer, mira en el almacén qué quedó hecho y sigue desde ahí; no lleva cuaderno propio.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from appliance.arranque import abrir_kiosco

from appliance.reloj import RelojFijado
from ensayo.agenda import Agenda, Documento, Tarea, cargar, con_desliz
from ensayo.dibujo import dibujar
from nucleo.captura import Discrepante, Tomada
from nucleo.hechos import Acopio, Captura, Correccion, HechoDeActa, Imagen, SinActa
from nucleo.problema import Rechazo


class Imprevisto(RuntimeError):
    """El kiosco rechazó una tarea que en la noche real sí ocurrió."""


class Personas:
    """Ejecuta la agenda sobre un kiosco abierto."""

    def __init__(self, carpeta: Path, agenda: Agenda, con_imagen: Callable[[str], bool]) -> None:
        self._agenda = agenda
        self._con_imagen = con_imagen
        inicio = agenda.tareas[0].hora if agenda.tareas else datetime.now().astimezone()
        self._reloj = RelojFijado(inicio)
        self._kiosco = abrir_kiosco(carpeta, self._reloj)
        self._siguiente = 0

    def vivir_hasta(self, instante: datetime) -> int:
        """Hace todo lo agendado hasta ese instante, inclusive. Devuelve cuántas tareas ejecutó."""
        hechas = 0
        while self._siguiente < len(self._agenda.tareas):
            tarea = self._agenda.tareas[self._siguiente]
            if tarea.hora > instante:
                break
            documento = self._agenda.documentos[tarea.documento]
            if not self._ya_esta(tarea, documento):
                self._reloj.fijar(tarea.hora)
                self._hacer(tarea, documento)
                hechas += 1
            self._siguiente += 1
        return hechas

    def _ya_esta(self, tarea: Tarea, documento: Documento) -> bool:
        if tarea.accion == "fuera_de_catalogo":
            return False  # declararlo otra vez no deja otro hecho: el folio sale de la huella
        hechos: list[HechoDeActa] = list(self._kiosco.almacen.hechos_de(documento.acta))
        match tarea.accion:
            case "acopiar":
                return any(isinstance(h, Acopio) for h in hechos)
            case "digitalizar":
                return not self._con_imagen(documento.acta.casilla) or any(isinstance(h, Imagen) for h in hechos)
            case "capturar" | "equivocarse":
                return any(isinstance(h, Captura) and h.persona == tarea.persona for h in hechos)
            case "corregir":
                return any(isinstance(h, Correccion) and h.persona == tarea.persona for h in hechos)
            case _:
                return any(isinstance(h, SinActa) for h in hechos)

    def _hacer(self, tarea: Tarea, d: Documento) -> None:
        mesa, quien = self._kiosco.mesa, tarea.persona
        match tarea.accion:
            case "acopiar":
                resultado: object = mesa.acopiar(
                    d.acta,
                    persona=quien,
                    origen=d.origen,
                    tipo_documento=d.tipo_documento,
                    mecanismo_traslado=d.mecanismo_traslado,
                    hora=d.acopio,
                )
            case "digitalizar":
                casilla = self._kiosco.proceso.casillas[d.acta.casilla]
                eleccion = self._kiosco.proceso.elecciones[d.acta.eleccion]
                resultado = mesa.digitalizar(
                    d.acta,
                    persona=quien,
                    digitalizacion=d.digitalizacion,
                    contenido=dibujar(casilla, eleccion, d.asentado),
                )
            case "capturar" | "equivocarse":
                assert d.asentado is not None
                resultado = mesa.tomar(d.acta, quien)
                if not isinstance(resultado, Rechazo):
                    transcrito = con_desliz(d.asentado) if tarea.accion == "equivocarse" else d.asentado
                    resultado = mesa.capturar(d.acta, quien, transcrito)
            case "corregir":
                resultado = self._corregir(d, quien)
            case "sin_acta":
                assert d.sin_acta is not None
                resultado = mesa.declarar_sin_acta(d.acta, quien, "coordina-1", d.sin_acta)
            case _:
                resultado = mesa.declarar_fuera_de_catalogo(
                    d.acta.eleccion,
                    persona=quien,
                    origen=d.origen,
                    digitalizacion=d.digitalizacion,
                    tipo_documento=d.tipo_documento,
                    mecanismo_traslado=d.mecanismo_traslado,
                    sha256=_sha_fuera(d),
                    hora=d.acopio,
                )
        if isinstance(resultado, Rechazo) and resultado.codigo != "YA_DECLARADO":
            raise Imprevisto(f"{tarea.hora:%H:%M:%S} {quien} {tarea.accion} {d.acta}: {resultado}")

    def _corregir(self, d: Documento, quien: str) -> object:
        assert d.asentado is not None
        tomada = self._kiosco.mesa.tomar(d.acta, quien)
        if isinstance(tomada, Rechazo):
            return tomada
        assert isinstance(tomada, Tomada)
        assert isinstance(tomada.libre, Discrepante)
        # Transcribe del papel, en blanco, sólo lo que se le pide.
        papel = d.asentado.campos()
        return self._kiosco.mesa.corregir(d.acta, quien, {c: papel[c] for c in tomada.libre.campos})


def _sha_fuera(d: Documento) -> str:
    return d.huella_publicada or hashlib.sha256(str(d.acopio).encode()).hexdigest()


def principal() -> int:
    """Punto de entrada: `python -m ensayo.personas --carpeta DIR --imagenes todas|muestra|ninguna`."""
    lector = argparse.ArgumentParser(description="Personas de un CATD durante un ensayo (lo dirige ensayo.jornada)")
    lector.add_argument("--carpeta", type=Path, required=True)
    lector.add_argument("--imagenes", choices=("todas", "muestra", "ninguna"), default="todas")
    opciones = lector.parse_args()
    personas = Personas(opciones.carpeta, cargar(opciones.carpeta / "agenda.json"), _criterio(opciones.imagenes))
    print("listo", flush=True)
    for renglon in sys.stdin:
        orden, _, argumento = renglon.strip().partition(" ")
        if orden == "hasta":
            hechas = personas.vivir_hasta(datetime.fromisoformat(argumento))
            print(f"listo {argumento} {hechas}", flush=True)
        elif orden == "adios":
            break
    return 0


def _criterio(imagenes: str) -> Callable[[str], bool]:
    def una_de_veinte(casilla: str) -> bool:
        return hashlib.sha256(casilla.encode()).digest()[0] % 20 == 0

    return {"todas": lambda _: True, "ninguna": lambda _: False}.get(imagenes, una_de_veinte)


if __name__ == "__main__":
    sys.exit(principal())
