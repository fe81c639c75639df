/* Said instead of pressed, where the browser offers speech recognition. It listens only while it is
 * switched on; some browsers send what they hear to their maker, which the help says. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { locale, t } from '../../base/words';
import { toast } from '../../ui/toast';

interface Heard {
  results: { length: number; [index: number]: { isFinal: boolean; 0: { transcript: string } } };
}

interface Recognition {
  lang: string;
  continuous: boolean;
  onresult: (event: Heard) => void;
  onerror: (event: { error: string }) => void;
  onend: () => void;
  start(): void;
  stop(): void;
}

export type Step = 'next' | 'back' | 'like' | 'unlike' | 'skip';

const spoken: [Step, RegExp][] = [
  ['unlike', /unlike|take.*back|取消|不赞|不喜欢了/i],
  ['like', /like|love|点赞|喜欢|赞/i],
  ['next', /next|down|下一/i],
  ['back', /back|previous|up|上一/i],
  ['skip', /skip|not interested|没兴趣|不感兴趣|跳过/i],
];

/* What was meant, or null. */
export function understand(words: string): Step | null {
  return /不感兴趣|没兴趣/.test(words) ? 'skip' : (spoken.find(([, form]) => form.test(words))?.[0] ?? null);
}

export function useVoice(steps: Record<Step, () => void>): { offered: boolean; on: boolean; toggle: () => void } {
  const kind = (window as unknown as Record<string, (new () => Recognition) | undefined>).SpeechRecognition
    ?? (window as unknown as Record<string, (new () => Recognition) | undefined>).webkitSpeechRecognition;
  const [on, set] = useState(false);
  const current = useRef(steps);

  current.current = steps;
  useEffect(() => {
    if (!on || !kind) return;
    const ears = new kind();
    let wanted = true;

    ears.lang = locale() === 'en' ? 'en-US' : 'zh-CN';
    ears.continuous = true;
    ears.onresult = (event) => {
      const words = event.results[event.results.length - 1]![0].transcript;
      const step = understand(words);
      toast(step ? t('player.heard', { words }) : t('player.heard.not', { words }));
      if (step) current.current[step]();
    };
    ears.onerror = (event) => {
      if (event.error === 'no-speech') return;
      wanted = false;
      set(false);
      toast(t('player.deaf', { why: event.error }), { bad: true });
    };
    ears.onend = () => wanted && ears.start();
    ears.start();
    return () => {
      wanted = false;
      ears.stop();
    };
  }, [on]);
  return { offered: kind !== undefined, on, toggle: () => set((value) => !value) };
}
