/**
 * Statements of a step that an engine of the version before might not survive. Allowed are new tables with what is in them, indexes,
 * columns that may be left out, and values in columns that the step itself has added.
 */
export function narrowing(statements: readonly string[]): string[] {
  const made: Made = { tables: new Set(), columns: new Set() };
  return statements.map(plain).filter((statement) => !adds(statement, made));
}

interface Made {
  readonly tables: Set<string>;
  /** `table.column` */
  readonly columns: Set<string>;
}

const plain = (statement: string): string => statement.trim().replace(/\s+/g, ' ').toLowerCase();

function adds(statement: string, made: Made): boolean {
  const table = /^create table (\w+)/.exec(statement)?.[1];
  if (table !== undefined) return made.tables.add(table).has(table);
  const target = /^(?:create unique index \w+ on|insert into) (\w+)/.exec(statement)?.[1];
  if (target !== undefined) return made.tables.has(target);
  if (/^create index \w+ on \w+/.test(statement)) return true;
  const altered = /^alter table (\w+) (.*)$/.exec(statement);
  if (altered !== null) return addsColumns(altered[1] ?? '', altered[2] ?? '', made);
  const filled = /^update (\w+)(?: \w+)? set (\w+) =/.exec(statement);
  return filled !== null && made.columns.has(`${filled[1]}.${filled[2]}`);
}

function addsColumns(table: string, actions: string, made: Made): boolean {
  return actions.split(/, (?=add|drop|alter|rename)/).every((action) => {
    const column = /^add column (\w+) (.*)$/.exec(action);
    if (column === null) return false;
    made.columns.add(`${table}.${column[1]}`);
    const rules = column[2] ?? '';
    return (
      !/\b(unique|primary|check|references)\b/.test(rules) && (!rules.includes('not null') || rules.includes('default'))
    );
  });
}
