// Verifies a SENTINEL log, or an export of one, with Go's own transparency-log packages: golang.org/x/mod/sumdb/{note,tlog}.
// Nothing here was written with our verifier at hand, so that an error of one is not the other's.
//
//	tlog VERIFIER_KEY FOLDER|URL
//
// Every entry bundle that is there is hashed and held against the hash tiles, the tiles against the root of the signed checkpoint,
// and records are proved one by one at both ends and in between. Status 1 and a sentence where anything does not hold.
package main

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const (
	tileHeight = 8
	tileWidth  = 1 << tileHeight
	samples    = 64
)

type source interface {
	read(path string) ([]byte, error)
}

type folder string

func (f folder) read(path string) ([]byte, error) {
	return os.ReadFile(filepath.Join(string(f), filepath.FromSlash(path)))
}

type server string

func (s server) read(path string) ([]byte, error) {
	answer, err := http.Get(string(s) + "/" + path)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", path, answer.Status)
	}
	return io.ReadAll(answer.Body)
}

// tiles reads hash tiles for tlog, which wants whole tiles authenticated against a tree before it believes them.
type tiles struct {
	source source
	known  map[tlog.Tile][]byte
}

func (t *tiles) Height() int { return tileHeight }

func (t *tiles) ReadTiles(wanted []tlog.Tile) ([][]byte, error) {
	found := make([][]byte, len(wanted))
	for i, tile := range wanted {
		data, ok := t.known[tile]
		if !ok {
			read, err := t.source.read(tilePath(tile))
			if err != nil {
				return nil, err
			}
			data = read
		}
		found[i] = data
	}
	return found, nil
}

func (t *tiles) SaveTiles(saved []tlog.Tile, data [][]byte) {
	for i, tile := range saved {
		if tile.L > 0 {
			t.known[tile] = data[i]
		}
	}
}

// C2SP tlog-tiles leaves out the height that tlog.Tile.Path writes.
func tilePath(tile tlog.Tile) string {
	return "tile/" + strings.TrimPrefix(tile.Path(), fmt.Sprintf("tile/%d/", tileHeight))
}

func bundlePath(index, width int64) string {
	tile := tlog.Tile{H: tileHeight, L: 0, N: index, W: int(width)}
	return "tile/entries/" + strings.TrimPrefix(tile.Path(), fmt.Sprintf("tile/%d/0/", tileHeight))
}

func openCheckpoint(text []byte, key string) (tlog.Tree, error) {
	verifier, err := note.NewVerifier(key)
	if err != nil {
		return tlog.Tree{}, err
	}
	opened, err := note.Open(text, note.VerifierList(verifier))
	if err != nil {
		return tlog.Tree{}, err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) < 4 || lines[0] != verifier.Name() {
		return tlog.Tree{}, errors.New("checkpoint is not of the log that the key is named after")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return tlog.Tree{}, err
	}
	root, err := base64.StdEncoding.DecodeString(lines[2])
	if err != nil || len(root) != tlog.HashSize {
		return tlog.Tree{}, errors.New("checkpoint has no root")
	}
	tree := tlog.Tree{N: size}
	copy(tree.Hash[:], root)
	return tree, nil
}

// The entries that are there: all of a live log, what the manifest states of an export.
func entries(source source, tree tlog.Tree) (first, last, pruned int64, err error) {
	if _, live := source.(server); live {
		return 0, tree.N - 1, 0, nil
	}
	text, err := source.read("manifest.json")
	if err != nil {
		return 0, 0, 0, err
	}
	var manifest struct {
		First, Last int64
		// Bundles below are gone.
		PrunedEnd int64 `json:"pruned_leaves_end"`
	}
	err = json.Unmarshal(text, &manifest)
	if err == nil && (manifest.First < 0 || manifest.First > manifest.Last || manifest.Last >= tree.N) {
		err = errors.New("manifest states entries that the tree does not have")
	}
	return manifest.First, manifest.Last, manifest.PrunedEnd, err
}

func splitBundle(data []byte, count int) ([][]byte, error) {
	var records [][]byte
	for len(data) >= 2 {
		end := 2 + int(binary.BigEndian.Uint16(data))
		if end > len(data) {
			return nil, errors.New("entry bundle is cut short")
		}
		records = append(records, data[2:end])
		data = data[end:]
	}
	if len(data) != 0 || len(records) != count {
		return nil, errors.New("entry bundle does not hold as many entries as it should")
	}
	return records, nil
}

func checkBundle(source source, hashes tlog.HashReader, tree tlog.Tree, index int64) ([][]byte, error) {
	first := index * tileWidth
	width := tree.N - first
	if width > tileWidth {
		width = tileWidth
	}
	data, err := source.read(bundlePath(index, width))
	if err != nil {
		return nil, err
	}
	records, err := splitBundle(data, int(width))
	if err != nil {
		return nil, fmt.Errorf("entries from %d: %w", first, err)
	}
	stored := make([]int64, len(records))
	for i := range records {
		stored[i] = tlog.StoredHashIndex(0, first+int64(i))
	}
	// Authenticates the tile, and those above it, against the root.
	logged, err := hashes.ReadHashes(stored)
	if err != nil {
		return nil, fmt.Errorf("entries from %d: %w", first, err)
	}
	for i, record := range records {
		if tlog.RecordHash(record) != logged[i] {
			return nil, fmt.Errorf("entry %d is not the one that was logged", first+int64(i))
		}
	}
	return records, nil
}

func verify(key string, source source) (string, error) {
	text, err := source.read("checkpoint")
	if err != nil {
		return "", err
	}
	tree, err := openCheckpoint(text, key)
	if err != nil {
		return "", err
	}
	first, last, pruned, err := entries(source, tree)
	if err != nil {
		return "", err
	}
	if pruned > first {
		first = pruned
	}
	hashes := tlog.TileHashReader(tree, &tiles{source, map[tlog.Tile][]byte{}})
	step := (last-first)/samples + 1
	proved := 0
	for index := first / tileWidth; index <= last/tileWidth; index++ {
		records, err := checkBundle(source, hashes, tree, index)
		if err != nil {
			return "", err
		}
		for i, record := range records {
			seq := index*tileWidth + int64(i)
			if seq < first || seq > last || (seq != last && (seq-first)%step != 0) {
				continue
			}
			proof, err := tlog.ProveRecord(tree.N, seq, hashes)
			if err != nil {
				// The neighbours of a record at the edge of a partial export may lie beyond it.
				return "", fmt.Errorf("entry %d: %w", seq, err)
			}
			if err := tlog.CheckRecord(proof, tree.N, tree.Hash, seq, tlog.RecordHash(record)); err != nil {
				return "", fmt.Errorf("entry %d: %w", seq, err)
			}
			proved++
		}
	}
	return fmt.Sprintf("%d entries hashed, %d proved one by one, tree of %d", last-first+1, proved, tree.N), nil
}

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: tlog VERIFIER_KEY FOLDER|URL")
		os.Exit(2)
	}
	var from source = folder(os.Args[2])
	if strings.HasPrefix(os.Args[2], "http") {
		from = server(os.Args[2])
	}
	begun := time.Now()
	said, err := verify(os.Args[1], from)
	if err != nil {
		fmt.Println("FAILED:", err)
		os.Exit(1)
	}
	fmt.Printf("ok: %s, in %.3f s\n", said, time.Since(begun).Seconds())
}
