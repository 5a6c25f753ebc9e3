"""El ciclo del enlace: conectar, oír al centro, mandar lo que falta, y volver a empezar si algo se cae.

```
DESCONECTADO ▶ conectar ▶ suscribir baja/acuse ▶ latido de nacimiento ▶ esperar el acuse ▶ ENVIANDO
      ▲                                                                                      │
      └──────────── cualquier tropiezo: espera al azar que crece, y conexión nueva ◀─────────┘
```

Nada se manda antes de que el centro conteste: así es él quien marca el paso cuando cientos vuelven a la vez.
"""

from __future__ import annotations

import random
import secrets
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from joserfc.jwk import ECKey

from appliance.almacen import Almacen
from appliance.bandeja import Veredicto
from appliance.candado import Candado
from appliance.consola import decir
from appliance.enlace.envio import Envio
from appliance.enlace.transporte import EnlaceCaido, Fabrica, Mensaje, Testamento, Transporte
from appliance.falla import Falla
from appliance.identidad import Identidad
from appliance.reloj import Reloj, hora_creible
from nucleo.acuse import Acuse, abrir_acuse
from nucleo.latido import Latido, sellar_latido
from nucleo.sobre import Firmante, SobreInvalido
from nucleo.temas import Carril, Tema, ambito_de


@dataclass(frozen=True, slots=True)
class Ajustes:
    """Tiempos del enlace, en segundos."""

    ventana: int = 48
    """Sobres sin acuse que pueden ir en camino."""
    latido_s: float = 15.0
    rto_s: float = 2.0
    """Cuánto se espera el acuse de un sobre antes de repetirlo; se dobla hasta `rto_maximo_s`."""
    rto_maximo_s: float = 20.0
    lento_s: float = 30.0
    """Cada cuánto se reintenta lo apartado o rezagado."""
    base_s: float = 0.5
    """Primera espera de reconexión (azar entre cero y ésta); se dobla hasta `tope_s`."""
    tope_s: float = 30.0
    sondeo_s: float = 0.05
    """Cada cuánto se mira si hay hechos nuevos."""
    silencio_s: float = 60.0
    """Sin un solo acuse en este tiempo, la conexión se da por muerta."""


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
        self._contestado = False
        self._alarma = almacen.resumen().alarma
        ambito = ambito_de(identidad.modo, proceso)
        self._tema_hechos = str(Tema(ambito, identidad.equipo, Carril.HECHOS))
        self._tema_latido = str(Tema(ambito, identidad.equipo, Carril.LATIDO))
        self._tema_acuse = str(Tema(ambito, identidad.equipo, Carril.ACUSE))

    def correr(self) -> None:
        """Conecta, atiende y vuelve a conectar hasta que `parar` sea cierto."""
        fallidas = 0
        while not self.parar:
            self._contestado = False
            try:
                self._una_conexion()
            except (EnlaceCaido, Falla) as causa:
                fallidas = 1 if self._contestado else fallidas + 1
                tope = min(self._ajustes.tope_s, self._ajustes.base_s * 2.0 ** min(fallidas - 1, 10))
                espera = self._azar.uniform(0.0, tope)
                self._log("sin enlace", causa=causa, espera_s=f"{espera:.2f}")
                self._esperar(espera)

    def cerrar(self) -> None:
        """Suelta el almacén y la carpeta."""
        self.almacen.desconectar()
        if self._candado is not None:
            self._candado.soltar()

    def _una_conexion(self) -> None:
        sesion = secrets.token_hex(8)
        transporte = self._fabrica(Testamento(self._tema_latido, self._latido(sesion, "muerte")))
        try:
            transporte.conectar()
            transporte.suscribir(self._tema_acuse)
            transporte.publicar(self._tema_latido, self._latido(sesion, "nacimiento"))
            self._log("conectado", sesion=sesion)
            self._atender(transporte, sesion)
            transporte.publicar(self._tema_latido, self._latido(sesion, "muerte"))
            transporte.bombear(0.2)
        finally:
            transporte.cerrar()

    def _atender(self, transporte: Transporte, sesion: str) -> None:
        a = self._ajustes
        envio = Envio(
            self.almacen,
            ventana=a.ventana,
            rto_s=a.rto_s,
            rto_maximo_s=a.rto_maximo_s,
            lento_s=a.lento_s,
            azar=self._azar,
        )
        vista, latido, oido = -1, self._cronometro(), self._cronometro()
        while not self.parar:
            acuse = self._recibir(transporte.bombear(a.sondeo_s))
            ahora = self._cronometro()
            if acuse is not None:
                oido, vista = ahora, -1
                envio.pedir(acuse.faltan)
            ultima = self.almacen.ultimo().secuencia
            if ultima != vista:
                vista = ultima
                envio.releer()
            if self._contestado:
                envio.mandar(ahora, lambda sobre: transporte.publicar(self._tema_hechos, sobre.encode()))
            if ahora - latido >= a.latido_s and transporte.publicar(self._tema_latido, self._latido(sesion, "pulso")):
                latido = ahora
            if ahora - oido > a.silencio_s:
                raise EnlaceCaido(f"el centro no contesta desde hace {a.silencio_s:.0f} s")

    def _recibir(self, mensajes: Sequence[Mensaje]) -> Acuse | None:
        """Aplica el último acuse válido de los recibidos: es acumulativo y los anteriores no dicen más."""
        acuses = [acuse for m in mensajes if (acuse := self._leer(m)) is not None]
        if not acuses:
            return None
        acuse = acuses[-1]
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
        if resultado is not None and resultado.apartados:
            self._log("el centro apartó sobres", cuantos=resultado.apartados)
        return acuse

    def _leer(self, mensaje: Mensaje) -> Acuse | None:
        if mensaje.tema != self._tema_acuse:
            return None
        try:
            return abrir_acuse(mensaje.carga.decode("ascii"), self._llave_centro)
        except (SobreInvalido, UnicodeDecodeError) as error:
            self._log("acuse ilegible", causa=error)
            return None

    # ---------------------------------------------------------------------------------------------------------- adentro

    def _latido(self, sesion: str, motivo: str) -> bytes:
        bandeja = self.almacen.resumen()
        latido = Latido(
            equipo=self._identidad.equipo,
            catd=self._identidad.catd,
            epoca=self._identidad.epoca,
            sesion=sesion,
            motivo=motivo,
            secuencia=bandeja.secuencia,
            huella=bandeja.huella,
            pendientes=bandeja.pendientes,
            apartados=bandeja.apartados,
            hora=hora_creible(self._reloj).isoformat(),
            reloj=self._reloj.calidad(),
            disco_libre=shutil.disk_usage(self.almacen.ruta.parent).free,
            version=self._version,
        )
        return sellar_latido(latido, self._firmante).encode()

    def _esperar(self, segundos: float) -> None:
        # A trozos, para que SIGTERM no espere hasta medio minuto.
        hasta = self._cronometro() + segundos
        while not self.parar and (falta := hasta - self._cronometro()) > 0:
            self._dormir(min(falta, 0.2))

    def _log(self, evento: str, **datos: object) -> None:
        detalle = " ".join(f"{llave}={valor}" for llave, valor in datos.items())
        hora = self._reloj.ahora().strftime("%H:%M:%S.%f")[:-3]
        self._decir(f"{hora} · {self._identidad.equipo} · {evento} · {detalle}")
