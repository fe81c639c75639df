/* #/player/mine -> ['player', 'mine']. Behind the hash, so that the node has one page to serve. */
import { signal } from '@preact/signals';

const parse = (): string[] => location.hash.replace(/^#\/?/, '').split('/').filter(Boolean).map(decodeURIComponent);

export const route = signal<string[]>(parse());

export const link = (...parts: string[]): string => `#/${parts.map(encodeURIComponent).join('/')}`;

export function go(...parts: string[]): void {
  location.hash = link(...parts);
}

window.addEventListener('hashchange', () => {
  route.value = parse();
});
