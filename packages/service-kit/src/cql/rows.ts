import { types } from 'cassandra-driver';

/** A number below 2^53 as the driver takes a bigint. */
export function long(value: number): types.Long {
  return types.Long.fromNumber(value);
}

/** Every row, of all pages. */
export async function allRows(rows: AsyncIterable<types.Row>): Promise<types.Row[]> {
  const all: types.Row[] = [];
  for await (const row of rows) all.push(row);
  return all;
}
