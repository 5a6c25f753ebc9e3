"""Lo que las personas hacen en el CATD, con las mismas funciones para las pantallas y para el ensayo.

Cada acción lee la historia del acta, pregunta a `nucleo.captura.paso` y asienta dentro de una sola transacción: dos
pantallas nunca concluyen la misma captura. Todas devuelven un valor o un `Rechazo`. Repetir una acción ya asentada (un
segundo toque, un reintento tras una falla de disco) devuelve lo que hay y no agrega otro hecho.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from appliance import borradores, rechazos, segunda_lectura
from appliance.almacen import Almacen, Lectura, Transaccion
from appliance.encargos import PLAZO_ENCARGO as PLAZO_ENCARGO
from appliance.fila import Fila, acopiada
from appliance.imagenes import Imagenes
from appliance.personas import Papel
from appliance.recepcion import Hecha
from appliance.rechazos import con_rechazo
from appliance.redigitalizacion import Redigitalizacion, imagen_de
from appliance.reloj import Reloj, hora_creible
from appliance.segunda_lectura import PorRevisar
from nucleo.acta import Asentado, MotivoSinActa
from nucleo.campo import Campo, a_texto
from nucleo.captura import (
    Accion,
    Capturar,
    Corregir,
    DeclararSinActa,
    Discrepante,
    EnRevision,
    Estado,
    EstadoAsentado,
    Libre,
    PedirRecaptura,
    PrimeraConcluida,
    Revisar,
    SinActaDeclarada,
    SinCaptura,
    Tomada,
    Tomar,
    Verificada,
    paso,
)
from nucleo.eleccion import Proceso
from nucleo.hechos import (
    Captura,
    Correccion,
    HechoDeActa,
    IdActa,
    Revision,
    SinActa,
)
from nucleo.problema import Rechazo


@dataclass(frozen=True, slots=True)
class Espera:
    """Actas acopiadas que nadie puede leer todavía, y por qué."""

    sin_imagen: int
    por_redigitalizar: int


class Mesa(Redigitalizacion):
    """La mesa de trabajo del CATD.

    Args:
        exigir_imagen: si para capturar debe haber imagen; sin escáner no, porque el CATD tiene el papel enfrente.
        plazo: cuánto dura un encargo sin actividad antes de que otra persona lo pueda tomar, según el reloj.
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
        super().__init__(almacen, imagenes, proceso, reloj, plazo=plazo)
        self._exigir_imagen = exigir_imagen
        self.fila = Fila(almacen)

    def exigir_imagen(self, si: bool) -> None:
        """Cambia si para capturar debe haber imagen: se sabe hasta ver qué aparatos hay."""
        self._exigir_imagen = si

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
    def siguiente(self, persona: str, papeles: Collection[Papel] | None = None) -> IdActa | Rechazo | None:
        """La primera acta de la fila que esta persona puede leer; la que ya tiene abierta va antes.

        `None` si no hay ninguna. No la aparta: para eso está `tomar_siguiente`.

        Args:
            papeles: los de la persona: captura hace primeras lecturas, y verificación, segundas y correcciones a
                ciegas. Sin ellos (el ensayo) hace cualquiera.
        """
        with self.almacen.lectura() as mirada:
            return next(self._le_tocan(mirada, persona, papeles), None)

    @con_rechazo
    def proximas(
        self, persona: str, papeles: Collection[Papel] | None = None, cuantas: int = 2
    ) -> list[IdActa] | Rechazo:
        """Las primeras que le tocarían a esta persona, para tener lista su imagen."""
        with self.almacen.lectura() as mirada:
            return [acta for acta, _ in zip(self._le_tocan(mirada, persona, papeles), range(cuantas), strict=False)]

    @con_rechazo
    def tomar_siguiente(self, persona: str, papeles: Collection[Papel] | None = None) -> IdActa | Rechazo | None:
        """Como `siguiente`, y en la misma transacción la deja a cargo de esta persona."""
        with self.almacen.transaccion() as t:
            acta = next(self._le_tocan(t, persona, papeles), None)
            if acta is None:
                return None
            tomada = self._tomar(t, acta, persona)
            return tomada if isinstance(tomada, Rechazo) else acta

    @con_rechazo
    def tomar(self, acta: IdActa, persona: str, papeles: Collection[Papel] | None = None) -> Tomada | Rechazo:
        """Abre el acta para esta persona durante el plazo; repetirlo renueva el plazo."""
        if rechazo := self._ajena(acta):
            return rechazo
        with self.almacen.transaccion() as t:
            return self._tomar(t, acta, persona, papeles)

    @con_rechazo
    def capturar(self, acta: IdActa, persona: str, asentado: Asentado, *, imagen: str | None = None) -> Hecha | Rechazo:
        """Concluye la transcripción completa de un acta que esta persona tiene abierta.

        Args:
            imagen: SHA-256 de la que tuvo enfrente, `None` si no había y leyó el papel. Si no es la vigente,
                IMAGEN_CAMBIO: nada se asienta. Lo mismo en las demás lecturas.
        """
        return self._actuar(
            acta, lambda hora: Capturar(persona, hora, asentado, imagen), _captura_repetida(persona, asentado)
        )

    @con_rechazo
    def concluir(
        self,
        acta: IdActa,
        persona: str,
        asentado: Asentado,
        *,
        imagen: str | None = None,
        revisada: bool = False,
    ) -> Hecha | PorRevisar | Rechazo:
        """Como `capturar`; si es la segunda lectura y difiere, antes de asentarla señala una vez en qué renglones.

        Con `PorRevisar` no se asentó nada y lo leído queda como borrador (`appliance.segunda_lectura`).

        Args:
            revisada: si la hoja viene de la página que ya traía los renglones señalados.
        """
        if rechazo := self._ajena(acta):
            return rechazo
        with self.almacen.transaccion() as t:
            # La comparación se gasta una sola vez: no con lo leído en una imagen que ya no es.
            if _es_vigente(imagen, t.hechos_de(acta)):
                por_revisar = self._comparar(t, acta, persona, asentado, revisada, imagen)
                if por_revisar is not None:
                    return por_revisar
            return self._actuar_en(
                t, acta, lambda hora: Capturar(persona, hora, asentado, imagen), _captura_repetida(persona, asentado)
            )

    @con_rechazo
    def corregir(
        self, acta: IdActa, persona: str, campos: Mapping[str, Campo], *, imagen: str | None = None
    ) -> Hecha | Rechazo:
        """Concluye la corrección ciega: exactamente los campos discrepantes."""

        def repetida(hecho: HechoDeActa) -> bool:
            return isinstance(hecho, Correccion) and hecho.persona == persona and hecho.campos == campos

        return self._actuar(acta, lambda hora: Corregir(persona, hora, campos, imagen), repetida)

    @con_rechazo
    def revisar(
        self, acta: IdActa, personas: tuple[str, str], campos: Mapping[str, Campo], *, imagen: str | None = None
    ) -> Hecha | Rechazo:
        """Dos personas juntas deciden los campos que siguen sin acuerdo."""

        def repetida(hecho: HechoDeActa) -> bool:
            return isinstance(hecho, Revision) and hecho.personas == personas and hecho.campos == campos

        return self._actuar(acta, lambda hora: Revisar(personas, hora, campos, imagen), repetida)

    @con_rechazo
    def pedir_recaptura(self, acta: IdActa, persona: str, motivo: str) -> Hecha | Rechazo:
        """Vuelve a empezar la captura desde la imagen, conservando la historia."""
        if rechazo := self._ajena(acta):
            return rechazo
        with self.almacen.transaccion() as t:
            hecha = self._actuar_en(t, acta, lambda hora: PedirRecaptura(persona, hora, motivo), lambda _: False)
            if isinstance(hecha, Hecha):
                t.anotar(self.reloj.ahora(), "recaptura_pedida", persona=persona, acta=str(acta), detalle=motivo)
            return hecha

    # -------------------------------------------------------------------------------------------------------- consultas

    @con_rechazo
    def estado(self, acta: IdActa) -> Estado | Rechazo:
        """En qué está el acta ahora; `Tomada` si alguien la tiene abierta."""
        if rechazo := self._ajena(acta):
            return rechazo
        with self.almacen.lectura() as mirada:
            return self._estado_con(mirada, acta, mirada.hechos_de(acta))

    def renglones(self, acta: IdActa) -> tuple[str, ...] | Rechazo:
        """Claves de los votos que existen en esa acta, en el orden del papel."""
        return self._ajena(acta) or self._claves(acta)

    @con_rechazo
    def por_revisar(self) -> list[IdActa] | Rechazo:
        """Actas que esperan a dos personas, de la más antigua a la más nueva."""
        return [acta for acta, estado in self.fila.activas() if isinstance(estado, EnRevision)]

    @con_rechazo
    def espera(self) -> Espera | Rechazo:
        """Cuántas actas acopiadas esperan imagen: la primera, si se exige, u otra que se vea mejor."""
        with self.almacen.lectura() as mirada:
            otra = {p.acta for p in self._esperan_imagen(mirada)}
            faltan = [a for a, _ in self.fila.activas() if a not in otra and self._le_falta_imagen(mirada, a)]
        return Espera(len(faltan), len(otra))

    @con_rechazo
    def avance(self) -> Mapping[str, int] | Rechazo:
        """Cuántas actas de este kiosco hay en cada estado, por nombre del tipo de estado."""
        return self.fila.cuenta()

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
            return self._actuar_en(t, acta, accion, repetida, exigir_acopio=exigir_acopio)

    def _actuar_en(
        self,
        t: Transaccion,
        acta: IdActa,
        accion: Callable[[datetime], Accion],
        repetida: Callable[[HechoDeActa], bool],
        *,
        exigir_acopio: bool = True,
    ) -> Hecha | Rechazo:
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
        if isinstance(hecho, Capturar | Corregir | Revisar) and not _es_vigente(hecho.imagen, historia):
            return rechazos.imagen_cambio(acta)
        t.desencargar(acta)
        # En la misma transacción: ni hecho con su borrador de más, ni borrador perdido sin hecho.
        if isinstance(resultado.estado, Verificada | EnRevision) or isinstance(hecho, PedirRecaptura):
            borradores.borrar(t.conexion, acta)
        elif quien is not None:
            borradores.borrar(t.conexion, acta, quien)
        return Hecha(resultado.estado, self._asentar(t, *resultado.hechos))

    def _comparar(
        self, t: Transaccion, acta: IdActa, persona: str, asentado: Asentado, revisada: bool, imagen: str | None
    ) -> PorRevisar | None:
        tomada = self._propia(t, acta, persona)
        if isinstance(tomada, Rechazo) or not isinstance(tomada.libre, PrimeraConcluida):
            return None
        # Con renglones de otra acta, que lo diga `paso`: aquí se compararía lo incomparable.
        if set(asentado.votos) != set(self._claves(acta)):
            return None
        ahora = hora_creible(self.reloj)
        por_revisar = segunda_lectura.comparar(t, acta, persona, tomada.libre, asentado, ahora, revisada=revisada)
        if por_revisar is not None:
            textos = {nombre: a_texto(campo) for nombre, campo in asentado.campos().items()}
            # Al concluir dijo que todo lo leyó en ésta: lo guardado de otra ya no cuenta.
            borradores.borrar(t.conexion, acta, persona)
            borradores.guardar(t.conexion, borradores.llave_de(acta, persona, tomada.libre), textos, ahora, imagen)
            t.encargar(acta, persona, ahora)
        return por_revisar

    def _tomar(
        self, t: Transaccion, acta: IdActa, persona: str, papeles: Collection[Papel] | None = None
    ) -> Tomada | Rechazo:
        ahora = hora_creible(self.reloj)
        historia = t.hechos_de(acta)
        if not acopiada(historia):
            return rechazos.sin_acopio(acta)
        if self._le_falta_imagen(t, acta):
            return rechazos.sin_imagen(acta)
        if any(p.acta == acta for p in self._esperan_imagen(t)):
            return rechazos.espera_otra_imagen(acta)
        estado = self._estado_con(t, acta, historia)
        resultado = paso(acta, self._claves(acta), estado, historia, Tomar(persona, ahora))
        if isinstance(resultado, Rechazo):
            return resultado
        if not isinstance(resultado.estado, Tomada):
            raise AssertionError(resultado.estado)
        if not _de_su_papel(resultado.estado.libre, papeles):
            return rechazos.lectura_de_otro_papel(acta)
        previo = t.encargo(acta)
        if previo is not None and previo.persona != persona:
            t.anotar(ahora, "encargo_vencido", persona=previo.persona, acta=str(acta), detalle=f"la toma {persona}")
        t.encargar(acta, persona, ahora)
        t.anotar(ahora, "tomada", persona=persona, acta=str(acta))
        return Tomada(resultado.estado.libre, persona, ahora)

    def _le_tocan(self, mirada: Lectura, persona: str, papeles: Collection[Papel] | None) -> Iterator[IdActa]:
        """Las que esta persona puede leer: antes la que ya tiene abierta; luego, de la más antigua a la más nueva."""
        encargos = mirada.encargos()
        apartadas = {p.acta for p in self._esperan_imagen(mirada)}
        suyas = [a for a, e in self.fila.activas() if _puede(e, persona, papeles) and a not in apartadas]
        yield from (a for a in suyas if a in encargos and encargos[a].persona == persona)
        for acta in suyas:
            encargo = encargos.get(acta)
            libre = encargo is None or (encargo.persona != persona and self._vencido(encargo))
            if libre and not self._le_falta_imagen(mirada, acta):
                yield acta

    def _le_falta_imagen(self, mirada: Lectura, acta: IdActa) -> bool:
        if not self._exigir_imagen:
            return False
        # Sin abrir los sobres: la fila entera se recorre en cada «siguiente».
        hay = mirada.conexion.execute(
            "SELECT 1 FROM hechos WHERE eleccion = ? AND casilla = ? AND tipo = 'imagen' LIMIT 1",
            (acta.eleccion, acta.casilla),
        )
        return hay.fetchone() is None


def _es_vigente(imagen: str | None, historia: list[HechoDeActa]) -> bool:
    return imagen == imagen_de(historia)


def _puede(estado: EstadoAsentado, persona: str, papeles: Collection[Papel] | None) -> bool:
    match estado:
        case SinCaptura() | SinActaDeclarada():
            return _de_su_papel(estado, papeles)
        case PrimeraConcluida(primera=primera):
            return primera.persona != persona and _de_su_papel(estado, papeles)
        case Discrepante(capturas=capturas):
            return persona not in {c.persona for c in capturas} and _de_su_papel(estado, papeles)
        case _:
            return False


def _de_su_papel(libre: Libre, papeles: Collection[Papel] | None) -> bool:
    primera = isinstance(libre, SinCaptura | SinActaDeclarada)
    return papeles is None or (Papel.CAPTURA if primera else Papel.VERIFICACION) in papeles


def _captura_repetida(persona: str, asentado: Asentado) -> Callable[[HechoDeActa], bool]:
    return lambda hecho: isinstance(hecho, Captura) and hecho.persona == persona and hecho.asentado == asentado
