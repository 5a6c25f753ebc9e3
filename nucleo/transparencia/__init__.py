"""El registro de transparencia: un árbol de Merkle de hojas públicas en formatos de C2SP, que cualquiera revisa."""
