/** Independent computations that must agree before a golden accuses anybody: two where there are two CPUs. */
export type GoldenCpus = [number, number] | [number];

/**
 * The logical CPUs that compute the golden of a run: two where there are two, not among those under test where others are free, and
 * different ones from run to run, so that the cost is shared and no pair can hide a common fault for long.
 */
export function goldenCpus(all: readonly number[], underTest: readonly number[], turn: number): GoldenCpus {
  const others = all.filter((cpu) => !underTest.includes(cpu));
  const start = others.length === 0 ? 0 : turn % others.length;
  const tested = all.filter((cpu) => underTest.includes(cpu));
  const shift = tested.length === 0 ? 0 : turn % tested.length;
  const order = [...others.slice(start), ...others.slice(0, start), ...tested.slice(shift), ...tested.slice(0, shift)];
  const [first, second] = order;
  if (first === undefined) throw new RangeError('there is no logical CPU to compute a golden');
  return second === undefined ? [first] : [first, second];
}
