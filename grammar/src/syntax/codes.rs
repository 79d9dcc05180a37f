//! The kinds of problems that reading a `.mam` file can have.

crate::codes! {
    UNEXPECTED Error "unexpected" {
        "Something stands where the language has no place for it."
        fails "out = sine(440Hz ..)\n"
        passes "out = sine(440Hz / 2)\n"
    }
    LEADING_MARK Error "leading-mark" {
        "A line begins with a mark or a number. An item begins with a name or a keyword; to go on with the line before, end that line with an operator, or put the whole in parentheses. Only `|>`, `then`, `else`, `and`, `or` and `.name(` at the start of a line go on with the line before."
        fails "out = sine(220Hz)\n  + sine(330Hz)\n"
        passes "out = sine(220Hz) +\n  sine(330Hz)\n"
    }
    MISSING_EQUALS Error "missing-equals" {
        "An equation is `name = expression`; here a name begins an item, and no `=` follows it."
        fails "out sine(440Hz)\n"
        passes "out = sine(440Hz)\n"
    }
    EQUATION_FORM Error "equation-form" {
        "An equation defines one name: `name = expression`. A function is defined by `def`, a field of another signal cannot be defined, and the two channels of a stereo signal are one signal: `(l, r)`."
        fails "f(x) = x * x\nout = 0\n"
        passes "def f(x) = x * x\nout = 0\n"
    }
    MISSING_VALUE Error "missing-value" {
        "After an operator, a `,` or an opening bracket a value is expected: a number, a name, a call, an `if`, or something in parentheses."
        fails "out = sine(440Hz) * \n"
        passes "out = sine(440Hz) * 0.5\n"
    }
    MISSING_OPERATOR Error "missing-operator" {
        "Two values stand side by side. They are joined by an operator; arguments are separated by `,`."
        fails "out = 0.5 sine(440Hz)\n"
        passes "out = 0.5 * sine(440Hz)\n"
    }
    MISSING_BRANCH Error "missing-branch" {
        "An `if` chooses between two values, so it has always a `then` and an `else`: every signal has a value at every moment."
        fails "g = if sine(1Hz) > 0 then 1\nout = g\n"
        passes "g = if sine(1Hz) > 0 then 1 else 0\nout = g\n"
    }
    CALL_OF_FIELD Error "call-of-field" {
        "A name after a `.` is a field of a result, such as `.low`. Fields are not called: a call stands by itself, or after `|>`."
        fails "out = saw(110Hz).lowpass(800Hz)\n"
        passes "out = saw(110Hz) |> lowpass(800Hz)\n"
    }
    NOT_PARENTHESES Error "not-parentheses" {
        "`not` holds looser than comparisons and arithmetic, so after such an operator it must stand in parentheses."
        fails "a = sine(1Hz)\nout = 1 + not a\n"
        passes "a = sine(1Hz)\nout = 1 + (not a)\n"
    }
    STATEMENT_FORM Error "statement-form" {
        "A statement, or the head of a definition, is not written in its form. The message shows the form."
        fails "tempo 130 bpm\nout = 0\n"
        passes "tempo 130\nout = 0\n"
    }
    NO_BRACES Error "no-braces" {
        "A block stands between braces, `{` and `}`. Indentation, a `:` and words such as `end` mean nothing."
        fails "bd = kick()\nplay:\n  bd |x...|\nout = bd\n"
        passes "bd = kick()\nplay {\n  bd |x...|\n}\nout = bd\n"
    }
    LINE_FORM Error "line-form" {
        "A line of a score is a target, a pattern (a drum tab or a quotation), `by` after a tab, modifiers, and for a parameter `over` and `curve exp`."
        fails "bd = kick()\nplay { bd |x...| fast(2) }\nout = bd\n"
        passes "bd = kick()\nplay { bd |x...|.fast(2) }\nout = bd\n"
    }
    MATRIX_LINE Error "matrix-line" {
        "A line of a matrix says what moves which parameter by how much: a source, `->`, the name of a parameter, `:` and a depth. \
         `curve exp` or `curve linear` and a range may follow."
        fails "wobble = lfo(2Hz)\nbass = acid()\nmatrix {\n  wobble -> bass.cutoff\n}\nplay { bass \"c2\" }\nout = bass\n"
        passes "wobble = lfo(2Hz)\nbass = acid()\nmatrix {\n  wobble -> bass.cutoff: 2 octaves\n}\nplay { bass \"c2\" }\nout = bass\n"
    }
    TWO_IN_ONE Error "two-in-one" {
        "Two items stand in one line. Items are separated by the end of the line or by `;`."
        fails "bd = kick()\nhh = closed_hat()\nplay { bd |x...| hh |..x.| }\nout = bd + hh\n"
        passes "bd = kick()\nhh = closed_hat()\nplay { bd |x...| ; hh |..x.| }\nout = bd + hh\n"
    }
    NO_TARGET Error "no-target" {
        "A drum tab stands without the name of what it plays. A line of a score begins with its target, and the tab stands in the same line."
        fails "bd = kick()\nplay {\n  |x...|\n}\nout = bd\n"
        passes "bd = kick()\nplay {\n  bd |x...|\n}\nout = bd\n"
    }
    MISSPELT_KEYWORD Error "misspelt-keyword" {
        "An item begins with a word that is nearly a keyword."
        fails "tmepo 130\nout = 0\n"
        passes "tempo 130\nout = 0\n"
    }
    FOREIGN_WORD Error "foreign-word" {
        "An item begins with a word of another language, or a modifier has the name of one. The message says how mam says it."
        fails "let a = 0.5\nout = a\n"
        passes "a = 0.5\nout = a\n"
    }
    FOREIGN_OPERATOR Error "foreign-operator" {
        "An operator of another language: `&&` is `and`, `||` is `or`, `!` is `not`, `**` is `^`, `a % b` is `a mod b`, `a ? b : c` is `if a then b else c`."
        fails "a = sine(1Hz) > 0\nout = if a && a then 1 else 0\n"
        passes "a = sine(1Hz) > 0\nout = if a and a then 1 else 0\n"
    }
    FOREIGN_COMMENT Error "foreign-comment" {
        "A comment begins with `//` and goes to the end of its line; `#` and `/* */` are not comments."
        fails "# a song\nout = 0\n"
        passes "// a song\nout = 0\n"
    }
    FOREIGN_QUOTE Error "foreign-quote" {
        "A text stands between double quotes, never between single ones."
        fails "title 'My song'\nout = 0\n"
        passes "title \"My song\"\nout = 0\n"
    }
    EQUALS Error "equals-or-compares" {
        "`=` defines a name, once, at the start of an item; `==` compares two values."
        fails "a = 1\nout = if a = 1 then 1 else 0\n"
        passes "a = 1\nout = if a == 1 then 1 else 0\n"
    }
    ARGUMENT_EQUALS Error "argument-equals" {
        "A named argument has a `:` after its name: `kick(f0: 120Hz)`."
        fails "out = kick(f0 = 120Hz)\n"
        passes "out = kick(f0: 120Hz)\n"
    }
    RESERVED_NAME Error "reserved-name" {
        "A word of the language stands where a name is expected. These words are never names: `if then else and or not mod in out sum chain prev tap def instrument effect play section`."
        fails "sum = 1\nout = 0\n"
        passes "total = 1\nout = 0\n"
    }
    UNIT_APART Error "unit-apart" {
        "A unit touches its number: `50ms`. Only `beat`, `beats`, `bar` and `bars` may stand apart."
        fails "out = decay(every(1s), 50 ms)\n"
        passes "out = decay(every(1s), 50ms)\n"
    }
    UNKNOWN_UNIT Error "unknown-unit" {
        "The letters that touch a number are not a unit. Units: Hz, kHz, ms, s, dB, %, st (semitones), ct (cents), beats, bars."
        fails "out = decay(every(1s), 2sec)\n"
        passes "out = decay(every(1s), 2s)\n"
    }
    OPEN_POINT Error "open-point" {
        "A number has digits on both sides of its point, so that `0..3` can be a range."
        fails "out = .5\n"
        passes "out = 0.5\n"
    }
    NUMBER_FORM Error "number-form" {
        "A number is written in decimal digits with at most one point and perhaps an exponent, `1e3`: no `E`, no `_`, no \
         hexadecimal digits."
        fails "out = sine(1_000)\n"
        passes "out = sine(1000)\n"
    }
    UNCLOSED_QUOTE Error "unclosed-quote" {
        "A `\"` begins a text, and none ends it. The message shows where it begins."
        fails "title \"My song\nout = 0\n"
        passes "title \"My song\"\nout = 0\n"
    }
    UNCLOSED_TAB Error "unclosed-tab" {
        "A drum tab begins with a `|`, and its line ends without another."
        fails "bd = kick()\nplay {\n  bd |x...x...\n}\nout = bd\n"
        passes "bd = kick()\nplay {\n  bd |x...x...|\n}\nout = bd\n"
    }
    STRAY_CHARACTER Error "stray-character" {
        "A character that the language does not know. Any character may stand in a comment or between quotes."
        fails "out = sine(440Hz) × 0.5\n"
        passes "out = sine(440Hz) * 0.5\n"
    }
    UNCLOSED_BRACKET Error "unclosed-bracket" {
        "A `(`, `[` or `{` is opened and nothing closes it. The message shows where it was opened, and where its end was probably meant to be."
        fails "out = sine(440Hz * (1 + 2)\n"
        passes "out = sine(440Hz * (1 + 2))\n"
    }
    UNOPENED_BRACKET Error "unopened-bracket" {
        "A `)`, `]` or `}` stands where nothing is open that it could close."
        fails "out = sine(440Hz))\n"
        passes "out = sine(440Hz)\n"
    }
    CHAINED_COMPARISON Error "chained-comparison" {
        "Comparisons do not chain: `a < b < c` would compare a truth value, 0 or 1, with `c`. Two comparisons are joined by `and`."
        fails "x = sine(1Hz)\nout = if -0.5 < x < 0.5 then x else 0\n"
        passes "x = sine(1Hz)\nout = if -0.5 < x and x < 0.5 then x else 0\n"
    }
    PIPE_INTO_EXPRESSION Error "pipe-into-expression" {
        "On the right of `|>` stands a name or a call, with `.field`s after it, because the left value becomes its input. `|>` is the loosest operator, so what follows the call would belong to its right side: put the pipe in parentheses."
        fails "out = saw(110Hz) |> lowpass(800Hz) * 0.5\n"
        passes "out = (saw(110Hz) |> lowpass(800Hz)) * 0.5\n"
    }
    NUMBER_TOO_LARGE Error "number-too-large" {
        "A number has more digits before its point than the greatest number that can be computed with, about 1.8 · 10^308."
        fails "out = 10000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000\n"
        passes "out = 1\n"
    }
    SAID_TWICE Error "said-twice" {
        "A parameter says the same of itself twice, such as two times `step`."
        fails "knob a = 1 in 0..2 step step\nout = a\n"
        passes "knob a = 1 in 0..2 step\nout = a\n"
    }
    TAB_CHARACTER Error "tab-character" {
        "A drum tab holds `x` for a hit, `X` for an accent, `o` for a ghost note, `1` to `9` for tenths of the velocity, `.` or `-` for a rest, `_` to hold the note on, and spaces, which are free."
        fails "bd = kick()\nplay { bd |x..z| }\nout = bd\n"
        passes "bd = kick()\nplay { bd |x..x| }\nout = bd\n"
    }
    MISPLACED Error "misplaced-item" {
        "Every kind of item has places where it means something: a `param` in an instrument or effect, a line of a score in a `play` block or a section, `tempo` at the top of the file."
        fails "until 1 > 2\nout = 0\n"
        passes "out = 0\n"
    }
    TOO_DEEP Error "too-deep" {
        "Brackets, `if`s, prefix operators, powers, fields and pipes stand deeper in one another than the limit. Give a part of the expression a name, in an equation of its own."
        fails "out = ((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((1))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))\n"
        passes "out = 1\n"
    }
    FILE_TOO_LARGE Error "file-too-large" {
        "A file has more bytes than the limit. Split it into several files, and bring the definitions in with `use \"part.mam\"`; `--limit file_bytes=100000000` raises the limit for a command."
        fails ""
        passes "out = 0\n"
    }
}
