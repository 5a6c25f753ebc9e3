"""Con el recibo que dio el CATD: hallar su acta en el registro, o probar que falta.

El recibo trae la firma del equipo sobre la huella de su hoja. Si la firma es buena, el equipo está en el padrón y la
hoja no está cuando ya debía estar, quien publica no puede decir que nunca existió.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from typing import Final

from auditoria.verificar import noche
from auditoria.verificar.lector import Lector, NoSePuede
from nucleo.hechos import Imagen
from nucleo.padron import LlaveInscrita
from nucleo.promesa import Promesa, PromesaInvalida, leer_promesa
from nucleo.publicacion.mentira import Mentira
from nucleo.publicacion.repaso import Repaso
from nucleo.publicacion.reserva import HechoRegistrado

PLAZO: Final = timedelta(hours=2)
"""Lo que se le da a un CATD sin señal para que su hoja llegue, antes de decir que falta."""


class Destino(Enum):
    """En qué quedó lo prometido."""

    PUBLICADA = "publicada"
    EXCLUIDA = "excluida"
    """La autoridad excluyó lo que ese equipo firmó desde ahí; su eslabón está."""
    TODAVIA = "todavia"
    """No está, y aún puede llegar."""


@dataclass(frozen=True)
class Recibo:
    """Un recibo bueno y lo que pasó con él."""

    promesa: Promesa
    destino: Destino
    detalle: str


def verificar(
    lector: Lector,
    texto: str,
    llave: str = "",
    avance: noche.Avance = noche.nada,
    plazo: timedelta = PLAZO,
) -> tuple[noche.Repasada, Recibo]:
    """Busca la hoja que el recibo promete.

    Raises:
        Mentira: si falta o no es la prometida. NoSePuede: si el recibo no vale o no hay qué leer.
    """
    try:
        promesa = leer_promesa(texto)
    except PromesaInvalida as error:
        raise NoSePuede(f"{error}; vuelva a leer el código") from error
    repasada = noche.repasar(lector, llave, avance)
    ceros = repasada.registro.ceros
    if (promesa.proceso, promesa.modo) != (ceros.proceso, ceros.modo):
        que = f"el recibo es de {promesa.proceso} ({promesa.modo}) y el registro, de {ceros.proceso} ({ceros.modo})"
        raise NoSePuede(que)
    _exigir_firma(promesa, repasada.repaso)
    return repasada, _buscar(promesa, repasada, plazo)


def _exigir_firma(promesa: Promesa, repaso: Repaso) -> None:
    causa = f"{promesa.equipo} no está en el padrón con esa época"
    for llave in _llaves(promesa, repaso):
        try:
            promesa.comprobar(llave.llave)
        except PromesaInvalida as error:
            causa = str(error)
        else:
            return
    raise NoSePuede(f"el recibo no prueba nada: {causa}")


def _llaves(promesa: Promesa, repaso: Repaso) -> list[LlaveInscrita]:
    equipos = [p.equipos[promesa.equipo] for p in reversed(repaso.padrones) if promesa.equipo in p.equipos]
    return [
        llave
        for equipo in equipos
        if promesa.epoca in equipo.epocas
        for llave in equipo.llaves
        if llave.vale(promesa.epoca, promesa.secuencia)
    ]


def _buscar(promesa: Promesa, repasada: noche.Repasada, plazo: timedelta) -> Recibo:
    lugar = (promesa.equipo, promesa.epoca, promesa.secuencia)
    donde = f"registro, la hoja {promesa.secuencia} de {promesa.equipo}"
    hallado = repasada.repaso.cadenas.en(lugar)
    if hallado is None:
        return _falta(donde, promesa, repasada, plazo)
    if hallado.huella != promesa.huella:
        raise Mentira(
            donde,
            f"{hallado.huella[:16]}…",
            f"{promesa.huella[:16]}…, la que firmó en el recibo",
            "El mismo equipo firmó dos hojas distintas en ese lugar: guarde el recibo, es la prueba.",
        )
    if isinstance(hallado, HechoRegistrado):
        hecho = hallado.hecho
        if not isinstance(hecho, Imagen) or (hecho.acta, hecho.sha256) != (promesa.acta, promesa.imagen):
            raise NoSePuede("el recibo se alteró: la hoja que firmó el equipo es de otra acta o de otra imagen")
        suya = repasada.actas.get(promesa.acta)
        que = f"en el corte {suya[1].corte}" if suya is not None else "en el registro"
        return Recibo(promesa, Destino.PUBLICADA, que)
    padron = repasada.repaso.padron
    exclusion = None if padron is None else padron.excluye(*lugar)
    if exclusion is not None:
        return Recibo(promesa, Destino.EXCLUIDA, exclusion.motivo)
    raise Mentira(
        donde,
        f"sólo el eslabón de «{hallado.tipo}»",
        f"la imagen de {promesa.acta}",
        "Se publica que la hoja existe, pero se calla que es la imagen de un acta.",
    )


def _falta(donde: str, promesa: Promesa, repasada: noche.Repasada, plazo: timedelta) -> Recibo:
    ultimo = repasada.ultimo
    if ultimo is None or not (ultimo.corte.ultimo or ultimo.corte.hora > promesa.hora + plazo):
        hasta = "ninguno" if ultimo is None else ultimo.corte.nombre
        return Recibo(promesa, Destino.TODAVIA, f"aún puede llegar: el último corte es {hasta}")
    raise Mentira(
        donde,
        "nada",
        f"{promesa.huella[:16]}…, la imagen de {promesa.acta}",
        f"{promesa.equipo} la firmó el {promesa.hora.isoformat()}, su firma es buena, está en el padrón, y al corte "
        f"{ultimo.corte.nombre} no se ha publicado: falta. Guarde el recibo y esta carpeta.",
    )
