/* How a person wants it: language, light or dark, elder mode, size of text. Kept on this device. */
import { effect, signal } from '@preact/signals';

export type Language = 'en' | 'zh';
export type Theme = 'auto' | 'light' | 'dark';

export interface Settings {
  language: Language;
  theme: Theme;
  elder: boolean;
  size: number; // of text, in px; ELDER_MIN to ELDER_MAX in elder mode
}

export const ELDER_MIN = 18;
export const ELDER_MAX = 30;
const NAME = 'zan.settings';

function first(): Settings {
  const language: Language = navigator.language.toLowerCase().startsWith('zh') ? 'zh' : 'en';
  const plain: Settings = { language, theme: 'auto', elder: false, size: ELDER_MIN };

  try {
    return { ...plain, ...(JSON.parse(localStorage.getItem(NAME) ?? '{}') as Partial<Settings>) };
  } catch {
    return plain;
  }
}

export const settings = signal<Settings>(first());

export function change(some: Partial<Settings>): void {
  settings.value = { ...settings.value, ...some };
  try {
    localStorage.setItem(NAME, JSON.stringify(settings.value));
  } catch {
    /* without storage it holds until the page is left */
  }
}

effect(() => {
  const root = document.documentElement;
  const { language, theme, elder, size } = settings.value;

  root.lang = language === 'zh' ? 'zh-CN' : 'en';
  root.dataset.theme = theme;
  root.dataset.elder = elder ? 'yes' : 'no';
  root.style.fontSize = elder ? `${Math.min(Math.max(size, ELDER_MIN), ELDER_MAX)}px` : '';
});
