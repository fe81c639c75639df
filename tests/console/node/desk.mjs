/* Two people decide. */
import { assert, axe, facts, fits, large, leave, open, run, shot, until } from './walk.mjs';

const { proofs, item } = facts;
const ask = async (role, path) =>
  (await fetch(`http://127.0.0.1:${facts.port}${path}`, { headers: { authorization: `Bearer ${proofs[role]}` } })).json();
const totals = async () => (await ask('backend', `/v1/items/${item}/counts`)).counts.likes;
let number; // of the case

/* A step's button, its question, its reason. */
async function step(page, label, reason) {
  await page.getByRole('button', { name: label, exact: true }).first().click();
  await page.waitForSelector('dialog[open]');
  const go = page.locator('dialog').getByRole('button', { name: label, exact: true });
  assert.equal(await go.isDisabled(), true, 'without a reason nothing is done');
  await page.locator('dialog input').fill(reason);
  await go.click();
}

async function anOperatorOpensAndProposes() {
  const page = await open({ proof: proofs.operator, size: [1200, 900] }, '#/desk');

  await page.waitForSelector('.empty');
  await page.getByLabel('Its number').fill(item);
  await page.getByLabel('Reason').fill('Likes that came within one minute');
  await page.getByRole('button', { name: 'Open it' }).click();
  await page.waitForSelector('.legend');
  number = /case\/(\d+)/.exec(page.url())[1];
  assert.match(await page.locator('.legend').textContent(), /Counted 12/);
  assert.equal(await page.locator('tbody tr').count(), 12);
  await page.getByLabel('Decision').selectOption('void');
  await step(page, 'Propose', 'They were bought');
  await page.waitForSelector('text=Who proposed it may not approve it.');
  assert.equal((await totals()).valid, 12, 'a proposal changes nothing');
  assert.equal(await page.getByRole('button', { name: 'Approve' }).count(), 0, 'it is not his to approve');
  await axe(page, 'desk-case');
  await shot(page, 'desk-proposed');
  await leave(page);
}

async function anApproverDecides() {
  const page = await open({ proof: proofs.approver, size: [390, 844] }, '#/desk');

  await page.getByRole('radio', { name: 'Waits for a second person' }).check();
  await page.getByRole('link', { name: `Case ${number}` }).click();
  await page.waitForSelector('text=They were bought');
  await fits(page, 'desk-case-phone');
  await step(page, 'Approve', 'I looked at them: agreed');
  await until('the likes are voided', async () => (await totals()).valid === 0);
  assert.equal((await totals()).raw, 12, 'the raw total stays');
  await page.reload();
  await until('the page says so', async () => /Voided 12/.test(await page.locator('.legend').textContent()));
  await axe(page, 'desk-decided');
  await page.screenshot({ path: `${process.env.SHOTS}/desk-decided.png`, fullPage: true });
  await leave(page);
}

async function whatWasDecidedIsGivenBack() {
  const one = await open({ proof: proofs.operator, size: [1200, 900] }, `#/desk/case/${number}`);

  await one.getByLabel('Decision').selectOption('restore');
  await step(one, 'Propose', 'They were honest after all');
  await one.waitForSelector('text=Who proposed it may not approve it.');
  await leave(one);
  const other = await open({ proof: proofs.approver, size: [1200, 900] }, `#/desk/case/${number}`);
  await step(other, 'Approve', 'Yes');
  await until('they count again', async () => (await totals()).valid === 12);
  await leave(other);
}

async function rulesChangeByTwo() {
  const page = await open({ proof: proofs.operator, size: [1200, 900] }, '#/desk/rules');

  await page.waitForSelector('tbody tr');
  await page.getByRole('button', { name: 'Begin with those in force' }).click();
  await until('the text is there', async () => (await page.getByLabel('Rules', { exact: true }).inputValue()).length > 200);
  await page.getByLabel('Rules', { exact: true }).fill('count(like, account, 24h) > 5 thn refuse');
  await page.getByLabel('Reason').fill('a try');
  page.expected.push(/4\d\d|Failed to load resource/);
  await page.locator('form').getByRole('button', { name: 'Propose', exact: true }).click();
  await page.waitForSelector('.refused');
  assert.match(await page.locator('.refused').textContent(), /line 1|1:/, 'where it is wrong');
  await page.getByLabel('Rules', { exact: true }).fill('douyin');
  await page.locator('form').getByRole('button', { name: 'Propose', exact: true }).click();
  await page.waitForSelector('text=Version 2 is proposed: douyin');
  await step(page, 'Run in shadow', 'for a day');
  await page.waitForSelector('text=Acts looked at');
  await axe(page, 'desk-rules');
  await page.screenshot({ path: `${process.env.SHOTS}/desk-rules.png`, fullPage: true });
  await leave(page);
  const other = await open({ proof: proofs.approver, size: [1200, 900] }, '#/desk/rules');
  await other.waitForSelector('text=Version 2 is proposed: douyin');
  await step(other, 'Approve', 'agreed');
  await other.waitForSelector('text=version 2: douyin');
  assert.equal((await ask('auditor', '/v1/policies/active')).name, 'douyin');
  await leave(other);
}

async function everyScreen() {
  for (const wish of [
    { name: 'desk-zh-320-dark', lang: 'zh', dark: true, size: [320, 640] },
    { name: 'desk-en-large', lang: 'en', elder: 30, size: [390, 844] },
  ]) {
    for (const part of ['#/desk', `#/desk/case/${number}`, '#/desk/rules']) {
      const page = await open({ proof: proofs.operator, ...wish }, part);
      const name = `${wish.name}-${part.split('/')[2] ?? 'queue'}`;

      await page.waitForSelector('.card h2');
      await page.waitForFunction(() => document.querySelector('.loading') === null);
      await fits(page, name);
      await axe(page, name);
      if (wish.elder) await large(page, name, ['button:not(.small)', '.tabs a']);
      await page.screenshot({ path: `${process.env.SHOTS}/${name}.png`, fullPage: true });
      await leave(page);
    }
  }
}

await run({ anOperatorOpensAndProposes, anApproverDecides, whatWasDecidedIsGivenBack, rulesChangeByTwo, everyScreen });
