"""El sitio público: de las fichas de `nucleo.publicacion` a los bytes de cada página. Nada aquí lee reloj ni disco."""
