/* What this account is told: acts on what is its own, and decisions about it (docs/notices.md). */
import { useState } from 'preact/hooks';
import { call, get, type Problem } from '../../base/api';
import { me } from '../../base/session';
import { ago, has, moment, t, tell } from '../../base/words';
import { Badge, Empty, Loading, Refused } from '../../ui/parts';
import { useLoad } from '../../ui/load';
import { toast } from '../../ui/toast';

interface Notice {
  notice: string;
  kind: string;
  what: string;
  time_ms: number;
  unread: boolean;
  over?: boolean;
  item?: string | null;
  account?: string | null;
  count?: number;
  until_ms?: number | null;
}

const word = (prefix: string, name: string): string => (has(`${prefix}.${name}`) ? t(`${prefix}.${name}`) : name);

export function NoticesView() {
  const [round, turn] = useState(0);
  const { data, problem, busy, again } = useLoad(
    (signal) => get<{ unread: number; entries: Notice[] }>(`/v1/accounts/${me.value}/notices?count=48`, { signal }),
    [me.value, round],
  );
  const readAll = (newest: string): void =>
    void call('PUT', `/v1/accounts/${me.value}/notices/${newest}/read`).then(
      () => turn((value) => value + 1),
      (error: Problem) => toast(tell(error), { bad: true }),
    );

  return (
    <div class="stack">
      <div class="row apart">
        <h1>{t('notices.title')}</h1>
        {data && data.unread > 0 && (
          <button type="button" onClick={() => readAll(data.entries[0]!.notice)}>
            {t('notices.read', { count: data.unread })}
          </button>
        )}
      </div>
      {problem && <Refused problem={problem} again={again} />}
      {!data && busy && <Loading />}
      {data?.entries.length === 0 && <Empty icon="bell">{t('notices.none')}</Empty>}
      <ul class="notices">
        {data?.entries.map((one) => (
          <li key={one.notice} class="card">
            <p>
              {one.unread && <Badge tone="warn">{t('notices.new')}</Badge>} <strong>{word('notices.kind', one.kind)}</strong>:{' '}
              {word('notices.what', one.what)}
              {one.count && one.count > 1 ? ` × ${one.count}` : ''}
            </p>
            <p class="quiet">
              {one.item ? `${t('player.clip', { item: one.item })} · ` : ''}
              <time dateTime={new Date(one.time_ms).toISOString()} title={moment(one.time_ms)}>
                {ago(one.time_ms)}
              </time>
              {one.until_ms ? ` · ${t('notices.until', { time: moment(one.until_ms) })}` : ''}
              {one.over ? ` · ${t('notices.over')}` : ''}
            </p>
          </li>
        ))}
      </ul>
      <p class="quiet">{t('notices.tip')}</p>
    </div>
  );
}
