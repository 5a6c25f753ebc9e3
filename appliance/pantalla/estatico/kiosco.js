"use strict";
// Comodidades: sin este archivo las páginas siguen sirviendo, porque todo se revisa en el servidor.

const barra = document.getElementById("barra");
setInterval(async () => {
  try {
    const respuesta = await fetch("/barra", { signal: AbortSignal.timeout(4000) });
    if (!respuesta.ok) throw new Error(String(respuesta.status));
    barra.innerHTML = await respuesta.text();
  } catch {
    const enlace = barra.querySelector(".enlace");
    enlace.className = "enlace mal";
    enlace.textContent = "▲ La pantalla perdió contacto con el kiosco. Lo ya guardado sigue guardado; llame al área técnica";
  }
}, 5000);

// El segundo toque de un dedo nervioso no manda otra vez; el servidor, de todos modos, lo contestaría igual.
for (const forma of document.querySelectorAll("form")) {
  forma.addEventListener("submit", (evento) => {
    const boton = evento.submitter;
    if (boton && boton.dataset.confirmar && !boton.dataset.confirmado) {
      evento.preventDefault();
      boton.dataset.confirmado = "1";
      boton.textContent = boton.dataset.confirmar;
      return;
    }
    if (forma.dataset.enviada) {
      evento.preventDefault();
      return;
    }
    forma.dataset.enviada = "1";
    setTimeout(() => delete forma.dataset.enviada, 5000);
  });
}

// Un Enter que se quedó oprimido no debe recorrer la hoja, guardarla y abrir la siguiente.
document.addEventListener("keydown", (evento) => {
  if (evento.repeat && evento.key === "Enter") evento.preventDefault();
}, { capture: true });

const hoja = document.getElementById("hoja");
if (hoja) {
  const numeros = [...hoja.querySelectorAll(".numero")];
  const guardar = document.getElementById("guardar");
  const faltan = hoja.querySelector(".faltan");
  let actual = numeros[0];

  const marcasDe = (numero) => [...numero.closest(".renglon").querySelectorAll(".marca input")];
  const listo = (numero) => numero.value.trim() !== "" || marcasDe(numero).some((m) => m.checked);
  const contar = () => {
    for (const n of numeros) n.closest(".renglon").classList.toggle("atendido", listo(n));
    const cuantos = numeros.filter((n) => !listo(n)).length;
    faltan.textContent = cuantos === 0 ? "Todos los renglones tienen respuesta" : cuantos === 1 ? "Falta 1 renglón" : `Faltan ${cuantos} renglones`;
  };
  const enfocar = (elemento) => {
    elemento.focus();
    (elemento.closest(".renglon") || elemento).scrollIntoView({ block: "nearest" });
    if (elemento.select) elemento.select();
  };
  const seguir = (paso) => {
    const destino = numeros[numeros.indexOf(actual) + paso];
    if (destino) enfocar(destino);
    else if (paso > 0) enfocar(guardar);
  };

  for (const numero of numeros) {
    numero.addEventListener("focus", () => { actual = numero; });
    numero.addEventListener("input", () => {
      if (numero.value.trim() !== "") for (const marca of marcasDe(numero)) marca.checked = false;
      contar();
    });
    for (const marca of marcasDe(numero)) {
      marca.addEventListener("change", () => {
        if (marca.checked) {
          numero.value = "";
          for (const otra of marcasDe(numero)) if (otra !== marca) otra.checked = false;
          actual = numero;
          seguir(1);
        }
        contar();
      });
    }
  }

  hoja.addEventListener("keydown", (evento) => {
    if (evento.repeat && evento.key === "Enter") return;
    if (!evento.target.closest(".renglon")) return;
    const paso = { Enter: evento.shiftKey ? -1 : 1, ArrowDown: 1, ArrowUp: -1 }[evento.key];
    if (!paso) return;
    evento.preventDefault();
    seguir(paso);
  });

  const teclado = hoja.querySelector(".teclado");
  teclado.hidden = false;
  for (const boton of teclado.querySelectorAll("button")) {
    // Sin esto el toque le quitaría el foco al renglón.
    boton.addEventListener("pointerdown", (evento) => evento.preventDefault());
    boton.addEventListener("click", () => {
      const tecla = boton.dataset.tecla;
      if (tecla === "siguiente") return seguir(1);
      if (tecla === "borrar") actual.value = "";
      else actual.setRangeText(tecla, actual.selectionStart, actual.selectionEnd, "end");
      actual.dispatchEvent(new Event("input"));
      if (document.activeElement !== actual) actual.focus();
    });
  }

  contar();
  enfocar(hoja.querySelector(".con-error .numero") || numeros[0]);
}
