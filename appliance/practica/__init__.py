"""La práctica guiada de capacitación: actas de muestra, leídas con las pantallas de verdad, y su calificación."""
