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
from typing import Final

from appliance.arranque import abrir_kiosco
from appliance.mesa import Mesa
from appliance.redigitalizacion import imagen_de
from appliance.reloj import RelojFijado
from ensayo.agenda import Agenda, Documento, Tarea, cargar, con_desliz
from ensayo.dibujo import dibujar, dibujar_tira
from nucleo.captura import Discrepante, Tomada
from nucleo.hechos import Acopio, Captura, Correccion, HechoDeActa, Imagen, SinActa
from nucleo.problema import Rechazo


class Imprevisto(RuntimeError):
    """El kiosco rechazó una tarea que en la noche real sí ocurrió."""


class Personas:
    """Ejecuta la agenda en la mesa de un kiosco. El reloj debe ser el mismo de la mesa."""

    def __init__(self, mesa: Mesa, agenda: Agenda, reloj: RelojFijado, imagenes: str) -> None:
        self._mesa = mesa
        self._agenda = agenda
        self._reloj = reloj
        self._completa = _COMPLETA[imagenes]
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
        hechos: list[HechoDeActa] = list(self._mesa.almacen.hechos_de(documento.acta))
        match tarea.accion:
            case "acopiar":
                return any(isinstance(h, Acopio) for h in hechos)
            case "digitalizar":
                return any(isinstance(h, Imagen) for h in hechos)
            case "capturar" | "equivocarse":
                return any(isinstance(h, Captura) and h.persona == tarea.persona for h in hechos)
            case "corregir":
                return any(isinstance(h, Correccion) and h.persona == tarea.persona for h in hechos)
            case _:
                return any(isinstance(h, SinActa) for h in hechos)

    def _hacer(self, tarea: Tarea, d: Documento) -> None:
        mesa, quien = self._mesa, tarea.persona
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
                casilla = self._mesa.proceso.casillas[d.acta.casilla]
                eleccion = self._mesa.proceso.elecciones[d.acta.eleccion]
                resultado = mesa.digitalizar(
                    d.acta,
                    persona=quien,
                    digitalizacion=d.digitalizacion,
                    contenido=(
                        dibujar(casilla, eleccion, d.asentado)
                        if self._completa(casilla.clave)
                        else dibujar_tira(casilla, eleccion)
                    ),
                )
            case "capturar" | "equivocarse":
                assert d.asentado is not None
                resultado = mesa.tomar(d.acta, quien)
                if not isinstance(resultado, Rechazo):
                    transcrito = con_desliz(d.asentado) if tarea.accion == "equivocarse" else d.asentado
                    resultado = mesa.capturar(d.acta, quien, transcrito, imagen=self._imagen(d))
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
        tomada = self._mesa.tomar(d.acta, quien)
        if isinstance(tomada, Rechazo):
            return tomada
        assert isinstance(tomada, Tomada)
        assert isinstance(tomada.libre, Discrepante)
        # Transcribe del papel, en blanco, sólo lo que se le pide.
        papel = d.asentado.campos()
        return self._mesa.corregir(d.acta, quien, {c: papel[c] for c in tomada.libre.campos}, imagen=self._imagen(d))

    def _imagen(self, d: Documento) -> str | None:
        return imagen_de(self._mesa.almacen.hechos_de(d.acta))


def _sha_fuera(d: Documento) -> str:
    return d.huella_publicada or hashlib.sha256(str(d.acopio).encode()).hexdigest()


def principal() -> int:
    """Punto de entrada: `python -m ensayo.personas --carpeta DIR --imagenes completas|muestra|minimas`."""
    lector = argparse.ArgumentParser(description="Personas de un CATD durante un ensayo (lo dirige ensayo.jornada)")
    lector.add_argument("--carpeta", type=Path, required=True)
    lector.add_argument("--imagenes", choices=tuple(_COMPLETA), default="completas")
    opciones = lector.parse_args()
    agenda = cargar(opciones.carpeta / "agenda.json")
    reloj = RelojFijado(agenda.tareas[0].hora if agenda.tareas else datetime.now().astimezone())
    personas = Personas(abrir_kiosco(opciones.carpeta, reloj).mesa, agenda, reloj, opciones.imagenes)
    print("listo", flush=True)
    for renglon in sys.stdin:
        orden, _, argumento = renglon.strip().partition(" ")
        if orden == "hasta":
            hechas = personas.vivir_hasta(datetime.fromisoformat(argumento))
            print(f"listo {argumento} {hechas}", flush=True)
        elif orden == "adios":
            break
    return 0


def _una_de_veinte(casilla: str) -> bool:
    return hashlib.sha256(casilla.encode()).digest()[0] % 20 == 0


_COMPLETA: Final[dict[str, Callable[[str], bool]]] = {
    "completas": lambda _: True,
    "muestra": _una_de_veinte,
    "minimas": lambda _: False,
}
"""De cuáles actas se dibuja la hoja entera; de las demás, sólo una tira con su clave."""


if __name__ == "__main__":
    sys.exit(principal())
