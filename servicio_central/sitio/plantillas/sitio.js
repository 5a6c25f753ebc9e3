// Avisa que hay un corte más nuevo que el de esta página. No hace nada más: sin este guion se lee todo.
(() => {
  "use strict";
  const aviso = document.getElementById("aviso");
  if (!aviso || location.pathname.startsWith("/cortes/")) return;
  const visto = aviso.dataset.corte;
  const revisar = async () => {
    if (document.hidden) return;
    try {
      const respuesta = await fetch("/resumen.json", { cache: "no-cache" });
      if (!respuesta.ok) return;
      const dato = await respuesta.json();
      const nombre = dato.corte && dato.corte.nombre;
      if (typeof nombre === "string" && nombre > visto) aviso.hidden = false;
    } catch {
      // Sin red no hay nada que avisar; la página ya dice de qué hora es.
    }
  };
  setInterval(revisar, 60000);
  document.addEventListener("visibilitychange", revisar);
})();
