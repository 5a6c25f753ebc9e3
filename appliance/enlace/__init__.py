"""El enlace: lleva los sobres de la bandeja al centro y cierra renglones con los acuses firmados.

Es un proceso aparte de las pantallas (`python -m appliance.enlace --carpeta DIR`); sólo se encuentran en el almacén.
"""

from appliance.enlace.ciclo import Ajustes, Enlace

__all__ = ["Ajustes", "Enlace"]
