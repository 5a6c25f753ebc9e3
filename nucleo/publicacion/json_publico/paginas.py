"""De cada ficha a su JSON. Las páginas de sección y de acta no dicen el corte vigente: no cambian si nada suyo cambia.

Sólo hay enteros y textos; los porcentajes son texto y nunca van sin lo que se dividió.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from nucleo import campo, porcentaje
from nucleo.acta import ActaFueraDeCatalogo, ActaVerificada, Procedencia
from nucleo.clasificacion import observaciones
from nucleo.eleccion import Proceso
from nucleo.publicacion import rutas
from nucleo.publicacion.fichas import (
    FichaActa,
    FichaDivision,
    FichaEleccion,
    FichaProceso,
    FichaSeccion,
    Situacion,
)
from nucleo.publicacion.json_publico import piezas

_SIN_ACUERDO: Final = (Situacion.EN_DISCREPANCIA, Situacion.EN_DUDA)


def de_acta(ficha: FichaActa) -> dict[str, Any]:
    """`ELE/s/NNNN/TIIEE.json`"""
    return ya_publicada(lo_que_dice(ficha), ficha)


def ya_publicada(dicho: dict[str, Any], ficha: FichaActa) -> dict[str, Any]:
    """Lo que decía antes de saber su corte, con él."""
    return dicho | {
        "cronologia": _cronologia(ficha),
        "publicada_en": piezas.corte_o_nada(ficha.publicada_en, ficha.proceso),
    }


def lo_que_dice(ficha: FichaActa) -> dict[str, Any]:
    """La página de un acta sin el corte: si esto no cambia, la página tampoco."""
    proceso, eleccion, casilla = ficha.proceso, ficha.eleccion, ficha.casilla
    acta = ficha.acta if isinstance(ficha.acta, ActaVerificada) else None
    clasificada = ficha.clasificacion
    total = ficha.total_calculado
    return piezas.encabezado(proceso, eleccion) | {
        "casilla": {
            "clave": casilla.clave,
            "clave_acta": eleccion.clave_acta(casilla),
            "seccion": casilla.seccion,
            "tipo": casilla.tipo,
            "numero": casilla.numero,
            "ext_contigua": casilla.ext_contigua,
            "distrito": casilla.distrito,
            "distrito_nombre": casilla.distrito_nombre,
            "municipio": casilla.municipio,
            "municipio_nombre": casilla.municipio_nombre,
            "ubicacion": casilla.ubicacion,
            "lista_nominal": casilla.lista_nominal,
            "representantes": casilla.representantes,
        },
        "situacion": ficha.situacion.value,
        "contabilizada": None if clasificada is None else clasificada.contabilizada,
        "inconsistencias": [] if clasificada is None else list(clasificada.inconsistencias),
        "observaciones": "" if clasificada is None else observaciones(clasificada, proceso.vocabulario),
        "renglones": [
            {
                "clave": opcion.clave,
                "nombre": opcion.nombre,
                "asentado": campo.a_json(dato),
                "votos": campo.valor(dato),
                "entre": total or 0,
                "porcentaje": porcentaje.a_texto(campo.valor(dato), total or 0),
            }
            for opcion, dato in ficha.renglones
        ],
        "complementarios": None if acta is None else _complementarios(acta),
        "total_calculado": total,
        "tope": ficha.tope,
        "participacion": None if total is None else piezas.parte(total, casilla.lista_nominal),
        "procedencia": None if acta is None else _procedencia(acta.procedencia, proceso),
        "cronologia": _cronologia(ficha),
        "imagen": _imagen(ficha),
        "hojas": list(ficha.hojas),
    }


def de_seccion(ficha: FichaSeccion, proceso: Proceso) -> dict[str, Any]:
    """`ELE/s/NNNN/index.json`"""
    return (
        piezas.encabezado(proceso, ficha.eleccion)
        | {
            "seccion": ficha.seccion,
            "division": piezas.division(ficha.division, ficha.division_nombre, ficha.eleccion),
            "municipio_nombre": ficha.municipio_nombre,
        }
        | piezas.avance(ficha.parcial)
        | {
            "por_renglon": piezas.renglones(ficha.parcial, ficha.eleccion),
            "por_candidatura": piezas.tabla(
                piezas.candidaturas_de_seccion(ficha).items(),
                piezas.nombres_de_renglon(ficha.eleccion),
                ficha.parcial.votos_c_cs,
            ),
            "casillas": [_acta_en_lista(a) for a in ficha.actas],
            "publicada_en": piezas.corte_o_nada(piezas.cambio_de(ficha), proceso),
        }
    )


def de_division(ficha: FichaDivision, proceso: FichaProceso) -> dict[str, Any]:
    """`ELE/d/N/index.json`"""
    return (
        _con_corte(ficha, proceso)
        | {"division": piezas.division(ficha.clave, ficha.nombre, ficha.eleccion)}
        | _totales(ficha)
        | {"secciones": [_seccion_en_lista(s) for s in ficha.secciones]}
    )


def de_eleccion(ficha: FichaEleccion, proceso: FichaProceso) -> dict[str, Any]:
    """`ELE/index.json`"""
    return (
        _con_corte(ficha, proceso)
        | {"resumen": ficha.parcial.resumen(proceso.corte.ultimo).oficial()}
        | _totales(ficha)
        | {"divisiones_ganadas": _divisiones_ganadas(ficha), "base_de_datos": _zip(ficha)}
    )


def de_divisiones(ficha: FichaEleccion, proceso: FichaProceso) -> dict[str, Any]:
    """`ELE/divisiones.json`"""
    filas = [
        piezas.division(d.clave, d.nombre, d.eleccion)
        | {"ruta": f"{rutas.division(d.eleccion.clave, d.clave)}.json"}
        | _totales(d)
        for d in ficha.divisiones
    ]
    return _con_corte(ficha, proceso) | {"divisiones": filas}


def de_estadistica(ficha: FichaEleccion, proceso: FichaProceso) -> dict[str, Any]:
    """`ELE/estadistica.json`: las actas por ubicación y por observación, y aparte las casillas especiales."""
    return (
        _con_corte(ficha, proceso)
        | piezas.avance(ficha.parcial)
        | {
            "especiales": piezas.avance(ficha.especiales)
            | {"por_renglon": piezas.renglones(ficha.especiales, ficha.eleccion)}
        }
    )


def de_pendientes(ficha: FichaEleccion, proceso: FichaProceso) -> dict[str, Any]:
    """`ELE/pendientes.json`: cada acta esperada que no suma, con su situación."""
    lista = [
        _acta_en_lista(a)
        for d in ficha.divisiones
        for s in d.secciones
        for a in s.actas
        if a.situacion is not Situacion.CONTABILIZADA
    ]
    return _con_corte(ficha, proceso) | piezas.avance(ficha.parcial) | {"pendientes": lista}


def de_fuera(ficha: FichaEleccion, proceso: FichaProceso) -> dict[str, Any]:
    """`ELE/fuera.json`"""
    documentos = [
        {"folio": a.folio, "procedencia": _procedencia(a.procedencia, proceso.proceso)}
        for a in ficha.fuera
        if isinstance(a, ActaFueraDeCatalogo)
    ]
    return _con_corte(ficha, proceso) | {"documentos": documentos}


def de_proceso(ficha: FichaProceso) -> dict[str, Any]:
    """`resumen.json`: lo primero que lee un difusor; cabe en una llamada y dice dónde está lo demás."""
    proceso = ficha.proceso
    return {
        "v": piezas.VERSION,
        "proceso": proceso.clave,
        "nombre": proceso.nombre,
        "modo": proceso.modo,
        "definicion": proceso.huella,
        "corte": piezas.corte(ficha.corte, proceso),
        "padron": piezas.padron(ficha.padron),
        "elecciones": {
            e.eleccion.clave: {
                "nombre": e.eleccion.nombre,
                "ruta": f"{rutas.eleccion(e.eleccion.clave)}.json",
                "resumen": e.parcial.resumen(ficha.corte.ultimo).oficial(),
            }
            | piezas.avance(e.parcial)
            | {
                "por_candidatura": piezas.tabla(
                    e.por_candidatura.items(), piezas.nombres_de_renglon(e.eleccion), e.parcial.votos_c_cs
                ),
                "adelante": {"candidaturas": list(e.adelante), "empate": len(e.adelante) > 1},
                "en_duda": [a.casilla.clave for a in _actas(e) if a.situacion in _SIN_ACUERDO],
                "base_de_datos": _zip(e),
                "hechos": e.hechos,
                "conjunto": e.conjunto,
            }
            for e in ficha.elecciones
        },
    }


def paginas_del_corte(ficha: FichaProceso) -> Iterator[tuple[str, dict[str, Any]]]:
    """(ruta lógica, JSON) de lo que se vuelve a escribir en cada corte, cambie o no."""
    yield rutas.RESUMEN, de_proceso(ficha)
    for e in ficha.elecciones:
        clave = e.eleccion.clave
        yield f"{rutas.eleccion(clave)}.json", de_eleccion(e, ficha)
        yield f"{rutas.eleccion(clave, 'divisiones')}.json", de_divisiones(e, ficha)
        yield f"{rutas.eleccion(clave, 'estadistica')}.json", de_estadistica(e, ficha)
        yield f"{rutas.eleccion(clave, 'pendientes')}.json", de_pendientes(e, ficha)
        yield f"{rutas.eleccion(clave, 'fuera')}.json", de_fuera(e, ficha)
        for d in e.divisiones:
            yield f"{rutas.division(clave, d.clave)}.json", de_division(d, ficha)


def paginas_de_secciones(fichas: Iterable[FichaSeccion], proceso: Proceso) -> Iterator[tuple[str, dict[str, Any]]]:
    """(ruta lógica, JSON) de unas secciones y de todas sus actas."""
    for ficha in fichas:
        clave = ficha.eleccion.clave
        yield f"{rutas.seccion(clave, ficha.seccion)}.json", de_seccion(ficha, proceso)
        for acta in ficha.actas:
            yield f"{rutas.acta(clave, acta.casilla)}.json", de_acta(acta)


# ---------------------------------------------------------------------------------------------------------------


def _con_corte(ficha: FichaEleccion | FichaDivision, proceso: FichaProceso) -> dict[str, Any]:
    corte = {"corte": piezas.corte(proceso.corte, proceso.proceso)}
    return piezas.encabezado(proceso.proceso, ficha.eleccion) | corte


def _totales(ficha: FichaEleccion | FichaDivision) -> dict[str, Any]:
    votos = piezas.votos_de(ficha.parcial, ficha.eleccion, ficha.por_candidatura, ficha.por_partido, ficha.adelante)
    return piezas.avance(ficha.parcial) | votos


def _divisiones_ganadas(ficha: FichaEleccion) -> dict[str, Any]:
    """En cuántas divisiones va adelante sola cada candidatura; los empates y las que no tienen votos, aparte."""
    solas = dict.fromkeys(ficha.por_candidatura, 0)
    empatadas = sin_votos = 0
    for division in ficha.divisiones:
        if len(division.adelante) == 1:
            solas[division.adelante[0]] += 1
        elif division.adelante:
            empatadas += 1
        else:
            sin_votos += 1
    return {"entre": len(ficha.divisiones), "por_candidatura": solas, "empatadas": empatadas, "sin_votos": sin_votos}


def _seccion_en_lista(ficha: FichaSeccion) -> dict[str, Any]:
    resumen = ficha.parcial.resumen(False)
    return {
        "seccion": ficha.seccion,
        "ruta": f"{rutas.seccion(ficha.eleccion.clave, ficha.seccion)}.json",
        "esperadas": resumen.esperadas,
        "capturadas": resumen.capturadas,
        "contabilizadas": resumen.contabilizadas,
        "lista_nominal": piezas.parte(ficha.parcial.lista_nominal, ficha.parcial.lista_nominal_esperada),
        "votos": {c: ficha.parcial.votos[c] for c in ficha.eleccion.por_clave if c in ficha.parcial.votos},
        "total": ficha.parcial.votos_c_cs,
    }


def _cronologia(ficha: FichaActa) -> list[dict[str, Any]]:
    return [
        {"hora": piezas.hora(s.hora, ficha.proceso), "que": s.que, "detalle": s.detalle, "huella": s.huella}
        for s in ficha.cronologia
    ]


def _acta_en_lista(ficha: FichaActa) -> dict[str, Any]:
    return {
        "casilla": ficha.casilla.clave,
        "ruta": f"{rutas.acta(ficha.eleccion.clave, ficha.casilla)}.json",
        "situacion": ficha.situacion.value,
        "inconsistencias": [] if ficha.clasificacion is None else list(ficha.clasificacion.inconsistencias),
        "total_calculado": ficha.total_calculado,
        "tope": ficha.tope,
    }


def _complementarios(acta: ActaVerificada) -> dict[str, Any]:
    return {
        "boletas_sobrantes": campo.a_json(acta.asentado.boletas_sobrantes),
        "personas_votaron": campo.a_json(acta.asentado.personas_votaron),
        "representantes_votaron": campo.a_json(acta.asentado.representantes_votaron),
        "votos_sacados": campo.a_json(acta.asentado.votos_sacados),
        "total_asentado": campo.a_json(acta.asentado.total_asentado),
    }


def _procedencia(p: Procedencia, proceso: Proceso) -> dict[str, Any]:
    return {
        "acopio": None if p.acopio is None else piezas.hora(p.acopio, proceso),
        "captura": None if p.captura is None else piezas.hora(p.captura, proceso),
        "verificacion": None if p.verificacion is None else piezas.hora(p.verificacion, proceso),
        "origen": None if p.origen is None else p.origen.value,
        "digitalizacion": None if p.digitalizacion is None else p.digitalizacion.value,
        "tipo_documento": p.tipo_documento,
        "mecanismo_traslado": p.mecanismo_traslado,
        "sha256": p.imagen,
    }


def _imagen(ficha: FichaActa) -> dict[str, Any] | None:
    if not ficha.imagen:
        return None
    return {
        "sha256": ficha.imagen,
        "bytes": ficha.imagen_bytes,
        "presente": ficha.imagen_presente,
        "ruta": rutas.imagen(ficha.imagen),
    }


def _zip(ficha: FichaEleccion) -> dict[str, Any]:
    archivo, tamano, huella = ficha.zip
    return {"archivo": archivo, "bytes": tamano, "sha256": huella}


def _actas(ficha: FichaEleccion) -> Iterator[FichaActa]:
    return (a for d in ficha.divisiones for s in d.secciones for a in s.actas)
