"""El lenguaje que hablan el kiosco y el centro. Puro: sin entrada ni salida, sin reloj y sin azar."""

from nucleo.ayuda_de_ordenes import hablar_espanol

# Aquí, porque es lo único que toda orden importa.
hablar_espanol()
