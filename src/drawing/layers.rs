//! Where each box stands: columns by longest path, rows by the mean of the neighbours (Sugiyama's method).

use super::{Arrow, Picture};

/// Rounds of ordering; the picture hardly changes after these.
const ROUNDS: usize = 8;

/// Where everything stands: boxes, and the bends of arrows that pass columns by.
pub(super) struct Layout {
    /// What stands in each column, from top to bottom: boxes by their index, bends by indices from the number of boxes on.
    pub(super) columns: Vec<Vec<usize>>,
    /// The bends of each arrow, from its box on.
    pub(super) bends: Vec<Vec<usize>>,
}

/// Lays a picture out. Arrows that close a cycle do not count, and have no bends.
pub(super) fn layout(picture: &Picture) -> Layout {
    let column = depths(picture);
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
    Layout { columns, bends }
}

/// The longest way to each box. Arrows against the order of a depth-first walk are left out.
fn depths(picture: &Picture) -> Vec<usize> {
    let count = picture.boxes.len();
    let mut next = vec![Vec::new(); count];
    for arrow in &picture.arrows {
        next[arrow.from].push(arrow.to);
    }
    let finished = finishing_order(&next);
    let mut place = vec![0; count];
    for (i, &shape) in finished.iter().rev().enumerate() {
        place[shape] = i;
    }
    let mut depth = vec![0; count];
    for &shape in finished.iter().rev() {
        for &to in next[shape].iter().filter(|&&to| place[to] > place[shape]) {
            depth[to] = depth[to].max(depth[shape] + 1);
        }
    }
    depth
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
    let barycenter =
        |shape: usize| if sums[shape].1 > 0.0 { sums[shape].0 / sums[shape].1 } else { row[shape] };
    columns.iter_mut().for_each(|c| c.sort_by(|&a, &b| barycenter(a).total_cmp(&barycenter(b))));
}
