"""El laboratorio: noches malas enteras en minutos, sobre el código que se instala (`docs/laboratorio.md`)."""
