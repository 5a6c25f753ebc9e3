"""Leer los códigos que lee un lector de mano: gafetes y etiquetas, sin que caigan en un campo de captura."""
