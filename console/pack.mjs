/* pack.mjs DIST FILE: every file of DIST, gzip, as the C table that src/serve/site.h describes.
 *
 * Refuses what would not be served well: more than BUDGET bytes in all, a script or a style within the
 * page, an address of another origin in it. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

const BUDGET = 100 * 1024;
const TYPES = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
  json: 'application/json',
};

function fail(why) {
  console.error(`console: ${why}`);
  process.exit(1);
}

function files(folder, path) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory()
      ? files(join(folder, entry.name), `${path}${entry.name}/`)
      : [{ path: path + entry.name, bytes: readFileSync(join(folder, entry.name)) }],
  );
}

function checkPage(text) {
  if (/<style|\sstyle=|\son\w+=/.test(text)) fail('the page has a style or a handler within it');
  if (/<script(?![^>]*\ssrc=)/.test(text)) fail('the page has a script within it');
  if (/(src|href)="(https?:)?\/\//.test(text)) fail('the page names another origin');
}

const [dist, target] = process.argv.slice(2);
const all = files(dist, '/console/').sort((a, b) => (a.path < b.path ? -1 : 1));
const rows = [];
let size = 0;
let text = '/* Made by console/pack.mjs. */\n#include "cli/console.h"\n';
all.forEach(({ path, bytes }, index) => {
  const type = TYPES[path.split('.').pop()];
  if (!type) fail(`${path}: of a kind that is not served`);
  if (path.endsWith('.html')) checkPage(bytes.toString());
  const packed = gzipSync(bytes, { level: 9 });
  const etag = createHash('sha256').update(bytes).digest('hex').slice(0, 20);
  const forever = path.startsWith('/console/assets/');
  size += packed.length;
  text += `\nstatic const uint8_t file_${index}[] = {${packed.join(',')}};\n`.replace(/(.{96,100},)/g, '$1\n');
  rows.push(`    {"${path}", "${type}", "\\"${etag}\\"", ${forever}, sizeof file_${index}, file_${index}},`);
});
if (size > BUDGET) fail(`${size} bytes, packed; ${BUDGET} is the budget of docs/console.md`);
text += `\nstatic const struct site_file files[] = {\n${rows.join('\n')}\n};\n`;
text += `\nconst struct site console_site = {files, ${rows.length}};\n`;
writeFileSync(target, text);
console.log(`console: ${rows.length} files, ${size} bytes packed`);
