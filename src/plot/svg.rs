//! Figures as SVG. Pictures within are embedded as PNG.

use super::paint::{Anchor, Area, Colour, Painter, Point, Words};
use super::raster::encode;
use crate::drawing::svg::escaped;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::fmt::Write;

/// An SVG document while it is drawn.
pub struct Svg {
    body: String,
    width: f64,
    height: f64,
}

impl Svg {
    /// A white page of this size in pixels.
    pub fn new(width: f64, height: f64) -> Svg {
        Svg { body: String::new(), width, height }
    }

    /// The text of the whole document.
    pub fn finish(self) -> String {
        let Svg { body, width, height } = self;
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
             font-family=\"sans-serif\">\n{body}</svg>\n"
        )
    }
}

fn hex(Colour(r, g, b): Colour) -> String {
    format!("#{r:02x}{g:02x}{b:02x}")
}

/// A number of pixels, to a hundredth.
fn px(x: f64) -> String {
    let text = format!("{x:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn points(all: &[Point]) -> String {
    all.iter().map(|point| format!("{},{}", px(point.x), px(point.y))).collect::<Vec<_>>().join(" ")
}

impl Painter for Svg {
    fn fill(&mut self, area: Area, colour: Colour, opacity: f64) {
        let Area { x, y, width, height } = area;
        let (x, y, width, height) = (px(x), px(y), px(width), px(height));
        let opacity =
            if opacity < 1.0 { format!(" fill-opacity=\"{}\"", px(opacity)) } else { String::new() };
        _ = writeln!(
            self.body,
            "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" fill=\"{}\"{opacity}/>",
            hex(colour)
        );
    }

    fn line(&mut self, all: &[Point], colour: Colour, width: f64) {
        _ = writeln!(
            self.body,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"{}\" stroke-linejoin=\"round\"/>",
            points(all),
            hex(colour),
            px(width)
        );
    }

    fn polygon(&mut self, all: &[Point], colour: Colour, opacity: f64) {
        _ = writeln!(
            self.body,
            "<polygon points=\"{}\" fill=\"{}\" fill-opacity=\"{}\"/>",
            points(all),
            hex(colour),
            px(opacity)
        );
    }

    fn words(&mut self, words: Words) {
        let anchor = match words.anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let (x, y) = (px(words.at.x), px(words.at.y));
        let turned =
            if words.upright { format!(" transform=\"rotate(-90 {x} {y})\"") } else { String::new() };
        _ = writeln!(
            self.body,
            "<text x=\"{x}\" y=\"{y}\" font-size=\"{}\" text-anchor=\"{anchor}\" fill=\"{}\"{turned}>{}</text>",
            px(words.size),
            hex(words.colour),
            escaped(words.text)
        );
    }

    fn image(&mut self, area: Area, columns: usize, pixels: &[Colour]) {
        let Area { x, y, width, height } = area;
        let bytes: Vec<u8> = pixels.iter().flat_map(|&Colour(r, g, b)| [r, g, b]).collect();
        let rows = pixels.len() / columns.max(1);
        let Ok(png) = encode(columns as u32, rows as u32, &bytes) else { return };
        _ = writeln!(
            self.body,
            "<image x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" preserveAspectRatio=\"none\" \
             href=\"data:image/png;base64,{}\"/>",
            px(x),
            px(y),
            px(width),
            px(height),
            STANDARD.encode(png)
        );
    }
}
