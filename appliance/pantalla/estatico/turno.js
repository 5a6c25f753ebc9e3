"use strict";
// El teclado grande del NIP. Sin este archivo se teclea con el teclado de la mesa.

const nip = document.getElementById("nip");
const cuantos = document.getElementById("cuantos");
const contarNip = () => { cuantos.textContent = nip.value ? `${nip.value.length} de 6 números` : ""; };

document.getElementById("teclado-nip").hidden = false;
for (const boton of document.querySelectorAll("#teclado-nip button")) {
  // Sin esto el toque le quitaría el foco al NIP.
  boton.addEventListener("pointerdown", (evento) => evento.preventDefault());
  boton.addEventListener("click", () => {
    const tecla = boton.dataset.tecla;
    if (tecla === "borrar") nip.value = nip.value.slice(0, -1);
    else if (tecla === "limpiar") nip.value = "";
    else nip.value = (nip.value + tecla).slice(0, 6);
    contarNip();
    nip.focus();
  });
}
nip.addEventListener("input", contarNip);
