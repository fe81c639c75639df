/* The feed: one clip a screen, page after page of FEED. What was looked at is told with the token that
 * FEED gave for it (VIEW), what was passed over too (SKIP). */
import type { RefObject } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { get, write, type Problem } from '../../base/api';
import { totalsOf, watch } from '../../base/live';
import { me, session } from '../../base/session';
import { settings } from '../../base/settings';
import { has, short, t, tell } from '../../base/words';
import { Icon } from '../../ui/icons';
import { Dialog, Empty, Loading, Refused } from '../../ui/parts';
import { Poster, clipMs } from '../../ui/poster';
import { toast } from '../../ui/toast';
import { learn, likeOf, setLike, shownLikes, type Source } from './likes';
import { useVoice } from './voice';

export interface FeedItem {
  item: string;
  creator: string | null;
  source: string;
  label: string | null;
  boost: number;
  token: string | null;
}

const PAGE = 10;
const AHEAD = 3; // clips left when more are asked for
const LEAST_MS = 500; // looked at for less: it was only scrolled past
const TWICE_MS = 320;

/* --- the feed's pages ------------------------------------------------------------------------------ */

interface Feed {
  clips: FeedItem[];
  problem: Problem | null;
  busy: boolean;
  more: () => void;
  hide: (item: string) => void;
}

/* A page of the feed; who has seen everything gets what many like. (That has no tokens: what is
 * looked at there is counted, and attested by nobody.) */
async function ask(account: string, first: boolean, signal: AbortSignal): Promise<FeedItem[]> {
  const { items } = await get<{ items: FeedItem[] }>(`/v1/accounts/${account}/feed?count=${PAGE}`, { signal });

  if (items.length > 0 || !first) return items;
  const top = await get<{ items: { item: string; boost: number }[] }>(`/v1/top?scope=all&count=${2 * PAGE}`, { signal });
  return top.items.map((one) => ({ ...one, creator: null, source: 'top', label: null, token: null }));
}

function useFeed(): Feed {
  const [clips, setClips] = useState<FeedItem[]>([]);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [busy, setBusy] = useState(false);
  const [round, turn] = useState(0);
  const account = me.value;

  useEffect(() => setClips([]), [account]);
  useEffect(() => {
    const own = new AbortController();

    setBusy(true);
    ask(account, clips.length === 0, own.signal).then(
      (items) => {
        if (own.signal.aborted) return;
        setProblem(null);
        setBusy(false);
        setClips((old) => [...old, ...items.filter((one) => !old.some((known) => known.item === one.item))]);
        void learn(
          items.map((one) => one.item),
          own.signal,
        ).catch(() => undefined);
      },
      (error: Problem) => {
        if (own.signal.aborted) return;
        setProblem(error);
        setBusy(false);
      },
    );
    return () => own.abort();
  }, [account, round]);
  return {
    clips,
    problem,
    busy,
    more: () => turn((value) => value + 1),
    hide: (item) => setClips((old) => old.filter((one) => one.item !== item)),
  };
}

/* --- taking a like back ---------------------------------------------------------------------------- */

/* In elder mode it is asked first. Each way it can be undone. */
export function useUnlike(): { unlike: (item: string, source?: Source) => void; dialog: preact.JSX.Element | null } {
  const [asked, ask] = useState<string | null>(null);
  const now = (item: string, source: Source): void => {
    void setLike(item, false, source);
    toast(t('player.unliked', { item }), { action: { label: t('undo'), run: () => void setLike(item, true) } });
  };
  const dialog = asked && (
    <Dialog title={t('player.sure')} onClose={() => ask(null)}>
      <p>{t('player.sure.more', { item: asked })}</p>
      <div class="row">
        <button
          type="button"
          class="main"
          onClick={() => {
            now(asked, 'button');
            ask(null);
          }}
        >
          {t('player.sure.yes')}
        </button>
        <button type="button" onClick={() => ask(null)}>
          {t('player.sure.no')}
        </button>
      </div>
    </Dialog>
  );
  return {
    unlike: (item, source = 'button') => (settings.value.elder ? ask(item) : now(item, source)),
    dialog: dialog || null,
  };
}

/* --- a clip ---------------------------------------------------------------------------------------- */

/* Time that a clip was on the screen, told once when it leaves. */
function useLooking(clip: FeedItem, active: boolean, paused: boolean): void {
  const spent = useRef(0);

  useEffect(() => {
    if (!active || paused) return;
    let since = performance.now();
    const stop = (): void => {
      spent.current += performance.now() - since;
      since = performance.now();
    };
    return stop;
  }, [active, paused]);
  useEffect(() => {
    if (!active) return;
    return () => {
      const watched = Math.round(spent.current);
      spent.current = 0;
      if (watched < LEAST_MS) return;
      const body = { account: me.value, watch_ms: watched, duration_ms: clipMs(clip.item), ...(clip.token ? { token: clip.token } : {}) };
      void write('POST', `/v1/items/${clip.item}/views`, { body }).catch(() => undefined); // a number less, nothing more
    };
  }, [active]);
}

function LikeButton({ item, reach, onLike, onUnlike }: { item: string; reach: 0 | -1; onLike: () => void; onUnlike: () => void }) {
  const { wanted, busy } = likeOf(item).value;
  const count = shownLikes(item);

  return (
    <button
      type="button"
      class={`act like${wanted ? ' on' : ''}${busy ? ' pending' : ''}`}
      tabIndex={reach}
      aria-pressed={wanted}
      onClick={wanted ? onUnlike : onLike}
    >
      <Icon name="heart" filled={wanted} />
      <span class="away">{t('player.like', { item })}: </span>
      <span class="count">
        {count === undefined ? '–' : short(count)}
        <span class="away">{busy ? t('player.pending') : ''}</span>
      </span>
    </button>
  );
}

function Clip({
  clip,
  index,
  active,
  onLike,
  onUnlike,
  onSkip,
}: {
  clip: FeedItem;
  index: number;
  active: boolean;
  onLike: (source: Source) => void;
  onUnlike: () => void;
  onSkip: () => void;
}) {
  const [paused, pause] = useState(false);
  const [burst, setBurst] = useState<{ x: number; y: number; key: number } | null>(null);
  const last = useRef({ time: 0, x: 0, y: 0 });
  const single = useRef<number>();
  const totals = totalsOf(clip.item).value;
  const reach = active ? 0 : -1; // the tab key passes over clips that are not on the screen

  useLooking(clip, active, paused);
  useEffect(() => clearTimeout(single.current), []);
  /* Two taps close together like, and never take back; one alone pauses. */
  const tap = (event: PointerEvent): void => {
    const before = last.current;
    const box = (event.currentTarget as HTMLElement).getBoundingClientRect();
    const here = { time: event.timeStamp, x: event.clientX - box.left, y: event.clientY - box.top };

    last.current = here;
    clearTimeout(single.current);
    if (here.time - before.time < TWICE_MS && Math.hypot(here.x - before.x, here.y - before.y) < 48) {
      last.current.time = 0;
      setBurst({ x: here.x, y: here.y, key: here.time });
      onLike('double-tap');
    } else {
      single.current = window.setTimeout(() => pause((value) => !value), TWICE_MS);
    }
  };
  const why = has(`player.source.${clip.source}`) ? t(`player.source.${clip.source}`) : clip.source;

  return (
    <article class="clip" aria-labelledby={`clip-${clip.item}`} aria-posinset={index + 1} aria-setsize={-1} tabIndex={-1} data-item={clip.item}>
      <div class="picture" onPointerUp={tap}>
        <Poster id={clip.item} />
        {active && <i class={`progress${paused ? ' paused' : ''}`} style={{ animationDuration: `${clipMs(clip.item)}ms` }} />}
        {paused && active && (
          <span class="paused-mark" aria-hidden="true">
            <Icon name="play" filled />
          </span>
        )}
        {burst && (
          <span key={burst.key} class="burst" style={{ left: `${burst.x}px`, top: `${burst.y}px` }} aria-hidden="true">
            <Icon name="heart" filled />
          </span>
        )}
      </div>
      <div class="about">
        <h2 id={`clip-${clip.item}`}>{t('player.clip', { item: clip.item })}</h2>
        {clip.creator && <p>{t('player.by', { creator: clip.creator })}</p>}
        <p class="why">
          {clip.label ? (
            <strong class="paid">{t('player.paid', { label: clip.label })}</strong>
          ) : (
            <span>{why}</span>
          )}
          {clip.boost > 1 && <strong class="paid">{t('player.boosted')}</strong>}
        </p>
        <p class="why">{t('player.views', { views: totals.view === undefined ? '–' : short(totals.view) })}</p>
      </div>
      <div class="acts">
        <LikeButton item={clip.item} reach={reach} onLike={() => onLike('button')} onUnlike={onUnlike} />
        <button type="button" class="act" tabIndex={reach} onClick={onSkip}>
          <Icon name="skip" />
          <span class="count">{t('player.skip.short')}</span>
          <span class="away">: {t('player.skip', { item: clip.item })}</span>
        </button>
        <button
          type="button"
          class="act"
          tabIndex={reach}
          aria-pressed={paused}
          aria-label={t('player.pause')}
          onClick={() => pause((value) => !value)}
        >
          <Icon name="play" filled={paused} />
        </button>
      </div>
    </article>
  );
}

/* --- the page -------------------------------------------------------------------------------------- */

/* Which clip fills most of the frame. */
function useActive(frame: RefObject<HTMLDivElement>, count: number): [number, (index: number) => void] {
  const [active, set] = useState(0);

  useEffect(() => {
    const at = frame.current;
    if (!at) return;
    const see = new IntersectionObserver(
      (entries) => {
        for (const entry of entries)
          if (entry.isIntersecting) set([...at.querySelectorAll('.clip')].indexOf(entry.target));
      },
      { root: at, threshold: 0.6 },
    );
    at.querySelectorAll('.clip').forEach((clip) => see.observe(clip));
    return () => see.disconnect();
  }, [count]);
  const show = (index: number): void => {
    const clip = frame.current?.querySelectorAll<HTMLElement>('.clip')[index];
    clip?.scrollIntoView({ block: 'start' });
    clip?.focus({ preventScroll: true });
  };
  return [active, show];
}

/* First use: how it is done, once. */
function Hint() {
  const [seen, see] = useState(() => localStorage.getItem('zan.hint') === 'seen');

  if (seen) return null;
  return (
    <div class="hint" role="note">
      <p>{t('player.hint')}</p>
      <button
        type="button"
        onClick={() => {
          localStorage.setItem('zan.hint', 'seen');
          see(true);
        }}
      >
        {t('player.hint.ok')}
      </button>
    </div>
  );
}

function Register({ again }: { again: () => void }) {
  return (
    <div class="narrow card">
      <p>{t('player.unknown', { account: me.value })}</p>
      <button
        type="button"
        class="main"
        onClick={() =>
          void write('PUT', `/v1/accounts/${me.value}`, { body: { visible: 'nobody' } }).then(again, (problem: Problem) =>
            toast(tell(problem), { bad: true }),
          )
        }
      >
        {t('player.register')}
      </button>
    </div>
  );
}

export function FeedView() {
  const feed = useFeed();
  const frame = useRef<HTMLDivElement>(null);
  const [active, show] = useActive(frame, feed.clips.length);
  const [help, setHelp] = useState(false);
  const { unlike, dialog } = useUnlike();
  const clip = feed.clips[active];
  const near = feed.clips.slice(Math.max(0, active - 2), active + 8).map((one) => one.item);

  useEffect(() => watch(near), [near.join()]);
  useEffect(() => {
    if (feed.clips.length > 0 && active >= feed.clips.length - AHEAD && !feed.busy && !feed.problem) feed.more();
  }, [active, feed.clips.length]);

  const like = (source: Source): void => void (clip && setLike(clip.item, true, source));
  const skip = (one: FeedItem): void => {
    const body = { account: me.value, ...(one.token ? { token: one.token } : {}) };

    feed.hide(one.item);
    void write('POST', `/v1/items/${one.item}/skips`, { body }).catch((problem: Problem) => toast(tell(problem), { bad: true }));
    toast(t('player.skipped', { item: one.item }));
  };
  const steps = {
    next: () => show(Math.min(active + 1, feed.clips.length - 1)),
    back: () => show(Math.max(active - 1, 0)),
    like: () => like('voice'),
    unlike: () => clip && unlike(clip.item, 'voice'),
    skip: () => clip && skip(clip),
  };
  const voice = useVoice(steps);
  /* Letters work only while the focus is within the feed (WCAG 2.1.4). */
  const key = (event: KeyboardEvent): void => {
    const keys: Record<string, () => void> = {
      ArrowDown: steps.next,
      PageDown: steps.next,
      j: steps.next,
      ArrowUp: steps.back,
      PageUp: steps.back,
      k: steps.back,
      l: () => like('button'),
      u: () => clip && unlike(clip.item),
      s: () => clip && skip(clip),
      '?': () => setHelp(true),
    };
    const run = keys[event.key];
    if (!run || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    run();
  };

  if (feed.problem && feed.problem.code === 'NOACCOUNT' && session.value?.open) return <Register again={feed.more} />;
  if (feed.problem && feed.clips.length === 0) return <Refused problem={feed.problem} again={feed.more} />;
  if (feed.clips.length === 0) return feed.busy ? <Loading /> : <Empty icon="play">{t('player.nothing')}</Empty>;
  return (
    <div class="player">
      <h1 class="away">{t('nav.player')}</h1>
      <div class="stage">
        <Hint />
        <div ref={frame} class="feed" role="feed" aria-label={t('player.feed')} aria-busy={feed.busy} tabIndex={0} onKeyDown={key}>
        {feed.clips.map((one, index) => (
          <Clip
            key={one.item}
            clip={one}
            index={index}
            active={index === active}
            onLike={(source) => void setLike(one.item, true, source)}
            onUnlike={() => unlike(one.item)}
            onSkip={() => skip(one)}
          />
        ))}
        </div>
      </div>
      <div class="moves">
        <button type="button" class="round step" aria-label={t('player.back')} disabled={active === 0} onClick={steps.back}>
          <Icon name="up" />
        </button>
        <button type="button" class="round step" aria-label={t('player.next')} onClick={steps.next}>
          <Icon name="down" />
        </button>
        {voice.offered && (
          <button type="button" class={`round${voice.on ? ' on' : ''}`} aria-pressed={voice.on} aria-label={t('player.voice')} onClick={voice.toggle}>
            <Icon name="mic" />
          </button>
        )}
        <button type="button" class="round" aria-label={t('player.help')} onClick={() => setHelp(true)}>
          ?
        </button>
      </div>
      {dialog}
      {help && (
        <Dialog title={t('player.help')} onClose={() => setHelp(false)}>
          <dl class="keys">
            {['next', 'back', 'like', 'unlike', 'skip'].map((name) => (
              <div key={name}>
                <dt>{t(`player.key.${name}`)}</dt>
                <dd>{t(`player.key.${name}.does`)}</dd>
              </div>
            ))}
          </dl>
          <p class="quiet">{t('player.help.double')}</p>
          {voice.offered && <p class="quiet">{t('player.help.voice')}</p>}
        </Dialog>
      )}
    </div>
  );
}
