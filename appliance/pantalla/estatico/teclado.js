"use strict";
// El teclado en pantalla: un kiosco táctil puede no tener otro. Sale junto al campo que se toca con el dedo, sin taparlo;
// quien usa teclado o ratón no lo ve. Las hojas de captura y el NIP de entrada traen el suyo.
const CIFRAS = ["1234567890"];
const LETRAS = ["1234567890", "QWERTYUIOP", "ASDFGHJKLÑ", "ZXCVBNM-: "];
const NOMBRES = { " ": "Espacio", "-": "Guion", ":": "Dos puntos" };
const panel = document.createElement("div");
panel.className = "teclado-de-pantalla";
panel.setAttribute("role", "group");
panel.setAttribute("aria-label", "Teclado en pantalla");
let campo = null;

const tecla = (texto, nombre, alTocar) => {
  const boton = document.createElement("button");
  boton.type = "button";
  boton.textContent = texto;
  if (nombre !== texto) boton.setAttribute("aria-label", nombre);
  // Sin esto el toque le quitaría el foco al campo.
  boton.addEventListener("pointerdown", (evento) => evento.preventDefault());
  boton.addEventListener("click", alTocar);
  return boton;
};
const avisar = () => {
  campo.dispatchEvent(new Event("input", { bubbles: true }));
  campo.focus();
};
const escribir = (letra) => {
  const tope = campo.maxLength > 0 ? campo.maxLength : Infinity;
  if (campo.value.length >= tope && campo.selectionStart === campo.selectionEnd) return;
  campo.setRangeText(letra, campo.selectionStart, campo.selectionEnd, "end");
  avisar();
};
const borrar = () => {
  const { selectionStart: desde, selectionEnd: hasta } = campo;
  campo.setRangeText("", desde === hasta ? Math.max(0, desde - 1) : desde, hasta, "end");
  avisar();
};
const cerrar = () => {
  panel.remove();
  campo = null;
};
const abrir = (elegido) => {
  if (campo === elegido) return;
  campo = elegido;
  const numeros = campo.inputMode === "numeric" || campo.name === "nip";
  panel.classList.toggle("numeros", numeros);
  const filas = (numeros ? CIFRAS : LETRAS).map((letras) => {
    const fila = document.createElement("div");
    fila.append(...[...letras].map((x) => tecla(x === " " ? "␣" : x, NOMBRES[x] || x, () => escribir(x))));
    return fila;
  });
  if (campo.name === "hora") filas[0].append(tecla(":", NOMBRES[":"], () => escribir(":")));
  filas[filas.length - 1].append(tecla("⌫", "Borrar", borrar), tecla("Listo", "Listo", cerrar));
  panel.replaceChildren(...filas);
  (campo.closest(".campo, .nip, .hora") || campo).after(panel);
  panel.scrollIntoView({ block: "nearest" });
};

const conTecladoPropio = (elegido) =>
  elegido.classList.contains("numero") || elegido.id === "nip" || (elegido.name !== "nip" && !!elegido.form?.querySelector(".teclado"));
// Al soltar el dedo y no al apoyarlo: al mudarse el teclado se recorre la página, y el toque caería en otro botón.
document.addEventListener("click", (evento) => {
  if (evento.pointerType !== "touch") return;
  const elegido = evento.target.closest("input:not([type=hidden]):not([type=radio]):not([type=checkbox])");
  if (elegido && !elegido.readOnly && !conTecladoPropio(elegido)) abrir(elegido);
});
