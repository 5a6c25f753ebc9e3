"""El lenguaje que hablan el kiosco y el centro. Puro: sin entrada ni salida, sin reloj y sin azar."""
