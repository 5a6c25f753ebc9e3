// Las cuentas con que se comprueba un acta: registro (RFC 9162, C2SP), firmas de los sobres y doble captura.
// No toca la página ni la red. Lo que no es cierto lanza Falso; lo que no se puede saber, NoSePuede.

export class Falso extends Error {}
export class NoSePuede extends Error {}

const EN_UTF8 = new TextEncoder();
const COMPLEMENTARIOS = [
  "BOLETAS_SOBRANTES", "PERSONAS_VOTARON", "REPRESENTANTES_VOTARON", "VOTOS_SACADOS", "TOTAL_ASENTADO",
];
const SIN_DATO = "SIN DATO";

export const exigir = (cierto, que) => {
  if (!cierto) throw new Falso(que);
};

export const aHex = (bytes) => Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");

export const aTexto = (bytes, que) => {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new Falso(`${que} no es texto`);
  }
};

export const leerJson = (texto, que) => {
  try {
    return JSON.parse(texto);
  } catch {
    throw new Falso(`${que} está dañado: no se puede leer`);
  }
};

// El navegador sólo da WebCrypto a una página segura, y no todos saben Ed25519.
const conWebCrypto = async (que, hacer) => {
  try {
    return await hacer(crypto.subtle);
  } catch (error) {
    if (error.name === "NotSupportedError") throw new NoSePuede(`este navegador no sabe ${que}`);
    if (error.name === "DataError" || error.name === "SyntaxError") throw new Falso("una llave está dañada");
    throw error;
  }
};

export const sha256 = async (...partes) => {
  const bytes = new Uint8Array(partes.reduce((n, p) => n + p.length, 0));
  partes.reduce((n, p) => (bytes.set(p, n), n + p.length), 0);
  return new Uint8Array(await conWebCrypto("calcular SHA-256", (s) => s.digest("SHA-256", bytes)));
};

// De la única manera en que se escribe: atob tolera espacios y bits sobrantes.
const deBase64 = (texto, que) => {
  try {
    const crudo = atob(texto);
    if (btoa(crudo) === texto) return Uint8Array.from(crudo, (c) => c.charCodeAt(0));
  } catch {
    // Se dice abajo.
  }
  throw new Falso(`${que} está dañado: no es base64`);
};

const deBase64Url = (texto, que) => {
  exigir(/^[A-Za-z0-9_-]*$/.test(texto), `${que} está dañado: no es base64url`);
  const comun = texto.replaceAll("-", "+").replaceAll("_", "/");
  return deBase64(comun + "=".repeat((4 - (comun.length % 4)) % 4), que);
};

const iguales = (unos, otros) => unos.length === otros.length && unos.every((b, i) => b === otros[i]);

const natural = (texto, que) => {
  exigir(/^(0|[1-9][0-9]{0,15})$/.test(texto) && Number.isSafeInteger(Number(texto)), `${que} no es un número`);
  return Number(texto);
};

// ------------------------------------------------------------------------------------------------------- el registro

// `nombre+identificador+base64(0x01 y la llave)`, como en C2SP signed-note.
export const leerLlave = async (vkey) => {
  const partes = /^([^+\s]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]{1,4096})$/.exec(vkey);
  exigir(partes, "la llave del registro está dañada");
  const [, nombre, id, codigo] = partes;
  const material = deBase64(codigo, "la llave del registro");
  exigir(material.length === 33 && material[0] === 1, "la llave del registro no es Ed25519");
  const suyo = (await sha256(EN_UTF8.encode(`${nombre}\n`), material)).slice(0, 4);
  exigir(aHex(suyo) === id, "la llave del registro no es la que dice su identificador");
  return { nombre, id: suyo, publica: material.slice(1) };
};

// El punto de control, si lo firma esa llave.
export const abrirPunto = async (nota, llave) => {
  const corte = nota.lastIndexOf("\n\n");
  exigir(corte > 0 && nota.endsWith("\n"), "el punto de control está cortado");
  const texto = nota.slice(0, corte + 1);
  let firmado = false;
  for (const renglon of nota.slice(corte + 2, -1).split("\n")) {
    const [, nombre, codigo] = /^— (\S+) (\S+)$/.exec(renglon) || [];
    exigir(nombre, "un renglón de firmas del punto de control está dañado");
    const bytes = deBase64(codigo, "una firma del punto de control");
    if (nombre !== llave.nombre || !iguales(bytes.slice(0, 4), llave.id)) continue;
    const buena = await conWebCrypto("comprobar firmas Ed25519", async (s) => {
      const publica = await s.importKey("raw", llave.publica, { name: "Ed25519" }, false, ["verify"]);
      return s.verify({ name: "Ed25519" }, publica, bytes.slice(4), EN_UTF8.encode(texto));
    });
    exigir(buena === true, "la firma del registro no corresponde a su punto de control");
    firmado = true;
  }
  exigir(firmado, "el punto de control no lo firma esta llave");
  const [origen, tamano, raiz] = texto.split("\n");
  exigir(origen === llave.nombre, `el punto de control es de otro registro, ${origen}`);
  exigir(raiz !== undefined, "al punto de control le faltan renglones");
  const huella = deBase64(raiz, "la raíz del punto de control");
  exigir(huella.length === 32, "la raíz del punto de control no mide 32 bytes");
  return { tamano: natural(tamano, "el tamaño del registro"), raiz: huella };
};

// C2SP tlog-proof v1.
export const leerPrueba = (texto) => {
  const corte = texto.indexOf("\n\n");
  exigir(corte > 0, "la prueba está cortada");
  const renglones = texto.slice(0, corte).split("\n");
  exigir(renglones.shift() === "c2sp.org/tlog-proof@v1", "la prueba no tiene la forma esperada");
  if (renglones[0] && renglones[0].startsWith("extra ")) renglones.shift();
  const indice = /^index (.*)$/.exec(renglones.shift() || "");
  exigir(indice, "la prueba no dice qué hoja es");
  exigir(renglones.length < 64, "la prueba trae demasiadas huellas");
  const camino = renglones.map((r) => deBase64(r, "una huella de la prueba"));
  exigir(camino.every((h) => h.length === 32), "una huella de la prueba no mide 32 bytes");
  return { indice: natural(indice[1], "el índice de la prueba"), camino, nota: texto.slice(corte + 2) };
};

// RFC 9162 §2.1.3.2. Con divisiones y no corrimientos: en JavaScript éstos cortan a 32 bits.
export const incluida = async (hoja, indice, tamano, raiz, camino) => {
  exigir(indice < tamano, "la prueba habla de una hoja que el registro todavía no tiene");
  let [fn, sn] = [indice, tamano - 1];
  let huella = await sha256([0], hoja);
  for (const hermana of camino) {
    exigir(sn > 0, "la prueba trae huellas de más");
    if (fn % 2 || fn === sn) {
      huella = await sha256([1], hermana, huella);
      while (fn % 2 === 0 && fn !== 0) [fn, sn] = [Math.floor(fn / 2), Math.floor(sn / 2)];
    } else {
      huella = await sha256([1], huella, hermana);
    }
    [fn, sn] = [Math.floor(fn / 2), Math.floor(sn / 2)];
  }
  exigir(sn === 0 && iguales(huella, raiz), "la hoja de esta acta no está en el registro que se firmó");
};

// La hoja de un acta, que sólo se puede escribir de una manera.
export const leerHoja = (texto) => {
  const malo = "la hoja del acta está dañada";
  exigir(typeof texto === "string" && texto.startsWith("acta\n"), malo);
  const d = leerJson(texto.slice(5), "la hoja del acta");
  exigir(d && Array.isArray(d.hojas), malo);
  const { casilla, corte, eleccion, ficha, hojas, imagen } = d;
  exigir(JSON.stringify({ casilla, corte, eleccion, ficha, hojas, imagen }) === texto.slice(5), malo);
  return d;
};

// --------------------------------------------------------------------------------------------------------- los sobres

// Lo que dice un sobre, si lo firma esa llave (JWS compacto ES256) y su huella es la que se espera.
export const abrirSobre = async (sobre, huella, jwk) => {
  exigir(typeof sobre === "string" && /^[\w-]+\.[\w-]+\.[\w-]+$/.test(sobre), "un hecho firmado está dañado");
  const [encabezado, carga, firma] = sobre.split(".");
  const firmado = EN_UTF8.encode(`${encabezado}.${carga}`);
  exigir(aHex(await sha256(firmado)) === huella, "un hecho no es el que dice la hoja del acta: se cambió");
  const { alg, typ, kid } = leerJson(aTexto(deBase64Url(encabezado, "un hecho"), "un hecho"), "un hecho");
  exigir(alg === "ES256" && typ === "prep-hecho+jws", "un hecho no está firmado como se debe");
  if (!jwk) throw new NoSePuede(`no hay con qué llave abrir lo que firmó ${kid}`);
  const { kty, crv, x, y } = jwk;
  exigir(kty === "EC" && crv === "P-256", "una llave del padrón no es de la clase que se usa");
  const es256 = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
  const buena = await conWebCrypto("comprobar firmas ES256", async (s) => {
    const publica = await s.importKey("jwk", { kty, crv, x, y }, es256, false, ["verify"]);
    return s.verify(es256, publica, deBase64Url(firma, "una firma"), firmado);
  });
  exigir(buena === true, `la firma de un hecho no es de la llave de ${kid}`);
  const dicho = leerJson(aTexto(deBase64Url(carga, "un hecho"), "un hecho"), "un hecho");
  exigir(dicho.equipo === kid && dicho.contenido, `un hecho lo firma ${kid} y dice ser de otro`);
  return dicho;
};

// ---------------------------------------------------------------------------------------------------- la doble captura

// Microsegundos: Date no llega a tanto.
const instante = (hora) => {
  const partes = /^(\S{19})(?:\.(\d{1,6}))?(Z|[+-]\d\d:\d\d)$/.exec(hora) || [];
  return Date.parse(`${partes[1]}${partes[3]}`) * 1000 + Number((partes[2] || "").padEnd(6, "0"));
};

const enOrden = (hechos) => {
  const orden = [...hechos].sort((a, b) => a.cuando - b.cuando || (a.hecho < b.hecho ? -1 : a.hecho > b.hecho ? 1 : 0));
  orden.forEach((h, i) => {
    const otro = orden[i + 1];
    const empate = otro && h.cuando === otro.cuando && h.hecho === otro.hecho;
    const mismos = empate && (h.hecho === "revision" || h.quien === otro.quien);
    if (Number.isNaN(h.cuando) || (mismos && JSON.stringify(h.campos) !== JSON.stringify(otro.campos)))
      throw new NoSePuede("la hora de dos lecturas no basta para saber cuál fue antes");
  });
  return orden;
};

const acuerdo = (leidos) => {
  const cuenta = new Map();
  for (const valor of leidos.values()) cuenta.set(valor, (cuenta.get(valor) || 0) + 1);
  const [primero, segundo] = [...cuenta].sort((a, b) => b[1] - a[1]);
  return primero[1] < 2 || (segundo && segundo[1] === primero[1]) ? undefined : primero[0];
};

const juzgar = (hechos) => {
  const orden = enOrden(hechos);
  const capturas = new Map();
  for (const h of orden) if (h.hecho === "captura" && !capturas.has(h.quien)) capturas.set(h.quien, h);
  if (capturas.size < 2) return null;
  const lecturas = new Map();
  for (const c of capturas.values()) for (const campo of Object.keys(c.campos)) lecturas.set(campo, new Map());
  for (const h of orden) {
    if (h.hecho === "revision" || (h.hecho === "captura" && capturas.get(h.quien) !== h)) continue;
    for (const [campo, valor] of Object.entries(h.campos)) {
      const leidos = lecturas.get(campo);
      if (leidos && !leidos.has(h.quien)) leidos.set(h.quien, valor);
    }
  }
  for (const leidos of lecturas.values())
    for (const quien of capturas.keys()) if (!leidos.has(quien)) leidos.set(quien, SIN_DATO);
  const revisados = new Map();
  for (const h of orden)
    if (h.hecho === "revision")
      for (const [campo, valor] of Object.entries(h.campos)) if (!revisados.has(campo)) revisados.set(campo, valor);
  const campos = new Map();
  for (const [campo, leidos] of lecturas) {
    const revisado = revisados.has(campo) && new Set(leidos.values()).size > 1;
    const valor = revisado ? revisados.get(campo) : acuerdo(leidos);
    if (valor === undefined) return null;
    campos.set(campo, valor);
  }
  return { campos, personas: new Set([...lecturas.values()].flatMap((l) => [...l.keys()])).size };
};

// Lo que se publica según esos hechos: la vuelta más alta en que hubo acuerdo en todo; null si en ninguna.
export const decidido = (sobres) => {
  const lecturas = sobres
    .filter(({ contenido: c }) => ["captura", "correccion", "revision"].includes(c.hecho))
    .map(({ catd, contenido: c }) => ({ ...c, quien: `${catd}/${c.persona}`, cuando: instante(c.hora) }));
  const vueltas = [...new Set(lecturas.filter((h) => h.hecho === "captura").map((h) => h.vuelta))];
  for (const vuelta of vueltas.sort((a, b) => b - a)) {
    const hallado = juzgar(lecturas.filter((h) => h.vuelta === vuelta));
    if (hallado) return hallado;
  }
  return null;
};

// Que el JSON del acta diga esas cantidades y no otras. Devuelve cuántas son.
export const exigirCantidades = (ficha, hallado) => {
  const dichas = ficha.renglones.map((r) => [r.clave, r.asentado]);
  for (const [clave, valor] of Object.entries(ficha.complementarios || {})) dichas.push([clave.toUpperCase(), valor]);
  if (hallado === null) {
    exigir(dichas.length === 0, "la página publica cantidades en las que dos personas no se han puesto de acuerdo");
    return 0;
  }
  exigir(dichas.length > 0, "dos personas ya se pusieron de acuerdo y la página calla las cantidades");
  for (const [clave, valor] of dichas)
    exigir(
      hallado.campos.get(clave) === valor,
      `la página dice ${valor} en ${clave}, y lo que firmaron dice ${hallado.campos.get(clave) ?? "otra cosa"}`,
    );
  let total = 0;
  for (const [clave, valor] of hallado.campos)
    if (!COMPLEMENTARIOS.includes(clave) && typeof valor === "number") total += valor;
  exigir(total === ficha.total_calculado, `las cantidades firmadas suman ${total}, y la página no`);
  return dichas.length;
};

// La última imagen que alguien firmó haber tomado; como el centro, por hora.
export const ultimaImagen = (sobres) => {
  const imagenes = sobres.map((s) => s.contenido).filter((c) => c.hecho === "imagen");
  return imagenes.reduce((una, otra) => (una && instante(una.hora) >= instante(otra.hora) ? una : otra), null);
};
