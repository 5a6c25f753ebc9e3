// Pone las bibliotecas de Go para registros transparentes (golang.org/x/mod/sumdb) a comprobar lo que hace nuestro
// núcleo, y a hacer lo que nuestro núcleo comprueba. Lee peticiones JSON, una por renglón, y contesta igual.
package main

import (
	"bufio"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type peticion struct {
	Que     string
	Nota    []byte
	Llaves  []string
	Nombre  string
	Camino  []tlog.Hash
	Tamano  int64
	Raiz    tlog.Hash
	Indice  int64
	Huella  tlog.Hash
	Carpeta string
	Viejos  []int64
	Hojas   [][]byte
}

type respuesta struct {
	Causa         string        `json:"causa"`
	Texto         string        `json:"texto,omitempty"`
	Conocidas     int           `json:"conocidas"`
	Desconocidas  int           `json:"desconocidas"`
	Nota          []byte        `json:"nota,omitempty"`
	Llave         string        `json:"llave,omitempty"`
	Raices        []tlog.Hash   `json:"raices,omitempty"`
	Inclusiones   [][]tlog.Hash `json:"inclusiones,omitempty"`
	Consistencias [][]tlog.Hash `json:"consistencias,omitempty"`
}

// baldosas lee de una carpeta con las rutas de C2SP, que no dicen la altura porque siempre es 8.
type baldosas string

func (b baldosas) Height() int { return 8 }

func (b baldosas) ReadTiles(pedidas []tlog.Tile) ([][]byte, error) {
	var leidas [][]byte
	for _, t := range pedidas {
		ruta := filepath.Join(string(b), strings.Replace(t.Path(), "tile/8/", "tile/", 1))
		datos, err := os.ReadFile(ruta)
		if err != nil {
			return nil, err
		}
		leidas = append(leidas, datos)
	}
	return leidas, nil
}

func (b baldosas) SaveTiles([]tlog.Tile, [][]byte) {}

// testigo comprueba cofirmas Ed25519 con hora (C2SP tlog-cosignature), que sumdb no trae.
type testigo struct {
	nombre  string
	huella  uint32
	publica ed25519.PublicKey
}

func (t testigo) Name() string    { return t.nombre }
func (t testigo) KeyHash() uint32 { return t.huella }

func (t testigo) Verify(texto, firma []byte) bool {
	if len(firma) != 8+ed25519.SignatureSize {
		return false
	}
	firmado := fmt.Sprintf("cosignature/v1\ntime %d\n%s", binary.BigEndian.Uint64(firma), texto)
	return ed25519.Verify(t.publica, []byte(firmado), firma[8:])
}

func nuevoTestigo(llave string) (note.Verifier, error) {
	partes := strings.SplitN(llave, "+", 3)
	if len(partes) != 3 {
		return nil, errors.New("no es una llave")
	}
	material, err := base64.StdEncoding.DecodeString(partes[2])
	if err != nil || len(material) != 1+ed25519.PublicKeySize || material[0] != 4 {
		return nil, errors.New("no es la llave de un testigo")
	}
	huella := sha256.Sum256(append([]byte(partes[0]+"\n"), material...))
	return testigo{partes[0], binary.BigEndian.Uint32(huella[:4]), material[1:]}, nil
}

// abrir comprueba una nota firmada.
func abrir(p peticion) (r respuesta, err error) {
	var conocidas []note.Verifier
	for _, llave := range p.Llaves {
		v, err := note.NewVerifier(llave)
		if err != nil {
			v, err = nuevoTestigo(llave)
		}
		if err != nil {
			return r, err
		}
		conocidas = append(conocidas, v)
	}
	n, err := note.Open(p.Nota, note.VerifierList(conocidas...))
	if err != nil {
		return r, err
	}
	return respuesta{Texto: n.Text, Conocidas: len(n.Sigs), Desconocidas: len(n.UnverifiedSigs)}, nil
}

// firmar hace una llave y firma con ella el texto dado.
func firmar(p peticion) (r respuesta, err error) {
	secreta, llave, err := note.GenerateKey(nil, p.Nombre)
	if err != nil {
		return r, err
	}
	s, err := note.NewSigner(secreta)
	if err != nil {
		return r, err
	}
	nota, err := note.Sign(&note.Note{Text: string(p.Nota)}, s)
	return respuesta{Nota: nota, Llave: llave}, err
}

// leer saca de una carpeta de baldosas todo lo que se le puede preguntar a un árbol, comprobado contra su raíz.
func leer(p peticion) (r respuesta, err error) {
	lector := tlog.TileHashReader(tlog.Tree{N: p.Tamano, Hash: p.Raiz}, baldosas(p.Carpeta))
	for _, viejo := range p.Viejos {
		raiz, err := tlog.TreeHash(viejo, lector)
		if err != nil {
			return r, err
		}
		inclusion, err := tlog.ProveRecord(p.Tamano, viejo-1, lector)
		if err != nil {
			return r, err
		}
		consistencia, err := tlog.ProveTree(p.Tamano, viejo, lector)
		if err != nil {
			return r, err
		}
		r.Raices = append(r.Raices, raiz)
		r.Inclusiones = append(r.Inclusiones, inclusion)
		r.Consistencias = append(r.Consistencias, consistencia)
	}
	return r, nil
}

// hacer construye el árbol de esas hojas, escribe sus baldosas y da, para cada tamaño pedido, lo mismo que leer.
func hacer(p peticion) (r respuesta, err error) {
	var guardadas []tlog.Hash
	lector := tlog.HashReaderFunc(func(indices []int64) (h []tlog.Hash, err error) {
		for _, i := range indices {
			h = append(h, guardadas[i])
		}
		return h, nil
	})
	for i, hoja := range p.Hojas {
		huellas, err := tlog.StoredHashes(int64(i), hoja, lector)
		if err != nil {
			return r, err
		}
		guardadas = append(guardadas, huellas...)
	}
	p.Tamano = int64(len(p.Hojas))
	if p.Raiz, err = tlog.TreeHash(p.Tamano, lector); err != nil {
		return r, err
	}
	for _, t := range tlog.NewTiles(8, 0, p.Tamano) {
		datos, err := tlog.ReadTileData(t, lector)
		if err != nil {
			return r, err
		}
		ruta := filepath.Join(p.Carpeta, strings.Replace(t.Path(), "tile/8/", "tile/", 1))
		if err := os.MkdirAll(filepath.Dir(ruta), 0o755); err != nil {
			return r, err
		}
		if err := os.WriteFile(ruta, datos, 0o644); err != nil {
			return r, err
		}
	}
	return leer(p)
}

// baldosa saca de una baldosa llena la huella de todo lo que resume, y la compara con la dada.
func baldosa(p peticion) (r respuesta, err error) {
	t, err := tlog.ParseTilePath(p.Nombre)
	if err != nil {
		return r, err
	}
	datos, err := baldosas(p.Carpeta).ReadTiles([]tlog.Tile{t})
	if err != nil {
		return r, err
	}
	h, err := tlog.HashFromTile(t, datos[0], tlog.StoredHashIndex(8*(t.L+1)-1, 2*t.N))
	if err != nil {
		return r, err
	}
	derecha, err := tlog.HashFromTile(t, datos[0], tlog.StoredHashIndex(8*(t.L+1)-1, 2*t.N+1))
	if err == nil && tlog.NodeHash(h, derecha) != p.Huella {
		err = errors.New("la baldosa no resume eso")
	}
	return r, err
}

func atender(p peticion) (respuesta, error) {
	switch p.Que {
	case "abrir":
		return abrir(p)
	case "firmar":
		return firmar(p)
	case "inclusion":
		return respuesta{}, tlog.CheckRecord(p.Camino, p.Tamano, p.Raiz, p.Indice, p.Huella)
	case "consistencia":
		return respuesta{}, tlog.CheckTree(p.Camino, p.Tamano, p.Raiz, p.Indice, p.Huella)
	case "leer":
		return leer(p)
	case "hacer":
		return hacer(p)
	case "baldosa":
		return baldosa(p)
	}
	return respuesta{}, fmt.Errorf("no hay %q", p.Que)
}

func main() {
	entrada, salida := json.NewDecoder(bufio.NewReader(os.Stdin)), bufio.NewWriter(os.Stdout)
	defer salida.Flush()
	escritor := json.NewEncoder(salida)
	for entrada.More() {
		var p peticion
		if err := entrada.Decode(&p); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		r, err := atender(p)
		if err != nil {
			r = respuesta{Causa: err.Error()}
		}
		if err := escritor.Encode(r); err != nil {
			os.Exit(1)
		}
	}
}
