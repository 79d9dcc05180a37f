//! Items one below the other, with what stands between them; neighbours of one kind in columns.

use super::Printer;
use super::comments::{Between, Region};
use super::doc::Doc;
use crate::ast::{
    Body, Condition, Definition, DefinitionKind, Expect, Expr, ExprId, Formal, Item, ItemKind, MidiNumbers,
    Param, Part, Tuning,
};

/// Longest body of a `sum` or `chain` that is written in one line.
const SHORT_BODY: usize = 60;

/// Where the columns of an item begin, as far as its neighbours decide it.
#[derive(Clone, Copy, Default)]
pub(super) struct Columns {
    /// Width of the names before `=`, or of the targets before a pattern.
    pub(super) name: usize,
    /// Width of the defaults of parameters.
    default: usize,
    /// Width of the ranges of parameters.
    range: usize,
    /// Spaces between the columns of parameters.
    gutter: usize,
}

impl Printer<'_> {
    /// Prints the whole file, with a newline at its end.
    pub(super) fn file(mut self) -> String {
        let ast = self.ast;
        let start = if self.source(0..self.text.map_or(0, str::len)).starts_with('\u{feff}') { 3 } else { 0 };
        let regions = self.regions(&ast.items, start, self.text.map_or(0, str::len), true);
        let lines = self.lines(&ast.items, &regions);
        Doc::All(lines.into_iter().skip_while(|doc| matches!(doc, Doc::Hard | Doc::Blank)).collect()).render()
    }

    /// What stands before each item and after the last, between the bytes `start` and `end`. Comments that stand
    /// there are taken: they are part of the result.
    fn regions(&mut self, items: &[Item], start: usize, end: usize, fresh: bool) -> Vec<Region> {
        let mut regions = Vec::new();
        let mut from = start;
        for (index, item) in items.iter().enumerate() {
            let to = item.span.start as usize;
            regions.push(match self.text {
                Some(text) => Region::read(text.get(from..to).unwrap_or_default(), fresh && index == 0),
                None => made_region(index.checked_sub(1).map(|before| &items[before]), item),
            });
            from = item.span.end as usize;
        }
        regions.push(match self.text {
            Some(text) => Region::read(text.get(from..end).unwrap_or_default(), fresh && items.is_empty()),
            None => Region::default(),
        });
        regions
    }

    /// Items with what stands between them; each line begins with a [`Doc::Hard`].
    fn lines(&mut self, items: &[Item], regions: &[Region]) -> Vec<Doc> {
        let columns = self.columns(items, regions);
        let (mut out, mut full) = (Vec::new(), false);
        for (index, region) in regions.iter().enumerate() {
            let item = items.get(index);
            self.between(region, item.is_none(), full, &mut out);
            let Some(item) = item else { break };
            out.push(Doc::Hard);
            // Those between items have just been written.
            while self.comments.take(item.span.start as usize).is_some() {}
            out.push(self.item(item, columns[index]));
            let left_over = self.left_over(item.span.end as usize);
            full = !left_over.is_empty();
            out.extend(left_over);
        }
        out
    }

    /// What stands between two items. A line is `full` when a comment ends it already.
    fn between(&mut self, region: &Region, last: bool, full: bool, out: &mut Vec<Doc>) {
        if let Some(comment) = &region.trailing {
            out.push(if full { Doc::Hard } else { Doc::text("  ") });
            out.push(Doc::text(comment));
        }
        for (index, line) in region.lines.iter().enumerate() {
            match line {
                Between::Blank if out.is_empty() || last && index + 1 == region.lines.len() => {}
                Between::Blank => out.push(Doc::Blank),
                Between::Comment(text) | Between::Doc(text) => out.extend([Doc::Hard, Doc::text(text)]),
            }
        }
    }

    /// The comments inside an item that found no place where its line could be broken.
    fn left_over(&mut self, end: usize) -> Vec<Doc> {
        let mut out = Vec::new();
        while let Some(span) = self.comments.take(end) {
            let lead = if out.is_empty() { Doc::text("  ") } else { Doc::Hard };
            out.push(lead);
            out.push(Doc::text(self.source(span.range()).trim_end()));
        }
        out
    }

    /// `{ … }` with items between the bytes `start` and `end`, one a line.
    fn block(&mut self, items: &[Item], start: usize, end: usize) -> Doc {
        let mut early = self.left_over(start);
        let mut regions = self.regions(items, start, end, false);
        if !early.is_empty()
            && let Some(trailing) = regions.first_mut().and_then(|region| region.trailing.take())
        {
            early.extend([Doc::Hard, Doc::text(trailing)]);
        }
        let opened = Doc::text("{");
        let trailing = regions.first_mut().and_then(|region| region.trailing.take());
        early.extend(trailing.map(|comment| Doc::text(format!("  {comment}"))));
        let empty = early.is_empty() && items.is_empty() && regions.iter().all(|region| !has_comment(region));
        let mut lines = self.lines(items, &regions);
        while self.comments.take(end).is_some() {}
        if empty {
            return Doc::text("{}");
        }
        if matches!(lines.first(), Some(Doc::Blank)) {
            lines.remove(0);
        }
        Doc::All(vec![opened, Doc::Nest([early, lines].concat()), Doc::Hard, Doc::text("}")])
    }

    /// The body of a `sum` or `chain`: in one line where it is short and was not written in several.
    pub(super) fn body(&mut self, items: &[Item], start: usize, end: usize) -> Doc {
        let spread = self.text.is_some() && self.source(start..end.max(start)).contains('\n');
        let documented = items.iter().any(|item| item.doc.is_some());
        if !spread && !documented && !self.comments.any_before(end) {
            let mut parts = Vec::new();
            self.trying += 1;
            for item in items {
                parts.push(self.item(item, Columns::default()).flat());
            }
            self.trying -= 1;
            if let Some(parts) = parts.into_iter().collect::<Option<Vec<_>>>()
                && parts.iter().map(|part| part.len() + 2).sum::<usize>() <= SHORT_BODY
            {
                return Doc::text(format!("{{ {} }}", parts.join("; ")));
            }
        }
        // What is tried in one line is not worth laying out in several.
        if self.trying > 0 { Doc::Hard } else { self.block(items, start, end) }
    }

    /// The byte at which `symbol` stands, after `from` and not in a comment.
    pub(super) fn find(&self, symbol: &str, from: usize) -> usize {
        let Some(text) = self.text else { return 0 };
        let mut at = from;
        while let Some(found) = text[at..].find([symbol.chars().next().unwrap_or('{'), '/']) {
            at += found;
            if text[at..].starts_with("//") {
                at += text[at..].find('\n').unwrap_or(text.len() - at);
            } else if text[at..].starts_with(symbol) {
                return at;
            } else {
                at += 1;
            }
        }
        from
    }

    /// The block of an item whose head ends before `head`.
    fn block_after(&mut self, head: usize, items: &[Item], item: &Item) -> Doc {
        let start = self.find("{", head) + 1;
        self.block(items, start, (item.span.end as usize).saturating_sub(1))
    }

    fn item(&mut self, item: &Item, columns: Columns) -> Doc {
        let doc: Vec<Doc> = match (&item.doc, self.text) {
            // Where there is a text, documentation is among what stands between items.
            (Some(doc), None) => {
                doc.split('\n').flat_map(|line| [Doc::text(format!("/// {line}")), Doc::Hard]).collect()
            }
            _ => Vec::new(),
        };
        let kind = self.kind(item, columns);
        if doc.is_empty() { kind } else { Doc::All([doc, vec![kind]].concat()) }
    }

    fn kind(&mut self, item: &Item, columns: Columns) -> Doc {
        let start = item.span.start as usize;
        match &item.kind {
            ItemKind::Equation { name, value } => {
                let head = format!("{:1$} =", name.to_string(), columns.name);
                let gap = self.gap(self.ast.span(*value).start as usize, Doc::text(" "));
                let value = self.expr(*value);
                Doc::All(vec![Doc::text(head), Doc::Nest(vec![gap]), value])
            }
            ItemKind::Param(param) => Doc::text(self.param(param, columns)),
            ItemKind::Input(name) => Doc::text(format!("input {name}")),
            ItemKind::Until(expr) => {
                let expr = self.expr(*expr);
                Doc::All(vec![Doc::text("until "), expr])
            }
            ItemKind::Latency(expr) => {
                let expr = self.expr(*expr);
                Doc::All(vec![Doc::text("latency "), expr])
            }
            ItemKind::DefaultNote(note) => Doc::text(format!("default note {note}")),
            ItemKind::Midi(midi) => Doc::text(self.midi(midi)),
            ItemKind::Kit { name, folder: None, items } => {
                let block = self.block_after(name.span.end as usize, items, item);
                Doc::All(vec![Doc::text(format!("kit {name} ")), block])
            }
            ItemKind::Kit { name, folder: Some(folder), items } if items.is_empty() => {
                Doc::text(format!("kit {name} \"{}\"", folder.text))
            }
            ItemKind::Kit { name, folder: Some(folder), items } => {
                let block = self.block_after(folder.span.end as usize + 1, items, item);
                Doc::All(vec![Doc::text(format!("kit {name} \"{}\" ", folder.text)), block])
            }
            ItemKind::Choke { parts, over } => {
                let parts: Vec<String> = parts.iter().map(ToString::to_string).collect();
                let over = over.map_or(String::new(), |over| format!(" over {}", self.flat(over)));
                Doc::text(format!("choke {}{over}", parts.join(" ")))
            }
            ItemKind::Preset { name, settings } => {
                let settings: Vec<String> =
                    settings.iter().map(|(param, value)| format!("{param}: {}", self.flat(*value))).collect();
                let settings =
                    if settings.is_empty() { String::new() } else { format!(" {} ", settings.join(", ")) };
                Doc::text(format!("preset \"{}\" {{{settings}}}", name.text))
            }
            ItemKind::Definition(definition) => self.definition(definition, item),
            ItemKind::Use(path) => Doc::text(format!("use \"{}\"", path.text)),
            ItemKind::Title(title) => Doc::text(format!("title \"{}\"", title.text)),
            ItemKind::Tempo { bpm, to, at, until } => Doc::text(self.tempo(*bpm, *to, *at, *until)),
            ItemKind::Meter { beats, unit } => {
                Doc::text(format!("meter {}/{}", self.flat(*beats), self.flat(*unit)))
            }
            ItemKind::Swing { amount, of } => {
                let of = of.map_or(String::new(), |of| format!(" of {}", self.ratio(of)));
                Doc::text(format!("swing {}{of}", self.flat(*amount)))
            }
            ItemKind::Length(length) => Doc::text(format!("length {}", self.flat(*length))),
            ItemKind::Seed(seed) => Doc::text(format!("seed {}", self.flat(*seed))),
            ItemKind::Channels { count, is_ambisonic } => {
                let ambisonic = if *is_ambisonic { " ambisonic" } else { "" };
                Doc::text(format!("channels {}{ambisonic}", self.flat(*count)))
            }
            ItemKind::Expect(expect) => self.expect(expect),
            ItemKind::Tuning(Tuning::Equal(steps)) => Doc::text(format!("tuning edo {}", self.flat(*steps))),
            ItemKind::Tuning(Tuning::Files { scale, keyboard }) => {
                let keyboard = keyboard.as_ref().map_or(String::new(), |k| format!(" \"{}\"", k.text));
                Doc::text(format!("tuning \"{}\"{keyboard}", scale.text))
            }
            ItemKind::Play(items) => {
                let block = self.block_after(start, items, item);
                Doc::All(vec![Doc::text("play "), block])
            }
            ItemKind::Line(line) => self.score_line(line, columns.name),
            ItemKind::Arrangement(parts) => Doc::text(self.arrangement(parts)),
            ItemKind::Section { name, length, items } => {
                let head = format!("section {name} {} ", self.flat(*length));
                let block = self.block_after(self.ast.span(*length).end as usize, items, item);
                Doc::All(vec![Doc::text(head), block])
            }
            ItemKind::Variation { name, of, items } => {
                let block = self.block_after(of.span.end as usize, items, item);
                Doc::All(vec![Doc::text(format!("section {name} = {of} ")), block])
            }
            ItemKind::Broken(_) => Doc::text(self.source(item.span.range())),
        }
    }

    fn expect(&mut self, expect: &Expect) -> Doc {
        let call = self.expr(expect.call);
        let condition = match expect.condition {
            None => String::new(),
            Some(Condition::Below(bound)) => format!(" < {}", self.flat(bound)),
            Some(Condition::Above(bound)) => format!(" > {}", self.flat(bound)),
            Some(Condition::Between(low, high)) => format!(" in {}..{}", self.flat(low), self.flat(high)),
            Some(Condition::Within { tolerance, of }) => {
                format!(" within {} of {}", self.flat(tolerance), self.flat(of))
            }
        };
        Doc::All(vec![Doc::text("expect "), call, Doc::text(condition)])
    }

    fn midi(&mut self, midi: &MidiNumbers) -> String {
        let ranges = midi.ranges.iter().map(|&(from, to)| {
            let to = to.map_or(String::new(), |to| format!("..{}", self.flat(to)));
            format!("{}{to}", self.flat(from))
        });
        let ranges: Vec<String> = ranges.collect();
        format!("midi {} {}", if midi.drum { "drum" } else { "program" }, ranges.join(", "))
    }

    fn tempo(
        &mut self,
        bpm: ExprId,
        to: Option<ExprId>,
        at: Option<ExprId>,
        until: Option<ExprId>,
    ) -> String {
        let mut out = format!("tempo {}", self.flat(bpm));
        match (to, at, until) {
            (Some(to), Some(from), Some(until)) => {
                let (to, from, until) = (self.flat(to), self.flat(from), self.flat(until));
                out += &format!("..{to} over bars {from}..{until}");
            }
            (_, Some(at), _) => out += &format!(" at bar {}", self.flat(at)),
            _ => {}
        }
        out
    }

    /// A division of two numbers stands without spaces, as a note value does.
    pub(super) fn ratio(&mut self, expr: ExprId) -> String {
        match self.ast.exprs[expr] {
            Expr::Binary { op: crate::ast::BinaryOp::Div, a, b } => {
                format!("{}/{}", self.flat(a), self.flat(b))
            }
            _ => self.flat(expr),
        }
    }

    fn arrangement(&mut self, parts: &[Part]) -> String {
        let mut out = "play".to_owned();
        for part in parts {
            out += &format!(" {}", part.section);
            if let Some(times) = part.times {
                out += &format!("*{}", self.flat(times));
            }
        }
        out
    }

    fn definition(&mut self, definition: &Definition, item: &Item) -> Doc {
        let formals: Vec<_> = definition.formals.iter().map(|formal| self.formal(formal)).collect();
        let (name, formals) = (&definition.name, formals.join(", "));
        let head = match definition.kind {
            DefinitionKind::Def => format!("def {name}({formals})"),
            kind if formals.is_empty() => format!("{} {name}", kind.word()),
            kind => format!("{} {name}({formals})", kind.word()),
        };
        let last = definition.formals.last();
        let last = last.map_or(definition.name.span, |f| {
            let end = f.range.map(|(_, high)| high).or(f.default);
            end.map_or(f.name.span, |end| self.ast.span(end))
        });
        match &definition.body {
            Body::Items(items) => {
                let block = self.block_after(last.end as usize, items, item);
                Doc::All(vec![Doc::text(format!("{head} ")), block])
            }
            Body::Expr(expr) => {
                let gap = self.gap(self.ast.span(*expr).start as usize, Doc::text(" "));
                let value = self.expr(*expr);
                Doc::All(vec![Doc::text(format!("{head} =")), Doc::Nest(vec![gap]), value])
            }
        }
    }

    fn formal(&mut self, formal: &Formal) -> String {
        let unit = formal.unit.map_or(String::new(), |unit| format!(": {}", unit.text()));
        let default = formal.default.map_or(String::new(), |value| format!(" = {}", self.flat(value)));
        let range = formal
            .range
            .map_or(String::new(), |(low, high)| format!(" in {}..{}", self.flat(low), self.flat(high)));
        format!("{}{unit}{default}{range}", formal.name)
    }

    /// A parameter in its columns.
    fn param(&mut self, param: &Param, columns: Columns) -> String {
        let word = if param.knob { "knob" } else { "param" };
        let gutter = " ".repeat(columns.gutter.max(1));
        let (default, range) = (self.flat(param.default), self.range(param));
        let name = param.name.to_string();
        let mut out = format!(
            "{word} {name:0$} = {default:1$}{gutter}{range:2$}",
            columns.name, columns.default, columns.range
        );
        if range.is_empty() && columns.range == 0 {
            out.truncate(out.trim_end().len());
        }
        for attribute in self.attributes(param) {
            out += &format!("{gutter}{attribute}");
        }
        out.truncate(out.trim_end().len());
        out
    }

    fn range(&mut self, param: &Param) -> String {
        if !param.words.is_empty() {
            let words: Vec<&str> = param.words.iter().map(|word| &*word.name).collect();
            return format!("in {}", words.join("|"));
        }
        param
            .range
            .map_or(String::new(), |(low, high)| format!("in {}..{}", self.flat_open(low), self.flat(high)))
    }

    fn attributes(&mut self, param: &Param) -> Vec<String> {
        let mut out = Vec::new();
        if param.curve_exp {
            out.push("curve exp".to_owned());
        }
        if param.step {
            out.push("step".to_owned());
        }
        if param.fixed {
            out.push("fixed".to_owned());
        }
        for (word, value) in [("smooth", param.smooth), ("cc", param.cc)] {
            if let Some(value) = value {
                out.push(format!("{word} {}", self.flat(value)));
            }
        }
        out
    }

    /// The columns of each item: those of its neighbours of the same kind.
    fn columns(&mut self, items: &[Item], regions: &[Region]) -> Vec<Columns> {
        let mut all = Vec::with_capacity(items.len());
        while all.len() < items.len() {
            let start = all.len();
            let joined = |i: &usize| self.joins(&items[i - 1], &regions[*i], &items[*i]);
            let end = (start + 1..items.len()).find(|i| !joined(i)).unwrap_or(items.len());
            let columns = self.columns_of(&items[start..end]);
            all.resize(end, columns);
        }
        all
    }

    /// True when two items are neighbours of one kind. Of two comments at the end of one, the second gets its own
    /// line and keeps them apart.
    fn joins(&self, before: &Item, region: &Region, item: &Item) -> bool {
        let comments = self.comments.count_in(before.span) + usize::from(region.trailing.is_some());
        region.joins() && comments < 2 && alike(&before.kind, &item.kind)
    }

    fn columns_of(&mut self, run: &[Item]) -> Columns {
        let mut columns = Columns::default();
        for item in run {
            match &item.kind {
                ItemKind::Equation { name, .. } => columns.name = columns.name.max(name.name.chars().count()),
                ItemKind::Line(line) => {
                    columns.name = columns.name.max(super::score::target(line).chars().count())
                }
                ItemKind::Param(param) => {
                    columns.name = columns.name.max(param.name.name.chars().count());
                    columns.default = columns.default.max(self.flat(param.default).chars().count());
                    columns.range = columns.range.max(self.range(param).chars().count());
                    let wide = (param.range.is_some() || !param.words.is_empty())
                        && !self.attributes(param).is_empty();
                    columns.gutter = columns.gutter.max(if wide { 2 } else { 1 });
                }
                _ => {}
            }
        }
        columns
    }
}

fn alike(a: &ItemKind, b: &ItemKind) -> bool {
    match (a, b) {
        (ItemKind::Param(a), ItemKind::Param(b)) => a.knob == b.knob,
        (ItemKind::Equation { .. }, ItemKind::Equation { .. }) | (ItemKind::Line(_), ItemKind::Line(_)) => {
            true
        }
        _ => false,
    }
}

fn has_comment(region: &Region) -> bool {
    region.trailing.is_some() || region.lines.iter().any(|line| *line != Between::Blank)
}

/// What stands between two items that were never text: an empty line round every block, and where the kind changes.
fn made_region(before: Option<&Item>, item: &Item) -> Region {
    let group = |item: &Item| match &item.kind {
        ItemKind::Equation { .. } => 0,
        ItemKind::Line(_) => 1,
        ItemKind::Param(_) | ItemKind::Input(_) | ItemKind::DefaultNote(_) | ItemKind::Midi(_) => 2,
        ItemKind::Preset { .. } | ItemKind::Choke { .. } => 2,
        ItemKind::Until(_) | ItemKind::Latency(_) => 0,
        ItemKind::Definition(_)
        | ItemKind::Kit { .. }
        | ItemKind::Play(_)
        | ItemKind::Section { .. }
        | ItemKind::Variation { .. } => 3,
        _ => 4,
    };
    let apart = before.is_some_and(|before| group(before) != group(item) || group(item) == 3);
    Region { trailing: None, lines: if apart { vec![Between::Blank] } else { Vec::new() } }
}
