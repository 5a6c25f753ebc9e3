"""Lo que las personas hacen en el CATD, con las mismas funciones para las pantallas y para el ensayo.

Cada acción lee la historia del acta, pregunta a `nucleo.captura.paso` y asienta dentro de una sola transacción: dos
pantallas nunca concluyen la misma captura. Todas devuelven un valor o un `Rechazo`. Repetir una acción ya asentada (un
segundo toque, un reintento tras una falla de disco) devuelve lo que hay y no agrega otro hecho.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Final

from appliance import rechazos
from appliance.almacen import Almacen, Encargo, Lectura, Transaccion
from appliance.fila import Fila, acopiada
from appliance.imagenes import Imagenes
from appliance.recepcion import Hecha, Recepcion
from appliance.rechazos import con_rechazo
from appliance.reloj import Reloj, hora_creible
from nucleo.acta import Asentado, MotivoSinActa
from nucleo.campo import Campo
from nucleo.captura import (
    Accion,
    Capturar,
    Corregir,
    DeclararSinActa,
    Discrepante,
    EnRevision,
    Estado,
    EstadoAsentado,
    PedirRecaptura,
    PrimeraConcluida,
    Revisar,
    SinActaDeclarada,
    SinCaptura,
    Soltar,
    Tomada,
    Tomar,
    estado_de,
    paso,
)
from nucleo.eleccion import Proceso
from nucleo.hechos import (
    Captura,
    Correccion,
    HechoDeActa,
    IdActa,
    Imagen,
    Revision,
    SinActa,
)
from nucleo.problema import Rechazo

PLAZO_ENCARGO: Final = timedelta(minutes=10)
"""Cuánto puede estar un acta abierta en una pantalla antes de que otra persona la pueda tomar."""


class Mesa(Recepcion):
    """La mesa de trabajo del CATD.

    Args:
        exigir_imagen: si para capturar debe haber imagen. En esta etapa no: el CATD tiene el papel enfrente.
        plazo: cuánto dura un encargo sin que nadie más lo pueda tomar, según el reloj.
    """

    def __init__(
        self,
        almacen: Almacen,
        imagenes: Imagenes,
        proceso: Proceso,
        reloj: Reloj,
        *,
        exigir_imagen: bool = False,
        plazo: timedelta = PLAZO_ENCARGO,
    ) -> None:
        super().__init__(almacen, imagenes, proceso, reloj)
        self._exigir_imagen = exigir_imagen
        self._plazo = plazo
        self._fila = Fila(almacen)

    @con_rechazo
    def declarar_sin_acta(self, acta: IdActa, persona: str, confirma: str, motivo: MotivoSinActa) -> Hecha | Rechazo:
        """Declara que no hay acta; `confirma` es coordinación y no puede ser la misma persona."""

        def repetida(hecho: HechoDeActa) -> bool:
            return isinstance(hecho, SinActa) and (hecho.persona, hecho.confirma, hecho.motivo) == (
                persona,
                confirma,
                motivo,
            )

        return self._actuar(
            acta, lambda hora: DeclararSinActa(persona, confirma, hora, motivo), repetida, exigir_acopio=False
        )

    # ---------------------------------------------------------------------------------------------------------- captura

    @con_rechazo
    def siguiente(self, persona: str) -> IdActa | Rechazo | None:
        """La primera acta de la fila que esta persona puede capturar o corregir; la que ya tiene abierta va antes.

        `None` si no hay ninguna. No la aparta: para eso está `tomar_siguiente`.
        """
        with self.almacen.lectura() as mirada:
            return self._siguiente(mirada, persona)

    @con_rechazo
    def tomar_siguiente(self, persona: str) -> IdActa | Rechazo | None:
        """Como `siguiente`, y en la misma transacción la deja a cargo de esta persona."""
        with self.almacen.transaccion() as t:
            acta = self._siguiente(t, persona)
            if acta is None:
                return None
            tomada = self._tomar(t, acta, persona)
            return tomada if isinstance(tomada, Rechazo) else acta

    @con_rechazo
    def tomar(self, acta: IdActa, persona: str) -> Tomada | Rechazo:
        """Abre el acta para esta persona durante el plazo; repetirlo renueva el plazo."""
        if rechazo := self._ajena(acta):
            return rechazo
        with self.almacen.transaccion() as t:
            return self._tomar(t, acta, persona)

    @con_rechazo
    def soltar(self, acta: IdActa, persona: str) -> Estado | Rechazo:
        """Deja el acta sin terminar: vuelve a la fila."""
        with self.almacen.transaccion() as t:
            historia = t.hechos_de(acta)
            estado = self._estado_con(t, acta, historia, persona)
            resultado = paso(acta, self._claves(acta), estado, historia, Soltar(persona))
            if isinstance(resultado, Rechazo):
                return resultado
            t.desencargar(acta)
            t.anotar(self.reloj.ahora(), "soltada", persona=persona, acta=str(acta))
            return resultado.estado

    @con_rechazo
    def capturar(self, acta: IdActa, persona: str, asentado: Asentado) -> Hecha | Rechazo:
        """Concluye la transcripción completa de un acta que esta persona tiene abierta."""

        def repetida(hecho: HechoDeActa) -> bool:
            return isinstance(hecho, Captura) and hecho.persona == persona and hecho.asentado == asentado

        return self._actuar(acta, lambda hora: Capturar(persona, hora, asentado), repetida)

    @con_rechazo
    def corregir(self, acta: IdActa, persona: str, campos: Mapping[str, Campo]) -> Hecha | Rechazo:
        """Concluye la corrección ciega: exactamente los campos discrepantes."""

        def repetida(hecho: HechoDeActa) -> bool:
            return isinstance(hecho, Correccion) and hecho.persona == persona and hecho.campos == campos

        return self._actuar(acta, lambda hora: Corregir(persona, hora, campos), repetida)

    @con_rechazo
    def revisar(self, acta: IdActa, personas: tuple[str, str], campos: Mapping[str, Campo]) -> Hecha | Rechazo:
        """Dos personas juntas deciden los campos que siguen sin acuerdo."""

        def repetida(hecho: HechoDeActa) -> bool:
            return isinstance(hecho, Revision) and hecho.personas == personas and hecho.campos == campos

        return self._actuar(acta, lambda hora: Revisar(personas, hora, campos), repetida)

    @con_rechazo
    def pedir_recaptura(self, acta: IdActa, persona: str, motivo: str) -> Hecha | Rechazo:
        """Vuelve a empezar la captura desde la imagen, conservando la historia."""
        return self._actuar(acta, lambda hora: PedirRecaptura(persona, hora, motivo))

    # -------------------------------------------------------------------------------------------------------- consultas

    @con_rechazo
    def estado(self, acta: IdActa) -> Estado | Rechazo:
        """En qué está el acta ahora; `Tomada` si alguien la tiene abierta."""
        if rechazo := self._ajena(acta):
            return rechazo
        with self.almacen.lectura() as mirada:
            return self._estado_con(mirada, acta, mirada.hechos_de(acta))

    @con_rechazo
    def abierta(self, acta: IdActa, persona: str) -> Tomada | Rechazo:
        """El acta que esta persona tiene abierta, aunque su plazo haya vencido, si nadie más la tomó."""
        if rechazo := self._ajena(acta):
            return rechazo
        with self.almacen.lectura() as mirada:
            estado = self._estado_con(mirada, acta, mirada.hechos_de(acta), persona)
        return estado if isinstance(estado, Tomada) and estado.persona == persona else rechazos.no_la_tiene(acta)

    def renglones(self, acta: IdActa) -> tuple[str, ...] | Rechazo:
        """Claves de los votos que existen en esa acta, en el orden del papel."""
        return self._ajena(acta) or self._claves(acta)

    @con_rechazo
    def por_revisar(self) -> list[IdActa] | Rechazo:
        """Actas que esperan a dos personas, de la más antigua a la más nueva."""
        return [acta for acta, estado in self._fila.activas() if isinstance(estado, EnRevision)]

    @con_rechazo
    def avance(self) -> Mapping[str, int] | Rechazo:
        """Cuántas actas de este kiosco hay en cada estado, por nombre del tipo de estado."""
        return self._fila.cuenta()

    # ---------------------------------------------------------------------------------------------------------- adentro

    def _actuar(
        self,
        acta: IdActa,
        accion: Callable[[datetime], Accion],
        repetida: Callable[[HechoDeActa], bool] = lambda _: False,
        *,
        exigir_acopio: bool = True,
    ) -> Hecha | Rechazo:
        if rechazo := self._ajena(acta):
            return rechazo
        with self.almacen.transaccion() as t:
            historia = t.hechos_de(acta)
            if exigir_acopio and not acopiada(historia):
                return rechazos.sin_acopio(acta)
            hecho = accion(hora_creible(self.reloj))
            quien = hecho.persona if isinstance(hecho, Capturar | Corregir) else None
            estado = self._estado_con(t, acta, historia, quien)
            resultado = paso(acta, self._claves(acta), estado, historia, hecho)
            if isinstance(resultado, Rechazo):
                if any(map(repetida, historia)):
                    return Hecha(estado)
                return resultado
            t.desencargar(acta)
            return Hecha(resultado.estado, self._asentar(t, *resultado.hechos))

    def _tomar(self, t: Transaccion, acta: IdActa, persona: str) -> Tomada | Rechazo:
        ahora = hora_creible(self.reloj)
        historia = t.hechos_de(acta)
        if not acopiada(historia):
            return rechazos.sin_acopio(acta)
        if self._le_falta_imagen(t, acta):
            return rechazos.sin_imagen(acta)
        estado = self._estado_con(t, acta, historia)
        resultado = paso(acta, self._claves(acta), estado, historia, Tomar(persona, ahora))
        if isinstance(resultado, Rechazo):
            return resultado
        if not isinstance(resultado.estado, Tomada):
            raise AssertionError(resultado.estado)
        previo = t.encargo(acta)
        if previo is not None and previo.persona != persona:
            t.anotar(ahora, "encargo_vencido", persona=previo.persona, acta=str(acta), detalle=f"la toma {persona}")
        t.encargar(acta, persona, ahora)
        t.anotar(ahora, "tomada", persona=persona, acta=str(acta))
        return Tomada(resultado.estado.libre, persona, ahora)

    def _siguiente(self, mirada: Lectura, persona: str) -> IdActa | None:
        primera = None
        encargos = mirada.encargos()
        for acta, estado in self._fila.activas():
            if not _puede(estado, persona):
                continue
            encargo = encargos.get(acta)
            if encargo is not None and encargo.persona == persona:
                return acta
            libre = encargo is None or self._vencido(encargo)
            if primera is None and libre and not self._le_falta_imagen(mirada, acta):
                primera = acta
        return primera

    def _vencido(self, encargo: Encargo) -> bool:
        # Sin el valor absoluto, un encargo tomado con el reloj adelantado duraría hasta que la hora lo alcance.
        return abs(self.reloj.ahora() - encargo.desde) >= self._plazo

    def _le_falta_imagen(self, mirada: Lectura, acta: IdActa) -> bool:
        return self._exigir_imagen and not any(isinstance(h, Imagen) for h in mirada.hechos_de(acta))

    def _estado_con(
        self, mirada: Lectura, acta: IdActa, historia: list[HechoDeActa], quien: str | None = None
    ) -> Estado:
        asentado = estado_de(historia)
        encargo = mirada.encargo(acta)
        # El plazo deja que otra persona la tome; a quien tardó en teclear no se le tira su trabajo si nadie la tomó.
        if encargo is None or (self._vencido(encargo) and encargo.persona != quien):
            return asentado
        if not isinstance(asentado, SinCaptura | SinActaDeclarada | PrimeraConcluida | Discrepante):
            return asentado
        return Tomada(asentado, encargo.persona, encargo.desde)

    def _claves(self, acta: IdActa) -> tuple[str, ...]:
        casilla = self.proceso.casillas[acta.casilla]
        return tuple(o.clave for o in self.proceso.elecciones[acta.eleccion].opciones_de(casilla))


def _puede(estado: EstadoAsentado, persona: str) -> bool:
    match estado:
        case SinCaptura() | SinActaDeclarada():
            return True
        case PrimeraConcluida(primera=primera):
            return primera.persona != persona
        case Discrepante(capturas=capturas):
            return persona not in {c.persona for c in capturas}
        case _:
            return False
