#!/usr/bin/env node
/*
 * Verifies an export or an evidence pack of a SENTINEL audit log: offline, with Node 18 or newer and nothing else
 * but recount.mjs and definitions.json beside it. verify.py does the same with Python.
 *
 *   node verify.mjs [PACK] [--key VERIFIER_KEY] [--attestation-key VERIFIER_KEY]
 *
 * PACK is a folder or a .tar file; by default the folder that this file lies in. VERIFIER_KEY is the log's public key as text, and
 * the attestation key that of whoever makes packs. Get both from the operator by another way than the pack, and this file from a
 * release: whoever forges a pack forges all that is in it. Nothing in the pack is believed, its sizes and names neither.
 *
 * What is checked, from the outside in: the pack holds exactly the files that it should (1); its checkpoint is signed by the key,
 * or by one that it handed over to in entries of the log that both keys signed (2); the hash tiles add up to the root that the checkpoint states (3); every entry is the one whose hash is in the tiles, has
 * the next number, and names the hash of the entry before (4); every detail is the one that its entry committed to (5); what is
 * left out was pruned, as entries of the log say that are proved to be in it (6); each cited entry has a proof of its own (7); seals
 * agree with the entries (8); report.json and report.csv come out again, by definitions that this program carries (9); no other
 * entry is of the period (10); the attestation key signed the manifest (11).
 * Exit status: 0 proven, 1 not what it claims to be, 2 wrong usage, 69 there is no pack to read.
 */
import { createHash, createPublicKey, verify as verifySignature } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { csvOf, definitionOf, iso, jsonFile, Recount } from './recount.mjs';

const FORMAT = 'sentinel-ledger-export/2';
const TYPES = [undefined, 'probe', 'anomaly', 'decision', 'agreement', 'configuration', 'system', 'approval'];
/** Where a key of the log ever handed over to the next. */
const ROTATIONS = 'rotations.jsonl';
const PROGRAMS = ['verify.mjs', 'recount.mjs', 'verify.py', 'recount.py', 'definitions.json'];
const REPORT = ['report.json', 'report.csv', 'report.pdf'];
/** Files that the tree does not bind, and the manifest lists. */
const LISTED = ['checkpoint', 'verifier-key', 'proved.jsonl', 'README.txt', ...PROGRAMS];
/** What no pack exceeds, so that a hostile one cannot exhaust this machine. */
const MAX_FILE_BYTES = 2 ** 28;
const MAX_FILES = 2_000_000;
const MAX_DEPTH = 12;
const MAX_ENTRIES = 100_000_000;
const PROBLEMS_SHOWN = 20;
const problems = [];
let problemCount = 0;
let withheldCount = 0;

function problem(text) {
  problemCount += 1;
  if (problems.length < PROBLEMS_SHOWN) problems.push(text);
}

function withheld(text) {
  withheldCount += 1;
  problem(`${text} WITHHELD: no pruning that the log announced took it`);
}

/** Nothing from a pack moves the cursor of a terminal, or fills it. */
const printable = (text) => text.replace(/[^\x20-\x7e]/g, '?');

class Hopeless extends Error {}

const text = (value) => (typeof value === 'string' ? value : '');

// ---- Files: a folder, or a tar file of which every byte follows from the files in it.

const isName = (name) => /^[A-Za-z0-9._-]+(\/[A-Za-z0-9._-]+)*$/.test(name) && !name.split('/').includes('..');

function openPack(place) {
  if (fs.statSync(place).isDirectory()) return folderFiles(place);
  return tarFiles(fs.openSync(place, 'r'), fs.statSync(place).size);
}

function addFile(files, name, size, read) {
  if (!isName(name) || files.has(name))
    throw new Hopeless(`a file of the pack has a name that it cannot have: ${name}`);
  if (size > MAX_FILE_BYTES) throw new Hopeless(`${name} is larger than any file of a pack`);
  if (files.size >= MAX_FILES) throw new Hopeless('the pack has more files than any pack');
  files.set(name, read);
}

function folderFiles(root) {
  const files = new Map();
  const walk = (folder, prefix, depth) => {
    if (depth > MAX_DEPTH) throw new Hopeless('the folders of the pack are nested too deeply');
    for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
      const at = path.join(folder, entry.name);
      if (entry.isDirectory()) walk(at, `${prefix}${entry.name}/`, depth + 1);
      else if (!entry.isFile()) throw new Hopeless(`${prefix}${entry.name} is no plain file`);
      else addFile(files, prefix + entry.name, fs.statSync(at).size, () => fs.readFileSync(at));
    }
  };
  walk(root, '', 0);
  return files;
}

/** The one header that a file of this name and size has: owner 0, mode 0644, time 0. */
function tarHeader(name, size) {
  const header = Buffer.alloc(512);
  const octal = (n, digits) => `${n.toString(8).padStart(digits, '0')}\0`;
  const mode = `0000644\0${'0000000\0'.repeat(2)}`;
  header.write(`${mode}${octal(size, 11)}${octal(0, 11)}        0`, 100);
  header.write('ustar\x0000', 257);
  header.write(name, 0);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${octal(sum, 6)} `, 148);
  return header;
}

function tarFiles(fd, total) {
  const read = (at, length) => {
    const bytes = Buffer.alloc(length);
    if (fs.readSync(fd, bytes, 0, length, at) !== length) throw new Hopeless('the tar file is cut short');
    return bytes;
  };
  const files = new Map();
  let offset = 0;
  while (offset < total - 1024) {
    const header = read(offset, 512);
    const name = header.toString('latin1', 0, 100).replace(/\0.*$/s, '');
    const digits = header.toString('latin1', 124, 135);
    const size = /^[0-7]{11}$/.test(digits) ? parseInt(digits, 8) : -1;
    if (size < 0 || !tarHeader(name, size).equals(header))
      throw new Hopeless(`the tar file is damaged at byte ${offset}`);
    const at = offset + 512;
    addFile(files, name, size, () => read(at, size));
    const padding = (512 - (size % 512)) % 512;
    if (read(at + size, padding).some((byte) => byte !== 0))
      throw new Hopeless(`the tar file is damaged behind ${name}`);
    offset = at + size + padding;
  }
  if (offset !== total - 1024 || read(offset, 1024).some((byte) => byte !== 0))
    throw new Hopeless('the tar file does not end as it should');
  return files;
}

// ---- Hashes and the Merkle tree of RFC 6962.

function sha256(...parts) {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
}

const leafHash = (leaf) => sha256(Buffer.from([0]), leaf);
const nodeHash = (left, right) => sha256(Buffer.from([1]), left, right);

/** Root over hashes; a last one without a partner is carried up. */
function treeHash(hashes) {
  let level = hashes;
  while (level.length > 1) {
    const above = [];
    for (let i = 0; i + 1 < level.length; i += 2) above.push(nodeHash(level[i], level[i + 1]));
    if (level.length % 2 === 1) above.push(level[level.length - 1]);
    level = above;
  }
  return level[0];
}

/** RFC 9162, 2.1.3.2. */
function inclusionHolds(leaf, index, size, root, proof) {
  let [fn, sn, node] = [index, size - 1, leafHash(leaf)];
  const half = () => ([fn, sn] = [Math.floor(fn / 2), Math.floor(sn / 2)]);
  for (const sibling of proof) {
    if (sn === 0) return false;
    if (fn % 2 === 1 || fn === sn) {
      node = nodeHash(sibling, node);
      while (fn % 2 === 0 && fn !== 0) half();
    } else node = nodeHash(node, sibling);
    half();
  }
  return sn === 0 && node.equals(root);
}

// ---- Signed notes and checkpoints (C2SP).

function base64(text) {
  const bytes = typeof text === 'string' ? Buffer.from(text, 'base64') : undefined;
  return bytes?.toString('base64') === text ? bytes : undefined;
}

function hex(text) {
  const bytes = typeof text === 'string' ? Buffer.from(text, 'hex') : undefined;
  return bytes?.toString('hex') === text ? bytes : undefined;
}

function parseKey(text) {
  const [, name, id, encoded] = /^([^\s+]+)\+([0-9a-f]{8})\+(\S+)$/.exec(text) ?? [];
  const bytes = base64(encoded ?? '');
  if (bytes?.length !== 33 || bytes[0] !== 1) throw new Hopeless(`this is no verifier key: ${text}`);
  if (sha256(`${name}\n`, bytes).toString('hex', 0, 4) !== id)
    throw new Hopeless('the verifier key contradicts its own id');
  const der = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), bytes.subarray(1)]);
  return { text, name, id, key: createPublicKey({ key: der, format: 'der', type: 'spki' }) };
}

/** The text that `key` signed. */
function openNote(note, what, { name, id, key }) {
  const split = note.lastIndexOf('\n\n');
  const body = note.slice(0, split + 1);
  const lines = note.slice(split + 2).split('\n');
  if (split < 0 || lines.pop() !== '') throw new Hopeless(`${what} is no signed note`);
  const ours = lines.map((line) => /^\u2014 ([^\s+]+) (\S+)$/u.exec(line)).filter((match) => match?.[1] === name);
  const signatures = ours.map((match) => base64(match[2])).filter((bytes) => bytes?.toString('hex', 0, 4) === id);
  if (signatures.length === 0) throw new Hopeless(`${what} is not signed by ${name} with this key`);
  if (!signatures.every((bytes) => verifySignature(null, Buffer.from(body), key, bytes.subarray(4))))
    throw new Hopeless(`the signature of ${what} does not verify`);
  return body;
}

function openCheckpoint(note, key) {
  const [origin, sizeText, rootText] = openNote(note, 'the checkpoint', key).split('\n');
  const root = base64(rootText);
  if (origin !== key.name || !/^(0|[1-9]\d{0,15})$/.test(sizeText) || root?.length !== 32)
    throw new Hopeless('the checkpoint is malformed');
  return { origin, size: Number(sizeText), root };
}

/** The key that `from` handed over to in a note that both signed, or undefined. */
function nextKey(note, from) {
  try {
    const [header, , , oldKey, newKey] = openNote(note, 'a rotation', from).split('\n');
    const to = parseKey(newKey);
    openNote(note, 'a rotation', to);
    return header === 'sentinel key rotation 1' && oldKey === from.text && to.name === from.name ? to : undefined;
  } catch (error) {
    if (error instanceof Hopeless) return undefined;
    throw error;
  }
}

/** The newest key that the given one leads to. Whether the entries are in the log is checked once the checkpoint is open. */
function followRotations(pack, given) {
  const rows = [...linesOf(pack.read(ROTATIONS), PROVED).values()];
  return rows.reduce((key, { detail }) => nextKey(text(detailOf(text(detail))?.note), key) ?? key, given);
}

// ---- Tiles (C2SP tlog-tiles).

const countAt = (size, level) => Math.floor(size / 256 ** level);
const widthOf = (size, level, index) => Math.min(256, Math.max(0, countAt(size, level) - index * 256));

function numberPath(index) {
  let text = String(index % 1000).padStart(3, '0');
  for (let rest = Math.floor(index / 1000); rest > 0; rest = Math.floor(rest / 1000))
    text = `x${String(rest % 1000).padStart(3, '0')}/${text}`;
  return text;
}

const tilePath = (kind, index, width) => `tile/${kind}/${numberPath(index)}${width < 256 ? `.p/${width}` : ''}`;

const bundlePath = (size, index) => tilePath('entries', index, widthOf(size, 0, index));

/** Tiles over entries first to last, and at each level the partial one at the right edge. */
function* expectedTiles({ first, last, size }) {
  for (let level = 0; countAt(size, level) > 0; level += 1) {
    const span = 256 ** (level + 1);
    const end = Math.floor(last / span);
    for (let index = Math.floor(first / span); index <= end; index += 1)
      if (widthOf(size, level, index) > 0) yield [level, index];
    const edge = Math.floor(countAt(size, level) / 256);
    if (edge > end && widthOf(size, level, edge) > 0) yield [level, edge];
  }
}

class Pack {
  constructor(files) {
    this.files = files;
    this.used = new Set();
    this.tiles = new Map();
  }

  has(name) {
    return this.files.has(name);
  }

  read(name) {
    this.used.add(name);
    return this.files.get(name)?.();
  }

  need(name) {
    const bytes = this.read(name);
    if (bytes === undefined) throw new Hopeless(`${name} is missing`);
    return bytes;
  }

  /** Hashes of a tile; undefined where it is damaged. The newest of each level is kept. */
  hashes(size, level, index) {
    const kept = this.tiles.get(level);
    if (kept?.index === index) return kept.hashes;
    const width = widthOf(size, level, index);
    const bytes = this.read(tilePath(level, index, width));
    const whole = bytes?.length === width * 32;
    const hashes = whole ? Array.from({ length: width }, (_, i) => bytes.subarray(i * 32, i * 32 + 32)) : undefined;
    this.tiles.set(level, { index, hashes });
    return hashes;
  }
}

/** Every full tile by its hash in the tile above; the partial ones together by the root. */
function checkTiles(pack, manifest, root) {
  const { size } = manifest;
  for (const [level, index] of expectedTiles(manifest)) {
    const hashes = pack.hashes(size, level, index);
    const name = `hash tile ${level}/${index}`;
    if (hashes === undefined) problem(`${name} is missing or damaged`);
    else if (
      hashes.length === 256 &&
      !pack.hashes(size, level + 1, Math.floor(index / 256))?.[index % 256]?.equals(treeHash(hashes))
    )
      problem(`${name} does not fit the tile above it`);
  }
  const nodes = [];
  for (let level = 0; countAt(size, level) > 0; level += 1) {
    const partial = countAt(size, level) % 256;
    const hashes = partial === 0 ? [] : (pack.hashes(size, level, Math.floor(countAt(size, level) / 256)) ?? []);
    // Right to left: the tree over these hashes, then what stands right of it.
    for (let end = hashes.length; end > 0; ) {
      const width = end & -end;
      nodes.push(treeHash(hashes.slice(end - width, end)));
      end -= width;
    }
  }
  const computed = nodes.length === 0 ? undefined : nodes.reduce((right, left) => nodeHash(left, right));
  if (!computed?.equals(root)) problem('the hash tiles do not add up to the root that was signed');
}

// ---- The manifest.

const isCount = (n) => Number.isSafeInteger(n) && n >= 0;

/** Ascending ranges of entries, apart, and between `from` and `to`. */
function areRanges(ranges, from, to) {
  let next = from;
  const fits = (range) => {
    if (!Array.isArray(range) || range.length !== 2 || !range.every(isCount)) return false;
    const inOrder = range[0] >= next && range[1] >= range[0] && range[1] <= to;
    next = range[1] + 2;
    return inOrder;
  };
  return Array.isArray(ranges) && ranges.every(fits);
}

function inRanges(ranges, seq) {
  let [low, high] = [0, ranges.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ranges[middle][1] < seq) low = middle + 1;
    else high = middle;
  }
  return low < ranges.length && ranges[low][0] <= seq;
}

function readManifest(text, filesThere) {
  const { format, origin, size, first, last, details, missing_details, pruned_leaves_end, kept_leaves, files } =
    JSON.parse(text);
  const manifest = {
    format,
    origin,
    size,
    first,
    last,
    details,
    missing_details,
    pruned_leaves_end,
    kept_leaves,
    files,
  };
  if (format !== FORMAT) throw new Hopeless('the manifest is damaged or of another format');
  const counted = [size, first, last, details, pruned_leaves_end].every(isCount) && first <= last && last < size;
  const ranges = areRanges(missing_details, first, last) && areRanges(kept_leaves, 0, pruned_leaves_end - 1);
  if (jsonFile(manifest) !== text || !counted || !ranges || pruned_leaves_end > size || files?.constructor !== Object)
    throw new Hopeless('the manifest is damaged or of another format');
  if (last - first >= MAX_ENTRIES || Math.max(last - first, 0) / 256 > filesThere)
    throw new Hopeless('the manifest speaks of more entries than there can be');
  return manifest;
}

/** Exactly the files that a pack has beside those of the log, as the manifest lists them. */
function checkListed(pack, { files }) {
  const listed = [...LISTED, ...(pack.has('report.json') ? REPORT : []), ...(pack.has(ROTATIONS) ? [ROTATIONS] : [])];
  for (const name of Object.keys(files)) if (!listed.includes(name)) problem(`${name} does not belong to the pack`);
  for (const name of listed)
    if (!pack.has(name) || !Object.hasOwn(files, name) || sha256(pack.read(name)).toString('hex') !== files[name])
      problem(`${name} is missing or not the file that the manifest lists`);
  for (const name of [...pack.files.keys()].sort())
    if (!pack.used.has(name)) problem(`${name} does not belong to the pack`);
}

// ---- Entries: leaves out of bundles, kept leaves where bundles were pruned, and details.

/** Undefined for what is no leaf. */
function decodeLeaf(bytes) {
  if (bytes.length < 46) return undefined;
  const number = (at) => Number(bytes.readBigUInt64BE(at));
  const producerEnd = 45 + bytes[44];
  const gpuEnd = producerEnd + 1 + (bytes[producerEnd] ?? 0);
  if (bytes[0] !== 1 || TYPES[bytes[1]] === undefined || bytes.length !== gpuEnd + 68) return undefined;
  return {
    type: TYPES[bytes[1]],
    injected: (bytes[3] & 2) !== 0,
    seq: number(4),
    receivedUs: number(12),
    eventUs: number(20),
    producer: bytes.toString('utf8', 45, producerEnd),
    gpu: bytes.toString('utf8', producerEnd + 1, gpuEnd),
    commit: bytes.subarray(gpuEnd + 4, gpuEnd + 36),
    prev: bytes.subarray(gpuEnd + 36),
  };
}

function splitBundle(bundle, count) {
  const leaves = [];
  let at = 0;
  while (bundle !== undefined && at + 2 <= bundle.length) {
    const end = at + 2 + bundle.readUInt16BE(at);
    leaves.push(bundle.subarray(at + 2, end));
    at = end;
  }
  return at === bundle?.length && leaves.length === count ? leaves : undefined;
}

/** Lines of JSON with a seq each; a line that is not as an export writes it belongs to nobody. */
function linesOf(bytes, members) {
  const rows = new Map();
  const lines = (bytes ?? '').toString('utf8').split('\n');
  if (lines.pop() !== '') problem('a file of lines is cut short');
  for (const line of lines) {
    let row;
    try {
      row = JSON.parse(line);
    } catch {}
    const known = Object.fromEntries(members.map((member) => [member, row?.[member]]));
    if (JSON.stringify(known) !== line || !isCount(known.seq) || rows.has(known.seq))
      problem(`a line is damaged: ${line.slice(0, 60)}`);
    else rows.set(known.seq, known);
  }
  return rows;
}

const commitsTo = (leaf, salt, detail) =>
  hex(salt)?.length === 16 &&
  typeof detail === 'string' &&
  sha256(Buffer.from([2]), Buffer.from(salt, 'hex'), Buffer.from(detail)).equals(leaf.commit);

function detailOf(text) {
  const value = JSON.parse(text);
  return typeof value === 'object' && value !== null ? value : undefined;
}

/** Of a line that proves an entry. */
const PROVED = ['seq', 'leaf', 'salt', 'detail', 'proof'];

/** Entries that the pack proves to be in the tree, one by one. */
function provedEntries(pack, name, { size, root }) {
  const proved = new Map();
  for (const row of linesOf(pack.read(name), PROVED).values()) {
    const bytes = hex(row.leaf);
    const leaf = bytes && decodeLeaf(bytes);
    const proof = Array.isArray(row.proof) && row.proof.length <= 64 ? row.proof.map(base64) : [undefined];
    const shape = leaf?.seq === row.seq && row.seq < size && proof.every((hash) => hash?.length === 32);
    const bare = row.salt === '' && row.detail === '';
    if (shape && inclusionHolds(bytes, row.seq, size, root, proof) && (bare || commitsTo(leaf, row.salt, row.detail)))
      proved.set(row.seq, { leaf, detail: bare ? undefined : detailOf(row.detail) });
    else problem(`${name}: entry ${row.seq} is not proved`);
  }
  return proved;
}

function checkRotations(pack, checkpoint) {
  for (const [seq, { leaf, detail }] of provedEntries(pack, ROTATIONS, checkpoint))
    if (leaf.type !== 'system' || leaf.producer !== 'ledger' || detail?.event !== 'key_rotation')
      problem(`${ROTATIONS}: entry ${seq} is no rotation`);
}

// ---- What was pruned: an entry of the log announced exactly what went, and under which holds.

const isScope = (scope) =>
  typeof scope?.gpu === 'string' &&
  typeof scope.producer === 'string' &&
  isCount(scope.from_us) &&
  isCount(scope.to_us);

const covers = ({ gpu, producer, from_us: from, to_us: to }, leaf) =>
  (gpu === '' || gpu === leaf.gpu) &&
  (producer === '' || producer === leaf.producer) &&
  leaf.eventUs >= from &&
  (to === 0 || leaf.eventUs < to);

class Prunings {
  constructor(proved, { pruned_leaves_end: end, kept_leaves: kept }) {
    this.end = end;
    this.kept = kept;
    this.list = [...proved].flatMap(([seq, { leaf, detail }]) => {
      const { event, phase, details_end: details, leaves_end: leaves, holds } = detail ?? {};
      const ours = leaf.type === 'system' && leaf.producer === 'ledger' && event === 'prune' && phase === 'intent';
      const sound = isCount(details) && isCount(leaves) && leaves <= details && details <= seq;
      return ours && sound && Array.isArray(holds) && holds.every(isScope) ? [{ seq, ...detail }] : [];
    });
    this.announced = end > 0 && this.keptAsAnnounced();
    if (end > 0 && !this.announced) problem('manifest states that entries were pruned, which the log did not announce');
  }

  /** Whether the entries that were kept are those of which the pruning states number and digest. */
  keptAsAnnounced() {
    const count = this.kept.reduce((sum, [first, last]) => sum + last - first + 1, 0);
    const by = this.list.filter(({ leaves_end: end, kept_count: n }) => end === this.end && n === count);
    if (by.length === 0 || count > MAX_ENTRIES) return false;
    const hash = createHash('sha256');
    const bytes = Buffer.alloc(8);
    for (const [first, last] of this.kept)
      for (let seq = first; seq <= last; seq += 1) {
        bytes.writeBigUInt64BE(BigInt(seq));
        hash.update(bytes);
      }
    const digest = hash.digest('hex');
    return by.some(({ kept_digest: announced }) => announced === digest);
  }

  tookLeaf(seq) {
    return this.announced && seq < this.end && !inRanges(this.kept, seq);
  }

  tookDetail(seq, leaf) {
    const kept = ({ holds }) => leaf.producer === 'ledger' || holds.some((scope) => covers(scope, leaf));
    return this.list.some((pruning) => seq < pruning.details_end && !kept(pruning));
  }
}

// ---- The walk over all entries.

/** Leaves of a bundle, undefined where one is not there; undefined where the bundle is damaged. */
function leavesOf(pack, { size, pruned_leaves_end: prunedEnd }, index) {
  const start = index * 256;
  const width = widthOf(size, 0, index);
  if (start >= prunedEnd) return splitBundle(pack.read(bundlePath(size, index)), width);
  const kept = linesOf(pack.read(`kept/${numberPath(index)}.jsonl`), ['seq', 'leaf']);
  const leaves = Array.from({ length: width }, (_, i) => {
    const row = kept.get(start + i);
    kept.delete(start + i);
    return row && (hex(row.leaf) ?? Buffer.alloc(0));
  });
  for (const seq of kept.keys()) problem(`kept/${numberPath(index)}.jsonl holds a line of entry ${seq}`);
  return leaves;
}

/** Calls `take` with each entry of the range, in order; leaf and detail are undefined where they are not there. */
function walkEntries(pack, manifest, prunings, take) {
  const { first, last, size, missing_details: missing } = manifest;
  let before;
  let latest = 0;
  let details = 0;
  for (let index = Math.floor(first / 256); index * 256 <= last; index += 1) {
    const start = index * 256;
    const width = widthOf(size, 0, index);
    const hashes = pack.hashes(size, 0, index) ?? [];
    const leaves = leavesOf(pack, manifest, index);
    if (leaves === undefined) problem(`entries ${start} to ${start + width - 1}: their bundle is missing or damaged`);
    const lines = linesOf(pack.read(`details/${numberPath(index)}.jsonl`), ['seq', 'salt', 'detail']);
    for (let i = 0; i < width; i += 1) {
      const seq = start + i;
      const bytes = leaves?.[i];
      const leaf = bytes === undefined ? undefined : decodeLeaf(bytes);
      if (bytes !== undefined && (leaf?.seq !== seq || !hashes[i]?.equals(leafHash(bytes))))
        problem(`entry ${seq} was altered`);
      if (
        leaf !== undefined &&
        ((before?.seq === seq - 1 && !leaf.prev.equals(before.hash)) || leaf.receivedUs < latest)
      )
        problem(`entry ${seq} does not follow the one before`);
      before = leaf === undefined ? undefined : { seq, hash: leafHash(bytes) };
      latest = Math.max(latest, leaf?.receivedUs ?? 0);
      if (seq < first || seq > last) continue;
      const line = lines.get(seq);
      lines.delete(seq);
      const lacking = inRanges(missing, seq);
      if ((line === undefined) !== lacking) problem(`entry ${seq}: its detail is missing, or is said to be`);
      if (leaf === undefined && leaves !== undefined && !prunings.tookLeaf(seq)) withheld(`entry ${seq} is`);
      if (leaf !== undefined && line === undefined && !prunings.tookDetail(seq, leaf))
        withheld(`entry ${seq}: its detail is`);
      if (line !== undefined) details += 1;
      if (line !== undefined && leaf !== undefined && !commitsTo(leaf, line.salt, line.detail))
        problem(`entry ${seq}: its detail was altered`);
      take(seq, leaf, line && detailOf(line.detail));
    }
    for (const seq of lines.keys()) problem(`details/${numberPath(index)}.jsonl holds a line of entry ${seq}`);
  }
  if (details !== manifest.details) problem(`the manifest states ${manifest.details} details, there are ${details}`);
}

// ---- The report: made again, and compared.

function checkReport(pack, manifest, { origin, size, root }, key, recount, claimed) {
  const { first, last } = manifest;
  const log = { origin, verifier_key: key.text, size, root: root.toString('hex') };
  const { title } = definitionOf(claimed);
  const period = { from: text(claimed.period?.from), to: text(claimed.period?.to) };
  const report = recount.report({ ...claimed, title, log, period, first, last });
  for (const name of new Set([...Object.keys(report), ...Object.keys(claimed)]))
    if (JSON.stringify(report[name]) !== JSON.stringify(claimed[name]))
      problem(`the report's "${name}" is not what the entries give`);
  if (jsonFile(report) !== pack.read('report.json').toString('utf8'))
    problem('report.json is not as the entries give it');
  if (csvOf(report) !== pack.read('report.csv')?.toString('utf8')) problem('report.csv is not as the entries give it');
  return report;
}

/** What the pack claims of a report, once it claims what figures this program knows. */
function claimedReport(pack) {
  if (!pack.has('report.json')) return undefined;
  const claimed = JSON.parse(pack.read('report.json').toString('utf8'));
  if (claimed?.constructor !== Object || definitionOf(claimed) === undefined)
    throw new Hopeless(
      'report.json is of a format, a framework or a version of definitions that this program does not know',
    );
  return claimed;
}

const bundleOf = (seq) => Math.floor(seq / 256);

/** Each entry that the report cites has a proof of its own, and no other. */
function checkProofs(pack, manifest, { size, root }, note, cited) {
  let [index, leaves] = [-1, undefined];
  for (const { seq } of cited) {
    const name = `proofs/${seq}.tlog-proof`;
    if (!pack.has(name)) {
      problem(`${name} is missing`);
      continue;
    }
    if (bundleOf(seq) !== index) [index, leaves] = [bundleOf(seq), leavesOf(pack, manifest, bundleOf(seq))];
    const leaf = leaves?.[seq % 256];
    const [head, place, ...lines] = pack.read(name).toString('utf8').split('\n');
    const end = lines.indexOf('');
    const proof = lines.slice(0, Math.max(end, 0)).map(base64);
    const shape = head === 'c2sp.org/tlog-proof@v1' && place === `index ${seq}` && end >= 0;
    if (
      !shape ||
      !proof.every((hash) => hash?.length === 32) ||
      lines.slice(end + 1).join('\n') !== note ||
      leaf === undefined ||
      !inclusionHolds(leaf, seq, size, root, proof)
    )
      problem(`${name} does not prove entry ${seq}`);
  }
  return cited.length;
}

// ---- The period: no other entry of the log is of it.

function instantUs(text) {
  const ms = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(ms)) return ms * 1000;
  problem('the period of the report is no instant');
  return undefined;
}

/** @returns what of the claim cannot be proven */
function checkPeriod({ from, to }, manifest, { size }, proved, prunings, recount) {
  const { first, last } = manifest;
  const open = [];
  const taken = (seq) => proved.get(seq)?.leaf.receivedUs;
  const outside = (seq, isOutside) => {
    if (taken(seq) !== undefined && !isOutside(taken(seq))) problem(`entry ${seq} is of the period, and WITHHELD`);
    else if (taken(seq) === undefined && prunings.tookLeaf(seq))
      open.push(`that entry ${seq} and what was pruned with it is not of the period`);
    else if (taken(seq) === undefined) problem(`nothing shows that entry ${seq} is not of the period`);
  };
  const [earliest, newest] = recount.times;
  const [fromUs, toUs] = [from, to].map((bound) => (bound === '' ? undefined : instantUs(bound)));
  if (fromUs !== undefined) {
    if (earliest < fromUs) problem(`entry ${first} was taken before the period`);
    if (first > 0) outside(first - 1, (us) => us < fromUs);
    if (prunings.tookLeaf(first)) open.push(`that entry ${first} and what was pruned with it is of the period`);
  }
  if (toUs !== undefined) {
    if (newest >= toUs) problem(`entry ${last} was taken after the period`);
    if (last + 1 < size) outside(last + 1, (us) => us >= toUs);
    else open.push(`that nothing was logged from ${iso(newest ?? 0)}, when the newest entry was taken, until ${to}`);
    if (prunings.tookLeaf(last)) open.push(`that entry ${last} and what was pruned with it is of the period`);
  }
  return open;
}

// ---- Who made the pack: a DSSE envelope over the manifest, by a key that is not the log's.

const STATEMENT = 'application/vnd.in-toto+json';
const ATTESTS = 'urn:sentinel:audit-log-export:v1';

/** When the pack was made, as the attestation key says; undefined where nobody is to be asked. */
function checkAttestation(pack, manifestBytes, keyText) {
  const file = pack.read('attestation.json')?.toString('utf8');
  if (keyText === undefined) return undefined;
  if (file === undefined) throw new Hopeless('the pack is not signed: it has no attestation.json');
  const key = parseKey(keyText);
  const { payloadType, payload, signatures } = JSON.parse(file);
  const bytes = base64(payload);
  if (payloadType !== STATEMENT || bytes === undefined || !Array.isArray(signatures))
    throw new Hopeless('attestation.json is no statement of a pack');
  const signed = Buffer.concat([Buffer.from(`DSSEv1 ${STATEMENT.length} ${STATEMENT} ${bytes.length} `), bytes]);
  const ours = signatures.filter((each) => each?.keyid === key.id);
  if (
    ours.length === 0 ||
    !ours.every(({ sig }) => verifySignature(null, signed, key.key, base64(sig) ?? Buffer.alloc(0)))
  )
    throw new Hopeless(`attestation.json is not signed by ${key.name} with this attestation key`);
  const { predicateType, subject, predicate } = JSON.parse(bytes.toString('utf8'));
  const about = subject?.length === 1 && subject[0]?.name === 'manifest.json' ? subject[0].digest?.sha256 : undefined;
  if (predicateType !== ATTESTS || about !== sha256(manifestBytes).toString('hex'))
    throw new Hopeless('attestation.json is signed, but speaks of another pack');
  return { by: key.name, at: text(predicate?.made_at) };
}

// ---- All together.

/** Programs of the pack that are not those beside this one: nothing is said of them. */
function otherPrograms(pack) {
  const own = (name) => fs.readFileSync(path.join(path.dirname(fileURLToPath(import.meta.url)), name));
  const same = (name) =>
    fs.existsSync(path.join(path.dirname(fileURLToPath(import.meta.url)), name)) && own(name).equals(pack.read(name));
  return PROGRAMS.filter((name) => pack.has(name) && !same(name));
}

function verifyPack(place, keyText, attestationKey) {
  const pack = new Pack(openPack(place));
  const manifestBytes = pack.need('manifest.json');
  const manifest = readManifest(manifestBytes.toString('utf8'), pack.files.size);
  const ownKey = pack.need('verifier-key').toString('utf8').replace(/\n$/, '');
  const key = followRotations(pack, parseKey(keyText ?? ownKey));
  if (key.text !== ownKey) problem('the verifier key in the pack is not the one given, nor one that it handed over to');
  const note = pack.need('checkpoint').toString('utf8');
  const checkpoint = openCheckpoint(note, key);
  if (manifest.size !== checkpoint.size || manifest.origin !== checkpoint.origin)
    throw new Hopeless('the manifest speaks of another log or size than the checkpoint');
  const attested = checkAttestation(pack, manifestBytes, attestationKey);
  checkTiles(pack, manifest, checkpoint.root);
  const proved = provedEntries(pack, 'proved.jsonl', checkpoint);
  checkRotations(pack, checkpoint);
  const prunings = new Prunings(proved, manifest);
  const claimed = claimedReport(pack);
  const recount = new Recount(claimed === undefined ? [] : definitionOf(claimed).controls, manifest.first);
  walkEntries(pack, manifest, prunings, (...entry) => recount.take(...entry));
  const report = claimed && checkReport(pack, manifest, checkpoint, key, recount, claimed);
  const proofs = checkProofs(pack, manifest, checkpoint, note, report?.cited ?? []);
  const open = report ? checkPeriod(report.period, manifest, checkpoint, proved, prunings, recount) : [];
  if (recount.seals.agree !== recount.seals.inside || recount.seals.broken > 0)
    problem('seals do not agree with the entries');
  checkListed(pack, manifest);
  return { pack, manifest, checkpoint, recount, proofs, report, prunings, open, attested };
}

function parseArguments(argv) {
  const given = { place: path.dirname(fileURLToPath(import.meta.url)) };
  const places = [];
  for (let i = 0; i < argv.length; i += 1) {
    if (argv[i] === '--key' && i + 1 < argv.length) given.key = argv[++i];
    else if (argv[i] === '--attestation-key' && i + 1 < argv.length) given.attestationKey = argv[++i];
    else if (argv[i].startsWith('--')) return undefined;
    else places.push(argv[i]);
  }
  return places.length > 1 ? undefined : { ...given, place: places[0] ?? given.place };
}

/** What is wrong with what the auditor gave; undefined where nothing is. */
function hopelessIn(work) {
  try {
    work();
    return undefined;
  } catch (error) {
    if (error instanceof Hopeless) return error.message;
    throw error;
  }
}

function main(argv) {
  const given = parseArguments(argv);
  if (given === undefined) {
    console.error('usage: node verify.mjs [PACK] [--key VERIFIER_KEY] [--attestation-key VERIFIER_KEY]');
    return 2;
  }
  for (const key of [given.key, given.attestationKey]) {
    const wrong = key === undefined ? undefined : hopelessIn(() => parseKey(key));
    if (wrong !== undefined) {
      console.error(printable(wrong));
      return 2;
    }
  }
  if (!fs.existsSync(given.place)) {
    console.error(`${printable(given.place)} is not there`);
    return 69;
  }
  let proven;
  try {
    proven = verifyPack(given.place, given.key, given.attestationKey);
  } catch (error) {
    problem(error instanceof Hopeless ? error.message : `the pack cannot be read: ${error.message}`);
  }
  if (problemCount > 0) {
    for (const each of problems) console.log(`  ${printable(each)}`);
    if (problemCount > problems.length) console.log(`  and ${problemCount - problems.length} more`);
    const hidden = withheldCount === 0 ? '' : `, of which ${withheldCount} WITHHELD`;
    console.log(
      `NOT PROVEN: ${printable(given.place)} is not what it claims to be (${problemCount} found wrong${hidden}).`,
    );
    return 1;
  }
  console.log(printable(sentence(proven, given)));
  return 0;
}

/** What was proven, and what was not. */
function sentence(found, given) {
  const signer = given.key === undefined ? ', SIGNER NOT CHECKED' : '';
  return `PROVEN${signer}: ${provenOf(found).join('; ')}. NOT PROVEN: ${openOf(found, given).join('; ')}.`;
}

function provenOf({ manifest, checkpoint, recount, proofs, report, attested }) {
  const { first, last } = manifest;
  const { total, details, gone, seals } = recount;
  const proven = [
    `entries ${first} to ${last} are all there, in order, as ${checkpoint.origin} signed them at ${checkpoint.size} entries (${total - gone} leaves, ${details} details, ${proofs} single proofs, ${seals.agree} seals)`,
  ];
  const { from = '', to = '' } = report?.period ?? {};
  if (from !== '' || to !== '')
    proven.push(`the log has no others of ${from || 'its beginning'} to ${to || 'its end'}`);
  if (report !== undefined)
    proven.push(`report.json and report.csv follow from them, with all ${recount.figures} figures`);
  if (attested !== undefined)
    proven.push(`${attested.by} signed this pack with the attestation key given, by its clock at ${attested.at}`);
  return proven;
}

function openOf({ pack, recount, report, prunings, open, attested }, { key, attestationKey }) {
  const { total, details, gone, pruned } = recount;
  const bySeals = [...pruned.values()].reduce((sum, n) => sum + n, 0);
  const told =
    key === undefined
      ? 'WHO signed: the key came with the pack; give the one you were told with --key'
      : "that the key is the log's, which you vouch for";
  const maker = pack.has('attestation.json')
    ? 'who made the pack: give the key of attestation.json with --attestation-key'
    : 'who made the pack, which is not signed';
  const announced = prunings.list.map(({ seq }) => seq).join(', ');
  const others = otherPrograms(pack);
  const digest = report && sha256(pack.read('report.json')).toString('hex');
  return [
    told,
    ...(attestationKey === undefined && attested === undefined ? [maker] : []),
    ...open,
    ...(gone > 0
      ? [`what ${gone} pruned entries said: ${bySeals} are counted by seals alone, ${gone - bySeals} by nothing`]
      : []),
    ...(details < total - gone
      ? [
          `what the details of ${total - gone - details} entries said, which the log pruned, as its entries ${announced} say`,
        ]
      : []),
    ...(report === undefined
      ? []
      : [
          `report.pdf, which is to be read beside report.json alone, whose SHA-256 each of its pages must end with: ${digest}`,
        ]),
    ...(others.length > 0 ? [`what ${others.join(' and ')} in the pack do, which are others than ran here`] : []),
    'that the log was told of everything that happened, nor anything before and after these entries',
  ];
}

process.exitCode = main(process.argv.slice(2));
