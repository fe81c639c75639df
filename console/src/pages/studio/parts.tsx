/* Pieces of the studio: the funnel, bands, what is said of small audiences and of lateness. */
import { has, many, number, percent, t } from '../../base/words';
import { Badge } from '../../ui/parts';
import { Heat } from '../../ui/heat';
import { Table, type Column } from '../../ui/table';
import type { Band, Comparable, Hour, Region, Step } from './shapes';

export const word = (prefix: string, name: string): string => (has(`${prefix}.${name}`) ? t(`${prefix}.${name}`) : name);

const FUNNEL = ['shown', 'view', 'hold_3s', 'finish', 'like', 'comment', 'share', 'follow'];

export function Against({ against }: { against: string | undefined }) {
  const tone = against === 'better' ? 'good' : against === 'worse' ? 'bad' : 'plain';
  return against === undefined ? null : <Badge tone={tone}>{t(`studio.against.${against}`)}</Badge>;
}

/* How far people go. A bar is the share of those it was shown to; the mark is where comparable items are. */
export function Funnel({ steps }: { steps: Step[] }) {
  return (
    <ol class="funnel">
      {steps
        .filter((step) => FUNNEL.includes(step.step))
        .map((step) => (
          <li key={step.step}>
            <span class="name">{word('studio.step', step.step)}</span>
            <span class="track" aria-hidden="true">
              <i style={{ width: `${Math.max(0.4, Math.min(1, step.rate) * 100)}%` }} />
              {step.expected_rate != null && step.step !== 'shown' && <b style={{ left: `${Math.min(1, step.expected_rate) * 100}%` }} />}
            </span>
            <span class="figure">
              <strong>{number(step.raw)}</strong> {percent(step.rate)}
            </span>
            <Against against={step.against} />
          </li>
        ))}
    </ol>
  );
}

export function StepTable({ steps, file }: { steps: Step[]; file: string }) {
  const compared = steps.some((step) => step.expected != null);
  const columns: Column<Step>[] = [
    { name: t('studio.step'), key: 'step', of: (step) => step.step, show: (step) => word('studio.step', step.step) },
    { name: t('studio.raw'), key: 'raw', of: (step) => step.raw, show: (step) => number(step.raw), right: true },
    { name: t('studio.valid'), key: 'valid', of: (step) => step.valid, show: (step) => number(step.valid), right: true },
    { name: t('studio.credited'), key: 'credited', of: (step) => step.credited, show: (step) => number(step.credited, 1), right: true },
    {
      name: t('studio.rate'),
      key: 'rate',
      of: (step) => step.rate,
      show: (step) => `${percent(step.rate)} (${percent(step.low)} – ${percent(step.high)})`,
      right: true,
    },
    ...(compared
      ? [
          {
            name: t('studio.expected'),
            key: 'expected',
            of: (step: Step) => step.expected ?? null,
            show: (step: Step) =>
              step.expected == null ? '–' : `${number(step.expected, 1)} (${number(step.expected_low ?? 0, 1)} – ${number(step.expected_high ?? 0, 1)})`,
            right: true,
          },
          { name: t('studio.against'), key: 'against', of: (step: Step) => step.against ?? null, show: (step: Step) => <Against against={step.against} /> },
        ]
      : []),
  ];
  return <Table caption={t('studio.figures')} file={file} columns={columns} rows={steps} />;
}

/* What is compared with. */
export function Beside({ comparable }: { comparable: Comparable }) {
  const words =
    comparable.by === 'none' ? t('studio.compare.none') : many(`studio.compare.${comparable.by}`, comparable.items, { tag: comparable.tag ?? '' });
  return <p class="quiet">{words}</p>;
}

/* bare: what it stands in has its title already. */
export function Bands({ title, prefix, bands, bare = false }: { title: string; prefix: string; bands: Band[]; bare?: boolean }) {
  const all = bands.reduce((sum, band) => sum + band.accounts, 0);
  return (
    <div>
      {!bare && <h3>{title}</h3>}
      {all === 0 ? (
        <p class="quiet">{t('studio.few')}</p>
      ) : (
        <ul class="bands">
          {bands
            .filter((band) => band.accounts > 0)
            .map((band) => (
              <li key={band.band}>
                <span>{word(prefix, band.band)}</span>
                <span class="track" aria-hidden="true">
                  <i style={{ width: `${band.share * 100}%` }} />
                </span>
                <span class="figure">{percent(band.share, 0)}</span>
              </li>
            ))}
        </ul>
      )}
    </div>
  );
}

export const Withheld = ({ count }: { count: number }) => (count > 0 ? <p class="quiet">{many('studio.withheld', count)}</p> : null);

/* How old what is shown is. */
export const Late = ({ ms }: { ms: number }) => (
  <p class="quiet late">{ms < 1000 ? t('studio.fresh') : t('studio.late', { seconds: number(ms / 1000, 1) })}</p>
);

/* Hours come in UTC and are shown as the clock here has them (whole hours; the rest of the world's half
 * hours are rounded). */
const SHIFT = Math.round(-new Date().getTimezoneOffset() / 60);
export const localHour = (hour: number): number => (((hour + SHIFT) % 24) + 24) % 24;
export const clock = (hour: number): string => `${String(hour).padStart(2, '0')}:00`;

function turned(values: number[]): number[] {
  const local = new Array<number>(24).fill(0);
  values.forEach((value, hour) => (local[localHour(hour)] = value));
  return local;
}

export function HourMap({ title, hours, regions, bare = false }: { title: string; hours: Hour[]; regions: Region[]; bare?: boolean }) {
  const rows = [
    ...(hours.length > 0
      ? [
          { name: t('studio.hours.shown'), values: turned(hours.map((hour) => hour.shown)) },
          { name: t('studio.hours.likes'), values: turned(hours.map((hour) => hour.likes)) },
        ]
      : []),
    ...regions.map((region) => ({ name: region.region, values: turned(region.shown) })),
  ];
  return (
    <div>
      {!bare && <h3>{title}</h3>}
      {rows.length === 0 ? <p class="quiet">{t('studio.few')}</p> : <Heat caption={title} columns={[...Array(24).keys()].map(clock)} rows={rows} />}
    </div>
  );
}
