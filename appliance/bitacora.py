"""Los eventos que el kiosco anota para sí: qué pasó, quién y cuándo. No son hechos ni viajan al centro."""

from __future__ import annotations

from enum import Enum


class Evento(Enum):
    """Clase de evento; el valor es lo que se guarda."""

    ACOPIO_HORA_RARA = "acopio_hora_rara"
    """La hora estampada es posterior al reloj o muy anterior; ocurre en la realidad y no se impide."""
    TOMADA = "tomada"
    SOLTADA = "soltada"
    ENCARGO_VENCIDO = "encargo_vencido"
    """Alguien tomó un acta que otra persona dejó abierta más del plazo."""
    ACUSE_AJENO = "acuse_ajeno"
    """Acuse bien firmado, pero de otro equipo u otra época."""
    APARTADO = "apartado"
    """El centro tiene el sobre y no lo cuenta; el detalle dice el código."""
    BIFURCADO = "bifurcado"
    """El centro acusa, en una secuencia de este kiosco, un sobre que no es el suyo."""
    ASENTADO_CON_ALARMA = "asentado_con_alarma"
    """Se asentó un hecho con la alarma levantada: puede no contarse y habrá que recapturarlo al volver a inscribir."""
    RETROCEDIDO = "retrocedido"
    """El centro acusa más hechos de los que este kiosco recuerda."""
