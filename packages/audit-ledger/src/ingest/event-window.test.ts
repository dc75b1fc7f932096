import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import { EventWindow, GENERATIONS } from './event-window.js';
import { MAX_PRODUCERS, ProducerMarks } from './producers.js';

describe('event window', () => {
  it('knows at least the newest generations but one, through growth', () => {
    const limit = 5000;
    const window = new EventWindow(limit);
    const ids = Array.from({ length: limit * 6 }, () => randomBytes(16));
    ids.forEach((id, seq) => window.add(id, seq));
    const kept = limit * (GENERATIONS - 1);
    ids.forEach((id, seq) => {
      if (seq >= ids.length - kept) assert.ok(window.candidates(id).includes(seq), `seq ${seq}`);
    });
    assert.deepEqual(window.candidates(ids[0] ?? Buffer.alloc(16)), []);
  });

  it('gives every entry whose id begins alike, seq 0 included', () => {
    const window = new EventWindow();
    const id = Buffer.alloc(16, 7);
    const twin = Buffer.from(id);
    twin[8] = 1;
    window.add(id, 0);
    window.add(twin, 1);
    assert.deepEqual(window.candidates(id).sort(), [0, 1]);
    assert.deepEqual(window.candidates(Buffer.alloc(16, 8)), []);
  });
});

describe('producer marks', () => {
  const mark = (producer: string, epoch: number, sequence: number) => ({ producer, epoch, sequence });

  const marksOf = (...raised: ReturnType<typeof mark>[]): ProducerMarks => {
    const marks = new ProducerMarks();
    for (const each of raised) marks.raise(each);
    return marks;
  };

  it('reach up to the newest number, and over every earlier epoch', () => {
    const marks = marksOf(mark('a', 2, 10));
    assert.equal(marks.upTo('a', 2), 10);
    assert.equal(marks.upTo('a', 1), Number.POSITIVE_INFINITY);
    assert.equal(marks.upTo('a', 3), -1);
    assert.equal(marks.upTo('b', 1), -1);
  });

  it('never fall', () => {
    const marks = marksOf(mark('a', 2, 10), mark('a', 2, 5), mark('a', 1, 50));
    assert.deepEqual(marks.list(), [mark('a', 2, 10)]);
    marks.raise(mark('a', 3, 1));
    assert.deepEqual(marks.list(), [mark('a', 3, 1)]);
  });

  it('stay as they are when a copy is raised', () => {
    const marks = marksOf(mark('a', 2, 10));
    marks.copy().raise(mark('a', 2, 11));
    assert.equal(marks.upTo('a', 2), 10);
  });

  it('forget the producer unheard of for longest', () => {
    const marks = marksOf(...Array.from({ length: MAX_PRODUCERS }, (_, i) => mark(`p${i}`, 1, 1)));
    marks.raise(mark('p0', 1, 2));
    marks.raise(mark('new', 1, 1));
    assert.equal(marks.list().length, MAX_PRODUCERS);
    assert.equal(marks.upTo('p0', 1), 2);
    assert.equal(marks.upTo('p1', 1), -1);
  });
});
