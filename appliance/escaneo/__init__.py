"""Digitalizar papel con SANE, en un proceso aparte: un controlador que se cuelga o muere no detiene a la pantalla."""
