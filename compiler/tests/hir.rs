//! What names mean: problems do not depend on calls or order, and an editor's questions are answered.

use mam_compiler::files::{FileId, Files, Loader, Located, NoFiles, Unusable};
use mam_compiler::hir::consts::{Consts, Missing};
use mam_compiler::hir::query::{NotRenamed, Query, Symbol};
use mam_compiler::hir::resolve::resolved;
use mam_compiler::ir::Kernel;
use mam_compiler::{Compilation, Options, Stage, compile};
use mam_grammar::ast::ItemKind;
use mam_grammar::{Limits, Problem, Severity, SourceId, Sources, Span};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// Files by their names.
struct Texts(BTreeMap<&'static str, String>);

impl Loader for Texts {
    fn locate(&self, _from: &Located, path: &str) -> Result<Located, Unusable> {
        match self.0.contains_key(path) {
            true => Ok(Located { id: FileId::new(path), name: path.into() }),
            false => Err(format!("there is no `{path}`").into()),
        }
    }

    fn read(&self, file: &Located, _most: usize) -> Result<String, Unusable> {
        Ok(self.0[&*file.name].clone())
    }
}

fn until_lowered() -> Options {
    Options { until: Stage::Lower, ..Options::default() }
}

fn checked_with(text: &str, loader: &dyn Loader) -> (Compilation, Sources, SourceId) {
    let mut sources = Sources::default();
    let id = sources.add("song.mam", text);
    let done = compile(&mut sources, id, loader, &until_lowered());
    (done, sources, id)
}

fn checked(text: &str) -> (Compilation, Sources, SourceId) {
    checked_with(text, &NoFiles)
}

/// Code, message and marked text of each error.
fn errors(text: &str) -> BTreeSet<(String, String, String)> {
    let (done, sources, _) = checked(text);
    let error = |p: &&Problem| p.code.severity == Severity::Error;
    let said = |p: &Problem| (p.code.name.into(), p.message.clone(), sources.slice(p.span()).into());
    done.problems.iter().filter(error).map(said).collect()
}

const REFUSED: &[(&str, &str)] = &[
    ("def t(x) = x + \"hello\"", "t(1)"),
    ("def t(x) = sum i in 1..2.5 { x * i }", "t(1)"),
    ("def t(x) = x * (1/0)", "t(1)"),
    ("def t(x) = x + nosuch", "t(1)"),
    ("def t(x) = x + sinus(2Hz)", "t(1)"),
    ("def t(x) = (x + 1s) + 1Hz", "t(1)"),
    ("def t(x) = (x, (x, 1))", "t(1)"),
    ("def t(x) = sin(x * 0 + 2Hz)", "t(1)"),
    ("def t(x) = lowpass(x, cutof: 3)", "t(1)"),
    ("def t(x) = lowpass(500Hz, x)", "t(1)"),
    ("def t(x) = tap(x, 3s)", "t(1)"),
    ("def t(x) = svf(x, 800Hz).lo", "t(1)"),
    ("def t(x) = svf(x, 800Hz) * 2", "t(1)"),
    ("def t(x) = x * kick()", "t(1)"),
    ("def t(x) = t(x) + 1", "t(1)"),
    ("def t(x) = sum i in 1..2 { y = x * i }", "t(1)"),
    ("def t(x) = table([1, x.low + (2Hz + 1s)], x)", "t(noise())"),
    ("def t(x) { a = b * x\n b = a\n out = a }", "t(1)"),
    ("effect t { param a = 1s in 0Hz..2Hz\n out = in * a }", "noise() |> t()"),
    ("effect t { param a = 2Hz + 3s\n out = in * a }", "noise() |> t()"),
    ("instrument t { out = freq + 3s\n until gate < 1 }", "t()"),
    ("instrument t { out = sine(freq)\n until gatte < 1 }", "t()"),
];

#[test]
fn a_definition_is_refused_alike_whether_it_is_called_or_not() {
    for (definition, call) in REFUSED {
        let uncalled = errors(&format!("{definition}\nout = noise()\n"));
        let called = errors(&format!("{definition}\nout = noise() + {call}\n"));
        assert!(!uncalled.is_empty(), "{definition}");
        let missing: Vec<_> = called.difference(&uncalled).collect();
        // A call can be wrong in more ways than the definition.
        let by_call = |(_, message, _): &&&(String, String, String)| message.contains("cannot work with");
        assert!(
            missing.iter().all(|m| by_call(&m)) || definition.contains("x.low"),
            "{definition}: {missing:?}"
        );
        assert!(uncalled.is_subset(&called), "{definition}: {uncalled:?}, {called:?}");
    }
}

#[test]
fn a_definition_that_some_argument_fits_passes_uncalled() {
    for definition in [
        "def t(x) = x.low + x.high",
        "def t(x, n) = sum i in 1..n { x * i }",
        "def t(x, n) = (x * 1s) ^ n",
        "def t(x) = tap(x, x, max: x)",
        "def t(x) = prev(x, x)",
        "def t(x) = x * 2s + 1Hz",
        "def t(x) = sin(x) + 1",
        "def t(x) = (x + 1Hz) * (x + 2Hz)",
        "def t(x) = table([x, 1], x)",
        "def t(x: Hz) = saw(x) |> lowpass(x)",
        "def t(x) = if x then 1 / x else x",
        "def t(x) = x * x + x",
        "def t(x, y) = x * y + y",
        "def t(x) = x.left + x",
        "def t(x, y) = (x + y) / 1Hz",
        "effect t { input key\n out = in * key.left }",
    ] {
        let found = errors(&format!("{definition}\nout = noise()\n"));
        assert!(found.is_empty(), "{definition}: {found:?}");
    }
}

/// What is done with an argument in one place has to go with what is done with it in another.
#[test]
fn a_definition_whose_uses_of_one_argument_do_not_go_together_is_refused_uncalled() {
    for (definition, at) in [
        ("def t(x) = exp(x / 1Hz) + exp(x / 1s)", "x / 1s"),
        ("def t(x) = x * 1Hz + x * 1s + (x * x + x)", "x * x + x"),
        ("def t(x, y) = log(x * y) + log(x / 1s) + log(y / 1s)", "y / 1s"),
        ("def t(x) = x.low + x", "x"),
        ("def t(x) = x + x.low", "x"),
        ("def t(x) { a = x * x * 1s\n out = sin(a) }", "a"),
        ("def f(x) = sin(x / 1Hz)\ndef t(x) = f(x) + sin(x)", "x"),
        ("def t(x) = prev(x * 1s, 1Hz) + sin(x)", "1Hz"),
    ] {
        let found = errors(&format!("{definition}\nout = noise()\n"));
        let places: Vec<&str> = found.iter().map(|(_, _, text)| &**text).collect();
        assert_eq!(places, [at], "{definition}: {found:?}");
    }
    assert!(errors("def t(x) = x * x + x\nout = noise() * t(2)\n").is_empty());
    assert_eq!(errors("def t(x) = x * x + x\nout = sine(t(2Hz))\n").len(), 1);
}

/// A definition that is not called becomes no kernel: however large it is, it is neither refused nor counted.
#[test]
fn what_is_not_called_takes_nothing_of_the_limits() {
    let bank = |n: usize| format!("def bank{n}(x) = sum i in 1..4000 {{ sin(x * i) }}\n");
    let doubled = |n: usize| format!("def twice{n}(x) = twice{}(x) + twice{}(x)\n", n + 1, n + 1);
    let banks: String = (0..26).map(bank).chain((0..30).map(doubled)).collect();
    let text = format!("{banks}def twice30(x) = x\nout = sine(220Hz)\n");
    let (done, ..) = checked(&text);
    assert_eq!(done.problems.iter().map(|p| &*p.message).collect::<Vec<_>>(), Vec::<&str>::new());
}

#[test]
fn problems_do_not_depend_on_the_order_of_the_items() {
    let items: Vec<&str> = REFUSED.iter().map(|(definition, _)| *definition).collect();
    let song = |order: &[usize], called: &[usize]| {
        let mut text = String::new();
        for &i in order {
            // Each definition has a name of its own.
            text += &items[i].replace("t(", &format!("t{i}(")).replace(" t {", &format!(" t{i} {{"));
            text += "\n";
        }
        let calls = called.iter().filter(|&&i| items[i].starts_with("def t(x)"));
        calls.for_each(|i| text += &format!("q{i} = t{i}(noise())\n"));
        text + "out = noise()\n"
    };
    let defs: Vec<usize> = (0..items.len()).collect();
    let plain = errors(&song(&defs, &[]));
    let mut order = defs.clone();
    for round in 0..6 {
        order.rotate_left(5);
        order.swap(round, 15 - round);
        assert_eq!(errors(&song(&order, &[])), plain);
        let called = errors(&song(&order, &order[..round * 3]));
        assert!(plain.is_subset(&called), "{:?}", plain.difference(&called));
    }
}

#[test]
fn constants_are_what_they_would_be_in_a_kernel() {
    for expr in [
        "1/3 + 2^0.5",
        "exp(1) - log(7)",
        "sin(1.5) * cos(0.3) / tan(2)",
        "clamp(7, 1, 3) mod 2",
        "round(2.5) + fract(-0.3) + sign(-3)",
        "hz(57) / 1Hz",
        "sum i in 1..9 { 1 / i }",
        "chain x = 1, i in 0..3 { x * 1.1 + i }",
        "if 1 < 2 then 3dB else 7st",
        "(1 < 2) + (not 3) + (2 and 0)",
        "(3, 4).right - { a: 5, b: 6 }.b",
        "table([0, 1, 0.25], 0.4)",
        "f(2, b) + c",
        "4 ^ -3 + 2 ^ 8",
        "tau * pi",
    ] {
        let text = format!(
            "def f(x, y) {{ q = x * 3\n out = q - 1 }}\nb = noise()\nc = 7 + f(1, 2)\nk = {expr}\nout = noise() * k\n"
        );
        let (done, _, _) = checked(&text);
        assert!(!done.problems.has_errors(), "{expr}: {:?}", done.problems);
        let stages = &done.stages;
        let files = stages.files.as_ref().unwrap();
        let ast = &files.file(stages.song).ast;
        let value = ast.items.iter().find_map(|item| match &item.kind {
            ItemKind::Equation { name, value } if &*name.name == "k" => Some(*value),
            _ => None,
        });
        let (x, _) = Consts::default().number(files, stages.song, value.unwrap(), &[]).unwrap();
        let has = |kernel: &Kernel| {
            let text = kernel.to_string();
            text.contains(&format!("{}", x as f32)) || text.contains(&format!("{x:?}"))
        };
        assert!(stages.lowered.module.kernels.values().any(has), "{expr} = {x}");
    }
}

#[test]
fn what_varies_is_not_a_constant_and_what_is_wrong_is_told_apart() {
    let of = |expr: &str| {
        let mut sources = Sources::default();
        let id = sources.add("song.mam", format!("k = {expr}\n"));
        let mut files = Files::prelude(&mut sources, Limits::default());
        let (ast, _) = mam_grammar::syntax::parse(&sources, id, &files.limits);
        let file = files.add(id, ast, (&mut sources, &NoFiles), None, &mut Default::default());
        let ItemKind::Equation { value, .. } = files.file(file).ast.items[0].kind else { unreachable!() };
        Consts::default().number(&files, file, value, &[])
    };
    for varies in ["noise()", "beat * 2", "in", "sine(2Hz)", "3/4 bar"] {
        assert_eq!(of(varies), Err(Missing::Varies), "{varies}");
    }
    for wrong in ["1s + 1Hz", "nosuch", "1 / 0", "k", "(1, 2) + \"a\"", "sum i in 1..2.5 { i }"] {
        assert_eq!(of(wrong), Err(Missing::Wrong), "{wrong}");
    }
}

/// The kernels of a song without names, and how they are called.
fn anonymous(done: &Compilation) -> Vec<String> {
    let lowered = &done.stages.lowered;
    let bare = |kernel: &Kernel| {
        let mut kernel = kernel.clone();
        kernel.name.clear();
        kernel.states.handles().for_each(|state| {
            kernel.states[state].name.clear();
            kernel.states[state].init = mam_compiler::ir::Imm::I32(0);
        });
        kernel.delays.handles().for_each(|line| kernel.delays[line].name.clear());
        for names in [&mut kernel.params, &mut kernel.inputs, &mut kernel.outputs, &mut kernel.ports] {
            names.iter_mut().for_each(String::clear);
        }
        format!("{kernel:?}")
    };
    let kernels: Vec<String> = lowered.module.kernels.values().map(bare).collect();
    let call = |call: &mam_compiler::lower::KernelCall| {
        let of = kernels[call.kernel.index()].clone();
        format!("{of} {:?} {:?} {:?}", call.inputs, call.outputs, call.params)
    };
    lowered.calls.iter().map(call).collect()
}

fn examples() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    let mut all: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    all.sort();
    let mam = all.into_iter().filter(|path| path.extension().is_some_and(|ending| ending == "mam"));
    mam.map(|path| (path.to_string_lossy().into_owned(), fs::read_to_string(&path).unwrap())).collect()
}

#[test]
fn everything_in_the_examples_can_be_renamed_and_stays_what_it_is() {
    for (name, text) in examples() {
        let (done, sources, id) = checked(&text);
        let before = anonymous(&done);
        let stages = &done.stages;
        let query = Query {
            files: stages.files.as_ref().unwrap(),
            library: &stages.library,
            types: &stages.checked.types,
        };
        let hir = resolved(query.files, stages.song);
        // Parts of kits are named in the kit, which is the prelude's.
        let own = hir.locals.iter().filter_map(|local| local.span);
        let own = own.filter(|span| span.source == id).collect::<BTreeSet<Span>>();
        let mut edits = vec![];
        for span in own {
            let Some((symbol, at)) = query.symbol_at(id, span.start as usize) else {
                panic!("{name}: {span:?}")
            };
            assert_eq!(at, span);
            if sources.slice(span) == "out" {
                assert_eq!(query.rename(symbol, "abc"), Err(NotRenamed::NotYours));
                continue;
            }
            let found = query.rename(symbol, &format!("zz_{}", edits.len())).unwrap();
            assert!(found.iter().any(|edit| edit.span == span));
            edits.extend(found);
        }
        assert!(!edits.is_empty(), "{name}");
        edits.sort_by_key(|edit| edit.span);
        let mut renamed = text.clone();
        for edit in edits.iter().rev() {
            renamed.replace_range(edit.span.range(), &edit.text);
        }
        let (after, _, _) = checked(&renamed);
        assert!(!after.problems.has_errors(), "{name}: {:?}\n{renamed}", after.problems);
        assert_eq!(anonymous(&after), before, "{name}:\n{renamed}");
    }
}

const LIBRARY: &str = "/// Louder.\ndef loud(x, by: dB = 6dB) = x * by\n\n/// A voice.\ninstrument voice1 {\n  /// Brightness.\n  param cutoff = 800Hz in 20Hz..20kHz\n  out = saw(freq) |> lowpass(cutoff)\n}\n";
const SONG: &str = "use \"lib.mam\"\n/// The lead.\nlead = voice1(cutoff: 2kHz)\nknob level = 0.5 in 0..1\nsection a 1 bar { lead \"c4\"\n  lead.cutoff \"300\" }\nplay a*2 a\nout = loud(lead, by: 3dB) * level\n";

fn with_library(song: &str) -> (Compilation, Sources, SourceId) {
    checked_with(song, &Texts(BTreeMap::from([("lib.mam", LIBRARY.to_string())])))
}

#[test]
fn definitions_and_uses_are_found_across_files() {
    let (done, sources, id) = with_library(SONG);
    assert!(!done.problems.has_errors(), "{:?}", done.problems);
    let query = Query {
        files: done.stages.files.as_ref().unwrap(),
        library: &done.stages.library,
        types: &done.stages.checked.types,
    };
    let at = |text: &str| query.symbol_at(id, SONG.find(text).unwrap()).unwrap().0;
    let named = |symbol| -> Vec<(String, String)> {
        let place = |span: Span| {
            let line = sources.line_column(span.source, span.start as usize).line;
            (format!("{}:{line}", sources.get(span.source).name), sources.slice(span).to_string())
        };
        query.references(symbol).into_iter().map(place).collect()
    };
    let song = |line: usize, text: &str| (format!("song.mam:{line}"), text.to_string());
    let lib = |line: usize, text: &str| (format!("lib.mam:{line}"), text.to_string());
    assert_eq!(named(at("lead = ")), [song(3, "lead"), song(5, "lead"), song(6, "lead"), song(8, "lead")]);
    assert_eq!(
        named(at("cutoff: 2kHz")),
        [song(3, "cutoff"), song(6, "cutoff"), lib(7, "cutoff"), lib(8, "cutoff")]
    );
    assert_eq!(named(at("voice1(")), [song(3, "voice1"), lib(5, "voice1")]);
    assert_eq!(named(at("by: 3dB")), [song(8, "by"), lib(2, "by"), lib(2, "by")]);
    assert_eq!(named(at("a*2")), [song(5, "a"), song(7, "a"), song(7, "a")]);
    assert_eq!(named(at("level = ")), [song(4, "level"), song(8, "level")]);
    let definition = query.definition(at("loud(")).unwrap();
    assert_eq!((&*sources.get(definition.source).name, sources.slice(definition)), ("lib.mam", "loud"));
}

#[test]
fn what_is_shown_of_a_name_is_its_form_measure_range_and_documentation() {
    let (done, _, id) = with_library(SONG);
    let query = Query {
        files: done.stages.files.as_ref().unwrap(),
        library: &done.stages.library,
        types: &done.stages.checked.types,
    };
    let hover = |text: &str| query.hover(query.symbol_at(id, SONG.find(text).unwrap()).unwrap().0);
    let cutoff = hover("cutoff: 2kHz");
    assert_eq!(cutoff.form, "param cutoff = 800Hz in 20Hz..20kHz");
    assert_eq!(cutoff.ty.unwrap().to_string(), "mono, a frequency");
    assert_eq!((cutoff.range.as_deref(), cutoff.doc.as_deref()), (Some("20Hz..20kHz"), Some("Brightness.")));
    assert_eq!(hover("loud(").form, "def loud(x, by: dB)");
    assert_eq!(hover("loud(").doc.as_deref(), Some("Louder."));
    assert_eq!(hover("lead = ").form, "lead = voice1(cutoff: 2kHz)");
    assert_eq!(hover("lead = ").doc.as_deref(), Some("The lead."));
    assert_eq!(hover("level = ").form, "knob level = 0.5 in 0..1");
    let names = query.visible(id, SONG.find("level\n").unwrap());
    for name in ["lead", "level", "loud", "voice1", "kick", "prev", "tau"] {
        assert!(names.contains_key(name), "{name}");
    }
}

#[test]
fn types_are_found_for_equations_and_in_definitions() {
    let text = "a = 2 * 3Hz\nb = (noise(), 1)\nc = svf(saw(a), a)\nd = lfo(a)\ndef f(x, y: Hz) {\n  u = x + 1s\n  v = x * 2\n  w = y / 2\n  z = (x, w)\n  out = z\n}\nout = noise()\n";
    let (done, _, id) = checked(text);
    assert!(!done.problems.has_errors(), "{:?}", done.problems);
    let query = Query {
        files: done.stages.files.as_ref().unwrap(),
        library: &done.stages.library,
        types: &done.stages.checked.types,
    };
    let ty = |at: &str| {
        let shown = query.hover(query.symbol_at(id, text.find(at).unwrap()).unwrap().0);
        shown.ty.map_or("?".into(), |ty| ty.to_string())
    };
    assert_eq!(ty("a = "), "mono, a frequency");
    assert_eq!(ty("b = "), "stereo, a plain number");
    assert!(ty("c = ").contains("low: mono, a plain number"), "{}", ty("c = "));
    assert_eq!(ty("d = "), "mono, a plain number");
    assert_eq!((ty("x, y"), ty("u = "), ty("v = ")), ("?".into(), "mono, a time".into(), "mono".into()));
    assert_eq!((ty("w = "), ty("z = ")), ("mono, a frequency".into(), "stereo, a frequency".into()));
}

#[test]
fn a_name_that_would_change_what_a_text_means_is_refused() {
    let text =
        "def f(x) = x * gain\ngain = 2\na = f(3)\nb = noise()\nout = a + b + sum i in 1..2 { b * i }\n";
    let (done, _, id) = checked(text);
    assert!(!done.problems.has_errors());
    let query = Query {
        files: done.stages.files.as_ref().unwrap(),
        library: &done.stages.library,
        types: &done.stages.checked.types,
    };
    let at = |word: &str| query.symbol_at(id, text.find(word).unwrap()).unwrap().0;
    for (word, name) in [("a = f", "b"), ("gain = ", "x"), ("x) =", "gain"), ("b = n", "i"), ("i in", "b")] {
        assert!(matches!(query.rename(at(word), name), Err(NotRenamed::Taken(_))), "{word} {name}");
    }
    for name in ["sum", "2x", "a b", ""] {
        assert_eq!(query.rename(at("a = f"), name), Err(NotRenamed::NotAName), "{name}");
    }
    assert_eq!(query.rename(at("noise"), "hiss"), Err(NotRenamed::NotYours));
    assert_eq!(query.rename(at("a = f"), "c").unwrap().len(), 2);
}

#[test]
fn a_text_with_mistakes_resolves_as_far_as_it_goes() {
    let text = "lead = pluck()\nbad = nosuch(lead, qq) + lead\ndef f(x) = x + yy\nout = lead * f(bad)\nplay { lead \"c4\" }\nrest = = 3\n";
    let (done, sources, id) = checked(text);
    assert!(done.problems.has_errors());
    let query = Query {
        files: done.stages.files.as_ref().unwrap(),
        library: &done.stages.library,
        types: &done.stages.checked.types,
    };
    let lead = query.symbol_at(id, 0).unwrap().0;
    assert_eq!(query.references(lead).len(), 5);
    assert!(query.references(lead).iter().all(|span| sources.slice(*span) == "lead"));
    assert!(matches!(query.symbol_at(id, text.find("pluck").unwrap()).unwrap().0, Symbol::Definition(_)));
    assert_eq!(query.symbol_at(id, text.find("yy").unwrap()), None);
    let found: Vec<&str> = done.problems.iter().map(|p| p.code.name).collect();
    for code in ["unknown-definition", "unknown-name"] {
        assert!(found.contains(&code), "{found:?}");
    }
}

#[test]
fn equations_of_a_sum_are_seen_by_what_is_given_to_its_instruments() {
    let with = |inner: &str| {
        let text = format!(
            "g = 50Hz\nout = sum i in 1..3 {{\n f = i * g\n b = kick(f0: {inner})\n out = b * 0.5\n}}\n"
        );
        let (done, _, _) = checked(&text);
        assert!(!done.problems.has_errors(), "{:?}", done.problems);
        let starts = done.stages.lowered.slots.iter().filter(|(name, _)| name.ends_with("f0"));
        starts.map(|(_, info)| info.default).collect::<Vec<f64>>()
    };
    assert_eq!(with("f"), [50.0, 100.0, 150.0]);
    assert_eq!(with("f"), with("i * g"));
}

/// The codes of the errors of a song that uses other files.
fn codes_with(song: &str, files: &[(&'static str, &str)]) -> Vec<&'static str> {
    let texts = files.iter().map(|(name, text)| (*name, (*text).to_string())).collect();
    let (done, _, _) = checked_with(song, &Texts(texts));
    let errors = done.problems.iter().filter(|problem| problem.code.severity == Severity::Error);
    errors.map(|problem| problem.code.name).collect()
}

#[test]
fn of_a_used_file_definitions_are_checked_and_equations_only_where_they_describe_a_parameter() {
    let song = "use \"lib\"\nout = g(noise())\n";
    let of = |lib: &str| codes_with(song, &[("lib", lib)]);
    assert_eq!(
        of("def g(x) = x\na = nope + 1\nb = 3Hz + 2s\nb = 1\nout = sinus(1)\nknob k = nope in 0..1"),
        [] as [&str; 0]
    );
    assert_eq!(of("def g(x) = x\ndef h(x) = x + (2s + 3Hz)"), ["dimension"]);
    let effect = "def g(x) = x\neffect e {\n  param p = 1 in 0..most\n  out = in * p\n}\n";
    assert_eq!(of(&format!("{effect}most = most_of\nmost_of = nope")), ["unknown-name"]);
    assert_eq!(of(&format!("{effect}most = most_of\nmost_of = 3Hz + 2s")), ["dimension"]);
    assert_eq!(of(&format!("{effect}most = 3\nmost = 4")), ["duplicate-name"]);
}

#[test]
fn where_a_file_cannot_be_used_what_it_may_define_is_not_missed() {
    assert_eq!(codes_with("use \"none\"\nout = helper(noise()) |> other()\n", &[]), ["cannot-use"]);
    let ring = [("b", "use \"c\"\ndef b(x) = c(x)"), ("c", "use \"b\"\ndef c(x) = b(x)")];
    assert_eq!(codes_with("use \"b\"\nout = b(noise())\n", &ring), ["cannot-use"]);
    // A file that uses it can be used, and what it does not define is missed.
    let lib = [("lib", "use \"none\"\ndef g(x) = helper(x)")];
    assert_eq!(
        codes_with("use \"lib\"\nout = g(helper(noise()))\n", &lib),
        ["cannot-use", "unknown-definition"]
    );
}
