import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { onPath } from '../on-path.js';
import { FILES } from './install.js';

const JAVA_MAJOR = 17;

/** What Cassandra 5 asks of a JVM 17, as its own jvm17-server.options do. */
const OPENED = [
  ...[
    'io',
    'lang',
    'lang.module',
    'lang.reflect',
    'net',
    'nio',
    'util',
    'util.concurrent',
    'util.concurrent.atomic',
  ].map((name) => `java.base/java.${name}`),
  ...['loader', 'ref', 'reflect', 'math', 'module', 'util.jar'].map((name) => `java.base/jdk.internal.${name}`),
  'java.base/sun.nio.ch',
  'java.rmi/sun.rmi.transport.tcp',
  'java.rmi/sun.rmi.registry',
  'java.rmi/sun.rmi.server',
  'java.sql/java.sql',
  'jdk.management.jfr/jdk.management.jfr',
  'jdk.management/com.sun.management.internal',
];
const EXPORTED = [
  'java.base/jdk.internal.misc',
  'java.base/jdk.internal.ref',
  'java.base/sun.nio.ch',
  'java.management.rmi/com.sun.jmx.remote.internal.rmi',
  'java.rmi/sun.rmi.registry',
  'java.rmi/sun.rmi.server',
  'java.sql/java.sql',
  'jdk.unsupported/sun.misc',
  'jdk.attach/sun.tools.attach',
  'jdk.compiler/com.sun.tools.javac.file',
  'jdk.naming.dns/com.sun.jndi.dns',
  'java.naming/com.sun.naming.internal',
];

/** For the server and for its nodetool. */
export const ACCESS: readonly string[] = [
  ...OPENED.map((name) => `--add-opens=${name}=ALL-UNNAMED`),
  ...EXPORTED.map((name) => `--add-exports=${name}=ALL-UNNAMED`),
];

/** The program. @throws Error that says what to install */
export function java17(): string {
  const java = onPath('java');
  if (java === null)
    throw new Error('there is no Java on the PATH: install it ("apt-get install openjdk-17-jre-headless")');
  const { stderr } = spawnSync(java, ['-version'], { encoding: 'utf8' });
  const major = Number(/version "(\d+)/.exec(stderr)?.[1] ?? 0);
  if (major !== JAVA_MAJOR) throw new Error(`${java} is Java ${major}, and Cassandra 5 needs ${JAVA_MAJOR}`);
  return java;
}

/** For a server that is never killed and started again: a change of the schema takes a tenth of the time, and warming up less of it. */
export const FLEETING: readonly string[] = ['-Dcassandra.unsafesystem=true', '-XX:TieredStopAtLevel=1'];

export function jvmOptions(config: string, data: string, jmxPort: number): string[] {
  return [
    '-Xms512m',
    '-Xmx768m',
    '-XX:+UseSerialGC',
    '-XX:+ExitOnOutOfMemoryError',
    ...ACCESS,
    '-Djdk.attach.allowAttachSelf=true',
    `-Dcassandra.config=file://${config}`,
    `-Dcassandra.storagedir=${data}`,
    `-Dlogback.configurationFile=${join(FILES, 'logback.xml')}`,
    '-Dcassandra.skip_wait_for_gossip_to_settle=0',
    '-Dcassandra.ring_delay_ms=0',
    '-Dcassandra.initial_token=0',
    '-Dcassandra-foreground=yes',
    `-Dcassandra.jmx.local.port=${jmxPort}`,
  ];
}
