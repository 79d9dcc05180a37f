//! Figures: panels below one another, each with axes, units, and layers of curves and pictures.

use super::axis::{Axis, Scale};
use super::paint::{Anchor, Area, CURVES, Colour, FAINT, GRID, INK, PAPER, Painter, Point, Words};
use super::raster::Raster;
use super::svg::Svg;

/// A figure of one or more panels.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// What it shows, in a line above it.
    pub title: String,
    /// The panels, from the top.
    pub panels: Vec<Panel>,
}

/// A rectangle with axes.
#[derive(Clone, Debug, PartialEq)]
pub struct Panel {
    /// What is written above it; may be empty.
    pub title: String,
    /// From left to right.
    pub x: Axis,
    /// From bottom to top.
    pub y: Axis,
    /// What is drawn, the first at the back.
    pub layers: Vec<Layer>,
    /// Its height in pixels.
    pub height: f64,
}

/// What is drawn in a panel, in values of its axes.
#[derive(Clone, Debug, PartialEq)]
pub enum Layer {
    /// A line through points.
    Curve {
        /// What the legend calls it; nothing where it has no entry there.
        name: String,
        /// Its points, from left to right.
        points: Vec<(f64, f64)>,
        /// Which of the colours of curves.
        colour: usize,
    },
    /// What lies between a lower and an upper bound at each place.
    Band {
        /// What the legend calls it; nothing where it has no entry there.
        name: String,
        /// Place, lower and upper bound, from left to right.
        bounds: Vec<(f64, f64, f64)>,
        /// Which of the colours of curves.
        colour: usize,
        /// From 0 to 1.
        opacity: f64,
    },
    /// Bars: from, to, at which height; one unit of the vertical axis high.
    Notes {
        /// What the legend calls them.
        name: String,
        /// Begin, end, height, and how strong from 0 to 1.
        notes: Vec<Bar>,
        /// Which of the colours of curves.
        colour: usize,
    },
    /// Values from 0 to 1 as colours, over the whole panel.
    Heat {
        /// Row by row, from the top.
        values: Vec<f32>,
        /// Values of a row.
        columns: usize,
    },
}

/// A bar of a piano roll.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bar {
    /// Where it begins on the horizontal axis.
    pub from: f64,
    /// Where it ends on the horizontal axis.
    pub to: f64,
    /// The height of its middle.
    pub at: f64,
    /// How strong it is, from 0 to 1.
    pub strength: f64,
}

const WIDTH: f64 = 960.0;
const LEFT: f64 = 66.0;
const RIGHT: f64 = 18.0;
const TOP: f64 = 38.0;
/// Above each panel, for its title and legend.
const ABOVE: f64 = 22.0;
/// Below each panel, for its ticks and label.
const BELOW: f64 = 42.0;

impl Figure {
    /// The same where what is drawn begins so many seconds after the start of the song.
    pub fn later(mut self, seconds: f64) -> Figure {
        let timed = self.panels.iter_mut().filter(|panel| panel.x.is_time());
        for panel in timed {
            panel.x.from += seconds;
            panel.x.to += seconds;
            for layer in &mut panel.layers {
                match layer {
                    Layer::Curve { points, .. } => points.iter_mut().for_each(|point| point.0 += seconds),
                    Layer::Band { bounds, .. } => bounds.iter_mut().for_each(|bound| bound.0 += seconds),
                    Layer::Notes { notes, .. } => notes.iter_mut().for_each(|bar| {
                        bar.from += seconds;
                        bar.to += seconds;
                    }),
                    Layer::Heat { .. } => {}
                }
            }
        }
        self
    }

    /// The figure as an SVG document.
    pub fn svg(&self) -> String {
        let mut svg = Svg::new(WIDTH, self.height());
        self.draw(&mut svg);
        svg.finish()
    }

    /// The figure as a PNG file.
    ///
    /// # Errors
    /// When it has no size that a file can have.
    pub fn png(&self) -> Result<Vec<u8>, String> {
        let mut raster = Raster::new(WIDTH, self.height())?;
        self.draw(&mut raster);
        raster.finish()
    }

    fn height(&self) -> f64 {
        TOP + self.panels.iter().map(|panel| ABOVE + panel.height + BELOW).sum::<f64>()
    }

    fn draw(&self, painter: &mut dyn Painter) {
        let all = Area { x: 0.0, y: 0.0, width: WIDTH, height: self.height() };
        painter.fill(all, PAPER, 1.0);
        let words = Words {
            text: &self.title,
            at: Point { x: LEFT, y: 26.0 },
            size: 16.0,
            anchor: Anchor::Start,
            upright: false,
            colour: INK,
        };
        painter.words(words);
        let mut top = TOP;
        for panel in &self.panels {
            let area = Area { x: LEFT, y: top + ABOVE, width: WIDTH - LEFT - RIGHT, height: panel.height };
            panel.draw(area, painter);
            top += ABOVE + panel.height + BELOW;
        }
    }
}

impl Panel {
    fn draw(&self, area: Area, painter: &mut dyn Painter) {
        let heat = self.layers.iter().any(|layer| matches!(layer, Layer::Heat { .. }));
        if !heat {
            self.grid(area, painter);
        }
        self.layers.iter().for_each(|layer| self.layer(layer, area, painter));
        self.frame(area, painter);
        self.legend(area, painter);
    }

    /// A point of the picture for values of the axes, kept within the panel.
    fn point(&self, area: Area, x: f64, y: f64) -> Point {
        let place = |axis: &Axis, value: f64| axis.place(value).clamp(0.0, 1.0);
        Point {
            x: area.x + place(&self.x, x) * area.width,
            y: area.y + (1.0 - place(&self.y, y)) * area.height,
        }
    }

    fn grid(&self, area: Area, painter: &mut dyn Painter) {
        for (value, _) in self.x.ticks(ticks_in(area.width, 90.0)) {
            let x = self.point(area, value, self.y.from).x;
            let line = [Point { x, y: area.y }, Point { x, y: area.y + area.height }];
            painter.line(&line, GRID, 1.0);
        }
        for (value, _) in self.y.ticks(ticks_in(area.height, 34.0)) {
            let y = self.point(area, self.x.from, value).y;
            painter.line(&[Point { x: area.x, y }, Point { x: area.x + area.width, y }], GRID, 1.0);
        }
    }

    /// The frame, ticks with their numbers, and what the axes measure.
    fn frame(&self, area: Area, painter: &mut dyn Painter) {
        let Area { x, y, width, height } = area;
        let (right, bottom) = (x + width, y + height);
        let corners = [(x, y), (right, y), (right, bottom), (x, bottom), (x, y)];
        painter.line(&corners.map(|(x, y)| Point { x, y }), INK, 1.0);
        for (value, text) in self.x.ticks(ticks_in(width, 90.0)) {
            let at = self.point(area, value, self.y.from);
            painter.line(&[at, Point { y: at.y + 4.0, ..at }], INK, 1.0);
            painter.words(small(&text, Point { y: at.y + 17.0, ..at }, Anchor::Middle));
        }
        for (value, text) in self.y.ticks(ticks_in(height, 34.0)) {
            let at = self.point(area, self.x.from, value);
            painter.line(&[at, Point { x: at.x - 4.0, ..at }], INK, 1.0);
            painter.words(small(&text, Point { x: at.x - 8.0, y: at.y + 4.0 }, Anchor::End));
        }
        let middle = Point { x: x + width / 2.0, y: bottom + 34.0 };
        painter.words(small(&self.x.label, middle, Anchor::Middle));
        let side = Point { x: 16.0, y: y + height / 2.0 };
        painter.words(Words { upright: true, ..small(&self.y.label, side, Anchor::Middle) });
        if !self.title.is_empty() {
            painter
                .words(Words { colour: INK, ..small(&self.title, Point { x, y: y - 7.0 }, Anchor::Start) });
        }
    }

    /// Names of curves with their colours, above the panel at the right.
    fn legend(&self, area: Area, painter: &mut dyn Painter) {
        let mut names: Vec<(&str, usize)> = vec![];
        for layer in &self.layers {
            let (name, colour) = match layer {
                Layer::Curve { name, colour, .. }
                | Layer::Band { name, colour, .. }
                | Layer::Notes { name, colour, .. } => (name, *colour),
                Layer::Heat { .. } => continue,
            };
            if !name.is_empty() && !names.contains(&(name, colour)) {
                names.push((name, colour));
            }
        }
        if names.len() < 2 && self.title.is_empty() && names.len() != 1 {
            return;
        }
        let mut right = area.x + area.width;
        for (name, colour) in names.into_iter().rev() {
            // Browsers have letters of their own widths, so the name begins at its mark and ends where it does.
            right -= name.chars().count() as f64 * 6.4 + 16.0;
            let mark = Area { x: right, y: area.y - 15.0, width: 9.0, height: 9.0 };
            painter.fill(mark, curve(colour), 1.0);
            let at = Point { x: right + 14.0, y: area.y - 7.0 };
            painter.words(small(name, at, Anchor::Start));
            right -= 12.0;
        }
    }

    fn layer(&self, layer: &Layer, area: Area, painter: &mut dyn Painter) {
        match layer {
            Layer::Curve { points, colour, .. } => {
                let points: Vec<Point> = points.iter().map(|&(x, y)| self.point(area, x, y)).collect();
                painter.line(&points, curve(*colour), 1.4);
            }
            Layer::Band { bounds, colour, opacity, .. } => {
                let lower = bounds.iter().map(|&(x, low, _)| self.point(area, x, low));
                let upper = bounds.iter().rev().map(|&(x, _, high)| self.point(area, x, high));
                let points: Vec<Point> = lower.chain(upper).collect();
                painter.polygon(&points, curve(*colour), *opacity);
            }
            Layer::Notes { notes, colour, .. } => {
                for note in notes {
                    let from = self.point(area, note.from, note.at + 0.4);
                    let to = self.point(area, note.to, note.at - 0.4);
                    // Between a note and the next one at its pitch there is a gap.
                    let gap = ((to.x - from.x) * 0.2).clamp(0.0, 1.0);
                    let (width, height) = ((to.x - gap - from.x).max(1.5), (to.y - from.y).max(1.5));
                    let bar = Area { x: from.x, y: from.y, width, height };
                    painter.fill(bar, curve(*colour), 0.35 + 0.65 * note.strength.clamp(0.0, 1.0));
                }
            }
            Layer::Heat { values, columns } => {
                let pixels: Vec<Colour> = values.iter().map(|&value| heat(value)).collect();
                painter.image(area, *columns, &pixels);
            }
        }
    }
}

fn ticks_in(pixels: f64, each: f64) -> usize {
    (pixels / each) as usize
}

fn curve(index: usize) -> Colour {
    CURVES[index % CURVES.len()]
}

fn small(text: &str, at: Point, anchor: Anchor) -> Words<'_> {
    Words { text, at, size: 12.0, anchor, upright: false, colour: FAINT }
}

/// The colour of a value from 0 to 1: from nearly black over purple and orange to nearly white, brighter throughout (after
/// matplotlib's "inferno", by straight lines between nine of its colours).
fn heat(value: f32) -> Colour {
    const COLOURS: [[f32; 3]; 9] = [
        [0.0, 0.0, 4.0],
        [31.0, 12.0, 72.0],
        [85.0, 15.0, 109.0],
        [136.0, 34.0, 106.0],
        [186.0, 54.0, 85.0],
        [227.0, 89.0, 51.0],
        [249.0, 140.0, 10.0],
        [249.0, 201.0, 50.0],
        [252.0, 255.0, 164.0],
    ];
    let at = value.clamp(0.0, 1.0) * (COLOURS.len() - 1) as f32;
    let low = (at as usize).min(COLOURS.len() - 2);
    let part = |i: usize| COLOURS[low][i] + (COLOURS[low + 1][i] - COLOURS[low][i]) * (at - low as f32);
    Colour(part(0) as u8, part(1) as u8, part(2) as u8)
}

/// An axis of MIDI note numbers.
pub(super) fn note_axis(from: f64, to: f64) -> Axis {
    Axis { label: "note".into(), from: from - 1.0, to: to + 1.0, scale: Scale::Notes, named: vec![] }
}
