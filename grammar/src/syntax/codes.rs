//! The kinds of problems that reading a `.mam` file can have.

use crate::problem::{Code, Severity};

macro_rules! codes {
    ($($constant:ident $name:literal $explanation:literal $fails:literal $passes:literal)*) => {
        $(
            #[doc = $explanation]
            pub static $constant: Code = Code {
                name: $name,
                severity: Severity::Error,
                explanation: $explanation,
                fails: $fails,
                passes: $passes,
            };
        )*
        /// All kinds.
        pub static ALL: &[&Code] = &[$(&$constant),*];
    };
}

codes! {
    UNEXPECTED "unexpected"
        "Something stands where the language has no place for it: an operand after an operand, a mark that closes nothing, a second statement without a `;` or a new line before it."
        "out = sine(440Hz) sine(220Hz)\n"
        "out = sine(440Hz) + sine(220Hz)\n"
    UNCLOSED_BRACKET "unclosed-bracket"
        "A `(`, `[` or `{` is opened and nothing closes it. The message shows where it was opened, and where its end was probably meant to be."
        "out = sine(440Hz * (1 + 2)\n"
        "out = sine(440Hz * (1 + 2))\n"
    UNOPENED_BRACKET "unopened-bracket"
        "A `)`, `]` or `}` stands where nothing is open that it could close."
        "out = sine(440Hz))\n"
        "out = sine(440Hz)\n"
    CHAINED_COMPARISON "chained-comparison"
        "Comparisons do not chain: `a < b < c` would compare a truth value, 0 or 1, with `c`. Two comparisons are joined by `and`."
        "x = sine(1Hz)\nout = if -0.5 < x < 0.5 then x else 0\n"
        "x = sine(1Hz)\nout = if -0.5 < x and x < 0.5 then x else 0\n"
    PIPE_INTO_EXPRESSION "pipe-into-expression"
        "On the right of `|>` stands a name or a call, with `.field`s after it, because the left value becomes its input. `|>` is the loosest operator, so what follows the call would belong to its right side: put the pipe in parentheses."
        "out = saw(110Hz) |> lowpass(800Hz) * 0.5\n"
        "out = (saw(110Hz) |> lowpass(800Hz)) * 0.5\n"
    NUMBER_TOO_LARGE "number-too-large"
        "A number has more digits before its point than the greatest number that can be computed with, about 1.8 · 10^308."
        "out = 10000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000\n"
        "out = 1\n"
    SAID_TWICE "said-twice"
        "A parameter says the same of itself twice, such as two times `step`."
        "knob a = 1 in 0..2 step step\nout = a\n"
        "knob a = 1 in 0..2 step\nout = a\n"
    TAB_CHARACTER "tab-character"
        "A drum tab holds `x` for a hit, `X` for an accent, `o` for a ghost note, `1` to `9` for tenths of the velocity, `.` or `-` for a rest, `_` to hold the note on, and spaces, which are free."
        "bd = kick()\nplay { bd |x..z| }\nout = bd\n"
        "bd = kick()\nplay { bd |x..x| }\nout = bd\n"
    MISPLACED "misplaced-item"
        "Every kind of item has places where it means something: a `param` in an instrument or effect, a line of a score in a `play` block or a section, `tempo` at the top of the file."
        "param a = 1\nout = a\n"
        "knob a = 1\nout = a\n"
    TOO_DEEP "too-deep"
        "Brackets, `if`s, prefix operators, powers, fields and pipes stand deeper in one another than the limit. Give a part of the expression a name, in an equation of its own."
        "out = ((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((1))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))\n"
        "out = 1\n"
    FILE_TOO_LARGE "file-too-large"
        "A file has more bytes than the limit. Split it into several files, and bring the definitions in with `use`."
        ""
        "out = 0\n"
}
