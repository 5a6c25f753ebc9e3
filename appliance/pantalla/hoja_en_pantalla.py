"""Una hoja de captura tal como se muestra: sus renglones, lo tecleado, lo que se señala y la imagen que la acompaña."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from fastapi.responses import Response

from appliance.borradores import Borrador, cabe
from appliance.pantalla.acta_nombrada import TIPOS
from appliance.pantalla.confirmacion import confirmar
from appliance.pantalla.hoja import Renglon, Tecleado, campos_de, de_borrador, enumerados, leer, renglones_de, textos_de
from appliance.pantalla.pagina import Entrada, Pantalla, de_rechazo
from appliance.personas import Papel, Persona
from appliance.redigitalizacion import MOTIVOS_IMAGEN
from appliance.vista_del_acta import ImagenDelActa
from nucleo.captura import PrimeraConcluida, Tomada
from nucleo.hechos import IdActa
from nucleo.problema import Rechazo

_TITULOS: Final = {"captura": "Captura", "correccion": "Corrección a ciegas", "revision": "Revisión entre dos"}


@dataclass(frozen=True)
class Hoja:
    """Lo que se muestra. `clase` es `captura`, `correccion` o `revision`."""

    acta: IdActa
    renglones: Sequence[Renglon]
    tecleado: Mapping[str, Tecleado] = field(default_factory=dict)
    clase: str = "captura"
    imagen: ImagenDelActa | None = None
    senalados: Collection[str] = ()
    """Renglones que no coinciden con otra lectura, y que falta volver a mirar."""
    por_releer: Collection[str] = ()
    """Renglones que se leyeron en otra imagen, o en el papel antes de que la hubiera."""
    continua: datetime | None = None
    """Cuándo se guardó lo que ya traía tecleado."""

    def solo(self, claves: Collection[str], clase: str) -> Hoja:
        return replace(self, renglones=[r for r in self.renglones if r.clave in claves], clase=clase)

    def con_borrador(self, borrador: Borrador) -> Hoja:
        claves = {r.clave for r in self.renglones}
        tecleado = de_borrador({clave: texto for clave, texto in borrador.textos.items() if clave in claves})
        hoja = replace(self, tecleado=tecleado, continua=borrador.hora if tecleado else None)
        return hoja.con_leidos(borrador)

    def con_leidos(self, borrador: Borrador) -> Hoja:
        """Señala lo que el borrador dice que se leyó en otra imagen que la que se muestra."""
        return replace(self, por_releer=borrador.de_otra(self.imagen.sha256 if self.imagen else None))

    def todo_por_releer(self) -> Hoja:
        return replace(self, por_releer=[clave for clave, t in self.tecleado.items() if t.texto or t.marcas])

    def con_senalados(self, campos: Collection[str]) -> Hoja:
        return replace(self, senalados=campos)

    def con_imagen(self, imagen: ImagenDelActa | None) -> Hoja:
        return replace(self, imagen=imagen)


def leer_hoja(p: Pantalla, e: Entrada, acta: IdActa, clase: str) -> Hoja | Rechazo:
    """Lo tecleado en los renglones que la persona vio; si el acta cambió mientras tanto, lo dirá la mesa.

    Args:
        clase: `parcial` si la hoja se deja sin terminar y no importa que le falten renglones.
    """
    if isinstance(rechazo := p.mesa.renglones(acta), Rechazo):
        return rechazo
    vistos = set(e.campos.get("renglon", []))
    todos = renglones_de(p.proceso, acta)
    renglones = [r for r in todos if r.clave in vistos]
    if not renglones:
        return Rechazo("FORMA", "No llegó ningún renglón", "la página no cargó completa", "abra el acta otra vez")
    tecleado = leer(renglones, e.campos)
    if clase == "captura" and campos_de(tecleado) is not None and len(renglones) != len(todos):
        return Rechazo("FORMA", "Llegaron renglones de menos", "la página no cargó completa", "abra el acta otra vez")
    return Hoja(acta, renglones, tecleado, clase)


def vista_en(e: Entrada) -> str | Rechazo | None:
    """SHA-256 de la imagen que la página mostraba; `None` si no mostraba ninguna y se leyó el papel."""
    if "imagen" not in e.campos:
        return Rechazo("FORMA", "No llegó qué imagen se leyó", "la página no cargó completa", "abra el acta otra vez")
    return e.texto("imagen") or None


def tecleado_de(e: Entrada, hoja: Hoja) -> dict[str, str]:
    """Lo que cabe en un borrador de lo que llegó en el formulario."""
    llegaron = {r.clave for r in hoja.renglones if f"v.{r.clave}" in e.campos or f"m.{r.clave}" in e.campos}
    return {c: texto for c, texto in textos_de(hoja.tecleado).items() if c in llegaron and cabe(texto)}


def quien_revisa(p: Pantalla, e: Entrada) -> Persona | Rechazo:
    """La segunda persona de una revisión: puede ser de cualquiera de los papeles que leen, y teclea ahí su NIP."""
    otra = p.personas.get(e.texto("confirma"))
    papel = next((x for x in _REVISAN if otra is not None and otra.puede(x)), Papel.VERIFICACION)
    return confirmar(p, e, papel)


def mostrar(
    p: Pantalla,
    e: Entrada,
    hoja: Hoja,
    *,
    codigo: int = 200,
    sin_confirmar: Rechazo | None = None,
    sin_guardar: Rechazo | None = None,
) -> Response:
    """La página de la hoja.

    Args:
        sin_confirmar: por qué no se admitió a la segunda persona de una revisión.
        sin_guardar: por qué no se asentó, si lo tecleado sigue valiendo y se puede mandar otra vez.
    """
    # Lo dice la hoja, junto a los renglones que señala: con las dos cosas, «Concluir» ya no cabría en la pantalla.
    cambio = sin_guardar if sin_guardar and sin_guardar.codigo == "IMAGEN_CAMBIO" and hoja.por_releer else None
    avisado = {} if sin_guardar is None or cambio else {"aviso": de_rechazo(sin_guardar)}
    casilla = p.proceso.casillas[hoja.acta.casilla]
    respondidos = sum(bool(t.texto or t.marcas) for t in hoja.tecleado.values())
    con_error = [r for r in hoja.renglones if r.clave in hoja.tecleado and hoja.tecleado[r.clave].error]
    vacios = [r for r in con_error if not (hoja.tecleado[r.clave].texto or hoja.tecleado[r.clave].marcas)]
    malos = [r for r in con_error if r not in vacios]
    return p.pagina(
        "hoja.html",
        e,
        codigo=codigo,
        titulo=_titulo(p, e, hoja),
        hoja=hoja,
        acta=hoja.acta,
        casilla=casilla,
        tipo=TIPOS[casilla.tipo],
        eleccion=p.proceso.elecciones[hoja.acta.eleccion],
        vacio=Tecleado(),
        respondidos=respondidos,
        errores=len(con_error),
        vacios=len(vacios),
        cuales_vacios=enumerados([r.rotulo for r in vacios]),
        malos=len(malos),
        cuales_malos=enumerados([r.rotulo for r in malos]),
        otras=[x for x in p.personas.values() if x != e.persona and x.puede(*_REVISAN)],
        otra=e.texto("confirma"),
        sin_confirmar=sin_confirmar,
        cambio=cambio,
        motivos_imagen=MOTIVOS_IMAGEN,
        **avisado,
    )


def _titulo(p: Pantalla, e: Entrada, hoja: Hoja) -> str:
    # Una segunda lectura empieza en blanco: sin decirlo, parece que se borró el trabajo de la primera.
    if hoja.clase == "captura" and e.persona is not None:
        abierta = p.mesa.abierta(hoja.acta, e.persona.clave)
        if isinstance(abierta, Tomada) and isinstance(abierta.libre, PrimeraConcluida):
            return "Segunda lectura"
    return _TITULOS[hoja.clase]


_REVISAN: Final = (Papel.CAPTURA, Papel.VERIFICACION, Papel.COORDINACION)
