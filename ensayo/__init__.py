"""Los ensayos: componen kiosco y centro, con su código de producción, y los hacen vivir una noche.

Es el único paquete que puede importar ambos lados; nada de lo que se instala en un kiosco o en el centro lo importa.
"""
