"""Las pantallas del kiosco: páginas hechas en el servidor, sólo para el navegador de la misma máquina."""
