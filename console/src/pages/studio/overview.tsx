/* All of a creator: what he has received, day by day, topic by topic, item by item. */
import { useEffect, useState } from 'preact/hooks';
import { get } from '../../base/api';
import { totalsOf, watch } from '../../base/live';
import { go, link } from '../../base/router';
import { creator } from '../../base/session';
import { day, many, number, percent, short, t } from '../../base/words';
import { Curve } from '../../ui/curve';
import { useLoad } from '../../ui/load';
import { Badge, Card, Empty, Field, Loading, Refused, Stat, Stats } from '../../ui/parts';
import { Poster } from '../../ui/poster';
import { Table } from '../../ui/table';
import { Bands, Funnel, Late, StepTable, Withheld } from './parts';
import type { InsightCreator, Worth } from './shapes';

interface Received {
  received: { view: number; follow: number; comment: number; share: number; likes: Worth };
}

/* --- items ------------------------------------------------------------------------------------------ */

function Item({ item, heat }: { item: string; heat: number }) {
  const { like, view, comment } = totalsOf(item).value;

  return (
    <li>
      <a href={link('studio', 'item', item)}>
        <Poster id={item} />
        <strong>{t('studio.item', { item })}</strong>
        <span>{like === undefined ? '–' : many('studio.count.likes', like)}</span>
        <span class="quiet">
          {t('studio.count.rest', { views: view === undefined ? '–' : short(view), comments: comment === undefined ? '–' : short(comment) })}
        </span>
        <span class="quiet">{t('studio.count.heat', { heat: number(heat, 1) })}</span>
      </a>
    </li>
  );
}

function Items() {
  const [text, setText] = useState('');
  const { data, problem, again } = useLoad(
    (signal) => get<{ items: { item: string; heat: number }[] }>(`/v1/top?scope=creator&of=${creator.value}&count=50`, { signal }),
    [creator.value],
  );
  const ids = data?.items.map((one) => one.item) ?? [];

  useEffect(() => watch(ids), [ids.join()]);
  return (
    <Card title={t('studio.items')} aside={<Badge tone="good">{t('studio.live')}</Badge>}>
      {problem && <Refused problem={problem} again={again} />}
      {!data && !problem && <Loading />}
      {data?.items.length === 0 && <Empty icon="play">{t('studio.items.none')}</Empty>}
      <ul class="tiles">
        {data?.items.map((one) => (
          <Item key={one.item} {...one} />
        ))}
      </ul>
      <form
        class="row"
        onSubmit={(event) => {
          event.preventDefault();
          if (/^\d+$/.test(text.trim())) go('studio', 'item', text.trim());
        }}
      >
        <Field label={t('studio.open')} value={text} onInput={setText} inputMode="numeric" autoComplete="off" />
        <button type="submit">{t('studio.open.go')}</button>
      </form>
    </Card>
  );
}

/* --- topics ----------------------------------------------------------------------------------------- */

function Topics({ topics }: { topics: InsightCreator['topics'] }) {
  if (topics.length === 0) return null;
  return (
    <Card title={t('studio.topics')}>
      <Table
        caption={t('studio.topics')}
        file={`creator-${creator.value}-topics`}
        columns={[
          { name: t('studio.topic'), key: 'tag', of: (row) => row.tag, show: (row) => row.tag ?? t('studio.topic.none') },
          { name: t('studio.items'), key: 'items', of: (row) => row.items, right: true },
          { name: t('studio.step.shown'), key: 'impressions', of: (row) => row.impressions, show: (row) => number(row.impressions), right: true },
          {
            name: t('studio.likerate'),
            key: 'rate',
            of: (row) => row.rate,
            show: (row) => `${percent(row.rate)} (${percent(row.low)} – ${percent(row.high)})`,
            right: true,
          },
          { name: t('studio.topic.others'), key: 'others', of: (row) => row.others, show: (row) => (row.others === null ? '–' : percent(row.others)), right: true },
          {
            name: t('studio.topic.sure'),
            key: 'significant',
            of: (row) => String(row.significant),
            show: (row) =>
              row.significant ? <Badge tone={row.z > 0 ? 'good' : 'bad'}>{t(row.z > 0 ? 'studio.against.better' : 'studio.against.worse')}</Badge> : t('studio.topic.chance'),
          },
        ]}
        rows={topics}
      />
    </Card>
  );
}

/* --- all -------------------------------------------------------------------------------------------- */

export function Overview() {
  const insight = useLoad((signal) => get<InsightCreator>(`/v1/accounts/${creator.value}/insight`, { signal }), [creator.value]);
  const received = useLoad((signal) => get<Received>(`/v1/creators/${creator.value}/received`, { signal }), [creator.value, insight.data]).data;
  const { data, problem, again } = insight;
  const days = data?.days ?? [];
  const begun = days.findIndex((one) => one.shown + one.likes + one.follows > 0);
  const shown = begun < 0 ? [] : days.slice(Math.max(0, begun - 1));

  return (
    <div class="stack">
      <h1>{t('studio.hello', { creator: creator.value })}</h1>
      {received && (
        <Card title={t('studio.received')}>
          <Stats>
            <Stat name={t('studio.likes.raw')} value={number(received.received.likes.raw)} />
            <Stat name={t('studio.likes.valid')} value={number(received.received.likes.valid)} note={t('studio.likes.valid.note')} />
            <Stat name={t('studio.likes.credited')} value={number(received.received.likes.credited, 1)} note={t('studio.likes.credited.note')} />
            <Stat name={t('studio.step.view')} value={number(received.received.view)} />
            <Stat name={t('studio.followers')} value={number(received.received.follow)} {...(data?.known ? { note: t('studio.followers.gone', { count: number(data.follows_lost) }) } : {})} />
            {data?.known && (
              <Stat name={t('studio.convert')} value={percent(data.likers.rate)} note={t('studio.convert.of', { followed: number(data.likers.followed), likers: number(data.likers.likers) })} />
            )}
          </Stats>
        </Card>
      )}
      {problem && <Refused problem={problem} again={again} />}
      <Items />
      {shown.length > 1 && (
        <Card title={t('studio.days')}>
          <Curve
            label={t('studio.days.what')}
            x={shown.map((one) => one.at_ms)}
            lines={[
              { name: t('studio.step.like'), values: shown.map((one) => one.likes) },
              { name: t('studio.met.new'), values: shown.map((one) => one.new) },
              { name: t('studio.met.returning'), values: shown.map((one) => one.returning) },
            ]}
            show={(value) => number(value)}
            showX={day}
          />
          <details>
            <summary>{t('studio.figures')}</summary>
            <Table
              caption={t('studio.days')}
              file={`creator-${creator.value}-days`}
              columns={[
                { name: t('studio.when'), key: 'at_ms', of: (row) => row.at_ms, show: (row) => day(row.at_ms) },
                { name: t('studio.step.shown'), key: 'shown', of: (row) => row.shown, right: true },
                { name: t('studio.step.like'), key: 'likes', of: (row) => row.likes, right: true },
                { name: t('studio.step.unlike'), key: 'unlikes', of: (row) => row.unlikes, right: true },
                { name: t('studio.step.follow'), key: 'follows', of: (row) => row.follows, right: true },
                { name: t('studio.met.new'), key: 'new', of: (row) => row.new, right: true },
                { name: t('studio.met.returning'), key: 'returning', of: (row) => row.returning, right: true },
              ]}
              rows={shown}
            />
          </details>
        </Card>
      )}
      {data?.known && (
        <>
          <Card title={t('studio.funnel')}>
            <Funnel steps={data.steps} />
            <details>
              <summary>{t('studio.figures')}</summary>
              <StepTable steps={data.steps} file={`creator-${creator.value}-steps`} />
            </details>
          </Card>
          <Topics topics={data.topics} />
          <Card title={t('studio.quality')}>
            <Bands bare title={t('studio.quality')} prefix="studio.quality" bands={data.quality} />
            <Withheld count={data.withheld} />
          </Card>
          <Late ms={data.late_ms} />
        </>
      )}
    </div>
  );
}
