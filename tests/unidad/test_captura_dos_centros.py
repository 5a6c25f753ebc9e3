"""Dos kioscos que no se hablan trabajan la misma acta, con relojes que no coinciden, y el centro junta lo que llega.

Máquina de estados de hypothesis: cada quien sólo hace acciones ordinarias con `paso`; lo demás se comprueba contra el
modelo sombra.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from nucleo.acta import COMPLEMENTARIOS, MotivoSinActa, asentado_de_campos
from nucleo.campo import ILEGIBLE, Campo, Numero
from nucleo.captura import (
    Accion,
    Capturar,
    Corregir,
    DeclararSinActa,
    Discrepante,
    EnRevision,
    Estado,
    PedirRecaptura,
    Revisar,
    Soltar,
    Tomada,
    Tomar,
    Verificada,
    estado_de,
    paso,
    ultima_verificada,
)
from nucleo.hechos import Captura, Correccion, HechoDeActa, IdActa
from nucleo.problema import Rechazo
from tests.sombra_captura import resumen, sombra

ACTA = IdActa("GUB", "200001B0100")
RENGLONES = ("PAN", "MC")
PAPEL: dict[str, Campo] = {"PAN": Numero(5), "MC": Numero(7), **dict.fromkeys(COMPLEMENTARIOS, Numero(1))}
GENTE = (("ana", "beto", "caro", "dino"), ("eva", "fito", "gala", "hugo"))
ERRATAS: tuple[Campo, ...] = (Numero(5), Numero(7), Numero(6), ILEGIBLE)
kioscos = st.sampled_from((0, 1))
quienes = st.integers(0, 3)
erratas = st.dictionaries(st.sampled_from(RENGLONES), st.sampled_from(ERRATAS), max_size=2)


class DosCentros(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.historias: tuple[list[HechoDeActa], list[HechoDeActa]] = ([], [])
        self.tomadas: list[Tomada | None] = [None, None]
        self.llegaron: list[HechoDeActa] = []
        self.minuto = 0

    def hora(self, kiosco: int) -> datetime:
        # El reloj del segundo kiosco atrasa hora y media; los segundos hacen que dos hechos nunca coincidan.
        self.minuto += 1
        return datetime(2022, 6, 6, 2, tzinfo=UTC) + timedelta(minutes=self.minuto - 90 * kiosco, seconds=kiosco)

    def hace(self, kiosco: int, accion: Accion) -> Estado | None:
        historia = self.historias[kiosco]
        estado = self.tomadas[kiosco] or estado_de(historia)
        resultado = paso(ACTA, RENGLONES, estado, historia, accion)
        if isinstance(resultado, Rechazo):
            assert all((resultado.que, resultado.causa, resultado.siguiente))
            return None
        if resultado.hechos:
            historia += resultado.hechos
            assert resultado.estado == estado_de(historia)
            assert resumen(resultado.estado) != resumen(estado_de(historia[:-1])), "la acción no sirvió de nada"
        self.tomadas[kiosco] = resultado.estado if isinstance(resultado.estado, Tomada) else None
        return resultado.estado

    @rule(kiosco=kioscos, quien=quienes)
    def tomar(self, kiosco: int, quien: int) -> None:
        persona = GENTE[kiosco][quien]
        if self.hace(kiosco, Tomar(persona, self.hora(kiosco))) is not None:
            tomada = self.tomadas[kiosco]
            assert tomada is not None
            vuelta = tomada.libre.vuelta
            ya_leyeron = {h.persona for h in self.historias[kiosco] if isinstance(h, Captura) and h.vuelta == vuelta}
            # Quien la leyó en una vuelta anterior sí puede: en ésta se vuelve a leer desde la imagen.
            if isinstance(tomada.libre, Discrepante):
                assert persona not in ya_leyeron

    @rule(kiosco=kioscos, fallas=erratas)
    def terminar(self, kiosco: int, fallas: dict[str, Campo]) -> None:
        tomada = self.tomadas[kiosco]
        if tomada is None:
            return
        # Quien transcribe sólo sabe qué campos se le piden; nunca lo que leyó otra persona.
        lee = PAPEL | fallas
        hora, persona = self.hora(kiosco), tomada.persona
        if isinstance(tomada.libre, Discrepante):
            hecha = self.hace(kiosco, Corregir(persona, hora, {c: lee[c] for c in tomada.libre.campos}))
        else:
            hecha = self.hace(kiosco, Capturar(persona, hora, asentado_de_campos(lee)))
        assert hecha is not None

    @rule(kiosco=kioscos, quien=quienes, fallas=erratas)
    def transcribir(self, kiosco: int, quien: int, fallas: dict[str, Campo]) -> None:
        self.tomar(kiosco, quien)
        self.terminar(kiosco, fallas)

    @rule(kiosco=kioscos)
    def soltar(self, kiosco: int) -> None:
        tomada = self.tomadas[kiosco]
        if tomada is not None:
            assert self.hace(kiosco, Soltar(tomada.persona)) == estado_de(self.historias[kiosco])

    @rule(kiosco=kioscos, fallas=erratas)
    def revisar(self, kiosco: int, fallas: dict[str, Campo]) -> None:
        estado = estado_de(self.historias[kiosco])
        if isinstance(estado, EnRevision):
            campos = {c: (PAPEL | fallas)[c] for c in estado.campos}
            pareja = (GENTE[kiosco][0], GENTE[kiosco][3])
            assert isinstance(self.hace(kiosco, Revisar(pareja, self.hora(kiosco), campos)), Verificada)

    # Lo raro, rara vez: si no, casi ninguna historia llegaría a la revisión.
    @rule(kiosco=kioscos)
    @precondition(lambda self: self.minuto % 8 == 7)
    def recapturar(self, kiosco: int) -> None:
        publicada = ultima_verificada(self.historias[kiosco])
        self.hace(kiosco, PedirRecaptura(GENTE[kiosco][0], self.hora(kiosco), "borrosa"))
        assert ultima_verificada(self.historias[kiosco]) == publicada

    @rule(kiosco=kioscos)
    @precondition(lambda self: self.minuto % 9 == 4)
    def declarar_sin_acta(self, kiosco: int) -> None:
        una, otra = GENTE[kiosco][:2]
        self.hace(kiosco, DeclararSinActa(una, otra, self.hora(kiosco), MotivoSinActa.PAQUETE_NO_ENTREGADO))

    @rule(kiosco=kioscos, azar=st.randoms(use_true_random=False))
    def llega_algo_al_centro(self, kiosco: int, azar: object) -> None:
        faltan = [h for h in self.historias[kiosco] if h not in self.llegaron]
        if faltan:
            self.llegaron.append(azar.choice(faltan))  # type: ignore[attr-defined]

    @invariant()
    def el_centro_entiende_lo_mismo_que_el_modelo_sombra(self) -> None:
        for vistos in (self.llegaron, self.historias[0] + self.historias[1]):
            assert resumen(estado_de(vistos)) == sombra(vistos)

    @invariant()
    def nada_se_verifica_con_menos_de_dos_personas(self) -> None:
        verificada = ultima_verificada(self.llegaron)
        if verificada is not None:
            lectoras = {h.persona for h in self.llegaron if isinstance(h, Captura | Correccion)}
            assert len(lectoras & set(verificada.personas)) >= 2

    def teardown(self) -> None:
        """Cuando por fin llega todo, da igual por dónde y cuántas veces: kioscos y centro dicen lo mismo."""
        todo = self.historias[0] + self.historias[1]
        assert estado_de([*self.llegaron, *reversed(todo)]) == estado_de(todo)
        assert ultima_verificada([*todo, *self.llegaron]) == ultima_verificada(todo)


DosCentros.TestCase.settings = settings(max_examples=80, stateful_step_count=30, deadline=None)
TestDosCentros = DosCentros.TestCase


def test_dos_centros_iguales_cuentan_una_vez() -> None:
    """El caso feliz de la carrera: cuatro personas, dos kioscos, un solo resultado y la hora del segundo acuerdo."""
    inicio = datetime(2022, 6, 6, 2, tzinfo=UTC)
    hechos = [
        Captura(ACTA, 1, inicio + timedelta(minutes=i), gente[j], asentado_de_campos(PAPEL))
        for i, (gente, j) in enumerate(((GENTE[0], 0), (GENTE[1], 0), (GENTE[0], 1), (GENTE[1], 1)))
    ]
    estado = estado_de(hechos)
    assert isinstance(estado, Verificada)
    assert estado.verificacion == inicio + timedelta(minutes=1)
    assert estado.personas == ("ana", "eva")
