/* One item: what it has by now, how far people go, when, how long they watch, and where it loses. */
import { useEffect, useState } from 'preact/hooks';
import { get, write, type Problem } from '../../base/api';
import { totalsOf, watch } from '../../base/live';
import { link } from '../../base/router';
import { day, moment, number, percent, t, tell } from '../../base/words';
import { Curve } from '../../ui/curve';
import { useLoad } from '../../ui/load';
import { Badge, Card, Choice, Dialog, Field, Loading, Refused, Stat, Stats } from '../../ui/parts';
import { Poster } from '../../ui/poster';
import { Table } from '../../ui/table';
import { toast } from '../../ui/toast';
import { Bands, Beside, Funnel, HourMap, Late, StepTable, Withheld, word } from './parts';
import type { Counts, Diagnosis, Gate, Heat, InsightItem, Shield, Timeline, Why } from './shapes';

/* Raw, valid, credited: asked again when the pushed total has moved. */
function useCounts(item: string) {
  const pushed = totalsOf(item).value;

  useEffect(() => watch([item]), [item]);
  return useLoad((signal) => get<{ counts: Counts }>(`/v1/items/${item}/counts`, { signal }), [item, pushed.like, pushed.view, pushed.comment]);
}

function Now({ item }: { item: string }) {
  const { data, problem } = useCounts(item);
  const heat = useLoad((signal) => get<Heat>(`/v1/items/${item}/heat`, { signal }), [item, data]).data;

  if (problem && !data) return <Refused problem={problem} />;
  if (!data) return <Loading />;
  const { likes, view, comment, share } = data.counts;
  const reasons = Object.entries(likes.reasons ?? {}).filter(([, count]) => count > 0);
  return (
    <>
      <Stats>
        <Stat name={t('studio.likes.raw')} value={number(likes.raw)} note={t('studio.likes.peak', { peak: number(likes.peak ?? likes.raw) })} />
        <Stat name={t('studio.likes.valid')} value={number(likes.valid)} note={t('studio.likes.valid.note')} />
        <Stat name={t('studio.likes.credited')} value={number(likes.credited, 1)} note={t('studio.likes.credited.note')} />
        <Stat name={t('studio.step.view')} value={number(view)} />
        <Stat name={t('studio.step.comment')} value={number(comment)} />
        <Stat name={t('studio.step.share')} value={number(share)} />
        {heat?.known && <Stat name={t('studio.heat')} value={number(heat.heat, 1)} note={t('studio.heat.note', { hours: number(heat.half_life_s / 3600) })} />}
      </Stats>
      {likes.held + likes.quarantined + likes.voided > 0 && (
        <p>
          {likes.held > 0 && <Badge tone="warn">{t('studio.held', { count: number(likes.held) })}</Badge>}{' '}
          {likes.quarantined > 0 && <Badge tone="warn">{t('studio.quarantined', { count: number(likes.quarantined) })}</Badge>}{' '}
          {likes.voided > 0 && <Badge tone="bad">{t('studio.voided', { count: number(likes.voided) })}</Badge>}
        </p>
      )}
      {reasons.length > 0 && (
        <ul class="dots">
          {reasons.map(([reason, count]) => (
            <li key={reason}>
              {word('studio.reason', reason)}: {number(count)}
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

/* --- over time -------------------------------------------------------------------------------------- */

type By = 'minute' | 'hour' | 'day';
const METRICS = ['like', 'unlike', 'shown', 'view', 'finish', 'comment', 'share', 'follow'];

function Times({ item }: { item: string }) {
  const [by, setBy] = useState<By>('hour');
  const [metric, setMetric] = useState('like');
  const like = totalsOf(item).value.like;
  const { data, problem, again } = useLoad(
    (signal) => get<Timeline>(`/v1/items/${item}/timeline?metric=${metric}&by=${by}&count=${by === 'day' ? 60 : 96}`, { signal }),
    [item, metric, by, like],
  );
  const points = data?.points ?? [];
  const first = Math.max(0, points.findIndex((point) => point.raw > 0) - 2);
  const shown = points.slice(first === -1 ? 0 : first);

  return (
    <Card title={t('studio.times')}>
      <div class="row">
        <div class="field short">
          <label for="metric">{t('studio.metric')}</label>
          <select id="metric" value={metric} onChange={(event) => setMetric(event.currentTarget.value)}>
            {METRICS.map((one) => (
              <option key={one} value={one}>
                {word('studio.step', one)}
              </option>
            ))}
          </select>
        </div>
        <Choice<By>
          label={t('studio.by')}
          value={by}
          options={[
            ['minute', t('studio.by.minute')],
            ['hour', t('studio.by.hour')],
            ['day', t('studio.by.day')],
          ]}
          onChange={setBy}
        />
      </div>
      {problem && <Refused problem={problem} again={again} />}
      {shown.length > 1 && (
        <Curve
          label={word('studio.step', metric)}
          x={shown.map((point) => point.at_ms)}
          lines={[
            { name: t('studio.raw'), values: shown.map((point) => point.raw) },
            { name: t('studio.credited'), values: shown.map((point) => point.credited) },
          ]}
          show={(value) => number(value, 1)}
          showX={(at) => (by === 'day' ? day(at) : moment(at))}
        />
      )}
      {data && !data.complete && <p class="quiet">{t('studio.holes')}</p>}
      {shown.length > 0 && (
        <details>
          <summary>{t('studio.figures')}</summary>
          <Table
            caption={t('studio.times')}
            file={`item-${item}-${metric}-${by}`}
            columns={[
              { name: t('studio.when'), key: 'at_ms', of: (row) => row.at_ms, show: (row) => (by === 'day' ? day(row.at_ms) : moment(row.at_ms)) },
              { name: t('studio.raw'), key: 'raw', of: (row) => row.raw, right: true },
              { name: t('studio.valid'), key: 'valid', of: (row) => row.valid, right: true },
              { name: t('studio.credited'), key: 'credited', of: (row) => row.credited, right: true },
            ]}
            rows={shown.filter((row) => row.raw > 0).reverse()}
          />
        </details>
      )}
    </Card>
  );
}

function Retention({ points }: { points: InsightItem['retention'] }) {
  const timed = points.filter((point): point is { until_ms: number; left: number } => point.until_ms !== null);
  const gone = timed.findIndex((point) => point.left < 0.02); // what follows is a flat line
  const known = gone < 0 ? timed : timed.slice(0, gone + 1);

  if (known.length < 2) return null;
  return (
    <Card title={t('studio.retention')}>
      <Curve
        label={t('studio.retention.left')}
        x={[0, ...known.map((point) => point.until_ms)]}
        lines={[{ name: t('studio.retention.share'), values: [1, ...known.map((point) => point.left)] }]}
        show={(value) => percent(value, 0)}
        showX={(ms) => t('studio.seconds', { seconds: number(ms / 1000, 1) })}
      />
    </Card>
  );
}

/* --- where it loses --------------------------------------------------------------------------------- */

const share = (value: number | null): string => (value === null ? '–' : value <= 1 ? percent(value) : number(value, 1));

function Causes({ item }: { item: string }) {
  const { data, problem, again } = useLoad((signal) => get<Diagnosis>(`/v1/items/${item}/diagnosis`, { signal }), [item]);

  if (problem?.code === 'NOROUTE') return null;
  return (
    <Card title={t('studio.why')}>
      {problem && <Refused problem={problem} again={again} />}
      {!data && !problem && <Loading />}
      {data && (
        <>
          <p>
            {data.expected === null
              ? t('studio.why.none')
              : data.lost > 0
                ? t('studio.why.lost', { lost: number(data.lost, 1), expected: number(data.expected, 1), likes: number(data.likes, 1) })
                : t('studio.why.fine', { expected: number(data.expected, 1), likes: number(data.likes, 1) })}
          </p>
          <Beside comparable={data.comparable} />
          <ol class="causes">
            {data.causes
              .filter((one) => one.verdict === 'found' || one.verdict === 'likely')
              .map((one) => (
                <li key={one.cause}>
                  <header>
                    <Badge tone={one.verdict === 'found' ? 'bad' : 'warn'}>{t(`studio.verdict.${one.verdict}`)}</Badge>
                    <strong>{word('studio.cause', one.cause)}</strong>
                    <Badge>{word('studio.group', one.group)}</Badge>
                  </header>
                  <p>
                    {t('studio.why.number', { number: share(one.number), compared: share(one.compared), n: number(one.n) })}
                    {one.lost > 0 && ` ${t('studio.why.costs', { lost: number(one.lost, 1) })}`}
                  </p>
                  <p class="try">{word('studio.try', one.cause)}</p>
                  {one.evidence && <p class="quiet">{one.evidence}</p>}
                </li>
              ))}
          </ol>
          <details>
            <summary>{t('studio.why.all')}</summary>
            <Table
              caption={t('studio.why')}
              file={`item-${item}-diagnosis`}
              columns={[
                { name: t('studio.why.cause'), key: 'cause', of: (row) => row.cause, show: (row) => word('studio.cause', row.cause) },
                { name: t('studio.why.verdict'), key: 'verdict', of: (row) => row.verdict, show: (row) => word('studio.verdict', row.verdict) },
                { name: t('studio.why.here'), key: 'number', of: (row) => row.number, show: (row) => share(row.number), right: true },
                { name: t('studio.expected'), key: 'compared', of: (row) => row.compared, show: (row) => share(row.compared), right: true },
                { name: t('studio.why.lostlikes'), key: 'lost', of: (row) => row.lost, show: (row) => number(row.lost, 1), right: true },
              ]}
              rows={data.causes}
            />
          </details>
        </>
      )}
    </Card>
  );
}

function Reach({ item }: { item: string }) {
  const { data, problem, again } = useLoad((signal) => get<Why>(`/v1/items/${item}/why`, { signal }), [item]);
  const gates = data?.gates.filter((gate) => gate.impressions > 0) ?? [];

  return (
    <Card title={t('studio.reach')}>
      {problem && <Refused problem={problem} again={again} />}
      {data && (
        <>
          <p>
            <Badge tone={data.state === 'stopped' ? 'bad' : 'plain'}>{word('studio.state', data.state)}</Badge>{' '}
            {data.state === 'on-its-ladder' && t('studio.reach.stage', { stage: data.stage, used: number(data.used), budget: number(data.budget) })}
            {data.ends_ms !== null && t('studio.reach.ends', { time: moment(data.ends_ms) })}
          </p>
          {!data.decides && <p class="quiet">{t('studio.reach.off')}</p>}
          {gates.length > 0 && (
            <Table<Gate>
              caption={t('studio.reach')}
              file={`item-${item}-gates`}
              columns={[
                { name: t('studio.gate.metric'), key: 'metric', of: (gate) => gate.metric, show: (gate) => word('studio.gate', gate.metric) },
                { name: t('studio.gate.audience'), key: 'audience', of: (gate) => gate.audience, show: (gate) => word('studio.gate', gate.audience) },
                { name: t('studio.gate.n'), key: 'impressions', of: (gate) => gate.impressions, show: (gate) => number(gate.impressions), right: true },
                {
                  name: t('studio.rate'),
                  key: 'rate',
                  of: (gate) => gate.rate,
                  show: (gate) => `${percent(gate.rate)} (${percent(gate.low)} – ${percent(gate.high)})`,
                  right: true,
                },
                { name: t('studio.gate.bar'), key: 'bar', of: (gate) => gate.bar, show: (gate) => percent(gate.bar), right: true },
                { name: t('studio.gate.sure'), key: 'sure', of: (gate) => gate.sure, show: (gate) => percent(gate.sure, 0), right: true },
              ]}
              rows={gates}
            />
          )}
        </>
      )}
    </Card>
  );
}

/* --- the shield ------------------------------------------------------------------------------------- */

function Disavow({ item, onClose, onDone }: { item: string; onClose: () => void; onDone: () => void }) {
  const [reason, setReason] = useState('');
  const send = async (): Promise<void> => {
    try {
      await write('POST', `/v1/items/${item}/disavowals`, { body: { reason } });
      toast(t('studio.disavow.done'));
      onDone();
    } catch (error) {
      toast(tell(error as Problem), { bad: true });
    }
    onClose();
  };

  return (
    <Dialog title={t('studio.disavow')} onClose={onClose}>
      <p>{t('studio.disavow.what')}</p>
      <Field label={t('studio.disavow.reason')} value={reason} onInput={setReason} />
      <button type="button" class="main" disabled={reason.trim() === ''} onClick={() => void send()}>
        {t('studio.disavow.send')}
      </button>
    </Dialog>
  );
}

function Shielded({ item }: { item: string }) {
  const { data, problem, again } = useLoad((signal) => get<Shield>(`/v1/items/${item}/shield`, { signal }), [item]);
  const [asking, ask] = useState(false);

  return (
    <Card title={t('studio.shield')}>
      {problem && <Refused problem={problem} again={again} />}
      {data && (
        <>
          <p>
            {data.window_until_ms !== null && data.window_until_ms > Date.now()
              ? t('studio.shield.window', { time: moment(data.window_until_ms) })
              : data.cases.length === 0
                ? t('studio.shield.calm')
                : t('studio.shield.cases')}
          </p>
          <ul class="dots">
            {data.cases.map((one) => (
              <li key={one.case}>
                {moment(one.opened_ms)}: {word('studio.case', one.kind)} <Badge>{word('studio.case', one.state)}</Badge>
              </li>
            ))}
          </ul>
          <p>
            <button type="button" onClick={() => ask(true)}>
              {t('studio.disavow')}
            </button>
          </p>
        </>
      )}
      {asking && <Disavow item={item} onClose={() => ask(false)} onDone={again} />}
    </Card>
  );
}

/* --- all -------------------------------------------------------------------------------------------- */

export function ItemView({ item }: { item: string }) {
  const { data, problem, again } = useLoad((signal) => get<InsightItem>(`/v1/items/${item}/insight`, { signal }), [item]);

  return (
    <div class="stack">
      <div class="heading">
        <Poster id={item} />
        <div>
          <p>
            <a href={link('studio')}>{t('studio.back')}</a>
          </p>
          <h1>{t('studio.item', { item })}</h1>
          {data?.known && (
            <p class="quiet">
              {data.published_ms !== null && t('studio.published', { time: moment(data.published_ms) })}{' '}
              {data.tags.filter(Boolean).map((tag) => (
                <Badge key={tag}>{tag}</Badge>
              ))}
            </p>
          )}
        </div>
      </div>
      <Card title={t('studio.now')} aside={<Badge tone="good">{t('studio.live')}</Badge>}>
        <Now item={item} />
      </Card>
      {problem && <Refused problem={problem} again={again} />}
      {data && !data.known && <p class="quiet">{t('studio.unknown')}</p>}
      {data?.known && (
        <>
          <Card title={t('studio.funnel')}>
            <Funnel steps={data.steps} />
            <Beside comparable={data.comparable} />
            <p class="quiet">{t(`studio.basis.${data.basis}`)}</p>
            <details>
              <summary>{t('studio.figures')}</summary>
              <StepTable steps={data.steps} file={`item-${item}-steps`} />
            </details>
          </Card>
          <Causes item={item} />
          <Times item={item} />
          <Retention points={data.retention} />
          <Card title={t('studio.likers')}>
            <Stats>
              <Stat name={t('studio.peak')} value={number(data.likes.peak)} {...(data.likes.peak_ms ? { note: moment(data.likes.peak_ms) } : {})} />
              <Stat
                name={t('studio.unlikes')}
                value={percent(data.likes.rate)}
                note={t('studio.unlikes.of', { back: number(data.likes.taken_back), given: number(data.likes.given) })}
              />
              <Stat name={t('studio.met.new')} value={number(data.audience.new)} />
              <Stat name={t('studio.met.returning')} value={number(data.audience.returning)} />
            </Stats>
            <div class="cards">
              <Bands title={t('studio.quality')} prefix="studio.quality" bands={data.quality} />
              <Bands title={t('studio.ages')} prefix="studio.age" bands={data.ages} />
            </div>
            <HourMap title={t('studio.hours')} hours={data.hours} regions={data.regions} />
            <Withheld count={data.withheld} />
          </Card>
          <Late ms={data.late_ms} />
        </>
      )}
      <Reach item={item} />
      <Shielded item={item} />
    </div>
  );
}
