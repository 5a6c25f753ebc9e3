"""Los archivos de un corte contra los que salen de sus hojas: manifiestos, bytes, enlaces y nada de más."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from auditoria.verificar import comprimido
from auditoria.verificar.diferencia import exigir_igual
from auditoria.verificar.lector import CORTES, Lector
from auditoria.verificar.registro import falta, sobra
from nucleo.publicacion import manifiesto, rutas
from nucleo.publicacion.corte_repasado import CorteRepasado
from nucleo.publicacion.manifiesto import Archivo, Manifiesto, ManifiestoInvalido, archivo_de
from nucleo.publicacion.mentira import Mentira

_Seccion = Mapping[str, Archivo]
Compartir = Callable[[str, str], None]
"""De una ruta a la que ya se comprobó con el mismo contenido."""


@dataclass
class Cuenta:
    """Lo comprobado hasta ahora."""

    recalculados: int = 0
    """Archivos que salieron, byte por byte, de los hechos."""
    por_huella: int = 0
    """Archivos que son los del manifiesto que está en el registro, pero que aquí no se recalculan."""
    avisos: list[str] = field(default_factory=list)


class Cortes:
    """Todos los de una publicación, en el orden del registro.

    Args:
        al_compartir: por la red, lo que no cambió desde otro corte no se vuelve a leer; aquí se dice.
    """

    def __init__(self, lector: Lector, cuenta: Cuenta, al_compartir: Compartir) -> None:
        self._lector = lector
        self._cuenta = cuenta
        self._al_compartir = al_compartir
        self._por_la_red = lector.listar(CORTES) is None
        self._definicion = ""
        self._vigentes: dict[str, _Seccion] = {}
        """Carpeta de sección → sus JSON, como deben ser en el último corte repasado."""
        self._escritas: dict[tuple[str, str], tuple[str, _Seccion]] = {}
        """(corte, carpeta) ya comprobada → SHA-256 de su manifiesto y sus JSON."""
        self._vistas: dict[str, str] = {}
        """Carpeta de sección → el último corte en que se leyó."""
        self._sueltos: dict[str, tuple[Archivo, str]] = {}
        """Ruta de un archivo que no es de una sección → cuál era y dónde se leyó por última vez."""
        self.nombres: list[str] = []

    def repasar(self, corte: CorteRepasado, *, leer: bool = True) -> None:
        """Comprueba todos los archivos del corte; con `leer` falso sólo recuerda cómo deben ser. Raises: Mentira."""
        nombre = corte.corte.nombre
        self.nombres.append(nombre)
        if self._definicion != corte.proceso.huella:
            self._definicion, self._vigentes = corte.proceso.huella, {}
        propios: dict[str, bytes] = {}
        nuevas: dict[str, dict[str, Archivo]] = {}
        contenidos: dict[str, dict[str, bytes]] = {}
        for ruta, datos in corte.archivos():
            carpeta = manifiesto.seccion_de(ruta)
            if carpeta is None:
                propios[ruta] = datos
            else:
                corto = ruta.rpartition("/")[2]
                nuevas.setdefault(carpeta, {})[corto] = archivo_de(datos)
                contenidos.setdefault(carpeta, {})[corto] = datos
        self._vigentes |= nuevas
        if leer:
            self._comprobar(nombre, corte.hoja.manifiesto, propios, contenidos)

    def _comprobar(
        self, nombre: str, sha256: str, propios: Mapping[str, bytes], contenidos: Mapping[str, Mapping[str, bytes]]
    ) -> None:
        base = f"{CORTES}/{nombre}"
        dicho = self._manifiesto(f"{base}/{rutas.MANIFIESTO}", nombre, sha256)
        de_seccion = {manifiesto.ruta_del_de_seccion(c) for c in self._vigentes}
        for ruta in sorted((set(propios) | de_seccion) - set(dicho)):
            raise Mentira(
                f"{base}/{rutas.MANIFIESTO}.gz",
                f"nada de {ruta}",
                "su SHA-256",
                "Ese archivo sale de los hechos firmados y el corte no lo publica.",
            )
        for ruta, datos in propios.items():
            if not self._compartido(base, ruta, dicho[ruta], archivo_de(datos)):
                self._recalculado(f"{base}/{ruta}", datos, dicho[ruta])
                self._sueltos[ruta] = (dicho[ruta], f"{base}/{ruta}")
        hay = {f"{base}/{rutas.MANIFIESTO}.gz"}
        for ruta, archivo in dicho.items():
            carpeta = ruta.rpartition("/")[0]
            if ruta in de_seccion:
                hay |= self._seccion(nombre, carpeta, archivo.sha256, contenidos.get(carpeta, {}))
                continue
            if ruta not in propios:
                if manifiesto.seccion_de(ruta) is not None:
                    raise sobra(f"{base}/{ruta}")
                if not self._compartido(base, ruta, archivo, archivo):
                    self._por_huella(f"{base}/{ruta}", archivo)
                    self._sueltos[ruta] = (archivo, f"{base}/{ruta}")
            hay.add(f"{base}/{rutas.en_disco(ruta)}")
        for esta in self._lector.listar(base) or ():
            if esta not in hay:
                raise sobra(esta)

    def _seccion(self, corte: str, carpeta: str, sha256: str, contenidos: Mapping[str, bytes]) -> set[str]:
        """Comprueba una sección y devuelve las rutas que le tocan en la carpeta de este corte."""
        base = f"{CORTES}/{corte}/{carpeta}"
        esta = (sha256, self._vigentes[carpeta])
        destino = self._lector.enlace(base)
        if destino is not None:
            donde = self._exigir_enlace(base, carpeta, destino)
            if (donde, carpeta) not in self._escritas:  # se pidió sólo este corte
                self._leer_seccion(donde, carpeta, sha256, contenidos)
            self._exigir_misma(base, esta, self._escritas[donde, carpeta])
            self._vistas[carpeta] = donde
            return {base}
        visto = self._vistas.get(carpeta)
        if visto is not None and self._por_la_red and self._escritas[visto, carpeta] == esta:
            self._al_compartir(base, f"{CORTES}/{visto}/{carpeta}")
            return set()
        return self._leer_seccion(corte, carpeta, sha256, contenidos)

    def _leer_seccion(self, corte: str, carpeta: str, sha256: str, contenidos: Mapping[str, bytes]) -> set[str]:
        base = f"{CORTES}/{corte}/{carpeta}"
        debidos = self._vigentes[carpeta]
        dicho = self._manifiesto(f"{base}/{rutas.MANIFIESTO}", carpeta, sha256)
        for nombre in sorted(set(debidos) - set(dicho)):
            raise Mentira(
                f"{base}/{rutas.MANIFIESTO}.gz", f"nada de {nombre}", "su SHA-256", "Se calló un acta o la sección."
            )
        hay = {f"{base}/{rutas.MANIFIESTO}.gz"}
        for nombre, archivo in dicho.items():
            if nombre in debidos:
                self._recalculado(f"{base}/{nombre}", contenidos.get(nombre), archivo, debidos[nombre])
            else:
                self._por_huella(f"{base}/{nombre}", archivo)
            hay.add(f"{base}/{rutas.en_disco(nombre)}")
        self._escritas[corte, carpeta] = (sha256, debidos)
        self._vistas[carpeta] = corte
        return hay

    def _exigir_enlace(self, base: str, carpeta: str, destino: str) -> str:
        """El corte al que apunta, si apunta a esa misma sección de uno ya comprobado y a nada más."""
        arriba = "../" * (carpeta.count("/") + 1)
        partes = re.fullmatch(rf"{re.escape(arriba)}([0-9_]+)/{re.escape(carpeta)}", destino)
        if partes is None or partes[1] not in self.nombres:
            raise Mentira(
                base,
                f"un enlace a {destino[:160]}",
                "uno a esa sección en un corte anterior",
                "Se sale de lo publicado: lo que se lea por ahí puede ser cualquier cosa.",
            )
        return partes[1]

    def _exigir_misma(self, base: str, esta: tuple[str, _Seccion], escrita: tuple[str, _Seccion]) -> None:
        if esta != escrita:
            raise Mentira(
                base,
                "que la sección no ha cambiado desde el corte al que apunta",
                "la de este corte",
                "Un acta cambió y se sigue publicando lo de antes, o el manifiesto dice otra cosa.",
            )

    # ------------------------------------------------------------------------------------------------------- archivos

    def _manifiesto(self, ruta: str, de: str, sha256: str) -> Mapping[str, Archivo]:
        nombre, datos = self._abrir(ruta)
        suyo = archivo_de(datos).sha256
        try:
            leido: Manifiesto | None = manifiesto.leer(datos)
        except ManifiestoInvalido:
            leido = None
        if suyo != sha256 or leido is None or leido.de != de:
            raise Mentira(
                nombre,
                f"algo con SHA-256 {suyo[:16]}…",
                f"el manifiesto {sha256[:16]}… que está en el registro",
                "La lista de archivos no es la que se asentó: alguien la cambió después de publicarla.",
            )
        return leido.archivos

    def _recalculado(self, ruta: str, debia: bytes | None, dicho: Archivo, debido: Archivo | None = None) -> None:
        nombre, datos = self._abrir(ruta)
        if debia is not None:
            exigir_igual(nombre, datos, debia)
            debido = archivo_de(debia)
        for cual, quien in ((archivo_de(datos), "el archivo"), (dicho, "el manifiesto")):
            if cual != debido:
                raise Mentira(
                    nombre,
                    f"según {quien}, SHA-256 {cual.sha256[:16]}… y {cual.bytes} bytes",
                    f"{debido.sha256[:16]}… y {debido.bytes}" if debido else "otra cosa",
                    "No es el archivo que sale de los hechos firmados.",
                )
        self._cuenta.recalculados += 1

    def _compartido(self, base: str, ruta: str, dicho: Archivo, debido: Archivo) -> bool:
        """Si por la red no hace falta leerlo: es el mismo que ya se leyó en un corte anterior."""
        antes = self._sueltos.get(ruta)
        if not self._por_la_red or antes is None or not antes[0] == dicho == debido:
            return False
        self._al_compartir(rutas.en_disco(f"{base}/{ruta}"), rutas.en_disco(antes[1]))
        return True

    def _por_huella(self, ruta: str, archivo: Archivo) -> None:
        nombre, datos = self._abrir(ruta)
        suyo = archivo_de(datos)
        if suyo != archivo:
            raise Mentira(
                nombre,
                f"algo con SHA-256 {suyo.sha256[:16]}…",
                f"{archivo.sha256[:16]}…, como dice el manifiesto",
                "El archivo se cambió después de publicarlo.",
            )
        self._cuenta.por_huella += 1

    def _abrir(self, ruta: str) -> tuple[str, bytes]:
        """Cómo se llama en disco y su contenido."""
        nombre = rutas.en_disco(ruta)
        try:
            datos = self._lector.leer(nombre)
        except FileNotFoundError as error:
            raise falta(nombre, "El manifiesto del registro lo nombra y no está.") from error
        return nombre, comprimido.abrir(nombre, datos) if nombre != ruta else datos
