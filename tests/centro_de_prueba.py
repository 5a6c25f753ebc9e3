"""Un centro mínimo para probar el enlace: guarda lo que llega y firma acuses. Cincuenta renglones, nada de SQLite."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime

from joserfc.jwk import ECKey

from appliance.enlace.transporte import EnlaceCaido, Transporte
from nucleo.acuse import MAXIMO_SUELTOS, Acuse, Apartado, sellar_acuse
from nucleo.latido import Latido, abrir_latido
from nucleo.sobre import CADENA_NUEVA, SobreInvalido, Tipo, abrir, firmar_con, huella
from nucleo.temas import Carril, Tema, filtro_del_centro, leer_tema


class Centro:
    """Acepta los hechos de un equipo, salvo los que `rechaza` diga, y contesta con acuses firmados."""

    def __init__(self, ambito: str, llave_kiosco: ECKey) -> None:
        self.llave = ECKey.generate_key("P-256", private=True)
        self.publica = ECKey.import_key(self.llave.as_dict(private=False))
        self.ambito = ambito
        self.hechos: dict[int, str] = {}
        """secuencia → huella."""
        self.recibidos: list[int] = []
        self.latidos: list[Latido] = []
        self.rechaza: Callable[[int], str | None] = lambda _: None
        """Código con que se aparta esa secuencia; "" la deja sin juzgar (transitoria); `None` la acepta."""
        self.mudo = False
        self._apartados: dict[str, str] = {}
        self._llave_kiosco = llave_kiosco
        self._parar = threading.Event()
        self._hilo: threading.Thread | None = None

    @property
    def identidad(self) -> str:
        return "centro"

    def firmar(self, tipo: Tipo, carga: bytes) -> str:
        return firmar_con(self.llave, "centro", tipo, carga)

    def acuse(self, equipo: str, epoca: str, hasta: int = 0) -> str:
        """El acuse de este momento; `hasta` es la última secuencia que el kiosco dice tener."""
        contiguo = 0
        while contiguo + 1 in self.hechos:
            contiguo += 1
        sueltos = tuple((s, h) for s, h in sorted(self.hechos.items()) if s > contiguo)[:MAXIMO_SUELTOS]
        faltan = ((contiguo + 1, hasta),) if hasta > contiguo and not sueltos else ()
        apartados = tuple(Apartado(h, c) for h, c in self._apartados.items())[:16]
        huella_contiguo = self.hechos.get(contiguo, CADENA_NUEVA)
        acuse = Acuse(equipo, epoca, contiguo, huella_contiguo, sueltos, faltan, apartados, datetime.now(UTC))
        return sellar_acuse(acuse, self)

    def atender(self, tema: str, carga: bytes) -> tuple[str, str] | None:
        """Procesa un mensaje y devuelve (tema, acuse), si lo hay."""
        origen = leer_tema(tema)
        compacto = carga.decode()
        try:
            if origen.carril is Carril.LATIDO:
                latido = abrir_latido(compacto, self._llave_kiosco)
                self.latidos.append(latido)
                epoca, hasta = latido.epoca, latido.secuencia
            else:
                sobre = abrir(compacto, self._llave_kiosco)
                self.recibidos.append(sobre.secuencia)
                epoca, hasta = sobre.epoca, 0
                codigo = self.rechaza(sobre.secuencia)
                if codigo is None:
                    self.hechos.setdefault(sobre.secuencia, huella(compacto))
                elif codigo:
                    self._apartados[huella(compacto)] = codigo
        except SobreInvalido:
            return None
        if self.mudo:
            return None
        return str(Tema(self.ambito, origen.equipo, Carril.ACUSE)), self.acuse(origen.equipo, epoca, hasta)

    # ------------------------------------------------------------------------------------------------------- con la red

    def correr(self, fabrica: Callable[[], Transporte]) -> None:
        """Atiende en un hilo, reconectando, hasta `detener`."""
        self._parar.clear()
        self._hilo = threading.Thread(target=self._ciclo, args=(fabrica,), daemon=True)
        self._hilo.start()

    def detener(self) -> None:
        self._parar.set()
        if self._hilo is not None:
            self._hilo.join(timeout=15)

    def _ciclo(self, fabrica: Callable[[], Transporte]) -> None:
        while not self._parar.is_set():
            transporte = fabrica()
            try:
                transporte.conectar()
                for carril in (Carril.HECHOS, Carril.LATIDO):
                    transporte.suscribir(filtro_del_centro(self.ambito, carril))
                while not self._parar.is_set():
                    respuestas: dict[str, str] = {}
                    for mensaje in transporte.bombear(0.02):
                        respuesta = self.atender(mensaje.tema, mensaje.carga)
                        if respuesta:
                            respuestas[respuesta[0]] = respuesta[1]
                    for tema, acuse in respuestas.items():
                        while not transporte.publicar(tema, acuse.encode()):
                            transporte.bombear(0.01)
            except EnlaceCaido:
                self._parar.wait(0.1)
            finally:
                transporte.cerrar()
