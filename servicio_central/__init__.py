"""El centro: inscribe equipos, agrega los hechos que llegan, hace los cortes y los publica. Nunca importa
`appliance`."""
