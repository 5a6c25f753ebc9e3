"""La mesa de pruebas: un escáner y un lector simulados, debajo del código de producción. No se instala en el kiosco."""
