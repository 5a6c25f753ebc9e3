"""De los hechos a lo que se publica, sin tocar disco ni red: parciales que se suman, fichas de cada página y sus JSON.

Cualquiera con las mismas hojas del registro, la definición y la hora obtiene los mismos bytes.
"""
