//! Figures as PNG.

use super::paint::{Anchor, Area, Colour, PAPER, Painter, Point, Words};
use ab_glyph::{Font, FontRef, PxScale, ScaleFont, point};
use tiny_skia::{
    Color, FillRule, LineJoin, Paint, PathBuilder, Pixmap, PremultipliedColorU8, Rect, Stroke, Transform,
};

/// Pixels of the file for one of the figure, so that it is sharp on fine screens.
const SCALE: f64 = 2.0;

/// A picture while it is drawn.
pub struct Raster {
    pixels: Pixmap,
    font: FontRef<'static>,
}

impl Raster {
    /// A white picture of this size in the figure's pixels.
    ///
    /// # Errors
    /// When it is too large, or has no extent.
    pub fn new(width: f64, height: f64) -> Result<Raster, String> {
        let (columns, rows) = ((width * SCALE) as u32, (height * SCALE) as u32);
        let mut pixels = Pixmap::new(columns, rows).ok_or("the picture has no size that a file can have")?;
        pixels.fill(colour(PAPER, 1.0));
        let font = FontRef::try_from_slice(epaint_default_fonts::UBUNTU_LIGHT);
        Ok(Raster { pixels, font: font.map_err(|error| error.to_string())? })
    }

    /// The file.
    ///
    /// # Errors
    /// When it cannot be encoded.
    pub fn finish(self) -> Result<Vec<u8>, String> {
        let (width, height) = (self.pixels.width(), self.pixels.height());
        let opaque: Vec<u8> =
            self.pixels.pixels().iter().flat_map(|p| [p.red(), p.green(), p.blue()]).collect();
        encode(width, height, &opaque)
    }

    /// Mixes a colour into a pixel.
    fn mix(&mut self, x: i64, y: i64, Colour(r, g, b): Colour, amount: f32) {
        let (width, height) = (i64::from(self.pixels.width()), i64::from(self.pixels.height()));
        if !(0..width).contains(&x) || !(0..height).contains(&y) {
            return;
        }
        let pixel = &mut self.pixels.pixels_mut()[(y * width + x) as usize];
        let part = |old: u8, new: u8| (f32::from(old) + (f32::from(new) - f32::from(old)) * amount) as u8;
        let mixed = PremultipliedColorU8::from_rgba(
            part(pixel.red(), r),
            part(pixel.green(), g),
            part(pixel.blue(), b),
            255,
        );
        *pixel = mixed.unwrap_or(*pixel);
    }
}

/// A picture of red, green and blue bytes as a PNG file.
///
/// # Errors
/// When the size and the bytes do not fit.
pub fn encode(width: u32, height: u32, bytes: &[u8]) -> Result<Vec<u8>, String> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_compression(png::Compression::Fast);
    let mut writer = encoder.write_header().map_err(|error| error.to_string())?;
    writer.write_image_data(bytes).map_err(|error| error.to_string())?;
    writer.finish().map_err(|error| error.to_string())?;
    Ok(file)
}

fn colour(Colour(r, g, b): Colour, opacity: f64) -> Color {
    Color::from_rgba8(r, g, b, (opacity.clamp(0.0, 1.0) * 255.0) as u8)
}

fn paint(of: Colour, opacity: f64) -> Paint<'static> {
    let mut paint = Paint::default();
    paint.set_color(colour(of, opacity));
    paint.anti_alias = true;
    paint
}

fn path(points: &[Point], closed: bool) -> Option<tiny_skia::Path> {
    let mut path = PathBuilder::new();
    for (index, point) in points.iter().enumerate() {
        let (x, y) = ((point.x * SCALE) as f32, (point.y * SCALE) as f32);
        if index == 0 { path.move_to(x, y) } else { path.line_to(x, y) }
    }
    if closed {
        path.close();
    }
    path.finish()
}

impl Painter for Raster {
    fn fill(&mut self, area: Area, colour: Colour, opacity: f64) {
        let Area { x, y, width, height } = area;
        let [x, y, width, height] = [x, y, width, height].map(|px| (px * SCALE) as f32);
        let Some(area) = Rect::from_xywh(x, y, width.max(0.5), height.max(0.5)) else { return };
        self.pixels.fill_rect(area, &paint(colour, opacity), Transform::identity(), None);
    }

    fn line(&mut self, points: &[Point], colour: Colour, width: f64) {
        let Some(path) = path(points, false) else { return };
        let stroke =
            Stroke { width: (width * SCALE) as f32, line_join: LineJoin::Round, ..Stroke::default() };
        self.pixels.stroke_path(&path, &paint(colour, 1.0), &stroke, Transform::identity(), None);
    }

    fn polygon(&mut self, points: &[Point], colour: Colour, opacity: f64) {
        let Some(path) = path(points, true) else { return };
        let paint = paint(colour, opacity);
        self.pixels.fill_path(&path, &paint, FillRule::Winding, Transform::identity(), None);
    }

    fn words(&mut self, words: Words) {
        let font = self.font.clone();
        let scaled = font.as_scaled(PxScale::from((words.size * SCALE * 1.15) as f32));
        let width: f32 = words.text.chars().map(|c| scaled.h_advance(scaled.glyph_id(c))).sum();
        let mut along = match words.anchor {
            Anchor::Start => 0.0,
            Anchor::Middle => -width / 2.0,
            Anchor::End => -width,
        };
        let (x, y) = ((words.at.x * SCALE) as f32, (words.at.y * SCALE) as f32);
        for c in words.text.chars() {
            let id = scaled.glyph_id(c);
            let at = if words.upright { point(along, 0.0) } else { point(x + along, y) };
            along += scaled.h_advance(id);
            let Some(outline) = font.outline_glyph(id.with_scale_and_position(scaled.scale(), at)) else {
                continue;
            };
            let bounds = outline.px_bounds();
            outline.draw(|column, row, amount| {
                let (px, py) =
                    (bounds.min.x as i64 + i64::from(column), bounds.min.y as i64 + i64::from(row));
                // Turned to the left: what was to the right is above.
                let (px, py) = if words.upright { (x as i64 + py, y as i64 - px) } else { (px, py) };
                self.mix(px, py, words.colour, amount);
            });
        }
    }

    fn image(&mut self, area: Area, columns: usize, pixels: &[Colour]) {
        let rows = pixels.len() / columns.max(1);
        let [left, top, right, bottom] =
            [area.x, area.y, area.x + area.width, area.y + area.height].map(|px| (px * SCALE) as i64);
        if rows == 0 || right <= left || bottom <= top {
            return;
        }
        for y in top..bottom {
            let row = (y - top) as usize * rows / (bottom - top) as usize;
            for x in left..right {
                let column = (x - left) as usize * columns / (right - left) as usize;
                self.mix(x, y, pixels[row * columns + column], 1.0);
            }
        }
    }
}
