"""Una noche chica publicada de verdad: centro, padrón firmado, cuatro cortes y lo que puede pasar entre ellos."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from nucleo.acta import Digitalizacion, MotivoSinActa, Origen, asentado_de_campos
from nucleo.campo import Campo, Numero
from nucleo.definicion import cargar_proceso
from nucleo.eleccion import Proceso
from nucleo.eventos import RenglonDeBitacora
from nucleo.hechos import Acopio, Captura, FueraDeCatalogo, Hecho, HojaDeBitacora, IdActa, Imagen, Recaptura, SinActa
from nucleo.padron import AUTORIDAD, Exclusion, Padron, sellar_padron
from nucleo.temas import Carril, Tema, ambito_de
from nucleo.transparencia.cofirma import Cofirmante
from nucleo.transparencia.punto import leer_punto
from servicio_central import ajustes, imagenes, vigente
from servicio_central.almacen import Almacen
from servicio_central.corte import hacer_cortes
from servicio_central.ingesta import Ingesta, Mensaje
from servicio_central.publicacion.publicador import Publicador
from tests.estrategias import FirmanteEnMemoria, firmante
from tests.sobres_de_prueba import EquipoDePrueba

ORIGEN: Final = Path(__file__).resolve().parents[1] / "datos" / "ejemplo_tres_elecciones"
COMPLEMENTARIOS: Final = ("BOLETAS_SOBRANTES", "PERSONAS_VOTARON", "REPRESENTANTES_VOTARON", "VOTOS_SACADOS")


def proceso_de_ejemplo() -> Proceso:
    return cargar_proceso(ORIGEN)


@dataclass(repr=False)
class NocheDeRegistro:
    """Un centro con autoridad y dos kioscos; cada `corte` publica y guarda los sobres que se han mandado."""

    carpeta: Path
    proceso: Proceso = field(default_factory=proceso_de_ejemplo)
    autora: FirmanteEnMemoria = field(default_factory=lambda: firmante(AUTORIDAD))
    uno: EquipoDePrueba = field(default_factory=lambda: EquipoDePrueba("catd-01"))
    dos: EquipoDePrueba = field(default_factory=lambda: EquipoDePrueba("catd-02"))
    testigo: Cofirmante = field(default_factory=lambda: Cofirmante("testigo.ejemplo/uno", Ed25519PrivateKey.generate()))
    sobres: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.carpeta.mkdir(parents=True, exist_ok=True)
        (self.carpeta / "autoridad.pub.pem").write_bytes(self.autora.llave.as_pem(private=False))
        shutil.copytree(ORIGEN, self.carpeta / vigente.COPIA)
        (self.carpeta / "testigos.toml").write_text(
            f'quorum = 1\n[[testigo]]\nvkey = "{self.testigo.llave.vkey}"\nurl = "http://127.0.0.1:9"\n'
        )
        self.publicador = Publicador(self.carpeta)
        equipos = {e.nombre: e.inscrito() for e in (self.uno, self.dos)}
        self.almacen = Almacen.abrir(self.carpeta / ajustes.ALMACEN)
        self.padron = Padron(self.proceso.clave, self.proceso.modo, 1, equipos)
        self.ingesta = Ingesta(self.almacen, self.proceso, self.padron, firmante("centro"), lambda: self.hora(0))
        self.firmar(self.padron)

    def hora(self, minuto: int) -> datetime:
        return self.proceso.inicio_publicacion + timedelta(minutes=minuto)

    def firmar(self, padron: Padron) -> None:
        (self.carpeta / ajustes.PADRON).write_text(sellar_padron(padron, self.autora))
        self.padron = padron
        self.ingesta.recargar(padron=padron)

    def excluir(self, equipo: EquipoDePrueba, hasta: int) -> None:
        exclusion = {equipo.epoca: Exclusion(hasta, "se robaron el kiosco", self.hora(0))}
        cambiado = replace(self.padron.equipos[equipo.nombre], vigente=False, exclusiones=exclusion)
        equipos = {**self.padron.equipos, equipo.nombre: cambiado}
        self.firmar(replace(self.padron, version=self.padron.version + 1, equipos=equipos))

    def mandar(self, equipo: EquipoDePrueba, *hechos: Hecho) -> list[str]:
        """Los firma y los entrega; devuelve los sobres."""
        ambito = ambito_de(self.proceso.modo, self.proceso.clave)
        tema = str(Tema(ambito, equipo.nombre, Carril.HECHOS))
        sobres = [equipo.firmar(h, proceso=self.proceso.clave, modo=self.proceso.modo) for h in hechos]
        dictamenes = self.ingesta.procesar([Mensaje(tema, s.encode()) for s in sobres]).dictamenes
        assert {d.destino.value for d in dictamenes} <= {"aceptado"}, dictamenes
        self.sobres += sobres
        return sobres

    def corte(self, minuto: int, *, ultimo: bool = False) -> str:
        """Hace el corte, con su cofirma, y devuelve su nombre."""
        hora = self.hora(minuto)
        hechos = hacer_cortes(self.carpeta, self.proceso, hora, ultimo=ultimo, ahora=hora, publicador=self.publicador)
        nombre = next(iter(hechos.values())).carpeta.name
        registro = self.publicador._registro
        assert registro is not None
        assert registro.nota is not None
        punto = leer_punto(registro.nota.texto)
        registro.cofirmar(nombre, [self.testigo.cofirmar(punto, int(hora.timestamp()))])
        return nombre

    # ---------------------------------------------------------------------------------------------------------- hechos

    def captura(
        self, acta: IdActa, persona: str, votos: int = 10, vuelta: int = 1, imagen: str | None = None
    ) -> Captura:
        casilla = self.proceso.casillas[acta.casilla]
        opciones = self.proceso.elecciones[acta.eleccion].opciones_de(casilla)
        campos: dict[str, Campo] = dict.fromkeys((*COMPLEMENTARIOS, "TOTAL_ASENTADO"), Numero(votos))
        asentado = asentado_de_campos(campos | dict.fromkeys((o.clave for o in opciones), Numero(votos)))
        return Captura(acta, vuelta, self.hora(-30), persona, asentado, imagen)

    def pareja(self, acta: IdActa, votos: int = 10, vuelta: int = 1, imagen: str | None = None) -> list[Captura]:
        return [self.captura(acta, p, votos, vuelta, imagen) for p in ("ana", "beto")]

    def foto(self, acta: IdActa, texto: str, *, llega: bool = True) -> Imagen:
        datos = f"RIFF imagen de mentiras: {texto}".encode() * 3
        sha256 = hashlib.sha256(datos).hexdigest()
        if llega:
            self.llega(datos)
        return Imagen(acta, self.hora(-40), sha256, len(datos), Digitalizacion.ESCANER, "ana")

    def llega(self, datos: bytes) -> None:
        sha256 = hashlib.sha256(datos).hexdigest()
        destino = self.carpeta / imagenes.CARPETA / sha256[:2] / sha256
        destino.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        destino.write_bytes(datos)

    def bitacora(self) -> HojaDeBitacora:
        renglon = RenglonDeBitacora(self.hora(-60).isoformat(), "arranque", "", "", "secreto del turno")
        return HojaDeBitacora(self.hora(-60), 1, "0" * 64, (renglon,))


def casillas(noche: NocheDeRegistro, eleccion: str) -> list[IdActa]:
    return [IdActa(eleccion, c.clave) for c in noche.proceso.esperadas(eleccion)]


def vivir(carpeta: Path) -> NocheDeRegistro:
    """Cuatro cortes: reservas, sin acta, fuera de catálogo, imagen tardía, recaptura, exclusión y último corte."""
    noche = NocheDeRegistro(carpeta)
    gub, dip = casillas(noche, "GUB"), casillas(noche, "DIP_LOC")
    acopio = Acopio(gub[1], noche.hora(-50), Origen.CATD, "ACTA PREP", "", "ana")
    foto = noche.foto(gub[1], "primera")
    noche.mandar(noche.uno, noche.bitacora(), acopio, foto, *noche.pareja(gub[1], imagen=foto.sha256))
    noche.mandar(noche.dos, noche.captura(gub[2], "caro", 7), *noche.pareja(dip[0], 3))
    noche.corte(0)
    tardia = noche.foto(dip[3], "tardía", llega=False)
    fuera = FueraDeCatalogo(
        "GUB", "F-1", noche.hora(5), Origen.CATD, Digitalizacion.ESCANER, "ACTA PREP", "", "cd" * 32, "ana"
    )
    sin = SinActa(dip[1], noche.hora(6), MotivoSinActa.PAQUETE_SIN_BOLSA, "ana", "beto")
    noche.mandar(noche.uno, fuera, sin, tardia, *noche.pareja(dip[3], 12, imagen=tardia.sha256))
    noche.mandar(noche.dos, noche.captura(gub[2], "dino", 7), *noche.pareja(gub[5], 999))
    noche.corte(20)
    recaptura = Recaptura(gub[1], 2, noche.hora(25), "caro", "borrosa")
    noche.mandar(noche.uno, recaptura, noche.captura(gub[1], "dino", 11, 2), noche.captura(gub[4], "ana", 4))
    noche.llega(b"RIFF imagen de mentiras: tard\xc3\xada" * 3)
    noche.excluir(noche.dos, 4)
    noche.corte(40)
    noche.mandar(noche.uno, noche.captura(gub[1], "caro", 11, 2), *noche.pareja(dip[4], 5))
    noche.corte(60, ultimo=True)
    noche.almacen.cerrar()
    return noche


def publicos(carpeta: Path) -> Iterable[Path]:
    """Los archivos públicos de esa carpeta, sin los enlaces, en orden."""
    raices = ("cortes", "registro", "imagenes_publicas", "documentos_publicos")
    for raiz in raices:
        for ruta in sorted((carpeta / raiz).rglob("*")):
            if ruta.is_file() and not any(p.is_symlink() for p in (ruta, *ruta.parents)):
                yield ruta
