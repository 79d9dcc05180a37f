//! The text of the JSON song: a line for each node, connection and pattern.

use super::mix::Mixer;
use super::mods::Mod;
use super::rows::{Lock, PlayedNote, Row, Transport};
use super::{Node, SIGNAL, Song, quoted};
use crate::channels::{Channels, DEFAULT_CHANNELS};
use crate::graph::NodeId;
use crate::json::nodes::plain;
use mam_grammar::json::NEWEST;
use mam_runtime::precedence::Priority;
use mam_runtime::score::Rational;
use rustc_hash::FxHashSet;
use std::fmt::Write;

/// Writes the whole song as JSON.
pub(super) fn song(
    song: &Song<'_>,
    nodes: &[Node],
    (mixer, mods): (Mixer, Vec<Mod>),
    transport: Option<Transport>,
) -> String {
    // An instrument that nothing plays would play once, at the start: it is left out.
    let silent: FxHashSet<NodeId> =
        nodes.iter().filter(|n| is_silent(n, transport.as_ref())).map(|n| n.id).collect();
    let heard: Vec<&Node> = nodes.iter().filter(|n| !silent.contains(&n.id)).collect();
    let name = |id: NodeId| quoted(&song.graph.nodes[id].path);
    let mut fields = vec![format!("\"version\": {NEWEST}")];
    let channels = Channels::read(song.ast).count.filter(|count| *count != DEFAULT_CHANNELS);
    fields.extend(channels.map(|count| format!("\"channels\": {count}")));
    fields.push(list("nodes", heard.iter().map(|n| node(n)).collect()));
    let connections: Vec<String> = heard
        .iter()
        .flat_map(|n| n.wires.iter().filter(|w| !silent.contains(&w.0)).map(|w| connection(&name(w.0), n, w)))
        .collect();
    if !connections.is_empty() {
        fields.push(list("connections", connections));
    }
    if !mods.is_empty() {
        fields.push(list("mods", mods.iter().map(one_mod).collect()));
    }
    let terms = mixer.terms.iter().filter(|term| !silent.contains(&term.0));
    let mut inputs: Vec<(NodeId, f64)> = terms.copied().collect();
    // What is not listed and feeds nothing would be heard at unity.
    let unheard = |n: &&&Node| {
        &*n.kind != SIGNAL
            && !inputs.iter().any(|i| i.0 == n.id)
            && !heard.iter().any(|o| o.wires.iter().any(|w| w.0 == n.id))
    };
    let unheard: Vec<_> = heard.iter().filter(unheard).map(|n| (n.id, 0.0)).collect();
    inputs.extend(unheard);
    let input = |&(id, gain): &(NodeId, f64)| {
        format!("{{ \"id\": {}, \"gainPercent\": {} }}", name(id), percent(gain))
    };
    fields.push(format!(
        "\"mixer\": {{ \"masterPercent\": {}, \"softClip\": {}, \"inputs\": [\n    {}\n  ] }}",
        percent(mixer.master),
        mixer.soft_clip,
        inputs.iter().map(input).collect::<Vec<_>>().join(",\n    "),
    ));
    fields.extend(transport.map(|t| transport_field(&t, &silent, &name)));
    format!("{{\n  {}\n}}\n", fields.join(",\n  "))
}

/// Whether nothing plays an instrument.
pub(super) fn is_silent(node: &Node, transport: Option<&Transport>) -> bool {
    let Some(transport) = transport.filter(|t| !t.others_play && !node.effect) else { return false };
    let rows = || transport.rows.iter().filter(|row| row.node == node.id);
    let locks = || rows().flat_map(|row| &row.locks).map(|lock| (lock.param.to_lowercase(), &lock.value));
    let settings = || node.params.iter().map(|(name, value)| (name.clone(), value)).chain(locks());
    let ever = |name: &str| settings().any(|s| s.0 == name && !matches!(&**s.1, "0" | "false"));
    let hit = rows().any(|row| row.steps.contains(&true) || !row.notes.is_empty());
    let loops = ever("loop") && ever("bpm");
    !hit && !loops
}

fn node(node: &Node) -> String {
    let object = |fields: &[(String, String)]| {
        let all: Vec<String> =
            fields.iter().map(|(name, value)| format!("{}: {value}", quoted(name))).collect();
        format!("{{ {} }}", all.join(", "))
    };
    let mut text = format!("{{ \"id\": {}, \"type\": {}", quoted(&node.name), quoted(&node.kind));
    for (name, fields) in [("args", &node.args), ("params", &node.params)] {
        if !fields.is_empty() {
            _ = write!(text, ", \"{name}\": {}", object(fields));
        }
    }
    if node.voices > 1 {
        _ = write!(text, ", \"voices\": {}", node.voices);
    }
    let word = Priority::ALL.into_iter().find(|(priority, _)| node.priority == Some(*priority));
    if let Some((_, word)) = word {
        _ = write!(text, ", \"priority\": {}", quoted(word));
    }
    if let Some(value) = &node.value {
        _ = write!(text, ", \"value\": {value}");
    }
    text + " }"
}

fn one_mod(one: &Mod) -> String {
    let mut text = format!(
        "{{ \"from\": {}, \"to\": {}, \"depth\": {}",
        quoted(&one.from),
        quoted(&one.to),
        quoted(&one.depth)
    );
    if let Some(curve) = one.curve {
        _ = write!(text, ", \"curve\": {}", quoted(curve));
    }
    if let Some((low, high)) = &one.range {
        _ = write!(text, ", \"range\": [{}, {}]", quoted(low), quoted(high));
    }
    text + " }"
}

fn connection(from: &str, to: &Node, (_, port, gain): &(NodeId, usize, f64)) -> String {
    let mut text = format!("{{ \"from\": {from}, \"to\": {}", quoted(&to.name));
    if *gain != 1.0 {
        _ = write!(text, ", \"gainPercent\": {}", percent(*gain));
    }
    if *port > 0 {
        _ = write!(text, ", \"toPort\": {port}");
    }
    text + " }"
}

fn transport_field(
    transport: &Transport,
    silent: &FxHashSet<NodeId>,
    name: &dyn Fn(NodeId) -> String,
) -> String {
    let mut text = format!(
        "\"transport\": {{\n    \"bpm\": {}, \"lengthBars\": {}, \"resolution\": {}, \"swingPercent\": {},\n",
        decimal(transport.bpm),
        transport.length_bars,
        transport.resolution,
        decimal(transport.swing),
    );
    if !transport.tempo.is_empty() {
        let step = |(bar, bpm): &(u32, Rational)| format!("{{ \"bar\": {bar}, \"bpm\": {} }}", decimal(*bpm));
        let steps: Vec<String> = transport.tempo.iter().map(step).collect();
        _ = writeln!(text, "    \"tempoRamps\": [ {} ],", steps.join(", "));
    }
    let rows: Vec<String> =
        transport.rows.iter().filter(|r| !silent.contains(&r.node)).map(|r| row(r, name)).collect();
    text + &format!("    \"patterns\": [\n      {}\n    ]\n  }}", rows.join(",\n      "))
}

fn row(row: &Row, name: &dyn Fn(NodeId) -> String) -> String {
    let steps: String = row.steps.iter().map(|&hit| if hit { 'x' } else { '.' }).collect();
    let mut text = format!("{{ \"nodeId\": {}", name(row.node));
    if row.notes.is_empty() {
        _ = write!(text, ", \"steps\": \"{steps}\"");
    } else {
        let notes: Vec<String> = row.notes.iter().map(note).collect();
        _ = write!(text, ", \"bars\": {}, \"notes\": [\n        {} ]", row.bars, notes.join(",\n        "));
    }
    if !row.locks.is_empty() {
        let locks: Vec<String> = row.locks.iter().map(lock).collect();
        _ = write!(text, ", \"locks\": [\n        {} ]", locks.join(",\n        "));
    }
    text + " }"
}

fn note(note: &PlayedNote) -> String {
    let mut text = format!("{{ \"step\": {}", note.step);
    let fields = [
        ("steps", &note.steps),
        ("note", &note.note),
        ("vel", &note.vel),
        ("gatePercent", &note.gate),
        ("delayMs", &note.delay),
    ];
    for (name, value) in fields {
        if let Some(value) = value {
            _ = write!(text, ", \"{name}\": {value}");
        }
    }
    text + " }"
}

fn lock(lock: &Lock) -> String {
    let ramp = match lock.ramp_ms == Rational::ZERO {
        true => String::new(),
        false => format!(", \"rampMs\": {}", decimal(lock.ramp_ms)),
    };
    format!(
        "{{ \"step\": {}, \"param\": {}, \"value\": {}{ramp} }}",
        lock.step,
        quoted(&lock.param),
        lock.value
    )
}

fn list(name: &str, entries: Vec<String>) -> String {
    if entries.is_empty() {
        return format!("\"{name}\": []");
    }
    format!("\"{name}\": [\n    {}\n  ]", entries.join(",\n    "))
}

fn percent(gain: f64) -> String {
    plain(gain * 100.0)
}

fn decimal(x: Rational) -> String {
    plain(x.to_f64())
}
