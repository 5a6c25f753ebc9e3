"""El único lugar que construye los aparatos reales de un puesto: escáner, visión, inventario, impresora y memorias."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from appliance.ajustes_del_puesto import AjustesDelPuesto
from appliance.arranque import Kiosco
from appliance.digitalizacion.cadena import Cadena
from appliance.digitalizacion.digitalizadora import Digitalizadora
from appliance.digitalizacion.fotos import Memorias
from appliance.digitalizacion.mirador import Mirador
from appliance.dispositivos.bus_udev import BusUdev
from appliance.dispositivos.inventario import Diferencia, Inventario
from appliance.dispositivos.perfiles import leer_perfiles
from appliance.escaneo.escaner_sane import EscanerSane
from appliance.escaner_del_puesto import EscanerDelPuesto
from appliance.impresion.cups import ImpresoraCups
from appliance.lector_del_puesto import LectorDelPuesto
from appliance.memorias import memorias
from appliance.puesto import Puesto
from appliance.vision.trabajador import Trabajador
from nucleo.codigo_qr import Formas


def abrir_puesto(kiosco: Kiosco, ajustes: AjustesDelPuesto) -> Puesto:
    """Arma el puesto de ese kiosco y empieza a trabajar lo que quedó pendiente. Quien lo abre lo cierra.

    También decide si la mesa exige imagen: lo que digan los ajustes o, si callan, si hay escáner.

    Raises:
        Falla: si los perfiles de los aparatos o la carpeta de entrada no sirven.
    """
    mesa = ajustes.mesa
    perfiles = leer_perfiles(con_simulados=mesa is not None)
    # Sin llave: es un secreto del instituto y `puesto.toml` no lo guarda. El código firmado vale «sin comprobar».
    formas = Formas(ajustes.formas_de_codigo)
    cierres: list[Callable[[], None]] = []
    try:
        trabajador = Trabajador(kiosco.identidad.proceso)
        cierres.append(trabajador.cerrar)
        inventario = Inventario(BusUdev(perfiles), lambda cambios: _cambiaron(kiosco, escaner, cambios))
        escaner = EscanerDelPuesto(
            lambda palabras: EscanerSane(mesa.sane_config_dir if mesa else None, explicador=palabras),
            perfiles,
            inventario.foto,
            fijo=mesa.escaner if mesa else "",
        )
        inventario.iniciar()
        cierres.append(inventario.detener)
        lector = LectorDelPuesto(perfiles, inventario.foto, fijo=mesa.lector if mesa else "")
        lector.empezar()
        cierres.append(lector.terminar)
        cadena = Cadena(kiosco.carpeta, kiosco.mesa, Mirador(trabajador, kiosco.proceso, formas))
        digitalizadora = Digitalizadora(cadena, escaner.fuente, Memorias(lambda: _memorias(ajustes)))
        digitalizadora.arrancar()
        cierres.append(digitalizadora.cerrar)
    except BaseException:
        for cierre in reversed(cierres):
            cierre()
        raise
    exigir = escaner.hay() if ajustes.exigir_imagen is None else ajustes.exigir_imagen
    kiosco.mesa.exigir_imagen(exigir)
    return Puesto(
        digitalizadora=digitalizadora,
        lector=lector.tomar,
        impresora=ImpresoraCups(ajustes.impresora, ajustes.servidor_impresora) if ajustes.impresora else None,
        dispositivos=lambda: tuple(d.nombre for d in inventario.foto().dispositivos),
        nombre_escaner=escaner.nombre,
        formas=formas,
        con_el_papel=ajustes.con_el_papel,
        memorias=ajustes.memorias,
        cierres=tuple(cierres),
    )


def _cambiaron(kiosco: Kiosco, escaner: EscanerDelPuesto, cambios: Diferencia) -> None:
    escaner.cambio(cambios)
    ahora = kiosco.reloj.ahora()
    with kiosco.almacen.transaccion() as t:
        for visto in cambios.altas:
            t.anotar(ahora, "dispositivo_conectado", detalle=f"{visto.clase.nombre}: {visto.nombre}")
        for visto in cambios.bajas:
            t.anotar(ahora, "dispositivo_desconectado", detalle=f"{visto.clase.nombre}: {visto.nombre}")


def _memorias(ajustes: AjustesDelPuesto) -> Iterable[Path]:
    montadas = [m.ruta for m in memorias(ajustes.memorias)]
    simuladas = ajustes.mesa.memorias if ajustes.mesa is not None else None
    return [*montadas, *(simuladas.iterdir() if simuladas is not None and simuladas.is_dir() else ())]
