"""Una noche de laboratorio: se arma con una semilla, se vive, se compone todo y se juzga."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Final

from ensayo.laboratorio.centro import Centro
from ensayo.laboratorio.desgracias import NOCHE_S, Desgracia, calendario_de
from ensayo.laboratorio.fragil import Momento
from ensayo.laboratorio.guion import guion_de
from ensayo.laboratorio.hostil import NOMBRE as HOSTIL
from ensayo.laboratorio.hostil import Hostil
from ensayo.laboratorio.invariantes import Juez
from ensayo.laboratorio.kiosco import Kiosco
from ensayo.laboratorio.proceso import INICIO, proceso_de
from ensayo.laboratorio.red import Cable, Conexion, Red
from ensayo.laboratorio.tiempo import Tiempo
from servicio_central.tropiezo import Tropiezo

MIRAR_CADA_S: Final = 25.0
DRENAR_S: Final = 240.0
"""Con todo compuesto, lo más que puede tardar el último renglón en quedar aceptado o explicado."""

CUADRAR_S: Final = 20.0
"""Y lo que se deja pasar después, para que el último latido diga que ya no falta nada."""

_CABLES: Final = (
    Cable(),
    Cable((0.05, 0.4), 0.03, 0.03, 0.01),
    Cable((0.05, 3.0), 0.2, 0.1, 0.05),
)


@dataclass(frozen=True)
class Plan:
    """Todo lo que una semilla decide de antemano."""

    semilla: int
    kioscos: int
    desgracias: tuple[Desgracia, ...]
    hechos: int = 0
    """Por kiosco; 0 es que lo decida la semilla."""


@dataclass
class Veredicto:
    """Cómo acabó una noche."""

    plan: Plan
    violaciones: list[str]
    cuenta: Counter[str] = field(default_factory=Counter)


def plan_de(semilla: int, kioscos: int | None = None) -> Plan:
    """El plan de esa semilla; con `kioscos`, de ese tamaño."""
    azar = random.Random(f"plan {semilla}")
    cuantos = azar.choice((3, 3, 3, 4, 4, 5, 6, 8))
    cuantos = kioscos or cuantos
    return Plan(semilla, cuantos, calendario_de(azar, cuantos))


def vivir(plan: Plan, carpeta: Path, narrar: Callable[[str], None] | None = None) -> Veredicto:
    """Vive la noche en una carpeta vacía, que se queda como haya quedado.

    Args:
        narrar: recibe lo que va pasando, renglón por renglón.
    """
    noche = _Noche(plan, carpeta, narrar or (lambda _dicho: None))
    noche.vivir()
    return Veredicto(plan, noche.violaciones(), noche.cuenta)


class _Noche:
    def __init__(self, plan: Plan, carpeta: Path, narrar: Callable[[str], None]) -> None:
        self.plan = plan
        self.narrar = narrar
        self.azar = random.Random(f"noche {plan.semilla}")
        self.cuenta: Counter[str] = Counter()
        self.carpeta = carpeta
        self.tiempo = Tiempo(INICIO)
        self.red = Red(self.tiempo, random.Random(f"red {plan.semilla}"), self.cuenta)
        self.nombres = [f"catd-{n + 1:03d}" for n in range(plan.kioscos)]
        self.casillas = list(proceso_de(plan.kioscos + 3).casillas)
        carpeta_centro = carpeta / "centro"
        carpeta_centro.mkdir(parents=True)
        self.centro = Centro(
            *(carpeta_centro, self.red, self.azar, self.cuenta),
            proceso=proceso_de(plan.kioscos + 3),
            equipos=[*self.nombres, HOSTIL],
        )
        self.juez = Juez(self.centro.ruta, self.cuenta)
        self.centro.al_revivir = self._mirar
        self.kioscos = [self._kiosco(n, n) for n in self.nombres]
        self.clones: list[tuple[Kiosco, Kiosco]] = []
        self.hostil = Hostil(self.red, self.azar, self.cuenta, self.nombres)
        self.juez.emitidos = self.hostil.emitidos
        # De lo que inventó un kiosco hostil nadie responde si además se pierde el disco del centro.
        self.juez.discos_cambiados.add(HOSTIL)
        self.compuesto = False
        self.red.mirar_subida = self._ver_subir

    def _ver_subir(self, conexion: Conexion, tema: str, carga: bytes) -> None:
        if tema.endswith("/hechos"):
            self.hostil.oidos.append(carga)
        for kiosco in self.todos:
            if queja := kiosco.ver_subir(conexion, tema, carga):
                self.juez.acusar(queja)

    def _kiosco(self, nombre: str, equipo: str) -> Kiosco:
        carpeta = self.carpeta / nombre
        kiosco = Kiosco(nombre, equipo, carpeta, self.red, self.azar, self.cuenta, self.narrar)
        kiosco.al_guardar = lambda: self.juez.recordar(kiosco)
        kiosco.al_cerrar = lambda: self.juez.al_cerrar(kiosco)
        return kiosco

    @property
    def todos(self) -> list[Kiosco]:
        return [*self.kioscos, *(clon for _, clon in self.clones)]

    def violaciones(self) -> list[str]:
        defectos = [*self.centro.defectos, *(d for k in self.todos for d in k.defectos)]
        return [*dict.fromkeys(defectos), *self.juez.violaciones]

    # ---------------------------------------------------------------------------------------------------------- vivir

    def vivir(self) -> None:
        try:
            self._montar()
            self.tiempo.correr(NOCHE_S)
            self._componer()
            self._drenar()
            self._juzgar()
        finally:
            for kiosco in self.todos:
                kiosco.apagar()
            self.centro.apagar()

    def _montar(self) -> None:
        self.centro.prender()
        for n, kiosco in enumerate(self.kioscos):
            self.red.cables[kiosco.equipo] = replace(self.azar.choice(_CABLES))
            kiosco.prender()
            cuantos = self.plan.hechos or self.azar.choice((5, 5, 8, 8, 12, 20, 40))
            # Una casilla es suya; de las demás, alguna la captura también otro CATD sin saberlo.
            propias = [self.casillas[n], *self.azar.sample(self.casillas, 2)]
            kiosco.trabajar(guion_de(self.azar, propias, cuantos, 2.0, NOCHE_S))
        for desgracia in self.plan.desgracias:
            self.tiempo.dentro_de(desgracia.segundo, lambda d=desgracia: self._ocurrir(d))  # type: ignore[misc]
        for segundo in (NOCHE_S / 2, NOCHE_S):
            self.tiempo.dentro_de(segundo, self._cortar)
        for vez in range(1, int(NOCHE_S / MIRAR_CADA_S)):
            self.tiempo.dentro_de(vez * MIRAR_CADA_S, self._mirar)

    def _mirar(self) -> None:
        self.juez.mirar(k for k in self.todos if k.ruta.exists())

    def _cortar(self, *, ultimo: bool = False) -> None:
        self._mirar()
        try:
            corte = self.centro.cortar(ultimo=ultimo)
        except Tropiezo as tropiezo:
            self.juez.acusar(f"no salió el corte: {tropiezo}")
            return
        if corte is not None:
            self.juez.anotar_corte(corte)

    def _componer(self) -> None:
        """Se acabaron las desgracias: todo lo que está roto se arregla."""
        self.compuesto = True
        self.narrar(f"{self.tiempo.segundos:7.2f} · *** todo se compone")
        self.red.levantar()
        for kiosco in self.todos:
            self.red.cables[kiosco.equipo] = Cable()
            kiosco.mover_reloj(timedelta(0))
            self._revivir(kiosco)
            kiosco.disco.vaciar_disco()
            kiosco.disco.armar(None)
        self._prender_centro()
        self.centro.disco.vaciar_disco()
        self.centro.disco.armar(None)
        padron = self.centro.padron
        for nombre in self.nombres:
            if not padron.equipos[nombre].vigente:
                padron = self.centro.con_equipo(nombre, vigente=True)
        self.centro.recargar(proceso_de(self.plan.kioscos + 3), padron)

    def _drenar(self) -> None:
        # Dos discos con la misma llave se quitan la conexión: cada uno entrega lo suyo mientras el otro está apagado.
        for original, clon in self.clones:
            original.matar()
            self._revivir(clon)
        if self.clones:
            self._esperar([clon for _, clon in self.clones])
        for original, clon in self.clones:
            clon.matar()
            self._revivir(original)
        self._esperar(self.kioscos)
        self.tiempo.correr(self.tiempo.segundos + CUADRAR_S)

    def _esperar(self, kioscos: list[Kiosco]) -> None:
        limite = self.tiempo.segundos + DRENAR_S
        # Sin nada pendiente también hay que oír al centro: puede haber perdido lo que ya acusó.
        self.tiempo.correr(self.tiempo.segundos + CUADRAR_S)
        while self.tiempo.segundos < limite:
            if all(not k.sin_hacer and self._entregado(k) for k in kioscos if k.vivo):
                return
            self.tiempo.correr(self.tiempo.segundos + 5.0)
        self.cuenta["drenado hasta el límite"] += 1

    @staticmethod
    def _entregado(kiosco: Kiosco) -> bool:
        resumen = kiosco.almacen.resumen()
        return resumen.pendientes == resumen.apartados and not kiosco.almacen.resumen_de_imagenes().pendientes

    def _juzgar(self) -> None:
        self._mirar()
        for kiosco in self.kioscos:
            if kiosco.sin_hacer:
                self.juez.acusar(f"a {kiosco.nombre} le quedaron {kiosco.sin_hacer} tareas sin poder guardar")
        self._cortar(ultimo=True)
        self.juez.sentenciar(self.todos, self.kioscos, self.tiempo.ahora())
        self.cuenta["hoja asentada"] += len(self.juez.emitidos)

    # ------------------------------------------------------------------------------------------------------- desgracias

    def _ocurrir(self, d: Desgracia) -> None:
        self.cuenta[f"desgracia: {d.clase}"] += 1
        self.narrar(f"{self.tiempo.segundos:7.2f} · *** {d}")
        _ACTOS[d.clase](self, d, self.kioscos[d.quien % len(self.kioscos)])

    def despues(self, d: Desgracia, hacer: Callable[[], None]) -> None:
        """Se compone al rato, salvo que ya se haya compuesto todo."""
        self.tiempo.dentro_de(d.dura, lambda: None if self.compuesto else hacer())

    def _revivir(self, kiosco: Kiosco) -> None:
        if kiosco.vivo:
            return
        kiosco.prender()
        if kiosco.vivo:
            self.juez.al_revivir(kiosco)

    def _prender_centro(self) -> None:
        self.centro.prender()

    def matar_kiosco(self, d: Desgracia, kiosco: Kiosco) -> None:
        kiosco.matar()
        self.despues(d, lambda: self._revivir(kiosco))

    def matar_kiosco_confirmando(self, d: Desgracia, kiosco: Kiosco) -> None:
        kiosco.matar(_momento(d))
        self.tiempo.dentro_de(d.dura + 30.0, lambda: None if self.compuesto else self._revivir(kiosco))

    def cortar_cable(self, d: Desgracia, kiosco: Kiosco) -> None:
        self.red.cortar(kiosco.equipo, mudo=d.clase == "enmudecer cable")
        self.despues(d, lambda: self.red.reparar(kiosco.equipo))

    def llenar_disco_del_kiosco(self, d: Desgracia, kiosco: Kiosco) -> None:
        if kiosco.vivo:
            kiosco.disco.llenar_disco()
            self.despues(d, lambda: kiosco.disco.vaciar_disco() if kiosco.vivo else None)

    def mover_reloj(self, d: Desgracia, kiosco: Kiosco) -> None:
        horas = 1 + 5 * d.suerte
        hacia = {"reloj adelantado": horas, "reloj atrasado": -horas}.get(d.clase, 0.0)
        kiosco.mover_reloj(timedelta(hours=hacia), sin_pila=d.clase == "reloj sin pila")
        self.despues(d, lambda: kiosco.mover_reloj(timedelta(0)))

    def matar_centro(self, d: Desgracia, _kiosco: Kiosco) -> None:
        self.centro.matar()
        self.despues(d, self._prender_centro)

    def matar_centro_confirmando(self, d: Desgracia, _kiosco: Kiosco) -> None:
        self.centro.matar(_momento(d))
        self.tiempo.dentro_de(d.dura + 20.0, lambda: None if self.compuesto else self._prender_centro())

    def matar_broker(self, d: Desgracia, _kiosco: Kiosco) -> None:
        self.red.morir()
        self.centro.perder_broker()
        self.despues(d, self.red.levantar)

    def llenar_disco_del_centro(self, d: Desgracia, _kiosco: Kiosco) -> None:
        if self.centro.vivo:
            self.centro.disco.llenar_disco()
            self.despues(d, lambda: self.centro.disco.vaciar_disco() if self.centro.vivo else None)

    def clonar(self, d: Desgracia, kiosco: Kiosco) -> None:
        if any(original is kiosco for original, _ in self.clones) or self.compuesto:
            return
        clon = self._kiosco(f"{kiosco.nombre}-clon", kiosco.equipo)
        kiosco.respaldar(clon.ruta)
        self.clones.append((kiosco, clon))
        self.juez.discos_cambiados.add(kiosco.equipo)
        clon.prender()
        # Con los dos prendidos se echan uno al otro sin parar; a ratos lo apagan.
        self.tiempo.dentro_de(min(d.dura, 10.0), lambda: None if self.compuesto else clon.matar())
        propias = [self.casillas[-1], *self.azar.sample(self.casillas, 1)]
        clon.trabajar(guion_de(self.azar, propias, self.azar.choice((3, 6, 10)), self.tiempo.segundos + 1, NOCHE_S + 1))

    def restaurar_kiosco(self, d: Desgracia, kiosco: Kiosco) -> None:
        copia = self.carpeta / f"copia-{kiosco.nombre}.sqlite"
        kiosco.respaldar(copia)

        def volver() -> None:
            self.juez.registrar(kiosco)
            self.juez.discos_cambiados.add(kiosco.equipo)
            kiosco.restaurar(copia)
            kiosco.dichos &= self.juez.registrar(kiosco)
            self._revivir(kiosco)

        self.tiempo.dentro_de(10.0 + d.dura, lambda: None if self.compuesto else volver())

    def restaurar_centro(self, d: Desgracia, _kiosco: Kiosco) -> None:
        copia = self.carpeta / "copia-centro.sqlite"
        self.centro.respaldar(copia)

        def volver() -> None:
            self.juez.se_perdio_el_disco_del_centro()
            self.centro.restaurar(copia)
            self._prender_centro()

        self.tiempo.dentro_de(10.0 + d.dura, lambda: None if self.compuesto else volver())

    def regreso_simultaneo(self, d: Desgracia, _kiosco: Kiosco) -> None:
        for kiosco in self.kioscos:
            self.red.cortar(kiosco.equipo, mudo=d.suerte < 0.5)

        def volver() -> None:
            for kiosco in self.kioscos:
                self.red.reparar(kiosco.equipo)

        self.despues(d, volver)

    def dar_de_baja(self, d: Desgracia, kiosco: Kiosco) -> None:
        self.centro.recargar(padron=self.centro.con_equipo(kiosco.equipo, vigente=False))
        self.despues(d, lambda: self.centro.recargar(padron=self.centro.con_equipo(kiosco.equipo, vigente=True)))

    def definicion_incompleta(self, d: Desgracia, _kiosco: Kiosco) -> None:
        # Sólo puede faltar una casilla de la que aún no se acepta nada: el centro no adopta una definición así.
        completa = proceso_de(self.plan.kioscos + 3)
        usadas = self.juez.casillas_aceptadas()
        if libres := [c for c in self.casillas if c not in usadas]:
            falta = libres[int(d.suerte * len(libres))]
            casillas = {c: v for c, v in completa.casillas.items() if c != falta}
            # Otra definición tiene otra huella: por ella sabe el publicador que no puede compartir páginas.
            self.centro.recargar(replace(completa, casillas=casillas, huella="f" * 64))
            self.despues(d, lambda: self.centro.recargar(completa))

    def soltar_hostil(self, d: Desgracia, _kiosco: Kiosco) -> None:
        tareas = guion_de(self.azar, self.casillas, 25, self.tiempo.segundos, NOCHE_S)
        for tarea in tareas:
            self.tiempo.dentro_de(tarea.segundo - self.tiempo.segundos, lambda t=tarea: self.hostil.actuar(t))  # type: ignore[misc]


def _momento(d: Desgracia) -> Momento:
    return tuple(Momento)[int(d.suerte * len(Momento))]


_ACTOS: Final[dict[str, Callable[[_Noche, Desgracia, Kiosco], None]]] = {
    "matar kiosco": _Noche.matar_kiosco,
    "matar kiosco confirmando": _Noche.matar_kiosco_confirmando,
    "cortar cable": _Noche.cortar_cable,
    "enmudecer cable": _Noche.cortar_cable,
    "llenar disco del kiosco": _Noche.llenar_disco_del_kiosco,
    "reloj adelantado": _Noche.mover_reloj,
    "reloj atrasado": _Noche.mover_reloj,
    "reloj sin pila": _Noche.mover_reloj,
    "matar centro": _Noche.matar_centro,
    "matar centro confirmando": _Noche.matar_centro_confirmando,
    "matar broker": _Noche.matar_broker,
    "llenar disco del centro": _Noche.llenar_disco_del_centro,
    "clonar llave": _Noche.clonar,
    "restaurar kiosco": _Noche.restaurar_kiosco,
    "restaurar centro": _Noche.restaurar_centro,
    "regreso simultaneo": _Noche.regreso_simultaneo,
    "dar de baja": _Noche.dar_de_baja,
    "definicion incompleta": _Noche.definicion_incompleta,
    "kiosco hostil": _Noche.soltar_hostil,
}
