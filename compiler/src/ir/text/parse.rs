//! Reading the text form.

use crate::ir::{
    Args, Body, DelayLine, Imm, InputId, Inst, Kernel, Module, Op, ParamId, PortField, PortId, ROWS, Scalar,
    Sharing, StateSlot, TableId, Type, Value, Voice,
};
use mam_grammar::Handle;
use std::ops::Range;
use std::str::FromStr;

impl FromStr for Module {
    type Err = String;

    /// Reads a module. An error says the line.
    fn from_str(text: &str) -> Result<Module, String> {
        let mut reader = Reader::default();
        for (i, line) in text.lines().enumerate() {
            words(line).and_then(|words| reader.line(&words)).map_err(|e| format!("line {}: {e}", i + 1))?;
        }
        Ok(reader.module)
    }
}

impl FromStr for Kernel {
    type Err = String;

    /// Reads a single kernel.
    fn from_str(text: &str) -> Result<Kernel, String> {
        let module: Module = text.parse()?;
        match module.kernels.len() {
            1 => Ok(module.kernels[Handle::ZERO].clone()),
            count => Err(format!("one kernel is wanted, not {count}")),
        }
    }
}

/// The words of a line: split at white space, `:` and `=`, quotes taken off, the remark left out.
fn words(line: &str) -> Result<Vec<String>, String> {
    let mut words = vec![];
    let mut rest = line.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            ';' => break,
            '"' => {
                let mut word = String::new();
                loop {
                    match rest.next().ok_or("a quote is not closed")? {
                        '"' => break,
                        '\\' => match rest.next() {
                            Some('n') => word.push('\n'),
                            Some(c) => word.push(c),
                            None => return Err("a quote is not closed".into()),
                        },
                        c => word.push(c),
                    }
                }
                words.push(word);
            }
            c if c.is_whitespace() || ":=".contains(c) => {}
            c => {
                let mut word = String::from(c);
                let number = |word: &str| word.starts_with("nan");
                while let Some(c) = rest
                    .next_if(|c| !c.is_whitespace() && !";\"=".contains(*c) && (*c != ':' || number(&word)))
                {
                    word.push(c);
                }
                words.push(word);
            }
        }
    }
    Ok(words)
}

#[derive(Default)]
struct Reader {
    module: Module,
    form: Option<Form>,
}

#[derive(Clone, Copy)]
enum Form {
    General,
    Steady,
    Tail,
}

impl Reader {
    fn kernel(&mut self) -> Result<&mut Kernel, String> {
        let last = self.module.kernels.len().checked_sub(1).ok_or("a line before the first kernel")?;
        Ok(&mut self.module.kernels[Handle::new(last)])
    }

    fn line(&mut self, words: &[String]) -> Result<(), String> {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        match words[..] {
            [] => {}
            ["table", ref numbers @ ..] => {
                let table = numbers.iter().map(|x| match number(Scalar::F32, x)? {
                    Imm::F32(x) => Ok(x),
                    _ => Err(format!("`{x}` is not an f32")),
                });
                self.module.tables.push(table.collect::<Result<_, String>>()?);
            }
            ["kernel", name] => {
                self.module.kernels.add(Kernel { name: name.into(), ..Kernel::default() });
                self.form = None;
            }
            [form @ ("general" | "steady" | "tail"), ref step @ ..] => self.form(form, step)?,
            _ => match self.form {
                None => head(self.kernel()?, &words)?,
                Some(form) => {
                    let kernel = self.kernel()?;
                    let mut body = std::mem::take(form.body_of(kernel));
                    item(kernel, &mut body, &words)?;
                    *form.body_of(kernel) = body;
                }
            },
        }
        Ok(())
    }

    fn form(&mut self, form: &str, step: &[&str]) -> Result<(), String> {
        let form = match form {
            "general" => Form::General,
            "steady" => Form::Steady,
            _ => Form::Tail,
        };
        let step = match step {
            [] => 1,
            [step] => {
                step.strip_prefix('x').and_then(|n| n.parse().ok()).ok_or("frames an iteration are `x4`")?
            }
            _ => return Err("too many words".into()),
        };
        form.body_of(self.kernel()?).step = step;
        self.form = Some(form);
        Ok(())
    }
}

impl Form {
    fn body_of(self, kernel: &mut Kernel) -> &mut Body {
        match self {
            Form::General => &mut kernel.general,
            Form::Steady => &mut kernel.steady,
            Form::Tail => kernel.tail.get_or_insert_default(),
        }
    }
}

/// A line of a kernel's head.
fn head(kernel: &mut Kernel, words: &[&str]) -> Result<(), String> {
    match *words {
        ["state", name, ty, init] => {
            let ty = type_of(ty)?;
            kernel.states.add(StateSlot {
                name: name.into(),
                init: number(ty.scalar, init)?,
                lanes: ty.lanes,
            });
        }
        ["delay", name, frames, ref sharing @ ..] => {
            let frames = frames.parse().map_err(|_| format!("`{frames}` is not a number of frames"))?;
            let sharing = match *sharing {
                [] => Sharing::Own,
                ["lent"] => Sharing::Lent,
                ["borrowed"] => Sharing::Borrowed,
                _ => return Err(format!("`{}` does not say whose a delay line is", sharing.join(" "))),
            };
            kernel.delays.add(DelayLine { name: name.into(), frames, sharing });
        }
        ["param", name] => kernel.params.push(name.into()),
        ["input", name] => kernel.inputs.push(name.into()),
        ["output", name] => kernel.outputs.push(name.into()),
        ["port", name] => kernel.ports.push(name.into()),
        ["voice", port, "until", until, "states", states, "delays", delays, ref every @ ..] => {
            let port = PortId::new(place(kernel.ports.iter().map(String::as_str), port)?);
            let until = state(kernel, until)?;
            let every = match every {
                [] => 1,
                ["every", every] => {
                    every.parse().map_err(|_| format!("`{every}` is not a number of lanes"))?
                }
                _ => return Err("too many words".into()),
            };
            kernel.voices.push(Voice { port, until, states: range(states)?, every, delays: range(delays)? });
        }
        _ => return Err(format!("`{}` is not a line of a kernel's head", words.join(" "))),
    }
    Ok(())
}

/// A line of a body.
fn item(kernel: &Kernel, body: &mut Body, words: &[&str]) -> Result<(), String> {
    match *words {
        ["set", name, v] => body.sets.push((state(kernel, name)?, value(v)?)),
        ["back_edge", carried, v] => body.back_edges.push((value(carried)?, value(v)?)),
        ["write", name, v] => body.writes.push((line(kernel, name)?, value(v)?)),
        ["out", v] => body.outs.push(value(v)?),
        ["only_if", v] => body.only_if = Some(value(v)?),
        [name, ty, op, ref rest @ ..] => {
            if value(name)?.index() != body.insts.len() {
                return Err(format!("`{name}` is not next: values are numbered from v0"));
            }
            let ty = type_of(ty)?;
            let (op, args) = self::op(kernel, ty, op, rest)?;
            if args.len() > 4 {
                return Err("at most four operands".into());
            }
            let args: Result<Args, String> = args.iter().map(|v| value(v)).collect();
            body.insts.add(Inst { op, ty, args: args? });
        }
        _ => return Err(format!("`{}` is not a line of a body", words.join(" "))),
    }
    Ok(())
}

/// An op with what it carries, and the rest of the words.
fn op<'w>(
    kernel: &Kernel,
    ty: Type,
    name: &str,
    words: &'w [&'w str],
) -> Result<(Op, &'w [&'w str]), String> {
    let row = ROWS.iter().find(|row| row.name == name).ok_or_else(|| format!("there is no op `{name}`"))?;
    let carried = || words.first().copied().ok_or_else(|| format!("`{name}` wants to know of what"));
    let index = |names: &[String]| place(names.iter().map(String::as_str), carried()?);
    let op = match row.op {
        Op::Const(_) => Op::Const(number(ty.scalar, carried()?)?),
        Op::Param(_) => Op::Param(ParamId::new(index(&kernel.params)?)),
        Op::Port(..) => {
            let named =
                |(field, name): &(PortField, &str)| words.get(1).is_some_and(|w| w == name).then_some(*field);
            let field = PortField::ALL.iter().find_map(named).ok_or("a port has no such field")?;
            return Ok((Op::Port(PortId::new(index(&kernel.ports)?), field), &words[2..]));
        }
        Op::Input(_) => Op::Input(InputId::new(index(&kernel.inputs)?)),
        Op::Get(_) => Op::Get(state(kernel, carried()?)?),
        Op::LiveIn(_) => Op::LiveIn(state(kernel, carried()?)?),
        Op::Read(_) => Op::Read(line(kernel, carried()?)?),
        Op::Table(_) => Op::Table(table(carried()?)?),
        Op::Neighbours(_) => Op::Neighbours(table(carried()?)?),
        Op::Extract(_) => Op::Extract(carried()?.parse().map_err(|_| "a lane is called by its number")?),
        op => return Ok((op, words)),
    };
    Ok((op, &words[1..]))
}

fn place<'n>(mut names: impl Iterator<Item = &'n str>, name: &str) -> Result<usize, String> {
    names.position(|other| other == name).ok_or_else(|| format!("there is no `{name}`"))
}

fn state(kernel: &Kernel, name: &str) -> Result<Handle<StateSlot>, String> {
    place(kernel.states.values().map(|s| s.name.as_str()), name).map(Handle::new)
}

fn line(kernel: &Kernel, name: &str) -> Result<Handle<DelayLine>, String> {
    place(kernel.delays.values().map(|s| s.name.as_str()), name).map(Handle::new)
}

fn table(word: &str) -> Result<TableId, String> {
    word.parse().map(TableId::new).map_err(|_| "a table is called by its number".into())
}

fn value(word: &str) -> Result<Value, String> {
    let index = word.strip_prefix('v').and_then(|n| n.parse().ok());
    index.map(Handle::new).ok_or_else(|| format!("`{word}` is not a value"))
}

fn range(word: &str) -> Result<Range<u32>, String> {
    let ends = word.split_once("..").and_then(|(a, b)| Some(a.parse().ok()?..b.parse().ok()?));
    ends.ok_or_else(|| format!("`{word}` is not a range"))
}

fn type_of(word: &str) -> Result<Type, String> {
    let (scalar, lanes) = word.strip_suffix("x4").map_or((word, 1), |scalar| (scalar, 4));
    let scalar = match scalar {
        "f32" => Scalar::F32,
        "f64" => Scalar::F64,
        "i32" => Scalar::I32,
        "bool" => Scalar::Bool,
        _ => return Err(format!("`{word}` is not a type")),
    };
    Ok(Type { scalar, lanes })
}

fn number(scalar: Scalar, word: &str) -> Result<Imm, String> {
    let nan = word.strip_prefix("nan:").and_then(|bits| u64::from_str_radix(bits, 16).ok());
    let imm = match scalar {
        Scalar::F32 | Scalar::F64 if nan.is_some() => nan.map(|bits| Imm::from_bits(scalar, bits)),
        Scalar::F32 => word.parse().ok().map(Imm::F32),
        Scalar::F64 => word.parse().ok().map(Imm::F64),
        Scalar::I32 => word.parse().ok().map(Imm::I32),
        Scalar::Bool => word.parse().ok().map(Imm::Bool),
    };
    imm.ok_or_else(|| format!("`{word}` is not of type {}", Type { scalar, lanes: 1 }))
}
