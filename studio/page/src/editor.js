// The editor. What it knows of mam it asks the compiler.
import {
  EditorView, hoverTooltip, keymap, Decoration, lineNumbers, highlightActiveLineGutter, highlightSpecialChars,
  drawSelection, dropCursor, rectangularSelection, crosshairCursor, highlightActiveLine,
} from '@codemirror/view';
import { EditorState, RangeSet, RangeValue, StateEffect, StateField } from '@codemirror/state';
import { history, defaultKeymap, historyKeymap } from '@codemirror/commands';
import { bracketMatching } from '@codemirror/language';
import { highlightSelectionMatches, searchKeymap } from '@codemirror/search';
import {
  autocompletion, pickedCompletion, closeBrackets, closeBracketsKeymap, completionKeymap,
} from '@codemirror/autocomplete';
import { setDiagnostics, lintGutter, lintKeymap } from '@codemirror/lint';

// CodeMirror's basic setup without what needs a grammar of its own: folding, indentation, colours.
const setup = [
  lineNumbers(), highlightActiveLineGutter(), highlightSpecialChars(), history(), drawSelection(), dropCursor(),
  EditorState.allowMultipleSelections.of(true), bracketMatching(), closeBrackets(), rectangularSelection(),
  crosshairCursor(), highlightActiveLine(), highlightSelectionMatches(),
  keymap.of([
    ...closeBracketsKeymap, ...defaultKeymap, ...searchKeymap, ...historyKeymap, ...completionKeymap, ...lintKeymap,
  ]),
];

const setColours = StateEffect.define();
const colours = StateField.define({
  create: () => Decoration.none,
  update(marks, change) {
    let now = marks.map(change.changes);
    for (const effect of change.effects) if (effect.is(setColours)) now = effect.value;
    return now;
  },
  provide: field => EditorView.decorations.from(field),
});
const setLit = StateEffect.define();
const lit = StateField.define({
  create: () => Decoration.none,
  update(marks, change) {
    let now = marks.map(change.changes);
    for (const effect of change.effects) if (effect.is(setLit)) now = effect.value;
    return now;
  },
  provide: field => EditorView.decorations.from(field),
});

// The steps of a stretch of the song, each with its seconds; edits move them as they move the text.
class Sounding extends RangeValue {
  constructor(start, end) {
    super();
    this.start = start;
    this.end = end;
  }
}
const setSteps = StateEffect.define();
const sounding = StateField.define({
  create: () => RangeSet.empty,
  update(steps, change) {
    let now = steps.map(change.changes);
    for (const effect of change.effects) if (effect.is(setSteps)) now = effect.value;
    return now;
  },
});

const kinds = {
  instrument: 'class', effect: 'interface', function: 'function', parameter: 'property', keyword: 'keyword',
  value: 'variable', unit: 'constant', modifier: 'method', section: 'namespace',
};

export function editor({ parent, text, about, changed, commands }) {
  const complete = async context => {
    const word = context.matchBefore(/[\p{L}_][\p{L}\p{N}_]*/u);
    if (!word && !context.explicit) return null;
    const all = await about('complete', context.pos);
    if (!Array.isArray(all) || !all.length) return null;
    const from = all[0].from;
    const options = all.map(one => ({
      label: one.label, detail: one.detail, type: kinds[one.kind] ?? 'text',
      info: one.doc ? () => prose(one.doc) : undefined,
      apply: (view, completion) => view.dispatch({
        changes: { from: one.from, to: Math.max(one.to, view.state.selection.main.head), insert: one.insert },
        selection: { anchor: one.from + one.insert.length },
        annotations: pickedCompletion.of(completion),
      }),
    }));
    return { from, options, validFor: /^[\p{L}\p{N}_]*$/u };
  };
  const hover = hoverTooltip(async (view, pos) => {
    const found = await about('hover', pos);
    if (!found?.markdown) return null;
    return { pos: found.from, end: found.to, create: () => ({ dom: prose(found.markdown) }) };
  });
  const definition = view => {
    about('definition', view.state.selection.main.head).then(at => {
      if (typeof at === 'number') view.dispatch({ selection: { anchor: at }, scrollIntoView: true });
    });
    return true;
  };
  const followed = new Set();
  let shown = ''; // Which steps are lit.
  const view = new EditorView({
    parent,
    doc: text,
    extensions: [
      keymap.of([...commands, { key: 'F12', run: definition }]),
      setup, colours, sounding, lit, lintGutter(), hover, autocompletion({ override: [complete] }),
      EditorView.lineWrapping,
      EditorView.contentAttributes.of({ 'aria-label': 'Song', spellcheck: 'false', autocorrect: 'off', autocapitalize: 'off' }),
      EditorView.updateListener.of(update => {
        if (!update.docChanged) return;
        for (const since of followed) since.changes = since.changes?.compose(update.changes) ?? update.changes;
        changed(update.state.doc.toString());
      }),
    ],
  });
  return {
    view,
    text: () => view.state.doc.toString(),
    replace: text => view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } }),
    edit: edits => view.dispatch({ changes: edits }),
    problems: problems => view.dispatch(setDiagnostics(view.state, problems.map(found => diagnostic(view, found)))),
    colour: tokens => view.dispatch({ effects: setColours.of(marks(view, tokens.map(([from, to, kind]) => [from, to, `t-${kind}`]))) }),
    // Collects what is changed in the text from now on, until it is forgotten.
    follow() {
      const since = { changes: null };
      followed.add(since);
      return since;
    },
    forget: since => followed.delete(since),
    // Takes the steps `[from, to, seconds, seconds]` of a text that has been changed since.
    steps(found, changes) {
      const at = (place, side) => changes?.mapPos(place, side) ?? place;
      const ranges = found.map(([from, to, start, end]) => [at(from, 1), at(to, -1), start, end])
        .filter(([from, to]) => from < to && to <= view.state.doc.length)
        .map(([from, to, start, end]) => new Sounding(start, end).range(from, to));
      view.dispatch({ effects: setSteps.of(RangeSet.of(ranges, true)) });
    },
    // Lights the steps that sound at a time in seconds.
    light(now) {
      const spans = new Map();
      const steps = view.state.field(sounding).iter();
      for (; now !== null && steps.value; steps.next()) {
        if (now >= steps.value.start && now < steps.value.end) spans.set(`${steps.from} ${steps.to}`, [steps.from, steps.to, 'lit']);
      }
      const next = [...spans.keys()].join();
      if (next === shown) return;
      shown = next;
      view.dispatch({ effects: setLit.of(marks(view, [...spans.values()])) });
    },
    show(from, to) {
      view.dispatch({ selection: { anchor: from, head: Math.min(to, view.state.doc.length) }, scrollIntoView: true });
      view.focus();
    },
  };
}

function marks(view, spans) {
  const { length } = view.state.doc;
  const ranges = spans.filter(([from, to]) => from < to && to <= length)
    .map(([from, to, name]) => Decoration.mark({ class: name }).range(from, to));
  return Decoration.set(ranges, true);
}

function diagnostic(view, { from, to, severity, code, message, label, help, fix }) {
  const { length } = view.state.doc;
  const words = [message, label, help].filter(Boolean).join('\n');
  return {
    from: Math.min(from, length), to: Math.min(Math.max(to, from), length), severity, source: code, message: words,
    actions: fix ? [{
      name: fix.insert ? `Write ${fix.insert.length > 40 ? 'the fix' : fix.insert}` : 'Remove',
      apply: view => view.dispatch({ changes: fix }),
    }] : [],
  };
}

// Markdown as far as the compiler writes it: fenced and inline code, the rest as it stands.
function prose(markdown) {
  const dom = document.createElement('div');
  dom.className = 'hover';
  markdown.split(/```\w*\n?([\s\S]*?)```|`([^`]+)`/).forEach((piece, i) => {
    if (piece === undefined) return;
    const node = i % 3 === 0 ? document.createTextNode(piece) : document.createElement('code');
    node.textContent = piece;
    dom.append(node);
  });
  return dom;
}
