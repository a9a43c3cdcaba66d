//! Two-sample tests, each right by default: two-sided, exact when small, corrected for ties.

pub mod anderson_darling;
pub mod chi_square;
pub mod cramer_von_mises;
pub mod epps_singleton;
pub mod fisher;
pub mod kolmogorov;
pub mod kolmogorov_smirnov;
pub mod mann_whitney;
pub mod mmd;
pub mod t;
pub mod z;

#[cfg(test)]
pub(crate) mod examples {
    //! Small samples that tests share; `scipy` was run on the same rows.

    use crate::sample::Pair;

    /// Rows `(i * step + start) mod modulus / divisor`: the same in every language.
    pub(crate) fn rows(n: u32, step: u32, start: u32, modulus: u32, divisor: f64) -> Vec<f64> {
        (0..n).map(|i| f64::from((i * step + start) % modulus) / divisor).collect()
    }

    pub(crate) fn pair(name: &str) -> Pair {
        let (reference, current) = match name {
            "tiny" => (vec![1.0531, 1.7765, -2.5533], vec![-0.138, 1.0137]),
            "small" => (rows(12, 37, 11, 101, 10.0), rows(15, 53, 29, 103, 9.0)),
            "equal n" => (rows(9, 37, 11, 101, 10.0), rows(9, 53, 29, 103, 7.0)),
            "ties" => (rows(60, 7, 1, 9, 1.0), rows(45, 5, 2, 11, 1.0)),
            "large" => (rows(90, 37, 11, 101, 10.0), rows(70, 53, 29, 103, 8.0)),
            "shift" => (rows(90, 37, 11, 101, 10.0), rows(70, 53, 29, 103, 5.0)),
            "apart" => (rows(30, 37, 11, 101, 10.0), rows(40, 53, 2900, 103, 0.01)),
            "constant" => (vec![2.5; 20], vec![2.5; 15]),
            "two constants" => (vec![2.5; 20], vec![3.5; 15]),
            _ => panic!("no example of this name"),
        };
        Pair::new(&reference, &current).unwrap()
    }

    pub(crate) fn close(name: &str, ours: f64, reference: f64) {
        let error = (ours - reference).abs();
        assert!(error <= 1e-8 * reference.abs() + 1e-12, "{name}: {ours:e} instead of {reference:e}");
    }
}
