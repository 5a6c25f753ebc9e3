"""Lo que corre quien vigila en su propia máquina: el testigo que cofirma y el espejo que sólo copia lo comprobado."""
