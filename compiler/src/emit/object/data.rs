//! Tables as bytes, as a C compiler lays them out where pointers have eight bytes.

use crate::emit::c::Field;

/// Bytes with what is not known before they are linked.
#[derive(Clone, Debug, Default)]
pub(super) struct Image {
    pub(super) bytes: Vec<u8>,
    pub(super) align: u64,
    /// Where addresses of functions stand: the byte, the kernel and which of its forms.
    pub(super) kernels: Vec<(usize, usize, usize)>,
    /// Where addresses of arrays stand.
    pub(super) addresses: Vec<(usize, &'static str)>,
    /// Where addresses of strings stand.
    pub(super) texts: Vec<(usize, String)>,
}

impl Image {
    /// The rows of an array. Each field is aligned to its size, and each row as its widest field is.
    pub(super) fn of_rows(rows: &[Vec<Field>]) -> Image {
        let mut image = Image { align: 16, ..Image::default() };
        for row in rows {
            row.iter().for_each(|field| image.put(field));
            let widest = row.iter().map(align_of).max().unwrap_or(1);
            image.pad(widest);
        }
        image
    }

    fn pad(&mut self, align: usize) {
        self.bytes.resize(self.bytes.len().next_multiple_of(align), 0);
    }

    fn word(&mut self, word: u32) {
        self.bytes.extend(word.to_le_bytes());
    }

    fn put(&mut self, field: &Field) {
        self.pad(align_of(field));
        let at = self.bytes.len();
        match field {
            Field::Word(word) => self.word(*word),
            Field::List(first, count) => [*first, *count].into_iter().for_each(|word| self.word(word)),
            Field::Double(x) => self.bytes.extend(x.to_le_bytes()),
            Field::Text(text) => self.texts.push((at, text.clone())),
            Field::Kernel(kernel) => self.kernels.extend((0..3).map(|form| (at + 8 * form, *kernel, form))),
            Field::Address(array) => self.addresses.push((at, array)),
        }
        let pointers = match field {
            Field::Text(_) | Field::Address(_) => 1,
            Field::Kernel(_) => 3,
            _ => 0,
        };
        self.bytes.resize(self.bytes.len() + 8 * pointers, 0);
    }
}

fn align_of(field: &Field) -> usize {
    match field {
        Field::Word(_) | Field::List(..) => 4,
        Field::Double(_) | Field::Text(_) | Field::Kernel(_) | Field::Address(_) => 8,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_laid_out_as_in_c() {
        let row = || vec![Field::Word(1), Field::Double(1.0), Field::List(2, 3), Field::Word(4)];
        let image = Image::of_rows(&[row(), row()]);
        assert_eq!(image.bytes.len(), 2 * 32);
        assert_eq!((image.bytes[0], image.bytes[16], image.bytes[24], image.bytes[32]), (1, 2, 4, 1));
    }
}
