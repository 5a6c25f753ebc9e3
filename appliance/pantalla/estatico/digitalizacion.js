"use strict";
// Comodidades de la digitalización: sin este archivo todo sirve igual, con la liga «Actualizar la lista».

// Mientras hay un dedo en la pantalla no se cambia nada de lugar: el toque debe caer donde se vio.
let tocando = false;
let soltado = 0;
document.addEventListener("pointerdown", () => { tocando = true; }, { capture: true });
for (const fin of ["pointerup", "pointercancel"]) {
  document.addEventListener(fin, () => { tocando = false; soltado = Date.now(); }, { capture: true });
}
document.addEventListener("htmx:beforeSwap", (evento) => {
  if (tocando || Date.now() - soltado < 400) evento.detail.shouldSwap = false;
});

const marco = document.getElementById("marco");
const acercar = document.getElementById("acercar");
if (marco && acercar) {
  acercar.hidden = false;
  const alternar = (evento) => {
    const imagen = marco.querySelector("img");
    const antes = imagen.getBoundingClientRect();
    const dx = evento.clientX ? (evento.clientX - antes.left) / antes.width : 0.5;
    const dy = evento.clientY && evento.currentTarget === marco ? (evento.clientY - antes.top) / antes.height : 0;
    const cerca = marco.classList.toggle("cerca");
    acercar.textContent = cerca ? "Ver hoja completa" : "Acercar imagen";
    if (cerca) {
      marco.scrollLeft = dx * imagen.scrollWidth - marco.clientWidth / 2;
      marco.scrollTop = dy * imagen.scrollHeight - marco.clientHeight / 2;
    }
  };
  marco.addEventListener("click", alternar);
  acercar.addEventListener("click", alternar);
}

const seccion = document.getElementById("seccion");
if (seccion) {
  const teclado = document.querySelector(".seccion .teclado");
  teclado.hidden = false;
  for (const boton of teclado.querySelectorAll("button")) {
    boton.addEventListener("pointerdown", (evento) => evento.preventDefault());
    boton.addEventListener("click", () => {
      const tecla = boton.dataset.tecla;
      seccion.value = tecla === "borrar" ? "" : (seccion.value + tecla).slice(0, 4);
      seccion.focus();
    });
  }
}
