"""Los aparatos que ve udev. Cada pregunta recorre `/sys` desde el principio; los avisos del núcleo sólo despiertan.

Recordar el estado a partir de los avisos falla el día que uno se pierde (vxsuite #1517, #7671): por eso no se recuerda.
"""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

import pyudev

from appliance.dispositivos.bus import Dispositivo, Particion
from appliance.dispositivos.perfil import Clase, IdUsb, ModoDeLector, Perfil
from appliance.dispositivos.perfiles import Perfiles, modo_del_lector
from nucleo.problema import Rechazo

_CONTROL: Final = Path("/run/udev/control")
_SYS: Final = Path("/sys/bus")
_SUBSISTEMAS: Final = ("usb", "input", "tty", "video4linux", "usbmisc", "block")
_SECTOR: Final = 512
_NODO: Final = re.compile(r"/dev/[\w./-]{1,100}")
_IMPRIME: Final = re.compile(r":0701\d\d:")
_AJENO: Final = re.compile(r"[^\w .,()#/+:-]")


class BusUdev:
    """Adaptador de `Bus` sobre pyudev."""

    def __init__(self, perfiles: Perfiles) -> None:
        self._perfiles = perfiles
        self._contexto = pyudev.Context()
        self._monitor = self._abrir_monitor()

    def presentes(self) -> tuple[Dispositivo, ...]:
        hijos = _Hijos(self._contexto)
        vistos: list[Dispositivo] = []
        for aparato in self._contexto.list_devices(subsystem="usb", DEVTYPE="usb_device"):
            # Puede desconectarse mientras se lee: deja de estar, y eso es la verdad.
            with contextlib.suppress(pyudev.DeviceNotFoundError, KeyError, OSError):
                vistos += self._clasificar(aparato, hijos)
        return tuple(sorted(vistos, key=lambda d: (d.clase, d.ruta, d.nodo)))

    def cambios(self, espera_s: float) -> bool:
        if self._monitor is None:
            time.sleep(espera_s)
            self._monitor = self._abrir_monitor()
            return False
        try:
            llego = self._monitor.poll(timeout=espera_s) is not None
            # Un concentrador da decenas de avisos: con vaciarlos basta, porque presentes() pregunta todo.
            while llego and self._monitor.poll(timeout=0) is not None:
                pass
        except OSError:
            # ENOBUFS: el núcleo avisó más de lo que cupo. Se perdieron avisos, no la verdad.
            self._monitor = self._abrir_monitor()
            return True
        return llego

    def aviso(self) -> Rechazo | None:
        if not _SYS.is_dir():
            return Rechazo(
                "SIN_UDEV",
                "No se puede saber qué aparatos hay conectados",
                "este sistema no muestra /sys",
                "si es el kiosco, reinícielo; si es un contenedor, así es",
            )
        if not _CONTROL.exists():
            return Rechazo(
                "SIN_UDEV",
                "Se ven los aparatos, pero no se reconoce un escáner que no tenga perfil",
                "udev no está corriendo en este sistema",
                "si es el kiosco, reinícielo; si es un contenedor, así es",
            )
        return None

    def _abrir_monitor(self) -> pyudev.Monitor | None:
        # Sin udevd nadie repite los avisos del núcleo: se oyen directo.
        origen = "udev" if _CONTROL.exists() else "kernel"
        try:
            monitor = pyudev.Monitor.from_netlink(self._contexto, source=origen)
            for subsistema in _SUBSISTEMAS:
                monitor.filter_by(subsistema)
            monitor.start()
        except (OSError, ImportError, ValueError):
            return None
        return monitor

    def _clasificar(self, aparato: pyudev.Device, hijos: _Hijos) -> Iterator[Dispositivo]:
        vid, pid = _atributo(aparato, "idVendor").lower(), _atributo(aparato, "idProduct").lower()
        perfil = self._perfiles.perfil_de(vid, pid, dict(aparato.properties))
        if perfil is not None and perfil.clase is Clase.LECTOR:
            numero = modo_del_lector(perfil, vid, pid)
            if numero is not None:
                yield _dispositivo(aparato, perfil.clase, perfil, _nodo_del_lector(aparato, numero, hijos))
            return
        if perfil is not None and perfil.clase is Clase.ESCANER:
            yield _dispositivo(aparato, perfil.clase, perfil, _nodo(aparato))
            perfil = None
        camara = next((c for c in hijos.de(aparato, "video4linux") if _captura(c)), None)
        if camara is not None:
            yield _dispositivo(aparato, Clase.CAMARA, perfil, _nodo(camara))
        if _imprime(aparato, hijos):
            puertos = hijos.de(aparato, "usbmisc")
            yield _dispositivo(aparato, Clase.IMPRESORA, perfil, _nodo(puertos[0]) if puertos else _nodo(aparato))
        for disco in hijos.de(aparato, "block"):
            if disco.device_type == "disk":
                yield _memoria(aparato, disco, perfil, hijos)


class _Hijos:
    """Lo que cuelga de cada aparato USB, por subsistema: se recorre cada uno una sola vez por pregunta."""

    def __init__(self, contexto: pyudev.Context) -> None:
        self._contexto = contexto
        self._por_padre: dict[str, dict[str, list[pyudev.Device]]] = {}

    def de(self, aparato: pyudev.Device, subsistema: str) -> list[pyudev.Device]:
        """En orden de número: event2 antes que event10."""
        if subsistema not in self._por_padre:
            self._por_padre[subsistema] = self._recorrer(subsistema)
        return self._por_padre[subsistema].get(aparato.sys_path, [])

    def _recorrer(self, subsistema: str) -> dict[str, list[pyudev.Device]]:
        por_padre: dict[str, list[pyudev.Device]] = {}
        for hijo in self._contexto.list_devices(subsystem=subsistema):
            with contextlib.suppress(pyudev.DeviceNotFoundError, KeyError, OSError):
                padre = hijo.find_parent("usb", "usb_device")
                if padre is not None:
                    por_padre.setdefault(padre.sys_path, []).append(hijo)
        for hijos in por_padre.values():
            hijos.sort(key=lambda h: (int(h.sys_number or 0) if (h.sys_number or "0").isdigit() else 0, h.sys_name))
        return por_padre


def _dispositivo(aparato: pyudev.Device, clase: Clase, perfil: Perfil | None, nodo: str) -> Dispositivo:
    marca, modelo = _atributo(aparato, "manufacturer"), _atributo(aparato, "product")
    dice = " ".join(p for p in (marca, modelo) if p)
    if perfil is not None and perfil.clave != "generico":
        nombre = perfil.nombre
    else:
        nombre = f"{clase.nombre} {dice or 'sin nombre'}"
        if perfil is not None:
            nombre += " (sin perfil propio: se usa el genérico)"
    return Dispositivo(
        clase=clase,
        nombre=nombre,
        perfil="" if perfil is None else perfil.clave,
        vid=_atributo(aparato, "idVendor").lower(),
        pid=_atributo(aparato, "idProduct").lower(),
        serie=_atributo(aparato, "serial"),
        nodo=nodo,
        ruta=aparato.sys_path,
        version=_atributo(aparato, "bcdDevice").lower(),
    )


def _memoria(aparato: pyudev.Device, disco: pyudev.Device, perfil: Perfil | None, hijos: _Hijos) -> Dispositivo:
    base = _dispositivo(aparato, Clase.USB, perfil, _nodo(disco))
    particiones = tuple(
        Particion(_nodo(p), _propiedad(p, "ID_FS_TYPE"), _propiedad(p, "ID_FS_LABEL"), _bytes(p))
        for p in hijos.de(aparato, "block")
        if p.device_type == "partition" and p.parent is not None and p.parent.sys_path == disco.sys_path
    )
    extraible = _atributo(disco, "removable") == "1"
    return replace(base, ruta=disco.sys_path, extraible=extraible, particiones=particiones)


def _nodo_del_lector(aparato: pyudev.Device, numero: IdUsb, hijos: _Hijos) -> str:
    if numero.modo is ModoDeLector.SERIE:
        return next((_nodo(t) for t in hijos.de(aparato, "tty")), "")
    eventos = [h for h in hijos.de(aparato, "input") if h.sys_name.startswith("event")]
    # Algunos lectores traen además un evento de «control de volumen»; sin udevd no se distinguen y vale el primero.
    teclados = [h for h in eventos if _propiedad(h, "ID_INPUT_KEYBOARD") == "1"]
    return next((_nodo(h) for h in (teclados or eventos)), "")


def _captura(camara: pyudev.Device) -> bool:
    """Una cámara da además nodos que no capturan (metadatos); sin udevd, el primero es el bueno."""
    capacidades = _propiedad(camara, "ID_V4L_CAPABILITIES")
    return ":capture:" in capacidades if capacidades else _atributo(camara, "index") in ("", "0")


def _imprime(aparato: pyudev.Device, hijos: _Hijos) -> bool:
    if _IMPRIME.search(_propiedad(aparato, "ID_USB_INTERFACES")):
        return True
    return any(
        (_atributo(i, "bInterfaceClass"), _atributo(i, "bInterfaceSubClass")) == ("07", "01")
        for i in hijos.de(aparato, "usb")
    )


def _nodo(aparato: pyudev.Device) -> str:
    nodo = aparato.device_node or ""
    return nodo if _NODO.fullmatch(nodo) and ".." not in nodo else ""


def _propiedad(aparato: pyudev.Device, llave: str) -> str:
    return _legible(str(aparato.properties.get(llave, "")))


def _atributo(aparato: pyudev.Device, llave: str) -> str:
    """El texto de un archivo de `/sys`; vacío si no está. Lo escribe el aparato: puede traer cualquier byte."""
    try:
        dato = aparato.attributes.get(llave)
    except (KeyError, OSError):
        dato = None
    return _legible(dato.decode("utf-8", "replace")) if isinstance(dato, bytes) else ""


def _legible(texto: str) -> str:
    return _AJENO.sub("", " ".join(texto.split()))[:80].strip()


def _bytes(particion: pyudev.Device) -> int:
    sectores = _atributo(particion, "size")
    return int(sectores) * _SECTOR if sectores.isascii() and sectores.isdigit() else 0
