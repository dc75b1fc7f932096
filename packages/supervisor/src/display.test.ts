import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { Display } from './display.js';
import { processSample, snapshotSample } from './testing/samples.js';

class Screen {
  readonly isTTY: boolean;
  readonly rows: number;
  readonly columns = 80;
  text = '';

  constructor(isTTY: boolean, rows = 24) {
    this.isTTY = isTTY;
    this.rows = rows;
  }

  write(text: string): void {
    this.text += text;
  }

  /** What was written since the last call, without colours. */
  take(): string {
    const { text } = this;
    this.text = '';
    return text;
  }
}

test('without a terminal: a line for each change, none without one', () => {
  const screen = new Screen(false);
  const display = new Display(screen);
  display.show(snapshotSample());
  assert.equal(
    stripVTControlCharacters(screen.take()),
    '12:00:00Z  CPU-0558648a HEALTHY: no mismatch\n12:00:00Z  engine ready (pid 12)\n',
  );
  display.show(snapshotSample());
  assert.equal(screen.take(), '');
});

test('on a terminal: the status is drawn over itself, news and what is said stay above it', () => {
  const screen = new Screen(true);
  const display = new Display(screen);
  display.show(snapshotSample());
  const first = screen.take();
  const height = first.slice(first.indexOf('\x1b[?7l')).split('\n').length - 1;
  display.show(snapshotSample());
  assert.ok(screen.take().startsWith(`\x1b[${height}A\r\x1b[J`));
  display.say('Note');
  assert.equal(screen.take(), `\x1b[${height}A\r\x1b[JNote\n`);
  display.say('More');
  assert.equal(screen.take(), 'More\n');
});

test('a status higher than the terminal is cut, since what scrolled away cannot be redrawn', () => {
  const screen = new Screen(true, 6);
  const processes = Array.from({ length: 20 }, (_, i) => processSample({ name: `s${i}` }));
  new Display(screen).show(snapshotSample({ processes, fleet: null }));
  const lines = stripVTControlCharacters(screen.take()).trimEnd().split('\n');
  assert.equal(lines.length, 5);
  assert.equal(lines.at(-1), '… and 17 more lines: npx sentinel gpus list shows all');
});
