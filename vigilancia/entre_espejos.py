"""Si dos lugares publican lo mismo: la misma historia, y los mismos bytes en el último corte que los dos tienen."""

from __future__ import annotations

from auditoria.verificar import noche
from auditoria.verificar.comprimido import abrir
from auditoria.verificar.lector import CORTES, Lector, servido
from auditoria.verificar.registro import falta
from nucleo.publicacion import manifiesto, rutas
from nucleo.publicacion.manifiesto import Manifiesto
from nucleo.publicacion.mentira import Mentira


def comparar(uno: Lector, otro: Lector, llave: str = "", avance: noche.Avance = noche.nada) -> str:
    """Verifica los dos, completos, y los compara; devuelve qué se halló, para una persona.

    Raises:
        Mentira: si alguno miente o no son el mismo. NoSePuede: si alguno no se puede leer.
    """
    este = noche.todo(uno, llave, avance, espera=noche.ESPERA)
    ese = noche.todo(otro, este.registro.ceros.llave, avance, espera=noche.ESPERA)
    (menor, donde), (mayor, _) = sorted(((este, uno.lugar), (ese, otro.lugar)), key=lambda r: r[0].registro.tamano)
    punto = menor.registro.firmado.punto
    if mayor.registro.arbol.raiz(punto.tamano) != punto.raiz:
        raise Mentira(
            f"{donde}/registro/checkpoint",
            f"{punto.tamano} hojas con la raíz {punto.raiz.hex()[:16]}…",
            "el comienzo del otro registro",
            "El registro firmó dos historias: guarde los dos puntos de control, son la prueba.",
        )
    if not menor.cortes:
        return "es el mismo registro, todavía sin cortes"
    corte = menor.ultimo_publicado
    cuantos = _mismos_bytes(uno, otro, corte)
    atras = len(mayor.cortes) - len(menor.cortes)
    retraso = f"; {donde} va {atras} cortes atrás" if atras else ""
    return f"los {cuantos} archivos del corte {corte} son los mismos bytes en los dos{retraso}"


def _mismos_bytes(uno: Lector, otro: Lector, corte: str) -> int:
    """Compara tal como se sirven, comprimidos: verificados los dos, sólo podrían diferir en cómo se comprimieron."""
    base = f"{CORTES}/{corte}"
    cuantos = 0
    for ruta in _archivos(uno, base):
        try:
            iguales = servido(uno, ruta) == servido(otro, ruta)
        except FileNotFoundError as error:
            raise falta(ruta, "Uno de los dos no lo tiene.") from error
        if not iguales:
            raise Mentira(
                f"{otro.lugar}/{ruta}",
                "lo mismo comprimido de otro modo",
                f"los bytes de {uno.lugar}",
                "El contenido es el mismo, pero alguien lo volvió a comprimir: no es una copia fiel.",
            )
        cuantos += 1
    return cuantos


def _archivos(lector: Lector, base: str) -> list[str]:
    del_corte = _manifiesto(lector, base)
    rutas_del_corte = [f"{base}/{rutas.MANIFIESTO}", *(f"{base}/{ruta}" for ruta in del_corte.archivos)]
    for ruta in del_corte.archivos:
        if manifiesto.seccion_de(ruta) is not None:
            carpeta = ruta.rpartition("/")[0]
            rutas_del_corte += [f"{base}/{carpeta}/{n}" for n in _manifiesto(lector, f"{base}/{carpeta}").archivos]
    return [rutas.en_disco(r) for r in rutas_del_corte]


def _manifiesto(lector: Lector, carpeta: str) -> Manifiesto:
    ruta = rutas.en_disco(f"{carpeta}/{rutas.MANIFIESTO}")
    return manifiesto.leer(abrir(ruta, servido(lector, ruta)))
