"""Quien publica: hace cada corte completo, lo asienta en el registro y mueve el enlace. Uno solo a la vez por centro.

Vive entre corte y corte, y así cada uno sólo lee, cuenta y escribe lo que cambió. Todo lo que sabe se puede rehacer del
almacén y del registro: si muere, el siguiente llega a los mismos bytes. El orden de las escrituras es el que permite
retomar: recado con las hojas, carpeta del corte, registro, enlace.
"""

from __future__ import annotations

import hashlib
import itertools
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from nucleo.base_oficial.escritura import Renglones, escribir_zip
from nucleo.eleccion import Proceso
from nucleo.hechos import FueraDeCatalogo, HojaDeBitacora, IdActa
from nucleo.padron import Padron
from nucleo.publicacion import fichas, rutas
from nucleo.publicacion.armado import Armador, Cambios
from nucleo.publicacion.manifiesto import Archivo
from nucleo.publicacion.reserva import HechoRegistrado
from nucleo.transparencia import hojas
from nucleo.transparencia.hojas import ActaPublicada, Ceros, CortePublicado
from nucleo.transparencia.nota import Nota
from nucleo.transparencia.prueba import Prueba
from servicio_central import cubierto, disco, exclusiones, imagenes, padrones, publicado
from servicio_central.publicacion import contenido, corte_hecho, documentos, escritura, hojas_de_acta, memoria
from servicio_central.publicacion.corte_hecho import Corte
from servicio_central.publicacion.fuente import Fuente
from servicio_central.publicacion.programa import huella_del_programa
from servicio_central.publicado import CORTES, PUBLICO
from servicio_central.puerto_almacen import ERRORES
from servicio_central.registro import llave, pendiente, testigos
from servicio_central.registro.registro import Registro
from servicio_central.sitio.contexto import Contexto

IMAGENES: Final = "imagenes_publicas"


class Publicador:
    """El de un centro."""

    def __init__(self, carpeta: Path) -> None:
        self._carpeta = carpeta
        self._olvidar()

    def cortar(self, proceso: Proceso, hora: datetime, *, ultimo: bool, ahora: datetime) -> dict[str, Corte]:
        """Hace el corte de todas las elecciones y lo publica. Repetirlo con los mismos hechos no cambia nada.

        Raises:
            Tropiezo: CORTE_EXISTENTE, si ya hay uno de esa hora con otros datos; REGISTRO o LLAVE, si no se puede
            asentar. OSError: si no se pudo escribir. Uno de `puerto_almacen.ERRORES`: si el almacén no se puede leer.
        """
        # Dos cortes a la vez se estorbarían al renombrar y el más lento podría retroceder lo publicado.
        with disco.turno(self._carpeta / ".turno-cortes"):
            try:
                return self._cortar(proceso, hora, ultimo, ahora)
            except BaseException:
                # Lo que haya en memoria puede ir adelante de lo que quedó en disco.
                self._olvidar()
                raise

    def _olvidar(self) -> None:
        self._fuente = Fuente(self._carpeta)
        self._registro: Registro | None = None
        self._armador: Armador | None = None
        self._contado: tuple[str, str] | None = None
        self._conocidos: list[HechoRegistrado] = []
        self._por_asentar: dict[str, HechoRegistrado] = {}
        self._cofirmado: dict[str, int] = {}
        self._renglones: dict[str, Renglones] = {}
        self._contexto: tuple[object, Contexto, list[tuple[str, bytes]]] | None = None
        self._escritos: tuple[str, Mapping[str, Archivo]] | None = None
        """El último corte que escribió este proceso y lo que dice su manifiesto."""

    def _cortar(self, proceso: Proceso, hora: datetime, ultimo: bool, ahora: datetime) -> dict[str, Corte]:
        escritura.barrer(self._carpeta)
        registro = self._abrir_registro(proceso, ahora)
        nombre = publicado.nombre_de(proceso, hora)
        destino = self._carpeta / CORTES / nombre
        # Antes de leer los hechos: lo que ya era contiguo aquí, por fuerza queda incluido.
        cadenas = cubierto.contar(self._carpeta)
        padron = padrones.para_contar(self._carpeta)
        cadenas = exclusiones.recortar(cadenas, padron)
        armador = self._poner_al_dia(registro, proceso, padron)
        cambia = ""
        if destino.exists():
            corte_hecho.exigir_igual(destino, armador, padron, ultimo)
        else:
            cual = fichas.Corte(nombre, hora, ultimo)
            ficha = self._hacer(registro, armador, cual, destino, padron)
            resumenes = [(e.eleccion.clave, e.parcial.resumen(ultimo)) for e in ficha.elecciones]
            cambia = exclusiones.aviso(self._carpeta / PUBLICO, padron, resumenes)
        queja = self._anotar_cubierto(nombre, hora, cadenas)
        aviso = "; ".join(filter(None, (publicado.publicar(self._carpeta, proceso, nombre, ahora), queja, cambia)))
        return corte_hecho.cortes(destino, hora, ultimo, proceso, aviso)

    def _hacer(
        self, registro: Registro, armador: Armador, corte: fichas.Corte, destino: Path, padron: Padron | None
    ) -> fichas.FichaProceso:
        """Escribe el corte y lo asienta. El orden permite retomar: recado, carpeta, registro."""
        armador.imagenes(self._fuente.imagenes())
        cambios = armador.cortar(corte)
        desde, ultimo = registro.tamano, registro.ultimo_corte
        nuevas = list(self._hojas(registro, armador, cambios, corte, padron))
        anterior = destino.with_name(ultimo.corte) if ultimo is not None else None
        sabido = self._escritos[1] if anterior and self._escritos and self._escritos[0] == anterior.name else None
        if anterior is not None and sabido is None:
            sabido = escritura.manifiesto_de(anterior)
            if sabido is None:
                # Se borró o se dañó: no hay con qué compartir, y eso no detiene la publicación.
                anterior, cambios = None, replace(cambios, de_cero=True, secciones=armador.todas_las_secciones)
        obra = escritura.CorteEnObra(self._carpeta, destino, corte.hora, anterior, sabido)
        try:
            ficha = self._escribir(obra, armador, cambios, corte, padron, ultimo)
            nuevas.append(hojas.escribir(CortePublicado(corte.nombre, corte.hora, corte.ultimo, obra.manifestar())))
            memoria.guardar(self._carpeta, corte.nombre, armador.recuerdos)
            pendiente.guardar(self._carpeta, pendiente.Pendiente(corte.nombre, desde, tuple(nuevas)))
            obra.levantar()
        except BaseException:
            obra.tirar()
            raise
        registro.agregar(nuevas)
        self._asentar(registro, corte.nombre)
        self._escritos = corte.nombre, obra.archivos
        return ficha

    # ------------------------------------------------------------------------------------------------------ lo que hay

    def _abrir_registro(self, proceso: Proceso, ahora: datetime) -> Registro:
        origen = llave.origen_de(proceso.clave, proceso.modo)
        quien = llave.firmante(self._carpeta, origen)
        registro = self._registro
        if registro is None or not registro.es_el_del_disco():
            self._olvidar()
            registro = self._registro = Registro(self._carpeta, quien)
        self._retomar(registro)
        if registro.ceros is None:
            cuales = testigos.leer(self._carpeta)
            vkeys = tuple(t.llave.vkey for t in cuales.todos)
            autoridad = documentos.de_autoridad(self._carpeta)
            inicio = ahora.astimezone(ZoneInfo(proceso.huso)).replace(microsecond=0)
            ceros = Ceros(
                proceso.clave,
                proceso.modo,
                inicio,
                origen,
                quien.llave.vkey,
                autoridad,
                proceso.huella,
                huella_del_programa(),
                vkeys,
                cuales.quorum,
            )
            registro.agregar([hojas.escribir(ceros)])
            registro.asentar("ceros")
        return registro

    def _retomar(self, registro: Registro) -> None:
        """Si un apagón dejó un corte escrito y sin asentar, se asienta tal como iba a quedar."""
        dejado = pendiente.leer(self._carpeta)
        if dejado is None:
            return
        if not (self._carpeta / CORTES / dejado.corte).exists():
            pendiente.quitar(self._carpeta)  # no llegó a existir: nada pasó, y la memoria que vale es la anterior
            return
        if registro.tamano == dejado.desde:
            registro.agregar(dejado.hojas)
        self._asentar(registro, dejado.corte)

    def _poner_al_dia(self, registro: Registro, proceso: Proceso, padron: Padron | None) -> Armador:
        """El armador con todos los hechos que cuentan. Con otra definición o padrón se vuelve a empezar."""
        nuevos, de_nuevo = self._fuente.nuevos(list(proceso.elecciones))
        if de_nuevo:
            self._conocidos = []
        self._conocidos += nuevos
        contado = (proceso.huella, "" if padron is None else padron.huella)
        armador = self._armador
        if armador is None or de_nuevo or contado != self._contado:
            corte = registro.ultimo_corte
            recuerdos = memoria.leer(self._carpeta, corte.corte, proceso, registro) if corte is not None else None
            armador = Armador(proceso, recuerdos)
            nuevos = self._conocidos
            self._por_asentar = {}
            self._renglones = {clave: Renglones(proceso, clave) for clave in proceso.elecciones}
        armador.agregar(h for h in nuevos if _cuenta(h, padron))
        self._por_asentar |= {h.huella: h for h in nuevos if h.huella not in registro.abiertas}
        self._armador, self._contado = armador, contado
        return armador

    # ----------------------------------------------------------------------------------------------------- las hojas

    def _hojas(
        self,
        registro: Registro,
        armador: Armador,
        cambios: Cambios,
        corte: fichas.Corte,
        padron: Padron | None,
    ) -> Iterator[bytes]:
        """Lo que este corte agrega, menos su propia hoja: documentos, hechos en orden de cadena, y actas."""
        puestos, proceso = registro.documentos, armador.proceso
        if "definicion" not in puestos or puestos["definicion"].nombre != proceso.huella:
            yield from map(hojas.escribir, filter(None, [documentos.de_definicion(self._carpeta, proceso)]))
        documento = None if padron is None else documentos.de_padron(self._carpeta, padron)
        if documento is not None and documento != puestos.get("padron"):
            yield hojas.escribir(documento)
        yield from self._hojas_de_hechos(registro, armador, padron)
        for acta in cambios.actas:
            ficha = armador.ficha(acta)
            dato = armador.json_de(acta)
            imagen = ficha.imagen if ficha.imagen_presente else ""
            yield hojas.escribir(
                ActaPublicada(
                    acta.eleccion, acta.casilla, corte.nombre, hashlib.sha256(dato).hexdigest(), imagen, ficha.hojas
                )
            )

    def _hojas_de_hechos(self, registro: Registro, armador: Armador, padron: Padron | None) -> Iterator[bytes]:
        abrir: list[HechoRegistrado] = []
        reservar: list[HechoRegistrado] = []
        for h in self._por_asentar.values():
            (abrir if _se_abre(h, armador, padron) else reservar).append(h)
        sobres = self._fuente.sobres([h.huella for h in abrir])
        nuevas = [(h.lugar, hojas.hoja_de_hecho(sobres[h.huella])) for h in abrir]
        eslabones = registro.eslabones
        nuevas += [(h.lugar, hojas.escribir(h.reservado())) for h in reservar if h.huella not in eslabones]
        self._por_asentar = {h.huella: h for h in reservar if not isinstance(h.hecho, HojaDeBitacora)}
        yield from (hoja for _, hoja in sorted(nuevas))

    # ------------------------------------------------------------------------------------------------------- escribir

    def _escribir(
        self,
        obra: escritura.CorteEnObra,
        armador: Armador,
        cambios: Cambios,
        corte: fichas.Corte,
        padron: Padron | None,
        anterior: CortePublicado | None,
    ) -> fichas.FichaProceso:
        proceso = armador.proceso
        ficha = armador.todo(corte, None, padron)
        con_base = []
        for e in ficha.elecciones:
            clave, resumen = e.eleccion.clave, e.parcial.resumen(corte.ultimo)
            nombre, datos = escribir_zip(
                *(proceso, clave, armador.actas(clave), corte.hora, corte.ultimo, resumen, self._renglones[clave])
            )
            con_base.append(replace(e, zip=(nombre, len(datos), obra.poner(nombre, datos))))
        ficha = replace(ficha, elecciones=tuple(con_base))
        contexto, de_siempre = self._de_la_definicion(proceso)
        for ruta, dato in itertools.chain(de_siempre, contenido.del_corte(ficha, contexto)):
            obra.poner(ruta, dato)
        obra.poner(*contenido.de_delta(*corte_hecho.anterior(self._carpeta, anterior), ficha, cambios))
        for ruta, nuevo in contenido.de_secciones(cambios.secciones, armador, cambios, contexto):
            if nuevo is None:
                obra.repetir(ruta)
            else:
                obra.poner(ruta, nuevo)
        todas = {(e.eleccion.clave, s.seccion) for e in ficha.elecciones for d in e.divisiones for s in d.secciones}
        cambiadas = set(cambios.secciones)
        for clave, seccion in sorted(todas - cambiadas):
            obra.compartir_seccion(rutas.carpeta_de_seccion(clave, seccion))
        distintas = {seccion for _, seccion in cambiadas}
        juntas = sorted((s, clave) for clave, s in todas if s in distintas)
        for ruta, dato in contenido.de_casillas(armador.secciones((e, s) for s, e in juntas), contexto):
            obra.poner(ruta, dato)
        for seccion in sorted({s for _, s in todas} - distintas):
            obra.compartir(contenido.de_casilla(seccion))
        self._imagenes(armador, cambios.actas)
        return ficha

    def _de_la_definicion(self, proceso: Proceso) -> tuple[Contexto, list[tuple[str, bytes]]]:
        """El contexto de las páginas y las que sólo dependen de él. Se rehacen si cambia la definición o un mapa."""
        cual = proceso.huella, contenido.firma_de_mapas(self._carpeta)
        if self._contexto is None or self._contexto[0] != cual:
            contexto = contenido.contexto_de(self._carpeta, proceso)
            self._contexto = cual, contexto, list(contenido.de_siempre(contexto))
        return self._contexto[1], self._contexto[2]

    def _imagenes(self, armador: Armador, actas: Iterable[IdActa]) -> None:
        for acta in actas:
            ficha = armador.ficha(acta)
            if not ficha.imagen_presente:
                continue
            destino = self._carpeta / IMAGENES / ficha.imagen[:2] / f"{ficha.imagen}.webp"
            if not destino.exists():
                destino.parent.mkdir(parents=True, exist_ok=True, mode=0o755)
                origen = self._carpeta / imagenes.CARPETA / ficha.imagen[:2] / ficha.imagen
                origen.chmod(0o644)  # la carpeta sigue siendo privada: sólo se lee por el otro nombre
                os.link(origen, destino)

    # --------------------------------------------------------------------------------------------- asentar y publicar

    def _asentar(self, registro: Registro, nombre: str) -> None:
        # Las pruebas van antes que el punto de control: quien lo vea ya las encuentra.
        registro.asentar(nombre, partial(self._pruebas, registro, nombre))
        memoria.barrer(self._carpeta, nombre)
        pendiente.quitar(self._carpeta)

    def _pruebas(self, registro: Registro, nombre: str, nota: Nota) -> None:
        """La prueba de cada acta que este corte publica, contra su punto de control, y con qué comprobarla."""
        tamano, actas = registro.tamano, registro.actas_de(nombre)
        hojas_de_acta.escribir(self._carpeta, registro, [acta for _, acta in actas], self._fuente.sobres)
        for indice, acta in actas:
            prueba = Prueba(indice, registro.inclusion(indice, tamano), nota)
            registro.escribir_aparte(f"actas/{nombre}/{acta.eleccion}/{acta.casilla}.tlog-proof", prueba.a_bytes())

    def cofirmar(self) -> testigos.Cofirmas:
        """Pide a los testigos que cofirmen lo último publicado. Se hace después de publicar y nunca la detiene.

        Raises:
            Tropiezo: TESTIGOS, si `testigos.toml` no se entiende. OSError: si no se pudo guardar lo que contestaron.
        """
        cuales = testigos.leer(self._carpeta)
        registro = self._registro
        if registro is None or registro.nota is None or registro.ultimo_corte is None:
            return testigos.Cofirmas((), ())
        # Al que no está en la puesta en ceros nadie lo podría comprobar.
        declarados = registro.ceros.testigos if registro.ceros is not None else ()
        conocidos = [t for t in cuales.todos if t.llave.vkey in declarados]
        dichas = testigos.recoger(registro.nota, registro.asentadas, self._cofirmado, conocidos, registro.consistencia)
        if dichas.firmas:
            registro.cofirmar(registro.ultimo_corte.corte, dichas.firmas)
        return dichas

    def _anotar_cubierto(self, nombre: str, hora: datetime, cadenas: cubierto.Cadenas) -> str:
        # Sólo sirve para decirlo en los acuses: que no se pueda escribir no detiene la publicación.
        try:
            dudosas = [IdActa(*a.split("/")) for a in publicado.actas_en_duda(self._carpeta, nombre)]
            dudas = cubierto.tocadas(self._carpeta, dudosas)
            cual = cubierto.Cubierto(hora, cadenas, dudas, cubierto.huellas(self._carpeta, cadenas))
            cubierto.guardar(self._carpeta, nombre, cual)
        except (OSError, *ERRORES) as error:
            return f"los acuses no dirán qué incluye el {nombre} ({error}): revise la carpeta {cubierto.CARPETA}"
        return ""


def _cuenta(h: HechoRegistrado, padron: Padron | None) -> bool:
    return padron is None or padron.excluye(*h.lugar) is None


def _se_abre(h: HechoRegistrado, armador: Armador, padron: Padron | None) -> bool:
    """Si el contenido de ese hecho ya es público. Lo excluido se queda en eslabón: no sostiene nada de lo publicado."""
    if isinstance(h.hecho, HojaDeBitacora) or not _cuenta(h, padron):
        return False
    if isinstance(h.hecho, FueraDeCatalogo):
        return True
    return armador.abre(h.hecho.acta, h.huella)
