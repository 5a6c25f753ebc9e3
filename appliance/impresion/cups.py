"""La impresora por CUPS, con las órdenes de siempre: `lp`, `lpstat` y `cancel`.

Se usan las órdenes, no una biblioteca dentro del proceso: si CUPS se cuelga, se cuelga un hijo con plazo, no la
pantalla.
"""

from __future__ import annotations

import os
import re
import subprocess
import time
from pathlib import Path
from typing import Final

from appliance.impresion.puerto import EstadoImpresora
from nucleo.problema import Rechazo

_NOMBRE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.\-]{0,100}")
_TRABAJO: Final = re.compile(r"request id is (\S+-[0-9]+) ")
_PLAZO_ORDEN_S: Final = 10
_PLAZO_SALIDA_S: Final = 20
"""Una etiqueta tarda de 1 a 3 s; una relación de 10 hojas, cerca de 15."""
_PASO_S: Final = 0.25

# Palabras que CUPS da en «Alerts» (IPP printer-state-reasons, RFC 8011 §5.4.12), de la más concreta a la menos.
_ALERTAS: Final = (
    (("media-empty", "media-needed"), "SIN_PAPEL", "no tiene papel ni etiquetas", "póngale y repita"),
    (("media-jam",), "ATASCO", "tiene papel atorado", "abra la tapa, saque el papel y repita"),
    (("cover-open", "door-open"), "TAPA_ABIERTA", "tiene la tapa abierta", "ciérrela y repita"),
    (("toner-empty", "marker-supply-empty"), "SIN_TINTA", "no tiene tinta o tóner", "cambie el cartucho y repita"),
    (
        ("offline", "connecting-to-device", "timed-out"),
        "APAGADA",
        "no contesta; casi siempre está apagada o desconectada",
        "revise que esté encendida y con su cable, y repita",
    ),
)


class ImpresoraCups:
    """Una cola de CUPS.

    Args:
        nombre: el de la cola.
        servidor: `CUPS_SERVER` (zócalo o equipo); vacío usa el de la máquina.

    Raises:
        ValueError: si el nombre no puede ser el de una cola.
    """

    def __init__(self, nombre: str, servidor: str = "") -> None:
        if _NOMBRE.fullmatch(nombre) is None:
            raise ValueError(f"{nombre[:40]!r} no es el nombre de una cola de CUPS")
        self._nombre = nombre
        # LC_ALL=C: lo que se lee de lpstat son palabras, y cambian con el idioma.
        self._ambiente = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "HOME": "/nonexistent"}
        if servidor:
            self._ambiente["CUPS_SERVER"] = servidor

    def estado(self) -> EstadoImpresora | Rechazo:
        dicho = self._correr("lpstat", "-l", "-p", self._nombre)
        if isinstance(dicho, Rechazo):
            return dicho
        if "disabled" in dicho.split("\n", 1)[0]:
            return EstadoImpresora(self._nombre, False, "la cola está detenida")
        for marcas, _, palabras, _ in _ALERTAS:
            if any(marca in _alertas(dicho) for marca in marcas):
                return EstadoImpresora(self._nombre, False, palabras)
        return EstadoImpresora(self._nombre, True, "lista")

    def imprimir(self, pdf: bytes, titulo: str) -> str | Rechazo:
        limpio = "".join(c for c in titulo if c.isprintable())[:80]
        dicho = self._correr("lp", "-d", self._nombre, "-t", limpio, "--", "-", entrada=pdf)
        if isinstance(dicho, Rechazo):
            return dicho
        trabajo = _TRABAJO.search(dicho)
        if trabajo is None:
            return _no_se_sabe(dicho)
        return self._esperar(trabajo.group(1))

    def _esperar(self, trabajo: str) -> str | Rechazo:
        limite = time.monotonic() + _PLAZO_SALIDA_S
        motivo: Rechazo | None = None
        while time.monotonic() < limite:
            cola = self._correr("lpstat", "-o", self._nombre)
            if isinstance(cola, Rechazo):
                return cola
            if not any(renglon.split(" ", 1)[0] == trabajo for renglon in cola.splitlines()):
                return self._nombre
            estado = self._correr("lpstat", "-l", "-p", self._nombre)
            motivo = estado if isinstance(estado, Rechazo) else self._motivo(estado, trabajo)
            if motivo is not None:
                break
            time.sleep(_PASO_S)
        self._correr("cancel", trabajo)
        return motivo or Rechazo(
            "IMPRESORA_LENTA",
            f"La impresora {self._nombre} no terminó en {_PLAZO_SALIDA_S} segundos",
            "está apagada, atorada o con otro trabajo",
            "revísela y repita; mientras, el documento está en PDF",
        )

    def _motivo(self, estado: str, trabajo: str) -> Rechazo | None:
        primero = estado.split("\n", 1)[0]
        if "disabled" in primero:
            return self._detenida()
        for marcas, codigo, palabras, siguiente in _ALERTAS:
            if any(marca in _alertas(estado) for marca in marcas):
                return Rechazo(
                    codigo, f"La impresora {self._nombre} {palabras}", "es lo que ella misma avisa", siguiente
                )
        # Sigue en la cola y ya nadie la imprime: el controlador la dejó.
        if "is idle" in primero and trabajo not in primero and "resources-are-not-ready" in self._del_trabajo(trabajo):
            _, _, palabras, siguiente = _ALERTAS[-1]
            return Rechazo("APAGADA", f"La impresora {self._nombre} {palabras}", "se le mandó y no lo tomó", siguiente)
        return None

    def _del_trabajo(self, trabajo: str) -> str:
        cola = self._correr("lpstat", "-l", "-o", self._nombre)
        return "" if isinstance(cola, Rechazo) else cola.partition(trabajo)[2]

    def _detenida(self) -> Rechazo:
        return Rechazo(
            "COLA_DETENIDA",
            f"La cola de la impresora {self._nombre} está detenida",
            "falló varias veces, o alguien la pausó",
            "llame al área técnica para que la reanude; mientras, el documento está en PDF",
        )

    def _correr(self, *orden: str, entrada: bytes = b"") -> str | Rechazo:
        try:
            hecho = subprocess.run(
                orden,
                input=entrada,
                capture_output=True,
                timeout=_PLAZO_ORDEN_S,
                env=self._ambiente,
                cwd=Path("/"),
                check=False,
            )
        except FileNotFoundError:
            return Rechazo(
                "SIN_CUPS",
                "Este kiosco no puede imprimir",
                "falta el paquete cups-client",
                "llame al área técnica; mientras, los documentos quedan en PDF",
            )
        except subprocess.TimeoutExpired:
            return Rechazo(
                "CUPS_COLGADO",
                "El servicio de impresión no contesta",
                "se quedó esperando a una impresora",
                "apague y encienda la impresora y repita; mientras, el documento está en PDF",
            )
        dicho = (hecho.stdout + hecho.stderr).decode("utf-8", "replace")
        if hecho.returncode == 0:
            return dicho
        return self._explicar(dicho)

    def _explicar(self, dicho: str) -> Rechazo:
        if "not accepting" in dicho:
            return self._detenida()
        if "not running" in dicho or "Bad file descriptor" in dicho or "Unable to connect" in dicho:
            return Rechazo(
                "CUPS_APAGADO",
                "El servicio de impresión está apagado",
                "no arrancó o se detuvo",
                "llame al área técnica; mientras, los documentos quedan en PDF",
            )
        if "does not exist" in dicho or "Invalid destination" in dicho or "Unknown" in dicho:
            return Rechazo(
                "SIN_IMPRESORA",
                f"No hay una impresora «{self._nombre}», o el servicio de impresión está apagado",
                "no se ha dado de alta, cambió de nombre, o no arrancó CUPS",
                "llame al área técnica; mientras, los documentos quedan en PDF",
            )
        return _no_se_sabe(dicho)


def _alertas(dicho: str) -> str:
    return next((r.partition(":")[2] for r in dicho.splitlines() if r.strip().startswith("Alerts:")), "")


def _no_se_sabe(dicho: str) -> Rechazo:
    queja = " ".join(dicho.split())[:120] or "no dijo por qué"
    return Rechazo(
        "IMPRESION",
        f"No se pudo imprimir («{queja}»)",
        "la impresora o su servicio rechazaron el documento",
        "revise la impresora y repita; mientras, el documento está en PDF",
    )
