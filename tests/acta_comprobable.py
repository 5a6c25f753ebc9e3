"""Un centro chico con padrón y actas de todas clases, publicado en dos cortes, para comprobarlas como el público.

Primer corte: una sola captura, que aún no se puede leer; la básica, además, con imagen. Segundo: la básica, verificada
con imagen; la contigua, con una discrepancia que resolvió una tercera persona y sin imagen aún; la especial, sin acta.
"""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from PIL import Image

from nucleo.acta import Digitalizacion, MotivoSinActa, Origen
from nucleo.campo import ILEGIBLE, Numero
from nucleo.hechos import Acopio, Correccion, Hecho, IdActa, Imagen, SinActa
from nucleo.padron import AUTORIDAD, sellar_padron
from servicio_central.corte import hacer_cortes
from servicio_central.imagenes import CARPETA as IMAGENES
from tests.estrategias import firmante
from tests.sobres_de_prueba import AHORA, PROCESO, CentroDePrueba, EquipoDePrueba, captura

BASICA, CONTIGUA, ESPECIAL = (IdActa("GUB", c.clave) for c in PROCESO.esperadas("GUB"))
HORA: Final = datetime(2022, 6, 6, 2, 20, tzinfo=UTC)
PRIMERO, SEGUNDO = "20220605_2120", "20220605_2140"


@dataclass(frozen=True)
class Publicado:
    """Lo que quedó en disco."""

    centro: Path
    imagen: str
    """SHA-256 de la de la básica."""


def archivos_de(acta: IdActa, corte: str = SEGUNDO) -> dict[str, str]:
    """Nombre llano → archivo en disco, dentro de la carpeta del centro, de lo que comprueba la página de un acta."""
    junto = f"registro/actas/{corte}/{acta.eleccion}/{acta.casilla}"
    return {
        "datos": f"cortes/{corte}/{acta.eleccion}/s/{acta.casilla[2:6]}/{acta.casilla[6:]}.json.gz",
        "hojas": f"{junto}.hojas.json.gz",
        "prueba": f"{junto}.tlog-proof",
        "punto": "registro/checkpoint",
        "llave": "registro/llave",
    }


def publicar(carpeta: Path) -> Publicado:
    """Arma el centro, le manda los hechos y hace los dos cortes."""
    una, otra = EquipoDePrueba("catd-01"), EquipoDePrueba("catd-02")
    centro = CentroDePrueba(carpeta, [una, otra])
    autoridad = firmante(AUTORIDAD)
    (carpeta / "autoridad.pub.pem").write_bytes(autoridad.llave.as_pem(private=False))
    (carpeta / "padron.jws").write_text(sellar_padron(centro.padron(), autoridad), "ascii")
    imagen = _imagen(carpeta)
    _mandar(centro, una, _acopio(BASICA), _foto(BASICA, imagen), captura(BASICA.casilla, "ana", 1234, PAN=ILEGIBLE))
    _mandar(centro, una, captura(CONTIGUA.casilla, "ana", 7))
    hacer_cortes(carpeta, PROCESO, HORA)
    _mandar(centro, otra, captura(BASICA.casilla, "ana", 1234, PAN=ILEGIBLE))
    distinta = captura(CONTIGUA.casilla, "beto", 7, PAN=Numero(8))
    _mandar(centro, una, _acopio(CONTIGUA), _foto(CONTIGUA, "ab" * 32), distinta)
    _mandar(centro, una, Correccion(CONTIGUA, 1, AHORA + timedelta(minutes=1), "caro", {"PAN": Numero(8)}))
    _mandar(centro, otra, SinActa(ESPECIAL, AHORA, MotivoSinActa.CASILLA_NO_INSTALADA, "ana", "beto"))
    hacer_cortes(carpeta, PROCESO, HORA + timedelta(minutes=20))
    carpeta.chmod(0o755)
    return Publicado(carpeta, imagen)


def _mandar(centro: CentroDePrueba, equipo: EquipoDePrueba, *hechos: Hecho) -> None:
    assert set(centro.destinos(*map(equipo.mensaje, hechos))) == {"aceptado"}


def _acopio(acta: IdActa) -> Acopio:
    return Acopio(acta, AHORA, Origen.CATD, "ACTA PREP", "", "ana")


def _foto(acta: IdActa, huella: str) -> Imagen:
    return Imagen(acta, AHORA, huella, 900, Digitalizacion.ESCANER, "ana")


def _imagen(carpeta: Path) -> str:
    webp = io.BytesIO()
    Image.linear_gradient("L").resize((850, 1400)).save(webp, "WEBP", quality=40)
    huella = hashlib.sha256(webp.getvalue()).hexdigest()
    destino = carpeta / IMAGENES / huella[:2] / huella
    destino.parent.mkdir(parents=True)
    destino.write_bytes(webp.getvalue())
    return huella
