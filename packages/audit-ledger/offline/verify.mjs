#!/usr/bin/env node
/*
 * Verifies an export or an evidence pack of a SENTINEL audit log: offline, with Node 18 or newer and nothing else
 * but recount.mjs beside it.
 *
 *   node verify.mjs [PACK] [--key VERIFIER_KEY]
 *
 * PACK is a folder or a .tar file; by default the folder that this file lies in. VERIFIER_KEY is the log's public key as text.
 * Get it from the operator by another way than the pack, and this file from a release: whoever forges a pack forges both.
 *
 * What is checked, from the outside in: the pack holds exactly the files that it should (1); its checkpoint is signed by the key, or
 * by one that the key handed over to in entries of the log that both keys signed (2); the hash tiles add up to the root that the checkpoint states (3); every entry is the one whose hash is in the tiles, has
 * the next number, and names the hash of the entry before (4); every detail is the one that its entry committed to (5); proofs of
 * single entries hold (6); seals agree with the entries (7); every figure of the report comes out again (8).
 * Exit status: 0 proven, 1 not what it claims to be, 2 wrong usage.
 */
import { createHash, createPublicKey, verify as verifySignature } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { iso, Recount } from './recount.mjs';

const TYPES = [undefined, 'probe', 'anomaly', 'decision', 'agreement', 'configuration', 'system', 'approval'];
const PROBLEMS_SHOWN = 20;
const problems = [];
let problemCount = 0;

function problem(text) {
  problemCount += 1;
  if (problems.length < PROBLEMS_SHOWN) problems.push(text);
}

class Hopeless extends Error {}

// ---- Files: a folder, or a tar file of which every byte is accounted for.

function openPack(place) {
  if (fs.statSync(place).isDirectory()) {
    const files = new Map();
    const walk = (folder, prefix) => {
      for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
        const at = path.join(folder, entry.name);
        if (entry.isDirectory()) walk(at, `${prefix}${entry.name}/`);
        else files.set(prefix + entry.name, () => fs.readFileSync(at));
      }
    };
    walk(place, '');
    return files;
  }
  return tarFiles(fs.openSync(place, 'r'), fs.statSync(place).size);
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
    const name = header.toString('utf8', 0, header.indexOf(0));
    const [size, stated] = [124, 148].map((field) => parseInt(header.toString('latin1', field, field + 11), 8));
    const sum = header.fill(' ', 148, 156).reduce((total, byte) => total + byte, 0);
    if (!Number.isSafeInteger(size) || files.has(name) || sum !== stated)
      throw new Hopeless(`the tar file is damaged at byte ${offset}`);
    const at = offset + 512;
    files.set(name, () => read(at, size));
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
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : undefined;
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
function openNote(note, { name, id, key }) {
  const split = note.lastIndexOf('\n\n');
  const body = note.slice(0, split + 1);
  const lines = note.slice(split + 2).split('\n');
  if (split < 0 || lines.pop() !== '') throw new Hopeless('it is no signed note');
  const ours = lines.map((line) => /^\u2014 ([^\s+]+) (\S+)$/u.exec(line)).filter((match) => match?.[1] === name);
  const signatures = ours.map((match) => base64(match[2])).filter((bytes) => bytes?.toString('hex', 0, 4) === id);
  if (signatures.length === 0) throw new Hopeless(`it is not signed by ${name} with this key`);
  if (!signatures.every((bytes) => verifySignature(null, Buffer.from(body), key, bytes.subarray(4))))
    throw new Hopeless('its signature does not verify');
  return body;
}

function openCheckpoint(note, key) {
  const [origin, sizeText, rootText] = openNote(note, key).split('\n');
  const root = base64(rootText ?? '');
  if (origin !== key.name || !/^(0|[1-9]\d{0,15})$/.test(sizeText) || root?.length !== 32)
    throw new Hopeless('it is malformed');
  return { origin, size: Number(sizeText), root };
}

// ---- Rotations: a key hands over to the next in an entry of the log whose note both keys signed.

const rotationLine = ({ seq, leaf, salt, detail, proof }) => JSON.stringify({ seq, leaf, salt, detail, proof });

/** The key that `from` hands over to in a note, or undefined. */
function nextKey(note, from) {
  try {
    const [header, , , oldKey, newKey] = openNote(note, from).split('\n');
    const to = parseKey(newKey);
    openNote(note, to);
    return header === 'sentinel key rotation 1' && oldKey === from.text && to.name === from.name ? to : undefined;
  } catch (error) {
    if (error instanceof Hopeless) return undefined;
    throw error;
  }
}

/** The newest key that the given one leads to. Whether the entries are in the log is checked once the checkpoint is open. */
function followRotations(pack, given) {
  const lines = [...linesOf(pack.read('rotations.jsonl'), rotationLine).values()];
  return lines.reduce((key, { detail }) => nextKey(JSON.parse(detail).note ?? '', key) ?? key, given);
}

function checkRotations(pack, { size, root }) {
  for (const { seq, leaf, salt, detail, proof } of linesOf(pack.read('rotations.jsonl'), rotationLine).values()) {
    const bytes = Buffer.from(leaf, 'hex');
    const entry = decodeLeaf(bytes);
    const committed = sha256(Buffer.from([2]), Buffer.from(salt, 'hex'), Buffer.from(detail));
    const ours = entry?.seq === seq && entry.type === 'system' && entry.producer === 'ledger';
    const hashes = proof.map((hash) => base64(hash) ?? Buffer.alloc(0));
    const says = JSON.parse(detail).event === 'key_rotation' && entry?.commit.equals(committed);
    if (!ours || !says || !inclusionHolds(bytes, seq, size, root, hashes))
      throw new Hopeless(`rotations.jsonl speaks of an entry ${seq} that is not in the log`);
  }
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

// ---- Entries: leaves out of bundles, kept leaves where bundles were pruned, and details.

function decodeLeaf(bytes) {
  const number = (at) => Number(bytes.readBigUInt64BE(at));
  const producerEnd = 45 + bytes[44];
  const gpuEnd = producerEnd + 1 + bytes[producerEnd];
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
function linesOf(bytes, write) {
  const rows = new Map();
  for (const line of bytes === undefined ? [] : bytes.toString('utf8').replace(/\n$/, '').split('\n')) {
    let row;
    try {
      row = JSON.parse(line);
    } catch {}
    if (row === undefined || write(row) !== line || rows.has(row.seq))
      problem(`a line is damaged: ${line.slice(0, 60)}`);
    else rows.set(row.seq, row);
  }
  if (bytes !== undefined && rows.size > 0 && bytes[bytes.length - 1] !== 10) problem('a file of lines is cut short');
  return rows;
}

const keptLine = ({ seq, leaf }) => JSON.stringify({ seq, leaf });

/** Calls `take` with each entry of the range, in order; leaf and detail are undefined where they are not there. */
function walkEntries(pack, manifest, take) {
  const { first, last, size, pruned_leaves_end: prunedEnd } = manifest;
  const lacking = (seq) => manifest.missing_details.some(([from, to]) => seq >= from && seq <= to);
  let before;
  let details = 0;
  for (let index = Math.floor(first / 256); index * 256 <= last; index += 1) {
    const start = index * 256;
    const width = widthOf(size, 0, index);
    const hashes = pack.hashes(size, 0, index) ?? [];
    const pruned = start < prunedEnd;
    const number = numberPath(index);
    const kept = pruned ? linesOf(pack.read(`kept/${number}.jsonl`), keptLine) : new Map();
    const leaves = pruned
      ? Array.from({ length: width }, (_, i) =>
          kept.has(start + i) ? Buffer.from(kept.get(start + i).leaf, 'hex') : undefined,
        )
      : splitBundle(pack.read(bundlePath(size, index)), width);
    if (leaves === undefined) problem(`entries ${start} to ${start + width - 1}: their bundle is missing or damaged`);
    const lines = linesOf(pack.read(`details/${number}.jsonl`), ({ seq, salt, detail }) =>
      JSON.stringify({ seq, salt, detail }),
    );
    for (let i = 0; i < width; i += 1) {
      const seq = start + i;
      const bytes = leaves?.[i];
      const leaf = bytes === undefined ? undefined : decodeLeaf(bytes);
      if (bytes !== undefined && (leaf?.seq !== seq || !hashes[i]?.equals(leafHash(bytes))))
        problem(`entry ${seq} was altered`);
      if (
        leaf !== undefined &&
        before?.seq === seq - 1 &&
        (!leaf.prev.equals(before.hash) || leaf.receivedUs < before.receivedUs)
      )
        problem(`entry ${seq} does not follow the one before`);
      before = leaf === undefined ? undefined : { seq, hash: leafHash(bytes), receivedUs: leaf.receivedUs };
      if (seq < first || seq > last) continue;
      const line = lines.get(seq);
      lines.delete(seq);
      if (line === undefined && leaves !== undefined && !lacking(seq)) problem(`entry ${seq}: its detail is missing`);
      if (line !== undefined) {
        details += 1;
        const preimage = [Buffer.from([2]), Buffer.from(line.salt, 'hex'), Buffer.from(line.detail)];
        if (leaf !== undefined && !sha256(...preimage).equals(leaf.commit))
          problem(`entry ${seq}: its detail was altered`);
      }
      take(seq, leaf, line && JSON.parse(line.detail));
    }
    for (const seq of lines.keys()) problem(`details/${number}.jsonl holds a line of entry ${seq}`);
  }
  if (details !== manifest.details) problem(`the manifest states ${manifest.details} details, there are ${details}`);
}

// ---- All together.

const canonical = (value) =>
  JSON.stringify(value, (_, member) =>
    member?.constructor === Object
      ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)))
      : member,
  );

function checkReport(report, manifest, checkpoint, key, recount) {
  const { origin, size, root } = checkpoint;
  const [first_received, last_received] = [0, 1].map((i) => iso(recount.times[i] ?? 0));
  const { first, last } = manifest;
  const facts = {
    ...recount.finish(report),
    log: { origin, verifier_key: key.text, size, root: root.toString('hex') },
  };
  facts.period = { ...report.period, first, last, first_received, last_received };
  for (const [name, value] of Object.entries(facts))
    if (canonical(value) !== canonical(report[name])) problem(`the report's "${name}" is not what the entries give`);
  return report.controls.reduce((sum, { shows }) => sum + shows.length, 0);
}

function leafAt(pack, { size, pruned_leaves_end: prunedEnd }, seq) {
  const index = Math.floor(seq / 256);
  if (seq >= prunedEnd) return splitBundle(pack.read(bundlePath(size, index)), widthOf(size, 0, index))?.[seq % 256];
  const line = linesOf(pack.read(`kept/${numberPath(index)}.jsonl`), keptLine).get(seq);
  return line && Buffer.from(line.leaf, 'hex');
}

function checkProofs(pack, manifest, { size, root }, note) {
  let proofs = 0;
  for (const name of pack.files.keys()) {
    const seq = Number(/^proofs\/(\d{1,15})\.tlog-proof$/.exec(name)?.[1] ?? -1);
    if (seq < 0) continue;
    const [head, index, ...lines] = pack.read(name).toString('utf8').split('\n');
    const end = lines.indexOf('');
    const proof = lines.slice(0, end).map(base64);
    const leaf = leafAt(pack, manifest, seq);
    const shape =
      head === 'c2sp.org/tlog-proof@v1' && index === `index ${seq}` && proof.every((hash) => hash?.length === 32);
    if (
      !shape ||
      lines.slice(end + 1).join('\n') !== note ||
      leaf === undefined ||
      !inclusionHolds(leaf, seq, size, root, proof)
    )
      problem(`${name} does not prove entry ${seq}`);
    proofs += 1;
  }
  return proofs;
}

function checkpointOf(note, key) {
  try {
    return openCheckpoint(note, key);
  } catch (error) {
    throw error instanceof Hopeless ? new Hopeless(`the checkpoint: ${error.message}`) : error;
  }
}

function verifyPack(place, keyText) {
  const pack = new Pack(openPack(place));
  const manifestText = pack.need('manifest.json').toString('utf8');
  const manifest = JSON.parse(manifestText);
  if (manifest.format !== 'sentinel-ledger-export/1' || `${JSON.stringify(manifest, null, 1)}\n` !== manifestText)
    throw new Hopeless('the manifest is damaged or of another format');
  const ownKey = pack.need('verifier-key').toString('utf8').replace(/\n$/, '');
  const key = followRotations(pack, parseKey(keyText ?? ownKey));
  if (key.text !== ownKey) problem('the verifier key in the pack is not the one given, nor one that it handed over to');
  const note = pack.need('checkpoint').toString('utf8');
  const checkpoint = checkpointOf(note, key);
  checkRotations(pack, checkpoint);
  if (manifest.size !== checkpoint.size || manifest.origin !== checkpoint.origin || manifest.last >= checkpoint.size)
    throw new Hopeless('the manifest speaks of another log or size than the checkpoint');
  checkTiles(pack, manifest, checkpoint.root);
  const report = pack.has('report.json') ? JSON.parse(pack.read('report.json').toString('utf8')) : undefined;
  const recount = new Recount(report?.controls ?? [], manifest.first);
  walkEntries(pack, manifest, (...entry) => recount.take(...entry));
  const proofs = checkProofs(pack, manifest, checkpoint, note);
  const figures = report === undefined ? 0 : checkReport(report, manifest, checkpoint, key, recount);
  if (recount.seals.agree !== recount.seals.inside || recount.seals.broken > 0)
    problem('seals do not agree with the entries');
  for (const [name, sum] of Object.entries(manifest.files))
    if (!pack.has(name) || sha256(pack.read(name)).toString('hex') !== sum)
      problem(`${name} is missing or not the file that the manifest lists`);
  for (const name of pack.files.keys()) if (!pack.used.has(name)) problem(`${name} does not belong to the pack`);
  return { manifest, checkpoint, recount, proofs, figures, report };
}

function main(argv) {
  const at = argv.indexOf('--key');
  const keyText = at < 0 ? undefined : argv[at + 1];
  const [place = path.dirname(fileURLToPath(import.meta.url)), ...more] =
    at < 0 ? argv : [...argv.slice(0, at), ...argv.slice(at + 2)];
  if (more.length > 0 || place.startsWith('--') || (at >= 0 && keyText === undefined)) {
    console.error('usage: node verify.mjs [PACK] [--key VERIFIER_KEY]');
    return 2;
  }
  let proven;
  try {
    proven = verifyPack(place, keyText);
  } catch (error) {
    problem(error instanceof Hopeless ? error.message : `the pack cannot be read: ${error.message}`);
  }
  if (problemCount > 0) {
    for (const each of problems) console.log(`  ${each}`);
    if (problemCount > problems.length) console.log(`  and ${problemCount - problems.length} more`);
    console.log(`NOT PROVEN: ${place} is not what it claims to be (${problemCount} found wrong).`);
    return 1;
  }
  console.log(sentence(proven, keyText !== undefined));
  return 0;
}

/** What was proven, and what was not. */
function sentence({ manifest, checkpoint, recount, proofs, figures, report }, keyGiven) {
  const { first, last } = manifest;
  const { total, details, gone, seals, pruned } = recount;
  const bySeals = Object.values(pruned).reduce((sum, n) => sum + n, 0);
  const proven = [
    `entries ${first} to ${last} are all there, in order, as ${checkpoint.origin} signed them at ${checkpoint.size} entries (${total - gone} leaves, ${details} details, ${proofs} single proofs, ${seals.agree} seals)`,
    ...(report === undefined ? [] : [`all ${figures} figures of report.json follow from them`]),
  ];
  const open = [
    keyGiven
      ? "that the key is the log's, which you vouch for"
      : 'WHO signed: the key came with the pack; give the one you were told with --key',
    ...(gone > 0
      ? [`what ${gone} pruned entries said: ${bySeals} are counted by seals alone, ${gone - bySeals} by nothing`]
      : []),
    ...(details < total - gone
      ? [`what the details of ${total - gone - details} entries said, which the log no longer has`]
      : []),
    ...(report === undefined
      ? []
      : ['the wording of the report, and report.pdf and report.csv beyond their checksums']),
    'that the log was told of everything that happened, nor anything before and after these entries',
  ];
  return `PROVEN: ${proven.join('; ')}. NOT PROVEN: ${open.join('; ')}.`;
}

process.exitCode = main(process.argv.slice(2));
