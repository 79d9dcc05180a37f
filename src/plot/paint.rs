//! The shapes that figures are drawn with. Places are pixels from the upper left corner.

/// Red, green and blue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Colour(pub u8, pub u8, pub u8);

/// Paper, ink, and what is fainter than ink.
pub const PAPER: Colour = Colour(255, 255, 255);
/// The colour of text and frames.
pub const INK: Colour = Colour(34, 34, 34);
/// Text that is less important.
pub const FAINT: Colour = Colour(110, 110, 110);
/// Lines at the ticks.
pub const GRID: Colour = Colour(228, 228, 228);
/// The colours of curves, told apart by the colour-blind too (Okabe and Ito, "Color Universal Design").
pub const CURVES: [Colour; 6] = [
    Colour(0, 114, 178),
    Colour(213, 94, 0),
    Colour(0, 158, 115),
    Colour(204, 121, 167),
    Colour(230, 159, 0),
    Colour(86, 180, 233),
];

/// A point of the picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// Pixels from the left.
    pub x: f64,
    /// Pixels from the top.
    pub y: f64,
}

/// A rectangle of the picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Area {
    /// Its left edge, in pixels.
    pub x: f64,
    /// Its upper edge, in pixels.
    pub y: f64,
    /// Its width, not negative.
    pub width: f64,
    /// Its height, not negative.
    pub height: f64,
}

/// Which part of a text stands at its point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    /// Its beginning.
    Start,
    /// Its middle.
    Middle,
    /// Its end.
    End,
}

/// A text in the picture, on one line.
#[derive(Clone, Copy, Debug)]
pub struct Words<'t> {
    /// What is written there.
    pub text: &'t str,
    /// The point on its baseline.
    pub at: Point,
    /// Its height in pixels.
    pub size: f64,
    /// Which part of it stands there.
    pub anchor: Anchor,
    /// True where it is turned to the left, to be read from below.
    pub upright: bool,
    /// The colour of its letters.
    pub colour: Colour,
}

/// What figures are drawn on.
pub trait Painter {
    /// Fills a rectangle; `opacity` is from 0 to 1.
    fn fill(&mut self, area: Area, colour: Colour, opacity: f64);
    /// Draws a line through points.
    fn line(&mut self, points: &[Point], colour: Colour, width: f64);
    /// Fills what points surround.
    fn polygon(&mut self, points: &[Point], colour: Colour, opacity: f64);
    /// Writes.
    fn words(&mut self, words: Words);
    /// Fills a rectangle with the pixels of a picture of so many columns, row by row from the top.
    fn image(&mut self, area: Area, columns: usize, pixels: &[Colour]);
}
