/* The pages. One more is a folder here and a line below: its module is fetched when it is opened, and
 * brings its own words. Its name in the bar is "nav.ID" in src/words. */
import type { ComponentType } from 'preact';
import type { Catalogue } from '../base/words';
import type { Language } from '../base/settings';

export interface PageModule {
  /* path: what follows the page's name in the address. */
  View: ComponentType<{ path: string[] }>;
  words: Record<Language, Catalogue>;
}

export interface Page {
  id: string; // its place in the address, and in maySee of base/session.ts
  icon: 'play' | 'chart' | 'shield' | 'gauge';
  load: () => Promise<PageModule>;
}

export const pages: Page[] = [
  { id: 'player', icon: 'play', load: () => import('./player') },
  { id: 'studio', icon: 'chart', load: () => import('./studio') },
  { id: 'desk', icon: 'shield', load: () => import('./desk') },
  { id: 'operations', icon: 'gauge', load: () => import('./operations') },
];
