/* A picture for an item that has none here: hills under a sky, drawn from its number and nothing else,
 * so the same item always looks the same. No media is fetched from anywhere. */
import { useId } from 'preact/hooks';

/* Small, fast, good enough for pictures (mulberry32). */
function chance(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

function seedOf(text: string): number {
  let hash = 2166136261;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 16777619);
  return hash;
}

const SKIES: [string, string, string][] = [
  ['#1d2b53', '#7e4f8d', '#f2a07b'],
  ['#0f3443', '#34796f', '#cfe8b4'],
  ['#2b1b3d', '#8c3b5c', '#ffb88a'],
  ['#123456', '#4a7fb5', '#e4f1fb'],
  ['#26303f', '#6d7f95', '#f4d9b8'],
  ['#3a1c2f', '#b04a5a', '#ffd27d'],
];

/* One ridge across the picture, at height, as a path. */
function ridge(random: () => number, height: number, rough: number): string {
  const steps = 8;
  let path = `M0 640V${height}`;
  for (let i = 0; i <= steps; i++) {
    const x = (360 / steps) * i;
    path += `S${(x - 24).toFixed(0)} ${(height + (random() - 0.5) * rough).toFixed(0)} ${x.toFixed(0)} ${(height + (random() - 0.5) * rough).toFixed(0)}`;
  }
  return `${path}V640Z`;
}

export function Poster({ id }: { id: string }) {
  const random = chance(seedOf(id));
  const sky = SKIES[Math.floor(random() * SKIES.length)]!;
  const name = useId();
  const sunX = 60 + random() * 240;
  const sunY = 130 + random() * 150;
  const ridges = [0, 1, 2, 3].map((i) => ridge(random, 330 + i * 62 + random() * 30, 120 - i * 18));

  return (
    <svg class="poster" viewBox="0 0 360 640" preserveAspectRatio="xMidYMid slice" aria-hidden="true">
      <defs>
        <linearGradient id={name} x1="0" y1="0" x2="0" y2="1">
          <stop offset="0" stop-color={sky[0]} />
          <stop offset="0.55" stop-color={sky[1]} />
          <stop offset="1" stop-color={sky[2]} />
        </linearGradient>
      </defs>
      <rect width="360" height="640" fill={`url(#${name})`} />
      <circle cx={sunX} cy={sunY} r={28 + random() * 26} fill={sky[2]} opacity="0.9" />
      {ridges.map((path, i) => (
        <path key={i} d={path} fill={sky[0]} opacity={0.32 + i * 0.17} />
      ))}
    </svg>
  );
}

/* The length such a clip is given, as no video is there: 8 to 20 s. */
export const clipMs = (id: string): number => 8000 + Math.floor(chance(seedOf(id) ^ 7)() * 12000);
