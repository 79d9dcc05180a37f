//! Problems as SARIF 2.1.0 (OASIS, "Static Analysis Results Interchange Format"), for code hosts and editors.

use super::lines::{Lines, Place};
use super::{Found, word};
use mam_grammar::{Code, Label, Problem};
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
        let place = Label { span: fix.span, text: String::new() };
        let physical = &location(&place, lines)["physicalLocation"];
        result["fixes"] = json!([{ "artifactChanges": [{
            "artifactLocation": physical["artifactLocation"],
            "replacements": [{
                "deletedRegion": physical["region"],
                "insertedContent": { "text": fix.replacement },
            }],
        }] }]);
    }
    result
}

fn location(label: &Label, lines: &Lines) -> Value {
    let Place { file, start, end, line, column, end_line, end_column } = lines.place(label.span);
    let mut location = json!({
        "physicalLocation": {
            "artifactLocation": { "uri": file },
            "region": {
                "startLine": line, "startColumn": column, "endLine": end_line, "endColumn": end_column,
                "byteOffset": start, "byteLength": end - start,
            },
        },
    });
    if !label.text.is_empty() {
        location["message"] = json!({ "text": label.text });
    }
    location
}
