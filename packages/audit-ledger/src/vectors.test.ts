/** Every vector of vectors/ledger-vectors.json: made by one implementation, checked by another, neither of them ours. */
import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { commitDetail } from './detail/commitment.js';
import { decodeLeaf, encodeLeaf } from './leaf/leaf.js';
import { checkpointBody, openCheckpoint, parseCheckpointBody, signCheckpoint } from './note/checkpoint.js';
import { keyId, MalformedKeyError, parseSigningKey, parseVerifierKey, signingKeyFromSeed } from './note/keys.js';
import { openNote, parseNote } from './note/note.js';
import { formatTlogProof, parseTlogProof, verifyTlogProof } from './note/tlog-proof.js';
import { tileBytes, tileSourceOf } from './testing/tile-tree.js';
import { decodeBundle, encodeBundle } from './tiles/bundle.js';
import { NodeReader } from './tiles/node-reader.js';
import { encodeTileIndex, hashesAtLevel, tilePath } from './tiles/path.js';
import { Frontier } from './tree/frontier.js';
import { digestOf, leafHash } from './tree/hash.js';
import { merkleTreeHash } from './tree/mth.js';
import { inclusionHolds, verifyConsistency, verifyInclusion } from './tree/verify.js';

const vectors = JSON.parse(readFileSync(new URL('../vectors/ledger-vectors.json', import.meta.url), 'utf8'));

const bytes = (hex: string): Buffer => Buffer.from(hex, 'hex');
const hexes = (hashes: readonly Uint8Array[]): string[] => hashes.map((each) => Buffer.from(each).toString('hex'));
const hexOf = (value: Uint8Array): string => Buffer.from(value).toString('hex');
const sha256 = (value: Uint8Array): string => hash('sha256', value);
const simpleLeaf = (index: number): Buffer => Buffer.from(`leaf-${index}`);

interface InclusionVector {
  index: number;
  size: number;
  proof: string[];
}
interface ConsistencyVector {
  old: number;
  new: number;
  proof: string[];
}

for (const name of ['ct_reference_leaves', 'simple_leaves_0_8']) {
  const set = vectors[name];
  const leaves: Buffer[] = set.leaves_hex.map(bytes);
  const hashes = leaves.map(leafHash);
  const reader = (size: number): NodeReader => new NodeReader(tileSourceOf(hashes.slice(0, size)), size);

  describe(name, () => {
    it('hashes leaves', () => assert.deepEqual(hexes(hashes), set.leaf_hashes));

    it('gives the root of every size in three ways', async () => {
      const frontier = new Frontier();
      for (let size = 0; size <= leaves.length; size += 1) {
        assert.equal(hexOf(frontier.root()), set.roots[size]);
        assert.equal(hexOf(merkleTreeHash(hashes.slice(0, size))), set.roots[size]);
        assert.equal(hexOf(await reader(size).root(size)), set.roots[size]);
        const next = hashes[size];
        if (next !== undefined) frontier.append(digestOf(next));
      }
    });

    it('makes and verifies every inclusion proof', async () => {
      for (const { index, size, proof } of set.inclusion as InclusionVector[]) {
        assert.deepEqual(hexes(await reader(size).inclusionProof(index, size)), proof);
        const leaf = leaves[index];
        assert.ok(leaf && verifyInclusion(leaf, index, { size, root: bytes(set.roots[size]) }, proof.map(bytes)));
      }
    });

    it('makes and verifies every consistency proof', async () => {
      for (const vector of set.consistency as ConsistencyVector[]) {
        assert.deepEqual(hexes(await reader(vector.new).consistencyProof(vector.old, vector.new)), vector.proof);
        const from = { size: vector.old, root: bytes(set.roots[vector.old]) };
        const to = { size: vector.new, root: bytes(set.roots[vector.new]) };
        assert.ok(verifyConsistency(from, to, vector.proof.map(bytes)));
      }
    });
  });
}

describe('tree_1000', () => {
  const set = vectors.tree_1000;
  const hashes = Array.from({ length: set.size }, (_, i) => leafHash(simpleLeaf(i)));
  const head = { size: set.size as number, root: bytes(set.root) };
  const reader = new NodeReader(tileSourceOf(hashes), set.size);

  it('gives the prefix roots', async () => {
    for (const [size, root] of Object.entries(set.prefix_roots)) {
      assert.equal(hexOf(merkleTreeHash(hashes.slice(0, Number(size)))), root);
      assert.equal(hexOf(await reader.root(Number(size))), root);
    }
  });

  it('makes and verifies the proofs', async () => {
    for (const { index, size, leaf_hash, proof } of set.inclusion) {
      assert.equal(hexOf(leafHash(simpleLeaf(index))), leaf_hash);
      assert.deepEqual(hexes(await reader.inclusionProof(index, size)), proof);
      assert.ok(verifyInclusion(simpleLeaf(index), index, head, proof.map(bytes)));
    }
    for (const vector of set.consistency) {
      assert.deepEqual(hexes(await reader.consistencyProof(vector.old, vector.new)), vector.proof);
      const from = { size: vector.old, root: bytes(vector.old_root) };
      assert.ok(verifyConsistency(from, head, vector.proof.map(bytes)));
    }
  });

  it('cuts the tiles', () => {
    for (const [path, tile] of Object.entries<{ len: number; sha256: string }>(set.tiles)) {
      const made = tileBytes(hashes, path);
      assert.equal(made.length, tile.len, path);
      assert.equal(sha256(made), tile.sha256, path);
    }
  });
});

describe('tree_70000', () => {
  const set = vectors.tree_70000;
  const hashes = Array.from({ length: 70_000 }, (_, i) => leafHash(simpleLeaf(i)));

  it('gives root, widths and tiles', () => {
    assert.equal(hexOf(merkleTreeHash(hashes)), set.root);
    for (const [level, { full, partial }] of Object.entries<{ full: number; partial: number }>(set.levels)) {
      assert.equal(hashesAtLevel(hashes.length, Number(level)), full * 256 + partial);
    }
    for (const [path, digest] of Object.entries(set.tile_sha256))
      assert.equal(sha256(tileBytes(hashes, path)), digest, path);
  });
});

describe('formats', () => {
  it('encodes tile indexes', () => {
    for (const [index, path] of Object.entries(vectors.tile_index_encoding)) {
      assert.equal(encodeTileIndex(Number(index)), path);
      assert.equal(tilePath({ kind: 'entries', index: Number(index), width: 7 }), `tile/entries/${path}.p/7`);
    }
  });

  it('encodes entry bundles', () => {
    const entries: Buffer[] = vectors.entry_bundle.entries.map((text: string) => Buffer.from(text));
    assert.equal(hexOf(encodeBundle(entries)), vectors.entry_bundle.hex);
    assert.deepEqual(hexes(decodeBundle(bytes(vectors.entry_bundle.hex), 3)), hexes(entries));
  });
});

describe('signed_checkpoint', () => {
  const set = vectors.signed_checkpoint;
  const key = signingKeyFromSeed(set.origin, bytes(set.ed25519_seed_hex));
  const verifier = parseVerifierKey(set.vkey);
  const checkpoint = { origin: set.origin, size: 1000, root: bytes(vectors.tree_1000.root) };

  it('derives and reads keys', () => {
    assert.equal(key.verifier.text, set.vkey);
    assert.equal(hexOf(key.verifier.id), set.key_id_hex);
    assert.equal(parseSigningKey(set.go_skey).verifier.text, set.vkey);
    assert.equal(hexOf(keyId(set.origin, 1, bytes(set.public_key_hex))), set.key_id_hex);
  });

  it('signs and opens checkpoints', () => {
    assert.equal(checkpointBody(checkpoint), set.body);
    assert.equal(signCheckpoint(checkpoint, key), set.signed_note);
    assert.deepEqual(openCheckpoint(set.signed_note, verifier), checkpoint);
    assert.equal(openCheckpoint(set.signed_note_size0, verifier).size, 0);
  });

  it('reads what a witness adds without being disturbed by it', () => {
    const witness = set.cosignature_v1;
    const cosigned = set.signed_note + witness.line;
    assert.deepEqual(openCheckpoint(cosigned, verifier), checkpoint);
    const added = parseNote(cosigned).signatures[1];
    assert.equal(added?.name, witness.witness);
    assert.equal(hexOf(added?.id ?? Buffer.alloc(0)), witness.key_id_hex);
    assert.equal(hexOf(keyId(witness.witness, 4, bytes(witness.public_key_hex))), witness.key_id_hex);
    assert.throws(() => parseVerifierKey(witness.vkey), MalformedKeyError);
    const timestamp = added?.signature.readBigUInt64BE(0);
    assert.equal(timestamp, BigInt(witness.time));
    const message = `cosignature/v1\ntime ${witness.time}\n${checkpointBody(checkpoint)}`;
    assert.equal(message, witness.signed_message);
    const witnessKey = signingKeyFromSeed(witness.witness, bytes(witness.seed_hex));
    assert.ok(added && witnessKey.verifier.verify(Buffer.from(message), added.signature.subarray(8)));
  });

  it('writes and verifies a tlog-proof', () => {
    const proof = parseTlogProof(set.tlog_proof_index_500);
    assert.equal(formatTlogProof(proof), set.tlog_proof_index_500);
    assert.equal(verifyTlogProof(set.tlog_proof_index_500, simpleLeaf(500), verifier).size, 1000);
    assert.throws(() => verifyTlogProof(set.tlog_proof_index_500, simpleLeaf(501), verifier), /does not verify/);
  });

  it('agrees with the consistency proof a witness is sent', async () => {
    const [old = '', ...proof] = set.witness_add_checkpoint_request_old_256.split('\n\n')[0].split('\n');
    const hashes = Array.from({ length: 1000 }, (_, i) => leafHash(simpleLeaf(i)));
    const made = await new NodeReader(tileSourceOf(hashes), 1000).consistencyProof(Number(old.slice(4)), 1000);
    assert.deepEqual(
      made.map((each) => Buffer.from(each).toString('base64')),
      proof,
    );
    const rest = set.witness_add_checkpoint_request_old_256;
    assert.equal(openCheckpoint(rest.slice(rest.indexOf('\n\n') + 2), verifier).size, 1000);
  });

  it('opens the example of the signed-note specification', () => {
    const { vkey, note } = set.spec_example;
    assert.equal(openNote(note, parseVerifierKey(vkey)), 'This is an example message.\n');
    assert.throws(
      () => openNote(note.replace('example message', 'Example message'), parseVerifierKey(vkey)),
      /does not verify/,
    );
    assert.throws(() => parseCheckpointBody('This is an example message.\n'), /malformed/);
  });
});

describe('cautions', () => {
  it('an interior node satisfies the arithmetic as a leaf hash, but no leaf bytes lead to it', () => {
    const { index, claimed_size, leaf_hash, proof, root_of_size_8 } = vectors.caution_interior_node;
    const head = { size: claimed_size as number, root: bytes(root_of_size_8) };
    assert.ok(inclusionHolds(bytes(leaf_hash), index, head, proof.map(bytes)));
    const children = vectors.simple_leaves_0_8.leaf_hashes.slice(0, 2).join('');
    assert.ok(!verifyInclusion(bytes(children), index, head, proof.map(bytes)));
    assert.ok(!verifyInclusion(bytes(leaf_hash), index, head, proof.map(bytes)));
  });

  it('a proof does not bind the tree size', () => {
    const { index, claimed_size, leaf_hash, proof, root_of_size_8 } = vectors.caution_size_not_bound;
    const root = bytes(root_of_size_8);
    assert.ok(inclusionHolds(bytes(leaf_hash), index, { size: claimed_size, root }, proof.map(bytes)));
  });
});

describe('negative', () => {
  for (const vector of vectors.negative) {
    it(`${vector.kind}: ${vector.why}`, () => {
      const proof: Buffer[] = vector.proof.map(bytes);
      const accepted =
        vector.kind === 'inclusion'
          ? inclusionHolds(
              bytes(vector.leaf_hash),
              vector.index,
              { size: vector.size, root: bytes(vector.root) },
              proof,
            )
          : verifyConsistency(
              { size: vector.old, root: bytes(vector.old_root) },
              { size: vector.new, root: bytes(vector.new_root) },
              proof,
            );
      assert.equal(accepted, false);
    });
  }
  it('there are 25 of them', () => assert.equal(vectors.negative.length, 25));
});

describe('chained_leaf_v1', () => {
  const set = vectors.chained_leaf_v1;
  const leaves: Buffer[] = set.entries.map((entry: { leaf_hex: string }) => bytes(entry.leaf_hex));

  it('decodes, encodes and hashes leaves, commitments and links', () => {
    for (const [seq, entry] of set.entries.entries()) {
      const leaf = decodeLeaf(bytes(entry.leaf_hex));
      assert.equal(leaf.seq, seq);
      assert.equal(hexOf(leaf.prev), entry.prev);
      assert.equal(hexOf(encodeLeaf(leaf)), entry.leaf_hex);
      assert.equal(hexOf(leafHash(bytes(entry.leaf_hex))), entry.entry_hash);
      assert.equal(leaf.detailLength, Buffer.byteLength(entry.detail));
      assert.equal(hexOf(commitDetail(bytes(entry.salt), Buffer.from(entry.detail))), entry.detail_commit);
      assert.equal(hexOf(leaf.detailCommit), entry.detail_commit);
    }
  });

  it('gives roots and proofs', async () => {
    const hashes = leaves.map(leafHash);
    const reader = new NodeReader(tileSourceOf(hashes), 5);
    assert.equal(hexOf(await reader.root(5)), set.log_root_size_5);
    assert.equal(hexOf(merkleTreeHash(hashes.slice(1, 4))), set['batch_root_[1,4)']);
    assert.deepEqual(hexes(await reader.inclusionProof(2, 5)), set.inclusion_2_of_5);
    assert.deepEqual(hexes(await reader.consistencyProof(3, 5)), set.consistency_3_5);
  });
});
