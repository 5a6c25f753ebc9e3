"""Del almacén al sitio: leer lo nuevo, hacer el corte, escribirlo completo, asentarlo en el registro y publicarlo."""
