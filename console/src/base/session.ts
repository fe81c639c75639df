/* Who is here. A node without credentials trusts everybody on its machine ("open"); then a person says
 * which account to be. Otherwise a key or an assertion is pasted; it is kept in this tab's
 * sessionStorage and nowhere else, and goes with the tab. */
import { computed, signal } from '@preact/signals';
import { get, type Problem } from './api';

export type Role =
  | 'everybody'
  | 'nobody'
  | 'backend'
  | 'user'
  | 'creator'
  | 'operator'
  | 'approver'
  | 'privacy'
  | 'administrator'
  | 'auditor';

export interface Session {
  open: boolean;
  role: Role;
  account: string | null;
  tenant: number;
  expires_ms: number | null;
  version: string;
}

const PROOF = 'zan.proof';
const ACCOUNT = 'zan.account';
const CREATOR = 'zan.creator';

function stored(name: string): string {
  try {
    return sessionStorage.getItem(name) ?? '';
  } catch {
    return '';
  }
}

function store(name: string, value: string): void {
  try {
    if (value === '') sessionStorage.removeItem(name);
    else sessionStorage.setItem(name, value);
  } catch {
    /* without storage it holds until the page is left */
  }
}

export const proof = signal(stored(PROOF));
export const session = signal<Session | null>(null);
export const unreachable = signal(false);
/* Why the node took this proof no longer; null: it does. */
export const refusal = signal<Problem | null>(null);

const chosen = signal(stored(ACCOUNT));
const chosenCreator = signal(stored(CREATOR));

/* The account of this person; '' if there is none (an operator, say, or not chosen yet). */
export const me = computed(() => session.value?.account ?? chosen.value);
/* Whose items are looked at in the studio. */
export const creator = computed(() => session.value?.account ?? chosenCreator.value);

export function choose(account: string): void {
  chosen.value = account;
  store(ACCOUNT, account);
}

export function chooseCreator(account: string): void {
  chosenCreator.value = account;
  store(CREATOR, account);
}

export function refused(problem: Problem): void {
  refusal.value = problem;
}

/* Asks the node who we are. Throws what it says of a wrong proof. */
export async function look(): Promise<void> {
  try {
    session.value = await get<Session>('/session');
    unreachable.value = false;
  } catch (error) {
    unreachable.value = (error as Problem).code === 'NETWORK';
    if (!unreachable.value && session.value === null)
      session.value = { open: false, role: 'nobody', account: null, tenant: 0, expires_ms: null, version: '' };
    throw error;
  }
}

export async function login(text: string): Promise<void> {
  proof.value = text.trim();
  refusal.value = null;
  try {
    await look();
    store(PROOF, proof.value);
  } catch (error) {
    proof.value = '';
    throw error;
  }
}

export async function logout(): Promise<void> {
  proof.value = '';
  refusal.value = null;
  store(PROOF, '');
  session.value = null;
  await look().catch(() => undefined);
}

const seen: Record<string, Role[]> = {
  player: ['everybody', 'user', 'creator'],
  studio: ['everybody', 'creator'],
  desk: ['everybody', 'operator', 'approver', 'auditor'],
  operations: ['everybody', 'administrator', 'auditor', 'operator'],
};

/* May this role use that page? (The node judges every request by itself: docs/access.md.) */
export function maySee(page: string): boolean {
  const role = session.value?.role ?? 'nobody';
  return seen[page]?.includes(role) ?? true;
}
