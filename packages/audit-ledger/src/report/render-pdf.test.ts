import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FRAMEWORKS } from './controls.js';
import { type Action, REPORT_FORMAT, type Report } from './model.js';
import { reportPdf } from './render-pdf.js';
import { Tally } from './tally.js';

const ACTION: Action = {
  seq: 1,
  time: '2026-11-20T08:00:00.000Z',
  event: 'approval_approved',
  gpu: 'GPU-1',
  node: 'n',
  injected: false,
  what: 'CONDEMN',
  actor: 'maria',
  proposed_by: 'jonas',
  persons: 'two persons',
  reason: 'because',
};

function reportOf(over: Partial<Report> = {}): Report {
  const { title, controls } = FRAMEWORKS.soc2;
  const at = '2026-11-20T08:00:00.000Z';
  return {
    format: REPORT_FORMAT,
    framework: 'soc2',
    definitions: 1,
    title,
    log: { origin: 'sentinel/test', verifier_key: 'sentinel/test+00+00', size: 2, root: '00'.repeat(32) },
    period: { from: '', to: '', first: 0, last: 1, first_received: at, last_received: at },
    ...new Tally(controls, 0).finish(0, 0),
    ...over,
  };
}

const pagesOf = (pdf: Buffer): number => pdf.toString('latin1').match(/\/Type \/Page\b(?!s)/g)?.length ?? 0;

describe('the report on paper', () => {
  it('is the same bytes for the same report', async () => {
    const pdf = await reportPdf(reportOf());
    assert.equal(pdf.toString('latin1', 0, 5), '%PDF-');
    assert.ok(pdf.equals(await reportPdf(reportOf())));
    assert.ok(!pdf.equals(await reportPdf(reportOf({ actions: [ACTION] }))));
  });

  it('runs over as many pages as it needs, and leaves none empty', async () => {
    const short = pagesOf(await reportPdf(reportOf()));
    const long = pagesOf(
      await reportPdf(reportOf({ actions: Array.from({ length: 200 }, (_, seq) => ({ ...ACTION, seq })) })),
    );
    assert.ok(short >= 3 && short <= 6, String(short));
    assert.ok(long >= short + 4 && long <= short + 9, String(long));
  });

  it('takes letters that its fonts lack, and words that fit no column', async () => {
    const action = { ...ACTION, actor: '山田', reason: 'x'.repeat(300), gpu: 'y'.repeat(255), what: 'a\u0000b\nc' };
    await assert.doesNotReject(reportPdf(reportOf({ actions: [action] })));
  });
});
