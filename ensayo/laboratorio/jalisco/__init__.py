"""La noche de un estado entero en esta máquina, con su bróker, sus procesos y sus imágenes (`docs/laboratorio.md`)."""
