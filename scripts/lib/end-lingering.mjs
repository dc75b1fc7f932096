// Preloaded into test processes. One that has run its tests and lives on, for something that a failed test left open, would be waited for
// until the whole run is ended from outside: it is ended here, and fails.
import { isMainThread } from 'node:worker_threads';

/** Long enough for whatever ends by itself. */
const LINGER_MS = Number(process.env.SENTINEL_TEST_LINGER_MS ?? 60_000);

const isTestFile = process.env.NODE_TEST_CONTEXT !== undefined && /\.test\.m?js$/.test(process.argv[1] ?? '');
if (isTestFile && isMainThread) {
  const { after } = await import('node:test');
  after(() => void setTimeout(end, LINGER_MS).unref());
}

function end() {
  const open = process.getActiveResourcesInfo().join(', ');
  process.stderr.write(
    `${process.argv[1]} still runs ${LINGER_MS / 1000} s after its last test: a test left open ${open}\n`,
  );
  process.exit(1);
}
