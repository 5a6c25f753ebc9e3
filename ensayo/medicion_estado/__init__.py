"""`./prep medir estado`: lo que cuesta publicar a un estado entero, corte por corte y etapa por etapa."""
