//! Every kind of problem has an example that has it, alone, and the same file, corrected.

use mam_grammar::syntax::{self, codes};
use mam_grammar::{Limits, Sources};

fn codes_of(text: &str) -> Vec<&'static str> {
    let mut sources = Sources::default();
    let id = sources.add("example.mam", text);
    let (_, problems) = syntax::parse(&sources, id, &Limits::default());
    problems.iter().map(|problem| problem.code.name).collect()
}

#[test]
fn each_example_has_its_problem_and_no_other() {
    let mut wrong = Vec::new();
    for row in codes::ALL.iter().filter(|row| !row.fails.is_empty()) {
        let (fails, passes) = (codes_of(row.fails), codes_of(row.passes));
        if fails != [row.code.name] || !passes.is_empty() {
            wrong.push(format!("{}: {fails:?}, corrected {passes:?}", row.code.name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
