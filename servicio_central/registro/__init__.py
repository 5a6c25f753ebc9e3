"""El registro de transparencia del centro: agregar hojas, firmar el punto de control y recoger las cofirmas."""
