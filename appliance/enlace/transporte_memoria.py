"""Un bróker y su transporte en memoria, para ensayar el enlace sin red y con el reloj que se quiera.

Cumple la misma batería de contrato que el real (`tests/contrato/test_transporte.py`), y además sabe perder mensajes.
"""

from __future__ import annotations

from collections.abc import Callable

from appliance.enlace.transporte import EN_VUELO, EnlaceCaido, Mensaje, Testamento


class BrokerEnMemoria:
    """Reparte cada mensaje a quienes estén suscritos en ese momento; no guarda nada."""

    def __init__(self) -> None:
        self.levantado = True
        self.pierde: Callable[[str], bool] = lambda _tema: False
        """Si el mensaje de ese tema se toma (PUBACK) y se pierde."""
        self._clientes: list[TransporteEnMemoria] = []

    def repartir(self, tema: str, carga: bytes) -> None:
        if self.pierde(tema):
            return
        for cliente in self._clientes:
            if any(_coincide(filtro, tema) for filtro in cliente.filtros):
                cliente.recibidos.append(Mensaje(tema, carga))

    def caer(self) -> None:
        """El bróker muere: todas las conexiones se rompen y nadie publica testamentos."""
        self.levantado = False
        self._clientes.clear()

    def conectado(self, cliente: TransporteEnMemoria) -> bool:
        return cliente in self._clientes

    def entrar(self, cliente: TransporteEnMemoria) -> None:
        if not self.levantado:
            raise EnlaceCaido("nadie atiende ese puerto; el bróker no está levantado")
        self._clientes.append(cliente)

    def salir(self, cliente: TransporteEnMemoria, *, despedida: bool) -> None:
        """Quita al cliente; si no se despidió, publica su testamento."""
        if cliente in self._clientes:
            self._clientes.remove(cliente)
            if not despedida and cliente.testamento is not None:
                self.repartir(cliente.testamento.tema, cliente.testamento.carga)


class TransporteEnMemoria:
    """Una conexión a un `BrokerEnMemoria`. `esperar` es lo que hace `bombear` con su plazo; por omisión, nada."""

    def __init__(
        self,
        broker: BrokerEnMemoria,
        testamento: Testamento | None = None,
        esperar: Callable[[float], None] = lambda _: None,
    ) -> None:
        self.testamento = testamento
        self.filtros: list[str] = []
        self.recibidos: list[Mensaje] = []
        self._broker = broker
        self._esperar = esperar
        self._en_vuelo: list[int] = []
        """Bytes de cada mensaje."""

    def conectar(self) -> None:
        self._broker.entrar(self)

    def suscribir(self, *temas: str) -> None:
        self._exigir()
        self.filtros += temas

    def publicar(self, tema: str, carga: bytes) -> bool:
        self._exigir()
        if len(self._en_vuelo) >= EN_VUELO:
            return False
        self._en_vuelo.append(len(carga))
        self._broker.repartir(tema, carga)
        return True

    def en_vuelo(self) -> int:
        return sum(self._en_vuelo)

    def bombear(self, segundos: float) -> list[Mensaje]:
        self._esperar(segundos)
        self._exigir()
        self._en_vuelo.clear()
        recibidos, self.recibidos = self.recibidos, []
        return recibidos

    def cerrar(self) -> None:
        self._broker.salir(self, despedida=True)

    def romper(self) -> None:
        """La conexión muere sin despedirse."""
        self._broker.salir(self, despedida=False)

    def _exigir(self) -> None:
        if not self._broker.conectado(self):
            raise EnlaceCaido("se perdió la conexión con el bróker")


def _coincide(filtro: str, tema: str) -> bool:
    niveles, partes = filtro.split("/"), tema.split("/")
    return len(niveles) == len(partes) and all(n in ("+", p) for n, p in zip(niveles, partes, strict=True))
