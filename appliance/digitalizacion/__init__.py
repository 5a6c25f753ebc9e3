"""La hoja, de la charola al libro: cada paso queda en disco antes del siguiente y ninguno se repite dos veces."""
