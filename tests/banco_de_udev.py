"""Un banco de aparatos para pruebas: libumockdev les da `/sys` y los avisos del núcleo a pyudev, sin aparatos.

Sólo funciona en un proceso que arrancó bajo `umockdev-wrapper`. Los aparatos se arman con los números y los nombres de
los perfiles: si un perfil cambia, el banco enchufa otra cosa.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Mapping
from types import TracebackType

from appliance.dispositivos.perfil import IdUsb, ModoDeLector, Perfil


def bajo_el_envoltorio() -> bool:
    """Si este proceso ve el `/sys` de umockdev y no el de la máquina."""
    return "libumockdev-preload" in os.environ.get("LD_PRELOAD", "")


class Banco:
    """Los aparatos enchufados. Cada alta y cada baja emiten su aviso, como el núcleo."""

    def __init__(self) -> None:
        self._mock = ctypes.CDLL("libumockdev.so.0")
        self._objetos = ctypes.CDLL("libgobject-2.0.so.0")
        puntero, texto, lista = ctypes.c_void_p, ctypes.c_char_p, ctypes.POINTER(ctypes.c_char_p)
        self._mock.umockdev_testbed_new.restype = puntero
        self._mock.umockdev_testbed_add_devicev.restype = puntero
        self._mock.umockdev_testbed_add_devicev.argtypes = [puntero, texto, texto, texto, lista, lista]
        self._mock.umockdev_testbed_uevent.argtypes = [puntero, texto, texto]
        self._mock.umockdev_testbed_remove_device.argtypes = [puntero, texto]
        self._mock.umockdev_testbed_get_root_dir.restype = puntero
        self._mock.umockdev_testbed_get_root_dir.argtypes = [puntero]
        self._objetos.g_object_unref.argtypes = [puntero]
        self._banco = self._mock.umockdev_testbed_new()
        self._puertos = 0

    def __enter__(self) -> Banco:
        return self

    def __exit__(
        self, clase: type[BaseException] | None, error: BaseException | None, traza: TracebackType | None
    ) -> None:
        self._objetos.g_object_unref(self._banco)

    def alta(
        self,
        subsistema: str,
        nombre: str,
        padre: str | None,
        atributos: Mapping[str, str],
        propiedades: Mapping[str, str],
    ) -> str:
        """Enchufa; devuelve su ruta en `/sys`."""
        ruta = self._mock.umockdev_testbed_add_devicev(
            self._banco,
            subsistema.encode(),
            nombre.encode(),
            padre.encode() if padre else None,
            _pares(atributos),
            _pares(propiedades),
        )
        return str((ctypes.cast(ruta, ctypes.c_char_p).value or b"").decode())

    def baja(self, ruta: str, *, avisar: bool = True) -> None:
        """Desenchufa; con `avisar` falso, el aviso se pierde."""
        if avisar:
            self.aviso(ruta, "remove")
        self._mock.umockdev_testbed_remove_device(self._banco, ruta.encode())

    def aviso(self, ruta: str, accion: str) -> None:
        self._mock.umockdev_testbed_uevent(self._banco, ruta.encode(), accion.encode())

    @property
    def raiz(self) -> str:
        """La carpeta que hace de `/`: otro proceso la ve si arranca bajo el envoltorio con ella en `UMOCKDEV_DIR`."""
        ruta = self._mock.umockdev_testbed_get_root_dir(self._banco)
        return (ctypes.cast(ruta, ctypes.c_char_p).value or b"").decode()

    # --- aparatos completos

    def usb(self, vid: str, pid: str, nombre: str, **propiedades: str) -> str:
        """Un aparato USB cualquiera."""
        self._puertos += 1
        n = self._puertos
        marca, _, modelo = nombre.partition(" ")
        atributos = {"idVendor": vid, "idProduct": pid, "manufacturer": marca, "product": modelo, "bcdDevice": "0100"}
        nodo = f"/dev/bus/usb/001/{n:03d}"
        fijas = {"DEVTYPE": "usb_device", "DEVNAME": nodo, "MAJOR": "189", "MINOR": str(n), "BUSNUM": "001"}
        return self.alta("usb", f"1-{n}", None, {**atributos, "serial": f"S{n:06d}"}, {**fijas, **propiedades})

    def escaner(self, perfil: Perfil) -> str:
        numero = perfil.usb[0]
        return self.usb(numero.vid, numero.pid, perfil.nombre, libsane_matched="yes")

    def lector(self, perfil: Perfil, numero: IdUsb) -> str:
        """Con lo que le cuelga: un tty, o un teclado con un segundo evento que no es de teclas."""
        raiz = self.usb(numero.vid, numero.pid, perfil.nombre)
        n = self._puertos
        if numero.modo is ModoDeLector.SERIE:
            self.alta("tty", f"ttyACM{n}", raiz, {}, {"DEVNAME": f"/dev/ttyACM{n}", "MAJOR": "166", "MINOR": str(n)})
            return raiz
        for i, propiedad in ((2 * n, "ID_INPUT_KEY"), (2 * n + 1, "ID_INPUT_KEYBOARD")):
            entrada = self.alta("input", f"input{i}", raiz, {"name": perfil.nombre}, {})
            nodo = {"DEVNAME": f"/dev/input/event{i}", "MAJOR": "13", "MINOR": str(64 + i)}
            self.alta("input", f"event{i}", entrada, {}, {**nodo, propiedad: "1"})
        return raiz

    def impresora(self) -> str:
        raiz = self.usb("04f9", "2028", "Brother HL-2030", ID_USB_INTERFACES=":070102:")
        nodo = {"DEVNAME": f"/dev/usb/lp{self._puertos}", "MAJOR": "180", "MINOR": str(self._puertos)}
        self.alta("usbmisc", f"lp{self._puertos}", raiz, {}, nodo)
        return raiz

    def camara(self) -> str:
        raiz = self.usb("046d", "0825", "Logitech C270")
        for i, capacidades in enumerate((":capture:", ":")):
            nodo = {"DEVNAME": f"/dev/video{i}", "MAJOR": "81", "MINOR": str(i), "ID_V4L_CAPABILITIES": capacidades}
            self.alta("video4linux", f"video{i}", raiz, {"index": str(i)}, nodo)
        return raiz

    def memoria(self, letra: str = "b", extraible: str = "1") -> str:
        raiz = self.usb("0781", "5567", "SanDisk Cruzer", ID_USB_INTERFACES=":080650:")
        disco = {"DEVTYPE": "disk", "DEVNAME": f"/dev/sd{letra}", "MAJOR": "8", "MINOR": "16"}
        base = self.alta("block", f"sd{letra}", raiz, {"removable": extraible, "size": "31266816"}, disco)
        parte = {"DEVTYPE": "partition", "DEVNAME": f"/dev/sd{letra}1", "MAJOR": "8", "MINOR": "17"}
        formato = {"ID_FS_TYPE": "vfat", "ID_FS_LABEL": "ACTAS\x1b[31m"}
        self.alta("block", f"sd{letra}1", base, {"size": "31264768"}, {**parte, **formato})
        return raiz


def _pares(datos: Mapping[str, str]) -> ctypes.Array[ctypes.c_char_p]:
    textos = [t.encode() for par in datos.items() for t in par]
    return (ctypes.c_char_p * (len(textos) + 1))(*textos, None)
