import { render } from 'preact';
import { App } from './app';
import { look } from './base/session';
import './tokens.css';
import './base.css';

void look().catch(() => undefined);
render(<App />, document.getElementById('app')!);
