//! `cargo xtask stats-golden FILE`: holds `doxa-stats` and `doxa-compat` against the reference values of a golden file.
//!
//! Nothing here knows a case by its name: a case says its family, method and column type, and the rules of its parity
//! say what "equal" means. A missing family is a failed case, never a skipped one.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, bail, ensure};
use doxa_compat::{evidently, evidently_embedding, nannyml};
use doxa_stats::hypothesis::{chi_square, cramer_von_mises, kolmogorov_smirnov, mann_whitney, t};
use doxa_stats::sample::{Column, Counts, Kind, Pair};
use doxa_stats::shares::{isotonic::Isotonic, label_shift, performance, prediction_powered};
use doxa_stats::{explain, interval, multiplicity, sequential};
use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::{Map, Value, json};

#[derive(Deserialize)]
struct File {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    id: String,
    source: String,
    family: String,
    method: String,
    column_type: Option<String>,
    params: Value,
    parity: String,
    tolerance: Option<Tolerance>,
    expected: Map<String, Value>,
    #[serde(default)]
    aux: Map<String, Value>,
    #[serde(flatten)]
    data: Map<String, Value>,
}

#[derive(Deserialize, Clone, Copy, Default)]
#[serde(default)]
struct Tolerance {
    rel: f64,
    abs: f64,
}

/// What we computed, under the names of the file; `None` is a typed "not computable".
type Answer = Option<Map<String, Value>>;

/// Judges every case of the file; fails if one differs.
pub(crate) fn run(arguments: &[String]) -> Result<ExitCode> {
    let [path] = arguments else { bail!("stats-golden FILE") };
    let path = Path::new(path);
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let file: File =
        serde_json::from_str(&text).with_context(|| format!("cannot parse {}", path.display()))?;
    let mut tally: BTreeMap<&str, (u32, u32)> = BTreeMap::new();
    for case in &file.cases {
        let verdict = case.answer().and_then(|answer| case.judge(answer));
        let (passed, all) = tally.entry(case.parity.as_str()).or_default();
        *all += 1;
        match verdict {
            Ok(()) => *passed += 1,
            Err(why) => println!("FAILED {} ({}): {why:#}", case.id, case.parity),
        }
    }
    let part = |parity: &str| tally.get(parity).copied().unwrap_or_default();
    let ((a, b), (c, d), (e, f), (g, h)) =
        (part("exact"), part("monte-carlo"), part("flag-only"), part("error"));
    println!("exact {a}/{b} monte-carlo {c}/{d} flag {e}/{f} error {g}/{h}");
    let (passed, all): (u32, u32) = (a + c + e + g, tally.values().map(|(_, all)| all).sum());
    ensure!(passed == all, "{} of {all} cases differ", all - passed);
    Ok(ExitCode::SUCCESS)
}

impl Case {
    fn answer(&self) -> Result<Answer> {
        match (self.source.as_str(), self.family.as_str()) {
            ("evidently", "embeddings") => self.embedding(),
            ("evidently", _) => self.evidently(),
            ("nannyml", "cbpe") => self.cbpe(),
            ("nannyml", "isotonic") => self.isotonic(),
            ("nannyml", _) => self.nannyml(),
            ("ppi_py", _) => self.prediction_powered(),
            ("scipy", _) => self.scipy(),
            ("formula", "evalue") => self.evalue(),
            ("formula", "explain") => self.explain(),
            ("formula", "labelshift") => self.label_shift(),
            (source, family) => bail!("no rule for family `{family}` of `{source}`"),
        }
    }

    fn field<T: DeserializeOwned>(&self, name: &str) -> Result<T> {
        let value = self.data.get(name).with_context(|| format!("field `{name}` is missing"))?;
        T::deserialize(value).with_context(|| format!("field `{name}` has another form"))
    }

    fn param<T: DeserializeOwned>(&self, name: &str) -> Option<T> {
        self.params.get(name).and_then(|value| T::deserialize(value).ok())
    }

    fn numbers(&self, name: &str) -> Result<Vec<f64>> {
        Ok(self.field::<Vec<Number>>(name)?.into_iter().map(|n| n.0).collect())
    }

    fn pair(&self) -> Result<Pair> {
        Ok(Pair::new(&self.numbers("reference")?, &self.numbers("current")?)?)
    }

    /// Calls `then` with both columns; names may be missing, and are then left out.
    fn columns<R>(&self, then: impl Fn(Column<'_>, Column<'_>) -> R) -> Result<R> {
        if let (Ok(a), Ok(b)) = (self.numbers("reference"), self.numbers("current")) {
            return Ok(then(Column::Numbers(&a), Column::Numbers(&b)));
        }
        let (a, b): (Vec<Option<String>>, Vec<Option<String>>) =
            (self.field("reference")?, self.field("current")?);
        let view = |side: &'_ [Option<String>]| -> Vec<String> { side.iter().flatten().cloned().collect() };
        let (a, b) = (view(&a), view(&b));
        let (a, b): (Vec<&str>, Vec<&str>) =
            (a.iter().map(String::as_str).collect(), b.iter().map(String::as_str).collect());
        Ok(then(Column::Strings(&a), Column::Strings(&b)))
    }

    fn evidently(&self) -> Result<Answer> {
        let method = match self.method.as_str() {
            "default" => None,
            name => Some(evidently::Method::deserialize(json!(name))?),
        };
        let kind = match self.column_type.as_deref() {
            Some("num") => Kind::Number,
            Some("cat") => Kind::Category,
            Some("text") => Kind::Text,
            other => bail!("no rule for column type {other:?}"),
        };
        let verdict = self.columns(|a, b| evidently::compare(method, kind, a, b, self.param("threshold")))?;
        let Ok(v) = verdict else { return Ok(None) };
        answer(json!({
            "method_resolved": v.method, "score": v.score, "threshold": v.threshold, "drift": v.drift,
            "statistic": v.statistic,
        }))
    }

    fn embedding(&self) -> Result<Answer> {
        use evidently_embedding::{Method, compare};
        let flag = |name| self.param::<bool>(name).unwrap_or(false);
        let method = match self.method.as_str() {
            "distance" => Method::Distance(serde_json::from_value(self.params["dist"].clone())?),
            "ratio" => Method::Ratio(self.param("component_stattest_threshold").unwrap_or(0.1)),
            "mmd" if flag("bootstrap") => Method::MmdBootstrap,
            "mmd" => Method::Mmd,
            "mmd(bootstrap)" | "mmd_bootstrap" => Method::MmdBootstrap,
            "model" => Method::Model,
            other => bail!("no rule for method `{other}`"),
        };
        let (a, b): (Vec<Vec<f64>>, Vec<Vec<f64>>) = (self.field("reference")?, self.field("current")?);
        let Ok(v) = compare(method, &a, &b, self.param("threshold")) else { return Ok(None) };
        let name = self.expected.get("method_resolved").cloned().unwrap_or_default();
        answer(json!({"method_resolved": name, "score": v.score, "threshold": v.threshold, "drift": v.drift}))
    }

    fn nannyml(&self) -> Result<Answer> {
        let method = nannyml::Method::deserialize(json!(self.method))?;
        let rows = self.param("ref_chunk").context("parameter `ref_chunk` is missing")?;
        let Ok(v) = self.columns(|a, b| nannyml::compare(method, a, b, rows))? else { return Ok(None) };
        answer(json!({"score": v.score, "upper_threshold": v.upper_threshold, "alert": v.alert}))
    }

    fn cbpe(&self) -> Result<Answer> {
        let called: Vec<bool> = self.numbers("y_pred")?.iter().map(|y| *y == 1.0).collect();
        let (calibrated, score) = (self.numbers("calibrated_proba")?, self.numbers("model_score")?);
        let Ok(b) = performance::binary(&called, &calibrated, &score) else { return Ok(None) };
        answer(json!({
            "accuracy": b.accuracy, "precision": b.precision, "recall": b.recall, "f1": b.f1,
            "specificity": b.specificity, "roc_auc": b.roc_auc,
        }))
    }

    fn isotonic(&self) -> Result<Answer> {
        let Ok(map) = Isotonic::fit(&self.numbers("x")?, &self.numbers("y")?) else { return Ok(None) };
        let calibrated: Vec<f64> = self.numbers("query")?.into_iter().map(|x| map.calibrate(x)).collect();
        answer(json!({"calibrated": calibrated}))
    }

    fn prediction_powered(&self) -> Result<Answer> {
        use prediction_powered::{Label, Machine, plain_with};
        let level = 1.0 - self.param("alpha").unwrap_or(0.1);
        let (human, machine) = (self.numbers("Y")?, self.numbers("Yhat")?);
        let label = |(&human, &machine): (&f64, &f64)| Label { human, machine, weight: 1.0 };
        let labels: Vec<Label> = human.iter().zip(&machine).map(label).collect();
        let unseen = Machine::of(&self.numbers("Yhat_unlabeled")?)?;
        let Ok(ours) = plain_with(&labels, &unseen, self.param("lam"), level) else { return Ok(None) };
        let alone = plain_with(&labels, &unseen, Some(0.0), level)?.estimate.interval;
        answer(json!({
            "point": ours.estimate.value, "low": ours.estimate.interval.low, "high": ours.estimate.interval.high,
            "classical_low": alone.low, "classical_high": alone.high,
        }))
    }

    fn scipy(&self) -> Result<Answer> {
        match self.family.as_str() {
            "cvm" => test(cramer_von_mises::cramer_von_mises(&self.pair()?)),
            "ks_asymp" => test(Ok(kolmogorov_smirnov::asymptotic(&self.pair()?))),
            "ks" | "ks_exact" => test(Ok(kolmogorov_smirnov::kolmogorov_smirnov(&self.pair()?))),
            "mannw2" => {
                test(Ok(mann_whitney::mann_whitney(&self.pair()?, mann_whitney::Alternative::TwoSided)))
            }
            "welch" => test(t::welch(&self.pair()?)),
            "fdr" => self.false_discoveries(),
            "homog" => self.homogeneity(),
            "propci" => self.proportion(),
            other => bail!("no rule for family `{other}` of `scipy`"),
        }
    }

    fn false_discoveries(&self) -> Result<Answer> {
        let dependence = match self.param::<String>("method").as_deref() {
            Some("by") => multiplicity::Dependence::Arbitrary,
            _ => multiplicity::Dependence::Positive,
        };
        answer(json!({"adjusted": multiplicity::adjusted(&self.numbers("pvalues")?, dependence)}))
    }

    fn homogeneity(&self) -> Result<Answer> {
        let statistic = match self.params.get("lambda_").and_then(Value::as_str) {
            Some("log-likelihood") => chi_square::Statistic::G,
            _ => chi_square::Statistic::Pearson,
        };
        let [reference, current]: [Vec<u64>; 2] = self.field("table")?;
        let labels: Vec<String> = (0..reference.len()).map(|i| i.to_string()).collect();
        let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
        let counts = Counts::new(&labels, &reference, &current)?;
        let mut ours = test(chi_square::homogeneity(&counts, statistic))?;
        if let Some(ours) = &mut ours {
            ours.insert("dof".to_owned(), json!(counts.len() - 1));
        }
        Ok(ours)
    }

    fn proportion(&self) -> Result<Answer> {
        let (k, n, level) = (self.field("k")?, self.field("n")?, self.param("confidence").unwrap_or(0.95));
        let ours = match self.param::<String>("method").as_deref() {
            Some("wilson") => interval::wilson(k, n, level),
            _ => interval::clopper_pearson(k, n, level),
        };
        let Ok(ours) = ours else { return Ok(None) };
        answer(json!({"low": ours.interval.low, "high": ours.interval.high}))
    }

    fn evalue(&self) -> Result<Answer> {
        if let Ok(values) = self.numbers("evalues") {
            let log_e: Vec<f64> = values.iter().map(|e| e.ln()).collect();
            return answer(
                json!({"rejected": multiplicity::e_bh(&log_e, self.param("alpha").unwrap_or(0.05))}),
            );
        }
        if let Ok(counts) = self.numbers("counts") {
            let prior: Vec<f64> = self.param("alpha").context("parameter `alpha` is missing")?;
            return answer(json!({"log_e": sequential::mix::log_e(&prior, &self.numbers("p0")?, &counts)}));
        }
        self.detector()
    }

    fn detector(&self) -> Result<Answer> {
        let need =
            |name: &str| self.param::<f64>(name).with_context(|| format!("parameter `{name}` is missing"));
        let sizes: Vec<f64> = self.param("sizes").context("parameter `sizes` is missing")?;
        let share = sequential::share::Baseline { share: need("p0")?, tolerance: need("eps")? };
        let (hits, rows): (Vec<u64>, Vec<u64>) = (self.field("k")?, self.field("n")?);
        let hour = |(&hits, &rows): (&u64, &u64)| sequential::share::Hour { hits, rows };
        let hours: Vec<_> = hits.iter().zip(&rows).map(hour).collect();
        let path = sequential::share::path(&share, &sizes, need("rho")?, &hours);
        answer(json!({"log_M": path}))
    }

    fn explain(&self) -> Result<Answer> {
        if let Ok(reference) = self.field::<Vec<u64>>("ref_counts") {
            let z = explain::words::z_scores(&reference, &self.field::<Vec<u64>>("cur_counts")?);
            return z.map_or(Ok(None), |z| answer(json!({"z": z})));
        }
        let column = |name: &str| self.numbers(name);
        let (n0, r0, n1, r1) = (column("ref_n")?, column("ref_rate")?, column("cur_n")?, column("cur_rate")?);
        let group = |i: usize| explain::mix_rate::Group {
            name: i.to_string(),
            n_reference: n0[i],
            rate_reference: r0[i],
            n_current: n1[i],
            rate_current: r1[i],
        };
        let groups: Vec<_> = (0..n0.len()).map(group).collect();
        let Ok(d) = explain::mix_rate::mix_rate(&groups) else { return Ok(None) };
        let (mix, rate): (Vec<f64>, Vec<f64>) = d.parts.iter().map(|p| (p.mix, p.rate)).unzip();
        answer(json!({"mix": mix, "rate": rate, "total": d.total}))
    }

    fn label_shift(&self) -> Result<Answer> {
        let validation = label_shift::Validation {
            probabilities: self.field("val_proba")?,
            labels: self.field("val_label")?,
        };
        let target: Vec<Vec<f64>> = self.field("target_proba")?;
        let (tolerance, steps) =
            (self.param("em_tol").unwrap_or(1e-8), self.param("em_max_iter").unwrap_or(500));
        let em = label_shift::expectation_maximisation(&validation.probabilities, &target, tolerance, steps);
        let (Ok(em), Ok(bbse)) = (em, label_shift::black_box(&validation, &target)) else { return Ok(None) };
        answer(json!({
            "em_prior": em, "bbse_prior": bbse, "naive_count": label_shift::counted(&target)?,
            "naive_mean_proba": label_shift::mean_probability(&target)?,
        }))
    }

    fn judge(&self, answer: Answer) -> Result<()> {
        if self.expected.contains_key("error") {
            ensure!(answer.is_none(), "a typed error was expected");
            return Ok(());
        }
        let undefined = self.expected.get("score").and_then(Value::as_str) == Some("nan");
        let Some(ours) = answer else {
            let quiet = self.expected.get("drift").and_then(Value::as_bool) != Some(true);
            ensure!(undefined && quiet, "not computable, but a number was expected");
            return Ok(());
        };
        ensure!(!undefined, "a number, but none was expected");
        match self.parity.as_str() {
            "exact" => self.judge_exactly(&ours),
            "monte-carlo" => self.judge_within(&ours),
            "flag-only" => self.flag(&ours),
            other => bail!("no rule for parity `{other}`"),
        }
    }

    /// Every number and flag that the file gives must be there and agree; statistics of `aux` too, where we have them.
    fn judge_exactly(&self, ours: &Map<String, Value>) -> Result<()> {
        const WORDS: [&str; 2] = ["display_name", "rule"];
        let tolerance = self.tolerance.unwrap_or_default();
        for (name, want) in self.expected.iter().filter(|(name, _)| !WORDS.contains(&name.as_str())) {
            agree(name, ours.get(name).unwrap_or(&Value::Null), want, tolerance)?;
        }
        self.judge_statistic(ours)
    }

    fn judge_statistic(&self, ours: &Map<String, Value>) -> Result<()> {
        const STATISTICS: [&str; 5] = ["statistic", "U", "t", "tvd", "mmd2"];
        let Some(statistic) = ours.get("statistic").filter(|v| !v.is_null()) else { return Ok(()) };
        let exact = Tolerance { rel: 1e-8, abs: 1e-10 };
        for (name, want) in self.aux.iter().filter(|(name, _)| STATISTICS.contains(&name.as_str())) {
            agree(name, statistic, want, exact)?;
        }
        Ok(())
    }

    fn judge_within(&self, ours: &Map<String, Value>) -> Result<()> {
        let tolerance = self.tolerance.unwrap_or_default();
        let number =
            |name: &str| self.expected.get(name).and_then(Value::as_f64).context("a number is missing");
        let (want, threshold) = (number("score")?, number("threshold")?);
        agree("score", &ours["score"], &json!(want), tolerance)?;
        self.judge_statistic(ours)?;
        if (want - threshold).abs() > tolerance.abs { self.flag(ours) } else { Ok(()) }
    }

    fn flag(&self, ours: &Map<String, Value>) -> Result<()> {
        agree("drift", &ours["drift"], &self.expected["drift"], Tolerance::default())
    }
}

fn answer(value: Value) -> Result<Answer> {
    match value {
        Value::Object(map) => Ok(Some(map)),
        other => bail!("an answer must be an object, not {other}"),
    }
}

fn test(result: doxa_stats::Result<doxa_stats::result::Test>) -> Result<Answer> {
    result.map_or(Ok(None), |test| test_answer(&test))
}

fn test_answer(test: &doxa_stats::result::Test) -> Result<Answer> {
    answer(json!({"statistic": test.statistic, "pvalue": test.p}))
}

fn agree(name: &str, ours: &Value, want: &Value, tolerance: Tolerance) -> Result<()> {
    match (ours, want) {
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            a.iter().zip(b).try_for_each(|(a, b)| agree(name, a, b, tolerance))
        }
        (Value::Number(_), Value::Number(_) | Value::String(_)) => {
            let (a, b) = (Number::of(ours)?, Number::of(want)?);
            let near = (a - b).abs() <= tolerance.abs + tolerance.rel * b.abs() || a == b;
            ensure!(near, "{name}: {a:e} instead of {b:e}");
            Ok(())
        }
        _ => {
            ensure!(ours == want, "{name}: {ours} instead of {want}");
            Ok(())
        }
    }
}

/// A number as the file writes it: `null` is missing, infinities and NaN are strings.
struct Number(f64);

impl Number {
    fn of(value: &Value) -> Result<f64> {
        match value {
            Value::Null => Ok(f64::NAN),
            Value::Number(n) => n.as_f64().context("a number out of range"),
            Value::Bool(b) => Ok(f64::from(u8::from(*b))),
            Value::String(s) if ["inf", "-inf", "nan"].contains(&s.as_str()) => Ok(s.parse()?),
            other => bail!("{other} is not a number"),
        }
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        Self::of(&value).map(Self).map_err(serde::de::Error::custom)
    }
}
