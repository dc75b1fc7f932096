import { readFile } from 'node:fs/promises';

/** Of /proc: USER_HZ, which Linux fixes at 100 whatever the kernel's own clock. */
const MS_PER_TICK = 10;
/** Fields of /proc/PID/stat behind the program's name, which may hold blanks: user and system time. */
const [USER, SYSTEM] = [11, 12];

/** CPU time that a process has used so far, user and system, in steps of 10 ms; Linux. @throws where it has ended */
export async function processCpuMilliseconds(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return MS_PER_TICK * (Number(fields[USER]) + Number(fields[SYSTEM]));
}
