//! The kinds of problems that the notation can have.

crate::codes! {
    MINI_SYNTAX Error "pattern-syntax" {
        "A quoted pattern is a sequence of steps: words, numbers, rests `~`, and groups `[ ]`, `< >`, `{ }`. \
        Operators follow the step that they change: `*2`, `/2`, `!3`, `@3`, `?`, `:0.5`, `(3,8)`, `.. 7`. `,`, `|` and \
        ` . ` stand between sequences and are not mixed at one level. There are no comments inside."
        fails "bd = kick()\nplay { bd \"x [x x\" }\nout = bd\n"
        passes "bd = kick()\nplay { bd \"x [x x]\" }\nout = bd\n"
    }
    MINI_TOO_DEEP Error "pattern-too-deep" {
        "Groups may stand within groups, up to a bound that no music needs. Name a part of the pattern as a \
        line of its own instead."
        fails "bd = kick()\nplay { bd \"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[x]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]\" }\nout = bd\n"
        passes "bd = kick()\nplay { bd \"[[x]]\" }\nout = bd\n"
    }
}
