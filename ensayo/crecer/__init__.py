"""El mismo PREP sobre motores que reparten el trabajo entre varias máquinas: se levantan y se les matan nodos."""
