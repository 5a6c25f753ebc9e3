"""Los aparatos conectados al kiosco: qué hay ahora, con qué perfil se maneja cada uno y qué le falta."""
