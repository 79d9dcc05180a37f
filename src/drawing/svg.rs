//! SVG, self-contained, in the page's own colours.

use super::{Picture, layers};

const WIDTH: usize = 150;
const HEIGHT: usize = 44;
const GAP_X: usize = 70;
const GAP_Y: usize = 22;
const MARGIN: usize = 20;
/// Letters of 13 px that fit into a box.
const LETTERS: usize = 19;

/// The picture as an SVG document.
pub fn svg(picture: &Picture) -> String {
    let columns = layers::columns(picture);
    let tallest = columns.iter().map(Vec::len).max().unwrap_or(0);
    let height = 2 * MARGIN + tallest * (HEIGHT + GAP_Y);
    let width = 2 * MARGIN + columns.len() * (WIDTH + GAP_X);
    let mut place = vec![(0, 0); picture.boxes.len()];
    for (c, column) in columns.iter().enumerate() {
        let top = MARGIN + (tallest - column.len()) * (HEIGHT + GAP_Y) / 2;
        for (r, &shape) in column.iter().enumerate() {
            place[shape] = (MARGIN + c * (WIDTH + GAP_X), top + r * (HEIGHT + GAP_Y));
        }
    }
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
         height=\"{height}\" font-family=\"sans-serif\" text-anchor=\"middle\">\n<defs><marker id=\"tip\" \
         markerWidth=\"8\" markerHeight=\"8\" refX=\"7\" refY=\"3\" orient=\"auto\"><path d=\"M0,0 L7,3 L0,6 z\" \
         fill=\"#777\"/></marker></defs>\n"
    );
    for arrow in &picture.arrows {
        out += &line(place[arrow.from], place[arrow.to]);
    }
    for (shape, &at) in picture.boxes.iter().zip(&place) {
        out += &rectangle(at, &shape.name, &shape.kind);
    }
    out + "</svg>\n"
}

fn line(from: (usize, usize), to: (usize, usize)) -> String {
    let (x1, y1) = (from.0 + WIDTH, from.1 + HEIGHT / 2);
    let (x2, y2) = (to.0, to.1 + HEIGHT / 2);
    let bend = GAP_X / 2;
    let (cx1, cx2) = (x1 + bend, x2 as i64 - bend as i64);
    let curve = format!("M{x1},{y1} C{cx1},{y1} {cx2},{y2} {x2},{y2}");
    format!("<path d=\"{curve}\" fill=\"none\" stroke=\"#777\" marker-end=\"url(#tip)\"/>\n")
}

fn rectangle((x, y): (usize, usize), name: &str, kind: &str) -> String {
    let middle = x + WIDTH / 2;
    let name_y = if kind.is_empty() { y + 27 } else { y + 20 };
    let text = |y: usize, size: u32, colour: &str, words: &str| {
        format!(
            "<text x=\"{middle}\" y=\"{y}\" font-size=\"{size}\" fill=\"{colour}\">{}</text>",
            fitting(words)
        )
    };
    let second = if kind.is_empty() { String::new() } else { text(y + 36, 11, "#777", kind) };
    format!(
        "<rect x=\"{x}\" y=\"{y}\" width=\"{WIDTH}\" height=\"{HEIGHT}\" rx=\"6\" fill=\"#fff\" stroke=\"#333\"/>\
         {}{second}\n",
        text(name_y, 13, "#111", name)
    )
}

/// What fits into a box of a text, for SVG.
fn fitting(words: &str) -> String {
    match words.chars().count() > LETTERS {
        true => escaped(&words.chars().take(LETTERS - 1).chain(['…']).collect::<String>()),
        false => escaped(words),
    }
}

/// A text as it stands in SVG.
pub(crate) fn escaped(words: &str) -> String {
    words.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
