//! The typed graph: the fields of the format, and how they are read.

use super::codes;
use super::fields::{Fields, Object, head};
use super::mods::{Mod, Quantity, mods, quantity};
use super::params::{ParamName, Scalar, followed, param_name, ramp, scalar};
use super::read::read;
use super::transport::{Transport, read_transport};
use super::value::{At, Decimal, Text, Value};
use crate::limits::Limits;
use crate::problem::{Problem, Problems};
use crate::source::{SourceId, Sources, Span};

/// A song as its JSON says it. What was malformed is left out; then there is an error among the problems.
#[derive(Clone, Debug)]
pub struct Graph {
    /// The first character of the song.
    pub head: Span,
    /// Version of the format in which it is written: 1 or 2.
    pub version: u32,
    /// Where the file says that.
    pub version_at: Option<Span>,
    /// Sample rate in frames a second (`sampleRate`).
    pub sample_rate: Option<At<u32>>,
    /// Number of output channels.
    pub channels: Option<At<u16>>,
    /// All nodes, those of type `transport` among them.
    pub nodes: Vec<Node>,
    /// False when a node was left out: then a name that is not found may have been its.
    pub nodes_complete: bool,
    /// How the nodes are heard.
    pub mixer: Option<Mixer>,
    /// The `transport` section first, then the nodes of type `transport`.
    pub transports: Vec<Transport>,
    /// What is done at which frame, in the order of the file.
    pub commands: Vec<Command>,
    /// The wires, in the order of the file.
    pub connections: Vec<Connection>,
    /// Which signals move which parameters, in the order of the file.
    pub mods: Vec<Mod>,
}

/// A node of the graph: an instrument or an effect with its parameters.
#[derive(Clone, Debug)]
pub struct Node {
    /// Its name: any text but the empty one.
    pub id: Text,
    /// What it is; None when that was malformed.
    pub kind: Option<Text>,
    /// Its parameters, each with its key, in order.
    pub params: Vec<(Text, At<Scalar>)>,
    /// What the head of its definition is given, each with its key, in order: numbers and expressions of the language.
    pub args: Vec<(Text, At<Quantity>)>,
    /// How many notes it plays at once.
    pub voices: Option<At<u32>>,
    /// Which of held notes play where they are more than its voices: `last`, `low`, `high`.
    pub priority: Option<Text>,
    /// Of a node of type `signal`, the expression that it is.
    pub value: Option<Text>,
}

/// The type of a node that holds a transport.
pub(super) const TRANSPORT: &str = "transport";
/// The type of a node that is an expression of the language.
pub(super) const SIGNAL: &str = "signal";
/// The fields of nodes that version 2 of the format has.
const SECOND: [&str; 4] = ["args", "voices", "priority", "value"];

impl Node {
    /// True for a node that is an expression of the language.
    pub fn is_signal(&self) -> bool {
        self.kind.as_ref().is_some_and(|k| &*k.value == SIGNAL)
    }

    /// True for a node that holds a transport and has no sound.
    pub fn is_transport(&self) -> bool {
        self.kind.as_ref().is_some_and(|k| &*k.value == TRANSPORT)
    }
}

/// The `mixer` section: gains of nodes and of their sum.
#[derive(Clone, Debug)]
pub struct Mixer {
    /// Gain of the sum, in percent.
    pub master: Option<At<Decimal>>,
    /// tanh at the end; true when absent.
    pub soft_clip: bool,
    /// The nodes that are mixed, with their gains.
    pub inputs: Vec<Input>,
}

/// One input of the mixer.
#[derive(Clone, Debug)]
pub struct Input {
    /// Id of the node that is mixed.
    pub id: Text,
    /// Percent; 100 when absent.
    pub gain: Option<At<Decimal>>,
}

/// A connection: the output of one node flows into an input of another.
#[derive(Clone, Debug)]
pub struct Connection {
    /// The first character of the entry.
    pub head: Span,
    /// The node that is heard.
    pub from: Text,
    /// The node that hears it.
    pub to: Text,
    /// Percent; 100 when absent.
    pub gain: Option<At<Decimal>>,
    /// Percent of the source that also goes to the mix; 0 when absent.
    pub dry: Option<At<Decimal>>,
    /// Output of the source; 0 when absent.
    pub from_port: Option<At<i64>>,
    /// Input of the destination: 0, when absent, is the main one.
    pub to_port: Option<At<i64>>,
}

/// Something that is done at a frame.
#[derive(Clone, Debug)]
pub struct Command {
    /// Absolute frame at the render's rate.
    pub sample_time: At<u64>,
    /// Id of the node at this end of the connection.
    pub node: Text,
    /// What is done; the place is that of `type`.
    pub kind: At<CommandKind>,
}

/// What a command does.
#[derive(Clone, Debug)]
pub enum CommandKind {
    /// Plays one note of the node.
    Trigger,
    /// Sets a parameter of the node.
    Set {
        /// The parameter that is set.
        param: ParamName,
        /// The value that it gets.
        value: At<Scalar>,
        /// Milliseconds of a `SetParamRamp`; None for a `SetParam`.
        ramp: Option<At<Decimal>>,
    },
}

/// Reads a song. None only when the text is so malformed that nothing can be said of its fields.
pub fn parse(sources: &Sources, id: SourceId, limits: &Limits, problems: &mut Problems) -> Option<Graph> {
    let value = read(sources, id, limits, problems)?;
    let mut fields = Fields { text: &sources.get(id).text, limits, problems, version: NEWEST };
    graph(&mut fields, &value)
}

fn graph(f: &mut Fields<'_>, value: &At<Value>) -> Option<Graph> {
    const KNOWN: &[&str] = &[
        "version",
        "sampleRate",
        "channels",
        "nodes",
        "mixer",
        "transport",
        "commands",
        "connections",
        "mods",
    ];
    let limits = f.limits.json;
    let object = f.object(value, "the song", KNOWN)?;
    let version = f.optional(&object, "version", version).unwrap_or(1);
    f.version = version;
    let sample_rate = f.optional(&object, "sampleRate", |f, v| {
        let range = f.limits.json.rate_min as i64..=f.limits.json.rate_max as i64;
        f.whole(v, "a sample rate", range).map(|n| At::new(n.value as u32, n.span))
    });
    let channels = f.optional(&object, "channels", |f, v| {
        let range = 1..=f.limits.json.channels as i64;
        f.whole(v, "the number of channels", range).map(|n| At::new(n.value as u16, n.span))
    });
    let mut transports: Vec<Transport> = Vec::new();
    transports.extend(object.get("transport").and_then(|v| read_transport(f, v, None)));
    let (nodes, nodes_complete) = nodes(f, &object, &mut transports);
    Some(Graph {
        head: object.head(),
        version,
        version_at: object.get("version").map(|value| value.span),
        sample_rate,
        channels,
        nodes,
        nodes_complete,
        mixer: f.optional(&object, "mixer", mixer),
        transports,
        commands: f.list(&object, "commands", limits.commands, command),
        connections: f.list(&object, "connections", limits.connections, connection),
        mods: mods(f, &object, version),
    })
}

/// The newest version of the format.
pub const NEWEST: u32 = 2;

fn version(f: &mut Fields<'_>, value: &At<Value>) -> Option<u32> {
    let number = f.number(value)?;
    let known = number.value.whole().and_then(|n| u32::try_from(n).ok()).filter(|n| (1..=NEWEST).contains(n));
    if known.is_none() {
        let message = format!("version {} of the format is unknown", number.value.text());
        let problem = Problem::new(&codes::VERSION, value.span, message);
        f.problems.add(problem.help("this mam reads versions 1 and 2: `\"version\": 2`"));
    }
    // What else is wrong is said as of the newest.
    Some(known.unwrap_or(NEWEST))
}

/// The nodes, and whether all of them could be read. What stands in a node of type `transport` joins `transports`.
fn nodes(f: &mut Fields<'_>, song: &Object<'_>, transports: &mut Vec<Transport>) -> (Vec<Node>, bool) {
    if song.get("nodes").is_none() {
        f.report(&codes::MISSING_FIELD, song.head(), "the song needs a field `nodes`, a list");
        return (Vec::new(), false);
    }
    let most = f.limits.json.nodes;
    let read = f.list(song, "nodes", most, node);
    let complete = match song.get("nodes").map(|v| &v.value) {
        Some(Value::Array(all)) => all.len() == read.len(),
        _ => false,
    };
    let mut nodes = Vec::new();
    for (node, transport) in read {
        transports.extend(transport);
        nodes.push(node);
    }
    (nodes, complete)
}

fn node(f: &mut Fields<'_>, value: &At<Value>) -> Option<(Node, Option<Transport>)> {
    let object =
        f.object(value, "a node", &["id", "type", "params", "args", "voices", "priority", "value"])?;
    let id = f.required(&object, "id", Fields::name);
    let kind = f.required(&object, "type", Fields::text);
    let params = object.get("params");
    let is = |name: &str| kind.as_ref().is_some_and(|k| &*k.value == name);
    let unused: &[&str] = match &kind {
        Some(_) if is(TRANSPORT) => &SECOND,
        Some(_) if is(SIGNAL) => &["params", "args", "voices", "priority"],
        _ => &["value"],
    };
    for (key, span) in unused.iter().filter_map(|key| Some((*key, object.key_span(key)?))) {
        let message = format!("a node of type `{}` does not look at `{key}`", kind.as_ref()?.value);
        f.report(&codes::UNUSED_FIELD, span, message);
    }
    let second = SECOND.iter().find_map(|key| object.key_span(key));
    if let Some(span) = second.or(kind.as_ref().filter(|_| is(SIGNAL)).map(|kind| kind.span)) {
        f.needs_second(span, "nodes of type `signal`, and `args`, `voices` and `priority` of others,");
    }
    let plain = |id: Text, kind: Option<Text>| Node {
        id,
        kind,
        params: Vec::new(),
        args: Vec::new(),
        voices: None,
        priority: None,
        value: None,
    };
    if is(TRANSPORT) {
        let empty = At::new(Value::Object(Vec::new()), head(value.span));
        let transport = read_transport(f, params.unwrap_or(&empty), id.clone());
        return Some((plain(id?, kind), transport));
    }
    if is(SIGNAL) {
        let value = f.required(&object, "value", Fields::text);
        return Some((Node { value: Some(value?), ..plain(id?, kind) }, None));
    }
    let params = params.map(|v| read_params(f, v)).unwrap_or_default();
    let args = object.get("args").map(|v| read_args(f, v)).unwrap_or_default();
    let voices = f.optional(&object, "voices", |f, v| {
        let most = f.limits.voices as i64;
        f.whole(v, "the number of voices", 1..=most).map(|n| At::new(n.value as u32, n.span))
    });
    let priority = f.optional(&object, "priority", priority);
    Some((Node { params, args, voices, priority, ..plain(id?, kind) }, None))
}

fn read_params(f: &mut Fields<'_>, value: &At<Value>) -> Vec<(Text, At<Scalar>)> {
    let Some(object) = f.free_object(value, "`params`") else { return Vec::new() };
    object.members.iter().filter_map(|m| Some((m.key.clone(), followed(f, &m.value)?))).collect()
}

fn read_args(f: &mut Fields<'_>, value: &At<Value>) -> Vec<(Text, At<Quantity>)> {
    let Some(object) = f.free_object(value, "`args`") else { return Vec::new() };
    object.members.iter().filter_map(|m| Some((m.key.clone(), quantity(f, &m.value)?))).collect()
}

fn priority(f: &mut Fields<'_>, value: &At<Value>) -> Option<Text> {
    const WORDS: [&str; 3] = ["last", "low", "high"];
    let text = f.text(value)?;
    if !WORDS.contains(&&*text.value) {
        let message = format!("there is no priority `{}`", text.value);
        let problem = Problem::new(&codes::VALUE, text.span, message);
        f.problems.add(problem.nearest(&text.value, "priorities", &WORDS));
        return None;
    }
    Some(text)
}

fn mixer(f: &mut Fields<'_>, value: &At<Value>) -> Option<Mixer> {
    let object = f.object(value, "the mixer", &["masterPercent", "softClip", "inputs"])?;
    let most = f.limits.json.nodes;
    Some(Mixer {
        master: f.optional(&object, "masterPercent", Fields::percent),
        soft_clip: f.optional(&object, "softClip", Fields::boolean).is_none_or(|b| b.value),
        inputs: f.list(&object, "inputs", most, |f, value| {
            let object = f.object(value, "an input of the mixer", &["id", "gainPercent"])?;
            let gain = f.optional(&object, "gainPercent", Fields::percent);
            Some(Input { id: f.required(&object, "id", Fields::name)?, gain })
        }),
    })
}

fn connection(f: &mut Fields<'_>, value: &At<Value>) -> Option<Connection> {
    const KNOWN: &[&str] = &["from", "to", "gainPercent", "dryPercent", "fromPort", "toPort"];
    let object = f.object(value, "a connection", KNOWN)?;
    let port = |f: &mut Fields<'_>, v: &At<Value>| f.whole(v, "a port", 0..=i64::from(u16::MAX));
    let (from, to) = (f.required(&object, "from", Fields::name), f.required(&object, "to", Fields::name));
    let (gain, dry) = (
        f.optional(&object, "gainPercent", Fields::percent),
        f.optional(&object, "dryPercent", Fields::percent),
    );
    let from_port = object.get("fromPort").and_then(|v| port(f, v));
    let to_port = object.get("toPort").and_then(|v| port(f, v));
    Some(Connection { head: object.head(), from: from?, to: to?, gain, dry, from_port, to_port })
}

fn command(f: &mut Fields<'_>, value: &At<Value>) -> Option<Command> {
    const KNOWN: &[&str] = &["sampleTime", "nodeId", "type", "param", "paramId", "value", "rampMs"];
    let object = f.object(value, "a command", KNOWN)?;
    let sample_time = f.required(&object, "sampleTime", |f, v| {
        let latest = f.limits.json.frame as i64;
        f.whole(v, "`sampleTime`, in frames,", 0..=latest).map(|n| At::new(n.value as u64, n.span))
    });
    let node = f.required(&object, "nodeId", Fields::name);
    let kind = f.required(&object, "type", Fields::text).and_then(|kind| command_kind(f, &object, &kind));
    Some(Command { sample_time: sample_time?, node: node?, kind: kind? })
}

fn command_kind(f: &mut Fields<'_>, object: &Object<'_>, kind: &Text) -> Option<At<CommandKind>> {
    const TYPES: [&str; 3] = ["Trigger", "SetParam", "SetParamRamp"];
    let unused: &[&str] = match &*kind.value {
        "Trigger" => &["param", "paramId", "value", "rampMs"],
        "SetParam" => &["rampMs"],
        "SetParamRamp" => &[],
        other => {
            let message = format!("there is no command of type `{other}`");
            f.problems.add(Problem::new(&codes::COMMAND_TYPE, kind.span, message).nearest(
                other,
                "types of commands",
                &TYPES,
            ));
            return None;
        }
    };
    for span in unused.iter().filter_map(|key| object.key_span(key)) {
        let message = format!("a `{}` does not look at this field", kind.value);
        f.report(&codes::UNUSED_FIELD, span, message);
    }
    if &*kind.value == "Trigger" {
        return Some(At::new(CommandKind::Trigger, kind.span));
    }
    let param = param_name(f, object);
    let value = f.required(object, "value", scalar);
    let ramp = match &*kind.value {
        "SetParamRamp" => Some(ramp(f, object)),
        _ => None,
    };
    Some(At::new(CommandKind::Set { param: param?, value: value?, ramp }, kind.span))
}
