import { stripVTControlCharacters } from 'node:util';

const GAP = '  ';

export interface Column {
  readonly title: string;
  readonly align?: 'left' | 'right';
}

/** Plain columns, as wide as their widest cell; colour codes in cells do not count as width. */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const widths = columns.map((column, i) => Math.max(width(column.title), ...rows.map((row) => width(row[i] ?? ''))));
  const line = (cells: readonly string[]): string =>
    columns
      .map((column, i) => pad(cells[i] ?? '', widths[i] ?? 0, column.align ?? 'left'))
      .join(GAP)
      .trimEnd();
  return [line(columns.map((column) => column.title)), ...rows.map(line)].join('\n');
}

function width(cell: string): number {
  return stripVTControlCharacters(cell).length;
}

function pad(cell: string, size: number, align: 'left' | 'right'): string {
  const fill = ' '.repeat(Math.max(0, size - width(cell)));
  return align === 'right' ? fill + cell : cell + fill;
}
