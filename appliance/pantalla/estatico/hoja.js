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
  const porLlenar = hoja.querySelector(".por-llenar");
  let actual = numeros[0];
  // Lo más abajo que se ha llegado: de ahí para arriba, un renglón vacío es uno que se quedó atrás.
  let lejos = -1;
  // Ya se llegó al final (o el servidor devolvió la hoja): «Sigue» va sólo por los que faltan.
  let repaso = !porLlenar.hidden;

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
  // vuelve a la misma hoja, de la misma persona y con la misma imagen.
  const bolsillo = `pendiente ${hoja.dataset.acta} ${hoja.dataset.lectura} ${hoja.elements.imagen.value}`;
  const embolsar = () => {
    if (pendientes.size) sessionStorage.setItem(bolsillo, JSON.stringify([...pendientes]));
    else sessionStorage.removeItem(bolsillo);
  };
  const pedir = async (que, campos) => {
    const cuerpo = new URLSearchParams({ sello: hoja.elements.sello.value, imagen: hoja.elements.imagen.value, ...campos });
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
        if (dicho.guardado) guardados.set(clave, texto);
        senal(clave, dicho.guardado ? (texto ? "guardado ✔" : "") : "✖ sin guardar", !dicho.guardado);
        alarmar(dicho.que ? `▲ ${dicho.que}. Causa probable: ${dicho.causa}. Siguiente paso: ${dicho.siguiente}.` : "");
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

  // Un número con marca, o dos marcas, sólo llega de una hoja que se mandó sin este archivo: el servidor no la acepta.
  const respuestas = (numero) => (numero.value.trim() ? 1 : 0) + marcasDe(numero).filter((m) => m.checked).length;
  const listo = (numero) => respuestas(numero) === 1 && /^([0-9]{1,5}|ILEGIBLE|SIN DATO)$/.test(valorDe(numero));
  const DICHOS = 4;
  const enumerados = (rotulos) => {
    const dichos = rotulos.length > DICHOS ? [...rotulos.slice(0, DICHOS), `${rotulos.length - DICHOS} más`] : rotulos;
    return dichos.length === 1 ? dichos[0] : `${dichos.slice(0, -1).join(", ")} y ${dichos[dichos.length - 1]}`;
  };
  const decirCuales = (faltantes) => {
    porLlenar.hidden = !repaso || faltantes.length === 0;
    if (porLlenar.hidden) return;
    const vacios = faltantes.filter((n) => valorDe(n) === "");
    const malos = faltantes.filter((n) => valorDe(n) !== "");
    const cuales = (cuantos) => `${cuantos.length}: ${enumerados(cuantos.map((n) => renglonDe(n).dataset.rotulo))}.`;
    const partes = [porLlenar.dataset.antes];
    if (vacios.length) partes.push(vacios.length === 1 ? "Falta" : "Faltan", cuales(vacios));
    if (malos.length) partes.push("Corrija", cuales(malos));
    if (vacios.length) partes.push("Vacío no es cero: escriba lo que dice el papel, o toque ILEGIBLE o SIN DATO.");
    const texto = partes.join(" ");
    if (porLlenar.textContent !== texto) porLlenar.textContent = texto;
  };
  const contar = () => {
    for (const [i, n] of numeros.entries()) {
      const renglon = renglonDe(n);
      const saltado = i <= lejos && n !== actual && !listo(n);
      renglon.classList.toggle("atendido", listo(n));
      renglon.classList.toggle("saltado", saltado);
      renglon.querySelector(".vacio").hidden = !saltado || valorDe(n) !== "";
    }
    const faltantes = numeros.filter((n) => !listo(n));
    const cuantos = faltantes.length;
    faltan.textContent = cuantos === 0 ? "Todo tiene respuesta" : cuantos === 1 ? "Falta 1 renglón" : `Faltan ${cuantos} renglones`;
    decirCuales(faltantes);
    const marcada = marcasDe(actual).find((m) => m.checked);
    for (const tecla of teclasDeMarca) tecla.setAttribute("aria-pressed", String(!!marcada && marcada.value === tecla.dataset.marca));
  };
  const activar = (numero) => {
    if (actual !== numero) anotar(actual);
    actual = numero;
    lejos = Math.max(lejos, numeros.indexOf(numero));
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
  const mover = (paso) => {
    const destino = numeros[numeros.indexOf(actual) + paso];
    anotar(actual);
    if (destino) enfocar(destino);
  };
  // «Sigue»: de arriba abajo la primera vez; al llegar al final, de vuelta a lo que quedó vacío, y dice qué es.
  const seguir = () => {
    const donde = numeros.indexOf(actual);
    if (!repaso && donde < numeros.length - 1) return mover(1);
    anotar(actual);
    const vacio = [...numeros.slice(donde + 1), ...numeros.slice(0, donde + 1)].find((n) => !listo(n));
    repaso = vacio !== undefined;
    contar();
    if (vacio) enfocar(vacio);
    else guardar.focus();
  };
  const cambio = () => {
    contar();
    anotarPronto(actual);
  };
  const marcar = (valor) => {
    for (const marca of marcasDe(actual)) marca.checked = marca.value === valor && !marca.checked;
    const marcado = marcasDe(actual).some((m) => m.checked);
    if (marcado) actual.value = "";
    contar();
    anotar(actual);
    if (marcado) seguir();
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
    if (tecla === "Enter" && evento.shiftKey || tecla === "ArrowUp") mover(-1);
    else if (tecla === "Enter") seguir();
    else if (tecla === "ArrowDown") mover(1);
    else if (marca) evento.repeat || marcar(marca);
    else if ((tecla === "Backspace" || tecla === "Delete") && actual.value === "") borrar();
    else if (tecla.length !== 1 || /[0-9]/.test(tecla) || (tecla === " " && evento.target.type === "checkbox")) return;
    evento.preventDefault();
  });

  const DOBLE_TOQUE = 300;
  let ultimaMarca = { cual: "", cuando: 0 };
  const teclado = hoja.querySelector(".teclado");
  teclado.hidden = false;
  for (const boton of teclado.querySelectorAll("button")) {
    // Sin esto el toque le quitaría el foco al renglón.
    boton.addEventListener("pointerdown", (evento) => evento.preventDefault());
    boton.addEventListener("mousedown", (evento) => evento.preventDefault());
    boton.addEventListener("click", (evento) => {
      const tecla = boton.dataset.tecla;
      if (enNip() && !/^(\d|borrar)$/.test(tecla || "")) enfocar(actual);
      else if (boton.dataset.marca) {
        // El segundo toque de un dedo nervioso caería en el renglón siguiente, que nadie ha leído.
        const cual = boton.dataset.marca, cuando = evento.timeStamp;
        if (cual === ultimaMarca.cual && cuando - ultimaMarca.cuando < DOBLE_TOQUE) return;
        ultimaMarca = { cual, cuando };
        marcar(cual);
      } else if (tecla === "siguiente") seguir();
      else if (tecla === "borrar") borrar();
      else teclear(tecla);
    });
  }

  // -------------------------------------------------------------------------------------------- la imagen, con dedos

  for (const marco of document.querySelectorAll(".marco")) {
    const imagen = marco.querySelector("img");
    const dedos = new Map();
    const TOQUE = 2.5;
    const TIEMBLA = 10;
    let escala = 1, x = 0, y = 0;
    let toque = null;
    // Lo que cabe se centra; lo que no, se recorre sin dejar hueco.
    const acomodar = (lleva, mide, hay) => (mide <= hay ? (hay - mide) / 2 : Math.min(0, Math.max(hay - mide, lleva)));
    const pintar = () => {
      x = acomodar(x, imagen.clientWidth * escala, marco.clientWidth);
      y = acomodar(y, imagen.clientHeight * escala, marco.clientHeight);
      imagen.style.transform = `translate(${x}px, ${y}px) scale(${escala})`;
    };
    const acercar = (veces, cx, cy) => {
      const nueva = Math.min(8, Math.max(1, escala * veces));
      x = cx - (cx - x) * (nueva / escala);
      y = cy - (cy - y) * (nueva / escala);
      escala = nueva;
      pintar();
    };
    const entera = () => {
      escala = 1;
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
      toque = dedos.size === 1 ? lugar(evento) : null;
    });
    marco.addEventListener("pointermove", (evento) => {
      const antes = dedos.get(evento.pointerId);
      if (!antes) return;
      const previo = dedos.size === 2 ? centro() : null;
      dedos.set(evento.pointerId, lugar(evento));
      const { x: aqui, y: abajo } = lugar(evento);
      if (toque && Math.hypot(aqui - toque.x, abajo - toque.y) > TIEMBLA) toque = null;
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
    marco.addEventListener("click", () => {
      if (!toque) return;
      if (escala > 1) entera();
      else acercar(TOQUE, toque.x, toque.y);
    });
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
    new ResizeObserver(pintar).observe(marco);
    marco.closest("[popover]")?.addEventListener("toggle", entera);
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

  const siEs = document.getElementById("si-es");
  siEs.addEventListener("click", (evento) => {
    evento.preventDefault();
    siEs.textContent = "✔ Sí, es la misma";
    enfocar(actual);
  });

  lejos = repaso ? numeros.length - 1 : numeros.findLastIndex(listo);
  const primero = hoja.querySelector(".con-error .numero, .senalado .numero") || numeros.find((n) => !listo(n)) || numeros[0];
  activar(primero);
  enfocar(primero);
  // En la revisión, si lo que falló fue el NIP, es lo que hay que volver a teclear.
  if (hoja.querySelector(".otra.con-error")) nip.focus();
})();
