"""Mirar la imagen del acta: qué código trae, dónde está cada renglón y si una persona podrá leerla. Nunca lee votos."""
