import { types } from 'cassandra-driver';

/** A number below 2^53 as the driver takes a bigint. */
export function long(value: number): types.Long {
  return types.Long.fromNumber(value);
}

/** Every row, of all pages. */
export async function allRows<T>(rows: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const row of rows) all.push(row);
  return all;
}
