"""Lo que el sitio público contesta en cada dirección: de qué carpeta sale, cuánto dura y con qué cabeceras.

De aquí salen la configuración de nginx y la demostración en Python: por eso contestan lo mismo. Direcciones según
`docs/publicacion.md`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

INMUTABLE: Final = "public, max-age=31536000, immutable"
VIVO: Final = "public, max-age=30, stale-while-revalidate=60, stale-if-error=86400"
PUNTO: Final = "public, max-age=10"
FALTA: Final = PUNTO
"""Un 404 también se guarda un momento: quien insiste en lo que no existe no pasa del primer intermediario."""

SIN_GUARDAR: Final = "no-store"

BINARIO: Final = "application/octet-stream"
TEXTO: Final = "text/plain; charset=utf-8"
HTML: Final = "text/html; charset=utf-8"

PAGINA: Final = "pagina"
DATO: Final = "dato"
GRAFICA: Final = "grafica"
CLASES: Final = (PAGINA, DATO, GRAFICA)


@dataclass(frozen=True, slots=True)
class Ruta:
    """Un prefijo público y la carpeta, dentro de la del centro, de donde sale."""

    prefijo: str
    carpeta: str
    frescura: str
    comprimido: bool
    """Si en disco puede estar sólo como `.gz`."""
    tipo: str = ""
    """El de todo lo que hay ahí, que son datos; vacío, según su extensión."""


RUTAS: Final = (
    Ruta("/cortes/", "cortes", INMUTABLE, comprimido=True),
    Ruta("/registro/tile/", "registro/tile", INMUTABLE, comprimido=False, tipo=BINARIO),
    Ruta("/registro/actas/", "registro/actas", INMUTABLE, comprimido=True, tipo=TEXTO),
    Ruta("/registro/", "registro", PUNTO, comprimido=False, tipo=TEXTO),
    Ruta("/imagenes/", "imagenes_publicas", INMUTABLE, comprimido=False),
    Ruta("/documentos/", "documentos_publicos", INMUTABLE, comprimido=False, tipo=BINARIO),
    Ruta("/", "publico", VIVO, comprimido=True),
)
"""De la más larga a la más corta: manda la primera que empieza igual."""

# Con `Content-Encoding: gzip` nginx no agrega el juego de caracteres por su cuenta: va dicho en el tipo.
TIPOS: Final = {
    "html": HTML,
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "txt": TEXTO,
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
    "xml": "application/xml",
    "atom": "application/atom+xml",
    "svg": "image/svg+xml",
    "webp": "image/webp",
    "png": "image/png",
    "ico": "image/x-icon",
    "woff2": "font/woff2",
    "zip": "application/zip",
    "gz": "application/gzip",
    # C2SP no le da tipo propio; así el navegador la enseña y nadie la ejecuta.
    "tlog-proof": TEXTO,
}
DE_DATOS: Final = tuple(e for e in TIPOS if e in ("json", "zip", "csv", "gz", "txt", "tlog-proof"))
"""Lo que una página ajena puede leer, por su extensión: son los datos abiertos. Las páginas y las imágenes, no."""

_CSP: Final = (
    "default-src 'none'; img-src 'self'; style-src 'self'; script-src 'self'; connect-src 'self'; font-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
_CSP_SVG: Final = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors *"
_SEGURIDAD: Final = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}
HSTS: Final = "max-age=31536000"

CSP: Final = "Content-Security-Policy"
RECURSO: Final = "Cross-Origin-Resource-Policy"
ORIGEN: Final = "Access-Control-Allow-Origin"
FIJAS: Final = tuple(_SEGURIDAD.items())
"""Van en toda respuesta, también en los errores."""


def de_la_clase(clase: str) -> dict[str, str]:
    """Las cabeceras que dependen de qué se entrega: una gráfica se puede incrustar y un dato se puede leer de fuera.

    Args:
        clase: una de `CLASES`.
    """
    cabeceras = {
        CSP: _CSP_SVG if clase == GRAFICA else _CSP,
        RECURSO: "same-origin" if clase == PAGINA else "cross-origin",
    }
    if clase == DATO:
        cabeceras[ORIGEN] = "*"
    return cabeceras


def clase_de(nombre: str, ruta: Ruta) -> str:
    """De qué clase es lo que hay en esa dirección. Va por la dirección y no por el tipo: un 304 no lleva tipo, y el
    navegador cambiaría por las suyas las cabeceras que ya tenía."""
    if ruta.tipo:
        return DATO
    extension = _extension(nombre)
    return GRAFICA if extension == "svg" else DATO if extension in DE_DATOS else PAGINA


def tipo_de(nombre: str) -> str:
    """El tipo MIME de un archivo, sin su `.gz`, por la extensión."""
    return TIPOS.get(_extension(nombre), BINARIO)


def _extension(nombre: str) -> str:
    _, punto, extension = nombre.rpartition("/")[2].rpartition(".")
    return extension.lower() if punto else ""
