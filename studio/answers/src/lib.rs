//! What the studio's page asks of a song, answered as JSON: the same in the page's worker, which has the compiler as WebAssembly, and
//! in `mamc studio`.
//!
//! Places are UTF-16 code units from the text's start, as the page's editor counts them.

mod notes;
mod places;
mod steps;

use mam_compiler::files::Loader;
use mam_compiler::library::ParamInfo;
use mam_compiler::target::Target;
use mam_compiler::{Compilation, Options};
use mam_grammar::{Problem, Severity, SourceId};
use mam_ide::{Analyser, Analysis};
use mam_runtime::Program;
use notes::notes;
use places::Places;
use serde_json::{Value, json};
use std::sync::Arc;
use steps::Score;

/// Problems that are shown.
const MOST_PROBLEMS: usize = 200;

/// What is kept from question to question.
pub struct Answers {
    analyser: Analyser,
    /// Of the last text that was asked about, with its name.
    analysis: Option<(String, String, Analysis)>,
    /// The parameters of the last song that was compiled, by name.
    infos: Vec<(Arc<str>, ParamInfo)>,
    /// Its score, and the text that its steps are written in.
    score: Option<Score>,
}

impl Default for Answers {
    /// Nothing is known yet.
    fn default() -> Answers {
        let options = Options { target: Target::portable(), ..Options::default() };
        Answers { analyser: Analyser::new(options), analysis: None, infos: vec![], score: None }
    }
}

impl Answers {
    /// Answers what needs no program: `hover`, `complete`, `signature`, `definition`, `tokens`, `symbols`, `format`, of `text` (called
    /// `name`) at the place `at`; `show`, a `value` of a `param` in its unit; and `steps`, which steps of the last program's text
    /// sound between two times, `from` and `to`, in seconds of its score. `None` for any other question.
    pub fn answer(&mut self, question: &Value, loader: &dyn Loader) -> Option<Value> {
        let answer = match question["ask"].as_str()? {
            "hover" => hover,
            "complete" => completions,
            "signature" => signature,
            "definition" => definition,
            "tokens" => tokens,
            "symbols" => symbols,
            "format" => format,
            "show" => return Some(self.shown(question)),
            "steps" => {
                return Some(self.score.as_ref().map_or_else(|| json!([]), |score| score.steps(question)));
            }
            _ => return None,
        };
        let word = |name: &str| question[name].as_str().unwrap_or_default().to_owned();
        let (name, text) = (word("name"), word("text"));
        let same = |known: &(String, String, Analysis)| known.0 == name && known.1 == text;
        if !self.analysis.as_ref().is_some_and(same) {
            let analysis = self.analyser.analyse(&name, &text, loader);
            self.analysis = Some((name, text, analysis));
        }
        let (_, text, analysis) = self.analysis.as_ref()?;
        let places = Places::new(text);
        let at = question["at"].as_u64().unwrap_or_default() as usize;
        Some(answer(analysis, &places, places.byte(at)))
    }

    /// What the page is told of a compilation: its problems, whether there is a program, and what that is.
    /// `text` is that of `song`.
    pub fn compiled(&mut self, text: &str, song: SourceId, found: &[Problem], made: &Compilation) -> Value {
        let places = Places::new(text);
        let shown = found.iter().take(MOST_PROBLEMS).map(|found| problem(found, song, &places));
        let mut answer = json!({ "problems": shown.collect::<Vec<_>>(), "ok": made.program.is_some() });
        if let Some(program) = &made.program {
            let infos = made.stages.lowered.slots.iter();
            self.infos = infos.map(|(name, info)| (name.clone(), info.clone())).collect();
            self.score = Some(Score::new(text, program));
            answer["song"] = song_facts(made, program);
        }
        answer
    }

    fn shown(&self, question: &Value) -> Value {
        let value = question["value"].as_f64().unwrap_or_default();
        let info = self.infos.iter().find(|(name, _)| Some(&**name) == question["param"].as_str());
        json!({ "shown": info.map_or_else(|| value.to_string(), |(_, info)| info.show(value)) })
    }
}

fn problem(problem: &Problem, song: SourceId, places: &Places) -> Value {
    let severity = match problem.code.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "info",
    };
    // What has no place in the song stands at its beginning.
    let span = problem.span();
    let units = if span.source == song { places.units(span.range()) } else { 0..0 };
    let label = problem.labels.first().map_or("", |label| &*label.text);
    let fix = problem.fix.as_ref().filter(|fix| fix.span.source == song).map(|fix| {
        let units = places.units(fix.span.range());
        json!({ "from": units.start, "to": units.end, "insert": fix.replacement })
    });
    json!({
        "from": units.start, "to": units.end, "severity": severity, "code": problem.code.name,
        "message": problem.message, "label": label, "help": problem.help, "fix": fix,
        "explanation": problem.code.explanation,
    })
}

/// What the page shows of a song: its knobs, instruments, notes, nodes.
fn song_facts(made: &Compilation, program: &Program) -> Value {
    let finite = |x: f64| if x.is_finite() { json!(x) } else { Value::Null };
    let params = made.stages.lowered.slots.iter().map(|(name, info)| {
        json!({
            "name": &**name, "min": finite(info.min), "max": finite(info.max), "default": info.default,
            "shown": info.shown_default(), "range": info.range(), "doc": info.doc.as_deref(),
            "curve": format!("{:?}", info.curve),
        })
    });
    let targets: Vec<&str> = program.targets.iter().map(|target| &*target.name).collect();
    let marks = made.stages.marks.iter().map(|mark| {
        json!({ "name": &*mark.name, "start": mark.start.to_f64(), "end": mark.end.to_f64(), "depth": mark.depth })
    });
    json!({
        "rate": program.rate, "channels": program.outputs.len(), "params": params.collect::<Vec<_>>(),
        "targets": targets, "roll": notes(program), "marks": marks.collect::<Vec<_>>(),
        "graph": graph(made), "steps": program.steps.len(),
    })
}

/// The song's nodes, and which hear which.
fn graph(made: &Compilation) -> Value {
    let graph = &made.stages.graph;
    let names: Vec<&str> = graph.nodes.values().map(|node| &*node.path).collect();
    let edges =
        graph.wires.raw_edges().iter().map(|edge| json!([edge.source().index(), edge.target().index()]));
    json!({ "nodes": names, "edges": edges.collect::<Vec<_>>() })
}

fn hover(analysis: &Analysis, places: &Places, byte: usize) -> Value {
    match analysis.hover(analysis.song, byte) {
        Some(hover) => {
            let units = places.units(hover.span.range());
            json!({ "from": units.start, "to": units.end, "markdown": hover.markdown })
        }
        None => Value::Null,
    }
}

fn completions(analysis: &Analysis, places: &Places, byte: usize) -> Value {
    let all = analysis.completions(analysis.song, byte).into_iter().map(|one| {
        let units = places.units(one.replace.range());
        json!({
            "label": one.label, "kind": format!("{:?}", one.kind).to_lowercase(), "detail": one.detail,
            "doc": one.doc, "insert": one.insert, "from": units.start, "to": units.end,
        })
    });
    json!(all.collect::<Vec<_>>())
}

fn signature(analysis: &Analysis, _: &Places, byte: usize) -> Value {
    match analysis.signature(analysis.song, byte) {
        Some(signature) => json!({ "label": signature.label, "active": signature.active }),
        None => Value::Null,
    }
}

fn definition(analysis: &Analysis, places: &Places, byte: usize) -> Value {
    let span = analysis.definition(analysis.song, byte).filter(|span| span.source == analysis.song);
    span.map_or(Value::Null, |span| json!(places.unit(span.range().start)))
}

/// Colours: `[from, to, kind]`.
fn tokens(analysis: &Analysis, places: &Places, _: usize) -> Value {
    let all = analysis.tokens(analysis.song).into_iter().map(|token| {
        let units = places.units(token.span.range());
        json!([units.start, units.end, format!("{:?}", token.kind).to_lowercase()])
    });
    json!(all.collect::<Vec<_>>())
}

fn symbols(analysis: &Analysis, places: &Places, _: usize) -> Value {
    let all = analysis.symbols(analysis.song).into_iter();
    json!(all.map(|one| json!([one.name, places.unit(one.selection.range().start)])).collect::<Vec<_>>())
}

fn format(analysis: &Analysis, places: &Places, _: usize) -> Value {
    match analysis.format(analysis.song) {
        Some(edits) => {
            let all = edits.into_iter().map(|edit| {
                let units = places.units(edit.span.range());
                json!({ "from": units.start, "to": units.end, "insert": edit.text })
            });
            json!(all.collect::<Vec<_>>())
        }
        None => Value::Null,
    }
}
