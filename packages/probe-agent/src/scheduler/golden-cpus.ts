/** Independent computations that must agree before a golden accuses anybody. */
const GOLDEN_COMPUTATIONS = 2;

/**
 * The logical CPUs that compute the golden of a run: two where there are two, not among those under test where others are free, and
 * different ones from run to run, so that the cost is shared and no pair can hide a common fault for long.
 */
export function goldenCpus(all: readonly number[], underTest: readonly number[], turn: number): number[] {
  const others = all.filter((cpu) => !underTest.includes(cpu));
  const start = others.length === 0 ? 0 : turn % others.length;
  const tested = all.filter((cpu) => underTest.includes(cpu));
  const shift = tested.length === 0 ? 0 : turn % tested.length;
  const order = [...others.slice(start), ...others.slice(0, start), ...tested.slice(shift), ...tested.slice(0, shift)];
  return order.slice(0, GOLDEN_COMPUTATIONS);
}
