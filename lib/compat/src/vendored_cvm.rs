//! Evidently's copy of scipy's exact Cramér-von Mises law, which counts lattice paths in whatever number type numpy
//! deems smallest: with the newest numpy it fails for whole numbers and rounds to single or half precision otherwise.

use doxa_stats::error::{Reason, Result};
use doxa_stats::hypothesis::cramer_von_mises::{
    EXACT_LIMIT, cramer_von_mises, lcm, rank_sum, scaled_threshold,
};
use doxa_stats::result::Test;
use doxa_stats::sample::Pair;

/// The test with the law as that copy computes it.
pub(crate) fn vendored(pair: &Pair) -> Result<Test> {
    let mut test = cramer_von_mises(pair)?;
    let (n, m) = pair.sizes();
    if n.max(m) <= EXACT_LIMIT {
        test.p = exact(rank_sum(pair), n, m)?;
    }
    Ok(test)
}

fn exact(u: f64, n: usize, m: usize) -> Result<f64> {
    let paths = (1..=n).fold(1.0, |c, i| c * (m + i) as f64 / i as f64).round();
    let bound = (lcm(n, m).pow(2) * (n + m)) as f64;
    if bound >= paths {
        // The bound is a whole number, its type an unsigned one, and adding signed squares to it raises.
        return Err(Reason::ImitatedFailure { reference: n, current: m }.into());
    }
    let round = if paths <= 65_504.0 { to_half } else { |x: f64| f64::from(x as f32) };
    let table = frequencies(n, m, round);
    let threshold = scaled_threshold(u, n, m);
    let beyond: Vec<f64> = table.iter().filter(|(value, _)| *value >= threshold).map(|(_, f)| *f).collect();
    let sum = round(pairwise_sum(&beyond));
    Ok(round(sum / round(paths)))
}

/// The table of heights and path counts, in the order in which the copy keeps it: sums depend on it.
fn frequencies(n: usize, m: usize, round: fn(f64) -> f64) -> Vec<(f64, f64)> {
    let lcm = lcm(n, m);
    let (a, b) = ((lcm / n) as i64, (lcm / m) as i64);
    let mut row: Vec<Vec<(f64, f64)>> = vec![Vec::new(); n + 1];
    row[0] = vec![(0.0, 1.0)];
    for right in 0..=m {
        let mut left: Vec<(f64, f64)> = Vec::new();
        for (up, cell) in row.iter_mut().enumerate() {
            left = merged(&left, cell, round);
            let step = (a * up as i64 - b * right as i64).pow(2) as f64;
            left.iter_mut().for_each(|(value, _)| *value = round(*value + step));
            cell.clone_from(&left);
        }
    }
    row.swap_remove(n)
}

/// Common heights first, ascending, then what only the left has, then what only the right has.
fn merged(left: &[(f64, f64)], right: &[(f64, f64)], round: fn(f64) -> f64) -> Vec<(f64, f64)> {
    let first = |of: &[(f64, f64)]| {
        let mut rows: Vec<(f64, usize)> = of.iter().enumerate().map(|(i, (value, _))| (*value, i)).collect();
        rows.sort_by(|x, y| x.0.total_cmp(&y.0).then(x.1.cmp(&y.1)));
        rows.dedup_by_key(|row| row.0);
        rows
    };
    let (a, b) = (first(left), first(right));
    let (mut out, mut in_left, mut in_right) = (Vec::new(), vec![true; left.len()], vec![true; right.len()]);
    let mut j = 0;
    for (value, i) in a {
        while j < b.len() && b[j].0 < value {
            j += 1;
        }
        if j < b.len() && b[j].0 == value {
            let k = b[j].1;
            out.push((value, round(left[i].1 + right[k].1)));
            (in_left[i], in_right[k]) = (false, false);
        }
    }
    out.extend(left.iter().zip(&in_left).filter(|(_, keep)| **keep).map(|(row, _)| *row));
    out.extend(right.iter().zip(&in_right).filter(|(_, keep)| **keep).map(|(row, _)| *row));
    out
}

/// Numpy's pairwise sum, in single precision (it widens halves to that).
fn pairwise_sum(values: &[f64]) -> f64 {
    fn sum(values: &[f32]) -> f32 {
        if values.len() < 8 {
            return values.iter().fold(0.0, |sum, v| sum + v);
        }
        if values.len() > 128 {
            let half = values.len() / 2;
            let (left, right) = values.split_at(half - half % 8);
            return sum(left) + sum(right);
        }
        let mut lanes: [f32; 8] = std::array::from_fn(|i| values[i]);
        let whole = values.len() - values.len() % 8;
        for chunk in values[8..whole].chunks(8) {
            lanes.iter_mut().zip(chunk).for_each(|(lane, v)| *lane += v);
        }
        let pairs = (lanes[0] + lanes[1]) + (lanes[2] + lanes[3]);
        let total = pairs + ((lanes[4] + lanes[5]) + (lanes[6] + lanes[7]));
        values[whole..].iter().fold(total, |sum, v| sum + v)
    }
    f64::from(sum(&values.iter().map(|v| *v as f32).collect::<Vec<_>>()))
}

/// The nearest half-precision number, ties to even.
fn to_half(x: f64) -> f64 {
    if x == 0.0 {
        return 0.0;
    }
    let exponent = (x.abs().log2().floor() as i32).clamp(-14, 15);
    let unit = 2f64.powi(exponent - 10);
    let rounded = (x / unit).round_ties_even() * unit;
    if rounded.abs() > 65_504.0 { f64::INFINITY } else { rounded }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{close, pair, rows};

    #[test]
    fn rounds_as_the_copy_does() {
        let check = |n, m, p| {
            let pair = Pair::new(&rows(n, 37, 11, 101, 10.0), &rows(m, 53, 29, 103, 9.0)).unwrap();
            close(&format!("{n} {m}"), vendored(&pair).unwrap().p, p);
        };
        check(5, 5, 0.619_140_625);
        check(6, 9, 0.616_210_937_5);
        check(7, 7, 0.536_132_812_5);
        check(12, 15, 0.074_846_722_185_611_72);
        check(10, 10, 0.189_503_997_564_315_8);
        check(15, 15, 0.064_987_078_309_059_14);
        check(18, 20, 0.468_924_939_632_415_77);
        check(20, 20, 0.408_982_843_160_629_3);
        let tiny = vendored(&pair("tiny"));
        assert_eq!(tiny, Err(Reason::ImitatedFailure { reference: 3, current: 2 }.into()));
        assert_eq!(vendored(&pair("large")), cramer_von_mises(&pair("large")));
    }

    #[test]
    fn halves() {
        let check = |x, want: f64| assert_eq!(to_half(x), want);
        check(2049.0, 2048.0);
        check(2051.0, 2052.0);
        check(0.1, 0.099_975_585_937_5);
        check(1e6, f64::INFINITY);
    }
}
