//! The runner of the Markdown cases.
//!
//! A case is a Markdown file. Its first fenced block is the input, labelled `mam`, `json` or `ir`; each following
//! block is labelled with a stage, and holds what that stage makes of the input. Prose between the blocks says what
//! the case is for. A new input starts the next case of the file; before an `ir` it needs a heading of the first level.
//! With `MAM_BLESS=1` the blocks are rewritten
//! in place.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

/// Labels of inputs.
const INPUTS: &[&str] = &["mam", "json", "ir"];
/// Labels of blocks that are shown, not run.
const SHOWN: &[&str] = &["sh", "text"];

/// A text to run the stages on.
#[derive(Clone, Copy, Debug)]
pub struct Input<'t> {
    /// `mam`, `json` or `ir`.
    pub language: &'t str,
    /// The text.
    pub text: &'t str,
}

/// Makes the text of a stage from an input. `None`: there is no stage of this name.
pub type Stage<'f> = dyn Fn(&str, Input) -> Option<String> + Sync + 'f;

/// Runs a `.md` file, or all below a folder, or rewrites them when `bless` is set.
///
/// # Errors
/// One text that shows every difference and every mistake in the cases themselves.
pub fn run(path: &Path, bless: bool, stage: &Stage) -> Result<usize, String> {
    let files = if path.is_file() { vec![path.to_path_buf()] } else { markdown(path) };
    let mut failures = String::new();
    for file in &files {
        let text = fs::read_to_string(file).map_err(|e| format!("{}: {e}", file.display()))?;
        match run_text(&text, stage) {
            Ok(now) if now == text => {}
            Ok(now) if bless => fs::write(file, now).map_err(|e| format!("{}: {e}", file.display()))?,
            Ok(now) => _ = write!(failures, "── {}\n{}\n", file.display(), difference(&text, &now)),
            Err(mistake) => _ = writeln!(failures, "── {}\n{mistake}", file.display()),
        }
    }
    if failures.is_empty() { Ok(files.len()) } else { Err(failures) }
}

/// The text of a case file with every block as its stage makes it now.
///
/// # Errors
/// When the file is no case: an unknown label, a stage before any input, a fence without an end.
pub fn run_text(text: &str, stage: &Stage) -> Result<String, String> {
    let mut out = String::with_capacity(text.len());
    let mut input: Option<(String, String)> = None;
    let mut lines = text.lines().enumerate();
    while let Some((number, line)) = lines.next() {
        _ = writeln!(out, "{line}");
        if line.starts_with("# ") {
            input = None;
        }
        let Some(fence) = fence(line) else { continue };
        let label = line.trim_start_matches('`').trim();
        let (body, closed) = block(&mut lines, fence);
        if !closed {
            return Err(format!("line {}: this block has no end", number + 1));
        }
        // `ir` is an input and a stage.
        let begins = input.is_none() || label != "ir";
        if begins && INPUTS.contains(&label) {
            out += &body;
            input = Some((label.to_string(), body));
        } else if SHOWN.contains(&label) {
            out += &body;
        } else {
            let (language, text) =
                input.as_ref().ok_or(format!("line {}: no input before it", number + 1))?;
            let made = stage(label, Input { language, text });
            out += &made.ok_or(format!("line {}: there is no stage `{label}`", number + 1))?;
        }
        _ = writeln!(out, "{}", "`".repeat(fence));
    }
    Ok(out)
}

/// How many backquotes a fence has.
fn fence(line: &str) -> Option<usize> {
    let count = line.bytes().take_while(|&b| b == b'`').count();
    (count >= 3).then_some(count)
}

fn block<'t>(lines: &mut impl Iterator<Item = (usize, &'t str)>, fence: usize) -> (String, bool) {
    let mut body = String::new();
    for (_, line) in lines {
        if line.trim_end() == "`".repeat(fence) {
            return (body, true);
        }
        body += line;
        body.push('\n');
    }
    (body, false)
}

fn markdown(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "md") {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

/// The lines that differ, with a few around them: `-` is in the file, `+` is made now.
pub fn difference(file: &str, now: &str) -> String {
    const AROUND: usize = 3;
    let (old, new): (Vec<&str>, Vec<&str>) = (file.lines().collect(), now.lines().collect());
    let head = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let rest = old.len().min(new.len()) - head;
    let tail = old.iter().rev().zip(new.iter().rev()).take(rest).take_while(|(a, b)| a == b).count();
    let mut out = format!("line {}:\n", head + 1);
    let mut show = |mark, lines: &[&str]| lines.iter().for_each(|l| _ = writeln!(out, "{mark} {l}"));
    show(' ', &old[head.saturating_sub(AROUND)..head]);
    show('-', &old[head..old.len() - tail]);
    show('+', &new[head..new.len() - tail]);
    show(' ', &old[old.len() - tail..(old.len() - tail + AROUND).min(old.len())]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn upper(label: &str, input: Input) -> Option<String> {
        (label == "upper").then(|| input.text.to_uppercase())
    }

    #[test]
    fn blocks_are_made_anew_and_prose_stays() {
        let case = "# A\n\n```mam\na = 1\n```\nsaid\n```upper\nold\n```\n";
        let made = run_text(case, &upper).unwrap();
        assert_eq!(made, case.replace("old", "A = 1"));
        assert_eq!(run_text(&made, &upper).unwrap(), made);
    }

    #[test]
    fn mistakes_in_a_case_are_errors() {
        assert!(
            run_text("```mam\na\n```\n```lower\n```\n", &upper).unwrap_err().contains("no stage `lower`")
        );
        assert!(run_text("```upper\n```\n", &upper).unwrap_err().contains("no input"));
        assert!(run_text("```mam\n", &upper).unwrap_err().contains("no end"));
    }
}
