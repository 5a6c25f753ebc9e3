"""Lo que se espera en este CATD y no ha llegado, con su denominador y un toque para acopiarlo o declararlo."""

from __future__ import annotations

from fastapi import FastAPI
from fastapi.responses import Response

from appliance.esperadas import Situacion, lugar_de, por_lugar
from appliance.pantalla.acta_nombrada import TIPOS
from appliance.pantalla.pagina import Pantalla, PideAcopio

POR_PAGINA = 60


def agregar(app: FastAPI, p: Pantalla) -> None:
    @app.get("/esperadas")
    def esperadas(
        e: PideAcopio, eleccion: str = "", lugar: str = "", seccion: str = "", todas: str = "", desde: str = "0"
    ) -> Response:
        eleccion = eleccion if eleccion in p.proceso.elecciones else next(iter(p.proceso.elecciones))
        lista = p.esperadas.todas(eleccion)
        cuentas = por_lugar(lista)
        elegido = next((c for c in cuentas if str(c.clave) == lugar), None)
        if seccion.isascii() and seccion.isdigit():
            lista = [x for x in lista if x.casilla.seccion == int(seccion[:6])]
        elif elegido is not None:
            lista = [x for x in lista if lugar_de(x.casilla)[0] == elegido.clave]
        se_muestran = [x for x in lista if todas or x.situacion is Situacion.FALTA]
        inicio = int(desde) if desde.isascii() and desde.isdigit() and len(desde) < 7 else 0
        return p.pagina(
            "esperadas.html",
            e,
            titulo="Faltan por llegar",
            eleccion=eleccion,
            cuentas=cuentas,
            elegido=elegido,
            seccion=seccion[:6],
            todas=todas,
            total=sum(c.total for c in cuentas),
            faltan=sum(c.faltan for c in cuentas),
            por_situacion=[(s, sum(c.por_situacion.get(s, 0) for c in cuentas)) for s in Situacion],
            renglones=se_muestran[inicio : inicio + POR_PAGINA],
            cuantos=len(se_muestran),
            inicio=inicio,
            siguiente=inicio + POR_PAGINA if inicio + POR_PAGINA < len(se_muestran) else None,
            anterior=max(0, inicio - POR_PAGINA) if inicio else None,
            Situacion=Situacion,
            tipos=TIPOS,
            completo=p.esperadas.ambito.completo,
        )
