import pg from 'pg';

/** Tables in the schema that a connection works in, each with its columns, indexes and rules, in words that can be compared. */
export async function describeSchema(url: string): Promise<Record<string, string[]>> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<{ name: string; line: string }>(`
      select table_name as name, format('column %s %s %s default %s', column_name, udt_name, is_nullable, column_default) as line
        from information_schema.columns where table_schema = current_schema()
      union all select tablename, indexdef from pg_indexes where schemaname = current_schema()
      union all select relname, pg_get_constraintdef(c.oid) from pg_constraint c join pg_class on pg_class.oid = conrelid
        where connamespace = current_schema()::regnamespace
      order by 1, 2`);
    // The migrator's own tables stay when every step is taken back.
    const ours = rows.filter(({ name }) => !name.startsWith('kysely_'));
    const tables = new Set(ours.map(({ name }) => name));
    const linesOf = (table: string): string[] => ours.filter(({ name }) => name === table).map(({ line }) => line);
    return Object.fromEntries([...tables].map((table) => [table, linesOf(table)]));
  } finally {
    await client.end();
  }
}
