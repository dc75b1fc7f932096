/** For a process that is started with it: a timer of a minute or longer is a thousand times as fast, so that what a ledger does every few hours is seen. */
const LONG_MS = 60_000;
const FASTER = 1_000;

const hurried = (ms: number | undefined): number | undefined => (ms !== undefined && ms >= LONG_MS ? ms / FASTER : ms);
const { setTimeout: once, setInterval: again } = globalThis;

globalThis.setTimeout = Object.assign(
  (work: () => void, ms?: number, ...rest: []) => once(work, hurried(ms), ...rest),
  once,
);
globalThis.setInterval = ((work: () => void, ms?: number, ...rest: []) =>
  again(work, hurried(ms), ...rest)) as typeof setInterval;
