"use strict";
// La hoja de captura con dedos y con teclas. Sin este archivo se captura igual: todo se revisa en el servidor.

(() => {
  const hoja = document.getElementById("hoja");
  if (!hoja) return;
  const renglones = [...hoja.querySelectorAll(".renglon")];
  const numeros = renglones.map((r) => r.querySelector(".numero"));
  const guardar = document.getElementById("guardar");
  const faltan = hoja.querySelector(".faltan");
  const lupa = hoja.querySelector(".lupa");
  const teclasDeMarca = [...hoja.querySelectorAll("[data-marca]")];
  let actual = numeros[0];

  const renglonDe = (numero) => numero.closest(".renglon");
  const marcasDe = (numero) => [...renglonDe(numero).querySelectorAll(".marca input")];
  const valorDe = (numero) => (marcasDe(numero).find((m) => m.checked) || numero).value.trim();

  // ------------------------------------------------------------------------------------------- guardar cada renglón

  const ESPERA_TECLEO = 350;
  const ESPERA_REINTENTO = 2000;
  const SIN_RESPUESTA = 8000;
  const LATIDO = 60000;
  const pendientes = new Map();
  const guardados = new Map(numeros.map((n) => [renglonDe(n).dataset.renglon, valorDe(n)]));
  const alarma = hoja.querySelector(".sin-guardar");
  let mandando = false;
  let tecleo = 0;
  let ultimaSenal = Date.now();

  const senal = (clave, texto, mal = false) => {
    const donde = hoja.querySelector(`[data-renglon="${CSS.escape(clave)}"] .guardado`);
    donde.textContent = texto;
    donde.classList.toggle("mal", mal);
  };
  const alarmar = (texto) => {
    alarma.textContent = texto;
    alarma.hidden = texto === "";
  };
  // Lo que aún no llega al disco sobrevive a que esta página se vaya (la pantalla se bloqueó, el kiosco reinició); sólo
  // vuelve a la misma hoja de la misma persona.
  const bolsillo = `pendiente ${hoja.dataset.acta} ${hoja.dataset.lectura}`;
  const embolsar = () => {
    if (pendientes.size) sessionStorage.setItem(bolsillo, JSON.stringify([...pendientes]));
    else sessionStorage.removeItem(bolsillo);
  };
  const pedir = async (que, campos) => {
    const cuerpo = new URLSearchParams({ sello: hoja.elements.sello.value, ...campos });
    const respuesta = await fetch(hoja.dataset.acta + que, {
      method: "POST", body: cuerpo, headers: { "HX-Request": "true" }, signal: AbortSignal.timeout(SIN_RESPUESTA),
    });
    const otraPagina = respuesta.headers.get("HX-Redirect");
    if (otraPagina) return { guardado: false, otraPagina };
    const dato = await respuesta.json().catch(() => null);
    return dato || { guardado: false, que: "No se guardó: esta página venció", causa: "se cambió de persona o se bloqueó la pantalla", siguiente: "regrese al inicio y abra el acta otra vez" };
  };
  const mandar = async () => {
    if (mandando) return;
    mandando = true;
    while (pendientes.size) {
      const [clave, texto] = pendientes.entries().next().value;
      try {
        const dicho = await pedir("/renglon", { renglon: clave, texto });
        ultimaSenal = Date.now();
        if (dicho.otraPagina) {
          location.assign(dicho.otraPagina);
          return;
        }
        // Si mientras tanto se cambió el renglón, queda pendiente lo nuevo.
        if (pendientes.get(clave) === texto) pendientes.delete(clave);
        if (dicho.guardado) {
          guardados.set(clave, texto);
          senal(clave, texto ? "guardado ✔" : "");
          alarmar("");
        } else {
          senal(clave, "✖ sin guardar", true);
          alarmar(`▲ ${dicho.que}. Causa probable: ${dicho.causa}. Siguiente paso: ${dicho.siguiente}.`);
        }
        embolsar();
      } catch {
        senal(clave, "✖ sin guardar", true);
        alarmar("▲ Lo último que tecleó está sólo en esta pantalla: el kiosco no contesta. Siga capturando; se reintenta solo. Si dura más de un minuto, llame al área técnica.");
        await new Promise((listo) => setTimeout(listo, ESPERA_REINTENTO));
      }
    }
    mandando = false;
  };
  const anotar = (numero) => {
    if (!hoja.dataset.acta) return;
    const clave = renglonDe(numero).dataset.renglon;
    const texto = valorDe(numero);
    if (guardados.get(clave) === texto && !pendientes.has(clave)) return;
    pendientes.set(clave, texto);
    embolsar();
    senal(clave, "…");
    mandar();
  };
  const anotarPronto = (numero) => {
    clearTimeout(tecleo);
    tecleo = setTimeout(() => anotar(numero), ESPERA_TECLEO);
  };
  // Quien mira la imagen sin teclear también está trabajando: que nadie le quite el acta.
  const latir = () => {
    if (!hoja.dataset.acta || Date.now() - ultimaSenal < LATIDO) return;
    ultimaSenal = Date.now();
    pedir("/latido", {}).then((dicho) => { if (dicho.otraPagina) location.assign(dicho.otraPagina); }).catch(() => null);
  };
  document.addEventListener("pointerdown", latir);
  document.addEventListener("keydown", latir);

  // ------------------------------------------------------------------------------------------------------ los campos

  const listo = (numero) => valorDe(numero) !== "";
  const contar = () => {
    for (const n of numeros) renglonDe(n).classList.toggle("atendido", listo(n));
    const cuantos = numeros.filter((n) => !listo(n)).length;
    faltan.textContent = cuantos === 0 ? "Todo tiene respuesta" : cuantos === 1 ? "Falta 1 renglón" : `Faltan ${cuantos} renglones`;
    // Ya corregido todo, el aviso rojo diría lo contrario que el contador.
    const aviso = hoja.querySelector(".instruccion.malo:not(.sin-guardar)");
    if (aviso) aviso.hidden = !hoja.querySelector(".con-error:not(.atendido)");
    const marcada = marcasDe(actual).find((m) => m.checked);
    for (const tecla of teclasDeMarca) tecla.setAttribute("aria-pressed", String(!!marcada && marcada.value === tecla.dataset.marca));
  };
  const activar = (numero) => {
    if (actual !== numero) anotar(actual);
    actual = numero;
    for (const r of renglones) r.classList.toggle("activo", r === renglonDe(numero));
    const recorte = renglonDe(numero).querySelector(".recorte");
    if (lupa) {
      lupa.hidden = !recorte;
      if (recorte) lupa.firstElementChild.src = recorte.src;
    }
    contar();
  };
  const enfocar = (numero) => {
    numero.focus({ preventScroll: true });
    renglonDe(numero).scrollIntoView({ block: "nearest" });
    numero.select();
  };
  const seguir = (paso, alFinal = () => {}) => {
    const destino = numeros[numeros.indexOf(actual) + paso];
    anotar(actual);
    if (destino) enfocar(destino);
    else if (paso > 0) alFinal();
  };
  const cambio = () => {
    contar();
    anotarPronto(actual);
  };
  const marcar = (valor) => {
    for (const marca of marcasDe(actual)) marca.checked = marca.value === valor && !marca.checked;
    if (marcasDe(actual).some((m) => m.checked)) actual.value = "";
    contar();
    anotar(actual);
  };
  const nip = hoja.querySelector('[name="nip"]');
  const enNip = () => nip !== null && document.activeElement === nip;
  const teclear = (cifra) => {
    if (enNip()) {
      nip.value = (nip.value + cifra).slice(0, nip.maxLength);
      return;
    }
    actual.setRangeText(cifra, actual.selectionStart, actual.selectionEnd, "end");
    actual.value = actual.value.slice(0, 5);
    for (const marca of marcasDe(actual)) marca.checked = false;
    cambio();
  };
  const borrar = () => {
    if (enNip()) {
      nip.value = "";
      return;
    }
    actual.value = "";
    for (const marca of marcasDe(actual)) marca.checked = false;
    cambio();
  };

  for (const numero of numeros) {
    let recien = false;
    numero.addEventListener("focus", () => {
      activar(numero);
      recien = true;
    });
    // Tocar un renglón lleno es para volverlo a escribir, no para agregarle cifras; un segundo toque ya pone el cursor.
    numero.addEventListener("click", () => {
      if (recien) numero.select();
      recien = false;
    });
    numero.addEventListener("input", () => {
      const limpio = numero.value.replace(/[^0-9]/g, "").slice(0, 5);
      if (limpio !== numero.value) numero.value = limpio;
      if (limpio !== "") for (const marca of marcasDe(numero)) marca.checked = false;
      activar(numero);
      cambio();
    });
    for (const marca of marcasDe(numero)) {
      marca.addEventListener("change", () => {
        activar(numero);
        if (marca.checked) {
          numero.value = "";
          for (const otra of marcasDe(numero)) if (otra !== marca) otra.checked = false;
        }
        contar();
        anotar(numero);
      });
    }
  }

  hoja.addEventListener("keydown", (evento) => {
    if (!evento.target.closest(".renglon") || evento.ctrlKey || evento.altKey || evento.metaKey) return;
    const tecla = evento.key;
    if (evento.repeat && tecla === "Enter") return;
    const marca = { i: "ILEGIBLE", s: "SIN DATO" }[tecla.toLowerCase()];
    if (tecla === "Enter" && evento.shiftKey || tecla === "ArrowUp") seguir(-1);
    else if (tecla === "Enter") seguir(1, () => guardar.focus());
    else if (tecla === "ArrowDown") seguir(1);
    else if (marca) evento.repeat || marcar(marca);
    else if ((tecla === "Backspace" || tecla === "Delete") && actual.value === "") borrar();
    else if (tecla.length !== 1 || /[0-9]/.test(tecla) || (tecla === " " && evento.target.type === "checkbox")) return;
    evento.preventDefault();
  });

  const teclado = hoja.querySelector(".teclado");
  teclado.hidden = false;
  for (const boton of teclado.querySelectorAll("button")) {
    // Sin esto el toque le quitaría el foco al renglón.
    boton.addEventListener("pointerdown", (evento) => evento.preventDefault());
    boton.addEventListener("mousedown", (evento) => evento.preventDefault());
    boton.addEventListener("click", () => {
      const tecla = boton.dataset.tecla;
      if (enNip() && !/^(\d|borrar)$/.test(tecla || "")) enfocar(actual);
      else if (boton.dataset.marca) marcar(boton.dataset.marca);
      else if (tecla === "siguiente") seguir(1, () => guardar.focus());
      else if (tecla === "borrar") borrar();
      else teclear(tecla);
    });
  }

  // -------------------------------------------------------------------------------------------- la imagen, con dedos

  for (const marco of document.querySelectorAll(".marco")) {
    const imagen = marco.querySelector("img");
    const dedos = new Map();
    let escala = 1, x = 0, y = 0;
    const pintar = () => {
      const ancho = imagen.clientWidth * escala, alto = imagen.clientHeight * escala;
      x = Math.min(0, Math.max(marco.clientWidth - ancho, x));
      y = Math.min(0, Math.max(Math.min(0, marco.clientHeight - alto), y));
      imagen.style.transform = `translate(${x}px, ${y}px) scale(${escala})`;
    };
    const acercar = (veces, cx, cy) => {
      const nueva = Math.min(8, Math.max(1, escala * veces));
      x = cx - (cx - x) * (nueva / escala);
      y = cy - (cy - y) * (nueva / escala);
      escala = nueva;
      pintar();
    };
    const centro = () => {
      const [a, b] = [...dedos.values()];
      return { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2, lejos: Math.hypot(a.x - b.x, a.y - b.y) };
    };
    const lugar = (evento) => {
      const caja = marco.getBoundingClientRect();
      return { x: evento.clientX - caja.left, y: evento.clientY - caja.top };
    };
    marco.addEventListener("pointerdown", (evento) => {
      marco.setPointerCapture(evento.pointerId);
      dedos.set(evento.pointerId, lugar(evento));
    });
    marco.addEventListener("pointermove", (evento) => {
      const antes = dedos.get(evento.pointerId);
      if (!antes) return;
      const previo = dedos.size === 2 ? centro() : null;
      dedos.set(evento.pointerId, lugar(evento));
      if (previo) {
        const ahora = centro();
        x += ahora.x - previo.x;
        y += ahora.y - previo.y;
        acercar(ahora.lejos / Math.max(1, previo.lejos), ahora.x, ahora.y);
      } else if (dedos.size === 1) {
        x += dedos.get(evento.pointerId).x - antes.x;
        y += dedos.get(evento.pointerId).y - antes.y;
        pintar();
      }
    });
    for (const fin of ["pointerup", "pointercancel"]) marco.addEventListener(fin, (evento) => dedos.delete(evento.pointerId));
    marco.addEventListener("wheel", (evento) => {
      evento.preventDefault();
      const { x: cx, y: cy } = lugar(evento);
      acercar(evento.deltaY < 0 ? 1.2 : 1 / 1.2, cx, cy);
    }, { passive: false });
    marco.addEventListener("keydown", (evento) => {
      const paso = { ArrowUp: [0, 80], ArrowDown: [0, -80], ArrowLeft: [80, 0], ArrowRight: [-80, 0] }[evento.key];
      const veces = { "+": 1.3, "-": 1 / 1.3 }[evento.key];
      if (!paso && !veces) return;
      evento.preventDefault();
      if (veces) return acercar(veces, marco.clientWidth / 2, marco.clientHeight / 2);
      [x, y] = [x + paso[0], y + paso[1]];
      pintar();
    });
    imagen.addEventListener("load", pintar);
    for (const boton of marco.parentElement.querySelectorAll("[data-zoom]")) {
      boton.addEventListener("click", () => acercar(Number(boton.dataset.zoom), marco.clientWidth / 2, marco.clientHeight / 2));
    }
  }

  if (hoja.dataset.acta) {
    for (const [clave, texto] of JSON.parse(sessionStorage.getItem(bolsillo) || "[]")) {
      const numero = numeros.find((n) => renglonDe(n).dataset.renglon === clave);
      if (!numero) continue;
      for (const marca of marcasDe(numero)) marca.checked = marca.value === texto;
      numero.value = marcasDe(numero).some((m) => m.checked) ? "" : texto;
      anotar(numero);
    }
    embolsar();
    hoja.addEventListener("submit", () => sessionStorage.removeItem(bolsillo));
  }

  const primero = hoja.querySelector(".con-error .numero, .senalado .numero") || numeros.find((n) => !listo(n)) || numeros[0];
  activar(primero);
  enfocar(primero);
  // En la revisión, si lo que falló fue el NIP, es lo que hay que volver a teclear.
  if (hoja.querySelector(".otra.con-error")) nip.focus();
})();
