/* walk.mjs: a browser for the tests. Whatever it complains about (an exception, a word on the console, a
 * violation of the content security policy, a file that is not there) is a failure. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { chromium } from 'playwright-core';

export { assert };
export const facts = JSON.parse(process.env.FACTS);
const axeSource = readFileSync(new URL('./node_modules/axe-core/axe.min.js', import.meta.url), 'utf8');

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM,
  args: ['--no-sandbox', '--disable-gpu', '--force-prefers-reduced-motion'],
});

let latest; // what to show of a failure

/* A fresh person: {port, size: [w, h], lang, dark, elder (size of text in px), account, creator, proof,
 * hint, touch}. reduced motion, so that nothing is looked at while it moves. */
export async function person(wish) {
  const context = await browser.newContext({
    viewport: { width: wish.size?.[0] ?? 390, height: wish.size?.[1] ?? 844 },
    locale: wish.lang === 'zh' ? 'zh-CN' : 'en-GB',
    timezoneId: 'Asia/Shanghai',
    colorScheme: wish.dark ? 'dark' : 'light',
    reducedMotion: 'reduce',
  });
  await context.addInitScript((state) => {
    const once = (store, name, value) => store.getItem(name) === null && store.setItem(name, value);
    for (const [name, value] of Object.entries(state.session)) if (value) once(sessionStorage, name, value);
    if (state.elder) once(localStorage, 'zan.settings', JSON.stringify({ elder: true, size: state.elder }));
    if (!state.hint) once(localStorage, 'zan.hint', 'seen');
  }, {
    session: { 'zan.account': wish.account, 'zan.creator': wish.creator, 'zan.proof': wish.proof },
    elder: wish.elder,
    hint: wish.hint,
  });
  const page = await context.newPage();
  latest = page;
  page.setDefaultTimeout(25000); // a busy machine
  page.complaints = [];
  page.expected = []; // forms of words that are allowed to come
  page.on('pageerror', (error) => page.complaints.push(`exception: ${error.message}`));
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') page.complaints.push(message.text());
  });
  page.at = `http://127.0.0.1:${wish.port ?? facts.port}/console/`;
  return page;
}

export async function open(wish, address = '') {
  const page = await person(wish);
  await page.goto(page.at + address);
  return page;
}

export const shot = (page, name) => page.screenshot({ path: `${process.env.SHOTS}/${name}.png` });

/* Every rule of axe for WCAG 2.2 AA and best practice. */
export async function axe(page, name) {
  await page.evaluate(axeSource);
  const found = await page.evaluate(() =>
    window.axe.run(document, { resultTypes: ['violations'], rules: { 'target-size': { enabled: true } } }),
  );
  const told = found.violations.map(
    (one) => `${one.id}: ${one.help}\n${one.nodes.slice(0, 4).map((node) => `    ${node.target.join(' ')}: ${node.failureSummary}`).join('\n')}`,
  );
  assert.equal(told.length, 0, `${name}: ${told.join('\n')}`);
}

/* Nothing is wider than the screen. */
export async function fits(page, name) {
  const [wide, room] = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
  assert.ok(wide <= room, `${name}: ${wide} px in ${room}`);
}

/* Text is 18 px at least, and what is pressed mainly 60 x 60, on the screen as it is. */
export async function large(page, name, targets) {
  const small = await page.evaluate(() => {
    const found = new Set();
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
      const at = walker.currentNode.parentElement;
      if (walker.currentNode.data.trim() === '' || !at.checkVisibility() || at.closest('.away')) continue;
      const style = getComputedStyle(at);
      if (parseFloat(style.fontSize) < 17.9) found.add(`${at.className || at.tagName} ${style.fontSize}`);
      else if (parseFloat(style.lineHeight) < parseFloat(style.fontSize) * 1.29) found.add(`${at.className || at.tagName} line ${style.lineHeight}`);
    }
    return [...found];
  });
  assert.deepEqual(small, [], `${name}: too small`);
  for (const target of targets) {
    for (const box of await page.locator(target).evaluateAll((all) => all.filter((one) => one.checkVisibility()).map((one) => one.getBoundingClientRect().toJSON())))
      assert.ok(box.width >= 59.5 && box.height >= 59.5, `${name}: ${target} is ${box.width} x ${box.height}`);
  }
}

/* What another caller does meanwhile. */
export async function http(method, path, body, port = facts.port) {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, {
    method,
    headers: body ? { 'content-type': 'application/json' } : {},
    body: body ? JSON.stringify(body) : undefined,
  });
  return response.json();
}

/* Until it is so. */
export async function until(what, ask) {
  for (let i = 0; i < 1000; i++) {
    if (await ask()) return;
    await new Promise((done) => setTimeout(done, 25));
  }
  assert.fail(`never so: ${what}`);
}

export async function leave(page) {
  const left = page.complaints.filter((one) => !page.expected.some((form) => form.test(one)));
  assert.deepEqual(left, []);
  await page.context().close();
}

/* Runs the steps in order, each told by name. */
export async function run(steps) {
  for (const [name, step] of Object.entries(steps)) {
    const began = performance.now();
    try {
      await step();
    } catch (error) {
      console.error(`FAILED: ${name}\n${error.stack}\ncomplaints: ${latest?.complaints.join('\n')}`);
      await shot(latest, `failed-${name}`).catch(() => undefined);
      await browser.close();
      process.exit(1);
    }
    console.log(`${name}: ${Math.round(performance.now() - began)} ms`);
  }
  await browser.close();
}
