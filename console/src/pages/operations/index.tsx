/* How the node is: its modes, what it does a second, how late its readers are, what the audit found. */
import { useEffect } from 'preact/hooks';
import { session } from '../../base/session';
import { ago, has, moment, number, percent, short, t } from '../../base/words';
import { Curve } from '../../ui/curve';
import { Badge, Card, Empty, Loading, Refused, Stat, Stats } from '../../ui/parts';
import { Table, type Column } from '../../ui/table';
import en from './en.json';
import './operations.css';
import { follow, rate, samples, series, STEP_MS, trouble, value, within, type Sample } from './metrics';
import zh from './zh.json';

export const words = { en, zh };

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

function bytes(amount: number): string {
  const step = amount < 1 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log2(amount) / 10));
  return `${number(amount / 1024 ** step, step === 0 ? 0 : 1)} ${UNITS[step]}`;
}

function time(seconds: number | null): string {
  if (seconds === null) return '–';
  if (seconds === Infinity) return t('operations.over');
  return seconds < 0.001 ? `${number(seconds * 1e6)} µs` : seconds < 1 ? `${number(seconds * 1e3, 1)} ms` : `${number(seconds, 1)} s`;
}

/* --- modes ------------------------------------------------------------------------------------------ */

const GRAVE = ['nospace', 'readonly', 'failed', 'stopping'];
const told = (mode: string): string => (has(`operations.mode.${mode}`) ? t(`operations.mode.${mode}`) : mode);

function Modes({ now }: { now: Sample }) {
  const held = series(now, 'zan_mode_since_seconds');

  return (
    <Card title={t('operations.modes')} aside={<span class="quiet">{t('operations.version', { version: series(now, 'zan_build_info')[0]?.[0].version ?? '' })}</span>}>
      <ul class="modes">
        {held.map(([labels, since]) => (
          <li key={labels.mode}>
            <Badge tone={labels.mode === 'normal' ? 'good' : GRAVE.includes(labels.mode ?? '') ? 'bad' : 'warn'}>{labels.mode}</Badge>{' '}
            {told(labels.mode ?? '')} <span class="quiet">{t('operations.since', { time: moment(since * 1000) })}</span>{' '}
            {labels.reason && <span class="quiet">{labels.reason}</span>}
          </li>
        ))}
      </ul>
    </Card>
  );
}

/* --- what it does ----------------------------------------------------------------------------------- */

function Work({ all }: { all: Sample[] }) {
  const now = all[all.length - 1]!;
  const from = all[Math.max(0, all.length - 31)]!; // a minute
  const pairs = all.slice(1).map((to, i) => [all[i]!, to] as const);
  const per = (name: string): number[] => pairs.map(([before, to]) => rate(before, to, name));

  return (
    <Card title={t('operations.work')} aside={<Badge tone="good">{t('operations.live')}</Badge>}>
      <Stats>
        <Stat name={t('operations.requests')} value={t('operations.per', { count: short(rate(from, now, 'zan_requests_total')) })} />
        <Stat name={t('operations.records')} value={t('operations.per', { count: short(rate(from, now, 'zan_sequence_durable')) })} />
        <Stat name={t('operations.half')} value={time(within(from, now, 0.5))} note={t('operations.most')} />
        <Stat name={t('operations.p99')} value={time(within(from, now, 0.99))} note={t('operations.most')} />
        <Stat name={t('operations.connections')} value={number(value(now, 'zan_connections_open') + value(now, 'zan_http_connections_open'))} />
        <Stat
          name={t('operations.waiting')}
          value={number(value(now, 'zan_sequence_decided') - value(now, 'zan_sequence_durable'))}
          note={t('operations.waiting.note')}
        />
      </Stats>
      {pairs.length > 1 ? (
        <Curve
          label={t('operations.curve')}
          x={pairs.map(([, to]) => to.at)}
          lines={[
            { name: t('operations.requests'), values: per('zan_requests_total') },
            { name: t('operations.records'), values: per('zan_sequence_durable') },
          ]}
          show={(amount) => t('operations.per', { count: short(amount) })}
          showX={(at) => ago(at)}
        />
      ) : (
        <p class="quiet">{t('operations.soon', { seconds: number((3 * STEP_MS) / 1000) })}</p>
      )}
    </Card>
  );
}

/* --- readers ---------------------------------------------------------------------------------------- */

interface Reader {
  name: string;
  stalled: boolean;
  records: number;
  late: number;
  rows: number;
  rowsMax: number;
  bytes: number;
}

function readersOf(now: Sample): Reader[] {
  return series(now, 'zan_reader_stalled').map(([labels, stalled]) => {
    const of = (name: string): number => value(now, `zan_reader_${name}{reader="${labels.reader}"}`);
    return {
      name: labels.reader ?? '',
      stalled: stalled > 0,
      records: of('lag_records'),
      late: of('lag_seconds'),
      rows: of('rows'),
      rowsMax: of('rows_max'),
      bytes: of('bytes'),
    };
  });
}

function Readers({ now }: { now: Sample }) {
  const rows = readersOf(now);
  const columns: Column<Reader>[] = [
    { name: t('operations.reader'), key: 'reader', of: (row) => row.name },
    {
      name: t('operations.state'),
      key: 'stalled',
      of: (row) => (row.stalled ? 'yes' : 'no'),
      show: (row) => <Badge tone={row.stalled ? 'bad' : 'good'}>{t(row.stalled ? 'operations.stalled' : 'operations.follows')}</Badge>,
    },
    { name: t('operations.late'), key: 'late_s', of: (row) => row.late, show: (row) => time(row.late), right: true },
    { name: t('operations.behind'), key: 'lag_records', of: (row) => row.records, show: (row) => number(row.records), right: true },
    { name: t('operations.full'), key: 'rows', of: (row) => row.rows, show: (row) => percent(row.rowsMax > 0 ? row.rows / row.rowsMax : 0), right: true },
    { name: t('operations.memory'), key: 'bytes', of: (row) => row.bytes, show: (row) => bytes(row.bytes), right: true },
  ];

  return (
    <Card title={t('operations.readers')}>
      <p class="quiet">{t('operations.readers.what')}</p>
      {rows.length === 0 ? <Empty>{t('operations.readers.none')}</Empty> : <Table caption={t('operations.readers')} file="readers" columns={columns} rows={rows} />}
    </Card>
  );
}

/* --- audit, log, store ------------------------------------------------------------------------------ */

function Audit({ now }: { now: Sample }) {
  const differences = value(now, 'zan_audit_differences_total');
  const lost = value(now, 'zan_scrub_lost_total') + value(now, 'zan_scrub_unrepaired_total');

  return (
    <Card
      title={t('operations.audit')}
      aside={<Badge tone={differences + lost === 0 ? 'good' : 'bad'}>{t(differences + lost === 0 ? 'operations.clean' : 'operations.dirty')}</Badge>}
    >
      <p class="quiet">{t('operations.audit.what')}</p>
      <Stats>
        <Stat name={t('operations.differences')} value={number(differences)} tone={differences === 0 ? 'good' : 'bad'} />
        <Stat name={t('operations.rounds')} value={number(value(now, 'zan_audit_rounds_total'))} />
        <Stat name={t('operations.items')} value={short(value(now, 'zan_audit_items_total'))} />
        <Stat name={t('operations.scrubbed')} value={bytes(value(now, 'zan_scrub_bytes_total'))} />
        <Stat name={t('operations.repaired')} value={number(value(now, 'zan_scrub_repaired_total'))} />
        <Stat name={t('operations.mirror')} value={number(value(now, 'zan_mirror_losses_total'))} />
      </Stats>
    </Card>
  );
}

function Room({ now }: { now: Sample }) {
  const judged = value(now, 'zan_judged_total');

  return (
    <>
      <Card title={t('operations.room')}>
        <Stats>
          <Stat name={t('operations.memory')} value={bytes(value(now, 'zan_resident_memory_bytes'))} />
          <Stat name={t('operations.edges')} value={percent(value(now, 'zan_edges_hot') / Math.max(1, value(now, 'zan_edges_room')))} />
          <Stat name={t('operations.log')} value={bytes(value(now, 'zan_log_written_bytes_total'))} note={t('operations.log.note')} />
          <Stat name={t('operations.store')} value={bytes(value(now, 'zan_store_size_bytes'))} />
          <Stat name={t('operations.partitions')} value={number(value(now, 'zan_partitions'))} />
          <Stat name={t('operations.up')} value={ago(value(now, 'zan_start_time_seconds') * 1000)} />
        </Stats>
      </Card>
      <Card title={t('operations.judged')}>
        <Stats>
          <Stat name={t('operations.judged.all')} value={short(judged)} />
          <Stat name={t('operations.judged.held')} value={short(value(now, 'zan_judge_held_total'))} />
          <Stat name={t('operations.judged.less')} value={short(value(now, 'zan_judge_devalued_total'))} />
          <Stat name={t('operations.judged.apart')} value={short(value(now, 'zan_judge_quarantined_total'))} />
          <Stat name={t('operations.judged.no')} value={short(value(now, 'zan_judge_refused_total'))} />
          <Stat name={t('operations.cases')} value={number(value(now, 'zan_cases_waiting'))} />
        </Stats>
      </Card>
    </>
  );
}

/* --- verbs ------------------------------------------------------------------------------------------ */

function Verbs({ all }: { all: Sample[] }) {
  const now = all[all.length - 1]!;
  const from = all[Math.max(0, all.length - 31)]!;
  const rows = series(now, 'zan_requests_total')
    .filter(([, count]) => count > 0)
    .map(([labels, count]) => ({ verb: labels.verb ?? '', count, rate: rate(from, now, `zan_requests_total{verb="${labels.verb}"}`) }))
    .sort((a, b) => b.rate - a.rate || b.count - a.count);
  const columns: Column<(typeof rows)[number]>[] = [
    { name: t('operations.verb'), key: 'verb', of: (row) => row.verb, show: (row) => <code>{row.verb}</code> },
    { name: t('operations.rate'), key: 'per_second', of: (row) => row.rate, show: (row) => number(row.rate, 1), right: true },
    { name: t('operations.count'), key: 'total', of: (row) => row.count, show: (row) => number(row.count), right: true },
  ];

  return (
    <Card title={t('operations.verbs')}>
      <Table caption={t('operations.verbs')} file="requests" columns={columns} rows={rows} />
    </Card>
  );
}

export function View() {
  const all = samples.value;
  const now = all[all.length - 1];

  useEffect(follow, []);
  return (
    <div class="stack">
      <h1>{t('operations.title')}</h1>
      {trouble.value && <Refused problem={trouble.value} />}
      {!now && !trouble.value && <Loading />}
      {now && (
        <>
          <Modes now={now} />
          <Work all={all} />
          <Readers now={now} />
          <Audit now={now} />
          <Room now={now} />
          <Verbs all={all} />
          <Card title={t('operations.more')}>
            <p>{t('operations.more.what')}</p>
            <p class="row">
              <a href="/console/grafana.json" download="zan-grafana.json">
                {t('operations.grafana')}
              </a>
              {session.value?.open && <a href="/metrics">{t('operations.metrics')}</a>}
              <a href="/openapi.json">{t('operations.openapi')}</a>
            </p>
          </Card>
        </>
      )}
    </div>
  );
}
