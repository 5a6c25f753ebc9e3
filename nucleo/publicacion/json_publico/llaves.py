"""Las palabras y los pedazos con que se escribe el esquema: cada llave con su explicación y su fuente.

Es JSON Schema 2020-12 con lo indispensable (`type`, `enum`, `const`, `pattern`, `minimum`, `items`, `properties`,
`required`, `additionalProperties`, `anyOf`). Los objetos son cerrados: una llave nueva sin explicar no pasa.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from nucleo.acta import MECANISMOS_TRASLADO, TIPOS_DOCUMENTO, Digitalizacion, Origen
from nucleo.base_oficial import columnas
from nucleo.casilla import TIPOS
from nucleo.inconsistencias import CATALOGO, CODIGOS
from nucleo.modos import MODOS
from nucleo.publicacion.parcial import CAUSAS
from nucleo.publicacion.situacion import Situacion

Esquema = dict[str, Any]

ANEXO_13: Final = "Anexo 13 del Reglamento de Elecciones del INE"
LEEME: Final = "LEEME INE e IECM 2024"
ACTA: Final = "Acta de escrutinio y cómputo"
CATALOGO_CASILLAS: Final = "Catálogo de casillas aprobado"
DEFINICION: Final = "Definición del proceso, firmada"
REGISTRO: Final = "Registro de transparencia"
PADRON: Final = "Padrón de equipos firmado por la autoridad"
DEL_CORTE: Final = "Calculado en el corte"
LIBRO: Final = "Hechos firmados por los equipos"

SITUACIONES: Final[Mapping[Situacion, str]] = {
    Situacion.NO_HA_LLEGADO: "todavía no se recibe",
    Situacion.RECIBIDA: "se recibió y falta digitalizarla",
    Situacion.DIGITALIZADA: "tiene imagen y nadie ha terminado de capturarla",
    Situacion.EN_CAPTURA: "una persona la capturó y falta que otra lo haga sin ver",
    Situacion.EN_DISCREPANCIA: "dos capturas difieren y otra persona transcribe lo que difiere",
    Situacion.EN_DUDA: "se había publicado y se retiró, porque una lectura posterior la contradice",
    Situacion.SIN_ACTA: "el paquete no trae acta, o no hay paquete",
    Situacion.CONTABILIZADA: "sus votos se suman",
    Situacion.NO_CONTABILIZADA: "está verificada y sus votos no se suman",
}


def texto(que: str, fuente: str, **mas: Any) -> Esquema:
    return {"type": "string", "description": que, "x-fuente": fuente, **mas}


def entero(que: str, fuente: str, **mas: Any) -> Esquema:
    return {"type": "integer", "minimum": 0, "description": que, "x-fuente": fuente, **mas}


def logico(que: str, fuente: str) -> Esquema:
    return {"type": "boolean", "description": que, "x-fuente": fuente}


def lista(que: str, de: Esquema, fuente: str = DEL_CORTE) -> Esquema:
    return {"type": "array", "description": que, "x-fuente": fuente, "items": de}


def objeto(que: str, llaves: Mapping[str, Esquema], fuente: str = DEL_CORTE) -> Esquema:
    """Un objeto con exactamente esas llaves."""
    return {
        "type": "object",
        "description": que,
        "x-fuente": fuente,
        "properties": dict(llaves),
        "required": list(llaves),
        "additionalProperties": False,
    }


def por_clave(que: str, de: Esquema, fuente: str = DEL_CORTE) -> Esquema:
    """Un objeto cuyas llaves son claves de la definición: renglones, candidaturas o elecciones."""
    return {"type": "object", "description": que, "x-fuente": fuente, "additionalProperties": de}


def o_nada(de: Esquema, cuando: str) -> Esquema:
    """Lo mismo, o `null`."""
    mismo = {llave: valor for llave, valor in de.items() if llave not in ("description", "x-fuente")}
    que = f"{de['description']} `null` {cuando}"
    return {"description": que, "x-fuente": de["x-fuente"], "anyOf": [mismo, {"type": "null"}]}


# -------------------------------------------------------------------------------------------------------------- pedazos

HUELLA: Final = {"pattern": "^[0-9a-f]{64}$"}
PORCENTAJE: Final = {"pattern": r"^[0-9]+\.[0-9]{4}$"}
DATO: Final[Esquema] = {
    "description": "Lo asentado en el acta: un número, ILEGIBLE o SIN DATO.",
    "x-fuente": ACTA,
    "anyOf": [{"type": "integer", "minimum": 0}, {"enum": ["ILEGIBLE", "SIN DATO"]}],
}


def hora(que: str, fuente: str = LIBRO) -> Esquema:
    patron = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?[+-][0-9]{2}:[0-9]{2}$"
    return texto(f"{que} ISO 8601, en hora de la entidad.", fuente, pattern=patron)


def parte(que: str) -> Esquema:
    return objeto(
        que,
        {
            "parte": entero("Numerador.", DEL_CORTE),
            "entre": entero("Denominador; si es cero, el porcentaje es 0.0000.", DEL_CORTE),
            "porcentaje": texto("parte × 100 / entre, con cuatro decimales truncados.", ANEXO_13, **PORCENTAJE),
        },
    )


def corte(que: str) -> Esquema:
    return objeto(
        que,
        {
            "nombre": texto("AAAAMMDD_HHMM, en hora de la entidad; es su carpeta.", DEL_CORTE),
            "hora": hora("Hora del corte.", DEL_CORTE),
            "ultimo": logico("Si es el de cierre: la participación incluye casillas especiales.", ANEXO_13),
        },
    )


def renglon(que: str) -> Esquema:
    return lista(
        que,
        objeto(
            "Un renglón de la tabla.",
            {
                "clave": texto("Clave del renglón, candidatura o partido.", DEFINICION),
                "nombre": texto("Su nombre.", DEFINICION),
                "votos": entero("Votos de las actas contabilizadas.", DEL_CORTE),
                "entre": entero("Votos de todos los renglones, con no registradas y nulos.", DEL_CORTE),
                "porcentaje": texto("votos × 100 / entre, con cuatro decimales truncados.", ANEXO_13, **PORCENTAJE),
            },
        ),
    )


ENCABEZADO: Final[Mapping[str, Esquema]] = {
    "v": {"const": 1, "description": "Versión de la forma de este JSON.", "x-fuente": "Este programa"},
    "proceso": texto("Clave del proceso electoral.", DEFINICION),
    "modo": texto("Si son resultados o una práctica.", DEFINICION, enum=list(MODOS)),
    "definicion": texto("SHA-256 de los archivos de la definición con que se contó; vacío en ensayos.", DEFINICION),
}
ELECCION: Final = objeto(
    "La elección.",
    {"clave": texto("Su clave, la de las carpetas.", DEFINICION), "nombre": texto("Su nombre.", DEFINICION)},
    DEFINICION,
)
OFICIAL: Final = objeto(
    "Los trece datos del resumen, como van en la base oficial.",
    {c.nombre: texto(c.descripcion, f"{ANEXO_13}; {LEEME}") for c in columnas.RESUMEN},
)
AVANCE: Final[Mapping[str, Esquema]] = {
    "actas": objeto(
        "Cuántas actas hay de cada clase.",
        {
            "esperadas": entero("De todas las casillas aprobadas para esta elección.", CATALOGO_CASILLAS),
            "registradas": entero("Capturadas y fuera de catálogo.", ANEXO_13),
            "fuera_catalogo": entero("Que no se pudieron asociar a una casilla aprobada.", ANEXO_13),
            "capturadas": entero("Ya publicadas, sumen o no sus votos.", ANEXO_13),
            "contabilizadas": entero("Cuyos votos se suman.", ANEXO_13),
            "no_contabilizadas": entero("Capturadas cuyos votos no se suman.", ANEXO_13),
            "inconsistentes": entero("Con algún renglón ilegible o en blanco, todos así, o que exceden.", ANEXO_13),
        },
    ),
    "avance": objeto(
        "Tres porcentajes distintos, todos sobre las esperadas.",
        {
            "capturadas": parte("Capturadas entre esperadas."),
            "contabilizadas": parte("Contabilizadas entre esperadas."),
            "inconsistentes": parte("Con inconsistencias entre esperadas."),
        },
    ),
    "faltan": objeto(
        "Por qué las contabilizadas no son todas las esperadas.",
        {
            "total": entero("Esperadas que no se contabilizan; es la suma de las causas.", DEL_CORTE),
            "por_causa": objeto(
                "Cuántas por cada causa.",
                {
                    c: entero(q, DEL_CORTE)
                    for c, q in {
                        **{s.value: f"Actas que están así: {q}." for s, q in SITUACIONES.items()},
                        **{c: e.publico for c, e in CATALOGO.items()},
                    }.items()
                    if c in CAUSAS
                },
            ),
        },
    ),
    "lista_nominal": parte("Lista nominal de las actas contabilizadas entre la de todas las esperadas."),
    "votos": objeto(
        "Votos de las actas contabilizadas.",
        {
            "con_especiales": entero("De todas.", LEEME),
            "sin_especiales": entero("Sin las de casillas especiales.", LEEME),
        },
    ),
    "participacion": objeto(
        "Votos entre lista nominal de las contabilizadas. La oficial es sin especiales hasta el último corte, y con "
        "ellas en él.",
        {"sin_especiales": parte("Sin casillas especiales."), "con_especiales": parte("Con casillas especiales.")},
        ANEXO_13,
    ),
    "ubicacion": objeto(
        "Contabilizadas por ubicación de la casilla.",
        {"urbanas": entero("Urbanas.", CATALOGO_CASILLAS), "no_urbanas": entero("No urbanas.", CATALOGO_CASILLAS)},
    ),
    "inconsistencias": objeto(
        "Actas con cada inconsistencia; una puede tener dos.",
        {codigo: entero(CATALOGO[codigo].publico, CATALOGO[codigo].fundamento) for codigo in CODIGOS},
    ),
}
ADELANTE: Final = objeto(
    "Quién tiene más votos. No registradas y nulos no compiten.",
    {
        "candidaturas": lista("Una; varias si empatan; ninguna si no hay votos.", texto("Clave.", DEFINICION)),
        "empate": logico("Si hay más de una.", DEL_CORTE),
    },
)
VOTOS: Final[Mapping[str, Esquema]] = {
    "por_renglon": renglon("Votos de cada renglón del acta."),
    "por_candidatura": renglon("Votos por candidatura: la coalición reúne a sus partidos y combinaciones."),
    "por_partido": renglon("Votos por partido, repartido en cada división lo de sus coaliciones (LGIPE 311.1.c)."),
    "adelante": ADELANTE,
}
DIVISION: Final[Mapping[str, Esquema]] = {
    "tipo": texto("En qué se divide la elección.", DEFINICION, enum=["distrito", "municipio"]),
    "clave": o_nada(entero("Su número.", CATALOGO_CASILLAS), "si reúne las mesas que no pertenecen a ninguna."),
    "nombre": texto("Su nombre.", CATALOGO_CASILLAS),
}
BASE_DE_DATOS: Final = objeto(
    "La base de datos oficial de la elección.",
    {
        "archivo": texto("Nombre del zip.", ANEXO_13),
        "bytes": entero("Su tamaño.", DEL_CORTE),
        "sha256": texto("Su SHA-256; vacío si no se publicó.", DEL_CORTE),
    },
)
ACTA_EN_LISTA: Final = objeto(
    "Un acta.",
    {
        "casilla": texto("CLAVE_CASILLA.", CATALOGO_CASILLAS),
        "ruta": texto("Su JSON, desde la raíz del corte.", DEL_CORTE),
        "situacion": texto("En qué está.", DEL_CORTE, enum=[s.value for s in Situacion]),
        "inconsistencias": lista("Códigos de sus inconsistencias.", texto("Código.", ANEXO_13, enum=list(CODIGOS))),
        "total_calculado": o_nada(entero("Suma de sus renglones.", ACTA), "si no está verificada."),
        "tope": entero("Votos que caben: lista nominal más representaciones, o boletas si es especial.", ANEXO_13),
    },
)
PROCEDENCIA: Final = objeto(
    "Cómo y cuándo llegó el documento.",
    {
        **{
            llave: o_nada(hora(que), "si esa fase no ha ocurrido.")
            for llave, que in {
                "acopio": "Cuándo se recibió.",
                "captura": "Cuándo se capturó la primera vez.",
                "verificacion": "Cuándo hubo acuerdo.",
            }.items()
        },
        "origen": o_nada(
            texto("Dónde se digitalizó.", LEEME, enum=[o.value for o in Origen]), "si no consta el acopio."
        ),
        "digitalizacion": o_nada(
            texto("Con qué se digitalizó.", LEEME, enum=[d.value for d in Digitalizacion]), "si no hay imagen."
        ),
        "tipo_documento": texto("Qué documento es; vacío si no consta.", LEEME, enum=["", *TIPOS_DOCUMENTO]),
        "mecanismo_traslado": texto("Cómo se trasladó.", LEEME, enum=list(MECANISMOS_TRASLADO)),
        "sha256": texto("SHA-256 de la imagen; vacío si no hay.", LEEME),
    },
    LIBRO,
)
CASILLA: Final = objeto(
    "La casilla.",
    {
        "clave": texto("Entidad, sección, tipo, número y extraordinaria contigua.", CATALOGO_CASILLAS),
        "clave_acta": texto("La clave seguida del tipo de acta.", LEEME),
        "seccion": entero("Sección electoral.", CATALOGO_CASILLAS),
        "tipo": texto("B, C, E, S, M, A o P.", CATALOGO_CASILLAS, enum=list(TIPOS)),
        "numero": entero("Número de la casilla.", CATALOGO_CASILLAS),
        "ext_contigua": entero("Número de la contigua de una extraordinaria.", CATALOGO_CASILLAS),
        "distrito": o_nada(entero("Distrito local.", CATALOGO_CASILLAS), "si no pertenece a ninguno."),
        "distrito_nombre": texto("Su nombre.", CATALOGO_CASILLAS),
        "municipio": o_nada(entero("Municipio.", CATALOGO_CASILLAS), "si no consta."),
        "municipio_nombre": texto("Su nombre.", CATALOGO_CASILLAS),
        "ubicacion": entero("1 urbana, 2 no urbana.", CATALOGO_CASILLAS),
        "lista_nominal": entero("Personas con derecho a votar ahí; 0 en las especiales.", CATALOGO_CASILLAS),
        "representantes": entero("Representaciones acreditadas.", CATALOGO_CASILLAS),
    },
    CATALOGO_CASILLAS,
)
COMPLEMENTARIOS: Final = objeto(
    "Los otros datos del acta.",
    {
        llave: DATO | {"description": f"{que} Un número, ILEGIBLE o SIN DATO."}
        for llave, que in {
            "boletas_sobrantes": "Boletas no usadas y canceladas.",
            "personas_votaron": "Personas de la lista nominal que votaron.",
            "representantes_votaron": "Representaciones que votaron.",
            "votos_sacados": "Votos sacados de la urna.",
            "total_asentado": "Total escrito en el acta, cuadre o no.",
        }.items()
    },
    ACTA,
)
