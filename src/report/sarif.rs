//! Problems as SARIF 2.1.0 (OASIS, "Static Analysis Results Interchange Format"), for code hosts and editors.

use super::lines::{Lines, Location};
use super::{Found, word};
use mam_grammar::{Code, Label, Problem, Span};
use serde_json::{Value, json};

/// The document, with a final newline.
pub fn document(found: &[Found]) -> String {
    let problems = || found.iter().flat_map(|f| f.problems);
    let mut codes: Vec<&'static Code> = problems().map(|p| p.code).collect();
    codes.sort_by_key(|c| c.name);
    codes.dedup_by_key(|c| c.name);
    let rules: Vec<Value> = codes.iter().map(|c| rule(c)).collect();
    let results = |f: &Found| {
        let lines = Lines::new(f.sources);
        f.problems.iter().map(|p| result(p, &lines)).collect::<Vec<Value>>()
    };
    let results: Vec<Value> = found.iter().flat_map(results).collect();
    crate::json::pretty(&json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": { "name": "mamc", "version": env!("CARGO_PKG_VERSION"), "rules": rules } },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    }))
}

fn rule(code: &Code) -> Value {
    json!({
        "id": code.name,
        "fullDescription": { "text": code.explanation },
        "defaultConfiguration": { "level": word(code.severity) },
    })
}

fn result(problem: &Problem, lines: &Lines) -> Value {
    let text = match &problem.help {
        Some(help) => format!("{}\n{help}", problem.message),
        None => problem.message.clone(),
    };
    let others: Vec<Value> = problem.labels[1..].iter().map(|l| location(l, lines)).collect();
    let mut result = json!({
        "ruleId": problem.code.name,
        "level": word(problem.code.severity),
        "message": { "text": text },
        "locations": [location(&problem.labels[0], lines)],
        "relatedLocations": others,
    });
    if let Some(fix) = &problem.fix {
        let deleted = physical(fix.span, lines);
        result["fixes"] = json!([{
            "artifactChanges": [{
                "artifactLocation": deleted["artifactLocation"],
                "replacements": [{
                    "deletedRegion": deleted["region"],
                    "insertedContent": { "text": fix.replacement },
                }],
            }],
            "properties": { "applicability": super::applicability(fix.applicability) },
        }]);
    }
    result
}

/// SARIF's `physicalLocation` object of a span.
fn physical(span: Span, lines: &Lines) -> Value {
    let Location { file, start, end, line, column, end_line, end_column } = lines.location(span);
    json!({
        "artifactLocation": { "uri": file },
        "region": {
            "startLine": line, "startColumn": column, "endLine": end_line, "endColumn": end_column,
            "byteOffset": start, "byteLength": end - start,
        },
    })
}

fn location(label: &Label, lines: &Lines) -> Value {
    let mut location = json!({
        "physicalLocation": physical(label.span, lines),
        "properties": { "role": super::role(label.role) },
    });
    if !label.text.is_empty() {
        location["message"] = json!({ "text": label.text });
    }
    location
}
