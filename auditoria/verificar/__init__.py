"""Verificar una publicación completa desde su registro, sin red y sin confiar en quien la hizo."""
