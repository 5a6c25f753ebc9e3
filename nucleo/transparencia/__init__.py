"""El registro público de sólo agregar: árbol de huellas, baldosas, notas firmadas y pruebas. Sin archivos ni red.

Los formatos son públicos (RFC 9162 y C2SP), para que los compruebe también código que aquí nadie escribió.
"""
