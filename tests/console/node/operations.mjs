/* The page of who runs the node. */
import { assert, axe, facts, fits, http, large, leave, open, run, shot, until } from './walk.mjs';

const { secured } = facts;
const card = (page, title) => page.locator('.card', { has: page.locator('h2', { hasText: title }) });
const stat = (page, name) => page.locator('.stat', { has: page.locator('dt', { hasText: new RegExp(`^${name}$`) }) }).locator('dd');

async function figuresMove() {
  const page = await open({ account: '7', size: [1200, 900] }, '#/operations');
  const likes = async () =>
    Number((await page.locator('tr', { has: page.locator('code', { hasText: /^LIKE$/ }) }).locator('td').nth(2).textContent()).replaceAll(',', ''));

  await page.waitForSelector('.table');
  assert.match(await card(page, 'Modes').textContent(), /normal.*as it should be/);
  assert.match(await card(page, 'Self-audit').textContent(), /nothing wrong/);
  const before = await likes();
  await http('PUT', `/v1/items/${facts.items[0]}/likes/4711`);
  await until('the like is in the table', async () => (await likes()) === before + 1);
  await page.waitForSelector('figure.curve'); // three looks
  assert.match(await stat(page, '99 of 100 within').textContent(), /µs|ms|s/);
  assert.equal(await card(page, 'Readers of the log').locator('tbody tr').count(), 2);
  const waiting = page.waitForEvent('download');
  await page.locator('a[download]').click();
  assert.equal((await waiting).suggestedFilename(), 'zan-grafana.json');
  await axe(page, 'operations');
  await shot(page, 'operations');
  await leave(page);
}

/* In Chinese, dark, on the narrowest screen. */
async function inChineseOnASmallScreen() {
  const page = await open({ account: '7', lang: 'zh', dark: true, size: [320, 640] }, '#/operations');

  await page.waitForSelector('.table');
  await fits(page, 'operations-zh-320');
  await axe(page, 'operations-zh-320');
  await page.screenshot({ path: `${process.env.SHOTS}/operations-zh-320.png`, fullPage: true });
  await leave(page);
}

async function largeAndCalm() {
  const page = await open({ account: '7', elder: 30, size: [390, 844] }, '#/operations');

  await page.waitForSelector('.table');
  await fits(page, 'operations-large');
  await large(page, 'operations-large', ['.pages a']);
  await page.screenshot({ path: `${process.env.SHOTS}/operations-large.png`, fullPage: true });
  await leave(page);
}

async function onlyForWhoRunsIt() {
  const page = await open({ port: secured.port, proof: secured.proofs.administrator }, '#/operations');

  await page.waitForSelector('.table');
  assert.equal(await page.locator('a[href="/metrics"]').count(), 0, 'a link would carry no key');
  await leave(page);
  const user = await open({ port: secured.port, proof: secured.proofs.user }, '#/player');
  user.expected.push(/40[34]|Failed to load resource/);
  await user.waitForSelector('.pages a');
  assert.equal(await user.locator('a[href="#/operations"]').count(), 0);
  await leave(user);
}

await run({ figuresMove, inChineseOnASmallScreen, largeAndCalm, onlyForWhoRunsIt });
