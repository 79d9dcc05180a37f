//! Printing.

use crate::ir::{Body, Imm, Inst, Kernel, Module, Op, PortField, Rate, Scalar, Sharing, Type, Value};
use std::fmt::{self, Display, Formatter};

impl Display for Module {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        for table in &self.tables {
            write!(f, "table")?;
            for x in table {
                write!(f, " {}", Number(Imm::F32(*x)))?;
            }
            writeln!(f)?;
        }
        for (i, kernel) in self.kernels.values().enumerate() {
            if i > 0 || !self.tables.is_empty() {
                writeln!(f)?;
            }
            write!(f, "{kernel}")?;
        }
        Ok(())
    }
}

impl Display for Kernel {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        writeln!(f, "kernel {}", Name(&self.name))?;
        if let Some(block) = &self.block {
            writeln!(f, "  ; block {} {:016x}", block.name(), block.content())?;
        }
        for state in self.states.values() {
            writeln!(f, "  state {}: {} = {}", Name(&state.name), state.ty(), Number(state.init))?;
        }
        for delay in self.delays.values() {
            let sharing = match delay.sharing {
                Sharing::Own => "",
                Sharing::Lent => " lent",
                Sharing::Borrowed => " borrowed",
            };
            writeln!(f, "  delay {}: {}{sharing}", Name(&delay.name), delay.frames)?;
        }
        for (what, names) in [
            ("param", &self.params),
            ("input", &self.inputs),
            ("output", &self.outputs),
            ("port", &self.ports),
        ] {
            for name in names {
                writeln!(f, "  {what} {}", Name(name))?;
            }
        }
        for voice in &self.voices {
            let until = self.states.get(voice.until).map_or("?", |state| &state.name);
            let (port, until) = (Indexed(&self.ports, voice.port.index()), Name(until));
            let (states, delays) = (&voice.states, &voice.delays);
            write!(f, "  voice {port} until {until} states {states:?} delays {delays:?}")?;
            writeln!(
                f,
                "{}",
                if voice.every == 1 { String::new() } else { format!(" every {}", voice.every) }
            )?;
        }
        self.body(f, "general", &self.general)?;
        self.body(f, "steady", &self.steady)?;
        self.tail.as_ref().map_or(Ok(()), |tail| self.body(f, "tail", tail))
    }
}

impl Kernel {
    fn body(&self, f: &mut Formatter, form: &str, body: &Body) -> fmt::Result {
        match body.step {
            1 => writeln!(f, "{form}")?,
            step => writeln!(f, "{form} x{step}")?,
        }
        for ((value, inst), rate) in body.insts.iter().zip(body.rates()) {
            write!(f, "  {}: {} = ", ValueName(value), inst.ty)?;
            self.inst(f, inst)?;
            match rate {
                Rate::Segment => writeln!(f, " ; segment")?,
                Rate::Call => writeln!(f, " ; call")?,
                _ => writeln!(f)?,
            }
        }
        for (state, value) in &body.sets {
            let name = self.states.get(*state).map_or("?", |state| &state.name);
            writeln!(f, "  set {} {}", Name(name), ValueName(*value))?;
        }
        for (carry, value) in &body.back_edges {
            writeln!(f, "  back_edge {} {}", ValueName(*carry), ValueName(*value))?;
        }
        for (line, value) in &body.writes {
            let name = self.delays.get(*line).map_or("?", |line| &line.name);
            writeln!(f, "  write {} {}", Name(name), ValueName(*value))?;
        }
        for value in &body.outs {
            writeln!(f, "  out {}", ValueName(*value))?;
        }
        if let Some(value) = body.only_if {
            writeln!(f, "  only_if {}", ValueName(value))?;
        }
        Ok(())
    }

    fn inst(&self, f: &mut Formatter, inst: &Inst) -> fmt::Result {
        write!(f, "{}", inst.op.row().name)?;
        match inst.op {
            Op::Const(imm) => write!(f, " {}", Number(imm))?,
            Op::Param(i) => write!(f, " {}", Indexed(&self.params, i.index()))?,
            Op::Port(i, field) => write!(f, " {} {}", Indexed(&self.ports, i.index()), field.name())?,
            Op::Input(i) => write!(f, " {}", Indexed(&self.inputs, i.index()))?,
            Op::Get(state) | Op::LiveIn(state) => {
                write!(f, " {}", Name(self.states.get(state).map_or("?", |state| &state.name)))?;
            }
            Op::Read(line) => write!(f, " {}", Name(self.delays.get(line).map_or("?", |line| &line.name)))?,
            Op::Table(i) | Op::Neighbours(i) => write!(f, " {}", i.index())?,
            Op::Extract(lane) => write!(f, " {lane}")?,
            _ => {}
        }
        inst.args.as_slice().iter().try_for_each(|arg| write!(f, " {}", ValueName(*arg)))
    }
}

impl PortField {
    /// All of them with their names in the text form.
    pub const ALL: [(PortField, &str); 8] = [
        (PortField::Trig, "trig"),
        (PortField::Slur, "slur"),
        (PortField::Fresh, "fresh"),
        (PortField::Gate, "gate"),
        (PortField::Active, "active"),
        (PortField::Freq, "freq"),
        (PortField::Note, "note"),
        (PortField::Vel, "vel"),
    ];

    /// Its name in the text form.
    pub fn name(self) -> &'static str {
        PortField::ALL.iter().find(|(field, _)| *field == self).map_or("?", |(_, name)| name)
    }
}

impl Display for Type {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        let scalar = match self.scalar {
            Scalar::F32 => "f32",
            Scalar::F64 => "f64",
            Scalar::I32 => "i32",
            Scalar::Bool => "bool",
        };
        match self.lanes {
            1 => f.write_str(scalar),
            lanes => write!(f, "{scalar}x{lanes}"),
        }
    }
}

/// A value's name.
pub(crate) struct ValueName(pub(crate) Value);

impl Display for ValueName {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        write!(f, "v{}", self.0.index())
    }
}

/// An instruction of a kernel, without its result.
pub(crate) struct InstText<'k>(pub(crate) &'k Kernel, pub(crate) &'k Inst);

impl Display for InstText<'_> {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        self.0.inst(f, self.1)
    }
}

/// A name, in quotes where it needs them.
pub(crate) struct Name<'a>(pub(crate) &'a str);

impl Display for Name<'_> {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        let plain = |c: char| c.is_alphanumeric() || "._+-#@/'*[]()<>&|".contains(c);
        if !self.0.is_empty() && self.0.chars().all(plain) {
            return f.write_str(self.0);
        }
        let escaped = self.0.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        write!(f, "\"{escaped}\"")
    }
}

/// A name by its index.
struct Indexed<'a>(&'a [String], usize);

impl Display for Indexed<'_> {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        Name(self.0.get(self.1).map_or("?", |name| name)).fmt(f)
    }
}

/// An immediate: the shortest decimal that reads back as the same bits; a NaN with its bits.
pub(crate) struct Number(pub(crate) Imm);

impl Display for Number {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        match self.0 {
            Imm::F32(x) if x.is_nan() => write!(f, "nan:{:x}", x.to_bits()),
            Imm::F64(x) if x.is_nan() => write!(f, "nan:{:x}", x.to_bits()),
            Imm::F32(x) => write!(f, "{x:?}"),
            Imm::F64(x) => write!(f, "{x:?}"),
            Imm::I32(x) => write!(f, "{x}"),
            Imm::Bool(x) => write!(f, "{x}"),
        }
    }
}
