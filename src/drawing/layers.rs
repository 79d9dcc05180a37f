//! Where each box stands (Sugiyama's method): columns by the longest path to the end, of bounded length (as Coffman and Graham
//! do); their order by the mean of the neighbours; heights as near to these as the order allows.

use super::{Arrow, Picture};
use std::ops::Range;

/// Rounds of ordering, and of moving; the picture hardly changes after these.
const ROUNDS: usize = 8;
/// A column has at most the root of so many times the number of boxes: a picture is about as high as it is wide, and small ones
/// keep all that has the same depth in one column.
const SLENDER: f64 = 6.0;

/// Where everything stands: boxes, and the bends of arrows that pass columns by.
pub(super) struct Layout {
    /// What stands in each column, from top to bottom: boxes by their index, bends by indices from the number of boxes on.
    pub(super) columns: Vec<Vec<usize>>,
    /// The bends of each arrow, from its box on.
    pub(super) bends: Vec<Vec<usize>>,
    /// From what to what a line is drawn: boxes and bends.
    links: Vec<Arrow>,
}

/// Lays a picture out. Arrows that close a cycle do not count, and have no bends.
pub(super) fn layout(picture: &Picture) -> Layout {
    let column = columns_of(picture);
    let mut columns = vec![Vec::new(); column.iter().max().map_or(0, |m| m + 1)];
    for (shape, &c) in column.iter().enumerate() {
        columns[c].push(shape);
    }
    let (mut links, mut bends, mut count) = (vec![], vec![], picture.boxes.len());
    for arrow in &picture.arrows {
        let passed = column[arrow.from] + 1..column[arrow.to];
        let own: Vec<usize> = (count..count + passed.len()).collect();
        passed.zip(&own).for_each(|(c, &bend)| columns[c].push(bend));
        count += own.len();
        let way: Vec<usize> = [arrow.from].into_iter().chain(own.clone()).chain([arrow.to]).collect();
        links.extend(way.windows(2).map(|pair| Arrow { from: pair[0], to: pair[1] }));
        bends.push(own);
    }
    for round in 0..ROUNDS {
        order(&links, count, &mut columns, round % 2 == 0);
    }
    Layout { columns, bends, links }
}

impl Layout {
    /// The middle of everything, from 0 down, where `room` says how much each takes of its column: as near to the mean of its
    /// neighbours as the order and the room of the others allow, none beyond the longest column.
    pub(super) fn heights(&self, room: &dyn Fn(usize) -> f64) -> Vec<f64> {
        let count = self.columns.iter().flatten().max().map_or(0, |last| last + 1);
        let mut middle = vec![0.0; count];
        let length = |column: &[usize]| column.iter().map(|&item| room(item)).sum::<f64>();
        let longest = self.columns.iter().map(|column| length(column)).fold(0.0, f64::max);
        for column in &self.columns {
            let mut top = -length(column) / 2.0;
            for &item in column {
                middle[item] = top + room(item) / 2.0;
                top += room(item);
            }
        }
        for _ in 0..ROUNDS {
            let mut sums = vec![(0.0, 0.0); count];
            for link in &self.links {
                for (of, neighbour) in [(link.to, link.from), (link.from, link.to)] {
                    sums[of].0 += middle[neighbour];
                    sums[of].1 += 1.0;
                }
            }
            let wanted: Vec<f64> = sums.iter().zip(&middle).map(|(sum, own)| mean(*sum, *own)).collect();
            for column in &self.columns {
                let tops = -longest / 2.0..longest / 2.0 - length(column);
                let places = apart(column, &wanted, room, tops);
                column.iter().zip(places).for_each(|(&item, place)| middle[item] = place);
            }
        }
        let top = self.columns.iter().flatten().map(|&item| middle[item] - room(item) / 2.0);
        let top = top.fold(f64::INFINITY, f64::min);
        middle.iter().map(|y| y - top).collect()
    }
}

/// The mean of so many values that have this sum, or `own` of none.
fn mean((sum, count): (f64, f64), own: f64) -> f64 {
    if count > 0.0 { sum / count } else { own }
}

/// Places for what follows each other in a column, nearest to those that are wanted by the sum of squares, where none covers
/// another (isotonic regression: neighbours that would, move as one). Packed together they would begin within `tops`.
fn apart(column: &[usize], wanted: &[f64], room: &dyn Fn(usize) -> f64, tops: Range<f64>) -> Vec<f64> {
    // Each block: the sum of what its members want, less what lies between them and the top; and how many they are.
    let mut blocks: Vec<(f64, usize)> = vec![];
    let (mut offsets, mut before) = (vec![], 0.0);
    let of = |block: &(f64, usize)| block.0 / block.1 as f64;
    for &item in column {
        offsets.push(before + room(item) / 2.0);
        before += room(item);
        blocks.push((wanted[item] - offsets[offsets.len() - 1], 1));
        while let [.., a, b] = blocks[..]
            && of(&a) > of(&b)
        {
            blocks.truncate(blocks.len() - 2);
            blocks.push((a.0 + b.0, a.1 + b.1));
        }
    }
    let top = |block: &(f64, usize)| of(block).min(tops.end).max(tops.start);
    let tops = blocks.iter().flat_map(|block| std::iter::repeat_n(top(block), block.1));
    tops.zip(offsets).map(|(top, offset)| top + offset).collect()
}

/// The column of each box: left of all that it leads to, as near as there is room. Arrows against the order of a depth-first walk
/// do not count.
fn columns_of(picture: &Picture) -> Vec<usize> {
    let count = picture.boxes.len();
    let mut next = vec![Vec::new(); count];
    for arrow in &picture.arrows {
        next[arrow.from].push(arrow.to);
    }
    let most = (SLENDER * count as f64).sqrt().ceil() as usize;
    // From the right, in an order in which what a box leads to comes before it.
    let (mut from_right, mut filled) = (vec![None; count], Vec::<usize>::new());
    for shape in finishing_order(&next) {
        let behind = next[shape].iter().filter_map(|&to| from_right[to]).max();
        let mut column = behind.map_or(0, |behind: usize| behind + 1);
        while filled.get(column).is_some_and(|&boxes| boxes >= most) {
            column += 1;
        }
        filled.resize(filled.len().max(column + 1), 0);
        filled[column] += 1;
        from_right[shape] = Some(column);
    }
    from_right.into_iter().map(|column| filled.len() - 1 - column.unwrap_or(0)).collect()
}

/// The order in which a depth-first walk leaves the boxes, without recursion.
fn finishing_order(next: &[Vec<usize>]) -> Vec<usize> {
    let (mut seen, mut finished) = (vec![false; next.len()], Vec::new());
    for start in 0..next.len() {
        let mut path = vec![(start, 0)];
        while let Some((shape, branch)) = path.pop() {
            if branch == 0 && std::mem::replace(&mut seen[shape], true) {
                continue;
            }
            match next[shape].get(branch) {
                Some(&to) => {
                    path.push((shape, branch + 1));
                    if !seen[to] {
                        path.push((to, 0));
                    }
                }
                None => finished.push(shape),
            }
        }
    }
    finished
}

/// Sorts each column by the mean row of the neighbours before it, or behind it.
fn order(links: &[Arrow], count: usize, columns: &mut [Vec<usize>], forwards: bool) {
    let mut row = vec![0.0; count];
    for column in columns.iter() {
        for (r, &shape) in column.iter().enumerate() {
            row[shape] = r as f64 - column.len() as f64 / 2.0;
        }
    }
    let mut sums = vec![(0.0, 0.0); count];
    for arrow in links {
        let (of, neighbour) = if forwards { (arrow.to, arrow.from) } else { (arrow.from, arrow.to) };
        sums[of].0 += row[neighbour];
        sums[of].1 += 1.0;
    }
    let barycenter = |shape: usize| mean(sums[shape], row[shape]);
    columns.iter_mut().for_each(|c| c.sort_by(|&a, &b| barycenter(a).total_cmp(&barycenter(b))));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drawing::Shape;

    /// Groups of four boxes that lead to one each, and these to the last.
    fn groups(count: usize) -> Picture {
        let shape = |i: usize| Shape { name: i.to_string(), kind: String::new(), share: None, level: None };
        let last = 5 * count;
        let into = |group: usize| (0..4).map(move |i| Arrow { from: 5 * group + i, to: 5 * group + 4 });
        let arrows =
            (0..count).flat_map(|group| into(group).chain([Arrow { from: 5 * group + 4, to: last }]));
        Picture { boxes: (0..=last).map(shape).collect(), arrows: arrows.collect() }
    }

    fn room(boxes: usize) -> impl Fn(usize) -> f64 {
        move |item| if item < boxes { 60.0 } else { 9.0 }
    }

    #[test]
    fn every_arrow_leads_to_the_right_and_nothing_covers_another() {
        for count in [1, 3, 25] {
            let picture = groups(count);
            let layout = layout(&picture);
            let column = |shape: usize| layout.columns.iter().position(|all| all.contains(&shape)).unwrap();
            assert!(picture.arrows.iter().all(|arrow| column(arrow.from) < column(arrow.to)));
            let room = room(picture.boxes.len());
            let middle = layout.heights(&room);
            assert!(middle.iter().enumerate().all(|(item, y)| y - room(item) / 2.0 >= -1e-9));
            for pair in layout.columns.iter().flat_map(|all| all.windows(2)) {
                let between = middle[pair[1]] - middle[pair[0]];
                assert!(between >= (room(pair[0]) + room(pair[1])) / 2.0 - 1e-9, "{between}");
            }
        }
    }

    #[test]
    fn a_large_picture_is_about_as_high_as_it_is_wide() {
        let picture = groups(25);
        let layout = layout(&picture);
        let room = room(picture.boxes.len());
        let height = layout.heights(&room).into_iter().fold(0.0, f64::max);
        let width = layout.columns.len() as f64 * 214.0;
        assert!(height < 2.0 * width && width < 2.0 * height, "{width} × {height}");
        // What leads to one box stands beside it.
        let middle = layout.heights(&room);
        let far = (0..25).map(|group| (middle[5 * group] - middle[5 * group + 3]).abs()).fold(0.0, f64::max);
        assert!(far < height / 2.0, "{far} of {height}");
    }
}
