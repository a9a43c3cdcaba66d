//! The imitations answer whatever comes; a mistake that is kept is never a NaN or a panic.

use doxa_stats::sample::{Column, Kind, Pair};
use proptest::prelude::*;

use crate::{evidently, nannyml};

/// Rows `(i * step + start) mod modulus / divisor`: the same in every language.
pub(crate) fn rows(n: u32, step: u32, start: u32, modulus: u32, divisor: f64) -> Vec<f64> {
    (0..n).map(|i| f64::from((i * step + start) % modulus) / divisor).collect()
}

pub(crate) fn pair(name: &str) -> Pair {
    let (reference, current) = match name {
        "tiny" => (vec![1.0531, 1.7765, -2.5533], vec![-0.138, 1.0137]),
        "large" => (rows(90, 37, 11, 101, 10.0), rows(70, 53, 29, 103, 8.0)),
        _ => panic!("no example of this name"),
    };
    Pair::new(&reference, &current).unwrap()
}

pub(crate) fn close(name: &str, ours: f64, reference: f64) {
    let error = (ours - reference).abs();
    assert!(error <= 1e-8 * reference.abs() + 1e-12, "{name}: {ours:e} instead of {reference:e}");
}

/// Numbers as they come: missing, infinite, huge, equal, few.
fn hostile() -> impl Strategy<Value = Vec<f64>> {
    let value = prop_oneof![
        4 => -3.0..3.0_f64,
        2 => (0..3_i32).prop_map(f64::from),
        1 => Just(f64::NAN),
        1 => Just(f64::INFINITY),
        1 => Just(1e300),
        1 => Just(-1e-300),
        1 => Just(-0.0),
    ];
    prop::collection::vec(value, 0..40)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn never_a_nan_never_a_panic(a in hostile(), b in hostile()) {
        use evidently::Method as E;
        let methods = [
            E::Anderson, E::CramerVonMises, E::Ed, E::EmpiricalMmd, E::Es, E::Hellinger, E::JensenShannon,
            E::KlDiv, E::Ks, E::Mannw, E::Psi, E::TTest, E::Wasserstein, E::Z, E::Chisquare,
        ];
        for method in methods {
            let verdict = evidently::compare(Some(method), Kind::Number, Column::Numbers(&a), Column::Numbers(&b), None);
            prop_assert!(verdict.is_err() || verdict.is_ok_and(|v| !v.score.is_nan()), "{method:?}");
        }
        for method in [E::Tvd, E::GTest, E::FisherExact] {
            let _ = evidently::compare(Some(method), Kind::Category, Column::Numbers(&a), Column::Numbers(&b), None);
        }
        for method in [nannyml::Method::JensenShannon, nannyml::Method::Wasserstein] {
            let _ = nannyml::compare(method, Column::Numbers(&a), Column::Numbers(&b), 7);
        }
    }

    #[test]
    fn texts_come_and_go(a in prop::collection::vec("[a-d]?", 0..30), b in prop::collection::vec("[c-f]?", 0..30)) {
        let (a, b): (Vec<&str>, Vec<&str>) = (a.iter().map(String::as_str).collect(), b.iter().map(String::as_str).collect());
        let _ = evidently::compare(None, Kind::Text, Column::Strings(&a), Column::Strings(&b), None);
    }
}
