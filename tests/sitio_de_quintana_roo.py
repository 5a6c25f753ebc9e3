"""Los 67 JSON del sitio del PREP de Quintana Roo 2019, cifra por cifra, junto a lo que dicen los nuestros.

Nuestras páginas salen de la base de datos oficial que publicó el instituto; el sitio era otro programa. Cada cifra del
sitio se busca en la página JSON nuestra que la lleva, y si es una suma de renglones, se suman los nuestros.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import tarfile
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Final

from ensayo.proceso_inferido import CLAVE_DE_ELECCION, Inferido, inferir
from nucleo import porcentaje
from nucleo.acta import Asentado, Digitalizacion, MotivoSinActa
from nucleo.base_oficial.lectura import BaseLeida, leer_csv
from nucleo.base_oficial.paquetes import bases
from nucleo.campo import SIN_DATO, de_texto
from nucleo.casilla import Casilla
from nucleo.eleccion import Coalicion, Proceso
from nucleo.hechos import Captura, Hecho, IdActa, Imagen, SinActa
from nucleo.publicacion.armado import Armador
from nucleo.publicacion.fichas import Corte
from nucleo.publicacion.json_publico import paginas, piezas
from nucleo.publicacion.reserva import HechoRegistrado

DIP: Final = "DIP_LOC"
PARTIDOS: Final = ("pan", "pri", "prd", "pvem", "pt", "mc", "morena", "mas", "cqroo", "pesqroo")
RENGLONES: Final = {
    "pan_prd_pesqroo": ("pan_prd_pesqroo", "pan_prd", "pan_pesqroo", "prd_pesqroo"),
    "pvem_pt_morena": ("pvem_pt_morena", "pvem_pt", "pvem_morena", "pt_morena"),
}
"""Coalición → sus combinaciones, con las llaves del sitio."""
COMBINACIONES: Final = tuple(c for suyas in RENGLONES.values() for c in suyas)
OTROS: Final = ("cand_ind", "no_registrados", "nulos")
SIN_ACTA: Final = "SIN ACTA"
"""Lo que escribe el sitio en cada cifra de un acta que no hay; nosotros lo decimos una vez, en `situacion`."""
TIPOS: Final = {"BASICA": "B", "CONTIGUA": "C", "EXTRAORDINARIA": "E", "ESPECIAL": "S"}

Json = dict[str, Any]


@dataclass(frozen=True)
class Cifra:
    """Una cifra del sitio y la nuestra, las dos como texto."""

    archivo: str
    lugar: str
    llave: str
    sitio: str
    nuestra: str

    @property
    def coincide(self) -> bool:
        return self.sitio == self.nuestra


def leer_sitio(datos: Path) -> dict[str, list[Json]]:
    """Nombre del archivo sin `.json` → sus renglones."""
    archivos = {}
    with tarfile.open(datos / "quintana_roo_2019" / "json_sitio.tar.gz") as tar:
        for miembro in tar:
            abierto = tar.extractfile(miembro)
            if abierto is not None:
                archivos[Path(miembro.name).stem] = json.loads(abierto.read())["json"]
    return archivos


# ----------------------------------------------------------------------------------------------------- nuestras páginas


class Nuestras:
    """Todas nuestras páginas JSON, tal como se escriben, de una base vuelta hechos."""

    def __init__(self, proceso: Proceso, hechos: list[Hecho], corte: Corte) -> None:
        armador = Armador(proceso)
        armador.agregar(_registrados(hechos))
        cambios = armador.cortar(corte)
        ficha = armador.todo(corte)
        secciones = armador.secciones(cambios.secciones)
        pares = (*paginas.paginas_del_corte(ficha), *paginas.paginas_de_secciones(secciones, proceso))
        self.paginas: dict[str, Json] = {ruta: json.loads(piezas.a_bytes(dato)) for ruta, dato in pares}

    def __getitem__(self, ruta: str) -> Json:
        return self.paginas[f"{DIP}/{ruta}.json"]


def _registrados(hechos: list[Hecho]) -> Iterator[HechoRegistrado]:
    for numero, hecho in enumerate(hechos, 1):
        yield HechoRegistrado("catd-01", "e1", numero, "", hashlib.sha256(str(numero).encode()).hexdigest(), hecho)


def armar(datos: Path, contadas: Mapping[str, tuple[int, int]]) -> Nuestras:
    """Las páginas que salen de la base oficial.

    Args:
        contadas: CLAVE_CASILLA → (votos, tope) de las que el instituto contabilizó aunque excedían; se les da por bueno
            lo que sobra. Vacío para aplicar la regla tal cual.
    """
    paquete, base, inferido = _base(datos)
    assert base.corte is not None
    hora = base.corte if base.corte.tzinfo else base.corte.replace(tzinfo=inferido.proceso.inicio_operacion.tzinfo)
    proceso = _proceso(inferido, _donde_juntas(paquete), contadas)
    return Nuestras(proceso, _hechos(base, inferido), Corte(f"{hora:%Y%m%d_%H%M}", hora, ultimo=True))


def armar_especiales(sitio: Mapping[str, list[Json]], datos: Path) -> Nuestras:
    """Las once actas de representación proporcional, que no están en la base: salen de `casillas_rp.json`."""
    _, _, inferido = _base(datos)
    eleccion = replace(inferido.proceso.elecciones[CLAVE_DE_ELECCION], clave=DIP, tipos_casilla=frozenset("S"))
    proceso = replace(inferido.proceso, elecciones={DIP: eleccion})
    hora = inferido.proceso.inicio_operacion
    hechos: list[Hecho] = []
    for renglon in sitio["casillas_rp"]:
        casilla = _casilla_de(renglon, proceso)
        acta = IdActa(DIP, casilla.clave)
        if renglon["pan"] == "SIN ACTA":
            hechos.append(SinActa(acta, hora, MotivoSinActa.PAQUETE_SIN_BOLSA, "ana", "beto"))
            continue
        votos = {o.clave: de_texto(str(renglon[_llave(o.clave)])) for o in eleccion.opciones_de(casilla)}
        asentado = Asentado(votos, *(SIN_DATO,) * 5)
        hechos += [Captura(acta, 1, hora, persona, asentado) for persona in ("ana", "beto")]
    return Nuestras(proceso, hechos, Corte("20190603_0547", hora, ultimo=True))


@cache
def _base(datos: Path) -> tuple[Path, BaseLeida, Inferido]:
    paquete = datos / "quintana_roo_2019" / "20190603_0547_PREP_DIP_QROO.zip"
    base = leer_csv(bases(paquete.read_bytes(), paquete.name)[0].contenido)
    return paquete, base, inferir(base)


def _proceso(
    inferido: Inferido, juntas: Mapping[str, frozenset[int]], contadas: Mapping[str, tuple[int, int]]
) -> Proceso:
    casillas = dict(inferido.proceso.casillas)
    for clave, (votos, tope) in contadas.items():
        casilla = casillas[clave]
        casillas[clave] = replace(casilla, representantes=casilla.representantes + votos - tope)
    inferida = inferido.proceso.elecciones[CLAVE_DE_ELECCION]
    coaliciones = tuple(
        Coalicion(nombre, _mayusculas(nombre), tuple(_clave(c) for c in suyas), juntas[nombre])
        for nombre, suyas in RENGLONES.items()
    )
    eleccion = replace(inferida, clave=DIP, coaliciones=coaliciones)
    return replace(inferido.proceso, casillas=casillas, elecciones={DIP: eleccion})


def _donde_juntas(paquete: Path) -> dict[str, frozenset[int]]:
    """Distritos en que postuló cada coalición, según el archivo de candidaturas del mismo zip."""
    with zipfile.ZipFile(paquete) as zip_:
        texto = zip_.read("QROO_DIP_CANDIDATURAS_2019.csv").decode("latin-1")
    filas = list(csv.DictReader(io.StringIO(texto)))
    return {
        nombre: frozenset(int(f["ID_DISTRITO_LOCAL"]) for f in filas if f["PARTIDO_CI"] == _clave(nombre))
        for nombre in RENGLONES
    }


def _hechos(base: BaseLeida, inferido: Inferido) -> list[Hecho]:
    """Cada renglón de la base, vivido por dos personas."""
    huellas = {base.valor(r, "CLAVE_CASILLA"): base.valor(r, "CODIGO_INTEGRIDAD") for r in base.renglones}
    hechos: list[Hecho] = []
    for documento in inferido.documentos:
        acta = IdActa(DIP, documento.acta.casilla)
        if documento.asentado is None:
            assert documento.sin_acta is not None
            hechos.append(SinActa(acta, documento.acopio, documento.sin_acta, "ana", "beto"))
            continue
        assert documento.captura is not None
        assert documento.verificacion is not None
        sha = huellas[acta.casilla].lower()
        if re.fullmatch("[0-9a-f]{64}", sha):
            hechos.append(Imagen(acta, documento.captura, sha, 1, Digitalizacion.ESCANER, "digitaliza"))
        hechos.append(Captura(acta, 1, documento.captura, "ana", documento.asentado))
        hechos.append(Captura(acta, 1, documento.verificacion, "beto", documento.asentado))
    return hechos


# ---------------------------------------------------------------------------------------------------------- las cifras


def comparar(sitio: Mapping[str, list[Json]], nuestras: Nuestras, especiales: Nuestras) -> Iterator[Cifra]:
    """Cada cifra de los 67 archivos con la nuestra. Lo que no es cifra (nombres, rutas de imagen) no se compara."""
    for archivo, renglones in sorted(sitio.items()):
        comparador = _comparador(archivo)
        origen = especiales if archivo.endswith("_rp") else nuestras
        for renglon in renglones:
            for lugar, llave, publicada, nuestra in comparador(archivo, renglon, origen):
                yield Cifra(archivo, lugar, llave, str(publicada), str(nuestra))


Terna = tuple[str, str, Any, Any]


def _comparador(archivo: str) -> Any:
    if archivo == "casillas_rp" or archivo.endswith("_acta"):
        return _de_acta
    if archivo.endswith("_seccion_casilla"):
        return _de_seccion
    if archivo.endswith("_desgloce"):
        return _de_desglose
    return {
        "entidad": _de_entidad,
        "entidad_pp_ci": _de_entidad_por_partido,
        "total_entidad_rp": _de_total_rp,
        "seccion_con_distrito": _de_seccion_con_distrito,
        "distrito_votos_candidatura": _de_distritos,
        "distrito_votos_pp_ci": _de_distritos,
    }[archivo]


def _de_acta(archivo: str, r: Json, nuestras: Nuestras) -> Iterator[Terna]:
    casilla = _clave_de_casilla(r)
    pagina = nuestras[f"s/{r['id_seccion']:04d}/{casilla}"]
    lugar = f"{r['id_seccion']:04d}{casilla}"
    asentado = asentado_de(pagina)
    votos = _sumables({f["clave"]: f["votos"] for f in pagina["renglones"]})
    for llave in (*PARTIDOS, *COMBINACIONES, *OTROS):
        yield lugar, llave, r[llave], asentado[llave]
    sin_acta = pagina["situacion"] == "sin_acta"
    for nombre in RENGLONES:
        yield lugar, f"total_{nombre}", r[f"total_{nombre}"], SIN_ACTA if sin_acta else _suma(votos, nombre)
    total = pagina["total_calculado"] or 0
    cuenta = int(pagina["contabilizada"] == 1)
    yield lugar, "total", r["total"], SIN_ACTA if sin_acta else total
    yield lugar, "porcentaje", r["porcentaje"], porcentaje.a_texto(votos["nulos"], total)
    yield lugar, "esperadas", r["esperadas"], 1
    yield lugar, "contabilizadas", r["contabilizadas"], cuenta
    yield lugar, "listado_nominal", _entero(r["listado_nominal"]), pagina["casilla"]["lista_nominal"]
    participacion = pagina["participacion"] or {"porcentaje": "0.0000"}
    yield lugar, "participacion", r["participacion"], participacion["porcentaje"]
    capturada = int(pagina["contabilizada"] is not None)
    yield lugar, "capturadas", r["capturadas"], capturada
    yield lugar, "porc_capturadas", r["porc_capturadas"], porcentaje.a_texto(capturada, 1)
    yield lugar, "porc_contabilizadas", r["porc_contabilizadas"], porcentaje.a_texto(cuenta, 1)


def asentado_de(pagina: Json) -> dict[str, int | str]:
    """Lo que dice cada renglón de un acta, con las llaves del sitio; lo que no existe en esa acta vale 0, como allá."""
    if pagina["situacion"] == "sin_acta":
        return dict.fromkeys((*PARTIDOS, *COMBINACIONES, *OTROS), SIN_ACTA)
    return {"cand_ind": 0} | {_llave(f["clave"]): f["asentado"] for f in pagina["renglones"]}


def _de_seccion(archivo: str, r: Json, nuestras: Nuestras) -> Iterator[Terna]:
    lugar = f"{r['id_seccion']:04d}"
    pagina = nuestras[f"s/{lugar}/index"]
    assert archivo == f"distrito_{pagina['division']['clave']}_seccion_casilla"
    votos = _votos(pagina["por_renglon"])
    for llave in (*PARTIDOS, *COMBINACIONES, *OTROS):
        yield lugar, llave, r[llave], votos[llave]
    for nombre in RENGLONES:
        yield lugar, f"total_{nombre}", r[f"total_{nombre}"], _suma(votos, nombre)
    total = pagina["votos"]["con_especiales"]
    yield lugar, "porcentaje", r["porcentaje"], porcentaje.a_texto(votos["nulos"], total)
    yield from _avance(lugar, r, pagina)
    yield lugar, "participacion", r["participacion"], pagina["participacion"]["con_especiales"]["porcentaje"]


def _de_desglose(archivo: str, r: Json, nuestras: Nuestras) -> Iterator[Terna]:
    distrito = int(archivo.split("_")[1])
    pagina, llave = nuestras[f"d/{distrito}/index"], r["partido"]
    lugar = f"distrito {distrito} {llave}"
    votos = _votos(pagina["por_renglon"])
    de_partido = _votos(pagina["por_partido"])
    total = pagina["votos"]["con_especiales"]
    yield from _avance(lugar, r, pagina)
    if "_pp_ci_" in archivo:
        suyos = de_partido[llave]
        if "votos_partido" in r:
            yield lugar, "votos_partido", r["votos_partido"], votos[llave]
            yield lugar, "votos_coalicion", r["votos_coalicion"], suyos - votos[llave]
    elif llave.startswith("total_"):
        suyos = _suma(votos, llave.removeprefix("total_"))
    else:
        suyos = votos[llave]
    yield lugar, "votos", r["votos"], suyos
    yield lugar, "porcentaje", r["porcentaje"], porcentaje.a_texto(suyos, total)
    yield lugar, "ultimo_corte", r["ultimo_corte"], int(pagina["corte"]["ultimo"])


def _de_distritos(archivo: str, r: Json, nuestras: Nuestras) -> Iterator[Terna]:
    distrito = r.get("id_distrito", r.get("id_distrto"))
    pagina = nuestras[f"d/{distrito}/index"]
    lugar = f"distrito {distrito}"
    votos = _votos(pagina["por_partido" if archivo.endswith("pp_ci") else "por_candidatura"])
    for llave in (*PARTIDOS, *RENGLONES, *OTROS):
        if llave in r:
            yield lugar, llave, r[llave], votos.get(llave, 0)
    yield from _avance(lugar, r, pagina)
    yield lugar, "ultimo_corte", r["ultimo_corte"], int(pagina["corte"]["ultimo"])
    if "participacion" in r:
        yield lugar, "participacion", r["participacion"], pagina["participacion"]["con_especiales"]["porcentaje"]


def _de_entidad(archivo: str, r: Json, nuestras: Nuestras) -> Iterator[Terna]:
    pagina, divisiones = nuestras["index"], nuestras["divisiones"]["divisiones"]
    lugar, votos, total = "entidad", _votos(pagina["por_candidatura"]), pagina["votos"]["con_especiales"]
    for llave in (*PARTIDOS, *RENGLONES, *OTROS):
        yield lugar, llave, r[llave], votos[llave]
        yield lugar, f"porcentaje_{llave}", r[f"porcentaje_{llave}"], porcentaje.a_texto(votos[llave], total)
        ganados = [d["clave"] for d in divisiones if [_llave(c) for c in d["adelante"]["candidaturas"]] == [llave]]
        yield lugar, f"distrito_{llave}", r[f"distrito_{llave}"], len(ganados)
        en_lista = [int(d) for d in r[f"ids_d_{llave}"].split(",") if d]
        yield lugar, f"ids_d_{llave}", sorted(en_lista), ganados
    yield from _avance(lugar, r, pagina, "porcentaje")
    yield lugar, "listado_nominal_contabilizado", r["listado_nominal_contabilizado"], pagina["lista_nominal"]["parte"]
    yield lugar, "porcentaje_listado_nominal", r["porcentaje_listado_nominal"], pagina["lista_nominal"]["porcentaje"]
    yield lugar, "urbanas", r["urbanas"], pagina["ubicacion"]["urbanas"]
    yield lugar, "no_urbanas", r["no_urbanas"], pagina["ubicacion"]["no_urbanas"]
    con, sin = pagina["votos"]["con_especiales"], pagina["votos"]["sin_especiales"]
    yield lugar, "casillas_especiales", r["casillas_especiales"], con - sin
    yield lugar, "casillas_no_especiales", r["casillas_no_especiales"], sin
    yield lugar, "participacion", r["participacion"], pagina["participacion"]["con_especiales"]["porcentaje"]
    yield lugar, "ultimo_corte", r["ultimo_corte"], int(pagina["corte"]["ultimo"])
    yield lugar, "dia", r["dia"], int(pagina["corte"]["hora"][8:10])
    yield lugar, "hora", r["hora"], pagina["corte"]["hora"][11:16]


def _de_entidad_por_partido(archivo: str, r: Json, nuestras: Nuestras) -> Iterator[Terna]:
    pagina, llave = nuestras["index"], r["partido"]
    lugar, total = f"entidad {llave}", pagina["votos"]["con_especiales"]
    if llave != "total":
        suyos = _votos(pagina["por_partido"])[llave]
        yield lugar, "votos", r["votos"], suyos
        yield lugar, "porcentaje", r["porcentaje"], porcentaje.a_texto(suyos, total)
        return
    yield lugar, "votos", r["votos"], total
    yield lugar, "ultimo_corte", r["ultimo_corte"], int(pagina["corte"]["ultimo"])
    yield from _avance(lugar, r, pagina)
    participacion = pagina["participacion"]
    for suya, nuestra in (("especiales", "con_especiales"), ("no_especiales", "sin_especiales")):
        suya = f"porcentaje_participacion_contabilizada_{suya}"
        yield lugar, suya, r[suya], participacion[nuestra]["porcentaje"]


def _de_total_rp(archivo: str, r: Json, nuestras: Nuestras) -> Iterator[Terna]:
    pagina = nuestras["index"]
    votos = _votos(pagina["por_renglon"])
    for llave in (*PARTIDOS, "no_registrados", "nulos"):
        yield "entidad", llave, r[llave], votos[llave]
    yield "entidad", "total", r["total"], pagina["votos"]["con_especiales"]


def _de_seccion_con_distrito(archivo: str, r: Json, nuestras: Nuestras) -> Iterator[Terna]:
    pagina = nuestras.paginas.get(f"{DIP}/s/{r['seccion']:04d}/index.json")
    yield f"{r['seccion']:04d}", "distrito", r["distrito"], pagina["division"]["clave"] if pagina else "no existe"


def _avance(lugar: str, r: Json, pagina: Json, prefijo: str = "porc") -> Iterator[Terna]:
    """Las cifras que acompañan a todo total, las que el renglón traiga."""
    nuestras = {
        "total": pagina["votos"]["con_especiales"],
        "esperadas": pagina["actas"]["esperadas"],
        "capturadas": pagina["actas"]["capturadas"],
        "contabilizadas": pagina["actas"]["contabilizadas"],
        "listado_nominal": pagina["lista_nominal"]["entre"],
        "ln_contabilizadas": pagina["lista_nominal"]["parte"],
        "participacion_cesp": pagina["participacion"]["con_especiales"]["porcentaje"],
        "participacion_sesp": pagina["participacion"]["sin_especiales"]["porcentaje"],
        f"{prefijo}_capturadas": pagina["avance"]["capturadas"]["porcentaje"],
        f"{prefijo}_contabilizadas": pagina["avance"]["contabilizadas"]["porcentaje"],
    }
    for llave, nuestra in nuestras.items():
        if llave in r:
            suya = r[llave]
            if llave == "listado_nominal":
                suya = _entero(suya)
            elif isinstance(suya, float):
                suya = f"{suya:.4f}"
            yield lugar, llave, suya, nuestra


# ---------------------------------------------------------------------------------------------------------- las llaves


def _suma(votos: Mapping[str, int], coalicion: str) -> int:
    return sum(votos[llave] for llave in (*coalicion.split("_"), *RENGLONES[coalicion]))


def _votos(tabla: list[Json]) -> dict[str, int]:
    return _sumables({fila["clave"]: fila["votos"] for fila in tabla})


def _sumables(por_clave: Mapping[str, int]) -> dict[str, int]:
    votos = dict.fromkeys((*PARTIDOS, *COMBINACIONES, *RENGLONES, *OTROS), 0)
    for clave, cuantos in por_clave.items():
        votos[_llave(clave)] = votos.get(_llave(clave), 0) + cuantos
    return votos


@cache
def _llave(clave: str) -> str:
    """Cómo llama el sitio a un renglón nuestro."""
    if clave.startswith("CAND_IND"):
        return "cand_ind"
    return {"NO_REGISTRADAS": "no_registrados"}.get(clave, clave.removeprefix("C_").lower())


def _clave(llave: str) -> str:
    return f"C_{llave.upper()}"


def _mayusculas(nombre: str) -> tuple[str, ...]:
    return tuple(nombre.upper().split("_"))


def _clave_de_casilla(r: Json) -> str:
    tipo, numero, *contigua = r["tipo_casilla"].split()
    return f"{TIPOS[tipo]}{int(numero):02d}{int(contigua[1]) if contigua else 0:02d}"


def _casilla_de(r: Json, proceso: Proceso) -> Casilla:
    return proceso.casillas[f"23{r['id_seccion']:04d}{_clave_de_casilla(r)}"]


def _entero(texto: str | int) -> int:
    return int(str(texto).replace(",", ""))
