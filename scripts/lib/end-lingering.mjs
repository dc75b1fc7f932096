// Preloaded into test processes. One that has run its tests and lives on, for something that a failed test left open, would be waited for
// until the whole run is ended from outside: it is ended here, and fails.

/** Long enough for whatever ends by itself, and for what tests end behind them on a busy machine. */
const LINGER_MS = Number(process.env.SENTINEL_TEST_LINGER_MS ?? 180_000);

const isTestFile = process.env.NODE_TEST_CONTEXT !== undefined && /\.test\.m?js$/.test(process.argv[1] ?? '');
// Nothing is loaded into the processes that tests start, whose memory some of them measure.
if (isTestFile) {
  const [{ isMainThread }, { after }] = await Promise.all([import('node:worker_threads'), import('node:test')]);
  if (isMainThread) after(() => void setTimeout(end, LINGER_MS).unref());
}

function end() {
  const open = process.getActiveResourcesInfo().join(', ');
  process.stderr.write(
    `${process.argv[1]} still runs ${LINGER_MS / 1000} s after its last test: a test left open ${open}\n`,
  );
  process.exit(1);
}
