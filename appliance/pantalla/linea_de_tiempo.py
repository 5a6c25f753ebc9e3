"""La historia de un acta en renglones: sus hechos y lo que la bitácora dice de ella. Nunca lo que alguien leyó."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, tzinfo

from appliance.almacen import Almacen, HechoConSobre
from appliance.empaquetado import FUERA
from appliance.publicado import cortes
from nucleo.acta import Digitalizacion, ResultadoCotejo
from nucleo.concordancia import concordar
from nucleo.eventos import eventos
from nucleo.hechos import (
    Acopio,
    Captura,
    Correccion,
    Cotejo,
    Empaque,
    Hecho,
    IdActa,
    Imagen,
    Recaptura,
    Revision,
    SinActa,
)

COTEJOS = {
    ResultadoCotejo.ACEPTADA: "coincide con el papel",
    ResultadoCotejo.ACEPTADA_TRAS_CORREGIR: "coincide con el papel, después de recapturarla",
    ResultadoCotejo.NO_ACEPTADA: "no coincide con el papel",
}


@dataclass(frozen=True, slots=True)
class Paso:
    """Un renglón de la historia. `envio` dice si el centro ya lo tiene; vacío si no es un hecho."""

    hora: datetime
    que: str
    quien: str
    detalle: str = ""
    envio: str = ""
    grave: bool = False


def pasos_de(almacen: Almacen, acta: IdActa, nombre: Callable[[str], str], huso: tzinfo | None = None) -> list[Paso]:
    """Todo lo que le ha pasado al acta en este kiosco, de lo primero a lo último.

    Args:
        nombre: cómo se llama quien tiene esa clave.
        huso: en el que se dice la hora estampada; sin él, en el que se asentó.

    Raises:
        Falla: si el almacén no se puede leer.
    """
    with almacen.lectura() as mirada:
        sobres = mirada.sobres_de(acta)
        filas = mirada.conexion.execute(
            "SELECT hora, evento, persona, detalle FROM bitacora WHERE acta = ? ORDER BY renglon", (str(acta),)
        ).fetchall()
    pasos = [_de_hecho(s, nombre, huso) for s in sobres]
    for hora, evento, persona, detalle in filas:
        declarado = eventos().get(evento)
        texto = declarado.texto if declarado else evento
        grave = declarado is not None and declarado.grave
        pasos.append(
            Paso(datetime.fromisoformat(hora), texto, nombre(persona) if persona else "", detalle, grave=grave)
        )
    # En el mismo instante, primero lo que se hizo para llegar al hecho.
    return sorted(pasos, key=lambda p: (p.hora, p.envio != ""))


def horas_de_corte(almacen: Almacen) -> list[datetime]:
    """Horas (UTC) de los cortes que este kiosco sabe publicados. Raises: Falla."""
    with almacen.lectura() as mirada:
        return [c.hora for c in cortes(mirada.conexion)]


def _de_hecho(sobre: HechoConSobre, nombre: Callable[[str], str], huso: tzinfo | None) -> Paso:
    que, quien, detalle = _en_palabras(sobre.hecho, nombre, huso)
    if sobre.apartado:
        envio = f"el centro la apartó: {sobre.apartado}"
    elif sobre.estado == "cerrado":
        envio = "el centro la tiene"
    else:
        envio = "en espera de enviarse"
    # La hora del registro, no la estampada: es la historia de lo que pasó aquí.
    return Paso(datetime.fromisoformat(sobre.creado), que, quien, detalle, envio, bool(sobre.apartado))


def _en_palabras(hecho: Hecho, nombre: Callable[[str], str], huso: tzinfo | None) -> tuple[str, str, str]:
    match hecho:
        case Acopio():
            estampada = hecho.hora.astimezone(huso) if huso else hecho.hora
            return "Se acopió", nombre(hecho.persona), f"{hecho.tipo_documento}, estampada {estampada:%H:%M}"
        case Imagen():
            con = "escáner" if hecho.digitalizacion is Digitalizacion.ESCANER else "teléfono"
            return "Se digitalizó", nombre(hecho.persona), f"{con}, imagen {hecho.sha256[:12]}"
        case Captura():
            return "Terminó de capturarla", nombre(hecho.persona), _vuelta(hecho.vuelta)
        case Correccion():
            return "Corrección a ciegas", nombre(hecho.persona), concordar(len(hecho.campos), "renglón", "renglones")
        case Revision():
            quienes = " y ".join(nombre(p) for p in hecho.personas)
            return "Revisión entre dos", quienes, concordar(len(hecho.campos), "renglón", "renglones")
        case Recaptura():
            return "Se pidió volver a capturarla", nombre(hecho.persona), hecho.motivo
        case SinActa():
            motivo = hecho.motivo.name.replace("_", " ").lower()
            return "Se declaró sin acta", nombre(hecho.persona), f"{motivo}; confirmó {nombre(hecho.confirma)}"
        case Cotejo():
            return "Se cotejó", nombre(hecho.persona), COTEJOS[hecho.resultado]
        case Empaque() if hecho.caja == FUERA:
            return "Se sacó de su caja", nombre(hecho.persona), ""
        case Empaque():
            return "Se guardó", nombre(hecho.persona), hecho.caja
        case _:
            return type(hecho).__name__, "", ""


def _vuelta(vuelta: int) -> str:
    return f"vuelta {vuelta}" if vuelta > 1 else ""
