"use strict";
// Espera a que las pantallas nuevas contesten: su arranque ya no es el que había al pedir el cambio. La primera pregunta
// avisa, además, que esta página ya está completa y que el kiosco se puede cerrar.

const cambiando = document.getElementById("cambiando");
const preguntar = async () => {
  try {
    const respuesta = await fetch("/modo/arranque", { signal: AbortSignal.timeout(2000) });
    const { arranque } = await respuesta.json();
    if (arranque && arranque !== cambiando.dataset.arranque) {
      location.replace("/modo/espera");
      return;
    }
  } catch {
    // Se está abriendo: todavía no contesta.
  }
  setTimeout(preguntar, 700);
};
if (cambiando) preguntar();
