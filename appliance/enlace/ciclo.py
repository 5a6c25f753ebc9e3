"""El ciclo del enlace: conectar, oír al centro, mandar lo que falta, y volver a empezar si algo se cae.

```
DESCONECTADO ▶ conectar ▶ suscribir baja/acuse ▶ latido de nacimiento ▶ esperar el acuse ▶ ENVIANDO
      ▲                                                                                      │
      └──────────── cualquier tropiezo: espera al azar que crece, y conexión nueva ◀─────────┘
```

Nada se manda antes de que el centro conteste: así es él quien marca el paso cuando cientos vuelven a la vez.
"""

from __future__ import annotations

import contextlib
import random
import secrets
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial

from joserfc.jwk import ECKey

from appliance import bandeja, situacion
from appliance.almacen import Almacen
from appliance.bandeja import Veredicto
from appliance.candado import Candado
from appliance.consola import decir
from appliance.enlace.ajustes import SOLO_CIFRAS, Ajustes, Alrededor
from appliance.enlace.aviso_de_reloj import AvisoDeReloj
from appliance.enlace.carril_de_ordenes import CarrilDeOrdenes
from appliance.enlace.desfase import Desfase
from appliance.enlace.envio import Envio
from appliance.enlace.imagenes_por_enviar import ImagenesPorEnviar
from appliance.enlace.lo_dudoso import LoDudoso
from appliance.enlace.presupuesto import EnAlmacen, Presupuesto
from appliance.enlace.rechazos import Rechazos
from appliance.enlace.transporte import EnlaceCaido, Fabrica, Mensaje, Testamento, Transporte
from appliance.falla import Falla
from appliance.identidad import Identidad
from appliance.imagenes_declaradas import ORDEN, PAUSA, PRESUPUESTO
from appliance.reloj import VIRTUAL, Reloj, hora_creible
from nucleo.acuse import Acuse, abrir_acuse
from nucleo.latido import Latido, sellar_latido
from nucleo.recibo import abrir_recibo
from nucleo.sobre import Firmante, SobreInvalido
from nucleo.temas import Carril, Tema, ambito_de

__all__ = ("Ajustes", "Alrededor", "Enlace")


class Enlace:
    """El ciclo de conexión. Todo lo real (red, reloj, azar, espera) le llega de fuera."""

    def __init__(
        self,
        *,
        almacen: Almacen,
        identidad: Identidad,
        proceso: str,
        firmante: Firmante,
        llave_centro: ECKey,
        reloj: Reloj,
        version: str,
        fabrica: Fabrica,
        ajustes: Ajustes,
        cronometro: Callable[[], float] = time.monotonic,
        dormir: Callable[[float], None] = time.sleep,
        azar: random.Random | None = None,
        decir: Callable[[str], None] = decir,
        candado: Candado | None = None,
        alrededor: Alrededor = SOLO_CIFRAS,
        ordenes: CarrilDeOrdenes | None = None,
    ) -> None:
        self.almacen = almacen
        self.parar = False
        self._identidad = identidad
        self._firmante = firmante
        self._llave_centro = llave_centro
        self._reloj = reloj
        self._version = version
        self._fabrica = fabrica
        self._ajustes = ajustes
        self._cronometro = cronometro
        self._dormir = dormir
        self._azar = azar or random.Random()
        self._decir = decir
        self._candado = candado
        self._alrededor = alrededor
        self._ordenes = ordenes
        self._desfase = Desfase()
        self._aviso_de_reloj = AvisoDeReloj(almacen)
        self._rechazos = Rechazos(almacen, self._azar, cronometro)
        self._presupuesto = Presupuesto(
            EnAlmacen(almacen), ajustes.tope, alrededor.salida, reloj.ahora, alrededor.contador
        )
        self._pausa = almacen.resumen_de_imagenes().pausa
        self._contestado = False
        self._en_duda: tuple[int, ...] = ()
        self._alarma = almacen.resumen().alarma
        ambito = ambito_de(identidad.modo, proceso)
        self._temas = {carril: str(Tema(ambito, identidad.equipo, carril)) for carril in Carril}
        self._tema_acuse = self._temas[Carril.ACUSE]

    def correr(self) -> None:
        """Conecta, atiende y vuelve a conectar hasta que `parar` sea cierto."""
        for _ in self.pasos():
            pass

    def pasos(self) -> Iterator[float]:
        """El mismo ciclo, paso a paso: antes de cada espera dice cuántos segundos puede durar.

        Así el laboratorio (`docs/laboratorio.md`) corre cientos de enlaces en un solo hilo y con otro reloj.
        """
        fallidas = 0
        while not self.parar:
            self._contestado = False
            try:
                yield from self._una_conexion()
            except (EnlaceCaido, Falla) as causa:
                fallidas = 1 if self._contestado else fallidas + 1
                tope = min(self._ajustes.tope_s, self._ajustes.base_s * 2.0 ** min(fallidas - 1, 10))
                espera = self._azar.uniform(0.0, tope) + self._rechazos.espera(causa)
                self._log("sin enlace", causa=causa, espera_s=f"{espera:.2f}")
                yield from self._esperar(espera)

    def cerrar(self) -> None:
        """Suelta el almacén y la carpeta."""
        self.almacen.desconectar()
        if self._candado is not None:
            self._candado.soltar()

    def _una_conexion(self) -> Iterator[float]:
        sesion = secrets.token_hex(8)
        transporte = self._fabrica(Testamento(self._temas[Carril.LATIDO], self._latido(sesion, "muerte")))
        try:
            transporte.conectar()
            ordenes = self._ordenes.temas if self._ordenes is not None else ()
            transporte.suscribir(self._tema_acuse, self._temas[Carril.RECIBO], *ordenes)
            self._latir(transporte, sesion, "nacimiento")
            self._log("conectado", sesion=sesion)
            yield from self._atender(transporte, sesion)
            self._latir(transporte, sesion, "muerte")
            transporte.bombear(0.2)
        finally:
            transporte.cerrar()

    def _atender(self, transporte: Transporte, sesion: str) -> Iterator[float]:
        a = self._ajustes
        envio = Envio(
            self.almacen,
            ventana=a.ventana,
            rto_s=a.rto_s,
            rto_maximo_s=a.rto_maximo_s,
            lento_s=a.lento_s,
            azar=self._azar,
        )
        imagenes = self._imagenes_por_enviar()
        dudoso = LoDudoso(a.lento_s)
        vista, latido, oido = -1, self._cronometro(), self._cronometro()
        insiste_s = a.rto_s
        while not self.parar:
            yield a.sondeo_s
            mensajes = transporte.bombear(a.sondeo_s)
            acuse = self._recibir(mensajes)
            ahora = self._cronometro()
            self._recibir_recibos(mensajes, imagenes, ahora)
            self._recibir_ordenes(mensajes, acuse, envio, ahora)
            if acuse is not None:
                oido, vista = ahora, -1
                envio.pedir([*acuse.faltan, *dudoso.toca(self._en_duda, ahora)])
                if imagenes is not None:
                    imagenes.releer()
            ultima = self.almacen.ultimo().secuencia
            if ultima != vista:
                vista = ultima
                envio.releer()
            if self._contestado:
                envio.mandar(ahora, lambda sobre: self._publicar(transporte, Carril.HECHOS, sobre.encode()))
                # Las cifras, siempre primero: mientras quede una por mandar no sale un trozo más.
                if imagenes is not None and not envio.hay_por_mandar(ahora):
                    self._mandar_imagenes(transporte, imagenes, ahora)
            # Si el bróker se cayó, quien vuelve antes que el centro nace donde nadie oye: insiste sin esperar al pulso.
            cada_s = a.latido_s if self._contestado else min(insiste_s, a.latido_s)
            toca = ahora - latido >= cada_s or (self._ordenes is not None and self._ordenes.urge_latir(ahora))
            if toca and self._latir(transporte, sesion, "pulso"):
                latido = ahora
                insiste_s *= 1.0 if self._contestado else self._azar.uniform(1.5, 2.5)
                if self._ordenes is not None:
                    self._ordenes.latio(ahora)
            if ahora - oido > a.silencio_s:
                raise EnlaceCaido(f"el centro no contesta desde hace {a.silencio_s:.0f} s")

    def _recibir_ordenes(self, mensajes: Sequence[Mensaje], acuse: Acuse | None, envio: Envio, ahora: float) -> None:
        if self._ordenes is None:
            return
        if acuse is not None:
            self._ordenes.oir(acuse.hora, ahora)
        try:
            self._ordenes.recibir(mensajes, ahora)
        except Falla as falla:
            # Sin disco no se obedece; el centro la repite, y las cifras deben seguir saliendo.
            self._log("orden sin guardar", causa=falla)
        if self._ordenes.reenviar_desde:
            self._ordenes.reenviar_desde = envio.reenviar(self._ordenes.reenviar_desde)

    def _recibir(self, mensajes: Sequence[Mensaje]) -> Acuse | None:
        """Aplica el último acuse válido de los recibidos: es acumulativo y los anteriores no dicen más."""
        acuses = [acuse for m in mensajes if (acuse := self._leer(m)) is not None]
        if not acuses:
            return None
        acuse = acuses[-1]
        self._desfase.contesto(acuse.hora, self._reloj.ahora())
        self._aviso_de_reloj.revisar(self._desfase.milisegundos(), self._reloj.calidad())
        try:
            resultado = self.almacen.cerrar(acuse, datetime.now(UTC))
        except Falla as falla:
            # Con el disco lleno no se cierra nada, pero lo pendiente debe seguir saliendo.
            self._log("acuse sin guardar", causa=falla)
            resultado = None
        if resultado is not None and resultado.veredicto is Veredicto.AJENO:
            self._log("acuse ajeno", epoca=acuse.epoca)
            return None
        if resultado is not None and resultado.veredicto in (Veredicto.BIFURCADO, Veredicto.RETROCEDIDO):
            if self._alarma != resultado.veredicto.value:
                self._log("ALARMA", veredicto=resultado.veredicto.value, contiguo=acuse.contiguo)
            self._alarma = resultado.veredicto.value
        if not self._contestado:
            self._log("el centro contesta", contiguo=acuse.contiguo)
            self._contestado = True
            self._rechazos.entro()
        self._en_duda = resultado.en_duda if resultado is not None else ()
        if resultado is not None and resultado.apartados:
            self._log("el centro apartó sobres", cuantos=resultado.apartados)
        return acuse

    def _leer(self, mensaje: Mensaje) -> Acuse | None:
        if mensaje.tema != self._tema_acuse:
            return None
        self._contar(Carril.ACUSE, mensaje.carga)
        try:
            return abrir_acuse(mensaje.carga.decode("ascii"), self._llave_centro)
        except (SobreInvalido, UnicodeDecodeError) as error:
            self._log("acuse ilegible", causa=error)
            return None

    # --------------------------------------------------------------------------------------------------------- imágenes

    def _imagenes_por_enviar(self) -> ImagenesPorEnviar | None:
        if self._alrededor.imagenes is None:
            return None
        return ImagenesPorEnviar(
            self.almacen,
            self._alrededor.imagenes,
            rto_s=self._ajustes.rto_s,
            rto_maximo_s=self._ajustes.rto_maximo_s,
            lento_s=self._ajustes.lento_s,
            azar=self._azar,
            permitidas=lambda: not self._pausa,
        )

    def _mandar_imagenes(self, transporte: Transporte, imagenes: ImagenesPorEnviar, ahora: float) -> None:
        try:
            self._revisar_pausa()
            publicar = partial(self._publicar, transporte, Carril.IMAGEN)
            imagenes.mandar(ahora, transporte.en_vuelo(), publicar)
        except Falla as falla:
            # Con el disco lleno tampoco se anota qué pasó con una imagen; las cifras siguen.
            self._log("imágenes sin mandar", causa=falla)
            imagenes.descansar(ahora)

    def _revisar_pausa(self) -> None:
        """Por qué no se mandan imágenes, a la vista de las pantallas. Raises: Falla."""
        pausa = "" if self._presupuesto.alcanza_para_imagenes() else PRESUPUESTO
        pausa = pausa if self._alrededor.imagenes_permitidas() else ORDEN
        if pausa == self._pausa:
            return
        with self.almacen.transaccion() as t:
            situacion.poner(t.conexion, PAUSA, pausa)
            t.anotar(datetime.now(UTC), "imagenes_en_pausa" if pausa else "imagenes_siguen", detalle=pausa)
        self._pausa = pausa
        self._log("imágenes en pausa" if pausa else "imágenes siguen", causa=pausa)

    def _recibir_recibos(self, mensajes: Sequence[Mensaje], imagenes: ImagenesPorEnviar | None, ahora: float) -> None:
        for mensaje in mensajes:
            if mensaje.tema != self._temas[Carril.RECIBO]:
                continue
            self._contar(Carril.RECIBO, mensaje.carga)
            try:
                recibo = abrir_recibo(mensaje.carga.decode("ascii"), self._llave_centro)
            except (SobreInvalido, UnicodeDecodeError) as error:
                self._log("recibo ilegible", causa=error)
                continue
            if (recibo.equipo, recibo.epoca) != (self._identidad.equipo, self._identidad.epoca):
                self._log("recibo ajeno", epoca=recibo.epoca)
                continue
            guardado = True
            try:
                self.almacen.recibir(recibo, datetime.now(UTC))
            except Falla as falla:
                # Lo que no se pudo anotar no se da por entregado: se volverá a preguntar.
                self._log("recibo sin guardar", causa=falla)
                guardado = False
            if imagenes is not None:
                imagenes.recibir(recibo, ahora, guardado=guardado)

    # ---------------------------------------------------------------------------------------------------------- adentro

    def _publicar(self, transporte: Transporte, carril: Carril, carga: bytes) -> bool:
        salio = transporte.publicar(self._temas[carril], carga)
        if salio:
            self._contar(carril, carga)
        return salio

    def _contar(self, carril: Carril, carga: bytes) -> None:
        # Si no se pudo anotar, sigue contado en memoria.
        with contextlib.suppress(Falla):
            self._presupuesto.contar(carril, len(carga))

    def _latir(self, transporte: Transporte, sesion: str, motivo: str) -> bool:
        hora = self._reloj.ahora()
        if not self._publicar(transporte, Carril.LATIDO, self._latido(sesion, motivo)):
            return False
        self._desfase.mande(hora)
        with contextlib.suppress(Falla):
            self._presupuesto.guardar()
        return True

    def _latido(self, sesion: str, motivo: str) -> bytes:
        resumen, imagenes = self.almacen.resumen(), self.almacen.resumen_de_imagenes()
        hora, calidad = hora_creible(self._reloj), self._reloj.calidad()
        with self.almacen.lectura() as mirada:
            mas_viejo_s = bandeja.mas_viejo(mirada.conexion, hora, calidad)
        latido = Latido(
            equipo=self._identidad.equipo,
            catd=self._identidad.catd,
            epoca=self._identidad.epoca,
            sesion=sesion,
            motivo=motivo,
            secuencia=resumen.secuencia,
            huella=resumen.huella,
            pendientes=resumen.pendientes,
            apartados=resumen.apartados,
            hora=hora.isoformat(),
            reloj=calidad,
            disco_libre=shutil.disk_usage(self.almacen.ruta.parent).free,
            version=self._version,
            mas_viejo_s=mas_viejo_s,
            imagenes=imagenes.pendientes + imagenes.apartadas,
            imagenes_bytes=imagenes.bytes,
            desfase_ms=0 if calidad == VIRTUAL else self._desfase.milisegundos(),
            salida=self._alrededor.salida(),
            medidos_bytes=self._presupuesto.medidos(),
            escaner=self._alrededor.escaner(),
            definicion=self._alrededor.definicion,
            **(self._ordenes.para_el_latido() if self._ordenes is not None else {}),
        )
        return sellar_latido(latido, self._firmante).encode()

    def _esperar(self, segundos: float) -> Iterator[float]:
        # A trozos, para que SIGTERM no espere hasta medio minuto.
        hasta = self._cronometro() + segundos
        while not self.parar and (falta := hasta - self._cronometro()) > 0:
            paso = min(falta, 0.2)
            yield paso
            self._dormir(paso)

    def _log(self, evento: str, **datos: object) -> None:
        detalle = " ".join(f"{llave}={valor}" for llave, valor in datos.items())
        hora = self._reloj.ahora().strftime("%H:%M:%S.%f")[:-3]
        self._decir(f"{hora} · {self._identidad.equipo} · {evento} · {detalle}")
