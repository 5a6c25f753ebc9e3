"""La cadena de una hoja: archivo → renglón → vista → imagen → hecho → fuera de la entrada.

Cada paso es durable antes de empezar el siguiente y repetirlo no cambia nada, así que después de un apagón basta volver
a andar la cadena desde donde se quedó. El hecho y el renglón de la hoja se escriben en una sola transacción: una hoja
nunca da dos hechos, y su archivo no se borra mientras no se haya resuelto.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from appliance.almacen import Transaccion
from appliance.digitalizacion import tabla
from appliance.digitalizacion.entrada import Entrada
from appliance.digitalizacion.hoja import EstadoDeHoja, Hoja, Lote, Vista
from appliance.digitalizacion.juicio import Juicio, juzgar
from appliance.digitalizacion.motivo import Motivo
from appliance.mesa import Mesa
from appliance.redigitalizacion import imagen_de
from appliance.reloj import hora_creible
from nucleo.acta import Digitalizacion
from nucleo.hechos import FueraDeCatalogo, HechoInvalido, IdActa, Imagen
from nucleo.problema import Rechazo

PASOS: Final = ("archivo", "renglon", "vista", "imagen", "hecho", "asentada", "borrado")
"""Los momentos en que se llama a `al_paso`. «hecho» es dentro de la transacción; «asentada», ya confirmada."""

INTERRUMPIDO: Final = Rechazo(
    "INTERRUMPIDO",
    "El kiosco se apagó mientras pasaban hojas",
    "se fue la luz o se cerró el programa",
    "compare las hojas de la charola de salida con esta lista y pase otra vez las que falten",
)


@dataclass(frozen=True, slots=True)
class Vistazo:
    """Lo que se vio en un archivo y la imagen oficial, ya derecha y comprimida."""

    vista: Vista
    imagen: bytes


Mirar = Callable[[Path], Vistazo | Rechazo]
"""Mira un archivo de imagen; `Rechazo` si no se pudo abrir."""


class Cadena:
    """La cadena de un kiosco. Sus métodos se pueden llamar de varios hilos; `avanzar`, de uno solo."""

    def __init__(
        self,
        carpeta: Path,
        mesa: Mesa,
        mirar: Mirar,
        *,
        al_paso: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.entrada = Entrada(carpeta / "entrada")
        self._mesa = mesa
        self._almacen = mesa.almacen
        self._mirar = mirar
        self._al_paso = al_paso

    # ------------------------------------------------------------------------------------------------------------ lotes

    def abrir_lote(self, persona: str, digitalizacion: Digitalizacion) -> tuple[Lote, Path]:
        """Un lote nuevo y su carpeta. Raises: Falla."""
        ahora = hora_creible(self._mesa.reloj)
        lote = Lote(f"{ahora:%Y%m%d-%H%M%S}-{secrets.token_hex(3)}", digitalizacion, persona, ahora, 0, 0, "", None)
        with self._almacen.transaccion() as t:
            tabla.abrir_lote(t, lote)
            t.anotar(ahora, "lote_empezado", persona=persona, detalle=f"{lote.lote} {digitalizacion.value}")
        return lote, self.entrada.abrir_lote(lote.lote)

    def cerrar_lote(self, lote: Lote, *, entraron: int, a_medias: int, fin: str, falla: Rechazo | None) -> None:
        """Asienta cómo terminó: cuánto papel entró y cuántos registros salieron. Raises: Falla."""
        ahora = self._mesa.reloj.ahora()
        with self._almacen.transaccion() as t:
            tabla.cerrar_lote(t, lote.lote, entraron=entraron, a_medias=a_medias, fin=fin, falla=falla)
            salieron = sum(tabla.cuentas(t, lote.lote).values())
            detalle = f"{lote.lote} entraron {entraron}, a medias {a_medias}, registros {salieron}; {fin}"
            evento = "fotos_importadas" if lote.digitalizacion is Digitalizacion.MOVIL else "lote_terminado"
            t.anotar(ahora, evento, persona=lote.persona, detalle=detalle)
            if falla is not None:
                t.anotar(ahora, "escaner_falla", persona=lote.persona, detalle=f"{falla.codigo}: {falla.que}")

    def entender(self, lote: str, persona: str) -> bool:
        """Alguien leyó la falla de ese lote. Raises: Falla."""
        with self._almacen.transaccion() as t:
            if not tabla.entender_falla(t, lote):
                return False
            t.anotar(self._mesa.reloj.ahora(), "falla_entendida", persona=persona, detalle=lote)
            return True

    # ------------------------------------------------------------------------------------------------------------ hojas

    def recibir(self, lote: Lote, numero: int, ruta: Path) -> None:
        """Da su renglón a un archivo completo y durable de ese lote. Repetirlo no agrega otro. Raises: Falla."""
        self._al_paso("archivo")
        ahora = self._mesa.reloj.ahora()
        with self._almacen.transaccion() as t:
            hoja = tabla.recibir(t, lote, numero, self.entrada.origen(ruta), ahora)
            if hoja is None:
                return
            tabla.contar_entrada(t, lote.lote, numero)
            t.anotar(ahora, "hoja_recibida", persona=lote.persona, detalle=f"{lote.lote} hoja {numero}")
        self._al_paso("renglon")

    def retomar(self) -> int:
        """Al arrancar: da renglón a lo que no lo tenía, cierra los lotes a medias y limpia. Devuelve cuántas retomó.

        Raises:
            Falla: la causa física; se puede volver a llamar.
        """
        retomadas = self.dar_renglones()
        self.entrada.barrer()
        with self._almacen.lectura() as mirada:
            abiertos = tabla.lotes_abiertos(mirada)
            cuantas = {lote.lote: sum(tabla.cuentas(mirada, lote.lote).values()) for lote in abiertos}
        for lote in abiertos:
            entraron = max(lote.entraron, cuantas[lote.lote])
            self.cerrar_lote(lote, entraron=entraron, a_medias=0, fin="interrumpido", falla=INTERRUMPIDO)
        return retomadas

    def dar_renglones(self) -> int:
        """Da renglón a cada archivo completo que no lo tenga y borra los ya resueltos; devuelve a cuántos se lo dio.

        Se puede llamar con un lote corriendo. Raises: Falla.
        """
        with self._almacen.lectura() as mirada:
            origenes = tabla.origenes(mirada)
        dados = 0
        for clave, numero, ruta in self.entrada.archivos():
            sobra = origenes.get(self.entrada.origen(ruta))
            if sobra is None:
                self.recibir(self._lote_de(clave), numero, ruta)
                dados += 1
            elif sobra:
                self.entrada.borrar(self.entrada.origen(ruta))
        return dados

    def recoger_sueltas(self) -> int:
        """Da renglón de dudosa a cada imagen guardada que nadie nombra. Raises: Falla."""
        with self._almacen.lectura() as mirada:
            nombradas = tabla.imagenes_nombradas(mirada)
        for _, hecho in self._almacen.hechos_desde(0):
            if isinstance(hecho, Imagen | FueraDeCatalogo):
                nombradas.add(hecho.sha256)
        sueltas = sorted(self._mesa.imagenes.huellas() - nombradas)
        for sha256 in sueltas:
            if self._mesa.imagenes.leer(sha256) is not None:
                self._recoger(sha256)
        return len(sueltas)

    def _recoger(self, sha256: str) -> None:
        ahora = self._mesa.reloj.ahora()
        lote = Lote("suelta", Digitalizacion.ESCANER, "", ahora, 0, 0, "", None)
        with self._almacen.transaccion() as t:
            if (nueva := tabla.recibir(t, lote, 1, f"suelta/{sha256}", ahora)) is None:
                return
            hoja = tabla.hoja_de(t, nueva)
            assert hoja is not None
            _marcar(t, hoja, EstadoDeHoja.DUDOSA, hoja.vista, sha256, Juicio(None, Motivo.SIN_DUENO))
            t.anotar(ahora, "hoja_dudosa", detalle=f"hoja {nueva}: imagen que nadie nombra")

    def _lote_de(self, clave: str) -> Lote:
        with self._almacen.lectura() as mirada:
            lote = tabla.lote_de(mirada, clave)
        # Sin renglón de lote no se sabe quién ni con qué: lo dirá quien la mire.
        return lote or Lote(clave, Digitalizacion.ESCANER, "", self._mesa.reloj.ahora(), 0, 0, "", None)

    def siguiente(self, despues_de: int = 0) -> Hoja | None:
        """La hoja más antigua que falta mirar, después de ésa. Raises: Falla."""
        with self._almacen.lectura() as mirada:
            return tabla.siguiente_recibida(mirada, despues_de)

    def avanzar(self, hoja: Hoja) -> Hoja | None:
        """Anda la cadena de esa hoja y devuelve cómo quedó.

        Raises:
            Falla: la causa física. La hoja sigue esperando: se puede volver a llamar.
        """
        ruta = self.entrada.ruta(hoja.origen)
        if not ruta.is_file():
            return self._sin_imagen(hoja, Motivo.SIN_ARCHIVO)
        visto = self._mirar(ruta)
        self._al_paso("vista")
        if isinstance(visto, Rechazo):
            return self._sin_imagen(hoja, Motivo.IMAGEN_DANADA, visto)
        sha256 = self._mesa.imagenes.guardar(visto.imagen)
        self._al_paso("imagen")
        with self._almacen.transaccion() as t:
            if not self._sigue_recibida(t, hoja):
                return tabla.hoja_de(t, hoja.hoja)
            quedo = self.resolver(t, hoja, visto.vista, sha256, len(visto.imagen))
            self._al_paso("hecho")
        self._al_paso("asentada")
        self.entrada.borrar(hoja.origen)
        self._al_paso("borrado")
        return quedo

    def resolver(self, t: Transaccion, hoja: Hoja, vista: Vista, sha256: str, tamano: int) -> Hoja:
        """Juzga la hoja y la asienta o la deja dudosa, en la transacción abierta. Raises: Falla."""
        ahora = self._mesa.reloj.ahora()
        juicio = self._juicio(t, hoja, vista, sha256)
        if juicio.repetida:
            gemela = tabla.gemela(t, hoja.hoja, sha256)
            detalle = f"es la misma imagen que se digitalizó {juicio.detalle}"
            _marcar(t, hoja, EstadoDeHoja.DESCARTADA, vista, sha256, juicio, detalle)
            t.anotar(
                ahora,
                "hoja_repetida",
                persona=hoja.persona,
                acta=str(juicio.acta or ""),
                detalle=f"hoja {hoja.hoja}" + (f", igual a la {gemela.hoja}" if gemela else ""),
            )
        elif juicio.motivo is None and juicio.acta is not None:
            juicio = self._asentar(t, hoja, juicio, sha256, tamano)
            estado = EstadoDeHoja.ASIGNADA if juicio.motivo is None else EstadoDeHoja.DUDOSA
            _marcar(t, hoja, estado, vista, sha256, juicio)
            if estado is EstadoDeHoja.ASIGNADA and juicio.acta is not None:
                self._retirar_peores(t, hoja, juicio.acta, ahora)
        else:
            _marcar(t, hoja, EstadoDeHoja.DUDOSA, vista, sha256, juicio)
        if juicio.motivo is not None:
            acta = str(juicio.acta or "")
            t.anotar(ahora, "hoja_dudosa", persona=hoja.persona, acta=acta, detalle=_como(hoja, juicio))
        quedo = tabla.hoja_de(t, hoja.hoja)
        assert quedo is not None
        return quedo

    def _juicio(self, t: Transaccion, hoja: Hoja, vista: Vista, sha256: str) -> Juicio:
        gemela = tabla.gemela(t, hoja.hoja, sha256)
        if gemela is not None and hoja.sha256 == "":
            return Juicio(gemela.acta, None, f"a las {gemela.hora:%H:%M}", repetida=True)
        return juzgar(
            vista,
            sha256,
            con_dueno=bool(hoja.persona),
            historia=t.hechos_de,
            pedida=lambda acta: _pedida(t, acta),
        )

    def _asentar(self, t: Transaccion, hoja: Hoja, juicio: Juicio, sha256: str, tamano: int) -> Juicio:
        assert juicio.acta is not None
        try:
            hecha = self._mesa.asentar_imagen(
                t,
                juicio.acta,
                persona=hoja.persona,
                digitalizacion=hoja.digitalizacion,
                sha256=sha256,
                tamano=tamano,
            )
        except HechoInvalido as error:
            return Juicio(juicio.acta, Motivo.NO_SE_ASENTO, str(error))
        if isinstance(hecha, Rechazo):
            return Juicio(juicio.acta, Motivo.NO_SE_ASENTO, hecha.que)
        return juicio

    def _retirar_peores(self, t: Transaccion, hoja: Hoja, acta: IdActa, ahora: datetime) -> None:
        # Se pidió repetir y ya se repitió: la que no se veía bien deja de estorbar sin que nadie la toque.
        for peor in tabla.dudosas_de(t, acta):
            if peor.hoja != hoja.hoja and peor.motivo in (Motivo.CALIDAD, Motivo.NO_ES_EL_ANVERSO):
                detalle = f"se pasó otra vez y quedó bien (hoja {hoja.hoja})"
                _marcar(t, peor, EstadoDeHoja.DESCARTADA, peor.vista, peor.sha256, Juicio(acta, peor.motivo), detalle)
                t.anotar(
                    ahora,
                    "hoja_descartada",
                    persona=hoja.persona,
                    acta=str(acta),
                    detalle=f"hoja {peor.hoja}: {detalle}",
                )

    def _sin_imagen(self, hoja: Hoja, motivo: Motivo, rechazo: Rechazo | None = None) -> Hoja | None:
        # El archivo se queda en la entrada hasta que una persona decida: es lo único que hay de esa hoja.
        detalle = rechazo.que if rechazo else ""
        with self._almacen.transaccion() as t:
            if self._sigue_recibida(t, hoja):
                juicio = Juicio(None, motivo, detalle)
                _marcar(t, hoja, EstadoDeHoja.DUDOSA, hoja.vista, "", juicio)
                ahora = self._mesa.reloj.ahora()
                t.anotar(ahora, "hoja_dudosa", persona=hoja.persona, detalle=_como(hoja, juicio))
                self._al_paso("hecho")
            quedo = tabla.hoja_de(t, hoja.hoja)
        self._al_paso("asentada")
        return quedo

    @staticmethod
    def _sigue_recibida(t: Transaccion, hoja: Hoja) -> bool:
        ahora = tabla.hoja_de(t, hoja.hoja)
        return ahora is not None and ahora.estado is EstadoDeHoja.RECIBIDA


def _pedida(t: Transaccion, acta: IdActa) -> bool:
    fila = t.conexion.execute(
        "SELECT sha256 FROM redigitalizar WHERE eleccion = ? AND casilla = ?", (acta.eleccion, acta.casilla)
    ).fetchone()
    return fila is not None and fila[0] == imagen_de(t.hechos_de(acta))


def _como(hoja: Hoja, juicio: Juicio) -> str:
    motivo = juicio.motivo.value if juicio.motivo else ""
    return f"hoja {hoja.hoja}: {motivo} {juicio.detalle}".rstrip()


def _marcar(
    t: Transaccion, hoja: Hoja, estado: EstadoDeHoja, vista: Vista, sha256: str, juicio: Juicio, detalle: str = ""
) -> None:
    tabla.escribir(
        t,
        hoja,
        estado=estado,
        vista=vista,
        sha256=sha256,
        acta=juicio.acta,
        motivo=juicio.motivo,
        detalle=detalle or juicio.detalle,
    )
