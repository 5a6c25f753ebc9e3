"""La sala de operación: el centro visto por quien lo cuida, y lo que esa persona deja asentado."""
