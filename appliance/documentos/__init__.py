"""Los papeles que imprime el kiosco, en PDF. Cada módulo recibe datos y devuelve bytes; ninguno lee el almacén."""
