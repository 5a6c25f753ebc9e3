"""Las páginas que se escriben una vez: ayuda, glosario, comprobación, datos, espera y «no está»."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from nucleo.inconsistencias import CATALOGO
from nucleo.publicacion.fichas import FichaProceso
from servicio_central.sitio import cifras, palabras
from servicio_central.sitio.contexto import Contexto
from servicio_central.sitio.plantilla import estatico, pagina

ESTATICOS: Final = ("estilo.css", "sitio.js", "comprobar.js", "comprobaciones.js", "icono.svg")

VOCES: Final = (
    ("Acta", "El papel donde la casilla escribe cuántos votos contó. Hay una por casilla y por elección."),
    ("Acta capturada", "La que ya se transcribió dos veces igual, o de la que se hizo constar que no hay acta."),
    ("Acta contabilizada", "La capturada cuyos votos suman en los resultados."),
    ("Acta esperada", "La de cada casilla aprobada, haya llegado o no."),
    ("Candidatura común", "Varios partidos con una misma candidatura y un solo emblema en la boleta."),
    ("Candidatura no registrada", "Un nombre que alguien escribió en la boleta y que no era candidatura."),
    ("Casilla especial", "Donde vota quien está lejos de su sección. No tiene lista nominal, sino boletas contadas."),
    ("Coalición", "Varios partidos con una misma candidatura, cada uno con su emblema en la boleta."),
    ("Corte", "Una publicación completa, con su hora. Hay varios por hora y ninguno se borra."),
    ("Empate", "Dos o más candidaturas con los mismos votos. Se dice empate; no se desempata aquí."),
    ("Fuera de catálogo", "Documento que llegó y no se pudo asociar a ninguna casilla aprobada."),
    ("Huella (SHA-256)", "Sesenta y cuatro letras y números que salen de un archivo. Si el archivo cambia, cambian."),
    ("Lista nominal", "Las personas que pueden votar en una casilla."),
    ("No urbana", "Casilla en localidad rural o mixta."),
    ("Participación ciudadana", "Votos entre lista nominal, sólo de las actas contabilizadas."),
    ("Registro público", "La lista de todo lo que se aceptó. Sólo se le agrega, y cualquiera puede comprobarlo."),
    ("Representación", "Quien vigila la casilla por un partido; ahí mismo puede votar."),
    ("Sección", "La parte más pequeña del mapa electoral. Está en tu credencial para votar."),
    ("Voto nulo", "El que no se puede atribuir a ninguna candidatura."),
)


def paginas_sin_corte(contexto: Contexto) -> Iterator[tuple[str, bytes]]:
    """Las que sólo dependen de la definición: iguales en todos los cortes."""
    for nombre in ESTATICOS:
        yield nombre, estatico(nombre)
    proceso = contexto.proceso
    yield (
        "ayuda.html",
        pagina(
            "ayuda.html",
            "ayuda.html",
            contexto,
            inicio=cifras.momento(proceso.inicio_publicacion, proceso.huso),
            cierre=cifras.momento(proceso.cierre, proceso.huso),
        ),
    )
    observaciones = [
        (*palabras.observacion(codigo), "Sí suma." if entrada.contabilizada == 1 else "No suma.")
        for codigo, entrada in CATALOGO.items()
    ]
    yield "glosario.html", pagina("glosario.html", "glosario.html", contexto, voces=VOCES, observaciones=observaciones)
    yield "404.html", pagina_de_no_esta(contexto)


def paginas_del_corte(f: FichaProceso, contexto: Contexto) -> Iterator[tuple[str, bytes]]:
    """Datos abiertos y cómo comprobarlos, con lo de este corte."""
    huso = contexto.proceso.huso
    comunes = {
        "corte": f.corte,
        "hora": cifras.hora(f.corte.hora, huso),
        "momento": cifras.momento(f.corte.hora, huso),
    }
    elecciones = [
        {"clave": e.eleccion.clave, "nombre": cifras.frase(e.eleccion.nombre), "zip": e.zip} for e in f.elecciones
    ]
    yield "datos.html", pagina("datos.html", "datos.html", contexto, elecciones=elecciones, **comunes)
    yield (
        "verificar.html",
        pagina("verificar.html", "verificar.html", contexto, **comunes),
    )


def pagina_de_no_esta(contexto: Contexto) -> bytes:
    """La del 404. Se sirve en cualquier dirección, por eso sus enlaces parten de la raíz."""
    return pagina("404.html", "404.html", contexto).replace(b'href="', b'href="/').replace(b'href="/#', b'href="#')


def paginas_de_espera(contexto: Contexto) -> Iterator[tuple[str, bytes]]:
    """El sitio antes del primer corte: que aún no se publique es un estado normal y se explica."""
    proceso = contexto.proceso
    elecciones = [(cifras.frase(e.nombre), len(proceso.esperadas(e.clave))) for e in proceso.elecciones.values()]
    inicio = cifras.momento(proceso.inicio_publicacion, proceso.huso)
    yield "index.html", pagina("espera.html", "index.html", contexto, inicio=inicio, elecciones=elecciones)
    yield from paginas_sin_corte(contexto)
