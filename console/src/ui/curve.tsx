/* Curves, drawn as SVG: a line is a few hundred bytes of path, takes its colours from the page, is as
 * sharp as the screen and can be read out. (uPlot draws 100 000 points at 60 a second into a canvas; a
 * page here has some hundred, and uPlot alone would be a quarter of the size budget.) */
import { useId, useRef, useState } from 'preact/hooks';

export interface Line {
  name: string;
  values: (number | null)[]; // null: not known
  low?: (number | null)[]; // an interval around it
  high?: (number | null)[];
}

const WIDE = 640;
const HIGH = 220;
const EDGE = { left: 8, right: 8, top: 12, bottom: 8 };

function top(lines: Line[]): number {
  const all = lines.flatMap((line) => [...line.values, ...(line.high ?? [])]).filter((value) => value !== null);
  return Math.max(1e-9, ...(all as number[]));
}

export function Curve({
  label,
  x,
  lines,
  show,
  showX,
}: {
  label: string;
  x: number[];
  lines: Line[];
  show: (value: number) => string;
  showX: (value: number) => string;
}) {
  const id = useId();
  const at = useRef<SVGSVGElement>(null);
  const [picked, pick] = useState<number | null>(null);
  const most = top(lines) * 1.08;
  const from = x[0] ?? 0;
  const span = Math.max(1e-9, (x[x.length - 1] ?? 1) - from);
  const px = (value: number): number => EDGE.left + ((value - from) / span) * (WIDE - EDGE.left - EDGE.right);
  const py = (value: number): number => HIGH - EDGE.bottom - (value / most) * (HIGH - EDGE.top - EDGE.bottom);
  const path = (values: (number | null)[]): string => {
    let pen = 'M';
    return values
      .map((value, i) => {
        if (value === null) {
          pen = 'M';
          return '';
        }
        const step = `${pen}${px(x[i]!).toFixed(1)} ${py(value).toFixed(1)}`;
        pen = 'L';
        return step;
      })
      .join('');
  };
  const band = (line: Line): string => {
    const up = x.map((value, i) => [px(value), line.high?.[i] ?? null] as const).filter(([, v]) => v !== null);
    const down = x.map((value, i) => [px(value), line.low?.[i] ?? null] as const).filter(([, v]) => v !== null);
    if (up.length === 0) return '';
    const points = [...up, ...down.reverse()].map(([a, b]) => `${a.toFixed(1)} ${py(b as number).toFixed(1)}`);
    return `M${points.join('L')}Z`;
  };
  const nearest = (clientX: number): number => {
    const box = at.current!.getBoundingClientRect();
    const value = from + (((clientX - box.left) / box.width) * WIDE - EDGE.left) / (WIDE - EDGE.left - EDGE.right) * span;
    return x.reduce((best, one, i) => (Math.abs(one - value) < Math.abs(x[best]! - value) ? i : best), 0);
  };
  const move = (step: number): void => pick(Math.min(x.length - 1, Math.max(0, (picked ?? x.length - 1) + step)));
  const shown = picked ?? x.length - 1;
  const words = lines.map((line) => `${line.name} ${line.values[shown] == null ? '–' : show(line.values[shown]!)}`).join(', ');

  if (x.length === 0) return null;
  return (
    <figure class="curve">
      <figcaption>
        <span id={id}>{label}</span>
        <output>
          {showX(x[shown]!)}: {words}
        </output>
      </figcaption>
      <div class="plot">
        <span class="most" aria-hidden="true">
          {show(top(lines))}
        </span>
        <svg
        ref={at}
        viewBox={`0 0 ${WIDE} ${HIGH}`}
        preserveAspectRatio="none"
        role="slider"
        tabIndex={0}
        aria-labelledby={id}
        aria-valuemin={0}
        aria-valuemax={x.length - 1}
        aria-valuenow={shown}
        aria-valuetext={`${showX(x[shown]!)}: ${words}`}
        onPointerMove={(event) => pick(nearest(event.clientX))}
        onPointerLeave={() => pick(null)}
        onKeyDown={(event) => {
          if (event.key === 'ArrowLeft') move(-1);
          else if (event.key === 'ArrowRight') move(1);
          else return;
          event.preventDefault();
        }}
      >
        {[0.25, 0.5, 0.75].map((part) => (
          <line key={part} class="grid" x1="0" x2={WIDE} y1={py(most * part)} y2={py(most * part)} />
        ))}
        {lines.map((line, i) => line.high && <path key={`b${i}`} class={`band tone${i}`} d={band(line)} />)}
        {lines.map((line, i) => (
          <path key={i} class={`line tone${i}`} d={path(line.values)} />
        ))}
        <line class="cursor" x1={px(x[shown]!)} x2={px(x[shown]!)} y1={EDGE.top} y2={HIGH - EDGE.bottom} />
        </svg>
      </div>
      {lines.length > 1 && (
        <ul class="key">
          {lines.map((line, i) => (
            <li key={line.name} class={`tone${i}`}>
              {line.name}
            </li>
          ))}
        </ul>
      )}
    </figure>
  );
}
