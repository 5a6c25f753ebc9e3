"""La definición de un proceso: la real, la inventada y todas las formas de escribirla mal."""

from __future__ import annotations

import csv
import gzip
import hashlib
import re
import shutil
import zipfile
from collections import Counter
from datetime import timedelta
from itertools import combinations
from pathlib import Path

import pytest

from nucleo.catalogo import COLUMNAS
from nucleo.definicion import DefinicionInvalida, cargar_proceso, leer_proceso
from nucleo.definicion.esquema import ESQUEMA, RAIZ
from nucleo.eleccion import Ambito, Eleccion, Opcion, Proceso, TipoOpcion
from nucleo.problema_archivo import Problema

RAIZ_REPOSITORIO = Path(__file__).parents[2]
OAXACA = RAIZ_REPOSITORIO / "datos" / "oaxaca_2022"
EJEMPLO = RAIZ_REPOSITORIO / "datos" / "ejemplo_tres_elecciones"
DOCUMENTO = RAIZ_REPOSITORIO / "docs" / "definicion.md"
TOML = (EJEMPLO / "eleccion.toml").read_text("utf-8")
CATALOGO = (EJEMPLO / "casillas.csv").read_bytes()


@pytest.fixture(scope="module")
def oaxaca() -> Proceso:
    return cargar_proceso(OAXACA)


@pytest.fixture(scope="module")
def ejemplo() -> Proceso:
    return cargar_proceso(EJEMPLO)


def publicado(corte: str) -> list[list[str]]:
    """Encabezado y renglones del CSV de un corte real, sin el apóstrofo inicial."""
    with zipfile.ZipFile(OAXACA / "cortes" / f"{corte}_PREP_GUB_OAX.zip") as paquete:
        lineas = paquete.read("OAX_GUB_2022.csv").decode("utf-8").splitlines()[5:]
    return [[celda.removeprefix("'") for celda in renglon] for renglon in csv.reader(lineas)]


# ------------------------------------------------------------------------------------------------- Oaxaca 2022


def test_oaxaca_tiene_las_casillas_que_se_esperaban(oaxaca: Proceso) -> None:
    assert Counter(c.tipo for c in oaxaca.casillas.values()) == {"B": 2489, "C": 2200, "E": 963, "S": 54, "M": 1}
    assert len(oaxaca.esperadas("GUB")) == 5707
    assert len({c.seccion for c in oaxaca.casillas.values() if c.seccion}) == 2489
    assert {c.distrito for c in oaxaca.casillas.values()} == {None, *range(1, 26)}


@pytest.mark.parametrize("corte", ["20220605_2120", "20220605_2340", "20220606_0000"])
def test_oaxaca_publica_las_mismas_columnas_y_claves_en_el_mismo_orden(oaxaca: Proceso, corte: str) -> None:
    encabezado, *renglones = publicado(corte)
    gubernatura = oaxaca.elecciones["GUB"]
    desde, hasta = encabezado.index("TOTAL_VOTOS_SACADOS") + 1, encabezado.index("TOTAL_VOTOS_ASENTADO")
    publicadas = [{"NO_REGISTRADOS": "NO_REGISTRADAS"}.get(c, c) for c in encabezado[desde:hasta]]
    assert [o.clave for o in gubernatura.opciones] == publicadas
    esperados = [r for r in renglones if r[encabezado.index("CONTABILIZADA")] != "2"]
    assert [(r[0], r[1]) for r in esperados] == [(c.clave, gubernatura.clave_acta(c)) for c in oaxaca.esperadas("GUB")]


def test_los_archivos_de_oaxaca_son_los_que_se_publicaron() -> None:
    fuente = (OAXACA / "FUENTE.md").read_text("utf-8")
    for ruta in sorted((OAXACA / "cortes").glob("*.zip")):
        with zipfile.ZipFile(ruta) as paquete:
            for nombre in paquete.namelist():
                assert f"| `{nombre}` | `{hashlib.sha256(paquete.read(nombre)).hexdigest()}` |" in fuente


def test_oaxaca_no_contradice_ningun_dato_visible(oaxaca: Proceso) -> None:
    encabezado, *renglones = publicado("20220605_2120")
    visto = 0
    for renglon in (dict(zip(encabezado, r, strict=True)) for r in renglones):
        if not renglon["LISTA_NOMINAL"].isdigit():
            continue
        casilla = oaxaca.casillas[renglon["CLAVE_CASILLA"]]
        assert casilla.lista_nominal == int(renglon["LISTA_NOMINAL"])
        assert casilla.representantes == int(renglon["REPRESENTANTES_PP_CI"])
        assert casilla.ubicacion == int(renglon["UBICACION_CASILLA"])
        assert (casilla.distrito or 0, casilla.distrito_nombre) == (
            int(renglon["ID_DISTRITO_LOCAL"]),
            renglon["DISTRITO_LOCAL"],
        )
        visto += 1
    assert visto == 5675


def test_oaxaca_escribe_pv_dentro_de_las_combinaciones(oaxaca: Proceso) -> None:
    gubernatura = oaxaca.elecciones["GUB"]
    assert gubernatura.por_clave["C_PT_PV"].partidos == ("PT", "PVEM")
    assert gubernatura.por_clave["PVEM"].tipo is TipoOpcion.PARTIDO
    assert [len(c.combinaciones) for c in gubernatura.coaliciones] == [1, 11]


def test_oaxaca_publicaba_en_utc_menos_cinco(oaxaca: Proceso) -> None:
    assert oaxaca.inicio_publicacion.utcoffset() == timedelta(hours=-5)
    assert f"{oaxaca.cierre:%d/%m/%Y %H:%M}" == "06/06/2022 20:00"


def test_la_huella_es_la_que_da_sha256sum(oaxaca: Proceso) -> None:
    toml = hashlib.sha256((OAXACA / "eleccion.toml").read_bytes()).hexdigest()
    casillas = hashlib.sha256(gzip.decompress((OAXACA / "casillas.csv.gz").read_bytes())).hexdigest()
    salida = f"{toml}  eleccion.toml\n{casillas}  casillas.csv\n"
    for nombre in ("GUB.png", "GUB.toml"):
        formato = hashlib.sha256((OAXACA / "formatos" / nombre).read_bytes()).hexdigest()
        salida += f"{formato}  formatos/{nombre}\n"
    assert oaxaca.huella == hashlib.sha256(salida.encode()).hexdigest()


# ------------------------------------------------------------------------------------------------------ ejemplo


def test_el_ejemplo_tiene_los_renglones_del_acta_de_jalisco(ejemplo: Proceso) -> None:
    gubernatura = ejemplo.elecciones["GUB"]
    tipos = Counter(o.tipo for o in gubernatura.opciones)
    assert (tipos[TipoOpcion.PARTIDO], tipos[TipoOpcion.COMBINACION], len(gubernatura.opciones)) == (9, 30, 41)
    assert [len(c.combinaciones) for c in gubernatura.coaliciones] == [26, 4]
    assert [o.clave for o in gubernatura.opciones][-2:] == ["NO_REGISTRADAS", "NULOS"]


def test_las_combinaciones_son_todos_los_subconjuntos_de_mayor_a_menor(ejemplo: Proceso) -> None:
    coalicion = ejemplo.elecciones["GUB"].coaliciones[0]
    esperadas = [c for n in (5, 4, 3, 2) for c in combinations(coalicion.partidos, n)]
    assert [ejemplo.elecciones["GUB"].por_clave[c].partidos for c in coalicion.combinaciones] == esperadas


def claves_en(eleccion: Eleccion, proceso: Proceso, casilla: str) -> set[str]:
    return {o.clave for o in eleccion.opciones_de(proceso.casillas[casilla])}


def test_la_candidatura_comun_sustituye_a_sus_partidos_solo_en_su_distrito(ejemplo: Proceso) -> None:
    diputaciones = ejemplo.elecciones["DIP_LOC"]
    (comun,) = diputaciones.comunes
    assert (comun.diezmilesimas, comun.remanente) == ({"MORENA": 5333, "PT": 2000, "PVEM": 2667}, "MORENA")
    en_el_uno, en_el_dos = (claves_en(diputaciones, ejemplo, c) for c in ("140101B0100", "140201B0100"))
    assert "CC_MORENA_PT_PVEM" in en_el_uno
    assert not {"MORENA", "PT", "PVEM", "PVEM_PT"} & en_el_uno
    assert {"MORENA", "PT", "PVEM", "PVEM_PT"} <= en_el_dos
    assert "CC_MORENA_PT_PVEM" not in en_el_dos


def test_dos_coaliciones_parciales_comparten_la_columna_de_los_mismos_partidos(ejemplo: Proceso) -> None:
    ayuntamientos = ejemplo.elecciones["AYUN"]
    assert ayuntamientos.por_clave["PVEM_PT"].ambitos == frozenset({10, 20, 30})
    assert ayuntamientos.por_clave["HAGAMOS_FUTURO"].ambitos == frozenset({10, 30})
    assert "PVEM_PT" not in claves_en(ayuntamientos, ejemplo, "140202B0100")
    assert "PAN_PRI_PRD" in claves_en(ayuntamientos, ejemplo, "140202B0100")


def test_las_mesas_del_extranjero_solo_levantan_acta_de_gubernatura(ejemplo: Proceso) -> None:
    assert [len(ejemplo.esperadas(e)) for e in ("GUB", "DIP_LOC", "AYUN")] == [18, 17, 17]
    assert ejemplo.elecciones["AYUN"].ambito is Ambito.MUNICIPIO


def test_la_coalicion_puede_enumerar_sus_combinaciones_y_sus_columnas() -> None:
    proceso = leido(
        'nombre = "Tres por el Ejemplo"\npartidos = ["PAN", "PRI", "PRD"]',
        'nombre = "Tres"\npartidos = ["PAN", "PRI", "PRD"]\nprefijo = "CO_"\nseparador = "-"\n'
        'combinaciones = [["PRI", "PAN"], ["PAN", "PRI", "PRD"]]',
    )
    coalicion = proceso.elecciones["GUB"].coaliciones[1]
    assert coalicion.combinaciones == ("CO_PRI-PAN", "CO_PAN-PRI-PRD")
    assert proceso.elecciones["GUB"].por_clave["CO_PRI-PAN"] == Opcion(
        "CO_PRI-PAN", TipoOpcion.COMBINACION, "PRI-PAN", ("PRI", "PAN")
    )


def test_con_comun_en_toda_la_entidad_sus_partidos_pierden_el_renglon() -> None:
    proceso = leido(
        'nombre = "Cinco por el Ejemplo"\npartidos = ["PVEM", "PT", "MORENA", "HAGAMOS", "FUTURO"]\n',
        'nombre = "Dos"\npartidos = ["HAGAMOS", "FUTURO"]\n[[elecciones.comunes]]\nclave = "CC"\nnombre = "CC"\n'
        'porcentajes = { PVEM = "50", PT = "25.5", MORENA = "24.50" }\nremanente = "PT"\n',
        'partidos = ["PVEM", "PT", "MORENA", "HAGAMOS", "FUTURO"]\npropietaria',
        'partidos = ["PVEM", "PT", "MORENA"]\npropietaria',
    )
    gubernatura = proceso.elecciones["GUB"]
    assert not {"PVEM", "PT", "MORENA"} & set(gubernatura.por_clave)
    assert gubernatura.comunes[0].diezmilesimas == {"PVEM": 5000, "PT": 2550, "MORENA": 2450}


def leido(*cambios: str) -> Proceso:
    resultado = leer_proceso(con(*cambios).encode(), CATALOGO)
    assert isinstance(resultado, Proceso), "\n".join(map(str, resultado))
    return resultado


def con(*cambios: str) -> str:
    """El ejemplo con cada par (viejo, nuevo) sustituido la primera vez que aparece."""
    texto = TOML
    for viejo, nuevo in zip(cambios[::2], cambios[1::2], strict=True):
        assert viejo in texto, viejo
        texto = texto.replace(viejo, nuevo, 1)
    return texto


def problemas_de(toml: str | bytes, catalogo: bytes = CATALOGO) -> list[Problema]:
    resultado = leer_proceso(toml.encode() if isinstance(toml, str) else toml, catalogo)
    assert isinstance(resultado, list)
    return resultado


# ---------------------------------------------------------------------------------------------------- un defecto

CINCO = 'partidos = ["PVEM", "PT", "MORENA", "HAGAMOS", "FUTURO"]'
INICIO = "inicio_operacion = 2024-06-02T18:00:00-06:00"
PUBLICACION = "inicio_publicacion = 2024-06-02T20:00:00-06:00"
CIERRE = "cierre = 2024-06-03T20:00:00-06:00"
PORCENTAJES = 'porcentajes = { MORENA = "53.33", PT = "20", PVEM = "26.67" }'
INDEPENDIENTE = 'clave = "CI_01"\nnombre = "Candidatura independiente 1"\nambitos = [3]'
FUTURO = 'sigla = "FUTURO"\nnombre = "Futuro"\n'

UN_DEFECTO = [
    # (viejo, nuevo, línea que se debe señalar, fragmento de lo que pasó)
    pytest.param(
        'huso = "America/Mexico_City"', 'huso = "America/Ciudad"', "huso =", "no existe", id="huso_que_no_existe"
    ),
    pytest.param('huso = "America/Mexico_City"', 'huso = "America"', "huso =", "no existe", id="huso_que_es_carpeta"),
    pytest.param('huso = "America/Mexico_City"', 'huso = "../../etc"', "huso =", "no existe", id="huso_que_se_escapa"),
    pytest.param('modo = "simulacro"', 'modo = "oficail"', "modo =", "«modo» dice 'oficail'", id="modo_desconocido"),
    pytest.param("entidad = 14", "entidad = 33", "entidad =", "«entidad» es 33", id="entidad_inexistente"),
    pytest.param("entidad = 14", "entidad = true", "entidad =", "es true o false y debe ser un entero", id="logico"),
    pytest.param("entidad = 14", 'entidad = "14"', "entidad =", "debe ser un entero", id="entidad_entre_comillas"),
    pytest.param('siglas = "EJE"', 'siglas = "eje"', "siglas =", "«siglas» dice 'eje'", id="siglas_en_minusculas"),
    pytest.param("_especial = 1000", "_especial = 0", "boletas_especial =", "es 0", id="sin_boletas"),
    pytest.param("cortes = 15", "cortes = 21", "minutos_entre_cortes", "es 21", id="cortes_cada_21_minutos"),
    pytest.param("cortes = 15", "cortes = 9" + "9" * 50, "minutos_entre", "número enorme", id="cortes_infinitos"),
    pytest.param(
        CIERRE, CIERRE.replace("03T", "02T").replace("20:", "19:"), "cierre =", "no es posterior", id="cierra_antes"
    ),
    pytest.param(CIERRE, CIERRE.replace("03T", "04T"), "cierre =", "más de 24 horas", id="cierra_dos_dias_despues"),
    pytest.param(
        INICIO, INICIO.replace("18:", "21:"), "inicio_publicacion", "empieza antes", id="publica_antes_de_operar"
    ),
    pytest.param(INICIO, INICIO.replace("-06:00", ""), "inicio_operacion", "no dice su desfase", id="hora_sin_huso"),
    pytest.param(
        INICIO, INICIO.replace("-06:00", "-05:00"), "inicio_operacion", "desfase que no es", id="verano_supuesto"
    ),
    pytest.param(INICIO, "inicio_operacion = 2024-06-02", "inicio_operacion", "fecha sin hora", id="dia_sin_hora"),
    pytest.param(
        INICIO, 'inicio_operacion = "2024-06-02T18:00:00-06:00"', "inicio_op", "es un texto", id="hora_en_texto"
    ),
    pytest.param(PUBLICACION, "", "[calendario]", "falta «inicio_publicacion»", id="falta_la_publicacion"),
    pytest.param("[calendario]", "[[calendario]]", "[[calendario]]", "debe ser una tabla", id="calendario_en_lista"),
    pytest.param('\nclave = "ejemplo2024"', "", "# EJEMPLO", "falta «clave»", id="proceso_sin_clave"),
    pytest.param(
        "excede_prevalece = true",
        "[observaciones.textos]\nEXEDE_LISTA_NOMINAL = 'x'",
        "EXEDE",
        "no se conoce",
        id="codigo",
    ),
    pytest.param(
        FUTURO, FUTURO + '[[partidos]]\nsigla = "PAN"\nnombre = "Otro"\n', 'sigla = "PAN"', "ya está", id="repetido"
    ),
    pytest.param(
        FUTURO,
        FUTURO + '[[partidos]]\nsigla = "VN"\nnombre = "Voto Nuevo"\n',
        'sigla = "VN"',
        "VN ya existe",
        id="fija",
    ),
    pytest.param(
        'clave = "GUB"', 'clave = "AYUN"', 'clave = "AYUN"', "AYUN está repetida", id="dos_elecciones_iguales"
    ),
    pytest.param('ambito = "entidad"', 'ambito = "entidades"', "ambito =", "«ambito» dice", id="ambito_desconocido"),
    pytest.param(
        "tipo_acta = ", "tipo_acta = 2 #", "tipo_acta =", "es un entero y debe ser un texto", id="tipo_sin_comillas"
    ),
    pytest.param(
        'casilla = "BCES"', 'casilla = "BCX"', "tipos_casilla", "dice 'BCX'", id="tipo_de_casilla_desconocido"
    ),
    pytest.param('casilla = "BCES"', 'casilla = "AP"', "tipos_casilla", "ninguna casilla", id="nadie_levanta_acta"),
    pytest.param('"comunes", "indep', '"indep', "orden =", "«orden» dice", id="orden_incompleto"),
    pytest.param(CINCO, 'partidos = ["PVEM", "PTT"]', '"PTT"', "PTT no compite", id="coalicion_con_desconocido"),
    pytest.param(CINCO, 'partidos = ["PVEM"]', '["PVEM"]', "tiene 1 partidos", id="coalicion_de_uno"),
    pytest.param(CINCO, 'partidos = ["PVEM", "PVEM"]', '["PVEM", "PVEM"]', "está repetido", id="coalicion_de_si_mismo"),
    pytest.param("ambitos = [2, 3]", "ambitos = [1, 2]", "ambitos = [1, 2]", "en el mismo lugar", id="dos_alianzas"),
    pytest.param(
        "ambitos = [2, 3]", "ambitos = [2, 9]", "ambitos = [2, 9]", "el distrito 9", id="distrito_sin_casillas"
    ),
    pytest.param("ambitos = [2, 3]", "ambitos = []", "ambitos = []", "está vacío", id="ambitos_vacios"),
    pytest.param(
        "ambitos = [10, 30]", "ambitos = [10, 11]", "ambitos = [10, 11]", "el municipio 11", id="municipio_ajeno"
    ),
    pytest.param(CINCO, CINCO + "\nambitos = [1]", "ambitos = [1]", "toda la entidad", id="ambitos_en_gubernatura"),
    pytest.param(CINCO, CINCO + "\nabreviaturas = { PAN = 'A' }", "abreviaturas", "no sirve", id="abreviatura_ajena"),
    pytest.param(
        CINCO, CINCO + "\nabreviaturas = { PT = 'PVEM' }", "abreviaturas", "dos combinaciones", id="abreviatura_igual"
    ),
    pytest.param(
        CINCO, CINCO + "\ncombinaciones = [['PT', 'PAN']]", "combinaciones", "no es de esta", id="combinacion_ajena"
    ),
    pytest.param(
        CINCO, CINCO + "\ncombinaciones = [['PT', 'PVEM']]", "combinaciones", "falta la combinación", id="sin_la_total"
    ),
    pytest.param(CINCO, CINCO + "\nseparador = '+'", "separador =", "«separador» dice", id="separador_raro"),
    pytest.param(CINCO, CINCO + "\nprefijo = 'c '", "prefijo =", "«prefijo» dice", id="prefijo_raro"),
    pytest.param(
        "Tres por el Ejemplo", "MC", "[[elecciones.coaliciones]]", "«MC» ya nombra", id="coalicion_llamada_como_partido"
    ),
    pytest.param(PORCENTAJES, PORCENTAJES.replace("20", "21"), "porcentajes", "suman 101.00", id="porcentajes_101"),
    pytest.param(
        PORCENTAJES, PORCENTAJES.replace('"53.33"', "53.33"), "porcentajes", "con decimales", id="porcentaje_flotante"
    ),
    pytest.param(PORCENTAJES, PORCENTAJES.replace("53.33", "53,33"), "porcentajes", "dice '53,33'", id="coma_decimal"),
    pytest.param(PORCENTAJES, PORCENTAJES.replace("PT", "PTT"), "porcentajes", "'PTT' no está", id="comun_desconocido"),
    pytest.param(
        'remanente = "MORENA"', 'remanente = "PAN"', "remanente", "no está en la candidatura", id="remanente_ajeno"
    ),
    pytest.param(
        'clave = "CC_MORENA_PT_PVEM"', 'clave = "PAN"', 'clave = "PAN"', "PAN ya se usa", id="comun_llamada_pan"
    ),
    pytest.param(
        INDEPENDIENTE, INDEPENDIENTE.replace("CI_01", "NULOS"), 'clave = "NULOS"', "ya existe", id="independiente_nulos"
    ),
    pytest.param(
        'clave = "CI_02"', 'clave = "CI_01"', 'clave = "CI_01"', "CI_01 ya se usa", id="independiente_repetida"
    ),
    pytest.param(
        'partidos = ["MC"]', 'partidos = ["CM"]', '["CM"]', "CM no es un partido", id="candidatura_desconocida"
    ),
    pytest.param('partidos = ["MC"]', 'partidos = ["PAN"]', '["PAN"]', "PAN ya postula", id="candidatura_duplicada"),
    pytest.param('partidos = ["MC"]', "partidos = []", "partidos = []", "no tiene partido", id="candidatura_de_nadie"),
    pytest.param(
        'partidos = ["HAGAMOS"]',
        'partidos = ["HAGAMOS", "FUTURO"]',
        '["HAGAMOS", "FUTURO"]',
        "no van juntos",
        id="sueltos",
    ),
    pytest.param(
        'propietaria = "Alma Ejemplar Uno"', 'propietaria = ""', 'propietaria = ""', "dice ''", id="sin_nombre"
    ),
    pytest.param("Alma Ejemplar Uno", "Alma\\nUno", "Alma", "dice 'Alma\\nUno'", id="nombre_en_dos_lineas"),
    pytest.param('"CI_01"]', '"CI_02"]', '"CI_02"]', "CI_02 no es", id="independiente_de_otra_eleccion"),
]


@pytest.mark.parametrize(("viejo", "nuevo", "marca", "que"), UN_DEFECTO)
def test_un_defecto_se_dice_una_vez_y_en_su_linea(viejo: str, nuevo: str, marca: str, que: str) -> None:
    toml = con(viejo, nuevo)
    (problema, *otros) = problemas_de(toml)
    assert que in problema.que, problema
    assert marca in toml.splitlines()[problema.linea - 1], problema
    assert not otros, "\n".join(map(str, otros))
    assert problema.causa
    assert problema.siguiente


# ----------------------------------------------------------------------------------------------- varios defectos


def test_una_clave_mal_escrita_se_sugiere_y_ademas_falta() -> None:
    falta, sobra = problemas_de(con("boletas_especial = ", "boletas_espesial = "))
    assert falta.que.startswith("falta «boletas_especial»")
    assert sobra.causa == "¿quiso decir «boletas_especial»?"
    assert sobra.linea == 12


def test_todos_los_defectos_de_los_dos_archivos_salen_juntos_y_en_orden() -> None:
    toml = con(
        "entidad = 14", "entidad = 40", "cortes = 15", "cortes = 60", PORCENTAJES, PORCENTAJES.replace("20", "2")
    )
    catalogo = CATALOGO.replace(b",612,", b",x,")
    problemas = problemas_de(toml, catalogo)
    assert [p.archivo for p in problemas] == ["eleccion.toml"] * 3 + ["casillas.csv"]
    assert [p.linea for p in problemas[:3]] == sorted(p.linea for p in problemas[:3])


def test_el_catalogo_de_otro_estado_se_dice_una_sola_vez() -> None:
    (problema,) = problemas_de(con("entidad = 14", "entidad = 20"))
    assert (problema.archivo, problema.linea) == ("casillas.csv", 2)
    assert "casillas que no son de la entidad 20 (18)" in problema.que


def test_con_el_catalogo_danado_no_se_culpa_a_los_ambitos() -> None:
    assert [p.linea for p in problemas_de(TOML, CATALOGO.replace(b"140301", b"14301"))] == [15, 16]


def test_una_casilla_sin_municipio_estorba_a_la_eleccion_de_ayuntamientos() -> None:
    catalogo = CATALOGO.replace(b',21,"San Imaginario, El Alto",2,401', b",,,2,401")
    (problema,) = problemas_de(TOML, catalogo)
    assert "casillas que no dicen su municipio (1); la primera es 140202B0100, en la línea 13" in problema.que
    assert TOML.splitlines()[problema.linea - 1] == 'ambito = "municipio"'


def test_una_coalicion_de_nueve_partidos_no_agota_la_memoria() -> None:
    nueve = 'partidos = ["PAN", "PRI", "PRD", "PVEM", "PT", "MC", "MORENA", "HAGAMOS", "FUTURO"]'
    assert any("tiene 9 partidos" in p.que for p in problemas_de(con(CINCO, nueve)))


def test_una_combinacion_escrita_dos_veces_se_dice_una() -> None:
    (problema,) = problemas_de(con(CINCO, CINCO + "\ncombinaciones = [['PT', 'PVEM'], ['PVEM', 'PT']]"))
    assert problema.que.startswith("la combinación PVEM, PT está repetida")


def test_lo_que_depende_de_una_alianza_mal_escrita_no_se_juzga() -> None:
    problemas = problemas_de(con(CINCO, 'partidos = ["PVEM", "PTT"]', 'partidos = ["MC"]', 'partidos = ["CM"]'))
    assert [p.que for p in problemas] == ["el partido PTT no compite en esta elección"]


def test_dos_coaliciones_de_ocho_no_caben_en_un_acta() -> None:
    siglas = [f"P{i:02d}" for i in range(16)]
    partidos = "".join(f'[[partidos]]\nsigla = "{s}"\nnombre = "{s}"\n' for s in siglas)
    coaliciones = "".join(f'[[elecciones.coaliciones]]\nnombre = "{n}"\npartidos = {siglas[n::2]}\n' for n in range(2))
    inicio, resto = TOML.split("[[partidos]]", 1)
    eleccion = resto.split("[[elecciones]]")[1].split("[[elecciones.coaliciones]]")[0]
    (problema,) = problemas_de(f"{inicio}{partidos}[[elecciones]]{eleccion}{coaliciones}")
    assert "512 renglones y caben 395" in problema.que


@pytest.mark.parametrize(
    ("toml", "linea", "causa"),
    [
        ("a = 1\nb = 'x", 2, "comillas"),
        ("a = 1\nb =\n", 2, "sin comillas"),
        ("a = 1\n\nb 1\n", 3, "signo igual"),
        ("a = 1\na = 2\n", 2, "se repite"),
        ("[a]\nb = 1\n[a]\n", 3, "dos veces"),
        ("[a\nb = 1\n", 1, "corchetes"),
        ("a = [1\nb = 2\n", 2, "lista"),
        ("a = 1 2\n", 1, "sobra texto"),
        ("a = {b = 1\nc = 2\n", 1, "llaves"),
        ("a = 2024-02-30T00:00:00Z\n", 1, "fecha"),
        ('a = "\\q"\n', 1, "diagonal"),
        ('a = """\nx\n', 2, "comillas"),
        ("a = 1\nñ = 2\n", 2, "asignación"),
        ("a = " + "[" * 1_500, 0, "corchetes"),
        ("x" * 2_001, 1, "saltos de línea"),
    ],
)
def test_un_error_de_sintaxis_se_explica_en_espanol_y_con_su_linea(toml: str, linea: int, causa: str) -> None:
    (problema,) = problemas_de(toml)
    assert (problema.linea, problema.archivo) == (linea, "eleccion.toml")
    assert causa in problema.causa


def test_un_toml_que_no_es_utf8_dice_en_que_linea() -> None:
    (problema,) = problemas_de(TOML.encode("utf-8").replace("Acción".encode(), "Acción".encode("latin-1"), 1))
    assert "UTF-8" in problema.que
    assert "Acción" in TOML.splitlines()[problema.linea - 1]


# ------------------------------------------------------------------------------------------------------- carpeta


def test_una_carpeta_vacia_dice_los_dos_archivos_que_faltan(tmp_path: Path) -> None:
    with pytest.raises(DefinicionInvalida) as capturada:
        cargar_proceso(tmp_path)
    assert [(p.archivo, p.que) for p in capturada.value.problemas] == [
        ("eleccion.toml", "no existe"),
        ("casillas.csv", "no existe"),
    ]


def test_sin_catalogo_tambien_se_dicen_los_defectos_del_toml(tmp_path: Path) -> None:
    (tmp_path / "eleccion.toml").write_text(con("cortes = 15", "cortes = 60"), "utf-8")
    with pytest.raises(DefinicionInvalida) as capturada:
        cargar_proceso(tmp_path)
    assert [p.archivo for p in capturada.value.problemas] == ["casillas.csv", "eleccion.toml"]


def test_dos_catalogos_en_la_carpeta_no_se_eligen_al_azar(tmp_path: Path) -> None:
    shutil.copy(EJEMPLO / "eleccion.toml", tmp_path)
    shutil.copy(EJEMPLO / "casillas.csv", tmp_path)
    (tmp_path / "casillas.csv.gz").write_bytes(gzip.compress(CATALOGO))
    with pytest.raises(DefinicionInvalida, match=r"también existe casillas\.csv"):
        cargar_proceso(tmp_path)


def test_comprimido_o_no_es_el_mismo_proceso(tmp_path: Path, ejemplo: Proceso) -> None:
    shutil.copy(EJEMPLO / "eleccion.toml", tmp_path)
    (tmp_path / "casillas.csv.gz").write_bytes(gzip.compress(CATALOGO))
    assert cargar_proceso(tmp_path).huella != ejemplo.huella, "la huella cubre los formatos"
    shutil.copytree(EJEMPLO / "formatos", tmp_path / "formatos")
    comprimido = cargar_proceso(tmp_path)
    assert (comprimido, comprimido.huella) == (ejemplo, ejemplo.huella)


def test_un_catalogo_copiado_a_medias_se_rechaza(tmp_path: Path) -> None:
    shutil.copy(EJEMPLO / "eleccion.toml", tmp_path)
    (tmp_path / "casillas.csv.gz").write_bytes(gzip.compress(CATALOGO)[:-9])
    with pytest.raises(DefinicionInvalida) as capturada:
        cargar_proceso(tmp_path)
    (problema,) = capturada.value.problemas
    assert problema.causa == "se copió a medias"


def test_el_mensaje_dice_que_paso_causa_y_siguiente_paso(tmp_path: Path) -> None:
    (tmp_path / "eleccion.toml").write_text(con("cortes = 15", "cortes = 60"), "utf-8")
    (tmp_path / "casillas.csv").write_bytes(CATALOGO)
    with pytest.raises(DefinicionInvalida) as capturada:
        cargar_proceso(tmp_path)
    mensaje = str(capturada.value)
    assert mensaje == (
        "eleccion.toml, línea 19: «minutos_entre_cortes» es 60. Causa probable: se admite de 1 a 20. "
        "Siguiente paso: escriba un entero de 1 a 20."
    )
    assert mensaje in DOCUMENTO.read_text("utf-8")


# ------------------------------------------------------------------------------------------------- documentación


def secciones() -> dict[str, str]:
    """Encabezado de tabla (`elecciones.comunes`, o vacío) → su texto en la documentación."""
    texto = DOCUMENTO.read_text("utf-8")
    partes = re.split(r"^##+ (.+)$", texto, flags=re.MULTILINE)
    titulos = {t.strip("`[] "): cuerpo for t, cuerpo in zip(partes[1::2], partes[2::2], strict=True)}
    return titulos | {RAIZ: titulos["Al inicio del archivo"]}


def documentadas(cuerpo: str) -> list[tuple[str, str]]:
    return re.findall(r"^\| `(\w+)` \| (?:(\w+) \|)?", cuerpo, flags=re.MULTILINE)


@pytest.mark.parametrize("tabla", ESQUEMA, ids=lambda t: t or "raiz")
def test_cada_clave_esta_documentada_y_no_se_documenta_ninguna_que_no_exista(tabla: str) -> None:
    claves = dict(documentadas(secciones()[tabla]))
    assert set(claves) == set(ESQUEMA[tabla].todas)
    for clave in ESQUEMA[tabla].obligatorias:
        assert claves[clave] == "obligatoria", clave
    for clave in ESQUEMA[tabla].opcionales:
        assert claves[clave] in ("opcional", "según"), clave


def test_cada_columna_del_catalogo_esta_documentada() -> None:
    assert tuple(c for c, _ in documentadas(secciones()["casillas.csv"])) == COLUMNAS
