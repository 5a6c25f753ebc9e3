"""`./prep medir enlace`: las metas del enlace, cada una con su referencia medida en la misma corrida."""
