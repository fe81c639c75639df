/* The creator's page, as a creator uses it. */
import { assert, axe, facts, fits, http, large, leave, open, run, shot, until } from './walk.mjs';

const { secured } = facts;
const item = facts.items[0];
const creator = '500';

async function totalsLive() {
  const page = await open({ creator, size: [1200, 900] }, `#/studio/item/${item}`);
  const likes = () => page.locator('.stat dd').first().evaluate((at) => parseInt(at.firstChild.data, 10));

  page.expected.push(/404|Failed to load resource/); // a diagnosis, where the node has none
  await page.waitForSelector('.stat dd');
  const before = await likes();
  assert.equal(before, (await http('GET', `/v1/items/${item}/counts`)).counts.likes.raw);
  await http('PUT', `/v1/items/${item}/likes/77`);
  await until('the like is there', async () => (await likes()) === before + 1);
  await page.waitForSelector('.funnel li');
  const rows = await page.locator('.funnel li').count();
  assert.equal(rows, 8);
  const told = (await http('GET', `/v1/items/${item}/insight`)).steps.find((step) => step.step === 'view').raw;
  assert.ok((await page.locator('.funnel li').nth(1).textContent()).includes(String(told)));
  await leave(page);
}

/* What is saved is what is shown. */
async function tablesAreTakenAway() {
  const page = await open({ creator, size: [1200, 900] }, '#/studio');

  await page.waitForSelector('.tiles li');
  await page.locator('section:has(.funnel) summary').click();
  const [saved] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: /^CSV ?: All figures/  }).click()]);
  assert.equal(saved.suggestedFilename(), `creator-${creator}-steps.csv`);
  const text = await (await import('node:fs/promises')).readFile(await saved.path(), 'utf8');
  const figures = (await http('GET', `/v1/accounts/${creator}/insight`)).steps;
  const lines = text.trim().split('\r\n');
  assert.equal(lines[0], 'step,raw,valid,credited,rate');
  assert.equal(lines.length, figures.length + 1);
  assert.equal(lines[1], `${figures[0].step},${figures[0].raw},${figures[0].valid},${figures[0].credited},${figures[0].rate}`);
  await leave(page);
}

async function aDisavowalOpensACase() {
  const page = await open({ creator }, `#/studio/item/${item}`);

  page.expected.push(/404|Failed to load resource/);
  await page.getByRole('button', { name: 'I did not order these likes' }).click();
  await axe(page, 'disavow');
  await page.getByLabel('What do you see?').fill('thousands at night');
  await page.getByRole('button', { name: 'Ask people to look' }).click();
  await page.waitForSelector('.toast');
  await until('the case is there', async () => (await http('GET', `/v1/items/${item}/shield`)).cases.length === 1);
  await page.waitForFunction(() => document.body.textContent.includes('disavowal'));
  await leave(page);
}

async function everyPartForEverybody() {
  for (const wish of [
    { name: 'studio-zh-320-dark', lang: 'zh', size: [320, 640], dark: true, look: axe },
    { name: 'studio-zh', lang: 'zh', look: () => undefined },
    { name: 'studio-en-large', lang: 'en', elder: 22, size: [390, 844], look: axe },
    { name: 'studio-en-desktop', lang: 'en', size: [1280, 900], look: () => undefined },
  ]) {
    const page = await open({ account: '7', creator, ...wish }, '#/studio');
    page.expected.push(/404|Failed to load resource/);
    for (const [part, wait] of [
      ['#/studio', '.tiles li'],
      ['#/studio/audience', '.stats'],
      [`#/studio/item/${item}`, '.funnel li'],
    ]) {
      const name = `${wish.name}-${part.split('/')[2] ?? 'all'}`;
      await page.goto(page.at + part);
      await page.waitForSelector(wait);
      await page.waitForFunction(() => document.querySelector('.loading') === null);
      await fits(page, name);
      await wish.look(page, name);
      if (wish.elder) await large(page, name, ['button:not(.small)', '.pages a', '.tabs a']);
      await page.screenshot({ path: `${process.env.SHOTS}/${name}.png`, fullPage: true });
    }
    await leave(page);
  }
}

/* A creator with an assertion sees his own, and nothing of others. */
async function onlyHisOwn() {
  const page = await open({ port: secured.port, proof: secured.proofs.creator, size: [1200, 900] }, '#/studio');

  page.expected.push(/40[34]|Failed to load resource/);
  await page.waitForSelector('.stat dd');
  assert.match(await page.locator('h1').textContent(), /500/);
  await page.goto(`${page.at}#/studio/item/${secured.foreign}`);
  await page.waitForSelector('.refused');
  assert.equal(await page.locator('.stat').count(), 0);
  await page.goto(`${page.at}#/studio/item/${secured.own}`);
  await page.waitForSelector('.stat dd');
  await shot(page, 'studio-own');
  await leave(page);
}

await run({ totalsLive, tablesAreTakenAway, aDisavowalOpensACase, everyPartForEverybody, onlyHisOwn });
