"""Un kiosco inscrito y tomado: su llave es buena y manda todo lo que puede estorbar.

Lo que firma bien y cabe en la definición se cuenta (el protocolo no lo distingue); nada de lo demás debe contarse,
tumbar a nadie ni detener a los otros.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from dataclasses import replace
from typing import Final

from appliance.enlace.transporte import EnlaceCaido
from ensayo.laboratorio.guion import Tarea
from ensayo.laboratorio.proceso import EPOCA, llave_de, proceso_de
from ensayo.laboratorio.red import Red
from nucleo.hechos import a_contenido
from nucleo.latido import Latido, sellar_latido
from nucleo.sobre import CADENA_NUEVA, Sobre, Tipo, huella, sellar
from nucleo.temas import Carril, Tema, ambito_de

NOMBRE: Final = "catd-hostil"
_LEJOS: Final = 2**50


class Hostil:
    """Publica una maldad cada vez que se le pide. `emitidos` es lo que firmó bien: huella → sobre."""

    def __init__(self, red: Red, azar: random.Random, cuenta: Counter[str], ajenos: list[str]) -> None:
        self.emitidos: dict[str, str] = {}
        self.oidos: list[bytes] = []
        """Sobres de otros que alcanzó a ver; por ejemplo, en una mochila."""
        self._red = red
        self._azar = azar
        self._cuenta = cuenta
        self._ajenos = ajenos
        self._conexion = red.conexion(NOMBRE)
        self._secuencia = 0
        self._previo = CADENA_NUEVA
        self._proceso = proceso_de(1)
        self._ambito = ambito_de(self._proceso.modo, self._proceso.clave)
        self._maldades = (
            self._bueno,
            self._bueno,
            self._repetido,
            self._basura,
            self._basura_firmada,
            self._ajeno,
            self._alterado,
            self._bifurcado,
            self._salto,
            self._cadena_rota,
            self._latido_mentiroso,
            self._por_tema_ajeno,
        )

    def actuar(self, tarea: Tarea) -> None:
        """Una maldad al azar, con el hecho de esa tarea por materia."""
        self._tarea = tarea
        maldad = self._azar.choice(self._maldades)
        self._cuenta[f"kiosco hostil: {maldad.__name__.strip('_').replace('_', ' ')}"] += 1
        try:
            maldad()
        except EnlaceCaido:
            self._reconectar()

    def _reconectar(self) -> None:
        self._conexion = self._red.conexion(NOMBRE)
        try:
            self._conexion.conectar()
        except EnlaceCaido:
            self._cuenta["kiosco hostil sin enlace"] += 1

    def _mandar(self, datos: str | bytes, carril: Carril = Carril.HECHOS, equipo: str = NOMBRE) -> None:
        carga = datos.encode() if isinstance(datos, str) else datos
        self._conexion.publicar(str(Tema(self._ambito, equipo, carril)), carga)

    def _sobre(self, secuencia: int, previo: str, **distinto: object) -> str:
        hecho = self._tarea.hacer(self._red.tiempo.ahora())
        p = self._proceso
        llano = Sobre(
            *(p.clave, p.modo, NOMBRE, NOMBRE, EPOCA, secuencia, previo, hecho.hora, "virtual", "x", "x"),
            contenido=a_contenido(hecho),
        )
        compacto = sellar(replace(llano, **distinto), llave_de(NOMBRE))  # type: ignore[arg-type]
        self.emitidos[huella(compacto)] = compacto
        return compacto

    # --------------------------------------------------------------------------------------------------------- maldades

    def _bueno(self) -> None:
        self._secuencia += 1
        compacto = self._sobre(self._secuencia, self._previo)
        self._previo = huella(compacto)
        self._mandar(compacto)

    def _repetido(self) -> None:
        for compacto in self._azar.sample(sorted(self.emitidos.values()), min(3, len(self.emitidos))):
            self._mandar(compacto)
            self._mandar(compacto)

    def _basura(self) -> None:
        for carril in (Carril.HECHOS, Carril.LATIDO, Carril.IMAGEN):
            self._mandar(self._azar.randbytes(self._azar.randrange(200)), carril)

    def _basura_firmada(self) -> None:
        contenido = self._azar.choice(({}, {"hecho": "captura"}, {"v": 1}, {"v": 2, "contenido": []}, {"contiguo": 9}))
        for tipo, carril in ((Tipo.HECHO, Carril.HECHOS), (Tipo.LATIDO, Carril.LATIDO), (Tipo.ACUSE, Carril.HECHOS)):
            self._mandar(llave_de(NOMBRE).firmar(tipo, json.dumps(contenido).encode()), carril)

    def _ajeno(self) -> None:
        for datos in self.oidos[-2:]:
            self._mandar(datos)

    def _alterado(self) -> None:
        compacto = self._sobre(self._secuencia + 1, self._previo)
        del self.emitidos[huella(compacto)]
        cabeza, carga, firma = compacto.split(".")
        lugar = self._azar.randrange(len(carga))
        otra = carga[:lugar] + ("A" if carga[lugar] != "A" else "B") + carga[lugar + 1 :]
        self._mandar(f"{cabeza}.{otra}.{firma}")

    def _bifurcado(self) -> None:
        if self._secuencia:
            self._mandar(self._sobre(self._azar.randint(1, self._secuencia), self._previo))

    def _salto(self) -> None:
        self._mandar(self._sobre(self._azar.choice((self._secuencia + 40, _LEJOS)), self._previo))

    def _cadena_rota(self) -> None:
        self._secuencia += 1
        compacto = self._sobre(self._secuencia, "f" * 64)
        self._previo = huella(compacto)
        self._mandar(compacto)

    def _latido_mentiroso(self) -> None:
        hora = self._red.tiempo.ahora().isoformat()
        dice = self._azar.choice((0, self._secuencia, self._secuencia + 7, _LEJOS))
        latido = Latido(
            *(NOMBRE, NOMBRE, EPOCA, "0" * 16, "pulso", dice, self._previo, 0, 0, hora, "virtual", 10**9, "x")
        )
        compacto = sellar_latido(latido, llave_de(NOMBRE))
        self._mandar(compacto, Carril.LATIDO)
        self._mandar(compacto, Carril.LATIDO)

    def _por_tema_ajeno(self) -> None:
        ajeno = self._azar.choice(self._ajenos)
        self._mandar(self._sobre(self._secuencia + 1, self._previo), Carril.HECHOS, ajeno)
        self._mandar(b"acuse falso", Carril.ACUSE, ajeno)
