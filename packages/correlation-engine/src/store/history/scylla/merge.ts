import type { HistoryRecord } from '../history-record.js';

/** Records of several sources, each newest first, as one. A device is at one node nearly always. */
export async function* mergeNewestFirst(sources: AsyncGenerator<HistoryRecord>[]): AsyncGenerator<HistoryRecord> {
  const heads = await Promise.all(sources.map(async (source) => ({ source, head: await source.next() })));
  try {
    for (;;) {
      const [newest] = heads
        .filter(({ head }) => head.done !== true)
        .toSorted((a, b) => (b.head.value as HistoryRecord).commitSeq - (a.head.value as HistoryRecord).commitSeq);
      if (newest === undefined) return;
      yield newest.head.value as HistoryRecord;
      newest.head = await newest.source.next();
    }
  } finally {
    await Promise.all(sources.map((source) => source.return(undefined)));
  }
}
