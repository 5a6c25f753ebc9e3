"""Audita cualquier base que un PREP haya publicado, sin la definición de la elección ni acceso a su sistema."""
