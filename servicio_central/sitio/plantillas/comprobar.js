// «Comprobar aquí mismo», en la página de un acta. Sin este guion la página se lee igual; las cuentas, en su módulo.
import {
  Falso, NoSePuede, aHex, aTexto, abrirPunto, abrirSobre, decidido, exigir, exigirCantidades, incluida, leerHoja,
  leerJson, leerLlave, leerPrueba, sha256, ultimaImagen,
} from "./comprobaciones.js";

const PLAZO = 30000;
const [BIEN, MAL, NO_SE_PUDO, NO_HAY] = ["bien", "mal", "duda", "nada"];
const MARCAS = { [BIEN]: "✔ Coincide", [MAL]: "✖ No coincide", [NO_SE_PUDO]: "? No se pudo", [NO_HAY]: "– No hay" };
const SUELTO = "Este archivo falta, o todavía no llega hasta donde lo pediste.";

const lugar = document.getElementById("comprobar-aqui");
const partes = lugar && /^\/registro\/actas\/([0-9_]+)\/([^/]+)\/([^/]{11,})\.tlog-proof$/.exec(lugar.dataset.prueba);
const [, corte, eleccion, clave] = partes || [];
const [seccion, archivo] = partes ? [clave.slice(2, 6), clave.slice(6)] : [];
const orden = `./prep verificar acta ${archivo}.tlog-proof`;

const poner = (padre, etiqueta, texto = "", clase = "") => {
  const elemento = document.createElement(etiqueta);
  elemento.textContent = texto;
  if (clase) elemento.className = clase;
  padre.append(elemento);
  return elemento;
};

const bajar = async (ruta, que, cache = "default") => {
  let respuesta, bytes;
  try {
    const opciones = { cache, credentials: "omit", signal: AbortSignal.timeout(PLAZO) };
    respuesta = await fetch(ruta, opciones);
    bytes = new Uint8Array(await respuesta.arrayBuffer());
  } catch {
    throw new NoSePuede(`no se pudo bajar ${que}: revisa tu conexión y vuelve a intentar`);
  }
  if (respuesta.ok) return bytes;
  if (respuesta.status === 404) throw new NoSePuede(`${que} no está. ${SUELTO}`);
  throw new NoSePuede(`no se pudo bajar ${que}: el sitio contestó ${respuesta.status}. Vuelve a intentar en un minuto`);
};

// Cada cosa se calcula una vez, y si falla, falla igual en cada paso que la necesita.
const reunir = () => {
  const hechas = new Map();
  const una = (nombre, hacer) => () => {
    if (!hechas.has(nombre)) hechas.set(nombre, hacer());
    return hechas.get(nombre);
  };
  const junto = lugar.dataset.prueba.slice(0, -".tlog-proof".length);
  const d = {};
  d.crudo = una("crudo", () =>
    bajar(`/cortes/${corte}/${eleccion}/s/${seccion}/${archivo}.json`, "el archivo de datos del acta"));
  d.ficha = una("ficha", async () => leerJson(aTexto(await d.crudo(), "el archivo de datos"), "el archivo de datos"));
  d.reunido = una("reunido", async () => {
    const leido = leerJson(aTexto(await bajar(`${junto}.hojas.json`, "el archivo de firmas"), "el archivo de firmas"),
      "el archivo de firmas");
    const entero = leido && leido.v === 1 && leido.llaves && Array.isArray(leido.sobres);
    exigir(entero, "el archivo de firmas no tiene la forma esperada");
    return leido;
  });
  d.hoja = una("hoja", async () => {
    const { hoja: texto } = await d.reunido();
    const hoja = leerHoja(texto);
    const esta = hoja.eleccion === eleccion && hoja.casilla === clave && hoja.corte === corte;
    exigir(esta, `la hoja es de otra acta, ${hoja.eleccion} ${hoja.casilla} del corte ${hoja.corte}`);
    return { ...hoja, bytes: new TextEncoder().encode(texto) };
  });
  d.llave = una("llave", async () => {
    const bytes = await bajar("/registro/llave", "la llave del registro", "no-cache");
    const vkey = aTexto(bytes, "la llave del registro").trimEnd();
    return { vkey, huella: aHex(await sha256(bytes)), ...(await leerLlave(vkey)) };
  });
  d.prueba = una("prueba", async () =>
    leerPrueba(aTexto(await bajar(lugar.dataset.prueba, "la prueba del acta"), "la prueba")));
  d.punto = una("punto", async () => abrirPunto((await d.prueba()).nota, await d.llave()));
  d.sobres = una("sobres", async () => {
    const [{ hojas }, { sobres, llaves }] = [await d.hoja(), await d.reunido()];
    const traidos = new Map(sobres.map((s) => [s.huella, s]));
    exigir(traidos.size === sobres.length && sobres.every((s) => hojas.includes(s.huella)),
      "vienen hechos firmados que la hoja del acta no nombra");
    const faltan = hojas.filter((h) => !traidos.has(h)).length;
    const abiertos = await Promise.all(sobres.map((s) => abrirSobre(s.sobre, s.huella, llaves[s.llave])));
    for (const { contenido: c } of abiertos)
      exigir(c.eleccion === eleccion && c.casilla === clave, `un hecho firmado es de otra acta, ${c.casilla}`);
    if (faltan) throw new NoSePuede(`faltan ${faltan} de los ${hojas.length} hechos firmados que la hoja nombra`);
    return abiertos;
  });
  return d;
};

// ---------------------------------------------------------------------------------------------------------- los pasos

const celdas = (tabla) => [...(tabla ? tabla.querySelectorAll("tbody td.n") : [])].map((c) => c.textContent.trim());
const escrita = (valor) => (typeof valor === "number" ? valor.toLocaleString("en-US") : String(valor));

const PASOS = [
  ["Esta página dice lo que su archivo de datos", async (d) => {
    const ficha = await d.ficha();
    const deAqui = location.pathname.endsWith(`/${eleccion}/s/${seccion}/${archivo}.html`);
    exigir(deAqui && ficha.casilla.clave === clave && ficha.eleccion.clave === eleccion, "el archivo es de otra acta");
    const [votos, otros] = document.querySelectorAll("main table");
    const dichas = [...celdas(votos), ...celdas(otros)];
    const suyas = [...ficha.renglones.map((r) => r.asentado), ...Object.values(ficha.complementarios || {})].map(escrita);
    exigir(dichas.length === suyas.length && dichas.every((c, i) => c === suyas[i]),
      "las cantidades que ves aquí no son las del archivo de datos");
    return suyas.length
      ? `Las ${suyas.length} cantidades que ves en las tablas son las del archivo que se comprueba abajo.`
      : "Ni la página ni el archivo publican cantidades todavía.";
  }],
  ["El archivo de datos es el que quedó en el registro", async (d) => {
    const [suya, hoja, ficha] = [aHex(await sha256(await d.crudo())), await d.hoja(), await d.ficha()];
    exigir(suya === hoja.ficha, "su huella SHA-256 no es la que dice la hoja del acta: alguien cambió un archivo u otro");
    exigir(JSON.stringify(ficha.hojas) === JSON.stringify(hoja.hojas), "no sale de los mismos hechos que la hoja");
    return "Su huella SHA-256 es la que dice la hoja del acta: no le ha cambiado ni una letra.";
  }],
  ["El registro público está firmado", async (d) => {
    const { tamano } = await d.punto();
    const texto = `El punto de control de la prueba, con ${tamano.toLocaleString("es-MX")} hojas, lleva la firma de la ` +
      "llave del registro. Compara esta llave con la que se imprimió en la puesta en ceros, antes del primer resultado:";
    const { vkey, huella } = await d.llave();
    return [texto, vkey, `Huella SHA-256 de la llave: ${huella}`];
  }],
  ["Esta acta está en el registro", async (d) => {
    const [hoja, { indice, camino }, { tamano, raiz }] = [await d.hoja(), await d.prueba(), await d.punto()];
    await incluida(hoja.bytes, indice, tamano, raiz, camino);
    return `Es la hoja ${(indice + 1).toLocaleString("es-MX")}. Cambiarla o quitarla se notaría en todo el registro.`;
  }],
  ["El registro no se ha encogido", async (d) => {
    const [antes, llave] = [await d.punto(), await d.llave()];
    const nota = aTexto(await bajar("/registro/checkpoint", "el punto de control vigente", "no-cache"), "el vigente");
    const ahora = await abrirPunto(nota, llave);
    exigir(ahora.tamano >= antes.tamano,
      `ahora tiene ${ahora.tamano} hojas y antes tenía ${antes.tamano}: perdió hojas, o te llegó una copia vieja`);
    exigir(ahora.tamano > antes.tamano || aHex(ahora.raiz) === aHex(antes.raiz),
      "con las mismas hojas dice dos cosas distintas: hay dos registros");
    return `El vigente tiene ${ahora.tamano.toLocaleString("es-MX")} hojas y está firmado con la misma llave. Que continúe ` +
      "al anterior hoja por hoja lo revisan los testigos y ./prep verificar.";
  }],
  ["Cada hecho está firmado con una llave del padrón", async (d) => {
    const [sobres, { padron }] = [await d.sobres(), await d.reunido()];
    if (!sobres.length) return [NO_HAY, "Sus hechos todavía son reservados: en el registro sólo están sus eslabones."];
    const equipos = [...new Set(sobres.map((s) => s.equipo))].sort().join(", ");
    return `${sobres.length === 1 ? "El hecho" : `Los ${sobres.length} hechos`} de que sale esta acta: la firma es buena y ` +
      `la huella está en la hoja. Firmó: ${equipos}. Las llaves se dan como las del padrón versión ${padron.version}; que ` +
      "lo sean, y que ese padrón lo haya firmado la autoridad, lo revisa ./prep verificar.";
  }],
  ["Las cantidades son las que transcribieron dos personas", async (d) => {
    const [sobres, ficha] = [await d.sobres(), await d.ficha()];
    const hallado = decidido(sobres);
    const cuantas = exigirCantidades(ficha, hallado);
    if (cuantas)
      return `${hallado.personas} personas transcribieron el acta, cada una en su propio hecho firmado, y de ahí salen las ` +
        `${cuantas} cantidades y su total.`;
    const nota = ficha.situacion === "sin_acta" ? sobres.find((s) => s.contenido.hecho === "sin_acta") : null;
    exigir(ficha.situacion !== "sin_acta" || (nota && nota.contenido.persona !== nota.contenido.confirma),
      "dice que no hay acta, y dos personas no lo han hecho constar");
    return [NO_HAY, nota
      ? "No hay acta que transcribir: una persona lo hizo constar y otra lo confirmó, en un hecho firmado."
      : "Todavía no hay cantidades que comprobar, y la página no publica ninguna."];
  }],
  ["La imagen es la que se tomó del papel", async (d) => {
    const [ficha, hoja, ultima] = [await d.ficha(), await d.hoja(), ultimaImagen(await d.sobres())];
    const puesta = document.querySelector("main .hoja img");
    if (!ficha.imagen || !ficha.imagen.presente) {
      exigir(!hoja.imagen && !puesta, "se publica una imagen que el registro no dice");
      exigir(!ficha.imagen || (ultima && ultima.sha256 === ficha.imagen.sha256), "su huella no es la que se firmó");
      return [NO_HAY, ficha.imagen ? "La imagen viene en camino; su huella ya está firmada." : "Aún no se publica imagen."];
    }
    const { sha256: huella } = ficha.imagen;
    exigir(huella === hoja.imagen && ultima && ultima.sha256 === huella, "su huella no es la que se firmó al tomarla");
    const ruta = `/imagenes/${huella.slice(0, 2)}/${huella}.webp`;
    exigir(puesta && new URL(puesta.src).pathname === ruta, "la imagen que ves en la página es otra");
    const suya = aHex(await sha256(await bajar(ruta, "la imagen")));
    exigir(suya === huella, "sus bytes no dan la huella que se firmó: la imagen se cambió o se dañó");
    return "Sus bytes dan la huella SHA-256 que firmó el aparato que la tomó. Que diga lo mismo que la tabla, míralo tú.";
  }],
];

const pasar = async (hacer, d) => {
  try {
    const dicho = await hacer(d);
    if (Array.isArray(dicho) && dicho[0] === NO_HAY) return { como: NO_HAY, dicho: [dicho[1]] };
    return { como: BIEN, dicho: [dicho].flat() };
  } catch (error) {
    if (error instanceof Falso) return { como: MAL, dicho: [frase(error.message)] };
    if (error instanceof NoSePuede) return { como: NO_SE_PUDO, dicho: [frase(error.message)] };
    // Ni un defecto de aquí ni un archivo con otra forma pueden acabar en un visto bueno.
    return { como: NO_SE_PUDO, dicho: [`Algo no tiene la forma esperada (${error.message}).`] };
  }
};

const frase = (texto) => `${texto[0].toUpperCase()}${texto.slice(1).replace(/\.$/, "")}.`;

// ---------------------------------------------------------------------------------------------------------- la página

const VEREDICTOS = {
  [BIEN]: ["✔ Todo lo que se comprobó coincide",
    "Lo que ves en esta página es lo que dicen los hechos firmados y lo que está en el registro público. Falta lo que esta " +
    "página no puede hacer por ti: comparar la imagen con el cartel de la casilla y la llave con la impresa. El padrón de " +
    "aparatos y los testigos se revisan en una computadora: "],
  [MAL]: ["✖ Algo no coincide: no des por buena esta página",
    "Puede ser una copia dañada en el camino o un cambio hecho a propósito; desde aquí no se distingue. Vuelve a intentar, " +
    "compara con un espejo y, si sigue igual, repórtalo con la referencia de arriba. En una computadora: "],
  [NO_SE_PUDO]: ["? No se pudo comprobar todo",
    "Lo marcado con ? quedó sin revisar, así que esto no es un visto bueno. Compruébala en una computadora: "],
};

const veredicto = (salida, como, porque = "") => {
  const caja = poner(salida, "div", "", `veredicto ${como}`);
  const titulo = poner(caja, "h3", VEREDICTOS[como][0]);
  titulo.tabIndex = -1;
  if (porque) poner(caja, "p", porque);
  const texto = poner(caja, "p", VEREDICTOS[como][1]);
  poner(texto, "code", orden);
  titulo.focus();
  return titulo.textContent;
};

const comprobar = async (salida, avisar) => {
  if (!window.isSecureContext || !window.crypto || !crypto.subtle) {
    return veredicto(salida, NO_SE_PUDO, window.isSecureContext
      ? "Este navegador no trae lo necesario para revisar firmas (WebCrypto). Prueba con uno más nuevo."
      : "El navegador sólo revisa firmas en páginas seguras, y ésta se abrió sin https. Ábrela con https://");
  }
  const datos = reunir();
  const lista = poner(salida, "ol", "", "pasos");
  const hallados = new Set();
  for (const [i, [titulo, hacer]] of PASOS.entries()) {
    avisar(`Comprobando, paso ${i + 1} de ${PASOS.length}: ${titulo}`);
    const { como, dicho } = await pasar(hacer, datos);
    hallados.add(como);
    const paso = poner(lista, "li", "", como);
    poner(paso, "strong", `${MARCAS[como]}: `, "marca-de-paso");
    poner(paso, "span", titulo, "nombre");
    dicho.forEach((texto, n) => poner(paso, n === 1 ? "code" : "p", texto, n === 1 ? "ref" : ""));
  }
  return veredicto(salida, [MAL, NO_SE_PUDO].find((como) => hallados.has(como)) || BIEN);
};

if (partes) {
  const boton = poner(lugar, "button", "Comprobar aquí mismo");
  boton.type = "button";
  poner(lugar, "p", "Tu navegador baja los datos, las firmas y la imagen de esta acta y hace él las cuentas. Pero el " +
    "programa que las hace te lo entrega este mismo sitio: para no confiar en nadie, usa ./prep verificar en una " +
    "computadora, o abre esta página en un espejo.", "nota");
  const estado = poner(lugar, "p", "", "nota");
  estado.setAttribute("role", "status");
  const salida = poner(lugar, "div");
  boton.addEventListener("click", async () => {
    if (boton.getAttribute("aria-disabled") === "true") return;
    boton.setAttribute("aria-disabled", "true");
    salida.replaceChildren();
    estado.textContent = "";
    const desde = performance.now();
    const dicho = await comprobar(salida, (texto) => { estado.textContent = texto; });
    estado.textContent = `${dicho}. Tardó ${Math.max(1, Math.round(performance.now() - desde))} ms.`;
    boton.textContent = "Comprobar otra vez";
    boton.removeAttribute("aria-disabled");
  });
}
