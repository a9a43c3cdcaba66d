//! The default mode: calm on noise, awake on change, and an answer to whatever comes.

use proptest::prelude::*;

use super::*;
use crate::rng::Rng;

const METHODS: [Method; 18] = [
    Method::AndersonDarling,
    Method::ChiSquare,
    Method::CramerVonMises,
    Method::Energy,
    Method::EppsSingleton,
    Method::Fisher,
    Method::G,
    Method::Hellinger,
    Method::JensenShannon,
    Method::KolmogorovSmirnov,
    Method::KullbackLeibler,
    Method::LInfinity,
    Method::MannWhitney,
    Method::Psi,
    Method::TotalVariation,
    Method::Wasserstein,
    Method::Welch,
    Method::Z,
];

const DISTANCES: [Method; 8] = [
    Method::Energy,
    Method::Hellinger,
    Method::JensenShannon,
    Method::KullbackLeibler,
    Method::LInfinity,
    Method::Psi,
    Method::TotalVariation,
    Method::Wasserstein,
];

fn options(method: Method) -> Options {
    Options { method: Some(method), resamples: 60, ..Options::default() }
}

fn run(method: Method, a: &[f64], b: &[f64]) -> Result<Report> {
    compare(Kind::Number, Column::Numbers(a), Column::Numbers(b), &options(method))
}

fn normal(n: usize, shift: f64, seed: u64) -> Vec<f64> {
    let mut rng = Rng::new(seed);
    (0..n).map(|_| rng.normal() + shift).collect()
}

#[test]
fn thirty_rows_an_hour_do_not_cry_wolf() {
    for method in DISTANCES {
        let alarm = |seed| run(method, &normal(1500, 0.0, seed), &normal(30, 0.0, 500 + seed)).unwrap().drift;
        let alarms = (0..30).filter(|&seed| alarm(seed)).count();
        assert!(alarms <= 1, "{method:?}: {alarms} of 30");
    }
}

#[test]
fn real_changes_are_seen_with_their_size() {
    for method in DISTANCES {
        let report = run(method, &normal(1500, 0.0, 1), &normal(400, 0.8, 2)).unwrap();
        assert!(report.drift, "{report:?}");
    }
    let report = run(Method::Wasserstein, &normal(3000, 0.0, 1), &normal(3000, 0.5, 2)).unwrap();
    assert!(
        report.interval.unwrap().contains(0.5) && report.interval.unwrap().half_width() < 0.1,
        "{report:?}"
    );
    let energy = |scale: f64| {
        let of = |seed, shift| normal(300, shift, seed).iter().map(|x| x * scale).collect::<Vec<_>>();
        run(Method::Energy, &of(1, 0.0), &of(2, 0.3)).unwrap().statistic
    };
    assert!((energy(1.0) - energy(1e6)).abs() < 1e-9, "free of scale");
}

#[test]
fn a_million_rows_need_more_than_a_speck() {
    let counts = |a: u64, b: u64| Counts::new(&["n", "y"], &[500_000, 500_000], &[a, b]).unwrap();
    let speck = categories(Method::JensenShannon, &counts(503_000, 497_000), &Options::default()).unwrap();
    assert!(!speck.drift && speck.interval.unwrap().low > speck.noise_floor.unwrap());
    assert!(categories(Method::ChiSquare, &counts(503_000, 497_000), &Options::default()).unwrap().drift);
    assert!(categories(Method::JensenShannon, &counts(400_000, 100_000), &Options::default()).unwrap().drift);
}

#[test]
fn two_sided_and_two_sample() {
    let down = run(Method::MannWhitney, &normal(60, 0.8, 1), &normal(60, 0.0, 2)).unwrap();
    let up = run(Method::MannWhitney, &normal(60, 0.0, 1), &normal(60, 0.8, 2)).unwrap();
    assert!(down.drift && up.drift);
    let mut rng = Rng::new(3);
    let mut counts = || {
        let (mut a, mut b) = ([0; 3], [0; 3]);
        rng.multinomial(500, &[0.3, 0.5, 0.2], &mut a);
        rng.multinomial(500, &[0.3, 0.5, 0.2], &mut b);
        Counts::new(&["a", "b", "c"], &a, &b).unwrap()
    };
    let alarms =
        (0..400).filter(|_| categories(Method::ChiSquare, &counts(), &Options::default()).unwrap().drift);
    assert!((8..=35).contains(&alarms.count()), "5 % of 400, where goodness of fit alarms in 22 %");
}

#[test]
fn a_million_categories() {
    let labels: Vec<String> = (0..1_000_000).map(|i| i.to_string()).collect();
    let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
    let counts = |k: usize| Counts::new(&labels[..k], &vec![1; k], &vec![2; k]).unwrap();
    assert!(
        categories(Method::ChiSquare, &counts(1_000_000), &Options::default()).unwrap().p.unwrap() > 0.99
    );
    assert!(
        !categories(Method::JensenShannon, &counts(50_000), &options(Method::JensenShannon)).unwrap().drift
    );
}

#[test]
fn types_that_differ() {
    let numbers = Column::Numbers(&[1.0, 2.0]);
    let names = Column::Strings(&["a", "b"]);
    let reason = |kind, a, b| compare(kind, a, b, &Options::default()).unwrap_err().reason;
    assert_eq!(reason(Kind::Number, numbers, names), Reason::MixedTypes);
    assert_eq!(reason(Kind::Number, names, names), Reason::MixedTypes);
    assert_eq!(reason(Kind::Vector, Column::Vectors(&[]), Column::Vectors(&[])), Reason::WrongKind);
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
        for method in METHODS {
            if let Ok(report) = run(method, &a, &b) {
                prop_assert!(!report.statistic.is_nan(), "{method:?}");
                prop_assert!(report.p.is_none_or(|p| (0.0..=1.0).contains(&p)), "{method:?} {report:?}");
                prop_assert!(report.interval.is_none_or(|i| i.low <= i.high), "{method:?} {report:?}");
            }
        }
        let _ = compare(Kind::Category, Column::Numbers(&a), Column::Numbers(&b), &options(Method::Psi));
        let _ = run(Method::Mmd, &a, &b);
    }

    #[test]
    fn names_come_and_go(a in prop::collection::vec("[a-d]?", 0..30), b in prop::collection::vec("[c-f]?", 0..30)) {
        let (a, b): (Vec<&str>, Vec<&str>) = (a.iter().map(String::as_str).collect(), b.iter().map(String::as_str).collect());
        for method in METHODS {
            let report = compare(Kind::Category, Column::Strings(&a), Column::Strings(&b), &options(method));
            prop_assert!(report.is_err() || report.is_ok_and(|r| r.statistic.is_finite()), "{method:?}");
        }
        let _ = compare(Kind::Text, Column::Strings(&a), Column::Strings(&b), &Options { resamples: 20, ..Options::default() });
    }
}
