"""El kiosco del CATD: asienta hechos en su propio libro, los mueve al centro y atiende a las personas."""
