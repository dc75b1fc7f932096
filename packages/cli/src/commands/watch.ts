import { setTimeout as sleep } from 'node:timers/promises';
import { stripVTControlCharacters } from 'node:util';
import { GpuState } from '@sentinel/contracts/sentinel/v1/common.js';
import type { GpuHealth } from '@sentinel/contracts/sentinel/v1/health.js';
import { Backoff } from '@sentinel/service-kit/backoff';
import { EXIT } from '@sentinel/service-kit/errors';
import type { EngineClient } from '../client.js';
import type { Context } from '../context.js';
import { ConfigurationError, failureOf } from '../failure.js';
import { jsonText } from '../json.js';
import type { ServerEvent } from '../live/event-parser.js';
import { liveUpdates, NoLiveUpdatesError } from '../live/event-source.js';
import { changes, type Line, line, liveUpdate, paint, plural, shortIds } from '../views/index.js';

/** Between two looks at an engine without live updates. */
const POLL_MS = 2_000;
/** Such an engine is asked for live updates again after this time: it may have been upgraded. */
const ASK_AGAIN_MS = 30_000;
const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 5_000;
/** A larger fleet is shown at first by the devices that need somebody. */
const SHOWN = 20;

const INSTEAD = `the fleet is looked at every ${POLL_MS / 1000} s`;
const OLDER = `${INSTEAD}: this engine has no live updates, its release is older`;

/**
 * Prints what happens until Ctrl-C: states, incidents and directives as the engine tells them, each once it is committed; counts,
 * connections and the progress of tests every `intervalMs`. After an interruption the engine tells what happened meanwhile. An engine
 * that goes away later is waited for; one that is not there at first is an error.
 */
export async function watch(context: Context, intervalMs: number): Promise<number> {
  const watcher = new Watcher(context, intervalMs);
  while (!context.signal.aborted) await watcher.turn();
  return EXIT.ok;
}

class Watcher {
  readonly #context: Context;
  readonly #engine: EngineClient;
  readonly #intervalMs: number;
  readonly #backoff = new Backoff({ firstMs: FIRST_RETRY_MS, lastMs: LAST_RETRY_MS });
  readonly #known = new Map<string, GpuHealth>();
  #short: ReadonlyMap<string, string> = new Map();
  #looked = false;
  #following = false;
  #looking: Promise<void> | null = null;
  /** '' = no event was seen that one could go on from. */
  #lastEventId = '';
  /** Newest sentence about what does not work; '' = all does. */
  #trouble = '';

  constructor(context: Context, intervalMs: number) {
    this.#context = context;
    this.#engine = context.engine();
    this.#intervalMs = intervalMs;
  }

  /** Follows the engine's live updates until they end, and then does without them for a while. */
  async turn(): Promise<void> {
    const looks = setInterval(() => void this.#lookAside(), this.#intervalMs);
    try {
      await this.#follow();
    } catch (error) {
      clearInterval(looks);
      this.#following = false;
      await this.#looking;
      if (this.#context.signal.aborted) return;
      if (error instanceof ConfigurationError) throw error;
      if (error instanceof NoLiveUpdatesError) await this.#poll(OLDER);
      else if (this.#lastEventId === '') await this.#poll(`${INSTEAD}: ${failureOf(error).sentence}`);
      else await this.#wait(failureOf(error).sentence);
    } finally {
      clearInterval(looks);
    }
  }

  async #follow(): Promise<void> {
    const { endpoints, signal } = this.#context;
    const { engine, tls = null } = endpoints;
    for await (const event of liveUpdates({ address: engine.http, tls, lastEventId: this.#lastEventId, signal })) {
      this.#following = true;
      if (event === null) this.#isBack();
      else await this.#take(event);
    }
  }

  async #take({ id, event, data }: ServerEvent): Promise<void> {
    if (event === 'reset') this.#remark('yellow', 'not all of what happened meanwhile is known one by one');
    if (event === 'start' || event === 'reset') {
      await this.#looking;
      await this.#look(true);
    }
    const told = liveUpdate(event, data);
    if (told !== null) this.#say(told, { event, data });
    if (event === 'state') this.#moved(told?.gpu ?? '', String(data['to']));
    // Only now: what was not printed is told again.
    if (id !== '') this.#lastEventId = id;
  }

  /** Somebody has said it: the next look need not. */
  #moved(gpu: string, to: string): void {
    const device = this.#known.get(gpu);
    const state = GpuState[to as keyof typeof GpuState];
    if (device !== undefined && state !== undefined) this.#known.set(gpu, { ...device, state });
  }

  /** At what no event tells. Whether it succeeds says nothing about the live updates. */
  async #lookAside(): Promise<void> {
    if (!this.#looked || this.#looking !== null) return;
    this.#looking = this.#look(false).then(
      () => (this.#following ? this.#isBack() : undefined),
      (error: unknown) => (this.#following ? this.#isAway(failureOf(error).sentence) : undefined),
    );
    await this.#looking;
    this.#looking = null;
  }

  /** @param transitions whether nobody else says which states changed */
  async #look(transitions: boolean): Promise<void> {
    const { gpus } = await this.#engine.fleet();
    const shown = this.#looked || gpus.length <= SHOWN ? gpus : gpus.filter(needsSomebody).slice(0, SHOWN);
    this.#short = shortIds(gpus.map(({ gpu }) => gpu));
    for (const { gpu, text } of changes(this.#known, shown, transitions)) this.#say(this.#now(gpu, text));
    if (shown.length < gpus.length)
      this.#say(this.#now('', `and ${plural(gpus.length - shown.length, 'more device')}: npx sentinel gpus list`));
    this.#known.clear();
    for (const gpu of gpus) this.#known.set(gpu.gpu, gpu);
    this.#looked = true;
  }

  /** Looks at the fleet for a while, as there are no live updates. */
  async #poll(why: string): Promise<void> {
    this.#lastEventId = '';
    const until = performance.now() + ASK_AGAIN_MS;
    while (!this.#context.signal.aborted && performance.now() < until) {
      try {
        await this.#look(true);
        if (this.#trouble !== why && this.#trouble !== '') this.#isBack();
        this.#isAway(why);
      } catch (error) {
        if (!this.#looked) throw error;
        this.#isAway(failureOf(error).sentence);
      }
      await this.#sleep(POLL_MS);
    }
  }

  async #wait(why: string): Promise<void> {
    this.#isAway(`what happens from here on is told afterwards: ${why}`);
    await this.#sleep(this.#backoff.nextMs());
  }

  #isAway(sentence: string): void {
    if (this.#trouble !== sentence) this.#remark('yellow', sentence);
    this.#trouble = sentence;
  }

  #isBack(): void {
    if (this.#trouble !== '') this.#remark('green', 'the engine answers again');
    this.#trouble = '';
    this.#backoff.reset();
  }

  #remark(style: 'yellow' | 'green', sentence: string): void {
    this.#say(this.#now('', paint(style, sentence)));
  }

  #now(gpu: string, text: string): Line {
    return { timeUs: this.#context.nowUs(), gpu, text };
  }

  /** JSON: one object on a line, `gpu` empty for the engine itself. */
  #say(said: Line, { event, data }: { event: string | null; data: unknown } = { event: null, data: null }): void {
    const { json, stdout } = this.#context;
    const text = stripVTControlCharacters(said.text);
    const object = { timeUs: Number(said.timeUs), gpu: said.gpu, text, event, data };
    stdout.write(`${json ? jsonText(object) : line(this.#fit(said), stdout.columns)}\n`);
  }

  /** A person at a terminal gets as much of an id as the commands need. */
  #fit(said: Line): Line {
    const { columns } = this.#context.stdout;
    return columns === undefined ? said : { ...said, gpu: this.#short.get(said.gpu) ?? said.gpu };
  }

  async #sleep(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#context.signal }).catch(() => undefined);
  }
}

function needsSomebody(gpu: GpuHealth): boolean {
  return gpu.state !== GpuState.HEALTHY || !gpu.connected || gpu.injected || gpu.wouldBe !== GpuState.UNSPECIFIED;
}
