/* The frame around every page: name, pages, settings, who is here; and the page that is open. */
import { signal } from '@preact/signals';
import { useEffect, useRef, useState } from 'preact/hooks';
import { go, link, route } from './base/router';
import { liveState } from './base/live';
import { look, maySee, proof, refusal, session, unreachable } from './base/session';
import { settings } from './base/settings';
import { addWords, t, tell } from './base/words';
import { pages, type Page, type PageModule } from './pages';
import { Settings } from './settings';
import { SignIn, Who } from './signin';
import { Icon } from './ui/icons';
import { Loading } from './ui/parts';
import { Toasts } from './ui/toast';

const modules = signal<Record<string, PageModule>>({});
const failed = signal(false);

async function load(page: Page): Promise<void> {
  if (modules.value[page.id]) return;
  failed.value = false;
  try {
    const module = await page.load();
    addWords(module.words);
    modules.value = { ...modules.value, [page.id]: module };
  } catch {
    failed.value = true; /* a new version of the node has other files: the page must be loaded again */
  }
}

function Nav({ open }: { open: string }) {
  return (
    <nav class="pages" aria-label={t('nav.pages')}>
      {pages
        .filter((page) => maySee(page.id))
        .map((page) => (
          <a key={page.id} href={link(page.id)} aria-current={page.id === open ? 'page' : undefined}>
            <Icon name={page.icon} />
            <span>{t(`nav.${page.id}`)}</span>
          </a>
        ))}
    </nav>
  );
}

function Banner() {
  if (unreachable.value)
    return (
      <p class="banner bad" role="alert">
        {t('unreachable')}{' '}
        <button type="button" class="link" onClick={() => void look().catch(() => undefined)}>
          {t('again')}
        </button>
      </p>
    );
  if (refusal.value && proof.value !== '')
    return (
      <p class="banner bad" role="alert">
        {tell(refusal.value)} <a href={link('signin')}>{t('signin.again')}</a>
      </p>
    );
  if (liveState.value === 'lost')
    return (
      <p class="banner" role="status">
        {t('live.lost')}
      </p>
    );
  return null;
}

function Open({ page, path }: { page: Page; path: string[] }) {
  useEffect(() => void load(page), [page]);
  const module = modules.value[page.id];

  if (module) return <module.View path={path} />;
  if (!failed.value) return <Loading />;
  return (
    <p class="refused" role="alert">
      {t('page.failed')}{' '}
      <button type="button" onClick={() => location.reload()}>
        {t('again')}
      </button>
    </p>
  );
}

function Content({ name, path }: { name: string; path: string[] }) {
  const role = session.value?.role;

  if (!session.value) return unreachable.value ? null : <Loading />;
  if (name === 'signin' || role === 'nobody') return <SignIn />;
  const page = pages.find((one) => one.id === name && maySee(one.id));
  return page ? <Open page={page} path={path} /> : <p class="empty">{t('page.none')}</p>;
}

export function App() {
  const [showSettings, setSettings] = useState(false);
  const main = useRef<HTMLElement>(null);
  const first = useRef(true);
  const here = pages.filter((page) => maySee(page.id));
  const name = route.value[0] ?? here[0]?.id ?? 'player';
  const title = name === 'signin' ? t('signin') : t(`nav.${name}`);

  useEffect(() => {
    document.title = `${title} · Zan`;
  }, [title, settings.value.language]);
  /* Who goes to another page by keyboard begins at its top. */
  useEffect(() => {
    if (!first.current) main.current?.focus();
    first.current = false;
  }, [name]);

  return (
    <>
      <a
        class="away reach"
        href="#main"
        onClick={(event) => {
          event.preventDefault();
          main.current?.focus();
        }}
      >
        {t('nav.skip')}
      </a>
      <header class="top">
        <a class="brand" href={link(here[0]?.id ?? 'player')} aria-label={t('brand')}>
          <span aria-hidden="true" class="mark">
            <Icon name="heart" filled />
          </span>
          Zan
        </a>
        <Nav open={name} />
        <div class="end">
          <Who onOpen={() => go('signin')} />
          <button type="button" class="bare" aria-label={t('settings')} onClick={() => setSettings(true)}>
            <Icon name="gear" />
          </button>
        </div>
      </header>
      <Banner />
      <main id="main" ref={main} tabIndex={-1} class={`page-${name}`}>
        <Content name={name} path={route.value.slice(1)} />
      </main>
      {showSettings && <Settings onClose={() => setSettings(false)} />}
      <Toasts />
    </>
  );
}
