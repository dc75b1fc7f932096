/** The name of a number of a wire enum, for logs and labels; the number itself where this release knows no name. */
export function nameOf(names: Readonly<Record<string, number>>, value: number): string {
  return Object.keys(names).find((name) => names[name] === value) ?? String(value);
}
