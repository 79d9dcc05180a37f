//! What a host asks of a plug-in before the song is compiled.

use mam_compiler::dimension::Dimension;
use mam_compiler::library::ParamInfo;
use mam_compiler::sets;
use mam_compiler::target::Target;
use mam_compiler::{Options, text};
use mam_grammar::Limits;
use mam_grammar::ast::Unit;
use mam_runtime::ids::ParamId;
use mam_runtime::sort::Sort;
use mam_runtime::{Curve, Program};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::Arc;

/// Output channels that a host can have of a song, at most.
pub const MOST_CHANNELS: usize = 64;

/// Everything that is known of a packed song without compiling it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// What hosts know the plug-in by; the same for every edit of the song.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// Version of mamc that packed it.
    pub version: String,
    /// What is heard: instruments, an effect, or both; words of CLAP's list of features.
    pub features: Vec<String>,
    /// How the song is compiled.
    pub settings: Settings,
    /// How many output channels it has.
    pub channels: usize,
    /// Channels of the song's `in`; 0 where it is not used.
    pub inputs: usize,
    /// The score follows the host's transport; otherwise there are only the host's notes.
    pub plays: bool,
    /// The instruments, in the order of [`Program::targets`].
    pub note_ports: Vec<NotePort>,
    /// What a host can set, in the order in which it is shown.
    pub params: Vec<Param>,
}

/// An instrument of the song, to which a host sends notes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct NotePort {
    /// Its path in the song.
    pub name: String,
    /// What hosts know the port by: [`stable_id`](Param::id_of) of the path.
    pub id: u32,
}

/// The options of the compiler that a song was packed with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// The song's seed, where another than its own was asked for.
    pub seed: Option<u64>,
    /// Values at the start, as `--set` was given them.
    pub sets: Vec<(String, String)>,
    /// Limits that were changed, each with its value.
    pub limits: Vec<(String, u64)>,
    /// The same bits on every machine.
    pub portable: bool,
}

impl Settings {
    /// The compiler's options for `channels` output channels at a rate in frames a second.
    pub fn options(&self, rate: u32, channels: usize) -> Options {
        let mut limits = Limits::default();
        for (name, value) in &self.limits {
            // They were accepted when the song was packed.
            let _ = limits.set(name, *value);
        }
        Options {
            rate,
            channels,
            seed: self.seed,
            sets: self.sets.clone(),
            limits,
            target: if self.portable { Target::portable() } else { Target::host() },
            played_by_host: true,
            ..Options::default()
        }
    }
}

/// How a parameter's values lie on a host's control.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scale {
    /// The host's value is the parameter's, in base units.
    #[default]
    Linear,
    /// The host's value is 0 to 1, in equal ratios of the parameter's.
    Ratio,
    /// The host's value is the parameter's, a whole number.
    Steps,
}

/// A parameter of the song that a host can set.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Param {
    /// Its path in the song: `bd.f0`, or a knob's name.
    pub path: String,
    /// What hosts know it by: a hash of the path, so that edits of the song keep its automation.
    pub id: u32,
    /// Value at the start, in base units (Hz, s, plain).
    pub default: f64,
    /// Least value, in base units.
    pub min: f64,
    /// Greatest value, in base units.
    pub max: f64,
    /// How values lie on a control.
    pub scale: Scale,
    /// The power of time that values carry: 1 for a time, −1 for a frequency, 0 for plain numbers.
    pub dimension: i8,
    /// The unit in which values are shown; empty for none.
    pub unit: String,
    /// Base units of a plain number that is entered.
    pub plain: f64,
}

/// Two parameters or ports whose ids are the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParamClash(pub String, pub String);

impl Param {
    /// The id that hosts know a path by: 31 bits of its FNV-1a hash, as not all hosts can store 32.
    pub fn id_of(path: &str) -> u32 {
        let hash = path
            .bytes()
            .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
        hash & 0x7fff_ffff
    }

    /// A parameter with a finite range.
    fn new(path: &str, info: &ParamInfo) -> Param {
        let whole = info.min.fract() == 0.0 && info.max.fract() == 0.0;
        Param {
            path: path.to_string(),
            id: Param::id_of(path),
            default: info.default.clamp(info.min, info.max),
            min: info.min,
            max: info.max,
            scale: match info.curve {
                Curve::Exp if info.min > 0.0 => Scale::Ratio,
                Curve::Step if whole => Scale::Steps,
                _ => Scale::Linear,
            },
            dimension: info.dimension.0,
            unit: info.units.value.map_or("", Unit::text).to_string(),
            plain: info.scale(),
        }
    }

    /// The least value, the greatest and that at the start, as a host counts them.
    pub fn host_range(&self) -> [f64; 3] {
        [self.min, self.max, self.default].map(|value| self.to_host(value))
    }

    /// A value in base units as a host counts it.
    pub fn to_host(&self, value: f64) -> f64 {
        match self.scale {
            Scale::Ratio => ((value / self.min).ln() / (self.max / self.min).ln()).clamp(0.0, 1.0),
            Scale::Linear | Scale::Steps => value,
        }
    }

    /// A host's value in base units, within the range; `None` for what is not a number.
    pub fn from_host(&self, value: f64) -> Option<f64> {
        let value = match self.scale {
            _ if value.is_nan() => return None,
            // Exact at the ends.
            Scale::Ratio if value <= 0.0 => self.min,
            Scale::Ratio if value >= 1.0 => self.max,
            Scale::Ratio => self.min * (self.max / self.min).powf(value),
            Scale::Steps => value.round(),
            Scale::Linear => value,
        };
        Some(value.clamp(self.min, self.max))
    }

    /// A value in base units as people read it: `120Hz`.
    pub fn show(&self, value: f64) -> String {
        text::in_unit(value, Unit::from_text(&self.unit), Dimension(self.dimension))
    }

    /// A value in base units, within the range, from what people write: with a unit, or a plain number in the unit that is
    /// shown. `None` where it is not a number, or measures something else.
    pub fn read(&self, text: &str) -> Option<f64> {
        let (value, dimension) = sets::number(text.trim())?;
        let value = match dimension {
            Dimension::PLAIN => value * self.plain,
            Dimension(other) if other == self.dimension => value,
            _ => return None,
        };
        (!value.is_nan()).then(|| value.clamp(self.min, self.max))
    }
}

impl Manifest {
    /// Fills in what the compiled song says: channels, ports and parameters. `infos` are those of the program's parameters, in
    /// their order; `plays` as in [`Manifest::plays`]. Parameters without a finite range are not shown, nor are `bpm` and
    /// `loop` of instruments and the lengths that follow the tempo.
    ///
    /// # Errors
    /// The first two parameters or ports that would have one id.
    pub fn describe<'p>(
        &mut self,
        program: &Program,
        infos: impl Iterator<Item = (ParamId, &'p Arc<str>, &'p ParamInfo)>,
    ) -> Result<(), ParamClash> {
        (self.channels, self.inputs) = (program.outputs.len(), program.inputs.len());
        let port = |name: &str| NotePort { name: name.to_string(), id: Param::id_of(name) };
        self.note_ports = program.targets.iter().map(|target| port(&target.name)).collect();
        let params = infos.filter(|(id, _, info)| {
            let hidden = program.targets.iter().any(|target| [target.bpm, target.looped].contains(id))
                || program.score.lengths.iter().any(|length| length.param == *id && !length.is_default);
            info.min.is_finite() && info.max.is_finite() && info.min < info.max && !hidden
        });
        self.params = params.map(|(_, path, info)| Param::new(path, info)).collect();
        // Knobs come first.
        self.params.put_in_order_by_key(|param| param.path.contains('.'));
        clash(self.params.iter().map(|param| (param.id, &*param.path)))?;
        clash(self.note_ports.iter().map(|port| (port.id, &*port.name)))
    }

    /// Whether a host can use it: nothing is asked of what does not fit.
    pub(crate) fn is_whole(&self) -> bool {
        let fits = |param: &Param| {
            let (low, high) = (param.min, param.max);
            low.is_finite()
                && high.is_finite()
                && low < high
                && (low..=high).contains(&param.default)
                && (param.scale != Scale::Ratio || low > 0.0)
        };
        !self.id.is_empty()
            && (1..=MOST_CHANNELS).contains(&self.channels)
            && self.inputs <= 2
            && self.note_ports.len() <= i16::MAX as usize
            && self.params.iter().all(fits)
            && clash(self.params.iter().map(|param| (param.id, &*param.path))).is_ok()
    }
}

/// Refuses two things with one id.
fn clash<'n>(all: impl Iterator<Item = (u32, &'n str)>) -> Result<(), ParamClash> {
    let mut known = HashMap::new();
    for (id, name) in all {
        if let Some(before) = known.insert(id, name) {
            return Err(ParamClash(before.to_string(), name.to_string()));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cutoff() -> Param {
        Param {
            min: 20.0,
            max: 20_000.0,
            default: 400.0,
            scale: Scale::Ratio,
            dimension: -1,
            unit: "Hz".into(),
            plain: 1.0,
            ..Param::default()
        }
    }

    #[test]
    fn a_control_covers_equal_ratios_and_ends_exactly() {
        let param = cutoff();
        assert_eq!(param.host_range()[..2], [0.0, 1.0]);
        assert_eq!([0.0, 1.0].map(|x| param.from_host(x).unwrap()), [20.0, 20_000.0]);
        assert!((param.from_host(1.0 / 3.0).unwrap() - 200.0).abs() < 1e-9);
        for value in [20.0, 123.4, 19_999.0] {
            assert!((param.from_host(param.to_host(value)).unwrap() / value - 1.0).abs() < 1e-12, "{value}");
        }
        assert_eq!(param.from_host(f64::NAN), None);
        assert_eq!(param.from_host(7.0), Some(20_000.0), "beyond its range");
    }

    #[test]
    fn values_have_units_both_ways() {
        let param = cutoff();
        assert_eq!(param.show(440.0), "440Hz");
        assert_eq!(param.read("2kHz"), Some(2000.0));
        assert_eq!(param.read(" 440 "), Some(440.0));
        assert_eq!(param.read("1Hz"), Some(20.0), "within the range");
        assert_eq!([param.read("5ms"), param.read("loud"), param.read("")], [None; 3]);
        let time = Param { dimension: 1, unit: "ms".into(), plain: 1e-3, max: 2.0, ..Param::default() };
        assert_eq!(
            (time.show(0.05).as_str(), time.read("80"), time.read("1s")),
            ("50ms", Some(0.08), Some(1.0))
        );
    }

    #[test]
    fn ids_come_from_paths_alone_and_fit_31_bits() {
        // FNV-1a, 32 bits, of "a": e40c292c.
        assert_eq!(Param::id_of("a"), 0x640c_292c);
        let names = ["tone", "k36738.gain14287", "bd.f0", "k2563.gain65314"];
        let found = clash(names.iter().map(|name| (Param::id_of(name), *name)));
        assert_eq!(found, Err(ParamClash(names[1].into(), names[3].into())), "these two have one id");
    }
}
