//! The prelude's texts without what only its own tests and its readers need: for the studio's page, which is sent with them.
//! The build script takes this file in too.

/// How the documentation of what is only of use to other definitions begins.
const INTERNAL: &str = "/// Internal:";

/// A text of the prelude without its `expect`s, its comments, the documentation of what only the prelude calls or what is internal, and
/// the space that aligns it. Every line is the line that it was.
pub(crate) fn brief(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let (mut checks, mut private, mut internal) = (false, false, false);
    let mut brief = String::with_capacity(text.len());
    for (at, line) in lines.iter().enumerate() {
        let goes_on = line.starts_with([' ', ')', '}']) || line.is_empty();
        checks = line.starts_with("expect ") || checks && line.starts_with([' ', ')']);
        if !goes_on {
            // Documentation belongs to what follows it.
            let documented = lines[at..].iter().find(|line| !line.starts_with("///"));
            private = documented.is_some_and(|line| defines_private(line));
        }
        let left_out = checks || private && line.trim_start().starts_with("///");
        internal = line.starts_with(INTERNAL) || internal && line.starts_with("///");
        if !(left_out || internal) {
            brief += &code(line);
        } else if !left_out {
            // That it is internal is known by how it begins.
            brief += if line.starts_with(INTERNAL) { INTERNAL } else { "///" };
        }
        brief.push('\n');
    }
    brief
}

/// Whether a line begins a definition that only the prelude can call: its name begins with `_`.
fn defines_private(line: &str) -> bool {
    ["def _", "effect _", "instrument _"].iter().any(|head| line.starts_with(head))
}

/// A line up to its comment, if it has one that is not documentation, with one space where there are several.
fn code(line: &str) -> String {
    let line = line.trim();
    if line.starts_with("///") {
        return line.to_owned();
    }
    let mut quoted = false;
    let mut code = String::new();
    for (at, letter) in line.char_indices() {
        quoted ^= letter == '"';
        if !quoted && line[at..].starts_with("//") {
            break;
        }
        if quoted || letter != ' ' || !code.ends_with(' ') {
            code.push(letter);
        }
    }
    code.truncate(code.trim_end().len());
    code
}

#[cfg(test)]
mod tests {
    use super::brief;
    use crate::prelude::PRELUDE;
    use mam_grammar::ast::{Ast, Body, ItemKind};
    use mam_grammar::{Limits, Sources, syntax};

    /// What a text defines, with its documentation, and the line of each definition.
    fn defined(name: &str, text: &str) -> (String, Vec<usize>) {
        let mut sources = Sources::default();
        let id = sources.add(name, text);
        let (mut ast, problems) = syntax::parse(&sources, id, &Limits::default());
        assert!(!problems.has_errors(), "{name}");
        ast.items.retain(|item| !matches!(item.kind, ItemKind::Expect(_)));
        for item in &mut ast.items {
            if let ItemKind::Definition(definition) = &mut item.kind
                && crate::prelude::is_private(&definition.name.name)
            {
                item.doc = None;
                if let Body::Items(items) = &mut definition.body {
                    items.iter_mut().for_each(|item| item.doc = None);
                }
            }
            if let Some(doc) = &mut item.doc
                && doc.starts_with("Internal:")
            {
                *doc = "Internal:".into();
            }
        }
        let lines = |ast: &Ast| {
            ast.items.iter().map(|item| text[..item.span.start as usize].lines().count()).collect()
        };
        (ast.to_string(), lines(&ast))
    }

    /// Were a definition lost with its comment, the page would lack it; were a line, places would be told wrong.
    #[test]
    fn what_is_left_defines_the_same_in_the_same_places() {
        for (name, text) in PRELUDE {
            let brief = brief(text);
            assert_eq!(defined(name, &brief), defined(name, text), "{name}");
            let is_left = |line: &str| line.starts_with("expect ") || line.trim_start().starts_with("// ");
            assert!(!brief.lines().any(is_left), "{name}");
        }
        let text = "a = 1 // one\n// two\n/// Three.\n  b   = \"//  \"  // four\n";
        assert_eq!(brief(text), "a = 1\n\n/// Three.\nb = \"//  \"\n");
        let text = "/// A.\neffect _a {\n  /// B.\n  param b = 1\n}\n\n/// C.\ndef c(x) = x\n";
        assert_eq!(brief(text), "\neffect _a {\n\nparam b = 1\n}\n\n/// C.\ndef c(x) = x\n");
        let text = "/// Internal: a.\n/// B.\ndef a(x) = x\n/// C.\ndef c(x) = x\n";
        assert_eq!(brief(text), "/// Internal:\n///\ndef a(x) = x\n/// C.\ndef c(x) = x\n");
    }
}
