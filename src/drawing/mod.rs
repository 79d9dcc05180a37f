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
    /// A second line, smaller: what it is.
    pub kind: String,
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
        let kind = if shape.kind.is_empty() { String::new() } else { format!("\\n{}", escaped(&shape.kind)) };
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
        let kind =
            if shape.kind.is_empty() { String::new() } else { format!("<br/>{}", escaped(&shape.kind)) };
        out += &format!("  n{i}[\"{}{kind}\"]\n", escaped(&shape.name));
    }
    for arrow in &picture.arrows {
        out += &format!("  n{} --> n{}\n", arrow.from, arrow.to);
    }
    out
}
