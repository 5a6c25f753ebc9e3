"""Imprimir etiquetas, relaciones y recibos. Sin impresora nada se detiene: queda en PDF y la pantalla lo dice."""
