//! The kinds of problems that the notation can have.

use crate::problem::{Code, Severity};

/// A pattern that is not the notation.
pub static MINI_SYNTAX: Code = Code {
    name: "pattern-syntax",
    severity: Severity::Error,
    explanation: "A quoted pattern is a sequence of steps: words, numbers, rests `~`, and groups `[ ]`, `< >`, `{ }`. \
        Operators follow the step that they change: `*2`, `/2`, `!3`, `@3`, `?`, `:0.5`, `(3,8)`, `.. 7`. `,`, `|` and \
        ` . ` stand between sequences and are not mixed at one level. There are no comments inside.",
    fails: "bd = kick()\nplay { bd \"x [x x\" }\nout = bd\n",
    passes: "bd = kick()\nplay { bd \"x [x x]\" }\nout = bd\n",
};

/// Too many brackets within one another.
pub static MINI_TOO_DEEP: Code = Code {
    name: "pattern-too-deep",
    severity: Severity::Error,
    explanation: "Groups may stand within groups, up to a bound that no music needs. Name a part of the pattern as a \
        line of its own instead.",
    fails: "bd = kick()\nplay { bd \"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[x]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]\" }\nout = bd\n",
    passes: "bd = kick()\nplay { bd \"[[x]]\" }\nout = bd\n",
};

/// All of them.
pub static ALL: &[&Code] = &[&MINI_SYNTAX, &MINI_TOO_DEEP];
