"""Cuánto cuesta servir el sitio público, como razón contra un nginx pelón en la misma corrida."""
