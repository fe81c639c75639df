import { change, ELDER_MAX, ELDER_MIN, settings, type Language, type Theme } from './base/settings';
import { t } from './base/words';
import { Choice, Dialog, Switch } from './ui/parts';

export function Settings({ onClose }: { onClose: () => void }) {
  const { language, theme, elder, size } = settings.value;

  return (
    <Dialog title={t('settings')} onClose={onClose}>
      <Choice<Language>
        label={t('settings.language')}
        value={language}
        options={[
          ['zh', '中文'],
          ['en', 'English'],
        ]}
        onChange={(value) => change({ language: value })}
      />
      <Choice<Theme>
        label={t('settings.theme')}
        value={theme}
        options={[
          ['auto', t('settings.auto')],
          ['light', t('settings.light')],
          ['dark', t('settings.dark')],
        ]}
        onChange={(value) => change({ theme: value })}
      />
      <Switch label={t('settings.elder')} hint={t('settings.elder.hint')} on={elder} onChange={(on) => change({ elder: on })} />
      {elder && (
        <div class="field">
          <label for="size">{t('settings.size', { size })}</label>
          <input
            id="size"
            type="range"
            min={ELDER_MIN}
            max={ELDER_MAX}
            step={1}
            value={size}
            onInput={(event) => change({ size: Number(event.currentTarget.value) })}
          />
        </div>
      )}
    </Dialog>
  );
}
