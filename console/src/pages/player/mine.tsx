/* My likes: newest first, searched by number and time; taken back one by one, or all of a time at once,
 * after a look at what that would be (CLEANUP), and brought back again. */
import { useEffect, useState } from 'preact/hooks';
import { call, get, type Problem } from '../../base/api';
import { me } from '../../base/session';
import { ago, many, moment, number, t, tell } from '../../base/words';
import { Icon } from '../../ui/icons';
import { Choice, Dialog, Empty, Field, Loading, Refused } from '../../ui/parts';
import { Poster } from '../../ui/poster';
import { toast } from '../../ui/toast';
import { useUnlike } from './feed';
import { likeOf, setLike } from './likes';

interface Entry {
  item: string;
  time_ms: number;
}

const PAGE = 50;
const LOOK_MAX = 20; // pages that a search goes through by itself

type Span = 'all' | 'day' | 'week' | 'month' | 'older';
const DAY = 86400000;
const ages: Record<Span, [number, number]> = {
  all: [0, Infinity],
  day: [0, DAY],
  week: [0, 7 * DAY],
  month: [0, 30 * DAY],
  older: [30 * DAY, Infinity],
};

/* The bounds of a span for CLEANUP: AFTER is in, BEFORE is not. */
export function bounds(span: Span, now: number): { after_ms?: number; before_ms?: number } {
  const [young, old] = ages[span];
  return { ...(old === Infinity ? {} : { after_ms: now - old }), ...(young === 0 ? {} : { before_ms: now - young }) };
}

function useMine(): { entries: Entry[]; done: boolean; busy: boolean; problem: Problem | null; more: () => void; again: () => void } {
  const [state, set] = useState<{ entries: Entry[]; cursor: string | null; done: boolean }>({ entries: [], cursor: null, done: false });
  const [problem, setProblem] = useState<Problem | null>(null);
  const [busy, setBusy] = useState(false);
  const account = me.value;
  const fetchPage = async (from: { entries: Entry[]; cursor: string | null }): Promise<void> => {
    setBusy(true);
    try {
      const cursor = from.cursor === null ? '' : `&cursor=${from.cursor}`;
      const page = await get<{ entries: Entry[]; cursor: string | null }>(`/v1/accounts/${account}/likes?count=${PAGE}${cursor}`);
      page.entries.forEach(({ item }) => {
        const like = likeOf(item);
        if (!like.value.busy) like.value = { ...like.value, confirmed: true, wanted: true };
      });
      set({ entries: [...from.entries, ...page.entries], cursor: page.cursor, done: page.cursor === null });
      setProblem(null);
    } catch (error) {
      setProblem(error as Problem);
    }
    setBusy(false);
  };

  useEffect(() => void fetchPage({ entries: [], cursor: null }), [account]);
  return {
    entries: state.entries,
    done: state.done,
    busy,
    problem,
    more: () => void (!busy && fetchPage(state)),
    again: () => void fetchPage({ entries: [], cursor: null }),
  };
}

/* --- clean-up --------------------------------------------------------------------------------------- */

interface Preview {
  count: number;
  entries: Entry[];
}

function CleanUp({ span, onClose, onDone }: { span: Span; onClose: () => void; onDone: () => void }) {
  const [range] = useState(() => bounds(span, Date.now()));
  const [preview, setPreview] = useState<Preview | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [taken, setTaken] = useState<number | null>(null);
  const path = `/v1/accounts/${me.value}/cleanups`;

  useEffect(() => {
    const query = Object.entries(range).map(([name, value]) => `&${name}=${value}`);
    get<Preview>(`${path}?count=6${query.join('')}`).then(setPreview, setProblem);
  }, []);
  const bringBack = async (numbers: number[]): Promise<void> => {
    try {
      for (const one of numbers) {
        let more = true;
        while (more) more = (await call<{ more: boolean }>('DELETE', `${path}/${one}`)).more;
      }
    } catch (error) {
      toast(tell(error as Problem), { bad: true });
    }
    onDone();
  };
  const run = async (): Promise<void> => {
    const numbers: number[] = [];
    let sum = 0;

    setTaken(0);
    try {
      for (let more = true; more; ) {
        const answer = await call<{ cleanup: number; changed: number; more: boolean }>('POST', path, { body: range });
        sum += answer.changed;
        more = answer.more;
        if (answer.changed > 0) numbers.push(answer.cleanup);
        setTaken(sum);
      }
      toast(many('mine.cleaned', sum), numbers.length > 0 ? { action: { label: t('undo'), run: () => void bringBack(numbers) } } : {});
    } catch (error) {
      toast(tell(error as Problem), { bad: true });
    }
    onClose();
    onDone();
  };

  return (
    <Dialog title={t('mine.clean')} onClose={onClose}>
      {problem && <Refused problem={problem} />}
      {!preview && !problem && <Loading />}
      {preview && (
        <>
          <p>{preview.count === 0 ? t('mine.clean.none') : many('mine.clean.what', preview.count)}</p>
          {preview.entries.length > 0 && (
            <ul class="thumbs" aria-label={t('mine.clean.newest')}>
              {preview.entries.map(({ item }) => (
                <li key={item}>
                  <Poster id={item} />
                  <span>{item}</span>
                </li>
              ))}
            </ul>
          )}
          <p class="quiet">{t('mine.clean.undo')}</p>
          <div class="row">
            <button type="button" class="main" disabled={preview.count === 0 || taken !== null} onClick={() => void run()}>
              {taken === null ? t('mine.clean.go', { count: number(preview.count) }) : t('mine.clean.busy', { count: number(taken) })}
            </button>
            <button type="button" onClick={onClose}>
              {t('cancel')}
            </button>
          </div>
        </>
      )}
    </Dialog>
  );
}

/* --- the list --------------------------------------------------------------------------------------- */

function Row({ entry, onUnlike }: { entry: Entry; onUnlike: () => void }) {
  const { wanted, busy } = likeOf(entry.item).value;

  return (
    <li class={wanted ? '' : 'off'}>
      <Poster id={entry.item} />
      <div>
        <strong>{t('player.clip', { item: entry.item })}</strong>
        <time dateTime={new Date(entry.time_ms).toISOString()} title={moment(entry.time_ms)}>
          {ago(entry.time_ms)}
        </time>
        {busy && <span class="quiet">{t('player.pending')}</span>}
      </div>
      <button
        type="button"
        class={`act like${wanted ? ' on' : ''}${busy ? ' pending' : ''}`}
        aria-pressed={wanted}
        aria-label={t('player.like', { item: entry.item })}
        onClick={() => (wanted ? onUnlike() : void setLike(entry.item, true))}
      >
        <Icon name="heart" filled={wanted} />
      </button>
    </li>
  );
}

export function MineView() {
  const mine = useMine();
  const [text, setText] = useState('');
  const [span, setSpan] = useState<Span>('all');
  const [cleaning, clean] = useState(false);
  const { unlike, dialog } = useUnlike();
  const [young, old] = ages[span];
  const now = Date.now();
  const found = mine.entries.filter(
    ({ item, time_ms }) => item.includes(text.trim()) && now - time_ms >= young && now - time_ms <= old,
  );
  const searching = text.trim() !== '' || span !== 'all';

  /* A search looks at the older pages too, a bounded number of them. */
  useEffect(() => {
    if (searching && !mine.done && !mine.busy && !mine.problem && found.length < PAGE && mine.entries.length < PAGE * LOOK_MAX) mine.more();
  }, [text, span, mine.entries.length]);

  return (
    <div class="stack mine">
      <h1>{t('mine.title')}</h1>
      <div class="card">
        <Field label={t('mine.search')} value={text} onInput={setText} type="search" inputMode="numeric" autoComplete="off" />
        <Choice<Span>
          label={t('mine.when')}
          value={span}
          options={(['all', 'day', 'week', 'month', 'older'] as Span[]).map((one) => [one, t(`mine.when.${one}`)])}
          onChange={setSpan}
        />
        <div class="row">
          <p class="quiet" role="status">
            {many('mine.found', found.length)}
            {!mine.done && mine.entries.length > 0 ? ` ${t('mine.sofar')}` : ''}
          </p>
          <button type="button" disabled={mine.entries.length === 0} onClick={() => clean(true)}>
            {t('mine.clean')}
          </button>
        </div>
      </div>
      {mine.problem && <Refused problem={mine.problem} again={mine.again} />}
      {found.length === 0 && !mine.problem && (mine.busy ? <Loading /> : <Empty icon="heart">{t(searching ? 'mine.none.found' : 'mine.none')}</Empty>)}
      <ul class="likes">
        {found.map((entry) => (
          <Row key={entry.item} entry={entry} onUnlike={() => unlike(entry.item)} />
        ))}
      </ul>
      {!mine.done && mine.entries.length > 0 && (
        <button type="button" disabled={mine.busy} onClick={mine.more}>
          {mine.busy ? t('loading') : t('more')}
        </button>
      )}
      {dialog}
      {cleaning && <CleanUp span={span} onClose={() => clean(false)} onDone={mine.again} />}
    </div>
  );
}
