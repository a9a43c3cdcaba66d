//! The z test of two shares, with a pooled variance.

use crate::error::{Reason, Result, ensure};
use crate::result::Test;
use crate::sample::Counts;
use crate::special::normal_sf;

/// Compares the share of everything but the first category. More than two categories are lumped together, as Evidently
/// does; the default mode never asks for that.
pub fn z(counts: &Counts) -> Result<Test> {
    let (n, m) = counts.totals();
    let (a, b) = (n - counts.reference[0] as f64, m - counts.current[0] as f64);
    let pooled = (a + b) / (n + m);
    ensure(pooled > 0.0 && pooled < 1.0, Reason::OneCategory)?;
    let statistic = (a / n - b / m) / (pooled * (1.0 - pooled) * (1.0 / n + 1.0 / m)).sqrt();
    let (n_reference, n_current) = counts.sizes();
    Ok(Test { statistic, p: 2.0 * normal_sf(statistic.abs()), n_reference, n_current })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hypothesis::examples::close;

    #[test]
    fn by_hand() {
        let test = z(&Counts::new(&["n", "y"], &[60, 40], &[45, 55]).unwrap()).unwrap();
        close("z", test.statistic, -2.123_976_976_214_366_5);
        close("p", test.p, 0.033_672_068_856_345_77);
        let one = z(&Counts::new(&["n"], &[60], &[45]).unwrap());
        assert_eq!(one, Err(Reason::OneCategory.into()));
    }
}
