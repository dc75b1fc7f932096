import type pg from 'pg';

/** Key of the session-level advisory lock of the one engine that writes a database ("SENTINEL" as ASCII, truncated). */
export const WRITER_LOCK = 0x53454e54;

/** Takes the lock for as long as the connection lasts. @returns false while another connection holds it */
export async function tryLock(client: pg.Client): Promise<boolean> {
  const { rows } = await client.query<{ locked: boolean }>('select pg_try_advisory_lock($1) as locked', [WRITER_LOCK]);
  return rows[0]?.locked === true;
}
