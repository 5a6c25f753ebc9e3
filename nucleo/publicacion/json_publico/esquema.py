"""La forma de cada JSON y qué significa cada llave, escritas una vez: de aquí salen `esquema.json` y el diccionario."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from nucleo.publicacion.cronologia import QUE
from nucleo.publicacion.json_publico.llaves import (
    ACTA,
    ACTA_EN_LISTA,
    ADELANTE,
    ANEXO_13,
    AVANCE,
    BASE_DE_DATOS,
    CASILLA,
    CATALOGO_CASILLAS,
    COMPLEMENTARIOS,
    DATO,
    DEFINICION,
    DEL_CORTE,
    DIVISION,
    ELECCION,
    ENCABEZADO,
    HUELLA,
    LEEME,
    LIBRO,
    OFICIAL,
    PADRON,
    PORCENTAJE,
    PROCEDENCIA,
    REGISTRO,
    VOTOS,
    Esquema,
    corte,
    entero,
    hora,
    lista,
    logico,
    o_nada,
    objeto,
    parte,
    por_clave,
    texto,
)

DIALECTO: Final = "https://json-schema.org/draft/2020-12/schema"

_DE_ELECCION: Final = {**ENCABEZADO, "eleccion": ELECCION}
_CON_CORTE: Final = {**_DE_ELECCION, "corte": corte("El corte que se lee.")}
_PUBLICADA_EN: Final = o_nada(
    corte("El corte en que tomó la forma que tiene."), "si no ha cambiado desde que todo estaba en cero."
)

PAGINAS: Final[Mapping[str, Esquema]] = {
    "resumen.json": objeto(
        "Todo el proceso en un vistazo.",
        {
            **{k: v for k, v in ENCABEZADO.items() if k != "definicion"},
            "nombre": texto("Nombre del proceso.", DEFINICION),
            "definicion": ENCABEZADO["definicion"],
            "corte": corte("El corte que se lee."),
            "padron": o_nada(
                objeto(
                    "Con qué padrón de equipos se contó.",
                    {
                        "version": entero("Crece con cada uno que firma la autoridad.", PADRON),
                        "huella": texto("SHA-256 de lo firmado.", PADRON, **HUELLA),
                        "exclusiones": lista(
                            "Lo que la autoridad mandó no contar.",
                            objeto(
                                "Una exclusión.",
                                {
                                    "equipo": texto("De qué equipo.", PADRON),
                                    "epoca": texto("De qué época de su cadena.", PADRON),
                                    "hasta": entero("Última secuencia que se cuenta; 0 si ninguna.", PADRON),
                                    "motivo": texto("Por qué, con palabras de la autoridad.", PADRON),
                                    "fecha": texto("Cuándo lo firmó, ISO 8601.", PADRON),
                                },
                                PADRON,
                            ),
                            PADRON,
                        ),
                    },
                    PADRON,
                ),
                "en un ensayo sin autoridad.",
            ),
            "elecciones": por_clave(
                "Clave de elección → su resumen.",
                objeto(
                    "Una elección.",
                    {
                        "nombre": texto("Su nombre.", DEFINICION),
                        "ruta": texto("Su JSON, desde la raíz del corte.", DEL_CORTE),
                        "resumen": OFICIAL,
                        **AVANCE,
                        "por_candidatura": VOTOS["por_candidatura"],
                        "adelante": ADELANTE,
                        "en_duda": lista(
                            "Casillas que no se publican porque sus lecturas no concuerdan.",
                            texto("CLAVE_CASILLA.", CATALOGO_CASILLAS),
                        ),
                        "base_de_datos": BASE_DE_DATOS,
                        "hechos": entero("Hechos firmados que cuentan, con los reservados.", REGISTRO),
                        "conjunto": texto("SHA-256 de sus huellas, en orden.", REGISTRO, **HUELLA),
                    },
                ),
            ),
        },
    ),
    "ELE/index.json": objeto(
        "Una elección.",
        {
            **_CON_CORTE,
            "resumen": OFICIAL,
            **AVANCE,
            **VOTOS,
            "divisiones_ganadas": objeto(
                "En cuántas divisiones va adelante sola cada candidatura.",
                {
                    "entre": entero("Divisiones que hay.", CATALOGO_CASILLAS),
                    "por_candidatura": por_clave("Candidatura → divisiones.", entero("Divisiones.", DEL_CORTE)),
                    "empatadas": entero("Divisiones con empate.", DEL_CORTE),
                    "sin_votos": entero("Divisiones donde todavía no hay votos.", DEL_CORTE),
                },
            ),
            "base_de_datos": BASE_DE_DATOS,
        },
    ),
    "ELE/divisiones.json": objeto(
        "Todos los distritos o municipios.",
        {
            **_CON_CORTE,
            "divisiones": lista(
                "En orden de clave; las mesas sin división, al final.",
                objeto(
                    "Una división.",
                    {**DIVISION, "ruta": texto("Su JSON, desde la raíz del corte.", DEL_CORTE), **AVANCE, **VOTOS},
                ),
            ),
        },
    ),
    "ELE/estadistica.json": objeto(
        "Actas por ubicación y observación, y las casillas especiales aparte.",
        {
            **_CON_CORTE,
            **AVANCE,
            "especiales": objeto("Sólo casillas especiales.", {**AVANCE, "por_renglon": VOTOS["por_renglon"]}),
        },
    ),
    "ELE/pendientes.json": objeto(
        "Las actas esperadas que no suman, una por una.",
        {**_CON_CORTE, **AVANCE, "pendientes": lista("En orden de división, sección y casilla.", ACTA_EN_LISTA)},
    ),
    "ELE/fuera.json": objeto(
        "Documentos que no se pudieron asociar a una casilla aprobada.",
        {
            **_CON_CORTE,
            "documentos": lista(
                "En orden de llegada.",
                objeto(
                    "Un documento.",
                    {"folio": texto("Lo distingue de los demás.", LIBRO), "procedencia": PROCEDENCIA},
                ),
            ),
        },
    ),
    "ELE/d/N/index.json": objeto(
        "Un distrito o municipio.",
        {
            **_CON_CORTE,
            "division": objeto("La división.", DIVISION),
            **AVANCE,
            **VOTOS,
            "secciones": lista(
                "En orden.",
                objeto(
                    "Una sección.",
                    {
                        "seccion": entero("Su número.", CATALOGO_CASILLAS),
                        "ruta": texto("Su JSON, desde la raíz del corte.", DEL_CORTE),
                        "esperadas": entero("Actas esperadas.", CATALOGO_CASILLAS),
                        "capturadas": entero("Actas capturadas.", DEL_CORTE),
                        "contabilizadas": entero("Actas contabilizadas.", DEL_CORTE),
                        "lista_nominal": parte("La de las contabilizadas entre la de todas."),
                        "votos": por_clave("Renglón → votos contabilizados.", entero("Votos.", DEL_CORTE)),
                        "total": entero("Suma de esos votos.", DEL_CORTE),
                    },
                ),
            ),
        },
    ),
    "ELE/s/NNNN/index.json": objeto(
        "Una sección.",
        {
            **_DE_ELECCION,
            "seccion": entero("Su número.", CATALOGO_CASILLAS),
            "division": objeto("El distrito o municipio en que cuenta.", DIVISION),
            "municipio_nombre": texto("Su municipio; vacío si no consta.", CATALOGO_CASILLAS),
            **AVANCE,
            "por_renglon": VOTOS["por_renglon"],
            "por_candidatura": VOTOS["por_candidatura"],
            "casillas": lista("En orden de catálogo.", ACTA_EN_LISTA),
            "publicada_en": _PUBLICADA_EN,
        },
    ),
    "ELE/s/NNNN/TIIEE.json": objeto(
        "Un acta: casilla × elección.",
        {
            **_DE_ELECCION,
            "casilla": CASILLA,
            "situacion": ACTA_EN_LISTA["properties"]["situacion"],
            "contabilizada": o_nada(entero("1 sus votos se suman, 0 no.", ANEXO_13), "mientras esté pendiente."),
            "inconsistencias": ACTA_EN_LISTA["properties"]["inconsistencias"],
            "observaciones": texto("Sus inconsistencias, con las palabras del instituto.", LEEME),
            "renglones": lista(
                "Los de esa acta, en su orden; vacío si no está verificada.",
                objeto(
                    "Un renglón.",
                    {
                        "clave": texto("Clave del renglón.", DEFINICION),
                        "nombre": texto("Su nombre.", DEFINICION),
                        "asentado": DATO,
                        "votos": entero("Lo que suma: lo ilegible o en blanco vale cero.", ANEXO_13),
                        "entre": entero("Votos de todos los renglones del acta.", ACTA),
                        "porcentaje": texto("votos × 100 / entre, truncado.", ANEXO_13, **PORCENTAJE),
                    },
                ),
                ACTA,
            ),
            "complementarios": o_nada(COMPLEMENTARIOS, "si no está verificada."),
            "total_calculado": ACTA_EN_LISTA["properties"]["total_calculado"],
            "tope": ACTA_EN_LISTA["properties"]["tope"],
            "participacion": o_nada(parte("Votos del acta entre su lista nominal."), "si no está verificada."),
            "procedencia": o_nada(PROCEDENCIA, "si no está verificada."),
            "cronologia": lista(
                "Lo que de verdad pasó con el acta, por hora. Una lectura sin verificar no aparece.",
                objeto(
                    "Un suceso.",
                    {
                        "hora": hora("Cuándo pasó."),
                        "que": texto(" ".join(f"{q}: {e}" for q, e in QUE.items()), LIBRO, enum=list(QUE)),
                        "detalle": texto("En palabras; vacío si no hace falta.", LIBRO),
                        "huella": texto("SHA-256 del sobre que lo dice; vacío si se deduce.", REGISTRO),
                    },
                ),
                LIBRO,
            ),
            "imagen": o_nada(
                objeto(
                    "La imagen del acta.",
                    {
                        "sha256": texto("Su SHA-256.", LIBRO, **HUELLA),
                        "bytes": entero("Su tamaño.", LIBRO),
                        "presente": logico("Si ya se publica; si no, viene en camino.", DEL_CORTE),
                        "ruta": texto("Dónde está, desde la raíz del sitio.", DEL_CORTE),
                    },
                ),
                "si no está verificada o no hay.",
            ),
            "hojas": lista(
                "Huellas de los sobres de que sale esta página; están en el registro.",
                texto("SHA-256 del sobre.", REGISTRO, **HUELLA),
                REGISTRO,
            ),
            "publicada_en": _PUBLICADA_EN,
        },
    ),
    "delta.json": objeto(
        "Qué cambió desde el corte anterior.",
        {
            **ENCABEZADO,
            "corte": corte("El corte que se lee."),
            "anterior": o_nada(corte("Con el que se compara."), "si éste es el primero."),
            "elecciones": por_clave(
                "Clave de elección → sus trece datos.",
                objeto("Una elección.", {"antes": o_nada(OFICIAL, "si éste es el primero."), "ahora": OFICIAL}),
            ),
            "actas": lista(
                "Las que cambiaron.",
                objeto(
                    "Un acta.",
                    {
                        "eleccion": texto("Clave de su elección.", DEFINICION),
                        "casilla": texto("CLAVE_CASILLA.", CATALOGO_CASILLAS),
                        "seccion": entero("Su sección.", CATALOGO_CASILLAS),
                        "ruta": texto("Su JSON, desde la raíz del corte.", DEL_CORTE),
                        "ruta_seccion": texto("El JSON de su sección.", DEL_CORTE),
                    },
                ),
            ),
        },
    ),
}
"""Página → su esquema. En la ruta, ELE es la elección, N la división, NNNN la sección y TIIEE la casilla."""


def esquema() -> Esquema:
    """`esquema.json`: un esquema por página, en `$defs`, para que un difusor valide lo que recibe."""
    return {
        "$schema": DIALECTO,
        "$comment": "Elija en $defs la página. ELE: elección; N: división; NNNN: sección; TIIEE: casilla.",
        "$defs": dict(PAGINAS),
    }
