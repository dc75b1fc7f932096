// Evaluated before anything else is parsed, so this file and the entry points keep to syntax of Node 12.
if (Number(process.versions.node.split('.')[0]) < 18) {
  process.stderr.write(
    'sentinel: Node ' +
      process.versions.node +
      ' is too old to set SENTINEL up: install Node 18 or newer and run this again.\n',
  );
  process.exit(69);
}
