/* The viewer's page, as a viewer uses it. */
import { assert, axe, facts, fits, http, large, leave, open, run, shot, until } from './walk.mjs';

const { secured } = facts;
const me = '7';
const liked = async (item, account = me) => (await http('GET', `/v1/items/${item}/likes/${account}`)).on;
/* The clip on the screen. */
const here = async (page) => {
  await page.waitForSelector('.clip .progress', { state: 'attached' });
  return page.locator('.clip:has(.progress)').getAttribute('data-item');
};
const likeOf = (page, item) => page.locator(`.clip[data-item="${item}"] .like`);
const pressed = (page, item, on) => page.waitForSelector(`.clip[data-item="${item}"] .like[aria-pressed="${on}"]:not(.pending)`);

async function aLikeShowsAtOnceAndIsMarkedUntilDurable() {
  const page = await open({ account: me }, '#/player');
  const item = await here(page);
  let go;
  const held = new Promise((done) => (go = done));

  await page.route('**/likes/*', async (route) => {
    await held;
    await route.continue();
  });
  await page.waitForFunction((one) => /\d/.test(document.querySelector(`[data-item="${one}"] .count`).textContent), item);
  const before = Number(await likeOf(page, item).locator('.count').textContent());
  await likeOf(page, item).click();
  await page.waitForSelector(`[data-item="${item}"] .like.pending[aria-pressed="true"]`);
  assert.match(await likeOf(page, item).textContent(), /not confirmed yet/);
  assert.equal(await liked(item), false, 'it is not so yet, and the page says so');
  await shot(page, 'player-pending');
  go();
  await pressed(page, item, true);
  assert.equal(await liked(item), true);
  await until('the count has it', async () => parseInt(await likeOf(page, item).locator('.count').textContent(), 10) === before + 1);
  await page.unroute('**/likes/*');
  /* Back, and back again from the message. */
  await likeOf(page, item).click();
  await pressed(page, item, false);
  assert.equal(await liked(item), false);
  await page.locator('.toast .link').click();
  await pressed(page, item, true);
  assert.equal(await liked(item), true);
  await axe(page, 'feed');
  await shot(page, 'player');
  await leave(page);
}

async function twoTapsLikeAndNeverTakeBack() {
  const page = await open({ account: '6' }, '#/player');
  const item = await here(page);
  const box = await page.locator(`.clip[data-item="${item}"] .picture`).boundingBox();
  const twice = () => page.mouse.dblclick(box.x + box.width / 2, box.y + box.height / 3);

  await twice();
  await pressed(page, item, true);
  await twice();
  await page.waitForTimeout(400);
  assert.equal(await liked(item, '6'), true, 'tapping twice takes nothing back');
  await leave(page);
}

async function aRefusalIsToldInItsOwnWordsAndPutBack() {
  const page = await open({ account: '8' }, '#/player');
  const item = await here(page);

  page.expected.push(/403|Failed to load resource/);
  await http('PUT', '/v1/accounts/8/state', { state: 'like-banned', until_ms: Date.now() + 3600000 });
  await likeOf(page, item).click();
  await page.waitForSelector('.toast.bad');
  assert.match(await page.locator('.toast.bad').textContent(), /was not liked: the account may not do this .*until/);
  await pressed(page, item, false);
  await shot(page, 'player-refused');
  await http('PUT', '/v1/accounts/8/state', { state: 'active' });
  await leave(page);
}

/* Somebody else likes what is on the screen: from his answer to the screen. */
async function totalsArePushed() {
  const page = await open({ account: me }, '#/player');
  const item = await here(page);
  const count = () => page.evaluate((one) => parseInt(document.querySelector(`[data-item="${one}"] .count`).textContent, 10), item);

  await until('a total', async () => !Number.isNaN(await count()));
  const took = [];
  for (const account of ['61', '62', '63', '64', '65']) {
    const want = (await count()) + 1;
    const seen = page.evaluate(
      ([one, wanted]) =>
        new Promise((done) => {
          const look = () =>
            parseInt(document.querySelector(`[data-item="${one}"] .count`).textContent, 10) === wanted
              ? done(performance.timeOrigin + performance.now())
              : setTimeout(look, 2);
          look();
        }),
      [item, want],
    );
    await http('PUT', `/v1/items/${item}/likes/${account}`);
    const answered = performance.timeOrigin + performance.now();
    took.push(Math.round((await seen) - answered));
  }
  console.log(`    from the answer to the screen: ${took.join(', ')} ms`);
  await leave(page);
}

async function whatWasLookedAtIsAttested() {
  const page = await open({ account: '9' }, '#/player');
  const item = await here(page);
  const told = page.waitForResponse((response) => response.url().endsWith(`/items/${item}/views`));

  await page.waitForTimeout(700);
  await page.locator('.feed').focus();
  await page.keyboard.press('ArrowDown');
  const answer = await (await told).json();
  assert.equal(answer.attested, true, JSON.stringify(answer));
  await page.waitForFunction((one) => document.querySelector('.clip:has(.progress)').dataset.item !== one, item);
  const next = await here(page);
  await page.keyboard.press('s');
  await page.waitForSelector(`.clip[data-item="${next}"]`, { state: 'detached' });
  await until('the skip is counted', async () => (await http('GET', `/v1/items/${next}/counts`)).counts.skip === 1);
  await leave(page);
}

/* Without a mouse: from the address bar to a like, my likes, a clean-up. */
async function byKeyboardAlone() {
  const page = await open({ account: me, size: [1100, 760] }, '#/player');
  const tab = async (wanted, key = 'Tab') => {
    for (let i = 0; i < 40; i++) {
      await page.keyboard.press(key);
      if (await page.evaluate((one) => document.activeElement.matches(one), wanted)) {
        const ring = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
        assert.notEqual(ring, 'none', `${wanted}: the focus is not seen`);
        return;
      }
    }
    assert.fail(`${wanted} is not reached`);
  };
  const first = await here(page);

  await tab('.reach');
  await tab('.feed');
  await page.keyboard.press('ArrowDown');
  await page.waitForFunction((one) => document.querySelector('.clip:has(.progress)').dataset.item !== one, first);
  const item = await here(page);
  await page.keyboard.press('l');
  await pressed(page, item, true);
  await page.keyboard.press('u');
  await pressed(page, item, false);
  await page.keyboard.press('l');
  await pressed(page, item, true);
  await page.keyboard.press('?');
  await page.waitForSelector('dialog[open]');
  await page.keyboard.press('Escape');
  await page.waitForSelector('dialog', { state: 'detached' });
  assert.ok(await page.evaluate(() => document.activeElement.closest('.feed') !== null), 'the focus comes back');
  await tab('a[href="#/player/mine"]', 'Shift+Tab');
  await page.keyboard.press('Enter');
  await page.waitForSelector('.likes .like');
  await tab('.likes .like');
  await page.keyboard.press('Enter');
  await page.waitForSelector('.likes .like[aria-pressed="false"]:not(.pending)');
  assert.equal(await liked(item), false);
  await page.keyboard.press('Enter');
  await page.waitForSelector('.likes li:first-child .like[aria-pressed="true"]:not(.pending)');
  assert.equal(await liked(item), true);
  await leave(page);
}

async function myLikesAreSearchedAndCleanedUp() {
  const page = await open({ account: me }, '#/player/mine');
  const items = facts.items.slice(0, 5);

  for (const item of items) await http('PUT', `/v1/items/${item}/likes/${me}`);
  await page.reload();
  await page.waitForSelector('.likes li');
  await page.getByLabel('Search by number').fill(items[3]);
  await page.waitForFunction(() => document.querySelectorAll('.likes li').length === 1);
  await page.getByLabel('Search by number').fill('nothing');
  await page.waitForSelector('.empty');
  await page.getByLabel('Search by number').fill('');
  await page.getByLabel('30 days').check();
  await axe(page, 'my likes');
  await shot(page, 'mine');
  await page.getByRole('button', { name: 'Clean up' }).click();
  await page.waitForSelector('.thumbs li');
  const told = await page.locator('dialog').textContent();
  const count = (await http('GET', `/v1/accounts/${me}/cleanups`)).count;
  assert.ok(count >= 5 && told.includes(`${count} likes would be taken back`), told);
  await axe(page, 'clean-up');
  await shot(page, 'mine-cleanup');
  await page.locator('dialog button.main').click();
  await page.waitForSelector('dialog', { state: 'detached' });
  await page.waitForSelector('.empty');
  assert.equal(await liked(items[0]), false);
  await page.locator('.toast .link').click();
  await page.waitForSelector('.likes li');
  assert.equal((await http('GET', `/v1/accounts/${me}/cleanups`)).count, count, 'all are back');
  await leave(page);
}

/* Every part, in both languages and looks, as narrow as it gets, and in large text. */
async function everyPartForEverybody() {
  for (const wish of [
    { name: 'zh-320-dark', lang: 'zh', size: [320, 640], dark: true, look: axe },
    { name: 'zh-large', lang: 'zh', elder: 18, look: () => undefined },
    { name: 'en-largest', lang: 'en', elder: 30, size: [360, 740], look: axe },
    { name: 'en-desktop', lang: 'en', size: [1280, 800], hint: true, look: () => undefined },
  ]) {
    const page = await open({ account: '10', ...wish }, '#/player');
    await here(page);
    for (const [part, wait] of [
      ['#/player', '.clip .progress'],
      ['#/player/mine', '.likes li'],
      ['#/player/notices', '.notices'],
    ]) {
      const name = `${wish.name}-${part.split('/').pop()}`;
      await page.goto(page.at + part);
      await page.waitForSelector(wait, { state: 'attached' });
      await fits(page, name);
      await wish.look(page, name);
      if (wish.elder) await large(page, name, ['.acts button', '.likes .like', '.tabs a', '.pages a', '.moves .round', 'button.main']);
      await shot(page, name);
    }
    if (wish.elder) {
      /* A question first, and half a minute to undo. */
      await page.goto(`${page.at}#/player/mine`);
      await page.locator('.likes .like').first().click();
      await page.waitForSelector('dialog[open]');
      await wish.look(page, `${wish.name}-sure`);
      await shot(page, `${wish.name}-sure`);
      await page.locator('dialog button:not(.main, .bare)').click();
      assert.equal(await page.locator('.likes .like').first().getAttribute('aria-pressed'), 'true');
    }
    await page.locator('.end .bare').click();
    await wish.look(page, `${wish.name}-settings`);
    await fits(page, `${wish.name}-settings`);
    await shot(page, `${wish.name}-settings`);
    await leave(page);
  }
}

/* With a node that asks who one is. */
async function aProofStaysInTheTab() {
  const page = await open({ port: secured.port }, '');

  page.expected.push(/401|Failed to load resource/);
  await page.waitForSelector('input[type=password]');
  await axe(page, 'sign in');
  await shot(page, 'signin');
  await page.locator('input[type=password]').fill('wrong');
  await page.locator('button.main').click();
  await page.waitForSelector('.refused');
  assert.equal(await page.evaluate(() => sessionStorage.getItem('zan.proof')), null);
  await page.locator('input[type=password]').fill(secured.proofs.user);
  await page.locator('button.main').click();
  await page.waitForSelector('.who');
  assert.match(await page.locator('.who').textContent(), /42/);
  await page.waitForSelector('.clip, .empty');
  const kept = await page.evaluate(() => [sessionStorage.getItem('zan.proof'), JSON.stringify(localStorage), document.cookie, location.href]);
  assert.equal(kept[0], secured.proofs.user);
  assert.ok(!kept.slice(1).join().includes(secured.proofs.user), 'kept elsewhere');
  assert.equal(await page.locator('.pages a').count(), 1, 'a user has the player alone');
  await page.locator('.who').click();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.waitForFunction(() => sessionStorage.getItem('zan.proof') === null);
  await leave(page);
}

/* Where a rule asks whether an un-like is meant, the page asks on, and says so to the node. */
async function aRuleThatAsksIsAskedOn() {
  const page = await open({ port: secured.port, proof: secured.proofs.user }, '#/player/mine');

  page.expected.push(/428|Failed to load resource/);
  await page.locator('.likes .like').click();
  await page.waitForSelector('dialog[open]');
  await axe(page, 'is it meant');
  await page.getByRole('button', { name: 'No', exact: true }).click();
  await page.waitForSelector('.likes .like[aria-pressed="true"]:not(.pending)');
  await page.locator('.likes .like').click();
  await page.getByRole('button', { name: 'Yes', exact: true }).click();
  await page.waitForSelector('.likes .like[aria-pressed="false"]:not(.pending)');
  await page.reload();
  await page.waitForSelector('.empty');
  await leave(page);
}

/* From the address to a page that is whole: a browser that has never been here. */
async function thePageIsThereAtOnce() {
  const page = await open({ account: me }, '#/player');
  await page.waitForSelector('.clip .count');
  const ms = await page.evaluate(() => Math.round(performance.now()));
  console.log(`    first clip after ${ms} ms`);
  await leave(page);
}

await run({
  thePageIsThereAtOnce,
  aLikeShowsAtOnceAndIsMarkedUntilDurable,
  twoTapsLikeAndNeverTakeBack,
  aRefusalIsToldInItsOwnWordsAndPutBack,
  totalsArePushed,
  whatWasLookedAtIsAttested,
  byKeyboardAlone,
  myLikesAreSearchedAndCleanedUp,
  everyPartForEverybody,
  aProofStaysInTheTab,
  aRuleThatAsksIsAskedOn,
});
