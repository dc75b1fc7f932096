/** From entries that are copied to a report of them. */

import type { CopiedEntry } from '../export/export-log.js';
import type { SeqRange } from '../export/layout.js';
import { instantsOf, type Period } from '../export/period.js';
import { decodeLeaf, type Leaf, MalformedLeafError } from '../leaf/leaf.js';
import type { Checkpoint } from '../note/checkpoint.js';
import { DEFINITIONS_VERSION, FRAMEWORKS } from './controls.js';
import { type Framework, REPORT_FORMAT, type Report } from './model.js';
import { Tally } from './tally.js';
import { type Detail, isoOf } from './values.js';

export class ReportBuilder {
  readonly #framework: Framework;
  readonly #tally: Tally;
  #firstUs: number | undefined;
  #lastUs = 0;

  constructor(framework: Framework, range: SeqRange) {
    this.#framework = framework;
    this.#tally = new Tally(FRAMEWORKS[framework].controls, range.first);
  }

  add({ seq, leaf: bytes, opening }: CopiedEntry): void {
    const leaf = leafOf(bytes);
    if (leaf !== undefined) {
      this.#firstUs ??= leaf.receivedUs;
      this.#lastUs = leaf.receivedUs;
    }
    this.#tally.add({ seq, leaf, detail: opening && detailOf(opening.detail) });
  }

  finish(checkpoint: Checkpoint, verifierKey: string, period: Period, { first, last }: SeqRange): Report {
    const { origin, size, root } = checkpoint;
    const firstUs = this.#firstUs ?? 0;
    return {
      format: REPORT_FORMAT,
      framework: this.#framework,
      definitions: DEFINITIONS_VERSION,
      title: FRAMEWORKS[this.#framework].title,
      log: { origin, verifier_key: verifierKey, size, root: Buffer.from(root).toString('hex') },
      period: {
        ...instantsOf(period),
        first,
        last,
        first_received: isoOf(firstUs),
        last_received: isoOf(this.#lastUs),
      },
      ...this.#tally.finish(firstUs, this.#lastUs),
    };
  }
}

function leafOf(bytes: Uint8Array | undefined): Leaf | undefined {
  try {
    return bytes === undefined ? undefined : decodeLeaf(bytes);
  } catch (error) {
    if (error instanceof MalformedLeafError) return undefined;
    throw error;
  }
}

/** What a detail says; one that was altered is found by whoever verifies the copy. */
function detailOf(bytes: Uint8Array): Detail | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'));
    return typeof value === 'object' && value !== null ? (value as Detail) : undefined;
  } catch {
    return undefined;
  }
}
