//! Properties of reading and writing `.mam` text, on random programs.
//!
//! The generator and the oracle are taken in as files, so that these run without the compiler.

// There they are a library of their own.
#[allow(unreachable_pub)]
#[path = "../../tests/support/src/gen_mam.rs"]
mod gen_mam;
#[allow(unreachable_pub)]
#[path = "../../tests/support/src/gen_tree.rs"]
mod gen_tree;
#[allow(unreachable_pub)]
#[path = "../../tests/support/src/written.rs"]
mod written;

use gen_mam::{Choices, mutated, program, soup};
use gen_tree::tree;
use mam_grammar::ast::Ast;
use mam_grammar::syntax::{Pieces, parse, parse_again};
use mam_grammar::{Limits, Problems, Sources, fmt};
use proptest::prelude::*;
use written::{keeps, read};

/// A tree as text without the parentheses that only group.
fn meaning(ast: &Ast) -> String {
    let text = ast.to_string();
    let (mut out, mut closing, mut depth) = (String::new(), Vec::new(), 0);
    let mut rest = text.as_str();
    while let Some(c) = rest.chars().next() {
        if let Some(after) = rest.strip_prefix("(paren ") {
            (rest, depth) = (after, depth + 1);
            closing.push(depth);
            continue;
        }
        let dropped = c == ')' && closing.last() == Some(&depth);
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        if dropped {
            closing.pop();
        } else {
            out.push(c);
        }
        rest = &rest[c.len_utf8()..];
    }
    out
}

/// All that is read of a text: what it says, where, its comments, and what is wrong.
fn all_of((ast, problems): (Ast, Problems)) -> [String; 5] {
    let problems: Vec<_> = problems.iter().collect();
    [
        ast.to_string(),
        format!("{:?}", ast.spans),
        format!("{:?}", ast.items),
        format!("{:?}", ast.comments),
        format!("{problems:?}"),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), max_shrink_iters: 20_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// What the generator calls a program is one, and formatting keeps its meaning, its comments, and itself.
    #[test]
    fn formatting_keeps_what_a_program_says(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        keeps(&bytes);
    }

    /// A tree that was never text is written so that it is read as it was.
    #[test]
    fn a_made_tree_is_written_with_the_parentheses_that_it_needs(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let ast = tree(&mut Choices::new(&bytes));
        let text = fmt::print(&ast);
        let (again, problems) = read(&text);
        prop_assert_eq!(problems, Vec::<String>::new(), "{}", text);
        prop_assert_eq!(meaning(&ast), meaning(&again), "{}", text);
    }

    /// Anything at all ends in a tree and problems.
    #[test]
    fn reading_survives_soups(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        read(&soup(&mut Choices::new(&bytes)));
        read(&String::from_utf8_lossy(&bytes));
    }

    /// A damaged program does too, and what is left can be formatted.
    #[test]
    fn reading_survives_damage(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        let mut choices = Choices::new(&bytes);
        let text = program(&mut choices);
        let text = mutated(&mut choices, &text);
        let (ast, _) = read(&text);
        fmt::format(&ast, &text);
    }

    /// A program that is edited and read again, with what is known of the versions before, is what it is when it is read alone.
    #[test]
    fn reading_again_is_reading(bytes in prop::collection::vec(any::<u8>(), 0..800)) {
        const VERSIONS: usize = 4;
        let mut choices = Choices::new(&bytes);
        let mut text = program(&mut choices);
        let mut pieces = Pieces::default();
        for version in 0..VERSIONS {
            let mut sources = Sources::default();
            // It need not be the same text of a compilation each time.
            (0..version % 3).for_each(|_| _ = sources.add("other", ""));
            let (id, limits) = (sources.add("song.mam", text.as_str()), Limits::default());
            pieces.next_version();
            let again = parse_again(&sources, id, &limits, Some(&mut pieces));
            let (again, alone) = (all_of(again), all_of(parse(&sources, id, &limits)));
            for (again, alone) in again.iter().zip(&alone) {
                prop_assert_eq!(again, alone, "{}", text);
            }
            text = mutated(&mut choices, &text);
        }
    }
}

/// How many random inputs each property is tried on: `MAM_CASES`, or a few.
fn cases() -> u32 {
    std::env::var("MAM_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(500)
}
