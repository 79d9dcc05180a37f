//! The kernel that adds up voices.

use crate::ir::{Body, InputId, Inst, Kernel, Op, Type};

/// A kernel that adds up its inputs: first `groups` of which each is the sum of four already, then so many `parts`
/// that are added in groups of four, (0+1)+(2+3). The groups are added in order.
pub fn sum_kernel(groups: usize, parts: usize) -> Kernel {
    let inputs = groups + parts;
    let mut body = Body::default();
    let mut add = |op, args: &[crate::ir::Value]| {
        body.insts.add(Inst { op, ty: Type::F32, args: args.iter().copied().collect() })
    };
    let mut groups: Vec<_> = (0..groups).map(|i| add(Op::Input(InputId::new(i)), &[])).collect();
    let values: Vec<_> = (0..parts).map(|i| add(Op::Input(InputId::new(groups.len() + i)), &[])).collect();
    for four in values.chunks(4) {
        let pairs: Vec<_> = four
            .chunks(2)
            .map(|pair| if let [a, b] = *pair { add(Op::Add, &[a, b]) } else { pair[0] })
            .collect();
        groups.push(if let [a, b] = pairs[..] { add(Op::Add, &[a, b]) } else { pairs[0] });
    }
    let first = groups[0];
    let total = groups[1..].iter().fold(first, |sum, &g| add(Op::Add, &[sum, g]));
    body.outs = vec![total];
    Kernel {
        name: "sum".to_string(),
        inputs: (0..inputs).map(|i| format!("in{i}")).collect(),
        outputs: vec!["out".to_string()],
        general: body.clone(),
        steady: body,
        ..Kernel::default()
    }
}
