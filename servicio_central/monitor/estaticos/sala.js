// Lo único que htmx no hace: decir cuándo lo que se ve dejó de ser de ahora.
(() => {
  "use strict";
  const SIN_NOTICIAS = 12000; // el centro manda un pulso cada cinco segundos
  let ultima = Date.now();
  const letrero = () => document.getElementById("sin-vivo");
  const decir = (texto) => {
    const donde = letrero();
    if (!donde || (donde.textContent === texto && donde.hidden === !texto)) return;
    donde.textContent = texto;
    donde.hidden = !texto;
    document.body.classList.toggle("viejo", Boolean(texto));
  };
  let fin = false;
  document.addEventListener("htmx:sseMessage", () => { ultima = Date.now(); decir(""); });
  document.addEventListener("htmx:sseClose", (suceso) => {
    if (suceso.detail.type !== "message") return;
    fin = true;
    decir("✕ Su sesión terminó por falta de uso. Recargue la página para volver a entrar; lo que ve ya no se actualiza.");
  });
  setInterval(() => {
    if (fin || Date.now() - ultima < SIN_NOTICIAS) return;
    const hora = new Date(ultima).toLocaleTimeString("es-MX", { hour12: false });
    decir(`✕ Sin conexión con el centro: lo que ve es de las ${hora}. Se sigue intentando; si dura, revise la red de esta máquina o el centro.`);
  }, 1000);
})();
