// Problems, knobs, meters.
import { hue } from './roll.js';

const make = (name, fields, ...children) => {
  const made = Object.assign(document.createElement(name), fields);
  made.append(...children);
  return made;
};

export function problems(list, count, all, show) {
  const errors = all.filter(found => found.severity === 'error').length;
  const counted = (n, what) => `${n} ${what}${n === 1 ? '' : 's'}`;
  const others = all.length - errors;
  const words = [errors && counted(errors, 'error'), others && counted(others, 'warning')].filter(Boolean);
  count.textContent = `– ${words.join(', ') || 'none'}`;
  list.replaceChildren(...all.slice(0, 50).map(found => {
    const button = make('button', { onclick: () => show(found.from, found.to) },
      make('b', { textContent: found.code }), ` ${found.message}`);
    const item = make('li', { className: found.severity }, button);
    if (found.help) button.append(make('small', { textContent: found.help }));
    return item;
  }));
}

const STEPS = 1000;

// A knob's place on its slider: even in ratios where the parameter goes so.
function scale({ min, max, curve }) {
  const ratios = curve === 'Exp' && min > 0;
  return ratios
    ? { place: x => Math.log(x / min) / Math.log(max / min), value: p => min * (max / min) ** p }
    : { place: x => (x - min) / (max - min), value: p => min + p * (max - min) };
}

// The result moves a slider to a value that came from elsewhere.
export function knobs(parent, params, { turn, shown }) {
  const move = new Map();
  const slider = param => {
    const { place, value } = scale(param);
    const id = `knob-${param.name}`;
    const output = make('output', { textContent: param.shown });
    output.setAttribute('for', id);
    const input = make('input', { id, type: 'range', min: 0, max: STEPS, step: 1, value: Math.round(STEPS * place(param.default)), title: param.doc ?? '' });
    input.oninput = async () => {
      const x = value(input.value / STEPS);
      turn(param.name, x);
      output.textContent = await shown(param.name, x);
    };
    move.set(param.name, async x => {
      input.value = Math.round(STEPS * place(x));
      output.textContent = await shown(param.name, x);
    });
    input.ondblclick = () => { input.value = Math.round(STEPS * place(param.default)); input.oninput(); };
    return make('div', { className: 'knob' }, make('label', { textContent: param.name, htmlFor: id }), input, output);
  };
  const ranged = params.filter(({ min, max }) => min !== null && max !== null && min < max);
  const own = ranged.filter(({ name }) => !name.includes('.'));
  const rest = ranged.filter(({ name }) => name.includes('.')).slice(0, 150);
  const more = make('details', {}, make('summary', { textContent: `Parameters of instruments and effects (${rest.length})` }));
  // They are many: made when they are wanted.
  more.ontoggle = () => { if (more.open && more.children.length === 1) more.append(...rest.map(slider)); };
  const none = own.length ? [] : [make('p', { textContent: 'Write knob name = 0.5 in 0..1 to have one here.' })];
  parent.replaceChildren(...(own.length ? own.map(slider) : rest.length ? [] : none), ...(rest.length ? [more] : []));
  return (name, x) => move.get(name)?.(x);
}

export function meters(parent, targets, gate) {
  const bars = [];
  const rows = targets.map((name, index) => {
    const bar = make('i', {});
    bar.style.background = hue(index);
    bars.push(bar);
    const toggle = (label, title, off) => {
      const button = make('button', { textContent: label, title: `${title} ${name}` });
      button.setAttribute('aria-pressed', 'false');
      button.setAttribute('aria-label', `${title} ${name}`);
      button.onclick = () => {
        const on = button.getAttribute('aria-pressed') !== 'true';
        button.setAttribute('aria-pressed', String(on));
        gate(name, off + (on ? 1 : 0));
      };
      return button;
    };
    return make('div', { className: 'meter' }, make('span', { textContent: name }),
      make('div', { className: 'bar' }, bar), toggle('M', 'Mute', 0), toggle('S', 'Solo', 2));
  });
  parent.replaceChildren(...rows);
  return levels => bars.forEach((bar, i) => {
    const db = 20 * Math.log10(Math.max(levels[i] ?? 0, 1e-5));
    bar.style.width = `${Math.max(0, Math.min(100, (db + 60) / 60 * 100))}%`;
  });
}
