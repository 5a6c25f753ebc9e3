"""La solicitud a la autoridad: lo que la sala pide y no puede hacer, porque la llave que firma no vive en el centro.

Es un texto para llevar a la ceremonia. No firma ni obliga: quien tiene la llave comprueba y decide (decisiones 15 y
16).
"""

from __future__ import annotations

from typing import Final

from nucleo.padron import Padron
from servicio_central.monitor.grupos import fecha
from servicio_central.monitor.pedidos import Pedido

_ORDENES: Final = {
    "baja": "./prep inscribir --autoridad ~/prep/autoridad --centro ~/prep/centro --baja {equipo}",
    "firmar_definicion": "./prep inscribir --autoridad ~/prep/autoridad --centro ~/prep/centro --definicion CARPETA",
}

_DESPUES: Final = {
    "baja": "Copie el padron.jws que deja sobre el del centro: lo relee solo. SIGHUP al bróker lo saca ya.",
    "firmar_definicion": "Copie definiciones_firmadas/ al centro; luego, en la sala, «Que tome la definición firmada».",
}


def orden_de(pedido: Pedido) -> str:
    """La orden exacta que corre la autoridad, en su máquina."""
    return _ORDENES[pedido.accion.clave].format(equipo=pedido.equipo)


def texto(pedido: Pedido, padron: Padron, huso: str) -> str:
    """La solicitud completa, para imprimir o llevar en memoria. El pedido ya está autorizado."""
    respuesta = pedido.respuesta
    assert respuesta is not None
    renglones = (
        f"SOLICITUD A LA AUTORIDAD {pedido.numero}",
        "",
        f"Proceso:   {padron.modo} / {padron.proceso}, con el padrón {padron.version}",
        f"Equipo:    {pedido.equipo}",
        f"Se pide:   {pedido.accion.titulo}. {pedido.accion.explica}",
        f"Motivo:    {pedido.motivo}",
        f"Lo pide:   {pedido.quien}, {fecha(pedido.hora, huso)}",
        f"Autoriza:  {respuesta.quien}, {fecha(respuesta.hora, huso)}"
        + (f": {respuesta.nota}" if respuesta.nota else ""),
        "",
        "La llave de la autoridad no está en el centro: esta solicitud no firma nada.",
        "Quien la tenga comprueba lo dicho y, si procede, corre en su máquina:",
        "",
        f"    {orden_de(pedido)}",
        "",
        _DESPUES[pedido.accion.clave],
    )
    return "\n".join(renglones) + "\n"
