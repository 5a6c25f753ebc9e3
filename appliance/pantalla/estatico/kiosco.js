"use strict";
// Comodidades: sin este archivo las páginas siguen sirviendo, porque todo se revisa en el servidor.

const barra = document.getElementById("barra");
// En éstas no hay a quién mandar a entrar: una es la entrada, y en la otra el kiosco está cambiando de modo.
const EN_TURNO = ["/turno", "/modo/espera"].includes(location.pathname);
const irAEntrar = () => {
  if (!EN_TURNO) location.assign(`/turno?volver=${encodeURIComponent(location.pathname)}`);
};

// ------------------------------------------------------------------------------------------------------------ la barra

// El sello es uno por persona: si cambia, en otra ventana entró alguien más y lo de esta página no es suyo.
const selloDeLaBarra = () => barra.querySelector("form [name=sello]")?.value;
const selloAlAbrir = selloDeLaBarra();
let barraVista = "";
setInterval(async () => {
  try {
    const respuesta = await fetch("/barra", { signal: AbortSignal.timeout(4000) });
    if (!respuesta.ok) throw new Error(String(respuesta.status));
    if (respuesta.headers.has("HX-Redirect")) irAEntrar();
    const texto = await respuesta.text();
    // Si nada cambió no se toca: un dedo puede estar a medio camino de «Bloquear».
    if (texto !== barraVista) barra.innerHTML = texto;
    barraVista = texto;
    const sello = selloDeLaBarra();
    if (!EN_TURNO && selloAlAbrir && sello && sello !== selloAlAbrir) location.assign("/");
  } catch {
    barraVista = "";
    const enlace = barra.querySelector(".enlace");
    enlace.className = "enlace mal";
    enlace.textContent = "▲ La pantalla perdió contacto con el kiosco. Lo ya guardado sigue guardado; llame al área técnica";
  }
}, 5000);

// ----------------------------------------------------------------------------------------------------- hay alguien aquí

// El servidor bloquea lo que nadie usa; leer la imagen y mover los dedos también es usarla.
const ACTIVIDAD = 20000;
let ultimaActividad = Date.now();
const huboActividad = async () => {
  const sello = barra.querySelector("form [name=sello]");
  if (!sello || Date.now() - ultimaActividad < ACTIVIDAD) return;
  ultimaActividad = Date.now();
  const cuerpo = new URLSearchParams({ sello: sello.value });
  const respuesta = await fetch("/turno/actividad", { method: "POST", body: cuerpo, headers: { "HX-Request": "true" } }).catch(() => null);
  if (respuesta && respuesta.headers.has("HX-Redirect")) irAEntrar();
};
for (const senal of ["pointerdown", "keydown", "wheel"]) document.addEventListener(senal, huboActividad, { passive: true });

// ------------------------------------------------------------------------------------------------------ los formularios

// El segundo toque de un dedo nervioso no manda otra vez; el servidor, de todos modos, lo contestaría igual.
document.addEventListener("submit", (evento) => {
  if (evento.defaultPrevented) return;
  const forma = evento.target;
  const aqui = forma.querySelector("[data-aqui]");
  if (aqui) aqui.value = location.pathname;
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

// Un Enter que se quedó oprimido no debe recorrer la hoja, guardarla y abrir la siguiente.
document.addEventListener("keydown", (evento) => {
  if (evento.repeat && evento.key === "Enter") evento.preventDefault();
}, { capture: true });

// ------------------------------------------------------------------------------------------------------------ el lector

// Una página que espera una lectura la recibe y manda su formulario; a las demás sólo se les anuncia, sin tocar lo tecleado.
const SONDEO = 400;
const campoDelLector = document.querySelector("[data-lector]");
const pideGafete = !!campoDelLector && campoDelLector.dataset.lector === "gafete";
const delLector = document.getElementById("del-lector");

const mostrarAnuncio = (si) => {
  delLector.hidden = !si;
  delLector.className = si ? "aviso malo" : "";
};
const anunciar = (titulo, siguiente, boton) => {
  const renglones = [["p", "que", `▲ ${titulo}`], ["p", "", siguiente]].map(([que, clase, texto]) => {
    const renglon = document.createElement(que);
    renglon.className = clase;
    renglon.textContent = texto;
    return renglon;
  });
  const botones = document.createElement("div");
  botones.className = "botonera";
  const seguir = document.createElement("button");
  seguir.type = "button";
  seguir.textContent = "Seguir en esta pantalla";
  seguir.addEventListener("click", () => mostrarAnuncio(false));
  if (boton) botones.append(boton);
  botones.append(seguir);
  delLector.replaceChildren(...renglones, botones);
  mostrarAnuncio(true);
};
const deGafete = (lectura) => {
  if (lectura.aviso) return anunciar("Ese gafete no sirve aquí", lectura.aviso);
  if (lectura.propio) return anunciar("Es su propio gafete", "Su turno ya está abierto: no hace falta pasarlo.");
  const confirma = document.querySelector(`input[name=confirma][value="${CSS.escape(lectura.persona)}"]`);
  if (confirma) {
    confirma.checked = true;
    const nip = confirma.form.querySelector("input[name=nip]");
    if (nip) nip.focus();
    return null;
  }
  const relevar = document.createElement("a");
  relevar.className = "boton";
  relevar.href = "/turno";
  relevar.textContent = `Sí: entra ${lectura.nombre}`;
  return anunciar(`Se leyó el gafete de ${lectura.nombre}. ¿Va a relevar en esta pantalla?`, "Lo que no se haya guardado en esta página se pierde al salir de ella.", relevar);
};
const recibir = (lectura) => {
  const esGafete = lectura.clase === "gafete";
  if (esGafete && !pideGafete) return deGafete(lectura);
  if (campoDelLector && esGafete === pideGafete) {
    campoDelLector.value = lectura.texto;
    return campoDelLector.form.requestSubmit();
  }
  if (pideGafete) return anunciar("Eso no es un gafete", "Pase por el lector el código cuadrado de su gafete.");
  const que = lectura.clase === "acta" ? "el código de un acta" : "un código";
  return anunciar(`Se leyó ${que}, y en esta pantalla no se usa`, "No se hizo nada con él. Regístrelo en «Acopio».");
};
const sondear = async () => {
  if (document.visibilityState === "visible") {
    try {
      const respuesta = await fetch(pideGafete ? "/lector?pide=gafete" : "/lector", { signal: AbortSignal.timeout(4000) });
      if (respuesta.status === 200) recibir(await respuesta.json());
    } catch {
      // La barra ya dice que el kiosco no contesta.
    }
  }
  setTimeout(sondear, SONDEO);
};
if ("conLector" in document.body.dataset) sondear();
