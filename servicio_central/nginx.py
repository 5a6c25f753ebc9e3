"""La configuración de nginx del sitio público: archivos ya escritos y nada más. Ninguna petición llega a Python.

Medidas y trampas en `docs/publicacion.md`.
"""

from __future__ import annotations

import ipaddress
import re
import resource
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from servicio_central import cabeceras_publicas as publicas
from servicio_central import disco
from servicio_central.errores_publicos import PAGINAS, pagina_de_error
from servicio_central.tropiezo import Tropiezo

CARPETA: Final = "nginx"
"""Dentro de la del centro: configuración, páginas de error, pid y bitácora."""

CONFIGURACION: Final = "nginx.conf"
BITACORA: Final = "nginx.log"
_DESCRIPTORES: Final = 65_536
_PELIGROSOS: Final = re.compile(r"[\x00-\x1f\x7f\"'\\${};]")
_NOMBRE: Final = re.compile(r"(?!-)[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63})*", re.IGNORECASE)
_CUENTA: Final = re.compile(r"[a-z_][a-z0-9_-]*")


@dataclass(frozen=True, slots=True)
class Ajustes:
    """Cómo se sirve el sitio de una carpeta del centro, o de una copia suya."""

    carpeta: Path
    trabajo: Path
    """Donde nginx guarda lo suyo; se escribe, así que no es de las que se publican."""
    puerto: int
    direccion: str = "127.0.0.1"
    nombre: str = ""
    """El del sitio, como `prep.ejemplo.mx`; vacío, cualquiera."""
    certificado: Path | None = None
    llave: Path | None = None
    puerto_http: int = 0
    """Con TLS, desde qué puerto se manda al otro; 0, ninguno."""
    cuenta: str = ""
    """Con cuál atienden los trabajadores; sólo si quien lo arranca es root."""
    trabajadores: int = 0
    """0, uno por núcleo."""
    descriptores: int = 1024
    """Los que puede abrir cada trabajador."""
    peticiones_por_direccion: int = 300
    """Por segundo. Detrás de una sola dirección puede haber un barrio entero con su teléfono."""
    conexiones_por_direccion: int = 600
    relee_s: int = 1
    """Segundos que puede tardar en notar que `publico` ya es otro corte."""

    @property
    def en_cache(self) -> int:
        """Archivos que se quedan abiertos."""
        return max(16, self.descriptores // 3)

    @property
    def conexiones(self) -> int:
        """Por trabajador."""
        return max(64, self.descriptores // 2)


def descriptores() -> int:
    """Los que un trabajador podrá abrir: hasta 65 536, o lo que el sistema deje."""
    _, maximo = resource.getrlimit(resource.RLIMIT_NOFILE)
    return _DESCRIPTORES if maximo == resource.RLIM_INFINITY else min(maximo, _DESCRIPTORES)


def texto(ajustes: Ajustes) -> str:
    """La configuración.

    Raises:
        Tropiezo: SITIO, si algún dato no puede ir ahí sin cambiar lo que dice la configuración.
    """
    _revisar(ajustes)
    plantilla = _entorno().get_template("nginx.conf")
    return plantilla.render(
        a=ajustes,
        carpeta=ajustes.carpeta.resolve(),
        trabajo=ajustes.trabajo.resolve(),
        direccion=_direccion(ajustes.direccion),
        tipos=publicas.TIPOS.items(),
        de_datos=publicas.DE_DATOS,
        clases=publicas.CLASES,
        pagina=publicas.PAGINA,
        dato=publicas.DATO,
        grafica=publicas.GRAFICA,
        de_la_clase=publicas.de_la_clase,
        variables={publicas.CSP: "csp", publicas.RECURSO: "recurso", publicas.ORIGEN: "origen"},
        origen=publicas.ORIGEN,
        rutas=publicas.RUTAS,
        fijas=publicas.FIJAS,
        hsts=publicas.HSTS,
        binario=publicas.BINARIO,
        inmutable=publicas.INMUTABLE,
        vivo=publicas.VIVO,
        falta=publicas.FALTA,
        sin_guardar=publicas.SIN_GUARDAR,
    )


def escribir(ajustes: Ajustes) -> Path:
    """Escribe la configuración y las páginas de error; devuelve la ruta de la configuración.

    Raises:
        Tropiezo: como `texto`.
        OSError: si no se puede escribir en la carpeta de trabajo.
    """
    contenido = texto(ajustes).encode()
    errores = ajustes.trabajo / "errores"
    for carpeta in (ajustes.trabajo, errores):
        carpeta.mkdir(parents=True, exist_ok=True, mode=0o755)
    disco.carpeta_privada(ajustes.trabajo / "temporales")
    for codigo in PAGINAS:
        disco.escribir(errores / f"{codigo}.html", pagina_de_error(codigo))
    disco.escribir(ajustes.trabajo / CONFIGURACION, contenido)
    return ajustes.trabajo.resolve() / CONFIGURACION


def _entorno() -> Environment:
    # Sin escape de HTML, que aquí no protege: lo que viene de fuera lo revisa `_revisar`.
    return Environment(
        loader=PackageLoader("servicio_central", "plantillas"),
        autoescape=False,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _revisar(a: Ajustes) -> None:
    rutas = {"carpeta": a.carpeta.resolve(), "trabajo": a.trabajo.resolve(), "certificado": a.certificado}
    for que, ruta in {**rutas, "llave": a.llave}.items():
        if ruta is not None and _PELIGROSOS.search(str(ruta)):
            causa = "nginx daría otro sentido a comillas, llaves, $, ; o renglones nuevos"
            raise _tropiezo(f"la ruta de {que}, {ruta!s:.200}, no puede ir en su configuración", causa, "use otra")
    if (a.certificado is None) != (a.llave is None):
        raise _tropiezo("para servir con TLS hacen falta los dos", "se dio sólo uno", "dé el certificado y su llave")
    if a.nombre and not _NOMBRE.fullmatch(a.nombre):
        raise _tropiezo(f"{a.nombre!r:.80} no es nombre de un sitio", "un dedazo", "escríbalo como prep.ejemplo.mx")
    if a.cuenta and not _CUENTA.fullmatch(a.cuenta):
        raise _tropiezo(f"{a.cuenta!r:.80} no es nombre de una cuenta", "un dedazo", "use una como www-data")
    if a.puerto_http and not (a.certificado and a.nombre):
        causa = "falta el certificado o el nombre del sitio"
        raise _tropiezo("no hay a dónde mandar a quien llega sin TLS", causa, "dé --certificado, --llave y --nombre")
    _direccion(a.direccion)
    for puerto in (a.puerto, a.puerto_http or a.puerto):
        if not 1 <= puerto <= 65535:
            raise _tropiezo(f"{puerto} no es un puerto", "un dedazo", "use uno de 1 a 65535")
    # nginx no admite más conexiones por dirección que ésas.
    limites = (a.peticiones_por_direccion, a.relee_s, a.conexiones_por_direccion)
    if min(limites) < 1 or a.conexiones_por_direccion > 65_535 or not 0 <= a.trabajadores <= 1024:
        raise _tropiezo("un límite es cero, negativo o desmedido", "un dedazo", "corríjalo")


def _direccion(direccion: str) -> str:
    try:
        leida = ipaddress.ip_address(direccion)
    except ValueError:
        siguiente = "use una como 127.0.0.1, 0.0.0.0 (todas) o ::"
        raise _tropiezo(f"{direccion!r:.80} no es una dirección IP", "se dio un nombre", siguiente) from None
    return f"[{leida}]" if leida.version == 6 else str(leida)


def _tropiezo(que: str, causa: str, siguiente: str) -> Tropiezo:
    return Tropiezo("SITIO", que, causa, siguiente)
