/* What this person likes, as far as it is on the screen: shown at once, marked until the node has said
 * so, and put back if it refuses.
 *
 *   confirmed   what the node has answered last
 *   wanted      what the person has asked for last
 *   busy        a request is under way; what is wanted meanwhile goes afterwards, so the last wish wins */
import { signal, type Signal } from '@preact/signals';
import { call, get, write, type Problem } from '../../base/api';
import { told, totalsOf } from '../../base/live';
import { me } from '../../base/session';
import { t, tell } from '../../base/words';
import { toast } from '../../ui/toast';

export type Source = 'button' | 'double-tap' | 'voice';

interface Like {
  confirmed: boolean;
  wanted: boolean;
  busy: boolean;
  base: number; // the total when it was pressed
}

const likes = new Map<string, Signal<Like>>();

export function likeOf(item: string): Signal<Like> {
  const key = `${me.value}/${item}`;
  let found = likes.get(key);
  if (!found) likes.set(key, (found = signal({ confirmed: false, wanted: false, busy: false, base: 0 })));
  return found;
}

/* The total to show: the node's, and this person's wish as long as the node's has not moved. */
export function shownLikes(item: string): number | undefined {
  const total = totalsOf(item).value.like;
  const { confirmed, wanted, busy, base } = likeOf(item).value;

  if (total === undefined || !busy || total !== base) return total;
  return Math.max(0, total + Number(wanted) - Number(confirmed));
}

/* Asks which of them this account likes. */
export async function learn(items: string[], abort?: AbortSignal): Promise<void> {
  if (items.length === 0 || me.value === '') return;
  const answer = await call<{ on: boolean[] }>('POST', '/v1/batch/states', {
    body: { verb: 'like', account: me.value, targets: items },
    ...(abort ? { signal: abort } : {}),
  });
  items.forEach((item, i) => {
    const like = likeOf(item);
    if (!like.value.busy) like.value = { ...like.value, confirmed: answer.on[i]!, wanted: answer.on[i]! };
  });
}

/* A rule of the platform may ask whether it is really meant (`confirm`, docs/policy.md). */
export const question = signal<{ item: string; on: boolean; answer: (yes: boolean) => void } | null>(null);

async function isMeant(item: string, on: boolean): Promise<boolean> {
  const yes = await new Promise<boolean>((answer) => (question.value = { item, on, answer }));
  question.value = null;
  return yes;
}

async function send(item: string, account: string, on: boolean, source: Source): Promise<boolean> {
  const method = on ? 'PUT' : 'DELETE';
  const path = `/v1/items/${item}/likes/${account}`;

  try {
    await write(method, path, { source });
  } catch (error) {
    if ((error as Problem).code !== 'CONFIRM') throw error;
    if (!(await isMeant(item, on))) return false;
    await write(method, path, { body: { confirmed: true, context: { source } } });
  }
  return true;
}

async function settle(item: string, account: string, source: Source): Promise<void> {
  const like = likeOf(item);

  while (like.value.wanted !== like.value.confirmed) {
    const wanted = like.value.wanted;
    if (await send(item, account, wanted, source)) like.value = { ...like.value, confirmed: wanted };
    else like.value = { ...like.value, wanted: like.value.confirmed };
  }
}

/* The total after a write: live numbers may have told it before, so it is asked for and not added. */
async function recount(item: string): Promise<void> {
  const answer = await call<{ counts: number[] }>('POST', '/v1/batch/counts', { body: { verb: 'like', items: [item] } });
  told(item, { like: answer.counts[0]! });
}

/* After an answer that never came: what is so? */
async function ask(item: string, account: string): Promise<boolean | null> {
  try {
    return (await get<{ on: boolean }>(`/v1/items/${item}/likes/${account}`)).on;
  } catch {
    return null;
  }
}

async function rollBack(item: string, account: string, problem: Problem): Promise<void> {
  const like = likeOf(item);
  const known = problem.certain ? like.value.confirmed : await ask(item, account);
  const confirmed = known ?? like.value.confirmed;
  const words = t(like.value.wanted ? 'player.refused.like' : 'player.refused.unlike', { item, why: tell(problem) });

  like.value = { ...like.value, confirmed, wanted: confirmed };
  toast(words, { bad: true });
}

/* Sets, never toggles: pressing twice is the same as once. */
export async function setLike(item: string, on: boolean, source: Source = 'button'): Promise<void> {
  const like = likeOf(item);
  const account = me.value;

  if (like.value.wanted === on) return;
  like.value = { ...like.value, wanted: on };
  if (like.value.busy) return;
  like.value = { ...like.value, busy: true, base: totalsOf(item).value.like ?? 0 };
  try {
    await settle(item, account, source);
    await recount(item).catch(() => undefined);
  } catch (error) {
    await rollBack(item, account, error as Problem);
  }
  like.value = { ...like.value, busy: false };
}
