//! SVG, self-contained, in the page's own colours.

use super::layers::{Layout, layout};
use super::{Picture, Shape};

const WIDTH: f64 = 150.0;
const HEIGHT: f64 = 44.0;
const GAP_X: f64 = 64.0;
const GAP_Y: f64 = 18.0;
/// What an arrow takes where it passes a column.
const BEND: f64 = 9.0;
const MARGIN: f64 = 20.0;
/// Letters of 13 px that fit into a box, and of 11 px.
const LETTERS: usize = 19;
const SMALL_LETTERS: usize = 24;

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
    let width = 2.0 * MARGIN + columns.len() as f64 * (WIDTH + GAP_X);
    let mut points = vec![Point::default(); middles.len()];
    for (c, column) in columns.iter().enumerate() {
        for &item in column {
            points[item] = Point { x: MARGIN + c as f64 * (WIDTH + GAP_X), y: MARGIN + middles[item] };
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
        out += &line(points[arrow.from], &bends, points[arrow.to]);
    }
    for (shape, &at) in picture.boxes.iter().zip(&points) {
        out += &rectangle(at, shape);
    }
    out + "</svg>\n"
}

/// An arrow from the right edge of a box along its bends to the left edge of another.
fn line(from: Point, bends: &[Point], to: Point) -> String {
    let mut path = format!("M{},{}", from.x + WIDTH, from.y);
    let mut last = Point { x: from.x + WIDTH, y: from.y };
    for &next in bends.iter().chain([&to]) {
        let middle = (last.x + next.x) / 2.0;
        // One that goes back swings out on both sides.
        let (out, back) = if next.x > last.x { (middle, middle) } else { (last.x + GAP_X, next.x - GAP_X) };
        path += &format!(" C{out},{} {back},{} {},{}", last.y, next.y, next.x, next.y);
        last = next;
        if next.x < to.x {
            path += &format!(" L{},{}", next.x + WIDTH, next.y);
            last.x += WIDTH;
        }
    }
    format!(
        "<path d=\"{path}\" fill=\"none\" stroke=\"#777\" stroke-opacity=\"0.7\" marker-end=\"url(#tip)\"/>\n"
    )
}

/// A box: the more of the song's work it takes, the darker.
fn rectangle(at: Point, shape: &Shape) -> String {
    let (x, y) = (at.x, at.y - HEIGHT / 2.0);
    let middle = x + WIDTH / 2.0;
    let second = shape.second_line();
    let name_y = if second.is_empty() { y + 27.0 } else { y + 20.0 };
    let text = |y: f64, size: u32, colour: &str, words: &str, most: usize| {
        format!(
            "<text x=\"{middle}\" y=\"{y}\" font-size=\"{size}\" fill=\"{colour}\">{}</text>",
            fitting(words, most)
        )
    };
    let below =
        if second.is_empty() { String::new() } else { text(y + 36.0, 11, "#555", &second, SMALL_LETTERS) };
    // White at nothing, orange at half of all work and more.
    let heat = (shape.share.unwrap_or(0.0) * 2.0).clamp(0.0, 1.0).sqrt();
    let part = |low: f64| (255.0 - (255.0 - low) * heat) as u8;
    let fill = format!("#{:02x}{:02x}{:02x}", part(253.0), part(174.0), part(97.0));
    format!(
        "<rect x=\"{x}\" y=\"{y}\" width=\"{WIDTH}\" height=\"{HEIGHT}\" rx=\"6\" fill=\"{fill}\" stroke=\"#333\"/>\
         {}{below}\n",
        text(name_y, 13, "#111", &shape.name, LETTERS)
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
