"""El JSON que va junto a cada página, y lo que permite leerlo sin preguntarnos: esquema y diccionario."""
