"""La base que publica un PREP: se escribe de una forma y se leen todas las que han existido (dominio §7)."""
