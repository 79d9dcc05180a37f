//! Graphs drawn: DOT for Graphviz, Mermaid for Markdown, SVG by itself.

mod layers;
pub(crate) mod svg;

pub use svg::svg;

/// What is drawn: boxes and arrows.
#[derive(Clone, Debug, Default)]
pub struct Picture {
    /// The boxes, in the order of the graph's nodes.
    pub boxes: Vec<Shape>,
    /// The arrows between them, each at most once.
    pub arrows: Vec<Arrow>,
}

/// A box of a picture, with its labels.
#[derive(Clone, Debug)]
pub struct Shape {
    /// What stands in it.
    pub name: String,
    /// What it is; may be empty.
    pub kind: String,
    /// The part of all work that it takes, from 0 to 1.
    pub share: Option<f64>,
    /// Its peak in dBFS, where it was measured.
    pub level: Option<f64>,
}

impl Shape {
    /// What stands below the name, smaller: what it is, how much of the work it takes, how loud it is.
    pub fn second_line(&self) -> String {
        let share = self.share.filter(|share| *share > 0.0).map(|share| match share * 100.0 {
            small if small < 1.0 => "< 1 %".into(),
            percent => format!("{percent:.0} %"),
        });
        let level = self.level.map(|level| match level {
            // A minus sign is as wide as a digit.
            level if level.is_finite() => format!("{level:.0} dB").replace('-', "−"),
            _ => "silent".into(),
        });
        let kind = Some(self.kind.clone()).filter(|kind| !kind.is_empty());
        [kind, share, level].into_iter().flatten().collect::<Vec<_>>().join(" · ")
    }
}

/// An arrow between two boxes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Arrow {
    /// Index of the box that it leaves.
    pub from: usize,
    /// Index of the box that it reaches.
    pub to: usize,
}

/// The picture in Graphviz's DOT language.
pub fn dot(picture: &Picture) -> String {
    let escaped = |s: &str| s.replace('\\', "\\\\").replace('"', "\\\"");
    let mut out =
        String::from("digraph song {\n  rankdir=LR;\n  node [shape=box, fontname=\"sans-serif\"];\n");
    for (i, shape) in picture.boxes.iter().enumerate() {
        let second = shape.second_line();
        let kind = if second.is_empty() { String::new() } else { format!("\\n{}", escaped(&second)) };
        out += &format!("  n{i} [label=\"{}{kind}\"];\n", escaped(&shape.name));
    }
    for arrow in &picture.arrows {
        out += &format!("  n{} -> n{};\n", arrow.from, arrow.to);
    }
    out + "}\n"
}

/// The picture as a Mermaid flowchart, for Markdown.
pub fn mermaid(picture: &Picture) -> String {
    let escaped = |s: &str| s.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;");
    let mut out = String::from("flowchart LR\n");
    for (i, shape) in picture.boxes.iter().enumerate() {
        let second = shape.second_line();
        let kind = if second.is_empty() { String::new() } else { format!("<br/>{}", escaped(&second)) };
        out += &format!("  n{i}[\"{}{kind}\"]\n", escaped(&shape.name));
    }
    for arrow in &picture.arrows {
        out += &format!("  n{} --> n{}\n", arrow.from, arrow.to);
    }
    out
}
