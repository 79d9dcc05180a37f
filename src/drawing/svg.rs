//! SVG, self-contained, in the page's own colours.

use super::layers::{Layout, layout};
use super::{Picture, Shape};

/// The least and the greatest width of a box.
const WIDTH: (f64, f64) = (150.0, 360.0);
const HEIGHT: f64 = 44.0;
const GAP_X: f64 = 64.0;
const GAP_Y: f64 = 18.0;
/// What an arrow takes where it passes a column.
const BEND: f64 = 9.0;
const MARGIN: f64 = 20.0;
/// What a letter of 13 px takes, and one of 11 px, the widest of a line among the others.
const LETTER: f64 = 7.8;
const SMALL_LETTER: f64 = 6.2;

/// A point of the picture: the left edge of a box or bend, and its middle.
#[derive(Clone, Copy, Debug, Default)]
struct Point {
    x: f64,
    y: f64,
}

/// The picture as an SVG document.
pub fn svg(picture: &Picture) -> String {
    let layout = layout(picture);
    let Layout { columns, bends, .. } = &layout;
    let count = picture.boxes.len();
    let room = |item: usize| if item < count { HEIGHT + GAP_Y } else { BEND };
    let middles = layout.heights(&room);
    let bottom = middles.iter().enumerate().map(|(item, y)| y + room(item) / 2.0).fold(0.0, f64::max);
    let height = (bottom + 2.0 * MARGIN).ceil();
    let boxes = picture.boxes.iter().map(needed).fold(WIDTH.0, f64::max).min(WIDTH.1).ceil();
    let width = 2.0 * MARGIN + columns.len() as f64 * (boxes + GAP_X);
    let mut points = vec![Point::default(); middles.len()];
    for (c, column) in columns.iter().enumerate() {
        for &item in column {
            points[item] = Point { x: MARGIN + c as f64 * (boxes + GAP_X), y: MARGIN + middles[item] };
        }
    }
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
         height=\"{height}\" font-family=\"sans-serif\" text-anchor=\"middle\">\n<defs><marker id=\"tip\" \
         markerWidth=\"8\" markerHeight=\"8\" refX=\"7\" refY=\"3\" orient=\"auto\"><path d=\"M0,0 L7,3 L0,6 z\" \
         fill=\"#777\"/></marker></defs>\n<rect width=\"{width}\" height=\"{height}\" fill=\"#fff\"/>\n"
    );
    for (arrow, bends) in picture.arrows.iter().zip(bends) {
        let bends: Vec<Point> = bends.iter().map(|&bend| points[bend]).collect();
        out += &line(points[arrow.from], &bends, points[arrow.to], boxes);
    }
    for (shape, &at) in picture.boxes.iter().zip(&points) {
        out += &rectangle(at, shape, boxes);
    }
    out + "</svg>\n"
}

/// The width of a box into which its words fit.
fn needed(shape: &Shape) -> f64 {
    let length = |words: &str, letter: f64| (words.chars().count() + 1) as f64 * letter;
    length(&shape.name, LETTER).max(length(&shape.second_line(), SMALL_LETTER))
}

/// An arrow from the right edge of a box of a width along its bends to the left edge of another.
fn line(from: Point, bends: &[Point], to: Point, width: f64) -> String {
    let mut path = format!("M{},{}", from.x + width, from.y);
    let mut last = Point { x: from.x + width, y: from.y };
    for &next in bends.iter().chain([&to]) {
        let middle = (last.x + next.x) / 2.0;
        // One that goes back swings out on both sides.
        let (out, back) = if next.x > last.x { (middle, middle) } else { (last.x + GAP_X, next.x - GAP_X) };
        path += &format!(" C{out},{} {back},{} {},{}", last.y, next.y, next.x, next.y);
        last = next;
        if next.x < to.x {
            path += &format!(" L{},{}", next.x + width, next.y);
            last.x += width;
        }
    }
    format!(
        "<path d=\"{path}\" fill=\"none\" stroke=\"#777\" stroke-opacity=\"0.7\" marker-end=\"url(#tip)\"/>\n"
    )
}

/// A box: the more of the song's work it takes, the darker.
fn rectangle(at: Point, shape: &Shape, width: f64) -> String {
    let (x, y) = (at.x, at.y - HEIGHT / 2.0);
    let middle = x + width / 2.0;
    let second = shape.second_line();
    let name_y = if second.is_empty() { y + 27.0 } else { y + 20.0 };
    let text = |y: f64, size: u32, colour: &str, words: &str, letter: f64| {
        let most = (width / letter) as usize - 1;
        format!(
            "<text x=\"{middle}\" y=\"{y}\" font-size=\"{size}\" fill=\"{colour}\">{}</text>",
            fitting(words, most)
        )
    };
    let below =
        if second.is_empty() { String::new() } else { text(y + 36.0, 11, "#555", &second, SMALL_LETTER) };
    // White at nothing, orange at half of all work and more.
    let heat = (shape.share.unwrap_or(0.0) * 2.0).clamp(0.0, 1.0).sqrt();
    let part = |low: f64| (255.0 - (255.0 - low) * heat) as u8;
    let fill = format!("#{:02x}{:02x}{:02x}", part(253.0), part(174.0), part(97.0));
    format!(
        "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{HEIGHT}\" rx=\"6\" fill=\"{fill}\" stroke=\"#333\"/>\
         {}{below}\n",
        text(name_y, 13, "#111", &shape.name, LETTER)
    )
}

/// What fits into a box of a text, for SVG.
fn fitting(words: &str, most: usize) -> String {
    match words.chars().count() > most {
        true => escaped(&words.chars().take(most - 1).chain(['…']).collect::<String>()),
        false => escaped(words),
    }
}

/// A text as it stands in SVG.
pub(crate) fn escaped(words: &str) -> String {
    words.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_box_is_as_wide_as_its_words() {
        let name = "limiter".to_owned();
        let shape = Shape { name, kind: "vibraphone × 6".into(), share: Some(0.17), level: Some(-12.0) };
        let picture = Picture { boxes: vec![shape], arrows: vec![] };
        assert!(svg(&picture).contains("vibraphone × 6 · 17 % · −12 dB</text>"), "{}", svg(&picture));
    }
}
