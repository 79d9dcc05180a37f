/**
 * The mam language for tree-sitter. What the compiler reads is `grammar/mam.pest`; a test holds the two together over every
 * example. A newline ends an item where the line is complete: brackets that are open, operators at a line's end and `|>` or
 * `then` at the next line's beginning carry an item on, which the scanner (src/scanner.c) decides.
 */
const list = (rule) => seq(rule, repeat(seq(',', rule)), optional(','));

module.exports = grammar({
  name: 'mam',
  extras: ($) => [/[ \t\r\f\u00a0\ufeff]/, $._blank, $.doc_comment, $.comment],
  // A newline that ends an item, and one that does not.
  externals: ($) => [$._end, $._blank, $._never],
  word: ($) => $.identifier,
  conflicts: ($) => [
    [$.target, $._primary], [$.body, $.record], [$._name, $.target], [$._reduction, $._soft_keyword],
    [$.oversample, $._soft_keyword], [$.spectral, $._soft_keyword],
  ],
  rules: {
    source_file: ($) => seq(repeat($._separator), optional($._items)),
    _separator: ($) => choice($._end, ';'),
    _items: ($) => seq($._item, repeat(seq($._separator, optional($._item)))),
    block: ($) => seq('{', repeat($._separator), optional($._items), '}'),

    doc_comment: () => token(prec(1, /\/\/\/[^\n]*/)),
    comment: () => token(/\/\/[^\n]*/),

    _item: ($) =>
      choice(
        $.equation, $.definition, $.instrument, $.effect, $.play, $.arrangement, $.section, $.line, $.param, $.knob,
        $.statement,
      ),

    equation: ($) => seq(field('name', $._defined), '=', field('value', $._expression)),
    _defined: ($) => choice($._name, 'out'),

    definition: ($) =>
      seq('def', field('name', $._name), $.formals, choice(seq('=', field('body', $._expression)), field('body', $.body))),
    formals: ($) => seq('(', optional(list($.formal)), ')'),
    formal: ($) =>
      seq(field('name', $._name), optional(seq(':', $.unit)), optional(seq('=', $._expression)), optional($.bounds)),
    instrument: ($) => seq('instrument', field('name', $._name), optional($.formals), field('body', $.block)),
    effect: ($) => seq('effect', field('name', $._name), optional($.formals), field('body', $.block)),

    param: ($) => seq('param', $._parameter),
    knob: ($) => seq('knob', $._parameter),
    _parameter: ($) =>
      seq(
        field('name', $._name), '=', field('default', $._expression), optional(choice($.bounds, $.words)),
        repeat(choice(seq('curve', 'exp'), 'step', 'fixed', seq('smooth', $._expression), seq('cc', $._expression))),
      ),
    bounds: ($) => seq('in', $.range),
    words: ($) => seq('in', $.identifier, repeat1(seq('|', $.identifier))),
    range: ($) => prec.left(seq($._expression, '..', $._expression)),

    statement: ($) =>
      choice(
        seq('input', $._name),
        seq('until', $._expression),
        seq('latency', $._expression),
        seq('choke', repeat1($._name), optional(seq('over', $._expression))),
        seq('preset', $.string, '{', optional(list(seq($._setting, ':', $._expression))), '}'),
        seq('matrix', '{', repeat($._separator), optional($._routes), '}'),
        seq('kit', field('name', $._name), choice($.block, seq($.string, optional($.block)))),
        seq('default', 'note', alias(/[A-Za-z0-9#]+(-\d+)?/, $.note)),
        seq('midi', choice('drum', 'program'), $.midi_range, repeat(seq(',', $.midi_range))),
        seq('use', $.string),
        seq('title', $.string),
        seq(
          'tempo', $._expression,
          optional(choice(seq('..', $._expression, 'over', 'bars', $.range), seq('at', 'bar', $._expression))),
        ),
        seq('meter', $.number, '/', $.number),
        seq('swing', $._expression, optional(seq('of', $._expression))),
        seq('length', $._expression),
        seq('seed', $._expression),
        seq('channels', $.number, optional('ambisonic')),
        seq('tuning', choice(seq($.string, optional($.string)), seq('edo', $.number))),
        seq(
          'expect', $.call,
          optional(choice(
            seq(choice('<', '>'), $._expression), $.bounds, seq('within', $._expression, 'of', $._expression),
          )),
        ),
      ),
    // Of the song's presets, the parameter of an instrument.
    _setting: ($) => choice($.property, alias($._path, $.target)),
    _path: ($) => seq($._name, repeat1(seq('.', $.property))),
    _routes: ($) => seq($.route, repeat(seq($._separator, optional($.route)))),
    // A line of a matrix.
    route: ($) =>
      seq(
        $._expression, '->', $.target, ':', $._expression,
        repeat(choice(seq('curve', choice('exp', 'linear')), $.bounds)),
      ),
    midi_range: ($) => seq($.number, optional(seq('..', $.number))),

    play: ($) => seq('play', $.block),
    arrangement: ($) => prec.right(seq('play', repeat1($.part))),
    part: ($) => seq($._name, optional(seq('*', $.number))),
    // With a length, or like another section.
    section: ($) =>
      seq(
        'section', field('name', $._name), choice(field('length', $._expression), seq('=', field('of', $._name))),
        field('body', $.block),
      ),

    line: ($) =>
      prec.right(
        seq(
          $.target, choice(seq($.tab, optional(seq('by', $.ratio))), $.string, $.source, $.nothing), repeat($.modifier),
          optional(seq('over', $._expression)), optional(seq('curve', 'exp')),
        ),
      ),
    // A signal, or patterns joined: `saw`, `cat("c4", "e4")`.
    source: ($) => choice($.identifier, $.call),
    nothing: () => choice('~', '-'),
    target: ($) => choice(seq($._name, repeat(seq('.', $.property))), seq('out', repeat1(seq('.', $.property)))),
    tab: () => token(/\|([^|\n;"{}(]*\|)+/),
    ratio: ($) => seq($.number, optional(seq('/', $.number))),
    modifier: ($) => seq('.', alias($.property, $.method), optional($.arguments)),

    _expression: ($) =>
      choice($.pipe, $.binary, $.unary, $.choice, $.length, $.number, $.string, $.access, $.index, $._primary),
    pipe: ($) => prec.left(1, seq($._expression, '|>', $._expression)),
    choice: ($) => prec.right(2, seq('if', $._expression, 'then', $._expression, 'else', $._expression)),
    binary: ($) =>
      choice(
        prec.left(3, seq($._expression, 'or', $._expression)),
        prec.left(4, seq($._expression, 'and', $._expression)),
        prec.left(6, seq($._expression, choice('<', '<=', '>', '>=', '==', '!='), $._expression)),
        prec.left(7, seq($._expression, choice('+', '++', '-'), $._expression)),
        prec.left(8, seq($._expression, choice('*', '/', 'mod'), $._expression)),
        prec.right(10, seq($._expression, '^', $._expression)),
      ),
    unary: ($) => choice(prec(5, seq('not', $._expression)), prec(9, seq('-', $._expression))),
    // One token, so that `1/2` alone is a division.
    length: () => token(prec(1, /\d+(\.\d+)?([ \t]*\/[ \t]*\d+(\.\d+)?)?[ \t]*(beats|beat|bars|bar|octaves|octave)/)),

    access: ($) =>
      prec.left(13, seq(choice($._primary, $.access, $.index, $.string), '.', $.property, optional($.arguments))),
    index: ($) => prec.left(13, seq(choice($._primary, $.access, $.index), '[', $._expression, ']')),
    _primary: ($) =>
      choice($.call, $._name, 'in', 'out', $.group, $.list, $.record, $.reduce, $.chain, $.oversample, $.spectral),
    call: ($) => prec(14, seq(field('function', choice($._name, 'prev', 'tap')), $.arguments)),
    arguments: ($) => seq('(', optional(list($.argument)), ')'),
    argument: ($) => seq(optional(choice(seq(field('name', $.property), ':'), field('name', $.part_parameter))), $._expression),
    // Of a kit, the parameter of a part: `bd.tune: 46Hz`. One token, so that it is not the field of a value.
    part_parameter: () => token(prec(1, /[A-Za-z_][A-Za-z0-9_]*\.[A-Za-z_][A-Za-z0-9_]*[ \t]*:/)),
    group: ($) => seq('(', $._expression, repeat(seq(',', $._expression)), ')'),
    list: ($) => seq('[', optional(list($._expression)), ']'),
    record: ($) => seq('{', list(seq(field('name', $.property), ':', $._expression)), '}'),
    reduce: ($) => seq($._reduction, field('index', $._name), 'in', $._elements, $.body),
    // All but `sum` are names where no name and `in` follow, so they are no more than names until then.
    _reduction: () => prec(-1, choice('sum', 'product', 'max', 'min', 'list', 'table')),
    chain: ($) =>
      seq('chain', field('value', $._name), '=', $._expression, ',', field('index', $._name), 'in', $._elements, $.body),
    // From one whole number to another, or the elements of a list.
    _elements: ($) => choice($.range, $._expression),
    // A call of that name where no body follows.
    oversample: ($) => prec(-1, seq('oversample', $.arguments, $.body)),
    spectral: ($) => prec(-1, seq('spectral', $.arguments, $.body)),
    body: ($) => seq('{', repeat($._separator), choice($._items, seq($._expression, repeat($._separator))), '}'),

    // Words that begin a statement, or stand in one, are names everywhere else.
    _name: ($) => choice($.identifier, alias($._soft_keyword, $.identifier)),
    _soft_keyword: () =>
      prec(-1, choice(
        'tempo', 'swing', 'meter', 'length', 'seed', 'channels', 'ambisonic', 'use', 'knob', 'param', 'until', 'latency', 'kit', 'choke', 'preset', 'matrix', 'input', 'default', 'title', 'midi',
        'beat', 'bar', 'beats', 'bars', 'note', 'curve', 'exp', 'linear', 'step', 'fixed', 'smooth', 'cc', 'over', 'by', 'of', 'at', 'drum', 'program',
        'expect', 'within', 'tuning', 'edo', 'product', 'max', 'min', 'list', 'table', 'oversample', 'spectral',
      )),
    property: ($) => choice($._name, alias(choice('in', 'out', 'mod', 'play', 'section', 'sum', 'tap', 'prev'), $.identifier)),
    identifier: () => /[A-Za-z_][A-Za-z0-9_]*/,
    unit: () => choice('Hz', 'kHz', 'ms', 'st', 's', 'dB', 'ct'),
    number: () => /\d+(\.\d+)?(e[-+]?\d+)?(Hz|kHz|ms|st|s|dB|ct|%)?/,
    string: () => token(/"[^"]*"/),
  },
});
