/** A log that grew over many days. */
import { randomBytes } from 'node:crypto';
import { type OpenLedger, type OpenLedgerOptions, openLedger } from '../open-ledger.js';
import { Keeper } from '../retention/keeper.js';
import type { Backend } from '../storage/backend.js';
import { Turns } from '../turns.js';
import { type VerifyOptions, type VerifyReport, verifyLog } from '../verify/verify-log.js';
import { draftOf, folderBackend, ledgerOptions, type openTestLedger, requestOf } from './ledgers.js';

export const DAY_US = 86_400e6;
export const FIRST_DAY_US = 1_700_000_000e6;

export class AgedLedger {
  /** Empty for a log in a cluster. */
  readonly folder: string;
  opened: OpenLedger;
  keeper: Keeper;
  /** Shared by keeper and whoever verifies. */
  readonly turns = new Turns();
  #day = 0;
  readonly #backend: Backend;
  readonly #options: OpenLedgerOptions;

  private constructor(backend: Backend, options: OpenLedgerOptions, opened: OpenLedger) {
    this.folder = backend.name === 'file' ? backend.place : '';
    this.#backend = backend;
    this.#options = options;
    this.opened = opened;
    this.keeper = this.#newKeeper();
  }

  /** In a folder, or wherever a backend keeps it. */
  static async open(
    place: string | Backend,
    { disk, segmentBytes, ...over }: NonNullable<Parameters<typeof openTestLedger>[1]> = {},
  ): Promise<AgedLedger> {
    let aged: AgedLedger | undefined;
    const backend = typeof place === 'string' ? folderBackend(place, { disk, segmentBytes }) : place;
    const nowUs = (): number => FIRST_DAY_US + (aged?.day ?? 0) * DAY_US;
    const options = { ...ledgerOptions(backend), nowUs, ...over };
    aged = new AgedLedger(backend, options, await openLedger(options));
    return aged;
  }

  get day(): number {
    return this.#day;
  }

  /** Logs `perDay` events on each of the days up to `day`, in commits of `perCommit`, and seals every day. */
  async grow(day: number, perDay: number, perCommit = perDay): Promise<void> {
    for (; this.#day < day; this.#day += 1) {
      for (let n = 0; n < perDay; n += perCommit) {
        const drafts = Array.from({ length: Math.min(perCommit, perDay - n) }, (_, i) => {
          const number = this.#day * perDay + n + i;
          return draftOf(number, { eventUs: FIRST_DAY_US + this.#day * DAY_US + n + i });
        });
        await this.opened.ledger.ingest(requestOf(drafts));
      }
      await this.seal();
    }
  }

  async seal(): Promise<void> {
    await this.opened.ledger.sealNow();
  }

  /** As after a crash, or after a stop: nothing but what is on the disk remains. */
  async reopen(): Promise<void> {
    await this.opened.close().catch(() => undefined);
    this.opened = await openLedger(this.#options);
    this.keeper = this.#newKeeper();
  }

  async verify(options: VerifyOptions = {}): Promise<VerifyReport> {
    const source = await this.#backend.openSource();
    return await verifyLog(source, this.#options.key.verifier, options).finally(() => source.close());
  }

  /** Prunes what was received before a day. */
  async prune(detailsDay: number, leavesDay?: number) {
    const us = (day: number): number => FIRST_DAY_US + day * DAY_US;
    const request = {
      detailsBeforeUs: us(detailsDay),
      leavesBeforeUs: leavesDay === undefined ? undefined : us(leavesDay),
    };
    const { token } = await this.keeper.plan(request);
    return await this.keeper.prune(request, token, 'tester');
  }

  #newKeeper(): Keeper {
    const { ledger, store } = this.opened;
    const nowUs = (): number => FIRST_DAY_US + this.#day * DAY_US;
    return new Keeper({ ledger, store, turns: this.turns, nowUs, randomBytes, pruned: () => undefined });
  }
}
